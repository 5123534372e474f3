//! A graph of too many nodes to draw, as a graph of its groups.

use std::collections::{BTreeMap, HashMap};

use petgraph::{algo::toposort, graph::DiGraph, graph::NodeIndex};

use crate::graph::{Graph, Kind, TaskId};

use super::{
    MANY,
    drawing::{Arrow, Drawing, Shape, columns},
    paint::Paint,
};

/// So many groups get a box of their own if there are more than can be drawn; the others share boxes, one for each stretch of columns.
const LARGEST: usize = MANY * 2 / 3;
const STRETCHES: usize = MANY / 6;

/// Nodes that share a box.
struct Group {
    name: String,
    /// Whether they have nothing in common but where they stand; the name is then the first one's.
    is_mixed: bool,
    kind: Kind,
    members: Vec<TaskId>,
}

/// One box for each group, with the number of its nodes; a node without a group counts with those whose names are alike.
pub(super) fn synopsis(graph: &Graph, paints: &[Paint]) -> Drawing {
    let groups = groups(graph);
    let mut place_of = vec![0; graph.len()];
    for (place, group) in groups.iter().enumerate() {
        for id in &group.members {
            place_of[id.index()] = place;
        }
    }
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for id in graph.order() {
        for from in graph.dependencies(id) {
            *counts
                .entry((place_of[from.index()], place_of[id.index()]))
                .or_default() += 1;
        }
    }
    let arrows: Vec<Arrow> = counts
        .into_iter()
        .filter(|((from, to), _)| from != to)
        .map(|((from, to), count)| Arrow { from, to, count })
        .collect();
    let columns = group_columns(graph, &groups, &arrows);
    let mut shapes: Vec<Shape> = groups
        .iter()
        .zip(columns)
        .map(|(group, column)| shape(group, column, paints))
        .collect();
    for output in graph.outputs() {
        shapes[place_of[output.id.index()]].is_output = true;
    }
    Drawing {
        shapes,
        arrows,
        outlines: Vec::new(),
    }
}

fn shape(group: &Group, column: usize, paints: &[Paint]) -> Shape {
    let count = group.members.len();
    let what = match (group.kind, count) {
        (Kind::Task, 1) => "task",
        (Kind::Task, _) => "tasks",
        (Kind::Value, 1) => "known value",
        (Kind::Value, _) => "known values",
    };
    Shape {
        label: match count {
            1 => group.name.clone(),
            _ if group.is_mixed => format!("{} and {} others", group.name, count - 1),
            _ => format!("{} × {count}", group.name),
        },
        title: format!("{}: {count} {what}", group.name),
        kind: group.kind,
        is_output: false,
        column,
        outline: None,
        paint: Paint::of_all(group.members.iter().map(|id| &paints[id.index()])),
    }
}

/// The nodes by group and kind, in the order of the groups' first nodes; never more groups than can be drawn.
fn groups(graph: &Graph) -> Vec<Group> {
    let name_of = |id: TaskId| {
        let info = graph.info(id);
        info.group.clone().unwrap_or_else(|| info.label.stem())
    };
    let groups = gather(graph, name_of);
    if groups.len() <= MANY {
        return groups.into_iter().map(|(_, group)| group).collect();
    }
    let mut by_size: Vec<(String, usize)> = groups
        .into_iter()
        .map(|(name, group)| (name, group.members.len()))
        .collect();
    by_size.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let large: HashMap<String, usize> = by_size
        .into_iter()
        .take(LARGEST)
        .filter(|(_, size)| *size > 1)
        .collect();
    let columns = columns(graph);
    let last = columns.iter().max().map_or(0, |column| column + 1);
    let stretch = |id: TaskId| columns[id.index()] * STRETCHES.min(last) / last;
    let groups = gather(graph, |id| {
        let name = name_of(id);
        // No name has this letter first, so that a stretch is never taken for a group.
        if large.contains_key(&name) {
            name
        } else {
            format!("\0{}", stretch(id))
        }
    });
    groups
        .into_iter()
        .map(|(name, mut group)| {
            if name.starts_with('\0') {
                group.name = name_of(group.members[0]);
                group.is_mixed = true;
            }
            group
        })
        .collect()
}

fn gather(graph: &Graph, name_of: impl Fn(TaskId) -> String) -> Vec<(String, Group)> {
    let mut places: HashMap<(String, Kind), usize> = HashMap::new();
    let mut groups: Vec<(String, Group)> = Vec::new();
    for id in graph.order() {
        let (name, kind) = (name_of(id), graph.info(id).kind);
        let place = *places.entry((name.clone(), kind)).or_insert_with(|| {
            let group = Group {
                name: name.clone(),
                is_mixed: false,
                kind,
                members: Vec::new(),
            };
            groups.push((name, group));
            groups.len() - 1
        });
        groups[place].1.members.push(id);
    }
    groups
}

