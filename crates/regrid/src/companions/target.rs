//! A target grid's coordinates as variables of a file.
//!
//! Axes come with bounds. Where they are not latitude and longitude themselves, the grid mapping says what they are, and a
//! latitude and a longitude for every cell stand beside them (CF sections 5.2, 5.6 and 7.1).

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::{BOUNDS, array};
use crate::attribute::{AttributeValue, Attributes};
use crate::axis::{Latitudes, Longitudes, PlaneAxis};
use crate::field::{CellNumbers, CellPart, Variable, VariableValues};
use crate::grid::{Coordinate, Crs, Grid, Layout};
use crate::sphere::SphereCells;
use crate::values::Values;

/// The dimension of the corners of a cell.
const VERTICES: &str = "vertices";

/// Cells for which corners are written though the axes' bounds tell them: beyond it they would be most of the file.
const CORNERED_CELLS: usize = 1 << 20;

/// What netCDF marks missing doubles with.
const FILL: f64 = 9.969_209_968_386_869e36;

/// The variables that say where a target's cells are, and what a field on it says of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetCoordinates {
    pub(super) variables: Vec<Variable>,
    /// Coordinates that are not named like a dimension.
    pub(super) coordinates: Vec<String>,
    pub(super) mapping: Option<String>,
}

impl TargetCoordinates {
    pub(crate) fn new(target: &Grid) -> Self {
        let mut made = Self::default();
        match &target.layout {
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => made.add_degrees(target, latitudes, longitudes),
            Layout::Projected { y, x } => {
                made.add_plane_axis(&target.y, y);
                made.add_plane_axis(&target.x, x);
            }
            Layout::Curvilinear { cells, .. } => made.add_cells(target, cells),
            Layout::Points { cells, names, .. } => {
                made.add_cells(target, cells);
                if let Some(names) = names {
                    made.add_names(target, names);
                }
            }
        }
        if let Some(mapping) = &target.mapping {
            made.variables.push(Variable {
                name: mapping.name.clone(),
                dimensions: vec![],
                attributes: mapping.attributes.clone(),
                values: Values::I32(ArrayD::zeros(IxDyn(&[]))).into(),
            });
            made.mapping = Some(mapping.name.clone());
        }
        if target.crs != Crs::Geographic {
            let mut cells = target.sphere_cells().into_owned();
            if cells.latitudes.len() > CORNERED_CELLS {
                cells.corners = None;
            }
            let [latitude, longitude] =
                [("latitude", "degrees_north"), ("longitude", "degrees_east")]
                    .map(|(name, units)| Coordinate::new(name, name, units, None));
            made.add_both(target, &Arc::new(cells), &latitude, &longitude);
        }
        made
    }

    fn add_degrees(&mut self, target: &Grid, latitudes: &Latitudes, longitudes: &Longitudes) {
        // The bounds of a single point without any would be the point itself.
        let row_bounds =
            (latitudes.len() > 1 || latitudes.bounds().is_some()).then(|| latitudes.cell_bounds());
        self.add_axis(&target.y, latitudes.centres(), row_bounds);
        // A jump of 360 degrees would make the coordinate turn back: it goes on instead.
        let turns = longitudes
            .unrolled()
            .iter()
            .zip(longitudes.centres())
            .map(|(u, c)| u - c);
        let column_bounds = (longitudes.len() > 1 || longitudes.bounds().is_some()).then(|| {
            let bounds = longitudes.cell_bounds().into_iter().zip(turns);
            bounds.map(|(b, turn)| b.map(|x| x + turn)).collect()
        });
        self.add_axis(&target.x, longitudes.unrolled(), column_bounds);
    }

    /// An axis in the units that it came in.
    fn add_plane_axis(&mut self, coordinate: &Coordinate, axis: &PlaneAxis) {
        let unit = axis.unit();
        let centres: Vec<f64> = axis.centres().iter().map(|x| x / unit).collect();
        let bounds = (axis.len() > 1 || axis.bounds().is_some()).then(|| {
            let bounds = axis.cell_bounds().into_iter();
            bounds.map(|pair| pair.map(|x| x / unit)).collect()
        });
        self.add_axis(coordinate, &centres, bounds);
    }

