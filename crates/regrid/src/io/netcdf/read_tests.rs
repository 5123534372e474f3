//! Two ways of reading compared, value by value, over every way of storing; and damage, which neither may hide.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::Slice;
use netcdf::Endianness;
use parking_lot::Mutex;
use tempfile::TempDir;

use super::*;
use crate::io::netcdf::raw::{RawFile, Stored};

pub(super) fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/storage");
    folder.join(name)
}

pub(super) fn open(path: &Path) -> NetcdfFile {
    NetcdfFile::open(path, &Arc::default()).unwrap()
}

pub(super) fn variable(file: &NetcdfFile, name: &str, beneath: bool) -> NetcdfVariable {
    let meta = file.meta.variable(name).unwrap();
    NetcdfVariable {
        path: file.path.clone(),
        files: file.files.clone(),
        name: name.to_owned(),
        shape: file.meta.shape(meta),
        data_type: meta.data_type,
        chunk_shape: meta.chunk_shape.clone(),
        beneath,
        small: None,
        identity: file.identity,
        located: None,
    }
}

/// The same variable, read from where its values lie; none if that is not looked for.
fn located(file: &NetcdfFile, name: &str) -> Option<NetcdfVariable> {
    let mut variable = variable(file, name, true);
    let wanted = [(name, variable.shape.clone(), variable.data_type)];
    let located = Located::of(&file.files, &file.path, &wanted)?;
    variable.located = Some(Arc::new(located));
    Some(variable)
}

/// How a variable is read beneath the library.
fn access(variable: &NetcdfVariable) -> Arc<Access> {
    variable.access().unwrap().1
}

