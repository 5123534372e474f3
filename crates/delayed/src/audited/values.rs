//! The values of one run: where a task leaves its result, how its dependents borrow it, and when it is dropped.
//!
//! An [`Entry`] is one task's place in a run; a [`Call`] is what the task is given when it runs. Values without an `Arc` and a type
//! test each save 65 ns a task; the price is unsafe code.
//!
//! A [`Slot`] holds one value whose type is erased: in place up to three words, else behind one `Box`. It knows neither the type nor
//! whether it is full; its users keep four rules, and every `unsafe` here rests on them:
//!
//! 1. **One type.** A slot belongs to one task and only ever holds that task's `T`. A `Delayed<T>` is made together with its task, so
//!    whoever reads through a `Delayed<T>` reads a `T`.
//! 2. **Written first.** `put` happens once, before any `get`, `take` or `clear`, and the run's pending counts (release on the
//!    writer's decrement, acquire on the reader's) order it before the readers on other threads.
//! 3. **Read while counted.** `get` is only called by a dependent that has not given up its consumer count yet; the reference
//!    does not outlive that.
//! 4. **Emptied last.** `take` and `clear` happen when the consumer count has reached zero (its acquire orders them after all
//!    readers), or when the run is over and nobody else holds the slot.

use std::{
    any::Any,
    cell::{Cell, UnsafeCell},
    mem::{MaybeUninit, align_of, needs_drop, size_of},
    sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use crate::task::Node;

type Words = [MaybeUninit<usize>; 3];

/// Room for one value of any type.
pub(crate) struct Slot {
    words: UnsafeCell<Words>,
    /// How to drop what is inside; `None` if it is empty or needs no dropping.
    drop: UnsafeCell<Option<unsafe fn(*mut Words)>>,
    #[cfg(debug_assertions)]
    holds: UnsafeCell<Option<std::any::TypeId>>,
}

// SAFETY: `put` takes only `Send + Sync` values, and rules 2 to 4 order every access on whatever thread it happens.
unsafe impl Sync for Slot {}
// SAFETY: as above; the value inside is `Send`.
unsafe impl Send for Slot {}

const fn in_place<T>() -> bool {
    size_of::<T>() <= size_of::<Words>() && align_of::<T>() <= align_of::<Words>()
}

/// Whether something is gained when a `T` is dropped before the end of the run.
const fn needs_release<T>() -> bool {
    needs_drop::<T>() || !in_place::<T>()
}

/// Drops the `T` that lies in the words.
///
/// # Safety
/// The words hold a `T` in place, which nobody uses any more.
unsafe fn drop_in_place<T>(words: *mut Words) {
    // SAFETY: the caller's promise.
    unsafe { words.cast::<T>().drop_in_place() }
}

/// Drops the box whose pointer lies in the words.
///
/// # Safety
/// The words hold the pointer of a `Box<T>`, which nobody uses any more.
unsafe fn drop_boxed<T>(words: *mut Words) {
    // SAFETY: the caller's promise; the pointer came from `Box::into_raw` in `put`.
    unsafe { drop(Box::from_raw(words.cast::<*mut T>().read())) }
}

impl Slot {
    pub(crate) const fn empty() -> Self {
        Slot {
            words: UnsafeCell::new([MaybeUninit::uninit(); 3]),
            drop: UnsafeCell::new(None),
            #[cfg(debug_assertions)]
            holds: UnsafeCell::new(None),
        }
    }

    /// Stores the task's value.
    ///
    /// # Safety
    /// Rules 1 and 2: `T` is the task's type, the slot is empty, and nobody else uses it until this is published.
    pub(crate) unsafe fn put<T: Send + Sync + 'static>(&self, value: T) {
        let words = self.words.get();
        // SAFETY: nobody else uses the slot now (rule 2); the value fits and is aligned, or its box's pointer is.
        unsafe {
            #[cfg(debug_assertions)]
            {
                assert!(
                    (*self.holds.get()).is_none(),
                    "a task's value is stored twice"
                );
                *self.holds.get() = Some(std::any::TypeId::of::<T>());
            }
            if in_place::<T>() {
                words.cast::<T>().write(value);
                if needs_drop::<T>() {
                    *self.drop.get() = Some(drop_in_place::<T>);
                }
            } else {
                words.cast::<*mut T>().write(Box::into_raw(Box::new(value)));
                *self.drop.get() = Some(drop_boxed::<T>);
            }
        }
    }

    /// The task's value.
    ///
    /// # Safety
    /// Rules 1 to 3: `T` is the task's type, the value was stored and published, and the caller keeps its consumer count
    /// for as long as it uses the reference.
    pub(crate) unsafe fn get<T: 'static>(&self) -> &T {
        self.check::<T>();
        // SAFETY: a `T` lies there (rules 1, 2) and stays there unchanged while the caller counts (rules 3, 4).
        unsafe {
            let words = self.words.get();
            if in_place::<T>() {
                &*words.cast::<T>()
            } else {
                &**words.cast::<*const T>()
            }
        }
    }

    /// Moves the task's value out; the slot is empty afterwards.
    ///
    /// # Safety
    /// Rules 1, 2 and 4: `T` is the task's type, the value is there, and nobody else uses the slot any more.
    pub(crate) unsafe fn take<T: 'static>(&self) -> T {
        self.check::<T>();
        // SAFETY: a `T` lies there (rules 1, 2), nobody else uses it (rule 4), and forgetting how to drop it keeps it from
        // being dropped again.
        unsafe {
            *self.drop.get() = None;
            #[cfg(debug_assertions)]
            {
                *self.holds.get() = None;
            }
            let words = self.words.get();
            if in_place::<T>() {
                words.cast::<T>().read()
            } else {
                *Box::from_raw(words.cast::<*mut T>().read())
            }
        }
    }

    /// Drops what is inside, if anything.
    ///
    /// # Safety
    /// Rule 4: nobody else uses the slot any more.
    pub(crate) unsafe fn clear(&self) {
        // SAFETY: `drop` was stored by `put` for the value that lies there; nobody else uses the slot (rule 4); taking the
        // function out first keeps a panicking drop from being repeated.
        unsafe {
            #[cfg(debug_assertions)]
            {
                *self.holds.get() = None;
            }
            if let Some(drop) = (*self.drop.get()).take() {
                drop(self.words.get());
            }
        }
    }

    #[inline]
    fn check<T: 'static>(&self) {
        #[cfg(debug_assertions)]
        // SAFETY: `holds` is only written by `put`, `take` and `clear`, which rules 2 and 4 keep apart from every reader.
        unsafe {
            assert_eq!(
                *self.holds.get(),
                Some(std::any::TypeId::of::<T>()),
                "a task's value is read at the wrong time or type"
            );
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the slot is borrowed mutably, so nobody else uses it.
        unsafe { self.clear() }
    }
}

