//! What colours tell: names in colours that can be told apart, amounts on a scale; and the key that says so.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use crate::{
    explain::Bytes,
    graph::{Graph, TaskId},
    profile::{Profile, TaskTime},
};

use super::{
    Colour,
    text::{Escaped, shortened, width},
};

/// Okabe and Ito's colours, which colour-blind readers can tell apart.
pub(super) const DISTINCT: [&str; 8] = [
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
/// Of a box that stands for tasks of several workers.
const SEVERAL: &str = "several workers";
/// Pixels: a line of the key, the place before a name for its colour, the scale.
const LINE: f64 = 20.0;
const MARK: f64 = 17.0;
const BAR: f64 = 120.0;

/// A colour before it is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Paint {
    Name(String),
    Amount(f64),
    None,
}

impl Paint {
    /// One for each node of a graph.
    pub(crate) fn of(graph: &Graph, colour: &Colour) -> Vec<Paint> {
        // By key: the graph that ran may be another one than is drawn, or hold it only in part.
        let measured = |profile: &Profile, paint: &dyn Fn(&TaskTime) -> Paint| {
            let mut paints = vec![Paint::None; graph.len()];
            if let Some(ran) = profile.graph() {
                let drawn: HashMap<&str, TaskId> =
                    graph.ids().map(|id| (graph.key(id).as_str(), id)).collect();
                for task in profile.tasks() {
                    if let Some(id) = drawn.get(ran.key(task.id).as_str()) {
                        paints[id.index()] = paint(&task);
                    }
                }
            }
            paints
        };
        match colour {
            Colour::Group => graph
                .ids()
                .map(|id| graph.info(id))
                .map(|info| Paint::Name(info.group.clone().unwrap_or_else(|| info.label.stem())))
                .collect(),
            Colour::Order => {
                let mut paints = vec![Paint::None; graph.len()];
                for (place, id) in graph.task_ids().enumerate() {
                    paints[id.index()] = Paint::Amount(place as f64);
                }
                paints
            }
            Colour::Bytes => graph
                .ids()
                .map(|id| graph.info(id).bytes)
                .map(|bytes| bytes.map_or(Paint::None, |bytes| Paint::Amount(bytes as f64)))
                .collect(),
            Colour::Time(profile) => measured(profile, &|task| {
                Paint::Amount((task.finished - task.started).as_secs_f64() * 1e6)
            }),
            Colour::Worker(profile) => measured(profile, &|task| {
                Paint::Name(format!("worker {}", task.worker))
            }),
        }
    }

    /// One for a box that stands for several: the mean amount, or the name that all have.
    pub(super) fn of_all<'a>(paints: impl Iterator<Item = &'a Paint>) -> Paint {
        let (mut sum, mut count, mut name) = (0.0, 0_usize, None);
        for paint in paints {
            match paint {
                Paint::Amount(amount) => {
                    sum += amount;
                    count += 1;
                }
                Paint::Name(found) => match name {
                    Some(other) if other != found => return Paint::Name(SEVERAL.to_string()),
                    _ => name = Some(found),
                },
                Paint::None => {}
            }
        }
        match name {
            Some(name) => Paint::Name(name.clone()),
            None if count > 0 => Paint::Amount(sum / count as f64),
            None => Paint::None,
        }
    }
}

/// What the colours mean.
pub(crate) struct Key {
    /// Each name has the colour of its place.
    names: HashMap<String, usize>,
    /// The names that the drawing does not say otherwise.
    shown: Vec<String>,
    /// The least and the greatest amount, and in words what they are.
    range: Option<(f64, f64, String)>,
}

impl Key {
    /// The key of what is drawn; beside each paint stands whether the drawing says its name anyway.
    pub(crate) fn of<'a>(
        painted: impl Iterator<Item = (&'a Paint, bool)>,
        colour: &Colour,
        is_synopsis: bool,
    ) -> Self {
        let (mut names, mut shown) = (HashMap::new(), Vec::new());
        let mut is_shown = HashSet::new();
        let mut range: Option<(f64, f64)> = None;
        for (paint, is_said) in painted {
            match paint {
                Paint::Name(name) => {
                    if !names.contains_key(name) {
                        names.insert(name.clone(), names.len());
                    }
                    if !is_said && is_shown.insert(name) {
                        shown.push(name.clone());
                    }
                }
                Paint::Amount(amount) => {
                    let (low, high) = range.unwrap_or((*amount, *amount));
                    range = Some((low.min(*amount), high.max(*amount)));
                }
                Paint::None => {}
            }
        }
        if names.len() == 1 {
            shown.clear();
        }
        Key {
            names,
            shown,
            range: range.map(|(low, high)| (low, high, in_words(colour, low, high, is_synopsis))),
        }
    }

