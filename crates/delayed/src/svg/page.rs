//! The drawing in pixels: outlines, arrows and boxes as SVG.

use std::fmt;

use crate::graph::Kind;

use super::{
    drawing::{Arrow, Drawing, Shape},
    heights::HALF,
    layout::Layout,
    paint::Key,
    text::{Escaped, shortened, width},
};

/// Pixels: round all, between columns, between an outline and what is in it, between a box and its text.
const EDGE: f64 = 20.0;
const GAP: f64 = 60.0;
const SIDE: f64 = 10.0;
const PAD: f64 = 9.0;
/// How far an arrow hangs below boxes on its way back.
const BACK: f64 = 36.0;
/// A key is not made to fit into less.
const NARROW: f64 = 480.0;

/// Where columns are on the page.
pub(super) struct Page<'a> {
    drawing: &'a Drawing,
    layout: &'a Layout,
    key: &'a Key,
    columns: Vec<Column>,
    top: f64,
    /// Room for the key.
    room: f64,
    width: f64,
    height: f64,
}

#[derive(Clone, Copy, Default)]
struct Column {
    left: f64,
    /// Boxes of a column are equally wide; an outline with a long name may need more room than they do.
    boxes: f64,
    width: f64,
}

impl Column {
    /// The sides of its boxes.
    fn sides(&self) -> [f64; 2] {
        let left = self.left + (self.width - self.boxes) / 2.0;
        [left, left + self.boxes]
    }
}

impl<'a> Page<'a> {
    pub(super) fn of(drawing: &'a Drawing, layout: &'a Layout, key: &'a Key) -> Self {
        let count = layout.spots.iter().map(|spot| spot.column + 1).max();
        let mut columns = vec![Column::default(); count.unwrap_or(0)];
        for shape in &drawing.shapes {
            let boxes = &mut columns[shape.column].boxes;
            *boxes = boxes.max(width(&shortened(&shape.label)) + 2.0 * PAD);
        }
        for column in &mut columns {
            column.width = column.boxes;
        }
        for (area, name) in layout.areas.iter().zip(&drawing.outlines) {
            let [first, last] = area.columns;
            let wide: f64 = columns[first..=last]
                .iter()
                .map(|column| column.width)
                .sum();
            let wide = wide + GAP * (last - first) as f64;
            let lacks = width(&shortened(name)) - wide;
            columns[last].width += lacks.max(0.0);
        }
        let mut left = EDGE + if layout.areas.is_empty() { 0.0 } else { SIDE };
        for column in &mut columns {
            column.left = left;
            left += column.width + GAP;
        }
        let right = columns.last().map_or(0.0, |last| last.left + last.width)
            + if layout.areas.is_empty() { 0.0 } else { SIDE };
        let room = (right - EDGE).max(NARROW);
        let [key_width, key_height] = key.size(room);
        let top = EDGE
            + if key_height > 0.0 {
                key_height + 10.0
            } else {
                0.0
            };
        let back = drawing.arrows.iter().any(|arrow| goes_back(layout, arrow));
        let below = if back { BACK } else { 0.0 };
        Page {
            drawing,
            layout,
            key,
            columns,
            top,
            room,
            width: (right.max(EDGE + key_width) + EDGE).max(120.0),
            height: top + layout.height + below + EDGE,
        }
    }

    fn outline(&self, f: &mut fmt::Formatter<'_>, outline: usize) -> fmt::Result {
        let (area, name) = (self.layout.areas[outline], &self.drawing.outlines[outline]);
        let [first, last] = area.columns.map(|column| &self.columns[column]);
        let (left, top) = (first.left - SIDE, self.top + area.top);
        write!(
            f,
            r##"<g><title>{}</title><rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="9" fill="#f4f5f7" stroke="#b3b8c2"/>"##,
            Escaped(name),
            last.left + last.width + SIDE - left,
            area.bottom - area.top,
        )?;
        writeln!(
            f,
            r##"<text x="{:.1}" y="{:.1}" fill="#555b66" font-size="11">{}</text></g>"##,
            left + SIDE,
            top + 15.0,
            Escaped(&shortened(name))
        )
    }

