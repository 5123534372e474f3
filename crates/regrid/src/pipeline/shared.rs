//! Blocks that are wanted twice, where the memory does not hold them meanwhile: a row of each for the mean around a pole, and all of it
//! for the chunks that need that mean.
//!
//! Who comes first reads such a block and leaves to the other what it needs: the row, or the whole block in a file. So no storage chunk
//! is inflated twice.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::layout::Plan;
use crate::buffers;
use crate::error::Error;
use crate::spill::{Aside, PutAside};
use crate::values::{Element, Values};

/// The blocks of a field that are wanted twice.
#[derive(Debug)]
pub(super) struct SharedBlocks {
    aside: Arc<Aside>,
    /// For each, whether all of it is wanted, and what waits.
    waiting: HashMap<usize, (bool, Mutex<Waiting>)>,
}

/// What waits of one block.
#[derive(Debug, Default)]
struct Waiting {
    /// Its rows next to the poles.
    rows: [Option<Values>; 2],
    /// All of it; nothing in its place if there is no room for that.
    whole: Option<Option<PutAside>>,
}

impl SharedBlocks {
    /// Blocks by their numbers, wanted as a whole or only for both rows; what waits of them is in a folder, where so many bytes
    /// are left free.
    pub(super) fn new(blocks: Vec<(usize, bool)>, (folder, reserve): (PathBuf, u64)) -> Self {
        let waiting = |(block, whole)| (block, (whole, Mutex::default()));
        Self {
            aside: Aside::new(folder, reserve),
            waiting: blocks.into_iter().map(waiting).collect(),
        }
    }

    /// A block, or a row of it, by its number; `read` reads the values of what has a number.
    pub(super) fn get(
        &self,
        number: usize,
        plan: &Plan,
        read: impl Fn(usize) -> Result<Values, Error>,
    ) -> Result<Values, Error> {
        let (block, row) = plan.block_of(number);
        let Some((whole, waiting)) = self.waiting.get(&block) else {
            return read(number);
        };
        // Who wants the other part meanwhile waits for it.
        let mut waiting = waiting.lock();
        let Some(row) = row else {
            return match waiting.whole.take() {
                Some(aside) => {
                    let back = aside.and_then(|aside| bring_back(plan, block, &aside));
                    back.map_or_else(|| read(block), Ok)
                }
                None => {
                    let values = read(block)?;
                    waiting.rows = rows(plan, block, &values);
                    Ok(values)
                }
            };
        };
        if let Some(row) = waiting.rows[row].take() {
            return Ok(row);
        }
        let values = read(block)?;
        waiting.rows = rows(plan, block, &values);
        waiting.whole = whole.then(|| put_aside(&self.aside, &values));
        buffers::give_values(values);
        let row = waiting.rows[row].take();
        Ok(row.expect("a row lies in its block"))
    }
}

/// The rows next to the poles that lie in a block, as far as their means are needed.
fn rows(plan: &Plan, block: usize, values: &Values) -> [Option<Values>; 2] {
    let axis = plan.outer.len();
    let of = &plan.block_cells(block)[axis];
    let row = |row: usize, last: usize| {
        let needed = plan.rings.rows[last].is_some() && of.contains(&row);
        needed.then(|| values.select(axis, &[row - of.start]))
    };
    [row(0, 0), row(plan.rows - 1, 1)]
}

/// Puts a block in the file; means are taken of floats.
fn put_aside(aside: &Arc<Aside>, values: &Values) -> Option<PutAside> {
    match values {
        Values::F32(array) => aside.put(bytemuck::cast_slice(array.as_slice()?)),
        Values::F64(array) => aside.put(bytemuck::cast_slice(array.as_slice()?)),
        _ => None,
    }
}

fn bring_back(plan: &Plan, block: usize, aside: &PutAside) -> Option<Values> {
    fn numbers<T: buffers::Number + bytemuck::Pod>(
        shape: &[usize],
        aside: &PutAside,
    ) -> Option<Values> {
        let mut numbers = buffers::take::<T>(shape.iter().product());
        aside
            .bring_back(bytemuck::cast_slice_mut(&mut numbers))
            .ok()?;
        let array = ndarray::ArrayD::from_shape_vec(shape, numbers).ok()?;
        Some(<T as Element>::wrap(array))
    }
    let shape: Vec<usize> = (plan.block_cells(block).iter())
        .map(ExactSizeIterator::len)
        .collect();
    let cells: usize = shape.iter().product();
    match aside.len() / cells.max(1) {
        4 => numbers::<f32>(&shape, aside),
        _ => numbers::<f64>(&shape, aside),
    }
}
