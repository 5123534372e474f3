//! What a caller may ask for: delayed values in some shape, whose values come back in the same shape.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::{BuildHasher, Hash},
};

use crate::{
    audited::values::{Entry, KNOWN, clone_output, take_output},
    delayed::Delayed,
    task::Node,
    tuples::each_tuple,
};

/// Delayed values in some shape; computing them gives their values in the same shape.
///
/// The shapes are those of [`Inputs`](crate::Inputs): `&Delayed<T>` and `Delayed<T>` give `T`; tuples of up to 12, arrays, `Vec`, slices,
/// `Option` and maps of outputs, nested to any depth, give the same of values.
///
/// A task's value is moved out of the run, so a task can be asked for only once in a run
/// ([`Error::AskedTwice`](crate::Error::AskedTwice)); [`Delayed::cloned`] makes a second one. Known values
/// ([`value`](crate::value())) and [pure](Delayed::pure) tasks are cloned and can be asked for any number of times.
/// ```
/// use delayed::{compute, delayed};
/// let parts: Vec<_> = (0..3).map(|i| delayed(move || i * i)).collect();
/// let name = delayed(|| "squares".to_string());
/// let (name, parts) = compute((&name, &parts))?;
/// assert_eq!((name.as_str(), parts), ("squares", vec![0, 1, 4]));
/// # Ok::<(), delayed::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be computed: something in it is not delayed",
    label = "neither a delayed value nor a collection of nothing else",
    note = "outputs are `&Delayed<T>` or `Delayed<T>`, and tuples, arrays, `Vec`, slices, `Option` and maps of outputs"
)]
pub trait Outputs {
    /// What comes back.
    type Values;
    /// What comes back of a run in which tasks failed ([`Run::salvage`](crate::Run::salvage)): an `Option` in each place.
    type Salvaged;
    /// Lists the nodes.
    #[doc(hidden)]
    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>);
    /// Moves the values out of a run, in the order in which `nodes` lists them.
    #[doc(hidden)]
    fn values(&self, take: &mut Take<'_, '_>) -> Self::Values;
    /// As `values`, for outputs some of which may be lost.
    #[doc(hidden)]
    fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged;
}

/// Hands out the values of a run that is over, one after another.
pub struct Take<'r, 'g> {
    pub(crate) entries: &'r mut [Entry<'g>],
    pub(crate) known: &'r [&'g Node],
    pub(crate) outputs: std::slice::Iter<'r, u32>,
    /// Tasks that are asked for more than once, and how often they still are.
    pub(crate) repeated: HashMap<u32, usize>,
    /// Which tasks have no value; none if it is empty.
    pub(crate) lost: &'r [bool],
}

impl fmt::Debug for Take<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take")
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl Take<'_, '_> {
    fn next_unless_lost<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        let output = *self.outputs.as_slice().first()?;
        if output & KNOWN == 0 && self.lost.get(output as usize) == Some(&true) {
            self.outputs.next();
            return None;
        }
        Some(self.next())
    }

    fn next<T: Send + Sync + 'static>(&mut self) -> T {
        let output = *self.outputs.next().expect("as many values as outputs");
        if output & KNOWN == 0 {
            match self.repeated.get_mut(&output) {
                Some(left) if *left > 1 => *left -= 1,
                _ => return take_output(self.entries, output),
            }
            let clone = self.entries[output as usize]
                .node
                .with_notes(|notes| notes.pure().cloned())
                .flatten();
            let clone = clone.expect("only pure tasks are merged").clone;
            let clone: &fn(&T) -> T = clone
                .downcast_ref()
                .expect("a clone function of the task's type");
            return clone_output(self.entries, output, *clone);
        }
        let copy = self.known[(output & !KNOWN) as usize]
            .work
            .clone_known()
            .expect("a known value can be cloned");
        *copy
            .downcast()
            .expect("a known value has its handle's type")
    }
}

impl<T: Send + Sync + 'static> Outputs for Delayed<T> {
    type Values = T;
    type Salvaged = Option<T>;

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        into.push(self.node());
    }

    fn values(&self, take: &mut Take<'_, '_>) -> T {
        take.next()
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> Option<T> {
        take.next_unless_lost()
    }
}

