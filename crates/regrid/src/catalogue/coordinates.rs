//! A grid out of the values of its coordinate variables.

use std::sync::Arc;

use super::placement::{Spot, SpotKind};
use super::{load, load_f64};
use crate::attribute::Attributes;
use crate::axis::{AxisKind, Latitudes, Longitudes, PlaneAxis};
use crate::error::Error;
use crate::grid::{Coordinate, Crs, Grid};
use crate::io::{SourceFile, VariableMeta};
use crate::sphere::SphereCells;
use crate::values::{DataType, Values};

/// The grids of some files, each once.
#[derive(Debug, Default)]
pub(super) struct Grids {
    all: Vec<Arc<Grid>>,
    /// Those of the file at hand, by the names of their coordinates and mapping.
    of_file: Vec<([String; 3], Arc<Grid>)>,
}

impl Grids {
    /// Another file begins, in which the same names mean something else.
    pub(super) fn next_file(&mut self) {
        self.of_file.clear();
    }

    /// The grid of some coordinates; one that is known already is shared.
    pub(super) fn read(
        &mut self,
        source: &dyn SourceFile,
        spot: &Spot<'_>,
    ) -> Result<Arc<Grid>, Error> {
        let mapping = spot.mapping.map(|m| m.name.clone()).unwrap_or_default();
        let names = [spot.y.name.clone(), spot.x.name.clone(), mapping];
        if let Some((_, grid)) = self.of_file.iter().find(|(known, _)| *known == names) {
            return Ok(grid.clone());
        }
        let grid = read_grid(source, spot)?;
        let grid = match self.all.iter().find(|known| ***known == grid) {
            Some(same) => same.clone(),
            None => {
                let grid = Arc::new(grid);
                self.all.push(grid.clone());
                grid
            }
        };
        self.of_file.push((names, grid.clone()));
        Ok(grid)
    }

    /// The grids read so far.
    pub(super) fn into_all(self) -> Vec<Arc<Grid>> {
        self.all
    }
}

fn read_grid(source: &dyn SourceFile, spot: &Spot<'_>) -> Result<Grid, Error> {
    let mut grid = match spot.kind {
        SpotKind::Rectilinear => {
            let latitudes = degrees_axis(
                source,
                (AxisKind::Latitude, spot.y),
                Latitudes::new,
                Latitudes::stored_as_f32,
            )?;
            let longitudes = degrees_axis(
                source,
                (AxisKind::Longitude, spot.x),
                Longitudes::new,
                Longitudes::stored_as_f32,
            )?;
            Grid::new(latitudes, longitudes)
        }
        SpotKind::Projected => {
            let mapping = spot
                .mapping
                .map(|m| m.attributes.clone())
                .unwrap_or_default();
            let y = plane_axis(source, spot.y, AxisKind::ProjectionY, &mapping)?;
            let x = plane_axis(source, spot.x, AxisKind::ProjectionX, &mapping)?;
            Grid::projected(&mapping, y, x)?
        }
        SpotKind::Curvilinear => {
            let names = [spot.rows.unwrap_or_default(), spot.columns].map(str::to_owned);
            Grid::of_cells(cells(source, spot)?, names)
        }
        SpotKind::Points => {
            let grid = Grid::of_points(cells(source, spot)?, spot.columns.to_owned());
            let names = spot.names.map(|names| texts(source, &names.name));
            match names.transpose()? {
                Some(names) if names.iter().any(|name| !name.is_empty()) => {
                    grid.with_names(names)?
                }
                _ => grid,
            }
        }
    };
    if let Some(mapping) = spot.mapping {
        grid.crs = Crs::from_cf(&mapping.attributes)?;
        grid.mapping = Some(Coordinate {
            name: mapping.name.clone(),
            attributes: mapping.attributes.clone(),
        });
    }
    if let Crs::RotatedPole(_) = grid.crs {
        grid.y = Coordinate::new("", "grid_latitude", "degrees", Some("Y"));
        grid.x = Coordinate::new("", "grid_longitude", "degrees", Some("X"));
    }
    for (coordinate, variable) in [(&mut grid.y, spot.y), (&mut grid.x, spot.x)] {
        coordinate.name.clone_from(&variable.name);
        for name in ["standard_name", "long_name"] {
            if let Some(text) = variable.attributes.text(name) {
                coordinate.attributes.set(name, text);
            }
        }
        if spot.kind == SpotKind::Projected
            && let Some(units) = variable.attributes.text("units")
        {
            coordinate.attributes.set("units", units);
        }
    }
    Ok(grid)
}

