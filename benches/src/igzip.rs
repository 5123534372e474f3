//! igzip of ISA-L at all its levels (`igzip.c`), where the machine that built the benchmarks has it.

#[cfg(igzip)]
pub use linked::Igzip;

#[cfg(igzip)]
mod linked {
    use std::ptr::NonNull;

    #[repr(C)]
    struct State([u8; 0]);

    unsafe extern "C" {
        fn bench_igzip_new(level: u32) -> Option<NonNull<State>>;
        fn bench_igzip_free(state: NonNull<State>);
        fn bench_igzip_deflate(
            state: NonNull<State>,
            bytes: *const u8,
            len: u32,
            out: *mut u8,
            room: u32,
        ) -> u32;
        fn bench_igzip_inflate(
            state: NonNull<State>,
            bytes: *const u8,
            len: u32,
            out: *mut u8,
            room: u32,
        ) -> u32;
    }

    /// Compresses at one level, and decompresses.
    #[derive(Debug)]
    pub struct Igzip(NonNull<State>);

    impl std::fmt::Debug for State {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("State")
        }
    }

    impl Igzip {
        /// None for a level that there is not.
        pub fn new(level: u32) -> Option<Self> {
            // SAFETY: it takes a number, and gives memory of its own or none.
            unsafe { bench_igzip_new(level) }.map(Self)
        }

        /// The length of the stream of some bytes in zlib's format, which is in `out` then.
        pub fn deflate(&mut self, bytes: &[u8], out: &mut [u8]) -> Option<usize> {
            let [len, room] = [bytes.len(), out.len()].map(|n| u32::try_from(n).ok());
            // SAFETY: both stretches are as long as is said, and the state is this one's alone.
            let len = unsafe {
                bench_igzip_deflate(self.0, bytes.as_ptr(), len?, out.as_mut_ptr(), room?)
            };
            (len > 0).then_some(len as usize)
        }

        /// The number of bytes that a stream stands for, which are in `out` then.
        pub fn inflate(&mut self, stream: &[u8], out: &mut [u8]) -> Option<usize> {
            let [len, room] = [stream.len(), out.len()].map(|n| u32::try_from(n).ok());
            // SAFETY: as in `deflate`.
            let len = unsafe {
                bench_igzip_inflate(self.0, stream.as_ptr(), len?, out.as_mut_ptr(), room?)
            };
            (len > 0).then_some(len as usize)
        }
    }

    impl Drop for Igzip {
        fn drop(&mut self) {
            // SAFETY: it came from `bench_igzip_new`, and is used no more.
            unsafe { bench_igzip_free(self.0) }
        }
    }
}

/// What stands in where ISA-L is absent: there is no level of it.
#[cfg(not(igzip))]
#[derive(Debug)]
pub struct Igzip(std::convert::Infallible);

#[cfg(not(igzip))]
impl Igzip {
    /// None.
    pub fn new(_level: u32) -> Option<Self> {
        None
    }

    /// Never called.
    pub fn deflate(&mut self, _bytes: &[u8], _out: &mut [u8]) -> Option<usize> {
        match self.0 {}
    }

    /// Never called.
    pub fn inflate(&mut self, _stream: &[u8], _out: &mut [u8]) -> Option<usize> {
        match self.0 {}
    }
}
