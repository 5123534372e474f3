//! The ready tasks that wait for one worker: it takes the newest, and so, mostly, does whoever helps it.
//!
//! A lock rather than a lock-free deque, since thieves of those can only take the oldest entry: the one farthest from where the
//! owner works, whose values then live beside the owner's until the two meet. The owner pays no more for it: taking a lock that nobody
//! else wants costs what a lock-free queue's fence does, all tasks that become ready together are pushed under one, and an empty stack
//! is seen without it.

use std::sync::atomic::Ordering::Relaxed;

use crate::sync::{AtomicUsize, Mutex};

/// How many tasks are handed over at once.
const MANY: usize = 64;

/// Tasks, the best on top.
pub(crate) struct Stack {
    /// How many there are. Written under the lock, read without it.
    len: AtomicUsize,
    tasks: Mutex<Vec<u32>>,
}

impl Stack {
    pub(crate) fn new() -> Self {
        Stack {
            len: AtomicUsize::new(0),
            tasks: Mutex::new(Vec::new()),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(Relaxed) == 0
    }

    /// Puts tasks on top, the last one uppermost; leaves none in `tasks`.
    pub(crate) fn push_all(&self, tasks: &mut Vec<u32>) {
        let mut stack = self.tasks.lock();
        stack.append(tasks);
        self.len.store(stack.len(), Relaxed);
    }

    /// Takes the uppermost task.
    #[inline]
    pub(crate) fn pop(&self) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let mut stack = self.tasks.lock();
        let top = stack.pop();
        self.len.store(stack.len(), Relaxed);
        top
    }

    /// Takes the upper half, at most [`MANY`] tasks and at least one, if there is one; the best is the last in `into`.
    pub(crate) fn take_half(&self, into: &mut Vec<u32>) {
        if self.is_empty() {
            return;
        }
        let mut stack = self.tasks.lock();
        let left = stack.len() - stack.len().div_ceil(2).min(MANY);
        into.extend(stack.drain(left..));
        self.len.store(left, Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_taken_first_and_halves_from_above() {
        let stack = Stack::new();
        stack.push_all(&mut vec![9, 8, 7, 6, 5]);
        assert_eq!(stack.pop(), Some(5));
        let mut half = Vec::new();
        stack.take_half(&mut half);
        assert_eq!(half, [7, 6]);
        assert_eq!(
            [stack.pop(), stack.pop(), stack.pop()],
            [Some(8), Some(9), None]
        );
        assert!(stack.is_empty());
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p delayed --release --lib models`
#[cfg(all(test, loom))]
mod models {
    use loom::{sync::Arc, thread};

    use super::*;

    /// An owner and a thief at once: every task is taken once, by one of them.
    fn share(steal: fn(&Stack, &mut Vec<u32>)) {
        loom::model(move || {
            let stack = Arc::new(Stack::new());
            let thief = {
                let stack = stack.clone();
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    steal(&stack, &mut taken);
                    taken
                })
            };
            stack.push_all(&mut vec![3, 2, 1]);
            let mut taken: Vec<u32> = stack.pop().into_iter().collect();
            stack.push_all(&mut vec![0]);
            taken.extend(std::iter::from_fn(|| stack.pop()));
            taken.extend(thief.join().unwrap());
            taken.extend(std::iter::from_fn(|| stack.pop()));
            taken.sort_unstable();
            assert_eq!(taken, [0, 1, 2, 3]);
        });
    }

    #[test]
    fn a_thief_of_one_and_the_owner_take_every_task_once() {
        share(|stack, taken| taken.extend(stack.pop()));
    }

    #[test]
    fn a_thief_of_half_and_the_owner_take_every_task_once() {
        share(Stack::take_half);
    }
}
