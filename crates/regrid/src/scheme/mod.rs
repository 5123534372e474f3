//! Schemes: two axes and the rules for edges in, weights out.
//!
//! Each method between points asks [`Rows`] and [`Columns`] where a target lies among the source's centres ([`Place`]) and
//! turns that into weights.

mod area;
mod compat;
mod cubic;
mod fill;
mod linear;
mod located;
mod members;
mod method;
mod nearest;
mod place;
mod plane;

use crate::axis::AxisKind;
use crate::error::Error;
use crate::grid::Grid;
use crate::weights::SparseWeights;
use place::{Columns, Place, Rows, find, refuse_outside};

pub use compat::Compat;
pub use fill::Fill;
pub use method::{Edges, Method, Outside, Pole};
pub(crate) use plane::{PlaneWeights, check_count};

/// The weights of a rectilinear source onto a rectilinear target.
///
/// The latitude weights may read two rows beyond the source's own: the mean of its first row, then the mean of its last.
#[derive(Debug, Clone, PartialEq)]
pub struct RectilinearWeights {
    /// Row weights.
    pub latitude: SparseWeights,
    /// Column weights.
    pub longitude: SparseWeights,
}

/// The index of the row that is the mean of the source's first (`false`) or last (`true`) row: it follows the source's
/// own `rows` rows.
pub(crate) const fn pole_row(rows: usize, last: bool) -> usize {
    rows + last as usize
}

impl RectilinearWeights {
    /// The weights of a method between two grids.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] if a target lies outside and that is to be refused; [`Error::NotRectilinear`] unless both
    /// grids have axes in one system of coordinates.
    pub fn new(source: &Grid, target: &Grid, method: Method, edges: Edges) -> Result<Self, Error> {
        let not_rectilinear = |grid: &Grid| Error::NotRectilinear {
            grid: grid.to_string(),
        };
        let (latitudes, longitudes) = source.axes().ok_or_else(|| not_rectilinear(source))?;
        let (target_latitudes, target_longitudes) = target
            .axes()
            .filter(|_| target.same_crs(source))
            .ok_or_else(|| not_rectilinear(target))?;
        match method {
            Method::AreaWeighted | Method::Mode => {
                return Ok(Self {
                    latitude: area::rows(latitudes, target_latitudes),
                    longitude: area::columns(longitudes, target_longitudes),
                });
            }
            Method::Mean
            | Method::Sum
            | Method::Count
            | Method::Min
            | Method::Max
            | Method::Median => {
                return Ok(Self {
                    latitude: members::rows(latitudes, target_latitudes),
                    longitude: members::columns(longitudes, target_longitudes),
                });
            }
            _ => {}
        }
        let rows = Rows {
            source: latitudes,
            edges,
            round: longitudes.is_cyclic(),
        };
        let columns = Columns {
            source: longitudes,
            outside: edges.outside,
        };
        let latitude = target_latitudes
            .centres()
            .iter()
            .enumerate()
            .map(|(index, &value)| {
                let place = rows.place(value, target_latitudes.rounding(value));
                refuse_outside(
                    place,
                    source,
                    edges.outside,
                    (AxisKind::Latitude, index, value),
                )?;
                Ok(rows.weights(place, method))
            });
        let longitude = target_longitudes
            .centres()
            .iter()
            .enumerate()
            .map(|(index, &value)| {
                let place = columns.place(value, target_longitudes.rounding(value));
                refuse_outside(
                    place,
                    source,
                    edges.outside,
                    (AxisKind::Longitude, index, value),
                )?;
                Ok(columns.weights(place, method))
            });
        Ok(Self {
            latitude: latitude.collect::<Result<_, Error>>()?,
            longitude: longitude.collect::<Result<_, Error>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(latitudes: &[f64], longitudes: &[f64]) -> Grid {
        Grid::from_axes(latitudes, longitudes).unwrap()
    }

    #[test]
    fn outside_is_refused_with_the_place() {
        let source = grid(&[10.0, 20.0], &[10.0, 20.0]);
        let target = grid(&[15.0], &[12.0, 25.0]);
        let edges = Edges {
            outside: Outside::Error,
            ..Edges::default()
        };
        let error = RectilinearWeights::new(&source, &target, Method::Linear, edges).unwrap_err();
        assert!(matches!(
            error,
            Error::OutsideSource {
                axis: AxisKind::Longitude,
                index: 1,
                ..
            }
        ));
    }
}
