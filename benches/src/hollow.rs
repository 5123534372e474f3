//! Files of any size that hold nothing: coordinates, and fields of zeros that nobody has made yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::{
    AttributeValue, ChunkSource, DataType, Dimension, Error, FileMeta, Region, SourceFile, Values,
    VariableMeta,
};

/// The grid of a hollow file's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HollowGrid {
    /// Rows and columns, each with one latitude or longitude.
    Rectilinear,
    /// The same places, each with a latitude and a longitude of its own.
    Curvilinear,
}

/// A file with fields (time, lat, lon) of 32-bit floats, one step a storage chunk.
#[derive(Debug)]
pub struct HollowFile {
    path: PathBuf,
    meta: FileMeta,
    coordinates: Vec<Values>,
}

impl HollowFile {
    /// `fields` fields on so many rows and columns around the globe, at every hour from `first` on.
    pub fn new(
        path: &str,
        fields: usize,
        (first, steps): (usize, usize),
        (rows, columns): (usize, usize),
        grid: HollowGrid,
    ) -> Self {
        let lengths = [("time", steps), ("y", rows), ("x", columns)];
        let dimensions = lengths.map(|(name, len)| Dimension {
            name: name.into(),
            len,
            unlimited: false,
        });
        let mut file = Self {
            path: path.into(),
            meta: FileMeta {
                format: "in memory".into(),
                dimensions: dimensions.into(),
                ..FileMeta::default()
            },
            coordinates: Vec::new(),
        };
        let latitude = |row: usize| -90.0 + 180.0 * (row as f64 + 0.5) / rows as f64;
        let longitude = |column: usize| 360.0 * (column as f64 + 0.5) / columns as f64;
        file.coordinate("time", &["time"], "hours since 2000-01-01", |at| {
            (first + at[0]) as f64
        });
        match grid {
            HollowGrid::Rectilinear => {
                file.coordinate("y", &["y"], "degrees_north", |at| latitude(at[0]));
                file.coordinate("x", &["x"], "degrees_east", |at| longitude(at[0]));
            }
            HollowGrid::Curvilinear => {
                file.coordinate("lat", &["y", "x"], "degrees_north", |at| latitude(at[0]));
                file.coordinate("lon", &["y", "x"], "degrees_east", |at| longitude(at[1]));
            }
        }
        for field in 0..fields {
            let places = (grid == HollowGrid::Curvilinear)
                .then(|| ("coordinates", AttributeValue::Text("lat lon".into())));
            let units = ("units", AttributeValue::Text("K".into()));
            file.meta.variables.push(VariableMeta {
                name: format!("field_{field}"),
                data_type: DataType::F32,
                dimensions: lengths.map(|(name, _)| name.to_owned()).into(),
                attributes: places.into_iter().chain([units]).collect(),
                chunk_shape: Some(vec![1, rows, columns]),
            });
        }
        file
    }

    fn coordinate(
        &mut self,
        name: &str,
        dimensions: &[&str],
        units: &str,
        value: impl Fn(IxDyn) -> f64,
    ) {
        let length = |name: &&str| self.meta.dimension(name).map_or(0, |d| d.len);
        let shape: Vec<usize> = dimensions.iter().map(length).collect();
        let values = ArrayD::from_shape_fn(IxDyn(&shape), value);
        self.coordinates.push(Values::F64(values));
        self.meta.variables.push(VariableMeta {
            name: name.into(),
            data_type: DataType::F64,
            dimensions: dimensions.iter().map(|&d| d.into()).collect(),
            attributes: [("units", AttributeValue::Text(units.into()))]
                .into_iter()
                .collect(),
            chunk_shape: None,
        });
    }
}

impl SourceFile for HollowFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        let place = self.meta.variables.iter().position(|v| v.name == name);
        let place = place.ok_or_else(|| Error::UnknownVariable {
            name: name.into(),
            known: self.meta.variables.iter().map(|v| v.name.clone()).collect(),
        })?;
        let meta = &self.meta.variables[place];
        Ok(Arc::new(HollowVariable {
            shape: self.meta.shape(meta),
            data_type: meta.data_type,
            chunk_shape: meta.chunk_shape.clone(),
            // Coordinates come first, and have values.
            values: self.coordinates.get(place).cloned(),
        }))
    }
}

#[derive(Debug)]
struct HollowVariable {
    shape: Vec<usize>,
    data_type: DataType,
    chunk_shape: Option<Vec<usize>>,
    values: Option<Values>,
}

impl ChunkSource for HollowVariable {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data_type(&self) -> DataType {
        self.data_type
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        self.chunk_shape.as_deref()
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        match self.values.as_ref().and_then(Values::as_array::<f64>) {
            Some(values) => {
                let part = values
                    .slice_each_axis(|axis| region.ranges()[axis.axis.index()].clone().into());
                Ok(Values::F64(part.as_standard_layout().into_owned()))
            }
            None => Ok(Values::zeros(self.data_type, &region.shape())),
        }
    }
}
