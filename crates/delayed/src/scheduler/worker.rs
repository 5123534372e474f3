//! What a worker does: find a task, run it, publish its value, go on with the best dependent.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use crossbeam::{
    deque::{Steal, Stealer, Worker as Deque},
    utils::Backoff,
};
use parking_lot::Mutex;

use crate::cancel::CancelToken;

use super::{
    idle::{Idle, Rested},
    inside::InTasks,
    pool::{self, Guests, Invite},
    state::State,
};

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
    let deques: Vec<Deque<u32>> = (0..workers).map(|_| Deque::new_lifo()).collect();
    let team = Team {
        state,
        stealers: deques.iter().map(Deque::stealer).collect(),
        seats: deques.into_iter().map(Mutex::new).collect(),
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
    stealers: Vec<Stealer<u32>>,
    /// Each worker's own deque, locked while someone sits there.
    seats: Vec<Mutex<Deque<u32>>>,
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
        let Some(deque) = self.seats[seat].try_lock() else {
            return false;
        };
        let _inside = InTasks::begin(&self.stops);
        // Tasks catch their own panics; this one is an observer's, or ours.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.work(seat, &deque, invite))) {
            self.state.break_off(payload);
            self.idle.end();
        }
        true
    }

    /// Works until the run is over or, for a guest, until there is nothing to do.
    fn work(&self, seat: usize, deque: &Deque<u32>, invite: &Invite) {
        let mut next = None;
        // Whoever called this worker may have left more than it can take; it calls the next one then.
        let mut just_came = true;
        while !self.state.stopping() {
            let Some(task) = next
                .take()
                .or_else(|| deque.pop())
                .or_else(|| self.look_around(seat))
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
            let has_value = self.state.execute(task, seat, false);
            if let (false, Some(memory)) = (has_value, &self.state.memory) {
                memory.without_value(task);
            }
            let mut more = false;
            next = self.state.finish(task, has_value, |ready| {
                deque.push(ready);
                more = true;
            });
            if self.state.limits.is_some() || self.state.memory.is_some() {
                more |= self.hand_on(task, deque);
            }
            if more {
                self.idle.call_one(|| invite.one());
            }
        }
        self.idle.end();
    }

    /// After a task of a run with limits: makes way for those that waited for it; says whether there is more to do for others.
    fn hand_on(&self, task: u32, deque: &Deque<u32>) -> bool {
        let mut more = false;
        if let Some(limits) = &self.state.limits {
            limits.leave(task, |waited| {
                deque.push(waited);
                more = true;
            });
        }
        if let Some(memory) = &self.state.memory {
            memory.finish();
            more |= self.state.has_roots();
        }
        more
    }

    /// A task from someone else's queue, the oldest first; if there is none, one root.
    ///
    /// In this order since a root brings new data into memory and a waiting task uses up what is there.
    fn look_around(&self, seat: usize) -> Option<u32> {
        let workers = self.stealers.len();
        for other in 1..workers {
            let victim = &self.stealers[(seat + other) % workers];
            loop {
                match victim.steal() {
                    Steal::Success(task) => return Some(task),
                    Steal::Empty => break,
                    Steal::Retry => {}
                }
            }
        }
        self.state.open_root()
    }

    fn has_work(&self) -> bool {
        self.state.has_roots() || self.stealers.iter().any(|stealer| !stealer.is_empty())
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
