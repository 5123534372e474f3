//! [`Run`]: the settings of a computation.

use std::{
    collections::HashMap,
    fmt,
    num::NonZero,
    sync::{Arc, LazyLock},
    thread,
};

use crate::{
    audited::values::KNOWN,
    cancel::CancelToken,
    counts::Counts,
    error::{Error, Result},
    frozen::Frozen,
    nest::Deeper,
    observe::Observer,
    optimize::Passes,
    outputs::{Outputs, Take},
    scheduler,
    task::Node,
};

/// Who runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scheduler {
    /// Several threads, the caller's among them.
    #[default]
    Threads,
    /// The caller's thread alone, in rank order: every run is the same. For debugging.
    Sequential,
}

/// Settings of a computation; [`compute`](Run::compute) starts it.
/// ```
/// use delayed::{Run, Scheduler, delayed};
/// let answer = delayed(|| 42);
/// assert_eq!(Run::new().threads(2).compute(&answer)?, 42);
/// assert_eq!(Run::new().scheduler(Scheduler::Sequential).compute(&answer)?, 42);
/// # Ok::<(), delayed::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Run {
    threads: Option<NonZero<usize>>,
    scheduler: Scheduler,
    cancel: Vec<CancelToken>,
    pub(crate) memory_limit: Option<u64>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    /// Amounts of the run as a whole.
    pub(crate) notes: Counts,
    pub(crate) keep_going: bool,
    passes: Option<Passes>,
    /// Panics of tasks go on into the caller.
    pub(crate) let_panic: bool,
}

