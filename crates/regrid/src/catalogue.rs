//! What is in a set of files: which variables lie on which grid, when, and how the files of one variable join along time.
//!
//! Metadata only: names, attributes, axes and times are read, no field.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::axis::{Latitudes, Longitudes};
use crate::chunk::Region;
use crate::error::Error;
use crate::field::Variable;
use crate::grid::Grid;
use crate::io::cf::{self, is_latitude, is_longitude, is_time};
use crate::io::netcdf::{NetcdfFile, OpenFiles};
use crate::io::{FileMeta, SourceFile, VariableMeta};
use crate::time::{Calendar, Instant, TimeAxis, TimeUnits};
use crate::values::DataType;

/// What a dimension of a source variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Time.
    Time,
    /// Latitude.
    Latitude,
    /// Longitude.
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

/// A variable on a latitude-longitude grid, over all files that hold a part of it.
#[derive(Debug, Clone)]
pub struct SourceVariable {
    pub(crate) meta: VariableMeta,
    pub(crate) dimensions: Vec<SourceDimension>,
    pub(crate) grid: Arc<Grid>,
    pub(crate) parts: Vec<Part>,
    pub(crate) time: Option<TimeAxis>,
    /// Whether each file holds one step, its time a scalar, so that the files' variable lacks the time dimension.
    pub(crate) stacked: bool,
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

    /// The dimension of a role.
    pub(crate) fn dimension(&self, role: Role) -> Option<usize> {
        self.dimensions.iter().position(|d| d.role == role)
    }
}

/// A variable that looks like a field but cannot be regridded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

/// A set of files and what is in them.
#[derive(Debug)]
pub struct Catalogue {
    files: Vec<Arc<dyn SourceFile>>,
    variables: Vec<SourceVariable>,
    unsupported: Vec<Unsupported>,
    notes: Vec<String>,
}

