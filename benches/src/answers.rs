//! Whether two answers are the same: no rival is timed whose answer is another one.

use anyhow::ensure;

/// A floating-point type whose values can be counted.
pub trait Float: Copy + std::fmt::Display {
    /// Whether the value is missing.
    fn is_missing(self) -> bool;
    /// Whether it is a number.
    fn is_number(self) -> bool;
    /// Its place among all values of the type, in order.
    fn place(self) -> i64;
}

impl Float for f32 {
    fn is_missing(self) -> bool {
        self.is_nan()
    }
    fn is_number(self) -> bool {
        self.is_finite()
    }
    fn place(self) -> i64 {
        let size = i64::from(self.abs().to_bits());
        if self.is_sign_negative() { -size } else { size }
    }
}

impl Float for f64 {
    fn is_missing(self) -> bool {
        self.is_nan()
    }
    fn is_number(self) -> bool {
        self.is_finite()
    }
    fn place(self) -> i64 {
        let size = self.abs().to_bits().cast_signed();
        if self.is_sign_negative() { -size } else { size }
    }
}

/// The largest difference, in units of the last place.
///
/// # Errors
/// If there are more or fewer values, one is missing here and not there, one is infinite, or they differ by more than `most` units.
pub fn compare<T: Float>(who: &str, got: &[T], expected: &[T], most: u64) -> anyhow::Result<u64> {
    ensure!(
        got.len() == expected.len(),
        "{who}: {} values, not {}",
        got.len(),
        expected.len()
    );
    let mut largest = 0;
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        if got.is_missing() && expected.is_missing() {
            continue;
        }
        ensure!(
            got.is_number() && expected.is_number(),
            "{who}: value {i} is {got}, not {expected}"
        );
        let apart = got.place().abs_diff(expected.place());
        ensure!(
            apart <= most,
            "{who}: value {i} is {got}, not {expected}: {apart} units in the last place"
        );
        largest = largest.max(apart);
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn neighbours_are_one_unit_apart_and_missing_is_missing_on_both_sides() {
        let next = 300.0_f32.next_up();
        assert_eq!(
            compare("", &[300.0, f32::NAN], &[next, f32::NAN], 1).unwrap(),
            1
        );
        assert_eq!(compare("", &[-0.0], &[0.0], 0).unwrap(), 0);
        assert_eq!(
            compare("", &[f64::MIN_POSITIVE], &[-f64::MIN_POSITIVE], u64::MAX).unwrap(),
            2 * f64::MIN_POSITIVE.to_bits()
        );
        for (got, expected) in [
            ([300.0, 1.0], [next, 1.0]),
            ([300.0, 1.0], [300.0, f32::NAN]),
            ([f32::INFINITY, 1.0], [f32::INFINITY, 1.0]),
        ] {
            assert!(compare("", &got, &expected, 0).is_err());
        }
        assert!(compare("", &[1.0], &[1.0, 1.0], 0).is_err());
    }
}
