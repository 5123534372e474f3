//! How much does a task cost? Nanoseconds per task for six graphs, beside a rayon scope with counters made by hand.
//!
//! ```text
//! cargo bench -p benches --bench task_overhead [-- GRAPH...] [--body 0|1|20]... [--repetitions N]
//! ```
//! Every task adds up what it reads, does some work of a given length and passes a `u64` on. Each peer builds the graph and runs it,
//! a few times in turn; the answers are checked before anything is timed. `freeze` is numbering the tasks and counting their dependents
//! (rayon's `build` includes it; one thread needs no dependents), `run` is from the first task to the last, `sum` all three. Rayon passes no values, releases nothing and reports no errors.

use std::{
    env,
    hint::black_box,
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
            Ordering::Release,
        },
    },
    time::{Duration, Instant},
};

use delayed::{Delayed, Observer, Run, RunEnd, RunView, apply, delayed};

/// A graph as lists: what each task reads, and the tasks that are wanted.
struct Shape {
    name: &'static str,
    /// The inputs of all tasks one after another, and where those of each start.
    inputs: Vec<u32>,
    first: Vec<u32>,
    outputs: Vec<u32>,
}

impl Shape {
    fn new(name: &'static str) -> Self {
        Shape {
            name,
            inputs: Vec::new(),
            first: vec![0],
            outputs: Vec::new(),
        }
    }

    fn task(&mut self, inputs: impl IntoIterator<Item = u32>) -> u32 {
        self.inputs.extend(inputs);
        self.first.push(self.inputs.len() as u32);
        self.len() as u32 - 1
    }

    fn len(&self) -> usize {
        self.first.len() - 1
    }

    fn inputs(&self, task: usize) -> &[u32] {
        &self.inputs[self.first[task] as usize..self.first[task + 1] as usize]
    }

    /// The outputs of a plain loop over the tasks.
    fn answer(&self) -> Vec<u64> {
        let mut values: Vec<u64> = Vec::with_capacity(self.len());
        for task in 0..self.len() {
            values.push(sum(self
                .inputs(task)
                .iter()
                .map(|input| values[*input as usize])));
        }
        self.outputs
            .iter()
            .map(|output| values[*output as usize])
            .collect()
    }
}

fn chain() -> Shape {
    let mut shape = Shape::new("chain");
    let mut last = shape.task([]);
    for _ in 1..100_000 {
        last = shape.task([last]);
    }
    shape.outputs.push(last);
    shape
}

fn fan_tree() -> Shape {
    let mut shape = Shape::new("fan-tree");
    let source = shape.task([]);
    let mut level: Vec<u32> = (0..100_000).map(|_| shape.task([source])).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| shape.task(pair.iter().copied()))
            .collect();
    }
    shape.outputs = level;
    shape
}

fn wavefront() -> Shape {
    let mut shape = Shape::new("wavefront");
    let side = 300_u32;
    for row in 0..side {
        for column in 0..side {
            let up = (row > 0).then(|| (row - 1) * side + column);
            let left = (column > 0).then(|| row * side + column - 1);
            shape.task(up.into_iter().chain(left));
        }
    }
    shape.outputs.push(side * side - 1);
    shape
}

fn layered() -> Shape {
    let mut shape = Shape::new("layered");
    let mut random = 42_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) as u32 % 1000
    };
    let mut previous: Vec<u32> = (0..1000).map(|_| shape.task([])).collect();
    for _ in 1..100 {
        previous = (0..1000)
            .map(|_| shape.task([next(), next(), next()].map(|i| previous[i as usize])))
            .collect();
    }
    shape.outputs = previous;
    shape
}

fn pipelines() -> Shape {
    let mut shape = Shape::new("pipelines");
    let mut stage: Vec<u32> = (0..50_000).map(|_| shape.task([])).collect();
    for _ in 1..3 {
        stage = stage.iter().map(|task| shape.task([*task])).collect();
    }
    shape.outputs = stage;
    shape
}

fn regrid() -> Shape {
    let mut shape = Shape::new("regrid");
    let weights = shape.task([]);
    let mut joined = Vec::new();
    for _ in 0..3 {
        let loads: Vec<u32> = (0..1000).map(|_| shape.task([])).collect();
        let chunks: Vec<u32> = loads
            .iter()
            .map(|load| shape.task([*load, weights]))
            .collect();
        joined.push(shape.task(chunks));
    }
    let all = shape.task(joined);
    shape.outputs.push(all);
    shape
}

fn sum(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(1, u64::wrapping_add)
}

/// Rounds of arithmetic that a body does besides its sum.
static ROUNDS: AtomicU64 = AtomicU64::new(0);

