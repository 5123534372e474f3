//! The CF conventions: which variable is which coordinate, and which serve others.
//!
//! Works on attributes alone; what values mean is in `decoding`.

use super::{FileMeta, VariableMeta};
use crate::attribute::Attributes;

/// Spellings of the units of latitude (CF section 4.1).
const NORTH: [&str; 6] = [
    "degrees_north",
    "degree_north",
    "degree_N",
    "degrees_N",
    "degreeN",
    "degreesN",
];
/// Spellings of the units of longitude (CF section 4.2).
const EAST: [&str; 6] = [
    "degrees_east",
    "degree_east",
    "degree_E",
    "degrees_E",
    "degreeE",
    "degreesE",
];

/// Whether a variable holds latitudes: by its units or standard name, else by its own name where it states neither.
pub(crate) fn is_latitude(variable: &VariableMeta) -> bool {
    is_coordinate(variable, &NORTH, "latitude", &["latitude", "lat"])
}

/// Whether a variable holds longitudes, as [`is_latitude`].
pub(crate) fn is_longitude(variable: &VariableMeta) -> bool {
    is_coordinate(variable, &EAST, "longitude", &["longitude", "lon"])
}

fn is_coordinate(
    variable: &VariableMeta,
    units: &[&str],
    standard_name: &str,
    names: &[&str],
) -> bool {
    if !variable.data_type.is_numeric() {
        return false;
    }
    let attributes = &variable.attributes;
    if let Some(name) = attributes.text("standard_name") {
        return name == standard_name;
    }
    match attributes.text("units") {
        Some(text) if units.contains(&text) => true,
        None | Some("" | "degrees" | "degree") => names
            .iter()
            .any(|name| variable.name.eq_ignore_ascii_case(name)),
        Some(_) => false,
    }
}

/// Whether a variable holds latitudes about a rotated pole: by its standard name, else by its own name.
pub(crate) fn is_grid_latitude(variable: &VariableMeta) -> bool {
    is_native(variable, &["grid_latitude"], &["rlat", "grid_latitude"])
}

/// Whether a variable holds longitudes about a rotated pole, as [`is_grid_latitude`].
pub(crate) fn is_grid_longitude(variable: &VariableMeta) -> bool {
    is_native(variable, &["grid_longitude"], &["rlon", "grid_longitude"])
}

/// Whether a variable is the upward axis of a projection: by its standard name, else by its own name.
pub(crate) fn is_projection_y(variable: &VariableMeta) -> bool {
    let standard_names = ["projection_y_coordinate", "projection_y_angular_coordinate"];
    is_native(variable, &standard_names, &["y", "yc"])
}

/// Whether a variable is the sideward axis of a projection, as [`is_projection_y`].
pub(crate) fn is_projection_x(variable: &VariableMeta) -> bool {
    let standard_names = ["projection_x_coordinate", "projection_x_angular_coordinate"];
    is_native(variable, &standard_names, &["x", "xc"])
}

fn is_native(variable: &VariableMeta, standard_names: &[&str], names: &[&str]) -> bool {
    let is_named = |name: &&str| variable.name.eq_ignore_ascii_case(name);
    variable.data_type.is_numeric()
        && match variable.attributes.text("standard_name") {
            Some(name) => standard_names.contains(&name),
            None => names.iter().any(is_named),
        }
}

/// Whether attributes are those of heights, depths or pressures (CF section 4.3).
pub(crate) fn is_vertical(attributes: &Attributes) -> bool {
    let of_pressure = [
        "Pa",
        "hPa",
        "kPa",
        "bar",
        "mbar",
        "mb",
        "millibar",
        "millibars",
        "pascal",
    ];
    attributes.text("axis") == Some("Z")
        || attributes.text("positive").is_some()
        || attributes
            .text("units")
            .is_some_and(|units| of_pressure.contains(&units))
}

/// Whether a variable holds times: its units are so much since a date, and it is not another kind of time by name.
pub(crate) fn is_time(variable: &VariableMeta) -> bool {
    let attributes = &variable.attributes;
    let since = attributes.text("units").is_some_and(|units| {
        units
            .split_whitespace()
            .any(|w| w.eq_ignore_ascii_case("since"))
    });
    variable.data_type.is_numeric()
        && since
        && attributes
            .text("standard_name")
            .is_none_or(|name| name == "time")
}

/// The words of attributes that name other variables: `cell_measures` and `formula_terms` have `key: name` pairs.
pub(crate) fn referenced(attributes: &Attributes, attribute: &str) -> Vec<String> {
    attributes
        .words(attribute)
        .into_iter()
        .filter(|word| !word.ends_with(':'))
        .collect()
}

/// Names of the variables that serve others: as coordinates, bounds, mappings or cell measures.
pub(crate) fn serving(meta: &FileMeta) -> Vec<String> {
    let mut names: Vec<String> = meta.dimensions.iter().map(|d| d.name.clone()).collect();
    for variable in &meta.variables {
        for attribute in [
            "bounds",
            "climatology",
            "coordinates",
            "grid_mapping",
            "cell_measures",
        ] {
            names.extend(referenced(&variable.attributes, attribute));
        }
        // A mapping may be followed by its axes: `crs: x y`.
        let mappings = variable.attributes.words("grid_mapping");
        names.extend(
            mappings
                .iter()
                .filter_map(|word| Some(word.strip_suffix(':')?.to_owned())),
        );
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use crate::values::DataType;

    fn variable(data_type: DataType, attributes: &[(&str, AttributeValue)]) -> VariableMeta {
        VariableMeta {
            name: "v".into(),
            data_type,
            dimensions: vec![],
            attributes: attributes.iter().cloned().collect(),
            chunk_shape: None,
        }
    }

    #[test]
    fn coordinates_are_told_by_units_standard_name_or_name() {
        let named = |name: &str, attributes: &[(&str, AttributeValue)]| VariableMeta {
            name: name.into(),
            ..variable(DataType::F64, attributes)
        };
        assert!(is_latitude(&named(
            "y",
            &[("units", "degrees_north".into())]
        )));
        assert!(is_latitude(&named(
            "y",
            &[("standard_name", "latitude".into())]
        )));
        assert!(is_latitude(&named("LAT", &[])));
        assert!(!is_latitude(&named(
            "lat",
            &[
                ("standard_name", "grid_latitude".into()),
                ("units", "degrees".into())
            ]
        )));
        assert!(!is_latitude(&named("lat", &[("units", "m".into())])));
        assert!(is_longitude(&named("x", &[("units", "degree_E".into())])));
        assert!(is_time(&named(
            "t",
            &[("units", "days since 1850-01-01".into())]
        )));
        let reference = [
            ("units", "days since 1850-01-01".into()),
            ("standard_name", "forecast_reference_time".into()),
        ];
        assert!(!is_time(&named("t", &reference)));
    }
}
