//! Writing: a file is defined at once through the library, small values with it; then chunks are stored whole, in any
//! order, shuffled and compressed outside the library's lock by whoever brings them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use netcdf::FileMut;
use parking_lot::RwLock;

use super::chunks::copy_cells;
use super::deflate::Deflater;
use super::raw::{RawDataset, RawFile};
use super::shuffle::shuffle;
use super::silence::silence_hdf5;
use super::text::Char;
use super::{extents, library_error, library_type, to_library};
use crate::attribute::AttributeValue;
use crate::buffers::{put_back, sized};
use crate::chunk::{Region, combinations};
use crate::error::Error;
use crate::io::decoding::single;
use crate::io::write_back::WriteBack;
use crate::io::{Layout, OutputVariable};
use crate::values::Values;

/// A netCDF-4 file being written.
#[derive(Debug)]
pub(crate) struct NetcdfWriter {
    /// What the file is called in messages: it is written under a temporary name.
    named: PathBuf,
    open: RwLock<Option<Open>>,
}

/// The file once it is defined.
#[derive(Debug)]
struct Open {
    /// Declared first: arrays are closed before their file.
    fields: HashMap<String, Field>,
    file: RawFile,
    write_back: WriteBack,
}

/// A variable whose chunks come one by one.
#[derive(Debug)]
struct Field {
    dataset: RawDataset,
    shape: Vec<usize>,
    chunk_shape: Vec<usize>,
    /// One value where nothing is, as bytes.
    fill: Vec<u8>,
    encoding: Encoding,
}

/// What is done to chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    /// Shuffled and deflated, at a level.
    Deflate(u8),
}

/// What HDF5 did not do.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("HDF5 does not open what it has just made")]
    Open,
    #[error("HDF5 does not store it as was asked")]
    Storage,
    #[error("HDF5 did not take a chunk")]
    Chunk,
    #[error("HDF5 did not write all of it")]
    Finish,
    #[error("the file is closed")]
    Closed,
}

/// Buffers of a thread that brings a chunk, and what it compresses with.
#[derive(Default)]
struct Scratch {
    padded: Vec<u8>,
    shuffled: Vec<u8>,
    stream: Vec<u8>,
    deflater: Option<Deflater>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl NetcdfWriter {
    /// Makes the file at `path` with all that its layout names.
    pub(crate) fn create(
        path: &Path,
        named: &Path,
        layout: &Layout,
        deflate: u8,
    ) -> Result<Self, Error> {
        silence_hdf5();
        let failed = library_error("create", named, None);
        let mut file = netcdf::create(path).map_err(&failed)?;
        for dimension in &layout.dimensions {
            if dimension.unlimited {
                file.add_unlimited_dimension(&dimension.name)
                    .map_err(&failed)?;
            } else {
                file.add_dimension(&dimension.name, dimension.len)
                    .map_err(&failed)?;
            }
        }
        for (name, value) in layout.attributes.iter() {
            file.add_attribute(name, to_library(value))
                .map_err(&failed)?;
        }
        for variable in &layout.variables {
            define(&mut file, variable, deflate).map_err(library_error(
                "define",
                named,
                Some(&variable.name),
            ))?;
        }
        file.enddef().map_err(&failed)?;
        for variable in &layout.variables {
            if let Some(values) = &variable.values {
                let failed = library_error("write", named, Some(&variable.name));
                for (region, values) in values.pieces() {
                    put_small(&mut file, &variable.name, &region, &values).map_err(&failed)?;
                }
            }
        }
        file.close().map_err(&failed)?;

        let refused = |variable: Option<&str>, refused: Refused| Error::Netcdf {
            action: "create",
            path: named.to_owned(),
            variable: variable.map(|name| format!("variable {name}")),
            source: Box::new(refused),
        };
        let raw = RawFile::open(path, true).ok_or_else(|| refused(None, Refused::Open))?;
        let mut fields = HashMap::new();
        for variable in layout.variables.iter().filter(|v| v.values.is_none()) {
            let field = Field::open(&raw, variable, &layout.shape(variable), deflate)
                .map_err(|why| refused(Some(&variable.name), why))?;
            fields.insert(variable.name.clone(), field);
        }
        let write_back = WriteBack::new(path).map_err(|source| Error::File {
            action: "write",
            path: named.to_owned(),
            source,
        })?;
        Ok(Self {
            named: named.to_owned(),
            open: RwLock::new(Some(Open {
                fields,
                file: raw,
                write_back,
            })),
        })
    }

    /// Makes the bytes of one chunk of one variable, a whole one or what of it lies within the variable, as they are to be
    /// [stored](Self::store), and hands them on.
    ///
    /// # Panics
    /// If the region is not that of a chunk, or if the values are not of its shape and the variable's type.
    pub(crate) fn encode(
        &self,
        name: &str,
        region: &Region,
        values: &Values,
        then: impl FnOnce(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.field(name, region, |field, open| {
            let done = field.encode(region, values, then);
            open.write_back.urge();
            Ok(done)
        })
    }

    /// Stores the bytes of one chunk.
    ///
    /// `noted` hears what was stored, and at which of two places in the file it lies, most likely.
    pub(crate) fn store(
        &self,
        name: &str,
        region: &Region,
        bytes: &[u8],
        noted: impl FnOnce(&[u8], [u64; 2]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.field(name, region, |field, open| {
            let offset: Vec<usize> = region.ranges().iter().map(|range| range.start).collect();
            let places = field.store(&open.file, &offset, bytes)?;
            open.write_back.wrote(bytes.len());
            Ok(noted(bytes, places))
        })
    }

    /// Does something for a chunk of a field.
    fn field(
        &self,
        name: &str,
        region: &Region,
        work: impl FnOnce(&Field, &Open) -> Result<Result<(), Error>, Refused>,
    ) -> Result<(), Error> {
        if region.is_empty() {
            return Ok(());
        }
        // Chunks are stored by those who hold it already, to encode one.
        let open = self.open.read_recursive();
        let Some(open) = &*open else {
            return Err(self.refused("write", Some(name), Refused::Closed));
        };
        work(&open.fields[name], open).map_err(|why| self.refused("write", Some(name), why))?
    }

    /// Closes the file, once all of it is on the disk.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let Some(Open {
            fields,
            file,
            write_back,
        }) = self.open.write().take()
        else {
            return Ok(());
        };
        drop(fields);
        if !file.finish() {
            return Err(self.refused("finish", None, Refused::Finish));
        }
        write_back.finish().map_err(|source| Error::File {
            action: "finish writing",
            path: self.named.clone(),
            source,
        })
    }

