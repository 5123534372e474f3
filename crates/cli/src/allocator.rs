//! What the system's allocator is told: memory that is given back goes back to the system.
//!
//! Making weights takes and gives back arrays of tens of megabytes. glibc takes such from the system one by one at first,
//! but each that is given back raises the size from which it does so, up to 32 MiB; below it they come out of one heap,
//! which cannot shrink while anything lies behind them. Tens of megabytes are kept that way that nobody has a use for.

#![expect(unsafe_code, reason = "the allocator is the C library's")]

/// Arrays from this size on are taken from the system one by one. Buffers of chunks are among them: those that come again
/// are kept by whoever uses them, and those of another variable would leave holes in the heap.
const APART: libc::c_int = 1 << 20;
/// Bytes at the end of the heap that are kept: else they would go back with every smaller buffer, and come again with the next.
const KEPT: libc::c_int = 8 << 20;

/// Has large arrays go back to the system as soon as they are given back.
pub(crate) fn return_large() {
    // SAFETY: it is the first thing that the process does, on its only thread, and changes two numbers in the allocator. That it
    // may be refused is no reason not to work.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, APART);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}
