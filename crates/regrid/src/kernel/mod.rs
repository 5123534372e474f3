//! One target chunk from its window: gather, multiply, keep missing what is missing.
//!
//! Values that are missing come in as NaN (floats) and go out as NaN. Weights of zero are never stored, so a neighbour
//! without weight has no say. Sums run in double, each target's in one order fixed by its own weights (time, then rows,
//! then columns), so neither chunks nor threads change a bit.

mod ahead;
mod blend;
#[cfg(test)]
mod chunk_tests;
mod masked;
mod pick;
mod reduce;
mod simd;
mod sparse;
mod statistic;
mod tally;
mod taps;
mod window;

use ndarray::{ArrayD, IxDyn};

use crate::buffers::{self, Number};
use crate::chunk::combinations;
use crate::plan::{AxisCut, ChunkPlan};
use crate::values::Values;
pub(crate) use blend::Keep;
pub(crate) use sparse::{PLANES, are_few, group_of};
pub(crate) use statistic::Statistic;
pub(crate) use tally::{Fresh, tally};
use taps::Columns;
pub(crate) use window::Block;
use window::{planes, rows};

/// How a target is made of the source cells that its weights name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// The weighted sum, where it is kept.
    Blend(Keep),
    /// The one cell, as it is.
    Pick,
    /// A statistic of the cells, kept where at least this share of the weight is of valid cells.
    Statistic {
        statistic: Statistic,
        min_valid: f64,
    },
}

impl Rule {
    /// Whether the planes of a window have to lie in one stretch, even where weights go along rows and columns.
    pub(crate) fn takes_planes(self) -> bool {
        match self {
            Self::Blend(_) | Self::Pick => false,
            Self::Statistic { statistic, .. } => statistic.reduction().is_none(),
        }
    }

    /// The same for given weights: whether some are negative is looked up where it matters.
    pub(crate) fn by(self, any_negative: impl FnOnce() -> bool) -> Self {
        match self {
            Self::Blend(keep) if !blend::is_strict(keep.min_valid) => Self::Blend(Keep {
                signed: any_negative(),
                ..keep
            }),
            rule => rule,
        }
    }
}

/// A floating-point type that is summed in double and rounded once.
pub(crate) trait Float: Number + Default + Send + Sync + 'static {
    /// The missing value.
    const MISSING: Self;
    /// The value as a double.
    fn widen(self) -> f64;
    /// The nearest value of this type.
    fn round(x: f64) -> Self;
    /// Sets sums to a weighted row; another one is next.
    fn one(sums: &mut [f64], row: &[Self], weight: f64, next: &[Self]);
    /// Sets sums to those of two weighted rows.
    fn two(sums: &mut [f64], rows: [&[Self]; 2], weights: [f64; 2]);
    /// Sets sums to those of three weighted rows.
    fn three(sums: &mut [f64], rows: [&[Self]; 3], weights: [f64; 3]);
    /// Adds a weighted row to sums.
    fn add(sums: &mut [f64], row: &[Self], weight: f64);
}

impl Float for f32 {
    const MISSING: Self = Self::NAN;
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }
    fn round(x: f64) -> Self {
        x as Self
    }
    fn one(sums: &mut [f64], row: &[Self], weight: f64, next: &[Self]) {
        simd::one_f32(sums, row, weight, next);
    }
    fn two(sums: &mut [f64], rows: [&[Self]; 2], weights: [f64; 2]) {
        simd::two_f32(sums, rows, weights);
    }
    fn three(sums: &mut [f64], rows: [&[Self]; 3], weights: [f64; 3]) {
        simd::three_f32(sums, rows, weights);
    }
    fn add(sums: &mut [f64], row: &[Self], weight: f64) {
        simd::add_f32(sums, row, weight);
    }
}

impl Float for f64 {
    const MISSING: Self = Self::NAN;
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    fn round(x: f64) -> Self {
        x
    }
    fn one(sums: &mut [f64], row: &[Self], weight: f64, next: &[Self]) {
        simd::one_f64(sums, row, weight, next);
    }
    fn two(sums: &mut [f64], rows: [&[Self]; 2], weights: [f64; 2]) {
        simd::two_f64(sums, rows, weights);
    }
    fn three(sums: &mut [f64], rows: [&[Self]; 3], weights: [f64; 3]) {
        simd::three_f64(sums, rows, weights);
    }
    fn add(sums: &mut [f64], row: &[Self], weight: f64) {
        simd::add_f64(sums, row, weight);
    }
}

