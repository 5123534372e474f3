//! Lazy task graphs: typed delayed values, computed in parallel with little memory.
//!
//! **Build the graph eagerly, delay the work.** Code that decides *what* to do runs at once and returns [`Delayed`] values; functions
//! that *do* work become tasks. So the whole graph is there before anything runs: it can be drawn, priced, checked and ordered.
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
//! let share = (&sums[0] * 100 / &total).named("share");
//!
//! // Look at it, then do it.
//! assert_eq!(Graph::of((&total, &share)).tasks(), 11);
//! let (total, share) = Run::new().threads(2).compute((&total, &share))?;
//! assert_eq!((total, share), (780, 5));
//! # Ok::<(), delayed::Error>(())
//! ```
//! This page is a manual in the order in which one learns; each name leads to its own page with more.
//!
//! # 1. Values that are yet to be made
//! [`delayed`] makes a task without inputs, [`Delayed::map`] one on a value, [`apply`] one on several; [`value`](value()) lifts what is
//! there already. Nothing runs until [`Delayed::compute`], or [`compute`] for several values in one run.
//! ```
//! use delayed::{apply, compute, delayed, value};
//! let field = delayed(|| vec![1.0, 2.0, 6.0]);
//! let mean = field.map(|f| f.iter().sum::<f64>() / f.len() as f64);
//! let scaled = apply((&field, &value(10.0)), |(f, ten)| f[2] * ten);
//! assert_eq!(compute((&mean, &scaled))?, (3.0, 60.0)); // `field` is made once
//! # Ok::<(), delayed::Error>(())
//! ```
//! A `Delayed` is a cheap handle, `Send` and `Sync`. It owns its task and all that the task needs, so there is no graph to keep in hand.
//! Arithmetic makes tasks too, between delayed values and with plain ones on either side ([`Plain`]): `(&a - 273.25) * 1.8 + 32.0`.
//!
//! # 2. Inputs and outputs in any shape
//! A task's inputs may be tuples, arrays, vectors, options, maps and structs of delayed values, nested to any depth ([`Inputs`],
//! [`Shape`]); its function sees references in the same shape. What is computed comes back in the shape in which it was asked for
//! ([`Outputs`]).
//! ```
//! use delayed::{apply, compute, delayed};
//! use std::collections::BTreeMap;
//! let level = |n: i32| (0..n).map(|i| delayed(move || i)).collect::<Vec<_>>();
//! let sum = apply((BTreeMap::from([("low", level(3)), ("high", level(5))]), Some(delayed(|| 100))), |(levels, shift)| {
//!     levels[&"low"].len() as i32 + levels[&"high"].iter().copied().sum::<i32>() + shift.unwrap_or(&0)
//! });
//! let (one, many) = compute((&sum, [level(2)]))?;
//! assert_eq!((one, many), (113, [vec![0, 1]]));
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # 3. Several results, graphs in graphs, equal work
//! [`unzip`](Delayed::unzip) gives the parts of a tuple and [`split`](Delayed::split) those of a vector, each a delayed value of its own.
//! [`persist`](Delayed::persist) computes now and keeps the value in the graph. [`flatten`](Delayed::flatten) runs a graph that a task
//! built; `compute` within a task works too, and never deadlocks; a graph that needs its own result is an error. Tasks that are told to
//! be [`pure`](Delayed::pure) run once if they are equal.
//! ```
//! use delayed::{Graph, delayed};
//! let (low, high) = delayed(|| (1_i32, 9_i32)).unzip();
//! let nested = high.map(|n| { let n = *n; delayed(move || n * 2) });
//! assert_eq!((&low + nested.flatten()).persist()?.compute()?, 19);
//! let read = |file: &'static str| delayed(move || file.len()).pure(file);
//! assert_eq!(Graph::of((read("a"), read("a"), read("b"))).tasks(), 2);
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # 4. Memory
//! A task sees references; its own value stays where it was made until its last dependent has run, and is dropped then. Tasks run in an
//! order that finishes a branch before it opens the next, so that few values are alive at once. [`map_owned`](Delayed::map_owned) and
//! [`own`] take a value over: moved if nobody else needs it, cloned otherwise. [`Run::memory_limit`] holds back tasks that bring in new
//! data while the values alive, by what tasks were said to make ([`bytes`](Delayed::bytes)), leave no room; it never deadlocks.
//! ```
//! use delayed::{Run, apply, delayed};
//! let parts: Vec<_> = (0..100)
//!     .map(|i| delayed(move || vec![i; 1000]).bytes(8000).map_owned(|mut v| { v.truncate(1); v }).bytes(8))
//!     .collect();
//! let total = apply(&parts, |parts| parts.into_iter().map(|part| part[0]).sum::<u64>());
//! assert_eq!(Run::new().memory_limit(40_000).compute(&total)?, 4950);
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # 5. What a task is told
//! [`named`](Delayed::named) and [`keyed`](Delayed::keyed) say what it is called, [`group`](Delayed::group) what it belongs to,
//! [`bytes`](Delayed::bytes) how big its value will be, [`priority`](Delayed::priority) what goes first, [`retries`](Delayed::retries) how
//! often it is tried again, [`limit`](Delayed::limit) how many of its kind may run at once (the others wait, the threads do not).
//! Of many tasks that differ by a number, a [`Series`] says it once.
//! ```
//! use delayed::{Label, try_delayed};
//! let read = |i: usize| {
//!     try_delayed(move || std::fs::read("Cargo.toml").map(|text| text.len() + i))
//!         .named(("read", i)) // or text, or put together when it is shown: Label::lazy(move |f| write!(f, "read {i}"))
//!         .group("input")
//!         .bytes(1 << 20)
//!         .priority(1)
//!         .retries(3)
//!         .limit("disk", 2)
//! };
//! assert_eq!(read(7).label().to_string(), Label::from("read 7").to_string());
//! assert!(delayed::compute([read(0), read(1)])?[1] > 1);
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # 6. What a run is told
//! [`Run`] has the settings: threads, or [`Scheduler::Sequential`] for the same order every time; memory limit; [`CancelToken`]s, which
//! long kernels can look at ([`cancelled`]); whether to keep going after a failure; who watches; which [`Passes`] are made.
//! Runs share one pool of threads, the caller takes part, and many may go on at once.
//! ```
//! use delayed::{CancelToken, Run, Scheduler, delayed};
//! let long = delayed(|| (0..1_000_000).take_while(|_| !delayed::cancelled()).count());
//! let token = CancelToken::new();
//! assert_eq!(Run::new().threads(4).cancel(&token).compute(&long)?, 1_000_000);
//! token.cancel();
//! assert!(Run::new().cancel(&token).compute(&long).unwrap_err().is_cancelled());
//! assert_eq!(Run::new().scheduler(Scheduler::Sequential).compute(&long)?, 1_000_000);
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! # 7. When something goes wrong
//! [`try_delayed`], [`Delayed::try_map`] and [`try_apply`] are for functions that can fail. An [`Error`] names the task, where it was
//! built, its inputs up to the roots, the outputs that are lost and the cause, as fields ([`TaskTrace`]), in a line and in a
//! [report](Error::report); a panic in a task is such an error too. [`Run::keep_going`] reports every failure, [`Run::salvage`] also
//! gives all that could be computed, [`Error::replay`] runs the failed task again under a debugger.
//! ```
//! use delayed::{Run, delayed};
//! let read = delayed(|| "12x").named("read");
//! let number = read.try_map(|text| text.parse::<i32>()).named("parse");
//! let ((text, lost), outcome) = Run::new().salvage((&read, number.map(|n| n + 1).named("add")));
//! assert_eq!((text, lost), (Some("12x"), None));
//! let error = outcome.unwrap_err();
//! assert_eq!(error.task().unwrap().key.as_str(), "parse");
//! assert!(std::error::Error::source(&error).unwrap().is::<std::num::ParseIntError>());
//! assert!(error.report().contains("lost outputs: `add`"));
//! ```
//!
//! # 8. Before a run: look at the graph
//! [`Graph::of`], or a [`GraphBuilder`] for outputs with names, shows what a run would do: [keys](Key), labels, dependencies, order,
//! and the petgraph graph inside. [`Graph::write_svg`] draws it without Graphviz, groups with an outline, beyond a few hundred tasks as
//! a synopsis; [`Svg::colour`] by group, order, bytes, or the time or worker of a run; [`Graph::dot`] is for others who draw.
//! [`Graph::explain`] puts it in numbers, [`Graph::lint`] points at mistakes, [`Graph::optimize`] shows what [`Passes`] make of it.
//! ```
//! use delayed::{Colour, Graph, Passes, delayed};
//! let x = delayed(|| 1).named("read").bytes(8).map(|x| x + 1).named("regrid");
//! let graph = Graph::of(&x);
//! assert_eq!((graph.explain().depth, graph.lint()), (2, vec![]));
//! assert!(graph.svg().colour(Colour::Order).to_string().starts_with("<svg "));
//! assert_eq!(graph.optimize(Passes::default()).tasks(), 1);
//! ```
//!
//! # 9. During and after a run: watch it
//! An [`Observer`] hears of a few events. A [`ProgressBar`] is one; a [`Profile`] is another, and gives a [`Report`], a page that needs
//! nothing but a browser, a trace for Perfetto, and colours for pictures.
//! ```
//! use delayed::{Profile, ProgressBar, Run, delayed};
//! let x = delayed(|| vec![1; 100]).named("read").bytes(400).map(|v| v.len()).named("count");
//! let profile = Profile::new();
//! Run::new().observe(ProgressBar::stderr()).observe(profile.clone()).compute(&x)?;
//! let report = profile.report().unwrap();
//! assert_eq!((report.tasks, report.peak_bytes), (2, 400));
//! profile.write_html(std::env::temp_dir().join("profile-of-a-run.html"))?;
//! # Ok::<(), delayed::Error>(())
//! ```
//!
//! The repository has pages with pictures (`docs/graphs.md`), for those who come from Dask (`docs/from-dask.md`) and with measurements
//! (`docs/benchmarks.md`); the scheduler's protocol is written down in `src/scheduler/README.md`.