impl Run {
    /// One thread for each core, stop at the first failure, nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many threads may work, the caller's among them; 0 is one for each core, the default.
    ///
    /// Calling another thread takes some microseconds: a graph of tiny tasks, 20 us in all, is done sooner by one.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = NonZero::new(threads);
        self
    }

    /// Who runs the tasks.
    pub fn scheduler(mut self, scheduler: Scheduler) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// Stops the run when `token` is cancelled. A run within a task also stops when the run that the task belongs to does.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel.push(token.clone());
        self
    }

    /// How many bytes of values may be alive at once, by what tasks were [said](crate::Delayed::bytes) to make.
    ///
    /// A task of which nothing was said counts as nothing, so that a limit on a graph without sizes limits nothing. Tasks without inputs,
    /// which bring new data in, wait while there is no room. The limit never stops a run: if nothing else can
    /// go on, the next task starts all the same.
    /// ```
    /// use delayed::{Run, apply, delayed};
    /// let parts: Vec<_> = (0..10)
    ///     .map(|i| delayed(move || vec![i; 100]).bytes(400).map(|part| part[0]).bytes(4))
    ///     .collect();
    /// let sum = apply(&parts, |parts| parts.into_iter().sum::<i32>()).bytes(4);
    /// assert_eq!(Run::new().threads(4).memory_limit(1000).compute(&sum)?, 45); // two parts are alive at once, not ten
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Lowers the [memory limit](Self::memory_limit) to so many bytes, if it is higher or there is none.
    /// ```
    /// use delayed::{Run, delayed};
    /// let run = Run::new().memory_limit(500).memory_limit_at_most(1000);
    /// assert!(run.compute(&delayed(|| [0_u8; 800]).bytes(800)).is_err()); // larger than the limit
    /// ```
    pub fn memory_limit_at_most(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(self.memory_limit.map_or(bytes, |own| own.min(bytes)));
        self
    }

    /// Tells `observer` of the run's events. To look at it afterwards, hand over an `Arc` of it.
    /// ```
    /// use delayed::{Profile, Run, delayed};
    /// let profile = Profile::new(); // holds an `Arc` itself
    /// Run::new().observe(profile.clone()).compute(delayed(|| 1))?;
    /// assert_eq!(profile.tasks().len(), 1);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Notes an amount of the run as a whole, to be shown beside what its tasks [count](crate::count).
    pub fn note(mut self, name: &'static str, amount: u64) -> Self {
        self.notes.add(name, amount);
        self
    }

    /// After a failure, runs all tasks that do not depend on the failed one, and reports every failure at the end.
    /// ```
    /// use delayed::{Error, Run, try_delayed};
    /// let parts: Vec<_> = (0..4).map(|i| try_delayed(move || if i % 2 == 1 { Err("odd") } else { Ok(i) })).collect();
    /// let error = Run::new().keep_going().compute(&parts).unwrap_err();
    /// assert!(matches!(error, Error::Several { errors } if errors.len() == 2));
    /// ```
    pub fn keep_going(mut self) -> Self {
        self.keep_going = true;
        self
    }

    /// Which passes are made before the run; all if nothing is said. They change no value.
    ///
    /// A run has one choice only, whether equal [pure](crate::Delayed::pure) tasks are merged: it never sees what no output needs, a known
    /// value is no task for it, and the next task of a chain runs on the same worker without touching a queue, as fused ones would.
    /// ```
    /// use delayed::{Passes, Run, delayed};
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// static READS: AtomicUsize = AtomicUsize::new(0);
    /// let read = || delayed(|| READS.fetch_add(1, Relaxed)).pure("a.nc");
    /// Run::new().compute((read(), read()))?;
    /// assert_eq!(READS.load(Relaxed), 1);
    /// Run::new().passes(Passes::NONE).compute((read(), read()))?;
    /// assert_eq!(READS.load(Relaxed), 3);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn passes(mut self, passes: Passes) -> Self {
        self.passes = Some(passes);
        self
    }

    /// Computes one or several delayed values and gives their values in the same shape.
    ///
    /// May be called within a task, and from several threads at once.
    ///
    /// # Errors
    /// - [`Error::Failed`] or [`Error::Panicked`]: the first task that did; the tasks that were running then are waited for.
    /// - [`Error::Several`]: more than one did, with [`keep_going`](Run::keep_going) or since they were running already.
    /// - [`Error::Cancelled`]: the cancel token was used before the last task had run.
    /// - [`Error::AskedTwice`]: see [`Outputs`].
    /// - [`Error::TooBig`]: a task is said to make more than the memory limit.
    /// - [`Error::RepeatedKey`]: see [`Delayed::keyed`](crate::Delayed::keyed).
    /// - [`Error::TooDeep`]: within a task that computes within a task, and so on; mostly one that computes itself.
    pub fn compute<O: Outputs>(&self, outputs: O) -> Result<O::Values> {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let mut frozen = self.freeze(&wanted);
        let repeated = refuse_repeated(&frozen)?;
        let _within = Deeper::enter()?;
        scheduler::run(&mut frozen, self)?;
        Ok(outputs.values(&mut Take {
            entries: &mut frozen.entries,
            known: &frozen.known,
            outputs: frozen.outputs.iter(),
            repeated,
            lost: &[],
        }))
    }

    /// Computes what can be computed: in each place the value, or nothing if a task failed that it needs, and beside them what failed.
    ///
    /// The run [keeps going](Self::keep_going). One that is cancelled gives no value at all.
    /// ```
    /// use delayed::{Run, delayed, try_delayed};
    /// let (good, bad) = (delayed(|| 1), try_delayed(|| "x".parse::<u8>()).named("bad"));
    /// let ((one, none), outcome) = Run::new().salvage((&good, bad.map(|n| n + 1)));
    /// assert_eq!((one, none), (Some(1), None));
    /// assert_eq!(outcome.unwrap_err().task().unwrap().key.as_str(), "bad");
    /// ```
    /// # Errors
    /// As [`compute`](Self::compute), in the second place.
    pub fn salvage<O: Outputs>(&self, outputs: O) -> (O::Salvaged, Result<()>) {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let mut frozen = self.freeze(&wanted);
        let entered =
            refuse_repeated(&frozen).and_then(|repeated| Ok((repeated, Deeper::enter()?)));
        let ended = match &entered {
            Ok(_) => scheduler::run_noting_lost(&mut frozen, &self.clone().keep_going()),
            Err(_) => Ok(()),
        };
        let all = || vec![true; frozen.len()];
        let (repeated, lost, outcome) = match (entered, ended) {
            (Err(error), _) => (HashMap::new(), all(), Err(error)),
            (Ok((repeated, _)), Err((error, lost))) => {
                (repeated, lost.unwrap_or_else(all), Err(error))
            }
            (Ok((repeated, _)), Ok(())) => (repeated, Vec::new(), Ok(())),
        };
        let salvaged = outputs.salvage(&mut Take {
            entries: &mut frozen.entries,
            known: &frozen.known,
            outputs: frozen.outputs.iter(),
            repeated,
            lost: &lost,
        });
        (salvaged, outcome)
    }

    pub(crate) fn freeze<'g>(&self, wanted: &[&'g Node]) -> Frozen<'g> {
        Frozen::with(wanted, self.passes.is_none_or(|passes| passes.merge))
    }

    /// What stops it: its own tokens, and those of the run within whose task it is.
    pub(crate) fn stops(&self) -> Vec<CancelToken> {
        [self.cancel.clone(), scheduler::stops()].concat()
    }

    pub(crate) fn workers(&self) -> usize {
        match self.scheduler {
            Scheduler::Sequential => 1,
            Scheduler::Threads => self.threads.map_or_else(cores, NonZero::get),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("threads", &self.threads)
            .field("scheduler", &self.scheduler)
            .field("memory_limit", &self.memory_limit)
            .field("cancel", &self.cancel)
            .field("observers", &self.observers.len())
            .field("keep_going", &self.keep_going)
            .field("passes", &self.passes)
            .finish()
    }
}

