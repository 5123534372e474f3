//! Arrays whose type is known only when a file is opened: one variant per type that files store.

mod transpose;

use ndarray::{ArrayD, ArrayViewD, Axis as Dim, IxDyn};
use transpose::transposed;

/// The type of an array's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
    /// 16-bit integer.
    I16,
    /// Unsigned 16-bit integer.
    U16,
    /// 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// 64-bit integer.
    I64,
    /// Unsigned 64-bit integer.
    U64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// One byte of text.
    Char,
    /// A text of any length.
    Text,
}

impl DataType {
    /// Bytes of one value; for text, of the handle alone.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Char => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::Text => std::mem::size_of::<String>(),
        }
    }

    /// Whether values of this type are numbers.
    pub fn is_numeric(self) -> bool {
        !matches!(self, Self::Char | Self::Text)
    }

    /// Whether values of this type are floating-point numbers.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// The name that `ncdump` gives the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::I8 => "byte",
            Self::U8 => "ubyte",
            Self::I16 => "short",
            Self::U16 => "ushort",
            Self::I32 => "int",
            Self::U32 => "uint",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F32 => "float",
            Self::F64 => "double",
            Self::Char => "char",
            Self::Text => "string",
        }
    }
}

/// An array of any stored type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// 8-bit integers.
    I8(ArrayD<i8>),
    /// Unsigned 8-bit integers.
    U8(ArrayD<u8>),
    /// 16-bit integers.
    I16(ArrayD<i16>),
    /// Unsigned 16-bit integers.
    U16(ArrayD<u16>),
    /// 32-bit integers.
    I32(ArrayD<i32>),
    /// Unsigned 32-bit integers.
    U32(ArrayD<u32>),
    /// 64-bit integers.
    I64(ArrayD<i64>),
    /// Unsigned 64-bit integers.
    U64(ArrayD<u64>),
    /// 32-bit floats.
    F32(ArrayD<f32>),
    /// 64-bit floats.
    F64(ArrayD<f64>),
    /// Bytes of text.
    Char(ArrayD<u8>),
    /// Texts.
    Text(ArrayD<String>),
}

/// Runs one expression for whichever array a [`Values`] holds.
macro_rules! with_values {
    ($values:expr, $array:ident => $body:expr) => {
        match $values {
            Values::I8($array) => $body,
            Values::U8($array) => $body,
            Values::I16($array) => $body,
            Values::U16($array) => $body,
            Values::I32($array) => $body,
            Values::U32($array) => $body,
            Values::I64($array) => $body,
            Values::U64($array) => $body,
            Values::F32($array) => $body,
            Values::F64($array) => $body,
            Values::Char($array) => $body,
            Values::Text($array) => $body,
        }
    };
}

/// A type that an array of [`Values`] can hold; ties the Rust type to its variant.
pub trait Element: Clone + Default + Send + Sync + 'static {
    /// The variant's tag.
    const DATA_TYPE: DataType;
    /// Wraps an array.
    fn wrap(array: ArrayD<Self>) -> Values;
    /// The array inside, if it is of this type.
    fn of(values: &Values) -> Option<&ArrayD<Self>>;
}

macro_rules! elements {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl Element for $type {
            const DATA_TYPE: DataType = DataType::$variant;
            fn wrap(array: ArrayD<Self>) -> Values {
                Values::$variant(array)
            }
            fn of(values: &Values) -> Option<&ArrayD<Self>> {
                match values {
                    Values::$variant(array) => Some(array),
                    _ => None,
                }
            }
        }
    )*};
}

elements! {
    i8 => I8, u8 => U8, i16 => I16, u16 => U16, i32 => I32, u32 => U32,
    i64 => I64, u64 => U64, f32 => F32, f64 => F64, String => Text,
}

impl Values {
    /// An array of zeros (empty texts) of a type and shape.
    pub fn zeros(data_type: DataType, shape: &[usize]) -> Self {
        let shape = IxDyn(shape);
        match data_type {
            DataType::I8 => Self::I8(ArrayD::default(shape)),
            DataType::U8 => Self::U8(ArrayD::default(shape)),
            DataType::I16 => Self::I16(ArrayD::default(shape)),
            DataType::U16 => Self::U16(ArrayD::default(shape)),
            DataType::I32 => Self::I32(ArrayD::default(shape)),
            DataType::U32 => Self::U32(ArrayD::default(shape)),
            DataType::I64 => Self::I64(ArrayD::default(shape)),
            DataType::U64 => Self::U64(ArrayD::default(shape)),
            DataType::F32 => Self::F32(ArrayD::default(shape)),
            DataType::F64 => Self::F64(ArrayD::default(shape)),
            DataType::Char => Self::Char(ArrayD::default(shape)),
            DataType::Text => Self::Text(ArrayD::default(shape)),
        }
    }

