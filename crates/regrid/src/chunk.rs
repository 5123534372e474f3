//! Cuts along an axis, and regions of cells: where they start and how far they reach in each dimension.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A box of cells in an array of any number of dimensions; a cheap clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(Arc<[Range<usize>]>);

impl Region {
    /// The box over the given ranges, one a dimension.
    pub fn new(ranges: impl Into<Arc<[Range<usize>]>>) -> Self {
        Self(ranges.into())
    }

    /// All of an array.
    pub fn whole(shape: &[usize]) -> Self {
        Self(shape.iter().map(|&n| 0..n).collect())
    }

    /// The range along each dimension.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.0
    }

    /// Number of cells along each dimension.
    pub fn shape(&self) -> Vec<usize> {
        self.0.iter().map(ExactSizeIterator::len).collect()
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).product()
    }

    /// The number of the chunk that this is, of an array of a shape in chunks of a size: row by row, the last dimension fastest.
    pub(crate) fn chunk_number(&self, array: &[usize], chunk: &[usize]) -> u64 {
        let along = self.0.iter().zip(array.iter().zip(chunk));
        along.fold(0, |number, (range, (&len, &size))| {
            number * len.div_ceil(size) as u64 + (range.start / size) as u64
        })
    }

    /// Where its cells are among those of a region that it is a part of, if they lie in one stretch there.
    pub(crate) fn stretch_in(&self, region: &Region) -> Option<Range<usize>> {
        let (mut start, mut one) = (0, true);
        // From the first dimension on: single cells, then any range, then whole ones.
        for (part, all) in self.0.iter().zip(region.ranges()) {
            if !one && part != all {
                return None;
            }
            one &= part.len() == 1;
            start = start * all.len() + (part.start - all.start);
        }
        Some(start..start + self.len())
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl FromIterator<Range<usize>> for Region {
    fn from_iter<I: IntoIterator<Item = Range<usize>>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, range) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}..{}", range.start, range.end)?;
        }
        f.write_str("]")
    }
}

/// `0..len` in pieces of `size`, the last one what is left.
///
/// # Panics
/// If `size` is 0.
pub fn cuts(len: usize, size: usize) -> Vec<Range<usize>> {
    assert!(size > 0, "a chunk has at least one cell");
    (0..len)
        .step_by(size)
        .map(|start| start..len.min(start + size))
        .collect()
}

/// Every combination of one index per dimension, the last dimension fastest.
pub(crate) fn combinations(counts: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let counts = counts.to_vec();
    let total: usize = counts.iter().product();
    (0..total).map(move |mut flat| {
        let mut index = vec![0; counts.len()];
        for (place, count) in index.iter_mut().zip(&counts).rev() {
            *place = flat % count;
            flat /= count;
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_the_axis_once() {
        assert_eq!(cuts(10, 4), [0..4, 4..8, 8..10]);
        assert_eq!(cuts(3, 100), vec![0..3]);
        assert!(cuts(0, 5).is_empty());
    }

    #[test]
    fn chunks_are_numbered_row_by_row() {
        let (array, chunk) = ([2, 7, 9], [1, 3, 4]);
        let along = |d: usize| cuts(array[d], chunk[d]);
        let chunks = combinations(&[0, 1, 2].map(|d| along(d).len()));
        let regions = chunks.map(|at| (0..3).map(|d| along(d)[at[d]].clone()).collect::<Region>());
        let numbers = regions.map(|region| region.chunk_number(&array, &chunk));
        assert!(numbers.eq(0..18));
    }

    #[test]
    fn combinations_run_through_the_last_dimension_first() {
        let all: Vec<_> = combinations(&[2, 3]).collect();
        assert_eq!(all, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        assert_eq!(combinations(&[]).count(), 1);
        assert_eq!(combinations(&[2, 0]).count(), 0);
    }
}
