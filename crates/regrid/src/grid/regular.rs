//! Rectilinear grids by numbers and by name.

use std::ops::RangeInclusive;

use super::{Grid, gaussian};
use crate::axis::{AxisKind, Latitudes, Longitudes};
use crate::error::Error;

/// Points of a target axis at the most; beyond it a step was surely mistyped.
const MOST_POINTS: f64 = 10_000_000.0;

/// Gaussian rows between a pole and the equator at the most: their number squared is the work.
const MOST_LINES: usize = 10_000;

impl Grid {
    /// A grid of the given points, in their order.
    ///
    /// - Units: degrees north, degrees east.
    ///
    /// # Errors
    /// As [`Latitudes::new`] and [`Longitudes::new`].
    pub fn from_axes(
        latitudes: impl Into<Vec<f64>>,
        longitudes: impl Into<Vec<f64>>,
    ) -> Result<Self, Error> {
        Ok(Self::new(
            Latitudes::new(latitudes.into(), None)?,
            Longitudes::new(longitudes.into(), None)?,
        ))
    }

    /// Points from start to end, both included where a whole number of steps leads there.
    ///
    /// A range that ends below its start (`60.0..=15.0`) runs downwards; the step's sign does not matter.
    /// - Units: degrees north, degrees east.
    ///
    /// # Errors
    /// [`Error::Step`] for a step of zero or one that gives more than ten million points; as [`Grid::from_axes`].
    ///
    /// ```
    /// let grid = regrid::Grid::regular(30.0..=40.0, 0.01, 30.0..=40.0, 0.01)?;
    /// assert_eq!(grid.shape(), (1001, 1001));
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn regular(
        latitudes: RangeInclusive<f64>,
        latitude_step: f64,
        longitudes: RangeInclusive<f64>,
        longitude_step: f64,
    ) -> Result<Self, Error> {
        Self::from_axes(
            points(
                AxisKind::Latitude,
                *latitudes.start(),
                *latitudes.end(),
                latitude_step,
            )?,
            points(
                AxisKind::Longitude,
                *longitudes.start(),
                *longitudes.end(),
                longitude_step,
            )?,
        )
    }

    /// The cell-centred global grid of one step: the first row half a step from the south pole, the first column half
    /// a step east of Greenwich.
    ///
    /// # Errors
    /// [`Error::Step`] if 180 degrees are not a whole number of steps.
    pub fn global(step: f64) -> Result<Self, Error> {
        Self::cell_centred(step, 0.0)
    }

    /// The cell-centred global grid of one step whose first column begins at a longitude.
    fn cell_centred(step: f64, west: f64) -> Result<Self, Error> {
        let rows = 180.0 / step;
        if !(step > 0.0 && rows >= 1.0 && (rows - rows.round()).abs() < 1e-6 && rows <= MOST_POINTS)
        {
            return Err(Error::Step {
                axis: AxisKind::Latitude,
                step,
                reason: "180 degrees are not a whole number of such steps",
            });
        }
        let rows = rows.round() as usize;
        let centre = |first: f64, i: usize, span: f64, n: usize| {
            tidy(first + (i as f64 + 0.5) * span / n as f64)
        };
        let latitudes: Vec<_> = (0..rows).map(|i| centre(-90.0, i, 180.0, rows)).collect();
        let longitudes: Vec<_> = (0..2 * rows)
            .map(|i| centre(west, i, 360.0, 2 * rows))
            .collect();
        Self::with_global_bounds(latitudes, longitudes)
    }

    /// The global grid that CDO calls `r<columns>x<rows>`: the first column at Greenwich, the first row half a step from
    /// the south pole, or, of an odd number of rows, on it.
    ///
    /// # Errors
    /// [`Error::Step`] for no rows or columns, or more than ten million.
    pub fn cdo_regular(columns: usize, rows: usize) -> Result<Self, Error> {
        let fits = |n: usize| n > 0 && n as f64 <= MOST_POINTS;
        if !fits(columns) || !fits(rows) {
            return Err(Error::Step {
                axis: AxisKind::Longitude,
                step: 0.0,
                reason: "a grid needs at least one row and one column, and no more than ten million",
            });
        }
        // As CDO 2.1.1 does: 360 x 181 is the grid with a row on every degree.
        let on_poles = rows > 1 && rows % 2 == 1;
        let row = |i: usize| match on_poles {
            true => i as f64 * 180.0 / (rows - 1) as f64,
            false => (i as f64 + 0.5) * 180.0 / rows as f64,
        };
        let latitudes: Vec<_> = (0..rows).map(|i| tidy(-90.0 + row(i))).collect();
        let longitudes: Vec<_> = (0..columns)
            .map(|i| tidy(i as f64 * 360.0 / columns as f64))
            .collect();
        Self::with_global_bounds(latitudes, longitudes)
    }

