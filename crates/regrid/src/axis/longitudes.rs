//! The longitudes of columns: angles, whose axis may jump a turn, go round the globe, or end where it began.

use super::{AxisKind, Cells, midpoint_bounds};
use crate::error::Error;

/// The longitudes of a grid's columns, degrees east, in either direction and any range.
#[derive(Debug, Clone, PartialEq)]
pub struct Longitudes {
    /// As given.
    cells: Cells,
    /// The centres without jumps of 360 degrees.
    unrolled: Vec<f64>,
    cyclic: bool,
    distinct: usize,
}

impl Longitudes {
    /// Longitudes of the columns' centres, with their bounds if known.
    ///
    /// A jump of 360 degrees within the axis (170, 180, -170) is understood. Whether the columns go round the globe is
    /// read off the bounds, or off the spacing: from the last centre to the first it is no further than between others.
    /// A last column that repeats the first one 360 degrees on does not count twice.
    /// - Units: degrees east.
    ///
    /// # Errors
    /// [`Error::EmptyAxis`], [`Error::AxisValue`] for a value that is not finite or beyond 100 000,
    /// [`Error::NotMonotonic`], [`Error::BoundsCount`], [`Error::MoreThanOnceRound`].
    pub fn new(centres: Vec<f64>, bounds: Option<Vec<[f64; 2]>>) -> Result<Self, Error> {
        let kind = AxisKind::Longitude;
        let cells = Cells::new(kind, centres, bounds)?;
        // Far beyond any longitude in use the turn itself would drown in rounding.
        if let Some(index) = cells.centres.iter().position(|x| x.abs() > 1e5) {
            return Err(Error::AxisValue {
                axis: kind,
                index,
                value: cells.centres[index],
            });
        }
        let mut unrolled = cells.centres.clone();
        if cells.check_monotonic(kind).is_err() {
            let undone = Cells {
                centres: unroll(&unrolled),
                ..cells.clone()
            };
            undone.check_monotonic(kind)?;
            unrolled = undone.centres;
        }
        let mut longitudes = Self {
            cells,
            distinct: unrolled.len(),
            unrolled,
            cyclic: false,
        };
        longitudes.go_round()?;
        Ok(longitudes)
    }

    /// States that the centres were stored as 32-bit floats, so that comparisons allow for their rounding.
    #[must_use]
    pub fn stored_as_f32(mut self) -> Self {
        self.cells.stored_as_f32 = true;
        self
    }

    fn go_round(&mut self) -> Result<(), Error> {
        let c = &self.unrolled;
        let n = c.len();
        if n == 1 {
            let width = self
                .cells
                .bounds
                .as_ref()
                .map_or(0.0, |b| (b[0][1] - b[0][0]).abs());
            self.cyclic = width >= 360.0 - 1e-4;
            return Ok(());
        }
        let widest = c
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f64::max);
        let narrowest = c
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(f64::INFINITY, f64::min);
        let gap = 360.0 - (c[n - 1] - c[0]).abs();
        let slack = 1e-2 * narrowest;
        if gap < -slack {
            return Err(Error::MoreThanOnceRound {
                span: (c[n - 1] - c[0]).abs(),
            });
        }
        if gap <= slack {
            self.cyclic = true;
            self.distinct = n - 1;
            return Ok(());
        }
        let by_bounds = self.cells.bounds.as_ref().is_some_and(|bounds| {
            let width: f64 = bounds.iter().map(|b| turn(b[1] - b[0]).abs()).sum();
            width >= 360.0 - slack
        });
        // Between columns more than half a turn apart nothing tells the short way from the long one.
        self.cyclic = by_bounds || (gap <= widest * 1.01 && widest <= 180.0 + slack);
        Ok(())
    }

    /// The columns' centres, as given.
    pub fn centres(&self) -> &[f64] {
        &self.cells.centres
    }

    /// The columns' centres without jumps of 360 degrees.
    pub(crate) fn unrolled(&self) -> &[f64] {
        &self.unrolled
    }

    /// The columns' bounds, if they were given.
    pub fn bounds(&self) -> Option<&[[f64; 2]]> {
        self.cells.bounds.as_deref()
    }

    /// The columns' bounds: as given, else midpoints between centres, the outer ones as far out as in; where the
    /// columns go round, the first and the last cell share the midpoint between them.
    pub fn cell_bounds(&self) -> Vec<[f64; 2]> {
        match self.bounds() {
            Some(bounds) => bounds.to_vec(),
            None => {
                let period = if self.cyclic { 360.0 } else { 0.0 };
                let mut bounds = midpoint_bounds(&self.unrolled[..self.distinct], period);
                if self.distinct < self.unrolled.len() {
                    let round = if self.rises() { 360.0 } else { -360.0 };
                    bounds.push(bounds[0].map(|x| x + round));
                }
                let back = self
                    .unrolled
                    .iter()
                    .zip(&self.cells.centres)
                    .map(|(u, c)| c - u);
                bounds
                    .into_iter()
                    .zip(back)
                    .map(|(b, shift)| b.map(|x| x + shift))
                    .collect()
            }
        }
    }

    /// The columns' edges in degrees east, the western first, each column's in the turn of its centre.
    pub(crate) fn intervals(&self) -> Vec<[f64; 2]> {
        let turned = |edge: f64, centre: f64| edge + 360.0 * ((centre - edge) / 360.0).round();
        self.cell_bounds()
            .into_iter()
            .zip(self.centres().iter().zip(&self.unrolled))
            .map(|([a, b], (&centre, &unrolled))| {
                let shift = unrolled - centre;
                let (a, b) = if (b - a).abs() >= 360.0 - 1e-4 {
                    (a, b)
                } else {
                    (turned(a, centre), turned(b, centre))
                };
                [a.min(b) + shift, a.max(b) + shift]
            })
            .collect()
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.cells.centres.len()
    }

    /// Always false: an axis has at least one cell.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether longitudes grow with the index.
    pub fn rises(&self) -> bool {
        self.unrolled.len() < 2 || self.unrolled[1] > self.unrolled[0]
    }

    /// Whether the columns go round the globe.
    pub fn is_cyclic(&self) -> bool {
        self.cyclic
    }

    /// Number of columns without a last one that repeats the first.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// How far the value `at` may lie from what was meant.
    pub(crate) fn rounding(&self, at: f64) -> f64 {
        self.cells.rounding(at)
    }
}

