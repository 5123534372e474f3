//! A graph as an SVG drawing, without Graphviz.
//!
//! Left to right: a node stands one column after the last of its dependencies, and in a column near the middle of its neighbours;
//! groups have an outline. A graph of more than a few hundred nodes becomes a synopsis: one box for each group, with the number of its
//! tasks.
//!
//! `drawing` and `synopsis` say what is drawn, `layout` and `heights` where, `paint` in which colours, `page` puts it into words.

mod drawing;
mod heights;
mod layout;
mod page;
pub(crate) mod paint;
mod synopsis;
mod text;

use std::{fmt, path::Path};

use crate::{
    error::Result,
    graph::{Graph, write},
    profile::Profile,
};

use self::{
    drawing::{Drawing, Shape},
    layout::Layout,
    page::Page,
    paint::{Key, Paint},
};

/// Above this, single tasks cannot be told apart in a drawing.
const MANY: usize = 300;

/// A borrowed graph that displays as SVG.
/// ```
/// use delayed::{Colour, Graph, delayed};
/// let read = delayed(|| 1.0).named("read");
/// let graph = Graph::of(read.map(|x| x * 2.0).named("double"));
/// let text = graph.svg().colour(Colour::Order).to_string();
/// assert!(text.starts_with("<svg ") && text.contains("double"));
/// ```
#[derive(Debug, Clone)]
pub struct Svg<'a> {
    graph: &'a Graph,
    colour: Colour,
}

/// What the colour of a box tells, in an [`Svg`] or a [`Dot`](crate::Dot).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Colour {
    /// The group, or the label where there is none.
    #[default]
    Group,
    /// The place in the order of execution.
    Order,
    /// The expected size of the value.
    Bytes,
    /// How long the task of the same key ran, in a profile.
    Time(Profile),
    /// Who ran the task of the same key, in a profile.
    Worker(Profile),
}

impl Graph {
    /// The graph as an SVG drawing.
    pub fn svg(&self) -> Svg<'_> {
        Svg {
            graph: self,
            colour: Colour::Group,
        }
    }

    /// Writes the SVG drawing to a file.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write).
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        self.svg().write(path)
    }
}

impl Svg<'_> {
    /// What the colours are to tell; groups if nothing is said.
    pub fn colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// Writes the drawing to a file.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), self)
    }
}

