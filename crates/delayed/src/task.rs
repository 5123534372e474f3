//! A task as the graph holds it: its inputs and its function in one allocation, with their types erased.
//!
//! A [`Handle`] owns a task and, through the task's own inputs, everything the task depends on.

use std::{
    any::{Any, TypeId, type_name},
    borrow::Cow,
    fmt,
    marker::PhantomData,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicI16, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use once_cell::race::OnceBox;
use parking_lot::{Mutex, MutexGuard};

use crate::{
    audited::{
        handle::{Handle, Handles},
        values::{Call, Known},
    },
    error::BoxError,
    inputs::Held,
    key::Label,
    priority::Weight,
    series::Said,
};

/// One task, or one known value, of a graph.
pub struct Node<W: ?Sized = dyn Work> {
    pub(crate) head: Head,
    pub(crate) work: W,
}

/// What a node does; its types are erased.
pub trait Work: Send + Sync {
    /// The label for a node that was given none.
    fn default_label(&self, site: &'static Location<'static>) -> Label;
    /// What is said of all tasks of its series, and which of them it is.
    fn series(&self) -> Option<(&Said, usize)> {
        None
    }
    /// The type of the user's function.
    fn function(&self) -> TypeId;
    /// The names of that type and of the value's.
    fn names(&self) -> [&'static str; 2];
    /// Lists the inputs in the order in which the task reads them.
    fn inputs<'g>(&'g self, into: &mut Vec<&'g Node>);
    /// The inputs in their shape.
    fn held(&self) -> &dyn Any;
    /// Whether other inputs stand in the same places of the same shape.
    fn holds_like(&self, held: &dyn Any) -> bool;
    /// The value, if it is there without running anything.
    fn known(&self) -> Option<&Known> {
        None
    }
    /// A copy of the known value for a caller who wants to own it.
    fn clone_known(&self) -> Option<Box<Known>> {
        None
    }
    /// Reads the inputs, runs the function, stores the value and gives up the inputs.
    ///
    /// # Errors
    /// What the user's function returned; then the inputs are still held.
    fn run(&self, call: &Call<'_>) -> Result<(), BoxError>;
    /// Gives up the inputs of a task that failed or will not run.
    fn release(&self, call: &Call<'_>);
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.label())
    }
}

impl Node {
    /// Sets the priority of the task itself; its sub-tree's is the highest in it.
    pub(crate) fn prioritise(&self, priority: i16) {
        let mut inputs = Vec::new();
        self.work.inputs(&mut inputs);
        let below = inputs
            .into_iter()
            .map(|input| input.head.weight().urgency)
            .max();
        self.head
            .urgency
            .store(below.map_or(priority, |below| below.max(priority)), Relaxed);
        self.notes().priority = priority;
    }

    pub(crate) fn label(&self) -> Label {
        let default = || self.work.default_label(self.head.site);
        self.given_label().unwrap_or_else(default)
    }

    /// The label that the user gave the task, or its whole series.
    pub(crate) fn given_label(&self) -> Option<Label> {
        let given = self.with_notes(|notes| notes.label.clone()).flatten();
        given.or_else(|| self.work.series().map(|(said, n)| said.label(n)))
    }

    /// What the user said of the task, to be changed; what was said of its series holds until then.
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        let first = || {
            let in_series = self.work.series().map(|(said, _)| said.notes.clone());
            Box::new(Mutex::new(in_series.unwrap_or_default()))
        };
        self.head.notes.get_or_init(first).lock()
    }

    /// What the user said of the task, or of its series, if anything.
    pub(crate) fn with_notes<R>(&self, read: impl FnOnce(&Notes) -> R) -> Option<R> {
        match self.head.notes.get() {
            Some(notes) => Some(read(&notes.lock())),
            None if self.head.in_series => self.work.series().map(|(said, _)| read(&said.notes)),
            None => None,
        }
    }
}

/// What every node has: where it was built, what it weighs, what the user said of it, and a mark for the walk that numbers nodes.
pub(crate) struct Head {
    pub(crate) site: &'static Location<'static>,
    pub(crate) mark: Mark,
    /// How many handles there are on the node.
    pub(crate) handles: Handles,
    weight: f32,
    urgency: AtomicI16,
    /// Whether the value is there without running anything.
    pub(crate) known: bool,
    /// Whether the work knows of what series it is.
    in_series: bool,
    /// Most tasks have no notes of their own; they cost a task nothing then.
    notes: OnceBox<Mutex<Notes>>,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({})", self.site)
    }
}

