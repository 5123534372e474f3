//! A plane whose weights go from cell to cell: the windows of its cuts, and the weights within them.

use std::ops::Range;
use std::sync::Arc;

use super::axis::group;
use super::{AxisCut, AxisSource};
use crate::chunk::combinations;
use crate::weights::{Corrections, Opened, Row, SparseWeights, Terms};

/// A piece of a target plane whose weights go from cell to cell.
#[derive(Debug, Clone)]
pub(crate) struct SparseCut {
    /// The target indices along each of the target plane's dimensions.
    pub(crate) targets: Vec<Range<usize>>,
    /// Columns of the whole target plane.
    width: usize,
    /// The weights of the whole plane, of which a million take as much memory as all else: every cut of every variable on the
    /// grid shares them.
    weights: Arc<SparseWeights>,
    /// Where each entry of the targets' rows, in order, has its source in the plane of the window, counted row by row.
    places: Vec<u32>,
    /// What slopes add to each entry of the weights, if anything, and where in the window their sources are.
    slopes: Option<(Arc<Corrections>, Places)>,
    /// Which combinations of the plane's pieces hold a cell that is needed.
    pub(crate) reached: Vec<bool>,
}

/// Where the cells of a plane are in the plane of a window, which holds whole rows and columns.
#[derive(Debug, Clone)]
struct Places {
    /// Columns of the whole plane; a list of points is one row.
    columns: u32,
    /// 2^64 divided by them, rounded up: a product in the place of a division, which would take most of the time of a slope.
    reciprocal: u64,
    held: Held,
}

/// Which rows and columns of a plane a window holds.
#[derive(Debug, Clone)]
enum Held {
    /// All between the first and the last of them: how many cells would come before it if rows were as long as its own, and how many
    /// of each row are not in it.
    Stretch { before: u32, beside: u32 },
    /// Where the window's row of each row of the plane starts, and where in it each column is.
    Listed {
        of_row: Vec<u32>,
        of_column: Vec<u32>,
    },
}

impl Held {
    fn new(columns: usize, [rows_held, columns_held]: [&[usize]; 2], width: usize) -> Self {
        let follow_each_other = |held: &[usize]| held.windows(2).all(|two| two[0] + 1 == two[1]);
        if let ([row, ..], [column, ..]) = (rows_held, columns_held)
            && follow_each_other(rows_held)
            && follow_each_other(columns_held)
        {
            return Self::Stretch {
                before: number(row * width + column),
                beside: number(columns - width),
            };
        }
        let places = |held: &[usize], step: usize| {
            let mut places = vec![0; held.last().map_or(0, |last| last + 1)];
            for (place, &at) in held.iter().enumerate() {
                places[at] = number(place * step);
            }
            places
        };
        Self::Listed {
            of_row: places(rows_held, width),
            of_column: places(columns_held, 1),
        }
    }

    /// Bytes of memory beside its own.
    fn bytes(&self) -> usize {
        match self {
            Self::Stretch { .. } => 0,
            Self::Listed { of_row, of_column } => {
                size_of_val(&of_row[..]) + size_of_val(&of_column[..])
            }
        }
    }
}

impl Places {
    /// The places in a window of the rows and columns that `needed` lists.
    fn new(columns: usize, needed: &[Vec<usize>], window_columns: usize) -> Self {
        let held = match needed {
            [points] => [&[0], &points[..]],
            [rows, columns] => [&rows[..], &columns[..]],
            _ => unreachable!("a plane has one or two dimensions"),
        };
        Self {
            columns: number(columns),
            reciprocal: (u64::MAX / (columns as u64).max(1)).wrapping_add(1),
            held: Held::new(columns, held, window_columns),
        }
    }

    #[inline(always)]
    fn row(&self, cell: u32) -> u32 {
        match self.columns {
            1 => cell,
            // Exact for numbers of 32 bits: Lemire, Kaser and Kurz (2019), Softw. Pract. Exp. 49, 953-970.
            _ => ((u128::from(cell) * u128::from(self.reciprocal)) >> 64) as u32,
        }
    }

    #[inline(always)]
    fn of(&self, cell: u32) -> u32 {
        match &self.held {
            Held::Stretch { before, beside: 0 } => cell - before,
            Held::Stretch { before, beside } => cell - self.row(cell) * beside - before,
            Held::Listed { of_row, of_column } => {
                let row = self.row(cell);
                let column = cell - row * self.columns;
                of_row[row as usize] + of_column[column as usize]
            }
        }
    }
}

/// A number of cells of a window or a plane, in half the memory.
fn number(of: usize) -> u32 {
    u32::try_from(of)
        .expect("planes that weights go through cell by cell have fewer than 2^32 cells")
}

