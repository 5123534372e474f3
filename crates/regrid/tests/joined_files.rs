//! The files of one variable join along time, or say why they do not.

mod sources;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::time::TimeMethod;
use regrid::{AttributeValue, Catalogue, Error, Field, Grid, Method, Request, SourceFile, Values};
use sources::{MemoryFile, steps};

/// A file of steps at some hours since a date, every value the hour since 2000-01-01.
fn hours(path: &str, since: &str, late: f64, hours: &[f64]) -> MemoryFile {
    let values = hours.iter().flat_map(|&h| [(h + late) as f32; 6]).collect();
    let values = ArrayD::from_shape_vec(IxDyn(&[hours.len(), 2, 3]), values).unwrap();
    axes(MemoryFile::new(path))
        .with_axis("time", &format!("hours since {since}"), hours)
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(values),
            None,
            &[("units", "K".into())],
        )
}

fn axes(file: MemoryFile) -> MemoryFile {
    file.with_axis("lat", "degrees_north", &[0.0, 10.0])
        .with_axis("lon", "degrees_east", &[0.0, 10.0, 20.0])
}

fn catalogue(files: Vec<MemoryFile>) -> Catalogue {
    let files = files
        .into_iter()
        .map(|file| Arc::new(file) as Arc<dyn SourceFile>)
        .collect();
    Catalogue::from_files(files).unwrap()
}

fn target() -> Grid {
    Grid::from_axes([5.0], [5.0, 15.0]).unwrap()
}

fn compute(request: &Request, catalogue: &Catalogue) -> Result<Field, Error> {
    request.build(catalogue)?[0].compute()
}

/// The field's value at each step, where all its points are the same.
fn per_step(field: &Field) -> Vec<f32> {
    let Values::F32(values) = &field.values else {
        panic!("{:?}", field.values.data_type())
    };
    values.outer_iter().map(|step| step[[0, 0]]).collect()
}

fn times(field: &Field) -> Vec<f64> {
    field
        .meta
        .companion("time")
        .unwrap()
        .values
        .to_f64()
        .unwrap()
        .into_raw_vec_and_offset()
        .0
}

#[test]
fn steps_are_in_order_of_time_whatever_the_order_of_files() {
    let files = vec![
        hours("b.nc", "2000-01-01 12:00", 12.0, &[0.0, 24.0]),
        hours("a.nc", "2000-01-01", 0.0, &[0.0, 24.0, 48.0]),
    ];
    let field = compute(&Request::new(&target()), &catalogue(files)).unwrap();
    assert_eq!(per_step(&field), [0.0, 12.0, 24.0, 36.0, 48.0]);
    // Counted as the first file counts.
    assert_eq!(times(&field), [-12.0, 0.0, 12.0, 24.0, 36.0]);
}

#[test]
fn times_are_interpolated_across_files() {
    let files = vec![
        hours("a.nc", "2000-01-01", 0.0, &[0.0, 6.0]),
        hours("b.nc", "2000-01-01", 0.0, &[12.0, 18.0]),
    ];
    let request = Request::new(&target())
        .times("2000-01-01T09:00,2000-01-01T12:00".parse().unwrap())
        .time_method(TimeMethod::Linear);
    assert_eq!(
        per_step(&compute(&request, &catalogue(files)).unwrap()),
        [9.0, 12.0]
    );
}

#[test]
fn one_time_in_two_files_is_refused_by_name() {
    let files = vec![
        hours("a.nc", "2000-01-01", 0.0, &[0.0, 6.0]),
        hours("b.nc", "2000-01-01", 0.0, &[6.0, 12.0]),
    ];
    let error = compute(&Request::new(&target()), &catalogue(files))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "variable t: a.nc and b.nc do not join along time: both hold 2000-01-01T06:00:00"
    );
}

