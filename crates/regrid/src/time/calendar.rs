//! The calendars of CF, and the way between a date and an exact instant.
//!
//! Days are counted from 1 January of year 1 by closed formulas; nothing here loops over years. Inside, years are
//! astronomical (1, 0, -1, ...); a date of the two historical calendars has no year 0, as its calendar has none.

use std::fmt;
use std::str::FromStr;

use super::TimeError;
use super::units::{DAY, HOUR, MINUTE, SECOND};

/// A calendar of the CF conventions.
///
/// # Source
/// CF conventions 1.11, section 4.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Calendar {
    /// Julian to 4 October 1582, then Gregorian from 15 October 1582: `standard`, `gregorian`; a file's default.
    #[default]
    Standard,
    /// Gregorian at all times: `proleptic_gregorian`.
    ProlepticGregorian,
    /// Julian at all times: `julian`.
    Julian,
    /// No leap years: `noleap`, `365_day`.
    NoLeap,
    /// Only leap years: `all_leap`, `366_day`.
    AllLeap,
    /// Twelve months of 30 days: `360_day`.
    Day360,
}

/// A point in time, in microseconds since 1970-01-01 00:00:00 UTC of its calendar.
///
/// Instants of one calendar compare and subtract, whatever the reference dates of the files they come from. Instants of
/// two calendars have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

/// A date and time of day, of no particular calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    /// Year; negative before year 1 (and -1 comes just before 1 in the standard and Julian calendars).
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59: no calendar of CF's has leap seconds.
    pub second: u8,
    /// Microsecond, 0 to 999999.
    pub microsecond: u32,
}

/// A year, a month and a day; years are astronomical.
type Civil = (i64, u8, u8);

/// Where the standard calendar leaves the Julian one.
const FIRST_GREGORIAN: Civil = (1582, 10, 15);
/// The days that 1 January of year 1 comes earlier in the Julian calendar than in the Gregorian one.
const JULIAN_LEAD: i64 = 2;
/// Years farther off cannot be counted in microseconds.
const FARTHEST_YEAR: i64 = 300_000;

impl Calendar {
    /// Every calendar, in the order of CF's list.
    pub const ALL: [Self; 6] = [
        Self::Standard,
        Self::ProlepticGregorian,
        Self::Julian,
        Self::NoLeap,
        Self::AllLeap,
        Self::Day360,
    ];

    /// The instant at which this calendar shows a date and time (UTC).
    ///
    /// # Errors
    /// [`TimeError::InvalidDate`] if the calendar lacks the date; [`TimeError::OutOfRange`] for absurd years.
    pub fn instant(self, date: DateTime) -> Result<Instant, TimeError> {
        let out_of_range = || TimeError::OutOfRange {
            time: date.to_string(),
        };
        if date.year.abs() > FARTHEST_YEAR {
            return Err(out_of_range());
        }
        let year = self.astronomical(date.year);
        if !date.is_plausible() || !self.has(date) {
            return Err(TimeError::InvalidDate {
                date: date.to_string(),
                calendar: self,
            });
        }
        let days = self.day_number((year, date.month, date.day)) - self.day_number((1970, 1, 1));
        let time = i64::from(date.hour) * HOUR
            + i64::from(date.minute) * MINUTE
            + i64::from(date.second) * SECOND
            + i64::from(date.microsecond);
        Instant::checked(i128::from(days) * i128::from(DAY) + i128::from(time))
            .ok_or_else(out_of_range)
    }

    /// What this calendar shows at an instant (UTC).
    pub fn date_time(self, instant: Instant) -> DateTime {
        let days = instant.0.div_euclid(DAY) + self.day_number((1970, 1, 1));
        let time = instant.0.rem_euclid(DAY);
        let (year, month, day) = self.civil(days);
        DateTime {
            year: self.stated(year),
            month,
            day,
            hour: (time / HOUR) as u8,
            minute: (time % HOUR / MINUTE) as u8,
            second: (time % MINUTE / SECOND) as u8,
            microsecond: (time % SECOND) as u32,
        }
    }

