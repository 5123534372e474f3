//! The plan of a whole field: its dimensions' plans side by side.

use std::ops::Range;
use std::sync::Arc;

use super::parts::{OpenPart, storage};
use crate::budget::Budget;
use crate::catalogue::{Role, SourceVariable};
use crate::chunk::{combinations, cuts};
use crate::kernel::{are_few, group_of};
use crate::plan::{
    AxisCut, AxisPlan, AxisSource, ChunkSize, SparseCut, SparsePlan, block_cells,
    target_chunk_shape,
};
use crate::scheme::{PlaneWeights, pole_row};
use crate::time::ChosenTimes;
use crate::weights::{Row, SparseWeights};

/// In which order a chunk is computed: the outer dimensions first, the plane's last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// Which of the variable's dimensions each one of the window is.
    pub(super) source: Vec<usize>,
    /// Where each of the variable's dimensions is in the window.
    pub(super) back: Vec<usize>,
    /// Where each of the result's dimensions is in the chunk as it is computed.
    pub(super) result: Vec<usize>,
    /// Dimensions before the plane.
    pub(super) outer: usize,
}

impl Order {
    /// The order for a variable, and a target that is a list of points or has rows and columns.
    ///
    /// The target's rows and columns take the places of the source's; a list takes, or leaves, the first of them.
    pub(super) fn new(variable: &SourceVariable, list: bool) -> Self {
        let on_plane = |d: &usize| {
            matches!(
                variable.dimensions[*d].role,
                Role::Latitude | Role::Longitude
            )
        };
        let all = 0..variable.dimensions.len();
        let mut source: Vec<usize> = all.clone().filter(|d| !on_plane(d)).collect();
        let outer = source.len();
        source.extend(
            [Role::Latitude, Role::Longitude]
                .map(|role| variable.dimension(role))
                .into_iter()
                .flatten(),
        );
        let from_list = source.len() == outer + 1;
        let mut result = Vec::new();
        let mut before = 0;
        for d in all {
            match variable.dimensions[d].role {
                _ if !on_plane(&d) => {
                    result.push(before);
                    before += 1;
                }
                _ if list => {
                    if !result.contains(&outer) {
                        result.push(outer);
                    }
                }
                _ if from_list => result.extend([outer, outer + 1]),
                Role::Latitude => result.push(outer),
                _ => result.push(outer + 1),
            }
        }
        Self {
            back: inverse(&source),
            source,
            result,
            outer,
        }
    }

    /// The storage chunks of a variable along each dimension, in this order.
    pub(super) fn storage(
        &self,
        variable: &SourceVariable,
        parts: &[OpenPart],
    ) -> Vec<Vec<Range<usize>>> {
        let along = |(axis, &d): (usize, &usize)| {
            let is_column = variable.dimensions[d].role == Role::Longitude;
            let plane = (axis >= self.outer).then_some(usize::from(is_column));
            storage(variable, parts, d, plane)
        };
        self.source.iter().enumerate().map(along).collect()
    }

    /// A shape in the result's order, as the chunk is computed.
    fn computed(&self, result: &[usize]) -> Vec<usize> {
        let mut shape = vec![0; result.len()];
        for (&place, &len) in self.result.iter().zip(result) {
            shape[place] = len;
        }
        shape
    }

    /// The usual shape of a target chunk, in the order in which it is computed.
    ///
    /// `stored` is the length of storage chunks along the dimensions before the plane.
    fn chunk_shape(&self, computed: &[usize], size: &ChunkSize, stored: &[usize]) -> Vec<usize> {
        let list = computed.len() == self.outer + 1;
        let mut shape = computed.to_vec();
        if list {
            shape.insert(self.outer, 1);
        }
        let mut shape = target_chunk_shape(&shape, size, stored);
        if list {
            shape.remove(self.outer);
        }
        shape
    }

    /// Where each dimension of a chunk as it is computed is in the result.
    pub(super) fn computed_axes(&self) -> Vec<usize> {
        inverse(&self.result)
    }

    /// How many chunks targets of a shape, in the order in which they are computed, are cut into.
    pub(super) fn chunk_count(&self, computed: &[usize], size: &ChunkSize) -> u64 {
        let sizes = self.chunk_shape(computed, size, &[]);
        computed
            .iter()
            .zip(sizes)
            .map(|(&len, size)| len.div_ceil(size) as u64)
            .fold(1, u64::saturating_mul)
    }
}

/// Where each dimension is in an order.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (place, &dimension) in order.iter().enumerate() {
        inverse[dimension] = place;
    }
    inverse
}

