//! Where a variable lies: by which coordinates of its file, along which of its dimensions.
//!
//! Names and attributes alone are looked at; `coordinates` reads the values, `times` those of time.

use crate::attribute::Attributes;
use crate::grid::Crs;
use crate::io::cf::{self, is_latitude, is_longitude};
use crate::io::{FileMeta, VariableMeta};
use crate::values::DataType;

/// Where a variable lies.
#[derive(Debug)]
pub(super) enum Placement<'a> {
    /// On a grid, with these coordinates.
    Grid(Spot<'a>),
    /// On a grid that cannot be regridded.
    Unsupported(String),
    /// On none.
    None,
}

/// The coordinates of a grid, and the dimensions they run along.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    pub(super) kind: SpotKind,
    /// The latitudes, or the axis that runs like them.
    pub(super) y: &'a VariableMeta,
    /// The longitudes, or the axis that runs like them.
    pub(super) x: &'a VariableMeta,
    /// The dimension of rows; a list has none.
    pub(super) rows: Option<&'a str>,
    /// The dimension of columns, or of a list's points.
    pub(super) columns: &'a str,
    /// The grid mapping, where it counts.
    pub(super) mapping: Option<&'a VariableMeta>,
    /// What the points of a list are called.
    pub(super) names: Option<&'a VariableMeta>,
}

/// How the coordinates of a grid hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpotKind {
    /// Two axes, of latitudes and longitudes, geographic or about a rotated pole.
    Rectilinear,
    /// Two axes of a projection's plane.
    Projected,
    /// A latitude and a longitude for each cell of rows and columns.
    Curvilinear,
    /// A latitude and a longitude for each point of a list.
    Points,
}

impl<'a> Spot<'a> {
    fn axes(kind: SpotKind, y: &'a VariableMeta, x: &'a VariableMeta) -> Self {
        Self {
            kind,
            y,
            x,
            rows: Some(&y.dimensions[0]),
            columns: &x.dimensions[0],
            mapping: None,
            names: None,
        }
    }
}

/// Finds the coordinates of a variable: its own axes before latitudes and longitudes of every cell.
pub(super) fn placement<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let found = find(meta, variable);
    match (&found, variable.data_type) {
        (Placement::Grid(_), DataType::Char | DataType::Text) => {
            Placement::Unsupported("it holds text".into())
        }
        _ => found,
    }
}

fn find<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let (latitudes, longitudes) = (
        along(meta, variable, is_latitude),
        along(meta, variable, is_longitude),
    );
    let mapping = mappings(meta, &variable.attributes);
    let geographic = mapping
        .iter()
        .find(|m| m.attributes.text("grid_mapping_name") == Some("latitude_longitude"));
    match (latitudes.as_slice(), longitudes.as_slice()) {
        ([latitude], [longitude]) if latitude.dimensions == longitude.dimensions => {
            return list(meta, variable, latitude, longitude);
        }
        ([latitude], [longitude]) => {
            return Placement::Grid(Spot {
                mapping: geographic.copied(),
                ..Spot::axes(SpotKind::Rectilinear, latitude, longitude)
            });
        }
        _ => {}
    }
    let native = native(meta, variable, &mapping);
    if let Placement::Grid(_) = native {
        return native;
    }
    match (cell_by_cell(meta, variable), native) {
        (Placement::None, Placement::None) => misnamed(meta, variable),
        (Placement::None, native) => native,
        (found, _) => found,
    }
}

/// Why axes that are called latitude and longitude are none.
fn misnamed<'a>(meta: &FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let axes = variable.dimensions.iter().filter_map(|d| meta.variable(d));
    let mut named = axes.filter(|v| {
        let names = ["lat", "latitude", "lon", "longitude"];
        let stated = v.attributes.text("standard_name");
        v.data_type.is_numeric()
            && v.dimensions == [v.name.clone()]
            && names.iter().any(|name| v.name.eq_ignore_ascii_case(name))
            && stated.is_none_or(|name| name == "latitude" || name == "longitude")
            && !is_latitude(v)
            && !is_longitude(v)
    });
    match (named.next(), variable.dimensions.len()) {
        (Some(axis), 2..) => Placement::Unsupported(format!(
            "its coordinate {} has units {:?}, which are none of latitude or longitude",
            axis.name,
            axis.attributes.text("units").unwrap_or_default()
        )),
        _ => Placement::None,
    }
}

