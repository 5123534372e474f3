//! What netCDF-4 does to storage chunks, undone: deflate, shuffle, Fletcher's checksum.
//!
//! Works on bytes alone, outside any lock. Filters other than these are the library's business.
//!
//! # Source
//! HDF5 File Format Specification 3.0, section IV.A.2.l; `H5Zshuffle.c` and `H5checksum.c` of the library.

use libdeflater::{DecompressionError, Decompressor};

use super::raw::Filter;
use super::shuffle::unshuffle;
use crate::buffers::{put_back, sized};

/// Why the bytes of a chunk are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChunkFault {
    #[error("its compressed data are damaged")]
    Deflate,
    #[error("its checksum is {computed:08x}, {stored:08x} is stored with it")]
    Checksum { stored: u32, computed: u32 },
    #[error("it holds {got} bytes, expected {expected}")]
    Length { got: usize, expected: usize },
    #[error("it holds more than {expected} bytes")]
    Overlong { expected: usize },
    #[error("its bytes cannot be read")]
    Unreadable,
    #[error(
        "it is not found, and the file holds chunks that are not found either: where they lie is damaged"
    )]
    Lost,
}

/// A known filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Deflate,
    /// The first bytes of all values, then the second ones, and so on; with the bytes of a value.
    Shuffle(usize),
    Fletcher32,
}

/// What was done to the chunks of a variable, first to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pipeline(Vec<Step>);

/// Buffers and tables for undoing filters, from chunk to chunk of what a thread reads.
pub(super) struct Scratch {
    inflate: Decompressor,
    pub(super) stored: Vec<u8>,
    /// What lies between two steps.
    between: [Vec<u8>; 2],
    /// A chunk of which only a part is wanted.
    pub(super) chunk: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            inflate: Decompressor::new(),
            stored: Vec::new(),
            between: [Vec::new(), Vec::new()],
            chunk: Vec::new(),
        }
    }
}

impl Scratch {
    /// Puts the buffers back, for whoever needs some next.
    pub(super) fn put_back(&mut self) {
        let [a, b] = &mut self.between;
        for buffer in [&mut self.stored, &mut self.chunk, a, b] {
            put_back(buffer);
        }
    }
}

/// Where the bytes of a chunk are, between two steps.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Stored,
    Between(usize),
    Out,
}

impl Pipeline {
    /// The pipeline of these filters; none if one of them is not known here, or if they cannot be undone without knowing
    /// more than the size of a chunk.
    pub(super) fn new(filters: &[Filter]) -> Option<Self> {
        let steps = filters.iter().map(|filter| {
            Some(match (filter.id, filter.parameters.as_slice()) {
                (1, _) => Step::Deflate,
                (2, &[size, ..]) if size > 0 => Step::Shuffle(size as usize),
                (3, _) => Step::Fletcher32,
                _ => return None,
            })
        });
        let steps: Vec<Step> = steps.collect::<Option<_>>()?;
        let deflates = steps.iter().filter(|&&s| s == Step::Deflate).count();
        (deflates <= 1).then_some(Self(steps))
    }

    /// How many buffers are filled while filters are undone, beside the chunk as it is stored and its values; nothing if there are no
    /// filters.
    pub(super) fn buffers(&self) -> Option<usize> {
        let first = self.0.first()?;
        let making = self.0.iter().filter(|&&s| s != Step::Fletcher32).count();
        // What is undone last writes into place, if it writes.
        Some(match first {
            Step::Fletcher32 => making.min(2),
            Step::Deflate | Step::Shuffle(_) => (making - 1).min(2),
        })
    }

    /// Whether nothing was done to a chunk, given the filters that were left out for it, a bit each.
    pub(super) fn is_plain(&self, mask: u32) -> bool {
        self.steps(mask).next().is_none()
    }

    fn steps(&self, mask: u32) -> impl DoubleEndedIterator<Item = Step> {
        // Pipelines have at most 32 filters; a mask has no bits for more.
        let ran = move |&(i, _): &(usize, &Step)| mask.checked_shr(i as u32).unwrap_or(0) & 1 == 0;
        self.0.iter().enumerate().filter(ran).map(|(_, &step)| step)
    }

