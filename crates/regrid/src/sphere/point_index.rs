//! Which centres are nearest: a tree over points in space, where nothing has a seam.
//!
//! The points stand in one array: the middle one parts the others by one coordinate, and so on in both halves. The tree is
//! built here and not taken from a crate because ties and copies are settled while searching, which makes one search of
//! two.

use std::ops::Range;

use super::vector::{SAME, Vector, distance_2, is_finite};

/// Points by number.
#[derive(Debug)]
pub(super) struct PointIndex {
    points: Vec<(Vector, usize)>,
    /// By which coordinate the point at a place parts those of its stretch.
    axes: Vec<u8>,
}

/// Points in a stretch that is not parted further.
const FEW: usize = 8;

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
        let mut index = Self {
            points: placed.map(|(i, &p)| (p, i)).collect(),
            axes: Vec::new(),
        };
        index.axes = vec![0; index.points.len()];
        part(&mut index.points, &mut index.axes);
        index
    }

    fn search(&self, stretch: Range<usize>, to: Vector, search: &mut impl Search) {
        if stretch.len() <= FEW {
            for &(at, number) in &self.points[stretch] {
                search.meet(number, distance_2(at, to), at);
            }
            return;
        }
        let middle = stretch.start + stretch.len() / 2;
        let (at, number) = self.points[middle];
        let axis = usize::from(self.axes[middle]);
        let beyond = to[axis] - at[axis];
        let [below, above] = [stretch.start..middle, middle + 1..stretch.end];
        let (near, far) = if beyond < 0.0 {
            (below, above)
        } else {
            (above, below)
        };
        self.search(near, to, search);
        if beyond * beyond <= search.reach() {
            search.meet(number, distance_2(at, to), at);
            self.search(far, to, search);
        }
    }

    /// The nearest point; of several equally near the one of the lowest number.
    pub(super) fn nearest(&self, to: Vector) -> Option<usize> {
        let mut nearest = Nearest {
            number: usize::MAX,
            distance_2: f64::INFINITY,
        };
        self.search(0..self.points.len(), to, &mut nearest);
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
            self.search(0..self.points.len(), to, &mut few);
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

/// Puts the point in the middle that parts the others by the coordinate in which they lie widest, then does so in both
/// halves.
fn part(points: &mut [(Vector, usize)], axes: &mut [u8]) {
    if points.len() <= FEW {
        return;
    }
    let span = |axis: usize| {
        let ends = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
                (low.min(p.0[axis]), high.max(p.0[axis]))
            });
        ends.1 - ends.0
    };
    let spans = [0, 1, 2].map(span);
    let axis = (0..3).fold(0, |widest, axis| {
        if spans[axis] > spans[widest] {
            axis
        } else {
            widest
        }
    });
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| a.0[axis].total_cmp(&b.0[axis]));
    axes[middle] = axis as u8;
    let (below, above) = points.split_at_mut(middle);
    let (axes_below, axes_above) = axes.split_at_mut(middle);
    part(below, axes_below);
    part(&mut above[1..], &mut axes_above[1..]);
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
