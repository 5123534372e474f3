//! Arithmetic on delayed values: `+ - * / %` and `-x`, between delayed values and with plain numbers.
//!
//! Whatever type has the operator on references has it delayed, arrays too. A graph of bare literals gets its types from their default,
//! `f64` or `i32`, as late as the compiler can; a result that is used before wants a type: `delayed(|| 2.0_f64)`, or
//! `let x: f64 = y.compute()?`.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use crate::{Delayed, apply};

/// A value that may stand beside a delayed one in arithmetic: `delayed * 2.0`.
///
/// Numbers do, on either side (`2.0 * &x`). A bare literal takes its type from the values that it meets; where all are bare literals the
/// compiler settles for `f64` and `i32` late, and a result that goes through `?` has to say its type: `let y: f64 = (x * 3.0).compute()?`.
///
/// Implement it for a type of your own to let it stand on the right-hand side.
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

/// The operators of plain values as the delayed ones ask for them: with the value itself, not a reference to it, as the left-hand side.
///
/// A reference to a type that is not known yet might be one to a delayed value, whose operators ask for those of a reference to a type
/// that is not known yet, and so on until the compiler gives up. Of a type that is not known yet it asks nothing, and waits for the
/// default of the literals.
mod plain {
    macro_rules! operator {
        ($name:ident, $trait:ident, $method:ident) => {
            #[doc = concat!("`", stringify!($method), "` between references to plain values.")]
            pub trait $name<B> {
                /// What the operator gives.
                type Output;
                /// Applies it.
                fn $method(&self, right: &B) -> Self::Output;
            }
            impl<A, B, C> $name<B> for A
            where
                for<'a> &'a A: std::ops::$trait<&'a B, Output = C>,
            {
                type Output = C;
                fn $method(&self, right: &B) -> C {
                    std::ops::$trait::$method(self, right)
                }
            }
        };
    }
    operator!(Plus, Add, add);
    operator!(Minus, Sub, sub);
    operator!(Times, Mul, mul);
    operator!(Over, Div, div);
    operator!(Modulo, Rem, rem);

    /// `-x` of a reference to a plain value.
    pub trait Negated {
        /// What the operator gives.
        type Output;
        /// Applies it.
        fn neg(&self) -> Self::Output;
    }
    impl<A, C> Negated for A
    where
        for<'a> &'a A: std::ops::Neg<Output = C>,
    {
        type Output = C;
        fn neg(&self) -> C {
            std::ops::Neg::neg(self)
        }
    }
}

macro_rules! operator {
    ($trait:ident, $plain:ident, $method:ident) => {
        operator!(@two [Delayed<A>] [Delayed<B>] $trait, $plain, $method);
        operator!(@two [Delayed<A>] [&Delayed<B>] $trait, $plain, $method);
        operator!(@two [&Delayed<A>] [Delayed<B>] $trait, $plain, $method);
        operator!(@two [&Delayed<A>] [&Delayed<B>] $trait, $plain, $method);
        operator!(@plain [Delayed<A>] $trait, $plain, $method);
        operator!(@plain [&Delayed<A>] $trait, $plain, $method);
    };
    (@two [$left:ty] [$right:ty] $trait:ident, $plain:ident, $method:ident) => {
        impl<A, B> $trait<$right> for $left
        where
            A: plain::$plain<B, Output: Send + Sync + 'static> + Send + Sync + 'static,
            B: Send + Sync + 'static,
        {
            type Output = Delayed<A::Output>;
            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                apply((self, right), |(left, right): (&A, &B)| plain::$plain::$method(left, right))
            }
        }
    };
    (@plain [$left:ty] $trait:ident, $plain:ident, $method:ident) => {
        impl<A, B> $trait<B> for $left
        where
            A: plain::$plain<B, Output: Send + Sync + 'static> + Send + Sync + 'static,
            B: Plain,
        {
            type Output = Delayed<A::Output>;
            #[track_caller]
            fn $method(self, right: B) -> Self::Output {
                apply(self, move |left: &A| plain::$plain::$method(left, &right))
            }
        }
    };
}
operator!(Add, Plus, add);
operator!(Sub, Minus, sub);
operator!(Mul, Times, mul);
operator!(Div, Over, div);
operator!(Rem, Modulo, rem);

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
        impl<A> Neg for $operand
        where
            A: plain::Negated<Output: Send + Sync + 'static> + Send + Sync + 'static,
        {
            type Output = Delayed<A::Output>;
            #[track_caller]
            fn neg(self) -> Self::Output {
                apply(self, |x: &A| plain::Negated::neg(x))
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
    fn literals_need_no_suffix() -> Result<(), Error> {
        let kelvin = delayed(|| 300.0);
        let celsius = (&kelvin - 273.25) * 1.0;
        assert_eq!(compute((&kelvin, -&celsius / 2.0))?, (300.0, -13.375));
        let count = delayed(|| 3);
        let last: i32 = ((&count + 1) * 2 - &count).compute()?;
        assert_eq!(last, 5);
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
