//! The files of a catalogue that are open at the moment: each once, a bounded number of them.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::chunks::Access;
use super::library_error;
use super::raw::RawFile;
use super::silence::silence_hdf5;
use super::stretches::PlainVariable;
use crate::error::Error;
use crate::io::classic::Place;
use crate::io::length::places;
use crate::values::DataType;

/// Files kept open at once: below any limit of descriptors, above what a chunk touches. HDF5 takes about a megabyte for
/// each.
const MOST_OPEN: usize = 64;

/// The files of a catalogue that are open at the moment.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    files: Mutex<HashMap<PathBuf, Arc<OpenFile>>>,
    uses: AtomicU64,
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
    file: Option<Beneath>,
}

/// A file that is open beneath the library.
#[derive(Debug)]
enum Beneath {
    /// Through HDF5 for its chunks, and for what lies in it as it is.
    Hdf5(RawFile, Arc<File>),
    /// A classic file, and where its variables lie.
    Classic(Arc<File>, HashMap<Vec<u8>, Place>),
    /// Neither takes it.
    Neither,
}

impl Beneath {
    fn open(path: &Path) -> Self {
        let Ok(file) = File::open(path).map(Arc::new) else {
            return Self::Neither;
        };
        if let Ok(Some(places)) = places(path) {
            return Self::Classic(file, places);
        }
        RawFile::open(path, false).map_or(Self::Neither, |raw| Self::Hdf5(raw, file))
    }
}

impl OpenFiles {
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
                if files.len() >= MOST_OPEN {
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

    /// The file at a path, open through the library.
    pub(super) fn library(&self, path: &Path) -> Result<Arc<netcdf::File>, Error> {
        silence_hdf5();
        let place = self.at(path);
        let mut library = place.library.lock();
        if let Some(file) = &*library {
            return Ok(file.clone());
        }
        let file = netcdf::open(path).or_else(|_| {
            // Too many open files, perhaps; or the file is open beneath the library, which some versions do not share.
            self.close_others(path);
            *place.raw.lock() = Raw::default();
            netcdf::open(path)
        });
        let file = Arc::new(file.map_err(library_error("open", path, None))?);
        *library = Some(file.clone());
        Ok(file)
    }

    /// How to read a variable of numbers.
    pub(super) fn access(
        &self,
        path: &Path,
        name: &str,
        shape: &[usize],
        data_type: DataType,
    ) -> Arc<Access> {
        let place = self.at(path);
        let mut raw = place.raw.lock();
        if let Some(access) = raw.access.get(name) {
            return access.clone();
        }
        let file = raw.file.get_or_insert_with(|| match Beneath::open(path) {
            Beneath::Neither => {
                self.close_others(path);
                Beneath::open(path)
            }
            open => open,
        });
        let access = Arc::new(match file {
            Beneath::Hdf5(raw, file) => Access::of((raw, file), name, shape, data_type),
            Beneath::Classic(file, places) => match places.get(name.as_bytes()) {
                Some(&place) => {
                    Access::Plain(PlainVariable::classic(file, place, shape, data_type))
                }
                None => Access::Library,
            },
            Beneath::Neither => Access::Library,
        });
        raw.access.insert(name.to_owned(), access.clone());
        access
    }
}
