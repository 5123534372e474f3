//! Statistics are those of the source centres in each target cell, found one by one.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{any_layout, rectilinear, regrid, values};
use proptest::prelude::*;
use regrid::{Error, Grid, Method, Request};

/// The centres within each cell of rows and columns: a centre on the side of two belongs to the northern, the eastern one.
fn members(source: &Grid, target: &Grid) -> Vec<Vec<usize>> {
    const ON_SIDE: f64 = 1e-9;
    let (latitudes, longitudes) = target.axes().unwrap();
    let ordered = |bounds: Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        bounds.iter().map(|&[a, b]| [a.min(b), a.max(b)]).collect()
    };
    let (rows, columns) = (
        ordered(latitudes.cell_bounds()),
        ordered(longitudes.cell_bounds()),
    );
    let mut members = vec![Vec::new(); rows.len() * columns.len()];
    for (i, (latitude, longitude)) in source.centres().into_iter().enumerate() {
        let row = (0..rows.len())
            .filter(|&r| rows[r][0] - ON_SIDE <= latitude && latitude <= rows[r][1] + ON_SIDE)
            .max_by(|&a, &b| rows[a][0].total_cmp(&rows[b][0]));
        let from_west = |c: usize| (longitude - columns[c][0] + ON_SIDE).rem_euclid(360.0);
        let column = (0..columns.len())
            .filter(|&c| from_west(c) <= columns[c][1] - columns[c][0] + 2.0 * ON_SIDE)
            .min_by(|&a, &b| from_west(a).total_cmp(&from_west(b)));
        if let (Some(row), Some(column)) = (row, column) {
            members[row * columns.len() + column].push(i);
        }
    }
    members
}

fn statistic(method: Method, mut values: Vec<f64>) -> f64 {
    let n = values.len();
    values.sort_by(f64::total_cmp);
    match method {
        Method::Count => n as f64,
        _ if n == 0 => f64::NAN,
        Method::Mean => values.iter().sum::<f64>() / n as f64,
        Method::Sum => values.iter().sum(),
        Method::Min => values[0],
        Method::Max => values[n - 1],
        Method::Median => (values[n / 2] + values[(n - 1) / 2]) / 2.0,
        other => panic!("{other:?} is no statistic of points"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn of_points_in_rows_and_columns(
        source in any_layout(),
        target in rectilinear(),
        method in prop::sample::select(vec![
            Method::Mean, Method::Sum, Method::Count, Method::Min, Method::Max, Method::Median,
        ]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), Just(0.5), 0.0..1.0f64],
        missing in prop::sample::select(vec![0.0, 0.3]),
        seed in any::<u64>(),
    ) {
        let before = values(source.cells(), seed, missing);
        let target = target.grid();
        let request = Request::new(&target).method(method).min_valid(min_valid);
        let got = match regrid(&source.catalogue(before.clone()), &request) {
            Err(Error::Combination { .. }) => return Ok(()),
            got => got.unwrap(),
        };
        for (cell, members) in members(&source.grid(), &target).into_iter().enumerate() {
            let all = members.len();
            let valid: Vec<f64> = members.into_iter().map(|i| before[i]).filter(|x| !x.is_nan()).collect();
            let share = valid.len() as f64 / all as f64;
            let kept = method == Method::Count || share >= min_valid - 1e-10;
            let expected = if kept { statistic(method, valid) } else { f64::NAN };
            let same = (got[cell] - expected).abs() <= 1e-12 * expected.abs() || got[cell].is_nan() && expected.is_nan();
            prop_assert!(same, "cell {cell}: {} instead of {expected}", got[cell]);
        }
    }
}
