//! What users of Dask's delayed rely on: mirrored where it serves them, mended where it bites them. Each test says what Dask does
//! (`dask` 2026.8, threaded scheduler).

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use delayed::{
    Delayed, Error, Graph, GraphBuilder, Observer, Passes, Run, RunEnd, RunView, Shape, TaskEnd,
    TaskView, apply, compute, delayed, own, try_delayed, value,
};

/// Counts how often something happened.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) -> usize {
        self.0.fetch_add(1, Relaxed) + 1
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

fn counted<T: Clone + Send + Sync + 'static>(count: &Count, value: T) -> Delayed<T> {
    let count = count.clone();
    delayed(move || {
        count.up();
        value.clone()
    })
}

/// Dask: `delayed(f)(x)` runs nothing until `compute`, and each `compute` runs everything again. Mirrored.
#[test]
fn nothing_runs_before_it_is_computed_and_each_time_everything_does() -> Result<(), Error> {
    let count = Count::default();
    let one = counted(&count, 1).map(|x| x + 1);
    assert_eq!(count.get(), 0);
    assert_eq!((one.compute()?, one.compute()?), (2, 2));
    assert_eq!(count.get(), 2);
    Ok(())
}

/// Dask: delayed values inside lists, tuples and dicts that are handed to a delayed function are found and computed first. Mirrored;
/// which shapes there are is checked by the compiler instead of at run time.
#[test]
fn delayed_values_inside_collections_arrive_as_values() -> Result<(), Error> {
    let x = |n: i64| delayed(move || n);
    let list = apply(vec![x(1), x(2)], |xs| xs.into_iter().sum::<i64>());
    let tuple = apply((x(1), (x(2), [x(3), x(4)])), |(a, (b, [c, d]))| {
        a + b + c + d
    });
    let map = apply(BTreeMap::from([("a", x(1)), ("b", x(2))]), |map| {
        map[&"a"] * 10 + map[&"b"]
    });
    let hashed = apply(HashMap::from([("a", vec![x(5)])]), |map| *map[&"a"][0]);
    let maybe = apply((Some(x(1)), None::<Delayed<i64>>), |(a, b)| {
        a.copied().unwrap_or(0) + b.copied().unwrap_or(7)
    });
    assert_eq!(
        compute((&list, &tuple, &map, &hashed, &maybe))?,
        (3, 10, 12, 5, 8)
    );
    Ok(())
}

/// Dask: fields of a dataclass or a named tuple are found too. Mirrored by [`Shape`].
#[test]
fn delayed_values_inside_a_struct_arrive_as_values() -> Result<(), Error> {
    struct Request {
        chunks: Vec<Delayed<i64>>,
        scale: Delayed<i64>,
        shift: i64,
    }
    struct RequestRefs<'a> {
        chunks: Vec<&'a i64>,
        scale: i64,
        shift: i64,
    }
    impl Shape for Request {
        type Parts = (Vec<Delayed<i64>>, Delayed<i64>);
        type Refs<'a> = RequestRefs<'a>;
        fn parts(&self) -> Self::Parts {
            (self.chunks.clone(), self.scale.clone())
        }
        fn see<'a>(&'a self, (chunks, scale): (Vec<&'a i64>, &'a i64)) -> RequestRefs<'a> {
            RequestRefs {
                chunks,
                scale: *scale,
                shift: self.shift,
            }
        }
    }
    let request = Request {
        chunks: (1..4).map(|n| delayed(move || n)).collect(),
        scale: delayed(|| 10),
        shift: 5,
    };
    let sum = apply(request, |request| {
        request.chunks.iter().copied().sum::<i64>() * request.scale + request.shift
    });
    assert_eq!(Graph::of(&sum).len(), 5);
    assert_eq!(sum.compute()?, 65);
    Ok(())
}

/// Dask: `dask.compute(a, b)` runs what both need once. Mirrored.
#[test]
fn several_outputs_share_work_and_run_it_once() -> Result<(), Error> {
    let count = Count::default();
    let shared = counted(&count, 20);
    let (a, b) = (shared.map(|x| x + 1), shared.map(|x| x + 2));
    let both = [&a, &b];
    assert_eq!(compute((both, [[&shared]]))?, ([21, 22], [[20]]));
    assert_eq!(count.get(), 1);
    Ok(())
}

/// Dask: tasks that no output needs are culled. Mirrored: they are never seen.
#[test]
fn what_no_output_needs_does_not_run() -> Result<(), Error> {
    let count = Count::default();
    let used = delayed(|| 1);
    let _unused = apply((&used, &counted(&count, 2)), |(a, b)| a + b);
    used.compute()?;
    assert_eq!(count.get(), 0);
    Ok(())
}

