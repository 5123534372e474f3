//! Cells anywhere on the sphere, for the methods that cannot take latitude and longitude one by one.

mod box_index;
mod cells;
mod conservative;
mod copies;
mod distance;
mod fill;
mod gradient;
mod lattice;
mod linear;
mod members;
mod nearest;
mod outlines;
mod overlap;
mod point_index;
mod polygon;
mod quads;
mod rectangle;
mod second_order;
mod shared;
mod stretches;
mod topology;
mod vector;

pub(crate) use cells::{Cells, Cornered, Rectilinear, SphereCells};
pub(crate) use conservative::conservative;
pub(crate) use distance::{inverse_distance, inverse_distance_of};
pub(crate) use fill::{fill_creep, fill_inverse_distance};
pub(crate) use linear::linear;
pub(crate) use members::members;
pub(crate) use nearest::nearest;
pub(crate) use outlines::areas;
pub(crate) use second_order::second_order;

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
    #[error(
        "points, and cells in a single row or column, have nothing between them: take nearest or inverse-distance"
    )]
    NoMesh,
    /// Cells without corners that cannot be derived either.
    #[error(
        "the {grid} grid has no cell corners, and none can be derived from points or a single row or column"
    )]
    NoCorners {
        /// Which grid.
        grid: &'static str,
    },
}

#[cfg(test)]
mod tests;
