//! The command line: arguments as typed, then checked, once. Nothing else sees what was typed.

mod target;
mod values;
mod weights;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use regrid::time::{TimeMethod, TimeSelection};
use regrid::{Compat, Fill, Method, Outside, Pole};

pub(crate) use self::target::Target;
use self::target::{TypedTarget, no_target};
use self::values::{check_ending, chunk, error_limit, share, size};
use self::weights::TypedWeights;
pub(crate) use self::weights::WeightsJob;
use crate::Result;
use crate::failure::Failure;
use crate::quote;

/// What the command is to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Show a text.
    Help(String),
    /// Say what is in these files.
    Info(Vec<PathBuf>),
    /// Make weights.
    Weights(Box<WeightsJob>),
    /// Regrid.
    Regrid(Box<Job>),
}

/// A regridding, every option checked as far as that goes without opening a file.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) target: Target,
    pub(crate) variables: Vec<String>,
    pub(crate) times: TimeSelection,
    pub(crate) time_method: TimeMethod,
    pub(crate) method: Option<Method>,
    pub(crate) weights: Option<PathBuf>,
    pub(crate) outside: Option<Outside>,
    pub(crate) pole: Option<Pole>,
    pub(crate) compat: Option<Compat>,
    pub(crate) average_flags: bool,
    pub(crate) report: bool,
    pub(crate) max_error: Option<f64>,
    pub(crate) min_valid: Option<f64>,
    pub(crate) fill: Option<Fill>,
    pub(crate) threads: Option<usize>,
    pub(crate) chunk: Option<(usize, usize)>,
    pub(crate) memory: Option<u64>,
    pub(crate) deflate: u8,
    pub(crate) force: bool,
    pub(crate) resume: bool,
    pub(crate) quiet: bool,
    pub(crate) graph: Option<PathBuf>,
    pub(crate) profile: Option<PathBuf>,
    pub(crate) then: Then,
    /// The command as it was typed.
    pub(crate) command: String,
}

/// What to do once the work is planned.
#[derive(Debug)]
pub(crate) enum Then {
    /// Do it, and write this file.
    Write(PathBuf),
    /// Show the plan; the output is checked if it was named.
    Explain(Option<PathBuf>),
}

