//! Any graph, on any number of threads, gives what plain evaluation in the order of creation gives.

use delayed::{Delayed, Run, Scheduler, apply, delayed, own, value};
use proptest::prelude::*;

/// How one node is made from nodes before it, chosen by `place % earlier`.
#[derive(Debug, Clone)]
enum Step {
    Root(u64),
    Value(u64),
    Map(usize),
    MapOwned(usize),
    Pair(usize, usize),
    Own(usize, usize),
    Many(Vec<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u64>().prop_map(Step::Root),
        any::<u64>().prop_map(Step::Value),
        any::<usize>().prop_map(Step::Map),
        any::<usize>().prop_map(Step::MapOwned),
        any::<(usize, usize)>().prop_map(|(a, b)| Step::Pair(a, b)),
        any::<(usize, usize)>().prop_map(|(a, b)| Step::Own(a, b)),
        prop::collection::vec(any::<usize>(), 0..6).prop_map(Step::Many),
    ]
}

/// A value that needs dropping, so that releases are exercised.
type Number = Box<u64>;

fn mix(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers
        .into_iter()
        .fold(17, |sum: u64, x| sum.rotate_left(7).wrapping_mul(31) ^ x)
}

/// The same steps as delayed values and as plain numbers.
fn build(steps: &[Step]) -> (Vec<Delayed<Number>>, Vec<u64>) {
    let (mut nodes, mut plain): (Vec<Delayed<Number>>, Vec<u64>) = (Vec::new(), Vec::new());
    for step in steps {
        let at = |place: &usize| place % nodes.len().max(1);
        let (node, number) = match step {
            Step::Value(x) => (value(Box::new(*x)), *x),
            Step::Map(a) if !nodes.is_empty() => (
                nodes[at(a)].map(|a| Box::new(mix([**a]))),
                mix([plain[at(a)]]),
            ),
            Step::MapOwned(a) if !nodes.is_empty() => (
                nodes[at(a)].map_owned(|mut a| {
                    *a = mix([*a]);
                    a
                }),
                mix([plain[at(a)]]),
            ),
            Step::Pair(a, b) if !nodes.is_empty() => (
                apply((&nodes[at(a)], &nodes[at(b)]), |(a, b)| {
                    Box::new(mix([**a, **b]))
                }),
                mix([plain[at(a)], plain[at(b)]]),
            ),
            Step::Own(a, b) if !nodes.is_empty() => (
                apply((own(&nodes[at(a)]), &nodes[at(b)]), |(a, b)| {
                    Box::new(mix([*a, **b]))
                }),
                mix([plain[at(a)], plain[at(b)]]),
            ),
            Step::Many(places) if !nodes.is_empty() => (
                apply(
                    places
                        .iter()
                        .map(|place| &nodes[at(place)])
                        .collect::<Vec<_>>(),
                    |numbers| Box::new(mix(numbers.into_iter().map(|x| **x))),
                ),
                mix(places.iter().map(|place| plain[at(place)])),
            ),
            step => {
                let x = if let Step::Root(x) = step { *x } else { 5 };
                (delayed(move || Box::new(x)), x)
            }
        };
        nodes.push(node);
        plain.push(number);
    }
    (nodes, plain)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_graph_equals_its_sequential_evaluation(
        steps in prop::collection::vec(step(), 1..120),
        wanted in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        threads in 1..9_usize,
    ) {
        let (nodes, plain) = build(&steps);
        let mut wanted: Vec<usize> = wanted.into_iter().map(|place| place.index(nodes.len())).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let outputs: Vec<&Delayed<Number>> = wanted.iter().map(|place| &nodes[*place]).collect();
        let expected: Vec<Number> = wanted.iter().map(|place| Box::new(plain[*place])).collect();
        prop_assert_eq!(&Run::new().threads(threads).compute(&outputs).unwrap(), &expected);
        prop_assert_eq!(&Run::new().scheduler(Scheduler::Sequential).compute(&outputs).unwrap(), &expected);
        // All nodes at once, on handles that are given up.
        prop_assert_eq!(Run::new().threads(threads).compute(nodes).unwrap(), plain.into_iter().map(Box::new).collect::<Vec<_>>());
    }
}
