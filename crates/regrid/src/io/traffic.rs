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
