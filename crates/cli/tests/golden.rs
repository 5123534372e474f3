//! The command gives the golden answers: those of an independent tool, case by case.
//!
//! The cases and their recipe stand in `crates/regrid/tests/data`.

mod command;

use std::path::{Path, PathBuf};
use std::process::Output;

use command::{data, regrid};
use ndarray::ArrayD;

/// Rounding of sums of a few hundred kelvin in double precision, with room to spare.
const DOUBLE: f64 = 1e-9;
/// About two units in the last place of a 32-bit float, as a share of the largest value.
const SINGLE: f64 = 2e-7;

#[test]
fn every_case_is_answered_within_its_tolerance() {
    let mut failures = Vec::new();
    let mut done = 0;
    for case in cases() {
        let name = text(&case, "case").expect("a case has a name");
        let outcome = match text(&case, "tolerance").as_deref() {
            Some("none: refusal expected") => refused(&case),
            _ => compared(&case),
        };
        match outcome {
            Ok(report) => println!("{name}: {report}"),
            Err(report) => failures.push(format!("{name}: {report}")),
        }
        done += 1;
    }
    assert_eq!(done, 27, "cases");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(data("golden"))
        .expect("the cases are there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "nc"))
        .collect();
    cases.sort();
    cases
}

fn text(case: &Path, attribute: &str) -> Option<String> {
    let file = netcdf::open(case).expect("a case is a netCDF file");
    match file.attribute(attribute)?.value() {
        Ok(netcdf::AttributeValue::Str(text)) => Some(text),
        _ => None,
    }
}

/// Runs the command of a case.
fn run(case: &Path, out: &Path) -> Output {
    let source = text(case, "source_file").expect("a case names its source");
    let variable = text(case, "source_variable").expect("a case names its variable");
    let options = text(case, "options").expect("a case has options");
    regrid()
        .arg(data(&source))
        .arg("-o")
        .arg(out)
        .arg("--like")
        .arg(case)
        .args(["-v", &variable])
        .args(options.split_whitespace())
        .output()
        .expect("the command runs")
}

/// How far an answer may lie from that of a tool that computes it otherwise, and rightly so.
struct Limits {
    median: f64,
    percentile_99: f64,
    largest: f64,
    root_mean_square: f64,
    /// The share of the points that may be missing in one answer only.
    one_sided: f64,
}

impl Limits {
    fn of(case: &str) -> Option<Self> {
        let limits = |median, percentile_99, largest, one_sided| Self {
            median,
            percentile_99,
            largest,
            root_mean_square: f64::INFINITY,
            one_sided,
        };
        match case {
            "curv-orca2-con" => Some(limits(0.002, 0.02, 0.5, 0.006)),
            "curv-orca2-lin" => Some(limits(0.003, 0.06, 0.5, 0.006)),
            "curv-orca2-nn" => Some(limits(1e-6, 1e-5, 0.5, 0.001)),
            "con2-g1-half" => Some(Self {
                root_mean_square: 0.032,
                ..limits(f64::INFINITY, f64::INFINITY, 0.3, 0.0)
            }),
            _ => None,
        }
    }

    fn judge(&self, differences: &mut [f64], one_sided: f64) -> Result<String, String> {
        differences.sort_by(f64::total_cmp);
        let at = |share: f64| differences[((differences.len() - 1) as f64 * share) as usize];
        let squares: f64 = differences.iter().map(|d| d * d).sum();
        let root_mean_square = (squares / differences.len() as f64).sqrt();
        let (median, percentile_99, largest) = (at(0.5), at(0.99), at(1.0));
        let report = format!(
            "{} values, median {median:e}, 99th percentile {percentile_99:e}, largest {largest:e}, root mean square \
             {root_mean_square:e}, share missing in one only {one_sided:e}",
            differences.len()
        );
        let within = median <= self.median
            && percentile_99 <= self.percentile_99
            && largest <= self.largest
            && root_mean_square <= self.root_mean_square
            && one_sided <= self.one_sided;
        if within { Ok(report) } else { Err(report) }
    }
}

fn refused(case: &Path) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let done = run(case, &folder.path().join("out.nc"));
    let said = String::from_utf8_lossy(&done.stderr);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    match (done.status.code(), left) {
        (Some(1), 0) if said.starts_with("regrid: error: ") && said.contains("outside") => {
            Ok("refused".into())
        }
        (code, left) => Err(format!(
            "exit code {code:?}, {left} files left, it said: {said}"
        )),
    }
}

