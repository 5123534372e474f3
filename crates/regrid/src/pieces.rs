//! The targets cut into pieces that several threads work through; what comes out does not depend on how many.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::weights::{Gathering, SparseWeights};

/// Targets in a piece: small enough to share the work evenly, large enough not to notice the sharing.
const PIECE: usize = 1024;

thread_local! {
    /// How many threads pieces are shared among, if somebody has said.
    static THREADS: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Does something in which pieces are shared among so many threads, not among as many as the machine runs.
///
/// The number goes along with the thread that asks, past the many functions between a request and its pieces, none of which
/// has a use for it.
pub(crate) fn on_threads<T>(threads: usize, work: impl FnOnce() -> T) -> T {
    struct Before(Option<usize>);
    impl Drop for Before {
        fn drop(&mut self) {
            THREADS.set(self.0);
        }
    }
    let _before = Before(THREADS.replace(Some(threads.max(1))));
    work()
}

/// Does `work` on pieces of the targets, and hands over what comes of them in order, as soon as it is their turn: what
/// waits for that is little.
pub(crate) fn each_piece<T: Send>(
    len: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
    take: impl FnMut(T) + Send,
) {
    let pieces = len.div_ceil(PIECE);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = THREADS.get().unwrap_or_else(cores).min(pieces);
    let next = AtomicUsize::new(0);
    // The next piece to be handed over, those that come after it, and who takes them.
    let line = Mutex::new((0, BTreeMap::new(), take));
    let share = || {
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return;
            }
            let start = piece * PIECE;
            let done = work(start..(start + PIECE).min(len));
            let (turn, waiting, take) = &mut *line.lock();
            waiting.insert(piece, done);
            while let Some(done) = waiting.remove(turn) {
                take(done);
                *turn += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        share();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// The weights of consecutive targets, made in pieces, as one.
pub(crate) fn joined(
    len: usize,
    work: impl Fn(Range<usize>) -> SparseWeights + Sync,
) -> SparseWeights {
    let mut whole = Gathering::new();
    each_piece(len, work, |piece| whole.append(&piece));
    whole.finish()
}

/// The same where a target may be refused: of errors that of the first target counts, whoever meets it when.
pub(crate) fn try_joined<E: Send>(
    len: usize,
    work: impl Fn(Range<usize>) -> Result<SparseWeights, E> + Sync,
) -> Result<SparseWeights, E> {
    let (mut whole, mut refused) = (Gathering::new(), None);
    // Once a piece is refused, those behind it do not matter.
    let first = AtomicUsize::new(usize::MAX);
    let work = |range: Range<usize>| {
        let start = range.start;
        (start < first.load(Ordering::Relaxed)).then(|| {
            let done = work(range);
            if done.is_err() {
                first.fetch_min(start, Ordering::Relaxed);
            }
            done
        })
    };
    each_piece(len, work, |piece| match piece {
        Some(Ok(piece)) => whole.append(&piece),
        Some(Err(error)) => {
            refused.get_or_insert(error);
        }
        None => {}
    });
    refused.map_or_else(|| Ok(whole.finish()), Err)
}

/// Adds a target's row of other weights, with the part that is covered.
pub(crate) fn push_copy(to: &mut SparseWeights, from: &SparseWeights, target: usize) {
    let row = from.row(target).iter();
    match from.covered(target) {
        1.0 => to.push_kept(row),
        covered => to.push_part(row, covered),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use parking_lot::Condvar;

    use super::*;

    #[test]
    fn pieces_come_in_order_and_cover_all() {
        let mut indices = Vec::new();
        each_piece(3 * PIECE + 5, |range| range, |range| indices.extend(range));
        assert_eq!(indices, (0..3 * PIECE + 5).collect::<Vec<_>>());
        each_piece(0, |range| range, |_| panic!("a piece of nothing"));
    }

    #[test]
    fn pieces_are_shared_among_the_threads_that_were_asked_for() {
        let workers = |threads: usize| {
            let (seen, more) = (Mutex::new(HashSet::new()), Condvar::new());
            // Each waits for the others, if they come, so that all are seen.
            let work = |_| {
                let mut seen = seen.lock();
                seen.insert(std::thread::current().id());
                more.notify_all();
                let lacks = |seen: &mut HashSet<_>| seen.len() < threads;
                more.wait_while_for(&mut seen, lacks, Duration::from_secs(2));
            };
            on_threads(threads, || each_piece(20 * PIECE, work, drop));
            seen.into_inner().len()
        };
        assert_eq!([1, 2, 5].map(workers), [1, 2, 5]);
        assert_eq!(THREADS.get(), None);
    }

    #[test]
    fn the_first_target_that_is_refused_is_the_one_that_is_told() {
        let (late, met) = (Mutex::new(false), Condvar::new());
        let work = |range: Range<usize>| match range.start / PIECE {
            // The earlier one is refused after the later one.
            2 => {
                let waits = |late: &mut bool| !*late;
                met.wait_while_for(&mut late.lock(), waits, Duration::from_secs(2));
                Err(range.start)
            }
            3 => {
                *late.lock() = true;
                met.notify_all();
                Err(range.start)
            }
            _ => Ok(SparseWeights::default()),
        };
        let weights = on_threads(2, || try_joined(20 * PIECE, work));
        assert_eq!(weights, Err(2 * PIECE));
    }

    #[test]
    fn joined_pieces_keep_rows_and_covered_parts() {
        let whole = joined(PIECE + 2, |range| {
            let mut piece = SparseWeights::default();
            match range.start {
                0 => range.for_each(|t| piece.push_row([(t, 1.0)])),
                _ => {
                    piece.push_part([(4, 1.0), (5, 3.0)], 0.5);
                    piece.push_row([]);
                }
            }
            piece
        });
        assert_eq!(whole.len(), PIECE + 2);
        assert_eq!(whole.row(PIECE - 1), [(PIECE - 1, 1.0)]);
        assert_eq!(whole.row(PIECE), [(4, 0.25), (5, 0.75)]);
        assert_eq!(
            [PIECE - 1, PIECE, PIECE + 1].map(|t| whole.covered(t)),
            [1.0, 0.5, 1.0]
        );
    }
}
