//! Figures on the sphere bounded by great circles and parallels: cutting them, their area, their moment.
//!
//! Cutting follows Sutherland and Hodgman: one side of the cutter after the other. What remains of a figure that is not
//! convex may run along a side twice, forth and back; areas and moments come out right all the same.

use super::vector::{Vector, cross, dot, length, minus, plus, times, unit};

/// A corner, and how the edge from it to the next one runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertex {
    pub(super) at: Vector,
    /// Along the parallel through both; else along the great circle.
    pub(super) on_parallel: bool,
}

impl Vertex {
    pub(super) fn great_circle(at: Vector) -> Self {
        Self {
            at,
            on_parallel: false,
        }
    }
}

/// Each corner with the next one.
pub(super) fn edges<T: Copy>(corners: &[T]) -> impl Iterator<Item = (T, T)> {
    let next = corners.iter().skip(1).chain(corners.first());
    corners.iter().copied().zip(next.copied())
}

/// The part of a figure of great circles on that side of a great circle where its normal points.
pub(super) fn keep_side(figure: &[Vertex], normal: Vector, kept: &mut Vec<Vertex>) {
    kept.clear();
    for (from, to) in edges(figure) {
        let (a, b) = (dot(from.at, normal), dot(to.at, normal));
        if a >= 0.0 {
            kept.push(from);
        }
        if (a >= 0.0) != (b >= 0.0) {
            let on = plus(times(from.at, b.abs()), times(to.at, a.abs()));
            kept.push(Vertex::great_circle(unit(on)));
        }
    }
}

/// The part of a figure to the north of a parallel, or to the south of it.
pub(super) fn keep_beyond_parallel(figure: &[Vertex], z: f64, north: bool, kept: &mut Vec<Vertex>) {
    kept.clear();
    let inside = |p: Vector| if north { p[2] >= z } else { p[2] <= z };
    for (from, to) in edges(figure) {
        if inside(from.at) {
            kept.push(from);
        }
        if from.on_parallel {
            // Both ends are on one side, but for rounding.
            if inside(from.at) != inside(to.at) {
                let leaves = inside(from.at);
                kept.push(Vertex {
                    at: if leaves { from.at } else { to.at },
                    on_parallel: true,
                });
            }
            continue;
        }
        // A great circle may cross and come back: it is cut at its highest or lowest point.
        match summit(from.at, to.at) {
            Some(top) if inside(from.at) == inside(to.at) && inside(top) != inside(from.at) => {
                cross_parallel(from.at, top, z, inside(from.at), kept);
                cross_parallel(top, to.at, z, inside(top), kept);
            }
            _ if inside(from.at) != inside(to.at) => match summit(from.at, to.at) {
                Some(top) if inside(top) == inside(from.at) => {
                    cross_parallel(top, to.at, z, inside(from.at), kept);
                }
                Some(top) => cross_parallel(from.at, top, z, inside(from.at), kept),
                None => cross_parallel(from.at, to.at, z, inside(from.at), kept),
            },
            _ => {}
        }
    }
}

/// The point of an arc, other than its ends, that is nearest to a pole or farthest from it.
fn summit(a: Vector, b: Vector) -> Option<Vector> {
    let d = minus(b, a);
    // How fast the arc climbs at each end, both seen from its start.
    let near = 0.5 * dot(d, d);
    let start = d[2] + near * a[2];
    let end = d[2] - near * b[2];
    if start * end >= 0.0 {
        return None;
    }
    let normal = unit(cross(a, d));
    let top = unit(minus([0.0, 0.0, 1.0], times(normal, normal[2])));
    Some(if start > 0.0 { top } else { times(top, -1.0) })
}

/// Adds the point where an arc that rises or falls throughout meets a parallel; after it the arc is left, or the parallel.
fn cross_parallel(a: Vector, b: Vector, z: f64, leaves: bool, kept: &mut Vec<Vertex>) {
    // At a share s of the chord the height is (a.z + s d.z) / |a + s d|; squared, an equation for s.
    let d = minus(b, a);
    let dd = dot(d, d);
    let square = d[2] * d[2] - z * z * dd;
    let half = a[2] * d[2] + 0.5 * z * z * dd;
    let constant = (a[2] - z) * (a[2] + z);
    // The discriminant, freed of the terms that cancel: heights near the equator keep their digits.
    let bracket = d[2] * d[2] + dd * (a[2] * b[2] - z * z * (1.0 - 0.25 * dd));
    let root = z.abs() * bracket.max(0.0).sqrt();
    let q = -(half + root.copysign(half));
    let height = |s: f64| {
        let p = unit(plus(a, times(d, s)));
        (p, (p[2] - z).abs())
    };
    let roots = [q / square, constant / q].map(|s| {
        if s.is_finite() {
            s.clamp(0.0, 1.0)
        } else {
            0.0
        }
    });
    let [first, second] = roots.map(height);
    let mut at = if first.1 <= second.1 {
        first.0
    } else {
        second.0
    };
    // Exactly on the parallel, so that the edges along it have no height.
    let flat = at[0].hypot(at[1]);
    if flat > 0.0 {
        let radius = (1.0 - z * z).max(0.0).sqrt() / flat;
        at = [at[0] * radius, at[1] * radius, z];
    }
    kept.push(Vertex {
        at,
        on_parallel: leaves,
    });
}

