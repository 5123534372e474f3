//! Report tasks: beside each chunk one that compares it with the source cells it overlaps, and one that adds them up.
//!
//! They read the very blocks that the chunks read; where targets overlap more of the source than their method looks at,
//! the blocks are planned to hold that too.

use std::ops::Range;
use std::sync::Arc;

use delayed::Delayed;
use ndarray::{ArrayD, IxDyn};

use super::layout::Plan;
use super::lazy::LazyReport;
use super::readers::{Block, Readers, values};
use crate::buffers;
use crate::chunk::Region;
use crate::grid::Grid;
use crate::kernel::tally;
use crate::report::Tally;
use crate::scheme::{Edges, Method, PlaneWeights};
use crate::sphere::areas;
use crate::values::Values;

/// How the cells of two grids overlap.
pub(crate) struct Overlap {
    pub(super) weights: Arc<PlaneWeights>,
    /// The targets' areas; none where cells have none.
    areas: Option<CellAreas>,
    /// Columns of the source that are not the first ones again.
    distinct: usize,
}

/// The areas of a plane's cells, in steradians.
#[derive(Debug)]
enum CellAreas {
    /// A height for each row times a width for each column.
    Product(Vec<f64>, Vec<f64>),
    /// One by one, and how many columns there are.
    Each(Vec<f64>, usize),
}

impl Overlap {
    /// The overlap of two grids; `weights` are the method's own, which stand in where cells have no area, and are the overlap
    /// itself if they are the `same`.
    pub(crate) fn new(
        source: &Grid,
        target: &Grid,
        method: Method,
        weights: &Arc<PlaneWeights>,
        same: bool,
    ) -> Self {
        let areas = if target.is_flat() {
            None
        } else {
            CellAreas::of(target)
        };
        let made = match same {
            true => Ok(weights.clone()),
            false => {
                let by_area = Method::AreaWeighted;
                PlaneWeights::new(source, target, by_area, Edges::default(), None).map(Arc::new)
            }
        };
        // Plans of one kind have the same blocks.
        let like_own = |overlap: Arc<PlaneWeights>| match (&**weights, &*overlap) {
            (PlaneWeights::Sparse(..), PlaneWeights::Separable(_)) => {
                let cells = overlap.cells(source).into_owned();
                Arc::new(PlaneWeights::of_cells(cells))
            }
            _ => overlap,
        };
        let distinct = source
            .axes()
            .map_or(source.shape().1, |(_, longitudes)| longitudes.distinct());
        match (made.map(like_own), areas) {
            (Ok(weights), Some(areas)) => Self {
                weights,
                areas: (!matches!(method, Method::Sum | Method::Count)).then_some(areas),
                distinct,
            },
            _ => Self {
                weights: weights.clone(),
                areas: None,
                distinct,
            },
        }
    }

    /// Whether integrals can be compared.
    pub(crate) fn has_areas(&self) -> bool {
        self.areas.is_some()
    }
}

impl CellAreas {
    fn of(grid: &Grid) -> Option<Self> {
        if let Some((rows, columns)) = grid.axes() {
            let sine = |y: f64| y.to_radians().sin();
            let height = |[a, b]: [f64; 2]| (sine(b) - sine(a)).abs();
            let width = |[a, b]: [f64; 2]| (b - a).abs().to_radians();
            return Some(Self::Product(
                rows.cell_bounds().into_iter().map(height).collect(),
                columns.intervals().into_iter().map(width).collect(),
            ));
        }
        let each = areas(&*grid.cells())?;
        Some(Self::Each(each, grid.shape().1))
    }

    /// The areas of some rows and columns, row by row, in a buffer.
    fn part(&self, plane: &[Range<usize>]) -> Vec<f64> {
        let [rows, columns] = plane else {
            unreachable!("cells with areas lie in rows and columns")
        };
        let mut part = buffers::take(rows.len() * columns.len());
        let cells = rows
            .clone()
            .flat_map(|r| columns.clone().map(move |c| (r, c)));
        let part_of_cells = part.iter_mut().zip(cells);
        match self {
            Self::Product(heights, widths) => {
                part_of_cells.for_each(|(area, (r, c))| *area = heights[r] * widths[c]);
            }
            Self::Each(areas, width) => {
                part_of_cells.for_each(|(area, (r, c))| *area = areas[r * width + c]);
            }
        }
        part
    }
}

/// The report of a field, from its chunks and the plan of the overlap, which reads the same blocks.
pub(super) fn report(
    name: &str,
    overlap: Arc<Overlap>,
    plan: &Plan,
    readers: &mut Readers,
    absent: &Arc<Values>,
    chunks: &[(Region, Delayed<Values>)],
) -> LazyReport {
    let fresh = plan.fresh(overlap.distinct);
    let mut tallies = Vec::with_capacity(chunks.len());
    let mut each = chunks.iter();
    // Both plans have the same chunks, and go through them in the order of one of them.
    let work = readers.work().clone();
    work.plan.for_each_index(|index| {
        let (region, values_of_chunk) = each.next().expect("a chunk for each index");
        let chunk = plan.chunk(index);
        let blocks = readers.blocks(&chunk);
        let fresh = fresh.of(index);
        let (overlap, absent, order) =
            (overlap.clone(), absent.clone(), plan.order.computed_axes());
        let tally = delayed::apply(
            (values_of_chunk, blocks),
            move |(result, blocks): (&Values, Vec<&Block>)| {
                let result = in_doubles(result, &absent);
                let result = result.permuted_axes(IxDyn(&order));
                let plane = chunk.targets().split_off(chunk.outer().len());
                let areas = overlap.areas.as_ref().map(|areas| areas.part(&plane));
                let tally = tally(
                    &chunk,
                    &values(&blocks),
                    &absent,
                    &result,
                    areas.as_deref(),
                    &fresh,
                );
                buffers::give(result.into_raw_vec_and_offset().0);
                areas.into_iter().for_each(buffers::give);
                if let Some(cut) = &chunk.sparse {
                    cut.rest();
                }
                tally
            },
        )
        .named(format!("compare {name} {region}"))
        .group(name.to_owned())
        .step("compare");
        tallies.push(tally);
    });
    let variable = name.to_owned();
    let whole = delayed::apply(tallies.clone(), move |tallies: Vec<&Tally>| {
        let mut all = Tally::default();
        tallies.into_iter().for_each(|tally| all.merge(tally));
        all.report(variable.clone(), overlap.has_areas())
    })
    .named(format!("report {name}"))
    .group(name.to_owned());
    LazyReport {
        whole,
        tallies: tallies.into(),
    }
}

/// A chunk's values in a buffer of doubles: integers that mark missing values become NaN; floats have it already.
fn in_doubles(values: &Values, absent: &Values) -> ArrayD<f64> {
    let absent = absent.to_f64().expect("results are numbers")[[0]];
    let doubles = values.to_f64_in(buffers::take(values.len()));
    let mut doubles = doubles.expect("results are numbers");
    doubles.mapv_inplace(|x| if x == absent { f64::NAN } else { x });
    doubles
}
