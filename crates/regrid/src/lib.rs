//! Regridding of weather and climate fields.

#![deny(unsafe_code)]

mod attribute;
mod axis;
mod catalogue;
mod chunk;
mod companions;
mod error;
mod field;
mod grid;
mod io;
mod kernel;
mod output;
mod pipeline;
mod plan;
mod request;
mod scheme;
pub mod time;
mod values;
mod weights;

pub use attribute::{AttributeValue, Attributes};
pub use axis::{AxisKind, Latitudes, Longitudes};
pub use catalogue::{Catalogue, Role, SourceDimension, SourceVariable, Unsupported};
pub use chunk::{Region, cuts};
pub use error::Error;
pub use field::{Field, FieldMeta, Variable};
pub use grid::Grid;
pub use io::{
    ChunkSource, Dimension, FileKind, FileMeta, LengthError, SourceFile, VariableMeta,
    check_complete, expected_length,
};
pub use output::Write;
pub use pipeline::{LazyField, PlannedWrite, Reads, write};
pub use request::Request;
pub use scheme::{Edges, Method, Outside, Pole, RectilinearWeights};
pub use values::{DataType, Element, Values};
pub use weights::AxisWeights;
