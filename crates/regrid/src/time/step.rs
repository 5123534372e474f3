//! Steps between times: so many months and so many microseconds.

use std::str::FromStr;

use super::units::{DAY, HOUR, Length, MINUTE, SECOND, WEEK, unit_length};
use super::{Calendar, Instant, TimeError};

/// A step forward in time, never zero.
///
/// Read from an ISO 8601 duration (`P1D`, `PT6H`, `P1Y2M`, `P1W`) or a number and a unit (`6h`, `30min`, `1d`, `1mon`, `1y`).
/// Months and years are as long as the calendar has them; all else has a fixed length, and may have a decimal fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeStep {
    months: i64,
    micros: i64,
}

/// Longer steps would leave the range of instants at once.
const MOST_MONTHS: i64 = 12 * 600_000;

impl TimeStep {
    pub(super) const fn from_months(months: i64) -> Self {
        Self { months, micros: 0 }
    }

    pub(super) const fn from_micros(micros: i64) -> Self {
        Self { months: 0, micros }
    }

    /// The instant `count` steps after another.
    ///
    /// Months are counted from `start` and the day is then cut to the length of the month, so 31 January and a month is the end of
    /// February, and two months 31 March.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] beyond 290 000 years.
    pub fn after(
        self,
        start: Instant,
        count: i64,
        calendar: Calendar,
    ) -> Result<Instant, TimeError> {
        let out_of_range = || TimeError::OutOfRange {
            time: format!("{} and {count} steps", calendar.date_time(start)),
        };
        let mut moved = start;
        if self.months != 0 {
            let months = self.months.checked_mul(count).ok_or_else(out_of_range)?;
            let date = calendar
                .months_later(calendar.date_time(start), months)
                .ok_or_else(out_of_range)?;
            moved = calendar.instant(date)?;
        }
        let micros = i128::from(self.micros) * i128::from(count);
        Instant::checked(i128::from(moved.micros()) + micros).ok_or_else(out_of_range)
    }

    /// Microseconds that a step lasts at least, in any calendar.
    pub(super) fn least_micros(self) -> i64 {
        (self.months * 28 * DAY).saturating_add(self.micros)
    }

    fn plus(self, number: &str, length: Length) -> Option<Self> {
        let count: f64 = number.parse().ok()?;
        let (unit, most) = match length {
            Length::Micros(micros) => (micros, i64::MAX / 4),
            Length::Months(months) => (months, MOST_MONTHS),
        };
        let amount = count * unit as f64;
        if amount > most as f64 {
            return None;
        }
        Some(match length {
            Length::Micros(_) => Self {
                micros: self.micros.checked_add(amount.round() as i64)?,
                ..self
            },
            Length::Months(_) if count.fract() == 0.0 => Self {
                months: self.months + amount as i64,
                ..self
            },
            Length::Months(_) => return None,
        })
    }
}

impl FromStr for TimeStep {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        let step = match trimmed.strip_prefix(['P', 'p']) {
            Some(parts) => iso_duration(parts),
            None => short_form(trimmed),
        };
        match step {
            Some(Self {
                months: 0,
                micros: 0,
            }) => Err(TimeError::ZeroStep { text: text.into() }),
            Some(step) => Ok(step),
            None => Err(TimeError::NotAStep { text: text.into() }),
        }
    }
}

fn short_form(text: &str) -> Option<TimeStep> {
    let (number, unit) = split_number(text)?;
    TimeStep::from_months(0).plus(number, unit_length(unit.trim_start())?)
}

/// The parts after the `P`, each at most once and in order of size.
fn iso_duration(parts: &str) -> Option<TimeStep> {
    let (date, time) = parts
        .split_once(['T', 't'])
        .map_or((parts, None), |(date, time)| (date, Some(time)));
    let dates = [
        ('Y', Length::Months(12)),
        ('M', Length::Months(1)),
        ('W', Length::Micros(WEEK)),
        ('D', Length::Micros(DAY)),
    ];
    let times = [
        ('H', Length::Micros(HOUR)),
        ('M', Length::Micros(MINUTE)),
        ('S', Length::Micros(SECOND)),
    ];
    if date.is_empty() && time.is_none() || time == Some("") {
        return None;
    }
    let step = iso_parts(TimeStep::from_months(0), date, &dates)?;
    iso_parts(step, time.unwrap_or(""), &times)
}

