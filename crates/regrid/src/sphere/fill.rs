//! Values for targets that have none because they lie outside the source.
//!
//! These work on weights, so that what is filled does not depend on the field: a target with weights whose sources are
//! missing stays missing.

use super::Cells;
use super::distance::by_distance;
use super::point_index::PointIndex;
use super::topology::{place, points};
use super::vector::is_finite;
use crate::pieces::{joined, push_copy};
use crate::weights::SparseWeights;

/// Weights whose empty rows take the `neighbours` nearest source centres, each by its inverse distance to a power.
///
/// ESMF and xESMF take 8 with the power 2 (`inverse_dist`).
pub(crate) fn fill_inverse_distance(
    weights: &SparseWeights,
    source: &dyn Cells,
    target: &dyn Cells,
    neighbours: usize,
    power: f64,
) -> SparseWeights {
    let centres = PointIndex::new(&points(source));
    joined(weights.len(), |range| {
        let mut filled = SparseWeights::default();
        for t in range {
            let at = place(target, t);
            if weights.row(t).is_empty() && is_finite(at) {
                filled.push_row(by_distance(&centres, at, neighbours, |d| d.powf(-power)));
            } else {
                push_copy(&mut filled, weights, t);
            }
        }
        filled
    })
}

/// Weights whose empty rows take the mean of the rows around that are not empty, `levels` times one after the other.
///
/// The cells around are the eight that share a side or a corner, across the seam if the target's columns are `cyclic`. Each
/// level reads what the one before it has filled, as ESMF's `creep_fill` does.
pub(crate) fn fill_creep(
    weights: &SparseWeights,
    [rows, columns]: [usize; 2],
    cyclic: bool,
    levels: usize,
) -> SparseWeights {
    assert_eq!(
        weights.len(),
        rows * columns,
        "a row of weights for each target"
    );
    let around = |target: usize| {
        let (row, column) = (target / columns, target % columns);
        let up_and_down = row.saturating_sub(1)..(row + 2).min(rows);
        up_and_down.flat_map(move |r| {
            [columns - 1, 0, 1].into_iter().filter_map(move |step| {
                let c = column + step;
                let within = if step == columns - 1 {
                    column > 0
                } else {
                    c < columns
                };
                (cyclic || within).then_some(r * columns + c % columns)
            })
        })
    };
    let mut filled = weights.clone();
    let mut empty: Vec<usize> = (0..weights.len())
        .filter(|&t| weights.row(t).is_empty())
        .collect();
    for _ in 0..levels {
        let reached: Vec<(usize, Vec<(usize, f64)>)> = empty
            .iter()
            .map(|&t| (t, mean_row(&filled, around(t))))
            .filter(|(_, row)| !row.is_empty())
            .collect();
        if reached.is_empty() {
            break;
        }
        let mut next = SparseWeights::default();
        let mut new = reached.iter().peekable();
        for t in 0..filled.len() {
            match new.next_if(|(at, _)| *at == t) {
                Some((_, row)) => next.push_row(row.iter().copied()),
                None => push_copy(&mut next, &filled, t),
            }
        }
        filled = next;
        empty.retain(|&t| filled.row(t).is_empty());
    }
    filled
}

/// The mean of the rows that are not empty, by source index.
fn mean_row(weights: &SparseWeights, targets: impl Iterator<Item = usize>) -> Vec<(usize, f64)> {
    let mut targets: Vec<usize> = targets.filter(|&t| !weights.row(t).is_empty()).collect();
    targets.sort_unstable();
    // On a narrow cyclic grid a cell may be around another on both sides.
    targets.dedup();
    let mut all: Vec<(usize, f64)> = targets
        .iter()
        .flat_map(|&t| weights.row(t).iter())
        .collect();
    all.sort_by_key(|entry| entry.0);
    let share = 1.0 / targets.len() as f64;
    let mut row: Vec<(usize, f64)> = Vec::new();
    for (source, weight) in all {
        match row.last_mut() {
            Some(last) if last.0 == source => last.1 += weight * share,
            _ => row.push((source, weight * share)),
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::Edges;
    use crate::sphere::linear::linear;
    use crate::sphere::tests::product;
    use crate::sphere::vector::angle;

    fn weights(filled: &[usize], len: usize) -> SparseWeights {
        (0..len)
            .map(|t| {
                if filled.contains(&t) {
                    vec![(t, 1.0)]
                } else {
                    Vec::new()
                }
            })
            .collect()
    }

    #[test]
    fn creeping_takes_the_mean_of_the_eight_around_level_by_level() {
        let weights = weights(&[0, 1], 10);
        let once = fill_creep(&weights, [2, 5], false, 1);
        assert_eq!(once.row(0), [(0, 1.0)]);
        assert_eq!(once.row(2), [(1, 1.0)]);
        assert_eq!(once.row(5), [(0, 0.5), (1, 0.5)]);
        assert!(once.row(3).is_empty() && once.row(4).is_empty());
        let twice = fill_creep(&weights, [2, 5], false, 2);
        assert_eq!(twice.row(3), [(1, 1.0)]);
        assert!(twice.row(4).is_empty());
        let all = fill_creep(&weights, [2, 5], false, 9);
        assert!((0..10).all(|t| (all.row(t).iter().map(|w| w.1).sum::<f64>() - 1.0).abs() < 1e-12));
        let round = fill_creep(&weights, [2, 5], true, 1);
        assert_eq!(round.row(4), [(0, 1.0)]);
        assert_eq!(fill_creep(&weights, [2, 5], true, 0), weights);
    }

    #[test]
    fn nothing_creeps_from_nothing_and_parts_stay_parts() {
        let none = weights(&[], 6);
        assert_eq!(fill_creep(&none, [2, 3], true, 3), none);
        let mut part = SparseWeights::default();
        part.push_part([(7, 2.0)], 0.25);
        part.push_row([]);
        let filled = fill_creep(&part, [1, 2], true, 1);
        assert_eq!(
            (filled.covered(0), filled.row(1).to_vec()),
            (0.25, vec![(7, 1.0)])
        );
    }

    #[test]
    fn inverse_distance_fills_what_is_outside_alone() {
        let source = product(&[0.0, 10.0, 20.0], &[0.0, 10.0, 20.0]);
        let target = product(&[5.0, 40.0], &[5.0, 50.0]);
        let inside = linear(&source, &target, Edges::default()).unwrap();
        let filled = fill_inverse_distance(&inside, &source, &target, 2, 2.0);
        assert_eq!(filled.row(0), inside.row(0));
        let (from, to) = (points(&source), points(&target)[3]);
        let [a, b] = [8, 7].map(|i| angle(from[i], to).powi(-2));
        let weight = |s: usize| filled.row(3).iter().find(|w| w.0 == s).unwrap().1;
        assert!((weight(8) - a / (a + b)).abs() < 1e-12 && (weight(7) - b / (a + b)).abs() < 1e-12);
    }
}
