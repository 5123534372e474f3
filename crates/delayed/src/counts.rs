//! Amounts of anything that tasks count, by name: how many chunks, how many stored bytes.

use std::{cell::RefCell, fmt, mem};

/// Amounts by name, in the order in which the names came first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts(Vec<(&'static str, u64)>);

impl Counts {
    /// The amount of a name: 0 if nothing was counted under it.
    pub fn of(&self, name: &str) -> u64 {
        let found = self.iter().find(|(own, _)| *own == name);
        found.map_or(0, |(_, amount)| amount)
    }

    /// All names and their amounts.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn add(&mut self, name: &'static str, amount: u64) {
        match self.0.iter_mut().find(|(own, _)| *own == name) {
            Some((_, sum)) => *sum += amount,
            None => self.0.push((name, amount)),
        }
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        other
            .iter()
            .for_each(|(name, amount)| self.add(name, amount));
    }
}

/// An amount with its name to a line.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter()
            .try_for_each(|(name, amount)| writeln!(f, "{amount} {name}"))
    }
}

thread_local! {
    /// What the task that runs on this thread has counted so far.
    static COUNTED: RefCell<Counts> = const { RefCell::new(Counts(Vec::new())) };
}

/// Adds to what the task that runs on this thread has counted under a name; a [profile](crate::Profile) sums it up.
/// ```
/// use delayed::{Profile, Run, count, delayed};
/// let profile = Profile::new();
/// let read = delayed(|| count("lines read", 3));
/// Run::new().note("lines in all", 5).observe(profile.clone()).compute(&read)?;
/// let counts = profile.report().unwrap().counts;
/// assert_eq!((counts.of("lines read"), counts.of("lines in all")), (3, 5));
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn count(name: &'static str, amount: u64) {
    COUNTED.with_borrow_mut(|counted| counted.add(name, amount));
}

/// Runs a task, and tells what it counted; what a task around it has counted stays its own.
pub(crate) fn counted<T>(task: impl FnOnce() -> T) -> (T, Counts) {
    let around = COUNTED.take();
    let made = task();
    let own = COUNTED.with_borrow_mut(|counted| mem::replace(counted, around));
    (made, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_within_a_task_counts_for_itself_and_each_name_by_itself() {
        let (inner, outer) = counted(|| {
            count("apples", 1);
            let ((), inner) = counted(|| count("apples", 5));
            count("pears", 3);
            count("apples", 1);
            inner
        });
        assert_eq!(outer.to_string(), "2 apples\n3 pears\n");
        assert_eq!(inner.to_string(), "5 apples\n");
        assert_eq!((outer.of("pears"), inner.of("pears")), (3, 0));
        let mut all = inner;
        all.add_all(&outer);
        assert_eq!(all.to_string(), "7 apples\n3 pears\n");
    }
}
