//! A time as someone wrote it, no more precise than they wrote it.

use std::fmt;
use std::str::FromStr;

use super::units::{DAY, HOUR, MINUTE};
use super::{Calendar, DateTime, Instant, TimeError, TimeStep};

/// A time as it was stated: `2011-10` is all of October 2011.
///
/// Read from ISO 8601 and from what CF files use for reference dates: `YYYY[-MM[-DD[(T| )HH[:MM[:SS[.fff]]]]]]`, after a day
/// also `Z`, `UTC`, `GMT` or an offset such as `+01:00`; years and the other numbers may be short, years negative.
///
/// ```
/// use regrid::time::{Calendar, Precision, StatedTime};
///
/// let october: StatedTime = "2011-10".parse()?;
/// assert_eq!(october.precision(), Precision::Month);
/// let last = Calendar::Standard.date_time(october.last(Calendar::Standard)?);
/// assert_eq!(last.to_string(), "2011-10-31T23:59:59.999999");
/// # Ok::<(), regrid::time::TimeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatedTime {
    date: DateTime,
    precision: Precision,
    /// Minutes that the stated clock is ahead of UTC.
    offset: i32,
}

/// The smallest part of a time that was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// `2011`
    Year,
    /// `2011-10`
    Month,
    /// `2011-10-01`
    Day,
    /// `2011-10-01T06`
    Hour,
    /// `2011-10-01T06:00`
    Minute,
    /// `2011-10-01T06:00:00`, with or without a fraction: an instant.
    Second,
}

impl StatedTime {
    /// The date and time as written; parts that were not stated are the first there are.
    pub fn date_time(&self) -> DateTime {
        self.date
    }

    /// How much of it was stated.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The first instant of what was stated: midnight for a day, 1 January for a year.
    ///
    /// # Errors
    /// [`TimeError::InvalidDate`] if the calendar lacks the date, [`TimeError::OutOfRange`] for absurd years.
    pub fn first(&self, calendar: Calendar) -> Result<Instant, TimeError> {
        let local = calendar.instant(self.date).map_err(|error| match error {
            TimeError::InvalidDate { calendar, .. } => TimeError::InvalidDate {
                date: self.to_string(),
                calendar,
            },
            other => other,
        })?;
        let utc = i128::from(local.micros()) - i128::from(self.offset) * i128::from(MINUTE);
        Instant::checked(utc).ok_or_else(|| TimeError::OutOfRange {
            time: self.to_string(),
        })
    }

    /// The last microsecond of what was stated: the end of the month for `2011-10`, the instant itself where seconds are given.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub fn last(&self, calendar: Calendar) -> Result<Instant, TimeError> {
        let first = self.first(calendar)?;
        let length = match self.precision {
            Precision::Year => TimeStep::from_months(12),
            Precision::Month => TimeStep::from_months(1),
            Precision::Day => TimeStep::from_micros(DAY),
            Precision::Hour => TimeStep::from_micros(HOUR),
            Precision::Minute => TimeStep::from_micros(MINUTE),
            Precision::Second => return Ok(first),
        };
        let next = length.after(first, 1, calendar)?;
        Ok(Instant::from_micros(next.micros() - 1))
    }
}

impl FromStr for StatedTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        stated(&mut Rest(text.trim())).ok_or_else(|| TimeError::NotATime { text: text.into() })
    }
}

