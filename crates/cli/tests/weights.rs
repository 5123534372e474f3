//! Weights that are made once give what the command makes without them, and nothing else is taken for them.

mod command;

use std::fs;
use std::path::Path;
use std::process::Output;

use command::{data, regrid};

/// Runs the command in a folder; its words are separated by blanks.
fn run(folder: &Path, words: &str) -> Output {
    regrid()
        .current_dir(folder)
        .args(words.split(' '))
        .output()
        .unwrap()
}

fn done(folder: &Path, words: &str) -> String {
    let output = run(folder, words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "regrid {words}\n{said}");
    said
}

fn refused(folder: &Path, words: &str, code: i32, says: &str) {
    let output = run(folder, words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "regrid {words}\n{said}");
    assert!(said.contains(says), "regrid {words}\n{said}");
    assert!(!folder.join("new.nc").exists(), "regrid {words}");
}

fn values(path: &Path) -> Vec<f64> {
    let file = netcdf::open(path).unwrap();
    file.variable("t").unwrap().get_values(..).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "source.nc",
        "part.nc",
        "cdo_bil.nc",
        "cdo_con.nc",
        "fields.nc",
    ] {
        fs::copy(data(&format!("weights/{name}")), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn weights_give_what_is_made_without_them() {
    let folder = folder();
    let at = folder.path();
    for method in [
        "linear",
        "nearest",
        "cubic",
        "area-weighted",
        "inverse-distance",
    ] {
        done(
            at,
            &format!("source.nc -o direct.nc --grid 20 -m {method} --force"),
        );
        for format in ["scrip", "esmf"] {
            let said = done(
                at,
                &format!(
                    "weights source.nc -o w.nc --grid 20 -m {method} --format {format} --force"
                ),
            );
            assert!(
                said.contains(method) && said.contains("wrote   w.nc"),
                "{said}"
            );
            // The target of the file, and the same one named again.
            for target in ["", " --grid 20", " --like direct.nc"] {
                done(
                    at,
                    &format!("source.nc -o out.nc --weights w.nc{target} --force"),
                );
                let pairs = values(&at.join("out.nc"))
                    .into_iter()
                    .zip(values(&at.join("direct.nc")));
                for (got, expected) in pairs {
                    assert!(
                        (got - expected).abs() <= 1e-12,
                        "{method} {format}: {got} {expected}"
                    );
                }
            }
        }
    }
    let file = netcdf::open(at.join("out.nc")).unwrap();
    let history: String = file
        .attribute("history")
        .unwrap()
        .value()
        .unwrap()
        .try_into()
        .unwrap();
    assert!(
        history.contains("method inverse-distance, the weights in w.nc"),
        "{history}"
    );
    let axis: Vec<f64> = file.variable("latitude").unwrap().get_values(..).unwrap();
    assert_eq!(axis[..2], [-80.0, -60.0]);
}

#[test]
fn the_plan_names_the_weights_and_their_method() {
    let folder = folder();
    let words = "source.nc --weights cdo_con.nc --explain";
    let output = run(folder.path(), words);
    let plan = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        plan.contains(
            "Conservative remapping using clipping on sphere, by the weights in cdo_con.nc"
        ),
        "{plan}"
    );
    assert!(
        plan.contains("7 x 9, latitude -58.3 to 56.3, longitude -33.5 to 76.1"),
        "{plan}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = folder();
    let at = folder.path();
    refused(
        at,
        "part.nc -o new.nc --weights cdo_bil.nc",
        1,
        "another source grid than that of variable t in part.nc",
    );
    refused(
        at,
        "source.nc -o new.nc --weights cdo_bil.nc --grid 20",
        1,
        "another target grid",
    );
    refused(
        at,
        "source.nc -o new.nc --weights cdo_bil.nc -m nearest",
        1,
        "another method: Bilinear remapping, not nearest",
    );
    refused(
        at,
        "source.nc -o new.nc --weights source.nc",
        1,
        "source.nc cannot be used as weights",
    );
    refused(
        at,
        "source.nc -o new.nc --weights none.nc",
        1,
        "cannot read none.nc",
    );
    refused(
        at,
        "source.nc -o new.nc --weights cdo_bil.nc --pole none",
        2,
        "--pole",
    );
    refused(
        at,
        "source.nc -o new.nc --weights cdo_bil.nc --outside nearest",
        2,
        "--outside",
    );
    refused(
        at,
        "source.nc -o cdo_bil.nc --weights cdo_bil.nc --force",
        1,
        "is the file that --weights names",
    );
    refused(
        at,
        "source.nc -o new.nc --weights cdo_bil.nc --graph cdo_bil.nc",
        2,
        "--graph",
    );
    refused(
        at,
        "weights source.nc -o new.nc",
        2,
        "no target grid is named",
    );
    refused(
        at,
        "weights source.nc -o new.nc --grid 20 -m median",
        1,
        "median cannot be saved",
    );
    refused(
        at,
        "weights source.nc -o new.nc --grid 20 --format grib",
        2,
        "grib",
    );
    refused(at, "weights source.nc -o new.nc --grid 20 -v q", 1, "\"q\"");
    refused(
        at,
        "weights source.nc -o source.nc --grid 20 --force",
        1,
        "is one of the inputs",
    );
    refused(
        at,
        "weights source.nc -o cdo_bil.nc --grid 20",
        1,
        "--force replaces it",
    );
    assert_eq!(fs::read_dir(at).unwrap().count(), 5);
}

/// Files of xESMF's hold no more than that.
#[test]
fn weights_that_do_not_say_where_their_targets_lie_need_a_target() {
    let folder = folder();
    let at = folder.path();
    {
        let mut file = netcdf::create(at.join("bare.nc")).unwrap();
        file.add_dimension("n_s", 2).unwrap();
        for (name, numbers) in [("row", [1, 2]), ("col", [1, 2])] {
            let mut variable = file.add_variable::<i32>(name, &["n_s"]).unwrap();
            variable.put_values(&numbers, ..).unwrap();
        }
        let mut weights = file.add_variable::<f64>("S", &["n_s"]).unwrap();
        weights.put_values(&[1.0, 1.0], ..).unwrap();
    }
    let says = "name it with --like, --grid, or --lat with --lon";
    refused(at, "source.nc -o new.nc --weights bare.nc", 1, says);
}
