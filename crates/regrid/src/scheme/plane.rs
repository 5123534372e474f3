//! The weights of a whole plane: by rows and columns where both grids allow it, from cell to cell where not.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Edges, Fill, Method, Outside, RectilinearWeights, located, pole_row};
use crate::axis::BoundsFault;
use crate::error::Error;
use crate::grid::Grid;
use crate::sphere::{self, Cells, Refused};
use crate::weights::{Corrections, Row, SparseWeights, merged};

/// How many of the nearest centres make an inverse-distance mean, as in CDO's `remapdis`.
const NEIGHBOURS: usize = 4;

/// The weights from a source's plane to a target's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlaneWeights {
    /// The product of row weights and column weights.
    Separable(RectilinearWeights),
    /// From source cells to target cells, both counted row by row; and what the slopes of the source add.
    Sparse(Arc<SparseWeights>, Option<Arc<Corrections>>),
}

impl PlaneWeights {
    /// The weights of a method between two grids; targets outside may be filled.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] if a target lies outside and that is to be refused, by axes, or as [`Error::PointOutside`];
    /// [`Error::Combination`] if the method has no meaning between such grids; [`Error::Bounds`] if it looks at cells and
    /// the bounds make none.
    pub(crate) fn new(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
        fill: Option<Fill>,
    ) -> Result<Self, Error> {
        let combination = |reason: &str| Error::Combination {
            method: method.name(),
            source_grid: source.to_string(),
            target_grid: target.to_string(),
            reason: reason.to_owned(),
        };
        if method.needs_cells() {
            if target.is_list() {
                return Err(combination(
                    "points have no area: take linear, nearest, cubic or inverse-distance",
                ));
            }
            for (which, grid) in [("source", source), ("target", target)] {
                if which == "source" && !method.needs_source_cells() {
                    continue;
                }
                if grid.is_flat() {
                    return Err(combination(&format!(
                        "the {which} grid's single row or column has no bounds, so its cells are not known: give it some, or \
                         take linear, nearest, cubic or inverse-distance"
                    )));
                }
                if let Some(BoundsFault {
                    axis,
                    index,
                    bounds: [low, high],
                    fault,
                }) = grid.bounds_fault()
                {
                    return Err(Error::Bounds {
                        grid: which,
                        axis,
                        index,
                        low,
                        high,
                        fault,
                    });
                }
            }
        }
        let weights = Self::unfilled(source, target, method, edges, &combination)?;
        match fill {
            Some(fill) => {
                check_count(source, target)?;
                fill.apply(weights, source, target, method, &combination)
            }
            None => Ok(weights),
        }
    }

    fn unfilled(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
        combination: &dyn Fn(&str) -> Error,
    ) -> Result<Self, Error> {
        let rectilinear =
            source.axes().is_some() && target.axes().is_some() && source.same_crs(target);
        let by_axes = !matches!(
            method,
            Method::InverseDistance | Method::SecondOrderConservative
        );
        if rectilinear && by_axes {
            return RectilinearWeights::new(source, target, method, edges).map(Self::Separable);
        }
        check_count(source, target)?;
        if matches!(method, Method::Linear | Method::Nearest | Method::Cubic)
            && let Some(weights) = located::weights(source, target, method, edges)
        {
            return weights.map(Self::of_cells);
        }
        let (from, to) = match method {
            Method::Linear | Method::Nearest | Method::InverseDistance => {
                (source.centred_cells(), target.centred_cells())
            }
            _ => (source.cells(), target.cells()),
        };
        let weights = match method {
            Method::Linear => sphere::linear(&*from, &*to, edges),
            Method::Nearest => sphere::nearest(&*from, &*to, edges),
            Method::InverseDistance => match inside_axes(source, target, edges)? {
                Some(inside) => sphere::inverse_distance_of(&*from, &*to, inside, NEIGHBOURS),
                None => sphere::inverse_distance(&*from, &*to, edges, NEIGHBOURS),
            },
            Method::AreaWeighted | Method::Mode => sphere::conservative(&*from, &*to),
            Method::SecondOrderConservative => {
                let by_area = match rectilinear {
                    true => {
                        let (method, edges) = (Method::AreaWeighted, Edges::default());
                        Some(RectilinearWeights::new(source, target, method, edges)?)
                    }
                    false => None,
                };
                return second_order((source, &*from), (target, &*to), by_area.as_ref())
                    .map_err(|refused| combination(&refused.to_string()));
            }
            Method::Cubic => {
                return Err(combination(
                    "the cubic runs along rows and columns, which the source grid does not have: take linear, or \
                     inverse-distance",
                ));
            }
            Method::Mean
            | Method::Sum
            | Method::Count
            | Method::Min
            | Method::Max
            | Method::Median => sphere::members(&*from, &*to),
        };
        match weights {
            Ok(weights) => Ok(Self::of_cells(weights)),
            Err(Refused::Outside { target: index }) => {
                let (latitude, longitude) = to.centre(index);
                Err(Error::PointOutside {
                    index,
                    latitude,
                    longitude,
                    grid: source.to_string(),
                })
            }
            Err(refused) => Err(combination(&refused.to_string())),
        }
    }

