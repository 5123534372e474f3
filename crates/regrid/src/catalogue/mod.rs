//! What is in a set of files: which variables lie on which grid, when, and how the files of one variable join along time.
//!
//! Metadata only: names, attributes, axes and times are read, no field.

mod coordinates;
mod dimensions;
mod like;
mod opening;
mod placement;
mod scalars;
mod variable;

pub(crate) use variable::Part;
pub use variable::{Role, SourceDimension, SourceVariable};

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coordinates::Grids;
use dimensions::{Dimensions, dimensions};
use opening::opened;
use placement::{Placement, placement};
use variable::Joined;

use ndarray::ArrayD;

use crate::chunk::Region;
use crate::error::Error;
use crate::field::Variable;
use crate::grid::Grid;
use crate::io::cf;
use crate::io::decoding::Decoding;
use crate::io::signs::as_meant;
use crate::io::{SourceFile, VariableMeta};
use crate::values::Values;

/// A variable that looks like a field but cannot be regridded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
    /// Whether it would be regridded, were its coordinates usable.
    pub broken: bool,
}

/// A set of files and what is in them.
#[derive(Debug)]
pub struct Catalogue {
    files: Vec<Arc<dyn SourceFile>>,
    variables: Vec<SourceVariable>,
    unsupported: Vec<Unsupported>,
    /// Variables of more than one dimension that lie on no grid, and their files.
    off_grid: Vec<(String, usize)>,
    notes: Vec<String>,
    paths: Arc<[PathBuf]>,
}

impl Catalogue {
    /// Opens files, the netCDF files of folders (endings `nc`, `nc4`, `cdf`, `netcdf`), and those of patterns
    /// (`data/*/tas_*.nc`), and reads what they say of themselves.
    ///
    /// A file named twice counts once. Many files are looked at on several threads, ahead of the netCDF library, which opens one at a time.
    ///
    /// # Errors
    /// A path or pattern that leads to nothing ([`Error::File`], [`Error::NoFiles`], [`Error::NoMatch`]); else the first file that is not
    /// netCDF, truncated or damaged. Files of one variable that do
    /// not fit together, and unusable axes, are errors only when the variable is asked for.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let mut all = Vec::new();
        for path in paths {
            all.extend(files_at(path.as_ref())?);
        }
        Self::from_files(opened(&all)?)
    }

    /// A catalogue of files that are open already, of any format.
    ///
    /// # Errors
    /// As [`Catalogue::open`].
    pub fn from_files(files: Vec<Arc<dyn SourceFile>>) -> Result<Self, Error> {
        let files: Vec<_> = files
            .into_iter()
            .map(|file| scalars::unfolded(as_meant(file)))
            .collect();
        let mut catalogue = Self {
            paths: files.iter().map(|file| file.path().to_owned()).collect(),
            files,
            variables: Vec::new(),
            unsupported: Vec::new(),
            off_grid: Vec::new(),
            notes: Vec::new(),
        };
        let mut grids = Grids::default();
        for file in 0..catalogue.files.len() {
            catalogue.add_file(file, &mut grids);
            grids.next_file();
        }
        catalogue.check_left_out();
        for variable in &mut catalogue.variables {
            variable.sort_times(&catalogue.files);
        }
        Ok(catalogue)
    }

    /// A variable that one file has on a grid and another has otherwise must not lose the other file in silence.
    fn check_left_out(&mut self) {
        for variable in &mut self.variables {
            if let Some(at) = self
                .unsupported
                .iter()
                .position(|u| u.name == variable.name())
            {
                let Unsupported { path, reason, .. } = self.unsupported.swap_remove(at);
                let first = self.files[variable.parts[0].file].path().to_owned();
                variable.set_fault(first, path, reason);
            }
            if let Some((_, file)) = self
                .off_grid
                .iter()
                .find(|(name, _)| name == variable.name())
            {
                let path = |file: usize| self.files[file].path().to_owned();
                variable.set_fault(
                    path(variable.parts[0].file),
                    path(*file),
                    "in one of them it lies on no grid".into(),
                );
            }
        }
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

    /// Where the files are.
    pub(crate) fn paths(&self) -> Arc<[PathBuf]> {
        self.paths.clone()
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
                flags: false,
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

    fn add_file(&mut self, file: usize, grids: &mut Grids) {
        let source = self.files[file].clone();
        let meta = source.meta();
        let serving: HashSet<String> = cf::serving(meta).into_iter().collect();
        for variable in meta.variables.iter().filter(|v| !serving.contains(&v.name)) {
            match placement(meta, variable) {
                Placement::Grid(spot) => {
                    let found = grids
                        .read(source.as_ref(), &spot)
                        .and_then(|grid| Ok((dimensions(source.as_ref(), variable, &spot)?, grid)));
                    match found {
                        Ok((found, grid)) => self.add_part(file, variable, grid, found),
                        Err(error) => {
                            self.refuse(source.path(), &variable.name, error.chain(), true)
                        }
                    }
                }
                Placement::Unsupported(reason) => {
                    self.refuse(source.path(), &variable.name, reason, false)
                }
                Placement::None if variable.dimensions.len() > 1 => {
                    self.off_grid.push((variable.name.clone(), file));
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
                "{what} {name} in {} is of a kind or size that is not read",
                source.path().display()
            ));
        }
    }

    fn refuse(&mut self, path: &Path, name: &str, reason: String, broken: bool) {
        if !self.unsupported.iter().any(|u| u.name == name) {
            self.unsupported.push(Unsupported {
                name: name.to_owned(),
                path: path.to_owned(),
                reason,
                broken,
            });
        }
    }

    /// Adds what one file holds of a variable to what other files hold.
    fn add_part(
        &mut self,
        file: usize,
        variable: &VariableMeta,
        grid: Arc<Grid>,
        found: Dimensions,
    ) {
        if let Some(fault) = &found.time_fault {
            let note =
                format!("times are kept as they are, but cannot be chosen or joined: {fault}");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        let Some(known) = self
            .variables
            .iter_mut()
            .find(|v| v.name() == variable.name)
        else {
            self.variables
                .push(SourceVariable::new(file, variable, grid, found));
            return;
        };
        let first = self.files[known.parts[0].file].path().to_owned();
        match known.join(file, variable, &grid, found) {
            Ok(Joined::InTime) => {}
            Ok(Joined::Again) => self.notes.push(format!(
                "{} has no time and is in several files: taken from {}",
                variable.name,
                first.display()
            )),
            Err(reason) => known.set_fault(first, self.files[file].path().to_owned(), reason),
        }
    }
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
        values: values.into(),
    })
}

