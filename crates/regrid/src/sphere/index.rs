//! Which points are near, which cells may touch: trees of boxes in space, where nothing has a seam.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RStarInsertionStrategy, RTree, RTreeParams};

use super::vector::{SAME, Vector, distance_2, is_finite};

/// Wider nodes than the default: these trees are filled once and then only searched.
#[derive(Debug)]
struct Wide;

impl RTreeParams for Wide {
    const MIN_SIZE: usize = 4;
    const MAX_SIZE: usize = 12;
    const REINSERTION_COUNT: usize = 3;
    type DefaultInsertionStrategy = RStarInsertionStrategy;
}

/// Points by number.
#[derive(Debug)]
pub(super) struct PointIndex {
    tree: RTree<GeomWithData<Vector, usize>, Wide>,
}

/// How much further than the nearest counts as equally far: the rounding of coordinates.
fn equally_far(distance_2: f64) -> f64 {
    distance_2 * (1.0 + 1e-10) + 1e-24
}

impl PointIndex {
    /// The points that have a place, each under its number in the slice.
    pub(super) fn new(points: &[Vector]) -> Self {
        let placed = points
            .iter()
            .enumerate()
            .filter(|&(_, &p)| is_finite(p))
            .map(|(i, &p)| GeomWithData::new(p, i));
        Self {
            tree: RTree::bulk_load_with_params(placed.collect()),
        }
    }

    /// The nearest point; of several equally near the one of the lowest number.
    pub(super) fn nearest(&self, to: Vector) -> Option<usize> {
        let (_, nearest) = self.tree.nearest_neighbor_with_distance_2(to)?;
        self.tree
            .locate_within_distance(to, equally_far(nearest))
            .map(|p| p.data)
            .min()
    }

    /// The `k` nearest positions with the square of their straight distance, nearest first.
    ///
    /// Points at the same position count once, under the lowest number; among equally near ones lower numbers go first.
    pub(super) fn nearest_few(&self, to: Vector, k: usize) -> Vec<(usize, f64)> {
        let mut found: Vec<(usize, f64, Vector)> = Vec::with_capacity(k + 4);
        let mut reach = f64::INFINITY;
        for (point, d) in self.tree.nearest_neighbor_iter_with_distance_2(to) {
            if d > reach {
                break;
            }
            match found
                .iter_mut()
                .find(|(_, _, at)| distance_2(*at, *point.geom()) <= SAME * SAME)
            {
                Some(same) => same.0 = same.0.min(point.data),
                None => found.push((point.data, d, *point.geom())),
            }
            if found.len() == k && reach == f64::INFINITY {
                // The search goes on as far as ties and copies of the last one may lie.
                reach = equally_far(d).max((d.sqrt() + SAME).powi(2));
            }
        }
        if let Some(&(_, last, _)) = found.get(k.wrapping_sub(1)) {
            // Searched for copies only: further away than a tie.
            found.retain(|f| f.1 <= equally_far(last));
            let nearer = found.iter().filter(|f| equally_far(f.1) < last).count();
            found[nearer..].sort_by_key(|f| f.0);
        }
        found.truncate(k);
        found.into_iter().map(|(i, d, _)| (i, d)).collect()
    }
}

/// Boxes by number.
#[derive(Debug)]
pub(super) struct BoxIndex {
    tree: RTree<GeomWithData<Rectangle<Vector>, usize>, Wide>,
}

/// A box in space, from its low to its high corner.
pub(super) type Bounds = [Vector; 2];

/// The box round points on the sphere and the cell they surround.
///
/// What lies between the points stands out from the flat figure they form: by the height of the cap they lie in.
pub(super) fn bounds_of(points: impl Iterator<Item = Vector> + Clone) -> Bounds {
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for p in points {
        for i in 0..3 {
            low[i] = low[i].min(p[i]);
            high[i] = high[i].max(p[i]);
        }
    }
    // Points no further apart than w lie in a cap of radius w / sqrt(3), whose height is w^2 / 6; the diagonal bounds w.
    let slack = distance_2(low, high) / 4.0 + 1e-12;
    [low.map(|x| x - slack), high.map(|x| x + slack)]
}

impl BoxIndex {
    /// Boxes with their numbers.
    pub(super) fn new(boxes: impl Iterator<Item = (usize, Bounds)>) -> Self {
        let rectangles =
            boxes.map(|(i, [low, high])| GeomWithData::new(Rectangle::from_corners(low, high), i));
        Self {
            tree: RTree::bulk_load_with_params(rectangles.collect()),
        }
    }

    /// The numbers of the boxes that touch a box, in order.
    pub(super) fn touching(&self, [low, high]: Bounds, found: &mut Vec<usize>) {
        found.clear();
        let envelope = AABB::from_corners(low, high);
        found.extend(
            self.tree
                .locate_in_envelope_intersecting(envelope)
                .map(|b| b.data),
        );
        found.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::vector::point;

    #[test]
    fn nearest_takes_the_lowest_of_equally_near() {
        let points = [
            point(0.0, 20.0),
            point(0.0, 10.0),
            point(0.0, -10.0),
            point(f64::NAN, 0.0),
        ];
        let index = PointIndex::new(&points);
        assert_eq!(index.nearest(point(0.0, 0.0)), Some(1));
        assert_eq!(index.nearest(point(0.0, 15.0)), Some(0));
        assert_eq!(PointIndex::new(&[]).nearest(point(0.0, 0.0)), None);
    }

    #[test]
    fn copies_count_once_and_ties_go_by_number() {
        let points = [
            point(0.0, 5.0),
            point(0.0, 365.0),
            point(3.0, 0.0),
            point(0.0, -3.0),
            point(0.0, 3.0),
            point(-3.0, 0.0),
        ];
        let index = PointIndex::new(&points);
        let few: Vec<usize> = index
            .nearest_few(point(0.0, 0.0), 2)
            .iter()
            .map(|f| f.0)
            .collect();
        assert_eq!(few, [2, 3]);
        let all: Vec<usize> = index
            .nearest_few(point(0.0, 0.0), 9)
            .iter()
            .map(|f| f.0)
            .collect();
        assert_eq!(all.len(), 5);
        assert_eq!(all[4], 0);
    }
}
