//! A graph as DOT text.

use std::fmt;

use crate::{
    graph::{Graph, Kind, TaskId},
    quoted::quoted,
};

/// A borrowed graph that displays as DOT: tasks are ellipses, known values boxes, outputs have a double border, groups are clusters.
///
/// ```
/// use delayed::{Graph, delayed};
/// let read = delayed(|| 1.0).named("read");
/// print!("{}", Graph::of(read.map(|x| x * 2.0).named("double")).dot());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dot<'a> {
    graph: &'a Graph,
}

impl<'a> Dot<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Dot { graph }
    }
}

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = self.graph;
        writeln!(f, "digraph {{")?;
        writeln!(f, "  rankdir=LR;")?;
        writeln!(f, "  node [fontname=\"sans-serif\", shape=ellipse];")?;
        let mut is_output = vec![false; graph.len()];
        for output in graph.outputs() {
            is_output[output.id.index()] = true;
        }
        let mut clusters = 0;
        for (group, ids) in graph.groups() {
            let indent = match group {
                Some(group) => {
                    writeln!(f, "  subgraph cluster_{clusters} {{")?;
                    writeln!(f, "    label={};", Quoted(group))?;
                    clusters += 1;
                    "    "
                }
                None => "  ",
            };
            for id in ids {
                node(f, graph, id, is_output[id.index()], indent)?;
            }
            if group.is_some() {
                writeln!(f, "  }}")?;
            }
        }
        for id in graph.order() {
            for dependency in graph.dependencies(id) {
                writeln!(f, "  n{} -> n{};", dependency.index(), id.index())?;
            }
        }
        writeln!(f, "}}")
    }
}

fn node(
    f: &mut fmt::Formatter<'_>,
    graph: &Graph,
    id: TaskId,
    is_output: bool,
    indent: &str,
) -> fmt::Result {
    let info = graph.info(id);
    write!(
        f,
        "{indent}n{} [label={}",
        id.index(),
        Quoted(&info.label.to_string())
    )?;
    if info.kind == Kind::Value {
        f.write_str(", shape=box")?;
    }
    if is_output {
        f.write_str(", peripheries=2")?;
    }
    writeln!(f, "];")
}

/// Text between quotes, as DOT wants it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quoted(f, self.0, |c| match c {
            '\n' => Some("\\n".to_string()),
            '\r' => Some(String::new()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, apply, delayed, value};

    #[test]
    fn groups_values_and_outputs_are_drawn_and_text_is_escaped() {
        let weights = value(2.0).named("weights");
        let read = delayed(|| 1.0).named(("read", 0)).group("input");
        let regrid = apply((&read, &weights), |(x, w)| x * w)
            .named("regrid \"a\\b\"\nlat=0..100")
            .group("C:\\out");
        let expected = r#"digraph {
  rankdir=LR;
  node [fontname="sans-serif", shape=ellipse];
  subgraph cluster_0 {
    label="input";
    n0 [label="read 0"];
  }
  subgraph cluster_1 {
    label="C:\\out";
    n1 [label="regrid \"a\\b\"\nlat=0..100", peripheries=2];
  }
  n2 [label="weights", shape=box];
  n0 -> n1;
  n2 -> n1;
}
"#;
        assert_eq!(Graph::of(&regrid).dot().to_string(), expected);
    }

    #[test]
    fn an_empty_graph_is_valid_text() {
        assert_eq!(
            Graph::of(()).dot().to_string(),
            "digraph {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", shape=ellipse];\n}\n"
        );
    }
}
