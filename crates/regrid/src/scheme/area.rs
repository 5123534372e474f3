//! Area-weighted means, first-order conservative: a source cell counts by the part of the target that it covers.
//!
//! Cells lie between parallels and meridians, so the area shared by two of them is the product of a width in longitude and
//! a height in the sine of latitude, and the weights of a target cell are the products of its row's and its column's.
//! Shares of what is covered sum to one; the part of a target that the source covers is kept beside them.

use crate::axis::{Latitudes, Longitudes};
use crate::weights::SparseWeights;

/// A cell's edges along one axis, the lower first.
type Interval = [f64; 2];

/// Source cells along an axis, to be found by where they lie.
struct Cells {
    /// Lower edge, upper edge, index; by lower edge.
    sorted: Vec<(f64, f64, usize)>,
    widest: f64,
    /// A period that the cells repeat with, or none.
    period: Option<f64>,
}

impl Cells {
    fn new(intervals: impl Iterator<Item = (usize, Interval)>, period: Option<f64>) -> Self {
        let mut sorted: Vec<_> = intervals.map(|(i, [low, high])| (low, high, i)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let widest = sorted.iter().map(|c| c.1 - c.0).fold(0.0, f64::max);
        Self {
            sorted,
            widest,
            period,
        }
    }

    /// The cells that share more than `slack` with an interval: the shared intervals, by index.
    fn shared(&self, [low, high]: Interval, slack: f64) -> Vec<(usize, Interval)> {
        let mut shared = Vec::new();
        let (Some(first), Some(last)) = (self.sorted.first(), self.sorted.last()) else {
            return shared;
        };
        let turns = match self.period {
            None => 0..=0,
            Some(period) => {
                let least = ((low - last.0 - self.widest) / period).floor() as i64;
                least..=((high - first.0) / period).ceil() as i64
            }
        };
        for turn in turns {
            let shift = turn as f64 * self.period.unwrap_or_default();
            let from = self
                .sorted
                .partition_point(|c| c.0 + shift <= low - self.widest - slack);
            for &(a, b, index) in &self.sorted[from..] {
                if a + shift >= high {
                    break;
                }
                let both = [low.max(a + shift), high.min(b + shift)];
                if both[1] - both[0] > slack {
                    shared.push((index, both));
                }
            }
        }
        shared.sort_by_key(|&(index, _)| index);
        shared
    }
}

/// Edges nearer than this part of a cell touch.
const TOUCHING: f64 = 1e-9;

/// The weights of targets along an axis; `measure` gives the size of an interval, `slack` how far edges may be off.
fn weights(
    source: &Cells,
    targets: &[Interval],
    measure: impl Fn(Interval) -> f64,
    slack: impl Fn(Interval) -> f64,
) -> SparseWeights {
    let mut weights = SparseWeights::default();
    for &target in targets {
        let slack = slack(target).max(TOUCHING * (target[1] - target[0]).min(source.widest));
        let shared = source.shared(target, slack);
        let length: f64 = shared.iter().map(|(_, s)| s[1] - s[0]).sum();
        let missing = (target[1] - target[0]) - length;
        let row: Vec<(usize, f64)> = shared.iter().map(|&(i, s)| (i, measure(s))).collect();
        let covered = match measure(target) {
            _ if missing <= 2.0 * slack => 1.0,
            whole if whole > 0.0 => row.iter().map(|&(_, size)| size).sum::<f64>() / whole,
            _ => 0.0,
        };
        weights.push_part(row, covered.min(1.0));
    }
    weights
}

/// The share of the sphere's surface between two parallels: the difference of the sines of latitude.
fn height([south, north]: Interval) -> f64 {
    let half = f64::to_radians((north - south) / 2.0);
    let middle = f64::to_radians(south + (north - south) / 2.0);
    2.0 * middle.cos() * half.sin()
}

fn ordered([a, b]: Interval) -> Interval {
    [a.min(b), a.max(b)]
}

pub(super) fn rows(source: &Latitudes, target: &Latitudes) -> SparseWeights {
    let cells = source.cell_bounds().into_iter().map(ordered).enumerate();
    let targets: Vec<Interval> = target.cell_bounds().into_iter().map(ordered).collect();
    let rounding = |[a, b]: Interval| {
        source.rounding(a.abs().max(b.abs())) + target.rounding(a.abs().max(b.abs()))
    };
    weights(&Cells::new(cells, None), &targets, height, rounding)
}

pub(super) fn columns(source: &Longitudes, target: &Longitudes) -> SparseWeights {
    let cells = source.intervals().into_iter().take(source.distinct());
    let rounding = |[a, b]: Interval| {
        source.rounding(a.abs().max(b.abs())) + target.rounding(a.abs().max(b.abs()))
    };
    weights(
        &Cells::new(cells.enumerate(), Some(360.0)),
        &target.intervals(),
        |[west, east]| east - west,
        rounding,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;

    fn axes(grid: &Grid) -> (&Latitudes, &Longitudes) {
        grid.axes().unwrap()
    }

    #[test]
    fn a_grid_onto_itself_is_the_identity() {
        for name in ["1", "r36x18", "0.7200000000000001"] {
            let Ok(grid) = Grid::named(name) else {
                continue;
            };
            let (lat, lon) = axes(&grid);
            assert_eq!(rows(lat, lat), SparseWeights::identity(lat.len()));
            assert_eq!(columns(lon, lon), SparseWeights::identity(lon.len()));
        }
    }

    #[test]
    fn the_integral_is_kept() {
        let source =
            Grid::from_axes([-60.0, -10.0, 0.0, 45.0, 80.0], [350.0, 100.0, 200.0]).unwrap();
        let target = Grid::global(7.5).unwrap();
        let (source, target) = (axes(&source), axes(&target));
        let area_rows: Vec<f64> = source
            .0
            .cell_bounds()
            .into_iter()
            .map(ordered)
            .map(height)
            .collect();
        let to: Vec<f64> = target
            .0
            .cell_bounds()
            .into_iter()
            .map(ordered)
            .map(height)
            .collect();
        let mut given = vec![0.0; area_rows.len()];
        let weights = rows(source.0, target.0);
        for (t, size) in to.iter().enumerate() {
            for (s, w) in weights.row(t) {
                given[s] += w * weights.covered(t) * size;
            }
        }
        for (given, area) in given.iter().zip(&area_rows) {
            assert!((given - area).abs() < 1e-12, "{given} {area}");
        }
    }

    #[test]
    fn columns_share_across_the_seam_and_in_any_turn() {
        let source = Longitudes::new(vec![-135.0, -45.0, 45.0, 135.0], None).unwrap();
        for (centre, bounds, expected) in [
            (180.0, [157.5, 202.5], vec![(0, 0.5), (3, 0.5)]),
            (585.0, [540.0, 630.0], vec![(0, 1.0)]),
            (-180.0, [202.5, 157.5], vec![(0, 0.5), (3, 0.5)]),
        ] {
            let target = Longitudes::new(vec![centre], Some(vec![bounds])).unwrap();
            assert_eq!(columns(&source, &target).row(0), expected[..]);
        }
    }

    #[test]
    fn a_target_beyond_the_source_is_covered_in_part() {
        let source = Longitudes::new(vec![10.0, 20.0], None).unwrap();
        let target = Longitudes::new(vec![0.0, 20.0, 40.0], None).unwrap();
        let weights = columns(&source, &target);
        assert_eq!(
            (weights.row(0).to_vec(), weights.covered(0)),
            (vec![(0, 1.0)], 0.25)
        );
        assert_eq!(weights.covered(1), 0.75);
        assert_eq!(weights.row(2), []);
    }
}
