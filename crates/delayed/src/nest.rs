//! Runs within tasks of other runs: how deep a thread is in them, and whether one waits for itself.
//!
//! A thread that waits for a run takes part in it and in nothing else. So what goes on above on its stack is within that run, and a
//! thread's own notes are enough to see a cycle: each round of one that goes over several threads uses up one more of them.

use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::error::{Error, Result};

/// Runs within each other on one thread. A run takes some kilobytes of stack, and the tasks between take theirs, of two megabytes that a
/// thread has at least.
const DEEPEST: usize = 100;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static FLATTENED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, this thread is in one more run.
pub(crate) struct Deeper(());

impl Deeper {
    /// # Errors
    /// [`Error::TooDeep`].
    pub(crate) fn enter() -> Result<Self> {
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            return Err(Error::TooDeep { runs: depth });
        }
        DEPTH.set(depth + 1);
        Ok(Deeper(()))
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Which task it is that runs an inner graph.
#[derive(Clone, Copy)]
pub(crate) struct FlattenId(u64);

/// While it lives, this thread runs the inner graph of a task.
pub(crate) struct Flattening(());

impl FlattenId {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        FlattenId(NEXT.fetch_add(1, Relaxed))
    }

    /// # Errors
    /// [`Error::Cycle`] if the thread runs the inner graph of this task already.
    pub(crate) fn enter(self) -> Result<Flattening> {
        FLATTENED.with_borrow_mut(|flattened| {
            if flattened.contains(&self.0) {
                return Err(Error::Cycle);
            }
            flattened.push(self.0);
            Ok(Flattening(()))
        })
    }
}

impl Drop for Flattening {
    fn drop(&mut self) {
        FLATTENED.with_borrow_mut(|flattened| flattened.pop());
    }
}
