//! Mistakes that can be seen in a graph before it runs: those that Dask's best-practices pages warn of.

use std::{collections::HashMap, fmt};

use crate::{
    explain::Bytes,
    graph::{Graph, Kind, TaskId},
    key::Key,
};

/// Something in a graph that is probably not meant; displays as advice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lint {
    /// So many tasks in one group that their overhead may outweigh their work.
    ManyTasks {
        /// The group, or what the labels have in common.
        group: String,
        /// How many.
        tasks: usize,
    },
    /// A closure carries a lot of data in itself, and so does each of its likes.
    BigCapture {
        /// The first such task.
        task: Key,
        /// What it carries.
        bytes: usize,
        /// How many tasks of that label do.
        tasks: usize,
    },
    /// A task's value is itself a delayed value, or an output's value holds one, and nobody runs it.
    DelayedInside {
        /// The task.
        task: Key,
    },
    /// One task reads very many values, which all have to be alive at once.
    WideJoin {
        /// The task.
        task: Key,
        /// How many it reads.
        inputs: usize,
        /// What they are said to take.
        bytes: u64,
    },
    /// No two tasks can ever run at the same time.
    Serial {
        /// How many there are.
        tasks: usize,
    },
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lint::ManyTasks { group, tasks } => {
                write!(
                    f,
                    "{tasks} tasks of `{group}`: if each is short, let one task do the work of several"
                )
            }
            Lint::BigCapture { task, bytes, tasks } => {
                match tasks {
                    0 | 1 => write!(f, "`{task}` carries {bytes} bytes in its closure")?,
                    2 => write!(
                        f,
                        "`{task}` and another carry {bytes} bytes each in their closures"
                    )?,
                    _ => write!(
                        f,
                        "`{task}` and {} others carry {bytes} bytes each in their closures",
                        tasks - 1
                    )?,
                }
                f.write_str(": make them a delayed value that tasks share")
            }
            Lint::DelayedInside { task } => {
                write!(
                    f,
                    "`{task}` returns a delayed value that nobody runs: build it outside of the task, or use `flatten`"
                )
            }
            Lint::WideJoin {
                task,
                inputs,
                bytes,
            } => {
                write!(f, "`{task}` holds {inputs} values at once")?;
                if *bytes > 0 {
                    write!(f, " ({})", Bytes(*bytes))?;
                }
                f.write_str(": join them in a tree, or let each task put its part in place")
            }
            Lint::Serial { tasks } => {
                write!(
                    f,
                    "none of the {tasks} tasks can run beside another: more workers will not help"
                )
            }
        }
    }
}

/// Above this, one group has many tasks.
const MANY_TASKS: usize = 10_000;
/// Above this, a closure carries much.
const BIG_CAPTURE: usize = 4096;
/// Above this, a task reads very many values.
const WIDE_JOIN: usize = 1000;
/// Above this, a task that reads most of what the graph makes reads very much.
const BIG_JOIN: u64 = 1 << 30;
/// Up to this, a chain is just a short computation.
const SHORT_CHAIN: usize = 8;

impl Graph {
    /// What in the graph is probably not meant; nothing for a good graph.
    ///
    /// It sees the size of closures but not what a `Vec` or an `Arc` in them points to, and counts tasks without knowing how long they
    /// take: a [`Profile`](crate::Profile) of a run tells that.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let table = [0.0; 1000];
    /// let task = delayed(move || table[3]).named("look up");
    /// let lints = Graph::of(&task).lint();
    /// assert!(lints[0].to_string().starts_with("`look up` carries 8"));
    /// ```
    pub fn lint(&self) -> Vec<Lint> {
        let plan = self.explain();
        let mut lints: Vec<Lint> = plan
            .groups
            .iter()
            .filter(|(_, tasks, _)| *tasks > MANY_TASKS)
            .map(|(group, tasks, _)| Lint::ManyTasks {
                group: group.clone(),
                tasks: *tasks,
            })
            .collect();
        let mut captures: Vec<Lint> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for id in self.order().filter(|id| self.info(*id).kind == Kind::Task) {
            let info = self.info(id);
            if info.captured > BIG_CAPTURE {
                let place = *places.entry(info.label.stem()).or_insert(captures.len());
                match captures.get_mut(place) {
                    Some(Lint::BigCapture { tasks, .. }) => *tasks += 1,
                    _ => captures.push(Lint::BigCapture {
                        task: self.key(id).clone(),
                        bytes: info.captured,
                        tasks: 1,
                    }),
                }
            }
            if self.gives_delayed_to_nobody(id) {
                lints.push(Lint::DelayedInside {
                    task: self.key(id).clone(),
                });
            }
            let inputs = self.dependencies(id).count();
            let bytes = self
                .dependencies(id)
                .filter_map(|before| self.info(before).bytes)
                .fold(0, u64::saturating_add);
            if inputs > WIDE_JOIN || inputs > 2 && bytes > BIG_JOIN && bytes > plan.bytes / 2 {
                lints.push(Lint::WideJoin {
                    task: self.key(id).clone(),
                    inputs,
                    bytes,
                });
            }
        }
        lints.extend(captures);
        if plan.width == 1 && plan.tasks > SHORT_CHAIN {
            lints.push(Lint::Serial { tasks: plan.tasks });
        }
        lints
    }

