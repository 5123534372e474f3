//! What the tasks of a field take while they run: how long, in proportion to each other, and how much memory beside their values.
//!
//! The durations are those of docs/benchmarks.md, on a machine of its day. Others are faster or slower at everything, by and large.

use std::time::Duration;

use super::cells_of_target::CellsOfTarget;
use super::lazy::{LazyField, Needs};
use crate::buffers::Made;
use crate::kernel::{Rule, Statistic};

// Picoseconds, unless it says something else.

/// A byte of reading: values as they lie in the file, and inflated.
const READ: [u64; 2] = [270, 1050];
/// More of it, where chunks are read beside their places.
const IN_PARTS: u64 = 700;
/// A target cell, whatever it is made of.
const TARGET: f64 = 1300.0;
/// For each source cell that a target is made of, a byte of a cell: where rows are blended.
const BLENDED: f64 = 110.0;
/// For each source cell that a target is made of: where weights go from cell to cell.
const WEIGHED: f64 = 1500.0;
/// The same with slopes, for each plane, and for all that lie side by side.
const SLOPED: [f64; 2] = [2400.0, 9600.0];
/// A statistic over rows and columns: for the target, and for each source cell of whole rows.
const REDUCED: [f64; 2] = [5200.0, 700.0];
/// For each source cell that a statistic is made of: any, the median, the mode.
const COUNTED: [f64; 3] = [6500.0, 15_000.0, 60_000.0];
/// A source cell that is mixed of two times.
const MIXED: f64 = 1000.0;
/// A byte that is copied: of a window that is gathered of several blocks, and of planes that are laid side by side.
const GATHERED: u64 = 250;
/// A source cell that is compared with a chunk, and a cell of the chunk.
const COMPARE: [u64; 2] = [6_000, 20_000];
/// A byte of writing, and one that is left of it, by how much it is compressed: not at all; by igzip; by libdeflate.
const WRITE: [[u64; 2]; 3] = [[450, 0], [700, 2400], [3000, 11_000]];
/// A byte of memory that nobody has used before: the system clears it and puts it in its place, page by page, or in large
/// pages.
const FRESH: [u64; 2] = [1500, 400];

/// Nanoseconds that any task takes: locks, calls of the system, the library; one that writes; and each storage chunk whose filters are
/// undone.
const EACH: u64 = 20_000;
const EACH_WRITE: u64 = 100_000;
const EACH_STORED: u64 = 10_000;

