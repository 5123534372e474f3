//! Sums, counts and extremes over rows and columns.
//!
//! The cells of a target are all combinations of its rows and columns. So its rows are reduced first, column by column of the source, in
//! vectors and once for all targets of a row; then each target reduces its columns.

use super::simd::reduce_row;
use super::{Float, ahead};
use crate::plan::AxisCut;
use crate::weights::WHOLE;

/// What is made of some cells one by one, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    Sum,
    Count,
    Min,
    Max,
}

impl Reduction {
    /// That of no cells.
    fn identity(self) -> f64 {
        match self {
            // To add it changes no bit, not even of a negative zero.
            Self::Sum => -0.0,
            Self::Count => 0.0,
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }
}

/// The rows of one target plane from those of its window; cells that are missing have no part in them.
///
/// Missing if less than `min_valid` of the target is covered by valid cells, or none is valid; the count of no cells is 0. Pole rows have
/// no part in it.
pub(super) fn separable<S: Float, T: Float>(
    (rows, columns): (&AxisCut, &AxisCut),
    source: &[&[S]],
    reduction: Reduction,
    min_valid: f64,
    out: &mut [T],
) {
    let width = columns.window;
    let (mut reduced, mut shares) = (vec![0.0; width], vec![0.0; width]);
    let targets = columns.weights.len().max(1);
    for (row, out) in out.chunks_exact_mut(targets).enumerate() {
        reduced.fill(reduction.identity());
        shares.fill(0.0);
        let entries = rows.weights.row(row);
        for (i, (place, weight)) in entries.iter().enumerate() {
            // Rows of one target follow each other; those of the next one may not.
            let next = match i + 1 < entries.len() {
                true => &[],
                false => ahead::row(rows, row, source),
            };
            if let Some(cells) = source.get(place) {
                reduce_row(reduction, [&mut reduced, &mut shares], cells, weight, next);
            }
        }
        let of_columns = (reduction.identity(), &reduced[..], &shares[..]);
        let covered = rows.weights.covered(row);
        let kept = |column: usize, share: f64| {
            let covered = covered * columns.weights.covered(column);
            share > 0.0 && share * covered >= min_valid - WHOLE
        };
        match reduction {
            Reduction::Sum => reduce_columns(columns, of_columns, |all, x| all + x, kept, out),
            Reduction::Count => {
                reduce_columns(columns, of_columns, |all, x| all + x, |_, _| true, out)
            }
            Reduction::Min => {
                let least = |all, x| if x < all { x } else { all };
                reduce_columns(columns, of_columns, least, kept, out);
            }
            Reduction::Max => {
                let greatest = |all, x| if x > all { x } else { all };
                reduce_columns(columns, of_columns, greatest, kept, out);
            }
        }
    }
}

/// The targets of one row, by what was made of each source column and which share of it is valid; `combine` adds another column, `kept` says
/// whether a share of a target is enough.
fn reduce_columns<T: Float>(
    columns: &AxisCut,
    (identity, reduced, shares): (f64, &[f64], &[f64]),
    combine: impl Fn(f64, f64) -> f64,
    kept: impl Fn(usize, f64) -> bool,
    out: &mut [T],
) {
    for (column, out) in out.iter_mut().enumerate() {
        let (mut all, mut share) = (identity, 0.0);
        for (place, weight) in columns.weights.row(column).iter() {
            all = combine(all, reduced[place]);
            share += weight * shares[place];
        }
        *out = match kept(column, share) {
            true => T::round(all),
            false => T::MISSING,
        };
    }
}
