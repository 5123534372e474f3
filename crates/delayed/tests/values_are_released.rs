//! A value is dropped as soon as its last dependent has run, so few are alive at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use delayed::{Delayed, Run, apply, delayed};

/// Counts the values that are alive, and the most that ever were.
#[derive(Clone, Default)]
struct Census(Arc<(AtomicUsize, AtomicUsize)>);

/// A value that is counted while it lives.
struct Counted(Census);

impl Census {
    fn born(&self) -> Counted {
        let alive = self.0.0.fetch_add(1, SeqCst) + 1;
        self.0.1.fetch_max(alive, SeqCst);
        Counted(self.clone())
    }

    fn alive(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    fn peak(&self) -> usize {
        self.0.1.load(SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, SeqCst);
    }
}

fn source(census: &Census) -> Delayed<Counted> {
    let census = census.clone();
    delayed(move || census.born())
}

fn step(input: &Delayed<Counted>) -> Delayed<Counted> {
    input.map(|input| input.0.born())
}

fn join(inputs: &[Delayed<Counted>]) -> Delayed<Counted> {
    apply(inputs, |inputs| inputs[0].0.born())
}

fn tree(mut level: Vec<Delayed<Counted>>) -> Delayed<Counted> {
    while level.len() > 1 {
        level = level.chunks(2).map(join).collect();
    }
    level.pop().unwrap()
}

/// The peak of a run; nothing is left alive but the outputs.
fn peak(census: Census, outputs: Vec<Delayed<Counted>>, threads: usize) -> usize {
    let values = Run::new().threads(threads).compute(&outputs).unwrap();
    assert_eq!(census.alive(), values.len());
    drop(values);
    assert_eq!(census.alive(), 0);
    census.peak()
}

#[test]
fn a_chain_keeps_two_values() {
    for threads in [1, 2, 4] {
        let census = Census::default();
        let mut last = source(&census);
        for _ in 0..100 {
            last = step(&last);
        }
        assert_eq!(peak(census, vec![last], threads), 2);
    }
}

#[test]
fn a_fan_with_a_tree_keeps_one_value_for_each_level() {
    // source -> 512 -> tree: the source, one partial sum for each of 9 levels, and the value being made.
    let build = |census: &Census| {
        let source = source(census);
        tree((0..512).map(|_| step(&source)).collect())
    };
    let census = Census::default();
    let output = build(&census);
    assert_eq!(peak(census, vec![output], 1), 11);
    let census = Census::default();
    let output = build(&census);
    assert!(peak(census, vec![output], 2) <= 22);
}

#[test]
fn pipelines_are_finished_one_after_another() {
    // 400 times source -> step -> sink, where a sink keeps nothing.
    let build = |census: &Census| -> Vec<Delayed<()>> {
        let sources: Vec<_> = (0..400).map(|_| source(census)).collect();
        let steps: Vec<_> = sources.iter().map(step).collect();
        steps.iter().map(|step| step.map(|_| ())).collect()
    };
    for (threads, most) in [(1, 2), (2, 4), (4, 8)] {
        let census = Census::default();
        let outputs = build(&census);
        Run::new().threads(threads).compute(&outputs).unwrap();
        assert!(
            census.peak() <= most,
            "{} on {threads} threads",
            census.peak()
        );
        assert_eq!(census.alive(), 0);
    }
}

/// The numbers below `n` in an order that has nothing to do with what they stand for.
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

/// 3 fields of 128 chunks, each loaded and regridded, joined by a tree; the tasks are created in the order of `order`.
fn regrid_with_tree(census: &Census, order: &[usize]) -> Delayed<Counted> {
    let weights = source(census);
    let mut loads: Vec<Option<Delayed<Counted>>> = (0..order.len()).map(|_| None).collect();
    for place in order {
        loads[*place] = Some(source(census));
    }
    let chunks: Vec<_> = loads
        .iter()
        .map(|load| {
            apply((load.as_ref().unwrap(), &weights), |(load, _)| {
                load.0.born()
            })
        })
        .collect();
    tree(
        chunks
            .chunks(128)
            .map(|field| tree(field.to_vec()))
            .collect(),
    )
}

#[test]
fn a_regrid_with_a_tree_keeps_one_value_for_each_level_however_it_was_created() {
    for order in [(0..384).collect(), shuffled(384)] {
        let census = Census::default();
        let output = regrid_with_tree(&census, &order);
        assert!(
            peak(census.clone(), vec![output], 1) <= 12,
            "{}",
            census.peak()
        );
    }
}

/// 8 sums of 48 loads each, one load added after the other; a load stands first among the inputs, and they are shuffled.
#[test]
fn accumulation_chains_load_one_value_at_a_time() {
    let census = Census::default();
    let loads: Vec<_> = shuffled(8 * 48)
        .into_iter()
        .map(|place| (place, source(&census)))
        .collect();
    let mut sums: Vec<Option<Delayed<Counted>>> = (0..8).map(|_| None).collect();
    for (place, load) in &loads {
        let sum = &mut sums[place % 8];
        *sum = Some(match sum {
            None => step(load),
            Some(before) => apply((load, &*before), |(load, _)| load.0.born()),
        });
    }
    let sums: Vec<_> = sums.into_iter().flatten().collect();
    let output = join(&sums);
    drop((loads, sums));
    assert!(
        peak(census.clone(), vec![output], 1) <= 10,
        "{}",
        census.peak()
    );
}

/// 50 layers of 20, each task reads its three neighbours in the layer before.
#[test]
fn a_stencil_keeps_two_layers() {
    let census = Census::default();
    let mut layer: Vec<_> = (0..20).map(|_| source(&census)).collect();
    for _ in 1..50 {
        layer = (0..20_usize)
            .map(|at| join(&layer[at.saturating_sub(1)..(at + 2).min(20)]))
            .collect();
    }
    let output = join(&layer);
    drop(layer);
    assert!(
        peak(census.clone(), vec![output], 1) <= 40,
        "{}",
        census.peak()
    );
}

#[test]
fn the_last_dependent_gets_the_value_itself() {
    for threads in [1, 2] {
        let alone = delayed(|| vec![0_u8; 100]);
        let kept = alone.map_owned(|v| (v.as_ptr() as usize, v));
        let (pointer, v) = Run::new().threads(threads).compute(&kept).unwrap();
        assert_eq!(pointer, v.as_ptr() as usize);
    }
}
