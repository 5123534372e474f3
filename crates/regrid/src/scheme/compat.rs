//! The masks and edges of other tools, where they differ from ours.
//!
//! A profile changes which targets have a value, not how a value is made: what a tool takes for outside, which missing
//! neighbours spoil a target, when a partly covered or partly valid cell is kept. Where a tool gives no choice in a matter
//! the profile follows it; what a request states (outside, pole, share of valid cells) holds all the same.

use std::sync::Arc;

use super::cubic::{End, column_centres, ends, line_centres};
use super::{
    Columns, Edges, Fill, Method, Outside, Place, PlaneWeights, Pole, RectilinearWeights, Rows,
    linear,
};
use crate::axis::{Latitudes, Longitudes};
use crate::error::Error;
use crate::grid::Grid;
use crate::sphere;
use crate::weights::{Corrections, Listed, SparseWeights, WHOLE};

/// A tool whose mask and edges a result is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compat {
    /// Iris 3.14: `Linear()`, `Nearest()` and `AreaWeighted(mdtol=1 - min_valid)`.
    Iris,
    /// CDO 2.1: `remapbil`, `remapbic`, `remapnn`, `remapdis`, `remapcon`, `remapcon2` and `remaplaf`, its settings as they
    /// are by default.
    Cdo,
    /// xESMF 0.8: `bilinear` (of a globe: `periodic=True`), `nearest_s2d`, `conservative` and `conservative_2nd`, with
    /// `unmapped_to_nan=True`; a stated share of valid cells is its `skipna=True` with `na_thres=1 - min_valid`.
    Xesmf,
    /// The same with `conservative_normed`.
    XesmfNormed,
}

impl Compat {
    /// Refuses a method that the tool does not have.
    pub(crate) fn check(self, method: Method) -> Result<(), Error> {
        let known: &[Method] = match self {
            Self::Iris => &[Method::Linear, Method::Nearest, Method::AreaWeighted],
            Self::Cdo => &[
                Method::Linear,
                Method::Nearest,
                Method::Cubic,
                Method::InverseDistance,
                Method::AreaWeighted,
                Method::SecondOrderConservative,
                Method::Mode,
            ],
            Self::Xesmf => &[
                Method::Linear,
                Method::Nearest,
                Method::AreaWeighted,
                Method::SecondOrderConservative,
            ],
            Self::XesmfNormed => &[Method::Linear, Method::Nearest, Method::AreaWeighted],
        };
        if known.contains(&method) {
            return Ok(());
        }
        let names: Vec<&str> = known.iter().map(|method| method.name()).collect();
        Err(Error::CompatMethod {
            compat: self.name(),
            method: method.name(),
            known: names.join(", "),
        })
    }

    /// The tool's rules at the edges.
    pub(crate) fn edges(self, method: Method) -> Edges {
        let (outside, pole) = match (self, method) {
            (Self::Iris, Method::Linear) => (Outside::Linear, Pole::None),
            (Self::Iris | Self::Cdo, Method::Nearest) | (Self::Cdo, Method::InverseDistance) => {
                (Outside::Nearest, Pole::None)
            }
            (Self::Iris | Self::Cdo, _) => (Outside::Missing, Pole::None),
            (_, Method::Nearest) => (Outside::Nearest, Pole::Mean),
            _ => (Outside::Missing, Pole::Mean),
        };
        Edges { outside, pole }
    }

    /// The least share of valid cells, given the one that was stated, if one was.
    pub(crate) fn min_valid(self, method: Method, stated: Option<f64>) -> f64 {
        let least = stated.unwrap_or_else(|| method.default_min_valid());
        match (self, stated) {
            // More than the limit, not as much as it; all is all.
            (Self::Iris, _) if least > 0.0 && least < 1.0 => least + 2.0 * WHOLE,
            (Self::Xesmf | Self::XesmfNormed, None) => 1.0,
            (Self::Xesmf | Self::XesmfNormed, Some(share)) => share.clamp(1e-6, 1.0 - 1e-6),
            _ => least,
        }
    }

