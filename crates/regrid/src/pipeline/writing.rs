//! Write tasks, and the run that ends with a complete file.

use std::path::PathBuf;
use std::sync::Arc;

use delayed::{Delayed, Graph, Run};

use super::explain::{Explanation, Totals};
use super::lazy::LazyField;
use crate::buffers::Less;
use crate::error::Error;
use crate::output::{Output, Write};
use crate::values::Values;

/// The writing of fields, planned and ready to run.
#[derive(Debug)]
pub struct PlannedWrite {
    output: Arc<Output>,
    tasks: Vec<Delayed<()>>,
    totals: Totals,
}

impl Write {
    /// Makes the output under a temporary name, and a task that writes each chunk as soon as it is computed.
    ///
    /// # Errors
    /// [`Error::Nothing`] without fields, [`Error::OutputExists`], [`Error::OutputIsInput`], [`Error::File`] and
    /// [`Error::Netcdf`] where the file cannot be made.
    pub fn plan(self, fields: &[LazyField]) -> Result<PlannedWrite, Error> {
        let output = Arc::new(Output::create(self, fields)?);
        let mut tasks = Vec::new();
        for (field, name) in fields.iter().zip(output.names()) {
            for (region, chunk) in &field.chunks {
                let (output, place, name, fill) = (
                    output.clone(),
                    region.clone(),
                    name.clone(),
                    field.meta.fill_value.clone(),
                );
                let task = chunk
                    .try_map_owned(move |values: Values| {
                        let bytes = values.len() * values.data_type().size();
                        output.put(&name, &place, values, &fill)?;
                        delayed::count_written(bytes as u64);
                        Ok::<(), Error>(())
                    })
                    .named(format!("write {} {region}", field.meta.name))
                    .group(field.meta.name.clone())
                    .step("write");
                tasks.push(task);
            }
        }
        Ok(PlannedWrite {
            output,
            tasks,
            totals: Totals::of(fields),
        })
    }
}

impl PlannedWrite {
    /// The graph of all tasks.
    ///
    /// # Errors
    /// [`Error::Run`] if the graph cannot be made.
    pub fn graph(&self) -> Result<Graph, Error> {
        Ok(Graph::of(self.tasks.clone()))
    }

    /// What the work comes to.
    pub fn explain(&self) -> Explanation {
        self.totals.explain(&Graph::of(self.tasks.clone()))
    }

    /// Where the output is until it is complete.
    pub fn temporary_path(&self) -> &std::path::Path {
        self.output.temporary_path()
    }

    /// Runs the tasks; then the output appears under its name, complete.
    ///
    /// If the [request](crate::Request::memory) states how much memory the work may take, that is the run's limit.
    ///
    /// # Errors
    /// [`Error::Run`] for what a task met; [`Error::Netcdf`] and [`Error::File`] if the output cannot be finished. In either
    /// case nothing is left behind.
    pub fn run(self, run: &Run) -> Result<(), Error> {
        let budget = self.totals.budget();
        let _kept = budget.kept_bytes().map(Less::than);
        let limited = self
            .totals
            .live()
            .map(|live| run.clone().memory_limit(live));
        limited.as_ref().unwrap_or(run).compute(&self.tasks)?;
        drop(self.tasks);
        self.output.finish()
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
