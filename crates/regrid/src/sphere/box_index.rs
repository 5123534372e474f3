//! Which cells may touch: a tree of boxes in space, where nothing has a seam.
//!
//! Boxes are held in single precision, rounded outwards: half as much memory, and now and then a cell more that does not
//! touch after all.

use super::stretches::{Placed, Stretch, part};
use super::vector::{Vector, distance_2};

/// Boxes by number.
#[derive(Debug)]
pub(super) struct BoxIndex {
    boxes: Vec<Numbered>,
    /// The boxes round the stretches of `boxes`.
    stretches: Vec<Rounded>,
}

/// A box in space, from its low to its high corner.
pub(super) type Bounds = [Vector; 2];

/// A box rounded outwards.
#[derive(Debug, Clone, Copy)]
struct Rounded {
    low: [f32; 3],
    high: [f32; 3],
}

#[derive(Debug, Clone, Copy)]
struct Numbered {
    bounds: Rounded,
    number: u32,
}

/// The box round points on the sphere and the cell they surround.
///
/// What lies between the points stands out from the flat figure they form: by the height of the cap they lie in.
pub(super) fn bounds_of(points: impl Iterator<Item = Vector>) -> Bounds {
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

/// Whether two boxes share a point.
pub(super) fn touch([low, high]: Bounds, [other_low, other_high]: Bounds) -> bool {
    (0..3).all(|i| low[i] <= other_high[i] && other_low[i] <= high[i])
}

impl Rounded {
    fn new([low, high]: Bounds) -> Self {
        let below = |x: f64| match x as f32 {
            near if f64::from(near) > x => near.next_down(),
            near => near,
        };
        let above = |x: f64| match x as f32 {
            near if f64::from(near) < x => near.next_up(),
            near => near,
        };
        Self {
            low: low.map(below),
            high: high.map(above),
        }
    }

    fn touches(&self, other: &Self) -> bool {
        (0..3).all(|i| self.low[i] <= other.high[i] && other.low[i] <= self.high[i])
    }
}

impl Placed for Numbered {
    type Bounds = Rounded;

    fn at(&self, axis: usize) -> f64 {
        f64::from(self.bounds.low[axis] + self.bounds.high[axis])
    }

    fn bounds_of(boxes: &[Self]) -> Rounded {
        let mut all = Rounded {
            low: [f32::INFINITY; 3],
            high: [f32::NEG_INFINITY; 3],
        };
        for Self { bounds, .. } in boxes {
            for axis in 0..3 {
                all.low[axis] = all.low[axis].min(bounds.low[axis]);
                all.high[axis] = all.high[axis].max(bounds.high[axis]);
            }
        }
        all
    }

    fn spans(bounds: Rounded) -> Vector {
        [0, 1, 2].map(|axis| f64::from(bounds.high[axis] - bounds.low[axis]))
    }
}

impl BoxIndex {
    /// Boxes with their numbers, of which there are at most `most`.
    pub(super) fn new(boxes: impl Iterator<Item = (usize, Bounds)>, most: usize) -> Self {
        let mut all = Vec::with_capacity(most);
        all.extend(boxes.map(|(number, bounds)| Numbered {
            bounds: Rounded::new(bounds),
            number: u32::try_from(number).expect("a grid has fewer than 2^32 cells"),
        }));
        let stretches = part(&mut all);
        Self {
            boxes: all,
            stretches,
        }
    }

    /// The numbers of the boxes that touch a box, in order; and perhaps of some that miss it by the rounding of single
    /// precision.
    pub(super) fn touching(&self, bounds: Bounds, found: &mut Vec<usize>) {
        found.clear();
        self.find(
            &Stretch::all(self.boxes.len()),
            &Rounded::new(bounds),
            found,
        );
        found.sort_unstable();
    }

    fn find(&self, stretch: &Stretch, bounds: &Rounded, found: &mut Vec<usize>) {
        if !self.stretches[stretch.number].touches(bounds) {
            return;
        }
        let Some(halves) = stretch.halves() else {
            let own = self.boxes[stretch.range.clone()].iter();
            let touching = own.filter(|b| b.bounds.touches(bounds));
            found.extend(touching.map(|b| b.number as usize));
            return;
        };
        for half in &halves {
            self.find(half, bounds, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_that_touch_are_found_and_hardly_more(
            places in prop::collection::vec((prop::array::uniform3(-1.0..1.0f64), 0.0..0.3f64), 0..200),
            at in prop::array::uniform3(-1.0..1.0f64),
            reach in 0.0..0.5f64,
        ) {
            let boxes: Vec<Bounds> = places
                .iter()
                .map(|&(p, width)| [p.map(|x| x - width), p.map(|x| x + width)])
                .collect();
            let index = BoxIndex::new(boxes.iter().copied().enumerate(), boxes.len());
            let asked = |slack: f64| [at.map(|x| x - reach - slack), at.map(|x| x + reach + slack)];
            let mut found = vec![7];
            index.touching(asked(0.0), &mut found);
            let within = |slack: f64| (0..boxes.len()).filter(|&i| touch(boxes[i], asked(slack))).collect::<Vec<_>>();
            prop_assert!(within(0.0).iter().all(|i| found.contains(i)));
            prop_assert!(found.is_sorted());
            let near = within(1e-6);
            prop_assert!(found.iter().all(|i| near.contains(i)));
        }
    }
}
