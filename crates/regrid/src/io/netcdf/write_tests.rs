//! What is written chunk by chunk is what the library reads.

use ndarray::{ArrayD, IxDyn};
use tempfile::TempDir;

use super::*;
use crate::chunk::cuts;
use crate::io::Dimension;
use crate::values::DataType;

const SHAPE: [usize; 3] = [5, 7, 10];

fn layout(
    data_type: DataType,
    unlimited: bool,
    chunk_shape: &[usize],
    fill: AttributeValue,
) -> Layout {
    let names = ["time", "lat", "lon"];
    let dimension = |(name, len): (&&str, usize)| Dimension {
        name: (*name).into(),
        len,
        unlimited: unlimited && *name == "time",
    };
    let times = Values::F64(ArrayD::from_shape_fn(IxDyn(&[SHAPE[0]]), |i| i[0] as f64));
    Layout {
        dimensions: names.iter().zip(SHAPE).map(dimension).collect(),
        variables: vec![
            OutputVariable {
                name: "time".into(),
                data_type: DataType::F64,
                dimensions: vec!["time".into()],
                attributes: [("units", "days since 2000-01-01")].into_iter().collect(),
                fill: None,
                chunk_shape: None,
                values: Some(times.into()),
            },
            OutputVariable {
                name: "field".into(),
                data_type,
                dimensions: names.map(str::to_owned).to_vec(),
                attributes: [("units", "K")].into_iter().collect(),
                fill: Some(fill),
                chunk_shape: Some(chunk_shape.to_vec()),
                values: None,
            },
        ],
        ..Layout::default()
    }
}

/// The regions of all chunks, the last first.
fn regions(chunk_shape: &[usize]) -> Vec<Region> {
    let cuts: Vec<_> = SHAPE
        .iter()
        .zip(chunk_shape)
        .map(|(&n, &c)| cuts(n, c))
        .collect();
    let counts: Vec<usize> = cuts.iter().map(Vec::len).collect();
    let region = |place: Vec<usize>| {
        Region::new(
            place
                .iter()
                .zip(&cuts)
                .map(|(&i, cuts)| cuts[i].clone())
                .collect::<Vec<_>>(),
        )
    };
    let mut regions: Vec<Region> = combinations(&counts).map(region).collect();
    regions.reverse();
    regions
}

macro_rules! writes {
    ($test:ident, $type:ty, $variant:ident) => {
        #[test]
        fn $test() {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("out.nc");
            // All bytes of a number count, and its sign if it has one.
            let cell = |i: &[usize]| {
                let number = 1 + (i[0] * 100 + i[1] * 10 + i[2]) as u64;
                number.wrapping_mul(0x9e37_79b9_7f4a_7c15) as $type
            };
            for (deflate, unlimited) in [(0, false), (0, true), (1, false), (1, true), (9, true)] {
                for chunk_shape in [[5, 7, 10], [1, 7, 10], [2, 3, 4], [1, 1, 1], [4, 5, 10]] {
                    let fill = AttributeValue::$variant(vec![99 as $type]);
                    let layout = layout(DataType::$variant, unlimited, &chunk_shape, fill);
                    let writer = NetcdfWriter::create(&path, &path, &layout, deflate).unwrap();
                    let regions = regions(&chunk_shape);
                    // The chunk at the end stays away.
                    let (left_out, brought) = if regions.len() > 1 {
                        (Some(&regions[0]), &regions[1..])
                    } else {
                        (None, &regions[..])
                    };
                    std::thread::scope(|scope| {
                        for half in brought.chunks(brought.len().div_ceil(2)) {
                            let writer = &writer;
                            scope.spawn(move || {
                                for region in half {
                                    let value = |i: IxDyn| {
                                        let at: Vec<usize> = region
                                            .ranges()
                                            .iter()
                                            .enumerate()
                                            .map(|(d, r)| r.start + i[d])
                                            .collect();
                                        cell(&at)
                                    };
                                    let values =
                                        ArrayD::from_shape_fn(IxDyn(&region.shape()), value);
                                    writer
                                        .encode(
                                            "field",
                                            region,
                                            &Values::$variant(values),
                                            |bytes| {
                                                writer.store("field", region, bytes, |_, _| Ok(()))
                                            },
                                        )
                                        .unwrap();
                                }
                            });
                        }
                    });
                    writer.finish().unwrap();

                    let file = netcdf::open(&path).unwrap();
                    assert_eq!(file.dimension_len("time"), Some(SHAPE[0]));
                    let field = file.variable("field").unwrap();
                    let stored = crate::io::netcdf::data_type(&field.vartype());
                    assert_eq!(stored, Some(DataType::$variant));
                    assert_eq!(field.chunking().unwrap().unwrap(), chunk_shape);
                    let got = field.get::<$type, _>(..).unwrap();
                    assert_eq!(got.shape(), SHAPE);
                    for (i, &x) in got.indexed_iter() {
                        let at = [i[0], i[1], i[2]];
                        let absent = left_out.is_some_and(|r| {
                            r.ranges().iter().zip(at).all(|(r, i)| r.contains(&i))
                        });
                        assert_eq!(
                            x,
                            if absent { 99 as $type } else { cell(&at) },
                            "{at:?} {chunk_shape:?}"
                        );
                    }
                }
            }
        }
    };
}

writes!(bytes_are_written, u8, U8);
writes!(signed_bytes_are_written, i8, I8);
writes!(shorts_are_written, i16, I16);
writes!(unsigned_shorts_are_written, u16, U16);
writes!(integers_are_written, i32, I32);
writes!(unsigned_integers_are_written, u32, U32);
writes!(long_integers_are_written, i64, I64);
writes!(unsigned_long_integers_are_written, u64, U64);
writes!(singles_are_written, f32, F32);
writes!(doubles_are_written, f64, F64);

#[test]
fn a_closed_file_takes_no_chunk() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("out.nc");
    let fill = AttributeValue::F32(vec![0.0]);
    let writer =
        NetcdfWriter::create(&path, &path, &layout(DataType::F32, false, &SHAPE, fill), 1).unwrap();
    writer.finish().unwrap();
    writer.finish().unwrap();
    let values = Values::zeros(DataType::F32, &SHAPE);
    let error = writer
        .encode("field", &Region::whole(&SHAPE), &values, |_| Ok(()))
        .unwrap_err();
    assert!(
        error.chain().contains("cannot write variable field in"),
        "{}",
        error.chain()
    );
}