    /// A curve from box to box.
    fn arrow(&self, f: &mut fmt::Formatter<'_>, arrow: &Arrow, way: &[usize]) -> fmt::Result {
        if goes_back(self.layout, arrow) {
            self.way_back(f, arrow)?;
        } else {
            self.way_on(f, arrow, way)?;
        }
        if arrow.count == 1 {
            return writeln!(f, "/>");
        }
        let stroke = 1.0 + (arrow.count as f64).log10().min(4.0) / 2.0;
        writeln!(
            f,
            r#" stroke-width="{stroke:.1}"><title>{} dependencies</title></path>"#,
            arrow.count
        )
    }

    /// From below one box to below the other; only groups that need each other have such arrows.
    fn way_back(&self, f: &mut fmt::Formatter<'_>, arrow: &Arrow) -> fmt::Result {
        let [(x, y), (to_x, to_y)] = [arrow.from, arrow.to].map(|place| {
            let spot = &self.layout.spots[place];
            let [left, right] = self.columns[spot.column].sides();
            ((left + right) / 2.0, self.top + spot.y + HALF)
        });
        let low = y.max(to_y) + BACK * 4.0 / 3.0;
        write!(
            f,
            r#"<path d="M{x:.1} {y:.1}C{x:.1} {low:.1} {to_x:.1} {low:.1} {to_x:.1} {to_y:.1}""#
        )
    }

    /// Through a column that it crosses it goes straight.
    fn way_on(&self, f: &mut fmt::Formatter<'_>, arrow: &Arrow, way: &[usize]) -> fmt::Result {
        let spots = &self.layout.spots;
        let last = spots[arrow.to].column;
        let mut x = self.columns[spots[arrow.from].column].sides()[1];
        let mut y = self.top + spots[arrow.from].y;
        write!(f, r#"<path d="M{x:.1} {y:.1}"#)?;
        for spot in way[1..].iter().map(|place| &spots[*place]) {
            let column = &self.columns[spot.column];
            let ends = spot.column == last;
            let next_x = if ends { column.sides()[0] } else { column.left };
            let next_y = self.top + spot.y;
            if (next_y - y).abs() < 0.05 && next_x > x {
                write!(f, "H{next_x:.1}")?;
            } else {
                let bend = ((next_x - x) / 2.0).abs().max(20.0);
                write!(
                    f,
                    "C{:.1} {y:.1} {:.1} {next_y:.1} {next_x:.1} {next_y:.1}",
                    x + bend,
                    next_x - bend
                )?;
            }
            (x, y) = (next_x, next_y);
            if !ends {
                x += column.width;
                write!(f, "H{x:.1}")?;
            }
        }
        f.write_str("\"")
    }

    fn shape(&self, f: &mut fmt::Formatter<'_>, shape: &Shape, y: f64) -> fmt::Result {
        let [x, right] = self.columns[shape.column].sides();
        let y = self.top + y - HALF;
        let round = if shape.kind == Kind::Task { 12 } else { 0 };
        let stroke = if shape.is_output { 2.5 } else { 0.8 };
        let (fill, ink) = self.key.colour(&shape.paint);
        write!(f, "<g><title>{}</title>", Escaped(&shape.title))?;
        write!(
            f,
            r##"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{}" rx="{round}" fill="{fill}" stroke="#222" stroke-width="{stroke}"/>"##,
            right - x,
            2.0 * HALF
        )?;
        writeln!(
            f,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="{ink}">{}</text></g>"#,
            (x + right) / 2.0,
            y + 16.0,
            Escaped(&shortened(&shape.label))
        )
    }
}

fn goes_back(layout: &Layout, arrow: &Arrow) -> bool {
    layout.spots[arrow.to].column <= layout.spots[arrow.from].column
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (self.width, self.height);
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="12">"#
        )?;
        writeln!(
            f,
            r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>"##
        )?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        self.key.draw(f, [EDGE, EDGE - 4.0], self.room)?;
        for outline in 0..self.layout.areas.len() {
            self.outline(f, outline)?;
        }
        if !self.drawing.arrows.is_empty() {
            writeln!(
                f,
                r##"<g fill="none" stroke="#777" marker-end="url(#tip)">"##
            )?;
            for (arrow, way) in self.drawing.arrows.iter().zip(&self.layout.ways) {
                self.arrow(f, arrow, way)?;
            }
            writeln!(f, "</g>")?;
        }
        for (shape, spot) in self.drawing.shapes.iter().zip(&self.layout.spots) {
            self.shape(f, shape, spot.y)?;
        }
        writeln!(f, "</svg>")
    }
}
