//! The mean of the nearest source cells, each by the inverse of its distance.

use super::nearest::Domain;
use super::point_index::PointIndex;
use super::topology::Mesh;
use super::vector::Vector;
use super::{Cells, Refused};
use crate::scheme::Edges;
use crate::weights::SparseWeights;

/// Weights by inverse great-circle distance of the `neighbours` nearest source centres.
///
/// A target on a centre takes its value alone. Centres at one position count once. The domain is as for the nearest
/// centre: without end for a list of points.
///
/// # Errors
/// [`Refused::Outside`] with the first target outside, if that is to be refused.
/// # Source
/// Shepard (1968), A two-dimensional interpolation function for irregularly-spaced data, with the power 1, as CDO's
/// `remapdis`.
pub(crate) fn inverse_distance(
    source: &dyn Cells,
    target: &dyn Cells,
    edges: Edges,
    neighbours: usize,
) -> Result<SparseWeights, Refused> {
    let mesh = Mesh::new(source);
    let domain = Domain::new(&mesh, target, edges);
    within(&domain, mesh, target, neighbours)
}

/// The same where it is known which targets have values.
///
/// # Errors
/// None: the others are missing.
pub(crate) fn inverse_distance_of(
    source: &dyn Cells,
    target: &dyn Cells,
    inside: Vec<bool>,
    neighbours: usize,
) -> Result<SparseWeights, Refused> {
    within(&Domain::of(inside), Mesh::new(source), target, neighbours)
}

fn within(
    domain: &Domain,
    mesh: Mesh,
    target: &dyn Cells,
    neighbours: usize,
) -> Result<SparseWeights, Refused> {
    let centres = PointIndex::new(&mesh.points);
    drop(mesh);
    domain.rows(target, |point| {
        by_distance(&centres, point, neighbours, f64::recip)
    })
}

/// The nearest points, each by what its distance counts.
pub(super) fn by_distance(
    centres: &PointIndex,
    point: Vector,
    neighbours: usize,
    counts: impl Fn(f64) -> f64,
) -> Vec<(usize, f64)> {
    let mut few = centres.nearest_few(point, neighbours);
    // Nearer than rounding can tell: on the centre.
    let on_centre = |few: &[(usize, f64)]| few.first().is_some_and(|f| f.1 <= 1e-20);
    if on_centre(&few) {
        few.truncate(1);
        few[0].1 = 1.0;
        return few;
    }
    for (_, d) in &mut few {
        let angle = 2.0 * (d.sqrt() / 2.0).min(1.0).asin();
        *d = counts(angle);
    }
    let sum: f64 = few.iter().map(|f| f.1).sum();
    few.iter_mut().for_each(|f| f.1 /= sum);
    few
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::{Outside, Pole};
    use crate::sphere::tests::{list, product, scattered, shifted, turned};
    use crate::sphere::topology::points;
    use crate::sphere::vector::angle;
    use proptest::prelude::*;

    const FAR: Edges = Edges {
        outside: Outside::Nearest,
        pole: Pole::None,
    };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn equals_sorting_all(source in scattered(1..40), target in scattered(1..40)) {
            let weights = inverse_distance(&source, &target, FAR, 4).unwrap();
            let (from, to) = (points(&source), points(&target));
            for (t, &point) in to.iter().enumerate() {
                let mut all: Vec<(f64, usize)> = from.iter().enumerate().map(|(i, &p)| (angle(p, point), i)).collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                all.truncate(4);
                let sum: f64 = all.iter().map(|a| 1.0 / a.0).sum();
                prop_assert_eq!(weights.row(t).len(), all.len());
                for (d, i) in all {
                    let w = weights.row(t).iter().find(|w| w.0 == i).unwrap().1;
                    prop_assert!((w - 1.0 / d / sum).abs() < 1e-10);
                }
            }
            let moved = inverse_distance(&shifted(&source, 360.0), &target, FAR, 4).unwrap();
            for t in 0..to.len() {
                for (a, b) in weights.row(t).iter().zip(moved.row(t)) {
                    prop_assert!(a.0 == b.0 && (a.1 - b.1).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn turning_both_changes_nothing(source in scattered(4..40), target in scattered(1..20), by in 0.0..360.0f64, tilt in 0.0..180.0f64) {
            let plain = inverse_distance(&source, &target, FAR, 3).unwrap();
            let turn = inverse_distance(&turned(&source, by, tilt), &turned(&target, by, tilt), FAR, 3).unwrap();
            for t in 0..plain.len() {
                for (s, w) in plain.row(t) {
                    prop_assert!(turn.row(t).iter().any(|o| o.0 == s && (o.1 - w).abs() < 1e-7));
                }
            }
        }
    }

    #[test]
    fn a_target_on_a_centre_takes_its_value_and_copies_count_once() {
        let source = list(&[(0.0, 10.0), (0.0, 370.0), (0.0, 12.0), (0.0, 7.0)]);
        let weights =
            inverse_distance(&source, &list(&[(0.0, 12.0), (0.0, 11.0)]), FAR, 2).unwrap();
        assert_eq!(weights.row(0), [(2, 1.0)]);
        assert_eq!(weights.row(1).len(), 2);
        assert!(weights.row(1).iter().all(|w| (w.1 - 0.5).abs() < 1e-12));
    }

    #[test]
    fn outside_a_mesh_is_missing_by_default() {
        let source = product(&[0.0, 10.0], &[0.0, 10.0]);
        let target = list(&[(5.0, 5.0), (5.0, 15.0)]);
        let weights = inverse_distance(&source, &target, Edges::default(), 4).unwrap();
        assert_eq!((weights.row(0).len(), weights.row(1).len()), (4, 0));
        assert_eq!(
            inverse_distance(&source, &target, FAR, 4)
                .unwrap()
                .row(1)
                .len(),
            4
        );
    }
}
