//! The five jobs of the design in memory, weights ready: ours beside plain loops in C and a sparse product, on one and on two threads.
//!
//! ```text
//! cargo bench -p benches --bench jobs [-- JOB...] [--runs N]
//! ```
//! J1: 120 x 721 x 1440 to 361 x 720 linear. J2: 24 x 600 x 800 to 1000 x 1000, 0.1 degree, linear. J3: J1 area-weighted.
//! J4: J1 nearest. J5: J1 with 30 % missing. 32-bit floats, but for J1 in double precision and J1 packed, 16-bit integers that are read
//! out of a file in memory, chunk by chunk. Then J1 and J3 where a few rows hold missing values, and J3 with 30 % missing.
//!
//! The plain loops are those of `src/plain.c`, with weights of their own: rows first, and cell by cell where they are linear. The sparse
//! product goes through our weights from cell to cell, as tools do that keep one matrix. All write to buffers used before, but
//! for those that are called fresh. Whole planes are shared out among threads. Every answer is compared with ours before the clock runs.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, ensure};
use benches::answers::{Float, compare};
use benches::memory::{FIELD, MemoryFile, pack, weather};
use benches::plain::{Packing, PlainLoops, Stored};
use benches::stopwatch::in_turns;
use delayed::Run;
use regrid::{
    Catalogue, Edges, Grid, LazyField, Method, RegridFloat, Regridder, Request, SparseWeights,
    Weights,
};

/// The half-hundredths of a kelvin that reanalyses are packed with, more or less.
const PACKING: Packing = Packing {
    factor: 0.005,
    offset: 270.0,
    missing: -32767,
};

/// Where the source is missing.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Nowhere,
    /// In one row of 48.
    FewRows,
    /// In 30 % of all cells, in stretches, as land is.
    Land,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    F32,
    F64,
    Packed,
}

struct Job {
    name: &'static str,
    steps: usize,
    source: Grid,
    target: Grid,
    method: Method,
    missing: Missing,
    values: Type,
    runs: usize,
}

/// Fills targets from sources, whole planes of both.
type Work<'a, S, T> = dyn Fn(&[S], &mut [T]) + Sync + 'a;

/// Who else does the job: what it is called, how, and by how many units in the last place it may differ.
struct Rival<'a, S, T> {
    name: &'static str,
    work: Box<Work<'a, S, T>>,
    most: u64,
}

fn main() -> anyhow::Result<()> {
    let mut only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let mut runs = 9;
    if let Some(at) = only.iter().position(|a| a == "--runs") {
        runs = only.get(at + 1).context("a number")?.parse()?;
        only.drain(at..=at + 1);
    }
    let globe = Grid::regular(-90.0..=90.0, 0.25, 0.0..=359.75, 0.25)?;
    let half = Grid::named("r720x361")?;
    let job = |name, method, missing, values| Job {
        name,
        steps: 120,
        source: globe.clone(),
        target: half.clone(),
        method,
        missing,
        values,
        runs,
    };
    use Missing::{FewRows, Land, Nowhere};
    use Type::{F32, F64, Packed};
    let jobs = [
        job("J1", Method::Linear, Nowhere, F32),
        Job {
            steps: 24,
            source: Grid::regular(-30.0..=89.8, 0.2, 0.0..=159.8, 0.2)?,
            target: Grid::regular(-20.05..=79.85, 0.1, 20.05..=119.95, 0.1)?,
            ..job("J2", Method::Linear, Nowhere, F32)
        },
        job("J3", Method::AreaWeighted, Nowhere, F32),
        job("J4", Method::Nearest, Nowhere, F32),
        job("J5", Method::Linear, Land, F32),
        job("J1, double precision", Method::Linear, Nowhere, F64),
        job("J1, packed", Method::Linear, Nowhere, Packed),
        job("J1, a few rows missing", Method::Linear, FewRows, F32),
        job("J3, a few rows missing", Method::AreaWeighted, FewRows, F32),
        job("J3, 30 % missing", Method::AreaWeighted, Land, F32),
    ];
    println!(
        "Milliseconds, median of {runs} in turns (fastest); differences in units of the last place\n"
    );
    for job in jobs
        .iter()
        .filter(|j| only.is_empty() || only.iter().any(|o| j.name.contains(o.as_str())))
    {
        run(job)?;
    }
    Ok(())
}