/// Dask: a result is dropped when its last dependent has run; those that were asked for survive. Mirrored.
#[test]
fn wanted_values_survive_and_others_are_freed() -> Result<(), Error> {
    struct Big(Arc<()>);
    let alive = Arc::new(());
    let (kept, freed) = (alive.clone(), alive.clone());
    let kept = delayed(move || Big(kept.clone()));
    let freed = delayed(move || Big(freed.clone()));
    let both = apply((&kept, &freed), |(a, b)| Arc::ptr_eq(&a.0, &b.0));
    let witness = alive.clone();
    // Two stand in the closures, two here; the value of `kept` is the only one of the two that still lives.
    let after = both.map(move |_| Arc::strong_count(&witness));
    let (big, count) = Run::new().threads(1).compute((&kept, &after))?;
    assert_eq!(count, 4 + 1);
    drop(big);
    Ok(())
}

/// Dask: `dask_key_name="k"` twice gives both the first one's value, without a word: `compute` of 1 and 2 is `(1, 1)`. Mended: a name may
/// be shared and changes no value, a key may not and is refused with both places.
#[test]
fn a_repeated_key_is_an_error_and_a_repeated_name_is_harmless() -> Result<(), Error> {
    let named = |n: i32| delayed(move || n).named("k");
    assert_eq!(compute((named(1), named(2)))?, (1, 2));

    let keyed = |n: i32| delayed(move || n).keyed("k");
    for (a, b) in [
        (keyed(1), keyed(2)),
        (keyed(1), named(2)),
        (named(1), keyed(2)),
    ] {
        for error in [
            compute((&a, &b)).unwrap_err(),
            Run::new().salvage((&a, &b)).1.unwrap_err(),
            GraphBuilder::new()
                .output("a", &a)?
                .output("b", &b)?
                .build()
                .unwrap_err(),
        ] {
            let Error::RepeatedKey { key, sites } = &error else {
                panic!("{error}");
            };
            assert_eq!(key.as_str(), "k");
            assert!(
                sites
                    .iter()
                    .all(|site| site.file().ends_with("dask_semantics.rs"))
            );
        }
    }
    let error = GraphBuilder::new()
        .output("out", &named(1))?
        .output("out", &named(2))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the output name \"out\" is used twice: give each output its own"
    );
    // One task under two handles is not two tasks.
    let one = keyed(1);
    assert_eq!(compute((&one.map(|x| x + 1), &one.map(|x| x + 2)))?, (2, 3));
    Ok(())
}

/// Dask: the local schedulers raise the bare exception; the key is neither in its message nor in the traceback. Mended.
#[test]
fn an_error_has_the_tasks_name() {
    let read = delayed(|| 0).named("read a.nc");
    let bad = read.try_map(|_| Err::<i32, _>("boom")).named("regrid a.nc");
    let error = bad.map(|x| x + 1).named("write").compute().unwrap_err();
    let text = error.to_string();
    for part in [
        "`regrid a.nc`",
        "`read a.nc`",
        "`write`",
        "dask_semantics.rs",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let report = error.report();
    assert!(
        report.contains("cause: boom\n") && report.contains("inputs: `read a.nc`\n"),
        "{report}"
    );
    assert!(report.contains("lost outputs: `write`\n"), "{report}");
}

/// Dask: an exception stops the run and reaches the caller. Mirrored for errors and panics; the process goes on.
#[test]
fn a_panic_is_an_error_of_the_run_and_not_the_end() {
    let bad = delayed(|| -> i32 { panic!("out of range") }).named("bad");
    let error = bad.compute().unwrap_err();
    assert!(matches!(&error, Error::Panicked { message, .. } if message == "out of range"));
    assert_eq!(delayed(|| 1).compute().unwrap(), 1);
}

/// Dask: `dask.annotate(retries=3)` is ignored by the local schedulers. Mended.
#[test]
fn retries_are_honoured_in_a_local_run() -> Result<(), Error> {
    let count = Count::default();
    let attempts = count.clone();
    let flaky = try_delayed(move || match attempts.up() {
        3 => Ok("at last"),
        n => Err(format!("attempt {n}")),
    });
    assert_eq!(flaky.retries(3).compute()?, "at last");
    assert_eq!(count.get(), 3);
    Ok(())
}

/// Dask: `annotate(priority=...)` is ignored by the local schedulers. Mended.
#[test]
fn priorities_are_honoured_in_a_local_run() -> Result<(), Error> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let task = |name: &'static str, priority| {
        let order = order.clone();
        delayed(move || order.lock().unwrap().push(name)).priority(priority)
    };
    let tasks = [task("later", 0), task("last", -1), task("first", 5)];
    Run::new().threads(1).compute(&tasks)?;
    assert_eq!(*order.lock().unwrap(), ["first", "later", "last"]);
    Ok(())
}

