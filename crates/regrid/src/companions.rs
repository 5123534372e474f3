//! What goes with a regridded field: coordinates, bounds, scalars, grid mapping; and what must not go with it any more.
//!
//! The target's axes replace the source's; whatever hangs on the source's cells (two-dimensional coordinates, cell
//! measures) is dropped; the rest is kept, joined along time where the field is, and taken at the field's times.

pub(crate) mod meaning;
mod target;
mod vectors;

use ndarray::{ArrayD, Axis, IxDyn};

pub(crate) use target::TargetCoordinates;

use crate::attribute::{AttributeValue, Attributes};
use crate::catalogue::{Catalogue, Part, Role, SourceVariable};
use crate::error::Error;
use crate::field::Variable;
use crate::grid::Grid;
use crate::io::cf::{is_vertical, referenced, serving};
use crate::io::{Dimension, FileMeta, VariableMeta};
use crate::time::{Calendar, ChosenTimes, TimeAxis, TimeUnits};
use crate::values::Values;
use crate::weights::Row;

/// The dimension of the pairs that bound a target's cells.
pub(crate) const BOUNDS: &str = "bnds";

/// Attributes that speak of the stored numbers or of the old cells, not of the field.
const DROPPED: [&str; 13] = [
    "_FillValue",
    "missing_value",
    "scale_factor",
    "add_offset",
    "valid_min",
    "valid_max",
    "valid_range",
    "actual_range",
    "cell_measures",
    "_ChunkSizes",
    "_Unsigned",
    "unpacked_valid_range",
    "DIMENSION_LABELS",
];

/// The dimensions, attributes and companions of one regridded variable.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) attributes: Attributes,
    pub(crate) companions: Vec<Variable>,
    pub(crate) notes: Vec<String>,
}

/// Gathers what goes with a variable on a target grid at its chosen times.
pub(crate) fn surroundings(
    catalogue: &Catalogue,
    variable: &SourceVariable,
    (target, coordinates): (&Grid, &TargetCoordinates),
    times: Option<&ChosenTimes>,
) -> Result<Surroundings, Error> {
    let TargetCoordinates {
        variables,
        coordinates,
        mapping,
    } = coordinates.clone();
    let mut gathering = Gathering {
        catalogue,
        variable,
        times,
        companions: variables,
        notes: Vec::new(),
    };
    let meta = &variable.meta;
    gathering.notes.extend(vectors::note(
        &meta.name,
        &meta.attributes,
        &variable.grid,
        target,
    ));
    if let (Some(axis), Some(times)) = (&variable.time, times) {
        gathering.add_time(axis, times)?;
    }
    for dimension in variable.dimensions.iter().filter(|d| d.role == Role::Other) {
        gathering.add(&dimension.name)?;
    }
    let mut attributes = variable.meta.attributes.clone();
    for name in DROPPED {
        attributes.remove(name);
    }
    let mut kept = coordinates;
    for name in referenced(&attributes, "coordinates") {
        if gathering.add(&name)? && !kept.contains(&name) {
            kept.push(name);
        }
    }
    let dimensions = output_dimensions(variable, target, times);
    // Coordinates named like a dimension need no mention.
    kept.retain(|name| !dimensions.iter().any(|d| d.name == *name));
    set_words(&mut attributes, "coordinates", &kept);
    attributes.remove("grid_mapping");
    let mapping = match (mapping, &variable.grid.mapping) {
        (Some(mapping), _) => Some(mapping),
        // The shape of the earth under latitudes and longitudes, where the target says nothing of it.
        (None, Some(own)) if variable.grid.same_crs(target) => {
            gathering.add(&own.name)?.then(|| own.name.clone())
        }
        _ => None,
    };
    set_words(&mut attributes, "grid_mapping", mapping.as_slice());
    Ok(Surroundings {
        dimensions,
        attributes,
        companions: gathering.companions,
        notes: gathering.notes,
    })
}

