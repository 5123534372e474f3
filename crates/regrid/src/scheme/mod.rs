//! Schemes: two axes and the rules for edges in, weights out.
//!
//! What lies outside and what happens at a pole is decided here, once, for every point method: each asks
//! [`Longitudes`] and [`Latitudes`] where a target lies among the source's centres ([`Place`]) and turns that into weights.

mod area;
mod compat;
mod cubic;
mod fill;
mod linear;
mod located;
mod members;
mod nearest;
mod plane;

use std::str::FromStr;

use crate::axis::{AxisKind, Latitudes, Longitudes};
use crate::error::Error;
use crate::grid::Grid;
use crate::kernel::{Rule, Statistic};
use crate::time::TimeMethod;
use crate::weights::SparseWeights;

pub use compat::Compat;
pub use fill::Fill;
pub(crate) use plane::PlaneWeights;

/// How a target value is made of source values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Linear in latitude and in longitude between the four centres around the target.
    ///
    /// A missing neighbour with any weight makes the target missing.
    #[default]
    Linear,
    /// The value of the nearest centre, found along each axis by itself; a tie takes the lower index of the rising axis.
    Nearest,
    /// Cubic in latitude and in longitude, from the four centres around the target on each axis.
    Cubic,
    /// The mean of the source over the target cell's area; first-order conservative.
    ///
    /// What lies in a gap between bounds counts as outside the source.
    AreaWeighted,
    /// The mean over the target cell's area of the source with its gradient; second-order conservative.
    SecondOrderConservative,
    /// The mean of the nearest four centres on the sphere, weighted with the inverse of the distance.
    InverseDistance,
    /// The mean of the source centres in the target cell, each with the same weight.
    Mean,
    /// Their sum.
    Sum,
    /// How many of them are valid.
    Count,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
    /// The one in the middle of them, or the mean of the two there.
    Median,
    /// The value that covers the largest part of the target cell.
    Mode,
}

impl Method {
    /// Whether it looks at the target's cells rather than at its centres.
    pub fn needs_cells(self) -> bool {
        !matches!(
            self,
            Self::Linear | Self::Nearest | Self::Cubic | Self::InverseDistance
        )
    }

    /// Whether it looks at the source's cells too.
    pub(crate) fn needs_source_cells(self) -> bool {
        matches!(
            self,
            Self::AreaWeighted | Self::SecondOrderConservative | Self::Mode
        )
    }

    /// Whether every target value is one of the source's, in the source's type.
    pub fn keeps_values(self) -> bool {
        matches!(self, Self::Nearest | Self::Mode)
    }

    /// The share of a target's weight that must come from valid source cells, unless a request says otherwise.
    ///
    /// Methods between points ask for all of it; those that look at areas or at several points by distance are content
    /// with any.
    pub fn default_min_valid(self) -> f64 {
        match self {
            Self::Linear | Self::Nearest | Self::Cubic => 1.0,
            _ => 0.0,
        }
    }

    /// How a target is made of the cells that its weights name.
    pub(crate) fn rule(self, min_valid: f64) -> Rule {
        let statistic = |statistic| Rule::Statistic {
            statistic,
            min_valid,
        };
        match self {
            Self::Nearest => Rule::Pick,
            Self::Sum => statistic(Statistic::Sum),
            Self::Count => statistic(Statistic::Count),
            Self::Min => statistic(Statistic::Min),
            Self::Max => statistic(Statistic::Max),
            Self::Median => statistic(Statistic::Median),
            Self::Mode => statistic(Statistic::Mode),
            _ => Rule::Blend { min_valid },
        }
    }
}

/// What a target beyond the source's outer centres gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Outside {
    /// Nothing: it is missing.
    #[default]
    Missing,
    /// The value at the nearest edge.
    Nearest,
    /// The gradient at the edge goes on (for the nearest method: the value at the edge).
    Linear,
    /// The request is refused.
    Error,
}

/// What lies between a global source's last row and the pole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Pole {
    /// A row of its own at the pole, the mean of the last row (for the nearest method: the last row).
    #[default]
    Mean,
    /// Nothing: beyond the last row's centres is outside.
    None,
    /// The last row goes on.
    Nearest,
}

macro_rules! named_options {
    ($type:ident, $what:literal, $($name:literal => $variant:ident),*) => {
        impl $type {
            /// Every choice with its name.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];

            /// The choice's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }

        impl FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(Error::UnknownChoice { what: $what, got: text.to_owned(), known: &[$($name),*] }),
                }
            }
        }
    };
}

named_options!(Method, "method",
    "linear" => Linear, "nearest" => Nearest, "cubic" => Cubic, "area-weighted" => AreaWeighted,
    "second-order-conservative" => SecondOrderConservative, "inverse-distance" => InverseDistance, "mean" => Mean,
    "sum" => Sum, "count" => Count, "min" => Min, "max" => Max, "median" => Median, "mode" => Mode);
named_options!(Outside, "outside option", "missing" => Missing, "nearest" => Nearest, "linear" => Linear, "error" => Error);
named_options!(TimeMethod, "time method", "exact" => Exact, "nearest" => Nearest, "linear" => Linear);
named_options!(Compat, "tool to be compatible with",
    "iris" => Iris, "cdo" => Cdo, "xesmf" => Xesmf, "xesmf-normed" => XesmfNormed);
