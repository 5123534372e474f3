//! Cells on the sphere: centres, and corners where they have some.

use std::borrow::Cow;

use super::lattice::Lattice;
use super::shared::{neighbours_before, push_corners};
use crate::axis::{AxisKind, Latitudes, Longitudes};
use crate::error::Error;

/// Cells on the sphere, row by row: their centres, and their corners where they have some.
///
/// A list of points is one row. Latitudes are degrees north, longitudes degrees east of any turn. A cell whose centre is
/// NaN has no place and never takes part; one with a corner that is NaN has no area. Two cells without a place are equal.
#[derive(Debug, Clone)]
pub(crate) struct SphereCells {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) latitudes: Vec<f64>,
    pub(crate) longitudes: Vec<f64>,
    pub(crate) corners: Option<Corners>,
}

/// The corners of cells, the same number for each; a cell with fewer repeats one. Those that neighbours share are held once.
#[derive(Debug, Clone)]
pub(crate) struct Corners {
    pub(crate) kind: Cornered,
    cells: usize,
    /// Latitude and longitude.
    points: Vec<(f64, f64)>,
    places: Places,
}

/// Which of the points are a cell's corners, in one direction round it.
#[derive(Debug, Clone)]
enum Places {
    /// Those of a lattice.
    Lattice(Lattice),
    /// Corner by corner, cell by cell.
    Listed(Vec<u32>),
}

/// Cells as methods look at them, one by one: held in memory, or made as they are asked for.
pub(crate) trait Cells: Sync {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);

    /// The latitude and longitude of a centre.
    fn centre(&self, cell: usize) -> (f64, f64);

    /// What corners cells have, if any.
    fn cornered(&self) -> Option<Cornered>;

    /// The latitude and longitude of one of a cell's corners.
    fn corner(&self, cell: usize, corner: usize) -> (f64, f64);

    /// The lattice in which the cells' corners are known to meet.
    fn lattice(&self) -> Option<Lattice> {
        None
    }

    /// Number of cells.
    fn len(&self) -> usize {
        let (rows, columns) = self.shape();
        rows * columns
    }
}

/// What corners cells have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cornered {
    pub(crate) per_cell: usize,
    /// Whether edges run along parallels and meridians rather than great circles.
    pub(crate) along_parallels: bool,
}

impl Cells for SphereCells {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    fn centre(&self, cell: usize) -> (f64, f64) {
        (self.latitudes[cell], self.longitudes[cell])
    }

    fn cornered(&self) -> Option<Cornered> {
        self.corners.as_ref().map(|corners| corners.kind)
    }

    fn corner(&self, cell: usize, corner: usize) -> (f64, f64) {
        let corners = self.corners.as_ref().expect("it is asked first");
        corners.point(cell, corner)
    }

    fn lattice(&self) -> Option<Lattice> {
        self.corners.as_ref()?.lattice()
    }
}

impl SphereCells {
    /// The latitude and longitude of a corner, all of them counted cell by cell; nothing without corners.
    pub(crate) fn corner_number(&self, at: usize) -> Option<(f64, f64)> {
        Some(self.corners.as_ref()?.numbered(at))
    }
}

impl Cells for Cow<'_, SphereCells> {
    fn shape(&self) -> (usize, usize) {
        (**self).shape()
    }

    fn centre(&self, cell: usize) -> (f64, f64) {
        (**self).centre(cell)
    }

    fn cornered(&self) -> Option<Cornered> {
        (**self).cornered()
    }

    fn corner(&self, cell: usize, corner: usize) -> (f64, f64) {
        (**self).corner(cell, corner)
    }

    fn lattice(&self) -> Option<Lattice> {
        (**self).lattice()
    }
}

/// The cells of a rectilinear grid, which take eighty bytes each where they are held.
#[derive(Debug, Clone)]
pub(crate) struct Rectilinear<'a> {
    y: (&'a [f64], Vec<[f64; 2]>),
    x: (&'a [f64], Vec<[f64; 2]>),
}

impl<'a> Rectilinear<'a> {
    pub(crate) fn new(latitudes: &'a Latitudes, longitudes: &'a Longitudes) -> Self {
        Self {
            y: (latitudes.centres(), latitudes.cell_bounds()),
            x: (longitudes.centres(), longitudes.cell_bounds()),
        }
    }
}

impl Cells for Rectilinear<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.y.0.len(), self.x.0.len())
    }

    fn centre(&self, cell: usize) -> (f64, f64) {
        let columns = self.x.0.len();
        (self.y.0[cell / columns], self.x.0[cell % columns])
    }

    fn cornered(&self) -> Option<Cornered> {
        Some(Cornered {
            per_cell: 4,
            along_parallels: true,
        })
    }

    fn corner(&self, cell: usize, corner: usize) -> (f64, f64) {
        let columns = self.x.0.len();
        product_corner(self.y.1[cell / columns], self.x.1[cell % columns], corner)
    }
}

