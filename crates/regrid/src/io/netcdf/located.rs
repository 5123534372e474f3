//! Where storage chunks lie in their file, so that they are read from there: no library, no lock.
//!
//! HDF5 is asked for a place at a time, while chunks are large beside the asking; for the files of a large catalogue for all of
//! them, while the file is open for what it says of itself: it need not be opened again for its values then.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

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

/// Where all chunks of a variable lie.
#[derive(Debug)]
pub(super) struct ChunkPlaces {
    /// The number of chunks along each dimension.
    counts: Vec<usize>,
    places: Vec<ChunkPlace>,
}

impl ChunkPlaces {
    /// The places of so many chunks along each dimension, in order.
    pub(super) fn new(counts: Vec<usize>, places: Vec<ChunkPlace>) -> Self {
        Self { counts, places }
    }

    /// Where a chunk lies, by its place along each dimension.
    pub(super) fn at(&self, chunk: &[usize]) -> ChunkPlace {
        let numbers = chunk.iter().zip(&self.counts);
        self.places[numbers.fold(0, |at, (c, n)| at * n + c)]
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
    fn chunks_are_numbered_row_by_row() {
        let place = |begin| ChunkPlace {
            begin,
            bytes: 1,
            mask: 0,
        };
        let places = ChunkPlaces::new(vec![2, 3], (0..6).map(place).collect());
        assert_eq!(places.at(&[1, 0]), place(3));
        assert_eq!(places.at(&[0, 2]), place(2));
    }
}
