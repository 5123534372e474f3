//! The loops that anyone would write by hand (`plain.c`), with weights of their own: nothing of them comes from the crate that they
//! are compared with but the axes.

use std::ffi::c_double;

use regrid::Grid;

/// Below this a weight is the rounding of coordinates that are the same.
const NOTHING: f64 = 1e-9;

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    first: usize,
    second: usize,
    v: f64,
    w: f64,
}

#[repr(C)]
struct Shape {
    planes: usize,
    source_rows: usize,
    source_columns: usize,
    target_rows: usize,
    target_columns: usize,
    first_column: usize,
    end_column: usize,
}

#[repr(C)]
struct EntriesOfC {
    starts: *const usize,
    cells: *const usize,
    weights: *const f64,
}

/// What packed 16-bit integers mean: `factor` times the integer and `offset`, unless it is `missing`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Packing {
    /// The `scale_factor` of the CF conventions.
    pub factor: f32,
    /// The `add_offset`.
    pub offset: f32,
    /// The `_FillValue`.
    pub missing: i16,
}

type LinearLoop<S, T> = unsafe extern "C" fn(
    *const Shape,
    *const Pair,
    *const Pair,
    *const Packing,
    *mut c_double,
    *const S,
    *mut T,
);
type AreaLoop = unsafe extern "C" fn(
    *const Shape,
    *const EntriesOfC,
    *const EntriesOfC,
    *mut c_double,
    *const f32,
    *mut f32,
);

unsafe extern "C" {
    fn plain_linear_f32(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const f32,
        target: *mut f32,
    );
    fn plain_linear_f64(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const f64,
        target: *mut f64,
    );
    fn plain_linear_i16(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const i16,
        target: *mut f32,
    );
    fn plain_by_cell_f32(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const f32,
        target: *mut f32,
    );
    fn plain_by_cell_f64(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const f64,
        target: *mut f64,
    );
    fn plain_by_cell_i16(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        packing: *const Packing,
        blended: *mut c_double,
        source: *const i16,
        target: *mut f32,
    );
    fn plain_nearest(
        shape: *const Shape,
        rows: *const Pair,
        columns: *const Pair,
        source: *const f32,
        target: *mut f32,
    );
    fn plain_area(
        shape: *const Shape,
        rows: *const EntriesOfC,
        columns: *const EntriesOfC,
        blended: *mut c_double,
        source: *const f32,
        target: *mut f32,
    );
    fn plain_area_missing(
        shape: *const Shape,
        rows: *const EntriesOfC,
        columns: *const EntriesOfC,
        blended: *mut c_double,
        source: *const f32,
        target: *mut f32,
    );
}

/// A type of stored values that there are linear loops for.
pub trait Stored: Copy {
    /// The type of the results.
    type Result: Copy + Default;
    #[doc(hidden)]
    const ROWS_FIRST: Linear<Self>;
    #[doc(hidden)]
    const BY_CELL: Linear<Self>;
}

/// One of the loops in C.
#[derive(Debug, Clone, Copy)]
pub struct Linear<S: Stored>(LinearLoop<S, S::Result>);

impl Stored for f32 {
    type Result = Self;
    const ROWS_FIRST: Linear<Self> = Linear(plain_linear_f32);
    const BY_CELL: Linear<Self> = Linear(plain_by_cell_f32);
}

impl Stored for f64 {
    type Result = Self;
    const ROWS_FIRST: Linear<Self> = Linear(plain_linear_f64);
    const BY_CELL: Linear<Self> = Linear(plain_by_cell_f64);
}

impl Stored for i16 {
    type Result = f32;
    const ROWS_FIRST: Linear<Self> = Linear(plain_linear_i16);
    const BY_CELL: Linear<Self> = Linear(plain_by_cell_i16);
}

/// The source cells of each target along one axis.
#[derive(Debug, Default)]
struct Entries {
    starts: Vec<usize>,
    cells: Vec<usize>,
    weights: Vec<f64>,
}

/// Loops over planes that follow each other, with weights that are prepared.
#[derive(Debug)]
pub struct PlainLoops {
    source: (usize, usize),
    target: (usize, usize),
    packing: Packing,
    pairs: [Vec<Pair>; 2],
    entries: [Entries; 2],
}

impl PlainLoops {
    /// Loops for targets that lie between the centres of the source.
    ///
    /// # Panics
    /// If one does not, or a grid has no axes.
    pub fn new(source: &Grid, target: &Grid) -> Self {
        let [(rows, columns), (target_rows, target_columns)] = [source, target].map(axes);
        let sine = |degrees: f64| degrees.clamp(-90.0, 90.0).to_radians().sin();
        Self {
            source: source.shape(),
            target: target.shape(),
            packing: Packing::default(),
            pairs: [pairs(rows, target_rows), pairs(columns, target_columns)],
            entries: [
                overlaps(&cells(rows, sine), &cells(target_rows, sine), None),
                overlaps(
                    &cells(columns, |x| x),
                    &cells(target_columns, |x| x),
                    Some(360.0),
                ),
            ],
        }
    }

    /// The same for values that are packed like this.
    #[must_use]
    pub fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    /// Linear: blends two rows, then pairs of columns of the blend. Missing (NaN) is what a missing neighbour has a weight in.
    pub fn linear<S: Stored>(&self, source: &[S], target: &mut [S::Result]) {
        self.run(S::ROWS_FIRST, source, target);
    }

    /// The same, each target from its four cells.
    pub fn by_cell<S: Stored>(&self, source: &[S], target: &mut [S::Result]) {
        self.run(S::BY_CELL, source, target);
    }