fn run(job: &Job) -> anyhow::Result<()> {
    let mut field = weather(job.steps, &job.source);
    let (rows, columns) = job.source.shape();
    for (i, x) in field.iter_mut().enumerate() {
        let gone = match job.missing {
            Missing::Nowhere => false,
            Missing::FewRows => (i / columns) % rows % 48 == 24 && (i / 37) % 10 < 3,
            Missing::Land => (i / 37) % 10 < 3,
        };
        if gone {
            *x = f32::NAN;
        }
    }
    match job.values {
        Type::F32 => run_floats(job, &field, |sum| sum as f32),
        Type::F64 => {
            // Numbers that need double precision.
            let field: Vec<f64> = field.iter().map(|&x| f64::from(x) / 3.0).collect();
            run_floats(job, &field, |sum| sum)
        }
        Type::Packed => run_packed(job, &pack(&field, PACKING)),
    }
}

/// Something that there are plain loops for that are not linear.
trait Loops: Sized {
    fn loops<'a>(job: &Job, plain: &'a PlainLoops) -> Vec<Rival<'a, Self, Self>>;
}

impl Loops for f32 {
    fn loops<'a>(job: &Job, plain: &'a PlainLoops) -> Vec<Rival<'a, f32, f32>> {
        let area: fn(&PlainLoops, &[f32], &mut [f32]) = match job.missing {
            Missing::Nowhere => PlainLoops::area,
            _ => PlainLoops::area_missing,
        };
        match job.method {
            Method::Nearest => vec![rival("C loops", 0, |s, t| plain.nearest(s, t))],
            Method::AreaWeighted => vec![rival("C loops", 1, move |s, t| area(plain, s, t))],
            _ => linear(plain, 1),
        }
    }
}

impl Loops for f64 {
    fn loops<'a>(_: &Job, plain: &'a PlainLoops) -> Vec<Rival<'a, f64, f64>> {
        // Four products and three sums, each of which may round otherwise.
        linear(plain, 8)
    }
}

fn rival<'a, S, T>(
    name: &'static str,
    most: u64,
    work: impl Fn(&[S], &mut [T]) + Sync + 'a,
) -> Rival<'a, S, T> {
    let work = Box::new(work);
    Rival { name, work, most }
}

/// The two ways to write a linear loop.
fn linear<S: Stored>(plain: &PlainLoops, most: u64) -> Vec<Rival<'_, S, S::Result>> {
    vec![
        rival("C loops", most, |s, t| plain.linear(s, t)),
        rival("C by cell", most, |s, t| plain.by_cell(s, t)),
    ]
}

