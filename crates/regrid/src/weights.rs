//! Weights: for each target index the source indices it reads, and how much of each.
//!
//! A rectilinear grid onto another is the product of two of these, one for latitude and one for longitude; the big sparse
//! matrix is never formed. Time, where it is interpolated, is a third one. Between other grids one of them goes from the
//! cells of a plane, counted row by row, to those of another.

mod corrections;
mod neighbours;
mod row;

use std::ops::Range;

pub(crate) use corrections::{Corrections, Difference, Differences, Listed, Opened, Terms};
pub use row::{Entries, Row};

use crate::spill::{Growing, Numbers};

/// A sparse matrix in compressed rows: row by target index, column by source index.
///
/// A row without entries means that the target lies outside the source: it is missing. Entries of weight zero are not
/// stored, so a missing value that has no say cannot spoil a target (but for [`Compat`](crate::Compat) with a tool where
/// it does). The weights of a row sum to one, whatever part of
/// the target the source covers; that part is kept beside them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparseWeights {
    /// Where the entries of each row end.
    ends: Vec<u32>,
    /// Kept apart from the weights: what goes through them reads nothing else, and an index takes half the room.
    sources: Numbers<u32>,
    weights: Numbers<f64>,
    /// The covered part of each target up to the last that is not wholly covered.
    covered: Vec<f64>,
}

