//! What a task may depend on: delayed values, nested in tuples, arrays, vectors, options and maps.
//!
//! [`Inputs`] is what a user hands over; [`Held`] is what the task keeps of it; [`Shape`] makes inputs of a user's own type.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::{BuildHasher, Hash},
};

use crate::{
    audited::values::{Fetch, Releases},
    delayed::Delayed,
    task::Node,
    tuples::each_tuple,
};

/// Delayed values in some shape; the task's function sees references in the same shape.
///
/// | inputs | what the function sees |
/// | --- | --- |
/// | `&Delayed<T>`, `Delayed<T>` | `&T` |
/// | `own(&delayed)` | `T`, see [`own`] |
/// | `()`, tuples of up to 12 inputs | a tuple |
/// | `[I; N]`, `Vec<I>`, `Option<I>` | the same of what each `I` gives |
/// | `BTreeMap<K, I>`, `HashMap<K, I>` | a map from `&K` |
/// | `&[I; N]`, `&[I]`, `&Vec<I>`, `&Option<I>`, `&` of a map | the same as without `&` (a slice gives a `Vec`) |
/// | a type of your own that is a [`Shape`] | what its `Refs` is |
///
/// They nest to any depth. A `HashMap` hides the order of its values: with a `BTreeMap` keys and order of execution are the same in every run.
/// ```
/// use delayed::{apply, delayed};
/// let parts: Vec<_> = (0..4).map(|i| delayed(move || vec![i; 3])).collect();
/// let scale = delayed(|| 10);
/// let sum = apply((&parts, &scale), |(parts, scale)| parts.iter().flat_map(|part| part.iter()).sum::<i32>() * scale);
/// assert_eq!(sum.compute()?, 180);
/// # Ok::<(), delayed::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the inputs of a task: something in it is not delayed",
    label = "neither a delayed value nor a collection of nothing else",
    note = "what is there already is captured by the closure (`move |x| x * scale`) or made delayed with `delayed::value(..)`",
    note = "a type of your own with delayed values in it implements `delayed::Shape`"
)]
pub trait Inputs {
    /// What the function sees.
    type Refs<'a>;
    /// What the task keeps.
    #[doc(hidden)]
    type Held: for<'a> Held<Refs<'a> = Self::Refs<'a>>;
    /// Turns borrowed delayed values into owned ones.
    #[doc(hidden)]
    fn hold(self) -> Self::Held;
}

/// Inputs as a task keeps them. `each`, `refs` and `release` visit the delayed values in one and the same order.
pub trait Held: Send + Sync + 'static {
    /// What the function sees.
    type Refs<'a>;
    /// Shows the nodes.
    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node));
    /// Reads the values.
    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a>;
    /// Gives up the values.
    fn release(&self, release: &mut Releases<'_>);
}

impl<T: Send + Sync + 'static> Held for Delayed<T> {
    type Refs<'a> = &'a T;

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        see(self.node());
    }

    #[inline]
    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> &'a T {
        fetch.borrow()
    }

    #[inline]
    fn release(&self, release: &mut Releases<'_>) {
        release.next::<T>();
    }
}

impl<T: Send + Sync + 'static> Inputs for Delayed<T> {
    type Refs<'a> = &'a T;
    type Held = Self;

    fn hold(self) -> Self {
        self
    }
}

impl<T: Send + Sync + 'static> Inputs for &Delayed<T> {
    type Refs<'a> = &'a T;
    type Held = Delayed<T>;

    fn hold(self) -> Delayed<T> {
        self.clone()
    }
}

/// An input that the task takes by value; made by [`own`].
#[derive(Debug)]
pub struct Owned<T>(Delayed<T>);

/// Makes an input that the function gets as `T`: moved if this task is the last one that needs it, cloned otherwise.
///
/// Which of the two happens depends on the rest of the graph and on timing; the values are the same.
/// ```
/// use delayed::{apply, delayed, own};
/// let big = delayed(|| vec![1.0; 1000]);
/// let shift = delayed(|| 0.5);
/// let moved = apply((own(&big), &shift), |(mut big, shift)| {
///     big.iter_mut().for_each(|x| *x += shift);
///     big
/// });
/// assert_eq!(moved.compute()?[0], 1.5);
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn own<T: Clone + Send + Sync + 'static>(delayed: &Delayed<T>) -> Owned<T> {
    Owned(delayed.clone())
}

impl<T: Clone + Send + Sync + 'static> Held for Owned<T> {
    type Refs<'a> = T;

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        see(self.0.node());
    }

    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> T {
        fetch.own()
    }

    fn release(&self, release: &mut Releases<'_>) {
        release.next::<T>();
    }
}

impl<T: Clone + Send + Sync + 'static> Inputs for Owned<T> {
    type Refs<'a> = T;
    type Held = Self;

    fn hold(self) -> Self {
        self
    }
}

