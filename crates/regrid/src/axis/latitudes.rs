//! The latitudes of rows: which way they run, and whether the outer ones reach the poles.

use super::{AxisKind, Cells, midpoint_bounds};
use crate::error::Error;

/// The latitudes of a grid's rows, degrees north, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Latitudes(pub(super) Cells);

impl Latitudes {
    /// Latitudes of the rows' centres, with their bounds if known.
    ///
    /// - Units: degrees north, from -90 to 90.
    ///
    /// # Errors
    /// [`Error::EmptyAxis`], [`Error::AxisValue`] for a value that is not finite or beyond a pole,
    /// [`Error::NotMonotonic`], [`Error::BoundsCount`].
    pub fn new(centres: Vec<f64>, bounds: Option<Vec<[f64; 2]>>) -> Result<Self, Error> {
        let kind = AxisKind::Latitude;
        let mut cells = Cells::new(kind, centres, bounds)?;
        // A pole written as a 32-bit float, or as the sum of many steps, may lie a rounding beyond 90.
        let beyond = cells.centres.iter().position(|x| x.abs() > 90.0 + 1e-5);
        if let Some(index) = beyond {
            return Err(Error::AxisValue {
                axis: kind,
                index,
                value: cells.centres[index],
            });
        }
        cells.check_monotonic(kind)?;
        for x in &mut cells.centres {
            *x = x.clamp(-90.0, 90.0);
        }
        for x in cells.bounds.iter_mut().flatten().flatten() {
            *x = x.clamp(-90.0, 90.0);
        }
        Ok(Self(cells))
    }

    /// States that the centres were stored as 32-bit floats, so that comparisons allow for their rounding.
    #[must_use]
    pub fn stored_as_f32(mut self) -> Self {
        self.0.stored_as_f32 = true;
        self
    }

    /// The rows' centres.
    pub fn centres(&self) -> &[f64] {
        &self.0.centres
    }

    /// The rows' bounds, if they were given.
    pub fn bounds(&self) -> Option<&[[f64; 2]]> {
        self.0.bounds.as_deref()
    }

    /// The rows' bounds: as given, else midpoints between centres, the outer ones as far out as in, clipped at the poles.
    ///
    /// Where the outer cells [reach a pole](Self::reach_poles), as those of Gaussian grids do, they go all the way.
    pub fn cell_bounds(&self) -> Vec<[f64; 2]> {
        if let Some(bounds) = self.bounds() {
            return bounds.to_vec();
        }
        let mut bounds: Vec<[f64; 2]> = midpoint_bounds(self.centres(), 0.0)
            .into_iter()
            .map(|b| b.map(|x| x.clamp(-90.0, 90.0)))
            .collect();
        let pole = |x: f64| if x < 0.0 { -90.0 } else { 90.0 };
        let last = bounds.len() - 1;
        if last > 0 {
            let [first_reaches, last_reaches] = self.reach_poles();
            if first_reaches {
                bounds[0][0] = pole(bounds[0][0]);
            }
            if last_reaches {
                bounds[last][1] = pole(bounds[last][1]);
            }
        }
        bounds
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.centres.len()
    }

    /// Always false: an axis has at least one cell.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether latitudes grow with the index.
    pub fn rises(&self) -> bool {
        self.0.rises()
    }

    /// How far the value `at` may lie from what was meant.
    pub(crate) fn rounding(&self, at: f64) -> f64 {
        self.0.rounding(at)
    }

    /// Whether the cells at the first and at the last index reach the pole on their side.
    ///
    /// From bounds where they are known. Without bounds a cell reaches the pole when its centre is within 0.8 of the
    /// last spacing of it: half a spacing for cell-centred grids, 0.78 for Gaussian ones; a grid with a row on every
    /// multiple of its step but none at the pole (distance 1) does not reach it.
    pub fn reach_poles(&self) -> [bool; 2] {
        let c = self.centres();
        let n = c.len();
        let (first_pole, last_pole) = if self.rises() {
            (-90.0, 90.0)
        } else {
            (90.0, -90.0)
        };
        if self.bounds().is_some() {
            let (low, high) = self.0.span();
            let slack = 1e-4;
            let (south, north) = (low <= -90.0 + slack, high >= 90.0 - slack);
            return if self.rises() {
                [south, north]
            } else {
                [north, south]
            };
        }
        if n < 2 {
            return [c[0] == first_pole, c[0] == last_pole];
        }
        let within = |centre: f64, next: f64, pole: f64| {
            (pole - centre).abs() <= 0.8 * (centre - next).abs() + self.rounding(pole)
        };
        [
            within(c[0], c[1], first_pole),
            within(c[n - 1], c[n - 2], last_pole),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::tests::steps;

    #[test]
    fn global_rows_reach_the_poles() {
        let reach = |first, step, n| {
            Latitudes::new(steps(first, step, n), None)
                .unwrap()
                .reach_poles()
        };
        assert_eq!(reach(-89.5, 1.0, 180), [true, true]);
        assert_eq!(reach(90.0, -1.25, 145), [true, true]);
        assert_eq!(reach(-88.0, 2.0, 89), [false, false]);
        assert_eq!(reach(60.0, 1.0, 31), [false, true]);
        // N80 Gaussian: 89.1416, 88.0294, ...
        assert_eq!(
            Latitudes::new(vec![89.1416, 88.0294], None)
                .unwrap()
                .reach_poles(),
            [true, false]
        );
        let bounds = Some(vec![[-90.0, 0.0], [0.0, 90.0]]);
        assert_eq!(
            Latitudes::new(vec![-45.0, 45.0], bounds)
                .unwrap()
                .reach_poles(),
            [true, true]
        );
    }
}