/// The coordinates of one kind along single dimensions of a variable.
fn along<'a>(
    meta: &'a FileMeta,
    variable: &VariableMeta,
    is: fn(&VariableMeta) -> bool,
) -> Vec<&'a VariableMeta> {
    let named = cf::referenced(&variable.attributes, "coordinates");
    let along = |dimension: &String| {
        let mut candidates: Vec<&VariableMeta> = meta
            .variables
            .iter()
            .filter(|v| matches!(v.dimensions.as_slice(), [d] if d == dimension) && is(v))
            .collect();
        // The variable named like the dimension is the coordinate, if it is one at all; then those that are named.
        candidates.sort_by_key(|v| (v.name != *dimension, !named.contains(&v.name)));
        candidates.first().copied()
    };
    let mut found: Vec<&VariableMeta> = variable.dimensions.iter().filter_map(along).collect();
    // A ship's latitude along time does not compete with the latitude of the grid.
    if found.len() > 1 {
        found.retain(|v| v.name == v.dimensions[0]);
    }
    found
}

/// A latitude and a longitude along one dimension: points, unless they follow one another in time.
fn list<'a>(
    meta: &'a FileMeta,
    variable: &VariableMeta,
    latitude: &'a VariableMeta,
    longitude: &'a VariableMeta,
) -> Placement<'a> {
    // What says where, when and which a point is lies beside the fields.
    let describes = [is_latitude, is_longitude, cf::is_time]
        .iter()
        .any(|is| is(variable));
    if describes || !variable.data_type.is_numeric() {
        return Placement::None;
    }
    let dimension = &latitude.dimensions[0];
    if meta.variable(dimension).is_some_and(cf::is_time) {
        return Placement::Unsupported(
            "its latitudes and longitudes run along time: a path, not a field".into(),
        );
    }
    Placement::Grid(Spot {
        kind: SpotKind::Points,
        y: latitude,
        x: longitude,
        rows: None,
        columns: dimension,
        mapping: None,
        names: names(meta, variable, dimension),
    })
}

/// The names of a list's points: the texts along it that have the role of an identifier (CF section 9.5), or else those that
/// the variable names as a coordinate.
fn names<'a>(
    meta: &'a FileMeta,
    variable: &VariableMeta,
    dimension: &str,
) -> Option<&'a VariableMeta> {
    let named = cf::referenced(&variable.attributes, "coordinates");
    let texts = meta.variables.iter().filter(|v| match v.data_type {
        DataType::Char => matches!(v.dimensions.as_slice(), [d, _] if d == dimension),
        DataType::Text => matches!(v.dimensions.as_slice(), [d] if d == dimension),
        _ => false,
    });
    let mut candidates: Vec<(bool, &VariableMeta)> = texts
        .map(|v| (v.attributes.text("cf_role") != Some("timeseries_id"), v))
        .filter(|(other, v)| !other || named.contains(&v.name))
        .collect();
    candidates.sort_by_key(|(other, _)| *other);
    candidates.first().map(|(_, v)| *v)
}

/// The grid mappings that a variable names, in either form of the attribute (CF section 5.6).
fn mappings<'a>(meta: &'a FileMeta, attributes: &Attributes) -> Vec<&'a VariableMeta> {
    let words = attributes.words("grid_mapping");
    let extended = words.iter().any(|word| word.ends_with(':'));
    words
        .iter()
        .filter_map(|word| match word.strip_suffix(':') {
            Some(name) => Some(name),
            None => (!extended).then_some(word.as_str()),
        })
        .filter_map(|name| meta.variable(name))
        .collect()
}

