//! Times a function a few times over and prints what is typical and how far it spreads.

use std::time::{Duration, Instant};

/// Runs `work` once to warm up and `runs` times with the clock; prints the median, the fastest and the slowest time, and
/// the rate at which `bytes` of output come out.
///
/// # Panics
/// If there is not a single run.
pub fn time(name: &str, runs: usize, bytes: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let [fastest, median, slowest] = [0, runs / 2, runs - 1].map(|i| times[i]);
    let rate = bytes as f64 / median.as_secs_f64() / 1e9;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<44} {:>9.2} ms ({:.2} to {:.2}) {rate:>7.3} GB/s of output",
        ms(median),
        ms(fastest),
        ms(slowest)
    );
    median
}
