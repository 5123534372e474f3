//! A variable over all files that hold a part of it, joined along time.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::dimensions::Dimensions;
use crate::error::Error;
use crate::grid::Grid;
use crate::io::{SourceFile, VariableMeta};
use crate::time::{Calendar, TimeAxis};

/// What a dimension of a source variable is.
///
/// The two horizontal dimensions of any grid have the roles of the coordinates that run along them on a plain one: rows
/// that of latitude, columns that of longitude, also about a rotated pole, on a map or where every cell has its own
/// coordinates. The one dimension of a list of points has the role of longitude, since a list is one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Time.
    Time,
    /// Latitude, grid latitude, projection y, rows.
    Latitude,
    /// Longitude, grid longitude, projection x, columns, points.
    Longitude,
    /// Anything else: level, ensemble member.
    Other,
}

/// One dimension of a source variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDimension {
    /// Its name.
    pub name: String,
    /// Its length, over all files.
    pub len: usize,
    /// What it is.
    pub role: Role,
    /// Whether the files may grow along it.
    pub unlimited: bool,
}

/// The part of a variable that one file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// The file's place in the catalogue.
    pub(crate) file: usize,
    /// Where it starts along time, files one after another.
    pub(crate) start: usize,
    /// Steps in time.
    pub(crate) len: usize,
}

/// A variable on a grid, over all files that hold a part of it.
#[derive(Debug, Clone)]
pub struct SourceVariable {
    pub(crate) meta: VariableMeta,
    pub(crate) dimensions: Vec<SourceDimension>,
    pub(crate) grid: Arc<Grid>,
    pub(crate) parts: Vec<Part>,
    pub(crate) time: Option<TimeAxis>,
    /// Whether each file holds one step, its time a scalar, so that the files' variable lacks the time dimension.
    pub(crate) stacked: bool,
    /// The first file's time, where it is a scalar.
    pub(crate) scalar_time: Option<TimeAxis>,
    /// Why its times cannot be told, if it has some.
    pub(crate) time_fault: Option<String>,
    /// Why the files do not join, if they do not.
    fault: Option<Mismatch>,
}

/// Two files of one variable that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mismatch {
    first: PathBuf,
    second: PathBuf,
    reason: String,
}

impl SourceVariable {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// What the first file says of it.
    pub fn meta(&self) -> &VariableMeta {
        &self.meta
    }

    /// Its dimensions, in order.
    pub fn dimensions(&self) -> &[SourceDimension] {
        &self.dimensions
    }

    /// The grid that it lies on.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Number of files that hold a part of it.
    pub fn file_count(&self) -> usize {
        self.parts.len()
    }

    /// Its earliest and latest time as ISO 8601 texts, and its calendar; `None` without time.
    pub fn time_span(&self) -> Option<(String, String, Calendar)> {
        let time = self.time.as_ref()?;
        let (first, last) = time.span()?;
        let calendar = time.units.calendar();
        Some((
            calendar.date_time(first).to_string(),
            calendar.date_time(last).to_string(),
            calendar,
        ))
    }

    /// Whether the files that hold its parts join along time.
    ///
    /// # Errors
    /// [`Error::Join`] if they do not; a request for the variable fails with it.
    pub fn check_join(&self) -> Result<(), Error> {
        match self.fault.clone() {
            None => Ok(()),
            Some(Mismatch {
                first,
                second,
                reason,
            }) => Err(Error::Join {
                variable: self.meta.name.clone(),
                first,
                second,
                reason,
            }),
        }
    }

    /// Whether its values are names of things rather than amounts (CF section 3.5).
    pub(crate) fn holds_flags(&self) -> bool {
        ["flag_values", "flag_masks"]
            .iter()
            .any(|name| self.meta.attributes.get(name).is_some())
    }

    /// The dimension of a role.
    pub(crate) fn dimension(&self, role: Role) -> Option<usize> {
        self.dimensions.iter().position(|d| d.role == role)
    }
}

/// What became of a further file's part of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// It continues the variable in time.
    InTime,
    /// It is the same field without time once more, and left out.
    Again,
}

impl SourceVariable {
    /// A variable that one file holds.
    pub(super) fn new(
        file: usize,
        meta: &VariableMeta,
        grid: Arc<Grid>,
        found: Dimensions,
    ) -> Self {
        let len = found.times.as_ref().map_or(1, |t| t.instants.len());
        Self {
            meta: meta.clone(),
            dimensions: found.dimensions,
            grid,
            parts: vec![Part {
                file,
                start: 0,
                len,
            }],
            time: found.times,
            stacked: false,
            scalar_time: found.scalar_time,
            time_fault: found.time_fault,
            fault: None,
        }
    }

