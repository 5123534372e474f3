//! What the work comes to, before it is done.

use std::fmt;

use delayed::{Delayed, Graph, Run, Series};

use super::lazy::{LazyField, Reads};
use super::pace::Pace;
use super::rehearsal::Rehearsal;
use super::writing::{in_turn, reports, series, writing_of};
use crate::budget::Budget;
use crate::buffers::MOST_KEPT;
use crate::output::Write;
use crate::report::Report;

/// Chunks up to which a run is played through before it goes; of more that would take a while, and memory.
const FORESEEN: usize = 50_000;
/// Bytes of values that may be there, whoever is late.
const LITTLE: u64 = 4 << 20;

/// Regridding and writing in numbers, before anything is read; displays as a short table.
///
/// A run's [profile](delayed::Profile) shows the same: tasks, bytes read and written, [values](Self::values_bytes) alive, and
/// among its [counts](delayed::Report::counts) `storage chunks read`, `bytes of weights`, and `bytes stored`, which are those
/// written as they are compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// All tasks: reading, regridding, writing.
    pub tasks: usize,
    /// Tasks that read.
    pub read_tasks: usize,
    /// Storage chunks of the sources that they read; stretches of unchunked variables count as one each.
    pub storage_chunks: usize,
    /// Bytes to read, compressed as they are in the files; of sources that do not know that, the bytes of their values.
    pub read_bytes: u64,
    /// Bytes of the values in them.
    pub read_values_bytes: u64,
    /// Chunks to write.
    pub chunks: usize,
    /// Bytes of values to write, before any compression.
    pub write_bytes: u64,
    /// Bytes of weights.
    pub weights_bytes: u64,
    /// Bytes of these that are in a file, since the memory does not hold them.
    pub weights_in_file_bytes: u64,
    /// The most bytes of values that tasks hold at once.
    pub values_bytes: u64,
    /// The most memory that the work takes: values, weights, and what threads hold while they read, compress and write.
    pub memory_bytes: u64,
    /// The same as it is if threads happen to do what takes little, or much, at the same moment: two runs on several threads are never the
    /// same. On one thread both are [`memory_bytes`](Self::memory_bytes).
    pub memory_range: [u64; 2],
    /// The limit of memory.
    pub memory_limit: Option<u64>,
    /// The number of threads that it is planned for.
    pub threads: usize,
}

/// What the fields of one output come to together.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    budget: Budget,
    reads: Reads,
    chunks: usize,
    /// Tasks that make the chunks and write them.
    pub(super) tasks: usize,
    write_bytes: u64,
    /// By which level chunks are compressed.
    deflate: u8,
    /// Bytes of weights, those that fields share counted once, and of these in a file.
    weights: u64,
    in_file: u64,
    fields: Vec<LazyField>,
}

/// How much of each field is stored, as the files say, if they were asked.
type Stored<'s> = Option<&'s [Option<u64>]>;

impl Totals {
    pub(super) fn of(fields: &[LazyField]) -> Self {
        let nothing = Budget {
            memory: None,
            threads: 1,
        };
        let mut totals = Self {
            budget: fields.first().map_or(nothing, |field| field.needs.budget),
            reads: Reads::default(),
            chunks: 0,
            tasks: 0,
            write_bytes: 0,
            deflate: 1,
            weights: 0,
            in_file: 0,
            fields: fields.to_vec(),
        };
        let (mut counted, mut plans) = (Vec::new(), Vec::new());
        for field in fields {
            totals.reads.blocks += field.reads.blocks;
            totals.reads.storage_chunks += field.reads.storage_chunks;
            totals.reads.bytes += field.reads.bytes;
            totals.chunks += field.chunks.len();
            totals.tasks += field.tasks + field.chunks.len();
            let cell = field.data_type.size();
            let cells: usize = field.meta.shape().iter().product();
            totals.write_bytes += (cells * cell) as u64;
            let needs = &field.needs;
            if !counted.contains(&needs.digest) {
                totals.weights += needs.shared;
                totals.in_file += needs.in_file;
                counted.push(needs.digest);
            }
            if !plans.contains(&needs.plan) {
                totals.weights += needs.weights;
                plans.push(needs.plan);
            }
        }
        totals
    }

