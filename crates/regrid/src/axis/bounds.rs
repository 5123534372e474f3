//! Whether the bounds that a file gives make cells: methods that look at areas would else count some twice, or none.

use super::{AxisKind, Cells, Latitudes, Longitudes, PlaneAxis};

/// What is wrong with the bounds of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BoundsFault {
    pub(crate) axis: AxisKind,
    pub(crate) index: usize,
    pub(crate) bounds: [f64; 2],
    pub(crate) fault: &'static str,
}

/// Part of a cell's width that its centre may lie beyond its bounds, or its bounds within the next cell: more than any
/// rounding, less than any mistake.
const SLACK: f64 = 1e-2;

/// The first fault of cells in the order of an axis, each from its lower to its upper bound.
fn fault(
    axis: AxisKind,
    centres: &[f64],
    cells: &[[f64; 2]],
    period: Option<f64>,
) -> Option<BoundsFault> {
    let found = |index: usize, fault| BoundsFault {
        axis,
        index,
        bounds: cells[index],
        fault,
    };
    for (index, (&centre, &[low, high])) in centres.iter().zip(cells).enumerate() {
        let width = high - low;
        if width <= 0.0 {
            return Some(found(index, "have nothing between them"));
        }
        if centre < low - SLACK * width || centre > high + SLACK * width {
            return Some(found(index, "do not hold their centre"));
        }
    }
    // By position, so that the next cell is the one above.
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|&a, &b| cells[a][0].total_cmp(&cells[b][0]));
    let above = |at: usize| match (order.get(at + 1), period) {
        (Some(&next), _) => Some((next, 0.0)),
        (None, Some(period)) if order.len() > 1 => Some((order[0], period)),
        _ => None,
    };
    (0..order.len()).find_map(|at| {
        let (next, turn) = above(at)?;
        let [low, high] = cells[order[at]];
        let [next_low, next_high] = cells[next].map(|x| x + turn);
        let least = (high - low).min(next_high - next_low);
        (high > next_low + SLACK * least)
            .then(|| found(order[at], "overlap those of the cell beside it"))
    })
}

fn ordered(bounds: &[[f64; 2]]) -> Vec<[f64; 2]> {
    bounds.iter().map(|&[a, b]| [a.min(b), a.max(b)]).collect()
}

fn of_cells(axis: AxisKind, cells: &Cells) -> Option<BoundsFault> {
    let bounds = ordered(cells.bounds.as_ref()?);
    fault(axis, &cells.centres, &bounds, None)
}

impl Latitudes {
    /// What is wrong with the bounds, if there are any.
    pub(crate) fn bounds_fault(&self) -> Option<BoundsFault> {
        of_cells(AxisKind::Latitude, &self.0)
    }
}

impl Longitudes {
    /// What is wrong with the bounds, if there are any.
    pub(crate) fn bounds_fault(&self) -> Option<BoundsFault> {
        self.bounds()?;
        let distinct = self.distinct();
        let cells = &self.intervals()[..distinct];
        let centres = &self.unrolled()[..distinct];
        fault(AxisKind::Longitude, centres, cells, Some(360.0))
    }
}

impl PlaneAxis {
    /// What is wrong with the bounds of an axis, if there are any.
    pub(crate) fn bounds_fault(&self, axis: AxisKind) -> Option<BoundsFault> {
        of_cells(axis, &self.cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latitudes(bounds: [[f64; 2]; 3]) -> Option<(usize, &'static str)> {
        let axis = Latitudes::new(vec![20.0, 10.0, 0.0], Some(bounds.to_vec())).unwrap();
        axis.bounds_fault().map(|f| (f.index, f.fault))
    }

    #[test]
    fn cells_that_are_none_are_found() {
        assert_eq!(latitudes([[25.0, 15.0], [15.0, 5.0], [5.0, -5.0]]), None);
        // What lies in a gap is not covered.
        assert_eq!(latitudes([[25.0, 16.0], [15.0, 5.0], [5.0, -5.0]]), None);
        let found = latitudes([[25.0, 15.0], [17.0, 5.0], [5.0, -5.0]]);
        assert_eq!(found, Some((1, "overlap those of the cell beside it")));
        let found = latitudes([[35.0, 25.0], [25.0, 15.0], [15.0, 5.0]]);
        assert_eq!(found, Some((0, "do not hold their centre")));
        let found = latitudes([[25.0, 15.0], [10.0, 10.0], [5.0, -5.0]]);
        assert_eq!(found, Some((1, "have nothing between them")));
    }

    #[test]
    fn bounds_may_lie_in_another_turn_and_meet_across_the_seam() {
        let fault = |last: f64| {
            let bounds = vec![[-60.0, 60.0], [60.0, 180.0], [-180.0, last]];
            let axis = Longitudes::new(vec![0.0, 120.0, 240.0], Some(bounds)).unwrap();
            axis.bounds_fault().map(|f| f.index)
        };
        assert_eq!(fault(-60.0), None);
        assert_eq!(fault(-50.0), Some(2));
    }
}