impl Error {
    /// Runs the failed task again, with all that it needs, one task after another on this thread; a panic is not caught, so that a
    /// debugger or a backtrace stops where it happens.
    ///
    /// `outputs` are those that the failed run was asked for; other errors, and graphs in which there is no such task, replay as nothing.
    /// ```
    /// use delayed::delayed;
    /// let read = delayed(|| 3).named("read");
    /// let regrid = read.try_map(|n| if *n > 2 { Err("too many") } else { Ok(*n) }).named("regrid");
    /// let last = regrid.map(|n| n + 1);
    /// let error = last.compute().unwrap_err();
    /// let again = error.replay(&last).unwrap_err();
    /// assert_eq!(again.task().unwrap().key.as_str(), "regrid");
    /// # Ok::<(), delayed::Error>(())
    /// ```
    /// # Errors
    /// What the task returns this time.
    ///
    /// # Panics
    /// As the task does.
    pub fn replay<O: Outputs>(&self, outputs: O) -> Result<()> {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let Some(failed) = self.task() else {
            return Ok(());
        };
        let whole = Frozen::with(&wanted, failed.merged);
        let Some(task) = whole.find(&failed.key) else {
            return Ok(());
        };
        let mut alone = Frozen::with(&[whole.node(task)], failed.merged);
        let run = Run {
            let_panic: true,
            ..Run::new().scheduler(Scheduler::Sequential)
        };
        scheduler::run(&mut alone, &run)
    }
}

/// How many threads the machine runs at once; asking the system takes longer than a small graph.
fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));
    *CORES
}

/// The tasks that are asked for more than once, and how often; an error if the value of one cannot be had twice, or a key is not its
/// task's alone.
fn refuse_repeated(frozen: &Frozen<'_>) -> Result<HashMap<u32, usize>> {
    frozen.refuse_repeated_keys()?;
    if frozen.outputs.len() < 2 {
        return Ok(HashMap::new());
    }
    let mut tasks: Vec<u32> = frozen
        .outputs
        .iter()
        .copied()
        .filter(|output| output & KNOWN == 0)
        .collect();
    tasks.sort_unstable();
    let mut repeated = HashMap::new();
    for same in tasks.chunk_by(|a, b| a == b).filter(|same| same.len() > 1) {
        let pure = frozen
            .node(same[0] as usize)
            .with_notes(|notes| notes.pure().is_some());
        if pure != Some(true) {
            return Err(Error::AskedTwice {
                task: Box::new(frozen.trace(same[0])),
            });
        }
        repeated.insert(same[0], same.len());
    }
    Ok(repeated)
}
