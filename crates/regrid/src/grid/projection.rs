//! Map projections by their CF grid mapping, computed by `proj4rs`.
//!
//! Latitudes and longitudes are those on the projection's own ellipsoid: nothing is shifted between datums, which moves
//! points by less than weather grids resolve.

mod parameters;

use std::fmt;
use std::sync::Arc;

use proj4rs::Proj;
use proj4rs::transform::transform;

use crate::attribute::Attributes;
use crate::error::Error;
use parameters::definitions;

/// A map projection: metres on a plane for degrees on an ellipsoid.
#[derive(Clone)]
pub struct Projection {
    name: String,
    /// As PROJ writes it.
    definition: String,
    plane: Arc<Proj>,
    globe: Arc<Proj>,
}

impl PartialEq for Projection {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Projection").field(&self.definition).finish()
    }
}

impl Projection {
    /// The projection that the attributes of a CF grid mapping describe.
    ///
    /// # Errors
    /// [`Error::GridMapping`] for a mapping that is not known, or one without a parameter that it needs.
    pub fn from_cf(attributes: &Attributes) -> Result<Self, Error> {
        let [definition, globe] = definitions(attributes)?;
        let name = attributes.text("grid_mapping_name").unwrap_or_default();
        let fault = |reason: String| Error::GridMapping {
            mapping: name.to_owned(),
            reason,
        };
        let make = |definition: &str| {
            let made = Proj::from_proj_string(definition);
            made.map(Arc::new)
                .map_err(|error| fault(format!("{definition:?} is refused: {error}")))
        };
        Ok(Self {
            name: name.to_owned(),
            plane: make(&definition)?,
            globe: make(&globe)?,
            definition,
        })
    }

    /// The name of its CF grid mapping.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The projection as PROJ writes it.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// Where a place on the globe lies on the plane; NaN where it lies nowhere.
    ///
    /// - Units: degrees in, metres (y, x) out.
    pub fn from_geographic(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        // Some turns away the projection refuses a longitude.
        let longitude = longitude - 360.0 * (longitude / 360.0).round();
        let mut point = (longitude.to_radians(), latitude.to_radians());
        match transform(&self.globe, &self.plane, &mut point) {
            Ok(()) if point.0.is_finite() && point.1.is_finite() => (point.1, point.0),
            _ => (f64::NAN, f64::NAN),
        }
    }