const EXAMPLES: &str = "\
Examples:
  regrid info data/                                    what is in the files of a folder
  regrid in.nc -o out.nc --grid 0.5                    everything, onto the globe at half a degree
  regrid in.nc -o out.nc --like other.nc               onto the grid of another file
  regrid in.nc -o out.nc --lat 30:60:0.25 --lon=-10:40:0.25
  regrid data/*.nc -o out.nc --grid r360x180 -v tas,pr -t 2011-08/2011-10
  regrid in.nc -o out.nc --grid 1 --explain            the plan, without doing it
  regrid in.nc -o out.nc --grid 0.01 --memory 2GiB     larger than memory, piece by piece
  regrid weights in.nc -o weights.nc --grid 0.5 -m area-weighted
  regrid *.nc -o out.nc --weights weights.nc           the same grids again, without making weights again

Exit codes: 0 done, 1 failed, 2 wrong usage.";

#[derive(Debug, Parser)]
#[command(
    name = "regrid",
    bin_name = "regrid",
    version,
    about = "Put fields of netCDF files onto another grid",
    after_help = EXAMPLES,
    override_usage = "regrid INPUT... -o OUT.nc (--like FILE | --grid NAME | --lat AXIS --lon AXIS | --points FILE) [OPTIONS]\n       regrid INPUT... -o OUT.nc --weights WEIGHTS.nc [OPTIONS]\n       regrid info FILE...\n       regrid weights INPUT -o WEIGHTS.nc (--like FILE | --grid NAME | --lat AXIS --lon AXIS | --points FILE) [OPTIONS]",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
struct Typed {
    #[command(subcommand)]
    command: Option<TypedCommand>,

    /// NetCDF files, folders of them, and patterns (quoted: "data/*/tas_*.nc"); files of one variable are joined along time
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,

    /// The netCDF file to write: complete or not there at all
    #[arg(short, long, value_name = "OUT.nc")]
    output: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long)]
    force: bool,

    /// Go on with what an interrupted run left, and leave what can be gone on with; without anything left, start
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    target: TypedTarget,

    /// Only these variables, by name or standard name; repeatable [default: all that are on a grid]
    #[arg(
        short,
        long = "var",
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "What to regrid"
    )]
    variables: Vec<String>,

    /// Only these times (ISO 8601): START/STOP, START/STOP/STEP or a list with commas; 2011-08 is the whole month in a range
    #[arg(short, long, value_name = "TIMES", help_heading = "What to regrid")]
    times: Option<TimeSelection>,

    /// How a time is met: exact, nearest, or linear between two
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "exact",
        help_heading = "What to regrid"
    )]
    time_method: TimeMethod,

    /// linear, nearest, cubic, area-weighted (first-order conservative), second-order-conservative, inverse-distance,
    /// or a statistic of the source points in each target cell: mean, sum, count, min, max, median, mode
    /// [default: linear, or that of --weights]
    #[arg(short, long, value_name = "METHOD", help_heading = "How to regrid")]
    method: Option<Method>,

    /// Weights made before, by `regrid weights`, CDO, ESMF or xESMF; the target grid may be left out then
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["outside", "pole", "compat"],
        help_heading = "How to regrid"
    )]
    weights: Option<PathBuf>,

    /// What targets outside the source get: missing (the default), the nearest value, linear (the gradient goes on), or
    /// error
    #[arg(long, value_name = "RULE", help_heading = "How to regrid")]
    outside: Option<Outside>,

    /// Fill the targets that no source cell reaches: inverse-distance, creep, or creep:LEVELS
    #[arg(long, value_name = "RULE", help_heading = "How to regrid")]
    fill: Option<Fill>,

    /// The share of a target that must come from valid source cells, from 0 to 1: default 1 for linear, nearest and cubic,
    /// else any
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "How to regrid")]
    min_valid: Option<f64>,

    /// What a global source has at a pole: the mean of its last row (the default), none (that is outside), or the nearest
    /// value
    #[arg(long, value_name = "RULE", help_heading = "How to regrid")]
    pole: Option<Pole>,

    /// Have the mask and the edges of another tool: iris, cdo, xesmf, or xesmf-normed (its conservative_normed)
    #[arg(long, value_name = "TOOL", help_heading = "How to regrid")]
    compat: Option<Compat>,

    /// Average variables of flags as if they were numbers, which by default are left out
    #[arg(long, help_heading = "How to regrid")]
    average_flags: bool,

    /// Threads that work [default: one for each core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "How to work")]
    threads: Option<u16>,

    /// Rows and columns of a chunk, of the work and of the output: 180x360 [default: whole rows]
    #[arg(long, value_name = "LATxLON", value_parser = chunk, help_heading = "How to work")]
    chunk: Option<(usize, usize)>,

    /// The memory that the work may take: 2GiB, 500MB, 1.5G; the program itself, about 50 MB, comes on top [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "How to work")]
    memory: Option<u64>,

    /// How hard to compress the output, 0 (not) to 9; 2 and more take several times as long as 1
    #[arg(long, value_name = "LEVEL", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=9), help_heading = "How to work")]
    deflate: u8,

    /// When all is done, compare each variable with its source: integrals, extremes, missing values
    #[arg(long, help_heading = "What to show")]
    report: bool,

    /// Fail, and leave no output, if the relative error of an integral is larger
    #[arg(long, value_name = "ERROR", value_parser = error_limit, help_heading = "What to show")]
    max_error: Option<f64>,

    /// Say nothing but errors
    #[arg(short, long, help_heading = "What to show")]
    quiet: bool,

    /// Print the plan and stop
    #[arg(long, help_heading = "What to show")]
    explain: bool,

    /// Draw the graph of all tasks, before they run: an SVG picture, or DOT text for Graphviz
    #[arg(long, value_name = "FILE.svg|dot", help_heading = "What to show")]
    graph: Option<PathBuf>,

    /// Write down what the run did: when each task ran, bytes read, written and held, by variable and step; a page for a
    /// browser, or a trace for Perfetto
    #[arg(long, value_name = "FILE.html|json", help_heading = "What to show")]
    profile: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum TypedCommand {
    /// Say what is in files: variables, grids, times, chunks, and what can be regridded
    #[command(
        override_usage = "regrid info FILE...",
        after_help = "A file that is called info can be regridded as ./info."
    )]
    Info {
        /// NetCDF files, and folders of them
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Make weights from the grid of a file onto a target grid, to be used again and again with --weights
    #[command(
        override_usage = "regrid weights INPUT -o WEIGHTS.nc (--like FILE | --grid NAME | --lat AXIS --lon AXIS) [OPTIONS]",
        after_help = "A file that is called weights can be regridded as ./weights."
    )]
    Weights(Box<TypedWeights>),
}

/// Reads a command line, the program's name first.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Order> {
    let mut words: Vec<OsString> = words.collect();
    match words.first_mut() {
        Some(program) => *program = "regrid".into(),
        None => words.push("regrid".into()),
    }
    let typed = Typed::command()
        .try_get_matches_from(&words)
        .and_then(|mut matches| Typed::from_arg_matches_mut(&mut matches));
    match typed {
        Ok(typed) => {
            // Histories are the same whether a run was interrupted or not. All other words may matter to what is written: the
            // number of threads too, since chunks are made to fit the memory that all of them share.
            words.retain(|word| word != "--resume");
            typed.check(quote::command(&words))
        }
        Err(error) => refused(&error),
    }
}