/// The error of a coordinate variable that makes no axis.
fn unusable(source: &dyn SourceFile, variable: &VariableMeta) -> impl FnOnce(Error) -> Error {
    let (variable, path) = (variable.name.clone(), source.path().to_owned());
    move |error| Error::Coordinate {
        variable,
        path,
        source: Box::new(error),
    }
}

type Centres = Vec<f64>;
type Bounds = Option<Vec<[f64; 2]>>;

/// An axis of latitudes or longitudes.
fn degrees_axis<A>(
    source: &dyn SourceFile,
    (kind, variable): (AxisKind, &VariableMeta),
    new: fn(Centres, Bounds) -> Result<A, Error>,
    stored_as_f32: fn(A) -> A,
) -> Result<A, Error> {
    let (mut centres, mut bounds) = read_axis(source, kind, variable)?;
    if let Some(units) = variable.attributes.text("units")
        && !is_angle(units)
    {
        return Err(unusable(source, variable)(Error::AxisUnits {
            axis: kind,
            units: units.to_owned(),
        }));
    }
    let factor = degrees_per_unit(&variable.attributes);
    let numbers = bounds.iter_mut().flatten().flatten();
    numbers.chain(&mut centres).for_each(|x| *x *= factor);
    let axis = new(centres, bounds).map_err(unusable(source, variable))?;
    Ok(match variable.data_type {
        DataType::F32 => stored_as_f32(axis),
        _ => axis,
    })
}

/// An axis of a projection's plane.
fn plane_axis(
    source: &dyn SourceFile,
    variable: &VariableMeta,
    kind: AxisKind,
    mapping: &Attributes,
) -> Result<PlaneAxis, Error> {
    let (centres, bounds) = read_axis(source, kind, variable)?;
    let unit = metres_per_unit(&variable.attributes, mapping)
        .map_err(|units| Error::AxisUnits { axis: kind, units })
        .map_err(unusable(source, variable))?;
    let axis = PlaneAxis::new(kind, centres, bounds, unit).map_err(unusable(source, variable))?;
    Ok(match variable.data_type {
        DataType::F32 => axis.stored_as_f32(),
        _ => axis,
    })
}

/// Whether units are those of an angle, in any spelling; `1` is what some write for none.
fn is_angle(units: &str) -> bool {
    let units = units.trim().to_ascii_lowercase();
    units.is_empty() || units == "1" || units.starts_with("deg") || units.starts_with("rad")
}

/// Degrees in one unit of a latitude or longitude.
fn degrees_per_unit(attributes: &Attributes) -> f64 {
    match attributes.text("units") {
        Some("radian" | "radians" | "rad") => 1.0_f64.to_degrees(),
        _ => 1.0,
    }
}