/// A source file's own attributes without those that speak of its cells.
pub(crate) fn file_attributes(source: &Attributes) -> Attributes {
    let mut attributes = source.clone();
    // What the source's points are the target's need not be; extents are the source's, and so is how its file was stored.
    for name in [
        "_NCProperties",
        "_SuperblockVersion",
        "_IsNetcdf4",
        "_Format",
        "featureType",
        "geospatial_lat_min",
        "geospatial_lat_max",
        "geospatial_lat_resolution",
        "geospatial_lon_min",
        "geospatial_lon_max",
        "geospatial_lon_resolution",
        "geospatial_bounds",
    ] {
        attributes.remove(name);
    }
    attributes
}

/// What a field at points is to those who read points (CF section 9.1): one value each, series of them or of profiles.
///
/// Nothing if it is on a grid, has no time, or has dimensions that no such feature has.
pub(crate) fn feature_type(
    variable: &SourceVariable,
    target: &Grid,
    made: &Surroundings,
) -> Option<&'static str> {
    if !target.is_list() {
        return None;
    }
    let scalar_time = || {
        let named = referenced(&made.attributes, "coordinates");
        variable
            .scalar_time
            .as_ref()
            .is_some_and(|time| named.contains(&time.name))
    };
    let others: Vec<bool> = variable
        .dimensions
        .iter()
        .filter(|d| d.role == Role::Other)
        .map(|d| {
            let mut along = made
                .companions
                .iter()
                .filter(|v| v.dimensions == [d.name.clone()]);
            along.any(|v| is_vertical(&v.attributes))
        })
        .collect();
    match (variable.dimension(Role::Time), others.as_slice()) {
        (Some(_), []) => Some("timeSeries"),
        (Some(_), [true]) => Some("timeSeriesProfile"),
        (None, []) if scalar_time() => Some("point"),
        (None, [true]) if scalar_time() => Some("profile"),
        _ => None,
    }
}

/// The dimensions of a variable on a target grid.
///
/// The target's rows and columns take the places of the source's. A list of points, as source or target, has one place:
/// that of the source's first horizontal dimension.
fn output_dimensions(
    variable: &SourceVariable,
    target: &Grid,
    times: Option<&ChosenTimes>,
) -> Vec<Dimension> {
    let mut horizontal = target.dimensions().into_iter();
    let one_to_one = variable.dimension(Role::Latitude).is_some() && !target.is_list();
    let columns = one_to_one.then(|| horizontal.next_back()).flatten();
    let mut dimensions = Vec::new();
    for d in &variable.dimensions {
        match d.role {
            Role::Longitude if one_to_one => dimensions.extend(columns.clone()),
            // A list's one dimension, or both where a list becomes a grid, or the rows.
            Role::Latitude | Role::Longitude => dimensions.extend(horizontal.by_ref()),
            Role::Time => dimensions.push(Dimension {
                name: d.name.clone(),
                len: times.map_or(d.len, |t| t.instants.len()),
                unlimited: d.unlimited,
            }),
            Role::Other => dimensions.push(fixed(&d.name, d.len)),
        }
    }
    dimensions
}

/// The variables of the files that lie on no grid and belong to no field: kept as they are.
///
/// Those along the time of `variable` are joined and taken at its times; others come from the first file that has them.
pub(crate) fn bystanders(
    catalogue: &Catalogue,
    variable: &SourceVariable,
    times: Option<&ChosenTimes>,
    known: &[String],
) -> Result<(Vec<Variable>, Vec<String>), Error> {
    let mut gathering = Gathering {
        catalogue,
        variable,
        times,
        companions: Vec::new(),
        notes: Vec::new(),
    };
    for (index, file) in catalogue.files().iter().enumerate() {
        let meta = file.meta();
        let serving = serving(meta);
        for candidate in &meta.variables {
            let name = &candidate.name;
            let field = catalogue.variables().iter().any(|v| v.name() == name)
                || catalogue.unsupported().iter().any(|u| u.name == *name);
            let there =
                known.contains(name) || gathering.companions.iter().any(|v| v.name == *name);
            let gridded = |d: &String| {
                catalogue.variables().iter().any(|v| {
                    v.dimensions
                        .iter()
                        .any(|s| s.name == *d && matches!(s.role, Role::Latitude | Role::Longitude))
                })
            };
            if field || there || serving.contains(name) || on_old_cells(catalogue, name) {
                continue;
            }
            if candidate.dimensions.iter().any(gridded) {
                let note = format!("{name} lies along the old grid and is left out");
                if !gathering.notes.contains(&note) {
                    gathering.notes.push(note);
                }
                continue;
            }
            let of_variable = variable.parts.iter().any(|part| part.file == index);
            if of_variable && gathering.add(name)? {
                continue;
            }
            if !of_variable || !along_time(variable, candidate) {
                for name in with_coordinates(meta, candidate) {
                    let there = known.contains(&name)
                        || gathering.companions.iter().any(|v| v.name == name);
                    if !there {
                        gathering.companions.push(catalogue.load(index, &name)?);
                    }
                }
            }
        }
    }
    Ok((gathering.companions, gathering.notes))
}

