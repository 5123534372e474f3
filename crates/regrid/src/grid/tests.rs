//! Every kind of grid, seen through its own coordinates and on the globe.

use super::*;
use crate::attribute::AttributeValue;

fn axes(latitudes: &[f64], longitudes: &[f64]) -> (Latitudes, Longitudes) {
    (
        Latitudes::new(latitudes.to_vec(), None).unwrap(),
        Longitudes::new(longitudes.to_vec(), None).unwrap(),
    )
}

fn rotated() -> Grid {
    let pole = RotatedPole {
        latitude: 37.5,
        longitude: 177.5,
        north_pole_longitude: 0.0,
    };
    let (latitudes, longitudes) = axes(&[-1.0, 0.0, 1.0], &[-2.0, 0.0]);
    Grid::rotated(pole, latitudes, longitudes)
}

fn projected() -> Grid {
    let mut mapping: Attributes = [("grid_mapping_name", "lambert_azimuthal_equal_area")]
        .into_iter()
        .collect();
    for (name, value) in [
        ("latitude_of_projection_origin", 52.0),
        ("longitude_of_projection_origin", 10.0),
    ] {
        mapping.set(name, AttributeValue::F64(vec![value]));
    }
    let axis = |kind| PlaneAxis::new(kind, vec![-100.0, 0.0, 100.0], None, 1000.0).unwrap();
    Grid::projected(
        &mapping,
        axis(AxisKind::ProjectionY),
        axis(AxisKind::ProjectionX),
    )
    .unwrap()
}

#[test]
fn every_kind_has_its_shape_and_dimensions() {
    let names = |grid: &Grid| -> Vec<(String, usize)> {
        let dimensions = grid.dimensions().into_iter();
        dimensions.map(|d| (d.name, d.len)).collect()
    };
    let pairs = |expected: &[(&str, usize)]| -> Vec<(String, usize)> {
        expected.iter().map(|&(n, len)| (n.into(), len)).collect()
    };
    let plain = Grid::from_axes([1.0, 2.0], [3.0]).unwrap();
    assert_eq!(names(&plain), pairs(&[("latitude", 2), ("longitude", 1)]));
    assert_eq!(
        names(&rotated()),
        pairs(&[("grid_latitude", 3), ("grid_longitude", 2)])
    );
    assert_eq!(names(&projected()), pairs(&[("y", 3), ("x", 3)]));
    let curvilinear = Grid::curvilinear((1, 2), vec![1.0, 2.0], vec![3.0, 4.0], None).unwrap();
    assert_eq!(names(&curvilinear), pairs(&[("y", 1), ("x", 2)]));
    let points = Grid::points([1.0, 2.0], [3.0, 4.0]).unwrap();
    assert_eq!(names(&points), pairs(&[("point", 2)]));
    assert_eq!(
        (points.shape(), points.is_list(), curvilinear.is_list()),
        ((1, 2), true, false)
    );
    assert!(plain.axes().is_some() && rotated().axes().is_some());
    assert!(points.axes().is_none() && projected().axes().is_none());
    assert!(plain.same_crs(&points) && !plain.same_crs(&rotated()));
}

#[test]
fn points_are_sought_in_the_coordinates_of_the_other_grid() {
    // The middle of the projection's plane and of the rotated grid.
    let points = Grid::points([52.0, 52.5], [10.0, -2.5]).unwrap();
    let all = |grid: &Grid, other: &Grid| -> Vec<(f64, f64)> {
        let (rows, columns) = grid.shape();
        grid.points_in_crs_of(other, 0..rows * columns).collect()
    };
    let plane = all(&points, &projected());
    assert!(
        plane[0].0.abs() < 1e-6 && plane[0].1.abs() < 1e-6,
        "{plane:?}"
    );
    let turned = all(&points, &rotated());
    assert!(
        turned[1].0.abs() < 1e-12 && turned[1].1.abs() < 1e-12,
        "{turned:?}"
    );
    // Grids of one system hand over their own numbers.
    let own = all(&rotated(), &rotated());
    assert_eq!(own[3], (0.0, 0.0));
    assert_eq!(own[4], (1.0, -2.0));
    // A part is a part of the whole, wherever rows begin and end.
    for grid in [&points, &rotated(), &projected()] {
        for other in [rotated(), Grid::global(10.0).unwrap()] {
            let whole = all(grid, &other);
            for start in 0..whole.len() {
                for end in start..=whole.len() {
                    let part = grid.points_in_crs_of(&other, start..end);
                    assert!(part.eq(whole[start..end].iter().copied()), "{start}..{end}");
                }
            }
        }
    }
}

#[test]
fn cells_on_the_sphere_have_their_corners_round_them() {
    for grid in [rotated(), projected()] {
        let cells = grid.sphere_cells().into_owned();
        assert_eq!((cells.rows, cells.columns), grid.shape());
        let corners = cells.corners.unwrap();
        assert!(!corners.kind.along_parallels);
        let latitudes: Vec<f64> = corners.latitudes().collect();
        let longitudes: Vec<f64> = corners.longitudes().collect();
        for cell in 0..cells.latitudes.len() {
            let of = |values: &[f64]| values[4 * cell..4 * cell + 4].iter().sum::<f64>() / 4.0;
            assert!((of(&latitudes) - cells.latitudes[cell]).abs() < 0.05);
            assert!((of(&longitudes) - cells.longitudes[cell]).abs() < 0.05);
        }
    }
}

#[test]
fn the_same_points_under_another_system_are_others() {
    let (latitudes, longitudes) = axes(&[-1.0, 0.0, 1.0], &[-2.0, 0.0]);
    assert!(!Grid::new(latitudes, longitudes).same_points(&rotated()));
    assert!(rotated().same_points(&rotated()) && projected().same_points(&projected()));
    let place = |nan: f64| Grid::curvilinear((1, 2), vec![1.0, nan], vec![3.0, 4.0], None).unwrap();
    assert!(place(f64::NAN).same_points(&place(f64::NAN)));
    assert!(!place(f64::NAN).same_points(&place(2.0)));
}

#[test]
fn points_without_a_place_or_a_name_too_few_are_refused() {
    assert!(matches!(
        Grid::points([1.0, f64::NAN], [3.0, 4.0]),
        Err(Error::AxisValue { index: 1, .. })
    ));
    assert!(matches!(Grid::points([], []), Err(Error::EmptyAxis { .. })));
    let named = Grid::points([1.0, 2.0], [3.0, 4.0]).unwrap();
    assert!(matches!(
        named.with_names(["a"]),
        Err(Error::CellCount {
            got: 1,
            expected: 2,
            ..
        })
    ));
}
