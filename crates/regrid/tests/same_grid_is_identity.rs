//! Onto the grid it is on, a field stays what it is.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Layout, any_layout, regrid, values};
use proptest::prelude::*;
use regrid::{Error, Grid, Method, Regridder, Request};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_field_stays_what_it_is(
        layout in any_layout(),
        method in prop::sample::select(vec![
            Method::Linear, Method::Nearest, Method::Cubic, Method::InverseDistance, Method::AreaWeighted, Method::Mode,
            Method::Mean, Method::Sum, Method::Min, Method::Max, Method::Median,
        ]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64],
        missing in prop::sample::select(vec![0.0, 0.3]),
        seed in any::<u64>(),
    ) {
        // Of a coarse mesh the cells drawn round its centres overlap, or miss them.
        prop_assume!(!(method.needs_cells() && matches!(layout, Layout::Curvilinear { corners: None, .. })));
        let before = values(layout.cells(), seed, missing);
        let request = Request::new(&layout.grid()).method(method).min_valid(min_valid);
        let after = match regrid(&layout.catalogue(before.clone()), &request) {
            Err(Error::Combination { .. }) => return Ok(()),
            after => after.unwrap(),
        };
        // What two polygons share is found by cutting one with the other: exact but for the rounding of their corners.
        let by_polygons = matches!(layout, Layout::Curvilinear { .. } | Layout::Projected { .. })
            && method == Method::AreaWeighted;
        let slack = if by_polygons { 1e-9 } else { 1e-13 };
        for (i, (x, y)) in before.iter().zip(&after).enumerate() {
            prop_assert_eq!(x.is_nan(), y.is_nan(), "cell {}: {} {}", i, x, y);
            prop_assert!(x.is_nan() || (x - y).abs() <= slack * x, "cell {i}: {x} {y}");
        }
    }
}

#[test]
fn every_cell_of_a_tripolar_grid_keeps_its_value() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/orca2_votemper.nc");
    let grid = Grid::like(path).unwrap();
    let file = netcdf::open(path).unwrap();
    let fill = 1e19_f32;
    let field = file.variable("votemper").unwrap().get_values::<f32, _>(..);
    let field: Vec<f32> = field
        .unwrap()
        .into_iter()
        .map(|x| if x.abs() > fill { f32::NAN } else { x })
        .collect();
    let missing = field.iter().filter(|x| x.is_nan()).count();
    assert!(missing > 1000 && missing < field.len() / 2, "{missing}");
    for method in [Method::Linear, Method::Nearest, Method::InverseDistance] {
        let mut after = vec![0.0; field.len()];
        let regridder = Regridder::new(&grid, &grid, method)
            .unwrap()
            .min_valid(1.0)
            .unwrap();
        regridder.apply_to(&field, &mut after).unwrap();
        for (at, (x, y)) in field.iter().zip(&after).enumerate() {
            assert!(
                x == y || x.is_nan() && y.is_nan(),
                "{} of cell {at}: {x} {y}",
                method.name()
            );
        }
    }
}
