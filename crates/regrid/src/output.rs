//! The output file: complete or not there. What it holds: `contents`.

mod contents;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use contents::layout;

use crate::attempt::{Attempt, CHUNKS, Record, crc};
use crate::attribute::AttributeValue;
use crate::buffers;
use crate::chunk::Region;
use crate::destination::Place;
use crate::digest::Digest;
use crate::error::Error;
use crate::field::VariableValues;
use crate::io::Layout;
use crate::io::decoding::encode_missing;
use crate::io::netcdf::NetcdfWriter;
use crate::pipeline::LazyField;
use crate::time::{Calendar, Instant};
use crate::turns::Turns;
use crate::values::Values;

/// How to write: where, how compressed, over what.
#[derive(Debug, Clone)]
pub struct Write {
    path: PathBuf,
    pub(crate) deflate: u8,
    overwrite: bool,
    history: Option<String>,
    pub(crate) max_error: Option<f64>,
    resume: bool,
}

impl Write {
    /// A new file, deflate level 1.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            deflate: 1,
            overwrite: false,
            history: None,
            max_error: None,
            resume: false,
        }
    }

    /// The deflate level, 0 (none) to 9; level 1 is by far the fastest where ISA-L is there when this crate is built.
    #[must_use]
    pub fn deflate(mut self, level: u8) -> Self {
        self.deflate = level.min(9);
        self
    }

    /// Whether an existing file is replaced.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// How large the relative error of any field's integral may be: with a larger one there is no output.
    ///
    /// The fields' request has to ask for [reports](crate::Request::report). What was written of an output that is refused goes,
    /// unless it is to be [resumed](Self::resume): then it is kept beside its place, as after an interruption.
    #[must_use]
    pub fn max_error(mut self, most: f64) -> Self {
        self.max_error = Some(most);
        self
    }

    /// Whether to go on with what an earlier attempt left that was interrupted, and to leave what the next one can go on with.
    ///
    /// Finished chunks are taken over as they are if the request is the same: the inputs, and weights that were loaded, by name,
    /// size and time of change, the options, the grid, the version of this library. If nothing was left, it simply starts.
    #[must_use]
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Finds out whether the fields may be written there; touches nothing.
    ///
    /// # Errors
    /// [`Error::Nothing`] without fields, [`Error::OutputExists`], [`Error::OutputIsInput`], [`Error::File`].
    pub fn check(&self, fields: &[LazyField]) -> Result<(), Error> {
        if fields.is_empty() {
            return Err(Error::Nothing { action: "write" });
        }
        let own = identity(&self.path);
        let inputs: HashSet<&PathBuf> = fields.iter().flat_map(|f| f.inputs.iter()).collect();
        for input in inputs {
            if own.is_some() && identity(input) == own {
                return Err(Error::OutputIsInput {
                    path: self.path.clone(),
                });
            }
        }
        let place = Place::new(&self.path, self.overwrite)?;
        match place.folder().metadata() {
            Ok(meta) if meta.is_dir() => Ok(()),
            found => Err(Error::File {
                action: "write",
                path: self.path.clone(),
                source: found
                    .err()
                    .unwrap_or_else(|| std::io::ErrorKind::NotADirectory.into()),
            }),
        }
    }

    /// What made the file, for its history: a command, say. The default names this library's call.
    #[must_use]
    pub fn history(mut self, made_by: impl Into<String>) -> Self {
        self.history = Some(made_by.into());
        self
    }
}

/// An output being written under a temporary name beside its place.
#[derive(Debug)]
pub(crate) struct Output {
    /// Declared first: it is closed before its file is removed.
    writer: NetcdfWriter,
    attempt: Attempt,
    names: Vec<String>,
    turns: Turns<(Chunk, u32)>,
}

/// A chunk of a field.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) field: usize,
    /// Its number among the field's: row by row in the file.
    pub(crate) number: u64,
    pub(crate) region: Region,
    /// Its place among those of all fields, as they lie in the file.
    pub(crate) turn: usize,
}

