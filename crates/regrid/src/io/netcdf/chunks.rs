//! Regions of a chunked variable, chunk by chunk: the library's lock guards the compressed bytes at the most, and not even
//! those where it is known where they lie; what was done to them is undone outside it, by the thread that wants the values,
//! straight into their place.

use std::cell::RefCell;
use std::fs::File;
use std::ops::Range;
use std::sync::OnceLock;

use super::filters::{ChunkFault, Pipeline, Scratch};
use super::located::{ChunkPlaces, read_at};
use super::raw::{ChunkPlace, Filter, RawDataset, RawFile, Stored};
use super::shuffle::swap_bytes;
use super::stretches::PlainVariable;
use crate::buffers::sized;
use crate::chunk::{Region, combinations};
use crate::io::traffic;
use crate::values::DataType;

/// HDF5 is asked where a chunk lies only if the chunk has at least so many bytes for each chunk of its variable.
///
/// To find one, HDF5 goes through half of all chunks, 60 ns for each. At this limit that is about a twenty-fifth of the time
/// that it takes to read the chunk.
const WORTH_ASKING: usize = 4096;
/// Chunks of a variable for which HDF5 is asked at the most.
const MOST_ASKED: usize = 4096;
/// Chunks that are counted at the most before one of them is taken for one that was never written: a tenth of a second.
const MOST_COUNTED: usize = 1 << 16;
/// Places that are asked for at once: who asks may have to wait for somebody who writes.
const AHEAD: usize = 32;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A chunked variable whose filters are undone here.
#[derive(Debug)]
pub(super) struct ChunkedVariable {
    source: Source,
    chunk_shape: Vec<usize>,
    /// Bytes of one value.
    cell: usize,
    /// Whether the bytes of each value have to be turned round.
    swap: bool,
    pipeline: Pipeline,
    /// The number of chunks along each dimension.
    counts: Vec<usize>,
    /// Bytes of all chunks that are in the file.
    held: u64,
    /// Whether those are the chunks that are found by their places; looked at when the first is not.
    complete: OnceLock<bool>,
}

/// Where its chunks come from.
#[derive(Debug)]
enum Source {
    /// HDF5, which looks for them and reads them.
    Library(RawDataset),
    /// The file itself; HDF5 tells where in it.
    Asked(RawDataset, ChunkPlaces),
    /// The file itself, from places that are all known.
    Places(ChunkPlaces),
}

/// How a variable is read from its file.
#[derive(Debug)]
pub(super) enum Access {
    /// Chunk by chunk, filters undone here.
    Chunks(ChunkedVariable),
    /// As it lies in the file.
    Plain(PlainVariable),
    /// Through the library, which knows every way of storing.
    Library,
    /// Not at all: the library lacks this filter.
    Lacks(Filter),
}

/// Why a chunk could not be read.
#[derive(Debug)]
pub(super) struct ChunkError<E> {
    /// Its place among the chunks, along each dimension.
    pub(super) chunk: Vec<usize>,
    pub(super) fault: Fault<E>,
}

/// What is wrong with it.
#[derive(Debug)]
pub(super) enum Fault<E> {
    Damaged(ChunkFault),
    /// What the way for chunks that are not there met.
    Absent(E),
}

impl Access {
    /// How to read the variable of a file that netCDF says has this shape and type; `countable` tells whether places of chunks
    /// [count from the file's start](super::located::counts_from_start).
    pub(super) fn of(
        file: &RawFile,
        countable: bool,
        name: &str,
        shape: &[usize],
        data_type: DataType,
    ) -> Self {
        let Some(dataset) = file.dataset(name) else {
            return Self::Library;
        };
        let Some(storage) = dataset.storage() else {
            return Self::Library;
        };
        if let Some(filter) = storage.filters.iter().find(|f| !f.available) {
            return Self::Lacks(filter.clone());
        }
        if storage.chunk_shape.is_none() {
            let plain = PlainVariable::hdf5(&storage, shape, data_type);
            return plain.map_or(Self::Library, Self::Plain);
        }
        let (Some(pipeline), Some(chunk_shape), Some((stored, big_endian))) = (
            Pipeline::new(&storage.filters),
            storage.chunk_shape,
            storage.values,
        ) else {
            return Self::Library;
        };
        // netCDF pads a variable that is shorter than its unlimited dimension.
        if storage.shape != shape || stored != data_type || chunk_shape.contains(&0) {
            return Self::Library;
        }
        let cell = data_type.size();
        let bytes = chunk_shape.iter().product::<usize>() * cell;
        let few = MOST_ASKED.min(bytes / WORTH_ASKING);
        let counts = counts(shape, &chunk_shape);
        let places = ChunkPlaces::new(counts.clone(), few);
        Self::Chunks(ChunkedVariable {
            source: match places.filter(|_| countable) {
                Some(places) => Source::Asked(dataset, places),
                None => Source::Library(dataset),
            },
            chunk_shape,
            cell,
            swap: big_endian != cfg!(target_endian = "big"),
            pipeline,
            counts,
            held: storage.held,
            complete: OnceLock::new(),
        })
    }
}

