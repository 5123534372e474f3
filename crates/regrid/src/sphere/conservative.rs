//! Area-weighted means between any cells on the sphere: the first-order conservative method.

use super::box_index::{BoxIndex, touch};
use super::copies::{counts, firsts};
use super::outlines::{Outline, Outlines};
use super::overlap::{Area, AreaAndMoment, Measure, Scratch, overlap};
use super::vector::{Vector, times};
use super::{Cells, Refused};
use crate::pieces::joined;
use crate::weights::SparseWeights;

/// Weights that keep the area integral: each target cell takes the source cells it overlaps, each by the area they share.
///
/// Cells of a rectilinear grid lie between meridians and parallels, those of others between great circles, and what two of
/// them share is computed exactly. Source cells with the same outline (halo columns, folded rows) share their part
/// evenly. A cell without corners lies between the means of the centres around it.
///
/// # Errors
/// [`Refused::NoCorners`] for a list of points.
/// # Source
/// The first-order scheme of Jones (1999), Mon. Wea. Rev. 127, 2204-2210.
pub(crate) fn conservative(
    source: &dyn Cells,
    target: &dyn Cells,
) -> Result<SparseWeights, Refused> {
    let tiling = Tiling::new(source)?;
    let targets = Outlines::new(target, "target")?;
    Ok(joined(targets.len(), |range| {
        let mut search = Search::default();
        let mut room = Vec::new();
        let mut weights = SparseWeights::default();
        for cell in range {
            let Some(cell) = targets.get(cell, &mut room) else {
                weights.push_row([]);
                continue;
            };
            tiling.shared_with(cell, &mut search);
            let row: Vec<(usize, f64)> = search
                .shared
                .iter()
                .map(|&(s, Area(area))| (s, area))
                .collect();
            let covered = row.iter().map(|r| r.1).sum::<f64>() / cell.area();
            weights.push_part(row, covered);
        }
        weights
    }))
}

/// The cells of the source with an index over them.
pub(super) struct Tiling<'a> {
    pub(super) outlines: Outlines<'a>,
    index: BoxIndex,
    /// How many of each cell there are; nothing where each is there once.
    copies: Vec<u32>,
}

/// Room for the search for what overlaps a cell, and what was found: source indices in order, with what they share.
#[derive(Debug, Default)]
pub(super) struct Search<M> {
    candidates: Vec<usize>,
    outline: Vec<Vector>,
    scratch: Scratch,
    pub(super) shared: Vec<(usize, M)>,
}

/// The least share of a cell that is more than rounding where two cells only touch.
const TOUCH: f64 = 1e-12;

impl<'a> Tiling<'a> {
    pub(super) fn new(source: &'a dyn Cells) -> Result<Self, Refused> {
        let outlines = Outlines::new(source, "source")?.kept();
        let copies = counts(&firsts(&outlines));
        Ok(Self {
            index: outlines.index(),
            copies,
            outlines,
        })
    }

    /// Finds the source cells that overlap a cell, each with what it shares, divided by its number of copies.
    pub(super) fn shared_with<M: Measure + Shared>(
        &self,
        cell: Outline<'_>,
        search: &mut Search<M>,
    ) {
        search.shared.clear();
        let bounds = cell.bounds();
        self.index.touching(bounds, &mut search.candidates);
        let whole = cell.area();
        for &source in &search.candidates {
            let outline = self.outlines.get(source, &mut search.outline);
            let Some(outline) = outline.filter(|outline| touch(outline.bounds(), bounds)) else {
                continue;
            };
            let measure: M = overlap(outline, cell, &mut search.scratch);
            let area = measure.area();
            // The source cell's own area is seldom needed.
            if area > TOUCH * whole || area > TOUCH * whole.min(outline.area()) {
                let copies = self.copies.get(source).copied().unwrap_or(1);
                let share = measure.divided(f64::from(copies));
                search.shared.push((source, share));
            }
        }
    }
}

/// What can be shared out among copies.
pub(super) trait Shared {
    fn area(&self) -> f64;
    fn divided(self, by: f64) -> Self;
}

impl Shared for Area {
    fn area(&self) -> f64 {
        self.0
    }

    fn divided(self, by: f64) -> Self {
        Self(self.0 / by)
    }
}

impl Shared for AreaAndMoment {
    fn area(&self) -> f64 {
        self.area
    }

