//! Bytes that tasks read and write, counted by themselves for whoever watches the run.

use std::cell::Cell;
use std::ops::AddAssign;

/// Bytes that tasks brought in and took out of the program, as far as they said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
    }
}

thread_local! {
    /// What the task that runs on this thread has counted so far.
    static COUNTED: Cell<Traffic> = const { Cell::new(Traffic { read: 0, written: 0 }) };
}

/// Counts bytes as read by the task that runs on this thread; a [profile](crate::Profile) sums them up.
/// ```
/// use delayed::{Profile, Run, count_read, delayed};
/// let profile = Profile::new();
/// let read = delayed(|| {
///     let bytes = vec![0_u8; 100];
///     count_read(bytes.len() as u64);
///     bytes
/// });
/// Run::new().observe(profile.clone()).compute(&read)?;
/// assert_eq!(profile.report().unwrap().traffic.read, 100);
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn count_read(bytes: u64) {
    count(Traffic {
        read: bytes,
        written: 0,
    });
}

/// Counts bytes as written by the task that runs on this thread; as [`count_read`].
pub fn count_written(bytes: u64) {
    count(Traffic {
        read: 0,
        written: bytes,
    });
}

fn count(more: Traffic) {
    let mut counted = COUNTED.get();
    counted += more;
    COUNTED.set(counted);
}

/// Runs a task, and tells what it counted; what a task around it has counted stays its own.
pub(crate) fn counted<T>(task: impl FnOnce() -> T) -> (T, Traffic) {
    let around = COUNTED.take();
    let made = task();
    (made, COUNTED.replace(around))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_within_a_task_counts_for_itself() {
        let (inner, outer) = counted(|| {
            count_read(1);
            let ((), inner) = counted(|| count_written(5));
            count_read(2);
            inner
        });
        let (read, written) = (3, 5);
        assert_eq!(outer, Traffic { read, written: 0 });
        assert_eq!(inner, Traffic { read: 0, written });
    }
}
