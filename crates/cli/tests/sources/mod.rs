//! Source files made for one test.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use netcdf::Options;

/// Makes tests of one program run one after another, for as long as it is held.
///
/// A child process that one test starts inherits the HDF5 file that another one is writing, with its lock, and nobody can
/// open that file until the child has ended.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(dead_code, reason = "some tests make their own files")]
/// Writes `t(time, lat, lon)` on a global grid: values without a pattern, so that they do not compress.
pub(crate) fn noise(path: &Path, format: Options, steps: usize, rows: usize, columns: usize) {
    let in_chunks = format.contains(Options::NETCDF4);
    let mut file = netcdf::create_with(path, format).unwrap();
    let axes: [(&str, usize, &str, f64, f64); 3] = [
        ("time", steps, "hours since 2000-01-01", 0.0, 1.0),
        (
            "lat",
            rows,
            "degrees_north",
            -90.0 + 90.0 / rows as f64,
            180.0 / rows as f64,
        ),
        ("lon", columns, "degrees_east", 0.0, 360.0 / columns as f64),
    ];
    for (name, len, _, _, _) in axes {
        file.add_dimension(name, len).unwrap();
    }
    for (name, _, units, _, _) in axes {
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
    }
    let mut field = file
        .add_variable::<f32>("t", &["time", "lat", "lon"])
        .unwrap();
    if in_chunks {
        field.set_chunking(&[1, rows, columns]).unwrap();
    }
    // A classic file takes values only once all is defined.
    file.enddef().unwrap();
    for (name, len, _, first, step) in axes {
        let values: Vec<f64> = (0..len).map(|i| first + i as f64 * step).collect();
        let mut axis = file.variable_mut(name).unwrap();
        axis.put_values(&values, ..).unwrap();
    }
    // A linear congruential generator (Knuth's MMIX); its high bits are noise enough.
    let mut state = 1_u64;
    let values: Vec<f32> = (0..steps * rows * columns)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 65_536.0
        })
        .collect();
    let mut field = file.variable_mut("t").unwrap();
    field.put_values(&values, ..).unwrap();
}