    /// The global Gaussian grid of `lines` rows between a pole and the equator: `2 * lines` rows from north to south, the
    /// roots of a Legendre polynomial, and `4 * lines` columns, the first at Greenwich.
    ///
    /// Its cells meet midway between the rows and reach the poles.
    ///
    /// # Errors
    /// [`Error::Step`] for no lines, or more than ten thousand.
    ///
    /// ```
    /// let grid = regrid::Grid::gaussian(80)?;
    /// assert_eq!(grid.shape(), (160, 320));
    /// assert!((grid.axes().unwrap().0.centres()[0] - 89.14151942646126).abs() < 1e-13);
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn gaussian(lines: usize) -> Result<Self, Error> {
        if lines == 0 || lines > MOST_LINES {
            return Err(Error::Step {
                axis: AxisKind::Latitude,
                step: lines as f64,
                reason: "a Gaussian grid has 1 to 10000 rows between a pole and the equator",
            });
        }
        let latitudes = gaussian::latitudes(2 * lines);
        let bounds = gaussian::bounds(&latitudes);
        let columns = 4 * lines;
        let longitudes = (0..columns).map(|i| tidy(i as f64 * 360.0 / columns as f64));
        Ok(Self::new(
            Latitudes::new(latitudes, Some(bounds))?,
            Longitudes::new(longitudes.collect(), None)?,
        ))
    }

    /// A grid by its name, as CDO means it, or a bare step.
    ///
    /// - `r360x180`: [`Grid::cdo_regular`].
    /// - `n80` or `F80`: [`Grid::gaussian`].
    /// - `global_0.5`: cells of half a degree, the first column at -179.75, the first row at -89.75.
    /// - `0.5`: the same cells from Greenwich on, [`Grid::global`].
    /// - `lon=10/lat=50`: the one point, as a grid of one row and one column.
    ///
    /// # Errors
    /// [`Error::GridName`] for any other text; as the functions named above.
    ///
    /// ```
    /// use regrid::Grid;
    /// assert_eq!(Grid::named("r360x180")?.axes().unwrap().1.centres()[0], 0.0);
    /// assert_eq!(Grid::named("n80")?.shape(), (160, 320));
    /// assert_eq!(Grid::named("0.5")?.shape(), (360, 720));
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn named(name: &str) -> Result<Self, Error> {
        let unknown = || Error::GridName {
            name: name.to_owned(),
        };
        let count = |text: &str| text.parse::<usize>().map_err(|_| unknown());
        let number = |text: &str| {
            let number = text.parse::<f64>().ok().filter(|x| x.is_finite());
            number.ok_or_else(unknown)
        };
        if let Some((columns, rows)) = name.strip_prefix('r').and_then(|rest| rest.split_once('x'))
        {
            return Self::cdo_regular(count(columns)?, count(rows)?);
        }
        if let Some(lines) = name.strip_prefix(['n', 'N', 'F']) {
            return Self::gaussian(count(lines)?);
        }
        if let Some(step) = name.strip_prefix("global_") {
            return Self::cell_centred(number(step)?, -180.0);
        }
        if let Some(point) = name.strip_prefix("lon=") {
            let (longitude, latitude) = point.split_once("/lat=").ok_or_else(unknown)?;
            return Self::from_axes([number(latitude)?], [number(longitude)?]);
        }
        Self::global(number(name)?)
    }

    /// A global grid of one row or one column carries bounds, since nothing else tells that it is global.
    fn with_global_bounds(latitudes: Vec<f64>, longitudes: Vec<f64>) -> Result<Self, Error> {
        let row_bounds = (latitudes.len() == 1).then(|| vec![[-90.0, 90.0]]);
        let column_bounds =
            (longitudes.len() == 1).then(|| vec![[longitudes[0] - 180.0, longitudes[0] + 180.0]]);
        Ok(Self::new(
            Latitudes::new(latitudes, row_bounds)?,
            Longitudes::new(longitudes, column_bounds)?,
        ))
    }
}

/// Points from `start` towards `end`, computed from the start so that steps do not add up their rounding.
fn points(axis: AxisKind, start: f64, end: f64, step: f64) -> Result<Vec<f64>, Error> {
    let step = step.abs();
    let fault = |reason| Error::Step { axis, step, reason };
    if !(start.is_finite() && end.is_finite()) {
        return Err(fault("start and end must be numbers"));
    }
    if step.is_nan() || step == 0.0 {
        return Err(fault("the step must not be zero"));
    }
    let count = ((end - start).abs() / step + 1e-6).floor() + 1.0;
    if count > MOST_POINTS {
        return Err(fault("more than ten million points"));
    }
    let signed = if end < start { -step } else { step };
    Ok((0..count as usize)
        .map(|i| tidy(start + i as f64 * signed))
        .collect())
}

