//! Where do the tasks go: on the whole parameter, or on its chunks?
//!
//! In 2017 the Met Office Informatics Lab wrote about regridding forecasts with Dask delayed. A parameter is regridded by a
//! function that keeps house (`regrid_a_param`: find the files, make the template grid, cut it into chunks, loop, rejoin)
//! and one that works (`regrid_a_chunk`). This example tells the story again, in Rust and with real fields: the first
//! attempt delays the housekeeping and hides the chunks in it, the second delays the work alone; then the library
//! does the same and a bit more.
//!
//! `cargo run --release --example dicing`

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use delayed::{Delayed, Graph, Run, Scheduler, apply, try_delayed};
use ndarray::{Array3, Ix3, s};
use regrid::{Catalogue, Grid, Request, SourceVariable, Write, cuts};

const SEASON: &str = "examples/data/season";
const PARAMS: [&str; 3] = [
    "surface_temperature",
    "surface_temperature_spread",
    "surface_upwelling_longwave_flux",
];
const CHUNK: (usize, usize) = (120, 240);

/// A parameter on the target grid: (time, lat, lon).
type Param = Array3<f32>;

/// A part of the template grid: which rows and columns, and the points there.
#[derive(Clone)]
struct Part {
    rows: Range<usize>,
    columns: Range<usize>,
    grid: Grid,
}

/// A part with its values.
struct Chunk {
    part: Part,
    values: Array3<f32>,
}

fn main() -> anyhow::Result<()> {
    let files = Catalogue::open([SEASON]).context("run this from the top of the repository")?;
    let files = Arc::new(files);
    let out = examples::output_folder("dicing")?;

    println!(
        "Attempt one: delay regrid_a_param. Tasks are parameters; their chunks are hidden inside."
    );
    let one = attempt_one(&files);
    show(&Graph::of(&one), &out.join("attempt_one.dot"))?;
    let params = compute(&one)?;
    println!("  Three tasks that do not depend on each other: no more than three cores have work,");
    println!("  and nothing tells how much of it there is.\n");

    println!(
        "Attempt two: call it at once, delay regrid_a_chunk. Parameters and chunks are in the graph."
    );
    let two = attempt_two(&files)?;
    show(&Graph::of(&two), &out.join("attempt_two.dot"))?;
    ensure!(compute(&two)? == params, "the two attempts differ");
    println!("  The same numbers, bit for bit.\n");

    println!(
        "The library: the same plan; chunks share what is read, and each is written once it is done."
    );
    write_with_the_library(&files, &out)
}

/// Delays the whole of `regrid_a_param`.
fn attempt_one(files: &Arc<Catalogue>) -> Vec<Delayed<Param>> {
    let mut params = Vec::new();
    for name in PARAMS {
        let files = files.clone();
        let param = try_delayed(move || regrid_a_param(&files, name));
        params.push(param.named(format!("regrid_a_param {name}")).group(name));
    }
    params
}

/// The housekeeping with the work in it: a plain function.
fn regrid_a_param(files: &Catalogue, name: &str) -> anyhow::Result<Param> {
    let source = files.variable(name)?; // or an error, in the middle of the run
    let template = template()?;
    let mut chunks = Vec::new();
    for part in parts(&template)? {
        chunks.push(regrid_a_chunk(files, source, &part)?);
    }
    Ok(rejoin(&template, &chunks.iter().collect::<Vec<_>>()))
}

/// Delays `regrid_a_chunk` alone: the housekeeping is done when this returns.
fn attempt_two(files: &Arc<Catalogue>) -> anyhow::Result<Vec<Delayed<Param>>> {
    PARAMS
        .into_iter()
        .map(|name| plan_a_param(files, name))
        .collect()
}

/// The same housekeeping, line by line, but the work is delayed: a function that gives a graph.
///
/// What was a `Chunk` is now a `Delayed<Chunk>`, and the compiler follows: `rejoin` wants chunks, so to call it with
/// delayed ones is a type error. It is delayed in its turn, and `apply` hands it what it wants.
fn plan_a_param(files: &Arc<Catalogue>, name: &'static str) -> anyhow::Result<Delayed<Param>> {
    let source = files.variable(name)?.clone(); // or an error, before anything runs
    let template = template()?;
    let mut chunks: Vec<Delayed<Chunk>> = Vec::new();
    for part in parts(&template)? {
        let label = format!("regrid_a_chunk {:?} {:?}", part.rows, part.columns);
        let (files, source) = (files.clone(), source.clone());
        let chunk = try_delayed(move || regrid_a_chunk(&files, &source, &part));
        chunks.push(chunk.named(label).group(name));
    }
    // rejoin(&template, &chunks)
    //                   ^^^^^^^ expected `&[&Chunk]`, found `&Vec<Delayed<Chunk>>`
    let whole = apply(chunks, move |chunks| rejoin(&template, &chunks));
    Ok(whole.named(format!("rejoin {name}")).group(name))
}

