//! [`Delayed<T>`]: a value that will exist once its task has run; and the functions that make them.

use std::{borrow::Cow, fmt, marker::PhantomData, panic::Location};

use crate::{
    error::{BoxError, Result},
    inputs::{Inputs, own},
    key::Label,
    outputs::Outputs,
    run::Run,
    task::{Fallible, Handle, Node, Sure},
};

/// A value of type `T` that a task will make.
///
/// It holds its task and, through it, all that the task depends on; a clone is another handle on the same task. Nothing runs until
/// it is [computed](Delayed::compute), and each computation runs the tasks again.
/// ```
/// use delayed::delayed;
/// let field = delayed(|| vec![1.0, 2.0, 6.0]);
/// let mean = field.map(|f| f.iter().sum::<f64>() / f.len() as f64);
/// assert_eq!(mean.compute()?, 3.0);
/// # Ok::<(), delayed::Error>(())
/// ```
pub struct Delayed<T> {
    handle: Handle,
    value: PhantomData<fn() -> T>,
}

/// A task without inputs.
///
/// The closure is an `Fn`, so that a graph can be computed again and a task tried again.
#[track_caller]
pub fn delayed<T, F>(f: F) -> Delayed<T>
where
    T: Send + Sync + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    Delayed::of(Handle::task::<_, _, _, Sure, F>(
        (),
        move |()| f(),
        Location::caller(),
    ))
}

/// A task without inputs that can fail.
/// ```
/// use delayed::try_delayed;
/// let text = try_delayed(|| std::fs::read_to_string("no such file"));
/// let error = text.named("read").compute().unwrap_err();
/// assert!(error.to_string().starts_with("task `read` (built at "));
/// ```
#[track_caller]
pub fn try_delayed<T, E, F>(f: F) -> Delayed<T>
where
    T: Send + Sync + 'static,
    E: Into<BoxError> + 'static,
    F: Fn() -> Result<T, E> + Send + Sync + 'static,
{
    Delayed::of(Handle::task::<_, _, _, Fallible, F>(
        (),
        move |()| f(),
        Location::caller(),
    ))
}

/// A value that is already there.
///
/// It is kept in the graph, borrowed by tasks, and cloned only for a caller who asks for it as an output. A type that cannot be
/// cloned goes into an `Arc` first.
#[track_caller]
pub fn value<T: Clone + Send + Sync + 'static>(value: T) -> Delayed<T> {
    Delayed::of(Handle::constant(value, Location::caller()))
}

/// A task on several inputs; the closure sees references in the shape of the inputs (see [`Inputs`]).
/// ```
/// use delayed::{apply, delayed};
/// let (m, total) = (delayed(|| 6.0), delayed(|| 24.0));
/// let ratio = apply((&m, &total), |(m, t)| m / t);
/// assert_eq!(ratio.compute()?, 0.25);
///
/// let chunks: Vec<_> = (0..3).map(|i| delayed(move || vec![i; 2])).collect();
/// let whole = apply(chunks, |chunks| chunks.into_iter().flatten().copied().collect::<Vec<_>>());
/// assert_eq!(whole.compute()?, [0, 0, 1, 1, 2, 2]);
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn apply<I, T, F>(inputs: I, f: F) -> Delayed<T>
where
    I: Inputs,
    T: Send + Sync + 'static,
    F: for<'a> Fn(I::Refs<'a>) -> T + Send + Sync + 'static,
{
    Delayed::of(Handle::task::<_, _, _, Sure, F>(
        inputs.hold(),
        f,
        Location::caller(),
    ))
}

/// A task on several inputs that can fail, with any error that converts into `Box<dyn Error + Send + Sync>`.
#[track_caller]
pub fn try_apply<I, T, E, F>(inputs: I, f: F) -> Delayed<T>
where
    I: Inputs,
    T: Send + Sync + 'static,
    E: Into<BoxError> + 'static,
    F: for<'a> Fn(I::Refs<'a>) -> Result<T, E> + Send + Sync + 'static,
{
    Delayed::of(Handle::task::<_, _, _, Fallible, F>(
        inputs.hold(),
        f,
        Location::caller(),
    ))
}