/// An angle moved into -180 (exclusive) to 180.
fn turn(angle: f64) -> f64 {
    let turned = angle.rem_euclid(360.0);
    if turned > 180.0 {
        turned - 360.0
    } else {
        turned
    }
}

/// Centres with each jump of more than half a turn undone.
fn unroll(centres: &[f64]) -> Vec<f64> {
    let mut shift = 0.0;
    let mut unrolled = Vec::with_capacity(centres.len());
    let mut before = centres[0];
    for &x in centres {
        let step = x - before;
        if step.abs() > 180.0 && step.abs() < 540.0 {
            shift -= 360.0 * step.signum();
        }
        before = x;
        unrolled.push(x + shift);
    }
    unrolled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::tests::steps;

    #[test]
    fn longitudes_go_round_by_spacing_whatever_their_range() {
        for first in [0.0, 0.5, -180.0, -179.5, 20.0] {
            assert!(
                Longitudes::new(steps(first, 1.0, 360), None)
                    .unwrap()
                    .is_cyclic()
            );
            assert!(
                !Longitudes::new(steps(first, 1.0, 359), None)
                    .unwrap()
                    .is_cyclic()
            );
        }
        assert!(
            Longitudes::new(steps(359.0, -1.0, 360), None)
                .unwrap()
                .is_cyclic()
        );
    }

    #[test]
    fn a_repeated_last_column_does_not_count() {
        let longitudes = Longitudes::new(steps(0.0, 10.0, 37), None).unwrap();
        assert!(longitudes.is_cyclic());
        assert_eq!(longitudes.distinct(), 36);
    }

    #[test]
    fn a_jump_of_a_turn_is_undone() {
        let longitudes = Longitudes::new(vec![160.0, 170.0, 180.0, -170.0, -160.0], None).unwrap();
        assert_eq!(longitudes.unrolled(), [160.0, 170.0, 180.0, 190.0, 200.0]);
        assert!(!longitudes.is_cyclic());
    }

    #[test]
    fn wide_steps_are_left_as_they_are() {
        let far = vec![-400.0, -150.0, 40.0, 100.0];
        let longitudes = Longitudes::new(far.clone(), None);
        assert!(matches!(longitudes, Err(Error::MoreThanOnceRound { .. })));
        let longitudes = Longitudes::new(vec![10.0, 350.0], None).unwrap();
        assert_eq!(longitudes.unrolled(), [10.0, 350.0]);
        assert!(!longitudes.is_cyclic());
    }

    #[test]
    fn one_column_round_the_globe_is_cyclic_by_its_bounds() {
        assert!(
            Longitudes::new(vec![180.0], Some(vec![[0.0, 360.0]]))
                .unwrap()
                .is_cyclic()
        );
        assert!(!Longitudes::new(vec![180.0], None).unwrap().is_cyclic());
    }
}
