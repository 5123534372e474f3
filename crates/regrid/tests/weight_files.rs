//! Weights in files: ours and CDO's are the same, and do the same; those for anything else are refused.

mod sources;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use netcdf::{FileMut, Options};
use regrid::{
    Catalogue, Edges, Error, Grid, Latitudes, Longitudes, Method, Request, SourceFile,
    SparseWeights, Values, Weights, WeightsFormat,
};
use sources::MemoryFile;

fn data(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/weights")).join(name)
}

fn source() -> Grid {
    Grid::like(data("source.nc")).unwrap()
}

fn target() -> Grid {
    Grid::like(data("fields.nc")).unwrap()
}

fn between(source: &Grid, method: Method) -> Weights {
    Weights::between(source, &target(), method, Edges::default()).unwrap()
}

/// The largest difference between weights, cell by cell, the covered part too.
fn difference(a: &SparseWeights, b: &SparseWeights, sources: usize) -> f64 {
    assert_eq!(a.len(), b.len());
    let dense = |weights: &SparseWeights, target: usize| {
        let mut row = vec![0.0; sources + 1];
        weights.row(target).iter().for_each(|(s, w)| row[s] += w);
        if !weights.row(target).is_empty() {
            row[sources] = weights.covered(target);
        }
        row
    };
    let rows = (0..a.len()).map(|t| {
        let pairs = dense(a, t).into_iter().zip(dense(b, t));
        pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
    });
    rows.fold(0.0, f64::max)
}

/// What a request makes of the field `t` of a file.
fn field(request: &Request, file: &Path) -> Vec<f64> {
    let files = Catalogue::open([file]).unwrap();
    let fields = request.clone().params(["t"]).build(&files).unwrap();
    let values = fields[0].compute().unwrap().values;
    values.as_array::<f64>().unwrap().iter().copied().collect()
}

fn assert_near(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len());
    for (index, (x, y)) in a.iter().zip(b).enumerate() {
        let same = (x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance;
        assert!(same, "{what}: {x} and {y} at {index}");
    }
}

/// A name in CDO's commands, the method, and how near weights and fields come: CDO stores angles in radians, and clips
/// cells on the sphere.
const CASES: [(&str, Method, f64); 4] = [
    ("bil", Method::Linear, 1e-12),
    ("nn", Method::Nearest, 0.0),
    ("bic", Method::Cubic, 1e-12),
    ("con", Method::AreaWeighted, 1e-12),
];

#[test]
fn cdo_makes_the_same_weights() {
    for (name, method, tolerance) in CASES {
        let theirs = Weights::load(data(&format!("cdo_{name}.nc"))).unwrap();
        assert_eq!(theirs.method(), Some(method), "{name}");
        let ours = between(&source(), method);
        let apart = difference(&theirs.matrix(), &ours.matrix(), 240);
        assert!(apart <= tolerance, "{name}: {apart}");
    }
}

#[test]
fn weights_of_cdo_give_the_field_that_cdo_makes() {
    let expected = Catalogue::open([data("fields.nc")]).unwrap();
    for (name, _, _) in CASES {
        let weights = Weights::load(data(&format!("cdo_{name}.nc"))).unwrap();
        let target = weights.target().unwrap();
        let (latitudes, longitudes) = target.axes().unwrap();
        assert_eq!(latitudes.centres()[..2], [-58.3, -39.2]);
        assert_eq!(longitudes.centres()[..2], [-33.5, -19.8]);
        let got = field(&Request::new(&target).weights(&weights), &data("source.nc"));
        let same = Request::new(&self::target())
            .params([name])
            .method(Method::Nearest);
        let fields = same.build(&expected).unwrap();
        let values = fields[0].compute().unwrap().values;
        let expected: Vec<f64> = values.as_array::<f64>().unwrap().iter().copied().collect();
        assert_near(&got, &expected, 1e-14, name);
    }
}

