//! Write tasks, and the run that ends with a complete file.

use std::path::PathBuf;
use std::sync::Arc;

use delayed::{Delayed, Graph, Run};

use super::lazy::LazyField;
use crate::error::Error;
use crate::output::{Output, Write};
use crate::report::Report;
use crate::values::Values;

/// The writing of fields, planned and ready to run.
#[derive(Debug)]
pub struct PlannedWrite {
    output: Arc<Output>,
    tasks: Vec<Delayed<()>>,
    reports: Vec<Delayed<Report>>,
    max_error: Option<f64>,
}

impl Write {
    /// Makes the output under a temporary name, and a task that writes each chunk as soon as it is computed.
    ///
    /// # Errors
    /// [`Error::Nothing`] without fields, [`Error::OutputExists`], [`Error::OutputIsInput`], [`Error::File`] and
    /// [`Error::Netcdf`] where the file cannot be made; [`Error::NoIntegral`] if errors are to be judged
    /// that no report tells of.
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
        let output = Arc::new(Output::create(self, fields)?);
        let mut tasks = Vec::new();
        // Fields side by side: their chunks at the same times lie in the same files, which are then open once for all.
        let most = fields.iter().map(|field| field.chunks.len()).max();
        for index in 0..most.unwrap_or(0) {
            for (field, name) in fields.iter().zip(output.names()) {
                let Some((region, chunk)) = field.chunks.get(index) else {
                    continue;
                };
                let (output, place, name, fill) = (
                    output.clone(),
                    region.clone(),
                    name.clone(),
                    field.meta.fill_value.clone(),
                );
                let task = chunk
                    .try_map_owned(move |values: Values| output.put(&name, &place, values, &fill))
                    .named(format!("write {} {region}", field.meta.name))
                    .group(field.meta.name.clone());
                tasks.push(task);
            }
        }
        let reports = fields.iter().filter_map(|field| field.report.clone());
        Ok(PlannedWrite {
            output,
            tasks,
            reports: reports.collect(),
            max_error,
        })
    }
}

impl PlannedWrite {
    /// The graph of all tasks.
    ///
    /// # Errors
    /// [`Error::Run`] if the graph cannot be made.
    pub fn graph(&self) -> Result<Graph, Error> {
        Ok(Graph::of((self.tasks.clone(), self.reports.clone())))
    }

    /// Where the output is until it is complete.
    pub fn temporary_path(&self) -> &std::path::Path {
        self.output.temporary_path()
    }

    /// Runs the tasks; then the output appears under its name, complete.
    ///
    /// # Errors
    /// [`Error::Run`] for what a task met; [`Error::Netcdf`] and [`Error::File`] if the output cannot be finished. In either
    /// case nothing is left behind.
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
        let (_, reports) = run.compute((&self.tasks, &self.reports))?;
        see(&reports);
        if let Some(most) = self.max_error {
            reports.iter().try_for_each(|report| judge(report, most))?;
        }
        drop((self.tasks, self.reports));
        self.output.finish()?;
        Ok(reports)
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
