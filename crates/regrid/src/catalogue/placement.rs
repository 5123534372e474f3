//! Where a variable lies: on which grid, along which dimensions, at which times; read off its file's coordinates.

use std::sync::Arc;

use super::load_f64;
use super::variable::{Role, SourceDimension};
use crate::axis::{Latitudes, Longitudes};
use crate::error::Error;
use crate::grid::Grid;
use crate::io::cf::{self, is_latitude, is_longitude, is_time};
use crate::io::{FileMeta, SourceFile, VariableMeta};
use crate::time::{Calendar, Instant, TimeAxis, TimeUnits};
use crate::values::DataType;

/// Where a variable lies.
pub(super) enum Placement<'a> {
    /// On a rectilinear grid, with these coordinates.
    Grid {
        latitude: &'a VariableMeta,
        longitude: &'a VariableMeta,
    },
    /// On a grid that cannot be regridded yet.
    Unsupported(String),
    /// On none.
    None,
}

pub(super) fn placement<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let along = |dimension: &String, is: fn(&VariableMeta) -> bool| {
        let mut candidates: Vec<&VariableMeta> = meta
            .variables
            .iter()
            .filter(|v| matches!(v.dimensions.as_slice(), [d] if d == dimension) && is(v))
            .collect();
        // The variable named like the dimension is the coordinate, if it is one at all.
        candidates.sort_by_key(|v| v.name != *dimension);
        candidates.first().copied()
    };
    let find = |is: fn(&VariableMeta) -> bool| {
        let mut found: Vec<(usize, &VariableMeta)> = variable
            .dimensions
            .iter()
            .enumerate()
            .filter_map(|(d, name)| Some((d, along(name, is)?)))
            .collect();
        // A ship's latitude along time does not compete with the latitude of the grid.
        if found.len() > 1 {
            found.retain(|(d, v)| v.name == variable.dimensions[*d]);
        }
        found
    };
    let (latitudes, longitudes) = (find(is_latitude), find(is_longitude));
    match (latitudes.as_slice(), longitudes.as_slice()) {
        ([(lat_dim, _)], [(lon_dim, _)]) if lat_dim == lon_dim => Placement::Unsupported(
            "its latitudes and longitudes run along one dimension: a list of points, not a grid"
                .into(),
        ),
        ([(_, latitude)], [(_, longitude)]) => match variable.data_type {
            DataType::Char | DataType::Text => Placement::Unsupported("it holds text".into()),
            _ => Placement::Grid {
                latitude,
                longitude,
            },
        },
        ([], []) => other_grid(meta, variable),
        _ => Placement::None,
    }
}

/// Grids that are recognised, to say so, though they cannot be regridded.
fn other_grid<'a>(meta: &FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let shares = |v: &VariableMeta| {
        v.dimensions.len() >= 2 && v.dimensions.iter().all(|d| variable.dimensions.contains(d))
    };
    let has = |is: fn(&VariableMeta) -> bool| {
        meta.variables
            .iter()
            .any(|v| v.name != variable.name && is(v) && shares(v))
    };
    if let Some(mapping) = variable.attributes.text("grid_mapping")
        && let Some(mapping) = meta.variable(mapping)
        && let Some(name) = mapping.attributes.text("grid_mapping_name")
        && name != "latitude_longitude"
    {
        return Placement::Unsupported(format!(
            "its grid is a projection ({name}); only latitude by longitude is supported"
        ));
    }
    if is_latitude(variable) || is_longitude(variable) {
        return Placement::None;
    }
    if has(is_latitude) && has(is_longitude) {
        return Placement::Unsupported("its grid is curvilinear (two-dimensional latitudes and longitudes); only latitude by longitude is supported".into());
    }
    Placement::None
}

/// The grid of two coordinate variables; one that is known already is shared.
pub(super) fn read_grid(
    source: &dyn SourceFile,
    latitude: &VariableMeta,
    longitude: &VariableMeta,
    known: &mut Vec<Arc<Grid>>,
) -> Result<Arc<Grid>, Error> {
    let unusable = |variable: &VariableMeta| {
        let (variable, path) = (variable.name.clone(), source.path().to_owned());
        move |error| Error::Coordinate {
            variable,
            path,
            source: Box::new(error),
        }
    };
    let (centres, bounds) = read_axis(source, latitude)?;
    let mut latitudes = Latitudes::new(centres, bounds).map_err(unusable(latitude))?;
    let (centres, bounds) = read_axis(source, longitude)?;
    let mut longitudes = Longitudes::new(centres, bounds).map_err(unusable(longitude))?;
    if latitude.data_type == DataType::F32 {
        latitudes = latitudes.stored_as_f32();
    }
    if longitude.data_type == DataType::F32 {
        longitudes = longitudes.stored_as_f32();
    }
    let mut grid = Grid::new(latitudes, longitudes);
    grid.y.name.clone_from(&latitude.name);
    grid.x.name.clone_from(&longitude.name);
    for (attributes, variable) in [
        (&mut grid.y.attributes, latitude),
        (&mut grid.x.attributes, longitude),
    ] {
        for name in ["standard_name", "long_name"] {
            if let Some(text) = variable.attributes.text(name) {
                attributes.set(name, text);
            }
        }
    }
    if let Some(same) = known.iter().find(|known| ***known == grid) {
        return Ok(same.clone());
    }
    let grid = Arc::new(grid);
    known.push(grid.clone());
    Ok(grid)
}

type Centres = Vec<f64>;
type Bounds = Option<Vec<[f64; 2]>>;

