//! What `--explain` prints is what the run's profile shows, figure by figure.

#![cfg(target_os = "linux")]

mod command;
mod sources;

use std::path::{Path, PathBuf};

use command::{data, regrid};
use netcdf::Options;
use sources::{alone, noise};

/// What a command prints, once it has come to a good end.
fn printed(arguments: &[&str], input: &Path, output: &Path) -> String {
    let mut command = regrid();
    command.arg(input).args(arguments).arg("-o").arg(output);
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// The rest of a plan's line after its first word.
fn line<'a>(plan: &'a str, name: &str) -> &'a str {
    let line = plan.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{plan}"))
        .trim()
}

/// The number, in bytes if a unit follows it, in front of some words of a line; of no words, at its end.
fn amount(line: &str, words: &str) -> f64 {
    let end = line
        .rfind(words)
        .unwrap_or_else(|| panic!("no {words} in {line}"));
    let mut before = line[..end].split_whitespace().rev().peekable();
    let unit = match *before.peek().unwrap() {
        "B" => Some(1.0),
        "kB" => Some(1e3),
        "MB" => Some(1e6),
        _ => None,
    };
    if unit.is_some() {
        before.next();
    }
    let number: f64 = before.next().unwrap().parse().unwrap();
    number * unit.unwrap_or(1.0)
}

/// A figure of a trace.
fn fact(trace: &str, name: &str) -> f64 {
    let after = trace.split_once(&format!("\"{name}\":"));
    let (_, after) = after.unwrap_or_else(|| panic!("no {name} in {trace}"));
    let end = after.find([',', '}']).unwrap();
    after[..end].parse().unwrap()
}

/// Runs a job, and compares what was foretold with what was. What is printed has two digits.
fn compare(input: &Path, options: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (output, profile) = (folder.path().join("o.nc"), folder.path().join("p.json"));
    let plan = printed(&[options, &["--explain"]].concat(), input, &output);
    let profiled = [
        options,
        &["--quiet", "--profile", profile.to_str().unwrap()],
    ]
    .concat();
    printed(&profiled, input, &output);
    let trace = std::fs::read_to_string(profile).unwrap();
    let trace = trace.lines().next().unwrap();
    let (read, write, memory) = (
        line(&plan, "read"),
        line(&plan, "write"),
        line(&plan, "memory"),
    );
    let figures = [
        ("tasks", amount(line(&plan, "work"), " task"), 0.0),
        ("storage chunks read", amount(read, " storage"), 0.0),
        ("bytes read", amount(read, " of files"), 0.0),
        ("bytes written", amount(write, " before"), 0.0),
        ("bytes of weights", amount(line(&plan, "weights"), ""), 0.0),
        ("most bytes alive", amount(memory, " of it values"), 0.0),
        // What the libraries and the allocator take beside is the system's affair.
        ("most bytes in memory", resident(&plan), 3e6),
    ];
    for (name, foretold, slack) in figures {
        let found = fact(trace, name);
        let apart = (found - foretold).abs();
        assert!(
            apart <= 0.1 * found + slack,
            "{name}: {found}, where this was foretold:\n{plan}"
        );
    }
    let (stored, file) = (
        fact(trace, "bytes stored"),
        output.metadata().unwrap().len() as f64,
    );
    assert!((0.5 * file..file).contains(&stored), "{stored} of {file}");
}

fn resident(plan: &str) -> f64 {
    let words = " with the program and its planning";
    let line = plan.lines().find(|line| line.contains(words));
    amount(line.unwrap_or_else(|| panic!("{plan}")), words)
}

#[test]
fn every_figure_is_what_the_profile_shows() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.nc");
    noise(&plain, Options::NETCDF4, 40, 60, 120);
    // By a run of its own its chunks come to be compressed.
    let input = folder.path().join("in.nc");
    printed(&["--grid", "r120x60", "--quiet"], &plain, &input);
    let on_one = ["-j", "1", "--grid", "r240x120"];
    compare(&input, &on_one);
    compare(
        &input,
        &[&on_one[..], &["--memory", "4MiB", "--deflate", "4"]].concat(),
    );
    compare(
        &input,
        &[&on_one[..], &["--report", "--chunk", "60x60"]].concat(),
    );
    compare(
        &input,
        &["-j", "1", "--grid", "r90x45", "-m", "area-weighted"],
    );
}

#[test]
fn a_plan_is_told_as_a_whole() {
    let input: PathBuf = data("ostia_monthly.nc");
    let options = [
        "--grid",
        "r72x36",
        // On several threads it would depend on how many cores there are.
        "-j",
        "1",
        "--memory",
        "64MiB",
        "--explain",
    ];
    let folder = tempfile::tempdir().unwrap();
    let plan = printed(&options, &input, &folder.path().join("out.nc"));
    let plan = plan.replace(input.to_str().unwrap(), "ostia_monthly.nc");
    // What the process has is another number on each machine.
    let told = plan
        .lines()
        .filter(|line| !line.contains("with the program"));
    let told: Vec<&str> = told.collect();
    assert_eq!(told.join("\n"), WHOLE);
}

const WHOLE: &str = "\
source   ostia_monthly.nc
         18 x 432, latitude -4.99999 to 4.44445, longitude 0 to 359.16666, all the way round
target   36 x 72, latitude -87.5 to 87.5, longitude 0 to 355, all the way round
method   linear, outside missing, pole mean
fields   surface_temperature  float  time 54, latitude 36, longitude 72
read     54 storage chunks, 1.7 MB
write    3 chunks, 560 kB before deflate 1
work     9 tasks on 1 thread
weights  1.8 kB
memory   1.7 MB at its peak, 1.0 MB of it values (the limit is 67 MB)";
