//! A graph as an SVG drawing, without Graphviz.
//!
//! Left to right: a node stands one column after the last of its dependencies, and in a column near the middle of its neighbours. A
//! graph of more than a few hundred nodes becomes a synopsis: one box for each group, with the number of its tasks.
//!
//! # Source
//! The layered layout of Sugiyama, Tagawa and Toda (1981), IEEE Trans. SMC 11, 109-125: long arrows get an unseen spot in each column
//! that they cross, sweeps to and fro sort each column by the mean of its neighbours' rows, and rows are then the least-squares fit to
//! these means that keeps the order (pool adjacent violators).

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
    time::Duration,
};

use crate::{
    error::Result,
    explain::Bytes,
    graph::{Graph, Kind, TaskId, write},
    profile::Profile,
};

/// Above this, single tasks cannot be told apart in a drawing.
const MANY: usize = 300;
/// Pixels. Rows stand closer in a high drawing.
const ROW: f64 = 34.0;
const CLOSE_ROW: f64 = 28.0;
const HIGH: f64 = 24.0;
const BOX: f64 = 24.0;
const LETTER: f64 = 7.0;
const GAP: f64 = 60.0;
/// Longer labels lose their middle; the whole one shows when the pointer rests on the box.
const LETTERS: usize = 48;
/// More unseen spots than this are not worth their time; long arrows then go straight.
const SPOTS: usize = 4000;

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
    arrows: Vec<Arrow>,
    /// Where each shape stands, and then each bend of an arrow.
    spots: Vec<Spot>,
}

struct Arrow {
    from: usize,
    to: usize,
    /// How many dependencies it stands for.
    count: usize,
    /// The spots that it goes through in the columns between.
    bends: Vec<usize>,
}

impl Arrow {
    fn new(from: usize, to: usize, count: usize) -> Self {
        Arrow {
            from,
            to,
            count,
            bends: Vec::new(),
        }
    }
}

/// A place in the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    column: usize,
    /// Two spots of one column are at least one apart.
    row: f64,
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
                paint: paints[id.index()].clone(),
            }
        };
        let ids = || (0..graph.len() as u32).map(TaskId);
        let arrows = ids().flat_map(|id| {
            graph
                .dependencies(id)
                .map(move |from| Arrow::new(from.index(), id.index(), 1))
        });
        Drawing {
            shapes: ids().map(shape).collect(),
            arrows: arrows.collect(),
            spots: Vec::new(),
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
                    paint: Paint::None,
                });
            }
            members[place].push(id);
            place_of[id.index()] = place;
        }
        for (shape, ids) in shapes.iter_mut().zip(&members) {
            let count = ids.len();
            let what = if shape.kind == Kind::Task {
                "tasks"
            } else {
                "known values"
            };
            shape.title = format!("{}: {count} {what}", shape.label);
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
                .map(|((from, to), count)| Arrow::new(from, to, count))
                .collect(),
            spots: Vec::new(),
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

    fn unit(&self) -> Unit {
        match self.colour {
            Colour::Bytes => Unit::Bytes,
            Colour::Time(_) => Unit::Microseconds,
            _ => Unit::Place,
        }
    }
}

/// What the amounts are.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Place,
    Bytes,
    Microseconds,
}

