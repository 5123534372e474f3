//! What a method makes of the words that say what values mean: cell methods, units, standard name, flags.

use super::set_words;
use crate::attribute::{AttributeValue, Attributes};
use crate::catalogue::{Role, SourceVariable};
use crate::scheme::Method;
use crate::values::DataType;

/// Attributes of values that are flags.
const FLAGS: [&str; 3] = ["flag_values", "flag_masks", "flag_meanings"];

/// Brings attributes that speak of the source's values up to what a method makes of them; `numbers` where flags come out as
/// numbers that are no flags any more.
///
/// # Source
/// CF 1.8, section 7.3 (cell methods, `area` for horizontal ones), appendix E (their names), appendix C (the standard name
/// modifier `number_of_observations`).
pub(crate) fn update(
    attributes: &mut Attributes,
    variable: &SourceVariable,
    method: Method,
    numbers: bool,
) {
    if numbers {
        for name in FLAGS {
            attributes.remove(name);
        }
    }
    if method == Method::Count {
        count(attributes);
        return;
    }
    let mut words = off_the_old_axes(attributes.words("cell_methods"), variable);
    if let Some(name) = cell_method(method) {
        let own = ["area:".to_owned(), name.to_owned()];
        // The mean of means over areas is one.
        if !words.ends_with(&own) {
            words.extend(own);
        }
    }
    set_words(attributes, "cell_methods", &words);
}

/// Flags as numbers of the values' own type, which is not always that of the source.
///
/// # Source
/// CF 1.8, section 3.5: both attributes have the type of their variable.
pub(crate) fn widen_flags(attributes: &mut Attributes, output: DataType) {
    for name in ["flag_values", "flag_masks"] {
        if output == DataType::I16
            && let Some(numbers) = attributes.get(name).and_then(AttributeValue::numbers)
        {
            let numbers = numbers.iter().map(|&x| x as i16).collect();
            attributes.set(name, AttributeValue::I16(numbers));
        }
    }
}

/// What a method does to the source cells within a target cell; interpolation does nothing of that kind.
fn cell_method(method: Method) -> Option<&'static str> {
    match method {
        Method::AreaWeighted | Method::SecondOrderConservative | Method::Mean => Some("mean"),
        Method::Sum => Some("sum"),
        Method::Min => Some("minimum"),
        Method::Max => Some("maximum"),
        Method::Median => Some("median"),
        Method::Mode => Some("mode"),
        Method::Linear
        | Method::Nearest
        | Method::Cubic
        | Method::InverseDistance
        | Method::Count => None,
    }
}

/// The number of values is no longer one of them.
fn count(attributes: &mut Attributes) {
    attributes.set("units", "1");
    attributes.remove("cell_methods");
    let name = attributes.text("standard_name").map(str::to_owned);
    // A name takes one modifier.
    match name {
        Some(name) if !name.contains(' ') => {
            attributes.set("standard_name", format!("{name} number_of_observations"));
        }
        _ => {
            attributes.remove("standard_name");
        }
    }
    if let Some(AttributeValue::Text(name)) = attributes.get("long_name") {
        let name = format!("number of values of {name}");
        attributes.set("long_name", name);
    }
}

/// Cell methods along the source's rows and columns, whose names the result does not have: both are the area, one is named
/// by its standard name.
fn off_the_old_axes(words: Vec<String>, variable: &SourceVariable) -> Vec<String> {
    let axis = |word: &str| {
        let name = word.strip_suffix(':')?;
        let grid = &variable.grid;
        let of = |role: Role, own: &str| {
            let dimension = variable.dimension(role);
            own == name || dimension.is_some_and(|d| variable.dimensions[d].name == name)
        };
        if of(Role::Latitude, &grid.y.name) {
            Some(&grid.y)
        } else if of(Role::Longitude, &grid.x.name) {
            Some(&grid.x)
        } else {
            None
        }
    };
    let mut result: Vec<String> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(own) = axis(word) else {
            result.push(word.clone());
            continue;
        };
        if words.next_if(|next| axis(next).is_some()).is_some() {
            result.push("area:".into());
        } else {
            let name = own.attributes.text("standard_name").unwrap_or(&own.name);
            result.push(format!("{name}:"));
        }
    }
    result
}
