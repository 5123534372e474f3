//! A run that is killed at any moment, as often as it pleases, goes on with `--resume` and ends with the bytes of an
//! undisturbed run.
//!
//! `REGRID_KILL_ROUNDS=500 cargo test --release --test killed_at_random` goes on for longer.

#![cfg(unix)]

mod command;
mod draws;
mod leftovers;
mod sources;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use command::regrid;
use draws::Draws;
use leftovers::{names, noted};
use netcdf::Options;
use sources::{alone, noise};

/// Rounds of kills until the output is there.
const ROUNDS: usize = 16;
/// Each for some of the rounds in turn; the limit of memory cuts other chunks.
const VARIANTS: [&[&str]; 4] = [
    &["-j", "1", "--chunk", "20x30"],
    &["-j", "2", "--chunk", "20x30"],
    &["-j", "1", "--memory", "1MiB"],
    &["-j", "2", "--memory", "1MiB"],
];

/// The rounds that are asked for instead, and with them a finer grid: who asks has the time.
fn soak() -> Option<usize> {
    let rounds = std::env::var("REGRID_KILL_ROUNDS").ok()?;
    Some(rounds.parse().unwrap())
}

/// A folder with a source of two fields, in chunks of different shapes, and what undisturbed runs make of it.
struct Folder {
    place: tempfile::TempDir,
    undisturbed: Vec<Undisturbed>,
}

struct Undisturbed {
    bytes: Vec<u8>,
    time: Duration,
    chunks: usize,
}

impl Folder {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("in.nc");
        noise(&source, Options::NETCDF4, 8, 45, 90);
        let mut file = netcdf::append(&source).unwrap();
        file.add_dimension("level", 3).unwrap();
        let mut field = file
            .add_variable::<f64>("u", &["level", "lat", "lon"])
            .unwrap();
        field.set_chunking(&[2, 20, 40]).unwrap();
        let values: Vec<f64> = (0..3 * 45 * 90).map(|i| f64::from(i % 977)).collect();
        field.put_values(&values, ..).unwrap();
        file.close().unwrap();
        let mut folder = Self {
            place,
            undisturbed: Vec::new(),
        };
        folder.undisturbed = (0..VARIANTS.len()).map(|v| folder.undisturbed(v)).collect();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn job(&self, variant: usize) -> Command {
        let mut command = regrid();
        command
            // Histories tell the time and the command; that it resumes they do not.
            .env("SOURCE_DATE_EPOCH", "1000000000")
            .current_dir(self.place.path())
            .args(["in.nc", "-o", "out.nc", "--grid"])
            .arg(if soak().is_some() { "1" } else { "3" })
            .args(VARIANTS[variant])
            .stderr(Stdio::piped());
        command
    }

    fn finish(&self, mut command: Command) {
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
    }

    fn undisturbed(&self, variant: usize) -> Undisturbed {
        let started = Instant::now();
        self.finish(self.job(variant));
        let time = started.elapsed();
        let bytes = fs::read(self.path("out.nc")).unwrap();
        let file = netcdf::open(self.path("out.nc")).unwrap();
        let chunks = ["t", "u"].map(|name| {
            let field = file.variable(name).unwrap();
            let shape = field.chunking().unwrap().unwrap();
            let lengths = field.dimensions().iter().map(netcdf::Dimension::len);
            let counts = lengths.zip(&shape).map(|(len, &n)| len.div_ceil(n));
            (shape.clone(), counts.product::<usize>())
        });
        assert_ne!(chunks[0].0, chunks[1].0, "chunks of one shape");
        fs::remove_file(self.path("out.nc")).unwrap();
        Undisturbed {
            bytes,
            time,
            chunks: chunks[0].1 + chunks[1].1,
        }
    }

    /// That the output is what an undisturbed run makes, to the last bit; then it goes.
    fn take(&self, variant: usize, context: &str) {
        let got = fs::read(self.path("out.nc")).unwrap();
        assert!(got == self.undisturbed[variant].bytes, "{context}");
        fs::remove_file(self.path("out.nc")).unwrap();
    }
}

/// How many chunks of the output a journal tells of.
fn finished(journal: &Path) -> usize {
    noted(journal).into_iter().collect::<HashSet<_>>().len()
}