#[inline]
fn work(value: u64) -> u64 {
    let rounds = ROUNDS.load(Relaxed);
    if rounds > 0 {
        let mut x = value | 1;
        for _ in 0..rounds {
            x = black_box(x.wrapping_mul(6364136223846793005) ^ (x >> 7));
        }
        black_box(x);
    }
    value
}

/// How many rounds take `time`.
fn calibrate(time: Duration) -> u64 {
    if time.is_zero() {
        return 0;
    }
    ROUNDS.store(1_000_000, Relaxed);
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            work(1);
            start.elapsed()
        })
        .min();
    (1e6 * time.as_secs_f64() / best.unwrap_or(time).as_secs_f64()) as u64
}

/// What one build and run took.
#[derive(Clone, Copy)]
struct Times {
    build: Duration,
    freeze: Duration,
    run: Duration,
    drop: Duration,
}

/// Sees when the first task may start and when the last has ended, and nothing between.
#[derive(Default)]
struct Span(Mutex<[Option<Instant>; 2]>);

impl Observer for Span {
    fn watches_tasks(&self) -> bool {
        false
    }
    fn run_started(&self, _: &RunView<'_>) {
        self.0.lock().unwrap()[0] = Some(Instant::now());
    }
    fn run_finished(&self, _: RunEnd) {
        self.0.lock().unwrap()[1] = Some(Instant::now());
    }
}

fn ours(shape: &Shape, threads: usize) -> (Vec<u64>, Times) {
    let span = Arc::new(Span::default());
    let run = Run::new().threads(threads).observe(span.clone());
    let start = Instant::now();
    let mut tasks: Vec<Delayed<u64>> = Vec::with_capacity(shape.len());
    for task in 0..shape.len() {
        let made = match shape.inputs(task) {
            [] => delayed(|| work(1)),
            [a] => tasks[*a as usize].map(|a| work(sum([*a]))),
            [a, b] => apply((&tasks[*a as usize], &tasks[*b as usize]), |(a, b)| {
                work(sum([*a, *b]))
            }),
            [a, b, c] => apply(
                (
                    &tasks[*a as usize],
                    &tasks[*b as usize],
                    &tasks[*c as usize],
                ),
                |(a, b, c)| work(sum([*a, *b, *c])),
            ),
            many => {
                let many: Vec<_> = many.iter().map(|input| &tasks[*input as usize]).collect();
                apply(many, |many| work(sum(many.into_iter().copied())))
            }
        };
        tasks.push(made);
    }
    let outputs: Vec<&Delayed<u64>> = shape
        .outputs
        .iter()
        .map(|output| &tasks[*output as usize])
        .collect();
    let built = Instant::now();
    let values = run.compute(&outputs).unwrap();
    let [first, last] = span.0.lock().unwrap().map(Option::unwrap);
    drop(outputs);
    let before = Instant::now();
    drop(tasks);
    (
        values,
        Times {
            build: built - start,
            freeze: first - built,
            run: last - first,
            drop: before.elapsed(),
        },
    )
}

/// The rival: counters and slots made by hand, the first ready dependent runs inline, the others are spawned.
struct ByHand<'s> {
    shape: &'s Shape,
    pending: Vec<AtomicU32>,
    values: Vec<AtomicU64>,
    dependents: Vec<u32>,
    first: Vec<u32>,
}

impl<'s> ByHand<'s> {
    fn new(shape: &'s Shape) -> Self {
        let mut first = vec![0_u32; shape.len() + 2];
        for input in &shape.inputs {
            first[*input as usize + 2] += 1;
        }
        for task in 2..first.len() {
            first[task] += first[task - 1];
        }
        let mut dependents = vec![0; shape.inputs.len()];
        for task in 0..shape.len() {
            for input in shape.inputs(task) {
                dependents[first[*input as usize + 1] as usize] = task as u32;
                first[*input as usize + 1] += 1;
            }
        }
        ByHand {
            shape,
            pending: (0..shape.len())
                .map(|task| AtomicU32::new(shape.inputs(task).len() as u32))
                .collect(),
            values: (0..shape.len()).map(|_| AtomicU64::new(0)).collect(),
            dependents,
            first,
        }
    }

    fn run<'a>(&'a self, scope: &rayon::Scope<'a>, mut task: u32) {
        loop {
            let inputs = self.shape.inputs(task as usize).iter();
            let value = work(sum(
                inputs.map(|input| self.values[*input as usize].load(Acquire))
            ));
            self.values[task as usize].store(value, Release);
            let mut next = None;
            let range = self.first[task as usize] as usize..self.first[task as usize + 1] as usize;
            for dependent in &self.dependents[range] {
                if self.pending[*dependent as usize].fetch_sub(1, AcqRel) == 1 {
                    if next.is_none() {
                        next = Some(*dependent);
                    } else {
                        scope.spawn(move |scope| self.run(scope, *dependent));
                    }
                }
            }
            match next {
                Some(next) => task = next,
                None => return,
            }
        }
    }
}

