//! Which centres are nearest: a tree over points in space, where nothing has a seam.
//!
//! The points stand in one array, parted in the middle by one coordinate, and so on in both halves; each stretch knows its
//! box, so that a target far from all of them is not compared with every one. The tree is not taken from a crate because
//! ties and copies are settled while searching, which makes one search of two.

use super::box_index::Rounded;
use super::stretches::{Placed, Stretch, part};
use super::vector::{SAME, Vector, distance_2, is_finite};

/// Points by number.
#[derive(Debug)]
pub(super) struct PointIndex {
    points: Vec<Numbered>,
    /// The boxes round the stretches of `points`.
    boxes: Vec<Rounded>,
}

/// Close together: in an array of them four bytes of each would be lost.
#[derive(Debug, Clone, Copy)]
#[repr(Rust, packed(4))]
struct Numbered {
    at: Vector,
    number: u32,
}

impl Placed for Numbered {
    type Bounds = Rounded;

    fn at(&self, axis: usize) -> f64 {
        self.at[axis]
    }

    fn bounds_of(points: &[Self]) -> Rounded {
        let mut low = [f64::INFINITY; 3];
        let mut high = [f64::NEG_INFINITY; 3];
        for &Self { at, .. } in points {
            for axis in 0..3 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        Rounded::new([low, high])
    }

    fn spans(bounds: Rounded) -> Vector {
        bounds.spans()
    }
}

/// How much further than the nearest counts as equally far: the rounding of coordinates.
fn equally_far(distance_2: f64) -> f64 {
    distance_2 * (1.0 + 1e-10) + 1e-24
}

/// What a search keeps of the points it meets.
trait Search {
    /// Points further than this, squared, are of no interest.
    fn reach(&self) -> f64;
    fn meet(&mut self, number: usize, distance_2: f64, at: Vector);
}

impl PointIndex {
    /// The points that have a place, each under its number in the slice.
    pub(super) fn new(points: &[Vector]) -> Self {
        let placed = points.iter().enumerate().filter(|&(_, &p)| is_finite(p));
        let mut points = Vec::with_capacity(points.len());
        points.extend(placed.map(|(number, &at)| Numbered {
            at,
            number: u32::try_from(number).expect("a grid has fewer than 2^32 cells"),
        }));
        let boxes = part(&mut points);
        Self { points, boxes }
    }

    /// The search through all stretches that may have something of interest.
    fn search(&self, to: Vector, search: &mut impl Search) {
        self.search_in(&Stretch::all(self.points.len()), to, search);
    }

    fn search_in(&self, stretch: &Stretch, to: Vector, search: &mut impl Search) {
        let Some(halves) = stretch.halves() else {
            for &Numbered { at, number } in &self.points[stretch.range.clone()] {
                search.meet(number as usize, distance_2(at, to), at);
            }
            return;
        };
        let mut halves = halves.map(|half| (self.distance_to(half.number, to), half));
        if halves[1].0 < halves[0].0 {
            halves.swap(0, 1);
        }
        for (distance_2, half) in &halves {
            if *distance_2 <= search.reach() {
                self.search_in(half, to, search);
            }
        }
    }

    /// The square of the distance from a point to the box round a stretch.
    fn distance_to(&self, number: usize, to: Vector) -> f64 {
        let Rounded { low, high } = self.boxes[number];
        let [low, high] = [low, high].map(|corner| corner.map(f64::from));
        let out = |axis: usize| (low[axis] - to[axis]).max(to[axis] - high[axis]).max(0.0);
        [0, 1, 2].map(|axis| out(axis).powi(2)).iter().sum()
    }

    /// The nearest point; of several equally near the one of the lowest number.
    pub(super) fn nearest(&self, to: Vector) -> Option<usize> {
        let mut nearest = Nearest {
            number: usize::MAX,
            distance_2: f64::INFINITY,
        };
        self.search(to, &mut nearest);
        (nearest.number < usize::MAX).then_some(nearest.number)
    }