    fn run<S: Stored>(&self, Linear(work): Linear<S>, source: &[S], target: &mut [S::Result]) {
        let shape = self.shape(source.len(), target.len());
        let mut blended = vec![0.0; self.source.1];
        let [rows, columns] = self.pairs.each_ref().map(|pairs| pairs.as_ptr());
        // SAFETY: source and target hold the planes of the shape, there is a pair for each of its targets whose cells lie in the source,
        // and the blend has room for a row.
        unsafe {
            work(
                &shape,
                rows,
                columns,
                &self.packing,
                blended.as_mut_ptr(),
                source.as_ptr(),
                target.as_mut_ptr(),
            );
        }
    }

    /// Nearest: copies.
    pub fn nearest(&self, source: &[f32], target: &mut [f32]) {
        let shape = self.shape(source.len(), target.len());
        let [rows, columns] = self.pairs.each_ref().map(|pairs| pairs.as_ptr());
        // SAFETY: as for `run`.
        unsafe {
            plain_nearest(&shape, rows, columns, source.as_ptr(), target.as_mut_ptr());
        }
    }

    /// The mean over the area of a target, where nothing is missing.
    pub fn area(&self, source: &[f32], target: &mut [f32]) {
        self.mean(plain_area, source, target);
    }

    /// The mean over that part of a target that is not missing (NaN).
    pub fn area_missing(&self, source: &[f32], target: &mut [f32]) {
        self.mean(plain_area_missing, source, target);
    }

    fn mean(&self, work: AreaLoop, source: &[f32], target: &mut [f32]) {
        let shape = self.shape(source.len(), target.len());
        let mut blended = vec![0.0; 2 * self.source.1];
        let [rows, columns] = self.entries.each_ref().map(|entries| EntriesOfC {
            starts: entries.starts.as_ptr(),
            cells: entries.cells.as_ptr(),
            weights: entries.weights.as_ptr(),
        });
        // SAFETY: source and target hold the planes of the shape, starts are one more than its targets, the cells lie in the source, and
        // there is room for two rows.
        unsafe {
            work(
                &shape,
                &rows,
                &columns,
                blended.as_mut_ptr(),
                source.as_ptr(),
                target.as_mut_ptr(),
            );
        }
    }

    fn shape(&self, source: usize, target: usize) -> Shape {
        let ((source_rows, source_columns), (target_rows, target_columns)) =
            (self.source, self.target);
        let planes = source / (source_rows * source_columns);
        assert_eq!(source, planes * source_rows * source_columns, "source");
        assert_eq!(target, planes * target_rows * target_columns, "target");
        let used = self.pairs[1].iter().flat_map(|p| [p.first, p.second]);
        let (first_column, last_column) = used.fold((source_columns, 0), |(first, last), at| {
            (first.min(at), last.max(at))
        });
        Shape {
            planes,
            source_rows,
            source_columns,
            target_rows,
            target_columns,
            first_column,
            end_column: last_column + 1,
        }
    }
}

fn axes(grid: &Grid) -> (&[f64], &[f64]) {
    let (latitudes, longitudes) = grid.axes().expect("a grid with axes");
    (latitudes.centres(), longitudes.centres())
}

/// The two neighbours of each target among centres that increase.
fn pairs(centres: &[f64], targets: &[f64]) -> Vec<Pair> {
    let pair = |&x: &f64| {
        let after = centres.partition_point(|&c| c <= x + NOTHING);
        assert!(after > 0, "{x} lies before all centres");
        let (first, second) = (after - 1, after.min(centres.len() - 1));
        let w = match centres[second] - centres[first] {
            0.0 => 0.0,
            step => (x - centres[first]) / step,
        };
        if w < NOTHING {
            assert!((x - centres[first]).abs() < NOTHING, "{x} lies behind all");
            return Pair {
                first,
                second: first,
                v: 1.0,
                w: 0.0,
            };
        }
        Pair {
            first,
            second,
            v: 1.0 - w,
            w,
        }
    };
    targets.iter().map(pair).collect()
}

/// Where each cell begins and ends: halfway to its neighbours.
fn cells(centres: &[f64], measure: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let last = centres.len() - 1;
    let half = |i: usize| (centres[i + 1] - centres[i]) / 2.0;
    let cell = |i: usize| {
        let (before, after) = (half(i.max(1) - 1), half(i.min(last - 1)));
        (measure(centres[i] - before), measure(centres[i] + after))
    };
    (0..=last).map(cell).collect()
}

/// The cells that each target overlaps, by the share of it that they cover, going on after `period` if there is one.
fn overlaps(sources: &[(f64, f64)], targets: &[(f64, f64)], period: Option<f64>) -> Entries {
    let mut entries = Entries {
        starts: vec![0],
        ..Entries::default()
    };
    let shifts: &[f64] = if period.is_some() {
        &[-1.0, 0.0, 1.0]
    } else {
        &[0.0]
    };
    for &(begin, end) in targets {
        let mut row = Vec::new();
        for shift in shifts.iter().map(|s| s * period.unwrap_or_default()) {
            for (cell, &(from, to)) in sources.iter().enumerate() {
                let common = end.min(to + shift) - begin.max(from + shift);
                if common / (end - begin) > NOTHING {
                    row.push((cell, common));
                }
            }
        }
        let all: f64 = row.iter().map(|(_, common)| common).sum();
        entries.cells.extend(row.iter().map(|(cell, _)| cell));
        entries
            .weights
            .extend(row.iter().map(|(_, common)| common / all));
        entries.starts.push(entries.cells.len());
    }
    entries
}
