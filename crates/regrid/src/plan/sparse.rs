//! A plane whose weights go from cell to cell: the windows of its cuts, and the weights within them.

use std::ops::Range;
use std::sync::Arc;

use super::axis::group;
use super::{AxisCut, AxisSource};
use crate::chunk::combinations;
use crate::weights::{Corrections, SparseWeights};

/// A piece of a target plane whose weights go from cell to cell.
#[derive(Debug, Clone)]
pub(crate) struct SparseCut {
    /// The target indices along each of the target plane's dimensions.
    pub(crate) targets: Vec<Range<usize>>,
    /// From places in the plane of the window, counted row by row.
    pub(crate) weights: SparseWeights,
    /// What slopes add to each entry of the weights, if anything.
    pub(crate) corrections: Option<Corrections>,
    /// Which combinations of the plane's pieces hold a cell that is needed.
    pub(crate) reached: Vec<bool>,
}

/// A plane, planned.
#[derive(Debug, Clone)]
pub(crate) struct SparsePlan {
    /// The read blocks along each of the source plane's dimensions.
    pub(crate) blocks: Vec<Vec<Range<usize>>>,
    /// The windows along these dimensions, and the weights, of every combination of the target's cuts, the last dimension
    /// fastest.
    pub(crate) cuts: Vec<(Vec<Arc<AxisCut>>, Arc<SparseCut>)>,
}

impl SparsePlan {
    /// Plans a plane; `target` is the shape of the target's, whose cells `weights` counts row by row. The blocks hold what
    /// `also` reads too.
    pub(crate) fn new(
        (weights, corrections): (&SparseWeights, Option<&Corrections>),
        also: Option<(&SparseWeights, Option<&Corrections>)>,
        target: &[usize],
        target_cuts: &[Vec<Range<usize>>],
        sources: &[AxisSource<'_>],
    ) -> Self {
        let shape: Vec<usize> = sources
            .iter()
            .map(|source| source.storage.last().map_or(0, |chunk| chunk.end))
            .collect();
        let columns = *shape.last().expect("a plane has a dimension");
        // Where a cell lies along each dimension of the plane; a list has no rows.
        let place = |cell: usize| match sources.len() {
            1 => [cell, 0],
            _ => [cell / columns, cell % columns],
        };
        let mut reached = Reached::new(sources);
        let counts: Vec<usize> = target_cuts.iter().map(Vec::len).collect();
        let flat_targets = |cuts: &[Range<usize>]| -> Vec<usize> {
            match cuts {
                [points] => points.clone().collect(),
                [rows, columns] => {
                    let row = |r: usize| columns.clone().map(move |c| r * target[1] + c);
                    rows.clone().flat_map(row).collect()
                }
                _ => unreachable!("a plane has one or two dimensions"),
            }
        };
        let mut needs = Vec::new();
        for index in combinations(&counts) {
            let cuts: Vec<Range<usize>> = index
                .iter()
                .zip(target_cuts)
                .map(|(&i, cuts)| cuts[i].clone())
                .collect();
            let targets = flat_targets(&cuts);
            let mut needed = vec![Vec::new(); sources.len()];
            let cells = targets.iter().flat_map(|&t| {
                let terms = corrections.into_iter().flat_map(move |corrections| {
                    weights
                        .entries(t)
                        .flat_map(|entry| corrections.terms(entry))
                });
                weights.row(t).iter().chain(terms)
            });
            for place in cells.map(|&(cell, _)| place(cell)) {
                reached.mark(place);
                for (needed, at) in needed.iter_mut().zip(place) {
                    needed.push(at);
                }
            }
            for needed in &mut needed {
                needed.sort_unstable();
                needed.dedup();
            }
            needs.push((cuts, needed));
        }
        if let Some((weights, corrections)) = also {
            let all = 0..weights.len();
            for &(cell, _) in all.clone().flat_map(|t| weights.row(t)) {
                reached.mark(place(cell));
            }
            if let Some(corrections) = corrections {
                let entries = all.clone().flat_map(|t| weights.entries(t));
                for &(cell, _) in entries.flat_map(|entry| corrections.terms(entry)) {
                    reached.mark(place(cell));
                }
            }
        }
        let blocks: Vec<Vec<Range<usize>>> = sources
            .iter()
            .enumerate()
            .map(|(axis, source)| {
                let classes = reached.classes(axis);
                group(source.storage, &classes, source.block_cells, source.ends)
            })
            .collect();
        let cuts = needs
            .into_iter()
            .map(|(cuts, needed)| {
                let targets = flat_targets(&cuts);
                let windows: Vec<Arc<AxisCut>> = needed
                    .iter()
                    .zip(&blocks)
                    .map(|(needed, blocks)| Arc::new(AxisCut::window_of(needed, blocks)))
                    .collect();
                let sparse = SparseCut::new(
                    weights,
                    corrections,
                    cuts,
                    &targets,
                    &needed,
                    &windows,
                    place,
                );
                (windows, Arc::new(sparse))
            })
            .collect();
        Self { blocks, cuts }
    }
}

/// Which storage chunks of a plane hold a cell that is needed.
struct Reached {
    /// The storage chunk of each cell, along each dimension.
    chunk_of: Vec<Vec<usize>>,
    /// How many there are of them; a list has one column of them.
    counts: [usize; 2],
    /// By the numbers of a chunk, row by row.
    reached: Vec<bool>,
}

impl Reached {
    fn new(sources: &[AxisSource<'_>]) -> Self {
        let chunk_of = |source: &AxisSource<'_>| {
            let chunks = source.storage.iter().enumerate();
            chunks
                .flat_map(|(number, chunk)| chunk.clone().map(move |_| number))
                .collect()
        };
        let count = |axis: usize| sources.get(axis).map_or(1, |source| source.storage.len());
        let counts = [count(0), count(1)];
        Self {
            chunk_of: sources.iter().map(chunk_of).collect(),
            counts,
            reached: vec![false; counts[0] * counts[1]],
        }
    }

