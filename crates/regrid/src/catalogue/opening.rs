//! The files of a catalogue, opened in their order.
//!
//! The format's library opens one file at a time, whatever the threads. What can be done without it is done ahead of it, on
//! several threads: to find the file, to see what kind it is and whether it is whole, and to have its head brought into
//! memory, which on a disk that is cold or far away takes longer than all the rest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::error::Error;
use crate::io::SourceFile;
use crate::io::netcdf::{NetcdfFile, OpenFiles, WholeFile};

/// Threads that look ahead: more than there are cores, since they mostly wait.
const LOOKING: usize = 8;
/// Files that each of them is ahead at the most.
const AHEAD: usize = 4;
/// Fewer files for each thread are not worth its start.
const WORTH: usize = 4;

/// Opens files; one that is there twice, by whatever path, counts once.
///
/// # Errors
/// The first file, in their order, that is missing, not netCDF, truncated or damaged.
pub(super) fn opened(paths: &[PathBuf]) -> Result<Vec<Arc<dyn SourceFile>>, Error> {
    let open = Arc::new(OpenFiles::default());
    let mut seen = HashSet::new();
    let mut files: Vec<Arc<dyn SourceFile>> = Vec::new();
    let each = |found: Found| {
        if !seen.insert(found.place) {
            return Ok(());
        }
        // What failed may have failed for the descriptors that others had open.
        let file = found.file.or_else(|_| WholeFile::at(found.path))?;
        files.push(Arc::new(NetcdfFile::of(file, &open)?));
        Ok(())
    };
    let threads = LOOKING.min(paths.len() / WORTH);
    in_order(paths, threads, |path| Found::at(path), each)?;
    Ok(files)
}

/// A file that was looked at.
struct Found<'a> {
    path: &'a Path,
    /// The one path that leads to it without links.
    place: PathBuf,
    file: Result<WholeFile, Error>,
}

impl<'a> Found<'a> {
    fn at(path: &'a Path) -> Self {
        Self {
            path,
            place: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            file: WholeFile::at(path).inspect(|_| bring_head(path)),
        }
    }
}

/// Has the system read the head of a file, and does not wait for it.
#[cfg(target_os = "linux")]
fn bring_head(path: &Path) {
    use rustix::fs::{Advice, fadvise};
    /// Enough for the metadata of most files.
    const HEAD: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(1 << 18);
    if let Ok(file) = std::fs::File::open(path) {
        // It may decline: the library reads the head in any case.
        let _ = fadvise(&file, 0, HEAD, Advice::WillNeed);
    }
}

#[cfg(not(target_os = "linux"))]
fn bring_head(_: &Path) {}

/// Looks at things on some threads, a few ahead, and does something with what was found, in order, on this one.
///
/// # Errors
/// The first of `each`, after which nothing more is done.
fn in_order<'a, T: Sync, R: Send>(
    things: &'a [T],
    threads: usize,
    look: impl Fn(&'a T) -> R + Sync,
    mut each: impl FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    if threads < 2 {
        return things.iter().map(look).try_for_each(each);
    }
    thread::scope(|scope| {
        let found: Vec<_> = (0..threads)
            .map(|first| {
                let (send, found) = sync_channel(AHEAD);
                let look = &look;
                let ahead = move || {
                    let own = things.iter().skip(first).step_by(threads);
                    // Nobody listens any more after an error.
                    let _ = own.map(look).try_for_each(|found| send.send(found));
                };
                let started = thread::Builder::new().spawn_scoped(scope, ahead);
                started.is_ok().then_some(found)
            })
            .collect();
        things.iter().enumerate().try_for_each(|(at, thing)| {
            // Where a thread is not to be had, nobody is ahead.
            let found = found[at % threads].as_ref();
            each(match found.map(Receiver::recv) {
                Some(found) => found.expect("each thread sends all that is its own"),
                None => look(thing),
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::thread::ThreadId;

    use super::*;

    #[test]
    fn what_is_found_on_several_threads_comes_in_order() {
        let things: Vec<usize> = (0..1000).collect();
        let threads: Mutex<HashSet<ThreadId>> = Mutex::default();
        let look = |&at: &usize| {
            threads.lock().unwrap().insert(thread::current().id());
            2 * at
        };
        let mut found = Vec::new();
        let each = |at| {
            found.push(at);
            Ok(())
        };
        in_order(&things, 3, look, each).unwrap();
        assert!(found.into_iter().eq((0..1000).map(|at| 2 * at)));
        assert_eq!(threads.into_inner().unwrap().len(), 3);
    }

    #[test]
    fn the_first_error_ends_it() {
        let things: Vec<usize> = (0..1000).collect();
        for threads in [1, 3] {
            let mut last = 0;
            let each = |at| {
                last = at;
                match at {
                    40 => Err(Error::Nothing { action: "open" }),
                    _ => Ok(()),
                }
            };
            assert!(in_order(&things, threads, |&at| at, each).is_err());
            assert_eq!(last, 40);
        }
    }
}
