//! What does each method make of a field with a hole?
//!
//! `cargo run --release --example draw_methods [FOLDER]` draws one picture a method: the source on the left, the result on
//! the right, missing cells hatched. Those of `docs/pictures` were made so.

use std::fmt::Write as _;
use std::path::PathBuf;

use ndarray::ArrayD;
use regrid::{Grid, Method, Regridder};

/// Pixels of a degree.
const SCALE: f64 = 5.0;
/// Pixels round a panel.
const MARGIN: f64 = 26.0;

fn main() -> anyhow::Result<()> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => examples::output_folder("draw_methods")?,
    };
    for &(name, method) in Method::NAMES {
        // Methods over cells gather many source cells, the others look between few.
        let (step, target_step) = match method {
            Method::SecondOrderConservative => (5.0, 1.25),
            method if method.needs_cells() => (2.5, 10.0),
            _ => (5.0, 1.25),
        };
        let source = Grid::regular(
            step / 2.0..=40.0 - step / 2.0,
            step,
            step / 2.0..=60.0 - step / 2.0,
            step,
        )?;
        // Five degrees larger on every side.
        let (low, high) = (-5.0 + target_step / 2.0, -target_step / 2.0);
        let target = Grid::regular(
            low..=45.0 + high,
            target_step,
            low..=65.0 + high,
            target_step,
        )?;
        let field = field(&source, method);
        let result = Regridder::new(&source, &target, method)?.apply(field.view())?;
        let span = span(if method == Method::Sum || method == Method::Count {
            &result
        } else {
            &field
        });
        let own = if method == Method::Sum || method == Method::Count {
            self::span(&field)
        } else {
            span
        };
        let mut svg = String::new();
        let (width, height) = (70.0 * SCALE, 50.0 * SCALE);
        let total = (2.0 * width + 3.0 * MARGIN, height + 2.0 * MARGIN);
        writeln!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="13" shape-rendering="crispEdges">
<defs><pattern id="missing" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="#fff"/><rect width="1.4" height="5" fill="#b5b5b5"/></pattern></defs>
<rect width="100%" height="100%" fill="#fff"/>"##,
            total.0, total.1
        )?;
        panel(&mut svg, &source, &field, own, (MARGIN, MARGIN), "source")?;
        panel(
            &mut svg,
            &target,
            &result,
            span,
            (2.0 * MARGIN + width, MARGIN),
            name,
        )?;
        svg += "</svg>\n";
        let path = folder.join(format!("method-{name}.svg"));
        std::fs::write(&path, svg)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// A hill and a slope; two cells' worth of it missing. For the mode, kinds instead of heights.
fn field(grid: &Grid, method: Method) -> ArrayD<f64> {
    let (rows, columns) = grid.axes().expect("it was made of axes");
    let value = |at: ndarray::IxDyn| {
        let (y, x) = (rows.centres()[at[0]], columns.centres()[at[1]]);
        if (10.0..20.0).contains(&y) && (30.0..50.0).contains(&x) {
            return f64::NAN;
        }
        let (dy, dx) = ((y - 24.0) / 11.0, (x - 21.0) / 13.0);
        let height = 10.0 * (-dy * dy - dx * dx).exp() + x / 10.0;
        match method {
            Method::Mode => (height / 3.0).floor(),
            _ => height,
        }
    };
    ArrayD::from_shape_fn(vec![rows.len(), columns.len()], value)
}

fn span(values: &ArrayD<f64>) -> (f64, f64) {
    let valid = || values.iter().copied().filter(|x| !x.is_nan());
    (
        valid().fold(f64::INFINITY, f64::min),
        valid().fold(f64::NEG_INFINITY, f64::max),
    )
}

/// One field: a path for each colour, cells of one colour side by side joined.
fn panel(
    svg: &mut String,
    grid: &Grid,
    values: &ArrayD<f64>,
    (low, high): (f64, f64),
    (left, top): (f64, f64),
    title: &str,
) -> std::fmt::Result {
    let (rows, columns) = grid.axes().expect("it was made of axes");
    let (rows, columns) = (rows.cell_bounds(), columns.cell_bounds());
    let x = |degrees: f64| left + (degrees + 5.0) * SCALE;
    let y = |degrees: f64| top + (45.0 - degrees) * SCALE;
    let colour = |value: f64| {
        if value.is_nan() {
            "url(#missing)".to_owned()
        } else {
            viridis((value - low) / (high - low))
        }
    };
    let mut paths: Vec<(String, String)> = Vec::new();
    for (r, row) in rows.iter().enumerate() {
        let mut c = 0;
        while c < columns.len() {
            let own = colour(values[[r, c]]);
            let first = c;
            while c < columns.len() && colour(values[[r, c]]) == own {
                c += 1;
            }
            let (west, east) = (columns[first][0], columns[c - 1][1]);
            let (width, height) = ((east - west) * SCALE, (row[1] - row[0]) * SCALE);
            let piece = format!("M{} {}h{width}v{height}h-{width}z", x(west), y(row[1]));
            match paths.iter_mut().find(|(known, _)| *known == own) {
                Some((_, path)) => *path += &piece,
                None => paths.push((own, piece)),
            }
        }
    }
    for (colour, path) in paths {
        writeln!(svg, r#"<path fill="{colour}" d="{path}"/>"#)?;
    }
    // The source's outline in both panels, to see what is outside.
    writeln!(
        svg,
        r##"<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="#333"/>
<text x="{}" y="{}" fill="#222">{title}</text>"##,
        x(0.0),
        y(40.0),
        60.0 * SCALE,
        40.0 * SCALE,
        x(0.0),
        top - 8.0
    )
}

/// One of forty colours from dark to bright (matplotlib's viridis, by a few of its stops).
fn viridis(share: f64) -> String {
    const STOPS: [[f64; 3]; 5] = [
        [68.0, 1.0, 84.0],
        [59.0, 82.0, 139.0],
        [33.0, 145.0, 140.0],
        [94.0, 201.0, 98.0],
        [253.0, 231.0, 37.0],
    ];
    let at = (share.clamp(0.0, 1.0) * 39.0).round() / 39.0 * 4.0;
    let stop = (at as usize).min(3);
    let mixed: Vec<String> = (0..3)
        .map(|i| STOPS[stop][i] + (STOPS[stop + 1][i] - STOPS[stop][i]) * (at - stop as f64))
        .map(|channel| format!("{:02x}", channel.round() as u8))
        .collect();
    format!("#{}", mixed.join(""))
}
