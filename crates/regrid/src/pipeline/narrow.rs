//! Target chunks that are made smaller until what each of them reads fits into memory.
//!
//! A chunk of a few targets may lie on a large part of the source: a point has one value for every time, and a whole field of
//! each time is read for it. What counts is how the source is stored. Where a storage chunk has one time, a target chunk of
//! fewer times reads less; where it has many times, one of fewer rows and columns does, and takes all of these times: so
//! chunks become narrow one way and longer the other, and not many more.

use super::MOST_CHUNKS;
use super::layout::Plan;
use crate::plan::ChunkSize;

/// Chunks that a field may be cut into for the sake of memory.
const MANY_CHUNKS: usize = 1 << 16;
/// Or so many times the chunks that it would have otherwise, if that is more.
const TIMES_AS_MANY: usize = 4;
/// A step that lessens what is read by less than that is none.
const WORTH: f64 = 0.98;

/// A plan whose chunks read so many cells each at the most, as far as smaller chunks help, and their size; `compares` tells how many
/// the comparison of a chunk with its source reads.
pub(super) fn narrowed(
    mut size: ChunkSize,
    most: usize,
    plan: impl Fn(&ChunkSize) -> Plan,
    compares: impl Fn(&ChunkSize) -> usize,
) -> (Plan, ChunkSize) {
    let stated = size.plane.is_some();
    let usual = plan(&size);
    let chunks_of = |plan: &Plan, size: &ChunkSize| {
        let own = Chunks::of(plan);
        Chunks {
            window: own.window.max(compares(size)),
            ..own
        }
    };
    let mut chunks = chunks_of(&usual, &size);
    if chunks.window <= most {
        return (usual, size);
    }
    // Plans hold weights, and there may be many of these: one plan at a time.
    drop(usual);
    let made = |size: &ChunkSize| chunks_of(&plan(size), size);
    let many = most_chunks(chunks.count);
    while chunks.window > most {
        let over = chunks.window as f64 / most as f64;
        let mut candidates = fewer_places(&chunks, &size, over);
        if !stated {
            candidates.extend(smaller_planes(&chunks, &size, over));
        }
        let smaller = candidates
            .into_iter()
            .map(|size| (made(&size), size))
            .filter(|(smaller, _)| {
                smaller.count <= many && (smaller.window as f64) < WORTH * chunks.window as f64
            })
            .reduce(|best, next| {
                let [more, less] = [&next.0, &best.0].map(|smaller| chunks.worth(smaller));
                if more > less { next } else { best }
            });
        match smaller {
            Some(smaller) => (chunks, size) = smaller,
            None => break,
        }
    }
    (plan(&size), size)
}

/// How many chunks a field may be cut into that has so many otherwise.
fn most_chunks(usual: usize) -> usize {
    let many = MANY_CHUNKS.max(usual.saturating_mul(TIMES_AS_MANY));
    many.min(usize::try_from(MOST_CHUNKS).unwrap_or(usize::MAX))
}

/// What a plan comes to.
struct Chunks {
    /// Cells that a chunk reads at the most.
    window: usize,
    count: usize,
    /// For each dimension before the plane, how many places a chunk has, and how long storage chunks are.
    outer: Vec<(usize, usize)>,
    /// Rows and columns of a chunk.
    plane: (usize, usize),
}

impl Chunks {
    fn of(plan: &Plan) -> Self {
        Self {
            window: plan.window_cells(),
            count: plan.count(),
            outer: plan.outer_chunk(),
            plane: plan.plane_chunk(),
        }
    }

    /// How much less smaller chunks read, for each chunk that there is more.
    fn worth(&self, smaller: &Self) -> f64 {
        let less = self.window as f64 / smaller.window.max(1) as f64;
        let more = smaller.count as f64 / self.count.max(1) as f64;
        less / more.max(1.0)
    }

    /// The limits along the dimensions before the plane that read no more of a smaller plane: where a storage chunk has more
    /// places than a chunk, those are read in any case.
    fn limits(&self) -> Vec<usize> {
        let longer = |&(own, stored): &(usize, usize)| own.max(stored);
        self.outer.iter().map(longer).collect()
    }
}

/// Sizes that need fewer storage chunks along the dimensions before the plane.
fn fewer_places(chunks: &Chunks, size: &ChunkSize, over: f64) -> Vec<ChunkSize> {
    let within = |outer: Vec<usize>| ChunkSize {
        outer: Some(outer),
        ..size.clone()
    };
    let own = &chunks.outer;
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
        let mut limits = chunks.limits();
        limits[axis] = ((own as f64 / over) as usize).clamp(stored, own - 1);
        within(limits)
    });
    even.into_iter().chain(fewer).collect()
}

/// Sizes with fewer rows, or fewer columns.
fn smaller_planes(chunks: &Chunks, size: &ChunkSize, over: f64) -> Vec<ChunkSize> {
    let (rows, columns) = chunks.plane;
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
        outer: Some(chunks.limits()),
        ..size.clone()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_makes_no_more_chunks_than_can_be_planned() {
        assert_eq!(most_chunks(1), MANY_CHUNKS);
        assert_eq!(most_chunks(100_000), 400_000);
        for usual in [600_000, 2_000_000, usize::MAX] {
            assert_eq!(most_chunks(usual) as u64, MOST_CHUNKS);
        }
    }
}
