//! Makes one task of a chain in which each task has one reader.
//!
//! # Result
//! A task that is read by one task only, which reads no other task, becomes a part of it: nothing could have run beside the two, so no
//! parallelism is lost. An output keeps its own task. The fused task bears the last one's group, site and size, and the labels of all,
//! of a long chain those at its ends.
//!
//! # Cost
//! One look at every dependency.
//!
//! # Source
//! The linear case of `fuse` in Dask's `optimization.py`.

use crate::{
    graph::{Kind, Parts, TaskInfo},
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
    // The chain of a task bears the number of its last one, which comes after all others.
    let mut chain: Vec<u32> = (0..nodes as u32).collect();
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); nodes];
    for node in (0..nodes).rev() {
        if let Some(by) = swallowed[node] {
            chain[node] = chain[by as usize];
            members[chain[node] as usize].push(node as u32);
        }
    }
    let mut parts = parts;
    for (last, members) in members
        .iter_mut()
        .enumerate()
        .filter(|(_, before)| !before.is_empty())
    {
        members.reverse();
        members.push(last as u32);
        let mut outside: Vec<u32> = Vec::new();
        for member in members.iter() {
            let dependencies = std::mem::take(&mut parts.dependencies[*member as usize]);
            outside.extend(
                dependencies
                    .into_iter()
                    .filter(|before| chain[*before as usize] as usize != last),
            );
        }
        outside.sort_unstable();
        outside.dedup();
        parts.dependencies[last] = outside;
        parts.infos[last].label = of_all(members, &parts.infos);
    }
    parts.retain(|node| swallowed[node].is_none())
}

/// Above this many, a label names the first and the last tasks of a chain only.
const NAMED: usize = 8;

/// The label of a chain, from those of its tasks.
fn of_all(members: &[u32], infos: &[TaskInfo]) -> Label {
    let names = |members: &[u32]| {
        let names: Vec<String> = members
            .iter()
            .map(|member| infos[*member as usize].label.to_string())
            .collect();
        names.join(", ")
    };
    if members.len() <= NAMED {
        return names(members).into();
    }
    let (first, last) = (&members[..NAMED / 2], &members[members.len() - NAMED / 2..]);
    format!(
        "{}, … {} more …, {}",
        names(first),
        members.len() - NAMED,
        names(last)
    )
    .into()
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

    #[test]
    fn a_chain_of_any_length_is_one_task_named_after_its_ends() {
        let chain = (1..100_000_usize).fold(delayed(|| 0).named(("step", 0)), |last, i| {
            let shift = value(i).named(("shift", i));
            apply((&last, &shift), |(x, i)| x + i).named(("step", i))
        });
        let fused = Graph::of(&chain).optimize(Passes::NONE.fuse(true));
        assert_eq!((fused.tasks(), fused.len()), (1, 100_000));
        let last = fused.outputs()[0].id;
        assert_eq!(fused.dependencies(last).count(), 99_999);
        assert_eq!(
            fused.label(last).to_string(),
            "step 0, step 1, step 2, step 3, … 99992 more …, step 99996, step 99997, step 99998, step 99999"
        );
    }
}