/// The number of chunks along each dimension.
fn counts(shape: &[usize], chunk_shape: &[usize]) -> Vec<usize> {
    let lengths = shape.iter().zip(chunk_shape);
    lengths.map(|(len, &n)| len.div_ceil(n)).collect()
}

impl ChunkedVariable {
    /// The same variable of this shape with the places of all its chunks, and their number, if they are no more than `most`.
    pub(super) fn located(&self, shape: &[usize], most: usize) -> Option<(Self, usize)> {
        let (Source::Library(dataset) | Source::Asked(dataset, _)) = &self.source else {
            return None;
        };
        let places = ChunkPlaces::new(counts(shape, &self.chunk_shape), most)?;
        let count = places.len();
        if count > 0 {
            let first = vec![0; shape.len()];
            places.find(&first, count, |chunks| self.ask(dataset, chunks))?;
        }
        // What was not found is looked for once more when it is wanted.
        let absent =
            combinations(&self.counts).any(|chunk| places.at(&chunk).is_none_or(|p| p.bytes == 0));
        if absent && !self.is_complete(dataset) {
            return None;
        }
        let located = Self {
            source: Source::Places(places),
            chunk_shape: self.chunk_shape.clone(),
            cell: self.cell,
            swap: self.swap,
            pipeline: self.pipeline.clone(),
            counts: self.counts.clone(),
            held: self.held,
            complete: OnceLock::from(true),
        };
        Some((located, count))
    }

    fn ask(&self, dataset: &RawDataset, chunks: Vec<Vec<usize>>) -> Option<Vec<ChunkPlace>> {
        dataset.chunk_places(chunks.into_iter().map(|chunk| self.offset(&chunk)))
    }

    /// Whether the chunks that are found by their places are all that the file holds.
    ///
    /// The tree of an older file has no checksum: where it is damaged HDF5 finds nothing, as if a chunk had never been written.
    fn is_complete(&self, dataset: &RawDataset) -> bool {
        *self.complete.get_or_init(|| {
            let all = self.counts.iter().product::<usize>();
            let chunks = combinations(&self.counts);
            if self.pipeline.is_plain(0) {
                // Of such chunks HDF5 tells the size whether they are there or not; to ask where they lie takes longer.
                let places =
                    (all <= MOST_COUNTED / 32).then(|| self.ask(dataset, chunks.collect()));
                let bytes = |places: Vec<ChunkPlace>| places.iter().map(|place| place.bytes).sum();
                return places
                    .flatten()
                    .map(bytes)
                    .is_none_or(|found: u64| found == self.held);
            }
            let bytes = |chunk: Vec<usize>| dataset.chunk_bytes(&self.offset(&chunk));
            all > MOST_COUNTED || chunks.map(bytes).sum::<u64>() == self.held
        })
    }

    /// The first cell of a chunk.
    fn offset(&self, chunk: &[usize]) -> Vec<usize> {
        let numbers = chunk.iter().zip(&self.chunk_shape);
        numbers.map(|(c, n)| c * n).collect()
    }

