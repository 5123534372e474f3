//! Memory that is not to be had: an error that says so, and nothing left behind.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod command;
mod sources;

use std::process::{Command, Stdio};

use command::regrid;
use netcdf::Options;
use sources::{alone, noise};

#[test]
fn too_little_memory_is_what_is_said_and_nothing_is_left() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    noise(&folder.path().join("in.nc"), Options::NETCDF4, 1, 45, 90);
    let run = |kilobytes: &str, grid: &str| {
        let program = regrid();
        let mut limited = Command::new("sh");
        limited
            .args([
                "-c",
                "ulimit -v \"$1\"; shift; exec \"$@\"",
                "sh",
                kilobytes,
            ])
            .arg(program.get_program())
            .args([
                "in.nc",
                "-o",
                "out.nc",
                "-m",
                "inverse-distance",
                "--chunk",
                "9000x9000",
            ])
            .args(["--grid", grid, "-j", "1"])
            .current_dir(folder.path())
            .stderr(Stdio::piped());
        let ended = limited.output().unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stderr).unwrap(),
        )
    };
    let (code, said) = run("600000", "r9000x4500");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("there is not enough memory"), "{said}");
    assert!(said.contains("hint: --memory"), "{said}");
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 1);
    // What is small finds its place where addresses are few.
    let (code, said) = run("300000", "r360x180");
    assert_eq!(code, Some(0), "{said}");
}
