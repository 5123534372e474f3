//! What a thread reads at the moment: what is left to be told if the format's library takes the process down.
//!
//! The netCDF and HDF5 libraries believe what a file's own structures say of themselves, so that a damaged file can crash
//! them. A program that handles such signals learns here, on the thread that crashed, which file it was.

use std::cell::Cell;
use std::path::Path;

/// Bytes that are kept of what is read.
const MOST: usize = 1024;

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
pub(super) struct BeingRead(());

impl BeingRead {
    /// A file, or a variable in it, is read from now on; where something is read already, that is what is told.
    pub(super) fn new(path: &Path, variable: Option<&str>) -> Self {
        NOW.with(|now| {
            now.depth.set(now.depth.get() + 1);
            if now.depth.get() > 1 {
                return;
            }
            let (before, name, between) = match variable {
                Some(name) => ("variable ", name, " in "),
                None => ("", "", ""),
            };
            let parts = [
                before.as_bytes(),
                name.as_bytes(),
                between.as_bytes(),
                path.as_os_str().as_encoded_bytes(),
            ];
            let mut len = 0;
            for (place, &byte) in now.text.iter().zip(parts.into_iter().flatten()) {
                place.set(byte);
                len += 1;
            }
            now.len.set(len);
        });
        Self(())
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
            let _outer = BeingRead::new(Path::new("a.nc"), Some("tas"));
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
}
