//! The column weights of a chunk, laid out for the loop over its rows.

use super::Float;
use super::simd::{self, LANES};
use crate::plan::AxisCut;
use crate::weights::{SparseWeights, WHOLE};

/// For each target column the places that it reads, with weights; the same number for each of them where they are few.
#[derive(Debug)]
enum Taps {
    One(Vec<([u32; 1], [f64; 1])>),
    TwoInARow(Runs<2>),
    ThreeInARow(Runs<3>),
    FourInARow(Runs<4>),
    Two(Vec<([u32; 2], [f64; 2])>),
    Three(Vec<([u32; 3], [f64; 3])>),
    Four(Vec<([u32; 4], [f64; 4])>),
    Many,
}

impl Taps {
    fn new(weights: &SparseWeights, window: usize) -> Self {
        let most = (0..weights.len()).map(|t| weights.row(t).len()).max();
        let Ok(zero) = u32::try_from(window) else {
            return Taps::Many;
        };
        match most.unwrap_or(0) {
            0 | 1 => Taps::One(padded(weights, zero)),
            2 => match Runs::new(weights) {
                Some(runs) => Taps::TwoInARow(runs),
                None => Taps::Two(padded(weights, zero)),
            },
            3 => match Runs::new(weights) {
                Some(runs) => Taps::ThreeInARow(runs),
                None => Taps::Three(padded(weights, zero)),
            },
            4 => match Runs::new(weights) {
                Some(runs) => Taps::FourInARow(runs),
                None => Taps::Four(padded(weights, zero)),
            },
            _ => Taps::Many,
        }
    }
}

/// `N` places side by side for each target, eight targets at a time, and the targets that read otherwise: fewer places, or
/// the last and the first.
#[derive(Debug)]
struct Runs<const N: usize> {
    starts: Vec<[u32; LANES]>,
    weights: Vec<[[f64; LANES]; N]>,
    others: Vec<usize>,
}

impl<const N: usize> Runs<N> {
    /// The runs of weights of which most targets read `N` places side by side.
    fn new(weights: &SparseWeights) -> Option<Self> {
        let eights = weights.len().div_ceil(LANES);
        let mut runs = Self {
            starts: vec![[0; LANES]; eights],
            weights: vec![[[0.0; LANES]; N]; eights],
            others: Vec::new(),
        };
        for target in 0..weights.len() {
            let row = weights.row(target);
            let (eight, lane) = (target / LANES, target % LANES);
            match row.first() {
                Some((first, _))
                    if row.len() == N && row.iter().map(|entry| entry.0).eq(first..first + N) =>
                {
                    runs.starts[eight][lane] = u32::try_from(first).ok()?;
                    for (own, (_, weight)) in runs.weights[eight].iter_mut().zip(row) {
                        own[lane] = weight;
                    }
                }
                _ => runs.others.push(target),
            }
        }
        (runs.others.len() * 8 <= weights.len()).then_some(runs)
    }

    fn apply<T: Float>(&self, weights: &SparseWeights, sums: &[f64], out: &mut [T]) {
        simd::runs(&self.starts, &self.weights, sums, out);
        for &target in &self.others {
            out[target] = one(weights, target, sums);
        }
    }
}

/// One target by its entries.
fn one<T: Float>(weights: &SparseWeights, target: usize, sums: &[f64]) -> T {
    let entries = weights.row(target).iter();
    T::round(entries.fold(0.0, |sum, (c, w)| sum + w * sums[c]))
}

/// The columns of a chunk.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) width: usize,
    pub(super) weights: &'a SparseWeights,
    taps: Taps,
    /// Whether some weight is negative.
    pub(super) signed: bool,
    /// Target columns without a source, and those that the source covers in part.
    empty: Vec<usize>,
    partial: Vec<(usize, f64)>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(cut: &'a AxisCut) -> Self {
        let weights = &cut.weights;
        let targets = 0..weights.len();
        let partial = targets.clone().map(|t| (t, weights.covered(t)));
        Self {
            width: cut.window,
            weights,
            taps: Taps::new(weights, cut.window),
            signed: (targets.clone()).any(|t| weights.row(t).iter().any(|(_, w)| w < 0.0)),
            empty: targets.filter(|&t| weights.row(t).is_empty()).collect(),
            partial: partial.filter(|&(_, covered)| covered < 1.0).collect(),
        }
    }

    /// One target row from the sums over source rows, which end with a zero.
    pub(super) fn apply<T: Float>(&self, sums: &[f64], out: &mut [T]) {
        match &self.taps {
            Taps::One(taps) => few(taps, sums, out),
            Taps::TwoInARow(runs) => runs.apply(self.weights, sums, out),
            Taps::ThreeInARow(runs) => runs.apply(self.weights, sums, out),
            Taps::FourInARow(runs) => runs.apply(self.weights, sums, out),
            Taps::Two(taps) => few(taps, sums, out),
            Taps::Three(taps) => few(taps, sums, out),
            Taps::Four(taps) => few(taps, sums, out),
            Taps::Many => {
                for (target, out) in out.iter_mut().enumerate() {
                    *out = one(self.weights, target, sums);
                }
            }
        }
    }

    /// The same of some sizes of the columns, with the weights in absolute values.
    pub(super) fn apply_sizes(&self, size: impl Fn(usize) -> f64, out: &mut [f64]) {
        for (target, out) in out.iter_mut().enumerate() {
            let entries = self.weights.row(target).iter();
            *out = entries.fold(0.0, |sum, (c, weight)| sum + weight.abs() * size(c));
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

/// A column that reads fewer than `N` places reads the one beyond the window for the rest, with weight zero, whose sum is
/// always zero. So sums are the same bits whatever the others read: they start from zero, and no sum is a negative zero.
fn padded<const N: usize>(weights: &SparseWeights, zero: u32) -> Vec<([u32; N], [f64; N])> {
    let row = |target: usize| {
        let (mut places, mut own) = ([zero; N], [0.0; N]);
        for (n, (place, weight)) in weights.row(target).iter().enumerate() {
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
