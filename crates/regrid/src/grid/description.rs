//! Grids described in text, as CDO's `griddes` prints them and CDO reads them.
//!
//! A description is a list of `key = value`; a value goes on over the lines that have no key; `#` begins a comment.

use super::{Coordinate, Crs, Grid, Layout, RotatedPole, gaussian};
use crate::attribute::{AttributeValue, Attributes};
use crate::axis::{AxisKind, Latitudes, Longitudes, PlaneAxis};
use crate::error::Error;
use crate::sphere::SphereCells;

/// Keys that say how a field is stored or what a description is called, which a grid does not need.
const IDLE: [&str; 9] = [
    "gridid",
    "datatype",
    "numlpe",
    "np",
    "scanningmode",
    "uvrelativetogrid",
    "gridlatlon",
    "area",
    "vdimname",
];

/// A description: keys and values in their order.
struct Description {
    entries: Vec<(String, String)>,
}

fn fault(reason: impl Into<String>) -> Error {
    Error::Description {
        reason: reason.into(),
    }
}

impl Grid {
    /// The grid that a text describes, as CDO's `griddes` prints it.
    ///
    /// Known are the grid types `lonlat`, `gaussian`, `curvilinear`, `unstructured` (or `cell`) and `projection`; sizes,
    /// values, first values and increments, bounds, names and units; a rotated pole as `grid_mapping_name` or as `xnpole`
    /// and `ynpole`. A `gaussian` grid needs no more than its `ysize`.
    ///
    /// # Errors
    /// [`Error::Description`] for a key that is missing, twice or not known, or that has another number of values than
    /// cells; [`Error::GridMapping`]; as the other ways to make a grid.
    ///
    /// ```
    /// let grid = regrid::Grid::described("gridtype = lonlat\nxsize = 4\nysize = 2\nxfirst = 0\nxinc = 90\nyfirst = -45\nyinc = 90")?;
    /// assert_eq!(grid.shape(), (2, 4));
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn described(text: &str) -> Result<Self, Error> {
        let mut description = Description::read(text)?;
        let kind = description
            .take("gridtype")
            .ok_or_else(|| fault("it has no gridtype"))?;
        let grid = match kind.as_str() {
            "lonlat" | "latlon" => description.lonlat()?,
            "gaussian" => description.gaussian()?,
            "projection" => description.projection()?,
            "curvilinear" => description.cells(true)?,
            "unstructured" | "cell" => description.cells(false)?,
            other => {
                return Err(fault(format!(
                    "gridtype {other} is not known; known are lonlat, gaussian, curvilinear, unstructured and projection"
                )));
            }
        };
        description.finish()?;
        Ok(grid)
    }
}

