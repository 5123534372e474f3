//! The outlines of cells, from their corners or, in a mesh without any, from the centres around.

use super::box_index::{Bounds, BoxIndex, bounds_of};
use super::lattice::Lattice;
use super::polygon::{Vertex, area, moment};
use super::rectangle::Rectangle;
use super::shared::{neighbours_before, number, push_corners};
use super::topology::{End, Mesh};
use super::vector::{Vector, distance_2, is_finite, mean, point, times};
use super::{Cells, Cornered, Refused};

/// The outlines of all cells of a grid, each made when it is asked for.
pub(super) struct Outlines<'a> {
    cells: &'a dyn Cells,
    shapes: Shapes,
}

/// What outlines are made of.
#[derive(Debug)]
enum Shapes {
    /// The cells' own corners, meridians and parallels between them.
    Rectangles,
    /// The cells' own corners, great circles between them.
    Corners { per_cell: usize },
    /// The means of the centres around.
    Derived(Crossings),
    /// Corners that meet, of cells that are asked for again and again: with what tidying each cell comes to, unless all stay
    /// as they are.
    Tidied(Crossings, Vec<Tidied>),
    /// Other figures of great circles that are asked for again and again: corners, each once where neighbours share it; which of
    /// them each cell has; and where each cell's end.
    Kept {
        points: Vec<Vector>,
        corners: Vec<u32>,
        ends: Vec<u32>,
    },
}

/// The outline of one cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outline<'a> {
    Rectangle(Rectangle),
    /// Corners, counter-clockwise.
    Polygon(&'a [Vector]),
}

/// The area of every cell, by its corners, or by those between centres of a mesh; `None` for points without corners.
///
/// - Units: steradians.
/// - Missing data: a cell with a corner that is NaN has no area: 0.
pub(crate) fn areas(cells: &dyn Cells) -> Option<Vec<f64>> {
    let outlines = Outlines::new(cells, "target").ok()?;
    let mut room = Vec::new();
    let area = |cell: usize| {
        let area = match outlines.get(cell, &mut room) {
            Some(Outline::Rectangle(rectangle)) => rectangle.area(),
            Some(outline) => outline.area().abs(),
            None => 0.0,
        };
        if area.is_nan() { 0.0 } else { area }
    };
    Some((0..cells.len()).map(area).collect())
}

fn rectangle(cells: &dyn Cells, cell: usize) -> Option<Rectangle> {
    let corners = [0, 1, 2, 3].map(|corner| cells.corner(cell, corner));
    Rectangle::new(
        &corners.map(|corner| corner.0),
        &corners.map(|corner| corner.1),
        cells.centre(cell).1,
    )
}

/// Where a cell's corners are.
fn places(cells: &dyn Cells, cell: usize, per_cell: usize) -> impl Iterator<Item = Vector> {
    (0..per_cell).map(move |corner| {
        let (latitude, longitude) = cells.corner(cell, corner);
        point(latitude, longitude)
    })
}

impl<'a> Outlines<'a> {
    /// The outlines of the cells of a grid, called `name` in errors.
    ///
    /// Without corners they are the means of the four centres around them; at an edge of a mesh the centres go on as they
    /// end.
    ///
    /// # Errors
    /// [`Refused::NoCorners`] for a list of points without any.
    pub(super) fn new(cells: &'a dyn Cells, name: &'static str) -> Result<Self, Refused> {
        let shapes = match cells.cornered() {
            Some(corners) if corners.along_parallels => Shapes::Rectangles,
            Some(Cornered { per_cell, .. }) => Shapes::Corners { per_cell },
            None => {
                let mesh = Mesh::new(cells);
                if !mesh.has_quads() {
                    return Err(Refused::NoCorners { grid: name });
                }
                Shapes::Derived(Crossings::between(&mesh))
            }
        };
        Ok(Self { cells, shapes })
    }

