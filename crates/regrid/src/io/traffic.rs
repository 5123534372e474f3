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

/// What tests count, by the name of what it is done to.
#[cfg(test)]
pub(crate) mod tally {
    use std::collections::BTreeMap;
    use std::path::Path;

    use parking_lot::Mutex;

    static DONE: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

    fn add(what: String) {
        *DONE.lock().entry(what).or_default() += 1;
    }

    /// A file was opened in some way.
    pub(crate) fn opened(how: &str, path: &Path) {
        add(format!("{how} {}", path.display()));
    }

    /// A storage chunk of what this thread reads was made from the bytes in the file.
    pub(crate) fn made(chunk: &[usize]) {
        let mut text = [0; 1024];
        let len = crate::io::being_read(&mut text);
        add(format!(
            "{chunk:?} of {}",
            String::from_utf8_lossy(&text[..len])
        ));
    }

    /// How often each thing was done whose name has this in it.
    pub(crate) fn of(part: &str) -> BTreeMap<String, usize> {
        let done = DONE.lock();
        let matching = done.iter().filter(|(what, _)| what.contains(part));
        matching.map(|(what, &n)| (what.clone(), n)).collect()
    }
}
