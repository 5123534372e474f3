//! The inner loops, compiled for the vector units of several processors; the one at hand is chosen when they run.
//!
//! None of them contracts a product and a sum into one rounding, so all give the same bits.

use multiversion::multiversion;

use super::reduce::Reduction;
use super::{Float, ahead};

macro_rules! row_loops {
    ($targets:tt, $type:ty, $one:ident, $two:ident, $three:ident, $add:ident) => {
        /// Sets sums to a weighted row, line of the cache by line, and asks for those of the row that is next.
        #[multiversion(targets $targets)]
        pub(super) fn $one(sums: &mut [f64], row: &[$type], weight: f64, next: &[$type]) {
            const LINE: usize = 64 / size_of::<$type>();
            for (i, (sums, row)) in sums.chunks_mut(LINE).zip(row.chunks(LINE)).enumerate() {
                ahead::fetch(next, i * LINE);
                for (sum, &x) in sums.iter_mut().zip(row) {
                    *sum = weight * f64::from(x);
                }
            }
        }

        /// Sets sums to those of two weighted rows.
        #[multiversion(targets $targets)]
        pub(super) fn $two(sums: &mut [f64], rows: [&[$type]; 2], weights: [f64; 2]) {
            let [v, w] = weights;
            for ((sum, &x), &y) in sums.iter_mut().zip(rows[0]).zip(rows[1]) {
                *sum = v * f64::from(x) + w * f64::from(y);
            }
        }

        /// Sets sums to those of three weighted rows.
        #[multiversion(targets $targets)]
        pub(super) fn $three(sums: &mut [f64], rows: [&[$type]; 3], weights: [f64; 3]) {
            let [u, v, w] = weights;
            let rows = rows[0].iter().zip(rows[1]).zip(rows[2]);
            for (sum, ((&x, &y), &z)) in sums.iter_mut().zip(rows) {
                *sum = u * f64::from(x) + v * f64::from(y) + w * f64::from(z);
            }
        }

        /// Adds a weighted row to sums.
        #[multiversion(targets $targets)]
        pub(super) fn $add(sums: &mut [f64], row: &[$type], weight: f64) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(x);
            }
        }
    };
}

/// A few values, and others where there are none.
#[inline(always)]
fn filled<T: Copy>(values: &[T], other: T) -> [T; LANES] {
    let mut all = [other; LANES];
    all[..values.len()].copy_from_slice(values);
    all
}

/// How many targets the loop over columns makes at once.
pub(super) const LANES: usize = 8;

