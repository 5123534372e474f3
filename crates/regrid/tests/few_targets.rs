//! Few targets on a large source: what a task takes of it stays within the memory, however the source is stored.

mod sources;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::{Catalogue, Explanation, Field, Grid, LazyField, Method, Request, SourceFile, Values};
use sources::{MemoryFile, steps};

const STEPS: usize = 60;
const ROWS: usize = 120;
const COLUMNS: usize = 240;
const BYTES: u64 = (STEPS * ROWS * COLUMNS * size_of::<f32>()) as u64;

/// A field with its dimensions in some order, in storage chunks of a shape or in one stretch.
fn catalogue(dimensions: &[&str], chunk: Option<&[usize]>) -> Catalogue {
    let len = |name: &&str| match *name {
        "time" => STEPS,
        "lat" => ROWS,
        _ => COLUMNS,
    };
    let shape: Vec<usize> = dimensions.iter().map(len).collect();
    let values = (0..STEPS * ROWS * COLUMNS).map(|i| ((i % 977) as f32).sqrt());
    let values = ArrayD::from_shape_vec(IxDyn(&shape), values.collect()).unwrap();
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &steps(-89.25, 1.5, ROWS))
        .with_axis("lon", "degrees_east", &steps(0.75, 1.5, COLUMNS))
        .with_axis("time", "hours since 2000-01-01", &steps(0.0, 1.0, STEPS))
        .with("t", dimensions, Values::F32(values), chunk, &[]);
    Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap()
}

fn field(catalogue: &Catalogue, request: &Request) -> LazyField {
    request.build(catalogue).unwrap().remove(0)
}

fn computed(field: &LazyField) -> Field {
    field.compute().unwrap()
}

#[test]
fn a_task_takes_no_more_of_the_source_than_the_memory_has_room_for() {
    let point = Grid::listed("50 10\n").unwrap();
    let coarse = Grid::named("r12x6").unwrap();
    let layouts: [(&[&str], Option<&[usize]>); 4] = [
        (&["time", "lat", "lon"], Some(&[1, ROWS, COLUMNS])),
        (&["time", "lat", "lon"], Some(&[STEPS, 10, 10])),
        (&["lat", "lon", "time"], Some(&[10, 10, STEPS / 2])),
        (&["lat", "lon", "time"], None),
    ];
    for (dimensions, chunk) in layouts {
        let catalogue = catalogue(dimensions, chunk);
        for (target, method) in [
            (&point, Method::Linear),
            (&coarse, Method::AreaWeighted),
            (&coarse, Method::Median),
        ] {
            let request = Request::new(target).method(method).threads(2);
            let memory = BYTES / 3 * 2;
            let within = field(&catalogue, &request.clone().memory(memory));
            let known = Explanation::of(std::slice::from_ref(&within));
            let said = format!("{dimensions:?} {chunk:?} {method:?}: {known:?}");
            assert!(known.memory_bytes <= memory, "{said}");
            assert_eq!(computed(&within), computed(&field(&catalogue, &request)));
        }
    }
    let large = catalogue(&["time", "lat", "lon"], Some(&[STEPS, ROWS, COLUMNS]));
    let request = Request::new(&point).memory(BYTES / 2);
    let known = Explanation::of(&[field(&large, &request)]);
    assert!(known.memory_bytes > BYTES / 2, "{known:?}");
}

/// Levels and times in storage chunks of a shape, in single precision.
fn levels(files: &[(usize, [usize; 4])]) -> Catalogue {
    const LEVELS: usize = 12;
    let mut start = 0;
    let file = |(i, (times, chunk)): (usize, &(usize, [usize; 4]))| {
        let shape = [*times, LEVELS, 60, 120];
        let cells = shape.iter().product::<usize>();
        let values = (0..cells).map(|i| ((i % 977) as f32).sqrt()).collect();
        let values = ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap();
        let first = start as f64;
        start += times;
        let file = MemoryFile::new(&format!("{i}.nc"))
            .with_axis("lat", "degrees_north", &steps(-88.5, 3.0, 60))
            .with_axis("lon", "degrees_east", &steps(1.5, 3.0, 120))
            .with_axis("lev", "hPa", &steps(10.0, 10.0, LEVELS))
            .with_axis("time", "hours since 2000-01-01", &steps(first, 1.0, *times))
            .with(
                "t",
                &["time", "lev", "lat", "lon"],
                Values::F32(values),
                Some(chunk),
                &[],
            );
        Arc::new(file) as Arc<dyn SourceFile>
    };
    Catalogue::from_files(files.iter().enumerate().map(file).collect()).unwrap()
}

#[test]
fn levels_are_taken_one_by_one_where_times_are_stored_together() {
    let catalogue = levels(&[(40, [40, 1, 30, 30])]);
    let target = Grid::named("r12x6").unwrap();
    let request = Request::new(&target)
        .method(Method::AreaWeighted)
        .threads(2);
    let memory = 10 << 20;
    let within = field(&catalogue, &request.clone().memory(memory));
    let known = Explanation::of(std::slice::from_ref(&within));
    assert!(known.memory_bytes <= memory, "{known:?}");
    assert_eq!(within.chunk_shape()[..2], [40, 2]);
    assert_eq!(computed(&within), computed(&field(&catalogue, &request)));
}

#[test]
fn the_longest_storage_chunk_of_all_files_counts() {
    let catalogue = levels(&[(1, [1, 1, 30, 30]), (39, [39, 1, 30, 30])]);
    let target = Grid::named("r12x6").unwrap();
    let request = Request::new(&target).threads(2);
    let memory = 12 << 20;
    let within = field(&catalogue, &request.clone().memory(memory));
    let known = Explanation::of(std::slice::from_ref(&within));
    assert!(known.memory_bytes <= memory, "{known:?}");
    assert_eq!(computed(&within), computed(&field(&catalogue, &request)));
}

/// Storage chunks that are long in time, under targets that are many: chunks become narrow and as long, not slivers.
#[test]
fn chunks_of_many_targets_grow_along_what_is_stored_together() {
    let catalogue = catalogue(&["time", "lat", "lon"], Some(&[STEPS, 20, 10]));
    let target = Grid::regular(-89.0..=89.0, 1.0, 0.0..=359.0, 1.0).unwrap();
    let request = Request::new(&target).method(Method::Nearest).threads(2);
    let within = field(&catalogue, &request.clone().memory(1 << 20));
    let shape = within.chunk_shape();
    assert!(shape[0] > 1 && shape[2] < 360, "{shape:?}");
    assert!(shape.iter().product::<usize>() >= 1 << 12, "{shape:?}");
    assert_eq!(computed(&within), computed(&field(&catalogue, &request)));
}
