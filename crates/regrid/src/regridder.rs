//! Arrays in memory from one grid to another, with weights that are made once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use parking_lot::Mutex;

use crate::chunk::cuts;
use crate::error::Error;
use crate::grid::Grid;
use crate::kernel::{Block, Float, PLANES, PoleMeans, Rule, as_they_are, floats};
use crate::plan::{AxisCut, AxisPlan, AxisSource, ChunkPlan, SparsePlan};
use crate::scheme::{Compat, Edges, Fill, Method, PlaneWeights};

/// A floating-point type whose arrays can be regridded: `f32` and `f64`.
#[expect(private_bounds, reason = "so that no other type can be one")]
pub trait RegridFloat: Float + PartialOrd {}
impl RegridFloat for f32 {}
impl RegridFloat for f64 {}

/// Regrids arrays in memory: the weights are prepared once, and applied to as many planes as there are.
///
/// What files hold is a [`Request`](crate::Request)'s business, which reads only what it needs.
/// - Missing data: NaN.
///
/// ```
/// use regrid::{Grid, Method, Regridder};
///
/// let (source, target) = (Grid::named("2")?, Grid::named("r36x18")?);
/// let regridder = Regridder::new(&source, &target, Method::AreaWeighted)?;
/// let field = ndarray::ArrayD::from_elem(ndarray::IxDyn(&[5, 90, 180]), 280.0_f32); // time, latitude, longitude
/// let coarse = regridder.apply(field.view())?;
/// assert_eq!(coarse.shape(), [5, 18, 36]);
/// assert!(coarse.iter().all(|&x| x == 280.0));
/// # Ok::<(), regrid::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Regridder {
    /// The target's rows in pieces, each with what it reads of a plane.
    pieces: Vec<ChunkPlan>,
    source: Vec<usize>,
    target: Vec<usize>,
    /// The source's columns without a last one that is the first again.
    distinct: usize,
    method: Method,
    min_valid: f64,
    /// Whether any of the weights is negative.
    signed: bool,
    threads: usize,
}

/// Target cells of one piece of a plane: enough to be worth a thread's while, few enough to go round.
const PIECE_CELLS: usize = 1 << 16;
/// The same where weights go from cell to cell: the window of a piece is a box around what it reads, of a mesh that lies
/// aslant much more than that.
const SPARSE_PIECE_CELLS: usize = 1 << 18;

/// One piece of some planes: the planes, the piece, where it goes in each.
type Job<'a, T> = (&'a [T], &'a ChunkPlan, Mutex<Vec<&'a mut [T]>>);

impl Regridder {
    /// Prepares the weights of a method between two grids, with the [edges](Edges) as they are by default.
    ///
    /// # Errors
    /// As [`Regridder::with_edges`].
    pub fn new(source: &Grid, target: &Grid, method: Method) -> Result<Self, Error> {
        Self::with_edges(source, target, method, Edges::default(), None)
    }

    /// Prepares the weights of a method between two grids.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] or [`Error::PointOutside`] if a target lies outside and that is to be refused;
    /// [`Error::Combination`] if the method has no meaning between such grids.
    pub fn with_edges(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
        fill: Option<Fill>,
    ) -> Result<Self, Error> {
        let weights = PlaneWeights::new(source, target, method, edges, fill)?;
        let min_valid = method.default_min_valid();
        Ok(Self::of(source, target, (method, min_valid), &weights))
    }

