//! Pure tasks that are equal are one task; parts and kept values are as good as the whole.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use delayed::{Delayed, Graph, Run, compute, delayed, value};

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
