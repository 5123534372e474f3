//! What tasks take while they run: how long, in proportion to each other, and how much memory. What is alive at once on several
//! threads depends on both.
//!
//! The durations are those of docs/benchmarks.md, on a machine of its day. Others are faster or slower at everything, by and large.

use std::time::Duration;

use delayed::{ExpectedTask, ExpectedWork};

use super::lazy::{LazyField, Needs};

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
    /// What reading takes of storage chunks.
    pub(super) undoing: Undoing,
    /// Whether weights go from cell to cell.
    pub(super) cell_by_cell: bool,
    /// The level by which chunks are compressed.
    pub(super) deflate: u8,
}

/// What a thread holds of a storage chunk while it reads it, beside its place in a block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Undoing {
    /// Bytes as it is stored, between filters, and whole.
    bytes: u64,
    /// Whether filters are undone at all.
    inflated: bool,
}

impl Undoing {
    /// The most of some fields, each with, if it has filters, how many buffers these fill between them, and which part of its
    /// values' bytes a storage chunk has in the file.
    pub(super) fn of<'f>(
        fields: impl Iterator<Item = (&'f LazyField, Option<(usize, f64)>)>,
    ) -> Self {
        let mut most = Self::default();
        for (field, filters) in fields {
            let Some(storage) = field.needs.storage else {
                continue;
            };
            let whole = usize::from(field.needs.in_parts);
            let (buffers, part) = filters.map_or((0, 0.0), |filters| {
                most.inflated = true;
                filters
            });
            let bytes = storage * (buffers + whole) as u64 + (storage as f64 * part) as u64;
            most.bytes = most.bytes.max(bytes);
        }
        most
    }
}

impl Pace {
    /// What a task takes.
    pub(super) fn of(self, task: &ExpectedTask<'_>) -> ExpectedWork {
        ExpectedWork {
            lasts: self.lasts(task),
            beside: self.beside(task),
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
            "read" => {
                // Who reads a row may read the block that it lies in.
                let block = task.bytes.max(self.needs.apart);
                let undone = match turned {
                    0 => self.undoing.bytes,
                    _ => turned + self.undoing.bytes.saturating_sub(block),
                };
                block - task.bytes + undone
            }
            "regrid" => self.needs.gathered + self.needs.mixed + self.needs.mapped,
            "compare" => self.needs.compared + self.needs.mapped,
            "write" => self.written(),
            _ => 0,
        }
    }

    /// Bytes of all buffers that a thread comes to use and puts back for others. Those of reading serve writing, too, if they are about as
    /// large.
    pub(super) fn buffers(self) -> u64 {
        let (read, written) = (self.undoing.bytes, self.written());
        let chunk = self.needs.chunk;
        let alike = |storage: u64| storage <= 2 * chunk && chunk <= 2 * storage;
        let bytes = match self.needs.storage.is_some_and(alike) {
            true => read.max(written),
            false => read + written,
        };
        bytes + self.needs.turned + self.needs.mixed + self.needs.compared
    }

    /// The most bytes that a thread holds with all its buffers there. A window goes before its chunk is written.
    pub(super) fn with_buffers(self) -> u64 {
        let window = self.needs.gathered + self.needs.mapped;
        self.buffers() + window.saturating_sub(self.written())
    }

    /// The most bytes that a task holds so.
    pub(super) fn most_beside(self) -> u64 {
        let Needs {
            turned,
            gathered,
            mixed,
            mapped,
            compared,
            apart,
            ..
        } = self.needs;
        (apart + turned + self.undoing.bytes)
            .max(gathered + mixed + mapped)
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
                bytes.saturating_mul(READ[usize::from(self.undoing.inflated)])
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