impl fmt::Display for StatedTime {
    /// ISO 8601, as far as it was stated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.date.to_string();
        // The first '-' may be the sign of the year.
        let year = 1 + whole[1..].find('-').expect("a month follows the year");
        let end = match self.precision {
            Precision::Year => year,
            Precision::Month => year + "-MM".len(),
            Precision::Day => year + "-MM-DD".len(),
            Precision::Hour => year + "-MM-DDTHH".len(),
            Precision::Minute => year + "-MM-DDTHH:MM".len(),
            Precision::Second => whole.len(),
        };
        f.write_str(&whole[..end])?;
        match self.offset {
            0 => Ok(()),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}

fn stated(rest: &mut Rest<'_>) -> Option<StatedTime> {
    let sign = if rest.eat('-') { -1 } else { 1 };
    let year = sign * i64::from(rest.number(6)?);
    let mut date = DateTime {
        year,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        microsecond: 0,
    };
    let mut precision = Precision::Year;
    let mut offset = 0;
    if rest.eat('-') {
        (date.month, precision) = (rest.two_digits()?, Precision::Month);
        if rest.eat('-') {
            (date.day, precision) = (rest.two_digits()?, Precision::Day);
            if rest.starts_time_of_day() {
                precision = time_of_day(rest, &mut date)?;
            }
            offset = rest.offset()?;
        }
    }
    (rest.0.is_empty() && date.is_plausible()).then_some(StatedTime {
        date,
        precision,
        offset,
    })
}

fn time_of_day(rest: &mut Rest<'_>, date: &mut DateTime) -> Option<Precision> {
    date.hour = rest.two_digits()?;
    if !rest.eat(':') {
        return Some(Precision::Hour);
    }
    date.minute = rest.two_digits()?;
    if !rest.eat(':') {
        return Some(Precision::Minute);
    }
    date.second = rest.two_digits()?;
    if rest.eat('.') {
        date.microsecond = rest.micros();
    }
    Some(Precision::Second)
}

/// The part of a text that is not yet read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn eat(&mut self, wanted: char) -> bool {
        let after = self.0.strip_prefix(wanted);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    fn digits(&mut self) -> &'a str {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, after) = self.0.split_at(end);
        self.0 = after;
        digits
    }

    /// A number of one to `most` digits, which must be few enough for an `i32`.
    fn number(&mut self, most: usize) -> Option<i32> {
        let digits = self.digits();
        if digits.len() <= most {
            digits.parse().ok()
        } else {
            None
        }
    }

    fn two_digits(&mut self) -> Option<u8> {
        self.number(2)?.try_into().ok()
    }

    /// The digits of a fraction of a second; those after the sixth are dropped.
    fn micros(&mut self) -> u32 {
        let digits = self.digits().bytes().chain(std::iter::repeat(b'0'));
        digits
            .take(6)
            .fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'))
    }

    /// Reads the `T` or blank before an hour; a blank may also come before an offset.
    fn starts_time_of_day(&mut self) -> bool {
        if self.eat('T') || self.eat('t') {
            return true;
        }
        let after = self.0.trim_start();
        let starts = after.len() < self.0.len() && after.starts_with(|c: char| c.is_ascii_digit());
        if starts {
            self.0 = after;
        }
        starts
    }

    /// Minutes ahead of UTC, from nothing, a name of UTC, `+H`, `+HH`, `+HHMM` or `+HH:MM`.
    fn offset(&mut self) -> Option<i32> {
        self.0 = self.0.trim_start();
        if ["", "z", "utc", "gmt"].contains(&self.0.to_ascii_lowercase().as_str()) {
            self.0 = "";
            return Some(0);
        }
        let sign = if self.eat('-') {
            -1
        } else {
            self.eat('+').then_some(1)?
        };
        let digits = self.digits();
        let (hours, minutes) = match digits.len() {
            1 | 2 => (digits, if self.eat(':') { self.digits() } else { "0" }),
            4 => digits.split_at(2),
            _ => return None,
        };
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(sign * (60 * hours + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StatedTime {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn times_are_read_as_far_as_they_are_stated() {
        let cases = [
            ("2011", Precision::Year, "2011"),
            ("2011-10", Precision::Month, "2011-10"),
            ("2011-10-01", Precision::Day, "2011-10-01"),
            ("2011-10-01Z", Precision::Day, "2011-10-01"),
            ("2011-10-01T06", Precision::Hour, "2011-10-01T06"),
            ("2011-10-01 06:30", Precision::Minute, "2011-10-01T06:30"),
            (
                "2011-10-01T06:30:00",
                Precision::Second,
                "2011-10-01T06:30:00",
            ),
            (
                "2011-10-01T06:30:00.25Z",
                Precision::Second,
                "2011-10-01T06:30:00.25",
            ),
            ("1-1-1 00:00:0.0", Precision::Second, "0001-01-01T00:00:00"),
            ("0-1-1", Precision::Day, "0000-01-01"),
            ("-4712-01-01 12:00", Precision::Minute, "-4712-01-01T12:00"),
            ("-44-3", Precision::Month, "-0044-03"),
            (
                "1970-01-01 00:00:00 UTC",
                Precision::Second,
                "1970-01-01T00:00:00",
            ),
            (
                "1970-1-1 0:0:0 +01:00",
                Precision::Second,
                "1970-01-01T00:00:00+01:00",
            ),
            (
                "1992-10-8 15:15:42.5 -6:00",
                Precision::Second,
                "1992-10-08T15:15:42.5-06:00",
            ),
            (
                "1970-01-01T00:00-0330",
                Precision::Minute,
                "1970-01-01T00:00-03:30",
            ),
            ("1970-01-01 +2", Precision::Day, "1970-01-01+02:00"),
            ("  1970-01-01  06  ", Precision::Hour, "1970-01-01T06"),
        ];
        for (text, precision, shown) in cases {
            let time = parsed(text);
            assert_eq!(
                (time.precision(), time.to_string()),
                (precision, shown.to_owned()),
                "{text}"
            );
            assert_eq!(parsed(shown), time);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "-",
            "tomorrow",
            "20111001",
            "2011-",
            "2011-10-",
            "2011-13",
            "2011-00",
            "2011-10-32",
            "2011-10-01T",
            "2011-10-01T24",
            "2011-10-01T06:60",
            "2011-10-01T06:00:60",
            "2011-10-01T06:00:00+24:00",
            "2011-10-01 06:00 CET",
            "2011-10-01T06:00:00Zulu",
            "2011/10/01",
            "2011-10-001",
            "2011-10Z",
            "2011-10-01T06:00:00 +123",
            "９-1-1",
            "2011-10-01T06:00+",
        ] {
            assert_eq!(
                text.parse::<StatedTime>(),
                Err(TimeError::NotATime { text: text.into() })
            );
        }
    }

    #[test]
    fn an_offset_is_taken_from_the_clock() {
        let first = |text| parsed(text).first(Calendar::Standard).unwrap();
        assert_eq!(first("1970-01-01T01:00+01:00"), Instant::from_micros(0));
        assert_eq!(first("1969-12-31T20:30-03:30"), Instant::from_micros(0));
    }

    #[test]
    fn a_period_ends_just_before_the_next_begins() {
        let last = |text: &str, calendar: Calendar| {
            let last = parsed(text).last(calendar).unwrap();
            let next = Instant::from_micros(last.micros() + 1);
            calendar.date_time(next).to_string()
        };
        assert_eq!(last("2011", Calendar::Standard), "2012-01-01T00:00:00");
        assert_eq!(last("-1", Calendar::Standard), "0001-01-01T00:00:00");
        assert_eq!(last("2011-02", Calendar::Day360), "2011-03-01T00:00:00");
        assert_eq!(last("2012-02", Calendar::NoLeap), "2012-03-01T00:00:00");
        assert_eq!(
            last("1582-10-04", Calendar::Standard),
            "1582-10-15T00:00:00"
        );
        assert_eq!(
            last("2011-12-31T23", Calendar::Standard),
            "2012-01-01T00:00:00"
        );
        assert_eq!(
            last("2011-12-31T23:58", Calendar::Standard),
            "2011-12-31T23:59:00"
        );
        assert_eq!(
            last("2011-12-31T23:58:00", Calendar::Standard),
            "2011-12-31T23:58:00.000001"
        );
    }
}
