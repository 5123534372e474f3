//! Chance that is the same in every run.

/// Numbers without a pattern.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 up to 1, without 1.
    pub(crate) fn share(&mut self) -> f64 {
        // The high bits of a linear congruential generator (Knuth's MMIX) are noise enough.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }

    /// From 0 up to `n`, without `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }
}
