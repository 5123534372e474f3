//! A graph as an SVG drawing, without Graphviz.
//!
//! Left to right: a node stands one column after the last of its dependencies, and in a column near the middle of its dependencies. A
//! graph of more than a few hundred nodes becomes a synopsis: one box for each group, with the number of its tasks.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
};

use crate::{
    error::Result,
    graph::{Graph, Kind, TaskId, write},
    profile::Profile,
};

/// Above this, single tasks cannot be told apart in a drawing.
const MANY: usize = 300;
/// Pixels.
const ROW: f64 = 34.0;
const BOX: f64 = 24.0;
const LETTER: f64 = 7.2;
const GAP: f64 = 60.0;
/// Longer labels are cut; the whole one shows when the pointer rests on the box.
const LETTERS: usize = 28;

/// Okabe and Ito's colours, which colour-blind readers can tell apart.
const DISTINCT: [&str; 8] = [
    "#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2", "#999999",
];
/// Points of the cividis scale (Nuñez et al. 2018), from little to much; the same for colour-blind readers.
const SCALE: [[u8; 3]; 5] = [
    [0, 34, 78],
    [65, 77, 107],
    [124, 123, 120],
    [188, 175, 111],
    [254, 232, 56],
];

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

/// What the colour of a box tells.
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
    /// How long the task ran, in a profile of the same graph.
    Time(Profile),
    /// Who ran it, in a profile of the same graph.
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

/// A box of the drawing.
struct Shape {
    label: String,
    title: String,
    kind: Kind,
    is_output: bool,
    column: usize,
    /// The place in the column, from 0.
    row: usize,
    paint: Paint,
}

/// A colour before it is one.
#[derive(Debug, Clone, PartialEq)]
enum Paint {
    Name(String),
    Amount(f64),
    None,
}

struct Drawing {
    shapes: Vec<Shape>,
    /// From, to, and how many dependencies it stands for.
    arrows: Vec<(usize, usize, usize)>,
}

