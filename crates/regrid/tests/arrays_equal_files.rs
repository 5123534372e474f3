//! Arrays in memory get what the fields of files get, with the masks and edges of other tools too.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{any_layout, regrid, values};
use proptest::prelude::*;
use regrid::{Compat, Error, Method, Regridder, Request};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whichever_tool_is_followed(
        source in any_layout(),
        target in any_layout(),
        method in prop::sample::select(Method::NAMES),
        compat in prop::option::of(prop::sample::select(Compat::NAMES)),
        min_valid in prop::option::of(prop::sample::select(vec![0.0, 0.4, 1.0])),
        missing in prop::sample::select(vec![0.0, 0.2]),
        seed in any::<u64>(),
    ) {
        let (method, field) = (method.1, values(source.cells(), seed, missing));
        let mut request = Request::new(&target.grid()).method(method);
        if let Some((_, compat)) = compat {
            request = request.compat(compat);
        }
        if let Some(share) = min_valid {
            request = request.min_valid(share);
        }
        let (from, onto) = (source.grid(), target.grid());
        let regridder = match (compat, min_valid) {
            (Some((_, compat)), _) => Regridder::compatible(&from, &onto, method, compat, min_valid),
            (None, Some(share)) => Regridder::new(&from, &onto, method).and_then(|r| r.min_valid(share)),
            (None, None) => Regridder::new(&from, &onto, method),
        };
        let expected = regrid(&source.catalogue(field.clone()), &request);
        match (regridder, expected) {
            (Ok(regridder), Ok(expected)) => {
                let mut found = vec![0.0; target.cells()];
                regridder.apply_to(&field, &mut found).unwrap();
                for (at, (x, y)) in found.iter().zip(&expected).enumerate() {
                    prop_assert!(x == y || x.is_nan() && y.is_nan(), "cell {}: {} {}", at, x, y);
                }
            }
            (Err(Error::CompatMethod { .. }), Err(Error::CompatMethod { .. }))
            | (Err(Error::Combination { .. }), Err(Error::Combination { .. })) => {}
            (found, expected) => prop_assert!(false, "{:?} but {:?}", found.err(), expected.err()),
        }
    }
}