/// The difference of longitude from one point to the next, the short way.
fn longitudes_apart(a: Vector, b: Vector) -> f64 {
    // The cross product by way of the difference, which near points have exactly.
    let d = minus(b, a);
    (a[0] * d[1] - a[1] * d[0]).atan2(a[0] * b[0] + a[1] * b[1])
}

/// The area of a figure on the unit sphere: positive if its corners run counter-clockwise, seen from outside.
///
/// It is the sum of the triangles that the edges form with the nearer pole.
pub(super) fn area(figure: &[Vertex]) -> f64 {
    let height: f64 = figure.iter().map(|v| v.at[2]).sum();
    let pole = if height < 0.0 { -1.0 } else { 1.0 };
    let triangle = |(from, to): (Vertex, Vertex)| {
        let (a, b) = (from.at, to.at);
        if from.on_parallel {
            // 1 - z, without loss near the pole.
            let flat = a[0] * a[0] + a[1] * a[1];
            let below = if a[2] * pole > 0.0 {
                flat / (1.0 + a[2] * pole)
            } else {
                1.0 - a[2] * pole
            };
            return below * longitudes_apart(a, b);
        }
        let d = minus(b, a);
        let volume = a[0] * d[1] - a[1] * d[0];
        2.0 * volume.atan2(1.0 + dot(a, b) + pole * (a[2] + b[2]))
    };
    pole * edges(figure).map(triangle).sum::<f64>()
}

/// The integral of position over a figure: its area times its centre of mass, which lies a little within the sphere.
///
/// By Stokes's theorem half the integral of r x dr along its edges.
pub(super) fn moment(figure: &[Vertex]) -> Vector {
    let along = |(from, to): (Vertex, Vertex)| {
        let (a, b) = (from.at, to.at);
        let d = minus(b, a);
        if from.on_parallel {
            let z = a[2];
            let flat = a[0] * a[0] + a[1] * a[1];
            return [-z * d[1], z * d[0], flat * longitudes_apart(a, b)];
        }
        let normal = cross(a, d);
        let sin = length(normal);
        if sin == 0.0 {
            return [0.0; 3];
        }
        times(normal, sin.atan2(dot(a, b)) / sin)
    };
    times(edges(figure).map(along).fold([0.0; 3], plus), 0.5)
}

/// Whether a figure of great circles holds a point.
///
/// Counts the edges that the way from the point to its opposite crosses, northward from the point. Of the figures of a
/// tiling exactly one holds a point, wherever it lies: the figures on both sides of an edge see it alike. A figure that
/// holds the opposite is crossed likewise: it lies in the other hemisphere.
pub(super) fn holds(corners: &[Vector], point: Vector, axes: [Vector; 2]) -> bool {
    if dot(corners.iter().copied().fold([0.0; 3], plus), point) <= 0.0 {
        return false;
    }
    let [right, up] = axes;
    debug_assert!(dot(right, point).abs() < 1e-9);
    let crossed = edges(corners).filter(|&(a, b)| {
        let [ay, by] = [dot(a, right), dot(b, right)];
        if (ay > 0.0) == (by > 0.0) {
            return false;
        }
        let [ax, bx] = [dot(a, up), dot(b, up)];
        let side = ay * bx - by * ax;
        if ay > 0.0 { side > 0.0 } else { side < 0.0 }
    });
    crossed.count() % 2 == 1
}

