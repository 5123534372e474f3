//! One target chunk: a cut of every dimension.

use std::ops::Range;
use std::sync::Arc;

use super::{AxisCut, AxisPlan, AxisSource, SparseCut};
use crate::chunk::combinations;
use crate::weights::SparseWeights;

/// All that is needed to compute one target chunk from its blocks: a cut of every dimension, those of the plane last.
///
/// Where the plane's weights are not a product of row and column weights, its cuts say what is read, and `sparse` how
/// targets are made of it.
#[derive(Debug, Clone)]
pub(crate) struct ChunkPlan {
    pub(crate) cuts: Vec<Arc<AxisCut>>,
    pub(crate) sparse: Option<Arc<SparseCut>>,
    /// Dimensions of the source's plane: two, or one for a list of points.
    pub(crate) plane_dimensions: usize,
}

impl ChunkPlan {
    /// The cuts of the dimensions before the plane.
    pub(crate) fn outer(&self) -> &[Arc<AxisCut>] {
        &self.cuts[..self.cuts.len() - self.plane_dimensions]
    }

    /// The cuts of the source's plane.
    pub(crate) fn plane(&self) -> &[Arc<AxisCut>] {
        &self.cuts[self.cuts.len() - self.plane_dimensions..]
    }

    /// The same for so many planes that follow each other in a block.
    pub(crate) fn of_planes(&self, planes: usize) -> Self {
        let each = SparseWeights::identity(planes);
        let all = 0..planes;
        let storage = std::slice::from_ref(&all);
        let source = AxisSource {
            storage,
            block_cells: planes,
            ..AxisSource::default()
        };
        let plan = AxisPlan::new(&each, storage, &source);
        let outer = plan.cuts.into_iter().map(Arc::new);
        Self {
            cuts: outer.chain(self.cuts.iter().cloned()).collect(),
            ..self.clone()
        }
    }

    /// The rows' and the columns' cut.
    pub(crate) fn axes(&self) -> (&AxisCut, &AxisCut) {
        (&self.plane()[0], &self.plane()[1])
    }

    /// The targets along every dimension of the result.
    pub(crate) fn targets(&self) -> Vec<Range<usize>> {
        let outer = self.outer().iter().map(|cut| cut.targets.clone());
        match &self.sparse {
            Some(sparse) => outer.chain(sparse.targets.iter().cloned()).collect(),
            None => outer
                .chain(self.plane().iter().map(|cut| cut.targets.clone()))
                .collect(),
        }
    }

    /// The shape of the result.
    pub(crate) fn shape(&self) -> Vec<usize> {
        self.targets().iter().map(ExactSizeIterator::len).collect()
    }

    /// Targets in all.
    pub(crate) fn cells(&self) -> usize {
        self.shape().iter().product()
    }

    /// The part of the shape before the plane.
    pub(crate) fn outer_shape(&self) -> Vec<usize> {
        self.outer().iter().map(|cut| cut.targets.len()).collect()
    }

    /// Cells of the window's plane.
    pub(crate) fn plane_cells(&self) -> usize {
        self.plane().iter().map(|cut| cut.window).product()
    }

    /// Targets of the plane.
    pub(crate) fn plane_targets(&self) -> usize {
        self.shape()[self.outer().len()..].iter().product()
    }

    /// The blocks that the window is gathered from: the piece of every cut that each one brings.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Vec<usize>> + '_ {
        let counts: Vec<usize> = self.cuts.iter().map(|cut| cut.pieces.len()).collect();
        let plane: usize = self.plane().iter().map(|cut| cut.pieces.len()).product();
        let reached = move |at: usize| match &self.sparse {
            Some(sparse) => sparse.reached[at % plane],
            None => true,
        };
        combinations(&counts)
            .enumerate()
            .filter(move |(at, _)| reached(*at))
            .map(|(_, index)| index)
    }

    /// Calls with each target's covered part, and the cells of the plane that it reads, with their weights.
    ///
    /// Pole rows have no part in it.
    pub(crate) fn for_each_target(&self, mut call: impl FnMut(f64, &[(usize, f64)])) {
        let mut entries = Vec::new();
        if let Some(sparse) = &self.sparse {
            sparse.for_each_row(|row| {
                entries.clear();
                entries.extend(row.entries());
                call(row.covered, &entries);
            });
            return;
        }
        let (rows, columns) = self.axes();
        for row in 0..rows.targets.len() {
            for column in 0..columns.targets.len() {
                entries.clear();
                for (r, v) in rows
                    .weights
                    .row(row)
                    .iter()
                    .filter(|(r, _)| *r < rows.window)
                {
                    let cells = columns.weights.row(column).iter();
                    entries.extend(cells.map(|(c, w)| (r * columns.window + c, v * w)));
                }
                let covered = rows.weights.covered(row) * columns.weights.covered(column);
                call(covered, &entries);
            }
        }
    }
}
