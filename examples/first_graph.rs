//! How do I go from a function to a graph that runs in parallel?
//!
//! ```text
//! cargo run -p examples --example first_graph
//! ```
//! Writes `first_graph.svg` beside where it runs.

use delayed::{Delayed, Graph, ProgressBar, Run, apply, delayed};

/// Work: pretends to read one chunk of a field.
fn read(chunk: usize) -> Vec<f64> {
    (0..100_000)
        .map(|cell| ((chunk * 100_000 + cell) as f64).sin())
        .collect()
}

/// Work: the sum and the number of the cells above zero.
fn above_zero(cells: &[f64]) -> (f64, usize) {
    cells
        .iter()
        .filter(|cell| **cell > 0.0)
        .fold((0.0, 0), |(sum, count), cell| (sum + cell, count + 1))
}

fn main() -> Result<(), delayed::Error> {
    // What to do is decided here and now: eight chunks, each read and summed up, then the mean of all.
    let chunks: Vec<Delayed<Vec<f64>>> = (0..8)
        .map(|i| {
            delayed(move || read(i))
                .named(("read", i))
                .group("input")
                .bytes(800_000)
        })
        .collect();
    let sums: Vec<Delayed<(f64, usize)>> = chunks
        .iter()
        .enumerate()
        .map(|(i, chunk)| chunk.map(|c| above_zero(c)).named(("sum", i)))
        .collect();
    let mean = apply(&sums, |sums| {
        let (sum, count) = sums.into_iter().fold((0.0, 0), |(sum, count), part| {
            (sum + part.0, count + part.1)
        });
        sum / count as f64
    })
    .named("mean");

    // Nothing has run yet: the graph can be looked at.
    let graph = Graph::of(&mean);
    print!("{}", graph.explain());
    for advice in graph.lint() {
        println!("note: {advice}");
    }
    graph.write_svg("first_graph.svg")?;

    let mean = Run::new().observe(ProgressBar::stderr()).compute(&mean)?;
    println!("mean of what is above zero: {mean:.4}");
    Ok(())
}
