//! `regrid weights`: weights from the grid of a file onto another one, kept in a file.

use std::fs;
use std::time::Instant;

use regrid::{Catalogue, Error, Grid, Weights};

use crate::Result;
use crate::amount::{bytes, duration};
use crate::args::{Target, WeightsJob};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::rows::{Rows, say};
use crate::run::same_file;

/// Makes the weights and writes them.
pub(crate) fn make(job: &WeightsJob) -> Result<()> {
    let started = Instant::now();
    let interrupt = Interrupt::watch()?;
    check_places(job)?;
    let source = source(job)?;
    let target = match &job.target {
        Target::Like(file) => &Grid::like(file)?,
        Target::Listed(file) => &Grid::listed_in(file)?,
        Target::Grid(grid) => grid,
        Target::OfWeights => unreachable!("there are no weights yet"),
    };
    let weights = Weights::between(&source, target, job.method, job.edges)?;
    interrupt.check()?;
    interrupt
        .undisturbed(|| weights.write(&job.output, job.format, job.force, Some(&job.command)))?;
    if !job.quiet {
        let mut rows = Rows::default();
        rows.add("source", source.to_string());
        rows.add("target", target.to_string());
        let (outside, pole) = (job.edges.outside.name(), job.edges.pole.name());
        let method = job.method.name();
        rows.add(
            "method",
            format!("{method}, outside {outside}, pole {pole}"),
        );
        let size =
            fs::metadata(&job.output).map_or_else(|_| String::new(), |m| bytes(m.len()) + " ");
        let (path, time) = (job.output.display(), duration(started.elapsed()));
        rows.add("wrote", format!("{path}  {size}in {time}"));
        say(&rows.text(0));
    }
    Ok(())
}

/// The grid that is meant: that of the variable named, or the only one there is.
fn source(job: &WeightsJob) -> Result<Grid> {
    let Some(name) = &job.variable else {
        return Grid::like(&job.input).map_err(|error| {
            let several = matches!(error, Error::SeveralGrids { .. });
            let failure = Failure::from(error);
            if several {
                failure.hint("-v names a variable on the grid that is meant")
            } else {
                failure
            }
        });
    };
    let catalogue = Catalogue::open([&job.input])?;
    Ok(catalogue.variable(name)?.grid().clone())
}

/// Refuses to write over a file that is read.
fn check_places(job: &WeightsJob) -> Result<()> {
    let like = match &job.target {
        Target::Like(file) | Target::Listed(file) => Some(file),
        Target::Grid(_) | Target::OfWeights => None,
    };
    for input in std::iter::once(&job.input).chain(like) {
        if same_file(&job.output, input) {
            return Err(Error::OutputIsInput {
                path: job.output.clone(),
            }
            .into());
        }
    }
    Ok(())
}