/// The means of one of a source's outer rows, one for each outer index of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PoleMeans {
    /// NaN where any of the row is missing.
    means: Vec<f64>,
    /// The rows themselves; none where nothing is missing.
    rows: Vec<Vec<f64>>,
}

/// What a virtual row at a pole has at one outer target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PoleMean {
    /// The mean of the valid cells of the row next to it.
    mean: f64,
    /// The share of them that is valid.
    valid: f64,
}

impl PoleMeans {
    /// The means of some rows.
    pub(crate) fn of<T: Float>(rows: &[&[T]]) -> Self {
        let means: Vec<f64> = rows.iter().map(|row| mean(row)).collect();
        let widened = |row: &&[T]| row.iter().map(|x| x.widen()).collect();
        let rows = match means.iter().any(|mean| mean.is_nan()) {
            true => rows.iter().map(widened).collect(),
            false => Vec::new(),
        };
        Self { means, rows }
    }

    /// The mean at an outer target that is made of such outer indices; a cell counts where it is valid in all of them.
    fn mixed(&self, sources: &[(usize, f64)]) -> PoleMean {
        let mean: f64 = sources.iter().map(|&(at, w)| w * self.means[at]).sum();
        if !mean.is_nan() {
            return PoleMean { mean, valid: 1.0 };
        }
        let width = self.rows.first().map_or(0, Vec::len);
        let cells = (0..width).map(|c| -> f64 {
            let cells = sources.iter().map(|&(at, w)| w * self.rows[at][c]);
            cells.sum()
        });
        let valid: Vec<f64> = cells.filter(|cell| !cell.is_nan()).collect();
        PoleMean {
            mean: valid.iter().sum::<f64>() / valid.len() as f64,
            valid: valid.len() as f64 / width as f64,
        }
    }
}

fn mean<T: Float>(row: &[T]) -> f64 {
    row.iter().map(|x| x.widen()).sum::<f64>() / row.len() as f64
}

