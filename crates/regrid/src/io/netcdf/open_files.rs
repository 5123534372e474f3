//! The files of a catalogue that are open at the moment: each once, a bounded number of them.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::chunks::Access;
use super::library_error;
use super::located::{Identity, counts_from_start};
use super::raw::RawFile;
use super::silence::silence_hdf5;
use super::stretches::PlainVariable;
use crate::error::Error;
use crate::io::classic::Place;
use crate::io::length::places;
use crate::values::DataType;

/// Files kept open at once where the process may have many: above what a chunk touches. HDF5 takes about a megabyte for each.
const MOST_OPEN: usize = 64;
/// Descriptors that an open file takes: HDF5's, and the one that values are read from.
const EACH_TAKES: usize = 2;
/// Descriptors left to others: output, journal, threads that look ahead, files that a task still uses, the caller's own.
const LEFT_TO_OTHERS: usize = 24;

/// Attempts to open a file while too many are open: other threads take what was let go of, but not for long.
const MOST_ATTEMPTS: u32 = 100;
/// How much longer the wait before each of them is than before the last: half a second in all.
const LONGER: Duration = Duration::from_micros(100);
/// Attempts that may fail though there are descriptors afterwards: all may have been taken while one was made.
const MOST_FAILURES: u32 = 3;
/// Descriptors that the library may need to open a file.
const NEEDED: usize = 3;
/// What a system answers where the process, or the system itself, has no more: `EMFILE`, `ENFILE`.
const NO_MORE: [i32; 2] = [24, 23];

/// The files of a catalogue that are open at the moment.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    /// Files kept open at once.
    most: usize,
    files: Mutex<HashMap<PathBuf, Arc<OpenFile>>>,
    uses: AtomicU64,
    /// Files that were ever opened for what they say of themselves.
    seen: AtomicUsize,
}

/// A file that is open in one way or in both: through the library, which knows all, and beneath it.
#[derive(Debug, Default)]
pub(super) struct OpenFile {
    last_use: AtomicU64,
    library: Mutex<Option<Arc<netcdf::File>>>,
    raw: Mutex<Raw>,
}

/// The way beneath the library.
#[derive(Debug, Default)]
struct Raw {
    /// Declared first: arrays are closed before their file.
    access: HashMap<String, Arc<Access>>,
    layout: Option<FileLayout>,
    /// The file itself, out of which values are read.
    plain: Option<Arc<File>>,
}

/// What tells where things lie in a file.
#[derive(Debug)]
enum FileLayout {
    /// HDF5; and whether its places of chunks count from the file's start.
    Hdf5(RawFile, bool),
    /// A classic file's header.
    Classic(HashMap<Vec<u8>, Place>),
}

impl FileLayout {
    fn of(path: &Path, file: &File) -> Option<Self> {
        let from_start = counts_from_start(file);
        if !from_start && let Ok(Some(places)) = places(path) {
            return Some(Self::Classic(places));
        }
        let raw = RawFile::open(path, false)?;
        #[cfg(test)]
        crate::io::traffic::tally::opened("HDF5 opened", path);
        // HDF5 opened it once more: what was replaced in between is another file.
        let same = Identity::of(file).ok()? == Identity::at(path).ok()?;
        same.then_some(Self::Hdf5(raw, from_start))
    }
}

impl Raw {
    /// The file itself.
    fn plain(&mut self, path: &Path) -> Option<Arc<File>> {
        if self.plain.is_none() {
            self.plain = File::open(path).map(Arc::new).ok();
        }
        self.plain.clone()
    }

    /// Opens what is not open yet; tells whether all is.
    fn open(&mut self, path: &Path) -> Option<(Arc<File>, &FileLayout)> {
        let file = self.plain(path)?;
        if self.layout.is_none() {
            self.layout = FileLayout::of(path, &file);
        }
        Some((file, self.layout.as_ref()?))
    }
}

impl Default for OpenFiles {
    fn default() -> Self {
        Self {
            most: most_open(),
            files: Mutex::default(),
            uses: AtomicU64::default(),
            seen: AtomicUsize::default(),
        }
    }
}

/// Files that may be kept open at once, by what descriptors the process may have.
fn most_open() -> usize {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let limit: Option<u64> = None;
    let files = |limit: u64| (limit as usize).saturating_sub(LEFT_TO_OTHERS) / EACH_TAKES;
    limit.map_or(MOST_OPEN, files).clamp(1, MOST_OPEN)
}

