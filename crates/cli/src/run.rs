//! Doing a job: open, plan, say what is planned, draw it, run it, say what was done.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use delayed::{Profile, ProgressBar, Run};
use regrid::{
    Catalogue, CompleteOutput, Error, Explanation, Grid, PlannedWrite, Request, Weights, Write,
};

use crate::Result;
use crate::amount::{bytes, duration};
use crate::args::{Job, Target, Then};
use crate::drawing::{Drawn, draw, exists};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::room::folder;
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
        (Target::OfWeights, Some(weights)) => weights.target().map_err(|error| match error {
            Error::Nothing { .. } => {
                Failure::from(error).hint("name it with --like, --grid, or --lat with --lon")
            }
            error => error.into(),
        })?,
        (Target::OfWeights, None) => unreachable!("a target of weights has weights"),
    };
    let target = &target;
    let catalogue = Catalogue::open(&job.inputs)?;
    check_places(&job, &catalogue)?;
    let request = request(&job, target, weights.as_ref());
    let fields = request.build(&catalogue)?;
    interrupt.check()?;

    let write = |output: &PathBuf| {
        let write = Write::new(output)
            .deflate(job.deflate)
            .overwrite(job.force)
            .resume(job.resume)
            .history(job.command.as_str());
        match job.max_error {
            Some(most) => write.max_error(most),
            None => write,
        }
    };
    let (planned, explanation) = match &job.then {
        Then::Write(output) => match interrupt.making(|| write(output).plan(&fields)) {
            // Whoever goes on until it succeeds is to get there.
            Err(done @ Error::AlreadyComplete { .. }) => {
                if !job.quiet {
                    say(&format!("note    {done}\n"));
                }
                return Ok(());
            }
            planned => (Some(planned?), None),
        },
        Then::Explain(output) => {
            if let Some(output) = output {
                write(output).check(&fields)?;
            }
            let nowhere = PathBuf::new();
            let write = write(output.as_ref().unwrap_or(&nowhere));
            (None, Some(write.explain(&fields)))
        }
    };
    // What is not shown is not made: to count the tasks and to foresee the memory takes a look at every task.
    let shown = !job.quiet || planned.is_none();
    let plan = shown.then(|| -> Result<String> {
        let tasks = match (&planned, &explanation) {
            (Some(planned), _) => planned.tasks()?,
            (None, known) => known.as_ref().map_or(0, |known| known.tasks),
        };
        let plan = Plan {
            job: &job,
            catalogue: &catalogue,
            target,
            weights: weights.as_ref(),
            fields: &fields,
            edges: request.edges(),
            tasks,
            threads: threads(&job),
            explanation,
            fits_memory: planned.as_ref().is_none_or(PlannedWrite::fits_memory),
            finished: planned.as_ref().map_or(0, PlannedWrite::finished),
        };
        Ok(plan.text())
    });
    let plan = plan.transpose()?;
    if let Some(path) = &job.graph {
        let graph = match &planned {
            Some(planned) => planned.graph()?,
            None => Explanation::graph(&fields),
        };
        draw(&Drawn::Graph(&graph), path, job.force, &interrupt)?;
    }

    match (&job.then, planned) {
        (Then::Write(output), Some(planned)) => {
            if let Some(plan) = &plan {
                say(plan);
            }
            compute(&job, planned, &interrupt)?;
            if !job.quiet {
                say(&written(output, started));
            }
        }
        _ => print(&plan.unwrap_or_default())?,
    }
    // The process ends here: the system takes all of it back at once, and not task by task.
    std::mem::forget((fields, request, catalogue, weights));
    Ok(())
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
    if let Some(bytes) = job.memory {
        request = request.memory(bytes);
    }
    // There is room for the output, it is to be hoped; the folder for temporary files is in memory on some machines.
    if let Then::Write(output) | Then::Explain(Some(output)) = &job.then {
        request = request.scratch(folder(output));
    }
    request.threads(threads(job))
}

/// Runs the plan; what the run did is written down in any case.
fn compute(job: &Job, planned: PlannedWrite, interrupt: &Interrupt) -> Result<()> {
    let mut run = Run::new().threads(threads(job)).cancel(interrupt.token());
    if !job.quiet {
        run = run.observe(ProgressBar::stderr());
    }
    let profile = Profile::new();
    if job.profile.is_some() {
        run = run.observe(profile.clone());
    }
    let mut reports = String::new();
    let temporary = planned.temporary_paths();
    let done = planned.complete(&run, |all| {
        reports = all.iter().map(ToString::to_string).collect();
    });
    let done = done
        .inspect_err(|_| interrupt.gone(&temporary))
        .and_then(|(_, output)| interrupt.naming(output, CompleteOutput::appear));
    // What is told of an integral that was not kept is why it is refused.
    if job.report {
        print(&reports)?;
    }
    if let Some(path) = &job.profile {
        let ending = path.extension().unwrap_or_default();
        let kind = Drawn::Profile(&profile, ending.eq_ignore_ascii_case("html"));
        let drawn = draw(&kind, path, job.force, interrupt);
        // What the run met comes first.
        done?;
        return drawn;
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
    for path in output.into_iter().chain(&job.graph).chain(&job.profile) {
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let text = format!("cannot write {}: it is not a file", path.display());
            return Err(Failure::failed(text));
        }
    }
    let shown = [("--graph", &job.graph), ("--profile", &job.profile)];
    let shown: Vec<(&str, &PathBuf)> = shown
        .into_iter()
        .filter_map(|(option, path)| Some((option, path.as_ref()?)))
        .collect();
    for &(option, path) in &shown {
        let inputs = catalogue.files().iter().map(|file| file.path());
        if let Some(input) = inputs
            .chain(like)
            .chain(weights)
            .find(|input| same_file(path, input))
        {
            let text = format!(
                "{option} {} is the input {}",
                path.display(),
                input.display()
            );
            return Err(Failure::failed(text).hint(format!("name another file with {option}")));
        }
        if output.is_some_and(|output| output == path || same_file(path, output)) {
            let text = format!("{option} and -o both name {}", path.display());
            return Err(Failure::failed(text));
        }
        // It is written when all is done: better to know now.
        if !job.force && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let folder = folder(path);
        if !folder.is_dir() {
            let text = format!("{option}: there is no folder {}", folder.display());
            return Err(Failure::failed(text));
        }
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
