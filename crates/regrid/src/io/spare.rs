//! A mark of missing values for single bytes whose variable names none.
//!
//! Every value of a byte counts unless its variable says otherwise: netCDF has no default mark for them. A result needs one
//! all the same, for what lies outside the source.

use super::decoding::convert;
use crate::attribute::AttributeValue;
use crate::values::DataType;

/// A number beyond the range of valid values, netCDF's own mark for that type if possible; `None` where any number may be a value.
///
/// Flags rule nothing out: bits and numbers that no flag has are there in many files, for later use.
pub(super) fn spare_mark(data_type: DataType, valid: [Option<f64>; 2]) -> Option<AttributeValue> {
    let out_of_range = |x: &i64| {
        let x = *x as f64;
        valid[0].is_some_and(|low| x < low) || valid[1].is_some_and(|high| x > high)
    };
    let marks = match data_type {
        DataType::I8 => [-127, -128, 127],
        _ => [255, 254, 0],
    };
    let mark = marks.into_iter().find(out_of_range)?;
    convert(&AttributeValue::I64(vec![mark]), data_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(data_type: DataType, low: Option<i8>, high: Option<u8>) -> Option<f64> {
        let mark = spare_mark(data_type, [low.map(f64::from), high.map(f64::from)])?;
        Some(mark.numbers().unwrap()[0])
    }

    #[test]
    fn what_lies_beyond_the_range_is_spare() {
        assert_eq!(spare(DataType::I8, None, None), None);
        assert_eq!(spare(DataType::U8, Some(0), Some(255)), None);
        assert_eq!(spare(DataType::I8, Some(0), None), Some(-127.0));
        assert_eq!(spare(DataType::I8, Some(-127), None), Some(-128.0));
        assert_eq!(spare(DataType::I8, None, Some(100)), Some(127.0));
        assert_eq!(spare(DataType::U8, Some(1), None), Some(0.0));
        assert_eq!(spare(DataType::U8, None, Some(100)), Some(255.0));
    }
}