/// Whether a figure of great circles, corners counter-clockwise, is convex.
pub(super) fn is_convex(corners: &[Vector]) -> bool {
    let n = corners.len();
    (0..n).all(|i| {
        let [a, b, c] = [0, 1, 2].map(|k| corners[(i + k) % n]);
        dot(a, cross(minus(b, a), minus(c, a))) >= -1e-17
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::vector::{distance_2, point, tangents};
    use std::f64::consts::PI;

    fn figure(corners: &[(f64, f64)]) -> Vec<Vertex> {
        corners
            .iter()
            .map(|&(lat, lon)| Vertex::great_circle(point(lat, lon)))
            .collect()
    }

    /// A square of longitude and latitude.
    fn square(south: f64, north: f64, west: f64, east: f64) -> Vec<Vertex> {
        let mut figure = figure(&[(south, west), (south, east), (north, east), (north, west)]);
        figure[0].on_parallel = true;
        figure[2].on_parallel = true;
        figure
    }

    #[test]
    fn known_areas() {
        let octant = figure(&[(0.0, 0.0), (0.0, 90.0), (90.0, 0.0)]);
        assert!((area(&octant) - PI / 2.0).abs() < 1e-15);
        let mut back = octant.clone();
        back.reverse();
        assert!((area(&back) + PI / 2.0).abs() < 1e-15);
        let south = figure(&[(0.0, 90.0), (0.0, 0.0), (-90.0, 0.0)]);
        assert!((area(&south) - PI / 2.0).abs() < 1e-15);
        // Round the pole: four triangles of which each is 1 / (4 * 3) of the sphere.
        let z = (1.0f64 / 3.0).sqrt().asin().to_degrees();
        let face = figure(&[(z, 0.0), (z, 90.0), (z, 180.0), (z, 270.0)]);
        assert!((area(&face) - 4.0 * PI / 6.0).abs() < 1e-14);
        let small = square(-61.0, -60.75, 359.75, 360.0);
        let exact =
            0.25f64.to_radians() * ((-60.75f64).to_radians().sin() - (-61.0f64).to_radians().sin());
        assert!((area(&small) / exact - 1.0).abs() < 1e-12);
    }

    #[test]
    fn known_moments() {
        let octant = figure(&[(0.0, 0.0), (0.0, 90.0), (90.0, 0.0)]);
        assert!(distance_2(moment(&octant), [PI / 4.0; 3]) < 1e-28);
        let [south, north] = [20.0f64, 50.0].map(|x| x.to_radians());
        let [x, y, z] = moment(&square(20.0, 50.0, -30.0, 30.0));
        let primitive = |t: f64| 0.5 * (t.sin() * t.cos() + t);
        assert!((x - (primitive(north) - primitive(south))).abs() < 1e-14);
        assert!(y.abs() < 1e-15);
        assert!((z - PI / 6.0 * (north.sin().powi(2) - south.sin().powi(2))).abs() < 1e-14);
    }

    #[test]
    fn cuts_at_a_parallel_make_up_the_whole() {
        let figures = [
            figure(&[(40.0, 0.0), (40.0, 80.0), (70.0, 40.0)]),
            figure(&[(40.0, 0.0), (40.0, 80.0), (52.0, 40.0)]),
            figure(&[(-40.0, 0.0), (-70.0, 40.0), (-40.0, 80.0), (-20.0, 35.0)]),
            square(30.0, 60.0, 0.0, 40.0),
        ];
        let (mut north, mut south) = (Vec::new(), Vec::new());
        for figure in figures {
            let whole = area(&figure);
            for latitude in [
                -55.0f64, -40.0, -39.0, 30.0, 35.0, 40.0, 42.0, 46.0, 47.0, 50.0, 60.0, 80.0,
            ] {
                let z = latitude.to_radians().sin();
                keep_beyond_parallel(&figure, z, true, &mut north);
                keep_beyond_parallel(&figure, z, false, &mut south);
                let (n, s) = (area(&north), area(&south));
                assert!(n >= -1e-14 && s >= -1e-14);
                assert!((n + s - whole).abs() < 1e-14, "{latitude}: {n} {s} {whole}");
                let both = plus(moment(&north), moment(&south));
                assert!(distance_2(both, moment(&figure)) < 1e-28);
            }
        }
    }

    #[test]
    fn a_band_between_parallels_is_exact() {
        // The triangle from the equator to the pole, ten degrees wide.
        let lune = figure(&[(0.0, 0.0), (0.0, 10.0), (90.0, 0.0)]);
        let (mut above, mut between) = (Vec::new(), Vec::new());
        let [low, high] = [20.0f64, 55.0].map(|x| x.to_radians().sin());
        keep_beyond_parallel(&lune, low, true, &mut above);
        keep_beyond_parallel(&above, high, false, &mut between);
        assert!((area(&between) - 10.0f64.to_radians() * (high - low)).abs() < 1e-15);
    }

    #[test]
    fn exactly_one_of_two_neighbours_holds_a_point_on_their_edge() {
        let [a, b, c, d] =
            [(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)].map(|(x, y)| point(x, y));
        let (first, second) = ([a, b, c], [a, c, d]);
        for at in [
            a,
            b,
            c,
            d,
            unit(plus(a, c)),
            unit(plus(a, b)),
            point(3.0, 4.0),
        ] {
            let held = [&first, &second]
                .iter()
                .filter(|f| holds(&f[..], at, tangents(at)))
                .count();
            assert!(held <= 1);
        }
        let within = point(3.0, 5.0);
        assert!(
            holds(&first, within, tangents(within)) && !holds(&second, within, tangents(within))
        );
        let opposite = unit(times(within, -1.0));
        assert!(!holds(&first, opposite, tangents(opposite)));
        let far = point(-40.0, 185.0);
        assert!(!holds(&first, far, tangents(far)));
    }

    #[test]
    fn convexity_is_seen() {
        let corners = |f: Vec<Vertex>| f.iter().map(|v| v.at).collect::<Vec<_>>();
        assert!(is_convex(&corners(figure(&[
            (0.0, 0.0),
            (0.0, 10.0),
            (10.0, 10.0),
            (10.0, 0.0)
        ]))));
        assert!(!is_convex(&corners(figure(&[
            (0.0, 0.0),
            (3.0, 5.0),
            (0.0, 10.0),
            (10.0, 5.0)
        ]))));
    }
}