/// What a target is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutRow<'a> {
    /// Where the sources are in the plane of the window.
    pub(crate) places: &'a [u32],
    /// Source cells of the whole plane and weights.
    row: Row<'a>,
    /// The first of its entries among all.
    first: usize,
    /// The covered part of the target.
    pub(crate) covered: f64,
}

/// What slopes add to the entries of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slopes<'a> {
    all: Opened<'a>,
    places: &'a Places,
}

impl Slopes<'_> {
    /// What they add to an entry of such a number and source: terms, whose sources have a [place](Self::place).
    // Always: it becomes part of loops that are compiled for several processors.
    #[inline(always)]
    pub(crate) fn terms(&self, entry: usize, source: u32) -> Terms<'_> {
        self.all.terms(entry, source)
    }

    /// Where a source is in the plane of the window.
    #[inline(always)]
    pub(crate) fn place(&self, source: u32) -> usize {
        self.places.of(source) as usize
    }
}

impl<'a> CutRow<'a> {
    /// Places in the plane of the window, and weights.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let both = self.places.iter().zip(self.row.weights());
        both.map(|(&place, &weight)| (place as usize, weight))
    }

    /// The same, and of each entry its number among all, its source in the whole plane, and its weight.
    #[inline]
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, usize, (u32, f64))> + use<'a> {
        let own = self.row.sources().iter().zip(self.row.weights());
        let numbered = self.places.iter().zip(self.first..).zip(own);
        numbered.map(|((&at, entry), (&source, &weight))| (at as usize, entry, (source, weight)))
    }
}

/// A plane, planned.
#[derive(Debug, Clone)]
pub(crate) struct SparsePlan {
    /// The read blocks along each of the source plane's dimensions.
    pub(crate) blocks: Vec<Vec<Range<usize>>>,
    /// The windows along these dimensions, and the weights, of every combination of the target's cuts, the last dimension
    /// fastest.
    pub(crate) cuts: Vec<(Vec<Arc<AxisCut>>, Arc<SparseCut>)>,
}

impl SparsePlan {
    /// Plans a plane; `target` is the shape of the target's, whose cells `weights` counts row by row. The blocks hold what
    /// `also` reads too.
    pub(crate) fn new(
        (weights, slopes): (&Arc<SparseWeights>, Option<&Arc<Corrections>>),
        also: Option<(&SparseWeights, Option<&Corrections>)>,
        target: &[usize],
        target_cuts: &[Vec<Range<usize>>],
        sources: &[AxisSource<'_>],
    ) -> Self {
        let shape: Vec<usize> = sources
            .iter()
            .map(|source| source.storage.last().map_or(0, |chunk| chunk.end))
            .collect();
        let columns = *shape.last().expect("a plane has a dimension");
        // Where a cell lies along each dimension of the plane; a list has no rows.
        let place = |cell: usize| match sources.len() {
            1 => [cell, 0],
            _ => [cell / columns, cell % columns],
        };
        let width = *target.last().expect("a plane has a dimension");
        let mut reached = Reached::new(sources);
        let counts: Vec<usize> = target_cuts.iter().map(Vec::len).collect();
        let mut needs = Vec::new();
        let mut met: Vec<Vec<bool>> = shape.iter().map(|&len| vec![false; len]).collect();
        for index in combinations(&counts) {
            let cuts: Vec<Range<usize>> = index
                .iter()
                .zip(target_cuts)
                .map(|(&i, cuts)| cuts[i].clone())
                .collect();
            met.iter_mut().for_each(|met| met.fill(false));
            let mut meet = |cell: usize| {
                let place = place(cell);
                reached.mark(place);
                met.iter_mut()
                    .zip(place)
                    .for_each(|(met, at)| met[at] = true);
            };
            for t in flat(&cuts, width) {
                let row = weights.row(t);
                row.iter().for_each(|(cell, _)| meet(cell));
                if let Some(slopes) = slopes {
                    slopes.for_each_of_row(weights.entries(t).start, row, |cell, _| meet(cell));
                }
            }
            let met = met.iter().map(|met| (0..met.len()).filter(|&at| met[at]));
            weights.rest();
            slopes.iter().for_each(|slopes| slopes.rest());
            needs.push((
                cuts,
                met.map(Iterator::collect).collect::<Vec<Vec<usize>>>(),
            ));
        }
        if let Some((weights, slopes)) = also {
            for t in 0..weights.len() {
                let row = weights.row(t);
                row.iter().for_each(|(cell, _)| reached.mark(place(cell)));
                if let Some(slopes) = slopes {
                    let first = weights.entries(t).start;
                    slopes.for_each_of_row(first, row, |cell, _| reached.mark(place(cell)));
                }
            }
            weights.rest();
            slopes.iter().for_each(|slopes| slopes.rest());
        }
        let blocks: Vec<Vec<Range<usize>>> = sources
            .iter()
            .enumerate()
            .map(|(axis, source)| {
                let classes = reached.classes(axis);
                group(source.storage, &classes, source.block_cells, source.ends)
            })
            .collect();
        let cuts = needs
            .into_iter()
            .map(|(cuts, needed)| {
                let windows: Vec<Arc<AxisCut>> = needed
                    .iter()
                    .zip(&blocks)
                    .map(|(needed, blocks)| Arc::new(AxisCut::window_of(needed, blocks)))
                    .collect();
                let cut =
                    SparseCut::new(weights, slopes, (cuts, width), &needed, &windows, columns);
                cut.rest();
                (windows, Arc::new(cut))
            })
            .collect();
        Self { blocks, cuts }
    }
}

/// The cells of a cut of a plane of such width, or of a list, in runs of cells that follow each other.
fn runs(cuts: &[Range<usize>], width: usize) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
    let (rows, columns) = match cuts {
        [points] => (0..1, points.clone()),
        [rows, columns] => (rows.clone(), columns.clone()),
        _ => unreachable!("a plane has one or two dimensions"),
    };
    rows.map(move |row| columns.start + row * width..columns.end + row * width)
}

