//! Read tasks, and the means of rows next to the poles.

use std::collections::HashMap;
use std::sync::Arc;

use delayed::{Delayed, try_delayed};

use super::layout::Plan;
use super::lazy::Reads;
use super::parts::OpenPart;
use crate::attribute::AttributeValue;
use crate::buffers;
use crate::catalogue::{Role, SourceVariable};
use crate::chunk::Region;
use crate::error::Error;
use crate::io::ChunkSource;
use crate::io::decoding::Decoding;
use crate::io::traffic::counted;
use crate::kernel::{PoleMeans, pole_means};
use crate::plan::ChunkPlan;
use crate::values::{DataType, Values};

/// The values of a read block; their buffer is used again when no task needs them any more.
#[derive(Debug)]
pub(super) struct Block(Values);

impl Block {
    /// The decoded values.
    pub(super) fn values(&self) -> &Values {
        &self.0
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let nothing = Values::U8(ndarray::ArrayD::default(ndarray::IxDyn(&[0])));
        buffers::give_values(std::mem::replace(&mut self.0, nothing));
    }
}

/// The values of several blocks.
pub(super) fn values<'a>(blocks: &[&'a Block]) -> Vec<&'a Values> {
    blocks.iter().map(|block| block.values()).collect()
}

/// Makes read tasks as chunks ask for their blocks: each once, and only if one does.
pub(super) struct Readers<'a> {
    name: &'a str,
    parts: &'a [OpenPart],
    plan: &'a Plan,
    stacked: bool,
    /// The place of time among the plan's dimensions.
    time: Option<usize>,
    fill: &'a AttributeValue,
    blocks: HashMap<Vec<usize>, Delayed<Block>>,
    poles: HashMap<(Vec<usize>, bool), Delayed<PoleMeans>>,
    /// What the read tasks made so far will read.
    pub(super) reads: Reads,
    /// The regions that they read, as their sources count them.
    pub(super) stored: Vec<(Arc<dyn ChunkSource>, Region)>,
    stored_size: usize,
    decoded_size: usize,
}

impl<'a> Readers<'a> {
    pub(super) fn new(
        variable: &'a SourceVariable,
        parts: &'a [OpenPart],
        plan: &'a Plan,
        fill: &'a AttributeValue,
        decoded: DataType,
    ) -> Self {
        let is_time = |&d: &usize| variable.dimensions[d].role == Role::Time;
        Self {
            name: variable.name(),
            parts,
            plan,
            stacked: variable.stacked,
            time: plan.order.source.iter().position(is_time),
            fill,
            blocks: HashMap::new(),
            poles: HashMap::new(),
            reads: Reads::default(),
            stored: Vec::new(),
            stored_size: variable.meta.data_type.size(),
            decoded_size: decoded.size(),
        }
    }

    /// How many tasks were made so far.
    pub(super) fn tasks(&self) -> usize {
        self.blocks.len() + self.poles.len()
    }

    /// The blocks that cuts need, every combination of their pieces.
    pub(super) fn blocks(&mut self, chunk: &ChunkPlan) -> Vec<Delayed<Block>> {
        chunk
            .blocks()
            .map(|index| {
                index
                    .iter()
                    .zip(&chunk.cuts)
                    .map(|(&i, cut)| cut.pieces[i].block)
                    .collect()
            })
            .map(|block| self.block(block))
            .collect()
    }

    fn block(&mut self, index: Vec<usize>) -> Delayed<Block> {
        if let Some(block) = self.blocks.get(&index) {
            return block.clone();
        }
        let ranges: Vec<_> = index
            .iter()
            .zip(&self.plan.blocks)
            .map(|(&i, blocks)| blocks[i].clone())
            .collect();
        self.reads.blocks += 1;
        self.reads.storage_chunks += self.plan.storage_chunks(&ranges);
        let cells: usize = ranges.iter().map(ExactSizeIterator::len).product();
        self.reads.bytes += (cells * self.stored_size) as u64;
        // Blocks never reach from one file into the next: storage chunks do not.
        let part = match self.time {
            Some(time) => {
                let at = self
                    .parts
                    .partition_point(|p| p.part.start + p.part.len <= ranges[time].start);
                self.parts.get(at)
            }
            None => self.parts.first(),
        }
        .expect("every block lies in a part");
        let mut own = ranges;
        if let Some(time) = self.time {
            own[time] = own[time].start - part.part.start..own[time].end - part.part.start;
        }
        let stored = Region::new(own).permuted(&self.plan.order.back);
        let (source, decoding) = (part.source.clone(), part.decoding.clone());
        let (order, stacked, fill) = (
            self.plan.order.source.clone(),
            self.stacked,
            self.fill.clone(),
        );
        let own = match stacked {
            true => Region::new(&stored.ranges()[1..]),
            false => stored.clone(),
        };
        self.stored.push((source.clone(), own));
        let values_bytes = (cells * self.stored_size) as u64;
        let label = format!("read {} {} {stored}", part.file, self.name);
        let block = try_delayed(move || {
            let (block, read) =
                counted(|| read_block(source.as_ref(), &stored, stacked, &decoding, &fill, &order));
            // Sources that do not count give values as they are stored.
            delayed::count_read(read.unwrap_or(values_bytes));
            block.map(Block)
        })
        .named(label)
        .group(self.name.to_owned())
        .step("read")
        .bytes((cells * self.decoded_size) as u64);
        self.blocks.insert(index, block.clone());
        block
    }

    /// The means of the rows next to the poles that a chunk's weights reach: one task for all chunks at the same times.
    pub(super) fn poles(&mut self, index: &[usize], chunk: &ChunkPlan) -> Vec<Delayed<PoleMeans>> {
        let outer = chunk.outer().len();
        let rows = &chunk.plane()[0];
        let mut poles = Vec::new();
        for last in [false, true] {
            if rows.poles[usize::from(last)].is_none() {
                continue;
            }
            let key = (index[..outer].to_vec(), last);
            if let Some(pole) = self.poles.get(&key) {
                poles.push(pole.clone());
                continue;
            }
            let row = if last { self.plan.rows - 1 } else { 0 };
            let ring = self.plan.ring(chunk, row);
            let blocks = self.blocks(&ring);
            let pole = delayed::apply(blocks, move |blocks: Vec<&Block>| {
                pole_means(&ring, &values(&blocks))
            })
            .named(format!("pole of {} (row {row})", self.name))
            .group(self.name.to_owned())
            .step("read");
            self.poles.insert(key, pole.clone());
            poles.push(pole);
        }
        poles
    }
}

/// Reads one block and makes its values usable: missing ones marked, packed ones unpacked, the plane's dimensions last.
pub(super) fn read_block(
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