#[test]
fn parts_of_cells_mean_the_same_in_either_normalization() {
    let part = Grid::like(data("part.nc")).unwrap();
    let covered = Weights::load(data("cdo_part_fracarea.nc")).unwrap();
    let whole = Weights::load(data("cdo_part_destarea.nc")).unwrap();
    let ours = between(&part, Method::AreaWeighted);
    let parts = (0..63).filter(|&t| ours.matrix().covered(t) < 0.9).count();
    assert!(parts > 5, "{parts}");
    let apart = difference(&whole.matrix(), &ours.matrix(), 30);
    assert!(apart <= 1e-12, "{apart}");
    // CDO forgets the part when it normalizes by it; the weights are the same.
    let rows = |weights: &Weights| -> SparseWeights {
        let matrix = weights.matrix();
        (0..63).map(|t| matrix.row(t).to_vec()).collect()
    };
    let apart = difference(&rows(&covered), &rows(&ours), 30);
    assert!(apart <= 1e-12, "{apart}");
    let request = Request::new(&target()).min_valid(0.6);
    let own = field(
        &request.clone().method(Method::AreaWeighted),
        &data("part.nc"),
    );
    assert!(own.iter().any(|x| x.is_nan()) && own.iter().any(|x| x.is_finite()));
    assert_near(
        &own,
        &field(&request.weights(&whole), &data("part.nc")),
        1e-14,
        "destarea",
    );
}

#[test]
fn second_order_weights_of_a_file_keep_to_the_field_beside_missing_cells() {
    let (source, target) = (Grid::global(10.0).unwrap(), Grid::global(2.5).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.nc");
    let method = Method::SecondOrderConservative;
    let made = Weights::between(&source, &target, method, Edges::default()).unwrap();
    made.save(&path, WeightsFormat::Scrip).unwrap();
    // From 270 to 280, a third of them missing.
    let cells = (0..18 * 36).map(|i| match i * 7919 % 1000 {
        place if place % 3 == 0 => f64::NAN,
        place => 270.0 + place as f64 / 100.0,
    });
    let values = ArrayD::from_shape_vec(IxDyn(&[18, 36]), cells.collect()).unwrap();
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &sources::steps(-85.0, 10.0, 18))
        .with_axis("lon", "degrees_east", &sources::steps(5.0, 10.0, 36))
        .with("t", &["lat", "lon"], Values::F64(values), None, &[]);
    let files = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap();
    let of = |request: Request| {
        let field = request.build(&files).unwrap()[0].compute().unwrap();
        let values = field.values.as_array::<f64>().unwrap();
        let valid = values.iter().copied().filter(|x| x.is_finite());
        valid.collect::<Vec<f64>>()
    };
    let direct = of(Request::new(&target).method(method));
    let loaded = Weights::load(&path).unwrap();
    let filed = of(Request::new(&target).weights(&loaded));
    let most = filed.iter().map(|x| (x - 275.0).abs()).fold(0.0, f64::max);
    assert!(most < 15.0, "{most}");
    let apart = direct.len().abs_diff(filed.len());
    assert!(apart * 5 < direct.len(), "{apart} of {}", direct.len());
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    // Pole rows, targets outside, parts of cells, a list of points, cells anywhere.
    let global = Grid::from_axes([90.0, 84.0, 0.0, -88.0], [0.0, 359.0, 180.0]).unwrap();
    let part = Grid::like(data("part.nc")).unwrap();
    let points = Grid::points([10.0, -85.0, 48.9], [-4.0, 100.0, 2.4]).unwrap();
    let turned = Grid::curvilinear(
        (2, 2),
        vec![0.0, 10.0, 3.0, 13.0],
        vec![0.0, 3.0, 10.0, 13.0],
        None,
    )
    .unwrap();
    for (file, from) in [("source.nc", source()), ("part.nc", part)] {
        for to in [&global, &target(), &points, &turned] {
            for method in [
                Method::Linear,
                Method::Nearest,
                Method::Cubic,
                Method::AreaWeighted,
                Method::Mean,
                Method::InverseDistance,
            ] {
                let Ok(made) = Weights::between(&from, to, method, Edges::default()) else {
                    assert!(to.axes().is_none(), "{method:?} onto {to}");
                    continue;
                };
                let direct = field(&Request::new(to).method(method), &data(file));
                if made.matrix().sources(0..made.matrix().len()).is_empty() {
                    continue;
                }
                for format in [WeightsFormat::Scrip, WeightsFormat::Esmf] {
                    let path = folder.path().join(format!("{method:?}.nc"));
                    made.write(&path, format, true, None).unwrap();
                    let loaded = Weights::load(&path).unwrap();
                    assert_eq!(loaded.method(), Some(method));
                    let apart = difference(&loaded.matrix(), &made.matrix(), from.centres().len());
                    assert!(apart < 1e-15, "{method:?} {format:?} {apart}");
                    let got = field(&Request::new(to).weights(&loaded), &data(file));
                    assert_near(&got, &direct, 1e-12, &format!("{method:?} {format:?} {to}"));
                    let again = loaded.target().unwrap();
                    assert_eq!((again.shape(), again.is_list()), (to.shape(), to.is_list()));
                    let got = field(&Request::new(&again).weights(&loaded), &data(file));
                    assert_near(&got, &direct, 1e-12, "onto the file's own target");
                }
                let got = field(&Request::new(to).weights(&made), &data(file));
                assert_near(&got, &direct, 0.0, "in memory");
            }
        }
    }
}