impl Typed {
    fn check(self, command: String) -> Result<Order> {
        match self.command {
            Some(TypedCommand::Info { files }) => return Ok(Order::Info(files)),
            Some(TypedCommand::Weights(typed)) => return typed.check(command),
            None => {}
        }
        let target = match (self.target.check()?, &self.weights) {
            (Some(target), _) => target,
            (None, Some(_)) => Target::OfWeights,
            (None, None) => return Err(no_target()),
        };
        let then = match (self.explain, self.output) {
            (true, output) => Then::Explain(output),
            (false, Some(output)) => Then::Write(output),
            (false, None) => return Err(Failure::usage("no output is named: give -o OUT.nc")),
        };
        if let Some(graph) = &self.graph {
            check_ending("--graph: cannot draw", graph, ["svg", "dot"])?;
        }
        if let Some(profile) = &self.profile {
            check_ending("--profile: cannot write", profile, ["html", "json"])?;
            if self.explain {
                let text = "--profile tells what a run did, and --explain does not run anything";
                return Err(Failure::usage(text));
            }
        }
        if let Some(empty) = self.variables.iter().find(|name| name.trim().is_empty()) {
            return Err(Failure::usage(format!(
                "--var: '{empty}' is not a variable's name"
            )));
        }
        Ok(Order::Regrid(Box::new(Job {
            inputs: self.inputs,
            target,
            variables: self.variables,
            times: self.times.unwrap_or_default(),
            time_method: self.time_method,
            method: self.method,
            weights: self.weights,
            outside: self.outside,
            min_valid: self.min_valid,
            fill: self.fill,
            pole: self.pole,
            compat: self.compat,
            average_flags: self.average_flags,
            report: self.report,
            max_error: self.max_error,
            threads: self.threads.map(usize::from),
            chunk: self.chunk,
            memory: self.memory,
            deflate: self.deflate,
            force: self.force,
            resume: self.resume,
            quiet: self.quiet,
            graph: self.graph,
            profile: self.profile,
            then,
            command,
        })))
    }
}

/// What the parser says, in one line; help and version are no failure.
fn refused(error: &clap::Error) -> Result<Order> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return Ok(Order::Help(error.render().to_string()));
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Err(Failure::usage("nothing is said of what to regrid").hint(
                "`regrid in.nc -o out.nc --grid 0.5`, say; `regrid --help` explains the options",
            ));
        }
        _ => {}
    }
    // The first paragraph is the message; tips and usage follow.
    let text = error.render().to_string();
    let message: Vec<&str> = text
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    let message = message.join(" ");
    let failure = Failure::usage(message.strip_prefix("error: ").unwrap_or(&message));
    Err(match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(known)) => {
            failure.hint(format!("there is {known}; `regrid --help` has all options"))
        }
        _ => failure,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn job(words: &str) -> Job {
        let words = words.split(' ').map(OsString::from);
        match parse(std::iter::once("x/regrid".into()).chain(words)) {
            Ok(Order::Regrid(job)) => *job,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_parser_is_consistent() {
        Typed::command().debug_assert();
    }

    #[test]
    fn negative_numbers_are_values() {
        for words in [
            "a.nc -o b.nc --lat -10:10:10 --lon -5",
            "a.nc -o b.nc --lat=-10:10:10 --lon=-5",
        ] {
            let Target::Grid(grid) = job(words).target else {
                panic!("{words}")
            };
            assert_eq!(grid.axes().unwrap().0.centres(), [-10.0, 0.0, 10.0]);
            assert_eq!(grid.axes().unwrap().1.centres(), [-5.0]);
        }
    }

    #[test]
    fn points_are_pairs_or_a_file() {
        for words in [
            "a.nc -o b.nc --points 51.5,-0.1 --points -33.9,151.2",
            "a.nc -o b.nc --points 51.5,-0.1/-33.9,151.2",
        ] {
            let Target::Grid(grid) = job(words).target else {
                panic!("{words}")
            };
            assert_eq!(grid.centres(), [(51.5, -0.1), (-33.9, 151.2)]);
        }
        let target = job("a.nc -o b.nc --points towns.csv").target;
        assert!(matches!(target, Target::Listed(file) if file == Path::new("towns.csv")));
        let refused = |words: &str| {
            let words = words.split(' ').map(OsString::from);
            assert!(parse(std::iter::once("regrid".into()).chain(words)).is_err());
        };
        refused("a.nc -o b.nc --points 95,1");
        refused("a.nc -o b.nc --points 1,2 --points towns.csv");
        refused("a.nc -o b.nc --points 1,2 --grid 1");
    }

    #[test]
    fn variables_come_in_lists_and_again() {
        let job = job("a.nc b.nc -o c.nc --grid 1 -v x,y --var z");
        assert_eq!(job.variables, ["x", "y", "z"]);
        assert_eq!(job.inputs, [Path::new("a.nc"), Path::new("b.nc")]);
        assert_eq!(
            job.command,
            "regrid a.nc b.nc -o c.nc --grid 1 -v x,y --var z"
        );
    }

    #[test]
    fn a_file_may_be_called_info() {
        assert_eq!(job("./info -o b.nc --grid 1").inputs, [Path::new("./info")]);
        assert_eq!(
            job("a.nc info -o b.nc --grid 1").inputs,
            [Path::new("a.nc"), Path::new("info")]
        );
        let words = ["regrid", "info", "info"].map(OsString::from);
        assert!(
            matches!(parse(words.into_iter()), Ok(Order::Info(files)) if files == [Path::new("info")])
        );
    }
}
