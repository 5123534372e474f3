//! Weights that a budget does not hold are in a file, and what comes of them is the same.

mod sources;

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use delayed::Run;
use ndarray::{ArrayD, IxDyn};
use regrid::{Catalogue, Explanation, Field, Grid, Method, Report, Request, Values};
use sources::{MemoryFile, steps};

/// Holds little of the weights.
const BUDGET: u64 = 1 << 18;

/// A grid of rows and columns of its own, which leans by so many degrees; with corners.
fn leaning(rows: usize, columns: usize, by: f64) -> Grid {
    let place = |row: f64, column: f64| {
        let lat = (row / rows as f64 - 0.5) * TAU / 4.0;
        let lon = column / columns as f64 * TAU / 3.0;
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
    let corners = Some(corners.unzip());
    Grid::curvilinear((rows, columns), latitudes, longitudes, corners).unwrap()
}

/// Three times on a global grid, some cells missing.
fn source() -> Catalogue {
    const SHAPE: [usize; 3] = [3, 90, 180];
    let wave = |i: usize| match i % 97 {
        0 => f32::NAN,
        _ => ((i % 1009) as f32).sin() + (i / 16_200) as f32,
    };
    let values = (0..SHAPE.iter().product()).map(wave).collect();
    let values = ArrayD::from_shape_vec(IxDyn(&SHAPE), values).unwrap();
    let file = MemoryFile::new("in.nc")
        .with_axis("time", "hours since 2000-01-01", &[0.0, 1.0, 2.0])
        .with_axis("lat", "degrees_north", &steps(-89.0, 2.0, 90))
        .with_axis("lon", "degrees_east", &steps(0.0, 2.0, 180))
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(values),
            Some(&[1, 30, 60]),
            &[],
        );
    Catalogue::from_files(vec![Arc::new(file)]).unwrap()
}

/// What comes of a request, and what was foreseen.
fn regridded(request: &Request, files: &Catalogue) -> (Field, Vec<Report>, Explanation) {
    let explained = request.explain(files).unwrap();
    let fields = request.build(files).unwrap();
    let (whole, reports) = (fields[0].whole(), Vec::from_iter(fields[0].report()));
    let (field, reports) = Run::new().threads(2).compute((&whole, reports)).unwrap();
    (field, reports, explained)
}

fn bits(field: &Field) -> Vec<u32> {
    match &field.values {
        Values::F32(array) => array.iter().map(|x| x.to_bits()).collect(),
        other => panic!("{:?}", other.data_type()),
    }
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().unwrap().next().is_none()
}

#[test]
fn whatever_the_method_values_and_report_are_the_same() {
    let (files, target) = (source(), leaning(60, 100, 25.0));
    let scratch = tempfile::tempdir().unwrap();
    for method in [
        Method::Nearest,
        Method::InverseDistance,
        Method::Linear,
        Method::AreaWeighted,
        Method::SecondOrderConservative,
        Method::Mean,
    ] {
        let name = method.name();
        // Overlaps take long: one report is enough.
        let reported = method == Method::AreaWeighted;
        let request = Request::new(&target)
            .method(method)
            .threads(2)
            .report(reported);
        let (field, report, free) = regridded(&request, &files);
        assert_eq!(free.weights_in_file_bytes, 0, "{name}");
        let request = request.memory(BUDGET);

        let (same, alike, in_file) = regridded(&request.clone().scratch(scratch.path()), &files);
        assert!(bits(&same) == bits(&field), "{name}");
        assert_eq!(alike, report, "{name}");
        // Nearest takes one source a target, the others several.
        let weights = in_file.weights_bytes;
        if weights > BUDGET {
            assert!(in_file.weights_in_file_bytes > weights / 3, "{name}");
        }
        // Nobody finds the file, and nobody has to remove it.
        assert!(is_empty(scratch.path()), "{name}");

        let nowhere = scratch.path().join("not there");
        let (same, alike, in_memory) = regridded(&request.scratch(nowhere), &files);
        assert!(bits(&same) == bits(&field), "{name}");
        assert_eq!(alike, report, "{name}");
        assert_eq!(in_memory.weights_in_file_bytes, 0, "{name}");
    }
}

#[test]
fn what_weights_take_in_a_file_they_do_not_take_in_memory() {
    let (files, target) = (source(), leaning(60, 100, 25.0));
    let method = Method::SecondOrderConservative;
    let request = Request::new(&target).method(method).threads(1);
    let free = request.explain(&files).unwrap();
    let within = request.memory(BUDGET).explain(&files).unwrap();
    assert!(free.weights_bytes > 2 * BUDGET, "{}", free.weights_bytes);
    let text = within.to_string();
    let said = format!("{} of them in a file", within.weights_in_file_bytes);
    assert!(text.contains(&said), "{text}");
    assert!(within.memory_bytes + within.weights_in_file_bytes / 2 < free.memory_bytes);
}
