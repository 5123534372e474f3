//! Things stored in a fixed order, whoever brings them and when.
//!
//! Where a chunk lies in a file is decided by what was stored before it. Chunks are made on several threads, and finished in
//! another order each time; stored in turn, they make the same file each time, and one that was interrupted and resumed too.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::buffers;
use crate::spill::{Aside, PutAside};

/// The order in which things are stored, and those that came before their turn.
#[derive(Debug)]
pub(crate) struct Turns<T> {
    state: Mutex<State<T>>,
    /// Told when something was stored.
    stored: Condvar,
}

/// The part of what may wait in memory that may pile up while one stores. Where storing is what takes the time, more would not make
/// it faster.
const PILED_UP: usize = 4;

#[derive(Debug)]
struct State<T> {
    next: usize,
    /// Whether somebody stores the next one.
    storing: bool,
    /// What came early; nothing for what could not wait.
    early: BTreeMap<usize, Option<(T, Waiting)>>,
    /// Bytes of it in memory, and how many there may be.
    bytes: usize,
    most: usize,
    /// What waits on the disk.
    aside: Arc<Aside>,
}

/// Where something waits.
#[derive(Debug)]
enum Waiting {
    InMemory(Vec<u8>),
    Aside(PutAside),
}

impl Waiting {
    /// Hands the bytes on.
    fn bytes<R>(&self, then: impl FnOnce(io::Result<&[u8]>) -> R) -> R {
        match self {
            Self::InMemory(bytes) => then(Ok(bytes)),
            Self::Aside(aside) => {
                let mut bytes = buffers::take(aside.len());
                let read = aside.bring_back(&mut bytes);
                let done = then(read.map(|()| &bytes[..]));
                buffers::give(bytes);
                done
            }
        }
    }
}

impl<T> State<T> {
    /// Whether so many bytes more are to wait until something was stored.
    fn is_piled_up(&self, bytes: usize) -> bool {
        self.storing && self.bytes > 0 && self.bytes + bytes > self.most / PILED_UP
    }

    /// The next one is stored, or was not; another may be.
    fn stored<E>(&mut self, stored: Result<(), E>) -> Result<(), E> {
        self.storing = false;
        self.next += usize::from(stored.is_ok());
        stored
    }

    /// What waited does so no more.
    fn left(&mut self, waiting: Waiting) {
        if let Waiting::InMemory(bytes) = waiting {
            self.bytes -= bytes.len();
            buffers::give(bytes);
        }
    }
}

/// Puts bytes where they can wait, if there is such a place; others go on meanwhile.
fn wait<T>(state: &mut MutexGuard<'_, State<T>>, bytes: &[u8]) -> Option<Waiting> {
    let len = bytes.len();
    if state.bytes + len <= state.most {
        state.bytes += len;
        let copy = MutexGuard::unlocked(state, || {
            let mut copy = buffers::take(len);
            copy.copy_from_slice(bytes);
            copy
        });
        return Some(Waiting::InMemory(copy));
    }
    let aside = state.aside.clone();
    let put = MutexGuard::unlocked(state, || aside.put(bytes));
    put.map(Waiting::Aside)
}

impl<T> Turns<T> {
    /// Nothing waits yet; so many bytes may in memory, the rest does on the disk, in this folder.
    pub(crate) fn new(most: usize, folder: &Path) -> Self {
        let state = State {
            next: 0,
            storing: false,
            early: BTreeMap::new(),
            bytes: 0,
            most,
            aside: Aside::new(folder.to_owned(), 0),
        };
        Self {
            state: Mutex::new(state),
            stored: Condvar::new(),
        }
    }