#[test]
fn files_that_do_not_join_hurt_only_their_own_variable() {
    let other_grid = MemoryFile::new("b.nc")
        .with_axis("lat", "degrees_north", &[0.0, 20.0])
        .with_axis("lon", "degrees_east", &[0.0, 10.0, 20.0])
        .with_axis("time", "hours since 2000-01-01", &[6.0])
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(ArrayD::zeros(IxDyn(&[1, 2, 3]))),
            None,
            &[("units", "K".into())],
        )
        .with(
            "u",
            &["time", "lat", "lon"],
            Values::F32(ArrayD::ones(IxDyn(&[1, 2, 3]))),
            None,
            &[],
        );
    let catalogue = catalogue(vec![hours("a.nc", "2000-01-01", 0.0, &[0.0]), other_grid]);
    let error = compute(&Request::new(&target()), &catalogue)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.nc and b.nc") && error.contains("grids differ"),
        "{error}"
    );
    let field = compute(&Request::new(&target()).params(["u"]), &catalogue).unwrap();
    assert_eq!(per_step(&field), [1.0]);
}

#[test]
fn a_file_that_has_the_variable_off_the_grid_is_not_lost() {
    let first = hours("a.nc", "2000-01-01", 0.0, &[0.0]);
    let bad_axis = MemoryFile::new("b.nc")
        .with_axis("lat", "degrees_north", &[0.0, 100.0])
        .with_axis("lon", "degrees_east", &[0.0, 10.0, 20.0])
        .with_axis("time", "hours since 2000-01-01", &[6.0])
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(ArrayD::zeros(IxDyn(&[1, 2, 3]))),
            None,
            &[],
        );
    let off_grid = MemoryFile::new("c.nc")
        .with_axis("time", "hours since 2000-01-01", &[12.0])
        .with(
            "t",
            &["time", "y", "x"],
            Values::F32(ArrayD::zeros(IxDyn(&[1, 2, 3]))),
            None,
            &[],
        );
    for (second, name) in [(bad_axis, "b.nc"), (off_grid, "c.nc")] {
        let first = hours("a.nc", "2000-01-01", 0.0, &[0.0]);
        let catalogue = catalogue(vec![first, second]);
        for request in [
            Request::new(&target()),
            Request::new(&target()).params(["t"]),
        ] {
            let error = compute(&request, &catalogue).unwrap_err().to_string();
            assert!(error.contains("a.nc") && error.contains(name), "{error}");
        }
    }
    assert!(compute(&Request::new(&target()), &catalogue(vec![first])).is_ok());
}

#[test]
fn flags_are_left_out_of_averages_unless_they_are_all_there_is() {
    let flags = |file: MemoryFile| {
        let values = Values::I8(ArrayD::zeros(IxDyn(&[2, 3])));
        file.with(
            "mask",
            &["lat", "lon"],
            values,
            None,
            &[("flag_values", AttributeValue::I8(vec![0, 1]))],
        )
    };
    let both = catalogue(vec![flags(hours("a.nc", "2000-01-01", 0.0, &[0.0]))]);
    let fields = Request::new(&target()).build(&both).unwrap();
    assert_eq!(fields.len(), 1);
    assert!(
        fields[0].notes()[0].starts_with("mask is left out"),
        "{:?}",
        fields[0].notes()
    );
    assert!(
        Request::new(&target())
            .params(["mask"])
            .build(&both)
            .is_err()
    );
    assert_eq!(
        Request::new(&target())
            .method(Method::Nearest)
            .build(&both)
            .unwrap()
            .len(),
        2
    );
    let alone = catalogue(vec![flags(axes(MemoryFile::new("a.nc")))]);
    assert!(matches!(
        Request::new(&target()).build(&alone),
        Err(Error::NotRegriddable { .. })
    ));
}

