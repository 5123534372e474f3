//! What a user may choose: the method, and what happens at the source's edges; each by name.

use std::str::FromStr;

use super::Compat;
use crate::error::Error;
use crate::kernel::{Keep, Rule, Statistic};
use crate::time::TimeMethod;

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
            _ => Rule::Blend(Keep::of(min_valid)),
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
