//! Buffers of chunks, used again: a fresh buffer's pages cost as much as the arithmetic that fills them.
//!
//! Who needs a buffer [takes](take) one, with whatever is in it; who has no more use for it [gives](give) it back. A
//! buffer that is not given back is freed like any other. Buffers lie on one shelf per type, which all threads share,
//! since a chunk is often made by one thread and used up by another; together they hold no more than is allowed.

mod on_paper;
mod pile;

pub(crate) use on_paper::{Made, PaperBuffer, PaperShelves};

use std::mem;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::values::{Element, Values};
use pile::{Pile, Room, SMALL, ample};

/// Bytes kept on all shelves at the most: a few chunks for each of a few threads.
pub(crate) const MOST_KEPT: usize = 128 << 20;

/// The same, while somebody has [less](Less) room.
static KEPT: AtomicUsize = AtomicUsize::new(MOST_KEPT);
/// Of all shelves.
static STOCK: Stock = Stock::new();
/// What those who have less room allow.
static ALLOWED: Mutex<Vec<Allowed>> = Mutex::new(Vec::new());

/// Bytes of buffers of all types.
#[derive(Debug)]
struct Stock {
    /// Those on shelves.
    shelved: AtomicUsize,
    /// Those that were made and not freed, in use and on shelves, since somebody was the first to have [less](Less) room. One that
    /// nobody gives back counts on, and one that was made elsewhere does not, so that they may become fewer than none.
    made: AtomicIsize,
    /// How many of these are enough.
    enough: AtomicIsize,
}

impl Stock {
    const fn new() -> Self {
        Self {
            shelved: AtomicUsize::new(0),
            made: AtomicIsize::new(0),
            enough: AtomicIsize::new(isize::MAX),
        }
    }

    /// Counts a buffer that will be made; if that is more than enough, others that nobody uses are freed, as long as there is one.
    fn makes(&self, bytes: isize, free: impl Fn() -> bool) {
        let enough = self.enough.load(Ordering::Relaxed);
        while self.made.load(Ordering::Relaxed).saturating_add(bytes) > enough && free() {}
        self.made.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Bytes that may be on shelves, and bytes of all buffers that are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowed {
    kept: usize,
    enough: isize,
}

/// While it lives, shelves hold no more than so many bytes together.
#[derive(Debug)]
pub(crate) struct Less(Allowed);

impl Less {
    /// Empties the shelves, and keeps them so full at the most.
    pub(crate) fn than(kept: usize) -> Self {
        let allowed = Allowed {
            kept,
            enough: isize::MAX,
        };
        let mut all = ALLOWED.lock();
        clear();
        if all.is_empty() {
            STOCK.made.store(0, Ordering::Relaxed);
        }
        all.push(allowed);
        settle(&all);
        Self(allowed)
    }

    /// So many bytes of buffers are enough, in use and on shelves: before there are more, shelves are emptied. What is in use is
    /// not held back.
    pub(crate) fn enough(&mut self, bytes: usize) {
        let mut all = ALLOWED.lock();
        if let Some(own) = all.iter_mut().find(|own| **own == self.0) {
            own.enough = isize::try_from(bytes).unwrap_or(isize::MAX);
            self.0 = *own;
        }
        settle(&all);
    }
}

impl Drop for Less {
    fn drop(&mut self) {
        let mut all = ALLOWED.lock();
        if let Some(at) = all.iter().position(|own| *own == self.0) {
            all.swap_remove(at);
        }
        settle(&all);
    }
}

/// What all allow together: shelves as full as the least of them, and what each has enough of beside the others'.
fn settle(allowed: &[Allowed]) {
    let kept = allowed.iter().map(|own| own.kept);
    let kept = kept.fold(MOST_KEPT, usize::min);
    KEPT.store(kept, Ordering::Relaxed);
    let enough = allowed.iter().map(|own| own.enough);
    let enough = enough.reduce(isize::saturating_add).unwrap_or(isize::MAX);
    STOCK.enough.store(enough, Ordering::Relaxed);
}

/// The buffers of one type that nobody uses at the moment, and where those of this shelf and others are counted.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    kept: Mutex<Pile<Vec<T>>>,
    stock: &'static Stock,
}

/// Numbers, of which there are buffers.
pub(crate) trait Number: Element + Copy {
    /// Where buffers of this type are kept.
    fn shelf() -> &'static Shelf<Self>;
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn shelf() -> &'static Shelf<Self> {
                static SHELF: Shelf<$type> = Shelf::counted(&STOCK);
                &SHELF
            }
        }
    )*
        /// Frees all buffers that nobody uses.
        pub(crate) fn clear() {
            $(<$type as Number>::shelf().clear();)*
        }

        /// Frees the oldest buffer on each shelf, and says whether there was one.
        fn clear_oldest() -> bool {
            let mut any = false;
            $(any |= <$type as Number>::shelf().clear_oldest();)*
            any
        }
    };
}

