//! A run on paper: the scheduler's choices, for tasks of which no more is known than what they make, read and how long they last.

use std::collections::VecDeque;

use crate::{audited::values::KNOWN, frozen::Frozen, graph::Graph, task::Notes};

/// Roots looked at, from the next one on, to find one whose value can be used soon; fewer than a run does.
const FAR: usize = 64;

/// How many times as long as others tasks last that bring data in, and those that take it out.
const PACES: [[u64; 2]; 3] = [[1, 1], [1, 8], [8, 1]];

/// Who watches a run on paper.
pub(super) trait Watch {
    /// A task starts; says how long it will last.
    fn starts(&mut self, task: u32) -> u64;

    /// A task ends.
    fn ends(&mut self, task: u32);

    /// The value of a task that has ended goes.
    fn goes(&mut self, task: u32);
}

/// On how many threads a run is, and how many of them run at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Threads {
    pub(super) count: usize,
    cores: usize,
    /// How long one keeps its core while others wait for one.
    slice: u64,
}

impl Threads {
    /// Each on a core of its own.
    pub(super) fn apart(count: usize) -> Self {
        Self::on_cores(count, count, 0)
    }

    /// As many as there are cores at once: where there are more, one keeps its core for so long.
    pub(super) fn on_cores(count: usize, cores: usize, slice: u64) -> Self {
        Self {
            count,
            cores: cores.clamp(1, count.max(1)),
            slice: if count <= cores {
                u64::MAX
            } else {
                slice.max(1)
            },
        }
    }
}

/// What a play has to know of a graph: its tasks by rank, and which of them read which.
pub(super) struct Sketch {
    pub(super) bytes: Vec<u64>,
    inputs: Lists,
    dependents: Lists,
    /// The tasks that are outputs, each as often as it is one.
    outputs: Vec<u32>,
}

/// A list of tasks for each task, one after another.
#[derive(Default)]
struct Lists {
    tasks: Vec<u32>,
    /// Where each list ends.
    ends: Vec<usize>,
}

impl Lists {
    fn of(&self, task: u32) -> &[u32] {
        let task = task as usize;
        let start = task.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.tasks[start..self.ends[task]]
    }

    /// For each task those in whose lists it is, by rank.
    fn turned(&self) -> Self {
        // Counted, then summed up: where each list starts; filling it up moves that to where it ends.
        let mut ends = vec![0; self.ends.len()];
        for &task in &self.tasks {
            ends[task as usize] += 1;
        }
        let mut before = 0;
        for end in &mut ends {
            before += std::mem::replace(end, before);
        }
        let mut tasks = vec![0; self.tasks.len()];
        for reader in 0..self.ends.len() as u32 {
            for &task in self.of(reader) {
                let place = &mut ends[task as usize];
                tasks[*place] = reader;
                *place += 1;
            }
        }
        Lists { tasks, ends }
    }
}

impl Sketch {
    /// A sketch of tasks with their bytes and inputs, which may be there several times.
    fn new<I: Iterator<Item = u32>>(
        tasks: impl Iterator<Item = (u64, I)>,
        outputs: Vec<u32>,
    ) -> Self {
        let mut bytes = Vec::with_capacity(tasks.size_hint().0);
        let mut inputs = Lists::default();
        let mut own = Vec::new();
        for (size, read) in tasks {
            bytes.push(size);
            own.clear();
            own.extend(read);
            own.sort_unstable();
            own.dedup();
            inputs.tasks.extend_from_slice(&own);
            inputs.ends.push(inputs.tasks.len());
        }
        let dependents = inputs.turned();
        Sketch {
            bytes,
            inputs,
            dependents,
            outputs,
        }
    }

    pub(super) fn of_graph(graph: &Graph) -> Self {
        let ids: Vec<_> = graph.task_ids().collect();
        // Known values are among the nodes; the tasks keep their order without them.
        let mut ranks = vec![None; graph.len()];
        for (rank, id) in ids.iter().enumerate() {
            ranks[id.index()] = Some(rank as u32);
        }
        let ranks = &ranks;
        let tasks = ids.iter().map(|&id| {
            let inputs = graph.dependencies(id);
            let bytes = graph.info(id).bytes.unwrap_or(0);
            (bytes, inputs.filter_map(|input| ranks[input.index()]))
        });
        let outputs = graph.outputs().iter();
        Self::new(
            tasks,
            outputs
                .filter_map(|output| ranks[output.id.index()])
                .collect(),
        )
    }