    /// Reads a region out of its file into its bytes, row by row.
    ///
    /// `absent` fills in the cells of chunks that are not in the file.
    pub(super) fn read<E>(
        &self,
        file: &File,
        region: &Region,
        out: &mut [u8],
        mut absent: impl FnMut(&Region, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), ChunkError<E>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut result = Ok(());
            for chunk in self.touched(region) {
                traffic::count_chunk();
                result = self
                    .read_chunk(file, &chunk, region, out, scratch, &mut absent)
                    .map_err(|fault| ChunkError { chunk, fault });
                if result.is_err() {
                    break;
                }
            }
            scratch.put_back();
            result
        })
    }

    /// The chunks that a region touches, by their places along each dimension.
    fn touched(&self, region: &Region) -> impl Iterator<Item = Vec<usize>> + use<> {
        let ranges = region.ranges().iter().zip(&self.chunk_shape);
        let first: Vec<usize> = ranges.clone().map(|(range, n)| range.start / n).collect();
        let counts: Vec<usize> = ranges
            .zip(&first)
            .map(|((range, n), first)| range.end.div_ceil(*n) - first)
            .collect();
        combinations(&counts)
            .map(move |place| place.iter().zip(&first).map(|(p, f)| p + f).collect())
    }

    /// How many buffers are filled [between filters](Pipeline::buffers); nothing if there are none.
    pub(super) fn filter_buffers(&self) -> Option<usize> {
        self.pipeline.buffers()
    }

    /// Bytes in the file of the chunks that a region touches.
    pub(super) fn stored_bytes(&self, region: &Region) -> u64 {
        let bytes = |chunk: Vec<usize>| match &self.source {
            Source::Library(dataset) | Source::Asked(dataset, _) => {
                dataset.chunk_bytes(&self.offset(&chunk))
            }
            Source::Places(places) => places.at(&chunk).map_or(0, |place| place.bytes),
        };
        self.touched(region).map(bytes).sum()
    }

    /// Reads what a region has of one chunk.
    fn read_chunk<E>(
        &self,
        file: &File,
        chunk: &[usize],
        region: &Region,
        out: &mut [u8],
        scratch: &mut Scratch,
        absent: &mut impl FnMut(&Region, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), Fault<E>> {
        let offset = self.offset(chunk);
        let ranges = offset.iter().zip(&self.chunk_shape).zip(region.ranges());
        let window: Vec<Range<usize>> = ranges
            .map(|((&start, size), wanted)| start.max(wanted.start)..(start + size).min(wanted.end))
            .collect();
        let window = Region::new(window);
        let place = window.stretch_in(region);
        let in_place = place
            .clone()
            .map(|cells| cells.start * self.cell..cells.end * self.cell);

        // A whole chunk with a place of its own is made there.
        if let Some(place) = in_place.clone()
            && window.shape() == self.chunk_shape
        {
            return match self.decode(file, chunk, &mut out[place.clone()], scratch) {
                Ok(true) => Ok(()),
                Ok(false) => absent(&window, &mut out[place]).map_err(Fault::Absent),
                Err(fault) => Err(Fault::Damaged(fault)),
            };
        }
        let mut whole = std::mem::take(&mut scratch.chunk);
        let bytes = self.chunk_shape.iter().product::<usize>() * self.cell;
        sized(&mut whole, bytes);
        whole.truncate(bytes);
        let (filled, from) = match self.decode(file, chunk, &mut whole, scratch) {
            Ok(true) => {
                let ranges = offset.iter().zip(&self.chunk_shape);
                let all: Vec<Range<usize>> = ranges.map(|(&start, &n)| start..start + n).collect();
                (Ok(()), Region::new(all))
            }
            Ok(false) => {
                let bytes = &mut whole[..window.len() * self.cell];
                (
                    absent(&window, bytes).map_err(Fault::Absent),
                    window.clone(),
                )
            }
            Err(fault) => (Err(Fault::Damaged(fault)), window.clone()),
        };
        if filled.is_ok() {
            copy_cells(self.cell, &window, (&from, &whole), (region, out));
        }
        scratch.chunk = whole;
        filled
    }

    /// Makes the bytes of a whole chunk; tells whether there is one.
    fn decode(
        &self,
        file: &File,
        chunk: &[usize],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<bool, ChunkFault> {
        let plain = self.pipeline.is_plain(0);
        let whole = out.len();
        let buffer = &mut scratch.stored;
        let in_place = plain.then_some(&mut *out);
        let room = |size: usize| {
            // No buffer is made for what a damaged file says of itself: hardly any chunk is larger than its values.
            let odd = size / 2 > whole;
            if odd && file.metadata().is_ok_and(|meta| size as u64 > meta.len()) {
                return None;
            }
            match in_place {
                Some(out) => (size == out.len()).then_some(out),
                None => {
                    sized(buffer, size);
                    buffer.truncate(size);
                    Some(buffer.as_mut_slice())
                }
            }
        };
        let offset = self.offset(chunk);
        let stored = match &self.source {
            Source::Library(dataset) => dataset.read_chunk(&offset, room),
            Source::Asked(dataset, places) => {
                match places.find(chunk, AHEAD, |chunks| self.ask(dataset, chunks)) {
                    Some(place) => read_at(file, place, room),
                    // What is damaged so much has an answer of its own.
                    None => dataset.read_chunk(&offset, room),
                }
            }
            Source::Places(places) => match places.at(chunk) {
                Some(place) => read_at(file, place, room),
                None => Stored::Unreadable,
            },
        };
        match stored {
            Stored::Nothing => {
                return match &self.source {
                    Source::Library(dataset) | Source::Asked(dataset, _)
                        if !self.is_complete(dataset) =>
                    {
                        Err(ChunkFault::Lost)
                    }
                    _ => Ok(false),
                };
            }
            Stored::Unreadable => return Err(ChunkFault::Unreadable),
            Stored::Bytes(_) if plain => {}
            Stored::Bytes(mask) => self.pipeline.undo(mask, out, scratch)?,
        }
        #[cfg(test)]
        crate::io::traffic::tally::made(chunk);
        if self.swap {
            swap_bytes(self.cell, out);
        }
        Ok(true)
    }
}

/// Copies the cells of a window from the bytes of one region that holds it into those of another.
pub(super) fn copy_cells(
    cell: usize,
    window: &Region,
    (from_region, from): (&Region, &[u8]),
    (to_region, to): (&Region, &mut [u8]),
) {
    let ranges = window.ranges();
    // The last dimensions, as long as both hold just the window, are copied in one go; and one more.
    let mut rows = ranges.len();
    let mut run = cell;
    while rows > 0 {
        rows -= 1;
        let range = &ranges[rows];
        run *= range.len();
        if from_region.ranges()[rows] != *range || to_region.ranges()[rows] != *range {
            break;
        }
    }
    let counts: Vec<usize> = ranges[..rows].iter().map(ExactSizeIterator::len).collect();
    let at = |region: &Region, place: &[usize]| {
        let mut flat = 0;
        for (d, range) in region.ranges().iter().enumerate() {
            let within = ranges[d].start - range.start + place.get(d).copied().unwrap_or(0);
            flat = flat * range.len() + within;
        }
        flat * cell
    };
    for place in combinations(&counts) {
        let (source, target) = (at(from_region, &place), at(to_region, &place));
        to[target..target + run].copy_from_slice(&from[source..source + run]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// On each dimension a window and two ranges that hold it.
    fn ranges() -> impl Strategy<Value = Vec<[Range<usize>; 3]>> {
        let range = (1_usize..4, 0_usize..3, 0_usize..3, 0_usize..3, 0_usize..3);
        let range = range.prop_map(|(n, a, b, c, d)| {
            let start = a.max(c);
            let of = |before: usize, after: usize| start - before..start + n + after;
            [start..start + n, of(a, b), of(c, d)]
        });
        prop::collection::vec(range, 0..4)
    }

    /// The index of every cell of a region, in order.
    fn cells(region: &Region) -> Vec<Vec<usize>> {
        let of = |place: Vec<usize>| {
            let starts = region.ranges().iter().map(|r| r.start);
            place.iter().zip(starts).map(|(p, s)| p + s).collect()
        };
        combinations(&region.shape()).map(of).collect()
    }

    proptest! {
        #[test]
        fn cells_find_their_places(ranges in ranges()) {
            let region = |which: usize| Region::new(ranges.iter().map(|r| r[which].clone()).collect::<Vec<_>>());
            let (window, from, to) = (region(0), region(1), region(2));
            let number = |cell: &[usize]| cell.iter().fold(1_u16, |n, &c| n * 7 + c as u16).to_ne_bytes();
            let bytes: Vec<u8> = cells(&from).iter().flat_map(|c| number(c)).collect();
            let mut out = vec![0; to.len() * 2];
            copy_cells(2, &window, (&from, &bytes), (&to, &mut out));
            let inside = cells(&window);
            let wanted: Vec<u8> = cells(&to)
                .iter()
                .flat_map(|c| if inside.contains(c) { number(c) } else { [0; 2] })
                .collect();
            prop_assert_eq!(out, wanted);

            let places: Vec<usize> = cells(&to)
                .iter()
                .enumerate()
                .filter_map(|(i, c)| inside.contains(c).then_some(i))
                .collect();
            let whole = places[0]..places[0] + places.len();
            let is_one = places.iter().copied().eq(whole.clone());
            prop_assert_eq!(window.stretch_in(&to), is_one.then_some(whole));
        }
    }
}