#![deny(unsafe_code)]

mod audited;
mod builder;
mod cancel;
mod counts;
mod delayed;
mod dot;
mod error;
mod explain;
mod foresee;
mod frozen;
mod graph;
mod inputs;
mod key;
mod lint;
mod nest;
mod observe;
mod ops;
mod optimize;
mod outputs;
mod parts;
mod priority;
mod profile;
mod progress;
mod quoted;
mod resident;
mod run;
mod scheduler;
mod series;
mod svg;
mod sync;
mod task;
mod trace;
mod traffic;
mod tuples;

pub use crate::{
    builder::GraphBuilder,
    cancel::CancelToken,
    counts::{Counts, count},
    delayed::{Delayed, apply, compute, delayed, try_apply, try_delayed, value},
    dot::Dot,
    error::{BoxError, Error, Result, TaskTrace},
    explain::Explanation,
    foresee::{ExpectedTask, Rehearsal},
    graph::{Graph, Kind, Output, TaskId, TaskInfo},
    inputs::{Inputs, Owned, Shape, own},
    key::{Key, Label},
    lint::Lint,
    observe::{Observer, RunEnd, RunView, TaskEnd, TaskView},
    ops::Plain,
    optimize::Passes,
    outputs::Outputs,
    profile::{Profile, Report, Share, TaskTime},
    progress::ProgressBar,
    resident::Resident,
    run::{Run, Scheduler},
    scheduler::cancelled,
    series::Series,
    svg::{Colour, Svg},
    traffic::{Traffic, count_read, count_written},
};
