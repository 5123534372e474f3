//! Weighted sums over any cells of a plane, for several planes at a time.
//!
//! Weights from cell to cell are many, and take as much memory as several planes do. They are the same at all times and
//! levels, so each is loaded once for a group of planes, whose values at one place lie side by side: they are added up in
//! vectors, and a place is looked up once for all. What is kept and what is missing follows the rule of `blend`.

use multiversion::multiversion;

use super::Float;
use super::blend::{Keep, Valid, is_strict};
use crate::buffers;
use crate::plan::{CutRow, Slopes, SparseCut};
use crate::weights::{Difference, Terms, WHOLE};

/// Planes that go together at the most: in single precision their values at one place fill half a line of the cache.
pub(crate) const PLANES: usize = 8;
/// Where entries are fewer than one for so many cells, to lay the cells side by side would cost more than it saves.
const FEW: usize = 4;

/// How many of so many planes go together at the most.
pub(crate) fn group_of(planes: usize) -> usize {
    // Groups are the powers of two.
    match planes.min(PLANES) {
        0 => 0,
        most => 1 << most.ilog2(),
    }
}

/// Whether so many entries are so few for so many cells that planes go one by one.
pub(crate) fn are_few(entries: usize, cells: usize) -> bool {
    FEW * entries < cells
}

/// The targets of each plane, by weights of its cells.
pub(super) fn blend<S: Float, T: Float>(
    cut: &SparseCut,
    planes: &[&[S]],
    keep: Keep,
    out: &mut [&mut [T]],
) {
    let few = |plane: &&[S]| are_few(cut.places().len(), plane.len());
    let (mut planes, mut out) = (planes, out);
    macro_rules! groups_of {
        ($($n:literal),*) => {$(
            while let Some((group, rest)) = planes.split_first_chunk::<$n>() {
                let (own, others) = out.split_at_mut($n);
                side_by_side(group, |cells| together(cut, cells, keep, own));
                (planes, out) = (rest, others);
            }
        )*};
    }
    if !planes.first().is_some_and(few) {
        groups_of!(8, 4, 2);
    }
    groups_of!(1);
}

/// Hands on the cells of some planes, those of one place side by side.
fn side_by_side<const N: usize, S: Float>(planes: &[&[S]; N], then: impl FnOnce(&[[S; N]])) {
    if let [one] = planes[..] {
        return then(one.as_chunks().0);
    }
    let len = planes[0].len();
    let mut buffer = buffers::take(len * N);
    let cells = buffer.as_chunks_mut().0;
    let planes = planes.map(|plane| &plane[..len]);
    for (at, cell) in cells.iter_mut().enumerate() {
        *cell = planes.map(|plane| plane[at]);
    }
    then(cells);
    buffers::give(buffer);
}

/// One group.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn together<const N: usize, S: Float, T: Float>(
    cut: &SparseCut,
    cells: &[[S; N]],
    keep: Keep,
    out: &mut [&mut [T]],
) {
    let Keep { min_valid, .. } = keep;
    let strict = is_strict(min_valid);
    let mut target = 0;
    let mut set = |values: [f64; N]| {
        for (out, value) in out.iter_mut().zip(values) {
            out[target] = T::round(value);
        }
        target += 1;
    };
    // Where a row had a missing cell the next one has, as a rule: it is not tried without. Both ways give the same bits where
    // nothing is missing.
    let mut missing = false;
    // Loops of their own, so that the usual one knows nothing of slopes.
    match cut.slopes() {
        None => cut.for_each_row(|row| {
            if !missing {
                let values = sums(row, cells, min_valid);
                // Where all must be valid, what is no number stays none.
                missing = !strict && any_nan(values);
                if !missing {
                    return set(values);
                }
            }
            let sums = Sums::of(row, cells);
            missing = sums.lack_some();
            set(sums.values(row.covered, keep));
        }),
        // Where all must be valid, what is no number stays none.
        Some(slopes) if strict => cut.for_each_row(|row| {
            let mut values = sums(row, cells, min_valid);
            for (_, entry, own) in row.numbered() {
                let added = added(slopes, entry, own, cells);
                for (value, slope) in values.iter_mut().zip(added) {
                    // A cell with a missing neighbour is level: to add this changes no bit.
                    *value += if slope.is_nan() { -0.0 } else { slope };
                }
            }
            set(values);
        }),
        // Beside slopes it costs little to look at what is missing.
        Some(slopes) => cut.for_each_row(|row| {
            let mut sums = Sums::of(row, cells);
            sums.add_slopes(row, cells, slopes);
            set(sums.values(row.covered, keep));
        }),
    }
}

// What one group goes through is always part of it: it is compiled for several processors there, and by itself for the least of them.

#[inline(always)]
fn any_nan<const N: usize>(values: [f64; N]) -> bool {
    values.iter().fold(false, |any, x| any | x.is_nan())
}