fn run_floats<T>(job: &Job, field: &[T], round: fn(f64) -> T) -> anyhow::Result<()>
where
    T: RegridFloat + Loops + Float + Default + Into<f64> + Send + Sync,
{
    let plain = PlainLoops::new(&job.source, &job.target);
    let between = Weights::between(&job.source, &job.target, job.method, Edges::default())?;
    let matrix = between.matrix();
    let plane = cells(&job.source);
    let targets = cells(&job.target);
    let renormalised = job.method == Method::AreaWeighted && job.missing != Missing::Nowhere;
    let mut rivals = T::loops(job, &plain);
    let most = rivals[0].most;
    rivals.push(rival("sparse product", most, |source: &[T], target| {
        for (source, target) in source
            .chunks_exact(plane)
            .zip(target.chunks_exact_mut(targets))
        {
            match renormalised {
                false => product(&matrix, source, target, round),
                true => product_of_valid(&matrix, source, target, round),
            }
        }
    }));
    let regridder = Regridder::new(&job.source, &job.target, job.method)?;
    let mut ours = vec![T::default(); job.steps * targets];
    let mut theirs = ours.clone();

    regridder.apply_to(field, &mut ours)?;
    let missing = ours.iter().filter(|x| x.is_missing()).count();
    let whole = match job.missing {
        Missing::Nowhere => true,
        // The rows beside them make up for them.
        Missing::FewRows => job.method == Method::AreaWeighted,
        Missing::Land => false,
    };
    ensure!(
        (missing == 0) == whole,
        "{}: {missing} of {} targets are missing",
        job.name,
        ours.len()
    );
    print!("{}: ", job.name);
    theirs.fill(T::default());
    regridder.clone().threads(2).apply_to(field, &mut theirs)?;
    compare("two threads", &theirs, &ours, 0)?;
    for rival in &rivals {
        agree(rival, field, plane, &ours, &mut theirs, targets)?;
    }
    println!("{missing} of {} targets missing\n", ours.len());

    for threads in [1, 2] {
        let regridder = regridder.clone().threads(threads);
        let (own, shared) = (&mut ours, RefCell::new(&mut theirs));
        let mut names = vec!["ours"];
        let mut works: Vec<Box<dyn FnMut()>> = vec![Box::new(|| {
            regridder
                .apply_to(black_box(field), own)
                .expect("the shapes fit");
        })];
        for rival in &rivals {
            names.push(rival.name);
            let shared = &shared;
            works.push(Box::new(move || {
                let target = &mut shared.borrow_mut()[..];
                on_threads(
                    threads,
                    black_box(field),
                    plane,
                    target,
                    targets,
                    &rival.work,
                );
            }));
        }
        names.push("ours, fresh");
        works.push(Box::new(|| {
            let mut target = vec![T::default(); job.steps * targets];
            regridder
                .apply_to(black_box(field), &mut target)
                .expect("the shapes fit");
            drop(black_box(target));
        }));
        names.push("C loops, fresh");
        works.push(Box::new(|| {
            let mut target = vec![T::default(); job.steps * targets];
            let field = black_box(field);
            on_threads(threads, field, plane, &mut target, targets, &rivals[0].work);
            drop(black_box(target));
        }));
        report(job, threads, &names, &mut works);
    }
    println!();
    Ok(())
}

/// Packed values come out of files: each chunk is copied out of memory, unpacked, regridded and dropped, as in a run.
fn run_packed(job: &Job, field: &[i16]) -> anyhow::Result<()> {
    let plain = PlainLoops::new(&job.source, &job.target).packing(PACKING);
    let (plane, targets) = (cells(&job.source), cells(&job.target));
    let file = Arc::new(MemoryFile::packed(job.steps, &job.source, PACKING));
    let files = Catalogue::from_files(vec![file])?;
    let fields = Request::new(&job.target)
        .params([FIELD])
        .method(job.method)
        .build(&files)?;
    // Unpacked in single precision, which a fused product does not round.
    let rivals: Vec<Rival<'_, i16, f32>> = linear(&plain, 2);
    let ours = values(&fields[0], targets)?;
    let mut theirs = vec![0.0_f32; job.steps * targets];
    print!("{}: ", job.name);
    for rival in &rivals {
        agree(rival, field, plane, &ours, &mut theirs, targets)?;
    }
    println!("chunks of {:?}\n", fields[0].chunk_shape());
    let theirs = RefCell::new(theirs);
    for threads in [1, 2] {
        let run = Run::new().threads(threads);
        let mut names = vec!["ours, with its run"];
        let mut works: Vec<Box<dyn FnMut()>> = vec![Box::new(|| {
            let chunks = fields[0].chunks().iter();
            let lengths: Vec<_> = chunks
                .map(|(_, chunk)| chunk.clone().map(|values| values.shape().len()))
                .collect();
            black_box(run.compute(lengths).expect("it ran before"));
        })];
        for rival in &rivals {
            names.push(rival.name);
            works.push(Box::new(|| {
                let target = &mut theirs.borrow_mut()[..];
                on_threads(
                    threads,
                    black_box(field),
                    plane,
                    target,
                    targets,
                    &rival.work,
                );
            }));
        }
        names.push("C loops, fresh");
        works.push(Box::new(|| {
            let mut target = vec![0.0; job.steps * targets];
            let field = black_box(field);
            on_threads(threads, field, plane, &mut target, targets, &rivals[0].work);
            drop(black_box(target));
        }));
        report(job, threads, &names, &mut works);
    }
    println!();
    Ok(())
}