    /// The same, for outlines that are asked for again and again.
    pub(super) fn kept(self) -> Self {
        let cells = self.cells;
        let crossings = match self.shapes {
            Shapes::Derived(crossings) => crossings,
            Shapes::Corners { .. } => match cells.lattice() {
                Some(lattice) => Crossings::of(cells, lattice),
                None => return self.listed(),
            },
            shapes => return Self { cells, shapes },
        };
        let all = 0..cells.len();
        let tidied = all.map(|cell| Tidied::new(crossings.cell(cell)));
        let mut tidied: Vec<Tidied> = tidied.collect();
        if tidied.iter().all(|&cell| cell == Tidied::AS_IT_IS) {
            tidied = Vec::new();
        }
        Self {
            cells,
            shapes: Shapes::Tidied(crossings, tidied),
        }
    }

    /// The same, each corner once where neighbours share it.
    fn listed(self) -> Self {
        let (mut points, mut corners) = (Vec::<Vector>::new(), Vec::<u32>::new());
        let mut ends: Vec<u32> = Vec::with_capacity(self.len());
        let columns = self.cells.shape().1;
        let mut room = Vec::new();
        for cell in 0..self.len() {
            if let Some(Outline::Polygon(own)) = self.get(cell, &mut room) {
                let before = neighbours_before(cell, columns).map(|other| {
                    let start = other.checked_sub(1).map_or(0, |o| ends[o]);
                    start as usize..ends[other] as usize
                });
                let own = own.iter().copied();
                push_corners(&mut points, &mut corners, before, own, |a, b| a == b);
            }
            ends.push(number(corners.len()));
        }
        points.shrink_to_fit();
        corners.shrink_to_fit();
        Self {
            cells: self.cells,
            shapes: Shapes::Kept {
                points,
                corners,
                ends,
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// A cell's outline, in `room` if it takes some; none if it has no extent.
    pub(super) fn get<'r>(&self, cell: usize, room: &'r mut Vec<Vector>) -> Option<Outline<'r>> {
        room.clear();
        match &self.shapes {
            Shapes::Rectangles => return rectangle(self.cells, cell).map(Outline::Rectangle),
            Shapes::Corners { per_cell } => {
                room.extend(places(self.cells, cell, *per_cell));
                tidy(room);
            }
            Shapes::Derived(crossings) => {
                room.extend(crossings.cell(cell));
                tidy(room);
            }
            Shapes::Tidied(crossings, tidied) => {
                let tidied = tidied.get(cell).copied().unwrap_or(Tidied::AS_IT_IS);
                tidied.apply(crossings.cell(cell), room);
            }
            Shapes::Kept {
                points,
                corners,
                ends,
            } => {
                let start = cell
                    .checked_sub(1)
                    .map_or(0, |before| ends[before] as usize);
                let own = &corners[start..ends[cell] as usize];
                room.extend(own.iter().map(|&at| points[at as usize]));
            }
        }
        (!room.is_empty()).then_some(Outline::Polygon(room))
    }

    /// The boxes round all cells.
    pub(super) fn index(&self) -> BoxIndex {
        let mut room = Vec::new();
        let boxes =
            (0..self.len()).filter_map(|cell| Some((cell, self.get(cell, &mut room)?.bounds())));
        BoxIndex::new(boxes, self.len())
    }
}

/// What tidying four corners comes to: a bit for each that stays, and one for their being in reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tidied(u8);

impl Tidied {
    const REVERSED: u8 = 1 << 4;
    const AS_IT_IS: Self = Self(0b1111);

    fn new(corners: [Vector; 4]) -> Self {
        let mut tidied = corners.to_vec();
        let reversed = tidy(&mut tidied);
        if reversed {
            tidied.reverse();
        }
        // They stay in their order, of equal ones the first.
        let mut left = tidied.into_iter().peekable();
        let stays = |n: usize| left.next_if_eq(&corners[n]).map_or(0, |_| 1 << n);
        let stay = (0..corners.len()).map(stays).fold(0, |all, bit| all | bit);
        Self(if reversed {
            stay | Self::REVERSED
        } else {
            stay
        })
    }

