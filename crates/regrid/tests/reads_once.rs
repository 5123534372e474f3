//! Each storage chunk of a source is read at most once per request, and only if a stencil reaches it.

mod fields;
#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use std::collections::HashMap;
use std::sync::Arc;

use delayed::{Profile, Run};
use fields::noise;
use layouts::{any_layout, regrid};
use proptest::prelude::*;
use regrid::time::TimeMethod;
use regrid::{
    Catalogue, Edges, Error, Grid, Method, Pole, RectilinearWeights, Region, Request, SourceFile,
    Values, Write,
};
use sources::{MemoryFile, steps};

/// The regions read of a field so far, coordinates apart.
fn reads(file: &MemoryFile, field: &str) -> Vec<Region> {
    let reads = file.reads.lock().unwrap();
    reads
        .iter()
        .filter(|(name, _)| name == field)
        .map(|(_, region)| region.clone())
        .collect()
}

/// How often each storage chunk was touched.
fn touched(reads: &[Region], chunk: &[usize]) -> HashMap<Vec<usize>, usize> {
    let mut counts = HashMap::new();
    for region in reads {
        let mut places: Vec<Vec<usize>> = vec![vec![]];
        for (range, size) in region.ranges().iter().zip(chunk) {
            let of_axis: Vec<usize> = (range.start / size..=(range.end - 1) / size).collect();
            places = places
                .iter()
                .flat_map(|place| {
                    of_axis
                        .iter()
                        .map(move |&c| [place.as_slice(), &[c]].concat())
                })
                .collect();
        }
        for place in places {
            *counts.entry(place).or_default() += 1;
        }
    }
    counts
}

