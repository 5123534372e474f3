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
//! Weights are summed up as tasks are built, so the walk that numbers them has only to compare.

/// What a sub-tree weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weight {
    /// The highest priority in it.
    pub(crate) urgency: i16,
    /// How many tasks there are, counted once for each way that leads to them. Grows too fast for integers, and only matters roughly.
    pub(crate) tasks: f32,
}

impl Weight {
    pub(crate) const NOTHING: Self = Weight {
        urgency: i16::MIN,
        tasks: 0.0,
    };

    /// Both sub-trees together.
    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        Weight {
            urgency: self.urgency.max(other.urgency),
            tasks: self.tasks + other.tasks,
        }
    }

    /// Less if this sub-tree is to be walked before another.
    #[inline]
    pub(crate) fn place(self) -> u64 {
        // No weight is below zero, so its bits are ordered as it is.
        let urgency = (i32::from(i16::MAX) - i32::from(self.urgency)) as u64;
        urgency << 32 | u64::from(!self.tasks.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Delayed, apply, delayed, frozen::Frozen, outputs::Outputs};

    /// Labels in rank order.
    fn order(outputs: impl Outputs) -> Vec<String> {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        Frozen::of(&wanted)
            .nodes()
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
