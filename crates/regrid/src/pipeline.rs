//! From a plan to tasks: read, regrid, write. The only file of this crate that knows `delayed`.
//!
//! The steps are those of a loop that anyone would write: for each parameter, cut the template grid into chunks; for
//! each chunk, regrid it; write them into one file. The loops run at once, here; only the functions that do work become
//! tasks: [`read_block`], [`pole_means`], [`regrid_chunk`] and the writing of a chunk. So the whole graph, parameters and
//! chunks, is there before anything runs.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use delayed::{Delayed, Graph, Run, try_apply, try_delayed};

use crate::attribute::AttributeValue;
use crate::catalogue::{Catalogue, Part, Role, SourceVariable};
use crate::chunk::{Region, combinations, cuts};
use crate::companions::{set_words, surroundings};
use crate::error::Error;
use crate::field::{Field, FieldMeta};
use crate::io::ChunkSource;
use crate::io::cf::{Decoding, referenced, single};
use crate::kernel::{PoleMeans, pole_means, regrid_chunk};
use crate::output::{Output, Write};
use crate::plan::{AxisCut, AxisPlan, AxisSource, block_cells, storage_cuts, target_chunk_shape};
use crate::request::Request;
use crate::scheme::{Method, RectilinearWeights, pole_row};
use crate::time::{ChosenTimes, TimeMethod};
use crate::values::{DataType, Values};
use crate::weights::AxisWeights;

/// A field that is not computed yet: what it will be, and a task for each of its chunks.
#[derive(Clone)]
pub struct LazyField {
    pub(crate) meta: FieldMeta,
    pub(crate) data_type: DataType,
    pub(crate) chunks: Vec<(Region, Delayed<Values>)>,
    pub(crate) chunk_shape: Vec<usize>,
    pub(crate) notes: Vec<String>,
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) history: Option<String>,
    pub(crate) attributes: crate::attribute::Attributes,
    pub(crate) in_words: String,
    reads: Reads,
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

