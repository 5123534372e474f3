//! The nearest centre, found along each axis by itself; a tie takes the lower index of the rising axis.
//!
//! So the more southern row or the more western column is taken whichever way the source's axes run, as in Iris.
//!
//! No value is ever made up: between a global source's last row and the pole that row is the nearest, whatever the pole
//! option but `none` says, and beyond an outer centre a value is taken only where the outside option asks for one.

use super::{Columns, Outside, Place, Rows};

type Row = Vec<(usize, f64)>;

/// The source row of one target row.
pub(super) fn row(place: Place, rows: &Rows<'_>) -> Row {
    one(place, rows.source.rises(), rows.edges.outside)
}

/// The source column of one target column.
pub(super) fn column(place: Place, columns: &Columns<'_>) -> Row {
    one(place, columns.source.rises(), columns.outside)
}

pub(super) fn one(place: Place, rises: bool, outside: Outside) -> Row {
    let at = match place {
        Place::On(at) | Place::Polar { row: at, .. } => at,
        // A midpoint written in decimals may miss the middle by a rounding.
        Place::Between {
            lower,
            upper,
            share,
        } if (share - 0.5).abs() < 1e-9 => {
            if rises {
                lower.min(upper)
            } else {
                lower.max(upper)
            }
        }
        Place::Between {
            lower,
            upper,
            share,
        } => {
            if share < 0.5 {
                lower
            } else {
                upper
            }
        }
        Place::Outside { edge, .. } => match outside {
            Outside::Missing | Outside::Error => return vec![],
            Outside::Nearest | Outside::Linear => edge,
        },
    };
    vec![(at, 1.0)]
}

#[cfg(test)]
mod tests {
    use super::super::{Edges, Method, RectilinearWeights};
    use crate::grid::Grid;

    #[test]
    fn ties_take_the_lower_index_of_the_rising_axis() {
        let target = Grid::from_axes([1.5, 0.5], [45.0, 225.0, 315.0]).unwrap();
        let chosen = |latitudes: [f64; 3], longitudes: [f64; 4]| {
            let source = Grid::from_axes(latitudes, longitudes).unwrap();
            let weights =
                RectilinearWeights::new(&source, &target, Method::Nearest, Edges::default())
                    .unwrap();
            let rows = (0..2).map(|i| latitudes[weights.latitude.row(i).sources()[0] as usize]);
            let columns =
                (0..3).map(|j| longitudes[weights.longitude.row(j).sources()[0] as usize]);
            (rows.collect::<Vec<_>>(), columns.collect::<Vec<_>>())
        };
        let expected = (vec![1.0, 0.0], vec![0.0, 180.0, 0.0]);
        assert_eq!(chosen([0.0, 1.0, 2.0], [0.0, 90.0, 180.0, 270.0]), expected);
        assert_eq!(chosen([2.0, 1.0, 0.0], [270.0, 180.0, 90.0, 0.0]), expected);
    }

    /// Against a search through all centres, on uneven axes in both directions.
    #[test]
    fn the_nearest_is_found() {
        let latitudes = [40.0, 33.0, 10.0, 9.5, -20.0];
        let longitudes = [-30.0, -29.0, -10.0, 20.0, 21.0];
        let source = Grid::from_axes(latitudes, longitudes).unwrap();
        let target = Grid::regular(-20.0..=40.0, 0.7, -30.0..=21.0, 0.3).unwrap();
        let weights =
            RectilinearWeights::new(&source, &target, Method::Nearest, Edges::default()).unwrap();
        let search = |centres: &[f64], x: f64| {
            let distance = |i: &usize| (centres[*i] - x).abs();
            (0..centres.len())
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .unwrap()
        };
        for (i, &x) in target.axes().unwrap().0.centres().iter().enumerate() {
            assert_eq!(weights.latitude.row(i), [(search(&latitudes, x), 1.0)]);
        }
        for (j, &x) in target.axes().unwrap().1.centres().iter().enumerate() {
            assert_eq!(weights.longitude.row(j), [(search(&longitudes, x), 1.0)]);
        }
    }
}