impl Head {
    fn new(site: &'static Location<'static>, [known, in_series]: [bool; 2], below: Weight) -> Self {
        Head {
            site,
            mark: Mark::default(),
            handles: Handles::one(),
            weight: below.tasks + if known { 0.0 } else { 1.0 },
            urgency: AtomicI16::new(below.urgency.max(0)),
            known,
            in_series,
            notes: OnceBox::new(),
        }
    }

    /// What the sub-tree of this node weighs.
    #[inline]
    pub(crate) fn weight(&self) -> Weight {
        Weight {
            urgency: self.urgency.load(Relaxed),
            tasks: self.weight,
        }
    }
}

/// What a user may say of a task.
#[derive(Debug, Default, Clone)]
pub(crate) struct Notes {
    pub(crate) label: Option<Label>,
    /// The label is the task's key, and nobody else's.
    pub(crate) keyed: bool,
    pub(crate) priority: i16,
    pub(crate) retries: u32,
    pub(crate) group: Option<Cow<'static, str>>,
    pub(crate) step: Option<Cow<'static, str>>,
    pub(crate) bytes: Option<u64>,
    /// What is said of few tasks, so that it takes no room in the others.
    rare: Option<Box<Rare>>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Rare {
    /// Named limits: how many of the tasks that have one may run at once.
    pub(crate) limits: Vec<(Cow<'static, str>, usize)>,
    pub(crate) pure: Option<Pure>,
}

impl Notes {
    /// Whether a run has to look at the notes before it runs the task.
    pub(crate) fn steer(&self) -> bool {
        self.retries > 0 || !self.limits().is_empty()
    }

    pub(crate) fn limits(&self) -> &[(Cow<'static, str>, usize)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.limits)
    }

    pub(crate) fn pure(&self) -> Option<&Pure> {
        self.rare.as_ref()?.pure.as_ref()
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// What makes two pure tasks on the same inputs one task.
#[derive(Debug, Clone)]
pub(crate) struct Pure {
    pub(crate) function: TypeId,
    pub(crate) token: u64,
    /// A `fn(&T) -> T`, for an output that was asked for under two handles.
    pub(crate) clone: Arc<Known>,
}

/// The number a walk has given to a node: valid only for the walk that wrote it.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    walk: AtomicU64,
    number: AtomicU32,
}

impl Mark {
    pub(crate) fn number(&self, walk: u64) -> Option<u32> {
        (self.walk.load(Relaxed) == walk).then(|| self.number.load(Relaxed))
    }

    pub(crate) fn set(&self, walk: u64, number: u32) {
        self.number.store(number, Relaxed);
        self.walk.store(walk, Relaxed);
    }
}

/// Whether a task's function can fail.
pub(crate) trait Mode<R>: 'static {
    type Value: Send + Sync + 'static;
    fn value(returned: R) -> Result<Self::Value, BoxError>;
}

/// The function returns the value.
pub(crate) struct Sure;

impl<T: Send + Sync + 'static> Mode<T> for Sure {
    type Value = T;
    #[inline]
    fn value(returned: T) -> Result<T, BoxError> {
        Ok(returned)
    }
}

/// The function returns a `Result` of the value.
pub(crate) struct Fallible;

impl<T: Send + Sync + 'static, E: Into<BoxError>> Mode<Result<T, E>> for Fallible {
    type Value = T;
    #[inline]
    fn value(returned: Result<T, E>) -> Result<T, BoxError> {
        returned.map_err(Into::into)
    }
}

/// Whether a task is one of a series.
pub(crate) trait InSeries: Send + Sync + 'static {
    fn series(&self) -> Option<(&Said, usize)>;
}

