//! Lazy task graphs: typed delayed values, computed in parallel with little memory.
//!
//! **Build the graph eagerly, delay the work.** Code that decides *what* to do runs at once and returns [`Delayed`] values; functions
//! that *do* work become tasks. So the whole graph is there before anything runs: it can be drawn, priced, checked and ordered.
//!
//! # From one value to a graph
//! - [`delayed`] makes a task without inputs, [`Delayed::map`] one on a value, [`apply`] one on several ([`Inputs`]); arithmetic works
//!   too. [`try_delayed`], [`Delayed::try_map`] and [`try_apply`] are for functions that can fail. [`value`](value()) lifts what is
//!   there already.
//! - [`compute`] (or [`Delayed::compute`]) runs what is needed, once, on all cores; [`Run`] has the settings.
//! - [`Graph`] shows what a run would do; [`Graph::write_svg`] draws it, [`Graph::explain`] puts it in
//!   numbers, [`Graph::lint`] points at mistakes. A [`ProgressBar`] shows a run as it goes, a [`Profile`] what it did.
//!
//! ```
//! use delayed::{Graph, Run, apply, delayed};
//!
//! // Decide what to do: four chunks, whatever the machine.
//! let chunks: Vec<_> = (0..4)
//!     .map(|i| delayed(move || (i * 10..(i + 1) * 10).collect::<Vec<u64>>()).named(("read", i as usize)))
//!     .collect();
//! let sums: Vec<_> = chunks.iter().map(|chunk| chunk.map(|c| c.iter().sum::<u64>()).named("sum")).collect();
//! let total = apply(&sums, |sums| sums.into_iter().sum::<u64>()).named("total");
//! let share = (&sums[0] * 100_u64 / &total).named("share");
//!
//! // Look at it, then do it.
//! assert_eq!(Graph::of((&total, &share)).tasks(), 11);
//! let (total, share) = Run::new().threads(2).compute((&total, &share))?;
//! assert_eq!((total, share), (780, 5));
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # What is kept, what is dropped
//! A task sees references to its inputs; its own value stays where it was made until its last dependent has run, and is dropped
//! then. Tasks run in an order that finishes a branch before it opens the next, so that few values are alive at once. The values of
//! the outputs are moved out of the run. A graph can be computed again; each time its tasks run anew.
//!
//! # When something goes wrong
//! An [`Error`] names the task, where it was built, the chain of its inputs and the cause; a panic in a task is such an error too.

mod cancel;
mod delayed;
mod dot;
mod error;
mod explain;
mod frozen;
mod graph;
mod handle;
mod inputs;
mod key;
mod lint;
mod observe;
mod ops;
mod optimize;
mod outputs;
mod priority;
mod profile;
mod progress;
mod run;
mod scheduler;
mod svg;
mod task;
mod values;

pub use crate::{
    cancel::CancelToken,
    delayed::{Delayed, apply, compute, delayed, try_apply, try_delayed, value},
    dot::Dot,
    error::{BoxError, Error, Result, TaskTrace},
    explain::Explanation,
    graph::{Graph, GraphBuilder, Kind, Output, TaskId, TaskInfo},
    inputs::{Inputs, Owned, own},
    key::{Key, Label},
    lint::Lint,
    observe::{Observer, RunEnd, RunView, TaskEnd, TaskView},
    ops::Plain,
    optimize::Passes,
    outputs::Outputs,
    profile::{Profile, Report, TaskTime},
    progress::ProgressBar,
    run::{Run, Scheduler},
    scheduler::cancelled,
    svg::{Colour, Svg},
};
