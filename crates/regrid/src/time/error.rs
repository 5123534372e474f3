//! What can be wrong with a calendar, a date, time units or a selection of times.

use super::{Calendar, selection::MOST_STEPS};

/// A time that could not be understood, or does not exist.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// A calendar that CF does not define, or that has no dates (`none`).
    #[error(
        "unknown calendar '{name}', expected standard, proleptic_gregorian, julian, noleap, all_leap or 360_day"
    )]
    UnknownCalendar {
        /// The name as it was given.
        name: String,
    },
    /// A text that is not written as a time.
    #[error("'{text}' is not a time, expected YYYY[-MM[-DD[THH[:MM[:SS[.fff]]]]]]")]
    NotATime {
        /// The text as it was given.
        text: String,
    },
    /// A date that its calendar lacks.
    #[error("{date} is not a date of the {calendar} calendar")]
    InvalidDate {
        /// The date as it was stated.
        date: String,
        /// The calendar that lacks it.
        calendar: Calendar,
    },
    /// A text that is not written as time units.
    #[error("'{units}' is not a time unit, expected UNIT since DATE")]
    NotUnits {
        /// The text as it was given.
        units: String,
    },
    /// Time units whose first word is no unit of time.
    #[error(
        "unknown unit '{unit}' in '{units}', expected microseconds, milliseconds, seconds, minutes, hours, days or weeks"
    )]
    UnknownUnit {
        /// The word that is no unit.
        unit: String,
        /// The whole text.
        units: String,
    },
    /// Time units in months or years.
    #[error("'{units}': a {unit} has no fixed length, so its multiples name no dates; use days")]
    NoFixedLength {
        /// `month` or `year`.
        unit: &'static str,
        /// The whole text.
        units: String,
    },
    /// A time value that is infinite or not a number.
    #[error("{value} {units} is not a time")]
    NotFinite {
        /// The value.
        value: f64,
        /// Its units.
        units: String,
    },
    /// A time too far from 1970 to be counted in microseconds.
    #[error("{time} is out of range, expected less than 290000 years from 1970")]
    OutOfRange {
        /// The time as it was stated.
        time: String,
    },
    /// A text that is not written as a step.
    #[error(
        "'{text}' is not a time step, expected something like PT6H, P1D, P1M, 6h, 1d, 1mon or 1y"
    )]
    NotAStep {
        /// The text as it was given.
        text: String,
    },
    /// A step that goes nowhere.
    #[error("the time step '{text}' is zero")]
    ZeroStep {
        /// The text as it was given.
        text: String,
    },
    /// A range with too few or too many parts.
    #[error("'{text}' is not a range of times, expected START/STOP or START/STOP/STEP")]
    NotARange {
        /// The text as it was given.
        text: String,
    },
    /// A range that stops before it starts.
    #[error("the range of times runs backwards, from {start} to {stop}")]
    Backwards {
        /// Where it starts, as stated.
        start: String,
        /// Where it stops, as stated.
        stop: String,
    },
    /// A selection without a time.
    #[error("the list of times is empty")]
    NoTimes,
    /// A range of an absurd number of steps.
    #[error("the range from {start} to {stop} has {got} steps, expected at most {MOST_STEPS}")]
    TooManySteps {
        /// Where it starts, as stated.
        start: String,
        /// Where it stops, as stated.
        stop: String,
        /// How many steps it has.
        got: u64,
    },
}
