//! Compression of chunks by igzip of ISA-L, where the machine that built this crate has it: level 1 in a fraction of the time.
//!
//! # Source
//! Intel's Intelligent Storage Acceleration Library, `igzip_lib.h`.
#![expect(unsafe_code, reason = "the library is written in C")]

use std::ffi::c_uchar;
use std::ptr::NonNull;

use crate::buffers;

/// Its stream and the memory that it works in.
#[repr(C)]
struct State([u8; 0]);

unsafe extern "C" {
    fn regrid_igzip_new() -> Option<NonNull<State>>;
    fn regrid_igzip_free(state: NonNull<State>);
    fn regrid_igzip(
        state: NonNull<State>,
        bytes: *const c_uchar,
        len: u32,
        out: *mut c_uchar,
        room: u32,
    ) -> u32;
}

/// Bytes of one stored block, and of its head.
const STORED: (usize, usize) = (65_535, 5);
/// Bytes that a stream of zlib's format has around its blocks.
const AROUND: usize = 6;

/// What igzip works in, used again for every chunk.
pub(super) struct Igzip(NonNull<State>);

// SAFETY: nobody else has the memory, and no thread is remembered in it.
unsafe impl Send for Igzip {}

impl Igzip {
    pub(super) fn new() -> Self {
        // SAFETY: it takes nothing, and gives memory of its own.
        let state = unsafe { regrid_igzip_new() };
        Self(state.expect("there is memory for a compressor"))
    }

    /// The stream of some bytes; it lies in the buffer, which grows as need be.
    pub(super) fn compress<'a>(&mut self, bytes: &[u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        // What cannot be made smaller is stored as it is, in blocks.
        let (block, head) = STORED;
        let most = bytes.len() + head * bytes.len().div_ceil(block).max(1) + AROUND;
        buffers::sized(buffer, most);
        let len = u32::try_from(bytes.len()).expect("HDF5 has no chunks of 4 GiB");
        let room = u32::try_from(most).unwrap_or(u32::MAX);
        // SAFETY: both stretches are as long as is said, and the state is this one's alone.
        let len = unsafe { regrid_igzip(self.0, bytes.as_ptr(), len, buffer.as_mut_ptr(), room) };
        assert!(len > 0, "there is room for the bytes as they are");
        &buffer[..len as usize]
    }
}

impl Drop for Igzip {
    fn drop(&mut self) {
        // SAFETY: it came from `regrid_igzip_new`, and is used no more.
        unsafe { regrid_igzip_free(self.0) }
    }
}
