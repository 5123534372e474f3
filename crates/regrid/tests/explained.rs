//! What a plan says that the work will take is what the run's profile shows, within a tenth.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use delayed::{Profile, Report, Run};
use netcdf::Options;
use regrid::{Catalogue, Explanation, Grid, Method, Request, Write};

/// Where a file is open in one test, it had better not be made in another.
static ALONE: Mutex<()> = Mutex::new(());

const SHAPE: [usize; 3] = [32, 90, 180];

/// A source file: its times, how its values are stored, and where its cells lie.
#[derive(Clone, Copy)]
struct Source {
    /// Whether it is a classic file, and none of netCDF-4.
    classic: bool,
    /// Storage chunks; none for one stretch.
    chunk: Option<[usize; 3]>,
    times: usize,
    /// The hour of the first time.
    from: usize,
    numbers: Numbers,
    /// Whether rows and columns have no latitudes and longitudes of their own.
    turned: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Single,
    Double,
    Packed,
}

impl Source {
    fn new(chunk: Option<[usize; 3]>) -> Self {
        Self {
            classic: false,
            chunk,
            times: SHAPE[0],
            from: 0,
            numbers: Numbers::Single,
            turned: false,
        }
    }

    /// Writes a smooth field.
    fn write(self, path: &Path) {
        let [_, rows, columns] = SHAPE;
        let options = match self.classic {
            true => Options::_64BIT_OFFSET,
            false => Options::NETCDF4,
        };
        let mut file = netcdf::create_with(path, options).unwrap();
        let axes = [
            (
                "time",
                self.times,
                "hours since 2000-01-01",
                self.from as f64,
                1.0,
            ),
            ("lat", rows, "degrees_north", -89.0, 2.0),
            ("lon", columns, "degrees_east", 1.0, 2.0),
        ];
        for (name, len, ..) in axes {
            file.add_dimension(name, len).unwrap();
        }
        let place = |name| match self.turned && name != "time" {
            true => (format!("place_{name}"), vec!["lat", "lon"]),
            false => (String::from(name), vec![name]),
        };
        for (name, _, units, ..) in axes {
            let (own, dimensions) = place(name);
            let mut axis = file.add_variable::<f64>(&own, &dimensions).unwrap();
            axis.put_attribute("units", units).unwrap();
        }
        let dimensions = ["time", "lat", "lon"];
        let mut field = match self.numbers {
            Numbers::Single => file.add_variable::<f32>("t", &dimensions).unwrap(),
            Numbers::Double => file.add_variable::<f64>("t", &dimensions).unwrap(),
            Numbers::Packed => file.add_variable::<i16>("t", &dimensions).unwrap(),
        };
        if self.numbers == Numbers::Packed {
            field.put_attribute("scale_factor", 0.01_f32).unwrap();
            field.put_attribute("add_offset", 5.0_f32).unwrap();
        }
        if self.turned {
            field
                .put_attribute("coordinates", "place_lat place_lon")
                .unwrap();
        }
        if let Some(chunk) = self.chunk {
            field.set_chunking(&chunk).unwrap();
            field.set_compression(1, true).unwrap();
        }
        file.enddef().unwrap();
        for (name, len, _, first, step) in axes {
            let (own, dimensions) = place(name);
            let along = |i: usize| first + i as f64 * step;
            let values: Vec<f64> = match (dimensions.len(), name) {
                (1, _) => (0..len).map(along).collect(),
                // A little off any axis.
                (_, "lat") => (0..rows * columns)
                    .map(|i| along(i / columns) * 0.95 + (i % columns % 7) as f64 * 0.1)
                    .collect(),
                _ => (0..rows * columns)
                    .map(|i| along(i % columns) + (i / columns) as f64 * 0.1)
                    .collect(),
            };
            let mut axis = file.variable_mut(&own).unwrap();
            axis.put_values(&values, ..).unwrap();
        }
        let values = (0..self.times * rows * columns).map(|i| ((i % 977) as f32).sqrt());
        let mut field = file.variable_mut("t").unwrap();
        match self.numbers {
            Numbers::Packed => {
                let packed: Vec<i16> = values.map(|x| (x * 100.0) as i16).collect();
                field.put_values(&packed, ..).unwrap();
            }
            Numbers::Double => {
                let double: Vec<f64> = values.map(f64::from).collect();
                field.put_values(&double, ..).unwrap();
            }
            Numbers::Single => {
                let single: Vec<f32> = values.collect();
                field.put_values(&single, ..).unwrap();
            }
        }
    }
}

