//! How large read blocks and target chunks are.

use std::ops::Range;

use crate::chunk::cuts;

/// The storage chunks along one axis of an array that is stored in chunks of `size`, or in one stretch.
///
/// Arrays in one stretch are read in pieces of `stretch` cells.
pub(crate) fn storage_cuts(len: usize, size: Option<usize>, stretch: usize) -> Vec<Range<usize>> {
    cuts(len, size.unwrap_or(stretch).max(1))
}

/// How many cells a block may have along each axis, the last axis first, so that it keeps below so many
/// bytes.
pub(crate) fn block_cells(
    shape: &[usize],
    storage: &[usize],
    cell_bytes: usize,
    block_bytes: usize,
) -> Vec<usize> {
    let mut bytes = storage.iter().product::<usize>().max(1) * cell_bytes;
    let mut most: Vec<usize> = storage.to_vec();
    for axis in (0..shape.len()).rev() {
        let chunks = (block_bytes / bytes).clamp(1, shape[axis].div_ceil(storage[axis]).max(1));
        most[axis] = storage[axis] * chunks;
        bytes *= chunks;
    }
    most
}

/// Cells that a target chunk should have at the least, so that a task is worth its while.
const SMALL_CHUNK_CELLS: usize = 1 << 16;
/// Chunks that a field should have at the least, so that every core finds work.
const FEW_CHUNKS: usize = 16;

/// What is said of the size of target chunks.
#[derive(Debug, Clone)]
pub(crate) struct ChunkSize {
    /// Cells in latitude and longitude, if they are stated.
    pub(crate) plane: Option<(usize, usize)>,
    /// How many places a chunk has at the most along each dimension before the plane; chunks within such limits reach into
    /// no more storage chunks of these dimensions than they must.
    pub(crate) outer: Option<Vec<usize>>,
    /// Cells at the most, where the plane's are not stated.
    pub(crate) cells: usize,
}

/// The shape of target chunks, in (outer dimensions, latitude, longitude): whole rows, as many as fit.
///
/// `stored` is the length of storage chunks along the outer dimensions.
pub(crate) fn target_chunk_shape(
    target: &[usize],
    size: &ChunkSize,
    stored: &[usize],
) -> Vec<usize> {
    let most = size.cells;
    let outer = target.len() - 2;
    let (rows, columns) = (target[outer], target[outer + 1]);
    let total = target
        .iter()
        .fold(1, |n: usize, &len| n.saturating_mul(len));
    let wanted = (total / FEW_CHUNKS).clamp(SMALL_CHUNK_CELLS.min(most), most);
    let (chunk_rows, chunk_columns) = match size.plane {
        Some((r, c)) => (r.clamp(1, rows.max(1)), c.clamp(1, columns.max(1))),
        None => {
            let chunk_columns = columns.clamp(1, most);
            (
                (wanted / chunk_columns).clamp(1, rows.max(1)),
                chunk_columns,
            )
        }
    };
    let mut shape = vec![1; outer];
    let mut cells = chunk_rows * chunk_columns;
    // Small planes are taken several at a time, along the dimension nearest to the plane first.
    for axis in (0..outer).rev() {
        let len = target[axis].max(1);
        let limit = size
            .outer
            .as_ref()
            .map_or(len, |most| most[axis].clamp(1, len));
        let fits = (wanted / cells).clamp(1, limit);
        shape[axis] = match size.outer {
            Some(_) if fits < len => even(fits, stored[axis].max(1)),
            _ => fits,
        };
        cells *= shape[axis];
        if fits < limit {
            break;
        }
    }
    shape.extend([chunk_rows, chunk_columns]);
    shape
}

/// The largest number up to `most` that is a multiple of the length of storage chunks, or divides it; `most` itself if that
/// were less than half.
fn even(most: usize, stored: usize) -> usize {
    match most.checked_div(stored) {
        Some(chunks @ 1..) => chunks * stored,
        _ => (most.div_ceil(2)..=most)
            .rev()
            .find(|n| stored.is_multiple_of(*n))
            .unwrap_or(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_rows_of_as_many_planes_as_may_be() {
        let size = |plane, outer: &[usize]| ChunkSize {
            plane,
            outer: (!outer.is_empty()).then(|| outer.to_vec()),
            cells: 1 << 20,
        };
        let usual = size(None, &[]);
        let shape = |target: &[usize]| target_chunk_shape(target, &usual, &[]);
        assert_eq!(shape(&[120, 361, 720]), [4, 361, 720]);
        assert_eq!(shape(&[6, 360, 720]), [1, 135, 720]);
        assert_eq!(shape(&[1, 10_000, 20_000]), [1, 52, 20_000]);
        assert_eq!(shape(&[240, 10, 10]), [240, 10, 10]);
        let stated = |plane| size(Some(plane), &[]);
        assert_eq!(
            target_chunk_shape(&[6, 360, 720], &stated((100, 100)), &[]),
            [6, 100, 100]
        );
        assert_eq!(target_chunk_shape(&[5, 5], &stated((100, 2)), &[]), [5, 2]);
        let within = |limits: &[usize], target: &[usize], stored: &[usize]| {
            target_chunk_shape(target, &size(None, limits), stored)
        };
        assert_eq!(
            within(&[50, 1], &[50, 7, 10, 10], &[50, 1]),
            [50, 1, 10, 10]
        );
        assert_eq!(within(&[2, 7], &[50, 7, 10, 10], &[1, 1]), [2, 7, 10, 10]);
        let time = |limit, stored| within(&[limit], &[50, 10, 10], &[stored])[0];
        assert_eq!([time(20, 7), time(20, 45), time(20, 1)], [14, 15, 20]);
        // Storage chunks that no such number divides.
        assert_eq!([time(20, 47), time(50, 47)], [20, 50]);
    }

    #[test]
    fn blocks_keep_below_their_size() {
        assert_eq!(
            block_cells(&[6, 145, 192], &[1, 49, 64], 4, 2 << 20),
            [6, 147, 192]
        );
        assert_eq!(
            block_cells(&[128, 721, 1440], &[1, 721, 1440], 4, 2 << 20),
            [1, 721, 1440]
        );
        assert_eq!(
            block_cells(&[128, 721, 1440], &[16, 128, 128], 4, 2 << 20),
            [16, 128, 256]
        );
    }
}
