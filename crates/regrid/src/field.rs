//! A field: an array with its name, dimensions, attributes, and the coordinates that go with it.

mod values;

use crate::attribute::{AttributeValue, Attributes};
use crate::io::Dimension;
use crate::values::Values;

pub use values::VariableValues;
pub(crate) use values::{CellNumbers, CellPart};

/// A variable whose values are at hand: a coordinate, bounds, a scalar, a grid mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The names of its dimensions, in order.
    pub dimensions: Vec<String>,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its values, as they are stored.
    pub values: VariableValues,
}

impl Variable {
    /// Whether both are the same, NaN being the same as NaN.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.dimensions == other.dimensions
            && self.attributes.same(&other.attributes)
            && self.values.same(&other.values)
    }
}

/// What a field is, but for its values.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldMeta {
    /// The variable's name.
    pub name: String,
    /// Its dimensions, in order.
    pub dimensions: Vec<Dimension>,
    /// Its attributes; `coordinates`, `grid_mapping` and bounds name [`FieldMeta::companions`].
    pub attributes: Attributes,
    /// The number that marks missing values in a file, of the values' type.
    pub fill_value: AttributeValue,
    /// Coordinates, bounds, scalars and other variables that belong to the field.
    pub companions: Vec<Variable>,
}

/// A field with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is.
    pub meta: FieldMeta,
    /// Its values in the order of its dimensions; missing ones are NaN in floats, the fill value in integers.
    pub values: Values,
}

impl FieldMeta {
    /// Length along each dimension.
    pub fn shape(&self) -> Vec<usize> {
        self.dimensions.iter().map(|d| d.len).collect()
    }

    /// A companion by name.
    pub fn companion(&self, name: &str) -> Option<&Variable> {
        self.companions.iter().find(|v| v.name == name)
    }
}