/// Writes a smooth field of single precision.
fn source(path: &Path, chunk: Option<[usize; 3]>) {
    Source::new(chunk).write(path);
}

fn near(what: &str, expected: u64, found: u64) -> Result<(), String> {
    let apart = expected.abs_diff(found) as f64;
    match apart <= 0.1 * expected.max(found) as f64 {
        true => Ok(()),
        false => Err(format!("{what}: {expected} expected, {found} found")),
    }
}

/// Plans and runs, and gives what was expected and what was.
fn run(
    folder: &Path,
    (method, step): (Method, f64),
    threads: usize,
    memory: Option<u64>,
) -> (Explanation, Report) {
    let files = Catalogue::open([folder.join("in")]).unwrap();
    let target = Grid::global(step).unwrap();
    let mut request = Request::new(&target).method(method).threads(threads);
    if let Some(memory) = memory {
        request = request.memory(memory);
    }
    let expected = request.explain(&files).unwrap();
    let fields = request.build(&files).unwrap();
    let profile = Profile::new();
    let write = Write::new(folder.join("out.nc"))
        .overwrite(true)
        .plan(&fields)
        .unwrap();
    assert_eq!(write.explain(), expected);
    assert_eq!(write.tasks().unwrap(), expected.tasks);
    assert_eq!(write.graph().unwrap().tasks(), expected.tasks);
    write
        .run(&Run::new().threads(threads).observe(profile.clone()))
        .unwrap();
    (expected, profile.report().unwrap())
}

/// Checks all that does not depend on which thread is faster.
fn agree(expected: &Explanation, found: &Report, output: &Path) {
    assert_eq!(expected.tasks, found.tasks);
    assert_eq!(expected.write_bytes, found.traffic.written);
    near("read", expected.read_bytes, found.traffic.read).unwrap();
    let chunks = found.counts.of("storage chunks read");
    near("chunks", expected.storage_chunks as u64, chunks).unwrap();
    let weights = found.counts.of("bytes of weights");
    near("weights", expected.weights_bytes, weights).unwrap();
    let of_step = |step: &str| {
        let shares = found.groups.iter();
        let tasks = shares
            .filter(|share| share.name.ends_with(step))
            .map(|share| share.tasks);
        tasks.sum::<usize>()
    };
    assert_eq!(of_step(": write"), expected.chunks);
    assert!(
        of_step(": read") >= expected.read_tasks,
        "poles may come on top"
    );
    // Beside what tasks stored there is little else in the file: names, axes, and where chunks lie.
    let (stored, file) = (
        found.counts.of("bytes stored"),
        output.metadata().unwrap().len(),
    );
    assert!(
        stored < file && file - stored < 100_000,
        "{stored} of {file}"
    );
}

fn compare(source: Source) {
    compare_all(&[source], (Method::Linear, 1.0));
}

