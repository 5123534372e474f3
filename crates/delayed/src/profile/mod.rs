//! A profile of a run: who ran what when, and what was alive; an ordinary [`Observer`].
//!
//! [`Profile`] collects, [`Report`] sums up, `export` writes the Chrome trace and the HTML page.

mod export;
mod share;

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::Arc,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

pub use share::Share;

use crate::{
    counts::Counts,
    error::Result,
    explain::Bytes,
    graph::{Graph, TaskId, write},
    observe::{Observer, RunEnd, RunView, TaskEnd, TaskView},
    resident::Resident,
    traffic::Traffic,
};

/// Notes who ran what when; to be handed to [`Run::observe`](crate::Run::observe) as a clone and looked at afterwards.
///
/// It holds the run that started last of those it saw, and of those alone the events.
/// ```
/// use delayed::{Profile, Run, delayed};
/// let profile = Profile::new();
/// let mean = delayed(|| vec![1.0, 2.0]).named("read").bytes(16).map(|v| v[0]).named("mean");
/// Run::new().observe(profile.clone()).compute(&mean)?;
/// let report = profile.report().unwrap();
/// assert_eq!((report.tasks, report.peak_bytes), (2, 16));
/// println!("{report}");
/// profile.write_html(std::env::temp_dir().join("delayed-profile.html"))?;
/// # Ok::<(), delayed::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Profile(Arc<Mutex<Option<Record>>>);

/// One run.
struct Record {
    /// Which one, as long as it lasts.
    run: usize,
    /// Where it was started, and ends.
    thread: ThreadId,
    graph: Arc<Graph>,
    workers: usize,
    notes: Counts,
    started: Instant,
    finished: Option<Instant>,
    /// What the process had in memory then.
    resident: Option<Resident>,
    tasks: Vec<TaskTime>,
    released: Vec<(TaskId, Duration)>,
}

/// When a task ran; times are from the start of the run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskTime {
    /// Which task of the graph that ran.
    pub id: TaskId,
    /// Who ran it; 0 is the caller's thread.
    pub worker: usize,
    /// When it started.
    pub started: Duration,
    /// When it ended.
    pub finished: Duration,
    /// Whether it gave a value.
    pub succeeded: bool,
    /// Bytes that it counted as read and written.
    pub traffic: Traffic,
    /// What else it counted.
    pub counts: Counts,
}

impl TaskTime {
    fn time(&self) -> Duration {
        self.finished.saturating_sub(self.started)
    }
}

impl Observer for Profile {
    fn run_started(&self, run: &RunView<'_>) {
        let record = Record {
            run: run.address(),
            thread: thread::current().id(),
            graph: Arc::new(run.graph()),
            workers: run.workers(),
            notes: run.notes().clone(),
            started: Instant::now(),
            finished: None,
            resident: None,
            tasks: Vec::with_capacity(run.tasks()),
            released: Vec::new(),
        };
        *self.0.lock() = Some(record);
    }

    fn task_finished(&self, task: &TaskView<'_>, end: &TaskEnd) {
        if let Some(record) = Record::of(&mut self.0.lock(), task) {
            let since = |instant: Instant| instant.saturating_duration_since(record.started);
            let time = TaskTime {
                id: task.id(),
                worker: end.worker,
                started: since(end.started),
                finished: since(end.finished),
                succeeded: end.succeeded,
                traffic: end.traffic,
                counts: end.counts.clone(),
            };
            record.tasks.push(time);
        }
    }

    fn value_released(&self, task: &TaskView<'_>) {
        let now = Instant::now();
        if let Some(record) = Record::of(&mut self.0.lock(), task) {
            record
                .released
                .push((task.id(), now.saturating_duration_since(record.started)));
        }
    }

    fn run_finished(&self, _: RunEnd) {
        if let Some(record) = &mut *self.0.lock()
            && record.finished.is_none()
            && record.thread == thread::current().id()
        {
            record.finished = Some(Instant::now());
            record.resident = Resident::of_process();
        }
    }
}

impl Profile {
    /// A profile that has seen no run yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// When each task of the last run ran, in the order in which they ended.
    pub fn tasks(&self) -> Vec<TaskTime> {
        self.0
            .lock()
            .as_ref()
            .map(|record| record.tasks.clone())
            .unwrap_or_default()
    }

    /// The graph of the last run, whose numbers [`TaskTime::id`] are; nothing if there was none.
    pub fn graph(&self) -> Option<Arc<Graph>> {
        self.0.lock().as_ref().map(|record| record.graph.clone())
    }

