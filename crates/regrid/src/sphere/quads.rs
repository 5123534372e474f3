//! The quadrilaterals between four neighbouring centres: which one holds a point, and where in it the point lies.
//!
//! They also make up the domain of a mesh for the methods that look at points. All is solved in the plane that touches
//! the sphere at the target, seen from the sphere's centre: great circles are straight there, so that two quadrilaterals
//! that share an edge agree on its sides.

use super::box_index::{Bounds, BoxIndex, bounds_of, touch};
use super::topology::{End, Mesh};
use super::vector::{Vector, distance_2, dot, is_finite, tangents};

/// The quadrilaterals of a mesh, and the triangles round the holes at its ends.
#[derive(Debug)]
pub(super) struct Quads<'a> {
    mesh: &'a Mesh,
    /// Those across the folds at its ends, which are numbered after those between two rows.
    folded: Vec<[usize; 4]>,
    /// Pairs of neighbours on the rim of a hole, with the number of the end.
    rims: Vec<([usize; 2], usize)>,
    index: BoxIndex,
}

/// What holds a point, and the shares of its corners there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Held {
    /// Four neighbours.
    Quad {
        corners: [usize; 4],
        shares: [f64; 4],
    },
    /// Two neighbours on the rim of the hole beyond a row, and the hole's centre.
    Rim {
        rim: [usize; 2],
        shares: [f64; 2],
        centre: f64,
        end: usize,
    },
}

/// How far outside a figure, in parts of its size, a point may be and still lie on the rim: the rounding of coordinates
/// stored as 32-bit floats.
const RIM: f64 = 2e-5;

/// The square of a distance below which two points are one: the rounding of a longitude that was written a turn away.
const SAME_2: f64 = 1e-26;

impl<'a> Quads<'a> {
    pub(super) fn new(mesh: &'a Mesh) -> Self {
        let (mut folded, mut rims) = (Vec::new(), Vec::new());
        for (end, row) in [(0, 0), (1, mesh.rows.saturating_sub(1))] {
            let round = mesh.distinct();
            let columns = (0..round).map(|c| (c, (c + 1) % round));
            match mesh.ends[end] {
                End::Open | End::Point => {}
                // Each pair faces another; the lower one stands for both.
                End::Fold { sum, .. } => folded.extend(
                    columns
                        .map(|(c, after)| {
                            [
                                c,
                                after,
                                (sum + round - after) % round,
                                (sum + round - c) % round,
                            ]
                        })
                        .filter(|q| q[0] <= q[2])
                        .map(|q| q.map(|c| mesh.index(row, c))),
                ),
                End::Hole { .. } => {
                    rims.extend(
                        columns
                            .map(|(c, after)| ([mesh.index(row, c), mesh.index(row, after)], end)),
                    );
                }
            }
        }
        let mut quads = Self {
            mesh,
            folded,
            rims,
            index: BoxIndex::new(std::iter::empty(), 0),
        };
        let all = quads.between_rows() + quads.folded.len() + quads.rims.len();
        let boxes = (0..all).filter_map(|number| Some((number, quads.bounds(number)?)));
        quads.index = BoxIndex::new(boxes, all);
        quads
    }

    /// How many there are between two rows, whether they have a place or not.
    fn between_rows(&self) -> usize {
        match self.mesh.has_quads() {
            true => (self.mesh.rows - 1) * self.mesh.distinct(),
            false => 0,
        }
    }

    /// The corners of a quadrilateral by its number; none of what has no place or is a rim's triangle.
    fn quad(&self, number: usize) -> Option<[usize; 4]> {
        let corners = match number.checked_sub(self.between_rows()) {
            None => {
                let (row, column) = (number / self.mesh.distinct(), number % self.mesh.distinct());
                let after = self.mesh.after(column)?;
                [
                    self.mesh.index(row, column),
                    self.mesh.index(row, after),
                    self.mesh.index(row + 1, after),
                    self.mesh.index(row + 1, column),
                ]
            }
            Some(fold) => *self.folded.get(fold)?,
        };
        let placed = |&i: &usize| is_finite(self.mesh.points[i]);
        corners.iter().all(placed).then_some(corners)
    }

    /// The pair of neighbours on a rim by the number of their triangle, which comes after those of the quadrilaterals; with
    /// the number of the end and its centre.
    fn rim(&self, number: usize) -> Option<([usize; 2], usize, Vector)> {
        let &(rim, end) = number
            .checked_sub(self.between_rows() + self.folded.len())
            .and_then(|at| self.rims.get(at))?;
        let End::Hole { centre } = self.mesh.ends[end] else {
            unreachable!("rims belong to holes")
        };
        let placed = |&i: &usize| is_finite(self.mesh.points[i]);
        rim.iter().all(placed).then_some((rim, end, centre))
    }

