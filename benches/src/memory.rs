//! A file that lies in memory: one field of waves and noise, behind the traits that netCDF files are read through.

use std::path::Path;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn, Slice};
use regrid::{
    AttributeValue, ChunkSource, DataType, Dimension, Error, FileMeta, Grid, Region, SourceFile,
    Values, VariableMeta,
};

use crate::plain::Packing;

/// The name of the field.
pub const FIELD: &str = "air_temperature";

/// A field (time, lat, lon) of 32-bit floats on a global grid, with its coordinates.
#[derive(Debug)]
pub struct MemoryFile {
    meta: FileMeta,
    variables: Vec<Arc<MemoryVariable>>,
}

#[derive(Debug)]
struct MemoryVariable {
    values: Values,
    shape: Vec<usize>,
}

impl MemoryFile {
    /// A field of so many steps on a grid; the same values every time.
    pub fn new(steps: usize, grid: &Grid) -> Self {
        let (rows, columns) = grid.shape();
        let lengths = [("time", steps), ("latitude", rows), ("longitude", columns)];
        let hours: Vec<f64> = (0..steps).map(|step| step as f64 * 6.0).collect();
        let (latitudes, longitudes) = grid.axes().expect("regular grids have axes");
        let (latitudes, longitudes) = (latitudes.centres(), longitudes.centres());
        let field = ArrayD::from_shape_vec(IxDyn(&[steps, rows, columns]), weather(steps, grid));
        let mut file = Self {
            meta: FileMeta {
                format: "in memory".into(),
                dimensions: lengths
                    .iter()
                    .map(|&(name, len)| Dimension {
                        name: name.into(),
                        len,
                        unlimited: false,
                    })
                    .collect(),
                ..FileMeta::default()
            },
            variables: Vec::new(),
        };
        file.add("time", &["time"], "hours since 2000-01-01", doubles(&hours));
        file.add(
            "latitude",
            &["latitude"],
            "degrees_north",
            doubles(latitudes),
        );
        file.add(
            "longitude",
            &["longitude"],
            "degrees_east",
            doubles(longitudes),
        );
        file.add(
            FIELD,
            &["time", "latitude", "longitude"],
            "K",
            Values::F32(field.expect("one value a cell")),
        );
        file
    }

    /// The same field as 16-bit integers, with the attributes that say what they mean.
    pub fn packed(steps: usize, grid: &Grid, packing: Packing) -> Self {
        let mut file = Self::new(steps, grid);
        let integers = pack(file.field(), packing);
        let field = file.variables.pop().expect("the field is the last");
        file.meta.variables.pop();
        file.add(
            FIELD,
            &["time", "latitude", "longitude"],
            "K",
            Values::I16(ArrayD::from_shape_vec(IxDyn(&field.shape), integers).expect("as many")),
        );
        let attributes = &mut file
            .meta
            .variables
            .last_mut()
            .expect("just added")
            .attributes;
        let numbers = [
            ("scale_factor", AttributeValue::F32(vec![packing.factor])),
            ("add_offset", AttributeValue::F32(vec![packing.offset])),
            ("_FillValue", AttributeValue::I16(vec![packing.missing])),
        ];
        for (name, value) in numbers {
            attributes.set(name, value);
        }
        file
    }

    /// The field's values, row by row.
    ///
    /// # Panics
    /// If they are packed.
    pub fn field(&self) -> &[f32] {
        match &self.variables.last().expect("the field is there").values {
            Values::F32(array) => array.as_slice().expect("made row by row"),
            other => unreachable!("the field is made of {:?}", other.data_type()),
        }
    }

    fn add(&mut self, name: &str, dimensions: &[&str], units: &str, values: Values) {
        self.meta.variables.push(VariableMeta {
            name: name.into(),
            data_type: values.data_type(),
            dimensions: dimensions.iter().map(|&d| d.into()).collect(),
            attributes: [("units", AttributeValue::Text(units.into()))]
                .into_iter()
                .collect(),
            chunk_shape: None,
        });
        let shape = values.shape().to_vec();
        self.variables
            .push(Arc::new(MemoryVariable { values, shape }));
    }
}

fn doubles(values: &[f64]) -> Values {
    Values::F64(ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).expect("a list"))
}

/// Values as the nearest integers that stand for them; NaN is missing.
pub fn pack(values: &[f32], packing: Packing) -> Vec<i16> {
    let pack = |&x: &f32| match (x - packing.offset) / packing.factor {
        x if x.is_nan() => packing.missing,
        x => x.round() as i16,
    };
    values.iter().map(pack).collect()
}

/// Waves around the globe, and noise of a quarter of a degree in steps of 1/256 so that it compresses like a field.
pub fn weather(steps: usize, grid: &Grid) -> Vec<f32> {
    let mut seed = 2017_u64;
    let mut values = Vec::new();
    let (latitudes, longitudes) = grid.axes().expect("regular grids have axes");
    for step in 0..steps {
        for latitude in latitudes.centres() {
            let mean = 240.0 + 60.0 * latitude.to_radians().cos();
            for longitude in longitudes.centres() {
                let wave = 8.0 * ((3.0 * longitude + 10.0 * step as f64).to_radians()).sin();
                // The constants of Knuth's MMIX generator.
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let noise = (seed >> 58) as f64 / 256.0;
                values.push((((mean + wave) * 256.0).round() / 256.0 + noise) as f32);
            }
        }
    }
    values
}

impl SourceFile for MemoryFile {
    fn path(&self) -> &Path {
        Path::new("memory")
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        match self.meta.variables.iter().position(|v| v.name == name) {
            Some(place) => Ok(self.variables[place].clone()),
            None => Err(Error::UnknownVariable {
                name: name.into(),
                known: vec![FIELD.into()],
            }),
        }
    }
}

impl ChunkSource for MemoryVariable {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data_type(&self) -> DataType {
        self.values.data_type()
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        None
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        fn cut<T: Clone>(array: &ArrayD<T>, region: &Region) -> ArrayD<T> {
            let range = |axis: ndarray::AxisDescription| {
                Slice::from(region.ranges()[axis.axis.index()].clone())
            };
            array
                .slice_each_axis(range)
                .as_standard_layout()
                .into_owned()
        }
        Ok(match &self.values {
            Values::F32(array) => Values::F32(cut(array, region)),
            Values::F64(array) => Values::F64(cut(array, region)),
            Values::I16(array) => Values::I16(cut(array, region)),
            other => unreachable!("no field is made of {:?}", other.data_type()),
        })
    }
}