/// Dask: a delayed function that returns a delayed value hands that out as the "result"; only a page of the manual warns. Mended: the
/// type shows it, `lint` points at it, `flatten` runs it.
#[test]
fn a_delayed_value_inside_another_is_seen_and_can_be_flattened() -> Result<(), Error> {
    let nested: Delayed<Delayed<i32>> = delayed(|| delayed(|| 42)).named("nested");
    let inner: Delayed<i32> = nested.compute()?;
    assert_eq!(inner.compute()?, 42);
    assert!(
        Graph::of(&nested).lint()[0]
            .to_string()
            .contains("`nested` returns a delayed value")
    );
    assert_eq!(nested.flatten().compute()?, 42);
    Ok(())
}

/// Dask: `compute` inside a task works on the threaded scheduler but may starve it. Mirrored, and it never deadlocks.
#[test]
fn compute_inside_a_task_works() -> Result<(), Error> {
    let outer: Vec<_> = (0..20_u64)
        .map(|i| try_delayed(move || delayed(move || i).map(|x| x * 2).compute()))
        .collect();
    let sum = apply(outer, |all| all.into_iter().sum::<u64>());
    assert_eq!(Run::new().threads(2).compute(&sum)?, 380);
    Ok(())
}

/// Dask: `delayed(f, nout=2)` makes the result iterable; a wrong number is noticed by nobody. Mended: `unzip` has the length in its type,
/// `split` checks it.
#[test]
fn several_results_of_one_task_are_delayed_values_of_their_own() -> Result<(), Error> {
    let count = Count::default();
    let (low, high) = counted(&count, (1, 9)).unzip();
    assert_eq!(compute((&low, &high))?, (1, 9));
    assert_eq!(count.get(), 1);
    let parts = delayed(|| vec!['a', 'b', 'c']).split(3);
    assert_eq!(compute(&parts)?, ['a', 'b', 'c']);
    let wrong = delayed(|| vec!['a']).split(2);
    let error = wrong[0].compute().unwrap_err();
    assert!(
        error
            .report()
            .contains("split into 2 parts, but there are 1")
    );
    Ok(())
}

/// Dask: tasks are not pure unless told so; pure ones with equal tokens are one task. Mirrored.
#[test]
fn only_pure_tasks_are_merged() -> Result<(), Error> {
    let count = Count::default();
    let task = || counted(&count, 1);
    compute((task(), task()))?;
    assert_eq!(count.get(), 2);
    compute((task().pure("token"), task().pure("token")))?;
    assert_eq!(count.get(), 3);
    compute((task().pure("token"), task().pure("another token")))?;
    assert_eq!(count.get(), 5);
    Run::new()
        .passes(Passes::default().merge(false))
        .compute((task().pure("token"), task().pure("token")))?;
    assert_eq!(count.get(), 7);
    Ok(())
}

/// Dask: `persist` computes now and gives delayed values that hold their results. Mirrored.
#[test]
fn a_persisted_value_is_not_computed_again() -> Result<(), Error> {
    let count = Count::default();
    let kept = counted(&count, 5).persist()?;
    assert_eq!((kept.map(|x| x + 1).compute()?, kept.compute()?), (6, 5));
    assert_eq!(count.get(), 1);
    Ok(())
}

/// Dask: arithmetic works on delayed values and with plain numbers on either side. Mirrored.
#[test]
fn arithmetic_makes_tasks() -> Result<(), Error> {
    let (a, b) = (delayed(|| 7.0_f64), delayed(|| 2.0));
    let mixed = (&a - &b) * 2.0 + 1.0 / &b - -&a;
    assert_eq!(mixed.compute()?, 17.5);
    Ok(())
}

/// Dask: tasks share their inputs, so one that changes an array in place changes it for all. Mended: a task sees `&T`; one that takes its
/// input over gets the value itself only if nobody else needs it.
#[test]
fn a_task_cannot_change_what_others_see() -> Result<(), Error> {
    let field = delayed(|| vec![1, 2, 3]);
    let changed = apply((own(&field), delayed(|| 10)), |(mut field, add)| {
        field[0] += add;
        field
    });
    let seen = field.map(|field| field[0]);
    for threads in [1, 2, 8] {
        let (changed, seen) = Run::new().threads(threads).compute((&changed, &seen))?;
        assert_eq!((changed[0], seen), (11, 1));
    }
    Ok(())
}

