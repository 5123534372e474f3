//! The nearest source cell of each target, by distance on the sphere.

use std::ops::Range;

use super::point_index::PointIndex;
use super::quads::{Held, Quads};
use super::topology::{Mesh, place};
use super::vector::{Vector, is_finite};
use super::{Cells, Refused};
use crate::pieces::{each_piece, joined};
use crate::scheme::{Edges, Outside, Pole};
use crate::weights::SparseWeights;

/// The nearest source centre of each target, with weight one; of several equally near the one of the lowest index.
///
/// The domain of a mesh is what lies between its centres; at a hole no wider than its rows are apart the pole rule
/// decides. A target beyond it is missing, or takes the nearest centre however far. A list of points has no domain: its
/// targets all take the nearest.
///
/// # Errors
/// [`Refused::Outside`] with the first target outside, if that is to be refused.
pub(crate) fn nearest(
    source: &dyn Cells,
    target: &dyn Cells,
    edges: Edges,
) -> Result<SparseWeights, Refused> {
    let mesh = Mesh::new(source);
    let domain = Domain::new(&mesh, target, edges);
    let centres = PointIndex::new(&mesh.points);
    drop(mesh);
    domain.rows(target, |point| {
        centres
            .nearest(point)
            .map(|s| (s, 1.0))
            .into_iter()
            .collect()
    })
}

/// Where a method that looks at centres has values.
#[derive(Debug)]
pub(super) struct Domain {
    /// Whether each target lies in it; none if it has no end.
    holds: Option<Vec<bool>>,
    outside: Outside,
}

impl Domain {
    /// Which targets lie in the domain of a mesh: it is without end for a list of points, or if the nearest centre is to
    /// serve outside.
    ///
    /// This is known before anything else is made for the weights, as it takes as much memory as they do.
    pub(super) fn new(mesh: &Mesh, targets: &dyn Cells, edges: Edges) -> Self {
        let ends = matches!(edges.outside, Outside::Missing | Outside::Error) && mesh.has_quads();
        let holds = ends.then(|| {
            let quads = Quads::new(mesh);
            let mut holds = Vec::with_capacity(targets.len());
            let work = |range: Range<usize>| {
                let mut candidates = Vec::new();
                let mut held = |target| match quads.holding(place(targets, target), &mut candidates)
                {
                    Some(Held::Quad { .. }) => true,
                    Some(Held::Rim { .. }) => edges.pole != Pole::None,
                    None => false,
                };
                range.map(&mut held).collect::<Vec<bool>>()
            };
            each_piece(targets.len(), work, |own| holds.extend(own));
            holds
        });
        Self {
            holds,
            outside: edges.outside,
        }
    }

    /// The domain of so many targets; what lies outside is missing.
    pub(super) fn of(inside: Vec<bool>) -> Self {
        Self {
            holds: Some(inside),
            outside: Outside::Missing,
        }
    }

    /// A row for each target in the domain, and an empty one for the others.
    pub(super) fn rows(
        &self,
        targets: &dyn Cells,
        row: impl Fn(Vector) -> Vec<(usize, f64)> + Sync,
    ) -> Result<SparseWeights, Refused> {
        let weights = joined(targets.len(), |range| {
            let mut weights = SparseWeights::default();
            for target in range {
                let at = place(targets, target);
                let held = self.holds.as_ref().is_none_or(|holds| holds[target]);
                weights.push_row(match held && is_finite(at) {
                    true => row(at),
                    false => Vec::new(),
                });
            }
            weights
        });
        refuse_empty(weights, self.outside)
    }
}

