//! [`GraphBuilder`]: outputs with names, groups and passes, made into one graph.

use std::collections::HashSet;

use crate::{
    delayed::Delayed,
    error::{Error, Result},
    frozen::Frozen,
    graph::Graph,
    optimize::Passes,
    task::Node,
};

/// Gathers named outputs and makes them one graph.
/// ```
/// use delayed::{GraphBuilder, delayed};
/// let field = delayed(|| vec![1.0, 2.0]).named("read");
/// let graph = GraphBuilder::new()
///     .output("first", &field.map(|f| f[0]))?
///     .output("last", &field.map(|f| f[1]))?
///     .build()?;
/// assert_eq!(graph.tasks(), 3);
/// assert!(GraphBuilder::new().output("a", &field)?.output("a", &field).is_err());
/// # Ok::<(), delayed::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct GraphBuilder {
    outputs: Vec<(String, Delayed<()>)>,
    names: HashSet<String>,
    passes: Option<Passes>,
}

impl GraphBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an output under a name.
    ///
    /// # Errors
    /// [`Error::RepeatedOutput`] if the name was used already.
    pub fn output<T>(mut self, name: impl Into<String>, output: &Delayed<T>) -> Result<Self> {
        let name = name.into();
        if !self.names.insert(name.clone()) {
            return Err(Error::RepeatedOutput { name });
        }
        self.outputs.push((name, output.untyped()));
        Ok(self)
    }

    /// Puts every task that the outputs given so far need, and that has no group yet, into a group.
    pub fn group(self, name: &str) -> Self {
        let nodes: Vec<&Node> = self
            .outputs
            .iter()
            .map(|(_, output)| output.node())
            .collect();
        for node in Frozen::of(&nodes).nodes() {
            node.notes()
                .group
                .get_or_insert_with(|| name.to_string().into());
        }
        self
    }

    /// Makes these passes over the graph; if nothing is said, equal pure tasks are merged and no other pass is made.
    pub fn passes(mut self, passes: Passes) -> Self {
        self.passes = Some(passes);
        self
    }

    /// Freezes what was gathered.
    ///
    /// # Errors
    /// [`Error::RepeatedKey`] if a task's [key](Delayed::keyed) is not its own.
    pub fn build(self) -> Result<Graph> {
        let nodes: Vec<&Node> = self
            .outputs
            .iter()
            .map(|(_, output)| output.node())
            .collect();
        let merge = self.passes.is_none_or(|passes| passes.merge);
        let frozen = Frozen::with(&nodes, merge);
        frozen.refuse_repeated_keys()?;
        let names = self.outputs.iter().map(|(name, _)| name.clone());
        let graph = Graph::from_frozen(&frozen).with_names(names);
        Ok(match self.passes {
            Some(passes) => graph.optimize(passes),
            None => graph,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delayed;

    #[test]
    fn the_builder_makes_the_passes_it_was_told_and_keeps_the_names() {
        let last = delayed(|| 1).named("read").map(|x| x + 1).named("write");
        let graph = GraphBuilder::new()
            .output("last", &last)
            .unwrap()
            .passes(Passes::default())
            .build()
            .unwrap();
        assert_eq!(
            (graph.tasks(), graph.outputs()[0].name.as_deref()),
            (1, Some("last"))
        );
    }

    #[test]
    fn a_group_of_the_builder_leaves_other_groups_alone() {
        let read = delayed(|| 1).named("read").group("input");
        let graph = GraphBuilder::new()
            .output("sum", &(&read + &read).named("sum"))
            .unwrap()
            .group("rest")
            .build()
            .unwrap();
        let group = |key: &str| graph.info(graph.find(key).unwrap()).group.as_deref();
        assert_eq!((group("read"), group("sum")), (Some("input"), Some("rest")));
        assert_eq!(graph.outputs()[0].name.as_deref(), Some("sum"));
    }
}