/// The plans of all dimensions, in the order in which windows and chunks are computed: the plane's last.
pub(super) struct Plan {
    pub(super) order: Order,
    /// The read blocks along each of the window's dimensions.
    pub(super) blocks: Vec<Vec<Range<usize>>>,
    /// The cuts of the dimensions before the plane.
    pub(super) outer: Vec<Vec<Arc<AxisCut>>>,
    pub(super) plane: PlanePlan,
    /// The usual shape of a target chunk, in the order in which it is computed.
    pub(super) chunk_shape: Vec<usize>,
    /// Storage chunks along each dimension, to count what is read.
    pub(super) storage: Arc<Vec<Vec<Range<usize>>>>,
    /// The rows next to the poles, if their means are needed.
    pub(super) rings: Rings,
    pub(super) rows: usize,
}

/// The windows of the rows next to the poles.
#[derive(Default)]
pub(super) struct Rings {
    /// The first and the last row, where the weights read its mean.
    pub(super) rows: [Option<Arc<AxisCut>>; 2],
    /// All the source's own columns: what a pole row is the mean of.
    pub(super) columns: Option<Arc<AxisCut>>,
    /// Whether the rows are read by themselves, not as part of the blocks.
    pub(super) apart: bool,
}

/// The plan of the plane.
pub(super) enum PlanePlan {
    /// Any cut of the rows with any of the columns.
    Separable([Vec<Arc<AxisCut>>; 2]),
    /// Cuts of the target plane, each with its own window.
    Sparse(Vec<(Vec<Arc<AxisCut>>, Arc<SparseCut>)>),
}

/// Whether a target is a source plane as it is.
fn is_one(row: Row<'_>) -> bool {
    row.weights() == [1.0]
}