/// Coarse targets are quick.
fn compare_all(sources: &[Source], onto: (Method, f64)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("in")).unwrap();
    for (i, source) in sources.iter().enumerate() {
        source.write(&folder.join(format!("in/{i}.nc")));
    }
    let mut results: Vec<Vec<u64>> = Vec::new();
    for memory in [None, Some(1 << 20)] {
        for threads in [1, 2] {
            // Which of two threads is held up, and when, is the machine's affair: the most of a few runs counts.
            let mut peak = 0;
            let mut expected_values = 0;
            let attempts = if threads == 1 { 1 } else { 5 };
            let mut outcome = Ok(());
            for _ in 0..attempts {
                let (expected, found) = run(folder, onto, threads, memory);
                agree(&expected, &found, &folder.join("out.nc"));
                peak = peak.max(found.peak_bytes);
                expected_values = expected.values_bytes;
                outcome = near("values", expected.values_bytes, peak);
                if outcome.is_ok() {
                    break;
                }
            }
            // Two threads on a busy machine may never come as far as foreseen, or somewhat further: where one of them is
            // kept from its core, the other holds what one thread does, half as much, or reads ahead. And these tests are compiled without
            // optimisation, so that regridding takes longer beside reading than was said.
            let share = expected_values as f64 / peak as f64;
            if threads > 1 && (0.6..=2.0).contains(&share) {
                outcome = Ok(());
            }
            outcome.unwrap_or_else(|text| panic!("{threads} {memory:?}: {text}"));
            let file = netcdf::open(folder.join("out.nc")).unwrap();
            let values: Vec<f64> = file.variable("t").unwrap().get_values(..).unwrap();
            results.push(values.iter().map(|x| x.to_bits()).collect());
        }
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn packed_numbers() {
    let source = Source::new(Some([4, 45, 60]));
    let numbers = Numbers::Packed;
    compare_all(&[Source { numbers, ..source }], (Method::Linear, 3.0));
}

#[test]
fn double_precision() {
    let source = Source::new(Some([1, 90, 180]));
    let numbers = Numbers::Double;
    compare_all(&[Source { numbers, ..source }], (Method::Linear, 3.0));
}

#[test]
fn weights_from_cell_to_cell() {
    let source = Source::new(Some([1, 90, 180]));
    let turned = Source {
        turned: true,
        ..source
    };
    compare_all(&[turned], (Method::InverseDistance, 3.0));
}

#[test]
fn two_files_in_other_chunks_each() {
    let times = SHAPE[0] / 2;
    let first = Source {
        times,
        ..Source::new(Some([1, 90, 180]))
    };
    let second = Source {
        from: times,
        chunk: Some([4, 15, 60]),
        ..first
    };
    compare_all(&[first, second], (Method::Linear, 3.0));
}

#[test]
fn chunks_of_one_time() {
    compare(Source::new(Some([1, 90, 180])));
}

#[test]
fn chunks_of_many_times() {
    compare(Source::new(Some([16, 16, 16])));
}

#[test]
fn one_stretch() {
    compare(Source::new(None));
}

#[test]
fn classic() {
    let classic = true;
    compare(Source {
        classic,
        ..Source::new(None)
    });
}

#[test]
fn fields_on_one_grid_share_their_weights() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.nc");
    source(&path, None);
    let mut file = netcdf::append(&path).unwrap();
    let values = vec![1.0_f32; SHAPE.iter().product()];
    let dimensions = ["time", "lat", "lon"];
    let mut second = file.add_variable::<f32>("u", &dimensions).unwrap();
    second.put_values(&values, ..).unwrap();
    let mut third = file.add_variable::<f64>("v", &dimensions).unwrap();
    third.put_values(&values, ..).unwrap();
    drop(file);
    let files = Catalogue::open([&path]).unwrap();
    let target = Grid::named("r90x45").unwrap();
    for method in [Method::InverseDistance, Method::SecondOrderConservative] {
        let fields = Request::new(&target).method(method).build(&files).unwrap();
        assert_eq!(fields.len(), 3);
        let one = Explanation::of(&fields[..1]).weights_bytes;
        let alike = Explanation::of(&fields[..2]).weights_bytes;
        let all = Explanation::of(&fields).weights_bytes;
        assert_eq!(one, alike, "{}", method.name());
        // What a field's own plan holds is where its chunks have the sources; one of wider numbers has other chunks.
        assert!(
            one < all && 2 * all < 3 * one,
            "{}: {one} and {all}",
            method.name()
        );
    }
}

/// A second field that is read in longer blocks than the first.
fn second_field(path: &Path) {
    let mut file = netcdf::append(path).unwrap();
    let values: Vec<f32> = (0..SHAPE.iter().product::<usize>())
        .map(|i| (i % 91) as f32)
        .collect();
    let mut second = file
        .add_variable::<f32>("u", &["time", "lat", "lon"])
        .unwrap();
    second.set_chunking(&[32, 30, 60]).unwrap();
    second.put_values(&values, ..).unwrap();
}

#[test]
fn several_fields_with_reports() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("in.nc"), folder.path().join("out.nc"));
    source(&path, Some([1, 90, 180]));
    second_field(&path);
    let files = Catalogue::open([&path]).unwrap();
    let target = Grid::global(1.0).unwrap();
    let mut held = Vec::new();
    for report in [false, true] {
        let request = Request::new(&target)
            .threads(1)
            .chunk(60, 60)
            .report(report);
        let fields = request.build(&files).unwrap();
        let expected = Explanation::of(&fields);
        assert_eq!(Explanation::graph(&fields).tasks(), expected.tasks);
        let profile = Profile::new();
        let write = Write::new(&out).overwrite(true).plan(&fields).unwrap();
        assert_eq!(write.explain(), expected);
        let run = Run::new().threads(1).observe(profile.clone());
        assert_eq!(
            write.run_and_report(&run, |_| ()).unwrap().len(),
            2 * usize::from(report)
        );
        let found = profile.report().unwrap();
        assert_eq!(expected.tasks, found.tasks);
        near("values", expected.values_bytes, found.peak_bytes).unwrap();
        held.push(found.peak_bytes);
    }
    // A chunk is compared when it is there, and not kept for that.
    near("values with reports", held[0], held[1]).unwrap();
}
