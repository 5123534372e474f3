//! Latitudes and longitudes about a pole of one's own: limited-area models turn the globe so that their domain lies on
//! the equator.

/// A rotated pole, as the CF grid mapping `rotated_latitude_longitude` has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotatedPole {
    /// Latitude of the rotated north pole, degrees north (`grid_north_pole_latitude`).
    pub latitude: f64,
    /// Longitude of the rotated north pole, degrees east (`grid_north_pole_longitude`).
    pub longitude: f64,
    /// Longitude of the true north pole in the rotated grid, degrees (`north_pole_grid_longitude`).
    pub north_pole_longitude: f64,
}

/// The sine and cosine of an angle in degrees, exact at whole quarters of a turn.
fn sin_cos(degrees: f64) -> (f64, f64) {
    let quarter = (degrees / 90.0).round();
    let (sin, cos) = (degrees - quarter * 90.0).to_radians().sin_cos();
    match quarter.rem_euclid(4.0) as u8 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// A longitude moved into -180 to 180.
fn turn(degrees: f64) -> f64 {
    let turned = degrees - 360.0 * (degrees / 360.0).round();
    if turned == -180.0 { 180.0 } else { turned }
}

/// Latitude and longitude in degrees of a direction.
fn degrees([x, y, z]: [f64; 3]) -> (f64, f64) {
    (z.atan2(x.hypot(y)).to_degrees(), y.atan2(x).to_degrees())
}

impl RotatedPole {
    /// Latitude and longitude in the rotated grid of a place on the globe.
    ///
    /// Seen from the globe's axes, the rotated pole is the rotated z, and the rotated longitude 0 (when
    /// `north_pole_longitude` is 0) lies on the side of the true north pole.
    /// - Units: degrees in and out; the longitude comes out between -180 and 180.
    pub fn from_geographic(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let (sin_pole, cos_pole) = sin_cos(self.latitude);
        let (sin_lat, cos_lat) = sin_cos(latitude);
        let (sin_lon, cos_lon) = sin_cos(longitude - self.longitude);
        let (x, y, z) = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat);
        let (lat, lon) = degrees([cos_pole * z - sin_pole * x, -y, cos_pole * x + sin_pole * z]);
        (lat, turn(lon + self.north_pole_longitude))
    }

    /// Latitude and longitude on the globe of a place in the rotated grid.
    ///
    /// - Units: degrees in and out; the longitude comes out between -180 and 180.
    pub fn to_geographic(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let (sin_pole, cos_pole) = sin_cos(self.latitude);
        let (sin_lat, cos_lat) = sin_cos(latitude);
        let (sin_lon, cos_lon) = sin_cos(longitude - self.north_pole_longitude);
        let (x, y, z) = (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat);
        let (lat, lon) = degrees([cos_pole * z - sin_pole * x, -y, cos_pole * x + sin_pole * z]);
        (lat, turn(lon + self.longitude))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: (f64, f64), expected: [f64; 2], tolerance: f64) {
        let same = (got.0 - expected[0]).abs() <= tolerance
            && turn(got.1 - expected[1]).abs() % 360.0 <= tolerance;
        assert!(same, "{got:?} is not {expected:?}");
    }

    /// Pole latitude, longitude, longitude of the true pole; a point; it in the rotated grid; the same numbers taken as
    /// rotated ones on the globe. From cartopy 0.26 (PROJ's `ob_tran`), which Iris uses.
    #[test]
    fn agrees_with_cartopy() {
        let cases = [
            (
                [37.5, 177.5, 0.0],
                [51.5, -0.1],
                [-0.9751751234973456, 1.4939839092268654],
                [75.99982185009358, 177.75731802760166],
            ),
            (
                [37.5, 177.5, 0.0],
                [0.0, 0.0],
                [-52.428988689099945, 4.102282977674171],
                [52.50000000000001, -2.4999999999999463],
            ),
            (
                [37.5, 177.5, 0.0],
                [10.0, 179.9],
                [62.41508171258243, -174.89057988788943],
                [-42.49990752290691, 177.3664265617008],
            ),
            (
                [39.25, -162.0, 0.0],
                [51.5, -0.1],
                [2.117246563974928, -11.159023429161579],
                [77.74980173095872, -161.7066104490142],
            ),
            (
                [39.25, -162.0, 0.0],
                [10.0, 179.9],
                [56.59064003780819, 146.2437326298189],
                [-40.74991215040575, -162.12999634581604],
            ),
            (
                [-30.0, 20.0, 35.0],
                [51.5, -0.1],
                [6.6021427634360235, 47.43672871192181],
                [2.852873896027193, 41.001559911397436],
            ),
            (
                [-30.0, 20.0, 35.0],
                [0.0, 0.0],
                [54.468652237195826, 71.05238873238788],
                [45.18664540167447, 74.47035513331728],
            ),
            (
                [-30.0, 20.0, 35.0],
                [10.0, 179.9],
                [-62.59161471189537, -97.67508691594438],
                [-51.683535375739226, -94.03012836721688],
            ),
            ([90.0, 0.0, 0.0], [51.5, -0.1], [51.5, 179.9], [51.5, 179.9]),
        ];
        for ([latitude, longitude, north_pole_longitude], [lat, lon], rotated, back) in cases {
            let pole = RotatedPole {
                latitude,
                longitude,
                north_pole_longitude,
            };
            // PROJ's own rounding is some 1e-13 of a degree.
            close(pole.from_geographic(lat, lon), rotated, 1e-12);
            close(pole.to_geographic(lat, lon), back, 1e-12);
        }
    }

    #[test]
    fn there_and_back_is_the_same_place_even_at_poles() {
        let pole = RotatedPole {
            latitude: 37.5,
            longitude: 177.5,
            north_pole_longitude: 10.0,
        };
        for (lat, lon) in [
            (90.0, 0.0),
            (37.5, 177.5),
            (-37.5, -2.5),
            (89.9999, 12.0),
            (3.0, 4.0),
        ] {
            let (y, x) = pole.from_geographic(lat, lon);
            let (lat_again, lon_again) = pole.to_geographic(y, x);
            assert!((lat_again - lat).abs() < 1e-12, "{lat} {lon}");
            // The longitude of a pole is any; near it a degree is short.
            let shrunk = turn(lon_again - lon) * lat.to_radians().cos();
            assert!(shrunk.abs() < 1e-12, "{lat} {lon}");
        }
        assert_eq!(pole.from_geographic(37.5, 177.5).0, 90.0);
    }
}
