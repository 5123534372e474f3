//! Where storage chunks lie in their file, so that they are read from there: no library, no lock.
//!
//! HDF5 is asked for a few places at a time, while chunks are large beside the asking; for the files of a large catalogue for all of
//! them, while the file is open for what it says of itself: it need not be opened again for its values then.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::chunks::Access;
use super::open_files::OpenFiles;
use super::raw::{ChunkPlace, Stored};
use crate::io::superblock::SIGNATURE;
use crate::io::traffic;
use crate::values::DataType;

/// Chunks of a file whose places are kept at the most; a file of more is worth opening again.
const MOST_PLACES: usize = 64;
/// Variables of a file that are looked through at the most; more take longer than opening it again for one of them.
const MOST_VARIABLES: usize = 8;

/// A file as it was; what replaced or changed it since has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    place: (u64, u64),
    length: u64,
    modified: (i64, i64),
}

impl Identity {
    fn new(meta: &Metadata) -> Self {
        Self {
            place: (meta.dev(), meta.ino()),
            length: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        }
    }

    /// Whether it is the same file, longer by now perhaps.
    pub(super) fn is_same_file(self, other: Self) -> bool {
        self.place == other.place
    }

    /// Its bytes.
    pub(super) fn length(self) -> u64 {
        self.length
    }

    /// What an open file is.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::new(&meta))
    }

    /// What lies at a path by now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        path.metadata().map(|meta| Self::new(&meta))
    }
}

/// Whether places of chunks count from the start of an HDF5 file.
///
/// Versions of HDF5 disagree on whether they do where a user block comes first.
pub(super) fn counts_from_start(file: &File) -> bool {
    let mut start = [0; SIGNATURE.len()];
    file.read_exact_at(&mut start, 0).is_ok() && start == SIGNATURE
}

/// Where the chunks of a variable lie, as far as that was found out.
#[derive(Debug)]
pub(super) struct ChunkPlaces {
    /// The number of chunks along each dimension.
    counts: Vec<usize>,
    places: Vec<OnceLock<ChunkPlace>>,
}

impl ChunkPlaces {
    /// Room for the places of so many chunks along each dimension; none if they are more than `most` in all.
    pub(super) fn new(counts: Vec<usize>, most: usize) -> Option<Self> {
        let all = counts
            .iter()
            .try_fold(1, |all: usize, &n| all.checked_mul(n))?;
        (all <= most).then(|| Self {
            counts,
            places: vec![OnceLock::new(); all],
        })
    }

    /// How many chunks there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Where a chunk lies, by its place along each dimension; none if that was not found out.
    pub(super) fn at(&self, chunk: &[usize]) -> Option<ChunkPlace> {
        self.places[self.number(chunk)].get().copied()
    }

    /// Where a chunk lies; if that was not found out, it is now, for so many chunks from this one on.
    ///
    /// `ask` is given the places of chunks along each dimension, and answers where they lie.
    pub(super) fn find(
        &self,
        chunk: &[usize],
        many: usize,
        ask: impl FnOnce(Vec<Vec<usize>>) -> Option<Vec<ChunkPlace>>,
    ) -> Option<ChunkPlace> {
        let from = self.number(chunk);
        if self.places[from].get().is_none() {
            let asked = from..self.len().min(from + many);
            let found = ask(asked.clone().map(|number| self.chunk(number)).collect())?;
            for (place, found) in self.places[asked].iter().zip(found) {
                // Whoever asked at the same time was told the same.
                place.get_or_init(|| found);
            }
        }
        self.at(chunk)
    }

    /// Row by row.
    fn number(&self, chunk: &[usize]) -> usize {
        let numbers = chunk.iter().zip(&self.counts);
        numbers.fold(0, |at, (c, n)| at * n + c)
    }

    fn chunk(&self, mut number: usize) -> Vec<usize> {
        let mut chunk = vec![0; self.counts.len()];
        for (c, n) in chunk.iter_mut().zip(&self.counts).rev() {
            *c = number % n;
            number /= n;
        }
        chunk
    }
}

