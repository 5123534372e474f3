//! Where memory comes from: arrays straight from the system, the large ones in large pages, and back to it soon after they are given
//! back.
//!
//! Making weights takes and gives back arrays of tens of megabytes. glibc takes such from the system one by one at first,
//! but each that is given back raises the size from which it does so, up to 32 MiB; below it they come out of heaps, one for
//! each thread, which cannot shrink while anything lies behind them. Tens of megabytes are kept that way that nobody has a use for,
//! and what a run takes can't be foreseen. Here what nobody has a use for is no more than is [kept].
//!
//! And memory comes in pages, each of which costs the first who touches it a microsecond or so: a thousand for a chunk of
//! 4 MB. Pages of 2 MiB cost less than a tenth of that. Systems give them to who asks; glibc does not ask.

#![expect(unsafe_code, reason = "memory is the system's")]

mod kept;
mod pages;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use kept::Kept;

/// Arrays of C libraries from this size on are taken from the system one by one.
const APART: libc::c_int = 1 << 20;
/// Bytes at the end of the heap that are kept: else they would go back with every smaller buffer, and come again with the next.
const HEAP_KEPT: libc::c_int = 1 << 20;
/// Arrays from this size on are whole pages. Smaller ones are the heap's, where such as these would leave holes.
const OWN_PAGES: usize = 64 << 10;
/// What a page is aligned to wherever it is, at the least.
const ALIGNED: usize = 4 << 10;

/// Whether the system has refused memory.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Arrays that may be asked for again in a moment.
static KEPT: Kept = Kept::new();

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
        libc::mallopt(libc::M_TRIM_THRESHOLD, HEAP_KEPT);
    }
}

/// The system's allocator for what is small, pages for the rest.
pub(crate) struct Pages;

/// Where an array comes from, and goes back to: its layout alone tells.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Home {
    Heap,
    /// Pages of their own, kept for a while after use.
    Kept,
    /// Large pages.
    Large,
}

impl Home {
    fn of(layout: Layout) -> Self {
        match layout.size() {
            _ if layout.align() > ALIGNED => Self::Heap,
            ..OWN_PAGES => Self::Heap,
            size if pages::fill_a_large_one(size) => Self::Large,
            _ => Self::Kept,
        }
    }
}

// SAFETY: each array goes back to where it came from, since both depend on the layout alone; what does not come from the system's allocator
// is pages that nobody else has, zeroed or known not to be.
unsafe impl GlobalAlloc for Pages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match Home::of(layout) {
            // SAFETY: the caller keeps to the same contract.
            Home::Heap => told(unsafe { System.alloc(layout) }),
            Home::Kept => match KEPT.take(kept::whole(layout.size())) {
                Some(array) => array.as_ptr(),
                None => told(pages::map(kept::whole(layout.size()))),
            },
            Home::Large => told(pages::advised(
                pages::map_large(layout.size()),
                layout.size(),
            )),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match Home::of(layout) {
            // SAFETY: the caller keeps to the same contract.
            Home::Heap => told(unsafe { System.alloc_zeroed(layout) }),
            Home::Kept => match KEPT.take(kept::whole(layout.size())) {
                Some(array) => {
                    // SAFETY: it is as long.
                    unsafe { ptr::write_bytes(array.as_ptr(), 0, layout.size()) };
                    array.as_ptr()
                }
                None => told(pages::map(kept::whole(layout.size()))),
            },
            // SAFETY: fresh pages are zeroed.
            Home::Large => unsafe { self.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, array: *mut u8, layout: Layout) {
        // SAFETY: it came from there, with this size, and nobody uses it any more.
        unsafe {
            match Home::of(layout) {
                Home::Heap => System.dealloc(array, layout),
                Home::Kept => KEPT.keep(array, kept::whole(layout.size())),
                Home::Large => pages::unmap(array, pages::whole(layout.size())),
            }
        }
    }

    unsafe fn realloc(&self, array: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller says that it is one.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the caller keeps to the same contract; it was mapped with the size of its layout.
        unsafe {
            match (Home::of(layout), Home::of(new)) {
                (Home::Heap, Home::Heap) => told(System.realloc(array, layout, size)),
                (Home::Kept, Home::Kept) if kept::whole(layout.size()) == kept::whole(size) => {
                    array
                }
                (Home::Large, Home::Large) => match pages::remap(array, layout.size(), size) {
                    moved if moved.is_null() => self.copied(array, layout, new),
                    moved => moved,
                },
                _ => self.copied(array, layout, new),
            }
        }
    }
}

impl Pages {
    /// An array of another size with what is in this one, which goes back. It has small pages: what grows has room that nobody may come
    /// to use, and small ones leave that out.
    ///
    /// # Safety
    /// As of [`GlobalAlloc::realloc`].
    unsafe fn copied(&self, array: *mut u8, old: Layout, new: Layout) -> *mut u8 {
        // SAFETY: both have as many bytes as are copied, and the old one is used no more.
        unsafe {
            let moved = match Home::of(new) {
                Home::Large => told(pages::map_large(new.size())),
                Home::Heap | Home::Kept => self.alloc(new),
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

#[cfg(test)]
mod tests {
    use super::*;
    use pages::{LARGE_PAGE, SPARE};

    #[test]
    fn arrays_keep_what_is_in_them_as_they_grow_and_shrink_across_the_bounds() {
        let filled = |array: &[u8]| {
            let mut numbered = array.iter().enumerate();
            numbered.all(|(i, &x)| x == (i % 251) as u8)
        };
        let mut array: Vec<u8> = Vec::new();
        let sizes = [
            1_000,
            OWN_PAGES - 1,
            OWN_PAGES,
            OWN_PAGES + 1,
            5 * OWN_PAGES,
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
            assert!(array.capacity() >= size && filled(&array), "{size}");
        }
        let zeroed = vec![0_u64; 5 * LARGE_PAGE / 8 + 1];
        assert!(zeroed.iter().all(|&x| x == 0));
        assert_eq!(zeroed.as_ptr().align_offset(LARGE_PAGE), 0);
    }

    #[test]
    fn what_was_used_is_zeroed_when_it_is_to_be() {
        for size in [OWN_PAGES, 3 * OWN_PAGES + 1, LARGE_PAGE - SPARE - 1] {
            for _ in 0..10 {
                drop(vec![7_u8; size]);
                assert!(vec![0_u8; size].iter().all(|&x| x == 0), "{size}");
            }
        }
    }

    #[test]
    fn arrays_that_grow_side_by_side_keep_what_is_in_them() {
        let mut arrays = vec![Vec::<u64>::new(); 3];
        for i in 0..3_000_000 {
            for (own, array) in arrays.iter_mut().enumerate() {
                array.push(i * 3 + own as u64);
            }
        }
        for (own, array) in arrays.iter_mut().enumerate() {
            array.shrink_to_fit();
            let mut numbered = array.iter().zip(0_u64..);
            assert!(numbered.all(|(&x, i)| x == i * 3 + own as u64));
        }
    }

    #[test]
    fn several_threads_take_and_give_back_at_once() {
        std::thread::scope(|scope| {
            for own in 0..4_u8 {
                scope.spawn(move || {
                    let mut arrays: Vec<Vec<u8>> = Vec::new();
                    for round in 0..2_000 {
                        arrays.push(vec![own; OWN_PAGES * (1 + round % 7)]);
                        if arrays.len() > 5 {
                            let array = arrays.swap_remove(round % 5);
                            assert!(array.iter().step_by(997).all(|&x| x == own));
                        }
                    }
                });
            }
        });
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
