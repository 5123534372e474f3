//! The times that a variable has, and how requested times are made of them.

use super::{Instant, TimeUnits, Times};
use crate::weights::SparseWeights;

/// Times nearer than this are the same: below any time step, above the rounding of times stored as floats.
const SAME_MICROS: i64 = 1_000;

/// How a requested time is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum TimeMethod {
    /// By that very time, or not at all.
    #[default]
    Exact,
    /// By the nearest time; a tie takes the earlier one.
    Nearest,
    /// Linearly between the times before and after.
    Linear,
}

/// The times of a variable, in the order in which its values are stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeAxis {
    /// The name of the coordinate.
    pub(crate) name: String,
    /// The code of the result's time axis: that of the first file.
    pub(crate) units: TimeUnits,
    /// One instant for each stored step, files one after another.
    pub(crate) instants: Vec<Instant>,
    /// From where to where each step reaches, if the files say so.
    pub(crate) bounds: Option<Vec<[Instant; 2]>>,
    /// The steps in the order of a result that has them all.
    pub(crate) order: Vec<usize>,
}

/// The times of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChosenTimes {
    /// When each of them is.
    pub(crate) instants: Vec<Instant>,
    /// The stored steps that each is made of.
    pub(crate) weights: SparseWeights,
    /// Whether each is a stored step as it is.
    pub(crate) as_stored: bool,
}

/// A requested time that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotThere {
    pub(crate) wanted: Instant,
    /// The stored time nearest to it.
    pub(crate) nearest: Instant,
}

impl TimeAxis {
    /// The earliest and the latest time; `None` if there is none.
    pub(crate) fn span(&self) -> Option<(Instant, Instant)> {
        Some((*self.instants.iter().min()?, *self.instants.iter().max()?))
    }

    /// What a result at the requested times is made of.
    pub(crate) fn choose(
        &self,
        times: &Times,
        method: TimeMethod,
    ) -> Result<ChosenTimes, NotThere> {
        let steps = |steps: Vec<usize>| {
            let mut weights = SparseWeights::default();
            steps.iter().for_each(|&s| weights.push_row([(s, 1.0)]));
            ChosenTimes {
                instants: steps.iter().map(|&s| self.instants[s]).collect(),
                weights,
                as_stored: true,
            }
        };
        match times {
            Times::All => Ok(steps(self.order.clone())),
            Times::Interval { first, last } => {
                let within = |s: &usize| (*first..=*last).contains(&self.instants[*s]);
                let chosen: Vec<usize> = self.order.iter().copied().filter(within).collect();
                match chosen.as_slice() {
                    [] => Err(NotThere {
                        wanted: *first,
                        nearest: self.nearest_to(*first).unwrap_or(*first),
                    }),
                    _ => Ok(steps(chosen)),
                }
            }
            Times::Instants(wanted) => {
                let mut sorted = self.order.clone();
                sorted.sort_by_key(|&s| self.instants[s]);
                let mut chosen = ChosenTimes {
                    instants: Vec::new(),
                    weights: SparseWeights::default(),
                    as_stored: true,
                };
                for &time in wanted {
                    let row = self.row(&sorted, time, method).ok_or_else(|| NotThere {
                        wanted: time,
                        nearest: self.nearest_to(time).unwrap_or(time),
                    })?;
                    let stored = matches!(row.as_slice(), &[(s, _)] if apart(self.instants[s], time) <= SAME_MICROS);
                    chosen.as_stored &= stored;
                    chosen.instants.push(if stored {
                        self.instants[row[0].0]
                    } else {
                        time
                    });
                    chosen.weights.push_row(row);
                }
                Ok(chosen)
            }
        }
    }

