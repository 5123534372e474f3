//! What the work may take: memory and threads, and how large its pieces are for that.
//!
//! Values that tasks hold are one part of the memory: the scheduler keeps them within its [share](Budget::live). The rest
//! is what threads hold while they work: compressed chunks, values before they are unpacked, buffers for the next chunk.

/// Bytes that a read block holds at the most, where single storage chunks are smaller.
const BLOCK_BYTES: usize = 2 << 20;
/// Bytes that the source of a target chunk holds at the most, where single blocks are smaller.
const WINDOW_BYTES: usize = 64 << 20;
/// Cells of a target chunk at the most.
const CHUNK_CELLS: usize = 1 << 20;
/// Bytes of finished chunks that wait in memory until those before them are written: a few chunks for each of a few threads.
const WAITING_BYTES: usize = 16 << 20;
/// A read block should not be smaller than that, whatever the memory: reading would be slow.
const SMALL_BLOCK_BYTES: usize = 64 << 10;
/// Nor a target chunk, in cells.
const SMALL_CHUNK_CELLS: usize = 1 << 12;

/// Threads that work, and the memory that they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) memory: Option<u64>,
    pub(crate) threads: usize,
}

impl Budget {
    /// A part of the memory for each thread.
    fn share(&self, parts: usize) -> Option<usize> {
        let memory = usize::try_from(self.memory?).unwrap_or(usize::MAX);
        Some(memory / (parts * self.threads.max(1)))
    }

    /// Bytes of a read block at the most, unless one storage chunk has more.
    pub(crate) fn block_bytes(&self) -> usize {
        self.share(16).map_or(BLOCK_BYTES, |share| {
            share.clamp(SMALL_BLOCK_BYTES, BLOCK_BYTES)
        })
    }

    /// Cells of a target chunk at the most: it is there up to four times while it is compressed.
    pub(crate) fn chunk_cells(&self, cell_bytes: usize) -> usize {
        self.share(16 * cell_bytes.max(1))
            .map_or(CHUNK_CELLS, |share| {
                share.clamp(SMALL_CHUNK_CELLS, CHUNK_CELLS)
            })
    }

    /// Bytes that the blocks of one target chunk may hold together, unless one block has more.
    pub(crate) fn window_bytes(&self) -> usize {
        self.share(2)
            .map_or(WINDOW_BYTES, |share| share.min(WINDOW_BYTES))
    }

    /// Bytes of unused buffers to be kept for the next chunk.
    pub(crate) fn kept_bytes(&self) -> Option<usize> {
        self.share(8).map(|share| share * self.threads.max(1))
    }

    /// Bytes that a list of weights may have in memory, if that is limited.
    pub(crate) fn list_bytes(&self) -> Option<usize> {
        let memory = usize::try_from(self.memory?).unwrap_or(usize::MAX);
        Some(memory / 4)
    }

    /// Bytes of finished chunks that may wait in memory to be written; more of them wait on the disk.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let part = self.memory.map(|memory| usize::try_from(memory / 8));
        part.map_or(WAITING_BYTES, |part| {
            part.map_or(WAITING_BYTES, |part| part.min(WAITING_BYTES))
        })
    }

    /// What is left for values, once each thread has so much for its work and the weights have their place.
    ///
    /// Never less than a quarter: what cannot be held is overstepped by the work in hand alone.
    pub(crate) fn live(&self, apart: u64) -> Option<u64> {
        self.memory
            .map(|memory| memory.saturating_sub(apart).max(memory / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_smaller_where_memory_is_short() {
        let budget = |memory, threads| Budget { memory, threads };
        let none = budget(None, 2);
        assert_eq!(
            (none.block_bytes(), none.chunk_cells(4)),
            (2 << 20, 1 << 20)
        );
        let ample = budget(Some(8 << 30), 2);
        assert_eq!(
            (ample.block_bytes(), ample.chunk_cells(4)),
            (2 << 20, 1 << 20)
        );
        let short = budget(Some(64 << 20), 2);
        assert_eq!(
            (short.block_bytes(), short.chunk_cells(4)),
            (2 << 20, 1 << 19)
        );
        assert_eq!(short.kept_bytes(), Some(8 << 20));
        assert_eq!(
            (none.waiting_bytes(), short.waiting_bytes()),
            (16 << 20, 8 << 20)
        );
        let tiny = budget(Some(1), 64);
        assert_eq!(
            (tiny.block_bytes(), tiny.chunk_cells(4)),
            (64 << 10, 1 << 12)
        );
    }
}
