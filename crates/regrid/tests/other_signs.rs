//! Integers that `_Unsigned` says to be of the other sign are what they mean.

mod sources;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::{AttributeValue, Catalogue, Field, Grid, Method, Request, SourceFile, Values};
use sources::MemoryFile;

const SHAPE: [usize; 2] = [2, 2];

fn array<T: Clone>(values: &[T]) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(&SHAPE), values.to_vec()).unwrap()
}

/// A variable onto its own grid.
fn regridded(values: Values, method: Method, attributes: &[(&str, AttributeValue)]) -> Field {
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &[0.0, 10.0])
        .with_axis("lon", "degrees_east", &[0.0, 10.0])
        .with("v", &["lat", "lon"], values, None, attributes);
    let catalogue = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap();
    let grid = Grid::from_axes([0.0, 10.0], [0.0, 10.0]).unwrap();
    let request = Request::new(&grid).method(method);
    request.build(&catalogue).unwrap()[0].compute().unwrap()
}

#[test]
fn packed_ones_are_unpacked_from_the_unsigned_number() {
    let field = regridded(
        Values::I16(array(&[0, 1000, -2, -1])),
        Method::Linear,
        &[
            ("_Unsigned", "true".into()),
            ("_FillValue", AttributeValue::I16(vec![-1])),
            ("valid_range", AttributeValue::I16(vec![0, -2])),
            ("scale_factor", AttributeValue::F64(vec![0.5])),
            ("add_offset", AttributeValue::F64(vec![10.0])),
        ],
    );
    let Values::F64(values) = &field.values else {
        panic!("{:?}", field.values.data_type())
    };
    let (valid, missing) = values.as_slice().unwrap().split_at(3);
    assert_eq!(valid, [10.0, 510.0, 65534.0 * 0.5 + 10.0]);
    assert!(missing[0].is_nan());
}

#[test]
fn those_that_stay_integers_are_written_as_what_they_mean() {
    let attributes = |fill, flags| {
        [
            ("_Unsigned", "TRUE".into()),
            ("_FillValue", AttributeValue::I8(vec![fill])),
            ("flag_values", AttributeValue::I8(flags)),
            ("flag_meanings", "low high".into()),
        ]
    };
    let values = Values::I8(array(&[0, 127, -128, -1]));
    let field = regridded(values, Method::Nearest, &attributes(0, vec![1, -1]));
    assert_eq!(field.values, Values::U8(array(&[0, 127, 128, 255])));
    let own = &field.meta.attributes;
    assert_eq!(
        own.get("flag_values"),
        Some(&AttributeValue::U8(vec![1, 255]))
    );
    assert_eq!(own.get("_Unsigned"), None);
    // The mark of what is missing is no other number's.
    assert_eq!(field.meta.fill_value, AttributeValue::U8(vec![0]));
}

#[test]
fn unsigned_ones_may_mean_signed_ones_and_unwritten_ones_are_missing() {
    let says = |text: &str| [("_Unsigned", text.into())];
    let bytes = Values::U8(array(&[1, 127, 128, 255]));
    let field = regridded(bytes.clone(), Method::Nearest, &says("false"));
    assert_eq!(field.values, Values::I8(array(&[1, 127, -128, -1])));
    let field = regridded(bytes.clone(), Method::Nearest, &says("true"));
    assert_eq!(field.values, bytes);
    // netCDF's mark for signed shorts, whose bits are those of 32769.
    let shorts = Values::I16(array(&[1, -1, -32767, 3]));
    let field = regridded(shorts, Method::Linear, &says("true"));
    let Values::F32(values) = &field.values else {
        panic!("{:?}", field.values.data_type())
    };
    assert_eq!(values.as_slice().unwrap()[..2], [1.0, 65535.0]);
    assert!(values[[1, 0]].is_nan());
}
