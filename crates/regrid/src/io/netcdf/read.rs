//! Reading: what is in a file, and regions of a variable.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use parking_lot::Mutex;

use super::silence::silence_hdf5;
use super::text::Char;
use super::{data_type, extents, from_library, library_error};
use crate::attribute::Attributes;
use crate::chunk::{Region, combinations};
use crate::error::Error;
use crate::io::{
    ChunkSource, Dimension, FileKind, FileMeta, SourceFile, VariableMeta, check_complete,
};
use crate::values::{DataType, Values};

/// Files kept open at once: below the usual limit of descriptors, well above what a chunk touches.
const MOST_OPEN: usize = 128;

/// Coordinates and their like up to so many bytes are kept in memory from when their file is first opened: a catalogue of
/// thousands of files would otherwise open each again for every one of them.
const SMALL: usize = 64 << 10;

/// The files of a catalogue that are open at the moment, the last used one last.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles(Mutex<Vec<(PathBuf, Arc<netcdf::File>)>>);

impl OpenFiles {
    /// The open file at a path; opens it, and lets go of the one that was not used for longest, if need be.
    fn get(&self, path: &Path) -> Result<Arc<netcdf::File>, Error> {
        silence_hdf5();
        let mut open = self.0.lock();
        if let Some(at) = open.iter().position(|(p, _)| p == path) {
            let entry = open.remove(at);
            let file = entry.1.clone();
            open.push(entry);
            return Ok(file);
        }
        let file = netcdf::open(path).or_else(|error| {
            // Too many open files, perhaps: those that no task uses at the moment can be let go.
            if open.is_empty() {
                return Err(error);
            }
            open.clear();
            netcdf::open(path)
        });
        let file = Arc::new(file.map_err(library_error("open", path, None))?);
        if open.len() >= MOST_OPEN {
            open.remove(0);
        }
        open.push((path.to_owned(), file.clone()));
        Ok(file)
    }
}

/// A netCDF file of any kind.
#[derive(Debug)]
pub(crate) struct NetcdfFile {
    path: PathBuf,
    meta: FileMeta,
    files: Arc<OpenFiles>,
    /// Values of small variables of one dimension, or of pairs or texts along one.
    small: HashMap<String, Arc<Values>>,
}

impl NetcdfFile {
    /// Opens a file and reads what it says of itself.
    ///
    /// # Errors
    /// [`Error::NotNetcdf`], [`Error::Length`], [`Error::Damaged`], [`Error::Netcdf`].
    pub(crate) fn open(path: &Path, files: &Arc<OpenFiles>) -> Result<Self, Error> {
        let kind = check_complete(path)?;
        if kind == FileKind::Unknown {
            return Err(Error::NotNetcdf {
                path: path.to_owned(),
            });
        }
        let file = files.get(path)?;
        // The crate unwraps where a file's header is odd; such a file is damaged, not a reason to die.
        let meta = catch_unwind(AssertUnwindSafe(|| read_meta(&file, path, kind))).unwrap_or_else(
            |_| {
                Err(Error::Damaged {
                    path: path.to_owned(),
                    what: "its header holds names or types that cannot be read".into(),
                })
            },
        )?;
        let mut opened = Self {
            path: path.to_owned(),
            meta,
            files: files.clone(),
            small: HashMap::new(),
        };
        opened.read_small();
        Ok(opened)
    }

    /// Reads what is small; what cannot be read is an error only for those who ask for it.
    fn read_small(&mut self) {
        for variable in &self.meta.variables {
            let shape = self.meta.shape(variable);
            let flat = match (shape.as_slice(), variable.data_type) {
                (_, DataType::Text) => false,
                ([] | [_] | [_, 0..=2], _) | ([_, _], DataType::Char) => true,
                _ => false,
            };
            let bytes = shape.iter().product::<usize>() * variable.data_type.size();
            if flat
                && bytes <= SMALL
                && let Ok(source) = self.variable(&variable.name)
                && let Ok(values) = source.read(&Region::whole(&shape))
            {
                self.small.insert(variable.name.clone(), Arc::new(values));
            }
        }
    }
}

