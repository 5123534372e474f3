//! Chunks of a few cells, computed by each rule.

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
    let source = Values::I64(ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![i64::MAX, 2, 3]).unwrap());
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
