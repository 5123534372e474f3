//! Which source centres lie in each target cell, for statistics of them.
//!
//! A cell holds its lower edge and not its upper one, so that a centre on the edge of two cells belongs to one of them;
//! where no other cell follows, it holds the upper one too. Each centre has the same weight, so that the weighted sum is
//! the mean.

use std::ops::Range;

use crate::axis::{Latitudes, Longitudes};
use crate::weights::SparseWeights;

/// Centres this near to an edge lie on it.
const SLACK: f64 = 1e-9;

pub(super) fn rows(source: &Latitudes, target: &Latitudes) -> SparseWeights {
    let cells: Vec<[f64; 2]> = target
        .cell_bounds()
        .into_iter()
        .map(|[a, b]| [a.min(b), a.max(b)])
        .collect();
    let slack = SLACK + source.rounding(90.0) + target.rounding(90.0);
    let lows = sorted(cells.iter().map(|cell| cell[0]));
    let holds = |&[low, high]: &[f64; 2]| {
        let followed = has_near(&lows, high, slack);
        let end = if followed { high - slack } else { high + slack };
        evenly(between(source.centres(), low - slack, end))
    };
    cells.iter().map(holds).collect()
}

pub(super) fn columns(source: &Longitudes, target: &Longitudes) -> SparseWeights {
    let cells = target.intervals();
    let slack = SLACK + source.rounding(360.0) + target.rounding(360.0);
    let centres = &source.unrolled()[..source.distinct()];
    let ends = [centres[0], centres[centres.len() - 1]];
    let (least, most) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let lows = sorted(cells.iter().map(|cell| cell[0].rem_euclid(360.0)));
    let holds = |&[low, high]: &[f64; 2]| {
        let turned = high.rem_euclid(360.0);
        let turns = [turned - 360.0, turned, turned + 360.0];
        let followed = turns.iter().any(|&high| has_near(&lows, high, slack));
        let end = if followed { high - slack } else { high + slack };
        if high - low >= 360.0 - slack {
            return evenly(0..centres.len());
        }
        // The turns that bring the cell to some of the centres.
        let from = ((low - slack - most) / 360.0).ceil() as i64;
        let to = ((end - least) / 360.0).floor() as i64;
        let turned = (from..=to).map(|turn| 360.0 * turn as f64);
        let inside = turned.flat_map(|turn| between(centres, low - slack - turn, end - turn));
        evenly(inside)
    };
    cells.iter().map(holds).collect()
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Whether one of some rising values is this one, but for a slack.
fn has_near(rising: &[f64], value: f64, slack: f64) -> bool {
    let at = rising.partition_point(|&x| x < value - slack);
    rising.get(at).is_some_and(|&x| x <= value + slack)
}

/// Which of some values, rising or falling, are not below the one number, and below the other.
fn between(values: &[f64], low: f64, end: f64) -> Range<usize> {
    let rises = values.first() <= values.last();
    if rises {
        let from = values.partition_point(|&x| x < low);
        from..values.partition_point(|&x| x < end).max(from)
    } else {
        let from = values.partition_point(|&x| x >= end);
        from..values.partition_point(|&x| x >= low).max(from)
    }
}

fn evenly(inside: impl Iterator<Item = usize>) -> Vec<(usize, f64)> {
    let mut inside: Vec<usize> = inside.collect();
    inside.sort_unstable();
    let weight = 1.0 / inside.len() as f64;
    inside.into_iter().map(|i| (i, weight)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(weights: &SparseWeights) -> Vec<Vec<usize>> {
        let row = |t| weights.row(t).iter().map(|(s, _)| s).collect();
        (0..weights.len()).map(row).collect()
    }

    #[test]
    fn each_centre_belongs_to_one_cell() {
        let source = Latitudes::new(vec![90.0, 60.0, 45.0, 30.0, 0.0, -90.0], None).unwrap();
        let target = Latitudes::new(
            vec![-45.0, 15.0, 45.0, 75.0],
            Some(vec![[-90.0, 0.0], [0.0, 30.0], [30.0, 60.0], [60.0, 90.0]]),
        )
        .unwrap();
        assert_eq!(
            members(&rows(&source, &target)),
            [vec![5], vec![4], vec![2, 3], vec![0, 1]]
        );
    }

    #[test]
    fn the_last_cell_holds_its_upper_edge() {
        let source = Longitudes::new(vec![0.0, 10.0, 20.0, 30.0], None).unwrap();
        let target = Longitudes::new(vec![375.0, 365.0], None).unwrap();
        assert_eq!(members(&columns(&source, &target)), [vec![1, 2], vec![0]]);
    }

    #[test]
    fn each_centre_has_the_home_that_a_search_through_all_finds() {
        let apart = |x: f64| (x - 360.0 * (x / 360.0).round()).abs();
        for step in [7.0, 12.0, 30.0, -12.0, -45.0] {
            for first in [-700.0, -180.0, 0.0, 3.5, 170.0] {
                let source =
                    (0..(360.0 / f64::abs(step)) as usize).map(|i| first + step * i as f64);
                let source = Longitudes::new(source.collect(), None).unwrap();
                for (first, step, n) in [
                    (0.0, 30.0, 12),
                    (-175.0, 10.0, 36),
                    (100.0, -40.0, 5),
                    (350.0, 5.0, 7),
                ] {
                    let target = (0..n).map(|i| first + step * f64::from(i)).collect();
                    let target = Longitudes::new(target, None).unwrap();
                    let cells = target.intervals();
                    for (found, [low, high]) in members(&columns(&source, &target))
                        .iter()
                        .zip(cells.iter().copied())
                    {
                        let followed = cells.iter().any(|cell| apart(cell[0] - high) < SLACK);
                        let end = if followed { high - SLACK } else { high + SLACK };
                        let turned = |x: f64| x - 360.0 * ((x - low + SLACK) / 360.0).floor();
                        let inside = |&i: &usize| turned(source.centres()[i]) < end;
                        let all: Vec<usize> = (0..source.distinct()).filter(inside).collect();
                        assert_eq!(*found, all, "{first} {step}: {low} to {high}");
                    }
                }
            }
        }
    }

    #[test]
    fn columns_belong_across_the_seam() {
        let source = Longitudes::new((0..12).map(|i| f64::from(i) * 30.0).collect(), None).unwrap();
        let target = Longitudes::new(vec![0.0, 90.0, 180.0, -90.0], None).unwrap();
        let found = members(&columns(&source, &target));
        assert_eq!(
            found,
            [vec![0, 1, 11], vec![2, 3, 4], vec![5, 6, 7], vec![8, 9, 10]]
        );
    }
}
