//! The parameters of a projection: from the attributes of a CF grid mapping to PROJ's own words.

use crate::attribute::Attributes;
use crate::error::Error;

/// Where a parameter of PROJ comes from: its name, the CF attributes that may hold it, and whether it must be there.
pub(super) type Parameter = (&'static str, &'static [&'static str], bool);

const CENTRAL_MERIDIAN: Parameter = (
    "lon_0",
    &[
        "longitude_of_central_meridian",
        "longitude_of_projection_origin",
    ],
    true,
);
const ORIGIN_LONGITUDE: Parameter = (
    "lon_0",
    &[
        "longitude_of_projection_origin",
        "longitude_of_central_meridian",
    ],
    true,
);
const ORIGIN_LATITUDE: Parameter = ("lat_0", &["latitude_of_projection_origin"], true);
const SCALE: Parameter = ("k_0", &["scale_factor_at_projection_origin"], false);
const HEIGHT: Parameter = ("h", &["perspective_point_height"], true);

/// CF name, PROJ name, parameters of its own (CF conventions, appendix F).
pub(super) const KNOWN: [(&str, &str, &[Parameter]); 14] = [
    (
        "albers_conical_equal_area",
        "aea",
        &[CENTRAL_MERIDIAN, ORIGIN_LATITUDE],
    ),
    (
        "azimuthal_equidistant",
        "aeqd",
        &[ORIGIN_LONGITUDE, ORIGIN_LATITUDE],
    ),
    ("geostationary", "geos", &[ORIGIN_LONGITUDE, HEIGHT]),
    (
        "lambert_azimuthal_equal_area",
        "laea",
        &[ORIGIN_LONGITUDE, ORIGIN_LATITUDE],
    ),
    (
        "lambert_conformal_conic",
        "lcc",
        &[CENTRAL_MERIDIAN, ORIGIN_LATITUDE],
    ),
    (
        "lambert_cylindrical_equal_area",
        "cea",
        &[CENTRAL_MERIDIAN, SCALE],
    ),
    ("mercator", "merc", &[ORIGIN_LONGITUDE, SCALE]),
    (
        "oblique_mercator",
        "omerc",
        &[
            ("lonc", &["longitude_of_projection_origin"], true),
            ORIGIN_LATITUDE,
            ("alpha", &["azimuth_of_central_line"], true),
            SCALE,
        ],
    ),
    (
        "orthographic",
        "ortho",
        &[ORIGIN_LONGITUDE, ORIGIN_LATITUDE],
    ),
    (
        "polar_stereographic",
        "stere",
        &[
            (
                "lon_0",
                &[
                    "straight_vertical_longitude_from_pole",
                    "longitude_of_projection_origin",
                ],
                true,
            ),
            ORIGIN_LATITUDE,
            SCALE,
        ],
    ),
    ("sinusoidal", "sinu", &[CENTRAL_MERIDIAN]),
    (
        "stereographic",
        "stere",
        &[ORIGIN_LONGITUDE, ORIGIN_LATITUDE, SCALE],
    ),
    (
        "transverse_mercator",
        "tmerc",
        &[
            CENTRAL_MERIDIAN,
            ORIGIN_LATITUDE,
            ("k_0", &["scale_factor_at_central_meridian"], false),
        ],
    ),
    (
        "vertical_perspective",
        "nsper",
        &[ORIGIN_LONGITUDE, ORIGIN_LATITUDE, HEIGHT],
    ),
];

/// Ellipsoids by the names that `reference_ellipsoid_name` gives them, and PROJ's names for them.
const ELLIPSOIDS: [(&str, &str); 9] = [
    ("WGS 84", "WGS84"),
    ("WGS84", "WGS84"),
    ("GRS 1980", "GRS80"),
    ("GRS80", "GRS80"),
    ("Airy 1830", "airy"),
    ("Bessel 1841", "bessel"),
    ("Clarke 1866", "clrk66"),
    ("International 1924", "intl"),
    ("Krassowsky 1940", "krass"),
];

/// The projection and the globe that the attributes describe, as PROJ writes them.
///
/// # Errors
/// [`Error::GridMapping`] for a mapping that is not known, or one without a parameter that it needs.
pub(super) fn definitions(attributes: &Attributes) -> Result<[String; 2], Error> {
    let name = attributes.text("grid_mapping_name").unwrap_or_default();
    let fault = |reason: String| Error::GridMapping {
        mapping: name.to_owned(),
        reason,
    };
    let Some((_, proj, parameters)) = KNOWN.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
        return Err(fault(format!(
            "it is not known; known are latitude_longitude, rotated_latitude_longitude, {}",
            known.join(", ")
        )));
    };
    let mut definition = format!("+proj={proj}");
    for (parameter, sources, needed) in *parameters {
        let value = sources.iter().find_map(|source| attributes.number(source));
        match value {
            Some(value) => definition += &format!(" +{parameter}={value}"),
            None if *needed => return Err(fault(format!("it has no {}", sources[0]))),
            None => {}
        }
    }
    definition += &parallels(name, attributes).map_err(fault)?;
    if name == "geostationary" {
        definition += &format!(" +sweep={}", sweep(attributes).map_err(fault)?);
    }
    for (parameter, source) in [("x_0", "false_easting"), ("y_0", "false_northing")] {
        if let Some(value) = attributes.number(source) {
            definition += &format!(" +{parameter}={value}");
        }
    }
    let globe = format!("+proj=longlat{}", earth(attributes).map_err(fault)?);
    definition += globe.trim_start_matches("+proj=longlat");
    Ok([definition, globe])
}

/// Standard parallels, where the projection has some: two, or the one at true scale.
fn parallels(name: &str, attributes: &Attributes) -> Result<String, String> {
    let values = attributes
        .get("standard_parallel")
        .and_then(|value| value.numbers())
        .unwrap_or_default();
    let scaled = attributes
        .number("scale_factor_at_projection_origin")
        .is_some();
    Ok(match (name, values.as_slice()) {
        ("albers_conical_equal_area" | "lambert_conformal_conic", [one]) => {
            format!(" +lat_1={one} +lat_2={one}")
        }
        ("albers_conical_equal_area" | "lambert_conformal_conic", [one, two]) => {
            format!(" +lat_1={one} +lat_2={two}")
        }
        ("albers_conical_equal_area" | "lambert_conformal_conic", _) => {
            return Err("it has no standard_parallel".into());
        }
        ("mercator" | "polar_stereographic" | "lambert_cylindrical_equal_area", [one])
            if !scaled =>
        {
            format!(" +lat_ts={one}")
        }
        _ => String::new(),
    })
}

/// The axis about which a geostationary satellite scans from side to side of a line.
fn sweep(attributes: &Attributes) -> Result<&'static str, String> {
    match (
        attributes.text("sweep_angle_axis"),
        attributes.text("fixed_angle_axis"),
    ) {
        (Some("x"), _) | (None, Some("y")) => Ok("x"),
        (Some("y"), _) | (None, Some("x")) => Ok("y"),
        _ => Err("it has neither sweep_angle_axis nor fixed_angle_axis".into()),
    }
}

