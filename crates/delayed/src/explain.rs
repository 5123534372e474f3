//! What a graph amounts to before it runs: counts, shape, expected bytes and peak.

use std::{collections::HashMap, fmt};

use crate::graph::{Graph, Kind, TaskId};

/// A plan in numbers; made by [`Graph::explain`], displays as a short table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Tasks that a run would run.
    pub tasks: usize,
    /// Values that are already there.
    pub values: usize,
    /// Dependencies between them.
    pub dependencies: usize,
    /// Outputs.
    pub outputs: usize,
    /// Tasks in the longest chain: no number of workers takes fewer steps.
    pub depth: usize,
    /// The most tasks that stand equally far from the start: about how many workers could have something to do.
    pub width: usize,
    /// What all tasks are said to make.
    pub bytes: u64,
    /// The most of it that is alive at once if one thread runs the tasks in their order; each further worker adds about one branch.
    pub peak_bytes: u64,
    /// The most values that are alive at once then.
    pub peak_values: usize,
    /// Groups in the order of their first tasks: name (what labels have in common, if there is no group), tasks, bytes.
    pub groups: Vec<(String, usize, u64)>,
}

impl Graph {
    /// Counts, shape, expected bytes and peak of the graph.
    /// ```
    /// use delayed::{Graph, apply, delayed};
    /// let reads: Vec<_> = (0..4).map(|i| delayed(move || vec![i; 100]).named(("read", i)).bytes(400)).collect();
    /// let sums: Vec<_> = reads.iter().map(|read| read.map(|r| r.iter().sum::<usize>()).named("sum")).collect();
    /// let plan = Graph::of(apply(sums, |sums| sums.into_iter().sum::<usize>()).named("total")).explain();
    /// assert_eq!((plan.tasks, plan.depth, plan.width), (9, 3, 4));
    /// assert_eq!((plan.bytes, plan.peak_bytes), (1600, 400));
    /// println!("{plan}");
    /// ```
    pub fn explain(&self) -> Explanation {
        let (peak_bytes, peak_values) = self.peak();
        let levels = self.levels();
        let depth = levels.iter().copied().max().unwrap_or(0);
        let mut at_level = vec![0; depth + 1];
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(String, usize, u64)> = Vec::new();
        for id in self.task_ids() {
            let info = self.info(id);
            at_level[levels[id.index()]] += 1;
            let name = info.group.clone().unwrap_or_else(|| info.label.stem());
            let place = *places.entry(name.clone()).or_insert(groups.len());
            if place == groups.len() {
                groups.push((name, 0, 0));
            }
            groups[place].1 += 1;
            let bytes = &mut groups[place].2;
            *bytes = bytes.saturating_add(info.bytes.unwrap_or(0));
        }
        let tasks = self.tasks();
        Explanation {
            tasks,
            values: self.len() - tasks,
            dependencies: self.dependencies_count(),
            outputs: self.outputs().len(),
            depth,
            width: at_level.iter().copied().max().unwrap_or(0),
            bytes: groups
                .iter()
                .fold(0, |sum, group| sum.saturating_add(group.2)),
            peak_bytes,
            peak_values,
            groups,
        }
    }

    /// The tasks by rank.
    pub(crate) fn task_ids(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.order().filter(|id| self.info(*id).kind == Kind::Task)
    }

    /// How many tasks the longest chain has that ends in each node.
    fn levels(&self) -> Vec<usize> {
        let mut levels = vec![0_usize; self.len()];
        for id in self.task_ids() {
            levels[id.index()] = 1 + self
                .dependencies(id)
                .map(|before| levels[before.index()])
                .max()
                .unwrap_or(0);
        }
        levels
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} tasks on {} known values, {} dependencies, {} outputs; depth {}, width {}",
            self.tasks, self.values, self.dependencies, self.outputs, self.depth, self.width
        )?;
        writeln!(
            f,
            "{} made in all, peak {} in {} values on one thread",
            Bytes(self.bytes),
            Bytes(self.peak_bytes),
            self.peak_values
        )?;
        for (name, tasks, bytes) in &self.groups {
            writeln!(f, "{tasks:>9} {:>11} {name}", Bytes(*bytes).to_string())?;
        }
        Ok(())
    }
}

/// A number of bytes as people read it.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let (mut amount, mut unit) = (self.0 as f64, "B");
        for larger in units {
            if amount < 1024.0 {
                break;
            }
            amount /= 1024.0;
            unit = larger;
        }
        if unit == "B" {
            write!(f, "{} B", self.0)
        } else {
            write!(f, "{amount:.1} {unit}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{apply, delayed, value};

    #[test]
    fn a_plan_is_put_in_words() {
        let weights = value(2_u64).named("weights");
        let reads: Vec<_> = (0..2_u64)
            .map(|i| {
                delayed(move || i)
                    .named(("read", i as usize))
                    .group("input")
                    .bytes(3 << 20)
            })
            .collect();
        let regrids: Vec<_> = reads
            .iter()
            .map(|read| {
                apply((read, &weights), |(r, w)| r * w)
                    .named("regrid")
                    .bytes(1 << 10)
            })
            .collect();
        let plan = Graph::of(regrids).explain();
        let expected = "\
4 tasks on 1 known values, 4 dependencies, 2 outputs; depth 2, width 2
6.0 MiB made in all, peak 3.0 MiB in 3 values on one thread
        2     6.0 MiB input
        2     2.0 KiB regrid
";
        assert_eq!(plan.to_string(), expected);
    }

    #[test]
    fn nothing_is_explained_as_nothing() {
        assert_eq!(Graph::of(()).explain().tasks, 0);
    }
}
