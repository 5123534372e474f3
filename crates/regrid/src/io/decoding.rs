//! Stored values as they are meant, by the CF conventions: what is missing, how packed values are unpacked; and back.

use ndarray::ArrayD;

use super::VariableMeta;
use super::spare::spare_mark;
use crate::attribute::AttributeValue;
use crate::buffers::{self, Number};
use crate::values::{DataType, Values};

/// How stored values become values with one notion of missing.
#[derive(Debug, Clone)]
pub(crate) struct Decoding {
    /// Stored values that mean missing.
    missing: Vec<AttributeValue>,
    /// The stored values between which the valid ones lie, both included.
    valid: [Option<AttributeValue>; 2],
    /// Factor and offset, and whether they are to be applied in single precision.
    packing: Option<Packing>,
    /// The type of the result.
    pub(crate) output: DataType,
}

#[derive(Debug, Clone, Copy)]
struct Packing {
    factor: f64,
    offset: f64,
}

impl Decoding {
    /// The rules of one variable.
    ///
    /// `blends` says whether values will be averaged: then integers become the smallest float that holds them (single for
    /// up to 16 bits); otherwise they stay as they are. Packed values become the float of their factor and offset.
    /// A variable that names no `_FillValue` has netCDF's default one, except for single bytes: those that leave no number
    /// for a mark become 16 bits.
    pub(crate) fn new(variable: &VariableMeta, blends: bool) -> Result<Self, String> {
        let attributes = &variable.attributes;
        let stored = variable.data_type;
        let number = |name: &str| -> Result<Option<AttributeValue>, String> {
            match attributes.get(name) {
                None => Ok(None),
                Some(value) if value.numbers().is_some_and(|n| n.len() == 1) => {
                    Ok(Some(value.clone()))
                }
                Some(_) => Err(format!("its {name} is not one number")),
            }
        };
        let mut missing: Vec<AttributeValue> = Vec::new();
        match number("_FillValue")? {
            Some(value) => missing.push(value),
            None => missing.extend(default_fill(stored)),
        }
        if let Some(value) = attributes.get("missing_value")
            && value.numbers().is_some()
        {
            missing.push(value.clone());
        }
        let mut valid = [number("valid_min")?, number("valid_max")?];
        if let Some(range) = attributes.get("valid_range") {
            match range.numbers().as_deref() {
                Some(&[low, high]) => {
                    valid = [
                        Some(AttributeValue::F64(vec![low])),
                        Some(AttributeValue::F64(vec![high])),
                    ];
                }
                _ => return Err("its valid_range is not two numbers".into()),
            }
        }
        let (factor, offset) = (number("scale_factor")?, number("add_offset")?);
        let packing = (factor.is_some() || offset.is_some()).then(|| Packing {
            factor: factor.as_ref().and_then(first).unwrap_or(1.0),
            offset: offset.as_ref().and_then(first).unwrap_or(0.0),
        });
        let output = if packing.is_some() {
            let single = [&factor, &offset]
                .into_iter()
                .flatten()
                .all(|v| matches!(v, AttributeValue::F32(_)));
            if single && stored != DataType::F64 {
                DataType::F32
            } else {
                DataType::F64
            }
        } else if !blends
            && stored.size() == 1
            && !missing.iter().any(|mark| convert(mark, stored).is_some())
            && spare_mark(variable, limits(&valid)).is_none()
        {
            DataType::I16
        } else if stored.is_float() || !blends {
            stored
        } else if stored.size() <= 2 {
            DataType::F32
        } else {
            DataType::F64
        };
        Ok(Self {
            missing,
            valid,
            packing,
            output,
        })
    }

    /// The same rules, where bytes are to be as wide as those of another file.
    pub(crate) fn widened_to(mut self, output: DataType) -> Self {
        if self.output.size() == 1 && output == DataType::I16 {
            self.output = output;
        }
        self
    }

