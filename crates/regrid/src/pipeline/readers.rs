//! Read tasks, and the means of rows next to the poles.

use std::collections::HashMap;
use std::sync::Arc;

use delayed::{Delayed, Series};

use super::lazy::Reads;
use super::work::{FieldWork, SizedSeries};
use crate::buffers;
use crate::kernel::PoleMeans;
use crate::plan::{AxisCut, ChunkPlan};
use crate::values::Values;

/// The values of a read block; their buffer is used again when no task needs them any more.
#[derive(Debug)]
pub(super) struct Block(Values);

impl Block {
    /// The decoded values.
    fn values(&self) -> &Values {
        &self.0
    }
}

impl From<Values> for Block {
    fn from(values: Values) -> Self {
        Self(values)
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
pub(super) struct Readers {
    work: Arc<FieldWork>,
    read_series: SizedSeries,
    pole_series: Series,
    /// Bytes of a value as it is stored, and when it is decoded.
    sizes: [usize; 2],
    strides: Vec<usize>,
    /// How many storage chunks each block covers along each dimension.
    storage_chunks: Vec<Vec<usize>>,
    /// Whether files have chunks of several shapes, so that the source of each block has to be asked.
    uneven: bool,
    /// The tasks of all blocks of a part of the plane, part after part, in the order in which parts were first asked for.
    blocks: Vec<Option<Delayed<Block>>>,
    /// Where among them those of each part of the plane start.
    starts: Vec<Option<usize>>,
    /// How many blocks a part of the plane has.
    depth: usize,
    /// The tasks of rows that are read apart, by their numbers.
    rows: HashMap<usize, Delayed<Block>>,
    /// The means next to both poles, by the number of the outer dimensions.
    poles: Vec<[Option<Delayed<PoleMeans>>; 2]>,
    pole_tasks: usize,
    /// What the read tasks made so far will read.
    pub(super) reads: Reads,
    /// The numbers of the blocks that they read.
    pub(super) read: Vec<usize>,
}

impl Readers {
    /// For a field whose stored and decoded values have so many bytes.
    pub(super) fn new(work: &Arc<FieldWork>, sizes: [usize; 2]) -> Self {
        let [parts, depth] = work.plan.block_counts();
        Self {
            work: work.clone(),
            read_series: work.reads(),
            pole_series: work.poles(),
            sizes,
            strides: work.plan.block_strides(),
            storage_chunks: work.plan.storage_chunks(),
            uneven: (work.parts)
                .windows(2)
                .any(|pair| pair[0].source.chunk_shape() != pair[1].source.chunk_shape()),
            blocks: Vec::new(),
            starts: vec![None; parts],
            depth,
            rows: HashMap::new(),
            poles: Vec::new(),
            pole_tasks: 0,
            reads: Reads::default(),
            read: Vec::new(),
        }
    }

    /// What the tasks share.
    pub(super) fn work(&self) -> &Arc<FieldWork> {
        &self.work
    }

    /// How many tasks were made so far.
    pub(super) fn tasks(&self) -> usize {
        self.reads.blocks + self.pole_tasks
    }

    /// The blocks that a chunk needs.
    pub(super) fn blocks(&mut self, chunk: &ChunkPlan) -> Vec<Delayed<Block>> {
        let cuts: Vec<&Arc<AxisCut>> = chunk.cuts.iter().collect();
        let reached = chunk.sparse.as_ref().map(|sparse| &sparse.reached[..]);
        self.blocks_of(&cuts, reached)
    }

    /// The row next to a pole, as one or several blocks.
    fn ring(&mut self, cuts: &[&Arc<AxisCut>], last: bool) -> Vec<Delayed<Block>> {
        match self.work.plan.rings.apart {
            true => {
                // The row counts as one block of its own, the first along its dimension.
                let rows = self.work.plan.outer.len();
                let after = usize::from(last) * (self.work.plan.blocks[rows].len() - 1);
                let after = after * self.strides[rows];
                self.each_of(cuts, None, |readers, at| readers.row(at + after, last))
            }
            false => self.blocks_of(cuts, None),
        }
    }

    /// The blocks that cuts need: every combination of their pieces, of those of the plane only such as are reached.
    pub(super) fn blocks_of(
        &mut self,
        cuts: &[&Arc<AxisCut>],
        reached: Option<&[bool]>,
    ) -> Vec<Delayed<Block>> {
        self.each_of(cuts, reached, Self::block)
    }

    /// What is made of the number of each block that cuts need.
    fn each_of(
        &mut self,
        cuts: &[&Arc<AxisCut>],
        reached: Option<&[bool]>,
        mut make: impl FnMut(&mut Self, usize) -> Delayed<Block>,
    ) -> Vec<Delayed<Block>> {
        let all: usize = cuts.iter().map(|cut| cut.pieces.len()).product();
        let needed = |at: usize| reached.is_none_or(|reached| reached[at % reached.len()]);
        let count = match reached {
            Some(_) => (0..all).filter(|&at| needed(at)).count(),
            None => all,
        };
        let mut blocks = Vec::with_capacity(count);
        for mut at in (0..all).filter(|&at| needed(at)) {
            let mut number = 0;
            for (cut, stride) in cuts.iter().zip(&self.strides).rev() {
                let pieces = &cut.pieces;
                number += stride * pieces[at % pieces.len()].block;
                at /= pieces.len();
            }
            blocks.push(make(self, number));
        }
        blocks
    }

    fn block(&mut self, number: usize) -> Delayed<Block> {
        let (outer, part) = (number / self.starts.len(), number % self.starts.len());
        let start = *self.starts[part].get_or_insert_with(|| {
            let start = self.blocks.len();
            self.blocks.resize(start + self.depth, None);
            start
        });
        if let Some(block) = &self.blocks[start + outer] {
            return block.clone();
        }
        let (mut cells, mut storage_chunks, mut rest) = (1, 1, number);
        let axes = self.work.plan.blocks.iter().zip(&self.storage_chunks);
        for ((blocks, chunks), stride) in axes.zip(&self.strides) {
            let at = rest / stride;
            rest %= stride;
            cells *= blocks[at].len();
            storage_chunks *= chunks[at];
        }
        if self.uneven {
            storage_chunks = self.work.storage_chunks(number);
        }
        self.count(number, storage_chunks, cells);
        let block = self.task(number, cells);
        self.blocks[start + outer] = Some(block.clone());
        block
    }

    /// The first or the last row of all, as far as it lies in a block.
    fn row(&mut self, block: usize, last: bool) -> Delayed<Block> {
        let number = self.work.plan.row_of(block, last);
        if let Some(row) = self.rows.get(&number) {
            return row.clone();
        }
        let ranges = self.work.plan.block_cells(number);
        let cells = ranges.iter().map(ExactSizeIterator::len).product();
        // Otherwise it depends on who else wants the block.
        if self.work.origin(block).0.chunk_shape().is_none() {
            self.count(number, self.work.storage_chunks(number), cells);
        }
        let row = self.task(number, cells);
        self.rows.insert(number, row.clone());
        row
    }

    /// The blocks that are wanted twice, once all tasks are made: as a row that is read apart, and as a whole (which the answer tells)
    /// or as the other row. Of rows that are all that is wanted, the storage chunks count as read now.
    pub(super) fn shared(&mut self) -> Vec<(usize, bool)> {
        let work = self.work.clone();
        let mut rows: Vec<(usize, usize)> = (self.rows.keys())
            .map(|&row| (work.plan.block_of(row).0, row))
            .filter(|&(block, _)| work.origin(block).0.chunk_shape().is_some())
            .collect();
        rows.sort_unstable();
        let mut shared = Vec::new();
        for rows in rows.chunk_by(|a, b| a.0 == b.0) {
            let (block, row) = rows[0];
            if self.is_read(block) {
                shared.push((block, true));
                continue;
            }
            let number = match rows.len() {
                1 => row,
                _ => {
                    shared.push((block, false));
                    block
                }
            };
            // As a part of whole storage chunks: these are what is read.
            self.count(
                number,
                work.storage_chunks(number),
                work.plan.covered_cells(number),
            );
        }
        shared
    }

    /// Whether a task reads a block.
    fn is_read(&self, block: usize) -> bool {
        let (outer, part) = (block / self.starts.len(), block % self.starts.len());
        self.starts[part].is_some_and(|start| self.blocks[start + outer].is_some())
    }

    /// The task that reads so many cells, a block or a row of it.
    fn task(&mut self, number: usize, cells: usize) -> Delayed<Block> {
        self.reads.blocks += 1;
        let work = self.work.clone();
        let series = self.read_series.of((cells * self.sizes[1]) as u64);
        series.try_delayed(number, move || work.read(number))
    }

    /// Counts what is read of a block or a row of it: storage chunks, and cells in them.
    fn count(&mut self, number: usize, storage_chunks: usize, cells: usize) {
        self.reads.storage_chunks += storage_chunks;
        self.reads.bytes += (cells * self.sizes[0]) as u64;
        self.read.push(number);
    }

    /// The means of the rows next to the poles that the weights of a chunk reach: one task for all chunks at the same times.
    pub(super) fn poles(
        &mut self,
        index: &[usize],
        cuts: &[&Arc<AxisCut>],
    ) -> Vec<Delayed<PoleMeans>> {
        let work = self.work.clone();
        let outer = work.plan.outer.len();
        let reached = cuts[outer].poles.map(|pole| pole.is_some());
        let mut poles = Vec::new();
        if reached == [false, false] {
            return poles;
        }
        if self.poles.is_empty() {
            let nothing = || [const { None }; 2];
            self.poles.resize_with(work.plan.outer_count(), nothing);
        }
        let place = work.plan.outer_number(index);
        for last in [false, true] {
            if !reached[usize::from(last)] {
                continue;
            }
            if let Some(pole) = &self.poles[place][usize::from(last)] {
                poles.push(pole.clone());
                continue;
            }
            let before = cuts[..outer].iter().copied();
            let ring: Vec<_> = before.chain(work.plan.ring_cuts(last)).collect();
            let blocks = self.ring(&ring, last);
            let (own, number) = (work.clone(), 2 * place + usize::from(last));
            let pole = move |blocks: Vec<&Block>| own.pole(number, &blocks);
            let pole = self.pole_series.apply(number, blocks, pole);
            self.pole_tasks += 1;
            self.poles[place][usize::from(last)] = Some(pole.clone());
            poles.push(pole);
        }
        poles
    }
}
