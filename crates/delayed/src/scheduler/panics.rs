//! Where a task's panic happened: the payload that unwinding carries does not say, so the hook notes it.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic,
    sync::Once,
    thread,
};

thread_local! {
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
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
            let in_task = IN_TASK.try_with(Cell::get).unwrap_or(false);
            if let (true, Some(place)) = (in_task, info.location()) {
                let _ = PLACE.try_with(|noted| *noted.borrow_mut() = Some(place.to_string()));
            }
            previous(info);
        }));
    });
}

/// While it lives, panics on this thread are those of tasks.
pub(crate) struct InTasks(bool);

impl InTasks {
    pub(crate) fn begin() -> Self {
        InTasks(IN_TASK.replace(true))
    }
}

impl Drop for InTasks {
    fn drop(&mut self) {
        IN_TASK.set(self.0);
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