/// The double nearest to the value's ten decimals: 30.07, not 30.069999999999997.
pub(super) fn tidy(x: f64) -> f64 {
    const SCALE: f64 = 1e10;
    let rounded = (x * SCALE).round() / SCALE;
    // A step such as 1/3 has more decimals than that: leave it alone.
    if (rounded - x).abs() < 1e-12 {
        rounded
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_grids_hit_their_ends_exactly() {
        let grid = Grid::regular(60.0..=15.0, 0.6, -10.0..=10.0, 0.1).unwrap();
        let latitudes = grid.axes().unwrap().0.centres();
        assert_eq!(
            (latitudes.len(), latitudes[0], latitudes[75]),
            (76, 60.0, 15.0)
        );
        let longitudes = grid.axes().unwrap().1.centres();
        assert_eq!(
            (longitudes.len(), longitudes[3], longitudes[200]),
            (201, -9.7, 10.0)
        );
    }

    #[test]
    fn an_end_between_steps_is_not_reached() {
        let grid = Grid::regular(0.0..=1.0, 0.3, 0.0..=0.0, 1.0).unwrap();
        assert_eq!(grid.axes().unwrap().0.centres(), [0.0, 0.3, 0.6, 0.9]);
        assert_eq!(grid.axes().unwrap().1.centres(), [0.0]);
    }

    #[test]
    fn named_grids_mean_what_cdo_means() {
        let r = Grid::named("r360x180").unwrap();
        assert_eq!(r.shape(), (180, 360));
        assert_eq!(
            (
                r.axes().unwrap().0.centres()[0],
                r.axes().unwrap().0.centres()[179]
            ),
            (-89.5, 89.5)
        );
        assert_eq!(
            (
                r.axes().unwrap().1.centres()[0],
                r.axes().unwrap().1.centres()[359]
            ),
            (0.0, 359.0)
        );
        let half = Grid::named("0.5").unwrap();
        assert_eq!(
            (
                half.axes().unwrap().0.centres()[0],
                half.axes().unwrap().1.centres()[0]
            ),
            (-89.75, 0.25)
        );
        assert!(half.axes().unwrap().1.is_cyclic());
        assert_eq!(half.axes().unwrap().0.reach_poles(), [true, true]);
    }

    #[test]
    fn gaussian_and_global_grids_mean_what_cdo_means() {
        let n = Grid::named("n4").unwrap();
        let (latitudes, longitudes) = n.axes().unwrap();
        // `cdo -f nc topo,n4`.
        let cdo = [
            73.7992136285632,
            52.8129431899943,
            31.704091745008,
            10.5698823125761,
        ];
        for (i, latitude) in cdo.into_iter().enumerate() {
            assert!((latitudes.centres()[i] - latitude).abs() < 1e-12);
            assert!((latitudes.centres()[7 - i] + latitude).abs() < 1e-12);
        }
        assert_eq!((longitudes.len(), longitudes.centres()[1]), (16, 22.5));
        assert_eq!(latitudes.reach_poles(), [true, true]);
        assert_eq!(Grid::named("F4").unwrap(), n);
        let global = Grid::named("global_10").unwrap();
        let (latitudes, longitudes) = global.axes().unwrap();
        assert_eq!(
            (latitudes.centres()[0], longitudes.centres()[0]),
            (-85.0, -175.0)
        );
        assert_eq!(global.shape(), (18, 36));
        let point = Grid::named("lon=-10/lat=50.5").unwrap();
        assert_eq!(point.centres(), [(50.5, -10.0)]);
    }

    #[test]
    fn an_odd_number_of_rows_has_one_on_each_pole() {
        // `cdo griddes -const,1,r4x3` and so on, CDO 2.1.1.
        let latitudes = |name: &str| {
            let grid = Grid::named(name).unwrap();
            grid.axes().unwrap().0.centres().to_vec()
        };
        assert_eq!(latitudes("r4x3"), [-90.0, 0.0, 90.0]);
        assert_eq!(latitudes("r360x181")[..2], [-90.0, -89.0]);
        assert_eq!(latitudes("r9x1"), [0.0]);
        assert_eq!(latitudes("r8x6")[0], -75.0);
    }

    #[test]
    fn odd_steps_keep_their_digits() {
        let grid = Grid::cdo_regular(7, 7).unwrap();
        assert_eq!(grid.axes().unwrap().1.centres()[1], 360.0 / 7.0);
    }

    #[test]
    fn unusable_steps_and_names_are_refused() {
        for name in [
            "",
            "r360",
            "rx180",
            "r0x180",
            "r1e9x4",
            "0.7",
            "-1",
            "0",
            "inf",
            "global",
            "n",
            "n0",
            "F1e9",
            "n99999",
            "global_7",
            "lon=1",
            "lon=1/lat=x",
        ] {
            assert!(Grid::named(name).is_err(), "{name:?}");
        }
        assert!(Grid::regular(0.0..=10.0, 0.0, 0.0..=1.0, 1.0).is_err());
        assert!(Grid::regular(0.0..=10.0, 1e-12, 0.0..=1.0, 1.0).is_err());
        assert!(Grid::regular(0.0..=f64::NAN, 1.0, 0.0..=1.0, 1.0).is_err());
    }
}