    fn divided(self, by: f64) -> Self {
        Self {
            area: self.area / by,
            moment: times(self.moment, 1.0 / by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::{Latitudes, Longitudes};
    use crate::sphere::SphereCells;
    use crate::sphere::tests::{product, reflected, rolled, shifted, tripolar, turned};
    use proptest::prelude::*;
    use std::f64::consts::PI;

    /// Cells between random edges, all round or not, either way.
    fn rectilinear() -> impl Strategy<Value = SphereCells> {
        let cuts = |most| prop::collection::vec(0.05..1.0f64, 1..most);
        (
            cuts(7),
            cuts(9),
            -180.0..180.0f64,
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(rows, columns, first, falls, globe)| {
                let edges = |parts: &[f64], low: f64, high: f64| {
                    let sum: f64 = parts.iter().sum();
                    let mut at = low;
                    let mut edges = vec![low];
                    edges.extend(parts.iter().map(|p| {
                        at += p / sum * (high - low);
                        at
                    }));
                    *edges.last_mut().unwrap() = high;
                    edges
                };
                let (south, north, span) = if globe {
                    (-90.0, 90.0, 360.0)
                } else {
                    (-60.0, 75.0, 200.0)
                };
                let bounds =
                    |edges: Vec<f64>| edges.windows(2).map(|e| [e[0], e[1]]).collect::<Vec<_>>();
                let mut rows = bounds(edges(&rows, south, north));
                if falls {
                    rows.reverse();
                }
                let columns = bounds(edges(&columns, first, first + span));
                let middles =
                    |b: &[[f64; 2]]| b.iter().map(|b| 0.5 * (b[0] + b[1])).collect::<Vec<_>>();
                let latitudes = Latitudes::new(middles(&rows), Some(rows)).unwrap();
                let longitudes = Longitudes::new(middles(&columns), Some(columns)).unwrap();
                SphereCells::rectilinear(&latitudes, &longitudes)
            })
    }

    fn areas(cells: &SphereCells) -> Vec<f64> {
        let outlines = Outlines::new(cells, "source").unwrap();
        (0..outlines.len())
            .map(|i| outlines.get(i, &mut Vec::new()).map_or(0.0, Outline::area))
            .collect()
    }

    /// What of each source cell the targets take, in parts of its area.
    fn taken(weights: &SparseWeights, source: &SphereCells, target: &SphereCells) -> Vec<f64> {
        let mut taken = vec![0.0; source.latitudes.len()];
        for (t, area) in areas(target).into_iter().enumerate() {
            weights
                .row(t)
                .iter()
                .for_each(|(s, w)| taken[s] += w * weights.covered(t) * area);
        }
        taken
            .iter()
            .zip(areas(source))
            .map(|(t, a)| t / a)
            .collect()
    }

    fn close(a: &SparseWeights, b: &SparseWeights, to: impl Fn(usize) -> usize) -> bool {
        (0..a.len()).all(|t| {
            let weight = |s: usize| {
                b.row(t)
                    .iter()
                    .filter(|w| w.0 == s)
                    .map(|w| w.1)
                    .sum::<f64>()
            };
            a.row(t)
                .iter()
                .all(|(s, w)| (weight(to(s)) - w).abs() < 1e-9)
                && (a.covered(t) - b.covered(t)).abs() < 1e-9
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn rectilinear_grids_give_the_product_of_their_axes(source in rectilinear(), target in rectilinear()) {
            let weights = conservative(&source, &target).unwrap();
            let corners = |c: &SphereCells, i: usize| {
                let [(south, west), (_, east), (north, _)] = [0, 1, 2].map(|k| c.corner(i, k));
                ([south.min(north), south.max(north)], [west, east])
            };
            for t in 0..weights.len() {
                let ([ts, tn], [tw, te]) = corners(&target, t);
                let sin = |x: f64| x.to_radians().sin();
                let mut all = 0.0;
                let mut shares = vec![0.0; source.latitudes.len()];
                for (s, share) in shares.iter_mut().enumerate() {
                    let ([ss, sn], [sw, se]) = corners(&source, s);
                    let height = (sin(sn.min(tn)) - sin(ss.max(ts))).max(0.0);
                    let width: f64 = (-3..4).map(|k| {
                        let shift = 360.0 * f64::from(k);
                        ((se + shift).min(te) - (sw + shift).max(tw)).max(0.0)
                    }).sum();
                    *share = height * width / ((sin(tn) - sin(ts)) * (te - tw));
                    all += *share;
                }
                let covered = if weights.row(t).is_empty() { 0.0 } else { weights.covered(t) };
                prop_assert!((covered - all.min(1.0)).abs() < 1e-10);
                for (s, w) in weights.row(t) {
                    prop_assert!((w * all - shares[s]).abs() < 1e-12, "{} {}", w * all, shares[s]);
                    shares[s] = 0.0;
                }
                prop_assert!(shares.iter().all(|&s| s < 1e-11));
            }
        }

        #[test]
        fn the_integral_is_kept_between_any_tilings(target in rectilinear(), by in 0.0..360.0f64, tilt in 0.0..180.0f64) {
            let latitudes: Vec<f64> = (0..9).map(|i| -80.0 + 20.0 * f64::from(i)).collect();
            let longitudes: Vec<f64> = (0..16).map(|i| 22.5 * f64::from(i)).collect();
            let globe = turned(&product(&latitudes, &longitudes), by, tilt);
            let other = turned(&product(&latitudes, &longitudes), tilt, by / 2.0);
            let mut both = vec![(&target, &globe), (&globe, &other)];
            let whole = (areas(&target).iter().sum::<f64>() - 4.0 * PI).abs() < 1e-9;
            if whole {
                both.push((&globe, &target));
            }
            for (source, target) in both {
                let weights = conservative(source, target).unwrap();
                for part in taken(&weights, source, target) {
                    prop_assert!((part - 1.0).abs() < 1e-11, "{part}");
                }
                for t in 0..weights.len() {
                    let sum: f64 = weights.row(t).iter().map(|w| w.1).sum();
                    prop_assert!(weights.row(t).is_empty() || (sum - 1.0).abs() < 1e-12);
                    prop_assert!(weights.row(t).iter().all(|w| w.1 > 0.0));
                }
            }
        }

        #[test]
        fn turns_shifts_rolls_and_mirrors_follow(by in 0.0..360.0f64, tilt in 0.0..180.0f64, roll in 0usize..18) {
            let source = tripolar(18, 9, false);
            let target = turned(&product(&[-30.0, 0.0, 25.0, 60.0], &[0.0, 30.0, 70.0]), by, 20.0);
            let plain = conservative(&source, &target).unwrap();
            let same = |s: usize| s;
            prop_assert!(close(&plain, &conservative(&turned(&source, by, tilt), &turned(&target, by, tilt)).unwrap(), same));
            prop_assert!(close(&plain, &conservative(&shifted(&source, 360.0), &shifted(&target, -360.0)).unwrap(), same));
            prop_assert!(close(&plain, &conservative(&reflected(&source), &reflected(&target)).unwrap(), same));
            let moved = |s: usize| s / 18 * 18 + (s % 18 + roll) % 18;
            prop_assert!(close(&plain, &conservative(&rolled(&source, roll), &target).unwrap(), moved));
        }
    }

    #[test]
    fn copies_share_their_part() {
        let longitudes: Vec<f64> = (0..38).map(|i| 10.0 * f64::from(i)).collect();
        let rows = [-10.0, 0.0, 10.0];
        let (halo, plain) = (
            product(&rows, &longitudes),
            product(&rows, &longitudes[..36]),
        );
        let target = product(&[-4.0, 3.0], &[3.0, 12.0, 30.0]);
        let with = conservative(&halo, &target).unwrap();
        let without = conservative(&plain, &target).unwrap();
        for t in 0..with.len() {
            assert_eq!(with.covered(t), 1.0);
            for (s, w) in without.row(t) {
                let (row, column) = (s / 36, s % 36);
                let copies = with
                    .row(t)
                    .iter()
                    .filter(|e| e.0 / 38 == row && e.0 % 38 % 36 == column);
                assert!((copies.map(|e| e.1).sum::<f64>() - w).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_cell_outside_has_no_row_and_one_at_the_edge_a_part() {
        let source = product(&[0.0, 10.0], &[0.0, 10.0]);
        let target = product(&[5.0, 25.0], &[-5.0, 5.0]);
        let weights = conservative(&source, &target).unwrap();
        assert!(weights.covered(0) > 0.3 && weights.covered(0) < 0.8);
        assert!(weights.row(2).is_empty());
    }
}
