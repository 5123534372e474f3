//! [`Run`]: the settings of a computation.

use std::{fmt, num::NonZero, sync::Arc, thread};

use crate::{
    cancel::CancelToken,
    error::{Error, Result},
    frozen::Frozen,
    observe::Observer,
    outputs::{Outputs, Take},
    scheduler,
    values::KNOWN,
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
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) keep_going: bool,
}

impl Run {
    /// One thread for each core, stop at the first failure, nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many threads may work, the caller's among them; 0 is one for each core, the default.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = NonZero::new(threads);
        self
    }

    /// Who runs the tasks.
    pub fn scheduler(mut self, scheduler: Scheduler) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// Stops the run when `token` is cancelled.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = Some(token.clone());
        self
    }

    /// Tells `observer` of the run's events. To look at it afterwards, hand over an `Arc` of it.
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// After a failure, runs all tasks that do not depend on the failed one, and reports every failure at the end.
    pub fn keep_going(mut self) -> Self {
        self.keep_going = true;
        self
    }

    /// Computes one or several delayed values and gives their values in the same shape.
    ///
    /// May be called within a task, and from several threads at once.
    ///
    /// # Errors
    /// - [`Error::Failed`] or [`Error::Panicked`]: the first task that did; the tasks that were running then are waited for.
    /// - [`Error::Several`]: more than one did, with [`keep_going`](Run::keep_going).
    /// - [`Error::Cancelled`]: the cancel token was used before the last task had run.
    /// - [`Error::AskedTwice`]: see [`Outputs`].
    pub fn compute<O: Outputs>(&self, outputs: O) -> Result<O::Values> {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let mut frozen = Frozen::of(&wanted);
        refuse_repeated(&frozen)?;
        scheduler::run(&mut frozen, self)?;
        Ok(outputs.values(&mut Take {
            entries: &mut frozen.entries,
            known: &frozen.known,
            outputs: frozen.outputs.iter(),
        }))
    }

    pub(crate) fn workers(&self) -> usize {
        match self.scheduler {
            Scheduler::Sequential => 1,
            Scheduler::Threads => self
                .threads
                .or_else(|| thread::available_parallelism().ok())
                .map_or(1, NonZero::get),
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("threads", &self.threads)
            .field("scheduler", &self.scheduler)
            .field("cancel", &self.cancel)
            .field("observers", &self.observers.len())
            .field("keep_going", &self.keep_going)
            .finish()
    }
}

fn refuse_repeated(frozen: &Frozen<'_>) -> Result<()> {
    if frozen.outputs.len() < 2 {
        return Ok(());
    }
    let mut tasks: Vec<u32> = frozen
        .outputs
        .iter()
        .copied()
        .filter(|output| output & KNOWN == 0)
        .collect();
    tasks.sort_unstable();
    match tasks.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::AskedTwice {
            task: Box::new(frozen.trace(pair[0])),
        }),
        None => Ok(()),
    }
}
