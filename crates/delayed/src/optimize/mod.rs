//! Passes over a graph: a graph in, a graph with the same outputs out.
//!
//! A local run needs hardly any: its tasks are those that the outputs need ([`cull`]), known values are no tasks ([`inline`]), and a
//! chain runs on one worker without touching a queue ([`fuse`]). Equal pure tasks are merged when a graph is gathered, for a run as for a
//! picture. The passes show what all that amounts to, and prepare a graph for schedulers where a task costs more than here.

mod cull;
mod fuse;
mod inline;

use crate::graph::Graph;

/// Which passes are made; all of them by default. They are made in the order of the fields, and none changes a value.
///
/// To be given to [`Graph::optimize`], [`GraphBuilder::passes`](crate::GraphBuilder::passes) or [`Run::passes`](crate::Run::passes).
///
/// ```
/// use delayed::{Graph, Passes, delayed};
/// let written = delayed(|| 1).named("read").map(|x| x + 1).named("regrid").map(|x| x * 2).named("write");
/// let graph = Graph::of(&written);
/// assert_eq!(graph.tasks(), 3);
/// let fused = graph.optimize(Passes::default());
/// assert_eq!(fused.label(fused.outputs()[0].id).to_string(), "read, regrid, write");
/// assert_eq!(graph.optimize(Passes::NONE).tasks(), 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passes {
    /// Make one task of equal [pure](crate::Delayed::pure) tasks. This happens while a graph is gathered from delayed values, so
    /// [`Graph::optimize`] comes too late for it.
    pub merge: bool,
    /// Leave out what no output needs.
    pub cull: bool,
    /// Make known values a part of the tasks that read them.
    pub inline: bool,
    /// Make one task of a chain in which each task has one reader.
    pub fuse: bool,
}

impl Passes {
    /// No pass at all.
    pub const NONE: Self = Passes {
        merge: false,
        cull: false,
        inline: false,
        fuse: false,
    };

    /// Switches merging equal pure tasks on or off.
    pub fn merge(mut self, on: bool) -> Self {
        self.merge = on;
        self
    }

    /// Switches leaving out on or off.
    pub fn cull(mut self, on: bool) -> Self {
        self.cull = on;
        self
    }

    /// Switches taking in known values on or off.
    pub fn inline(mut self, on: bool) -> Self {
        self.inline = on;
        self
    }

    /// Switches making chains one task on or off.
    pub fn fuse(mut self, on: bool) -> Self {
        self.fuse = on;
        self
    }
}

impl Default for Passes {
    fn default() -> Self {
        Passes {
            merge: true,
            cull: true,
            inline: true,
            fuse: true,
        }
    }
}

impl Graph {
    /// The graph after some passes. Its numbers are its own; keys may differ where tasks were fused.
    pub fn optimize(&self, passes: Passes) -> Graph {
        let mut parts = self.to_parts();
        if passes.cull {
            parts = cull::cull(parts);
        }
        if passes.inline {
            parts = inline::inline(parts);
        }
        if passes.fuse {
            parts = fuse::fuse(parts);
        }
        Graph::from_parts(parts)
    }
}
