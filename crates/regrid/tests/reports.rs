//! A report says what a look at all cells of source and result says, and costs no second look at the source.

mod sources;

use std::collections::HashSet;
use std::sync::Arc;

use delayed::Run;
use ndarray::{ArrayD, IxDyn};
use regrid::{
    AttributeValue, Catalogue, Error, Field, Grid, Method, Report, Request, SourceFile, Values,
    Write,
};
use sources::{MemoryFile, steps};

const ROWS: usize = 9;
const COLUMNS: usize = 12;
const STEPS: usize = 5;

/// Values without a pattern, some of them missing.
fn noise(step: usize, row: usize, column: usize) -> f64 {
    let seed = (step * 131 + row * 17 + column * 7 + 3) as u64;
    let mixed = seed.wrapping_mul(6_364_136_223_846_793_005) >> 33;
    if mixed.is_multiple_of(11) {
        f64::NAN
    } else {
        (mixed % 1000) as f64 / 50.0 - 10.0
    }
}

/// Longitude first in the file, to tell dimensions apart.
fn source() -> (Catalogue, Arc<MemoryFile>) {
    let values = ArrayD::from_shape_fn(IxDyn(&[COLUMNS, STEPS, ROWS]), |at| {
        noise(at[1], at[2], at[0])
    });
    let file = MemoryFile::new("a.nc")
        .with_axis("time", "hours since 2000-01-01", &steps(0.0, 6.0, STEPS))
        .with_axis("lat", "degrees_north", &steps(40.0, -2.0, ROWS))
        .with_axis("lon", "degrees_east", &steps(10.0, 2.0, COLUMNS))
        .with(
            "t",
            &["lon", "time", "lat"],
            Values::F64(values),
            Some(&[5, 1, 4]),
            &[],
        );
    let file = Arc::new(file);
    let files = vec![file.clone() as Arc<dyn SourceFile>];
    (Catalogue::from_files(files).unwrap(), file)
}

/// Partly beyond the source.
fn target() -> Grid {
    Grid::regular(21.0..=39.0, 3.0, 6.0..=30.0, 3.0).unwrap()
}

fn request(method: Method) -> Request {
    Request::new(&target()).method(method).report(true)
}

fn reported(request: &Request, run: &Run) -> (Field, Report) {
    let (catalogue, _) = source();
    let fields = request.build(&catalogue).unwrap();
    let report = fields[0].report().expect("it was asked for");
    let whole = fields[0].whole();
    run.compute((&whole, report)).unwrap()
}

/// Intervals of cells of a width.
fn cells(centres: &[f64], width: f64) -> Vec<[f64; 2]> {
    let bounds = |&x: &f64| [x - width / 2.0, x + width / 2.0];
    centres.iter().map(bounds).collect()
}

/// The overlap of two intervals by a measure.
fn shared(a: [f64; 2], b: [f64; 2], measure: impl Fn(f64) -> f64) -> f64 {
    let (low, high) = (a[0].max(b[0]), a[1].min(b[1]));
    if high > low {
        measure(high) - measure(low)
    } else {
        0.0
    }
}