    /// Sums up the last run; nothing if there was none.
    pub fn report(&self) -> Option<Report> {
        self.0.lock().as_ref().map(Record::report)
    }

    /// Writes the last run as a trace that Perfetto and `chrome://tracing` show. Without a run, an empty one.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write).
    pub fn write_trace(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &export::Trace(self.0.lock().as_ref()))
    }

    /// Writes the last run as one HTML page that needs nothing else: task stream, memory, critical path, groups.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write).
    pub fn write_html(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &export::Page(self.0.lock().as_ref()))
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Profile({} tasks)",
            self.0
                .lock()
                .as_ref()
                .map_or(0, |record| record.tasks.len())
        )
    }
}

/// What a run amounted to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// How many tasks ran.
    pub tasks: usize,
    /// How many threads could have worked.
    pub workers: usize,
    /// From the run's start to its end.
    pub wall: Duration,
    /// The time of all tasks together.
    pub busy: Duration,
    /// The chain of tasks that took longest, and its time: no number of workers makes the run shorter.
    pub critical_path: (Vec<String>, Duration),
    /// The most bytes that were alive at once, by what the tasks were said to make.
    pub peak_bytes: u64,
    /// The most values that were alive at once.
    pub peak_values: usize,
    /// The most bytes that the process had in memory until the run ended, with all that was before it; nothing where the
    /// system does not tell.
    pub resident_bytes: Option<u64>,
    /// Bytes that tasks counted as read and written.
    pub traffic: Traffic,
    /// What was [noted](crate::Run::note) of the run, and what else its tasks [counted](crate::count).
    pub counts: Counts,
    /// Groups, the one with the most time first, each step of a group by itself; a task without either counts under its label.
    pub groups: Vec<Share>,
    /// The steps of all groups together, if groups have steps in common.
    pub steps: Vec<Share>,
}

impl Report {
    /// The share of the workers' time that went into tasks.
    pub fn efficiency(&self) -> f64 {
        self.busy.as_secs_f64()
            / (self.wall.as_secs_f64() * self.workers as f64).max(f64::MIN_POSITIVE)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} tasks in {:.3?} on {} workers, {:.0} % busy; critical path {:.3?}; peak {} values, {}",
            self.tasks,
            self.wall,
            self.workers,
            100.0 * self.efficiency(),
            self.critical_path.1,
            self.peak_values,
            Bytes(self.peak_bytes)
        )?;
        if self.traffic != Traffic::default() {
            let Traffic { read, written } = self.traffic;
            writeln!(f, "{} read, {} written", Bytes(read), Bytes(written))?;
        }
        self.counts.fmt(f)?;
        if let Some(resident) = self.resident_bytes {
            writeln!(
                f,
                "{} in memory at the most, with the program",
                Bytes(resident)
            )?;
        }
        for share in self.steps.iter().chain(&self.groups) {
            let time = format!("{:.3?}", share.time);
            writeln!(f, "{:>9} {time:>12} {}", share.tasks, share.name)?;
        }
        Ok(())
    }
}

impl Record {
    /// The record, if it is of the run that a task belongs to: the profile may have been given to another one that goes on as well.
    fn of<'r>(record: &'r mut Option<Record>, task: &TaskView<'_>) -> Option<&'r mut Record> {
        let of_run = |record: &&mut Record| record.run == task.run_address();
        record.as_mut().filter(of_run)
    }

    fn wall(&self) -> Duration {
        let last = self
            .tasks
            .iter()
            .map(|task| task.finished)
            .max()
            .unwrap_or_default();
        self.finished.map_or(last, |finished| {
            finished.saturating_duration_since(self.started)
        })
    }

