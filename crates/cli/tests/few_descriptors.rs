//! More files than a process may have open are one source all the same.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

/// Files, all in one folder; a file that is open takes one descriptor or two.
const FILES: usize = 150;

/// Writes the step of an hour: every value is the hour.
fn source(path: &Path, hour: usize) {
    let mut file = netcdf::create(path).unwrap();
    for (name, values, units) in [
        ("time", &[hour as f64][..], "hours since 2000-01-01"),
        ("lat", &[-10.0, 0.0, 10.0], "degrees_north"),
        ("lon", &[0.0, 10.0, 20.0, 30.0], "degrees_east"),
    ] {
        file.add_dimension(name, values.len()).unwrap();
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
        axis.put_values(values, ..).unwrap();
    }
    for (name, chunk) in [("t", [1, 2, 3]), ("u", [1, 1, 1])] {
        let mut field = file
            .add_variable::<f32>(name, &["time", "lat", "lon"])
            .unwrap();
        field.set_chunking(&chunk).unwrap();
        field.set_compression(1, true).unwrap();
        field.put_values(&[hour as f32; 12], ..).unwrap();
    }
}

#[test]
fn as_many_files_as_there_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for hour in 0..FILES {
        source(&folder.path().join(format!("in/{hour:03}.nc")), hour);
    }
    // Few limits leave none for HDF5 at the same place: which files are open at a moment is chance.
    for limit in [16, 20, 24, 32, 64] {
        let out = folder.path().join(format!("out{limit}.nc"));
        // A shell sets the limit of the command it becomes.
        let done = Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", "ulimit -n $0 && exec \"$@\"", &limit.to_string()])
            .arg(env!("CARGO_BIN_EXE_regrid"))
            .args(["in", "--lat=0", "--lon=5,15", "--quiet", "-j", "4", "-o"])
            .arg(&out)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{limit} descriptors: {said}");
        let file = netcdf::open(&out).unwrap();
        for name in ["t", "u"] {
            let values: Vec<f32> = file.variable(name).unwrap().get_values(..).unwrap();
            let wanted = (0..FILES).flat_map(|hour| [hour as f32; 2]);
            assert!(values.into_iter().eq(wanted), "{limit} descriptors: {name}");
        }
    }
}