#[test]
fn a_report_is_what_a_look_at_all_cells_says() {
    let sine = |y: f64| y.to_radians().sin();
    let (rows, columns) = (
        cells(&steps(40.0, -2.0, ROWS), 2.0),
        cells(&steps(10.0, 2.0, COLUMNS), 2.0),
    );
    let grid = target();
    let (latitudes, longitudes) = grid.axes().unwrap();
    let (target_rows, target_columns) = (
        cells(latitudes.centres(), 3.0),
        cells(longitudes.centres(), 3.0),
    );
    for method in [
        Method::Linear,
        Method::Nearest,
        Method::Cubic,
        Method::InverseDistance,
        Method::AreaWeighted,
        Method::SecondOrderConservative,
        Method::Max,
    ] {
        let (field, report) = reported(&request(method), &Run::new());
        let values = field.values.as_array::<f64>().unwrap();
        let (mut before, mut after, mut area, mut whole) = (0.0, 0.0, 0.0, 0.0);
        let (mut missing, mut absent) = (0, 0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for step in 0..STEPS {
            for (i, &y) in target_rows.iter().enumerate() {
                for (j, &x) in target_columns.iter().enumerate() {
                    let value = values[[j, step, i]];
                    absent += u64::from(value.is_nan());
                    whole += (sine(y[1]) - sine(y[0])) * (x[1] - x[0]).to_radians();
                    for (r, &row) in rows.iter().enumerate() {
                        for (c, &column) in columns.iter().enumerate() {
                            let common = shared(y, row, sine) * shared(x, column, f64::to_radians);
                            let own = noise(step, r, c);
                            if common > 0.0 && !own.is_nan() && !value.is_nan() {
                                before += common * own;
                                after += common * value;
                                area += common;
                            }
                        }
                    }
                }
            }
            for (r, &row) in rows.iter().enumerate() {
                for c in 0..COLUMNS {
                    let reached = |&y: &[f64; 2]| shared(y, row, sine) > 0.0;
                    if target_rows.iter().any(reached) {
                        let own = noise(step, r, c);
                        missing += u64::from(own.is_nan());
                        low = low.min(own);
                        high = high.max(own);
                    }
                }
            }
        }
        let name = method.name();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{name}: {a} for {b}");
        let integral = report.integral.unwrap();
        near(integral.source, before);
        near(integral.target, after);
        near(integral.area, area);
        near(integral.covered, area / whole);
        near(
            integral.relative_error(),
            (after - before).abs() / integral.magnitude,
        );
        assert_eq!(
            (report.source.missing, report.target.missing),
            (missing, absent),
            "{name}"
        );
        assert_eq!(
            (report.source.min, report.source.max),
            (low, high),
            "{name}"
        );
        let expected = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(report.target.min, expected, "{name}");
        assert_eq!(report.target.cells, values.len() as u64);
        // The slope of a source cell that is covered in part gives that part more or less than its mean.
        if method == Method::AreaWeighted {
            assert!(integral.relative_error() < 1e-15, "{name}: {integral:?}");
        }
    }
}

#[test]
fn threads_change_nothing_and_chunks_only_the_rounding() {
    let request = request(Method::Linear);
    let (_, one) = reported(&request, &Run::new().threads(1));
    let (_, four) = reported(&request, &Run::new().threads(4));
    assert_eq!(one, four);
    let (_, cut) = reported(&request.chunk(2, 3), &Run::new().threads(3));
    assert_eq!((cut.source, cut.target), (one.source, one.target));
    let (a, b) = (cut.integral.unwrap(), one.integral.unwrap());
    assert!((a.source - b.source).abs() < 1e-14 && (a.area - b.area).abs() < 1e-14);
}

/// Nearest looks at few of the cells that its targets overlap: those between are read for the report, and none twice.
#[test]
fn nothing_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    for (method, chunk) in [(Method::Nearest, (2, 3)), (Method::AreaWeighted, (7, 9))] {
        let (catalogue, file) = source();
        let request = request(method).chunk(chunk.0, chunk.1);
        let fields = request.build(&catalogue).unwrap();
        let output = folder.path().join(format!("{}.nc", method.name()));
        let planned = Write::new(output).plan(&fields).unwrap();
        let reports = planned.run_and_report(&Run::new(), |_| ()).unwrap();
        assert_eq!(reports.len(), 1);
        let reads = file.reads.lock().unwrap();
        let reads = reads.iter().filter(|(name, _)| name == "t");
        let mut cells = HashSet::new();
        for (_, region) in reads {
            let ranges = region.ranges();
            for x in ranges[0].clone() {
                for t in ranges[1].clone() {
                    for y in ranges[2].clone() {
                        assert!(cells.insert((x, t, y)), "{x} {t} {y} is read twice");
                    }
                }
            }
        }
        assert!(!cells.is_empty());
    }
}

