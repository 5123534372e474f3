//! Points that lie where the cells of a grid do get what the cells get, whichever way their weights are kept.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Axis, Layout, regrid, values};
use proptest::prelude::*;
use regrid::{Grid, Method, Outside, Pole, Regridder, Request};

/// A globe of cells whose rows do not lie on the poles.
fn globe() -> Layout {
    let axis = |first: f64, step: f64, n| Axis {
        centres: sources::steps(first, step, n),
        bounds: None,
    };
    Layout::Rectilinear {
        latitudes: axis(-82.5, 15.0, 12),
        longitudes: axis(0.0, 30.0, 12),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn holes_beside_a_pole_count_the_same(
        method in prop::sample::select(vec![Method::Linear, Method::Cubic]),
        outside in prop::sample::select(vec![Outside::Missing, Outside::Nearest, Outside::Linear]),
        pole in prop::sample::select(vec![Pole::Mean, Pole::None, Pole::Nearest]),
        min_valid in prop::sample::select(vec![0.0, 0.3, 0.6, 1.0]),
        missing in prop::sample::select(vec![0.0, 0.1, 0.5, 0.9]),
        seed in any::<u64>(),
    ) {
        let (latitudes, longitudes) = ([-90.0, -86.0, -82.5, -70.0, 0.0, 75.0, 84.0, 90.0], [-15.0, 0.0, 7.0, 100.0]);
        let grid = Grid::from_axes(latitudes, longitudes).unwrap();
        let (ys, xs): (Vec<f64>, Vec<f64>) = latitudes.iter().flat_map(|&y| longitudes.map(|x| (y, x))).unzip();
        let points = Grid::points(ys, xs).unwrap();
        let source = globe().catalogue(values(globe().cells(), seed, missing));
        let onto = |target: &Grid| {
            let request = Request::new(target).method(method).outside(outside).pole(pole).min_valid(min_valid);
            regrid(&source, &request).unwrap()
        };
        for (at, (cell, point)) in onto(&grid).into_iter().zip(onto(&points)).enumerate() {
            // Of a cubic the weights of both signs cancel otherwise where they are added up first.
            let threshold = method == Method::Cubic && min_valid > 0.0 && min_valid < 1.0;
            if threshold && cell.is_nan() != point.is_nan() {
                continue;
            }
            prop_assert_eq!(cell.is_nan(), point.is_nan(), "{}: {} {}", at, cell, point);
            prop_assert!(cell.is_nan() || (cell - point).abs() < 1e-9 * (1.0 + cell.abs()), "{at}: {cell} {point}");
        }
    }
}

#[test]
fn the_mean_at_a_pole_is_of_what_is_valid_if_that_is_enough() {
    let source = Grid::global(30.0).unwrap();
    let (rows, columns) = source.shape();
    let mut field = vec![1.0; rows * columns];
    let last = (rows - 1) * columns;
    field[last..last + 3].copy_from_slice(&[f64::NAN; 3]); // a quarter of the northern row
    field[last + 3] = 10.0;
    let pole = Grid::from_axes([90.0], [0.0]).unwrap();
    let at = |min_valid: f64| {
        let regridder = Regridder::new(&source, &pole, Method::Linear).unwrap();
        let regridder = regridder.min_valid(min_valid).unwrap();
        let mut result = [0.0];
        regridder.apply_to(&field, &mut result).unwrap();
        result[0]
    };
    assert!((at(0.0) - 2.0).abs() < 1e-12);
    assert!((at(0.75) - 2.0).abs() < 1e-12);
    assert!(at(0.76).is_nan() && at(1.0).is_nan());
}
