//! What one chunk adds to a report: its targets beside the source cells that they overlap.

use std::sync::Arc;

use ndarray::ArrayD;

use super::outer_sources;
use super::window::{Block, planes};
use crate::chunk::combinations;
use crate::plan::ChunkPlan;
use crate::report::Tally;
use crate::values::Values;

/// Which cells of a window's plane are to be counted: those that no chunk before has counted.
#[derive(Debug, Clone)]
pub(crate) enum Fresh {
    /// Those of some rows and some columns.
    Product(Arc<Vec<bool>>, Arc<Vec<bool>>),
    /// Each by itself.
    Each(Arc<Vec<bool>>),
}

impl Fresh {
    fn holds(&self, at: usize) -> bool {
        match self {
            Self::Product(rows, columns) => rows[at / columns.len()] && columns[at % columns.len()],
            Self::Each(cells) => cells[at],
        }
    }
}

/// Counts one chunk.
///
/// The plan's weights are shares of overlap, and `areas` the targets' areas, where cells have any. `result` has the chunk's
/// values in the plan's order, `absent` is what marks missing integers among the source's.
pub(crate) fn tally(
    plan: &ChunkPlan,
    blocks: &[&Values],
    absent: &Values,
    result: &ArrayD<f64>,
    areas: Option<&[f64]>,
    fresh: &Fresh,
) -> Tally {
    macro_rules! dispatch {
        ($($variant:ident),*) => {
            match absent {
                $(Values::$variant(absent) => {
                    let absent = absent.first().copied().unwrap_or_default();
                    let blocks: Vec<_> = blocks
                        .iter()
                        .map(|block| match block {
                            Values::$variant(array) => Block::of(array),
                            other => unreachable!("a block of {:?} among others", other.data_type()),
                        })
                        .collect();
                    // Missing floats are no numbers already.
                    let widen = |x| if x == absent { f64::NAN } else { x as f64 };
                    chunk(plan, &blocks, widen, result, areas, fresh)
                })*
                Values::Char(_) | Values::Text(_) => unreachable!("text is never regridded"),
            }
        };
    }
    dispatch!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

fn chunk<T: Copy + Default>(
    plan: &ChunkPlan,
    blocks: &[Block<'_, T>],
    widen: impl Fn(T) -> f64,
    result: &ArrayD<f64>,
    areas: Option<&[f64]>,
    fresh: &Fresh,
) -> Tally {
    let mut copy = Vec::new();
    let planes = planes(plan, blocks, &mut copy);
    let mut tally = Tally::default();
    let mut plane = Vec::new();
    let mut values = result.iter();
    for targets in combinations(&plan.outer_shape()) {
        let sources = outer_sources(plan.outer(), &targets);
        plane.clear();
        plane.resize(plan.plane_cells(), f64::NAN);
        for (n, &(at, weight)) in sources.iter().enumerate() {
            let cells = plane.iter_mut().zip(planes[at]);
            if n == 0 {
                cells.for_each(|(sum, &x)| *sum = weight * widen(x));
            } else {
                cells.for_each(|(sum, &x)| *sum += weight * widen(x));
            }
        }
        for (at, &x) in plane.iter().enumerate() {
            if fresh.holds(at) {
                tally.source.add(x);
            }
        }
        let mut target = 0;
        plan.for_each_target(|covered, entries| {
            let value = *values.next().expect("as many as there are targets");
            tally.target.add(value);
            if let Some(areas) = areas {
                overlap(&mut tally, value, areas[target] * covered, entries, &plane);
                tally.whole.add(areas[target]);
            }
            target += 1;
        });
    }
    tally
}

/// Adds what one target has in common with the valid source cells, if it is valid itself.
fn overlap(tally: &mut Tally, value: f64, area: f64, entries: &[(usize, f64)], plane: &[f64]) {
    if value.is_nan() {
        return;
    }
    let (mut share, mut sum, mut size) = (0.0, 0.0, 0.0);
    for &(at, weight) in entries.iter().filter(|&&(at, _)| !plane[at].is_nan()) {
        share += weight;
        sum += weight * plane[at];
        size += weight * plane[at].abs();
    }
    tally.common.add(area * share);
    tally.source_integral.add(area * sum);
    tally.magnitude.add(area * size);
    tally.target_integral.add(area * share * value);
}
