//! Which cells may touch: a tree of boxes in space, where nothing has a seam.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RStarInsertionStrategy, RTree, RTreeParams};

use super::vector::{Vector, distance_2};

/// Wider nodes than the default: these trees are filled once and then only searched.
#[derive(Debug)]
struct Wide;

impl RTreeParams for Wide {
    const MIN_SIZE: usize = 4;
    const MAX_SIZE: usize = 12;
    const REINSERTION_COUNT: usize = 3;
    type DefaultInsertionStrategy = RStarInsertionStrategy;
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
