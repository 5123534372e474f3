//! Long lists of numbers: in memory, or in a file where memory is short.
//!
//! Weights of a million cells take a hundred megabytes, of which a chunk reads a few at a time. [Within](within) a budget that does not
//! hold them they are written to a file without a name as they are made, which the system removes whatever happens to the process. The
//! file is mapped, so that who reads the numbers need not know where they are; who is done with them lets them [rest](Numbers::rest):
//! they leave the process's memory then, and stay in the system's cache as long as nothing else needs the room.

#![expect(
    unsafe_code,
    reason = "a file is mapped that nobody else has, and its pages are let go of"
)]

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::{Mmap, UncheckedAdvice};

/// Bytes that are written at a time.
const AT_ONCE: usize = 1 << 20;

thread_local! {
    static ROOM: RefCell<Option<Room>> = const { RefCell::new(None) };
}

/// Where lists grow: so far in memory, then in files of a folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Room {
    /// Bytes that a list may have in memory.
    pub(crate) most: usize,
    pub(crate) folder: PathBuf,
}

/// Does something in which lists that begin on this thread [grow](Growing) so.
///
/// It goes along with the thread that asks, past the many functions between a request and its weights.
pub(crate) fn within<T>(room: Option<Room>, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Room>);
    impl Drop for Before {
        fn drop(&mut self) {
            ROOM.set(self.0.take());
        }
    }
    let _before = Before(ROOM.replace(room));
    work()
}

/// Numbers, one after the other.
pub(crate) enum Numbers<T> {
    InMemory(Vec<T>),
    InFile(InFile<T>),
}

/// Numbers in a file, which does not change any more.
pub(crate) struct InFile<T> {
    map: Arc<Mmap>,
    of: PhantomData<T>,
}

impl<T: Pod> Numbers<T> {
    /// The numbers in memory, to be changed: those of a file are brought back.
    pub(crate) fn in_memory(&mut self) -> &mut Vec<T> {
        if let Self::InFile(_) = self {
            *self = Self::InMemory(self.to_vec());
        }
        match self {
            Self::InMemory(numbers) => numbers,
            Self::InFile(_) => unreachable!("they were brought back"),
        }
    }

    /// Bytes of them in a file.
    pub(crate) fn bytes_in_file(&self) -> usize {
        match self {
            Self::InMemory(_) => 0,
            Self::InFile(file) => file.map.len(),
        }
    }

    /// Says that they will not be read in a while. Whoever does read them finds them all the same.
    pub(crate) fn rest(&self) {
        if let Self::InFile(file) = self {
            // SAFETY: the pages are those of a file that is only read: they are the same when they come again. That it may be refused is
            // no reason not to go on.
            let _ = unsafe { file.map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }
}

impl<T: Pod> Deref for Numbers<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::InMemory(numbers) => numbers,
            Self::InFile(file) => bytemuck::cast_slice(&file.map),
        }
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self::InMemory(Vec::new())
    }
}

impl<T: Clone> Clone for Numbers<T> {
    fn clone(&self) -> Self {
        match self {
            Self::InMemory(numbers) => Self::InMemory(numbers.clone()),
            Self::InFile(InFile { map, of }) => Self::InFile(InFile {
                map: map.clone(),
                of: *of,
            }),
        }
    }
}

impl<T: Pod + PartialEq> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Numbers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self::InMemory(numbers)
    }
}

/// A list that grows at its end: in memory, or in a file as soon as it is longer than may be in memory.
#[derive(Debug)]
pub(crate) struct Growing<T> {
    /// What is not in the file yet.
    last: Vec<T>,
    /// The file, and how many bytes are in it.
    file: Option<(File, u64)>,
    room: Option<Room>,
}

impl<T: Pod> Growing<T> {
    pub(crate) fn new() -> Self {
        Self {
            last: Vec::new(),
            file: None,
            room: ROOM.with_borrow(Clone::clone),
        }
    }

    pub(crate) fn len(&self) -> usize {
        let written = self.file.as_ref().map_or(0, |&(_, bytes)| bytes);
        written as usize / size_of::<T>() + self.last.len()
    }

    pub(crate) fn extend(&mut self, more: &[T]) {
        self.last.extend_from_slice(more);
        let Some(room) = &self.room else { return };
        let most = match self.file {
            Some(_) => AT_ONCE.min(room.most),
            None => room.most,
        };
        if size_of_val(&self.last[..]) > most {
            self.put_aside();
        }
    }