/// The shape of the earth and its prime meridian; without any the WGS 84 ellipsoid.
fn earth(attributes: &Attributes) -> Result<String, String> {
    let number = |name: &str| attributes.number(name);
    let minor = number("semi_minor_axis");
    let flattening = number("inverse_flattening").filter(|&f| f != 0.0);
    let mut shape = match (number("earth_radius"), number("semi_major_axis")) {
        (Some(radius), _) => format!(" +R={radius}"),
        (None, Some(major)) => match (minor, flattening) {
            (Some(minor), _) if minor != major => format!(" +a={major} +b={minor}"),
            (None, Some(flattening)) => format!(" +a={major} +rf={flattening}"),
            _ => format!(" +R={major}"),
        },
        (None, None) => match attributes.text("reference_ellipsoid_name") {
            None | Some("" | "unknown") => " +ellps=WGS84".into(),
            Some(name) => match ELLIPSOIDS.iter().find(|(known, _)| *known == name) {
                Some((_, ellipsoid)) => format!(" +ellps={ellipsoid}"),
                None => {
                    return Err(format!(
                        "its ellipsoid {name:?} is not known and no semi_major_axis is given"
                    ));
                }
            },
        },
    };
    if let Some(meridian) = number("longitude_of_prime_meridian").filter(|&m| m != 0.0) {
        shape += &format!(" +pm={meridian}");
    }
    Ok(shape)
}