    /// The date `months` months after another, the day cut to the length of the month it falls in.
    pub(super) fn months_later(self, date: DateTime, months: i64) -> Option<DateTime> {
        let index = self.astronomical(date.year) * 12 + i64::from(date.month) - 1;
        let index = index.checked_add(months)?;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) as u8 + 1);
        let later = DateTime {
            year: self.stated(year),
            month,
            day: date
                .day
                .min(self.month_lengths(year)[usize::from(month) - 1]),
            ..date
        };
        // The standard calendar's gap: the day after it.
        Some(if self.has(later) {
            later
        } else {
            DateTime {
                day: FIRST_GREGORIAN.2,
                ..later
            }
        })
    }

    /// Whether this calendar has the day of a plausible date.
    fn has(self, date: DateTime) -> bool {
        let year = self.astronomical(date.year);
        let no_year_zero = date.year == 0 && self.skips_year_zero();
        let in_the_gap = self == Self::Standard
            && (1582, 10, 5) <= (year, date.month, date.day)
            && (year, date.month, date.day) < FIRST_GREGORIAN;
        let length = self.month_lengths(year)[usize::from(date.month) - 1];
        !no_year_zero && !in_the_gap && date.day <= length
    }

    fn skips_year_zero(self) -> bool {
        matches!(self, Self::Standard | Self::Julian)
    }

    fn astronomical(self, stated: i64) -> i64 {
        if stated < 0 && self.skips_year_zero() {
            stated + 1
        } else {
            stated
        }
    }

    fn stated(self, astronomical: i64) -> i64 {
        if astronomical <= 0 && self.skips_year_zero() {
            astronomical - 1
        } else {
            astronomical
        }
    }

    /// Days from 1 January of year 1 to a date; for the standard calendar to the Gregorian one's year 1.
    fn day_number(self, (year, month, day): Civil) -> i64 {
        if self == Self::Standard {
            return if (year, month, day) >= FIRST_GREGORIAN {
                Self::ProlepticGregorian.day_number((year, month, day))
            } else {
                Self::Julian.day_number((year, month, day)) - JULIAN_LEAD
            };
        }
        let months = self.month_lengths(year);
        let before: i64 = months[..usize::from(month) - 1]
            .iter()
            .map(|&length| i64::from(length))
            .sum();
        self.days_before_year(year) + before + i64::from(day) - 1
    }

    /// The date that [`day_number`](Self::day_number) counts to.
    fn civil(self, days: i64) -> Civil {
        if self == Self::Standard {
            return if days >= Self::ProlepticGregorian.day_number(FIRST_GREGORIAN) {
                Self::ProlepticGregorian.civil(days)
            } else {
                Self::Julian.civil(days + JULIAN_LEAD)
            };
        }
        let (cycle_days, cycle_years) = self.cycle();
        let guess = (days * cycle_years).div_euclid(cycle_days) + 1;
        // Leap days fall unevenly within a cycle, so the guess may be one year off.
        let year = (guess - 1..=guess + 1)
            .rev()
            .find(|&year| self.days_before_year(year) <= days)
            .expect("the mean year is at most a year off");
        let mut left = days - self.days_before_year(year);
        for (month, length) in (1..).zip(self.month_lengths(year)) {
            if left < i64::from(length) {
                return (year, month, left as u8 + 1);
            }
            left -= i64::from(length);
        }
        unreachable!("day {left} past the end of year {year}");
    }

    /// Days and years of the cycle after which leap years repeat.
    fn cycle(self) -> (i64, i64) {
        match self {
            Self::Standard | Self::ProlepticGregorian => (146_097, 400),
            Self::Julian => (1461, 4),
            Self::NoLeap => (365, 1),
            Self::AllLeap => (366, 1),
            Self::Day360 => (360, 1),
        }
    }

    /// Days from 1 January of year 1 to 1 January of a year, in a calendar of one rule.
    fn days_before_year(self, year: i64) -> i64 {
        let past = year - 1;
        match self {
            Self::Standard | Self::ProlepticGregorian => {
                365 * past + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
            }
            Self::Julian => 365 * past + past.div_euclid(4),
            Self::NoLeap | Self::AllLeap | Self::Day360 => self.cycle().0 * past,
        }
    }

    fn month_lengths(self, year: i64) -> [u8; 12] {
        let divides = |n: i64| year.rem_euclid(n) == 0;
        let leap = match self {
            Self::Day360 => return [30; 12],
            Self::NoLeap => false,
            Self::AllLeap => true,
            Self::Julian => divides(4),
            Self::Standard if year <= FIRST_GREGORIAN.0 => divides(4),
            Self::Standard | Self::ProlepticGregorian => {
                divides(4) && (!divides(100) || divides(400))
            }
        };
        [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ]
    }
}

