//! A task that fails or panics comes back as an error that names it, and takes nothing else down.

use std::{
    error::Error as _,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use delayed::{CancelToken, Delayed, Error, Passes, Run, Scheduler, apply, delayed, try_delayed};

/// Every way to run: alone, sequentially, with guests.
fn runs() -> [Run; 3] {
    [
        Run::new().threads(1),
        Run::new().scheduler(Scheduler::Sequential),
        Run::new().threads(4),
    ]
}

#[derive(Debug, thiserror::Error)]
#[error("no such file")]
struct NoSuchFile;

/// `read` fails or panics, if `broken` says so; two outputs need it.
fn pipeline(read: Delayed<u32>) -> [Delayed<u32>; 3] {
    let read = read.named("read");
    let regrid = read.map(|x| x + 1).named("regrid");
    let other = delayed(|| 7).named("other");
    [
        regrid.map(|x| x * 2).named("write"),
        apply((&regrid, &other), |(a, b)| a + b).named("mean"),
        other.map(|x| x + 1).named("fine"),
    ]
}

#[test]
fn an_error_names_its_task_the_place_the_inputs_and_the_lost_outputs() {
    for run in runs() {
        let start = delayed(|| 1).named("start");
        let line = line!() + 1;
        let read = start.try_map(|_| Err::<u32, _>(NoSuchFile));
        let error = run.compute(pipeline(read)).unwrap_err();
        let task = error.task().unwrap();
        assert_eq!(task.key.as_str(), "read");
        assert_eq!(
            (
                task.site.file().ends_with("failing_tasks.rs"),
                task.site.line()
            ),
            (true, line)
        );
        assert_eq!(
            task.inputs
                .iter()
                .map(|key| key.as_str())
                .collect::<Vec<_>>(),
            ["start"]
        );
        assert_eq!(
            task.outputs
                .iter()
                .map(|key| key.as_str())
                .collect::<Vec<_>>(),
            ["write", "mean"]
        );
        assert!(
            error
                .source()
                .unwrap()
                .downcast_ref::<NoSuchFile>()
                .is_some()
        );
        let text = error.to_string();
        assert!(
            text.starts_with("task `read` (built at ")
                && text.ends_with(" from `start`, needed for `write` and 1 more) failed"),
            "{text}"
        );
    }
}

#[test]
fn a_panic_gives_its_message_and_place() {
    for run in runs() {
        let count = 3;
        let read = move || -> u32 { panic!("{count} bad cells") };
        let line = line!() - 1;
        let error = run.compute(delayed(read).named("read")).unwrap_err();
        let Error::Panicked {
            task,
            message,
            place,
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(
            (task.key.as_str(), message.as_str()),
            ("read", "3 bad cells")
        );
        assert!(
            place
                .as_ref()
                .unwrap()
                .contains(&format!("failing_tasks.rs:{line}:")),
            "{place:?}"
        );
    }
}

#[test]
fn any_error_type_will_do() {
    assert!(
        try_delayed(|| Err::<(), _>("a text"))
            .compute()
            .unwrap_err()
            .source()
            .unwrap()
            .to_string()
            == "a text"
    );
    assert!(
        try_delayed(|| Err::<(), _>(String::from("a text")))
            .compute()
            .is_err()
    );
    assert!(try_delayed(|| "x".parse::<i32>()).compute().is_err());
}

#[test]
fn a_failure_stops_tasks_that_have_not_started() {
    let ran = Arc::new(AtomicUsize::new(0));
    let bad = try_delayed(|| Err::<usize, _>(NoSuchFile)).named("bad");
    let mut outputs = vec![bad];
    outputs.extend((0..1000).map(|_| {
        let ran = ran.clone();
        delayed(move || ran.fetch_add(1, SeqCst))
    }));
    assert!(Run::new().threads(1).compute(&outputs).is_err());
    assert_eq!(ran.load(SeqCst), 0);
}

#[test]
fn a_run_that_keeps_going_reports_every_failure_and_runs_all_that_it_can() {
    for run in runs() {
        let ran = Arc::new(AtomicUsize::new(0));
        let task = |i: usize| {
            let ran = ran.clone();
            try_delayed(move || {
                if i.is_multiple_of(3) {
                    Err(NoSuchFile)
                } else {
                    Ok(i)
                }
            })
            .named(("read", i))
            .map(move |i| {
                ran.fetch_add(1, SeqCst);
                *i
            })
        };
        let outputs: Vec<_> = (0..9).map(task).collect();
        let error = run.keep_going().compute(&outputs).unwrap_err();
        let Error::Several { errors } = &error else {
            panic!("{error:?}")
        };
        let keys: Vec<_> = errors
            .iter()
            .map(|error| error.task().unwrap().key.to_string())
            .collect();
        assert_eq!(keys, ["read 0", "read 3", "read 6"]);
        assert_eq!(ran.load(SeqCst), 6);
    }
}

#[test]
fn a_graph_can_be_computed_again_after_a_failure() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let flaky = {
        let attempts = attempts.clone();
        try_delayed(move || {
            if attempts.fetch_add(1, SeqCst) == 0 {
                Err(NoSuchFile)
            } else {
                Ok(5)
            }
        })
    };
    let twice = flaky.map(|x| x * 2);
    assert!(twice.compute().is_err());
    assert_eq!(twice.compute().unwrap(), 10);
}

#[test]
fn values_made_before_a_failure_are_dropped() {
    for run in runs() {
        let alive = Arc::new(());
        let outputs: Vec<Delayed<Arc<()>>> = (0..20)
            .map(|i| {
                let alive = alive.clone();
                let made = delayed(move || alive.clone());
                apply(&made, move |made| {
                    assert!(i != 13, "unlucky");
                    made.clone()
                })
            })
            .collect();
        let captured = Arc::strong_count(&alive);
        assert!(run.compute(&outputs).is_err());
        assert_eq!(Arc::strong_count(&alive), captured);
    }
}

#[test]
fn a_cancelled_run_starts_no_task() {
    for run in runs() {
        let token = CancelToken::new();
        let ran = Arc::new(AtomicUsize::new(0));
        let first = {
            let token = token.clone();
            delayed(move || token.cancel())
        };
        let rest: Vec<_> = (0..100)
            .map(|_| {
                let ran = ran.clone();
                first.map(move |()| ran.fetch_add(1, SeqCst))
            })
            .collect();
        assert!(
            run.cancel(&token)
                .compute(&rest)
                .unwrap_err()
                .is_cancelled()
        );
        assert_eq!(ran.load(SeqCst), 0);
    }
}

#[test]
fn a_task_asked_for_twice_is_refused_by_name() {
    let read = delayed(String::new).named("read");
    let error = delayed::compute((&read, &read)).unwrap_err();
    assert!(matches!(error, Error::AskedTwice { .. }));
    assert!(delayed::compute((&read, read.cloned())).is_ok());
}

#[test]
fn an_observers_panic_is_the_callers() {
    struct Broken;
    impl delayed::Observer for Broken {
        fn task_started(&self, _: &delayed::TaskView<'_>, _: usize) {
            panic!("broken observer");
        }
    }
    for run in runs() {
        let outputs: Vec<_> = (0..50).map(|i| delayed(move || i)).collect();
        let run = run.observe(Broken);
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.compute(outputs)));
        assert!(caught.is_err());
    }
}

