//! Where memory comes from: large arrays straight from the system, in large pages, and back to it as soon as they are given
//! back.
//!
//! Making weights takes and gives back arrays of tens of megabytes. glibc takes such from the system one by one at first,
//! but each that is given back raises the size from which it does so, up to 32 MiB; below it they come out of one heap,
//! which cannot shrink while anything lies behind them. Tens of megabytes are kept that way that nobody has a use for.
//!
//! And memory comes in pages, each of which costs the first who touches it a microsecond or so: a thousand for a chunk of
//! 4 MB. Pages of 2 MiB cost less than a tenth of that. Systems give them to who asks; glibc does not ask.

#![expect(unsafe_code, reason = "memory is the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Arrays from this size on are taken from the system one by one, by the C libraries too. Buffers of chunks are among them:
/// those that come again are kept by whoever uses them, and those of another variable would leave holes in the heap.
const APART: libc::c_int = 1 << 20;
/// Bytes at the end of the heap that are kept: else they would go back with every smaller buffer, and come again with the next.
const KEPT: libc::c_int = 1 << 20;
/// Bytes of a large page, on most machines; where they are others, the system does what it can with the ranges that it is told.
const LARGE_PAGE: usize = 2 << 20;
/// Bytes of a large page that may be left empty: less than the bookkeeping of as many small ones takes time.
const SPARE: usize = LARGE_PAGE / 8;
/// Bytes of a page at the most; the system takes no other addresses as the ends of what is given back.
const PAGE: usize = 64 << 10;
/// What a page is aligned to wherever it is, at the least.
const ALIGNED: usize = 4 << 10;

/// Whether the system has refused memory.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether memory was asked for that there was not: for whoever has to say why the process ends.
pub(crate) fn was_refused() -> bool {
    REFUSED.load(Ordering::Relaxed)
}

/// Has large arrays of C libraries go back to the system as soon as they are given back.
pub(crate) fn return_large() {
    // SAFETY: it is the first thing that the process does, on its only thread, and changes two numbers in the allocator. That it
    // may be refused is no reason not to work.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, APART);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}

/// The system's allocator, but for what is as large as a large page.
pub(crate) struct LargePages;

/// Whether something is taken from the system by itself.
fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE_PAGE - SPARE && layout.align() <= ALIGNED
}

/// The bytes that are taken from the system for so many: whole pages, large ones if these are nearly filled.
fn whole(size: usize) -> usize {
    let large = size.next_multiple_of(LARGE_PAGE);
    match large - size <= SPARE {
        true => large,
        false => size.next_multiple_of(PAGE),
    }
}

// SAFETY: what is small is left to the system's allocator, by a test that depends on the layout alone, so that each piece goes back to
// where it came from; what is large is memory of its own from the system, zeroed, in pages of its own.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_large(layout) {
            true => advised(map(layout.size()), layout.size()),
            // SAFETY: the caller keeps to the same contract.
            false => told(unsafe { System.alloc(layout) }),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match is_large(layout) {
            true => advised(map(layout.size()), layout.size()),
            // SAFETY: the caller keeps to the same contract.
            false => told(unsafe { System.alloc_zeroed(layout) }),
        }
    }

    unsafe fn dealloc(&self, array: *mut u8, layout: Layout) {
        match is_large(layout) {
            // SAFETY: it was mapped with this size, and nobody uses it any more.
            true => unsafe {
                libc::munmap(array.cast(), whole(layout.size()));
            },
            // SAFETY: the caller keeps to the same contract.
            false => unsafe { System.dealloc(array, layout) },
        }
    }

    unsafe fn realloc(&self, array: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller says that it is one.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_large(layout), is_large(new)) {
            // SAFETY: the caller keeps to the same contract.
            (false, false) => told(unsafe { System.realloc(array, layout, size) }),
            // SAFETY: it was mapped with this size.
            (true, true) => match unsafe { remap(array, layout.size(), size) } {
                // SAFETY: the caller keeps to the same contract.
                moved if moved.is_null() => unsafe { self.copied(array, layout, new) },
                moved => moved,
            },
            // SAFETY: the caller keeps to the same contract.
            _ => unsafe { self.copied(array, layout, new) },
        }
    }
}

impl LargePages {
    /// An array of another size with what is in this one, which goes back. It has small pages: what grows has room that nobody may come
    /// to use, and small ones leave that out.
    ///
    /// # Safety
    /// As of [`GlobalAlloc::realloc`].
    unsafe fn copied(&self, array: *mut u8, old: Layout, new: Layout) -> *mut u8 {
        // SAFETY: both have as many bytes as are copied, and the old one is used no more.
        unsafe {
            let moved = match is_large(new) {
                true => map(new.size()),
                false => told(System.alloc(new)),
            };
            if !moved.is_null() {
                ptr::copy_nonoverlapping(array, moved, old.size().min(new.size()));
                self.dealloc(array, old);
            }
            moved
        }
    }
}

