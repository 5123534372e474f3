//! A graph made ready to run: the tasks that the wanted outputs need, numbered in rank order, with their dependencies as numbers.
//!
//! Tasks that no output needs are never seen, known values are not tasks.

use std::{
    collections::HashMap,
    fmt::Write,
    iter,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;

use crate::{
    error::{Cause, Error, TaskTrace},
    key::Key,
    priority,
    task::{Mark, Node},
    values::KNOWN,
};

/// The tasks of one run; a task's number is its rank.
pub(crate) struct Frozen<'g> {
    pub(crate) nodes: Vec<&'g Node>,
    /// Known values, numbered apart, with the bit [`KNOWN`].
    pub(crate) known: Vec<&'g Node>,
    /// The dependencies of all tasks one after another, in the order in which the tasks read them.
    pub(crate) dependencies: Vec<u32>,
    /// Where each task's dependencies start; one more entry at the end.
    pub(crate) first_dependency: Vec<u32>,
    /// The wanted outputs in the caller's order.
    pub(crate) outputs: Vec<u32>,
}

/// Where a walk remembers the number of a node.
trait Marks<'g> {
    fn number(&self, node: &'g Node) -> Option<u32>;
    fn set(&mut self, node: &'g Node, number: u32);
}

/// In the nodes themselves; only one walk at a time may do so.
struct InNodes {
    walk: u64,
}

static WALK: Mutex<()> = Mutex::new(());
static WALKS: AtomicU64 = AtomicU64::new(1);

impl<'g> Marks<'g> for InNodes {
    #[inline]
    fn number(&self, node: &'g Node) -> Option<u32> {
        Mark::number(&node.head.mark, self.walk)
    }

    #[inline]
    fn set(&mut self, node: &'g Node, number: u32) {
        node.head.mark.set(self.walk, number);
    }
}

/// In a map, while another thread's walk has the nodes.
#[derive(Default)]
struct InMap(HashMap<*const (), u32>);

impl<'g> Marks<'g> for InMap {
    fn number(&self, node: &'g Node) -> Option<u32> {
        self.0.get(&std::ptr::from_ref(node).cast()).copied()
    }

    fn set(&mut self, node: &'g Node, number: u32) {
        self.0.insert(std::ptr::from_ref(node).cast(), number);
    }
}

impl<'g> Frozen<'g> {
    /// Numbers all that `outputs` need.
    pub(crate) fn of(outputs: &[&'g Node]) -> Self {
        let walked = match WALK.try_lock() {
            Some(_alone) => walk(
                outputs,
                InNodes {
                    walk: WALKS.fetch_add(1, Relaxed),
                },
            ),
            None => walk(outputs, InMap::default()),
        };
        match priority::ranks(&walked) {
            Some(ranks) => walked.renumbered(&ranks),
            None => walked,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The dependencies of one task, known values among them.
    #[inline]
    pub(crate) fn dependencies(&self, task: usize) -> &[u32] {
        &self.dependencies
            [self.first_dependency[task] as usize..self.first_dependency[task + 1] as usize]
    }

    fn dependency_tasks(&self, task: usize) -> impl Iterator<Item = usize> {
        self.dependencies(task)
            .iter()
            .filter(|dependency| **dependency & KNOWN == 0)
            .map(|dependency| *dependency as usize)
    }

    /// The keys of some tasks. Costs as much as formatting the label of every task.
    fn keys(&self, tasks: &[usize]) -> Vec<Key> {
        let labels: Vec<String> = tasks
            .iter()
            .map(|task| self.nodes[*task].label().to_string())
            .collect();
        let mut bearers: HashMap<&str, u32> =
            labels.iter().map(|label| (label.as_str(), 0)).collect();
        let mut nth: HashMap<usize, u32> = tasks.iter().map(|task| (*task, 0)).collect();
        let mut label = String::new();
        for task in 0..tasks.iter().max().map_or(0, |last| last + 1) {
            label.clear();
            write!(label, "{}", self.nodes[task].label()).expect("writing to a string");
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

    /// What an error tells of a task.
    pub(crate) fn trace(&self, task: u32) -> TaskTrace {
        const AT_MOST: usize = 16;
        let task = task as usize;
        let inputs: Vec<usize> = iter::successors(self.dependency_tasks(task).next(), |input| {
            self.dependency_tasks(*input).next()
        })
        .take(AT_MOST)
        .collect();
        let mut lost = vec![false; self.len()];
        lost[task] = true;
        for dependent in task + 1..self.len() {
            lost[dependent] = self
                .dependency_tasks(dependent)
                .any(|dependency| lost[dependency]);
        }
        let lost_outputs = self
            .outputs
            .iter()
            .filter(|output| **output & KNOWN == 0 && lost[**output as usize]);
        let outputs: Vec<usize> = lost_outputs
            .map(|output| *output as usize)
            .take(AT_MOST)
            .collect();
        let mut keys = self
            .keys(&[&[task], &inputs[..], &outputs].concat())
            .into_iter();
        let node = self.nodes[task];
        TaskTrace {
            key: keys.next().expect("the task's own key"),
            label: node.label(),
            group: node
                .head
                .with_notes(|notes| notes.group.clone())
                .flatten()
                .map(Into::into),
            site: node.head.site,
            inputs: keys.by_ref().take(inputs.len()).collect(),
            outputs: keys.collect(),
        }
    }

    pub(crate) fn error(&self, task: u32, cause: Cause) -> Error {
        let task = Box::new(self.trace(task));
        match cause {
            Cause::Error(source) => Error::Failed { task, source },
            Cause::Panic { message, place } => Error::Panicked {
                task,
                message,
                place,
            },
        }
    }

    /// The same tasks in another order.
    fn renumbered(&self, ranks: &[u32]) -> Self {
        let new = |old: &u32| {
            if old & KNOWN == 0 {
                ranks[*old as usize]
            } else {
                *old
            }
        };
        let mut old = vec![0; self.len()];
        for (task, rank) in ranks.iter().enumerate() {
            old[*rank as usize] = task;
        }
        let mut dependencies = Vec::with_capacity(self.dependencies.len());
        let mut first_dependency = Vec::with_capacity(self.len() + 1);
        first_dependency.push(0);
        for task in &old {
            dependencies.extend(self.dependencies(*task).iter().map(new));
            first_dependency.push(dependencies.len() as u32);
        }
        Frozen {
            nodes: old.iter().map(|task| self.nodes[*task]).collect(),
            known: self.known.clone(),
            dependencies,
            first_dependency,
            outputs: self.outputs.iter().map(new).collect(),
        }
    }
}

/// A task whose inputs lie in the walk's list from `first` to its end, seen up to `next`.
struct Frame<'g> {
    node: &'g Node,
    first: usize,
    next: usize,
}

/// Post-order from the outputs, without recursion.
fn walk<'g>(outputs: &[&'g Node], mut marks: impl Marks<'g>) -> Frozen<'g> {
    let mut frozen = Frozen {
        nodes: Vec::new(),
        known: Vec::new(),
        dependencies: Vec::new(),
        first_dependency: vec![0],
        outputs: Vec::new(),
    };
    let mut inputs: Vec<&'g Node> = Vec::new();
    let mut frames: Vec<Frame<'g>> = Vec::new();
    for output in outputs {
        // The output is the only input of a frame that stands for the caller.
        inputs.push(output);
        let mut next = 0;
        loop {
            let at = frames.last_mut().map_or(&mut next, |frame| &mut frame.next);
            if let Some(node) = inputs.get(*at).copied() {
                *at += 1;
                if marks.number(node).is_some() {
                    continue;
                }
                if node.head.known {
                    marks.set(node, number(frozen.known.len()) | KNOWN);
                    frozen.known.push(node);
                } else {
                    let first = inputs.len();
                    node.work.inputs(&mut inputs);
                    frames.push(Frame {
                        node,
                        first,
                        next: first,
                    });
                }
            } else if let Some(frame) = frames.pop() {
                marks.set(frame.node, number(frozen.nodes.len()));
                frozen.nodes.push(frame.node);
                let numbers = inputs
                    .drain(frame.first..)
                    .map(|input| marks.number(input).expect("inputs are walked first"));
                frozen.dependencies.extend(numbers);
                frozen.first_dependency.push(
                    u32::try_from(frozen.dependencies.len()).expect("fewer than 2^32 dependencies"),
                );
            } else {
                break;
            }
        }
        inputs.clear();
        frozen
            .outputs
            .push(marks.number(output).expect("outputs are walked"));
    }
    frozen
}

fn number(count: usize) -> u32 {
    u32::try_from(count)
        .ok()
        .filter(|number| number & KNOWN == 0)
        .expect("fewer than 2^31 tasks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{apply, delayed, value};

    #[test]
    fn a_walk_beside_another_one_gives_the_same_numbers() {
        let a = delayed(|| 1);
        let two = value(2);
        let b = apply((&a, &two), |(a, b)| a + b);
        let c = apply((&b, &a, &a), |(b, a, _)| a + b);
        let outputs = [c.node(), a.node(), two.node()];
        let alone = walk(
            &outputs,
            InNodes {
                walk: WALKS.fetch_add(1, Relaxed),
            },
        );
        let beside = walk(&outputs, InMap::default());
        for frozen in [alone, beside] {
            assert_eq!(frozen.dependencies, [0, KNOWN, 1, 0, 0]);
            assert_eq!(frozen.first_dependency, [0, 0, 2, 5]);
            assert_eq!(frozen.outputs, [2, 0, KNOWN]);
        }
    }
}