    /// Bytes of weights in memory.
    fn weights_in_memory(&self) -> u64 {
        self.weights - self.in_file
    }

    /// Bytes of buffers that are kept while nobody uses them: if the memory is not limited, those that all threads come to use, with a
    /// few values each, and no more.
    pub(super) fn kept_bytes(&self) -> usize {
        let all = || {
            // The blocks of a window go together, and come again one by one.
            let each = |pace: Pace| pace.buffers() + 3 * pace.needs.largest;
            let each = self.paces(None).map(each).max().unwrap_or(0);
            usize::try_from(each)
                .map_or(usize::MAX, |each| each.saturating_mul(self.budget.threads))
        };
        self.budget.kept_bytes().unwrap_or_else(all)
    }

    /// Bytes that are stored of each field, as the files say, which takes them a while.
    fn stored(&self) -> Vec<Option<u64>> {
        self.fields.iter().map(LazyField::stored_bytes).collect()
    }

    /// The pace of each field.
    fn paces<'s>(&'s self, stored: Stored<'s>) -> impl Iterator<Item = Pace> + 's {
        let fields = self.fields.iter().enumerate();
        fields.map(move |(f, field)| Pace::new(field, self.deflate, stored.map(|all| all[f])))
    }

    /// Bytes of weights, those that fields share counted once.
    pub(super) fn weights_bytes(&self) -> u64 {
        self.weights
    }

    /// The limit on values that tasks hold, if the memory is limited: no task alone is beyond it.
    pub(super) fn live(&self) -> Option<u64> {
        self.budget.memory?;
        let most = |of: fn(&Pace) -> u64| self.paces(None).map(|pace| of(&pace)).max().unwrap_or(0);
        let work = most(Pace::most_beside) * self.budget.threads as u64;
        // What waits to be written: chunks of one field are made nearly in their order, those of several are read in blocks of
        // different lengths.
        let waiting = match self.fields.len() > 1 && self.budget.threads > 1 {
            true => self.write_bytes.min(self.budget.waiting_bytes() as u64),
            false => 0,
        };
        let apart = self.weights_in_memory() + waiting + work + self.kept_bytes() as u64;
        let live = self.budget.live(apart)?;
        Some(live.max(self.largest()))
    }

    /// Bytes of the largest value that a task makes.
    fn largest(&self) -> u64 {
        let fields = self.fields.iter();
        fields.map(|field| field.needs.largest).max().unwrap_or(0)
    }

    /// A run within the memory that the requests allow; if they say nothing, within its own.
    ///
    /// With a limit, whichever, tasks that bring data in start in their order.
    fn within(&self, run: Run) -> Run {
        match self.live() {
            Some(live) => run.memory_limit(live),
            None => run.memory_limit_at_most(u64::MAX),
        }
    }

    /// The same, and no further than is foreseen of most runs: where a thread loses its core for a while, the others do not go far ahead
    /// of it.
    ///
    /// Not where that is little: to hold many small tasks back would take longer than they do. Says also how many bytes of buffers are
    /// enough, if that is foreseen.
    pub(super) fn as_foreseen(
        &self,
        run: Run,
        tasks: (&[Delayed<()>], &[Delayed<Report>]),
    ) -> (Run, Option<usize>) {
        let within = self.within(run.clone());
        let usual = || {
            // What filters there are is known at once; how small chunks are in the files is not, and matters little for how long tasks
            // take.
            let filters_alone = vec![None; self.fields.len()];
            let (rehearsal, usual) = self.rehearse(&within, tasks, Some(&filters_alone));
            Some((usual?, rehearsal.buffers()))
        };
        let few = tasks.0.len() <= FORESEEN;
        match few
            .then(usual)
            .flatten()
            .filter(|&(usual, _)| usual > LITTLE)
        {
            // What is there at once comes in pieces: it is near to the limit, rather than at it.
            Some((usual, buffers)) => {
                let run = within.memory_limit_at_most(usual + self.largest() / 2);
                (run, usize::try_from(buffers).ok())
            }
            None if self.budget.memory.is_some() => (within, None),
            None => (run, None),
        }
    }

