//! The memory of a run on paper: values, what tasks hold beside them, and the buffers that nobody uses, as they come and go.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use delayed::ExpectedTask;

use super::pace::{Pace, Work};
use crate::buffers::{PaperBuffer, PaperShelves};
use crate::values::DataType;

/// A run as it goes on paper, and what it took at the most.
pub(super) struct Rehearsal<'f> {
    /// The fields by their names, and the pace of each.
    names: HashMap<&'f str, u32>,
    paces: Vec<Pace>,
    tasks: Vec<Task>,
    kept: usize,
    /// Bytes of finished chunks that may wait for their turn, and how many are to be written.
    waiting: u64,
    writes: u32,
    /// Bytes of all weights that are in a file: those of several tasks may be the same.
    in_file: u64,
    now: Now,
    /// The most bytes of values that tasks held at once, of buffers that there were, and the most memory of all, each time that the
    /// run was played.
    values: Vec<u64>,
    buffers: Vec<u64>,
    memory: Vec<u64>,
}

/// A task. There may be millions.
#[derive(Debug, Clone, Copy)]
struct Task {
    work: Work,
    /// Its field, if it belongs to one.
    field: Option<u32>,
    /// Of those that write, its turn.
    turn: u32,
    bytes: u64,
    input_bytes: u64,
}

/// What there is at a moment.
#[derive(Default)]
struct Now {
    shelves: PaperShelves,
    /// Bytes of values, as tasks say.
    values: u64,
    /// Bytes that are in no buffer of the shelves.
    plain: u64,
    /// Bytes of weights in a file that tasks look at.
    mapped: u64,
    /// What tasks hold that run, or whose values are there.
    held: HeldByTasks,
    /// How many write.
    writing: usize,
    /// Whose turn it is to be stored; what came early, and how many bytes wait of it.
    next: u32,
    early: BTreeMap<u32, Option<PaperBuffer>>,
    waiting: u64,
}

/// What some of many tasks hold, by their numbers.
#[derive(Default)]
struct HeldByTasks {
    /// For each task its place among them, counted from one.
    places: Vec<u32>,
    all: Vec<Held>,
    free: Vec<u32>,
}

impl HeldByTasks {
    /// What a task comes to hold: nothing yet.
    fn begin(&mut self, task: usize) -> &mut Held {
        let place = self.free.pop().unwrap_or_else(|| {
            self.all.push(Held::default());
            self.all.len() as u32
        });
        self.places[task] = place;
        &mut self.all[place as usize - 1]
    }

    fn of(&mut self, task: usize) -> Option<&mut Held> {
        let place = (self.places[task] as usize).checked_sub(1)?;
        Some(&mut self.all[place])
    }

    /// A task holds nothing more.
    fn end(&mut self, task: usize) {
        self.free.push(std::mem::take(&mut self.places[task]));
    }
}

/// What a task holds.
#[derive(Default)]
struct Held {
    /// The buffer of its value, once there is one.
    value: Option<PaperBuffer>,
    /// What it has read, before that is turned into its value.
    raw: Option<PaperBuffer>,
    beside: Vec<PaperBuffer>,
    plain: u64,
    mapped: u64,
}

