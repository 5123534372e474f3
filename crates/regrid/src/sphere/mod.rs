//! Cells anywhere on the sphere, for the methods that cannot take latitude and longitude one by one.

mod box_index;
mod conservative;
mod copies;
mod distance;
mod fill;
mod gradient;
mod linear;
mod members;
mod nearest;
mod outlines;
mod overlap;
mod pieces;
mod point_index;
mod polygon;
mod quads;
mod rectangle;
mod second_order;
mod topology;
mod vector;

use crate::axis::{Latitudes, Longitudes};

/// Cells on the sphere, row by row: their centres, and their corners where they have some.
///
/// A list of points is one row. Latitudes are degrees north, longitudes degrees east of any turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SphereCells {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) latitudes: Vec<f64>,
    pub(crate) longitudes: Vec<f64>,
    pub(crate) corners: Option<Corners>,
}

/// The corners of cells, the same number for each; a cell with fewer repeats one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Corners {
    pub(crate) per_cell: usize,
    /// Corner by corner, cell by cell, in one direction round the cell.
    pub(crate) latitudes: Vec<f64>,
    pub(crate) longitudes: Vec<f64>,
    /// Whether edges run along parallels and meridians rather than great circles.
    pub(crate) along_parallels: bool,
}

impl SphereCells {
    /// The cells of a rectilinear grid.
    pub(crate) fn rectilinear(latitudes: &Latitudes, longitudes: &Longitudes) -> Self {
        let (rows, columns) = (latitudes.len(), longitudes.len());
        let mut cells = Self {
            rows,
            columns,
            latitudes: Vec::with_capacity(rows * columns),
            longitudes: Vec::with_capacity(rows * columns),
            corners: None,
        };
        let (row_bounds, column_bounds) = (latitudes.cell_bounds(), longitudes.cell_bounds());
        let mut corners = Corners {
            per_cell: 4,
            latitudes: Vec::with_capacity(4 * rows * columns),
            longitudes: Vec::with_capacity(4 * rows * columns),
            along_parallels: true,
        };
        for (&latitude, [south, north]) in latitudes.centres().iter().zip(row_bounds) {
            for (&longitude, [west, east]) in longitudes.centres().iter().zip(&column_bounds) {
                cells.latitudes.push(latitude);
                cells.longitudes.push(longitude);
                corners.latitudes.extend([south, south, north, north]);
                corners.longitudes.extend([west, east, east, west]);
            }
        }
        cells.corners = Some(corners);
        cells
    }
}

/// Why weights between cells on the sphere cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// A target lies outside the source, and that is to be refused.
    #[error("target {target} lies outside the source grid")]
    Outside {
        /// Flat index of the first one.
        target: usize,
    },
    /// The gradient cannot go on beyond a mesh that is not rectilinear.
    #[error(
        "the gradient goes on beyond rectilinear grids only: ask for missing, nearest or error outside"
    )]
    NoGradientOutside,
    /// A list of points has no cells between its centres.
    #[error("a list of points has nothing between them: take the nearest, or inverse distance")]
    NoMesh,
    /// Cells without corners that cannot be derived either.
    #[error("the {grid} grid has no cell corners, and none can be derived from a list of points")]
    NoCorners {
        /// Which grid.
        grid: &'static str,
    },
}

#[cfg(test)]
mod tests;
