//! Random graphs with failures, panics, retries, limits, sizes, cancels and merged tasks, on one to eight threads: the values of a plain
//! evaluation, nothing run twice, nothing leaked, the memory limit kept, and no hang.

use std::{
    collections::HashMap,
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
};

use delayed::{CancelToken, Delayed, Error, Graph, Passes, Run, Scheduler, try_apply};
use proptest::prelude::*;

/// How a task ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Good,
    /// Fails so often before it succeeds.
    Flaky(u32),
    Error,
    Panic,
}

#[derive(Debug, Clone)]
struct Plan {
    inputs: Vec<usize>,
    fate: Fate,
    retries: u32,
    /// The limit it has, if any: limit `k` lets `k + 1` tasks run at once.
    limit: Option<usize>,
    bytes: u64,
    priority: i16,
}

fn plan() -> impl Strategy<Value = Plan> {
    let fate = prop_oneof![
        20 => Just(Fate::Good),
        3 => (1..4_u32).prop_map(Fate::Flaky),
        1 => Just(Fate::Error),
        1 => Just(Fate::Panic),
    ];
    let inputs = prop::collection::vec(any::<usize>(), 0..4);
    let limit = prop_oneof![3 => Just(None), 1 => (0..3_usize).prop_map(Some)];
    (inputs, fate, 0..4_u32, limit, 0..1000_u64, -2..3_i16).prop_map(
        |(inputs, fate, retries, limit, bytes, priority)| Plan {
            inputs,
            fate,
            retries,
            limit,
            bytes,
            priority,
        },
    )
}

/// What the tasks of one run do to the world.
#[derive(Default)]
struct World {
    attempts: Vec<AtomicU32>,
    alive: AtomicI64,
    at_once: [AtomicUsize; 3],
    too_many: AtomicUsize,
}

/// A value that is counted while it lives.
struct Counted {
    number: u64,
    world: Arc<World>,
}

