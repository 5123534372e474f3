//! The targets cut into pieces that several threads work through; what comes out does not depend on how many.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::weights::SparseWeights;

/// Targets in a piece: small enough to share the work evenly, large enough not to notice the sharing.
const PIECE: usize = 1024;

/// The results of `work` on one piece after the other, in order.
pub(super) fn in_pieces<T: Send>(len: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let pieces = len.div_ceil(PIECE);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(pieces);
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            let start = piece * PIECE;
            done.push((piece, work(start..(start + PIECE).min(len))));
        }
    };
    let mut done = if threads < 2 {
        share()
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
            let mut done = share();
            for worker in workers {
                match worker.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        })
    };
    done.sort_unstable_by_key(|&(piece, _)| piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The weights of consecutive targets as one.
pub(super) fn joined(pieces: impl IntoIterator<Item = SparseWeights>) -> SparseWeights {
    let mut pieces = pieces.into_iter();
    let mut whole = pieces.next().unwrap_or_default();
    for piece in pieces {
        for target in 0..piece.len() {
            push_copy(&mut whole, &piece, target);
        }
    }
    whole
}

/// Adds a target's row of other weights, with the part that is covered.
pub(super) fn push_copy(to: &mut SparseWeights, from: &SparseWeights, target: usize) {
    let row = from.row(target).iter().copied();
    match from.covered(target) {
        1.0 => to.push_kept(row),
        covered => to.push_part(row, covered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_and_cover_all() {
        let ranges = in_pieces(3 * PIECE + 5, |range| range);
        let indices: Vec<usize> = ranges.into_iter().flatten().collect();
        assert_eq!(indices, (0..3 * PIECE + 5).collect::<Vec<_>>());
        assert!(in_pieces(0, |range| range).is_empty());
    }

    #[test]
    fn joined_pieces_keep_rows_and_covered_parts() {
        let mut first = SparseWeights::default();
        first.push_row([(0, 1.0)]);
        let mut second = SparseWeights::default();
        second.push_part([(4, 1.0), (5, 3.0)], 0.5);
        second.push_row([]);
        let whole = joined([first, second]);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole.row(1), [(4, 0.25), (5, 0.75)]);
        assert_eq!(
            (whole.covered(0), whole.covered(1), whole.covered(2)),
            (1.0, 0.5, 1.0)
        );
    }
}
