//! Points on the unit sphere as vectors in space, where there is neither seam nor pole.

/// A vector in space; of length one for a point on the sphere.
pub(super) type Vector = [f64; 3];

/// How far apart, in radians, two positions may be and still be the same one: about six metres.
///
/// A longitude near 360 that went through a 32-bit float is off by up to 3e-7.
pub(super) const SAME: f64 = 1e-6;

/// The point at a latitude and a longitude in degrees; a multiple of a right angle is met exactly.
pub(super) fn point(latitude: f64, longitude: f64) -> Vector {
    let (sin, cos) = sin_cos(latitude);
    let (sin_lon, cos_lon) = sin_cos(longitude);
    [cos * cos_lon, cos * sin_lon, sin]
}

/// Sine and cosine of an angle in degrees: the same after a whole turn, exact at right angles.
pub(super) fn sin_cos(degrees: f64) -> (f64, f64) {
    let within = degrees % 360.0;
    let quarter = (within / 90.0).round();
    let (sin, cos) = (within - 90.0 * quarter).to_radians().sin_cos();
    match (quarter as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(super) fn plus(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn times(a: Vector, by: f64) -> Vector {
    a.map(|x| x * by)
}

pub(super) fn length(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

/// The point on the sphere in a vector's direction.
pub(super) fn unit(a: Vector) -> Vector {
    times(a, length(a).recip())
}

/// The square of the straight distance: it orders points as the great-circle distance does.
pub(super) fn distance_2(a: Vector, b: Vector) -> f64 {
    let d = minus(a, b);
    dot(d, d)
}

/// The great-circle distance in radians.
pub(super) fn angle(a: Vector, b: Vector) -> f64 {
    2.0 * (distance_2(a, b).sqrt() / 2.0).min(1.0).asin()
}

/// The mean of points, put back on the sphere; none if they cancel.
pub(super) fn mean(points: impl IntoIterator<Item = Vector>) -> Option<Vector> {
    let sum = points.into_iter().fold([0.0; 3], plus);
    (length(sum) > 1e-9).then(|| unit(sum))
}

/// Whether a point's coordinates are numbers: a cell without a place has none.
pub(super) fn is_finite(a: Vector) -> bool {
    a.iter().all(|x| x.is_finite())
}

/// Two directions that span the plane which touches the sphere at a point, the first to the left of the second.
pub(super) fn tangents(at: Vector) -> [Vector; 2] {
    // The axis least in line with the point.
    let axis = if at[2].abs() < 0.8 {
        [0.0, 0.0, 1.0]
    } else {
        [1.0, 0.0, 0.0]
    };
    let first = unit(cross(axis, at));
    [first, cross(at, first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_angles_and_whole_turns_are_exact() {
        assert_eq!(point(90.0, 123.0)[2], 1.0);
        assert_eq!(point(0.0, 270.0), [0.0, -1.0, 0.0]);
        assert_eq!(point(12.5, 33.25), point(12.5, 33.25 - 720.0));
        let (sin, cos) = sin_cos(-133.0);
        assert!((sin - (-133.0f64).to_radians().sin()).abs() < 1e-15);
        assert!((cos - (-133.0f64).to_radians().cos()).abs() < 1e-15);
    }

    #[test]
    fn tangents_form_a_frame() {
        for at in [
            point(0.0, 0.0),
            point(90.0, 0.0),
            point(-52.0, 200.0),
            point(60.0, -10.0),
        ] {
            let [e, f] = tangents(at);
            assert!(dot(e, at).abs() < 1e-15 && dot(f, at).abs() < 1e-15);
            assert!(distance_2(cross(e, f), at) < 1e-28);
        }
    }
}
