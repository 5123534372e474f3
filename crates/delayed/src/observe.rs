//! The few events of a run that progress bars, profiles and logs are made of.

use std::{borrow::Cow, fmt, panic::Location, sync::Arc, time::Instant};

use crate::{
    counts::Counts,
    frozen::Frozen,
    graph::{Graph, TaskId},
    key::Label,
    traffic::Traffic,
};

/// Sees a run as it goes.
///
/// The methods are called on the thread where the event happens, for several tasks at once, and hold the worker up while they run.
/// All do nothing unless written. A run without observers does not read the clock. An observer that panics ends the run, and the panic
/// goes on into the caller, except in `value_released`, where it counts as one of the task that was the value's last user. One that is
/// given to several runs at once hears of all of them: better to give each its own.
/// ```
/// use delayed::{Delayed, Observer, Run, TaskEnd, TaskView, delayed};
/// #[derive(Debug)]
/// struct Log;
/// impl Observer for Log {
///     fn task_finished(&self, task: &TaskView<'_>, end: &TaskEnd) {
///         println!("{} took {:?} on worker {}", task.label(), end.finished - end.started, end.worker);
///     }
/// }
/// Run::new().observe(Log).compute(delayed(|| 1).named("one"))?;
/// # Ok::<(), delayed::Error>(())
/// ```
pub trait Observer: Send + Sync {
    /// Whether it wants to hear of each task; if no observer does, a run costs what it costs without any.
    fn watches_tasks(&self) -> bool {
        true
    }
    /// The tasks are known, none has started.
    fn run_started(&self, run: &RunView<'_>) {
        let _ = run;
    }
    /// A worker is about to run a task.
    fn task_started(&self, task: &TaskView<'_>, worker: usize) {
        let _ = (task, worker);
    }
    /// A task has run, well or not.
    fn task_finished(&self, task: &TaskView<'_>, end: &TaskEnd) {
        let _ = (task, end);
    }
    /// A task will not run, since one that it depends on failed in a run that keeps going.
    fn task_skipped(&self, task: &TaskView<'_>) {
        let _ = task;
    }
    /// A task's value was dropped, since nobody needs it any more.
    fn value_released(&self, task: &TaskView<'_>) {
        let _ = task;
    }
    /// No task of the run will start any more and none is running.
    fn run_finished(&self, end: RunEnd) {
        let _ = end;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn watches_tasks(&self) -> bool {
        (**self).watches_tasks()
    }
    fn run_started(&self, run: &RunView<'_>) {
        (**self).run_started(run);
    }
    fn task_started(&self, task: &TaskView<'_>, worker: usize) {
        (**self).task_started(task, worker);
    }
    fn task_finished(&self, task: &TaskView<'_>, end: &TaskEnd) {
        (**self).task_finished(task, end);
    }
    fn task_skipped(&self, task: &TaskView<'_>) {
        (**self).task_skipped(task);
    }
    fn value_released(&self, task: &TaskView<'_>) {
        (**self).value_released(task);
    }
    fn run_finished(&self, end: RunEnd) {
        (**self).run_finished(end);
    }
}

/// A run that begins.
#[derive(Clone, Copy)]
pub struct RunView<'a> {
    pub(crate) frozen: &'a Frozen<'a>,
    pub(crate) workers: usize,
    pub(crate) notes: &'a Counts,
}

impl<'a> RunView<'a> {
    /// How many tasks there are.
    pub fn tasks(&self) -> usize {
        self.frozen.len()
    }

    /// How many threads may work on it, the caller's among them.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// What was [noted](crate::Run::note) of the run.
    pub fn notes(&self) -> &'a Counts {
        self.notes
    }

    /// One task by its rank.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn task(&self, rank: usize) -> TaskView<'a> {
        assert!(rank < self.tasks(), "task {rank} of {}", self.tasks());
        TaskView {
            frozen: self.frozen,
            rank: rank as u32,
        }
    }

    /// Tells runs apart that go on at the same time.
    pub(crate) fn address(&self) -> usize {
        address(self.frozen)
    }

    /// The graph of the run: keys, dependencies, groups. Its tasks have the numbers of [`TaskView::id`].
    pub fn graph(&self) -> Graph {
        Graph::from_frozen(self.frozen)
    }
}

fn address(frozen: &Frozen<'_>) -> usize {
    std::ptr::from_ref(frozen).addr()
}

impl fmt::Debug for RunView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunView")
            .field("tasks", &self.tasks())
            .field("workers", &self.workers)
            .finish()
    }
}

/// A task of a run.
#[derive(Clone, Copy)]
pub struct TaskView<'a> {
    pub(crate) frozen: &'a Frozen<'a>,
    pub(crate) rank: u32,
}

impl TaskView<'_> {
    /// The task's number: its place in the order in which one thread alone would run the tasks.
    pub fn id(&self) -> TaskId {
        TaskId(self.rank)
    }

    /// [`RunView::address`] of its run.
    pub(crate) fn run_address(&self) -> usize {
        address(self.frozen)
    }

    /// The task's label.
    pub fn label(&self) -> Label {
        self.frozen.node(self.rank as usize).label()
    }

    /// The task's group, if it has one.
    pub fn group(&self) -> Option<Cow<'static, str>> {
        self.frozen
            .node(self.rank as usize)
            .with_notes(|notes| notes.group.clone())
            .flatten()
    }

    /// The expected size of its value, if the user gave one.
    pub fn bytes(&self) -> Option<u64> {
        self.frozen
            .node(self.rank as usize)
            .with_notes(|notes| notes.bytes)
            .flatten()
    }

    /// Where it was built.
    pub fn site(&self) -> &'static Location<'static> {
        self.frozen.node(self.rank as usize).head.site
    }
}

impl fmt::Debug for TaskView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskView({}, {})", self.rank, self.label())
    }
}

/// How a task ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskEnd {
    /// The worker that ran it; 0 is the caller's thread.
    pub worker: usize,
    /// When it started.
    pub started: Instant,
    /// When it ended.
    pub finished: Instant,
    /// Whether it gave a value.
    pub succeeded: bool,
    /// Bytes that it [counted](crate::count_read) as read and written.
    pub traffic: Traffic,
    /// What else it [counted](crate::count).
    pub counts: Counts,
}

impl TaskEnd {
    pub(crate) fn new(
        worker: usize,
        started: Instant,
        ((succeeded, traffic), counts): ((bool, Traffic), Counts),
    ) -> Self {
        TaskEnd {
            traffic,
            counts,
            worker,
            started,
            finished: Instant::now(),
            succeeded,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunEnd {
    /// Every output has its value.
    Finished,
    /// At least one task failed.
    Failed,
    /// It was told to stop.
    Cancelled,
}