/// Whether too few descriptors are left to open a file.
///
/// The library does not always say so: where it is HDF5 that has none, "HDF error" is all that it tells.
fn short_of_descriptors(path: &Path) -> bool {
    let opened: Vec<_> = (0..NEEDED).map(|_| File::open(path)).collect();
    opened.iter().any(|opened| {
        let number = opened.as_ref().err().and_then(io::Error::raw_os_error);
        number.is_some_and(|number| NO_MORE.contains(&number))
    })
}

impl OpenFiles {
    /// Counts a file, and tells whether there are more than are kept open.
    pub(super) fn one_of_many(&self) -> bool {
        self.seen.fetch_add(1, Ordering::Relaxed) >= self.most
    }

    /// The place of a file; what was not used for longest is let go of, if need be.
    ///
    /// Opening happens later, under the file's own lock, so that nobody waits for a file that is not theirs.
    pub(super) fn at(&self, path: &Path) -> Arc<OpenFile> {
        let mut files = self.files.lock();
        let now = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut closed = None;
        let file = match files.get(path) {
            Some(file) => file.clone(),
            None => {
                if files.len() >= self.most {
                    let age = |(_, file): &(&PathBuf, &Arc<OpenFile>)| {
                        file.last_use.load(Ordering::Relaxed)
                    };
                    let oldest = files.iter().min_by_key(age).map(|(path, _)| path.clone());
                    closed = oldest.and_then(|oldest| files.remove(&oldest));
                }
                files.entry(path.to_owned()).or_default().clone()
            }
        };
        file.last_use.store(now, Ordering::Relaxed);
        drop(files);
        drop(closed);
        file
    }

    /// Lets go of all files but one; those that a task uses at the moment are closed when it is done.
    fn close_others(&self, kept: &Path) {
        let mut closed = std::mem::take(&mut *self.files.lock());
        if let Some(file) = closed.remove(kept) {
            self.files.lock().insert(kept.to_owned(), file);
        }
    }

    /// Lets go of a file as it is open through the library; who uses it at the moment keeps it until then.
    pub(super) fn close_library(&self, path: &Path) {
        let closed = self.at(path).library.lock().take();
        drop(closed);
    }

    /// Lets go of a file in every way.
    pub(super) fn close(&self, path: &Path) {
        let closed = self.files.lock().remove(path);
        drop(closed);
    }

    /// The file at a path, open through the library.
    pub(super) fn library(&self, path: &Path) -> Result<Arc<netcdf::File>, Error> {
        silence_hdf5();
        let place = self.at(path);
        let mut library = place.library.lock();
        if let Some(file) = &*library {
            return Ok(file.clone());
        }
        let mut file = netcdf::open(path);
        let mut failures = 0;
        for attempt in 0..MOST_ATTEMPTS {
            if file.is_ok() || failures == MOST_FAILURES {
                break;
            }
            // Too many open files, perhaps; or the file is open beneath the library, which some versions do not share.
            self.close_others(path);
            *place.raw.lock() = Raw::default();
            // Other threads open theirs, and close them soon.
            thread::sleep(attempt * LONGER);
            file = netcdf::open(path);
            if file.is_err() && !short_of_descriptors(path) {
                failures += 1;
            }
        }
        let file = Arc::new(file.map_err(library_error("open", path, None))?);
        #[cfg(test)]
        crate::io::traffic::tally::opened("netCDF opened", path);
        *library = Some(file.clone());
        Ok(file)
    }

    /// The file at a path itself; none if it does not open.
    pub(super) fn plain(&self, path: &Path) -> Option<Arc<File>> {
        self.at(path).raw.lock().plain(path)
    }

    /// How to read a variable of numbers, and the file to read it from; none if only the library takes the file.
    pub(super) fn access(
        &self,
        path: &Path,
        name: &str,
        shape: &[usize],
        data_type: DataType,
    ) -> Option<(Arc<File>, Arc<Access>)> {
        let place = self.at(path);
        let mut raw = place.raw.lock();
        if let (Some(file), Some(access)) = (&raw.plain, raw.access.get(name)) {
            return Some((file.clone(), access.clone()));
        }
        if raw.open(path).is_none() {
            // Too many open files, perhaps; or one that was open has been replaced.
            self.close_others(path);
            *raw = Raw::default();
        }
        let (file, layout) = raw.open(path)?;
        let access = Arc::new(match layout {
            FileLayout::Hdf5(raw, countable) => Access::of(raw, *countable, name, shape, data_type),
            FileLayout::Classic(places) => match places.get(name.as_bytes()) {
                Some(&place) => Access::Plain(PlainVariable::classic(place, shape, data_type)),
                None => Access::Library,
            },
        });
        raw.access.insert(name.to_owned(), access.clone());
        Some((file, access))
    }
}
