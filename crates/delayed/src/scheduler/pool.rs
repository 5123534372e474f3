//! The threads that outlive runs, and how a run that lives on its caller's stack is lent to them.
//!
//! Unsafe code: one borrow's lifetime is hidden from the compiler. A [`Guests`] is lent for the length of [`lend`], which does not
//! return, not even by a panic, before the last guest has left and no invitation is left.

#![expect(
    unsafe_code,
    reason = "threads that outlive a run cannot name its lifetime; starting threads for each run takes 54 us each"
)]

use std::{collections::VecDeque, sync::LazyLock, thread};

use parking_lot::{Condvar, Mutex};

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

#[derive(Default)]
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

static POOL: LazyLock<Pool> = LazyLock::new(Pool::default);

/// Calls pool threads to a run that is lent to the pool.
pub(crate) struct Invite {
    run: Lent,
    guests: usize,
}

/// Ends when the run is nobody's but the caller's again.
struct Lease(Lent);

/// Lends `run` to the pool while `host` works; at most `guests` threads are started for it.
pub(crate) fn lend(run: &dyn Guests, guests: usize, host: impl FnOnce(&Invite)) {
    // SAFETY: only the lifetime changes. The lease, which is dropped before this function ends, however it ends, takes back
    // every invitation and waits for every guest; the pool uses the borrow nowhere else.
    let run = unsafe {
        std::mem::transmute::<*const (dyn Guests + '_), *const (dyn Guests + 'static)>(run)
    };
    let _lease = Lease(Lent(run));
    host(&Invite {
        run: Lent(run),
        guests,
    });
}

impl Invite {
    /// Asks one pool thread to come; it comes when it has nothing else to do.
    pub(crate) fn one(&self) {
        let mut state = POOL.state.lock();
        state.invitations.push_back((self.run, self.guests));
        if state.idle < state.invitations.len() && state.threads < self.guests {
            state.threads += 1;
            drop(state);
            start_thread();
        } else {
            POOL.invited.notify_one();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let address = self.0.0.cast::<()>();
        let mut state = POOL.state.lock();
        loop {
            // Each time anew: a guest that is still there may have invited others on its way out.
            state
                .invitations
                .retain(|(lent, _)| lent.0.cast::<()>() != address);
            if !state.present.iter().any(|(run, _)| *run == address) {
                return;
            }
            POOL.left.wait(&mut state);
        }
    }
}

fn start_thread() {
    let started = thread::Builder::new()
        .name("delayed".to_string())
        .spawn(serve);
    if started.is_err() {
        // The caller of a run can do all of it alone; a run with fewer threads is slower, not wrong.
        POOL.state.lock().threads -= 1;
    }
}

/// What a pool thread does all its life.
fn serve() {
    let mut state = POOL.state.lock();
    loop {
        let Some((run, guests)) = state.invitations.pop_front() else {
            state.idle += 1;
            POOL.invited.wait(&mut state);
            state.idle -= 1;
            continue;
        };
        let address = run.0.cast::<()>();
        match state
            .present
            .iter_mut()
            .find(|(present, _)| *present == address)
        {
            Some((_, present)) => *present += 1,
            None => state.present.push((address, 1)),
        }
        drop(state);
        // SAFETY: the invitation was there, so its lease is; the lease's drop waits until we are no longer `present`.
        let lent = unsafe { &*run.0 };
        lent.take_part(&Invite { run, guests });
        state = POOL.state.lock();
        let place = state
            .present
            .iter()
            .position(|(present, _)| *present == address)
            .expect("we are present");
        state.present[place].1 -= 1;
        if state.present[place].1 == 0 {
            state.present.swap_remove(place);
            POOL.left.notify_all();
        }
    }
}
