//! What runs that were killed leave beside an output.

use std::path::Path;

/// The names of what is in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[allow(dead_code, reason = "some tests count each chunk once")]
/// How many chunks a journal tells of, one twice if two attempts wrote it.
pub(crate) fn records(journal: &Path) -> usize {
    noted(journal).len()
}

/// The field and the number of each chunk that a journal tells of.
///
/// Behind the journal's first line come the length of the request, the request and its checksum; then 48 bytes for each
/// chunk, and the chunk itself if it is small.
pub(crate) fn noted(journal: &Path) -> Vec<(u32, u64)> {
    const RECORD: usize = 48;
    let bytes = std::fs::read(journal).unwrap_or_default();
    let long = |at: usize| {
        let number = bytes.get(at..at + 8)?;
        Some(u64::from_le_bytes(number.try_into().unwrap()))
    };
    let mut noted = Vec::new();
    let Some(len) = long(17) else {
        return noted;
    };
    let mut at = 29 + len as usize;
    while bytes.len() >= at + RECORD {
        let (field, chunk) = (long(at).unwrap() >> 32, long(at + 8).unwrap());
        noted.push((field as u32, chunk));
        let carried = match long(at + 16) {
            Some(u64::MAX) => long(at + 32).unwrap() as usize,
            _ => 0,
        };
        at += RECORD + carried;
    }
    noted
}
