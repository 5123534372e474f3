//! Whatever happened to a file, the command ends by itself: with the values that are in it, or with one line that names it.
//!
//! Damage that no checksum guards, as of values stored plainly, cannot be noticed; then the values have to be those that the
//! netCDF library reads, which `nccopy` tells. `REGRID_DAMAGE_ROUNDS=5000 cargo test --release --test damaged_files` goes on
//! for longer.

#![cfg(unix)]

mod command;
mod draws;
mod leftovers;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use command::regrid;
use draws::Draws;
use leftovers::names;

/// Damaged files of each kind that has no checksums; three times as many of the one that has.
const ROUNDS: usize = 8;
/// Nothing takes so long, not even finding that a library runs in circles.
const FOR_EVER: Duration = Duration::from_secs(300);

/// How a variable is stored, by its name, in the language of `ncgen`.
type Storage = fn(&str) -> &'static str;

/// The kinds of files, as `ncgen` calls them.
const KINDS: [(&str, Storage); 4] = [
    ("classic", |_| ""),
    ("64-bit offset", |_| ""),
    ("64-bit data", |_| ""),
    ("netCDF-4", |variable| match variable {
        "packed" => {
            "packed:_ChunkSizes = 1, 5, 7; packed:_DeflateLevel = 4; packed:_Shuffle = \"true\";"
        }
        "sums" => "sums:_ChunkSizes = 2, 9, 16; sums:_Fletcher32 = \"true\";",
        "both" => {
            "both:_ChunkSizes = 1, 9, 16; both:_DeflateLevel = 1; both:_Shuffle = \"true\"; both:_Fletcher32 = \"true\";"
        }
        _ => "",
    }),
];

const SHAPE: [usize; 3] = [3, 9, 16];

/// A file of a kind in the language of `ncgen`: variables on one grid, values without a pattern.
fn described(storage: Storage) -> String {
    let mut draws = Draws::new(3);
    let mut list = |n: usize, value: &mut dyn FnMut(f64) -> f64| {
        let values = (0..n).map(|_| value(draws.share()).to_string());
        values.collect::<Vec<_>>().join(", ")
    };
    let steps = |first: f64, step: f64, n: usize| {
        let values = (0..n).map(|i| (first + step * i as f64).to_string());
        values.collect::<Vec<_>>().join(", ")
    };
    let [times, rows, columns] = SHAPE;
    let cells = times * rows * columns;
    let mut text = format!(
        "netcdf whole {{ dimensions: time = {times}; lat = {rows}; lon = {columns}; variables:\n"
    );
    for (name, units) in [
        ("time", "hours since 2000-01-01"),
        ("lat", "degrees_north"),
        ("lon", "degrees_east"),
    ] {
        writeln!(text, "double {name}({name}); {name}:units = \"{units}\";").unwrap();
    }
    for (name, kind) in [
        ("packed", "short"),
        ("sums", "float"),
        ("both", "double"),
        ("plain", "float"),
    ] {
        writeln!(text, "{kind} {name}(time, lat, lon); {}", storage(name)).unwrap();
    }
    writeln!(
        text,
        "packed:scale_factor = 0.01; packed:add_offset = 273.15; packed:_FillValue = -32768s; data:"
    )
    .unwrap();
    writeln!(
        text,
        "time = {}; lat = {}; lon = {};",
        steps(0.0, 1.0, times),
        steps(-80.0, 20.0, rows),
        steps(0.0, 22.5, columns)
    )
    .unwrap();
    writeln!(
        text,
        "packed = {};",
        list(cells, &mut |x| (x * 9e3).floor())
    )
    .unwrap();
    for name in ["sums", "both", "plain"] {
        writeln!(text, "{name} = {};", list(cells, &mut |x| x * 100.0)).unwrap();
    }
    text + "}\n"
}

/// The values of all variables of an output, by name, in bits.
type Contents = BTreeMap<String, Vec<u64>>;

struct Folder(tempfile::TempDir);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a program here and waits for its end, but not for ever.
    fn run(&self, command: &mut Command, context: &str) -> Output {
        let mut child = command
            .current_dir(self.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > FOR_EVER {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{context}: {command:?} goes on and on");
            }
            sleep(Duration::from_millis(1));
        }
        child.wait_with_output().unwrap()
    }

    /// Regrids a file onto its own grid: the output, or what the command said instead.
    fn regrid(&self, source: &str, context: &str) -> Result<Contents, Output> {
        let mut command = regrid();
        command.args([
            source,
            "-o",
            "out.nc",
            "--lat=-80:80:20",
            "--lon=0:337.5:22.5",
            "--method=nearest",
            "--quiet",
            "-j2",
        ]);
        let done = self.run(&mut command, context);
        if !done.status.success() {
            return Err(done);
        }
        let contents = contents(&self.path("out.nc"));
        fs::remove_file(self.path("out.nc")).unwrap();
        Ok(contents)
    }

    /// The same file as the netCDF library reads it, if it does.
    fn copied(&self, source: &str, context: &str) -> bool {
        let _ = fs::remove_file(self.path("copy.nc"));
        let mut nccopy = Command::new("nccopy");
        let done = self.run(nccopy.args(["-k", "nc4", source, "copy.nc"]), context);
        done.status.success()
    }
}