    /// Whether single bytes become 16 bits.
    pub(crate) fn widens(&self, stored: DataType) -> bool {
        stored.size() == 1 && self.output == DataType::I16
    }

    /// What marks missing values in a result of sums or counts: whole numbers, as small ones may be that a source marks missing ones by.
    pub(crate) fn fill_of_sums(&self, variable: &VariableMeta) -> AttributeValue {
        default_fill(self.output).unwrap_or_else(|| self.fill(variable))
    }

    /// What marks missing values in the result: as the source has it, where its type can hold it, else netCDF's default.
    pub(crate) fn fill(&self, variable: &VariableMeta) -> AttributeValue {
        // Of 16 bits it is one that no byte has, whichever file names one.
        let same = self.packing.is_none() && !self.widens(variable.data_type);
        let own = (same || variable.data_type == self.output)
            .then(|| {
                variable
                    .attributes
                    .get("_FillValue")
                    .or_else(|| variable.attributes.get("missing_value"))
            })
            .flatten();
        own.and_then(|value| convert(value, self.output))
            .or_else(|| default_fill(self.output))
            .or_else(|| spare_mark(variable, self.limits()))
            .unwrap_or(AttributeValue::F64(vec![f64::NAN]))
    }

    /// Decoded values: floats with NaN where missing; integers with `fill` where missing.
    pub(crate) fn decode(&self, values: Values, fill: &AttributeValue) -> Values {
        macro_rules! by_type {
            ($($variant:ident: $type:ty),*) => {
                match values {
                    Values::F32(array) if self.packing.is_none() => Values::F32(self.mask(array, f32::NAN)),
                    Values::F64(array) if self.packing.is_none() => Values::F64(self.mask(array, f64::NAN)),
                    $(Values::$variant(array) => self.decode_as(array, fill),)*
                    text => text,
                }
            };
        }
        by_type!(I8: i8, U8: u8, I16: i16, U16: u16, I32: i32, U32: u32, I64: i64, U64: u64, F32: f32, F64: f64)
    }

    /// Unpacks or widens into the result's type, or masks integers that stay what they are.
    fn decode_as<T: Stored>(&self, array: ArrayD<T>, fill: &AttributeValue) -> Values {
        match (self.output, self.packing) {
            (DataType::F32, Some(p)) => {
                let (factor, offset) = (p.factor as f32, p.offset as f32);
                Values::F32(self.convert(array, f32::NAN, |x| x.single() * factor + offset))
            }
            (DataType::F64, Some(p)) => {
                let unpacked = |x: T| x.double() * p.factor + p.offset;
                Values::F64(self.convert(array, f64::NAN, unpacked))
            }
            (DataType::F32, None) => Values::F32(self.convert(array, f32::NAN, T::single)),
            (DataType::F64, None) => Values::F64(self.convert(array, f64::NAN, T::double)),
            (DataType::I16, None) if size_of::<T>() == 1 => {
                let fill = i16::from_attribute(fill, 0).unwrap_or_default();
                Values::I16(self.convert(array, fill, |x| x.double() as i16))
            }
            _ => {
                let fill = T::from_attribute(fill, 0).unwrap_or_default();
                T::wrap(self.mask(array, fill))
            }
        }
    }