impl Catalogue {
    /// Opens files, and the netCDF files of folders (endings `nc`, `nc4`, `cdf`, `netcdf`), and reads what they say of themselves.
    ///
    /// A file named twice counts once.
    ///
    /// # Errors
    /// The first file that is missing, not netCDF, truncated or damaged; [`Error::NoFiles`]; [`Error::Join`] for the files
    /// of one variable that do not fit together; [`Error::Coordinate`] and [`Error::TimeAxis`] for unusable axes.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let open = Arc::new(OpenFiles::default());
        let mut seen = HashSet::new();
        let mut files: Vec<Arc<dyn SourceFile>> = Vec::new();
        for path in paths {
            for path in files_at(path.as_ref())? {
                let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
                if seen.insert(identity) {
                    files.push(Arc::new(NetcdfFile::open(&path, &open)?));
                }
            }
        }
        Self::from_files(files)
    }

    /// A catalogue of files that are open already, of any format.
    ///
    /// # Errors
    /// As [`Catalogue::open`].
    pub fn from_files(files: Vec<Arc<dyn SourceFile>>) -> Result<Self, Error> {
        let mut catalogue = Self {
            files,
            variables: Vec::new(),
            unsupported: Vec::new(),
            notes: Vec::new(),
        };
        let mut grids: Vec<Arc<Grid>> = Vec::new();
        for file in 0..catalogue.files.len() {
            catalogue.add_file(file, &mut grids)?;
        }
        for variable in &mut catalogue.variables {
            variable.sort_times(&catalogue.files)?;
        }
        Ok(catalogue)
    }

    /// The variables that can be regridded, in the order of the files.
    pub fn variables(&self) -> &[SourceVariable] {
        &self.variables
    }

    /// Variables that look like fields but cannot be regridded.
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.unsupported
    }

    /// What the user should know though nothing failed.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The files.
    pub fn files(&self) -> &[Arc<dyn SourceFile>] {
        &self.files
    }

    /// A variable by its name, or by a standard name that only one variable has.
    ///
    /// # Errors
    /// [`Error::NotRegriddable`], [`Error::UnknownVariable`].
    pub fn variable(&self, name: &str) -> Result<&SourceVariable, Error> {
        if let Some(variable) = self.variables.iter().find(|v| v.name() == name) {
            return Ok(variable);
        }
        let standard = |v: &&SourceVariable| v.meta.attributes.text("standard_name") == Some(name);
        let mut named = self.variables.iter().filter(standard);
        if let (Some(variable), None) = (named.next(), named.next()) {
            return Ok(variable);
        }
        if let Some(unsupported) = self.unsupported.iter().find(|u| u.name == name) {
            return Err(Error::NotRegriddable {
                variable: name.to_owned(),
                path: unsupported.path.clone(),
                reason: unsupported.reason.clone(),
            });
        }
        let known = self.variables.iter().map(|v| v.name().to_owned()).collect();
        Err(Error::UnknownVariable {
            name: name.to_owned(),
            known,
        })
    }

    /// The values of a whole variable of one file, with what the file says of it.
    pub(crate) fn load(&self, file: usize, name: &str) -> Result<Variable, Error> {
        load(self.files[file].as_ref(), name)
    }

    fn add_file(&mut self, file: usize, grids: &mut Vec<Arc<Grid>>) -> Result<(), Error> {
        let source = self.files[file].clone();
        let meta = source.meta();
        let serving: HashSet<String> = cf::serving(meta).into_iter().collect();
        for variable in meta.variables.iter().filter(|v| !serving.contains(&v.name)) {
            match placement(meta, variable) {
                Placement::Grid {
                    latitude,
                    longitude,
                } => {
                    let grid = read_grid(source.as_ref(), latitude, longitude, grids)?;
                    self.add_part(file, variable, grid)?;
                }
                Placement::Unsupported(reason) => {
                    let known = self.unsupported.iter().any(|u| u.name == variable.name);
                    if !known {
                        let path = source.path().to_owned();
                        self.unsupported.push(Unsupported {
                            name: variable.name.clone(),
                            path,
                            reason,
                        });
                    }
                }
                Placement::None => {}
            }
        }
        for name in &meta.unread {
            let what = if name.ends_with('/') {
                "group"
            } else {
                "variable"
            };
            self.notes.push(format!(
                "{what} {name} in {} is of a kind that is not read",
                source.path().display()
            ));
        }
        Ok(())
    }

    /// Adds what one file holds of a variable to what other files hold.
    fn add_part(
        &mut self,
        file: usize,
        variable: &VariableMeta,
        grid: Arc<Grid>,
    ) -> Result<(), Error> {
        let source = self.files[file].clone();
        let (dimensions, times) = dimensions(source.as_ref(), variable, &grid)?;
        let len = times.as_ref().map_or(1, |t| t.instants.len());
        let Some(known) = self
            .variables
            .iter_mut()
            .find(|v| v.name() == variable.name)
        else {
            let part = Part {
                file,
                start: 0,
                len,
            };
            // A scalar time stays a scalar, unless another file brings a second one.
            let time = times.filter(|_| dimensions.iter().any(|d| d.role == Role::Time));
            self.variables.push(SourceVariable {
                meta: variable.clone(),
                dimensions,
                grid,
                parts: vec![part],
                time,
                stacked: false,
            });
            return Ok(());
        };
        let first_file = self.files[known.parts[0].file].clone();
        let differ = |reason: String| Error::Join {
            variable: variable.name.clone(),
            first: first_file.path().to_owned(),
            second: source.path().to_owned(),
            reason,
        };
        if !known.grid.same_points(&grid) {
            return Err(differ(format!(
                "their grids differ ({} and {})",
                known.grid, grid
            )));
        }
        let units = |v: &VariableMeta| v.attributes.text("units").unwrap_or_default().to_owned();
        if units(&known.meta) != units(variable) {
            return Err(differ(format!(
                "their units differ ({} and {})",
                units(&known.meta),
                units(variable)
            )));
        }
        if known.time.is_none() {
            // Two files without a time dimension: steps with scalar times are stacked; else it is one field twice.
            let first = scalar_time(first_file.as_ref(), &known.meta)?;
            let (Some(mut first), Some(_)) = (first, &times) else {
                if dimensions == known.dimensions {
                    self.notes.push(format!(
                        "{} has no time and is in several files: taken from {}",
                        variable.name,
                        first_file.path().display()
                    ));
                    return Ok(());
                }
                return Err(differ("they have no time axis in common".into()));
            };
            first.order = vec![0];
            known.dimensions.insert(
                0,
                SourceDimension {
                    name: first.name.clone(),
                    len: 1,
                    role: Role::Time,
                    unlimited: false,
                },
            );
            known.time = Some(first);
            known.stacked = true;
        }
        let shape = |dimensions: &[SourceDimension]| -> Vec<(String, usize, Role)> {
            let others = dimensions.iter().filter(|d| d.role != Role::Time);
            others.map(|d| (d.name.clone(), d.len, d.role)).collect()
        };
        let (ours, theirs) = (shape(&known.dimensions), shape(&dimensions));
        let place = dimensions.iter().position(|d| d.role == Role::Time);
        if ours != theirs
            || (!known.stacked && place != known.dimension(Role::Time))
            || (known.stacked && place.is_some())
        {
            return Err(differ("their dimensions differ".into()));
        }
        let (Some(axis), Some(times)) = (&mut known.time, times) else {
            return Err(differ("one of them has no times".into()));
        };
        if axis.units.calendar() != times.units.calendar() {
            let (a, b) = (axis.units.calendar(), times.units.calendar());
            return Err(differ(format!("their calendars differ ({a} and {b})")));
        }
        let start = axis.instants.len();
        axis.instants.extend(times.instants);
        axis.bounds = axis.bounds.take().zip(times.bounds).map(|(mut a, b)| {
            a.extend(b);
            a
        });
        let time = known.dimensions.iter_mut().find(|d| d.role == Role::Time);
        time.expect("a variable with times has a time dimension")
            .len = start + len;
        known.parts.push(Part { file, start, len });
        Ok(())
    }
}

