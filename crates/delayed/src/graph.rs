//! A graph to look at: tasks and known values with their names, dependencies, dependents and order.
//!
//! It is a picture of what a run would do, made from handles; it holds no closures and keeps nothing alive.

use std::{collections::HashMap, fmt, io, panic::Location, path::Path, sync::OnceLock};

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
};

use crate::{
    audited::values::KNOWN,
    dot::Dot,
    error::{Error, Result},
    frozen::Frozen,
    key::{Key, Label},
    outputs::Outputs,
    task::Node,
};

/// A node of one [`Graph`]. For a task it is its rank: its place in the order in which one thread alone would run the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(crate) u32);

impl TaskId {
    /// The number.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    fn node(self) -> NodeIndex {
        NodeIndex::new(self.index())
    }

    fn of(node: NodeIndex) -> Self {
        TaskId(node.index() as u32)
    }
}

/// What a node of a graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A function that a run will call.
    Task,
    /// A value that is already there.
    Value,
}

/// What a graph knows of one node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Task or known value.
    pub kind: Kind,
    /// Its label.
    pub label: Label,
    /// Its group, if it has one.
    pub group: Option<String>,
    /// Which step of the work it is, if that was said.
    pub step: Option<String>,
    /// Where it was built.
    pub site: &'static Location<'static>,
    /// The expected size of its value, if the user gave one.
    pub bytes: Option<u64>,
    /// Its priority.
    pub priority: i16,
    /// The name of its function's type; empty for a known value.
    pub function: &'static str,
    /// The name of its value's type.
    pub value_type: &'static str,
    /// How many bytes its closure and its list of inputs take, without what they point to; 0 for a known value.
    pub captured: usize,
}

/// The tasks that some outputs need, and how they depend on each other.
///
/// Tasks that no output needs are not in it. It has no cycle: a task can only be built from those that are there already.
/// ```
/// use delayed::{Graph, delayed};
/// let field = delayed(|| 2.0_f64).named("read");
/// let twice = (&field + &field).named("add");
/// let graph = Graph::of(&twice);
/// let add = graph.find("add").unwrap();
/// assert_eq!((graph.tasks(), graph.dependencies_count()), (2, 1));
/// assert_eq!(graph.dependencies(add).map(|id| graph.key(id).to_string()).collect::<Vec<_>>(), ["read"]);
/// ```
pub struct Graph {
    nodes: DiGraph<TaskInfo, ()>,
    outputs: Vec<Output>,
    keys: OnceLock<Vec<Key>>,
    by_key: OnceLock<HashMap<Key, TaskId>>,
}

/// A graph taken to pieces for the passes; nodes keep their order, and a dependency is a node's number.
pub(crate) struct Parts {
    pub(crate) infos: Vec<TaskInfo>,
    pub(crate) dependencies: Vec<Vec<u32>>,
    pub(crate) outputs: Vec<Output>,
}

impl Parts {
    /// Only some nodes, numbered anew. Dependencies on others go; outputs have to stay.
    pub(crate) fn retain(self, stays: impl Fn(usize) -> bool) -> Self {
        let mut next = 0;
        let numbers: Vec<Option<u32>> = (0..self.infos.len())
            .map(|node| {
                stays(node).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let renumber = |nodes: Vec<u32>| {
            nodes
                .into_iter()
                .filter_map(|node| numbers[node as usize])
                .collect()
        };
        let outputs = self.outputs.into_iter().map(|output| {
            let id = TaskId(numbers[output.id.index()].expect("an output stays"));
            Output { id, ..output }
        });
        Parts {
            infos: self
                .infos
                .into_iter()
                .enumerate()
                .filter(|(node, _)| stays(*node))
                .map(|(_, info)| info)
                .collect(),
            dependencies: self
                .dependencies
                .into_iter()
                .enumerate()
                .filter(|(node, _)| stays(*node))
                .map(|(_, nodes)| renumber(nodes))
                .collect(),
            outputs: outputs.collect(),
        }
    }
}

/// An output of a graph.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Output {
    /// The name it was given in a [`GraphBuilder`](crate::GraphBuilder).
    pub name: Option<String>,
    /// The node that gives it.
    pub id: TaskId,
}

impl Graph {
    /// The graph of some outputs; the short form of a [`GraphBuilder`](crate::GraphBuilder).
    pub fn of(outputs: impl Outputs) -> Self {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        Self::from_frozen(&Frozen::of(&wanted))
    }

