//! What the work comes to, before it is done.

use std::fmt;

use delayed::{Delayed, ExpectedPeak, ExpectedWork, Graph, Run, Series};

use super::lazy::{LazyField, Needs, Reads};
use super::pace::{Pace, Undoing};
use super::writing::{in_turn, reports, series, writing_of};
use crate::budget::Budget;
use crate::output::Write;
use crate::report::Report;

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
    /// The limit of memory.
    pub memory_limit: Option<u64>,
    /// The number of threads that it is planned for.
    pub threads: usize,
}

/// What the fields of one output come to together.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    reads: Reads,
    chunks: usize,
    /// Tasks that make the chunks and write them.
    pub(super) tasks: usize,
    write_bytes: u64,
    /// By which level chunks are compressed.
    deflate: u8,
    needs: Option<Needs>,
    /// To ask how much is stored of them.
    fields: Vec<LazyField>,
}

/// Which part of its values' bytes a storage chunk is taken to have in a file that was not asked: as one that is hardly compressed.
const HARDLY_COMPRESSED: f64 = 0.99;

impl Totals {
    pub(super) fn of(fields: &[LazyField]) -> Self {
        let mut totals = Self {
            reads: Reads::default(),
            chunks: 0,
            tasks: 0,
            write_bytes: 0,
            deflate: 1,
            needs: None,
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
            let mut more = field.needs;
            match counted.contains(&more.digest) {
                true => (more.shared, more.in_file) = (0, 0),
                false => counted.push(more.digest),
            }
            match plans.contains(&more.plan) {
                true => more.weights = 0,
                false => plans.push(more.plan),
            }
            totals.needs = Some(totals.needs.map_or(more, |needs| Needs {
                budget: needs.budget,
                digest: needs.digest,
                plan: needs.plan,
                weights: needs.weights + more.weights,
                shared: needs.shared + more.shared,
                in_file: needs.in_file + more.in_file,
                mapped: needs.mapped.max(more.mapped),
                gathered: needs.gathered.max(more.gathered),
                mixed: needs.mixed.max(more.mixed),
                filled: needs.filled.max(more.filled),
                chunk: needs.chunk.max(more.chunk),
                compared: needs.compared.max(more.compared),
                apart: needs.apart.max(more.apart),
                turned: needs.turned.max(more.turned),
                storage: needs.storage.max(more.storage),
                in_parts: needs.in_parts || more.in_parts,
                largest: needs.largest.max(more.largest),
            }));
        }
        totals
    }

    pub(super) fn budget(&self) -> Budget {
        self.needs.map_or(
            Budget {
                memory: None,
                threads: 1,
            },
            |needs| needs.budget,
        )
    }

    /// What is neither values nor the work of threads: weights in memory, and what waits to be written.
    fn apart(&self) -> u64 {
        self.weights_bytes() - self.in_file() + self.waiting()
    }

    /// Bytes of weights in a file.
    fn in_file(&self) -> u64 {
        self.needs.map_or(0, |needs| needs.in_file)
    }

    /// Bytes of buffers that are kept while nobody uses them, if the memory is limited.
    fn kept(&self) -> Option<u64> {
        self.budget().kept_bytes().map(|kept| kept as u64)
    }

    /// The same in any case: else those that all threads come to use, with a few values each, and no more.
    pub(super) fn kept_bytes(&self) -> usize {
        let all = || {
            let pace = self.pace(self.undoing_at_most())?;
            // The blocks of a window go together, and come again one by one.
            let each = pace.buffers() + 3 * pace.needs.largest;
            usize::try_from(each)
                .ok()?
                .checked_mul(self.budget().threads)
        };
        self.budget()
            .kept_bytes()
            .unwrap_or_else(|| all().unwrap_or(0))
    }

    /// All memory, where values and the work of threads have this peak.
    fn memory(&self, peak: ExpectedPeak, undoing: Undoing) -> u64 {
        let threads = self.budget().threads as u64;
        let buffers = self.pace(undoing).map_or(0, Pace::with_buffers) * threads;
        // Either every thread has come to use all its buffers, and they are still there; or no more of them than are kept, some of
        // which are in use again when the most is alive.
        let all_there = peak.with_work.max(peak.values + buffers);
        let work = match self.kept() {
            Some(kept) => all_there.min(peak.with_work + kept / 2),
            None => all_there,
        };
        work + self.apart()
    }

