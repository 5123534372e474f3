//! Grids to test on, and what can be done to them.

use std::ops::Range;

use proptest::prelude::*;

use super::cells::Corners;
use super::vector::{Vector, point, times, unit};
use super::{Cells, SphereCells};

/// Cells without corners.
pub(super) fn cells(
    rows: usize,
    columns: usize,
    latitudes: Vec<f64>,
    longitudes: Vec<f64>,
) -> SphereCells {
    SphereCells {
        rows,
        columns,
        latitudes,
        longitudes,
        corners: None,
    }
}

/// A list of (latitude, longitude).
pub(super) fn list(points: &[(f64, f64)]) -> SphereCells {
    let (latitudes, longitudes) = points.iter().copied().unzip();
    cells(1, points.len(), latitudes, longitudes)
}

/// Every latitude with every longitude, without corners.
pub(super) fn product(latitudes: &[f64], longitudes: &[f64]) -> SphereCells {
    let each = |f: fn(f64, f64) -> f64| {
        latitudes
            .iter()
            .flat_map(|&lat| longitudes.iter().map(move |&lon| f(lat, lon)))
            .collect()
    };
    cells(
        latitudes.len(),
        longitudes.len(),
        each(|lat, _| lat),
        each(|_, lon| lon),
    )
}

/// Points anywhere, with every part of the sphere equally likely.
pub(super) fn scattered(count: Range<usize>) -> impl Strategy<Value = SphereCells> {
    let one = (-1.0..1.0f64, -180.0..540.0f64).prop_map(|(z, lon)| (z.asin().to_degrees(), lon));
    prop::collection::vec(one, count).prop_map(|points| list(&points))
}

/// Latitude and longitude in degrees.
pub(super) fn degrees(p: Vector) -> (f64, f64) {
    (
        p[2].atan2(p[0].hypot(p[1])).to_degrees(),
        p[1].atan2(p[0]).to_degrees(),
    )
}

fn mapped(cells: &SphereCells, map: impl Fn(f64, f64) -> (f64, f64)) -> SphereCells {
    let both = |lats: &[f64], lons: &[f64]| {
        lats.iter()
            .zip(lons)
            .map(|(&lat, &lon)| map(lat, lon))
            .unzip()
    };
    let mut moved = cells.clone();
    (moved.latitudes, moved.longitudes) = both(&cells.latitudes, &cells.longitudes);
    if let Some(corners) = &mut moved.corners {
        corners.map(map);
    }
    moved
}

/// Turned about the poles, then about an axis in the plane of the equator.
pub(super) fn turned(cells: &SphereCells, by: f64, tilt: f64) -> SphereCells {
    let (sin, cos) = tilt.to_radians().sin_cos();
    mapped(cells, |lat, lon| {
        let [x, y, z] = point(lat, lon + by);
        degrees([x * cos + z * sin, y, z * cos - x * sin])
    })
}

/// The same place by other longitudes.
pub(super) fn shifted(cells: &SphereCells, by: f64) -> SphereCells {
    mapped(cells, |lat, lon| (lat, lon + by))
}

/// North and south exchanged.
pub(super) fn reflected(cells: &SphereCells) -> SphereCells {
    mapped(cells, |lat, lon| (-lat, lon))
}

/// Columns moved on by a number, round the end.
pub(super) fn rolled(cells: &SphereCells, by: usize) -> SphereCells {
    let n = cells.columns;
    let from = |i: usize| i / n * n + (i % n + n - by % n) % n;
    let all = 0..cells.rows * n;
    let mut moved = cells.clone();
    moved.latitudes = all.clone().map(|i| cells.latitudes[from(i)]).collect();
    moved.longitudes = all.clone().map(|i| cells.longitudes[from(i)]).collect();
    moved.corners = cells.corners.as_ref().map(|corners| {
        Corners::new(corners.kind, cells.rows * n, n, |cell, corner| {
            cells.corner(from(cell), corner)
        })
    });
    moved
}

/// A mesh whose last row is folded between two grid poles on land, as ocean models use: confocal ellipses about the north
/// pole down to some 14 degrees south, the last one flat. With `on_points` the fold runs through the last row's points.
pub(super) fn tripolar(columns: usize, rows: usize, on_points: bool) -> SphereCells {
    let offset = if on_points { 0.0 } else { 0.5 };
    let (mut latitudes, mut longitudes) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let out = 2.5 * ((rows - 1 - row) as f64 + offset) / (rows - 1) as f64;
        for column in 0..columns {
            let round = (column as f64 + offset) / columns as f64 * std::f64::consts::TAU;
            let (x, y) = (
                0.2 * out.cosh() * round.cos(),
                0.2 * out.sinh() * round.sin(),
            );
            // From the plane of a stereographic projection.
            let r2 = x * x + y * y;
            let p = unit(times([2.0 * x, 2.0 * y, 1.0 - r2], (1.0 + r2).recip()));
            let (lat, lon) = degrees(p);
            latitudes.push(lat);
            longitudes.push(lon);
        }
    }
    cells(rows, columns, latitudes, longitudes)
}
