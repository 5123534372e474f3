//! Regions of a variable whose values lie in the file one after another, as they are: classic files, and netCDF-4 variables
//! without chunks. They are read past the libraries, so that several threads read at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::raw::Storage;
use super::shuffle::swap_bytes;
use crate::chunk::{Region, combinations, cuts};
use crate::io::classic::Place;
use crate::io::traffic;
use crate::values::DataType;

/// Values that are not wanted are read along with others where they are fewer bytes than this: less work than another call.
const GAP: u64 = 4096;
/// Bytes that are read in one call at the most where there are such gaps.
const SPAN: u64 = 256 << 10;

/// A variable whose values lie in the file as they are.
#[derive(Debug)]
pub(super) struct PlainVariable {
    place: Place,
    shape: Vec<usize>,
    /// Bytes of one value.
    cell: usize,
    /// Whether the bytes of each value have to be turned round.
    swap: bool,
}

impl PlainVariable {
    /// A variable of a classic file.
    pub(super) fn classic(place: Place, shape: &[usize], data_type: DataType) -> Self {
        Self {
            place,
            shape: shape.to_vec(),
            cell: data_type.size(),
            swap: cfg!(target_endian = "little"),
        }
    }

    /// A variable of a netCDF-4 file, if it lies there in one stretch and netCDF says that it has this shape and type.
    pub(super) fn hdf5(storage: &Storage, shape: &[usize], data_type: DataType) -> Option<Self> {
        let (stored, big_endian) = storage.values?;
        if storage.shape != shape || stored != data_type {
            return None;
        }
        Some(Self {
            place: Place {
                begin: storage.begin?,
                record: None,
            },
            shape: shape.to_vec(),
            cell: data_type.size(),
            swap: big_endian != cfg!(target_endian = "big"),
        })
    }

    /// Reads a region out of its file into its bytes, row by row.
    pub(super) fn read(&self, file: &File, region: &Region, out: &mut [u8]) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut rest = out;
        for span in self.spans(region) {
            let bytes = span.end - span.begin;
            traffic::count(bytes);
            let (own, others) = rest.split_at_mut(span.runs * span.run as usize);
            rest = others;
            if own.len() as u64 == bytes {
                file.read_exact_at(own, span.begin)?;
            } else {
                buffer.resize(bytes as usize, 0);
                file.read_exact_at(&mut buffer, span.begin)?;
                let runs = buffer.chunks(span.step as usize);
                for (to, from) in own.chunks_exact_mut(span.run as usize).zip(runs) {
                    to.copy_from_slice(&from[..to.len()]);
                }
            }
            if self.swap {
                swap_bytes(self.cell, own);
            }
        }
        Ok(())
    }

    /// Bytes that reading a region takes out of the file.
    pub(super) fn stored_bytes(&self, region: &Region) -> u64 {
        self.spans(region).map(|span| span.end - span.begin).sum()
    }

    /// What is read in one call each, in the order of the cells.
    fn spans(&self, region: &Region) -> impl Iterator<Item = Span> + use<> {
        let ranges = region.ranges();
        let cell = self.cell as u64;
        // Bytes from one index of a dimension to the next.
        let mut steps = vec![cell; ranges.len()];
        for d in (1..ranges.len()).rev() {
            steps[d - 1] = steps[d] * self.shape[d] as u64;
        }
        if let (Some(first), Some(record)) = (steps.first_mut(), self.place.record) {
            *first = record;
        }
        // The last dimensions are one run as long as each but the first of them is whole, and nothing lies between.
        let mut run = cell;
        let mut outer = ranges.len();
        while outer > 0 && steps[outer - 1] == run {
            outer -= 1;
            run *= ranges[outer].len() as u64;
            if ranges[outer].len() != self.shape[outer] {
                break;
            }
        }
        let first: u64 = ranges
            .iter()
            .zip(&steps)
            .map(|(range, step)| range.start as u64 * step)
            .sum();
        let first = self.place.begin + first;
        // Runs along the last of the other dimensions are read together where little lies between.
        let inner = outer.checked_sub(1);
        let (count, step) = inner.map_or((1, run), |d| (ranges[d].len(), steps[d]));
        let together = match step.saturating_sub(run) {
            gap if gap <= GAP => usize::try_from((SPAN / step).max(1)).unwrap_or(1),
            _ => 1,
        };
        let counts: Vec<usize> = ranges[..inner.unwrap_or(0)]
            .iter()
            .map(ExactSizeIterator::len)
            .collect();
        combinations(&counts).flat_map(move |place| {
            let row: u64 = place.iter().zip(&steps).map(|(&p, s)| p as u64 * s).sum();
            cuts(count, together).into_iter().map(move |piece| {
                let begin = first + row + piece.start as u64 * step;
                Span {
                    begin,
                    end: begin + (piece.len() - 1) as u64 * step + run,
                    runs: piece.len(),
                    run,
                    step,
                }
            })
        })
    }
}

/// Bytes of a file that are read in one call, and the runs of them that are wanted.
#[derive(Debug)]
struct Span {
    begin: u64,
    end: u64,
    runs: usize,
    /// Bytes of a run.
    run: u64,
    /// Bytes from one run to the next.
    step: u64,
}
