//! What two cells share: its area, and where asked for its moment.
//!
//! Each pairing is exact: rectangles by their sides; a rectangle and a figure of great circles by cutting along meridians
//! and parallels; two figures of great circles by cutting along great circles. No edge is drawn as anything else than it is,
//! so that what the cells of one tiling share with a cell of another makes up that cell.

use super::outlines::Outline;
use super::polygon::{Vertex, area, edges, is_convex, keep_side, moment};
use super::rectangle::Rectangle;
use super::vector::{Vector, cross, dot, minus, plus, times};

/// What is measured of shared parts.
pub(super) trait Measure: Default {
    /// Takes a rectangle in.
    fn add_rectangle(&mut self, part: &Rectangle);
    /// Takes a figure in, or takes it away (`sign` -1).
    fn add_figure(&mut self, part: &[Vertex], sign: f64);
}

/// Area on the unit sphere.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Area(pub(super) f64);

/// Area, and the integral of position.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct AreaAndMoment {
    pub(super) area: f64,
    pub(super) moment: Vector,
}

impl Measure for Area {
    fn add_rectangle(&mut self, part: &Rectangle) {
        self.0 += part.area();
    }

    fn add_figure(&mut self, part: &[Vertex], sign: f64) {
        self.0 += sign * area(part);
    }
}

impl Measure for AreaAndMoment {
    fn add_rectangle(&mut self, part: &Rectangle) {
        self.area += part.area();
        self.moment = plus(self.moment, part.moment());
    }

    fn add_figure(&mut self, part: &[Vertex], sign: f64) {
        self.area += sign * area(part);
        self.moment = plus(self.moment, times(moment(part), sign));
    }
}

/// Room to cut figures in.
pub(super) type Scratch = [Vec<Vertex>; 2];

/// What two cells share.
pub(super) fn overlap<M: Measure>(a: Outline<'_>, b: Outline<'_>, scratch: &mut Scratch) -> M {
    let mut measure = M::default();
    match (a, b) {
        (Outline::Rectangle(a), Outline::Rectangle(b)) => {
            a.shared(&b).for_each(|part| measure.add_rectangle(&part))
        }
        (Outline::Rectangle(r), Outline::Polygon(p))
        | (Outline::Polygon(p), Outline::Rectangle(r)) => {
            r.cut(p, scratch, |part| measure.add_figure(part, 1.0));
        }
        (Outline::Polygon(a), Outline::Polygon(b)) => {
            let [cutter, figure] = if is_convex(b) { [b, a] } else { [a, b] };
            if is_convex(cutter) {
                cut(figure, cutter, 1.0, scratch, &mut measure);
            } else {
                // As signed triangles from the first corner.
                for (second, third) in cutter[1..].iter().zip(&cutter[2..]) {
                    let triangle = [cutter[0], *second, *third];
                    let turn = dot(
                        cutter[0],
                        cross(minus(*second, cutter[0]), minus(*third, cutter[0])),
                    );
                    if turn > 0.0 {
                        cut(figure, &triangle, 1.0, scratch, &mut measure);
                    } else {
                        cut(
                            figure,
                            &[triangle[0], triangle[2], triangle[1]],
                            -1.0,
                            scratch,
                            &mut measure,
                        );
                    }
                }
            }
        }
    }
    measure
}

/// Measures the part of a figure in a convex one.
fn cut<M: Measure>(
    figure: &[Vector],
    cutter: &[Vector],
    sign: f64,
    scratch: &mut Scratch,
    measure: &mut M,
) {
    let [now, next] = scratch;
    now.clear();
    now.extend(figure.iter().copied().map(Vertex::great_circle));
    for (a, b) in edges(cutter) {
        keep_side(now, cross(a, minus(b, a)), next);
        std::mem::swap(now, next);
    }
    if now.len() > 2 {
        measure.add_figure(now, sign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::vector::{distance_2, point};
    use proptest::prelude::*;

    fn scratch() -> Scratch {
        [Vec::new(), Vec::new()]
    }

    fn corners(points: &[(f64, f64)]) -> Vec<Vector> {
        points.iter().map(|&(lat, lon)| point(lat, lon)).collect()
    }

    #[test]
    fn a_cell_turned_in_is_cut_right() {
        let dart = corners(&[(0.0, 0.0), (3.0, 5.0), (0.0, 10.0), (10.0, 5.0)]);
        let other = corners(&[(-5.0, 2.0), (1.0, 5.0), (-5.0, 8.0), (8.0, 5.0)]);
        let [dart, other] = [&dart, &other].map(|c| {
            let mut c = c.clone();
            if Outline::Polygon(&c).area() < 0.0 {
                c.reverse();
            }
            c
        });
        let Area(own) = overlap(
            Outline::Polygon(&dart),
            Outline::Polygon(&dart),
            &mut scratch(),
        );
        assert!((own - Outline::Polygon(&dart).area()).abs() < 1e-15);
        let Area(shared) = overlap(
            Outline::Polygon(&dart),
            Outline::Polygon(&other),
            &mut scratch(),
        );
        let Area(back) = overlap(
            Outline::Polygon(&other),
            Outline::Polygon(&dart),
            &mut scratch(),
        );
        assert!(shared > 0.0 && (shared - back).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn parts_of_a_figure_in_a_tiling_make_it_up(
            latitude in -80.0..80.0f64,
            longitude in 0.0..360.0f64,
            sizes in prop::array::uniform4(1.0..9.0f64),
        ) {
            // A figure round a place, cut by squares of great circles and by rectangles.
            let around = [(-sizes[0], 0.0), (0.0, sizes[1]), (sizes[2], 0.0), (0.0, -sizes[3])];
            let figure: Vec<Vector> = around.iter().map(|&(a, b)| point(latitude + a, longitude + b)).collect();
            let outline = Outline::Polygon(&figure);
            let mut by_rectangles = AreaAndMoment::default();
            let mut by_figures = AreaAndMoment::default();
            for row in 0..60 {
                let south = -90.0 + 3.0 * f64::from(row);
                for column in 0..36 {
                    let west = 10.0 * f64::from(column);
                    let rectangle = Rectangle { west, width: 10.0, south, north: south + 3.0 };
                    let part: AreaAndMoment = overlap(outline, Outline::Rectangle(rectangle), &mut scratch());
                    by_rectangles.area += part.area;
                    by_rectangles.moment = plus(by_rectangles.moment, part.moment);
                    let mut square = rectangle.corners().to_vec();
                    square.dedup_by(|a, b| distance_2(*a, *b) < 1e-24);
                    let part: AreaAndMoment = overlap(outline, Outline::Polygon(&square), &mut scratch());
                    by_figures.area += part.area;
                    by_figures.moment = plus(by_figures.moment, part.moment);
                }
            }
            for sum in [by_rectangles, by_figures] {
                prop_assert!((sum.area - outline.area()).abs() < 1e-14, "{} {}", sum.area, outline.area());
                let moment = times(outline.middle(), outline.area());
                prop_assert!(distance_2(sum.moment, moment) < 1e-28);
            }
        }
    }
}
