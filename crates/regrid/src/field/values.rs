//! The values of a variable: held, or made of a grid's cells whenever they are asked for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};

use crate::chunk::Region;
use crate::sphere::SphereCells;
use crate::values::{DataType, Values};

/// The values of a variable, as they are stored.
///
/// Those of a variable of a file are held. Where the cells of a large grid are, and their corners, is not held a second time
/// beside the grid: it is made when it is asked for, and piece by piece when it is written.
#[derive(Debug, Clone)]
pub struct VariableValues(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Held(Arc<Values>),
    OfCells(CellNumbers),
}

/// Where the cells of a grid are, in doubles.
#[derive(Debug, Clone)]
pub(crate) struct CellNumbers {
    pub(crate) cells: Arc<SphereCells>,
    pub(crate) part: CellPart,
    /// Their shape: that of the grid, for corners with as many as a cell has.
    pub(crate) shape: Vec<usize>,
    /// What stands for NaN.
    pub(crate) fill: f64,
}

/// One of the numbers that say where a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellPart {
    Latitude,
    Longitude,
    CornerLatitudes,
    CornerLongitudes,
}

/// Numbers in a piece: half a megabyte of them.
const PIECE: usize = 1 << 16;

impl CellNumbers {
    /// Some of the numbers as they are, in the order of the shape.
    fn numbers(&self, range: Range<usize>) -> impl Iterator<Item = f64> {
        let cells = &*self.cells;
        let corner = move |at: usize| cells.corner_number(at).unwrap_or((f64::NAN, f64::NAN));
        range.map(move |at| match self.part {
            CellPart::Latitude => cells.latitudes[at],
            CellPart::Longitude => cells.longitudes[at],
            CellPart::CornerLatitudes => corner(at).0,
            CellPart::CornerLongitudes => corner(at).1,
        })
    }

    /// Whether any of them is NaN.
    pub(crate) fn any_nan(&self) -> bool {
        self.numbers(0..self.len()).any(f64::is_nan)
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The values of some indices of the first dimension.
    fn along_first(&self, indices: Range<usize>) -> Values {
        let each: usize = self.shape[1..].iter().product();
        let numbers = self.numbers(indices.start * each..indices.end * each);
        let filled = numbers.map(|x| if x.is_nan() { self.fill } else { x });
        let mut shape = self.shape.clone();
        shape[0] = indices.len();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), filled.collect());
        Values::F64(array.expect("as many numbers as the shape says"))
    }
}

impl VariableValues {
    pub(crate) fn of_cells(numbers: CellNumbers) -> Self {
        Self(Kind::OfCells(numbers))
    }

    /// Their number along each dimension.
    pub fn shape(&self) -> &[usize] {
        match &self.0 {
            Kind::Held(values) => values.shape(),
            Kind::OfCells(numbers) => &numbers.shape,
        }
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    pub fn data_type(&self) -> DataType {
        match &self.0 {
            Kind::Held(values) => values.data_type(),
            Kind::OfCells(_) => DataType::F64,
        }
    }

    /// All of them.
    pub fn to_values(&self) -> Arc<Values> {
        match &self.0 {
            Kind::Held(values) => values.clone(),
            Kind::OfCells(numbers) => Arc::new(numbers.along_first(0..numbers.shape[0])),
        }
    }

    /// All of them as doubles; nothing of texts.
    pub fn to_f64(&self) -> Option<ArrayD<f64>> {
        self.to_values().to_f64()
    }

    /// All of them, for good.
    pub(crate) fn into_values(self) -> Values {
        match self.0 {
            Kind::Held(values) => Arc::unwrap_or_clone(values),
            Kind::OfCells(numbers) => numbers.along_first(0..numbers.shape[0]),
        }
    }

    /// All of them in order, each piece with the region that it is: those that are held in one.
    pub(crate) fn pieces(&self) -> Box<dyn Iterator<Item = (Region, Cow<'_, Values>)> + '_> {
        match &self.0 {
            Kind::Held(values) => {
                let region = Region::whole(values.shape());
                Box::new(std::iter::once((region, Cow::Borrowed(&**values))))
            }
            Kind::OfCells(numbers) => {
                let len = numbers.shape[0];
                let each: usize = numbers.shape[1..].iter().product();
                let step = (PIECE / each.max(1)).max(1);
                Box::new((0..len).step_by(step).map(move |start| {
                    let indices = start..(start + step).min(len);
                    let rest = numbers.shape[1..].iter().map(|&n| 0..n);
                    let ranges: Vec<_> = std::iter::once(indices.clone()).chain(rest).collect();
                    (
                        Region::new(ranges),
                        Cow::Owned(numbers.along_first(indices)),
                    )
                }))
            }
        }
    }

    /// Whether both are the same, NaN being the same as NaN.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::OfCells(a), Kind::OfCells(b))
                if Arc::ptr_eq(&a.cells, &b.cells) && a.part == b.part && a.shape == b.shape =>
            {
                true
            }
            _ => self.shape() == other.shape() && self.to_values().same(&other.to_values()),
        }
    }
}

impl From<Values> for VariableValues {
    fn from(values: Values) -> Self {
        Self(Kind::Held(Arc::new(values)))
    }
}

impl PartialEq for VariableValues {
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.to_values() == other.to_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_cells_are_all_of_them_with_what_is_missing_filled() {
        let (rows, columns) = (3, PIECE / 2);
        let latitudes: Vec<f64> = (0..rows * columns).map(|i| (i % 80) as f64).collect();
        let mut longitudes: Vec<f64> = latitudes.iter().map(|x| x + 1.0).collect();
        longitudes[columns + 1] = f64::NAN;
        let cells = SphereCells::new((rows, columns), latitudes, longitudes, None).unwrap();
        let numbers = |part| CellNumbers {
            cells: Arc::new(cells.clone()),
            part,
            shape: vec![rows, columns],
            fill: -1.0,
        };
        assert!(numbers(CellPart::Longitude).any_nan());
        let latitudes = VariableValues::of_cells(numbers(CellPart::Latitude));
        assert_eq!(
            (latitudes.len(), latitudes.data_type()),
            (rows * columns, DataType::F64)
        );
        let values = VariableValues::of_cells(numbers(CellPart::Longitude));
        assert!(!values.same(&latitudes) && values.same(&values.clone()));
        let regions: Vec<Region> = values.pieces().map(|(region, _)| region).collect();
        assert_eq!(
            regions,
            [
                Region::new([0..2, 0..columns]),
                Region::new([2..3, 0..columns])
            ]
        );
        let whole = values.to_f64().unwrap();
        let pieces = values
            .pieces()
            .flat_map(|(_, piece)| piece.to_f64().unwrap());
        assert!(pieces.eq(whole.iter().copied()));
        assert_eq!(whole[[1, 1]], -1.0);
        let held = VariableValues::from(Values::clone(&values.to_values()));
        assert!(held == values && held.same(&values));
        assert_eq!(held.pieces().count(), 1);
    }
}