/// One of the four corners between two ys and two xs.
fn product_corner([low, high]: [f64; 2], [first, last]: [f64; 2], corner: usize) -> (f64, f64) {
    [(low, first), (low, last), (high, last), (high, first)][corner]
}

/// A latitude may lie this far beyond a pole: the rounding of a 32-bit float.
const BEYOND_POLE: f64 = 1e-5;

/// Whether all numbers are the same, NaN being the same as NaN.
fn same(a: &[f64], b: &[f64]) -> bool {
    let equal = |(x, y): (&f64, &f64)| x == y || (x.is_nan() && y.is_nan());
    a.len() == b.len() && a.iter().zip(b).all(equal)
}

impl PartialEq for Corners {
    fn eq(&self, other: &Self) -> bool {
        let equal = |(x, y): (f64, f64)| x == y || (x.is_nan() && y.is_nan());
        self.kind == other.kind
            && self.cells == other.cells
            && self.latitudes().zip(other.latitudes()).all(equal)
            && self.longitudes().zip(other.longitudes()).all(equal)
    }
}

impl PartialEq for SphereCells {
    fn eq(&self, other: &Self) -> bool {
        self.same_centres(other) && self.corners == other.corners
    }
}

impl SphereCells {
    /// Cells by their centres and corners, which are latitudes and longitudes, checked.
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        mut latitudes: Vec<f64>,
        mut longitudes: Vec<f64>,
        corners: Option<(Vec<f64>, Vec<f64>)>,
    ) -> Result<Self, Error> {
        let count = rows.saturating_mul(columns);
        if count == 0 {
            return Err(Error::EmptyAxis {
                axis: if rows == 0 {
                    AxisKind::Latitude
                } else {
                    AxisKind::Longitude
                },
            });
        }
        for (what, got) in [
            ("latitudes", latitudes.len()),
            ("longitudes", longitudes.len()),
        ] {
            if got != count {
                return Err(Error::CellCount {
                    what,
                    got,
                    expected: count,
                });
            }
        }
        check(AxisKind::Latitude, &mut latitudes)?;
        check(AxisKind::Longitude, &mut longitudes)?;
        // A cell with half a place has none.
        for (latitude, longitude) in latitudes.iter_mut().zip(&mut longitudes) {
            if latitude.is_nan() || longitude.is_nan() {
                (*latitude, *longitude) = (f64::NAN, f64::NAN);
            }
        }
        if latitudes.iter().all(|x| x.is_nan()) {
            return Err(Error::EmptyAxis {
                axis: AxisKind::Latitude,
            });
        }
        let corners = corners
            .map(|(latitudes, longitudes)| Corners::checked(rows, columns, latitudes, longitudes))
            .transpose()?;
        Ok(Self {
            rows,
            columns,
            latitudes,
            longitudes,
            corners,
        })
    }

    /// Whether the centres of both are the same.
    pub(crate) fn same_centres(&self, other: &Self) -> bool {
        (self.rows, self.columns) == (other.rows, other.columns)
            && same(&self.latitudes, &other.latitudes)
            && same(&self.longitudes, &other.longitudes)
    }

    /// The lowest and the highest latitude of a centre.
    pub(crate) fn latitude_span(&self) -> (f64, f64) {
        let placed = self.latitudes.iter().filter(|x| !x.is_nan());
        placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        })
    }

    /// The cells of a rectilinear grid.
    pub(crate) fn rectilinear(latitudes: &Latitudes, longitudes: &Longitudes) -> Self {
        Self::outer(
            (latitudes.centres(), &latitudes.cell_bounds()),
            (longitudes.centres(), &longitudes.cell_bounds()),
        )
    }

    /// Every row's y with every column's x, corners from the bounds of both.
    pub(crate) fn outer(
        (y, y_bounds): (&[f64], &[[f64; 2]]),
        (x, x_bounds): (&[f64], &[[f64; 2]]),
    ) -> Self {
        let mut cells = Self::outer_centres(y, x);
        let (rows, columns) = (cells.rows, cells.columns);
        let kind = Cornered {
            per_cell: 4,
            along_parallels: true,
        };
        let corners = Corners::new(kind, rows * columns, columns, |cell, corner| {
            product_corner(y_bounds[cell / columns], x_bounds[cell % columns], corner)
        });
        cells.corners = Some(corners);
        cells
    }

    /// Every row's y with every column's x, without corners, which take four times as much memory as centres.
    pub(crate) fn outer_centres(y: &[f64], x: &[f64]) -> Self {
        let row = |&y: &f64| std::iter::repeat_n(y, x.len());
        Self {
            rows: y.len(),
            columns: x.len(),
            latitudes: y.iter().flat_map(row).collect(),
            longitudes: x.repeat(y.len()),
            corners: None,
        }
    }
}

