//! Makes one task of a chain in which each task has one reader.
//!
//! # Result
//! A task that is read by one task only, which reads no other task, becomes a part of it: nothing could have run beside the two, so no
//! parallelism is lost. An output keeps its own task. The fused task bears the last one's group, site and size, and all labels.
//!
//! # Cost
//! One look at every dependency.
//!
//! # Source
//! The linear case of `fuse` in Dask's `optimization.py`.

use crate::{
    graph::{Kind, Parts},
    key::Label,
};

pub(super) fn fuse(parts: Parts) -> Parts {
    let nodes = parts.infos.len();
    let mut readers = vec![0_u32; nodes];
    for dependency in parts.dependencies.iter().flatten() {
        readers[*dependency as usize] += 1;
    }
    for output in &parts.outputs {
        // The caller reads it too.
        readers[output.id.index()] += 2;
    }
    let is_task = |node: &&u32| parts.infos[**node as usize].kind == Kind::Task;
    let mut swallowed: Vec<Option<u32>> = vec![None; nodes];
    for (node, dependencies) in parts.dependencies.iter().enumerate() {
        let mut tasks = dependencies.iter().filter(is_task);
        if let (Some(only), None) = (tasks.next(), tasks.next())
            && readers[*only as usize] == 1
        {
            swallowed[*only as usize] = Some(node as u32);
        }
    }
    let mut parts = parts;
    // From the first task to the last, each hands what it has to the one that swallows it.
    for (node, by) in swallowed.iter().enumerate() {
        let Some(by) = *by else { continue };
        let inherited = std::mem::take(&mut parts.dependencies[node]);
        let own = &mut parts.dependencies[by as usize];
        own.retain(|dependency| *dependency as usize != node);
        own.extend(inherited);
        own.sort_unstable();
        own.dedup();
        let label = format!(
            "{}, {}",
            parts.infos[node].label, parts.infos[by as usize].label
        );
        parts.infos[by as usize].label = Label::from(label);
    }
    parts.retain(|node| swallowed[node].is_none())
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Passes, apply, delayed, value};

    fn fused(graph: Graph) -> Vec<String> {
        let fused = graph.optimize(Passes::NONE.fuse(true));
        fused
            .order()
            .map(|id| fused.label(id).to_string())
            .collect()
    }

    /// ```text
    /// read   w       weights are known: they do not keep read and regrid apart
    ///    \  /
    ///   regrid       read twice: stays
    ///    /  \
    ///   a    b
    ///   |    |
    ///   a2   b2
    /// ```
    #[test]
    fn chains_become_one_task_and_forks_stay() {
        let read = delayed(|| 1).named("read");
        let regrid = apply((&read, &value(2).named("w")), |(x, w)| x * w).named("regrid");
        let a = regrid.map(|x| x + 1).named("a").map(|x| x + 1).named("a2");
        let b = regrid.map(|x| x + 1).named("b").map(|x| x + 1).named("b2");
        assert_eq!(
            fused(Graph::of((&a, &b))),
            ["w", "read, regrid", "a, a2", "b, b2"]
        );
    }

    #[test]
    fn an_output_in_the_middle_of_a_chain_stays() {
        let read = delayed(|| 1).named("read");
        let write = read.map(|x| x + 1).named("write");
        assert_eq!(fused(Graph::of((&read, &write))), ["read", "write"]);
    }
}
