//! Which source centres lie in each target cell, for statistics of them.
//!
//! A cell holds its lower edge and not its upper one, so that a centre on the edge of two cells belongs to one of them;
//! where no other cell follows, it holds the upper one too. Each centre has the same weight, so that the weighted sum is
//! the mean.

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
    let holds = |&[low, high]: &[f64; 2]| {
        let followed = cells.iter().any(|cell| (cell[0] - high).abs() <= slack);
        let end = if followed { high - slack } else { high + slack };
        evenly(source.centres(), |&x| x >= low - slack && x < end)
    };
    cells.iter().map(holds).collect()
}

pub(super) fn columns(source: &Longitudes, target: &Longitudes) -> SparseWeights {
    let cells = target.intervals();
    let slack = SLACK + source.rounding(360.0) + target.rounding(360.0);
    let holds = |&[low, high]: &[f64; 2]| {
        let apart = |x: f64| (x - 360.0 * (x / 360.0).round()).abs();
        let followed = cells.iter().any(|cell| apart(cell[0] - high) <= slack);
        let end = if followed { high - slack } else { high + slack };
        let round = high - low >= 360.0 - slack;
        evenly(&source.unrolled()[..source.distinct()], |&x| {
            round || x - 360.0 * ((x - low + slack) / 360.0).floor() < end
        })
    };
    cells.iter().map(holds).collect()
}

fn evenly(centres: &[f64], holds: impl Fn(&f64) -> bool) -> Vec<(usize, f64)> {
    let inside: Vec<usize> = (0..centres.len()).filter(|&i| holds(&centres[i])).collect();
    let weight = 1.0 / inside.len() as f64;
    inside.into_iter().map(|i| (i, weight)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(weights: &SparseWeights) -> Vec<Vec<usize>> {
        let row = |t| weights.row(t).iter().map(|&(s, _)| s).collect();
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
