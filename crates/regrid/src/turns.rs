//! Things stored in a fixed order, whoever brings them and when.
//!
//! Where a chunk lies in a file is decided by what was stored before it. Chunks are made on several threads, and finished in
//! another order each time; stored in turn, they make the same file each time, and one that was interrupted and resumed too.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

/// Bytes that wait for their turn at the most: a few chunks for each of a few threads, since tasks run nearly in order.
pub(crate) const MOST_WAITING: usize = 16 << 20;

/// The order in which things are stored, and those that came before their turn.
#[derive(Debug)]
pub(crate) struct Turns<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    next: usize,
    /// What came early; nothing for what could not wait.
    early: BTreeMap<usize, Option<(T, Vec<u8>)>>,
    /// Bytes of it.
    bytes: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            next: 0,
            early: BTreeMap::new(),
            bytes: 0,
        }))
    }
}

impl<T> Turns<T> {
    /// Stores something if it is its turn, and what waited for that; else it waits, or is stored at once if too much waits.
    ///
    /// # Errors
    /// The first of `store`, which may be about what somebody else brought.
    pub(crate) fn bring<E>(
        &self,
        turn: usize,
        thing: T,
        bytes: &[u8],
        mut store: impl FnMut(&T, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state = self.0.lock();
        if turn == state.next {
            store(&thing, bytes)?;
            state.next += 1;
        } else if state.bytes + bytes.len() <= MOST_WAITING {
            state.bytes += bytes.len();
            // Others store meanwhile.
            let copy = MutexGuard::unlocked(&mut state, || bytes.to_vec());
            state.early.insert(turn, Some((thing, copy)));
        } else {
            store(&thing, bytes)?;
            state.early.insert(turn, None);
        }
        // What waited for this one; or this one, if its turn came while it was copied.
        loop {
            let next = state.next;
            match state.early.remove(&next) {
                None => return Ok(()),
                Some(None) => {}
                Some(Some((thing, bytes))) => {
                    state.bytes -= bytes.len();
                    store(&thing, &bytes)?;
                }
            }
            state.next += 1;
        }
    }

    /// Stores what still waits.
    ///
    /// # Errors
    /// The first of `store`.
    pub(crate) fn finish<E>(
        &self,
        mut store: impl FnMut(&T, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let early = std::mem::take(&mut self.0.lock().early);
        for (thing, bytes) in early.into_values().flatten() {
            store(&thing, &bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(turns: &[(usize, usize)]) -> Vec<usize> {
        let (all, mut stored) = (Turns::default(), Vec::new());
        let mut store = |turn: &usize, _: &[u8]| {
            stored.push(*turn);
            Ok::<(), ()>(())
        };
        for &(turn, len) in turns {
            all.bring(turn, turn, &vec![0; len], &mut store).unwrap();
        }
        all.finish(&mut store).unwrap();
        stored
    }

    #[test]
    fn what_comes_early_waits() {
        assert_eq!(stored(&[(2, 1), (1, 1), (0, 1), (3, 1)]), [0, 1, 2, 3]);
        assert_eq!(stored(&[(2, 1), (1, 1)]), [1, 2]);
    }

    #[test]
    fn what_finds_no_room_is_stored_at_once_and_only_once() {
        let whole = MOST_WAITING;
        assert_eq!(
            stored(&[(3, whole), (2, 1), (1, 0), (0, 1), (4, 1)]),
            [2, 0, 1, 3, 4]
        );
        assert_eq!(stored(&[(1, whole + 1), (0, 1), (2, 1)]), [1, 0, 2]);
    }

    #[test]
    fn threads_bring_in_any_order() {
        let (all, stored) = (Turns::default(), Mutex::new(Vec::new()));
        let store = |turn: &usize, bytes: &[u8]| {
            assert_eq!(bytes, [*turn as u8; 100]);
            stored.lock().push(*turn);
            Ok::<(), ()>(())
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let all = &all;
                scope.spawn(move || {
                    for turn in (thread..1000).step_by(4) {
                        all.bring(turn, turn, &[turn as u8; 100], store).unwrap();
                    }
                });
            }
        });
        assert!(stored.into_inner().into_iter().eq(0..1000));
    }

    #[test]
    fn an_error_is_told() {
        let turns = Turns::default();
        let refused = |_: &usize, _: &[u8]| Err("no");
        assert_eq!(turns.bring(1, 1, &[1], refused), Ok(()));
        assert_eq!(turns.finish(refused), Err("no"));
        assert_eq!(turns.bring(0, 0, &[1], refused), Err("no"));
    }
}