    /// Prepares the weights of a method as another tool masks its results and treats its edges, as
    /// [`Request::compat`](crate::Request::compat) does.
    ///
    /// The tool's rule for a share of valid cells, where one is to be kept to, is part of that: it is stated here, and not
    /// by [`min_valid`](Self::min_valid) afterwards.
    ///
    /// # Errors
    /// [`Error::CompatMethod`] for a method that the tool does not have, [`Error::MinValid`] for a share beyond 0 and 1, and
    /// as [`Regridder::with_edges`].
    pub fn compatible(
        source: &Grid,
        target: &Grid,
        method: Method,
        compat: Compat,
        min_valid: Option<f64>,
    ) -> Result<Self, Error> {
        compat.check(method)?;
        if let Some(share) = min_valid.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(Error::MinValid { share });
        }
        let how = (method, compat.edges(method), None);
        let weights = compat.weights(source, target, how, min_valid.is_some())?;
        let min_valid = compat.min_valid(method, min_valid);
        Ok(Self::of(source, target, (method, min_valid), &weights))
    }

    fn of(
        source: &Grid,
        target: &Grid,
        (method, min_valid): (Method, f64),
        weights: &PlaneWeights,
    ) -> Self {
        let shape = |grid: &Grid| match grid.shape() {
            (_, points) if grid.is_list() => vec![points],
            (rows, columns) => vec![rows, columns],
        };
        let distinct = source
            .axes()
            .map_or(source.shape().1, |(_, x)| x.distinct());
        let (source, target) = (shape(source), shape(target));
        Self {
            distinct,
            pieces: pieces(weights, &source, &target),
            signed: weights.any_negative(),
            source,
            target,
            method,
            min_valid,
            threads: 1,
        }
    }

    /// The share of a target that must come from valid source cells, from 0 to 1, as in
    /// [`Request::min_valid`](crate::Request::min_valid).
    ///
    /// # Errors
    /// [`Error::MinValid`] for any other number.
    pub fn min_valid(mut self, share: f64) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::MinValid { share });
        }
        self.min_valid = share;
        Ok(self)
    }

    /// Threads that share the work; one if nothing else is said. The result is the same.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The shape of the source's plane: rows and columns, or the length of a list of points.
    pub fn source_shape(&self) -> &[usize] {
        &self.source
    }

    /// The shape of the target's plane.
    pub fn target_shape(&self) -> &[usize] {
        &self.target
    }

    /// Regrids an array whose last dimensions are the source's plane.
    ///
    /// - Shape: that of the array, with the target's plane in the place of the source's.
    ///
    /// # Errors
    /// [`Error::Shape`] if the last dimensions are not the source's.
    pub fn apply<T: RegridFloat>(&self, source: ArrayViewD<'_, T>) -> Result<ArrayD<T>, Error> {
        let shape = source.shape();
        let outer = shape
            .len()
            .checked_sub(self.source.len())
            .filter(|&outer| shape[outer..] == self.source)
            .ok_or_else(|| Error::Shape {
                got: shape.to_vec(),
                expected: self.source.clone(),
            })?;
        let planes: usize = shape[..outer].iter().product();
        let mut result_shape = shape[..outer].to_vec();
        result_shape.extend(&self.target);
        let mut result = vec![T::default(); planes * self.target.iter().product::<usize>()];
        let source = source.as_standard_layout();
        let cells = source.as_slice().expect("the layout is standard");
        self.apply_to(cells, &mut result)?;
        Ok(
            ArrayD::from_shape_vec(IxDyn(&result_shape), result)
                .expect("as many as the shape says"),
        )
    }

    /// Regrids planes that follow each other, row by row, into an array that is there already.
    ///
    /// # Errors
    /// [`Error::Shape`] if either does not hold whole planes, as many as the other.
    pub fn apply_to<T: RegridFloat>(&self, source: &[T], target: &mut [T]) -> Result<(), Error> {
        let (from, to): (usize, usize) =
            (self.source.iter().product(), self.target.iter().product());
        let planes = source.len() / from;
        if source.len() != planes * from || target.len() != planes * to {
            return Err(Error::Shape {
                got: vec![source.len(), target.len()],
                expected: vec![planes * from, planes * to],
            });
        }
        let rule = self.method.rule(self.min_valid).by(|| self.signed);
        // Weights from cell to cell are gone through once for several planes.
        let most = match self.pieces.iter().any(|piece| piece.sparse.is_some()) {
            true => planes.div_ceil(self.threads).clamp(1, PLANES),
            false => 1,
        };
        let mut work: Vec<Job<'_, T>> = Vec::new();
        for (source, target) in source
            .chunks(most * from)
            .zip(target.chunks_mut((most * to).max(1)))
        {
            let mut planes: Vec<&mut [T]> = target.chunks_exact_mut(to.max(1)).collect();
            for piece in &self.pieces {
                let own = planes.iter_mut().map(|plane| {
                    let (own, rest) = std::mem::take(plane).split_at_mut(piece.cells());
                    *plane = rest;
                    own
                });
                let own = Mutex::new(own.collect());
                work.push((source, piece, own));
            }
        }
        let next = AtomicUsize::new(0);
        let run = || {
            while let Some((source, piece, target)) = work.get(next.fetch_add(1, Ordering::Relaxed))
            {
                self.piece(source, piece, rule, std::mem::take(&mut target.lock()));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(work.len()) {
                scope.spawn(run);
            }
            run();
        });
        Ok(())
    }

    /// One piece of some planes.
    fn piece<T: RegridFloat>(
        &self,
        source: &[T],
        piece: &ChunkPlan,
        rule: Rule,
        target: Vec<&mut [T]>,
    ) {
        let plan = piece.of_planes(target.len());
        let mut shape = vec![target.len()];
        shape.extend(&self.source);
        let block = Block {
            cells: source,
            shape: &shape,
        };
        let blocks: Vec<Block<'_, T>> = plan.blocks().map(|_| block).collect();
        if rule == Rule::Pick {
            as_they_are(&plan, &blocks, rule, T::MISSING, target);
            return;
        }
        let mut poles = Vec::new();
        if plan.sparse.is_none() {
            let columns = self.source[1];
            let ends = [0, self.source[0] - 1];
            for (row, _) in ends
                .iter()
                .zip(plan.axes().0.poles)
                .filter(|(_, pole)| pole.is_some())
            {
                let planes = source.chunks_exact(self.source.iter().product());
                let rows = planes.map(|plane| &plane[row * columns..][..self.distinct]);
                poles.push(PoleMeans::of(&rows.collect::<Vec<_>>()));
            }
        }
        let poles: Vec<&PoleMeans> = poles.iter().collect();
        floats(&plan, &blocks, &poles, rule, target);
    }
}

