//! The values do not depend on the number of threads or on how the work is cut.

mod command;

use std::path::Path;

use command::{data, regrid};

/// Names, shapes and bits of all variables.
fn bits(path: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let file = netcdf::open(path).unwrap();
    let variables = file.variables().map(|variable| {
        let shape = variable.dimensions().iter().map(netcdf::Dimension::len);
        let shape: Vec<usize> = shape.collect();
        let bytes = variable.get_raw_values(..).unwrap();
        (variable.name(), shape, bytes)
    });
    variables.collect()
}

/// Runs the command in many ways and compares with how one thread alone does it, unasked for chunks.
fn same(inputs: &[&str], options: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, how: &[&str]| {
        let out = folder.path().join(name);
        let done = regrid()
            .args(inputs.iter().map(|name| data(name)))
            .arg("-o")
            .arg(&out)
            .args(options)
            .args(how)
            .arg("--force")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{how:?}: {said}");
        bits(&out)
    };
    let expected = run("one.nc", &["-j", "1"]);
    assert!(!expected.is_empty());
    for threads in ["1", "2", "4"] {
        for chunk in ["1x1000", "1000x7", "37x41", "64x64", "1000x1000"] {
            let how = ["-j", threads, "--chunk", chunk];
            let got = run("many.nc", &how);
            let differ: Vec<&str> = expected
                .iter()
                .filter(|variable| !got.contains(variable))
                .map(|(name, ..)| name.as_str())
                .collect();
            assert!(differ.is_empty(), "{how:?} {options:?}: {differ:?}");
            assert_eq!(got.len(), expected.len(), "{how:?} {options:?}");
        }
    }
}

/// One test, since netCDF keeps HDF5 from printing on the first thread that reads only.
#[test]
fn values_are_the_same_whatever_the_threads_and_the_chunks() {
    // Linear, with pole rows.
    same(&["g1.nc"], &["--grid", "2", "--pole", "mean"]);
    // Linear, with missing values, and with gradients that go on.
    let half = ["--lat=-90:90:3", "--lon=-180:180:2.5"];
    let edges = ["--outside", "linear", "--pole", "none"];
    same(&["g1_mask.nc"], &[&half[..], &edges].concat());
    // The nearest of packed values.
    same(&["g1_i16.nc"], &["--grid", "r120x60", "-m", "nearest"]);
    // Linear in time too.
    let region = ["--lat=20:55:1", "--lon=230:310:2"];
    let times = [
        "-t",
        "1860-06-05T04:00:00/1880-06-01/P3M",
        "--time-method",
        "linear",
    ];
    same(&["A1B_north_america.nc"], &[&region[..], &times].concat());
    // Files joined along time.
    same(&["season"], &["--grid", "3"]);
}
