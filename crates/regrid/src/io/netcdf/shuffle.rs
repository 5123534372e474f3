//! The order of bytes: shuffled as netCDF-4 does before it compresses, and turned round for other machines' numbers.
//!
//! Values are shifted and narrowed in the place of picking their bytes one by one: that is what vector units do well, several
//! times as fast. The loops are compiled for several processors, as those of [`kernel::simd`](crate::kernel).
//!
//! # Source
//! `H5Zshuffle.c` of HDF5: values are taken apart into planes of bytes, what is no whole value stays where it is.

use multiversion::multiversion;

/// Values that are gone through for all of their bytes before the next ones are: few enough to stay in the nearest cache.
const NEAR: usize = 2048;

macro_rules! numbers {
    ($($number:ident, $apart:ident, $together:ident;)*) => {$(
        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
        fn $apart(from: &[u8], to: &mut [u8]) {
            const SIZE: usize = size_of::<$number>();
            let (values, _) = from.as_chunks::<SIZE>();
            let n = values.len();
            for (at, near) in values.chunks(NEAR).enumerate() {
                for byte in 0..SIZE {
                    let plane = &mut to[byte * n + at * NEAR..][..near.len()];
                    for (x, &value) in plane.iter_mut().zip(near) {
                        *x = ($number::from_le_bytes(value) >> (8 * byte)) as u8;
                    }
                }
            }
        }

        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
        fn $together(from: &[u8], to: &mut [u8]) {
            const SIZE: usize = size_of::<$number>();
            let (values, rest) = to.as_chunks_mut::<SIZE>();
            let n = values.len();
            let planes: [&[u8]; SIZE] = std::array::from_fn(|byte| &from[byte * n..][..n]);
            for (i, value) in values.iter_mut().enumerate() {
                let mut number = 0;
                for (byte, plane) in planes.iter().enumerate() {
                    number |= $number::from(plane[i]) << (8 * byte);
                }
                *value = number.to_le_bytes();
            }
            rest.copy_from_slice(&from[SIZE * n..]);
        }
    )*};
}

numbers! {
    u16, apart_2, together_2;
    u32, apart_4, together_4;
    u64, apart_8, together_8;
}

/// Puts the first bytes of all values of `size` bytes first, then the second ones, and so on.
///
/// # Panics
/// If the lengths differ, or if they are no whole number of values.
pub(super) fn shuffle(size: usize, from: &[u8], to: &mut [u8]) {
    assert!(
        from.len().is_multiple_of(size) && from.len() == to.len(),
        "whole values"
    );
    match size {
        1 => to.copy_from_slice(from),
        2 => apart_2(from, to),
        4 => apart_4(from, to),
        8 => apart_8(from, to),
        _ => unreachable!("numbers have 1, 2, 4 or 8 bytes"),
    }
}

/// Gathers the bytes of each value of `size` bytes again; bytes beyond the last whole value stay where they are.
///
/// # Panics
/// If the lengths differ.
pub(super) fn unshuffle(size: usize, from: &[u8], to: &mut [u8]) {
    match size {
        1 => to.copy_from_slice(from),
        2 => together_2(from, to),
        4 => together_4(from, to),
        8 => together_8(from, to),
        _ => {
            let n = to.len() / size;
            let whole = n * size;
            for (byte, plane) in from[..whole].chunks_exact(n.max(1)).enumerate() {
                for (i, &x) in plane.iter().enumerate() {
                    to[i * size + byte] = x;
                }
            }
            to[whole..].copy_from_slice(&from[whole..]);
        }
    }
}

/// Turns the bytes of every value of `size` bytes round.
pub(super) fn swap_bytes(size: usize, bytes: &mut [u8]) {
    fn known<const N: usize>(bytes: &mut [u8]) {
        for value in bytes.as_chunks_mut::<N>().0 {
            value.reverse();
        }
    }
    match size {
        2 => known::<2>(bytes),
        4 => known::<4>(bytes),
        8 => known::<8>(bytes),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_is_undone_by_its_inverse() {
        for size in [1, 2, 4, 8] {
            // Fewer values than go together, a few more, and many.
            for n in [0, 1, 37, NEAR, NEAR + 3, 3 * NEAR + 41] {
                let bytes: Vec<u8> = (0..size * n).map(|i| (i * i / 7 + i) as u8).collect();
                let planes = (0..size).flat_map(|byte| (0..n).map(move |i| i * size + byte));
                let planes: Vec<u8> = planes.map(|at| bytes[at]).collect();
                let (mut there, mut back) = (vec![0; bytes.len()], vec![0; bytes.len()]);
                shuffle(size, &bytes, &mut there);
                assert!(there == planes, "{n} of {size}");
                unshuffle(size, &there, &mut back);
                assert!(back == bytes, "{n} of {size}");
                swap_bytes(size, &mut back);
                let turned = bytes.chunks(size).flat_map(|value| value.iter().rev());
                assert!(back.iter().eq(turned), "{n} of {size}");
            }
        }
    }
}