/// Plans one parameter and builds its tasks.
pub(crate) fn regrid_param(
    request: &Request,
    catalogue: &Catalogue,
    variable: &SourceVariable,
    weights: &RectilinearWeights,
    times: Option<&ChosenTimes>,
) -> Result<LazyField, Error> {
    let first = catalogue.files()[variable.parts[0].file].clone();
    let refused = |reason: String| Error::NotRegriddable {
        variable: variable.name().to_owned(),
        path: first.path().to_owned(),
        reason,
    };
    let blends = request.method != Method::Nearest || request.time_method == TimeMethod::Linear;
    if blends
        && variable
            .meta
            .attributes
            .get("flag_values")
            .or(variable.meta.attributes.get("flag_masks"))
            .is_some()
    {
        return Err(refused(
            "it holds flags, which have no values in between: ask for the nearest method".into(),
        ));
    }
    let decoding = Decoding::new(&variable.meta, blends).map_err(refused)?;
    let fill = decoding.fill(&variable.meta);
    let surroundings = surroundings(catalogue, variable, &request.target, times)?;
    let parts = parts(catalogue, variable, blends, decoding.output)?;

    // The plane's dimensions last: the order in which windows and chunks are computed.
    let order = plane_last(variable);
    let source_shape: Vec<usize> = order.iter().map(|&d| variable.dimensions[d].len).collect();
    let target_shape: Vec<usize> = order
        .iter()
        .map(|&d| surroundings.dimensions[d].len)
        .collect();
    let chunk_shape = target_chunk_shape(&target_shape, request.chunk);
    let plan = Plan::new(
        variable,
        &parts,
        &order,
        &source_shape,
        weights,
        times,
        &target_shape,
        &chunk_shape,
    );

    let name = variable.name().to_owned();
    let mut readers = Readers {
        name: &name,
        parts: &parts,
        plan: &plan,
        order: &order,
        stacked: variable.stacked,
        time: order
            .iter()
            .position(|&d| variable.dimensions[d].role == Role::Time),
        fill: fill.clone(),
        blocks: HashMap::new(),
        poles: HashMap::new(),
        reads: Reads::default(),
        cell_bytes: variable.meta.data_type.size(),
        value_bytes: decoding.output.size(),
    };
    let absent = Arc::new(match decoding.output {
        DataType::F32 => single(&AttributeValue::F32(vec![f32::NAN])),
        DataType::F64 => single(&AttributeValue::F64(vec![f64::NAN])),
        _ => single(&fill),
    });
    let back = inverse(&order);
    let counts: Vec<usize> = plan.axes.iter().map(|axis| axis.cuts.len()).collect();
    let mut chunks = Vec::with_capacity(counts.iter().product());
    for index in combinations(&counts) {
        let chunk_cuts: Vec<Arc<AxisCut>> = index
            .iter()
            .zip(&plan.cuts)
            .map(|(&i, cuts)| cuts[i].clone())
            .collect();
        let region = Region::new(
            chunk_cuts
                .iter()
                .map(|cut| cut.targets.clone())
                .collect::<Vec<_>>(),
        )
        .permuted(&back);
        let blocks = readers.blocks(&chunk_cuts);
        let poles = readers.poles(&index, &chunk_cuts);
        let bytes = region.len() * decoding.output.size();
        let (absent, back) = (absent.clone(), back.clone());
        let chunk = delayed::apply(
            (blocks, poles),
            move |(blocks, poles): (Vec<&Values>, Vec<&PoleMeans>)| {
                regrid_chunk(&chunk_cuts, &blocks, &poles, blends, &absent).permuted(&back)
            },
        )
        .named(format!("regrid {name} {region}"))
        .group(name.clone())
        .bytes(bytes as u64);
        chunks.push((region, chunk));
    }
    let reads = readers.reads;
    let chunk_shape: Vec<usize> = back.iter().map(|&d| chunk_shape[d]).collect();
    Ok(LazyField {
        meta: FieldMeta {
            name,
            dimensions: surroundings.dimensions,
            attributes: surroundings.attributes,
            fill_value: fill,
            companions: surroundings.companions,
        },
        data_type: decoding.output,
        chunks,
        chunk_shape,
        notes: surroundings.notes,
        inputs: catalogue
            .files()
            .iter()
            .map(|f| f.path().to_owned())
            .collect(),
        history: first.meta().attributes.text("history").map(str::to_owned),
        attributes: first.meta().attributes.clone(),
        in_words: request.in_words(),
        reads,
    })
}

/// What one file holds of a variable, ready to be read and decoded.
struct OpenPart {
    part: Part,
    source: Arc<dyn ChunkSource>,
    decoding: Arc<Decoding>,
    /// The file's name, for labels.
    file: String,
}

/// Opens the parts of a variable; each is decoded by its own file's rules, since packing differs from file to file.
fn parts(
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
        };
        let meta = file
            .meta()
            .variable(variable.name())
            .expect("a part was found in its file");
        let decoding = Decoding::new(meta, blends).map_err(refused)?;
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

/// The variable's dimensions with latitude and longitude last.
fn plane_last(variable: &SourceVariable) -> Vec<usize> {
    let of = |role| variable.dimension(role).expect("a field has both");
    let (latitude, longitude) = (of(Role::Latitude), of(Role::Longitude));
    let mut order: Vec<usize> = (0..variable.dimensions.len())
        .filter(|&d| d != latitude && d != longitude)
        .collect();
    order.extend([latitude, longitude]);
    order
}

fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (place, &dimension) in order.iter().enumerate() {
        inverse[dimension] = place;
    }
    inverse
}

/// The plans of all dimensions, the plane's last.
struct Plan {
    axes: Vec<AxisPlan>,
    cuts: Vec<Vec<Arc<AxisCut>>>,
    /// Storage chunks along each dimension, to count what is read.
    storage: Vec<Vec<std::ops::Range<usize>>>,
    /// The source's own columns, all of them: what a pole row is the mean of.
    columns: usize,
    rows: usize,
}