    /// Adds those of the corners that stay.
    fn apply(self, corners: [Vector; 4], room: &mut Vec<Vector>) {
        let stay = (0..corners.len()).filter(|n| self.0 & (1 << n) != 0);
        room.extend(stay.map(|n| corners[n]));
        if self.0 & Self::REVERSED != 0 {
            room.reverse();
        }
    }
}

/// Makes an outline of corners: each once, counter-clockwise; nothing of those that enclose nothing. Whether they are in
/// reverse then.
fn tidy(corners: &mut Vec<Vector>) -> bool {
    if !corners.iter().all(|&c| is_finite(c)) {
        corners.clear();
        return false;
    }
    // A cell with fewer corners repeats one; at a pole many longitudes are one place.
    let same = |a: Vector, b: Vector| distance_2(a, b) <= 1e-24;
    corners.dedup_by(|corner, last| same(*last, *corner));
    while corners.len() > 1 && same(corners[0], corners[corners.len() - 1]) {
        corners.pop();
    }
    if corners.len() < 3 {
        corners.clear();
        return false;
    }
    let clockwise = Outline::Polygon(corners).area() < 0.0;
    if clockwise {
        corners.reverse();
    }
    clockwise
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

    /// The centre of mass, a little within the sphere; not a number without an area.
    pub(super) fn middle(self) -> Vector {
        let (moment, area) = match self {
            Self::Rectangle(rectangle) => (rectangle.moment(), rectangle.area()),
            Self::Polygon(corners) => {
                let figure = figure(corners);
                (moment(&figure), area(&figure))
            }
        };
        times(moment, 1.0 / area)
    }
}

fn figure(corners: &[Vector]) -> Vec<Vertex> {
    corners.iter().copied().map(Vertex::great_circle).collect()
}

/// Corners that meet in rows and columns.
#[derive(Debug)]
struct Crossings {
    corners: Vec<Vector>,
    lattice: Lattice,
}

impl Crossings {
    /// The corners between the centres of a mesh: the means of the four centres around each.
    ///
    /// Each row goes from before its first centre to after the last that does not repeat one.
    fn between(mesh: &Mesh) -> Self {
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
        let distinct = mesh.distinct();
        let mut corners = Vec::with_capacity((mesh.rows + 1) * (distinct + 1));
        for row in 0..=mesh.rows as isize {
            corners.extend((0..=distinct as isize).map(|column| corner(row, column)));
        }
        Self {
            corners,
            lattice: Lattice::new(mesh.rows, mesh.columns, distinct),
        }
    }

    /// The corners that cells have themselves.
    fn of(cells: &dyn Cells, lattice: Lattice) -> Self {
        let place = |(cell, corner)| {
            let (latitude, longitude) = cells.corner(cell, corner);
            point(latitude, longitude)
        };
        Self {
            corners: lattice.crossings().map(place).collect(),
            lattice,
        }
    }