macro_rules! loops {
    ($targets:tt) => {
        row_loops!($targets, f32, one_f32, two_f32, three_f32, add_f32);
        row_loops!($targets, f64, one_f64, two_f64, three_f64, add_f64);

        /// The weighted sums over `N` values side by side, from the places that `starts` name; eight targets at a time.
        #[multiversion(targets $targets)]
        pub(super) fn runs<T: Float, const N: usize>(
            starts: &[[u32; LANES]],
            weights: &[[[f64; LANES]; N]],
            values: &[f64],
            out: &mut [T],
        ) {
            for ((starts, weights), out) in starts.iter().zip(weights).zip(out.chunks_mut(LANES)) {
                // First all loads, then the arithmetic in vectors.
                let mut lanes = [[0.0; LANES]; N];
                for (lane, &start) in starts.iter().enumerate() {
                    let run = &values[start as usize..start as usize + N];
                    for (values, &value) in lanes.iter_mut().zip(run) {
                        values[lane] = value;
                    }
                }
                let mut sums = [0.0; LANES];
                for (weights, values) in weights.iter().zip(&lanes) {
                    for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(values) {
                        *sum += weight * value;
                    }
                }
                let rounded = sums.map(T::round);
                match out.as_chunks_mut().0 {
                    [out] => *out = rounded,
                    _ => out.copy_from_slice(&rounded[..out.len()]),
                }
            }
        }

        /// Adds a weighted row to sums, and its weight to weights, where the row is not missing.
        #[multiversion(targets $targets)]
        pub(super) fn add_valid<S: Float>(
            sums: &mut [f64],
            weights: &mut [f64],
            row: &[S],
            weight: f64,
        ) {
            for ((sum, all), x) in sums.iter_mut().zip(weights).zip(row) {
                let x = x.widen();
                // To add nothing changes no bit: no sum is a negative zero, as all start from zero.
                let [term, part] = if x.is_nan() {
                    [0.0; 2]
                } else {
                    [weight * x, weight]
                };
                *sum += term;
                *all += part;
            }
        }

        /// Reduces a row with what was reduced before, column by column, and adds its weight where it is not missing; asks for the lines of
        /// the row that is next.
        #[multiversion(targets $targets)]
        pub(super) fn reduce_row<S: Float>(
            reduction: Reduction,
            [reduced, shares]: [&mut [f64]; 2],
            row: &[S],
            weight: f64,
            next: &[S],
        ) {
            let line = 64 / size_of::<S>();
            // No closures: they would be compiled for every processor.
            macro_rules! each {
                ($all:ident, $x:ident, $missing:ident => $with:expr) => {{
                    let all = reduced.chunks_mut(line).zip(shares.chunks_mut(line));
                    for (i, ((reduced, shares), row)) in all.zip(row.chunks(line)).enumerate() {
                        ahead::fetch(next, i * line);
                        for (($all, share), x) in reduced.iter_mut().zip(shares).zip(row) {
                            let $x = x.widen();
                            let $missing = $x.is_nan();
                            *share += if $missing { 0.0 } else { weight };
                            *$all = $with;
                        }
                    }
                }};
            }
            match reduction {
                Reduction::Sum => each!(all, x, missing => *all + if missing { -0.0 } else { x }),
                Reduction::Count => each!(all, x, missing => *all + if missing { 0.0 } else { 1.0 }),
                // What is missing is neither less nor greater.
                Reduction::Min => each!(all, x, missing => if x < *all { x } else { *all }),
                Reduction::Max => each!(all, x, missing => if x > *all { x } else { *all }),
            }
        }

        /// Adds a weighted row to sums, its size to sizes, and its weight to weights, where the row is not missing.
        #[multiversion(targets $targets)]
        pub(super) fn add_overlap(
            [sums, sizes, weights]: [&mut [f64]; 3],
            row: &[f64],
            weight: f64,
        ) {
            let all = sums.iter_mut().zip(sizes).zip(weights).zip(row);
            for (((sum, size), all), &x) in all {
                let [term, part] = if x.is_nan() {
                    [0.0; 2]
                } else {
                    [weight * x, weight]
                };
                *sum += term;
                *size += term.abs();
                *all += part;
            }
        }

        /// What targets of one row have in common with the source: area, integrals of its values and of their sizes, and of their own
        /// values; zeros for those that are missing.
        #[multiversion(targets $targets)]
        pub(super) fn common_terms(
            [common, source, magnitude, target]: [&mut [f64]; 4],
            (values, areas): (&[f64], &[f64]),
            (of_row, of_columns): (f64, &[f64]),
            [sums, sizes, shares]: [&[f64]; 3],
        ) {
            let terms = common.iter_mut().zip(source).zip(magnitude).zip(target);
            let targets = values.iter().zip(areas).zip(of_columns);
            let shared = sums.iter().zip(sizes).zip(shares);
            for (((((common, source), magnitude), target), ((&value, area), part)), shared) in
                terms.zip(targets).zip(shared)
            {
                let ((sum, size), share) = shared;
                let area = area * (of_row * part);
                let there = !value.is_nan();
                let or_zero = |x: f64| if there { x } else { 0.0 };
                *common = or_zero(area * share);
                *source = or_zero(area * sum);
                *magnitude = or_zero(area * size);
                *target = or_zero(area * share * value);
            }
        }

        /// The least and the greatest of those values that are wanted, and how many of them are missing; an infinity that is beyond
        /// all where there are none.
        #[multiversion(targets $targets)]
        pub(super) fn extremes(values: &[f64], wanted: &[bool]) -> ([f64; 2], u64) {
            let mut least = [f64::INFINITY; LANES];
            let mut most = [f64::NEG_INFINITY; LANES];
            let mut missing = [0_u64; LANES];
            let mut look = |values: &[f64; LANES], wanted: &[bool; LANES]| {
                for lane in 0..LANES {
                    let (x, wanted) = (values[lane], wanted[lane]);
                    missing[lane] += u64::from(wanted & x.is_nan());
                    let x = if wanted { x } else { f64::NAN };
                    // What is no number is neither less nor greater.
                    least[lane] = if x < least[lane] { x } else { least[lane] };
                    most[lane] = if x > most[lane] { x } else { most[lane] };
                }
            };
            let (values, last) = values.as_chunks();
            let (wanted, of_last) = wanted.as_chunks();
            values
                .iter()
                .zip(wanted)
                .for_each(|(values, wanted)| look(values, wanted));
            look(&filled(last, 0.0), &filled(of_last, false));
            let least = least.into_iter().fold(f64::INFINITY, f64::min);
            let most = most.into_iter().fold(f64::NEG_INFINITY, f64::max);
            ([least, most], missing.into_iter().sum())
        }

        /// Sums of the values, and what rounding took away from each (Knuth, The Art of Computer Programming 2, 4.2.2).
        #[multiversion(targets $targets)]
        pub(super) fn exact_sums(values: &[f64]) -> [[f64; LANES]; 2] {
            let (mut sums, mut lost) = ([0.0; LANES], [0.0; LANES]);
            let mut add = |values: &[f64; LANES]| {
                for ((sum, lost), &x) in sums.iter_mut().zip(&mut lost).zip(values) {
                    let both: f64 = *sum + x;
                    let part = both - *sum;
                    *lost += (*sum - (both - part)) + (x - part);
                    *sum = both;
                }
            };
            let (values, last) = values.as_chunks();
            values.iter().for_each(&mut add);
            add(&filled(last, 0.0));
            [sums, lost]
        }

        /// Whether any value is missing.
        #[multiversion(targets $targets)]
        pub(super) fn any_missing(values: &[f64]) -> bool {
            // In stretches, so that the loop over each has no way out half-way and is done in vectors.
            values
                .chunks(256)
                .any(|stretch| stretch.iter().fold(false, |any, x| any | x.is_nan()))
        }
    };
}