impl Corners {
    /// Corners of so many cells in rows of so many columns.
    pub(crate) fn new(
        kind: Cornered,
        cells: usize,
        columns: usize,
        corner: impl Fn(usize, usize) -> (f64, f64),
    ) -> Self {
        let n = kind.per_cell;
        // Numbers that are not numbers have to stay as they are too.
        let bits = |(y, x): (f64, f64)| [y, x].map(f64::to_bits);
        let same = |a, b| bits(a) == bits(b);
        let shape = (cells / columns.max(1), columns);
        let lattice = (n == 4 && cells > 0).then(|| Lattice::of(shape, &corner, same));
        if let Some(lattice) = lattice.flatten() {
            let points = lattice.crossings().map(|(cell, k)| corner(cell, k));
            return Self {
                kind,
                cells,
                points: points.collect(),
                places: Places::Lattice(lattice),
            };
        }
        let (mut points, mut places) = (Vec::new(), Vec::with_capacity(n * cells));
        for cell in 0..cells {
            let before = neighbours_before(cell, columns).map(|other| n * other..n * (other + 1));
            let own = (0..n).map(|k| corner(cell, k));
            push_corners(&mut points, &mut places, before, own, same);
        }
        points.shrink_to_fit();
        Self {
            kind,
            cells,
            points,
            places: Places::Listed(places),
        }
    }

    /// The lattice in which the cells meet, if they do.
    pub(super) fn lattice(&self) -> Option<Lattice> {
        match self.places {
            Places::Lattice(lattice) => Some(lattice),
            Places::Listed(_) => None,
        }
    }

    fn point(&self, cell: usize, corner: usize) -> (f64, f64) {
        let at = match &self.places {
            Places::Lattice(lattice) => lattice.places(cell)[corner],
            Places::Listed(places) => places[cell * self.kind.per_cell + corner] as usize,
        };
        self.points[at]
    }

    /// A corner by its number, all of them counted cell by cell.
    fn numbered(&self, at: usize) -> (f64, f64) {
        self.point(at / self.kind.per_cell, at % self.kind.per_cell)
    }

    /// The latitudes, corner by corner, cell by cell.
    pub(crate) fn latitudes(&self) -> impl ExactSizeIterator<Item = f64> {
        (0..self.cells * self.kind.per_cell).map(|at| self.numbered(at).0)
    }

    /// The longitudes, corner by corner, cell by cell.
    pub(crate) fn longitudes(&self) -> impl ExactSizeIterator<Item = f64> {
        (0..self.cells * self.kind.per_cell).map(|at| self.numbered(at).1)
    }

    /// The same corners elsewhere.
    pub(crate) fn map(&mut self, to: impl Fn(f64, f64) -> (f64, f64)) {
        self.points.iter_mut().for_each(|p| *p = to(p.0, p.1));
    }

    /// Corners of cells in rows and columns, checked.
    fn checked(
        rows: usize,
        columns: usize,
        mut latitudes: Vec<f64>,
        mut longitudes: Vec<f64>,
    ) -> Result<Self, Error> {
        let cells = rows * columns;
        let per_cell = latitudes.len() / cells;
        if per_cell < 3 || latitudes.len() != per_cell * cells {
            return Err(Error::CellCount {
                what: "corner latitudes",
                got: latitudes.len(),
                expected: cells * per_cell.max(4),
            });
        }
        if longitudes.len() != latitudes.len() {
            return Err(Error::CellCount {
                what: "corner longitudes",
                got: longitudes.len(),
                expected: latitudes.len(),
            });
        }
        check(AxisKind::Latitude, &mut latitudes)?;
        check(AxisKind::Longitude, &mut longitudes)?;
        let kind = Cornered {
            per_cell,
            along_parallels: false,
        };
        Ok(Self::new(kind, cells, columns, |cell, corner| {
            let at = cell * per_cell + corner;
            (latitudes[at], longitudes[at])
        }))
    }
}

