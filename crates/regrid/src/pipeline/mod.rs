//! From a plan to tasks: read, regrid, write. The only folder of this crate that knows `delayed`.
//!
//! The steps are those of a loop that anyone would write: for each parameter, cut the template grid into chunks; for
//! each chunk, regrid it; write them into one file. The loops run at once, here; only the functions that do work become
//! tasks: `read_block`, `pole_means`, `regrid_chunk` and the writing of a chunk. So the whole graph, parameters and
//! chunks, is there before anything runs.

mod alike;
mod cells_of_target;
mod explain;
mod fresh;
mod layout;
mod lazy;
mod narrow;
mod numbers;
#[cfg(test)]
mod once_tests;
mod pace;
mod parts;
mod readers;
mod rehearsal;
mod reporting;
mod shared;
mod work;
mod writing;

pub(crate) use alike::Plans;
pub use explain::Explanation;
pub(crate) use lazy::Needs;
pub use lazy::{LazyField, Reads};
pub(crate) use reporting::Overlap;
pub use writing::{CompleteOutput, PlannedWrite, write};

use std::sync::{Arc, OnceLock};

use alike::{Likeness, Planned};
use layout::{Order, Plan};
use narrow::narrowed;
use parts::{beside_places, decoding, largest_storage, parts};
use readers::{Block, Readers};
use reporting::report;
use shared::SharedBlocks;
use work::FieldWork;

use crate::attribute::AttributeValue;
use crate::catalogue::{Catalogue, Role, SourceVariable};
use crate::companions::{TargetCoordinates, feature_type, file_attributes, meaning, surroundings};
use crate::digest::Digest;
use crate::error::Error;
use crate::field::FieldMeta;
use crate::io::decoding::{Decoding, single};
use crate::kernel::{PoleMeans, Rule};
use crate::plan::ChunkSize;
use crate::request::{FLAGS, Request};
use crate::scheme::{Method, PlaneWeights};
use crate::time::ChosenTimes;
use crate::values::DataType;
use crate::weights::SparseWeights;

/// Chunks of one field at the most: their tasks alone would take gigabytes.
const MOST_CHUNKS: u64 = 2_000_000;

/// Refuses a parameter with more chunks than can be planned: before its weights, which may be as many, are made.
///
/// # Errors
/// [`Error::TooManyChunks`]; what cannot be regridded for other reasons is refused by [`regrid_param`].
pub(crate) fn check_chunks(
    request: &Request,
    variable: &SourceVariable,
    times: Option<&ChosenTimes>,
) -> Result<(), Error> {
    let Ok(decoding) = Decoding::new(&variable.meta, request.blends()) else {
        return Ok(());
    };
    let order = Order::new(variable, request.target.is_list());
    let len = |&d: &usize| match (variable.dimensions[d].role, times) {
        (Role::Time, Some(times)) => times.weights.len(),
        _ => variable.dimensions[d].len,
    };
    let mut shape: Vec<usize> = order.source[..order.outer].iter().map(len).collect();
    let (rows, columns) = request.target.shape();
    shape.extend((!request.target.is_list()).then_some(rows));
    shape.push(columns);
    let size = chunk_size(request, decoding.output.size());
    let chunks = order.chunk_count(&shape, &size);
    if chunks > MOST_CHUNKS {
        return Err(Error::TooManyChunks {
            variable: variable.name().to_owned(),
            chunks,
            most: MOST_CHUNKS,
        });
    }
    Ok(())
}

/// The usual size of a target chunk.
fn chunk_size(request: &Request, cell_bytes: usize) -> ChunkSize {
    ChunkSize {
        plane: request.chunk,
        outer: None,
        cells: request.budget().chunk_cells(cell_bytes),
    }
}

