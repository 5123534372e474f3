//! Stopping a run from outside.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Stops the runs it was given to.
///
/// A run that is cancelled starts no new task, waits for those that are running and returns
/// [`Error::Cancelled`](crate::Error::Cancelled). Long tasks may hold a clone and look at it now and then. Cancelling is one
/// atomic store, so it may be done in a signal handler. A cancelled token stays so.
/// ```
/// use delayed::{CancelToken, Run, delayed};
/// let token = CancelToken::new();
/// let kernel = {
///     let token = token.clone();
///     move || (0..1000).take_while(|_| !token.is_cancelled()).count()
/// };
/// token.cancel();
/// let error = Run::new().cancel(&token).compute(delayed(kernel)).unwrap_err();
/// assert!(error.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels every run that has this token, from any thread.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}