/// The same cells, one by one.
fn flat(cuts: &[Range<usize>], width: usize) -> impl Iterator<Item = usize> + use<> {
    runs(cuts, width).flatten()
}

/// Which storage chunks of a plane hold a cell that is needed.
struct Reached {
    /// The storage chunk of each cell, along each dimension.
    chunk_of: Vec<Vec<usize>>,
    /// How many there are of them; a list has one column of them.
    counts: [usize; 2],
    /// By the numbers of a chunk, row by row.
    reached: Vec<bool>,
}

impl Reached {
    fn new(sources: &[AxisSource<'_>]) -> Self {
        let chunk_of = |source: &AxisSource<'_>| {
            let chunks = source.storage.iter().enumerate();
            chunks
                .flat_map(|(number, chunk)| chunk.clone().map(move |_| number))
                .collect()
        };
        let count = |axis: usize| sources.get(axis).map_or(1, |source| source.storage.len());
        let counts = [count(0), count(1)];
        Self {
            chunk_of: sources.iter().map(chunk_of).collect(),
            counts,
            reached: vec![false; counts[0] * counts[1]],
        }
    }

    fn mark(&mut self, [row, column]: [usize; 2]) {
        let column = self.chunk_of.get(1).map_or(0, |chunk_of| chunk_of[column]);
        self.reached[self.chunk_of[0][row] * self.counts[1] + column] = true;
    }

    /// A number for each storage chunk along a dimension; neighbours have the same one if the same of them are needed along
    /// the other dimension, so that blocks of them hold none that is not.
    fn classes(&self, axis: usize) -> Vec<Option<usize>> {
        let [rows, columns] = self.counts;
        let along = |at: usize| -> Vec<bool> {
            match axis {
                0 => self.reached[at * columns..(at + 1) * columns].to_vec(),
                _ => (0..rows)
                    .map(|row| self.reached[row * columns + at])
                    .collect(),
            }
        };
        let mut number = 0;
        let mut last = Vec::new();
        (0..self.counts[axis])
            .map(|at| {
                let pattern = along(at);
                let needed = pattern.contains(&true);
                if pattern != last {
                    number = at;
                    last = pattern;
                }
                needed.then_some(number)
            })
            .collect()
    }
}

impl SparseCut {
    fn new(
        weights: &Arc<SparseWeights>,
        slopes: Option<&Arc<Corrections>>,
        (targets, width): (Vec<Range<usize>>, usize),
        needed: &[Vec<usize>],
        windows: &[Arc<AxisCut>],
        plane_columns: usize,
    ) -> Self {
        // The piece of each needed row or column, by its place in the window.
        let piece_of: Vec<Vec<usize>> = windows
            .iter()
            .map(|window| {
                let mut pieces = vec![0; window.window];
                for (p, piece) in window.pieces.iter().enumerate() {
                    for &(_, start, len) in &piece.runs {
                        pieces[start..start + len].fill(p);
                    }
                }
                pieces
            })
            .collect();
        let combined: usize = windows.iter().map(|window| window.pieces.len()).product();
        let mut reached = vec![false; combined];
        let columns = windows.last().map_or(0, |window| window.window);
        let places_of = Places::new(plane_columns, needed, columns);
        let mut locate = |cell: u32| {
            let at = places_of.of(cell);
            let place = at as usize;
            let piece = match &piece_of[..] {
                [pieces] => pieces[place],
                _ => {
                    let [row, column] = [place / columns, place % columns];
                    piece_of[0][row] * windows[1].pieces.len() + piece_of[1][column]
                }
            };
            reached[piece] = true;
            at
        };
        let all = || flat(&targets, width);
        let mut places = Vec::with_capacity(all().map(|t| weights.row(t).len()).sum());
        for t in all() {
            places.extend(weights.row(t).sources().iter().map(|&cell| locate(cell)));
        }
        if let Some(slopes) = slopes {
            for t in all() {
                let first = weights.entries(t).start;
                slopes.for_each_of_row(first, weights.row(t), |cell, _| {
                    locate(number(cell));
                });
            }
        }
        let slopes = slopes.map(|slopes| (slopes.clone(), places_of));
        Self {
            targets,
            width,
            weights: weights.clone(),
            places,
            slopes,
            reached,
        }
    }

