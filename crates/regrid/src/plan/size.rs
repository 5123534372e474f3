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

/// The shape of target chunks, in (outer dimensions, latitude, longitude): whole rows, as many as fit.
///
/// It depends on the target and on `most` alone, the cells of a chunk at the most, so that a result's layout is the same on
/// every machine. `stated` is the caller's size of chunks in latitude and longitude.
pub(crate) fn target_chunk_shape(
    target: &[usize],
    stated: Option<(usize, usize)>,
    most: usize,
) -> Vec<usize> {
    let outer = target.len() - 2;
    let (rows, columns) = (target[outer], target[outer + 1]);
    let total: usize = target.iter().product();
    let wanted = (total / FEW_CHUNKS).clamp(SMALL_CHUNK_CELLS.min(most), most);
    let (chunk_rows, chunk_columns) = match stated {
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
        shape[axis] = (wanted / cells).clamp(1, target[axis].max(1));
        cells *= shape[axis];
        if shape[axis] < target[axis] {
            break;
        }
    }
    shape.extend([chunk_rows, chunk_columns]);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_rows_until_the_caller_says_otherwise() {
        assert_eq!(
            target_chunk_shape(&[120, 361, 720], None, 1 << 20),
            [4, 361, 720]
        );
        assert_eq!(
            target_chunk_shape(&[6, 360, 720], None, 1 << 20),
            [1, 135, 720]
        );
        assert_eq!(
            target_chunk_shape(&[1, 10_000, 20_000], None, 1 << 20),
            [1, 52, 20_000]
        );
        assert_eq!(
            target_chunk_shape(&[240, 10, 10], None, 1 << 20),
            [240, 10, 10]
        );
        assert_eq!(
            target_chunk_shape(&[6, 360, 720], Some((100, 100)), 1 << 20),
            [6, 100, 100]
        );
        assert_eq!(target_chunk_shape(&[5, 5], Some((100, 2)), 1 << 20), [5, 2]);
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
