//! Bytes that come out of files, counted on the thread that reads them.

use std::cell::Cell;

thread_local! {
    static READ: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Counts bytes as read, as they are stored.
pub(crate) fn count(bytes: u64) {
    READ.set(Some(READ.get().unwrap_or(0) + bytes));
}

/// Does something, and tells how many bytes it read; nothing if nobody counted.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let around = READ.take();
    let done = work();
    (done, READ.replace(around))
}
