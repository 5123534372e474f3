//! Runs share their buffers: several at once, after one another and after one that failed, each gives what it gives alone.

mod sources;

use std::path::Path;
use std::sync::Arc;
use std::thread;

use delayed::Run;
use ndarray::{ArrayD, IxDyn};
use regrid::{Catalogue, Grid, LazyField, Method, Request, SourceFile, Values, Write};
use sources::{MemoryFile, steps};

const STEPS: usize = 24;

fn fields() -> Vec<LazyField> {
    let shape = IxDyn(&[STEPS, 180, 360]);
    let value = |i: usize| (i * 7919 % 10_007) as f32;
    let values: Vec<f32> = (0..STEPS * 180 * 360).map(value).collect();
    let values = ArrayD::from_shape_vec(shape, values).unwrap();
    let file = MemoryFile::new("a.nc")
        .with_axis("time", "days since 2000-01-01", &steps(0.0, 1.0, STEPS))
        .with_axis("lat", "degrees_north", &steps(-89.5, 1.0, 180))
        .with_axis("lon", "degrees_east", &steps(0.5, 1.0, 360))
        .with("t", &["time", "lat", "lon"], Values::F32(values), None, &[]);
    let catalogue = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap();
    Request::new(&Grid::global(0.8).unwrap())
        .method(Method::AreaWeighted)
        .threads(2)
        .build(&catalogue)
        .unwrap()
}

fn written(path: &Path, run: &Run) -> Result<Vec<f32>, regrid::Error> {
    Write::new(path).plan(&fields())?.run(run)?;
    let file = netcdf::open(path).unwrap();
    Ok(file.variable("t").unwrap().get_values(..).unwrap())
}

#[test]
fn each_gives_what_it_gives_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = Run::new().threads(2);
    let alone = written(&path("alone.nc"), &run.clone().threads(1)).unwrap();
    assert!(alone.iter().any(|x| *x > 0.0));
    // None of its tasks has room.
    assert!(written(&path("refused.nc"), &run.clone().memory_limit(1)).is_err());
    assert!(!path("refused.nc").exists());
    for round in 0..3 {
        thread::scope(|scope| {
            let write = |n: usize| {
                let path = path(&format!("{round}-{n}.nc"));
                let run = run.clone();
                scope.spawn(move || written(&path, &run).unwrap())
            };
            let all: Vec<_> = (0..3).map(write).collect();
            for one in all {
                assert!(one.join().unwrap() == alone);
            }
        });
    }
}
