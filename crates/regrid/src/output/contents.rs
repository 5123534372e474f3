//! What an output file holds, and under which names: fields that differ in an axis of one name get axes of two.

use crate::attribute::Attributes;
use crate::companions::BOUNDS;
use crate::field::{FieldMeta, Variable};
use crate::io::{Dimension, Layout, OutputVariable};
use crate::pipeline::LazyField;

/// The dimension of pairs under which the target's bounds are written: another name where `bnds` is taken by something else.
fn bounds_dimension(fields: &[LazyField]) -> String {
    let lengths = |name: &str| {
        let all = fields.iter().flat_map(|f| {
            let own = f.meta.dimensions.iter().map(|d| (d.name.as_str(), d.len));
            let others = f.meta.companions.iter().flat_map(|v| {
                v.dimensions
                    .iter()
                    .map(String::as_str)
                    .zip(v.values.shape().iter().copied())
            });
            own.chain(others).collect::<Vec<_>>()
        });
        all.filter(|(n, _)| *n == name).any(|(_, len)| len != 2)
    };
    let mut names =
        std::iter::once(BOUNDS.to_owned()).chain((2..).map(|i| format!("{BOUNDS}_{i}")));
    names
        .find(|name| !lengths(name))
        .unwrap_or_else(|| BOUNDS.to_owned())
}

/// Whether a companion is one of the target's axes or their bounds, which come first.
fn is_target_axis(companion: &Variable, field: &FieldMeta) -> bool {
    let axis = companion
        .name
        .strip_suffix("_bnds")
        .unwrap_or(&companion.name);
    companion.dimensions.first().is_some_and(|d| d == axis)
        && field.dimensions.iter().any(|d| d.name == axis)
}

/// What the file holds, and the fields' names in it.
pub(super) fn layout(
    fields: &[LazyField],
    history: &str,
    first: &LazyField,
) -> (Layout, Vec<String>) {
    let mut attributes = first.attributes.clone();
    // A file of features has those of one type alone.
    let feature = |field: &LazyField| field.attributes.text("featureType").map(str::to_owned);
    if fields.iter().any(|field| feature(field) != feature(first)) {
        attributes.remove("featureType");
    }
    let features = attributes.text("featureType").is_some();
    // Features are known from CF 1.6 on.
    let old = |text: &str| {
        features
            && text
                .strip_prefix("CF-1.")
                .is_some_and(|n| n.parse().is_ok_and(|n: u32| n < 6))
    };
    let conventions = attributes
        .text("Conventions")
        .filter(|text| text.contains("CF-") && !old(text))
        .unwrap_or("CF-1.8")
        .to_owned();
    attributes.set("Conventions", conventions);
    let before = first.history.as_deref().filter(|text| !text.is_empty());
    attributes.set(
        "history",
        before.map_or_else(
            || history.to_owned(),
            |before| format!("{history}\n{before}"),
        ),
    );
    let mut layout = Layout {
        attributes,
        ..Layout::default()
    };
    let mut names = Vec::new();
    let mut companions: Vec<Variable> = Vec::new();
    let mut outputs = Vec::new();
    let pairs = bounds_dimension(fields);
    for field in fields {
        let mut meta = field.meta.clone();
        for bounds in meta
            .companions
            .iter_mut()
            .take_while(|v| is_target_axis(v, &field.meta))
        {
            bounds
                .dimensions
                .iter_mut()
                .filter(|d| *d == BOUNDS)
                .for_each(|d| d.clone_from(&pairs));
        }
        make_room(&mut meta, &layout.dimensions, &companions, &names);
        for dimension in &meta.dimensions {
            add_dimension(&mut layout.dimensions, dimension.clone());
        }
        for companion in meta.companions {
            for (name, &len) in companion.dimensions.iter().zip(companion.values.shape()) {
                add_dimension(
                    &mut layout.dimensions,
                    Dimension {
                        name: name.clone(),
                        len,
                        unlimited: false,
                    },
                );
            }
            if !companions.iter().any(|known| known.name == companion.name) {
                companions.push(companion);
            }
        }
        names.push(meta.name.clone());
        outputs.push(OutputVariable {
            name: meta.name,
            data_type: field.data_type,
            dimensions: meta.dimensions.iter().map(|d| d.name.clone()).collect(),
            attributes: meta.attributes,
            fill: Some(meta.fill_value),
            chunk_shape: Some(field.chunk_shape.clone()),
            values: None,
        });
    }
    layout.variables = companions.into_iter().map(small_variable).collect();
    layout.variables.extend(outputs);
    (layout, names)
}

fn add_dimension(dimensions: &mut Vec<Dimension>, dimension: Dimension) {
    if !dimensions.iter().any(|known| known.name == dimension.name) {
        dimensions.push(dimension);
    }
}

