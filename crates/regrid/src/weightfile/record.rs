//! What a weights file says of one of its grids, and whether that is a grid at hand.

use super::fingerprint::Fingerprint;
use crate::axis::{Latitudes, Longitudes};
use crate::error::Error;
use crate::grid::Grid;
use crate::sphere::{Cells, Cornered, SphereCells, areas};

/// Coordinates this near to each other are one: the rounding of 32-bit floats at 360 degrees, and of midpoints between them.
const SAME: f64 = 5e-5;

/// One grid of a weights file, as far as it is told: cells row by row, angles in degrees.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct GridRecord {
    /// Number of cells; not every file tells.
    pub(super) size: Option<usize>,
    /// Lengths along columns and rows, in this order, or of a list; not every file tells.
    pub(super) dims: Vec<usize>,
    /// Latitudes and longitudes.
    pub(super) centres: Option<[Vec<f64>; 2]>,
    /// Corners per cell, latitudes and longitudes of all corners, cell by cell.
    pub(super) corners: Option<(usize, [Vec<f64>; 2])>,
    /// Whether a cell takes part.
    pub(super) mask: Option<Vec<bool>>,
    /// On the unit sphere.
    pub(super) areas: Option<Vec<f64>>,
    /// The part of each cell that the other grid covers.
    pub(super) fractions: Option<Vec<f64>>,
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether it is known to have no rows and columns, though its cells may lie in such.
    pub(super) is_mesh: bool,
}

/// How sure it is that a grid is the one that a file speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sameness {
    /// Its cells are the same.
    Cells,
    /// It has as many cells; the file tells no more.
    Size,
}

impl GridRecord {
    /// All that is to be told of a grid.
    pub(super) fn of(grid: &Grid) -> Self {
        let cells = grid.sphere_cells();
        let fingerprint = Fingerprint::of(&cells);
        let areas = areas(&cells);
        let SphereCells {
            rows,
            columns,
            latitudes,
            longitudes,
            corners,
        } = cells.into_owned();
        let placed: Vec<bool> = latitudes.iter().map(|x| !x.is_nan()).collect();
        // Other tools expect numbers even where a cell takes no part.
        fn numbers(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
            let number = |x: f64| if x.is_nan() { 0.0 } else { x };
            values.into_iter().map(number).collect()
        }
        Self {
            size: Some(rows * columns),
            dims: if grid.is_list() {
                vec![columns]
            } else {
                vec![columns, rows]
            },
            centres: Some([numbers(latitudes), numbers(longitudes)]),
            corners: corners.map(|corners| {
                let places = [numbers(corners.latitudes()), numbers(corners.longitudes())];
                (corners.kind.per_cell, places)
            }),
            mask: Some(placed),
            areas,
            fractions: None,
            fingerprint: Some(fingerprint),
            is_mesh: !grid.is_list() && grid.axes().is_none(),
        }
    }

    /// Whether this is the record of a grid; `Err` says what differs. The extent of cells counts where `by_cells` says so.
    pub(super) fn compare(&self, grid: &Grid, by_cells: bool) -> Result<Sameness, String> {
        let (rows, columns) = grid.shape();
        let size = rows * columns;
        if let Some(own) = self.size.filter(|&own| own != size) {
            return Err(format!("they are for {own} cells, not {size}"));
        }
        if let &[own_columns, own_rows] = self.dims.as_slice()
            && !grid.is_list()
            && (own_rows, own_columns) != (rows, columns)
        {
            return Err(format!(
                "they are for {own_rows} x {own_columns} cells, not {rows} x {columns}"
            ));
        }
        let cells = grid.sphere_cells();
        let fingerprint = Fingerprint::of(&cells);
        let known = |of: fn(&Fingerprint) -> u64| {
            self.fingerprint
                .as_ref()
                .map(|own| of(own) == of(&fingerprint))
        };
        let mut sameness = Sameness::Cells;
        match (known(|f| f.centres), &self.centres) {
            (Some(true), _) => {}
            (_, Some([latitudes, longitudes])) => {
                self.compare_centres(latitudes, longitudes, &cells)?;
            }
            (Some(false), None) => return Err("the fingerprints of their centres differ".into()),
            (None, None) => sameness = Sameness::Size,
        }
        if by_cells {
            match (known(|f| f.corners), &self.corners, cells.cornered()) {
                (Some(true), _, _) => {}
                (_, Some((per_cell, own)), Some(corners)) => {
                    compare_corners(*per_cell, own, &cells, corners)?;
                }
                (Some(false), _, _) => {
                    return Err("the fingerprints of their corners differ".into());
                }
                (None, _, _) => {}
            }
        }
        Ok(sameness)
    }

