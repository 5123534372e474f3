//! How long does it take to plan, a chunk, from ten chunks to a million? Everything that happens before and after the work itself,
//! in microseconds of wall time a target chunk.
//!
//! ```text
//! cargo bench -p benches --bench planning [-- CASE...] [--most CHUNKS] [--repetitions N]
//! ```
//! Sources are hollow files: coordinates and nothing else, so that no time goes into a format's library. Each row is one case at about one
//! number of chunks. `open` is the catalogue, `build` the plan with the tasks that read and regrid, `write` the output file's definition
//! with the tasks that write, `freeze` numbers the tasks and makes a run ready, which is cancelled before its first task, and frees the tasks
//! that write; `drop` frees the rest. `sum` is all of these: what a run takes beside its work. `explain` is apart: what `--explain` does in the
//! place of `write` and `freeze`, the run played through on paper. Each figure is the fastest of some repetitions: what else the machine
//! does makes all slower. Weights that are a matrix are made before: they cost by the cell.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use benches::hollow::{HollowFile, HollowGrid};
use delayed::{CancelToken, Run};
use regrid::{Catalogue, Edges, Explanation, Grid, Method, Request, SourceFile, Weights, Write};

/// Rows and columns of a source.
const SOURCE: (usize, usize) = (36, 72);

/// A way to have many chunks.
#[derive(Clone, Copy)]
enum Cut {
    /// One chunk a step, of a quarter-degree grid.
    Times,
    /// One chunk a step, of a small grid, since memory is short.
    SmallTimes,
    /// One step, in chunks of 10 x 10 cells.
    Plane,
    /// A hundred chunks of 64 x 64 cells a step, since memory is short.
    Both,
}

struct Case {
    name: &'static str,
    fields: usize,
    files: usize,
    cut: Cut,
    grid: HollowGrid,
}

/// What a case is at about one number of chunks.
struct Job {
    files: Vec<Arc<dyn SourceFile>>,
    target: Grid,
    weights: Option<Weights>,
    chunk: Option<(usize, usize)>,
    memory: Option<u64>,
}

const PHASES: [&str; 6] = ["open", "build", "write", "freeze", "drop", "explain"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let number = |option: &str, usual: usize| -> anyhow::Result<usize> {
        match arguments.iter().position(|a| a == option) {
            Some(place) => Ok(arguments.get(place + 1).context("a number")?.parse()?),
            None => Ok(usual),
        }
    };
    let most = number("--most", 1_000_000)?;
    let repetitions = number("--repetitions", 5)?;
    let only = |case: &Case| arguments.iter().any(|a| a == case.name);

    let case = |name, fields, files, cut, grid| Case {
        name,
        fields,
        files,
        cut,
        grid,
    };
    let (axes, matrix) = (HollowGrid::Rectilinear, HollowGrid::Curvilinear);
    let cases = [
        case("times", 1, 1, Cut::Times, axes),
        case("times, 3 variables", 3, 1, Cut::Times, axes),
        case("times, 100 files", 1, 100, Cut::Times, axes),
        case("times, 3 variables, 100 files", 3, 100, Cut::Times, axes),
        case("plane", 1, 1, Cut::Plane, axes),
        case("plane and times", 1, 1, Cut::Both, axes),
        case("sparse, times", 1, 1, Cut::SmallTimes, matrix),
        case("sparse, plane and times", 1, 1, Cut::Both, matrix),
        case(
            "sparse, plane and times, 3 variables, 100 files",
            3,
            100,
            Cut::Both,
            matrix,
        ),
    ];
    println!("microseconds a chunk, fastest of {repetitions}");
    print!("{:<48} {:>9}", "", "chunks");
    for phase in &PHASES[..5] {
        print!(" {phase:>7}");
    }
    println!(" {:>7} {:>8}", "sum", PHASES[5]);
    let all = !cases.iter().any(only);
    for case in cases.iter().filter(|case| all || only(case)) {
        for exponent in 1..=6 {
            let chunks = 10_usize.pow(exponent);
            if chunks <= most
                && let Some(job) = case.job(chunks)?
            {
                report(case.name, &job, repetitions)?;
            }
        }
    }
    Ok(())
}