impl<'f> Rehearsal<'f> {
    /// Of fields by their names; shelves keep so many bytes, so many may wait for their turn, and so many of weights are in a file.
    pub(super) fn new(
        fields: impl Iterator<Item = (&'f str, Pace)>,
        kept: usize,
        waiting: u64,
        in_file: u64,
    ) -> Self {
        let (names, paces): (Vec<_>, Vec<_>) = fields.unzip();
        Self {
            names: names.into_iter().zip(0..).collect(),
            paces,
            tasks: Vec::new(),
            kept,
            waiting,
            writes: 0,
            in_file,
            now: Now::default(),
            values: Vec::new(),
            buffers: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// The most bytes of values that tasks held at once, in a run like many others.
    pub(super) fn values(&self) -> u64 {
        usual(&self.values)
    }

    /// The most bytes of buffers that there are in such a run, whether somebody uses them or not.
    pub(super) fn buffers(&self) -> u64 {
        usual(&self.buffers)
    }

    /// The most memory of such a run.
    pub(super) fn memory(&self) -> u64 {
        usual(&self.memory)
    }

    /// The least and the most memory of the runs that were played.
    pub(super) fn memory_range(&self) -> [u64; 2] {
        let of_plays = self.memory.iter().copied();
        [of_plays.clone().min(), of_plays.max()].map(|bytes| bytes.unwrap_or(0))
    }

    fn look(&mut self) {
        let now = &self.now;
        let reach = |most: &mut Vec<u64>, bytes: u64| {
            if let Some(most) = most.last_mut() {
                *most = bytes.max(*most);
            }
        };
        reach(&mut self.values, now.values);
        reach(&mut self.buffers, now.shelves.room() as u64);
        let mapped = now.mapped.min(self.in_file);
        let memory = now.plain + mapped + now.shelves.bytes() as u64;
        reach(&mut self.memory, memory);
    }
}

/// That of a play that takes less than most: runs are held to it.
fn usual(of_plays: &[u64]) -> u64 {
    let mut of_plays = of_plays.to_vec();
    of_plays.sort_unstable();
    of_plays.get(of_plays.len() / 4).copied().unwrap_or(0)
}

impl delayed::Rehearsal for Rehearsal<'_> {
    fn knows(&mut self, task: &ExpectedTask<'_>) {
        let ExpectedTask {
            bytes, input_bytes, ..
        } = *task;
        let work = Work::of(task.step, input_bytes);
        let field = self.names.get(task.group).copied();
        self.tasks.push(Task {
            work,
            field,
            turn: self.writes,
            bytes,
            input_bytes,
        });
        self.writes += u32::from(work == Work::Write);
    }

    fn begins(&mut self) {
        self.values.push(0);
        self.buffers.push(0);
        self.memory.push(0);
        self.now = Now {
            shelves: PaperShelves::new(self.kept),
            held: HeldByTasks {
                places: vec![0; self.tasks.len()],
                ..HeldByTasks::default()
            },
            ..Now::default()
        };
    }

    fn starts(&mut self, number: usize) -> Duration {
        let task = self.tasks[number];
        let now = &mut self.now;
        now.values += task.bytes;
        let lasts = match task.field {
            None => {
                now.held.begin(number).plain = task.bytes;
                now.plain += task.bytes;
                Duration::ZERO
            }
            Some(field) => {
                let pace = &self.paces[field as usize];
                let made = now.shelves.made();
                now.begin(number, &task, pace);
                let fresh = now.shelves.made().since(made);
                pace.lasts(task.work, task.bytes, task.input_bytes, fresh)
            }
        };
        self.look();
        lasts
    }

    fn ends(&mut self, number: usize) {
        let task = self.tasks[number];
        let pace = task.field.map(|field| &self.paces[field as usize]);
        let now = &mut self.now;
        let Some(held) = now.held.of(number) else {
            return;
        };
        held.beside.drain(..).for_each(|b| now.shelves.give(b));
        now.mapped -= std::mem::take(&mut held.mapped);
        let mut turned = Vec::new();
        if let (Some(raw), Some(pace)) = (held.raw.take(), pace) {
            let mut take = |bytes: u64| now.shelves.take(pace.needs.types[1], bytes as usize);
            if pace.needs.turned > 0 && pace.needs.apart > task.bytes {
                turned.push(take(pace.needs.apart));
            }
            if held.value.is_none() {
                held.value = Some(take(task.bytes));
            }
            turned.push(raw);
        }
        if let Some(pace) = pace.filter(|_| task.work == Work::Write) {
            now.writing -= 1;
            now.bring(task.turn, pace.compressed(task.input_bytes), self.waiting);
        }
        self.look();
        let now = &mut self.now;
        turned.into_iter().for_each(|b| now.shelves.give(b));
        let Some(held) = now.held.of(number) else {
            return;
        };
        now.plain -= held.plain;
        held.plain = if held.value.is_some() { 0 } else { task.bytes };
        now.plain += held.plain;
        // Who writes leaves nothing.
        if held.value.is_none() && held.plain == 0 {
            now.held.end(number);
        }
    }

    fn goes(&mut self, number: usize) {
        let now = &mut self.now;
        now.values -= self.tasks[number].bytes;
        if let Some(held) = now.held.of(number) {
            now.plain -= std::mem::take(&mut held.plain);
            if let Some(value) = held.value.take() {
                now.shelves.give(value);
            }
            now.held.end(number);
        }
    }
}

impl Now {
    /// What a task takes as it starts.
    fn begin(&mut self, number: usize, task: &Task, pace: &Pace) {
        let held = self.held.begin(number);
        let needs = &pace.needs;
        let [stored, output] = needs.types;
        let mut take =
            |of: DataType, bytes: u64| (bytes > 0).then(|| self.shelves.take(of, bytes as usize));
        match task.work {
            Work::Read => {
                // Who reads a row may read the block that it lies in.
                let bytes = task.bytes.max(needs.apart);
                if needs.turned > 0 {
                    let cells = bytes / output.size().max(1) as u64;
                    held.raw = take(stored, cells * stored.size() as u64);
                } else if needs.apart > 0 {
                    held.raw = take(output, bytes);
                }
                // What is turned comes to be while the raw values are still there.
                if needs.apart == 0 {
                    held.value = take(output, bytes);
                }
                let cells = task.bytes / output.size().max(1) as u64;
                let whole = pace.whole_chunks(cells * stored.size() as u64);
                let whole = std::iter::repeat_n(pace.storage(), whole);
                let buffers = whole.chain([pace.stored()]);
                held.beside
                    .extend(buffers.filter_map(|bytes| take(DataType::U8, bytes)));
            }
            Work::Pole => {
                held.plain = task.bytes;
                held.beside.extend(take(output, needs.ring));
            }
            // What is gathered is no more than what it is gathered from.
            Work::Regrid => {
                held.value = take(output, task.bytes);
                held.mapped = needs.mapped;
                let copied = [needs.gathered, needs.side_by_side];
                let copied = copied.map(|bytes| take(output, bytes.min(task.input_bytes)));
                held.beside.extend(copied.into_iter().flatten());
                held.beside.extend(take(DataType::F64, needs.mixed));
            }
            Work::Compare => {
                held.plain = task.bytes;
                let [window, doubles @ ..] = needs.compared;
                held.beside
                    .extend(take(output, window.min(task.input_bytes)));
                let doubles = doubles.map(|bytes| take(DataType::F64, bytes));
                held.beside.extend(doubles.into_iter().flatten());
                held.mapped = needs.mapped;
            }
            Work::Write => {
                self.writing += 1;
                let chunk = task.input_bytes;
                let filled = if chunk < needs.chunk { needs.filled } else { 0 };
                let whole = chunk.max(filled);
                held.beside.extend(take(DataType::U8, filled));
                if pace.deflate > 0 {
                    held.beside.extend(take(DataType::U8, whole));
                    // What cannot be compressed is stored in blocks with heads.
                    let room = (whole + whole / 2000 + 64) as usize;
                    let used = pace.compressed(whole) as usize;
                    let stream = self.shelves.take_for(DataType::U8, room, used);
                    held.beside.push(stream);
                } else if self.writing > 1 {
                    // While another is stored, it leaves a copy.
                    held.beside.extend(take(DataType::U8, whole));
                }
            }
            Work::Other => held.plain = task.bytes,
        }
        self.plain += held.plain;
        self.mapped += held.mapped;
    }

    /// A chunk is made, and waits for its turn if there is room for that in memory.
    fn bring(&mut self, turn: u32, bytes: u64, most: u64) {
        if turn != self.next {
            let room = self.waiting + bytes <= most;
            let waits = room.then(|| self.shelves.take(DataType::U8, bytes as usize));
            self.waiting += waits.map_or(0, |waits| waits.bytes() as u64);
            self.early.insert(turn, waits);
            return;
        }
        self.next += 1;
        while let Some(waited) = self.early.remove(&self.next) {
            self.next += 1;
            if let Some(waited) = waited {
                self.waiting -= waited.bytes() as u64;
                self.shelves.give(waited);
            }
        }
    }
}
