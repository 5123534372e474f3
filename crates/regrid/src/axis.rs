//! One coordinate of a grid: centres, bounds, direction; for longitudes, whether they go round.
//!
//! Latitudes and longitudes are types of their own, so that one cannot be handed over for the other. What a grid is
//! made of two of them is `grid`'s business. The axes of a map projection's plane are [`PlaneAxis`].

mod bounds;
mod plane;

pub(crate) use bounds::BoundsFault;
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

/// The latitudes of a grid's rows, degrees north, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Latitudes(Cells);

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

    fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| first + step * i as f64).collect()
    }

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