    /// Writes what is in memory to the file; if that cannot be, all is in memory again, and stays there.
    fn put_aside(&mut self) {
        match self.write() {
            Ok(()) => self.last.clear(),
            Err(_) => self.bring_back(),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let (file, end) = match (&mut self.file, &self.room) {
            (Some((file, end)), _) => (file, end),
            (none, Some(room)) => {
                let (file, end) = none.insert((tempfile::tempfile_in(&room.folder)?, 0));
                (file, end)
            }
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let bytes: &[u8] = bytemuck::cast_slice(&self.last);
        file.write_all_at(bytes, *end)?;
        *end += bytes.len() as u64;
        Ok(())
    }

    /// Has all in memory, for good.
    fn bring_back(&mut self) {
        self.room = None;
        if let Some((file, bytes)) = self.file.take() {
            let mut all = vec![T::zeroed(); bytes as usize / size_of::<T>()];
            file.read_exact_at(bytemuck::cast_slice_mut(&mut all), 0)
                .expect("what was written can be read");
            all.append(&mut self.last);
            self.last = all;
        }
    }

    /// The list, which does not grow any more.
    pub(crate) fn finish(mut self) -> Numbers<T> {
        if self.file.is_some() && !self.last.is_empty() {
            self.put_aside();
        }
        if let Some((file, _)) = &self.file {
            // SAFETY: the file has no name, and nobody writes to it any more.
            if let Ok(map) = unsafe { Mmap::map(file) } {
                return Numbers::InFile(InFile {
                    map: Arc::new(map),
                    of: PhantomData,
                });
            }
            self.bring_back();
        }
        let mut all = mem::take(&mut self.last);
        all.shrink_to_fit();
        Numbers::InMemory(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(most: usize) -> Option<Room> {
        let folder = std::env::temp_dir();
        Some(Room { most, folder })
    }

    fn grown(len: u32, piece: usize) -> Numbers<u32> {
        let mut growing = Growing::new();
        let all: Vec<u32> = (0..len).collect();
        for piece in all.chunks(piece) {
            growing.extend(piece);
        }
        assert_eq!(growing.len(), len as usize);
        growing.finish()
    }

    #[test]
    fn a_list_is_the_same_wherever_it_is() {
        let in_memory = grown(1_000_000, 1000);
        assert_eq!(in_memory.bytes_in_file(), 0);
        assert!(in_memory.iter().copied().eq(0..1_000_000));
        for (most, piece) in [(0, 1), (0, 7777), (1000, 1000), (3 << 20, 100_000)] {
            let len = if piece == 1 { 1000 } else { 1_000_000 };
            let in_file = within(room(most), || grown(len, piece));
            assert_eq!(in_file.bytes_in_file(), len as usize * 4);
            assert!(in_file[..] == in_memory[..len as usize]);
            in_file.rest();
            assert!(in_file.clone()[..] == in_memory[..len as usize]);
            let mut back = in_file.clone();
            back.in_memory().push(7);
            assert_eq!((back.len(), back.bytes_in_file()), (len as usize + 1, 0));
            assert_eq!((back[0], back[len as usize]), (0, 7));
        }
        let short = within(room(4_000_000), || grown(1_000_000, 1000));
        assert_eq!(short.bytes_in_file(), 0);
        assert_eq!(within(room(0), || grown(0, 1)).len(), 0);
        assert_eq!(ROOM.with_borrow(Clone::clone), None);
    }

    #[test]
    fn where_no_file_can_be_made_a_list_stays_in_memory() {
        let nowhere = Room {
            most: 0,
            folder: "/nowhere/at/all".into(),
        };
        let list = within(Some(nowhere), || grown(100_000, 1000));
        assert_eq!(list.bytes_in_file(), 0);
        assert!(list.iter().copied().eq(0..100_000));
    }

    #[test]
    fn what_is_in_a_file_comes_back_if_no_more_can_be_written() {
        let mut growing = within(room(0), Growing::new);
        growing.extend(&[1_u32, 2, 3]);
        assert!(growing.file.is_some() && growing.last.is_empty());
        growing.bring_back();
        growing.extend(&[4, 5]);
        let list = growing.finish();
        assert_eq!((&list[..], list.bytes_in_file()), (&[1, 2, 3, 4, 5][..], 0));
    }
}