#[test]
fn the_target_of_a_file_has_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let latitudes =
        Latitudes::new(vec![40.0, 10.0], Some(vec![[60.0, 25.0], [25.0, 9.0]])).unwrap();
    let longitudes = Longitudes::new(
        vec![-5.0, 5.0, 20.0],
        Some(vec![[-11.0, 0.0], [0.0, 7.0], [7.0, 30.0]]),
    )
    .unwrap();
    let target = Grid::new(latitudes.clone(), longitudes.clone());
    let weights =
        Weights::between(&source(), &target, Method::AreaWeighted, Edges::default()).unwrap();
    for format in [WeightsFormat::Scrip, WeightsFormat::Esmf] {
        weights.write(&path, format, true, None).unwrap();
        let loaded = Weights::load(&path).unwrap().target().unwrap();
        let (got_latitudes, got_longitudes) = loaded.axes().unwrap();
        assert_eq!(got_latitudes.centres(), latitudes.centres());
        assert_eq!(got_latitudes.bounds(), latitudes.bounds());
        assert_eq!(got_longitudes.centres(), longitudes.centres());
        assert_eq!(got_longitudes.bounds(), longitudes.bounds());
    }
}

#[test]
fn a_target_of_single_cells_stays_one_though_they_lie_in_rows_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let cells = || (0..12).map(|i| [f64::from(i / 4), f64::from(i % 4)]);
    let corners = cells().flat_map(|[y, x]| {
        let around = [[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]];
        around.map(|[dy, dx]| (y + dy, x + dx))
    });
    let of = |grid: &Grid, weights: &Weights| {
        let request = Request::new(grid).method(Method::AreaWeighted);
        field(&request.weights(weights), &data("source.nc"))
    };
    for corners in [None, Some(corners.unzip())] {
        let (latitudes, longitudes) = cells().map(|[y, x]| (y, x)).unzip();
        let target = Grid::curvilinear((3, 4), latitudes, longitudes, corners).unwrap();
        let (method, edges) = (Method::AreaWeighted, Edges::default());
        let weights = Weights::between(&source(), &target, method, edges).unwrap();
        let made = of(&target, &weights);
        assert!(made.iter().any(|x| !x.is_nan()));
        for format in [WeightsFormat::Scrip, WeightsFormat::Esmf] {
            weights.write(&path, format, true, None).unwrap();
            let loaded = Weights::load(&path).unwrap();
            let target = loaded.target().unwrap();
            assert!(target.axes().is_none());
            assert_near(&of(&target, &loaded), &made, 1e-12, "from a file");
        }
    }
}

