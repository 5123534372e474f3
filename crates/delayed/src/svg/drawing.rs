//! What is drawn, before it has a place: boxes, arrows between them, and outlines round groups of boxes.

use std::collections::HashMap;

use crate::graph::{Graph, Kind};

use super::paint::Paint;

/// A box.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) label: String,
    pub(super) title: String,
    pub(super) kind: Kind,
    pub(super) is_output: bool,
    pub(super) column: usize,
    /// The outline that it is in.
    pub(super) outline: Option<usize>,
    pub(super) paint: Paint,
}

/// From a box to one that needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// How many dependencies it stands for.
    pub(super) count: usize,
}

#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) shapes: Vec<Shape>,
    pub(super) arrows: Vec<Arrow>,
    /// The names of the groups with an outline.
    pub(super) outlines: Vec<String>,
}

impl Drawing {
    /// Every node a box, every group an outline.
    pub(super) fn whole(graph: &Graph, paints: Vec<Paint>) -> Self {
        let columns = columns(graph);
        let mut is_output = vec![false; graph.len()];
        for output in graph.outputs() {
            is_output[output.id.index()] = true;
        }
        let mut outlines: Vec<String> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut shapes = Vec::with_capacity(graph.len());
        let mut arrows = Vec::new();
        for (id, paint) in graph.ids().zip(paints) {
            let info = graph.info(id);
            let outline = info.group.as_deref().map(|group| {
                *places.entry(group).or_insert_with(|| {
                    outlines.push(group.to_string());
                    outlines.len() - 1
                })
            });
            shapes.push(Shape {
                label: info.label.to_string(),
                title: format!("{}\n{}", graph.key(id), info.site),
                kind: info.kind,
                is_output: is_output[id.index()],
                column: columns[id.index()],
                outline,
                paint,
            });
            arrows.extend(graph.dependencies(id).map(|from| Arrow {
                from: from.index(),
                to: id.index(),
                count: 1,
            }));
        }
        Drawing {
            shapes,
            arrows,
            outlines,
        }
    }
}

/// One column after the last dependency; a known value stands right before the first who reads it.
pub(super) fn columns(graph: &Graph) -> Vec<usize> {
    let mut columns = vec![0_usize; graph.len()];
    for id in graph
        .order()
        .filter(|id| graph.info(*id).kind == Kind::Task)
    {
        columns[id.index()] = graph
            .dependencies(id)
            .map(|before| columns[before.index()] + 1)
            .max()
            .unwrap_or(0);
    }
    for id in graph
        .order()
        .filter(|id| graph.info(*id).kind == Kind::Value)
    {
        let first = graph
            .dependents(id)
            .map(|after| columns[after.index()])
            .min();
        columns[id.index()] = first.unwrap_or(0).saturating_sub(1);
    }
    columns
}
