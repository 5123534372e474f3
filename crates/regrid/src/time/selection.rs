//! The times a request asks for, and what they are in a file's calendar.

use std::str::FromStr;

use super::{Calendar, Instant, StatedTime, TimeError, TimeStep};

/// A range of more steps is taken for a mistake.
pub(super) const MOST_STEPS: u64 = 10_000_000;

/// Times as a user states them, before any calendar is known.
///
/// Read from `START/STOP`, `START/STOP/STEP` or a list with commas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimeSelection {
    /// Every time there is.
    #[default]
    All,
    /// These times.
    List(Vec<StatedTime>),
    /// From the first instant of `start` to the last of `stop`, both taking part.
    Range {
        /// Where it starts.
        start: StatedTime,
        /// Where it stops; `2011-10` means at the end of October.
        stop: StatedTime,
        /// The times at this distance from the start; without a step, whatever lies between.
        step: Option<TimeStep>,
    },
}

/// The times of a selection in one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// Every time there is.
    All,
    /// These instants, in the order of the selection.
    Instants(Vec<Instant>),
    /// Every time from `first` to `last`, both taking part.
    Interval {
        /// The earliest instant.
        first: Instant,
        /// The latest instant.
        last: Instant,
    },
}

impl TimeSelection {
    /// What the selection means in a calendar.
    ///
    /// # Errors
    /// [`TimeError::InvalidDate`] for a date that the calendar lacks, [`TimeError::Backwards`], [`TimeError::NoTimes`] for an
    /// empty list, [`TimeError::TooManySteps`] for more than 10 million, [`TimeError::OutOfRange`] for absurd years.
    pub fn resolve(&self, calendar: Calendar) -> Result<Times, TimeError> {
        match self {
            Self::All => Ok(Times::All),
            Self::List(times) if times.is_empty() => Err(TimeError::NoTimes),
            Self::List(times) => times
                .iter()
                .map(|time| time.first(calendar))
                .collect::<Result<_, _>>()
                .map(Times::Instants),
            Self::Range { start, stop, step } => {
                let (first, last) = (start.first(calendar)?, stop.last(calendar)?);
                if last < first {
                    return Err(TimeError::Backwards {
                        start: start.to_string(),
                        stop: stop.to_string(),
                    });
                }
                let Some(step) = step else {
                    return Ok(Times::Interval { first, last });
                };
                let got = most_steps(first, last, *step);
                if got > MOST_STEPS {
                    return Err(TimeError::TooManySteps {
                        start: start.to_string(),
                        stop: stop.to_string(),
                        got,
                    });
                }
                steps(first, last, *step, calendar).map(Times::Instants)
            }
        }
    }
}

impl FromStr for TimeSelection {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text.trim().is_empty() {
            return Err(TimeError::NoTimes);
        }
        if !text.contains('/') {
            return text
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map(Self::List);
        }
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [start, stop] => Ok(Self::Range {
                start: start.parse()?,
                stop: stop.parse()?,
                step: None,
            }),
            [start, stop, step] => Ok(Self::Range {
                start: start.parse()?,
                stop: stop.parse()?,
                step: Some(step.parse()?),
            }),
            _ => Err(TimeError::NotARange { text: text.into() }),
        }
    }
}

/// How many steps a range has: exact for steps of a fixed length, at most a tenth too many for months.
fn most_steps(first: Instant, last: Instant, step: TimeStep) -> u64 {
    last.micros().abs_diff(first.micros()) / step.least_micros().unsigned_abs() + 1
}