/// One column after the last group that it needs. Where groups need each other, the one that has the first task comes first.
fn group_columns(graph: &Graph, groups: &[Group], arrows: &[Arrow]) -> Vec<usize> {
    let of_nodes = columns(graph);
    let first = |group: &Group| group.members.iter().map(|id| of_nodes[id.index()]).min();
    let firsts: Vec<Option<usize>> = groups.iter().map(first).collect();
    let mut condensed: DiGraph<(), ()> = DiGraph::new();
    for _ in groups {
        condensed.add_node(());
    }
    for arrow in arrows {
        condensed.add_edge(NodeIndex::new(arrow.from), NodeIndex::new(arrow.to), ());
    }
    let order: Vec<usize> = match toposort(&condensed, None) {
        Ok(order) => order.into_iter().map(NodeIndex::index).collect(),
        Err(_) => {
            let mut order: Vec<usize> = (0..groups.len()).collect();
            order.sort_by_key(|group| firsts[*group]);
            order
        }
    };
    let mut turn = vec![0; groups.len()];
    for (place, group) in order.iter().enumerate() {
        turn[*group] = place;
    }
    let mut columns = vec![0_usize; groups.len()];
    for group in &order {
        let before = condensed.neighbors_directed(NodeIndex::new(*group), petgraph::Incoming);
        columns[*group] = before
            .map(NodeIndex::index)
            .filter(|before| turn[*before] < turn[*group])
            .map(|before| columns[before] + 1)
            .max()
            .unwrap_or(0);
    }
    // A known value stands right before the first who reads it.
    for (place, group) in groups.iter().enumerate() {
        if group.kind == Kind::Value {
            let after = condensed.neighbors(NodeIndex::new(place));
            let first = after.map(|after| columns[after.index()]).min();
            columns[place] = first.unwrap_or(0).saturating_sub(1);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delayed, apply, delayed};

    fn drawing(graph: &Graph) -> Drawing {
        synopsis(graph, &vec![Paint::None; graph.len()])
    }

    #[test]
    fn ten_thousand_names_share_boxes_and_the_large_groups_have_their_own() {
        let chains: Vec<Delayed<usize>> = (0..10_000)
            .map(|i: usize| {
                let name: String = i
                    .to_string()
                    .bytes()
                    .map(|b| (b - b'0' + b'a') as char)
                    .collect();
                let read = delayed(move || i).named(("read", i));
                read.map(|x| x + 1).named(name)
            })
            .collect();
        let drawing = drawing(&Graph::of(apply(chains, |all| all.len()).named("join")));
        let labels: Vec<&str> = drawing
            .shapes
            .iter()
            .map(|shape| &shape.label[..])
            .collect();
        assert_eq!(labels, ["read × 10000", "a and 9999 others", "join"]);
        assert_eq!(
            drawing
                .arrows
                .iter()
                .map(|arrow| arrow.count)
                .sum::<usize>(),
            20_000
        );
    }

    #[test]
    fn groups_that_need_each_other_stand_in_the_order_of_their_tasks() {
        let (mut all, mut last) = (Vec::new(), delayed(|| 0).named("start"));
        for i in 0..400_usize {
            last = last
                .map(|x| x + 1)
                .group(if i % 2 == 0 { "even" } else { "odd" });
            all.push(last.clone());
        }
        let drawing = drawing(&Graph::of(&last));
        let at: Vec<(&str, usize)> = drawing
            .shapes
            .iter()
            .map(|shape| (&shape.label[..], shape.column))
            .collect();
        assert_eq!(at, [("start", 0), ("even × 200", 1), ("odd × 200", 2)]);
    }

    #[test]
    fn a_group_stands_after_all_that_it_needs_however_long_their_chains_are() {
        let long = (0..400).fold(delayed(|| 0).group("long"), |x, _| {
            x.map(|x| x + 1).group("long")
        });
        let short = long.map(|x| x * 2).group("short");
        let early = delayed(|| 0).group("early");
        let late = apply((&short, &early), |(a, b)| a + b).group("late");
        let drawing = drawing(&Graph::of(&late));
        for arrow in &drawing.arrows {
            assert!(drawing.shapes[arrow.from].column < drawing.shapes[arrow.to].column);
        }
    }
}
