//! A grid: where the cells of a field lie, and the names and attributes under which that appears in a file.
//!
//! A grid is one of four kinds. *Rectilinear*: every row has one latitude, every column one longitude, geographic ones or
//! about a rotated pole. *Projected*: the same in the metres of a map projection. *Curvilinear*: rows and columns of cells
//! that each have a latitude and longitude of their own. *Points*: a list.

mod cells;
mod crs;
mod description;
mod gaussian;
mod list;
mod projection;
mod regular;
mod rotated;

pub use crs::Crs;
pub use projection::Projection;
pub use rotated::RotatedPole;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::attribute::Attributes;
use crate::axis::{AxisKind, BoundsFault, Latitudes, Longitudes, PlaneAxis};
use crate::error::Error;
use crate::io::Dimension;
use crate::sphere::SphereCells;

/// Where the cells of a field lie: a rectilinear, projected or curvilinear grid, or a list of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    pub(crate) layout: Layout,
    pub(crate) crs: Crs,
    /// The grid mapping's variable: its name and attributes, where there is one.
    pub(crate) mapping: Option<Coordinate>,
    /// The coordinate along rows' own direction: latitude, grid latitude or projection y.
    pub(crate) y: Coordinate,
    /// The coordinate along columns: longitude, grid longitude or projection x.
    pub(crate) x: Coordinate,
}

/// How the cells are laid out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layout {
    /// Rows of one latitude, columns of one longitude, in the grid's own system of coordinates.
    Rectilinear {
        latitudes: Latitudes,
        longitudes: Longitudes,
    },
    /// Rows and columns on the plane of a projection.
    Projected { y: PlaneAxis, x: PlaneAxis },
    /// Rows and columns of cells anywhere.
    Curvilinear {
        /// Shared by all copies of the grid: they take some fifty bytes each.
        cells: Arc<SphereCells>,
        /// The names of the dimensions, rows first.
        dimensions: [String; 2],
    },
    /// Points one after another.
    Points {
        cells: Arc<SphereCells>,
        dimension: String,
        /// What the points are called, if anything.
        names: Option<Vec<String>>,
    },
}

/// A variable of the file that says where cells are: its name and attributes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coordinate {
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
}

impl Coordinate {
    pub(crate) fn new(name: &str, standard_name: &str, units: &str, axis: Option<&str>) -> Self {
        let long_name = standard_name.replace('_', " ");
        let entries = [
            ("standard_name", standard_name),
            ("long_name", &long_name),
            ("units", units),
        ];
        let axis = axis.map(|axis| ("axis", axis));
        Self {
            name: name.to_owned(),
            attributes: entries.into_iter().chain(axis).collect(),
        }
    }

    /// Latitudes of cells that have one each.
    fn latitudes() -> Self {
        Self::new("latitude", "latitude", "degrees_north", None)
    }

    fn longitudes() -> Self {
        Self::new("longitude", "longitude", "degrees_east", None)
    }
}

impl Grid {
    /// A grid of two axes.
    pub fn new(latitudes: Latitudes, longitudes: Longitudes) -> Self {
        Self {
            layout: Layout::Rectilinear {
                latitudes,
                longitudes,
            },
            crs: Crs::Geographic,
            mapping: None,
            y: Coordinate::new("latitude", "latitude", "degrees_north", Some("Y")),
            x: Coordinate::new("longitude", "longitude", "degrees_east", Some("X")),
        }
    }