/// Axes of a rotated pole or of a projection.
fn native<'a>(
    meta: &'a FileMeta,
    variable: &VariableMeta,
    mappings: &[&'a VariableMeta],
) -> Placement<'a> {
    let (grid_latitude, grid_longitude) = (
        along(meta, variable, cf::is_grid_latitude),
        along(meta, variable, cf::is_grid_longitude),
    );
    let (y, x) = (
        along(meta, variable, cf::is_projection_y),
        along(meta, variable, cf::is_projection_x),
    );
    for &mapping in mappings {
        let name = mapping.attributes.text("grid_mapping_name");
        let (kind, axes) = match name {
            Some("latitude_longitude") => continue,
            Some("rotated_latitude_longitude") => (
                SpotKind::Rectilinear,
                (grid_latitude.as_slice(), grid_longitude.as_slice()),
            ),
            Some(_) => (SpotKind::Projected, (y.as_slice(), x.as_slice())),
            None => {
                return Placement::Unsupported(format!(
                    "its grid mapping {} has no grid_mapping_name",
                    mapping.name
                ));
            }
        };
        if let Err(error) = Crs::from_cf(&mapping.attributes) {
            return Placement::Unsupported(error.to_string());
        }
        return match axes {
            ([y], [x]) if y.dimensions != x.dimensions => Placement::Grid(Spot {
                mapping: Some(mapping),
                ..Spot::axes(kind, y, x)
            }),
            _ => Placement::Unsupported(format!(
                "its grid mapping is {}, but it has no axes of that",
                name.unwrap_or_default()
            )),
        };
    }
    match (grid_latitude.as_slice(), y.as_slice()) {
        ([axis], _) => Placement::Unsupported(format!(
            "{} is a latitude about a rotated pole, but no grid_mapping says where that is",
            axis.name
        )),
        (_, [axis]) if axis.attributes.text("standard_name").is_some() => {
            Placement::Unsupported(format!(
                "{} is the axis of a projection, but no grid_mapping says of which",
                axis.name
            ))
        }
        _ => Placement::None,
    }
}

/// Why a coordinate of each cell beside one of each row or column makes no grid.
fn mixed<'a>(cells: &VariableMeta) -> Placement<'a> {
    Placement::Unsupported(format!(
        "{} runs along {}, but the coordinate beside it along one dimension: give both for each cell, or both as axes",
        cells.name,
        cells.dimensions.join(" and ")
    ))
}

/// Latitudes and longitudes of more than one dimension, of which the last two are the cells'.
///
/// Dimensions before those are of models that write the same coordinates at every time.
fn cell_by_cell<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Placement<'a> {
    if is_latitude(variable) || is_longitude(variable) {
        return Placement::None;
    }
    let named = cf::referenced(&variable.attributes, "coordinates");
    let of = |is: fn(&VariableMeta) -> bool| {
        let mut found: Vec<&VariableMeta> = meta
            .variables
            .iter()
            .filter(|v| v.name != variable.name && is(v) && v.dimensions.len() >= 2)
            .filter(|v| v.dimensions.iter().all(|d| variable.dimensions.contains(d)))
            .collect();
        if found.iter().any(|v| named.contains(&v.name)) {
            found.retain(|v| named.contains(&v.name));
        }
        found
    };
    match (of(is_latitude).as_slice(), of(is_longitude).as_slice()) {
        ([latitude], [longitude]) if latitude.dimensions == longitude.dimensions => {
            let [.., rows, columns] = latitude.dimensions.as_slice() else {
                return Placement::None;
            };
            Placement::Grid(Spot {
                kind: SpotKind::Curvilinear,
                y: latitude,
                x: longitude,
                rows: Some(rows),
                columns,
                mapping: None,
                names: None,
            })
        }
        ([_], [_]) => Placement::Unsupported(
            "its two-dimensional latitudes and longitudes run along different dimensions".into(),
        ),
        ([cells], []) if !along(meta, variable, is_longitude).is_empty() => mixed(cells),
        ([], [cells]) if !along(meta, variable, is_latitude).is_empty() => mixed(cells),
        ([], _) | (_, []) => Placement::None,
        (latitudes, longitudes) => {
            let names = latitudes.iter().chain(longitudes).map(|v| v.name.as_str());
            Placement::Unsupported(format!(
                "several two-dimensional latitudes or longitudes fit it ({}) and it does not name its coordinates",
                names.collect::<Vec<_>>().join(", ")
            ))
        }
    }
}
