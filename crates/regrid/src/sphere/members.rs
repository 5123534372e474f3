//! Which source centres lie in each target cell, for statistics of them.

use std::ops::Range;

use super::copies::{firsts, firsts_of_points};
use super::outlines::{Outline, Outlines};
use super::polygon::holds;
use super::topology::{place, points};
use super::vector::{is_finite, tangents};
use super::{Cells, Refused};
use crate::pieces::each_piece;
use crate::weights::SparseWeights;

/// The source centres in each target cell, each with the same weight: together their mean.
///
/// Of cells that meet without overlap each centre belongs to one. A cell between meridians and parallels has its western
/// and southern side, and where no other cell follows the others too. Of a mesh's centres at one position (halo columns)
/// the first counts; the points of a list all count. Target cells with the same outline have the same members.
///
/// # Errors
/// [`Refused::NoCorners`] onto a list of points.
pub(crate) fn members(source: &dyn Cells, target: &dyn Cells) -> Result<SparseWeights, Refused> {
    let cells = Outlines::new(target, "target")?.kept();
    let firsts = firsts(&cells);
    let homes = homes(source, &cells);
    let len = cells.len();
    drop(cells);
    // The centres in each cell, one cell after the other, those of one in order; and where each cell's begin.
    let mut starts = vec![0; len + 1];
    let housed = || homes.iter().filter(|&&home| home != NOWHERE);
    housed().for_each(|&home| starts[home as usize] += 1);
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut members = vec![0; sum];
    for (centre, &home) in homes.iter().enumerate().rev() {
        if home != NOWHERE {
            let place = &mut starts[home as usize];
            *place -= 1;
            members[*place] = centre as u32;
        }
    }
    drop(homes);
    let mut weights = SparseWeights::default();
    for cell in 0..len {
        let cell = firsts.get(cell).map_or(cell, |&first| first as usize);
        let own = &members[starts[cell]..starts[cell + 1]];
        let each = 1.0 / own.len() as f64;
        weights.push_row(own.iter().map(|&centre| (centre as usize, each)));
    }
    weights.shrink();
    Ok(weights)
}

/// The home of a centre without one.
const NOWHERE: u32 = u32::MAX;

