//! The window: of every dimension just the cells that are needed.
//!
//! Where a window's columns lie side by side in one block its rows are read where they are; else they are gathered into an
//! array of their own.

use ndarray::ArrayD;

use crate::buffers::{self, Number};
use crate::plan::{ChunkPlan, Piece};

/// An array, row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a, T> {
    pub(crate) cells: &'a [T],
    pub(crate) shape: &'a [usize],
}

impl<'a, T> Block<'a, T> {
    pub(super) fn of(array: &'a ArrayD<T>) -> Self {
        Self {
            cells: array.as_slice().expect("blocks are stored row by row"),
            shape: array.shape(),
        }
    }
}

/// The rows of a window, plane by plane; of a list of points one row a plane.
///
/// `copy` becomes the buffer of a window that has to be gathered, to be [given back](buffers::give).
pub(super) fn rows<'a, T: Number>(
    plan: &ChunkPlan,
    blocks: &[Block<'a, T>],
    copy: &'a mut Vec<T>,
) -> Vec<&'a [T]> {
    if let Some(columns) = plan.cuts.last()
        && let [piece] = columns.pieces.as_slice()
        && let [(start, _, len)] = *piece.runs.as_slice()
    {
        let count = plan.cuts[..plan.cuts.len() - 1]
            .iter()
            .map(|cut| cut.window)
            .product();
        let mut rows: Vec<&'a [T]> = vec![&[]; count];
        for_each_row(plan, blocks, |block, from, place| {
            rows[place] = &block.cells[from + start..from + start + len];
        });
        return rows;
    }
    gather(plan, blocks, copy);
    let width = plan.cuts.last().map_or(1, |cut| cut.window);
    stretches(plan, copy, width)
}

/// The planes of a window, each cell after cell.
pub(super) fn planes<'a, T: Number>(
    plan: &ChunkPlan,
    blocks: &[Block<'a, T>],
    copy: &'a mut Vec<T>,
) -> Vec<&'a [T]> {
    let cells = plan.plane_cells();
    // A whole stretch of a block's plane: its rows follow each other as they do in the window.
    let together = plan.plane().iter().enumerate().all(|(axis, cut)| {
        let whole = |len: usize| {
            let axis = plan.outer().len() + axis;
            blocks.iter().all(|block| block.shape[axis] == len)
        };
        matches!(cut.pieces.as_slice(), [piece] if matches!(*piece.runs.as_slice(), [(_, _, len)] if axis == 0 || whole(len)))
    });
    if together {
        let outer = plan.outer().iter().map(|cut| cut.window).product();
        let mut planes: Vec<&'a [T]> = vec![&[]; outer];
        let rows = plan.plane()[..plan.plane_dimensions - 1]
            .first()
            .map_or(1, |cut| cut.window);
        let first = plan.plane().last().map_or(0, |cut| cut.pieces[0].runs[0].0);
        for_each_row(plan, blocks, |block, from, place| {
            if place % rows == 0 {
                planes[place / rows] = &block.cells[from + first..from + first + cells];
            }
        });
        return planes;
    }
    gather(plan, blocks, copy);
    stretches(plan, copy, cells)
}

/// A gathered window in stretches of so many cells; as many empty ones as there should be where none is needed.
fn stretches<'a, T>(plan: &ChunkPlan, copy: &'a [T], cells: usize) -> Vec<&'a [T]> {
    if cells > 0 {
        return copy.chunks_exact(cells).collect();
    }
    let count: usize = plan.cuts[..plan.cuts.len() - 1]
        .iter()
        .map(|cut| cut.window.max(1))
        .product();
    vec![&[]; count]
}

/// Gathers a window; what no target reaches stays as it is by default.
fn gather<T: Number>(plan: &ChunkPlan, blocks: &[Block<'_, T>], window: &mut Vec<T>) {
    *window = buffers::take(plan.cuts.iter().map(|cut| cut.window).product());
    window.fill(T::default());
    let width = plan.cuts.last().map_or(1, |cut| cut.window);
    for (index, block) in plan.blocks().zip(blocks) {
        let pieces: Vec<&Piece> = pieces(plan, &index);
        let Some((columns, outer)) = pieces.split_last() else {
            continue;
        };
        rows_of(plan, outer, block.shape, 0, (0, 0), &mut |from, place| {
            let to = &mut window[place * width..(place + 1) * width];
            for &(start, place, len) in &columns.runs {
                to[place..place + len]
                    .copy_from_slice(&block.cells[from + start..from + start + len]);
            }
        });
    }
}

/// Calls with each row of a window that a block holds a part of: the block, where the row starts in it, its place.
fn for_each_row<'a, T>(
    plan: &ChunkPlan,
    blocks: &[Block<'a, T>],
    mut call: impl FnMut(&Block<'a, T>, usize, usize),
) {
    for (index, block) in plan.blocks().zip(blocks) {
        let pieces = pieces(plan, &index);
        let outer = &pieces[..pieces.len() - 1];
        rows_of(plan, outer, block.shape, 0, (0, 0), &mut |from, place| {
            call(block, from, place);
        });
    }
}

fn pieces<'p>(plan: &'p ChunkPlan, index: &[usize]) -> Vec<&'p Piece> {
    index
        .iter()
        .zip(&plan.cuts)
        .map(|(&i, cut)| &cut.pieces[i])
        .collect()
}

/// Calls with the start in the block and the place in the window of each row that pieces of the outer dimensions name.
fn rows_of(
    plan: &ChunkPlan,
    pieces: &[&Piece],
    shape: &[usize],
    axis: usize,
    (from, place): (usize, usize),
    call: &mut impl FnMut(usize, usize),
) {
    let Some((piece, inner)) = pieces.split_first() else {
        call(from * shape[axis], place);
        return;
    };
    for &(start, first, len) in &piece.runs {
        for i in 0..len {
            let at = (
                from * shape[axis] + start + i,
                place * plan.cuts[axis].window + first + i,
            );
            rows_of(plan, inner, shape, axis + 1, at, call);
        }
    }
}
