//! How high everything stands, when who stands above whom is known.
//!
//! Each spot wants to stand where its neighbours do. A column gives what is nearest to that in the least-squares sense and keeps order
//! and distances (pool adjacent violators). The widest column is the one that cannot give way, so that in the end the others, outwards
//! from it, stand in the middle of what they belong to: a tree looks like a tree whether it grows or shrinks. Last, outlines push away
//! what is not theirs, and arrows become straight as far as there is room.

use super::layout::Order;

/// Half the height of a box.
pub(super) const HALF: f64 = 12.0;
/// Between boxes; less in a high drawing.
const AIR: f64 = 10.0;
const LITTLE_AIR: f64 = 4.0;
const HIGH: usize = 24;
/// Between arrows that go side by side, and between one and a box.
const BESIDE: f64 = 10.0;
/// Inside an outline: above for its name, and below; outside it.
const HEAD: f64 = 23.0;
const FOOT: f64 = 9.0;
const MARGIN: f64 = 9.0;

/// What stands in a spot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Box,
    /// An arrow that passes.
    Bend,
    /// Nothing: an outline goes on through a column in which it has no box.
    Free,
}

impl Item {
    pub(super) fn half(self) -> f64 {
        match self {
            Item::Box => HALF,
            Item::Bend | Item::Free => 0.0,
        }
    }
}

/// What has a height: spots by number, then the upper edges of the outlines, then the lower ones.
pub(super) struct Heights<'a> {
    order: &'a Order,
    air: f64,
    /// Who stands above each, and by how much at least.
    above: Vec<Vec<(usize, f64)>>,
    below: Vec<Vec<(usize, f64)>>,
    /// All, from above to below.
    sorted: Vec<usize>,
}

impl<'a> Heights<'a> {
    pub(super) fn of(order: &'a Order) -> Self {
        let count = order.spots.len() + 2 * order.spans.len();
        let boxes = |column: &Vec<usize>| {
            let is_box = |spot: &&usize| order.spots[**spot].item == Item::Box;
            column.iter().filter(is_box).count()
        };
        let most = order.columns.iter().map(boxes).max().unwrap_or(0);
        let mut heights = Heights {
            order,
            air: if most > HIGH { LITTLE_AIR } else { AIR },
            above: vec![Vec::new(); count],
            below: vec![Vec::new(); count],
            sorted: Vec::new(),
        };
        for column in &order.columns {
            let mut last = None;
            for spot in column {
                heights.line_up(&mut last, *spot);
            }
            if let Some(last) = last
                && let Some(outline) = order.spots[last].outline
            {
                heights.keep_apart(last, heights.foot(outline));
            }
        }
        heights.sorted = heights.top_down();
        heights
    }

    fn head(&self, outline: usize) -> usize {
        self.order.spots.len() + outline
    }

    fn foot(&self, outline: usize) -> usize {
        self.order.spots.len() + self.order.spans.len() + outline
    }

    /// The next spot of a column, and the edges of outlines that are between.
    fn line_up(&mut self, last: &mut Option<usize>, spot: usize) {
        let spots = &self.order.spots;
        let outline = spots[spot].outline;
        let mut above = *last;
        if let Some(last) = *last
            && let Some(left) = spots[last].outline
            && outline != Some(left)
        {
            self.keep_apart(last, self.foot(left));
            above = Some(self.foot(left));
        }
        if let Some(entered) = outline
            && last.is_none_or(|last| spots[last].outline != outline)
        {
            if let Some(above) = above {
                self.keep_apart(above, self.head(entered));
            }
            above = Some(self.head(entered));
        }
        if let Some(above) = above {
            self.keep_apart(above, spot);
        }
        *last = Some(spot);
    }

    fn keep_apart(&mut self, above: usize, below: usize) {
        let distance = self.distance(above, below);
        self.below[above].push((below, distance));
        self.above[below].push((above, distance));
    }

    /// The least distance between two that follow each other in a column.
    fn distance(&self, above: usize, below: usize) -> f64 {
        let spots = &self.order.spots;
        let heads = self.head(0);
        let is_head = |place: usize| place >= heads && place < self.foot(0);
        match (spots.get(above), spots.get(below)) {
            (Some(above), Some(below)) => {
                let air = if above.item == Item::Box && below.item == Item::Box {
                    self.air
                } else {
                    BESIDE
                };
                above.item.half() + air + below.item.half()
            }
            (None, Some(below)) if is_head(above) => HEAD + below.item.half(),
            (None, Some(below)) => MARGIN + below.item.half(),
            (Some(above), None) if is_head(below) => above.item.half() + MARGIN,
            (Some(above), None) => above.item.half() + FOOT,
            (None, None) => MARGIN,
        }
    }