fn read_meta(file: &netcdf::File, path: &Path, kind: FileKind) -> Result<FileMeta, Error> {
    let mut meta = FileMeta {
        format: kind.to_string(),
        ..FileMeta::default()
    };
    for attribute in file.attributes() {
        if let Ok(value) = attribute.value() {
            meta.attributes.set(attribute.name(), from_library(value));
        }
    }
    for dimension in file.dimensions() {
        meta.dimensions.push(Dimension {
            name: dimension.name(),
            len: dimension.len(),
            unlimited: dimension.is_unlimited(),
        });
    }
    for variable in file.variables() {
        let name = variable.name();
        let Some(data_type) = data_type(&variable.vartype()) else {
            meta.unread.push(name);
            continue;
        };
        let mut attributes = Attributes::new();
        for attribute in variable.attributes() {
            if let Ok(value) = attribute.value() {
                attributes.set(attribute.name(), from_library(value));
            }
        }
        meta.variables.push(VariableMeta {
            data_type,
            dimensions: variable
                .dimensions()
                .iter()
                .map(netcdf::Dimension::name)
                .collect(),
            attributes,
            // Classic files have no storage chunks: the library answers with an error.
            chunk_shape: variable.chunking().unwrap_or(None),
            name,
        });
    }
    // A classic file has no groups, and the crate answers oddly when asked for some.
    if kind == FileKind::Hdf5 {
        let groups = file
            .groups()
            .map_err(library_error("read the groups of", path, None))?;
        meta.unread
            .extend(groups.map(|group| format!("{}/", group.name())));
    }
    Ok(meta)
}

impl SourceFile for NetcdfFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        let variable = self
            .meta
            .variable(name)
            .ok_or_else(|| Error::UnknownVariable {
                name: name.to_owned(),
                known: self.meta.variables.iter().map(|v| v.name.clone()).collect(),
            })?;
        Ok(Arc::new(NetcdfVariable {
            path: self.path.clone(),
            files: self.files.clone(),
            name: variable.name.clone(),
            shape: self.meta.shape(variable),
            data_type: variable.data_type,
            chunk_shape: variable.chunk_shape.clone(),
            small: self.small.get(name).cloned(),
        }))
    }
}

/// One variable of a netCDF file, read through the library and its lock.
#[derive(Debug)]
struct NetcdfVariable {
    path: PathBuf,
    files: Arc<OpenFiles>,
    name: String,
    shape: Vec<usize>,
    data_type: DataType,
    chunk_shape: Option<Vec<usize>>,
    /// All values, if they are kept in memory.
    small: Option<Arc<Values>>,
}

impl ChunkSource for NetcdfVariable {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data_type(&self) -> DataType {
        self.data_type
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        self.chunk_shape.as_deref()
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        let shape = region.shape();
        if region.is_empty() {
            return Ok(Values::zeros(self.data_type, &shape));
        }
        if let Some(values) = &self.small
            && shape == self.shape
        {
            return Ok(Values::clone(values));
        }
        let failed = library_error("read", &self.path, Some(&self.name));
        let file = self.files.get(&self.path)?;
        let variable = file
            .variable(&self.name)
            .ok_or_else(|| failed(netcdf::Error::NotFound(self.name.clone())))?;
        let wanted = IxDyn(&shape);
        macro_rules! read {
            ($($variant:ident),*) => {
                match self.data_type {
                    $(DataType::$variant => {
                        let values = variable.get_values(extents(region)).map_err(&failed)?;
                        Values::$variant(ArrayD::from_shape_vec(wanted, values).expect("the library fills the region"))
                    })*
                    DataType::Char => {
                        let values = variable.get_values::<Char, _>(extents(region)).map_err(&failed)?;
                        let bytes = values.into_iter().map(|c| c.0).collect();
                        Values::Char(ArrayD::from_shape_vec(wanted, bytes).expect("the library fills the region"))
                    }
                    DataType::Text => {
                        let mut texts = Vec::with_capacity(region.len());
                        for offset in combinations(&shape) {
                            let at = offset.iter().zip(region.ranges()).map(|(o, r)| r.start + o..r.start + o + 1);
                            let one = Region::new(at.collect::<Vec<_>>());
                            texts.push(variable.get_string(extents(&one)).map_err(&failed)?);
                        }
                        Values::Text(ArrayD::from_shape_vec(wanted, texts).expect("one text per cell"))
                    }
                }
            };
        }
        Ok(read!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64))
    }
}
