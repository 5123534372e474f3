//! What stored values become: missing, packed, limited, as they are.

use super::*;
use ndarray::IxDyn;

fn variable(data_type: DataType, attributes: &[(&str, AttributeValue)]) -> VariableMeta {
    VariableMeta {
        name: "v".into(),
        data_type,
        dimensions: vec![],
        attributes: attributes.iter().cloned().collect(),
        chunk_shape: None,
    }
}

fn decode(v: &VariableMeta, blends: bool, values: Values) -> Values {
    let decoding = Decoding::new(v, blends).unwrap();
    let fill = decoding.fill(v);
    decoding.decode(values, &fill)
}

fn array<T: Clone>(values: &[T]) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap()
}

fn doubles(values: &Values) -> Vec<Option<f64>> {
    values
        .to_f64()
        .unwrap()
        .iter()
        .map(|&x| (!x.is_nan()).then_some(x))
        .collect()
}

#[test]
fn all_kinds_of_missing_become_one() {
    let v = variable(
        DataType::F32,
        &[
            ("_FillValue", AttributeValue::F32(vec![1e20])),
            ("missing_value", AttributeValue::F64(vec![-999.0])),
            ("valid_range", AttributeValue::F32(vec![0.0, 100.0])),
        ],
    );
    let values = Values::F32(array(&[1e20, -999.0, -1.0, 100.0, 100.1, f32::NAN, 5.0]));
    assert_eq!(
        doubles(&decode(&v, true, values)),
        [None, None, None, Some(100.0), None, None, Some(5.0)]
    );
}

/// Against the definition, value by value, in place and into another type.
#[test]
fn ranges_leave_out_what_lies_beyond_them_in_every_type() {
    fn check<T: Stored + std::fmt::Debug>(
        all: &[T],
        marks: &[AttributeValue],
        data_type: DataType,
    ) {
        let two = |x: f64| Some(AttributeValue::F64(vec![x]));
        let limits = [-1.0, 9_007_199_254_740_994.0, 2.5, f64::NAN, f64::INFINITY];
        for low in limits.map(two).into_iter().chain([None]) {
            for high in limits.map(two).into_iter().chain([None]) {
                for count in 0..=marks.len() {
                    let decoding = |output| Decoding {
                        missing: marks[..count].to_vec(),
                        valid: [low.clone(), high.clone()],
                        packing: None,
                        output,
                    };
                    let is_mark = |x: f64| marks[..count].iter().any(|mark| first(mark) == Some(x));
                    let below = |x: f64| low.as_ref().and_then(first).is_some_and(|low| x < low);
                    let above = |x: f64| high.as_ref().and_then(first).is_some_and(|high| x > high);
                    let fill = AttributeValue::F64(vec![77.0]);
                    let missing = all
                        .iter()
                        .map(|x| x.double())
                        .map(|x| is_mark(x) || below(x) || above(x));
                    let expected: Vec<bool> = missing.collect();
                    // In place: floats become NaN, integers the fill value.
                    let kept = decoding(data_type).decode(T::wrap(array(all)), &fill);
                    let kept = kept.to_f64().unwrap();
                    for ((&got, &was), &missing) in kept.iter().zip(all).zip(&expected) {
                        let mark = if data_type.is_float() { f64::NAN } else { 77.0 };
                        let wanted = if missing { mark } else { was.double() };
                        assert!(
                            got == wanted || (got.is_nan() && wanted.is_nan()),
                            "{was:?} {low:?} {high:?}"
                        );
                    }
                    let other = if data_type == DataType::F64 {
                        DataType::F32
                    } else {
                        DataType::F64
                    };
                    let converted = decoding(other)
                        .decode(T::wrap(array(all)), &fill)
                        .to_f64()
                        .unwrap();
                    for ((got, was), &missing) in converted.iter().zip(all).zip(&expected) {
                        assert_eq!(
                            got.is_nan(),
                            missing || was.double().is_nan(),
                            "{was:?} {low:?} {high:?}"
                        );
                    }
                }
            }
        }
    }
    let marks = [5.0, -3.0, 100.0].map(|x| AttributeValue::F64(vec![x]));
    let floats = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        -1.0,
        2.5,
        5.0,
        -3.0,
        100.0,
        9.1e15,
    ];
    check(&floats, &marks, DataType::F64);
    check(&floats.map(|x| x as f32), &marks, DataType::F32);
    check(
        &[-128_i8, -3, -1, 0, 2, 3, 5, 100, 127],
        &marks,
        DataType::I8,
    );
    check(&[0_u16, 2, 3, 5, 100, u16::MAX], &marks, DataType::U16);
    // Neighbours that are one double.
    let large = 1_i64 << 53;
    check(
        &[
            i64::MIN,
            -3,
            5,
            100,
            large,
            large + 1,
            large + 2,
            large + 3,
            i64::MAX,
        ],
        &marks,
        DataType::I64,
    );
    check(
        &[0_u64, 5, 100, 1 << 53, (1 << 53) + 3, u64::MAX],
        &marks,
        DataType::U64,
    );
}

