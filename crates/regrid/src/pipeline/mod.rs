//! From a plan to tasks: read, regrid, write. The only folder of this crate that knows `delayed`.
//!
//! The steps are those of a loop that anyone would write: for each parameter, cut the template grid into chunks; for
//! each chunk, regrid it; write them into one file. The loops run at once, here; only the functions that do work become
//! tasks: `read_block`, `pole_means`, [`regrid_chunk`] and the writing of a chunk. So the whole graph, parameters and
//! chunks, is there before anything runs.

mod layout;
mod lazy;
mod parts;
mod readers;
mod reporting;
mod writing;

pub(crate) use reporting::Overlap;

pub use lazy::{LazyField, Reads};
pub use writing::{PlannedWrite, write};

use std::sync::Arc;

use layout::{Order, Plan};
use parts::parts;
use readers::{Block, Readers, values};
use reporting::report;

use crate::attribute::AttributeValue;
use crate::catalogue::{Catalogue, SourceVariable};
use crate::chunk::{Region, combinations};
use crate::companions::{file_attributes, meaning, surroundings};
use crate::error::Error;
use crate::field::FieldMeta;
use crate::io::decoding::{Decoding, single};
use crate::kernel::{PoleMeans, regrid_chunk};
use crate::request::{FLAGS, Request};
use crate::scheme::PlaneWeights;
use crate::time::ChosenTimes;
use crate::values::DataType;

/// Chunks of one field at the most: their tasks alone would take gigabytes.
const MOST_CHUNKS: u64 = 2_000_000;

/// Plans one parameter and builds its tasks.
pub(crate) fn regrid_param(
    request: &Request,
    catalogue: &Catalogue,
    variable: &SourceVariable,
    weights: &PlaneWeights,
    overlap: Option<Arc<Overlap>>,
    times: Option<&ChosenTimes>,
) -> Result<LazyField, Error> {
    let first = catalogue.files()[variable.parts[0].file].clone();
    let refused = |reason: String| Error::NotRegriddable {
        variable: variable.name().to_owned(),
        path: first.path().to_owned(),
        reason,
    };
    let blends = request.blends();
    if request.refuses_flags() && variable.holds_flags() {
        return Err(refused(FLAGS.into()));
    }
    let decoding = Decoding::new(&variable.meta, blends).map_err(refused)?;
    let fill = decoding.fill(&variable.meta);
    let mut surroundings = surroundings(catalogue, variable, &request.target, times)?;
    meaning::update(
        &mut surroundings.attributes,
        variable,
        request.method_used(),
        blends,
    );
    let parts = parts(catalogue, variable, blends, decoding.output)?;

    let target_shape: Vec<usize> = surroundings.dimensions.iter().map(|d| d.len).collect();
    let order = Order::new(variable, request.target.is_list());
    let chunks = order.chunk_count(&target_shape, request.chunk);
    if chunks > MOST_CHUNKS {
        return Err(Error::TooManyChunks {
            variable: variable.name().to_owned(),
            chunks,
            most: MOST_CHUNKS,
        });
    }
    let plan = |weights, also| {
        Plan::new(
            variable,
            order.clone(),
            &parts,
            (weights, also),
            times,
            &target_shape,
            request.chunk,
        )
    };
    let compared = overlap
        .as_ref()
        .map(|overlap| plan(&overlap.weights, Some(weights)));
    let plan = plan(weights, overlap.as_ref().map(|overlap| &*overlap.weights));

    let name = variable.name().to_owned();
    let mut readers = Readers::new(variable, &parts, &plan, &fill, decoding.output);
    let absent = Arc::new(match decoding.output {
        DataType::F32 => single(&AttributeValue::F32(vec![f32::NAN])),
        DataType::F64 => single(&AttributeValue::F64(vec![f64::NAN])),
        _ => single(&fill),
    });
    let rule = request.rule();
    let order = &plan.order.result;
    let counts = plan.counts();
    let mut chunks = Vec::with_capacity(counts.iter().product());
    for index in combinations(&counts) {
        let chunk = plan.chunk(&index);
        let region = Region::new(chunk.targets()).permuted(order);
        let blocks = readers.blocks(&chunk);
        let poles = readers.poles(&index, &chunk);
        let bytes = region.len() * decoding.output.size();
        let (absent, order) = (absent.clone(), order.clone());
        let chunk = delayed::apply(
            (blocks, poles),
            move |(blocks, poles): (Vec<&Block>, Vec<&PoleMeans>)| {
                regrid_chunk(&chunk, &values(&blocks), &poles, rule, &absent).permuted(&order)
            },
        )
        .named(format!("regrid {name} {region}"))
        .group(name.clone())
        .bytes(bytes as u64);
        chunks.push((region, chunk));
    }
    let has_integral = overlap.as_ref().is_some_and(|overlap| overlap.has_areas());
    let report = overlap.zip(compared).map(|(overlap, compared)| {
        debug_assert_eq!(compared.blocks, plan.blocks);
        report(&name, overlap, &compared, &mut readers, &absent, &chunks)
    });
    let reads = readers.reads;
    let chunk_shape: Vec<usize> = order.iter().map(|&d| plan.chunk_shape[d]).collect();
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
        inputs: catalogue.paths(),
        history: first.meta().attributes.text("history").map(str::to_owned),
        attributes: file_attributes(&first.meta().attributes),
        in_words: request.in_words(),
        report,
        has_integral,
        reads,
    })
}
