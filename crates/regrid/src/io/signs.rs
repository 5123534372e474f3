//! Integers that mean others than they are stored as: the attribute `_Unsigned` of formats that lack one of the kinds.
//!
//! # Source
//! The netCDF Users' Guide, appendix on attribute conventions: with `_Unsigned` "true" the bits of a signed integer are those
//! of an unsigned one (classic files have no others), with "false" the other way round (OPeNDAP has no signed bytes). The
//! variable's attributes of its type are meant alike.

use std::path::Path;
use std::sync::Arc;

use ndarray::ArrayD;

use super::decoding::default_fill;
use super::{ChunkSource, FileMeta, SourceFile, VariableMeta};
use crate::attribute::AttributeValue;
use crate::buffers;
use crate::chunk::Region;
use crate::error::Error;
use crate::values::{DataType, Values};

const ATTRIBUTE: &str = "_Unsigned";

/// A file whose integers are what they mean.
pub(crate) fn as_meant(file: Arc<dyn SourceFile>) -> Arc<dyn SourceFile> {
    let other = |variable: &VariableMeta| meant(variable).is_some();
    if !file.meta().variables.iter().any(other) {
        return file;
    }
    let mut meta = file.meta().clone();
    for variable in &mut meta.variables {
        if let Some(meant) = meant(variable) {
            take_over(variable, meant);
        }
    }
    Arc::new(Meant { file, meta })
}

/// The type that is meant, if it is another one than is stored.
fn meant(variable: &VariableMeta) -> Option<DataType> {
    let text = variable.attributes.text(ATTRIBUTE)?.to_ascii_lowercase();
    Some(match (variable.data_type, text.as_str()) {
        (DataType::I8, "true") => DataType::U8,
        (DataType::I16, "true") => DataType::U16,
        (DataType::I32, "true") => DataType::U32,
        (DataType::I64, "true") => DataType::U64,
        (DataType::U8, "false") => DataType::I8,
        (DataType::U16, "false") => DataType::I16,
        (DataType::U32, "false") => DataType::I32,
        (DataType::U64, "false") => DataType::I64,
        _ => return None,
    })
}

/// Gives a variable the type that is meant, and its attributes of the stored type too.
fn take_over(variable: &mut VariableMeta, meant: DataType) {
    let attributes = &mut variable.attributes;
    attributes.remove(ATTRIBUTE);
    // What was never written has the stored type's mark.
    if attributes.get("_FillValue").is_none()
        && let Some(fill) = default_fill(variable.data_type)
    {
        attributes.set("_FillValue", fill);
    }
    let read = |(name, value): (&str, &AttributeValue)| {
        (name.to_owned(), other_sign(value, variable.data_type))
    };
    variable.attributes = variable.attributes.iter().map(read).collect();
    variable.data_type = meant;
}

/// The same bits with the other sign, if the value is of that type.
fn other_sign(value: &AttributeValue, stored: DataType) -> AttributeValue {
    macro_rules! signs {
        ($($signed:ident $i:ty, $unsigned:ident $u:ty;)*) => {
            match (value, stored) {
                $((AttributeValue::$signed(v), DataType::$signed) => {
                    AttributeValue::$unsigned(v.iter().map(|&x| x as $u).collect())
                }
                (AttributeValue::$unsigned(v), DataType::$unsigned) => {
                    AttributeValue::$signed(v.iter().map(|&x| x as $i).collect())
                })*
                _ => value.clone(),
            }
        };
    }
    signs!(I8 i8, U8 u8; I16 i16, U16 u16; I32 i32, U32 u32; I64 i64, U64 u64;)
}

#[derive(Debug)]
struct Meant {
    file: Arc<dyn SourceFile>,
    meta: FileMeta,
}

impl SourceFile for Meant {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        let stored = self.file.variable(name)?;
        match self.meta.variable(name) {
            Some(variable) if variable.data_type != stored.data_type() => Ok(Arc::new(OtherSign {
                stored,
                meant: variable.data_type,
            })),
            _ => Ok(stored),
        }
    }
}

#[derive(Debug)]
struct OtherSign {
    stored: Arc<dyn ChunkSource>,
    meant: DataType,
}

impl ChunkSource for OtherSign {
    fn shape(&self) -> &[usize] {
        self.stored.shape()
    }

    fn data_type(&self) -> DataType {
        self.meant
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        self.stored.chunk_shape()
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        macro_rules! signs {
            ($values:expr, $($signed:ident $i:ty, $unsigned:ident $u:ty;)*) => {
                match $values {
                    $(Values::$signed(v) => Values::$unsigned(each(v, |x| x as $u)),
                    Values::$unsigned(v) => Values::$signed(each(v, |x| x as $i)),)*
                    other => other,
                }
            };
        }
        let values = self.stored.read(region)?;
        Ok(signs!(values, I8 i8, U8 u8; I16 i16, U16 u16; I32 i32, U32 u32; I64 i64, U64 u64;))
    }

    fn filter_buffers(&self) -> Option<usize> {
        self.stored.filter_buffers()
    }

    fn stored_bytes(&self, region: &Region) -> Option<u64> {
        self.stored.stored_bytes(region)
    }
}

/// Each value as another; the buffer is given up.
fn each<T: buffers::Number, U: buffers::Number>(
    values: ArrayD<T>,
    value: impl Fn(T) -> U,
) -> ArrayD<U> {
    let mut other = buffers::take(values.len());
    for (to, &from) in other.iter_mut().zip(&values) {
        *to = value(from);
    }
    let shape = values.raw_dim();
    buffers::give_values(T::wrap(values));
    ArrayD::from_shape_vec(shape, other).expect("one value for each")
}