impl Counted {
    fn new(number: u64, world: &Arc<World>) -> Self {
        world.alive.fetch_add(1, Relaxed);
        Counted {
            number,
            world: world.clone(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.world.alive.fetch_sub(1, Relaxed);
    }
}

fn mix(place: usize, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(place as u64 + 17, |sum, x| {
        sum.rotate_left(7).wrapping_mul(31) ^ x
    })
}

fn inputs_of(plan: &Plan, place: usize) -> Vec<usize> {
    if place == 0 {
        return Vec::new();
    }
    plan.inputs.iter().map(|input| input % place).collect()
}

fn build(plans: &[Plan], world: &Arc<World>) -> Vec<Delayed<Counted>> {
    let mut nodes: Vec<Delayed<Counted>> = Vec::new();
    for (place, plan) in plans.iter().enumerate() {
        let inputs: Vec<_> = inputs_of(plan, place)
            .into_iter()
            .map(|input| nodes[input].clone())
            .collect();
        let (world, fate, limit) = (world.clone(), plan.fate, plan.limit);
        let task = try_apply(inputs, move |inputs| {
            let attempt = world.attempts[place].fetch_add(1, Relaxed);
            if let Some(limit) = limit {
                let now = world.at_once[limit].fetch_add(1, Relaxed) + 1;
                world
                    .too_many
                    .fetch_add(usize::from(now > limit + 1), Relaxed);
                std::thread::yield_now();
                world.at_once[limit].fetch_sub(1, Relaxed);
            }
            match fate {
                Fate::Flaky(times) if attempt < times => Err("not yet"),
                Fate::Error => Err("never"),
                Fate::Panic => panic!("never"),
                _ => Ok(Counted::new(
                    mix(place, inputs.into_iter().map(|input| input.number)),
                    &world,
                )),
            }
        });
        let mut task = task
            .named(("task", place))
            .retries(plan.retries)
            .bytes(plan.bytes);
        if plan.priority != 0 {
            task = task.priority(plan.priority);
        }
        if let Some(limit) = plan.limit {
            task = task.limit(["one", "two", "three"][limit], limit + 1);
        }
        nodes.push(task);
    }
    nodes
}

/// What plain evaluation gives: the value, or nothing if the task or an input of it fails.
fn evaluate(plans: &[Plan]) -> Vec<Option<u64>> {
    let mut values: Vec<Option<u64>> = Vec::new();
    for (place, plan) in plans.iter().enumerate() {
        let inputs: Option<Vec<u64>> = inputs_of(plan, place)
            .into_iter()
            .map(|input| values[input])
            .collect();
        let succeeds = match plan.fate {
            Fate::Good => true,
            Fate::Flaky(times) => plan.retries >= times,
            Fate::Error | Fate::Panic => false,
        };
        values.push(
            inputs
                .filter(|_| succeeds)
                .map(|inputs| mix(place, inputs.into_iter())),
        );
    }
    values
}

fn world(tasks: usize) -> Arc<World> {
    Arc::new(World {
        attempts: (0..tasks).map(|_| AtomicU32::new(0)).collect(),
        ..World::default()
    })
}

/// The panics that these tests are about would fill the log.
fn without_noise() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"never") {
                usual(info);
            }
        }));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn failures_limits_and_sizes_change_no_value(
        plans in prop::collection::vec(plan(), 1..80),
        wanted in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
        threads in 1..9_usize,
        room in 1000..5000_u64,
    ) {
        without_noise();
        let expected = evaluate(&plans);
        let world = world(plans.len());
        let nodes = build(&plans, &world);
        let mut wanted: Vec<usize> = wanted.into_iter().map(|place| place.index(nodes.len())).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let outputs: Vec<_> = wanted.iter().map(|place| nodes[*place].clone()).collect();
        let run = Run::new().threads(threads).memory_limit(room);
        let (values, outcome) = run.salvage(&outputs);
        let got: Vec<Option<u64>> = values.iter().map(|value| value.as_ref().map(|value| value.number)).collect();
        let right: Vec<Option<u64>> = wanted.iter().map(|place| expected[*place]).collect();
        prop_assert_eq!(&got, &right);
        prop_assert_eq!(outcome.is_ok(), right.iter().all(Option::is_some));
        // Nothing was run twice but what failed and had retries left.
        for (attempts, plan) in world.attempts.iter().zip(&plans) {
            let most = match plan.fate {
                Fate::Good => 1,
                Fate::Flaky(times) => plan.retries.min(times) + 1,
                Fate::Error | Fate::Panic => plan.retries + 1,
            };
            prop_assert!(attempts.load(Relaxed) <= most);
        }
        prop_assert_eq!(world.too_many.load(Relaxed), 0);
        // Every failure is reported, and no other.
        let mut failed: Vec<String> = match &outcome {
            Ok(()) => Vec::new(),
            Err(Error::Several { errors }) => errors.iter().map(|error| error.task().unwrap().key.to_string()).collect(),
            Err(error) => vec![error.task().unwrap().key.to_string()],
        };
        failed.sort();
        let ran_and_failed = |place: usize| expected[place].is_none() && world.attempts[place].load(Relaxed) > 0;
        let mut right: Vec<String> = (0..plans.len()).filter(|place| ran_and_failed(*place)).map(|place| format!("task {place}")).collect();
        right.sort();
        prop_assert_eq!(failed, right);
        // Nothing but the outputs is left, and they go too.
        prop_assert_eq!(world.alive.load(Relaxed), values.iter().flatten().count() as i64);
        drop(values);
        prop_assert_eq!(world.alive.load(Relaxed), 0);
        // A run that stops at the first failure fails as well, and leaves nothing behind.
        let stopped = Run::new().threads(threads).compute(&outputs);
        for attempts in &world.attempts { attempts.store(0, Relaxed); }
        prop_assert!(stopped.is_err() || outcome.is_ok() || plans.iter().any(|plan| matches!(plan.fate, Fate::Flaky(_))));
        drop(stopped);
        prop_assert_eq!(world.alive.load(Relaxed), 0);
        drop((nodes, outputs));
        prop_assert_eq!(Arc::strong_count(&world), 1, "closures are dropped with the graph");
    }

    #[test]
    fn a_cancelled_run_ends_and_leaves_nothing(
        plans in prop::collection::vec(plan(), 1..80),
        threads in 1..9_usize,
        at in any::<prop::sample::Index>(),
    ) {
        without_noise();
        let world = world(plans.len());
        let nodes = build(&plans, &world);
        let token = CancelToken::new();
        let (canceller, which) = (token.clone(), at.index(nodes.len()));
        let last = nodes[which].map(move |_| canceller.cancel());
        let outcome = Run::new().threads(threads).cancel(&token).compute((&nodes, &last)).map(drop);
        // Cancelled by a task in it; by then another may have failed, or all may have run.
        match outcome {
            Ok(()) | Err(Error::Cancelled | Error::Failed { .. } | Error::Panicked { .. } | Error::Several { .. }) => {}
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
        prop_assert_eq!(world.alive.load(Relaxed), 0);
    }

    #[test]
    fn any_choice_of_passes_keeps_every_output(
        edges in prop::collection::vec((any::<usize>(), any::<usize>(), 0..4_u8), 1..60),
        threads in 1..5_usize,
        choice in any::<[bool; 4]>(),
    ) {
        // Many of these tasks are equal: that is what merging is for.
        let mut nodes: Vec<Delayed<u64>> = vec![delayed::value(3)];
        let mut plain = vec![3_u64];
        for (a, b, kind) in edges {
            let (a, b) = (a % nodes.len(), b % nodes.len());
            let (node, number) = match kind {
                0 => (delayed::delayed(|| 5).pure("five"), 5),
                1 => (nodes[a].map(|a| a.rotate_left(3) ^ 1).pure("turn"), plain[a].rotate_left(3) ^ 1),
                2 => (nodes[a].map(|a| a.wrapping_add(7)), plain[a].wrapping_add(7)),
                _ => (
                    delayed::apply((&nodes[a], &nodes[b]), |(a, b)| a.wrapping_mul(31) ^ b).pure("mix"),
                    plain[a].wrapping_mul(31) ^ plain[b],
                ),
            };
            nodes.push(node);
            plain.push(number);
        }
        let [merge, cull, inline, fuse] = choice;
        let passes = Passes::NONE.merge(merge).cull(cull).inline(inline).fuse(fuse);
        prop_assert_eq!(&Run::new().passes(passes).threads(threads).compute(&nodes).unwrap(), &plain);
        prop_assert_eq!(&Run::new().passes(passes).scheduler(Scheduler::Sequential).compute(&nodes).unwrap(), &plain);
        // As a picture: the same outputs, no task lost or invented, and each still after what it needs.
        let last = nodes.last().unwrap();
        let graph = Graph::of((last, &nodes[nodes.len() / 2].map(|x| *x)));
        let after = graph.optimize(passes);
        prop_assert_eq!(after.outputs().len(), graph.outputs().len());
        // Labels of long chains name those at their ends, and tell how many are between.
        let parts = |graph: &Graph| {
            let mut count: HashMap<String, usize> = HashMap::new();
            let mut between = 0;
            for id in graph.order().filter(|id| graph.info(*id).kind == delayed::Kind::Task) {
                for part in graph.label(id).to_string().split(", ") {
                    match part.strip_prefix("… ").and_then(|part| part.strip_suffix(" more …")) {
                        Some(number) => between += number.parse::<usize>().unwrap(),
                        None => *count.entry(part.to_string()).or_default() += 1,
                    }
                }
            }
            (count, between)
        };
        let ((named, between), (all, _)) = (parts(&after), parts(&graph));
        prop_assert_eq!(named.values().sum::<usize>() + between, all.values().sum::<usize>());
        prop_assert!(named.iter().all(|(label, count)| all.get(label).is_some_and(|all| count <= all)));
        prop_assert!(between > 0 || named == all);
        let mut place = vec![0; after.len()];
        for (at, id) in after.order().enumerate() {
            place[id.index()] = at;
        }
        for id in after.order() {
            prop_assert!(after.dependencies(id).all(|before| place[before.index()] < place[id.index()]));
        }
        prop_assert!(fuse || after.tasks() == graph.tasks());
    }
}

