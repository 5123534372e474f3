//! The locks and atomics of what is modelled, the scheduler's protocols and the counts of handles: the real ones, or loom's when its
//! models are built (`--cfg loom`).

pub(crate) use self::chosen::{AtomicU32, AtomicUsize, Condvar, Mutex, MutexGuard, fence, wait};

#[cfg(not(loom))]
mod chosen {
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicUsize, fence};

    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

    /// Waits until called.
    pub(crate) fn wait<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
    ) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }
}

#[cfg(loom)]
mod chosen {
    pub(crate) use loom::sync::{
        Condvar, MutexGuard,
        atomic::{AtomicU32, AtomicUsize, fence},
    };

    /// A loom mutex that locks as parking_lot's does.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    /// Waits until called.
    pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap()
    }
}
