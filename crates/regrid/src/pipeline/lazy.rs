//! A field before it is computed.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use delayed::Delayed;

use super::work::FieldWork;
use crate::attribute::Attributes;
use crate::budget::Budget;
use crate::chunk::Region;
use crate::companions::set_words;
use crate::error::Error;
use crate::field::{Field, FieldMeta};
use crate::io::cf::referenced;
use crate::report::{Report, Tally};
use crate::values::{DataType, Values};

/// A field that is not computed yet: what it will be, and a task for each of its chunks.
#[derive(Clone)]
pub struct LazyField {
    pub(crate) meta: FieldMeta,
    pub(crate) data_type: DataType,
    /// Shared with the tasks that write them.
    pub(crate) chunks: Arc<[(Region, Delayed<Values>)]>,
    pub(crate) chunk_shape: Vec<usize>,
    pub(crate) notes: Vec<String>,
    pub(crate) inputs: Arc<[PathBuf]>,
    pub(crate) history: Option<String>,
    pub(crate) attributes: Attributes,
    pub(crate) in_words: String,
    pub(super) report: Option<LazyReport>,
    /// Whether the report has integrals.
    pub(super) has_integral: bool,
    pub(super) reads: Reads,
    /// Tasks that make the chunks.
    pub(super) tasks: usize,
    pub(super) work: Arc<FieldWork>,
    /// The numbers of the blocks that are read.
    pub(super) stored: Arc<[usize]>,
    pub(crate) needs: Needs,
}

/// The comparison of a field with its source.
#[derive(Debug, Clone)]
pub(super) struct LazyReport {
    pub(super) whole: Delayed<Report>,
    /// That of each chunk.
    pub(super) tallies: Arc<[Delayed<Tally>]>,
}

/// The memory that a field's work takes beside the values that tasks hold, and for what it is planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) budget: Budget,
    /// The types of its values as they are stored, and as they are worked on.
    pub(crate) types: [DataType; 2],
    /// A digest of the weights.
    pub(crate) digest: u64,
    /// What tells its plan from others: where it is.
    pub(crate) plan: usize,
    /// Bytes of weights that are its own, and those of others of the same plan.
    pub(crate) weights: u64,
    /// Bytes of weights that it shares with others of the same digest.
    pub(crate) shared: u64,
    /// Bytes of these that are in a file, and of those the most that come into memory for a chunk.
    pub(crate) in_file: u64,
    pub(crate) mapped: u64,
    /// Bytes of the window that a thread gathers for a chunk.
    pub(crate) gathered: u64,
    /// Bytes of the planes that it lays side by side.
    pub(crate) side_by_side: u64,
    /// Bytes of the rows that are gathered for the means next to a pole.
    pub(crate) ring: u64,
    /// Bytes of a plane that is mixed of several, in doubles.
    pub(crate) mixed: u64,
    /// Bytes of the chunk that a thread fills up, as it ends with its field.
    pub(crate) filled: u64,
    /// Bytes of the largest chunk.
    pub(crate) chunk: u64,
    /// Bytes of the arrays that a thread holds while it compares a chunk with its source, and cells of both that it looks at.
    pub(crate) compared: [u64; 4],
    pub(crate) looked_at: [u64; 2],
    /// Bytes of the largest block, if some are read for a row of theirs.
    pub(crate) apart: u64,
    /// Bytes of the largest block as it is stored, if its values are unpacked or turned then.
    pub(crate) turned: u64,
    /// Bytes of the values of the largest storage chunk, if there are any.
    pub(crate) storage: Option<u64>,
    /// Whether a storage chunk is read beside its place: only a part of it is wanted, or it does not lie in one stretch there.
    pub(crate) in_parts: bool,
    /// Bytes of the largest value that a task makes.
    pub(crate) largest: u64,
}

/// What a field will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reads {
    /// Read tasks.
    pub blocks: usize,
    /// Storage chunks that they cover; stretches of unchunked variables count as one each.
    pub storage_chunks: usize,
    /// Bytes of values, before any compression.
    pub bytes: u64,
}

