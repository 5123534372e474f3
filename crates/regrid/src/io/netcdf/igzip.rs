//! Compression of chunks by igzip of ISA-L, where the machine that built this crate has it: level 1 in a fraction of the time.
//!
//! # Source
//! Intel's Intelligent Storage Acceleration Library, `igzip_lib.h`.
#![expect(unsafe_code, reason = "the library is written in C")]

use std::ffi::c_uchar;

unsafe extern "C" {
    fn regrid_igzip_memory() -> usize;
    fn regrid_igzip(
        bytes: *const c_uchar,
        len: u32,
        out: *mut c_uchar,
        room: u32,
        memory: *mut c_uchar,
    ) -> u32;
}

/// Bytes of one stored block, and of its head.
const STORED: (usize, usize) = (65_535, 5);
/// Bytes that a stream of zlib's format has around its blocks.
const AROUND: usize = 6;

/// The memory that igzip works in, used again for every chunk.
pub(super) struct Igzip(Vec<u8>);

impl Igzip {
    pub(super) fn new() -> Self {
        // SAFETY: it takes nothing and gives a number.
        Self(vec![0; unsafe { regrid_igzip_memory() }])
    }

    /// The stream of some bytes; it lies in the buffer, which grows as need be.
    pub(super) fn compress<'a>(&mut self, bytes: &[u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        // What cannot be made smaller is stored as it is, in blocks.
        let (block, head) = STORED;
        let most = bytes.len() + head * bytes.len().div_ceil(block).max(1) + AROUND;
        if buffer.len() < most {
            buffer.resize(most, 0);
        }
        let len = u32::try_from(bytes.len()).expect("HDF5 has no chunks of 4 GiB");
        let room = u32::try_from(most).unwrap_or(u32::MAX);
        // SAFETY: both stretches are as long as is said, and the memory is as large as igzip wants it.
        let len = unsafe {
            regrid_igzip(
                bytes.as_ptr(),
                len,
                buffer.as_mut_ptr(),
                room,
                self.0.as_mut_ptr(),
            )
        };
        assert!(len > 0, "there is room for the bytes as they are");
        &buffer[..len as usize]
    }
}
