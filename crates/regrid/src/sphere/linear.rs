//! Linear between four neighbouring source centres, anywhere on the sphere.

use super::nearest::refuse_empty;
use super::point_index::PointIndex;
use super::quads::{Held, Quads};
use super::topology::{Mesh, place};
use super::vector::is_finite;
use super::{Cells, Refused};
use crate::pieces::joined;
use crate::scheme::{Edges, Outside, Pole};
use crate::weights::SparseWeights;

/// Bilinear weights in the quadrilateral of neighbouring centres that holds each target.
///
/// The quadrilateral is seen in the plane that touches the sphere at the target. In a hole no wider than the rows are
/// apart the weights run linearly to its centre, which takes the mean of the row around it ([`Pole::Mean`]); with
/// [`Pole::Nearest`] that row goes on. A target outside is missing, or takes the nearest centre.
///
/// # Errors
/// [`Refused::NoMesh`] from a list of points; [`Refused::NoGradientOutside`] for [`Outside::Linear`];
/// [`Refused::Outside`] with the first target outside, if that is to be refused.
pub(crate) fn linear(
    source: &dyn Cells,
    target: &dyn Cells,
    edges: Edges,
) -> Result<SparseWeights, Refused> {
    let mesh = Mesh::new(source);
    if !mesh.has_quads() {
        return Err(Refused::NoMesh);
    }
    if edges.outside == Outside::Linear {
        return Err(Refused::NoGradientOutside);
    }
    let quads = Quads::new(&mesh);
    let beyond = (edges.outside == Outside::Nearest).then(|| PointIndex::new(&mesh.points));
    let weights = joined(target.len(), |range| {
        let mut candidates = Vec::new();
        let mut weights = SparseWeights::default();
        for point in range.map(|cell| place(target, cell)) {
            let held = quads
                .holding(point, &mut candidates)
                .and_then(|held| shares(held, &mesh, edges.pole));
            weights.push_row(match (held, &beyond) {
                (Some(row), _) => row,
                (None, Some(beyond)) if is_finite(point) => beyond
                    .nearest(point)
                    .map(|s| (s, 1.0))
                    .into_iter()
                    .collect(),
                _ => Vec::new(),
            });
        }
        weights
    });
    refuse_empty(weights, edges.outside)
}

