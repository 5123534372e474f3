//! What each file holds of a variable, opened to be read, and how it is stored.

use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::{Catalogue, Part, Role, SourceVariable};
use crate::chunk::Region;
use crate::error::Error;
use crate::io::ChunkSource;
use crate::io::decoding::Decoding;
use crate::plan::storage_cuts;
use crate::values::DataType;

/// What one file holds of a variable, ready to be read and decoded.
pub(super) struct OpenPart {
    pub(super) part: Part,
    pub(super) source: Arc<dyn ChunkSource>,
    pub(super) decoding: Arc<Decoding>,
    /// The file's name, for labels.
    pub(super) file: String,
}

/// The rules of a variable's first file, for a result that holds the values of all.
pub(super) fn decoding(
    catalogue: &Catalogue,
    variable: &SourceVariable,
    blends: bool,
) -> Result<Decoding, String> {
    let first = Decoding::new(&variable.meta, blends)?;
    let widens = |part: &Part| {
        let file = catalogue.files()[part.file].meta();
        let meta = file.variable(variable.name());
        meta.is_some_and(|meta| {
            Decoding::new(meta, blends).is_ok_and(|own| own.widens(meta.data_type))
        })
    };
    match first.output.size() == 1 && variable.parts.iter().any(widens) {
        true => Ok(first.widened_to(DataType::I16)),
        false => Ok(first),
    }
}

/// Opens the parts of a variable; each is decoded by its own file's rules, since packing differs from file to file.
pub(super) fn parts(
    catalogue: &Catalogue,
    variable: &SourceVariable,
    blends: bool,
    output: DataType,
) -> Result<Vec<OpenPart>, Error> {
    let mut parts = Vec::with_capacity(variable.parts.len());
    for &part in &variable.parts {
        let file = &catalogue.files()[part.file];
        let refused = |reason: String| Error::NotRegriddable {
            variable: variable.name().to_owned(),
            path: file.path().to_owned(),
            reason,
            flags: false,
        };
        let meta = file
            .meta()
            .variable(variable.name())
            .expect("a part was found in its file");
        let mut decoding = Decoding::new(meta, blends).map_err(refused)?;
        if variable.meta.data_type.size() == 1 {
            decoding = decoding.widened_to(output);
        }
        if decoding.output != output {
            return Err(refused(format!(
                "its values are {} here and {} in the first file",
                decoding.output.name(),
                output.name()
            )));
        }
        parts.push(OpenPart {
            part,
            source: file.variable(variable.name())?,
            decoding: Arc::new(decoding),
            file: file
                .path()
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default(),
        });
    }
    Ok(parts)
}

/// Cells of the largest storage chunk, if any part has chunks. Those of the plan may be larger, where files go together that
/// are stored in other ways.
pub(super) fn largest_storage(parts: &[OpenPart]) -> Option<usize> {
    let cells = parts.iter().filter_map(|part| {
        let chunk = part.source.chunk_shape()?.iter().zip(part.source.shape());
        Some(chunk.map(|(&chunk, &len)| chunk.min(len)).product())
    });
    cells.max()
}

/// Whether storage chunks of some part are not read to their places in blocks of a shape: they reach beyond the part's end, or lie there
/// in several stretches.
pub(super) fn beside_places(parts: &[OpenPart], block: &[usize]) -> bool {
    parts.iter().any(|part| {
        let chunk = part.source.chunk_shape();
        // Files that are stacked lack the first dimension of the whole.
        let has_places = |chunk: &[usize]| {
            let block = &block[block.len() - chunk.len()..];
            has_places(chunk, part.source.shape(), block)
        };
        chunk.is_some_and(|chunk| !has_places(chunk))
    })
}

/// Whether all storage chunks of an array lie in one stretch each in blocks that are made of them.
fn has_places(chunk: &[usize], shape: &[usize], block: &[usize]) -> bool {
    let reach_beyond = |(&chunk, &len): (&usize, &usize)| !len.is_multiple_of(chunk.max(1));
    let [first, block] = [chunk, block].map(Region::whole);
    !chunk.iter().zip(shape).any(reach_beyond) && first.stretch_in(&block).is_some()
}

/// Cells of a stretch along the plane's dimensions, where a variable is not stored in chunks.
const STRETCH: [usize; 2] = [16, 64];
/// The same along the last dimension, if it is none of the plane's: cells next to each other are read together.
const LAST_STRETCH: usize = 1 << 12;

/// How long a piece is along one of the dimensions of a variable that is not stored in chunks.
fn stretch(variable: &SourceVariable, dimension: usize, plane: Option<usize>) -> usize {
    let last = variable.dimensions.len() - 1;
    let along_last = match variable.dimensions[last].role {
        Role::Latitude | Role::Longitude => 1,
        _ => variable.dimensions[last].len.clamp(1, LAST_STRETCH),
    };
    match plane {
        // No larger pieces than otherwise, about.
        Some(plane) => (STRETCH[plane] / along_last.isqrt()).max(1),
        None if dimension == last => along_last,
        None => 1,
    }
}

/// The storage chunks of a variable along one of its dimensions; `plane` tells latitude (0) and longitude (1).
pub(super) fn storage(
    variable: &SourceVariable,
    parts: &[OpenPart],
    dimension: usize,
    plane: Option<usize>,
) -> Vec<Range<usize>> {
    let stretch = stretch(variable, dimension, plane);
    let stored = |part: &OpenPart, d: usize| part.source.chunk_shape().map(|shape| shape[d]);
    if variable.dimensions[dimension].role != Role::Time || variable.time.is_none() {
        let d = if variable.stacked {
            dimension - 1
        } else {
            dimension
        };
        let len = variable.dimensions[dimension].len;
        // Files may be chunked differently: a piece of the least common multiple holds whole chunks of each.
        let sizes = parts.iter().filter_map(|part| stored(part, d));
        let size = sizes.reduce(|a, b| least_common_multiple(a, b).min(len.max(1)));
        return storage_cuts(len, size, stretch);
    }
    let mut storage = Vec::new();
    for part in parts {
        let size = if variable.stacked {
            None
        } else {
            stored(part, dimension)
        };
        storage.extend(
            storage_cuts(part.part.len, size, stretch)
                .into_iter()
                .map(|cut| cut.start + part.part.start..cut.end + part.part.start),
        );
    }
    storage
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_chunk_has_a_place_where_it_lies_in_one_stretch() {
        let shape = [12, 180, 360];
        // Whole planes, one or several at once, and rows of one.
        assert!(has_places(&[1, 180, 360], &shape, &[1, 180, 360]));
        assert!(has_places(&[1, 180, 360], &shape, &[4, 180, 360]));
        assert!(has_places(&[3, 180, 360], &shape, &[12, 180, 360]));
        assert!(has_places(&[1, 60, 360], &shape, &[1, 180, 360]));
        // A piece of each row, or of each plane; and what reaches beyond.
        assert!(!has_places(&[1, 180, 90], &shape, &[1, 180, 360]));
        assert!(!has_places(&[3, 60, 360], &shape, &[3, 180, 360]));
        assert!(!has_places(&[5, 180, 360], &shape, &[5, 180, 360]));
        // A piece of one row lies in one stretch whatever else there is.
        assert!(has_places(&[1, 1, 90], &shape, &[4, 180, 360]));
        assert!(has_places(&[], &[], &[]));
    }
}