    /// Fill and text colour.
    pub(crate) fn colour(&self, paint: &Paint) -> (String, &'static str) {
        match paint {
            Paint::None => ("#ffffff".to_string(), "#000000"),
            Paint::Name(name) if name == SEVERAL => ("#eeeeee".to_string(), "#000000"),
            Paint::Name(name) => {
                let place = self
                    .names
                    .get(name)
                    .map_or(0, |place| place % DISTINCT.len());
                let ink = if place == 6 { "#ffffff" } else { "#000000" };
                (DISTINCT[place].to_string(), ink)
            }
            Paint::Amount(amount) => {
                let (low, high) = self
                    .range
                    .as_ref()
                    .map_or((0.0, 1.0), |range| (range.0, range.1));
                let share = if high > low {
                    (amount - low) / (high - low)
                } else {
                    0.0
                };
                (
                    scale(share),
                    if share < 0.5 { "#ffffff" } else { "#000000" },
                )
            }
        }
    }

    /// What the scale shows, if there is one.
    pub(crate) fn words(&self) -> Option<&str> {
        self.range.as_ref().map(|(.., words)| words.as_str())
    }

    /// Samples of the scale, from little to much.
    pub(crate) fn samples() -> [String; 5] {
        std::array::from_fn(|step| scale(step as f64 / 4.0))
    }

    /// Colours and their names; where names share a colour, the first ones and a word about the others.
    pub(crate) fn entries(&self) -> Vec<(Option<&str>, String)> {
        let shown = self.shown.iter().take(DISTINCT.len());
        let mut entries: Vec<(Option<&str>, String)> = shown
            .map(|name| (Some(name.as_str()), shortened(name)))
            .collect();
        if self.shown.len() > DISTINCT.len() {
            let more = self.shown.len() - DISTINCT.len();
            entries.push((None, format!("and {more} more in the same colours again")));
        }
        entries
    }

    /// The entries with their places, and the size of all, if no line is to be wider than `room` (unless a single entry is).
    fn places(&self, room: f64) -> (Vec<[f64; 2]>, [f64; 2]) {
        let (mut x, mut y, mut widest) = (0.0, 0.0, 0.0_f64);
        let mut places = Vec::new();
        for (_, text) in self.entries() {
            let width = MARK + width(&text) + 16.0;
            if x > 0.0 && x + width > room {
                (x, y) = (0.0, y + LINE);
            }
            places.push([x, y]);
            x += width;
            widest = widest.max(x);
        }
        let height = if places.is_empty() { 0.0 } else { y + LINE };
        (places, [widest, height])
    }

    /// Its width and height on a page with room for `room` pixels in a line.
    pub(super) fn size(&self, room: f64) -> [f64; 2] {
        match &self.range {
            Some((.., words)) => [BAR + 8.0 + width(words), LINE],
            None => self.places(room).1,
        }
    }

    pub(super) fn draw(
        &self,
        f: &mut fmt::Formatter<'_>,
        [left, top]: [f64; 2],
        room: f64,
    ) -> fmt::Result {
        if let Some((.., words)) = &self.range {
            for step in 0..20 {
                let fill = scale(f64::from(step) / 19.0);
                write!(
                    f,
                    r#"<rect x="{}" y="{top}" width="6" height="12" fill="{fill}"/>"#,
                    left + f64::from(step) * 6.0
                )?;
            }
            return writeln!(
                f,
                r#"<text x="{}" y="{}">{words}</text>"#,
                left + BAR + 8.0,
                top + 10.0
            );
        }
        for ((name, text), [x, y]) in self.entries().into_iter().zip(self.places(room).0) {
            let (x, y) = (left + x, top + y);
            if let Some(name) = name {
                let (fill, _) = self.colour(&Paint::Name(name.to_string()));
                write!(
                    f,
                    r#"<rect x="{x:.0}" y="{y:.0}" width="12" height="12" fill="{fill}"/>"#
                )?;
            }
            writeln!(
                f,
                r#"<text x="{:.0}" y="{:.0}">{}</text>"#,
                x + MARK,
                y + 10.0,
                Escaped(&text)
            )?;
        }
        Ok(())
    }
}

/// The ends of the scale.
fn in_words(colour: &Colour, low: f64, high: f64, is_synopsis: bool) -> String {
    let each = if is_synopsis { " on average" } else { "" };
    match colour {
        Colour::Bytes => format!("{} to {}{each}", Bytes(low as u64), Bytes(high as u64)),
        Colour::Time(_) => {
            let [low, high] = [low, high].map(|micros| Duration::from_secs_f64(micros / 1e6));
            format!("ran for {low:.1?} to {high:.1?}{each}")
        }
        _ => format!("runs first ({low:.0}) to last ({high:.0}){each}"),
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