    /// The steps that make one time; `None` if it is not there.
    fn row(
        &self,
        sorted: &[usize],
        time: Instant,
        method: TimeMethod,
    ) -> Option<Vec<(usize, f64)>> {
        let after = sorted.partition_point(|&s| self.instants[s] < time);
        let (before, next) = (
            after.checked_sub(1).map(|i| sorted[i]),
            sorted.get(after).copied(),
        );
        let distance = |s: usize| apart(self.instants[s], time);
        let nearest = match (before, next) {
            (Some(b), Some(n)) => {
                if distance(n) < distance(b) {
                    n
                } else {
                    b
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        if distance(nearest) <= SAME_MICROS {
            return Some(vec![(nearest, 1.0)]);
        }
        match method {
            TimeMethod::Exact => None,
            TimeMethod::Nearest => {
                let between = before.is_some() && next.is_some();
                (between || self.reaches(nearest, time)).then(|| vec![(nearest, 1.0)])
            }
            TimeMethod::Linear => {
                let (before, next) = (before?, next?);
                let step = self.instants[next].micros() - self.instants[before].micros();
                let share = (time.micros() - self.instants[before].micros()) as f64 / step as f64;
                Some(vec![(before, 1.0 - share), (next, share)])
            }
        }
    }

    /// Whether a step's own bounds reach a time.
    fn reaches(&self, step: usize, time: Instant) -> bool {
        self.bounds.as_ref().is_some_and(|bounds| {
            let [a, b] = bounds[step];
            (a.min(b)..=a.max(b)).contains(&time)
        })
    }

    fn nearest_to(&self, time: Instant) -> Option<Instant> {
        self.instants
            .iter()
            .copied()
            .min_by_key(|&there| apart(there, time))
    }
}

fn apart(a: Instant, b: Instant) -> i64 {
    a.micros().saturating_sub(b.micros()).saturating_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Calendar, TimeSelection};

    /// Two files' steps, the later one first: 2, 3, 0, 1 days.
    fn axis() -> TimeAxis {
        let units = TimeUnits::parse("days since 2001-01-01", Calendar::Standard).unwrap();
        let instants: Vec<_> = [2.0, 3.0, 0.0, 1.0]
            .iter()
            .map(|&d| units.decode(d).unwrap())
            .collect();
        TimeAxis {
            name: "time".into(),
            units,
            instants,
            bounds: None,
            order: vec![2, 3, 0, 1],
        }
    }

    fn choose(text: &str, method: TimeMethod) -> Result<ChosenTimes, NotThere> {
        let selection: TimeSelection = text.parse().unwrap();
        axis().choose(&selection.resolve(Calendar::Standard).unwrap(), method)
    }

    fn rows(chosen: &ChosenTimes) -> Vec<Vec<(usize, f64)>> {
        (0..chosen.weights.len())
            .map(|t| chosen.weights.row(t).to_vec())
            .collect()
    }

    #[test]
    fn exact_times_are_found_wherever_they_are_stored() {
        let chosen = choose("2001-01-04,2001-01-01", TimeMethod::Exact).unwrap();
        assert_eq!(rows(&chosen), [[(1, 1.0)], [(2, 1.0)]]);
        assert!(chosen.as_stored);
        assert!(choose("2001-01-01T06:00", TimeMethod::Exact).is_err());
    }

    #[test]
    fn linear_takes_its_share_of_both_neighbours() {
        let chosen = choose("2001-01-02T06:00", TimeMethod::Linear).unwrap();
        assert_eq!(rows(&chosen), [[(3, 0.75), (0, 0.25)]]);
        assert!(!chosen.as_stored);
        assert!(choose("2000-12-31", TimeMethod::Linear).is_err());
        assert!(choose("2001-01-05", TimeMethod::Linear).is_err());
    }

    #[test]
    fn nearest_takes_the_earlier_of_two() {
        let chosen = choose("2001-01-02T12:00,2001-01-02T13:00", TimeMethod::Nearest).unwrap();
        assert_eq!(rows(&chosen), [[(3, 1.0)], [(0, 1.0)]]);
        assert!(choose("2001-01-04T01:00", TimeMethod::Nearest).is_err());
    }

    #[test]
    fn nearest_reaches_as_far_as_the_bounds() {
        let mut axis = axis();
        let day = 86_400_000_000;
        let half = |i: Instant| {
            [
                Instant::from_micros(i.micros() - day / 2),
                Instant::from_micros(i.micros() + day / 2),
            ]
        };
        axis.bounds = Some(axis.instants.iter().map(|&i| half(i)).collect());
        let times = |text: &str| {
            text.parse::<TimeSelection>()
                .unwrap()
                .resolve(Calendar::Standard)
                .unwrap()
        };
        assert!(
            axis.choose(&times("2001-01-04T11:00"), TimeMethod::Nearest)
                .is_ok()
        );
        assert!(
            axis.choose(&times("2001-01-04T13:00"), TimeMethod::Nearest)
                .is_err()
        );
        assert!(
            axis.choose(&times("2001-01-04T11:00"), TimeMethod::Linear)
                .is_err()
        );
    }

    #[test]
    fn a_range_takes_what_lies_within() {
        let chosen = choose("2001-01-02/2001-01-03", TimeMethod::Exact).unwrap();
        assert_eq!(rows(&chosen), [[(3, 1.0)], [(0, 1.0)]]);
        let error = choose("2005/2006", TimeMethod::Exact).unwrap_err();
        assert_eq!(error.nearest, axis().instants[1]);
    }
}