    /// The box round a quadrilateral or a rim's triangle; none if it has no place.
    fn bounds(&self, number: usize) -> Option<Bounds> {
        let at = |i: usize| self.mesh.points[i];
        if let Some(corners) = self.quad(number) {
            return Some(bounds_of(corners.into_iter().map(at)));
        }
        let (rim, _, centre) = self.rim(number)?;
        Some(bounds_of(rim.into_iter().map(at).chain([centre])))
    }

    /// What holds a point: the corner that it is, else the first quadrilateral or rim triangle that it lies in, else the
    /// first whose rim it lies on.
    ///
    /// Quadrilaterals of a mesh that is bent to follow a coast may overlap: a centre is to find itself in all of them.
    pub(super) fn holding(&self, point: Vector, candidates: &mut Vec<usize>) -> Option<Held> {
        if !is_finite(point) {
            return None;
        }
        let reach = 1e-9;
        let around = [point.map(|x| x - reach), point.map(|x| x + reach)];
        self.index.touching(around, candidates);
        candidates.retain(|&i| self.bounds(i).is_some_and(|own| touch(own, around)));
        let corners = candidates.iter().filter_map(|&i| self.quad(i)).flatten();
        if let Some(corner) = corners
            .filter(|&i| distance_2(self.mesh.points[i], point) < SAME_2)
            .min()
        {
            return Some(Held::Quad {
                corners: [corner; 4],
                shares: [1.0, 0.0, 0.0, 0.0],
            });
        }
        let plane = Plane::at(point);
        [0.0, RIM]
            .into_iter()
            .find_map(|slack| candidates.iter().find_map(|&i| self.held(i, &plane, slack)))
    }

    fn held(&self, number: usize, plane: &Plane, slack: f64) -> Option<Held> {
        let points = &self.mesh.points;
        if let Some(corners) = self.quad(number) {
            let [a, b, c, d] = corners.map(|i| plane.image(points[i]));
            let shares = in_quad([a?, b?, c?, d?], slack)?;
            return Some(Held::Quad { corners, shares });
        }
        let (rim, end, centre) = self.rim(number)?;
        let [a, b] = rim.map(|i| plane.image(points[i]));
        let [centre, first, second] = in_triangle([plane.image(centre)?, a?, b?], slack)?;
        Some(Held::Rim {
            rim,
            shares: [first, second],
            centre,
            end,
        })
    }
}

/// The plane that touches the sphere at a point, which is its origin.
struct Plane {
    at: Vector,
    axes: [Vector; 2],
}

impl Plane {
    fn at(at: Vector) -> Self {
        Self {
            at,
            axes: tangents(at),
        }
    }

    /// Where the line from the sphere's centre through a point meets the plane; nowhere for points a quarter round.
    fn image(&self, point: Vector) -> Option<[f64; 2]> {
        let height = dot(point, self.at);
        (height > 1e-3).then(|| self.axes.map(|axis| dot(point, axis) / height))
    }
}

