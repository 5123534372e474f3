//! The plan of a whole field: its dimensions' plans side by side.

use std::ops::Range;
use std::sync::Arc;

use super::parts::{OpenPart, storage};
use crate::catalogue::{Role, SourceVariable};
use crate::chunk::cuts;
use crate::plan::{AxisCut, AxisPlan, AxisSource, block_cells, target_chunk_shape};
use crate::scheme::{RectilinearWeights, pole_row};
use crate::time::ChosenTimes;
use crate::weights::SparseWeights;

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

/// Where each dimension is in an order.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (place, &dimension) in order.iter().enumerate() {
        inverse[dimension] = place;
    }
    inverse
}

/// How many chunks targets of a shape (in the order of the variable's dimensions) are cut into.
pub(super) fn chunk_count(
    variable: &SourceVariable,
    target: &[usize],
    chunk: Option<(usize, usize)>,
) -> u64 {
    let shape: Vec<usize> = plane_last(variable).iter().map(|&d| target[d]).collect();
    let chunk_shape = target_chunk_shape(&shape, chunk);
    shape
        .iter()
        .zip(chunk_shape)
        .map(|(&len, size)| len.div_ceil(size) as u64)
        .fold(1, u64::saturating_mul)
}

/// The plans of all dimensions, in the order in which windows and chunks are computed: the plane's last.
pub(super) struct Plan {
    pub(super) axes: Vec<AxisPlan>,
    pub(super) cuts: Vec<Vec<Arc<AxisCut>>>,
    /// Which of the variable's dimensions each one is.
    pub(super) order: Vec<usize>,
    /// Where each of the variable's dimensions is among them.
    pub(super) back: Vec<usize>,
    /// The usual shape of a target chunk.
    pub(super) chunk_shape: Vec<usize>,
    /// Storage chunks along each dimension, to count what is read.
    storage: Vec<Vec<Range<usize>>>,
    /// The source's own columns, all of them: what a pole row is the mean of.
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Plan {
    /// Plans a variable onto targets of a shape (in the order of the variable's dimensions), in chunks of a stated size.
    pub(super) fn new(
        variable: &SourceVariable,
        parts: &[OpenPart],
        weights: &RectilinearWeights,
        times: Option<&ChosenTimes>,
        target: &[usize],
        chunk: Option<(usize, usize)>,
    ) -> Self {
        let order = plane_last(variable);
        let back = inverse(&order);
        let source_shape: Vec<usize> = order.iter().map(|&d| variable.dimensions[d].len).collect();
        let target_shape: Vec<usize> = order.iter().map(|&d| target[d]).collect();
        let chunk_shape = target_chunk_shape(&target_shape, chunk);
        let outer = order.len() - 2;
        let axes = variable.grid.axes();
        let (latitudes, longitudes) = axes.expect("there are weights for rectilinear grids only");
        let (rows, columns) = (latitudes.len(), longitudes.distinct());
        let storage: Vec<Vec<Range<usize>>> = order
            .iter()
            .enumerate()
            .map(|(axis, &d)| storage(variable, parts, d, axis.checked_sub(outer)))
            .collect();
        let usual: Vec<usize> = storage
            .iter()
            .map(|cuts| cuts.first().map_or(1, ExactSizeIterator::len))
            .collect();
        let most = block_cells(&source_shape, &usual, variable.meta.data_type.size());
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
                let plane = |weights: &SparseWeights, apart: &[usize]| {
                    AxisPlan::new(weights, &target_cuts, &AxisSource { apart, ..source })
                };
                let steps = |weights: &SparseWeights, ends: &[usize]| {
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
                    _ => steps(&SparseWeights::identity(source_shape[axis]), &[]),
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
            order,
            back,
            chunk_shape,
            storage,
            columns,
            rows,
        }
    }

    /// How many storage chunks a block covers.
    pub(super) fn storage_chunks(&self, block: &[Range<usize>]) -> usize {
        let within = |(range, chunks): (&Range<usize>, &Vec<Range<usize>>)| {
            chunks.partition_point(|c| c.start < range.end)
                - chunks.partition_point(|c| c.end <= range.start)
        };
        block.iter().zip(&self.storage).map(within).product()
    }
}