    pub(super) fn of_frozen(frozen: &Frozen<'_>) -> Self {
        let tasks = frozen.nodes().enumerate().map(|(task, node)| {
            let said = node.with_notes(|notes: &Notes| notes.bytes).flatten();
            let inputs = frozen.dependency_tasks(task).map(|input| input as u32);
            (said.unwrap_or(0), inputs)
        });
        let outputs = frozen.outputs.iter().copied();
        Self::new(
            tasks,
            outputs.filter(|output| output & KNOWN == 0).collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn tasks(&self) -> std::ops::Range<u32> {
        0..self.len() as u32
    }

    /// Who has to be done with each task's value before it goes: its dependents, and the caller.
    fn readers(&self) -> Vec<u32> {
        let dependents = self
            .tasks()
            .map(|task| self.dependents.of(task).len() as u32);
        let mut readers: Vec<u32> = dependents.collect();
        for &output in &self.outputs {
            readers[output as usize] += 1;
        }
        readers
    }

    /// The most bytes and the most values alive at once on one thread.
    pub(super) fn peak(&self) -> (u64, usize) {
        let mut alive = Alive::of(self, Vec::new());
        self.in_order(&mut alive);
        (alive.most(), alive.most_values)
    }

    /// The run on one thread.
    fn in_order(&self, watch: &mut impl Watch) {
        let mut readers = self.readers();
        for task in self.tasks() {
            watch.starts(task);
            watch.ends(task);
            for &input in self.inputs.of(task) {
                let readers = &mut readers[input as usize];
                *readers -= 1;
                if *readers == 0 {
                    watch.goes(input);
                }
            }
            if readers[task as usize] == 0 {
                watch.goes(task);
            }
        }
    }

    /// The run; says how many bytes of values were there at the most, or about to be, as a limit counts them. Of one thread it does not.
    pub(super) fn play(
        &self,
        threads: Threads,
        memory_limit: Option<u64>,
        watch: &mut impl Watch,
    ) -> Option<u128> {
        if threads.count <= 1 {
            self.in_order(watch);
            return None;
        }
        let mut play = Play::new(self, threads, memory_limit, watch);
        play.play_out();
        Some(play.most_held)
    }

    /// The most bytes alive at once in such a run, where tasks last so long.
    pub(super) fn peak_where(
        &self,
        threads: Threads,
        memory_limit: Option<u64>,
        lasts: Vec<u64>,
    ) -> u64 {
        let mut alive = Alive::of(self, lasts);
        self.play(threads, memory_limit, &mut alive);
        alive.most()
    }

    /// Bytes of all values that a task reads.
    pub(super) fn input_bytes(&self, task: u32) -> u64 {
        let inputs = self.inputs.of(task).iter();
        inputs.fold(0, |sum, &input| {
            sum.saturating_add(self.bytes[input as usize])
        })
    }

    pub(super) fn peak_on(&self, threads: usize, memory_limit: Option<u64>) -> u64 {
        if threads <= 1 {
            return self.peak().0;
        }
        let plays = PACES.into_iter().map(|[bringing, taking]| {
            let lasts = |task| {
                let (made, read) = (self.bytes[task as usize], self.input_bytes(task));
                match (read, made) {
                    (0, made) => made.saturating_mul(bringing),
                    (read, 0) => read.saturating_mul(taking),
                    (read, made) => read.saturating_add(made),
                }
            };
            self.tasks().map(lasts).collect()
        });
        let threads = Threads::apart(threads);
        let peaks = plays.map(|lasts| self.peak_where(threads, memory_limit, lasts));
        peaks.max().unwrap_or(0)
    }
}

/// The bytes of values that are alive, and were at the most.
struct Alive<'g> {
    bytes: &'g [u64],
    /// How long tasks last; nothing if nobody asks.
    lasts: Vec<u64>,
    // Wider than one size, so that no sum of them overflows.
    alive: u128,
    most: u128,
    values: usize,
    most_values: usize,
}

impl<'g> Alive<'g> {
    fn of(graph: &'g Sketch, lasts: Vec<u64>) -> Self {
        Self {
            bytes: &graph.bytes,
            lasts,
            alive: 0,
            most: 0,
            values: 0,
            most_values: 0,
        }
    }

