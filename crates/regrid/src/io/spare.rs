//! A mark of missing values for single bytes whose variable names none.
//!
//! Every value of a byte counts unless its variable says otherwise: netCDF has no default mark for them. A result needs one
//! all the same, for what lies outside the source.

use super::VariableMeta;
use super::decoding::convert;
use crate::attribute::AttributeValue;
use crate::values::DataType;

/// A number that no valid value of the variable can be, netCDF's own mark for that type if possible: beyond the range of valid
/// values, or none of the flags. `None` where any number may be a value, as of flags that are bits: files have bits that no
/// mask names, for later use.
///
/// # Source
/// CF 1.8, section 3.5: with `flag_values` alone a value is one of them.
pub(super) fn spare_mark(
    variable: &VariableMeta,
    valid: [Option<f64>; 2],
) -> Option<AttributeValue> {
    let numbers = |name: &str| variable.attributes.get(name).and_then(|v| v.numbers());
    let flags = match numbers("flag_masks") {
        Some(_) => None,
        None => numbers("flag_values"),
    };
    let is_spare = |x: &i64| {
        let x = *x as f64;
        valid[0].is_some_and(|low| x < low)
            || valid[1].is_some_and(|high| x > high)
            || flags.as_ref().is_some_and(|flags| !flags.contains(&x))
    };
    let marks = match variable.data_type {
        DataType::I8 => [-127, -128, 127],
        _ => [255, 254, 0],
    };
    let mark = marks.into_iter().find(is_spare)?;
    convert(&AttributeValue::I64(vec![mark]), variable.data_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(data_type: DataType, attributes: &[(&str, &[i64])]) -> Option<f64> {
        let own = attributes
            .iter()
            .map(|&(name, numbers)| (name.to_owned(), AttributeValue::I64(numbers.to_vec())));
        let variable = VariableMeta {
            name: "v".into(),
            data_type,
            dimensions: vec![],
            attributes: own.collect(),
            chunk_shape: None,
        };
        let limit = |name: &str| variable.attributes.number(name);
        let mark = spare_mark(&variable, [limit("valid_min"), limit("valid_max")])?;
        Some(mark.numbers().unwrap()[0])
    }

    #[test]
    fn nothing_is_spare_where_any_number_may_be_a_value() {
        assert_eq!(spare(DataType::I8, &[]), None);
        assert_eq!(spare(DataType::U8, &[("valid_max", &[255])]), None);
        let masks: (&str, &[i64]) = ("flag_masks", &[1, 2]);
        assert_eq!(spare(DataType::U8, &[masks]), None);
        assert_eq!(
            spare(DataType::U8, &[masks, ("flag_values", &[1, 2])]),
            None
        );
    }

    #[test]
    fn what_is_out_of_the_range_or_no_flag_is_spare() {
        let low = |low: &[i64]| spare(DataType::I8, &[("valid_min", low)]);
        assert_eq!([low(&[0]), low(&[-127])], [Some(-127.0), Some(-128.0)]);
        assert_eq!(spare(DataType::I8, &[("valid_max", &[100])]), Some(127.0));
        assert_eq!(spare(DataType::U8, &[("valid_min", &[1])]), Some(0.0));
        let flags = |data_type| spare(data_type, &[("flag_values", &[1, 2, 255])]);
        assert_eq!(flags(DataType::U8), Some(254.0));
        assert_eq!(flags(DataType::I8), Some(-127.0));
    }
}
