//! A target grid's coordinates as variables of a file.
//!
//! Axes come with bounds. Where they are not latitude and longitude themselves, the grid mapping says what they are, and a
//! latitude and a longitude for every cell stand beside them (CF sections 5.2, 5.6 and 7.1).

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use super::{BOUNDS, array};
use crate::attribute::{AttributeValue, Attributes};
use crate::axis::{Latitudes, Longitudes, PlaneAxis};
use crate::field::Variable;
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
                values: Arc::new(Values::I32(ArrayD::zeros(IxDyn(&[])))),
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
            made.add_both(target, &cells, &latitude, &longitude);
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
            values: Arc::new(Values::F64(array(
                &[centres.len(), 2],
                bounds.into_iter().flatten().collect(),
            ))),
        });
        if let Some(bounds) = &bounds {
            attributes.set("bounds", bounds.name.as_str());
        }
        self.variables.push(Variable {
            name: name.clone(),
            dimensions: vec![name.clone()],
            attributes,
            values: Arc::new(Values::F64(array(&[centres.len()], centres.to_vec()))),
        });
        self.variables.extend(bounds);
    }

    fn add_cells(&mut self, target: &Grid, cells: &SphereCells) {
        self.add_both(target, cells, &target.y, &target.x);
    }

    /// A latitude and a longitude for every cell, and their corners.
    fn add_both(
        &mut self,
        target: &Grid,
        cells: &SphereCells,
        latitude: &Coordinate,
        longitude: &Coordinate,
    ) {
        let dimensions = target.dimensions();
        let names: Vec<String> = dimensions.iter().map(|d| d.name.clone()).collect();
        let shape: Vec<usize> = dimensions.iter().map(|d| d.len).collect();
        let corners = cells.corners.as_ref();
        for (coordinate, centres, corners) in [
            (
                latitude,
                &cells.latitudes,
                corners.map(|c| (c.kind.per_cell, c.latitudes().collect::<Vec<f64>>())),
            ),
            (
                longitude,
                &cells.longitudes,
                corners.map(|c| (c.kind.per_cell, c.longitudes().collect())),
            ),
        ] {
            let mut attributes = coordinate.attributes.clone();
            if let Some((per_cell, values)) = corners {
                let bounds = format!("{}_{VERTICES}", coordinate.name);
                attributes.set("bounds", bounds.as_str());
                let (mut dimensions, mut shape) = (names.clone(), shape.clone());
                dimensions.push(VERTICES.to_owned());
                shape.push(per_cell);
                let mut filled = Attributes::new();
                let values = without_nan(values, &mut filled);
                self.variables.push(Variable {
                    name: bounds,
                    dimensions,
                    attributes: filled,
                    values: Arc::new(Values::F64(array(&shape, values))),
                });
            }
            let values = without_nan(centres.clone(), &mut attributes);
            self.variables.push(Variable {
                name: coordinate.name.clone(),
                dimensions: names.clone(),
                attributes,
                values: Arc::new(Values::F64(array(&shape, values))),
            });
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
            values: Arc::new(Values::Char(values)),
        });
        self.coordinates.push(name.into());
    }
}

/// Numbers with a fill value, noted in the attributes, for those that are NaN.
fn without_nan(mut values: Vec<f64>, attributes: &mut Attributes) -> Vec<f64> {
    if values.iter().any(|x| x.is_nan()) {
        attributes.set("_FillValue", AttributeValue::F64(vec![FILL]));
    }
    let missing = values.iter_mut().filter(|x| x.is_nan());
    missing.for_each(|x| *x = FILL);
    values
}
