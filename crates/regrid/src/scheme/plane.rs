//! The weights of a whole plane: by rows and columns where both grids allow it, from cell to cell where not.

use super::{Edges, Method, RectilinearWeights};
use crate::error::Error;
use crate::grid::Grid;
use crate::weights::SparseWeights;

/// The weights from a source's plane to a target's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlaneWeights {
    /// The product of row weights and column weights.
    Separable(RectilinearWeights),
    /// From source cells to target cells, both counted row by row.
    #[allow(dead_code, reason = "the schemes that need it follow")]
    Sparse(SparseWeights),
}

impl PlaneWeights {
    /// The weights of a method between two grids.
    ///
    /// # Errors
    /// As [`RectilinearWeights::new`].
    pub(crate) fn new(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
    ) -> Result<Self, Error> {
        RectilinearWeights::new(source, target, method, edges).map(Self::Separable)
    }
}
