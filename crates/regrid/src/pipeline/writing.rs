//! Write tasks, and the run that ends with a complete file.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use delayed::{Delayed, Graph, Run, Series};

use super::explain::{Explanation, Totals};
use super::lazy::LazyField;
use crate::attempt::Record;
use crate::attribute::AttributeValue;
use crate::buffers::{self, Less};
use crate::chunk::Region;
use crate::error::Error;
use crate::output::{Chunk, Output, Write};
use crate::report::{Report, Tally};
use crate::values::Values;

/// The writing of fields, planned and ready to run.
#[derive(Debug)]
pub struct PlannedWrite {
    output: Arc<Output>,
    tasks: Vec<Delayed<()>>,
    reports: Vec<Delayed<Report>>,
    max_error: Option<f64>,
    /// Chunks that an earlier attempt finished, and the tasks that make them if they are not there after all.
    finished: Vec<(Delayed<bool>, Delayed<()>)>,
    totals: Totals,
}

impl Write {
    /// Makes the output under a temporary name, and a task that writes each chunk as soon as it is computed.
    ///
    /// # Errors
    /// [`Error::Nothing`] without fields, [`Error::OutputExists`], [`Error::OutputIsInput`], [`Error::OutputBusy`],
    /// [`Error::AlreadyComplete`], [`Error::OtherLeftovers`], [`Error::File`] and [`Error::Netcdf`] where the file cannot be made;
    /// [`Error::NoIntegral`] if errors are to be judged that no report tells of.
    pub fn plan(self, fields: &[LazyField]) -> Result<PlannedWrite, Error> {
        let max_error = self.max_error;
        let refused = |field: &LazyField| match (&field.report, field.has_integral) {
            (None, _) => Some("the request asks for no report"),
            (Some(_), false) => Some("its cells have no area, or its values are sums or counts"),
            (Some(_), true) => None,
        };
        if max_error.is_some() {
            for field in fields {
                if let Some(reason) = refused(field) {
                    return Err(Error::NoIntegral {
                        variable: field.meta.name.clone(),
                        reason,
                    });
                }
            }
        }
        let totals = self.totals(fields);
        let output = Arc::new(Output::create(self, fields)?);
        let known = output.finished();
        let series_of = |step| -> Vec<Series> {
            let all = fields.iter().map(|field| series(field, step));
            all.collect()
        };
        let (writing, taking_over) = (series_of("write"), series_of("take over"));
        let written: Vec<Arc<WrittenField>> = (fields.iter().enumerate())
            .map(|(f, field)| Arc::new(WrittenField::new(&output, f, field)))
            .collect();
        let (mut tasks, mut finished) = (Vec::new(), Vec::new());
        for (turn, (f, c)) in in_turn(fields).enumerate() {
            let own = written[f].clone();
            let task = writing_of(&writing[f], &fields[f], c, move |values| {
                own.write((c, turn), values)
            });
            match known.get(&(f, written[f].number(c))) {
                None => tasks.push(task),
                Some(&record) => {
                    let own = written[f].clone();
                    let taken = move || own.take_over((c, turn), &record);
                    finished.push((taking_over[f].try_delayed(c, taken), task));
                }
            }
        }
        Ok(PlannedWrite {
            output,
            tasks,
            reports: reports(fields),
            max_error,
            finished,
            totals,
        })
    }
}

/// What the tasks that write one field share.
struct WrittenField {
    output: Arc<Output>,
    /// Its place among those of the output.
    field: usize,
    fill: AttributeValue,
    chunks: Arc<[(Region, Delayed<Values>)]>,
    shape: Vec<usize>,
    chunk_shape: Vec<usize>,
}

impl WrittenField {
    fn new(output: &Arc<Output>, place: usize, field: &LazyField) -> Self {
        Self {
            output: output.clone(),
            field: place,
            fill: field.meta.fill_value.clone(),
            chunks: field.chunks.clone(),
            shape: field.meta.shape(),
            chunk_shape: field.chunk_shape.clone(),
        }
    }

    /// A chunk's number in the file, by its place among the field's.
    ///
    /// The place tells when a chunk is made. That depends on what is read together, and so on the memory, the threads and whether
    /// there is a report; the number depends on the shapes of the field and of its chunks alone.
    fn number(&self, chunk: usize) -> u64 {
        let region = &self.chunks[chunk].0;
        region.chunk_number(&self.shape, &self.chunk_shape)
    }