impl Plan {
    /// Plans a variable, stored in such chunks along the dimensions of its order, onto targets of a shape (in the order of the
    /// result's dimensions), in chunks of a size.
    ///
    /// A value has so many bytes when it is decoded. Its blocks hold what `also` reads of the plane too, so that the plan of either has the same blocks.
    pub(super) fn new(
        variable: &SourceVariable,
        (order, storage): (Order, Arc<Vec<Vec<Range<usize>>>>),
        parts: &[OpenPart],
        (weights, also): (&PlaneWeights, Option<&PlaneWeights>),
        times: Option<&ChosenTimes>,
        target: &[usize],
        (size, budget, decoded_bytes): (&ChunkSize, Budget, usize),
    ) -> Self {
        let outer = order.outer;
        let source_shape: Vec<usize> = order
            .source
            .iter()
            .map(|&d| variable.dimensions[d].len)
            .collect();
        let target_shape = order.computed(target);
        let usual: Vec<usize> = storage.iter().map(|cuts| longest(cuts).max(1)).collect();
        let chunk_shape = order.chunk_shape(&target_shape, size, &usual[..outer]);
        let target_cuts: Vec<Vec<Range<usize>>> = target_shape
            .iter()
            .zip(&chunk_shape)
            .map(|(&len, &size)| cuts(len, size))
            .collect();
        // Packed values take more when they are unpacked, which counts where memory is short.
        let stored_bytes = variable.meta.data_type.size();
        let cell_bytes = match budget.memory {
            Some(_) => stored_bytes.max(decoded_bytes),
            None => stored_bytes,
        };
        let most = block_cells(&source_shape, &usual, cell_bytes, budget.block_bytes());
        // Other cells of the rows and columns that are read from the same blocks; a sparse plan knows of them by itself.
        let others: [Vec<usize>; 2] = match (weights, also) {
            (PlaneWeights::Separable(_), Some(PlaneWeights::Separable(also))) => {
                let read = |weights: &SparseWeights, len: usize| {
                    let mut sources = weights.sources(0..weights.len());
                    sources.retain(|&source| source < len);
                    sources
                };
                [
                    read(&also.latitude, source_shape[outer]),
                    read(&also.longitude, source_shape[outer + 1]),
                ]
            }
            _ => [vec![], vec![]],
        };
        let source = |axis: usize| AxisSource {
            storage: &storage[axis],
            block_cells: most[axis],
            also: axis.checked_sub(outer).map_or(&[], |axis| &others[axis]),
            ..AxisSource::default()
        };
        let ends: Vec<usize> = parts.iter().map(|p| p.part.start + p.part.len).collect();
        let mut blocks = Vec::new();
        let shared = |plan: AxisPlan, blocks: &mut Vec<Vec<Range<usize>>>| -> Vec<Arc<AxisCut>> {
            blocks.push(plan.blocks);
            plan.cuts.into_iter().map(Arc::new).collect()
        };
        let outer_cuts = (0..outer)
            .map(|axis| {
                let role = variable.dimensions[order.source[axis]].role;
                let identity;
                let (weights, ends): (_, &[usize]) = match (role, times) {
                    (Role::Time, Some(times)) => (&times.weights, &ends),
                    _ => {
                        identity = SparseWeights::identity(source_shape[axis]);
                        (&identity, &[])
                    }
                };
                let source = AxisSource {
                    ends,
                    by_cut: true,
                    ..source(axis)
                };
                shared(
                    AxisPlan::new(weights, &target_cuts[axis], &source),
                    &mut blocks,
                )
            })
            .collect();
        let rows = source_shape[outer];
        let columns = variable
            .grid
            .axes()
            .map_or(source_shape[source_shape.len() - 1], |(_, x)| x.distinct());
        let mut rings = Rings::default();
        let plane = match weights {
            PlaneWeights::Separable(weights) => {
                let mut poles = pole_neighbours(&weights.latitude, rows);
                if let Some(PlaneWeights::Separable(also)) = also {
                    poles.extend(pole_neighbours(&also.latitude, rows));
                }
                let all_columns: Vec<usize> = match poles.is_empty() {
                    true => vec![],
                    false => (0..columns).collect(),
                };
                let mut axis = |at: usize, weights: &SparseWeights, apart: &[usize]| {
                    let source = AxisSource {
                        apart,
                        side_by_side: at == 1,
                        ..source(outer + at)
                    };
                    shared(
                        AxisPlan::new(weights, &target_cuts[outer + at], &source),
                        &mut blocks,
                    )
                };
                let axes = [
                    axis(0, &weights.latitude, &poles),
                    axis(1, &weights.longitude, &all_columns),
                ];
                if !poles.is_empty() {
                    let window = |cells: &[usize], axis: usize| {
                        Arc::new(AxisCut::window_of(cells, &blocks[outer + axis]))
                    };
                    let row = |row: usize| poles.contains(&row).then(|| window(&[row], 0));
                    rings = Rings {
                        rows: [row(0), row(rows - 1)],
                        columns: Some(window(&all_columns, 1)),
                        apart: false,
                    };
                }
                PlanePlan::Separable(axes)
            }
            PlaneWeights::Sparse(weights, corrections) => {
                let sources: Vec<AxisSource<'_>> =
                    (outer..source_shape.len()).map(source).collect();
                let target = &target_shape[outer..];
                let also = match also {
                    Some(PlaneWeights::Sparse(also, corrections)) => {
                        Some((&**also, corrections.as_deref()))
                    }
                    _ => None,
                };
                let plan = SparsePlan::new(
                    (weights, corrections.as_ref()),
                    also,
                    target,
                    &target_cuts[outer..],
                    &sources,
                );
                blocks.extend(plan.blocks);
                PlanePlan::Sparse(plan.cuts)
            }
        };
        Self {
            order,
            blocks,
            outer: outer_cuts,
            plane,
            chunk_shape,
            storage,
            rings,
            rows,
        }
    }

    /// Has the rows next to the poles read by themselves if their blocks have more than so many cells, and more than those of a
    /// chunk: all blocks around the globe would have to be there at once. What they are part of is [shared](super::shared) then.
    pub(super) fn part_rings(&mut self, most: usize) {
        let Some(columns) = &self.rings.columns else {
            return;
        };
        let outer = self.outer.len();
        let columns = self.cells_of_blocks(columns, outer + 1);
        let rows = self.rings.rows.iter().flatten();
        let rows = rows.map(|cut| self.cells_of_blocks(cut, outer)).max();
        let around = self.outer_cells() * rows.unwrap_or(0) * columns;
        if around <= most.max(self.window_cells()) {
            return;
        }
        self.rings.apart = true;
        let rows = [0, self.rows - 1];
        for (cut, row) in self.rings.rows.iter_mut().zip(rows) {
            if let Some(cut) = cut {
                let own = row..row + 1;
                *cut = Arc::new(AxisCut::window_of(&[row], std::slice::from_ref(&own)));
            }
        }
    }

    /// Cells along one dimension of the blocks that a cut reads.
    fn cells_of_blocks(&self, cut: &AxisCut, axis: usize) -> usize {
        let blocks = cut.pieces.iter();
        blocks
            .map(|piece| self.blocks[axis][piece.block].len())
            .sum()
    }

