//! Which cells may touch: a tree of boxes in space, where nothing has a seam.
//!
//! Boxes are not held exactly, only rounded outwards to parts of a box round a few neighbours, and two that lie side by side
//! as one: that takes a tenth of the memory, and finds some cells more that do not touch after all.

use super::stretches::{Placed, Stretch, part};
use super::vector::{Vector, distance_2};

/// Boxes by number.
#[derive(Debug)]
pub(super) struct BoxIndex {
    /// Those of a pair under the first number, [marked](PAIR).
    numbers: Vec<u32>,
    /// Each box within that round its stretch.
    boxes: Vec<Within>,
    /// The boxes round the stretches of both.
    stretches: Vec<Rounded>,
}

/// A box in space, from its low to its high corner.
pub(super) type Bounds = [Vector; 2];

/// A box rounded outwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounded {
    pub(super) low: [f32; 3],
    pub(super) high: [f32; 3],
}

/// Where a box lies within another, in 255ths of that: how far its low corner is in, and how far its high corner.
#[derive(Debug, Clone, Copy)]
struct Within {
    low: [u8; 3],
    high: [u8; 3],
}

#[derive(Debug, Clone, Copy)]
struct Numbered {
    bounds: Rounded,
    number: u32,
}

/// Marks the number of a box together with that of the next one.
const PAIR: u32 = 1 << 31;

/// How much larger than the larger of two boxes the one round both may be: as much as that of two alike side by side.
const SIDE_BY_SIDE: f32 = 2.1;

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
    pub(super) fn new([low, high]: Bounds) -> Self {
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

    /// The place so many 255ths into it; the last one is its high side, whatever the rounding.
    fn part(&self, axis: usize, parts: u8) -> f32 {
        match parts {
            u8::MAX => self.high[axis],
            parts => {
                let width = self.high[axis] - self.low[axis];
                self.low[axis] + width * (f32::from(parts) / 255.0)
            }
        }
    }

    fn touches(&self, other: &Self) -> bool {
        (0..3).all(|i| self.low[i] <= other.high[i] && other.low[i] <= self.high[i])
    }

    /// How wide it is along each axis.
    pub(super) fn spans(&self) -> Vector {
        [0, 1, 2].map(|axis| f64::from(self.high[axis] - self.low[axis]))
    }
}

impl Within {
    /// A box within another, rounded outwards.
    fn new(bounds: &Rounded, around: &Rounded) -> Self {
        // Where the other has no width, its low side is its high side too.
        let parts = |axis: usize, at: f32| -> u8 {
            let width = around.high[axis] - around.low[axis];
            ((at - around.low[axis]) / width * 255.0) as u8
        };
        let mut within = Self {
            low: [0, 1, 2].map(|axis| parts(axis, bounds.low[axis])),
            high: [0, 1, 2].map(|axis| parts(axis, bounds.high[axis])),
        };
        for axis in 0..3 {
            while around.part(axis, within.low[axis]) > bounds.low[axis] {
                within.low[axis] -= 1;
            }
            while around.part(axis, within.high[axis]) < bounds.high[axis] {
                within.high[axis] += 1;
            }
        }
        within
    }

    /// The most of a box that touches it, which lies within the same: what begins no further in than its high corner, and
    /// ends no less far in than its low corner, touches too.
    fn reach(bounds: &Rounded, around: &Rounded) -> Self {
        let parts = |axis: usize, at: f32| -> u8 {
            let width = around.high[axis] - around.low[axis];
            ((at - around.low[axis]) / width * 255.0) as u8
        };
        let mut reach = Self {
            low: [0; 3],
            high: [u8::MAX; 3],
        };
        for axis in 0..3 {
            let at = bounds.low[axis];
            if at > around.low[axis] {
                let low = &mut reach.low[axis];
                *low = parts(axis, at);
                while around.part(axis, *low) < at {
                    *low += 1;
                }
                while *low > 0 && around.part(axis, *low - 1) >= at {
                    *low -= 1;
                }
            }
            let at = bounds.high[axis];
            if at < around.high[axis] {
                let high = &mut reach.high[axis];
                *high = parts(axis, at);
                while around.part(axis, *high) > at {
                    *high -= 1;
                }
                while *high < u8::MAX && around.part(axis, *high + 1) <= at {
                    *high += 1;
                }
            }
        }
        reach
    }

    fn touches(self, reach: Self) -> bool {
        (0..3).all(|axis| self.low[axis] <= reach.high[axis] && reach.low[axis] <= self.high[axis])
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
        bounds.spans()
    }
}