    /// What slopes add, if anything.
    pub(crate) fn slopes(&self) -> Option<Slopes<'_>> {
        let (all, places) = self.slopes.as_ref()?;
        let all = all.opened();
        Some(Slopes { all, places })
    }

    /// Calls with what each target is made of, row by row: an iterator over runs of targets would cost as much as the work.
    #[inline]
    pub(crate) fn for_each_row<'a>(&'a self, mut call: impl FnMut(CutRow<'a>)) {
        let mut left = &self.places[..];
        for run in runs(&self.targets, self.width) {
            for (t, (first, row)) in run.clone().zip(self.weights.rows(run)) {
                let (places, rest) = left.split_at(row.len());
                left = rest;
                call(CutRow {
                    places,
                    row,
                    first,
                    covered: self.weights.covered(t),
                });
            }
        }
    }

    /// Where in the plane of the window the sources of all targets are, as often as they are read.
    pub(crate) fn places(&self) -> &[u32] {
        &self.places
    }

    /// Says that the weights will not be read in a while.
    pub(crate) fn rest(&self) {
        self.weights.rest();
        if let Some((slopes, _)) = &self.slopes {
            slopes.rest();
        }
    }

    /// How many entries its targets' rows have, and whether slopes add to them.
    pub(crate) fn entries(&self) -> (usize, bool) {
        (self.places.len(), self.slopes.is_some())
    }

    /// Bytes of weights that come into memory while its targets are made, of those that are in a file.
    pub(crate) fn bytes_in_file(&self) -> usize {
        let stretches = runs(&self.targets, self.width)
            .filter(|run| !run.is_empty())
            .map(|run| {
                let [first, last] = [run.start, run.end - 1].map(|t| self.weights.entries(t));
                first.start..last.end
            });
        let slopes = self.slopes.as_ref();
        let slopes = slopes.map_or(0, |(slopes, _)| slopes.bytes_read(stretches.clone()));
        self.weights.bytes_read(stretches) + slopes
    }

    /// Bytes of memory that it takes for itself, beside the weights of the whole plane.
    pub(crate) fn bytes(&self) -> usize {
        let slopes = self.slopes.as_ref();
        let slopes = slopes.map_or(0, |(_, places)| places.held.bytes());
        size_of_val(&self.places[..]) + slopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_rows_and_columns() {
        // One column, few, and as many as a grid may have.
        for columns in [1, 2, 3, 7, 1000, 4097, (1 << 26) - 1] {
            let rows = [0, 1, 4, 5];
            let needed = [rows.to_vec(), vec![0, columns / 2, columns - 1]];
            let places = Places::new(columns, &needed, 3);
            for (r, row) in rows
                .iter()
                .enumerate()
                .take_while(|(_, row)| **row * columns < 1 << 28)
            {
                let last = number(row * columns + columns - 1);
                assert_eq!(places.of(last) as usize, r * 3 + 2);
            }
        }
        let list = Places::new(9, &[vec![2, 5, 8]], 3);
        assert_eq!([2, 5, 8].map(|point| list.of(point)), [0, 1, 2]);
        // Without gaps: a part of the rows and columns, whole rows, points.
        let needed = [vec![3, 4, 5], vec![2, 3, 4, 5]];
        let part = Places::new(7, &needed, 4);
        let cells = (3..6).flat_map(|row| (2..6).map(move |column| row * 7 + column));
        assert!(cells.map(|cell| part.of(cell)).eq(0..12));
        let whole = Places::new(4, &[vec![2, 3], (0..4).collect()], 4);
        assert!((8..16).map(|cell| whole.of(cell)).eq(0..8));
        let points = Places::new(9, &[vec![5, 6, 7]], 3);
        assert!((5..8).map(|point| points.of(point)).eq(0..3));
        assert!(
            [&part, &whole, &points]
                .iter()
                .all(|places| places.held.bytes() == 0)
        );
    }
}
