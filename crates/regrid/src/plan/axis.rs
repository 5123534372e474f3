//! One dimension by itself: its read blocks, and what each of its target cuts reads.

use std::ops::Range;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::weights::SparseWeights;

/// One dimension of a variable: its weights, the targets' cuts and the source's read blocks.
#[derive(Debug, Clone)]
pub(crate) struct AxisPlan {
    /// Pieces of the source that are read at once, in order; only those that something needs.
    pub(crate) blocks: Vec<Range<usize>>,
    /// The target's pieces.
    pub(crate) cuts: Vec<AxisCut>,
}

/// One piece of a target axis, with all that is needed to compute it from its window.
#[derive(Debug, Clone)]
pub(crate) struct AxisCut {
    /// The target indices.
    pub(crate) targets: Range<usize>,
    /// Source cells that the window holds along this axis.
    pub(crate) window: usize,
    /// Weights from places in the window; places beyond it are the pole rows. Cuts that only pick share them.
    pub(crate) weights: Arc<SparseWeights>,
    /// Which of the two pole rows, at the first and at the last index, the weights reach.
    pub(crate) poles: [Option<usize>; 2],
    /// What each block brings to the window; of a million steps in time, each is one cut with one piece.
    pub(crate) pieces: SmallVec<[Piece; 1]>,
}

/// How a source is stored along one axis, and what makes its read blocks.
///
/// A block takes in neighbouring storage chunks of one class while it has at most `block_cells` cells, and never reaches
/// across one of `ends`. Storage chunks have one class when the same cut is the first to need them (`by_cut`), or,
/// otherwise, when any cut needs them; those that hold cells of `apart` make classes of their own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AxisSource<'a> {
    /// The storage chunks along the axis, in order and without gaps.
    pub(crate) storage: &'a [Range<usize>],
    /// Where files end.
    pub(crate) ends: &'a [usize],
    pub(crate) block_cells: usize,
    pub(crate) by_cut: bool,
    pub(crate) apart: &'a [usize],
    /// Cells that something else reads too, from the same blocks.
    pub(crate) also: &'a [usize],
    /// Whether windows take in the cells between those that are needed of a block, so that they lie side by side.
    pub(crate) side_by_side: bool,
}

/// What one read block brings to a window along one axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// The block's index.
    pub(crate) block: usize,
    /// Runs of cells: place in the block, place in the window, length.
    pub(crate) runs: SmallVec<[(usize, usize, usize); 1]>,
}

impl AxisPlan {
    /// Plans one axis; `weights` may read two virtual indices beyond the source's own (the pole rows).
    pub(crate) fn new(
        weights: &SparseWeights,
        target_cuts: &[Range<usize>],
        source: &AxisSource<'_>,
    ) -> Self {
        let AxisSource {
            storage,
            ends,
            block_cells,
            by_cut,
            apart,
            also,
            side_by_side,
        } = *source;
        let source_len = storage.last().map_or(0, |chunk| chunk.end);
        let needs = Lists::new(target_cuts, |cut, cells| {
            cells.extend(cut.clone().flat_map(|t| weights.row(t)).map(|(s, _)| s));
            cells.sort_unstable();
            cells.dedup();
        });
        let mut class: Vec<Option<(usize, bool)>> = vec![None; storage.len()];
        let chunk_of = |cell: usize| storage.partition_point(|chunk| chunk.end <= cell);
        for cut in 0..target_cuts.len() {
            for &cell in needs.of(cut).iter().filter(|&&cell| cell < source_len) {
                class[chunk_of(cell)].get_or_insert((if by_cut { cut } else { 0 }, false));
            }
        }
        for &cell in also {
            class[chunk_of(cell)].get_or_insert((0, false));
        }
        for &cell in apart {
            let class = &mut class[chunk_of(cell)];
            *class = Some((class.map_or(usize::MAX, |(cut, _)| cut), true));
        }
        let blocks = group(storage, &class, block_cells, ends);
        let needs = match side_by_side {
            true => Lists::new(0..target_cuts.len(), |cut, cells| {
                bridged(needs.of(cut), &blocks, cells);
            }),
            false => needs,
        };
        let mut picks = Arc::new(SparseWeights::default());
        let cuts = target_cuts
            .iter()
            .enumerate()
            .map(|(cut, targets)| {
                let cells = needs.of(cut);
                let weights = local(weights, targets.clone(), cells, &mut picks);
                AxisCut::new(weights, targets.clone(), cells, source_len, &blocks)
            })
            .collect();
        Self { blocks, cuts }
    }
}