#[test]
fn a_task_is_tried_again_as_often_as_it_may() {
    for run in runs() {
        let attempts = Arc::new(AtomicUsize::new(0));
        let flaky = |good_after: usize| {
            let attempts = attempts.clone();
            delayed(|| vec![1]).map_owned(move |mut v| {
                v.push(2);
                assert!(attempts.fetch_add(1, SeqCst) >= good_after, "not yet");
                v
            })
        };
        assert_eq!(run.compute(flaky(2).retries(2)).unwrap(), [1, 2]);
        attempts.store(0, SeqCst);
        assert!(run.compute(flaky(3).retries(2)).is_err());
        assert_eq!(attempts.load(SeqCst), 3);
    }
}

#[test]
fn a_cancelled_outer_run_stops_the_runs_within_its_tasks() {
    let token = CancelToken::new();
    let inner = {
        let token = token.clone();
        try_delayed(move || {
            token.cancel();
            delayed(|| 1).compute()
        })
    };
    assert!(!delayed::cancelled());
    let error = Run::new().cancel(&token).compute(&inner).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
}

#[test]
fn a_split_into_the_wrong_number_of_parts_says_both_numbers() {
    let parts = delayed(|| vec![1, 2, 3]).split(2);
    let error = delayed::compute(parts).unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "split into 2 parts, but there are 3"
    );
}

