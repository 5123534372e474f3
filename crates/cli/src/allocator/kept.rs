//! Arrays that were given back and may be asked for again in a moment: their pages have been paid for.
//!
//! All threads share them, since what one makes another often uses up, and they are few, so that what nobody has a use for is little.

use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages::{PAGE, unmap};

/// Bytes that are kept at the most: two arrays or three of those that are just too small for large pages, or more of smaller ones.
const MOST: usize = 4 << 20;
/// Arrays that are kept at the most; all of the smallest size would be as many.
const PLACES: usize = MOST / PAGE;

/// The bytes of an array that are taken for so many: one of few sizes, so that another one of about as many can have it later.
pub(super) fn whole(size: usize) -> usize {
    let step = (size.next_power_of_two() / 16).max(PAGE / 4);
    size.next_multiple_of(step)
}

/// Arrays that nobody uses, the one that was given back last the last.
pub(super) struct Kept(Mutex<Arrays>);

struct Arrays {
    places: [(*mut u8, usize); PLACES],
    len: usize,
    bytes: usize,
}

// SAFETY: these arrays are nobody's but this one's.
unsafe impl Send for Arrays {}

impl Kept {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Arrays {
            places: [(ptr::null_mut(), 0); PLACES],
            len: 0,
            bytes: 0,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Arrays> {
        // Nothing in here panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An array of so many bytes, with whatever is in it, if one is kept.
    pub(super) fn take(&self, whole: usize) -> Option<NonNull<u8>> {
        self.lock().take(whole)
    }

    /// Keeps an array of so many bytes; older ones go back to the system if that makes too many.
    ///
    /// # Safety
    /// It was mapped with so many bytes, and nobody uses it any more.
    pub(super) unsafe fn keep(&self, array: *mut u8, whole: usize) {
        // As many as may have to go for the largest.
        let mut gone = [(ptr::null_mut(), 0); PLACES];
        let len = self.lock().keep((array, whole), &mut gone);
        // The system is asked when nobody waits for that.
        for &(array, whole) in &gone[..len] {
            // SAFETY: they were mapped so, as all arrays that are kept, and nobody else has them.
            unsafe { unmap(array, whole) };
        }
    }
}

impl Arrays {
    fn take(&mut self, whole: usize) -> Option<NonNull<u8>> {
        let kept = &self.places[..self.len];
        let at = kept.iter().rposition(|&(_, bytes)| bytes == whole)?;
        let (array, _) = self.places[at];
        self.places.copy_within(at + 1..self.len, at);
        self.len -= 1;
        self.bytes -= whole;
        NonNull::new(array)
    }

    /// Puts those that have to go for it to a place, and says how many they are.
    fn keep(&mut self, (array, whole): (*mut u8, usize), gone: &mut [(*mut u8, usize)]) -> usize {
        let mut oldest = 0;
        while oldest < self.len && (self.bytes + whole > MOST || self.len - oldest == PLACES) {
            self.bytes -= self.places[oldest].1;
            oldest += 1;
        }
        gone[..oldest].copy_from_slice(&self.places[..oldest]);
        self.places.copy_within(oldest..self.len, 0);
        self.len -= oldest;
        self.places[self.len] = (array, whole);
        self.len += 1;
        self.bytes += whole;
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocator::pages::{LARGE_PAGE, SPARE, map};

    #[test]
    fn sizes_are_few_and_not_much_larger_than_what_was_asked_for() {
        for size in (PAGE..LARGE_PAGE - SPARE).step_by(61) {
            let whole = whole(size);
            assert!(whole >= size && whole.is_multiple_of(PAGE / 4) && whole <= MOST);
            assert!(whole - size < (PAGE / 4).max(size / 7), "{size}: {whole}");
            assert_eq!(super::whole(whole), whole);
        }
    }

    #[test]
    fn what_was_given_back_last_is_taken_first_and_too_many_go() {
        let kept = Kept::new();
        let arrays = [(); 3].map(|()| map(PAGE));
        let give = |array| {
            // SAFETY: it was mapped so, and is given back once.
            unsafe { kept.keep(array, PAGE) }
        };
        arrays.into_iter().for_each(give);
        assert!(kept.take(2 * PAGE).is_none());
        for array in arrays.iter().rev() {
            assert_eq!(kept.take(PAGE).map(NonNull::as_ptr), Some(*array));
        }
        assert!(kept.take(PAGE).is_none());
        let has = || {
            let arrays = kept.lock();
            (arrays.len, arrays.bytes)
        };
        // SAFETY: each is mapped so, and given back once.
        unsafe {
            arrays.into_iter().for_each(give);
            for _ in 0..2 * PLACES {
                kept.keep(map(PAGE), PAGE);
                assert!(has().1 <= MOST);
            }
            kept.keep(map(MOST), MOST);
            assert_eq!(has(), (1, MOST));
            kept.keep(map(PAGE), PAGE);
            assert_eq!(has(), (1, PAGE));
        }
    }
}
