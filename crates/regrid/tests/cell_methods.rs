//! Attributes say what the values are: cell methods by method, counts without units, flags that stay flags.

mod sources;

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use regrid::{
    AttributeValue, Attributes, Catalogue, DataType, Error, Field, Grid, Method, Request,
    SourceFile, Values,
};
use sources::{MemoryFile, steps};

/// Temperatures on a grid of 6 x 8, whose attributes can be added to, and flags on the same.
fn catalogue(attributes: &[(&str, &str)]) -> Catalogue {
    let shape = IxDyn(&[6, 8]);
    let temperatures = ArrayD::from_shape_fn(shape.clone(), |at| (at[0] * 8 + at[1]) as f32);
    let kinds = ArrayD::from_shape_fn(shape, |at| if at[1] < 5 { 1_i8 } else { 4 });
    let mut words: Vec<(&str, AttributeValue)> = vec![
        ("standard_name", "air_temperature".into()),
        ("long_name", "air temperature".into()),
        ("units", "K".into()),
    ];
    words.extend(attributes.iter().map(|&(name, text)| (name, text.into())));
    let flags = [
        ("flag_values", AttributeValue::I8(vec![1, 4])),
        ("flag_meanings", "land sea".into()),
    ];
    let file = MemoryFile::new("a.nc")
        .with_axis("lat", "degrees_north", &steps(0.0, 1.0, 6))
        .with_axis("lon", "degrees_east", &steps(0.0, 1.0, 8))
        .with(
            "t",
            &["lat", "lon"],
            Values::F32(temperatures),
            None,
            &words,
        )
        .with("kind", &["lat", "lon"], Values::I8(kinds), None, &flags);
    Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap()
}

fn target() -> Grid {
    Grid::from_axes([1.0, 4.0], [1.0, 5.0]).unwrap()
}

fn regridded(catalogue: &Catalogue, name: &str, method: Method) -> Result<Field, Error> {
    let request = Request::new(&target()).params([name]).method(method);
    request.build(catalogue)?[0].compute()
}

fn attributes(source: &[(&str, &str)], method: Method) -> Attributes {
    regridded(&catalogue(source), "t", method)
        .unwrap()
        .meta
        .attributes
}

#[test]
fn each_method_over_cells_says_what_it_did() {
    let expected = [
        (Method::Linear, None),
        (Method::Nearest, None),
        (Method::Cubic, None),
        (Method::InverseDistance, None),
        (Method::AreaWeighted, Some("area: mean")),
        (Method::SecondOrderConservative, Some("area: mean")),
        (Method::Mean, Some("area: mean")),
        (Method::Sum, Some("area: sum")),
        (Method::Min, Some("area: minimum")),
        (Method::Max, Some("area: maximum")),
        (Method::Median, Some("area: median")),
        (Method::Mode, Some("area: mode")),
        (Method::Count, None),
    ];
    assert_eq!(expected.len(), Method::NAMES.len());
    for (method, own) in expected {
        let attributes = attributes(&[], method);
        assert_eq!(attributes.text("cell_methods"), own, "{}", method.name());
        let units = if method == Method::Count { "1" } else { "K" };
        assert_eq!(attributes.text("units"), Some(units));
    }
}

#[test]
fn what_was_done_before_stays_in_front() {
    let methods = |before, method| {
        let attributes = attributes(&[("cell_methods", before)], method);
        attributes
            .text("cell_methods")
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let cases = [
        ("time: mean", Method::AreaWeighted, "time: mean area: mean"),
        ("time: mean", Method::Linear, "time: mean"),
        (
            "time: max area: mean",
            Method::AreaWeighted,
            "time: max area: mean",
        ),
        (
            "area: mean where land",
            Method::Max,
            "area: mean where land area: maximum",
        ),
        ("lat: lon: mean", Method::Linear, "area: mean"),
        ("lon: lat: mean", Method::AreaWeighted, "area: mean"),
        (
            "time: lon: mean (interval: 1 hour)",
            Method::Linear,
            "time: longitude: mean (interval: 1 hour)",
        ),
    ];
    for (before, method, after) in cases {
        assert_eq!(methods(before, method), after, "{before} {}", method.name());
    }
}

#[test]
fn a_count_is_a_number_of_observations() {
    let counted = attributes(&[("cell_methods", "time: mean")], Method::Count);
    assert_eq!(
        counted.text("standard_name"),
        Some("air_temperature number_of_observations")
    );
    assert_eq!(
        counted.text("long_name"),
        Some("number of values of air temperature")
    );
    assert_eq!(
        (counted.text("units"), counted.text("cell_methods")),
        (Some("1"), None)
    );
    let kinds = regridded(&catalogue(&[]), "kind", Method::Count).unwrap();
    assert!(kinds.meta.attributes.get("flag_values").is_none());
    assert_eq!(kinds.values.to_f64().unwrap().sum(), 48.0);
}

#[test]
fn flags_stay_flags_where_values_are_kept() {
    for method in [Method::Nearest, Method::Mode] {
        let kinds = regridded(&catalogue(&[]), "kind", method).unwrap();
        assert_eq!(kinds.values.data_type(), DataType::I8, "{}", method.name());
        assert_eq!(
            kinds.values.as_array::<i8>().unwrap().as_slice().unwrap(),
            [1, 4, 1, 4]
        );
        let attributes = &kinds.meta.attributes;
        assert_eq!(
            attributes.get("flag_values"),
            Some(&AttributeValue::I8(vec![1, 4]))
        );
        assert_eq!(attributes.text("flag_meanings"), Some("land sea"));
    }
}

#[test]
fn flags_are_averaged_only_on_demand_and_are_flags_no_more() {
    let catalogue = catalogue(&[]);
    for &(_, method) in Method::NAMES {
        let keeps = matches!(method, Method::Nearest | Method::Mode | Method::Count);
        let refused = regridded(&catalogue, "kind", method);
        match refused {
            Ok(_) => assert!(keeps, "{}", method.name()),
            Err(error) => {
                assert!(!keeps && error.to_string().contains("flags"), "{error}");
            }
        }
    }
    let request = Request::new(&target())
        .params(["kind"])
        .method(Method::AreaWeighted);
    let fields = request.average_flags(true).build(&catalogue).unwrap();
    let averaged = fields[0].compute().unwrap();
    assert_eq!(averaged.values.data_type(), DataType::F32);
    assert!(averaged.meta.attributes.get("flag_values").is_none());
    assert!(averaged.meta.attributes.get("flag_meanings").is_none());
    let values = averaged.values.as_array::<f32>().unwrap();
    assert!(values.iter().any(|x| x.fract() != 0.0), "{values}");
}
