//! Who rests and who is called: a run's caller sleeps when it finds no task, its guests leave their seats.
//!
//! The claim, and why it holds, is in `README.md`: no task lies in a queue while everyone who could run it rests.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::sync::{AtomicUsize, Condvar, Mutex, fence, wait};

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
            rest = wait(&self.wake_caller, rest);
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

/// `RUSTFLAGS="--cfg loom" cargo test -p delayed --release --lib models`
#[cfg(all(test, loom))]
mod models {
    use std::sync::atomic::Ordering::Acquire;

    use loom::{sync::Arc, thread};

    use super::*;

    /// A queue of which only the number of tasks is of interest; relaxed, so that only the protocol's fences order it.
    struct Run {
        idle: Idle,
        queued: AtomicUsize,
        done: AtomicUsize,
        invited: AtomicUsize,
    }

    impl Run {
        fn new(seats: usize) -> Arc<Self> {
            Arc::new(Run {
                idle: Idle::new(seats),
                queued: AtomicUsize::new(0),
                done: AtomicUsize::new(0),
                invited: AtomicUsize::new(0),
            })
        }

        fn push(&self) {
            self.queued.fetch_add(1, Relaxed);
            self.idle.call_one(|| {
                self.invited.fetch_add(1, Relaxed);
            });
        }

        fn has_work(&self) -> bool {
            self.queued.load(Relaxed) > 0
        }

        /// Takes one task, if there is one.
        fn pop(&self) -> bool {
            let mut queued = self.queued.load(Relaxed);
            while queued > 0 {
                match self
                    .queued
                    .compare_exchange(queued, queued - 1, Acquire, Relaxed)
                {
                    Ok(_) => return true,
                    Err(now) => queued = now,
                }
            }
            false
        }

        /// What the caller does: runs tasks until `all` are done.
        fn host(&self, all: usize) {
            loop {
                while self.pop() {
                    self.done.fetch_add(1, Relaxed);
                }
                if self.done.load(Relaxed) == all {
                    self.idle.end();
                }
                if self.idle.caller_rests(|| self.has_work()) == Rested::Leave {
                    return;
                }
            }
        }
    }

    /// The caller may be anywhere on its way to sleep when a task comes; it never sleeps over it.
    #[test]
    fn a_sleeping_caller_is_woken_for_a_task() {
        loom::model(|| {
            let run = Run::new(0);
            let guest = {
                let run = run.clone();
                thread::spawn(move || run.push())
            };
            run.host(1);
            guest.join().unwrap();
            assert_eq!(run.done.load(Relaxed), 1);
        });
    }

    /// A guest that leaves while a task comes either takes it or somebody is invited for it.
    #[test]
    fn a_leaving_guest_leaves_no_task_behind() {
        loom::model(|| {
            let run = Run::new(0);
            let guest = {
                let run = run.clone();
                thread::spawn(move || {
                    loop {
                        while run.pop() {
                            run.done.fetch_add(1, Relaxed);
                        }
                        if run.idle.guest_rests(|| run.has_work()) == Rested::Leave {
                            return;
                        }
                    }
                })
            };
            run.push();
            guest.join().unwrap();
            let (done, invited) = (run.done.load(Relaxed), run.invited.load(Relaxed));
            assert!(done == 1 || invited == 1, "done {done}, invited {invited}");
        });
    }

    /// Two tasks for a caller and a guest that both go to rest: both tasks are run, or somebody is invited for what is left.
    #[test]
    fn two_pushes_reach_a_resting_caller_and_a_leaving_guest() {
        loom::model(|| {
            let run = Run::new(1);
            let pusher = {
                let run = run.clone();
                thread::spawn(move || {
                    run.push();
                    run.push();
                })
            };
            run.host(2);
            pusher.join().unwrap();
            assert_eq!(run.done.load(Relaxed), 2);
        });
    }

    /// The end of a run wakes the caller wherever it is.
    #[test]
    fn the_end_wakes_the_caller() {
        loom::model(|| {
            let run = Run::new(0);
            let guest = {
                let run = run.clone();
                thread::spawn(move || run.idle.end())
            };
            while run.idle.caller_rests(|| false) == Rested::Again {}
            guest.join().unwrap();
        });
    }
}