impl Unit {
    /// The ends of the scale in words.
    fn range(self, low: f64, high: f64) -> String {
        match self {
            Unit::Place => format!("run first (0) to last ({high:.0})"),
            Unit::Bytes => format!("{} to {}", Bytes(low as u64), Bytes(high as u64)),
            Unit::Microseconds => {
                let [low, high] = [low, high].map(|micros| Duration::from_secs_f64(micros / 1e6));
                format!("ran for {low:.1?} to {high:.1?}")
            }
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
    /// Gives each shape, and each bend of an arrow, its row.
    fn arrange(&mut self) {
        self.spots = self
            .shapes
            .iter()
            .map(|shape| Spot {
                column: shape.column,
                row: 0.0,
            })
            .collect();
        self.bend();
        let mut columns: Vec<Vec<usize>> = Vec::new();
        for (place, spot) in self.spots.iter().enumerate() {
            if columns.len() <= spot.column {
                columns.resize(spot.column + 1, Vec::new());
            }
            columns[spot.column].push(place);
        }
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.spots.len()];
        let mut after = before.clone();
        for arrow in &self.arrows {
            let way: Vec<usize> = arrow.way().collect();
            for pair in way.windows(2) {
                after[pair[0]].push(pair[1]);
                before[pair[1]].push(pair[0]);
            }
        }
        for column in &columns {
            settle(&mut self.spots, column, |_, place| place as f64);
        }
        for _ in 0..4 {
            for column in &mut columns {
                sort(&mut self.spots, column, &before);
            }
            for column in columns.iter_mut().rev() {
                sort(&mut self.spots, column, &after);
            }
        }
        for _ in 0..4 {
            for column in &columns {
                settle(&mut self.spots, column, |spots, place| {
                    mean(spots, &before[place]).unwrap_or(spots[place].row)
                });
            }
            for column in columns.iter().rev() {
                settle(&mut self.spots, column, |spots, place| {
                    mean(spots, &after[place]).unwrap_or(spots[place].row)
                });
            }
        }
        let top = self
            .spots
            .iter()
            .map(|spot| spot.row)
            .fold(f64::MAX, f64::min);
        for spot in &mut self.spots {
            spot.row -= top;
        }
    }

    /// Gives long arrows a spot in each column between.
    fn bend(&mut self) {
        let between = |arrow: &Arrow| {
            let [from, to] = [arrow.from, arrow.to].map(|place| self.shapes[place].column);
            from + 1..to
        };
        if self
            .arrows
            .iter()
            .map(|arrow| between(arrow).len())
            .sum::<usize>()
            > SPOTS
        {
            return;
        }
        let columns: Vec<_> = self.arrows.iter().map(between).collect();
        for (arrow, columns) in self.arrows.iter_mut().zip(columns) {
            for column in columns {
                arrow.bends.push(self.spots.len());
                self.spots.push(Spot { column, row: 0.0 });
            }
        }
    }
}

impl Arrow {
    /// The spots from its start to its end.
    fn way(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.from)
            .chain(self.bends.iter().copied())
            .chain([self.to])
    }
}

fn mean(spots: &[Spot], neighbours: &[usize]) -> Option<f64> {
    let sum: f64 = neighbours.iter().map(|place| spots[*place].row).sum();
    (!neighbours.is_empty()).then(|| sum / neighbours.len() as f64)
}

