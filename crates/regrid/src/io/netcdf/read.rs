//! Reading: what is in a file, and regions of a variable.

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::Pod;
use ndarray::{ArrayD, IxDyn};
use netcdf::NcTypeDescriptor;

use super::chunks::{Access, Fault};
use super::located::{Identity, Located};
use super::open_files::OpenFiles;
use super::text::Char;
use super::{data_type, extents, from_library, library_error};
use crate::attribute::Attributes;
use crate::buffers::{self, Number};
use crate::chunk::{Region, combinations};
use crate::error::Error;
use crate::io::being_read::BeingRead;
use crate::io::{
    ChunkSource, Dimension, FileKind, FileMeta, LengthError, SourceFile, VariableMeta,
    check_complete, traffic,
};
use crate::values::{DataType, Values};

/// Coordinates and their like up to so many bytes are kept in memory from when their file is first opened: a catalogue of
/// thousands of files would otherwise open each again for every one of them.
const SMALL: usize = 64 << 10;

/// Bytes of the widest number.
const WIDEST: usize = 8;

/// A file of a kind that is read, no shorter than its head says: all that can be known of it without the library.
#[derive(Debug)]
pub(crate) struct WholeFile {
    path: PathBuf,
    kind: FileKind,
}

impl WholeFile {
    /// Looks at a file.
    ///
    /// # Errors
    /// [`Error::NotNetcdf`], [`Error::Length`].
    pub(crate) fn at(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        match check_complete(&path)? {
            FileKind::Unknown => Err(Error::NotNetcdf { path }),
            kind => Ok(Self { path, kind }),
        }
    }
}

/// A netCDF file of any kind.
#[derive(Debug)]
pub(crate) struct NetcdfFile {
    path: PathBuf,
    meta: FileMeta,
    files: Arc<OpenFiles>,
    /// Which file it was; none where the system does not say.
    identity: Option<Identity>,
    /// Values of small variables of one dimension, or of pairs or texts along one.
    small: HashMap<String, Arc<Values>>,
    /// Where other variables lie, if the file is one of many.
    located: Option<Arc<Located>>,
}

impl NetcdfFile {
    /// Opens a file and reads what it says of itself.
    ///
    /// # Errors
    /// [`Error::NotNetcdf`], [`Error::Length`], [`Error::Damaged`], [`Error::Netcdf`].
    pub(crate) fn open(path: &Path, files: &Arc<OpenFiles>) -> Result<Self, Error> {
        Self::of(WholeFile::at(path)?, files)
    }

    /// Opens a file that was looked at, and reads what it says of itself.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Netcdf`].
    pub(crate) fn of(file: WholeFile, files: &Arc<OpenFiles>) -> Result<Self, Error> {
        let WholeFile { path, kind } = file;
        let path = path.as_path();
        let mut reading = BeingRead::new(path, None);
        let identity = Identity::at(path).ok();
        let file = files.library(path)?;
        // The crate unwraps where a file's header is odd; such a file is damaged, not a reason to die.
        let meta = catch_unwind(AssertUnwindSafe(|| {
            read_meta(&file, path, kind, &mut reading)
        }))
        .unwrap_or_else(|_| {
            Err(Error::Damaged {
                path: path.to_owned(),
                what: "its header holds names or types that cannot be read".into(),
            })
        })?;
        let mut opened = Self {
            path: path.to_owned(),
            meta,
            files: files.clone(),
            identity,
            small: HashMap::new(),
            located: None,
        };
        opened.read_small(&mut reading);
        if kind == FileKind::Hdf5 {
            if files.one_of_many() {
                opened.locate();
            }
            // Chunks are read beneath the library, which takes megabytes for each file; what is not opens it again.
            match opened.located {
                Some(_) => files.close(path),
                None => files.close_library(path),
            }
        }
        Ok(opened)
    }

    /// Reads what is small; what cannot be read is an error only for those who ask for it.
    fn read_small(&mut self, reading: &mut BeingRead) {
        for variable in &self.meta.variables {
            let shape = self.meta.shape(variable);
            if is_small(variable, &shape)
                && let Ok(source) = self.variable(&variable.name)
                && let Ok(values) = source.read(&Region::whole(&shape))
            {
                self.small.insert(variable.name.clone(), Arc::new(values));
            }
            reading.goes_on();
        }
    }

    /// Looks where its fields lie, so that it need not be opened again for them.
    fn locate(&mut self) {
        let variables = self.meta.variables.iter();
        let fields: Vec<_> = variables
            .map(|v| (v.name.as_str(), self.meta.shape(v), v))
            .filter(|(_, shape, v)| v.data_type.is_numeric() && !is_small(v, shape))
            .map(|(name, shape, v)| (name, shape, v.data_type))
            .collect();
        self.located = Located::of(&self.files, &self.path, &fields).map(Arc::new);
    }
}

