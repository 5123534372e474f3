//! The inner loops, compiled for the vector units of several processors; the one at hand is chosen when they run.
//!
//! None of them contracts a product and a sum into one rounding, so all give the same bits.

use multiversion::multiversion;

use super::{Float, ahead};

macro_rules! row_loops {
    ($type:ty, $one:ident, $two:ident, $three:ident, $add:ident) => {
        /// Sets sums to a weighted row, line of the cache by line, and asks for those of the row that is next.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $one(sums: &mut [f64], row: &[$type], weight: f64, next: &[$type]) {
            const LINE: usize = 64 / size_of::<$type>();
            for (i, (sums, row)) in sums.chunks_mut(LINE).zip(row.chunks(LINE)).enumerate() {
                ahead::fetch(next, i * LINE);
                for (sum, &x) in sums.iter_mut().zip(row) {
                    *sum = weight * f64::from(x);
                }
            }
        }

        /// Sets sums to those of two weighted rows.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $two(sums: &mut [f64], rows: [&[$type]; 2], weights: [f64; 2]) {
            let [v, w] = weights;
            for ((sum, &x), &y) in sums.iter_mut().zip(rows[0]).zip(rows[1]) {
                *sum = v * f64::from(x) + w * f64::from(y);
            }
        }

        /// Sets sums to those of three weighted rows.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $three(sums: &mut [f64], rows: [&[$type]; 3], weights: [f64; 3]) {
            let [u, v, w] = weights;
            let rows = rows[0].iter().zip(rows[1]).zip(rows[2]);
            for (sum, ((&x, &y), &z)) in sums.iter_mut().zip(rows) {
                *sum = u * f64::from(x) + v * f64::from(y) + w * f64::from(z);
            }
        }

        /// Adds a weighted row to sums.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $add(sums: &mut [f64], row: &[$type], weight: f64) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(x);
            }
        }
    };
}

row_loops!(f32, one_f32, two_f32, three_f32, add_f32);
row_loops!(f64, one_f64, two_f64, three_f64, add_f64);

/// How many targets the loop over columns makes at once.
pub(super) const LANES: usize = 8;

/// The weighted sums over `N` values side by side, from the places that `starts` name; eight targets at a time.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn runs<T: Float, const N: usize>(
    starts: &[[u32; LANES]],
    weights: &[[[f64; LANES]; N]],
    values: &[f64],
    out: &mut [T],
) {
    for ((starts, weights), out) in starts.iter().zip(weights).zip(out.chunks_mut(LANES)) {
        // First all loads, then the arithmetic in vectors.
        let mut lanes = [[0.0; LANES]; N];
        for (lane, &start) in starts.iter().enumerate() {
            let run = &values[start as usize..start as usize + N];
            for (values, &value) in lanes.iter_mut().zip(run) {
                values[lane] = value;
            }
        }
        let mut sums = [0.0; LANES];
        for (weights, values) in weights.iter().zip(&lanes) {
            for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(values) {
                *sum += weight * value;
            }
        }
        let rounded = sums.map(T::round);
        match out.as_chunks_mut().0 {
            [out] => *out = rounded,
            _ => out.copy_from_slice(&rounded[..out.len()]),
        }
    }
}

/// Whether any value is missing.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn any_missing(values: &[f64]) -> bool {
    // In stretches, so that the loop over each has no way out half-way and is done in vectors.
    values
        .chunks(256)
        .any(|stretch| stretch.iter().fold(false, |any, x| any | x.is_nan()))
}