/// Which part of its values' bytes a chunk is taken to have where no file was asked: as one that is hardly compressed.
const HARDLY_COMPRESSED: f64 = 0.99;
/// The same where the source does not tell, since it is not compressed.
const HALF: f64 = 0.5;
/// Which part is left at the least of values that are mixed of several, which have digits that these have not: of floats and doubles.
const MIXED_DIGITS: [f64; 2] = [0.5, 0.7];

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
    /// Picoseconds that it takes to make a target cell.
    target: f64,
    /// The level by which chunks are compressed.
    pub(super) deflate: u8,
    /// Whether filters are undone while it is read.
    inflated: bool,
    /// Buffers of the size of a storage chunk that are filled between filters.
    between_filters: usize,
    /// Which part of its values' bytes a storage chunk has in the file, and a chunk that is compressed.
    part: f64,
    left: f64,
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
        let known = stored.flatten().map(part);
        let unknown = match stored {
            None => HARDLY_COMPRESSED,
            Some(_) => HALF,
        };
        Self {
            needs: field.needs,
            target: target(field),
            deflate,
            inflated,
            between_filters: buffers.unwrap_or(0),
            part: known.unwrap_or(unknown),
            left: match stored {
                None => HARDLY_COMPRESSED,
                Some(_) => left(field, known.filter(|_| inflated)),
            },
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

    /// About how many bytes of so many are left when a chunk is compressed.
    pub(super) fn compressed(&self, bytes: u64) -> u64 {
        match self.deflate {
            0 => bytes,
            _ => (bytes as f64 * self.left) as u64,
        }
    }

    /// Buffers of the size of a storage chunk that are filled while a block of so many bytes is read: between filters, and with a chunk
    /// that has no place of its own there.
    pub(super) fn whole_chunks(&self, block: u64) -> usize {
        let in_parts = self.needs.in_parts && block != self.storage();
        self.between_filters + usize::from(in_parts)
    }

    /// Bytes that a thread holds of a storage chunk while it reads it, beside its place in a block.
    fn undoing(&self) -> u64 {
        self.storage() * self.whole_chunks(0) as u64 + self.stored()
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
            side_by_side,
            mixed,
            mapped,
            compared,
            apart,
            ..
        } = self.needs;
        (apart + turned + self.undoing())
            .max(gathered + side_by_side + mixed + mapped)
            .max(compared.iter().sum::<u64>() + mapped)
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
        let window = self.needs.gathered.max(self.needs.compared.iter().sum());
        bytes + self.needs.turned + self.needs.mixed + window
    }

    /// How long a task takes that makes so many bytes of so many, and so many of its own anew.
    pub(super) fn lasts(&self, work: Work, bytes: u64, input_bytes: u64, fresh: Made) -> Duration {
        let apiece = |bytes: u64, picoseconds: u64| bytes.saturating_mul(picoseconds);
        let picoseconds = match work {
            Work::Read => {
                let read = bytes.max(self.needs.apart);
                let more = IN_PARTS * u64::from(self.needs.in_parts);
                let stored = match self.inflated {
                    true => read / self.storage().max(1),
                    false => 0,
                };
                apiece(read, READ[usize::from(self.inflated)] + more)
                    .saturating_add(apiece(stored, 1000 * EACH_STORED))
            }
            Work::Regrid => {
                let targets = bytes / self.needs.types[1].size().max(1) as u64;
                let made = (targets as f64 * self.target) as u64;
                let copied = [self.needs.gathered, self.needs.side_by_side];
                let copied = copied.map(|copied| copied.min(input_bytes)).iter().sum();
                made.saturating_add(apiece(copied, GATHERED))
            }
            Work::Compare => {
                let [source, targets] = self.needs.looked_at;
                apiece(source, COMPARE[0]).saturating_add(apiece(targets, COMPARE[1]))
            }
            Work::Write => {
                let how = match self.deflate {
                    0 => 0,
                    1 if cfg!(igzip) => 1,
                    _ => 2,
                };
                let [each, left] = WRITE[how];
                let left = apiece((input_bytes as f64 * self.left) as u64, left);
                apiece(input_bytes, each).saturating_add(left)
            }
            Work::Pole | Work::Other => apiece(bytes.saturating_add(input_bytes), READ[0]),
        };
        let each = match work {
            Work::Write => EACH_WRITE,
            _ => EACH,
        };
        let fresh = apiece(fresh.small, FRESH[0]).saturating_add(apiece(fresh.large, FRESH[1]));
        let picoseconds = picoseconds.saturating_add(fresh);
        Duration::from_nanos(each + picoseconds / 1000)
    }
}

/// Picoseconds that it takes to make a target cell of a field.
fn target(field: &LazyField) -> f64 {
    let plan = &field.work.plan;
    let cells = plan.cells_of_target();
    let size = field.needs.types[1].size() as f64;
    let planes = (plan.cells_side_by_side() / plan.plane_cells().max(1)).max(1) as f64;
    let made = match (field.work.rule, cells) {
        (rule @ Rule::Statistic { .. }, CellsOfTarget::Rows { blended, .. })
            if !rule.takes_planes() =>
        {
            REDUCED[0] + REDUCED[1] * blended
        }
        (
            Rule::Statistic { statistic, .. },
            CellsOfTarget::Rows { cells, .. } | CellsOfTarget::Apart { cells, .. },
        ) => {
            let how = match statistic {
                Statistic::Median => 1,
                Statistic::Mode => 2,
                _ => 0,
            };
            COUNTED[how] * (1.0 + cells)
        }
        (_, CellsOfTarget::Rows { blended, .. }) => BLENDED * blended * size,
        (_, CellsOfTarget::Apart { cells, slopes }) => match slopes {
            true => (SLOPED[0] + SLOPED[1] / planes) * cells,
            false => WEIGHED * cells,
        },
    };
    let mixed = match field.needs.mixed {
        0 => 0.0,
        _ => MIXED * plan.plane_cells() as f64 / plan.targets_of_plane().max(1) as f64,
    };
    TARGET + made + mixed
}

/// Which part of a chunk of a field is left when it is compressed, where that part of the source is: of what is new, as neighbours that
/// take the value of one cell repeat it.
fn left(field: &LazyField, source: Option<f64>) -> f64 {
    let [stored, output] = field.needs.types.map(|of| of.size() as f64);
    // Values that were packed are no more of them when they have more bytes.
    let taken_over = source.map_or(HALF, |part| part.min(1.0) * stored / output);
    let mixed = taken_over.max(MIXED_DIGITS[usize::from(output > 4.0)]);
    let [of_one, of_several] = field.work.plan.new_values();
    let left = match field.work.rule {
        _ if field.needs.mixed > 0 => (of_one + of_several) * mixed,
        Rule::Blend(_) => of_one * taken_over + of_several * mixed,
        Rule::Pick | Rule::Statistic { .. } => (of_one + of_several) * taken_over,
    };
    left.min(HARDLY_COMPRESSED)
}
