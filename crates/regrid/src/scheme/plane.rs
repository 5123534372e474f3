//! The weights of a whole plane: by rows and columns where both grids allow it, from cell to cell where not.

use super::{Edges, Method, RectilinearWeights, located};
use crate::error::Error;
use crate::grid::Grid;
use crate::weights::SparseWeights;

/// The weights from a source's plane to a target's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlaneWeights {
    /// The product of row weights and column weights.
    Separable(RectilinearWeights),
    /// From source cells to target cells, both counted row by row.
    Sparse(SparseWeights),
}

impl PlaneWeights {
    /// The weights of a method between two grids.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] if a target lies outside and that is to be refused; [`Error::Combination`] if the method has
    /// no meaning between such grids.
    pub(crate) fn new(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
    ) -> Result<Self, Error> {
        let rectilinear =
            source.axes().is_some() && target.axes().is_some() && source.same_crs(target);
        if rectilinear {
            return RectilinearWeights::new(source, target, method, edges).map(Self::Separable);
        }
        if matches!(method, Method::Linear | Method::Nearest | Method::Cubic) {
            let points = target.points_in_crs_of(source)?;
            if let Some(weights) = located::weights(source, &points, method, edges) {
                return weights.map(Self::Sparse);
            }
        }
        Err(Error::NotRectilinear {
            grid: source.to_string(),
        })
    }
}
