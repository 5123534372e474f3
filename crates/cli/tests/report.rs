//! `--report` tells what became of a field; `--max-error` refuses an output whose integral is not the source's.

mod command;

use command::{data, regrid};

fn run(folder: &std::path::Path, options: &str) -> std::process::Output {
    regrid()
        .arg(data("g1_mask.nc"))
        .arg("-o")
        .arg(folder.join("out.nc"))
        .args(["--grid", "5", "--quiet", "--force"])
        .args(options.split_whitespace())
        .output()
        .unwrap()
}

#[test]
fn the_report_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), "-m area-weighted --report --max-error 1e-8");
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "air_temperature");
    let labels: Vec<&str> = lines[1..]
        .iter()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        labels,
        [
            "source", "minimum", "maximum", "missing", "mean", "integral", "relative"
        ]
    );
    assert!(lines[4].contains("58443 of 194400"), "{said}");
    assert!(folder.path().join("out.nc").exists());
}

#[test]
fn an_integral_that_is_not_kept_fails_after_the_report() {
    let folder = tempfile::tempdir().unwrap();
    for options in [
        "-m linear --report --max-error 1e-8",
        "-m linear --max-error 1e-8",
        "-m sum --max-error 1",
    ] {
        let done = run(folder.path(), options);
        let complaint = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{options}");
        assert!(
            complaint.starts_with("regrid: error: the integral of air_temperature "),
            "{complaint}"
        );
        assert_eq!(
            done.stdout.is_empty(),
            !options.contains("--report"),
            "{options}"
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{options}"
        );
    }
    let done = run(folder.path(), "--max-error -1");
    assert_eq!(done.status.code(), Some(2));
}