fn iso_parts(
    mut step: TimeStep,
    mut text: &str,
    designators: &[(char, Length)],
) -> Option<TimeStep> {
    let mut designators = designators.iter();
    while !text.is_empty() {
        let (number, rest) = split_number(text)?;
        let designator = rest.chars().next()?;
        let (_, length) = designators.find(|(known, _)| known.eq_ignore_ascii_case(&designator))?;
        step = step.plus(number, *length)?;
        text = &rest[1..];
    }
    Some(step)
}

/// A number without a sign, and what follows it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> TimeStep {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn steps_are_read_in_both_forms() {
        for (iso, short) in [
            ("PT6H", "6h"),
            ("P1D", "1d"),
            ("PT30M", "30min"),
            ("P1M", "1mon"),
            ("P1Y", "1y"),
            ("P2W", "2 weeks"),
            ("PT0.5S", "500ms"),
            ("pt90m", "1.5h"),
        ] {
            assert_eq!(step(iso), step(short), "{iso}");
        }
        assert_eq!(
            step("P1Y2M3DT4H"),
            TimeStep {
                months: 14,
                micros: 3 * DAY + 4 * HOUR
            }
        );
        assert_eq!(step("P1Y"), step("12mon"));
    }

    #[test]
    fn other_texts_and_zero_are_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1",
            "h",
            "6",
            "-6h",
            "P-1D",
            "1m",
            "6x",
            "P1DT",
            "P1H",
            "P1D1Y",
            "P1D1D",
            "1.5mon",
            "P0.5Y",
            "1..5h",
            "1e300y",
            "99999999999999999999h",
            "P1é",
            "6é",
        ] {
            assert_eq!(
                text.parse::<TimeStep>(),
                Err(TimeError::NotAStep { text: text.into() })
            );
        }
        for text in ["0h", "P0D", "PT0S", "P0Y0M", "0.0000001s"] {
            assert_eq!(
                text.parse::<TimeStep>(),
                Err(TimeError::ZeroStep { text: text.into() })
            );
        }
    }

    #[test]
    fn months_are_cut_to_their_length_without_drift() {
        let dates = |start: &str, text: &str, calendar: Calendar| {
            let start = start
                .parse::<crate::time::StatedTime>()
                .unwrap()
                .first(calendar)
                .unwrap();
            [1, 2, 3].map(|count| {
                calendar
                    .date_time(step(text).after(start, count, calendar).unwrap())
                    .to_string()[..10]
                    .to_owned()
            })
        };
        assert_eq!(
            dates("2012-01-31", "1mon", Calendar::Standard),
            ["2012-02-29", "2012-03-31", "2012-04-30"]
        );
        assert_eq!(
            dates("2012-01-31", "1mon", Calendar::NoLeap),
            ["2012-02-28", "2012-03-31", "2012-04-30"]
        );
        assert_eq!(
            dates("2012-01-30", "1mon", Calendar::Day360),
            ["2012-02-30", "2012-03-30", "2012-04-30"]
        );
        assert_eq!(
            dates("2012-02-29", "1y", Calendar::Standard),
            ["2013-02-28", "2014-02-28", "2015-02-28"]
        );
        assert_eq!(
            dates("2011-12-31", "P1M1D", Calendar::Standard),
            ["2012-02-01", "2012-03-02", "2012-04-03"]
        );
        assert_eq!(
            dates("1582-09-10", "1mon", Calendar::Standard),
            ["1582-10-15", "1582-11-10", "1582-12-10"]
        );
        assert_eq!(
            dates("-1-12-01", "1mon", Calendar::Julian),
            ["0001-01-01", "0001-02-01", "0001-03-01"]
        );
    }

    #[test]
    fn a_step_out_of_range_is_an_error() {
        let far = Instant::from_micros(i64::MAX);
        for text in ["1s", "1mon", "500000y"] {
            assert!(
                matches!(
                    step(text).after(far, 1, Calendar::Standard),
                    Err(TimeError::OutOfRange { .. })
                ),
                "{text}"
            );
        }
    }
}
