//! What the system says that the command had in memory: within the budget, and what `--explain` foretells.

#![cfg(target_os = "linux")]

mod command;
mod sources;

use std::io::Read;
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Command, Stdio};

use command::regrid;
use netcdf::{FileMut, Options};
use sources::alone;

/// The budget of all jobs here; what is read or written is more than twenty times as much.
const BUDGET: u64 = 8 << 20;
/// What the program, its libraries and the making of weights may take beside it.
const BESIDE: u64 = 150 << 20;
/// Megabytes that a foretold peak may be off beside a tenth of it: half of one is lost where it is printed, and how many of
/// the libraries' pages are there, and what the allocator keeps for a thread, is the system's affair.
const SLACK: f64 = 3.0;

#[expect(clippy::zombie_processes, reason = "it is waited for by hand")]
/// Runs a command to its good end: what it printed, and the most bytes that it had in memory.
fn watched(command: &mut Command) -> (String, u64) {
    // A child counts from the most that its parent had; 5 makes that what it has now, without what was given back.
    #[cfg(target_env = "gnu")]
    // SAFETY: it gives back what nobody uses.
    unsafe {
        libc::malloc_trim(0);
    }
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let (mut printed, mut said) = (String::new(), String::new());
    // It says less on either than a pipe holds.
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_to_string(&mut printed).unwrap();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut said).unwrap();
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is nobody else's to wait for, and both places live on; zeros are a record of usage.
    let usage = unsafe {
        let reaped = libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr());
        assert_eq!(reaped, child.id() as i32);
        usage.assume_init()
    };
    assert_eq!(status, 0, "{said}");
    let most = usage.ru_maxrss as u64 * 1024;
    let own = own_most();
    assert!(own < most, "{own} of this process is what was measured");
    (printed, most)
}

/// The most bytes that this process had in memory.
fn own_most() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

/// Writes `t(time, lat, lon)` round the globe, from pole to pole, in compressed chunks of a shape that cuts it evenly,
/// each with the same values.
///
/// Chunk by chunk, so that little is in memory here.
fn source(
    path: &Path,
    [shape, chunk]: [[usize; 3]; 2],
    shuffled: bool,
    value: impl Fn(usize) -> f32,
) {
    let mut file = netcdf::create_with(path, Options::NETCDF4).unwrap();
    axes(&mut file, shape);
    let mut field = file
        .add_variable::<f32>("t", &["time", "lat", "lon"])
        .unwrap();
    field.set_chunking(&chunk).unwrap();
    field.set_compression(1, shuffled).unwrap();
    let values: Vec<f32> = (0..chunk.iter().product()).map(value).collect();
    let [times, rows, columns] = [0, 1, 2].map(|d| (0..shape[d]).step_by(chunk[d]));
    for row in rows {
        for time in times.clone() {
            for column in columns.clone() {
                let place = [time, row, column].into_iter().zip(chunk);
                let place: Vec<_> = place.map(|(start, len)| start..start + len).collect();
                field.put_values(&values, &*place).unwrap();
            }
        }
    }
}

/// The dimensions of a file and their coordinates: times, and rows and columns round the globe.
fn axes(file: &mut FileMut, shape: [usize; 3]) {
    let [_, rows, columns] = shape.map(|len| len as f64);
    axis(file, "time", "hours since 2000-01-01", (shape[0], 0.0, 1.0));
    let lat = (shape[1], -90.0 + 90.0 / rows, 180.0 / rows);
    axis(file, "lat", "degrees_north", lat);
    let lon = (shape[2], 0.0, 360.0 / columns);
    axis(file, "lon", "degrees_east", lon);
}

fn axis(file: &mut FileMut, name: &str, units: &str, (len, first, step): (usize, f64, f64)) {
    file.add_dimension(name, len).unwrap();
    let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
    axis.put_attribute("units", units).unwrap();
    let values: Vec<f64> = (0..len).map(|i| first + i as f64 * step).collect();
    axis.put_values(&values, ..).unwrap();
}

/// A job on a file, but for what becomes of it.
fn job(input: &Path, options: &str, threads: &str) -> Command {
    let mut command = regrid();
    let output = input.with_file_name("out.nc");
    command.arg(input).args(options.split(' '));
    command.args(["-j", threads, "--force", "-o"]).arg(output);
    command
}

/// What the run of a job had in memory at the most, once that is found to be what `--explain` foretold.
fn as_foretold(input: &Path, options: &str) -> u64 {
    // Where one of two threads is kept from its core, the other may hold all that is held: half as much.
    foretold_of("2", 0.5, input, options)
}

