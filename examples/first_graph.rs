//! How does a graph come about, and when is anything computed?
//!
//! `cargo run --release --example first_graph`

use delayed::{Graph, apply, delayed};

fn main() -> Result<(), delayed::Error> {
    let morning = delayed(|| vec![281.5, 280.0, 284.5]).named("read 06:00");
    let evening = delayed(|| vec![286.0, 283.5, 287.5]).named("read 18:00");
    let warmer = apply((&morning, &evening), |(m, e)| e[0] - m[0]).named("difference");
    let celsius = morning.map(|field| field[0] - 273.15).named("convert");
    let (warmer, celsius_now) = delayed::compute((&warmer, &celsius))?;

    println!("It was {celsius_now:.2} degrees in the morning and got {warmer} warmer.");
    println!("\nWhat `celsius` alone needs, as DOT text:\n");
    print!("{}", Graph::of(&celsius).dot());
    Ok(())
}
