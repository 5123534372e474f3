//! Where the boxes, bends and outlines of a drawing stand: the order within each column, then the heights.
//!
//! # Source
//! The layered layout of Sugiyama, Tagawa and Toda (1981), IEEE Trans. SMC 11, 109-125: long arrows get an unseen spot in each column
//! that they cross, and sweeps to and fro sort each column by the mean of its neighbours' places; of all sweeps the one with the fewest
//! crossings stays. As in Sander (1996), Layout of compound directed graphs, what is in one outline stays together in each column, and
//! outlines stand in one order in all of them, so that none overlaps another or a box that is not its own. Heights: see `heights`.

use super::{
    drawing::{Arrow, Drawing},
    heights::{Heights, Item},
};

/// More unseen spots than this are not worth their time; long arrows then go straight.
const SPOTS: usize = 4000;
/// Sweeps to and fro.
const ROUNDS: usize = 8;

/// A place in the drawing: of a box, of an arrow's bend, or one that an outline keeps free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) column: usize,
    /// The height of its middle, in pixels from the highest.
    pub(super) y: f64,
    pub(super) item: Item,
    pub(super) outline: Option<usize>,
}

/// The columns that an outline spans, both counted in, and its upper and lower edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) columns: [usize; 2],
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// A drawing in which everything has its place.
#[derive(Debug)]
pub(super) struct Layout {
    /// One for each box in the drawing's order, then one for each bend.
    pub(super) spots: Vec<Spot>,
    /// The spots that each arrow goes through, from its first box to its last.
    pub(super) ways: Vec<Vec<usize>>,
    /// One for each outline.
    pub(super) areas: Vec<Area>,
    pub(super) height: f64,
}

impl Layout {
    pub(super) fn of(drawing: &Drawing) -> Self {
        let mut order = Order::of(drawing);
        order.sort();
        let heights = Heights::of(&order);
        let (ys, edges) = heights.settle();
        let Order {
            mut spots,
            ways,
            spans,
            ..
        } = order;
        let upper = spots
            .iter()
            .zip(&ys)
            .map(|(spot, y)| y - spot.item.half())
            .chain(edges.iter().map(|edge| edge[0]))
            .fold(f64::MAX, f64::min);
        let lower = spots
            .iter()
            .zip(&ys)
            .map(|(spot, y)| y + spot.item.half())
            .chain(edges.iter().map(|edge| edge[1]))
            .fold(upper, f64::max);
        for (spot, y) in spots.iter_mut().zip(ys) {
            spot.y = y - upper;
        }
        let area = |(columns, [top, bottom]): (&[usize; 2], [f64; 2])| Area {
            columns: *columns,
            top: top - upper,
            bottom: bottom - upper,
        };
        Layout {
            spots,
            ways,
            areas: spans.iter().zip(edges).map(area).collect(),
            height: (lower - upper).max(0.0),
        }
    }
}

/// Who stands above whom in each column.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) spots: Vec<Spot>,
    pub(super) ways: Vec<Vec<usize>>,
    /// The first and last column of each outline.
    pub(super) spans: Vec<[usize; 2]>,
    /// The spots of each column, the highest first.
    pub(super) columns: Vec<Vec<usize>>,
    /// The spots next to each spot, in the columns before and after it.
    pub(super) before: Vec<Vec<usize>>,
    pub(super) after: Vec<Vec<usize>>,
}