    /// Cells along the dimensions before the plane of the blocks that a chunk reads, at the most.
    fn outer_cells(&self) -> usize {
        let most = |(axis, cuts): (usize, &Vec<Arc<AxisCut>>)| {
            let cells = cuts.iter().map(|cut| self.cells_of_blocks(cut, axis));
            cells.max().unwrap_or(0)
        };
        self.outer.iter().enumerate().map(most).product()
    }

    /// Cells of the blocks that a chunk reads, at the most.
    pub(super) fn window_cells(&self) -> usize {
        let most = |cuts: &[Arc<AxisCut>], axis: usize| {
            let cells = cuts.iter().map(|cut| self.cells_of_blocks(cut, axis));
            cells.max().unwrap_or(0)
        };
        let outer = self.outer.len();
        let plane = match &self.plane {
            PlanePlan::Separable([rows, columns]) => most(rows, outer) * most(columns, outer + 1),
            PlanePlan::Sparse(cuts) => cuts
                .iter()
                .map(|(windows, sparse)| {
                    let counts: Vec<usize> = windows.iter().map(|cut| cut.pieces.len()).collect();
                    let reached = combinations(&counts)
                        .zip(&sparse.reached)
                        .filter(|(_, reached)| **reached);
                    let block = |index: Vec<usize>| -> usize {
                        let axes = index.iter().zip(windows).enumerate();
                        axes.map(|(axis, (&i, cut))| {
                            self.blocks[outer + axis][cut.pieces[i].block].len()
                        })
                        .product()
                    };
                    reached.map(|(index, _)| block(index)).sum()
                })
                .max()
                .unwrap_or(0),
        };
        self.outer_cells() * plane
    }

    /// Cells of a window that has to be gathered from its blocks, at the most; whole planes, or rows alone, are used where they
    /// lie if they are in one piece.
    pub(super) fn gathered_cells(&self, whole_planes: bool) -> usize {
        let in_one = |cut: &AxisCut, axis: usize, whole: bool| match cut.pieces.as_slice() {
            [] => true,
            [piece] => {
                let len = self.blocks[self.outer.len() + axis][piece.block].len();
                matches!(*piece.runs.as_slice(), [(_, _, run)] if !whole || run == len)
            }
            _ => false,
        };
        let before: usize = self.outer.iter().map(|cuts| longest_window(cuts)).product();
        let plane = match &self.plane {
            PlanePlan::Separable([rows, columns]) => {
                let apart = |cuts: &[Arc<AxisCut>], lies_there: &dyn Fn(&AxisCut) -> bool| {
                    let windows = cuts.iter().filter(|cut| !lies_there(cut));
                    windows.map(|cut| cut.window).max().unwrap_or(0)
                };
                let of_rows = match whole_planes {
                    true => apart(rows, &|cut| in_one(cut, 0, false)),
                    false => 0,
                };
                let of_columns = apart(columns, &|cut| in_one(cut, 1, whole_planes));
                (of_rows * longest_window(columns)).max(longest_window(rows) * of_columns)
            }
            PlanePlan::Sparse(cuts) => {
                let lies_there = |windows: &[Arc<AxisCut>]| {
                    let last = windows.len() - 1;
                    let mut axes = windows.iter().enumerate();
                    axes.all(|(axis, cut)| in_one(cut, axis, axis == last && axis > 0))
                };
                let apart = cuts.iter().filter(|(windows, _)| !lies_there(windows));
                let cells =
                    |windows: &[Arc<AxisCut>]| windows.iter().map(|cut| cut.window).product();
                apart.map(|(windows, _)| cells(windows)).max().unwrap_or(0)
            }
        };
        before * plane
    }

    /// Cells of the rows next to a pole of a window.
    pub(super) fn ring_cells(&self) -> usize {
        let before: usize = self.outer.iter().map(|cuts| longest_window(cuts)).product();
        self.rings
            .columns
            .as_ref()
            .map_or(0, |columns| before * columns.window)
    }

    /// Cells of planes that are laid side by side while weights from cell to cell go through them, at the most.
    pub(super) fn cells_side_by_side(&self) -> usize {
        let PlanePlan::Sparse(cuts) = &self.plane else {
            return 0;
        };
        // Planes that are mixed go one by one.
        let whole = |cut: &Arc<AxisCut>| {
            let targets = 0..cut.weights.len();
            targets.filter(|&t| is_one(cut.weights.row(t))).count()
        };
        let most = |cuts: &Vec<Arc<AxisCut>>| cuts.iter().map(whole).max().unwrap_or(0);
        let group = match group_of(self.outer.iter().map(most).product()) {
            0 | 1 => return 0,
            group => group,
        };
        let cells = |(windows, cut): &(Vec<Arc<AxisCut>>, Arc<SparseCut>)| {
            let cells = windows.iter().map(|cut| cut.window).product();
            match are_few(cut.places().len(), cells) {
                true => 0,
                false => cells,
            }
        };
        group * cuts.iter().map(cells).max().unwrap_or(0)
    }

