//! Target chunks that are made smaller until what each of them reads fits into memory.
//!
//! A chunk of a few targets may lie on a large part of the source: a point has one value for every time, and a whole field of
//! each time is read for it. What counts is how the source is stored. Where a storage chunk has one time, a target chunk of
//! fewer times reads less; where it has many times, one of fewer rows and columns does.

use super::layout::Plan;
use crate::plan::ChunkSize;

/// Chunks that a field may be cut into for the sake of memory, if they become small by that.
const MANY_CHUNKS: u64 = 1 << 16;
/// Targets of a plane that are not small.
const NOT_SMALL: usize = 1 << 12;

/// A plan whose chunks read so many cells each at the most, as far as smaller chunks help, and their size.
pub(super) fn narrowed(
    mut size: ChunkSize,
    most: usize,
    made: impl Fn(ChunkSize) -> Plan,
) -> (Plan, ChunkSize) {
    let stated = size.plane.is_some();
    let mut plan = made(size);
    while plan.window_cells() > most {
        let mut candidates = fewer_planes(&plan, size, most);
        if !stated {
            candidates.extend(smaller_planes(&plan, size));
        }
        let smaller = candidates
            .into_iter()
            .map(|size| (made(size), size))
            .find(|(smaller, _)| smaller.window_cells() < plan.window_cells());
        match smaller {
            Some(smaller) => (plan, size) = smaller,
            None => break,
        }
    }
    (plan, size)
}

/// Sizes that need fewer storage chunks along the dimensions before the plane.
fn fewer_planes(plan: &Plan, size: ChunkSize, most: usize) -> Vec<ChunkSize> {
    let even = (!size.even).then_some(ChunkSize { even: true, ..size });
    let [planes, stored] = plan.planes();
    let share = planes as f64 * most as f64 / plan.window_cells() as f64;
    let fewer = (share as usize).clamp(stored, planes.max(stored));
    let fewer = (fewer < planes).then_some(ChunkSize {
        planes: fewer,
        ..size
    });
    even.into_iter().chain(fewer).collect()
}

/// Sizes with half the rows, or half the columns, and no more planes for that than lie in the same storage chunks.
fn smaller_planes(plan: &Plan, size: ChunkSize) -> Vec<ChunkSize> {
    let (rows, columns) = plan.plane_chunk();
    let [planes, stored] = plan.planes();
    let chunks = plan
        .counts()
        .iter()
        .map(|&count| count as u64)
        .product::<u64>();
    [(rows.div_ceil(2), columns), (rows, columns.div_ceil(2))]
        .into_iter()
        .filter(|&(r, c)| (r, c) != (rows, columns) && (chunks < MANY_CHUNKS || r * c >= NOT_SMALL))
        .map(|plane| ChunkSize {
            plane: Some(plane),
            planes: planes.max(stored),
            ..size
        })
        .collect()
}