impl Svg<'_> {
    fn drawing(&self) -> Drawing {
        let paints = self.paints();
        let columns = columns(self.graph);
        let mut drawing = if self.graph.len() > MANY {
            self.synopsis(&paints, &columns)
        } else {
            self.whole(&paints, &columns)
        };
        drawing.arrange();
        drawing
    }

    fn whole(&self, paints: &[Paint], columns: &[usize]) -> Drawing {
        let graph = self.graph;
        let shape = |id: TaskId| {
            let info = graph.info(id);
            Shape {
                label: info.label.to_string(),
                title: format!("{}\n{}", graph.key(id), info.site),
                kind: info.kind,
                is_output: graph.outputs().iter().any(|output| output.id == id),
                column: columns[id.index()],
                row: 0,
                paint: paints[id.index()].clone(),
            }
        };
        let ids = || (0..graph.len() as u32).map(TaskId);
        let arrows = ids().flat_map(|id| {
            graph
                .dependencies(id)
                .map(move |from| (from.index(), id.index(), 1))
        });
        Drawing {
            shapes: ids().map(shape).collect(),
            arrows: arrows.collect(),
        }
    }

    fn synopsis(&self, paints: &[Paint], columns: &[usize]) -> Drawing {
        let graph = self.graph;
        let mut places: HashMap<(String, Kind), usize> = HashMap::new();
        let mut members: Vec<Vec<TaskId>> = Vec::new();
        let mut shapes: Vec<Shape> = Vec::new();
        let mut place_of = vec![0; graph.len()];
        for id in graph.order() {
            let info = graph.info(id);
            let name = info.group.clone().unwrap_or_else(|| info.label.stem());
            let place = *places
                .entry((name.clone(), info.kind))
                .or_insert(shapes.len());
            if place == shapes.len() {
                members.push(Vec::new());
                shapes.push(Shape {
                    label: name,
                    title: String::new(),
                    kind: info.kind,
                    is_output: false,
                    column: 0,
                    row: 0,
                    paint: Paint::None,
                });
            }
            members[place].push(id);
            place_of[id.index()] = place;
        }
        for (shape, ids) in shapes.iter_mut().zip(&members) {
            let count = ids.len();
            shape.title = format!("{}: {count} tasks", shape.label);
            if count > 1 {
                shape.label = format!("{} x {count}", shape.label);
            }
            shape.column = ids.iter().map(|id| columns[id.index()]).sum::<usize>() / count;
            let amounts: Vec<f64> = ids
                .iter()
                .filter_map(|id| {
                    if let Paint::Amount(amount) = paints[id.index()] {
                        Some(amount)
                    } else {
                        None
                    }
                })
                .collect();
            shape.paint = match &paints[ids[0].index()] {
                _ if !amounts.is_empty() => {
                    Paint::Amount(amounts.iter().sum::<f64>() / amounts.len() as f64)
                }
                paint => paint.clone(),
            };
        }
        for output in graph.outputs() {
            shapes[place_of[output.id.index()]].is_output = true;
        }
        // Columns that only single tasks would have had are closed up.
        let used: BTreeMap<usize, usize> = {
            let mut columns: Vec<usize> = shapes.iter().map(|shape| shape.column).collect();
            columns.sort_unstable();
            columns.dedup();
            columns
                .into_iter()
                .enumerate()
                .map(|(new, old)| (old, new))
                .collect()
        };
        for shape in &mut shapes {
            shape.column = used[&shape.column];
        }
        let mut arrows: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for id in graph.order() {
            for from in graph.dependencies(id) {
                *arrows
                    .entry((place_of[from.index()], place_of[id.index()]))
                    .or_default() += 1;
            }
        }
        let arrows = arrows.into_iter().filter(|((from, to), _)| from != to);
        Drawing {
            shapes,
            arrows: arrows
                .map(|((from, to), count)| (from, to, count))
                .collect(),
        }
    }

    fn paints(&self) -> Vec<Paint> {
        let graph = self.graph;
        let ids = || (0..graph.len() as u32).map(TaskId);
        let measured = |profile: &Profile, paint: &dyn Fn(&crate::TaskTime) -> Paint| {
            let mut paints = vec![Paint::None; graph.len()];
            for task in profile
                .tasks()
                .iter()
                .filter(|task| task.id.index() < graph.len())
            {
                paints[task.id.index()] = paint(task);
            }
            paints
        };
        match &self.colour {
            Colour::Group => ids()
                .map(|id| graph.info(id))
                .map(|info| Paint::Name(info.group.clone().unwrap_or_else(|| info.label.stem())))
                .collect(),
            Colour::Order => ids()
                .map(|id| {
                    if graph.info(id).kind == Kind::Task {
                        Paint::Amount(f64::from(id.0))
                    } else {
                        Paint::None
                    }
                })
                .collect(),
            Colour::Bytes => ids()
                .map(|id| {
                    graph
                        .info(id)
                        .bytes
                        .map_or(Paint::None, |bytes| Paint::Amount(bytes as f64))
                })
                .collect(),
            Colour::Time(profile) => measured(profile, &|task| {
                Paint::Amount((task.finished - task.started).as_secs_f64() * 1e6)
            }),
            Colour::Worker(profile) => measured(profile, &|task| {
                Paint::Name(format!("worker {}", task.worker))
            }),
        }
    }

    /// What the amounts are.
    fn unit(&self) -> &'static str {
        match self.colour {
            Colour::Order => "place in the order",
            Colour::Bytes => "bytes",
            Colour::Time(_) => "microseconds",
            _ => "",
        }
    }
}

