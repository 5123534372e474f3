//! A mark of missing values for single bytes whose variable names none.
//!
//! Every value of a byte counts unless its variable says otherwise: netCDF has no default mark for them. A result needs one
//! all the same, for what lies outside the source.

use super::VariableMeta;
use super::decoding::convert;
use crate::attribute::AttributeValue;
use crate::values::DataType;

/// A number that no valid value of the variable can be, netCDF's own for that type if possible: beyond the range of valid
/// values, none of the flags, or a bit that no mask has. `None` where any number may be a value.
///
/// # Source
/// CF 1.8, section 3.5: with `flag_values` a value is one of them, with `flag_masks` it is made of their bits.
pub(super) fn spare_mark(
    variable: &VariableMeta,
    valid: [Option<f64>; 2],
) -> Option<AttributeValue> {
    let numbers = |name: &str| variable.attributes.get(name).and_then(|v| v.numbers());
    let (flags, masks) = (numbers("flag_values"), numbers("flag_masks"));
    let bits = |numbers: &[f64]| numbers.iter().fold(0, |bits, &x| bits | x as i64);
    let out_of_range = |x: i64| {
        valid[0].is_some_and(|low| (x as f64) < low) || valid[1].is_some_and(|high| x as f64 > high)
    };
    let no_flag = |x: i64| match (&flags, &masks) {
        (_, Some(masks)) => x & 0xff & !bits(masks) != 0,
        (Some(flags), None) => !flags.contains(&(x as f64)),
        (None, None) => false,
    };
    let marks = match variable.data_type {
        DataType::I8 => [-127, -128, 127],
        _ => [255, 254, 0],
    };
    let mark = marks.into_iter().find(|&x| out_of_range(x) || no_flag(x))?;
    convert(&AttributeValue::I64(vec![mark]), variable.data_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(
        data_type: DataType,
        valid: [Option<f64>; 2],
        flags: &[(&str, &[i64])],
    ) -> Option<f64> {
        let flags = flags
            .iter()
            .map(|&(name, numbers)| (name.to_owned(), AttributeValue::I64(numbers.to_vec())));
        let variable = VariableMeta {
            name: "v".into(),
            data_type,
            dimensions: vec![],
            attributes: flags.collect(),
            chunk_shape: None,
        };
        let mark = spare_mark(&variable, valid)?;
        Some(mark.numbers().unwrap()[0])
    }

    #[test]
    fn nothing_is_spare_where_nothing_is_said() {
        assert_eq!(spare(DataType::I8, [None, None], &[]), None);
        assert_eq!(spare(DataType::U8, [None, None], &[]), None);
        assert_eq!(spare(DataType::U8, [Some(0.0), Some(255.0)], &[]), None);
    }

    #[test]
    fn ranges_leave_what_lies_beyond() {
        assert_eq!(spare(DataType::I8, [Some(0.0), None], &[]), Some(-127.0));
        assert_eq!(spare(DataType::I8, [Some(-127.0), None], &[]), Some(-128.0));
        assert_eq!(spare(DataType::I8, [None, Some(100.0)], &[]), Some(127.0));
        assert_eq!(spare(DataType::U8, [Some(1.0), None], &[]), Some(0.0));
        assert_eq!(spare(DataType::U8, [None, Some(100.0)], &[]), Some(255.0));
    }

    #[test]
    fn flags_leave_what_is_none() {
        let open = [None, None];
        let flags: &[i64] = &[1, 2, 255];
        assert_eq!(
            spare(DataType::U8, open, &[("flag_values", flags)]),
            Some(254.0)
        );
        assert_eq!(
            spare(DataType::I8, open, &[("flag_values", flags)]),
            Some(-127.0)
        );
        let masks: &[i64] = &[1, 2, 4, -128];
        assert_eq!(
            spare(DataType::I8, open, &[("flag_masks", masks)]),
            Some(127.0)
        );
        assert_eq!(
            spare(DataType::U8, open, &[("flag_masks", &[240, 15])]),
            None
        );
    }
}
