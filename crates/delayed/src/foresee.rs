//! What will be alive at once on several threads: the scheduler's choices played through on paper.
//!
//! A task is taken to last as long as the bytes are many that it makes and reads; tasks without inputs, or those that make
//! nothing, perhaps several times as long. Of such plays the one with the most alive counts. Which worker is free first is
//! decided by that; all else is as in a run: the next dependent first, then what others left, then a task without inputs, if there is room.

use crate::graph::{Graph, Kind, TaskId};

/// Roots looked at, from the next one on, to find one whose value can be used soon; fewer than a run does.
const FAR: usize = 64;

/// How many times as long as others tasks last that bring data in, and those that take it out.
const PACES: [[u128; 2]; 3] = [[1, 1], [1, 8], [8, 1]];

impl Graph {
    /// The most bytes alive at once when `threads` run the tasks, with a [memory limit](crate::Run::memory_limit) or without, by what tasks
    /// were said to make.
    ///
    /// On one thread it is just that, on several about that: there, it depends on how long tasks take.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let parts: Vec<_> = (0..9).map(|i| delayed(move || vec![i; 100]).bytes(400).map(|part| part[0]).bytes(4)).collect();
    /// let graph = Graph::of(parts);
    /// assert_eq!(graph.expected_peak(1, None), 400 + 9 * 4);
    /// assert!((800..900).contains(&graph.expected_peak(2, None)));
    /// assert!(graph.expected_peak(2, Some(500)) <= 500 + 9 * 4);
    /// ```
    pub fn expected_peak(&self, threads: usize, memory_limit: Option<u64>) -> u64 {
        if threads <= 1 {
            return self.peak().0;
        }
        let peaks = PACES.map(|pace| {
            let mut play = Play::new(self, threads, memory_limit, pace);
            play.play_out();
            play.peak
        });
        let most = peaks.into_iter().max().unwrap_or(0);
        u64::try_from(most).unwrap_or(u64::MAX)
    }
}

/// A run on paper.
struct Play<'g> {
    graph: &'g Graph,
    limit: Option<u128>,
    pace: [u128; 2],
    workers: Vec<Worker>,
    /// Inputs that a task waits for, and dependents that have not read it.
    waits: Vec<u32>,
    readers: Vec<u32>,
    started: Vec<bool>,
    /// Tasks without inputs, by rank; those before `next` have started.
    roots: Vec<TaskId>,
    next: usize,
    /// Bytes that exist or are being made, with those of tasks that are ready (`held`) or without.
    live: u128,
    held: u128,
    in_flight: usize,
    peak: u128,
}

#[derive(Default)]
struct Worker {
    /// What it does, and until when.
    task: Option<(u128, TaskId)>,
    /// What became ready by its doing, the best last.
    stack: Vec<TaskId>,
    last: Option<TaskId>,
}

impl<'g> Play<'g> {
    fn new(graph: &'g Graph, threads: usize, limit: Option<u64>, pace: [u128; 2]) -> Self {
        let mut play = Play {
            graph,
            pace,
            limit: limit.map(u128::from),
            workers: (0..threads).map(|_| Worker::default()).collect(),
            waits: vec![0; graph.len()],
            readers: vec![0; graph.len()],
            started: vec![false; graph.len()],
            roots: Vec::new(),
            next: 0,
            live: 0,
            held: 0,
            in_flight: 0,
            peak: 0,
        };
        for id in graph.task_ids() {
            for before in play.inputs(id) {
                play.waits[id.index()] += 1;
                play.readers[before.index()] += 1;
            }
            if play.waits[id.index()] == 0 {
                play.roots.push(id);
            }
        }
        for output in graph.outputs() {
            play.readers[output.id.index()] += 1;
        }
        play
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

    fn bytes(&self, id: TaskId) -> u128 {
        u128::from(self.graph.info(id).bytes.unwrap_or(0))
    }

    /// The tasks whose values a task reads.
    fn inputs(&self, id: TaskId) -> impl Iterator<Item = TaskId> + use<'g> {
        let graph = self.graph;
        let task = move |id: &TaskId| graph.info(*id).kind == Kind::Task;
        graph.dependencies(id).filter(task)
    }