/// Reads a chunk as it is stored into a buffer of its size.
pub(super) fn read_at<'a>(
    file: &File,
    place: ChunkPlace,
    buffer: impl FnOnce(usize) -> Option<&'a mut [u8]>,
) -> Stored {
    if place.bytes == 0 {
        traffic::count(0);
        return Stored::Nothing;
    }
    // No buffer is made for what a damaged file says of itself.
    let end = place.begin.checked_add(place.bytes);
    let within = file
        .metadata()
        .is_ok_and(|meta| end.is_some_and(|end| end <= meta.len()));
    let size = usize::try_from(place.bytes).ok().filter(|_| within);
    let Some(buffer) = size.and_then(buffer) else {
        return Stored::Unreadable;
    };
    traffic::count(place.bytes);
    match file.read_exact_at(buffer, place.begin) {
        Ok(()) => Stored::Bytes(place.mask),
        Err(_) => Stored::Unreadable,
    }
}

/// How to read some variables of a file that is not kept open.
#[derive(Debug)]
pub(super) struct Located {
    file: Identity,
    access: HashMap<String, Arc<Access>>,
}

impl Located {
    /// Looks where the variables of these names, shapes and types lie, if they are few and their places are few.
    ///
    /// It costs little while the file is open through the library: HDF5 has it once.
    pub(super) fn of(
        files: &OpenFiles,
        path: &Path,
        variables: &[(&str, Vec<usize>, DataType)],
    ) -> Option<Self> {
        if variables.len() > MOST_VARIABLES {
            return None;
        }
        let file = files.plain(path)?;
        if !counts_from_start(&file) {
            return None;
        }
        let mut left = MOST_PLACES;
        let mut access = HashMap::new();
        for (name, shape, data_type) in variables {
            let (_, found) = files.access(path, name, shape, *data_type)?;
            let found = match &*found {
                Access::Plain(_) => found,
                Access::Chunks(chunks) => match chunks.located(shape, left) {
                    Some((located, count)) => {
                        left -= count;
                        Arc::new(Access::Chunks(located))
                    }
                    None => continue,
                },
                Access::Library | Access::Lacks(_) => continue,
            };
            access.insert((*name).to_owned(), found);
        }
        (!access.is_empty()).then_some(Self {
            file: Identity::of(&file).ok()?,
            access,
        })
    }

    /// How to read a variable, and the file to read it from; none if that is not known or the file is another by now.
    pub(super) fn access(
        &self,
        files: &OpenFiles,
        path: &Path,
        name: &str,
    ) -> Option<(Arc<File>, Arc<Access>)> {
        let access = self.access.get(name)?;
        let file = files.plain(path)?;
        (Identity::of(&file).ok()? == self.file).then(|| (file, access.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_beyond_the_file_are_not_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("bytes");
        std::fs::write(&path, [7; 100]).unwrap();
        let file = File::open(&path).unwrap();
        let mut buffer = Vec::new();
        let mut read = |begin: u64, bytes: u64| {
            let place = ChunkPlace {
                begin,
                bytes,
                mask: 5,
            };
            read_at(&file, place, |size| {
                buffer.resize(size, 0);
                Some(buffer.as_mut_slice())
            })
        };
        assert_eq!(read(60, 40), Stored::Bytes(5));
        assert_eq!(read(60, 0), Stored::Nothing);
        for (begin, bytes) in [(60, 41), (101, 1), (u64::MAX, 2), (1, u64::MAX)] {
            assert_eq!(read(begin, bytes), Stored::Unreadable);
        }
        assert_eq!(buffer, [7; 40]);
    }

    #[test]
    fn places_are_asked_for_once_and_ahead() {
        let place = |chunk: &Vec<usize>| ChunkPlace {
            begin: (10 * chunk[0] + chunk[1]) as u64,
            bytes: 1,
            mask: 0,
        };
        let places = ChunkPlaces::new(vec![2, 3], 6).unwrap();
        assert!(ChunkPlaces::new(vec![2, 3], 5).is_none());
        let mut asked = 0;
        let mut find = |chunk: [usize; 2]| {
            let all = |chunks: Vec<Vec<usize>>| {
                asked += chunks.len();
                Some(chunks.iter().map(place).collect())
            };
            places.find(&chunk, 2, all)
        };
        for chunk in [[0, 2], [1, 0], [1, 2], [0, 0], [0, 1]] {
            assert_eq!(find(chunk), Some(place(&chunk.to_vec())));
        }
        assert_eq!(asked, 2 + 1 + 2);
        assert_eq!(places.at(&[1, 1]), None);
        assert_eq!(places.find(&[1, 1], 2, |_| None), None);
    }
}