    pub(crate) fn from_frozen(frozen: &Frozen<'_>) -> Self {
        let tasks = frozen.len();
        let id = |number: u32| {
            if number & KNOWN == 0 {
                number
            } else {
                tasks as u32 + (number & !KNOWN)
            }
        };
        let dependencies = |task: usize| {
            let mut dependencies: Vec<u32> = frozen
                .dependencies(task)
                .iter()
                .map(|dependency| id(*dependency))
                .collect();
            dependencies.sort_unstable();
            dependencies.dedup();
            dependencies
        };
        let output = |output: &u32| Output {
            name: None,
            id: TaskId(id(*output)),
        };
        Self::from_parts(Parts {
            infos: frozen
                .nodes()
                .chain(frozen.known.iter().copied())
                .map(TaskInfo::of)
                .collect(),
            dependencies: (0..tasks)
                .map(dependencies)
                .chain(frozen.known.iter().map(|_| Vec::new()))
                .collect(),
            outputs: frozen.outputs.iter().map(output).collect(),
        })
    }

    pub(crate) fn from_parts(parts: Parts) -> Self {
        let edges = parts.dependencies.iter().map(Vec::len).sum();
        let mut nodes = DiGraph::with_capacity(parts.infos.len(), edges);
        for info in parts.infos {
            nodes.add_node(info);
        }
        for (node, dependencies) in parts.dependencies.iter().enumerate() {
            for dependency in dependencies {
                nodes.add_edge(TaskId(*dependency).node(), TaskId(node as u32).node(), ());
            }
        }
        Graph {
            nodes,
            outputs: parts.outputs,
            keys: OnceLock::new(),
            by_key: OnceLock::new(),
        }
    }

    /// The same graph with names for its outputs.
    pub(crate) fn with_names(mut self, names: impl Iterator<Item = String>) -> Self {
        for (output, name) in self.outputs.iter_mut().zip(names) {
            output.name = Some(name);
        }
        self
    }

    /// All nodes by number.
    pub(crate) fn ids(&self) -> impl Iterator<Item = TaskId> + use<> {
        (0..self.len() as u32).map(TaskId)
    }

    pub(crate) fn to_parts(&self) -> Parts {
        Parts {
            infos: self.ids().map(|id| self.info(id).clone()).collect(),
            dependencies: self
                .ids()
                .map(|id| {
                    self.dependencies(id)
                        .map(|dependency| dependency.0)
                        .collect()
                })
                .collect(),
            outputs: self.outputs.clone(),
        }
    }

    /// The same graph with some of its nodes as the outputs; [`optimize`](Self::optimize) leaves out what they do not need.
    /// ```
    /// use delayed::{Graph, Passes, delayed};
    /// let a = delayed(|| 1).named("a");
    /// let (b, c) = (a.map(|x| x + 1).named("b"), a.map(|x| x + 2).named("c"));
    /// let graph = Graph::of((&b, &c));
    /// let part = graph.only(&[graph.find("b").unwrap()]).optimize(Passes::NONE.cull(true));
    /// assert!(part.find("a").is_some() && part.find("c").is_none());
    /// ```
    pub fn only(&self, outputs: &[TaskId]) -> Graph {
        let mut parts = self.to_parts();
        parts.outputs = outputs
            .iter()
            .map(|id| Output {
                name: None,
                id: *id,
            })
            .collect();
        Graph::from_parts(parts)
    }

    /// How many nodes there are, tasks and known values.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tasks a run would run.
    pub fn tasks(&self) -> usize {
        self.nodes
            .node_weights()
            .filter(|info| info.kind == Kind::Task)
            .count()
    }

    /// How many dependencies there are; a task that reads one value twice has one.
    pub fn dependencies_count(&self) -> usize {
        self.nodes.edge_count()
    }

    /// All nodes in an order in which each comes after its dependencies: known values, then tasks by rank.
    pub fn order(&self) -> impl Iterator<Item = TaskId> + '_ {
        let of = |kind| {
            self.nodes
                .node_indices()
                .filter(move |node| self.nodes[*node].kind == kind)
                .map(TaskId::of)
        };
        of(Kind::Value).chain(of(Kind::Task))
    }

    /// What is known of a node.
    ///
    /// # Panics
    /// If `id` is of another graph and too large.
    pub fn info(&self, id: TaskId) -> &TaskInfo {
        &self.nodes[id.node()]
    }

    /// A node's label.
    pub fn label(&self, id: TaskId) -> &Label {
        &self.info(id).label
    }

    /// A node's key.
    pub fn key(&self, id: TaskId) -> &Key {
        &self.keys()[id.index()]
    }

    /// The node of a key.
    pub fn find(&self, key: &str) -> Option<TaskId> {
        let by_key = self
            .by_key
            .get_or_init(|| self.keys().iter().cloned().zip(self.ids()).collect());
        by_key.get(key).copied()
    }

    /// The nodes that a task reads, by number.
    pub fn dependencies(&self, id: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        self.neighbours(id, Direction::Incoming)
    }

    /// The tasks that read a node's value, by rank.
    pub fn dependents(&self, id: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        self.neighbours(id, Direction::Outgoing)
    }

