//! Two ways of reading compared, value by value, over every way of storing; and damage, which neither may hide.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Slice;
use tempfile::TempDir;

use super::*;
use crate::io::netcdf::raw::{RawFile, Stored};

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/storage");
    folder.join(name)
}

fn open(path: &Path) -> NetcdfFile {
    NetcdfFile::open(path, &Arc::default()).unwrap()
}

fn variable(file: &NetcdfFile, name: &str, beneath: bool) -> NetcdfVariable {
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
    }
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

/// Compares both ways for a variable, and checks that the fast way is taken just where it should be.
fn compare(file: &NetcdfFile, name: &str) {
    let fast = variable(file, name, true);
    let slow = variable(file, name, false);
    let context = format!("{name} in {}", file.path.display());
    let access = file
        .files
        .access(&file.path, name, &fast.shape, fast.data_type);
    match &*access {
        Access::Lacks(_) if name == "library_szip" => return,
        Access::Chunks(_) => assert!(name.starts_with("chunks_"), "{context}"),
        Access::Plain(_) => assert!(name.starts_with("plain_"), "{context}"),
        _ => assert!(name.starts_with("library_"), "{context}"),
    }
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
    }
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
    compared.iter().for_each(|name| compare(&file, name));
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
    let access = file
        .files
        .access(&file.path, "band", &band.shape, band.data_type);
    assert!(matches!(*access, Access::Chunks(_)));
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
    let access = file
        .files
        .access(&file.path, &field.name, &field.shape, field.data_type);
    assert!(matches!(*access, Access::Library));
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
        ("cdf5.nc", 10),
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
    let error = field.read(&Region::whole(&field.shape)).unwrap_err();
    let text = error.to_string();
    for says in ["variable field", "lzf.nc", "LZF (filter 32000 of HDF5)"] {
        assert!(text.contains(says), "{text}");
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
        dataset.read_chunk(offset, &mut stored),
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

#[test]
fn more_files_than_may_be_open() {
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
    let descriptors = || fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
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
