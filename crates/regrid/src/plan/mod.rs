//! What each target chunk reads: planned axis by axis, before anything runs.
//!
//! A target chunk is a range of targets on every dimension, and so is what it reads: the source cells that its weights
//! reach on each dimension by itself. Those cells lie in read blocks, which are made of whole storage chunks, so that no
//! storage chunk is touched by two blocks and none is read that nothing reaches. A chunk's *window* is the array of just
//! the source cells it needs, gathered from its blocks.

mod axis;
mod chunk;
mod size;
mod sparse;

pub(crate) use axis::{AxisCut, AxisPlan, AxisSource, Piece};
pub(crate) use chunk::ChunkPlan;
pub(crate) use size::{ChunkSize, block_cells, storage_cuts, target_chunk_shape};
pub(crate) use sparse::{CutRow, Slopes, SparseCut, SparsePlan};