impl SourceVariable {
    /// Puts the steps of several files in order of time; those of one file stay as they are.
    fn sort_times(&mut self, files: &[Arc<dyn SourceFile>]) -> Result<(), Error> {
        let Some(time) = &mut self.time else {
            return Ok(());
        };
        time.order = (0..time.instants.len()).collect();
        if self.parts.len() == 1 {
            return Ok(());
        }
        time.order.sort_by_key(|&step| time.instants[step]);
        let twice = time
            .order
            .windows(2)
            .find(|w| time.instants[w[0]] == time.instants[w[1]]);
        if let Some(&[a, b]) = twice {
            let file = |step: usize| {
                let part = self
                    .parts
                    .iter()
                    .find(|p| (p.start..p.start + p.len).contains(&step));
                files[part.expect("every step lies in a part").file]
                    .path()
                    .to_owned()
            };
            let when = time.units.calendar().date_time(time.instants[a]);
            return Err(Error::Join {
                variable: self.meta.name.clone(),
                first: file(a),
                second: file(b),
                reason: format!("both hold {when}"),
            });
        }
        Ok(())
    }
}

/// Where a variable lies.
enum Placement<'a> {
    /// On a rectilinear grid, with these coordinates.
    Grid {
        latitude: &'a VariableMeta,
        longitude: &'a VariableMeta,
    },
    /// On a grid that cannot be regridded yet.
    Unsupported(String),
    /// On none.
    None,
}