    fn choose(&mut self, worker: usize) -> Option<TaskId> {
        let workers = self.workers.len();
        for other in 0..workers {
            if let Some(task) = self.workers[(worker + other) % workers].stack.pop() {
                return Some(task);
            }
        }
        while self
            .roots
            .get(self.next)
            .is_some_and(|root| self.started[root.index()])
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
    fn best_root(&self, worker: usize, next: TaskId) -> TaskId {
        let not_started = |id: &TaskId| !self.started[id.index()];
        let is_root = |id: TaskId| self.inputs(id).next().is_none();
        let last = self.workers[worker].last;
        if let Some(dependent) = last.and_then(|last| self.graph.dependents(last).min()) {
            let mut missing = self.inputs(dependent).filter(not_started).peekable();
            if let Some(&first) = missing.peek()
                && missing.all(is_root)
            {
                return first;
            }
        }
        let useful = |id: TaskId| match self.graph.dependents(id).min() {
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
    fn ready(&mut self, task: TaskId) {
        self.held += self.bytes(task);
        self.in_flight += 1;
    }

    fn start(&mut self, worker: usize, task: TaskId, now: u128) {
        self.started[task.index()] = true;
        self.live += self.bytes(task);
        self.peak = self.peak.max(self.live);
        let read: u128 = self.inputs(task).map(|input| self.bytes(input)).sum();
        let made = self.bytes(task);
        let [bringing, taking] = self.pace;
        let lasts = match (read, made) {
            (0, made) => made * bringing,
            (read, 0) => read * taking,
            (read, made) => read + made,
        };
        self.workers[worker].task = Some((now + 1 + lasts, task));
    }

    fn finish(&mut self, worker: usize) {
        let Some((_, task)) = self.workers[worker].task.take() else {
            return;
        };
        self.workers[worker].last = Some(task);
        for input in self.inputs(task) {
            self.readers[input.index()] -= 1;
            if self.readers[input.index()] == 0 {
                let bytes = self.bytes(input);
                self.live -= bytes;
                self.held -= bytes;
            }
        }
        let mut dependents: Vec<TaskId> = self.graph.dependents(task).collect();
        dependents.sort_unstable_by(|a, b| b.cmp(a));
        for dependent in dependents {
            let waits = &mut self.waits[dependent.index()];
            *waits -= 1;
            if *waits == 0 {
                self.ready(dependent);
                self.workers[worker].stack.push(dependent);
            }
        }
        // A value that nobody reads goes at once.
        if self.readers[task.index()] == 0 {
            let bytes = self.bytes(task);
            self.live -= bytes;
            self.held -= bytes;
        }
        self.in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, Run, apply, delayed};

    #[test]
    fn what_was_expected_is_what_a_profile_shows() {
        let pole = delayed(|| 0_u8).named("pole").bytes(10);
        let chunks: Vec<_> = (0..40_usize)
            .map(|i| {
                let parts: Vec<_> = (0..3)
                    .map(|j| delayed(|| ()).named(format!("read {i} {j}")).bytes(100))
                    .collect();
                apply((parts, &pole), |_| ())
                    .named("regrid")
                    .bytes(50)
                    .map(|()| ())
                    .named("write")
            })
            .collect();
        let graph = Graph::of(chunks.clone());
        let profile = Profile::new();
        let run = Run::new().threads(1).observe(profile.clone());
        run.compute(&chunks).unwrap();
        assert_eq!(graph.expected_peak(1, None), 360);
        assert_eq!(profile.report().unwrap().peak_bytes, 360);
        let two = graph.expected_peak(2, None);
        assert!((400..=710).contains(&two), "{two}");
        let limited = graph.expected_peak(2, Some(450));
        assert!((360..=two).contains(&limited), "{limited}");
    }
}