/// One column after the last dependency; a known value stands right before the first who reads it.
fn columns(graph: &Graph) -> Vec<usize> {
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

impl Drawing {
    /// Gives each shape its row: near the mean of those it hangs on, looking back and forth a few times.
    fn arrange(&mut self) {
        let width = self
            .shapes
            .iter()
            .map(|shape| shape.column + 1)
            .max()
            .unwrap_or(0);
        let mut columns: Vec<Vec<usize>> = vec![Vec::new(); width];
        for (place, shape) in self.shapes.iter().enumerate() {
            columns[shape.column].push(place);
        }
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.shapes.len()];
        let mut after = before.clone();
        for (from, to, _) in &self.arrows {
            before[*to].push(*from);
            after[*from].push(*to);
        }
        let settle = |shapes: &mut Vec<Shape>,
                      column: &mut Vec<usize>,
                      neighbours: Option<&[Vec<usize>]>| {
            if let Some(neighbours) = neighbours {
                let mean = |place: &usize| {
                    let rows = neighbours[*place]
                        .iter()
                        .map(|neighbour| shapes[*neighbour].row as f64);
                    let count = neighbours[*place].len();
                    if count == 0 {
                        shapes[*place].row as f64
                    } else {
                        rows.sum::<f64>() / count as f64
                    }
                };
                let mut keyed: Vec<(f64, usize)> =
                    column.iter().map(|place| (mean(place), *place)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *column = keyed.into_iter().map(|(_, place)| place).collect();
            }
            for (row, place) in column.iter().enumerate() {
                shapes[*place].row = row;
            }
        };
        for column in &mut columns {
            settle(&mut self.shapes, column, None);
        }
        for _ in 0..4 {
            for column in &mut columns {
                settle(&mut self.shapes, column, Some(&before));
            }
            for column in columns.iter_mut().rev() {
                settle(&mut self.shapes, column, Some(&after));
            }
        }
    }
}

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawing = self.drawing();
        let shapes = &drawing.shapes;
        let letters = |shape: &Shape| shape.label.chars().count().min(LETTERS);
        let columns = shapes
            .iter()
            .map(|shape| shape.column + 1)
            .max()
            .unwrap_or(0);
        let mut widths = vec![0.0_f64; columns];
        let mut heights = vec![0_usize; columns];
        for shape in shapes {
            widths[shape.column] = widths[shape.column].max(letters(shape) as f64 * LETTER + 16.0);
            heights[shape.column] += 1;
        }
        let mut left = vec![20.0];
        for width in &widths {
            left.push(left[left.len() - 1] + width + GAP);
        }
        let rows = heights.iter().copied().max().unwrap_or(0);
        let key = Key::of(shapes, self.unit());
        let top = 20.0 + key.height();
        let width = (left[columns] - GAP + 20.0).max(320.0);
        let height = top + rows as f64 * ROW + 20.0;
        // Each column stands in the middle of the highest.
        let y = |shape: &Shape| {
            top + (rows - heights[shape.column]) as f64 * ROW / 2.0 + shape.row as f64 * ROW
        };
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="12">"#
        )?;
        writeln!(
            f,
            r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>"##
        )?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        key.draw(f)?;
        for (from, to, count) in &drawing.arrows {
            let (from, to) = (&shapes[*from], &shapes[*to]);
            let (x1, y1) = (left[from.column] + widths[from.column], y(from) + BOX / 2.0);
            let (x2, y2) = (left[to.column], y(to) + BOX / 2.0);
            let bend = ((x2 - x1) / 2.0).abs().max(20.0);
            write!(
                f,
                r##"<path d="M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}" fill="none" stroke="#666" marker-end="url(#tip)">"##,
                x1 + bend,
                x2 - bend
            )?;
            if *count > 1 {
                write!(f, "<title>{count} dependencies</title>")?;
            }
            writeln!(f, "</path>")?;
        }
        for shape in shapes {
            let (x, y, width) = (left[shape.column], y(shape), widths[shape.column]);
            let round = if shape.kind == Kind::Task { 12 } else { 0 };
            let stroke = if shape.is_output { 2.5 } else { 0.8 };
            let (fill, ink) = key.colour(&shape.paint);
            write!(f, "<g><title>{}</title>", Escaped(&shape.title))?;
            write!(
                f,
                r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{BOX}" rx="{round}" fill="{fill}" stroke="#222" stroke-width="{stroke}"/>"##
            )?;
            let cut: String = if shape.label.chars().count() > LETTERS {
                shape.label.chars().take(LETTERS - 1).chain(['…']).collect()
            } else {
                shape.label.clone()
            };
            writeln!(
                f,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="{ink}">{}</text></g>"#,
                x + width / 2.0,
                y + 16.0,
                Escaped(&cut)
            )?;
        }
        writeln!(f, "</svg>")
    }
}

/// What the colours mean.
struct Key {
    names: Vec<String>,
    range: Option<(f64, f64)>,
    unit: &'static str,
}

impl Key {
    fn of(shapes: &[Shape], unit: &'static str) -> Self {
        let mut key = Key {
            names: Vec::new(),
            range: None,
            unit,
        };
        for shape in shapes {
            match &shape.paint {
                Paint::Name(name) if !key.names.contains(name) => key.names.push(name.clone()),
                Paint::Amount(amount) => {
                    let (low, high) = key.range.unwrap_or((*amount, *amount));
                    key.range = Some((low.min(*amount), high.max(*amount)));
                }
                _ => {}
            }
        }
        key
    }

