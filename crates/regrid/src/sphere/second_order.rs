//! The second-order conservative method: area-weighted means of fields that slope within each source cell.

use std::ops::Range;

use super::conservative::{Search, Tiling};
use super::gradient::{duals, neighbours};
use super::outlines::{Outline, Outlines};
use super::overlap::AreaAndMoment;
use super::topology::Mesh;
use super::vector::{Vector, dot, is_finite, minus, times, unit};
use super::{Cells, Refused};
use crate::pieces::each_piece;
use crate::spill::{Growing, Numbers};
use crate::weights::{Corrections, Differences, Gathering, SparseWeights};

/// First-order conservative weights, and what the gradients of the source add to them.
///
/// In each source cell the field is its mean plus its gradient times the way from the cell's centre of mass; gradients are
/// centred differences between the cells around. The area integral is kept, as the ways within a cell cancel.
///
/// Who knows it but for the rounding of coordinates says which part of a target the source covers (`covered`), and whether one of its
/// cells takes part in that (`shares_in`, of a target and a source cell).
///
/// # Errors
/// [`Refused::NoMesh`] from a list of points, which has no gradient; [`Refused::NoCorners`] to one.
/// # Source
/// The second-order scheme of Jones (1999), Mon. Wea. Rev. 127, 2204-2210, with positions in space in the place of
/// latitude and longitude, as Kritsikis et al. (2017), Geosci. Model Dev. 10, 425-431.
pub(crate) fn second_order(
    source: &dyn Cells,
    target: &dyn Cells,
    covered: impl Fn(usize) -> Option<f64> + Sync,
    shares_in: impl Fn(usize, usize) -> bool + Sync,
) -> Result<(SparseWeights, Corrections), Refused> {
    let mut mesh = Mesh::new(source);
    if !mesh.has_quads() {
        return Err(Refused::NoMesh);
    }
    // Which cell is beside which is known; where they are, outlines tell, and they need the room.
    mesh.points = Vec::new();
    let tiling = Tiling::new(source)?;
    let targets = Outlines::new(target, "target")?;
    let all_middles = middles(&tiling.outlines);
    let middles = &all_middles[..];
    let placed = |cell: usize| is_finite(middles[cell]);
    let around = (0..middles.len()).map(|cell| neighbours(&mesh, placed, cell));
    let mut differences = Differences::between(mesh.columns, around);
    drop(mesh);
    let piece = |range: Range<usize>| {
        let mut search = Search::default();
        let mut room = Vec::new();
        let mut weights = SparseWeights::default();
        let mut shares = Vec::new();
        for target in range {
            let known = covered(target);
            let found = (known != Some(0.0)).then(|| targets.get(target, &mut room));
            let Some(cell) = found.flatten() else {
                weights.push_row([]);
                continue;
            };
            tiling.shared_with::<AreaAndMoment>(cell, &mut search);
            search
                .shared
                .retain(|&(source, _)| shares_in(target, source));
            let sum: f64 = search.shared.iter().map(|(_, part)| part.area).sum();
            for &(source, part) in &search.shared {
                let way = minus(times(part.moment, 1.0 / part.area), middles[source]);
                // Neighbours are as far apart as their means are in space, seen from outside.
                let centroid = |cell: u32| unit(middles[cell as usize]);
                let ends = differences.neighbours(source).map(centroid);
                let slopes = duals(unit(middles[source]), ends);
                shares.push(slopes.map(|slope| dot(slope, way)));
            }
            weights.push_part(
                search.shared.iter().map(|&(s, part)| (s, part.area)),
                known.unwrap_or_else(|| sum / cell.area()),
            );
        }
        // Those of the next targets lie elsewhere.
        all_middles.rest();
        (weights, shares)
    };
    let (mut weights, mut all) = (Gathering::new(), Growing::new());
    each_piece(targets.len(), piece, |(own, more)| {
        weights.append(&own);
        all.extend(&more);
    });
    differences.set(all.finish());
    Ok((weights.finish(), Corrections::Differences(differences)))
}

