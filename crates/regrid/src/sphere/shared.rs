//! Corners that neighbouring cells have in common, held once.

use std::ops::Range;

/// Adds the corners of a cell to those of the cells before it, of whose corners `before` tells some: one that they have too
/// is named again and not held again.
pub(super) fn push_corners<T: Copy>(
    points: &mut Vec<T>,
    corners: &mut Vec<u32>,
    before: impl Iterator<Item = Range<usize>> + Clone,
    own: impl IntoIterator<Item = T>,
    same: impl Fn(T, T) -> bool,
) {
    let start = corners.len();
    for corner in own {
        let mut others = before.clone().flatten().chain(start..corners.len());
        let known = others.find_map(|other| {
            let at = corners[other];
            same(points[at as usize], corner).then_some(at)
        });
        corners.push(known.unwrap_or_else(|| {
            points.push(corner);
            number(points.len() - 1)
        }));
    }
}

/// The cells before one, in rows of so many columns, that may touch it.
pub(super) fn neighbours_before(
    cell: usize,
    columns: usize,
) -> impl Iterator<Item = usize> + Clone {
    let back = [1, columns + 1, columns, columns - 1];
    back.into_iter()
        .filter(|&back| back > 0)
        .filter_map(move |back| cell.checked_sub(back))
}

/// The number of a corner, in half the memory.
pub(super) fn number(of: usize) -> u32 {
    u32::try_from(of).expect("a grid has fewer than 2^32 corners")
}