/// The values of a one-dimensional coordinate, and its bounds, where they are two for each.
fn read_axis(
    source: &dyn SourceFile,
    coordinate: &VariableMeta,
) -> Result<(Centres, Bounds), Error> {
    let centres = load_f64(source, &coordinate.name)?;
    let bounds = coordinate
        .attributes
        .text("bounds")
        .and_then(|name| source.meta().variable(name));
    let pairs = |bounds: &VariableMeta| {
        source.meta().shape(bounds) == [centres.len(), 2] && bounds.data_type.is_numeric()
    };
    let Some(bounds) = bounds.filter(|b| pairs(b)) else {
        return Ok((centres, None));
    };
    let flat = load_f64(source, &bounds.name)?;
    let bounds: Vec<[f64; 2]> = flat.chunks_exact(2).map(|b| [b[0], b[1]]).collect();
    // Bounds that were never written say nothing.
    let usable = bounds
        .iter()
        .flatten()
        .all(|x| x.is_finite() && x.abs() < 1e6);
    Ok((centres, usable.then_some(bounds)))
}

/// A variable's dimensions and times, as one file has them.
#[derive(Debug)]
pub(super) struct Dimensions {
    pub(super) dimensions: Vec<SourceDimension>,
    /// The times of the time dimension, if there is one.
    pub(super) times: Option<TimeAxis>,
    /// The one time of all values, where it is a scalar coordinate.
    pub(super) scalar_time: Option<TimeAxis>,
    /// Why the times of the time dimension cannot be told, if they cannot: then it is a dimension like any other.
    pub(super) time_fault: Option<String>,
}

pub(super) fn dimensions(
    source: &dyn SourceFile,
    variable: &VariableMeta,
    grid: &Grid,
) -> Result<Dimensions, Error> {
    let meta = source.meta();
    let along = |name: &str, coordinate: &str| {
        meta.variable(coordinate)
            .is_some_and(|v| v.dimensions == [name])
    };
    let mut time = time_dimension(meta, variable);
    let mut time_fault = None;
    let mut times = None;
    match time.map(|time| read_times(source, time)).transpose() {
        Ok(read) => times = read,
        // Months since a date, a calendar of its own: the values can still be regridded, step by step.
        Err(error @ Error::TimeAxis { .. }) => {
            time_fault = Some(error.chain());
            time = None;
        }
        Err(error) => return Err(error),
    }
    let mut dimensions = Vec::new();
    for name in &variable.dimensions {
        let role = if along(name, &grid.y.name) {
            Role::Latitude
        } else if along(name, &grid.x.name) {
            Role::Longitude
        } else if time.is_some_and(|time| time.dimensions == [name.clone()]) {
            Role::Time
        } else {
            Role::Other
        };
        let (len, unlimited) = meta
            .dimension(name)
            .map_or((0, false), |d| (d.len, d.unlimited));
        dimensions.push(SourceDimension {
            name: name.clone(),
            len,
            role,
            unlimited,
        });
    }
    let scalar_time = match (&times, &time_fault) {
        (None, None) => scalar_time(source, variable)?,
        _ => None,
    };
    Ok(Dimensions {
        dimensions,
        times,
        scalar_time,
        time_fault,
    })
}

/// The coordinate of a variable's time dimension: the one named like its dimension before others.
fn time_dimension<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Option<&'a VariableMeta> {
    let mut found: Vec<&VariableMeta> = meta
        .variables
        .iter()
        .filter(|v| {
            is_time(v) && matches!(v.dimensions.as_slice(), [d] if variable.dimensions.contains(d))
        })
        .collect();
    found.sort_by_key(|v| {
        (
            v.dimensions[0] != v.name,
            v.attributes.text("standard_name") != Some("time"),
        )
    });
    found.first().copied()
}

fn scalar_time(
    source: &dyn SourceFile,
    variable: &VariableMeta,
) -> Result<Option<TimeAxis>, Error> {
    let meta = source.meta();
    let named = cf::referenced(&variable.attributes, "coordinates");
    let scalar = named
        .iter()
        .filter_map(|name| meta.variable(name))
        .find(|v| v.dimensions.is_empty() && is_time(v));
    scalar.map(|time| read_times(source, time)).transpose()
}

fn read_times(source: &dyn SourceFile, time: &VariableMeta) -> Result<TimeAxis, Error> {
    let unusable = |error| Error::TimeAxis {
        variable: time.name.clone(),
        path: source.path().to_owned(),
        source: error,
    };
    let calendar = match time.attributes.text("calendar") {
        Some(name) => name.parse::<Calendar>().map_err(unusable)?,
        None => Calendar::Standard,
    };
    let units = TimeUnits::parse(time.attributes.text("units").unwrap_or_default(), calendar)
        .map_err(unusable)?;
    let decode = |value: &f64| units.decode(*value);
    let instants: Vec<Instant> = load_f64(source, &time.name)?
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(unusable)?;
    let bounds = ["bounds", "climatology"]
        .iter()
        .find_map(|name| time.attributes.text(name));
    let bounds = match bounds.and_then(|name| source.meta().variable(name)) {
        Some(v) if v.data_type.is_numeric() => {
            let flat = load_f64(source, &v.name)?;
            let pairs: Option<Vec<Instant>> = flat.iter().map(|x| decode(x).ok()).collect();
            pairs
                .filter(|p| p.len() == 2 * instants.len())
                .map(|p| p.chunks_exact(2).map(|b| [b[0], b[1]]).collect())
        }
        _ => None,
    };
    let count = instants.len();
    Ok(TimeAxis {
        name: time.name.clone(),
        units,
        instants,
        bounds,
        order: (0..count).collect(),
    })
}