fn compared(case: &Path) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.nc");
    let done = run(case, &out);
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let golden = netcdf::open(case).unwrap();
    let result = netcdf::open(&out).unwrap();
    let variable = text(case, "source_variable").unwrap();
    let variable = result.variable(&variable).ok_or("no such variable")?;
    let double = match variable.vartype().size() {
        8 => true,
        4 => false,
        size => return Err(format!("values of {size} bytes")),
    };
    let fill: f64 = match variable.attribute_value("_FillValue") {
        Some(Ok(value)) => value.try_into().map_err(|e| format!("{e}"))?,
        _ => return Err("no fill value".into()),
    };
    let got: ArrayD<f64> = variable.get(..).unwrap();
    let expected = golden.variable("expected").unwrap();
    let missing: f64 = match expected.attribute_value("_FillValue") {
        Some(Ok(value)) => value.try_into().unwrap(),
        _ => panic!("`expected` has a fill value"),
    };
    let expected: ArrayD<f64> = expected.get(..).unwrap();
    let index: Option<Vec<i32>> = golden
        .variable("index")
        .map(|index| index.get_values(..).unwrap());
    let compare: Option<Vec<i8>> = golden
        .variable("compare")
        .map(|compare| compare.get_values(..).unwrap());

    let (steps, points) = (expected.shape()[0], expected.len() / expected.shape()[0]);
    let plane = got.shape().iter().rev().take(2).product::<usize>();
    if got.len() / plane < steps {
        return Err(format!("{:?} for {steps} steps", got.shape()));
    }
    let got = got.as_slice().unwrap();
    let largest = expected.iter().filter(|&&x| x != missing);
    let largest = largest.fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let tolerance = match (text(case, "method").as_deref(), double) {
        (Some("nearest"), _) => 0.0,
        (Some("inverse-distance"), _) => 1e-4,
        (Some("cubic"), true) => 1e-6,
        (_, true) => DOUBLE,
        (_, false) => SINGLE * largest,
    };
    let mut worst = (0.0_f64, 0, 0);
    let mut differences = Vec::new();
    let (mut compared, mut wrongly_missing, mut wrongly_there) = (0_u32, 0_u32, 0_u32);
    for (i, &want) in expected.iter().enumerate() {
        let (step, point) = (i / points, i % points);
        let place = index.as_ref().map_or(point, |index| index[point] as usize);
        // A mask has one value for each point, or one for each point and step.
        if let Some(mask) = &compare
            && mask[i % mask.len()] == 0
        {
            continue;
        }
        compared += 1;
        let have = got[step * plane + place];
        let is_missing = have.is_nan() || have == fill;
        match (want == missing, is_missing) {
            (true, true) => {}
            (true, false) => wrongly_there += 1,
            (false, true) => wrongly_missing += 1,
            // A float holds the nearest of its numbers: what a nearest value is compared with is one, too.
            (false, false) => {
                let want = if tolerance == 0.0 && !double {
                    f64::from(want as f32)
                } else {
                    want
                };
                differences.push((have - want).abs());
                if (have - want).abs() > worst.0 {
                    worst = ((have - want).abs(), step, place);
                }
            }
        }
    }
    let report = format!(
        "{compared} values, largest difference {:e} at step {} place {} (tolerance {tolerance:e}), \
         {wrongly_missing} wrongly missing, {wrongly_there} wrongly there",
        worst.0, worst.1, worst.2
    );
    if let Some(limits) = Limits::of(&text(case, "case").unwrap_or_default()) {
        let one_sided = f64::from(wrongly_missing + wrongly_there) / f64::from(compared);
        return limits.judge(&mut differences, one_sided);
    }
    if compared > 0 && worst.0 <= tolerance && wrongly_missing == 0 && wrongly_there == 0 {
        Ok(report)
    } else {
        Err(report)
    }
}
