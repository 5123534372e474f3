//! Runs a frozen graph: alone on the caller's thread, or with guests from a pool of threads.
//!
//! The protocol, who may touch what when, is in `README.md` beside this file.

mod gates;
mod idle;
mod inside;
mod stack;
mod state;
mod worker;

pub use self::inside::cancelled;
pub(crate) use self::inside::stops;
use crate::{
    audited::values::KNOWN,
    error::{Error, Result},
    frozen::Frozen,
    observe::{RunEnd, RunView},
    run::Run,
    scheduler::state::State,
};

/// Runs every task of `frozen`; the values of the outputs are left in the entries.
pub(crate) fn run(frozen: &mut Frozen<'_>, settings: &Run) -> Result<()> {
    run_noting_lost(frozen, settings).map_err(|(error, _)| error)
}

/// As [`run`]; if some tasks failed and all others ran, says which have no value.
pub(crate) fn run_noting_lost(
    frozen: &mut Frozen<'_>,
    settings: &Run,
) -> Result<(), (Error, Option<Vec<bool>>)> {
    inside::note_places();
    let workers = settings.workers().min(frozen.len()).max(1);
    let links = (workers > 1).then(|| state::links(frozen));
    for output in frozen.outputs.iter().filter(|output| **output & KNOWN == 0) {
        frozen.entries[*output as usize].count_consumer();
    }
    let frozen = &*frozen;
    let state = match links {
        Some(links) => State::together(frozen, settings, links),
        None => State::alone(frozen, settings),
    }
    .map_err(|error| (error, None))?;
    for observer in &settings.observers {
        observer.run_started(&RunView {
            frozen,
            workers,
            notes: &settings.notes,
        });
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
    match end {
        RunEnd::Finished => Ok(()),
        RunEnd::Cancelled => {
            // If this run is within a task whose own run is stopping, the task knows now.
            cancelled();
            Err((Error::Cancelled, None))
        }
        RunEnd::Failed => {
            let complete = state.is_complete();
            let mut failures = state.into_failures();
            failures.sort_by_key(|(task, _)| *task);
            let lost = complete.then(|| frozen.lost(failures.iter().map(|(task, _)| *task)));
            let mut errors = frozen.errors(failures);
            let error = if errors.len() == 1 {
                errors.remove(0)
            } else {
                Error::Several { errors }
            };
            Err((error, lost))
        }
    }
}