/// The storage chunks that the weights reach, found cell by cell.
fn needed(
    weights: &RectilinearWeights,
    rows: usize,
    columns: usize,
    times: usize,
    chunk: &[usize],
) -> Vec<Vec<usize>> {
    let mut cells = Vec::new();
    for i in 0..weights.latitude.len() {
        for (row, _) in weights.latitude.row(i) {
            if row >= rows {
                let last = if row == rows { 0 } else { rows - 1 };
                cells.extend((0..columns).map(|column| (last, column)));
                continue;
            }
            for j in 0..weights.longitude.len() {
                cells.extend(
                    weights
                        .longitude
                        .row(j)
                        .iter()
                        .map(|(column, _)| (row, column)),
                );
            }
        }
    }
    let mut chunks: Vec<Vec<usize>> = Vec::new();
    for time in 0..times {
        chunks.extend(
            cells
                .iter()
                .map(|&(r, c)| vec![time / chunk[0], r / chunk[1], c / chunk[2]]),
        );
    }
    chunks.sort();
    chunks.dedup();
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_storage_chunk_is_read_twice_or_for_nothing(
        chunk in (1_usize..4, 1_usize..20, 1_usize..30),
        target_chunk in prop::option::of((1_usize..20, 1_usize..20)),
        south in -90.0_f64..60.0,
        west in -400.0_f64..400.0,
        height in 0.0_f64..60.0,
        width in 0.0_f64..350.0,
        step in 0.7_f64..30.0,
        nearest in any::<bool>(),
    ) {
        let (times, rows, columns) = (5, 36, 72);
        let chunk = [chunk.0, chunk.1, chunk.2];
        let file = Arc::new(
            MemoryFile::new("memory.nc")
                .with_axis("time", "hours since 2000-01-01", &steps(0.0, 1.0, times))
                .with_axis("lat", "degrees_north", &steps(-87.5, 5.0, rows))
                .with_axis("lon", "degrees_east", &steps(0.0, 5.0, columns))
                .with("t", &["time", "lat", "lon"], Values::F32(noise(&[times, rows, columns], 1, 0.0)), Some(&chunk), &[]),
        );
        let target = Grid::regular(south..=(south + height).min(90.0), step, west..=west + width, step).unwrap();
        let method = if nearest { Method::Nearest } else { Method::Linear };
        let catalogue = Catalogue::from_files(vec![file.clone()]).unwrap();
        let mut request = Request::new(&target).method(method);
        if let Some((r, c)) = target_chunk {
            request = request.chunk(r, c);
        }
        let field = &request.build(&catalogue).unwrap()[0];
        prop_assert!(reads(&file, "t").is_empty(), "building reads no field");
        let expected_reads = field.reads();
        field.compute().unwrap();

        let counts = touched(&reads(&file, "t"), &chunk);
        prop_assert!(counts.values().all(|&n| n == 1), "{counts:?}");
        let weights =
            RectilinearWeights::new(catalogue.variables()[0].grid(), &target, method, Edges::default()).unwrap();
        let mut read: Vec<Vec<usize>> = counts.into_keys().collect();
        read.sort();
        prop_assert_eq!(&read, &needed(&weights, rows, columns, times, &chunk));
        prop_assert_eq!(expected_reads.storage_chunks, read.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Which storage chunks are needed is found by changing one after the other: with one that is, some target changes.
    #[test]
    fn between_grids_of_any_kind_either(
        source in any_layout(),
        target in any_layout(),
        method in prop::sample::select(vec![Method::Linear, Method::Nearest, Method::AreaWeighted, Method::InverseDistance]),
        chunk in (1_usize..5, 1_usize..5),
        cut in (1_usize..5, 1_usize..5),
    ) {
        let shape = source.shape();
        let chunk = if source.is_list() { vec![chunk.1] } else { vec![chunk.0, chunk.1] };
        let values = noise(&shape, 1, 0.0);
        let file = Arc::new(source.file(source.dimensions(), Values::F32(values.clone()), Some(&chunk)));
        let catalogue = Catalogue::from_files(vec![file.clone()]).unwrap();
        let request = Request::new(&target.grid()).method(method).min_valid(0.0).chunk(cut.0, cut.1).params(["t"]);
        let field = match request.build(&catalogue) {
            Err(Error::Combination { .. }) => return Ok(()),
            fields => fields.unwrap().remove(0),
        };
        let before = regrid(&catalogue, &request).unwrap();
        let counts = touched(&reads(&file, "t"), &chunk);
        prop_assert!(counts.values().all(|&n| n == 1), "{counts:?}");
        prop_assert_eq!(field.reads().storage_chunks, counts.len());

        for place in counts.keys() {
            let mut other = values.clone();
            for (at, value) in other.indexed_iter_mut() {
                if (0..shape.len()).all(|d| at[d] / chunk[d] == place[d]) {
                    *value += 100.0;
                }
            }
            let other = layouts::catalogue(source.file(source.dimensions(), Values::F32(other), None));
            let after = regrid(&other, &request).unwrap();
            let changed = before.iter().zip(&after).any(|(x, y)| x != y && !x.is_nan());
            prop_assert!(changed, "{place:?} is read for nothing");
        }
    }
}

#[test]
fn a_small_box_reads_a_small_part() {
    let (rows, columns) = (180, 360);
    let file = Arc::new(
        MemoryFile::new("memory.nc")
            .with_axis("lat", "degrees_north", &steps(-89.5, 1.0, rows))
            .with_axis("lon", "degrees_east", &steps(0.5, 1.0, columns))
            .with(
                "t",
                &["lat", "lon"],
                Values::F32(noise(&[rows, columns], 1, 0.0)),
                Some(&[18, 36]),
                &[],
            ),
    );
    let catalogue = Catalogue::from_files(vec![file.clone()]).unwrap();
    let target = Grid::regular(-9.0..=9.0, 0.5, -18.0..=18.0, 0.5).unwrap();
    let field = &Request::new(&target)
        .pole(Pole::Mean)
        .build(&catalogue)
        .unwrap()[0];
    field.compute().unwrap();
    let read: usize = reads(&file, "t").iter().map(Region::len).sum();
    // Two rows and two columns of storage chunks of a hundred, the seam at Greenwich in the middle.
    assert_eq!(read, 4 * 18 * 36);
}

/// A file of some hours with two fields, in chunks of shapes of their own.
fn hours(name: &str, hours: std::ops::Range<usize>, chunks: [[usize; 3]; 2]) -> Arc<MemoryFile> {
    let (rows, columns) = (36, 72);
    let shape = [hours.len(), rows, columns];
    let mut file = MemoryFile::new(name)
        .with_axis(
            "time",
            "hours since 2000-01-01",
            &steps(hours.start as f64, 1.0, hours.len()),
        )
        .with_axis("lat", "degrees_north", &steps(-87.5, 5.0, rows))
        .with_axis("lon", "degrees_east", &steps(0.0, 5.0, columns));
    for (name, chunk) in ["t", "u"].into_iter().zip(chunks) {
        let values = Values::F32(noise(&shape, 1, 0.0));
        file = file.with(name, &["time", "lat", "lon"], values, Some(&chunk), &[]);
    }
    Arc::new(file)
}

fn any_chunk() -> impl Strategy<Value = [usize; 3]> {
    (1_usize..4, 3_usize..20, 3_usize..30).prop_map(|(t, r, c)| [t, r, c])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Two files joined, two fields, times between the steps, a limit of memory: all in one run.
    #[test]
    fn no_storage_chunk_is_read_twice_in_one_run(
        chunks in [any_chunk(), any_chunk()],
        first in 1_usize..6,
        linear in any::<bool>(),
        memory in prop::option::of(50_000_u64..400_000),
        step in 6.0_f64..30.0,
        threads in 1_usize..3,
    ) {
        let files = [hours("a.nc", 0..first, chunks), hours("b.nc", first..6, chunks)];
        let sources = files.iter().map(|file| file.clone() as Arc<dyn SourceFile>).collect();
        let catalogue = Catalogue::from_files(sources).unwrap();
        let target = Grid::regular(-80.0..=80.0, step, 0.0..=350.0, step).unwrap();
        let mut request = Request::new(&target).threads(threads);
        if linear {
            request = request
                .times("2000-01-01T00:30/2000-01-01T04:30/1h".parse().unwrap())
                .time_method(TimeMethod::Linear);
        }
        if let Some(memory) = memory {
            request = request.memory(memory);
        }
        let fields = request.build(&catalogue).unwrap();
        prop_assert_eq!(fields.len(), 2);
        Run::new().threads(threads).compute((&fields[0].whole(), &fields[1].whole())).unwrap();
        for ((field, name), chunk) in fields.iter().zip(["t", "u"]).zip(&chunks) {
            let mut read = 0;
            for file in &files {
                let reads = reads(file, name);
                let counts = touched(&reads, chunk);
                prop_assert!(counts.values().all(|&n| n == 1), "{name} of {file:?}: {counts:?}");
                read += counts.len();
            }
            prop_assert_eq!(field.reads().storage_chunks, read);
        }
    }
}

#[test]
fn a_small_box_reads_a_small_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("globe.nc");
    let (rows, columns) = (180, 360);
    let mut file = netcdf::create(&path).unwrap();
    for (name, len, units, first) in [
        ("lat", rows, "degrees_north", -89.5),
        ("lon", columns, "degrees_east", 0.5),
    ] {
        file.add_dimension(name, len).unwrap();
        let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
        axis.put_attribute("units", units).unwrap();
        axis.put_values(&steps(first, 1.0, len), ..).unwrap();
    }
    let mut field = file.add_variable::<f32>("t", &["lat", "lon"]).unwrap();
    field.set_chunking(&[20, 40]).unwrap();
    field.set_compression(1, true).unwrap();
    let values = noise(&[rows, columns], 1, 0.0);
    field.put_values(values.as_slice().unwrap(), ..).unwrap();
    file.close().unwrap();
    let whole = path.metadata().unwrap().len();

    let catalogue = Catalogue::open([&path]).unwrap();
    // A tenth of the rows and of the columns, wherever they are: also across the seam at Greenwich.
    for (south, west) in [(-9.0, 100.0), (71.5, -17.0), (-89.0, 333.0), (31.0, 20.5)] {
        let target = Grid::regular(south..=south + 17.5, 0.5, west..=west + 35.5, 0.5).unwrap();
        for method in [Method::Linear, Method::AreaWeighted, Method::Nearest] {
            let request = Request::new(&target).method(method).pole(Pole::None);
            let fields = request.build(&catalogue).unwrap();
            let profile = Profile::new();
            let write = Write::new(folder.path().join("out.nc")).overwrite(true);
            let write = write.plan(&fields).unwrap();
            write
                .run(&Run::new().threads(2).observe(profile.clone()))
                .unwrap();
            let read = profile.report().unwrap().traffic.read;
            let context = format!(
                "{} at {south} {west}: {read} of {whole} bytes",
                method.name()
            );
            assert!(read > whole / 200 && read * 100 <= whole * 15, "{context}");
        }
    }
}
