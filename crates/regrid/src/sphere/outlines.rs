//! The outlines of cells, from their corners or, in a mesh without any, from the centres around.

use super::box_index::{Bounds, BoxIndex, bounds_of};
use super::polygon::{Vertex, area, moment};
use super::rectangle::Rectangle;
use super::topology::{End, Mesh};
use super::vector::{Vector, distance_2, is_finite, mean, point};
use super::{Corners, Refused, SphereCells};

/// The outlines of all cells of a grid.
#[derive(Debug)]
pub(super) enum Outlines {
    /// Between meridians and parallels; none for a cell without extent.
    Rectangles(Vec<Option<Rectangle>>),
    /// Figures of great circles: all corners, cell by cell, and where each cell's end.
    Polygons {
        corners: Vec<Vector>,
        ends: Vec<usize>,
    },
}

/// The outline of one cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outline<'a> {
    Rectangle(&'a Rectangle),
    /// Corners, counter-clockwise.
    Polygon(&'a [Vector]),
}

/// The area of every cell that has corners; `None` if the cells have none.
///
/// - Units: steradians.
/// - Missing data: a cell with a corner that is NaN has no area: 0.
pub(crate) fn areas(cells: &SphereCells) -> Option<Vec<f64>> {
    let corners = cells.corners.as_ref()?;
    let per_cell = corners.per_cell;
    let area = |cell: usize| {
        let own = cell * per_cell..(cell + 1) * per_cell;
        let (latitudes, longitudes) = (&corners.latitudes[own.clone()], &corners.longitudes[own]);
        if corners.along_parallels {
            let rectangle = Rectangle::new(latitudes, longitudes, cells.longitudes[cell]);
            return rectangle.map_or(0.0, |rectangle| rectangle.area());
        }
        let places = latitudes.iter().zip(longitudes);
        let corners: Vec<Vector> = places.map(|(&lat, &lon)| point(lat, lon)).collect();
        let area = Outline::Polygon(&corners).area().abs();
        if area.is_nan() { 0.0 } else { area }
    };
    Some((0..cells.rows * cells.columns).map(area).collect())
}

impl Outlines {
    /// The outlines of the cells of a grid, called `name` in errors.
    ///
    /// Without corners they are the means of the four centres around them; at an edge of a mesh the centres go on as they
    /// end.
    ///
    /// # Errors
    /// [`Refused::NoCorners`] for a list of points without any.
    pub(super) fn new(cells: &SphereCells, name: &'static str) -> Result<Self, Refused> {
        match &cells.corners {
            Some(corners) if corners.along_parallels => Ok(Self::rectangles(cells, corners)),
            Some(corners) => {
                let at: Vec<Vector> = corners
                    .latitudes
                    .iter()
                    .zip(&corners.longitudes)
                    .map(|(&lat, &lon)| point(lat, lon))
                    .collect();
                Ok(Self::polygons(at.chunks(corners.per_cell.max(1))))
            }
            None => {
                let mesh = Mesh::new(cells);
                if !mesh.has_quads() {
                    return Err(Refused::NoCorners { grid: name });
                }
                Ok(Self::polygons(derived(&mesh).iter().map(|c| &c[..])))
            }
        }
    }

    fn rectangles(cells: &SphereCells, corners: &Corners) -> Self {
        let n = corners.per_cell;
        let of = |i: usize| {
            let range = i * n..(i + 1) * n;
            Rectangle::new(
                &corners.latitudes[range.clone()],
                &corners.longitudes[range],
                cells.longitudes[i],
            )
        };
        Self::Rectangles((0..cells.longitudes.len()).map(of).collect())
    }

    fn polygons<'a>(cells: impl Iterator<Item = &'a [Vector]>) -> Self {
        let (mut corners, mut ends) = (Vec::new(), Vec::new());
        for cell in cells {
            let start = corners.len();
            if cell.iter().all(|&c| is_finite(c)) {
                // A cell with fewer corners repeats one; at a pole many longitudes are one place.
                let apart = |a: Vector, b: Vector| distance_2(a, b) > 1e-24;
                for &corner in cell {
                    if corners[start..]
                        .last()
                        .is_none_or(|&last| apart(last, corner))
                    {
                        corners.push(corner);
                    }
                }
                while corners.len() > start + 1
                    && !apart(corners[start], corners[corners.len() - 1])
                {
                    corners.pop();
                }
            }
            if corners.len() < start + 3 {
                corners.truncate(start);
            } else if Outline::Polygon(&corners[start..]).area() < 0.0 {
                corners[start..].reverse();
            }
            ends.push(corners.len());
        }
        Self::Polygons { corners, ends }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Rectangles(cells) => cells.len(),
            Self::Polygons { ends, .. } => ends.len(),
        }
    }

    /// A cell's outline; none if it has no extent.
    pub(super) fn get(&self, cell: usize) -> Option<Outline<'_>> {
        match self {
            Self::Rectangles(cells) => cells[cell].as_ref().map(Outline::Rectangle),
            Self::Polygons { corners, ends } => {
                let start = if cell == 0 { 0 } else { ends[cell - 1] };
                let corners = &corners[start..ends[cell]];
                (!corners.is_empty()).then_some(Outline::Polygon(corners))
            }
        }
    }

    /// The boxes round all cells.
    pub(super) fn index(&self) -> BoxIndex {
        BoxIndex::new((0..self.len()).filter_map(|i| Some((i, self.get(i)?.bounds()))))
    }
}

