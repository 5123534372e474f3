//! The links of a weights file: addresses and weights one after another, checked and made rows of.

use super::gradients::Plane;
use crate::weights::{SparseWeights, merged};

/// Links as a file has them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Links {
    /// From 1, as numbers of any type are read.
    pub(super) targets: Vec<f64>,
    pub(super) sources: Vec<f64>,
    /// So many of them a link.
    pub(super) per_link: usize,
    pub(super) weights: Vec<f64>,
}

/// What the weights of a row are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Normalization {
    /// Of points: they sum to one.
    Points,
    /// Of the part of the target that the source covers (`fracarea`): they sum to one.
    CoveredArea,
    /// Of the whole target (`destarea`): they sum to the covered part.
    TargetArea,
    /// Areas (`none`).
    Areas,
    /// Not stated: they sum to the covered part, as far as can be known.
    Unknown,
}

/// Sums of weights may exceed one by this much: the areas of cells are not the same in every tool.
const SLACK: f64 = 1e-2;

impl Links {
    /// The links of weights that are known, targets in order.
    pub(super) fn of(weights: &SparseWeights) -> Self {
        let mut links = Self {
            per_link: 1,
            ..Self::default()
        };
        for target in 0..weights.len() {
            for (source, weight) in weights.row(target) {
                links.targets.push((target + 1) as f64);
                links.sources.push((source + 1) as f64);
                links.weights.push(weight);
            }
        }
        links
    }

    /// The rows that the links make; `Err` says which of them is at fault and how.
    ///
    /// `sizes` are the numbers of source and target cells, where they are known. `plane` is what links of four weights
    /// need of the source.
    pub(super) fn rows(
        &self,
        sizes: [Option<usize>; 2],
        plane: Option<Plane>,
        normalization: Normalization,
        target_areas: Option<&[f64]>,
        target_fractions: Option<&[f64]>,
    ) -> Result<SparseWeights, String> {
        let count = self.weights.len() / self.per_link.max(1);
        if count == 0 {
            return Err("it holds no weights".into());
        }
        for (what, got) in [
            ("source", self.sources.len()),
            ("target", self.targets.len()),
        ] {
            if got != count {
                return Err(format!("it has {got} {what} addresses for {count} weights"));
            }
        }
        let mut order = Vec::with_capacity(count);
        let mut most = 0;
        for link in 0..count {
            let source = address(self.sources[link], sizes[0], "source", link)?;
            let target = address(self.targets[link], sizes[1], "target", link)?;
            let own = &self.weights[link * self.per_link..(link + 1) * self.per_link];
            if let Some(weight) = own.iter().find(|w| !w.is_finite()) {
                return Err(format!("the weight of its link {} is {weight}", link + 1));
            }
            most = most.max(target + 1);
            order.push((target, source, link));
        }
        order.sort_unstable();
        let mut rows = SparseWeights::default();
        let mut links = order.into_iter().peekable();
        let mut entries = Vec::new();
        for target in 0..sizes[1].unwrap_or(most) {
            entries.clear();
            while let Some((_, source, link)) = links.next_if(|&(t, _, _)| t == target) {
                match (plane, self.per_link) {
                    (Some(plane), 4) => {
                        let own: [f64; 4] = self.weights[link * 4..link * 4 + 4]
                            .try_into()
                            .expect("four weights a link");
                        entries.extend(plane.expand(source, own));
                    }
                    _ => entries.push((source, self.weights[link * self.per_link])),
                }
            }
            let row = merged(&mut entries);
            let sum: f64 = row.iter().map(|&(_, w)| w).sum();
            let all = row.iter().all(|&(_, w)| w == 0.0);
            let share = |all: Option<&[f64]>| all.map(|all| all[target]);
            let fraction = share(target_fractions).filter(|&f| f > 0.0);
            let covered = match normalization {
                _ if all => 0.0,
                Normalization::Points => 1.0,
                Normalization::CoveredArea => fraction.unwrap_or(1.0),
                Normalization::TargetArea | Normalization::Unknown => sum,
                Normalization::Areas => match share(target_areas).filter(|&area| area > 0.0) {
                    Some(area) => sum / area,
                    None => fraction.unwrap_or(1.0),
                },
            };
            let should_be_one = matches!(
                normalization,
                Normalization::Points | Normalization::CoveredArea
            );
            let amiss =
                (should_be_one && (sum - 1.0).abs() > SLACK) || covered > 1.0 + SLACK || sum <= 0.0;
            if amiss && !all {
                return Err(format!(
                    "the weights of its target cell {} sum to {sum}, which makes no mean",
                    target + 1
                ));
            }
            rows.push_part(row, covered.min(1.0));
        }
        Ok(rows)
    }
}

