//! Where rows and columns begin, which way they run and in which turn longitudes are counted changes no value.

#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use layouts::{Axis, Layout, any_layout, any_method, rectilinear, regrid, round, values};
use proptest::prelude::*;
use regrid::{Error, Method, Outside, Pole, Request};

/// Values of rows and columns, each from another place.
fn gather(
    values: &[f64],
    [rows, columns]: [usize; 2],
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<f64> {
    (0..rows * columns)
        .map(|i| {
            let (r, c) = from(i / columns, i % columns);
            values[r * columns + c]
        })
        .collect()
}

/// The axis with another first cell.
fn rolled(axis: &Axis, by: usize) -> Axis {
    let mut axis = axis.clone();
    axis.centres.rotate_left(by);
    if let Some(bounds) = &mut axis.bounds {
        bounds.rotate_left(by);
    }
    // No jump of more than half a turn is left but one.
    let first = axis.centres[0];
    let rises = axis.centres.len() < 2 || axis.centres[1] > axis.centres[0];
    let low = if rises { first } else { first - 360.0 + 1e-9 };
    let shift: Vec<f64> = axis
        .centres
        .iter()
        .map(|c| -360.0 * ((c - low) / 360.0).floor())
        .collect();
    axis.shifted(|i| shift[i])
}

fn axes(layout: &Layout) -> (&Axis, &Axis) {
    match layout {
        Layout::Rectilinear {
            latitudes,
            longitudes,
        } => (latitudes, longitudes),
        _ => unreachable!("only rectilinear layouts are asked for"),
    }
}

fn of_axes(latitudes: Axis, longitudes: Axis) -> Layout {
    Layout::Rectilinear {
        latitudes,
        longitudes,
    }
}

/// The same to rounding: mirrored and rolled sums run in another order.
fn check(method: Method, got: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    let slack = match method {
        Method::SecondOrderConservative => 1e-9,
        _ => 1e-11,
    };
    prop_assert_eq!(got.len(), expected.len());
    for (i, (x, y)) in got.iter().zip(expected).enumerate() {
        prop_assert!(
            (x.is_nan() && y.is_nan()) || (x - y).abs() <= slack * y.abs().max(100.0),
            "target {i}: {x} instead of {y}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_source_can_be_told_in_many_ways(
        source in rectilinear(),
        target in any_layout(),
        method in any_method(),
        outside in prop::sample::select(vec![Outside::Missing, Outside::Nearest, Outside::Linear]),
        pole in prop::sample::select(vec![Pole::Mean, Pole::None, Pole::Nearest]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), 0.1..0.9f64],
        missing in prop::sample::select(vec![0.0, 0.2]),
        turn in prop::sample::select(vec![0.0, 360.0, -720.0]),
        roll in 0..20_usize,
        seed in any::<u64>(),
    ) {
        let shape = [source.shape()[0], source.shape()[1]];
        let before = values(source.cells(), seed, missing);
        let request = Request::new(&target.grid()).method(method).outside(outside).pole(pole).min_valid(min_valid);
        let expected = match regrid(&source.catalogue(before.clone()), &request) {
            Err(Error::Combination { .. }) => return Ok(()),
            expected => expected.unwrap(),
        };
        let (latitudes, longitudes) = axes(&source);
        let turned = of_axes(latitudes.clone(), longitudes.shifted(|_| turn));
        check(method, &regrid(&turned.catalogue(before.clone()), &request).unwrap(), &expected)?;
        // Of neighbours equally far the first few count: others where indices run the other way.
        if method == Method::InverseDistance {
            return Ok(());
        }
        let [rows, columns] = shape;
        let south_up = gather(&before, shape, |r, c| (rows - 1 - r, c));
        let got = regrid(&of_axes(latitudes.reversed(), longitudes.clone()).catalogue(south_up), &request).unwrap();
        check(method, &got, &expected)?;
        let from_east = gather(&before, shape, |r, c| (r, columns - 1 - c));
        let got = regrid(&of_axes(latitudes.clone(), longitudes.reversed()).catalogue(from_east), &request).unwrap();
        check(method, &got, &expected)?;
        if source.grid().axes().unwrap().1.is_cyclic() {
            let roll = roll % columns;
            let other_seam = gather(&before, shape, |r, c| (r, (c + roll) % columns));
            let got = regrid(&of_axes(latitudes.clone(), rolled(longitudes, roll)).catalogue(other_seam), &request).unwrap();
            check(method, &got, &expected)?;
        }
    }

    #[test]
    fn a_target_can_be_told_in_many_ways(
        source in any_layout(),
        target in rectilinear(),
        method in any_method(),
        outside in prop::sample::select(vec![Outside::Missing, Outside::Nearest]),
        missing in prop::sample::select(vec![0.0, 0.2]),
        turn in prop::sample::select(vec![360.0, -720.0]),
        seed in any::<u64>(),
    ) {
        let shape = [target.shape()[0], target.shape()[1]];
        let source = source.catalogue(values(source.cells(), seed, missing));
        let onto = |target: &Layout| {
            regrid(&source, &Request::new(&target.grid()).method(method).outside(outside))
        };
        let expected = match onto(&target) {
            Err(Error::Combination { .. }) => return Ok(()),
            expected => expected.unwrap(),
        };
        let (latitudes, longitudes) = axes(&target);
        let [rows, columns] = shape;
        let mirrored = of_axes(latitudes.reversed(), longitudes.reversed());
        let back = gather(&onto(&mirrored).unwrap(), shape, |r, c| (rows - 1 - r, columns - 1 - c));
        check(method, &back, &expected)?;
        let turned = of_axes(latitudes.clone(), longitudes.shifted(|_| turn));
        check(method, &onto(&turned).unwrap(), &expected)?;
    }

    #[test]
    fn a_repeated_first_column_changes_nothing(
        latitudes in layouts::latitudes(),
        longitudes in round(),
        target in any_layout(),
        method in any_method(),
        missing in prop::sample::select(vec![0.0, 0.2]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), 0.1..0.9f64],
        seed in any::<u64>(),
    ) {
        let without = Axis { bounds: None, ..longitudes };
        let source = of_axes(latitudes.clone(), without.clone());
        prop_assume!(source.grid().axes().unwrap().1.is_cyclic());
        let [rows, columns] = [source.shape()[0], source.shape()[1]];
        let before = values(source.cells(), seed, missing);
        let request = Request::new(&target.grid()).method(method).min_valid(min_valid);
        let expected = match regrid(&source.catalogue(before.clone()), &request) {
            Err(Error::Combination { .. }) => return Ok(()),
            expected => expected.unwrap(),
        };
        let mut unrolled = rolled(&without, 0);
        let rises = unrolled.centres[1] > unrolled.centres[0];
        unrolled.centres.push(unrolled.centres[0] + if rises { 360.0 } else { -360.0 });
        let repeated = (0..rows).flat_map(|r| (0..=columns).map(move |c| r * columns + c % columns));
        let repeated = repeated.map(|i| before[i]).collect();
        let got = regrid(&of_axes(latitudes, unrolled).catalogue(repeated), &request).unwrap();
        check(method, &got, &expected)?;
    }
}