/// One task's place in a run: a cache line with all that changes while it runs.
#[repr(align(64))]
pub(crate) struct Entry<'g> {
    pub(crate) node: &'g Node,
    slot: Slot,
    /// Dependencies that have not finished; the top bit says that one of them gave no value.
    pub(crate) pending: AtomicU32,
    /// Dependents that may still read the value, counted once per reading; one more for each time it is an output.
    consumers: AtomicU32,
    /// Where its dependencies start in the run's list, and its dependents in theirs.
    pub(crate) first_dependency: u32,
    pub(crate) first_dependent: u32,
}

impl<'g> Entry<'g> {
    /// A task whose dependents are yet to be counted.
    pub(crate) fn new(node: &'g Node, pending: u32, first_dependency: u32) -> Self {
        Entry {
            node,
            slot: Slot::empty(),
            pending: AtomicU32::new(pending),
            consumers: AtomicU32::new(0),
            first_dependency,
            first_dependent: 0,
        }
    }

    /// Counts one more who will read the value, or the caller, who keeps it.
    #[inline]
    pub(crate) fn count_consumer(&mut self) {
        *self.consumers.get_mut() += 1;
    }

    /// Has the line brought here for writing while something else is done.
    #[inline]
    pub(crate) fn prefetch(&self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: a prefetch changes nothing that a program can see, and never faults.
        unsafe {
            std::arch::asm!(
                "prefetchw [{}]",
                in(reg) std::ptr::from_ref(self),
                options(nostack, preserves_flags, readonly)
            );
        }
    }

    /// How many were counted.
    pub(crate) fn consumers(&mut self) -> u32 {
        *self.consumers.get_mut()
    }
}

/// Marks a dependency that is a known value of the graph rather than a task of the run.
pub(crate) const KNOWN: u32 = 1 << 31;

