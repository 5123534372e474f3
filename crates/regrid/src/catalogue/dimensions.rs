//! A variable's dimensions and what they are, and its times.

use super::load_f64;
use super::placement::Spot;
use super::variable::{Role, SourceDimension};
use crate::error::Error;
use crate::io::cf::{self, is_time};
use crate::io::{FileMeta, SourceFile, VariableMeta};
use crate::time::{Calendar, Instant, TimeAxis, TimeUnits};

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
    spot: &Spot<'_>,
) -> Result<Dimensions, Error> {
    let meta = source.meta();
    let mut time = time_dimension(meta, variable, spot);
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
        let role = if spot.rows == Some(name) {
            Role::Latitude
        } else if spot.columns == name {
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
///
/// Points that each have a time of their own have no time dimension.
fn time_dimension<'a>(
    meta: &'a FileMeta,
    variable: &VariableMeta,
    spot: &Spot<'_>,
) -> Option<&'a VariableMeta> {
    let horizontal = |d: &str| spot.rows == Some(d) || spot.columns == d;
    let mut found: Vec<&VariableMeta> = meta
        .variables
        .iter()
        .filter(|v| {
            let along = matches!(v.dimensions.as_slice(), [d] if variable.dimensions.contains(d) && !horizontal(d));
            along && is_time(v)
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
