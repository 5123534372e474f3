//! Doing a job: open, plan, say what is planned, draw it, run it, say what was done.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use delayed::{Graph, ProgressBar, Run};
use regrid::{Catalogue, Grid, LazyField, PlannedWrite, Request, Write};

use crate::Result;
use crate::amount::{bytes, duration};
use crate::args::{Job, Target, Then};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::rows::{print, say};

/// Does a job from beginning to end.
pub(crate) fn run(job: Job) -> Result<()> {
    let started = Instant::now();
    let interrupt = Interrupt::watch()?;
    let target = match &job.target {
        Target::Like(file) => &Grid::like(file)?,
        Target::Grid(grid) => grid,
    };
    let catalogue = Catalogue::open(&job.inputs)?;
    check_places(&job, &catalogue)?;
    let fields = request(&job, target).build(&catalogue)?;
    interrupt.check()?;

    let planned = match &job.then {
        Then::Write(output) | Then::Explain(Some(output)) => {
            let write = Write::new(output)
                .deflate(job.deflate)
                .overwrite(job.force)
                .history(job.command.as_str());
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
        fields: &fields,
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

fn request(job: &Job, target: &Grid) -> Request {
    let mut request = Request::new(target)
        .times(job.times.clone())
        .time_method(job.time_method)
        .method(job.method)
        .outside(job.outside)
        .pole(job.pole);
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
    Ok(planned.run(&run)?)
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
        Target::Like(file) => Some(file.as_path()),
        Target::Grid(_) => None,
    };
    if let (Some(output), Some(like)) = (output, like)
        && same_file(output, like)
    {
        let text = format!(
            "the output {} is the file that --like names",
            output.display()
        );
        return Err(Failure::failed(text).hint("name another file with -o"));
    }
    let Some(graph) = &job.graph else {
        return Ok(());
    };
    let inputs = catalogue.files().iter().map(|file| file.path());
    if let Some(input) = inputs.chain(like).find(|input| same_file(graph, input)) {
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
fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Writes the graph as DOT text: complete or not at all.
fn draw(graph: &Graph, path: &Path, force: bool, interrupt: &Interrupt) -> Result<()> {
    let failed = |error: io::Error| {
        Failure::system(
            &format!("cannot write the graph {}", path.display()),
            &error,
        )
    };
    let exists = || {
        Failure::failed(format!("{} exists already", path.display())).hint("--force replaces it")
    };
    if !force && path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    // Replacing a link replaces what it points to.
    let place: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if place.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".regrid-graph.").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask makes of it, as for any file that a program writes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = interrupt
        .making(|| builder.tempfile_in(folder))
        .map_err(failed)?;
    let mut text = io::BufWriter::new(file.as_file());
    write!(text, "{}", graph.dot())
        .and_then(|()| text.flush())
        .map_err(failed)?;
    drop(text);
    let named = if force {
        file.persist(&place)
    } else {
        file.persist_noclobber(&place)
    };
    match named {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
        Err(e) => Err(failed(e.error)),
    }
}