/// Counts the bytes that are alive, and the most that ever were.
#[derive(Default)]
struct Alive {
    now: AtomicI64,
    most: AtomicI64,
}

/// Bytes that are counted while it lives.
struct Block(Arc<Alive>, i64);

impl Alive {
    fn block(self: &Arc<Self>, size: u64) -> Block {
        let size = size as i64;
        let now = self.now.fetch_add(size, Relaxed) + size;
        self.most.fetch_max(now, Relaxed);
        std::thread::yield_now();
        Block(self.clone(), size)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.0.now.fetch_sub(self.1, Relaxed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// What is alive by what the tasks said never exceeds the limit by more than what is needed to go on: a task with inputs always
    /// may start, one without only if there is room or nothing else runs.
    #[test]
    fn independent_readers_never_exceed_the_memory_limit(
        sizes in prop::collection::vec(1..1000_u64, 1..120),
        threads in 2..9_usize,
        room in 1000..3000_u64,
    ) {
        let alive = Arc::new(Alive::default());
        let sums: Vec<_> = sizes
            .iter()
            .map(|size| {
                let (alive, size) = (alive.clone(), *size);
                let read = delayed::delayed(move || alive.block(size));
                read.bytes(size).map(|block| block.1 as u64)
            })
            .collect();
        let total = delayed::apply(sums, |sums| sums.into_iter().sum::<u64>());
        let run = Run::new().threads(threads).memory_limit(room);
        prop_assert_eq!(run.compute(&total).unwrap(), sizes.iter().sum::<u64>());
        let most = alive.most.load(Relaxed) as u64;
        prop_assert!(most <= room, "{most} alive, {room} allowed");
        prop_assert_eq!(alive.now.load(Relaxed), 0);
    }

    /// Where the limit lets any branch finish and no task makes more than it uses up, only what is being made can lie above it: one
    /// value for each thread.
    #[test]
    fn dependent_tasks_exceed_the_memory_limit_by_what_is_being_made(
        branches in prop::collection::vec(
            (prop::collection::vec(1..=1000_u64, 1..=4), prop::collection::vec(1..=1000_u64, 0..4)),
            1..80,
        ),
        threads in 2..9_usize,
        room in 4000..6000_u64,
    ) {
        let alive = Arc::new(Alive::default());
        let ends: Vec<Delayed<u64>> = branches
            .iter()
            .map(|(loads, steps)| {
                let reads: Vec<_> = loads
                    .iter()
                    .map(|size| {
                        let (alive, size) = (alive.clone(), *size);
                        delayed::delayed(move || alive.block(size)).bytes(size)
                    })
                    .collect();
                let mut size = *loads.iter().max().unwrap();
                let ours = alive.clone();
                let mut last = delayed::apply(reads, move |_| ours.block(size)).bytes(size);
                for step in steps {
                    size = size.min(*step);
                    let ours = alive.clone();
                    last = last.map(move |_| ours.block(size)).bytes(size);
                }
                last.map(|block| block.1 as u64)
            })
            .collect();
        let total = delayed::apply(ends, |ends| ends.into_iter().sum::<u64>());
        let right = branches.iter().map(|(loads, steps)| {
            let steps = steps.iter().min().copied().unwrap_or(u64::MAX);
            steps.min(*loads.iter().max().unwrap())
        });
        let run = Run::new().threads(threads).memory_limit(room);
        prop_assert_eq!(run.compute(&total).unwrap(), right.sum::<u64>());
        let most = alive.most.load(Relaxed) as u64;
        let above = threads as u64 * 1000;
        prop_assert!(most <= room + above, "{most} alive, {room} and {above} allowed");
        prop_assert_eq!(alive.now.load(Relaxed), 0);
    }
}
