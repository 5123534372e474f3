//! The output is a CF file that keeps what the source says, but for what hung on its grid.

use std::path::{Path, PathBuf};

use netcdf::AttributeValue;
use regrid::time::TimeMethod;
use regrid::{Catalogue, Grid, Method, Request, Write};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/data")
        .join(name)
}

fn text(file: &netcdf::File, variable: &str, attribute: &str) -> Option<String> {
    match file
        .variable(variable)?
        .attribute(attribute)?
        .value()
        .unwrap()
    {
        AttributeValue::Str(text) => Some(text),
        other => panic!("{variable}:{attribute} is {other:?}"),
    }
}

fn dimensions(file: &netcdf::File, variable: &str) -> Vec<String> {
    file.variable(variable)
        .unwrap()
        .dimensions()
        .iter()
        .map(netcdf::Dimension::name)
        .collect()
}

fn doubles(file: &netcdf::File, variable: &str) -> Vec<f64> {
    file.variable(variable)
        .unwrap()
        .get_values::<f64, _>(..)
        .unwrap()
}

/// Regrids a sample file and opens the result.
fn regridded(name: &str, change: impl Fn(Request) -> Request) -> (tempfile::TempDir, netcdf::File) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.nc");
    let target = Grid::regular(20.0..=50.0, 5.0, 230.0..=300.0, 10.0).unwrap();
    let catalogue = Catalogue::open([data(name)]).unwrap();
    let fields = change(Request::new(&target)).build(&catalogue).unwrap();
    Write::new(&output)
        .history("a test")
        .plan(&fields)
        .unwrap()
        .run(&delayed::Run::new())
        .unwrap();
    let file = netcdf::open(&output).unwrap();
    (folder, file)
}

#[test]
fn coordinates_off_the_grid_are_kept() {
    let (_folder, file) = regridded("A1B_north_america.nc", |r| {
        r.times("1860/1862".parse().unwrap())
    });
    assert_eq!(
        dimensions(&file, "air_temperature"),
        ["time", "latitude", "longitude"]
    );
    assert_eq!(
        text(&file, "air_temperature", "units").as_deref(),
        Some("K")
    );
    assert_eq!(
        text(&file, "air_temperature", "Model scenario").as_deref(),
        Some("A1B")
    );
    assert_eq!(
        text(&file, "air_temperature", "cell_methods").as_deref(),
        Some("time: mean (interval: 6 hour)")
    );
    let coordinates = text(&file, "air_temperature", "coordinates");
    assert_eq!(
        coordinates.as_deref(),
        Some("forecast_period forecast_reference_time height")
    );
    assert_eq!(
        text(&file, "air_temperature", "grid_mapping").as_deref(),
        Some("latitude_longitude")
    );
    let mapping = text(&file, "latitude_longitude", "grid_mapping_name");
    assert_eq!(mapping.as_deref(), Some("latitude_longitude"));

    assert_eq!(text(&file, "time", "calendar").as_deref(), Some("360_day"));
    assert_eq!(doubles(&file, "time"), [-946_800.0, -938_160.0, -929_520.0]);
    assert_eq!(text(&file, "time", "bounds").as_deref(), Some("time_bnds"));
    assert_eq!(dimensions(&file, "time_bnds"), ["time", "bnds"]);
    assert_eq!(doubles(&file, "time_bnds").len(), 6);
    assert_eq!(
        doubles(&file, "forecast_period"),
        [10_794.0, 19_434.0, 28_074.0]
    );
    assert_eq!(doubles(&file, "height"), [1.5]);
}

#[test]
fn the_target_brings_its_axes_with_bounds() {
    let (_folder, file) = regridded("A1B_north_america.nc", |r| r);
    assert_eq!(
        doubles(&file, "latitude"),
        [20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0]
    );
    assert_eq!(
        text(&file, "latitude", "units").as_deref(),
        Some("degrees_north")
    );
    assert_eq!(
        text(&file, "longitude", "standard_name").as_deref(),
        Some("longitude")
    );
    assert_eq!(
        text(&file, "latitude", "bounds").as_deref(),
        Some("latitude_bnds")
    );
    assert_eq!(
        doubles(&file, "latitude_bnds")[..4],
        [17.5, 22.5, 22.5, 27.5]
    );
    assert_eq!(dimensions(&file, "longitude_bnds"), ["longitude", "bnds"]);
}

#[test]
fn times_between_steps_have_no_bounds_and_interpolated_companions() {
    let (_folder, file) = regridded("A1B_north_america.nc", |r| {
        r.times("1860-09-01".parse().unwrap())
            .time_method(TimeMethod::Linear)
    });
    assert!(file.variable("time_bnds").is_none());
    assert_eq!(text(&file, "time", "bounds"), None);
    // A quarter of the way from 1860-06-01 to 1861-06-01, in years of 360 days.
    assert_eq!(doubles(&file, "time"), [-946_800.0 + 0.25 * 8_640.0]);
    assert_eq!(
        doubles(&file, "forecast_period"),
        [10_794.0 + 0.25 * 8_640.0]
    );
}

#[test]
fn history_gains_one_line_and_the_rest_is_kept() {
    let (_folder, file) = regridded("season/season_2011-08.nc", |r| r.method(Method::Nearest));
    let AttributeValue::Str(history) = file.attribute("history").unwrap().value().unwrap() else {
        panic!("history is text");
    };
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("regrid")
            && lines[0].contains("a test")
            && lines[0].contains("method nearest")
    );
    assert!(lines[1].starts_with("derived from 13 members"));
    let AttributeValue::Str(title) = file.attribute("title").unwrap().value().unwrap() else {
        panic!("title is text");
    };
    assert_eq!(title, "Seasonal ensemble, three surface parameters");
}

#[test]
fn missing_values_keep_their_mark_and_type() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.nc");
    let target = Grid::regular(-10.0..=10.0, 2.0, 0.0..=350.0, 10.0).unwrap();
    let catalogue = Catalogue::open([data("ostia_monthly.nc")]).unwrap();
    let fields = Request::new(&target).build(&catalogue).unwrap();
    regrid::write(&output, &fields).unwrap();
    let file = netcdf::open(&output).unwrap();
    let variable = file.variable("surface_temperature").unwrap();
    assert_eq!(variable.fill_value::<f32>().unwrap(), Some(1e20));
    let values = variable.get_values::<f32, _>(..).unwrap();
    assert!(values.contains(&1e20) && values.iter().all(|x| !x.is_nan()));
    assert!(values.iter().any(|&x| (270.0..310.0).contains(&x)));
}
