//! A file that is cut short after it was opened is an error that names file and variable, whatever its kind: no zeros, no
//! crash.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use netcdf::Options;
use regrid::{Catalogue, Grid, Method, Request};

const SHAPE: [usize; 3] = [4, 40, 80];

/// Writes a field in storage chunks, compressed or not, or in one stretch.
fn source(path: &Path, options: Options, chunked: bool, compressed: bool) {
    let mut file = netcdf::create_with(path, options).unwrap();
    let names = ["time", "lat", "lon"];
    for (name, len) in names.iter().zip(SHAPE) {
        file.add_dimension(name, len).unwrap();
    }
    let units = ["hours since 2000-01-01", "degrees_north", "degrees_east"];
    for (name, units) in names.iter().zip(units) {
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
    }
    let mut field = file.add_variable::<f32>("t", &names).unwrap();
    if chunked {
        field.set_chunking(&[1, 20, 40]).unwrap();
    }
    if compressed {
        field.set_compression(1, true).unwrap();
    }
    file.enddef().unwrap();
    for ((name, len), (first, step)) in
        names
            .iter()
            .zip(SHAPE)
            .zip([(0.0, 1.0), (-88.0, 4.5), (0.0, 4.5)])
    {
        let values: Vec<f64> = (0..len).map(|i| first + i as f64 * step).collect();
        file.variable_mut(name)
            .unwrap()
            .put_values(&values, ..)
            .unwrap();
    }
    let values: Vec<f32> = (0..SHAPE.iter().product::<usize>() as u32)
        .map(|i| 1.0 + (i.wrapping_mul(2_654_435_761) >> 12) as f32)
        .collect();
    file.variable_mut("t")
        .unwrap()
        .put_values(&values, ..)
        .unwrap();
}

/// An error and what caused it.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[test]
fn what_is_gone_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, options, chunked, compressed) in [
        ("classic", Options::empty(), false, false),
        ("64-bit offset", Options::_64BIT_OFFSET, false, false),
        ("64-bit data", Options::_64BIT_DATA, false, false),
        ("stretch", Options::NETCDF4, false, false),
        ("chunks", Options::NETCDF4, true, false),
        ("compressed", Options::NETCDF4, true, true),
    ] {
        for share in [0.9, 0.5, 0.0] {
            let path = folder.path().join(format!("{kind} {share}.nc"));
            source(
                &path,
                Options::from_bits_retain(options.bits()),
                chunked,
                compressed,
            );
            let context = path.display().to_string();
            let files = Catalogue::open([&path]).unwrap();
            let target = Grid::regular(-80.0..=80.0, 20.0, 0.0..=340.0, 20.0).unwrap();
            let fields = Request::new(&target)
                .method(Method::Nearest)
                .build(&files)
                .unwrap();
            let len = fs::metadata(&path).unwrap().len();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len((len as f64 * share) as u64).unwrap();
            let text = match fields[0].compute() {
                Ok(_) => panic!("{context}: read all the same"),
                Err(error) => chain(&error),
            };
            assert!(
                text.contains("variable t") && text.contains(&context),
                "{context}: {text}"
            );
        }
    }
}