    /// The tool's weights between two grids; `lenient` if a share of valid cells was stated.
    pub(crate) fn weights(
        self,
        source: &Grid,
        target: &Grid,
        (method, edges, fill): (Method, Edges, Option<Fill>),
        lenient: bool,
    ) -> Result<PlaneWeights, Error> {
        let usual = || PlaneWeights::new(source, target, method, edges, fill);
        match (self, method) {
            (Self::Iris, Method::AreaWeighted) => Ok(usual()?.map(SparseWeights::whole_only)),
            // On the sphere, whatever the grids.
            (Self::Cdo | Self::Xesmf | Self::XesmfNormed, Method::Nearest) => {
                let weights =
                    sphere::nearest(&*source.centred_cells(), &*target.centred_cells(), edges);
                match weights {
                    Ok(weights) => Ok(PlaneWeights::of_cells(weights)),
                    // Says the same, with the place.
                    Err(_) => usual(),
                }
            }
            (Self::Cdo, Method::Linear | Method::Cubic)
            | (Self::Xesmf | Self::XesmfNormed, Method::Linear)
                if fill.is_none() && !lenient && edges.outside == Outside::Missing =>
            {
                match Axes::new(source, target) {
                    Some(axes) if method == Method::Cubic => axes.cubic(source, target, edges),
                    Some(axes) => axes.linear(source, target, edges, self == Self::Cdo),
                    None => usual(),
                }
            }
            (
                Self::Xesmf | Self::XesmfNormed,
                Method::AreaWeighted | Method::SecondOrderConservative,
            ) if !lenient || self == Self::XesmfNormed => {
                let of_cell = |covered: f64| match self {
                    Self::Xesmf => covered,
                    _ => 1.0,
                };
                let weights = match usual()? {
                    PlaneWeights::Sparse(weights, Some(slopes)) => {
                        PlaneWeights::of_cells(weights.with_slopes(&slopes))
                    }
                    weights => weights,
                };
                Ok(weights.map(|weights| weights.as_whole(of_cell)))
            }
            _ => usual(),
        }
    }
}

impl PlaneWeights {
    /// The weights with all their rows changed.
    fn map(self, change: impl Fn(&SparseWeights) -> SparseWeights) -> Self {
        match self {
            Self::Separable(weights) => Self::Separable(RectilinearWeights {
                latitude: change(&weights.latitude),
                longitude: change(&weights.longitude),
            }),
            Self::Sparse(weights, slopes) => Self::Sparse(Arc::new(change(&weights)), slopes),
        }
    }
}

/// The axes of a source and a target that share them.
struct Axes<'a> {
    rows: &'a Latitudes,
    columns: &'a Longitudes,
    target_rows: &'a Latitudes,
    target_columns: &'a Longitudes,
}

/// Where a target lies along one axis: in a step between two centres, its ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// The step's first centre; the second is the next one, across the seam the first of all.
    lower: usize,
    upper: usize,
    share: f64,
}

impl<'a> Axes<'a> {
    fn new(source: &'a Grid, target: &'a Grid) -> Option<Self> {
        let (rows, columns) = source.axes()?;
        let (target_rows, target_columns) = target.axes().filter(|_| target.same_crs(source))?;
        // A single row or column makes no steps.
        (rows.len() > 1 && columns.distinct() > 1).then_some(Self {
            rows,
            columns,
            target_rows,
            target_columns,
        })
    }

