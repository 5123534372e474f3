//! `regrid info`: what is in files, on which grid, when, how it is stored, and what of it can be regridded.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use regrid::{
    AttributeValue, Catalogue, Grid, Latitudes, Longitudes, SourceVariable, VariableMeta,
};

use crate::Result;
use crate::amount::{bytes, count, shape};
use crate::rows::{self, Rows};

/// Prints what is in the files, joined along time.
pub(crate) fn print(files: &[PathBuf]) -> Result<()> {
    rows::print(&describe(&Catalogue::open(files)?))
}

/// Everything about a catalogue.
fn describe(catalogue: &Catalogue) -> String {
    let mut text = files(catalogue).text(0);
    for variable in catalogue.variables() {
        text += &format!("\n{}\n", variable.name());
        text += &field(variable).text(2);
    }
    if catalogue.variables().is_empty() {
        text += "\nNo variable lies on a grid.\n";
        if let [file] = catalogue.files()
            && let Ok(grid) = Grid::like(file.path())
        {
            text += &format!("As a target (--like): {grid}\n");
        }
    }
    let mut refused = Rows::default();
    for variable in catalogue.unsupported() {
        refused.add(&variable.name, &variable.reason);
    }
    let mut notes = Rows::default();
    for note in catalogue.notes() {
        notes.add("note", note);
    }
    for (heading, rows) in [
        ("Cannot be regridded:", refused),
        ("Other variables:", others(catalogue)),
        ("Notes:", notes),
    ] {
        let lines = rows.text(2);
        if !lines.is_empty() {
            text += &format!("\n{heading}\n{lines}");
        }
    }
    text
}

/// The files, as a whole.
fn files(catalogue: &Catalogue) -> Rows {
    let mut rows = Rows::default();
    let files = catalogue.files();
    match files {
        [] => {}
        [file] => rows.add("file", file.path().display().to_string()),
        [first, .., last] => {
            rows.add("files", files.len().to_string());
            rows.add("first", first.path().display().to_string());
            rows.add("last", last.path().display().to_string());
        }
    }
    let mut formats: Vec<(&str, usize)> = Vec::new();
    for file in files {
        let format = file.meta().format.as_str();
        match formats.iter_mut().find(|(known, _)| *known == format) {
            Some((_, n)) => *n += 1,
            None => formats.push((format, 1)),
        }
    }
    let formats: Vec<String> = match formats.as_slice() {
        [(only, _)] => vec![(*only).to_owned()],
        several => several.iter().map(|(f, n)| format!("{n} {f}")).collect(),
    };
    rows.add("format", formats.join(", "));
    let sizes = files.iter().filter_map(|f| fs::metadata(f.path()).ok());
    rows.add("size", bytes(sizes.map(|m| m.len()).sum()));
    rows
}

/// One variable that can be regridded.
fn field(variable: &SourceVariable) -> Rows {
    let mut rows = Rows::default();
    let meta = variable.meta();
    for (label, attribute) in [
        ("standard name", "standard_name"),
        ("long name", "long_name"),
        ("units", "units"),
    ] {
        if let Some(text) = meta.attributes.text(attribute).filter(|t| !t.is_empty()) {
            rows.add(label, text);
        }
    }
    rows.add("type", stored_type(meta));
    let dimensions: Vec<String> = variable
        .dimensions()
        .iter()
        .map(|d| format!("{} {}", d.name, d.len))
        .collect();
    rows.add("dimensions", dimensions.join(", "));
    rows.add("grid", variable.grid().to_string());
    add_grid(&mut rows, variable.grid());
    if let Some((first, last, calendar)) = variable.time_span() {
        let steps = variable
            .dimensions()
            .iter()
            .find(|d| d.role == regrid::Role::Time)
            .map_or(1, |d| d.len);
        let span = if first == last {
            first
        } else {
            format!("{first} to {last}")
        };
        rows.add(
            "times",
            format!("{}, {span}, {calendar} calendar", count(steps, "step")),
        );
    }
    rows.add("storage", storage(meta));
    if variable.file_count() > 1 {
        rows.add("files", variable.file_count().to_string());
    }
    if let Err(fault) = variable.check_join() {
        rows.add("not joined", fault.to_string());
    }
    rows
}

