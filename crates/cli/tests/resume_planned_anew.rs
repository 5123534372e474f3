//! `--resume` goes on whatever a new plan reads first: with another limit of memory, other threads, a report besides.

#![cfg(unix)]

mod command;
#[allow(dead_code, reason = "others make files of noise")]
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use command::regrid;
use sources::alone;

/// Half a degree around the equator, each value another one; wider than a read block of a small memory.
const SHAPE: [usize; 2] = [64, 2048];
/// These make 8 by 4 chunks, too large for the journal to carry.
const OPTIONS: [&str; 5] = [
    "--lat=0.1:31:0.5",
    "--lon=0.02:204.5:0.1",
    "--chunk=8x512",
    "--deflate",
    "0",
];
/// Bytes of a record of the journal.
const RECORD: usize = 48;

fn source(path: &Path) {
    let mut file = netcdf::create(path).unwrap();
    let axes = [
        ("lat", "degrees_north", 0.0, 0.5),
        ("lon", "degrees_east", 0.0, 0.1),
    ];
    for ((name, units, first, step), len) in axes.into_iter().zip(SHAPE) {
        file.add_dimension(name, len).unwrap();
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
        let centres: Vec<f64> = (0..len).map(|i| first + i as f64 * step).collect();
        axis.put_values(&centres, ..).unwrap();
    }
    let mut field = file.add_variable::<f32>("t", &["lat", "lon"]).unwrap();
    field.set_chunking(&[16, 64]).unwrap();
    let [rows, columns] = SHAPE;
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let values: Vec<f32> = cells
        .map(|(row, column)| (10_000 * row + column) as f32)
        .collect();
    field.put_values(&values, ..).unwrap();
}

fn job(folder: &Path, more: &[&str]) -> Command {
    let mut command = regrid();
    command
        // Histories tell the time: nothing else may differ.
        .env("SOURCE_DATE_EPOCH", "1000000000")
        .current_dir(folder)
        .args(["in.nc", "-o", "out.nc"])
        .args(OPTIONS)
        .args(more);
    command
}

fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// The output, which goes.
fn taken(folder: &Path) -> Vec<u8> {
    let path = folder.join("out.nc");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
}

/// A run that is refused once all its chunks are written leaves them all, and its journal.
fn left_behind(folder: &Path, more: &[&str]) -> PathBuf {
    let refused = ["--resume", "--max-error", "0"];
    let refused = job(folder, &[&refused, more].concat()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let journal = folder.join(".out.nc.journal");
    assert!(journal.exists());
    journal
}

/// The numbers of the chunks that a journal tells of, in the order in which they were stored.
fn stored(journal: &Path) -> Vec<u64> {
    let bytes = std::fs::read(journal).unwrap();
    let long = |at: &[u8]| u64::from_le_bytes(at[..8].try_into().unwrap());
    let records = &bytes[29 + long(&bytes[17..]) as usize..];
    let records = records.chunks_exact(RECORD);
    records.map(|record| long(&record[8..])).collect()
}

#[test]
fn chunks_are_taken_over_to_their_places_whatever_is_read_first() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    source(&folder.join("in.nc"));
    let small = ["--memory", "1MiB", "-j", "2"];
    let settings: [&[&str]; 3] = [&[], &small, &["--memory", "1MiB", "-j", "1", "--report"]];
    for more in settings {
        done(job(folder, more));
        let undisturbed = taken(folder);
        left_behind(folder, &[]);
        let said = done(job(folder, &[more, &["--resume"]].concat()));
        assert!(said.contains("resume  32 chunks"), "{more:?}: {said}");
        assert!(taken(folder) == undisturbed, "{more:?}");
    }
    // Or the test would show nothing: with less memory chunks are made, and stored, in another order.
    let ample = left_behind(folder, &[]);
    let first = stored(&ample);
    done(job(folder, &[]));
    taken(folder);
    let other = stored(&left_behind(folder, &small));
    assert_ne!(first, other);
    let sorted = |mut numbers: Vec<u64>| {
        numbers.sort_unstable();
        numbers
    };
    let all: Vec<u64> = (0..32).collect();
    assert_eq!([sorted(first), sorted(other)], [all.clone(), all]);
}

#[test]
fn some_chunks_are_taken_over_and_the_others_made() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    source(&folder.join("in.nc"));
    let small = ["--memory", "1MiB", "-j", "2"];
    done(job(folder, &small));
    let undisturbed = taken(folder);
    let journal = left_behind(folder, &[]);
    // As if it had been killed half way: chunks so large are not in the journal itself.
    let len = journal.metadata().unwrap().len();
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(len - 16 * RECORD as u64).unwrap();
    let said = done(job(folder, &[&small[..], &["--resume"]].concat()));
    assert!(said.contains("resume  16 chunks"), "{said}");
    assert!(taken(folder) == undisturbed);
}

#[test]
fn chunks_of_another_shape_are_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    source(&folder.join("in.nc"));
    let journal = left_behind(folder, &[]);
    let before = std::fs::read(&journal).unwrap();
    // As many chunks, and as large ones.
    let output = regrid()
        .current_dir(folder)
        .args(["in.nc", "-o", "out.nc", "--resume", "--chunk=16x256"])
        .args(
            OPTIONS
                .iter()
                .filter(|option| !option.starts_with("--chunk")),
        )
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("chunks of t: [8, 512]"), "{said}");
    assert!(
        std::fs::read(&journal).unwrap() == before,
        "nothing is touched"
    );

    // What an older version left, that counted chunks in another way.
    let mut older = before.clone();
    assert!(older.starts_with(b"regrid journal 2\n"));
    older[15] = b'1';
    std::fs::write(&journal, &older).unwrap();
    let output = job(folder, &["--resume"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = "another version of this program wrote it";
    assert!(said.contains(why), "{said}");
    assert!(
        std::fs::read(&journal).unwrap() == older,
        "nothing is touched"
    );
    done(job(folder, &[]));
    assert!(!journal.exists());
}