/// Times one job and prints a row.
fn report(name: &str, job: &Job, repetitions: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut fastest = [Duration::MAX; 6];
    let mut chunks = 0;
    for _ in 0..repetitions {
        let phases;
        (chunks, phases) = job.phases(folder.path())?;
        for (fastest, time) in fastest.iter_mut().zip(phases) {
            *fastest = time.min(*fastest);
        }
    }
    let each = fastest.map(|time| time.as_secs_f64() * 1e6 / chunks as f64);
    print!("{name:<48} {chunks:>9}");
    for figure in &each[..5] {
        print!(" {figure:>7.3}");
    }
    println!(" {:>7.3} {:>8.3}", each[..5].iter().sum::<f64>(), each[5]);
    Ok(())
}

impl Case {
    /// The case with about so many chunks; none if there would be files without a step.
    fn job(&self, chunks: usize) -> anyhow::Result<Option<Job>> {
        let (per_step, target, chunk, memory) = match self.cut {
            Cut::Times => (1, Grid::named("r1440x720")?, None, None),
            Cut::SmallTimes => (1, Grid::named("r192x128")?, None, Some(4 << 20)),
            Cut::Plane => {
                let side = (chunks as f64).sqrt().floor() as usize;
                let (last, step) = ((side * 10 - 1) as f64, 60.0 / (side * 10) as f64);
                let centres = -30.0..=-30.0 + step * last;
                let target = Grid::regular(centres.clone(), step, centres, step)?;
                (1, target, Some((10, 10)), None)
            }
            Cut::Both => (100, Grid::named("r640x640")?, Some((64, 64)), Some(1)),
        };
        let steps = match self.cut {
            Cut::Plane => 1,
            _ => chunks / per_step / self.fields / self.files * self.files,
        };
        if steps == 0 {
            return Ok(None);
        }
        let each = steps / self.files;
        let files = (0..self.files).map(|file| {
            let path = format!("{file:03}.nc");
            let times = (file * each, each);
            Arc::new(HollowFile::new(
                &path,
                self.fields,
                times,
                SOURCE,
                self.grid,
            )) as Arc<dyn SourceFile>
        });
        let files: Vec<_> = files.collect();
        let weights = match self.grid {
            HollowGrid::Rectilinear => None,
            HollowGrid::Curvilinear => {
                let catalogue = Catalogue::from_files(files[..1].to_vec())?;
                let source = catalogue.variables()[0].grid();
                Some(Weights::between(
                    source,
                    &target,
                    Method::Linear,
                    Edges::default(),
                )?)
            }
        };
        Ok(Some(Job {
            files,
            target,
            weights,
            chunk,
            memory,
        }))
    }
}

impl Job {
    /// The number of chunks, and how long each of the phases takes.
    fn phases(&self, folder: &Path) -> anyhow::Result<(usize, [Duration; 6])> {
        let mut request = Request::new(&self.target).threads(2);
        if let Some(weights) = &self.weights {
            request = request.weights(weights);
        }
        if let Some((rows, columns)) = self.chunk {
            request = request.chunk(rows, columns);
        }
        if let Some(bytes) = self.memory {
            request = request.memory(bytes);
        }
        let cancelled = CancelToken::new();
        cancelled.cancel();
        let run = Run::new().threads(2).cancel(&cancelled);

        let (open, catalogue) = timed(|| Catalogue::from_files(self.files.clone()));
        let catalogue = catalogue?;
        let (build, fields) = timed(|| request.build(&catalogue));
        let fields = fields?;
        let chunks: usize = fields.iter().map(|field| field.chunks().len()).sum();
        let (explain, explanation) = timed(|| Explanation::of(&fields));
        ensure!(explanation.chunks == chunks, "{explanation}");
        let (write, planned) = timed(|| Write::new(folder.join("out.nc")).plan(&fields));
        let planned = planned?;
        let (freeze, ended) = timed(|| planned.run(&run));
        ensure!(ended.is_err(), "the run was cancelled");
        let (drop, ()) = timed(|| drop((fields, catalogue)));
        Ok((chunks, [open, build, write, freeze, drop, explain]))
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let done = work();
    (started.elapsed(), done)
}
