//! `UNIT since DATE`: numbers in a file to instants and back.

use std::fmt;

use super::{Calendar, Instant, StatedTime, TimeError};

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day: every calendar of CF's has days of 24 hours.
pub(super) const DAY: i64 = 24 * HOUR;
/// Microseconds in a week.
pub(super) const WEEK: i64 = 7 * DAY;

/// The units of a time axis in its calendar, such as `hours since 1970-01-01 00:00:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeUnits {
    text: String,
    /// Microseconds.
    unit: i64,
    reference: Instant,
    calendar: Calendar,
}

impl TimeUnits {
    /// Reads the `units` attribute of a time variable whose `calendar` is known.
    ///
    /// # Errors
    /// [`TimeError::NotUnits`] for another form, [`TimeError::UnknownUnit`], [`TimeError::NoFixedLength`] for months and
    /// years, [`TimeError::NotATime`] or [`TimeError::InvalidDate`] for the reference date.
    /// # Source
    /// CF conventions 1.11, section 4.4; spellings of the units from UDUNITS 2.
    pub fn parse(text: &str, calendar: Calendar) -> Result<Self, TimeError> {
        let not_units = || TimeError::NotUnits { units: text.into() };
        let (unit, rest) = text
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(not_units)?;
        let (since, reference) = rest
            .trim_start()
            .split_once(char::is_whitespace)
            .ok_or_else(not_units)?;
        if !["since", "after", "from", "ref", "@"].contains(&since.to_ascii_lowercase().as_str()) {
            return Err(not_units());
        }
        let unit = match unit_length(unit) {
            Some(Length::Micros(micros)) => micros,
            // There every month has 30 days.
            Some(Length::Months(months)) if calendar == Calendar::Day360 => months * 30 * DAY,
            Some(Length::Months(months)) => {
                let unit = if months == 1 { "month" } else { "year" };
                return Err(TimeError::NoFixedLength {
                    unit,
                    units: text.into(),
                });
            }
            None => {
                return Err(TimeError::UnknownUnit {
                    unit: unit.into(),
                    units: text.into(),
                });
            }
        };
        let reference = reference.parse::<StatedTime>()?.first(calendar)?;
        Ok(Self {
            text: text.into(),
            unit,
            reference,
            calendar,
        })
    }

    /// The calendar that the reference date is of.
    pub fn calendar(&self) -> Calendar {
        self.calendar
    }

    /// The instant that a number stands for.
    ///
    /// Whole numbers are exact. A fraction is rounded to the microsecond, or, where doubles of that size lie too far apart to
    /// mean one (fractions of days since year 1, say), to the millisecond or second: so that the same hour written
    /// against two reference dates is the same instant.
    ///
    /// # Errors
    /// [`TimeError::NotFinite`] for NaN and infinities, [`TimeError::OutOfRange`] beyond 290 000 years.
    pub fn decode(&self, value: f64) -> Result<Instant, TimeError> {
        if !value.is_finite() {
            return Err(TimeError::NotFinite {
                value,
                units: self.text.clone(),
            });
        }
        let whole = value.trunc();
        let fraction = value - whole;
        // The conversion saturates, far out of range.
        let exact = (whole as i128)
            .saturating_mul(i128::from(self.unit))
            .saturating_add((fraction * self.unit as f64).round() as i128)
            .saturating_add(i128::from(self.reference.micros()));
        let quantum = if fraction == 0.0 {
            1
        } else {
            self.quantum(value)
        };
        Instant::checked(round_to(exact, quantum)).ok_or_else(|| TimeError::OutOfRange {
            time: format!("{value} {}", self.text),
        })
    }

    /// The number that stands for an instant: exact for whole units, else the nearest double or its neighbour.
    pub fn encode(&self, instant: Instant) -> f64 {
        let micros = i128::from(instant.micros()) - i128::from(self.reference.micros());
        let unit = i128::from(self.unit);
        (micros / unit) as f64 + (micros % unit) as f64 / self.unit as f64
    }

