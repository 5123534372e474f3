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
                let [rows, columns] = axes.each_ref().map(|cuts| {
                    let entries = cuts.iter().map(|cut| cut.weights.entries_in_all());
                    mean(entries.sum(), targets(cuts))
                });
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

    /// How many source cells there are for a target where targets lie, if weights go along rows and columns.
    pub(super) fn cells_there(&self) -> Option<f64> {
        let PlanePlan::Separable(axes) = &self.plane else {
            return None;
        };
        Some(axes.iter().map(|cuts| cells_along(cuts)).product())
    }
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
