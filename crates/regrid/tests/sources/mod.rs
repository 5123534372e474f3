//! Sources in memory, which count what is read of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ndarray::{ArrayD, IxDyn, Slice};
use regrid::{
    AttributeValue, Attributes, ChunkSource, Dimension, Error, FileMeta, Region, SourceFile,
    Values, VariableMeta,
};

/// A file in memory.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    path: PathBuf,
    meta: FileMeta,
    values: Vec<(String, Values)>,
    /// The regions read of each variable so far.
    pub(crate) reads: Arc<Mutex<Vec<(String, Region)>>>,
}

impl MemoryFile {
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.into(),
            meta: FileMeta {
                format: "memory".into(),
                ..FileMeta::default()
            },
            values: Vec::new(),
            reads: Arc::default(),
        }
    }

    /// Adds a variable, and its dimensions where they are new.
    pub(crate) fn with(
        mut self,
        name: &str,
        dimensions: &[&str],
        values: Values,
        chunk_shape: Option<&[usize]>,
        attributes: &[(&str, AttributeValue)],
    ) -> Self {
        for (dimension, &len) in dimensions.iter().zip(values.shape()) {
            if self.meta.dimension(dimension).is_none() {
                self.meta.dimensions.push(Dimension {
                    name: (*dimension).into(),
                    len,
                    unlimited: false,
                });
            }
        }
        self.meta.variables.push(VariableMeta {
            name: name.into(),
            data_type: values.data_type(),
            dimensions: dimensions.iter().map(|d| (*d).to_owned()).collect(),
            attributes: attributes.iter().cloned().collect::<Attributes>(),
            chunk_shape: chunk_shape.map(<[usize]>::to_vec),
        });
        self.values.push((name.into(), values));
        self
    }

    #[allow(dead_code, reason = "some tests have other coordinates")]
    /// Adds an axis: latitudes, longitudes or times, by its units.
    pub(crate) fn with_axis(self, name: &str, units: &str, centres: &[f64]) -> Self {
        let values =
            Values::F64(ArrayD::from_shape_vec(IxDyn(&[centres.len()]), centres.to_vec()).unwrap());
        self.with(name, &[name], values, None, &[("units", units.into())])
    }
}

impl SourceFile for MemoryFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn meta(&self) -> &FileMeta {
        &self.meta
    }

    fn variable(&self, name: &str) -> Result<Arc<dyn ChunkSource>, Error> {
        let meta = self
            .meta
            .variable(name)
            .expect("only known variables are asked for");
        let (_, values) = self
            .values
            .iter()
            .find(|(n, _)| n == name)
            .expect("every variable has values");
        Ok(Arc::new(MemoryVariable {
            name: name.into(),
            chunk_shape: meta.chunk_shape.clone(),
            values: values.clone(),
            reads: self.reads.clone(),
        }))
    }
}

#[derive(Debug)]
struct MemoryVariable {
    name: String,
    chunk_shape: Option<Vec<usize>>,
    values: Values,
    reads: Arc<Mutex<Vec<(String, Region)>>>,
}

impl ChunkSource for MemoryVariable {
    fn shape(&self) -> &[usize] {
        self.values.shape()
    }

    fn data_type(&self) -> regrid::DataType {
        self.values.data_type()
    }

    fn chunk_shape(&self) -> Option<&[usize]> {
        self.chunk_shape.as_deref()
    }

    fn read(&self, region: &Region) -> Result<Values, Error> {
        self.reads
            .lock()
            .unwrap()
            .push((self.name.clone(), region.clone()));
        macro_rules! slice {
            ($($variant:ident),*) => {
                match &self.values {
                    $(Values::$variant(a) => {
                        let part = a.slice_each_axis(|d| Slice::from(region.ranges()[d.axis.index()].clone()));
                        Values::$variant(part.as_standard_layout().into_owned())
                    })*
                    other => panic!("{:?} is not used in tests", other.data_type()),
                }
            };
        }
        Ok(slice!(I8, U8, I16, U16, I32, U32, I64, U64, F32, F64))
    }
}

#[allow(dead_code, reason = "some tests have other coordinates")]
/// Evenly spaced centres.
pub(crate) fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| first + step * i as f64).collect()
}
