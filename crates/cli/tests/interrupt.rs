//! Ctrl-C ends the command with exit code 1 and leaves nothing behind.
//!
//! Were it not heeded, the command would end by itself, with its output written and another exit code.

#![cfg(unix)]

mod command;
mod sources;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use command::regrid;
use netcdf::Options;
use sources::{alone, noise};

/// Starts the command, sends a signal as soon as its plan is printed, and gives its exit code and last line.
fn interrupted(folder: &Path, options: &[&str], signal: &str) -> (Option<i32>, String) {
    let mut child = regrid()
        .arg(folder.join("in.nc"))
        .arg("-o")
        .arg(folder.join("out.nc"))
        .args(options)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("work") {
        line.clear();
        let more = said.read_line(&mut line).unwrap() > 0;
        assert!(more && !line.starts_with("regrid: "), "{line}");
    }
    let sent = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    (child.wait().unwrap().code(), rest)
}

fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_run_of_many_tasks_stops() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    noise(&folder.path().join("in.nc"), Options::NETCDF4, 40, 90, 180);
    for signal in ["INT", "TERM", "HUP"] {
        // Under `nohup` the command, too, takes no notice of it.
        if signal == "HUP" && hangups_are_ignored() {
            continue;
        }
        let ended = interrupted(folder.path(), &["--grid", "0.25", "--deflate", "9"], signal);
        assert_eq!(ended, (Some(1), "regrid: error: interrupted\n".into()));
        assert_eq!(names(folder.path()), ["in.nc"], "after {signal}");
    }
}

#[test]
fn one_long_task_is_not_waited_for() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    noise(&folder.path().join("in.nc"), Options::NETCDF4, 1, 900, 1800);
    let one_chunk = ["--grid", "0.05", "--deflate", "9", "--chunk", "3600x7200"];
    let ended = interrupted(folder.path(), &one_chunk, "INT");
    assert_eq!(ended, (Some(1), "regrid: error: interrupted\n".into()));
    assert_eq!(names(folder.path()), ["in.nc"]);
}