#[inline(always)]
fn widened<const N: usize, S: Float>(cells: &[[S; N]], at: usize) -> [f64; N] {
    let mut values = [0.0; N];
    for (value, &cell) in values.iter_mut().zip(&cells[at]) {
        *value = cell.widen();
    }
    values
}

/// What slopes add to an entry of such a number, source and weight.
#[inline(always)]
fn added<const N: usize, S: Float>(
    slopes: Slopes<'_>,
    entry: usize,
    (source, weight): (u32, f64),
    cells: &[[S; N]],
) -> [f64; N] {
    // What a sum of nothing is, in the sign of its zero too.
    let mut sums = [-0.0; N];
    match slopes.terms(entry, source) {
        Terms::Listed(sources, weights) => {
            for (&source, &weight) in sources.iter().zip(weights) {
                add(&mut sums, weight, widened(cells, slopes.place(source)));
            }
        }
        Terms::Differences(differences) => {
            for Difference { between, share } in differences {
                if share != 0.0 {
                    let ahead = widened(cells, slopes.place(between[0]));
                    let back = widened(cells, slopes.place(between[1]));
                    for lane in 0..N {
                        sums[lane] += share * (ahead[lane] - back[lane]);
                    }
                }
            }
            for sum in &mut sums {
                *sum *= weight;
            }
        }
    }
    sums
}

#[inline(always)]
fn add<const N: usize>(sums: &mut [f64; N], weight: f64, values: [f64; N]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

/// The sums of a row over all its cells: NaN where one of them is missing, or where the row is not enough by itself.
#[inline(always)]
fn sums<const N: usize, S: Float>(row: CutRow<'_>, cells: &[[S; N]], min_valid: f64) -> [f64; N] {
    let mut sums = [0.0; N];
    let mut all = 0.0;
    for (at, weight) in row.entries() {
        all += weight;
        add(&mut sums, weight, widened(cells, at));
    }
    match all > 0.0 && row.covered >= min_valid - WHOLE {
        true => sums,
        false => [f64::NAN; N],
    }
}

/// The sums of a row over its valid cells, plane by plane: [`Valid`], each part of it side by side.
struct Sums<const N: usize> {
    sums: [f64; N],
    weights: [f64; N],
    sizes: [f64; N],
    /// The same for all planes.
    all: f64,
}

impl<const N: usize> Sums<N> {
    #[inline(always)]
    fn of<S: Float>(row: CutRow<'_>, cells: &[[S; N]]) -> Self {
        let mut own = Self {
            sums: [0.0; N],
            weights: [0.0; N],
            sizes: [0.0; N],
            all: 0.0,
        };
        for (at, weight) in row.entries() {
            let size = weight.abs();
            own.all += size;
            let values = widened(cells, at);
            for (lane, value) in values.into_iter().enumerate() {
                // To add nothing changes no bit, and asks for no branch.
                let missing = value.is_nan();
                own.sums[lane] += if missing { 0.0 } else { weight * value };
                own.weights[lane] += if missing { 0.0 } else { weight };
                own.sizes[lane] += if missing { 0.0 } else { size };
            }
        }
        own
    }

    /// Whether any of the cells is missing.
    #[inline(always)]
    fn lack_some(&self) -> bool {
        self.sizes
            .iter()
            .fold(false, |any, size| any | (*size != self.all))
    }

    /// Adds what the slopes of valid cells add.
    #[inline(always)]
    fn add_slopes<S: Float>(&mut self, row: CutRow<'_>, cells: &[[S; N]], slopes: Slopes<'_>) {
        for (at, entry, own) in row.numbered() {
            let values = widened(cells, at);
            let added = added(slopes, entry, own, cells);
            for (sum, (slope, value)) in self.sums.iter_mut().zip(added.into_iter().zip(values)) {
                *sum += match slope.is_nan() | value.is_nan() {
                    true => -0.0,
                    false => slope,
                };
            }
        }
    }

    /// The sums, divided by the weight of the valid cells where some are missing.
    #[inline(always)]
    fn values(&self, covered: f64, keep: Keep) -> [f64; N] {
        let mut values = [0.0; N];
        for (lane, value) in values.iter_mut().enumerate() {
            let valid = Valid {
                sum: self.sums[lane],
                weight: self.weights[lane],
                size: self.sizes[lane],
                all: self.all,
            };
            *value = valid.value(covered, keep);
        }
        values
    }
}

/// The one cell of each target, as it is.
pub(super) fn pick<T: Copy>(cut: &SparseCut, planes: &[&[T]], absent: T, out: &mut [&mut [T]]) {
    let mut target = 0;
    cut.for_each_row(|row| {
        let place = row.places.first().map(|&at| at as usize);
        for (plane, out) in planes.iter().zip(out.iter_mut()) {
            out[target] = place.map_or(absent, |at| plane[at]);
        }
        target += 1;
    });
}