    /// A run on paper, where so much of each field is stored; and what [`Run::rehearse`] says of it.
    fn rehearse(
        &self,
        run: &Run,
        tasks: (&[Delayed<()>], &[Delayed<Report>]),
        stored: Stored<'_>,
    ) -> (Rehearsal<'_>, Option<u64>) {
        let names = self.fields.iter().map(|field| &*field.meta.name);
        let waiting = self.budget.waiting_bytes() as u64;
        let paces = names.zip(self.paces(stored));
        let kept = self.kept_bytes().min(MOST_KEPT);
        let mut rehearsal = Rehearsal::new(paces, kept, waiting, self.in_file);
        let usual = run.rehearse(tasks, &mut rehearsal);
        (rehearsal, usual)
    }

    /// The run that is planned, on paper.
    fn rehearsed(
        &self,
        tasks: (&[Delayed<()>], &[Delayed<Report>]),
        stored: Stored<'_>,
    ) -> Rehearsal<'_> {
        let run = self.within(Run::new().threads(self.budget.threads));
        self.rehearse(&run, tasks, stored).0
    }

    /// Whether the tasks that write the fields keep to the memory that the requests allow.
    pub(super) fn fits(&self, tasks: (&[Delayed<()>], &[Delayed<Report>])) -> bool {
        let Some(memory) = self.budget.memory else {
            return true;
        };
        let fits =
            |stored| self.rehearsed(tasks, stored).memory() + self.weights_in_memory() <= memory;
        // Asking the files how small their chunks are takes longer than the rest.
        fits(None) || fits(Some(&self.stored()))
    }

    /// What so many tasks come to, the last of which write the fields.
    pub(super) fn explain(
        &self,
        (writes, reports): (&[Delayed<()>], &[Delayed<Report>]),
        tasks: usize,
    ) -> Explanation {
        let stored = self.stored();
        let all: Option<u64> = stored.iter().copied().sum();
        let rehearsed = self.rehearsed((writes, reports), Some(&stored));
        let weights = self.weights_in_memory();
        Explanation {
            tasks,
            read_tasks: self.reads.blocks,
            storage_chunks: self.reads.storage_chunks,
            read_bytes: all.unwrap_or(self.reads.bytes),
            read_values_bytes: self.reads.bytes,
            chunks: self.chunks,
            write_bytes: self.write_bytes,
            weights_bytes: self.weights,
            weights_in_file_bytes: self.in_file,
            values_bytes: rehearsed.values(),
            memory_bytes: rehearsed.memory() + weights,
            memory_range: rehearsed.memory_range().map(|bytes| bytes + weights),
            memory_limit: self.budget.memory,
            threads: self.budget.threads,
        }
    }
}

impl Explanation {
    /// What fields come to when they are written, compressed.
    pub fn of(fields: &[LazyField]) -> Self {
        explained(&Totals::of(fields), fields)
    }

    /// The graph of the tasks, as it will be when the fields are written.
    pub fn graph(fields: &[LazyField]) -> Graph {
        Graph::of((writes(fields), reports(fields)))
    }
}

impl Write {
    /// What fields come to when they are written so; touches nothing.
    pub fn explain(&self, fields: &[LazyField]) -> Explanation {
        explained(&self.totals(fields), fields)
    }

    pub(super) fn totals(&self, fields: &[LazyField]) -> Totals {
        Totals {
            deflate: self.deflate,
            ..Totals::of(fields)
        }
    }
}

fn explained(totals: &Totals, fields: &[LazyField]) -> Explanation {
    totals.explain((&writes(fields), &reports(fields)), totals.tasks)
}