    /// What reading takes where no file was asked: chunks have filters then, one buffer between them, and are hardly compressed.
    fn undoing_at_most(&self) -> Undoing {
        let fields = self.fields.iter();
        Undoing::of(fields.map(|field| (field, Some((1, HARDLY_COMPRESSED)))))
    }

    /// The same as the files say, where so many bytes of each field are stored.
    fn undoing_as_stored(&self, stored: &[Option<u64>]) -> Undoing {
        Undoing::of(self.fields.iter().zip(stored).map(|(field, stored)| {
            let part = |stored| stored as f64 / field.reads.bytes.max(1) as f64;
            let part = stored.map_or(HARDLY_COMPRESSED, part);
            (field, field.filter_buffers().map(|buffers| (buffers, part)))
        }))
    }

    /// Bytes that are stored of each field, as the files say, which takes them a while.
    fn stored(&self) -> Vec<Option<u64>> {
        self.fields.iter().map(LazyField::stored_bytes).collect()
    }

    /// The pace of a run in which threads hold that while they read.
    fn pace(&self, undoing: Undoing) -> Option<Pace> {
        Some(Pace {
            needs: self.needs?,
            undoing,
            cell_by_cell: self.fields.iter().any(LazyField::is_cell_by_cell),
            deflate: self.deflate,
        })
    }

    /// Bytes of weights, those that fields share counted once.
    pub(super) fn weights_bytes(&self) -> u64 {
        self.needs.map_or(0, |needs| needs.weights + needs.shared)
    }

    /// Compressed chunks that wait to be written at the most. One thread makes them in their order, and several nearly so if
    /// there is one field; those of several fields are read in blocks of different lengths.
    fn waiting(&self) -> u64 {
        let budget = self.budget();
        match self.fields.len() > 1 && budget.threads > 1 {
            true => self.write_bytes.min(budget.waiting_bytes() as u64),
            false => 0,
        }
    }

    /// The limit on values that tasks hold, if the memory is limited: no task alone is beyond it.
    pub(super) fn live(&self) -> Option<u64> {
        let pace = self.pace(self.undoing_at_most())?;
        let work = pace.most_beside() * self.budget().threads as u64;
        let live = (self.budget()).live(self.apart() + work + self.kept().unwrap_or(0))?;
        Some(live.max(pace.needs.largest))
    }

    /// The most bytes that tasks hold at once, where threads hold that of storage chunks while they read.
    fn peak(&self, tasks: (&[Delayed<()>], &[Delayed<Report>]), undoing: Undoing) -> ExpectedPeak {
        let mut run = Run::new().threads(self.budget().threads);
        if let Some(live) = self.live() {
            run = run.memory_limit(live);
        }
        let pace = self.pace(undoing);
        run.expected_peak_by(tasks, |task| match pace {
            Some(pace) => pace.of(task),
            None => ExpectedWork::default(),
        })
    }

    /// Whether the tasks that write the fields keep to the memory that the requests allow.
    pub(super) fn fits(&self, tasks: (&[Delayed<()>], &[Delayed<Report>])) -> bool {
        let Some(memory) = self.budget().memory else {
            return true;
        };
        let fits = |undoing| self.memory(self.peak(tasks, undoing), undoing) <= memory;
        // Asking the files how small their chunks are takes longer than the rest.
        fits(self.undoing_at_most()) || fits(self.undoing_as_stored(&self.stored()))
    }

    /// What so many tasks come to, the last of which write the fields.
    pub(super) fn explain(
        &self,
        (writes, reports): (&[Delayed<()>], &[Delayed<Report>]),
        tasks: usize,
    ) -> Explanation {
        let budget = self.budget();
        let stored = self.stored();
        let all: Option<u64> = stored.iter().copied().sum();
        let read_bytes = all.unwrap_or(self.reads.bytes);
        let undoing = self.undoing_as_stored(&stored);
        let peak = self.peak((writes, reports), undoing);
        Explanation {
            tasks,
            read_tasks: self.reads.blocks,
            storage_chunks: self.reads.storage_chunks,
            read_bytes,
            read_values_bytes: self.reads.bytes,
            chunks: self.chunks,
            write_bytes: self.write_bytes,
            weights_bytes: self.weights_bytes(),
            weights_in_file_bytes: self.in_file(),
            values_bytes: peak.values,
            memory_bytes: self.memory(peak, undoing),
            memory_limit: budget.memory,
            threads: budget.threads,
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
        match self.memory_limit {
            Some(limit) => writeln!(f, ", within {limit}"),
            None => writeln!(f),
        }
    }
}