/// How a grid's cells lie, as far as its kind goes.
fn add_grid(rows: &mut Rows, grid: &Grid) {
    if let Some((latitudes, longitudes)) = grid.axes() {
        rows.add("spacing", spacings(latitudes, longitudes));
        rows.add("reach", reach(latitudes, longitudes));
    } else if let Some((y, x)) = grid.plane_axes() {
        let (y, x) = (spacing(y.centres(), false), spacing(x.centres(), false));
        rows.add("spacing", format!("y {y}, x {x}"));
    } else {
        let corners = if grid.has_corners() { "given" } else { "none" };
        rows.add("corners", corners);
        let centres = grid.centres();
        let nowhere = centres.iter().filter(|(lat, _)| lat.is_nan()).count();
        if nowhere > 0 {
            rows.add("no place", count(nowhere, "cell"));
        }
    }
}

/// The type, and how values come out of packed ones.
fn stored_type(meta: &VariableMeta) -> String {
    let mut text = meta.data_type.name().to_owned();
    let packing: Vec<String> = ["scale_factor", "add_offset"]
        .iter()
        .filter_map(|&name| Some((name, meta.attributes.get(name)?.numbers()?)))
        .filter_map(|(name, numbers)| Some(format!("{name} {}", numbers.first()?)))
        .collect();
    if !packing.is_empty() {
        text += &format!(", packed: {}", packing.join(", "));
    }
    text
}

fn storage(meta: &VariableMeta) -> String {
    match &meta.chunk_shape {
        Some(chunk) => format!("chunks of {}", shape(chunk)),
        None => "one stretch".into(),
    }
}

/// The steps of both axes.
fn spacings(latitudes: &Latitudes, longitudes: &Longitudes) -> String {
    format!(
        "latitude {}, longitude {}",
        spacing(latitudes.centres(), false),
        spacing(longitudes.centres(), true)
    )
}

/// The step between centres: one number where it is even, else the smallest and the largest.
fn spacing(centres: &[f64], round: bool) -> String {
    let steps = centres.windows(2).map(|pair| {
        let step = (pair[1] - pair[0]).abs();
        // Longitudes may jump from 359 to 0.
        if round && step > 180.0 {
            360.0 - step
        } else {
            step
        }
    });
    let (low, high) = steps.fold((f64::INFINITY, 0.0_f64), |(low, high), step| {
        (low.min(step), high.max(step))
    });
    // Centres are often stored as 32-bit floats, with seven digits.
    let digits = |step: f64| (step * 1e4).round() / 1e4;
    if low.is_infinite() {
        "of one cell".into()
    } else if high - low <= 1e-4 {
        let mean = (centres.len() > 2 && !round)
            .then(|| (centres[centres.len() - 1] - centres[0]).abs() / (centres.len() - 1) as f64);
        digits(mean.unwrap_or(low.midpoint(high))).to_string()
    } else {
        format!("{} to {}", digits(low), digits(high))
    }
}

/// How much of the globe a grid covers.
fn reach(latitudes: &Latitudes, longitudes: &Longitudes) -> &'static str {
    match (longitudes.is_cyclic(), latitudes.reach_poles()) {
        (true, [true, true]) => "global",
        (true, [false, false]) => "all the way round, to neither pole",
        (true, _) => "all the way round, to one pole",
        (false, _) => "regional",
    }
}

/// The variables that lie on no grid: coordinates, bounds, scalars.
fn others(catalogue: &Catalogue) -> Rows {
    let mut seen: HashSet<&str> = catalogue.variables().iter().map(|v| v.name()).collect();
    seen.extend(catalogue.unsupported().iter().map(|v| v.name.as_str()));
    let mut rows = Rows::default();
    for file in catalogue.files() {
        let meta = file.meta();
        for variable in &meta.variables {
            if !seen.insert(&variable.name) {
                continue;
            }
            let lengths = meta.shape(variable);
            let dimensions: Vec<String> = variable
                .dimensions
                .iter()
                .zip(lengths)
                .map(|(name, len)| format!("{name} {len}"))
                .collect();
            let mut text = variable.data_type.name().to_owned();
            if !dimensions.is_empty() {
                text += &format!("  {}", dimensions.join(", "));
            }
            if let Some(AttributeValue::Text(units)) = variable.attributes.get("units") {
                text += &format!("  [{units}]");
            }
            rows.add(&variable.name, text);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_one_number_where_it_is_even() {
        assert_eq!(spacing(&[15.0, 16.25, 17.5], false), "1.25");
        assert_eq!(spacing(&[358.0, 359.0, 0.0, 1.0], true), "1");
        assert_eq!(spacing(&[60.0, 59.4, 58.7], false), "0.6 to 0.7");
        assert_eq!(spacing(&[5.0], false), "of one cell");
        let stored: Vec<f64> = (0..100).map(|i| f64::from(i as f32 * 0.1)).collect();
        assert_eq!(spacing(&stored, false), "0.1");
    }
}
