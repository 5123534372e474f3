//! Cells between two meridians and two parallels.

use super::box_index::Bounds;
use super::polygon::{Vertex, keep_beyond_parallel, keep_side};
use super::vector::{Vector, sin_cos, times};

/// A cell between two meridians and two parallels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    /// Degrees east, and how far it reaches from there, at most 360.
    pub(super) west: f64,
    pub(super) width: f64,
    /// Degrees north.
    pub(super) south: f64,
    pub(super) north: f64,
}

/// How wide a rectangle may be to be cut out by its two meridians: clearly less than half a turn.
const NARROW: f64 = 120.0;

impl Rectangle {
    /// The rectangle with given corners round a centre.
    ///
    /// Bounds like 359.5 and 0.5 do not say which way round the cell lies: the centre does.
    pub(super) fn new(latitudes: &[f64], longitudes: &[f64], centre: f64) -> Option<Self> {
        let ends = |values: &[f64]| {
            let finite = values.iter().all(|x| x.is_finite());
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (finite && low < high).then_some((low, high))
        };
        let ((south, north), (low, high)) = (ends(latitudes)?, ends(longitudes)?);
        let (south, north) = (south.max(-90.0), north.min(90.0));
        let straight = (high - low).min(360.0);
        let within = (centre - low).rem_euclid(360.0);
        // A centre on the lower bound may come out as a whole turn less a rounding.
        let (west, width) = if within <= straight || 360.0 - within < 1e-9 || !within.is_finite() {
            (low, straight)
        } else {
            (high, 360.0 - straight)
        };
        (south < north && width > 0.0).then_some(Self {
            west,
            width,
            south,
            north,
        })
    }

    fn heights(&self) -> [f64; 2] {
        [self.south, self.north].map(|x| sin_cos(x).0)
    }

    /// Area on the unit sphere.
    pub(super) fn area(&self) -> f64 {
        let [low, high] = self.heights();
        self.width.to_radians() * (high - low)
    }

    /// The integral of position.
    pub(super) fn moment(&self) -> Vector {
        let [low, high] = self.heights();
        let flat = |z: f64| 0.5 * (z * (1.0 - z * z).max(0.0).sqrt() + z.asin());
        let across = flat(high) - flat(low);
        let ((sin_w, cos_w), (sin_e, cos_e)) =
            (sin_cos(self.west), sin_cos(self.west + self.width));
        [
            (sin_e - sin_w) * across,
            (cos_w - cos_e) * across,
            0.5 * self.width.to_radians() * (high - low) * (high + low),
        ]
    }

    /// The box in space round it.
    pub(super) fn bounds(&self) -> Bounds {
        let [low, high] = self.heights();
        let (far, near) = (
            self.south.abs().max(self.north.abs()),
            self.south.abs().min(self.north.abs()),
        );
        let widest = if self.south * self.north <= 0.0 {
            1.0
        } else {
            sin_cos(near).1
        };
        let least = sin_cos(far).1;
        let (sin_w, cos_w) = sin_cos(self.west);
        let (sin_e, cos_e) = sin_cos(self.west + self.width);
        // Whether a quarter lies within, where a coordinate turns back.
        let holds = |quarter: f64| (quarter - self.west).rem_euclid(360.0) <= self.width;
        let range = |a: f64, b: f64, top: f64, bottom: f64| {
            let high = if holds(top) { 1.0 } else { a.max(b) };
            let low = if holds(bottom) { -1.0 } else { a.min(b) };
            let slack = 1e-12;
            [
                (low * widest).min(low * least) - slack,
                (high * widest).max(high * least) + slack,
            ]
        };
        let [x, y] = [
            range(cos_w, cos_e, 0.0, 180.0),
            range(sin_w, sin_e, 90.0, 270.0),
        ];
        [[x[0], y[0], low - 1e-12], [x[1], y[1], high + 1e-12]]
    }

    /// Its corners, counter-clockwise from the south-west.
    #[cfg(test)]
    pub(super) fn corners(&self) -> [Vector; 4] {
        let east = self.west + self.width;
        [
            (self.south, self.west),
            (self.south, east),
            (self.north, east),
            (self.north, self.west),
        ]
        .map(|(lat, lon)| super::vector::point(lat, lon))
    }

    /// Whether it holds a point: with its southern and western side, and where `closed` with the northern, the eastern one.
    pub(super) fn holds(&self, latitude: f64, longitude: f64, closed: [bool; 2]) -> bool {
        // Less than nothing to the west may come out as a whole turn.
        let east = (longitude - self.west).rem_euclid(360.0) % 360.0;
        let [northern, eastern] = closed;
        let slack = 1e-9;
        let along = (self.south..self.north).contains(&latitude)
            || northern && (self.south - slack..=self.north + slack).contains(&latitude);
        let across =
            east < self.width || eastern && (east <= self.width + slack || east >= 360.0 - slack);
        along && across
    }

    /// What it shares with another one: up to two rectangles, where both go far round.
    pub(super) fn shared(&self, other: &Self) -> impl Iterator<Item = Self> {
        let (south, north) = (self.south.max(other.south), self.north.min(other.north));
        let ahead = (other.west - self.west).rem_euclid(360.0);
        let (west, width, theirs) = (self.west, self.width, other.width);
        [ahead, ahead - 360.0].into_iter().filter_map(move |from| {
            let start = from.max(0.0);
            let end = (from + theirs).min(width);
            (start < end && south < north).then_some(Self {
                west: west + start,
                width: end - start,
                south,
                north,
            })
        })
    }