/// A type of your own, with delayed values in it, as the inputs of a task.
///
/// Say which delayed parts it has, and what the task's function is to see; plain fields can be seen too.
/// ```
/// use delayed::{Delayed, Shape, apply, delayed};
///
/// #[derive(Clone)]
/// struct Case {
///     field: Delayed<Vec<f64>>,
///     scale: Delayed<f64>,
///     name: String,
/// }
/// struct CaseRefs<'a> {
///     field: &'a [f64],
///     scale: f64,
///     name: &'a str,
/// }
/// impl Shape for Case {
///     type Parts = (Delayed<Vec<f64>>, Delayed<f64>);
///     type Refs<'a> = CaseRefs<'a>;
///     fn parts(&self) -> Self::Parts {
///         (self.field.clone(), self.scale.clone())
///     }
///     fn see<'a>(&'a self, (field, scale): (&'a Vec<f64>, &'a f64)) -> CaseRefs<'a> {
///         CaseRefs { field, scale: *scale, name: &self.name }
///     }
/// }
///
/// let case = Case { field: delayed(|| vec![1.0, 2.0]), scale: delayed(|| 10.0), name: "a".into() };
/// let sum = apply(case.clone(), |case| case.field.iter().sum::<f64>() * case.scale);
/// let name = apply(case.clone(), |case| format!("{} of {} cells", case.name, case.field.len()));
/// let both = apply((vec![case.clone(), case], &sum), |(cases, sum)| cases.len() as f64 + sum); // nested like all others
/// assert_eq!(delayed::compute((&both, &name))?, (32.0, "a of 2 cells".into()));
/// # Ok::<(), delayed::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the inputs of a task: something in it is not delayed",
    label = "neither a delayed value nor a collection of nothing else",
    note = "what is there already is captured by the closure (`move |x| x * scale`) or made delayed with `delayed::value(..)`",
    note = "a type of your own with delayed values in it implements `delayed::Shape`"
)]
pub trait Shape: Sized + Send + Sync + 'static {
    /// The delayed values in it, in a shape that is known already.
    type Parts: Inputs;
    /// What the function sees.
    type Refs<'a>;
    /// Lists the parts.
    fn parts(&self) -> Self::Parts;
    /// Puts what the function sees together from what it would see of the parts.
    fn see<'a>(&'a self, parts: <Self::Parts as Inputs>::Refs<'a>) -> Self::Refs<'a>;
}

impl<S: Shape> Inputs for S {
    type Refs<'a> = S::Refs<'a>;
    type Held = Shaped<S>;

    fn hold(self) -> Shaped<S> {
        Shaped {
            parts: self.parts().hold(),
            whole: self,
        }
    }
}

/// What a task keeps of a [`Shape`].
pub struct Shaped<S: Shape> {
    parts: <S::Parts as Inputs>::Held,
    whole: S,
}

impl<S: Shape> fmt::Debug for Shaped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shaped")
    }
}

impl<S: Shape> Held for Shaped<S> {
    type Refs<'a> = S::Refs<'a>;

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        self.parts.each(see);
    }

    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
        self.whole.see(self.parts.refs(fetch))
    }

    fn release(&self, release: &mut Releases<'_>) {
        self.parts.release(release);
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Held),*> Held for ($($name,)*) {
            type Refs<'a> = ($($name::Refs<'a>,)*);
            fn each<'g>(&'g self, _see: &mut impl FnMut(&'g Node)) {
                $(self.$place.each(_see);)*
            }
            #[inline]
            #[allow(clippy::unused_unit, reason = "the empty tuple is one of them")]
            fn refs<'a>(&'a self, _fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
                ($(self.$place.refs(_fetch),)*)
            }
            #[inline]
            fn release(&self, _release: &mut Releases<'_>) {
                $(self.$place.release(_release);)*
            }
        }
        impl<$($name: Inputs),*> Inputs for ($($name,)*) {
            type Refs<'a> = ($($name::Refs<'a>,)*);
            type Held = ($($name::Held,)*);
            #[allow(clippy::unused_unit, reason = "the empty tuple is one of them")]
            fn hold(self) -> Self::Held {
                ($(self.$place.hold(),)*)
            }
        }
    };
}
tuples!();
tuples!(A 0);
each_tuple!(tuples);

impl<H: Held, const N: usize> Held for [H; N] {
    type Refs<'a> = [H::Refs<'a>; N];

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        self.iter().for_each(|input| input.each(see));
    }

    #[inline]
    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
        self.each_ref().map(|input| input.refs(fetch))
    }

    #[inline]
    fn release(&self, release: &mut Releases<'_>) {
        self.iter().for_each(|input| input.release(release));
    }
}

impl<I: Inputs, const N: usize> Inputs for [I; N] {
    type Refs<'a> = [I::Refs<'a>; N];
    type Held = [I::Held; N];

    fn hold(self) -> Self::Held {
        self.map(I::hold)
    }
}

