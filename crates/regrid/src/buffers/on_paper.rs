//! What buffers will take: taken and given back on paper, as they will be in a run.

use super::pile::{LARGE, Pile, Room, SMALL, ample};
use crate::values::DataType;

/// A buffer on paper: the type of its numbers, for how many bytes it has room, and how many of them were ever used: what nobody
/// touches takes no memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaperBuffer {
    of: DataType,
    room: usize,
    touched: usize,
}

impl PaperBuffer {
    /// For how many bytes it has room.
    pub(crate) fn bytes(&self) -> usize {
        self.room
    }
}

impl Room for PaperBuffer {
    fn room(&self) -> usize {
        self.room
    }
}

/// Shelves on paper.
#[derive(Debug, Default)]
pub(crate) struct PaperShelves {
    /// One for each type, by its place among all.
    piles: Vec<Pile<PaperBuffer>>,
    /// Bytes on the shelves, and as many as there may be.
    shelved: usize,
    most: usize,
    /// Bytes for which all buffers have room, in use or not, but for those that are never shelved; and how many of them are in memory.
    room: usize,
    touched: usize,
    /// Bytes of arrays that were given back to the allocator, which keeps a few of those that fill no large page.
    freed: usize,
    /// Bytes that came into memory, ever.
    made: Made,
}

/// Bytes that the allocator keeps of what was given back to it.
const FREED: usize = 4 << 20;

/// Bytes that came into memory: page by page, and in large pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) small: u64,
    pub(crate) large: u64,
}

impl Made {
    /// What came since there were so many.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            small: self.small - before.small,
            large: self.large - before.large,
        }
    }
}

impl PaperShelves {
    /// Empty ones, which come to hold so many bytes at the most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// A buffer of numbers of so many bytes together.
    pub(crate) fn take(&mut self, of: DataType, bytes: usize) -> PaperBuffer {
        self.take_for(of, bytes, bytes)
    }

    /// The same for who will use so many of these bytes.
    pub(crate) fn take_for(&mut self, of: DataType, bytes: usize, used: usize) -> PaperBuffer {
        let kept = match bytes {
            ..SMALL => None,
            _ => (self.piles.get_mut(of as usize)).and_then(|pile| pile.fitting(bytes)),
        };
        if let Some(buffer) = &kept {
            self.shelved -= buffer.room;
        }
        let mut buffer = kept.unwrap_or_else(|| {
            let room = ample(bytes);
            let touched = self.take_array(room);
            self.touched += touched;
            self.room += if room < SMALL { 0 } else { room };
            PaperBuffer { of, room, touched }
        });
        let more = used.saturating_sub(buffer.touched);
        buffer.touched += more;
        self.touched += more;
        match buffer.room {
            LARGE.. => self.made.large += more as u64,
            _ => self.made.small += more as u64,
        }
        buffer
    }

    pub(crate) fn give(&mut self, buffer: PaperBuffer) {
        if buffer.room < SMALL {
            self.touched -= buffer.touched;
            return;
        }
        self.shelved += buffer.room;
        let place = buffer.of as usize;
        if self.piles.len() <= place {
            self.piles.resize_with(place + 1, Pile::new);
        }
        self.piles[place].put(buffer);
        while self.shelved > self.most
            && let Some(oldest) = self.piles[place].oldest()
        {
            self.shelved -= oldest.room;
            self.touched -= oldest.touched;
            self.room -= oldest.room;
            self.give_array(oldest.touched);
        }
    }

    /// An array of so many bytes is taken from the allocator: one that was freed, if there is one. Says how many bytes of it that are.
    fn take_array(&mut self, bytes: usize) -> usize {
        let there = (SMALL..LARGE).contains(&bytes) && self.freed >= bytes;
        let taken = if there { bytes } else { 0 };
        self.freed -= taken;
        taken
    }

    /// An array goes back to the allocator.
    fn give_array(&mut self, bytes: usize) {
        if (SMALL..LARGE).contains(&bytes) {
            self.freed = (self.freed + bytes).min(FREED);
        }
    }

    /// Bytes that came into memory, ever.
    pub(crate) fn made(&self) -> Made {
        self.made
    }

    /// Bytes for which all buffers have room, in use or not.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Bytes in memory of all buffers, in use or not, and of what the allocator keeps.
    pub(crate) fn bytes(&self) -> usize {
        self.touched + self.freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_in_use_and_kept_count_once() {
        let mut shelves = PaperShelves::new(3 << 20);
        let a = shelves.take(DataType::F32, 1 << 20);
        let b = shelves.take(DataType::F32, 1 << 20);
        assert_eq!(shelves.bytes(), 2 << 20);
        shelves.give(a);
        shelves.give(b);
        assert_eq!(
            [shelves.bytes(), shelves.made().small as usize],
            [2 << 20; 2]
        );
        let again = shelves.take(DataType::F32, 1 << 20);
        shelves.give(again);
        assert_eq!(shelves.made().small, 2 << 20);
        // Of another type there is none; the oldest of its own goes when there are too many.
        let others = [0; 3].map(|_| shelves.take(DataType::F64, 1 << 20));
        assert_eq!(shelves.bytes(), 5 << 20);
        others.into_iter().for_each(|other| shelves.give(other));
        assert_eq!([shelves.shelved, shelves.touched], [3 << 20; 2]);
        let small = shelves.take(DataType::F64, 100);
        assert_eq!(shelves.touched, (3 << 20) + 100);
        shelves.give(small);
        assert_eq!(shelves.touched, 3 << 20);
    }

    #[test]
    fn the_allocator_keeps_a_little_of_what_goes_back_to_it() {
        let mut shelves = PaperShelves::new(0);
        let buffer = |shelves: &mut PaperShelves| shelves.take(DataType::F32, 1 << 20);
        let two = [buffer(&mut shelves), buffer(&mut shelves)];
        two.into_iter().for_each(|buffer| shelves.give(buffer));
        assert_eq!([shelves.touched, shelves.bytes()], [0, 2 << 20]);
        // Who wants one of them has no new pages; one that is larger than both has, and so has a large one.
        let before = shelves.made();
        let again = buffer(&mut shelves);
        assert_eq!(shelves.made(), before);
        assert_eq!(shelves.take_array(3 << 19), 0);
        assert_eq!(shelves.take_array(1 << 20), 1 << 20);
        assert_eq!(shelves.bytes(), 1 << 20);
        shelves.give(again);
        (0..9).for_each(|_| shelves.give_array(1 << 20));
        shelves.give_array(LARGE);
        assert_eq!(shelves.bytes(), FREED);
    }

    #[test]
    fn what_nobody_touched_takes_no_memory() {
        let mut shelves = PaperShelves::new(3 << 20);
        let stream = shelves.take_for(DataType::U8, 1 << 20, 1 << 18);
        assert_eq!(shelves.bytes(), 1 << 18);
        shelves.give(stream);
        let less = shelves.take_for(DataType::U8, 1 << 20, 1 << 10);
        assert_eq!(shelves.bytes(), 1 << 18);
        shelves.give(less);
        let whole = shelves.take(DataType::U8, 1 << 20);
        assert_eq!(
            [shelves.bytes(), shelves.made().small as usize],
            [1 << 20; 2]
        );
        let before = shelves.made();
        shelves.take_for(DataType::U8, 4 << 20, 3 << 20);
        let made = shelves.made().since(before);
        assert_eq!([made.small, made.large], [0, 3 << 20]);
        shelves.give(whole);
        assert_eq!(shelves.bytes(), 4 << 20);
    }
}