// In the order in which they are taken.
loops!(("x86_64+avx512f+avx512vl", "x86_64+avx2"));

#[cfg(test)]
mod tests {
    use super::*;

    // The same loops, compiled for one instruction set each; where the processor lacks it, they are those for every one.
    mod every {
        use super::*;
        // Another architecture's.
        loops!(("x86+avx"));
    }
    #[cfg(target_arch = "x86_64")]
    mod avx2 {
        use super::*;
        loops!(("x86_64+avx2"));
    }
    #[cfg(target_arch = "x86_64")]
    mod avx512 {
        use super::*;
        loops!(("x86_64+avx512f+avx512vl"));
    }

    /// Numbers of all sizes: subnormal ones, infinite ones, both zeros, and some that are missing.
    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let number = |_| match next() % 16 {
            0 => 0.0,
            1 => -0.0,
            2 => f64::from_bits(next() >> 16),
            3 => f64::INFINITY,
            4 => f64::NAN,
            5 => f64::from_bits(next() & !(0x7ff << 52) | 700 << 52),
            _ => (next() >> 11) as f64 / (1_u64 << 40) as f64 - 4096.0,
        };
        (0..n).map(number).collect()
    }

    /// Bits, but for those of what is no number: which of two such values goes on is the instruction's choice.
    fn bits(values: &[f64]) -> Vec<u64> {
        let bits = |x: &f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
        values.iter().map(bits).collect()
    }

    macro_rules! results {
        ($set:path) => {{
            use $set as set;
            let mut all: Vec<Vec<u64>> = Vec::new();
            // Lengths with and without a rest behind the last whole vector; places off those of vectors.
            for (n, from) in [(0, 0), (1, 1), (3, 0), (7, 2), (16, 1), (37, 3), (256, 0), (1031, 1)] {
                let rows = [1, 2, 3].map(|seed| numbers(n + from, seed));
                let singles = rows.clone().map(|row| row.iter().map(|&x| x as f32).collect::<Vec<_>>());
                let [a, b, c] = [0, 1, 2].map(|i| &rows[i][from..]);
                let [d, e, f] = [0, 1, 2].map(|i| &singles[i][from..]);
                let [u, v, w] = [0.1, 0.7, 1.0 / 3.0];
                let mut sums = numbers(n + from, 4);
                let sums = &mut sums[from..];
                let mut keep = |sums: &[f64]| all.push(bits(sums));
                set::add_f64(sums, a, u);
                keep(sums);
                set::add_f32(sums, d, v);
                keep(sums);
                set::one_f64(sums, a, v, b);
                keep(sums);
                set::one_f32(sums, d, w, e);
                keep(sums);
                set::two_f64(sums, [a, b], [u, v]);
                keep(sums);
                set::two_f32(sums, [d, e], [v, w]);
                keep(sums);
                set::three_f64(sums, [a, b, c], [u, v, w]);
                keep(sums);
                set::three_f32(sums, [d, e, f], [w, u, v]);
                keep(sums);
                let blocks = n.div_ceil(LANES);
                let starts: Vec<[u32; LANES]> = (0..blocks)
                    .map(|block| std::array::from_fn(|lane| ((block * 5 + lane * 3) % n.max(1)) as u32))
                    .collect();
                let weights: Vec<[[f64; LANES]; 4]> = (0..blocks)
                    .map(|block| std::array::from_fn(|i| numbers(LANES, (block * 4 + i) as u64).try_into().unwrap()))
                    .collect();
                let values = numbers(n + 4, 9);
                let (mut wide, mut narrow) = (vec![0.0; n], vec![0.0_f32; n]);
                set::runs::<f64, 4>(&starts, &weights, &values, &mut wide);
                keep(&wide);
                set::runs::<f32, 4>(&starts, &weights, &values, &mut narrow);
                keep(&narrow.iter().map(|&x| x.into()).collect::<Vec<f64>>());
                let mut weights = sums.to_vec();
                set::add_valid(sums, &mut weights, a, w);
                keep(sums);
                keep(&weights);
                set::add_valid(sums, &mut weights, d, u);
                keep(sums);
                keep(&weights);
                let mut sizes = numbers(n, 5);
                for reduction in [Reduction::Sum, Reduction::Count, Reduction::Min, Reduction::Max] {
                    set::reduce_row(reduction, [sums, &mut weights], a, w, b);
                    set::reduce_row(reduction, [sums, &mut weights], d, u, e);
                    keep(sums);
                    keep(&weights);
                }
                set::add_overlap([sums, &mut sizes, &mut weights], a, v);
                keep(sums);
                keep(&sizes);
                keep(&weights);
                let mut terms = [(); 4].map(|()| numbers(n, 6));
                let shared = [a, &sizes, &weights].map(|all| &all[..n]);
                set::common_terms(
                    terms.each_mut().map(|terms| &mut terms[..]),
                    (a, b),
                    (v, c),
                    shared,
                );
                terms.iter().for_each(|terms| keep(terms));
                let wanted: Vec<bool> = c.iter().map(|x| x.to_bits() % 3 > 0).collect();
                let (extremes, missing) = set::extremes(a, &wanted);
                keep(&extremes);
                keep(&[missing as f64]);
                set::exact_sums(a).iter().for_each(|sums| keep(sums));
                let finite: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
                keep(&[&values, &finite].map(|x| f64::from(u8::from(set::any_missing(x)))));
            }
            all
        }};
    }

    /// Loops become vectors only where the compiler optimises: `cargo test --release -p regrid --lib instruction_set`.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let every = results!(self::every);
        assert!(
            every
                .iter()
                .flatten()
                .any(|&bits| bits != 0 && bits != u64::MAX)
        );
        assert_eq!(results!(super), every, "the one that is taken");
        #[cfg(target_arch = "x86_64")]
        for (there, name, results) in [
            (
                is_x86_feature_detected!("avx2"),
                "AVX2",
                results!(self::avx2),
            ),
            (
                is_x86_feature_detected!("avx512vl"),
                "AVX-512",
                results!(self::avx512),
            ),
        ] {
            if !there {
                println!("skipped: this processor lacks {name}");
            }
            assert_eq!(results, every, "{name}");
        }
    }
}
