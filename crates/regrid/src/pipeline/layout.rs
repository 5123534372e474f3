//! The plan of a whole field: its dimensions' plans side by side.

use std::ops::Range;
use std::sync::Arc;

use super::parts::{OpenPart, storage};
use crate::budget::Budget;
use crate::catalogue::{Role, SourceVariable};
use crate::chunk::{combinations, cuts};
use crate::kernel::Fresh;
use crate::plan::{
    AxisCut, AxisPlan, AxisSource, ChunkPlan, SparseCut, SparsePlan, block_cells,
    target_chunk_shape,
};
use crate::scheme::{PlaneWeights, pole_row};
use crate::time::ChosenTimes;
use crate::weights::SparseWeights;

/// In which order a chunk is computed: the outer dimensions first, the plane's last.
#[derive(Debug, Clone)]
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
    /// `most` are the cells of a chunk at the most, where nobody states its size.
    fn chunk_shape(
        &self,
        computed: &[usize],
        chunk: Option<(usize, usize)>,
        most: usize,
    ) -> Vec<usize> {
        let list = computed.len() == self.outer + 1;
        let mut shape = computed.to_vec();
        if list {
            shape.insert(self.outer, 1);
        }
        let mut shape = target_chunk_shape(&shape, chunk, most);
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
    pub(super) fn chunk_count(
        &self,
        computed: &[usize],
        chunk: Option<(usize, usize)>,
        most: usize,
    ) -> u64 {
        let sizes = self.chunk_shape(computed, chunk, most);
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
    outer: Vec<Vec<Arc<AxisCut>>>,
    plane: PlanePlan,
    /// The usual shape of a target chunk, in the order in which it is computed.
    pub(super) chunk_shape: Vec<usize>,
    /// Storage chunks along each dimension, to count what is read.
    storage: Vec<Vec<Range<usize>>>,
    /// The source's own columns, all of them: what a pole row is the mean of.
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The plan of the plane.
enum PlanePlan {
    /// Any cut of the rows with any of the columns.
    Separable([Vec<Arc<AxisCut>>; 2]),
    /// Cuts of the target plane, each with its own window.
    Sparse(Vec<(Vec<Arc<AxisCut>>, Arc<SparseCut>)>),
}

impl Plan {
    /// Plans a variable onto targets of a shape (in the order of the result's dimensions), in chunks of a stated size.
    ///
    /// Its blocks hold what `also` reads of the plane too, so that the plan of either has the same blocks.
    pub(super) fn new(
        variable: &SourceVariable,
        order: Order,
        parts: &[OpenPart],
        (weights, also): (&PlaneWeights, Option<&PlaneWeights>),
        times: Option<&ChosenTimes>,
        target: &[usize],
        (chunk, budget, cell_bytes): (Option<(usize, usize)>, Budget, usize),
    ) -> Self {
        let most = budget.chunk_cells(cell_bytes);
        let outer = order.outer;
        let source_shape: Vec<usize> = order
            .source
            .iter()
            .map(|&d| variable.dimensions[d].len)
            .collect();
        let target_shape = order.computed(target);
        let chunk_shape = order.chunk_shape(&target_shape, chunk, most);
        let target_cuts: Vec<Vec<Range<usize>>> = target_shape
            .iter()
            .zip(&chunk_shape)
            .map(|(&len, &size)| cuts(len, size))
            .collect();
        let storage: Vec<Vec<Range<usize>>> = order
            .source
            .iter()
            .enumerate()
            .map(|(axis, &d)| {
                let plane = (axis >= outer)
                    .then(|| usize::from(variable.dimensions[d].role == Role::Longitude));
                storage(variable, parts, d, plane)
            })
            .collect();
        let usual: Vec<usize> = storage
            .iter()
            .map(|cuts| cuts.first().map_or(1, ExactSizeIterator::len))
            .collect();
        let stored_bytes = variable.meta.data_type.size();
        let most = block_cells(&source_shape, &usual, stored_bytes, budget.block_bytes());
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
                PlanePlan::Separable([
                    axis(0, &weights.latitude, &poles),
                    axis(1, &weights.longitude, &all_columns),
                ])
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
            columns,
            rows,
        }
    }

    /// The number of cuts along each dimension of the result, as computed; those of a sparse plane count as one dimension.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.outer.iter().map(Vec::len).collect();
        match &self.plane {
            PlanePlan::Separable(axes) => counts.extend(axes.iter().map(Vec::len)),
            PlanePlan::Sparse(cuts) => counts.push(cuts.len()),
        }
        counts
    }

    /// The plan of one chunk, by its index among the [`counts`](Self::counts).
    pub(super) fn chunk(&self, index: &[usize]) -> ChunkPlan {
        let (outer, plane) = index.split_at(self.outer.len());
        let mut cuts: Vec<Arc<AxisCut>> = outer
            .iter()
            .zip(&self.outer)
            .map(|(&i, cuts)| cuts[i].clone())
            .collect();
        let sparse = match &self.plane {
            PlanePlan::Separable([rows, columns]) => {
                cuts.extend([rows[plane[0]].clone(), columns[plane[1]].clone()]);
                None
            }
            PlanePlan::Sparse(all) => {
                let (windows, sparse) = &all[plane[0]];
                cuts.extend(windows.iter().cloned());
                Some(sparse.clone())
            }
        };
        ChunkPlan {
            plane_dimensions: self.order.source.len() - self.outer.len(),
            cuts,
            sparse,
        }
    }

    /// For each chunk of the plane, which cells of its window no chunk before it reaches.
    pub(super) fn fresh(&self) -> FreshCells {
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
                            rows[place / width] * ends[1] + columns[place % width]
                        }
                        _ => unreachable!("a plane has one or two dimensions"),
                    };
                    Arc::new(first_time(used, cell, &mut seen))
                });
                FreshCells::Sparse(fresh.collect())
            }
        }
    }

    /// All chunks by their index, those that read the same blocks one after another: along the dimensions before the plane,
    /// cuts with one first block go together, part of the plane by part of the plane.
    pub(super) fn indices(&self) -> impl Iterator<Item = Vec<usize>> + use<> {
        let groups: Vec<Vec<Range<usize>>> = self.outer.iter().map(|cuts| alike(cuts)).collect();
        let plane = self.counts().split_off(self.outer.len());
        let counts: Vec<usize> = groups.iter().map(Vec::len).collect();
        combinations(&counts).flat_map(move |at| {
            let group: Vec<Range<usize>> = at
                .iter()
                .zip(&groups)
                .map(|(&i, groups)| groups[i].clone())
                .collect();
            combinations(&plane).flat_map(move |plane| {
                let group = group.clone();
                let lengths: Vec<usize> = group.iter().map(ExactSizeIterator::len).collect();
                combinations(&lengths).map(move |within| {
                    let outer = within.iter().zip(&group).map(|(i, range)| range.start + i);
                    outer.chain(plane.iter().copied()).collect()
                })
            })
        })
    }

    /// Cells of the blocks that neighbouring chunks, as [`indices`](Self::indices) has them, read together; at the most.
    pub(super) fn band_cells(&self) -> usize {
        let cells = |cut: &AxisCut, axis: usize| -> usize {
            let blocks = cut
                .pieces
                .iter()
                .map(|piece| self.blocks[axis][piece.block].len());
            blocks.sum()
        };
        let most = |cuts: &[Arc<AxisCut>], axis: usize| {
            cuts.iter().map(|cut| cells(cut, axis)).max().unwrap_or(0)
        };
        let outer = self.outer.len();
        let before: usize = self
            .outer
            .iter()
            .enumerate()
            .map(|(axis, cuts)| most(cuts, axis))
            .product();
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
        before * plane
    }

    /// Bytes of the weights that chunks hold for themselves.
    pub(super) fn weights_bytes(&self) -> usize {
        let cut = |cut: &Arc<AxisCut>| cut.weights.bytes();
        let outer: usize = self.outer.iter().flatten().map(cut).sum();
        let plane: usize = match &self.plane {
            PlanePlan::Separable(axes) => axes.iter().flatten().map(cut).sum(),
            PlanePlan::Sparse(cuts) => cuts.iter().map(|(_, sparse)| sparse.bytes()).sum(),
        };
        outer + plane
    }

    /// Cells of the largest block, and of the largest storage chunk.
    pub(super) fn largest(&self) -> [usize; 2] {
        [&self.blocks, &self.storage].map(|cuts| {
            let longest = |cuts: &Vec<Range<usize>>| cuts.iter().map(ExactSizeIterator::len).max();
            cuts.iter().map(|cuts| longest(cuts).unwrap_or(0)).product()
        })
    }

    /// Rows and columns of a target chunk; of a list, one row.
    pub(super) fn plane_chunk(&self) -> (usize, usize) {
        match self.chunk_shape[self.order.outer..] {
            [rows, columns] => (rows, columns),
            [.., points] => (1, points),
            [] => (1, 1),
        }
    }

    /// All columns of a source row, at the outer cuts of a chunk.
    pub(super) fn ring(&self, chunk: &ChunkPlan, row: usize) -> ChunkPlan {
        let columns: Vec<usize> = (0..self.columns).collect();
        let outer = self.outer.len();
        let mut cuts = chunk.outer().to_vec();
        cuts.push(Arc::new(AxisCut::window_of(&[row], &self.blocks[outer])));
        cuts.push(Arc::new(AxisCut::window_of(
            &columns,
            &self.blocks[outer + 1],
        )));
        ChunkPlan {
            cuts,
            sparse: None,
            plane_dimensions: 2,
        }
    }

    /// How many storage chunks a block covers.
    pub(super) fn storage_chunks(&self, block: &[Range<usize>]) -> usize {
        let within = |(range, chunks): (&Range<usize>, &Vec<Range<usize>>)| {
            chunks.partition_point(|c| c.start < range.end)
                - chunks.partition_point(|c| c.end <= range.start)
        };
        block.iter().zip(&self.storage).map(within).product()
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

/// Runs of neighbouring cuts that read the same first block.
fn alike(cuts: &[Arc<AxisCut>]) -> Vec<Range<usize>> {
    let first = |cut: &AxisCut| cut.pieces.first().map(|piece| piece.block);
    let mut start = 0;
    cuts.chunk_by(|a, b| first(a).is_some() && first(a) == first(b))
        .map(|run| {
            start += run.len();
            start - run.len()..start
        })
        .collect()
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
