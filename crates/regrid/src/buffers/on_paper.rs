//! What buffers will take: taken and given back on paper, as they will be in a run.

use super::pile::{Pile, Room, SMALL, ample};
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
    /// Bytes in memory of all buffers, in use or not.
    touched: usize,
    /// Bytes that came into memory, ever.
    made: u64,
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
        let mut buffer = kept.unwrap_or_else(|| PaperBuffer {
            of,
            room: ample(bytes),
            touched: 0,
        });
        let more = used.saturating_sub(buffer.touched);
        buffer.touched += more;
        self.touched += more;
        self.made += more as u64;
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
        let pile = &mut self.piles[place];
        pile.put(buffer);
        while self.shelved > self.most
            && let Some(oldest) = pile.oldest()
        {
            self.shelved -= oldest.room;
            self.touched -= oldest.touched;
        }
    }

    /// Bytes that came into memory, ever.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// Bytes in memory of all buffers, in use or not.
    pub(crate) fn bytes(&self) -> usize {
        self.touched
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
        assert_eq!([shelves.bytes(), shelves.made() as usize], [2 << 20; 2]);
        let again = shelves.take(DataType::F32, 1 << 20);
        shelves.give(again);
        assert_eq!(shelves.made(), 2 << 20);
        // Of another type there is none; the oldest of its own goes when there are too many.
        let others = [0; 3].map(|_| shelves.take(DataType::F64, 1 << 20));
        assert_eq!(shelves.bytes(), 5 << 20);
        others.into_iter().for_each(|other| shelves.give(other));
        assert_eq!(shelves.bytes(), 3 << 20);
        let small = shelves.take(DataType::F64, 100);
        assert_eq!(shelves.bytes(), (3 << 20) + 100);
        shelves.give(small);
        assert_eq!(shelves.bytes(), 3 << 20);
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
        assert_eq!([shelves.bytes(), shelves.made() as usize], [1 << 20; 2]);
        shelves.give(whole);
        assert_eq!(shelves.bytes(), 1 << 20);
    }
}