    /// Which place on the globe lies at a point of the plane; NaN where there is none.
    ///
    /// - Units: metres in, degrees (latitude, longitude) out.
    pub fn to_geographic(&self, y: f64, x: f64) -> (f64, f64) {
        let mut point = (x, y);
        match transform(&self.plane, &self.globe, &mut point) {
            Ok(()) if point.0.is_finite() && point.1.is_finite() => {
                (point.1.to_degrees(), point.0.to_degrees())
            }
            _ => (f64::NAN, f64::NAN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue::{self, F64};

    fn mapping(name: &str, parameters: Vec<(&str, AttributeValue)>) -> Attributes {
        let mut attributes: Attributes = [("grid_mapping_name", name)].into_iter().collect();
        for (parameter, value) in parameters {
            attributes.set(parameter, value);
        }
        attributes
    }

    /// Latitude, longitude, y and x of two points in each projection, from pyproj 3.7.2 (PROJ 9): `CRS.from_cf` of the same
    /// attributes, or, where that knows no such mapping, the definition for PROJ.
    #[test]
    fn agrees_with_pyproj() {
        type Case = (
            &'static str,
            Vec<(&'static str, AttributeValue)>,
            [[f64; 4]; 2],
        );
        let cases: Vec<Case> = vec![
            (
                "albers_conical_equal_area",
                vec![
                    ("standard_parallel", F64(vec![29.5, 45.5])),
                    ("longitude_of_central_meridian", F64(vec![-96.0])),
                    ("latitude_of_projection_origin", F64(vec![23.0])),
                    ("false_easting", F64(vec![1000.0])),
                    ("false_northing", F64(vec![-500.0])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [40.0, -100.0, 1893600.1400790422, -337390.5875485082],
                    [25.0, -80.0, 354925.7735894452, 1628221.6676228575],
                ],
            ),
            (
                "azimuthal_equidistant",
                vec![
                    ("longitude_of_projection_origin", F64(vec![10.0])),
                    ("latitude_of_projection_origin", F64(vec![50.0])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 558138.4445954628, 128134.03187438007],
                    [70.0, -20.0, 2482491.409865877, -1127875.0205106763],
                ],
            ),
            (
                "geostationary",
                vec![
                    ("longitude_of_projection_origin", F64(vec![-75.0])),
                    ("latitude_of_projection_origin", F64(vec![0.0])),
                    ("perspective_point_height", F64(vec![35786023.0])),
                    ("sweep_angle_axis", "x".into()),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [10.0, -70.0, 1096223.2906965269, 545370.7265345656],
                    [-30.0, -100.0, -3046275.7036142778, -2239253.3878143863],
                ],
            ),
            (
                "lambert_azimuthal_equal_area",
                vec![
                    ("longitude_of_projection_origin", F64(vec![10.0])),
                    ("latitude_of_projection_origin", F64(vec![52.0])),
                    ("false_easting", F64(vec![4321000.0])),
                    ("false_northing", F64(vec![3210000.0])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 3545613.590525545, 4449020.353595118],
                    [70.0, -20.0, 5456815.64910022, 3204855.3974207975],
                ],
            ),
            (
                "lambert_conformal_conic",
                vec![
                    ("standard_parallel", F64(vec![63.3])),
                    ("longitude_of_central_meridian", F64(vec![15.0])),
                    ("latitude_of_projection_origin", F64(vec![63.3])),
                    ("earth_radius", F64(vec![6371229.0])),
                ],
                [
                    [55.0, 12.0, -921476.7443451534, -193136.00099868627],
                    [70.0, -20.0, 1103813.5083448116, -1275566.7649507679],
                ],
            ),
            (
                "lambert_conformal_conic",
                vec![
                    ("standard_parallel", F64(vec![30.0, 60.0])),
                    ("longitude_of_central_meridian", F64(vec![-97.5])),
                    ("latitude_of_projection_origin", F64(vec![38.5])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [40.0, -100.0, 165051.15315921404, -207129.617977997],
                    [25.0, -80.0, -1292206.301056056, 1796684.42897414],
                ],
            ),
            (
                "lambert_cylindrical_equal_area",
                vec![
                    ("standard_parallel", F64(vec![30.0])),
                    ("longitude_of_central_meridian", F64(vec![0.0])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 6005522.38761613, 1157835.3630107583],
                    [70.0, -20.0, 6895812.589846987, -1929725.60501793],
                ],
            ),
            (
                "mercator",
                vec![
                    ("standard_parallel", F64(vec![20.0])),
                    ("longitude_of_projection_origin", F64(vec![180.0])),
                    ("earth_radius", F64(vec![6371229.0])),
                ],
                [
                    [10.0, 170.0, 1050273.8942069227, -1044928.0780393549],
                    [-35.0, -150.0, -3908530.5637369314, 3134784.234118065],
                ],
            ),
            (
                "mercator",
                vec![
                    ("scale_factor_at_projection_origin", F64(vec![1.0])),
                    ("longitude_of_projection_origin", F64(vec![0.0])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 7326837.715045549, 1335833.8895192828],
                    [70.0, -20.0, 11028513.630920077, -2226389.8158654715],
                ],
            ),
            (
                "oblique_mercator",
                vec![
                    ("azimuth_of_central_line", F64(vec![45.0])),
                    ("longitude_of_projection_origin", F64(vec![10.0])),
                    ("latitude_of_projection_origin", F64(vec![45.0])),
                    ("scale_factor_at_projection_origin", F64(vec![0.9996])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 1115399.244745139, 131634.0640842121],
                    [70.0, -20.0, 3164248.976279059, -1128830.1057314244],
                ],
            ),
            (
                "orthographic",
                vec![
                    ("longitude_of_projection_origin", F64(vec![0.0])),
                    ("latitude_of_projection_origin", F64(vec![45.0])),
                    ("earth_radius", F64(vec![6371229.0])),
                ],
                [
                    [55.0, 12.0, 1162819.8164075941, 759789.743687153],
                    [70.0, -20.0, 2785522.251808342, -745292.2143557585],
                ],
            ),
            (
                "polar_stereographic",
                vec![
                    ("straight_vertical_longitude_from_pole", F64(vec![-45.0])),
                    ("latitude_of_projection_origin", F64(vec![90.0])),
                    ("standard_parallel", F64(vec![70.0])),
                    ("semi_major_axis", F64(vec![6378273.0])),
                    ("semi_minor_axis", F64(vec![6356889.449])),
                ],
                [
                    [55.0, 12.0, -2129129.9302928373, 3278572.583066926],
                    [70.0, -20.0, -1982977.7100146823, 924677.6921305085],
                ],
            ),
            (
                "polar_stereographic",
                vec![
                    ("straight_vertical_longitude_from_pole", F64(vec![0.0])),
                    ("latitude_of_projection_origin", F64(vec![-90.0])),
                    ("scale_factor_at_projection_origin", F64(vec![0.994])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [-75.0, 120.0, -837275.0968569266, 1450203.0076683504],
                    [-60.0, -10.0, 3354137.7363020466, -591424.9799224653],
                ],
            ),
            (
                "sinusoidal",
                vec![
                    ("longitude_of_projection_origin", F64(vec![0.0])),
                    ("earth_radius", F64(vec![6371007.181])),
                ],
                [
                    [55.0, 12.0, 6115727.858715878, 765346.3398316511],
                    [70.0, -20.0, 7783653.638365662, -760618.9522831964],
                ],
            ),
            (
                "stereographic",
                vec![
                    ("longitude_of_projection_origin", F64(vec![5.0])),
                    ("latitude_of_projection_origin", F64(vec![52.0])),
                    ("scale_factor_at_projection_origin", F64(vec![0.9999])),
                    ("semi_major_axis", F64(vec![6378137.0])),
                    ("inverse_flattening", F64(vec![298.257223563])),
                ],
                [
                    [55.0, 12.0, 355928.8256873899, 447778.23292050423],
                    [70.0, -20.0, 2211074.652456046, -958552.6067539472],
                ],
            ),
            (
                "transverse_mercator",
                vec![
                    ("longitude_of_central_meridian", F64(vec![-2.0])),
                    ("latitude_of_projection_origin", F64(vec![49.0])),
                    ("scale_factor_at_central_meridian", F64(vec![0.9996012717])),
                    ("false_easting", F64(vec![400000.0])),
                    ("false_northing", F64(vec![-100000.0])),
                    ("semi_major_axis", F64(vec![6377563.396])),
                    ("semi_minor_axis", F64(vec![6356256.909])),
                ],
                [
                    [51.5, -0.1, 179660.90484421927, 531866.130428833],
                    [58.0, -6.0, 908166.8089724333, 163670.37602944483],
                ],
            ),
            (
                "vertical_perspective",
                vec![
                    ("longitude_of_projection_origin", F64(vec![0.0])),
                    ("latitude_of_projection_origin", F64(vec![40.0])),
                    ("perspective_point_height", F64(vec![35785831.0])),
                    ("earth_radius", F64(vec![6371229.0])),
                ],
                [
                    [55.0, 12.0, 1687206.9535128633, 753927.2507893868],
                    [70.0, -20.0, 3185152.338057781, -725934.6896335547],
                ],
            ),
        ];
        assert!(
            parameters::KNOWN
                .iter()
                .all(|(known, ..)| cases.iter().any(|(name, ..)| name == known))
        );
        for (name, parameters, points) in cases {
            let projection = Projection::from_cf(&mapping(name, parameters)).unwrap();
            for [latitude, longitude, y, x] in points {
                let (v, u) = projection.from_geographic(latitude, longitude);
                // A micrometre or so: the series of PROJ 4 and PROJ 9 differ in their last terms.
                assert!(
                    (v - y).abs() < 1e-5 && (u - x).abs() < 1e-5,
                    "{name}: {v} {u} is not {y} {x}"
                );
                let (lat, lon) = projection.to_geographic(y, x);
                let off = (lat - latitude).abs().max((lon - longitude).abs());
                assert!(
                    off < 1e-9,
                    "{name}: {lat} {lon} is not {latitude} {longitude}"
                );
            }
        }
    }

    #[test]
    fn what_lies_nowhere_is_nan() {
        let satellite = vec![
            ("longitude_of_projection_origin", F64(vec![0.0])),
            ("perspective_point_height", F64(vec![35_786_023.0])),
            ("fixed_angle_axis", "x".into()),
        ];
        let satellite = Projection::from_cf(&mapping("geostationary", satellite)).unwrap();
        assert!(satellite.from_geographic(0.0, 180.0).0.is_nan());
        assert!(satellite.to_geographic(6e6, 6e6).0.is_nan());
    }

    #[test]
    fn unknown_and_incomplete_mappings_are_refused_by_name() {
        let refusal = |name: &str, parameters| {
            Projection::from_cf(&mapping(name, parameters))
                .unwrap_err()
                .to_string()
        };
        let text = refusal("space_oblique", vec![]);
        assert!(
            text.contains("space_oblique") && text.contains("polar_stereographic"),
            "{text}"
        );
        let text = refusal("sinusoidal", vec![]);
        assert!(text.contains("longitude_of_central_meridian"), "{text}");
        let meridian = ("longitude_of_central_meridian", F64(vec![0.0]));
        let origin = ("latitude_of_projection_origin", F64(vec![0.0]));
        let text = refusal("lambert_conformal_conic", vec![meridian.clone(), origin]);
        assert!(text.contains("standard_parallel"), "{text}");
        let shape = ("reference_ellipsoid_name", "Melon".into());
        let text = refusal("sinusoidal", vec![meridian, shape]);
        assert!(text.contains("Melon"), "{text}");
    }
}