    fn compare_centres(
        &self,
        latitudes: &[f64],
        longitudes: &[f64],
        cells: &SphereCells,
    ) -> Result<(), String> {
        for cell in 0..cells.latitudes.len() {
            let other = (cells.latitudes[cell], cells.longitudes[cell]);
            let takes_part = self.mask.as_ref().is_none_or(|mask| mask[cell]);
            if other.0.is_nan() && !takes_part {
                continue;
            }
            let own = (latitudes[cell], longitudes[cell]);
            if !near(own, other) {
                let shown = |x: f64| (x * 1e5).round() / 1e5;
                return Err(format!(
                    "their cell {} lies at latitude {} longitude {}, not at latitude {} longitude {}",
                    cell + 1,
                    shown(own.0),
                    shown(own.1),
                    shown(other.0),
                    shown(other.1)
                ));
            }
        }
        Ok(())
    }

    /// The grid itself, as far as it can be told.
    pub(super) fn grid(&self) -> Result<Grid, Error> {
        let Some([latitudes, longitudes]) = self.centres.clone() else {
            return Err(Error::Nothing {
                action: "make the target grid of: the weights do not say where its cells are",
            });
        };
        let [columns, rows] = match *self.dims.as_slice() {
            [columns, rows] => [columns, rows],
            _ => return Grid::points(latitudes, longitudes),
        };
        let one_row =
            |of: &[f64]| (0..rows).all(|r| near_all(&of[..columns], &of[r * columns..][..columns]));
        let one_latitude = latitudes
            .chunks_exact(columns)
            .all(|row| row.iter().all(|x| (x - row[0]).abs() <= SAME * 1e-3));
        let whole = self
            .mask
            .as_ref()
            .is_none_or(|mask| mask.iter().all(|&m| m));
        if !self.is_mesh && one_latitude && one_row(&longitudes) {
            let along: Vec<f64> = latitudes.iter().step_by(columns).copied().collect();
            let across = unrolled(&longitudes[..columns]);
            let bounds = self.bounds(&along, &across);
            let axes = |[rows, columns]: [Option<Vec<[f64; 2]>>; 2]| {
                let latitudes = Latitudes::new(along.clone(), rows)?;
                Ok::<_, Error>(Grid::new(
                    latitudes,
                    Longitudes::new(across.clone(), columns)?,
                ))
            };
            if let Ok(grid) = axes(bounds).or_else(|_| axes([None, None])) {
                return Ok(grid);
            }
        }
        let corners = match &self.corners {
            Some((_, [latitudes, longitudes])) if whole => {
                Some((latitudes.clone(), longitudes.clone()))
            }
            _ => None,
        };
        Grid::curvilinear((rows, columns), latitudes, longitudes, corners)
    }