    /// All in an order in which each comes after those above it. There is one: outlines stand in the same order in every column.
    fn top_down(&self) -> Vec<usize> {
        let mut waits: Vec<usize> = self.above.iter().map(Vec::len).collect();
        let mut sorted: Vec<usize> = (0..waits.len())
            .filter(|place| waits[*place] == 0)
            .collect();
        let mut next = 0;
        while next < sorted.len() {
            for (below, _) in &self.below[sorted[next]] {
                waits[*below] -= 1;
                if waits[*below] == 0 {
                    sorted.push(*below);
                }
            }
            next += 1;
        }
        debug_assert_eq!(sorted.len(), waits.len(), "outlines in one order");
        sorted
    }

    /// The height of each spot, and the edges of each outline.
    pub(super) fn settle(&self) -> (Vec<f64>, Vec<[f64; 2]>) {
        let order = self.order;
        let mut ys = vec![0.0; self.above.len()];
        let columns = || 0..order.columns.len();
        for column in columns() {
            self.settle_column(column, &[], &mut ys);
        }
        for _ in 0..4 {
            for column in columns() {
                self.settle_column(column, &order.before, &mut ys);
            }
            for column in columns().rev() {
                self.settle_column(column, &order.after, &mut ys);
            }
        }
        let widest = columns().max_by_key(|column| order.columns[*column].len());
        let widest = widest.unwrap_or(0);
        for column in (0..widest).rev() {
            self.settle_column(column, &order.after, &mut ys);
        }
        for column in widest + 1..order.columns.len() {
            self.settle_column(column, &order.before, &mut ys);
        }
        if !order.spans.is_empty() {
            self.outline(&mut ys);
            self.push_apart(&mut ys);
            for _ in 0..8 {
                self.loosen(&mut ys);
                for column in (0..widest).rev() {
                    self.close_in(column, &order.after, &mut ys);
                }
                for column in widest + 1..order.columns.len() {
                    self.close_in(column, &order.before, &mut ys);
                }
                self.outline(&mut ys);
                self.shift_outlines(&mut ys);
            }
        }
        self.straighten(&mut ys);
        self.outline(&mut ys);
        let outlines = 0..order.spans.len();
        let edges = outlines
            .map(|outline| [ys[self.head(outline)], ys[self.foot(outline)]])
            .collect();
        ys.truncate(order.spots.len());
        (ys, edges)
    }