    /// A chunk, by its place among the field's and its turn.
    fn chunk(&self, (chunk, turn): (usize, usize)) -> Chunk {
        Chunk {
            field: self.field,
            number: self.number(chunk),
            region: self.chunks[chunk].0.clone(),
            turn,
        }
    }

    fn write(&self, place: (usize, usize), values: Values) -> Result<(), Error> {
        let bytes = values.len() * values.data_type().size();
        let stored = self.output.put(self.chunk(place), values, &self.fill)?;
        delayed::count_written(bytes as u64);
        delayed::count("bytes stored", stored as u64);
        Ok(())
    }

    /// Says whether the chunk is there, as an earlier attempt left it.
    fn take_over(&self, place: (usize, usize), record: &Record) -> Result<bool, Error> {
        self.output.take_over(self.chunk(place), record)
    }
}

/// Fields and their chunks as they are written: side by side, since chunks at the same times lie in the same files, which are
/// then open once for all.
pub(super) fn in_turn(fields: &[LazyField]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let most = fields.iter().map(|field| field.chunks.len()).max();
    (0..most.unwrap_or(0)).flat_map(move |c| {
        let has = move |f: &usize| c < fields[*f].chunks.len();
        (0..fields.len()).filter(has).map(move |f| (f, c))
    })
}

/// A task of a [series] that takes a chunk over and writes it; after it was compared with its source, if there is a report,
/// so that it need not be kept for that.
pub(super) fn writing_of(
    series: &Series,
    field: &LazyField,
    chunk: usize,
    write: impl Fn(Values) -> Result<(), Error> + Send + Sync + 'static,
) -> Delayed<()> {
    let values = delayed::own(&field.chunks[chunk].1);
    match &field.report {
        None => series.try_apply(chunk, values, write),
        Some(report) => {
            let inputs = (values, &report.tallies[chunk]);
            series.try_apply(chunk, inputs, move |(values, _): (Values, &Tally)| {
                write(values)
            })
        }
    }
}

/// The reports on fields, of those that have one.
pub(super) fn reports(fields: &[LazyField]) -> Vec<Delayed<Report>> {
    let reports = fields.iter().filter_map(|field| field.report().cloned());
    reports.collect()
}

/// The tasks of one step of writing a field, by the places of its chunks.
pub(super) fn series(field: &LazyField, step: &'static str) -> Series {
    let (name, chunks) = (field.meta.name.clone(), field.chunks.clone());
    let group = name.clone();
    let series = Series::new(move |chunk, f| write!(f, "{step} {name} {}", chunks[chunk].0));
    series.group(group).step(step)
}

impl PlannedWrite {
    /// The graph of all tasks; chunks that an earlier attempt finished have none.
    ///
    /// # Errors
    /// [`Error::Run`] if the graph cannot be made.
    pub fn graph(&self) -> Result<Graph, Error> {
        Ok(Graph::of((self.tasks.clone(), self.reports.clone())))
    }

    /// The number of tasks in it, without making it where that is not needed: it takes as long as all planning.
    ///
    /// # Errors
    /// As [`graph`](Self::graph).
    pub fn tasks(&self) -> Result<usize, Error> {
        Ok(self.count())
    }

    fn count(&self) -> usize {
        match self.finished.is_empty() {
            true => self.totals.tasks,
            false => Graph::of((self.tasks.clone(), self.reports.clone())).tasks(),
        }
    }

    /// How many chunks an earlier attempt finished.
    pub fn finished(&self) -> usize {
        self.finished.len()
    }

    /// What the work comes to.
    pub fn explain(&self) -> Explanation {
        let tasks = (&*self.tasks, &*self.reports);
        self.totals.explain(tasks, self.count())
    }

    /// Whether the work keeps to the memory that the request [allows](crate::Request::memory): if not, some storage chunk, or
    /// those that must be there together, take more, and the work takes it. Plays the run through, some microseconds a task.
    pub fn fits_memory(&self) -> bool {
        self.totals.fits((&self.tasks, &self.reports))
    }

    /// Where the output is until it is complete.
    pub fn temporary_path(&self) -> PathBuf {
        self.output.part()
    }

    /// The files that are to be removed if the process ends before its time; none if the next one is to find them.
    pub fn temporary_paths(&self) -> Vec<PathBuf> {
        self.output.temporary_paths()
    }

