//! The chunks and the read blocks of a plan by number: a task that knows its number needs to hold nothing else.
//!
//! Chunks are counted over the plan's [cuts](Plan::counts) and blocks over its blocks along each dimension, the last dimension
//! fastest. Behind those of the blocks are the numbers of the [rows](Plan::row_of) next to the poles that lie in them.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{Plan, PlanePlan};
use crate::chunk::Region;
use crate::plan::{AxisCut, ChunkPlan};

impl Plan {
    /// The number of cuts along each dimension of the result, as computed; those of a sparse plane count as one dimension.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.outer.iter().map(Vec::len).collect();
        match &self.plane {
            PlanePlan::Separable(axes) => counts.extend(axes.iter().map(Vec::len)),
            PlanePlan::Sparse(cuts) => counts.push(cuts.len()),
        }
        counts
    }

    /// A chunk's number.
    pub(super) fn number(&self, index: &[usize]) -> usize {
        let plane = match &self.plane {
            PlanePlan::Separable([rows, columns]) => [rows.len(), columns.len()],
            PlanePlan::Sparse(cuts) => [cuts.len(), 1],
        };
        let counts = self.outer.iter().map(Vec::len).chain(plane);
        index
            .iter()
            .zip(counts)
            .fold(0, |number, (at, count)| number * count + at)
    }

    /// The number of the dimensions before the plane of a chunk: chunks of one number differ only within the plane.
    pub(super) fn outer_number(&self, index: &[usize]) -> usize {
        index
            .iter()
            .zip(&self.outer)
            .fold(0, |number, (at, cuts)| number * cuts.len() + at)
    }

    /// How many of those there are.
    pub(super) fn outer_count(&self) -> usize {
        self.outer.iter().map(Vec::len).product()
    }

    /// The index of a chunk, by its number.
    fn index(&self, number: usize) -> Vec<usize> {
        place(number, &self.counts())
    }

    /// The cuts of a chunk, by its index among the [`counts`](Self::counts).
    pub(super) fn cuts<'a>(&'a self, index: &[usize], into: &mut Vec<&'a Arc<AxisCut>>) {
        let (outer, plane) = index.split_at(self.outer.len());
        into.extend(outer.iter().zip(&self.outer).map(|(&i, cuts)| &cuts[i]));
        match &self.plane {
            PlanePlan::Separable([rows, columns]) => {
                into.extend([&rows[plane[0]], &columns[plane[1]]]);
            }
            PlanePlan::Sparse(all) => into.extend(&all[plane[0]].0),
        }
    }

    /// Which combinations of the pieces of a chunk's plane are needed; all, if nothing is said.
    pub(super) fn reached(&self, index: &[usize]) -> Option<&[bool]> {
        match &self.plane {
            PlanePlan::Separable(_) => None,
            PlanePlan::Sparse(all) => Some(&all[index[self.outer.len()]].1.reached),
        }
    }

    /// The plan of one chunk, by its index.
    pub(super) fn chunk(&self, index: &[usize]) -> ChunkPlan {
        let mut cuts = Vec::with_capacity(self.order.source.len());
        self.cuts(index, &mut cuts);
        let sparse = match &self.plane {
            PlanePlan::Separable(_) => None,
            PlanePlan::Sparse(all) => Some(all[index[self.outer.len()]].1.clone()),
        };
        ChunkPlan {
            plane_dimensions: self.order.source.len() - self.outer.len(),
            cuts: cuts.into_iter().cloned().collect(),
            sparse,
        }
    }

    /// The plan of one chunk, by its number.
    pub(super) fn numbered(&self, chunk: usize) -> ChunkPlan {
        self.chunk(&self.index(chunk))
    }

    /// The targets of a chunk in the result.
    pub(super) fn region(&self, index: &[usize]) -> Region {
        let outer = self.outer.len();
        let targets = |d: usize| match (d.checked_sub(outer), &self.plane) {
            (None, _) => self.outer[d][index[d]].targets.clone(),
            (Some(d), PlanePlan::Separable(axes)) => axes[d][index[outer + d]].targets.clone(),
            (Some(d), PlanePlan::Sparse(cuts)) => cuts[index[outer]].1.targets[d].clone(),
        };
        self.order.result.iter().map(|&d| targets(d)).collect()
    }

    /// The targets of a chunk in the result, by its number.
    pub(super) fn numbered_region(&self, chunk: usize) -> Region {
        self.region(&self.index(chunk))
    }

    /// Calls with the index of every chunk, those that read the same blocks one after another: cuts with one first block go
    /// together along each dimension, and within them part of the plane by part of the plane.
    ///
    /// What lies in two blocks keeps the second one until its turn comes; so the dimension of the plane with fewer blocks goes
    /// first, and the blocks that wait are as few. But where a pole's mean is needed, all blocks of its row are there at once:
    /// row by row they are so for one pole after the other.
    pub(super) fn for_each_index(&self, mut call: impl FnMut(&[usize])) {
        let counts = self.counts();
        if counts.contains(&0) {
            return;
        }
        let outer = self.outer.len();
        let mut groups: Vec<Vec<Range<usize>>> =
            self.outer.iter().map(|cuts| alike(cuts)).collect();
        let mut order: Vec<usize> = (0..counts.len()).collect();
        match &self.plane {
            PlanePlan::Separable(axes) => {
                groups.extend(axes.iter().map(|cuts| alike(cuts)));
                let [rows, columns] = [0, 1].map(|axis| self.blocks[outer + axis].len());
                if rows < columns && (self.rings.columns.is_none() || self.rings.apart) {
                    order.swap(outer, outer + 1);
                }
            }
            PlanePlan::Sparse(cuts) => groups.push(std::iter::once(0..cuts.len()).collect()),
        }
        // The group along each dimension, in that order.
        let mut group = vec![0; counts.len()];
        let mut within = vec![0..0; counts.len()];
        let mut index = vec![0; counts.len()];
        loop {
            for (&d, &at) in order.iter().zip(&group) {
                within[d] = groups[d][at].clone();
                index[d] = within[d].start;
            }
            loop {
                loop {
                    call(&index);
                    if !next(&mut index[..outer], |d| within[d].clone()) {
                        break;
                    }
                }
                if !next(&mut index[outer..], |d| within[outer + d].clone()) {
                    break;
                }
            }
            if !next(&mut group, |at| 0..groups[order[at]].len()) {
                break;
            }
        }
    }

    /// A row next to a pole, the first or the last one, at the outer cuts of chunks of an [outer number](Self::outer_number).
    pub(super) fn ring(&self, outer: usize, last: bool) -> ChunkPlan {
        let counts: Vec<usize> = self.outer.iter().map(Vec::len).collect();
        let outer = place(outer, &counts).into_iter().zip(&self.outer);
        let ring = self.ring_cuts(last).cloned();
        ChunkPlan {
            cuts: outer.map(|(i, cuts)| cuts[i].clone()).chain(ring).collect(),
            sparse: None,
            plane_dimensions: 2,
        }
    }

    /// The cuts of the plane for the row next to a pole.
    pub(super) fn ring_cuts(&self, last: bool) -> impl Iterator<Item = &Arc<AxisCut>> {
        let row = &self.rings.rows[usize::from(last)];
        row.iter().chain(&self.rings.columns)
    }

    /// How far the numbers of neighbouring blocks along each dimension are apart.
    pub(super) fn block_strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.blocks.len()];
        for d in (1..strides.len()).rev() {
            strides[d - 1] = strides[d] * self.blocks[d].len();
        }
        strides
    }

    /// How many blocks the plane has at one place before it, and how many such places there are.
    pub(super) fn block_counts(&self) -> [usize; 2] {
        let (outer, plane) = self.blocks.split_at(self.outer.len());
        [plane, outer].map(|blocks| blocks.iter().map(Vec::len).product())
    }

    /// The place of a block along each dimension, by its number.
    fn block_place(&self, block: usize) -> Vec<usize> {
        let counts: Vec<usize> = self.blocks.iter().map(Vec::len).collect();
        place(block, &counts)
    }

    /// The number of the first or the last row of what lies in a block's places along the other dimensions.
    pub(super) fn row_of(&self, block: usize, last: bool) -> usize {
        let [plane, outer] = self.block_counts();
        block + plane * outer * (1 + usize::from(last))
    }

    /// The block of a number, and if the number is that of a row next to a pole, whether it is the first (0) or the last one (1).
    pub(super) fn block_of(&self, number: usize) -> (usize, Option<usize>) {
        let [plane, outer] = self.block_counts();
        let blocks = (plane * outer).max(1);
        (number % blocks, (number / blocks).checked_sub(1))
    }

    /// The cells along each dimension of a block, or of such a row, by its number.
    pub(super) fn block_cells(&self, number: usize) -> Vec<Range<usize>> {
        let (block, row) = self.block_of(number);
        let place = self.block_place(block);
        let along = place.iter().zip(&self.blocks);
        let mut cells: Vec<_> = along.map(|(&at, blocks)| blocks[at].clone()).collect();
        if let Some(row) = row {
            let row = [0, self.rows - 1][row];
            cells[self.outer.len()] = row..row + 1;
        }
        cells
    }

    /// How many storage chunks each block covers along each dimension.
    pub(super) fn storage_chunks(&self) -> Vec<Vec<usize>> {
        let along = |(blocks, storage): (&Vec<Range<usize>>, &Vec<Range<usize>>)| {
            let covered = |block| covered(block, storage);
            blocks.iter().map(covered).collect()
        };
        self.blocks.iter().zip(&*self.storage).map(along).collect()
    }

    /// How many storage chunks one block covers, or a row of what lies in it.
    pub(super) fn covered(&self, block: usize) -> usize {
        let cells = self.block_cells(block);
        let along = cells.iter().zip(&*self.storage);
        along
            .map(|(cells, storage)| covered(cells, storage))
            .product()
    }

    /// Cells of the storage chunks that a row next to a pole lies in.
    pub(super) fn covered_cells(&self, row: usize) -> usize {
        let cells = self.block_cells(row);
        let along = cells.iter().zip(&*self.storage);
        let covered = |(cells, storage): (&Range<usize>, &Vec<Range<usize>>)| -> usize {
            let first = storage.partition_point(|chunk| chunk.end <= cells.start);
            let chunks = storage[first..].iter();
            let covered = chunks.take_while(|chunk| chunk.start < cells.end);
            covered.map(Range::len).sum()
        };
        along.map(covered).product()
    }
}

