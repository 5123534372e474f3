//! The conservative methods keep the area integral of what is valid.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Layout, globe, mesh_globe, regrid, values};
use proptest::prelude::*;
use regrid::{Grid, Method, Request};

/// The areas of the cells of rows and columns, on the unit sphere.
fn areas(grid: &Grid) -> Vec<f64> {
    let (latitudes, longitudes) = grid.axes().unwrap();
    let heights = latitudes.cell_bounds().into_iter().map(|[a, b]| {
        let (a, b) = (a.to_radians(), b.to_radians());
        // The difference of the sines, without losing digits of thin cells.
        (2.0 * ((a + b) / 2.0).cos() * ((b - a) / 2.0).sin()).abs()
    });
    let widths = longitudes.cell_bounds();
    heights
        .flat_map(|height| {
            widths
                .iter()
                .map(move |[a, b]| height * (b - a).to_radians().abs())
        })
        .collect()
}

/// The areas of cells with four corners between great circles.
fn polygon_areas(mesh: &Layout) -> Vec<f64> {
    let Layout::Curvilinear {
        corners: Some([latitudes, longitudes]),
        ..
    } = mesh
    else {
        unreachable!("only meshes with corners are asked for")
    };
    let point = |(lat, lon): (&f64, &f64)| {
        let ((sin, cos), (sin_lon, cos_lon)) =
            (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
        [cos * cos_lon, cos * sin_lon, sin]
    };
    let corners: Vec<[f64; 3]> = latitudes.iter().zip(longitudes).map(point).collect();
    corners
        .chunks_exact(4)
        .map(|c| (triangle(c[0], c[1], c[2]) + triangle(c[0], c[2], c[3])).abs())
        .collect()
}

/// The signed area of a triangle on the unit sphere: Van Oosterom and Strackee (1983), IEEE Trans. Biomed. Eng. 30, 125.
fn triangle(a: [f64; 3], b: [f64; 3], c: [f64; 3]) -> f64 {
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let cross = [
        b[1] * c[2] - b[2] * c[1],
        b[2] * c[0] - b[0] * c[2],
        b[0] * c[1] - b[1] * c[0],
    ];
    2.0 * dot(a, cross).atan2(1.0 + dot(a, b) + dot(b, c) + dot(c, a))
}

fn integral(areas: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    areas.iter().zip(values).map(|(a, x)| a * x).sum()
}

/// The integrals over what is valid before and after; a target's coverage is the mean of the indicator.
fn integrals(source: &Layout, target: &Layout, method: Method, before: &[f64]) -> [f64; 2] {
    let (from, to) = (source.grid(), target.grid());
    let request = Request::new(&to).method(method);
    let after = regrid(&source.catalogue(before.to_vec()), &request).unwrap();
    let valid = before.iter().map(|x| f64::from(!x.is_nan()));
    let coverage = regrid(
        &source.catalogue(valid.collect()),
        &Request::new(&to).method(Method::AreaWeighted),
    )
    .unwrap();
    let something = |x: f64| if x.is_nan() { 0.0 } else { x };
    [
        integral(&areas(&from), before.iter().map(|&x| something(x))),
        integral(
            &areas(&to),
            after.iter().zip(&coverage).map(|(&x, &c)| something(x) * c),
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn rows_and_columns_onto_others(
        source in globe(),
        target in globe(),
        missing in prop::sample::select(vec![0.0, 0.2]),
        seed in any::<u64>(),
    ) {
        let before = values(source.cells(), seed, missing);
        let [before, after] = integrals(&source, &target, Method::AreaWeighted, &before);
        prop_assert!((after - before).abs() <= 1e-12 * before, "{before} {after}");
    }

    #[test]
    fn second_order_too(source in globe(), target in globe(), seed in any::<u64>()) {
        let before = values(source.cells(), seed, 0.0);
        let [before, after] = integrals(&source, &target, Method::SecondOrderConservative, &before);
        prop_assert!((after - before).abs() <= 1e-12 * before, "{before} {after}");
    }

    #[test]
    fn cells_between_great_circles_onto_rows_and_columns(
        source in mesh_globe(),
        target in globe(),
        method in prop::sample::select(vec![Method::AreaWeighted, Method::SecondOrderConservative]),
        seed in any::<u64>(),
    ) {
        let before = values(source.cells(), seed, 0.0);
        let request = Request::new(&target.grid()).method(method);
        let after = regrid(&source.catalogue(before.clone()), &request).unwrap();
        let before = integral(&polygon_areas(&source), before.into_iter());
        let after = integral(&areas(&target.grid()), after.into_iter());
        prop_assert!((after - before).abs() <= 1e-12 * before, "{before} {after}");
    }
}