    fn most(&self) -> u64 {
        u64::try_from(self.most).unwrap_or(u64::MAX)
    }
}

impl Watch for Alive<'_> {
    fn starts(&mut self, task: u32) -> u64 {
        self.alive += u128::from(self.bytes[task as usize]);
        self.most = self.alive.max(self.most);
        self.values += 1;
        self.most_values = self.values.max(self.most_values);
        self.lasts.get(task as usize).copied().unwrap_or(0)
    }

    fn ends(&mut self, _: u32) {}

    fn goes(&mut self, task: u32) {
        self.alive -= u128::from(self.bytes[task as usize]);
        self.values -= 1;
    }
}

/// A run on paper.
struct Play<'g, W> {
    graph: &'g Sketch,
    limit: Option<u128>,
    threads: Threads,
    workers: Vec<Worker>,
    /// Those on a core; those that wait for one, the first to get it first; those that found nothing to do; and the first of those that
    /// nobody has woken yet.
    running: Vec<usize>,
    waiting: VecDeque<usize>,
    idle: Vec<usize>,
    asleep: usize,
    /// Inputs that a task waits for, and dependents that have not read it.
    waits: Vec<u32>,
    readers: Vec<u32>,
    started: Vec<bool>,
    /// Tasks without inputs, by rank; those before `next` have started.
    roots: Vec<u32>,
    next: usize,
    /// Bytes that exist, are being made, or will be by tasks that are ready.
    held: u128,
    most_held: u128,
    in_flight: usize,
    watch: &'g mut W,
}

#[derive(Default)]
struct Worker {
    /// What it does, and how much of it is left to do.
    task: Option<(u64, u32)>,
    /// How long it may keep its core.
    slice: u64,
    /// What became ready by its doing, the best last.
    stack: Vec<u32>,
    last: Option<u32>,
}

impl<'g, W: Watch> Play<'g, W> {
    fn new(graph: &'g Sketch, threads: Threads, limit: Option<u64>, watch: &'g mut W) -> Self {
        Play {
            graph,
            limit: limit.map(u128::from),
            threads,
            workers: (0..threads.count).map(|_| Worker::default()).collect(),
            running: Vec::new(),
            waiting: VecDeque::from([0]),
            idle: Vec::new(),
            asleep: 1,
            waits: graph
                .tasks()
                .map(|task| graph.inputs.of(task).len() as u32)
                .collect(),
            readers: graph.readers(),
            started: vec![false; graph.len()],
            roots: graph
                .tasks()
                .filter(|&task| graph.inputs.of(task).is_empty())
                .collect(),
            next: 0,
            held: 0,
            most_held: 0,
            in_flight: 0,
            watch,
        }
    }

    fn play_out(&mut self) {
        loop {
            while self.running.len() < self.threads.cores
                && let Some(worker) = self.waiting.pop_front()
            {
                self.workers[worker].slice = self.threads.slice;
                self.go_on(worker);
            }
            let until = |worker: &usize| {
                let worker = &self.workers[*worker];
                worker.task.map_or(0, |(left, _)| left.min(worker.slice))
            };
            let Some(passes) = self.running.iter().map(until).min() else {
                return;
            };
            // Who is done, or has had its time on the core, leaves it; the first to get one goes first.
            for worker in std::mem::take(&mut self.running) {
                let running = &mut self.workers[worker];
                if let Some((left, _)) = &mut running.task {
                    *left -= passes;
                }
                if self.threads.slice < u64::MAX {
                    running.slice -= passes;
                }
                match running.task {
                    Some((0, task)) => self.finish(worker, task),
                    _ if running.slice == 0 => self.waiting.push_back(worker),
                    _ => self.running.push(worker),
                }
            }
        }
    }

    /// A worker that has a core goes on with its task, or takes one, or leaves the core.
    fn go_on(&mut self, worker: usize) {
        if self.workers[worker].task.is_none() {
            let Some(task) = self.choose(worker) else {
                self.idle.push(worker);
                return;
            };
            self.started[task as usize] = true;
            // Who found something wakes another.
            if self.asleep < self.workers.len() {
                self.waiting.push_back(self.asleep);
                self.asleep += 1;
            }
            // Something else may be done by others before anything ends, though it takes no time.
            let lasts = self.watch.starts(task).saturating_add(1);
            self.workers[worker].task = Some((lasts, task));
        }
        self.running.push(worker);
    }

    fn bytes(&self, id: u32) -> u128 {
        u128::from(self.graph.bytes[id as usize])
    }

