//! Files that go to the disk while they are written, so that little is left to wait for at the end.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes after which the system is asked to begin: enough for a few large requests of the disk.
const STEP: usize = 4 << 20;

/// A file that somebody writes.
#[derive(Debug)]
pub(crate) struct WriteBack {
    file: File,
    /// Bytes written since the system was last asked.
    since: AtomicUsize,
}

impl WriteBack {
    /// The file at `path`, which is there.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            since: AtomicUsize::new(0),
        })
    }

    /// Counts bytes that were written.
    pub(crate) fn wrote(&self, bytes: usize) {
        self.since.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Has the system begin to write what it holds, if that is worth the while; better called with no lock held.
    pub(crate) fn urge(&self) {
        if self.since.load(Ordering::Relaxed) >= STEP
            && self.since.swap(0, Ordering::Relaxed) >= STEP
        {
            begin(&self.file);
        }
    }

    /// Returns once all of it is on the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// Has the system begin, and does not wait. It may decline: whatever is wrong shows when the file is finished.
#[cfg(target_os = "linux")]
fn begin(file: &File) {
    use std::os::fd::AsRawFd;
    #[expect(unsafe_code, reason = "no crate offers it without")]
    // SAFETY: the descriptor is open as long as the file is borrowed; no memory is handed over.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
}

#[cfg(not(target_os = "linux"))]
fn begin(_: &File) {}
