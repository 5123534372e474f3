//! What the tasks of a field take while they run: how long, in proportion to each other, and how much memory beside their values.
//!
//! The durations are those of docs/benchmarks.md, on a machine of its day. Others are faster or slower at everything, by and large.

use std::time::Duration;

use super::lazy::{LazyField, Needs};

/// Picoseconds a byte of reading: values as they lie in the file, and inflated.
const READ: [u64; 2] = [220, 1500];
/// Picoseconds a byte of regridding, of what is read and made: rows by rows, or the means of [many](MANY) cells; and of what is made,
/// cell by cell.
const REGRID: [u64; 3] = [150, 350, 1500];
/// Cells of which a target is made, if they are many.
const MANY: usize = 9;
/// Picoseconds a byte of writing, by how much it is compressed: not at all; by igzip; by libdeflate.
const WRITE: [u64; 3] = [450, 2000, 16_000];

/// Picoseconds a byte of comparing a chunk with its source, of what is read.
const COMPARE: u64 = 8000;

/// Nanoseconds that any task takes: locks, calls of the system, the library.
const EACH: u64 = 20_000;

/// Which part of its values' bytes a chunk is taken to have where nobody knows: as one that is hardly compressed.
const HARDLY_COMPRESSED: f64 = 0.99;

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Read,
    /// The mean of a row next to a pole.
    Pole,
    Regrid,
    Compare,
    Write,
    Other,
}

impl Work {
    /// By the task's step, and the bytes that it reads of others.
    pub(super) fn of(step: &str, input_bytes: u64) -> Self {
        match step {
            "read" if input_bytes == 0 => Self::Read,
            "read" => Self::Pole,
            "regrid" => Self::Regrid,
            "compare" => Self::Compare,
            "write" => Self::Write,
            _ => Self::Other,
        }
    }
}

/// What the pace of a field's tasks depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// What they need at the most.
    pub(super) needs: Needs,
    /// [Of how many cells](LazyField::cells_of_target) a target is made; nothing if weights go from cell to cell.
    cells: Option<usize>,
    /// The level by which chunks are compressed.
    pub(super) deflate: u8,
    /// Whether filters are undone while it is read.
    inflated: bool,
    /// Buffers of the size of a storage chunk that are filled meanwhile: between filters, and with a chunk of which a part is wanted.
    pub(super) whole_chunks: usize,
    /// Which part of its values' bytes a storage chunk has in the file.
    part: f64,
}

impl Pace {
    /// That of a field whose chunks are compressed at a level. Of its own storage chunks as the file says, if it is asked, by how many
    /// bytes are stored of it.
    pub(super) fn new(field: &LazyField, deflate: u8, stored: Option<Option<u64>>) -> Self {
        // A file that was not asked has filters, one buffer between them.
        let buffers = match stored {
            Some(_) => field.filter_buffers(),
            None => Some(1),
        };
        let part = |stored: u64| stored as f64 / field.reads.bytes.max(1) as f64;
        let inflated = field.needs.storage.is_some() && buffers.is_some();
        Self {
            needs: field.needs,
            cells: field.cells_of_target(),
            deflate,
            inflated,
            whole_chunks: buffers.unwrap_or(0) + usize::from(field.needs.in_parts),
            part: stored.flatten().map_or(HARDLY_COMPRESSED, part),
        }
    }

    /// Bytes of the values of a storage chunk that is read beside its place, or through buffers.
    pub(super) fn storage(&self) -> u64 {
        self.needs.storage.unwrap_or(0)
    }

    /// Bytes of a storage chunk as it is stored, if there are filters to be undone.
    pub(super) fn stored(&self) -> u64 {
        match self.inflated {
            true => (self.storage() as f64 * self.part) as u64,
            false => 0,
        }
    }

    /// About how many bytes of so many are left when a chunk is compressed: as many as of the source.
    pub(super) fn compressed(&self, bytes: u64) -> u64 {
        match (self.deflate, self.inflated) {
            (0, _) => bytes,
            (_, true) => (bytes as f64 * self.part.min(1.0)) as u64,
            (_, false) => bytes,
        }
    }

    /// Bytes that a thread holds of a storage chunk while it reads it, beside its place in a block.
    fn undoing(&self) -> u64 {
        self.storage() * self.whole_chunks as u64 + self.stored()
    }

    /// Bytes of a chunk that is filled up, shuffled and compressed.
    fn written(&self) -> u64 {
        self.needs.filled + 2 * self.needs.chunk * u64::from(self.deflate > 0)
    }

    /// The most bytes that a task holds beside its inputs and its value.
    pub(super) fn most_beside(&self) -> u64 {
        let Needs {
            turned,
            gathered,
            mixed,
            mapped,
            compared,
            apart,
            ..
        } = self.needs;
        (apart + turned + self.undoing())
            .max(gathered + mixed + mapped)
            .max(compared + mapped)
            .max(self.written())
    }

    /// Bytes of all buffers that a thread comes to use and puts back for others. Those of reading serve writing, too, if they are about as
    /// large.
    pub(super) fn buffers(&self) -> u64 {
        let (read, written) = (self.undoing(), self.written());
        let chunk = self.needs.chunk;
        let alike = |storage: u64| storage <= 2 * chunk && chunk <= 2 * storage;
        let bytes = match self.needs.storage.is_some_and(alike) {
            true => read.max(written),
            false => read + written,
        };
        bytes + self.needs.turned + self.needs.mixed
    }

    /// How long a task takes that makes so many bytes of so many.
    pub(super) fn lasts(&self, work: Work, bytes: u64, input_bytes: u64) -> Duration {
        let [by_rows, means, by_cells] = REGRID;
        let picoseconds = match work {
            Work::Read => {
                let read = bytes.max(self.needs.apart);
                read.saturating_mul(READ[usize::from(self.inflated)])
            }
            Work::Regrid => match self.cells {
                None => bytes.saturating_mul(by_cells),
                Some(MANY..) => bytes.saturating_add(input_bytes).saturating_mul(means),
                Some(_) => bytes.saturating_add(input_bytes).saturating_mul(by_rows),
            },
            Work::Compare => input_bytes.saturating_mul(COMPARE),
            Work::Write => {
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
