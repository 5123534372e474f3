//! What both formats have in common: the content of a weights file, and how its variables are read and made.

use std::path::Path;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::links::{Links, Normalization};
use super::record::{GridRecord, short};
use crate::attribute::Attributes;
use crate::catalogue::load_f64;
use crate::error::Error;
use crate::io::netcdf::{NetcdfFile, OpenFiles};
use crate::io::{Dimension, FileMeta, OutputVariable, SourceFile};
use crate::scheme::Method;
use crate::values::{DataType, Values};

/// The name of the global attribute that holds our name of the method.
pub(super) const METHOD: &str = "regrid_method";
/// The names of the global attributes that hold the fingerprints of the source's and the target's grid.
pub(super) const FINGERPRINTS: [&str; 2] = ["source_grid_fingerprint", "target_grid_fingerprint"];
/// Those of attributes that say of what kind the grids are, and what they say of one without rows and columns.
pub(super) const KINDS: [&str; 2] = ["source_grid", "dest_grid"];
pub(super) const MESH: &str = "curvilinear";

/// What a weights file holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) source: GridRecord,
    pub(super) target: GridRecord,
    pub(super) links: Links,
    pub(super) normalization: Normalization,
    /// The method, if it is stated and one of ours.
    pub(super) method: Option<Method>,
    /// The method in the file's own words.
    pub(super) stated: Option<String>,
}

/// An open weights file.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: NetcdfFile,
}

/// What a file calls the dimensions and variables of one of its grids.
pub(super) struct GridNames {
    /// The dimension of cells.
    pub(super) size: String,
    /// The dimension of a cell's corners.
    pub(super) per_cell: String,
    pub(super) dims: String,
    /// Latitudes, longitudes.
    pub(super) centres: [String; 2],
    pub(super) corners: [String; 2],
    pub(super) mask: String,
    pub(super) areas: String,
    pub(super) fractions: String,
}

impl<'a> Reader<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, Error> {
        let file = NetcdfFile::open(path, &Arc::new(OpenFiles::default()))?;
        Ok(Self { path, file })
    }

    pub(super) fn meta(&self) -> &FileMeta {
        self.file.meta()
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        names
            .iter()
            .all(|name| self.meta().variable(name).is_some())
    }

    /// An error about the file.
    pub(super) fn unusable(&self, what: impl Into<String>) -> Error {
        Error::WeightsFile {
            path: self.path.to_owned(),
            what: what.into(),
        }
    }

    pub(super) fn len(&self, dimension: &str) -> Option<usize> {
        self.meta().dimension(dimension).map(|d| d.len)
    }

    /// The numbers of a variable, if there is such a variable.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Vec<f64>>, Error> {
        match self.meta().variable(name) {
            Some(_) => load_f64(&self.file, name).map(Some),
            None => Ok(None),
        }
    }

    /// One number a cell, if there is such a variable.
    pub(super) fn per_cell(
        &self,
        name: &str,
        cells: Option<usize>,
    ) -> Result<Option<Vec<f64>>, Error> {
        let values = self.optional(name)?;
        match (&values, cells) {
            (Some(values), Some(cells)) if values.len() != cells => Err(self.unusable(format!(
                "its variable {name} has {} values for {cells} cells",
                values.len()
            ))),
            _ => Ok(values),
        }
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        let missing = || self.unusable(format!("it has no variable {name}"));
        self.optional(name)?.ok_or_else(missing)
    }

    /// Angles in degrees.
    pub(super) fn angles(&self, name: &str) -> Result<Option<Vec<f64>>, Error> {
        let variable = self.meta().variable(name);
        let units = variable
            .and_then(|v| v.attributes.text("units"))
            .unwrap_or("degrees");
        let radians = units.to_ascii_lowercase().starts_with("rad");
        let values = self.optional(name)?;
        Ok(values.map(|values| match radians {
            true => values.into_iter().map(|x| short(x.to_degrees())).collect(),
            false => values,
        }))
    }

    /// Latitudes and longitudes of one number a cell, or of several.
    pub(super) fn places(
        &self,
        names: &[String; 2],
        count: Option<usize>,
    ) -> Result<Option<[Vec<f64>; 2]>, Error> {
        let (Some(latitudes), Some(longitudes)) =
            (self.angles(&names[0])?, self.angles(&names[1])?)
        else {
            return Ok(None);
        };
        for (name, got) in names.iter().zip([latitudes.len(), longitudes.len()]) {
            if let Some(count) = count.filter(|&count| count != got) {
                return Err(
                    self.unusable(format!("its variable {name} has {got} values, not {count}"))
                );
            }
        }
        Ok(Some([latitudes, longitudes]))
    }

    /// A size that is the product of lengths along dimensions, if these are told.
    pub(super) fn dims(&self, name: &str, size: Option<usize>) -> Result<Vec<usize>, Error> {
        let dims: Vec<usize> = self
            .optional(name)?
            .unwrap_or_default()
            .into_iter()
            .map(|x| x as usize)
            .collect();
        let product = dims.iter().fold(1, |a, &b| usize::saturating_mul(a, b));
        match size {
            Some(size) if !dims.is_empty() && product != size => Err(self.unusable(format!(
                "its {name} {dims:?} do not make the {size} cells that it states"
            ))),
            _ => Ok(dims),
        }
    }

    /// What the file tells of a grid.
    pub(super) fn grid(&self, names: &GridNames) -> Result<GridRecord, Error> {
        let size = self.len(&names.size);
        let corners = match (size, self.len(&names.per_cell)) {
            (Some(size), Some(per_cell)) => {
                let count = size.saturating_mul(per_cell);
                let corners = self.places(&names.corners, Some(count))?;
                corners.map(|corners| (per_cell, corners))
            }
            _ => None,
        };
        let mask = self.per_cell(&names.mask, size)?;
        Ok(GridRecord {
            size,
            dims: self.dims(&names.dims, size)?,
            centres: self.places(&names.centres, size)?,
            corners,
            mask: mask.map(|mask| mask.into_iter().map(|x| x != 0.0).collect()),
            areas: self.per_cell(&names.areas, size)?,
            fractions: self.per_cell(&names.fractions, size)?,
            fingerprint: None,
            is_mesh: false,
        })
    }

    /// The fingerprints of both grids, of what kind these are, and our own name of the method, if we made the file.
    pub(super) fn own_attributes(&self, content: &mut Content) -> Result<(), Error> {
        let attributes = &self.meta().attributes;
        let grids = [&mut content.source, &mut content.target].into_iter();
        for ((grid, name), kind) in grids.zip(FINGERPRINTS).zip(KINDS) {
            grid.fingerprint = match attributes.text(name) {
                Some(text) => Some(text.parse().map_err(|()| {
                    self.unusable(format!("its attribute {name} ({text}) is no fingerprint"))
                })?),
                None => None,
            };
            // Others may mean something else by it.
            grid.is_mesh = grid.fingerprint.is_some() && attributes.text(kind) == Some(MESH);
        }
        if let Some(name) = attributes.text(METHOD) {
            content.method = Some(name.parse()?);
            content.stated = Some(name.to_owned());
        }
        Ok(())
    }
}