    fn mark(&mut self, [row, column]: [usize; 2]) {
        let column = self.chunk_of.get(1).map_or(0, |chunk_of| chunk_of[column]);
        self.reached[self.chunk_of[0][row] * self.counts[1] + column] = true;
    }

    /// A number for each storage chunk along a dimension; neighbours have the same one if the same of them are needed along
    /// the other dimension, so that blocks of them hold none that is not.
    fn classes(&self, axis: usize) -> Vec<Option<usize>> {
        let [rows, columns] = self.counts;
        let along = |at: usize| -> Vec<bool> {
            match axis {
                0 => self.reached[at * columns..(at + 1) * columns].to_vec(),
                _ => (0..rows)
                    .map(|row| self.reached[row * columns + at])
                    .collect(),
            }
        };
        let mut number = 0;
        let mut last = Vec::new();
        (0..self.counts[axis])
            .map(|at| {
                let pattern = along(at);
                let needed = pattern.contains(&true);
                if pattern != last {
                    number = at;
                    last = pattern;
                }
                needed.then_some(number)
            })
            .collect()
    }
}

impl SparseCut {
    fn new(
        weights: &SparseWeights,
        corrections: Option<&Corrections>,
        targets: Vec<Range<usize>>,
        flat_targets: &[usize],
        needed: &[Vec<usize>],
        windows: &[Arc<AxisCut>],
        place: impl Fn(usize) -> [usize; 2],
    ) -> Self {
        // The piece of each needed row or column, by its place in the window.
        let piece_of: Vec<Vec<usize>> = windows
            .iter()
            .map(|window| {
                let mut pieces = vec![0; window.window];
                for (p, piece) in window.pieces.iter().enumerate() {
                    for &(_, start, len) in &piece.runs {
                        pieces[start..start + len].fill(p);
                    }
                }
                pieces
            })
            .collect();
        let combined: usize = windows.iter().map(|window| window.pieces.len()).product();
        let mut reached = vec![false; combined];
        let mut locals: Vec<Vec<u32>> = Vec::new();
        for needed in needed {
            let span = needed.last().map_or(0, |last| last + 1);
            let mut local = vec![0; span];
            for (place, &at) in needed.iter().enumerate() {
                local[at] = u32::try_from(place).expect("an axis has fewer than 2^32 cells");
            }
            locals.push(local);
        }
        let mut locate = |cell: usize| {
            let place = place(cell);
            let mut at = 0;
            let mut piece = 0;
            for (axis, local) in locals.iter().enumerate() {
                let local = local[place[axis]] as usize;
                at = at * windows[axis].window + local;
                piece = piece * windows[axis].pieces.len() + piece_of[axis][local];
            }
            reached[piece] = true;
            at
        };
        let corrections = corrections.map(|corrections| {
            let mut own = Corrections::default();
            for entry in flat_targets.iter().flat_map(|&t| weights.entries(t)) {
                let terms = corrections.terms(entry).iter();
                own.push(terms.map(|&(cell, weight)| (locate(cell), weight)));
            }
            own
        });
        let weights = weights.select(flat_targets, locate);
        Self {
            targets,
            weights,
            corrections,
            reached,
        }
    }
}