    /// Values of another type, with `fill` where missing; the stored values' buffer is given up.
    fn convert<T: Stored, U: Number>(
        &self,
        array: ArrayD<T>,
        fill: U,
        value: impl Fn(T) -> U + Copy,
    ) -> ArrayD<U> {
        fn each<T: Copy, U>(from: &[T], to: &mut [U], value: impl Fn(T) -> U) {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = value(from);
            }
        }
        let shape = array.raw_dim();
        let from = array.as_standard_layout();
        let from = from.as_slice().expect("row by row");
        let mut to = buffers::take(from.len());
        // The usual cases apart: they are loops without branches.
        match self.tested::<T>() {
            Tested::Marks(marks) => match *marks {
                [] => each(from, &mut to, value),
                [a] => each(from, &mut to, |x| if x == a { fill } else { value(x) }),
                [a, b] => {
                    let missing = |x: T| (x == a) | (x == b);
                    each(from, &mut to, |x| if missing(x) { fill } else { value(x) });
                }
                _ => each(from, &mut to, |x| {
                    if marks.contains(&x) { fill } else { value(x) }
                }),
            },
            Tested::Range(marks, valid) => {
                let beyond = |x: T| valid.excludes(x);
                match *marks {
                    [] => each(from, &mut to, |x| if beyond(x) { fill } else { value(x) }),
                    [a] => {
                        let missing = |x: T| (x == a) | beyond(x);
                        each(from, &mut to, |x| if missing(x) { fill } else { value(x) });
                    }
                    [a, b] => {
                        let missing = |x: T| (x == a) | (x == b) | beyond(x);
                        each(from, &mut to, |x| if missing(x) { fill } else { value(x) });
                    }
                    _ => each(from, &mut to, |x| {
                        if marks.contains(&x) | beyond(x) {
                            fill
                        } else {
                            value(x)
                        }
                    }),
                }
            }
        }
        buffers::give_values(T::wrap(array));
        ArrayD::from_shape_vec(shape, to).expect("one value for each stored one")
    }

    /// The same values, with `fill` where missing.
    fn mask<T: Stored>(&self, mut array: ArrayD<T>, fill: T) -> ArrayD<T> {
        let tested = self.tested::<T>();
        let Some(values) = array.as_slice_mut() else {
            array.mapv_inplace(|x| if tested.missing(x) { fill } else { x });
            return array;
        };
        fn each<T: Copy>(values: &mut [T], fill: T, missing: impl Fn(T) -> bool) {
            for x in values {
                *x = if missing(*x) { fill } else { *x };
            }
        }
        // One test after the other: what is replaced once is missing, and stays so.
        let (marks, valid) = match &tested {
            Tested::Marks(marks) => (marks, None),
            Tested::Range(marks, valid) => (marks, Some(valid)),
        };
        for &mark in marks {
            each(values, fill, |x| x == mark);
        }
        if let Some(valid) = valid {
            each(values, fill, |x| valid.excludes(x));
        }
        array
    }

    /// The stored values between which the valid ones lie.
    fn limits(&self) -> [Option<f64>; 2] {
        limits(&self.valid)
    }

    /// How missing values of one stored type are told.
    fn tested<T: Stored>(&self) -> Tested<T> {
        let mut marks: Vec<T> = Vec::new();
        for value in &self.missing {
            let count = value.numbers().map_or(0, |n| n.len());
            for mark in (0..count).filter_map(|i| T::from_attribute(value, i)) {
                // NaN is equal to nothing: it is missing as it is.
                if !mark.double().is_nan() && !marks.contains(&mark) {
                    marks.push(mark);
                }
            }
        }
        match self.limits() {
            [None, None] => Tested::Marks(marks),
            [low, high] => Tested::Range(
                marks,
                Valid {
                    low: low.unwrap_or(f64::NEG_INFINITY),
                    high: high.unwrap_or(f64::INFINITY),
                },
            ),
        }
    }
}

/// How missing values are told: by marks alone, or also by the range of valid ones.
enum Tested<T> {
    Marks(Vec<T>),
    Range(Vec<T>, Valid),
}

/// The valid values; a side that nobody limits ends at infinity, so that telling takes no branch.
#[derive(Debug, Clone, Copy)]
struct Valid {
    low: f64,
    high: f64,
}

impl Valid {
    /// Whether a value is no valid one; NaN is not said to be.
    #[inline]
    fn excludes<T: Stored>(self, x: T) -> bool {
        let x = x.double();
        (x < self.low) | (x > self.high)
    }
}

