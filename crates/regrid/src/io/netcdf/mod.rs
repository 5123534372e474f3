//! netCDF files through the `netcdf` crate, which takes one process-wide lock for every call; past it the storage chunks of
//! netCDF-4 files, so that what is done to them is done outside that lock, and whatever lies in a file as it is.

mod chunks;
mod deflate;
mod filters;
#[cfg(igzip)]
mod igzip;
mod located;
mod open_files;
mod raw;
mod read;
mod shuffle;
mod silence;
mod stretches;
mod text;
mod write;

pub(crate) use open_files::OpenFiles;
pub(crate) use read::{NetcdfFile, WholeFile};
pub(crate) use write::NetcdfWriter;

use std::path::Path;

use netcdf::AttributeValue as Nc;
use netcdf::types::{FloatType, IntType, NcVariableType};
use netcdf::{Extent, Extents};

use crate::attribute::AttributeValue;
use crate::chunk::Region;
use crate::error::Error;
use crate::values::DataType;

/// An error of the library, with what was tried on what.
fn library_error(
    action: &'static str,
    path: &Path,
    variable: Option<&str>,
) -> impl Fn(netcdf::Error) -> Error {
    let path = path.to_owned();
    let variable = variable.map(|name| format!("variable {name}"));
    move |source| Error::Netcdf {
        action,
        path: path.clone(),
        variable: variable.clone(),
        source: Box::new(source),
    }
}

/// The library's own selections, made by hand: its conversion from stepped ranges loses the last element.
fn extents(region: &Region) -> Extents {
    let extent = |range: &std::ops::Range<usize>| Extent::SliceCount {
        start: range.start,
        count: range.len(),
        stride: 1,
    };
    region
        .ranges()
        .iter()
        .map(extent)
        .collect::<Vec<_>>()
        .into()
}

fn data_type(stored: &NcVariableType) -> Option<DataType> {
    Some(match stored {
        NcVariableType::Int(IntType::I8) => DataType::I8,
        NcVariableType::Int(IntType::U8) => DataType::U8,
        NcVariableType::Int(IntType::I16) => DataType::I16,
        NcVariableType::Int(IntType::U16) => DataType::U16,
        NcVariableType::Int(IntType::I32) => DataType::I32,
        NcVariableType::Int(IntType::U32) => DataType::U32,
        NcVariableType::Int(IntType::I64) => DataType::I64,
        NcVariableType::Int(IntType::U64) => DataType::U64,
        NcVariableType::Float(FloatType::F32) => DataType::F32,
        NcVariableType::Float(FloatType::F64) => DataType::F64,
        NcVariableType::Char => DataType::Char,
        NcVariableType::String => DataType::Text,
        _ => return None,
    })
}

fn library_type(data_type: DataType) -> NcVariableType {
    match data_type {
        DataType::I8 => NcVariableType::Int(IntType::I8),
        DataType::U8 => NcVariableType::Int(IntType::U8),
        DataType::I16 => NcVariableType::Int(IntType::I16),
        DataType::U16 => NcVariableType::Int(IntType::U16),
        DataType::I32 => NcVariableType::Int(IntType::I32),
        DataType::U32 => NcVariableType::Int(IntType::U32),
        DataType::I64 => NcVariableType::Int(IntType::I64),
        DataType::U64 => NcVariableType::Int(IntType::U64),
        DataType::F32 => NcVariableType::Float(FloatType::F32),
        DataType::F64 => NcVariableType::Float(FloatType::F64),
        DataType::Char => NcVariableType::Char,
        DataType::Text => NcVariableType::String,
    }
}

fn from_library(value: Nc) -> AttributeValue {
    match value {
        Nc::Uchar(x) => AttributeValue::U8(vec![x]),
        Nc::Uchars(x) => AttributeValue::U8(x),
        Nc::Schar(x) => AttributeValue::I8(vec![x]),
        Nc::Schars(x) => AttributeValue::I8(x),
        Nc::Ushort(x) => AttributeValue::U16(vec![x]),
        Nc::Ushorts(x) => AttributeValue::U16(x),
        Nc::Short(x) => AttributeValue::I16(vec![x]),
        Nc::Shorts(x) => AttributeValue::I16(x),
        Nc::Uint(x) => AttributeValue::U32(vec![x]),
        Nc::Uints(x) => AttributeValue::U32(x),
        Nc::Int(x) => AttributeValue::I32(vec![x]),
        Nc::Ints(x) => AttributeValue::I32(x),
        Nc::Ulonglong(x) => AttributeValue::U64(vec![x]),
        Nc::Ulonglongs(x) => AttributeValue::U64(x),
        Nc::Longlong(x) => AttributeValue::I64(vec![x]),
        Nc::Longlongs(x) => AttributeValue::I64(x),
        Nc::Float(x) => AttributeValue::F32(vec![x]),
        Nc::Floats(x) => AttributeValue::F32(x),
        Nc::Double(x) => AttributeValue::F64(vec![x]),
        Nc::Doubles(x) => AttributeValue::F64(x),
        Nc::Str(x) => AttributeValue::Text(x),
        Nc::Strs(x) => AttributeValue::Texts(x),
    }
}

fn to_library(value: &AttributeValue) -> Nc {
    match value.clone() {
        AttributeValue::U8(x) => Nc::Uchars(x),
        AttributeValue::I8(x) => Nc::Schars(x),
        AttributeValue::U16(x) => Nc::Ushorts(x),
        AttributeValue::I16(x) => Nc::Shorts(x),
        AttributeValue::U32(x) => Nc::Uints(x),
        AttributeValue::I32(x) => Nc::Ints(x),
        AttributeValue::U64(x) => Nc::Ulonglongs(x),
        AttributeValue::I64(x) => Nc::Longlongs(x),
        AttributeValue::F32(x) => Nc::Floats(x),
        AttributeValue::F64(x) => Nc::Doubles(x),
        AttributeValue::Text(x) => Nc::Str(x),
        AttributeValue::Texts(x) => Nc::Strs(x),
    }
}
