//! Integers are what they mean, by `_Unsigned` too, and none of their values is taken for missing.

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
    // Bytes that any number may be in become shorts, which have one left that says missing.
    let field = regridded(bytes.clone(), Method::Nearest, &says("false"));
    assert_eq!(field.values, Values::I16(array(&[1, 127, -128, -1])));
    let field = regridded(bytes, Method::Nearest, &says("true"));
    assert_eq!(field.values, Values::I16(array(&[1, 127, 128, 255])));
    // netCDF's mark for signed shorts, whose bits are those of 32769.
    let shorts = Values::I16(array(&[1, -1, -32767, 3]));
    let field = regridded(shorts, Method::Linear, &says("true"));
    let Values::F32(values) = &field.values else {
        panic!("{:?}", field.values.data_type())
    };
    assert_eq!(values.as_slice().unwrap()[..2], [1.0, 65535.0]);
    assert!(values[[1, 0]].is_nan());
}

#[test]
fn bytes_that_may_be_anything_are_none_of_them_missing() {
    let lats: Vec<f64> = (0..16).map(f64::from).collect();
    let lons: Vec<f64> = (0..17).map(f64::from).collect();
    let target = Grid::from_axes(lats.clone(), lons).unwrap();
    let request = Request::new(&target).method(Method::Nearest);
    let shape = IxDyn(&[16, 16]);
    let all =
        |first: i16| ArrayD::from_shape_fn(shape.clone(), |i| (16 * i[0] + i[1]) as i16 + first);
    let made = |values, attributes: &[(&str, AttributeValue)]| {
        let file = MemoryFile::new("a.nc")
            .with_axis("lat", "degrees_north", &lats)
            .with_axis("lon", "degrees_east", &lats)
            .with("v", &["lat", "lon"], values, None, attributes);
        let catalogue = Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]);
        request.build(&catalogue.unwrap()).unwrap()[0]
            .compute()
            .unwrap()
    };
    let masks = AttributeValue::I8(vec![1, 2, 4, 8, 16, 32, 64, -128]);
    let signed = made(
        Values::I8(all(-128).mapv(|x| x as i8)),
        &[("flag_masks", masks)],
    );
    let unsigned = made(Values::U8(all(0).mapv(|x| x as u8)), &[]);
    for (field, first) in [(&signed, -128), (&unsigned, 0)] {
        let Values::I16(values) = &field.values else {
            panic!("{:?}", field.values.data_type())
        };
        let inside = values.slice(ndarray::s![.., ..16]);
        assert_eq!(inside.into_dyn(), all(first));
        assert!(
            values
                .slice(ndarray::s![.., 16])
                .iter()
                .all(|&x| x == -32767)
        );
        assert_eq!(field.meta.fill_value, AttributeValue::I16(vec![-32767]));
    }
    // Flags are of their variable's type.
    let masks = vec![1, 2, 4, 8, 16, 32, 64, -128];
    assert_eq!(
        signed.meta.attributes.get("flag_masks"),
        Some(&AttributeValue::I16(masks))
    );
    // Where a number is left, they stay bytes.
    let most = AttributeValue::U8(vec![254]);
    let values = Values::U8(all(0).mapv(|x| x.min(254) as u8));
    let ranged = made(values, &[("valid_max", most)]);
    let Values::U8(values) = &ranged.values else {
        panic!("{:?}", ranged.values.data_type())
    };
    assert_eq!((values[[15, 15]], values[[15, 16]]), (254, 255));
}

#[test]
fn bytes_of_several_files_go_together_whichever_names_a_mark() {
    let file =
        |name: &str, day: f64, attributes: &[(&str, AttributeValue)]| -> Arc<dyn SourceFile> {
            let shape = IxDyn(&[1, 2, 2]);
            let bytes = ArrayD::from_shape_vec(shape, vec![0_i8, 1, 2, 3]).unwrap();
            Arc::new(
                MemoryFile::new(name)
                    .with_axis("time", "days since 2000-01-01", &[day])
                    .with_axis("lat", "degrees_north", &[0.0, 10.0])
                    .with_axis("lon", "degrees_east", &[0.0, 10.0])
                    .with(
                        "v",
                        &["time", "lat", "lon"],
                        Values::I8(bytes),
                        None,
                        attributes,
                    ),
            )
        };
    let marked = [("_FillValue", AttributeValue::I8(vec![2]))];
    let plain: [(&str, AttributeValue); 0] = [];
    let grid = Grid::from_axes([0.0, 10.0], [0.0, 10.0]).unwrap();
    let regridded = |first: &[(&str, AttributeValue)], second: &[(&str, AttributeValue)]| {
        let files = vec![file("a.nc", 0.0, first), file("b.nc", 1.0, second)];
        let catalogue = Catalogue::from_files(files).unwrap();
        let request = Request::new(&grid).method(Method::Nearest);
        request.build(&catalogue).unwrap()[0]
            .compute()
            .unwrap()
            .values
    };
    let short = |first: &[_], second: &[_]| match regridded(first, second) {
        Values::I16(values) => values.iter().copied().collect::<Vec<_>>(),
        other => panic!("{:?}", other.data_type()),
    };
    assert_eq!(short(&plain, &marked), [0, 1, 2, 3, 0, 1, -32767, 3]);
    assert_eq!(short(&marked, &plain), [0, 1, -32767, 3, 0, 1, 2, 3]);
    assert_eq!(
        regridded(&marked, &marked).data_type(),
        regrid::DataType::I8
    );
}