/// A value that the graph itself holds.
pub(crate) type Known = dyn Any + Send + Sync;

/// Told when a value is dropped before the end of the run.
pub(crate) trait Watch: Sync {
    fn released(&self, task: u32);
}

/// What a task is given when it runs: its inputs, and where its value goes.
pub struct Call<'r> {
    entries: &'r [Entry<'r>],
    dependencies: &'r [u32],
    known: &'r [&'r Known],
    pub(crate) task: u32,
    /// No other thread works on this run, so counts need no atomic read-modify-write.
    alone: bool,
    watch: Option<&'r dyn Watch>,
    released: Cell<bool>,
    /// The task will not be tried again, so an input that nobody else needs may be moved out.
    last_attempt: Cell<bool>,
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl<'r> Call<'r> {
    pub(crate) fn new(
        entries: &'r [Entry<'r>],
        dependencies: &'r [u32],
        known: &'r [&'r Known],
        task: u32,
        alone: bool,
        watch: Option<&'r dyn Watch>,
    ) -> Self {
        Call {
            entries,
            dependencies,
            known,
            task,
            alone,
            watch,
            released: Cell::new(false),
            last_attempt: Cell::new(true),
        }
    }

    /// Says whether the task will not be tried again if it fails now.
    pub(crate) fn set_last_attempt(&self, last: bool) {
        self.last_attempt.set(last);
    }

    /// Whether the task has given up its inputs, or begun to.
    pub(crate) fn has_released(&self) -> bool {
        self.released.get()
    }

    /// The task's inputs in the order in which it names them; whoever runs the task reads each once.
    pub(crate) fn inputs(&self) -> Fetch<'r> {
        let first = self.entries[self.task as usize].first_dependency as usize;
        Fetch {
            entries: self.entries,
            known: self.known,
            rest: self.dependencies[first..].iter(),
            may_move: self.last_attempt.get(),
        }
    }

    /// Stores the task's value; it becomes visible to dependents when the run counts the task as finished.
    pub(crate) fn put<T: Send + Sync + 'static>(&self, value: T) {
        // SAFETY: only the worker that runs the task has its call, and it calls this once, at the end (rule 2), with the
        // type that the task's `Delayed<T>` was made with (rule 1).
        unsafe { self.entries[self.task as usize].slot.put(value) }
    }

    /// The inputs once more, to be given up one by one when the task has run.
    pub(crate) fn release(&self) -> Releases<'r> {
        assert!(
            !self.released.replace(true),
            "a task gives up its inputs once"
        );
        let first = self.entries[self.task as usize].first_dependency as usize;
        Releases {
            entries: self.entries,
            rest: self.dependencies[first..].iter(),
            alone: self.alone,
            watch: self.watch,
        }
    }
}

/// Hands a task its inputs one after another.
pub struct Fetch<'r> {
    entries: &'r [Entry<'r>],
    known: &'r [&'r Known],
    rest: std::slice::Iter<'r, u32>,
    may_move: bool,
}

impl std::fmt::Debug for Fetch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch")
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}

impl<'r> Fetch<'r> {
    /// The next input, borrowed until the task has run. `T` must be the type of the `Delayed<T>` that stands there.
    #[inline]
    pub(crate) fn borrow<T: Send + Sync + 'static>(&mut self) -> &'r T {
        let dependency = *self
            .rest
            .next()
            .expect("a task reads as many inputs as it named");
        if dependency & KNOWN != 0 {
            return self.known(dependency);
        }
        // SAFETY: the task became ready, so its inputs are published (rule 2); it gives them up only after it has run (rule 3);
        // the typed inputs are walked in the order in which they were listed, so `T` is that task's type (rule 1).
        unsafe { self.entries[dependency as usize].slot.get() }
    }

    /// The next input by value: moved if this task is the only one left that needs it, else cloned.
    pub(crate) fn own<T: Clone + Send + Sync + 'static>(&mut self) -> T {
        let dependency = *self
            .rest
            .next()
            .expect("a task reads as many inputs as it named");
        if dependency & KNOWN != 0 {
            return self.known::<T>(dependency).clone();
        }
        let entry = &self.entries[dependency as usize];
        // SAFETY: published and of type `T` as in `borrow`; it is moved out only if ours is the last consumer count
        // (the load acquires what the others released), else we hold a count while cloning.
        unsafe {
            if self.may_move && entry.consumers.load(Acquire) == 1 {
                entry.slot.take()
            } else {
                entry.slot.get::<T>().clone()
            }
        }
    }

    fn known<T: 'static>(&self, dependency: u32) -> &'r T {
        self.known[(dependency & !KNOWN) as usize]
            .downcast_ref()
            .expect("a known value has its handle's type")
    }
}

