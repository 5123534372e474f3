//! Between grids of every kind, by every method: what comes out lies within what went in, a constant stays a constant, and
//! what has no meaning is refused.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Layout, any_layout, any_method, regrid, values};
use proptest::prelude::*;
use regrid::{Error, Method, Outside, Pole, Request};

/// Whether a method has a meaning between two grids.
fn has_meaning(method: Method, source: &Layout, target: &Layout, outside: Outside) -> bool {
    let mesh = matches!(source, Layout::Curvilinear { .. });
    let gradient_goes_on = outside == Outside::Linear;
    match method {
        Method::Linear => !(source.is_list() || mesh && gradient_goes_on),
        Method::Nearest => true,
        Method::Cubic => !source.is_list() && !mesh,
        Method::InverseDistance => true,
        Method::AreaWeighted | Method::SecondOrderConservative | Method::Mode => {
            !source.is_list() && !target.is_list()
        }
        _ => !target.is_list(),
    }
}

/// How far rounding takes a sum of weights from one: the terms of a second-order row cancel each other, and the weights of
/// a gradient that goes on for thousands of cells are thousands.
fn slack(method: Method, outside: Outside) -> f64 {
    match (method, outside) {
        (Method::Linear | Method::Cubic, Outside::Linear) => 1e-6,
        (Method::SecondOrderConservative, _) => 1e-9,
        _ => 1e-12,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn constants_stay_and_ranges_hold(
        source in any_layout(),
        target in any_layout(),
        method in any_method(),
        outside in prop::sample::select(vec![Outside::Missing, Outside::Nearest, Outside::Linear]),
        pole in prop::sample::select(vec![Pole::Mean, Pole::None, Pole::Nearest]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64],
        missing in prop::sample::select(vec![0.0, 0.1, 0.5]),
        seed in any::<u64>(),
    ) {
        let request = Request::new(&target.grid()).method(method).outside(outside).pole(pole).min_valid(min_valid);
        let noise = values(source.cells(), seed, missing);
        let constant = noise.iter().map(|x| if x.is_nan() { *x } else { 273.15 }).collect();
        let constant = regrid(&source.catalogue(constant), &request);
        if !has_meaning(method, &source, &target, outside) {
            let refused = matches!(&constant, Err(Error::Combination { .. }));
            prop_assert!(refused, "{constant:?}");
            return Ok(());
        }
        let constant = constant.unwrap();
        prop_assert_eq!(constant.len(), target.cells());
        for &x in constant.iter().filter(|x| !x.is_nan()) {
            let expected = match method {
                Method::Count => x.round(),
                Method::Sum => 273.15 * (x / 273.15).round(),
                _ => 273.15,
            };
            prop_assert!((x - expected).abs() <= slack(method, outside) * expected, "{x}");
        }

        let result = regrid(&source.catalogue(noise.clone()), &request).unwrap();
        // Where a target is missing is a matter of what is valid, not of its value.
        for (x, y) in result.iter().zip(&constant) {
            prop_assert_eq!(x.is_nan(), y.is_nan());
        }
        let beyond = match method {
            Method::Cubic | Method::SecondOrderConservative | Method::Sum | Method::Count => true,
            Method::Linear => outside == Outside::Linear,
            _ => false,
        };
        if !beyond {
            let valid = || noise.iter().copied().filter(|x| !x.is_nan());
            let (low, high) = (valid().fold(f64::INFINITY, f64::min), valid().fold(f64::NEG_INFINITY, f64::max));
            for &x in result.iter().filter(|x| !x.is_nan()) {
                prop_assert!(low * (1.0 - 1e-12) <= x && x <= high * (1.0 + 1e-12), "{low} {x} {high}");
            }
        }
        let takes_one = matches!(method, Method::Nearest | Method::Min | Method::Max | Method::Mode);
        if takes_one {
            for x in result.iter().filter(|x| !x.is_nan()) {
                prop_assert!(noise.contains(x), "{x} is none of the source's");
            }
        }
    }
}