impl LazyField {
    /// What the field will be.
    pub fn meta(&self) -> &FieldMeta {
        &self.meta
    }

    /// The type that its values will have.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// The region and the task of each chunk.
    pub fn chunks(&self) -> &[(Region, Delayed<Values>)] {
        &self.chunks
    }

    /// The usual shape of a chunk, in the order of the field's dimensions.
    pub fn chunk_shape(&self) -> &[usize] {
        &self.chunk_shape
    }

    /// What computing it will read.
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// The comparison of the field with its source, if the request asked for one: a task on the chunks and the very blocks
    /// that they are made of, so computed together with them it reads nothing again.
    pub fn report(&self) -> Option<&Delayed<Report>> {
        self.report.as_ref().map(|report| &report.whole)
    }

    /// Bytes that will be read of files, compressed as they are; nothing if some source does not know.
    ///
    /// It asks the files: it opens each again, and takes the lock of the HDF5 library once for every storage chunk. A chunk that
    /// was never written, or of which the library says nothing, counts as no bytes.
    pub fn stored_bytes(&self) -> Option<u64> {
        let bytes = |&block: &usize| {
            let (source, region) = self.work.origin(block);
            source.stored_bytes(&region)
        };
        self.stored.iter().map(bytes).sum()
    }

    /// How many buffers a storage chunk fills [between filters](crate::ChunkSource::filter_buffers), as the first file says that has chunks.
    pub(super) fn filter_buffers(&self) -> Option<usize> {
        let mut sources = self.work.parts.iter().map(|part| &part.source);
        let chunked = sources.find(|source| source.chunk_shape().is_some())?;
        chunked.filter_buffers()
    }

    /// A digest of the weights that it is made with.
    pub(crate) fn weights_digest(&self) -> u64 {
        self.needs.digest
    }

    /// What the user should know though nothing failed.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The whole field as one delayed value: the chunks rejoined.
    pub fn whole(&self) -> Delayed<Field> {
        let meta = self.meta.clone();
        let data_type = self.data_type;
        let regions: Vec<Region> = self
            .chunks
            .iter()
            .map(|(region, _)| region.clone())
            .collect();
        let chunks: Vec<Delayed<Values>> =
            self.chunks.iter().map(|(_, chunk)| chunk.clone()).collect();
        let bytes = meta.shape().iter().product::<usize>() * data_type.size();
        let name = meta.name.clone();
        delayed::apply(chunks, move |chunks: Vec<&Values>| {
            let mut values = Values::zeros(data_type, &meta.shape());
            for (region, chunk) in regions.iter().zip(chunks) {
                values.assign(region, chunk);
            }
            Field {
                meta: meta.clone(),
                values,
            }
        })
        .named(format!("rejoin {name}"))
        .group(name)
        .step("rejoin")
        .bytes(bytes as u64)
    }

    /// Computes the whole field.
    ///
    /// # Errors
    /// [`Error::Run`], whose cause names the task and what it met.
    pub fn compute(&self) -> Result<Field, Error> {
        Ok(self.whole().compute()?)
    }

    /// Keeps references to variables that go along, among the fields and the companions.
    pub(crate) fn keep_references(&mut self, fields: &[String]) {
        let companions: Vec<String> = self
            .meta
            .companions
            .iter()
            .map(|v| v.name.clone())
            .collect();
        let there = |name: &String| fields.contains(name) || companions.contains(name);
        let ancillary: Vec<String> = self
            .meta
            .attributes
            .words("ancillary_variables")
            .into_iter()
            .filter(there)
            .collect();
        set_words(&mut self.meta.attributes, "ancillary_variables", &ancillary);
        for companion in &mut self.meta.companions {
            if !referenced(&companion.attributes, "formula_terms")
                .iter()
                .all(there)
            {
                companion.attributes.remove("formula_terms");
            }
        }
    }
}

impl fmt::Debug for LazyField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyField")
            .field("name", &self.meta.name)
            .field("shape", &self.meta.shape())
            .field("chunks", &self.chunks.len())
            .field("reads", &self.reads)
            .finish_non_exhaustive()
    }
}
