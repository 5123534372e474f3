//! The threads that outlive runs, and how a run that lives on its caller's stack is lent to them. Starting threads for each run would take 54 us
//! each.
//!
//! Unsafe code: one borrow's lifetime is hidden from the compiler. A [`Guests`] is lent for the length of [`lend`], which does not
//! return, not even by a panic, before the last guest has left and no invitation is left.

use std::{collections::VecDeque, sync::LazyLock, thread};

use crate::sync::{Condvar, Mutex, MutexGuard, wait};

/// Something that pool threads can take part in.
pub(crate) trait Guests: Sync {
    /// Works on it until there is nothing to do; does not panic.
    fn take_part(&self, invite: &Invite);
}

/// A borrow without its lifetime; only [`Pool`] holds one, and only until `lend` ends.
#[derive(Clone, Copy)]
struct Lent(*const (dyn Guests + 'static));

// SAFETY: it stands for a `&dyn Guests`, and `Guests` is `Sync`.
unsafe impl Send for Lent {}

impl Lent {
    fn address(self) -> *const () {
        self.0.cast()
    }
}

struct Pool {
    /// Everything changes under this lock.
    state: Mutex<PoolState>,
    /// An invitation came.
    invited: Condvar,
    /// The last guest of some run left.
    left: Condvar,
}

#[derive(Default)]
struct PoolState {
    invitations: VecDeque<(Lent, usize)>,
    /// Runs with guests in them, and how many.
    present: Vec<(*const (), usize)>,
    threads: usize,
    idle: usize,
}

// SAFETY: the addresses in `present` are only compared.
unsafe impl Send for PoolState {}

static POOL: LazyLock<Pool> = LazyLock::new(Pool::new);

/// Calls pool threads to a run that is lent to the pool.
pub(crate) struct Invite {
    pool: &'static Pool,
    run: Lent,
    guests: usize,
}

/// Ends when the run is nobody's but the caller's again.
struct Lease {
    pool: &'static Pool,
    run: Lent,
}

/// Lends `run` to the pool while `host` works; at most `guests` threads are started for it.
pub(crate) fn lend(run: &dyn Guests, guests: usize, host: impl FnOnce(&Invite)) {
    POOL.lend(run, guests, host);
}

impl Pool {
    fn new() -> Self {
        Pool {
            state: Mutex::new(PoolState::default()),
            invited: Condvar::new(),
            left: Condvar::new(),
        }
    }

    fn lend(&'static self, run: &dyn Guests, guests: usize, host: impl FnOnce(&Invite)) {
        // SAFETY: only the lifetime changes. The lease, which is dropped before this function ends, however it ends, takes back
        // every invitation and waits for every guest; the pool uses the borrow nowhere else.
        let run = Lent(unsafe {
            std::mem::transmute::<*const (dyn Guests + '_), *const (dyn Guests + 'static)>(run)
        });
        let _lease = Lease { pool: self, run };
        host(&Invite {
            pool: self,
            run,
            guests,
        });
    }

    fn start_thread(&'static self) {
        let started = thread::Builder::new()
            .name("delayed".to_string())
            .spawn(|| self.serve());
        if started.is_err() {
            // The caller of a run can do all of it alone; a run with fewer threads is slower, not wrong.
            self.state.lock().threads -= 1;
        }
    }

    /// What a pool thread does all its life.
    fn serve(&'static self) {
        let mut state = self.state.lock();
        loop {
            state = match self.enter(&mut state) {
                Some(invite) => {
                    drop(state);
                    invite.accept();
                    self.state.lock()
                }
                None => self.idle(state),
            };
        }
    }

    /// The next invitation, for a thread that is present in its run from now on.
    fn enter(&'static self, state: &mut PoolState) -> Option<Invite> {
        let (run, guests) = state.invitations.pop_front()?;
        let address = run.address();
        match state.present.iter_mut().find(|(run, _)| *run == address) {
            Some((_, present)) => *present += 1,
            None => state.present.push((address, 1)),
        }
        Some(Invite {
            pool: self,
            run,
            guests,
        })
    }

    /// Waits for an invitation; there may be none for all that.
    fn idle<'a>(&self, mut state: MutexGuard<'a, PoolState>) -> MutexGuard<'a, PoolState> {
        state.idle += 1;
        state = wait(&self.invited, state);
        state.idle -= 1;
        state
    }
}

impl Invite {
    /// Asks one pool thread to come; it comes when it has nothing else to do.
    pub(crate) fn one(&self) {
        let mut state = self.pool.state.lock();
        state.invitations.push_back((self.run, self.guests));
        if state.idle < state.invitations.len() && state.threads < self.guests {
            state.threads += 1;
            drop(state);
            self.pool.start_thread();
        } else {
            self.pool.invited.notify_one();
        }
    }

