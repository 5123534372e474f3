//! [`Series`]: many tasks that are alike, of which all that is to be known is said once.

use std::{borrow::Cow, fmt, panic::Location, sync::Arc};

use crate::{
    delayed::Delayed,
    error::{BoxError, Result},
    inputs::Inputs,
    key::{Label, WriteNth},
    task::{Fallible, Notes, Sure, task},
};

/// Tasks that differ by a number: their label, group, step and size are said once, for all of them.
///
/// Of a task that has a [name](Delayed::named), a [group](Delayed::group) and a [size](Delayed::bytes) of its own, these take more memory, and more
/// time to make, than the task. One of a series has a handle on the series and its number. What is said of it beyond that is its own.
/// ```
/// use delayed::{Graph, Series, delayed};
/// let files = ["a.nc", "b.nc", "c.nc"];
/// let reads = Series::new(move |n, f| write!(f, "read {}", files[n])).group("input").bytes(800);
/// let sums = Series::new(|n, f| write!(f, "sum {n}"));
/// let fields: Vec<_> = (0..3).map(|n| reads.delayed(n, move || vec![n as f64; 100])).collect();
/// let totals: Vec<_> = fields.iter().enumerate()
///     .map(|(n, field)| sums.apply(n, field, |field| field.iter().sum::<f64>()))
///     .collect();
/// assert_eq!(fields[1].label().to_string(), "read b.nc");
/// assert_eq!(Graph::of(&totals).explain().peak_bytes, 800);
/// assert_eq!(delayed::compute(&totals)?, [0.0, 100.0, 200.0]);
/// # Ok::<(), delayed::Error>(())
/// ```
#[derive(Clone)]
pub struct Series(Arc<Said>);

/// What is said of all tasks of a series.
#[derive(Clone)]
pub struct Said {
    labels: Arc<WriteNth>,
    /// No label among them: each task has its own.
    pub(crate) notes: Notes,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Said {
    pub(crate) fn label(&self, n: usize) -> Label {
        Label::nth(self.labels.clone(), n)
    }
}

impl Series {
    /// A series whose tasks have the label that `write` puts together from a task's number, each time it is shown.
    pub fn new(
        write: impl Fn(usize, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync + 'static,
    ) -> Self {
        Series(Arc::new(Said {
            labels: Arc::new(write),
            notes: Notes::default(),
        }))
    }

    /// The [group](Delayed::group) of all tasks made from now on.
    pub fn group(mut self, group: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.0).notes.group = Some(group.into());
        self
    }

    /// The [step](Delayed::step) of all tasks made from now on.
    pub fn step(mut self, step: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.0).notes.step = Some(step.into());
        self
    }

    /// The [expected size](Delayed::bytes) of the values of all tasks made from now on.
    pub fn bytes(mut self, bytes: u64) -> Self {
        Arc::make_mut(&mut self.0).notes.bytes = Some(bytes);
        self
    }

    /// The `n`th task of this series, without inputs, as by [`delayed`](crate::delayed()).
    #[track_caller]
    pub fn delayed<T, F>(&self, n: usize, f: F) -> Delayed<T>
    where
        T: Send + Sync + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        Delayed::of(task::<_, _, _, Sure, F, _>(
            (),
            move |()| f(),
            (self.0.clone(), n),
            Location::caller(),
        ))
    }

    /// The `n`th task of this series, without inputs, that can fail, as by [`try_delayed`](crate::try_delayed).
    #[track_caller]
    pub fn try_delayed<T, E, F>(&self, n: usize, f: F) -> Delayed<T>
    where
        T: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: Fn() -> Result<T, E> + Send + Sync + 'static,
    {
        Delayed::of(task::<_, _, _, Fallible, F, _>(
            (),
            move |()| f(),
            (self.0.clone(), n),
            Location::caller(),
        ))
    }

    /// The `n`th task of this series, on several inputs, as by [`apply`](crate::apply).
    #[track_caller]
    pub fn apply<I, T, F>(&self, n: usize, inputs: I, f: F) -> Delayed<T>
    where
        I: Inputs,
        T: Send + Sync + 'static,
        F: for<'a> Fn(I::Refs<'a>) -> T + Send + Sync + 'static,
    {
        Delayed::of(task::<_, _, _, Sure, F, _>(
            inputs.hold(),
            f,
            (self.0.clone(), n),
            Location::caller(),
        ))
    }

    /// The `n`th task of this series, on several inputs, that can fail, as by [`try_apply`](crate::try_apply).
    #[track_caller]
    pub fn try_apply<I, T, E, F>(&self, n: usize, inputs: I, f: F) -> Delayed<T>
    where
        I: Inputs,
        T: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: for<'a> Fn(I::Refs<'a>) -> Result<T, E> + Send + Sync + 'static,
    {
        Delayed::of(task::<_, _, _, Fallible, F, _>(
            inputs.hold(),
            f,
            (self.0.clone(), n),
            Location::caller(),
        ))
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("group", &self.0.notes.group)
            .field("step", &self.0.notes.step)
            .field("bytes", &self.0.notes.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Graph, delayed};

    #[test]
    fn tasks_of_a_series_are_told_the_same_and_may_be_told_more() {
        let series = Series::new(|n, f| write!(f, "read {n}"))
            .group("input")
            .step("read")
            .bytes(10);
        let later = series.clone().bytes(20);
        let tasks = [
            series.delayed(0, || 0),
            series.delayed(1, || 1).bytes(30).named("own"),
            later.try_delayed(2, || Ok::<_, Error>(2)),
        ];
        let graph = Graph::of(&tasks);
        let told = |key: &str| {
            let info = graph.info(graph.find(key).expect("a task has its label"));
            assert!(info.site.file().ends_with("series.rs"));
            (info.group.clone(), info.step.clone(), info.bytes)
        };
        let both = (Some("input".to_string()), Some("read".to_string()));
        let expected = |bytes| (both.0.clone(), both.1.clone(), Some(bytes));
        assert_eq!(told("read 0"), expected(10));
        assert_eq!(told("own"), expected(30));
        assert_eq!(told("read 2"), expected(20));
        assert_eq!(crate::compute(&tasks).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn a_task_of_a_series_fails_under_its_label() {
        let series = Series::new(|n, f| write!(f, "parse {n}"));
        let text = delayed(|| "x");
        let number = series.try_apply(7, &text, |text| text.parse::<u8>());
        let error = number.compute().unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), "parse 7");
    }

    #[test]
    fn a_key_is_not_the_label_of_one_of_a_series() {
        let series = Series::new(|n, f| write!(f, "read {n}"));
        let tasks = [series.delayed(0, || 0), delayed(|| 1).keyed("read 0")];
        let error = crate::compute(&tasks).unwrap_err();
        assert!(matches!(error, Error::RepeatedKey { .. }));
    }
}