    /// The parts of a figure of great circles within: each is handed on.
    pub(super) fn cut(
        &self,
        figure: &[Vector],
        scratch: &mut [Vec<Vertex>; 2],
        mut part: impl FnMut(&[Vertex]),
    ) {
        let [low, high] = self.heights();
        let strips = (self.width / NARROW).ceil().max(1.0);
        let [now, next] = scratch;
        for strip in 0..strips as usize {
            let west = self.west + self.width * strip as f64 / strips;
            let east = self.west + self.width * (strip + 1) as f64 / strips;
            now.clear();
            now.extend(figure.iter().copied().map(Vertex::great_circle));
            keep_side(now, eastward(west), next);
            keep_side(next, times(eastward(east), -1.0), now);
            if self.south > -90.0 {
                keep_beyond_parallel(now, low, true, next);
                std::mem::swap(now, next);
            }
            if self.north < 90.0 {
                keep_beyond_parallel(now, high, false, next);
                std::mem::swap(now, next);
            }
            // Two corners are enough: a great circle and the parallel that cuts it twice.
            if now.len() > 1 {
                part(now);
            }
        }
    }
}

/// The normal of a meridian's plane, to the east.
fn eastward(longitude: f64) -> Vector {
    let (sin, cos) = sin_cos(longitude);
    [-sin, cos, 0.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::polygon::area;
    use crate::sphere::vector::{distance_2, plus, point};

    fn rectangle(west: f64, width: f64, south: f64, north: f64) -> Rectangle {
        Rectangle {
            west,
            width,
            south,
            north,
        }
    }

    #[test]
    fn the_centre_tells_which_way_round_bounds_lie() {
        let new = |low, high, centre| {
            let made = Rectangle::new(&[0.0, 1.0], &[low, high], centre).unwrap();
            (made.west, made.width)
        };
        assert_eq!(new(359.5, 0.5, 0.0), (359.5, 1.0));
        assert_eq!(new(0.5, -0.5, 360.0), (-0.5, 1.0));
        assert_eq!(new(0.0, 360.0, 180.0), (0.0, 360.0));
        assert_eq!(new(10.0, 300.0, 150.0), (10.0, 290.0));
        assert_eq!(Rectangle::new(&[0.0, 0.0], &[0.0, 1.0], 0.5), None);
        assert_eq!(Rectangle::new(&[0.0, f64::NAN], &[0.0, 1.0], 0.5), None);
    }

    #[test]
    fn shared_parts_cross_any_seam() {
        let shared = |a: Rectangle, b: Rectangle| a.shared(&b).map(|r| r.width).sum::<f64>();
        assert_eq!(
            shared(
                rectangle(350.0, 20.0, 0.0, 1.0),
                rectangle(-5.0, 10.0, 0.0, 1.0)
            ),
            10.0
        );
        assert_eq!(
            shared(
                rectangle(0.0, 10.0, 0.0, 1.0),
                rectangle(370.0, 10.0, 0.0, 1.0)
            ),
            0.0
        );
        assert_eq!(
            shared(
                rectangle(0.0, 360.0, 0.0, 1.0),
                rectangle(300.0, 90.0, 0.0, 1.0)
            ),
            90.0
        );
        assert_eq!(
            shared(
                rectangle(0.0, 200.0, 0.0, 1.0),
                rectangle(180.0, 200.0, 0.0, 1.0)
            ),
            40.0
        );
        assert_eq!(
            shared(
                rectangle(0.0, 10.0, 0.0, 1.0),
                rectangle(0.0, 10.0, 1.0, 2.0)
            ),
            0.0
        );
    }

    #[test]
    fn moments_add_up_and_bounds_hold_them() {
        for whole in [
            rectangle(-20.0, 300.0, -80.0, 70.0),
            rectangle(10.0, 5.0, 60.0, 90.0),
            rectangle(170.0, 30.0, -30.0, -10.0),
        ] {
            let [low, high] = whole.bounds();
            let mut sum = [0.0; 3];
            let n = 8;
            for i in 0..n {
                for j in 0..n {
                    let (w, h) = (
                        whole.width / f64::from(n),
                        (whole.north - whole.south) / f64::from(n),
                    );
                    let (i, j) = (f64::from(i), f64::from(j));
                    let part = rectangle(
                        whole.west + w * i,
                        w,
                        whole.south + h * j,
                        whole.south + h * (j + 1.0),
                    );
                    sum = plus(sum, part.moment());
                    let middle = point(part.south + h / 2.0, part.west + w / 2.0);
                    assert!((0..3).all(|k| low[k] <= middle[k] && middle[k] <= high[k]));
                }
            }
            assert!(distance_2(sum, whole.moment()) < 1e-26);
        }
    }

    #[test]
    fn strips_of_a_figure_round_the_pole_make_up_the_whole() {
        let figure: Vec<Vector> = [(70.0, 10.0), (65.0, 100.0), (75.0, 200.0), (60.0, 290.0)]
            .map(|(a, b)| point(a, b))
            .into();
        let whole = area(
            &figure
                .iter()
                .copied()
                .map(Vertex::great_circle)
                .collect::<Vec<_>>(),
        );
        let mut scratch = [Vec::new(), Vec::new()];
        for (strips, bands) in [(1, 1), (2, 3), (3, 2), (36, 40)] {
            let mut sum = 0.0;
            for i in 0..strips {
                for j in 0..bands {
                    let (w, h) = (360.0 / f64::from(strips), 90.0 / f64::from(bands));
                    let part = rectangle(
                        7.0 + w * f64::from(i),
                        w,
                        h * f64::from(j),
                        h * f64::from(j + 1),
                    );
                    part.cut(&figure, &mut scratch, |f| sum += area(f));
                }
            }
            assert!((sum - whole).abs() < 1e-13, "{strips}: {sum} {whole}");
        }
    }
}