/// Refuses coordinates that are infinite or beyond a pole or many turns away; brings those a rounding beyond a pole back.
fn check(axis: AxisKind, values: &mut [f64]) -> Result<(), Error> {
    let most = match axis {
        AxisKind::Latitude => 90.0 + BEYOND_POLE,
        _ => 1e5,
    };
    if let Some(index) = values.iter().position(|x| x.abs() > most) {
        return Err(Error::AxisValue {
            axis,
            index,
            value: values[index],
        });
    }
    if axis == AxisKind::Latitude {
        values.iter_mut().for_each(|x| *x = x.clamp(-90.0, 90.0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_a_place_is_no_fault_but_one_beyond_a_pole_is() {
        let nan = f64::NAN;
        let cells =
            SphereCells::new((1, 3), vec![1.0, nan, 90.000001], vec![2.0, 3.0, 4.0], None).unwrap();
        assert!(cells.longitudes[1].is_nan());
        assert_eq!(cells.latitudes[2], 90.0);
        assert_eq!(cells, cells.clone());
        assert_eq!(cells.latitude_span(), (1.0, 90.0));
        let beyond = SphereCells::new((1, 2), vec![1.0, 91.0], vec![2.0, 3.0], None);
        assert!(matches!(beyond, Err(Error::AxisValue { index: 1, .. })));
        let nowhere = SphereCells::new((1, 1), vec![nan], vec![2.0], None);
        assert!(matches!(nowhere, Err(Error::EmptyAxis { .. })));
    }

    #[test]
    fn rectilinear_cells_are_the_same_held_and_made() {
        let latitudes = Latitudes::new(vec![-60.0, 0.0, 50.0], None).unwrap();
        let longitudes = Longitudes::new(vec![350.0, 10.0], None).unwrap();
        let held = SphereCells::rectilinear(&latitudes, &longitudes);
        let made = Rectilinear::new(&latitudes, &longitudes);
        assert_eq!((made.shape(), made.len()), (held.shape(), 6));
        for cell in 0..6 {
            assert_eq!(made.centre(cell), held.centre(cell));
            for corner in 0..4 {
                assert_eq!(made.corner(cell, corner), held.corner(cell, corner));
            }
        }
        let both = [made.cornered(), held.cornered()].map(Option::unwrap);
        assert!(both.iter().all(|c| c.per_cell == 4 && c.along_parallels));
    }

    #[test]
    fn corners_that_neighbours_share_are_held_once() {
        let latitudes = Latitudes::new((0..20).map(f64::from).collect(), None).unwrap();
        let longitudes = Longitudes::new((0..30).map(f64::from).collect(), None).unwrap();
        let corners = SphereCells::rectilinear(&latitudes, &longitudes)
            .corners
            .unwrap();
        assert_eq!(corners.points.len(), 21 * 31);
        assert!(matches!(corners.places, Places::Lattice(_)));
        // Those of masked cells are no numbers, and still the same; they meet with no others.
        let nowhere = |_, _| (f64::NAN, f64::NAN);
        let masked = |from: usize| {
            Corners::new(corners.kind, 600, 30, |cell, corner| match cell >= from {
                true => nowhere(cell, corner),
                false => corners.point(cell, corner),
            })
        };
        let all = masked(0);
        assert_eq!(all, all.clone());
        assert!(all.latitudes().all(f64::is_nan) && all != corners);
        let some = masked(300);
        assert_eq!(some.points.len(), 11 * 31 + 1);
        assert!(matches!(&some.places, Places::Listed(places) if places.len() == 4 * 600));
        assert_eq!(some, some.clone());
        let unmasked = |(at, y)| at >= 1200 || y == corners.numbered(at).0;
        assert!(some.latitudes().enumerate().all(unmasked) && some != corners);
    }

    #[test]
    fn counts_have_to_fit() {
        let refused = |shape, corners| SphereCells::new(shape, vec![1.0; 4], vec![2.0; 4], corners);
        assert!(matches!(
            refused((2, 3), None),
            Err(Error::CellCount {
                got: 4,
                expected: 6,
                ..
            })
        ));
        assert!(matches!(
            refused((0, 3), None),
            Err(Error::EmptyAxis { .. })
        ));
        let seven = Some((vec![0.0; 7], vec![0.0; 7]));
        assert!(matches!(
            refused((2, 2), seven),
            Err(Error::CellCount { got: 7, .. })
        ));
        let three = Some((vec![0.0; 12], vec![0.0; 12]));
        assert_eq!(
            refused((2, 2), three)
                .unwrap()
                .corners
                .unwrap()
                .kind
                .per_cell,
            3
        );
    }
}