/// The number of the cell that each source centre lies in.
fn homes(source: &dyn Cells, cells: &Outlines<'_>) -> Vec<u32> {
    // Before there is an index: either takes much memory.
    let same_place = match source.shape().0 {
        1 => Vec::new(),
        _ => firsts_of_points(&points(source)),
    };
    let index = cells.index();
    let mut homes = Vec::with_capacity(source.len());
    let work = |range: Range<usize>| {
        let (mut candidates, mut room) = (Vec::new(), Vec::new());
        let mut home = |i: usize| {
            let at = place(source, i);
            let first = same_place.get(i).is_none_or(|&first| first as usize == i);
            if !is_finite(at) || !first {
                return None;
            }
            index.touching(
                [at.map(|x| x - 1e-9), at.map(|x| x + 1e-9)],
                &mut candidates,
            );
            let (latitude, longitude) = source.centre(i);
            let axes = tangents(at);
            let mut find = |closed: [bool; 2]| {
                let holds = |&&c: &&usize| match cells.get(c, &mut room) {
                    Some(Outline::Rectangle(cell)) => cell.holds(latitude, longitude, closed),
                    Some(Outline::Polygon(corners)) => holds(corners, at, axes),
                    None => false,
                };
                candidates.iter().find(holds).copied()
            };
            // Sides are closed one by one, so that a centre at the end of one axis keeps its place along the other.
            [[false, false], [true, false], [false, true], [true, true]]
                .into_iter()
                .find_map(&mut find)
        };
        let number = |home: Option<usize>| home.map_or(NOWHERE, |home| home as u32);
        range.map(|i| number(home(i))).collect::<Vec<u32>>()
    };
    each_piece(source.len(), work, |own| homes.extend(own));
    homes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::{Latitudes, Longitudes};
    use crate::sphere::SphereCells;
    use crate::sphere::tests::{list, product, scattered, shifted, tripolar, turned};
    use proptest::prelude::*;

    fn rectilinear(latitudes: &[f64], longitudes: &[f64]) -> SphereCells {
        let latitudes = Latitudes::new(latitudes.to_vec(), None).unwrap();
        SphereCells::rectilinear(
            &latitudes,
            &Longitudes::new(longitudes.to_vec(), None).unwrap(),
        )
    }

    fn homes(weights: &SparseWeights, centres: usize) -> Vec<Vec<usize>> {
        let mut homes = vec![Vec::new(); centres];
        for t in 0..weights.len() {
            weights.row(t).iter().for_each(|(s, _)| homes[s].push(t));
        }
        homes
    }

    fn globe() -> SphereCells {
        let longitudes: Vec<f64> = (0..18).map(|i| 20.0 * f64::from(i)).collect();
        product(&[-75.0, -45.0, -15.0, 15.0, 45.0, 75.0], &longitudes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_centre_has_one_home_in_a_tiling(source in scattered(1..200), by in 0.0..360.0f64, tilt in 0.0..180.0f64) {
            let target = turned(&globe(), by, tilt);
            let weights = members(&source, &target).unwrap();
            prop_assert!(homes(&weights, source.latitudes.len()).iter().all(|h| h.len() == 1));
            for t in 0..weights.len() {
                let sum: f64 = weights.row(t).iter().map(|w| w.1).sum();
                prop_assert!(weights.row(t).is_empty() || (sum - 1.0).abs() < 1e-12);
            }
            prop_assert_eq!(weights, members(&shifted(&source, 360.0), &shifted(&target, -360.0)).unwrap());
        }

        #[test]
        fn rectangles_hold_what_their_bounds_say(points in prop::collection::vec((-18..=18i32, -40..80i32), 1..100)) {
            // Many of these lie on sides and corners of the cells.
            let source = list(&points.iter().map(|&(a, b)| (5.0 * f64::from(a), 5.0 * f64::from(b))).collect::<Vec<_>>());
            let target = rectilinear(&[-80.0, -60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0, 80.0], &(0..18).map(|i| 10.0 + 20.0 * f64::from(i)).collect::<Vec<_>>());
            let weights = members(&source, &target).unwrap();
            for (s, home) in homes(&weights, points.len()).into_iter().enumerate() {
                let row = (((source.latitudes[s] + 90.0) / 20.0).floor() as usize).min(8);
                let column = (source.longitudes[s].rem_euclid(360.0) / 20.0).floor() as usize;
                prop_assert_eq!(home, [18 * row + column]);
            }
        }
    }

    #[test]
    fn sides_at_the_end_of_the_domain_are_closed() {
        let target = rectilinear(&[5.0, 15.0], &[5.0, 15.0]);
        let source = list(&[
            (0.0, 0.0),
            (10.0, 10.0),
            (20.0, 20.0),
            (20.0, 10.0),
            (21.0, 10.0),
            (5.0, -1.0),
        ]);
        let weights = members(&source, &target).unwrap();
        assert_eq!(
            homes(&weights, 6),
            [vec![0], vec![3], vec![3], vec![3], vec![], vec![]]
        );
        assert!(weights.row(1).is_empty());
    }

    #[test]
    fn copies_of_a_mesh_count_once_and_points_of_a_list_all() {
        let longitudes: Vec<f64> = (0..38).map(|i| 10.0 * f64::from(i)).collect();
        let target = rectilinear(&[-20.0, 0.0, 20.0], &[0.0, 40.0]);
        let weights = members(&product(&[-5.0, 5.0], &longitudes), &target).unwrap();
        assert_eq!(
            weights.row(2).iter().map(|w| w.0).collect::<Vec<_>>(),
            [0, 1, 34, 35, 38, 39, 72, 73]
        );
        let weights = members(&list(&[(1.0, 1.0), (1.0, 1.0)]), &target).unwrap();
        assert_eq!(weights.row(2), [(0, 0.5), (1, 0.5)]);
        // Cells on the fold of a mesh are there twice.
        let ocean = tripolar(20, 10, true);
        let weights = members(&list(&[(89.0, 90.0)]), &ocean).unwrap();
        let with: Vec<usize> = (0..weights.len())
            .filter(|&t| !weights.row(t).is_empty())
            .collect();
        assert_eq!(with.len(), 2);
        assert_eq!(with[0] % 20 + with[1] % 20, 20);
    }
}