/// The same for so many threads, which may have had so much less than was foretold.
fn foretold_of(threads: &str, least: f64, input: &Path, options: &str) -> u64 {
    let (plan, _) = watched(job(input, options, threads).arg("--explain"));
    let mut told = plan
        .lines()
        .filter_map(|line| line.split_once(" with the program and its planning"));
    let (foretold, range) = told.next().unwrap();
    let foretold = megabytes(foretold);
    // As it is where threads happen to do what takes little, or much, at the same moment.
    let range = range.strip_prefix(" (").map(|range| {
        let range = range.strip_suffix(" as threads meet)").unwrap();
        let (lowest, highest) = range.split_once(" to ").unwrap();
        [lowest, highest].map(megabytes)
    });
    if let Some([lowest, highest]) = range {
        assert!(threads != "1" && lowest < highest, "{plan}");
        assert!((lowest..=highest).contains(&foretold), "{plan}");
    }
    let (_, most) = watched(job(input, options, threads).arg("--quiet"));
    let found = most as f64 / 1e6;
    assert!(
        (least * foretold - SLACK..=1.1 * foretold + SLACK).contains(&found),
        "{options}: {found} MB, where this was foretold:\n{plan}"
    );
    most
}

/// The number of megabytes that stands in a text.
fn megabytes(text: &str) -> f64 {
    let number = text.trim().strip_suffix(" MB").unwrap();
    number.parse().unwrap()
}

#[test]
fn an_output_of_twenty_times_the_budget_is_made_within_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.nc");
    source(&input, [[16, 90, 180], [1, 90, 180]], true, |i| {
        (i % 251) as f32
    });
    const { assert!(16 * 2400 * 1200 * size_of::<f32>() as u64 >= 20 * BUDGET) };
    // Nearest, since nothing is faster without optimisation.
    let large = "--grid r2400x1200 --method nearest --memory 8MiB";
    assert!(as_foretold(&input, large) <= BUDGET + BESIDE);
}

#[test]
fn a_budget_makes_a_job_take_less() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.nc");
    // Without a pattern: no plan knows how far values can be compressed. The multiplier is that of Knuth's MMIX.
    let noise = |i: usize| ((i as u64).wrapping_mul(6_364_136_223_846_793_005) >> 40) as f32;
    source(&input, [[8, 720, 1440], [1, 720, 1440]], true, noise);
    let same = "--grid r1440x720 --method nearest";
    let free = as_foretold(&input, same);
    let held = as_foretold(&input, &format!("{same} --memory 16MiB"));
    assert!(held + BUDGET < free, "{held} and {free}");
}

#[test]
fn a_source_of_twenty_times_the_budget_in_chunks_long_in_time_is_read_within_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.nc");
    let shape = [1280, 160, 256];
    // A stored chunk has all times, and the row next to a pole is one of sixteen chunks.
    // Not shuffled: undoing that takes most of the time without optimisation.
    source(&input, [shape, [1280, 2, 16]], false, |i| (i % 251) as f32);
    let bytes = shape.iter().product::<usize>() * size_of::<f32>();
    assert!(bytes as u64 >= 20 * BUDGET);
    let all = "--lat -90:90:2.25 --lon 0:350:22.5";
    let most = as_foretold(&input, &format!("{all} --memory 8MiB"));
    assert!(most <= BUDGET + BESIDE, "{most}");
    // As one chunk takes all of the source, it is there at once: the limit can be missed.
    let most = as_foretold(&input, &format!("{all} --chunk 81x16"));
    assert!(most > bytes as u64 && most > BUDGET + BESIDE, "{most}");
}

#[test]
fn fields_of_several_types_and_chunks_take_what_is_foretold() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.nc");
    let mut file = netcdf::create_with(&input, Options::NETCDF4).unwrap();
    let shape = [12, 360, 720];
    axes(&mut file, shape);
    let dimensions = ["time", "lat", "lon"];
    let cells = shape[1] * shape[2];
    let mut t = file.add_variable::<f32>("t", &dimensions).unwrap();
    t.set_chunking(&[12, 90, 90]).unwrap();
    t.set_compression(1, false).unwrap();
    let mut u = file.add_variable::<f64>("u", &dimensions).unwrap();
    u.set_chunking(&[1, 360, 720]).unwrap();
    u.set_compression(1, false).unwrap();
    let mut v = file.add_variable::<i16>("v", &dimensions).unwrap();
    v.set_chunking(&[5, 100, 200]).unwrap();
    v.set_compression(1, false).unwrap();
    v.put_attribute("scale_factor", 0.5).unwrap();
    for name in ["t", "u", "v"] {
        let mut field = file.variable_mut(name).unwrap();
        // Time by time, so that little is in memory here.
        for time in 0..shape[0] {
            let values: Vec<f64> = (0..cells).map(|i| ((i + time) % 251) as f64).collect();
            let place = [time..time + 1, 0..shape[1], 0..shape[2]];
            field.put_values(&values, &place[..]).unwrap();
        }
    }
    drop(file);
    for options in [
        "--grid 1",
        "--grid 0.5 --deflate 0",
        "--grid 1 --report",
        "--grid 3 -m area-weighted --memory 20MiB",
    ] {
        foretold_of("1", 0.9, &input, options);
        as_foretold(&input, options);
    }
}