    fn places<'b>(&'b self, edges: Edges) -> (Rows<'b>, Columns<'b>) {
        let rows = Rows {
            source: self.rows,
            edges,
            round: self.columns.is_cyclic(),
        };
        let columns = Columns {
            source: self.columns,
            outside: edges.outside,
        };
        (rows, columns)
    }

    /// The steps that the target's columns lie in; `None` outside.
    fn column_steps(&self, columns: &Columns<'_>) -> Vec<Option<Step>> {
        let n = self.columns.distinct();
        let centres = &self.columns.unrolled()[..n];
        let (low, high) = (
            centres[0].min(centres[n - 1]),
            centres[0].max(centres[n - 1]),
        );
        let step = |&x: &f64| {
            let place = columns.place(x, self.target_columns.rounding(x));
            // A turn above the first centre lies behind the last one.
            let behind = self.columns.is_cyclic() && (x > high || x < low);
            step_of(place, if behind { Some(n) } else { None })
        };
        self.target_columns.centres().iter().map(step).collect()
    }

    fn row_steps(&self, rows: &Rows<'_>) -> Vec<(Place, Option<Step>)> {
        let step = |&y: &f64| {
            let place = rows.place(y, self.target_rows.rounding(y));
            (place, step_of(place, None))
        };
        self.target_rows.centres().iter().map(step).collect()
    }

    /// Linear weights in which every corner of the source cell around a target has a say, that of weight zero too.
    ///
    /// With `far`, targets beyond the last rows of a globe take the four nearest centres.
    fn linear(
        &self,
        source: &Grid,
        target: &Grid,
        edges: Edges,
        far: bool,
    ) -> Result<PlaneWeights, Error> {
        let (rows, columns) = self.places(edges);
        let corners = |step: Step| [(step.lower, 1.0 - step.share), (step.upper, step.share)];
        let mut latitude = SparseWeights::default();
        for (place, step) in self.row_steps(&rows) {
            match step {
                Some(step) => latitude.push_kept(corners(step)),
                None => latitude.push_kept(linear::row(place, &rows)),
            }
        }
        let mut longitude = SparseWeights::default();
        for step in self.column_steps(&columns) {
            longitude.push_kept(step.map(corners).into_iter().flatten());
        }
        let weights = RectilinearWeights {
            latitude,
            longitude,
        };
        let beyond = (0..weights.latitude.len()).any(|t| weights.latitude.row(t).is_empty());
        if !(far && beyond && self.columns.is_cyclic()) {
            return Ok(PlaneWeights::Separable(weights));
        }
        let (height, width) = source.shape();
        let cells = weights.cells(height, width, self.columns.distinct());
        Ok(PlaneWeights::of_cells(fill_far(&cells, source, target)))
    }

    /// Cubic weights that ask for the four corners of the source cell around a target alone: a corner whose slopes read a
    /// missing value is level.
    fn cubic(&self, source: &Grid, target: &Grid, edges: Edges) -> Result<PlaneWeights, Error> {
        if edges.pole != Pole::None {
            return PlaneWeights::new(source, target, Method::Cubic, edges, None);
        }
        let (rows, columns) = self.places(edges);
        let (_, width) = source.shape();
        let row_ends: Vec<Option<[End; 2]>> = self
            .row_steps(&rows)
            .into_iter()
            .map(|(_, step)| {
                let at = line_centres(self.rows.centres());
                step.map(|step| ends(step.lower as isize, step.share, at))
            })
            .collect();
        let column_ends: Vec<Option<[End; 2]>> = self
            .column_steps(&columns)
            .into_iter()
            .map(|step| {
                let at = column_centres(self.columns);
                step.map(|step| ends(step.lower as isize, step.share, at))
            })
            .collect();
        let mut held = SparseWeights::default();
        for row in &row_ends {
            for column in &column_ends {
                let is_held = row.is_some() && column.is_some();
                held.push_row(is_held.then_some((0, 1.0)));
            }
        }
        let filled = if self.columns.is_cyclic() {
            fill_far(&held, source, target)
        } else {
            held
        };
        let mut weights = SparseWeights::default();
        let mut slopes = Listed::default();
        let targets = row_ends
            .iter()
            .flat_map(|row| column_ends.iter().map(move |column| (row, column)));
        for (t, (row, column)) in targets.enumerate() {
            let (Some(row), Some(column)) = (row, column) else {
                for _ in filled.row(t) {
                    slopes.push([]);
                }
                weights.push_kept(filled.row(t).iter());
                continue;
            };
            let mut entries = Vec::with_capacity(4);
            for r in row {
                for c in column {
                    entries.push((r.centre * width + c.centre, r.value * c.value));
                    let along_row = c.slope.iter().map(|&(x, w)| (r.centre, x, r.value * w));
                    let along_column = r.slope.iter().map(|&(y, w)| (y, c.centre, w * c.value));
                    let twist = r
                        .slope
                        .iter()
                        .flat_map(|&(y, v)| c.slope.iter().map(move |&(x, w)| (y, x, v * w)));
                    let terms = along_row.chain(along_column).chain(twist);
                    slopes.push(terms.map(|(y, x, w)| (y * width + x, w)));
                }
            }
            weights.push_kept(entries);
        }
        Ok(PlaneWeights::Sparse(
            Arc::new(weights),
            Some(Arc::new(Corrections::Listed(slopes))),
        ))
    }
}

/// The step that a place lies in: on a centre, the one that ends there; on the first centre the one that begins there, or,
/// seen from behind the last of so many columns, the one across the seam.
fn step_of(place: Place, behind: Option<usize>) -> Option<Step> {
    match place {
        Place::On(0) => Some(match behind {
            Some(columns) => Step {
                lower: columns - 1,
                upper: 0,
                share: 1.0,
            },
            None => Step {
                lower: 0,
                upper: 1,
                share: 0.0,
            },
        }),
        Place::On(at) => Some(Step {
            lower: at - 1,
            upper: at,
            share: 1.0,
        }),
        Place::Between {
            lower,
            upper,
            share,
        } => Some(Step {
            lower,
            upper,
            share,
        }),
        Place::Polar { .. } | Place::Outside { .. } => None,
    }
}