fn steps(
    first: Instant,
    last: Instant,
    step: TimeStep,
    calendar: Calendar,
) -> Result<Vec<Instant>, TimeError> {
    let mut instants = Vec::new();
    for count in 0.. {
        match step.after(first, count, calendar) {
            Ok(instant) if instant <= last => instants.push(instant),
            // Past the end of the range, or of time itself.
            Ok(_) | Err(TimeError::OutOfRange { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(instants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(text: &str) -> TimeSelection {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn shown(text: &str, calendar: Calendar) -> Vec<String> {
        let dates = |instants: &[Instant]| {
            instants
                .iter()
                .map(|&at| calendar.date_time(at).to_string())
                .collect()
        };
        match selection(text).resolve(calendar).unwrap() {
            Times::All => vec!["all".into()],
            Times::Instants(instants) => dates(&instants),
            Times::Interval { first, last } => dates(&[first, last]),
        }
    }

    #[test]
    fn a_list_gives_the_first_instant_of_each_time_in_its_order() {
        let times = shown("2011-10-02T06, 2011-10,2011", Calendar::Standard);
        assert_eq!(
            times,
            [
                "2011-10-02T06:00:00",
                "2011-10-01T00:00:00",
                "2011-01-01T00:00:00"
            ]
        );
    }

    #[test]
    fn a_range_runs_to_the_end_of_its_stop() {
        assert_eq!(
            shown("2011-09/2011-10", Calendar::Standard),
            ["2011-09-01T00:00:00", "2011-10-31T23:59:59.999999"]
        );
        assert_eq!(
            shown("2011-09/2011-10", Calendar::Day360)[1],
            "2011-10-30T23:59:59.999999"
        );
        assert_eq!(
            shown("2011-09-01/2011-09-01T12:00:00", Calendar::NoLeap)[1],
            "2011-09-01T12:00:00"
        );
        assert_eq!(
            shown("2011/2011-03", Calendar::NoLeap)[1],
            "2011-03-31T23:59:59.999999"
        );
    }

    #[test]
    fn a_step_counts_from_the_start() {
        let times = shown("2011-08-16T12/2011-08-17/PT6H", Calendar::Standard);
        assert_eq!(times.len(), 6);
        assert_eq!(times.last().unwrap(), "2011-08-17T18:00:00");
        assert_eq!(
            shown("2012-01-31/2012-04/1mon", Calendar::Standard),
            [
                "2012-01-31T00:00:00",
                "2012-02-29T00:00:00",
                "2012-03-31T00:00:00",
                "2012-04-30T00:00:00"
            ]
        );
        assert_eq!(
            shown("2012-01-01/2012-01-01T00:00:00/1d", Calendar::Standard).len(),
            1
        );
        assert_eq!(
            shown("1860-06-16/1861-06-16/30d", Calendar::Day360).len(),
            13
        );
        // The last step would leave the range of instants.
        assert_eq!(
            shown(
                "292270-01/292277-01-01T00:00:00/P1Y",
                Calendar::ProlepticGregorian
            )
            .len(),
            8
        );
    }

    #[test]
    fn mistakes_are_refused() {
        let unread = |text: &str| text.parse::<TimeSelection>().unwrap_err();
        assert_eq!(unread(" "), TimeError::NoTimes);
        assert!(matches!(
            unread("2011/2012/1d/2d"),
            TimeError::NotARange { .. }
        ));
        assert!(matches!(unread("2011/2012/0d"), TimeError::ZeroStep { .. }));
        assert!(matches!(unread("2011,,2012"), TimeError::NotATime { .. }));
        assert!(matches!(unread("/2012"), TimeError::NotATime { .. }));
        let refused = |text: &str| selection(text).resolve(Calendar::Standard).unwrap_err();
        assert_eq!(
            refused("2012/2011").to_string(),
            "the range of times runs backwards, from 2012 to 2011"
        );
        assert_eq!(
            refused("2011-02-30").to_string(),
            "2011-02-30 is not a date of the standard calendar"
        );
        assert_eq!(
            TimeSelection::List(vec![]).resolve(Calendar::Standard),
            Err(TimeError::NoTimes)
        );
        assert_eq!(
            refused("1000/2999/1ms").to_string(),
            "the range from 1000 to 2999 has 63113472000000 steps, expected at most 10000000"
        );
    }
}
