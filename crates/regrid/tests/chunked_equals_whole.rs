//! A result is the same to the bit however the target is cut and however many threads compute it.

mod fields;
mod sources;

use std::sync::Arc;

use delayed::Run;
use fields::noise;
use proptest::prelude::*;
use regrid::{Catalogue, Field, Grid, LazyField, Method, Outside, Request, SourceFile, Values};
use sources::{MemoryFile, steps};

fn bits(field: &Field) -> Vec<u32> {
    let Values::F32(values) = &field.values else {
        panic!("f32 in, f32 out")
    };
    // All NaN are one missing value.
    values
        .iter()
        .map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() })
        .collect()
}

fn compute(field: &LazyField, threads: usize) -> Field {
    Run::new().threads(threads).compute(&field.whole()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn cuts_and_threads_do_not_change_a_bit(
        cut in (1_usize..40, 1_usize..40),
        storage in prop::option::of((1_usize..7, 1_usize..20, 1_usize..30)),
        rows_last in any::<bool>(),
        descending in any::<bool>(),
        missing in prop::sample::select(vec![0.0, 0.02, 0.3]),
        outside in prop::sample::select(vec![Outside::Missing, Outside::Nearest, Outside::Linear]),
        nearest in any::<bool>(),
        times in prop::sample::select(vec!["", "2000-01-01T00:30,2000-01-01T01:00,2000-01-01T05:59"]),
        threads in 2_usize..5,
        seed in any::<u64>(),
    ) {
        let (steps_in_time, rows, columns) = (7, 18, 36);
        let latitudes = if descending { steps(85.0, -10.0, rows) } else { steps(-85.0, 10.0, rows) };
        let storage = storage.map(|(t, r, c)| if rows_last { [c, t, r] } else { [t, r, c] });
        let (names, shape) = if rows_last {
            (["lon", "time", "lat"], [columns, steps_in_time, rows])
        } else {
            (["time", "lat", "lon"], [steps_in_time, rows, columns])
        };
        let file: Arc<dyn SourceFile> = Arc::new(
            MemoryFile::new("memory.nc")
                .with_axis("time", "hours since 2000-01-01", &steps(0.0, 1.0, steps_in_time))
                .with_axis("lat", "degrees_north", &latitudes)
                .with_axis("lon", "degrees_east", &steps(-175.0, 10.0, columns))
                .with("t", &names, Values::F32(noise(&shape, seed, missing)), storage.as_ref().map(|s| &s[..]), &[]),
        );
        let catalogue = Catalogue::from_files(vec![file]).unwrap();
        let target = Grid::regular(90.0..=-90.0, 3.7, -10.0..=345.0, 7.3).unwrap();
        let mut request = Request::new(&target).outside(outside);
        if nearest {
            request = request.method(Method::Nearest);
        }
        if !times.is_empty() {
            request = request.times(times.parse().unwrap()).time_method(regrid::time::TimeMethod::Linear);
        }
        let whole = request.clone().chunk(usize::MAX, usize::MAX).build(&catalogue).unwrap();
        let cut = request.chunk(cut.0, cut.1).build(&catalogue).unwrap();
        let (whole, cut) = (compute(&whole[0], 1), compute(&cut[0], threads));
        prop_assert_eq!(whole.meta, cut.meta.clone());
        prop_assert_eq!(bits(&Field { meta: cut.meta.clone(), values: whole.values }), bits(&cut));
    }
}
