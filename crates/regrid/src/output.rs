//! The output file: what it holds, under which names; complete or not there.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::attempt::{Attempt, Record};
use crate::attribute::{AttributeValue, Attributes};
use crate::buffers;
use crate::chunk::Region;
use crate::companions::BOUNDS;
use crate::destination::Place;
use crate::error::Error;
use crate::field::{FieldMeta, Variable};
use crate::io::decoding::encode_missing;
use crate::io::netcdf::NetcdfWriter;
use crate::io::{Dimension, Layout, OutputVariable};
use crate::pipeline::LazyField;
use crate::time::{Calendar, Instant};
use crate::turns::Turns;
use crate::values::Values;
use crate::weightfile::Hash;

/// How to write: where, how compressed, over what.
#[derive(Debug, Clone)]
pub struct Write {
    path: PathBuf,
    deflate: u8,
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

    /// The deflate level, 0 (none) to 9.
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
    /// The fields' request has to ask for [reports](crate::Request::report).
    #[must_use]
    pub fn max_error(mut self, most: f64) -> Self {
        self.max_error = Some(most);
        self
    }

    /// Whether to go on with what an earlier attempt left that was interrupted, and to leave what the next one can go on with.
    ///
    /// Finished chunks are taken over as they are if the request is the same: the inputs by name, size and time of change,
    /// the options, the grid, the version of this library. If nothing was left, it simply starts.
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
    turns: Turns<Chunk>,
}

/// A chunk of a field.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) field: usize,
    /// Its place among the field's.
    pub(crate) chunk: usize,
    pub(crate) region: Region,
    /// Its place among those of all fields, as they lie in the file.
    pub(crate) turn: usize,
}

