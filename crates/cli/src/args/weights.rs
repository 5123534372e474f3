//! The options of `regrid weights`.

use std::path::PathBuf;

use clap::Args;
use regrid::{Edges, Method, Outside, Pole, WeightsFormat};

use super::Order;
use super::target::{Target, TypedTarget, no_target};
use crate::Result;

/// Weights to be made, every option checked as far as that goes without opening a file.
#[derive(Debug)]
pub(crate) struct WeightsJob {
    pub(crate) input: PathBuf,
    pub(crate) variable: Option<String>,
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) edges: Edges,
    pub(crate) output: PathBuf,
    pub(crate) format: WeightsFormat,
    pub(crate) force: bool,
    pub(crate) quiet: bool,
    /// The command as it was typed.
    pub(crate) command: String,
}

/// The options of `regrid weights`.
#[derive(Debug, Args)]
pub(super) struct TypedWeights {
    /// A netCDF file with the source grid
    #[arg(value_name = "INPUT")]
    input: PathBuf,

    /// The file to write: complete or not there at all
    #[arg(short, long, value_name = "WEIGHTS.nc")]
    output: PathBuf,

    /// What the file is for: scrip (CDO) or esmf (ESMF, xESMF)
    #[arg(long, value_name = "FORMAT", default_value = "scrip")]
    format: WeightsFormat,

    /// Replace a file that exists
    #[arg(long)]
    force: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,

    /// The variable whose grid is meant, where the file has several grids
    #[arg(short, long = "var", value_name = "NAME")]
    variable: Option<String>,

    #[command(flatten)]
    target: TypedTarget,

    /// linear, nearest, cubic, area-weighted (first-order conservative), second-order-conservative, inverse-distance or mean
    #[arg(
        short,
        long,
        value_name = "METHOD",
        default_value = "linear",
        help_heading = "How to regrid"
    )]
    method: Method,

    /// What targets outside the source get: missing, the nearest value, linear (the gradient goes on), or error
    #[arg(
        long,
        value_name = "RULE",
        default_value = "missing",
        help_heading = "How to regrid"
    )]
    outside: Outside,

    /// What a global source has at a pole: the mean of its last row, none (that is outside), or the nearest value
    #[arg(
        long,
        value_name = "RULE",
        default_value = "mean",
        help_heading = "How to regrid"
    )]
    pole: Pole,
}

impl TypedWeights {
    pub(super) fn check(self, command: String) -> Result<Order> {
        Ok(Order::Weights(Box::new(WeightsJob {
            target: self.target.check()?.ok_or_else(no_target)?,
            input: self.input,
            variable: self.variable,
            method: self.method,
            edges: Edges {
                outside: self.outside,
                pole: self.pole,
            },
            output: self.output,
            format: self.format,
            force: self.force,
            quiet: self.quiet,
            command,
        })))
    }
}