    /// The finest of microsecond, millisecond and second that a value with a fraction can tell apart.
    fn quantum(&self, value: f64) -> i128 {
        let spacing = (value.abs().next_up() - value.abs()) * self.unit as f64;
        // Writers reach a fraction by a sum or two: a few neighbours of the nearest double mean the same time.
        let slack = 4.0 * spacing;
        [1, 1_000]
            .into_iter()
            .find(|&quantum| slack <= quantum as f64)
            .unwrap_or(SECOND.into())
    }
}

impl fmt::Display for TimeUnits {
    /// The text they were read from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn round_to(value: i128, quantum: i128) -> i128 {
    if quantum == 1 {
        value
    } else {
        (value + quantum / 2).div_euclid(quantum) * quantum
    }
}

/// How long one of a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Always the same.
    Micros(i64),
    /// As long as the calendar says.
    Months(i64),
}

/// The length of a unit by any of its spellings.
pub(super) fn unit_length(word: &str) -> Option<Length> {
    Some(match word.to_ascii_lowercase().as_str() {
        "us" | "usec" | "usecs" | "microsec" | "microsecs" | "microsecond" | "microseconds" => {
            Length::Micros(1)
        }
        "ms" | "msec" | "msecs" | "millisec" | "millisecs" | "millisecond" | "milliseconds" => {
            Length::Micros(1_000)
        }
        "s" | "sec" | "secs" | "second" | "seconds" => Length::Micros(SECOND),
        "min" | "mins" | "minute" | "minutes" => Length::Micros(MINUTE),
        "h" | "hr" | "hrs" | "hour" | "hours" => Length::Micros(HOUR),
        "d" | "day" | "days" => Length::Micros(DAY),
        "w" | "week" | "weeks" => Length::Micros(WEEK),
        "mon" | "mons" | "month" | "months" => Length::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Length::Months(12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(units: &str, calendar: Calendar, value: f64) -> String {
        let units = TimeUnits::parse(units, calendar).unwrap();
        calendar.date_time(units.decode(value).unwrap()).to_string()
    }

    /// Dates as cftime 1.6.6 decodes them.
    #[test]
    fn values_decode_to_the_dates_of_cftime() {
        use Calendar::*;
        let hours = "hours since 1970-01-01 00:00:00";
        let cases = [
            (hours, Day360, -946_800.0, "1860-06-01T00:00:00"),
            (hours, Day360, -946_440.0, "1860-06-16T00:00:00"),
            (hours, Standard, -946_800.0, "1861-12-28T00:00:00"),
            (hours, Julian, -946_800.0, "1861-12-29T00:00:00"),
            (hours, ProlepticGregorian, -946_440.0, "1862-01-12T00:00:00"),
            (hours, NoLeap, -946_440.0, "1861-12-17T00:00:00"),
            (hours, AllLeap, -946_440.0, "1862-04-03T00:00:00"),
            (
                "hours since 1970-01-01 00:00:00 +01:00",
                Standard,
                12.0,
                "1970-01-01T11:00:00",
            ),
            (
                "seconds since 1582-10-04",
                Standard,
                86_400.0,
                "1582-10-15T00:00:00",
            ),
            (
                "seconds since 1582-10-04",
                Julian,
                86_400.0,
                "1582-10-05T00:00:00",
            ),
            (
                "days since 0001-01-01",
                Standard,
                700_000.0,
                "1917-07-14T00:00:00",
            ),
            (
                "days since -1-01-01",
                Standard,
                700_000.0,
                "1916-07-13T00:00:00",
            ),
            (
                "days since -4712-01-01 12:00",
                Standard,
                700_000.0,
                "-2796-07-01T12:00:00",
            ),
            (
                "days since 0000-01-01",
                NoLeap,
                700_000.0,
                "1917-10-23T00:00:00",
            ),
            ("days since 1850-01-01", Day360, 0.1, "1850-01-01T02:24:00"),
        ];
        for (units, calendar, value, expected) in cases {
            assert_eq!(
                shown(units, calendar, value),
                expected,
                "{value} {units}, {calendar}"
            );
        }
    }

    #[test]
    fn units_are_known_by_every_spelling() {
        let spellings = [
            ("us usec microsecond Microseconds", 1),
            ("ms msec msecs millisecond milliseconds", 1_000),
            ("s sec secs second seconds", SECOND),
            ("min mins minute minutes", MINUTE),
            ("h hr hrs hour HOURS", HOUR),
            ("d day days Days", DAY),
            ("week weeks", WEEK),
        ];
        for (words, expected) in spellings {
            for word in words.split(' ') {
                let units = TimeUnits::parse(&format!("{word} since 1970-1-1"), Calendar::Standard)
                    .unwrap();
                assert_eq!(
                    units.decode(1.0),
                    Ok(Instant::from_micros(expected)),
                    "{word}"
                );
            }
        }
    }

    #[test]
    fn the_same_hour_against_two_references_is_the_same_instant() {
        let [near, far, old] = [
            "hours since 2010-08-01",
            "days since 0001-01-01",
            "days since 1900-01-01T06:00",
        ]
        .map(|text| TimeUnits::parse(text, Calendar::Standard).unwrap());
        for hour in 0..100 {
            let instant = near.decode(f64::from(hour)).unwrap();
            assert_eq!(far.decode(far.encode(instant)), Ok(instant));
            // As a model would add it up: a neighbour of the nearest double.
            assert_eq!(old.decode(old.encode(instant).next_up()), Ok(instant));
        }
    }

    #[test]
    fn months_and_years_are_refused_with_the_reason() {
        let error = TimeUnits::parse("months since 2000-01-01", Calendar::Standard).unwrap_err();
        assert_eq!(
            error.to_string(),
            "'months since 2000-01-01': a month has no fixed length, so its multiples name no dates; use days"
        );
        let error = TimeUnits::parse("years since 2000-01-01", Calendar::Standard).unwrap_err();
        assert!(matches!(
            error,
            TimeError::NoFixedLength { unit: "year", .. }
        ));
    }

    #[test]
    fn other_texts_are_refused() {
        let error = |text| TimeUnits::parse(text, Calendar::NoLeap).unwrap_err();
        for text in [
            "",
            "K",
            "hours",
            "hours since",
            "hours before 1970-01-01",
            "day as %Y%m%d.%f",
        ] {
            assert!(matches!(error(text), TimeError::NotUnits { .. }), "{text}");
        }
        assert!(matches!(
            error("fortnights since 1970-01-01"),
            TimeError::UnknownUnit { .. }
        ));
        assert!(matches!(
            error("days since yesterday"),
            TimeError::NotATime { .. }
        ));
        assert_eq!(
            error("days since 2012-2-29").to_string(),
            "2012-02-29 is not a date of the noleap calendar"
        );
    }

    #[test]
    fn values_that_are_no_time_are_refused() {
        let units = TimeUnits::parse("days since 1970-01-01", Calendar::Standard).unwrap();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(
                matches!(units.decode(value), Err(TimeError::NotFinite { .. })),
                "{value}"
            );
        }
        for value in [1e20, -1e20, 9.96921e36, f64::MAX, f64::MIN] {
            assert!(
                matches!(units.decode(value), Err(TimeError::OutOfRange { .. })),
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn values_come_back_in_every_calendar(
            index in 0..Calendar::ALL.len(),
            unit in 0..7_usize,
            whole in -1_000_000..1_000_000_i32,
            millis in 0..86_400_000_i64,
        ) {
            let unit = ["us", "ms", "s", "min", "h", "d", "weeks"][unit];
            let units = TimeUnits::parse(&format!("{unit} since 1850-1-1"), Calendar::ALL[index]).unwrap();
            let instant = units.decode(whole.into()).unwrap();
            prop_assert_eq!(units.encode(instant), f64::from(whole));
            let later = Instant::from_micros(instant.micros() + millis * 1_000);
            prop_assert_eq!(units.decode(units.encode(later)), Ok(later));
        }
    }
}