fn turn(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

fn less(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

/// The shares of a triangle's corners at the origin, if it lies within.
fn in_triangle(corners: [[f64; 2]; 3], slack: f64) -> Option<[f64; 3]> {
    let [a, b, c] = corners;
    // Each part's area is seen from the origin, so that a neighbour across an edge sees the same with the other sign.
    let parts = [turn(b, c), turn(c, a), turn(a, b)];
    let whole: f64 = parts.iter().sum();
    let size = corners.iter().flatten().fold(0.0f64, |m, x| m.max(x.abs()));
    if whole.abs() <= 1e-12 * size * size {
        return None;
    }
    let shares = parts.map(|p| p / whole);
    if shares.iter().any(|&s| s < -slack) {
        return None;
    }
    let kept = shares.map(on_side);
    let sum: f64 = kept.iter().sum();
    Some(kept.map(|s| s / sum))
}

/// The bilinear shares of a quadrilateral's corners at the origin, if it lies within.
///
/// A quadrilateral with two corners in one is a triangle; one with a corner turned in is cut in two there.
fn in_quad(corners: [[f64; 2]; 4], slack: f64) -> Option<[f64; 4]> {
    let [a, b, c, d] = corners;
    let halves = [turn(less(b, a), less(c, a)), turn(less(c, a), less(d, a))];
    let cuts = if halves[0] * halves[1] >= 0.0 {
        [[0, 1, 2], [0, 2, 3]]
    } else {
        [[1, 2, 3], [1, 3, 0]]
    };
    let (cut, shares) = cuts
        .into_iter()
        .find_map(|cut| Some((cut, in_triangle(cut.map(|i| corners[i]), slack)?)))?;
    if let Some(place) = inverse_bilinear(corners) {
        let [u, v] = place.map(on_side);
        return Some([(1.0 - u) * (1.0 - v), u * (1.0 - v), u * v, (1.0 - u) * v]);
    }
    let mut all = [0.0; 4];
    for (i, share) in cut.into_iter().zip(shares) {
        all[i] += share;
    }
    Some(all)
}

/// A share that is only rounding from a side lies on it: a missing neighbour without weight has no say.
fn on_side(share: f64) -> f64 {
    match share {
        s if s < ON_SIDE => 0.0,
        s if s > 1.0 - ON_SIDE => 1.0,
        s => s,
    }
}

/// How near is on a side: well above the rounding of places on the sphere.
const ON_SIDE: f64 = 1e-11;

/// The u and v of a + u (b - a) + v (d - a) + u v (a - b + c - d) = 0, if they lie from 0 to 1.
fn inverse_bilinear([a, b, c, d]: [[f64; 2]; 4]) -> Option<[f64; 2]> {
    let across = less(b, a);
    let along = less(d, a);
    let skew = less(less(a, b), less(d, c));
    // Crossing with (along + u skew) leaves a quadratic equation in u.
    let square = turn(across, skew);
    let linear = turn(a, skew) + turn(across, along);
    let constant = turn(a, along);
    let root = linear * linear - 4.0 * square * constant;
    if root < 0.0 {
        return None;
    }
    let q = -0.5 * (linear + root.sqrt().copysign(linear));
    let within = |x: f64| (-1e-4..=1.0 + 1e-4).contains(&x).then(|| x.clamp(0.0, 1.0));
    [constant / q, q / square].into_iter().find_map(|u| {
        let u = within(u)?;
        let side = [along[0] + u * skew[0], along[1] + u * skew[1]];
        let foot = [a[0] + u * across[0], a[1] + u * across[1]];
        let v = -(foot[0] * side[0] + foot[1] * side[1]) / (side[0] * side[0] + side[1] * side[1]);
        Some([u, within(v)?])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_shares_bring_the_corners_to_the_origin() {
        let quads = [
            [[-1.0, -1.0], [2.0, -1.0], [2.0, 1.0], [-1.0, 1.0]],
            [[-1.0, -1.0], [2.0, -0.5], [1.0, 1.5], [-0.3, 1.0]],
            // two corners in one
            [[-1.0, -1.0], [2.0, -1.0], [0.2, 1.0], [0.2, 1.0]],
            [[0.2, 1.0], [0.2, 1.0], [-1.0, -1.0], [2.0, -1.0]],
        ];
        for corners in quads {
            let mut reversed = corners;
            reversed.reverse();
            for corners in [corners, reversed] {
                let shares = in_quad(corners, 0.0).unwrap();
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-14);
                for axis in 0..2 {
                    let at: f64 = shares.iter().zip(corners).map(|(s, c)| s * c[axis]).sum();
                    assert!(at.abs() < 1e-14, "{corners:?}: {shares:?}");
                }
            }
        }
    }

    #[test]
    fn a_corner_and_a_side_leave_nothing_to_the_others() {
        let off = 3e-16;
        let corners = [[off, -off], [2.0, -0.5], [1.0, 1.5], [-0.3, 1.0]];
        assert_eq!(in_quad(corners, RIM).unwrap(), [1.0, 0.0, 0.0, 0.0]);
        let corners = [[-1.0, -off], [1.0, off], [1.0, 1.5], [-0.3, 1.0]];
        let shares = in_quad(corners, RIM).unwrap();
        assert!((shares[0] - 0.5).abs() < 1e-14 && shares[2..] == [0.0, 0.0]);
        assert_eq!(
            in_triangle([[off, off], [1.0, 0.0], [0.0, 1.0]], 1e-5).unwrap(),
            [1.0, 0.0, 0.0]
        );
    }

    #[test]
    fn what_lies_beside_is_not_held() {
        assert_eq!(
            in_quad([[1.0, -1.0], [2.0, -1.0], [2.0, 1.0], [1.0, 1.0]], 0.0),
            None
        );
        assert_eq!(in_quad([[1.0, 0.0]; 4], 0.0), None);
        // A corner turned in so far that the origin lies before it.
        assert_eq!(
            in_quad([[-1.0, -1.0], [0.5, 1.0], [3.0, -1.0], [0.5, 3.0]], 0.0),
            None
        );
    }
}
