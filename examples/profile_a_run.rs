//! Where does the time of a run go, and how much memory does it take?
//!
//! ```text
//! cargo run --release -p examples --example profile_a_run
//! ```
//! Prints a report; writes `profile.html` (open it in a browser), `profile.json` (for Perfetto) and `profile.svg` (the graph, coloured
//! by measured time) beside where it runs.

use delayed::{Colour, Delayed, Graph, Profile, Run, apply, delayed};

/// Some work on a vector, the longer the larger `rounds`.
fn smooth(cells: &[f64], rounds: usize) -> Vec<f64> {
    let mut cells = cells.to_vec();
    for _ in 0..rounds {
        for i in 1..cells.len() {
            cells[i] = 0.5 * (cells[i] + cells[i - 1]);
        }
    }
    cells
}

fn main() -> Result<(), delayed::Error> {
    const CELLS: usize = 50_000;
    const BYTES: u64 = 8 * CELLS as u64;
    let ends: Vec<Delayed<f64>> = (0..12)
        .map(|i| {
            let read = delayed(move || vec![i as f64; CELLS])
                .named(("read", i))
                .group("read")
                .bytes(BYTES);
            let smoothed = read
                .map(move |c| smooth(c, 5 + i))
                .named(("smooth", i))
                .group("smooth")
                .bytes(BYTES);
            smoothed
                .map(|c| c.iter().sum::<f64>())
                .named(("sum", i))
                .group("sum")
                .bytes(8)
        })
        .collect();
    let total = apply(&ends, |ends| ends.into_iter().sum::<f64>()).named("total");

    let profile = Profile::new();
    let total_value = Run::new().observe(profile.clone()).compute(&total)?;
    println!("total {total_value}");
    if let Some(report) = profile.report() {
        print!("{report}");
        println!("critical path: {}", report.critical_path.0.join(", "));
    }
    profile.write_html("profile.html")?;
    profile.write_trace("profile.json")?;
    Graph::of(&total)
        .svg()
        .colour(Colour::Time(profile))
        .write("profile.svg")
}