/// The values of a region, taken from those of all.
fn part(values: &Values, region: &Region) -> Values {
    macro_rules! part {
        ($($variant:ident),*) => {
            match values {
                $(Values::$variant(all) => {
                    let slice = |d: ndarray::AxisDescription| Slice::from(region.ranges()[d.axis.index()].clone());
                    Values::$variant(all.slice_each_axis(slice).as_standard_layout().into_owned())
                })*
                _ => unreachable!("numbers"),
            }
        };
    }
    part!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

/// Some regions of an array: cells, rows, planes, and boxes that begin and end anywhere.
fn regions(shape: &[usize]) -> Vec<Region> {
    let mut state = 7_usize;
    let mut next = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut regions = Vec::new();
    for kind in 0..60 {
        let range = |(d, &len): (usize, &usize)| {
            if len == 0 || kind % 3 == d % 3 && kind % 2 == 0 {
                return 0..len;
            }
            let start = next(len);
            start..start + 1 + next(len - start)
        };
        let ranges: Vec<_> = shape.iter().enumerate().map(range).collect();
        regions.push(Region::new(ranges));
    }
    regions
}

fn bits(values: &Values) -> Vec<u64> {
    macro_rules! bits {
        ($($variant:ident: $bits:expr),*) => {
            match values {
                $(Values::$variant(a) => a.iter().map($bits).collect(),)*
                _ => unreachable!("numbers"),
            }
        };
    }
    bits!(I8: |&x| x as u64, U8: |&x| x.into(), I16: |&x| x as u64, U16: |&x| x.into(), I32: |&x| x as u64,
        U32: |&x| x.into(), I64: |&x| x as u64, U64: |&x| x, F32: |x| x.to_bits().into(), F64: |x| x.to_bits())
}

/// Compares all ways for a variable, and checks that the fast ones are taken just where they should be.
///
/// Tells whether its values were read from where they lie; says so if the library cannot read it at all.
fn compare(file: &NetcdfFile, name: &str) -> bool {
    let fast = variable(file, name, true);
    let slow = variable(file, name, false);
    let context = format!("{name} in {}", file.path.display());
    match &*access(&fast) {
        Access::Lacks(filter) if name == "library_szip" => {
            is_refused(&fast, &filter.to_string());
            return false;
        }
        Access::Chunks(_) => assert!(name.starts_with("chunks_"), "{context}"),
        Access::Plain(_) => assert!(name.starts_with("plain_"), "{context}"),
        _ => assert!(name.starts_with("library_"), "{context}"),
    }
    let located = located(file, name);
    assert!(
        located.is_none() || !name.starts_with("library_"),
        "{context}"
    );
    let whole = Region::whole(&slow.shape);
    let all = slow.read(&whole).unwrap();
    assert_eq!(bits(&fast.read(&whole).unwrap()), bits(&all), "{context}");
    for region in regions(&slow.shape) {
        let wanted = bits(&part(&all, &region));
        assert_eq!(
            bits(&fast.read(&region).unwrap()),
            wanted,
            "{context} {region}"
        );
        assert_eq!(
            bits(&slow.read(&region).unwrap()),
            wanted,
            "{context} {region}"
        );
        if let Some(located) = &located {
            let got = traffic::counted(|| bits(&located.read(&region).unwrap()));
            let other = traffic::counted(|| bits(&fast.read(&region).unwrap()));
            assert_eq!(got, other, "{context} {region}");
            assert_eq!(
                located.stored_bytes(&region),
                fast.stored_bytes(&region),
                "{context} {region}"
            );
        }
    }
    located.is_some()
}

/// A variable whose filter is lacking: no value is made up, and the error names all three.
fn is_refused(variable: &NetcdfVariable, filter: &str) {
    let error = variable.read(&Region::whole(&variable.shape)).unwrap_err();
    let text = error.to_string();
    let named = format!("variable {} in {}", variable.name, variable.path.display());
    for says in [filter, named.as_str()] {
        assert!(text.contains(says), "{text}");
    }
    println!("skipped: HDF5 finds no {filter} for {named}");
}

fn compare_all(name: &str, at_least: usize) {
    let file = open(&data(name));
    let names: Vec<&String> = file.meta.variables.iter().map(|v| &v.name).collect();
    let compared: Vec<&&String> = names
        .iter()
        .filter(|n| {
            ["chunks_", "plain_", "library_"]
                .iter()
                .any(|way| n.starts_with(way))
        })
        .collect();
    assert!(compared.len() >= at_least, "{name} has {names:?}");
    let located = compared.iter().filter(|name| compare(&file, name)).count();
    let kept = file.meta.format.contains("HDF5") && name != "userblock.nc";
    assert_eq!(located > 0, kept, "{name}: {located} from where they lie");
}

#[test]
fn filters_in_every_order_types_and_fill() {
    compare_all("filters.nc", 40);
}

#[test]
fn layouts_groups_and_lengths() {
    compare_all("layouts.nc", 8);
}

#[test]
fn a_variable_called_like_a_dimension_is_not_taken_for_it() {
    let file = open(&data("layouts.nc"));
    let band = variable(&file, "band", true);
    assert!(matches!(*access(&band), Access::Chunks(_)));
    let values = band.read(&Region::whole(&band.shape)).unwrap();
    let wanted: Vec<u64> = (0..10)
        .map(|i| f64::from(i * 25 / 4))
        .map(|x| (x as f32).to_bits().into())
        .collect();
    assert_eq!(bits(&values), wanted);
}

#[test]
fn values_in_another_file_are_for_the_library() {
    let file = open(&data("external.nc"));
    let field = variable(&file, "library_external", true);
    assert!(matches!(*access(&field), Access::Library));
}

#[test]
fn chunks_at_the_edge_without_their_filters_are_for_the_library() {
    let file = open(&data("partial.nc"));
    let wanted: Vec<u64> = (0..150)
        .map(|i| (250.0 + i as f32 / 4.0).to_bits().into())
        .collect();
    for name in ["library_shuffled", "library_deflated"] {
        let field = variable(&file, name, true);
        assert!(matches!(*access(&field), Access::Library));
        let values = field.read(&Region::whole(&field.shape)).unwrap();
        assert_eq!(bits(&values), wanted);
    }
}

#[test]
fn a_file_that_took_the_place_of_another_is_not_read_as_that() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("filters.nc");
    fs::copy(data("filters.nc"), &path).unwrap();
    let file = open(&path);
    let field = file.variable("chunks_deflate_f4").unwrap();
    let whole = Region::whole(field.shape());
    let before = bits(&field.read(&whole).unwrap());
    // Touched and grown it is still itself.
    let mut grown = fs::OpenOptions::new().append(true).open(&path).unwrap();
    grown.write_all(&[0; 8]).unwrap();
    assert_eq!(bits(&field.read(&whole).unwrap()), before);
    let other = folder.path().join("other.nc");
    fs::copy(data("filters.nc"), &other).unwrap();
    fs::rename(&other, &path).unwrap();
    let error = field.read(&whole).unwrap_err();
    assert!(matches!(&error, Error::Replaced { path: named } if *named == path));
    assert!(error.to_string().contains("filters.nc was replaced"));
    let again = open(&path).variable("chunks_deflate_f4").unwrap();
    assert_eq!(bits(&again.read(&whole).unwrap()), before);
}

