//! A graph made ready to run: the tasks that the wanted outputs need, numbered in rank order, with their dependencies as numbers.
//!
//! Tasks that no output needs are never seen, known values are not tasks.

use std::{
    any::TypeId,
    cmp::Reverse,
    collections::HashMap,
    mem,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;

use crate::{
    audited::values::{Entry, KNOWN},
    error::{Error, Result},
    key::Key,
    task::{Mark, Node, Notes},
};

/// The tasks of one run; a task's number is its rank.
pub(crate) struct Frozen<'g> {
    pub(crate) entries: Vec<Entry<'g>>,
    /// Known values, numbered apart, with the bit [`KNOWN`].
    pub(crate) known: Vec<&'g Node>,
    /// The dependencies of all tasks one after another, in the order in which the tasks read them.
    pub(crate) dependencies: Vec<u32>,
    /// The wanted outputs in the caller's order.
    pub(crate) outputs: Vec<u32>,
    /// Tasks whose notes say how they are to be run.
    pub(crate) steered: Vec<u32>,
    /// Tasks whose name the user wants to be theirs alone.
    pub(crate) keyed: Vec<u32>,
    /// Whether equal pure tasks were made one.
    pub(crate) merged: bool,
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
    /// Numbers all that `outputs` need; equal pure tasks become one.
    pub(crate) fn of(outputs: &[&'g Node]) -> Self {
        Self::with(outputs, true)
    }

    /// Numbers all that `outputs` need; equal pure tasks become one if `merge` says so.
    pub(crate) fn with(outputs: &[&'g Node], merge: bool) -> Self {
        match WALK.try_lock() {
            Some(_alone) => walk(
                outputs,
                InNodes {
                    walk: WALKS.fetch_add(1, Relaxed),
                },
                merge,
            ),
            None => walk(outputs, InMap::default(), merge),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn node(&self, task: usize) -> &'g Node {
        self.entries[task].node
    }

    /// The nodes of the tasks in rank order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &'g Node> {
        self.entries.iter().map(|entry| entry.node)
    }

    /// The dependencies of one task, known values among them.
    pub(crate) fn dependencies(&self, task: usize) -> &[u32] {
        let end = self
            .entries
            .get(task + 1)
            .map_or(self.dependencies.len(), |next| {
                next.first_dependency as usize
            });
        &self.dependencies[self.entries[task].first_dependency as usize..end]
    }

    pub(crate) fn dependency_tasks(&self, task: usize) -> impl Iterator<Item = usize> {
        self.dependencies(task)
            .iter()
            .filter(|dependency| **dependency & KNOWN == 0)
            .map(|dependency| *dependency as usize)
    }

    /// Refuses a graph in which a task that wants its name for itself shares it.
    pub(crate) fn refuse_repeated_keys(&self) -> Result<()> {
        if self.keyed.is_empty() {
            return Ok(());
        }
        let mut bearers: HashMap<String, u32> = HashMap::new();
        for task in &self.keyed {
            let label = self.node(*task as usize).label().to_string();
            bearers.insert(label, *task);
        }
        for (task, node) in self.nodes().chain(self.known.iter().copied()).enumerate() {
            let Some(label) = node.given_label() else {
                continue;
            };
            let label = label.to_string();
            if let Some(bearer) = bearers.get(&label)
                && *bearer as usize != task
            {
                return Err(Error::RepeatedKey {
                    key: Key::new(&label, 1),
                    sites: [self.node(*bearer as usize).head.site, node.head.site],
                });
            }
        }
        Ok(())
    }
}

/// A task that the walk has opened; it lies in the walk's list at `at`. Its inputs follow: as the task names them from `first` to
/// `named`, and in the order in which to walk them from `next` to the list's end.
#[derive(Clone, Copy)]
struct Frame {
    at: u32,
    first: u32,
    named: u32,
    next: u32,
}

/// Post-order from the outputs, the heaviest input first, without recursion.
fn walk<'g>(outputs: &[&'g Node], mut marks: impl Marks<'g>, merge: bool) -> Frozen<'g> {
    let Room {
        mut entries,
        mut dependencies,
        mut list,
        mut frames,
    } = Room::take();
    let (mut known, mut steered, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
    // Pure tasks by what they do to which inputs; several if they have those in different places.
    let mut pure: HashMap<(TypeId, u64, Vec<u32>), Vec<u32>> = HashMap::new();
    // Priorities go before the caller's order, weights do not.
    list.extend_from_slice(outputs);
    list.sort_by_key(|output| Reverse(output.head.weight().urgency));
    // The lowest frame stands for the caller.
    let mut frame = Frame {
        at: 0,
        first: 0,
        named: list.len() as u32,
        next: 0,
    };
    loop {
        if let Some(node) = list.get(frame.next as usize).copied() {
            let at = frame.next;
            frame.next += 1;
            if marks.number(node).is_some() {
                continue;
            }
            if node.head.known {
                marks.set(node, number(known.len()) | KNOWN);
                known.push(node);
                continue;
            }
            frames.push(frame);
            let first = list.len();
            node.work.inputs(&mut list);
            let named = list.len();
            let place = |node: &&Node| node.head.weight().place();
            let sorted = named - first < 2 || list[first..].is_sorted_by_key(place);
            if !sorted {
                list.extend_from_within(first..);
                list[named..].sort_by_key(place);
            }
            let next = if sorted { first } else { named };
            u32::try_from(list.len()).expect("fewer than 2^32 open dependencies");
            frame = Frame {
                at,
                first: first as u32,
                named: named as u32,
                next: next as u32,
            };
        } else if let Some(parent) = frames.pop() {
            let node = list[frame.at as usize];
            let inputs = &list[frame.first as usize..frame.named as usize];
            let first_dependency =
                u32::try_from(dependencies.len()).expect("fewer than 2^32 dependencies");
            dependencies.extend(
                inputs
                    .iter()
                    .map(|input| marks.number(input).expect("inputs are walked first")),
            );
            list.truncate(frame.first as usize);
            frame = parent;
            let own = &dependencies[first_dependency as usize..];
            let task = number(entries.len());
            let notes = |notes: &Notes| {
                (
                    notes.steer(),
                    notes.keyed,
                    notes.pure().map(|pure| (pure.function, pure.token)),
                )
            };
            if let Some((steer, has_key, token)) = node.with_notes(notes) {
                if merge && let Some((function, token)) = token {
                    let alike = pure.entry((function, token, own.to_vec())).or_default();
                    let held = node.work.held();
                    let first = alike
                        .iter()
                        .find(|first| entries[**first as usize].node.work.holds_like(held));
                    if let Some(first) = first {
                        marks.set(node, *first);
                        dependencies.truncate(first_dependency as usize);
                        continue;
                    }
                    alike.push(task);
                }
                if steer {
                    steered.push(task);
                }
                if has_key {
                    keyed.push(task);
                }
            }
            marks.set(node, task);
            let mut pending = 0;
            for dependency in own.iter().filter(|dependency| **dependency & KNOWN == 0) {
                let entry: &mut Entry<'_> = &mut entries[*dependency as usize];
                entry.count_consumer();
                pending += 1;
            }
            entries.push(Entry::new(node, pending, first_dependency));
        } else {
            break;
        }
    }
    Room {
        list,
        frames,
        ..Room::default()
    }
    .give_back();
    let outputs = outputs
        .iter()
        .map(|output| marks.number(output).expect("outputs are walked"))
        .collect();
    Frozen {
        entries,
        known,
        dependencies,
        outputs,
        steered,
        keyed,
        merged: merge,
    }
}

/// Vectors for a walk and what it finds.
#[derive(Default)]
struct Room<'g> {
    entries: Vec<Entry<'g>>,
    dependencies: Vec<u32>,
    list: Vec<&'g Node>,
    frames: Vec<Frame>,
}

/// What the last walk and its run left, so that a program that runs one graph after another does not ask the system for fresh pages
/// each time.
static SPARE: Mutex<Room<'static>> = Mutex::new(Room {
    entries: Vec::new(),
    dependencies: Vec::new(),
    list: Vec::new(),
    frames: Vec::new(),
});