    /// Fill and text colour.
    fn colour(&self, paint: &Paint) -> (String, &'static str) {
        match paint {
            Paint::None => ("#ffffff".to_string(), "#000"),
            Paint::Name(name) => {
                let place = self
                    .names
                    .iter()
                    .position(|other| other == name)
                    .unwrap_or(0);
                let ink = if place % DISTINCT.len() == 6 {
                    "#fff"
                } else {
                    "#000"
                };
                (DISTINCT[place % DISTINCT.len()].to_string(), ink)
            }
            Paint::Amount(amount) => {
                let (low, high) = self.range.unwrap_or((0.0, 1.0));
                let share = if high > low {
                    (amount - low) / (high - low)
                } else {
                    0.0
                };
                (scale(share), if share < 0.5 { "#fff" } else { "#000" })
            }
        }
    }

    fn height(&self) -> f64 {
        if self.range.is_some() || self.names.len() > 1 {
            30.0
        } else {
            0.0
        }
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.height() == 0.0 {
            return Ok(());
        }
        if let Some((low, high)) = self.range {
            for step in 0..20 {
                let fill = scale(f64::from(step) / 19.0);
                write!(
                    f,
                    r#"<rect x="{}" y="14" width="6" height="12" fill="{fill}"/>"#,
                    20 + step * 6
                )?;
            }
            return writeln!(
                f,
                r#"<text x="148" y="24">{low:.0} to {high:.0} {}</text>"#,
                self.unit
            );
        }
        let mut x = 20.0;
        for name in self.names.iter().take(DISTINCT.len()) {
            let (fill, _) = self.colour(&Paint::Name(name.clone()));
            write!(
                f,
                r#"<rect x="{x:.0}" y="14" width="12" height="12" fill="{fill}"/>"#
            )?;
            writeln!(
                f,
                r#"<text x="{:.0}" y="24">{}</text>"#,
                x + 17.0,
                Escaped(name)
            )?;
            x += 30.0 + name.chars().count() as f64 * LETTER;
        }
        Ok(())
    }
}

/// A colour between the points of the scale; `share` from 0 to 1.
fn scale(share: f64) -> String {
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let low = (place as usize).min(SCALE.len() - 2);
    let part = place - low as f64;
    let mix = |channel: usize| {
        let (a, b) = (
            f64::from(SCALE[low][channel]),
            f64::from(SCALE[low + 1][channel]),
        );
        (a + (b - a) * part).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}

/// Text as XML wants it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' | '\t' => write!(f, "{c}")?,
                // XML knows no other control characters.
                c if c.is_control() => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
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
                text.matches("<g>").count(),
                text.matches("<path d=\"M").count()
            ),
            (10, 13)
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
        assert_eq!(text.matches("<g>").count(), 4);
        assert!(
            text.contains(">read x 1000</text>")
                && text.contains("<title>1000 dependencies</title>")
        );
    }

    #[test]
    fn columns_follow_the_longest_way_and_rows_do_not_overlap() {
        let graph = regrid(5);
        let mut drawing = graph.svg().drawing();
        for (from, to, _) in &drawing.arrows {
            assert!(drawing.shapes[*from].column < drawing.shapes[*to].column);
        }
        drawing
            .shapes
            .sort_by_key(|shape| (shape.column, shape.row));
        assert!(
            drawing
                .shapes
                .windows(2)
                .all(|pair| (pair[0].column, pair[0].row) < (pair[1].column, pair[1].row))
        );
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
        assert!(
            graph
                .svg()
                .colour(Colour::Time(profile.clone()))
                .to_string()
                .contains("microseconds</text>")
        );
        assert!(
            graph
                .svg()
                .colour(Colour::Order)
                .to_string()
                .contains("0 to 1 place in the order")
        );
        assert!(
            graph
                .svg()
                .colour(Colour::Worker(profile))
                .to_string()
                .contains(DISTINCT[0])
        );
    }

    #[test]
    fn an_empty_graph_is_an_empty_drawing() {
        assert!(Graph::of(()).svg().to_string().ends_with("</svg>\n"));
    }
}
