//! One coordinate of a map projection's plane: in metres, without poles and without a way round.

use super::{AxisKind, Cells, midpoint_bounds};
use crate::error::Error;

/// Centres along one coordinate of a projection's plane, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneAxis {
    /// In metres.
    pub(super) cells: Cells,
    /// Metres in one unit of the numbers as they were given.
    unit: f64,
}

impl PlaneAxis {
    /// Centres along a projection's y or x, with their bounds if known.
    ///
    /// `unit` is how many metres one unit of the numbers has: 1000 for kilometres.
    /// - Units: as stated by `unit`.
    ///
    /// # Errors
    /// [`Error::EmptyAxis`], [`Error::AxisValue`] for a value that is not finite, [`Error::NotMonotonic`],
    /// [`Error::BoundsCount`].
    pub fn new(
        kind: AxisKind,
        centres: Vec<f64>,
        bounds: Option<Vec<[f64; 2]>>,
        unit: f64,
    ) -> Result<Self, Error> {
        let mut cells = Cells::new(kind, centres, bounds)?;
        cells.check_monotonic(kind)?;
        cells.centres.iter_mut().for_each(|x| *x *= unit);
        let bounds = cells.bounds.iter_mut().flatten().flatten();
        bounds.for_each(|x| *x *= unit);
        Ok(Self { cells, unit })
    }

    /// States that the centres were stored as 32-bit floats, so that comparisons allow for their rounding.
    #[must_use]
    pub fn stored_as_f32(mut self) -> Self {
        self.cells.stored_as_f32 = true;
        self
    }

    /// The cells' centres, in metres.
    pub fn centres(&self) -> &[f64] {
        &self.cells.centres
    }

    /// The cells' bounds, if they were given, in metres.
    pub fn bounds(&self) -> Option<&[[f64; 2]]> {
        self.cells.bounds.as_deref()
    }

    /// The cells' bounds in metres: as given, else midpoints between centres, the outer ones as far out as in.
    pub fn cell_bounds(&self) -> Vec<[f64; 2]> {
        match self.bounds() {
            Some(bounds) => bounds.to_vec(),
            None => midpoint_bounds(self.centres(), 0.0),
        }
    }

    /// Metres in one unit of the numbers as they were given.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.centres.len()
    }

    /// Always false: an axis has at least one cell.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the coordinate grows with the index.
    pub fn rises(&self) -> bool {
        self.cells.rises()
    }

    /// How far the value `at` may lie from what was meant.
    pub(crate) fn rounding(&self, at: f64) -> f64 {
        self.cells.rounding(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilometres_become_metres() {
        let axis = PlaneAxis::new(
            AxisKind::ProjectionX,
            vec![-1.5, 0.0, 1.5],
            Some(vec![[-2.0, -1.0], [-1.0, 1.0], [1.0, 2.0]]),
            1000.0,
        )
        .unwrap();
        assert_eq!(axis.centres(), [-1500.0, 0.0, 1500.0]);
        assert_eq!(axis.cell_bounds()[0], [-2000.0, -1000.0]);
    }

    #[test]
    fn an_axis_that_turns_back_is_refused() {
        let turning = PlaneAxis::new(AxisKind::ProjectionY, vec![0.0, 2.0, 1.0], None, 1.0);
        assert!(matches!(turning, Err(Error::NotMonotonic { index: 2, .. })));
    }
}