fn contents(path: &Path) -> Contents {
    let file = netcdf::open(path).unwrap();
    let bits = |variable: netcdf::Variable| {
        let values: Vec<f64> = variable.get_values(..).unwrap();
        (
            variable.name(),
            values.iter().map(|x| x.to_bits()).collect(),
        )
    };
    file.variables().map(bits).collect()
}

/// How HDF5's own structures begin: trees, headers and heaps.
const STRUCTURES: [&[u8]; 8] = [
    b"TREE", b"OHDR", b"OCHK", b"HEAP", b"SNOD", b"GCOL", b"FRHP", b"BTHD",
];

/// Changes a file at random, and tells how.
fn damage(bytes: &mut Vec<u8>, draws: &mut Draws) -> String {
    let structures: Vec<usize> = (0..bytes.len())
        .filter(|&at| STRUCTURES.iter().any(|name| bytes[at..].starts_with(name)))
        .collect();
    let aimed = !structures.is_empty() && draws.below(2) == 0;
    let at = match aimed {
        true => structures[draws.below(structures.len())] + draws.below(100),
        // Headers of classic files are short beside the values.
        false if draws.below(3) == 0 => draws.below(1000),
        false => draws.below(bytes.len()),
    };
    let at = at.min(bytes.len() - 1);
    let len = 1 + draws.below(40).min(bytes.len() - 1 - at);
    let part: Range<usize> = at..at + len;
    match draws.below(4) {
        0 => {
            let bit = draws.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        1 => {
            bytes[part.clone()].fill(0);
            format!("bytes {part:?} zeroed")
        }
        2 => {
            bytes[part.clone()].fill_with(|| draws.below(256) as u8);
            format!("bytes {part:?} written over")
        }
        _ => {
            bytes.truncate(at);
            format!("cut to {at} bytes")
        }
    }
}

/// One line that names the file, perhaps a hint; nothing beside it.
fn refused(folder: &Folder, done: &Output, context: &str) {
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.signal(), None, "{context}: {said}");
    assert_eq!(done.status.code(), Some(1), "{context}: {said}");
    let lines: Vec<&str> = said.lines().collect();
    let error = lines[0];
    let hint = lines.get(1).is_none_or(|line| line.starts_with("hint: "));
    assert!(
        error.starts_with("regrid: error: ") && hint && lines.len() <= 2,
        "{context}: {said}"
    );
    // What is named as nothing in a netCDF file may be cannot be written.
    let named = error.contains("damaged.nc") || error.contains("Name contains illegal characters");
    assert!(named, "{context}: {said}");
    assert_eq!(
        names(folder.0.path()),
        ["damaged.nc", "whole.cdl"],
        "{context}"
    );
}

#[test]
fn values_are_right_or_the_file_is_named() {
    let rounds = std::env::var("REGRID_DAMAGE_ROUNDS").map_or(ROUNDS, |n| n.parse().unwrap());
    let folder = Folder(tempfile::tempdir().unwrap());
    for (kind, storage) in KINDS {
        fs::write(folder.path("whole.cdl"), described(storage)).unwrap();
        let mut ncgen = Command::new("ncgen");
        ncgen.args(["-k", kind, "-o", "damaged.nc", "whole.cdl"]);
        let made = folder.run(&mut ncgen, kind);
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let whole = fs::read(folder.path("damaged.nc")).unwrap();
        let right = folder.regrid("damaged.nc", kind).unwrap();
        assert!(
            ["packed", "sums", "both", "plain"]
                .iter()
                .all(|&name| right[name].len() == 432)
        );
        let mut draws = Draws::new(17);
        let [mut as_before, mut as_read, mut named] = [0; 3];
        let rounds = match kind {
            "netCDF-4" => 3 * rounds,
            _ => rounds,
        };
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            let what = damage(&mut bytes, &mut draws);
            let context = format!("{kind}, {what}");
            fs::write(folder.path("damaged.nc"), &bytes).unwrap();
            match folder.regrid("damaged.nc", &context) {
                Err(done) => {
                    refused(&folder, &done, &context);
                    named += 1;
                }
                Ok(got) if got == right => as_before += 1,
                Ok(got) => {
                    assert!(
                        folder.copied("damaged.nc", &context),
                        "{context}: read all the same"
                    );
                    let read = folder.regrid("copy.nc", &context).expect(&context);
                    fs::remove_file(folder.path("copy.nc")).unwrap();
                    assert!(got == read, "{context}: other values than the library's");
                    // Where chunks have checksums or are compressed, none is lost or changed without a word.
                    let guarded = ["packed", "sums", "both"];
                    let kept = guarded.iter().all(|&name| got.get(name) == right.get(name));
                    assert!(kind != "netCDF-4" || kept, "{context}: values changed");
                    as_read += 1;
                }
            }
        }
        println!(
            "{kind}: {as_before} as before, {as_read} as the library reads them, {named} named"
        );
        assert!(as_before + as_read > 0 && named > 0, "{kind}");
    }
}
