//! A run on paper: the scheduler's choices, for tasks of which no more is known than what they make, read and how long they last.

use crate::{audited::values::KNOWN, frozen::Frozen, graph::Graph, task::Notes};

/// Roots looked at, from the next one on, to find one whose value can be used soon; fewer than a run does.
const FAR: usize = 64;

/// How many times as long as others tasks last that bring data in, and those that take it out.
const PACES: [[u64; 2]; 3] = [[1, 1], [1, 8], [8, 1]];

/// A moment of a run on paper.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    Starts(u32),
    Ends(u32),
    Goes(u32),
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

    fn len(&self) -> usize {
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
        let (mut alive, mut values, mut most) = (Alive::of(self), 0_usize, 0);
        self.in_order(&mut |moment| {
            alive.goes_on(moment);
            match moment {
                Moment::Starts(_) => values += 1,
                Moment::Ends(_) => {}
                Moment::Goes(_) => values -= 1,
            }
            most = values.max(most);
        });
        (alive.most(), most)
    }

    /// The run on one thread.
    fn in_order(&self, watch: &mut impl FnMut(Moment)) {
        let mut readers = self.readers();
        for task in self.tasks() {
            watch(Moment::Starts(task));
            watch(Moment::Ends(task));
            for &input in self.inputs.of(task) {
                let readers = &mut readers[input as usize];
                *readers -= 1;
                if *readers == 0 {
                    watch(Moment::Goes(input));
                }
            }
            if readers[task as usize] == 0 {
                watch(Moment::Goes(task));
            }
        }
    }

    /// The run, where tasks last so long.
    pub(super) fn play(
        &self,
        threads: usize,
        memory_limit: Option<u64>,
        lasts: Vec<u64>,
        watch: &mut impl FnMut(Moment),
    ) {
        match threads {
            0 | 1 => self.in_order(watch),
            _ => Play::new(self, threads, memory_limit, lasts, watch).play_out(),
        }
    }

    /// The most bytes alive at once in such a run.
    pub(super) fn peak_where(
        &self,
        threads: usize,
        memory_limit: Option<u64>,
        lasts: Vec<u64>,
    ) -> u64 {
        let mut alive = Alive::of(self);
        self.play(threads, memory_limit, lasts, &mut |moment| {
            alive.goes_on(moment)
        });
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
        let peaks = plays.map(|lasts| self.peak_where(threads, memory_limit, lasts));
        peaks.max().unwrap_or(0)
    }
}

/// The bytes of values that are alive, and were at the most.
struct Alive<'g> {
    bytes: &'g [u64],
    // Wider than one size, so that no sum of them overflows.
    alive: u128,
    most: u128,
}

impl<'g> Alive<'g> {
    fn of(graph: &'g Sketch) -> Self {
        Self {
            bytes: &graph.bytes,
            alive: 0,
            most: 0,
        }
    }

    fn goes_on(&mut self, moment: Moment) {
        match moment {
            Moment::Starts(task) => self.alive += u128::from(self.bytes[task as usize]),
            Moment::Ends(_) => {}
            Moment::Goes(task) => self.alive -= u128::from(self.bytes[task as usize]),
        }
        self.most = self.alive.max(self.most);
    }

    fn most(&self) -> u64 {
        u64::try_from(self.most).unwrap_or(u64::MAX)
    }
}

/// A run on paper.
struct Play<'g, W> {
    graph: &'g Sketch,
    limit: Option<u128>,
    /// How long each task takes.
    lasts: Vec<u64>,
    workers: Vec<Worker>,
    /// Inputs that a task waits for, and dependents that have not read it.
    waits: Vec<u32>,
    readers: Vec<u32>,
    started: Vec<bool>,
    /// Tasks without inputs, by rank; those before `next` have started.
    roots: Vec<u32>,
    next: usize,
    /// Bytes that exist, are being made, or will be by tasks that are ready.
    held: u128,
    in_flight: usize,
    watch: &'g mut W,
}

#[derive(Default)]
struct Worker {
    /// What it does, and until when.
    task: Option<(u128, u32)>,
    /// What became ready by its doing, the best last.
    stack: Vec<u32>,
    last: Option<u32>,
}

impl<'g, W: FnMut(Moment)> Play<'g, W> {
    fn new(
        graph: &'g Sketch,
        threads: usize,
        limit: Option<u64>,
        lasts: Vec<u64>,
        watch: &'g mut W,
    ) -> Self {
        Play {
            graph,
            lasts,
            limit: limit.map(u128::from),
            workers: (0..threads).map(|_| Worker::default()).collect(),
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
            in_flight: 0,
            watch,
        }
    }

    fn play_out(&mut self) {
        let mut now = 0;
        loop {
            // One after another takes what there is, until nobody finds anything.
            let mut found = true;
            while found {
                found = false;
                for worker in 0..self.workers.len() {
                    if self.workers[worker].task.is_none()
                        && let Some(task) = self.choose(worker)
                    {
                        self.start(worker, task, now);
                        found = true;
                    }
                }
            }
            let busy = self.workers.iter().enumerate();
            let first = busy
                .filter_map(|(worker, w)| w.task.map(|(end, _)| (end, worker)))
                .min();
            let Some((end, worker)) = first else { return };
            now = end;
            self.finish(worker);
        }
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
        self.in_flight += 1;
    }

    fn start(&mut self, worker: usize, task: u32, now: u128) {
        self.started[task as usize] = true;
        (self.watch)(Moment::Starts(task));
        let lasts = u128::from(self.lasts[task as usize]);
        self.workers[worker].task = Some((now + 1 + lasts, task));
    }

    fn finish(&mut self, worker: usize) {
        let Some((_, task)) = self.workers[worker].task.take() else {
            return;
        };
        self.workers[worker].last = Some(task);
        (self.watch)(Moment::Ends(task));
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
    }

    fn goes(&mut self, task: u32) {
        self.held -= self.bytes(task);
        (self.watch)(Moment::Goes(task));
    }
}
