//! One source value per target, as it is.

use crate::plan::{AxisCut, SparseCut};

pub(super) fn separable<T: Copy>(
    rows: &AxisCut,
    columns: &AxisCut,
    plane: &[T],
    absent: T,
    result: &mut Vec<T>,
) {
    let places: Vec<Option<usize>> = (0..columns.targets.len())
        .map(|c| columns.weights.row(c).first().map(|&(place, _)| place))
        .collect();
    let width = columns.window;
    for row in 0..rows.targets.len() {
        match rows.weights.row(row).first() {
            Some(&(place, _)) => {
                let source = &plane[place * width..(place + 1) * width];
                result.extend(
                    places
                        .iter()
                        .map(|place| place.map_or(absent, |c| source[c])),
                );
            }
            None => result.resize(result.len() + places.len(), absent),
        }
    }
}

pub(super) fn sparse<T: Copy>(cut: &SparseCut, plane: &[T], absent: T, result: &mut Vec<T>) {
    result.extend((0..cut.weights.len()).map(|target| {
        let entry = cut.weights.row(target).first();
        entry.map_or(absent, |&(place, _)| plane[place])
    }));
}
