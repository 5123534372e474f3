//! The grid of a file, as a target.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::coordinates::Grids;
use super::placement::{Placement, placement};
use super::scalars::unfolded;
use crate::attribute::Attributes;
use crate::error::Error;
use crate::grid::Grid;
use crate::io::netcdf::{NetcdfFile, OpenFiles};
use crate::io::signs::as_meant;
use crate::io::{FileMeta, SourceFile, VariableMeta};
use crate::values::DataType;

impl Grid {
    /// The grid of a file: the one that its variables lie on.
    ///
    /// Names, standard names and bounds of the coordinates are taken along, and the grid mapping. A file without fields will
    /// do, as long as its coordinates make one grid. A text file may hold a description as [`Grid::described`] reads it.
    ///
    /// # Errors
    /// [`Error::GridFile`] for a text that describes no grid; [`Error::NoGrid`], [`Error::SeveralGrids`]; [`Error::NotRegriddable`] if there is a grid of a kind that is not known;
    /// what [`Catalogue::open`](crate::Catalogue::open) says of a bad file.
    pub fn like(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        match NetcdfFile::open(path, &Arc::new(OpenFiles::default())) {
            Ok(file) => Self::of_file(unfolded(as_meant(Arc::new(file))).as_ref()),
            Err(error @ Error::NotNetcdf { .. }) => match text(path) {
                Ok(text) if text.contains("gridtype") => {
                    Self::described(&text).map_err(in_file(path))
                }
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The points that a text file lists, as [`Grid::listed`] reads them.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::GridFile`] with the line at fault.
    pub fn listed_in(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = text(path).map_err(|source| Error::File {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        Self::listed(&text).map_err(in_file(path))
    }

    fn of_file(file: &dyn SourceFile) -> Result<Self, Error> {
        let meta = file.meta();
        let mut grids = Grids::default();
        // Fields say more than their coordinates, which are found in one piece with them or not at all.
        let mut refused: Option<(usize, String, String)> = None;
        for variable in &meta.variables {
            match placement(meta, variable) {
                Placement::Grid(spot) => {
                    grids.read(file, &spot)?;
                }
                Placement::Unsupported(reason) => {
                    let rank = variable.dimensions.len();
                    if refused.as_ref().is_none_or(|(most, ..)| rank > *most) {
                        refused = Some((rank, variable.name.clone(), reason));
                    }
                }
                Placement::None => {}
            }
        }
        let mut grids = grids.into_all();
        if grids.is_empty() {
            // What a field along all dimensions would lie on.
            let mut only = Grids::default();
            if let Placement::Grid(spot) = placement(meta, &field_of_all(meta)) {
                only.read(file, &spot)?;
            }
            grids = only.into_all();
        }
        let path = file.path().to_owned();
        if grids.is_empty() {
            return Err(match refused {
                Some((_, variable, reason)) => Error::NotRegriddable {
                    variable,
                    path,
                    reason,
                    flags: false,
                },
                None => Error::NoGrid { path },
            });
        }
        let first = grids.swap_remove(0);
        if let Some(other) = grids.iter().find(|grid| !grid.same_points(&first)) {
            return Err(Error::SeveralGrids {
                path,
                first: first.to_string(),
                second: other.to_string(),
            });
        }
        Ok(Arc::unwrap_or_clone(first))
    }
}

/// A text file's content, without fear of what is no text and goes on for gigabytes.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MOST_TEXT)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Bytes of a description or a list of points that are read at the most.
const MOST_TEXT: u64 = 1 << 30;

/// The error of a text file that describes no grid.
fn in_file(path: &Path) -> impl FnOnce(Error) -> Error {
    move |error| Error::GridFile {
        path: path.to_owned(),
        source: Box::new(error),
    }
}

/// A field that would lie along every dimension of a file, on its only grid mapping.
fn field_of_all(meta: &FileMeta) -> VariableMeta {
    let is_mapping = |v: &&VariableMeta| v.attributes.text("grid_mapping_name").is_some();
    let mut mappings = meta.variables.iter().filter(is_mapping);
    let mut attributes = Attributes::new();
    if let (Some(mapping), None) = (mappings.next(), mappings.next()) {
        attributes.set("grid_mapping", mapping.name.as_str());
    }
    VariableMeta {
        name: String::new(),
        data_type: DataType::F64,
        dimensions: meta.dimensions.iter().map(|d| d.name.clone()).collect(),
        attributes,
        chunk_shape: None,
    }
}