/// Plans one parameter, if none like it is among the plans, and builds its tasks.
pub(crate) fn regrid_param(
    request: &Request,
    plans: &mut Plans,
    (catalogue, variable): (&Catalogue, &SourceVariable),
    weights: &Arc<PlaneWeights>,
    overlap: Option<Arc<Overlap>>,
    times: Option<&Arc<ChosenTimes>>,
    coordinates: &TargetCoordinates,
) -> Result<LazyField, Error> {
    let first = catalogue.files()[variable.parts[0].file].clone();
    let refused = |reason: String| Error::NotRegriddable {
        variable: variable.name().to_owned(),
        path: first.path().to_owned(),
        reason,
        flags: false,
    };
    let blends = request.blends();
    if request.refuses_flags() && variable.holds_flags() {
        return Err(Error::NotRegriddable {
            variable: variable.name().to_owned(),
            path: first.path().to_owned(),
            reason: FLAGS.into(),
            flags: true,
        });
    }
    let decoding = decoding(catalogue, variable, blends).map_err(refused)?;
    let fill = match request.method_used() {
        Method::Sum | Method::Count => decoding.fill_of_sums(&variable.meta),
        _ => decoding.fill(&variable.meta),
    };
    let mut surroundings = surroundings(
        catalogue,
        variable,
        (&request.target, coordinates),
        times.map(|times| &**times),
    )?;
    meaning::update(
        &mut surroundings.attributes,
        variable,
        request.method_used(),
        blends,
    );
    meaning::widen_flags(&mut surroundings.attributes, decoding.output);
    let parts = parts(catalogue, variable, blends, decoding.output)?;

    let target_shape: Vec<usize> = surroundings.dimensions.iter().map(|d| d.len).collect();
    let order = Order::new(variable, request.target.is_list());
    let budget = request.budget();
    let cell_bytes = decoding.output.size();
    let also = overlap.as_ref().map(|overlap| &overlap.weights);
    let like = Likeness::new(
        variable,
        &parts,
        order,
        (weights, also),
        times,
        &target_shape,
        cell_bytes,
    );
    let Planned { plan, compared } = plans.of(like, |like| {
        let made = |weights: &PlaneWeights, also: Option<&PlaneWeights>, size: &ChunkSize| {
            Plan::new(
                variable,
                (like.order.clone(), like.storage.clone()),
                &parts,
                (weights, also),
                times.map(|times| &**times),
                &target_shape,
                (size, budget, cell_bytes),
            )
        };
        let also = also.map(|also| &**also);
        let most = budget.window_bytes() / cell_bytes.max(1);
        let size = chunk_size(request, cell_bytes);
        // What is compared with the source reads a window of its own.
        let compares = |size: &ChunkSize| {
            let also = also.filter(|_| budget.memory.is_some());
            also.map_or(0, |also| made(also, Some(weights), size).window_cells())
        };
        let (mut plan, size) = narrowed(size, most, |size| made(weights, also, size), compares);
        if budget.memory.is_some() {
            plan.part_rings(most);
        }
        let compared = also.map(|also| made(also, Some(weights), &size));
        Planned {
            plan: Arc::new(plan),
            compared: compared.map(Arc::new),
        }
    });
    if plan.rings.apart {
        let name = variable.name();
        surroundings.notes.push(match largest_storage(&parts) {
            Some(_) => format!(
                "of {name} what is stored next to the poles waits in a file: the memory does not hold all of it at once"
            ),
            None => format!(
                "of {name} the rows next to the poles are read by themselves: the memory does not hold all that is read with them"
            ),
        });
    }
    let name = variable.name().to_owned();
    let absent = Arc::new(match decoding.output {
        DataType::F32 => single(&AttributeValue::F32(vec![f32::NAN])),
        DataType::F64 => single(&AttributeValue::F64(vec![f64::NAN])),
        _ => single(&fill),
    });
    let stored_size = variable.meta.data_type.size();
    let is_time = |&d: &usize| variable.dimensions[d].role == Role::Time;
    let work = Arc::new(FieldWork {
        name: name.clone(),
        stacked: variable.stacked,
        time: plan.order.source.iter().position(is_time),
        fill: fill.clone(),
        absent: absent.clone(),
        rule: request.rule().by(|| weights.any_negative()),
        plan,
        parts,
        shared: OnceLock::new(),
    });
    let plan = &work.plan;
    let mut readers = Readers::new(&work, [stored_size, cell_bytes]);
    let mut series = work.regrids();
    let mut chunks = Vec::with_capacity(plan.count());
    let mut largest_chunk = 0;
    let mut cuts = Vec::new();
    plan.for_each_index(|index| {
        cuts.clear();
        plan.cuts(index, &mut cuts);
        let blocks = readers.blocks_of(&cuts, plan.reached(index));
        let poles = readers.poles(index, &cuts);
        let region = plan.region(index);
        let bytes = region.len() * cell_bytes;
        let (own, number) = (work.clone(), plan.number(index));
        let chunk = series.of(bytes as u64).apply(
            number,
            (blocks, poles),
            move |(blocks, poles): (Vec<&Block>, Vec<&PoleMeans>)| {
                own.regrid(number, &blocks, &poles)
            },
        );
        largest_chunk = largest_chunk.max(bytes);
        chunks.push((region, chunk));
    });
    let has_integral = overlap.as_ref().is_some_and(|overlap| overlap.has_areas());
    let (mut compared_arrays, mut looked_at) = ([0; 4], [0; 2]);
    let report = overlap.zip(compared).map(|(overlap, compared)| {
        debug_assert_eq!(compared.blocks, plan.blocks);
        // A window, one of its planes in doubles, the chunk in doubles, and the areas of its plane.
        let chunk = largest_chunk / cell_bytes.max(1);
        let areas = if overlap.has_areas() {
            plan.targets_of_plane()
        } else {
            0
        };
        let window = compared.gathered_cells(true) * cell_bytes;
        let doubles = [compared.plane_cells(), chunk, areas].map(|cells| cells * size_of::<f64>());
        compared_arrays[0] = window;
        compared_arrays[1..].copy_from_slice(&doubles);
        let planes = chunk / plan.targets_of_plane().max(1);
        looked_at = [planes * compared.plane_cells(), chunk];
        report(&name, overlap, &compared, &mut readers, &absent, &chunks)
    });
    if plan.rings.apart {
        // The outputs of all fields, which may lie in the same folder, as if each were like this.
        let output = target_shape.iter().product::<usize>() * cell_bytes * plans.fields;
        let scratch = (request.scratch_folder(), output as u64);
        let shared = SharedBlocks::new(readers.shared(), scratch);
        // Nobody has read anything yet.
        let _ = work.shared.set(shared);
    }
    let comparing = report.as_ref().map_or(0, |report| report.tallies.len() + 1);
    let tasks = readers.tasks() + chunks.len() + comparing;
    let block = plan.largest_block();
    let storage = largest_storage(&work.parts).map(|cells| cells * stored_size);
    let converted = variable.meta.data_type != decoding.output || !plan.order.source.is_sorted();
    let is_cut = chunks
        .iter()
        .any(|(region, _)| region.len() * cell_bytes < largest_chunk);
    let whole_planes = request.rule().takes_planes();
    let side_by_side = match request.rule() {
        Rule::Blend(_) => plan.cells_side_by_side(),
        Rule::Pick | Rule::Statistic { .. } => 0,
    };
    let gathered = plan.gathered_cells(whole_planes) * cell_bytes;
    let mixed = usize::from(plan.mixes()) * plan.plane_cells() * size_of::<f64>();
    let in_parts = beside_places(&work.parts, &plan.block_shape());
    let needs = Needs {
        budget,
        types: [variable.meta.data_type, decoding.output],
        digest: digest(weights),
        plan: Arc::as_ptr(plan) as usize,
        weights: plan.weights_bytes() as u64,
        shared: weights.shared_bytes() as u64,
        in_file: weights.bytes_in_file() as u64,
        mapped: plan.bytes_in_file() as u64,
        gathered: gathered as u64,
        side_by_side: (side_by_side * cell_bytes) as u64,
        ring: (plan.ring_cells() * cell_bytes) as u64,
        mixed: mixed as u64,
        // What ends with its field is filled up.
        filled: (usize::from(is_cut) * largest_chunk) as u64,
        compared: compared_arrays.map(|bytes| bytes as u64),
        looked_at: looked_at.map(|cells| cells as u64),
        apart: (usize::from(plan.rings.apart && storage.is_some()) * block * cell_bytes) as u64,
        turned: (block * stored_size * usize::from(converted)) as u64,
        storage: storage.map(|storage| storage as u64),
        in_parts,
        chunk: largest_chunk as u64,
        largest: largest_chunk.max(block * cell_bytes) as u64,
    };
    let chunk_shape: Vec<usize> = (plan.order.result.iter())
        .map(|&d| plan.chunk_shape[d])
        .collect();
    let (reads, stored) = (readers.reads, readers.read.into());
    let mut attributes = file_attributes(&first.meta().attributes);
    if let Some(feature) = feature_type(variable, &request.target, &surroundings) {
        attributes.set("featureType", feature);
    }
    Ok(LazyField {
        meta: FieldMeta {
            name,
            dimensions: surroundings.dimensions,
            attributes: surroundings.attributes,
            fill_value: fill,
            companions: surroundings.companions,
        },
        data_type: decoding.output,
        chunks: chunks.into(),
        chunk_shape,
        notes: surroundings.notes,
        inputs: request.inputs(catalogue),
        history: first.meta().attributes.text("history").map(str::to_owned),
        attributes,
        in_words: request.in_words(),
        report,
        has_integral,
        reads,
        tasks,
        work,
        stored,
        needs,
    })
}

/// A digest of weights: of a sample, since that of all takes as long as some kinds of regridding.
fn digest(weights: &PlaneWeights) -> u64 {
    const SAMPLES: usize = 10_000;
    let mut digest = Digest::default();
    let mut add = |weights: &SparseWeights| {
        digest.add(weights.bytes() as u64);
        for target in (0..weights.len()).step_by(weights.len().div_ceil(SAMPLES).max(1)) {
            for (cell, weight) in weights.row(target) {
                digest.add(cell as u64);
                digest.add(weight.to_bits());
            }
        }
    };
    match weights {
        PlaneWeights::Separable(weights) => {
            add(&weights.latitude);
            add(&weights.longitude);
        }
        PlaneWeights::Sparse(all, _) => {
            add(all);
            all.rest();
        }
    }
    digest.number()
}