/// Targets without weights take the four nearest centres, each by its inverse distance, as CDO does beyond the last row of
/// a globe.
fn fill_far(weights: &SparseWeights, source: &Grid, target: &Grid) -> SparseWeights {
    let (from, to) = (source.centred_cells(), target.centred_cells());
    sphere::fill_inverse_distance(weights, &*from, &*to, 4, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Keep, Rule};

    fn source() -> Grid {
        Grid::from_axes([0.0, 10.0, 20.0], [0.0, 10.0, 20.0]).unwrap()
    }

    fn weights(
        compat: Compat,
        target: &Grid,
        method: Method,
        min_valid: Option<f64>,
    ) -> PlaneWeights {
        let how = (method, compat.edges(method), None);
        let lenient = min_valid.is_some();
        compat.weights(&source(), target, how, lenient).unwrap()
    }

    fn cells(weights: &PlaneWeights) -> SparseWeights {
        weights.cells(&source()).into_owned()
    }

    #[test]
    fn a_corner_without_weight_has_a_say_in_xesmf_unless_missing_ones_are_skipped() {
        let target = Grid::from_axes([10.0], [15.0]).unwrap();
        let strict = cells(&weights(Compat::Xesmf, &target, Method::Linear, None));
        assert_eq!(strict.row(0), [(1, 0.0), (2, 0.0), (4, 0.5), (5, 0.5)]);
        let lenient = cells(&weights(Compat::Xesmf, &target, Method::Linear, Some(0.0)));
        assert_eq!(lenient.row(0), [(4, 0.5), (5, 0.5)]);
        let rule = |stated| Compat::Xesmf.min_valid(Method::AreaWeighted, stated);
        assert_eq!(
            (rule(None), rule(Some(0.0)), rule(Some(1.0))),
            (1.0, 1e-6, 1.0 - 1e-6)
        );
    }

    /// A cell that is covered by half: xESMF's `conservative` gives half of the mean, `conservative_normed` the mean, and
    /// neither asks how much is covered.
    #[test]
    fn a_partly_covered_cell_is_divided_by_its_whole_area_or_by_what_is_covered() {
        let target = Grid::new(
            Latitudes::new(vec![10.0], Some(vec![[5.0, 15.0]])).unwrap(),
            Longitudes::new(vec![25.0], Some(vec![[20.0, 30.0]])).unwrap(),
        );
        let row = |compat, stated| {
            let weights = cells(&weights(compat, &target, Method::AreaWeighted, stated));
            let (at, weight) = weights.row(0).first().unwrap();
            (at, (weight * 1e12).round() / 1e12, weights.covered(0) < 1.0)
        };
        assert_eq!(row(Compat::Xesmf, None), (5, 0.5, false));
        assert_eq!(row(Compat::XesmfNormed, None), (5, 1.0, false));
        // With skipna the uncovered part counts as missing, and the rest is renormalised.
        assert_eq!(row(Compat::Xesmf, Some(0.0)), (5, 1.0, true));
        assert_eq!(row(Compat::XesmfNormed, Some(0.0)), (5, 1.0, false));
        let iris = cells(&weights(Compat::Iris, &target, Method::AreaWeighted, None));
        assert_eq!(iris.row(0), []);
    }

    /// Slopes are weights like others to xESMF: a missing neighbour of a covered cell spoils the target.
    #[test]
    fn second_order_slopes_are_weights_of_their_own() {
        let target = Grid::new(
            Latitudes::new(vec![12.0], Some(vec![[11.0, 13.0]])).unwrap(),
            Longitudes::new(vec![12.0], Some(vec![[11.0, 13.0]])).unwrap(),
        );
        let method = Method::SecondOrderConservative;
        let PlaneWeights::Sparse(weights, None) = weights(Compat::Xesmf, &target, method, None)
        else {
            panic!("one weight for each source")
        };
        assert!(weights.row(0).len() > 1);
        let sum: f64 = weights.row(0).iter().map(|(_, w)| w).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn iris_keeps_more_than_the_limit() {
        let Rule::Blend(Keep { min_valid, .. }) =
            Method::AreaWeighted.rule(Compat::Iris.min_valid(Method::AreaWeighted, Some(0.5)))
        else {
            panic!("means are blended")
        };
        assert!(min_valid - WHOLE > 0.5 && min_valid < 0.5 + 1e-8);
        assert_eq!(Compat::Iris.min_valid(Method::AreaWeighted, Some(1.0)), 1.0);
        assert_eq!(Compat::Iris.min_valid(Method::Linear, None), 1.0);
    }

    #[test]
    fn a_method_that_the_tool_lacks_is_refused_with_those_it_has() {
        let error = Compat::Iris.check(Method::Cubic).unwrap_err();
        assert_eq!(
            error.to_string(),
            "method cubic cannot be compatible with iris, which has linear, nearest, area-weighted"
        );
        for (_, compat) in Compat::NAMES {
            assert!(compat.check(Method::Linear).is_ok() && compat.check(Method::Median).is_err());
        }
    }
}