/// Cells of a stretch along the plane's dimensions, where a variable is not stored in chunks.
const STRETCH: [usize; 2] = [16, 64];

impl Plan {
    #[expect(
        clippy::too_many_arguments,
        reason = "a plan is where all that is known of a field comes together"
    )]
    fn new(
        variable: &SourceVariable,
        parts: &[OpenPart],
        order: &[usize],
        source_shape: &[usize],
        weights: &RectilinearWeights,
        times: Option<&ChosenTimes>,
        target_shape: &[usize],
        chunk_shape: &[usize],
    ) -> Self {
        let outer = order.len() - 2;
        let (rows, columns) = (
            variable.grid.latitudes.len(),
            variable.grid.longitudes.distinct(),
        );
        let storage: Vec<Vec<std::ops::Range<usize>>> = order
            .iter()
            .enumerate()
            .map(|(axis, &d)| storage(variable, parts, d, axis.checked_sub(outer)))
            .collect();
        let usual: Vec<usize> = storage
            .iter()
            .map(|cuts| cuts.first().map_or(1, ExactSizeIterator::len))
            .collect();
        let most = block_cells(source_shape, &usual, variable.meta.data_type.size());
        let poles: Vec<usize> = (0..weights.latitude.len())
            .flat_map(|t| weights.latitude.row(t))
            .filter_map(|&(row, _)| {
                if row == pole_row(rows, false) {
                    Some(0)
                } else {
                    (row > rows).then_some(rows - 1)
                }
            })
            .collect();
        let all_columns: Vec<usize> = if poles.is_empty() {
            vec![]
        } else {
            (0..columns).collect()
        };
        let ends: Vec<usize> = parts.iter().map(|p| p.part.start + p.part.len).collect();
        let axes: Vec<AxisPlan> = (0..order.len())
            .map(|axis| {
                let target_cuts = cuts(target_shape[axis], chunk_shape[axis]);
                let source = AxisSource {
                    storage: &storage[axis],
                    block_cells: most[axis],
                    ..AxisSource::default()
                };
                let plane = |weights: &AxisWeights, apart: &[usize]| {
                    AxisPlan::new(weights, &target_cuts, &AxisSource { apart, ..source })
                };
                let steps = |weights: &AxisWeights, ends: &[usize]| {
                    AxisPlan::new(
                        weights,
                        &target_cuts,
                        &AxisSource {
                            ends,
                            by_cut: true,
                            ..source
                        },
                    )
                };
                match (
                    axis.checked_sub(outer),
                    variable.dimensions[order[axis]].role,
                    times,
                ) {
                    (Some(0), ..) => plane(&weights.latitude, &poles),
                    (Some(_), ..) => plane(&weights.longitude, &all_columns),
                    (None, Role::Time, Some(times)) => steps(&times.weights, &ends),
                    _ => steps(&AxisWeights::identity(source_shape[axis]), &[]),
                }
            })
            .collect();
        let cuts = axes
            .iter()
            .map(|axis| axis.cuts.iter().cloned().map(Arc::new).collect())
            .collect();
        Self {
            axes,
            cuts,
            storage,
            columns,
            rows,
        }
    }

    /// How many storage chunks a block covers.
    fn storage_chunks(&self, block: &[std::ops::Range<usize>]) -> usize {
        let within = |(range, chunks): (&std::ops::Range<usize>, &Vec<std::ops::Range<usize>>)| {
            chunks.partition_point(|c| c.start < range.end)
                - chunks.partition_point(|c| c.end <= range.start)
        };
        block.iter().zip(&self.storage).map(within).product()
    }
}

