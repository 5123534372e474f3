//! The gradient of a field on a mesh, as weights of the cells around.

use super::topology::Mesh;
use super::vector::{Vector, cross, dot, is_finite, minus, plus, times};

/// A gradient: each cell's value times a vector in the plane that touches the sphere.
pub(super) type Gradient = Vec<(usize, Vector)>;

/// The gradient at a cell from centred differences along the rows and along the columns of a mesh.
///
/// At an edge of the mesh the cell itself stands in for the neighbour it lacks; beyond a pole lies the cell opposite. It
/// has no part along a direction without any neighbour, and none at all without two.
/// - Units: the field's per radian.
pub(super) fn gradient(mesh: &Mesh, centroids: &[Vector], cell: usize) -> Gradient {
    let at = centroids[cell];
    if !is_finite(at) {
        return Vec::new();
    }
    let placed = |i: &usize| is_finite(centroids[*i]);
    let pair = |rows: isize, columns: isize| {
        let [back, ahead] = [-1, 1].map(|way| {
            mesh.neighbour(cell, way * rows, way * columns)
                .filter(placed)
                .unwrap_or(cell)
        });
        let chord = minus(centroids[ahead], centroids[back]);
        let flat = minus(chord, times(at, dot(chord, at)));
        (back, ahead, flat)
    };
    let [along, across] = [pair(0, 1), pair(1, 0)];
    let [a, b] = [along.2, across.2];
    // The vectors that give one for one direction and nothing for the other.
    let area = dot(cross(a, b), at);
    let duals = if area.abs() > 1e-6 * dot(a, a).max(dot(b, b)) {
        [
            times(cross(b, at), 1.0 / area),
            times(cross(at, a), 1.0 / area),
        ]
    } else {
        let own = |d: Vector| {
            if dot(d, d) > 0.0 {
                times(d, 1.0 / dot(d, d))
            } else {
                [0.0; 3]
            }
        };
        if dot(a, a) > dot(b, b) {
            [own(a), [0.0; 3]]
        } else {
            [[0.0; 3], own(b)]
        }
    };
    let mut gradient = Gradient::with_capacity(4);
    for ((back, ahead, _), dual) in [along, across].into_iter().zip(duals) {
        for (cell, weight) in [(ahead, dual), (back, times(dual, -1.0))] {
            match gradient.iter_mut().find(|g| g.0 == cell) {
                Some((_, sum)) => *sum = plus(*sum, weight),
                None => gradient.push((cell, weight)),
            }
        }
    }
    gradient.retain(|&(_, weight)| dot(weight, weight) > 0.0);
    gradient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{product, tripolar, turned};
    use crate::sphere::vector::{distance_2, length, unit};

    #[test]
    fn a_smooth_field_has_its_gradient_everywhere_inside() {
        let steps = |first: f64, step: f64, n: usize| {
            (0..n).map(|i| first + step * i as f64).collect::<Vec<_>>()
        };
        let globe = product(&steps(-88.0, 4.0, 45), &steps(0.0, 4.0, 90));
        let slope = unit([0.4, -0.7, 0.6]);
        for cells in [
            globe.clone(),
            turned(&globe, 30.0, 60.0),
            tripolar(90, 60, false),
            tripolar(90, 60, true),
        ] {
            let mesh = Mesh::new(&cells);
            for cell in 2 * mesh.columns..mesh.points.len() {
                // At the tips of a fold through points the neighbours on both sides are the same.
                if cell >= 59 * 90 && cells.rows == 60 && cell % 45 == 0 {
                    continue;
                }
                let at = mesh.points[cell];
                let got = gradient(&mesh, &mesh.points, cell)
                    .into_iter()
                    .fold([0.0; 3], |sum, (i, w)| {
                        plus(sum, times(w, dot(mesh.points[i], slope)))
                    });
                let want = minus(slope, times(at, dot(at, slope)));
                // Cells at the tips of a fold are far from square.
                assert!(length(minus(got, want)) < 0.1, "{cell}: {got:?} {want:?}");
                assert!(dot(got, at).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn edges_are_one_sided_and_a_constant_has_none() {
        let mesh = Mesh::new(&product(&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0]));
        for cell in 0..9 {
            let gradient = gradient(&mesh, &mesh.points, cell);
            let sum = gradient.iter().fold([0.0; 3], |sum, g| plus(sum, g.1));
            assert!(distance_2(sum, [0.0; 3]) < 1e-20);
            assert_eq!(
                gradient.len(),
                if cell == 4 {
                    4
                } else if cell % 2 == 0 {
                    3
                } else {
                    3 + usize::from(cell != 4)
                }
            );
        }
    }
}