impl<'x, I, const N: usize> Inputs for &'x [I; N]
where
    &'x I: Inputs,
{
    type Refs<'a> = [<&'x I as Inputs>::Refs<'a>; N];
    type Held = [<&'x I as Inputs>::Held; N];

    fn hold(self) -> Self::Held {
        self.each_ref().map(Inputs::hold)
    }
}

/// A boxed slice, since a task's inputs never grow.
impl<H: Held> Held for Box<[H]> {
    type Refs<'a> = Vec<H::Refs<'a>>;

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        self.iter().for_each(|input| input.each(see));
    }

    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
        self.iter().map(|input| input.refs(fetch)).collect()
    }

    fn release(&self, release: &mut Releases<'_>) {
        self.iter().for_each(|input| input.release(release));
    }
}

impl<I: Inputs> Inputs for Vec<I> {
    type Refs<'a> = Vec<I::Refs<'a>>;
    type Held = Box<[I::Held]>;

    fn hold(self) -> Self::Held {
        self.into_iter().map(I::hold).collect()
    }
}

impl<'x, I> Inputs for &'x [I]
where
    &'x I: Inputs,
{
    type Refs<'a> = Vec<<&'x I as Inputs>::Refs<'a>>;
    type Held = Box<[<&'x I as Inputs>::Held]>;

    fn hold(self) -> Self::Held {
        self.iter().map(Inputs::hold).collect()
    }
}

impl<'x, I> Inputs for &'x Vec<I>
where
    &'x I: Inputs,
{
    type Refs<'a> = Vec<<&'x I as Inputs>::Refs<'a>>;
    type Held = Box<[<&'x I as Inputs>::Held]>;

    fn hold(self) -> Self::Held {
        self.as_slice().hold()
    }
}

impl<H: Held> Held for Option<H> {
    type Refs<'a> = Option<H::Refs<'a>>;

    fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
        self.iter().for_each(|input| input.each(see));
    }

    fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
        self.as_ref().map(|input| input.refs(fetch))
    }

    fn release(&self, release: &mut Releases<'_>) {
        self.iter().for_each(|input| input.release(release));
    }
}

impl<I: Inputs> Inputs for Option<I> {
    type Refs<'a> = Option<I::Refs<'a>>;
    type Held = Option<I::Held>;

    fn hold(self) -> Self::Held {
        self.map(I::hold)
    }
}

impl<'x, I> Inputs for &'x Option<I>
where
    &'x I: Inputs,
{
    type Refs<'a> = Option<<&'x I as Inputs>::Refs<'a>>;
    type Held = Option<<&'x I as Inputs>::Held>;

    fn hold(self) -> Self::Held {
        self.as_ref().map(Inputs::hold)
    }
}

macro_rules! maps {
    ($map:ident, [$($key:tt)+] $(, $state:ident)?) => {
        impl<Key: $($key)+ + Send + Sync + 'static, Value: Held $(, $state: BuildHasher + Default + Send + Sync + 'static)?> Held
            for $map<Key, Value $(, $state)?>
        {
            type Refs<'a> = $map<&'a Key, Value::Refs<'a> $(, $state)?>;

            fn each<'g>(&'g self, see: &mut impl FnMut(&'g Node)) {
                self.values().for_each(|input| input.each(see));
            }

            fn refs<'a>(&'a self, fetch: &mut Fetch<'a>) -> Self::Refs<'a> {
                self.iter().map(|(key, input)| (key, input.refs(fetch))).collect()
            }

            fn release(&self, release: &mut Releases<'_>) {
                self.values().for_each(|input| input.release(release));
            }
        }

        impl<Key: $($key)+ + Send + Sync + 'static, Value: Inputs $(, $state: BuildHasher + Default + Send + Sync + 'static)?> Inputs
            for $map<Key, Value $(, $state)?>
        {
            type Refs<'a> = $map<&'a Key, Value::Refs<'a> $(, $state)?>;
            type Held = $map<Key, Value::Held $(, $state)?>;

            fn hold(self) -> Self::Held {
                self.into_iter().map(|(key, input)| (key, input.hold())).collect()
            }
        }

        /// The task keeps copies of the keys.
        impl<'x, Key: $($key)+ + Clone + Send + Sync + 'static, Value $(, $state: BuildHasher + Default + Send + Sync + 'static)?> Inputs
            for &'x $map<Key, Value $(, $state)?>
        where
            &'x Value: Inputs,
        {
            type Refs<'a> = $map<&'a Key, <&'x Value as Inputs>::Refs<'a> $(, $state)?>;
            type Held = $map<Key, <&'x Value as Inputs>::Held $(, $state)?>;

            fn hold(self) -> Self::Held {
                self.iter().map(|(key, input)| (key.clone(), input.hold())).collect()
            }
        }
    };
}
maps!(BTreeMap, [Ord]);
maps!(HashMap, [Eq + Hash], State);
