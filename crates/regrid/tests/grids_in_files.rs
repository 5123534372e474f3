//! Grids of every kind are found in files by their coordinates; those that make no grid say why.

mod sources;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::{AttributeValue, Catalogue, Crs, Grid, Method, Request, Role, SourceFile, Values};
use sources::MemoryFile;

type Attributes<'a> = &'a [(&'a str, AttributeValue)];

/// Name, dimensions, shape, values and attributes.
type Coordinate<'a> = (
    &'a str,
    &'a [&'a str],
    &'a [usize],
    &'a [f64],
    Attributes<'a>,
);

fn doubles(shape: &[usize], values: &[f64]) -> Values {
    Values::F64(ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap())
}

/// A file with coordinates and a field along some dimensions.
fn file(
    coordinates: &[Coordinate<'_>],
    (dimensions, shape): (&[&str], &[usize]),
    attributes: Attributes<'_>,
) -> Catalogue {
    let mut file = MemoryFile::new("a.nc");
    for (name, dimensions, shape, values, attributes) in coordinates {
        file = file.with(name, dimensions, doubles(shape, values), None, attributes);
    }
    let cells = vec![1.0; shape.iter().product()];
    let file = file.with("t", dimensions, doubles(shape, &cells), None, attributes);
    Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap()
}

fn text(value: &str) -> AttributeValue {
    value.into()
}

fn number(value: f64) -> AttributeValue {
    AttributeValue::F64(vec![value])
}

fn roles(catalogue: &Catalogue) -> Vec<Role> {
    let variable = catalogue.variable("t").unwrap();
    variable.dimensions().iter().map(|d| d.role).collect()
}

/// Why `t` cannot be regridded.
fn refusal(catalogue: &Catalogue) -> String {
    catalogue.variable("t").unwrap_err().to_string()
}

#[test]
fn axes_about_a_rotated_pole() {
    let mapping = [
        ("grid_mapping_name", text("rotated_latitude_longitude")),
        ("grid_north_pole_latitude", number(37.5)),
        ("grid_north_pole_longitude", number(177.5)),
    ];
    let y = [
        ("standard_name", text("grid_latitude")),
        ("units", text("degrees")),
    ];
    let x = [("units", text("degrees"))];
    let plane = [("units", text("degrees_north"))];
    let coordinates: [Coordinate<'_>; 4] = [
        ("rlat", &["rlat"], &[2], &[0.0, 1.0], &y),
        ("rlon", &["rlon"], &[3], &[-1.0, 0.0, 1.0], &x),
        ("lat", &["rlat", "rlon"], &[2, 3], &[50.0; 6], &plane),
        ("pole", &[], &[], &[0.0], &mapping),
    ];
    let field: (&[&str], &[usize]) = (&["rlat", "rlon"], &[2, 3]);
    let found = file(&coordinates, field, &[("grid_mapping", text("pole"))]);
    let grid = found.variable("t").unwrap().grid();
    assert!(matches!(grid.crs(), Crs::RotatedPole(pole) if pole.longitude == 177.5));
    let (latitude, longitude) = grid.centres()[1];
    assert!((latitude - 52.5).abs() < 1e-12 && (longitude + 2.5).abs() < 1e-12);
    assert_eq!(roles(&found), [Role::Latitude, Role::Longitude]);
    // Without the mapping nobody knows where the pole is.
    assert!(refusal(&file(&coordinates[..2], field, &[])).contains("no grid_mapping"));
    let strange = [("grid_mapping_name", text("space_oblique"))];
    let unknown = [
        coordinates[0],
        coordinates[1],
        ("pole", &[], &[], &[0.0], &strange),
    ];
    let unknown = file(&unknown, field, &[("grid_mapping", text("pole"))]);
    assert!(
        refusal(&unknown).contains("space_oblique"),
        "{}",
        refusal(&unknown)
    );
}

#[test]
fn axes_of_a_projection_in_kilometres() {
    let mapping = [
        ("grid_mapping_name", text("lambert_azimuthal_equal_area")),
        ("latitude_of_projection_origin", number(52.0)),
        ("longitude_of_projection_origin", number(10.0)),
    ];
    let axis = |name: &str, units: &str| {
        [
            (
                "standard_name",
                text(&format!("projection_{name}_coordinate")),
            ),
            ("units", text(units)),
        ]
    };
    let found = |units: &str| {
        let (y, x) = (axis("y", units), axis("x", units));
        file(
            &[
                ("yc", &["yc"], &[2], &[0.0, 5.0], &y),
                ("xc", &["xc"], &[1], &[0.0], &x),
                ("crs", &[], &[], &[0.0], &mapping),
            ],
            (&["xc", "yc"], &[1, 2]),
            // The extended form of the attribute.
            &[("grid_mapping", text("crs: xc yc"))],
        )
    };
    let kilometres = found("km");
    let grid = kilometres.variable("t").unwrap().grid();
    assert_eq!(grid.plane_axes().unwrap().0.centres(), [0.0, 5000.0]);
    assert_eq!(roles(&kilometres), [Role::Longitude, Role::Latitude]);
    assert!(refusal(&found("K")).contains("no length"));
}

#[test]
fn cells_with_a_latitude_and_a_longitude_each() {
    let (lat, lon) = (
        [("units", text("degrees_north")), ("bounds", text("lat_v"))],
        [("units", text("degrees_east")), ("bounds", text("lon_v"))],
    );
    let nan = f64::NAN;
    let latitudes = [0.0, 0.0, 0.0, 1.0, nan, 1.0];
    let longitudes = [0.0, 0.0, 0.0, 5.0, 6.0, 7.0];
    let found = file(
        &[
            ("lat", &["j", "i"], &[2, 3], &latitudes, &lat),
            ("lon", &["j", "i"], &[2, 3], &longitudes, &lon),
            ("lat_v", &["j", "i", "v"], &[2, 3, 4], &[1.0; 24], &[]),
            ("lon_v", &["j", "i", "v"], &[2, 3, 4], &[1.0; 24], &[]),
        ],
        (&["time", "j", "i"], &[1, 2, 3]),
        &[("coordinates", text("lat lon"))],
    );
    let grid = found.variable("t").unwrap().grid();
    assert_eq!(grid.shape(), (2, 3));
    assert!(grid.has_corners() && !grid.is_list());
    assert_eq!(
        roles(&found),
        [Role::Other, Role::Latitude, Role::Longitude]
    );
    // Three cells in one place are none, nor is one with half a place.
    let placed: Vec<bool> = grid.centres().iter().map(|c| !c.0.is_nan()).collect();
    assert_eq!(placed, [false, false, false, true, false, true]);
}

#[test]
fn coordinates_at_every_time_have_to_stay() {
    let lat = [("units", text("degrees_north"))];
    let lon = [("units", text("degrees_east"))];
    let found = |latitudes: &[f64]| {
        file(
            &[
                ("XLAT", &["Time", "sn", "we"], &[2, 1, 2], latitudes, &lat),
                (
                    "XLONG",
                    &["Time", "sn", "we"],
                    &[2, 1, 2],
                    &[3.0, 4.0, 3.0, 4.0],
                    &lon,
                ),
            ],
            (&["Time", "sn", "we"], &[2, 1, 2]),
            &[("coordinates", text("XLONG XLAT"))],
        )
    };
    let still = found(&[1.0, 2.0, 1.0, 2.0]);
    let grid = still.variable("t").unwrap().grid();
    assert_eq!(grid.centres(), [(1.0, 3.0), (2.0, 4.0)]);
    assert!(refusal(&found(&[1.0, 2.0, 1.0, 2.5])).contains("the grid moves"));
}

#[test]
fn lists_of_points() {
    let lat = [("units", text("degrees_north"))];
    let lon = [
        ("standard_name", text("longitude")),
        ("units", text("radian")),
    ];
    let time = [("units", text("hours since 2000-01-01"))];
    let quarter = std::f64::consts::FRAC_PI_2;
    let coordinates: [Coordinate<'_>; 3] = [
        ("lat", &["station"], &[2], &[10.0, 20.0], &lat),
        ("lon", &["station"], &[2], &[0.0, quarter], &lon),
        ("time", &["time"], &[3], &[0.0, 1.0, 2.0], &time),
    ];
    let found = file(&coordinates, (&["time", "station"], &[3, 2]), &[]);
    let variable = found.variable("t").unwrap();
    assert!(variable.grid().is_list());
    assert_eq!(variable.grid().centres(), [(10.0, 0.0), (20.0, 90.0)]);
    assert_eq!(roles(&found), [Role::Time, Role::Longitude]);
    assert!(variable.time_span().is_some());
    assert_eq!(found.variables().len(), 1);
    assert!(found.unsupported().is_empty());

    // Each report with a time of its own: a list all the same.
    let reports: [Coordinate<'_>; 3] = [
        coordinates[0],
        coordinates[1],
        ("when", &["station"], &[2], &[0.0, 1.0], &time),
    ];
    let found = file(&reports, (&["station"], &[2]), &[]);
    assert_eq!(roles(&found), [Role::Longitude]);
    assert!(found.variable("t").unwrap().time_span().is_none());

    // A ship.
    let path: [Coordinate<'_>; 3] = [
        ("lat", &["time"], &[2], &[10.0, 20.0], &lat),
        ("lon", &["time"], &[2], &[0.0, quarter], &lon),
        ("time", &["time"], &[2], &[0.0, 1.0], &time),
    ];
    assert!(refusal(&file(&path, (&["time"], &[2]), &[])).contains("a path"));
}

#[test]
fn one_row_one_column_one_point() {
    let lat = [("units", text("degrees_north"))];
    let lon = [("units", text("degrees_east"))];
    for (rows, columns) in [(1, 3), (3, 1), (1, 1)] {
        let values = [1.0, 2.0, 3.0];
        let found = file(
            &[
                ("lat", &["lat"], &[rows], &values[..rows], &lat),
                ("lon", &["lon"], &[columns], &values[..columns], &lon),
            ],
            (&["lat", "lon"], &[rows, columns]),
            &[],
        );
        assert_eq!(found.variable("t").unwrap().grid().shape(), (rows, columns));
    }
}

#[test]
fn a_scalar_coordinate_is_an_axis_of_one_cell() {
    let lat = [
        ("units", text("degrees_north")),
        ("bounds", text("lat_bnds")),
    ];
    let lon = [("units", text("degrees_east"))];
    let time = [("units", text("hours since 2000-01-01"))];
    let scalars = [("coordinates", text("lat lon"))];
    let times: Coordinate<'_> = ("time", &["time"], &[2], &[0.0, 1.0], &time);
    let bounds: Coordinate<'_> = ("lat_bnds", &["two"], &[2], &[49.0, 51.0], &[]);
    let latitude: Coordinate<'_> = ("lat", &[], &[], &[50.0], &lat);
    let at = |longitude: Coordinate<'_>, dimensions, shape, values: &[f64]| {
        let mut file = MemoryFile::new("a.nc");
        for (name, dimensions, shape, values, attributes) in [times, bounds, latitude, longitude] {
            file = file.with(name, dimensions, doubles(shape, values), None, attributes);
        }
        let file = file.with("t", dimensions, doubles(shape, values), None, &scalars);
        Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap()
    };
    let regridded = |found: &Catalogue, target: Grid, method| {
        let fields = Request::new(&target).method(method).build(found).unwrap();
        let field = delayed::Run::new().compute(&fields[0].whole()).unwrap();
        (
            field.meta.shape(),
            field.values.to_f64().unwrap().into_raw_vec_and_offset().0,
        )
    };
    // One place.
    let place = at(
        ("lon", &[], &[], &[5.0], &lon),
        &["time"],
        &[2],
        &[1.0, 2.0],
    );
    assert_eq!(roles(&place), [Role::Time, Role::Latitude, Role::Longitude]);
    assert_eq!(place.variable("t").unwrap().grid().centres(), [(50.0, 5.0)]);
    let target = Grid::from_axes([50.0], [4.0, 5.0]).unwrap();
    let (shape, values) = regridded(&place, target.clone(), Method::Linear);
    assert_eq!(shape, [2, 1, 2]);
    assert!(values[0].is_nan() && values[2].is_nan() && (values[1], values[3]) == (1.0, 2.0));
    // The same where nothing names the coordinates, as long as there are no others; bounds stay as they are.
    let unnamed = MemoryFile::new("a.nc")
        .with("lat", &[], doubles(&[], &[50.0]), None, &lat[..1])
        .with("lon", &[], doubles(&[], &[5.0]), None, &lon)
        .with("time", &["time"], doubles(&[2], &[0.0, 1.0]), None, &{
            let [units] = time.clone();
            [units, ("bounds", text("time_bnds"))]
        })
        .with(
            "time_bnds",
            &["time", "two"],
            doubles(&[2, 2], &[0.0; 4]),
            None,
            &[],
        )
        .with("t", &["time"], doubles(&[2], &[1.0, 2.0]), None, &[]);
    let unnamed = Catalogue::from_files(vec![Arc::new(unnamed) as Arc<dyn SourceFile>]).unwrap();
    assert_eq!(
        roles(&unnamed),
        [Role::Time, Role::Latitude, Role::Longitude]
    );
    let meta = unnamed.files()[0].meta();
    assert_eq!(
        meta.variable("time_bnds").unwrap().dimensions,
        ["time", "two"]
    );
    // A row, whose rows go before its columns wherever those are.
    let axis: Coordinate<'_> = ("lon", &["lon"], &[2], &[4.0, 6.0], &lon);
    let row = at(axis, &["lon", "time"], &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(roles(&row), [Role::Latitude, Role::Longitude, Role::Time]);
    let grid = row.variable("t").unwrap().grid();
    assert_eq!(grid.axes().unwrap().0.bounds().unwrap(), [[49.0, 51.0]]);
    let (shape, values) = regridded(&row, target.clone(), Method::Linear);
    assert_eq!((shape, values), (vec![1, 2, 2], vec![1.0, 2.0, 2.0, 3.0]));
    let cells = Grid::from_axes([50.0, 50.5], [4.5, 5.5]).unwrap();
    let (_, values) = regridded(&row, cells, Method::AreaWeighted);
    assert_eq!(values[..4], [1.0, 2.0, 3.0, 4.0]);
    // Beside a field on a grid it is a site like any other, and kept as it is.
    let mut beside = MemoryFile::new("a.nc")
        .with_axis("y", "degrees_north", &[0.0, 1.0])
        .with_axis("x", "degrees_east", &[0.0, 1.0])
        .with("field", &["y", "x"], doubles(&[2, 2], &[0.0; 4]), None, &[]);
    for (name, dimensions, shape, values, attributes) in
        [times, latitude, ("lon", &[], &[], &[5.0], &lon)]
    {
        beside = beside.with(name, dimensions, doubles(shape, values), None, attributes);
    }
    let beside = beside.with("t", &["time"], doubles(&[2], &[1.0, 2.0]), None, &scalars);
    let beside = Catalogue::from_files(vec![Arc::new(beside) as Arc<dyn SourceFile>]).unwrap();
    assert_eq!(beside.variables().len(), 1);
}

#[test]
fn bounds_of_another_shape_are_refused() {
    let lat = [("units", text("degrees_north")), ("bounds", text("b"))];
    let lon = [("units", text("degrees_east"))];
    let axes = |shape: &[usize]| {
        let bounds = vec![0.0; shape.iter().product()];
        let names = ["lat", "corner"];
        refusal(&file(
            &[
                ("lat", &["lat"], &[3], &[1.0, 2.0, 3.0], &lat),
                ("lon", &["lon"], &[2], &[1.0, 2.0], &lon),
                ("b", &names[..shape.len()], shape, &bounds, &[]),
            ],
            (&["lat", "lon"], &[3, 2]),
            &[],
        ))
    };
    for shape in [&[3, 3][..], &[3, 5], &[3]] {
        let said = axes(shape);
        assert!(
            said.contains(&format!("{shape:?}")) && said.contains("[3, 2]"),
            "{said}"
        );
    }
    // A hole is a mistake; what was never written says nothing.
    let written = |bounds: &[f64; 6]| {
        file(
            &[
                ("lat", &["lat"], &[3], &[1.0, 2.0, 3.0], &lat),
                ("lon", &["lon"], &[2], &[1.0, 2.0], &lon),
                ("b", &["lat", "two"], &[3, 2], bounds, &[]),
            ],
            (&["lat", "lon"], &[3, 2]),
            &[],
        )
    };
    let said = refusal(&written(&[0.5, 1.5, 1.5, f64::NAN, 2.5, 3.5]));
    assert!(
        said.contains("coordinate b") && said.contains("index 1"),
        "{said}"
    );
    let never = written(&[f64::NAN; 6]);
    let grid = never.variable("t").unwrap().grid();
    assert!(grid.axes().unwrap().0.bounds().is_none());
    let cells = |(dimensions, shape): (&[&str], &[usize])| {
        let bounds = vec![0.0; shape.iter().product()];
        refusal(&file(
            &[
                ("lat", &["y", "x"], &[1, 2], &[1.0, 2.0], &lat),
                ("lon", &["y", "x"], &[1, 2], &[1.0, 2.0], &lon),
                ("b", dimensions, shape, &bounds, &[]),
            ],
            (&["y", "x"], &[1, 2]),
            &[],
        ))
    };
    for wrong in [
        (&["y", "x", "two"][..], &[1, 2, 2][..]),
        (&["yv", "xv"], &[2, 3]),
    ] {
        let said = cells(wrong);
        assert!(said.contains("[1, 2, 4]"), "{said}");
    }
}

#[test]
fn coordinates_that_make_no_grid_say_where() {
    let lat = [("units", text("degrees_north"))];
    let lon = [("units", text("degrees_east"))];
    let nan = f64::NAN;
    let found = |latitudes: &[f64], dimensions: &'static [&'static str]| {
        let n = latitudes.len();
        let shape = if dimensions.len() == 2 {
            vec![1, n]
        } else {
            vec![n]
        };
        let longitudes: Vec<f64> = (0..n).map(|i| i as f64).collect();
        file(
            &[
                ("lat", dimensions, &shape, latitudes, &lat),
                ("lon", dimensions, &shape, &longitudes, &lon),
            ],
            (dimensions, &shape),
            &[],
        )
    };
    // Cells of rows and columns.
    assert!(refusal(&found(&[1.0, 91.0], &["y", "x"])).contains("91"));
    assert!(refusal(&found(&[nan, nan], &["y", "x"])).contains("lat"));
    assert!(refusal(&found(&[], &["y", "x"])).contains("empty"));
    // Points.
    assert!(refusal(&found(&[1.0, -91.0], &["x"])).contains("-91"));
    assert!(refusal(&found(&[], &["x"])).contains("empty"));
    // Units of something else.
    let kelvin = [("units", text("K"))];
    let misnamed = file(
        &[
            ("lat", &["lat"], &[2], &[1.0, 2.0], &kelvin),
            ("lon", &["lon"], &[2], &[1.0, 2.0], &lon),
        ],
        (&["lat", "lon"], &[2, 2]),
        &[],
    );
    assert!(refusal(&misnamed).contains("lat has units \"K\""));
    // Two pairs of coordinates, and nobody says which.
    let several = file(
        &[
            ("lat_u", &["y", "x"], &[1, 2], &[1.0, 2.0], &lat),
            ("lat_v", &["y", "x"], &[1, 2], &[1.5, 2.5], &lat),
            ("lon_u", &["y", "x"], &[1, 2], &[1.0, 2.0], &lon),
        ],
        (&["y", "x"], &[1, 2]),
        &[],
    );
    assert!(
        refusal(&several).contains("lat_u, lat_v"),
        "{}",
        refusal(&several)
    );
    // A latitude for each cell, a longitude for each column.
    let mixed = file(
        &[
            ("nav_lat", &["y", "x"], &[1, 2], &[1.0, 2.0], &lat),
            ("nav_lon", &["x"], &[2], &[1.0, 2.0], &lon),
        ],
        (&["y", "x"], &[1, 2]),
        &[],
    );
    assert!(
        refusal(&mixed).contains("nav_lat runs along y and x"),
        "{}",
        refusal(&mixed)
    );
}

#[test]
fn coordinates_about_a_rotated_pole_are_angles() {
    let mapping = [
        ("grid_mapping_name", text("rotated_latitude_longitude")),
        ("grid_north_pole_latitude", number(37.5)),
        ("grid_north_pole_longitude", number(177.5)),
    ];
    let refused = |units: &str| {
        let axis = |name: &str| [("standard_name", text(name)), ("units", text(units))];
        let (y, x) = (axis("grid_latitude"), axis("grid_longitude"));
        let found = file(
            &[
                ("rlat", &["rlat"], &[2], &[0.0, 1.0], &y),
                ("rlon", &["rlon"], &[2], &[0.0, 1.0], &x),
                ("pole", &[], &[], &[0.0], &mapping),
            ],
            (&["rlat", "rlon"], &[2, 2]),
            &[("grid_mapping", text("pole"))],
        );
        found.variable("t").err().map(|error| error.to_string())
    };
    for units in ["degrees", "degree", "radians", "1", ""] {
        assert_eq!(refused(units), None, "{units}");
    }
    let reason = refused("km").unwrap();
    assert!(reason.contains("\"km\", which are no angle"), "{reason}");
}