impl Description {
    fn read(text: &str) -> Result<Self, Error> {
        let mut entries: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            match (line.split_once('='), entries.last_mut()) {
                (Some((key, value)), _) => {
                    let key = key.trim().to_owned();
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(fault(format!("{key} is there twice")));
                    }
                    entries.push((key, value.trim().to_owned()));
                }
                (None, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line);
                }
                (None, None) => return Err(fault(format!("{line:?} is no key with a value"))),
            }
        }
        Ok(Self { entries })
    }

    /// The value of a key, without quotes; it is not looked at again.
    fn take(&mut self, key: &str) -> Option<String> {
        let at = self
            .entries
            .iter()
            .position(|(known, _)| known.eq_ignore_ascii_case(key))?;
        Some(self.entries.remove(at).1.trim_matches('"').to_owned())
    }

    fn size(&mut self, key: &str) -> Result<Option<usize>, Error> {
        let parse = |text: String| {
            let number = text.parse().ok().filter(|&n| n > 0);
            number.ok_or_else(|| fault(format!("{key} = {text} is no number of cells")))
        };
        self.take(key).map(parse).transpose()
    }

    fn needed_size(&mut self, key: &str) -> Result<usize, Error> {
        self.size(key)?
            .ok_or_else(|| fault(format!("it has no {key}")))
    }

    fn numbers(&mut self, key: &str) -> Result<Option<Vec<f64>>, Error> {
        let Some(text) = self.take(key) else {
            return Ok(None);
        };
        let parse = |word: &str| {
            let number: Option<f64> = word.parse().ok();
            number.ok_or_else(|| fault(format!("{key} has {word:?}, which is no number")))
        };
        text.split([' ', ',', '\t'])
            .filter(|word| !word.is_empty())
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn number(&mut self, key: &str) -> Result<Option<f64>, Error> {
        match self.numbers(key)?.as_deref() {
            None => Ok(None),
            Some(&[number]) => Ok(Some(number)),
            Some(other) => Err(fault(format!("{key} has {} values", other.len()))),
        }
    }

    /// So many numbers under a key.
    fn exactly(&mut self, key: &str, expected: usize) -> Result<Option<Vec<f64>>, Error> {
        match self.numbers(key)? {
            Some(numbers) if numbers.len() != expected => Err(fault(format!(
                "{key} has {} values where there should be {expected}",
                numbers.len()
            ))),
            numbers => Ok(numbers),
        }
    }

    /// Centres and bounds of `x` or `y`: the values, or a first one and an increment.
    fn axis(&mut self, axis: char, size: usize) -> Result<Option<Axis>, Error> {
        let values = self.exactly(&format!("{axis}vals"), size)?;
        let first = self.number(&format!("{axis}first"))?;
        let step = self.number(&format!("{axis}inc"))?;
        let bounds = self.exactly(&format!("{axis}bounds"), 2 * size)?;
        let bounds = bounds.map(|flat| flat.chunks_exact(2).map(|b| [b[0], b[1]]).collect());
        let centres = match (values, first, step) {
            (Some(values), _, _) => values,
            (None, Some(first), Some(step)) => (0..size)
                .map(|i| super::regular::tidy(first + i as f64 * step))
                .collect(),
            (None, Some(first), None) if size == 1 => vec![first],
            (None, None, None) => return Ok(None),
            _ => {
                return Err(fault(format!(
                    "{axis}first and {axis}inc are not both there"
                )));
            }
        };
        Ok(Some((centres, bounds)))
    }

    fn needed_axis(&mut self, axis: char, size: usize) -> Result<Axis, Error> {
        self.axis(axis, size)?.ok_or_else(|| {
            fault(format!(
                "it has neither {axis}vals nor {axis}first and {axis}inc"
            ))
        })
    }

    /// The sizes of both axes, where `gridsize` may stand beside them.
    fn sizes(&mut self) -> Result<(usize, usize), Error> {
        let (columns, rows) = (self.needed_size("xsize")?, self.needed_size("ysize")?);
        match self.size("gridsize")? {
            Some(cells) if Some(cells) != rows.checked_mul(columns) => Err(fault(format!(
                "gridsize = {cells} is not xsize x ysize = {columns} x {rows}"
            ))),
            _ => Ok((rows, columns)),
        }
    }

    fn lonlat(&mut self) -> Result<Grid, Error> {
        let (rows, columns) = self.sizes()?;
        let (longitudes, column_bounds) = self.needed_axis('x', columns)?;
        let (latitudes, row_bounds) = self.needed_axis('y', rows)?;
        let latitudes = Latitudes::new(latitudes, row_bounds)?;
        let longitudes = Longitudes::new(longitudes, column_bounds)?;
        let pole = (self.number("xnpole")?, self.number("ynpole")?);
        let angle = self.number("angle")?.unwrap_or(0.0);
        let mut grid = match pole {
            (Some(longitude), Some(latitude)) => {
                let pole = RotatedPole {
                    latitude,
                    longitude,
                    north_pole_longitude: angle,
                };
                Grid::rotated(pole, latitudes, longitudes)
            }
            (None, None) => Grid::new(latitudes, longitudes),
            _ => return Err(fault("xnpole and ynpole are not both there")),
        };
        self.name(&mut grid);
        Ok(grid)
    }

    fn gaussian(&mut self) -> Result<Grid, Error> {
        let rows = self.needed_size("ysize")?;
        let columns = self.size("xsize")?.unwrap_or(2 * rows);
        if let Some(cells) = self.size("gridsize")?
            && Some(cells) != rows.checked_mul(columns)
        {
            return Err(fault(format!(
                "gridsize = {cells} is not xsize x ysize = {columns} x {rows} (reduced grids are not known)"
            )));
        }
        let made = Grid::cdo_regular(columns, 1)?;
        let (_, round) = made.axes().expect("a regular grid has axes");
        let (longitudes, column_bounds) = match self.axis('x', columns)? {
            Some(axis) => axis,
            None => (round.centres().to_vec(), None),
        };
        let (latitudes, row_bounds) = match self.axis('y', rows)? {
            Some((latitudes, None)) if latitudes.first() > latitudes.last() => {
                let bounds = gaussian::bounds(&latitudes);
                (latitudes, Some(bounds))
            }
            Some(axis) => axis,
            None => {
                let latitudes = gaussian::latitudes(rows);
                let bounds = gaussian::bounds(&latitudes);
                (latitudes, Some(bounds))
            }
        };
        let mut grid = Grid::new(
            Latitudes::new(latitudes, row_bounds)?,
            Longitudes::new(longitudes, column_bounds)?,
        );
        self.name(&mut grid);
        Ok(grid)
    }

    /// Axes in the coordinates of a grid mapping, whose attributes are the keys that nothing else needs.
    fn projection(&mut self) -> Result<Grid, Error> {
        let (rows, columns) = self.sizes()?;
        let (x, x_bounds) = self.needed_axis('x', columns)?;
        let (y, y_bounds) = self.needed_axis('y', rows)?;
        let units = ["xunits", "yunits"].map(|key| self.take(key).unwrap_or_else(|| "m".into()));
        let mut named = Grid::from_axes([0.0], [0.0])?;
        self.name(&mut named);
        let variable = self.take("grid_mapping");
        for key in IDLE {
            self.take(key);
        }
        let mut attributes = Attributes::new();
        for (key, value) in std::mem::take(&mut self.entries) {
            attributes.set(&key, value_of(&value));
        }
        let mut grid = match Crs::from_cf(&attributes)? {
            Crs::Projection(_) => {
                let unit = |units: &str| match units {
                    "m" | "meter" | "metre" => Ok(1.0),
                    "km" => Ok(1000.0),
                    other => Err(fault(format!(
                        "units {other:?} of a projection are no length"
                    ))),
                };
                let y = PlaneAxis::new(AxisKind::ProjectionY, y, y_bounds, unit(&units[1])?)?;
                let x = PlaneAxis::new(AxisKind::ProjectionX, x, x_bounds, unit(&units[0])?)?;
                let mut grid = Grid::projected(&attributes, y, x)?;
                grid.x.attributes.set("units", units[0].as_str());
                grid.y.attributes.set("units", units[1].as_str());
                grid
            }
            crs => {
                let (y, x) = (Latitudes::new(y, y_bounds)?, Longitudes::new(x, x_bounds)?);
                match crs {
                    Crs::RotatedPole(pole) => Grid::rotated(pole, y, x),
                    _ => Grid::new(y, x),
                }
            }
        };
        for (own, other) in [(&mut grid.y, &named.y), (&mut grid.x, &named.x)] {
            if other.name != "latitude" && other.name != "longitude" {
                own.name.clone_from(&other.name);
            }
        }
        let name = variable.or_else(|| grid.mapping.as_ref().map(|m| m.name.clone()));
        grid.mapping = name.map(|name| Coordinate { name, attributes });
        Ok(grid)
    }

    /// A latitude and a longitude for each cell of rows and columns, or of a list.
    fn cells(&mut self, curvilinear: bool) -> Result<Grid, Error> {
        let shape = match curvilinear {
            true => self.sizes()?,
            false => {
                let cells = self.needed_size("gridsize")?;
                for key in ["xsize", "ysize"] {
                    if self.size(key)?.is_some_and(|size| size != cells) {
                        return Err(fault(format!("{key} is not gridsize")));
                    }
                }
                (1, cells)
            }
        };
        let cells = shape.0.saturating_mul(shape.1);
        let mut needed = |key: &str| {
            let numbers = self.exactly(key, cells)?;
            numbers.ok_or_else(|| fault(format!("it has no {key}")))
        };
        let (mut x, mut y) = (needed("xvals")?, needed("yvals")?);
        let corners = self.size("nvertex")?.unwrap_or(4);
        let bounds = (
            self.exactly("ybounds", corners * cells)?,
            self.exactly("xbounds", corners * cells)?,
        );
        let mut corners = match bounds {
            (Some(y), Some(x)) => Some((y, x)),
            (None, None) => None,
            _ => return Err(fault("xbounds and ybounds are not both there")),
        };
        for (key, values, index) in [("yunits", &mut y, 0), ("xunits", &mut x, 1)] {
            if self.take(key).is_some_and(|units| units.starts_with("rad")) {
                values.iter_mut().for_each(|v| *v = v.to_degrees());
                if let Some((y, x)) = &mut corners {
                    let bounds = if index == 0 { y } else { x };
                    bounds.iter_mut().for_each(|v| *v = v.to_degrees());
                }
            }
        }
        let made = SphereCells::new(shape, y, x, corners)?;
        let [rows, columns] = [("ydimname", "y"), ("xdimname", "x")]
            .map(|(key, default)| self.take(key).unwrap_or_else(|| default.into()));
        let mut grid = match curvilinear {
            true => Grid::of_cells(made, [rows, columns]),
            false => Grid::of_points(made, "point".into()),
        };
        self.name(&mut grid);
        Ok(grid)
    }

    /// Takes over the names of the coordinates.
    fn name(&mut self, grid: &mut Grid) {
        let axes = !matches!(grid.layout, Layout::Curvilinear { .. });
        for (coordinate, axis) in [(&mut grid.y, 'y'), (&mut grid.x, 'x')] {
            if let Some(name) = self.take(&format!("{axis}name")) {
                coordinate.name = name;
            }
            if let Some(text) = self.take(&format!("{axis}longname")) {
                coordinate.attributes.set("long_name", text);
            }
            for idle in ["units", "stdname"] {
                self.take(&format!("{axis}{idle}"));
            }
            if axes {
                self.take(&format!("{axis}dimname"));
            }
        }
    }

    /// Refuses what nothing has looked at.
    fn finish(mut self) -> Result<(), Error> {
        for key in IDLE {
            self.take(key);
        }
        match self.entries.first() {
            Some((key, _)) => Err(fault(format!("{key} is not known for such a grid"))),
            None => Ok(()),
        }
    }
}