/// The weights of what holds a target; none if the pole rule leaves it outside.
fn shares(held: Held, mesh: &Mesh, pole: Pole) -> Option<Vec<(usize, f64)>> {
    match held {
        Held::Quad { corners, shares } => {
            // A degenerate quadrilateral may name a cell twice.
            let mut row: Vec<(usize, f64)> = Vec::with_capacity(4);
            for (corner, share) in corners.into_iter().zip(shares) {
                match row.iter_mut().find(|(s, _)| *s == corner) {
                    Some((_, sum)) => *sum += share,
                    None => row.push((corner, share)),
                }
            }
            Some(row)
        }
        Held::Rim {
            rim,
            shares,
            centre,
            end,
        } => {
            let first = mesh.index(if end == 0 { 0 } else { mesh.rows - 1 }, 0);
            let ring = (first..first + mesh.distinct()).filter(|&i| is_finite(mesh.points[i]));
            let apart = shares[0] + shares[1];
            let (on_rim, centre) = match pole {
                Pole::None => return None,
                Pole::Nearest if apart > 0.0 => (shares.map(|s| s / apart), 0.0),
                _ => (shares, centre),
            };
            let each = centre / ring.clone().count() as f64;
            let extra = |i| {
                rim.iter()
                    .zip(on_rim)
                    .find(|&(&r, _)| r == i)
                    .map_or(0.0, |(_, s)| s)
            };
            Some(ring.map(|i| (i, each + extra(i))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::SphereCells;
    use crate::sphere::tests::{
        list, product, reflected, rolled, scattered, shifted, tripolar, turned,
    };
    use crate::sphere::topology::points;
    use crate::sphere::vector::{angle, dot, unit};
    use proptest::prelude::*;

    /// The values of a smooth field.
    fn field(cells: &SphereCells) -> Vec<f64> {
        let direction = unit([0.3, -0.5, 0.8]);
        points(cells)
            .into_iter()
            .map(|p| dot(p, direction))
            .collect()
    }

    fn apply(weights: &SparseWeights, values: &[f64], t: usize) -> f64 {
        weights.row(t).iter().map(|(s, w)| w * values[s]).sum()
    }

    fn globe(step: f64) -> SphereCells {
        let count = |span: f64| (span / step).round() as usize;
        let latitudes: Vec<f64> = (0..count(180.0))
            .map(|i| -90.0 + step * (i as f64 + 0.5))
            .collect();
        let longitudes: Vec<f64> = (0..count(360.0)).map(|i| step * i as f64).collect();
        product(&latitudes, &longitudes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn a_closed_mesh_reaches_every_target(target in scattered(1..100), by in 0.0..360.0f64, tilt in 0.0..180.0f64) {
            let source = turned(&globe(10.0), by, tilt);
            let weights = linear(&source, &target, Edges::default()).unwrap();
            let (values, wanted) = (field(&source), field(&target));
            for (t, want) in wanted.iter().enumerate() {
                let sum: f64 = weights.row(t).iter().map(|w| w.1).sum();
                prop_assert!((sum - 1.0).abs() < 1e-12);
                prop_assert!(weights.row(t).iter().all(|w| w.1 > 0.0));
                // Second order in a spacing of 0.17: at most an eighth of its square in each direction.
                prop_assert!((apply(&weights, &values, t) - want).abs() < 8e-3);
            }
        }

        #[test]
        fn a_fold_leaves_no_gap(target in scattered(1..100), on_points: bool) {
            let source = tripolar(40, 30, on_points);
            let weights = linear(&source, &target, Edges::default()).unwrap();
            let (values, wanted) = (field(&source), field(&target));
            for (t, want) in wanted.iter().enumerate() {
                // The mesh ends at 10.8 degrees south where it reaches least far.
                prop_assert!(!weights.row(t).is_empty() || target.latitudes[t] < -9.0);
                if !weights.row(t).is_empty() {
                    prop_assert!((apply(&weights, &values, t) - want).abs() < 1e-2);
                }
            }
        }

        #[test]
        fn turns_shifts_rolls_and_mirrors_follow(target in scattered(1..50), by in 0.0..360.0f64, tilt in 0.0..180.0f64, roll in 0usize..24) {
            let source = tripolar(24, 12, false);
            let plain = linear(&source, &target, Edges::default()).unwrap();
            let value = |weights: &SparseWeights, values: &[f64], t| (!weights.row(t).is_empty()).then(|| apply(weights, values, t));
            let values: Vec<f64> = (0..24 * 12).map(|i| ((i * 37) % 101) as f64).collect();
            let moved: Vec<f64> = (0..24 * 12).map(|i| values[i / 24 * 24 + (i % 24 + 24 - roll) % 24]).collect();
            let turn = linear(&turned(&source, by, tilt), &turned(&target, by, tilt), Edges::default()).unwrap();
            let shift = linear(&shifted(&source, -360.0), &shifted(&target, 720.0), Edges::default()).unwrap();
            let rolled = linear(&rolled(&source, roll), &target, Edges::default()).unwrap();
            let mirrored = linear(&reflected(&source), &reflected(&target), Edges::default()).unwrap();
            for t in 0..plain.len() {
                let want = value(&plain, &values, t);
                for got in [value(&turn, &values, t), value(&shift, &values, t), value(&rolled, &moved, t), value(&mirrored, &values, t)] {
                    prop_assert_eq!(got.is_some(), want.is_some());
                    if let (Some(got), Some(want)) = (got, want) {
                        prop_assert!((got - want).abs() < 1e-8, "{got} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_centre_takes_its_own_value() {
        let source = tripolar(24, 12, false);
        let weights = linear(&source, &source, Edges::default()).unwrap();
        let at = points(&source);
        for t in 0..weights.len() {
            let own: f64 = weights
                .row(t)
                .iter()
                .filter(|(s, _)| angle(at[*s], at[t]) < 1e-9)
                .map(|w| w.1)
                .sum();
            assert!((own - 1.0).abs() < 1e-9, "{t}: {:?}", weights.row(t));
        }
    }

    #[test]
    fn a_pole_is_the_mean_of_its_row_or_none_or_the_row_goes_on() {
        let source = globe(30.0);
        let values = field(&source);
        let target = list(&[(90.0, 5.0), (82.5, 30.0), (-90.0, 0.0)]);
        let row = |pole, t| {
            let edges = Edges {
                pole,
                ..Edges::default()
            };
            let weights = linear(&source, &target, edges).unwrap();
            (!weights.row(t).is_empty()).then(|| apply(&weights, &values, t))
        };
        let ring = |first: usize| values[first..first + 12].iter().sum::<f64>() / 12.0;
        assert!((row(Pole::Mean, 0).unwrap() - ring(60)).abs() < 1e-12);
        assert!((row(Pole::Mean, 2).unwrap() - ring(0)).abs() < 1e-12);
        let half = 0.5 * (values[61] + ring(60));
        assert!((row(Pole::Mean, 1).unwrap() - half).abs() < 2e-3);
        assert_eq!(row(Pole::None, 0), None);
        assert!((row(Pole::Nearest, 1).unwrap() - values[61]).abs() < 1e-12);
        assert!((row(Pole::Nearest, 0).unwrap() - ring(60)).abs() < 1e-12);
    }

    #[test]
    fn outside_is_missing_nearest_or_refused() {
        let source = product(&[10.0, 20.0], &[0.0, 10.0]);
        let target = list(&[(15.0, 5.0), (9.0, 1.0)]);
        let with = |outside| {
            linear(
                &source,
                &target,
                Edges {
                    outside,
                    ..Edges::default()
                },
            )
        };
        assert!(with(Outside::Missing).unwrap().row(1).is_empty());
        assert_eq!(with(Outside::Nearest).unwrap().row(1), [(0, 1.0)]);
        assert_eq!(with(Outside::Error), Err(Refused::Outside { target: 1 }));
        assert_eq!(with(Outside::Linear), Err(Refused::NoGradientOutside));
        assert_eq!(
            linear(&target, &source, Edges::default()),
            Err(Refused::NoMesh)
        );
    }
}
