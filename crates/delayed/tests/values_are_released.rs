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

#[test]
fn the_last_dependent_gets_the_value_itself() {
    for threads in [1, 2] {
        let alone = delayed(|| vec![0_u8; 100]);
        let kept = alone.map_owned(|v| (v.as_ptr() as usize, v));
        let (pointer, v) = Run::new().threads(threads).compute(&kept).unwrap();
        assert_eq!(pointer, v.as_ptr() as usize);
    }
}
