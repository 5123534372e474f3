//! Damage to the tree that says where the chunks of an array lie: in older files no checksum guards it.

use std::fs;

use tempfile::TempDir;

use super::tests::{data, open, variable};
use super::*;

/// What a file says of the chunks that begin at cell (2, 3, 8), damaged in one way: the size, the filters that were left out,
/// then the first cell, of which the last number is always 0.
fn damaged(bytes: &mut [u8], change: impl Fn(&mut [u8])) {
    let cell: Vec<u8> = [2_u64, 3, 8, 0]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let keys: Vec<usize> = (8..bytes.len() - cell.len())
        .filter(|&at| bytes[at..].starts_with(&cell) && bytes[at - 4..at] == [0; 4])
        .collect();
    assert!(keys.len() > 10);
    for at in keys {
        change(&mut bytes[at - 8..at + cell.len()]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_memory_is_taken_for_a_chunk_larger_than_its_file() {
    let peak = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() * 1024
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("size.nc");
    let mut bytes = fs::read(data("filters.nc")).unwrap();
    // Where a tree says how large a chunk is, which filters it lacks and where its cells begin.
    let place: Vec<u8> = [2_u64, 3, 8, 0]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    let keys: Vec<usize> = (8..bytes.len() - place.len())
        .filter(|&at| bytes[at..].starts_with(&place) && bytes[at - 4..at] == [0; 4])
        .collect();
    assert!(keys.len() > 10);
    for at in keys {
        bytes[at - 8..at - 4].copy_from_slice(&0x7fff_ff00_u32.to_le_bytes());
    }
    fs::write(&path, bytes).unwrap();
    let before = peak();
    let file = open(&path);
    for name in ["chunks_deflate_f4", "chunks_all_f8", "chunks_plain_f4"] {
        let field = variable(&file, name, true);
        let text = field
            .read(&Region::whole(&field.shape))
            .unwrap_err()
            .chain();
        let says = format!("cannot read chunk [1, 1, 2] of variable {name} in");
        assert!(text.contains(&says), "{text}");
    }
    assert!(peak() - before < 1 << 30, "{} bytes", peak() - before);
}

#[test]
fn a_chunk_that_is_lost_is_not_taken_for_one_that_was_never_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lost.nc");
    let mut bytes = fs::read(data("filters.nc")).unwrap();
    damaged(&mut bytes, |key| key[8] ^= 0x40);
    fs::write(&path, bytes).unwrap();
    let file = open(&path);
    for name in ["chunks_deflate_f4", "chunks_all_f8", "chunks_plain_f4"] {
        let field = variable(&file, name, true);
        let whole = Region::whole(&field.shape);
        let text = field.read(&whole).unwrap_err().chain();
        for says in ["cannot read chunk [", name, "where they lie is damaged"] {
            assert!(text.contains(says), "{text}");
        }
        let wanted = [(name, field.shape.clone(), field.data_type)];
        let located = Located::of(&file.files, &file.path, &wanted);
        assert!(located.is_none(), "{name}");
    }
}
