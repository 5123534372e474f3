//! What a thread reads at the moment: what is left to be told if the format's library takes the process down or never
//! comes back.
//!
//! The netCDF and HDF5 libraries believe what a file's own structures say of themselves, so that a damaged file can crash
//! them or lead them in circles. A program that handles such signals learns here, on the thread that crashed, which file it
//! was; one that looks at [`EndlessReads`] now and then learns of circles.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Bytes that are kept of what is read.
const MOST: usize = 1024;

/// Processor time that no single thing to be read needs, if it has no values to speak of: milliseconds are usual. A slow
/// disk does not count, since who waits for it does not use the processor.
const SURELY_ENOUGH: Duration = Duration::from_secs(30);

/// Bytes of values that are read in a second at the very least: the slowest filters undo ten times as many.
const SLOWEST: u64 = 4 << 20;

/// What is being read, by numbers that are never used again.
static CALLS: Mutex<Option<HashMap<u64, Call>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// One thing that is being read.
#[derive(Debug)]
struct Call {
    what: String,
    thread: Thread,
    /// Processor time that would be odd.
    too_much: Duration,
}

thread_local! {
    // No destructor and no lazy beginning, so that it can be looked at within a handler of signals.
    static NOW: Now = const {
        Now {
            depth: Cell::new(0),
            len: Cell::new(0),
            text: [const { Cell::new(0) }; MOST],
        }
    };
}

struct Now {
    /// How many things are being read, one for the sake of another.
    depth: Cell<usize>,
    len: Cell<usize>,
    text: [Cell<u8>; MOST],
}

/// Kept while something is read.
#[derive(Debug)]
pub(super) struct BeingRead {
    /// None for what is read for the sake of something else.
    call: Option<u64>,
}

impl BeingRead {
    /// A file, or so many bytes of a variable in it, is read from now on; where something is read already, that is what is
    /// told.
    pub(super) fn new(path: &Path, variable: Option<(&str, u64)>) -> Self {
        let outermost = NOW.with(|now| {
            now.depth.set(now.depth.get() + 1);
            now.depth.get() == 1
        });
        if !outermost {
            return Self { call: None };
        }
        let path = path.to_string_lossy();
        let what = match variable {
            Some((name, _)) => format!("variable {name} in {path}"),
            None => path.into_owned(),
        };
        NOW.with(|now| {
            for (place, &byte) in now.text.iter().zip(what.as_bytes()) {
                place.set(byte);
            }
            now.len.set(what.len().min(MOST));
        });
        let bytes = variable.map_or(0, |(_, bytes)| bytes);
        let call = Call {
            what,
            thread: Thread::this(),
            too_much: SURELY_ENOUGH + Duration::from_secs(bytes / SLOWEST),
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        CALLS.lock().get_or_insert_default().insert(number, call);
        Self { call: Some(number) }
    }

    /// A part of what is read has been read: the time starts anew.
    pub(super) fn goes_on(&mut self) {
        if let Some(number) = &mut self.call {
            let mut calls = CALLS.lock();
            let calls = calls.get_or_insert_default();
            let call = calls.remove(number).expect("it is being read");
            *number = NEXT.fetch_add(1, Ordering::Relaxed);
            calls.insert(*number, call);
        }
    }
}

impl Drop for BeingRead {
    fn drop(&mut self) {
        NOW.with(|now| {
            now.depth.set(now.depth.get() - 1);
            if now.depth.get() == 0 {
                now.len.set(0);
            }
        });
        if let Some(number) = self.call {
            CALLS.lock().get_or_insert_default().remove(&number);
        }
    }
}

/// Finds what is read without an end: looked at every second or so by a thread of its own.
///
/// What counts is the processor time of the thread that reads, known on Linux; elsewhere nothing is ever found.
#[derive(Debug, Default)]
pub struct EndlessReads {
    /// The processor time that the threads had used when what they read was first seen.
    seen: HashMap<u64, Duration>,
}

impl EndlessReads {
    /// A file, or a variable in a file, that has taken more processor time than reading it can: the format's library runs in
    /// circles there, and no call will bring it back.
    pub fn look(&mut self) -> Option<String> {
        let calls = CALLS.lock();
        let calls = calls.as_ref()?;
        self.seen.retain(|number, _| calls.contains_key(number));
        for (number, call) in calls {
            let Some(used) = call.thread.processor_time() else {
                continue;
            };
            let before = *self.seen.entry(*number).or_insert(used);
            if used.saturating_sub(before) > call.too_much {
                return Some(call.what.clone());
            }
        }
        None
    }
}

/// A thread, as the system numbers it.
#[derive(Debug, Clone, Copy)]
#[cfg(target_os = "linux")]
struct Thread(rustix::thread::Pid);

#[cfg(target_os = "linux")]
impl Thread {
    fn this() -> Self {
        Self(rustix::thread::gettid())
    }

