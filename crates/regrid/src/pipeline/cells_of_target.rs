//! Of how many source cells a plan makes a target, about: what the time that it takes goes by.

use std::sync::Arc;

use super::layout::{Plan, PlanePlan};
use crate::plan::AxisCut;

/// Of how many source cells a target is made, on the average.
#[derive(Debug, Clone, Copy)]
pub(super) enum CellsOfTarget {
    /// Weights go along rows and columns: how many cells of whole rows are blended for each target, and how many it is made of.
    Rows { blended: f64, cells: f64 },
    /// Weights go from cell to cell, with slopes or without.
    Apart { cells: f64, slopes: bool },
}

impl Plan {
    /// Of how many cells a target is made.
    pub(super) fn cells_of_target(&self) -> CellsOfTarget {
        match &self.plane {
            PlanePlan::Separable(axes) => {
                let [rows, columns] = axes.each_ref().map(|cuts| entries_along(cuts));
                CellsOfTarget::Rows {
                    blended: rows * cells_along(&axes[1]),
                    cells: rows * columns,
                }
            }
            PlanePlan::Sparse(cuts) => {
                let entries = cuts.iter().map(|(_, cut)| cut.entries().0);
                let targets = cuts.iter().map(|(_, cut)| {
                    let along = cut.targets.iter().map(ExactSizeIterator::len);
                    along.product::<usize>()
                });
                CellsOfTarget::Apart {
                    cells: mean(entries.sum(), targets.sum()),
                    slopes: cuts.iter().any(|(_, cut)| cut.entries().1),
                }
            }
        }
    }

    /// Which part of the targets have a value that their neighbours do not repeat, about: those that are made of one cell, and those that
    /// are made of several.
    pub(super) fn new_values(&self) -> [f64; 2] {
        let PlanePlan::Separable(axes) = &self.plane else {
            return [0.0, 1.0];
        };
        // Along each dimension a cell repeats from where it begins to where it ends, and what reaches across is new.
        let [rows, columns] = axes.each_ref().map(|cuts| {
            let cells = entries_along(cuts);
            let of_one = (2.0 - cells).clamp(0.0, 1.0).min(cells_along(cuts));
            [of_one, (of_one + (cells - 1.0).max(0.0)).min(1.0)]
        });
        let of_one = rows[0] * columns[0];
        [of_one, rows[1] * columns[1] - of_one]
    }
}

/// Of how many source cells a target is made along one dimension.
fn entries_along(cuts: &[Arc<AxisCut>]) -> f64 {
    let entries = cuts.iter().map(|cut| cut.weights.entries_in_all());
    mean(entries.sum(), targets(cuts))
}

/// How many source cells there are for a target along one dimension.
fn cells_along(cuts: &[Arc<AxisCut>]) -> f64 {
    mean(cuts.iter().map(|cut| cut.window).sum(), targets(cuts))
}

fn targets(cuts: &[Arc<AxisCut>]) -> usize {
    cuts.iter().map(|cut| cut.targets.len()).sum()
}

fn mean(all: usize, of: usize) -> f64 {
    all as f64 / of.max(1) as f64
}