fn rayon_scope(shape: &Shape, pool: &rayon::ThreadPool) -> (Vec<u64>, Times) {
    let start = Instant::now();
    let by_hand = ByHand::new(shape);
    let first = Instant::now();
    pool.scope(|scope| {
        let by_hand = &by_hand;
        for task in 0..shape.len() {
            if shape.inputs(task).is_empty() {
                scope.spawn(move |scope| by_hand.run(scope, task as u32));
            }
        }
    });
    let last = Instant::now();
    let values = shape
        .outputs
        .iter()
        .map(|output| by_hand.values[*output as usize].load(Relaxed))
        .collect();
    (
        values,
        Times {
            build: first - start,
            freeze: Duration::ZERO,
            run: last - first,
            drop: Duration::ZERO,
        },
    )
}

/// The best of several repetitions, part by part: what is left when nothing else runs on the machine.
fn best(times: Vec<Times>) -> Times {
    let best = |of: fn(&Times) -> Duration| times.iter().map(of).min().unwrap_or_default();
    Times {
        build: best(|t| t.build),
        freeze: best(|t| t.freeze),
        run: best(|t| t.run),
        drop: best(|t| t.drop),
    }
}

fn main() {
    let mut names = Vec::new();
    let mut bodies = Vec::new();
    let mut wanted: Option<u32> = None;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--body" => bodies.push(
                arguments
                    .next()
                    .and_then(|us| us.parse().ok())
                    .expect("--body wants microseconds"),
            ),
            "--repetitions" => {
                wanted = arguments.next().and_then(|n| n.parse().ok());
                assert!(wanted.is_some(), "--repetitions wants a number");
            }
            name => names.push(name.to_string()),
        }
    }
    if bodies.is_empty() {
        bodies = vec![0_u64, 1, 20];
    }
    let pools: Vec<rayon::ThreadPool> = [1, 2]
        .into_iter()
        .map(|threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
        })
        .collect();
    let shapes = [
        chain(),
        fan_tree(),
        wavefront(),
        layered(),
        pipelines(),
        regrid(),
    ];
    for body in bodies {
        let repetitions = wanted.unwrap_or(match body {
            0 => 15,
            1 => 5,
            _ => 3,
        });
        println!("body {body} us; ns per task, best of {repetitions}");
        println!(
            "{:10} {:>46}   {:>27}",
            "", "delayed, 1 thread, and 2 threads", "rayon scope, 1 / 2 threads"
        );
        println!(
            "{:10} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>4}   {:>6} {:>6} {:>6} {:>6}",
            "graph",
            "build",
            "freeze",
            "run 1",
            "sum 1",
            "frz 2",
            "run 2",
            "drop",
            "build",
            "run 1",
            "sum 1",
            "run 2"
        );
        for shape in shapes
            .iter()
            .filter(|shape| names.is_empty() || names.iter().any(|name| name == shape.name))
        {
            ROUNDS.store(0, Relaxed);
            let answer = shape.answer();
            for threads in [1, 2] {
                assert_eq!(
                    ours(shape, threads).0,
                    answer,
                    "{} on {threads} threads",
                    shape.name
                );
                assert_eq!(
                    rayon_scope(shape, &pools[threads - 1]).0,
                    answer,
                    "{} on {threads} threads",
                    shape.name
                );
            }
            let rounds = calibrate(Duration::from_micros(body));
            ROUNDS.store(rounds, Relaxed);
            let mut times: [Vec<Times>; 4] = Default::default();
            for _ in 0..repetitions {
                times[0].push(ours(shape, 1).1);
                times[1].push(ours(shape, 2).1);
                times[2].push(rayon_scope(shape, &pools[0]).1);
                times[3].push(rayon_scope(shape, &pools[1]).1);
            }
            let [one, two, rival_one, rival_two] = times.map(best);
            let per_task = |time: Duration| time.as_nanos() as f64 / shape.len() as f64;
            println!(
                "{:10} {:6.0} {:6.0} {:6.0} {:6.0} {:6.0} {:6.0} {:4.0}   {:6.0} {:6.0} {:6.0} {:6.0}",
                shape.name,
                per_task(one.build),
                per_task(one.freeze),
                per_task(one.run),
                per_task(one.build + one.freeze + one.run),
                per_task(two.freeze),
                per_task(two.run),
                per_task(one.drop),
                per_task(rival_one.build),
                per_task(rival_one.run),
                per_task(rival_one.build + rival_one.run),
                per_task(rival_two.run),
            );
        }
    }
}
