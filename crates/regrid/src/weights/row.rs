//! One row of weights: the sources of a target and how much it takes of each, in two slices side by side.

use std::fmt;
use std::iter::{Copied, Zip};
use std::slice::Iter;

/// What one target reads: source indices, and the weight of each.
///
/// ```
/// use regrid::SparseWeights;
///
/// let weights: SparseWeights = [vec![(3, 0.25), (4, 0.75)]].into_iter().collect();
/// let row = weights.row(0);
/// assert_eq!((row.sources(), row.weights()), (&[3, 4][..], &[0.25, 0.75][..]));
/// assert_eq!(row.iter().map(|(source, weight)| source as f64 * weight).sum::<f64>(), 3.75);
/// assert_eq!(row, [(3, 0.25), (4, 0.75)]);
/// ```
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Row<'a> {
    sources: &'a [u32],
    weights: &'a [f64],
}

impl<'a> Row<'a> {
    /// A row of as many sources as weights.
    pub(super) fn new(sources: &'a [u32], weights: &'a [f64]) -> Self {
        debug_assert_eq!(sources.len(), weights.len());
        Self { sources, weights }
    }

    /// The source indices.
    #[inline]
    pub fn sources(self) -> &'a [u32] {
        self.sources
    }

    /// The weight of each source.
    #[inline]
    pub fn weights(self) -> &'a [f64] {
        self.weights
    }

    /// Number of entries.
    #[inline]
    pub fn len(self) -> usize {
        self.sources.len()
    }

    /// Whether the target reads nothing.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.sources.is_empty()
    }

    /// The first source and its weight.
    #[inline]
    pub fn first(self) -> Option<(usize, f64)> {
        self.iter().next()
    }

    /// Each source with its weight.
    #[inline]
    pub fn iter(self) -> Entries<'a> {
        let both = self.sources.iter().copied();
        Entries(both.zip(self.weights.iter().copied()))
    }

    /// Each source with its weight, in a list of their own.
    pub fn to_vec(self) -> Vec<(usize, f64)> {
        self.iter().collect()
    }
}

impl<'a> IntoIterator for Row<'a> {
    type Item = (usize, f64);
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

impl PartialEq<[(usize, f64)]> for Row<'_> {
    fn eq(&self, other: &[(usize, f64)]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

impl<const N: usize> PartialEq<[(usize, f64); N]> for Row<'_> {
    fn eq(&self, other: &[(usize, f64); N]) -> bool {
        *self == other[..]
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The sources of a row with their weights, one after the other.
#[derive(Debug, Clone)]
pub struct Entries<'a>(Zip<Copied<Iter<'a, u32>>, Copied<Iter<'a, f64>>>);

impl Iterator for Entries<'_> {
    type Item = (usize, f64);

    #[inline]
    fn next(&mut self) -> Option<(usize, f64)> {
        self.0
            .next()
            .map(|(source, weight)| (source as usize, weight))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Entries<'_> {}