impl<O: Outputs + ?Sized> Outputs for &O {
    type Values = O::Values;
    type Salvaged = O::Salvaged;

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        (**self).nodes(into);
    }

    fn values(&self, take: &mut Take<'_, '_>) -> O::Values {
        (**self).values(take)
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> O::Salvaged {
        (**self).salvage(take)
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Outputs),*> Outputs for ($($name,)*) {
            type Values = ($($name::Values,)*);
            type Salvaged = ($($name::Salvaged,)*);
            fn nodes<'g>(&'g self, _into: &mut Vec<&'g Node>) {
                $(self.$place.nodes(_into);)*
            }
            #[allow(clippy::unused_unit, reason = "the empty tuple is one of them")]
            fn values(&self, _take: &mut Take<'_, '_>) -> Self::Values {
                ($(self.$place.values(_take),)*)
            }
            #[allow(clippy::unused_unit, reason = "the empty tuple is one of them")]
            fn salvage(&self, _take: &mut Take<'_, '_>) -> Self::Salvaged {
                ($(self.$place.salvage(_take),)*)
            }
        }
    };
}
tuples!();
tuples!(A 0);
each_tuple!(tuples);

impl<O: Outputs, const N: usize> Outputs for [O; N] {
    type Values = [O::Values; N];
    type Salvaged = [O::Salvaged; N];

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        self.iter().for_each(|output| output.nodes(into));
    }

    fn values(&self, take: &mut Take<'_, '_>) -> Self::Values {
        self.each_ref().map(|output| output.values(take))
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged {
        self.each_ref().map(|output| output.salvage(take))
    }
}

impl<O: Outputs> Outputs for [O] {
    type Values = Vec<O::Values>;
    type Salvaged = Vec<O::Salvaged>;

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        self.iter().for_each(|output| output.nodes(into));
    }

    fn values(&self, take: &mut Take<'_, '_>) -> Self::Values {
        self.iter().map(|output| output.values(take)).collect()
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged {
        self.iter().map(|output| output.salvage(take)).collect()
    }
}

impl<O: Outputs> Outputs for Vec<O> {
    type Values = Vec<O::Values>;
    type Salvaged = Vec<O::Salvaged>;

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        self.as_slice().nodes(into);
    }

    fn values(&self, take: &mut Take<'_, '_>) -> Self::Values {
        self.as_slice().values(take)
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged {
        self.as_slice().salvage(take)
    }
}

impl<O: Outputs> Outputs for Option<O> {
    type Values = Option<O::Values>;
    type Salvaged = Option<O::Salvaged>;

    fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
        self.iter().for_each(|output| output.nodes(into));
    }

    fn values(&self, take: &mut Take<'_, '_>) -> Self::Values {
        self.as_ref().map(|output| output.values(take))
    }

    fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged {
        self.as_ref().map(|output| output.salvage(take))
    }
}

macro_rules! maps {
    ($map:ident, [$($key:tt)+] $(, $state:ident)?) => {
        impl<Key: $($key)+ + Clone, Value: Outputs $(, $state: BuildHasher + Default)?> Outputs
            for $map<Key, Value $(, $state)?>
        {
            type Values = $map<Key, Value::Values $(, $state)?>;
            type Salvaged = $map<Key, Value::Salvaged $(, $state)?>;

            fn nodes<'g>(&'g self, into: &mut Vec<&'g Node>) {
                self.values().for_each(|output| output.nodes(into));
            }

            fn values(&self, take: &mut Take<'_, '_>) -> Self::Values {
                self.iter().map(|(key, output)| (key.clone(), output.values(take))).collect()
            }

            fn salvage(&self, take: &mut Take<'_, '_>) -> Self::Salvaged {
                self.iter().map(|(key, output)| (key.clone(), output.salvage(take))).collect()
            }
        }
    };
}
maps!(BTreeMap, [Ord]);
maps!(HashMap, [Eq + Hash], State);