/// Metres in one unit of a projection's coordinate; or the units, where they are no length.
///
/// A satellite's coordinates may be angles: then its height makes metres of them.
fn metres_per_unit(attributes: &Attributes, mapping: &Attributes) -> Result<f64, String> {
    let height = mapping.number("perspective_point_height");
    match (attributes.text("units"), height) {
        (None | Some("" | "m" | "metre" | "meter" | "metres" | "meters"), _) => Ok(1.0),
        (Some("km" | "kilometre" | "kilometer" | "kilometres" | "kilometers"), _) => Ok(1000.0),
        (Some("rad" | "radian" | "radians"), Some(height)) => Ok(height),
        (Some("microradian" | "microradians" | "urad"), Some(height)) => Ok(height * 1e-6),
        (Some("degree" | "degrees"), Some(height)) => Ok(height.to_radians()),
        (Some(units), _) => {
            // `100 km`, `1000 m`: a number of a length.
            let scaled = units.split_once(' ').and_then(|(factor, unit)| {
                let factor: f64 = factor.parse().ok()?;
                let metres = match unit.trim() {
                    "m" | "meter" | "metre" | "meters" | "metres" => 1.0,
                    "km" => 1000.0,
                    _ => return None,
                };
                (factor > 0.0).then_some(factor * metres)
            });
            scaled.ok_or_else(|| units.to_owned())
        }
    }
}

/// The values of a one-dimensional coordinate, and its bounds, where they are two for each.
fn read_axis(
    source: &dyn SourceFile,
    kind: AxisKind,
    coordinate: &VariableMeta,
) -> Result<(Centres, Bounds), Error> {
    let centres = load_f64(source, &coordinate.name)?;
    let Some(bounds) = bounds_of(source, coordinate) else {
        return Ok((centres, None));
    };
    let (got, expected) = (source.meta().shape(bounds), [centres.len(), 2]);
    if got != expected {
        return Err(unusable(source, coordinate)(Error::BoundsShape {
            bounds: bounds.name.clone(),
            got,
            expected: format!("{expected:?}"),
        }));
    }
    let flat = load_f64(source, &bounds.name)?;
    // Bounds that were never written say nothing; a hole among others is a mistake.
    let written = |x: f64| x.is_finite() && x.abs() < NEVER_WRITTEN;
    let hole = flat.iter().position(|&x| !written(x));
    if let Some(at) = hole
        && flat.iter().any(|&x| written(x))
    {
        return Err(unusable(source, bounds)(Error::AxisValue {
            axis: kind,
            index: at / 2,
            value: flat[at],
        }));
    }
    let pairs = flat.chunks_exact(2).map(|b| [b[0], b[1]]).collect();
    Ok((centres, hole.is_none().then_some(pairs)))
}

/// Beyond any coordinate in metres, below the numbers that mark what was never written.
const NEVER_WRITTEN: f64 = 1e12;

/// The bounds that a coordinate names, if they are there.
fn bounds_of<'a>(
    source: &'a dyn SourceFile,
    coordinate: &VariableMeta,
) -> Option<&'a VariableMeta> {
    let bounds = source
        .meta()
        .variable(coordinate.attributes.text("bounds")?)?;
    bounds.data_type.is_numeric().then_some(bounds)
}

/// The latitudes and longitudes of cells, and their corners where the file has them.
fn cells(source: &dyn SourceFile, spot: &Spot<'_>) -> Result<SphereCells, Error> {
    let meta = source.meta();
    let len = |dimension: &str| meta.dimension(dimension).map_or(0, |d| d.len);
    let shape = (spot.rows.map_or(1, len), len(spot.columns));
    let count = shape.0 * shape.1;
    let mut latitudes = plane(source, spot.y, count)?;
    let mut longitudes = plane(source, spot.x, count)?;
    if spot.kind == SpotKind::Curvilinear {
        unplace(&mut latitudes, &mut longitudes);
    }
    let corners = corners(source, spot)?;
    let made = SphereCells::new(shape, latitudes, longitudes, corners);
    made.map_err(|error| match &error {
        Error::AxisValue {
            axis: AxisKind::Longitude,
            ..
        } => unusable(source, spot.x)(error),
        _ => unusable(source, spot.y)(error),
    })
}

/// The texts of a variable; characters have their length as the last dimension.
fn texts(source: &dyn SourceFile, name: &str) -> Result<Vec<String>, Error> {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end_matches(['\0', ' ']).to_owned()
    };
    Ok(match load(source, name)?.values.into_values() {
        Values::Text(texts) => texts.iter().cloned().collect(),
        Values::Char(bytes) => {
            let longest = bytes.shape().last().copied().unwrap_or(0).max(1);
            let bytes: Vec<u8> = bytes.iter().copied().collect();
            bytes.chunks(longest).map(text).collect()
        }
        _ => Vec::new(),
    })
}