impl Svg<'_> {
    fn key(&self, drawing: &Drawing) -> Key {
        let is_synopsis = self.is_synopsis();
        // A group's name may stand on its outline, or on its box.
        let is_said = |shape: &Shape| {
            matches!(self.colour, Colour::Group)
                && (is_synopsis
                    || shape.outline.is_some()
                    || matches!(&shape.paint, Paint::Name(name) if *name == shape.label))
        };
        let painted = drawing
            .shapes
            .iter()
            .map(|shape| (&shape.paint, is_said(shape)));
        Key::of(painted, &self.colour, is_synopsis)
    }

    fn is_synopsis(&self) -> bool {
        self.graph.len() > MANY
    }

    fn drawing(&self) -> Drawing {
        let paints = Paint::of(self.graph, &self.colour);
        if self.is_synopsis() {
            synopsis::synopsis(self.graph, &paints)
        } else {
            Drawing::whole(self.graph, paints)
        }
    }
}

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawing = self.drawing();
        let layout = Layout::of(&drawing);
        let key = self.key(&drawing);
        Page::of(&drawing, &layout, &key).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, apply, delayed, value};

    fn regrid(chunks: usize) -> Graph {
        let weights = value(2.0).named("weights");
        let reads: Vec<_> = (0..chunks)
            .map(|i| delayed(move || i as f64).named(("read", i)))
            .collect();
        let regrids: Vec<_> = reads
            .iter()
            .enumerate()
            .map(|(i, read)| apply((read, &weights), |(x, w)| x * w).named(("a < b & c", i)))
            .collect();
        Graph::of(apply(&regrids, |all| all.into_iter().sum::<f64>()).named("join"))
    }

    #[test]
    fn every_node_and_dependency_of_a_small_graph_is_drawn_and_text_is_escaped() {
        let text = regrid(4).svg().to_string();
        assert_eq!(
            (
                text.matches("<g><title>").count(),
                text.matches("<path d=\"M").count()
            ),
            (10, 12 + 1),
            "ten boxes, twelve arrows and their tip"
        );
        assert!(text.contains(">a &lt; b &amp; c 3</text>"));
        assert_eq!(
            text.matches("rx=\"0\"").count(),
            1,
            "a known value is a box"
        );
        assert_eq!(
            text.matches("stroke-width=\"2.5\"").count(),
            1,
            "an output has a thick border"
        );
    }

    #[test]
    fn a_large_graph_is_a_synopsis_of_its_groups() {
        let text = regrid(1000).svg().to_string();
        assert_eq!(text.matches("<g><title>").count(), 4);
        assert!(
            text.contains(">read × 1000</text>")
                && text.contains("<title>1000 dependencies</title>")
        );
    }

    #[test]
    fn a_group_has_an_outline_with_its_name_and_any_text_is_harmless() {
        let evil = "<script>alert(\"x\")</script> & 'y' \u{1}";
        let graph = Graph::of(
            delayed(|| 1)
                .named(evil)
                .group(evil)
                .map(|x| x + 1)
                .named("ok"),
        );
        for colour in [Colour::Group, Colour::Order] {
            let text = graph.svg().colour(colour).to_string();
            assert!(
                !text.contains("<script") && !text.contains('\u{1}'),
                "{text}"
            );
            assert_eq!(
                text.matches(">&lt;script&gt;").count(),
                4,
                "the outline and the box, each with its whole name"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_tasks_draw_to_a_small_picture() {
        let text = regrid(50_000).svg().colour(Colour::Order).to_string();
        assert!(text.len() < 10_000, "{} bytes", text.len());
        assert!(text.contains(">read × 50000</text>"));
    }

    #[test]
    fn measured_colours_come_with_their_key() {
        let profile = Profile::new();
        let join = delayed(|| 1).named("read").map(|x| x + 1).named("join");
        Run::new()
            .threads(1)
            .observe(profile.clone())
            .compute(&join)
            .unwrap();
        let graph = Graph::of(&join);
        let text = |colour| graph.svg().colour(colour).to_string();
        assert!(text(Colour::Time(profile.clone())).contains(">ran for "));
        assert!(text(Colour::Order).contains("runs first (0) to last (1)"));
        assert!(text(Colour::Worker(profile)).contains(paint::DISTINCT[0]));
    }

    #[test]
    fn a_profile_of_another_graph_colours_the_tasks_that_both_have() {
        let profile = Profile::new();
        let read = delayed(|| 1).named("read");
        let run = Run::new().threads(1).observe(profile.clone());
        run.compute((
            &read.map(|x| x + 1).named("add"),
            delayed(|| 2).named("other"),
        ))
        .unwrap();
        let later = read.map(|x| x * 2).named("double");
        let graph = Graph::of(&later);
        let paints = Paint::of(&graph, &Colour::Worker(profile));
        let of = |key: &str| &paints[graph.find(key).unwrap().index()];
        assert_eq!(of("read"), &Paint::Name("worker 0".to_string()));
        assert_eq!(of("double"), &Paint::None);
    }

    #[test]
    fn the_key_names_what_the_boxes_do_not() {
        let group = |i: usize| format!("group {}", i % 20);
        let all: Vec<_> = (0..40)
            .map(|i| delayed(move || i).named(("read", i)).group(group(i)))
            .collect();
        let text = Graph::of(&all).svg().to_string();
        assert_eq!(text.matches(">group 3</text>").count(), 1, "on the outline");
        let all: Vec<_> = (b'a'..=b'z')
            .map(|c| delayed(move || c).named(format!("{} 1", c as char)))
            .collect();
        let text = Graph::of(&all).svg().to_string();
        assert!(
            text.contains(">a</text>")
                && text.contains(">and 18 more in the same colours again</text>")
        );
    }

    #[test]
    fn an_empty_graph_is_an_empty_drawing() {
        assert!(Graph::of(()).svg().to_string().ends_with("</svg>\n"));
    }
}
