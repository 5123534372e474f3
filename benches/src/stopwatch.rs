//! Times functions a few times over: one by itself, printing what is typical and how far it spreads, or several in turns.

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

/// Runs each of some works once to warm up and `runs` times with the clock, in turns, so that what else the machine does falls on all
/// alike; gives the median and the fastest time of each.
///
/// # Panics
/// If there is not a single run.
pub fn in_turns(runs: usize, works: &mut [Box<dyn FnMut() + '_>]) -> Vec<[Duration; 2]> {
    let mut times = vec![Vec::new(); works.len()];
    for turn in 0..=runs {
        for (work, times) in works.iter_mut().zip(&mut times) {
            let start = Instant::now();
            work();
            if turn > 0 {
                times.push(start.elapsed());
            }
        }
    }
    let typical = |mut times: Vec<Duration>| {
        times.sort_unstable();
        [times[runs / 2], times[0]]
    };
    times.into_iter().map(typical).collect()
}