/// The storage chunks of a variable along one of its dimensions; `plane` tells latitude (0) and longitude (1).
fn storage(
    variable: &SourceVariable,
    parts: &[OpenPart],
    dimension: usize,
    plane: Option<usize>,
) -> Vec<std::ops::Range<usize>> {
    let stretch = plane.map_or(1, |plane| STRETCH[plane]);
    let stored = |part: &OpenPart, d: usize| part.source.chunk_shape().map(|shape| shape[d]);
    if variable.dimensions[dimension].role != Role::Time || variable.time.is_none() {
        let d = if variable.stacked {
            dimension - 1
        } else {
            dimension
        };
        // The files of one variable may be chunked differently: what is common is their greatest chunk.
        let size = parts.iter().filter_map(|part| stored(part, d)).max();
        return storage_cuts(variable.dimensions[dimension].len, size, stretch);
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

/// Makes read tasks as chunks ask for their blocks: each once, and only if one does.
struct Readers<'a> {
    name: &'a str,
    parts: &'a [OpenPart],
    plan: &'a Plan,
    order: &'a [usize],
    stacked: bool,
    /// The place of time among the ordered dimensions.
    time: Option<usize>,
    fill: AttributeValue,
    blocks: HashMap<Vec<usize>, Delayed<Values>>,
    poles: HashMap<(Vec<usize>, bool), Delayed<PoleMeans>>,
    reads: Reads,
    cell_bytes: usize,
    value_bytes: usize,
}

impl Readers<'_> {
    /// The blocks that cuts need, every combination of their pieces.
    fn blocks(&mut self, cuts: &[Arc<AxisCut>]) -> Vec<Delayed<Values>> {
        let counts: Vec<usize> = cuts.iter().map(|cut| cut.pieces.len()).collect();
        combinations(&counts)
            .map(|index| {
                index
                    .iter()
                    .zip(cuts)
                    .map(|(&i, cut)| cut.pieces[i].block)
                    .collect()
            })
            .map(|block| self.block(block))
            .collect()
    }

    fn block(&mut self, index: Vec<usize>) -> Delayed<Values> {
        if let Some(block) = self.blocks.get(&index) {
            return block.clone();
        }
        let ranges: Vec<_> = index
            .iter()
            .zip(&self.plan.axes)
            .map(|(&i, axis)| axis.blocks[i].clone())
            .collect();
        self.reads.blocks += 1;
        self.reads.storage_chunks += self.plan.storage_chunks(&ranges);
        let cells: usize = ranges.iter().map(ExactSizeIterator::len).product();
        self.reads.bytes += (cells * self.cell_bytes) as u64;
        // Blocks never reach from one file into the next: storage chunks do not.
        let part = match self.time {
            Some(time) => {
                let at = self
                    .parts
                    .partition_point(|p| p.part.start + p.part.len <= ranges[time].start);
                self.parts.get(at)
            }
            None => self.parts.first(),
        }
        .expect("every block lies in a part");
        let mut own = ranges;
        if let Some(time) = self.time {
            own[time] = own[time].start - part.part.start..own[time].end - part.part.start;
        }
        let stored = Region::new(own).permuted(&inverse(self.order));
        let (source, decoding) = (part.source.clone(), part.decoding.clone());
        let (order, stacked, fill) = (self.order.to_vec(), self.stacked, self.fill.clone());
        let label = format!("read {} {} {stored}", part.file, self.name);
        let block = try_delayed(move || {
            read_block(source.as_ref(), &stored, stacked, &decoding, &fill, &order)
        })
        .named(label)
        .group(self.name.to_owned())
        .bytes((cells * self.value_bytes) as u64);
        self.blocks.insert(index, block.clone());
        block
    }

    /// The means of the rows next to the poles that a chunk's weights reach: one task for all chunks at the same times.
    fn poles(&mut self, index: &[usize], cuts: &[Arc<AxisCut>]) -> Vec<Delayed<PoleMeans>> {
        let outer = cuts.len() - 2;
        let rows = &cuts[outer];
        let mut poles = Vec::new();
        for last in [false, true] {
            if rows.poles[usize::from(last)].is_none() {
                continue;
            }
            let key = (index[..outer].to_vec(), last);
            if let Some(pole) = self.poles.get(&key) {
                poles.push(pole.clone());
                continue;
            }
            let row = if last { self.plan.rows - 1 } else { 0 };
            let columns: Vec<usize> = (0..self.plan.columns).collect();
            let mut ring = cuts[..outer].to_vec();
            ring.push(Arc::new(AxisCut::window_of(
                &[row],
                &self.plan.axes[outer].blocks,
            )));
            ring.push(Arc::new(AxisCut::window_of(
                &columns,
                &self.plan.axes[outer + 1].blocks,
            )));
            let blocks = self.blocks(&ring);
            let pole = delayed::apply(blocks, move |blocks: Vec<&Values>| {
                pole_means(&ring, &blocks)
            })
            .named(format!("pole of {} (row {row})", self.name))
            .group(self.name.to_owned());
            self.poles.insert(key, pole.clone());
            poles.push(pole);
        }
        poles
    }
}