#[test]
fn scalar_times_are_stacked() {
    let one = |path: &str, hour: f64| {
        let values = Values::F32(ArrayD::from_elem(IxDyn(&[2, 3]), hour as f32));
        let scalar = |x: f64| Values::F64(ArrayD::from_elem(IxDyn(&[]), x));
        axes(MemoryFile::new(path))
            .with(
                "time",
                &[],
                scalar(hour),
                None,
                &[("units", "hours since 2000-01-01".into())],
            )
            .with(
                "run",
                &[],
                scalar(hour - 1.0),
                None,
                &[("units", "1".into())],
            )
            .with("height", &[], scalar(2.0), None, &[("units", "m".into())])
            .with(
                "t",
                &["lat", "lon"],
                values,
                None,
                &[("coordinates", "time run height".into())],
            )
    };
    let field = compute(
        &Request::new(&target()),
        &catalogue(vec![one("b.nc", 6.0), one("a.nc", 0.0), one("c.nc", 9.0)]),
    )
    .unwrap();
    assert_eq!(field.meta.shape(), [3, 1, 2]);
    assert_eq!(per_step(&field), [0.0, 6.0, 9.0]);
    assert_eq!(times(&field), [0.0, 6.0, 9.0]);
    // What differs from file to file runs along time; what does not stays a scalar.
    let run = field.meta.companion("run").unwrap();
    assert_eq!(
        (run.dimensions.as_slice(), run.values.len()),
        (&["time".to_owned()][..], 3)
    );
    assert_eq!(
        run.values.to_f64().unwrap().as_slice().unwrap(),
        [-1.0, 5.0, 8.0]
    );
    assert_eq!(
        field.meta.companion("height").unwrap().dimensions,
        Vec::<String>::new()
    );
    // One file alone keeps its scalar.
    let alone = compute(&Request::new(&target()), &catalogue(vec![one("a.nc", 0.0)])).unwrap();
    assert_eq!(alone.meta.shape(), [1, 2]);
    assert_eq!(
        alone.meta.companion("time").unwrap().dimensions,
        Vec::<String>::new()
    );
}

#[test]
fn a_scalar_time_must_be_the_one_asked_for() {
    let scalar = Values::F64(ArrayD::from_elem(IxDyn(&[]), 6.0));
    let file = axes(MemoryFile::new("a.nc"))
        .with(
            "time",
            &[],
            scalar,
            None,
            &[("units", "hours since 2000-01-01".into())],
        )
        .with(
            "t",
            &["lat", "lon"],
            Values::F32(ArrayD::zeros(IxDyn(&[2, 3]))),
            None,
            &[("coordinates", "time".into())],
        );
    let catalogue = catalogue(vec![file]);
    let at = |text: &str| {
        compute(
            &Request::new(&target()).times(text.parse().unwrap()),
            &catalogue,
        )
    };
    assert_eq!(at("2000-01-01T06").unwrap().meta.shape(), [1, 2]);
    assert!(matches!(
        at("2000-01-01T07"),
        Err(Error::TimeNotFound { .. })
    ));
}

#[test]
fn times_that_cannot_be_told_are_kept_as_they_are() {
    let file = axes(MemoryFile::new("a.nc"))
        .with_axis("time", "months since 1979-01-01", &[0.5, 1.5])
        .with(
            "t",
            &["time", "lat", "lon"],
            Values::F32(ArrayD::ones(IxDyn(&[2, 2, 3]))),
            None,
            &[],
        );
    let catalogue = catalogue(vec![file]);
    let field = compute(&Request::new(&target()), &catalogue).unwrap();
    assert_eq!(
        (per_step(&field), times(&field)),
        (vec![1.0, 1.0], vec![0.5, 1.5])
    );
    assert!(
        catalogue.notes()[0].contains("months since 1979-01-01"),
        "{:?}",
        catalogue.notes()
    );
    let error = compute(
        &Request::new(&target()).times("1979-02".parse().unwrap()),
        &catalogue,
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("times cannot be chosen"),
        "{error}"
    );
}