    /// Undoes all filters that ran for a chunk: from `scratch.stored` into `out`, which is as long as the chunk was.
    ///
    /// A checksum may lie anywhere: what comes later in the pipeline was done to its four bytes too.
    pub(super) fn undo(
        &self,
        mask: u32,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), ChunkFault> {
        let Scratch {
            inflate,
            stored,
            between,
            ..
        } = scratch;
        let mut left = self.steps(mask).count();
        let mut checksums = self.steps(mask).filter(|&s| s == Step::Fletcher32).count();
        let mut at = At::Stored;
        let mut len = stored.len();
        for step in self.steps(mask).rev() {
            left -= 1;
            let [first, second] = between;
            if step == Step::Fletcher32 {
                let bytes: &[u8] = match at {
                    At::Stored => stored,
                    At::Between(0) => first,
                    At::Between(_) => second,
                    At::Out => out,
                };
                len = check(&bytes[..len])?;
                checksums -= 1;
                continue;
            }
            let wanted = match step {
                Step::Deflate => out.len() + 4 * checksums,
                _ => len,
            };
            if left == 0 {
                // The last step writes into place.
                expect(wanted, out.len())?;
            }
            let to = match at {
                _ if left == 0 => At::Out,
                At::Between(0) => At::Between(1),
                _ => At::Between(0),
            };
            let (from, into): (&[u8], &mut [u8]) = match (at, to) {
                (At::Stored, At::Out) => (stored, &mut *out),
                (At::Stored, _) => (stored, sized(first, wanted)),
                (At::Between(0), At::Out) => (first, &mut *out),
                (At::Between(0), _) => (first, sized(second, wanted)),
                (At::Between(_), At::Out) => (second, &mut *out),
                (At::Between(_), _) => (second, sized(first, wanted)),
                (At::Out, _) => unreachable!("only the last step writes into place"),
            };
            let from = &from[..len];
            match step {
                Step::Deflate => {
                    let got = match inflate.zlib_decompress(from, into) {
                        Ok(got) => got,
                        Err(DecompressionError::InsufficientSpace) => {
                            return Err(ChunkFault::Overlong { expected: wanted });
                        }
                        Err(DecompressionError::BadData) => return Err(ChunkFault::Deflate),
                    };
                    expect(got, wanted)?;
                }
                Step::Shuffle(size) => {
                    unshuffle(size, from, into);
                }
                Step::Fletcher32 => unreachable!("done above"),
            }
            (at, len) = (to, wanted);
        }
        expect(len, out.len())?;
        match at {
            At::Out => {}
            At::Stored => out.copy_from_slice(&stored[..len]),
            At::Between(i) => out.copy_from_slice(&between[i][..len]),
        }
        Ok(())
    }
}

fn expect(got: usize, expected: usize) -> Result<(), ChunkFault> {
    if got == expected {
        Ok(())
    } else {
        Err(ChunkFault::Length { got, expected })
    }
}

/// The length of what a checksum at the end is of, if it is right.
fn check(bytes: &[u8]) -> Result<usize, ChunkFault> {
    let Some((data, &stored)) = bytes.split_last_chunk::<4>() else {
        return Err(ChunkFault::Length {
            got: bytes.len(),
            expected: 4,
        });
    };
    let stored = u32::from_le_bytes(stored);
    let computed = fletcher32(data);
    // HDF5 up to 1.6.2 stored the two bytes of each half the other way round, and its successors accept that.
    let halves = ((computed & 0x00ff_00ff) << 8) | ((computed >> 8) & 0x00ff_00ff);
    if stored == computed || stored == halves {
        Ok(data.len())
    } else {
        Err(ChunkFault::Checksum { stored, computed })
    }
}