/// Centres, and bounds if there are some.
type Axis = (Vec<f64>, Option<Vec<[f64; 2]>>);

/// A value of a grid mapping: numbers, as `30. 60.` or `10.f`, or a text.
fn value_of(text: &str) -> AttributeValue {
    let number = |word: &str| -> Option<f64> {
        let plain = word.strip_suffix('f').unwrap_or(word);
        plain.parse().ok()
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    match words.map(number).collect::<Option<Vec<f64>>>() {
        Some(numbers) if !numbers.is_empty() && !text.starts_with('"') => {
            AttributeValue::F64(numbers)
        }
        _ => AttributeValue::Text(text.trim_matches('"').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> Grid {
        Grid::described(text).unwrap()
    }

    /// What `cdo griddes` 2.1.1 prints of `r3x2`.
    #[test]
    fn a_regular_grid_as_cdo_prints_it() {
        let grid = described(
            "#\n# gridID 1\n#\ngridtype  = lonlat\ngridsize  = 6\nxsize     = 3\nysize     = 2\nxname     = lon\n\
             xlongname = \"longitude\"\nxunits    = \"degrees_east\"\nyname     = lat\nylongname = \"latitude\"\n\
             yunits    = \"degrees_north\"\nxfirst    = 0\nxinc      = 120\nyfirst    = -45\nyinc      = 90\n",
        );
        assert!(grid.same_points(&Grid::named("r3x2").unwrap()));
        assert_eq!((grid.y.name.as_str(), grid.x.name.as_str()), ("lat", "lon"));
    }

    #[test]
    fn values_go_on_over_lines_and_have_bounds() {
        let grid = described(
            "gridtype = lonlat\nxsize = 3\nysize = 1\nxvals = 1 2.5\n   7\nyvals = 50\nybounds = 40 60\n",
        );
        let (latitudes, longitudes) = grid.axes().unwrap();
        assert_eq!(longitudes.centres(), [1.0, 2.5, 7.0]);
        assert_eq!(latitudes.bounds(), Some(&[[40.0, 60.0]][..]));
    }

    #[test]
    fn a_gaussian_grid_needs_its_number_of_rows() {
        let grid = described("gridtype = gaussian\nxsize = 16\nysize = 8\n");
        assert_eq!(grid.axes(), Grid::gaussian(4).unwrap().axes());
        assert_eq!(described("gridtype = gaussian\nysize = 8").shape(), (8, 16));
    }

    /// What `cdo griddes` 2.1.1 prints of a field on such a projection.
    #[test]
    fn a_projection_as_cdo_prints_it() {
        let grid = described(
            "gridtype  = projection\ngridsize  = 20\nxsize     = 5\nysize     = 4\nxname     = x\nxunits    = \"km\"\n\
             yname     = y\nyunits    = \"km\"\nxfirst    = -100\nxinc      = 50\nyfirst    = 0\nyinc      = 25\n\
             grid_mapping = Lambert_Conformal\ngrid_mapping_name = lambert_conformal_conic\nstandard_parallel = 30. 60.\n\
             longitude_of_central_meridian = 10.f\nlatitude_of_projection_origin = 50.\nearth_radius = 6371229.\n",
        );
        let (y, x) = grid.plane_axes().unwrap();
        assert_eq!(x.centres(), [-1e5, -5e4, 0.0, 5e4, 1e5]);
        assert_eq!(y.len(), 4);
        let (latitude, longitude) = grid.centres()[2];
        assert!((latitude - 50.0).abs() < 1e-9 && (longitude - 10.0).abs() < 1e-9);
        assert_eq!(grid.mapping.unwrap().name, "Lambert_Conformal");
    }

    #[test]
    fn rotated_poles_in_either_way() {
        let axes = "xsize = 2\nysize = 1\nxfirst = -1\nxinc = 2\nyvals = 0\n";
        let old = described(&format!(
            "gridtype = lonlat\n{axes}xnpole = 177.5\nynpole = 37.5\n"
        ));
        let new = described(&format!(
            "gridtype = projection\n{axes}xname = rlon\nyname = rlat\ngrid_mapping_name = rotated_latitude_longitude\n\
             grid_north_pole_latitude = 37.5\ngrid_north_pole_longitude = 177.5\n"
        ));
        assert!(old.same_points(&new));
        assert_eq!(new.x.name, "rlon");
        assert!(matches!(old.crs(), Crs::RotatedPole(pole) if pole.latitude == 37.5));
    }

    #[test]
    fn cells_in_rows_or_in_a_list() {
        let grid = described(
            "gridtype = curvilinear\ngridsize = 2\nxsize = 2\nysize = 1\nxvals = 1 2\nyvals = 3 4\n\
             xbounds = 0 1 1 0 1 2 2 1\nybounds = 2 2 4 4 3 3 5 5\n",
        );
        assert_eq!(grid.shape(), (1, 2));
        assert_eq!(
            grid.sphere_cells()
                .into_owned()
                .corners
                .unwrap()
                .kind
                .per_cell,
            4
        );
        let list = described(
            "gridtype = unstructured\ngridsize = 2\nnvertex = 3\nxvals = 0 1.5707963267948966\nxunits = \"radian\"\n\
             yvals = 3 4\nxbounds = 0 0 0 1 1 1\nybounds = 2 2 4 4 3 3\n",
        );
        assert!(list.is_list());
        assert_eq!(list.centres(), [(3.0, 0.0), (4.0, 90.0)]);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_key() {
        let size = "gridtype = lonlat\nxsize = 2\nysize = 1\n";
        for (text, said) in [
            ("xsize = 2", "no gridtype"),
            ("gridtype = hexagonal", "hexagonal"),
            ("two lines\nof prose", "no key"),
            ("gridtype = lonlat\nxsize = 0", "xsize = 0"),
            ("gridtype = lonlat\nxsize = 2\nxsize = 3", "twice"),
            (&format!("{size}gridsize = 3"), "gridsize = 3"),
            (
                &format!("{size}xvals = 1 2 3\nyvals = 1"),
                "xvals has 3 values",
            ),
            (&format!("{size}xvals = 1 x\nyvals = 1"), "\"x\""),
            (&format!("{size}xfirst = 1\nyvals = 1"), "xinc"),
            (&format!("{size}xvals = 1 2\nyvals = 1\nmask = 0 1"), "mask"),
            (
                "gridtype = curvilinear\nxsize = 1\nysize = 1\nxvals = 1",
                "no yvals",
            ),
            ("gridtype = gaussian\nysize = 4\ngridsize = 20", "reduced"),
        ] {
            let refused = Grid::described(text).unwrap_err().to_string();
            assert!(refused.contains(said), "{text:?} gives {refused:?}");
        }
        assert!(Grid::described(&format!("{size}xvals = 1 2\nyvals = 91")).is_err());
    }
}
