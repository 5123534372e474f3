//! When a library takes the process down, or never comes back: the netCDF and HDF5 libraries believe what a damaged file
//! says of itself.
//!
//! Then the last thing that the command does is to say which file it was. After a crash that is done within a handler of
//! signals, on a thread that may hold any lock: no allocation, no lock, only calls that POSIX calls async-signal-safe. What
//! runs in circles is found by a thread that looks from time to time; it takes no lock either that the circling one may hold.

#![expect(
    unsafe_code,
    reason = "signals of faults can be handled in no other way"
)]

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use libc::{c_char, c_int};
use regrid::EndlessReads;

use crate::failure::Failure;
use crate::interrupt::{last_word, leave};

/// What a fault in a library ends as: bad addresses, aborts on corrupt heaps, divisions by zero.
const FAULTS: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGABRT, "SIGABRT"),
];

/// Files that must not outlive the process: an output, its journal, drawings.
static TEMPORARY: [AtomicPtr<c_char>; 16] = [const { AtomicPtr::new(ptr::null_mut()) }; 16];
static TEMPORARY_COUNT: AtomicUsize = AtomicUsize::new(0);

/// How often is looked for reads without an end.
const LOOK: Duration = Duration::from_secs(1);

/// Handles faults and reads without an end from now on, on all threads.
pub(crate) fn watch() {
    for (signal, _) in FAULTS {
        // SAFETY: all zeros is a `sigaction`; the mask is filled in by the call made for that; the handler is of the kind
        // that the flags say and does only what is allowed in one. Threads of Rust's have a stack for handlers of their
        // own, so that one that has overflowed its stack is heard as well.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = crashed as extern "C" fn(c_int) as usize;
            action.sa_flags = libc::SA_ONSTACK;
            libc::sigfillset(&raw mut action.sa_mask);
            // Without a handler it is as it was before; that is no reason not to work.
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
    // The same goes for this.
    let _ = thread::Builder::new().name("endless".into()).spawn(look);
}

/// Looks for reads without an end, as long as the process lives.
fn look() {
    let mut reads = EndlessReads::default();
    loop {
        thread::sleep(LOOK);
        if let Some(what) = reads.look() {
            let _last_word = last_word();
            Failure::failed(format!(
                "{what}: the netCDF library reads it without an end: the file is damaged, most likely"
            ))
            .hint("get the file anew, or leave it out")
            .report();
            remove_temporary();
            leave(1);
        }
    }
}

/// Has a file removed if the process crashes; there is room for a few.
pub(crate) fn removes(path: &Path) {
    let Ok(path) = CString::new(path.as_os_str().as_encoded_bytes()) else {
        return;
    };
    if let Some(place) = TEMPORARY.get(TEMPORARY_COUNT.fetch_add(1, Ordering::Relaxed)) {
        // Never freed: a handler may come at any time.
        place.store(path.into_raw(), Ordering::Release);
    }
}

/// Has a file stay even if the process crashes.
pub(crate) fn leaves(path: &Path) {
    let name = path.as_os_str().as_encoded_bytes();
    for place in &TEMPORARY {
        let known = place.load(Ordering::Acquire);
        // SAFETY: it is a C string that is never freed.
        if !known.is_null() && unsafe { CStr::from_ptr(known) }.to_bytes() == name {
            place.store(ptr::null_mut(), Ordering::Release);
        }
    }
}

/// Whether memory was asked for that there was not.
fn was_refused_memory() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    return crate::allocator::was_refused();
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    false
}

/// Says what was being read, removes what is not to stay, and ends the process.
extern "C" fn crashed(signal: c_int) {
    let mut line = Line::default();
    let mut what = [0; 1024];
    let read = regrid::being_read(&mut what);
    // Names from files may have any character; a message is one line.
    what.iter_mut()
        .filter(|byte| byte.is_ascii_control())
        .for_each(|byte| *byte = b' ');
    line.add(b"regrid: error: ");
    let memory = signal == libc::SIGABRT && was_refused_memory();
    if memory {
        line.add(b"there is not enough memory (");
    } else if read > 0 {
        line.add(&what[..read]);
        line.add(b": the netCDF library crashed while reading it (");
    } else {
        line.add(b"this should not happen: the program crashed (");
    }
    let name = FAULTS.iter().find(|(fault, _)| *fault == signal);
    line.add(name.map_or("a signal", |(_, name)| name).as_bytes());
    line.add(match read > 0 {
        _ if memory => b")\nhint: --memory states how much the work may take, fewer threads (-j) take less, and so do smaller grids\n",
        true => b"): the file is damaged, most likely\nhint: get the file anew, or leave it out\n",
        false => b")\nhint: a file may be damaged; if none is, please report it with the command\n",
    });
    // SAFETY: the bytes are there and as many as stated, and the call is async-signal-safe.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
    remove_temporary();
    // SAFETY: it is async-signal-safe.
    unsafe { libc::_exit(1) }
}

/// Removes what is not to stay; fit for a handler of signals.
pub(crate) fn remove_temporary() {
    for place in &TEMPORARY {
        let path = place.load(Ordering::Acquire);
        if !path.is_null() {
            // SAFETY: it is a C string that is never freed, and the call is async-signal-safe.
            unsafe { libc::unlink(path) };
        }
    }
}

/// A text that is put together without allocating: what does not fit is left out.
struct Line {
    bytes: [u8; 1280],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: [0; 1280],
            len: 0,
        }
    }
}

impl Line {
    fn add(&mut self, text: &[u8]) {
        for (place, &byte) in self.bytes[self.len..].iter_mut().zip(text) {
            *place = byte;
            self.len += 1;
        }
    }
}
