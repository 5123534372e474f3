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
///
/// Tasks that take the same limits are one *crowd*: of those of a crowd that wait, only the best need be looked at.
pub(crate) struct Limits {
    /// The crowd of each limited task.
    crowds: HashMap<u32, usize>,
    /// The limits that each crowd takes.
    needs: Vec<Vec<usize>>,
    /// The crowds that take each limit.
    takers: Vec<Vec<usize>>,
    state: Mutex<Parked>,
}

struct Parked {
    /// How often each limit can be taken still.
    free: Vec<usize>,
    /// Those of each crowd that wait.
    waiting: Vec<BTreeSet<u32>>,
    /// Those that have their limits already when a worker comes to them.
    admitted: HashSet<u32>,
}

impl Limits {
    pub(crate) fn of(frozen: &Frozen<'_>) -> Option<Self> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut free: Vec<usize> = Vec::new();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut crowds: HashMap<u32, usize> = HashMap::new();
        for task in &frozen.steered {
            let limits = frozen
                .node(*task as usize)
                .with_notes(|notes| notes.limits().to_vec());
            let mut needs = Vec::new();
            for (name, at_once) in limits.into_iter().flatten() {
                let place = *places.entry(name.into_owned()).or_insert(free.len());
                if place == free.len() {
                    free.push(at_once);
                }
                // Tasks that disagree on a limit get the smaller one.
                free[place] = free[place].min(at_once);
                needs.push(place);
            }
            if !needs.is_empty() {
                needs.sort_unstable();
                needs.dedup();
                let next = known.len();
                crowds.insert(*task, *known.entry(needs).or_insert(next));
            }
        }
        let mut needs = vec![Vec::new(); known.len()];
        let mut takers = vec![Vec::new(); free.len()];
        for (limits, crowd) in known {
            for limit in &limits {
                takers[*limit].push(crowd);
            }
            needs[crowd] = limits;
        }
        let parked = Parked {
            free,
            waiting: vec![BTreeSet::new(); needs.len()],
            admitted: HashSet::new(),
        };
        (!crowds.is_empty()).then(|| Limits {
            crowds,
            needs,
            takers,
            state: Mutex::new(parked),
        })
    }

    /// Takes a task's limits; if that cannot be, parks it.
    pub(crate) fn admit(&self, task: u32) -> bool {
        let Some(crowd) = self.crowds.get(&task) else {
            return true;
        };
        let mut state = self.state.lock();
        if state.admitted.remove(&task) || state.take(&self.needs[*crowd]) {
            return true;
        }
        state.waiting[*crowd].insert(task);
        false
    }

    /// Gives a task's limits back and hands on those that can go now, by falling rank.
    pub(crate) fn leave(&self, task: u32, mut push: impl FnMut(u32)) {
        let Some(crowd) = self.crowds.get(&task) else {
            return;
        };
        let given_back = &self.needs[*crowd];
        let mut state = self.state.lock();
        for limit in given_back {
            state.free[*limit] += 1;
        }
        let mut going = Vec::new();
        // Nobody else can go: what the others lack was not given back.
        let touched = || given_back.iter().flat_map(|limit| &self.takers[*limit]);
        while let Some((waiting, crowd)) = state.best(touched().copied(), &self.needs) {
            state.take(&self.needs[crowd]);
            state.waiting[crowd].remove(&waiting);
            state.admitted.insert(waiting);
            going.push(waiting);
        }
        drop(state);
        going.into_iter().rev().for_each(&mut push);
    }
}

impl Parked {
    fn can_take(&self, needs: &[usize]) -> bool {
        needs.iter().all(|limit| self.free[*limit] > 0)
    }

    fn take(&mut self, needs: &[usize]) -> bool {
        let can = self.can_take(needs);
        if can {
            needs.iter().for_each(|limit| self.free[*limit] -= 1);
        }
        can
    }

    /// The best task that waits in one of some crowds and could have its limits, and its crowd.
    fn best(
        &self,
        crowds: impl Iterator<Item = usize>,
        needs: &[Vec<usize>],
    ) -> Option<(u32, usize)> {
        crowds
            .filter(|crowd| self.can_take(&needs[*crowd]))
            .filter_map(|crowd| Some((*self.waiting[crowd].first()?, crowd)))
            .min()
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
    /// Wider than one size, so that no sum of them overflows.
    live: u128,
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
        state.live -= u128::from(self.bytes[task as usize]);
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
            state.live -= u128::from(self.bytes[task as usize]);
        }
    }
}

impl Use {
    fn begin(&mut self, bytes: u64) {
        self.in_flight += 1;
        self.live += u128::from(bytes);
    }

    fn has_room(&self, bytes: u64, limit: u64) -> bool {
        self.in_flight == 0 || self.live + u128::from(bytes) <= u128::from(limit)
    }
}