    /// A grid of latitudes and longitudes about a rotated pole.
    ///
    /// ```
    /// use regrid::{Grid, Latitudes, Longitudes, RotatedPole};
    ///
    /// let pole = RotatedPole { latitude: 37.5, longitude: 177.5, north_pole_longitude: 0.0 };
    /// let steps = |n: usize| (0..n).map(|i| i as f64 * 0.5 - 5.0).collect();
    /// let grid = Grid::rotated(pole, Latitudes::new(steps(21), None)?, Longitudes::new(steps(21), None)?);
    /// let (latitude, longitude) = grid.centres()[220]; // the middle: 0, 0 about the rotated pole
    /// assert!((latitude - 52.5).abs() < 1e-12 && (longitude + 2.5).abs() < 1e-12);
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn rotated(pole: RotatedPole, latitudes: Latitudes, longitudes: Longitudes) -> Self {
        Self {
            crs: Crs::RotatedPole(pole),
            mapping: Some(Coordinate {
                name: "rotated_pole".into(),
                attributes: pole.to_cf(),
            }),
            y: Coordinate::new("grid_latitude", "grid_latitude", "degrees", Some("Y")),
            x: Coordinate::new("grid_longitude", "grid_longitude", "degrees", Some("X")),
            ..Self::new(latitudes, longitudes)
        }
    }

    /// A grid on the plane of a map projection, given by the attributes of its CF grid mapping.
    ///
    /// # Errors
    /// [`Error::GridMapping`] if the mapping is no known projection.
    ///
    /// ```
    /// use regrid::{AttributeValue, Attributes, AxisKind, Grid, PlaneAxis};
    ///
    /// let mut mapping: Attributes = [("grid_mapping_name", "lambert_azimuthal_equal_area")].into_iter().collect();
    /// mapping.set("latitude_of_projection_origin", AttributeValue::F64(vec![52.0]));
    /// mapping.set("longitude_of_projection_origin", AttributeValue::F64(vec![10.0]));
    /// let axis = |kind| PlaneAxis::new(kind, vec![-1e5, 0.0, 1e5], None, 1.0);
    /// let grid = Grid::projected(&mapping, axis(AxisKind::ProjectionY)?, axis(AxisKind::ProjectionX)?)?;
    /// let (latitude, longitude) = grid.centres()[4];
    /// assert!((latitude - 52.0).abs() < 1e-9 && (longitude - 10.0).abs() < 1e-9);
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn projected(mapping: &Attributes, y: PlaneAxis, x: PlaneAxis) -> Result<Self, Error> {
        let projection = Projection::from_cf(mapping)?;
        let axis = |axis: &str| {
            let standard_name = format!("projection_{axis}_coordinate");
            let letter = axis.to_uppercase();
            Coordinate::new(axis, &standard_name, "m", Some(&letter))
        };
        Ok(Self {
            layout: Layout::Projected { y, x },
            mapping: Some(Coordinate {
                name: "crs".into(),
                attributes: mapping.clone(),
            }),
            crs: Crs::Projection(projection),
            y: axis("y"),
            x: axis("x"),
        })
    }

    /// A grid of rows and columns of cells that each have a latitude and longitude of their own.
    ///
    /// - Shape: (rows, columns), row by row; corners, where they are given, four a cell in one direction round it.
    /// - Units: degrees north, degrees east of any turn.
    /// - Missing data: a cell whose latitude or longitude is NaN never takes part.
    ///
    /// # Errors
    /// [`Error::CellCount`] if there are not as many coordinates as cells, [`Error::AxisValue`] for a latitude beyond a
    /// pole or a coordinate that is infinite, [`Error::EmptyAxis`] without cells or if no cell has a place.
    pub fn curvilinear(
        shape: (usize, usize),
        latitudes: Vec<f64>,
        longitudes: Vec<f64>,
        corners: Option<(Vec<f64>, Vec<f64>)>,
    ) -> Result<Self, Error> {
        let cells = SphereCells::new(shape, latitudes, longitudes, corners)?;
        Ok(Self::of_cells(cells, ["y".into(), "x".into()]))
    }