    /// Adds what a further file holds; or says why it does not fit.
    pub(super) fn join(
        &mut self,
        file: usize,
        meta: &VariableMeta,
        grid: &Grid,
        found: Dimensions,
    ) -> Result<Joined, String> {
        if !self.grid.same_points(grid) {
            return Err(format!("their grids differ ({} and {grid})", self.grid));
        }
        let units = |v: &VariableMeta| v.attributes.text("units").unwrap_or_default().to_owned();
        if units(&self.meta) != units(meta) {
            return Err(format!(
                "their units differ ({:?} and {:?})",
                units(&self.meta),
                units(meta)
            ));
        }
        if self.time.is_none() && (self.scalar_time.is_none() || found.scalar_time.is_none()) {
            return if found.times.is_none() && self.dimensions == found.dimensions {
                Ok(Joined::Again)
            } else {
                Err("they have no time axis in common".into())
            };
        }
        self.check_dimensions(&found)?;
        let times = found
            .times
            .or(found.scalar_time)
            .ok_or("one of them has no times")?;
        self.stack();
        let axis = self.time.as_mut().ok_or("one of them has no times")?;
        if axis.units.calendar() != times.units.calendar() {
            let (a, b) = (axis.units.calendar(), times.units.calendar());
            return Err(format!("their calendars differ ({a} and {b})"));
        }
        let (start, len) = (axis.instants.len(), times.instants.len());
        axis.instants.extend(times.instants);
        axis.bounds = axis.bounds.take().zip(times.bounds).map(|(mut a, b)| {
            a.extend(b);
            a
        });
        let time = self.dimensions.iter_mut().find(|d| d.role == Role::Time);
        time.expect("a variable with times has a time dimension")
            .len = start + len;
        self.parts.push(Part { file, start, len });
        Ok(Joined::InTime)
    }

    /// All dimensions but time must be the same, and time in the same place, or a scalar in both.
    fn check_dimensions(&self, found: &Dimensions) -> Result<(), String> {
        let shape = |dimensions: &[SourceDimension]| -> Vec<(String, usize, Role)> {
            let others = dimensions.iter().filter(|d| d.role != Role::Time);
            others.map(|d| (d.name.clone(), d.len, d.role)).collect()
        };
        let place =
            |dimensions: &[SourceDimension]| dimensions.iter().position(|d| d.role == Role::Time);
        let ours = if self.stacked {
            None
        } else {
            place(&self.dimensions)
        };
        if shape(&self.dimensions) == shape(&found.dimensions) && ours == place(&found.dimensions) {
            Ok(())
        } else {
            Err("their dimensions differ".into())
        }
    }

    /// Makes a time dimension of scalar times, once a second file brings one.
    fn stack(&mut self) {
        if self.time.is_none()
            && let Some(time) = self.scalar_time.take()
        {
            let dimension = SourceDimension {
                name: time.name.clone(),
                len: 1,
                role: Role::Time,
                unlimited: false,
            };
            self.dimensions.insert(0, dimension);
            self.time = Some(time);
            self.stacked = true;
        }
    }

    /// Notes why two files do not fit; the variable is refused when it is asked for.
    pub(super) fn set_fault(&mut self, first: PathBuf, second: PathBuf, reason: String) {
        self.fault.get_or_insert(Mismatch {
            first,
            second,
            reason,
        });
    }

    /// Puts the steps of several files in order of time; those of one file stay as they are.
    pub(super) fn sort_times(&mut self, files: &[Arc<dyn SourceFile>]) {
        let Some(time) = &mut self.time else { return };
        time.order = (0..time.instants.len()).collect();
        if self.parts.len() == 1 {
            return;
        }
        time.order.sort_by_key(|&step| time.instants[step]);
        let twice = time
            .order
            .windows(2)
            .find(|w| time.instants[w[0]] == time.instants[w[1]]);
        if let Some(&[a, b]) = twice {
            let reason = format!(
                "both hold {}",
                time.units.calendar().date_time(time.instants[a])
            );
            let file = |step: usize| {
                let part = self.parts.partition_point(|p| p.start + p.len <= step);
                files[self.parts[part].file].path().to_owned()
            };
            self.set_fault(file(a), file(b), reason);
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Latitude => "latitude",
            Self::Longitude => "longitude",
            Self::Other => "other",
        })
    }
}
