//! Jobs from cell to cell take no more memory than they should: limits are a fifth above what was measured.
//!
//! What the heap holds at once is counted, in bytes for each target cell: a grid is large enough here that little else is
//! seen. One test alone, since all threads of a program share the count.

mod sources;

use std::alloc::{GlobalAlloc, Layout, System};
use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ndarray::{ArrayD, IxDyn};
use regrid::{Catalogue, Grid, Method, Regridder, Request, Values};
use sources::MemoryFile;

/// The system's memory, counted: what is live, and the most of it.
struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(live, Relaxed);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(at, layout) }
    }

    // Not by a copy, which no large block needs.
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let live = LIVE.fetch_add(size, Relaxed) + size - layout.size();
        LIVE.fetch_sub(layout.size(), Relaxed);
        MOST.fetch_max(live, Relaxed);
        // SAFETY: as for this function.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static HEAP: Counted = Counted;

/// A grid of rows and columns round the globe, turned away from the poles by so many degrees; with corners if that is wished.
fn turned((rows, columns): (usize, usize), by: f64, cornered: bool) -> Grid {
    let place = |row: f64, column: f64| {
        let (lat, lon) = (
            (row / rows as f64 - 0.5) * TAU / 2.0,
            column / columns as f64 * TAU,
        );
        let (x, y, z) = (lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin());
        let (sin, cos) = by.to_radians().sin_cos();
        let (x, z) = (cos * x - sin * z, sin * x + cos * z);
        (
            z.clamp(-1.0, 1.0).asin().to_degrees(),
            y.atan2(x).to_degrees(),
        )
    };
    let cells = (0..rows * columns).map(|i| ((i / columns) as f64, (i % columns) as f64));
    let (latitudes, longitudes) = cells.clone().map(|(r, c)| place(r + 0.5, c + 0.5)).unzip();
    let corners = cells.flat_map(|(r, c)| {
        [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)].map(|(dr, dc)| place(r + dr, c + dc))
    });
    let corners = cornered.then(|| corners.unzip());
    Grid::curvilinear((rows, columns), latitudes, longitudes, corners).unwrap()
}

/// The most bytes that some work took at once for each of so many cells, and what it keeps.
fn measured<T>(cells: usize, work: impl FnOnce() -> T) -> [usize; 2] {
    let before = LIVE.load(Relaxed);
    MOST.store(before, Relaxed);
    let made = work();
    let [most, kept] = [&MOST, &LIVE].map(|count| count.load(Relaxed).saturating_sub(before));
    drop(made);
    [most / cells, kept / cells]
}

#[test]
fn weights_and_targets_take_so_much_for_each_cell() {
    let shape = (80, 100);
    let (source, target) = (turned(shape, 30.0, false), turned(shape, 70.0, true));
    // To make the weights, and to keep them with what the plan adds: at some four entries a cell, twelve bytes an entry and
    // four a cell, and four an entry in the plan. While they are made as much again may wait for its turn, with more threads.
    for (method, limits) in [
        (Method::Nearest, [71, 24]),
        (Method::InverseDistance, [126, 82]),
        (Method::Linear, [119, 82]),
        (Method::AreaWeighted, [185, 92]),
        (Method::SecondOrderConservative, [404, 182]),
        (Method::Mean, [78, 24]),
    ] {
        let got = measured(8000, || Regridder::new(&source, &target, method).unwrap());
        let within = got.iter().zip(limits).all(|(got, limit)| *got <= limit);
        assert!(
            within,
            "{}: {got:?} of {limits:?} bytes a cell",
            method.name()
        );
    }

    // A file from beginning to end: cells with four corners are not there twice, nor held for the file.
    let values = ArrayD::from_elem(IxDyn(&[2, 60, 90]), 1.0_f32);
    let file = MemoryFile::new("in.nc")
        .with_axis("time", "hours since 2000-01-01", &[0.0, 1.0])
        .with_axis("lat", "degrees_north", &sources::steps(-88.5, 3.0, 60))
        .with_axis("lon", "degrees_east", &sources::steps(0.0, 4.0, 90))
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(values),
            Some(&[1, 60, 90]),
            &[],
        );
    let files = Catalogue::from_files(vec![Arc::new(file)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = turned((250, 400), 70.0, true);
    let got = measured(100_000, || {
        let request = Request::new(&target)
            .method(Method::Nearest)
            .memory(1 << 20);
        let fields = request.build(&files).unwrap();
        regrid::write(folder.path().join("out.nc"), &fields).unwrap();
        fields
    });
    let limits = [30, 27];
    let within = got.iter().zip(limits).all(|(got, limit)| *got <= limit);
    assert!(within, "file to file: {got:?} of {limits:?} bytes a cell");
}