/// Whether a variable is a coordinate by its looks, and short.
fn is_small(variable: &VariableMeta, shape: &[usize]) -> bool {
    let flat = match (shape, variable.data_type) {
        (_, DataType::Text) => false,
        ([] | [_] | [_, 0..=2], _) | ([_, _], DataType::Char) => true,
        _ => false,
    };
    flat && shape.iter().product::<usize>() * variable.data_type.size() <= SMALL
}

/// Whether the values of an array, and their bytes as the widest numbers, can be counted: a file may state any lengths, since it
/// need not hold what was never written.
fn can_be_counted(lengths: impl Iterator<Item = usize>) -> bool {
    // An array of nothing has a stride along each dimension, too.
    let mut all = lengths.filter(|&len| len > 0);
    let bytes = all.try_fold(WIDEST, usize::checked_mul);
    bytes.is_some_and(|bytes| bytes <= isize::MAX as usize)
}

fn read_meta(
    file: &netcdf::File,
    path: &Path,
    kind: FileKind,
    reading: &mut BeingRead,
) -> Result<FileMeta, Error> {
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
        reading.goes_on();
        let name = variable.name();
        let lengths = variable.dimensions().iter().map(netcdf::Dimension::len);
        let known = data_type(&variable.vartype()).filter(|_| can_be_counted(lengths));
        let Some(data_type) = known else {
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
        let shape = self.meta.shape(variable);
        // What is small is read when the file is opened: the file is open through the library then.
        let beneath = variable.data_type.is_numeric() && !is_small(variable, &shape);
        Ok(Arc::new(NetcdfVariable {
            path: self.path.clone(),
            files: self.files.clone(),
            identity: self.identity,
            name: variable.name.clone(),
            shape,
            data_type: variable.data_type,
            chunk_shape: variable.chunk_shape.clone(),
            beneath,
            small: self.small.get(name).cloned(),
            located: self.located.clone(),
        }))
    }
}

/// One variable of a netCDF file.
#[derive(Debug)]
struct NetcdfVariable {
    path: PathBuf,
    files: Arc<OpenFiles>,
    identity: Option<Identity>,
    name: String,
    shape: Vec<usize>,
    data_type: DataType,
    chunk_shape: Option<Vec<usize>>,
    /// Whether what is stored may be read as it is, outside the library's lock.
    beneath: bool,
    /// All values, if they are kept in memory.
    small: Option<Arc<Values>>,
    /// Where the file's variables lie, as far as that is known.
    located: Option<Arc<Located>>,
}