impl Output {
    /// Makes the file with all that is known before the fields are computed.
    pub(crate) fn create(options: Write, fields: &[LazyField]) -> Result<Self, Error> {
        options.check(fields)?;
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
        let writer = NetcdfWriter::create(&attempt.part(), &path, &layout, deflate)?;
        Ok(Self {
            writer,
            attempt,
            names,
            turns: Turns::default(),
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

    /// What earlier attempts finished, by field and chunk; the last word on each.
    pub(crate) fn finished(&self) -> HashMap<(usize, usize), Record> {
        let place = |record: &Record| (record.field as usize, record.chunk as usize);
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

    /// Writes one chunk of a field.
    pub(crate) fn put(
        &self,
        chunk: Chunk,
        values: Values,
        fill: &AttributeValue,
    ) -> Result<(), Error> {
        let values = encode_missing(values, Some(fill));
        let (name, region) = (&self.names[chunk.field], chunk.region.clone());
        let done = self
            .writer
            .encode(name, &region, &values, |bytes| self.in_turn(chunk, bytes));
        buffers::give_values(values);
        done
    }

    fn in_turn(&self, chunk: Chunk, bytes: &[u8]) -> Result<(), Error> {
        self.turns.bring(chunk.turn, chunk, bytes, |chunk, bytes| {
            self.store(chunk, bytes)
        })
    }

    fn store(&self, chunk: &Chunk, bytes: &[u8]) -> Result<(), Error> {
        let (field, number) = (chunk.field as u32, chunk.chunk as u64);
        let name = &self.names[chunk.field];
        self.writer
            .store(name, &chunk.region, bytes, |bytes, places| {
                self.attempt.note(field, number, places, bytes)
            })
    }

    /// Closes the file and gives it its name.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.turns.finish(|chunk, bytes| self.store(chunk, bytes))?;
        self.writer.finish()?;
        self.attempt.appear()
    }
}

/// What an output is made of, line by line: the same for the same request, and different for any other.
fn request(layout: &Layout, fields: &[LazyField], deflate: u8) -> String {
    let mut lines = format!("regrid {}\ndeflate {deflate}\n", env!("CARGO_PKG_VERSION"));
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
        let (values, rest) = (variable.values.as_ref(), &variable.attributes);
        let _ = writeln!(
            lines,
            "variable {} {:?} {:?} {:?} {:?} {rest:?} {:016x}",
            variable.name,
            variable.data_type,
            variable.dimensions,
            variable.fill,
            variable.chunk_shape,
            values.map_or(0, fingerprint)
        );
    }
    let mut inputs: Vec<&PathBuf> = fields.iter().flat_map(|f| f.inputs.iter()).collect();
    inputs.sort();
    inputs.dedup();
    for field in fields {
        let (name, words, weights) = (
            &field.meta.name,
            &field.in_words,
            field.weights_fingerprint(),
        );
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

/// A number of some values.
fn fingerprint(values: &Values) -> u64 {
    let mut hash = Hash::default();
    macro_rules! add {
        ($($variant:ident),*) => {
            match values {
                $(Values::$variant(array) => array.iter().for_each(|x| hash.add(&x.to_le_bytes())),)*
                Values::Char(array) => array.iter().for_each(|&x| hash.add(&[x])),
                Values::Text(array) => array.iter().for_each(|text| hash.add(text.as_bytes())),
            }
        };
    }
    add!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64);
    hash.0
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

/// The dimension of pairs under which the target's bounds are written: another name where `bnds` is taken by something else.
fn bounds_dimension(fields: &[LazyField]) -> String {
    let lengths = |name: &str| {
        let all = fields.iter().flat_map(|f| {
            let own = f.meta.dimensions.iter().map(|d| (d.name.as_str(), d.len));
            let others = f.meta.companions.iter().flat_map(|v| {
                v.dimensions
                    .iter()
                    .map(String::as_str)
                    .zip(v.values.shape().iter().copied())
            });
            own.chain(others).collect::<Vec<_>>()
        });
        all.filter(|(n, _)| *n == name).any(|(_, len)| len != 2)
    };
    let mut names =
        std::iter::once(BOUNDS.to_owned()).chain((2..).map(|i| format!("{BOUNDS}_{i}")));
    names
        .find(|name| !lengths(name))
        .unwrap_or_else(|| BOUNDS.to_owned())
}

/// Whether a companion is one of the target's axes or their bounds, which come first.
fn is_target_axis(companion: &Variable, field: &FieldMeta) -> bool {
    let axis = companion
        .name
        .strip_suffix("_bnds")
        .unwrap_or(&companion.name);
    companion.dimensions.first().is_some_and(|d| d == axis)
        && field.dimensions.iter().any(|d| d.name == axis)
}

/// What the file holds, and the fields' names in it.
fn layout(fields: &[LazyField], history: &str, first: &LazyField) -> (Layout, Vec<String>) {
    let mut attributes = first.attributes.clone();
    // A file of features has those of one type alone.
    let feature = |field: &LazyField| field.attributes.text("featureType").map(str::to_owned);
    if fields.iter().any(|field| feature(field) != feature(first)) {
        attributes.remove("featureType");
    }
    let features = attributes.text("featureType").is_some();
    // Features are known from CF 1.6 on.
    let old = |text: &str| {
        features
            && text
                .strip_prefix("CF-1.")
                .is_some_and(|n| n.parse().is_ok_and(|n: u32| n < 6))
    };
    let conventions = attributes
        .text("Conventions")
        .filter(|text| text.contains("CF-") && !old(text))
        .unwrap_or("CF-1.8")
        .to_owned();
    attributes.set("Conventions", conventions);
    let before = first.history.as_deref().filter(|text| !text.is_empty());
    attributes.set(
        "history",
        before.map_or_else(
            || history.to_owned(),
            |before| format!("{history}\n{before}"),
        ),
    );
    let mut layout = Layout {
        attributes,
        ..Layout::default()
    };
    let mut names = Vec::new();
    let mut companions: Vec<Variable> = Vec::new();
    let mut outputs = Vec::new();
    let pairs = bounds_dimension(fields);
    for field in fields {
        let mut meta = field.meta.clone();
        for bounds in meta
            .companions
            .iter_mut()
            .take_while(|v| is_target_axis(v, &field.meta))
        {
            bounds
                .dimensions
                .iter_mut()
                .filter(|d| *d == BOUNDS)
                .for_each(|d| d.clone_from(&pairs));
        }
        make_room(&mut meta, &layout.dimensions, &companions, &names);
        for dimension in &meta.dimensions {
            add_dimension(&mut layout.dimensions, dimension.clone());
        }
        for companion in meta.companions {
            for (name, &len) in companion.dimensions.iter().zip(companion.values.shape()) {
                add_dimension(
                    &mut layout.dimensions,
                    Dimension {
                        name: name.clone(),
                        len,
                        unlimited: false,
                    },
                );
            }
            if !companions.iter().any(|known| known.name == companion.name) {
                companions.push(companion);
            }
        }
        names.push(meta.name.clone());
        outputs.push(OutputVariable {
            name: meta.name,
            data_type: field.data_type,
            dimensions: meta.dimensions.iter().map(|d| d.name.clone()).collect(),
            attributes: meta.attributes,
            fill: Some(meta.fill_value),
            chunk_shape: Some(field.chunk_shape.clone()),
            values: None,
        });
    }
    layout.variables = companions.into_iter().map(small_variable).collect();
    layout.variables.extend(outputs);
    (layout, names)
}

fn add_dimension(dimensions: &mut Vec<Dimension>, dimension: Dimension) {
    if !dimensions.iter().any(|known| known.name == dimension.name) {
        dimensions.push(dimension);
    }
}

fn small_variable(variable: Variable) -> OutputVariable {
    let fill = variable.attributes.get("_FillValue").cloned();
    let data_type = variable.values.data_type();
    OutputVariable {
        name: variable.name,
        data_type,
        dimensions: variable.dimensions,
        fill: fill.and_then(|fill| crate::io::decoding::convert(&fill, data_type)),
        attributes: variable.attributes,
        chunk_shape: None,
        values: Some(variable.values),
    }
}

/// Renames what a field brings under a name that is taken by something else: `time` becomes `time_1`.
fn make_room(
    field: &mut FieldMeta,
    dimensions: &[Dimension],
    companions: &[Variable],
    fields: &[String],
) {
    let mut clashes: Vec<String> = Vec::new();
    let own: Vec<(String, usize)> = field
        .companions
        .iter()
        .flat_map(|v| {
            v.dimensions
                .iter()
                .cloned()
                .zip(v.values.shape().iter().copied())
        })
        .chain(field.dimensions.iter().map(|d| (d.name.clone(), d.len)))
        .collect();
    for (name, len) in own {
        if dimensions.iter().any(|d| d.name == name && d.len != len) && !clashes.contains(&name) {
            clashes.push(name);
        }
    }
    for companion in &field.companions {
        let differs = companions
            .iter()
            .any(|known| known.name == companion.name && !known.same(companion));
        if (differs || fields.contains(&companion.name)) && !clashes.contains(&companion.name) {
            clashes.push(companion.name.clone());
        }
    }
    let taken = |name: &str, field: &FieldMeta| {
        dimensions.iter().any(|d| d.name == name)
            || companions.iter().any(|v| v.name == name)
            || fields.iter().any(|f| f == name)
            || field.companions.iter().any(|v| v.name == name)
    };
    for name in clashes {
        let free = (1..)
            .map(|i| format!("{name}_{i}"))
            .find(|new| !taken(new, field))
            .expect("some number is free");
        rename(field, &name, &free);
    }
}

/// Renames a dimension and a companion, wherever they are named.
fn rename(field: &mut FieldMeta, from: &str, to: &str) {
    let swap = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    field.dimensions.iter_mut().for_each(|d| swap(&mut d.name));
    rename_references(&mut field.attributes, from, to);
    for companion in &mut field.companions {
        swap(&mut companion.name);
        companion.dimensions.iter_mut().for_each(swap);
        rename_references(&mut companion.attributes, from, to);
    }
}

fn rename_references(attributes: &mut Attributes, from: &str, to: &str) {
    for name in [
        "bounds",
        "climatology",
        "coordinates",
        "grid_mapping",
        "formula_terms",
        "cell_methods",
        "ancillary_variables",
    ] {
        let words = attributes.words(name);
        let method = format!("{from}:");
        if words.iter().any(|word| word == from || *word == method) {
            let renamed: Vec<String> = words
                .into_iter()
                .map(|word| match word {
                    word if word == from => to.to_owned(),
                    word if word == method && name == "cell_methods" => format!("{to}:"),
                    word => word,
                })
                .collect();
            attributes.set(name, renamed.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, IxDyn};

    fn times(values: &[f64]) -> Variable {
        Variable {
            name: "time".into(),
            dimensions: vec!["time".into()],
            attributes: [("bounds", "time_bnds")].into_iter().collect(),
            values: Values::F64(
                ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap(),
            ),
        }
    }

    fn field(name: &str, time: Variable) -> FieldMeta {
        FieldMeta {
            name: name.into(),
            dimensions: vec![Dimension {
                name: "time".into(),
                len: time.values.len(),
                unlimited: false,
            }],
            attributes: [("cell_methods", "time: mean")].into_iter().collect(),
            fill_value: AttributeValue::F32(vec![0.0]),
            companions: vec![time],
        }
    }

    #[test]
    fn another_time_axis_gets_another_name() {
        let first = field("a", times(&[1.0, 2.0]));
        let mut same = field("b", times(&[1.0, 2.0]));
        make_room(
            &mut same,
            &first.dimensions,
            &first.companions,
            &["a".into()],
        );
        assert_eq!(same.dimensions[0].name, "time");
        let mut other = field("c", times(&[1.0, 3.0]));
        make_room(
            &mut other,
            &first.dimensions,
            &first.companions,
            &["a".into()],
        );
        assert_eq!(other.dimensions[0].name, "time_1");
        assert_eq!(other.companions[0].name, "time_1");
        assert_eq!(other.companions[0].dimensions, ["time_1"]);
        assert_eq!(other.attributes.text("cell_methods"), Some("time_1: mean"));
    }

    #[test]
    fn now_is_a_date_of_this_era() {
        let now = now();
        assert!(
            now.len() == 20 && now.starts_with("20") && now.ends_with('Z'),
            "{now}"
        );
    }
}
