//! Arithmetic on delayed values: `+ - * / %` and `-x`, between delayed values and with plain numbers.
//!
//! Whatever type has the operator on references has it delayed, arrays too. The compiler has to know the type of a delayed value
//! before it can look for the operator, so a bare literal wants its suffix: `delayed(|| 2.0_f64)`.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use crate::{Delayed, apply};

/// A value that may stand beside a delayed one in arithmetic: `delayed * 2.0`.
///
/// Numbers do. Implement it for a type of your own to let it stand on the right-hand side.
/// ```
/// use delayed::{Plain, delayed};
/// #[derive(Clone)]
/// struct Shift(f64);
/// impl Plain for Shift {}
/// impl std::ops::Add<&Shift> for &f64 {
///     type Output = f64;
///     fn add(self, shift: &Shift) -> f64 {
///         self + shift.0
///     }
/// }
/// assert_eq!((delayed(|| 1.0) + Shift(0.5)).compute()?, 1.5);
/// # Ok::<(), delayed::Error>(())
/// ```
pub trait Plain: Clone + Send + Sync + 'static {}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        operator!(@two [Delayed<A>] [Delayed<B>] $trait, $method);
        operator!(@two [Delayed<A>] [&Delayed<B>] $trait, $method);
        operator!(@two [&Delayed<A>] [Delayed<B>] $trait, $method);
        operator!(@two [&Delayed<A>] [&Delayed<B>] $trait, $method);
        operator!(@plain [Delayed<A>] $trait, $method);
        operator!(@plain [&Delayed<A>] $trait, $method);
    };
    (@two [$left:ty] [$right:ty] $trait:ident, $method:ident) => {
        impl<A, B, C> $trait<$right> for $left
        where
            A: Send + Sync + 'static,
            B: Send + Sync + 'static,
            C: Send + Sync + 'static,
            for<'a> &'a A: $trait<&'a B, Output = C>,
        {
            type Output = Delayed<C>;
            #[track_caller]
            fn $method(self, right: $right) -> Delayed<C> {
                apply((self, right), |(left, right)| left.$method(right))
            }
        }
    };
    (@plain [$left:ty] $trait:ident, $method:ident) => {
        impl<A, B, C> $trait<B> for $left
        where
            A: Send + Sync + 'static,
            B: Plain,
            C: Send + Sync + 'static,
            for<'a> &'a A: $trait<&'a B, Output = C>,
        {
            type Output = Delayed<C>;
            #[track_caller]
            fn $method(self, right: B) -> Delayed<C> {
                apply(self, move |left| left.$method(&right))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);
operator!(Rem, rem);

macro_rules! plain {
    ($($number:ty)*) => { $(
        impl Plain for $number {}
        plain!(@left $number, Add, add);
        plain!(@left $number, Sub, sub);
        plain!(@left $number, Mul, mul);
        plain!(@left $number, Div, div);
        plain!(@left $number, Rem, rem);
    )* };
    // For the number's own type only: an impl for every `Delayed<B>` would make the compiler look into `Delayed<Delayed<...>>`
    // whenever it has to guess what a number is added to, in every crate that uses this one.
    (@left $number:ty, $trait:ident, $method:ident) => {
        plain!(@one $number, Delayed<$number>, $trait, $method);
        plain!(@one $number, &Delayed<$number>, $trait, $method);
    };
    (@one $number:ty, $right:ty, $trait:ident, $method:ident) => {
        impl $trait<$right> for $number {
            type Output = Delayed<$number>;
            #[track_caller]
            fn $method(self, right: $right) -> Delayed<$number> {
                apply(right, move |right| self.$method(right))
            }
        }
    };
}
plain!(f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! negate {
    ($($operand:ty),*) => { $(
        impl<A, C> Neg for $operand
        where
            A: Send + Sync + 'static,
            C: Send + Sync + 'static,
            for<'a> &'a A: Neg<Output = C>,
        {
            type Output = Delayed<C>;
            #[track_caller]
            fn neg(self) -> Delayed<C> {
                apply(self, |x| -x)
            }
        }
    )* };
}
negate!(Delayed<A>, &Delayed<A>);

#[cfg(test)]
mod tests {
    use crate::{Error, compute, delayed};

    #[test]
    fn every_pairing_of_delayed_and_plain_gives_what_plain_numbers_give() -> Result<(), Error> {
        let (a, b) = (delayed(|| 7.0_f64), delayed(|| 2.0_f64));
        assert_eq!(
            compute((
                &a + &b,
                a.clone() - &b,
                &a * b.clone(),
                a.clone() / b.clone(),
                &a % &b
            ))?,
            (9.0, 5.0, 14.0, 3.5, 1.0)
        );
        assert_eq!(
            compute((&a + 1.0, a.clone() * 2.0, 1.0 - &a, 14.0 / a.clone()))?,
            (8.0, 14.0, -6.0, 2.0)
        );
        assert_eq!(compute((-&a, -(&a - &b) * 2.0))?, (-7.0, -10.0));
        Ok(())
    }

    #[test]
    fn an_operator_is_labelled_by_its_name_and_placed_where_it_is_written() {
        let sum = delayed(|| 1) + 2;
        assert_eq!(sum.label().to_string(), format!("add:{}", line!() - 1));
        assert!(sum.node().head.site.file().ends_with("ops.rs"));
        assert_eq!(sum.node().head.site.line(), line!() - 3);
    }
}
