//! Writing: a file is defined at once, small values with it; chunks follow in any order.

use std::path::{Path, PathBuf};

use netcdf::FileMut;
use parking_lot::Mutex;

use super::silence::silence_hdf5;
use super::text::Char;
use super::{extents, library_error, library_type, to_library};
use crate::attribute::AttributeValue;
use crate::chunk::{Region, combinations};
use crate::error::Error;
use crate::io::{Layout, OutputVariable};
use crate::values::Values;

/// A netCDF-4 file being written.
#[derive(Debug)]
pub(crate) struct NetcdfWriter {
    path: PathBuf,
    /// What the file is called in messages: it is written under a temporary name.
    named: PathBuf,
    file: Mutex<Option<FileMut>>,
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
        let writer = Self {
            path: path.to_owned(),
            named: named.to_owned(),
            file: Mutex::new(Some(file)),
        };
        for variable in &layout.variables {
            if let Some(values) = &variable.values {
                writer.put(&variable.name, &Region::whole(values.shape()), values)?;
            }
        }
        Ok(writer)
    }

    /// Writes one region of one variable.
    pub(crate) fn put(&self, name: &str, region: &Region, values: &Values) -> Result<(), Error> {
        if region.is_empty() {
            return Ok(());
        }
        silence_hdf5();
        let failed = library_error("write", &self.named, Some(name));
        let mut file = self.file.lock();
        let file = file
            .as_mut()
            .ok_or_else(|| failed("the file is closed".into()))?;
        let mut variable = file
            .variable_mut(name)
            .ok_or_else(|| failed(netcdf::Error::NotFound(name.to_owned())))?;
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
                        let mut result = Ok(());
                        for (offset, text) in combinations(&region.shape()).zip(array.iter()) {
                            let at = offset.iter().zip(region.ranges()).map(|(o, r)| r.start + o..r.start + o + 1);
                            let one = Region::new(at.collect::<Vec<_>>());
                            result = result.and_then(|()| variable.put_string(text, extents(&one)));
                        }
                        result
                    }
                }
            };
        }
        put!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64).map_err(failed)
    }

    /// Closes the file, once all of it is on the disk.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        silence_hdf5();
        let failed = library_error("finish", &self.named, None);
        let Some(file) = self.file.lock().take() else {
            return Ok(());
        };
        file.sync().map_err(&failed)?;
        file.close().map_err(&failed)?;
        let fault = |source| Error::File {
            action: "finish writing",
            path: self.named.clone(),
            source,
        };
        std::fs::File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(fault)
    }
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