named_options!(Pole, "pole option", "mean" => Mean, "none" => None, "nearest" => Nearest);

/// The rules of a point method at the edges of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edges {
    /// What lies beyond the outer centres.
    pub outside: Outside,
    /// What lies between the last row and the pole.
    pub pole: Pole,
}

/// The weights of a rectilinear source onto a rectilinear target.
///
/// The latitude weights may read two rows beyond the source's own: the mean of its first row, then the mean of its last.
#[derive(Debug, Clone, PartialEq)]
pub struct RectilinearWeights {
    /// Row weights.
    pub latitude: SparseWeights,
    /// Column weights.
    pub longitude: SparseWeights,
}

/// The index of the row that is the mean of the source's first (`false`) or last (`true`) row: it follows the source's
/// own `rows` rows.
pub(crate) const fn pole_row(rows: usize, last: bool) -> usize {
    rows + last as usize
}

impl RectilinearWeights {
    /// The weights of a method between two grids.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] if a target lies outside and that is to be refused; [`Error::NotRectilinear`] unless both
    /// grids have axes in one system of coordinates.
    pub fn new(source: &Grid, target: &Grid, method: Method, edges: Edges) -> Result<Self, Error> {
        let not_rectilinear = |grid: &Grid| Error::NotRectilinear {
            grid: grid.to_string(),
        };
        let (latitudes, longitudes) = source.axes().ok_or_else(|| not_rectilinear(source))?;
        let (target_latitudes, target_longitudes) = target
            .axes()
            .filter(|_| target.same_crs(source))
            .ok_or_else(|| not_rectilinear(target))?;
        match method {
            Method::AreaWeighted | Method::Mode => {
                return Ok(Self {
                    latitude: area::rows(latitudes, target_latitudes),
                    longitude: area::columns(longitudes, target_longitudes),
                });
            }
            Method::Mean
            | Method::Sum
            | Method::Count
            | Method::Min
            | Method::Max
            | Method::Median => {
                return Ok(Self {
                    latitude: members::rows(latitudes, target_latitudes),
                    longitude: members::columns(longitudes, target_longitudes),
                });
            }
            _ => {}
        }
        let rows = Rows {
            source: latitudes,
            edges,
            round: longitudes.is_cyclic(),
        };
        let columns = Columns {
            source: longitudes,
            outside: edges.outside,
        };
        let latitude = target_latitudes
            .centres()
            .iter()
            .enumerate()
            .map(|(index, &value)| {
                let place = rows.place(value, target_latitudes.rounding(value));
                refuse_outside(
                    place,
                    source,
                    edges.outside,
                    (AxisKind::Latitude, index, value),
                )?;
                Ok(match method {
                    Method::Nearest => nearest::row(place, &rows),
                    Method::Cubic => cubic::row(place, &rows),
                    _ => linear::row(place, &rows),
                })
            });
        let longitude = target_longitudes
            .centres()
            .iter()
            .enumerate()
            .map(|(index, &value)| {
                let place = columns.place(value, target_longitudes.rounding(value));
                refuse_outside(
                    place,
                    source,
                    edges.outside,
                    (AxisKind::Longitude, index, value),
                )?;
                Ok(match method {
                    Method::Nearest => nearest::column(place, &columns),
                    Method::Cubic => cubic::column(place, &columns),
                    _ => linear::column(place, &columns),
                })
            });
        Ok(Self {
            latitude: latitude.collect::<Result<_, Error>>()?,
            longitude: longitude.collect::<Result<_, Error>>()?,
        })
    }
}

/// Refuses a target that lies outside, where that is asked for.
fn refuse_outside(
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

/// Where a target lies among the source's centres.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
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
fn find(centres: &[f64], x: f64, slack: f64) -> Place {
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
struct Rows<'a> {
    source: &'a Latitudes,
    edges: Edges,
    /// Whether the source's columns go round, so that a row near the pole surrounds it.
    round: bool,
}

impl Rows<'_> {
    /// Whether the first or the last row surrounds the pole on its side.
    fn reaches(&self, last: bool) -> bool {
        self.round && self.source.reach_poles()[usize::from(last)]
    }

    fn place(&self, x: f64, rounding: f64) -> Place {
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
}

/// The source's columns, as a point method sees them.
struct Columns<'a> {
    source: &'a Longitudes,
    outside: Outside,
}

impl Columns<'_> {
    fn place(&self, x: f64, rounding: f64) -> Place {
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
    fn outside_is_refused_with_the_place() {
        let source = grid(&[10.0, 20.0], &[10.0, 20.0]);
        let target = grid(&[15.0], &[12.0, 25.0]);
        let edges = Edges {
            outside: Outside::Error,
            ..Edges::default()
        };
        let error = RectilinearWeights::new(&source, &target, Method::Linear, edges).unwrap_err();
        assert!(matches!(
            error,
            Error::OutsideSource {
                axis: AxisKind::Longitude,
                index: 1,
                ..
            }
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
