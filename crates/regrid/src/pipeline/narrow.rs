//! Target chunks that are made smaller until what each of them reads fits into memory.
//!
//! A chunk of a few targets may lie on a large part of the source: a point has one value for every time, and a whole field of
//! each time is read for it. What counts is how the source is stored. Where a storage chunk has one time, a target chunk of
//! fewer times reads less; where it has many times, one of fewer rows and columns does, and takes all of these times: so
//! chunks become narrow one way and longer the other, and not many more.

use super::layout::Plan;
use crate::plan::ChunkSize;

/// Chunks that a field may be cut into for the sake of memory.
const MANY_CHUNKS: usize = 1 << 16;
/// The same in parts of what there would be otherwise, if that is more.
const MANY_TIMES: usize = 4;
/// A step that lessens what is read by less than that is none.
const WORTH: f64 = 0.98;

/// A plan whose chunks read so many cells each at the most, as far as smaller chunks help, and their size.
pub(super) fn narrowed(
    mut size: ChunkSize,
    most: usize,
    made: impl Fn(&ChunkSize) -> Plan,
) -> (Plan, ChunkSize) {
    let stated = size.plane.is_some();
    let mut plan = made(&size);
    let many = MANY_CHUNKS.max(plan.count().saturating_mul(MANY_TIMES));
    while plan.window_cells() > most {
        let over = plan.window_cells() as f64 / most as f64;
        let mut candidates = fewer_places(&plan, &size, over);
        if !stated {
            candidates.extend(smaller_planes(&plan, &size, over));
        }
        let smaller = candidates
            .into_iter()
            .map(|size| (made(&size), size))
            .filter(|(smaller, _)| {
                let less = smaller.window_cells() as f64 / plan.window_cells() as f64;
                smaller.count() <= many && less < WORTH
            })
            .map(|(smaller, size)| (worth(&plan, &smaller), smaller, size))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        match smaller {
            Some((_, smaller, narrower)) => (plan, size) = (smaller, narrower),
            None => break,
        }
    }
    (plan, size)
}

/// How much less a chunk reads, for each chunk that there is more.
fn worth(plan: &Plan, smaller: &Plan) -> f64 {
    let less = plan.window_cells() as f64 / smaller.window_cells().max(1) as f64;
    let more = smaller.count() as f64 / plan.count().max(1) as f64;
    less / more.max(1.0)
}

/// The limits along the dimensions before the plane that read no more of a smaller plane: where a storage chunk has more places
/// than a chunk, those are read in any case.
fn limits(plan: &Plan) -> Vec<usize> {
    let longer = |(own, stored): (usize, usize)| own.max(stored);
    plan.outer_chunk().into_iter().map(longer).collect()
}

/// Sizes that need fewer storage chunks along the dimensions before the plane.
fn fewer_places(plan: &Plan, size: &ChunkSize, over: f64) -> Vec<ChunkSize> {
    let within = |outer: Vec<usize>| ChunkSize {
        outer: Some(outer),
        ..size.clone()
    };
    let own = plan.outer_chunk();
    // None that reaches into more storage chunks than it must.
    let even = size
        .outer
        .is_none()
        .then(|| within(own.iter().map(|(own, _)| *own).collect()));
    let fewer = own
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, (own, stored))| own > stored);
    let fewer = fewer.map(|(axis, &(own, stored))| {
        let mut limits = limits(plan);
        limits[axis] = ((own as f64 / over) as usize).clamp(stored, own - 1);
        within(limits)
    });
    even.into_iter().chain(fewer).collect()
}

/// Sizes with fewer rows, or fewer columns.
fn smaller_planes(plan: &Plan, size: &ChunkSize, over: f64) -> Vec<ChunkSize> {
    let (rows, columns) = plan.plane_chunk();
    // Half of them is one step; where much is over, a larger one saves plans.
    let part = if over > 8.0 { 4 } else { 2 };
    [
        (rows.div_ceil(part), columns),
        (rows, columns.div_ceil(part)),
    ]
    .into_iter()
    .filter(|&plane| plane != (rows, columns))
    .map(|plane| ChunkSize {
        plane: Some(plane),
        outer: Some(limits(plan)),
        ..size.clone()
    })
    .collect()
}
