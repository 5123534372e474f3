//! Stopping on Ctrl-C, and on the signals that ask a program to end: within a second, leaving no partial output.
//!
//! First the run is cancelled: it starts no new task, and the usual way out removes the temporary files. Tasks that are
//! still running a little later are not waited for: the files are removed from here and the process ends.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delayed::CancelToken;

use crate::Result;
use crate::failure::Failure;

#[cfg(unix)]
use self::signals::watch;

/// Held by whoever reports how the command ended, until the process has ended.
static LAST_WORD: Mutex<()> = Mutex::new(());

/// The right to say how the command ended; nobody else gets it before it is dropped.
pub(crate) fn last_word() -> MutexGuard<'static, ()> {
    LAST_WORD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process at once.
///
/// Not by the usual exit: there the HDF5 library tidies up, which crashes after a failed write, and while a task is still
/// inside the library.
pub(crate) fn leave(code: u8) -> ! {
    #[cfg(unix)]
    signal_hook::low_level::exit(i32::from(code));
    #[cfg(not(unix))]
    std::process::exit(i32::from(code));
}

/// What is to happen on an interrupt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    token: CancelToken,
    /// Files that must not outlive the process.
    temporary: Arc<Mutex<Vec<PathBuf>>>,
}

impl Interrupt {
    /// Watches for interrupts from now on.
    pub(crate) fn watch() -> Result<Self> {
        let interrupt = Self::default();
        #[cfg(unix)]
        watch(interrupt.clone()).map_err(|e| Failure::system("cannot watch for Ctrl-C", &e))?;
        Ok(interrupt)
    }

    /// What cancels a run.
    pub(crate) fn token(&self) -> &CancelToken {
        &self.token
    }

    /// Whether to go on.
    pub(crate) fn check(&self) -> Result<()> {
        if self.token.is_cancelled() {
            return Err(Failure::interrupted());
        }
        Ok(())
    }

    /// Makes something that is a temporary file until it is complete; no interrupt gets between making and knowing it.
    pub(crate) fn making<T: Temporary, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut temporary = self.lock();
        let made = make()?;
        let paths = made.temporary_paths();
        #[cfg(unix)]
        for path in &paths {
            crate::crash::removes(path);
        }
        temporary.extend(paths);
        Ok(made)
    }

    /// Gives what was [made](Self::making) its own name, which is short; then it is none of the files that must not outlive the
    /// process, and its temporary names may be another's. An interrupt comes before all that or after it.
    pub(crate) fn naming<T: Temporary, R, E>(
        &self,
        made: T,
        name: impl FnOnce(T) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut temporary = self.lock();
        let paths = made.temporary_paths();
        // A crash takes no lock: what it would leave now is removed by the next run, as after a kill.
        #[cfg(unix)]
        for path in &paths {
            crate::crash::leaves(path);
        }
        let named = name(made)?;
        temporary.retain(|path| !paths.contains(path));
        Ok(named)
    }

    /// Files that were [made](Self::making) are gone, and their names may be another's.
    pub(crate) fn gone(&self, paths: &[PathBuf]) {
        let mut temporary = self.lock();
        #[cfg(unix)]
        for path in paths {
            crate::crash::leaves(path);
        }
        temporary.retain(|path| !paths.contains(path));
    }

    /// Does something short to its end: an interrupt waits for it.
    pub(crate) fn undisturbed<T>(&self, work: impl FnOnce() -> T) -> T {
        let _held = self.lock();
        work()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.temporary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is written under temporary names.
pub(crate) trait Temporary {
    /// Those names.
    fn temporary_paths(&self) -> Vec<PathBuf>;
}

impl Temporary for regrid::PlannedWrite {
    fn temporary_paths(&self) -> Vec<PathBuf> {
        self.temporary_paths()
    }
}

impl Temporary for regrid::CompleteOutput {
    fn temporary_paths(&self) -> Vec<PathBuf> {
        self.temporary_paths()
    }
}

impl Temporary for tempfile::NamedTempFile {
    fn temporary_paths(&self) -> Vec<PathBuf> {
        vec![self.path().to_owned()]
    }
}

#[cfg(unix)]
mod signals {
    use std::sync::Arc;
    use std::time::Duration;
    use std::{fs, io, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    use super::{Interrupt, last_word, leave};
    use crate::failure::Failure;

    /// How long running tasks may take to end.
    const GRACE: Duration = Duration::from_millis(700);

    /// Stops the command on the first signal that asks for it.
    ///
    /// A limit on the size of files (`ulimit -f`) would end the process by a signal; heeded, it fails the write instead.
    pub(super) fn watch(interrupt: Interrupt) -> io::Result<()> {
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        let mut signals = Signals::new(heeded())?;
        thread::Builder::new()
            .name("interrupt".into())
            .spawn(move || {
                if signals.forever().next().is_some() {
                    stop(&interrupt);
                }
            })?;
        Ok(())
    }

    fn stop(interrupt: &Interrupt) {
        interrupt.token.cancel();
        thread::sleep(GRACE);
        let temporary = interrupt.lock();
        let _last_word = last_word();
        for path in temporary.iter() {
            let _ = fs::remove_file(path);
        }
        Failure::interrupted().report();
        leave(1);
    }

    /// The signals to act on: not SIGHUP where it is ignored already, as `nohup` does.
    fn heeded() -> Vec<i32> {
        let ignored = fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| {
                let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"))?;
                u64::from_str_radix(mask.trim(), 16).ok()
            })
            .unwrap_or(0);
        let mut signals = vec![SIGINT, SIGTERM];
        if ignored >> (SIGHUP - 1) & 1 == 0 {
            signals.push(SIGHUP);
        }
        signals
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_has_its_name_is_removed_by_nobody_nor_is_what_takes_its_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let make = || tempfile::NamedTempFile::new_in(folder.path());
        let made = interrupt.making(make).unwrap();
        let other = interrupt.making(make).unwrap();
        let (was, is) = (made.path().to_owned(), folder.path().join("out.nc"));
        interrupt.naming(made, |made| made.persist(&is)).unwrap();
        fs::write(&was, "another's").unwrap();
        assert_eq!(*interrupt.lock(), [other.path()]);
        crate::crash::remove_temporary();
        assert!(is.exists() && was.exists() && !other.path().exists());

        // What does not get its name stays what it was.
        let made = interrupt.making(make).unwrap();
        let was = made.path().to_owned();
        let refused = interrupt.naming(made, |made| made.persist_noclobber(&is));
        assert!(refused.is_err());
        assert_eq!(*interrupt.lock(), [other.path(), &was]);
    }
}
