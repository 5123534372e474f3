//! Which ready tasks have to wait: named limits and the memory limit. Tasks are parked, workers are not.
//!
//! # Named limits
//! A task takes all its limits at once or none, and gives them back when it has run. One that cannot is parked; whoever gives limits back
//! hands on the parked tasks that can go now, the best first. A parked task thus waits for a running one, never for another parked one.
//!
//! # Memory
//! Live bytes are the expected sizes of all values that exist or are being made. Only tasks without inputs wait for room: they bring new
//! data in, while the others use it up. If nothing is in flight (no task running, queued or parked), the next one goes whatever its
//! size: so a limit that is too small makes a run slow, not stuck.

use std::collections::{BTreeSet, HashMap, HashSet};

use parking_lot::Mutex;

use crate::{
    error::{Error, Result},
    frozen::Frozen,
};

/// The limits of one run; made only if some task has one.
pub(crate) struct Limits {
    /// The limits that each limited task takes.
    needs: HashMap<u32, Vec<usize>>,
    state: Mutex<Parked>,
}

struct Parked {
    free: Vec<usize>,
    waiting: BTreeSet<u32>,
    /// Those that have their limits already when a worker comes to them.
    admitted: HashSet<u32>,
}

impl Limits {
    pub(crate) fn of(frozen: &Frozen<'_>) -> Option<Self> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut free: Vec<usize> = Vec::new();
        let mut needs: HashMap<u32, Vec<usize>> = HashMap::new();
        for task in &frozen.steered {
            let limits = frozen
                .node(*task as usize)
                .head
                .with_notes(|notes| notes.limits.clone());
            for (name, at_once) in limits.into_iter().flatten() {
                let place = *places.entry(name.into_owned()).or_insert(free.len());
                if place == free.len() {
                    free.push(at_once);
                }
                // Tasks that disagree on a limit get the smaller one.
                free[place] = free[place].min(at_once);
                let needs = needs.entry(*task).or_default();
                if !needs.contains(&place) {
                    needs.push(place);
                }
            }
        }
        let parked = Parked {
            free,
            waiting: BTreeSet::new(),
            admitted: HashSet::new(),
        };
        (!needs.is_empty()).then(|| Limits {
            needs,
            state: Mutex::new(parked),
        })
    }

    /// Takes a task's limits; if that cannot be, parks it.
    pub(crate) fn admit(&self, task: u32) -> bool {
        let Some(needs) = self.needs.get(&task) else {
            return true;
        };
        let mut state = self.state.lock();
        if state.admitted.remove(&task) || state.take(needs) {
            return true;
        }
        state.waiting.insert(task);
        false
    }

    /// Gives a task's limits back and hands on those that can go now, by falling rank.
    pub(crate) fn leave(&self, task: u32, mut push: impl FnMut(u32)) {
        let Some(needs) = self.needs.get(&task) else {
            return;
        };
        let mut state = self.state.lock();
        for place in needs {
            state.free[*place] += 1;
        }
        let mut going = Vec::new();
        for waiting in state.waiting.clone() {
            if state.free.iter().all(|free| *free == 0) {
                break;
            }
            if state.take(&self.needs[&waiting]) {
                state.waiting.remove(&waiting);
                state.admitted.insert(waiting);
                going.push(waiting);
            }
        }
        drop(state);
        going.into_iter().rev().for_each(&mut push);
    }
}

impl Parked {
    fn take(&mut self, needs: &[usize]) -> bool {
        let can = needs.iter().all(|place| self.free[*place] > 0);
        if can {
            needs.iter().for_each(|place| self.free[*place] -= 1);
        }
        can
    }
}

/// The memory limit of one run, with what each task's value is expected to take.
pub(crate) struct Memory {
    limit: u64,
    bytes: Vec<u64>,
    state: Mutex<Use>,
}

#[derive(Default)]
struct Use {
    live: u64,
    /// Tasks that are running, queued or parked.
    in_flight: usize,
    /// Tasks that gave no value, so that nothing is released with them.
    empty: HashSet<u32>,
}

impl Memory {
    pub(crate) fn of(frozen: &Frozen<'_>, limit: u64) -> Result<Self> {
        let expected = |task: usize| {
            frozen
                .node(task)
                .head
                .with_notes(|notes| notes.bytes)
                .flatten()
                .unwrap_or(0)
        };
        let bytes: Vec<u64> = (0..frozen.len()).map(expected).collect();
        if let Some(task) = bytes.iter().position(|bytes| *bytes > limit) {
            let task_trace = Box::new(frozen.trace(task as u32));
            return Err(Error::TooBig {
                task: task_trace,
                bytes: bytes[task],
                limit,
            });
        }
        Ok(Memory {
            limit,
            bytes,
            state: Mutex::new(Use::default()),
        })
    }

    /// Whether a task without inputs may start now.
    pub(crate) fn has_room(&self, root: u32) -> bool {
        self.state
            .lock()
            .has_room(self.bytes[root as usize], self.limit)
    }

    /// Lets a task without inputs start, if it may, and keeps room for its value; `take` says whether nobody else has taken it.
    pub(crate) fn open(&self, root: u32, take: impl FnOnce() -> bool) -> bool {
        let mut state = self.state.lock();
        let opened = state.has_room(self.bytes[root as usize], self.limit) && take();
        if opened {
            state.begin(self.bytes[root as usize]);
        }
        opened
    }

    /// Counts a task that became ready, and its value, which nothing holds back any more.
    pub(crate) fn ready(&self, task: u32) {
        self.state.lock().begin(self.bytes[task as usize]);
    }

    /// Notes that a task gave no value, so that nothing stays of it.
    ///
    /// Before its dependents are told: the next worker may give up the value that is not there at once.
    pub(crate) fn without_value(&self, task: u32) {
        let mut state = self.state.lock();
        state.live -= self.bytes[task as usize];
        state.empty.insert(task);
    }

    /// Counts a task that has finished.
    ///
    /// After its dependents are told: until then the task is what keeps the run from opening a root beyond the limit.
    pub(crate) fn finish(&self) {
        self.state.lock().in_flight -= 1;
    }

    /// Counts a value that was dropped.
    pub(crate) fn released(&self, task: u32) {
        let mut state = self.state.lock();
        if !state.empty.contains(&task) {
            state.live -= self.bytes[task as usize];
        }
    }
}

impl Use {
    fn begin(&mut self, bytes: u64) {
        self.in_flight += 1;
        self.live += bytes;
    }

    fn has_room(&self, bytes: u64, limit: u64) -> bool {
        self.in_flight == 0 || self.live + bytes <= limit
    }
}