    /// The bounds of rows and columns, if every cell is a rectangle between them.
    fn bounds(&self, rows: &[f64], columns: &[f64]) -> [Option<Vec<[f64; 2]>>; 2] {
        let Some((per_cell, [latitudes, longitudes])) = &self.corners else {
            return [None, None];
        };
        // The lowest and the highest of a cell's corners, longitudes in the turn of its centre.
        let ends = |values: &[f64], cell: usize, centre: Option<f64>| {
            let own = &values[cell * per_cell..(cell + 1) * per_cell];
            let turned =
                |x: f64| centre.map_or(x, |c| c + (x - c + 180.0).rem_euclid(360.0) - 180.0);
            own.iter()
                .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &x| {
                    [low.min(turned(x)), high.max(turned(x))]
                })
        };
        let same =
            |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < SAME && (a[1] - b[1]).abs() < SAME;
        let width = columns.len();
        let of_rows: Vec<[f64; 2]> = (0..rows.len())
            .map(|r| ends(latitudes, r * width, None))
            .collect();
        let of_columns: Vec<[f64; 2]> = (0..width)
            .map(|c| ends(longitudes, c, Some(columns[c])))
            .collect();
        for (r, &row) in of_rows.iter().enumerate() {
            for (c, &column) in of_columns.iter().enumerate() {
                let cell = r * width + c;
                if !same(ends(latitudes, cell, None), row)
                    || !same(ends(longitudes, cell, Some(columns[c])), column)
                {
                    return [None, None];
                }
            }
        }
        let directed = |bounds: Vec<[f64; 2]>, centres: &[f64]| -> Option<Vec<[f64; 2]>> {
            let falls = centres.len() > 1 && centres[1] < centres[0];
            let turn = |[a, b]: [f64; 2]| if falls { [b, a] } else { [a, b] };
            Some(bounds.into_iter().map(turn).collect())
        };
        [directed(of_rows, rows), directed(of_columns, columns)]
    }
}

fn near_all(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(x, y)| (x - y).abs() <= SAME * 1e-3)
}

/// Longitudes that go on where a file brings them into one turn: 358, 359, 0, 1 is -2, -1, 0, 1.
fn unrolled(longitudes: &[f64]) -> Vec<f64> {
    let mut turns = vec![0.0];
    for pair in longitudes.windows(2) {
        let step = pair[1] - pair[0];
        let before: f64 = turns[turns.len() - 1];
        turns.push(before - (step / 360.0).round());
    }
    let all = || longitudes.iter().zip(&turns);
    let beyond = all().any(|(x, turn)| *turn != 0.0 && x + 360.0 * turn >= 360.0);
    let back = f64::from(u8::from(beyond));
    all()
        .map(|(&x, turn)| match turn - back {
            0.0 => x,
            turn => short(x + 360.0 * turn),
        })
        .collect()
}

/// A number of at most nine digits after the point that was lost in conversions, found again.
pub(super) fn short(x: f64) -> f64 {
    let short = (x * 1e9).round() / 1e9;
    if (short - x).abs() < 1e-12 { short } else { x }
}

/// Whether two points are one, on the globe: near a pole longitudes mean little.
fn near((latitude, longitude): (f64, f64), other: (f64, f64)) -> bool {
    let turn = (longitude - other.1 + 180.0).rem_euclid(360.0) - 180.0;
    let ring = other.0.to_radians().cos().max(0.0);
    (latitude - other.0).abs() <= SAME && (turn * ring).abs() <= SAME
}

/// Whether every corner of a cell is one of the record's for that cell, in whatever order.
fn compare_corners(
    per_cell: usize,
    own: &[Vec<f64>; 2],
    cells: &dyn Cells,
    theirs: Cornered,
) -> Result<(), String> {
    for cell in 0..cells.len() {
        let recorded = cell * per_cell..(cell + 1) * per_cell;
        for other in (0..theirs.per_cell).map(|corner| cells.corner(cell, corner)) {
            let known = |at: usize| near((own[0][at], own[1][at]), other);
            if !other.0.is_nan() && !recorded.clone().any(known) {
                return Err(format!(
                    "their cell {} has no corner at latitude {} longitude {}",
                    cell + 1,
                    other.0,
                    other.1
                ));
            }
        }
    }
    Ok(())
}
