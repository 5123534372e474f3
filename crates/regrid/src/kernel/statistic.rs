//! Statistics of the source cells that a target's weights name.

use super::Float;
use super::reduce::Reduction;
use crate::weights::WHOLE;

/// A statistic other than the mean, which is a weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    Sum,
    Count,
    Min,
    Max,
    Median,
    Mode,
}

impl Statistic {
    /// What it makes of cells one by one, if it can be had so.
    pub(super) fn reduction(self) -> Option<Reduction> {
        match self {
            Self::Sum => Some(Reduction::Sum),
            Self::Count => Some(Reduction::Count),
            Self::Min => Some(Reduction::Min),
            Self::Max => Some(Reduction::Max),
            Self::Median | Self::Mode => None,
        }
    }

    /// The statistic of the valid among some cells of a plane, each with its weight; the weights sum to one.
    ///
    /// Missing if less than `min_valid` of the target is covered by valid cells, or none is valid; the count of no cells
    /// is 0.
    pub(super) fn of<S: Float, T: Float>(
        self,
        plane: &[S],
        covered: f64,
        entries: &[(usize, f64)],
        min_valid: f64,
    ) -> T {
        let valid = || {
            entries
                .iter()
                .map(|&(at, weight)| (plane[at].widen(), weight))
                .filter(|(value, _)| !value.is_nan())
        };
        if self == Self::Count {
            return T::round(valid().count() as f64);
        }
        let share: f64 = valid().map(|(_, weight)| weight).sum();
        if share <= 0.0 || share * covered < min_valid - WHOLE {
            return T::MISSING;
        }
        let values = valid().map(|(value, _)| value);
        T::round(match self {
            Self::Sum | Self::Count => values.sum(),
            Self::Min => values.fold(f64::INFINITY, f64::min),
            Self::Max => values.fold(f64::NEG_INFINITY, f64::max),
            Self::Median => median(values.collect()),
            Self::Mode => heaviest(valid()).expect("a share of the cells is valid"),
        })
    }
}

/// The value in the middle, or the mean of the two there.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower + (upper - lower) / 2.0
}

/// The value with the largest sum of weights; among equals the smallest.
fn heaviest<T: Copy + PartialOrd>(cells: impl Iterator<Item = (T, f64)>) -> Option<T> {
    let mut cells: Vec<(T, f64)> = cells.collect();
    cells.sort_by(|a, b| {
        a.0.partial_cmp(&b.0)
            .expect("missing values have no part in it")
    });
    let mut best: Option<(T, f64)> = None;
    for same in cells.chunk_by(|a, b| a.0 == b.0) {
        let weight: f64 = same.iter().map(|&(_, weight)| weight).sum();
        // Weights that differ by their rounding are equal.
        if best.is_none_or(|(_, most)| weight > most * (1.0 + WHOLE)) {
            best = Some((same[0].0, weight));
        }
    }
    best.map(|(value, _)| value)
}

/// The value that covers most of the target, in its own type; cells that hold `absent` are missing.
pub(super) fn mode<T: Copy + PartialOrd>(
    plane: &[T],
    covered: f64,
    entries: &[(usize, f64)],
    min_valid: f64,
    absent: T,
) -> T {
    let valid = || {
        entries
            .iter()
            .map(|&(at, weight)| (plane[at], weight))
            .filter(|&(value, _)| value != absent && value.partial_cmp(&value).is_some())
    };
    let share: f64 = valid().map(|(_, weight)| weight).sum();
    if share <= 0.0 || share * covered < min_valid - WHOLE {
        return absent;
    }
    heaviest(valid()).unwrap_or(absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statistic: Statistic, plane: &[f32], min_valid: f64) -> f32 {
        let weight = 1.0 / plane.len() as f64;
        let entries: Vec<_> = (0..plane.len()).map(|at| (at, weight)).collect();
        statistic.of(plane, 1.0, &entries, min_valid)
    }

    #[test]
    fn missing_cells_have_no_part_in_a_statistic() {
        let plane = [3.0, f32::NAN, 1.0, 8.0, 1.0];
        let expected = [
            (Statistic::Sum, 13.0),
            (Statistic::Count, 4.0),
            (Statistic::Min, 1.0),
            (Statistic::Max, 8.0),
            (Statistic::Median, 2.0),
            (Statistic::Mode, 1.0),
        ];
        for (statistic, value) in expected {
            assert_eq!(of(statistic, &plane, 0.0), value, "{statistic:?}");
        }
        assert!(of(Statistic::Min, &plane, 0.9).is_nan());
        assert_eq!(of(Statistic::Min, &plane, 0.8), 1.0);
        assert!(of(Statistic::Max, &[f32::NAN], 0.0).is_nan());
        assert_eq!(of(Statistic::Count, &[f32::NAN], 0.0), 0.0);
    }

    #[test]
    fn the_mode_goes_by_weight_and_then_by_value() {
        let entries = [(0, 0.3), (1, 0.3), (2, 0.4)];
        assert_eq!(mode(&[7, 7, 2], 1.0, &entries, 0.0, -1), 7);
        assert_eq!(mode(&[7, 5, 2], 1.0, &entries, 0.0, -1), 2);
        assert_eq!(mode(&[7, 5, -1], 1.0, &entries, 0.0, -1), 5);
        assert_eq!(mode(&[7, 5, -1], 1.0, &entries, 0.7, -1), -1);
    }
}
