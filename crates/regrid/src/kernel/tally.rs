//! What one chunk adds to a report: its targets beside the source cells that they overlap.

use std::sync::Arc;

use ndarray::ArrayD;

use super::outer_sources;
use super::simd::{add_overlap, common_terms, exact_sums, extremes};
use super::taps::Columns;
use super::window::{Block, planes};
use crate::buffers::{self, Number};
use crate::chunk::combinations;
use crate::plan::{AxisCut, ChunkPlan, SparseCut};
use crate::report::{Counted, Sum, Tally};
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
    fn count(&self, plane: &[f64]) -> Counted {
        match self {
            Self::Product(rows, columns) => {
                let mut counted = Counted::default();
                let rows = plane.chunks(columns.len().max(1)).zip(&**rows);
                for (row, _) in rows.filter(|(_, fresh)| **fresh) {
                    counted.merge(&count(row, columns));
                }
                counted
            }
            Self::Each(cells) => count(plane, cells),
        }
    }
}

/// Counts those values that are wanted.
fn count(values: &[f64], wanted: &[bool]) -> Counted {
    let cells = wanted.iter().filter(|&&wanted| wanted).count();
    let (extremes, missing) = extremes(values, wanted);
    Counted::of(cells as u64, missing, extremes)
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

fn chunk<T: Number>(
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
    let mut plane = buffers::take(plan.plane_cells());
    let all = vec![true; plan.plane_targets()];
    let result = result.as_standard_layout();
    let values = result.as_slice().expect("row by row");
    let mut overlaps = Overlaps::default();
    let common = areas.map(|areas| (areas, exact_sums(areas), Common::new(plan)));
    let of_planes = values.chunks(plan.plane_targets().max(1));
    for (targets, values) in combinations(&plan.outer_shape()).zip(of_planes) {
        let sources = outer_sources(plan.outer(), &targets);
        plane.fill(f64::NAN);
        for (n, &(at, weight)) in sources.iter().enumerate() {
            let cells = plane.iter_mut().zip(planes[at]);
            if n == 0 {
                cells.for_each(|(sum, &x)| *sum = weight * widen(x));
            } else {
                cells.for_each(|(sum, &x)| *sum += weight * widen(x));
            }
        }
        tally.source.merge(&fresh.count(&plane));
        tally.target.merge(&count(values, &all));
        if let Some((areas, [sums, lost], common)) = &common {
            tally.whole.add_sums([sums, lost]);
            overlaps.add_plane(common, &plane, (values, areas), &mut tally);
        }
    }
    overlaps.flush(&mut tally);
    buffers::give(plane);
    buffers::give(copy);
    tally
}

fn add(sum: &mut Sum, values: &[f64]) {
    let [sums, lost] = exact_sums(values);
    sum.add_sums([&sums, &lost]);
}

/// Targets that are added up at once: so many, and those that are left of a row.
const MANY: usize = 1024;

/// What targets have in common with the valid source cells, of those that are valid themselves.
#[derive(Default)]
struct Overlaps {
    common: Vec<f64>,
    source: Vec<f64>,
    magnitude: Vec<f64>,
    target: Vec<f64>,
}

/// The weights of the valid source cells of a target, and the sums of their weighted values and of the sizes of these.
#[derive(Clone, Copy, Default)]
struct Shared {
    share: f64,
    sum: f64,
    size: f64,
}

/// What the targets of a plane have in common with its source.
enum Common<'p> {
    Rows(RowsAndColumns<'p>),
    Each(&'p SparseCut),
}

impl<'p> Common<'p> {
    fn new(plan: &'p ChunkPlan) -> Self {
        match &plan.sparse {
            Some(cut) => Self::Each(cut),
            None => Self::Rows(RowsAndColumns::new(plan)),
        }
    }
}

/// How the rows and the columns of a plane overlap.
struct RowsAndColumns<'p> {
    rows: &'p AxisCut,
    columns: Columns<'p>,
    /// Which part of each target column the source covers.
    covered: Vec<f64>,
}

impl<'p> RowsAndColumns<'p> {
    fn new(plan: &'p ChunkPlan) -> Self {
        let (rows, columns) = plan.axes();
        let weights = &columns.weights;
        Self {
            rows,
            columns: Columns::new(columns),
            covered: (0..weights.len()).map(|c| weights.covered(c)).collect(),
        }
    }
}

impl Overlaps {
    fn add_plane(
        &mut self,
        common: &Common<'_>,
        plane: &[f64],
        targets: (&[f64], &[f64]),
        tally: &mut Tally,
    ) {
        match common {
            Common::Rows(axes) => self.add_rows(axes, plane, targets, tally),
            Common::Each(cut) => self.add_each(cut, plane, targets, tally),
        }
    }

    /// Adds targets cell by cell.
    fn add_each(
        &mut self,
        cut: &SparseCut,
        plane: &[f64],
        (values, areas): (&[f64], &[f64]),
        tally: &mut Tally,
    ) {
        let mut targets = values.iter().zip(areas);
        cut.for_each_row(|row| {
            let mut shared = Shared::default();
            for (at, weight) in row.entries().filter(|&(at, _)| !plane[at].is_nan()) {
                shared.share += weight;
                shared.sum += weight * plane[at];
                shared.size += weight * plane[at].abs();
            }
            let (&value, &area) = targets.next().expect("as many as there are targets");
            self.push(value, area * row.covered, shared);
            self.flush_if_many(tally);
        });
    }

    /// Adds targets row by row: first along the columns of the source, whole rows at once; then along each row.
    fn add_rows(
        &mut self,
        axes: &RowsAndColumns<'_>,
        plane: &[f64],
        (values, areas): (&[f64], &[f64]),
        tally: &mut Tally,
    ) {
        let (rows, width) = (axes.rows, axes.columns.width);
        let targets = axes.covered.len();
        // What a column reads that has nothing more to read is the zero at the end.
        let mut parts = [(); 3].map(|()| vec![0.0; width + 1]);
        let mut shared = [(); 3].map(|()| vec![0.0; targets]);
        let of_rows = values
            .chunks(targets.max(1))
            .zip(areas.chunks(targets.max(1)));
        for (row, (values, areas)) in of_rows.enumerate() {
            parts.iter_mut().for_each(|part| part.fill(0.0));
            // Pole rows have no part in it.
            let entries = rows.weights.row(row).iter();
            for (r, weight) in entries.filter(|(r, _)| *r < rows.window) {
                let cells = &plane[r * width..(r + 1) * width];
                let parts = parts.each_mut().map(|part| &mut part[..width]);
                add_overlap(parts, cells, weight);
            }
            for (part, shared) in parts.iter().zip(&mut shared) {
                axes.columns.apply(part, shared);
            }
            let covered = (rows.weights.covered(row), &*axes.covered);
            let terms = self.more(targets);
            common_terms(
                terms,
                (values, areas),
                covered,
                shared.each_ref().map(|all| &**all),
            );
            self.flush_if_many(tally);
        }
    }

    /// Room for the terms of so many more targets.
    fn more(&mut self, targets: usize) -> [&mut [f64]; 4] {
        let Self {
            common,
            source,
            magnitude,
            target,
        } = self;
        [common, source, magnitude, target].map(|terms| {
            let before = terms.len();
            terms.resize(before + targets, 0.0);
            &mut terms[before..]
        })
    }

    /// Adds a target of a value and an area.
    fn push(&mut self, value: f64, area: f64, shared: Shared) {
        if value.is_nan() {
            return;
        }
        self.common.push(area * shared.share);
        self.source.push(area * shared.sum);
        self.magnitude.push(area * shared.size);
        self.target.push(area * shared.share * value);
    }

    fn flush_if_many(&mut self, tally: &mut Tally) {
        if self.common.len() >= MANY {
            self.flush(tally);
        }
    }

    /// Adds all up.
    fn flush(&mut self, tally: &mut Tally) {
        for (sum, terms) in [
            (&mut tally.common, &mut self.common),
            (&mut tally.source_integral, &mut self.source),
            (&mut tally.magnitude, &mut self.magnitude),
            (&mut tally.target_integral, &mut self.target),
        ] {
            add(sum, terms);
            terms.clear();
        }
    }
}