fn placement<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let along = |dimension: &String, is: fn(&VariableMeta) -> bool| {
        let mut candidates: Vec<&VariableMeta> = meta
            .variables
            .iter()
            .filter(|v| v.dimensions == [dimension.clone()] && is(v))
            .collect();
        // The variable named like the dimension is the coordinate, if it is one at all.
        candidates.sort_by_key(|v| v.name != *dimension);
        candidates.first().copied()
    };
    let find = |is: fn(&VariableMeta) -> bool| {
        let found = variable
            .dimensions
            .iter()
            .enumerate()
            .filter_map(|(d, name)| Some((d, along(name, is)?)));
        found.collect::<Vec<_>>()
    };
    let (latitudes, longitudes) = (find(is_latitude), find(is_longitude));
    match (latitudes.as_slice(), longitudes.as_slice()) {
        ([(lat_dim, _)], [(lon_dim, _)]) if lat_dim == lon_dim => Placement::Unsupported(
            "its latitudes and longitudes run along one dimension: a list of points, not a grid"
                .into(),
        ),
        ([(_, latitude)], [(_, longitude)]) => match variable.data_type {
            DataType::Char | DataType::Text => Placement::Unsupported("it holds text".into()),
            _ => Placement::Grid {
                latitude,
                longitude,
            },
        },
        ([], []) => other_grid(meta, variable),
        _ => Placement::None,
    }
}

/// Grids that are recognised, to say so, though they cannot be regridded.
fn other_grid<'a>(meta: &FileMeta, variable: &VariableMeta) -> Placement<'a> {
    let shares = |v: &VariableMeta| {
        v.dimensions.len() >= 2 && v.dimensions.iter().all(|d| variable.dimensions.contains(d))
    };
    let has = |is: fn(&VariableMeta) -> bool| {
        meta.variables
            .iter()
            .any(|v| v.name != variable.name && is(v) && shares(v))
    };
    if let Some(mapping) = variable.attributes.text("grid_mapping")
        && let Some(mapping) = meta.variable(mapping)
        && let Some(name) = mapping.attributes.text("grid_mapping_name")
        && name != "latitude_longitude"
    {
        return Placement::Unsupported(format!(
            "its grid is a projection ({name}); only latitude by longitude is supported"
        ));
    }
    if is_latitude(variable) || is_longitude(variable) {
        return Placement::None;
    }
    if has(is_latitude) && has(is_longitude) {
        return Placement::Unsupported("its grid is curvilinear (two-dimensional latitudes and longitudes); only latitude by longitude is supported".into());
    }
    Placement::None
}

/// The grid of two coordinate variables; one that is known already is shared.
fn read_grid(
    source: &dyn SourceFile,
    latitude: &VariableMeta,
    longitude: &VariableMeta,
    known: &mut Vec<Arc<Grid>>,
) -> Result<Arc<Grid>, Error> {
    let unusable = |variable: &VariableMeta| {
        let (variable, path) = (variable.name.clone(), source.path().to_owned());
        move |error| Error::Coordinate {
            variable,
            path,
            source: Box::new(error),
        }
    };
    let (centres, bounds) = read_axis(source, latitude)?;
    let mut latitudes = Latitudes::new(centres, bounds).map_err(unusable(latitude))?;
    let (centres, bounds) = read_axis(source, longitude)?;
    let mut longitudes = Longitudes::new(centres, bounds).map_err(unusable(longitude))?;
    if latitude.data_type == DataType::F32 {
        latitudes = latitudes.stored_as_f32();
    }
    if longitude.data_type == DataType::F32 {
        longitudes = longitudes.stored_as_f32();
    }
    let mut grid = Grid::new(latitudes, longitudes);
    grid.latitude_name.clone_from(&latitude.name);
    grid.longitude_name.clone_from(&longitude.name);
    for (attributes, variable) in [
        (&mut grid.latitude_attributes, latitude),
        (&mut grid.longitude_attributes, longitude),
    ] {
        for name in ["standard_name", "long_name"] {
            if let Some(text) = variable.attributes.text(name) {
                attributes.set(name, text);
            }
        }
    }
    if let Some(same) = known.iter().find(|known| ***known == grid) {
        return Ok(same.clone());
    }
    let grid = Arc::new(grid);
    known.push(grid.clone());
    Ok(grid)
}

type Centres = Vec<f64>;
type Bounds = Option<Vec<[f64; 2]>>;