/// A vector of more bytes is not kept.
const SPARE_BYTES: usize = 16 << 20;

impl Room<'_> {
    fn take() -> Self {
        let spare = SPARE.try_lock().map(|mut spare| mem::take(&mut *spare));
        spare.unwrap_or_default()
    }

    fn give_back(self) {
        if let Some(mut spare) = SPARE.try_lock() {
            keep(emptied(self.entries), &mut spare.entries);
            keep(emptied(self.dependencies), &mut spare.dependencies);
            keep(emptied(self.list), &mut spare.list);
            keep(emptied(self.frames), &mut spare.frames);
        }
    }
}

fn keep<T>(room: Vec<T>, spare: &mut Vec<T>) {
    if room.capacity() > spare.capacity() && room.capacity() * size_of::<T>() <= SPARE_BYTES {
        *spare = room;
    }
}

/// The room of a vector, for elements that differ only in what they borrow.
fn emptied<T, U>(mut vector: Vec<T>) -> Vec<U> {
    vector.clear();
    // Collecting an empty vector into one of the same layout keeps its room.
    vector
        .into_iter()
        .map(|_| unreachable!("the vector is empty"))
        .collect()
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        Room {
            entries: mem::take(&mut self.entries),
            dependencies: mem::take(&mut self.dependencies),
            ..Room::default()
        }
        .give_back();
    }
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
            true,
        );
        let beside = walk(&outputs, InMap::default(), true);
        for frozen in [alone, beside] {
            assert_eq!(frozen.dependencies, [0, KNOWN, 1, 0, 0]);
            assert_eq!(
                (0..3)
                    .map(|task| frozen.dependencies(task).len())
                    .collect::<Vec<_>>(),
                [0, 2, 3]
            );
            assert_eq!(frozen.outputs, [2, 0, KNOWN]);
        }
    }
}
