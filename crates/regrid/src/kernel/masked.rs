//! Target rows that read missing cells: sums over the valid ones, and what says whether a target is kept.
//!
//! The weights of rows and columns are a product, so what a target loses to missing cells is as well the sum over its columns
//! of what each loses over its rows. So the same loops serve as where nothing is missing, for the sums and for the weights.

use super::blend::{Keep, Valid};
use super::simd::add_valid;
use super::taps::Columns;
use super::{Float, PoleMean};

/// Room for the sums of a target row.
#[derive(Debug, Default)]
pub(super) struct Masked {
    /// For each source column the sum over the valid cells of the rows, their weight, and that in absolute values; and a zero,
    /// for a target column that has nothing more to read.
    sums: Vec<f64>,
    weights: Vec<f64>,
    sizes: Vec<f64>,
    /// The same for each target column, and that of all its cells.
    of_columns: [Vec<f64>; 4],
}

impl Masked {
    /// One target row of which some cells are missing; a part `covered` of it is covered.
    ///
    /// `pole` has the row at a place beyond those of `source`.
    pub(super) fn row<S: Float, T: Float>(
        &mut self,
        entries: &[(usize, f64)],
        (source, pole): (&[&[S]], impl Fn(usize) -> PoleMean),
        columns: &Columns<'_>,
        (covered, keep): (f64, Keep),
        out: &mut [T],
    ) {
        let width = columns.width;
        // Where no weight is negative the weights are their own sizes.
        let signed = columns.signed || entries.iter().any(|&(_, weight)| weight < 0.0);
        for sums in [&mut self.sums, &mut self.weights, &mut self.sizes] {
            sums.clear();
            sums.resize(width + 1, 0.0);
        }
        let mut all = 0.0;
        for &(place, weight) in entries {
            all += weight.abs();
            let (sums, weights) = (&mut self.sums[..width], &mut self.weights[..width]);
            match source.get(place) {
                Some(row) => {
                    add_valid(sums, weights, row, weight);
                    if signed {
                        add_sizes(&mut self.sizes[..width], row, weight.abs());
                    }
                }
                None => {
                    let PoleMean { mean, valid } = pole(place);
                    if valid > 0.0 {
                        let add =
                            |to: &mut [f64], term: f64| to.iter_mut().for_each(|x| *x += term);
                        add(sums, weight * valid * mean);
                        add(weights, weight * valid);
                        add(&mut self.sizes[..width], weight.abs() * valid);
                    }
                }
            }
        }

        let [sums, weights, sizes, alls] = &mut self.of_columns;
        for of_columns in [&mut *sums, weights, sizes, alls] {
            of_columns.resize(out.len(), 0.0);
        }
        columns.apply(&self.sums, sums);
        columns.apply(&self.weights, weights);
        if signed {
            columns.apply_sizes(|column| self.sizes[column], sizes);
            columns.apply_sizes(|_| all, alls);
        } else {
            sizes.copy_from_slice(weights);
            // The sizes of all cells are the same in each column, whichever of them are missing.
            self.weights[..width].fill(all);
            columns.apply(&self.weights, alls);
        }
        for (column, out) in out.iter_mut().enumerate() {
            let valid = Valid {
                sum: sums[column],
                weight: weights[column],
                size: sizes[column],
                all: alls[column],
            };
            let covered = covered * columns.weights.covered(column);
            *out = T::round(valid.value(covered, keep));
        }
    }
}

/// Adds the size of a weight where a row is valid.
fn add_sizes<S: Float>(sizes: &mut [f64], row: &[S], size: f64) {
    for (sum, x) in sizes.iter_mut().zip(row) {
        *sum += if x.widen().is_nan() { 0.0 } else { size };
    }
}