#[test]
fn weights_for_other_grids_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let request = |target: &Grid, weights: &Weights| Request::new(target).weights(weights);
    let refused = |request: Request, file: &str| {
        let error = request
            .build(&Catalogue::open([data(file)]).unwrap())
            .unwrap_err();
        assert!(matches!(error, Error::WeightsGrid { .. }), "{error}");
        error.to_string()
    };
    let shifted = Grid::from_axes(
        (0..12)
            .map(|i| 82.5 - 15.0 * f64::from(i))
            .collect::<Vec<_>>(),
        (0..20)
            .map(|i| 18.0 * f64::from(i) - 180.0)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    between(&shifted, Method::Linear)
        .save(&path, WeightsFormat::Scrip)
        .unwrap();
    let weights = Weights::load(&path).unwrap();
    let said = refused(request(&target(), &weights), "source.nc");
    assert!(
        said.contains("w.nc")
            && said.contains("variable t")
            && said.contains("another source grid"),
        "{said}"
    );
    assert!(
        said.contains(
            "their cell 1 lies at latitude 82.5 longitude -180, not at latitude 82.5 longitude 0"
        ),
        "{said}"
    );
    let said = refused(request(&target(), &weights), "part.nc");
    assert!(said.contains("for 240 cells, not 30"), "{said}");

    // Upside down, as CDO's invertlat would make it.
    let theirs = Weights::load(data("cdo_bil.nc")).unwrap();
    let (latitudes, longitudes) = (
        target().axes().unwrap().0.centres().to_vec(),
        target().axes().unwrap().1.centres().to_vec(),
    );
    let inverted = Grid::from_axes(
        latitudes.iter().rev().copied().collect::<Vec<_>>(),
        longitudes.clone(),
    )
    .unwrap();
    let said = refused(request(&inverted, &theirs), "source.nc");
    assert!(
        said.contains("another target grid") && said.contains("cell 1"),
        "{said}"
    );
    let wider = Grid::from_axes(longitudes, latitudes.clone()).unwrap();
    let said = refused(request(&wider, &theirs), "source.nc");
    assert!(said.contains("for 7 x 9 cells, not 9 x 7"), "{said}");

    // The same centres, other bounds: that matters to the area-weighted mean alone.
    let bounds = |first: f64| {
        let mut bounds = Latitudes::new(latitudes.clone(), None)
            .unwrap()
            .cell_bounds();
        bounds[0][0] = first;
        Grid::new(
            Latitudes::new(latitudes.clone(), Some(bounds)).unwrap(),
            target().axes().unwrap().1.clone(),
        )
    };
    for (method, fits) in [(Method::Linear, true), (Method::AreaWeighted, false)] {
        let made = Weights::between(&source(), &bounds(-80.0), method, Edges::default()).unwrap();
        made.write(&path, WeightsFormat::Esmf, true, None).unwrap();
        let loaded = Weights::load(&path).unwrap();
        let built =
            request(&bounds(-70.0), &loaded).build(&Catalogue::open([data("source.nc")]).unwrap());
        assert_eq!(built.is_ok(), fits, "{method:?}");
    }
}

#[test]
fn another_method_is_refused_if_it_is_stated() {
    let files = Catalogue::open([data("source.nc")]).unwrap();
    let weights = Weights::load(data("cdo_con.nc")).unwrap();
    let request = Request::new(&target()).weights(&weights);
    let error = request
        .clone()
        .method(Method::Linear)
        .build(&files)
        .unwrap_err();
    assert!(matches!(error, Error::WeightsMethod { .. }), "{error}");
    assert!(
        error.to_string().contains("Conservative remapping"),
        "{error}"
    );
    assert!(request.method(Method::AreaWeighted).build(&files).is_ok());
}

/// Makes a file with nothing but `S`, `row` and `col`, as xESMF does.
fn bare(path: &Path, links: &[(i32, i32, f64)]) -> FileMut {
    let mut file = netcdf::create_with(path, Options::NETCDF4).unwrap();
    file.add_dimension("n_s", links.len()).unwrap();
    let mut put = |name: &str, of: fn(&(i32, i32, f64)) -> i32| {
        let values: Vec<i32> = links.iter().map(of).collect();
        file.add_variable::<i32>(name, &["n_s"])
            .unwrap()
            .put_values(&values, ..)
            .unwrap();
    };
    put("row", |l| l.0);
    put("col", |l| l.1);
    let values: Vec<f64> = links.iter().map(|l| l.2).collect();
    file.add_variable::<f64>("S", &["n_s"])
        .unwrap()
        .put_values(&values, ..)
        .unwrap();
    file
}

