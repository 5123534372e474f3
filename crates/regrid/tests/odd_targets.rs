//! Targets that lie elsewhere, or that are too many, are never met in silence.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Axis, Layout, catalogue, doubles, regrid};
use regrid::time::TimeMethod;
use regrid::{Error, Fill, Grid, Method, Request};
use sources::MemoryFile;

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
fn chunks_elsewhere_are_missing_at_times_in_between_too() {
    let values: Vec<f64> = (0..8).map(f64::from).collect();
    let file = MemoryFile::new("a.nc")
        .with_axis("time", "hours since 2000-01-01", &[0.0, 1.0])
        .with_axis("latitude", "degrees_north", &[30.0, 40.0])
        .with_axis("longitude", "degrees_east", &[30.0, 40.0])
        .with(
            "t",
            &["time", "latitude", "longitude"],
            doubles(&[2, 2, 2], values),
            None,
            &[],
        );
    let source = catalogue(file);
    let target = Grid::global(10.0).unwrap();
    for method in [
        Method::Nearest,
        Method::Linear,
        Method::Cubic,
        Method::AreaWeighted,
        Method::SecondOrderConservative,
        Method::InverseDistance,
        Method::Mean,
        Method::Min,
        Method::Max,
        Method::Median,
        Method::Mode,
        Method::Sum,
        Method::Count,
    ] {
        // The first rows of chunks lie south of the source.
        let request = Request::new(&target)
            .method(method)
            .chunk(3, 36)
            .report(true);
        let at = |times: &str| {
            let times = times.parse().unwrap();
            let request = request.clone().times(times);
            regrid(&source, &request.time_method(TimeMethod::Linear)).unwrap()
        };
        let [before, between, after] =
            ["2000-01-01T00:00", "2000-01-01T00:30", "2000-01-01T01:00"].map(at);
        let (elsewhere, there) = between.split_at(9 * 36);
        let nothing = |x: &f64| x.is_nan() || (method == Method::Count && *x == 0.0);
        assert!(elsewhere.iter().all(nothing), "{method:?}");
        assert!(there.iter().any(|x| !nothing(x)), "{method:?}");
        for ((a, x), b) in before.iter().zip(&between).zip(&after) {
            assert!(
                (x - (a + b) / 2.0).abs() < 1e-9 || (x.is_nan() && a.is_nan() && b.is_nan()),
                "{method:?}: {a} {x} {b}"
            );
        }
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
