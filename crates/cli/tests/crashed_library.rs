//! A damaged file that takes the library down ends the command with an error that names the file, and leaves nothing behind.

#![cfg(unix)]

mod command;

use std::fs;

use command::regrid;

/// A file whose references from variables to their dimensions lead to an object that is not there: HDF5 copies that.
fn damaged() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("lat", 3).unwrap();
    file.add_dimension("lon", 4).unwrap();
    for (name, units) in [("lat", "degrees_north"), ("lon", "degrees_east")] {
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
        let values: Vec<f64> = (0..axis.len()).map(|i| i as f64).collect();
        axis.put_values(&values, ..).unwrap();
    }
    file.add_variable::<f32>("tas", &["lat", "lon"])
        .unwrap()
        .put_values(&[0.5; 12], ..)
        .unwrap();
    file.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let heap = bytes.windows(4).position(|w| w == b"GCOL").unwrap();
    // Behind the heap's head of 16 bytes, and the first object of 16 bytes with as many of its own head: the number of the
    // second.
    bytes[heap + 48..heap + 50].fill(0xff);
    bytes
}

#[test]
fn the_file_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("damaged.nc"), damaged()).unwrap();
    for words in [
        "info damaged.nc",
        "damaged.nc -o out.nc --grid 10",
        "damaged.nc -o out.nc --grid 10 --resume",
        "weights damaged.nc -o out.nc --grid 10",
    ] {
        let done = regrid()
            .current_dir(folder.path())
            .args(words.split(' '))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "`regrid {words}`: {said}");
        assert!(
            said.starts_with(
                "regrid: error: damaged.nc: the netCDF library crashed while reading it (SIG"
            ) && said.lines().count() == 2,
            "`regrid {words}`: {said}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{words}");
    }
}