impl Order {
    /// The order in which the drawing lists them, with bends at the end.
    fn of(drawing: &Drawing) -> Self {
        let mut spots: Vec<Spot> = drawing
            .shapes
            .iter()
            .map(|shape| Spot {
                column: shape.column,
                y: 0.0,
                item: Item::Box,
                outline: shape.outline,
            })
            .collect();
        let ways = bend(&drawing.arrows, &mut spots);
        let mut spans = vec![[usize::MAX, 0]; drawing.outlines.len()];
        for spot in &spots {
            if let Some(outline) = spot.outline {
                let [first, last] = spans[outline];
                spans[outline] = [first.min(spot.column), last.max(spot.column)];
            }
        }
        for (outline, [first, last]) in spans.iter().enumerate() {
            let mut is_empty = vec![true; last + 1];
            for spot in spots.iter().filter(|spot| spot.outline == Some(outline)) {
                is_empty[spot.column] = false;
            }
            spots.extend(
                (*first..=*last)
                    .filter(|column| is_empty[*column])
                    .map(|column| Spot {
                        column,
                        y: 0.0,
                        item: Item::Free,
                        outline: Some(outline),
                    }),
            );
        }
        let count = spots.iter().map(|spot| spot.column + 1).max();
        let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count.unwrap_or(0)];
        for (place, spot) in spots.iter().enumerate() {
            columns[spot.column].push(place);
        }
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); spots.len()];
        let mut after = before.clone();
        for pair in ways.iter().flat_map(|way| way.windows(2)) {
            if spots[pair[0]].column != spots[pair[1]].column {
                after[pair[0]].push(pair[1]);
                before[pair[1]].push(pair[0]);
            }
        }
        Order {
            spots,
            ways,
            spans,
            columns,
            before,
            after,
        }
    }

    /// Sorts every column so that few arrows cross.
    fn sort(&mut self) {
        let mut places = vec![0.0; self.spots.len()];
        for column in &self.columns {
            note(column, &mut places);
        }
        let mut best: Option<(usize, Vec<Vec<usize>>)> = None;
        for sweep in 0..2 * ROUNDS {
            // Outlines keep one order through all columns of a sweep.
            let ranks = self.ranks(&places);
            let forth = sweep % 2 == 0;
            let neighbours = if forth { &self.before } else { &self.after };
            let count = self.columns.len();
            for step in 0..count {
                let column = if forth { step } else { count - 1 - step };
                sort(
                    &mut self.columns[column],
                    &self.spots,
                    neighbours,
                    &ranks,
                    &mut places,
                );
            }
            let crossings = self.crossings(&places);
            if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
                best = Some((crossings, self.columns.clone()));
            }
            if crossings == 0 {
                break;
            }
        }
        if let Some((_, columns)) = best {
            self.columns = columns;
        }
    }

    /// The mean place of what is in each outline.
    fn ranks(&self, places: &[f64]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0_usize); self.spans.len()];
        for (spot, place) in self.spots.iter().zip(places) {
            if let (Some(outline), Item::Box) = (spot.outline, spot.item) {
                sums[outline].0 += place;
                sums[outline].1 += 1;
            }
        }
        sums.into_iter()
            .map(|(sum, count)| sum / count.max(1) as f64)
            .collect()
    }

    /// How many arrows cross between neighbouring columns.
    fn crossings(&self, places: &[f64]) -> usize {
        let mut crossings = 0;
        for column in &self.columns {
            let mut ends: Vec<(f64, f64)> = Vec::new();
            for from in column {
                for to in &self.after[*from] {
                    if self.spots[*to].column == self.spots[*from].column + 1 {
                        ends.push((places[*from], places[*to]));
                    }
                }
            }
            ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            // Pairs out of order, counted by keeping the ends so far sorted.
            let mut above: Vec<f64> = Vec::with_capacity(ends.len());
            for (_, end) in ends {
                let place = above.partition_point(|other| *other <= end);
                crossings += above.len() - place;
                above.insert(place, end);
            }
        }
        crossings
    }
}

/// Gives long arrows a spot in each column between, inside the outline if both ends are in it.
fn bend(arrows: &[Arrow], spots: &mut Vec<Spot>) -> Vec<Vec<usize>> {
    let between =
        |arrow: &Arrow, spots: &[Spot]| spots[arrow.from].column + 1..spots[arrow.to].column;
    let all: usize = arrows.iter().map(|arrow| between(arrow, spots).len()).sum();
    let way = |arrow: &Arrow| {
        let mut way = vec![arrow.from];
        if all <= SPOTS {
            let outline = spots[arrow.from].outline;
            let outline = outline.filter(|outline| spots[arrow.to].outline == Some(*outline));
            for column in between(arrow, spots) {
                way.push(spots.len());
                spots.push(Spot {
                    column,
                    y: 0.0,
                    item: Item::Bend,
                    outline,
                });
            }
        }
        way.push(arrow.to);
        way
    };
    arrows.iter().map(way).collect()
}

/// Sorts a column by the mean place of the neighbours; what is in one outline stays together, at the outline's rank.
fn sort(
    column: &mut Vec<usize>,
    spots: &[Spot],
    neighbours: &[Vec<usize>],
    ranks: &[f64],
    places: &mut [f64],
) {
    let mut keyed: Vec<(f64, Option<usize>, f64, usize)> = column
        .iter()
        .map(|spot| {
            let near = &neighbours[*spot];
            let sum: f64 = near.iter().map(|spot| places[*spot]).sum();
            let mean = if near.is_empty() {
                places[*spot]
            } else {
                sum / near.len() as f64
            };
            let outline = spots[*spot].outline;
            let rank = outline.map_or(mean, |outline| ranks[outline]);
            (rank, outline, mean, *spot)
        })
        .collect();
    keyed.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.cmp(&b.1))
            .then(a.2.total_cmp(&b.2))
    });
    *column = keyed.into_iter().map(|(.., spot)| spot).collect();
    note(column, places);
}

