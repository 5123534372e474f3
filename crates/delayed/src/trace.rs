//! What errors tell of the tasks of a run: their keys, what led to them, which outputs are lost with them.
//!
//! Ten thousand tasks may fail in one run, so whatever takes a look at the whole graph looks once for all of them.

use std::{collections::HashMap, fmt::Write, iter};

use crate::{
    audited::values::KNOWN,
    error::{Cause, Error, TaskTrace},
    frozen::Frozen,
    key::Key,
};

/// An error names so many inputs, and so many lost outputs.
const AT_MOST: usize = 16;

impl Frozen<'_> {
    /// The keys of some tasks. Costs as much as formatting the label of every task.
    fn keys(&self, tasks: &[usize]) -> Vec<Key> {
        let labels: Vec<String> = tasks
            .iter()
            .map(|task| self.node(*task).label().to_string())
            .collect();
        let mut bearers: HashMap<&str, u32> =
            labels.iter().map(|label| (label.as_str(), 0)).collect();
        let mut nth: HashMap<usize, u32> = tasks.iter().map(|task| (*task, 0)).collect();
        let mut label = String::new();
        for task in 0..tasks.iter().max().map_or(0, |last| last + 1) {
            label.clear();
            write!(label, "{}", self.node(task).label()).expect("writing to a string");
            if let Some(bearers) = bearers.get_mut(label.as_str()) {
                *bearers += 1;
                nth.entry(task).and_modify(|nth| *nth = *bearers);
            }
        }
        tasks
            .iter()
            .zip(&labels)
            .map(|(task, label)| Key::new(label, nth[task]))
            .collect()
    }

    /// The task of a key. Costs as much as formatting the label of every task.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        let tasks: Vec<usize> = (0..self.len()).collect();
        self.keys(&tasks).iter().position(|other| other == key)
    }

    /// Which tasks have no value after a run to the end in which some failed.
    pub(crate) fn lost(&self, failed: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut lost = vec![false; self.len()];
        for task in failed {
            lost[task as usize] = true;
        }
        for dependent in 0..self.len() {
            lost[dependent] |= self
                .dependency_tasks(dependent)
                .any(|dependency| lost[dependency]);
        }
        lost
    }

    /// The errors of tasks that failed.
    pub(crate) fn errors(&self, failures: Vec<(u32, Cause)>) -> Vec<Error> {
        let tasks: Vec<u32> = failures.iter().map(|(task, _)| *task).collect();
        let causes = failures.into_iter().map(|(_, cause)| cause);
        let errors = self.traces(&tasks).into_iter().zip(causes);
        errors
            .map(|(task, cause)| {
                let task = Box::new(task);
                match cause {
                    Cause::Error(source) => Error::Failed { task, source },
                    Cause::Panic { message, place } => Error::Panicked {
                        task,
                        message,
                        place,
                    },
                }
            })
            .collect()
    }

    /// What an error tells of one task.
    pub(crate) fn trace(&self, task: u32) -> TaskTrace {
        self.traces(&[task]).remove(0)
    }

    fn traces(&self, tasks: &[u32]) -> Vec<TaskTrace> {
        let parts: Vec<Parts> = tasks
            .iter()
            .zip(self.lost_outputs(tasks))
            .map(|(task, outputs)| self.parts(*task as usize, outputs))
            .collect();
        let named: Vec<usize> = parts.iter().flat_map(Parts::named).collect();
        let mut keys = self.keys(&named).into_iter();
        parts
            .into_iter()
            .map(|parts| {
                let node = self.node(parts.task);
                let group = node.with_notes(|notes| notes.group.clone()).flatten();
                TaskTrace {
                    key: keys.next().expect("the task's own key"),
                    label: node.label(),
                    group: group.map(Into::into),
                    site: node.head.site,
                    inputs: keys.by_ref().take(parts.inputs.len()).collect(),
                    inputs_left_out: parts.left_out,
                    outputs: keys.by_ref().take(parts.outputs.len()).collect(),
                    merged: self.merged,
                }
            })
            .collect()
    }

    fn parts(&self, task: usize, outputs: Vec<usize>) -> Parts {
        let first = |task: usize| self.dependency_tasks(task).next();
        let mut inputs: Vec<usize> = iter::successors(first(task), |input| first(*input)).collect();
        // The ends of a long chain tell most.
        let left_out = inputs.len().saturating_sub(AT_MOST);
        if left_out > 0 {
            inputs.drain(AT_MOST / 2..AT_MOST / 2 + left_out);
        }
        Parts {
            task,
            inputs,
            left_out,
            outputs,
        }
    }

    /// For each of some tasks the first outputs, in the caller's order, that cannot be had without it.
    fn lost_outputs(&self, tasks: &[u32]) -> Vec<Vec<usize>> {
        let lost = self.lost(tasks.iter().copied());
        let mut asked = vec![false; self.len()];
        for task in tasks {
            asked[*task as usize] = true;
        }
        // Of each lost task the places of its outputs among all, as far as they are known: from those who need it.
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
        for (place, output) in self.outputs.iter().enumerate() {
            if output & KNOWN == 0 && lost[*output as usize] {
                places[*output as usize].push(place);
            }
        }
        for dependent in (0..self.len()).rev().filter(|task| lost[*task]) {
            places[dependent].truncate(AT_MOST);
            let below = if asked[dependent] {
                places[dependent].clone()
            } else {
                std::mem::take(&mut places[dependent])
            };
            for dependency in self.dependency_tasks(dependent).filter(|task| lost[*task]) {
                let all = &mut places[dependency];
                all.extend(&below);
                all.sort_unstable();
                all.dedup();
                all.truncate(AT_MOST);
            }
        }
        let outputs = |task: &u32| {
            let places = &places[*task as usize];
            places
                .iter()
                .map(|place| self.outputs[*place] as usize)
                .collect()
        };
        tasks.iter().map(outputs).collect()
    }
}

/// The tasks that an error names.
struct Parts {
    task: usize,
    inputs: Vec<usize>,
    left_out: usize,
    outputs: Vec<usize>,
}

impl Parts {
    fn named(&self) -> impl Iterator<Item = usize> + '_ {
        let others = self.inputs.iter().chain(&self.outputs);
        iter::once(self.task).chain(others.copied())
    }
}