    /// Weights from cell to cell to which no slopes add.
    pub(crate) fn of_cells(weights: SparseWeights) -> Self {
        Self::Sparse(Arc::new(weights), None)
    }

    /// Bytes of the weights that all cuts of the plane share; those by rows and columns are cut up.
    pub(crate) fn shared_bytes(&self) -> usize {
        match self {
            Self::Separable(_) => 0,
            Self::Sparse(weights, slopes) => {
                weights.bytes() + slopes.as_ref().map_or(0, |slopes| slopes.bytes())
            }
        }
    }

    /// Bytes of these that are in a file, since memory is short.
    pub(crate) fn bytes_in_file(&self) -> usize {
        match self {
            Self::Separable(_) => 0,
            Self::Sparse(weights, slopes) => {
                weights.bytes_in_file() + slopes.as_ref().map_or(0, |slopes| slopes.bytes_in_file())
            }
        }
    }

    /// Whether any of the weights is negative, slopes apart: those of a missing neighbour are left out.
    pub(crate) fn any_negative(&self) -> bool {
        match self {
            Self::Separable(weights) => {
                weights.latitude.any_negative() || weights.longitude.any_negative()
            }
            Self::Sparse(weights, _) => weights.any_negative(),
        }
    }

    /// Whether no target has any source: it lies elsewhere.
    pub(crate) fn is_void(&self) -> bool {
        let void = |weights: &SparseWeights| (0..weights.len()).all(|t| weights.row(t).is_empty());
        match self {
            Self::Separable(weights) => void(&weights.latitude) || void(&weights.longitude),
            Self::Sparse(weights, _) => void(weights),
        }
    }

    /// The weights from cell to cell.
    pub(crate) fn cells(&self, source: &Grid) -> Cow<'_, SparseWeights> {
        let (rows, columns) = source.shape();
        let distinct = source.axes().map_or(columns, |(_, x)| x.distinct());
        self.cells_of(rows, columns, distinct)
    }

    /// The weights from cell to cell of a source of so many rows and columns, of which `distinct` are not the first again.
    pub(crate) fn cells_of(
        &self,
        rows: usize,
        columns: usize,
        distinct: usize,
    ) -> Cow<'_, SparseWeights> {
        match self {
            Self::Sparse(weights, None) => Cow::Borrowed(weights),
            Self::Sparse(weights, Some(corrections)) => Cow::Owned(corrected(weights, corrections)),
            Self::Separable(weights) => Cow::Owned(weights.cells(rows, columns, distinct)),
        }
    }
}

/// Second-order weights between grids with their cells.
///
/// Rows and columns know how their coordinates were rounded, which overlaps by area do not: what these share with each other, `by_area`,
/// if there are any, is what cells share.
fn second_order(
    (source, from): (&Grid, &dyn Cells),
    (target, to): (&Grid, &dyn Cells),
    by_area: Option<&RectilinearWeights>,
) -> Result<PlaneWeights, Refused> {
    let place = |grid: &Grid, cell: usize| [cell / grid.shape().1, cell % grid.shape().1];
    let covered = |cell: usize| {
        let RectilinearWeights {
            latitude,
            longitude,
        } = by_area?;
        let [row, column] = place(target, cell);
        let outside = latitude.row(row).is_empty() || longitude.row(column).is_empty();
        let part = latitude.covered(row) * longitude.covered(column);
        Some(if outside { 0.0 } else { part })
    };
    let has = |row: Row<'_>, at: usize| row.sources().contains(&(at as u32));
    // Of columns that repeat the first ones, cells may name either.
    let distinct = source
        .axes()
        .map_or(source.shape().1, |(_, columns)| columns.distinct());
    let shares_in = |cell: usize, of_source: usize| {
        by_area.is_none_or(
            |RectilinearWeights {
                 latitude,
                 longitude,
             }| {
                let ([row, column], [y, x]) = (place(target, cell), place(source, of_source));
                has(latitude.row(row), y) && has(longitude.row(column), x % distinct)
            },
        )
    };
    let (weights, slopes) = sphere::second_order(from, to, covered, shares_in)?;
    Ok(PlaneWeights::Sparse(
        Arc::new(weights),
        Some(Arc::new(slopes)),
    ))
}

/// Weights with what the slopes add to them, for a source without missing values.
fn corrected(weights: &SparseWeights, corrections: &Corrections) -> SparseWeights {
    let mut corrected = SparseWeights::default();
    for target in 0..weights.len() {
        let (first, row) = (weights.entries(target).start, weights.row(target));
        let mut entries = row.to_vec();
        corrections.for_each_of_row(first, row, |s, w| entries.push((s, w)));
        let row = merged(&mut entries);
        if weights.covered(target) < 1.0 {
            corrected.push_part(row, weights.covered(target));
        } else {
            corrected.push_row(row);
        }
    }
    corrected
}

