//! What tasks take while they run: how long, in proportion to each other, and how much memory. What is alive at once on several
//! threads depends on both.
//!
//! The durations are those of docs/benchmarks.md, on a machine of its day. Others are faster or slower at everything, by and large.

use std::time::Duration;

use delayed::{ExpectedTask, ExpectedWork};

use super::lazy::Needs;

/// Picoseconds a byte of reading: values as they lie in the file, and inflated.
const READ: [u64; 2] = [220, 1500];
/// Picoseconds a byte of regridding, of what is read and made: rows by rows; and of what is made, cell by cell.
const REGRID: [u64; 2] = [120, 1500];
/// Picoseconds a byte of writing, by how much it is compressed: not at all; by igzip; by libdeflate.
const WRITE: [u64; 3] = [450, 2000, 16_000];

/// Nanoseconds that any task takes: locks, calls of the system, the library.
const EACH: u64 = 20_000;

/// What the pace of a run depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// What tasks need at the most.
    pub(super) needs: Needs,
    /// Which part of its values' bytes is stored of what is read.
    pub(super) compressed: f64,
    /// Whether weights go from cell to cell.
    pub(super) cell_by_cell: bool,
    /// The level by which chunks are compressed.
    pub(super) deflate: u8,
}

impl Pace {
    /// What a task takes.
    pub(super) fn of(self, task: &ExpectedTask<'_>) -> ExpectedWork {
        ExpectedWork {
            lasts: self.lasts(task),
            beside: self.beside(task),
        }
    }

    /// Whether filters are undone. What is not smaller in the files has none, as a rule, and is read to its place.
    fn is_inflated(self) -> bool {
        self.compressed < 1.0
    }

    /// Bytes of storage chunks, as they are stored and between filters.
    fn undoing(self) -> u64 {
        let compressed = || (self.needs.compressed as f64 * self.compressed) as u64;
        match self.is_inflated() {
            true => self.needs.filtered + compressed(),
            false => 0,
        }
    }

    /// Bytes of a chunk that is filled up, shuffled and compressed.
    fn written(self) -> u64 {
        self.needs.filled + 2 * self.needs.chunk * u64::from(self.deflate > 0)
    }

    /// Bytes that a task holds beside its inputs and its value.
    fn beside(self, task: &ExpectedTask<'_>) -> u64 {
        let turned = self.needs.turned;
        match task.step {
            "read" if task.input_bytes > 0 => task.input_bytes,
            // Filters are undone before there is room for what is turned.
            "read" if turned > 0 => turned + self.undoing().saturating_sub(task.bytes),
            "read" => self.undoing(),
            "regrid" => self.needs.gathered + self.needs.mapped,
            "compare" => self.needs.compared + self.needs.mapped,
            "write" => self.written(),
            _ => 0,
        }
    }

    /// Bytes of all buffers that a thread comes to use. A window goes before its chunk is written.
    pub(super) fn buffers(self) -> u64 {
        let Needs {
            turned,
            gathered,
            mapped,
            compared,
            ..
        } = self.needs;
        turned + self.undoing() + compared + (gathered + mapped).max(self.written())
    }

    /// The most bytes that a task holds so.
    pub(super) fn most_beside(self) -> u64 {
        let Needs {
            turned,
            gathered,
            mapped,
            compared,
            ..
        } = self.needs;
        (turned + self.undoing())
            .max(gathered + mapped)
            .max(compared + mapped)
            .max(self.written())
    }

    /// How long a task takes.
    fn lasts(self, task: &ExpectedTask<'_>) -> Duration {
        let ExpectedTask {
            bytes, input_bytes, ..
        } = *task;
        let [by_rows, by_cells] = REGRID;
        let picoseconds = match task.step {
            // The mean of a row next to a pole counts as reading, but has inputs.
            "read" if input_bytes == 0 => {
                bytes.saturating_mul(READ[usize::from(self.is_inflated())])
            }
            "regrid" if self.cell_by_cell => bytes.saturating_mul(by_cells),
            "write" => {
                let how = match self.deflate {
                    0 => 0,
                    1 if cfg!(igzip) => 1,
                    _ => 2,
                };
                input_bytes.saturating_mul(WRITE[how])
            }
            _ => bytes.saturating_add(input_bytes).saturating_mul(by_rows),
        };
        Duration::from_nanos(EACH + picoseconds / 1000)
    }
}