/// Places count from the middle, so that columns of different heights can be compared.
fn note(column: &[usize], places: &mut [f64]) {
    let middle = (column.len() as f64 - 1.0) / 2.0;
    for (place, spot) in column.iter().enumerate() {
        places[*spot] = place as f64 - middle;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Delayed, Graph, apply, delayed, svg::paint::Paint};

    fn laid_out(graph: &Graph) -> (Drawing, Layout) {
        let drawing = Drawing::whole(graph, vec![Paint::None; graph.len()]);
        let layout = Layout::of(&drawing);
        (drawing, layout)
    }

    /// Tasks that each need some of those before, in one of four groups or none.
    fn graph(plan: &[(Vec<usize>, usize)]) -> Graph {
        let mut tasks: Vec<Delayed<usize>> = Vec::new();
        for (inputs, group) in plan {
            let inputs: Vec<_> = inputs
                .iter()
                .filter_map(|back| tasks.len().checked_sub(back + 1))
                .map(|place| tasks[place].clone())
                .collect();
            let task = apply(inputs, |inputs| inputs.len());
            tasks.push(match group {
                0 => task,
                _ => task.group(format!("group {group}")),
            });
        }
        Graph::of(&tasks)
    }

    /// Upper and lower side of everything that has its place in a column, and to which outline it belongs.
    fn sides(layout: &Layout, column: usize) -> Vec<(f64, f64, Option<usize>)> {
        layout
            .spots
            .iter()
            .filter(|spot| spot.column == column)
            .map(|spot| {
                let half = spot.item.half();
                (spot.y - half, spot.y + half, spot.outline)
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_overlaps_and_outlines_hold_what_is_theirs_alone(
            plan in prop::collection::vec((prop::collection::vec(0..12_usize, 0..4), 0..5_usize), 1..60)
        ) {
            let (drawing, layout) = laid_out(&graph(&plan));
            for arrow in &drawing.arrows {
                prop_assert!(drawing.shapes[arrow.from].column < drawing.shapes[arrow.to].column);
            }
            let last = layout.spots.iter().map(|spot| spot.column).max().unwrap_or(0);
            for column in 0..=last {
                let mut sides = sides(&layout, column);
                for (outline, area) in layout.areas.iter().enumerate() {
                    if !(area.columns[0]..=area.columns[1]).contains(&column) {
                        continue;
                    }
                    for (top, bottom, of) in &sides {
                        let is_inside = *top > area.top && *bottom < area.bottom;
                        let is_outside = *bottom < area.top || *top > area.bottom;
                        let fits = if *of == Some(outline) { is_inside } else { is_outside };
                        prop_assert!(fits, "outline {outline}, column {column}");
                    }
                    for (other, apart) in layout.areas.iter().enumerate().filter(|(other, _)| *other != outline) {
                        if (apart.columns[0]..=apart.columns[1]).contains(&column) {
                            prop_assert!(apart.bottom < area.top || apart.top > area.bottom, "{outline} and {other}");
                        }
                    }
                }
                sides.sort_by(|a, b| a.0.total_cmp(&b.0));
                for pair in sides.windows(2) {
                    prop_assert!(pair[0].1 <= pair[1].0 + 1e-6, "{pair:?}");
                }
            }
            prop_assert!(layout.spots.iter().all(|spot| spot.y > -1e-6 && spot.y < layout.height + 1e-6));
        }
    }

    #[test]
    fn a_tree_stands_in_the_middle_of_its_leaves_whichever_way_it_grows() {
        let mut layer: Vec<Delayed<usize>> = (0..8).map(|i| delayed(move || i)).collect();
        while layer.len() > 1 {
            layer = layer
                .chunks(2)
                .map(|two| apply(two, |two| two[0] + two[1]))
                .collect();
        }
        let mut grown: Vec<Delayed<usize>> = vec![delayed(|| 0)];
        for _ in 0..3 {
            grown = grown
                .iter()
                .flat_map(|x| [x.map(|x| *x), x.map(|x| x + 1)])
                .collect();
        }
        for graph in [Graph::of(&layer), Graph::of(&grown)] {
            let (drawing, layout) = laid_out(&graph);
            for place in 0..drawing.shapes.len() {
                let ends = |near: fn(&Arrow) -> [usize; 2]| {
                    let ys: Vec<f64> = drawing
                        .arrows
                        .iter()
                        .map(near)
                        .filter(|[one, _]| *one == place)
                        .map(|[_, other]| layout.spots[other].y)
                        .collect();
                    (ys.len() == 2).then(|| (ys[0] + ys[1]) / 2.0)
                };
                let two =
                    ends(|arrow| [arrow.from, arrow.to]).or(ends(|arrow| [arrow.to, arrow.from]));
                if let Some(middle) = two {
                    assert!((layout.spots[place].y - middle).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn a_chain_is_straight_and_an_arrow_that_skips_it_goes_round_it_straight() {
        let first = delayed(|| 1).named("first");
        let last = (0..4_usize).fold(first.clone(), |x, i| x.map(|x| x + 1).named(("step", i)));
        let (_, layout) = laid_out(&Graph::of(
            apply((&first, &last), |(a, b)| a + b).named("join"),
        ));
        let long = layout.ways.iter().find(|way| way.len() > 2);
        let long = long.expect("the arrow from the first task to the last one");
        assert_eq!(long.len(), 6);
        for bend in &long[1..5] {
            let bend = layout.spots[*bend];
            assert!((bend.y - layout.spots[long[1]].y).abs() < 1e-6);
            for (top, bottom, _) in sides(&layout, bend.column) {
                assert!(top == bottom || bend.y < top || bend.y > bottom);
            }
        }
    }
}
