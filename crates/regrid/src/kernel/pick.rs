//! One source value per target, as it is, by rows and columns.

use super::ahead;
use crate::plan::AxisCut;

/// How many targets are made at a time: at half the source's resolution they are a cache line of floats.
const TOGETHER: usize = 8;

/// The place of each target column's source; `None` if one has none.
fn places(columns: &AxisCut) -> Option<Vec<usize>> {
    let targets = 0..columns.weights.len();
    let place = |c| columns.weights.row(c).first().map(|(place, _)| place);
    targets.map(place).collect()
}

pub(super) fn separable<T: Copy>(
    rows: &AxisCut,
    columns: &AxisCut,
    source: &[&[T]],
    absent: T,
    out: &mut [T],
) {
    let places = places(columns);
    let targets = columns.weights.len().max(1);
    for (row, out) in out.chunks_exact_mut(targets).enumerate() {
        match (rows.weights.row(row).first(), &places) {
            (Some((place, _)), Some(places)) => {
                let next = ahead::row(rows, row, source);
                let source = source[place];
                for (out, places) in out.chunks_mut(TOGETHER).zip(places.chunks(TOGETHER)) {
                    ahead::fetch(next, places[0]);
                    for (out, &c) in out.iter_mut().zip(places) {
                        *out = source[c];
                    }
                }
            }
            (Some((place, _)), None) => {
                let source = source[place];
                for (c, out) in out.iter_mut().enumerate() {
                    let entry = columns.weights.row(c).first();
                    *out = entry.map_or(absent, |(c, _)| source[c]);
                }
            }
            (None, _) => out.fill(absent),
        }
    }
}
