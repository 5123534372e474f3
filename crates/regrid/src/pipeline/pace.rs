//! How long tasks take in proportion to each other: what is alive at once on several threads depends on it.
//!
//! The figures are those of docs/benchmarks.md, on a machine of its day. Others are faster or slower at everything, by and large.

use std::time::Duration;

use delayed::ExpectedTask;

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
    /// Whether what is read is compressed.
    pub(super) inflated: bool,
    /// Whether weights go from cell to cell.
    pub(super) cell_by_cell: bool,
    /// The level by which chunks are compressed.
    pub(super) deflate: u8,
}

impl Pace {
    /// How long a task takes.
    pub(super) fn lasts(self, task: &ExpectedTask<'_>) -> Duration {
        let ExpectedTask {
            bytes, input_bytes, ..
        } = *task;
        let [by_rows, by_cells] = REGRID;
        let picoseconds = match task.step {
            // The mean of a row next to a pole counts as reading, but has inputs.
            "read" if input_bytes == 0 => bytes.saturating_mul(READ[usize::from(self.inflated)]),
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
