//! What the tasks of one field share: each of them holds a handle on it, and a number.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use delayed::Series;

use super::layout::Plan;
use super::parts::OpenPart;
use super::readers::{Block, values};
use super::shared::SharedBlocks;
use crate::attribute::AttributeValue;
use crate::chunk::Region;
use crate::error::Error;
use crate::io::ChunkSource;
use crate::io::decoding::Decoding;
use crate::io::traffic::counted;
use crate::kernel::{PoleMeans, Rule, pole_means, regrid_chunk};
use crate::values::Values;

/// The plan of a field, and what reading and regridding by it takes.
pub(super) struct FieldWork {
    /// The field's name.
    pub(super) name: String,
    /// Shared with fields that are alike.
    pub(super) plan: Arc<Plan>,
    pub(super) parts: Vec<OpenPart>,
    /// Whether files are steps of a dimension that they do not have.
    pub(super) stacked: bool,
    /// The place of time among the plan's dimensions.
    pub(super) time: Option<usize>,
    /// The fill value of the result.
    pub(super) fill: AttributeValue,
    /// What marks a missing value while it is worked on.
    pub(super) absent: Arc<Values>,
    pub(super) rule: Rule,
    /// Blocks that are wanted twice, once it is known which.
    pub(super) shared: OnceLock<SharedBlocks>,
}

impl FieldWork {
    /// Which part of the variable has a block, or a row of it, and its region there.
    fn stored(&self, block: usize) -> (&OpenPart, Region) {
        let mut ranges = self.plan.block_cells(block);
        // Blocks never reach from one file into the next: storage chunks do not.
        let part = match self.time {
            Some(time) => {
                let ended = |p: &OpenPart| p.part.start + p.part.len <= ranges[time].start;
                self.parts.get(self.parts.partition_point(ended))
            }
            None => self.parts.first(),
        }
        .expect("every block lies in a part");
        if let Some(time) = self.time {
            let start = part.part.start;
            ranges[time] = ranges[time].start - start..ranges[time].end - start;
        }
        let back = self.plan.order.back.iter();
        (part, back.map(|&d| ranges[d].clone()).collect())
    }

    /// Where a block comes from, as its source counts.
    pub(super) fn origin(&self, block: usize) -> (&dyn ChunkSource, Region) {
        let (part, stored) = self.stored(block);
        let region = match self.stacked {
            true => Region::new(&stored.ranges()[1..]),
            false => stored,
        };
        (part.source.as_ref(), region)
    }

    /// How many storage chunks a block covers, as its source has them.
    pub(super) fn storage_chunks(&self, block: usize) -> usize {
        let (source, region) = self.origin(block);
        let Some(shape) = source.chunk_shape() else {
            return self.plan.covered(block);
        };
        let along = region.ranges().iter().zip(shape);
        along
            .map(|(range, n)| range.end.div_ceil(*n) - range.start / n)
            .product()
    }

    /// Reads a block, or a row of one.
    pub(super) fn read(&self, number: usize) -> Result<Block, Error> {
        let values = match self.shared.get() {
            Some(shared) => shared.get(number, &self.plan, |number| self.read_stored(number)),
            None => self.read_stored(number),
        };
        values.map(Block::from)
    }

    /// Reads it from its file.
    fn read_stored(&self, block: usize) -> Result<Values, Error> {
        let (part, stored) = self.stored(block);
        let (values, read) = counted(|| {
            read_block(
                part.source.as_ref(),
                &stored,
                self.stacked,
                &part.decoding,
                &self.fill,
                &self.plan.order.source,
            )
        });
        // Sources that do not count give values as they are stored; many have no chunks.
        let size = part.source.data_type().size();
        let bytes = || (stored.len() * size) as u64;
        delayed::count_read(read.map_or_else(bytes, |read| read.bytes));
        let chunks = read.map(|read| read.chunks).filter(|&chunks| chunks > 0);
        let chunks = chunks.unwrap_or_else(|| self.storage_chunks(block) as u64);
        delayed::count("storage chunks read", chunks);
        values
    }

    /// The mean of a row next to a pole, by the number of the chunks' outer dimensions, which there is twice.
    pub(super) fn pole(&self, number: usize, blocks: &[&Block]) -> PoleMeans {
        let ring = self.plan.ring(number / 2, number % 2 == 1);
        pole_means(&ring, &values(blocks))
    }

    /// Computes a chunk of the result.
    pub(super) fn regrid(&self, chunk: usize, blocks: &[&Block], poles: &[&PoleMeans]) -> Values {
        let plan = self.plan.numbered(chunk);
        let made = regrid_chunk(&plan, &values(blocks), poles, self.rule, &self.absent);
        if let Some(cut) = &plan.sparse {
            cut.rest();
        }
        made.permuted(&self.plan.order.result)
    }

    /// The tasks that read blocks, by the blocks' numbers.
    pub(super) fn reads(self: &Arc<Self>) -> SizedSeries {
        let own = self.clone();
        let series = Series::new(move |block, f| {
            let (part, stored) = own.stored(block);
            write!(f, "read {} {} {stored}", part.file, own.name)
        });
        SizedSeries::new(series.group(self.name.clone()).step("read"))
    }

    /// The tasks that take the mean of a row next to a pole, by the [numbers](Self::pole) of these.
    pub(super) fn poles(self: &Arc<Self>) -> Series {
        let own = self.clone();
        let series = Series::new(move |pole, f| {
            let row = [0, own.plan.rows - 1][pole % 2];
            write!(f, "pole of {} (row {row})", own.name)
        });
        series.group(self.name.clone()).step("read")
    }

    /// The tasks that regrid chunks, by the chunks' numbers.
    pub(super) fn regrids(self: &Arc<Self>) -> SizedSeries {
        let own = self.clone();
        let series = Series::new(move |chunk, f| {
            let region = own.plan.numbered_region(chunk);
            write!(f, "regrid {} {region}", own.name)
        });
        SizedSeries::new(series.group(self.name.clone()).step("regrid"))
    }
}

/// Tasks of one series but for the size of their values; most have one of a few.
pub(super) struct SizedSeries {
    series: Series,
    sizes: HashMap<u64, Series>,
    /// The one that was asked for last.
    last: (u64, Series),
}

impl SizedSeries {
    fn new(series: Series) -> Self {
        Self {
            last: (0, series.clone().bytes(0)),
            sizes: HashMap::new(),
            series,
        }
    }

    /// Those with values of so many bytes.
    pub(super) fn of(&mut self, bytes: u64) -> &Series {
        if self.last.0 != bytes {
            let sized = || self.series.clone().bytes(bytes);
            self.last = (bytes, self.sizes.entry(bytes).or_insert_with(sized).clone());
        }
        &self.last.1
    }
}

/// Reads one block and makes its values usable: missing ones marked, packed ones unpacked, the plane's dimensions last.
fn read_block(
    source: &dyn ChunkSource,
    stored: &Region,
    stacked: bool,
    decoding: &Decoding,
    fill: &AttributeValue,
    order: &[usize],
) -> Result<Values, Error> {
    let values = if stacked {
        source
            .read(&Region::new(&stored.ranges()[1..]))?
            .with_new_dimension(0)
    } else {
        source.read(stored)?
    };
    Ok(decoding.decode(values, fill).permuted(order))
}