/// The weights, or, where nothing may lie outside, the first target without any.
pub(super) fn refuse_empty(
    weights: SparseWeights,
    outside: Outside,
) -> Result<SparseWeights, Refused> {
    let empty = (outside == Outside::Error)
        .then(|| (0..weights.len()).find(|&t| weights.row(t).is_empty()));
    match empty.flatten() {
        Some(target) => Err(Refused::Outside { target }),
        None => Ok(weights),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{list, product, rolled, scattered, shifted, tripolar, turned};
    use crate::sphere::topology::points;
    use crate::sphere::vector::distance_2;
    use proptest::prelude::*;

    const FAR: Edges = Edges {
        outside: Outside::Nearest,
        pole: Pole::Mean,
    };

    /// The nearest of all, tried one by one.
    fn brute(source: &[Vector], to: Vector) -> usize {
        let d = |i: usize| distance_2(source[i], to);
        let least = (0..source.len()).map(d).fold(f64::INFINITY, f64::min);
        (0..source.len())
            .find(|&i| d(i) <= least * (1.0 + 1e-10) + 1e-24)
            .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn equals_trying_all(source in scattered(1..60), target in scattered(1..60)) {
            let weights = nearest(&source, &target, Edges::default()).unwrap();
            let (from, to) = (points(&source), points(&target));
            for (t, &point) in to.iter().enumerate() {
                prop_assert_eq!(weights.row(t), [(brute(&from, point), 1.0)]);
            }
        }

        #[test]
        fn turning_both_grids_changes_nothing(target in scattered(1..60), by in 0.0..360.0f64, tilt in 0.0..180.0f64) {
            let source = tripolar(16, 9, false);
            let weights = nearest(&source, &target, Edges::default()).unwrap();
            prop_assert_eq!(&weights, &nearest(&turned(&source, by, tilt), &turned(&target, by, tilt), Edges::default()).unwrap());
            prop_assert_eq!(&weights, &nearest(&shifted(&source, 360.0), &shifted(&target, -720.0), Edges::default()).unwrap());
        }

        #[test]
        fn rolled_columns_give_rolled_weights(target in scattered(1..40), by in 0usize..16) {
            let source = tripolar(16, 9, false);
            let plain = nearest(&source, &target, FAR).unwrap();
            let roll = nearest(&rolled(&source, by), &target, FAR).unwrap();
            for t in 0..plain.len() {
                let s = plain.row(t).sources()[0] as usize;
                prop_assert_eq!(roll.row(t).sources()[0] as usize, s / 16 * 16 + (s % 16 + by) % 16);
            }
        }
    }

    #[test]
    fn the_domain_ends_at_the_outer_centres() {
        let source = product(&[10.0, 20.0, 30.0], &[350.0, 0.0, 10.0]);
        let target = list(&[
            (15.0, 3.0),
            (9.0, 3.0),
            (10.0, -10.0),
            (20.0, 11.0),
            (f64::NAN, 0.0),
        ]);
        let weights = nearest(&source, &target, Edges::default()).unwrap();
        assert_eq!(weights.row(0).len(), 1);
        assert!(weights.row(1).is_empty());
        assert_eq!(weights.row(2), [(0, 1.0)]);
        assert!(weights.row(3).is_empty() && weights.row(4).is_empty());
        let far = nearest(&source, &target, FAR).unwrap();
        assert_eq!(
            [far.row(1), far.row(3)].map(|row| row.to_vec()),
            [[(1, 1.0)], [(5, 1.0)]]
        );
        let refuse = Edges {
            outside: Outside::Error,
            ..Edges::default()
        };
        assert_eq!(
            nearest(&source, &target, refuse),
            Err(Refused::Outside { target: 1 })
        );
    }

    #[test]
    fn poles_follow_their_rule_and_the_seam_is_no_edge() {
        let latitudes: Vec<f64> = (0..18).map(|i| -85.0 + 10.0 * i as f64).collect();
        let longitudes: Vec<f64> = (0..36).map(|i| 10.0 * i as f64).collect();
        let source = product(&latitudes, &longitudes);
        let target = list(&[(89.0, 71.0), (-90.0, 0.0), (0.0, 354.0), (4.0, -1.0)]);
        let weights = nearest(&source, &target, Edges::default()).unwrap();
        assert_eq!(weights.row(0), [(17 * 36 + 7, 1.0)]);
        assert_eq!(weights.row(1), [(0, 1.0)]);
        assert_eq!(weights.row(2), [(8 * 36 + 35, 1.0)]);
        let none = Edges {
            pole: Pole::None,
            ..Edges::default()
        };
        let weights = nearest(&source, &target, none).unwrap();
        assert!(weights.row(0).is_empty() && weights.row(1).is_empty());
        assert_eq!(weights.row(3), [(9 * 36, 1.0)]);
    }

    #[test]
    fn halo_columns_never_win() {
        let longitudes: Vec<f64> = (0..14).map(|i| 30.0 * i as f64).collect();
        let source = product(&[-20.0, 0.0, 20.0], &longitudes);
        let target = list(&[(0.0, 2.0), (0.0, 32.0), (19.0, -1.0)]);
        let weights = nearest(&source, &target, Edges::default()).unwrap();
        assert_eq!(
            [0, 1, 2].map(|t| weights.row(t).sources()[0] as usize),
            [14, 15, 28]
        );
    }
}