/// Computes one chunk.
///
/// `blocks` hold the decoded source values that the plan [names](ChunkPlan::blocks), the last dimension fastest; `poles`
/// the means of the rows that its cuts name, first index first. `absent` is what a target without sources gets, of the
/// blocks' type.
/// - Shape: the plan's targets, row by row.
/// - Missing data: NaN in floats; in integers a cell that is missing holds `absent`, and [`Rule::Pick`] takes it like any
///   other.
pub(crate) fn regrid_chunk(
    plan: &ChunkPlan,
    blocks: &[&Values],
    poles: &[&PoleMeans],
    rule: Rule,
    absent: &Values,
) -> Values {
    fn array<T>(plan: &ChunkPlan, result: Vec<T>) -> ArrayD<T> {
        ArrayD::from_shape_vec(IxDyn(&plan.shape()), result).expect("one value per target")
    }
    macro_rules! arrays {
        ($variant:ident) => {
            blocks
                .iter()
                .map(|block| match block {
                    Values::$variant(array) => Block::of(array),
                    other => unreachable!("a block of {:?} among others", other.data_type()),
                })
                .collect::<Vec<_>>()
        };
    }
    macro_rules! dispatch {
        ($($variant:ident),*) => {
            match (absent, rule) {
                (Values::F32(_), Rule::Blend(_) | Rule::Statistic { .. }) => {
                    let mut result = buffers::take(plan.cells());
                    floats(plan, &arrays!(F32), poles, rule, in_planes(plan, &mut result));
                    Values::F32(array(plan, result))
                }
                (Values::F64(_), Rule::Blend(_) | Rule::Statistic { .. }) => {
                    let mut result = buffers::take(plan.cells());
                    floats(plan, &arrays!(F64), poles, rule, in_planes(plan, &mut result));
                    Values::F64(array(plan, result))
                }
                $((Values::$variant(absent), _) => {
                    let absent = absent.first().copied().unwrap_or_default();
                    let mut result = buffers::take(plan.cells());
                    as_they_are(plan, &arrays!($variant), rule, absent, in_planes(plan, &mut result));
                    Values::$variant(array(plan, result))
                })*
                (Values::Char(_) | Values::Text(_), _) => unreachable!("text is never regridded"),
            }
        };
    }
    dispatch!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

/// The mean of one row for each outer index.
pub(crate) fn pole_means(ring: &ChunkPlan, blocks: &[&Values]) -> PoleMeans {
    macro_rules! dispatch {
        ($($variant:ident),*) => {
            match blocks.first() {
                $(Some(Values::$variant(_)) => means(
                    ring,
                    &blocks
                        .iter()
                        .filter_map(|b| match b { Values::$variant(a) => Some(Block::of(a)), _ => None })
                        .collect::<Vec<_>>(),
                ),)*
                _ => unreachable!("rows are averaged in floats"),
            }
        };
    }
    dispatch!(F32, F64)
}

fn means<T: Float>(ring: &ChunkPlan, blocks: &[Block<'_, T>]) -> PoleMeans {
    let mut copy = Vec::new();
    let rows = rows(ring, blocks, &mut copy);
    let means = PoleMeans::of(&rows);
    buffers::give(copy);
    means
}

/// The planes of a chunk's result.
fn in_planes<'a, T>(plan: &ChunkPlan, result: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
    result.chunks_exact_mut(plan.plane_targets().max(1))
}

/// Sums and statistics of floats, one outer target after the other: each has a plane of `result`.
pub(crate) fn floats<'r, T: Float>(
    plan: &ChunkPlan,
    blocks: &[Block<'_, T>],
    poles: &[&PoleMeans],
    rule: Rule,
    result: impl IntoIterator<Item = &'r mut [T]>,
) {
    let mut copy = Vec::new();
    let by_rows = plan.sparse.is_none() && !rule.takes_planes();
    // What follows each other in the source: the rows of a plane, or a whole plane at once.
    let (stretches, each) = match by_rows {
        true => (rows(plan, blocks, &mut copy), plan.axes().0.window),
        false => (planes(plan, blocks, &mut copy), 1),
    };
    let blends = by_rows && matches!(rule, Rule::Blend(_));
    let columns = blends.then(|| Columns::new(plan.axes().1));
    let mut mixed = Vec::new();
    // Planes that weights from cell to cell go through together.
    let (mut whole, mut whole_out) = (Vec::new(), Vec::new());
    for (targets, out) in combinations(&plan.outer_shape()).zip(result) {
        let sources = outer_sources(plan.outer(), &targets);
        let pole_values: Vec<PoleMean> = poles.iter().map(|means| means.mixed(&sources)).collect();
        let plane = |at: usize| &stretches[at * each..(at + 1) * each];
        match sources.as_slice() {
            [] => out.fill(T::MISSING),
            &[(at, 1.0)] if plan.sparse.is_some() && matches!(rule, Rule::Blend(_)) => {
                whole.push(plane(at)[0]);
                whole_out.push(out);
            }
            &[(at, 1.0)] => one_plane(plan, columns.as_ref(), plane(at), &pole_values, rule, out),
            several => {
                mix(several, plane, &mut mixed);
                let width = plane(0).first().map_or(0, |row| row.len());
                let stretches: Vec<&[f64]> = match width {
                    // Where the source does not reach.
                    0 => vec![&[]; plane(0).len()],
                    _ => mixed.chunks_exact(width).collect(),
                };
                one_plane(plan, columns.as_ref(), &stretches, &pole_values, rule, out);
            }
        }
    }
    buffers::give(mixed);
    if let (Some(cut), Rule::Blend(keep)) = (&plan.sparse, rule) {
        sparse::blend(cut, &whole, keep, &mut whole_out);
    }
    buffers::give(copy);
}

/// The weighted sum of planes: at a time between two, say. A cell that is missing in one of them is missing.
fn mix<'a, T: Float>(
    sources: &[(usize, f64)],
    plane: impl Fn(usize) -> &'a [&'a [T]],
    mixed: &mut Vec<f64>,
) {
    for (number, &(at, weight)) in sources.iter().enumerate() {
        let cells = plane(at).iter().copied().flatten();
        if number == 0 {
            let len = plane(at).iter().map(|stretch| stretch.len()).sum();
            if mixed.len() != len {
                buffers::give(std::mem::replace(mixed, buffers::take(len)));
            }
            let both = mixed.iter_mut().zip(cells);
            both.for_each(|(sum, x)| *sum = weight * x.widen());
        } else {
            let both = mixed.iter_mut().zip(cells);
            both.for_each(|(sum, x)| *sum += weight * x.widen());
        }
    }
}