/// Reads one block and makes its values usable: missing ones marked, packed ones unpacked, the plane's dimensions last.
fn read_block(
    source: &dyn ChunkSource,
    stored: &Region,
    stacked: bool,
    decoding: &Decoding,
    fill: &AttributeValue,
    order: &[usize],
) -> Result<Values, Error> {
    let values = if stacked {
        source
            .read(&Region::new(&stored.ranges()[1..]))?
            .with_new_first_dimension()
    } else {
        source.read(stored)?
    };
    Ok(decoding.decode(values, fill).permuted(order))
}

/// The writing of fields, planned and ready to run.
#[derive(Debug)]
pub struct PlannedWrite {
    output: Arc<Output>,
    tasks: Vec<Delayed<()>>,
}

impl Write {
    /// Makes the output under a temporary name, and a task that writes each chunk as soon as it is computed.
    ///
    /// # Errors
    /// [`Error::Nothing`] without fields, [`Error::OutputExists`], [`Error::OutputIsInput`], [`Error::File`] and
    /// [`Error::Netcdf`] where the file cannot be made.
    pub fn plan(self, fields: &[LazyField]) -> Result<PlannedWrite, Error> {
        let output = Arc::new(Output::create(self, fields)?);
        let mut tasks = Vec::new();
        for (field, name) in fields.iter().zip(output.names()) {
            for (region, chunk) in &field.chunks {
                let (output, place, name, fill) = (
                    output.clone(),
                    region.clone(),
                    name.clone(),
                    field.meta.fill_value.clone(),
                );
                let task = try_apply(chunk, move |values: &Values| {
                    output.put(&name, &place, values, &fill)
                })
                .named(format!("write {} {region}", field.meta.name))
                .group(field.meta.name.clone());
                tasks.push(task);
            }
        }
        Ok(PlannedWrite { output, tasks })
    }
}

impl PlannedWrite {
    /// The graph of all tasks.
    ///
    /// # Errors
    /// [`Error::Run`] if the graph cannot be made.
    pub fn graph(&self) -> Result<Graph, Error> {
        Ok(Graph::of(self.tasks.clone()))
    }

    /// Where the output is until it is complete.
    pub fn temporary_path(&self) -> &std::path::Path {
        self.output.temporary_path()
    }

    /// Runs the tasks; then the output appears under its name, complete.
    ///
    /// # Errors
    /// [`Error::Run`] for what a task met; [`Error::Netcdf`] and [`Error::File`] if the output cannot be finished. In either
    /// case nothing is left behind.
    pub fn run(self, run: &Run) -> Result<(), Error> {
        run.compute(&self.tasks)?;
        drop(self.tasks);
        self.output.finish()
    }
}

/// Writes fields into one new netCDF-4 file, chunk by chunk, in parallel, with little memory.
///
/// [`Write`] has options.
///
/// # Errors
/// As [`Write::plan`] and [`PlannedWrite::run`].
pub fn write(path: impl Into<PathBuf>, fields: &[LazyField]) -> Result<(), Error> {
    Write::new(path).plan(fields)?.run(&Run::new())
}