fn small_variable(variable: Variable) -> OutputVariable {
    let fill = variable.attributes.get("_FillValue").cloned();
    let data_type = variable.values.data_type();
    OutputVariable {
        name: variable.name,
        data_type,
        dimensions: variable.dimensions,
        fill: fill.and_then(|fill| crate::io::decoding::convert(&fill, data_type)),
        attributes: variable.attributes,
        chunk_shape: None,
        values: Some(variable.values),
    }
}

/// Renames what a field brings under a name that is taken by something else: `time` becomes `time_1`.
fn make_room(
    field: &mut FieldMeta,
    dimensions: &[Dimension],
    companions: &[Variable],
    fields: &[String],
) {
    let mut clashes: Vec<String> = Vec::new();
    let own: Vec<(String, usize)> = field
        .companions
        .iter()
        .flat_map(|v| {
            v.dimensions
                .iter()
                .cloned()
                .zip(v.values.shape().iter().copied())
        })
        .chain(field.dimensions.iter().map(|d| (d.name.clone(), d.len)))
        .collect();
    for (name, len) in own {
        if dimensions.iter().any(|d| d.name == name && d.len != len) && !clashes.contains(&name) {
            clashes.push(name);
        }
    }
    for companion in &field.companions {
        let differs = companions
            .iter()
            .any(|known| known.name == companion.name && !known.same(companion));
        if (differs || fields.contains(&companion.name)) && !clashes.contains(&companion.name) {
            clashes.push(companion.name.clone());
        }
    }
    let taken = |name: &str, field: &FieldMeta| {
        dimensions.iter().any(|d| d.name == name)
            || companions.iter().any(|v| v.name == name)
            || fields.iter().any(|f| f == name)
            || field.companions.iter().any(|v| v.name == name)
    };
    for name in clashes {
        let free = (1..)
            .map(|i| format!("{name}_{i}"))
            .find(|new| !taken(new, field))
            .expect("some number is free");
        rename(field, &name, &free);
    }
}

/// Renames a dimension and a companion, wherever they are named.
fn rename(field: &mut FieldMeta, from: &str, to: &str) {
    let swap = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    field.dimensions.iter_mut().for_each(|d| swap(&mut d.name));
    rename_references(&mut field.attributes, from, to);
    for companion in &mut field.companions {
        swap(&mut companion.name);
        companion.dimensions.iter_mut().for_each(swap);
        rename_references(&mut companion.attributes, from, to);
    }
}

fn rename_references(attributes: &mut Attributes, from: &str, to: &str) {
    for name in [
        "bounds",
        "climatology",
        "coordinates",
        "grid_mapping",
        "formula_terms",
        "cell_methods",
        "ancillary_variables",
    ] {
        let words = attributes.words(name);
        let method = format!("{from}:");
        if words.iter().any(|word| word == from || *word == method) {
            let renamed: Vec<String> = words
                .into_iter()
                .map(|word| match word {
                    word if word == from => to.to_owned(),
                    word if word == method && name == "cell_methods" => format!("{to}:"),
                    word => word,
                })
                .collect();
            attributes.set(name, renamed.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use crate::values::Values;
    use ndarray::{ArrayD, IxDyn};

    fn times(values: &[f64]) -> Variable {
        Variable {
            name: "time".into(),
            dimensions: vec!["time".into()],
            attributes: [("bounds", "time_bnds")].into_iter().collect(),
            values: Values::F64(
                ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec()).unwrap(),
            )
            .into(),
        }
    }

    fn field(name: &str, time: Variable) -> FieldMeta {
        FieldMeta {
            name: name.into(),
            dimensions: vec![Dimension {
                name: "time".into(),
                len: time.values.len(),
                unlimited: false,
            }],
            attributes: [("cell_methods", "time: mean")].into_iter().collect(),
            fill_value: AttributeValue::F32(vec![0.0]),
            companions: vec![time],
        }
    }

    #[test]
    fn another_time_axis_gets_another_name() {
        let first = field("a", times(&[1.0, 2.0]));
        let mut same = field("b", times(&[1.0, 2.0]));
        make_room(
            &mut same,
            &first.dimensions,
            &first.companions,
            &["a".into()],
        );
        assert_eq!(same.dimensions[0].name, "time");
        let mut other = field("c", times(&[1.0, 3.0]));
        make_room(
            &mut other,
            &first.dimensions,
            &first.companions,
            &["a".into()],
        );
        assert_eq!(other.dimensions[0].name, "time_1");
        assert_eq!(other.companions[0].name, "time_1");
        assert_eq!(other.companions[0].dimensions, ["time_1"]);
        assert_eq!(other.attributes.text("cell_methods"), Some("time_1: mean"));
    }
}