    /// Takes part in the run, for one who has [entered](Pool::enter), and leaves it.
    fn accept(self) {
        // SAFETY: the invitation was there when we entered, so its lease is; the lease's drop waits until we are no longer `present`.
        let run = unsafe { &*self.run.0 };
        run.take_part(&self);
        let address = self.run.address();
        let mut state = self.pool.state.lock();
        let place = state
            .present
            .iter()
            .position(|(run, _)| *run == address)
            .expect("we are present");
        state.present[place].1 -= 1;
        if state.present[place].1 == 0 {
            state.present.swap_remove(place);
            self.pool.left.notify_all();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let address = self.run.address();
        let mut state = self.pool.state.lock();
        loop {
            // Each time anew: a guest that is still there may have invited others on its way out.
            state
                .invitations
                .retain(|(lent, _)| lent.address() != address);
            if !state.present.iter().any(|(run, _)| *run == address) {
                return;
            }
            state = wait(&self.pool.left, state);
        }
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p delayed --release --lib models`
#[cfg(all(test, loom))]
mod models {
    use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

    use loom::{
        cell::UnsafeCell,
        thread::{self, JoinHandle},
    };

    use super::*;
    use crate::sync::AtomicUsize;

    /// What lies on a caller's stack: loom sees it if the caller takes it away while a guest may still read it.
    struct OnStack {
        memory: UnsafeCell<()>,
        visits: AtomicUsize,
        /// How many guests call another one while they are there.
        calls: AtomicUsize,
    }

    // SAFETY: the cell holds nothing; it only tells loom of reading and writing.
    unsafe impl Sync for OnStack {}

    impl OnStack {
        fn new(calls: usize) -> Self {
            OnStack {
                memory: UnsafeCell::new(()),
                visits: AtomicUsize::new(0),
                calls: AtomicUsize::new(calls),
            }
        }

        /// The caller goes on to other things.
        fn take_away(self) {
            self.memory.with_mut(|_| ());
        }
    }

    impl Guests for OnStack {
        fn take_part(&self, invite: &Invite) {
            self.memory.with(|_| ());
            let calls = self.calls.load(Relaxed);
            if calls > 0 {
                self.calls.store(calls - 1, Relaxed);
                invite.one();
            }
            self.visits.fetch_add(1, Release);
            self.memory.with(|_| ());
        }
    }

    /// A pool of its own for each run of a model; it has all its threads, so none is started behind loom's back.
    fn pool(threads: usize) -> &'static Pool {
        let pool: &Pool = Box::leak(Box::new(Pool::new()));
        pool.state.lock().threads = threads;
        pool
    }

    /// A pool thread that goes away when it finds no invitation.
    fn passer_by(pool: &'static Pool) -> JoinHandle<()> {
        thread::spawn(move || {
            let invite = pool.enter(&mut pool.state.lock());
            if let Some(invite) = invite {
                invite.accept();
            }
        })
    }

    /// Wherever the guest is when the caller is done, the run's memory stays until the guest has left.
    #[test]
    fn nobody_is_in_a_run_that_has_ended() {
        loom::model(|| {
            let pool = pool(1);
            let guest = passer_by(pool);
            let run = OnStack::new(0);
            pool.lend(&run, 1, Invite::one);
            run.take_away();
            guest.join().unwrap();
        });
    }

    /// A guest calls another one while the run ends: that one comes in time or not at all.
    #[test]
    fn an_invitation_by_a_leaving_guest_is_taken_back() {
        loom::model(|| {
            let pool = pool(2);
            let guests = [passer_by(pool), passer_by(pool)];
            let run = OnStack::new(1);
            pool.lend(&run, 2, Invite::one);
            run.take_away();
            for guest in guests {
                guest.join().unwrap();
            }
            assert!(pool.state.lock().invitations.is_empty());
        });
    }

    /// A thread on its way to sleep is not asleep when an invitation lies there.
    #[test]
    fn an_invitation_reaches_an_idle_thread() {
        loom::model(|| {
            let pool = pool(1);
            let guest = thread::spawn(move || {
                let mut state = pool.state.lock();
                let invite = loop {
                    match pool.enter(&mut state) {
                        Some(invite) => break invite,
                        None => state = pool.idle(state),
                    }
                };
                drop(state);
                invite.accept();
            });
            let run = OnStack::new(0);
            pool.lend(&run, 1, |invite| {
                invite.one();
                while run.visits.load(Acquire) == 0 {
                    thread::yield_now();
                }
            });
            run.take_away();
            guest.join().unwrap();
        });
    }
}