    /// Cells of the plane of a window, at the most.
    pub(super) fn plane_cells(&self) -> usize {
        match &self.plane {
            PlanePlan::Separable([rows, columns]) => longest_window(rows) * longest_window(columns),
            PlanePlan::Sparse(cuts) => {
                let cells = |(windows, _): &(Vec<Arc<AxisCut>>, _)| {
                    windows.iter().map(|cut| cut.window).product()
                };
                cuts.iter().map(cells).max().unwrap_or(0)
            }
        }
    }

    /// Whether some planes are mixed of several: at a time between two, say.
    pub(super) fn mixes(&self) -> bool {
        let mixed = |cut: &Arc<AxisCut>| {
            let rows = (0..cut.weights.len()).map(|target| cut.weights.row(target));
            rows.into_iter().any(|row| !row.is_empty() && !is_one(row))
        };
        self.outer.iter().flatten().any(mixed)
    }

    /// Bytes of the weights that chunks hold for themselves.
    pub(super) fn weights_bytes(&self) -> usize {
        // Neighbouring cuts may share theirs.
        let cuts = |cuts: &Vec<Arc<AxisCut>>| -> usize {
            cuts.chunk_by(|a, b| Arc::ptr_eq(&a.weights, &b.weights))
                .map(|alike| alike[0].weights.bytes())
                .sum()
        };
        let outer: usize = self.outer.iter().map(cuts).sum();
        let plane: usize = match &self.plane {
            PlanePlan::Separable(axes) => axes.iter().map(cuts).sum(),
            PlanePlan::Sparse(cuts) => cuts.iter().map(|(_, sparse)| sparse.bytes()).sum(),
        };
        outer + plane
    }

    /// Bytes of weights that come into memory while a chunk is made, of those that are in a file.
    pub(super) fn bytes_in_file(&self) -> usize {
        match &self.plane {
            PlanePlan::Separable(_) => 0,
            PlanePlan::Sparse(cuts) => {
                let bytes = cuts.iter().map(|(_, cut)| cut.bytes_in_file());
                bytes.max().unwrap_or(0)
            }
        }
    }

    /// Cells of the largest block.
    pub(super) fn largest_block(&self) -> usize {
        self.blocks.iter().map(|cuts| longest(cuts)).product()
    }

    /// How long blocks are at the most, along each of the variable's dimensions.
    pub(super) fn block_shape(&self) -> Vec<usize> {
        let back = self.order.back.iter();
        back.map(|&place| longest(&self.blocks[place])).collect()
    }

    /// For each dimension before the plane, how many places a target chunk has, and how long storage chunks are.
    pub(super) fn outer_chunk(&self) -> Vec<(usize, usize)> {
        let own = &self.chunk_shape[..self.order.outer];
        let stored = self.storage.iter().map(|cuts| longest(cuts).max(1));
        own.iter().copied().zip(stored).collect()
    }

    /// How many chunks there are.
    pub(super) fn count(&self) -> usize {
        self.counts().iter().product()
    }

    /// Targets of the plane of a chunk.
    pub(super) fn targets_of_plane(&self) -> usize {
        self.chunk_shape[self.order.outer..].iter().product()
    }

    /// Rows and columns of a target chunk; of a list, one row.
    pub(super) fn plane_chunk(&self) -> (usize, usize) {
        match self.chunk_shape[self.order.outer..] {
            [rows, columns] => (rows, columns),
            [.., points] => (1, points),
            [] => (1, 1),
        }
    }
}

fn longest(cuts: &[Range<usize>]) -> usize {
    cuts.iter().map(ExactSizeIterator::len).max().unwrap_or(0)
}

fn longest_window(cuts: &[Arc<AxisCut>]) -> usize {
    cuts.iter().map(|cut| cut.window).max().unwrap_or(0)
}

/// The rows next to the poles whose means some weights read.
fn pole_neighbours(latitude: &SparseWeights, rows: usize) -> Vec<usize> {
    (0..latitude.len())
        .flat_map(|t| latitude.row(t))
        .filter_map(|(row, _)| {
            if row == pole_row(rows, false) {
                Some(0)
            } else {
                (row > rows).then_some(rows - 1)
            }
        })
        .collect()
}