    /// The `k` nearest positions with the square of their straight distance, nearest first.
    ///
    /// Points at the same position count once, under the lowest number; among equally near ones lower numbers go first.
    pub(super) fn nearest_few(&self, to: Vector, k: usize) -> Vec<(usize, f64)> {
        // A few more than asked for: most ties and copies lie among them.
        let mut most = k + 4;
        loop {
            let mut few = Few {
                most,
                found: Vec::with_capacity(most + 1),
            };
            self.search(to, &mut few);
            let last = few.found.last().map_or(0.0, |f| f.1);
            let all = few.found.len() == self.points.len();
            let mut distinct: Vec<(usize, f64, Vector)> = Vec::with_capacity(most);
            for point in few.found {
                match distinct
                    .iter_mut()
                    .find(|d| distance_2(d.2, point.2) <= SAME * SAME)
                {
                    Some(same) => same.0 = same.0.min(point.0),
                    None => distinct.push(point),
                }
            }
            let kth = distinct
                .get(k.saturating_sub(1))
                .map_or(f64::INFINITY, |d| d.1);
            // Beyond ties and copies of the last one nothing more can matter.
            if all || last > equally_far(kth).max((kth.sqrt() + SAME).powi(2)) {
                let nearer = distinct.iter().filter(|d| equally_far(d.1) < kth).count();
                let tied = distinct.iter().filter(|d| d.1 <= equally_far(kth)).count();
                distinct[nearer..tied].sort_by_key(|d| d.0);
                return distinct
                    .into_iter()
                    .take(k)
                    .map(|(i, d, _)| (i, d))
                    .collect();
            }
            most *= 2;
        }
    }
}

/// The nearest point so far.
struct Nearest {
    number: usize,
    distance_2: f64,
}

impl Search for Nearest {
    fn reach(&self) -> f64 {
        equally_far(self.distance_2)
    }

    fn meet(&mut self, number: usize, distance_2: f64, _: Vector) {
        if distance_2 > equally_far(self.distance_2) {
            return;
        }
        let tied = self.distance_2 <= equally_far(distance_2);
        self.number = if tied {
            self.number.min(number)
        } else {
            number
        };
        self.distance_2 = self.distance_2.min(distance_2);
    }
}

/// The nearest points so far, nearest first.
struct Few {
    most: usize,
    found: Vec<(usize, f64, Vector)>,
}

impl Search for Few {
    fn reach(&self) -> f64 {
        match self.found.last() {
            Some(last) if self.found.len() == self.most => last.1,
            _ => f64::INFINITY,
        }
    }

    fn meet(&mut self, number: usize, distance_2: f64, at: Vector) {
        if distance_2 > self.reach() {
            return;
        }
        let place = self
            .found
            .partition_point(|f| (f.1, f.0) < (distance_2, number));
        self.found.insert(place, (number, distance_2, at));
        self.found.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::vector::point;

    #[test]
    fn rows_of_points_in_line_are_searched_right() {
        let points: Vec<Vector> = (0..40 * 72)
            .map(|i| point(f64::from(i / 72) * 4.0 - 78.0, f64::from(i % 72) * 5.0))
            .collect();
        let index = PointIndex::new(&points);
        for i in 0..200 {
            let to = point(
                f64::from(i * 37 % 179) - 89.0,
                f64::from(i * 71 % 360) + 0.3,
            );
            let least = points
                .iter()
                .map(|&p| distance_2(p, to))
                .fold(f64::INFINITY, f64::min);
            let first = points
                .iter()
                .position(|&p| distance_2(p, to) <= equally_far(least));
            assert_eq!(index.nearest(to), first);
            let mut all: Vec<f64> = points.iter().map(|&p| distance_2(p, to)).collect();
            all.sort_by(f64::total_cmp);
            for (found, d) in index.nearest_few(to, 9).iter().zip(all) {
                assert!((found.1 - d).abs() < 1e-12);
            }
        }
    }

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
