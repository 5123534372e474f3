//! What comes out of files, counted on the thread that reads it.

use std::cell::Cell;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Read {
    /// Bytes, as they are stored.
    pub(crate) bytes: u64,
    /// Storage chunks; none where values are not taken chunk by chunk.
    pub(crate) chunks: u64,
}

thread_local! {
    static READ: Cell<Option<Read>> = const { Cell::new(None) };
}

/// Counts bytes as read, as they are stored.
pub(crate) fn count(bytes: u64) {
    add(Read { bytes, chunks: 0 });
}

/// Counts a storage chunk; its bytes count by themselves.
pub(crate) fn count_chunk() {
    add(Read {
        bytes: 0,
        chunks: 1,
    });
}

fn add(more: Read) {
    let read = READ.get().unwrap_or_default();
    READ.set(Some(Read {
        bytes: read.bytes + more.bytes,
        chunks: read.chunks + more.chunks,
    }));
}

/// Does something, and tells what it read; nothing if nobody counted.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, Option<Read>) {
    let around = READ.take();
    let done = work();
    (done, READ.replace(around))
}