/// Notes it if an array was not to be had.
fn told(array: *mut u8) -> *mut u8 {
    if array.is_null() {
        REFUSED.store(true, Ordering::Relaxed);
    }
    array
}

/// So many bytes from the system, at the beginning of a large page if there is room for that; or null.
fn map(size: usize) -> *mut u8 {
    let wanted = whole(size);
    // SAFETY: new memory that nobody else has.
    let mapped = |len: usize| unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        match libc::mmap(ptr::null_mut(), len, access, kind, -1, 0) {
            libc::MAP_FAILED => ptr::null_mut(),
            start => start.cast::<u8>(),
        }
    };
    // With so many to spare there is an array in it that begins with a large page.
    let room = wanted.saturating_add(LARGE_PAGE);
    let start = mapped(room);
    if start.is_null() {
        // Where addresses are few, as under a limit of them, there may be room for the array alone.
        return told(mapped(wanted));
    }
    // SAFETY: the parts that are given back are beside what is kept.
    unsafe {
        let before = start.align_offset(LARGE_PAGE);
        if before > 0 {
            libc::munmap(start.cast(), before);
        }
        let array = start.add(before);
        libc::munmap(array.add(wanted).cast(), room - before - wanted);
        array
    }
}

/// Has an array be of another size, where it is or elsewhere, without a copy of it; null, and the array as it was, if that cannot be.
///
/// # Safety
/// It was mapped with this size.
unsafe fn remap(array: *mut u8, old: usize, new: usize) -> *mut u8 {
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

/// Asks for large pages for a mapped array, if it is one, all of it: what is marked in part counts as two, which can only be moved one by
/// one. What does not fill a large page gets small ones.
fn advised(array: *mut u8, size: usize) -> *mut u8 {
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
    fn arrays_keep_what_is_in_them_as_they_grow_and_shrink_across_the_bound() {
        let filled = |array: &[u8], from: usize| {
            let mut numbered = array.iter().enumerate().skip(from);
            numbered.all(|(i, &x)| x == (i % 251) as u8)
        };
        let mut array: Vec<u8> = Vec::new();
        let sizes = [
            1_000,
            LARGE_PAGE - SPARE - 1,
            LARGE_PAGE - SPARE,
            LARGE_PAGE - 1,
            LARGE_PAGE,
            LARGE_PAGE + 1,
            3 * LARGE_PAGE - SPARE - 1,
            3 * LARGE_PAGE,
            40 * LARGE_PAGE + 5,
        ];
        for size in sizes.into_iter().chain(sizes.into_iter().rev()) {
            let old = array.len().min(size);
            array.truncate(size);
            array.shrink_to_fit();
            array.reserve_exact(size - old);
            array.extend((old..size).map(|i| (i % 251) as u8));
            assert!(array.capacity() >= size && filled(&array, 0), "{size}");
        }
        let zeroed = vec![0_u64; 5 * LARGE_PAGE / 8 + 1];
        assert!(zeroed.iter().all(|&x| x == 0));
        assert_eq!(zeroed.as_ptr().align_offset(LARGE_PAGE), 0);
    }

    #[test]
    fn arrays_that_grow_side_by_side_are_moved_not_copied() {
        let mut arrays = vec![Vec::<u64>::new(); 3];
        for i in 0..3_000_000 {
            for (own, array) in arrays.iter_mut().enumerate() {
                array.push(i * 3 + own as u64);
            }
        }
        for (own, array) in arrays.iter_mut().enumerate() {
            array.shrink_to_fit();
            assert!(
                array
                    .iter()
                    .zip(0_u64..)
                    .all(|(&x, i)| x == i * 3 + own as u64)
            );
        }
        let old = Layout::array::<u8>(LARGE_PAGE + 1).unwrap();
        // SAFETY: it is mapped with the size that is said, and given back with its last one.
        unsafe {
            let array = LargePages.alloc(old);
            *array = 7;
            let moved = remap(array, old.size(), 64 * LARGE_PAGE);
            assert!(!moved.is_null());
            assert_eq!(*moved, 7);
            let new = Layout::array::<u8>(64 * LARGE_PAGE).unwrap();
            LargePages.dealloc(moved, new);
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        let mut array: Vec<u8> = vec![7; LARGE_PAGE];
        assert!(array.try_reserve_exact(1 << 60).is_err());
        assert!(
            Vec::<u8>::new()
                .try_reserve_exact(isize::MAX as usize)
                .is_err()
        );
        assert!(array.iter().all(|&x| x == 7));
    }
}