/// How many storage chunks a block covers along one dimension.
fn covered(block: &Range<usize>, storage: &[Range<usize>]) -> usize {
    storage.partition_point(|chunk| chunk.start < block.end)
        - storage.partition_point(|chunk| chunk.end <= block.start)
}

/// The place along each dimension of what has a number.
fn place(mut number: usize, counts: &[usize]) -> Vec<usize> {
    let mut place = vec![0; counts.len()];
    for (at, &count) in place.iter_mut().zip(counts).rev() {
        *at = number % count;
        number /= count;
    }
    place
}

/// The next of all combinations of one place in each dimension's range, the last dimension fastest; after the last one comes the
/// first one again, and the answer is no.
fn next(at: &mut [usize], range: impl Fn(usize) -> Range<usize>) -> bool {
    for d in (0..at.len()).rev() {
        at[d] += 1;
        if at[d] < range(d).end {
            return true;
        }
        at[d] = range(d).start;
    }
    false
}

/// Runs of neighbouring cuts that read the same first block.
fn alike(cuts: &[Arc<AxisCut>]) -> Vec<Range<usize>> {
    let first = |cut: &AxisCut| cut.pieces.first().map(|piece| piece.block);
    let mut start = 0;
    cuts.chunk_by(|a, b| first(a).is_some() && first(a) == first(b))
        .map(|run| {
            start += run.len();
            start - run.len()..start
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_their_numbers_run_through_the_last_dimension_first() {
        let counts = [2, 3];
        let mut at = [0, 0];
        for number in 0..6 {
            assert_eq!(place(number, &counts), at);
            assert_eq!(next(&mut at, |d| 0..counts[d]), number < 5);
        }
        assert_eq!(at, [0, 0]);
        assert!(!next(&mut [], |_| 0..1));
    }
}
