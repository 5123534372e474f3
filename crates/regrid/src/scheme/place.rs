//! Where a target lies among the source's rows and columns.
//!
//! What lies outside and what happens at a pole is decided here, once, for every method between points.

use super::{Edges, Method, Outside, Pole, cubic, linear, nearest};
use crate::axis::{AxisKind, Latitudes, Longitudes};
use crate::error::Error;
use crate::grid::Grid;

/// Where a target lies among the source's centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// On a centre.
    On(usize),
    /// Between two centres, `share` of the way from the lower to the upper index.
    ///
    /// On longitudes that go round, the upper index may be 0: between the last centre and the first.
    Between {
        lower: usize,
        upper: usize,
        share: f64,
    },
    /// Between the last row on one side and the pole, `share` of the way to the pole.
    Polar { row: usize, last: bool, share: f64 },
    /// Beyond the outer centre `edge`; `inner` is its neighbour, `share` how many of their distances beyond.
    Outside {
        edge: usize,
        inner: usize,
        share: f64,
    },
}

/// Two centres nearer than this are one: far below any grid's spacing, well above the rounding of degrees.
const SAME: f64 = 1e-11;

/// Finds a value among monotonic centres.
pub(super) fn find(centres: &[f64], x: f64, slack: f64) -> Place {
    let n = centres.len();
    let rising = n < 2 || centres[1] > centres[0];
    let after = centres.partition_point(|&c| if rising { c <= x } else { c >= x });
    for at in [after.wrapping_sub(1), after] {
        if centres.get(at).is_some_and(|c| (c - x).abs() <= SAME) {
            return Place::On(at);
        }
    }
    let outside = |edge: usize, inner: usize| {
        if (centres[edge] - x).abs() <= slack {
            return Place::On(edge);
        }
        let step = centres[edge] - centres[inner];
        let share = if step == 0.0 {
            0.0
        } else {
            (x - centres[edge]) / step
        };
        Place::Outside { edge, inner, share }
    };
    if after == 0 {
        return outside(0, 1.min(n - 1));
    }
    if after == n {
        return outside(n - 1, n.saturating_sub(2));
    }
    let (lower, upper) = (after - 1, after);
    Place::Between {
        lower,
        upper,
        share: (x - centres[lower]) / (centres[upper] - centres[lower]),
    }
}

/// The source's rows, as a point method sees them.
pub(super) struct Rows<'a> {
    pub(super) source: &'a Latitudes,
    pub(super) edges: Edges,
    /// Whether the source's columns go round, so that a row near the pole surrounds it.
    pub(super) round: bool,
}

impl Rows<'_> {
    /// Whether the first or the last row surrounds the pole on its side.
    pub(super) fn reaches(&self, last: bool) -> bool {
        self.round && self.source.reach_poles()[usize::from(last)]
    }

    pub(super) fn place(&self, x: f64, rounding: f64) -> Place {
        let centres = self.source.centres();
        let place = find(centres, x, rounding + self.source.rounding(x));
        let Place::Outside { edge, .. } = place else {
            return place;
        };
        // With a single row both ends are the same index: the side is where the target lies.
        let last = if centres.len() > 1 {
            edge != 0
        } else {
            (x > centres[0]) == self.source.rises()
        };
        if self.edges.pole == Pole::None || !self.reaches(last) {
            return place;
        }
        let pole = if last == self.source.rises() {
            90.0
        } else {
            -90.0
        };
        Place::Polar {
            row: edge,
            last,
            share: (x - centres[edge]) / (pole - centres[edge]),
        }
    }

    /// The weights of the rows for a target that lies there, by a method between points.
    pub(super) fn weights(&self, place: Place, method: Method) -> Vec<(usize, f64)> {
        match method {
            Method::Nearest => nearest::row(place, self),
            Method::Cubic => cubic::row(place, self),
            _ => linear::row(place, self),
        }
    }
}

/// The source's columns, as a point method sees them.
pub(super) struct Columns<'a> {
    pub(super) source: &'a Longitudes,
    pub(super) outside: Outside,
}

impl Columns<'_> {
    pub(super) fn place(&self, x: f64, rounding: f64) -> Place {
        let n = self.source.distinct();
        let centres = &self.source.unrolled()[..n];
        let (low, high) = (
            centres[0].min(centres[n - 1]),
            centres[0].max(centres[n - 1]),
        );
        if !self.source.is_cyclic() {
            // The turn that brings the target nearest to the middle of the source, hence to its nearer edge.
            let middle = low + (high - low) / 2.0;
            let turned = x - 360.0 * ((x - middle) / 360.0).round();
            return find(centres, turned, rounding + self.source.rounding(x));
        }
        let turned = x - 360.0 * ((x - low) / 360.0).floor();
        // A hair below the first centre turns into a hair below a whole round above it.
        if (turned - 360.0 - low).abs() <= SAME {
            return find(centres, low, 0.0);
        }
        match find(centres, turned, 0.0) {
            Place::Outside { .. } if n == 1 => Place::On(0),
            Place::Outside { .. } if self.source.rises() => Place::Between {
                lower: n - 1,
                upper: 0,
                share: (turned - high) / (low + 360.0 - high),
            },
            // Downwards the last centre is the lowest: the gap runs from it (a turn up) down to the first.
            Place::Outside { .. } => Place::Between {
                lower: n - 1,
                upper: 0,
                share: (low + 360.0 - turned) / (low + 360.0 - high),
            },
            place => place,
        }
    }

    /// The weights of the columns for a target that lies there, by a method between points.
    pub(super) fn weights(&self, place: Place, method: Method) -> Vec<(usize, f64)> {
        match method {
            Method::Nearest => nearest::column(place, self),
            Method::Cubic => cubic::column(place, self),
            _ => linear::column(place, self),
        }
    }
}