/// One plane, from its rows, or all of it in one stretch.
fn one_plane<S: Float, T: Float>(
    plan: &ChunkPlan,
    columns: Option<&Columns<'_>>,
    stretches: &[&[S]],
    poles: &[PoleMean],
    rule: Rule,
    out: &mut [T],
) {
    match (rule, &plan.sparse, columns) {
        (Rule::Blend(keep), _, Some(columns)) => {
            blend::separable(plan.axes().0, columns, stretches, poles, keep, out);
        }
        (Rule::Blend(keep), Some(cut), None) => {
            sparse::blend(cut, &stretches[..1], keep, &mut [out]);
        }
        (
            Rule::Statistic {
                statistic,
                min_valid,
            },
            sparse,
            _,
        ) => {
            if let (Some(reduction), None) = (statistic.reduction(), sparse) {
                return reduce::separable(plan.axes(), stretches, reduction, min_valid, out);
            }
            let mut out = out.iter_mut();
            plan.for_each_target(|covered, entries| {
                let out = out.next().expect("as many as there are targets");
                *out = statistic.of(stretches[0], covered, entries, min_valid);
            });
        }
        _ => unreachable!("rows are blended, and values picked in their own type"),
    }
}

/// Values that are never computed with: the nearest, the most frequent. Each outer target has a plane of `result`.
pub(crate) fn as_they_are<'r, T: Number + PartialOrd + 'r>(
    plan: &ChunkPlan,
    blocks: &[Block<'_, T>],
    rule: Rule,
    absent: T,
    result: impl IntoIterator<Item = &'r mut [T]>,
) {
    let mut copy = Vec::new();
    let by_rows = plan.sparse.is_none() && rule == Rule::Pick;
    let (stretches, each) = match by_rows {
        true => (rows(plan, blocks, &mut copy), plan.axes().0.window),
        false => (planes(plan, blocks, &mut copy), 1),
    };
    let (mut whole, mut whole_out) = (Vec::new(), Vec::new());
    for (targets, out) in combinations(&plan.outer_shape()).zip(result) {
        let sources = outer_sources(plan.outer(), &targets);
        let Some(&(at, _)) = sources.first() else {
            out.fill(absent);
            continue;
        };
        let plane = &stretches[at * each..(at + 1) * each];
        match (rule, &plan.sparse) {
            (Rule::Statistic { min_valid, .. }, _) => {
                let mut out = out.iter_mut();
                plan.for_each_target(|covered, entries| {
                    let out = out.next().expect("as many as there are targets");
                    *out = statistic::mode(plane[0], covered, entries, min_valid, absent);
                });
            }
            (_, None) => {
                let (rows, columns) = plan.axes();
                pick::separable(rows, columns, plane, absent, out);
            }
            (_, Some(_)) => {
                whole.push(plane[0]);
                whole_out.push(out);
            }
        }
    }
    if let Some(cut) = &plan.sparse {
        sparse::pick(cut, &whole, absent, &mut whole_out);
    }
    buffers::give(copy);
}

/// The window's outer indices, with weights, that one outer target reads; empty if it lies outside on any dimension.
fn outer_sources(outer: &[std::sync::Arc<AxisCut>], targets: &[usize]) -> Vec<(usize, f64)> {
    let mut sources = vec![(0, 1.0)];
    for (cut, &target) in outer.iter().zip(targets) {
        let row = cut.weights.row(target);
        sources = sources
            .iter()
            .flat_map(|&(at, weight)| {
                row.iter()
                    .map(move |(s, w)| (at * cut.window + s, weight * w))
            })
            .collect();
    }
    sources
}
