//! How long does it take from file to file, on one thread and on two, beside a plain loop with the netCDF library?
//!
//! The source is made for the purpose: 24 steps of 361 x 720 cells, float32, deflate 1 with shuffle, one step a chunk; the
//! target has 241 x 480 cells, deflated likewise. The plain loop reads, weighs and writes one step after another.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use benches::answers::compare;
use benches::memory::{FIELD, MemoryFile};
use benches::plain::PlainLoops;
use benches::stopwatch::time;
use delayed::Run;
use regrid::{Catalogue, Grid, Method, Request, Write};

const STEPS: usize = 24;
const RUNS: usize = 5;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (input, output, plain) = (
        folder.path().join("in.nc"),
        folder.path().join("out.nc"),
        folder.path().join("plain.nc"),
    );
    let source = Grid::regular(-90.0..=90.0, 0.5, 0.0..=359.5, 0.5)?;
    let target = Grid::regular(-90.0..=90.0, 0.75, 0.0..=359.25, 0.75)?;
    make_source(&source, &input)?;
    let (rows, columns) = target.shape();
    let bytes = STEPS * rows * columns * size_of::<f32>();

    regrid_file(&input, &output, &target, 2)?;
    let plain_loops = PlainLoops::new(&source, &target);
    plain_file(&input, &plain, &plain_loops, (rows, columns))?;
    // Rounded once from doubles that differ in the last bits.
    compare("the file", &values(&output)?, &values(&plain)?, 1)?;

    println!(
        "linear, {STEPS} x 361 x 720 to {STEPS} x {rows} x {columns}, deflate 1, median of {RUNS} runs (fastest to slowest)"
    );
    for threads in [1, 2] {
        let name = format!("regrid, threads: {threads}");
        time(&name, RUNS, bytes, || {
            regrid_file(&input, &output, &target, threads).expect("it ran before")
        });
    }
    time("plain loop, netCDF library", RUNS, bytes, || {
        plain_file(&input, &plain, &plain_loops, (rows, columns)).expect("it ran before");
    });
    Ok(())
}

/// Writes the made field as it is: onto its own grid.
fn make_source(grid: &Grid, path: &Path) -> anyhow::Result<()> {
    let files = Catalogue::from_files(vec![Arc::new(MemoryFile::new(STEPS, grid))])?;
    let fields = Request::new(grid)
        .params([FIELD])
        .method(Method::Nearest)
        .build(&files)?;
    ensure!(
        fields[0].chunk_shape() == [1, 361, 720],
        "one step a chunk, got {:?}",
        fields[0].chunk_shape()
    );
    Ok(regrid::write(path, &fields)?)
}

fn regrid_file(input: &Path, output: &Path, target: &Grid, threads: usize) -> anyhow::Result<()> {
    let files = Catalogue::open([input])?;
    let fields = Request::new(target).params([FIELD]).build(&files)?;
    Ok(Write::new(output)
        .overwrite(true)
        .plan(&fields)?
        .run(&Run::new().threads(threads))?)
}

fn plain_file(
    input: &Path,
    output: &Path,
    plain: &PlainLoops,
    (rows, columns): (usize, usize),
) -> anyhow::Result<()> {
    let from = netcdf::open(input)?;
    let from = from.variable(FIELD).context("the field is in the source")?;
    let mut to = netcdf::create(output)?;
    for (name, len) in [("time", STEPS), ("latitude", rows), ("longitude", columns)] {
        to.add_dimension(name, len)?;
    }
    let mut to = to.add_variable::<f32>(FIELD, &["time", "latitude", "longitude"])?;
    to.set_chunking(&[1, rows, columns])?;
    to.set_compression(1, true)?;
    let mut plane = vec![0.0; rows * columns];
    for step in 0..STEPS {
        let source: Vec<f32> = from.get_values((step, .., ..))?;
        plain.linear(&source, &mut plane);
        to.put_values(&plane, (step, .., ..))?;
    }
    Ok(())
}

fn values(path: &Path) -> anyhow::Result<Vec<f32>> {
    let file = netcdf::open(path)?;
    Ok(file
        .variable(FIELD)
        .context("the field is in the output")?
        .get_values(..)?)
}