    /// Moves the spots of a column as close to their neighbours as their order and distances allow.
    fn settle_column(&self, column: usize, neighbours: &[Vec<usize>], ys: &mut [f64]) {
        struct Block {
            /// Where its first spot wants to be, by all its spots, times their weights.
            sum: f64,
            weight: f64,
            spots: usize,
        }
        let column = &self.order.columns[column];
        // How far each is below the first, when all stand as close as they can.
        let mut down: Vec<f64> = Vec::with_capacity(column.len());
        let mut blocks: Vec<Block> = Vec::new();
        for (place, spot) in column.iter().enumerate() {
            down.push(if place == 0 {
                0.0
            } else {
                down[place - 1] + self.way_down(column[place - 1], *spot)
            });
            let near = neighbours.get(*spot).map_or(&[][..], Vec::as_slice);
            let is_bend = |spot: usize| self.order.spots[spot].item == Item::Bend;
            let (wanted, weight) = match near.len() {
                // It only stays where it is if nobody minds.
                0 => (ys[*spot], 0.01),
                // Arrows are to be straight on their long way, less so at their ends.
                1 if is_bend(*spot) => (ys[near[0]], if is_bend(near[0]) { 8.0 } else { 4.0 }),
                // What goes to many places is in none of them anyway: it yields to what goes to few.
                count => {
                    let sum: f64 = near.iter().map(|other| ys[*other]).sum();
                    (sum / count as f64, 1.0 / count as f64)
                }
            };
            let mut block = Block {
                sum: weight * (wanted - down[place]),
                weight,
                spots: 1,
            };
            while let Some(last) = blocks.last()
                && last.sum / last.weight > block.sum / block.weight
            {
                block.sum += last.sum;
                block.weight += last.weight;
                block.spots += last.spots;
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut place = 0;
        for block in blocks {
            for _ in 0..block.spots {
                ys[column[place]] = block.sum / block.weight + down[place];
                place += 1;
            }
        }
    }

    /// The distance between two spots that follow each other in a column, with the edges between them.
    fn way_down(&self, above: usize, below: usize) -> f64 {
        let [left, entered] = [above, below].map(|spot| self.order.spots[spot].outline);
        if left == entered {
            return self.distance(above, below);
        }
        let mut way = vec![above];
        way.extend(left.map(|outline| self.foot(outline)));
        way.extend(entered.map(|outline| self.head(outline)));
        way.push(below);
        way.windows(2)
            .map(|pair| self.distance(pair[0], pair[1]))
            .sum()
    }

    /// Draws the edges of the outlines close round what is in them.
    fn outline(&self, ys: &mut [f64]) {
        for outline in 0..self.order.spans.len() {
            let [head, foot] = [self.head(outline), self.foot(outline)];
            let upper = self.below[head].iter().map(|(spot, far)| ys[*spot] - far);
            ys[head] = upper.fold(f64::MAX, f64::min);
            let lower = self.above[foot].iter().map(|(spot, far)| ys[*spot] + far);
            ys[foot] = lower.fold(f64::MIN, f64::max);
        }
    }

    /// Moves all that is too close apart, half of it up and half of it down: the mean of the two ways keeps the distances as each does.
    fn push_apart(&self, ys: &mut [f64]) {
        let mut down = ys.to_vec();
        for place in &self.sorted {
            for (above, far) in &self.above[*place] {
                down[*place] = down[*place].max(down[*above] + far);
            }
        }
        for place in self.sorted.iter().rev() {
            for (below, far) in &self.below[*place] {
                ys[*place] = ys[*place].min(ys[*below] - far);
            }
        }
        for (y, down) in ys.iter_mut().zip(down) {
            *y = (*y + down) / 2.0;
        }
    }

    /// Between which heights something may move while all else stays.
    fn room(&self, place: usize, ys: &[f64]) -> [f64; 2] {
        let upper = self.above[place]
            .iter()
            .map(|(above, far)| ys[*above] + far);
        let lower = self.below[place]
            .iter()
            .map(|(below, far)| ys[*below] - far);
        [
            upper.fold(f64::MIN, f64::max),
            lower.fold(f64::MAX, f64::min),
        ]
    }

    /// Moves the edges of the outlines as far outwards as all else allows.
    fn loosen(&self, ys: &mut [f64]) {
        for outline in 0..self.order.spans.len() {
            let [head, foot] = [self.head(outline), self.foot(outline)];
            ys[head] = self.room(head, ys)[0];
            ys[foot] = self.room(foot, ys)[1];
        }
    }

    /// Moves the spots of a column towards their neighbours as far as there is room between the others and the edges.
    fn close_in(&self, column: usize, neighbours: &[Vec<usize>], ys: &mut [f64]) {
        let column = &self.order.columns[column];
        let mut towards = |spot: usize| {
            let near = &neighbours[spot];
            let [upper, lower] = self.room(spot, ys);
            if !near.is_empty() && upper <= lower {
                let mean = near.iter().map(|other| ys[*other]).sum::<f64>() / near.len() as f64;
                ys[spot] = mean.clamp(upper, lower);
            }
        };
        // Up from the highest on, down from the lowest on, so that none is in the other's way.
        column.iter().for_each(|spot| towards(*spot));
        column.iter().rev().for_each(|spot| towards(*spot));
    }

    /// Moves each outline with all that is in it towards the neighbours of what is in it.
    fn shift_outlines(&self, ys: &mut [f64]) {
        let order = self.order;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); order.spans.len()];
        for (place, spot) in order.spots.iter().enumerate() {
            if let Some(outline) = spot.outline {
                members[outline].push(place);
            }
        }
        for (outline, members) in members.iter().enumerate() {
            let [head, foot] = [self.head(outline), self.foot(outline)];
            let (mut sum, mut count) = (0.0, 0_usize);
            for spot in members {
                for other in order.before[*spot].iter().chain(&order.after[*spot]) {
                    if order.spots[*other].outline != Some(outline) {
                        sum += ys[*other] - ys[*spot];
                        count += 1;
                    }
                }
            }
            let up = self.room(head, ys)[0] - ys[head];
            let down = self.room(foot, ys)[1] - ys[foot];
            // Where nothing else stands in its columns, the other columns come to it.
            let is_alone = self.above[head].is_empty() && self.below[foot].is_empty();
            if count > 0 && up <= down && !is_alone {
                let shift = (sum / count as f64).clamp(up, down);
                for place in members.iter().chain([&head, &foot]) {
                    ys[*place] += shift;
                }
            }
        }
    }

    /// Gives the bends of an arrow one height, as many of them at a time as the room beside them allows.
    fn straighten(&self, ys: &mut [f64]) {
        for way in &self.order.ways {
            let bends = &way[1..way.len() - 1];
            let mut done = 0;
            while done < bends.len() {
                let (mut least, mut most) = (f64::MIN, f64::MAX);
                let mut end = done;
                while end < bends.len() {
                    let bend = bends[end];
                    let [upper, lower] = self.room(bend, ys);
                    let [upper, lower] = [upper.max(least), lower.min(most)];
                    if upper > lower {
                        break;
                    }
                    (least, most) = (upper, lower);
                    end += 1;
                }
                // Where rounding leaves one no room at all, it stays.
                let run = &bends[done..end];
                if !run.is_empty() {
                    let mean = run.iter().map(|bend| ys[*bend]).sum::<f64>() / run.len() as f64;
                    // An end of the arrow at that height makes it straighter still.
                    let ends = [way[0], way[way.len() - 1]].map(|end| ys[end]);
                    let wanted = ends
                        .into_iter()
                        .find(|end| (*end - mean).abs() < HALF && (least..=most).contains(end));
                    let y = wanted.unwrap_or(mean).clamp(least, most);
                    for bend in run {
                        ys[*bend] = y;
                    }
                }
                done = end.max(done + 1);
            }
        }
    }
}