#[test]
fn a_user_block() {
    compare_all("userblock.nc", 5);
}

#[test]
fn classic_files() {
    let files = [
        ("classic.nc", 7),
        ("offset64.nc", 7),
        ("cdf5.nc", 12),
        ("alone.nc", 1),
    ];
    for (name, at_least) in files {
        compare_all(name, at_least);
    }
}

#[test]
fn a_filter_that_is_lacking_is_named() {
    let file = open(&data("lzf.nc"));
    let field = variable(&file, "field", true);
    is_refused(&field, "LZF (filter 32000 of HDF5)");
}

#[test]
fn filters_of_plugins_are_the_librarys() {
    let filters = [
        ("zstd", "Zstandard (filter 32015 of HDF5)"),
        ("blosc", "Blosc (filter 32001 of HDF5)"),
        ("lz4", "LZ4 (filter 32004 of HDF5)"),
        ("bitshuffle", "bitshuffle (filter 32008 of HDF5)"),
        ("bzip2", "bzip2 (filter 307 of HDF5)"),
    ];
    let file = open(&data("plugins.nc"));
    assert_eq!(file.meta.variables.len(), 11);
    for meta in &file.meta.variables {
        let filter = filters
            .iter()
            .find(|(name, _)| meta.name.starts_with(&format!("library_{name}")));
        let field = variable(&file, &meta.name, true);
        if let Access::Lacks(_) = &*access(&field) {
            is_refused(&field, filter.unwrap().1);
            continue;
        }
        compare(&file, &meta.name);
        let values = field.read(&Region::whole(&field.shape)).unwrap();
        let cells = (0..350).map(|i| i * 25 / 4);
        let wanted: Vec<u64> = match field.data_type {
            DataType::I16 => cells.collect(),
            DataType::F32 => cells.map(|x| (x as f32).to_bits().into()).collect(),
            _ => cells.map(|x| (x as f64).to_bits()).collect(),
        };
        assert_eq!(bits(&values), wanted, "{}", meta.name);
        println!("{} is read", meta.name);
    }
}

type Change = fn(&mut [u8]);

/// The same file with the bytes of one chunk changed.
fn damaged(folder: &TempDir, name: &str, offset: &[usize], change: Change) -> NetcdfFile {
    let mut stored = Vec::new();
    let dataset = RawFile::open(&data("filters.nc"), false)
        .unwrap()
        .dataset(name)
        .unwrap();
    assert!(matches!(
        dataset.read_chunk(offset, |size| {
            stored.resize(size, 0);
            Some(stored.as_mut_slice())
        }),
        Stored::Bytes(_)
    ));
    let mut bytes = fs::read(data("filters.nc")).unwrap();
    let places: Vec<usize> = (0..bytes.len() - stored.len())
        .filter(|&at| bytes[at..].starts_with(&stored))
        .collect();
    // Equal chunks of other variables are damaged along with it.
    assert!(!places.is_empty());
    for at in places {
        change(&mut bytes[at..at + stored.len()]);
    }
    let path = folder.path().join(format!("{name}.nc"));
    fs::write(&path, bytes).unwrap();
    open(&path)
}

