//! The inner loops, compiled for the vector units of several processors; the one at hand is chosen when they run.
//!
//! None of them contracts a product and a sum into one rounding, so all give the same bits.

use multiversion::multiversion;

macro_rules! row_loops {
    ($type:ty, $one:ident, $two:ident, $add:ident) => {
        /// Sets sums to a weighted row.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $one(sums: &mut [f64], row: &[$type], weight: f64) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum = weight * f64::from(x);
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

        /// Adds a weighted row to sums.
        #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
        pub(super) fn $add(sums: &mut [f64], row: &[$type], weight: f64) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(x);
            }
        }
    };
}

row_loops!(f32, one_f32, two_f32, add_f32);
row_loops!(f64, one_f64, two_f64, add_f64);

/// Whether any value is missing.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(super) fn any_missing(values: &[f64]) -> bool {
    // In stretches, so that the loop over each has no way out half-way and is done in vectors.
    values
        .chunks(256)
        .any(|stretch| stretch.iter().fold(false, |any, x| any | x.is_nan()))
}
