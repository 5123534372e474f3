//! What the system's allocator is told: memory that is given back goes back to the system.
//!
//! Making weights takes and gives back arrays of tens of megabytes. glibc takes such from the system one by one at first,
//! but each that is given back raises the size from which it does so, up to 32 MiB; below it they come out of one heap,
//! which cannot shrink while anything lies behind them. Tens of megabytes are kept that way that nobody has a use for.

#![expect(unsafe_code, reason = "the allocator is the C library's")]

/// Arrays from this size on are taken from the system one by one: larger than the buffers that come and go with every
/// chunk, which are better kept.
const APART: libc::c_int = 4 << 20;

/// Has large arrays go back to the system as soon as they are given back.
pub(crate) fn return_large() {
    // SAFETY: it is the first thing that the process does, on its only thread, and changes two numbers in the allocator. That it
    // may be refused is no reason not to work.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, APART);
        // Else the end of the heap would go back with every buffer of a chunk, and come again with the next.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * APART);
    }
}