/// What `Request` and `Write` make of the same story.
fn write_with_the_library(files: &Catalogue, out: &Path) -> anyhow::Result<()> {
    let file = out.join("season.nc");
    for threads in thread_counts() {
        let start = Instant::now();
        let (rows, columns) = CHUNK;
        let request = Request::new(&template()?)
            .params(PARAMS)
            .chunk(rows, columns);
        let plan = Write::new(&file)
            .overwrite(true)
            .plan(&request.build(files)?)?;
        if threads == 1 {
            show(&plan.graph()?, &out.join("library.dot"))?;
        }
        plan.run(&Run::new().threads(threads))?;
        say_time(threads, start.elapsed());
    }
    println!("  written, compressed: {}", file.display());
    Ok(())
}

/// The grid that all parameters are to be on.
fn template() -> Result<Grid, regrid::Error> {
    Grid::named("0.5")
}

/// The template cut into chunks.
fn parts(template: &Grid) -> Result<Vec<Part>, regrid::Error> {
    let (latitudes, longitudes) = template.axes().expect("a regular grid has axes");
    let (latitudes, longitudes) = (latitudes.centres(), longitudes.centres());
    let mut parts = Vec::new();
    for rows in cuts(latitudes.len(), CHUNK.0) {
        for columns in cuts(longitudes.len(), CHUNK.1) {
            let grid = Grid::from_axes(&latitudes[rows.clone()], &longitudes[columns.clone()])?;
            parts.push(Part {
                rows: rows.clone(),
                columns,
                grid,
            });
        }
    }
    Ok(parts)
}

/// The work: reads what one chunk needs and regrids it, on the thread that it is called on.
fn regrid_a_chunk(
    files: &Catalogue,
    source: &SourceVariable,
    part: &Part,
) -> anyhow::Result<Chunk> {
    let fields = Request::new(&part.grid)
        .params([source.name()])
        .build(files)?;
    let field = Run::new()
        .scheduler(Scheduler::Sequential)
        .compute(fields[0].whole())?;
    let values = field
        .values
        .as_array::<f32>()
        .context("the fields are 32-bit floats")?;
    Ok(Chunk {
        part: part.clone(),
        values: values.into_dimensionality::<Ix3>()?.to_owned(),
    })
}

/// The chunks in their places.
fn rejoin(template: &Grid, chunks: &[&Chunk]) -> Param {
    let times = chunks.first().map_or(0, |chunk| chunk.values.dim().0);
    let (rows, columns) = template.shape();
    let mut whole = Array3::from_elem((times, rows, columns), f32::NAN);
    for Chunk { part, values } in chunks {
        whole
            .slice_mut(s![.., part.rows.clone(), part.columns.clone()])
            .assign(values);
    }
    whole
}

/// Computes the parameters on one thread and on all, and says how long each took.
fn compute(params: &[Delayed<Param>]) -> anyhow::Result<Vec<Param>> {
    let mut values = Vec::new();
    for threads in thread_counts() {
        let start = Instant::now();
        values = Run::new().threads(threads).compute(params)?;
        say_time(threads, start.elapsed());
    }
    Ok(values)
}

/// One thread, and one for each core if there are several.
fn thread_counts() -> Vec<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores > 1 { vec![1, cores] } else { vec![1] }
}

fn say_time(threads: usize, time: Duration) {
    let noun = if threads == 1 { "thread" } else { "threads" };
    println!("  {threads} {noun}: {:.2} s", time.as_secs_f64());
}

/// Prints a graph's measures and writes its picture.
fn show(graph: &Graph, path: &Path) -> anyhow::Result<()> {
    let (depth, width) = depth_and_width(graph);
    println!(
        "  {} tasks, {} dependencies, {depth} deep, {width} wide",
        graph.tasks(),
        graph.dependencies_count()
    );
    graph.write_dot(path)?;
    println!("  picture: {}", path.display());
    Ok(())
}

/// Tasks on the longest chain, and the most that stand at the same distance from the start.
fn depth_and_width(graph: &Graph) -> (usize, usize) {
    let mut levels = vec![0; graph.len()];
    let mut tasks_at = vec![0; graph.len() + 1];
    for id in graph.order() {
        let before = graph.dependencies(id).map(|d| levels[d.index()]).max();
        levels[id.index()] = before.map_or(1, |level: usize| level + 1);
        tasks_at[levels[id.index()]] += 1;
    }
    let depth = levels.into_iter().max().unwrap_or(0);
    (depth, tasks_at.into_iter().max().unwrap_or(0))
}