numbers!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);

/// A buffer of so many zeros, with [ample] room.
fn fresh<T: Number>(len: usize) -> Vec<T> {
    let bytes = ample(len * size_of::<T>());
    if bytes >= SMALL {
        STOCK.makes(bytes as isize, clear_oldest);
    }
    let room = bytes / size_of::<T>();
    // Zeroed pages come from the system as they are, and what nobody touches takes none.
    let mut buffer = vec![T::default(); room];
    buffer.truncate(len);
    buffer
}

impl<T: Number> Shelf<T> {
    const fn counted(stock: &'static Stock) -> Self {
        Self {
            kept: Mutex::new(Pile::new()),
            stock,
        }
    }

    /// A buffer has left the shelf.
    fn left(&self, buffer: &Vec<T>) {
        self.stock
            .shelved
            .fetch_sub(buffer.room(), Ordering::Relaxed);
    }

    /// Frees a buffer from the shelf.
    fn free(&self, buffer: Vec<T>) {
        self.left(&buffer);
        self.stock
            .made
            .fetch_sub(buffer.room() as isize, Ordering::Relaxed);
    }

    fn clear(&self) {
        let all = self.kept.lock().all();
        all.into_iter().for_each(|buffer| self.free(buffer));
    }

    /// Frees the oldest, and says whether there was one.
    fn clear_oldest(&self) -> bool {
        let oldest = self.kept.lock().oldest();
        oldest.map(|buffer| self.free(buffer)).is_some()
    }

    /// A kept buffer with room for so many numbers.
    fn find(&self, len: usize) -> Option<Vec<T>> {
        let bytes = len * size_of::<T>();
        if bytes < SMALL {
            return None;
        }
        let found = self.kept.lock().fitting(bytes)?;
        self.left(&found);
        Some(found)
    }

    fn take(&self, len: usize) -> Vec<T> {
        let Some(mut buffer) = self.find(len) else {
            return fresh(len);
        };
        buffer.truncate(len);
        buffer.resize(len, T::default());
        buffer
    }

    /// The same for who needs more from time to time: what was outgrown goes, since nobody will take it.
    fn take_grown(&self, len: usize) -> Vec<T> {
        if let Some(buffer) = self.find(len) {
            return buffer;
        }
        let outgrown = self.kept.lock().outgrown(len * size_of::<T>());
        if let Some(gone) = outgrown {
            self.free(gone);
        }
        fresh(len)
    }

    /// Keeps a buffer, unless that makes more than so many bytes with those of other types.
    fn give(&self, buffer: Vec<T>, most: usize) {
        if buffer.room() < SMALL {
            return;
        }
        let mut kept = self.kept.lock();
        self.stock
            .shelved
            .fetch_add(buffer.room(), Ordering::Relaxed);
        kept.put(buffer);
        while self.stock.shelved.load(Ordering::Relaxed) > most
            && let Some(oldest) = kept.oldest()
        {
            self.free(oldest);
        }
    }
}

/// A buffer of so many numbers, which may hold anything.
pub(crate) fn take<T: Number>(len: usize) -> Vec<T> {
    T::shelf().take(len)
}

/// Takes back a buffer that nobody uses any more.
pub(crate) fn give<T: Number>(buffer: Vec<T>) {
    T::shelf().give(buffer, KEPT.load(Ordering::Relaxed));
}

/// Has room for so many bytes in a buffer of somebody who needs it now and then; whatever is in it is lost if there was not.
pub(crate) fn sized(buffer: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if buffer.capacity() < len {
        // It goes before there is another one.
        drop(mem::take(buffer));
        *buffer = u8::shelf().take_grown(len);
    }
    // What is beyond the old length is zeroed, once; the rest is written over.
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    &mut buffer[..len]
}