#[test]
fn a_failure_is_replayed_on_the_callers_thread_and_its_panic_not_caught() {
    let here = std::thread::current().id();
    let bad = delayed(|| 1)
        .map(|_| -> std::thread::ThreadId { panic!("{:?}", std::thread::current().id()) });
    let outputs: Vec<_> = (0..20)
        .map(|_| delayed(|| std::thread::current().id()))
        .chain([bad])
        .collect();
    let error = Run::new().threads(4).compute(&outputs).unwrap_err();
    let replay = std::panic::AssertUnwindSafe(|| error.replay(&outputs));
    let payload = std::panic::catch_unwind(replay).unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), format!("{here:?}"));
}

/// Three tasks are called `read`, two of them equal: which one `read#2` is depends on whether those are merged.
#[test]
fn a_failure_is_replayed_in_the_graph_that_the_run_had() {
    let read = |file: u8| {
        let read = try_delayed(move || {
            if file == 7 {
                Err("no such file")
            } else {
                Ok(file)
            }
        });
        read.named("read").pure(file)
    };
    let outputs = [read(1), read(1), read(7)];
    for (passes, key) in [(Passes::default(), "read#2"), (Passes::NONE, "read#3")] {
        let run = Run::new().threads(1).passes(passes);
        let error = run.compute(&outputs).unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), key);
        let again = error.replay(&outputs).unwrap_err();
        assert_eq!(again.source().unwrap().to_string(), "no such file");
    }
}

#[test]
fn a_long_chain_of_inputs_is_shown_by_its_ends() {
    let chain = (1..100_usize).fold(delayed(|| 0).named("root"), |last, i| {
        last.map(|x| x + 1).named(("step", i))
    });
    let error = chain
        .try_map(|_| Err::<i32, _>("boom"))
        .named("bad")
        .compute()
        .unwrap_err();
    let task = error.task().unwrap();
    assert_eq!((task.inputs.len(), task.inputs_left_out), (16, 84));
    assert_eq!(task.inputs[0].as_str(), "step 99");
    assert_eq!(task.inputs[15].as_str(), "root");
    let text = error.to_string();
    assert!(
        text.contains("from `step 99` <- `step 98` <- `step 97` <- ... <- `root`"),
        "{text}"
    );
    let report = error.report();
    assert!(
        report.contains("<- `step 92` <- ... 84 more ... <- `step 7` <-"),
        "{report}"
    );
}

/// Dask runs into Python's recursion limit, or deadlocks its pool.
#[test]
fn a_graph_that_needs_itself_is_an_error_that_says_so() {
    type Slot = Arc<Mutex<Option<Delayed<i32>>>>;
    let slot: Slot = Slot::default();
    let inner = slot.clone();
    let flat = delayed(move || inner.lock().unwrap().clone().unwrap())
        .named("itself")
        .flatten()
        .named("flat");
    *slot.lock().unwrap() = Some(flat.clone());
    for threads in [1, 3] {
        let error = Run::new().threads(threads).compute(&flat).unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), "flat");
        assert!(error.report().contains("a cycle"), "{}", error.report());
    }
    slot.lock().unwrap().take();

    let inner = slot.clone();
    let me = try_delayed(move || {
        let me = inner.lock().unwrap().clone().unwrap();
        me.compute()
    })
    .named("me");
    *slot.lock().unwrap() = Some(me.clone());
    let report = me.compute().unwrap_err().report();
    assert!(report.contains("does a task compute itself?"), "{report}");
    assert!(report.lines().count() < 25, "{report}");
    slot.lock().unwrap().take();

    // Nesting that ends is fine, and the thread has not kept count of what went wrong.
    fn down(n: u32) -> Delayed<u32> {
        let steps = delayed(move || n);
        if n == 0 {
            return steps;
        }
        steps.map(|n| down(n - 1)).flatten().map(|n| n + 1)
    }
    assert_eq!(down(50).compute().unwrap(), 50);
}