/// The numbers of a small variable, unpacked, NaN where missing.
pub(crate) fn load_f64(source: &dyn SourceFile, name: &str) -> Result<Vec<f64>, Error> {
    let variable = source.meta().variable(name);
    let values = load(source, name)?.values.into_values();
    let decoded = match variable.map(|v| Decoding::new(v, true)) {
        Some(Ok(decoding)) => decoding.decode(
            values,
            &crate::attribute::AttributeValue::F64(vec![f64::NAN]),
        ),
        _ => values,
    };
    // Corners of a large mesh are not to be there twice.
    let numbers = match decoded {
        Values::F64(array) => Some(array),
        other => other.to_f64(),
    };
    Ok(numbers.map(flat).unwrap_or_default())
}

/// The values of an array one after the other.
fn flat(array: ArrayD<f64>) -> Vec<f64> {
    match array.is_standard_layout() && array.len() > 1 {
        true => {
            let len = array.len();
            let (mut values, start) = array.into_raw_vec_and_offset();
            values.drain(..start.unwrap_or(0));
            values.truncate(len);
            values
        }
        false => array.iter().copied().collect(),
    }
}

/// A file itself, or the netCDF files of a folder or of a pattern such as `data/*/tas_*.nc`, by name.
fn files_at(path: &Path) -> Result<Vec<PathBuf>, Error> {
    // A file may be called like a pattern; a shell that finds nothing hands the pattern on.
    if !path.exists()
        && let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '[']))
        && let Ok(found) = glob::glob(pattern)
    {
        let mut files = Vec::new();
        for path in found {
            let path = path.map_err(|error| Error::File {
                action: "list",
                path: error.path().to_owned(),
                source: error.into(),
            })?;
            if path.is_file() {
                files.push(path);
            }
        }
        return match files.is_empty() {
            true => Err(Error::NoMatch {
                pattern: pattern.to_owned(),
            }),
            false => Ok(files),
        };
    }
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
