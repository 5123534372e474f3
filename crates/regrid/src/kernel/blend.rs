//! Weighted sums over rows and columns.
//!
//! A target is kept where the share of its weight that is of valid cells, times the part of it that the source covers, is
//! at least `min_valid`; its value is the sum over the valid cells, divided by their weight where some are missing. Shares
//! are counted in absolute weights, since some of a cubic's are negative. Where the valid ones all but cancel, nothing is kept.

use super::ahead;
use super::masked::Masked;
use super::simd::any_missing;
use super::taps::Columns;
use super::{Float, PoleMean};
use crate::plan::AxisCut;
use crate::weights::WHOLE;

/// What says which targets are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Keep {
    /// The least share of the weight that must be of valid cells.
    pub(crate) min_valid: f64,
    /// Whether any of the weights is negative.
    pub(crate) signed: bool,
}

impl Keep {
    /// Of weights none of which is negative.
    pub(crate) fn of(min_valid: f64) -> Self {
        Self {
            min_valid,
            signed: false,
        }
    }
}

/// The least sum of the valid weights, where some weights are negative and all together are one: to divide by less makes much of small
/// differences. No simple fraction, so that rounding does not decide.
const LEFT: f64 = 0.23;

/// The sum over the valid cells of one target, and what says whether it is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Valid {
    pub(super) sum: f64,
    /// The weight of the valid cells.
    pub(super) weight: f64,
    /// The same, and that of all cells, in absolute values.
    pub(super) size: f64,
    pub(super) all: f64,
}

impl Valid {
    #[inline]
    pub(super) fn value(self, covered: f64, Keep { min_valid, signed }: Keep) -> f64 {
        // The same terms in the same order: where nothing is missing both are equal to the bit.
        let whole = self.size == self.all;
        // No branches: it is done for several at once.
        let part = self.size / self.all;
        let share = if whole { 1.0 } else { part };
        let mean = self.sum / self.weight;
        let value = if whole { self.sum } else { mean };
        let cancelled = signed & !whole & (self.weight < LEFT);
        let dropped = (self.weight <= 0.0) | cancelled | (share * covered < min_valid - WHOLE);
        if dropped { f64::NAN } else { value }
    }
}

/// Whether a part of the weight is enough.
pub(super) fn is_strict(min_valid: f64) -> bool {
    min_valid >= 1.0 - WHOLE
}

/// The rows of one target plane from those of its window.
///
/// `poles` are the means of the rows next to the poles that the weights reach, first index first.
pub(super) fn separable<S: Float, T: Float>(
    rows: &AxisCut,
    columns: &Columns<'_>,
    source: &[&[S]],
    poles: &[PoleMean],
    keep: Keep,
    out: &mut [T],
) {
    let Keep { min_valid, .. } = keep;
    let width = columns.width;
    // What a column reads that has nothing more to read.
    let mut sums = vec![0.0; width + 1];
    let mut masked = Masked::default();
    // The means of the pole rows, by their places beyond the window.
    let reached = rows.poles.iter().flatten().zip(poles);
    let poles: Vec<(usize, PoleMean)> = reached.map(|(&place, &mean)| (place, mean)).collect();
    let pole = |place: usize| {
        let mean = poles.iter().find(|(at, _)| *at == place);
        mean.map_or(NO_POLE, |&(_, mean)| mean)
    };
    // Where all must be valid, so must the whole row.
    let whole_pole = |place: usize| match pole(place) {
        PoleMean { mean, valid: 1.0 } => mean,
        _ => f64::NAN,
    };
    let targets = columns.weights.len().max(1);
    let mut entries = Vec::new();
    for (row, out) in out.chunks_exact_mut(targets).enumerate() {
        entries.clear();
        entries.extend(rows.weights.row(row));
        let covered = rows.weights.covered(row);
        if entries.is_empty() || covered < min_valid - WHOLE {
            out.fill(T::MISSING);
            continue;
        }
        let next = ahead::row(rows, row, source);
        sum_rows(&mut sums[..width], &entries, source, whole_pole, next);
        if !is_strict(min_valid) && any_missing(&sums) {
            let shares = (covered, keep);
            masked.row(&entries, (source, pole), columns, shares, out);
            continue;
        }
        columns.apply(&sums, out);
        columns.mark_missing(covered, min_valid, out);
    }
}

/// The weighted sum of source rows, column by column; the row `next` is read after them.
fn sum_rows<S: Float>(
    sums: &mut [f64],
    entries: &[(usize, f64)],
    source: &[&[S]],
    pole: impl Fn(usize) -> f64,
    next: &[S],
) {
    let from_source = |&(place, weight): &(usize, f64)| Some((*source.get(place)?, weight));
    let rest = match entries {
        [first, second, third, rest @ ..]
            if [first, second, third]
                .iter()
                .all(|(place, _)| *place < source.len()) =>
        {
            let rows = [first, second, third].map(|(place, _)| source[*place]);
            S::three(sums, rows, [first.1, second.1, third.1]);
            rest
        }
        [first, second, rest @ ..] => match (from_source(first), from_source(second)) {
            (Some((a, v)), Some((b, w))) => {
                S::two(sums, [a, b], [v, w]);
                rest
            }
            (Some((a, v)), None) => {
                S::one(sums, a, v, next);
                &entries[1..]
            }
            (None, _) => {
                sums.fill(first.1 * pole(first.0));
                &entries[1..]
            }
        },
        [one] => match from_source(one) {
            Some((a, v)) => {
                S::one(sums, a, v, next);
                &[]
            }
            None => {
                sums.fill(one.1 * pole(one.0));
                &[]
            }
        },
        [] => {
            sums.fill(0.0);
            &[]
        }
    };
    for entry in rest {
        match from_source(entry) {
            Some((a, v)) => S::add(sums, a, v),
            None => {
                let term = entry.1 * pole(entry.0);
                sums.iter_mut().for_each(|sum| *sum += term);
            }
        }
    }
}

/// A pole that no weight reaches.
const NO_POLE: PoleMean = PoleMean {
    mean: f64::NAN,
    valid: 0.0,
};
