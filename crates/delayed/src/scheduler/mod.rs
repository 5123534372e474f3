//! Runs a frozen graph: alone on the caller's thread, or with guests from a pool of threads.
//!
//! The protocol, who may touch what when, is in `README.md` beside this file.

mod idle;
mod panics;
mod pool;
mod state;
mod worker;

use crate::{
    error::{Error, Result},
    frozen::Frozen,
    observe::{RunEnd, RunView},
    run::Run,
    scheduler::state::State,
    values::Entry,
};

/// Runs every task of `frozen`; the values of the outputs are left in the entries.
pub(crate) fn run<'g>(frozen: &Frozen<'g>, settings: &Run) -> Result<Vec<Entry<'g>>> {
    panics::note_places();
    let workers = settings.workers().min(frozen.len()).max(1);
    let state = State::new(frozen, settings);
    for observer in &settings.observers {
        observer.run_started(&RunView { frozen, workers });
    }
    if workers == 1 {
        worker::alone(&state);
    } else {
        worker::together(&state, workers);
    }
    let end = state.end();
    for observer in &settings.observers {
        observer.run_finished(end);
    }
    let (entries, mut failures) = state.into_parts();
    match end {
        RunEnd::Finished => Ok(entries),
        RunEnd::Cancelled => Err(Error::Cancelled),
        RunEnd::Failed => {
            drop(entries);
            failures.sort_by_key(|(task, _)| *task);
            let mut errors: Vec<Error> = failures
                .into_iter()
                .map(|(task, cause)| frozen.error(task, cause))
                .collect();
            Err(if errors.len() == 1 {
                errors.remove(0)
            } else {
                Error::Several { errors }
            })
        }
    }
}