impl<T: Stored> Tested<T> {
    fn missing(&self, x: T) -> bool {
        match self {
            Self::Marks(marks) => marks.contains(&x),
            Self::Range(marks, valid) => marks.contains(&x) || valid.excludes(x),
        }
    }
}

fn limits(valid: &[Option<AttributeValue>; 2]) -> [Option<f64>; 2] {
    valid.each_ref().map(|limit| limit.as_ref().and_then(first))
}

fn first(value: &AttributeValue) -> Option<f64> {
    value.numbers()?.first().copied()
}

/// The value that netCDF writes where nothing was written (`NC_FILL_*`); none for single bytes, where every value counts.
pub(super) fn default_fill(data_type: DataType) -> Option<AttributeValue> {
    /// The double nearest to 15 x 2^119, as `netcdf.h` has it.
    const FLOAT: f64 = 9.969_209_968_386_869e36;
    Some(match data_type {
        DataType::I16 => AttributeValue::I16(vec![-32767]),
        DataType::U16 => AttributeValue::U16(vec![65535]),
        DataType::I32 => AttributeValue::I32(vec![-2_147_483_647]),
        DataType::U32 => AttributeValue::U32(vec![u32::MAX]),
        DataType::I64 => AttributeValue::I64(vec![-9_223_372_036_854_775_806]),
        DataType::U64 => AttributeValue::U64(vec![18_446_744_073_709_551_614]),
        DataType::F32 => AttributeValue::F32(vec![FLOAT as f32]),
        DataType::F64 => AttributeValue::F64(vec![FLOAT]),
        DataType::I8 | DataType::U8 | DataType::Char | DataType::Text => return None,
    })
}

/// The first number of an attribute in another type, if that type can hold it.
pub(crate) fn convert(value: &AttributeValue, data_type: DataType) -> Option<AttributeValue> {
    Some(match data_type {
        DataType::I8 => AttributeValue::I8(vec![i8::from_attribute(value, 0)?]),
        DataType::U8 => AttributeValue::U8(vec![u8::from_attribute(value, 0)?]),
        DataType::I16 => AttributeValue::I16(vec![i16::from_attribute(value, 0)?]),
        DataType::U16 => AttributeValue::U16(vec![u16::from_attribute(value, 0)?]),
        DataType::I32 => AttributeValue::I32(vec![i32::from_attribute(value, 0)?]),
        DataType::U32 => AttributeValue::U32(vec![u32::from_attribute(value, 0)?]),
        DataType::I64 => AttributeValue::I64(vec![i64::from_attribute(value, 0)?]),
        DataType::U64 => AttributeValue::U64(vec![u64::from_attribute(value, 0)?]),
        DataType::F32 => AttributeValue::F32(vec![f32::from_attribute(value, 0)?]),
        DataType::F64 => AttributeValue::F64(vec![f64::from_attribute(value, 0)?]),
        DataType::Char | DataType::Text => return None,
    })
}

/// An array of one value, from an attribute.
pub(crate) fn single(value: &AttributeValue) -> Values {
    fn one<T: Stored>(value: &AttributeValue) -> Values {
        T::wrap(ArrayD::from_elem(
            ndarray::IxDyn(&[1]),
            T::from_attribute(value, 0).unwrap_or_default(),
        ))
    }
    match value {
        AttributeValue::I8(_) => one::<i8>(value),
        AttributeValue::U8(_) => one::<u8>(value),
        AttributeValue::I16(_) => one::<i16>(value),
        AttributeValue::U16(_) => one::<u16>(value),
        AttributeValue::I32(_) => one::<i32>(value),
        AttributeValue::U32(_) => one::<u32>(value),
        AttributeValue::I64(_) => one::<i64>(value),
        AttributeValue::U64(_) => one::<u64>(value),
        AttributeValue::F32(_) => one::<f32>(value),
        _ => one::<f64>(value),
    }
}