/// Sorts a column by the mean row of the neighbours.
fn sort(spots: &mut [Spot], column: &mut Vec<usize>, neighbours: &[Vec<usize>]) {
    let mut keyed: Vec<(f64, usize)> = column
        .iter()
        .map(|place| {
            let mean = mean(spots, &neighbours[*place]);
            (mean.unwrap_or(spots[*place].row), *place)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Rows count from the middle, so that columns of different heights can be compared.
    let middle = (keyed.len() as f64 - 1.0) / 2.0;
    *column = keyed.into_iter().map(|(_, place)| place).collect();
    for (row, place) in column.iter().enumerate() {
        spots[*place].row = row as f64 - middle;
    }
}

/// Moves the spots of a column as close to where they want to be as their order and a distance of one allow.
fn settle(spots: &mut [Spot], column: &[usize], wanted: impl Fn(&[Spot], usize) -> f64) {
    // Blocks of spots that touch: the sum of where their first spots want to be, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (row, place) in column.iter().enumerate() {
        let mut block = (wanted(spots, *place) - row as f64, 1);
        while let Some(last) = blocks.last()
            && last.0 / last.1 as f64 > block.0 / block.1 as f64
        {
            block = (block.0 + last.0, block.1 + last.1);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut row = 0;
    for (sum, count) in blocks {
        for _ in 0..count {
            spots[column[row]].row = sum / count as f64 + row as f64;
            row += 1;
        }
    }
}

/// Where rows and columns are on the page.
struct Page {
    left: Vec<f64>,
    widths: Vec<f64>,
    top: f64,
    row: f64,
    width: f64,
    height: f64,
}

impl Page {
    fn of(drawing: &Drawing, key: &Key) -> Self {
        let columns = drawing.spots.iter().map(|spot| spot.column + 1).max();
        let mut widths = vec![0.0_f64; columns.unwrap_or(0)];
        for shape in &drawing.shapes {
            let letters = shape.label.chars().count().min(LETTERS) as f64;
            widths[shape.column] = widths[shape.column].max(letters * LETTER + 18.0);
        }
        let mut left = vec![20.0];
        for width in &widths {
            left.push(left[left.len() - 1] + width + GAP);
        }
        let rows = drawing
            .spots
            .iter()
            .map(|spot| spot.row)
            .fold(0.0, f64::max);
        let row = if rows > HIGH { CLOSE_ROW } else { ROW };
        let top = 20.0 + key.height();
        Page {
            width: (left[widths.len()] - GAP + 20.0)
                .max(key.width())
                .max(120.0),
            height: top + rows * row + BOX + 20.0,
            left,
            widths,
            top,
            row,
        }
    }

    /// The middle of a spot's row.
    fn y(&self, spot: &Spot) -> f64 {
        self.top + spot.row * self.row + BOX / 2.0
    }

    /// A curve from box to box; through a column that it crosses it goes straight.
    fn curve(&self, f: &mut fmt::Formatter<'_>, spots: &[Spot], arrow: &Arrow) -> fmt::Result {
        let start = &spots[arrow.from];
        let (mut x, mut y) = (
            self.left[start.column] + self.widths[start.column],
            self.y(start),
        );
        write!(f, r#"<path d="M{x:.1} {y:.1}"#)?;
        for spot in arrow.way().skip(1).map(|place| &spots[place]) {
            let (next_x, next_y) = (self.left[spot.column], self.y(spot));
            let bend = ((next_x - x) / 2.0).abs().max(20.0);
            write!(
                f,
                "C{:.1} {y:.1} {:.1} {next_y:.1} {next_x:.1} {next_y:.1}",
                x + bend,
                next_x - bend
            )?;
            (x, y) = (next_x, next_y);
            if spot.column < spots[arrow.to].column {
                x += self.widths[spot.column];
                write!(f, "H{x:.1}")?;
            }
        }
        let stroke = 1.0 + (arrow.count as f64).log10().min(4.0) / 2.0;
        write!(
            f,
            r##"" fill="none" stroke="#777" stroke-width="{stroke:.1}" marker-end="url(#tip)">"##
        )?;
        if arrow.count > 1 {
            write!(f, "<title>{} dependencies</title>", arrow.count)?;
        }
        writeln!(f, "</path>")
    }
}

/// A label without its middle if it is long: what tells labels apart stands at their ends.
fn shortened(label: &str) -> String {
    let letters: Vec<char> = label.chars().collect();
    if letters.len() <= LETTERS {
        return label.to_string();
    }
    let start = LETTERS / 3;
    let end = letters.len() - (LETTERS - 1 - start);
    letters[..start]
        .iter()
        .chain(&['…'])
        .chain(&letters[end..])
        .collect()
}

impl fmt::Display for Svg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawing = self.drawing();
        let key = Key::of(&drawing.shapes, self.unit());
        let page = Page::of(&drawing, &key);
        let (width, height) = (page.width, page.height);
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="12">"#
        )?;
        writeln!(
            f,
            r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>"##
        )?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        key.draw(f)?;
        for arrow in &drawing.arrows {
            page.curve(f, &drawing.spots, arrow)?;
        }
        for (shape, spot) in drawing.shapes.iter().zip(&drawing.spots) {
            let (x, y, width) = (
                page.left[shape.column],
                page.y(spot) - BOX / 2.0,
                page.widths[shape.column],
            );
            let round = if shape.kind == Kind::Task { 12 } else { 0 };
            let stroke = if shape.is_output { 2.5 } else { 0.8 };
            let (fill, ink) = key.colour(&shape.paint);
            write!(f, "<g><title>{}</title>", Escaped(&shape.title))?;
            write!(
                f,
                r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{BOX}" rx="{round}" fill="{fill}" stroke="#222" stroke-width="{stroke}"/>"##
            )?;
            writeln!(
                f,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="{ink}">{}</text></g>"#,
                x + width / 2.0,
                y + 16.0,
                Escaped(&shortened(&shape.label))
            )?;
        }
        writeln!(f, "</svg>")
    }
}

/// What the colours mean.
struct Key {
    names: Vec<String>,
    range: Option<(f64, f64)>,
    unit: Unit,
}

impl Key {
    fn of(shapes: &[Shape], unit: Unit) -> Self {
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

    fn is_shown(&self) -> bool {
        self.range.is_some() || self.names.len() > 1
    }

    fn height(&self) -> f64 {
        if self.is_shown() { 30.0 } else { 0.0 }
    }

    fn width(&self) -> f64 {
        let entries = self.entries();
        if !self.is_shown() {
            0.0
        } else if self.range.is_some() {
            380.0
        } else {
            40.0 + entries
                .iter()
                .map(|(_, text)| entry_width(text))
                .sum::<f64>()
        }
    }

    /// Colours and their names; where names share a colour, the first one and a word about the others.
    fn entries(&self) -> Vec<(Option<&str>, String)> {
        let shown = self.names.iter().take(DISTINCT.len());
        let mut entries: Vec<(Option<&str>, String)> = shown
            .map(|name| (Some(name.as_str()), shortened(name)))
            .collect();
        if self.names.len() > DISTINCT.len() {
            let more = self.names.len() - DISTINCT.len();
            entries.push((None, format!("and {more} more in the same colours again")));
        }
        entries
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_shown() {
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
                r#"<text x="148" y="24">{}</text>"#,
                self.unit.range(low, high)
            );
        }
        let mut x = 20.0;
        for (name, text) in self.entries() {
            if let Some(name) = name {
                let (fill, _) = self.colour(&Paint::Name(name.to_string()));
                write!(
                    f,
                    r#"<rect x="{x:.0}" y="14" width="12" height="12" fill="{fill}"/>"#
                )?;
            }
            writeln!(
                f,
                r#"<text x="{:.0}" y="24">{}</text>"#,
                x + 17.0,
                Escaped(&text)
            )?;
            x += entry_width(&text);
        }
        Ok(())
    }
}

fn entry_width(text: &str) -> f64 {
    32.0 + text.chars().count() as f64 * LETTER
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
    fn columns_follow_the_longest_way_and_boxes_do_not_overlap() {
        let graph = regrid(5);
        let drawing = graph.svg().drawing();
        for arrow in &drawing.arrows {
            assert!(drawing.shapes[arrow.from].column < drawing.shapes[arrow.to].column);
        }
        let mut spots = drawing.spots.clone();
        spots.sort_by(|a, b| a.column.cmp(&b.column).then(a.row.total_cmp(&b.row)));
        for pair in spots
            .windows(2)
            .filter(|pair| pair[0].column == pair[1].column)
        {
            assert!(pair[1].row - pair[0].row > 0.999, "{pair:?}");
        }
        assert!(spots.iter().all(|spot| spot.row >= 0.0));
    }

    #[test]
    fn a_chain_is_straight_and_an_arrow_that_skips_it_goes_round() {
        let first = delayed(|| 1).named("first");
        let last = (0..4_usize).fold(first.clone(), |x, i| x.map(|x| x + 1).named(("step", i)));
        let graph = Graph::of(apply((&first, &last), |(a, b)| a + b).named("join"));
        let drawing = graph.svg().drawing();
        let long = drawing.arrows.iter().find(|arrow| !arrow.bends.is_empty());
        let long = long.expect("the arrow from the first task to the last one");
        for bend in &long.bends {
            let bend = drawing.spots[*bend];
            let beside = drawing.shapes.iter().zip(&drawing.spots);
            let beside: Vec<_> = beside
                .filter(|(shape, _)| shape.column == bend.column)
                .map(|(_, spot)| spot.row)
                .collect();
            assert!(beside.iter().all(|row| (row - bend.row).abs() > 0.999));
        }
    }

    #[test]
    fn long_labels_lose_their_middle_and_any_text_is_harmless() {
        let label = "regrid surface_temperature of the year 2020 [0..6, 100..200]";
        assert_eq!(
            shortened(label),
            "regrid surface_t… the year 2020 [0..6, 100..200]"
        );
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
        }
    }

    #[test]
    fn a_hundred_thousand_tasks_draw_to_a_small_picture() {
        let text = regrid(50_000).svg().colour(Colour::Order).to_string();
        assert!(text.len() < 10_000, "{} bytes", text.len());
        assert!(text.contains(">read x 50000</text>"));
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
                .contains(">ran for ")
        );
        assert!(
            graph
                .svg()
                .colour(Colour::Order)
                .to_string()
                .contains("run first (0) to last (1)")
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
