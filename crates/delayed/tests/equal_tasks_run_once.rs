//! Pure tasks that are equal are one task; parts and kept values are as good as the whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use delayed::{Delayed, Graph, Run, apply, compute, delayed, value};

#[test]
fn equal_pure_tasks_on_equal_inputs_run_once() {
    for threads in [1, 3] {
        let ran = Arc::new(AtomicUsize::new(0));
        let read = |file: &'static str| {
            let ran = ran.clone();
            delayed(move || {
                ran.fetch_add(1, SeqCst);
                file.to_string()
            })
            .pure(file)
        };
        let scale =
            |text: &Delayed<String>, times: usize| text.map(move |t| t.repeat(times)).pure(times);
        let outputs = vec![
            scale(&read("a"), 2),
            scale(&read("a"), 2),
            scale(&read("a"), 3),
            scale(&read("b"), 2),
        ];
        assert_eq!(Graph::of(&outputs).tasks(), 5);
        let values = Run::new().threads(threads).compute(&outputs).unwrap();
        assert_eq!(values, ["aa", "aa", "aaa", "bb"]);
        assert_eq!(ran.load(SeqCst), 2);
    }
}

/// The same values in other places of a collection are other inputs.
#[test]
fn pure_tasks_are_equal_only_if_their_inputs_have_the_same_shape() {
    let (a, b) = (value(1), value(2));
    let list = |parts: [Vec<&Delayed<i32>>; 2]| {
        let lengths = apply(parts, |[one, other]| [one.len(), other.len()]);
        lengths.pure("lengths")
    };
    let lists = [list([vec![&a], vec![&b]]), list([vec![&a, &b], vec![]])];
    assert_eq!(compute(&lists).unwrap(), [[1, 1], [2, 0]]);
    let either = |parts: (Option<&Delayed<i32>>, Option<&Delayed<i32>>)| {
        let first = apply(parts, |(one, other)| one.is_some() && other.is_none());
        first.pure("either")
    };
    let options = [either((Some(&a), None)), either((None, Some(&a)))];
    assert_eq!(compute(&options).unwrap(), [true, false]);
    let tree = |key: &'static str| {
        let parts = BTreeMap::from([(key, a.clone())]);
        apply(parts, |parts| **parts.keys().next().unwrap()).pure("tree")
    };
    let table = |key: &'static str| {
        let parts = HashMap::from([(key, a.clone())]);
        apply(parts, |parts| **parts.keys().next().unwrap()).pure("table")
    };
    let keys = [tree("x"), tree("y"), table("x"), table("y")];
    assert_eq!(compute(&keys).unwrap(), ["x", "y", "x", "y"]);
    let again = [tree("x"), tree("y"), table("x"), table("y")];
    assert_eq!(Graph::of((keys, again)).tasks(), 4);
    let again = [either((Some(&a), None)), either((None, Some(&a)))];
    assert_eq!(Graph::of((options, again)).tasks(), 2);
    let again = [list([vec![&a], vec![&b]]), list([vec![&a, &b], vec![]])];
    assert_eq!(Graph::of((lists, again)).tasks(), 2);
}

/// As many outputs as this are not looked up by going through all of them.
#[test]
fn each_of_a_hundred_thousand_outputs_has_its_value_however_often_it_is_asked_for() {
    let outputs: Vec<Delayed<usize>> = (0..100_000)
        .map(|i| delayed(move || i / 3).pure(i / 3))
        .collect();
    let expected = (0..100_000).map(|i| i / 3);
    assert!(compute(&outputs).unwrap().into_iter().eq(expected.clone()));
    let (salvaged, outcome) = Run::new().salvage(&outputs);
    assert!(outcome.is_ok() && salvaged.into_iter().eq(expected.map(Some)));
}

#[test]
fn tasks_are_not_pure_unless_told_so() {
    let read = || delayed(|| 1);
    assert_eq!(Graph::of((read(), read())).tasks(), 2);
}

#[test]
fn a_kept_value_is_not_computed_again() {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let kept = delayed(move || count.fetch_add(1, SeqCst))
        .named("read")
        .persist()
        .unwrap();
    assert_eq!(
        compute((&kept, kept.map(|x| x + 1), &kept)).unwrap(),
        (0, 1, 0)
    );
    assert_eq!(
        (ran.load(SeqCst), kept.label().to_string().as_str()),
        (1, "read")
    );
}

#[test]
fn parts_are_moved_out_of_the_whole() {
    for threads in [1, 2] {
        let whole = delayed(|| (vec![1, 2], "text".to_string(), 3));
        let (numbers, text, three) = whole.unzip();
        let parts = delayed(|| vec![vec![1], vec![2]]).split(2);
        let (values, numbers, parts) = Run::new()
            .threads(threads)
            .compute(((&text, &three), &numbers, &parts))
            .unwrap();
        assert_eq!(
            (values.0.as_str(), values.1, numbers),
            ("text", 3, vec![1, 2])
        );
        assert_eq!(parts, [[1], [2]]);
    }
}

#[test]
fn a_task_may_build_a_graph() {
    let depth = value(4_u64);
    let nested =
        depth.map(|depth| (0..*depth).fold(delayed(|| 1_u64), |sum, _| sum.map(|x| x * 2)));
    assert_eq!(nested.flatten().compute().unwrap(), 16);
}
