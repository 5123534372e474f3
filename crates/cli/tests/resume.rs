//! `--resume` goes on with what a killed run left, and the result is what an undisturbed run gives, byte for byte.

#![cfg(unix)]

mod command;
mod leftovers;
mod sources;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use command::regrid;
use leftovers::{names, records};
use netcdf::Options;
use sources::{alone, noise};

const OPTIONS: [&str; 6] = ["--grid", "1", "--chunk", "10x90", "--deflate", "9"];

fn job(folder: &Path, output: &str, more: &[&str]) -> Command {
    let mut command = regrid();
    command
        // Histories tell the time and the command: nothing else may differ.
        .env("SOURCE_DATE_EPOCH", "1000000000")
        .current_dir(folder)
        .args(["in.nc", "-o", output])
        .args(OPTIONS)
        .args(more)
        .stderr(Stdio::piped());
    command
}

fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// Starts a job and kills it once its journal tells of so many chunks; false if it was done before.
fn killed(mut command: Command, journal: &Path, chunks: usize) -> bool {
    let mut child = command.spawn().unwrap();
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if journal.exists() && records(journal) >= chunks {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The bytes of the file that a run gives which nobody disturbs.
fn undisturbed(folder: &Path, more: &[&str]) -> Vec<u8> {
    done(job(folder, "out.nc", more));
    let bytes = std::fs::read(folder.join("out.nc")).unwrap();
    std::fs::remove_file(folder.join("out.nc")).unwrap();
    let stated = b"2001-09-09T01:46:40Z regrid";
    assert!(bytes.windows(stated.len()).any(|at| at == stated));
    bytes
}

/// How many chunks the plan says are taken over.
fn taken_over(said: &str) -> usize {
    let line = said.lines().find_map(|line| line.strip_prefix("resume"));
    line.map_or(0, |line| {
        line.split_whitespace().next().unwrap().parse().unwrap()
    })
}

#[test]
fn a_killed_run_goes_on_where_it_stopped() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 12, 90, 180);
    let journal = folder.join(".out.nc.journal");

    let taken = |threads: &str, moments: &[usize]| {
        let options = ["-j", threads, "--resume"];
        let expected = undisturbed(folder, &["-j", threads]);
        let mut kills = 0;
        for &more in moments {
            let before = records(&journal);
            if !killed(job(folder, "out.nc", &options), &journal, before + more) {
                break;
            }
            // It may have been done just then.
            if folder.join("out.nc").exists() {
                break;
            }
            kills += 1;
            let left = names(folder);
            assert!(left.contains(&".out.nc.journal".to_owned()), "{left:?}");
        }
        let said = match folder.join("out.nc").exists() {
            true => String::new(),
            false => done(job(folder, "out.nc", &options)),
        };
        assert!(
            std::fs::read(folder.join("out.nc")).unwrap() == expected,
            "{moments:?}"
        );
        std::fs::remove_file(folder.join("out.nc")).unwrap();
        (kills, taken_over(&said))
    };
    taken("1", &[0, 1, 5, 0]);
    let (kills, chunks) = taken("2", &[3, 10]);
    assert!(kills < 2 || chunks >= 10, "{kills} {chunks}");
    let (kills, chunks) = taken("1", &[20]);
    assert!(kills == 1 && chunks >= 20, "{kills} {chunks}");
    assert_eq!(names(folder), ["in.nc"]);
}

#[test]
fn what_a_run_without_the_option_left_is_taken_over_too_or_removed() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 12, 90, 180);
    let expected = undisturbed(folder, &[]);
    let journal = folder.join(".out.nc.journal");

    assert!(killed(job(folder, "out.nc", &[]), &journal, 20));
    // The part of the file that is torn off is made again.
    let part = folder.join(".out.nc.part1");
    let len = part.metadata().unwrap().len();
    let file = std::fs::File::options().write(true).open(&part).unwrap();
    file.set_len(len - len / 3).unwrap();
    let said = done(job(folder, "out.nc", &["--resume"]));
    assert!(taken_over(&said) > 0, "{said}");
    assert!(std::fs::read(folder.join("out.nc")).unwrap() == expected);
    std::fs::remove_file(folder.join("out.nc")).unwrap();

    assert!(killed(job(folder, "out.nc", &[]), &journal, 5));
    assert_eq!(taken_over(&done(job(folder, "out.nc", &[]))), 0);
    assert!(std::fs::read(folder.join("out.nc")).unwrap() == expected);
    assert_eq!(names(folder), ["in.nc", "out.nc"]);
}

#[test]
fn leftovers_of_another_request_are_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 12, 90, 180);
    let journal = folder.join(".out.nc.journal");
    assert!(killed(job(folder, "out.nc", &[]), &journal, 5));
    let left = names(folder);
    let refused = |command: &mut Command, what: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("holds what a run left that did something else"),
            "{said}"
        );
        assert!(said.contains(what), "{said}");
        assert_eq!(names(folder), left, "nothing is touched");
    };
    refused(
        &mut job(folder, "out.nc", &["--resume", "-m", "nearest"]),
        "method",
    );
    // To explain touches nothing either.
    let explained = job(folder, "out.nc", &["--explain"]).output().unwrap();
    assert!(explained.status.success());
    assert_eq!(names(folder), left);
    // The input is another file by now.
    std::fs::remove_file(folder.join("in.nc")).unwrap();
    noise(&folder.join("in.nc"), Options::NETCDF4, 12, 90, 180);
    refused(&mut job(folder, "out.nc", &["--resume"]), "in.nc");
}