/// It is not.
impl InSeries for () {
    fn series(&self) -> Option<(&Said, usize)> {
        None
    }
}

/// Its series, and which one it is.
impl InSeries for (Arc<Said>, usize) {
    fn series(&self) -> Option<(&Said, usize)> {
        Some((&self.0, self.1))
    }
}

/// A function and its inputs; `N` is the type that names it.
struct Task<H, F, R, M, N, K> {
    inputs: H,
    function: F,
    series: K,
    types: PhantomData<fn(M, N) -> R>,
}

impl<H, F, R, M, N, K> Work for Task<H, F, R, M, N, K>
where
    K: InSeries,
    H: Held,
    F: for<'a> Fn(H::Refs<'a>) -> R + Send + Sync + 'static,
    M: Mode<R>,
    N: 'static,
{
    fn series(&self) -> Option<(&Said, usize)> {
        self.series.series()
    }

    fn function(&self) -> TypeId {
        TypeId::of::<N>()
    }

    fn names(&self) -> [&'static str; 2] {
        [type_name::<N>(), type_name::<M::Value>()]
    }

    fn default_label(&self, site: &'static Location<'static>) -> Label {
        Label::function(type_name::<N>(), site)
    }

    fn inputs<'g>(&'g self, into: &mut Vec<&'g Node>) {
        self.inputs.each(&mut |node| into.push(node));
    }

    fn held(&self) -> &dyn Any {
        &self.inputs
    }

    fn holds_like(&self, held: &dyn Any) -> bool {
        held.downcast_ref()
            .is_some_and(|held| self.inputs.is_like(held))
    }

    fn run(&self, call: &Call<'_>) -> Result<(), BoxError> {
        let returned = (self.function)(self.inputs.refs(&mut call.inputs()));
        call.put(M::value(returned)?);
        self.inputs.release(&mut call.release());
        Ok(())
    }

    fn release(&self, call: &Call<'_>) {
        self.inputs.release(&mut call.release());
    }
}

/// A value that was there before the run.
struct Constant<T>(T);

impl<T: Clone + Send + Sync + 'static> Work for Constant<T> {
    fn function(&self) -> TypeId {
        TypeId::of::<Self>()
    }

    fn names(&self) -> [&'static str; 2] {
        ["", type_name::<T>()]
    }

    fn default_label(&self, _: &'static Location<'static>) -> Label {
        Label::from("value")
    }

    fn inputs<'g>(&'g self, _: &mut Vec<&'g Node>) {}

    fn held(&self) -> &dyn Any {
        &()
    }

    fn holds_like(&self, _: &dyn Any) -> bool {
        false
    }

    fn known(&self) -> Option<&Known> {
        Some(&self.0)
    }

    fn clone_known(&self) -> Option<Box<Known>> {
        Some(Box::new(self.0.clone()))
    }

    fn run(&self, _: &Call<'_>) -> Result<(), BoxError> {
        unreachable!("a known value is not a task of any run")
    }

    fn release(&self, _: &Call<'_>) {}
}

/// A handle on a new task.
pub(crate) fn task<H, F, R, M, N, K: InSeries>(
    inputs: H,
    function: F,
    series: K,
    site: &'static Location<'static>,
) -> Handle
where
    H: Held,
    F: for<'a> Fn(H::Refs<'a>) -> R + Send + Sync + 'static,
    R: 'static,
    M: Mode<R>,
    N: 'static,
{
    let mut below = Weight::NOTHING;
    inputs.each(&mut |node| below = below.and(node.head.weight()));
    let in_series = series.series().is_some();
    let work = Task::<H, F, R, M, N, K> {
        inputs,
        function,
        series,
        types: PhantomData,
    };
    Handle::new(Node {
        head: Head::new(site, [false, in_series], below),
        work,
    })
}

/// A handle on a value that is already there.
pub(crate) fn constant<T: Clone + Send + Sync + 'static>(
    value: T,
    site: &'static Location<'static>,
) -> Handle {
    Handle::new(Node {
        head: Head::new(site, [true, false], Weight::NOTHING),
        work: Constant(value),
    })
}