/// Floats with NaN where missing, as they are to be written: with `fill` in its place. A value that is just that, as a mean may be, is
/// written as the number next to it, so that it is not lost.
pub(crate) fn encode_missing(values: Values, fill: Option<&AttributeValue>) -> Values {
    /// Without branches where the values lie row by row.
    fn each<T: Copy>(array: &mut ArrayD<T>, value: impl Fn(T) -> T) {
        match array.as_slice_mut() {
            Some(values) => values.iter_mut().for_each(|x| *x = value(*x)),
            None => array.mapv_inplace(value),
        }
    }
    /// The normal number next to one.
    macro_rules! beside {
        ($number:expr, $type:ty) => {
            match $number {
                0.0 => <$type>::MIN_POSITIVE,
                <$type>::INFINITY => <$type>::MAX,
                <$type>::NEG_INFINITY => <$type>::MIN,
                other => <$type>::from_bits(other.to_bits() ^ 1),
            }
        };
    }
    let Some(fill) = fill else { return values };
    match values {
        Values::F32(mut array) => {
            let fill = f32::from_attribute(fill, 0).unwrap_or(f32::NAN);
            let beside = beside!(fill, f32);
            each(&mut array, |x| {
                let value = if x == fill { beside } else { x };
                if x.is_nan() { fill } else { value }
            });
            Values::F32(array)
        }
        Values::F64(mut array) => {
            let fill = f64::from_attribute(fill, 0).unwrap_or(f64::NAN);
            let beside = beside!(fill, f64);
            each(&mut array, |x| {
                let value = if x == fill { beside } else { x };
                if x.is_nan() { fill } else { value }
            });
            Values::F64(array)
        }
        other => other,
    }
}

/// A stored number: comparable with the numbers of attributes without losing digits.
trait Stored: Number + PartialEq {
    fn double(self) -> f64;
    fn single(self) -> f32;
    /// The attribute's number at an index, if this type can hold it exactly (floats: nearest).
    fn from_attribute(value: &AttributeValue, index: usize) -> Option<Self>;
}

macro_rules! stored_integers {
    ($($type:ty => $variant:ident),*) => {$(
        impl Stored for $type {
            fn double(self) -> f64 {
                self as f64
            }
            fn single(self) -> f32 {
                self as f32
            }
            fn from_attribute(value: &AttributeValue, index: usize) -> Option<Self> {
                match value {
                    AttributeValue::$variant(numbers) => numbers.get(index).copied(),
                    AttributeValue::I64(numbers) => numbers.get(index).and_then(|&x| Self::try_from(x).ok()),
                    other => {
                        let x = *other.numbers()?.get(index)?;
                        (x == x.trunc() && x >= Self::MIN as f64 && x <= Self::MAX as f64).then_some(x as Self)
                    }
                }
            }
        }
    )*};
}

stored_integers!(i8 => I8, u8 => U8, i16 => I16, u16 => U16, i32 => I32, u32 => U32, u64 => U64);

impl Stored for i64 {
    fn double(self) -> f64 {
        self as f64
    }
    fn single(self) -> f32 {
        self as f32
    }
    fn from_attribute(value: &AttributeValue, index: usize) -> Option<Self> {
        match value {
            AttributeValue::I64(numbers) => numbers.get(index).copied(),
            other => {
                let x = *other.numbers()?.get(index)?;
                (x == x.trunc() && x.abs() < 9.2e18).then_some(x as Self)
            }
        }
    }
}

impl Stored for f32 {
    fn double(self) -> f64 {
        f64::from(self)
    }
    fn single(self) -> f32 {
        self
    }
    fn from_attribute(value: &AttributeValue, index: usize) -> Option<Self> {
        value.numbers()?.get(index).map(|&x| x as Self)
    }
}

impl Stored for f64 {
    fn double(self) -> f64 {
        self
    }
    fn single(self) -> f32 {
        self as f32
    }
    fn from_attribute(value: &AttributeValue, index: usize) -> Option<Self> {
        value.numbers()?.get(index).copied()
    }
}

#[cfg(test)]
mod tests;
