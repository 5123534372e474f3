//! Fields of reproducible noise.

use ndarray::{ArrayD, IxDyn};

/// A field of reproducible values, a share of them missing (NaN).
pub(crate) fn noise(shape: &[usize], seed: u64, missing: f64) -> ArrayD<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        let value = 250.0 + 50.0 * next();
        if next() < missing {
            f32::NAN
        } else {
            value as f32
        }
    })
}