    /// The tasks whose values a task reads.
    fn inputs(&self, id: u32) -> impl Iterator<Item = u32> + use<'g, W> {
        self.graph.inputs.of(id).iter().copied()
    }

    /// The first of those that read a task's value.
    fn first_dependent(&self, id: u32) -> Option<u32> {
        self.graph.dependents.of(id).first().copied()
    }

    fn choose(&mut self, worker: usize) -> Option<u32> {
        let workers = self.workers.len();
        for other in 0..workers {
            if let Some(task) = self.workers[(worker + other) % workers].stack.pop() {
                return Some(task);
            }
        }
        while self
            .roots
            .get(self.next)
            .is_some_and(|&root| self.started[root as usize])
        {
            self.next += 1;
        }
        let root = *self.roots.get(self.next)?;
        let chosen = match self.limit {
            Some(limit) => {
                let room = self.in_flight == 0 || self.held + self.bytes(root) <= limit;
                room.then_some(root)?
            }
            None => self.best_root(worker, root),
        };
        self.ready(chosen);
        Some(chosen)
    }

    /// The root that goes on with the worker's last task, else the next one that can be used soon, else the next one.
    fn best_root(&self, worker: usize, next: u32) -> u32 {
        let not_started = |id: &u32| !self.started[*id as usize];
        let is_root = |id: u32| self.inputs(id).next().is_none();
        let last = self.workers[worker].last;
        if let Some(dependent) = last.and_then(|last| self.first_dependent(last)) {
            let mut missing = self.inputs(dependent).filter(not_started).peekable();
            if let Some(&first) = missing.peek()
                && missing.all(is_root)
            {
                return first;
            }
        }
        let useful = |id: u32| match self.first_dependent(id) {
            Some(dependent) => self
                .inputs(dependent)
                .all(|input| !not_started(&input) || is_root(input)),
            None => true,
        };
        let near = self.roots[self.next..].iter().take(FAR).copied();
        near.filter(not_started)
            .find(|&root| useful(root))
            .unwrap_or(next)
    }

    /// Keeps room for a task's value.
    fn ready(&mut self, task: u32) {
        self.held += self.bytes(task);
        self.most_held = self.held.max(self.most_held);
        self.in_flight += 1;
    }

    fn finish(&mut self, worker: usize, task: u32) {
        self.workers[worker].task = None;
        self.workers[worker].last = Some(task);
        self.watch.ends(task);
        for input in self.inputs(task) {
            self.readers[input as usize] -= 1;
            if self.readers[input as usize] == 0 {
                self.goes(input);
            }
        }
        let graph = self.graph;
        for &dependent in graph.dependents.of(task).iter().rev() {
            let waits = &mut self.waits[dependent as usize];
            *waits -= 1;
            if *waits == 0 {
                self.ready(dependent);
                self.workers[worker].stack.push(dependent);
            }
        }
        // A value that nobody reads goes at once.
        if self.readers[task as usize] == 0 {
            self.goes(task);
        }
        self.in_flight -= 1;
        // There may be something to do now for those that had nothing.
        self.waiting.extend(self.idle.drain(..));
        match self.workers[worker].slice {
            0 => self.waiting.push_back(worker),
            _ => self.go_on(worker),
        }
    }

    fn goes(&mut self, task: u32) {
        self.held -= self.bytes(task);
        self.watch.goes(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delayed;

    #[test]
    fn threads_that_lose_their_cores_keep_what_they_have() {
        let parts: Vec<_> = (0..40).map(|_| delayed(|| ()).bytes(100)).collect();
        let sums: Vec<_> = parts.iter().map(|part| part.map(|()| ())).collect();
        let sketch = Sketch::of_graph(&Graph::of(sums));
        let peak = |threads, lasts: u64| {
            let lasts = sketch.tasks().map(|_| lasts).collect();
            sketch.peak_where(threads, None, lasts)
        };
        let slice = 1_000_000;
        assert_eq!(peak(Threads::apart(8), slice), 800);
        assert_eq!(peak(Threads::on_cores(8, 8, slice), slice), 800);
        // Nobody is done before all have begun.
        assert_eq!(peak(Threads::on_cores(8, 2, slice), 5 * slice), 800);
        // Two do all of it while the others wait for their turn.
        assert_eq!(peak(Threads::on_cores(8, 2, 1000 * slice), slice), 200);
        // In between, some have begun and lost their cores.
        let some = peak(Threads::on_cores(8, 2, 5 * slice), 2 * slice);
        assert!((300..=800).contains(&some), "{some}");
    }
}
