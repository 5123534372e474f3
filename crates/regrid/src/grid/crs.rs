//! What the numbers on a grid's axes mean: geographic degrees, degrees about a rotated pole, metres on a map.

use super::projection::Projection;
use super::rotated::RotatedPole;
use crate::attribute::{AttributeValue, Attributes};
use crate::error::Error;

/// A coordinate reference system: how a grid's own (y, x) relate to latitude and longitude.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Crs {
    /// Latitude and longitude themselves, in degrees.
    #[default]
    Geographic,
    /// Latitude and longitude about a rotated pole, in degrees.
    RotatedPole(RotatedPole),
    /// Metres on the plane of a map projection.
    Projection(Projection),
}

impl Crs {
    /// The system that the attributes of a CF grid mapping describe (CF section 5.6, appendix F).
    ///
    /// A `crs_wkt` is not read: the parameters beside it say the same.
    ///
    /// # Errors
    /// [`Error::GridMapping`] for a mapping that is not known, or one without a parameter that it needs.
    pub fn from_cf(attributes: &Attributes) -> Result<Self, Error> {
        let need = |name: &str| {
            attributes.number(name).ok_or_else(|| Error::GridMapping {
                mapping: "rotated_latitude_longitude".into(),
                reason: format!("it has no {name}"),
            })
        };
        match attributes.text("grid_mapping_name") {
            Some("latitude_longitude") => Ok(Self::Geographic),
            Some("rotated_latitude_longitude") => {
                let pole = RotatedPole {
                    latitude: need("grid_north_pole_latitude")?,
                    longitude: need("grid_north_pole_longitude")?,
                    north_pole_longitude: attributes
                        .number("north_pole_grid_longitude")
                        .unwrap_or(0.0),
                };
                if pole.latitude.is_finite()
                    && pole.latitude.abs() <= 90.0
                    && pole.longitude.is_finite()
                {
                    Ok(Self::RotatedPole(pole))
                } else {
                    Err(Error::GridMapping {
                        mapping: "rotated_latitude_longitude".into(),
                        reason: format!(
                            "{} north, {} east is no pole",
                            pole.latitude, pole.longitude
                        ),
                    })
                }
            }
            _ => Projection::from_cf(attributes).map(Self::Projection),
        }
    }

    /// Latitude and longitude of a point in this system; NaN where there is none.
    ///
    /// - Units: degrees, or metres for projections; degrees out.
    pub fn to_geographic(&self, y: f64, x: f64) -> (f64, f64) {
        match self {
            Self::Geographic => (y, x),
            Self::RotatedPole(pole) => pole.to_geographic(y, x),
            Self::Projection(projection) => projection.to_geographic(y, x),
        }
    }

    /// The (y, x) in this system of a place on the globe; NaN where there is none.
    ///
    /// - Units: degrees in; degrees, or metres for projections, out.
    pub fn from_geographic(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        match self {
            Self::Geographic => (latitude, longitude),
            Self::RotatedPole(pole) => pole.from_geographic(latitude, longitude),
            Self::Projection(projection) => projection.from_geographic(latitude, longitude),
        }
    }
}

impl RotatedPole {
    /// The attributes of its CF grid mapping.
    pub(super) fn to_cf(self) -> Attributes {
        let mut attributes: Attributes = [("grid_mapping_name", "rotated_latitude_longitude")]
            .into_iter()
            .collect();
        for (name, value) in [
            ("grid_north_pole_latitude", self.latitude),
            ("grid_north_pole_longitude", self.longitude),
            ("north_pole_grid_longitude", self.north_pole_longitude),
        ] {
            attributes.set(name, AttributeValue::F64(vec![value]));
        }
        attributes
    }
}