/// Fletcher's checksum as HDF5 computes it: of big-endian pairs of bytes, a last odd byte being the high one of its pair.
fn fletcher32(bytes: &[u8]) -> u32 {
    /// Pairs that can be added before the second sum leaves 32 bits.
    const MOST: usize = 360;
    let (mut first, mut second) = (0_u32, 0_u32);
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (pairs, odd) = bytes.as_chunks::<2>();
    for block in pairs.chunks(MOST) {
        for &pair in block {
            first += u32::from(u16::from_be_bytes(pair));
            second += first;
        }
        (first, second) = (fold(first), fold(second));
    }
    if let [last] = odd {
        first += u32::from(*last) << 8;
        second += first;
        (first, second) = (fold(first), fold(second));
    }
    (fold(second) << 16) | fold(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libdeflater::{CompressionLvl, Compressor};

    fn filters(ids: &[i32], size: u32) -> Vec<Filter> {
        let filter = |&id| Filter {
            id,
            name: String::new(),
            parameters: vec![size],
            available: true,
        };
        ids.iter().map(filter).collect()
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..len).map(next).collect()
    }

    /// The slow and obvious way.
    fn shuffled(size: usize, bytes: &[u8]) -> Vec<u8> {
        let n = bytes.len() / size;
        let mut out: Vec<u8> = (0..size)
            .flat_map(|byte| (0..n).map(move |i| bytes[i * size + byte]))
            .collect();
        out.extend(&bytes[n * size..]);
        out
    }

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::fastest());
        let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
        let len = compressor.zlib_compress(bytes, &mut out).unwrap();
        out.truncate(len);
        out
    }

    /// What a writer makes of a chunk.
    fn done(ids: &[i32], mask: u32, size: usize, chunk: &[u8]) -> Vec<u8> {
        let mut bytes = chunk.to_vec();
        for (i, id) in ids.iter().enumerate() {
            if mask >> i & 1 == 1 {
                continue;
            }
            bytes = match id {
                1 => deflated(&bytes),
                2 => shuffled(size, &bytes),
                _ => {
                    let sum = fletcher32(&bytes);
                    bytes.extend(sum.to_le_bytes());
                    bytes
                }
            };
        }
        bytes
    }

    #[test]
    fn as_many_buffers_are_filled_as_there_are_steps_between() {
        let buffers = |ids: &[i32]| Pipeline::new(&filters(ids, 4)).unwrap().buffers();
        assert_eq!(buffers(&[]), None);
        assert_eq!(buffers(&[3]), Some(0));
        assert_eq!(buffers(&[1]), Some(0));
        assert_eq!(buffers(&[2, 1]), Some(1));
        assert_eq!(buffers(&[2, 1, 3]), Some(1));
        assert_eq!(buffers(&[3, 2, 1]), Some(2));
    }

    #[test]
    fn every_order_of_filters_is_undone_with_every_mask() {
        let orders: [&[i32]; 12] = [
            &[],
            &[1],
            &[2],
            &[3],
            &[2, 1],
            &[1, 2],
            &[3, 2, 1],
            &[2, 1, 3],
            &[2, 3, 1],
            &[1, 3],
            &[3, 1],
            &[3, 2, 3, 1, 3],
        ];
        for ids in orders {
            for size in [1, 2, 3, 4, 8, 12] {
                let chunk = noise(size * 61);
                let pipeline = Pipeline::new(&filters(ids, size as u32)).unwrap();
                for mask in 0..1 << ids.len() {
                    let mut scratch = Scratch {
                        stored: done(ids, mask, size, &chunk),
                        ..Scratch::default()
                    };
                    let mut out = vec![0; chunk.len()];
                    assert_eq!(pipeline.undo(mask, &mut out, &mut scratch), Ok(()));
                    assert_eq!(out, chunk, "{ids:?} of {size}, mask {mask:b}");
                    assert!(!pipeline.is_plain(mask) || scratch.stored == chunk);
                }
            }
        }
    }

    #[test]
    fn other_filters_are_not_known() {
        assert_eq!(Pipeline::new(&filters(&[2, 32015], 4)), None);
        assert_eq!(Pipeline::new(&filters(&[1, 1], 4)), None);
        assert_eq!(Pipeline::new(&filters(&[2], 0)), None);
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let chunk = noise(400);
        for ids in [&[1][..], &[2, 1], &[3], &[2, 1, 3], &[3, 2, 1]] {
            let pipeline = Pipeline::new(&filters(ids, 4)).unwrap();
            let stored = done(ids, 0, 4, &chunk);
            for at in 0..stored.len() {
                let mut damaged = stored.clone();
                damaged[at] ^= 0x10;
                let mut scratch = Scratch {
                    stored: damaged,
                    ..Scratch::default()
                };
                let mut out = vec![0; chunk.len()];
                let result = pipeline.undo(0, &mut out, &mut scratch);
                // A bit of zlib's header (the level, say) may change nothing; then the values are right.
                assert!(result.is_err() || out == chunk, "{ids:?} at {at}");
            }
            for len in 0..stored.len() {
                let mut scratch = Scratch {
                    stored: stored[..len].to_vec(),
                    ..Scratch::default()
                };
                let mut out = vec![0; chunk.len()];
                assert!(pipeline.undo(0, &mut out, &mut scratch).is_err());
            }
        }
    }

    #[test]
    fn chunks_of_another_size_are_refused() {
        let pipeline = Pipeline::new(&filters(&[1], 4)).unwrap();
        let expected = 400;
        let overlong = ChunkFault::Overlong { expected };
        let short = ChunkFault::Length { got: 396, expected };
        for (len, fault) in [(396, short), (404, overlong)] {
            let mut scratch = Scratch {
                stored: deflated(&noise(len)),
                ..Scratch::default()
            };
            let result = pipeline.undo(0, &mut [0; 400], &mut scratch);
            assert_eq!(result, Err(fault));
        }
    }

    #[test]
    fn checksums_are_those_of_hdf5() {
        // Of `H5_checksum_fletcher32` in the library.
        assert_eq!(fletcher32(&[]), 0);
        assert_eq!(fletcher32(&[1, 2, 3, 4]), (0x0102 + 0x0406) << 16 | 0x0406);
        assert_eq!(fletcher32(&[0xff; 4]), 0xffff_ffff);
        let odd = fletcher32(&[1, 2, 3]);
        assert_eq!(odd, fletcher32(&[1, 2, 3, 0]));
        let mut old = noise(100);
        let sum = fletcher32(&old);
        let halves = [sum >> 8, sum, sum >> 24, sum >> 16].map(|x| x as u8);
        old.extend(halves);
        assert_eq!(check(&old), Ok(100));
    }
}
