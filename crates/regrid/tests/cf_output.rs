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

/// Regrids a synthetic global field onto a target and opens the result.
fn onto(target: &Grid) -> (tempfile::TempDir, netcdf::File) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.nc");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/g1.nc");
    let catalogue = Catalogue::open([source]).unwrap();
    let fields = Request::new(target).build(&catalogue).unwrap();
    regrid::write(&output, &fields).unwrap();
    let file = netcdf::open(&output).unwrap();
    (folder, file)
}

fn test_data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

#[test]
fn a_rotated_target_brings_its_mapping_and_the_place_of_each_cell() {
    let target = Grid::like(test_data("rotated_pole.nc")).unwrap();
    let (_folder, file) = onto(&target);
    let field = "air_temperature";
    assert_eq!(
        dimensions(&file, field),
        ["time", "grid_latitude", "grid_longitude"]
    );
    let mapping = "rotated_latitude_longitude";
    assert_eq!(text(&file, field, "grid_mapping").as_deref(), Some(mapping));
    assert_eq!(
        text(&file, mapping, "grid_mapping_name").as_deref(),
        Some(mapping)
    );
    assert_eq!(
        text(&file, field, "coordinates").as_deref(),
        Some("latitude longitude")
    );
    assert_eq!(
        text(&file, "grid_latitude", "standard_name").as_deref(),
        Some("grid_latitude")
    );
    assert_eq!(
        text(&file, "grid_latitude", "units").as_deref(),
        Some("degrees")
    );
    assert_eq!(
        dimensions(&file, "latitude"),
        ["grid_latitude", "grid_longitude"]
    );
    assert_eq!(
        dimensions(&file, "latitude_vertices"),
        ["grid_latitude", "grid_longitude", "vertices"]
    );
    let (latitudes, longitudes) = (doubles(&file, "latitude"), doubles(&file, "longitude"));
    let centres: Vec<(f64, f64)> = latitudes.into_iter().zip(longitudes).collect();
    assert_eq!(centres, target.centres());
}

#[test]
fn a_curvilinear_target_brings_its_cells_and_corners() {
    let target = Grid::like(test_data("orca2_votemper.nc")).unwrap();
    let (_folder, file) = onto(&target);
    let field = "air_temperature";
    assert_eq!(dimensions(&file, field), ["time", "dim0", "dim1"]);
    assert_eq!(
        text(&file, field, "coordinates").as_deref(),
        Some("nav_lat nav_lon")
    );
    assert_eq!(text(&file, field, "grid_mapping"), None);
    assert_eq!(
        text(&file, "nav_lat", "units").as_deref(),
        Some("degrees_north")
    );
    assert_eq!(
        text(&file, "nav_lat", "bounds").as_deref(),
        Some("nav_lat_vertices")
    );
    assert_eq!(
        dimensions(&file, "nav_lat_vertices"),
        ["dim0", "dim1", "vertices"]
    );
    // And a file like it is like the first.
    assert_eq!(doubles(&file, "nav_lat").len(), 148 * 180);
}

#[test]
fn a_projected_target_keeps_its_units_and_parameters() {
    let target = Grid::described(
        "gridtype = projection\nxsize = 5\nysize = 4\nxfirst = -100\nxinc = 50\nyfirst = 0\nyinc = 25\nxunits = km\n\
         yunits = km\ngrid_mapping = lcc\ngrid_mapping_name = lambert_conformal_conic\nstandard_parallel = 30. 60.\n\
         longitude_of_central_meridian = 10.\nlatitude_of_projection_origin = 50.\nearth_radius = 6371229.\n",
    )
    .unwrap();
    let (_folder, file) = onto(&target);
    assert_eq!(dimensions(&file, "air_temperature"), ["time", "y", "x"]);
    assert_eq!(doubles(&file, "x"), [-100.0, -50.0, 0.0, 50.0, 100.0]);
    assert_eq!(text(&file, "x", "units").as_deref(), Some("km"));
    assert_eq!(
        text(&file, "x", "standard_name").as_deref(),
        Some("projection_x_coordinate")
    );
    assert_eq!(doubles(&file, "y_bnds")[..2], [-12.5, 12.5]);
    let value = file
        .variable("lcc")
        .unwrap()
        .attribute("standard_parallel")
        .unwrap()
        .value()
        .unwrap();
    assert_eq!(value, AttributeValue::Doubles(vec![30.0, 60.0]));
}

#[test]
fn a_list_of_points_is_one_dimension_with_names() {
    let target = Grid::points([51.5, -33.9], [-0.1, 151.2])
        .unwrap()
        .with_names(["London", "Sydney"])
        .unwrap();
    let (_folder, file) = onto(&target);
    let field = "air_temperature";
    assert_eq!(dimensions(&file, field), ["time", "point"]);
    assert_eq!(
        text(&file, field, "coordinates").as_deref(),
        Some("latitude longitude station_name")
    );
    assert_eq!(doubles(&file, "latitude"), [51.5, -33.9]);
    assert_eq!(dimensions(&file, "station_name"), ["point", "name_strlen"]);
    let feature = |file: &netcdf::File| match file.attribute("featureType") {
        Some(feature) => feature.value().unwrap().try_into().unwrap(),
        None => String::new(),
    };
    assert_eq!(feature(&file), "timeSeries");
    // As the target of another request it brings the names along.
    let (_other, again) = onto(&Grid::like(file.path().unwrap()).unwrap());
    assert_eq!(dimensions(&again, field), ["time", "point"]);
    for name in ["station_name", "latitude", "longitude"] {
        let bytes = |file: &netcdf::File| file.variable(name).unwrap().get_raw_values(..).unwrap();
        assert_eq!(bytes(&file), bytes(&again), "{name}");
    }
    let grid = Grid::from_axes([50.0], [0.0, 1.0]).unwrap();
    assert_eq!(feature(&onto(&grid).1), "");
    let source = netcdf::open(test_data("g1.nc")).unwrap();
    let there = source
        .variable(field)
        .unwrap()
        .get_values::<f32, _>((0, 140..143, 358..360))
        .unwrap();
    let (low, high) = there
        .iter()
        .fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
    let london = file
        .variable(field)
        .unwrap()
        .get_values::<f32, _>(..)
        .unwrap()[0];
    assert!(
        (low..=high).contains(&london),
        "{london} not in {low} to {high}"
    );
}