/// Tasks in the place of those that will write the fields.
fn writes(fields: &[LazyField]) -> Vec<Delayed<()>> {
    let writing: Vec<Series> = fields.iter().map(|field| series(field, "write")).collect();
    let write = |(f, c): (usize, usize)| writing_of(&writing[f], &fields[f], c, |_| Ok(()));
    in_turn(fields).map(write).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} tasks on {} threads", self.tasks, self.threads)?;
        writeln!(
            f,
            "read {} bytes in {} storage chunks ({} bytes of values)",
            self.read_bytes, self.storage_chunks, self.read_values_bytes
        )?;
        writeln!(
            f,
            "write {} bytes of values in {} chunks",
            self.write_bytes, self.chunks
        )?;
        write!(f, "weights {} bytes", self.weights_bytes)?;
        match self.weights_in_file_bytes {
            0 => writeln!(f)?,
            bytes => writeln!(f, ", {bytes} of them in a file")?,
        }
        write!(
            f,
            "memory {} bytes, {} of them values",
            self.memory_bytes, self.values_bytes
        )?;
        let [least, most] = self.memory_range;
        if least < most {
            write!(f, ", from {least} to {most} as threads meet")?;
        }
        match self.memory_limit {
            Some(limit) => writeln!(f, ", within {limit}"),
            None => writeln!(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, Grid, Request};

    #[test]
    fn a_run_goes_no_further_than_is_foreseen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.nc");
        let mut file = netcdf::create(&path).unwrap();
        let axes = [
            ("time", 60, "days since 2000-01-01", 0.0),
            ("lat", 240, "degrees_north", -89.625),
            ("lon", 480, "degrees_east", 0.0),
        ];
        for (name, len, units, first) in axes {
            file.add_dimension(name, len).unwrap();
            let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
            axis.put_attribute("units", units).unwrap();
            let values: Vec<f64> = (0..len).map(|i| first + 0.75 * i as f64).collect();
            axis.put_values(&values, ..).unwrap();
        }
        let mut field = file
            .add_variable::<f32>("t", &["time", "lat", "lon"])
            .unwrap();
        field.set_chunking(&[1, 240, 480]).unwrap();
        drop(file);
        let files = Catalogue::open([&path]).unwrap();
        // Says which limit a run has in the end, and how many bytes of buffers it has enough of.
        let limit = |request: Request, run: Run| {
            let fields = request.build(&files).unwrap();
            let totals = Totals::of(&fields);
            let (run, buffers) = totals.as_foreseen(run, (&writes(&fields), &[]));
            let said = format!("{run:?}");
            let limit = said.split_once("memory_limit: Some(");
            let limit = limit.map(|(_, bytes)| bytes.split(')').next().unwrap().parse().unwrap());
            ((limit, buffers), Explanation::of(&fields), totals.largest())
        };
        let on = |threads: usize| Request::new(&Grid::global(3.0).unwrap()).threads(threads);
        let run = Run::new().threads(2);
        let ((usual, buffers), explained, largest) = limit(on(2), run.clone());
        let values = explained.values_bytes;
        let [least, most] = explained.memory_range;
        assert!(values <= least && (least..=most).contains(&explained.memory_bytes));
        let usual: u64 = usual.unwrap();
        let of_memory = explained.memory_bytes / 2..=explained.memory_bytes * 2;
        assert!(of_memory.contains(&(buffers.unwrap() as u64)));
        assert!((values..=values + 2 * largest).contains(&usual));
        // A limit that the run has already holds, and so does that of a request.
        let own = largest + 1;
        assert_eq!(limit(on(2), run.clone().memory_limit(own)).0.0, Some(own));
        let ((within, _), explained, _) = limit(on(2).memory(4_000_000), run.clone());
        assert!(within.unwrap() < usual && explained.memory_limit == Some(4_000_000));
        // Nothing is held back where there is little of it, nor on one thread, which does one after another.
        let day = "2000-01-01".parse().unwrap();
        assert_eq!(limit(on(2).times(day).chunk(2, 2), run).0, (None, None));
        let (nothing, explained, _) = limit(on(1), Run::new().threads(1));
        assert_eq!(nothing, (None, None));
        assert_eq!(explained.memory_range, [explained.memory_bytes; 2]);
    }
}