impl FromStr for Calendar {
    type Err = TimeError;

    /// The calendar of a CF name, in any case.
    fn from_str(name: &str) -> Result<Self, TimeError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "standard" | "gregorian" => Ok(Self::Standard),
            "proleptic_gregorian" => Ok(Self::ProlepticGregorian),
            "julian" => Ok(Self::Julian),
            "noleap" | "365_day" => Ok(Self::NoLeap),
            "all_leap" | "366_day" => Ok(Self::AllLeap),
            "360_day" => Ok(Self::Day360),
            _ => Err(TimeError::UnknownCalendar { name: name.into() }),
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Standard => "standard",
            Self::ProlepticGregorian => "proleptic_gregorian",
            Self::Julian => "julian",
            Self::NoLeap => "noleap",
            Self::AllLeap => "all_leap",
            Self::Day360 => "360_day",
        })
    }
}

impl Instant {
    /// The instant this many microseconds after 1970-01-01 00:00:00 UTC.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 00:00:00 UTC.
    pub fn micros(self) -> i64 {
        self.0
    }

    pub(super) fn checked(micros: i128) -> Option<Self> {
        i64::try_from(micros).ok().map(Self)
    }
}

impl DateTime {
    /// Whether some calendar might have this date.
    pub(super) fn is_plausible(&self) -> bool {
        (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.microsecond < 1_000_000
    }
}

impl fmt::Display for DateTime {
    /// ISO 8601, with a fraction of a second only where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.year < 0 { "-" } else { "" };
        write!(
            f,
            "{sign}{:04}-{:02}-{:02}",
            self.year.unsigned_abs(),
            self.month,
            self.day
        )?;
        write!(f, "T{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.microsecond != 0 {
            let digits = format!("{:06}", self.microsecond);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn midnight(year: i64, month: u8, day: u8) -> DateTime {
        DateTime {
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            microsecond: 0,
        }
    }

    fn days(calendar: Calendar, year: i64, month: u8, day: u8) -> i64 {
        calendar
            .instant(midnight(year, month, day))
            .unwrap()
            .micros()
            / DAY
    }

    /// The day after another, from the rules in words: nothing shared with the code under test.
    fn next(calendar: Calendar, (year, month, day): Civil) -> Civil {
        if calendar == Calendar::Standard && (year, month, day) == (1582, 10, 4) {
            return (1582, 10, 15);
        }
        let julian = year % 4 == 0;
        let gregorian = julian && (year % 100 != 0 || year % 400 == 0);
        let february = match calendar {
            Calendar::Standard if year < 1582 => {
                if julian {
                    29
                } else {
                    28
                }
            }
            Calendar::Standard | Calendar::ProlepticGregorian => {
                if gregorian {
                    29
                } else {
                    28
                }
            }
            Calendar::Julian => {
                if julian {
                    29
                } else {
                    28
                }
            }
            Calendar::NoLeap => 28,
            Calendar::AllLeap => 29,
            Calendar::Day360 => 30,
        };
        let length = match month {
            2 => february,
            _ if calendar == Calendar::Day360 => 30,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (day == length, month) {
            (false, _) => (year, month, day + 1),
            (true, 12) => (year + 1, 1, 1),
            (true, _) => (year, month + 1, 1),
        }
    }

    #[test]
    fn days_equal_a_walk_from_1500_to_2100() {
        for calendar in Calendar::ALL {
            let mut date = (1500, 1, 1);
            let mut count = days(calendar, 1500, 1, 1);
            while date.0 < 2100 {
                assert_eq!(
                    days(calendar, date.0, date.1, date.2),
                    count,
                    "{calendar} {date:?}"
                );
                let shown = calendar.date_time(Instant(count * DAY));
                assert_eq!(
                    (shown.year, shown.month, shown.day),
                    date,
                    "{calendar} day {count}"
                );
                date = next(calendar, date);
                count += 1;
            }
        }
    }

    /// Days since 1970-01-01 as cftime 1.6.6 counts them.
    #[test]
    fn days_equal_those_of_cftime() {
        let cases = [
            (Calendar::Standard, (1, 1, 1), -719_164),
            (Calendar::Standard, (-1, 1, 1), -719_530),
            (Calendar::Standard, (1582, 10, 4), -141_428),
            (Calendar::Standard, (1582, 10, 15), -141_427),
            (Calendar::Julian, (1, 1, 1), -719_177),
            (Calendar::Julian, (-1, 1, 1), -719_543),
            (Calendar::ProlepticGregorian, (1, 1, 1), -719_162),
            (Calendar::ProlepticGregorian, (0, 1, 1), -719_528),
            (Calendar::ProlepticGregorian, (-1, 1, 1), -719_893),
            (Calendar::NoLeap, (1, 1, 1), -718_685),
            (Calendar::NoLeap, (-1, 1, 1), -719_415),
            (Calendar::AllLeap, (1, 1, 1), -720_654),
            (Calendar::AllLeap, (-1, 1, 1), -721_386),
            (Calendar::Day360, (1, 1, 1), -708_840),
            (Calendar::Day360, (-1, 1, 1), -709_560),
        ];
        for (calendar, (year, month, day), expected) in cases {
            assert_eq!(
                days(calendar, year, month, day),
                expected,
                "{calendar} {year}-{month}-{day}"
            );
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_written_as_cf_has_them() {
        for calendar in Calendar::ALL {
            assert_eq!(calendar.to_string().to_uppercase().parse(), Ok(calendar));
        }
        assert_eq!("Gregorian".parse(), Ok(Calendar::Standard));
        assert_eq!("365_day".parse(), Ok(Calendar::NoLeap));
        assert_eq!("366_DAY".parse(), Ok(Calendar::AllLeap));
        for name in ["none", "", "utc", "lunar"] {
            assert_eq!(
                name.parse::<Calendar>(),
                Err(TimeError::UnknownCalendar { name: name.into() })
            );
        }
    }

    #[test]
    fn a_date_that_the_calendar_lacks_is_refused_with_both_names() {
        let lacks = |calendar: Calendar, year, month, day| {
            matches!(
                calendar.instant(midnight(year, month, day)),
                Err(TimeError::InvalidDate { .. })
            )
        };
        for calendar in Calendar::ALL {
            assert_eq!(lacks(calendar, 2011, 2, 30), calendar != Calendar::Day360);
            assert_eq!(lacks(calendar, 2011, 1, 31), calendar == Calendar::Day360);
            assert_eq!(lacks(calendar, 2012, 2, 29), calendar == Calendar::NoLeap);
            assert_eq!(
                lacks(calendar, 1582, 10, 10),
                calendar == Calendar::Standard
            );
            assert_eq!(
                lacks(calendar, 1500, 2, 29),
                matches!(calendar, Calendar::ProlepticGregorian | Calendar::NoLeap)
            );
            assert_eq!(
                lacks(calendar, 0, 1, 1),
                matches!(calendar, Calendar::Standard | Calendar::Julian)
            );
            assert!(
                lacks(calendar, 2011, 13, 1)
                    && lacks(calendar, 2011, 0, 1)
                    && lacks(calendar, 2011, 1, 0)
            );
        }
        let error = Calendar::NoLeap.instant(midnight(2012, 2, 29)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2012-02-29T00:00:00 is not a date of the noleap calendar"
        );
        let error = Calendar::NoLeap
            .instant(midnight(i64::MIN + 1, 1, 1))
            .unwrap_err();
        assert!(matches!(error, TimeError::OutOfRange { .. }));
    }

    #[test]
    fn dates_are_shown_as_iso_8601() {
        let date = DateTime {
            hour: 6,
            minute: 5,
            second: 4,
            microsecond: 30_000,
            ..midnight(-44, 3, 15)
        };
        assert_eq!(date.to_string(), "-0044-03-15T06:05:04.03");
        assert_eq!(midnight(1, 1, 1).to_string(), "0001-01-01T00:00:00");
        assert_eq!(midnight(12_345, 1, 1).to_string(), "12345-01-01T00:00:00");
    }

    proptest! {
        #[test]
        fn every_instant_comes_back_from_its_date(micros: i64, index in 0..Calendar::ALL.len()) {
            let calendar = Calendar::ALL[index];
            let instant = Instant::from_micros(micros);
            prop_assert_eq!(calendar.instant(calendar.date_time(instant)), Ok(instant));
        }

        #[test]
        fn later_instants_have_later_dates(a: i64, b: i64, index in 0..Calendar::ALL.len()) {
            let calendar = Calendar::ALL[index];
            let dates = [a, b].map(|micros| calendar.date_time(Instant::from_micros(micros)));
            prop_assert_eq!(a.cmp(&b), dates[0].cmp(&dates[1]));
        }
    }
}