impl Outline<'_> {
    /// The box in space round the cell.
    pub(super) fn bounds(self) -> Bounds {
        match self {
            Self::Rectangle(rectangle) => rectangle.bounds(),
            Self::Polygon(corners) => bounds_of(corners.iter().copied()),
        }
    }

    /// Area on the unit sphere; negative while corners run clockwise.
    pub(super) fn area(self) -> f64 {
        match self {
            Self::Rectangle(rectangle) => rectangle.area(),
            Self::Polygon(corners) => area(&figure(corners)),
        }
    }

    /// The integral of position over the cell.
    pub(super) fn moment(self) -> Vector {
        match self {
            Self::Rectangle(rectangle) => rectangle.moment(),
            Self::Polygon(corners) => moment(&figure(corners)),
        }
    }
}

fn figure(corners: &[Vector]) -> Vec<Vertex> {
    corners.iter().copied().map(Vertex::great_circle).collect()
}

/// Four corners for each centre of a mesh: the means of the four centres around each.
fn derived(mesh: &Mesh) -> Vec<[Vector; 4]> {
    let width = mesh.distinct() as isize;
    let corner = |row: isize, column: isize| {
        let end = match row {
            0 => mesh.ends[0],
            _ if row == mesh.rows as isize => mesh.ends[1],
            _ => End::Open,
        };
        match end {
            End::Hole { centre } => return centre,
            End::Point => return mesh.beyond(row.min(mesh.rows as isize - 1), 0),
            End::Open | End::Fold { .. } => {}
        }
        let around = [
            (row - 1, column - 1),
            (row - 1, column),
            (row, column - 1),
            (row, column),
        ];
        mean(around.map(|(r, c)| mesh.beyond(r, c))).unwrap_or([f64::NAN; 3])
    };
    let lines: Vec<Vec<Vector>> = (0..=mesh.rows as isize)
        .map(|row| (0..=width).map(|column| corner(row, column)).collect())
        .collect();
    let cell = |row: usize, column: usize| {
        let c = column % mesh.distinct();
        [
            lines[row][c],
            lines[row][c + 1],
            lines[row + 1][c + 1],
            lines[row + 1][c],
        ]
    };
    (0..mesh.rows)
        .flat_map(|row| (0..mesh.columns).map(move |column| (row, column)))
        .map(|(r, c)| cell(r, c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{list, product, tripolar};
    use std::f64::consts::PI;

    fn total(cells: &SphereCells) -> f64 {
        let outlines = Outlines::new(cells, "source").unwrap();
        (0..outlines.len())
            .filter_map(|i| outlines.get(i))
            .map(Outline::area)
            .sum()
    }

    fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| first + step * i as f64).collect()
    }

    #[test]
    fn derived_cells_of_a_closed_mesh_cover_the_sphere_once() {
        let longitudes = steps(0.0, 10.0, 36);
        for latitudes in [steps(-85.0, 10.0, 18), steps(-90.0, 10.0, 19)] {
            assert!((total(&product(&latitudes, &longitudes)) - 4.0 * PI).abs() < 1e-12);
        }
    }

    #[test]
    fn derived_cells_at_an_edge_reach_as_far_out_as_in() {
        let cells = product(&[10.0, 12.0, 14.0], &[0.0, 2.0, 4.0]);
        let outlines = Outlines::new(&cells, "source").unwrap();
        let Some(Outline::Polygon(corners)) = outlines.get(0) else {
            panic!("no outline")
        };
        assert!(
            corners
                .iter()
                .any(|&c| distance_2(c, point(9.0, -1.0)).sqrt() < 1e-4)
        );
        assert!(Outlines::new(&list(&[(0.0, 0.0), (1.0, 1.0)]), "target").is_err());
    }

    #[test]
    fn derived_cells_meet_at_a_fold() {
        // The southern edge is the only one: its length does not depend on the fold.
        let halves = tripolar(40, 30, false);
        let outlines = Outlines::new(&halves, "source").unwrap();
        let fold: Vec<f64> = (29 * 40..30 * 40)
            .filter_map(|i| outlines.get(i))
            .map(Outline::area)
            .collect();
        assert!(fold.iter().all(|&a| a > 0.0));
        for c in 0..20 {
            assert!((fold[c] / fold[39 - c] - 1.0).abs() < 1e-9);
        }
        // On points, each cell of the last row lies on both sides of the fold and is the same as its mirror image.
        let points = tripolar(40, 30, true);
        let outlines = Outlines::new(&points, "source").unwrap();
        for c in 1..20 {
            let [a, b] = [c, 40 - c].map(|c| outlines.get(29 * 40 + c).unwrap().area());
            assert!((a / b - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn repeated_corners_count_once_and_direction_does_not_matter() {
        let mut cells = list(&[(1.0, 1.0), (1.0, 1.0), (0.0, 0.0)]);
        cells.corners = Some(Corners {
            per_cell: 4,
            latitudes: vec![0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            longitudes: vec![0.0, 2.0, 1.0, 1.0, 0.0, 361.0, 2.0, 0.0, 0.0, 1.0, 1.0, 0.0],
            along_parallels: false,
        });
        let outlines = Outlines::new(&cells, "source").unwrap();
        let [a, b] = [0, 1].map(|i| outlines.get(i).unwrap().area());
        assert!(a > 0.0 && (a / b - 1.0).abs() < 1e-12);
        assert!(outlines.get(2).is_none());
    }

    #[test]
    fn cells_of_the_globe_make_the_globe() {
        let cells = crate::grid::Grid::global(7.5)
            .unwrap()
            .sphere_cells()
            .into_owned();
        let total: f64 = areas(&cells).unwrap().iter().sum();
        assert!((total - 4.0 * PI).abs() < 1e-12, "{total}");
    }

    #[test]
    fn an_eighth_of_the_globe_within_great_circles() {
        let corners = Corners {
            per_cell: 4,
            latitudes: vec![0.0, 0.0, 90.0, 90.0],
            longitudes: vec![350.0, 80.0, 80.0, 350.0],
            along_parallels: false,
        };
        let mut cells = crate::grid::Grid::points([30.0], [35.0])
            .unwrap()
            .sphere_cells()
            .into_owned();
        assert_eq!(areas(&cells), None);
        cells.corners = Some(corners);
        assert!((areas(&cells).unwrap()[0] - PI / 2.0).abs() < 1e-14);
    }
}