/// A list of cells for each cut, one after another.
struct Lists {
    cells: Vec<usize>,
    /// Where each list ends.
    ends: Vec<usize>,
}

impl Lists {
    /// Lists filled one by one.
    fn new<C>(cuts: impl IntoIterator<Item = C>, mut fill: impl FnMut(C, &mut Vec<usize>)) -> Self {
        let mut lists = Self {
            cells: Vec::new(),
            ends: Vec::new(),
        };
        let mut own = Vec::new();
        for cut in cuts {
            own.clear();
            fill(cut, &mut own);
            lists.cells.extend_from_slice(&own);
            lists.ends.push(lists.cells.len());
        }
        lists
    }

    fn of(&self, cut: usize) -> &[usize] {
        let start = cut.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.cells[start..self.ends[cut]]
    }
}

/// The weights of a cut, from places among its cells; where each target is one of them, in order, those that were made last, in
/// `picks`, may do.
fn local(
    weights: &SparseWeights,
    targets: Range<usize>,
    cells: &[usize],
    picks: &mut Arc<SparseWeights>,
) -> Arc<SparseWeights> {
    let picked =
        |(t, &cell): (usize, &usize)| weights.row(t) == [(cell, 1.0)] && weights.covered(t) == 1.0;
    if targets.len() != cells.len() || !targets.clone().zip(cells).all(picked) {
        return Arc::new(weights.local(targets, cells));
    }
    if picks.len() != cells.len() {
        *picks = Arc::new(weights.local(targets, cells));
    }
    picks.clone()
}

impl AxisCut {
    fn new(
        weights: Arc<SparseWeights>,
        targets: Range<usize>,
        cells: &[usize],
        source_len: usize,
        blocks: &[Range<usize>],
    ) -> Self {
        let window = cells.partition_point(|&cell| cell < source_len);
        let pole = |row: usize| {
            cells[window..]
                .iter()
                .position(|&cell| cell == row)
                .map(|at| window + at)
        };
        Self {
            weights,
            targets,
            window,
            poles: [pole(source_len), pole(source_len + 1)],
            pieces: pieces(&cells[..window], blocks),
        }
    }

    /// The source cells that its window holds, by their places in it.
    pub(crate) fn cells(&self, blocks: &[Range<usize>]) -> Vec<usize> {
        let mut cells = vec![0; self.window];
        for piece in &self.pieces {
            for &(from, place, len) in &piece.runs {
                let first = blocks[piece.block].start + from;
                (0..len).for_each(|i| cells[place + i] = first + i);
            }
        }
        cells
    }

    /// A window of some cells, without targets.
    pub(crate) fn window_of(cells: &[usize], blocks: &[Range<usize>]) -> Self {
        Self {
            targets: 0..0,
            window: cells.len(),
            weights: Arc::default(),
            poles: [None, None],
            pieces: pieces(cells, blocks),
        }
    }
}

/// Sorted cells, with those between two of the same block.
fn bridged(cells: &[usize], blocks: &[Range<usize>], bridged: &mut Vec<usize>) {
    let mut before: Option<usize> = None;
    for &cell in cells {
        let block = blocks.partition_point(|block| block.end <= cell);
        match before {
            Some(last) if blocks.get(block).is_some_and(|block| block.start <= last) => {
                bridged.extend(last + 1..=cell);
            }
            _ => bridged.push(cell),
        }
        before = Some(cell);
    }
}

/// Neighbouring storage chunks of one class, joined.
pub(super) fn group<C: PartialEq + Copy>(
    storage: &[Range<usize>],
    class: &[Option<C>],
    block_cells: usize,
    ends: &[usize],
) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut last: Option<C> = None;
    for (chunk, &class) in storage.iter().zip(class) {
        match blocks.last_mut() {
            Some(block)
                if class.is_some()
                    && class == last
                    && block.end == chunk.start
                    && ends.binary_search(&block.end).is_err()
                    && chunk.end - block.start <= block_cells =>
            {
                block.end = chunk.end;
            }
            _ if class.is_some() => blocks.push(chunk.clone()),
            _ => {}
        }
        last = class;
    }
    blocks
}

