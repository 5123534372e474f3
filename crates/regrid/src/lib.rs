//! Regridding of weather and climate fields.

mod attribute;
mod axis;
mod chunk;
mod error;
mod grid;
mod io;
mod kernel;
mod plan;
mod scheme;
pub mod time;
mod values;
mod weights;

pub use attribute::{AttributeValue, Attributes};
pub use axis::{AxisKind, Latitudes, Longitudes};
pub use chunk::{Region, cuts};
pub use error::Error;
pub use grid::Grid;
pub use io::{ChunkSource, Dimension, FileKind, FileMeta, LengthError, SourceFile, VariableMeta};
pub use scheme::{Edges, Method, Outside, Pole, RectilinearWeights};
pub use values::{DataType, Element, Values};
pub use weights::AxisWeights;