#[test]
fn weights_that_changed_meanwhile_are_another_request() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 4, 90, 180);
    let make = ["weights", "in.nc", "-o", "w.nc", "--grid", "1"];
    let made = regrid().current_dir(folder).args(make).output().unwrap();
    assert!(made.status.success());
    let journal = folder.join(".out.nc.journal");
    let options = ["--weights", "w.nc", "--resume"];
    assert!(killed(job(folder, "out.nc", &options), &journal, 5));
    {
        // Two weights of the second of 64800 rows change places.
        let mut file = netcdf::append(folder.join("w.nc")).unwrap();
        let rows = file.variable("dst_address").unwrap();
        let rows: Vec<i32> = rows.get_values(..).unwrap();
        let mut links = (0..rows.len()).filter(|&link| rows[link] == 2);
        let mut weights = file.variable_mut("remap_matrix").unwrap();
        let weight = |link: usize| -> f64 { weights.get_value([link, 0]).unwrap() };
        let (first, a) = links.next().map(|link| (link, weight(link))).unwrap();
        let others = links.map(|link| (link, weight(link)));
        let (other, b) = { others }.find(|(_, b)| *b != a).unwrap();
        weights.put_value(b, [first, 0]).unwrap();
        weights.put_value(a, [other, 0]).unwrap();
    }
    let output = job(folder, "out.nc", &options).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("'input w.nc"), "{said}");
}

#[test]
fn an_interrupt_leaves_what_can_be_resumed_only_if_asked() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 40, 90, 180);
    let journal = folder.join(".out.nc.journal");
    for (options, left) in [(&[][..], false), (&["--resume"], true)] {
        let mut child = job(folder, "out.nc", options).spawn().unwrap();
        while records(&journal) < 5 {
            std::thread::sleep(Duration::from_micros(200));
        }
        let pid = child.id().to_string();
        Command::new("kill")
            .args(["-s", "INT", &pid])
            .status()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(journal.exists(), left);
    }
    let said = done(job(folder, "out.nc", &["--resume"]));
    assert!(taken_over(&said) > 0, "{said}");
}

#[test]
fn a_run_that_was_killed_while_it_tidied_up_is_complete() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 4, 45, 90);
    let expected = undisturbed(folder, &[]);
    let (output, journal) = (folder.join("out.nc"), folder.join(".out.nc.journal"));
    // Stopped at its end by a name that is taken: as it is between renaming and removing, but for the name.
    let stopped = |resume: &[&str]| {
        let child = job(folder, "out.nc", resume).spawn().unwrap();
        while !journal.exists() || records(&journal) == 0 {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::fs::write(&output, "another's").unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
    };
    stopped(&["--resume"]);
    let part = folder.join(".out.nc.part1");
    // Another's file is no output of ours.
    let refused = job(folder, "out.nc", &["--resume"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(journal.exists() && part.exists());
    std::fs::rename(&part, &output).unwrap();
    std::fs::write(folder.join(".out.nc.part7"), "left").unwrap();
    // Another request is not what made it.
    let other = job(folder, "out.nc", &["--resume", "-m", "nearest"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
    assert!(journal.exists());
    let said = done(job(folder, "out.nc", &["--resume"]));
    assert!(said.contains("out.nc is complete already"), "{said}");
    assert!(std::fs::read(&output).unwrap() == expected);
    assert_eq!(names(folder), ["in.nc", "out.nc"]);
    // Now it is there like any other file.
    let again = job(folder, "out.nc", &["--resume"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn what_is_finished_is_kept_if_its_place_is_taken_meanwhile() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 40, 90, 180);
    let journal = folder.join(".out.nc.journal");
    let expected = undisturbed(folder, &[]);
    let child = job(folder, "out.nc", &["--resume"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while records(&journal) < 5 {
        std::thread::sleep(Duration::from_micros(200));
    }
    std::fs::write(folder.join("out.nc"), "another's").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("out.nc exists already"), "{said}");
    assert_eq!(std::fs::read(folder.join("out.nc")).unwrap(), b"another's");
    std::fs::remove_file(folder.join("out.nc")).unwrap();
    let made = |folder: &Path| folder.join(".out.nc.part1").metadata().unwrap().len();
    assert!(made(folder) as usize >= expected.len());
    done(job(folder, "out.nc", &["--resume"]));
    assert!(std::fs::read(folder.join("out.nc")).unwrap() == expected);
}

#[test]
fn two_runs_do_not_write_one_file() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    noise(&folder.join("in.nc"), Options::NETCDF4, 40, 90, 180);
    let journal = folder.join(".out.nc.journal");
    let mut first = job(folder, "out.nc", &[]).spawn().unwrap();
    while !journal.exists() {
        std::thread::sleep(Duration::from_micros(200));
    }
    // The first may be between making the journal and locking it.
    std::thread::sleep(Duration::from_millis(20));
    let second = job(folder, "out.nc", &["--resume"]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains("is being written by another process"),
        "{said}"
    );
    first.kill().unwrap();
    first.wait().unwrap();
}