    /// The four corners of a cell.
    fn cell(&self, cell: usize) -> [Vector; 4] {
        self.lattice.places(cell).map(|at| self.corners[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::SphereCells;
    use crate::sphere::cells::Corners;
    use crate::sphere::tests::{list, product, tripolar};
    use std::f64::consts::PI;

    fn total(cells: &SphereCells) -> f64 {
        let outlines = Outlines::new(cells, "source").unwrap();
        (0..outlines.len())
            .filter_map(|i| outlines.get(i, &mut Vec::new()).map(Outline::area))
            .sum()
    }

    /// The corners of cells of four.
    fn great_circles(latitudes: &[f64], longitudes: &[f64]) -> Corners {
        let all: Vec<_> = latitudes
            .iter()
            .copied()
            .zip(longitudes.iter().copied())
            .collect();
        let kind = Cornered {
            per_cell: 4,
            along_parallels: false,
        };
        Corners::new(kind, all.len() / 4, 1, |cell, corner| {
            all[4 * cell + corner]
        })
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
        let mut room = Vec::new();
        let Some(Outline::Polygon(corners)) = outlines.get(0, &mut room) else {
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
            .filter_map(|i| outlines.get(i, &mut Vec::new()).map(Outline::area))
            .collect();
        assert!(fold.iter().all(|&a| a > 0.0));
        for c in 0..20 {
            assert!((fold[c] / fold[39 - c] - 1.0).abs() < 1e-9);
        }
        // On points, each cell of the last row lies on both sides of the fold and is the same as its mirror image.
        let points = tripolar(40, 30, true);
        let outlines = Outlines::new(&points, "source").unwrap();
        for c in 1..20 {
            let [a, b] =
                [c, 40 - c].map(|c| outlines.get(29 * 40 + c, &mut Vec::new()).unwrap().area());
            assert!((a / b - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn outlines_that_are_kept_are_the_same() {
        // Derived, clockwise too, with a hole at the pole and without; of corners, some of which repeat, and run either way,
        // in cells that meet and in others.
        let latitudes = [steps(-85.0, 10.0, 18), steps(90.0, -10.0, 19)];
        let derived = latitudes.map(|latitudes| product(&latitudes, &steps(0.0, 10.0, 37)));
        let cornered = [2, 3].map(|count| {
            let mut cells = list(&[(1.0, 1.0), (1.0, 1.0), (41.0, 1.0)][..count]);
            let corners = great_circles(
                &[
                    0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0, 0.0, 40.0, 40.0, 42.0, 42.0,
                ][..4 * count],
                &[0.0, 2.0, 1.0, 1.0, 0.0, 361.0, 2.0, 0.0, 0.0, 2.0, 2.0, 0.0][..4 * count],
            );
            assert_eq!(corners.lattice().is_some(), count == 2);
            cells.corners = Some(corners);
            cells
        });
        for cells in derived
            .iter()
            .chain(&cornered)
            .chain([&tripolar(20, 10, true)])
        {
            let fresh = Outlines::new(cells, "source").unwrap();
            let kept = Outlines::new(cells, "source").unwrap().kept();
            let mut rooms = [Vec::new(), Vec::new()];
            let mut reversed = 0;
            for cell in 0..fresh.len() {
                fresh.get(cell, &mut rooms[0]);
                kept.get(cell, &mut rooms[1]);
                assert_eq!(rooms[0], rooms[1], "{cell}");
                if let Shapes::Tidied(_, tidied) = &kept.shapes {
                    let own = tidied.get(cell).unwrap_or(&Tidied::AS_IT_IS);
                    reversed += usize::from(own.0 & Tidied::REVERSED != 0);
                }
            }
            let falls = cells.rows == 19 || cells.len() == 2;
            assert_eq!(reversed > 0, falls, "{} rows", cells.rows);
        }
    }

    #[test]
    fn repeated_corners_count_once_and_direction_does_not_matter() {
        let mut cells = list(&[(1.0, 1.0), (1.0, 1.0), (0.0, 0.0)]);
        let latitudes = [0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let longitudes = [0.0, 2.0, 1.0, 1.0, 0.0, 361.0, 2.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        cells.corners = Some(great_circles(&latitudes, &longitudes));
        let outlines = Outlines::new(&cells, "source").unwrap();
        let [a, b] = [0, 1].map(|i| outlines.get(i, &mut Vec::new()).unwrap().area());
        assert!(a > 0.0 && (a / b - 1.0).abs() < 1e-12);
        assert!(outlines.get(2, &mut Vec::new()).is_none());
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
        let corners = great_circles(&[0.0, 0.0, 90.0, 90.0], &[350.0, 80.0, 80.0, 350.0]);
        let mut cells = crate::grid::Grid::points([30.0], [35.0])
            .unwrap()
            .sphere_cells()
            .into_owned();
        assert_eq!(areas(&cells), None);
        cells.corners = Some(corners);
        assert!((areas(&cells).unwrap()[0] - PI / 2.0).abs() < 1e-14);
    }
}
