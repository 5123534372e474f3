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
    Pairs(Pairs),
    Two(Vec<([u32; 2], [f64; 2])>),
    Three(Vec<([u32; 3], [f64; 3])>),
    Four(Vec<([u32; 4], [f64; 4])>),
    Many,
}

/// Two places side by side for each target, and the targets that read otherwise: one place, or the last and the first.
#[derive(Debug)]
struct Pairs {
    starts: Vec<(u32, [f64; 2])>,
    others: Vec<usize>,
}

impl Pairs {
    /// The pairs of weights of which most targets read two places side by side.
    fn new(weights: &SparseWeights) -> Option<Self> {
        let mut pairs = Self {
            starts: Vec::with_capacity(weights.len()),
            others: Vec::new(),
        };
        for target in 0..weights.len() {
            match *weights.row(target) {
                [(a, v), (b, w)] if b == a + 1 => {
                    pairs.starts.push((u32::try_from(a).ok()?, [v, w]));
                }
                _ => {
                    pairs.starts.push((0, [0.0; 2]));
                    pairs.others.push(target);
                }
            }
        }
        (pairs.others.len() * 8 <= weights.len()).then_some(pairs)
    }

    fn apply<T: Float>(&self, weights: &SparseWeights, sums: &[f64], out: &mut [T]) {
        for (&(start, [v, w]), out) in self.starts.iter().zip(out.iter_mut()) {
            let pair = &sums[start as usize..start as usize + 2];
            *out = T::round(0.0 + v * pair[0] + w * pair[1]);
        }
        for &target in &self.others {
            out[target] = one(weights, target, sums);
        }
    }
}

/// One target by its entries.
fn one<T: Float>(weights: &SparseWeights, target: usize, sums: &[f64]) -> T {
    let entries = weights.row(target).iter();
    T::round(entries.fold(0.0, |sum, &(c, w)| sum + w * sums[c]))
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
            (2, Ok(zero)) => match Pairs::new(weights) {
                Some(pairs) => Taps::Pairs(pairs),
                None => Taps::Two(padded(weights, zero)),
            },
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
            Taps::Pairs(pairs) => pairs.apply(self.weights, sums, out),
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
