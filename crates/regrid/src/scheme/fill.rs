//! Filling of the targets that a method leaves without a source.

use super::{Method, PlaneWeights};
use crate::error::Error;
use crate::grid::Grid;
use crate::sphere;

/// How targets that lie outside the source are filled.
///
/// Only targets that no source cell reaches are filled; where the source's values are missing, targets stay missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fill {
    /// With the mean of the eight nearest source centres, weighted with the inverse square of the distance: ESMF's
    /// `inverse_dist`.
    InverseDistance,
    /// With the mean of the targets around that have a value, so many rows of cells outwards one after the other: ESMF's
    /// `creep_fill`.
    Creep {
        /// Rows of cells at the most.
        levels: usize,
    },
}

/// Neighbours and power of ESMF's and xESMF's extrapolation by inverse distance.
const NEIGHBOURS: usize = 8;
const POWER: f64 = 2.0;

impl Fill {
    pub(super) fn apply(
        self,
        weights: PlaneWeights,
        source: &Grid,
        target: &Grid,
        method: Method,
        combination: &dyn Fn(&str) -> Error,
    ) -> Result<PlaneWeights, Error> {
        // The last one would need slopes of its own; the others would count cells that are not theirs.
        if !matches!(
            method,
            Method::Linear | Method::Cubic | Method::InverseDistance | Method::AreaWeighted
        ) {
            return Err(combination(
                "only linear, cubic, inverse-distance and area-weighted results are filled outside the source; the \
                 nearest method has `outside nearest`",
            ));
        }
        if target.is_list() && matches!(self, Self::Creep { .. }) {
            return Err(combination(
                "a list of points has no cells side by side to creep over: fill by inverse distance",
            ));
        }
        let cells = weights.cells(source);
        let filled = match self {
            Self::InverseDistance => sphere::fill_inverse_distance(
                &cells,
                &*source.centred_cells(),
                &*target.centred_cells(),
                NEIGHBOURS,
                POWER,
            ),
            Self::Creep { levels } => {
                let (rows, columns) = target.shape();
                let cyclic = target.axes().is_some_and(|(_, x)| x.is_cyclic());
                sphere::fill_creep(&cells, [rows, columns], cyclic, levels)
            }
        };
        Ok(PlaneWeights::of_cells(filled))
    }
}

impl std::str::FromStr for Fill {
    type Err = Error;

    /// `inverse-distance`, `creep` (as far as it goes) or `creep:LEVELS`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownChoice {
            what: "fill option",
            got: text.to_owned(),
            known: &["inverse-distance", "creep", "creep:LEVELS"],
        };
        match text.split_once(':') {
            None if text == "inverse-distance" => Ok(Self::InverseDistance),
            None if text == "creep" => Ok(Self::Creep { levels: usize::MAX }),
            Some(("creep", levels)) => match levels.parse() {
                Ok(levels) if levels > 0 => Ok(Self::Creep { levels }),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

impl std::fmt::Display for Fill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InverseDistance => f.write_str("inverse-distance"),
            Self::Creep { levels: usize::MAX } => f.write_str("creep"),
            Self::Creep { levels } => write!(f, "creep:{levels}"),
        }
    }
}
