//! Long lists of numbers: in memory, or in a file where memory is short.
//!
//! Weights of a million cells take a hundred megabytes, of which a chunk reads a few at a time. [Within](within) a budget that does not
//! hold them they are written to a file without a name as they are made, which the system removes whatever happens to the process. The
//! file is mapped, so that who reads the numbers need not know where they are; who is done with them lets them [rest](Numbers::rest):
//! they leave the process's memory then, and stay in the system's cache as long as nothing else needs the room.
//!
//! What comes and goes while tasks run is [put aside](Aside) in such a file, piece by piece.

#![expect(
    unsafe_code,
    reason = "a file is mapped that nobody else has, and its pages are let go of"
)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, Range};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use bytemuck::Pod;
use memmap2::{Mmap, UncheckedAdvice};
use parking_lot::Mutex;

/// Bytes that are written at a time.
const AT_ONCE: usize = 1 << 20;

/// Bytes of a mapped file that come into memory together, wherever among them one is read: as Linux has it (`fault_around_bytes`).
const COME_TOGETHER: usize = 64 << 10;

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

    /// Bytes of a file that come into memory while some stretches are read, one after the other.
    pub(crate) fn bytes_read(&self, stretches: impl Iterator<Item = Range<usize>>) -> usize {
        let Self::InFile(file) = self else {
            return 0;
        };
        let (mut bytes, mut before) = (0, 0);
        for stretch in stretches.filter(|stretch| !stretch.is_empty()) {
            let [start, end] = [stretch.start, stretch.end].map(|at| at * size_of::<T>());
            let start = start - start % COME_TOGETHER;
            let end = end.next_multiple_of(COME_TOGETHER).min(file.map.len());
            bytes += end.saturating_sub(start.max(before));
            before = before.max(end);
        }
        bytes
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

/// Pieces of bytes that wait in a file without a name until somebody wants them back.
#[derive(Debug)]
pub(crate) struct Aside {
    folder: PathBuf,
    /// Bytes that are to be left free where the file is: others need the room more.
    reserve: u64,
    /// Whether something could not be written: then nothing more is.
    failed: AtomicBool,
    /// Made when there is something to put there; none if it could not be made.
    file: OnceLock<Option<File>>,
    places: Mutex<Places>,
}

/// Where in the file there is room.
#[derive(Debug, Default)]
struct Places {
    /// Stretches that somebody had, by their lengths.
    free: HashMap<usize, Vec<u64>>,
    end: u64,
    /// How many pieces wait.
    count: usize,
}

/// A piece that was put aside; when it is dropped, others may have its place.
#[derive(Debug)]
pub(crate) struct PutAside {
    all: Arc<Aside>,
    start: u64,
    len: usize,
}

impl Aside {
    /// A file in a folder, which leaves so many bytes free there.
    pub(crate) fn new(folder: PathBuf, reserve: u64) -> Arc<Self> {
        Arc::new(Self {
            folder,
            reserve,
            failed: AtomicBool::new(false),
            file: OnceLock::new(),
            places: Mutex::default(),
        })
    }

    fn file(&self) -> Option<&File> {
        let file = || tempfile::tempfile_in(&self.folder).ok();
        self.file.get_or_init(file).as_ref()
    }

    /// Puts bytes aside, if there is room and they can be written.
    pub(crate) fn put(self: &Arc<Self>, bytes: &[u8]) -> Option<PutAside> {
        let file = self.file().filter(|_| !self.failed.load(Relaxed))?;
        if free(file).is_some_and(|free| free < self.reserve + bytes.len() as u64) {
            return None;
        }
        let start = {
            let mut places = self.places.lock();
            places.count += 1;
            let free = places.free.get_mut(&bytes.len()).and_then(Vec::pop);
            free.unwrap_or_else(|| {
                places.end += bytes.len() as u64;
                places.end - bytes.len() as u64
            })
        };
        let put = PutAside {
            all: self.clone(),
            start,
            len: bytes.len(),
        };
        match file.write_all_at(bytes, start) {
            Ok(()) => Some(put),
            Err(_) => {
                self.failed.store(true, Relaxed);
                None
            }
        }
    }
}

/// Bytes that are free where a file is, if the system tells.
fn free(file: &File) -> Option<u64> {
    let told = rustix::fs::fstatvfs(file).ok()?;
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
}

impl PutAside {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Brings as many bytes back as there are.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn bring_back(&self, into: &mut [u8]) -> io::Result<()> {
        assert_eq!(into.len(), self.len, "all of it comes back");
        let file = self.all.file().ok_or(io::ErrorKind::NotFound)?;
        file.read_exact_at(into, self.start)
    }
}

impl Drop for PutAside {
    fn drop(&mut self) {
        let mut places = self.all.places.lock();
        places.count -= 1;
        match places.count {
            // The file is begun anew.
            0 => *places = Places::default(),
            _ => places.free.entry(self.len).or_default().push(self.start),
        }
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
    fn who_reads_some_numbers_of_a_file_brings_those_around_them() {
        let of = |all: &Numbers<u32>, stretches: &[[usize; 2]]| {
            all.bytes_read(stretches.iter().map(|&[start, end]| start..end))
        };
        let in_file = within(room(0), || grown(100_000, 1000));
        let each = COME_TOGETHER / 4;
        assert_eq!(of(&in_file, &[]), 0);
        assert_eq!(of(&in_file, &[[5, 5], [5, 6]]), COME_TOGETHER);
        assert_eq!(of(&in_file, &[[5, 6], [9, each]]), COME_TOGETHER);
        assert_eq!(of(&in_file, &[[5, 6], [9, each + 1]]), 2 * COME_TOGETHER);
        let apart = [[5, 6], [3 * each, 3 * each + 1]];
        assert_eq!(of(&in_file, &apart), 2 * COME_TOGETHER);
        // The file ends before the next ones would.
        assert_eq!(of(&in_file, &[[0, 100_000], [7, 99_999]]), 400_000);
        assert_eq!(of(&grown(100, 10), &[[0, 100]]), 0);
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
    #[test]
    fn what_is_put_aside_comes_back_and_its_place_is_used_again() {
        let aside = Aside::new(std::env::temp_dir(), 0);
        let pieces = [[1_u8; 1000], [2; 1000]].map(|bytes| aside.put(&bytes).unwrap());
        let longer = aside.put(&[3; 5000]).unwrap();
        let mut back = [0; 1000];
        for (piece, of) in pieces.iter().zip([1, 2]) {
            piece.bring_back(&mut back).unwrap();
            assert_eq!(back, [of; 1000]);
        }
        let [gone, kept] = pieces;
        drop(gone);
        let more = aside.put(&[4; 1000]).unwrap();
        assert_eq!(more.start, 0);
        kept.bring_back(&mut back).unwrap();
        assert_eq!(back, [2; 1000]);
        let mut back = [0; 5000];
        longer.bring_back(&mut back).unwrap();
        assert_eq!(back, [3; 5000]);
        assert!(Aside::new("/nowhere/at/all".into(), 0).put(&[1]).is_none());
        // There is never so much room.
        let full = Aside::new(std::env::temp_dir(), u64::MAX / 2);
        assert!(full.put(&[1]).is_none());
    }
}
