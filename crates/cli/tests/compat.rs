//! `--compat` gives the masks and edges that the tools themselves give.
//!
//! The answers and their recipe (`make.py`) stand in `crates/regrid/tests/data/compat`.

mod command;

use std::path::{Path, PathBuf};

use command::{data, regrid};

struct Case {
    path: PathBuf,
    source: String,
    options: String,
    tolerance: f64,
    expected: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let folder = data("compat");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("case-")
        })
        .collect();
    paths.sort();
    paths.into_iter().map(case).collect()
}

fn case(path: PathBuf) -> Case {
    let file = netcdf::open(&path).unwrap();
    let text = |name: &str| match file.attribute(name).unwrap().value().unwrap() {
        netcdf::AttributeValue::Str(text) => text,
        other => panic!("{name}: {other:?}"),
    };
    let netcdf::AttributeValue::Double(tolerance) =
        file.attribute("tolerance").unwrap().value().unwrap()
    else {
        panic!("the tolerance is a number")
    };
    Case {
        source: text("source_file"),
        options: text("options"),
        tolerance,
        expected: values(&path, "expected"),
        path,
    }
}

/// The values of a variable, NaN where they are missing.
fn values(path: &Path, name: &str) -> Vec<f64> {
    let file = netcdf::open(path).unwrap();
    let variable = file.variable(name).unwrap();
    let fill: f64 = variable.fill_value().unwrap().unwrap();
    let values = variable.get_values::<f64, _>(..).unwrap();
    values
        .into_iter()
        .map(|x| if x == fill { f64::NAN } else { x })
        .collect()
}

fn run(case: &Case, options: &[&str]) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.nc");
    let done = regrid()
        .arg(data("compat").join(&case.source))
        .arg("-o")
        .arg(&out)
        .arg("--like")
        .arg(&case.path)
        .args(options)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", case.path.display());
    values(&out, "t")
}

#[test]
fn every_tool_is_followed() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert_eq!(cases.len(), 24, "cases");
    for case in &cases {
        let options: Vec<&str> = case.options.split_whitespace().collect();
        let got = run(case, &options);
        let differs = |(got, expected): &(&f64, &f64)| {
            got.is_nan() != expected.is_nan() || (*got - *expected).abs() > case.tolerance
        };
        let places: Vec<usize> = got
            .iter()
            .zip(&case.expected)
            .enumerate()
            .filter_map(|(i, pair)| differs(&pair).then_some(i))
            .collect();
        if let Some(&first) = places.first() {
            wrong.push(format!(
                "{}: {} of {} differ, the first at {first}: {} for {}",
                case.path.file_name().unwrap().display(),
                places.len(),
                got.len(),
                got[first],
                case.expected[first]
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Without `--compat` the others have another mask: the cases would not tell otherwise.
#[test]
fn the_tools_differ_from_the_default() {
    let mut same = Vec::new();
    for case in cases() {
        let options: Vec<&str> = case.options.split_whitespace().skip(2).collect();
        let got = run(&case, &options);
        let masks = got.iter().zip(&case.expected);
        if masks.clone().all(|(a, b)| a.is_nan() == b.is_nan()) {
            same.push(
                case.path
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    let known = [
        "case-cdo-area-globe",
        "case-cdo-area-reg",
        "case-cdo-distance-globe",
        "case-cdo-largest-globe",
        "case-cdo-largest-reg",
        "case-cdo-nearest-globe",
        "case-iris-area-1",
        "case-iris-area-globe",
        "case-iris-linear-globe",
    ];
    assert_eq!(same, known);
}
