//! Weighted sums over rows and columns, or over any cells of a plane.
//!
//! A target is kept where the share of its weight that is of valid cells, times the part of it that the source covers, is
//! at least `min_valid`; its value is the sum over the valid cells, divided by their weight where some are missing. Shares
//! are counted in absolute weights, since some of a cubic's are negative.

use super::Float;
use crate::plan::{AxisCut, SparseCut};
use crate::weights::WHOLE;

/// The sum over the valid cells of one target, and what says whether it is kept.
#[derive(Debug, Clone, Copy, Default)]
struct Valid {
    sum: f64,
    /// The weight of the valid cells.
    weight: f64,
    /// The same, and that of all cells, in absolute values.
    size: f64,
    all: f64,
}

impl Valid {
    fn value(self, covered: f64, min_valid: f64) -> f64 {
        // The same terms in the same order: where nothing is missing both are equal to the bit.
        let whole = self.size == self.all;
        let share = if whole { 1.0 } else { self.size / self.all };
        if self.weight <= 0.0 || share * covered < min_valid - WHOLE {
            f64::NAN
        } else if whole {
            self.sum
        } else {
            self.sum / self.weight
        }
    }
}

/// Whether a part of the weight is enough.
fn is_strict(min_valid: f64) -> bool {
    min_valid >= 1.0 - WHOLE
}

/// One plane, by the weights of its rows and of its columns.
pub(super) fn separable<S: Float, T: Float>(
    rows: &AxisCut,
    columns: &AxisCut,
    plane: &[S],
    poles: &[f64],
    min_valid: f64,
    result: &mut Vec<T>,
) {
    let width = columns.window;
    let mut sums = vec![0.0; width];
    let mut masked = Masked::default();
    // The means of the pole rows, by their places beyond the window.
    let reached = rows.poles.iter().flatten().zip(poles);
    let poles: Vec<(usize, f64)> = reached.map(|(&place, &mean)| (place, mean)).collect();
    let pole = |place: usize| {
        let mean = poles.iter().find(|(at, _)| *at == place);
        mean.map_or(f64::NAN, |&(_, mean)| mean)
    };
    for row in 0..rows.targets.len() {
        let entries = rows.weights.row(row);
        let covered = rows.weights.covered(row);
        if entries.is_empty() || covered < min_valid - WHOLE {
            result.resize(result.len() + columns.targets.len(), T::MISSING);
            continue;
        }
        let source = |place: usize| &plane[place * width..(place + 1) * width];
        for (n, &(place, weight)) in entries.iter().enumerate() {
            if place >= rows.window {
                let term = weight * pole(place);
                add(&mut sums, n == 0, |_| term);
            } else {
                let source = source(place);
                add(&mut sums, n == 0, |c| weight * source[c].widen());
            }
        }
        if !is_strict(min_valid) && sums.iter().any(|sum| sum.is_nan()) {
            masked.fill(width, entries, |place, c| {
                if place >= rows.window {
                    pole(place)
                } else {
                    plane[place * width + c].widen()
                }
            });
            let targets = 0..columns.targets.len();
            result.extend(targets.map(|column| {
                let covered = covered * columns.weights.covered(column);
                let valid = masked.valid(columns.weights.row(column));
                T::round(valid.value(covered, min_valid))
            }));
            continue;
        }
        for column in 0..columns.targets.len() {
            let sum = match columns.weights.row(column) {
                [] => f64::NAN,
                _ if covered * columns.weights.covered(column) < min_valid - WHOLE => f64::NAN,
                &[(a, v)] => v * sums[a],
                &[(a, v), (b, w)] => v * sums[a] + w * sums[b],
                entries => sum(entries.iter().map(|&(c, w)| w * sums[c])),
            };
            result.push(T::round(sum));
        }
    }
}

/// The sum of some terms from the first one on: not from zero, which would turn a negative zero round.
fn sum(mut terms: impl Iterator<Item = f64>) -> f64 {
    let first = terms.next().unwrap_or_default();
    terms.fold(first, |sum, term| sum + term)
}

/// The sums over the valid cells of a target row, column by column.
#[derive(Default)]
struct Masked(Vec<Valid>);

impl Masked {
    fn fill(
        &mut self,
        width: usize,
        entries: &[(usize, f64)],
        value: impl Fn(usize, usize) -> f64,
    ) {
        self.0.clear();
        self.0.extend((0..width).map(|c| {
            let cells = entries
                .iter()
                .map(|&(place, weight)| (value(place, c), weight));
            valid(cells)
        }));
    }

    /// The sums over some of the columns.
    fn valid(&self, columns: &[(usize, f64)]) -> Valid {
        let part = |of: fn(&Valid) -> f64, size: bool| {
            let weight = |w: f64| if size { w.abs() } else { w };
            sum(columns.iter().map(|&(c, w)| weight(w) * of(&self.0[c])))
        };
        Valid {
            sum: part(|v| v.sum, false),
            weight: part(|v| v.weight, false),
            size: part(|v| v.size, true),
            all: part(|v| v.all, true),
        }
    }
}

/// The sums over those of some cells that are valid, with their weights.
fn valid(cells: impl Iterator<Item = (f64, f64)>) -> Valid {
    let mut sums = Valid::default();
    let mut first = true;
    for (value, weight) in cells {
        sums.all += weight.abs();
        if value.is_nan() {
            continue;
        }
        sums.sum = if first {
            weight * value
        } else {
            sums.sum + weight * value
        };
        first = false;
        sums.weight += weight;
        sums.size += weight.abs();
    }
    sums
}

/// Adds a term to every cell, or sets it where nothing was added yet.
fn add(sums: &mut [f64], first: bool, term: impl Fn(usize) -> f64) {
    if first {
        sums.iter_mut()
            .enumerate()
            .for_each(|(c, sum)| *sum = term(c));
    } else {
        sums.iter_mut()
            .enumerate()
            .for_each(|(c, sum)| *sum += term(c));
    }
}

/// One plane, by weights of its cells.
pub(super) fn sparse<S: Float, T: Float>(
    cut: &SparseCut,
    plane: &[S],
    min_valid: f64,
    result: &mut Vec<T>,
) {
    result.extend((0..cut.weights.len()).map(|target| {
        let entries = cut.weights.row(target);
        let covered = cut.weights.covered(target);
        if entries.is_empty() || covered < min_valid - WHOLE {
            return T::MISSING;
        }
        // Where all must be valid, those of weight zero too, if they were kept.
        if is_strict(min_valid) && entries.iter().any(|&(at, _)| plane[at].widen().is_nan()) {
            return T::MISSING;
        }
        let cells = entries.iter().map(|&(at, w)| (plane[at].widen(), w));
        let mut sums = valid(cells);
        if let Some(corrections) = &cut.corrections {
            // The slopes of the valid cells; one with a missing neighbour is level.
            let terms = cut.weights.entries(target).zip(entries);
            for (entry, _) in terms.filter(|(_, (at, _))| !plane[*at].widen().is_nan()) {
                let terms = corrections.terms(entry).iter();
                let slope: f64 = terms.map(|&(at, w)| w * plane[at].widen()).sum();
                if !slope.is_nan() {
                    sums.sum += slope;
                }
            }
        }
        T::round(sums.value(covered, min_valid))
    }));
}
