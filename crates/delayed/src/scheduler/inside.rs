//! What a thread knows while it runs tasks: whose run it is in, and where the last panic happened.

use std::{
    any::Any,
    cell::RefCell,
    panic,
    sync::{Arc, Once},
    thread,
};

use crate::cancel::CancelToken;

thread_local! {
    /// What stops the run whose tasks this thread runs; nothing outside of tasks.
    static STOPS: RefCell<Option<Arc<[CancelToken]>>> = const { RefCell::new(None) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Whether the run that this task belongs to is to stop: it was cancelled, or another task failed and it does not keep going.
///
/// For long tasks that look at it now and then and return early; what they return is not used then. False outside of tasks.
/// ```
/// use delayed::{cancelled, delayed};
/// let sum = delayed(|| (0..1_000_000_u64).take_while(|i| i % 1024 != 0 || !cancelled()).sum::<u64>());
/// assert_eq!(sum.compute()?, 499_999_500_000);
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn cancelled() -> bool {
    STOPS.with_borrow(|stops| {
        stops
            .iter()
            .flat_map(|stops| stops.iter())
            .any(CancelToken::is_cancelled)
    })
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
pub(crate) struct InTasks(Option<Arc<[CancelToken]>>);

impl InTasks {
    pub(crate) fn begin(stops: &Arc<[CancelToken]>) -> Self {
        InTasks(STOPS.replace(Some(stops.clone())))
    }
}

impl Drop for InTasks {
    fn drop(&mut self) {
        STOPS.set(self.0.take());
    }
}

/// What a caught panic said, and where.
pub(crate) fn describe(payload: Box<dyn Any + Send>) -> (String, Option<String>) {
    let message = match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(_) => "a value that is no text".to_string(),
        },
    };
    (message, PLACE.take())
}
