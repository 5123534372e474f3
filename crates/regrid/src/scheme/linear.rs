//! Linear interpolation in latitude and in longitude.
//!
//! Between two centres at `a` and `b` a target at `x` takes `(b - x) / (b - a)` of the first and `(x - a) / (b - a)` of the
//! second; on a grid this is bilinear in degrees, not on the sphere. With [`Outside::Linear`] the same weights are used
//! beyond the outer centre, where one of them is negative: the gradient goes on.

use super::{Columns, Outside, Place, Pole, Rows, pole_row};

type Row = Vec<(usize, f64)>;

/// The source rows of one target row.
pub(super) fn row(place: Place, rows: &Rows<'_>) -> Row {
    match place {
        Place::Polar { row, last, share } if rows.edges.pole == Pole::Mean => {
            vec![
                (row, 1.0 - share),
                (pole_row(rows.source.len(), last), share),
            ]
        }
        Place::Polar { row, .. } => vec![(row, 1.0)],
        place => between(place, rows.edges.outside),
    }
}

/// The source columns of one target column.
pub(super) fn column(place: Place, columns: &Columns<'_>) -> Row {
    between(place, columns.outside)
}

pub(super) fn between(place: Place, outside: Outside) -> Row {
    match place {
        Place::On(at) | Place::Polar { row: at, .. } => vec![(at, 1.0)],
        Place::Between {
            lower,
            upper,
            share,
        } => vec![(lower, 1.0 - share), (upper, share)],
        Place::Outside { edge, inner, share } => match outside {
            Outside::Missing | Outside::Error => vec![],
            Outside::Nearest => vec![(edge, 1.0)],
            Outside::Linear if edge == inner => vec![(edge, 1.0)],
            Outside::Linear => vec![(edge, 1.0 + share), (inner, -share)],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Edges, Method, RectilinearWeights};
    use super::*;
    use crate::grid::Grid;

    /// A field that is linear in both coordinates comes back exactly, outside too when the gradient goes on.
    #[test]
    fn a_linear_field_is_kept() {
        let source = Grid::from_axes([10.0, 11.0, 13.0, 20.0], [300.0, 310.0, 340.0]).unwrap();
        let target =
            Grid::from_axes([5.0, 10.5, 12.9, 20.0, 29.0], [290.0, 305.0, 309.5, 341.0]).unwrap();
        let edges = Edges {
            outside: Outside::Linear,
            ..Edges::default()
        };
        let weights = RectilinearWeights::new(&source, &target, Method::Linear, edges).unwrap();
        let field = |lat: f64, lon: f64| 3.0 * lat - 0.5 * lon;
        for (i, &lat) in target.axes().unwrap().0.centres().iter().enumerate() {
            for (j, &lon) in target.axes().unwrap().1.centres().iter().enumerate() {
                let mut sum = 0.0;
                for (r, v) in weights.latitude.row(i) {
                    for (c, w) in weights.longitude.row(j) {
                        sum += v
                            * w
                            * field(
                                source.axes().unwrap().0.centres()[r],
                                source.axes().unwrap().1.centres()[c],
                            );
                    }
                }
                assert!((sum - field(lat, lon)).abs() < 1e-10, "{lat} {lon} {sum}");
            }
        }
    }

    #[test]
    fn the_pole_is_a_row_of_its_own() {
        let source = Grid::global(10.0).unwrap();
        let target = Grid::from_axes([-90.0, -87.5, 90.0], [0.0]).unwrap();
        let weights = |pole| {
            let edges = Edges {
                pole,
                ..Edges::default()
            };
            RectilinearWeights::new(&source, &target, Method::Linear, edges)
                .unwrap()
                .latitude
        };
        let mean = weights(Pole::Mean);
        assert_eq!(mean.row(0), [(18, 1.0)]);
        assert_eq!(mean.row(1), [(0, 0.5), (18, 0.5)]);
        assert_eq!(mean.row(2), [(19, 1.0)]);
        let nearest = weights(Pole::Nearest);
        assert_eq!(nearest.row(0), [(0, 1.0)]);
        assert_eq!(nearest.row(2), [(17, 1.0)]);
        assert_eq!(weights(Pole::None).row(0), []);
    }
}
