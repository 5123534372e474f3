//! The weights of a whole plane: by rows and columns where both grids allow it, from cell to cell where not.

use super::{Edges, Method, RectilinearWeights, located};
use crate::error::Error;
use crate::grid::Grid;
use crate::sphere::{self, Refused};
use crate::weights::SparseWeights;

/// How many of the nearest centres make an inverse-distance mean, as in CDO's `remapdis`.
const NEIGHBOURS: usize = 4;

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
    /// [`Error::OutsideSource`] if a target lies outside and that is to be refused, by axes or as a [`Error::PointOutside`]; [`Error::Combination`] if the method has
    /// no meaning between such grids.
    pub(crate) fn new(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
    ) -> Result<Self, Error> {
        let rectilinear =
            source.axes().is_some() && target.axes().is_some() && source.same_crs(target);
        let by_axes = !matches!(
            method,
            Method::InverseDistance | Method::SecondOrderConservative
        );
        if rectilinear && by_axes {
            return RectilinearWeights::new(source, target, method, edges).map(Self::Separable);
        }
        if matches!(method, Method::Linear | Method::Nearest | Method::Cubic) {
            let points = target.points_in_crs_of(source);
            if let Some(weights) = located::weights(source, &points, method, edges) {
                return weights.map(Self::Sparse);
            }
        }
        let (from, to) = (source.sphere_cells(), target.sphere_cells());
        let weights = match method {
            Method::Linear => sphere::linear(&from, &to, edges),
            Method::Nearest => sphere::nearest(&from, &to, edges),
            Method::InverseDistance => sphere::inverse_distance(&from, &to, edges, NEIGHBOURS),
            Method::AreaWeighted | Method::Mode => sphere::conservative(&from, &to),
            _ => Err(Refused::NoMesh),
        };
        weights.map(Self::Sparse).map_err(|refused| match refused {
            Refused::Outside { target: index } => Error::PointOutside {
                index,
                latitude: to.latitudes[index],
                longitude: to.longitudes[index],
                grid: source.to_string(),
            },
            refused => Error::Combination {
                method: method.name(),
                source_grid: source.to_string(),
                target_grid: target.to_string(),
                reason: refused.to_string(),
            },
        })
    }
}