#[test]
fn integers_are_compared_too() {
    let kinds = ArrayD::from_shape_fn(IxDyn(&[4, 6]), |at| [7_i16, -9, 2][(at[0] + at[1]) % 3]);
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &steps(0.0, 1.0, 4))
        .with_axis("lon", "degrees_east", &steps(0.0, 1.0, 6))
        .with(
            "kind",
            &["lat", "lon"],
            Values::I16(kinds),
            None,
            &[("_FillValue", AttributeValue::I16(vec![-9]))],
        );
    let catalogue = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap();
    let target = Grid::regular(0.0..=3.0, 1.0, 0.0..=5.0, 1.0).unwrap();
    let request = Request::new(&target).method(Method::Nearest).report(true);
    let fields = request.build(&catalogue).unwrap();
    let report = fields[0].report().unwrap().compute().unwrap();
    assert_eq!(report.source, report.target);
    assert_eq!(
        (report.source.missing, report.source.min, report.source.max),
        (8, 2.0, 7.0)
    );
    assert_eq!(report.integral.unwrap().relative_error(), 0.0);
}

/// Round the globe, the last column the first one again or not; onto cells that lie in no rows and columns, across both.
#[test]
fn a_column_that_repeats_the_first_counts_once() {
    let report = |columns: usize, method: Method| {
        let values =
            ArrayD::from_shape_fn(IxDyn(&[ROWS, columns]), |at| noise(0, at[0], at[1] % 36));
        let file = MemoryFile::new("a.nc")
            .with_axis("lat", "degrees_north", &steps(-40.0, 10.0, ROWS))
            .with_axis("lon", "degrees_east", &steps(0.0, 10.0, columns))
            .with("t", &["lat", "lon"], Values::F64(values), None, &[]);
        let files = vec![Arc::new(file) as Arc<dyn SourceFile>];
        let catalogue = Catalogue::from_files(files).unwrap();
        let cells = (0..80).map(|i| (f64::from(i / 8), f64::from(i % 8)));
        let turned = cells.map(|(y, x)| (4.0 * y + x - 20.0, 4.0 * x - 0.5 * y - 15.0));
        let (latitudes, longitudes) = turned.unzip();
        let target = Grid::curvilinear((10, 8), latitudes, longitudes, None).unwrap();
        let request = Request::new(&target).method(method).report(true);
        let fields = request.build(&catalogue).unwrap();
        fields[0].report().unwrap().compute().unwrap()
    };
    for method in [Method::AreaWeighted, Method::Linear, Method::Mean] {
        let (once, again) = (report(36, method), report(37, method));
        assert_eq!(once.source, again.source, "{method:?}");
        assert!(once.source.cells > 15 && once.source.missing > 0);
        let [a, b] = [&once, &again].map(|report| report.integral.unwrap());
        assert!((a.source - b.source).abs() < 1e-12 * a.magnitude);
        assert!((a.area - b.area).abs() < 1e-12);
    }
}

#[test]
fn points_have_no_integral_to_judge() {
    let (catalogue, _) = source();
    let towns = Grid::points([30.0, 35.0], [15.0, 20.0]).unwrap();
    let fields = Request::new(&towns).report(true).build(&catalogue).unwrap();
    let report = fields[0].report().unwrap().compute().unwrap();
    assert_eq!((report.integral, report.target.cells), (None, 10));
    let folder = tempfile::tempdir().unwrap();
    let write = |fields: &[_]| {
        Write::new(folder.path().join("a.nc"))
            .max_error(1e-6)
            .plan(fields)
    };
    let refused = |fields: &[_], what: &str| match write(fields) {
        Err(error @ Error::NoIntegral { .. }) => {
            assert!(error.to_string().contains(what), "{error}")
        }
        other => panic!("{other:?}"),
    };
    refused(&fields, "no area");
    let counted = Request::new(&target()).method(Method::Count).report(true);
    refused(&counted.build(&catalogue).unwrap(), "sums or counts");
    refused(
        &Request::new(&target()).build(&catalogue).unwrap(),
        "no report",
    );
}

#[test]
fn an_integral_that_is_not_kept_leaves_no_output() {
    let (catalogue, _) = source();
    let folder = tempfile::tempdir().unwrap();
    let run = |method, most: f64| {
        let fields = request(method).build(&catalogue).unwrap();
        let write = Write::new(folder.path().join(method.name())).max_error(most);
        write.plan(&fields).unwrap().run(&Run::new())
    };
    let error = run(Method::Linear, 1e-9).unwrap_err();
    assert!(
        matches!(&error, Error::Conservation { variable, most, .. } if variable == "t" && *most == 1e-9)
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    run(Method::AreaWeighted, 1e-14).unwrap();
    run(Method::Linear, 1.0).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
