//! One run's counts and results.
//!
//! A task is
//! - *waiting* while its pending count is above zero;
//! - *ready* once it is zero: it lies in the list of roots, on one worker's stack, or in a worker's hand;
//! - *running* while a worker has it;
//! - *finished* when its value is stored (or it failed, or was skipped because an input failed) and its dependents' counts are lowered;
//! - *released* when the last dependent has finished and the value is dropped. Outputs are never released.

use std::{
    any::Any,
    iter,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU32, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
    time::Instant,
};

use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

use super::{
    gates::{Limits, Memory},
    inside,
};
use crate::{
    audited::values::{Call, KNOWN, Known, Watch},
    cancel::CancelToken,
    counts,
    error::{Cause, Result},
    frozen::Frozen,
    observe::{RunEnd, TaskEnd, TaskView},
    run::Run,
    task::Node,
    traffic,
};

/// The bit of a pending count that says that an input gave no value.
const POISONED: u32 = 1 << 31;
/// The bit of a pending count that says that a task without inputs was taken.
const CLAIMED: u32 = 1 << 30;
/// The count itself.
const COUNT: u32 = CLAIMED - 1;
/// How far ahead of its rank a root may be opened because its value can be used sooner.
const FAR: usize = 256;
/// How many roots are opened by rank alone after a search ahead that found nothing.
const PATIENCE: usize = 4;
/// How many inputs of a task are looked at to see what it waits for.
const MANY: usize = 32;
/// How many dependents' counts are fetched ahead.
const PREFETCHED: usize = 8;
/// How many roots are opened at once where tasks are small.
const AT_ONCE: usize = 16;

/// What only a run on several threads needs to know of its graph.
#[derive(Default)]
pub(crate) struct Links {
    /// The dependents of all tasks one after another, those of each by rank.
    dependents: Vec<u32>,
    /// Tasks without inputs, by rank.
    roots: Vec<u32>,
    /// How many tasks have no dependents.
    sinks: usize,
}

/// Finds them, before outputs count as read by the caller; puts into the entries where each task's dependents start.
pub(crate) fn links(frozen: &mut Frozen<'_>) -> Links {
    let Frozen {
        entries,
        dependencies,
        ..
    } = frozen;
    let mut end = 0;
    let mut roots = Vec::new();
    let mut sinks = 0;
    for (task, entry) in entries.iter_mut().enumerate() {
        let dependents = entry.consumers();
        sinks += usize::from(dependents == 0);
        end += dependents;
        entry.first_dependent = end;
        if *entry.pending.get_mut() == 0 {
            roots.push(task as u32);
        }
    }
    let mut dependents = vec![0; end as usize];
    // From the last task to the first, each list filled from its end: so the lists end up sorted and their starts in place.
    let mut rest = dependencies.as_slice();
    for task in (0..entries.len()).rev() {
        let (before, own) = rest.split_at(entries[task].first_dependency as usize);
        rest = before;
        for dependency in own.iter().filter(|dependency| **dependency & KNOWN == 0) {
            let place = &mut entries[*dependency as usize].first_dependent;
            *place -= 1;
            dependents[*place as usize] = task as u32;
        }
    }
    Links {
        dependents,
        roots,
        sinks,
    }
}

