//! Point methods from rows and columns onto points anywhere: a rotated grid's values onto true latitudes, say.
//!
//! Each target is looked up on both axes, in the source's own coordinates; its weights are the products of those of its
//! row and its column.

use super::{Columns, Edges, Method, Rows, cubic, linear, nearest, pole_row, refuse_outside};
use crate::axis::AxisKind;
use crate::error::Error;
use crate::grid::Grid;
use crate::weights::SparseWeights;

/// The weights onto points, given as latitude and longitude in the source's coordinates.
///
/// # Errors
/// [`Error::OutsideSource`] if one lies outside and that is to be refused.
pub(super) fn weights(
    source: &Grid,
    points: &[(f64, f64)],
    method: Method,
    edges: Edges,
) -> Result<SparseWeights, Error> {
    let rows = Rows {
        source: &source.latitudes,
        edges,
        round: source.longitudes.is_cyclic(),
    };
    let columns = Columns {
        source: &source.longitudes,
        outside: edges.outside,
    };
    let (height, width) = (source.latitudes.len(), source.longitudes.len());
    let distinct = source.longitudes.distinct();
    let mut weights = SparseWeights::default();
    let mut entries = Vec::new();
    for (index, &(y, x)) in points.iter().enumerate() {
        let (at_row, at_column) = (rows.place(y, 0.0), columns.place(x, 0.0));
        let latitude = (AxisKind::Latitude, index, y);
        refuse_outside(at_row, source, edges.outside, latitude)?;
        let longitude = (AxisKind::Longitude, index, x);
        refuse_outside(at_column, source, edges.outside, longitude)?;
        let (row, column) = match method {
            Method::Nearest => (
                nearest::row(at_row, &rows),
                nearest::column(at_column, &columns),
            ),
            Method::Cubic => (
                cubic::row(at_row, &rows),
                cubic::column(at_column, &columns),
            ),
            _ => (
                linear::row(at_row, &rows),
                linear::column(at_column, &columns),
            ),
        };
        entries.clear();
        for &(r, v) in row.iter().filter(|_| !column.is_empty()) {
            if r < height {
                entries.extend(column.iter().map(|&(c, w)| (r * width + c, v * w)));
            } else {
                // The mean of the row next to the pole.
                let r = if r == pole_row(height, true) {
                    height - 1
                } else {
                    0
                };
                let share = v / distinct as f64;
                entries.extend((0..distinct).map(|c| (r * width + c, share)));
            }
        }
        weights.push_row(merged(&mut entries));
    }
    Ok(weights)
}

/// The entries with each source once, in order.
pub(super) fn merged(entries: &mut [(usize, f64)]) -> Vec<(usize, f64)> {
    entries.sort_by_key(|&(source, _)| source);
    let mut merged: Vec<(usize, f64)> = Vec::with_capacity(entries.len());
    for &(source, weight) in entries.iter() {
        match merged.last_mut() {
            Some((last, sum)) if *last == source => *sum += weight,
            _ => merged.push((source, weight)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::RectilinearWeights;
    use super::*;
    use crate::scheme::{Outside, Pole};

    /// Points on a grid get the weights of the grid, poles and edges included.
    #[test]
    fn points_of_a_grid_get_the_weights_of_the_grid() {
        let target =
            Grid::from_axes([-90.0, -89.0, 0.0, 14.9, 88.0], [-3.0, 100.0, 181.0]).unwrap();
        for (source, outside) in [
            (Grid::global(4.0).unwrap(), Outside::Missing),
            (
                Grid::regular(-20.0..=40.0, 2.5, 0.0..=200.0, 3.0).unwrap(),
                Outside::Linear,
            ),
        ] {
            let (height, width) = source.shape();
            for method in [Method::Linear, Method::Cubic, Method::Nearest] {
                let edges = Edges {
                    outside,
                    pole: Pole::Mean,
                };
                let axes = RectilinearWeights::new(&source, &target, method, edges).unwrap();
                let points: Vec<_> = (0..15)
                    .map(|i| {
                        (
                            target.latitudes().centres()[i / 3],
                            target.longitudes().centres()[i % 3],
                        )
                    })
                    .collect();
                let flat = weights(&source, &points, method, edges).unwrap();
                for t in 0..15 {
                    let mut expected = vec![0.0; height * width];
                    for &(r, v) in axes.latitude.row(t / 3) {
                        if r < height {
                            for &(c, w) in axes.longitude.row(t % 3) {
                                expected[r * width + c] += v * w;
                            }
                        } else {
                            let r = if r == height { 0 } else { height - 1 };
                            (0..width).for_each(|c| expected[r * width + c] += v / width as f64);
                        }
                    }
                    for &(s, w) in flat.row(t) {
                        expected[s] -= w;
                    }
                    assert!(expected.iter().all(|x| x.abs() < 1e-14), "{method:?} {t}");
                }
            }
        }
    }
}
