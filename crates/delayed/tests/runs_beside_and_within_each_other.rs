//! Several runs may go on at once, from several threads and from within tasks, and long graphs need no deep stack.

use std::thread;

use delayed::{Delayed, Run, apply, compute, delayed};

fn tree(leaves: u64) -> Delayed<u64> {
    let mut level: Vec<_> = (0..leaves).map(|i| delayed(move || i)).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| apply(pair, |pair| pair.into_iter().sum()))
            .collect();
    }
    level.pop().unwrap()
}

#[test]
fn runs_of_one_graph_from_several_threads_at_once() {
    let tree = tree(1000);
    thread::scope(|scope| {
        for threads in 1..=6 {
            let tree = &tree;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(Run::new().threads(threads).compute(tree).unwrap(), 499_500);
                }
            });
        }
    });
}

#[test]
fn a_task_may_compute_to_any_depth() {
    fn nested(depth: u64) -> u64 {
        let parts: Vec<_> = (0..3)
            .map(|i| delayed(move || if depth == 0 { i } else { nested(depth - 1) }))
            .collect();
        Run::new()
            .threads(3)
            .compute(&parts)
            .unwrap()
            .into_iter()
            .sum()
    }
    assert_eq!(nested(5), 729);
}

#[test]
fn many_small_runs_neither_hang_nor_lose_a_task() {
    for round in 0..3000_u64 {
        let parts: Vec<_> = (0..round % 7 + 1).map(|i| delayed(move || i)).collect();
        let sum = apply(&parts, |parts| parts.into_iter().sum::<u64>());
        assert_eq!(
            Run::new().threads(3).compute(&sum).unwrap(),
            (0..round % 7 + 1).sum()
        );
    }
}

#[test]
fn a_chain_of_a_million_tasks_is_built_drawn_run_and_dropped() {
    let mut last = delayed(|| 0_u64);
    for _ in 0..1_000_000 {
        last = last.map(|x| x + 1);
    }
    assert_eq!(last.compute().unwrap(), 1_000_000);
    // Two seconds where code is optimised, most of a minute where it is not.
    if !cfg!(debug_assertions) {
        let picture = delayed::Graph::of(&last).svg().to_string();
        assert!(picture.contains(" x 1000000</text>") && picture.len() < 10_000);
    }
}

#[test]
fn a_graph_of_a_million_tasks_is_built_drawn_run_and_dropped() {
    // A third are loads, a third steps that share one more task, a third a tree over the steps.
    let shared = delayed(|| 1_u64).named("shared");
    let mut level: Vec<_> = (0..333_334_u64)
        .map(|i| {
            let load = delayed(move || i).group("load");
            apply((&load, &shared), |(load, shared)| load + shared).group("step")
        })
        .collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| apply(pair, |pair| pair.into_iter().sum::<u64>()).group("join"))
            .collect();
    }
    let total = level.pop().unwrap();
    drop(shared);
    let right = 333_334 * 333_333 / 2 + 333_334;
    for threads in [1, 2] {
        assert_eq!(Run::new().threads(threads).compute(&total).unwrap(), right);
    }
    if !cfg!(debug_assertions) {
        let picture = delayed::Graph::of(&total).svg().to_string();
        assert!(picture.contains(" x 333334</text>") && picture.len() < 20_000);
    }
}

#[test]
fn outputs_come_back_in_their_shape() {
    use std::collections::{BTreeMap, HashMap};
    let one = |x: u32| delayed(move || x);
    let map: BTreeMap<&str, _> = [("a", one(1)), ("b", one(2))].into();
    let hash: HashMap<u8, _> = [(1, one(1)), (2, one(2))].into();
    let ((a, none), array, map, hash) =
        compute(((one(7), None::<Delayed<()>>), [one(1), one(2)], map, hash)).unwrap();
    assert_eq!((a, none, array), (7, None, [1, 2]));
    assert_eq!(map, [("a", 1), ("b", 2)].into());
    assert_eq!(hash, [(1, 1), (2, 2)].into());
    compute(()).unwrap();
}

#[test]
fn inputs_are_seen_in_their_shape() {
    use std::collections::{BTreeMap, HashMap};
    let one = |x: u32| delayed(move || x);
    let map: BTreeMap<&str, _> = [("a", one(1)), ("b", one(2))].into();
    let hash: HashMap<u8, _> = [(1, one(1)), (2, one(2))].into();
    let seen = apply(
        (
            map,
            hash,
            [Some(one(5)), None],
            (one(6), vec![vec![one(8)], vec![]]),
        ),
        |(map, hash, options, (six, nested))| {
            assert_eq!(map, [(&"a", &1), (&"b", &2)].into());
            assert_eq!(hash, [(&1, &1), (&2, &2)].into());
            assert_eq!(options, [Some(&5), None]);
            assert_eq!(nested, [vec![&8], vec![]]);
            *six
        },
    );
    assert_eq!(seen.compute().unwrap(), 6);
}
