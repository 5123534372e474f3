//! What do weights from cell to cell cost, for one plane and for several at a time? Beside a plain loop over the same matrix.
//!
//! ```text
//! cargo bench -p benches --bench sparse_kernel [-- METHOD...]
//! ```
//! A mesh of 1000 x 1000 cells, turned away from the poles, onto 707 x 1414 cells, 32-bit floats, weights ready, buffers used before, one
//! thread. The plain loop goes through the matrix in compressed rows one plane at a time, as a sparse product does. Answers are
//! compared before anything is timed.

use std::f64::consts::TAU;
use std::hint::black_box;

use benches::stopwatch::time;
use regrid::{Edges, Grid, Method, Regridder, SparseWeights, Weights};

const RUNS: usize = 5;
const PLANES: [usize; 4] = [1, 2, 4, 8];

fn main() -> anyhow::Result<()> {
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let source = mesh(1000, 1000)?;
    let target = Grid::named("r1414x707")?;
    let cells = 1_000_000;
    let field: Vec<f32> = (0..PLANES[3] * cells)
        .map(|i| 280.0 + (i % 9973) as f32 / 97.0)
        .collect();
    println!("median of {RUNS} runs (fastest to slowest), by number of planes");
    for method in [
        Method::Nearest,
        Method::Linear,
        Method::InverseDistance,
        Method::AreaWeighted,
        Method::SecondOrderConservative,
    ]
    .into_iter()
    .filter(|method| only.is_empty() || only.iter().any(|name| name == method.name()))
    {
        let weights = Weights::between(&source, &target, method, Edges::default())?;
        let matrix = weights.matrix();
        let regridder = Regridder::new(&source, &target, method)?;
        for missing in [false, true] {
            let mut field = field.clone();
            if missing {
                // In stretches, as land is.
                for (i, x) in field.iter_mut().enumerate() {
                    if (i / 370) % 10 < 3 {
                        *x = f32::NAN;
                    }
                }
            }
            for planes in PLANES {
                let field = &field[..planes * cells];
                compare(method, missing, &regridder, &matrix, (field, planes))?;
            }
        }
    }
    Ok(())
}

fn compare(
    method: Method,
    missing: bool,
    regridder: &Regridder,
    matrix: &SparseWeights,
    (field, planes): (&[f32], usize),
) -> anyhow::Result<()> {
    let targets = matrix.len();
    let mut ours = vec![0.0_f32; planes * targets];
    let mut theirs = ours.clone();
    let by_hand = |out: &mut [f32]| {
        let planes = field.chunks_exact(field.len() / planes);
        for (plane, out) in planes.zip(out.chunks_exact_mut(targets)) {
            product(matrix, plane, out);
        }
    };
    regridder.apply_to(field, &mut ours)?;
    by_hand(&mut theirs);
    if !missing {
        // The matrix of second order has one weight for what is two terms here.
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 || a.is_nan() && b.is_nan();
        anyhow::ensure!(
            ours.iter().zip(&theirs).all(near),
            "another answer than the plain loop's"
        );
    }
    let name = format!(
        "{}{}",
        method.name(),
        if missing { ", 30 % missing" } else { "" }
    );
    let bytes = size_of_val(&ours[..]);
    let own = time(&format!("{name}, {planes}"), RUNS, bytes, || {
        regridder
            .apply_to(black_box(field), &mut ours)
            .expect("it ran before");
    });
    let plain = time(
        &format!("{name}, {planes}, plain loop"),
        RUNS,
        bytes,
        || {
            by_hand(black_box(&mut theirs));
        },
    );
    let each = 1e3 * own.as_secs_f64() / planes as f64;
    let ratio = own.as_secs_f64() / plain.as_secs_f64();
    println!(
        "{:<44} {each:>9.2} ms a plane, {ratio:.2} times the plain loop",
        ""
    );
    Ok(())
}

/// The product of the matrix with one plane.
fn product(matrix: &SparseWeights, plane: &[f32], out: &mut [f32]) {
    for (target, out) in out.iter_mut().enumerate() {
        let row = matrix.row(target);
        let terms = row
            .iter()
            .map(|(cell, weight)| weight * f64::from(plane[cell]));
        *out = match row.is_empty() {
            true => f32::NAN,
            false => terms.sum::<f64>() as f32,
        };
    }
}

/// A grid of rows and columns round the globe, turned away from the poles by 30 degrees, with corners.
fn mesh(rows: usize, columns: usize) -> Result<Grid, regrid::Error> {
    let (sin, cos) = 30.0_f64.to_radians().sin_cos();
    let place = |row: f64, column: f64| {
        let lat = (row / rows as f64 - 0.5) * TAU / 2.0;
        let lon = column / columns as f64 * TAU;
        let (x, y, z) = (lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin());
        let (x, z) = (cos * x - sin * z, sin * x + cos * z);
        (
            z.clamp(-1.0, 1.0).asin().to_degrees(),
            y.atan2(x).to_degrees(),
        )
    };
    let cells = (0..rows * columns).map(|i| ((i / columns) as f64, (i % columns) as f64));
    let (latitudes, longitudes) = cells.clone().map(|(r, c)| place(r + 0.5, c + 0.5)).unzip();
    let corners = cells.flat_map(|(r, c)| {
        [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)].map(|(dr, dc)| place(r + dr, c + dc))
    });
    Grid::curvilinear(
        (rows, columns),
        latitudes,
        longitudes,
        Some(corners.unzip()),
    )
}
