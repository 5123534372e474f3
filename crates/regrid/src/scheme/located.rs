//! Point methods from rows and columns onto points anywhere: a rotated grid's values onto true latitudes, say.
//!
//! Each target is looked up on both axes, in the source's own coordinates; its weights are the products of those of its
//! row and its column.

use super::plane::cross;
use super::{
    Columns, Edges, Method, Outside, Place, Rows, cubic, find, linear, nearest, refuse_outside,
};
use crate::axis::{AxisKind, PlaneAxis};
use crate::error::Error;
use crate::grid::Grid;
use crate::pieces::try_joined;
use crate::weights::{SparseWeights, merged};

type Row = Vec<(usize, f64)>;

/// Looks a coordinate up on one axis of the source: where it is, and the weights along that axis.
type LookUp<'a> = Box<dyn Fn(f64) -> (Place, Row) + Sync + 'a>;

/// The weights onto the centres of a target, wherever they are in the source's coordinates; `None` if the source has no axes.
///
/// A centre without a place there (NaN) is missing.
///
/// # Errors
/// [`Error::OutsideSource`] if one lies outside and that is to be refused.
pub(super) fn weights(
    source: &Grid,
    target: &Grid,
    method: Method,
    edges: Edges,
) -> Option<Result<SparseWeights, Error>> {
    let axes = if let Some((latitudes, longitudes)) = source.axes() {
        let rows = Rows {
            source: latitudes,
            edges,
            round: longitudes.is_cyclic(),
        };
        let columns = Columns {
            source: longitudes,
            outside: edges.outside,
        };
        let row: LookUp<'_> = Box::new(move |y| {
            let place = rows.place(y, 0.0);
            (place, rows.weights(place, method))
        });
        let column: LookUp<'_> = Box::new(move |x| {
            let place = columns.place(x, 0.0);
            (place, columns.weights(place, method))
        });
        (
            (row, AxisKind::Latitude),
            (column, AxisKind::Longitude),
            longitudes.distinct(),
        )
    } else {
        let (y, x) = source.plane_axes()?;
        (
            (on_plane(y, method, edges.outside), AxisKind::ProjectionY),
            (on_plane(x, method, edges.outside), AxisKind::ProjectionX),
            x.len(),
        )
    };
    Some(products(source, target, edges, axes))
}

/// An axis of a projection's plane.
fn on_plane(axis: &PlaneAxis, method: Method, outside: Outside) -> LookUp<'_> {
    Box::new(move |x| {
        let place = find(axis.centres(), x, axis.rounding(x));
        let row = match method {
            Method::Nearest => nearest::one(place, axis.rises(), outside),
            Method::Cubic => cubic::along(place, axis.centres(), outside),
            _ => linear::between(place, outside),
        };
        (place, row)
    })
}

fn products(
    source: &Grid,
    target: &Grid,
    edges: Edges,
    axes: ((LookUp<'_>, AxisKind), (LookUp<'_>, AxisKind), usize),
) -> Result<SparseWeights, Error> {
    let ((rows, row_kind), (columns, column_kind), distinct) = axes;
    let (height, width) = source.shape();
    let (target_rows, target_columns) = target.shape();
    try_joined(target_rows * target_columns, |targets| {
        let mut weights = SparseWeights::default();
        let mut entries = Vec::new();
        let points = target.points_in_crs_of(source, targets.clone());
        for (index, (y, x)) in targets.zip(points) {
            entries.clear();
            if y.is_nan() || x.is_nan() {
                weights.push_row([]);
                continue;
            }
            let ((at_row, row), (at_column, column)) = (rows(y), columns(x));
            refuse_outside(at_row, source, edges.outside, (row_kind, index, y))?;
            refuse_outside(at_column, source, edges.outside, (column_kind, index, x))?;
            cross(row, column, (height, width, distinct), &mut entries);
            weights.push_row(merged(&mut entries));
        }
        Ok(weights)
    })
}

#[cfg(test)]
mod tests {
    use super::super::RectilinearWeights;
    use super::*;
    use crate::scheme::Pole;

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
                let flat = weights(&source, &target, method, edges).unwrap().unwrap();
                for t in 0..15 {
                    let mut expected = vec![0.0; height * width];
                    for (r, v) in axes.latitude.row(t / 3) {
                        if r < height {
                            for (c, w) in axes.longitude.row(t % 3) {
                                expected[r * width + c] += v * w;
                            }
                        } else {
                            let r = if r == height { 0 } else { height - 1 };
                            (0..width).for_each(|c| expected[r * width + c] += v / width as f64);
                        }
                    }
                    for (s, w) in flat.row(t) {
                        expected[s] -= w;
                    }
                    assert!(expected.iter().all(|x| x.abs() < 1e-14), "{method:?} {t}");
                }
            }
        }
    }
}