/// Takes back such a buffer until it is needed again; who keeps a small one loses nothing.
pub(crate) fn put_back(buffer: &mut Vec<u8>) {
    if buffer.capacity() >= SMALL {
        give(mem::take(buffer));
    }
}

/// Takes back the buffer of an array that nobody uses any more.
pub(crate) fn give_values(values: Values) {
    macro_rules! give {
        ($($variant:ident),*) => {
            match values {
                $(Values::$variant(array) => give(array.into_raw_vec_and_offset().0),)*
                Values::Char(_) | Values::Text(_) => {}
            }
        };
    }
    give!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::DataType;

    /// A shelf of its own: those of all are emptied by other tests.
    fn shelf<T: Number>() -> Shelf<T> {
        Shelf::counted(Box::leak(Box::new(Stock::new())))
    }

    #[test]
    fn a_buffer_given_back_is_taken_again() {
        let shelf = shelf::<u64>();
        let mut buffer = shelf.take(20_000);
        assert!(buffer.iter().all(|&x| x == 0));
        buffer.fill(7);
        shelf.give(buffer, MOST_KEPT);
        let again = shelf.take(15_000);
        assert_eq!(again, [7; 15_000]);
        let fresh = shelf.take(15_000);
        assert_eq!(fresh, [0; 15_000]);
        shelf.give(again, MOST_KEPT);
        // Much too large for this one.
        assert_eq!(shelf.take(9_000), [0; 9_000]);
        assert_eq!(shelf.take(20_000)[..15_000], [7; 15_000]);
    }

    #[test]
    fn a_buffer_serves_who_needs_a_little_more_and_goes_when_it_is_outgrown() {
        let shelf = shelf::<u8>();
        let buffer = shelf.take(1_000_001);
        let room = buffer.capacity();
        assert!((1_000_001..1_130_000).contains(&room), "{room}");
        shelf.give(buffer, MOST_KEPT);
        for len in (1_000_001..=room).step_by(10_000) {
            let buffer = shelf.take(len);
            assert_eq!((buffer.len(), buffer.capacity()), (len, room));
            shelf.give(buffer, MOST_KEPT);
        }
        // However it grows, there is one of it.
        for len in (100_000..30_000_000).step_by(70_001) {
            let buffer = shelf.take_grown(len);
            assert!(buffer.capacity() >= len);
            shelf.give(buffer, MOST_KEPT);
        }
        let kept = shelf.kept.lock();
        assert_eq!(kept.rooms().filter(|&room| room > 2_000_000).count(), 1);
    }

    #[test]
    fn the_shelf_is_bounded() {
        let shelf = shelf::<u32>();
        for _ in 0..10 {
            shelf.give(vec![1; MOST_KEPT / 4 / 4], MOST_KEPT);
        }
        assert!(shelf.kept.lock().rooms().count() <= 4);
        shelf.give(vec![1; 2 * MOST_KEPT / 4], MOST_KEPT);
        assert!(shelf.kept.lock().rooms().count() == 0);
        shelf.give(vec![1; 10], MOST_KEPT);
        assert!(shelf.kept.lock().rooms().count() == 0);
    }

    #[test]
    fn where_there_are_enough_what_nobody_uses_goes_before_another_is_made() {
        let shelf = shelf::<u8>();
        let stock = shelf.stock;
        let made = || stock.made.load(Ordering::Relaxed);
        let makes = |bytes: usize| stock.makes(bytes as isize, || shelf.clear_oldest());
        stock.enough.store(4 << 20, Ordering::Relaxed);
        for _ in 0..4 {
            makes(1 << 20);
        }
        // Three of them lie on the shelf; they go one by one as others are made.
        (0..3).for_each(|_| shelf.give(vec![0; 1 << 20], MOST_KEPT));
        let kept = |n: usize| assert_eq!(shelf.kept.lock().rooms().count(), n);
        assert_eq!(made(), 4 << 20);
        makes(1 << 20);
        kept(2);
        assert_eq!(made(), 4 << 20);
        makes(3 << 19);
        kept(0);
        assert_eq!(made(), 7 << 19);
        // What is in use is not held back.
        makes(8 << 20);
        assert_eq!(made(), 23 << 19);
    }

    #[test]
    fn arrays_of_every_type_can_be_given_back() {
        for of in [DataType::U16, DataType::F64, DataType::Text] {
            give_values(Values::zeros(of, &[300, 400]));
        }
        assert_eq!(take::<u16>(120_000).len(), 120_000);
    }
}
