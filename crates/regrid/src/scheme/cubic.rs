//! Cubic interpolation in latitude and in longitude, from the four centres around the target on each axis.
//!
//! Between two centres runs the cubic that has their values, and at each of them the slope between its two neighbours
//! (Catmull and Rom's spline where centres are evenly spaced). At the end of an axis the slope is that of the last two.

use super::{Columns, Outside, Place, Pole, Rows, linear, pole_row};
use crate::axis::Longitudes;
use crate::weights::merged;

type Row = Vec<(usize, f64)>;

/// The source rows of one target row; the means at the poles take part as rows of their own.
pub(super) fn row(place: Place, rows: &Rows<'_>) -> Row {
    let centres = rows.source.centres();
    let n = centres.len();
    let with_pole = |last: bool| rows.edges.pole == Pole::Mean && rows.reaches(last);
    let at = |i: isize| -> Option<(usize, f64)> {
        let pole = |last: bool| {
            let pole = if last == rows.source.rises() {
                90.0
            } else {
                -90.0
            };
            let edge = centres[if last { n - 1 } else { 0 }];
            // A row on the pole itself is the pole.
            (with_pole(last) && edge != pole).then(|| (pole_row(n, last), pole))
        };
        match usize::try_from(i) {
            Err(_) if i == -1 => pole(false),
            Ok(i) if i < n => Some((i, centres[i])),
            Ok(i) if i == n => pole(true),
            _ => None,
        }
    };
    match place {
        Place::Between { lower, share, .. } => cubic(lower as isize, share, at),
        Place::Polar { last, share, .. } if with_pole(last) => {
            // From the pole row at -1 inwards, or from the last row outwards.
            if last {
                cubic(n as isize - 1, share, at)
            } else {
                cubic(-1, 1.0 - share, at)
            }
        }
        place => linear::row(place, rows),
    }
}

/// The source columns of one target column.
pub(super) fn column(place: Place, columns: &Columns<'_>) -> Row {
    match place {
        Place::Between { lower, share, .. } => {
            cubic(lower as isize, share, column_centres(columns.source))
        }
        place => linear::column(place, columns),
    }
}

/// The source's columns and where they are, on over the seam where they go round.
pub(super) fn column_centres(source: &Longitudes) -> impl Fn(isize) -> Option<(usize, f64)> {
    let n = source.distinct();
    let centres = &source.unrolled()[..n];
    let turn = if source.rises() { 360.0 } else { -360.0 };
    let cyclic = source.is_cyclic();
    move |i| {
        let index = i.rem_euclid(n as isize) as usize;
        let turns = i.div_euclid(n as isize);
        (cyclic || turns == 0).then(|| (index, centres[index] + turn * turns as f64))
    }
}

/// The centres of an axis that ends.
pub(super) fn line_centres(centres: &[f64]) -> impl Fn(isize) -> Option<(usize, f64)> {
    move |i| {
        let i = usize::try_from(i).ok()?;
        centres.get(i).map(|&x| (i, x))
    }
}

/// The sources of a target on an axis without poles that does not go round.
pub(super) fn along(place: Place, centres: &[f64], outside: Outside) -> Row {
    match place {
        Place::Between { lower, share, .. } => cubic(lower as isize, share, line_centres(centres)),
        place => linear::between(place, outside),
    }
}

/// The weights at `share` of the way from centre `i` to the next; `at` gives centres and where they are.
fn cubic(i: isize, share: f64, at: impl Fn(isize) -> Option<(usize, f64)>) -> Row {
    let mut row = Row::new();
    for end in ends(i, share, at) {
        row.push((end.centre, end.value));
        row.extend(end.slope);
    }
    merged(&mut row)
}

/// What the centre at one end of a step gives to a target within it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) centre: usize,
    /// The weight of its value.
    pub(super) value: f64,
    /// The weights that its slope comes to.
    pub(super) slope: [(usize, f64); 2],
}