/// Which of our methods other tools' words mean.
pub(super) fn method_of(stated: &str) -> Option<Method> {
    let stated = stated.to_ascii_lowercase();
    let has = |word: &str| stated.contains(word);
    if has("second-order conservative") || has("second order conservative") {
        Some(Method::SecondOrderConservative)
    } else if has("conservative") {
        Some(Method::AreaWeighted)
    } else if has("distance weighted") {
        Some(Method::InverseDistance)
    } else if has("nearest destination") {
        None
    } else if has("nearest") {
        Some(Method::Nearest)
    } else if has("bilinear") {
        Some(Method::Linear)
    } else if has("bicubic") {
        Some(Method::Cubic)
    } else {
        None
    }
}

/// What the weights of a method are shares of, by the name that files have for it.
pub(super) fn normalization_of(name: Option<&str>, method: Option<Method>) -> Normalization {
    if method.is_some_and(|method| !method.needs_cells()) {
        return Normalization::Points;
    }
    match name.map(str::to_ascii_lowercase).as_deref() {
        Some("fracarea") => Normalization::CoveredArea,
        Some("destarea") => Normalization::TargetArea,
        Some("none") if method.is_some() => Normalization::Areas,
        _ => Normalization::Unknown,
    }
}

/// The name that files have for what the weights that we write are shares of.
pub(super) fn normalization_name(method: Method) -> &'static str {
    if method.needs_cells() {
        "fracarea"
    } else {
        "none"
    }
}

/// A dimension of the file.
pub(super) fn dimension(name: impl Into<String>, len: usize) -> Dimension {
    Dimension {
        name: name.into(),
        len,
        unlimited: false,
    }
}

/// A variable of the file, with its units if it has some.
pub(super) fn variable(
    name: impl Into<String>,
    dimensions: &[String],
    values: Values,
    units: &str,
) -> OutputVariable {
    let units = (!units.is_empty()).then_some(("units", units));
    OutputVariable {
        name: name.into(),
        data_type: values.data_type(),
        dimensions: dimensions.to_vec(),
        attributes: units.into_iter().collect::<Attributes>(),
        fill: None,
        chunk_shape: None,
        values: Some(values.into()),
    }
}

/// Doubles in a shape.
pub(super) fn doubles(shape: &[usize], values: Vec<f64>) -> Values {
    Values::F64(ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many values as cells"))
}

/// 32-bit integers, in which both formats count.
pub(super) fn integers(values: impl IntoIterator<Item = usize>) -> Result<Values, Error> {
    let values = values.into_iter().map(|x| {
        i32::try_from(x).map_err(|_| Error::Nothing {
            action: "save: the formats of weights count cells with 32 bits, and these grids have more",
        })
    });
    let values: Vec<i32> = values.collect::<Result<_, _>>()?;
    let array = ArrayD::from_shape_vec(IxDyn(&[values.len()]), values);
    let array = array.expect("one dimension");
    debug_assert_eq!(DataType::I32.size(), 4);
    Ok(Values::I32(array))
}
