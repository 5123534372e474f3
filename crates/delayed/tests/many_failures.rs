//! Thousands of tasks may fail in one run: each has an error of its own, with its own lineage, and none takes long to make.

use delayed::{Delayed, Error, Run, apply, delayed, try_delayed};

fn all_of(error: Error) -> Vec<Error> {
    match error {
        Error::Several { errors } => errors,
        other => vec![other],
    }
}

#[test]
fn each_of_fifty_thousand_failures_has_its_own_lineage() {
    const READS: usize = 50_000;
    let writes: Vec<Delayed<usize>> = (0..READS)
        .map(|i| {
            let read = try_delayed(move || Err::<usize, _>(format!("no file {i}")));
            let regrid = read.named(("read", i)).map(|x| x + 1).named("regrid");
            regrid.map(|x| x + 1).named(("write", i))
        })
        .collect();
    let report = apply(&writes, |all| all.len()).named("report");
    let error = Run::new()
        .keep_going()
        .compute((&report, &writes))
        .unwrap_err();
    let text = error.report();
    assert!(
        text.lines().count() < 200 && text.contains("and 49990 more failed tasks"),
        "{text}"
    );
    let errors = all_of(error);
    assert_eq!(errors.len(), READS);
    for (i, error) in errors.iter().enumerate() {
        let task = error.task().unwrap();
        assert_eq!(task.key.as_str(), format!("read {i}"));
        let outputs: Vec<&str> = task.outputs.iter().map(|key| key.as_str()).collect();
        assert_eq!(outputs, ["report", &format!("write {i}")]);
    }
}

/// ```text
/// bad 0   bad 1
///    \    /   \
///     both     one     and ten more outputs of `bad 1`, one behind the other
/// ```
#[test]
fn lost_outputs_come_in_the_callers_order_and_not_all_of_very_many() {
    let bad = |i: usize| try_delayed(|| Err::<u32, _>("bad")).named(("bad", i));
    let (first, second) = (bad(0), bad(1));
    let both = apply((&first, &second), |(a, b)| a + b).named("both");
    let one = second.map(|x| x + 1).named("one");
    let mut chain = vec![one.map(|x| x + 1).named(("after", 0))];
    for i in 1..20 {
        let next = chain[i - 1].map(|x| x + 1).named(("after", i));
        chain.push(next);
    }
    chain.reverse();
    let fine = delayed(|| 1).named("fine");
    let run = Run::new().threads(1).keep_going();
    let errors = all_of(run.compute((&chain, &one, &fine, &both)).unwrap_err());
    let outputs = |error: &Error| -> Vec<String> {
        let keys = &error.task().unwrap().outputs;
        keys.iter().map(ToString::to_string).collect()
    };
    let of = |key: &str| {
        let found = errors
            .iter()
            .find(|error| error.task().unwrap().key.as_str() == key);
        outputs(found.unwrap())
    };
    assert_eq!(of("bad 0"), ["both"]);
    let last: Vec<String> = (4..20).rev().map(|i| format!("after {i}")).collect();
    assert_eq!(of("bad 1"), last);
}

#[test]
fn several_failures_tell_the_cause_of_the_first_in_their_line() {
    let bad: Vec<_> = (0..2)
        .map(|i| try_delayed(|| "x".parse::<u8>()).named(("parse", i)))
        .collect();
    let error = Run::new().keep_going().compute(&bad).unwrap_err();
    let line = error.to_string();
    assert!(
        line.starts_with("2 tasks failed, the first: task `parse 0` (built at "),
        "{line}"
    );
    assert!(
        line.ends_with(") failed: invalid digit found in string"),
        "{line}"
    );
}
