//! The parts of a value that a task makes in one piece, each as a delayed value of its own.
//!
//! One task takes the whole to pieces, and another one for each part takes it out; so a part that nobody needs costs nothing but its place.

use std::fmt;

use parking_lot::Mutex;

use crate::{delayed::Delayed, key::Label, tuples::each_tuple};

impl<T: Clone + Send + Sync + 'static> Delayed<Vec<T>> {
    /// The elements of a vector whose length is known beforehand, each a delayed value of its own.
    ///
    /// They are moved out of the vector if nobody else needs it. A vector of another length is an error of the task. The parts of `a`
    /// are called `a[0]`, `a[1]`, ... if nothing else is said.
    /// ```
    /// use delayed::{compute, delayed};
    /// let parts = delayed(|| vec!["a", "b"]).named("names").split(2);
    /// assert_eq!(parts[1].label().to_string(), "names[1]");
    /// assert_eq!(compute(&parts)?, ["a", "b"]);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn split(&self, len: usize) -> Vec<Delayed<T>> {
        let label = self.label();
        let parts = self
            .try_map_owned(move |parts: Vec<T>| match parts.len() {
                got if got == len => Ok(parts
                    .into_iter()
                    .map(|part| Mutex::new(Some(part)))
                    .collect::<Vec<_>>()),
                got => Err(format!("split into {len} parts, but there are {got}")),
            })
            .named(part_label("split ", &label, ""));
        let mut delayed = Vec::with_capacity(len);
        // Not a closure, which would be taken for the caller.
        for place in 0..len {
            let part = parts.map(move |parts| take(&parts[place]));
            delayed.push(part.named(part_label("", &label, format!("[{place}]"))));
        }
        delayed
    }
}

/// A label made from that of the value that is taken to pieces.
fn part_label(
    before: &'static str,
    label: &Label,
    after: impl fmt::Display + Send + Sync + 'static,
) -> Label {
    let label = label.clone();
    Label::lazy(move |f| write!(f, "{before}{label}{after}"))
}

/// Takes a part out of a value that was taken to pieces in this run.
fn take<T>(part: &Mutex<Option<T>>) -> T {
    part.lock().take().expect("each part is taken once")
}

macro_rules! unzip {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Clone + Send + Sync + 'static),*> Delayed<($($name,)*)> {
            /// The parts of a tuple, each a delayed value of its own.
            ///
            /// They are moved out of the tuple if nobody else needs it. The parts of `a` are called `a.0`, `a.1`, ... if nothing else
            /// is said.
            /// ```
            /// use delayed::{compute, delayed};
            /// let (mean, count) = delayed(|| (2.5, 4)).unzip();
            /// assert_eq!(compute((&count, &mean))?, (4, 2.5));
            /// # Ok::<(), delayed::Error>(())
            /// ```
            #[track_caller]
            pub fn unzip(&self) -> ($(Delayed<$name>,)*) {
                let label = self.label();
                let parts = self
                    .map_owned(|parts| ($(Mutex::new(Some(parts.$place)),)*))
                    .named(part_label("unzip ", &label, ""));
                ($(parts
                    .map(|parts| take(&parts.$place))
                    .named(part_label("", &label, concat!(".", $place))),)*)
            }
        }
    };
}
each_tuple!(unzip);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delayed;

    #[test]
    fn parts_are_called_after_the_whole_and_placed_where_it_was_taken_to_pieces() {
        let at = |part: &Delayed<i32>| {
            let site = part.node().head.site;
            assert!(site.file().ends_with("parts.rs"));
            (part.label().to_string(), site.line())
        };
        let range = delayed(|| (1, 2)).named("range");
        let (low, high) = range.unzip();
        let line = line!() - 1;
        assert_eq!(at(&low), ("range.0".to_string(), line));
        assert_eq!(at(&high), ("range.1".to_string(), line));
        let read = delayed(|| vec![1, 2]).named(("read", 7));
        let parts = read.split(2);
        let line = line!() - 1;
        assert_eq!(at(&parts[1]), ("read 7[1]".to_string(), line));
        let error = delayed(|| vec![1]).named("one").split(2)[0]
            .compute()
            .unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), "split one");
    }
}