#[test]
fn a_file_of_xesmf_is_checked_by_its_addresses_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let files = Catalogue::open([data("source.nc")]).unwrap();
    let matrix = between(&source(), Method::Linear);
    let matrix = matrix.matrix();
    let mut links = Vec::new();
    for t in 0..60 {
        links.extend(
            matrix
                .row(t)
                .iter()
                .map(|(s, w)| (t as i32 + 1, s as i32 + 1, w)),
        );
    }
    drop(bare(&path, &links));
    let weights = Weights::load(&path).unwrap();
    assert_eq!((weights.method(), weights.stated()), (None, None));
    assert!(matches!(weights.target(), Err(Error::Nothing { .. })));
    let request = Request::new(&target()).weights(&weights);
    let fields = request.build(&files).unwrap();
    assert!(
        fields[0]
            .notes()
            .iter()
            .any(|note| note.contains("only the numbers of cells"))
    );
    let got = field(&request, &data("source.nc"));
    let expected = field(&Request::new(&target()), &data("source.nc"));
    assert_near(&got[..60], &expected[..60], 1e-12, "bare");
    assert!(
        got[60..].iter().all(|x| x.is_nan()),
        "targets without links are missing"
    );

    let smaller = Grid::from_axes([0.0, 1.0], [0.0, 1.0]).unwrap();
    let error = Request::new(&smaller)
        .weights(&weights)
        .build(&files)
        .unwrap_err();
    assert!(error.to_string().contains("they name cell 60"), "{error}");
    links.push((60, 241, 0.0));
    links.push((60, 241, 1e-3));
    drop(bare(&path, &links));
    let error = Request::new(&target())
        .weights(&Weights::load(&path).unwrap())
        .build(&files)
        .unwrap_err();
    assert!(error.to_string().contains("they name cell 241"), "{error}");
}

#[test]
fn files_that_cannot_be_applied_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let refused = |path: &Path| {
        let error = Weights::load(path).unwrap_err();
        assert!(matches!(error, Error::WeightsFile { .. }), "{error}");
        error.to_string()
    };
    assert!(refused(&data("source.nc")).contains("neither remap_matrix"));
    for (link, said) in [
        ((1, 0, 1.0), "link 1 names source cell 0"),
        ((-3, 1, 1.0), "link 1 names target cell -3"),
        ((1, 1, f64::NAN), "weight of its link 1 is NaN"),
        ((1, 1, f64::INFINITY), "weight of its link 1 is inf"),
        ((1, 1, 7.0), "target cell 1 sum to 7"),
    ] {
        drop(bare(&path, &[link]));
        let text = refused(&path);
        assert!(text.contains(said) && text.contains("w.nc"), "{text}");
    }
    // A copy of CDO's with one address beyond the grid, and with the wrong number of cells.
    std::fs::copy(data("cdo_bil.nc"), &path).unwrap();
    let mut file = netcdf::append(&path).unwrap();
    file.variable_mut("src_address")
        .unwrap()
        .put_value(241, [7])
        .unwrap();
    drop(file);
    assert!(refused(&path).contains("link 8 names source cell 241 of 240"));
    std::fs::copy(data("cdo_bil.nc"), &path).unwrap();
    let mut file = netcdf::append(&path).unwrap();
    file.variable_mut("dst_grid_dims")
        .unwrap()
        .put_value(8, [0])
        .unwrap();
    drop(file);
    assert!(refused(&path).contains("dst_grid_dims [8, 7] do not make the 63 cells"));
}

#[test]
fn weights_are_saved_only_where_they_mean_something_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.nc");
    let error = between(&source(), Method::Max)
        .save(&path, WeightsFormat::Scrip)
        .unwrap_err();
    assert!(
        matches!(error, Error::NotAMean { method: "max" }),
        "{error}"
    );
    let part = Grid::like(data("part.nc")).unwrap();
    let away = Grid::from_axes([80.0], [150.0]).unwrap();
    let nothing = Weights::between(&part, &away, Method::Linear, Edges::default()).unwrap();
    assert!(matches!(
        nothing.save(&path, WeightsFormat::Scrip),
        Err(Error::Nothing { .. })
    ));
    assert!(!path.exists());
    let weights = between(&source(), Method::Linear);
    weights.save(&path, "esmf".parse().unwrap()).unwrap();
    let error = weights.save(&path, WeightsFormat::Scrip).unwrap_err();
    assert!(matches!(error, Error::OutputExists { .. }), "{error}");
    assert!("grib".parse::<WeightsFormat>().is_err());
    // What was loaded can be saved again, in the other format.
    Weights::load(&path)
        .unwrap()
        .write(&path, WeightsFormat::Scrip, true, None)
        .unwrap();
    let again = Weights::load(&path).unwrap();
    assert!(difference(&again.matrix(), &weights.matrix(), 240) < 1e-15);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn grids_of_too_many_cells_are_refused_before_they_take_memory() {
    let (source, target) = (Grid::global(0.01).unwrap(), Grid::global(30.0).unwrap());
    let refused = Weights::between(&source, &target, Method::Linear, Edges::default());
    let error = refused.unwrap_err().to_string();
    assert!(
        error.starts_with("the source grid has 648000000 cells"),
        "{error}"
    );
}