/// The values of a one-dimensional coordinate, and its bounds, where they are two for each.
fn read_axis(
    source: &dyn SourceFile,
    coordinate: &VariableMeta,
) -> Result<(Centres, Bounds), Error> {
    let centres = load_f64(source, &coordinate.name)?;
    let bounds = coordinate
        .attributes
        .text("bounds")
        .and_then(|name| source.meta().variable(name));
    let pairs = |bounds: &VariableMeta| {
        source.meta().shape(bounds) == [centres.len(), 2] && bounds.data_type.is_numeric()
    };
    let Some(bounds) = bounds.filter(|b| pairs(b)) else {
        return Ok((centres, None));
    };
    let flat = load_f64(source, &bounds.name)?;
    let bounds: Vec<[f64; 2]> = flat.chunks_exact(2).map(|b| [b[0], b[1]]).collect();
    // Bounds that were never written say nothing.
    let usable = bounds
        .iter()
        .flatten()
        .all(|x| x.is_finite() && x.abs() < 1e6);
    Ok((centres, usable.then_some(bounds)))
}

/// A variable's dimensions, and its times: those of its time dimension, else of a scalar time.
fn dimensions(
    source: &dyn SourceFile,
    variable: &VariableMeta,
    grid: &Grid,
) -> Result<(Vec<SourceDimension>, Option<TimeAxis>), Error> {
    let meta = source.meta();
    let along = |name: &str, coordinate: &str| {
        meta.variable(coordinate)
            .is_some_and(|v| v.dimensions == [name])
    };
    let time = time_dimension(meta, variable);
    let mut dimensions = Vec::new();
    for name in &variable.dimensions {
        let role = if along(name, &grid.latitude_name) {
            Role::Latitude
        } else if along(name, &grid.longitude_name) {
            Role::Longitude
        } else if time.is_some_and(|time| time.dimensions == [name.clone()]) {
            Role::Time
        } else {
            Role::Other
        };
        let (len, unlimited) = meta
            .dimension(name)
            .map_or((0, false), |d| (d.len, d.unlimited));
        dimensions.push(SourceDimension {
            name: name.clone(),
            len,
            role,
            unlimited,
        });
    }
    let times = match time {
        Some(time) => Some(read_times(source, time)?),
        None => scalar_time(source, variable)?,
    };
    Ok((dimensions, times))
}

/// The coordinate of a variable's time dimension: the one named like its dimension before others.
fn time_dimension<'a>(meta: &'a FileMeta, variable: &VariableMeta) -> Option<&'a VariableMeta> {
    let mut found: Vec<&VariableMeta> = meta
        .variables
        .iter()
        .filter(|v| {
            is_time(v) && matches!(v.dimensions.as_slice(), [d] if variable.dimensions.contains(d))
        })
        .collect();
    found.sort_by_key(|v| {
        (
            v.dimensions[0] != v.name,
            v.attributes.text("standard_name") != Some("time"),
        )
    });
    found.first().copied()
}

fn scalar_time(
    source: &dyn SourceFile,
    variable: &VariableMeta,
) -> Result<Option<TimeAxis>, Error> {
    let meta = source.meta();
    let named = cf::referenced(&variable.attributes, "coordinates");
    let scalar = named
        .iter()
        .filter_map(|name| meta.variable(name))
        .find(|v| v.dimensions.is_empty() && is_time(v));
    scalar.map(|time| read_times(source, time)).transpose()
}

fn read_times(source: &dyn SourceFile, time: &VariableMeta) -> Result<TimeAxis, Error> {
    let unusable = |error| Error::TimeAxis {
        variable: time.name.clone(),
        path: source.path().to_owned(),
        source: error,
    };
    let calendar = match time.attributes.text("calendar") {
        Some(name) => name.parse::<Calendar>().map_err(unusable)?,
        None => Calendar::Standard,
    };
    let units = TimeUnits::parse(time.attributes.text("units").unwrap_or_default(), calendar)
        .map_err(unusable)?;
    let decode = |value: &f64| units.decode(*value);
    let instants: Vec<Instant> = load_f64(source, &time.name)?
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(unusable)?;
    let bounds = ["bounds", "climatology"]
        .iter()
        .find_map(|name| time.attributes.text(name));
    let bounds = match bounds.and_then(|name| source.meta().variable(name)) {
        Some(v) if v.data_type.is_numeric() => {
            let flat = load_f64(source, &v.name)?;
            let pairs: Option<Vec<Instant>> = flat.iter().map(|x| decode(x).ok()).collect();
            pairs
                .filter(|p| p.len() == 2 * instants.len())
                .map(|p| p.chunks_exact(2).map(|b| [b[0], b[1]]).collect())
        }
        _ => None,
    };
    Ok(TimeAxis {
        name: time.name.clone(),
        units,
        instants,
        bounds,
        order: Vec::new(),
    })
}