impl Output {
    /// Makes the file with all that is known before the fields are computed.
    pub(crate) fn create(options: Write, fields: &[LazyField]) -> Result<Self, Error> {
        let checked = options.check(fields);
        if options.resume && matches!(checked, Err(Error::OutputExists { .. })) {
            let (layout, _) = layout(fields, "", &fields[0]);
            let request = request(&layout, fields, options.deflate);
            let chunks = fields.iter().map(|field| field.chunks.len()).sum();
            if Attempt::was_completed(&options.path, &request, chunks)? {
                return Err(Error::AlreadyComplete { path: options.path });
            }
        }
        checked?;
        let Write {
            path,
            deflate,
            overwrite,
            history,
            max_error: _,
            resume,
        } = options;
        let Some(first) = fields.first() else {
            return Err(Error::Nothing { action: "write" });
        };
        let (layout, names) = layout(fields, &history_line(history.as_deref(), first), first);
        let request = request(&layout, fields, deflate);
        let attempt = Attempt::new(&path, overwrite, resume, &request)?;
        let turns = Turns::new(first.needs.budget.waiting_bytes(), attempt.place().folder());
        let writer = NetcdfWriter::create(&attempt.part(), &path, &layout, deflate)?;
        Ok(Self {
            writer,
            attempt,
            names,
            turns,
        })
    }

    /// Where it is until it is complete.
    pub(crate) fn part(&self) -> PathBuf {
        self.attempt.part()
    }

    /// The files that are not to outlive the process.
    pub(crate) fn temporary_paths(&self) -> Vec<PathBuf> {
        self.attempt.temporary_paths()
    }

    /// What earlier attempts finished, by field and the chunk's number; the last word on each.
    pub(crate) fn finished(&self) -> HashMap<(usize, u64), Record> {
        let place = |record: &Record| (record.field as usize, record.chunk);
        let all = self.attempt.finished.iter();
        all.map(|record| (place(record), *record)).collect()
    }

    /// Takes over a chunk that an earlier attempt finished; false if it is not there any more.
    pub(crate) fn take_over(&self, chunk: Chunk, record: &Record) -> Result<bool, Error> {
        let Some(bytes) = self.attempt.take_over(record) else {
            return Ok(false);
        };
        self.in_turn(chunk, &bytes)?;
        Ok(true)
    }

    /// Writes one chunk of a field, and tells how many bytes it takes in the file.
    pub(crate) fn put(
        &self,
        chunk: Chunk,
        values: Values,
        fill: &AttributeValue,
    ) -> Result<usize, Error> {
        let values = encode_missing(values, Some(fill));
        let (name, region) = (&self.names[chunk.field], chunk.region.clone());
        let mut stored = 0;
        let done = self.writer.encode(name, &region, &values, |bytes| {
            stored = bytes.len();
            self.in_turn(chunk, bytes)
        });
        buffers::give_values(values);
        done.map(|()| stored)
    }

    fn in_turn(&self, chunk: Chunk, bytes: &[u8]) -> Result<(), Error> {
        // Summed before, since others wait for the turn.
        let summed = (chunk, crc(bytes));
        self.turns
            .bring(summed.0.turn, summed, bytes, |summed, bytes| {
                self.store(summed, bytes)
            })
    }

    fn store(&self, (chunk, crc): &(Chunk, u32), bytes: io::Result<&[u8]>) -> Result<(), Error> {
        let bytes = bytes.map_err(|source| Error::File {
            action: "read back chunks of",
            path: self.attempt.place().path().to_owned(),
            source,
        })?;
        let (field, name) = (chunk.field as u32, &self.names[chunk.field]);
        self.writer
            .store(name, &chunk.region, bytes, |bytes, places| {
                self.attempt
                    .note(field, chunk.number, places, (bytes, *crc))
            })
    }

    /// Closes the file, once all of it is on the disk.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.turns.finish(|chunk, bytes| self.store(chunk, bytes))?;
        self.writer.finish()
    }

    /// Gives the finished file its name.
    pub(crate) fn appear(&self) -> Result<(), Error> {
        self.attempt.appear()
    }
}