    /// Stores something if it is its turn, and what waited for that; else it waits, or is stored at once if there is nowhere
    /// to wait. What cannot be read back is told to `store`.
    ///
    /// While one stores, others leave what they bring to it and go on; but not more and more, where all are faster than the file.
    ///
    /// # Errors
    /// The first of `store`, which may be about what somebody else brought.
    pub(crate) fn bring<E>(
        &self,
        turn: usize,
        thing: T,
        bytes: &[u8],
        mut store: impl FnMut(&T, io::Result<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Dropped after the lock on it.
        let over = Over {
            all: self,
            storing: Cell::new(false),
        };
        let mut state = self.state.lock();
        while state.is_piled_up(bytes.len()) {
            self.stored.wait(&mut state);
        }
        if turn == state.next && !state.storing {
            state.storing = true;
            over.storing.set(true);
            let stored = MutexGuard::unlocked(&mut state, || store(&thing, Ok(bytes)));
            over.storing.set(false);
            self.stored.notify_all();
            state.stored(stored)?;
        } else {
            let waiting = match wait(&mut state, bytes) {
                Some(waiting) => Some((thing, waiting)),
                None => {
                    MutexGuard::unlocked(&mut state, || store(&thing, Ok(bytes)))?;
                    None
                }
            };
            state.early.insert(turn, waiting);
        }
        // What waited for this one; or this one, if its turn came while it was put aside.
        while !state.storing {
            let next = state.next;
            match state.early.remove(&next) {
                None => break,
                Some(None) => state.next += 1,
                Some(Some((thing, waiting))) => {
                    state.storing = true;
                    over.storing.set(true);
                    let stored = MutexGuard::unlocked(&mut state, || {
                        waiting.bytes(|bytes| store(&thing, bytes))
                    });
                    over.storing.set(false);
                    state.left(waiting);
                    self.stored.notify_all();
                    state.stored(stored)?;
                }
            }
        }
        Ok(())
    }

    /// Stores what still waits.
    ///
    /// # Errors
    /// The first of `store`.
    pub(crate) fn finish<E>(
        &self,
        mut store: impl FnMut(&T, io::Result<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let early = std::mem::take(&mut self.state.lock().early);
        for (thing, waiting) in early.into_values().flatten() {
            waiting.bytes(|bytes| store(&thing, bytes))?;
        }
        Ok(())
    }
}

/// Where storing panics, nobody is to wait for it.
struct Over<'a, T> {
    all: &'a Turns<T>,
    /// Whether this one stores.
    storing: Cell<bool>,
}

impl<T> Drop for Over<'_, T> {
    fn drop(&mut self) {
        if self.storing.get() {
            self.all.state.lock().storing = false;
            self.all.stored.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 20;

    fn stored(turns: &[(usize, usize)]) -> Vec<usize> {
        stored_in(&std::env::temp_dir(), turns)
    }

    fn stored_in(folder: &Path, turns: &[(usize, usize)]) -> Vec<usize> {
        let (all, mut stored) = (Turns::new(MOST, folder), Vec::new());
        let mut store = |turn: &usize, bytes: io::Result<&[u8]>| {
            assert!(bytes.unwrap().iter().all(|&byte| byte == *turn as u8));
            stored.push(*turn);
            Ok::<(), ()>(())
        };
        for &(turn, len) in turns {
            let bytes = vec![turn as u8; len];
            all.bring(turn, turn, &bytes, &mut store).unwrap();
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
    fn what_finds_no_room_in_memory_waits_on_the_disk() {
        let whole = MOST;
        assert_eq!(
            stored(&[(3, whole), (2, 1), (1, 0), (5, 7), (0, 1), (6, 3), (4, 1)]),
            [0, 1, 2, 3, 4, 5, 6]
        );
        // The file is begun anew once nothing waits in it; what is left is stored at the end.
        assert_eq!(
            stored(&[
                (1, whole),
                (2, 3),
                (0, 1),
                (5, whole),
                (4, 2),
                (7, 5),
                (3, 1)
            ]),
            [0, 1, 2, 3, 4, 5, 7]
        );
    }

    #[test]
    fn what_can_wait_nowhere_is_stored_at_once_and_only_once() {
        let (whole, nowhere) = (MOST, Path::new("/nowhere/at/all"));
        assert_eq!(
            stored_in(nowhere, &[(3, whole), (2, 1), (1, 0), (0, 1), (4, 1)]),
            [2, 0, 1, 3, 4]
        );
        assert_eq!(
            stored_in(nowhere, &[(1, whole + 1), (0, 1), (2, 1)]),
            [1, 0, 2]
        );
    }

    #[test]
    fn threads_bring_in_any_order() {
        const LEN: usize = MOST / 20;
        let all = Turns::new(MOST, &std::env::temp_dir());
        let stored = Mutex::new(Vec::new());
        let store = |turn: &usize, bytes: io::Result<&[u8]>| {
            assert!(bytes.unwrap() == vec![*turn as u8; LEN]);
            stored.lock().push(*turn);
            Ok::<(), ()>(())
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let all = &all;
                scope.spawn(move || {
                    for turn in (thread..100).step_by(4).rev() {
                        let bytes = vec![turn as u8; LEN];
                        all.bring(turn, turn, &bytes, store).unwrap();
                    }
                });
            }
        });
        assert!(stored.into_inner().into_iter().eq(0..100));
    }

    #[test]
    fn what_piles_up_while_one_stores_is_little() {
        const LEN: usize = MOST / 8;
        let all = Turns::new(MOST, &std::env::temp_dir());
        let most = Mutex::new(0);
        let store = |_: &usize, _: io::Result<&[u8]>| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            let mut most = most.lock();
            *most = all.state.lock().bytes.max(*most);
            Ok::<(), ()>(())
        };
        // One stores all the time, as another brings more than it can store.
        all.bring(1, 1, &[0], store).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| all.bring(0, 0, &[0; LEN], store).unwrap());
            scope.spawn(|| {
                let begun = |state: &State<_>| state.storing || state.next > 0;
                while !begun(&all.state.lock()) {
                    std::thread::yield_now();
                }
                for turn in 2..80 {
                    all.bring(turn, turn, &[0; LEN], store).unwrap();
                }
            });
        });
        assert_eq!(all.state.lock().next, 80);
        assert!(most.into_inner() <= 2 * LEN);
    }

    #[test]
    fn nobody_waits_for_who_panicked() {
        let all = Turns::new(8, &std::env::temp_dir());
        let begun = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                all.bring(0, 0, &[0; 8], |_, _| -> Result<(), ()> {
                    begun.wait();
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    panic!("stored badly")
                })
            });
            let (all, begun) = (&all, &begun);
            let others = [1, 2].map(|turn| {
                scope.spawn(move || {
                    begun.wait();
                    all.bring(turn, turn, &[0; 2], |_, _| Ok::<(), ()>(()))
                })
            });
            assert!(first.join().is_err());
            for other in others {
                assert!(other.join().unwrap().is_ok());
            }
        });
        assert!(!all.state.lock().storing);
    }

    #[test]
    fn an_error_is_told() {
        let turns = Turns::new(MOST, &std::env::temp_dir());
        let refused = |_: &usize, _: io::Result<&[u8]>| Err("no");
        assert_eq!(turns.bring(1, 1, &[1], refused), Ok(()));
        assert_eq!(turns.finish(refused), Err("no"));
        assert_eq!(turns.bring(0, 0, &[1], refused), Err("no"));
    }
}