/// When a run is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after it was started.
    After(Duration),
    /// Once its journal tells of so many chunks, and so long after that: with none it has just begun, with all the file is
    /// finished and renamed about then.
    Noted(usize, Duration),
}

impl Moment {
    fn draw(draws: &mut Draws, whole: Duration, chunks: usize) -> Self {
        let mut up_to = |longest: Duration| longest.mul_f64(draws.share());
        let (short, long) = (up_to(whole / 20), up_to(whole.mul_f64(1.2)));
        match draws.below(8) {
            0 => Self::Noted(0, short),
            1 => Self::Noted(chunks, short),
            2 => Self::Noted(draws.below(chunks), short),
            _ => Self::After(long),
        }
    }

    /// Waits for the moment; false if the run was over before.
    fn wait(self, child: &mut Child, journal: &Path) -> bool {
        let (chunks, longer) = match self {
            Self::After(longer) => (None, longer),
            Self::Noted(chunks, longer) => (Some(chunks), longer),
        };
        while chunks.is_some_and(|chunks| !journal.exists() || finished(journal) < chunks) {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            sleep(Duration::from_micros(50));
        }
        sleep(longer);
        true
    }
}

/// How often a kill met what.
#[derive(Debug, Default)]
struct Kills {
    before_a_chunk: usize,
    between_chunks: usize,
    after_all_chunks: usize,
    after_the_rename: usize,
    too_late: usize,
}

#[test]
fn the_bytes_are_those_of_an_undisturbed_run() {
    let _alone = alone();
    let folder = Folder::new();
    let journal = folder.path(".out.nc.journal");
    let rounds = soak().unwrap_or(ROUNDS);
    let mut draws = Draws::new(5);
    let mut kills = Kills::default();
    for round in 0..rounds {
        let variant = round % VARIANTS.len();
        let Undisturbed { time, chunks, .. } = folder.undisturbed[variant];
        let mut moments = Vec::new();
        for attempt in 0..1 + draws.below(3) {
            let before = finished(&journal);
            let moment = Moment::draw(&mut draws, time, chunks);
            moments.push(moment);
            let mut job = folder.job(variant);
            if attempt > 0 || round % 2 == 0 {
                job.arg("--resume");
            }
            let mut child = job.spawn().unwrap();
            let killed = moment.wait(&mut child, &journal);
            if killed {
                child.kill().unwrap();
            }
            let killed = child.wait().unwrap().code().is_none() && killed;
            let context = format!("round {round}, {:?}: {moments:?}", VARIANTS[variant]);
            for name in names(folder.place.path()) {
                let known = ["in.nc", "out.nc", ".out.nc.journal"].contains(&name.as_str());
                assert!(
                    known || name.starts_with(".out.nc.part"),
                    "{context}: {name}"
                );
            }
            // Complete if it is there at all; what is still beside it tells of a file that has moved.
            if folder.path("out.nc").exists() {
                // Who goes on until it succeeds finds it complete, and what was still beside it is gone.
                let again = folder.job(variant).arg("--resume").output().unwrap();
                let said = String::from_utf8_lossy(&again.stderr);
                let expected = match again.status.success() {
                    true => "is complete already",
                    false => "exists already",
                };
                assert!(said.contains(expected), "{context}: {said}");
                assert_eq!(names(folder.place.path()), ["in.nc", "out.nc"], "{context}");
                folder.take(variant, &context);
                match killed {
                    true => kills.after_the_rename += 1,
                    false => kills.too_late += 1,
                }
                continue;
            }
            assert!(killed, "{context}");
            match finished(&journal) {
                n if n <= before => kills.before_a_chunk += 1,
                n if n < chunks => kills.between_chunks += 1,
                _ => kills.after_all_chunks += 1,
            }
        }
        let mut last = folder.job(variant);
        last.arg("--resume");
        folder.finish(last);
        let context = format!("round {round}, {:?}: {moments:?}", VARIANTS[variant]);
        assert_eq!(names(folder.place.path()), ["in.nc", "out.nc"], "{context}");
        folder.take(variant, &context);
    }
    println!("{rounds} rounds: {kills:?}");
    // How many came late depends on how fast the machine finishes a file.
    assert!(kills.before_a_chunk + kills.between_chunks > 0, "{kills:?}");
}
