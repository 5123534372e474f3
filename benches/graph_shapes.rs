//! How many values are alive at once? Peaks of the shapes that matter, on 1 and 2 threads, and what the order costs.
//!
//! ```text
//! cargo bench -p benches --bench graph_shapes
//! ```
//! Every task makes a value of 1 MB and reads its inputs'. Outputs that only end a pipeline are not counted, nor are known values. The
//! peak on 2 threads depends on timing: the median and the worst of several runs are shown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};

use delayed::{Delayed, Graph, Run, apply, delayed};

/// Counts the values that are alive, and the most that ever were.
#[derive(Clone, Default)]
struct Census(Arc<(AtomicUsize, AtomicUsize)>);

/// A megabyte that is counted while it lives.
struct Megabyte {
    census: Census,
    data: Vec<u64>,
}

impl Census {
    fn make(&self, seed: u64) -> Megabyte {
        let alive = self.0.0.fetch_add(1, SeqCst) + 1;
        self.0.1.fetch_max(alive, SeqCst);
        Megabyte {
            census: self.clone(),
            data: vec![seed; 1 << 17],
        }
    }
}

impl Drop for Megabyte {
    fn drop(&mut self) {
        self.census.0.0.fetch_sub(1, SeqCst);
    }
}

type Value = Delayed<Megabyte>;

fn load(census: &Census) -> Value {
    let census = census.clone();
    delayed(move || census.make(1))
}

fn join<'a>(inputs: impl IntoIterator<Item = &'a Value>) -> Value {
    let inputs: Vec<&Value> = inputs.into_iter().collect();
    apply(inputs, |inputs| {
        let sum = inputs
            .iter()
            .map(|input| input.data[input.data.len() / 2])
            .fold(0, u64::wrapping_add);
        inputs[0].census.make(sum)
    })
}

fn tree(mut level: Vec<Value>) -> Value {
    while level.len() > 1 {
        level = level.chunks(2).map(join).collect();
    }
    level.pop().expect("a tree has leaves")
}

/// An end that keeps nothing.
fn end(value: &Value) -> Delayed<u64> {
    value.map(|value| value.data[0])
}

fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut random = 7_u64;
    for last in (1..n).rev() {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        order.swap(last, (random >> 33) as usize % (last + 1));
    }
    order
}

fn fan_tree(census: &Census) -> Vec<Delayed<u64>> {
    let source = load(census);
    vec![end(&tree((0..512).map(|_| join([&source])).collect()))]
}

fn pipelines(census: &Census) -> Vec<Delayed<u64>> {
    let loads: Vec<Value> = (0..400).map(|_| load(census)).collect();
    let steps: Vec<Value> = loads.iter().map(|load| join([load])).collect();
    steps.iter().map(end).collect()
}

fn regrid(census: &Census, order: &[usize]) -> Vec<Delayed<u64>> {
    let weights = load(census);
    let mut loads: Vec<Option<Value>> = order.iter().map(|_| None).collect();
    for place in order {
        loads[*place] = Some(load(census));
    }
    let chunks: Vec<Value> = loads
        .iter()
        .flatten()
        .map(|load| join([load, &weights]))
        .collect();
    vec![end(&tree(
        chunks
            .chunks(128)
            .map(|field| tree(field.to_vec()))
            .collect(),
    ))]
}

fn accumulations(census: &Census) -> Vec<Delayed<u64>> {
    let loads: Vec<(usize, Value)> = shuffled(8 * 48)
        .into_iter()
        .map(|place| (place, load(census)))
        .collect();
    let mut sums: Vec<Option<Value>> = (0..8).map(|_| None).collect();
    for (place, load) in &loads {
        let sum = &mut sums[place % 8];
        *sum = Some(match sum {
            None => join([load]),
            Some(before) => join([load, &*before]),
        });
    }
    vec![end(&join(sums.iter().flatten()))]
}

fn stencil(census: &Census) -> Vec<Delayed<u64>> {
    let mut layer: Vec<Value> = (0..20).map(|_| load(census)).collect();
    for _ in 1..50 {
        layer = (0..20_usize)
            .map(|at| join(&layer[at.saturating_sub(1)..(at + 2).min(20)]))
            .collect();
    }
    layer.iter().map(end).collect()
}

/// How often each shape runs.
const RUNS: usize = 15;

fn main() {
    type Build = fn(&Census) -> Vec<Delayed<u64>>;
    // Name, graph, and what the peak should not exceed on 1 and 2 threads.
    let shapes: [(&str, Build, [usize; 2]); 6] = [
        ("fan 512 + tree", fan_tree, [11, 17]),
        ("400 pipelines", pipelines, [2, 4]),
        (
            "3 x 128 regrid + tree",
            |census| regrid(census, &(0..384).collect::<Vec<_>>()),
            [12, 14],
        ),
        (
            "the same, shuffled",
            |census| regrid(census, &shuffled(384)),
            [12, 14],
        ),
        ("8 accumulations of 48", accumulations, [10, 14]),
        ("stencil 20 x 50", stencil, [40, 45]),
    ];
    println!(
        "{:22} {:>6} {:>16} {:>16} {:>12} {:>12}",
        "graph", "tasks", "1 thread", "2 threads", "us/task 1", "us/task 2"
    );
    for (name, build, most) in shapes {
        let mut peaks: [Vec<usize>; 2] = Default::default();
        let mut best = [f64::INFINITY; 2];
        let mut tasks = 0;
        for _ in 0..RUNS {
            for threads in [1, 2] {
                let census = Census::default();
                let outputs = build(&census);
                tasks = Graph::of(&outputs).tasks();
                let start = Instant::now();
                Run::new().threads(threads).compute(&outputs).unwrap();
                best[threads - 1] =
                    best[threads - 1].min(start.elapsed().as_secs_f64() * 1e6 / tasks as f64);
                assert_eq!(census.0.0.load(SeqCst), 0, "every value is dropped");
                peaks[threads - 1].push(census.0.1.load(SeqCst));
            }
        }
        peaks.iter_mut().for_each(|peaks| peaks.sort_unstable());
        let shown = |threads: usize| {
            let (median, worst) = (peaks[threads][RUNS / 2], peaks[threads][RUNS - 1]);
            format!("{median} - {worst} (<= {})", most[threads])
        };
        println!(
            "{name:22} {tasks:>6} {:>16} {:>16} {:>12.1} {:>12.1}",
            shown(0),
            shown(1),
            best[0],
            best[1]
        );
    }
}
