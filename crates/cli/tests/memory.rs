//! `--memory` is held by what tasks make, and changes no value; `--profile` shows it.

mod command;
mod sources;

use std::path::Path;

use command::regrid;
use netcdf::Options;
use sources::{alone, noise};

/// Runs a job, and gives the values and the profile.
fn run(folder: &Path, more: &[&str]) -> (Vec<f32>, String) {
    let (output, profile) = (folder.join("out.nc"), folder.join("profile.json"));
    let done = regrid()
        .arg(folder.join("in.nc"))
        .args(["--grid", "0.5", "-j", "2", "--force", "--quiet", "-o"])
        .arg(&output)
        .arg("--profile")
        .arg(&profile)
        .args(more)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let file = netcdf::open(&output).unwrap();
    let values = file.variable("t").unwrap().get_values(..).unwrap();
    (values, std::fs::read_to_string(profile).unwrap())
}

/// The most bytes alive by a trace.
fn peak(trace: &str) -> u64 {
    let lines = trace
        .lines()
        .filter_map(|line| line.split("{\"bytes\":").nth(1));
    let bytes = lines.map(|rest| rest.split('}').next().unwrap().parse::<u64>().unwrap());
    bytes.max().unwrap()
}

#[test]
fn less_memory_gives_the_same_values() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 80, 90, 180);
    let (values, free) = run(folder, &[]);
    // A twentieth of what is written.
    let budget = (values.len() * 4 / 20) as u64;
    let (same, held) = run(folder, &["--memory", &budget.to_string()]);
    assert!(
        values
            .iter()
            .zip(&same)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    );
    assert!(peak(&held) <= budget, "{} of {budget}", peak(&held));
    assert!(peak(&held) < peak(&free));
    for step in ["t: read", "t: regrid", "t: write"] {
        assert!(held.contains(&format!("\"cat\":\"{step}\"")), "{step}");
    }
}

#[test]
fn a_profile_is_a_page_or_a_trace_and_replaces_nothing_unasked() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 2, 9, 18);
    let job = |profile: &str, more: &[&str]| {
        let mut command = regrid();
        command
            .arg(folder.join("in.nc"))
            .args(["--grid", "10", "-o"]);
        command
            .arg(folder.join("out.nc"))
            .arg("--profile")
            .arg(folder.join(profile))
            .args(more);
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(job("a.html", &["--quiet"]), (Some(0), String::new()));
    assert!(
        std::fs::read_to_string(folder.join("a.html"))
            .unwrap()
            .ends_with("</html>\n")
    );
    std::fs::remove_file(folder.join("out.nc")).unwrap();
    let (code, said) = job("a.html", &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("a.html exists already"), "{said}");
    assert!(!folder.join("out.nc").exists());
    assert_eq!(job("a.png", &[]).0, Some(2));
    assert_eq!(job("b.json", &["--explain"]).0, Some(2));
    assert_eq!(job("out.nc", &[]).0, Some(2));
    let refused = job("b.json", &["--memory", "lots"]);
    assert_eq!(refused.0, Some(2));
    assert!(refused.1.contains("as in 2GiB"), "{}", refused.1);
    assert_eq!(job("b.json", &["--memory", "1k"]).0, Some(2));
}

#[test]
#[cfg(target_os = "linux")]
fn a_plan_tells_the_memory_of_the_process_and_refuses_too_many_chunks() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.nc");
    noise(&input, Options::NETCDF4, 2, 9, 18);
    let explain = |grid: &str| {
        let mut command = regrid();
        command.arg(&input).args(["--grid", grid, "--explain"]);
        command.output().unwrap()
    };
    let told = String::from_utf8(explain("10").stdout).unwrap();
    assert!(
        told.contains("MB with the program and its planning"),
        "{told}"
    );
    let refused = explain("r2000000x2000000");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("chunks, more than 2000000"), "{said}");
}
