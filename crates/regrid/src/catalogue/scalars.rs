//! A latitude or longitude that is one number for all of a variable: an axis of one cell, which its file leaves out.
//!
//! CF calls these scalar coordinates (section 5.7). What was cut out of a grid at one place, along one row or up one column
//! has them. Such a file is read as if it had the dimension.

use std::path::Path;
use std::sync::Arc;

use super::placement::{Placement, placement};
use crate::chunk::Region;
use crate::error::Error;
use crate::io::cf::{is_latitude, is_longitude, referenced, serving};
use crate::io::{ChunkSource, Dimension, FileMeta, SourceFile, VariableMeta};
use crate::values::{DataType, Values};

/// A file some of whose variables have further dimensions, of one cell each.
#[derive(Debug)]
struct Unfolded {
    file: Arc<dyn SourceFile>,
    meta: FileMeta,
}

/// The values of a variable with further dimensions.
#[derive(Debug)]
struct UnfoldedVariable {
    source: Arc<dyn ChunkSource>,
    /// Which of the dimensions are further ones.
    added: Vec<bool>,
    shape: Vec<usize>,
    chunk_shape: Option<Vec<usize>>,
}

/// A file with its scalar latitudes and longitudes as axes, if it has fields there and none on a grid.
///
/// Beside fields on a grid, what is at one place is kept as it is.
pub(super) fn unfolded(file: Arc<dyn SourceFile>) -> Arc<dyn SourceFile> {
    let meta = file.meta();
    let on_grid = |v: &VariableMeta| !matches!(placement(meta, v), Placement::None);
    if meta.variables.iter().any(on_grid) {
        return file;
    }
    match with_axes(meta) {
        Some(meta) => Arc::new(Unfolded { file, meta }),
        None => file,
    }
}

/// What the file says of itself, with the axes; nothing if no variable has a place in it then.
fn with_axes(meta: &FileMeta) -> Option<FileMeta> {
    let mut with_axes = meta.clone();
    let mut axes: Vec<String> = Vec::new();
    let serving = serving(meta);
    for variable in &mut with_axes.variables {
        if serving.contains(&variable.name) {
            continue;
        }
        let Some([latitude, longitude]) = place(meta, variable) else {
            continue;
        };
        let scalar = |v: &VariableMeta| v.dimensions.is_empty();
        let at = |v: &VariableMeta| variable.dimensions.iter().position(|d| *d == v.name);
        let dimensions = match (at(latitude), at(longitude)) {
            (None, None) => vec![
                (variable.dimensions.len(), latitude),
                (variable.dimensions.len() + 1, longitude),
            ],
            (Some(row), _) => vec![(row + 1, longitude)],
            (_, Some(column)) => vec![(column, latitude)],
        };
        debug_assert!(dimensions.iter().all(|(_, v)| scalar(v)));
        for (place, axis) in dimensions {
            variable.dimensions.insert(place, axis.name.clone());
            if let Some(chunk) = &mut variable.chunk_shape {
                chunk.insert(place, 1);
            }
            if !axes.contains(&axis.name) {
                axes.push(axis.name.clone());
            }
        }
    }
    if axes.is_empty() {
        return None;
    }
    for name in axes {
        let bounds = meta.variable(&name)?.attributes.text("bounds");
        let bounds = bounds.filter(|bounds| {
            meta.variable(bounds)
                .is_some_and(|v| v.dimensions.len() == 1)
        });
        for variable in &mut with_axes.variables {
            if variable.name == name || Some(variable.name.as_str()) == bounds {
                variable.dimensions.insert(0, name.clone());
                if let Some(chunk) = &mut variable.chunk_shape {
                    chunk.insert(0, 1);
                }
            }
        }
        with_axes.dimensions.push(Dimension {
            name,
            len: 1,
            unlimited: false,
        });
    }
    Some(with_axes)
}

/// The latitude and the longitude of a variable, if one of them is a scalar and the other too or an axis.
fn place<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Option<[&'a VariableMeta; 2]> {
    if !variable.data_type.is_numeric() || is_latitude(variable) || is_longitude(variable) {
        return None;
    }
    let named = referenced(&variable.attributes, "coordinates");
    let of = |is: fn(&VariableMeta) -> bool| {
        let named = named.iter().filter_map(|name| meta.variable(name));
        let axes = variable
            .dimensions
            .iter()
            .filter_map(|name| meta.variable(name));
        let mut found: Vec<&VariableMeta> = axes.chain(named).filter(|v| is(v)).collect();
        found.dedup_by(|a, b| a.name == b.name);
        // Some files name them elsewhere, or nowhere: the only one of the file is meant.
        if found.is_empty() {
            found = meta.variables.iter().filter(|v| is(v)).collect();
        }
        // One axis or one scalar; a scalar's name must be free for its dimension.
        let fits = |v: &VariableMeta| match v.dimensions.as_slice() {
            [] => meta.dimension(&v.name).is_none(),
            [dimension] => *dimension == v.name && variable.dimensions.contains(dimension),
            _ => false,
        };
        match found.as_slice() {
            &[only] if fits(only) => Some(only),
            _ => None,
        }
    };
    let found = [of(is_latitude)?, of(is_longitude)?];
    found
        .iter()
        .any(|v| v.dimensions.is_empty())
        .then_some(found)
}

impl SourceFile for Unfolded {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        let source = self.file.variable(name)?;
        let dimensions = |meta: &FileMeta| {
            meta.variable(name)
                .map(|v| v.dimensions.clone())
                .unwrap_or_default()
        };
        let (own, all) = (dimensions(self.file.meta()), dimensions(&self.meta));
        if own.len() == all.len() {
            return Ok(source);
        }
        let added: Vec<bool> = all.iter().map(|d| !own.contains(d)).collect();
        let spread = |lengths: &[usize]| {
            let mut own = lengths.iter().copied();
            let length = |&added: &bool| if added { Some(1) } else { own.next() };
            added.iter().filter_map(length).collect::<Vec<_>>()
        };
        Ok(Arc::new(UnfoldedVariable {
            shape: spread(source.shape()),
            chunk_shape: source.chunk_shape().map(spread),
            source,
            added,
        }))
    }
}

impl UnfoldedVariable {
    /// A region as the file knows it.
    fn own(&self, region: &Region) -> Region {
        let ranges = region.ranges().iter().zip(&self.added);
        Region::new(
            ranges
                .filter(|(_, added)| !**added)
                .map(|(range, _)| range.clone())
                .collect::<Vec<_>>(),
        )
    }
}

impl ChunkSource for UnfoldedVariable {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data_type(&self) -> DataType {
        self.source.data_type()
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        self.chunk_shape.as_deref()
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        let mut values = self.source.read(&self.own(region))?;
        for (dim, _) in self.added.iter().enumerate().filter(|(_, added)| **added) {
            values = values.with_new_dimension(dim);
        }
        Ok(values)
    }

    fn filter_buffers(&self) -> Option<usize> {
        self.source.filter_buffers()
    }

    fn stored_bytes(&self, region: &Region) -> Option<u64> {
        self.source.stored_bytes(&self.own(region))
    }
}