#[test]
fn damaged_chunks_are_named() {
    let folder = TempDir::new().unwrap();
    let flip = |bytes: &mut [u8]| bytes[bytes.len() / 2] ^= 0x40;
    let zero = |bytes: &mut [u8]| bytes.fill(0);
    let cases: [(&str, Change, &str); 6] = [
        ("chunks_deflate_f4", flip, "compressed data are damaged"),
        ("chunks_shuffle_f8", zero, "compressed data are damaged"),
        ("chunks_fletcher_f4", flip, "checksum"),
        ("chunks_all_f8", zero, "compressed data are damaged"),
        ("chunks_masks", flip, "damaged"),
        ("chunks_big_i8", flip, "more than 192 bytes"),
    ];
    for (name, change, says) in cases {
        let file = damaged(&folder, name, &[2, 3, 8], change);
        let field = variable(&file, name, true);
        let error = field.read(&Region::whole(&field.shape)).unwrap_err();
        assert!(
            error.chain().contains(&format!(
                "cannot read chunk [1, 1, 2] of variable {name} in {}",
                file.path.display()
            )),
            "{}",
            error.chain()
        );
        assert!(error.chain().contains(says), "{}", error.chain());
        // Other chunks are as good as ever.
        let good = Region::new([0..2, 0..3, 0..10]);
        let slow = variable(&open(&data("filters.nc")), name, false);
        assert_eq!(
            bits(&field.read(&good).unwrap()),
            bits(&slow.read(&good).unwrap())
        );
    }
}

/// Held by tests that have many files open and count them.
static MANY_OPEN: Mutex<()> = Mutex::new(());

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn more_files_than_may_be_open() {
    let _many = MANY_OPEN.lock();
    let folder = TempDir::new().unwrap();
    let files: Arc<OpenFiles> = Arc::default();
    let paths: Vec<PathBuf> = (0..200)
        .map(|i| folder.path().join(format!("{i}.nc")))
        .collect();
    for path in &paths {
        fs::copy(data("userblock.nc"), path).unwrap();
    }
    let opened: Vec<NetcdfFile> = paths
        .iter()
        .map(|p| NetcdfFile::open(p, &files).unwrap())
        .collect();
    // Other tests have files open at the same time.
    assert!(descriptors() < 100, "{} descriptors", descriptors());
    let wanted = variable(&opened[0], "chunks_deflate", false);
    let region = Region::whole(&wanted.shape);
    let wanted = wanted.read(&region).unwrap();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (opened, wanted, region) = (&opened, &wanted, &region);
            scope.spawn(move || {
                for i in 0..opened.len() {
                    let file = &opened[(i + start * 50) % opened.len()];
                    for in_chunks in [true, false] {
                        let values = variable(file, "chunks_deflate", in_chunks).read(region);
                        assert_eq!(bits(&values.unwrap()), bits(wanted));
                    }
                }
            });
        }
    });
    assert!(descriptors() < 180, "{} descriptors", descriptors());
}

#[test]
fn files_that_were_changed_are_looked_through_anew() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("filters.nc");
    fs::copy(data("filters.nc"), &path).unwrap();
    let file = open(&path);
    let name = "chunks_deflate_f4";
    let variable = located(&file, name).unwrap();
    let known = |name| {
        // What is open stays what it was.
        file.files.close(&path);
        let places = variable.located.as_ref().unwrap();
        places.access(&file.files, &path, name).is_some()
    };
    assert!(known(name));
    assert!(!known("another"));
    let whole = Region::whole(&variable.shape);
    let before = bits(&variable.read(&whole).unwrap());

    let mut longer = fs::OpenOptions::new().append(true).open(&path).unwrap();
    longer.write_all(&[0; 8]).unwrap();
    assert_eq!(bits(&variable.read(&whole).unwrap()), before);
    assert!(!known(name));
    assert_eq!(bits(&variable.read(&whole).unwrap()), before);

    fs::remove_file(&path).unwrap();
    assert!(!known(name));
    assert!(variable.read(&whole).is_err());
}