/// A variable and those of its file that describe it: coordinates of its dimensions, others that it names, their bounds.
fn with_coordinates(meta: &FileMeta, variable: &VariableMeta) -> Vec<String> {
    let mut names = vec![variable.name.clone()];
    names.extend(variable.dimensions.iter().cloned());
    names.extend(referenced(&variable.attributes, "coordinates"));
    for at in 0..names.len() {
        let bounds = meta
            .variable(&names[at])
            .map(|v| referenced(&v.attributes, "bounds"));
        names.extend(bounds.unwrap_or_default());
    }
    let fits = |v: &VariableMeta| {
        v.dimensions.iter().all(|d| {
            variable.dimensions.contains(d) || meta.dimension(d).is_some_and(|d| d.len == 2)
        })
    };
    names.retain(|name| meta.variable(name).is_some_and(fits));
    names
}

/// Whether a variable is an axis of a source grid, or its bounds.
fn on_old_cells(catalogue: &Catalogue, name: &str) -> bool {
    catalogue
        .variables()
        .iter()
        .any(|v| v.grid.y.name == name || v.grid.x.name == name)
}

fn along_time(variable: &SourceVariable, candidate: &VariableMeta) -> bool {
    variable.time.is_some()
        && variable
            .dimension(Role::Time)
            .is_some_and(|d| candidate.dimensions.contains(&variable.dimensions[d].name))
}

struct Gathering<'a> {
    catalogue: &'a Catalogue,
    variable: &'a SourceVariable,
    times: Option<&'a ChosenTimes>,
    companions: Vec<Variable>,
    notes: Vec<String>,
}