    /// The wanted outputs in the caller's order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The tasks of each group in the order of the groups' first tasks; `None` are those without.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let graph = Graph::of(delayed(|| 1).group("read").map(|x| x + 1));
    /// let groups: Vec<_> = graph.groups().into_iter().map(|(group, tasks)| (group, tasks.len())).collect();
    /// assert_eq!(groups, [(Some("read"), 1), (None, 1)]);
    /// ```
    pub fn groups(&self) -> Vec<(Option<&str>, Vec<TaskId>)> {
        let mut places: HashMap<Option<&str>, usize> = HashMap::new();
        let mut groups: Vec<(Option<&str>, Vec<TaskId>)> = Vec::new();
        for node in self.nodes.node_indices() {
            let group = self.nodes[node].group.as_deref();
            let place = *places.entry(group).or_insert(groups.len());
            if place == groups.len() {
                groups.push((group, Vec::new()));
            }
            groups[place].1.push(TaskId::of(node));
        }
        groups
    }

    /// The graph as petgraph has it, for its algorithms; edges go from a dependency to its dependent.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let graph = Graph::of(delayed(|| 1).map(|x| x + 1).map(|x| x + 2));
    /// assert_eq!(petgraph::algo::toposort(graph.petgraph(), None).unwrap().len(), 3);
    /// ```
    pub fn petgraph(&self) -> &DiGraph<TaskInfo, ()> {
        &self.nodes
    }

    /// The graph as DOT text, for Graphviz and others that read it.
    pub fn dot(&self) -> Dot<'_> {
        Dot::new(self)
    }

    /// Writes the DOT text to a file.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write_dot(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &self.dot())
    }

    fn neighbours(&self, id: TaskId, direction: Direction) -> impl Iterator<Item = TaskId> + use<> {
        let mut found: Vec<TaskId> = self
            .nodes
            .neighbors_directed(id.node(), direction)
            .map(TaskId::of)
            .collect();
        found.sort_unstable();
        found.into_iter()
    }

    fn keys(&self) -> &[Key] {
        self.keys.get_or_init(|| {
            let mut bearers: HashMap<String, u32> = HashMap::new();
            let key = |info: &TaskInfo| {
                let label = info.label.to_string();
                let nth = bearers
                    .entry(label.clone())
                    .and_modify(|nth| *nth += 1)
                    .or_insert(1);
                Key::new(&label, *nth)
            };
            self.nodes.node_weights().map(key).collect()
        })
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("nodes", &self.len())
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl TaskInfo {
    fn of(node: &Node) -> Self {
        let notes = node.with_notes(Clone::clone).unwrap_or_default();
        let [function, value_type] = node.work.names();
        TaskInfo {
            kind: if node.head.known {
                Kind::Value
            } else {
                Kind::Task
            },
            label: node.label(),
            group: notes.group.map(Into::into),
            step: notes.step.map(Into::into),
            site: node.head.site,
            bytes: notes.bytes,
            priority: notes.priority,
            function,
            value_type,
            captured: if node.head.known {
                0
            } else {
                size_of_val(&node.work)
            },
        }
    }
}

/// Writes what displays as text to a file.
pub(crate) fn write(path: &Path, text: &dyn fmt::Display) -> Result<()> {
    let write = || {
        let mut file = io::BufWriter::new(std::fs::File::create(path)?);
        io::Write::write_fmt(&mut file, format_args!("{text}"))?;
        io::Write::flush(&mut file)
    };
    write().map_err(|source| Error::Write {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{apply, delayed, value};

    fn keys(graph: &Graph, ids: impl Iterator<Item = TaskId>) -> Vec<String> {
        ids.map(|id| graph.key(id).to_string()).collect()
    }

    #[test]
    fn dependencies_come_before_their_dependents_and_nothing_else_is_there() {
        let weights = value(vec![1.0]).named("weights");
        let read = delayed(|| 1.0).named("read");
        let unused = read.map(|x| x + 1.0).named("unused");
        let regrid = apply((&read, &weights), |(x, w)| x * w[0]).named("regrid");
        let graph = Graph::of([&regrid, &read]);
        assert_eq!(keys(&graph, graph.order()), ["weights", "read", "regrid"]);
        assert_eq!(
            (graph.len(), graph.tasks(), graph.dependencies_count()),
            (3, 2, 2)
        );
        let read = graph.find("read").unwrap();
        assert_eq!(keys(&graph, graph.dependents(read)), ["regrid"]);
        assert_eq!(
            keys(&graph, graph.dependencies(graph.find("regrid").unwrap())),
            ["read", "weights"]
        );
        assert_eq!(
            keys(&graph, graph.outputs().iter().map(|output| output.id)),
            ["regrid", "read"]
        );
        drop(unused);
    }

    #[test]
    fn equal_labels_give_numbered_keys_that_are_the_same_every_time() {
        let build = || {
            (0..3)
                .map(|i| delayed(move || i).named("read"))
                .collect::<Vec<_>>()
        };
        let graph = Graph::of(build());
        assert_eq!(keys(&graph, graph.order()), ["read", "read#2", "read#3"]);
        let again = Graph::of(build());
        assert_eq!(keys(&again, again.order()), keys(&graph, graph.order()));
    }
}
