//! Which ready task goes first, so that results are freed early.
//!
//! # Goal
//! Few results alive at once: a branch that has been started should be finished, and its inputs dropped, before the next one begins,
//! and readers should not run ahead of those who use what they read.
//!
//! # Method
//! A task's rank is its place in a post-order walk from the outputs that goes into the heaviest sub-tree first (after the one with
//! the highest [priority](crate::Delayed::priority) in it). The weight of a sub-tree is the number of tasks in it, counted once for
//! each way that leads to them. Ranks are also a topological order, so a task's index in a run *is* its rank: workers compare
//! indices, and one thread alone simply runs them in turn. Outputs are walked in the order in which the caller named them.
//!
//! Cost: one look at every dependency; a second walk only where some task does not name its heaviest input first.

use crate::frozen::Frozen;
use crate::values::KNOWN;

/// The new place of every task: `ranks[old] = new`; nothing if the tasks already stand in rank order.
pub(crate) fn ranks(frozen: &Frozen<'_>) -> Option<Vec<u32>> {
    let weights = weights(frozen);
    let urgency = urgency(frozen);
    let before = |a: &u32, b: &u32| {
        let (a, b) = (*a as usize, *b as usize);
        let by_urgency = urgency
            .as_ref()
            .map_or(std::cmp::Ordering::Equal, |urgency| {
                urgency[b].cmp(&urgency[a])
            });
        by_urgency.then_with(|| weights[b].total_cmp(&weights[a]))
    };
    let outputs: Vec<u32> = frozen
        .outputs
        .iter()
        .copied()
        .filter(|output| output & KNOWN == 0)
        .collect();
    let sorted = (0..frozen.len()).all(|task| {
        let dependencies = frozen.dependencies(task);
        let tasks = dependencies
            .iter()
            .filter(|dependency| **dependency & KNOWN == 0);
        dependencies.len() < 2 || tasks.is_sorted_by(|a, b| before(a, b).is_le())
    });
    let outputs_sorted = urgency.as_ref().is_none_or(|urgency| {
        outputs.is_sorted_by(|a, b| urgency[*a as usize] >= urgency[*b as usize])
    });
    if sorted && outputs_sorted {
        return None;
    }
    let mut first = outputs;
    if let Some(urgency) = &urgency {
        first.sort_by_key(|output| std::cmp::Reverse(urgency[*output as usize]));
    }
    Some(post_order(frozen, &first, before))
}

/// How many tasks each sub-tree has, counted once for each way that leads to them.
fn weights(frozen: &Frozen<'_>) -> Vec<f32> {
    let mut weights = Vec::with_capacity(frozen.len());
    for task in 0..frozen.len() {
        let below = frozen
            .dependencies(task)
            .iter()
            .filter(|dependency| **dependency & KNOWN == 0);
        weights.push(
            1.0 + below
                .map(|dependency| weights[*dependency as usize])
                .sum::<f32>(),
        );
    }
    weights
}

/// The highest priority in each sub-tree; nothing if no task has one.
fn urgency(frozen: &Frozen<'_>) -> Option<Vec<i32>> {
    let given: Vec<(usize, i32)> = (0..frozen.len())
        .filter_map(|task| {
            frozen.nodes[task]
                .head
                .with_notes(|notes| notes.priority)
                .filter(|p| *p != 0)
                .map(|p| (task, p))
        })
        .collect();
    if given.is_empty() {
        return None;
    }
    let mut urgency = vec![0; frozen.len()];
    for (task, priority) in given {
        urgency[task] = priority;
    }
    for task in 0..frozen.len() {
        let below = frozen
            .dependencies(task)
            .iter()
            .filter(|dependency| **dependency & KNOWN == 0);
        urgency[task] = below
            .map(|dependency| urgency[*dependency as usize])
            .fold(urgency[task], i32::max);
    }
    Some(urgency)
}

fn post_order(
    frozen: &Frozen<'_>,
    outputs: &[u32],
    before: impl Fn(&u32, &u32) -> std::cmp::Ordering,
) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    let mut ranks = vec![UNSEEN; frozen.len()];
    let mut next_rank = 0;
    let mut children: Vec<u32> = Vec::new();
    /// A task whose dependencies lie in `children[first..]`, seen up to `next`.
    struct Frame {
        task: u32,
        first: usize,
        next: usize,
    }
    let mut frames: Vec<Frame> = Vec::new();
    let open = |task: u32, children: &mut Vec<u32>, frames: &mut Vec<Frame>| {
        let first = children.len();
        children.extend(
            frozen
                .dependencies(task as usize)
                .iter()
                .filter(|dependency| **dependency & KNOWN == 0),
        );
        children[first..].sort_by(&before);
        frames.push(Frame {
            task,
            first,
            next: first,
        });
    };
    for output in outputs {
        if ranks[*output as usize] != UNSEEN {
            continue;
        }
        open(*output, &mut children, &mut frames);
        while let Some(frame) = frames.last_mut() {
            if let Some(child) = children.get(frame.next) {
                frame.next += 1;
                if ranks[*child as usize] == UNSEEN {
                    open(*child, &mut children, &mut frames);
                }
            } else {
                ranks[frame.task as usize] = next_rank;
                next_rank += 1;
                children.truncate(frame.first);
                frames.pop();
            }
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use crate::{Delayed, apply, delayed, frozen::Frozen, outputs::Outputs};

    /// Labels in rank order.
    fn order(outputs: impl Outputs) -> Vec<String> {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        Frozen::of(&wanted)
            .nodes
            .iter()
            .map(|node| node.label().to_string())
            .collect()
    }

    fn add(a: &Delayed<u32>, b: &Delayed<u32>, name: &'static str) -> Delayed<u32> {
        apply((a, b), |(a, b)| a + b).named(name)
    }

    fn read(name: &'static str) -> Delayed<u32> {
        delayed(|| 1).named(name)
    }

    /// ```text
    /// a   b   c   d
    ///  \ /     \ /
    ///   ab      cd
    ///     \    /
    ///      abcd
    /// ```
    /// One pair is added up before the next is read: three values alive, not four.
    #[test]
    fn a_tree_finishes_one_branch_before_it_opens_the_next() {
        let ab = add(&read("a"), &read("b"), "ab");
        let cd = add(&read("c"), &read("d"), "cd");
        assert_eq!(
            order(add(&ab, &cd, "abcd")),
            ["a", "b", "ab", "c", "d", "cd", "abcd"]
        );
    }

    /// ```text
    /// c    a   b
    ///  \    \ /
    ///   \    ab
    ///    \  /
    ///    cab
    /// ```
    /// `c` would wait in memory while `ab` is made, so the heavier `ab` comes first although it is named last.
    #[test]
    fn the_heaviest_input_comes_first() {
        let ab = add(&read("a"), &read("b"), "ab");
        assert_eq!(
            order(add(&read("c"), &ab, "cab")),
            ["a", "b", "ab", "c", "cab"]
        );
    }

    #[test]
    fn the_branch_with_the_highest_priority_comes_first() {
        let (a, b, c) = (read("a"), read("b").priority(1), read("c"));
        assert_eq!(
            order((a.map(|a| *a).named("A"), b.map(|b| *b).named("B"), c)),
            ["b", "B", "a", "A", "c"]
        );
    }

    #[test]
    fn outputs_keep_the_order_of_the_caller() {
        assert_eq!(
            order([read("a"), add(&read("b"), &read("c"), "bc"), read("d")]),
            ["a", "b", "c", "bc", "d"]
        );
    }
}
