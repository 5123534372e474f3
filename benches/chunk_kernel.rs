//! How fast is one chunk regridded in memory, beside a plain loop over the same source?
//!
//! A chunk here is what a run makes of one: the source region copied out of memory, missing values marked, the window
//! gathered, weighed, and dropped. The plain loop does the weighing alone, into a buffer that is there already, so it is the
//! floor. Weights are ready on both sides. One thread.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Context;
use benches::answers::compare as same;
use benches::memory::{FIELD, MemoryFile};
use benches::plain::PlainLoops;
use benches::stopwatch::time;
use delayed::Run;
use regrid::{Catalogue, Grid, Method, Request};

const RUNS: usize = 20;

fn main() -> anyhow::Result<()> {
    println!(
        "one chunk of float32 from 361 x 720 cells, one thread, median of {RUNS} runs (fastest to slowest)"
    );
    for (rows, columns) in [(100, 100), (300, 600), (1000, 1000)] {
        for method in [Method::Linear, Method::Nearest] {
            compare(method, rows, columns)?;
        }
    }
    Ok(())
}

fn compare(method: Method, rows: usize, columns: usize) -> anyhow::Result<()> {
    let source = Grid::regular(-90.0..=90.0, 0.5, 0.0..=359.5, 0.5)?;
    let target = Grid::regular(
        -59.9..=60.0,
        119.9 / (rows - 1) as f64,
        20.1..=140.0,
        119.9 / (columns - 1) as f64,
    )?;
    let file = Arc::new(MemoryFile::new(1, &source));
    let (rows, columns) = target.shape();
    let bytes = rows * columns * size_of::<f32>();

    let files = Catalogue::from_files(vec![file.clone()])?;
    let fields = Request::new(&target)
        .params([FIELD])
        .method(method)
        .chunk(rows, columns)
        .build(&files)?;
    let [(_, chunk)] = fields[0].chunks() else {
        anyhow::bail!("one chunk was asked for");
    };
    let one = Run::new().threads(1);

    let plain = PlainLoops::new(&source, &target);
    let mut expected = vec![0.0; rows * columns];
    let by_hand = |out: &mut [f32]| match method {
        Method::Nearest => plain.nearest(file.field(), out),
        _ => plain.linear(file.field(), out),
    };
    by_hand(&mut expected);
    let values = one.compute(chunk)?;
    let got = values.as_array::<f32>().context("32-bit floats")?;
    // Rounded once from doubles that differ in the last bits.
    same(
        "the chunk",
        got.as_slice().context("row by row")?,
        &expected,
        1,
    )?;

    let name = format!("{} {rows} x {columns}", method.name());
    let ours = time(&name, RUNS, bytes, || {
        drop(black_box(one.compute(chunk).expect("it ran before")))
    });
    let floor = time(&format!("{name}, plain loop"), RUNS, bytes, || {
        by_hand(black_box(&mut expected))
    });
    println!(
        "{:<44} {:>9.1} times the plain loop",
        "",
        ours.as_secs_f64() / floor.as_secs_f64()
    );
    Ok(())
}