#[test]
fn large_chunks_are_read_from_where_they_lie() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.nc");
    let cases = [
        ("plain", None, Endianness::Little),
        ("deflate", Some(1), Endianness::Little),
        ("big", None, Endianness::Big),
    ];
    {
        let mut file = netcdf::create(&path).unwrap();
        for (name, len) in [("time", 5), ("lat", 70), ("lon", 90)] {
            file.add_dimension(name, len).unwrap();
        }
        for (name, level, endian) in cases {
            let mut field = file
                .add_variable::<f32>(name, &["time", "lat", "lon"])
                .unwrap();
            field.set_chunking(&[1, 70, 90]).unwrap();
            field.set_endianness(endian).unwrap();
            if let Some(level) = level {
                field.set_compression(level, true).unwrap();
            }
            let values: Vec<f32> = (0..4 * 6300).map(|i| (i % 977) as f32).collect();
            // The last step is never written.
            field.put_values(&values, (0..4, .., ..)).unwrap();
        }
    }
    let file = open(&path);
    for (name, ..) in cases {
        let fast = variable(&file, name, true);
        assert!(format!("{:?}", access(&fast)).contains("Asked"), "{name}");
        let slow = variable(&file, name, false);
        for region in regions(&fast.shape) {
            let wanted = bits(&slow.read(&region).unwrap());
            assert_eq!(
                bits(&fast.read(&region).unwrap()),
                wanted,
                "{name} {region}"
            );
        }
    }

    // What lies behind the new end is missing, whichever way it was found.
    let fields = cases.map(|(name, ..)| variable(&file, name, true));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let whole = Region::whole(&fields[0].shape);
    let faults: Vec<String> = fields
        .iter()
        .filter_map(|field| field.read(&whole).err())
        .map(|error| error.chain())
        .collect();
    assert!(!faults.is_empty());
    for fault in faults {
        assert!(fault.contains("cannot read chunk ["), "{fault}");
        assert!(fault.contains("its bytes cannot be read"), "{fault}");
    }
}

#[test]
fn a_file_of_many_is_looked_through_while_it_is_open() {
    let _many = MANY_OPEN.lock();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.nc");
    {
        let mut file = netcdf::create(&path).unwrap();
        for (name, len) in [("time", 2), ("lat", 100), ("lon", 90)] {
            file.add_dimension(name, len).unwrap();
        }
        let mut field = file
            .add_variable::<f32>("tas", &["time", "lat", "lon"])
            .unwrap();
        field.set_chunking(&[1, 64, 64]).unwrap();
        field.set_compression(1, true).unwrap();
        let values: Vec<f32> = (0..9000).map(|i| i as f32).collect();
        field.put_values(&values, (0..1, .., ..)).unwrap();
    }
    let files = Arc::default();
    let opened: Vec<_> = (0..200)
        .map(|i| {
            let copy = folder.path().join(format!("{i}.nc"));
            fs::copy(&path, &copy).unwrap();
            NetcdfFile::open(&copy, &files).unwrap()
        })
        .collect();
    let known: Vec<bool> = opened.iter().map(|file| file.located.is_some()).collect();
    let first = known.iter().position(|&known| known).unwrap();
    assert!(first > 0 && known[first..].iter().all(|&known| known));
    let fields = opened.iter().map(|file| file.variable("tas").unwrap());
    let fields: Vec<_> = fields.collect();
    let whole = Region::whole(fields[0].shape());
    let wanted = bits(&fields[0].read(&whole).unwrap());
    // The second step was never written.
    assert_eq!(wanted[8999], 8999_f32.to_bits().into());
    assert_eq!(wanted[9000], netcdf_fill_f32());
    for field in &fields {
        assert_eq!(field.stored_bytes(&whole), fields[0].stored_bytes(&whole));
        assert_eq!(bits(&field.read(&whole).unwrap()), wanted);
    }
    assert!(descriptors() < 180, "{} descriptors", descriptors());
}

/// The bits of what netCDF says is in 32-bit floats that were never written.
fn netcdf_fill_f32() -> u64 {
    9.969_21e36_f32.to_bits().into()
}
