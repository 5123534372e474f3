//! What a thread knows while it runs tasks: whose run it is in, and where the last panic happened.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    mem,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::{Arc, Once},
    thread,
};

use crate::cancel::CancelToken;

thread_local! {
    /// What stops the run whose tasks this thread runs; nothing outside of tasks.
    static STOPS: RefCell<Option<Arc<[CancelToken]>>> = const { RefCell::new(None) };
    /// Whether a task of that run was told on this thread that it is to stop; none starts after it.
    static TOLD: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Whether the run that this task belongs to is to stop: it was cancelled, or another task failed and it does not keep going.
///
/// For long tasks that look at it now and then and return early; what they return is not used then, an error no more than a value.
/// False outside of tasks.
/// ```
/// use delayed::{cancelled, delayed};
/// let sum = delayed(|| (0..1_000_000_u64).take_while(|i| i % 1024 != 0 || !cancelled()).sum::<u64>());
/// assert_eq!(sum.compute()?, 499_999_500_000);
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn cancelled() -> bool {
    let stop = STOPS.with_borrow(|stops| {
        stops
            .iter()
            .flat_map(|stops| stops.iter())
            .any(CancelToken::is_cancelled)
    });
    if stop {
        TOLD.set(true);
    }
    stop
}

/// Whether the task that this thread has just run was told to stop, by [`cancelled`] or since a run within it was stopped with it.
pub(crate) fn was_told() -> bool {
    TOLD.get()
}

/// What stops the run whose task is running on this thread, for a run within it.
pub(crate) fn stops() -> Vec<CancelToken> {
    STOPS.with_borrow(|stops| {
        stops
            .iter()
            .flat_map(|stops| stops.iter())
            .cloned()
            .collect()
    })
}

/// Puts a hook before the program's own one, once; it only writes down the place of a panic within a task.
pub(crate) fn note_places() {
    static HOOK: Once = Once::new();
    if thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let in_task =
                STOPS.try_with(|stops| stops.try_borrow().is_ok_and(|stops| stops.is_some()));
            if let (Ok(true), Some(place)) = (in_task, info.location()) {
                let _ = PLACE.try_with(|noted| *noted.borrow_mut() = Some(place.to_string()));
            }
            previous(info);
        }));
    });
}

/// While it lives, this thread runs tasks of one run.
pub(crate) struct InTasks {
    /// Of the run that this thread is in besides.
    outer_stops: Option<Arc<[CancelToken]>>,
    outer_told: bool,
}

impl InTasks {
    pub(crate) fn begin(stops: &Arc<[CancelToken]>) -> Self {
        InTasks {
            outer_stops: STOPS.replace(Some(stops.clone())),
            outer_told: TOLD.replace(false),
        }
    }
}

impl Drop for InTasks {
    fn drop(&mut self) {
        STOPS.set(self.outer_stops.take());
        TOLD.set(self.outer_told);
    }
}

/// What a caught panic said, and where.
pub(crate) fn describe(payload: Box<dyn Any + Send>) -> (String, Option<String>) {
    let message = match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => {
                discard(payload);
                "a value that is no text".to_string()
            }
        },
    };
    (message, PLACE.take())
}

/// Drops what a panic carried; if that panics as well, what the second panic carries is left alone.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}
