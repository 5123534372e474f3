//! The five jobs of the design in memory, weights ready: ours beside plain loops and a sparse product, on one and on two
//! threads.
//!
//! J1: 120 x 721 x 1440 to 361 x 720 linear. J2: 24 x 600 x 800 to 1000 x 1000, 0.1 degree, linear. J3: J1 area-weighted.
//! J4: J1 nearest. J5: J1 with 30 % missing. 32-bit floats. The plain loops are those of `src/plain.rs`, for linear and
//! nearest, into a target that is there already; the sparse product goes through the weights from cell to cell, as tools do
//! that keep one matrix. All write to buffers used before.

use std::hint::black_box;

use benches::memory::weather;
use benches::plain::PlainLoop;
use benches::stopwatch::time;
use regrid::{Edges, Grid, Method, RectilinearWeights, Regridder, SparseWeights, Weights};

const RUNS: usize = 9;

struct Job {
    name: &'static str,
    steps: usize,
    source: Grid,
    target: Grid,
    method: Method,
    missing: bool,
}

fn main() -> anyhow::Result<()> {
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let globe = || Grid::regular(-90.0..=90.0, 0.25, 0.0..=359.75, 0.25);
    let half = || Grid::named("r720x361");
    let job = |name, method, missing| -> anyhow::Result<Job> {
        Ok(Job {
            name,
            steps: 120,
            source: globe()?,
            target: half()?,
            method,
            missing,
        })
    };
    let jobs = [
        job("J1 linear", Method::Linear, false)?,
        Job {
            name: "J2 linear, 0.1 degree",
            steps: 24,
            source: Grid::regular(-30.0..=89.8, 0.2, 0.0..=159.8, 0.2)?,
            target: Grid::regular(-20.05..=79.85, 0.1, 20.05..=119.95, 0.1)?,
            method: Method::Linear,
            missing: false,
        },
        job("J3 area-weighted", Method::AreaWeighted, false)?,
        job("J4 nearest", Method::Nearest, false)?,
        job("J5 linear, 30 % missing", Method::Linear, true)?,
    ];
    println!("median of {RUNS} runs (fastest to slowest)");
    for job in jobs
        .iter()
        .filter(|j| only.is_empty() || only.iter().any(|o| j.name.contains(o.as_str())))
    {
        run(job)?;
    }
    Ok(())
}

fn run(job: &Job) -> anyhow::Result<()> {
    let mut field = weather(job.steps, &job.source);
    if job.missing {
        // In stretches, as land is.
        for (i, x) in field.iter_mut().enumerate() {
            if (i / 37) % 10 < 3 {
                *x = f32::NAN;
            }
        }
    }
    let (rows, columns) = job.source.shape();
    let (target_rows, target_columns) = job.target.shape();
    let targets = target_rows * target_columns;
    let bytes = job.steps * targets * size_of::<f32>();
    let weights = RectilinearWeights::new(&job.source, &job.target, job.method, Edges::default())?;
    let between = Weights::between(&job.source, &job.target, job.method, Edges::default())?;
    let matrix = between.matrix();
    let regridder = Regridder::new(&job.source, &job.target, job.method)?;
    let mut ours = vec![0.0_f32; job.steps * targets];
    let mut theirs = vec![0.0_f32; job.steps * targets];
    for threads in [1, 2] {
        let label = |who: &str| format!("{}, {who}, {threads} thread(s)", job.name);
        let regridder = regridder.clone().threads(threads);
        let own = time(&label("ours"), RUNS, bytes, || {
            regridder
                .apply_to(black_box(&field), &mut ours)
                .expect("the shapes fit");
        });
        if job.method != Method::AreaWeighted {
            let plain = time(&label("plain loops"), RUNS, bytes, || {
                on_threads(
                    threads,
                    &field,
                    rows * columns,
                    &mut theirs,
                    targets,
                    |planes, out| {
                        let mut plain = PlainLoop::new(&weights);
                        for (plane, out) in planes
                            .chunks_exact(rows * columns)
                            .zip(out.chunks_exact_mut(targets))
                        {
                            match job.method {
                                Method::Nearest => plain.nearest(plane, columns, out),
                                _ => plain.linear(plane, columns, out),
                            }
                        }
                    },
                );
            });
            anyhow::ensure!(
                same(&ours, &theirs),
                "{}: another answer than the plain loops'",
                job.name
            );
            println!(
                "{:<44} {:>9.2} times the plain loops",
                "",
                own.as_secs_f64() / plain.as_secs_f64()
            );
        }
        let sparse = time(&label("sparse product"), RUNS, bytes, || {
            on_threads(
                threads,
                &field,
                rows * columns,
                &mut theirs,
                targets,
                |planes, out| {
                    for (plane, out) in planes
                        .chunks_exact(rows * columns)
                        .zip(out.chunks_exact_mut(targets))
                    {
                        product(&matrix, plane, out);
                    }
                },
            );
        });
        println!(
            "{:<44} {:>9.2} times the sparse product",
            "",
            own.as_secs_f64() / sparse.as_secs_f64()
        );
    }
    Ok(())
}

/// Shares whole planes out among threads.
fn on_threads(
    threads: usize,
    source: &[f32],
    plane: usize,
    target: &mut [f32],
    targets: usize,
    work: impl Fn(&[f32], &mut [f32]) + Sync,
) {
    let planes = (source.len() / plane).div_ceil(threads);
    std::thread::scope(|scope| {
        for (source, target) in source
            .chunks(planes * plane)
            .zip(target.chunks_mut(planes * targets))
        {
            let work = &work;
            scope.spawn(move || work(source, target));
        }
    });
}

/// The product of the matrix from cell to cell with one plane.
fn product(matrix: &SparseWeights, plane: &[f32], out: &mut [f32]) {
    for (target, out) in out.iter_mut().enumerate() {
        let row = matrix.row(target).iter();
        *out = row
            .map(|(cell, weight)| weight * f64::from(plane[cell]))
            .sum::<f64>() as f32;
    }
}

fn same(a: &[f32], b: &[f32]) -> bool {
    a.iter()
        .zip(b)
        .all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}
