//! Doing a job: open, plan, say what is planned, draw it, run it, say what was done.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use delayed::{Graph, ProgressBar, Run};
use regrid::{Catalogue, Grid, LazyField, PlannedWrite, Request, Weights, Write};

use crate::Result;
use crate::amount::{bytes, duration};
use crate::args::{Job, Target, Then};
use crate::drawing::draw;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::rows::{print, say};

/// Does a job from beginning to end.
pub(crate) fn run(job: Job) -> Result<()> {
    let started = Instant::now();
    let interrupt = Interrupt::watch()?;
    let weights = job.weights.as_ref().map(Weights::load).transpose()?;
    let target = match (&job.target, &weights) {
        (Target::Grid(grid), _) => Grid::clone(grid),
        (Target::Like(file), _) => Grid::like(file)?,
        (Target::Listed(file), _) => Grid::listed_in(file)?,
        (Target::OfWeights, Some(weights)) => weights.target()?,
        (Target::OfWeights, None) => unreachable!("a target of weights has weights"),
    };
    let target = &target;
    let catalogue = Catalogue::open(&job.inputs)?;
    check_places(&job, &catalogue)?;
    let request = request(&job, target, weights.as_ref());
    let fields = request.build(&catalogue)?;
    interrupt.check()?;

    let planned = match &job.then {
        Then::Write(output) | Then::Explain(Some(output)) => {
            let mut write = Write::new(output)
                .deflate(job.deflate)
                .overwrite(job.force)
                .history(job.command.as_str());
            if let Some(most) = job.max_error {
                write = write.max_error(most);
            }
            Some(interrupt.making(|| write.plan(&fields))?)
        }
        Then::Explain(None) => None,
    };
    let graph = match &planned {
        Some(planned) => planned.graph()?,
        None => regridding(&fields),
    };
    let plan = Plan {
        job: &job,
        catalogue: &catalogue,
        target,
        weights: weights.as_ref(),
        fields: &fields,
        edges: request.edges(),
        tasks: graph.tasks(),
        threads: threads(&job),
    }
    .text();
    if let Some(path) = &job.graph {
        draw(&graph, path, job.force, &interrupt)?;
    }
    drop(graph);

    match (&job.then, planned) {
        (Then::Write(output), Some(planned)) => {
            if !job.quiet {
                say(&plan);
            }
            compute(&job, planned, &interrupt)?;
            if !job.quiet {
                say(&written(output, started));
            }
            Ok(())
        }
        _ => print(&plan),
    }
}

fn request(job: &Job, target: &Grid, weights: Option<&Weights>) -> Request {
    let mut request = Request::new(target)
        .times(job.times.clone())
        .time_method(job.time_method)
        .average_flags(job.average_flags)
        .report(job.report || job.max_error.is_some());
    if let Some(outside) = job.outside {
        request = request.outside(outside);
    }
    if let Some(pole) = job.pole {
        request = request.pole(pole);
    }
    if let Some(compat) = job.compat {
        request = request.compat(compat);
    }
    if let Some(fill) = job.fill {
        request = request.fill(fill);
    }
    if let Some(method) = job.method {
        request = request.method(method);
    }
    if let Some(weights) = weights {
        request = request.weights(weights);
    }
    if let Some(share) = job.min_valid {
        request = request.min_valid(share);
    }
    if !job.variables.is_empty() {
        request = request.params(&job.variables);
    }
    if let Some((rows, columns)) = job.chunk {
        request = request.chunk(rows, columns);
    }
    request
}

/// The graph of reading and regridding alone, where no output is named.
fn regridding(fields: &[LazyField]) -> Graph {
    let chunks: Vec<_> = fields
        .iter()
        .flat_map(|field| field.chunks().iter().map(|(_, chunk)| chunk.clone()))
        .collect();
    Graph::of(chunks)
}

fn compute(job: &Job, planned: PlannedWrite, interrupt: &Interrupt) -> Result<()> {
    let mut run = Run::new().threads(threads(job)).cancel(interrupt.token());
    if !job.quiet {
        run = run.observe(ProgressBar::stderr());
    }
    let mut reports = String::new();
    let done = planned.run_and_report(&run, |all| {
        reports = all.iter().map(ToString::to_string).collect();
    });
    // What is told of an integral that was not kept is why it is refused.
    if job.report {
        print(&reports)?;
    }
    done?;
    Ok(())
}

fn threads(job: &Job) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    job.threads.unwrap_or_else(cores)
}

/// The last line: what there is now.
fn written(output: &Path, started: Instant) -> String {
    let size = fs::metadata(output).map_or_else(|_| String::new(), |m| bytes(m.len()) + " ");
    format!(
        "wrote   {}  {size}in {}\n",
        output.display(),
        duration(started.elapsed())
    )
}

/// Refuses to write over a file that is read, or two things into one file.
fn check_places(job: &Job, catalogue: &Catalogue) -> Result<()> {
    let output = match &job.then {
        Then::Write(output) | Then::Explain(Some(output)) => Some(output),
        Then::Explain(None) => None,
    };
    let like = match &job.target {
        Target::Like(file) | Target::Listed(file) => Some(file.as_path()),
        Target::Grid(_) | Target::OfWeights => None,
    };
    let weights = job.weights.as_deref();
    for (option, file) in [("--like, --grid or --points", like), ("--weights", weights)] {
        if let (Some(output), Some(file)) = (output, file)
            && same_file(output, file)
        {
            let text = format!(
                "the output {} is the file that {option} names",
                output.display()
            );
            return Err(Failure::failed(text).hint("name another file with -o"));
        }
    }
    // Devices and pipes are not to be replaced by a file.
    for path in output.into_iter().chain(&job.graph) {
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let text = format!("cannot write {}: it is not a file", path.display());
            return Err(Failure::failed(text));
        }
    }
    let Some(graph) = &job.graph else {
        return Ok(());
    };
    let inputs = catalogue.files().iter().map(|file| file.path());
    if let Some(input) = inputs
        .chain(like)
        .chain(weights)
        .find(|input| same_file(graph, input))
    {
        let text = format!(
            "--graph {} is the input {}",
            graph.display(),
            input.display()
        );
        return Err(Failure::failed(text).hint("name another file with --graph"));
    }
    if output.is_some_and(|output| output == graph || same_file(graph, output)) {
        let text = format!("--graph and -o both name {}", graph.display());
        return Err(Failure::failed(text));
    }
    Ok(())
}

/// Whether two paths lead to one file that exists.
pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
