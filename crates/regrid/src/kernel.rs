//! One target chunk from its window: gather, multiply, keep missing what is missing.
//!
//! Values that are missing come in as NaN (floats) and go out as NaN: a neighbour with any weight that is NaN makes the
//! target NaN, and weights of zero are never stored, so one without weight does not. Sums run in double, each target's in
//! one order fixed by its own weights (time, then rows, then columns), so neither chunks nor threads change a bit.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use crate::chunk::combinations;
use crate::plan::{AxisCut, Piece};
use crate::values::Values;

/// A floating-point type that is summed in double and rounded once.
pub(crate) trait Float: Copy + Default + Send + Sync + 'static {
    /// The missing value.
    const MISSING: Self;
    /// The value as a double.
    fn widen(self) -> f64;
    /// The nearest value of this type.
    fn round(x: f64) -> Self;
}

impl Float for f32 {
    const MISSING: Self = Self::NAN;
    fn widen(self) -> f64 {
        f64::from(self)
    }
    fn round(x: f64) -> Self {
        x as Self
    }
}

impl Float for f64 {
    const MISSING: Self = Self::NAN;
    fn widen(self) -> f64 {
        self
    }
    fn round(x: f64) -> Self {
        x
    }
}

/// The means of a source's outer rows, one for each outer index of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PoleMeans(Vec<f64>);

/// Computes one chunk.
///
/// `cuts` are the chunk's cuts in (outer dimensions, latitude, longitude); `blocks` hold the decoded source values of
/// every combination of the cuts' pieces, the last dimension fastest; `poles` the means of the rows that `cuts` name, first
/// index first. `absent` is what a target without sources gets, of the blocks' type.
/// - Shape: the cuts' targets, row by row.
/// - Missing data: NaN in floats; in integers a cell that is missing holds `absent` and is taken like any other.
pub(crate) fn regrid_chunk(
    cuts: &[Arc<AxisCut>],
    blocks: &[&Values],
    poles: &[&PoleMeans],
    blends: bool,
    absent: &Values,
) -> Values {
    macro_rules! dispatch {
        ($($variant:ident),*) => {
            match absent {
                Values::F32(_) if blends => Values::F32(blend(cuts, &window::<f32>(cuts, &arrays!(F32)), poles)),
                Values::F64(_) if blends => Values::F64(blend(cuts, &window::<f64>(cuts, &arrays!(F64)), poles)),
                $(Values::$variant(absent) => {
                    let absent = absent.first().copied().unwrap_or_default();
                    Values::$variant(pick(cuts, &window(cuts, &arrays!($variant)), absent))
                })*
                Values::Char(_) | Values::Text(_) => unreachable!("text is never regridded"),
            }
        };
    }
    macro_rules! arrays {
        ($variant:ident) => {
            blocks
                .iter()
                .map(|block| match block {
                    Values::$variant(array) => array,
                    other => unreachable!("a block of {:?} among others", other.data_type()),
                })
                .collect::<Vec<_>>()
        };
    }
    dispatch!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64)
}

/// The mean of one row for each outer index; NaN where any of the row is missing.
pub(crate) fn pole_means(cuts: &[Arc<AxisCut>], blocks: &[&Values]) -> PoleMeans {
    fn means<T: Float>(cuts: &[Arc<AxisCut>], blocks: &[&ArrayD<T>]) -> PoleMeans {
        let columns = cuts[cuts.len() - 1].window;
        let window = window(cuts, blocks);
        let mean = |row: &[T]| row.iter().map(|x| x.widen()).sum::<f64>() / columns as f64;
        PoleMeans(window.chunks_exact(columns).map(mean).collect())
    }
    macro_rules! dispatch {
        ($($variant:ident),*) => {
            match blocks.first() {
                $(Some(Values::$variant(_)) => means(
                    cuts,
                    &blocks.iter().filter_map(|b| match b { Values::$variant(a) => Some(a), _ => None }).collect::<Vec<_>>(),
                ),)*
                _ => unreachable!("rows are averaged in floats"),
            }
        };
    }
    dispatch!(F32, F64)
}

