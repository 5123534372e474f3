//! Named limits and the memory limit hold tasks back, never the run.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use delayed::{Delayed, Error, Observer, Run, TaskView, apply, delayed, try_delayed};

/// How many are inside, and the most that ever were.
#[derive(Clone, Default)]
struct Inside(Arc<(AtomicUsize, AtomicUsize)>);

impl Inside {
    fn visit(&self) {
        let inside = self.0.0.fetch_add(1, SeqCst) + 1;
        self.0.1.fetch_max(inside, SeqCst);
        std::thread::yield_now();
        self.0.0.fetch_sub(1, SeqCst);
    }

    fn most(&self) -> usize {
        self.0.1.load(SeqCst)
    }
}

#[test]
fn no_more_tasks_than_the_limit_run_at_once_and_all_run() {
    for (threads, limit) in [(4, 1), (4, 2), (8, 3), (1, 1)] {
        let inside = Inside::default();
        let ran = Arc::new(AtomicUsize::new(0));
        let source = delayed(|| ());
        let parts: Vec<Delayed<()>> = (0..500)
            .map(|i| {
                let (inside, ran) = (inside.clone(), ran.clone());
                let limited = source.map(move |()| {
                    inside.visit();
                    ran.fetch_add(1, SeqCst);
                });
                let limited = limited.limit("file", limit);
                if i % 3 == 0 {
                    limited.limit("other", 1).map(|()| ())
                } else {
                    limited
                }
            })
            .collect();
        Run::new().threads(threads).compute(&parts).unwrap();
        assert_eq!(ran.load(SeqCst), 500);
        assert!(
            inside.most() <= limit,
            "{} inside, limit {limit}",
            inside.most()
        );
    }
}

#[test]
fn limited_tasks_that_fail_make_way() {
    let parts: Vec<_> = (0..50)
        .map(|i| {
            try_delayed(move || {
                if i % 2 == 0 {
                    Err("odd one out")
                } else {
                    Ok(i)
                }
            })
            .limit("file", 1)
        })
        .collect();
    let error = Run::new()
        .threads(4)
        .keep_going()
        .compute(&parts)
        .unwrap_err();
    let Error::Several { errors } = error else {
        panic!("{error}")
    };
    assert_eq!(errors.len(), 25);
}

/// Bytes alive, and the most that ever were.
#[derive(Clone, Default)]
struct Bytes(Arc<(AtomicUsize, AtomicUsize)>);

struct Held(Bytes, usize);

impl Bytes {
    fn hold(&self, bytes: usize) -> Held {
        let alive = self.0.0.fetch_add(bytes, SeqCst) + bytes;
        self.0.1.fetch_max(alive, SeqCst);
        Held(self.clone(), bytes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(self.1, SeqCst);
    }
}

#[test]
fn readers_wait_for_room() {
    for threads in [2, 4, 8] {
        let bytes = Bytes::default();
        let parts: Vec<Delayed<usize>> = (0..200)
            .map(|_| {
                let bytes = bytes.clone();
                let read = delayed(move || bytes.hold(100)).bytes(100);
                read.map(|held| held.1)
            })
            .collect();
        let values = Run::new()
            .threads(threads)
            .memory_limit(250)
            .compute(&parts)
            .unwrap();
        assert_eq!(values.len(), 200);
        assert!(bytes.0.1.load(SeqCst) <= 250, "{}", bytes.0.1.load(SeqCst));
    }
}

/// Adds up the bytes of the values that it was told of, slowly where one goes.
#[derive(Default)]
struct Seen(AtomicUsize, AtomicUsize);

impl Observer for Seen {
    fn task_started(&self, task: &TaskView<'_>, _: usize) {
        let bytes = task.bytes().unwrap_or(0) as usize;
        let alive = self.0.fetch_add(bytes, SeqCst) + bytes;
        self.1.fetch_max(alive, SeqCst);
    }

    fn value_released(&self, task: &TaskView<'_>) {
        for _ in 0..100 {
            std::thread::yield_now();
        }
        self.0.fetch_sub(task.bytes().unwrap_or(0) as usize, SeqCst);
    }
}

#[test]
fn observers_hear_that_a_value_went_before_others_take_its_room() {
    let parts: Vec<_> = (0..200)
        .map(|_| delayed(|| ()).bytes(100).map(|()| ()))
        .collect();
    let seen = Arc::new(Seen::default());
    let run = Run::new()
        .threads(4)
        .memory_limit(250)
        .observe(seen.clone());
    run.compute(&parts).unwrap();
    assert_eq!(seen.0.load(SeqCst), 0);
    assert!(seen.1.load(SeqCst) <= 250, "{}", seen.1.load(SeqCst));
}

#[test]
fn a_limit_below_what_the_graph_needs_makes_it_slow_not_stuck() {
    for threads in [2, 4] {
        // Ten values of 100 bytes are needed at once, where 150 may be alive.
        let reads: Vec<_> = (0..10)
            .map(|i| delayed(move || vec![i; 100]).bytes(100))
            .collect();
        let sum = apply(&reads, |reads| {
            reads.into_iter().map(|read| read[0]).sum::<u64>()
        });
        let failing = try_delayed(|| Err::<u64, _>("no"))
            .bytes(100)
            .map(|x| x + 1);
        assert_eq!(
            Run::new()
                .threads(threads)
                .memory_limit(150)
                .compute(&sum)
                .unwrap(),
            45
        );
        let run = Run::new().threads(threads).memory_limit(150).keep_going();
        assert!(run.compute((&failing, &sum)).is_err());
    }
}

#[test]
fn a_task_that_can_never_fit_is_refused_by_name() {
    let error = Run::new()
        .memory_limit(99)
        .compute(delayed(|| 1).named("big").bytes(100))
        .unwrap_err();
    assert!(matches!(
        &error,
        Error::TooBig {
            bytes: 100,
            limit: 99,
            ..
        }
    ));
    assert!(error.to_string().starts_with("task `big` "));
}

#[test]
fn sizes_that_no_machine_has_can_be_added_up() {
    for threads in [1, 2] {
        let parts: Vec<_> = (0..8_u64)
            .map(|i| {
                delayed(move || i)
                    .bytes(u64::MAX)
                    .map(|x| x + 1)
                    .bytes(u64::MAX)
            })
            .collect();
        let sum = apply(&parts, |parts| parts.into_iter().sum::<u64>()).bytes(u64::MAX);
        let run = Run::new().threads(threads).memory_limit(u64::MAX);
        assert_eq!(run.compute(&sum).unwrap(), 36);
    }
}

/// Each task that makes way looks at the best of those that wait, not at all of them: else this would take minutes.
#[test]
fn a_hundred_thousand_tasks_may_wait_for_one_limit() {
    let parts: Vec<_> = (0..100_000_u64)
        .map(|i| {
            let part = delayed(move || i).limit("disk", 1);
            if i % 3 == 0 {
                part.limit("net", 2)
            } else {
                part
            }
        })
        .collect();
    let sum = apply(&parts, |parts| parts.into_iter().sum::<u64>());
    assert_eq!(Run::new().threads(4).compute(&sum).unwrap(), 4_999_950_000);
}
