//! Owning a node together with everybody else who does, and dropping it with the last of them.
//!
//! A count of its own rather than an `Arc`: no weak count, so that a task with one input fits into one cache line with the allocator's
//! own word, and no atomic read-modify-write for a handle that is the only one, as most are when a graph is dropped.
//! That saves 20 ns and 16 bytes a task.
//!
//! Unsafe code rests on one rule: **a handle counts for one**. `Node`s on the heap are made by [`Handle::new`] with a count of one, each
//! clone adds one, each drop takes one away, and whoever takes the last one frees the node. So while there is a handle, there is its node.

use std::{
    cell::{Cell, RefCell},
    process,
    ptr::NonNull,
    sync::atomic::Ordering::{AcqRel, Acquire, Relaxed},
};

use crate::{
    sync::AtomicU32,
    task::{Node, Work},
};

/// How many handles there are on a node.
#[derive(Debug)]
pub(crate) struct Handles(AtomicU32);

impl Handles {
    /// For a node that is being made.
    pub(crate) fn one() -> Self {
        Handles(AtomicU32::new(1))
    }

    #[inline]
    fn add_one(&self) {
        // Nothing is published by a new handle; whoever clones one has seen the node. Half of all numbers are left for threads that
        // get here before the first one aborts.
        if self.0.fetch_add(1, Relaxed) > u32::MAX / 2 {
            process::abort();
        }
    }

    /// Says whether it was the last one.
    #[inline]
    fn take_one(&self) -> bool {
        // With a count of one it is ours alone, and nobody is there to clone it. The load acquires what the other handles released.
        self.0.load(Acquire) == 1 || self.0.fetch_sub(1, AcqRel) == 1
    }
}

/// Owns a node, shared with every other handle on it.
pub(crate) struct Handle(NonNull<Node>);

// SAFETY: a handle gives out `&Node` and drops the node on whatever thread the last handle goes; a node is `Send` and `Sync`, as
// `node_goes_anywhere` checks.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

const _: () = {
    const fn node_goes_anywhere<T: Send + Sync + ?Sized>() {}
    node_goes_anywhere::<Node>();
};

impl Handle {
    /// The first handle on a node.
    pub(crate) fn new<W: Work + 'static>(node: Node<W>) -> Self {
        let node: Box<Node> = Box::new(node);
        Handle(NonNull::from(Box::leak(node)))
    }

    #[inline]
    pub(crate) fn node(&self) -> &Node {
        // SAFETY: this handle counts for one, so the node is there, and only shared references to it are.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Handle {
    #[inline]
    fn clone(&self) -> Self {
        self.node().head.handles.add_one();
        Handle(self.0)
    }
}

impl Drop for Handle {
    #[inline]
    fn drop(&mut self) {
        if self.node().head.handles.take_one() {
            // SAFETY: this was the last handle, so nobody else has the node; it came from a box in `new`.
            dispose(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

thread_local! {
    /// How many drops of nodes are going on within each other on this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Nodes whose last handle is gone but which lie too deep to be dropped at once.
    static CONDEMNED: RefCell<Vec<Box<Node>>> = const { RefCell::new(Vec::new()) };
}

/// Drops a node, its inputs if nobody else has them, and so on.
///
/// So that a long chain does not eat the stack, nodes below a certain depth are put on a list that the outermost drop on this thread
/// works off.
fn dispose(node: Box<Node>) {
    const DEEP: u32 = 32;
    let depth = DEPTH.get();
    if depth == DEEP {
        // Late in a thread's life the list may be gone; then nothing is left but to go deeper.
        let _ = CONDEMNED.try_with(|list| list.borrow_mut().push(node));
        return;
    }
    let _deeper = Deeper::from(depth);
    drop(node);
    while depth == 0
        && let Ok(Some(next)) = CONDEMNED.try_with(|list| list.borrow_mut().pop())
    {
        drop(next);
    }
}

/// Counts a drop; puts the count back also if a value's own drop panics.
struct Deeper(u32);

impl From<u32> for Deeper {
    fn from(depth: u32) -> Self {
        DEPTH.set(depth + 1);
        Deeper(depth)
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(self.0);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{sync::Arc, thread};

    use crate::delayed;

    #[test]
    fn a_chain_of_a_million_tasks_is_dropped_without_recursion() {
        let mut last = delayed(|| 0_u64);
        for _ in 0..1_000_000 {
            last = last.map(|x| x + 1);
        }
        drop(last);
    }

    #[test]
    fn a_ladder_in_which_every_task_is_used_twice_is_dropped_without_recursion() {
        let mut last = delayed(|| 0_u64);
        for _ in 0..200_000 {
            last = crate::apply((&last, &last), |(a, b)| a + b);
        }
        drop(last);
    }

    #[test]
    fn a_node_is_dropped_with_its_last_handle_on_whatever_thread() {
        let captured = Arc::new(());
        let first = captured.clone();
        let task = delayed(move || Arc::strong_count(&first));
        thread::scope(|scope| {
            for _ in 0..4 {
                let task = task.clone();
                scope.spawn(move || {
                    for _ in 0..100 {
                        drop(task.clone());
                    }
                });
            }
        });
        assert_eq!(Arc::strong_count(&captured), 2);
        drop(task);
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p delayed --release --lib models`
#[cfg(all(test, loom))]
mod models {
    use std::{panic::Location, sync::atomic::AtomicUsize};

    use loom::{cell::UnsafeCell, sync::Arc, thread};

    use super::*;
    use crate::task;

    /// Loom sees it if it is dropped while somebody may still read it.
    struct Watched {
        seen: UnsafeCell<()>,
        drops: Arc<Drops>,
    }

    /// Not ordered by loom, so that counting orders nothing.
    #[derive(Default)]
    struct Drops(AtomicUsize);

    // SAFETY: the cell holds nothing; it only tells loom of reading and writing.
    unsafe impl Sync for Watched {}
    // SAFETY: as above.
    unsafe impl Send for Watched {}

    impl Clone for Watched {
        fn clone(&self) -> Self {
            self.seen.with(|_| ());
            Watched {
                seen: UnsafeCell::new(()),
                drops: Arc::new(Drops::default()),
            }
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            self.seen.with_mut(|_| ());
            self.drops.0.fetch_add(1, Relaxed);
        }
    }

    fn node() -> (Handle, Arc<Drops>) {
        let drops = Arc::new(Drops::default());
        let value = Watched {
            seen: UnsafeCell::new(()),
            drops: drops.clone(),
        };
        (task::constant(value, Location::caller()), drops)
    }

    fn read(handle: &Handle) {
        handle.node().work.clone_known();
    }

    /// Whichever of several handles goes last frees the node, once, after everybody has read it.
    #[test]
    fn the_last_of_three_handles_frees_the_node() {
        loom::model(|| {
            let (handle, drops) = node();
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let handle = handle.clone();
                    thread::spawn(move || {
                        read(&handle);
                        drop(handle);
                    })
                })
                .collect();
            read(&handle);
            drop(handle);
            for other in others {
                other.join().unwrap();
            }
            assert_eq!(drops.0.load(Relaxed), 1);
        });
    }

    /// A handle that is cloned while another one goes keeps the node.
    #[test]
    fn a_clone_made_beside_a_drop_keeps_the_node() {
        loom::model(|| {
            let (handle, drops) = node();
            let first = handle.clone();
            let other = thread::spawn(move || {
                let second = first.clone();
                drop(first);
                read(&second);
            });
            drop(handle);
            other.join().unwrap();
            assert_eq!(drops.0.load(Relaxed), 1);
        });
    }
}