impl Numbered {
    /// Both as one, if the other's number follows and they lie side by side.
    fn with(&self, next: &Self) -> Option<Self> {
        let around = Self::bounds_of(&[*self, *next]);
        let size = |b: &Rounded| -> f32 { (0..3).map(|i| b.high[i] - b.low[i]).sum() };
        let larger = size(&self.bounds).max(size(&next.bounds));
        let near = next.number == self.number + 1 && size(&around) <= SIDE_BY_SIDE * larger;
        near.then_some(Self {
            bounds: around,
            number: self.number | PAIR,
        })
    }
}

impl BoxIndex {
    /// Boxes with their numbers, of which there are at most `most`.
    pub(super) fn new(boxes: impl Iterator<Item = (usize, Bounds)>, most: usize) -> Self {
        assert!(most <= PAIR as usize, "a grid has fewer than 2^31 cells");
        let mut all: Vec<Numbered> = Vec::with_capacity(most);
        for (number, bounds) in boxes {
            let next = Numbered {
                bounds: Rounded::new(bounds),
                number: number as u32,
            };
            let last = all.last_mut().filter(|last| last.number & PAIR == 0);
            match last.and_then(|last| Some((last.with(&next)?, last))) {
                Some((both, last)) => *last = both,
                None => all.push(next),
            }
        }
        let stretches = part(&mut all);
        let mut index = Self {
            numbers: all.iter().map(|own| own.number).collect(),
            boxes: Vec::with_capacity(all.len()),
            stretches,
        };
        index.pack(&all, &Stretch::all(all.len()));
        index
    }

    /// Adds the boxes of a stretch, one last stretch after the other.
    fn pack(&mut self, all: &[Numbered], stretch: &Stretch) {
        match stretch.halves() {
            Some(halves) => halves.iter().for_each(|half| self.pack(all, half)),
            None => {
                let around = &self.stretches[stretch.number];
                let own = all[stretch.range.clone()].iter();
                self.boxes
                    .extend(own.map(|b| Within::new(&b.bounds, around)));
            }
        }
    }

    /// The numbers of the boxes that touch a box, in order; and of some that miss it by a little of their width, or by their
    /// width where the one beside them touches.
    pub(super) fn touching(&self, bounds: Bounds, found: &mut Vec<usize>) {
        found.clear();
        self.find(
            &Stretch::all(self.numbers.len()),
            &Rounded::new(bounds),
            found,
        );
        found.sort_unstable();
    }

    fn find(&self, stretch: &Stretch, bounds: &Rounded, found: &mut Vec<usize>) {
        let around = &self.stretches[stretch.number];
        if !around.touches(bounds) {
            return;
        }
        let Some(halves) = stretch.halves() else {
            let numbers = self.numbers[stretch.range.clone()].iter();
            let own = numbers.zip(&self.boxes[stretch.range.clone()]);
            let reach = Within::reach(bounds, around);
            let touching = own.filter(|(_, within)| within.touches(reach));
            for (&number, _) in touching {
                let first = (number & !PAIR) as usize;
                found.push(first);
                if number & PAIR != 0 {
                    found.push(first + 1);
                }
            }
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

    #[test]
    fn boxes_side_by_side_are_one_and_others_are_not() {
        let square = |x: f64| [[x, 0.0, 0.0], [x + 0.01, 0.01, 0.0]];
        // The fifth lies at the other end of a row that ends with the fourth; the sixth has no place.
        let boxes = [0.0, 0.01, 0.02, 0.03, 0.5, f64::NAN, 0.51].map(square);
        let placed = boxes.iter().copied().enumerate().filter(|b| b.0 != 5);
        let index = BoxIndex::new(placed, boxes.len());
        let mut numbers = index.numbers.clone();
        numbers.sort_unstable();
        assert_eq!(numbers, [4, 6, PAIR, 2 | PAIR]);
        let mut found = Vec::new();
        index.touching(square(0.494), &mut found);
        assert_eq!(found, [4]);
        index.touching(square(0.0), &mut found);
        assert_eq!(found, [0, 1]);
    }

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
            // A stretch of a few boxes may be as wide as everything.
            let around = asked(2.7 / 255.0);
            let both = |i: usize, j: usize| {
                let [low, high] = [0, 1].map(|side| [boxes[i][side], boxes[j][side]]);
                let axes = [0, 1, 2];
                [axes.map(|x| low[0][x].min(low[1][x])), axes.map(|x| high[0][x].max(high[1][x]))]
            };
            let near = |&i: &usize| {
                let pairs = [i.saturating_sub(1), (i + 1).min(boxes.len() - 1)];
                pairs.into_iter().any(|j| touch(both(i, j), around))
            };
            prop_assert!(found.iter().all(near));
        }
    }
}