/// One run.
pub(crate) struct State<'r, 'g> {
    frozen: &'r Frozen<'g>,
    settings: &'r Run,
    /// Some observer wants to hear of each task.
    watched: bool,
    known: Vec<&'g Known>,
    /// See [`Links`]; empty for a run on one thread, which needs none.
    dependents: Vec<u32>,
    /// See [`Links`]; those before `next_root` are taken.
    roots: Vec<u32>,
    next_root: CachePadded<AtomicUsize>,
    /// How many roots to open before the next search for a better one.
    patience: AtomicUsize,
    /// Tasks without dependents that have not finished. Every task leads to one, so none is left when this is zero.
    sinks: CachePadded<AtomicUsize>,
    /// No new task may start, for whatever reason. Runs within our tasks look at it too.
    stop: CancelToken,
    /// What stops the run from outside.
    cancel: Vec<CancelToken>,
    cancelled: AtomicBool,
    /// A task has no value although it did not fail.
    gave_up: AtomicBool,
    pub(crate) limits: Option<Limits>,
    pub(crate) memory: Option<Memory>,
    failures: Mutex<Vec<(u32, Cause)>>,
    /// What broke a worker itself: an observer's panic.
    broken: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'r, 'g> State<'r, 'g> {
    /// A run on one thread.
    pub(crate) fn alone(frozen: &'r Frozen<'g>, settings: &'r Run) -> Result<Self> {
        let links = Links {
            sinks: 1,
            ..Links::default()
        };
        let mut state = Self::together(frozen, settings, links)?;
        // One thread has no choice of what to start; that no task can never fit is checked by now.
        state.memory = None;
        Ok(state)
    }

    /// A run on several threads.
    pub(crate) fn together(
        frozen: &'r Frozen<'g>,
        settings: &'r Run,
        links: Links,
    ) -> Result<Self> {
        let memory = settings
            .memory_limit
            .map(|limit| Memory::of(frozen, limit))
            .transpose()?;
        let known = |node: &&'g Node| node.work.known().expect("a known node has its value");
        Ok(State {
            frozen,
            settings,
            watched: settings
                .observers
                .iter()
                .any(|observer| observer.watches_tasks()),
            known: frozen.known.iter().map(known).collect(),
            dependents: links.dependents,
            roots: links.roots,
            next_root: CachePadded::new(AtomicUsize::new(0)),
            patience: AtomicUsize::new(0),
            sinks: CachePadded::new(AtomicUsize::new(links.sinks)),
            stop: CancelToken::new(),
            cancel: settings.stops(),
            cancelled: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
            limits: if frozen.steered.is_empty() {
                None
            } else {
                Limits::of(frozen)
            },
            memory,
            failures: Mutex::new(Vec::new()),
            broken: Mutex::new(None),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.frozen.entries.len()
    }

    /// Whether no new task may start.
    #[inline]
    pub(crate) fn stopping(&self) -> bool {
        if self.stop.is_cancelled() {
            return true;
        }
        let cancelled =
            !self.cancel.is_empty() && self.cancel.iter().any(CancelToken::is_cancelled);
        if cancelled && self.sinks.load(Relaxed) > 0 {
            self.cancelled.store(true, Relaxed);
            self.stop.cancel();
        }
        cancelled
    }

    /// Whether every task has finished.
    pub(crate) fn finished(&self) -> bool {
        self.sinks.load(Acquire) == 0
    }

    /// Whether every task has finished and has a value, unless it failed or needs one that did. For a run that is over.
    pub(crate) fn is_complete(&self) -> bool {
        self.finished() && !self.gave_up.load(Relaxed)
    }

    /// What stops the run, for those who run its tasks.
    pub(crate) fn stops(&self) -> Arc<[CancelToken]> {
        iter::once(&self.stop)
            .chain(&self.cancel)
            .cloned()
            .collect()
    }

    /// A task without inputs that nobody has taken, for a worker that ran `last`: one that goes on with `last`, else the next one in rank
    /// order whose value can be used soon, else just the next one.
    ///
    /// It goes on with `last` if the first dependent of `last` waits for such tasks only. It can be used soon if its own first dependent
    /// waits for nothing but tasks that have started or have no inputs themselves. Else, as in a long sum to which one value after
    /// another is added, workers would read ahead of the one that adds.
    pub(crate) fn open_root(&self, last: Option<u32>) -> Option<u32> {
        if self.memory.is_none()
            && let Some(root) = last.and_then(|last| self.open_missing_root(last))
        {
            return Some(root);
        }
        loop {
            let next = self.next_root.load(Relaxed);
            let root = *self.roots.get(next)?;
            if let Some(memory) = &self.memory {
                let take = || {
                    self.next_root
                        .compare_exchange(next, next + 1, Relaxed, Relaxed)
                        .is_ok()
                };
                return memory.open(root, take).then_some(root);
            }
            if !self.is_useful(root)
                && let Some(better) = self.open_useful_root(next + 1)
            {
                return Some(better);
            }
            let ours = self
                .next_root
                .compare_exchange(next, next + 1, Relaxed, Relaxed)
                .is_ok();
            if ours && self.claim(root) {
                return Some(root);
            }
        }
    }

    /// The next few tasks without inputs, for a worker whose tasks are small; the best is the last in `into`.
    pub(crate) fn open_roots(&self, into: &mut Vec<u32>) {
        if self.memory.is_some() {
            into.extend(self.open_root(None));
            return;
        }
        while into.is_empty() {
            let next = self.next_root.load(Relaxed);
            let end = self.roots.len().min(next + AT_ONCE);
            if next >= end {
                return;
            }
            let ours = self
                .next_root
                .compare_exchange(next, end, Relaxed, Relaxed)
                .is_ok();
            if ours {
                let free = self.roots[next..end].iter().rev().copied();
                into.extend(free.filter(|root| self.claim(*root)));
            }
        }
    }

    /// A task without inputs that the first dependent of `last` still waits for, if it waits for no others.
    fn open_missing_root(&self, last: u32) -> Option<u32> {
        let dependent = *self.dependents(last).first()?;
        let mut missing = None;
        for input in self.task_dependencies(dependent).take(MANY) {
            if !self.has_started(input) {
                return None;
            }
            if missing.is_none() && !self.is_claimed(input) && self.is_root(input) {
                missing = Some(input);
            }
        }
        missing.filter(|root| self.claim(*root))
    }

    /// A root from `first` on, but not far, that can be used soon.
    #[cold]
    fn open_useful_root(&self, first: usize) -> Option<u32> {
        // Where nothing was found, the search rests for a while: it must not cost more than tasks do.
        if self.patience.load(Relaxed) > 0 {
            self.patience.fetch_sub(1, Relaxed);
            return None;
        }
        let near = self.roots.iter().skip(first).take(FAR).copied();
        let found = near
            .into_iter()
            .find(|root| !self.is_claimed(*root) && self.is_useful(*root) && self.claim(*root));
        if found.is_none() {
            self.patience.store(PATIENCE, Relaxed);
        }
        found
    }

    fn is_useful(&self, root: u32) -> bool {
        self.dependents(root).first().is_none_or(|dependent| {
            let mut inputs = self.task_dependencies(*dependent).take(MANY);
            inputs.all(|input| self.has_started(input))
        })
    }

    /// The tasks that read a task's value, by rank.
    fn dependents(&self, task: u32) -> &[u32] {
        let entries = &self.frozen.entries;
        let first = entries[task as usize].first_dependent as usize;
        let end = entries
            .get(task as usize + 1)
            .map_or(self.dependents.len(), |next| next.first_dependent as usize);
        &self.dependents[first..end]
    }

    /// The tasks whose values a task reads.
    fn task_dependencies(&self, task: u32) -> impl Iterator<Item = u32> {
        self.frozen
            .dependencies(task as usize)
            .iter()
            .copied()
            .filter(|dependency| dependency & KNOWN == 0)
    }

    /// Whether a task waits for nothing: it was taken, or has no inputs.
    fn has_started(&self, task: u32) -> bool {
        self.frozen.entries[task as usize].pending.load(Relaxed) & COUNT == 0
    }

    fn is_root(&self, task: u32) -> bool {
        self.task_dependencies(task).next().is_none()
    }

    fn is_claimed(&self, root: u32) -> bool {
        self.frozen.entries[root as usize].pending.load(Relaxed) & CLAIMED != 0
    }

    /// Takes a root; false if somebody else has it.
    fn claim(&self, root: u32) -> bool {
        self.frozen.entries[root as usize]
            .pending
            .fetch_or(CLAIMED, Relaxed)
            & CLAIMED
            == 0
    }

    /// Whether there is a task without inputs that may start.
    pub(crate) fn has_roots(&self) -> bool {
        let next = self.next_root.load(Relaxed);
        match (&self.memory, self.roots.get(next)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(memory), Some(root)) => memory.has_room(*root),
        }
    }

    /// Has the counts of a task's dependents brought here while the task runs, if there are several: lowered one after another,
    /// each would be waited for. A single one is mostly a sum that other workers add to just as well.
    #[inline]
    pub(crate) fn prefetch_dependents(&self, task: u32) {
        if let several @ [_, _, ..] = self.dependents(task) {
            for dependent in several.iter().rev().take(PREFETCHED) {
                self.frozen.entries[*dependent as usize].prefetch();
            }
        }
    }

    /// Runs one task, or skips it if an input is missing; says whether there is a value now.
    pub(crate) fn execute(&self, task: u32, worker: usize, alone: bool) -> bool {
        let entry = &self.frozen.entries[task as usize];
        let call = Call::new(
            &self.frozen.entries,
            &self.frozen.dependencies,
            &self.known,
            task,
            alone,
            (self.watched || self.memory.is_some()).then_some(self as &dyn Watch),
        );
        if entry.pending.load(Relaxed) & POISONED != 0 {
            self.release_after_failure(&call);
            self.tell(|observer| observer.task_skipped(&self.view(task)));
            return false;
        }
        if !self.watched {
            return self.attempt(&call);
        }
        let view = self.view(task);
        self.tell(|observer| observer.task_started(&view, worker));
        let started = Instant::now();
        let counted = counts::counted(|| traffic::counted(|| self.attempt(&call)));
        let end = TaskEnd::new(worker, started, counted);
        self.tell(|observer| observer.task_finished(&view, &end));
        end.succeeded
    }

    fn attempt(&self, call: &Call<'_>) -> bool {
        let node = self.frozen.entries[call.task as usize].node;
        let mut retries = 0;
        if !self.frozen.steered.is_empty() {
            retries = node.with_notes(|notes| notes.retries).unwrap_or(0);
        }
        let cause = loop {
            call.set_last_attempt(retries == 0);
            let run = AssertUnwindSafe(|| node.work.run(call));
            let outcome = if self.settings.let_panic {
                Ok(run())
            } else {
                catch_unwind(run)
            };
            let cause = match outcome {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => Cause::Error(error),
                Err(payload) => {
                    let (message, place) = inside::describe(payload);
                    Cause::Panic { message, place }
                }
            };
            if retries == 0 || call.has_released() || self.stopping() {
                break cause;
            }
            retries -= 1;
        };
        // A task that gave up, or was given up, since the run was stopping did not fail: the run has its reason already.
        let could_try_again = retries > 0 && !call.has_released();
        let gave_up = self.stopping() && (could_try_again || inside::was_told());
        self.release_after_failure(call);
        if gave_up {
            self.gave_up.store(true, Relaxed);
            return false;
        }
        self.failures.lock().push((call.task, cause));
        if !self.settings.keep_going {
            self.stop.cancel();
        }
        false
    }

    /// Gives up the inputs of a task that has no use for them any more.
    fn release_after_failure(&self, call: &Call<'_>) {
        if !call.has_released() {
            // A panic in a value's own drop has nowhere to go: the task is lost already.
            let release = || {
                self.frozen.entries[call.task as usize]
                    .node
                    .work
                    .release(call)
            };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(release)) {
                inside::discard(payload);
            }
        }
    }

    /// Tells a finished task's dependents; hands those that became ready to `push`, except the one to run next.
    ///
    /// `push` gets them by falling rank, so that the end of a last-in, first-out queue is the best one.
    #[inline]
    pub(crate) fn finish(
        &self,
        task: u32,
        has_value: bool,
        mut push: impl FnMut(u32),
    ) -> Option<u32> {
        let dependents = self.dependents(task);
        if dependents.is_empty() {
            self.sinks.fetch_sub(1, AcqRel);
            return None;
        }
        let mut best = None;
        for dependent in dependents.iter().rev() {
            if !lower(&self.frozen.entries[*dependent as usize].pending, has_value) {
                continue;
            }
            if let Some(memory) = &self.memory {
                memory.ready(*dependent);
            }
            if let Some(second) = best.replace(*dependent) {
                push(second);
            }
        }
        best
    }

    /// Marks a task that gave no value, for a run on one thread: there, whoever comes later asks.
    pub(crate) fn poison(&self, task: u32) {
        self.frozen.entries[task as usize]
            .pending
            .fetch_or(POISONED, Relaxed);
    }

    /// Whether some dependency was marked by [`poison`](Self::poison).
    pub(crate) fn lacks_input(&self, task: u32) -> bool {
        self.task_dependencies(task).any(|dependency| {
            let pending = &self.frozen.entries[dependency as usize].pending;
            pending.load(Relaxed) & POISONED != 0
        })
    }

    /// Marks all tasks as finished; for a run on one thread.
    pub(crate) fn finish_all(&self) {
        self.sinks.store(0, Relaxed);
    }

    /// Stops the run for a reason that is not a task's.
    pub(crate) fn break_off(&self, payload: Box<dyn Any + Send>) {
        self.broken.lock().get_or_insert(payload);
        self.stop.cancel();
    }

    /// How the run ended.
    ///
    /// # Panics
    /// With the panic of an observer, if there was one.
    pub(crate) fn end(&self) -> RunEnd {
        if let Some(payload) = self.broken.lock().take() {
            resume_unwind(payload);
        }
        if !self.failures.lock().is_empty() {
            RunEnd::Failed
        } else if self.cancelled.load(Relaxed) {
            RunEnd::Cancelled
        } else {
            assert!(
                self.is_complete(),
                "a run ended with tasks that nobody had run"
            );
            RunEnd::Finished
        }
    }

    pub(crate) fn into_failures(self) -> Vec<(u32, Cause)> {
        self.failures.into_inner()
    }

    fn view(&self, task: u32) -> TaskView<'_> {
        TaskView {
            frozen: self.frozen,
            rank: task,
        }
    }

    fn tell(&self, event: impl Fn(&dyn crate::observe::Observer)) {
        for observer in &self.settings.observers {
            event(&**observer);
        }
    }
}

impl Watch for State<'_, '_> {
    fn released(&self, task: u32) {
        // First, or what takes its room would be heard of as if both were there.
        self.tell(|observer| observer.value_released(&self.view(task)));
        if let Some(memory) = &self.memory {
            memory.released(task);
        }
    }
}

/// Takes one from a pending count; says whether the task is ready now.
#[inline]
fn lower(pending: &AtomicU32, has_value: bool) -> bool {
    if !has_value {
        pending.fetch_or(POISONED, Relaxed);
    } else if pending.load(Acquire) == 1 {
        // Ours is the last dependency: nobody else writes to the count any more, but some look whether the task has started.
        pending.store(0, Relaxed);
        return true;
    }
    pending.fetch_sub(1, AcqRel) & COUNT == 1
}