/// The centres of mass of cells, a little within the sphere; not a number for a cell without extent.
fn middles(outlines: &Outlines<'_>) -> Numbers<Vector> {
    let (mut room, mut middles) = (Vec::new(), Growing::new());
    for cell in 0..outlines.len() {
        let middle = outlines.get(cell, &mut room).map(Outline::middle);
        middles.extend(&[middle.unwrap_or([f64::NAN; 3])]);
    }
    middles.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::{Latitudes, Longitudes};
    use crate::sphere::SphereCells;
    use crate::sphere::tests::{list, product, tripolar, turned};
    use proptest::prelude::*;

    /// The value of each target, by the rule of [`Corrections`].
    fn apply(weights: &SparseWeights, corrections: &Corrections, values: &[f64]) -> Vec<f64> {
        let mut result = Vec::new();
        for t in 0..weights.len() {
            let (first, row) = (weights.entries(t).start, weights.row(t));
            let mut sum: f64 = row.iter().map(|(s, w)| w * values[s]).sum();
            corrections.for_each_of_row(first, row, |s, w| sum += w * values[s]);
            result.push(sum);
        }
        result
    }

    fn integral(cells: &SphereCells, values: &[f64]) -> f64 {
        let outlines = Outlines::new(cells, "source").unwrap();
        (0..values.len())
            .map(|i| outlines.get(i, &mut Vec::new()).unwrap().area() * values[i])
            .sum()
    }

    fn globe(rows: u32, columns: u32) -> SphereCells {
        let (height, width) = (180.0 / f64::from(rows), 360.0 / f64::from(columns));
        let latitudes: Vec<f64> = (0..rows)
            .map(|i| -90.0 + height * (f64::from(i) + 0.5))
            .collect();
        let longitudes: Vec<f64> = (0..columns).map(|i| width * f64::from(i)).collect();
        product(&latitudes, &longitudes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn integrals_and_constants_are_kept(by in 0.0..360.0f64, tilt in 0.0..180.0f64, seed in prop::collection::vec(0.0..1.0f64, 18 * 36)) {
            let (source, target) = (turned(&globe(18, 36), by, tilt), globe(13, 20));
            let (weights, corrections) = second_order(&source, &target, |_| None, |_, _| true).unwrap();
            let result = apply(&weights, &corrections, &seed);
            let (had, has) = (integral(&source, &seed), integral(&target, &result));
            prop_assert!((had / has - 1.0).abs() < 1e-12, "{had} {has}");
            let flat = apply(&weights, &corrections, &vec![7.5; seed.len()]);
            prop_assert!(flat.iter().all(|v| (v - 7.5).abs() < 1e-11));
        }
    }

    #[test]
    fn a_smooth_field_comes_out_far_better_than_by_first_order() {
        let slope = unit([0.4, -0.7, 0.6]);
        let target = globe(90, 180);
        let means = |cells: &SphereCells| -> Vec<f64> {
            middles(&Outlines::new(cells, "source").unwrap())
                .iter()
                .map(|&m| dot(m, slope))
                .collect()
        };
        for source in [
            globe(36, 72),
            turned(&globe(36, 72), 50.0, 35.0),
            tripolar(72, 60, false),
        ] {
            let (values, want) = (means(&source), means(&target));
            let (weights, corrections) =
                second_order(&source, &target, |_| None, |_, _| true).unwrap();
            let second = apply(&weights, &corrections, &values);
            let (mut first_error, mut second_error) = (0.0, 0.0);
            for t in 0..weights.len() {
                if target.latitudes[t] > 0.0 {
                    let first: f64 = weights.row(t).iter().map(|(s, w)| w * values[s]).sum();
                    first_error += (first - want[t]).powi(2);
                    second_error += (second[t] - want[t]).powi(2);
                }
            }
            assert!(
                second_error < 0.01 * first_error,
                "{second_error} {first_error}"
            );
        }
    }

    #[test]
    fn a_part_that_lies_even_along_a_direction_does_not_look_along_it() {
        // Columns that end in thirds of degrees: moments of the same parts differ by rounding.
        let columns: Vec<f64> = (0..6).map(|i| 15.92 * (f64::from(i) + 0.5)).collect();
        let between = |latitudes: &[f64], longitudes: Vec<f64>| {
            let latitudes = Latitudes::new(latitudes.to_vec(), None).unwrap();
            SphereCells::rectilinear(&latitudes, &Longitudes::new(longitudes, None).unwrap())
        };
        let source = between(&[-45.0, 45.0], columns);
        let target = between(&[5.0, 15.0, 25.0], vec![60.0, 180.0, 300.0]);
        let (weights, corrections) = second_order(&source, &target, |_| None, |_, _| true).unwrap();
        // Not the outer columns: their one-sided differences are not quite at right angles.
        for s in 7..11 {
            let mut entries = weights.entries(0).zip(weights.row(0));
            let (entry, (own, weight)) = entries.find(|e| e.1.0 == s).unwrap();
            let mut read = Vec::new();
            corrections.for_each_term(entry, (own as u32, weight), |s, _| read.push(s as usize));
            assert!(read.iter().all(|r| r % 6 == s % 6), "{s}: {read:?}");
        }
    }

    #[test]
    fn a_list_of_points_has_no_gradient() {
        assert_eq!(
            second_order(&list(&[(0.0, 0.0)]), &globe(4, 8), |_| None, |_, _| true),
            Err(Refused::NoMesh)
        );
    }
}