/// What an output is made of, line by line: the same for the same request, and different for any other.
fn request(layout: &Layout, fields: &[LazyField], deflate: u8) -> String {
    let mut lines = format!("regrid {}\ndeflate {deflate}\n", env!("CARGO_PKG_VERSION"));
    let names: Vec<&str> = fields.iter().map(|field| &*field.meta.name).collect();
    let _ = writeln!(lines, "fields {}", names.join(" "));
    for dimension in &layout.dimensions {
        let _ = writeln!(lines, "dimension {dimension:?}");
    }
    for (name, value) in layout.attributes.iter() {
        // The history says when it was made.
        if name != "history" {
            let _ = writeln!(lines, "attribute {name} {value:?}");
        }
    }
    for variable in &layout.variables {
        if let Some(shape) = &variable.chunk_shape {
            let _ = writeln!(lines, "{CHUNKS} {}: {shape:?}", variable.name);
        }
        let (values, rest) = (variable.values.as_ref(), &variable.attributes);
        let _ = writeln!(
            lines,
            "variable {} {:?} {:?} {:?} {rest:?} {:016x}",
            variable.name,
            variable.data_type,
            variable.dimensions,
            variable.fill,
            values.map_or(0, digest)
        );
    }
    let mut inputs: Vec<&PathBuf> = fields.iter().flat_map(|f| f.inputs.iter()).collect();
    inputs.sort();
    inputs.dedup();
    for field in fields {
        let (name, words, weights) = (&field.meta.name, &field.in_words, field.weights_digest());
        let _ = writeln!(lines, "field {name} {words} {weights:016x}");
    }
    for input in inputs {
        let meta = input.metadata().ok();
        let changed = meta.as_ref().and_then(|meta| meta.modified().ok());
        let since = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let _ = writeln!(
            lines,
            "input {} of {} bytes, changed at {}",
            input.display(),
            meta.map_or(0, |meta| meta.len()),
            since.map_or(0, |since| since.as_nanos())
        );
    }
    lines
}

/// A digest of a variable's values.
fn digest(values: &VariableValues) -> u64 {
    let mut digest = Digest::default();
    for (_, piece) in values.pieces() {
        macro_rules! add {
            ($($variant:ident),*) => {
                match &*piece {
                    $(Values::$variant(array) => array.iter().for_each(|&x| digest.add(x as u64)),)*
                    Values::F32(array) => array.iter().for_each(|x| digest.add(x.to_bits().into())),
                    Values::F64(array) => array.iter().for_each(|x| digest.add(x.to_bits())),
                    Values::Text(array) => array.iter().for_each(|text| digest.add_text(text)),
                }
            };
        }
        add!(I8, U8, I16, U16, I32, U32, I64, U64, Char);
    }
    digest.number()
}

/// What tells a file from every other, whatever path leads to it.
fn identity(path: &Path) -> Option<(u64, u64, PathBuf)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.dev(), meta.ino(), PathBuf::new()))
    }
    #[cfg(not(unix))]
    path.canonicalize().ok().map(|path| (0, 0, path))
}

/// One line of history: when, what, how.
fn history_line(made_by: Option<&str>, field: &LazyField) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let made_by = made_by.unwrap_or("regrid::write");
    format!("{} regrid {version}: {made_by} ({})", now(), field.in_words)
}

/// The time of day, for histories.
///
/// # Source
/// `SOURCE_DATE_EPOCH`, seconds since 1970, stands for the time if it is set: <https://reproducible-builds.org/specs/source-date-epoch/>.
pub(crate) fn now() -> String {
    let stated = std::env::var("SOURCE_DATE_EPOCH").ok();
    let stated = stated.and_then(|seconds| seconds.trim().parse::<u64>().ok());
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = stated.unwrap_or(since.unwrap_or_default().as_secs());
    // Later than any calendar is no time at all.
    let seconds = i64::try_from(seconds).unwrap_or_default().min(1 << 40);
    let now = Calendar::ProlepticGregorian.date_time(Instant::from_micros(seconds * 1_000_000));
    format!("{now}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_a_date_of_this_era() {
        let now = now();
        assert!(
            now.len() == 20 && now.starts_with("20") && now.ends_with('Z'),
            "{now}"
        );
    }
}