/// How sorted cells come out of blocks.
fn pieces(cells: &[usize], blocks: &[Range<usize>]) -> SmallVec<[Piece; 1]> {
    let mut pieces: SmallVec<[Piece; 1]> = SmallVec::new();
    for (place, &cell) in cells.iter().enumerate() {
        let block = blocks.partition_point(|block| block.end <= cell);
        let within = cell - blocks[block].start;
        match pieces.last_mut() {
            Some(piece) if piece.block == block => match piece.runs.last_mut() {
                Some((from, _, len)) if *from + *len == within => *len += 1,
                _ => piece.runs.push((within, place, 1)),
            },
            _ => pieces.push(Piece {
                block,
                runs: smallvec![(within, place, 1)],
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::cuts;

    fn plan(sources: &[usize], targets: &[Range<usize>], source: AxisSource<'_>) -> AxisPlan {
        let select: SparseWeights = sources.iter().map(|&s| vec![(s, 1.0)]).collect();
        AxisPlan::new(&select, targets, &source)
    }

    fn whole() -> AxisSource<'static> {
        AxisSource {
            block_cells: 100,
            ..AxisSource::default()
        }
    }

    #[test]
    fn blocks_hold_only_storage_chunks_that_something_needs() {
        let plan = plan(
            &[3, 12, 14, 55],
            &[0..2, 2..4],
            AxisSource {
                storage: &cuts(100, 10),
                ..whole()
            },
        );
        assert_eq!(plan.blocks, [0..20, 50..60]);
        assert_eq!(
            plan.cuts[0].pieces[..],
            [Piece {
                block: 0,
                runs: smallvec![(3, 0, 1), (12, 1, 1)]
            }]
        );
        assert_eq!(
            plan.cuts[1].pieces[..],
            [
                Piece {
                    block: 0,
                    runs: smallvec![(14, 0, 1)]
                },
                Piece {
                    block: 1,
                    runs: smallvec![(5, 1, 1)]
                }
            ]
        );
    }

    #[test]
    fn blocks_by_cut_do_not_reach_into_the_next_cut() {
        let plan = plan(
            &[0, 1, 2, 3, 4, 5],
            &[0..3, 3..6],
            AxisSource {
                storage: &cuts(8, 1),
                by_cut: true,
                ..whole()
            },
        );
        assert_eq!(plan.blocks, [0..3, 3..6]);
    }

    #[test]
    fn blocks_end_where_a_file_does() {
        let plan = plan(
            &[0, 1, 2, 3, 4, 5],
            std::slice::from_ref(&(0..6)),
            AxisSource {
                storage: &cuts(6, 1),
                ends: &[2],
                ..whole()
            },
        );
        assert_eq!(plan.blocks, [0..2, 2..6]);
    }

    #[test]
    fn cells_set_apart_are_read_by_themselves() {
        let plan = plan(
            &[0, 2, 5, 6],
            std::slice::from_ref(&(0..4)),
            AxisSource {
                storage: &cuts(6, 2),
                apart: &[5],
                ..whole()
            },
        );
        assert_eq!(plan.blocks, [0..4, 4..6]);
        let cut = &plan.cuts[0];
        assert_eq!((cut.window, cut.poles), (3, [Some(3), None]));
        assert_eq!(cut.weights.row(3), [(3, 1.0)]);
    }

    #[test]
    fn cuts_that_only_pick_share_their_weights() {
        let source = AxisSource {
            storage: &cuts(9, 1),
            ..whole()
        };
        let plan = plan(&[1, 2, 3, 4, 6, 5, 7, 7], &cuts(8, 2), source);
        let weights: Vec<_> = plan.cuts.iter().map(|cut| &cut.weights).collect();
        assert!(Arc::ptr_eq(weights[0], weights[1]));
        assert_eq!(weights[1].row(1), [(1, 1.0)]);
        assert_eq!([0, 1].map(|t| weights[2].row(t).sources()[0]), [1, 0]);
        assert_eq!([0, 1].map(|t| weights[3].row(t).sources()[0]), [0, 0]);
    }
}