impl SparseWeights {
    /// Each target reads the one source of the same index.
    pub fn identity(len: usize) -> Self {
        (0..len).map(|i| vec![(i, 1.0)]).collect()
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.ends[..])
            + size_of_val(&self.sources[..])
            + size_of_val(&self.weights[..])
            + size_of_val(&self.covered[..])
    }

    /// Bytes of these that are in a file, since memory is short.
    pub(crate) fn bytes_in_file(&self) -> usize {
        self.sources.bytes_in_file() + self.weights.bytes_in_file()
    }

    /// Bytes of these that come into memory while some stretches of entries are read, one after the other.
    pub(crate) fn bytes_read(
        &self,
        stretches: impl Iterator<Item = Range<usize>> + Clone,
    ) -> usize {
        self.sources.bytes_read(stretches.clone()) + self.weights.bytes_read(stretches)
    }

    /// Says that they will not be read in a while: what is in a file leaves the memory.
    pub(crate) fn rest(&self) {
        self.sources.rest();
        self.weights.rest();
    }

    /// Gives back the room for rows that do not come.
    pub(crate) fn shrink(&mut self) {
        self.ends.shrink_to_fit();
        self.sources.in_memory().shrink_to_fit();
        self.weights.in_memory().shrink_to_fit();
        self.covered.shrink_to_fit();
    }

    /// Number of targets.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no targets.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What a target reads.
    #[inline]
    pub fn row(&self, target: usize) -> Row<'_> {
        self.row_of(self.entries(target))
    }

    #[inline]
    fn row_of(&self, entries: Range<usize>) -> Row<'_> {
        Row::new(&self.sources[entries.clone()], &self.weights[entries])
    }

    /// Adds the row of the next target; weights of zero are left out.
    ///
    /// # Panics
    /// If a source index is 2^32 or more, or there are as many entries.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (usize, f64)>) {
        self.push_kept(row.into_iter().filter(|&(_, w)| w != 0.0));
    }

    /// Adds the row of the next target as it is: a source whose weight is zero has a say where none may be missing.
    pub(crate) fn push_kept(&mut self, row: impl IntoIterator<Item = (usize, f64)>) {
        let (sources, weights) = (self.sources.in_memory(), self.weights.in_memory());
        for (source, weight) in row {
            sources.push(number(source));
            weights.push(weight);
        }
        self.ends.push(number(weights.len()));
    }

    /// The same, but only the targets that the source covers as a whole.
    pub(crate) fn whole_only(&self) -> Self {
        let mut whole = Self::default();
        for t in 0..self.len() {
            if self.covered(t) < 1.0 {
                whole.push_row([]);
            } else {
                whole.push_kept(self.row(t));
            }
        }
        whole
    }

    /// The same, each target taken for covered as a whole, its weights multiplied by `factor` of its covered part.
    pub(crate) fn as_whole(&self, factor: impl Fn(f64) -> f64) -> Self {
        let mut whole = Self::default();
        for t in 0..self.len() {
            let factor = factor(self.covered(t));
            whole.push_kept(self.row(t).iter().map(|(s, w)| (s, w * factor)));
        }
        whole
    }

    /// The weights with what slopes add to them, as one weight for each source.
    pub(crate) fn with_slopes(&self, corrections: &Corrections) -> Self {
        let mut whole = Self {
            covered: self.covered.clone(),
            ..Self::default()
        };
        for t in 0..self.len() {
            let (first, row) = (self.entries(t).start, self.row(t));
            let mut all = row.to_vec();
            corrections.for_each_of_row(first, row, |s, w| all.push((s, w)));
            whole.push_kept(merged(&mut all));
        }
        whole
    }

    /// Adds the row of the next target, of which the source covers only a part; its weights are made to sum to one.
    ///
    /// A part within rounding of the whole is the whole. A row whose weights sum to nothing is left empty.
    ///
    /// # Panics
    /// If a source index is 2^32 or more, or there are as many entries.
    pub fn push_part(&mut self, row: impl IntoIterator<Item = (usize, f64)>, covered: f64) {
        let start = self.weights.len();
        self.push_row(row);
        let sum: f64 = self.weights[start..].iter().sum();
        if sum == 0.0 {
            self.sources.in_memory().truncate(start);
            self.weights.in_memory().truncate(start);
            *self.ends.last_mut().expect("a row was pushed") = number(start);
            return;
        }
        let row = &mut self.weights.in_memory()[start..];
        row.iter_mut().for_each(|w| *w /= sum);
        if covered < 1.0 - WHOLE {
            self.covered.resize(self.ends.len() - 1, 1.0);
            self.covered.push(covered);
        }
    }

    /// The part of a target, from 0 to 1, that the source covers: always 1 for methods that look at points.
    pub fn covered(&self, target: usize) -> f64 {
        self.covered.get(target).copied().unwrap_or(1.0)
    }

    /// The source indices that a range of targets reads, each once, in order.
    pub fn sources(&self, targets: Range<usize>) -> Vec<usize> {
        let all = targets.flat_map(|t| self.row(t).sources());
        let mut sources: Vec<u32> = all.copied().collect();
        sources.sort_unstable();
        sources.dedup();
        sources.into_iter().map(|s| s as usize).collect()
    }

    /// The rows of targets that follow each other, each with the number of its first entry.
    #[inline]
    pub(crate) fn rows(&self, targets: Range<usize>) -> impl Iterator<Item = (usize, Row<'_>)> {
        let before = targets.start.checked_sub(1);
        let mut start = before.map_or(0, |before| self.ends[before] as usize);
        // Once for all rows, wherever they are.
        let (sources, weights) = (&self.sources[..], &self.weights[..]);
        self.ends[targets].iter().map(move |&end| {
            let end = end as usize;
            let first = std::mem::replace(&mut start, end);
            (first, Row::new(&sources[first..end], &weights[first..end]))
        })
    }

    /// Whether any of the weights is negative.
    pub(crate) fn any_negative(&self) -> bool {
        let any = self.weights.iter().any(|&weight| weight < 0.0);
        self.rest();
        any
    }

    /// The number of all entries.
    pub(crate) fn entries_in_all(&self) -> usize {
        self.weights.len()
    }

    /// Where the entries of a target's row are among all entries.
    pub(crate) fn entries(&self, target: usize) -> Range<usize> {
        let start = if target == 0 {
            0
        } else {
            self.ends[target - 1]
        };
        start as usize..self.ends[target] as usize
    }

    /// The rows of a range of targets, with source indices replaced by their places in `sources`.
    ///
    /// # Panics
    /// If a row reads an index that `sources` (sorted) does not hold.
    pub fn local(&self, targets: Range<usize>, sources: &[usize]) -> Self {
        let entries = targets.clone().map(|t| self.entries(t).len()).sum();
        let mut chosen = Self {
            ends: Vec::with_capacity(targets.len()),
            sources: Vec::with_capacity(entries).into(),
            weights: Vec::with_capacity(entries).into(),
            covered: Vec::new(),
        };
        for t in targets {
            let place = |source| {
                sources
                    .binary_search(&source)
                    .expect("sources hold every index that the targets read")
            };
            chosen.push_kept(self.row(t).iter().map(|(s, w)| (place(s), w)));
            if self.covered(t) < 1.0 {
                chosen.covered.resize(chosen.ends.len() - 1, 1.0);
                chosen.covered.push(self.covered(t));
            }
        }
        chosen
    }
}