#[test]
#[should_panic(expected = "the limit \"disk\" lets 0 tasks run at once")]
fn a_limit_of_nothing_is_refused_where_it_is_said() {
    let _ = delayed(|| 1).limit("disk", 0);
}

#[test]
fn a_task_bigger_than_the_memory_limit_is_refused_with_what_to_do() {
    let big = delayed(|| 1).named("big").bytes(100);
    let error = Run::new().memory_limit(10).compute(&big).unwrap_err();
    assert!(matches!(
        error,
        Error::TooBig {
            bytes: 100,
            limit: 10,
            ..
        }
    ));
    assert!(error.to_string().contains("raise the limit"), "{error}");
}

/// Two tasks on two threads: one fails once the other is at work; the other works until it is told to stop.
fn one_fails_while_another_works(
    work: impl Fn() -> Result<u32, Error> + Send + Sync + 'static,
) -> [Delayed<u32>; 2] {
    let both = Arc::new(Barrier::new(2));
    let other = both.clone();
    [
        try_delayed(move || {
            both.wait();
            Err::<u32, _>(NoSuchFile)
        })
        .named("read"),
        try_delayed(move || {
            other.wait();
            work()
        })
        .named("work"),
    ]
}

fn until_told() -> u32 {
    while !delayed::cancelled() {
        std::thread::yield_now();
    }
    0
}

#[test]
fn a_task_that_gives_up_since_another_failed_is_no_failure_of_its_own() {
    let nested = || {
        let tasks: Vec<_> = (0..1000).map(|_| delayed(until_told)).collect();
        Run::new().threads(2).compute(&tasks).map(|v| v[0])
    };
    let works: [fn() -> Result<u32, Error>; 3] = [
        || delayed(until_told).map(|x| *x).compute(),
        || panic!("stopped after {}", until_told()),
        || {
            Err(
                try_delayed(|| Err::<u32, _>(format!("stopped after {}", until_told())))
                    .compute()
                    .unwrap_err(),
            )
        },
    ];
    let graphs = works
        .map(one_fails_while_another_works)
        .into_iter()
        .chain([one_fails_while_another_works(nested)]);
    for graph in graphs {
        let error = Run::new().threads(2).compute(&graph).unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), "read");
        assert!(matches!(error, Error::Failed { .. }), "{error:?}");
    }
}

#[test]
fn a_task_that_gives_up_since_the_run_was_cancelled_is_no_failure() {
    for run in runs() {
        let token = CancelToken::new();
        let cancel = token.clone();
        let task = try_delayed(move || {
            cancel.cancel();
            Err::<u32, _>(format!("stopped after {}", until_told()))
        });
        let error = run.cancel(&token).compute(&task).unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
    }
}

#[test]
fn a_task_that_is_not_tried_again_since_the_run_was_cancelled_is_no_failure() {
    for run in runs() {
        let token = CancelToken::new();
        let cancel = token.clone();
        let task = try_delayed(move || {
            cancel.cancel();
            Err::<u32, _>("busy")
        });
        let error = run.cancel(&token).compute(task.retries(1)).unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
    }
}

#[test]
fn nothing_is_salvaged_of_a_run_that_failed_and_was_cancelled() {
    for run in runs() {
        let token = CancelToken::new();
        let cancel = token.clone();
        let bad = try_delayed(|| Err::<u32, _>(NoSuchFile)).named("bad");
        // It runs last, so that no task is left when it gives up.
        let last = apply((delayed(|| 1), delayed(|| 2)), |(a, b)| a + b).try_map(move |_| {
            cancel.cancel();
            Err::<String, _>(format!("stopped after {}", until_told()))
        });
        let ((none, nothing), outcome) = run.cancel(&token).salvage((&bad, &last.priority(-1)));
        assert_eq!((none, nothing), (None, None));
        assert!(outcome.is_err());
    }
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_is_an_error_too() {
    struct Twice;
    impl Drop for Twice {
        fn drop(&mut self) {
            panic!("again");
        }
    }
    for run in runs() {
        let task = delayed(|| -> u32 { std::panic::panic_any(Twice) }).named("bad");
        let error = run.compute((&task, delayed(|| 1))).unwrap_err();
        assert_eq!(error.task().unwrap().key.as_str(), "bad");
    }
}