    /// The processor time it has used.
    fn processor_time(self) -> Option<Duration> {
        /// Ticks of the kernel's accounts in a second, the same on every machine that Rust's library is for.
        const TICKS: u64 = 100;
        let path = format!("/proc/self/task/{}/stat", self.0.as_raw_nonzero());
        let text = std::fs::read_to_string(path).ok()?;
        // The name may hold anything; the fields behind it begin with the third, and the 14th and 15th are wanted.
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 1000 / TICKS))
    }
}

#[derive(Debug, Clone, Copy)]
#[cfg(not(target_os = "linux"))]
struct Thread;

#[cfg(not(target_os = "linux"))]
impl Thread {
    fn this() -> Self {
        Self
    }

    fn processor_time(self) -> Option<Duration> {
        None
    }
}

/// Writes what this thread reads at the moment, a file or a variable in a file, into `text` and tells how many bytes that
/// are; 0 if nothing is read.
///
/// It neither allocates nor locks, so that a handler of signals may call it.
pub fn being_read(text: &mut [u8]) -> usize {
    NOW.with(|now| {
        let len = now.len.get().min(text.len());
        for (byte, kept) in text.iter_mut().zip(&now.text[..len]) {
            *byte = kept.get();
        }
        len
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> String {
        let mut text = [0; 2 * MOST];
        let len = being_read(&mut text);
        String::from_utf8(text[..len].to_vec()).unwrap()
    }

    #[test]
    fn what_is_read_is_told_until_it_is_read() {
        assert_eq!(told(), "");
        {
            let _outer = BeingRead::new(Path::new("a.nc"), Some(("tas", 8)));
            assert_eq!(told(), "variable tas in a.nc");
            {
                let _inner = BeingRead::new(Path::new("a.nc"), None);
                assert_eq!(told(), "variable tas in a.nc");
            }
            assert_eq!(told(), "variable tas in a.nc");
            assert_eq!(std::thread::spawn(told).join().unwrap(), "");
        }
        assert_eq!(told(), "");
        let long = "x".repeat(3 * MOST);
        let _long = BeingRead::new(Path::new(&long), None);
        assert_eq!(told(), long[..MOST]);
        assert_eq!(being_read(&mut [0; 5]), 5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_read_that_uses_too_much_of_the_processor_is_found() {
        let reading = BeingRead::new(Path::new("circles.nc"), None);
        let number = reading.call.unwrap();
        let call = |what: &mut dyn FnMut(&mut Call)| {
            what(CALLS.lock().as_mut().unwrap().get_mut(&number).unwrap());
        };
        call(&mut |call| call.too_much = Duration::from_millis(20));
        let mut endless = EndlessReads::default();
        assert_eq!(endless.look(), None);
        let used = || Thread::this().processor_time().unwrap();
        let until = used() + Duration::from_millis(50);
        while used() < until {}
        assert_eq!(endless.look(), Some("circles.nc".to_owned()));
        let mut reading = reading;
        reading.goes_on();
        assert_eq!(endless.look(), None);
        drop(reading);
        assert_eq!(endless.look(), None);
    }
}
