//! The plan of a run in words: what is read, regridded and written, before anything is.

use delayed::Resident;
use regrid::{Catalogue, Edges, Explanation, Grid, LazyField, Method, Weights};

use crate::amount::{bytes, count};
use crate::args::{Job, Then};
use crate::room;
use crate::rows::Rows;

/// All that a plan tells of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) job: &'a Job,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) target: &'a Grid,
    pub(crate) weights: Option<&'a Weights>,
    pub(crate) fields: &'a [LazyField],
    pub(crate) edges: Edges,
    pub(crate) tasks: usize,
    pub(crate) threads: usize,
    /// What is known only if it is asked for.
    pub(crate) explanation: Option<Explanation>,
    /// Whether a run keeps to the limit of memory.
    pub(crate) fits_memory: bool,
    /// Chunks that an interrupted run finished.
    pub(crate) finished: usize,
}

impl Plan<'_> {
    /// The plan, line by line.
    pub(crate) fn text(&self) -> String {
        let mut rows = Rows::default();
        rows.add("source", self.source());
        for grid in self.source_grids() {
            rows.add("source", grid);
        }
        rows.add("target", self.target.to_string());
        rows.add("method", self.method());
        self.add_fields(&mut rows);
        self.add_work(&mut rows);
        for note in self.notes() {
            rows.add("note", note);
        }
        rows.text(0)
    }

    /// The files: the only one, or the first and the number.
    fn source(&self) -> String {
        match self.catalogue.files() {
            [] => "no file".into(),
            [file] => file.path().display().to_string(),
            [first, .., last] => format!(
                "{}: {} to {}",
                count(self.catalogue.files().len(), "file"),
                first.path().display(),
                last.path().display()
            ),
        }
    }

    /// The grids that the fields come from.
    fn source_grids(&self) -> Vec<String> {
        let mut grids: Vec<String> = Vec::new();
        for field in self.fields {
            if let Ok(variable) = self.catalogue.variable(&field.meta().name) {
                let grid = variable.grid().to_string();
                if !grids.contains(&grid) {
                    grids.push(grid);
                }
            }
        }
        grids
    }

    fn method(&self) -> String {
        let job = self.job;
        let asked = job.method.map(Method::name);
        let mut text = match (self.weights, &job.weights) {
            (Some(weights), Some(path)) => {
                let method = asked.or_else(|| weights.stated()).unwrap_or("not stated");
                format!("{method}, by the weights in {}", path.display())
            }
            _ => format!(
                "{}, outside {}, pole {}",
                asked.unwrap_or(Method::default().name()),
                self.edges.outside.name(),
                self.edges.pole.name()
            ),
        };
        if let Some(fill) = job.fill {
            text += &format!(", fill {fill}");
        }
        if let Some(share) = job.min_valid {
            text += &format!(", min valid {share}");
        }
        if let Some(compat) = job.compat {
            text += &format!(", compatible with {}", compat.name());
        }
        if job.times != regrid::time::TimeSelection::All {
            text += &format!(", times {}", job.time_method.name());
        }
        text
    }

    /// The fields as they will be, their dimensions in columns.
    fn add_fields(&self, rows: &mut Rows) {
        let name_width = self.fields.iter().map(|f| f.meta().name.chars().count());
        let name_width = name_width.max().unwrap_or(0);
        let type_width = self.fields.iter().map(|f| f.data_type().name().len());
        let type_width = type_width.max().unwrap_or(0);
        for field in self.fields {
            let dimensions: Vec<String> = field
                .meta()
                .dimensions
                .iter()
                .map(|d| format!("{} {}", d.name, d.len))
                .collect();
            rows.add(
                "fields",
                format!(
                    "{:name_width$}  {:type_width$}  {}",
                    field.meta().name,
                    field.data_type().name(),
                    dimensions.join(", ")
                ),
            );
        }
    }

    fn add_work(&self, rows: &mut Rows) {
        let reads = self.fields.iter().map(LazyField::reads);
        let (chunks, read) = reads.fold((0, 0), |(chunks, read), r| {
            (chunks + r.storage_chunks, read + r.bytes)
        });
        rows.add(
            "read",
            match &self.explanation {
                Some(known) if known.read_bytes != read => format!(
                    "{}, {} of values in {} of files",
                    count(chunks, "storage chunk"),
                    bytes(read),
                    bytes(known.read_bytes)
                ),
                _ => format!("{}, {}", count(chunks, "storage chunk"), bytes(read)),
            },
        );
        let written: usize = self.fields.iter().map(|f| f.chunks().len()).sum();
        let compressed = match self.job.deflate {
            0 => String::new(),
            level => format!(" before deflate {level}"),
        };
        rows.add(
            "write",
            format!(
                "{}, {}{compressed}",
                count(written, "chunk"),
                bytes(self.written_bytes())
            ),
        );
        if self.finished > 0 {
            let text = format!("{} of an interrupted run", count(self.finished, "chunk"));
            rows.add("resume", text);
        }
        rows.add(
            "work",
            format!(
                "{} on {}",
                count(self.tasks, "task"),
                count(self.threads, "thread")
            ),
        );
        if let Some(known) = &self.explanation {
            let in_file = match known.weights_in_file_bytes {
                0 => String::new(),
                some => format!(", {} of them in a file", bytes(some)),
            };
            rows.add("weights", bytes(known.weights_bytes) + &in_file);
            let limit = match known.memory_limit {
                Some(limit) => format!(" (the limit is {})", bytes(limit)),
                None => String::new(),
            };
            rows.add(
                "memory",
                format!(
                    "{} at its peak, {} of it values{limit}",
                    bytes(known.memory_bytes),
                    bytes(known.values_bytes)
                ),
            );
            if let Some(resident) = Resident::of_process() {
                let with_program = |work| peak(known, work, resident);
                let range = known.memory_range.map(|work| bytes(with_program(work)));
                let range = match range {
                    [least, most] if least == most => String::new(),
                    [least, most] => format!(" ({least} to {most} as threads meet)"),
                };
                let all = bytes(with_program(known.memory_bytes));
                rows.add(
                    "",
                    format!("{all} with the program and its planning{range}"),
                );
            }
        }
    }

    /// Bytes of values that the output takes, before any compression.
    fn written_bytes(&self) -> u64 {
        let size = |field: &LazyField| {
            let cells: usize = field.meta().shape().iter().product();
            (cells * field.data_type().size()) as u64
        };
        self.fields.iter().map(size).sum()
    }

    /// What the user should know: room that lacks, variables that are left out, and what the library noticed.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let fits = match &self.explanation {
            Some(known) => known
                .memory_limit
                .is_none_or(|limit| known.memory_bytes <= limit),
            None => self.fits_memory,
        };
        if !fits {
            notes.push("the work does not fit into the limit: storage chunks that must be there together take more".to_owned());
        }
        let output = match &self.job.then {
            Then::Write(output) => Some(output),
            Then::Explain(output) => output.as_ref(),
        };
        // What an interrupted run finished is there already.
        if let Some(output) = output.filter(|_| self.finished == 0) {
            notes.extend(room::note(output, self.written_bytes(), self.job.deflate));
        }
        if self.job.variables.is_empty() {
            for left_out in self.catalogue.unsupported() {
                notes.push(format!(
                    "{} in {} is left out: {}",
                    left_out.name,
                    left_out.path.display(),
                    left_out.reason
                ));
            }
        }
        let noticed = self.fields.iter().flat_map(LazyField::notes);
        for note in self.catalogue.notes().iter().chain(noticed) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        notes
    }
}

/// What writing takes beside the chunks in work: the library's own tables and buffers, and the allocator's slack; and each thread for
/// its stack, the tables of its compressor, and its share of the heap.
const WRITING: u64 = 1 << 20;
const EACH_THREAD: u64 = 320 << 10;

/// The most bytes that the process will have in memory, if its work has so many.
///
/// Planning has been done as a run does it, weights and all, so that its most is what was measured. A run then adds what its
/// work takes to what there is now; the weights are there already.
fn peak(known: &Explanation, work: u64, resident: Resident) -> u64 {
    let weights = known.weights_bytes - known.weights_in_file_bytes;
    let work = work.saturating_sub(weights);
    let beside = WRITING + EACH_THREAD * known.threads as u64;
    resident.most.max(resident.now).max(resident.now + work) + beside
}