impl Gathering<'_> {
    /// Adds a variable of the files and its bounds; tells whether it could be kept.
    fn add(&mut self, name: &str) -> Result<bool, Error> {
        if self.companions.iter().any(|v| v.name == name) {
            return Ok(true);
        }
        if self.variable.grid.y.name == name || self.variable.grid.x.name == name {
            return Ok(false);
        }
        let first = self.catalogue.files()[self.variable.parts[0].file].meta();
        let Some(meta) = first.variable(name) else {
            return Ok(false);
        };
        let on_grid = |d: &String| {
            let role = self
                .variable
                .dimensions
                .iter()
                .find(|s| s.name == *d)
                .map(|s| s.role);
            matches!(role, Some(Role::Latitude | Role::Longitude))
        };
        if meta.dimensions.iter().any(on_grid) {
            return Ok(false);
        }
        let bounds: Vec<String> = ["bounds", "climatology"]
            .iter()
            .filter_map(|a| meta.attributes.text(a))
            .map(str::to_owned)
            .collect();
        let Some(mut kept) = self.joined(name)? else {
            return Ok(false);
        };
        let interpolated =
            self.times.is_some_and(|t| !t.as_stored) && along_time(self.variable, meta);
        if interpolated {
            for attribute in ["bounds", "climatology"] {
                kept.attributes.remove(attribute);
            }
        }
        // Terms of a formula that are not kept would leave it dangling.
        let terms = referenced(&kept.attributes, "formula_terms");
        self.companions.push(kept);
        for term in terms {
            self.add(&term)?;
        }
        if !interpolated {
            for name in bounds {
                self.add(&name)?;
            }
        }
        Ok(true)
    }

    /// A variable over all files of the field, at the field's times.
    fn joined(&mut self, name: &str) -> Result<Option<Variable>, Error> {
        let parts = &self.variable.parts;
        let mut first = self.catalogue.load(parts[0].file, name)?;
        let time = self
            .variable
            .dimension(Role::Time)
            .map(|d| self.variable.dimensions[d].name.clone());
        let Some(time) = time else {
            return Ok(Some(first));
        };
        let dim = first.dimensions.iter().position(|d| *d == time);
        if dim.is_none() && parts.len() == 1 {
            return Ok(Some(first));
        }
        let mut pieces = Vec::new();
        for part in parts {
            let file = &self.catalogue.files()[part.file];
            let fits = file
                .meta()
                .variable(name)
                .is_some_and(|v| v.dimensions == first.dimensions);
            if !fits {
                self.notes.push(format!(
                    "{name} is not in {} and is left out",
                    file.path().display()
                ));
                return Ok(None);
            }
            let piece = self.catalogue.load(part.file, name)?;
            match same_units(piece, &first.attributes) {
                Some(values) => pieces.push((part, values)),
                None => {
                    self.notes.push(format!(
                        "the units of {name} differ between files: it is left out"
                    ));
                    return Ok(None);
                }
            }
        }
        if dim.is_none() {
            if pieces.iter().all(|(_, values)| values.same(&pieces[0].1)) {
                return Ok(Some(first));
            }
            // A value a file: along time, once for each of the file's steps.
            let repeated: Vec<(&Part, Values)> = pieces
                .iter()
                .map(|(part, values)| (*part, repeat(values, part.len)))
                .collect();
            pieces = repeated;
            first.dimensions.insert(0, time);
        }
        let dim = dim.unwrap_or(0);
        let whole: Vec<&Values> = pieces.iter().map(|(_, values)| values).collect();
        let Some(values) = Values::concatenate(dim, &whole) else {
            self.notes.push(format!(
                "{name} differs in type or shape between files: it is left out"
            ));
            return Ok(None);
        };
        let Some(times) = self.times else {
            first.values = values.into();
            return Ok(Some(first));
        };
        match at_times(&values, dim, times) {
            Some(values) => {
                if values.data_type() != first.values.data_type() {
                    for name in ["_FillValue", "missing_value"] {
                        first.attributes.remove(name);
                    }
                }
                first.values = values.into();
                Ok(Some(first))
            }
            None => {
                self.notes.push(format!(
                    "{name} cannot be interpolated in time and is left out"
                ));
                Ok(None)
            }
        }
    }

    /// The time coordinate, encoded anew, since files may count from different dates.
    fn add_time(&mut self, axis: &TimeAxis, times: &ChosenTimes) -> Result<(), Error> {
        let part = self.variable.parts[0];
        let file = &self.catalogue.files()[part.file];
        let mut attributes = file
            .meta()
            .variable(&axis.name)
            .map(|v| v.attributes.clone())
            .unwrap_or_default();
        for name in [
            "_FillValue",
            "missing_value",
            "scale_factor",
            "add_offset",
            "valid_min",
            "valid_max",
            "valid_range",
            "actual_range",
        ] {
            attributes.remove(name);
        }
        let dimension = self
            .variable
            .dimension(Role::Time)
            .expect("a variable with times has a time dimension");
        let dimension = self.variable.dimensions[dimension].name.clone();
        let kind = ["bounds", "climatology"]
            .into_iter()
            .find(|a| attributes.text(a).is_some());
        let bounds = axis.bounds.as_ref().filter(|_| times.as_stored).zip(kind);
        if bounds.is_none() {
            attributes.remove("bounds");
            attributes.remove("climatology");
        }
        let encoded: Vec<f64> = times
            .instants
            .iter()
            .map(|&i| axis.units.encode(i))
            .collect();
        let bounds = bounds.map(|(bounds, kind)| {
            let name = attributes.text(kind).unwrap_or("time_bnds").to_owned();
            let steps =
                (0..times.weights.len()).map(|t| times.weights.row(t).sources()[0] as usize);
            let flat: Vec<f64> = steps
                .flat_map(|s| bounds[s])
                .map(|i| axis.units.encode(i))
                .collect();
            let pairs = file
                .meta()
                .variable(&name)
                .and_then(|v| v.dimensions.last().cloned());
            Variable {
                name,
                dimensions: vec![dimension.clone(), pairs.unwrap_or_else(|| "bnds".into())],
                attributes: Attributes::new(),
                values: Values::F64(array(&[encoded.len(), 2], flat)).into(),
            }
        });
        self.companions.push(Variable {
            name: axis.name.clone(),
            dimensions: vec![dimension],
            attributes,
            values: Values::F64(array(&[encoded.len()], encoded)).into(),
        });
        self.companions.extend(bounds);
        Ok(())
    }
}