    /// A list of points, in their order.
    ///
    /// - Units: degrees north, degrees east of any turn.
    ///
    /// # Errors
    /// As [`Grid::curvilinear`]; [`Error::AxisValue`] for a coordinate that is NaN.
    ///
    /// ```
    /// let towns = regrid::Grid::points([51.5, 48.9], [-0.1, 2.4])?;
    /// assert!(towns.is_list());
    /// assert_eq!(towns.shape(), (1, 2));
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn points(
        latitudes: impl Into<Vec<f64>>,
        longitudes: impl Into<Vec<f64>>,
    ) -> Result<Self, Error> {
        let (latitudes, longitudes) = (latitudes.into(), longitudes.into());
        for (axis, values) in [
            (AxisKind::Latitude, &latitudes),
            (AxisKind::Longitude, &longitudes),
        ] {
            if let Some(index) = values.iter().position(|x| x.is_nan()) {
                return Err(Error::AxisValue {
                    axis,
                    index,
                    value: f64::NAN,
                });
            }
        }
        let shape = (1, latitudes.len());
        let cells = SphereCells::new(shape, latitudes, longitudes, None)?;
        Ok(Self::of_points(cells, "point".into()))
    }

    /// The same list of points, each with a name.
    ///
    /// Other grids stay as they are.
    ///
    /// # Errors
    /// [`Error::CellCount`] if there are not as many names as points.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        if let Layout::Points {
            cells, names: own, ..
        } = &mut self.layout
        {
            let names: Vec<String> = names.into_iter().map(Into::into).collect();
            if names.len() != cells.columns {
                return Err(Error::CellCount {
                    what: "names",
                    got: names.len(),
                    expected: cells.columns,
                });
            }
            *own = Some(names);
        }
        Ok(self)
    }

    pub(crate) fn of_cells(cells: SphereCells, dimensions: [String; 2]) -> Self {
        Self {
            layout: Layout::Curvilinear {
                cells: cells.into(),
                dimensions,
            },
            crs: Crs::Geographic,
            mapping: None,
            y: Coordinate::latitudes(),
            x: Coordinate::longitudes(),
        }
    }

    pub(crate) fn of_points(cells: SphereCells, dimension: String) -> Self {
        Self {
            layout: Layout::Points {
                cells: cells.into(),
                dimension,
                names: None,
            },
            crs: Crs::Geographic,
            mapping: None,
            y: Coordinate::latitudes(),
            x: Coordinate::longitudes(),
        }
    }

    /// Number of rows and of columns; a list of points is one row.
    pub fn shape(&self) -> (usize, usize) {
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => (latitudes.len(), longitudes.len()),
            Layout::Projected { y, x } => (y.len(), x.len()),
            Layout::Curvilinear { cells, .. } | Layout::Points { cells, .. } => {
                (cells.rows, cells.columns)
            }
        }
    }

    /// Whether it is a list of points: its fields have one horizontal dimension, not two.
    pub fn is_list(&self) -> bool {
        matches!(self.layout, Layout::Points { .. })
    }

    /// The rows' latitudes and the columns' longitudes of a rectilinear grid, in its own [`Crs`].
    pub fn axes(&self) -> Option<(&Latitudes, &Longitudes)> {
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => Some((latitudes, longitudes)),
            _ => None,
        }
    }

    /// The rows' y and the columns' x on the plane of a projected grid.
    pub fn plane_axes(&self) -> Option<(&PlaneAxis, &PlaneAxis)> {
        match &self.layout {
            Layout::Projected { y, x } => Some((y, x)),
            _ => None,
        }
    }

    /// Whether a single row or column lacks bounds, so that its cells have no height or no width.
    pub(crate) fn is_flat(&self) -> bool {
        let flat = |len: usize, bounds: bool| len == 1 && !bounds;
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => {
                flat(latitudes.len(), latitudes.bounds().is_some())
                    || flat(longitudes.len(), longitudes.bounds().is_some())
            }
            Layout::Projected { y, x } => {
                flat(y.len(), y.bounds().is_some()) || flat(x.len(), x.bounds().is_some())
            }
            Layout::Curvilinear { .. } | Layout::Points { .. } => false,
        }
    }

    /// What is wrong with the bounds of its axes, if they make no cells.
    pub(crate) fn bounds_fault(&self) -> Option<BoundsFault> {
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => latitudes
                .bounds_fault()
                .or_else(|| longitudes.bounds_fault()),
            Layout::Projected { y, x } => {
                let y = y.bounds_fault(AxisKind::ProjectionY);
                y.or_else(|| x.bounds_fault(AxisKind::ProjectionX))
            }
            Layout::Curvilinear { .. } | Layout::Points { .. } => None,
        }
    }

    /// Whether cells that have their own coordinates have corners too; grids of axes have bounds, given or midway.
    pub fn has_corners(&self) -> bool {
        match &self.layout {
            Layout::Rectilinear { .. } | Layout::Projected { .. } => true,
            Layout::Curvilinear { cells, .. } | Layout::Points { cells, .. } => {
                cells.corners.is_some()
            }
        }
    }

    /// What the numbers on its axes mean.
    pub fn crs(&self) -> &Crs {
        &self.crs
    }

    /// Whether the axes of both grids mean the same, so that a point of one can be sought in the other as it stands.
    pub fn same_crs(&self, other: &Self) -> bool {
        self.crs == other.crs
    }

    /// The names and lengths of its dimensions: rows and columns, or the one of a list.
    pub fn dimensions(&self) -> Vec<Dimension> {
        let fixed = |name: &str, len| Dimension {
            name: name.to_owned(),
            len,
            unlimited: false,
        };
        let (rows, columns) = self.shape();
        match &self.layout {
            Layout::Rectilinear { .. } | Layout::Projected { .. } => {
                vec![fixed(&self.y.name, rows), fixed(&self.x.name, columns)]
            }
            Layout::Curvilinear { dimensions, .. } => {
                vec![fixed(&dimensions[0], rows), fixed(&dimensions[1], columns)]
            }
            Layout::Points { dimension, .. } => vec![fixed(dimension, columns)],
        }
    }

    /// Latitude and longitude of every cell's centre, row by row; NaN where a cell has no place on the globe.
    ///
    /// - Units: degrees north, degrees east of any turn.
    pub fn centres(&self) -> Vec<(f64, f64)> {
        self.each_centre().collect()
    }

    fn each_centre(&self) -> Box<dyn Iterator<Item = (f64, f64)> + '_> {
        let (rows, columns) = self.shape();
        self.centres_of(0..rows * columns)
    }

    /// The centres of some cells.
    fn centres_of(&self, cells: Range<usize>) -> Box<dyn Iterator<Item = (f64, f64)> + '_> {
        match &self.layout {
            Layout::Curvilinear { cells: all, .. } | Layout::Points { cells: all, .. } => {
                let latitudes = all.latitudes[cells.clone()].iter().copied();
                Box::new(latitudes.zip(all.longitudes[cells].iter().copied()))
            }
            _ => {
                let points = self.own_points(cells);
                Box::new(points.map(|(y, x)| self.crs.to_geographic(y, x)))
            }
        }
    }

    /// The y and x of some cells of a grid with axes.
    fn own_points(&self, cells: Range<usize>) -> impl Iterator<Item = (f64, f64)> + '_ {
        let (y, x) = self.own_centres();
        let width = x.len().max(1);
        (cells.start / width..cells.end.div_ceil(width)).flat_map(move |row| {
            let first = row * width;
            let columns = cells.start.max(first) - first..cells.end.min(first + width) - first;
            x[columns].iter().map(move |&x| (y[row], x))
        })
    }

    /// The centres along both axes; of grids without axes nothing.
    fn own_centres(&self) -> (&[f64], &[f64]) {
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => (latitudes.centres(), longitudes.centres()),
            Layout::Projected { y, x } => (y.centres(), x.centres()),
            Layout::Curvilinear { .. } | Layout::Points { .. } => (&[], &[]),
        }
    }

    /// The centres of some of this grid's cells, as (y, x) in the own coordinates of another grid.
    ///
    /// NaN where a point of this grid has no place in the other's system.
    /// - Units: (latitude, longitude) in degrees for a geographic or rotated grid, metres for a projected one.
    pub(crate) fn points_in_crs_of<'a>(
        &'a self,
        other: &'a Self,
        cells: Range<usize>,
    ) -> Box<dyn Iterator<Item = (f64, f64)> + 'a> {
        if self.same_crs(other) && !self.own_centres().0.is_empty() {
            return Box::new(self.own_points(cells));
        }
        let centres = self.centres_of(cells);
        Box::new(
            centres.map(|(latitude, longitude)| other.crs.from_geographic(latitude, longitude)),
        )
    }

    /// Whether both grids have the same cells, as far as they were stored; whatever they are called.
    pub(crate) fn same_points(&self, other: &Self) -> bool {
        let same = |a: &[f64], b: &[f64], rounding: &dyn Fn(f64) -> f64| {
            a.len() == b.len() && a.iter().zip(b).all(|(&x, &y)| (x - y).abs() <= rounding(x))
        };
        if self.crs != other.crs {
            return false;
        }
        match (&self.layout, &other.layout) {
            (
                Layout::Rectilinear {
                    latitudes: lat,
                    longitudes: lon,
                },
                Layout::Rectilinear {
                    latitudes: other_lat,
                    longitudes: other_lon,
                },
            ) => {
                same(lat.centres(), other_lat.centres(), &|x| {
                    lat.rounding(x) + other_lat.rounding(x)
                }) && same(lon.centres(), other_lon.centres(), &|x| {
                    lon.rounding(x) + other_lon.rounding(x)
                })
            }
            (Layout::Projected { y, x }, Layout::Projected { y: v, x: u }) => {
                same(y.centres(), v.centres(), &|c| y.rounding(c) + v.rounding(c))
                    && same(x.centres(), u.centres(), &|c| x.rounding(c) + u.rounding(c))
            }
            (Layout::Curvilinear { cells, .. }, Layout::Curvilinear { cells: others, .. })
            | (Layout::Points { cells, .. }, Layout::Points { cells: others, .. }) => {
                cells.same_centres(others)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A tenth of a microdegree would only show how a value was stored.
        let short = |x: f64| (x * 1e5).round() / 1e5;
        let ends = |c: &[f64]| (short(c[0]), short(c[c.len() - 1]));
        let (rows, columns) = self.shape();
        match &self.layout {
            Layout::Points { .. } => write!(f, "{columns} points, ")?,
            _ => write!(f, "{rows} x {columns}, ")?,
        }
        match &self.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => {
                let (south, north) = ends(latitudes.centres());
                let (west, east) = ends(longitudes.centres());
                if let Crs::RotatedPole(pole) = &self.crs {
                    write!(
                        f,
                        "about a pole at {} north, {} east, ",
                        short(pole.latitude),
                        short(pole.longitude)
                    )?;
                }
                write!(f, "latitude {south} to {north}, longitude {west} to {east}")?;
                if longitudes.is_cyclic() {
                    f.write_str(", all the way round")?;
                }
                Ok(())
            }
            Layout::Projected { y, x } => {
                let name = match &self.crs {
                    Crs::Projection(projection) => projection.name(),
                    _ => "plane",
                };
                let ((south, north), (west, east)) = (ends(y.centres()), ends(x.centres()));
                write!(f, "{name}, y {south} to {north} m, x {west} to {east} m")
            }
            Layout::Curvilinear { cells, .. } | Layout::Points { cells, .. } => {
                if !self.is_list() {
                    f.write_str("curvilinear, ")?;
                }
                let (south, north) = cells.latitude_span();
                write!(f, "latitude {} to {}", short(south), short(north))
            }
        }
    }
}

#[cfg(test)]
mod tests;
