//! Files behind a few small traits: what is in them, and regions of their values.
//!
//! The folder's own files know netCDF: `netcdf` reads and writes it, `length` (with `classic`, `superblock` and `header`)
//! notices files that are cut short, `being_read` knows what to tell if a library crashes or runs in circles, `cf`,
//! `decoding`, `signs` and `spare` know the conventions. The rest of the crate sees [`SourceFile`] and [`ChunkSource`], so
//! that another format can stand beside netCDF.

mod being_read;
pub(crate) mod cf;
mod classic;
pub(crate) mod decoding;
mod header;
mod length;
pub(crate) mod netcdf;
pub(crate) mod signs;
mod spare;
mod superblock;
pub(crate) mod traffic;
mod write_back;

pub use being_read::{EndlessReads, being_read};
pub use header::LengthError;
pub use length::{FileKind, check_complete, expected_length};

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::attribute::{AttributeValue, Attributes};
use crate::chunk::Region;
use crate::error::Error;
use crate::field::VariableValues;
use crate::values::{DataType, Values};

/// One dimension of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its length.
    pub len: usize,
    /// Whether a file may grow along it.
    pub unlimited: bool,
}

/// What a file says of one variable.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableMeta {
    /// Its name.
    pub name: String,
    /// The type as stored.
    pub data_type: DataType,
    /// The names of its dimensions, in order.
    pub dimensions: Vec<String>,
    /// Its attributes.
    pub attributes: Attributes,
    /// The shape of its storage chunks; `None` if it is stored in one stretch.
    pub chunk_shape: Option<Vec<usize>>,
}

/// What a file says of itself: no values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileMeta {
    /// The kind of file, for people.
    pub format: String,
    /// The file's own attributes.
    pub attributes: Attributes,
    /// Its dimensions.
    pub dimensions: Vec<Dimension>,
    /// Its variables.
    pub variables: Vec<VariableMeta>,
    /// Variables of types that are not read, or of more values than can be counted, and groups, by name.
    pub unread: Vec<String>,
}

impl FileMeta {
    /// A variable by name.
    pub fn variable(&self, name: &str) -> Option<&VariableMeta> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// A dimension by name.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.name == name)
    }

    /// The lengths of a variable's dimensions.
    pub fn shape(&self, variable: &VariableMeta) -> Vec<usize> {
        variable
            .dimensions
            .iter()
            .map(|name| self.dimension(name).map_or(0, |d| d.len))
            .collect()
    }
}

/// An open file of any format.
pub trait SourceFile: fmt::Debug + Send + Sync {
    /// Where it is.
    fn path(&self) -> &Path;

    /// What is in it.
    fn meta(&self) -> &FileMeta;

    /// The values of one variable.
    ///
    /// # Errors
    /// [`Error::UnknownVariable`], or what the format's library says.
    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error>;
}

/// The values of one variable, region by region.
pub trait ChunkSource: fmt::Debug + Send + Sync {
    /// Its length along each dimension.
    fn shape(&self) -> &[usize];

    /// The type as stored.
    fn data_type(&self) -> DataType;

    /// The shape of its storage chunks; `None` if it is stored in one stretch.
    fn chunk_shape(&self) -> Option<&[usize]>;

    /// The values of a region, as stored, row by row.
    ///
    /// # Errors
    /// What the file system or the format's library says.
    fn read(&self, region: &Region) -> Result<Values, Error>;

    /// How many buffers of the size of a storage chunk are filled while one is read, beside the chunk as it is stored and its values:
    /// between filters. Nothing where chunks are stored as they are read.
    fn filter_buffers(&self) -> Option<usize> {
        None
    }

    /// Bytes that a region takes in the file, compressed as they are; nothing if that is not known.
    fn stored_bytes(&self, region: &Region) -> Option<u64> {
        let _ = region;
        None
    }
}

/// A variable of an output file.
#[derive(Debug, Clone)]
pub(crate) struct OutputVariable {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) dimensions: Vec<String>,
    pub(crate) attributes: Attributes,
    pub(crate) fill: Option<AttributeValue>,
    pub(crate) chunk_shape: Option<Vec<usize>>,
    /// The values, where they are known when the file is made.
    pub(crate) values: Option<VariableValues>,
}

/// All that an output file holds, but for the values that come later.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) attributes: Attributes,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) variables: Vec<OutputVariable>,
}

impl Layout {
    /// The lengths of a variable's dimensions.
    pub(crate) fn shape(&self, variable: &OutputVariable) -> Vec<usize> {
        let len = |name: &String| {
            self.dimensions
                .iter()
                .find(|d| d.name == *name)
                .map_or(0, |d| d.len)
        };
        variable.dimensions.iter().map(len).collect()
    }
}