/// Values in the units of another file: times that count from another date are counted anew; `None` if they cannot be.
fn same_units(piece: Variable, wanted: &Attributes) -> Option<Values> {
    let (ours, theirs) = (wanted.text("units"), piece.attributes.text("units"));
    let calendars = (wanted.text("calendar"), piece.attributes.text("calendar"));
    if ours == theirs && calendars.0 == calendars.1 {
        return Some(piece.values.into_values());
    }
    let units = |text: Option<&str>, calendar: Option<&str>| {
        let calendar: Calendar = calendar.unwrap_or("standard").parse().ok()?;
        TimeUnits::parse(text?, calendar).ok()
    };
    let (from, to) = (units(theirs, calendars.1)?, units(ours, calendars.0)?);
    if from.calendar() != to.calendar() {
        return None;
    }
    let array = piece.values.to_f64()?;
    let shape = array.shape().to_vec();
    let counted: Option<Vec<f64>> = array
        .iter()
        .map(|&x| from.decode(x).ok().map(|i| to.encode(i)))
        .collect();
    Some(Values::F64(
        ArrayD::from_shape_vec(IxDyn(&shape), counted?).expect("as many as before"),
    ))
}

/// A value once for each of so many steps, along a new first dimension.
fn repeat(values: &Values, len: usize) -> Values {
    values
        .clone()
        .with_new_dimension(0)
        .select(0, &vec![0; len])
}

/// Values along time, at a result's times: the stored steps where each is one, else interpolated as doubles.
fn at_times(values: &Values, dim: usize, times: &ChosenTimes) -> Option<Values> {
    let rows: Vec<Row<'_>> = (0..times.weights.len())
        .map(|t| times.weights.row(t))
        .collect();
    if rows.iter().all(|row| row.len() == 1) {
        let steps: Vec<usize> = rows.iter().map(|row| row.sources()[0] as usize).collect();
        return Some(values.select(dim, &steps));
    }
    let array = values.to_f64()?;
    let mut shape = array.shape().to_vec();
    shape[dim] = rows.len();
    let mut result = ArrayD::zeros(IxDyn(&shape));
    for (t, row) in rows.iter().enumerate() {
        for (step, weight) in *row {
            result
                .index_axis_mut(Axis(dim), t)
                .scaled_add(weight, &array.index_axis(Axis(dim), step));
        }
    }
    Some(Values::F64(result))
}

/// Sets an attribute to some words, or takes it away where there are none.
pub(crate) fn set_words(attributes: &mut Attributes, name: &str, words: &[String]) {
    if words.is_empty() {
        attributes.remove(name);
    } else {
        attributes.set(name, AttributeValue::Text(words.join(" ")));
    }
}

fn fixed(name: &str, len: usize) -> Dimension {
    Dimension {
        name: name.to_owned(),
        len,
        unlimited: false,
    }
}

fn array(shape: &[usize], values: Vec<f64>) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many values as the shape says")
}