    /// Whether a task's value is a delayed one that is not flattened, or holds one and is an output.
    fn gives_delayed_to_nobody(&self, id: TaskId) -> bool {
        const DELAYED: &str = "delayed::delayed::Delayed<";
        let value_type = self.info(id).value_type;
        let flattens = |after| {
            let function = self.info(after).function;
            function.starts_with("delayed::") && function.contains(">::flatten::")
        };
        if value_type.starts_with(DELAYED) {
            !self.dependents(id).any(flattens)
        } else {
            // Those who read it may well compute what is in it.
            value_type.contains(DELAYED) && self.dependents(id).next().is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{apply, delayed};

    #[test]
    fn a_good_graph_has_no_lints() {
        let reads: Vec<_> = (0..100).map(|i| delayed(move || i)).collect();
        assert_eq!(
            Graph::of(apply(reads, |reads| reads.into_iter().sum::<i32>())).lint(),
            []
        );
    }

    #[test]
    fn each_mistake_is_named() {
        let inside = delayed(|| delayed(|| 1)).named("inside");
        assert_eq!(Graph::of(&inside).lint().len(), 1);
        assert_eq!(Graph::of(inside.flatten()).lint(), []);
        let reads: Vec<_> = (0..1001).map(|i| delayed(move || i).bytes(10)).collect();
        let join = apply(reads, |reads| reads.into_iter().sum::<i32>()).named("join");
        let text = Graph::of(&join).lint()[0].to_string();
        assert_eq!(
            text,
            "`join` holds 1001 values at once (9.8 KiB): join them in a tree, or let each task put its part in place"
        );
        let inside = delayed(|| (1, vec![delayed(|| 1)])).named("hidden");
        assert!(
            matches!(&Graph::of(&inside).lint()[..], [Lint::DelayedInside { task }] if task.as_str() == "hidden")
        );
        let sum = inside.try_map(|(_, inside)| inside[0].compute());
        assert_eq!(Graph::of(&sum).lint(), []);
        let parts: Vec<_> = (0..10).map(|i| delayed(move || i).bytes(1 << 30)).collect();
        let join = apply(&parts, |parts| parts.len()).named("join");
        assert_eq!(
            Graph::of(&join).lint()[0].to_string(),
            "`join` holds 10 values at once (10.0 GiB): join them in a tree, or let each task put its part in place"
        );
        let tiny: Vec<_> = (0..10_001)
            .map(|i| delayed(move || i).named(("tiny", i)))
            .collect();
        assert!(matches!(
            &Graph::of(&tiny).lint()[..],
            [Lint::ManyTasks { tasks: 10_001, .. }]
        ));
        let table = [1_u8; 5000];
        let looks: Vec<_> = (0..3_usize)
            .map(|i| delayed(move || table[i]).named(("look", i)))
            .collect();
        let lints = Graph::of(&looks).lint();
        assert!(
            matches!(&lints[..], [Lint::BigCapture { tasks: 3, .. }]),
            "{lints:?}"
        );
        let chain = (0..20).fold(delayed(|| 0), |last, _| last.map(|x| x + 1));
        assert_eq!(Graph::of(chain).lint(), [Lint::Serial { tasks: 21 }]);
    }
}
