//! The gradient of a field on a mesh, by differences between the cells around.

use super::topology::Mesh;
use super::vector::{Vector, cross, dot, minus, times};

/// The neighbours of a cell between which differences are centred: ahead and back along its row, ahead and back along its
/// column.
///
/// At an edge of the mesh the cell itself stands in for the neighbour it lacks; beyond a pole lies the cell opposite. A cell
/// that is not `placed` is its own neighbour, and nobody else's.
pub(super) fn neighbours(mesh: &Mesh, placed: impl Fn(usize) -> bool, cell: usize) -> [usize; 4] {
    if !placed(cell) {
        return [cell; 4];
    }
    [(0, 1), (0, -1), (1, 0), (-1, 0)].map(|(rows, columns)| {
        mesh.neighbour(cell, rows, columns)
            .filter(|&i| placed(i))
            .unwrap_or(cell)
    })
}

/// The gradient at a place in terms of the differences along the row and along the column: what each is to be multiplied
/// with, vectors in the plane that touches the sphere there.
///
/// `ends` are where the neighbours are, in their order. A direction without any neighbour has no part in it.
/// - Units: the field's per radian.
pub(super) fn duals(at: Vector, ends: [Vector; 4]) -> [Vector; 2] {
    let flat = |ahead: Vector, back: Vector| {
        let chord = minus(ahead, back);
        minus(chord, times(at, dot(chord, at)))
    };
    let [a, b] = [flat(ends[0], ends[1]), flat(ends[2], ends[3])];
    // The vectors that give one for one direction and nothing for the other.
    let area = dot(cross(a, b), at);
    if area.abs() > 1e-6 * dot(a, a).max(dot(b, b)) {
        return [
            times(cross(b, at), 1.0 / area),
            times(cross(at, a), 1.0 / area),
        ];
    }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{product, tripolar, turned};
    use crate::sphere::vector::{length, plus, unit};

    /// The gradient of a field at the centre of a cell.
    fn gradient(mesh: &Mesh, field: impl Fn(usize) -> f64, cell: usize) -> Vector {
        let [ahead, back, up, down] = neighbours(mesh, |_| true, cell);
        let ends = [ahead, back, up, down].map(|i| mesh.points[i]);
        let [along, across] = duals(mesh.points[cell], ends);
        plus(
            times(along, field(ahead) - field(back)),
            times(across, field(up) - field(down)),
        )
    }

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
                let got = gradient(&mesh, |i| dot(mesh.points[i], slope), cell);
                let want = minus(slope, times(at, dot(at, slope)));
                // Cells at the tips of a fold are far from square.
                assert!(length(minus(got, want)) < 0.1, "{cell}: {got:?} {want:?}");
                assert!(dot(got, at).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn edges_are_one_sided_and_cells_without_a_place_are_left_out() {
        let mesh = Mesh::new(&product(&[0.0, 1.0, 2.0], &[0.0, 1.0, 2.0]));
        let all = |cell| neighbours(&mesh, |_| true, cell);
        assert_eq!(all(4), [5, 3, 7, 1]);
        assert_eq!(all(0), [1, 0, 3, 0]);
        assert_eq!(all(5), [5, 4, 8, 2]);
        assert_eq!(neighbours(&mesh, |i| i != 3, 4), [5, 4, 7, 1]);
        assert_eq!(neighbours(&mesh, |i| i != 3, 3), [3; 4]);
        // One to the north for each degree; no direction gives a vector that is none.
        let north = gradient(&mesh, |i| (i / 3) as f64, 1);
        assert!(
            (length(north) - 1_f64.to_degrees()).abs() < 0.01,
            "{north:?}"
        );
        let at = mesh.points[0];
        assert_eq!(duals(at, [at; 4]), [[0.0; 3]; 2]);
    }
}
