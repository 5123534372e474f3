//! What buffers will take: taken and given back on paper, as they will be in a run.

use super::pile::{Pile, Room, SMALL, ample};
use crate::values::DataType;

/// A buffer on paper: the type of its numbers, and for how many bytes it has room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaperBuffer {
    of: DataType,
    room: usize,
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
    /// Bytes of buffers in use.
    used: usize,
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
        let kept = match bytes {
            ..SMALL => None,
            _ => (self.piles.get_mut(of as usize)).and_then(|pile| pile.fitting(bytes)),
        };
        let buffer = match kept {
            Some(buffer) => {
                self.shelved -= buffer.room;
                buffer
            }
            None => PaperBuffer {
                of,
                room: ample(bytes),
            },
        };
        self.used += buffer.room;
        buffer
    }

    pub(crate) fn give(&mut self, buffer: PaperBuffer) {
        self.used -= buffer.room;
        if buffer.room < SMALL {
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
        }
    }

    /// Bytes of all buffers, in use or not.
    pub(crate) fn bytes(&self) -> usize {
        self.used + self.shelved
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
        assert_eq!(shelves.bytes(), 2 << 20);
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
}
