//! One coordinate of a grid: centres, bounds, direction; for longitudes, whether they go round.
//!
//! Latitudes and longitudes are types of their own, so that one cannot be handed over for the other. What a grid is
//! made of two of them is `grid`'s business. The axes of a map projection's plane are [`PlaneAxis`].

mod bounds;
mod latitudes;
mod longitudes;
mod plane;

pub(crate) use bounds::BoundsFault;
pub use latitudes::Latitudes;
pub use longitudes::Longitudes;
pub use plane::PlaneAxis;

use crate::error::Error;

/// Which coordinate an axis is, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AxisKind {
    /// Degrees north.
    Latitude,
    /// Degrees east.
    Longitude,
    /// Up on a map.
    ProjectionY,
    /// To the right on a map.
    ProjectionX,
}

impl AxisKind {
    /// What its numbers are.
    pub(crate) fn quantity(self) -> &'static str {
        match self {
            Self::Latitude | Self::Longitude => "angle",
            Self::ProjectionY | Self::ProjectionX => "length",
        }
    }
}

impl std::fmt::Display for AxisKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Latitude => "latitude",
            Self::Longitude => "longitude",
            Self::ProjectionY => "projection y",
            Self::ProjectionX => "projection x",
        })
    }
}

/// Cell centres along one coordinate, with the cells' bounds if they are known.
#[derive(Debug, Clone, PartialEq)]
struct Cells {
    centres: Vec<f64>,
    bounds: Option<Vec<[f64; 2]>>,
    /// Whether the centres went through 32-bit floats.
    stored_as_f32: bool,
}

impl Cells {
    /// Checks that there are centres, all finite and strictly monotonic, and a pair of bounds for each.
    fn new(
        kind: AxisKind,
        centres: Vec<f64>,
        bounds: Option<Vec<[f64; 2]>>,
    ) -> Result<Self, Error> {
        if centres.is_empty() {
            return Err(Error::EmptyAxis { axis: kind });
        }
        if let Some(index) = centres.iter().position(|x| !x.is_finite()) {
            return Err(Error::AxisValue {
                axis: kind,
                index,
                value: centres[index],
            });
        }
        if let Some(bounds) = &bounds {
            if bounds.len() != centres.len() {
                return Err(Error::BoundsCount {
                    axis: kind,
                    got: bounds.len(),
                    expected: centres.len(),
                });
            }
            if let Some(index) = bounds
                .iter()
                .position(|b| !b[0].is_finite() || !b[1].is_finite())
            {
                return Err(Error::AxisValue {
                    axis: kind,
                    index,
                    value: f64::NAN,
                });
            }
        }
        Ok(Self {
            centres,
            bounds,
            stored_as_f32: false,
        })
    }

    fn check_monotonic(&self, kind: AxisKind) -> Result<(), Error> {
        let rising = self.rises();
        let turn = self
            .centres
            .windows(2)
            .position(|w| if rising { w[1] <= w[0] } else { w[1] >= w[0] });
        match turn {
            Some(at) => Err(Error::NotMonotonic {
                axis: kind,
                index: at + 1,
                value: self.centres[at + 1],
            }),
            None => Ok(()),
        }
    }

    fn rises(&self) -> bool {
        self.centres.len() < 2 || self.centres[1] > self.centres[0]
    }

    /// How far the value `at` may lie from what was meant: the last digit that it was stored with.
    fn rounding(&self, at: f64) -> f64 {
        if self.stored_as_f32 {
            at.abs() * f64::from(f32::EPSILON)
        } else {
            0.0
        }
    }

    /// The cells' edges at the low and the high end: from bounds, else half a step beyond the outer centres.
    fn span(&self) -> (f64, f64) {
        let c = &self.centres;
        let n = c.len();
        match &self.bounds {
            Some(bounds) => bounds
                .iter()
                .flatten()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &x| {
                    (lo.min(x), hi.max(x))
                }),
            None if n == 1 => (c[0], c[0]),
            None => {
                let first = c[0] - (c[1] - c[0]) / 2.0;
                let last = c[n - 1] + (c[n - 1] - c[n - 2]) / 2.0;
                (first.min(last), first.max(last))
            }
        }
    }
}

/// Bounds halfway between centres; beyond the outer centres as far out as in, or, with a period, halfway round.
fn midpoint_bounds(centres: &[f64], period: f64) -> Vec<[f64; 2]> {
    let n = centres.len();
    if n == 1 {
        let half = period / 2.0;
        return vec![[centres[0] - half, centres[0] + half]];
    }
    let mut edges = Vec::with_capacity(n + 1);
    edges.push(centres[0] - (centres[1] - centres[0]) / 2.0);
    edges.extend(centres.windows(2).map(|w| w[0] + (w[1] - w[0]) / 2.0));
    edges.push(centres[n - 1] + (centres[n - 1] - centres[n - 2]) / 2.0);
    if period != 0.0 {
        let round = if centres[1] > centres[0] {
            period
        } else {
            -period
        };
        edges[n] = centres[n - 1] + (centres[0] + round - centres[n - 1]) / 2.0;
        edges[0] = edges[n] - round;
    }
    edges.windows(2).map(|w| [w[0], w[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| first + step * i as f64).collect()
    }

    #[test]
    fn bad_axes_are_refused_with_the_place() {
        assert!(matches!(
            Latitudes::new(vec![], None),
            Err(Error::EmptyAxis { .. })
        ));
        assert!(matches!(
            Latitudes::new(vec![0.0, 91.0], None),
            Err(Error::AxisValue { index: 1, .. })
        ));
        assert!(matches!(
            Latitudes::new(vec![0.0, f64::NAN], None),
            Err(Error::AxisValue { index: 1, .. })
        ));
        assert!(matches!(
            Latitudes::new(vec![0.0, 2.0, 1.0], None),
            Err(Error::NotMonotonic { index: 2, .. })
        ));
        assert!(matches!(
            Longitudes::new(steps(0.0, 10.0, 40), None),
            Err(Error::MoreThanOnceRound { .. })
        ));
        assert!(matches!(
            Longitudes::new(vec![0.0, 1.0], Some(vec![[0.0, 1.0]])),
            Err(Error::BoundsCount {
                got: 1,
                expected: 2,
                ..
            })
        ));
    }

    #[test]
    fn derived_bounds_meet_and_close_the_circle() {
        let longitudes = Longitudes::new(vec![0.0, 90.0, 200.0, 300.0], None).unwrap();
        let bounds = longitudes.cell_bounds();
        assert_eq!(
            bounds,
            [[-30.0, 45.0], [45.0, 145.0], [145.0, 250.0], [250.0, 330.0]]
        );
        let longitudes = Longitudes::new(vec![0.0, 90.0, 200.0, 300.0, 360.0], None).unwrap();
        let repeated = longitudes.cell_bounds();
        assert_eq!(repeated[..4], bounds);
        assert_eq!(repeated[4], [330.0, 405.0]);
        // The northern half of a Gaussian grid.
        let latitudes = Latitudes::new(vec![16.0, 48.0, 75.0], None).unwrap();
        assert_eq!(
            latitudes.cell_bounds(),
            [[0.0, 32.0], [32.0, 61.5], [61.5, 90.0]]
        );
        let latitudes = Latitudes::new(vec![90.0, 0.0, -90.0], None).unwrap();
        assert_eq!(
            latitudes.cell_bounds(),
            [[90.0, 45.0], [45.0, -45.0], [-45.0, -90.0]]
        );
    }
}