/// The two ends of the step from centre `i`, for a target `share` of the way along it.
pub(super) fn ends(i: isize, share: f64, at: impl Fn(isize) -> Option<(usize, f64)>) -> [End; 2] {
    let (Some((lower, a)), Some((upper, b))) = (at(i), at(i + 1)) else {
        unreachable!("a target lies between two centres")
    };
    let t = share;
    let step = b - a;
    let [from_lower, slope_lower] = [
        (1.0 + 2.0 * t) * (1.0 - t) * (1.0 - t),
        t * (1.0 - t) * (1.0 - t),
    ];
    let [from_upper, slope_upper] = [t * t * (3.0 - 2.0 * t), t * t * (t - 1.0)];
    let end = |centre, value, weight: f64, before: Option<_>, after: Option<_>| {
        let (before, x) = before.unwrap_or((lower, a));
        let (after, y) = after.unwrap_or((upper, b));
        let weight = weight * step / (y - x);
        End {
            centre,
            value,
            slope: [(before, -weight), (after, weight)],
        }
    };
    [
        end(lower, from_lower, slope_lower, at(i - 1), Some((upper, b))),
        end(upper, from_upper, slope_upper, Some((lower, a)), at(i + 2)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Edges, Method, Outside, RectilinearWeights};
    use crate::grid::Grid;

    fn weights(source: &Grid, target: &Grid, outside: Outside) -> RectilinearWeights {
        let edges = Edges {
            outside,
            ..Edges::default()
        };
        RectilinearWeights::new(source, target, Method::Cubic, edges).unwrap()
    }

    #[test]
    fn on_an_even_axis_the_weights_are_those_of_catmull_and_rom() {
        let source = Grid::from_axes([0.0, 1.0, 2.0, 3.0], [0.0]).unwrap();
        let target = Grid::from_axes([1.5, 1.0, 0.5], [0.0]).unwrap();
        let rows = weights(&source, &target, Outside::Missing).latitude;
        assert_eq!(
            rows.row(0),
            [(0, -0.0625), (1, 0.5625), (2, 0.5625), (3, -0.0625)]
        );
        assert_eq!(rows.row(1), [(1, 1.0)]);
        // One-sided at the end of the axis.
        assert_eq!(rows.row(2), [(0, 0.4375), (1, 0.625), (2, -0.0625)]);
    }

    /// A parabola comes back exactly on even spacing, across the seam and up to a pole row as well as a constant.
    #[test]
    fn low_polynomials_are_kept() {
        let latitudes: Vec<f64> = (0..10).map(|i| f64::from(i) * 3.0).collect();
        let source = Grid::from_axes(latitudes.clone(), [0.0, 90.0, 180.0, 270.0]).unwrap();
        let target = Grid::from_axes([4.0, 10.5, 20.9], [44.0, 269.0, 359.0]).unwrap();
        let weights = weights(&source, &target, Outside::Missing);
        for (t, &x) in target.axes().unwrap().0.centres().iter().enumerate() {
            let sum: f64 = weights
                .latitude
                .row(t)
                .iter()
                .map(|(s, w)| w * latitudes[s] * latitudes[s])
                .sum();
            assert!((sum - x * x).abs() < 1e-10, "{sum} {x}");
        }
        for t in 0..3 {
            let row = weights.longitude.row(t);
            assert_eq!(row.len(), 4);
            assert!((row.weights().iter().sum::<f64>() - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn the_pole_takes_part_as_a_row() {
        let source = Grid::global(10.0).unwrap();
        let target = Grid::from_axes([-90.0, -87.5, -80.0, 89.0], [0.0]).unwrap();
        let rows = weights(&source, &target, Outside::Missing).latitude;
        assert_eq!(rows.row(0), [(18, 1.0)]);
        let reads = |t: usize| rows.row(t).iter().map(|(s, _)| s).collect::<Vec<_>>();
        assert_eq!(reads(1), [0, 1, 18]);
        assert_eq!(reads(2), [0, 1, 2, 18]);
        assert_eq!(reads(3), [16, 17, 19]);
        for t in 0..4 {
            assert!((rows.row(t).iter().map(|(_, w)| w).sum::<f64>() - 1.0).abs() < 1e-14);
        }
    }
}
