//! What the slopes of source cells add to weights.

use std::ops::Range;

use super::neighbours::Neighbours;
use super::{Row, number};
use crate::spill::Numbers;

/// What slopes add to each entry of the weights, in their order.
///
/// Entry `e` of weight `w` on source `s` gives `w` times the value of `s`, and, if none of its terms reads a missing value,
/// each term's weight times the value of its source. The terms of an entry sum to nothing for a constant field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Corrections {
    /// Terms of any kind.
    Listed(Listed),
    /// Differences between the neighbours of the source cells.
    Differences(Differences),
}

/// Terms, one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Listed {
    /// Where each entry's terms end.
    ends: Vec<u32>,
    sources: Vec<u32>,
    weights: Vec<f64>,
}

/// Differences between two neighbours of a source cell along its row, and two along its column, each times how much of it an
/// entry takes. Listed as terms they would take three times the memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Differences {
    neighbours: Neighbours,
    /// How much each entry takes of either difference, as shares of its own weight.
    shares: Numbers<[f64; 2]>,
}

/// How much of a neighbour's value is no more than rounding, where a part lies even in its cell along that direction. It
/// must not count: a neighbour that is missing would take the slope away, by chance.
const ROUNDING: f64 = 1e-10;

/// Corrections where they lie, in memory or in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Opened<'a> {
    Listed(&'a Listed),
    Differences {
        neighbours: &'a Neighbours,
        shares: &'a [[f64; 2]],
    },
}

/// The terms of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms<'a> {
    /// Sources and weights.
    Listed(&'a [u32], &'a [f64]),
    /// Along the row of the entry's source, and along its column.
    Differences([Difference; 2]),
}

/// How much an entry takes, as a share of its own weight, of the value of one source less that of another. Where that is nothing, no
/// value need be there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    pub(crate) between: [u32; 2],
    pub(crate) share: f64,
}

impl Difference {
    #[inline(always)]
    fn new(between: [u32; 2], share: f64) -> Self {
        let counts = (share.abs() > ROUNDING) & (between[0] != between[1]);
        Self {
            between,
            share: if counts { share } else { 0.0 },
        }
    }
}

impl Corrections {
    /// Bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Listed(listed) => {
                size_of_val(&listed.ends[..])
                    + size_of_val(&listed.sources[..])
                    + size_of_val(&listed.weights[..])
            }
            Self::Differences(differences) => {
                differences.neighbours.bytes() + size_of_val(&differences.shares[..])
            }
        }
    }

    /// Bytes of these that are in a file, since memory is short.
    pub(crate) fn bytes_in_file(&self) -> usize {
        match self {
            Self::Listed(_) => 0,
            Self::Differences(differences) => differences.shares.bytes_in_file(),
        }
    }

    /// Bytes of these that come into memory while those of some stretches of entries are read, one after the other.
    pub(crate) fn bytes_read(&self, stretches: impl Iterator<Item = Range<usize>>) -> usize {
        match self {
            Self::Listed(_) => 0,
            Self::Differences(differences) => differences.shares.bytes_read(stretches),
        }
    }

    /// Says that they will not be read in a while: what is in a file leaves the memory.
    pub(crate) fn rest(&self) {
        if let Self::Differences(differences) = self {
            differences.shares.rest();
        }
    }

    /// Where they lie, for who looks up many of them.
    #[inline]
    pub(crate) fn opened(&self) -> Opened<'_> {
        match self {
            Self::Listed(listed) => Opened::Listed(listed),
            Self::Differences(Differences { neighbours, shares }) => {
                Opened::Differences { neighbours, shares }
            }
        }
    }

    /// Calls with the source and the weight of each term of an entry, which has such a source and weight itself.
    #[inline]
    pub(crate) fn for_each_term(
        &self,
        entry: usize,
        (source, weight): (u32, f64),
        mut call: impl FnMut(u32, f64),
    ) {
        match self.opened().terms(entry, source) {
            Terms::Listed(sources, weights) => {
                let terms = sources.iter().zip(weights);
                terms.for_each(|(&source, &weight)| call(source, weight));
            }
            Terms::Differences(differences) => {
                for Difference { between, share } in differences {
                    if share != 0.0 {
                        call(between[0], weight * share);
                        call(between[1], -(weight * share));
                    }
                }
            }
        }
    }

    /// Calls with the terms of all entries of a row, of which the first has such a number.
    #[inline]
    pub(crate) fn for_each_of_row(
        &self,
        first: usize,
        row: Row<'_>,
        mut call: impl FnMut(usize, f64),
    ) {
        let own = row
            .sources()
            .iter()
            .copied()
            .zip(row.weights().iter().copied());
        for (entry, own) in (first..).zip(own) {
            self.for_each_term(entry, own, |source, weight| call(source as usize, weight));
        }
    }
}

