//! An output that is complete has its name only once it is told to appear, and is gone if it is not.

mod sources;

use std::sync::Arc;

use delayed::Run;
use ndarray::{ArrayD, IxDyn};
use regrid::{Catalogue, Grid, Request, SourceFile, Values, Write};
use sources::{MemoryFile, steps};

#[test]
fn a_complete_output_waits_for_its_name() {
    let values = ArrayD::from_elem(IxDyn(&[18, 36]), 1.5_f32);
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &steps(-85.0, 10.0, 18))
        .with_axis("lon", "degrees_east", &steps(5.0, 10.0, 36))
        .with("t", &["lat", "lon"], Values::F32(values), None, &[]);
    let catalogue = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap();
    let fields = Request::new(&Grid::global(5.0).unwrap()).build(&catalogue);
    let fields = fields.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.nc");
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    for appears in [false, true] {
        let planned = Write::new(&path).plan(&fields).unwrap();
        let temporary = planned.temporary_paths();
        let (_, output) = planned.complete(&Run::new(), |_| ()).unwrap();
        assert!(!path.exists());
        assert_eq!(output.temporary_paths(), temporary);
        assert!(temporary.iter().all(|path| path.exists()));
        match appears {
            true => output.appear().unwrap(),
            false => drop(output),
        }
        assert_eq!((path.exists(), names()), (appears, usize::from(appears)));
    }
    assert!(netcdf::open(&path).unwrap().variable("t").is_some());
}
