//! Time as CF files state it: calendars, dates, `UNIT since DATE`, and the times a request asks for.
//!
//! An [`Instant`] is exact and knows no text; a [`Calendar`] turns it into a [`DateTime`] and back; [`TimeUnits`] is the code
//! of one file's time axis. What a user types is a [`StatedTime`], as precise as it was written, in a [`TimeSelection`].
//! Reading the attributes is left to `io`, choosing the steps of a file to `pipeline`.
//!
//! ```
//! use regrid::time::{Calendar, TimeSelection, TimeUnits, Times};
//!
//! let units = TimeUnits::parse("hours since 1970-01-01", Calendar::Day360)?;
//! let instant = units.decode(-946_800.0)?;
//! assert_eq!(Calendar::Day360.date_time(instant).to_string(), "1860-06-01T00:00:00");
//!
//! let summer: TimeSelection = "1860-06/1860-08/P1M".parse()?;
//! let Times::Instants(months) = summer.resolve(Calendar::Day360)? else { panic!("a step gives single times") };
//! assert_eq!(months.len(), 3);
//! assert_eq!(units.encode(months[1]), -946_800.0 + 30.0 * 24.0);
//! # Ok::<(), regrid::time::TimeError>(())
//! ```

mod axis;
mod calendar;
mod error;
mod selection;
mod stated;
mod step;
mod units;

pub use axis::TimeMethod;
pub(crate) use axis::{ChosenTimes, NotThere, TimeAxis};
pub use calendar::{Calendar, DateTime, Instant};
pub use error::TimeError;
pub use selection::{TimeSelection, Times};
pub use stated::{Precision, StatedTime};
pub use step::TimeStep;
pub use units::TimeUnits;
