//! [`Delayed<T>`]: a value that will exist once its task has run; and the functions that make them.

use std::{
    borrow::Cow,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    panic::Location,
    sync::Arc,
};

use crate::{
    audited::handle::Handle,
    error::{BoxError, Result},
    inputs::{Inputs, own},
    key::Label,
    nest::FlattenId,
    outputs::Outputs,
    run::Run,
    task::{Fallible, Node, Pure, Sure, constant, task},
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
/// The closure is an `Fn`, so that a graph can be computed again and a task tried again: what it captured it cannot give away but as a
/// clone. What is there already, and needs no work, is a [`value`](value()).
/// ```
/// use delayed::delayed;
/// let names = vec!["low", "high"];
/// let list = delayed(move || names.join(", "));
/// assert_eq!(list.compute()?, "low, high");
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn delayed<T, F>(f: F) -> Delayed<T>
where
    T: Send + Sync + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    Delayed::of(task::<_, _, _, Sure, F, _>(
        (),
        move |()| f(),
        (),
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
    Delayed::of(task::<_, _, _, Fallible, F, _>(
        (),
        move |()| f(),
        (),
        Location::caller(),
    ))
}

/// A value that is already there.
///
/// It is kept in the graph, borrowed by tasks, and cloned only for a caller who asks for it as an output. A type that cannot be
/// cloned goes into an `Arc` first.
/// ```
/// use delayed::{apply, delayed, value};
/// let scale = value(10);
/// let tens: Vec<_> = (1..4).map(|i| apply((&delayed(move || i), &scale), |(i, scale)| i * scale)).collect();
/// assert_eq!(delayed::compute(tens)?, [10, 20, 30]);
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn value<T: Clone + Send + Sync + 'static>(value: T) -> Delayed<T> {
    Delayed::of(constant(value, Location::caller()))
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
    Delayed::of(task::<_, _, _, Sure, F, _>(
        inputs.hold(),
        f,
        (),
        Location::caller(),
    ))
}

/// A task on several inputs that can fail, with any error that converts into `Box<dyn Error + Send + Sync>`.
/// ```
/// use delayed::{delayed, try_apply};
/// let (text, base) = (delayed(|| "ff"), delayed(|| 16));
/// assert_eq!(try_apply((&text, &base), |(text, base)| u8::from_str_radix(text, *base)).compute()?, 255);
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn try_apply<I, T, E, F>(inputs: I, f: F) -> Delayed<T>
where
    I: Inputs,
    T: Send + Sync + 'static,
    E: Into<BoxError> + 'static,
    F: for<'a> Fn(I::Refs<'a>) -> Result<T, E> + Send + Sync + 'static,
{
    Delayed::of(task::<_, _, _, Fallible, F, _>(
        inputs.hold(),
        f,
        (),
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
    /// ```
    /// use delayed::{Graph, delayed};
    /// let parts: Vec<_> = (0..2).map(|i| delayed(move || i).named(("read", i))).collect();
    /// let graph = Graph::of(&parts);
    /// assert!(graph.find("read 0").is_some() && graph.find("read 1").is_some());
    /// ```
    pub fn named(self, label: impl Into<Label>) -> Self {
        self.node().notes().label = Some(label.into());
        self
    }

    /// Names the task by a key that it alone may have: a graph in which another task has the same name is refused.
    ///
    /// A [name](Self::named) may be given to any number of tasks; their keys are then numbered.
    /// ```
    /// use delayed::{Error, delayed};
    /// let (one, two) = (delayed(|| 1).keyed("k"), delayed(|| 2).keyed("k"));
    /// assert_eq!(one.compute()?, 1);
    /// let error = delayed::compute((&one, &two)).unwrap_err();
    /// assert!(matches!(error, Error::RepeatedKey { .. }));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn keyed(self, key: impl Into<Label>) -> Self {
        {
            let mut notes = self.node().notes();
            notes.label = Some(key.into());
            notes.keyed = true;
        }
        self
    }

    /// Puts the task into a group: a cluster in pictures, a line in summaries.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let field = delayed(|| 1.0).named("read").group("input").map(|x| x * 2.0).named("double");
    /// assert!(Graph::of(&field).svg().to_string().contains(">input</text>"));
    /// ```
    pub fn group(self, group: impl Into<Cow<'static, str>>) -> Self {
        self.node().notes().group = Some(group.into());
        self
    }

    /// Which step of the work the task is, reading, say: [profiles](crate::Profile) sum up by group and step.
    /// ```
    /// use delayed::{Profile, Run, delayed};
    /// let profile = Profile::new();
    /// let field = delayed(|| 1.0).group("wind").step("read").map(|x| x * 2.0).group("wind").step("regrid");
    /// Run::new().observe(profile.clone()).compute(&field)?;
    /// let mut groups: Vec<_> = profile.report().unwrap().groups.into_iter().map(|share| share.name).collect();
    /// groups.sort();
    /// assert_eq!(groups, ["wind: read", "wind: regrid"]);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn step(self, step: impl Into<Cow<'static, str>>) -> Self {
        self.node().notes().step = Some(step.into());
        self
    }

    /// The expected size of the value in bytes, for plans and memory limits.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let field = delayed(|| vec![0.0_f64; 1000]).bytes(8000);
    /// assert_eq!(Graph::of(&field).explain().peak_bytes, 8000);
    /// ```
    pub fn bytes(self, bytes: u64) -> Self {
        self.node().notes().bytes = Some(bytes);
        self
    }

    /// Of two branches that could go next, the one with the higher priority in it does; 0 if nothing is said.
    ///
    /// To be said before the task is used by others.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let (a, b) = (delayed(|| 1).named("a"), delayed(|| 2).named("b").priority(1));
    /// let graph = Graph::of((&a, &b));
    /// assert_eq!(graph.order().map(|id| graph.key(id).to_string()).collect::<Vec<_>>(), ["b", "a"]);
    /// ```
    pub fn priority(self, priority: i16) -> Self {
        self.node().prioritise(priority);
        self
    }

    /// Tries the task again, up to `retries` times, when it fails or panics; the error is the last attempt's.
    /// ```
    /// use delayed::try_delayed;
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// static TRIES: AtomicUsize = AtomicUsize::new(0);
    /// let flaky = try_delayed(|| if TRIES.fetch_add(1, Relaxed) < 2 { Err("timed out") } else { Ok(7) });
    /// assert_eq!(flaky.retries(2).compute()?, 7);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn retries(self, retries: u32) -> Self {
        self.node().notes().retries = retries;
        self
    }

    /// Lets at most `at_once` of the tasks with the limit `name` run at the same time in one run.
    ///
    /// Those that have to wait hold no thread up. A task may have several limits; of tasks that name one limit with different numbers,
    /// the smallest number holds.
    ///
    /// ```
    /// let reads: Vec<_> = (0..9).map(|i| delayed::delayed(move || i).limit("netcdf", 1)).collect();
    /// assert_eq!(delayed::compute(&reads)?.len(), 9); // read one at a time, on as many threads as there are
    /// # Ok::<(), delayed::Error>(())
    /// ```
    /// # Panics
    /// If `at_once` is 0: the task could never run.
    #[track_caller]
    pub fn limit(self, name: impl Into<Cow<'static, str>>, at_once: usize) -> Self {
        let name = name.into();
        assert!(
            at_once > 0,
            "the limit {name:?} lets 0 tasks run at once, so this one never could: say 1 or more"
        );
        self.node().notes().rare().limits.push((name, at_once));
        self
    }

    /// The task's label.
    pub fn label(&self) -> Label {
        self.node().label()
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// A task on this value; the closure sees `&T`.
    /// ```
    /// let length = delayed::delayed(|| vec![1, 2, 3]).map(|v| v.len());
    /// assert_eq!(length.compute()?, 3);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn map<U, F>(&self, f: F) -> Delayed<U>
    where
        U: Send + Sync + 'static,
        F: for<'a> Fn(&'a T) -> U + Send + Sync + 'static,
    {
        apply(self, f)
    }

    /// A task on this value that can fail.
    /// ```
    /// let number = delayed::delayed(|| "7").try_map(|text| text.parse::<i32>());
    /// assert_eq!(number.compute()?, 7);
    /// # Ok::<(), delayed::Error>(())
    /// ```
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
    /// ```
    /// let sorted = delayed::delayed(|| vec![3, 1, 2]).map_owned(|mut v| { v.sort(); v }); // no copy is made
    /// assert_eq!(sorted.compute()?, [1, 2, 3]);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn map_owned<U, F>(&self, f: F) -> Delayed<U>
    where
        T: Clone,
        U: Send + Sync + 'static,
        F: Fn(T) -> U + Send + Sync + 'static,
    {
        apply(own(self), f)
    }

    /// A task that takes this value over and can fail.
    /// ```
    /// let text = delayed::delayed(|| vec![104, 105]).try_map_owned(String::from_utf8);
    /// assert_eq!(text.compute()?, "hi");
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn try_map_owned<U, E, F>(&self, f: F) -> Delayed<U>
    where
        T: Clone,
        U: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: Fn(T) -> Result<U, E> + Send + Sync + 'static,
    {
        try_apply(own(self), f)
    }

    /// A task that clones this value.
    /// ```
    /// let word = delayed::delayed(|| "twice".to_string());
    /// let (one, other) = delayed::compute((&word, word.cloned()))?; // a task's own value is moved out, so it can be had once
    /// assert_eq!(one, other);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn cloned(&self) -> Delayed<T>
    where
        T: Clone,
    {
        self.map(T::clone)
    }

    /// Says that the task always gives the same value for the same inputs, so that equal tasks run once.
    ///
    /// Two pure tasks are equal if they have the same function or closure, equal tokens and the same inputs (equal ones, if those are
    /// pure) in the same places. What a closure captures is not looked at, nor are the plain fields of a [`Shape`](crate::Shape): they belong
    /// into the token. So does a function that is handed on as a pointer (`fn(..)`), since all of one signature are of one type.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let read = |file: &'static str| delayed(move || file.len()).pure(file);
    /// let (a, again, b) = (read("a.nc"), read("a.nc"), read("bb.nc"));
    /// assert_eq!(Graph::of((&a, &again, &b)).tasks(), 2);
    /// assert_eq!(delayed::compute((&a, &again, &b))?, (4, 4, 5));
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn pure(self, token: impl Hash) -> Self
    where
        T: Clone,
    {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let clone: fn(&T) -> T = T::clone;
        let function = self.node().work.function();
        self.node().notes().rare().pure = Some(Pure {
            function,
            token: hasher.finish(),
            clone: Arc::new(clone),
        });
        self
    }

    /// Computes this value now and keeps it in the graph, so that what is built on it later does not compute it again.
    /// ```
    /// let field = delayed::delayed(|| vec![1.0, 2.0]).persist()?;
    /// assert_eq!(field.map(|f| f[0]).compute()?, 1.0); // nothing is read here
    /// assert_eq!(field.map(|f| f[1]).compute()?, 2.0);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    /// # Errors
    /// See [`Run::compute`].
    #[track_caller]
    pub fn persist(&self) -> Result<Delayed<T>>
    where
        T: Clone,
    {
        let label = self.label();
        let site = Location::caller();
        let kept = Delayed::of(constant(self.compute()?, site));
        Ok(kept.named(label))
    }

    /// Computes this value on all cores.
    ///
    /// # Errors
    /// See [`Run::compute`].
    pub fn compute(&self) -> Result<T> {
        Run::new().compute(self)
    }
}

impl<T: Send + Sync + 'static> Delayed<Delayed<T>> {
    /// The value of a graph that a task builds.
    ///
    /// The inner graph runs in a run of its own within a task, so its tasks cannot be drawn or ordered beforehand: for the rare case in
    /// which *what* to do depends on data. It stops when the outer run does. An inner graph that needs the flattened value itself fails
    /// with [`Error::Cycle`](crate::Error::Cycle).
    /// ```
    /// use delayed::{Delayed, apply, delayed};
    /// let count = delayed(|| 3);
    /// let total = count.map(|n| {
    ///     let parts: Vec<Delayed<u64>> = (0..*n).map(|i| delayed(move || i)).collect();
    ///     apply(parts, |parts| parts.into_iter().sum::<u64>())
    /// });
    /// assert_eq!(total.flatten().compute()?, 3);
    /// # Ok::<(), delayed::Error>(())
    /// ```
    #[track_caller]
    pub fn flatten(&self) -> Delayed<T> {
        let this = FlattenId::new();
        self.try_map(move |inner| {
            let _within = this.enter()?;
            inner.compute()
        })
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
