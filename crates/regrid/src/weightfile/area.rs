//! Areas of cells on the unit sphere, for the files that state them.

use crate::sphere::SphereCells;

/// The area of every cell.
///
/// - Units: steradians (square radians, as such files say).
/// - Missing data: a cell with a corner that is NaN has no area: 0. `None` if the cells have no corners.
pub(crate) fn areas(cells: &SphereCells) -> Option<Vec<f64>> {
    let corners = cells.corners.as_ref()?;
    let area = |cell: usize| {
        let own = cell * corners.per_cell..(cell + 1) * corners.per_cell;
        let (latitudes, longitudes) = (&corners.latitudes[own.clone()], &corners.longitudes[own]);
        let area = if corners.along_parallels {
            rectangle(latitudes, longitudes)
        } else {
            polygon(latitudes, longitudes)
        };
        if area.is_nan() { 0.0 } else { area }
    };
    Some((0..cells.rows * cells.columns).map(area).collect())
}

/// Between two parallels and two meridians.
fn rectangle(latitudes: &[f64], longitudes: &[f64]) -> f64 {
    let height = latitudes[2].to_radians().sin() - latitudes[0].to_radians().sin();
    (height * (longitudes[1] - longitudes[0]).to_radians()).abs()
}

/// Within great circles: triangles from the first corner on, each by the formula of van Oosterom and Strackee (1983), IEEE
/// Trans. Biomed. Eng. 30, 125-126.
fn polygon(latitudes: &[f64], longitudes: &[f64]) -> f64 {
    let corner = |i: usize| {
        let (latitude, longitude) = (latitudes[i].to_radians(), longitudes[i].to_radians());
        let ring = latitude.cos();
        [
            ring * longitude.cos(),
            ring * longitude.sin(),
            latitude.sin(),
        ]
    };
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let cross = |a: [f64; 3], b: [f64; 3]| {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    };
    let first = corner(0);
    let triangles = (1..latitudes.len() - 1).map(|i| {
        let (a, b) = (corner(i), corner(i + 1));
        let volume = dot(first, cross(a, b));
        2.0 * volume.atan2(1.0 + dot(first, a) + dot(a, b) + dot(b, first))
    });
    triangles.sum::<f64>().abs()
}

/// The part of every cell's area from the total that its entries make: share of target areas per source cell.
pub(super) fn fractions(taken: &[f64], areas: &[f64]) -> Vec<f64> {
    let part = |(&taken, &area): (&f64, &f64)| if area > 0.0 { taken / area } else { 0.0 };
    taken.iter().zip(areas).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::sphere::Corners;
    use std::f64::consts::PI;

    #[test]
    fn cells_of_the_globe_make_the_globe() {
        let cells = Grid::global(7.5).unwrap().sphere_cells();
        let total: f64 = areas(&cells).unwrap().iter().sum();
        assert!((total - 4.0 * PI).abs() < 1e-12, "{total}");
    }

    #[test]
    fn an_eighth_of_the_globe_within_great_circles() {
        let corners = Corners {
            per_cell: 4,
            latitudes: vec![0.0, 0.0, 90.0, 90.0],
            longitudes: vec![350.0, 80.0, 80.0, 350.0],
            along_parallels: false,
        };
        let mut cells = Grid::points([30.0], [35.0]).unwrap().sphere_cells();
        assert_eq!(areas(&cells), None);
        cells.corners = Some(corners);
        assert!((areas(&cells).unwrap()[0] - PI / 2.0).abs() < 1e-14);
    }
}