    /// Runs the tasks; then the output appears under its name, complete.
    ///
    /// If the [request](crate::Request::memory) states how much memory the work may take, that is the run's limit.
    ///
    /// # Errors
    /// [`Error::Run`] for what a task met; [`Error::Netcdf`] and [`Error::File`] if the output cannot be finished. In either
    /// case nothing is left behind, unless the next attempt is to [resume](Write::resume).
    pub fn run(self, run: &Run) -> Result<(), Error> {
        self.run_and_report(run, |_| ()).map(drop)
    }

    /// The same, with the reports that the fields' request asked for: in the order of the fields, handed to `see` before
    /// their errors are judged.
    ///
    /// # Errors
    /// As [`PlannedWrite::run`]; [`Error::Conservation`] where a [largest error](Write::max_error) is exceeded.
    pub fn run_and_report(
        self,
        run: &Run,
        see: impl FnOnce(&[Report]),
    ) -> Result<Vec<Report>, Error> {
        let (reports, output) = self.complete(run, see)?;
        output.appear()?;
        Ok(reports)
    }

    /// Runs the tasks and completes the file, which keeps its temporary name until [`CompleteOutput::appear`].
    ///
    /// # Errors
    /// As [`PlannedWrite::run_and_report`].
    pub fn complete(
        self,
        run: &Run,
        see: impl FnOnce(&[Report]),
    ) -> Result<(Vec<Report>, CompleteOutput), Error> {
        let mut kept = Less::than(self.totals.kept_bytes());
        let run = &run
            .clone()
            .note("bytes of weights", self.totals.weights_bytes());
        let mut tasks = self.tasks;
        if !self.finished.is_empty() {
            let (taken, made): (Vec<_>, Vec<_>) = self.finished.into_iter().unzip();
            let taken = run.compute(&taken)?;
            let lost = made.into_iter().zip(taken).filter(|(_, taken)| !taken);
            tasks.extend(lost.map(|(task, _)| task));
        }
        let mut reports = Vec::new();
        if !tasks.is_empty() || !self.reports.is_empty() {
            let (run, enough) = self
                .totals
                .as_foreseen(run.clone(), (&tasks, &self.reports));
            if let Some(enough) = enough {
                kept.enough(enough);
            }
            (_, reports) = run.compute((&tasks, &self.reports))?;
        }
        see(&reports);
        if let Some(most) = self.max_error {
            reports.iter().try_for_each(|report| judge(report, most))?;
        }
        // The disk takes its time; what is freed meanwhile need not be freed after it.
        let done = (tasks, self.reports);
        let freed = move || {
            drop(done);
            buffers::clear();
        };
        thread::scope(|scope| {
            // Where no thread is to be had, it is freed here, as what was not run is dropped.
            let _ = thread::Builder::new().spawn_scoped(scope, freed);
            self.output.finish()
        })?;
        Ok((reports, CompleteOutput(self.output)))
    }
}

/// An output that is complete, under its temporary name still; dropped, it is as if the run had failed.
#[derive(Debug)]
pub struct CompleteOutput(Arc<Output>);

impl CompleteOutput {
    /// The files that are not to outlive the process, as [of the plan](PlannedWrite::temporary_paths), until it appears.
    pub fn temporary_paths(&self) -> Vec<PathBuf> {
        self.0.temporary_paths()
    }

    /// Gives the output its name.
    ///
    /// # Errors
    /// [`Error::OutputExists`] if something has taken the name meanwhile; [`Error::File`].
    pub fn appear(self) -> Result<(), Error> {
        self.0.appear()
    }
}

/// Refuses an integral that is kept less well than it has to be; no number is not well.
fn judge(report: &Report, most: f64) -> Result<(), Error> {
    let error = report.integral.map(|integral| integral.relative_error());
    match error {
        Some(error) if error.is_nan() || error > most => Err(Error::Conservation {
            variable: report.variable.clone(),
            error,
            most,
        }),
        _ => Ok(()),
    }
}

/// Writes fields into one new netCDF-4 file, chunk by chunk, in parallel, with little memory.
///
/// [`Write`] has options.
///
/// # Errors
/// As [`Write::plan`] and [`PlannedWrite::run`].
pub fn write(path: impl Into<PathBuf>, fields: &[LazyField]) -> Result<(), Error> {
    Write::new(path).plan(fields)?.run(&Run::new())
}