impl NetcdfVariable {
    /// That no other file has taken the place of the one whose shapes and times are known; one that goes on growing has not.
    fn check_same(&self) -> Result<(), Error> {
        let now = Identity::at(&self.path).ok();
        match (self.identity, now) {
            (Some(then), Some(now)) if !now.is_same_file(then) => Err(Error::Replaced {
                path: self.path.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// That the file was not cut short since it was opened: the library reads what a classic file lacks as zeros.
    fn check_whole(&self) -> Result<(), Error> {
        let now = Identity::at(&self.path).ok();
        match (self.identity, now) {
            (Some(then), Some(now)) if now.length() < then.length() => Err(Error::Netcdf {
                action: "read",
                path: self.path.clone(),
                variable: Some(format!("variable {}", self.name)),
                source: Box::new(LengthError::Truncated {
                    path: self.path.clone(),
                    got: now.length(),
                    expected: then.length(),
                }),
            }),
            _ => Ok(()),
        }
    }

    /// How to read it beneath the library, and the file to read it from; none if only the library takes the file.
    fn access(&self) -> Option<(Arc<File>, Arc<Access>)> {
        self.located
            .as_ref()
            .and_then(|located| located.access(&self.files, &self.path, &self.name))
            .or_else(|| {
                self.files
                    .access(&self.path, &self.name, &self.shape, self.data_type)
            })
    }

    /// Reads numbers into a buffer: as they lie in the file, or chunk by chunk if their filters are known, else by the library.
    fn read_numbers<T: Number + NcTypeDescriptor + Pod>(
        &self,
        region: &Region,
        out: &mut [T],
    ) -> Result<(), Error> {
        let by_library = |out: &mut [T]| {
            traffic::count(size_of_val(out) as u64);
            self.read_by_library(region, out)
        };
        if !self.beneath {
            return by_library(out);
        }
        let Some((file, access)) = self.access() else {
            return by_library(out);
        };
        let chunks = match &*access {
            Access::Chunks(chunks) => chunks,
            Access::Plain(plain) => {
                return plain
                    .read(&file, region, bytemuck::cast_slice_mut(out))
                    .map_err(|source| Error::Netcdf {
                        action: "read",
                        path: self.path.clone(),
                        variable: Some(format!("variable {}", self.name)),
                        source: Box::new(source),
                    });
            }
            Access::Library => return by_library(out),
            Access::Lacks(filter) => {
                return Err(Error::Filter {
                    path: self.path.clone(),
                    variable: self.name.clone(),
                    filter: filter.to_string(),
                });
            }
        };
        let absent = |window: &Region, bytes: &mut [u8]| {
            let mut values = buffers::take::<T>(window.len());
            self.read_by_library(window, &mut values)?;
            bytes.copy_from_slice(bytemuck::cast_slice(&values));
            buffers::give(values);
            Ok(())
        };
        chunks
            .read(&file, region, bytemuck::cast_slice_mut(out), absent)
            .map_err(|error| Error::Chunk {
                path: self.path.clone(),
                variable: self.name.clone(),
                chunk: error.chunk,
                source: match error.fault {
                    Fault::Damaged(fault) => Box::new(fault),
                    Fault::Absent(Error::Netcdf { source, .. }) => source,
                    Fault::Absent(other) => Box::new(other),
                },
            })
    }

    fn read_by_library<T: NcTypeDescriptor + Copy>(
        &self,
        region: &Region,
        out: &mut [T],
    ) -> Result<(), Error> {
        let failed = library_error("read", &self.path, Some(&self.name));
        let read = |file: Arc<netcdf::File>| {
            let variable = file
                .variable(&self.name)
                .ok_or_else(|| failed(netcdf::Error::NotFound(self.name.clone())))?;
            variable
                .get_values_into(out, extents(region))
                .map_err(&failed)
        };
        let done = self.files.library(&self.path).and_then(read);
        // Says more than the library does, where that says anything.
        self.check_whole()?;
        done
    }

    /// Reads texts of any length, one by one.
    fn read_texts(&self, region: &Region) -> Result<Vec<String>, Error> {
        let failed = library_error("read", &self.path, Some(&self.name));
        let file = self.files.library(&self.path)?;
        let variable = file
            .variable(&self.name)
            .ok_or_else(|| failed(netcdf::Error::NotFound(self.name.clone())))?;
        let one = |offset: Vec<usize>| {
            let at = offset
                .iter()
                .zip(region.ranges())
                .map(|(o, r)| r.start + o..r.start + o + 1);
            variable.get_string(extents(&Region::new(at.collect::<Vec<_>>())))
        };
        combinations(&region.shape())
            .map(one)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
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
            traffic::count(0);
            return Ok(Values::clone(values));
        }
        self.check_same()?;
        let bytes = (region.len() * self.data_type.size()) as u64;
        let _reading = BeingRead::new(&self.path, Some((&self.name, bytes)));
        let wanted = IxDyn(&shape);
        macro_rules! read {
            ($($variant:ident),*) => {
                match self.data_type {
                    $(DataType::$variant => {
                        let mut values = buffers::take(region.len());
                        self.read_numbers(region, &mut values)?;
                        Values::$variant(ArrayD::from_shape_vec(wanted, values).expect("one number per cell"))
                    })*
                    DataType::Char => {
                        let mut values = vec![Char(0); region.len()];
                        self.read_by_library(region, &mut values)?;
                        let bytes = values.into_iter().map(|c| c.0).collect();
                        Values::Char(ArrayD::from_shape_vec(wanted, bytes).expect("one byte per cell"))
                    }
                    DataType::Text => {
                        let texts = self.read_texts(region)?;
                        Values::Text(ArrayD::from_shape_vec(wanted, texts).expect("one text per cell"))
                    }
                }
            };
        }
        Ok(read!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64))
    }

    fn filter_buffers(&self) -> Option<usize> {
        if !self.beneath {
            return None;
        }
        let _reading = BeingRead::new(&self.path, Some((&self.name, 0)));
        let (_, access) = self.access()?;
        match &*access {
            Access::Chunks(chunks) => chunks.filter_buffers(),
            Access::Plain(_) => None,
            // The library has a chunk as it is stored and another one for a filter.
            Access::Library | Access::Lacks(_) => self.chunk_shape().map(|_| 1),
        }
    }

    fn stored_bytes(&self, region: &Region) -> Option<u64> {
        if self.small.is_some() && region.shape() == self.shape {
            return Some(0);
        }
        let values = (region.len() * self.data_type.size()) as u64;
        if !self.beneath {
            return self.data_type.is_numeric().then_some(values);
        }
        let _reading = BeingRead::new(&self.path, Some((&self.name, values)));
        let (_, access) = self.access()?;
        match &*access {
            Access::Chunks(chunks) => Some(chunks.stored_bytes(region)),
            Access::Plain(plain) => Some(plain.stored_bytes(region)),
            Access::Library | Access::Lacks(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tree_tests;
