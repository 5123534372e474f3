//! What is done once is done once, on real files: storage chunks inflated, files opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use delayed::Run;
use tempfile::TempDir;

use crate::io::traffic::tally;
use crate::time::TimeMethod;
use crate::values::Values;
use crate::{Catalogue, Grid, Latitudes, Longitudes, Method, Request, Write};

/// Fields of a file to be made: their names, and the shapes of their storage chunks.
type Fields<'a> = &'a [(&'a str, [usize; 3])];

/// Makes a file of some hours on a global grid of so many rows.
fn source(path: &Path, hours: std::ops::Range<usize>, rows: usize, fields: Fields) {
    let mut file = netcdf::create(path).unwrap();
    let step = 180.0 / rows as f64;
    let axes = [
        (
            "time",
            hours.len(),
            "hours since 2000-01-01",
            hours.start as f64,
            1.0,
        ),
        ("lat", rows, "degrees_north", -90.0 + step / 2.0, step),
        ("lon", 2 * rows, "degrees_east", 0.0, step),
    ];
    for (name, len, units, first, step) in axes {
        file.add_dimension(name, len).unwrap();
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
        let values: Vec<f64> = (0..len).map(|i| first + i as f64 * step).collect();
        axis.put_values(&values, ..).unwrap();
    }
    let values: Vec<f32> = (0..hours.len() * rows * 2 * rows)
        .map(|i| (i % 977) as f32)
        .collect();
    for (name, chunk) in fields {
        let mut field = file
            .add_variable::<f32>(name, &["time", "lat", "lon"])
            .unwrap();
        field.set_chunking(chunk).unwrap();
        field.set_compression(1, true).unwrap();
        field.put_values(&values, ..).unwrap();
    }
}

/// What was done since to what lies in a folder, and how often.
fn since(before: &BTreeMap<String, usize>, folder: &Path) -> BTreeMap<String, usize> {
    let mut done = tally::of(&folder.display().to_string());
    for (what, times) in before {
        *done.get_mut(what).unwrap() -= times;
    }
    done.retain(|_, times| *times > 0);
    done
}

/// The storage chunks that a request inflates, each by its name, as many as it says; how many chunks it writes.
fn inflated(files: &[PathBuf], request: &Request) -> (BTreeMap<String, usize>, u64) {
    let (chunks, planned, written) = inflated_and_planned(files, request);
    assert_eq!(chunks.values().sum::<usize>(), planned);
    (chunks, written)
}

/// The same, with how many storage chunks it says that it will read.
fn inflated_and_planned(
    files: &[PathBuf],
    request: &Request,
) -> (BTreeMap<String, usize>, usize, u64) {
    let folder = files[0].parent().unwrap();
    let before = tally::of(&folder.display().to_string());
    let fields = request.build(&Catalogue::open(files).unwrap()).unwrap();
    assert_eq!(fields.len(), 2);
    let planned: usize = fields
        .iter()
        .map(|field| field.reads().storage_chunks)
        .sum();
    let write = Write::new(folder.join("out.nc")).overwrite(true);
    let write = write.plan(&fields).unwrap();
    write.run(&Run::new().threads(2)).unwrap();
    let mut chunks = since(&before, folder);
    chunks.retain(|what, _| what.contains("] of variable"));
    let written = fields.iter().map(|field| field.chunks().len() as u64);
    (chunks, planned, written.sum())
}

#[test]
fn no_storage_chunk_is_inflated_twice() {
    let folder = TempDir::new().unwrap();
    let files = [(0..5, "a.nc"), (5..8, "b.nc")].map(|(hours, name)| {
        let path = folder.path().join(name);
        source(&path, hours, 30, &[("t", [2, 13, 25]), ("u", [1, 30, 60])]);
        path
    });
    let target = Grid::global(4.0).unwrap();
    let usual = Request::new(&target).threads(2);
    let (all, written) = inflated(&files, &usual);
    // Of t 3 and 2 blocks of times, 3 of rows, 3 of columns.
    assert_eq!(all.len(), (3 + 2) * 3 * 3 + 8);
    assert!(all.values().all(|&times| times == 1), "{all:?}");

    let (same, more) = inflated(&files, &usual.clone().memory(1 << 19));
    assert_eq!(same, all);
    assert!(
        more > written,
        "{more} chunks within the limit, {written} without"
    );
    let others = [
        usual.clone().chunk(7, 11),
        usual.clone().threads(1),
        usual.clone().method(Method::AreaWeighted),
        usual.clone().method(Method::InverseDistance),
        usual
            .clone()
            .times("2000-01-01T00:30/2000-01-01T06:30/1h".parse().unwrap())
            .time_method(TimeMethod::Linear),
    ];
    for request in others {
        assert_eq!(inflated(&files, &request).0, all, "{request:?}");
    }
    // The last hour of the first file and the first of the second.
    let between = usual
        .times("2000-01-01T04:30".parse().unwrap())
        .time_method(TimeMethod::Linear);
    let (chunks, _) = inflated(&files, &between);
    assert_eq!(chunks.len(), 2 * 9 + 2);
    assert!(chunks.values().all(|&times| times == 1), "{chunks:?}");
}

/// The values of all fields, each of which tells that something waits in a file, or does not.
fn computed(path: &Path, request: &Request, waits: bool) -> Vec<Values> {
    let fields = request.build(&Catalogue::open([path]).unwrap()).unwrap();
    let values = fields.iter().map(|field| {
        assert_eq!(field.notes().len(), usize::from(waits), "{field:?}");
        field.compute().unwrap().values
    });
    values.collect()
}

#[test]
fn chunks_next_to_the_poles_are_inflated_once_though_memory_does_not_hold_them() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.nc");
    // Chunks next to one pole, and such as reach from one to the other.
    let fields = [("t", [64, 10, 10]), ("u", [64, 60, 10])];
    source(&path, 0..64, 60, &fields);
    let files = std::slice::from_ref(&path);
    let all = Grid::global(2.5).unwrap();
    // Around the globe there are more chunks than these targets reach.
    let of = |rows: &[f64]| {
        let columns = Longitudes::new(vec![10.0, 15.0, 20.0, 25.0, 30.0], None).unwrap();
        Grid::new(Latitudes::new(rows.to_vec(), None).unwrap(), columns)
    };
    let (narrow, at_poles) = (of(&[-89.5, 40.5, 89.5]), of(&[-89.5, 89.5]));
    for target in [all, narrow, at_poles] {
        let usual = Request::new(&target).threads(2);
        let (all, _) = inflated(files, &usual);
        assert!(all.values().all(|&times| times == 1), "{all:?}");
        let whole = computed(&path, &usual, false);
        for threads in [1, 2] {
            let short = usual.clone().threads(threads).memory(1 << 18);
            for report in [false, threads == 2] {
                let short = short.clone().report(report);
                let (chunks, _) = inflated(files, &short);
                assert!(chunks.values().all(|&times| times == 1), "{chunks:?}");
                assert!(all.keys().all(|chunk| chunks.contains_key(chunk)));
                assert!(computed(&path, &short, true) == whole);
            }
            // Where nothing can be put aside, some are inflated once more.
            let short = short.scratch(folder.path().join("nowhere"));
            let (chunks, planned, _) = inflated_and_planned(files, &short);
            assert!(chunks.keys().eq(all.keys()));
            assert!(chunks.values().all(|&times| times <= 2), "{chunks:?}");
            assert!(chunks.values().sum::<usize>() > planned);
            assert!(computed(&path, &short, true) == whole);
        }
    }
}

#[test]
fn files_are_opened_as_often_as_is_said() {
    // With few chunks once, the places of all noted meanwhile; with more once again for their values. Up to 64 files are kept
    // open beneath netCDF, where HDF5 opens them.
    for (count, chunk, again) in [
        (1, [1, 9, 18], 1),
        (65, [1, 9, 18], 1),
        (200, [1, 9, 18], 1),
        (70, [1, 1, 3], 2),
    ] {
        let folder = TempDir::new().unwrap();
        let files: Vec<PathBuf> = (0..count)
            .map(|hour| {
                let path = folder.path().join(format!("{hour:03}.nc"));
                source(&path, hour..hour + 1, 9, &[("t", chunk)]);
                path
            })
            .collect();
        let request = Request::new(&Grid::global(20.0).unwrap()).threads(2);
        let fields = request.build(&Catalogue::open(&files).unwrap()).unwrap();
        let write = Write::new(folder.path().join("out.nc"));
        let write = write.plan(&fields).unwrap();
        write.run(&Run::new().threads(2)).unwrap();
        let done = since(&BTreeMap::new(), folder.path());
        for file in &files {
            let times = |how: &str| {
                done.get(&format!("{how} opened {}", file.display()))
                    .copied()
            };
            let context = format!("{} of {count}: {done:?}", file.display());
            assert_eq!(times("netCDF"), Some(1), "{context}");
            assert!(times("HDF5").unwrap() <= again, "{context}");
        }
    }
}