    fn refused(&self, action: &'static str, variable: Option<&str>, refused: Refused) -> Error {
        Error::Netcdf {
            action,
            path: self.named.clone(),
            variable: variable.map(|name| format!("variable {name}")),
            source: Box::new(refused),
        }
    }
}

impl Field {
    /// Opens a variable that was just defined, and gives it its length.
    fn open(
        file: &RawFile,
        variable: &OutputVariable,
        shape: &[usize],
        deflate: u8,
    ) -> Result<Self, Refused> {
        let dataset = file.dataset(&variable.name).ok_or(Refused::Open)?;
        let storage = dataset.storage().ok_or(Refused::Open)?;
        let size = variable.data_type.size() as u32;
        let filters: Vec<(i32, Option<u32>)> = storage
            .filters
            .iter()
            .map(|filter| (filter.id, filter.parameters.first().copied()))
            .collect();
        let encoding = match filters.as_slice() {
            [] => Encoding::Plain,
            [(2, Some(of)), (1, _)] if *of == size => Encoding::Deflate(deflate),
            _ => return Err(Refused::Storage),
        };
        let big_endian = cfg!(target_endian = "big");
        let wanted = Some((variable.data_type, big_endian && size > 1));
        let (Some(chunk_shape), true) = (storage.chunk_shape, storage.values == wanted) else {
            return Err(Refused::Storage);
        };
        if storage.shape != shape && !dataset.set_shape(shape) {
            return Err(Refused::Storage);
        }
        let fill = variable
            .fill
            .as_ref()
            .map(|fill| bytes(&single(fill)).to_vec());
        Ok(Self {
            dataset,
            shape: shape.to_vec(),
            chunk_shape,
            fill: fill.unwrap_or_else(|| vec![0; size as usize]),
            encoding,
        })
    }

    fn store(&self, file: &RawFile, offset: &[usize], bytes: &[u8]) -> Result<[u64; 2], Refused> {
        self.dataset
            .write_chunk(file, offset, bytes)
            .ok_or(Refused::Chunk)
    }