    /// What a task is counted under.
    fn group(&self, id: TaskId) -> String {
        let info = self.graph.info(id);
        match (&info.group, &info.step) {
            (Some(group), Some(step)) => format!("{group}: {step}"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => info.label.stem(),
        }
    }

    /// Tasks summed up by what they have in common, the most time first.
    fn shares(&self, name: impl Fn(TaskId) -> Option<String>) -> Vec<Share> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut shares: Vec<Share> = Vec::new();
        for task in &self.tasks {
            let Some(name) = name(task.id) else { continue };
            let place = *places.entry(name).or_insert_with_key(|name| {
                shares.push(Share::of(name.clone()));
                shares.len() - 1
            });
            let share = &mut shares[place];
            share.tasks += 1;
            share.time += task.time();
            let bytes = self.graph.info(task.id).bytes.unwrap_or(0);
            share.bytes = share.bytes.saturating_add(bytes);
            share.traffic += task.traffic;
            share.counts.add_all(&task.counts);
        }
        shares.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.name.cmp(&b.name)));
        shares
    }

    /// Bytes and values alive after each change, in the order of time; a value counts from when its task starts to make it.
    fn alive(&self) -> Vec<(Duration, u64, usize)> {
        let bytes = |id: TaskId| i128::from(self.graph.info(id).bytes.unwrap_or(0));
        let made = self
            .tasks
            .iter()
            .filter(|task| task.succeeded)
            .map(|task| (task.started, bytes(task.id), 1));
        let mut changes: Vec<(Duration, i128, isize)> = made
            .chain(self.released.iter().map(|(id, at)| (*at, -bytes(*id), -1)))
            .collect();
        changes.sort_by_key(|change| change.0);
        let (mut bytes, mut values) = (0_i128, 0_isize);
        let alive = changes.into_iter().map(|(at, more_bytes, more_values)| {
            bytes += more_bytes;
            values += more_values;
            (
                at,
                u64::try_from(bytes.max(0)).unwrap_or(u64::MAX),
                values.max(0) as usize,
            )
        });
        alive.collect()
    }

    /// The tasks of the longest chain by measured time, first to last.
    fn critical_path(&self) -> (Vec<TaskId>, Duration) {
        let mut own = vec![Duration::ZERO; self.graph.len()];
        for task in &self.tasks {
            own[task.id.index()] = task.time();
        }
        let mut path = vec![Duration::ZERO; self.graph.len()];
        let mut before: Vec<Option<TaskId>> = vec![None; self.graph.len()];
        for id in self.graph.order() {
            let longest = self
                .graph
                .dependencies(id)
                .max_by_key(|dependency| path[dependency.index()]);
            path[id.index()] =
                own[id.index()] + longest.map_or(Duration::ZERO, |longest| path[longest.index()]);
            before[id.index()] = longest;
        }
        let Some(last) = self.graph.order().max_by_key(|id| path[id.index()]) else {
            return (Vec::new(), Duration::ZERO);
        };
        let mut chain: Vec<TaskId> =
            std::iter::successors(Some(last), |id| before[id.index()]).collect();
        chain.reverse();
        (chain, path[last.index()])
    }

    fn report(&self) -> Report {
        let groups = self.shares(|id| Some(self.group(id)));
        let steps = self.shares(|id| {
            let info = self.graph.info(id);
            info.group.as_ref().and(info.step.clone())
        });
        let (mut traffic, mut counts) = (Traffic::default(), self.notes.clone());
        for task in &self.tasks {
            traffic += task.traffic;
            counts.add_all(&task.counts);
        }
        let alive = self.alive();
        let (path, time) = self.critical_path();
        Report {
            tasks: self.tasks.len(),
            workers: self.workers,
            wall: self.wall(),
            busy: self.tasks.iter().map(TaskTime::time).sum(),
            critical_path: (
                path.into_iter()
                    .map(|id| self.graph.key(id).to_string())
                    .collect(),
                time,
            ),
            peak_bytes: alive.iter().map(|alive| alive.1).max().unwrap_or(0),
            peak_values: alive.iter().map(|alive| alive.2).max().unwrap_or(0),
            resident_bytes: self.resident.map(|resident| resident.most),
            traffic,
            counts,
            // With one group, its steps stand among the groups already.
            steps: match groups.len() > steps.len() {
                true => steps,
                false => Vec::new(),
            },
            groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, apply, count, delayed};

    fn profiled(threads: usize) -> Profile {
        let reads: Vec<_> = (0..20_usize)
            .map(|i| {
                delayed(move || {
                    count("chunks", 2);
                    i
                })
                .named(("read", i))
                .group("in </script> \"put\"")
                .bytes(8)
            })
            .collect();
        let regrids: Vec<_> = reads
            .iter()
            .enumerate()
            .map(|(i, read)| read.map(|x| x + 1).named(("regrid", i)).bytes(8))
            .collect();
        let join = apply(&regrids, |all| all.into_iter().sum::<usize>()).named("join");
        let profile = Profile::new();
        Run::new()
            .threads(threads)
            .note("bytes of weights", 7)
            .observe(profile.clone())
            .compute(&join)
            .unwrap();
        profile
    }

    #[test]
    fn a_report_counts_tasks_groups_and_what_was_alive() {
        for threads in [1, 3] {
            let report = profiled(threads).report().unwrap();
            assert_eq!(report.tasks, 41);
            assert_eq!(report.critical_path.0.len(), 3);
            let of = |name: &str| report.counts.of(name);
            assert_eq!((of("chunks"), of("bytes of weights")), (40, 7));
            let shares = report.groups.iter();
            let counted: u64 = shares
                .filter(|share| share.name.starts_with("in "))
                .map(|share| share.counts.of("chunks"))
                .sum();
            assert_eq!(counted, 40);
            assert_eq!(report.resident_bytes.is_some(), cfg!(target_os = "linux"));
            assert_eq!(report.critical_path.0.last().unwrap(), "join");
            let mut groups: Vec<_> = report
                .groups
                .iter()
                .map(|share| (share.name.as_str(), share.tasks))
                .collect();
            groups.sort_unstable();
            assert_eq!(
                groups,
                [("in </script> \"put\"", 20), ("join", 1), ("regrid", 20)]
            );
            assert!(
                report.peak_values >= 21 && report.peak_bytes >= 160,
                "{report}"
            );
            if threads == 1 {
                assert_eq!((report.peak_values, report.peak_bytes), (21, 168));
            }
        }
    }

    #[test]
    fn the_trace_is_json_with_a_track_for_each_worker_and_what_was_alive() {
        let profile = profiled(2);
        let text = export::Trace(profile.0.lock().as_ref()).to_string();
        let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
        let facts = &trace["otherData"];
        assert_eq!(
            (&facts["tasks"], &facts["chunks"]),
            (&41.into(), &40.into())
        );
        assert_eq!(facts["bytes of weights"], 7);
        let events = trace["traceEvents"].as_array().unwrap();
        let of = |phase: &str| {
            let of = events.iter().filter(|event| event["ph"] == phase);
            of.collect::<Vec<_>>()
        };
        let tasks = of("X");
        assert_eq!(tasks.len(), 41);
        assert!(
            tasks
                .iter()
                .any(|task| task["cat"] == "in </script> \"put\"")
        );
        assert!(tasks.iter().all(|task| task["tid"].as_u64() < Some(2)));
        let tracks = of("M")
            .into_iter()
            .filter(|event| event["name"] == "thread_name");
        assert_eq!(tracks.count(), 2);
        let bytes = of("C")
            .into_iter()
            .filter_map(|event| event["args"]["bytes"].as_u64());
        assert_eq!(bytes.max(), Some(profile.report().unwrap().peak_bytes));
    }

    #[test]
    fn a_failed_task_shows_as_one_in_the_trace_and_on_the_page() {
        let profile = Profile::new();
        let bad = delayed(|| 1)
            .named("read")
            .try_map(|_| Err::<u8, _>("no"))
            .named("bad");
        let run = Run::new().threads(1).observe(profile.clone());
        run.compute(&bad).unwrap_err();
        let record = profile.0.lock();
        let trace = export::Trace(record.as_ref()).to_string();
        let failed: Vec<&str> = trace
            .lines()
            .filter(|line| line.contains("terrible"))
            .collect();
        assert!(matches!(failed[..], [line] if line.contains(r#""key":"bad","ok":false"#)));
        let page = export::Page(record.as_ref()).to_string();
        let of_bad = page.split("[\"bad\",0,").nth(1).unwrap();
        assert!(of_bad.split(']').next().unwrap().ends_with(",0"));
    }

    #[test]
    fn the_page_keeps_its_data_apart_from_its_markup_and_needs_nothing_else() {
        let profile = profiled(2);
        let page = export::Page(profile.0.lock().as_ref()).to_string();
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("http"), "the page needs nothing else");
    }

    #[test]
    fn of_runs_at_the_same_time_it_keeps_the_one_that_started_last() {
        let profile = Profile::new();
        let run = Run::new().threads(1).observe(profile.clone());
        let inner = run.clone();
        let outer: Vec<_> = (0..20)
            .map(|i| {
                let inner = inner.clone();
                delayed(move || match i {
                    3 => inner.compute([delayed(|| 1), delayed(|| 2)]).unwrap().len(),
                    _ => i,
                })
            })
            .collect();
        run.compute(&outer).unwrap();
        let report = profile.report().unwrap();
        assert_eq!((report.tasks, report.peak_values), (2, 2));
        assert!(report.wall >= report.busy);
    }

    #[test]
    fn a_profile_without_a_run_is_empty() {
        assert!(Profile::new().report().is_none());
        assert!(
            export::Trace(None)
                .to_string()
                .contains("\"traceEvents\":[")
        );
        assert!(export::Page(None).to_string().ends_with("</html>\n"));
    }
}
