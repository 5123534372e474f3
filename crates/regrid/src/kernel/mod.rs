//! One target chunk from its window: gather, multiply, keep missing what is missing.
//!
//! Values that are missing come in as NaN (floats) and go out as NaN. Weights of zero are never stored, so a neighbour
//! without weight has no say. Sums run in double, each target's in one order fixed by its own weights (time, then rows,
//! then columns), so neither chunks nor threads change a bit.

mod ahead;
mod blend;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::cuts;
    use crate::plan::{AxisPlan, AxisSource};
    use crate::weights::SparseWeights;
    use std::sync::Arc;

    const STRICT: Rule = Rule::Blend(Keep {
        min_valid: 1.0,
        signed: false,
    });

    /// Plans axes of the given weights, each in one cut and one storage chunk.
    fn whole(weights: &[SparseWeights], source: &[usize]) -> ChunkPlan {
        let cuts = weights
            .iter()
            .zip(source)
            .map(|(w, &n)| {
                let targets = 0..w.len();
                let source = AxisSource {
                    storage: &cuts(n, n),
                    block_cells: n,
                    ..AxisSource::default()
                };
                let plan = AxisPlan::new(w, std::slice::from_ref(&targets), &source);
                Arc::new(plan.cuts[0].clone())
            })
            .collect();
        ChunkPlan {
            cuts,
            sparse: None,
            plane_dimensions: 2,
        }
    }

    fn halves() -> SparseWeights {
        [vec![(0, 0.5), (1, 0.5)], vec![(1, 1.0)], vec![]]
            .into_iter()
            .collect()
    }

    #[test]
    fn missing_spreads_only_where_it_has_weight() {
        let nan = f32::NAN;
        let source =
            Values::F32(ArrayD::from_shape_vec(IxDyn(&[2, 2]), vec![1.0, nan, 3.0, 5.0]).unwrap());
        let cuts = whole(&[halves(), halves()], &[2, 2]);
        let absent = Values::F32(ArrayD::from_elem(IxDyn(&[1]), nan));
        let Values::F32(result) = regrid_chunk(&cuts, &[&source], &[], STRICT, &absent) else {
            panic!("f32 in, f32 out");
        };
        let result = result.into_raw_vec_and_offset().0;
        assert!(result[0].is_nan() && result[1].is_nan() && result[2].is_nan());
        assert_eq!(result[3..5], [4.0, 5.0]);
        assert!(result[5..].iter().all(|x| x.is_nan()));
    }

    /// A number that follows from another.
    fn next(state: &mut u64) -> usize {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize
    }

    /// For each target some cells in a row, or none; some targets are covered in part.
    fn overlaps(state: &mut u64, targets: usize, cells: usize) -> SparseWeights {
        let mut weights = SparseWeights::default();
        for _ in 0..targets {
            let first = next(state) % cells;
            let count = next(state) % 5;
            let parts: Vec<f64> = (0..count).map(|_| (1 + next(state) % 4) as f64).collect();
            let all: f64 = parts.iter().sum();
            let entries = parts.iter().zip(first..cells);
            let covered = [1.0, 0.5][next(state) % 2];
            weights.push_part(entries.map(|(w, at)| (at, w / all)), covered);
        }
        weights
    }

    #[test]
    fn statistics_over_rows_and_columns_are_those_of_their_cells() {
        let mut state = 5;
        let (mut kept, mut missing) = (0, 0);
        for _ in 0..200 {
            let source = [1 + next(&mut state) % 9, 1 + next(&mut state) % 40];
            let targets = [1 + next(&mut state) % 5, 1 + next(&mut state) % 12];
            let weights = [0, 1].map(|axis| overlaps(&mut state, targets[axis], source[axis]));
            let plan = whole(&weights, &source);
            let gaps = [0, 3, 40][next(&mut state) % 3];
            let mut cell = || match next(&mut state).is_multiple_of(gaps) {
                true => f64::NAN,
                false => next(&mut state) as f64 / 1e9 - 1.0,
            };
            let cells: Vec<f64> = (0..source[0] * source[1]).map(|_| cell()).collect();
            let blocks = Values::F64(ArrayD::from_shape_vec(IxDyn(&source), cells).unwrap());
            let Values::F64(all) = &blocks else {
                unreachable!("as it was made");
            };
            let mut copy = Vec::new();
            let own = [Block::of(all)];
            let planes = planes(&plan, &own, &mut copy);
            let absent = Values::F64(ArrayD::from_elem(IxDyn(&[1]), f64::NAN));
            for statistic in [
                Statistic::Sum,
                Statistic::Count,
                Statistic::Min,
                Statistic::Max,
            ] {
                let min_valid = [0.0, 0.3, 0.5, 1.0][next(&mut state) % 4];
                let rule = Rule::Statistic {
                    statistic,
                    min_valid,
                };
                let result = regrid_chunk(&plan, &[&blocks], &[], rule, &absent);
                let result = result.as_array::<f64>().unwrap();
                let mut result = result.iter();
                plan.for_each_target(|covered, entries| {
                    let expected: f64 = statistic.of(planes[0], covered, entries, min_valid);
                    let found = *result.next().unwrap();
                    let equal = match statistic {
                        Statistic::Sum => (found - expected).abs() < 1e-12,
                        _ => found == expected,
                    };
                    assert!(equal || found.is_nan() && expected.is_nan());
                    kept += usize::from(!found.is_nan());
                    missing += usize::from(found.is_nan());
                });
                assert_eq!(result.next(), None);
            }
        }
        assert!(kept > 1000 && missing > 1000, "{kept} {missing}");
    }

    #[test]
    fn integers_are_picked_as_they_are() {
        let source =
            Values::I64(ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![i64::MAX, 2, 3]).unwrap());
        let rows: SparseWeights = [vec![(0, 1.0)]].into_iter().collect();
        let columns: SparseWeights = [vec![(2, 1.0)], vec![], vec![(0, 1.0)]]
            .into_iter()
            .collect();
        let absent = Values::I64(ArrayD::from_elem(IxDyn(&[1]), -9));
        let result = regrid_chunk(
            &whole(&[rows, columns], &[1, 3]),
            &[&source],
            &[],
            Rule::Pick,
            &absent,
        );
        assert_eq!(
            result.as_array::<i64>().unwrap().as_slice().unwrap(),
            [3, -9, i64::MAX]
        );
    }

    #[test]
    fn pole_rows_enter_with_their_mean() {
        let source = Values::F64(ArrayD::from_shape_vec(IxDyn(&[1, 2]), vec![1.0, 3.0]).unwrap());
        let rows: SparseWeights = [vec![(0, 0.5), (2, 0.5)]].into_iter().collect();
        let cuts = whole(&[rows, SparseWeights::identity(2)], &[1, 2]);
        assert_eq!(cuts.cuts[0].poles, [None, Some(1)]);
        let ring = ChunkPlan {
            cuts: vec![
                Arc::new(AxisCut::window_of(&[0], &crate::chunk::cuts(1, 1))),
                cuts.cuts[1].clone(),
            ],
            ..cuts.clone()
        };
        let means = pole_means(&ring, &[&source]);
        let absent = Values::F64(ArrayD::from_elem(IxDyn(&[1]), f64::NAN));
        let result = regrid_chunk(&cuts, &[&source], &[&means], STRICT, &absent);
        assert_eq!(
            result.as_array::<f64>().unwrap().as_slice().unwrap(),
            [1.5, 2.5]
        );
    }

    fn blended(source: &[f32], min_valid: f64, weights: [SparseWeights; 2]) -> Vec<f32> {
        let columns = source.len() / 2;
        let source = ArrayD::from_shape_vec(IxDyn(&[2, columns]), source.to_vec()).unwrap();
        let absent = Values::F32(ArrayD::from_elem(IxDyn(&[1]), f32::NAN));
        let plan = whole(&weights, &[2, columns]);
        let signed = weights.iter().any(SparseWeights::any_negative);
        let rule = Rule::Blend(Keep { min_valid, signed });
        match regrid_chunk(&plan, &[&Values::F32(source)], &[], rule, &absent) {
            Values::F32(result) => result.into_raw_vec_and_offset().0,
            _ => panic!("f32 in, f32 out"),
        }
    }

    #[test]
    fn a_share_of_valid_cells_is_enough_if_it_is_that_large() {
        let nan = f32::NAN;
        let both = || -> SparseWeights { [vec![(0, 0.5), (1, 0.5)]].into_iter().collect() };
        let source = [1.0, nan, 3.0, 5.0];
        for (min_valid, expected) in [(0.0, 3.0), (0.75, 3.0), (0.76, nan), (1.0, nan)] {
            let got = blended(&source, min_valid, [both(), both()]);
            assert_eq!(got[0].to_bits(), f32::to_bits(expected), "{min_valid}");
        }
        assert!(blended(&[nan; 4], 0.0, [both(), both()])[0].is_nan());
        assert_eq!(blended(&[2.0; 4], 1.0, [both(), both()]), [2.0]);
    }

    #[test]
    fn nothing_is_kept_where_the_valid_weights_all_but_cancel() {
        let nan = f32::NAN;
        let row = || -> SparseWeights { [vec![(0, 1.0)]].into_iter().collect() };
        let signed = |left: f64| -> SparseWeights {
            [vec![(0, 0.5 + left), (1, 1.0 - left), (2, -0.5)]]
                .into_iter()
                .collect()
        };
        let of = |cells: [f32; 3], left: f64| {
            let source: Vec<f32> = cells.into_iter().chain([0.0; 3]).collect();
            blended(&source, 0.0, [row(), signed(left)])[0]
        };
        // What is left of the weights is a fiftieth of them, all, and a half.
        assert!(of([3.0, nan, 5.0], 0.02).is_nan());
        assert_eq!(of([3.0, nan, 5.0], 1.0), (1.5 * 3.0 - 0.5 * 5.0));
        assert_eq!(of([nan, 3.0, 5.0], 0.0), (3.0 - 0.5 * 5.0) / 0.5);
        assert!(of([nan, nan, 5.0], 0.0).is_nan());
        assert_eq!(of([3.0, 4.0, 5.0], 0.0), 1.5 + 4.0 - 2.5);
    }

    #[test]
    fn what_the_source_does_not_cover_is_not_valid() {
        let both = || -> SparseWeights { [vec![(0, 0.5), (1, 0.5)]].into_iter().collect() };
        let mut part = SparseWeights::default();
        part.push_part([(1, 0.4)], 0.4);
        let source = [1.0, 2.0, 3.0, 5.0];
        assert_eq!(blended(&source, 0.4, [both(), part.clone()]), [3.5]);
        assert!(blended(&source, 0.5, [both(), part.clone()])[0].is_nan());
        let source = [1.0, f32::NAN, 3.0, 5.0];
        assert_eq!(blended(&source, 0.2, [both(), part.clone()]), [5.0]);
        assert!(blended(&source, 0.21, [both(), part])[0].is_nan());
    }
}