/// Dask: callbacks `start`, `pretask`, `posttask` and `finish`. Mirrored by the events of an [`Observer`].
#[test]
fn observers_hear_of_start_pretask_posttask_and_finish() -> Result<(), Error> {
    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);
    impl Log {
        fn note(&self, text: impl Into<String>) {
            self.0.lock().unwrap().push(text.into());
        }
    }
    impl Observer for Log {
        fn run_started(&self, run: &RunView<'_>) {
            self.note(format!("start {}", run.tasks()));
        }
        fn task_started(&self, task: &TaskView<'_>, _: usize) {
            self.note(format!("pretask {}", task.label()));
        }
        fn task_finished(&self, task: &TaskView<'_>, _: &TaskEnd) {
            self.note(format!("posttask {}", task.label()));
        }
        fn run_finished(&self, end: RunEnd) {
            self.note(format!("finish {end:?}"));
        }
    }
    let log = Arc::new(Log::default());
    let b = delayed(|| 1).named("a").map(|x| x + 1).named("b");
    Run::new().threads(1).observe(log.clone()).compute(&b)?;
    let expected = [
        "start 2",
        "pretask a",
        "posttask a",
        "pretask b",
        "posttask b",
        "finish Finished",
    ];
    assert_eq!(*log.0.lock().unwrap(), expected);
    Ok(())
}

/// Dask: the first error is raised at once, other tasks are neither joined nor reported; there is no way to have the rest. Mended: a run
/// can go on, report every failure and hand out all that could be computed.
#[test]
fn what_can_be_computed_is_and_every_failure_is_reported() {
    let task = |n: i32| {
        try_delayed(move || {
            if n % 2 == 1 {
                Err(format!("{n} is odd"))
            } else {
                Ok(n)
            }
        })
        .named(("task", n as usize))
    };
    let tasks: Vec<_> = (0..6).map(task).collect();
    let joined = apply((&tasks[0], &tasks[2]), |(a, b)| a + b);
    let lost = apply((&tasks[0], &tasks[3]), |(a, b)| a + b);
    for threads in [1, 2, 4] {
        let ((values, joined, lost), outcome) = Run::new()
            .threads(threads)
            .salvage((&tasks, &joined, &lost));
        assert_eq!(values, [Some(0), None, Some(2), None, Some(4), None]);
        assert_eq!((joined, lost), (Some(2), None));
        let error = outcome.unwrap_err();
        let Error::Several { errors } = &error else {
            panic!("{error}");
        };
        let keys: Vec<_> = errors
            .iter()
            .map(|error| error.task().unwrap().key.as_str())
            .collect();
        assert_eq!(keys.len(), 3);
        assert!(
            ["task 1", "task 3", "task 5"]
                .iter()
                .all(|key| keys.contains(key))
        );
        assert_eq!(error.report().matches("cause: ").count(), 3);
    }
    let (values, outcome) = Run::new().salvage([delayed(|| 1)]);
    assert_eq!(values, [Some(1)]);
    outcome.unwrap();
}

/// Dask: `traverse=False` hands a collection over unseen. Mirrored: what is not an input is captured by the closure or made a known value.
#[test]
fn a_collection_of_plain_values_is_one_known_value() -> Result<(), Error> {
    let table = value(vec![1, 2, 3]);
    let sum = table.map(|table| table.iter().sum::<i32>());
    assert_eq!(Graph::of(&sum).len(), 2);
    assert_eq!(sum.compute()?, 6);
    Ok(())
}

/// Dask: keys of impure tasks are random, so logs of two runs cannot be compared. Mended: keys follow labels and order.
#[test]
fn keys_are_the_same_in_every_run() {
    let keys = || {
        let reads: Vec<_> = (0..3).map(|i| delayed(move || i).named("read")).collect();
        let graph = Graph::of(apply(reads, |reads| reads.len()).named("join"));
        let keys: Vec<_> = graph.order().map(|id| graph.key(id).to_string()).collect();
        keys
    };
    assert_eq!(keys(), ["read", "read#2", "read#3", "join"]);
    assert_eq!(keys(), keys());
}

#[test]
fn borrowed_maps_are_inputs_as_lists_are() {
    let fields: BTreeMap<&str, Delayed<i32>> =
        BTreeMap::from([("t", delayed(|| 1)), ("p", delayed(|| 2))]);
    let sum = apply(&fields, |fields| fields.values().copied().sum::<i32>());
    let hashed: HashMap<String, Vec<Delayed<i32>>> =
        HashMap::from([("t".to_string(), vec![delayed(|| 3), delayed(|| 4)])]);
    let list = apply((&hashed, &fields), |(hashed, fields)| {
        hashed[&"t".to_string()][1] * fields[&"p"]
    });
    assert_eq!(
        compute((&sum, &list, &fields)).unwrap(),
        (3, 8, BTreeMap::from([("t", 1), ("p", 2)]))
    );
}
