//! A graph as DOT text.

use std::{borrow::Cow, fmt, path::Path};

use crate::{
    error::Result,
    graph::{Graph, Kind, TaskId, write},
    quoted::quoted,
    svg::{
        Colour,
        paint::{Key, Paint},
    },
};

/// A borrowed graph that displays as DOT: tasks are ellipses, known values boxes, outputs have a double border, groups are clusters.
///
/// It has every node of the graph, however many there are: [`Graph::svg`] draws large graphs as a synopsis.
/// ```
/// use delayed::{Colour, Graph, delayed};
/// let read = delayed(|| 1.0).named("read");
/// let graph = Graph::of(read.map(|x| x * 2.0).named("double"));
/// print!("{}", graph.dot());
/// assert!(graph.dot().colour(Colour::Order).to_string().contains("runs first (0) to last (1)"));
/// ```
#[derive(Debug, Clone)]
pub struct Dot<'a> {
    graph: &'a Graph,
    colour: Option<Colour>,
}

impl<'a> Dot<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Dot {
            graph,
            colour: None,
        }
    }

    /// Fills the nodes with colours and adds a key to them; there are none if nothing is said.
    pub fn colour(mut self, colour: Colour) -> Self {
        self.colour = Some(colour);
        self
    }

    /// Writes the text to a file.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), self)
    }
}

impl fmt::Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = self.graph;
        let colours = self
            .colour
            .as_ref()
            .map(|colour| Colours::of(graph, colour));
        writeln!(f, "digraph {{")?;
        writeln!(f, "  rankdir=LR;")?;
        writeln!(f, "  node [fontname=\"sans-serif\", shape=ellipse];")?;
        if let Some(colours) = &colours {
            colours.key(f)?;
        }
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
                write!(
                    f,
                    "{indent}n{} [label={}",
                    id.index(),
                    Quoted(&graph.label(id).to_string())
                )?;
                if graph.info(id).kind == Kind::Value {
                    f.write_str(", shape=box")?;
                }
                if is_output[id.index()] {
                    f.write_str(", peripheries=2")?;
                }
                if let Some(colours) = &colours {
                    colours.fill(f, id)?;
                }
                writeln!(f, "];")?;
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

/// The colour of each node, and what the colours mean.
struct Colours {
    paints: Vec<Paint>,
    key: Key,
}

impl Colours {
    fn of(graph: &Graph, colour: &Colour) -> Self {
        let paints = Paint::of(graph, colour);
        let by_group = matches!(colour, Colour::Group);
        let is_said = graph
            .ids()
            .map(|id| by_group && graph.info(id).group.is_some());
        let key = Key::of(paints.iter().zip(is_said), colour, false);
        Colours { paints, key }
    }

    fn fill(&self, f: &mut fmt::Formatter<'_>, id: TaskId) -> fmt::Result {
        let (fill, ink) = self.key.colour(&self.paints[id.index()]);
        write!(
            f,
            r#", style=filled, fillcolor="{fill}", fontcolor="{ink}""#
        )
    }

    /// A cluster of boxes without arrows.
    fn key(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, entries) = match self.key.words() {
            Some(words) => {
                let samples = Key::samples().map(|fill| (fill, String::new()));
                (words, samples.to_vec())
            }
            None => {
                let fill = |name: &str| self.key.colour(&Paint::Name(name.to_string())).0;
                let entries = self.key.entries().into_iter();
                let entries =
                    entries.map(|(name, text)| (name.map_or("#ffffff".to_string(), fill), text));
                ("", entries.collect())
            }
        };
        if entries.is_empty() {
            return Ok(());
        }
        writeln!(f, "  subgraph cluster_key {{")?;
        writeln!(f, "    label={};", Quoted(title))?;
        for (place, (fill, text)) in entries.iter().enumerate() {
            writeln!(
                f,
                r#"    key{place} [shape=plaintext, style=filled, fillcolor="{fill}", label={}];"#,
                Quoted(text)
            )?;
        }
        writeln!(f, "  }}")
    }
}

/// Graphviz reads no text of more than 16 384 bytes; the middle of one goes, and a letter takes four bytes at most.
const LETTERS: usize = 2000;

fn without_middle(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= LETTERS {
        return text.into();
    }
    let half = LETTERS / 2;
    let (start, end) = (text.chars().take(half), text.chars().skip(count - half));
    start.chain(['…']).chain(end).collect()
}

/// Text between quotes, as DOT wants it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = without_middle(self.0);
        quoted(f, &text, |c| match c {
            '\n' => Some("\\n".to_string()),
            '\r' => Some(String::new()),
            '\t' => None,
            // Graphviz stops at some of them, and its drawings are no XML with the others.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                Some('\u{fffd}'.to_string())
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Colour, Graph, Profile, Run, apply, delayed, value};

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

    #[test]
    fn colours_come_with_their_key() {
        let profile = Profile::new();
        let read = delayed(|| 1).named("read").bytes(2048).group("input");
        let add = read.map(|x| x + 1).named("add").bytes(1024);
        let run = Run::new().threads(1).observe(profile.clone());
        run.compute(&add).unwrap();
        let graph = Graph::of(&add);
        let text = |colour| graph.dot().colour(colour).to_string();
        let bytes = text(Colour::Bytes);
        assert!(bytes.contains(r#"label="1.0 KiB to 2.0 KiB";"#), "{bytes}");
        assert!(bytes.contains(
            r##"n0 [label="read", style=filled, fillcolor="#fee838", fontcolor="#000000"];"##
        ));
        assert!(bytes.contains(r##"n1 [label="add", peripheries=2, style=filled, fillcolor="#00224e", fontcolor="#ffffff"];"##));
        let group = text(Colour::Group);
        assert!(
            group.contains(r##"fillcolor="#E69F00", label="add"];"##),
            "{group}"
        );
        assert!(!group.contains(r#"label="input"];"#), "on its cluster");
        assert!(text(Colour::Order).contains("runs first (0) to last (1)"));
        assert!(text(Colour::Time(profile.clone())).contains(r#"label="ran for "#));
        let worker = text(Colour::Worker(profile));
        assert_eq!(worker.matches("fillcolor=\"#56B4E9\"").count(), 2);
    }

    #[test]
    fn text_that_graphviz_does_not_read_is_shortened_or_replaced() {
        let label = format!("a\u{0}b\r\n{}z", "气".repeat(10_000));
        let text = Graph::of(delayed(|| 1).named(label)).dot().to_string();
        assert!(text.len() < 16_384, "{} bytes", text.len());
        assert!(
            text.contains("\"a\u{fffd}b\\n气") && text.contains("气…气") && text.contains("气z\"")
        );
    }
}