    /// Makes the bytes of a chunk, and hands them on.
    fn encode<T>(&self, region: &Region, values: &Values, then: impl FnOnce(&[u8]) -> T) -> T {
        let offset: Vec<usize> = region.ranges().iter().map(|range| range.start).collect();
        let chunk: Vec<Range<usize>> = offset
            .iter()
            .zip(&self.chunk_shape)
            .map(|(&start, &n)| start..start + n)
            .collect();
        let within = chunk
            .iter()
            .zip(&self.shape)
            .map(|(c, &n)| c.start..c.end.min(n));
        let starts = offset
            .iter()
            .zip(&self.chunk_shape)
            .all(|(o, n)| o % n == 0);
        assert!(
            starts && within.eq(region.ranges().iter().cloned()),
            "{region} is a chunk"
        );
        assert_eq!(values.shape(), region.shape(), "as many values as cells");
        let chunk = Region::new(chunk);
        let bytes = bytes(values);
        assert_eq!(
            bytes.len(),
            region.len() * self.fill.len(),
            "values of the variable's type"
        );

        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch {
                padded,
                shuffled,
                stream,
                deflater,
            } = scratch;
            let whole = if *region == chunk {
                bytes
            } else {
                let whole = sized(padded, chunk.len() * self.fill.len());
                for cell in whole.chunks_exact_mut(self.fill.len()) {
                    cell.copy_from_slice(&self.fill);
                }
                copy_cells(self.fill.len(), region, (region, bytes), (&chunk, whole));
                whole
            };
            let stored = match self.encoding {
                Encoding::Plain => whole,
                Encoding::Deflate(level) => {
                    let shuffled = sized(shuffled, whole.len());
                    shuffle(self.fill.len(), whole, shuffled);
                    match deflater {
                        Some(deflater) if deflater.level() == level => deflater,
                        other => other.insert(Deflater::new(level)),
                    }
                    .compress(shuffled, stream)
                }
            };
            let done = then(stored);
            for buffer in [padded, shuffled, stream] {
                put_back(buffer);
            }
            done
        })
    }
}

/// The bytes of numbers, row by row.
fn bytes(values: &Values) -> &[u8] {
    macro_rules! bytes {
        ($($variant:ident),*) => {
            match values {
                $(Values::$variant(array) => bytemuck::cast_slice(array.as_slice().expect("row by row")),)*
                Values::Char(_) | Values::Text(_) => unreachable!("fields are numbers"),
            }
        };
    }
    bytes!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

/// Writes a region of one variable through the library.
fn put_small(
    file: &mut FileMut,
    name: &str,
    region: &Region,
    values: &Values,
) -> netcdf::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let mut variable = file
        .variable_mut(name)
        .ok_or_else(|| netcdf::Error::NotFound(name.to_owned()))?;
    macro_rules! put {
        ($($variant:ident),*) => {
            match values {
                $(Values::$variant(array) => {
                    let array = array.as_standard_layout();
                    variable.put_values(array.as_slice().expect("row by row"), extents(region))
                })*
                Values::Char(array) => {
                    let bytes: Vec<Char> = array.iter().map(|&byte| Char(byte)).collect();
                    variable.put_values(&bytes, extents(region))
                }
                Values::Text(array) => {
                    for (offset, text) in combinations(values.shape()).zip(array.iter()) {
                        let one: Vec<Range<usize>> = offset.iter().map(|&o| o..o + 1).collect();
                        variable.put_string(text, extents(&Region::new(one)))?;
                    }
                    Ok(())
                }
            }
        };
    }
    put!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

fn define(file: &mut FileMut, variable: &OutputVariable, deflate: u8) -> netcdf::Result<()> {
    let dimensions: Vec<&str> = variable.dimensions.iter().map(String::as_str).collect();
    let mut defined = file.add_variable_with_type(
        &variable.name,
        &dimensions,
        &library_type(variable.data_type),
    )?;
    if let Some(shape) = &variable.chunk_shape {
        defined.set_chunking(shape)?;
        if deflate > 0 {
            defined.set_compression(i32::from(deflate), true)?;
        }
    }
    match &variable.fill {
        Some(AttributeValue::I8(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::U8(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::I16(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::U16(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::I32(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::U32(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::I64(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::U64(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::F32(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::F64(x)) => defined.set_fill_value(x[0])?,
        Some(AttributeValue::Text(_) | AttributeValue::Texts(_)) | None => {}
    }
    for (name, value) in variable.attributes.iter() {
        if name != "_FillValue" {
            defined.put_attribute(name, to_library(value))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