/// The values of one plane; coordinates written at every time have to be the same every time.
fn plane(
    source: &dyn SourceFile,
    variable: &VariableMeta,
    count: usize,
) -> Result<Vec<f64>, Error> {
    let factor = degrees_per_unit(&variable.attributes);
    let mut values = load_f64(source, &variable.name)?;
    let equal = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
    let moves = (count..values.len()).find(|&i| !equal(values[i], values[i - count]));
    if let Some(index) = moves {
        return Err(unusable(source, variable)(Error::MovingGrid {
            index: index / count,
        }));
    }
    values.truncate(count);
    values.iter_mut().for_each(|x| *x *= factor);
    Ok(values)
}

/// Takes the place from cells that models leave at 0, 0 where they computed nothing.
///
/// No grid has three cells in one place; ocean models that drop processors without water write zeros for theirs.
fn unplace(latitudes: &mut [f64], longitudes: &mut [f64]) {
    let zero = |(latitude, longitude): (&f64, &f64)| *latitude == 0.0 && *longitude == 0.0;
    let zeros: Vec<usize> = latitudes
        .iter()
        .zip(longitudes.iter())
        .enumerate()
        .filter(|&(_, cell)| zero(cell))
        .map(|(at, _)| at)
        .collect();
    if zeros.len() > 2 {
        for at in zeros {
            (latitudes[at], longitudes[at]) = (f64::NAN, f64::NAN);
        }
    }
}

/// The corners of cells, as latitudes and longitudes.
type CornerValues = Option<(Vec<f64>, Vec<f64>)>;

fn corners(source: &dyn SourceFile, spot: &Spot<'_>) -> Result<CornerValues, Error> {
    let meta = source.meta();
    // Coordinates of every time have corners of every time, which are not read.
    let planes = usize::from(spot.rows.is_some()) + 1;
    let of = |coordinate: &VariableMeta| match bounds_of(source, coordinate) {
        Some(bounds) if coordinate.dimensions.len() == planes => {
            let mut expected = meta.shape(coordinate);
            let got = meta.shape(bounds);
            match got.split_last() {
                Some((&corners, cells)) if cells == expected && corners >= 3 => {
                    Ok(Some((bounds.name.clone(), corners)))
                }
                _ => {
                    expected.push(4);
                    Err(unusable(source, coordinate)(Error::BoundsShape {
                        bounds: bounds.name.clone(),
                        got,
                        expected: format!("{expected:?}"),
                    }))
                }
            }
        }
        _ => Ok(None),
    };
    let (Some((latitudes, n)), Some((longitudes, m))) = (of(spot.y)?, of(spot.x)?) else {
        return Ok(None);
    };
    if n != m {
        return Err(unusable(source, spot.x)(Error::BoundsShape {
            bounds: longitudes,
            got: [meta.shape(spot.x), vec![m]].concat(),
            expected: format!(
                "{:?} as that of the latitudes",
                [meta.shape(spot.y), vec![n]].concat()
            ),
        }));
    }
    let read = |name: &str, of: &VariableMeta, most: f64| -> Result<Vec<f64>, Error> {
        let factor = degrees_per_unit(&of.attributes);
        let mut values = load_f64(source, name)?;
        // Corners that were never written are none.
        values.iter_mut().for_each(|x| {
            *x *= factor;
            if x.abs() > most {
                *x = f64::NAN;
            }
        });
        Ok(values)
    };
    let latitudes = read(&latitudes, spot.y, 90.0 + 1e-5)?;
    let longitudes = read(&longitudes, spot.x, 1e5)?;
    let written = latitudes.iter().any(|x| !x.is_nan());
    Ok(written.then_some((latitudes, longitudes)))
}