    fn add_axis(
        &mut self,
        coordinate: &Coordinate,
        centres: &[f64],
        bounds: Option<Vec<[f64; 2]>>,
    ) {
        let name = &coordinate.name;
        let mut attributes = coordinate.attributes.clone();
        let bounds = bounds.map(|bounds| Variable {
            name: format!("{name}_bnds"),
            dimensions: vec![name.clone(), BOUNDS.to_owned()],
            attributes: Attributes::new(),
            values: Values::F64(array(
                &[centres.len(), 2],
                bounds.into_iter().flatten().collect(),
            ))
            .into(),
        });
        if let Some(bounds) = &bounds {
            attributes.set("bounds", bounds.name.as_str());
        }
        self.variables.push(Variable {
            name: name.clone(),
            dimensions: vec![name.clone()],
            attributes,
            values: Values::F64(array(&[centres.len()], centres.to_vec())).into(),
        });
        self.variables.extend(bounds);
    }

    fn add_cells(&mut self, target: &Grid, cells: &Arc<SphereCells>) {
        self.add_both(target, cells, &target.y, &target.x);
    }

    /// A latitude and a longitude for every cell, and their corners.
    fn add_both(
        &mut self,
        target: &Grid,
        cells: &Arc<SphereCells>,
        latitude: &Coordinate,
        longitude: &Coordinate,
    ) {
        let dimensions = target.dimensions();
        let names: Vec<String> = dimensions.iter().map(|d| d.name.clone()).collect();
        let shape: Vec<usize> = dimensions.iter().map(|d| d.len).collect();
        let per_cell = cells.corners.as_ref().map(|corners| corners.kind.per_cell);
        let numbers = |part, shape: &[usize]| CellNumbers {
            cells: cells.clone(),
            part,
            shape: shape.to_vec(),
            fill: FILL,
        };
        for (coordinate, centre, corners) in [
            (latitude, CellPart::Latitude, CellPart::CornerLatitudes),
            (longitude, CellPart::Longitude, CellPart::CornerLongitudes),
        ] {
            let mut attributes = coordinate.attributes.clone();
            if let Some(per_cell) = per_cell {
                let bounds = format!("{}_{VERTICES}", coordinate.name);
                attributes.set("bounds", bounds.as_str());
                let (mut dimensions, mut shape) = (names.clone(), shape.clone());
                dimensions.push(VERTICES.to_owned());
                shape.push(per_cell);
                let numbers = numbers(corners, &shape);
                self.variables
                    .push(of_cells(bounds, dimensions, Attributes::new(), numbers));
            }
            let name = coordinate.name.clone();
            let numbers = numbers(centre, &shape);
            self.variables
                .push(of_cells(name, names.clone(), attributes, numbers));
            self.coordinates.push(coordinate.name.clone());
        }
    }

    /// What the points of a list are called, in bytes, which every reader of netCDF knows.
    fn add_names(&mut self, target: &Grid, names: &[String]) {
        let longest = names.iter().map(String::len).max().unwrap_or(0).max(1);
        let bytes = names.iter().flat_map(|name| {
            let padding = longest - name.len();
            name.bytes().chain(std::iter::repeat_n(0, padding))
        });
        let values = ArrayD::from_shape_vec(IxDyn(&[names.len(), longest]), bytes.collect())
            .expect("every name is padded to the longest");
        let points = target.dimensions().into_iter().map(|d| d.name);
        let name = "station_name";
        self.variables.push(Variable {
            name: name.into(),
            dimensions: points.chain(["name_strlen".into()]).collect(),
            attributes: [("long_name", "station name"), ("cf_role", "timeseries_id")]
                .into_iter()
                .collect(),
            values: Values::Char(values).into(),
        });
        self.coordinates.push(name.into());
    }
}

/// A variable that says where cells are; its attributes name the fill value where some are nowhere.
fn of_cells(
    name: String,
    dimensions: Vec<String>,
    mut attributes: Attributes,
    numbers: CellNumbers,
) -> Variable {
    if numbers.any_nan() {
        attributes.set("_FillValue", AttributeValue::F64(vec![numbers.fill]));
    }
    Variable {
        name,
        dimensions,
        attributes,
        values: VariableValues::of_cells(numbers),
    }
}