#[test]
fn a_field_without_time_is_taken_once() {
    let height = |path: &str| {
        let values = Values::F32(ArrayD::from_elem(IxDyn(&[2, 3]), 7.0));
        hours(
            path,
            "2000-01-01",
            0.0,
            &[if path == "a.nc" { 0.0 } else { 6.0 }],
        )
        .with("z", &["lat", "lon"], values, None, &[])
    };
    let catalogue = catalogue(vec![height("a.nc"), height("b.nc")]);
    let fields = Request::new(&target())
        .times("2000-01-01T06".parse().unwrap())
        .build(&catalogue)
        .unwrap();
    let names: Vec<_> = fields
        .iter()
        .map(|f| (f.meta().name.as_str(), f.meta().shape()))
        .collect();
    assert_eq!(names, [("t", vec![1, 1, 2]), ("z", vec![1, 2])]);
    assert!(
        catalogue.notes()[0].contains("taken from a.nc"),
        "{:?}",
        catalogue.notes()
    );
    let named = Request::new(&target())
        .params(["z"])
        .times("2000-01-01T06".parse().unwrap())
        .build(&catalogue);
    assert!(matches!(named, Err(Error::NoTimeAxis { .. })));
}

#[test]
fn each_file_is_unpacked_by_its_own_rules() {
    let packed = |path: &str, hour: f64, factor: f64, stored: i16| {
        let values = Values::I16(ArrayD::from_elem(IxDyn(&[1, 2, 3]), stored));
        axes(MemoryFile::new(path))
            .with_axis("time", "hours since 2000-01-01", &[hour])
            .with(
                "t",
                &["time", "lat", "lon"],
                values,
                None,
                &[
                    ("scale_factor", AttributeValue::F64(vec![factor])),
                    ("_FillValue", AttributeValue::I16(vec![-1])),
                ],
            )
    };
    let files = vec![
        packed("a.nc", 0.0, 0.5, 8),
        packed("b.nc", 1.0, 0.25, 8),
        packed("c.nc", 2.0, 0.25, -1),
    ];
    let field = compute(
        &Request::new(&target()).method(Method::Nearest),
        &catalogue(files),
    )
    .unwrap();
    let values = field.values.to_f64().unwrap();
    assert_eq!((values[[0, 0, 0]], values[[1, 0, 0]]), (4.0, 2.0));
    assert!(values[[2, 0, 0]].is_nan());
}

#[test]
fn calendars_are_not_mixed() {
    let with_calendar = |path: &str, calendar: &str, hour: f64| {
        let time = Values::F64(ArrayD::from_elem(IxDyn(&[1]), hour));
        axes(MemoryFile::new(path))
            .with(
                "time",
                &["time"],
                time,
                None,
                &[
                    ("units", "hours since 2000-01-01".into()),
                    ("calendar", calendar.into()),
                ],
            )
            .with(
                "t",
                &["time", "lat", "lon"],
                Values::F32(ArrayD::zeros(IxDyn(&[1, 2, 3]))),
                None,
                &[],
            )
    };
    let catalogue = catalogue(vec![
        with_calendar("a.nc", "360_day", 0.0),
        with_calendar("b.nc", "noleap", 6.0),
    ]);
    let error = compute(&Request::new(&target()), &catalogue)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("calendars differ (360_day and 365_day)")
            || error.contains("calendars differ (360_day and noleap)"),
        "{error}"
    );
}

#[test]
fn unusable_coordinates_name_the_place() {
    let bad = MemoryFile::new("bad.nc")
        .with_axis("lat", "degrees_north", &[0.0, 100.0])
        .with_axis("lon", "degrees_east", &steps(0.0, 1.0, 3))
        .with(
            "t",
            &["lat", "lon"],
            Values::F32(ArrayD::zeros(IxDyn(&[2, 3]))),
            None,
            &[],
        );
    let error = compute(&Request::new(&target()), &catalogue(vec![bad]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("lat in bad.nc") && error.contains("latitude 100 at index 1"),
        "{error}"
    );
}
