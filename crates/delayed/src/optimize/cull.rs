//! Leaves out what no output needs.
//!
//! # Result
//! The nodes from which a path leads to an output, in their order. A graph made from handles has no others; one whose outputs were
//! [chosen](crate::Graph::only) may.
//!
//! # Cost
//! One look at every dependency.

use crate::graph::Parts;

pub(super) fn cull(parts: Parts) -> Parts {
    let mut needed = vec![false; parts.infos.len()];
    let mut open: Vec<u32> = parts.outputs.iter().map(|output| output.id.0).collect();
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut needed[node as usize], true) {
            open.extend(&parts.dependencies[node as usize]);
        }
    }
    parts.retain(|node| needed[node])
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Passes, delayed};

    #[test]
    fn what_only_another_output_needed_goes() {
        let read = delayed(|| 1).named("read");
        let (a, b) = (
            read.map(|x| x + 1).named("a"),
            read.map(|x| x + 2).named("b"),
        );
        let graph = Graph::of((&a, &b.map(|x| x + 1).named("b2")));
        let a = graph
            .only(&[graph.find("a").unwrap()])
            .optimize(Passes::NONE.cull(true));
        let keys: Vec<_> = a.order().map(|id| a.key(id).to_string()).collect();
        assert_eq!(keys, ["read", "a"]);
        drop(b);
    }
}