impl Listed {
    /// Adds the terms of the next entry.
    pub(crate) fn push(&mut self, terms: impl IntoIterator<Item = (usize, f64)>) {
        for (source, weight) in terms.into_iter().filter(|&(_, w)| w != 0.0) {
            self.sources.push(number(source));
            self.weights.push(weight);
        }
        self.ends.push(number(self.weights.len()));
    }
}

impl Differences {
    /// Differences between the neighbours of source cells, which come one after the other in rows of so many columns: those
    /// ahead and back along its row, ahead and back along its column, of which one that is the cell itself stands for none.
    /// No entry takes anything of them yet.
    ///
    /// # Panics
    /// If there are 2^32 cells or more.
    pub(crate) fn between(
        columns: usize,
        neighbours: impl ExactSizeIterator<Item = [usize; 4]>,
    ) -> Self {
        let neighbours = neighbours.map(|own| own.map(number));
        Self {
            neighbours: Neighbours::new(number(columns), neighbours),
            shares: Numbers::default(),
        }
    }

    /// The neighbours of a source cell.
    pub(crate) fn neighbours(&self, source: usize) -> [u32; 4] {
        self.neighbours.of(number(source))
    }

    /// The same with how much each entry takes of the difference along the row, and along the column.
    pub(crate) fn set(&mut self, shares: impl Into<Numbers<[f64; 2]>>) {
        self.shares = shares.into();
    }
}

impl<'a> Opened<'a> {
    /// The terms of an entry of such a source.
    // Always, as all that it calls: it becomes part of loops that are compiled for several processors.
    #[inline(always)]
    pub(crate) fn terms(self, entry: usize, source: u32) -> Terms<'a> {
        match self {
            Self::Listed(listed) => {
                let start = entry.checked_sub(1).map_or(0, |e| listed.ends[e] as usize);
                let terms = start..listed.ends[entry] as usize;
                Terms::Listed(&listed.sources[terms.clone()], &listed.weights[terms])
            }
            Self::Differences { neighbours, shares } => {
                let [ahead, back, above, below] = neighbours.of(source);
                let [row, column] = shares[entry];
                Terms::Differences([
                    Difference::new([ahead, back], row),
                    Difference::new([above, below], column),
                ])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(corrections: &Corrections, entry: usize, own: (u32, f64)) -> Vec<(u32, f64)> {
        let mut terms = Vec::new();
        corrections.for_each_term(entry, own, |source, weight| terms.push((source, weight)));
        terms
    }

    #[test]
    fn listed_terms_of_entries_follow_each_other() {
        let mut listed = Listed::default();
        listed.push([(7, 0.5), (8, 0.0), (9, -0.5)]);
        listed.push([]);
        listed.push([(1, 2.0)]);
        let listed = Corrections::Listed(listed);
        let own = (7, 1.0);
        assert_eq!(terms(&listed, 0, own), [(7, 0.5), (9, -0.5)]);
        assert_eq!(terms(&listed, 1, own), []);
        assert_eq!(terms(&listed, 2, own), [(1, 2.0)]);
        let mut all = Vec::new();
        listed.for_each_of_row(1, Row::new(&[7, 7], &[1.0, 1.0]), |s, w| all.push((s, w)));
        assert_eq!(all, [(1, 2.0)]);
    }

    #[test]
    fn differences_are_taken_between_neighbours_and_sum_to_nothing() {
        // Cell 1 lies between 2 and 0, and at an edge: no cell is beyond it along its column, where 5 is ahead.
        let neighbours = [[0; 4], [2, 0, 5, 1], [3, 3, 3, 1]];
        let mut differences = Differences::between(4, neighbours.into_iter());
        differences.set(vec![[0.5, 0.25], [1e-12, 0.25], [0.5, 0.25]]);
        let differences = Corrections::Differences(differences);
        assert_eq!(
            terms(&differences, 0, (1, 2.0)),
            [(2, 1.0), (0, -1.0), (5, 0.5), (1, -0.5)]
        );
        // What is no more than rounding reads nothing.
        assert_eq!(terms(&differences, 1, (1, 2.0)), [(5, 0.5), (1, -0.5)]);
        // The same cell on both sides of a narrow ring, and ahead along the column.
        assert_eq!(terms(&differences, 2, (2, 1.0)), [(3, 0.25), (1, -0.25)]);
    }
}