/// Gives up a task's inputs one after another.
pub struct Releases<'r> {
    entries: &'r [Entry<'r>],
    rest: std::slice::Iter<'r, u32>,
    alone: bool,
    watch: Option<&'r dyn Watch>,
}

impl std::fmt::Debug for Releases<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Release")
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}

impl Releases<'_> {
    /// Gives up the next input, of type `T`; drops it if nobody else needs it.
    #[inline]
    pub(crate) fn next<T: 'static>(&mut self) {
        let dependency = *self
            .rest
            .next()
            .expect("a task gives up as many inputs as it named");
        if dependency & KNOWN != 0 || (!needs_release::<T>() && self.watch.is_none()) {
            return;
        }
        let entry = &self.entries[dependency as usize];
        let left = entry.consumers.load(Acquire);
        let last = if left == 1 || self.alone {
            // Nobody else counts any more, so a plain store does.
            entry.consumers.store(left - 1, Relaxed);
            left == 1
        } else {
            entry.consumers.fetch_sub(1, AcqRel) == 1
        };
        if last {
            // SAFETY: the count is zero and every earlier reader's decrement was acquired (rule 4).
            unsafe { entry.slot.clear() };
            if let Some(watch) = self.watch {
                watch.released(dependency);
            }
        }
    }
}

/// A clone of an output's value, for one that is asked for again.
pub(crate) fn clone_output<T: Send + Sync + 'static>(
    entries: &mut [Entry<'_>],
    task: u32,
    clone: fn(&T) -> T,
) -> T {
    // SAFETY: as in `take_output`; the value stays.
    clone(unsafe { entries[task as usize].slot.get() })
}

/// The value of an output, moved out of a run that is over.
pub(crate) fn take_output<T: Send + Sync + 'static>(entries: &mut [Entry<'_>], task: u32) -> T {
    // SAFETY: the entries are borrowed mutably, so the run is over (rule 4). The value is there (rule 2): the run ended well, or it was
    // complete (`State::is_complete`) and the task is not among those that failed or need one that did.
    unsafe { entries[task as usize].slot.take() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn round_trip<T: Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static>(value: T) {
        let slot = Slot::empty();
        // SAFETY: one thread, one type, put before get before take.
        unsafe {
            slot.put(value.clone());
            assert_eq!(slot.get::<T>(), &value);
            assert_eq!(slot.take::<T>(), value);
            slot.put(value);
            slot.clear();
        }
    }

    #[test]
    fn values_of_any_size_and_alignment_come_back() {
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[repr(align(64))]
        struct Aligned(u8);
        round_trip(());
        round_trip(7_u8);
        round_trip("three words".to_string());
        round_trip([1_u64, 2, 3, 4]);
        round_trip(vec![1, 2, 3]);
        round_trip(Aligned(3));
    }

    #[test]
    fn a_large_value_is_released_although_it_needs_no_drop() {
        assert!(needs_release::<[f64; 100]>() && !needs_release::<[f64; 3]>());
    }

    #[test]
    fn a_value_is_dropped_once_whether_cleared_taken_or_left() {
        for size in [0_usize, 40] {
            let count = Arc::new(());
            let value = || (count.clone(), vec![0_u8; size]);
            // SAFETY: one thread, one type, put before take and clear.
            unsafe {
                let slot = Slot::empty();
                slot.put(value());
                slot.clear();
                assert_eq!(Arc::strong_count(&count), 1);
                slot.put(value());
                drop(slot.take::<(Arc<()>, Vec<u8>)>());
                assert_eq!(Arc::strong_count(&count), 1);
                slot.put(value());
                drop(slot);
                assert_eq!(Arc::strong_count(&count), 1);
                let wide = Slot::empty();
                wide.put((value(), [0_u64; 4]));
                drop(wide);
                assert_eq!(Arc::strong_count(&count), 1);
            }
        }
    }
}