/// Refuses a target that lies outside, where that is asked for.
pub(super) fn refuse_outside(
    place: Place,
    source: &Grid,
    outside: Outside,
    (axis, index, value): (AxisKind, usize, f64),
) -> Result<(), Error> {
    match place {
        Place::Outside { .. } if outside == Outside::Error => Err(Error::OutsideSource {
            axis,
            index,
            value,
            grid: source.to_string(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(latitudes: &[f64], longitudes: &[f64]) -> Grid {
        Grid::from_axes(latitudes, longitudes).unwrap()
    }

    fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| first + step * i as f64).collect()
    }

    fn columns(source: &[f64], x: f64) -> Place {
        let source = Longitudes::new(source.to_vec(), None).unwrap();
        Columns {
            source: &source,
            outside: Outside::Missing,
        }
        .place(x, 0.0)
    }

    #[test]
    fn every_turn_of_a_longitude_is_the_same_place() {
        for (first, step) in [
            (0.0, 90.0),
            (-180.0, 90.0),
            (-45.0, 90.0),
            (270.0, -90.0),
            (180.0, -90.0),
        ] {
            let source = steps(first, step, 4);
            for x in [
                -179.0, -100.0, -1.0, 0.0, 0.25, 89.0, 90.0, 135.0, 179.999, 269.5, 359.0,
            ] {
                let here = columns(&source, x);
                for turn in [-720.0, -360.0, 360.0] {
                    let there = columns(&source, x + turn);
                    match (here, there) {
                        (
                            Place::Between {
                                lower: a,
                                upper: b,
                                share: s,
                            },
                            Place::Between {
                                lower: c,
                                upper: d,
                                share: t,
                            },
                        ) => {
                            assert_eq!((a, b), (c, d), "{first} {step} {x} {turn}");
                            assert!((s - t).abs() < 1e-12 && (0.0..=1.0).contains(&s));
                        }
                        _ => assert_eq!(here, there, "{first} {step} {x} {turn}"),
                    }
                }
            }
        }
    }

    #[test]
    fn the_seam_lies_between_the_last_and_the_first_column() {
        let place = columns(&steps(0.5, 1.0, 360), 359.75);
        assert_eq!(
            place,
            Place::Between {
                lower: 359,
                upper: 0,
                share: 0.25
            }
        );
        let place = columns(&steps(359.5, -1.0, 360), 359.75);
        assert_eq!(
            place,
            Place::Between {
                lower: 359,
                upper: 0,
                share: 0.75
            }
        );
    }

    #[test]
    fn a_regional_source_is_left_on_its_nearer_side() {
        let source = steps(350.0, 5.0, 5);
        assert_eq!(columns(&source, 10.0), Place::On(4));
        assert_eq!(
            columns(&source, 12.5),
            Place::Outside {
                edge: 4,
                inner: 3,
                share: 0.5
            }
        );
        assert_eq!(
            columns(&source, -12.5),
            Place::Outside {
                edge: 0,
                inner: 1,
                share: 0.5
            }
        );
    }

    #[test]
    fn rows_reach_the_pole_only_if_the_source_is_global() {
        let place = |longitudes: &[f64], pole| {
            let source = grid(&steps(-89.5, 1.0, 180), longitudes);
            let rows = Rows {
                source: source.axes().unwrap().0,
                edges: Edges {
                    pole,
                    ..Edges::default()
                },
                round: source.axes().unwrap().1.is_cyclic(),
            };
            rows.place(89.75, 0.0)
        };
        let global = steps(0.0, 1.0, 360);
        assert_eq!(
            place(&global, Pole::Mean),
            Place::Polar {
                row: 179,
                last: true,
                share: 0.5
            }
        );
        assert_eq!(
            place(&global, Pole::None),
            Place::Outside {
                edge: 179,
                inner: 178,
                share: 0.25
            }
        );
        assert!(matches!(
            place(&global[..90], Pole::Mean),
            Place::Outside { .. }
        ));
    }

    #[test]
    fn stored_rounding_does_not_put_an_edge_outside() {
        let edge = f64::from(359.166_67_f32);
        let source = Longitudes::new(vec![300.0, edge], None)
            .unwrap()
            .stored_as_f32();
        let columns = Columns {
            source: &source,
            outside: Outside::Missing,
        };
        assert_eq!(columns.place(edge + 1e-5, 0.0), Place::On(1));
        assert!(matches!(
            columns.place(edge + 1e-3, 0.0),
            Place::Outside { .. }
        ));
    }
}