/// The target's rows in pieces; of a list its points.
fn pieces(weights: &PlaneWeights, source: &[usize], target: &[usize]) -> Vec<ChunkPlan> {
    let whole: Vec<Vec<Range<usize>>> = source.iter().map(|&n| cuts(n, n.max(1))).collect();
    let axis = |axis: usize| AxisSource {
        storage: &whole[axis],
        block_cells: source[axis],
        side_by_side: axis == 1,
        ..AxisSource::default()
    };
    let mut target_cuts: Vec<Vec<Range<usize>>> =
        target.iter().map(|&n| cuts(n, n.max(1))).collect();
    let width: usize = target[1..].iter().product();
    let cells = match weights {
        PlaneWeights::Separable(_) => PIECE_CELLS,
        PlaneWeights::Sparse(..) => SPARSE_PIECE_CELLS,
    };
    target_cuts[0] = cuts(target[0], (cells / width.max(1)).max(1));
    let plan = |cuts: Vec<Arc<AxisCut>>, sparse| ChunkPlan {
        cuts,
        sparse,
        plane_dimensions: source.len(),
    };
    match weights {
        PlaneWeights::Separable(weights) => {
            let columns = AxisPlan::new(&weights.longitude, &target_cuts[1], &axis(1)).cuts;
            let columns: Vec<Arc<AxisCut>> = columns.into_iter().map(Arc::new).collect();
            AxisPlan::new(&weights.latitude, &target_cuts[0], &axis(0))
                .cuts
                .into_iter()
                .map(|rows| plan(vec![Arc::new(rows), columns[0].clone()], None))
                .collect()
        }
        PlaneWeights::Sparse(weights, corrections) => {
            let sources: Vec<AxisSource<'_>> = (0..source.len()).map(axis).collect();
            SparsePlan::new(
                (weights, corrections.as_ref()),
                None,
                target,
                &target_cuts,
                &sources,
            )
            .cuts
            .into_iter()
            .map(|(windows, sparse)| plan(windows, Some(sparse)))
            .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plane_is_regridded_whatever_the_threads() {
        let (source, target) = (Grid::named("3").unwrap(), Grid::named("r500x300").unwrap());
        let field: Vec<f64> = (0..4 * 60 * 120).map(|i| f64::from(i % 977)).collect();
        let field = ArrayD::from_shape_vec(IxDyn(&[2, 2, 60, 120]), field).unwrap();
        for method in [
            Method::Linear,
            Method::Nearest,
            Method::AreaWeighted,
            Method::InverseDistance,
        ] {
            let regridder = Regridder::new(&source, &target, method).unwrap();
            let one = regridder.apply(field.view()).unwrap();
            let three = regridder.clone().threads(3).apply(field.view()).unwrap();
            assert_eq!(one.shape(), [2, 2, 300, 500]);
            assert_eq!(one, three);
            assert!(one.iter().all(|x| (0.0..977.0).contains(x)), "{method:?}");
        }
    }

    #[test]
    fn planes_side_by_side_are_as_each_alone() {
        const PLANES: usize = 15;
        let source = Grid::named("6").unwrap();
        let corners = |grid: &Grid| {
            let all = grid.centres().into_iter().map(|(lat, lon)| {
                let (south, north) = (lat - 3.0, lat + 3.0);
                let (west, east) = (lon - 3.0, lon + 3.0);
                [(south, west), (south, east), (north, east), (north, west)]
            });
            all.flatten().unzip()
        };
        let (latitudes, longitudes) = source.centres().into_iter().unzip();
        let source =
            Grid::curvilinear((30, 60), latitudes, longitudes, Some(corners(&source))).unwrap();
        let target = Grid::named("r50x25").unwrap();
        // A cell of ten is missing, others in each plane.
        let field = (0..PLANES * 1800).map(|i| match (i * 7919) % 1009 {
            x if x < 100 => f32::NAN,
            x => x as f32 / 7.0,
        });
        let field = ArrayD::from_shape_vec(IxDyn(&[PLANES, 30, 60]), field.collect()).unwrap();
        for method in [
            Method::Linear,
            Method::Nearest,
            Method::InverseDistance,
            Method::AreaWeighted,
            Method::SecondOrderConservative,
        ] {
            let regridder = Regridder::new(&source, &target, method).unwrap();
            for share in [0.0, 0.6, 1.0] {
                let regridder = regridder.clone().min_valid(share).unwrap();
                let together = regridder.apply(field.view()).unwrap();
                assert_eq!(together.len(), PLANES * 1250);
                for (alone, plane) in field.outer_iter().zip(together.outer_iter()) {
                    let alone = regridder.apply(alone).unwrap();
                    let bits = |x: &f32| x.to_bits();
                    assert!(
                        alone.iter().map(bits).eq(plane.iter().map(bits)),
                        "{method:?}, {share}"
                    );
                }
            }
        }
    }

    #[test]
    fn lists_of_points_come_and_go() {
        let points = Grid::points(vec![0.0, 45.0, -80.0], vec![10.0, 20.0, 359.0]).unwrap();
        let globe = Grid::named("5").unwrap();
        let to = Regridder::new(&globe, &points, Method::Linear).unwrap();
        let ones = ArrayD::from_elem(IxDyn(&[36, 72]), 1.0_f32);
        assert_eq!(
            to.apply(ones.view()).unwrap(),
            ArrayD::from_elem(IxDyn(&[3]), 1.0)
        );
        let from = Regridder::new(&points, &globe, Method::Nearest).unwrap();
        let values = ArrayD::from_shape_vec(IxDyn(&[3]), vec![1.0_f32, 2.0, 3.0]).unwrap();
        let near = from.apply(values.view()).unwrap();
        assert_eq!((near[[0, 0]], near[[20, 2]]), (3.0, 1.0));
    }

    #[test]
    fn other_shapes_are_refused() {
        let grid = Grid::named("5").unwrap();
        let regridder = Regridder::new(&grid, &grid, Method::Linear).unwrap();
        let wrong = ArrayD::from_elem(IxDyn(&[72, 36]), 1.0_f32);
        assert!(matches!(
            regridder.apply(wrong.view()),
            Err(Error::Shape { .. })
        ));
        assert!(regridder.min_valid(1.5).is_err());
    }
}
