//! Targets that lie elsewhere, or that are too many, are never met in silence.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Axis, Layout};
use regrid::{Error, Fill, Grid, Method, Request};

fn region() -> Layout {
    let axis = |centres: &[f64]| Axis {
        centres: centres.to_vec(),
        bounds: None,
    };
    Layout::Rectilinear {
        latitudes: axis(&[0.0, 10.0]),
        longitudes: axis(&[0.0, 10.0]),
    }
}

#[test]
fn a_target_elsewhere_is_noted() {
    let source = region().catalogue(vec![1.0; 4]);
    let notes = |target: Grid, method| {
        let fields = Request::new(&target).method(method).build(&source).unwrap();
        fields[0].notes().to_vec()
    };
    let elsewhere = || Grid::regular(50.0..=60.0, 1.0, 0.0..=10.0, 1.0).unwrap();
    for method in [
        Method::Linear,
        Method::AreaWeighted,
        Method::InverseDistance,
    ] {
        let said = notes(elsewhere(), method);
        assert!(
            said.len() == 1 && said[0].contains("t has no value"),
            "{said:?}"
        );
        let said = notes(Grid::global(5.0).unwrap(), method);
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn more_cells_than_weights_can_be_kept_of_are_refused() {
    let source = region().catalogue(vec![1.0; 4]);
    let huge = Grid::global(0.01).unwrap();
    let refused = |request: Request| {
        let error = request.build(&source).map(|_| ()).unwrap_err();
        assert!(
            matches!(
                error,
                Error::TooManyCells {
                    which: "target",
                    ..
                }
            ),
            "{error}"
        );
    };
    refused(Request::new(&huge).method(Method::InverseDistance));
    refused(Request::new(&huge).fill(Fill::InverseDistance));
    // By rows and columns there is no such limit.
    assert!(Request::new(&huge).build(&source).is_ok());
}
