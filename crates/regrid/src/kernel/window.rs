//! The window: of every dimension just the cells that are needed, gathered from the blocks that hold them.

use ndarray::ArrayD;

use crate::plan::{ChunkPlan, Piece};

/// Gathers a chunk's window; what no target reaches stays as it is by default.
pub(super) fn window<T: Copy + Default>(plan: &ChunkPlan, blocks: &[&ArrayD<T>]) -> Vec<T> {
    let shape: Vec<usize> = plan.cuts.iter().map(|cut| cut.window).collect();
    let mut window = vec![T::default(); shape.iter().product()];
    let strides = strides(&shape);
    for (index, block) in plan.blocks().zip(blocks) {
        let pieces: Vec<&Piece> = index
            .iter()
            .zip(&plan.cuts)
            .map(|(&i, cut)| &cut.pieces[i])
            .collect();
        let from = block.as_slice().expect("blocks are stored row by row");
        let from_strides = self::strides(block.shape());
        copy(&pieces, from, &from_strides, &mut window, &strides);
    }
    window
}

/// Copies the cells of a block that its pieces name to their places in a window.
fn copy<T: Copy>(
    pieces: &[&Piece],
    from: &[T],
    from_strides: &[usize],
    to: &mut [T],
    to_strides: &[usize],
) {
    let Some((piece, inner)) = pieces.split_first() else {
        to[0] = from[0];
        return;
    };
    for &(start, place, len) in &piece.runs {
        if inner.is_empty() {
            to[place..place + len].copy_from_slice(&from[start..start + len]);
            continue;
        }
        for i in 0..len {
            copy(
                inner,
                &from[(start + i) * from_strides[0]..],
                &from_strides[1..],
                &mut to[(place + i) * to_strides[0]..],
                &to_strides[1..],
            );
        }
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}
