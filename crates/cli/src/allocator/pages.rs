//! Pages from the system, small and large.

use std::ptr;

/// Bytes of a large page, on most machines; where they are others, the system does what it can with the ranges that it is told.
pub(super) const LARGE_PAGE: usize = 2 << 20;
/// Bytes of a large page that may be left empty: less than the bookkeeping of as many small ones takes time.
pub(super) const SPARE: usize = LARGE_PAGE / 8;
/// Bytes of a page at the most; the system takes no other addresses as the ends of what is given back.
pub(super) const PAGE: usize = 64 << 10;

/// Whether so many bytes are enough for a large page.
pub(super) const fn fill_a_large_one(size: usize) -> bool {
    size >= LARGE_PAGE - SPARE
}

/// The bytes that are taken from the system for so many: whole pages, large ones if these are nearly filled.
pub(super) fn whole(size: usize) -> usize {
    let large = size.next_multiple_of(LARGE_PAGE);
    match large - size <= SPARE {
        true => large,
        false => size.next_multiple_of(PAGE),
    }
}

/// So many bytes of whole pages, zeroed; or null.
pub(super) fn map(len: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: new memory that nobody else has.
    match unsafe { libc::mmap(ptr::null_mut(), len, access, kind, -1, 0) } {
        libc::MAP_FAILED => ptr::null_mut(),
        start => start.cast(),
    }
}

/// Gives so many bytes of whole pages back to the system.
///
/// # Safety
/// They were mapped, and nobody uses them any more.
pub(super) unsafe fn unmap(start: *mut u8, len: usize) {
    // SAFETY: as the caller says. Where the system has too many ranges to part one, it loses the addresses, but not the memory.
    unsafe {
        if libc::munmap(start.cast(), len) != 0 {
            libc::madvise(start.cast(), len, libc::MADV_DONTNEED);
        }
    }
}

/// Pages for so many bytes, at the beginning of a large one if there is room for that; or null.
pub(super) fn map_large(size: usize) -> *mut u8 {
    let wanted = whole(size);
    // With so many to spare there is an array in it that begins with a large page.
    let room = wanted.saturating_add(LARGE_PAGE);
    let start = map(room);
    if start.is_null() {
        // Where addresses are few, as under a limit of them, there may be room for the array alone.
        return map(wanted);
    }
    // SAFETY: the parts that are given back are beside what is kept.
    unsafe {
        let before = start.align_offset(LARGE_PAGE);
        if before > 0 {
            unmap(start, before);
        }
        let array = start.add(before);
        unmap(array.add(wanted), room - before - wanted);
        array
    }
}

/// Has an array be of another size, where it is or elsewhere, without a copy of it; null, and the array as it was, if that cannot be.
///
/// # Safety
/// It was [mapped](map_large) with this size.
pub(super) unsafe fn remap(array: *mut u8, old: usize, new: usize) -> *mut u8 {
    if whole(old) == whole(new) {
        return array;
    }
    // SAFETY: as the caller says.
    unsafe {
        let moved = libc::mremap(array.cast(), whole(old), whole(new), libc::MREMAP_MAYMOVE);
        match moved {
            libc::MAP_FAILED => ptr::null_mut(),
            moved => moved.cast(),
        }
    }
}

/// Asks for large pages for a [mapped](map_large) array, if it is one, all of it: what is marked in part counts as two, which can only be
/// moved one by one. What does not fill a large page gets small ones.
pub(super) fn advised(array: *mut u8, size: usize) -> *mut u8 {
    if !array.is_null() {
        // SAFETY: it is mapped, and this changes nothing that is in it. That it may be refused is no reason not to work.
        unsafe { libc::madvise(array.cast(), whole(size), libc::MADV_HUGEPAGE) };
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_that_grows_is_moved_not_copied() {
        // SAFETY: it is mapped with the size that is said, and given back with its last one.
        unsafe {
            let (old, new) = (LARGE_PAGE + 1, 64 * LARGE_PAGE);
            let array = advised(map_large(old), old);
            *array = 7;
            let moved = remap(array, old, new);
            assert!(!moved.is_null());
            assert_eq!(*moved, 7);
            unmap(moved, whole(new));
        }
    }
}