    /// The type of the values.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::I8(_) => DataType::I8,
            Self::U8(_) => DataType::U8,
            Self::I16(_) => DataType::I16,
            Self::U16(_) => DataType::U16,
            Self::I32(_) => DataType::I32,
            Self::U32(_) => DataType::U32,
            Self::I64(_) => DataType::I64,
            Self::U64(_) => DataType::U64,
            Self::F32(_) => DataType::F32,
            Self::F64(_) => DataType::F64,
            Self::Char(_) => DataType::Char,
            Self::Text(_) => DataType::Text,
        }
    }

    /// Length along each dimension.
    pub fn shape(&self) -> &[usize] {
        with_values!(self, array => array.shape())
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        with_values!(self, array => array.len())
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the values take.
    pub fn bytes(&self) -> usize {
        self.len() * self.data_type().size()
    }

    /// The values as doubles, row by row; `None` for text.
    pub fn to_f64(&self) -> Option<ArrayD<f64>> {
        self.to_f64_in(Vec::new())
    }

    /// The same in the place of what a buffer holds.
    pub(crate) fn to_f64_in(&self, mut buffer: Vec<f64>) -> Option<ArrayD<f64>> {
        buffer.clear();
        match self {
            Self::I8(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::U8(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::I16(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::U16(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::I32(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::U32(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::I64(a) => buffer.extend(a.iter().map(|&x| x as f64)),
            Self::U64(a) => buffer.extend(a.iter().map(|&x| x as f64)),
            Self::F32(a) => buffer.extend(a.iter().map(|&x| f64::from(x))),
            Self::F64(a) => buffer.extend(a.iter()),
            Self::Char(_) | Self::Text(_) => return None,
        }
        let array = ArrayD::from_shape_vec(self.shape(), buffer);
        Some(array.expect("a double for each value"))
    }

    /// Sets the values of a region.
    ///
    /// # Panics
    /// If types or shapes do not fit.
    pub(crate) fn assign(&mut self, region: &crate::chunk::Region, part: &Self) {
        macro_rules! assign {
            ($($variant:ident),*) => {
                match (self, part) {
                    $((Self::$variant(whole), Self::$variant(part)) => {
                        let slice = |d: ndarray::AxisDescription| ndarray::Slice::from(region.ranges()[d.axis.index()].clone());
                        whole.slice_each_axis_mut(slice).assign(part);
                    })*
                    (whole, part) => panic!("{:?} into {:?}", part.data_type(), whole.data_type()),
                }
            };
        }
        assign!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, Char, Text);
    }

    /// Whether both hold the same values, NaN being the same as NaN.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F32(a), Self::F32(b)) => {
                a.shape() == b.shape()
                    && a.iter()
                        .zip(b)
                        .all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
            }
            (Self::F64(a), Self::F64(b)) => {
                a.shape() == b.shape()
                    && a.iter()
                        .zip(b)
                        .all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
            }
            (a, b) => a == b,
        }
    }

    /// The array, if its values are of type `T`.
    pub fn as_array<T: Element>(&self) -> Option<ArrayViewD<'_, T>> {
        T::of(self).map(|array| array.view())
    }

    /// The same values with their dimensions in another order, row by row in the new order.
    pub(crate) fn permuted(self, order: &[usize]) -> Self {
        if order.iter().enumerate().all(|(at, &from)| at == from) {
            return self;
        }
        fn plain<T: Clone>(array: ArrayD<T>, order: &[usize]) -> ArrayD<T> {
            let turned = array.permuted_axes(IxDyn(order));
            turned.as_standard_layout().into_owned()
        }
        macro_rules! permute {
            ($($variant:ident),*) => {
                match self {
                    $(Self::$variant(a) => Self::$variant(transposed(a, order)),)*
                    Self::Char(a) => Self::Char(plain(a, order)),
                    Self::Text(a) => Self::Text(plain(a, order)),
                }
            };
        }
        permute!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
    }

    /// The same values with one more dimension, of length 1.
    pub(crate) fn with_new_dimension(self, dim: usize) -> Self {
        macro_rules! insert {
            ($($variant:ident),*) => {
                match self {$(
                    Self::$variant(a) => Self::$variant(a.insert_axis(Dim(dim))),
                )*}
            };
        }
        insert!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, Char, Text)
    }

    /// The values at some indices along one dimension.
    pub(crate) fn select(&self, dim: usize, indices: &[usize]) -> Self {
        macro_rules! select {
            ($($variant:ident),*) => {
                match self {$(
                    Self::$variant(a) => Self::$variant(a.select(Dim(dim), indices)),
                )*}
            };
        }
        select!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, Char, Text)
    }

    /// Arrays of one type joined along a dimension; `None` where types or other lengths differ.
    pub(crate) fn concatenate(dim: usize, parts: &[&Self]) -> Option<Self> {
        fn join<T: Clone>(dim: usize, parts: Vec<Option<&ArrayD<T>>>) -> Option<ArrayD<T>> {
            let views: Vec<_> = parts
                .into_iter()
                .map(|part| part.map(|array| array.view()))
                .collect::<Option<_>>()?;
            ndarray::concatenate(Dim(dim), &views).ok()
        }
        macro_rules! concatenate {
            ($($variant:ident),*) => {
                match parts.first()? {$(
                    Self::$variant(_) => join(
                        dim,
                        parts.iter().map(|p| match p { Self::$variant(a) => Some(a), _ => None }).collect(),
                    ).map(Self::$variant),
                )*}
            };
        }
        concatenate!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64, Char, Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuted_values_are_in_row_order_again() {
        let values =
            Values::I16(ArrayD::from_shape_vec(IxDyn(&[2, 3]), vec![1, 2, 3, 4, 5, 6]).unwrap());
        let turned = values.permuted(&[1, 0]);
        assert_eq!(turned.shape(), [3, 2]);
        assert_eq!(
            i16::of(&turned).unwrap().as_slice().unwrap(),
            [1, 4, 2, 5, 3, 6]
        );
    }

    #[test]
    fn concatenate_refuses_mixed_types() {
        let a = Values::zeros(DataType::F32, &[1, 2]);
        let b = Values::zeros(DataType::F64, &[1, 2]);
        assert!(Values::concatenate(0, &[&a, &b]).is_none());
        assert_eq!(Values::concatenate(0, &[&a, &a]).unwrap().shape(), [2, 2]);
    }
}