/// Computes one or several delayed values in one run, on all cores, and gives their values in the same shape.
///
/// [`Run`] has the settings.
/// ```
/// use delayed::{compute, delayed};
/// let field = delayed(|| vec![1.0, 2.0, 6.0]);
/// let (low, high) = (field.map(|f| f[0]), field.map(|f| f[2]));
/// assert_eq!(compute((&low, &high))?, (1.0, 6.0)); // `field` is made once
/// # Ok::<(), delayed::Error>(())
/// ```
/// # Errors
/// See [`Run::compute`].
pub fn compute<O: Outputs>(outputs: O) -> Result<O::Values> {
    Run::new().compute(outputs)
}

impl<T> Delayed<T> {
    pub(crate) fn of(handle: Handle) -> Self {
        Delayed {
            handle,
            value: PhantomData,
        }
    }

    /// The same task, when only the task is of interest.
    pub(crate) fn untyped(&self) -> Delayed<()> {
        Delayed::of(self.handle.clone())
    }

    #[inline]
    pub(crate) fn node(&self) -> &Node {
        self.handle.node()
    }

    /// Names the task in pictures, progress and errors; see [`Label`] for what a label can be made of.
    ///
    /// A task has one name, however many handles there are on it.
    pub fn named(self, label: impl Into<Label>) -> Self {
        self.node().head.notes().label = Some(label.into());
        self
    }

    /// Puts the task into a group: a cluster in pictures, a line in summaries.
    pub fn group(self, group: impl Into<Cow<'static, str>>) -> Self {
        self.node().head.notes().group = Some(group.into());
        self
    }

    /// The expected size of the value in bytes, for plans and memory limits.
    pub fn bytes(self, bytes: u64) -> Self {
        self.node().head.notes().bytes = Some(bytes);
        self
    }

    /// Of two branches that could go next, the one with the higher priority in it does; 0 if nothing is said.
    ///
    /// To be said before the task is used by others.
    pub fn priority(self, priority: i16) -> Self {
        self.node().prioritise(priority);
        self
    }

    /// The task's label.
    pub fn label(&self) -> Label {
        self.node().label()
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// A task on this value; the closure sees `&T`.
    #[track_caller]
    pub fn map<U, F>(&self, f: F) -> Delayed<U>
    where
        U: Send + Sync + 'static,
        F: for<'a> Fn(&'a T) -> U + Send + Sync + 'static,
    {
        apply(self, f)
    }

    /// A task on this value that can fail.
    #[track_caller]
    pub fn try_map<U, E, F>(&self, f: F) -> Delayed<U>
    where
        U: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: for<'a> Fn(&'a T) -> Result<U, E> + Send + Sync + 'static,
    {
        try_apply(self, f)
    }

    /// A task that takes this value over: moved if it is the last one that needs it, cloned otherwise (see [`own`]).
    #[track_caller]
    pub fn map_owned<U, F>(&self, f: F) -> Delayed<U>
    where
        T: Clone,
        U: Send + Sync + 'static,
        F: Fn(T) -> U + Send + Sync + 'static,
    {
        apply(own(self), f)
    }

    /// A task that clones this value.
    #[track_caller]
    pub fn cloned(&self) -> Delayed<T>
    where
        T: Clone,
    {
        self.map(T::clone)
    }

    /// Computes this value on all cores.
    ///
    /// # Errors
    /// See [`Run::compute`].
    pub fn compute(&self) -> Result<T> {
        Run::new().compute(self)
    }
}

impl<T> Clone for Delayed<T> {
    fn clone(&self) -> Self {
        Delayed {
            handle: self.handle.clone(),
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Delayed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Delayed<{}>({})",
            std::any::type_name::<T>(),
            self.label()
        )
    }
}
