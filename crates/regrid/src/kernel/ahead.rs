//! Memory that will be read soon, asked for before.
//!
//! Processors see by themselves that something is read from front to back. Where rows are left out they start anew with
//! every row, and waiting for the first lines of each takes a tenth to a third of the time.

use crate::plan::AxisCut;

/// The first source row that is read after those of a target row; empty if there is none.
pub(super) fn row<'a, T>(rows: &AxisCut, target: usize, source: &[&'a [T]]) -> &'a [T] {
    let next = (target + 1 < rows.weights.len()).then(|| rows.weights.row(target + 1));
    next.and_then(|row| row.first())
        .and_then(|(place, _)| source.get(place).copied())
        .unwrap_or_default()
}

/// Asks for the memory around a place of a row; changes nothing.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "there is no safe way to say so")]
pub(super) fn fetch<T>(row: &[T], place: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it never faults, whatever the address is, and changes nothing that a program can see.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(place).cast()) }
}

/// Asks for the memory around a place of a row; changes nothing.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn fetch<T>(_row: &[T], _place: usize) {}