/// Weights that come in pieces, one after the other.
#[derive(Debug)]
pub(crate) struct Gathering {
    ends: Vec<u32>,
    sources: Growing<u32>,
    weights: Growing<f64>,
    covered: Vec<f64>,
}

impl Gathering {
    pub(crate) fn new() -> Self {
        Self {
            ends: Vec::new(),
            sources: Growing::new(),
            weights: Growing::new(),
            covered: Vec::new(),
        }
    }

    /// Adds the rows of a piece.
    ///
    /// # Panics
    /// If there are 2^32 entries or more.
    pub(crate) fn append(&mut self, piece: &SparseWeights) {
        let before = self.weights.len();
        let end = |&end: &u32| number(before + end as usize);
        if !piece.covered.is_empty() {
            self.covered.resize(self.ends.len(), 1.0);
            self.covered.extend_from_slice(&piece.covered);
        }
        self.ends.extend(piece.ends.iter().map(end));
        self.sources.extend(&piece.sources);
        self.weights.extend(&piece.weights);
    }

    /// All of them.
    pub(crate) fn finish(mut self) -> SparseWeights {
        self.ends.shrink_to_fit();
        self.covered.shrink_to_fit();
        SparseWeights {
            ends: self.ends,
            sources: self.sources.finish(),
            weights: self.weights.finish(),
            covered: self.covered,
        }
    }
}

/// The entries with each source once, in order.
pub(crate) fn merged(entries: &mut [(usize, f64)]) -> Vec<(usize, f64)> {
    entries.sort_by_key(|&(source, _)| source);
    let mut merged: Vec<(usize, f64)> = Vec::with_capacity(entries.len());
    for &(source, weight) in entries.iter() {
        match merged.last_mut() {
            Some((last, sum)) if *last == source => *sum += weight,
            _ => merged.push((source, weight)),
        }
    }
    merged
}

/// A number of cells, entries or terms, in half the memory.
fn number(of: usize) -> u32 {
    u32::try_from(of).expect("cells, entries and terms of weights are fewer than 2^32")
}

/// How much less than one still counts as one: the rounding of sums of weights.
pub(crate) const WHOLE: f64 = 1e-10;

impl<R: IntoIterator<Item = (usize, f64)>> FromIterator<R> for SparseWeights {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut weights = Self::default();
        for row in rows {
            weights.push_row(row);
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_weights_are_not_stored() {
        let weights: SparseWeights = [vec![(3, 1.0), (4, 0.0)], vec![], vec![(4, 0.5), (9, 0.5)]]
            .into_iter()
            .collect();
        assert_eq!(weights.row(0), [(3, 1.0)]);
        assert_eq!(weights.row(1), []);
        assert_eq!(weights.sources(0..3), [3, 4, 9]);
        assert_eq!(weights.local(2..3, &[3, 4, 9]).row(0), [(1, 0.5), (2, 0.5)]);
    }
}