/// The window: of every dimension just the cells that are needed.
fn window<T: Copy + Default>(cuts: &[Arc<AxisCut>], blocks: &[&ArrayD<T>]) -> Vec<T> {
    let shape: Vec<usize> = cuts.iter().map(|cut| cut.window).collect();
    let mut window = vec![T::default(); shape.iter().product()];
    let strides = strides(&shape);
    let counts: Vec<usize> = cuts.iter().map(|cut| cut.pieces.len()).collect();
    for (index, block) in combinations(&counts).zip(blocks) {
        let pieces: Vec<&Piece> = index
            .iter()
            .zip(cuts)
            .map(|(&i, cut)| &cut.pieces[i])
            .collect();
        let from = block.as_slice().expect("blocks are stored row by row");
        let from_strides = self::strides(block.shape());
        copy(&pieces, from, &from_strides, &mut window, &strides);
    }
    window
}

/// Copies the cells of a block that its pieces name to their places in a window.
fn copy<T: Copy>(
    pieces: &[&Piece],
    from: &[T],
    from_strides: &[usize],
    to: &mut [T],
    to_strides: &[usize],
) {
    let Some((piece, inner)) = pieces.split_first() else {
        to[0] = from[0];
        return;
    };
    for &(start, place, len) in &piece.runs {
        if inner.is_empty() {
            to[place..place + len].copy_from_slice(&from[start..start + len]);
            continue;
        }
        for i in 0..len {
            copy(
                inner,
                &from[(start + i) * from_strides[0]..],
                &from_strides[1..],
                &mut to[(place + i) * to_strides[0]..],
                &to_strides[1..],
            );
        }
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

fn target_shape(cuts: &[Arc<AxisCut>]) -> Vec<usize> {
    cuts.iter().map(|cut| cut.targets.len()).collect()
}

/// The window's outer indices, with weights, that one outer target reads; empty if it lies outside on any dimension.
fn outer_sources(outer: &[Arc<AxisCut>], targets: &[usize]) -> Vec<(usize, f64)> {
    let mut sources = vec![(0, 1.0)];
    for (cut, &target) in outer.iter().zip(targets) {
        let row = cut.weights.row(target);
        sources = sources
            .iter()
            .flat_map(|&(at, weight)| {
                row.iter()
                    .map(move |&(s, w)| (at * cut.window + s, weight * w))
            })
            .collect();
    }
    sources
}

/// Weighted sums over time, rows and columns.
fn blend<T: Float>(cuts: &[Arc<AxisCut>], window: &[T], poles: &[&PoleMeans]) -> ArrayD<T> {
    let (outer, plane) = cuts.split_at(cuts.len() - 2);
    let (rows, columns) = (&plane[0], &plane[1]);
    let shape = target_shape(cuts);
    let mut result = Vec::with_capacity(shape.iter().product());
    let mut pole_means = poles.iter();
    let poles: Vec<(usize, &PoleMeans)> = rows
        .poles
        .iter()
        .flatten()
        .filter_map(|&place| Some((place, *pole_means.next()?)))
        .collect();
    let pole_mean = |place: usize, at: usize| {
        poles
            .iter()
            .find(|(p, _)| *p == place)
            .map_or(f64::NAN, |(_, means)| means.0[at])
    };

    let width = columns.window;
    let mut blended = vec![0.0; width];
    let outer_counts: Vec<usize> = outer.iter().map(|cut| cut.targets.len()).collect();
    for targets in combinations(&outer_counts) {
        let sources = outer_sources(outer, &targets);
        for row in 0..rows.targets.len() {
            let mut empty = true;
            for &(at, outer_weight) in &sources {
                for &(place, row_weight) in rows.weights.row(row) {
                    let weight = outer_weight * row_weight;
                    if place >= rows.window {
                        let term = weight * pole_mean(place, at);
                        add(&mut blended, empty, |_| term);
                    } else {
                        let start = (at * rows.window + place) * width;
                        let source = &window[start..start + width];
                        add(&mut blended, empty, |c| weight * source[c].widen());
                    }
                    empty = false;
                }
            }
            for column in 0..columns.targets.len() {
                result.push(match columns.weights.row(column) {
                    [] => T::MISSING,
                    _ if empty => T::MISSING,
                    &[(a, v)] => T::round(v * blended[a]),
                    &[(a, v), (b, w)] => T::round(v * blended[a] + w * blended[b]),
                    entries => T::round(entries.iter().map(|&(c, w)| w * blended[c]).sum()),
                });
            }
        }
    }
    ArrayD::from_shape_vec(IxDyn(&shape), result).expect("one value per target")
}

/// Adds a term to every cell, or sets it where nothing was added yet.
fn add(sums: &mut [f64], first: bool, term: impl Fn(usize) -> f64) {
    if first {
        sums.iter_mut()
            .enumerate()
            .for_each(|(c, sum)| *sum = term(c));
    } else {
        sums.iter_mut()
            .enumerate()
            .for_each(|(c, sum)| *sum += term(c));
    }
}

/// One source value per target, as it is.
fn pick<T: Copy>(cuts: &[Arc<AxisCut>], window: &[T], absent: T) -> ArrayD<T> {
    let (outer, plane) = cuts.split_at(cuts.len() - 2);
    let (rows, columns) = (&plane[0], &plane[1]);
    let shape = target_shape(cuts);
    let mut result = Vec::with_capacity(shape.iter().product());
    let places: Vec<Option<usize>> = (0..columns.targets.len())
        .map(|c| columns.weights.row(c).first().map(|&(place, _)| place))
        .collect();
    let width = columns.window;
    let outer_counts: Vec<usize> = outer.iter().map(|cut| cut.targets.len()).collect();
    for targets in combinations(&outer_counts) {
        let source = outer_sources(outer, &targets).first().map(|&(at, _)| at);
        for row in 0..rows.targets.len() {
            match (source, rows.weights.row(row).first()) {
                (Some(at), Some(&(place, _))) => {
                    let start = (at * rows.window + place) * width;
                    let source = &window[start..start + width];
                    result.extend(
                        places
                            .iter()
                            .map(|place| place.map_or(absent, |c| source[c])),
                    );
                }
                _ => result.resize(result.len() + places.len(), absent),
            }
        }
    }
    ArrayD::from_shape_vec(IxDyn(&shape), result).expect("one value per target")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::cuts;
    use crate::plan::{AxisPlan, AxisSource};
    use crate::weights::SparseWeights;

    /// Plans axes of the given weights, each in one cut and one storage chunk.
    fn whole(weights: &[SparseWeights], source: &[usize]) -> Vec<Arc<AxisCut>> {
        weights
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
            .collect()
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
        let Values::F32(result) = regrid_chunk(&cuts, &[&source], &[], true, &absent) else {
            panic!("f32 in, f32 out");
        };
        let result = result.into_raw_vec_and_offset().0;
        assert!(result[0].is_nan() && result[1].is_nan() && result[2].is_nan());
        assert_eq!(result[3..5], [4.0, 5.0]);
        assert!(result[5..].iter().all(|x| x.is_nan()));
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
            false,
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
        assert_eq!(cuts[0].poles, [None, Some(1)]);
        let means = pole_means(
            &[
                Arc::new(AxisCut::window_of(&[0], &crate::chunk::cuts(1, 1))),
                cuts[1].clone(),
            ],
            &[&source],
        );
        let absent = Values::F64(ArrayD::from_elem(IxDyn(&[1]), f64::NAN));
        let result = regrid_chunk(&cuts, &[&source], &[&means], true, &absent);
        assert_eq!(
            result.as_array::<f64>().unwrap().as_slice().unwrap(),
            [1.5, 2.5]
        );
    }
}
