//! The column weights of a chunk, laid out for the loop over its rows.

use super::Float;
use crate::plan::AxisCut;
use crate::weights::{SparseWeights, WHOLE};

/// For each target column the places that it reads, with weights; the same number for each of them where they are few.
///
/// A column that reads fewer places reads one beyond the window, with weight zero, whose sum is always zero. So sums are
/// the same bits whatever the others read: they start from zero, and no sum is a negative zero.
#[derive(Debug)]
enum Taps {
    One(Vec<([u32; 1], [f64; 1])>),
    Two(Vec<([u32; 2], [f64; 2])>),
    Three(Vec<([u32; 3], [f64; 3])>),
    Four(Vec<([u32; 4], [f64; 4])>),
    Many,
}

/// The columns of a chunk.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) width: usize,
    pub(super) weights: &'a SparseWeights,
    taps: Taps,
    /// Target columns without a source, and those that the source covers in part.
    empty: Vec<usize>,
    partial: Vec<(usize, f64)>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(cut: &'a AxisCut) -> Self {
        let weights = &cut.weights;
        let targets = 0..weights.len();
        let most = targets.clone().map(|t| weights.row(t).len()).max();
        let zero = u32::try_from(cut.window);
        let taps = match (most.unwrap_or(0), zero) {
            (0 | 1, Ok(zero)) => Taps::One(padded(weights, zero)),
            (2, Ok(zero)) => Taps::Two(padded(weights, zero)),
            (3, Ok(zero)) => Taps::Three(padded(weights, zero)),
            (4, Ok(zero)) => Taps::Four(padded(weights, zero)),
            _ => Taps::Many,
        };
        let partial = targets.clone().map(|t| (t, weights.covered(t)));
        Self {
            width: cut.window,
            weights,
            taps,
            empty: targets.filter(|&t| weights.row(t).is_empty()).collect(),
            partial: partial.filter(|&(_, covered)| covered < 1.0).collect(),
        }
    }

    /// One target row from the sums over source rows, which end with a zero.
    pub(super) fn apply<T: Float>(&self, sums: &[f64], out: &mut [T]) {
        match &self.taps {
            Taps::One(taps) => few(taps, sums, out),
            Taps::Two(taps) => few(taps, sums, out),
            Taps::Three(taps) => few(taps, sums, out),
            Taps::Four(taps) => few(taps, sums, out),
            Taps::Many => {
                for (target, out) in out.iter_mut().enumerate() {
                    let entries = self.weights.row(target).iter();
                    *out = T::round(entries.fold(0.0, |sum, &(c, w)| sum + w * sums[c]));
                }
            }
        }
    }

    /// Marks the targets that have no source, or of which too small a part is covered; `covered` is that of the row.
    pub(super) fn mark_missing<T: Float>(&self, covered: f64, min_valid: f64, out: &mut [T]) {
        for &target in &self.empty {
            out[target] = T::MISSING;
        }
        for &(target, part) in &self.partial {
            if covered * part < min_valid - WHOLE {
                out[target] = T::MISSING;
            }
        }
    }
}

fn padded<const N: usize>(weights: &SparseWeights, zero: u32) -> Vec<([u32; N], [f64; N])> {
    let row = |target: usize| {
        let (mut places, mut own) = ([zero; N], [0.0; N]);
        for (n, &(place, weight)) in weights.row(target).iter().enumerate() {
            places[n] = u32::try_from(place).expect("a place below the window's width");
            own[n] = weight;
        }
        (places, own)
    };
    (0..weights.len()).map(row).collect()
}

fn few<const N: usize, T: Float>(taps: &[([u32; N], [f64; N])], sums: &[f64], out: &mut [T]) {
    for ((places, weights), out) in taps.iter().zip(out) {
        let mut sum = 0.0;
        for n in 0..N {
            sum += weights[n] * sums[places[n] as usize];
        }
        *out = T::round(sum);
    }
}