/// Cells of a grid at the most for weights from cell to cell: beyond it they and the places of the cells take more memory
/// than most machines have.
const MOST_CELLS: usize = 1 << 26;

/// Refuses grids of more cells than weights from cell to cell are made for.
pub(crate) fn check_count(source: &Grid, target: &Grid) -> Result<(), Error> {
    for (which, grid) in [("source", source), ("target", target)] {
        let (rows, columns) = grid.shape();
        let cells = rows.saturating_mul(columns);
        if cells > MOST_CELLS {
            return Err(Error::TooManyCells {
                which,
                grid: grid.to_string(),
                cells,
                most: MOST_CELLS,
            });
        }
    }
    Ok(())
}

/// Whether each target lies within the outer centres of a source of axes; none if it has no axes or nothing lies outside.
///
/// # Errors
/// [`Error::OutsideSource`] if one lies outside and that is to be refused.
fn inside_axes(source: &Grid, target: &Grid, edges: Edges) -> Result<Option<Vec<bool>>, Error> {
    if !matches!(edges.outside, Outside::Missing | Outside::Error) {
        return Ok(None);
    }
    let Some(weights) = located::weights(source, target, Method::Linear, edges) else {
        return Ok(None);
    };
    let weights = weights?;
    let inside = (0..weights.len()).map(|target| !weights.row(target).is_empty());
    Ok(Some(inside.collect()))
}

impl RectilinearWeights {
    /// The same weights from cell to cell, both grids' cells counted row by row.
    ///
    /// The source has so many rows and columns; `distinct` of its columns are not the first one again.
    pub(crate) fn cells(&self, rows: usize, columns: usize, distinct: usize) -> SparseWeights {
        let mut cells = SparseWeights::default();
        let mut entries = Vec::new();
        for y in 0..self.latitude.len() {
            for x in 0..self.longitude.len() {
                entries.clear();
                let (row, column) = (self.latitude.row(y), self.longitude.row(x));
                cross(row, column, (rows, columns, distinct), &mut entries);
                let covered = self.latitude.covered(y) * self.longitude.covered(x);
                let row = merged(&mut entries);
                if covered < 1.0 {
                    cells.push_part(row, covered);
                } else {
                    cells.push_kept(row);
                }
            }
        }
        cells
    }
}

/// Adds the products of the weights of a target's row and column, by source cells; the mean at a pole is spread over the
/// distinct cells of the row next to it.
pub(super) fn cross(
    row: impl IntoIterator<Item = (usize, f64)>,
    column: impl IntoIterator<Item = (usize, f64), IntoIter: ExactSizeIterator + Clone>,
    (rows, columns, distinct): (usize, usize, usize),
    entries: &mut Vec<(usize, f64)>,
) {
    // Where the target lies outside along one axis it lies outside.
    let column = column.into_iter();
    for (r, v) in row.into_iter().filter(|_| column.len() > 0) {
        if r < rows {
            entries.extend(column.clone().map(|(c, w)| (r * columns + c, v * w)));
            continue;
        }
        let r = if r == pole_row(rows, true) {
            rows - 1
        } else {
            0
        };
        let share = v / distinct as f64;
        entries.extend((0..distinct).map(|c| (r * columns + c, share)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::{Latitudes, Longitudes};

    #[test]
    fn targets_beside_a_source_stored_as_floats_are_outside_by_either_order() {
        let stored = |i: usize, from: f64| f64::from((from + 0.1 * i as f64) as f32);
        let latitudes = (0..30).map(|i| stored(i, 40.05)).collect();
        let longitudes = (0..40).map(|i| stored(i, 5.05)).collect();
        let source = Grid::new(
            Latitudes::new(latitudes, None).unwrap().stored_as_f32(),
            Longitudes::new(longitudes, None).unwrap().stored_as_f32(),
        );
        let along = |from: f64, len: u8| (0..len).map(|i| from + 0.1 * f64::from(i)).collect();
        let (latitudes, longitudes): (Vec<f64>, Vec<f64>) = (along(39.85, 34), along(4.85, 44));
        let target = Grid::from_axes(latitudes, longitudes).unwrap();
        // The source cells of each target, without what their slopes add.
        let of = |method| {
            let made = PlaneWeights::new(&source, &target, method, Edges::default(), None).unwrap();
            let cells = match &made {
                PlaneWeights::Sparse(weights, _) => SparseWeights::clone(weights),
                PlaneWeights::Separable(_) => made.cells(&source).into_owned(),
            };
            assert!((0..cells.len()).all(|target| cells.covered(target) == 1.0));
            let sources = (0..cells.len()).map(|target| cells.row(target).sources().to_vec());
            sources.collect::<Vec<_>>()
        };
        let by_area = of(Method::AreaWeighted);
        let outside = by_area.iter().filter(|sources| sources.is_empty());
        assert_eq!(outside.count(), 34 * 44 - 30 * 40);
        // Each of the others has one cell, and no slivers of those around it.
        assert!(by_area.iter().all(|sources| sources.len() <= 1));
        assert_eq!(of(Method::SecondOrderConservative), by_area);
    }
}
