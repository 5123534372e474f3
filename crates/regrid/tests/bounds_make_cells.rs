//! Bounds that make no cells are refused where a method needs cells, and do not matter where none does.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Axis, Layout, regrid};
use regrid::{Error, Grid, Method, Request};

fn layout(bounds: [[f64; 2]; 3]) -> Layout {
    Layout::Rectilinear {
        latitudes: Axis {
            centres: vec![0.0, 10.0, 20.0],
            bounds: Some(bounds.to_vec()),
        },
        longitudes: Axis {
            centres: vec![0.0, 10.0],
            bounds: None,
        },
    }
}

#[test]
fn overlapping_bounds_are_refused_by_methods_that_need_cells() {
    let layout = layout([[-5.0, 5.0], [5.0, 19.0], [15.0, 25.0]]);
    let source = layout.catalogue(vec![1.0; 6]);
    let target = Grid::regular(0.0..=20.0, 5.0, 0.0..=10.0, 5.0).unwrap();
    let refused = |method, target: &Grid| {
        let error = regrid(&source, &Request::new(target).method(method)).err();
        error.map(|error| error.to_string())
    };
    for method in [
        Method::AreaWeighted,
        Method::SecondOrderConservative,
        Method::Mode,
    ] {
        let reason = refused(method, &target).unwrap();
        assert!(
            reason.starts_with("the source grid's latitude bounds 5 to 19 (index 1) overlap"),
            "{reason}"
        );
    }
    for method in [Method::Linear, Method::InverseDistance, Method::Mean] {
        assert_eq!(refused(method, &target), None);
    }
    let reason = refused(Method::Mean, &layout.grid()).unwrap();
    assert!(reason.starts_with("the target grid's latitude"), "{reason}");
}

#[test]
fn a_gap_between_bounds_is_outside() {
    let source = layout([[-5.0, 5.0], [5.0, 11.0], [15.0, 25.0]]).catalogue(vec![1.0; 6]);
    let onto = |min_valid| {
        let target = layout([[-5.0, 5.0], [5.0, 15.0], [15.0, 25.0]]).grid();
        let request = Request::new(&target)
            .method(Method::AreaWeighted)
            .min_valid(min_valid);
        regrid(&source, &request).unwrap()
    };
    assert_eq!(onto(0.5), [1.0; 6]);
    assert!(onto(0.7)[2].is_nan() && onto(0.7)[4] == 1.0);
}

#[test]
fn bounds_elsewhere_say_whose_they_are() {
    let source = layout([[25.0, 35.0], [35.0, 45.0], [45.0, 55.0]]).catalogue(vec![1.0; 6]);
    let target = Grid::global(10.0).unwrap();
    let error = regrid(&source, &Request::new(&target).method(Method::AreaWeighted)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Bounds {
                grid: "source",
                index: 0,
                ..
            }
        ),
        "{error}"
    );
}