/// A cell's index from an address.
fn address(number: f64, size: Option<usize>, what: &str, link: usize) -> Result<usize, String> {
    let most = size.unwrap_or(i32::MAX as usize);
    if number.fract() == 0.0 && number >= 1.0 && number <= most as f64 {
        return Ok(number as usize - 1);
    }
    let cells = size.map_or_else(String::new, |size| format!(" of {size}"));
    Err(format!(
        "its link {} names {what} cell {number}{cells}, which does not exist (addresses count from 1)",
        link + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(entries: &[(f64, f64, f64)]) -> Links {
        Links {
            targets: entries.iter().map(|e| e.0).collect(),
            sources: entries.iter().map(|e| e.1).collect(),
            weights: entries.iter().map(|e| e.2).collect(),
            per_link: 1,
        }
    }

    fn rows(
        entries: &[(f64, f64, f64)],
        normalization: Normalization,
    ) -> Result<SparseWeights, String> {
        links(entries).rows(
            [Some(4), Some(3)],
            None,
            normalization,
            Some(&[2.0; 3]),
            Some(&[0.5; 3]),
        )
    }

    #[test]
    fn rows_sum_to_one_with_the_covered_part_beside_them() {
        let whole = [(3.0, 1.0, 0.25), (3.0, 4.0, 0.75), (1.0, 2.0, 1.0)];
        let half = [(3.0, 1.0, 0.125), (3.0, 4.0, 0.375), (1.0, 2.0, 0.5)];
        let double = [(3.0, 1.0, 0.25), (3.0, 4.0, 0.75), (1.0, 2.0, 1.0)];
        for (entries, normalization, covered) in [
            (whole, Normalization::Points, 1.0),
            (whole, Normalization::CoveredArea, 0.5),
            (half, Normalization::TargetArea, 0.5),
            (half, Normalization::Unknown, 0.5),
            (double, Normalization::Areas, 0.5),
        ] {
            let rows = rows(&entries, normalization).unwrap();
            assert_eq!(rows.row(0), [(1, 1.0)]);
            assert_eq!(rows.row(1), []);
            assert_eq!(rows.row(2), [(0, 0.25), (3, 0.75)]);
            assert_eq!(
                (rows.covered(0), rows.covered(2)),
                (covered, covered),
                "{normalization:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_applied_is_refused_by_its_link() {
        let refused =
            |entries: &[(f64, f64, f64)]| rows(entries, Normalization::Points).unwrap_err();
        assert!(refused(&[(1.0, 5.0, 1.0)]).contains("link 1 names source cell 5 of 4"));
        assert!(
            refused(&[(1.0, 1.0, 1.0), (0.0, 1.0, 1.0)]).contains("link 2 names target cell 0")
        );
        assert!(refused(&[(1.0, 1.5, 1.0)]).contains("source cell 1.5"));
        assert!(refused(&[(1.0, 1.0, f64::NAN)]).contains("link 1 is NaN"));
        assert!(refused(&[(2.0, 1.0, 1.0), (2.0, 2.0, 1.0)]).contains("target cell 2 sum to 2"));
        assert!(refused(&[]).contains("no weights"));
    }
}
