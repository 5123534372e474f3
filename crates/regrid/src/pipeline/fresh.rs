//! Which source cells the chunks of a plane meet for the first time, so that a report counts each once.

use std::sync::Arc;

use super::layout::{Plan, PlanePlan};
use crate::kernel::Fresh;

impl Plan {
    /// For each chunk of the plane, which cells of its window no chunk before it reaches; after so many `distinct` columns they are the
    /// first ones again.
    pub(super) fn fresh(&self, distinct: usize) -> FreshCells {
        let outer = self.outer.len();
        match &self.plane {
            PlanePlan::Separable(axes) => {
                let along = |axis: usize| {
                    let blocks = &self.blocks[outer + axis];
                    let mut seen = vec![false; blocks.last().map_or(0, |block| block.end)];
                    let fresh = axes[axis].iter().map(|cut| {
                        let mut used = vec![false; cut.window];
                        let entries = (0..cut.targets.len()).flat_map(|t| cut.weights.row(t));
                        for (place, _) in entries.filter(|(place, _)| *place < cut.window) {
                            used[place] = true;
                        }
                        let cells = cut.cells(blocks);
                        Arc::new(first_time(used, |place| cells[place], &mut seen))
                    });
                    fresh.collect()
                };
                FreshCells::Separable([along(0), along(1)])
            }
            PlanePlan::Sparse(cuts) => {
                let blocks = &self.blocks[outer..];
                let ends = blocks.iter().map(|b| b.last().map_or(0, |block| block.end));
                let ends: Vec<usize> = ends.collect();
                let mut seen = vec![false; ends.iter().product()];
                let fresh = cuts.iter().map(|(windows, cut)| {
                    let cells: Vec<Vec<usize>> = windows
                        .iter()
                        .zip(blocks)
                        .map(|(window, blocks)| window.cells(blocks))
                        .collect();
                    let mut used = vec![false; cells.iter().map(Vec::len).product()];
                    for &place in cut.places() {
                        used[place as usize] = true;
                    }
                    let cell = |place: usize| match cells.as_slice() {
                        [points] => points[place],
                        [rows, columns] => {
                            let width = columns.len();
                            rows[place / width] * ends[1] + columns[place % width] % distinct
                        }
                        _ => unreachable!("a plane has one or two dimensions"),
                    };
                    Arc::new(first_time(used, cell, &mut seen))
                });
                FreshCells::Sparse(fresh.collect())
            }
        }
    }
}

/// Which cells of the windows of a plane's chunks are met for the first time.
pub(super) enum FreshCells {
    Separable([Vec<Arc<Vec<bool>>>; 2]),
    Sparse(Vec<Arc<Vec<bool>>>),
}

impl FreshCells {
    /// Those of the chunk of an index among the plan's [counts](Plan::counts).
    pub(super) fn of(&self, index: &[usize]) -> Fresh {
        match (self, index) {
            (Self::Separable([rows, columns]), [.., row, column]) => {
                Fresh::Product(rows[*row].clone(), columns[*column].clone())
            }
            (Self::Sparse(cells), [.., cut]) => Fresh::Each(cells[*cut].clone()),
            _ => unreachable!("a plane has its place in the index"),
        }
    }
}

/// Which of the used places hold a cell that was not seen before; they are from now on.
fn first_time(mut used: Vec<bool>, cell: impl Fn(usize) -> usize, seen: &mut [bool]) -> Vec<bool> {
    for (place, used) in used.iter_mut().enumerate().filter(|(_, used)| **used) {
        *used = !std::mem::replace(&mut seen[cell(place)], true);
    }
    used
}