/// A field's values, plane after plane; its chunks are whole planes.
fn values(field: &LazyField, targets: usize) -> anyhow::Result<Vec<f32>> {
    let mut all = Vec::new();
    for (region, chunk) in field.chunks() {
        let values = Run::new().threads(1).compute(chunk)?;
        let values = values.as_array::<f32>().context("32-bit floats")?;
        ensure!(
            region.ranges()[0].start * targets == all.len() && values.len() % targets == 0,
            "whole planes, one after another"
        );
        all.extend(values.iter());
    }
    Ok(all)
}

/// Compares a rival's answer with ours, on one thread and on two.
fn agree<S: Sync, T: Float + Default + Send>(
    rival: &Rival<'_, S, T>,
    field: &[S],
    plane: usize,
    ours: &[T],
    theirs: &mut [T],
    targets: usize,
) -> anyhow::Result<()> {
    for threads in [1, 2] {
        // Nobody is to pass by what another one left.
        theirs.fill(T::default());
        on_threads(threads, field, plane, theirs, targets, &rival.work);
        let apart = compare(rival.name, theirs, ours, rival.most)?;
        if threads == 1 {
            print!("{} {apart} apart, ", rival.name);
        }
    }
    Ok(())
}

/// Times all in turns and prints a row, with a head above the first.
fn report(job: &Job, threads: usize, names: &[&str], works: &mut [Box<dyn FnMut() + '_>]) {
    let times = in_turns(job.runs, works);
    if threads == 1 {
        println!(
            "| job | threads | {} | ours / the faster C |",
            names.join(" | ")
        );
        println!("{}|", "| --- ".repeat(names.len() + 3));
    }
    print!("| {} | {threads} |", job.name);
    for [median, fastest] in &times {
        let [median, fastest] = [median, fastest].map(|time| time.as_secs_f64() * 1e3);
        print!(" {median:.0} ({fastest:.0}) |");
    }
    let in_c = names.iter().zip(&times);
    let in_c = in_c.filter(|(name, _)| name.starts_with("C ") && !name.ends_with("fresh"));
    let ratio = |which: usize| {
        let best = in_c.clone().map(|(_, time)| time[which]).min();
        times[0][which].as_secs_f64() / best.expect("there are C loops").as_secs_f64()
    };
    println!(" {:.2} ({:.2}) |", ratio(0), ratio(1));
}

fn cells(grid: &Grid) -> usize {
    let (rows, columns) = grid.shape();
    rows * columns
}

/// Shares whole planes out among threads.
fn on_threads<S: Sync, T: Send>(
    threads: usize,
    source: &[S],
    plane: usize,
    target: &mut [T],
    targets: usize,
    work: &(impl Fn(&[S], &mut [T]) + Sync + ?Sized),
) {
    let planes = (source.len() / plane).div_ceil(threads);
    std::thread::scope(|scope| {
        for (source, target) in source
            .chunks(planes * plane)
            .zip(target.chunks_mut(planes * targets))
        {
            scope.spawn(move || work(source, target));
        }
    });
}

/// The product of the matrix from cell to cell with one plane.
fn product<T: Copy + Into<f64>>(
    matrix: &SparseWeights,
    plane: &[T],
    out: &mut [T],
    round: fn(f64) -> T,
) {
    for (target, out) in out.iter_mut().enumerate() {
        let row = matrix.row(target).iter();
        *out = round(row.map(|(cell, weight)| weight * plane[cell].into()).sum());
    }
}

/// The same over the cells that are not missing, divided by their weight.
fn product_of_valid<T: Copy + Into<f64>>(
    matrix: &SparseWeights,
    plane: &[T],
    out: &mut [T],
    round: fn(f64) -> T,
) {
    for (target, out) in out.iter_mut().enumerate() {
        let (mut sum, mut all) = (0.0, 0.0);
        for (cell, weight) in matrix.row(target).iter() {
            let x: f64 = plane[cell].into();
            if !x.is_nan() {
                sum += weight * x;
                all += weight;
            }
        }
        *out = round(sum / all);
    }
}
