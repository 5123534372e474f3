//! What a worker does: find a task, run it, publish its value, go on with the best dependent.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam::utils::{Backoff, CachePadded};
use parking_lot::Mutex;

use crate::{
    audited::pool::{self, Guests, Invite},
    cancel::CancelToken,
};

use super::{
    idle::{Idle, Rested},
    inside::InTasks,
    stack::Stack,
    state::State,
};

/// Tasks that take less than this on average are small.
const SMALL: Duration = Duration::from_micros(2);

/// Runs all tasks in rank order on this thread.
///
/// Rank order is a topological order, so nothing has to be counted but the consumers of values.
pub(crate) fn alone(state: &State<'_, '_>) {
    let _inside = InTasks::begin(&state.stops());
    let mut failed = false;
    for task in 0..state.len() as u32 {
        if state.stopping() {
            return;
        }
        if failed && state.lacks_input(task) {
            state.poison(task);
        }
        if !state.execute(task, 0, true) {
            failed = true;
            state.poison(task);
        }
    }
    // A failure in the last task stops the run after the fact; `end` looks at the failures first.
    state.finish_all();
}

/// Runs all tasks on this thread and up to `workers - 1` guests from the pool.
pub(crate) fn together(state: &State<'_, '_>, workers: usize) {
    let team = Team {
        state,
        stacks: (0..workers)
            .map(|_| CachePadded::new(Stack::new()))
            .collect(),
        seats: (0..workers).map(|_| Mutex::new(())).collect(),
        idle: Idle::new(workers - 1),
        stops: state.stops(),
    };
    pool::lend(&team, workers - 1, |invite| {
        let seated = team.sit(0, invite);
        assert!(seated, "nobody else sits in the caller's seat");
    });
}

/// The workers of one run. Worker 0 is the caller.
struct Team<'t, 'r, 'g> {
    state: &'t State<'r, 'g>,
    /// What became ready at each seat.
    stacks: Vec<CachePadded<Stack>>,
    /// Locked while someone sits there.
    seats: Vec<Mutex<()>>,
    idle: Idle,
    stops: Arc<[CancelToken]>,
}

impl Guests for Team<'_, '_, '_> {
    fn take_part(&self, invite: &Invite) {
        // An invitation is for a seat that is free, or that its guest is just leaving.
        while !(1..self.seats.len()).any(|seat| self.sit(seat, invite)) {
            thread::yield_now();
        }
    }
}

impl Team<'_, '_, '_> {
    /// Works in a seat; false if it is taken.
    fn sit(&self, seat: usize, invite: &Invite) -> bool {
        let Some(_seat) = self.seats[seat].try_lock() else {
            return false;
        };
        let _inside = InTasks::begin(&self.stops);
        // Tasks catch their own panics; this one is an observer's, or ours.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.work(seat, invite))) {
            self.state.break_off(payload);
            self.idle.end();
        }
        true
    }

    /// Works until the run is over or, for a guest, until there is nothing to do.
    fn work(&self, seat: usize, invite: &Invite) {
        let stack = &*self.stacks[seat];
        let mut pace = Pace::unknown();
        let mut next = None;
        // Tasks on their way to the stack.
        let mut ready = Vec::new();
        // Whoever called this worker may have left more than it can take; it calls the next one then.
        let mut just_came = true;
        while !self.state.stopping() {
            let Some(task) = next
                .take()
                .or_else(|| stack.pop())
                .or_else(|| self.look_around(seat, &mut pace, &mut ready))
            else {
                match self.rest(seat) {
                    Rested::Again => {
                        just_came = true;
                        continue;
                    }
                    Rested::Leave => return,
                }
            };
            if std::mem::take(&mut just_came) && self.has_work() {
                self.idle.call_one(|| invite.one());
            }
            if let Some(limits) = &self.state.limits
                && !limits.admit(task)
            {
                continue;
            }
            self.state.prefetch_dependents(task);
            let has_value = self.state.execute(task, seat, false);
            if let (false, Some(memory)) = (has_value, &self.state.memory) {
                memory.without_value(task);
            }
            pace.ran(task);
            next = self
                .state
                .finish(task, has_value, |dependent| ready.push(dependent));
            let mut more = self.hand_on(task, &mut ready);
            if !ready.is_empty() {
                stack.push_all(&mut ready);
                more = true;
            }
            if more {
                self.idle.call_one(|| invite.one());
            }
        }
        self.idle.end();
    }

    /// After a task of a run with limits: makes way for those that waited for it; says whether a root may start that could not before.
    fn hand_on(&self, task: u32, ready: &mut Vec<u32>) -> bool {
        if let Some(limits) = &self.state.limits {
            limits.leave(task, |waited| ready.push(waited));
        }
        let Some(memory) = &self.state.memory else {
            return false;
        };
        memory.finish();
        self.state.has_roots()
    }

    /// A task from someone else's stack; if there is none, a root.
    ///
    /// In this order since a root brings new data into memory and a waiting task uses up what is there. The thief takes the uppermost
    /// task, the one nearest to what its owner works on, so that both are in the same branch and its values go soon. Of small tasks it
    /// takes the upper half, and roots by the dozen: fetching each from another core would take longer than running it.
    fn look_around(&self, seat: usize, pace: &mut Pace, taken: &mut Vec<u32>) -> Option<u32> {
        let small = pace.is_small();
        let workers = self.stacks.len();
        for other in 1..workers {
            let victim = &self.stacks[(seat + other) % workers];
            if !small {
                if let Some(task) = victim.pop() {
                    return Some(task);
                }
                continue;
            }
            victim.take_half(taken);
            if !taken.is_empty() {
                break;
            }
        }
        if !small {
            return self.state.open_root(pace.last);
        }
        if taken.is_empty() {
            self.state.open_roots(taken);
        }
        let best = taken.pop();
        if !taken.is_empty() {
            self.stacks[seat].push_all(taken);
        }
        best
    }

    fn has_work(&self) -> bool {
        self.state.has_roots() || self.stacks.iter().any(|stack| !stack.is_empty())
    }

    /// Waits a few microseconds for tasks, then rests.
    fn rest(&self, seat: usize) -> Rested {
        let backoff = Backoff::new();
        loop {
            if self.state.finished() {
                self.idle.end();
                return Rested::Leave;
            }
            if self.has_work() || self.state.stopping() {
                return Rested::Again;
            }
            if backoff.is_completed() {
                break;
            }
            backoff.snooze();
        }
        if seat == 0 {
            self.idle.caller_rests(|| self.has_work())
        } else {
            self.idle.guest_rests(|| self.has_work())
        }
    }
}

/// How long a worker's tasks take, on average since it last looked around.
struct Pace {
    since: Instant,
    tasks: u32,
    small: bool,
    /// The task that it ran last.
    last: Option<u32>,
}

impl Pace {
    /// Tasks are taken for long ones until something is known of them: long ones may hold much.
    fn unknown() -> Self {
        Pace {
            since: Instant::now(),
            tasks: 0,
            small: false,
            last: None,
        }
    }

    #[inline]
    fn ran(&mut self, task: u32) {
        self.tasks += 1;
        self.last = Some(task);
    }

    /// Whether the tasks since this was last asked were small; if there were none, what it was before.
    fn is_small(&mut self) -> bool {
        let now = Instant::now();
        if self.tasks > 0 {
            self.small = now - self.since < SMALL * self.tasks;
        }
        self.since = now;
        self.tasks = 0;
        self.small
    }
}
