//! Who rests and who is called: a run's caller sleeps when it finds no task, its guests leave their seats.
//!
//! The claim, and why it holds, is in `README.md`: no task lies in a queue while everyone who could run it rests.

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    fence,
};

use parking_lot::{Condvar, Mutex};

/// The resting workers of one run.
pub(crate) struct Idle {
    /// How many could be called: free seats, and one for the caller if it sleeps. Changes under the lock only.
    resting: AtomicUsize,
    rest: Mutex<Rest>,
    wake_caller: Condvar,
}

struct Rest {
    seats: usize,
    caller_sleeps: bool,
    over: bool,
}

/// What became of a worker that found no task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rested {
    /// Look for tasks again.
    Again,
    /// Nothing more to do here.
    Leave,
}

impl Idle {
    /// `seats` guests may be called.
    pub(crate) fn new(seats: usize) -> Self {
        Idle {
            resting: AtomicUsize::new(seats),
            rest: Mutex::new(Rest {
                seats,
                caller_sleeps: false,
                over: false,
            }),
            wake_caller: Condvar::new(),
        }
    }

    /// Called after tasks were put where others can take them: calls one worker, if one rests.
    #[inline]
    pub(crate) fn call_one(&self, invite: impl FnOnce()) {
        // Orders our push before the look at `resting`; pairs with the fence in `nothing_to_do`.
        fence(SeqCst);
        if self.resting.load(Relaxed) > 0 {
            self.call_one_slowly(invite);
        }
    }

    #[cold]
    fn call_one_slowly(&self, invite: impl FnOnce()) {
        let mut rest = self.rest.lock();
        if rest.over {
            return;
        }
        if rest.caller_sleeps {
            rest.caller_sleeps = false;
            self.resting.fetch_sub(1, Relaxed);
            self.wake_caller.notify_one();
        } else if rest.seats > 0 {
            rest.seats -= 1;
            self.resting.fetch_sub(1, Relaxed);
            drop(rest);
            invite();
        }
    }

    /// A guest found nothing: it gives its seat back, and takes it again if there is work after all.
    pub(crate) fn guest_rests(&self, has_work: impl Fn() -> bool) -> Rested {
        {
            let mut rest = self.rest.lock();
            rest.seats += 1;
            self.resting.fetch_add(1, Relaxed);
        }
        if !self.nothing_to_do(&has_work) {
            let mut rest = self.rest.lock();
            // If the seat is gone, whoever pushed has called someone else onto it.
            if rest.seats > 0 && !rest.over {
                rest.seats -= 1;
                self.resting.fetch_sub(1, Relaxed);
                return Rested::Again;
            }
        }
        Rested::Leave
    }

    /// The caller found nothing: it sleeps until it is called or the run is over.
    pub(crate) fn caller_rests(&self, has_work: impl Fn() -> bool) -> Rested {
        let mut rest = self.rest.lock();
        if rest.over {
            return Rested::Leave;
        }
        rest.caller_sleeps = true;
        self.resting.fetch_add(1, Relaxed);
        if !self.nothing_to_do(&has_work) {
            rest.caller_sleeps = false;
            self.resting.fetch_sub(1, Relaxed);
            return Rested::Again;
        }
        while rest.caller_sleeps && !rest.over {
            self.wake_caller.wait(&mut rest);
        }
        if rest.over {
            Rested::Leave
        } else {
            Rested::Again
        }
    }

    /// Looks once more after it was announced that we rest.
    fn nothing_to_do(&self, has_work: impl Fn() -> bool) -> bool {
        // Orders the announcement before the look at the queues; pairs with the fence in `call_one`.
        fence(SeqCst);
        !has_work()
    }

    /// No task is left to start: the caller need not sleep any more and nobody is called.
    pub(crate) fn end(&self) {
        self.rest.lock().over = true;
        self.wake_caller.notify_one();
    }
}
