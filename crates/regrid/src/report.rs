//! What became of a field: extremes and missing values before and after, and how well its integral was kept.

use std::fmt;

/// A variable before and after regridding, over the cells that source and target have in common.
///
/// All steps, levels and members count together. Sums run in an order that depends on the target's chunks alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The variable's name.
    pub variable: String,
    /// The source cells that targets overlap (or, where cells have no area, that they read).
    pub source: Extent,
    /// The targets.
    pub target: Extent,
    /// The integrals; `None` where a grid's cells have no area, or the values are sums or counts.
    pub integral: Option<Integral>,
}

/// Some cells and their values.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Extent {
    /// How many there are.
    pub cells: u64,
    /// How many are missing.
    pub missing: u64,
    /// The least value, NaN if all are missing.
    pub min: f64,
    /// The greatest value, NaN if all are missing.
    pub max: f64,
}

/// Integrals over the common area: where a source cell and a target overlap that both have a value.
///
/// - Units: those of the values times steradians, summed over all steps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Integral {
    /// Over the source's values.
    pub source: f64,
    /// Over the result's values.
    pub target: f64,
    /// Over the absolute source values.
    pub magnitude: f64,
    /// The common area, in steradians, summed over all steps.
    pub area: f64,
    /// The part of the targets' area that it is.
    pub covered: f64,
}

impl Integral {
    /// The difference of the integrals as a part of that of the absolute source values, so that fields around zero are
    /// judged by their size; 0 where there is nothing to keep, NaN where values are infinite.
    pub fn relative_error(&self) -> f64 {
        let difference = (self.target - self.source).abs();
        if difference == 0.0 {
            0.0
        } else {
            difference / self.magnitude
        }
    }

    /// The mean of the source over the common area.
    pub fn source_mean(&self) -> f64 {
        self.source / self.area
    }

    /// The mean of the result over the common area.
    pub fn target_mean(&self) -> f64 {
        self.target / self.area
    }
}

impl fmt::Display for Report {
    /// A table of a few lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = |extent: &Extent| format!("{} of {}", extent.missing, extent.cells);
        writeln!(f, "{}", self.variable)?;
        let mut row = |what: &str, source: String, target: String| {
            writeln!(f, "  {what:<9}  {source:>24}  {target:>24}")
        };
        row("", "source".into(), "target".into())?;
        row("minimum", number(self.source.min), number(self.target.min))?;
        row("maximum", number(self.source.max), number(self.target.max))?;
        row("missing", missing(&self.source), missing(&self.target))?;
        let Some(integral) = &self.integral else {
            return Ok(());
        };
        let means = (integral.source_mean(), integral.target_mean());
        row("mean", number(means.0), number(means.1))?;
        row("integral", number(integral.source), number(integral.target))?;
        writeln!(
            f,
            "  relative error {:.2e}, common area {:.4} % of the target",
            integral.relative_error(),
            100.0 * integral.covered
        )
    }
}

/// Ten digits, with a power of ten where the number is very large or small; a dash for what is no number.
fn number(x: f64) -> String {
    let power = x.abs().log10().floor();
    if x.is_nan() {
        "-".into()
    } else if x == 0.0 {
        "0".into()
    } else if (-4.0..9.0).contains(&power) {
        let decimals = (9.0 - power) as usize;
        format!("{x:.decimals$}")
    } else {
        format!("{x:.9e}")
    }
}

/// A sum that carries what rounding takes away (Neumaier 1974, ZAMM 54, 39-51).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() {
            (self.sum - sum) + x
        } else {
            (x - sum) + self.sum
        };
        self.sum = sum;
    }

    /// Adds several sums, and what was lost of them.
    pub(crate) fn add_sums(&mut self, [sums, lost]: [&[f64]; 2]) {
        for (&sum, &lost) in sums.iter().zip(lost) {
            self.merge(&Self { sum, lost });
        }
    }

    fn merge(&mut self, other: &Self) {
        self.add(other.sum);
        // What is lost of an infinite sum is no number.
        if other.sum.is_finite() {
            self.add(other.lost);
        }
    }

    fn value(self) -> f64 {
        if self.sum.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        }
    }
}

/// Values counted so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Counted {
    cells: u64,
    missing: u64,
    min: f64,
    max: f64,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            cells: 0,
            missing: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Counted {
    /// So many cells, some of them missing, and the least and the greatest value of the others.
    pub(crate) fn of(cells: u64, missing: u64, [min, max]: [f64; 2]) -> Self {
        Self {
            cells,
            missing,
            min,
            max,
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.missing += other.missing;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn extent(self) -> Extent {
        let none = self.cells == self.missing;
        let or_nan = |x: f64| if none { f64::NAN } else { x };
        Extent {
            cells: self.cells,
            missing: self.missing,
            min: or_nan(self.min),
            max: or_nan(self.max),
        }
    }
}

/// What is known of one chunk, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) source: Counted,
    pub(crate) target: Counted,
    pub(crate) source_integral: Sum,
    pub(crate) target_integral: Sum,
    pub(crate) magnitude: Sum,
    pub(crate) common: Sum,
    pub(crate) whole: Sum,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.source.merge(&other.source);
        self.target.merge(&other.target);
        self.source_integral.merge(&other.source_integral);
        self.target_integral.merge(&other.target_integral);
        self.magnitude.merge(&other.magnitude);
        self.common.merge(&other.common);
        self.whole.merge(&other.whole);
    }

    pub(crate) fn report(self, variable: String, integral: bool) -> Report {
        let (area, whole) = (self.common.value(), self.whole.value());
        Report {
            variable,
            source: self.source.extent(),
            target: self.target.extent(),
            integral: integral.then(|| Integral {
                source: self.source_integral.value(),
                target: self.target_integral.value(),
                magnitude: self.magnitude.value(),
                area,
                covered: if whole > 0.0 { area / whole } else { 0.0 },
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_is_small() {
        let mut sum = Sum::default();
        for x in [1.0, 1e100, 1.0, -1e100] {
            sum.add(x);
        }
        assert_eq!(sum.value(), 2.0);
    }

    #[test]
    fn infinite_sums_stay_infinite() {
        let mut sum = Sum::default();
        sum.add_sums([&[1.0, f64::INFINITY, 2.0], &[1e-20, f64::NAN, 0.0]]);
        let mut all = Sum::default();
        all.add(3.0);
        all.merge(&sum);
        assert_eq!([sum.value(), all.value()], [f64::INFINITY; 2]);
    }

    #[test]
    fn numbers_have_ten_digits() {
        for (x, text) in [
            (287.25, "287.2500000"),
            (-0.001, "-0.001000000000"),
            (0.0, "0"),
            (1e20, "1.000000000e20"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn a_report_is_a_table() {
        let none = [f64::INFINITY, f64::NEG_INFINITY];
        let tally = Tally {
            source: Counted::of(3, 1, [1.0, 3.0]),
            target: Counted::of(1, 1, none),
            ..Tally::default()
        };
        let report = tally.report("t".into(), false);
        assert_eq!(
            report.to_string(),
            [
                "t".to_owned(),
                format!("  {:<9}  {:>24}  {:>24}", "", "source", "target"),
                format!("  {:<9}  {:>24}  {:>24}", "minimum", "1.000000000", "-"),
                format!("  {:<9}  {:>24}  {:>24}", "maximum", "3.000000000", "-"),
                format!("  {:<9}  {:>24}  {:>24}\n", "missing", "1 of 3", "1 of 1"),
            ]
            .join("\n")
        );
    }
}