/// The values of a whole variable, with what its file says of it.
pub(crate) fn load(source: &dyn SourceFile, name: &str) -> Result<Variable, Error> {
    let values = source.variable(name)?;
    let values = values.read(&Region::whole(values.shape()))?;
    let meta = source
        .meta()
        .variable(name)
        .expect("a variable that was read is known");
    Ok(Variable {
        name: meta.name.clone(),
        dimensions: meta.dimensions.clone(),
        attributes: meta.attributes.clone(),
        values,
    })
}

/// The numbers of a small variable, unpacked, NaN where missing.
pub(crate) fn load_f64(source: &dyn SourceFile, name: &str) -> Result<Vec<f64>, Error> {
    let variable = source.meta().variable(name);
    let values = load(source, name)?.values;
    let decoded = match variable.map(|v| cf::Decoding::new(v, true)) {
        Some(Ok(decoding)) => decoding.decode(
            values,
            &crate::attribute::AttributeValue::F64(vec![f64::NAN]),
        ),
        _ => values,
    };
    Ok(decoded
        .to_f64()
        .map(|array| array.iter().copied().collect())
        .unwrap_or_default())
}

/// A file itself, or the netCDF files of a folder, by name.
fn files_at(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let fault = |action| {
        move |source| Error::File {
            action,
            path: path.to_owned(),
            source,
        }
    };
    if !std::fs::metadata(path).map_err(fault("open"))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fault("list"))? {
        let file = entry.map_err(fault("list"))?.path();
        let ending = file
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if file.is_file() && ["nc", "nc4", "cdf", "netcdf"].contains(&ending.as_str()) {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::NoFiles {
            path: path.to_owned(),
        });
    }
    Ok(files)
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

impl Grid {
    /// The grid of a file: the one that its variables lie on.
    ///
    /// Names, standard names and bounds of the axes are taken along. A file without fields will do: two coordinates of one
    /// dimension each, one of latitudes and one of longitudes.
    ///
    /// # Errors
    /// [`Error::NoGrid`], [`Error::SeveralGrids`], what [`Catalogue::open`] says of a bad file.
    pub fn like(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = NetcdfFile::open(path, &Arc::new(OpenFiles::default()))?;
        let meta = file.meta();
        let mut grids = Vec::new();
        for variable in &meta.variables {
            if let Placement::Grid {
                latitude,
                longitude,
            } = placement(meta, variable)
            {
                read_grid(&file, latitude, longitude, &mut grids)?;
            }
        }
        if grids.is_empty() {
            let axis = |is: fn(&VariableMeta) -> bool| {
                let mut found = meta
                    .variables
                    .iter()
                    .filter(|v| v.dimensions.len() <= 1 && is(v));
                (found.next(), found.next())
            };
            let ((Some(latitude), None), (Some(longitude), None)) =
                (axis(is_latitude), axis(is_longitude))
            else {
                return Err(Error::NoGrid {
                    path: path.to_owned(),
                });
            };
            read_grid(&file, latitude, longitude, &mut grids)?;
        }
        let first = grids.swap_remove(0);
        if let Some(other) = grids.iter().find(|grid| !grid.same_points(&first)) {
            return Err(Error::SeveralGrids {
                path: path.to_owned(),
                first: first.to_string(),
                second: other.to_string(),
            });
        }
        Ok(Arc::unwrap_or_clone(first))
    }
}