#[test]
fn packed_integers_become_the_float_of_their_factor() {
    let v = variable(
        DataType::I16,
        &[
            ("_FillValue", AttributeValue::I16(vec![-32768])),
            ("scale_factor", AttributeValue::F64(vec![0.005])),
            ("add_offset", AttributeValue::F64(vec![260.0])),
        ],
    );
    let result = decode(&v, false, Values::I16(array(&[-32768, 0, 100])));
    assert_eq!(result.data_type(), DataType::F64);
    assert_eq!(
        doubles(&result),
        [None, Some(260.0), Some(100.0 * 0.005 + 260.0)]
    );
    let single = variable(
        DataType::I16,
        &[("scale_factor", AttributeValue::F32(vec![0.1]))],
    );
    let result = decode(&single, true, Values::I16(array(&[3])));
    assert_eq!(result, Values::F32(array(&[3.0_f32 * 0.1])));
}

#[test]
fn plain_integers_stay_unless_they_are_blended() {
    let v = variable(
        DataType::I32,
        &[("missing_value", AttributeValue::F64(vec![-1.0]))],
    );
    let values = Values::I32(array(&[-1, 7, -2_147_483_647]));
    assert_eq!(
        decode(&v, false, values.clone()),
        Values::I32(array(&[-1, 7, -1]))
    );
    let blended = decode(&v, true, values);
    assert_eq!(blended.data_type(), DataType::F64);
    assert_eq!(doubles(&blended), [None, Some(7.0), None]);
    assert_eq!(
        Decoding::new(&variable(DataType::U8, &[]), true)
            .unwrap()
            .output,
        DataType::F32
    );
}

#[test]
fn a_fill_value_that_the_result_cannot_hold_is_replaced() {
    let v = variable(
        DataType::I16,
        &[("_FillValue", AttributeValue::I16(vec![-1]))],
    );
    let decoding = Decoding::new(&v, true).unwrap();
    assert_eq!(decoding.fill(&v), AttributeValue::F32(vec![-1.0]));
    let bytes = variable(DataType::I8, &[("valid_min", AttributeValue::I8(vec![0]))]);
    assert_eq!(
        Decoding::new(&bytes, false).unwrap().fill(&bytes),
        AttributeValue::I8(vec![-127])
    );
}

#[test]
fn bytes_that_may_be_anything_become_16_bits() {
    let v = variable(DataType::U8, &[]);
    let values = Values::U8(array(&[0, 254, 255]));
    assert_eq!(
        decode(&v, false, values),
        Values::I16(array(&[0, 254, 255]))
    );
    let decoding = Decoding::new(&v, false).unwrap();
    assert_eq!(decoding.fill(&v), AttributeValue::I16(vec![-32767]));
    let range = variable(
        DataType::I8,
        &[("valid_min", AttributeValue::I8(vec![-127]))],
    );
    let values = Values::I8(array(&[-128, -127, 127]));
    assert_eq!(
        decode(&range, false, values),
        Values::I8(array(&[-128, -127, 127]))
    );
}

#[test]
fn a_value_that_is_the_mark_itself_is_written_beside_it() {
    let single = |fill: f32| {
        let values =
            Values::F32(ArrayD::from_shape_vec(IxDyn(&[3]), vec![fill, f32::NAN, 2.5]).unwrap());
        match encode_missing(values, Some(&AttributeValue::F32(vec![fill]))) {
            Values::F32(array) => array.into_raw_vec_and_offset().0,
            _ => panic!("it stays what it is"),
        }
    };
    for (fill, beside) in [
        (0.0, f32::MIN_POSITIVE),
        (-1.0, -1.000_000_1),
        (1e20, 1e20_f32.next_down()),
        (f32::INFINITY, f32::MAX),
        (f32::NEG_INFINITY, f32::MIN),
    ] {
        let [value, missing, other] = single(fill)[..] else {
            panic!("as many as there were")
        };
        assert_eq!((missing, other), (fill, 2.5));
        assert!(value != fill && (value == beside || (value - fill).abs() <= fill.abs() * 1.2e-7));
    }
    let values = Values::F64(ArrayD::from_shape_vec(IxDyn(&[1]), vec![0.0]).unwrap());
    let written = encode_missing(values, Some(&AttributeValue::F64(vec![0.0])));
    assert_eq!(written.to_f64().unwrap()[[0]], f64::MIN_POSITIVE);
}

#[test]
fn sums_have_a_mark_that_is_no_small_number() {
    let v = variable(
        DataType::I16,
        &[("_FillValue", AttributeValue::I16(vec![4]))],
    );
    let decoding = Decoding::new(&v, true).unwrap();
    assert_eq!(decoding.fill(&v), AttributeValue::F32(vec![4.0]));
    let mark = decoding.fill_of_sums(&v);
    assert!(
        matches!(mark, AttributeValue::F32(ref x) if x[0] > 1e36),
        "{mark:?}"
    );
}
