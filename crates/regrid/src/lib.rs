//! Regridding of weather and climate fields: netCDF files in, a netCDF file out, chunk by chunk in parallel.
//!
//! ```no_run
//! use regrid::{Catalogue, Grid, Method, Request};
//!
//! let files = Catalogue::open(["data/"])?; // metadata only
//! let target = Grid::regular(30.0..=40.0, 0.01, 30.0..=40.0, 0.01)?;
//! let fields = Request::new(&target).params(["air_temperature"]).method(Method::Linear).build(&files)?;
//! regrid::write("out.nc", &fields)?;
//! # Ok::<(), regrid::Error>(())
//! ```
//!
//! # From files to a file
//! - [`Catalogue`] says what is in files: variables, grids, times, and how files join along time. Other formats than
//!   netCDF come in through [`SourceFile`] and [`ChunkSource`].
//! - [`Grid`] is the target: by numbers, by name, or [like](Grid::like) that of a file.
//! - [`Request`] says what to make: which parameters and [times](time::TimeSelection), by which [`Method`], and what holds
//!   [`Outside`] the source and at a [`Pole`]. [`Request::build`] plans it all at once.
//! - [`Weights`] are made on the way, or once and for all: kept in [files](WeightsFormat) that CDO and xESMF read, or taken from theirs.
//! - [`LazyField`] is what comes of one parameter: a [delayed](delayed::Delayed) value for each chunk. Compute one, or all of
//!   them as a [`Field`], or build more tasks on them.
//! - [`write()`] computes and writes fields without ever holding one; [`Write`] has the options.
//!
//! ```
//! use regrid::{Edges, Grid, Method, Weights, WeightsFormat};
//!
//! let (source, target) = (Grid::global(5.0)?, Grid::regular(30.0..=60.0, 1.0, 0.0..=30.0, 1.0)?);
//! let folder = tempfile::tempdir().expect("a folder for temporary files");
//! let path = folder.path().join("weights.nc");
//! Weights::between(&source, &target, Method::Linear, Edges::default())?.save(&path, WeightsFormat::Scrip)?;
//! assert_eq!(Weights::load(&path)?.target()?.shape(), (31, 31)); // for `Request::weights`, or `cdo remap`
//! # Ok::<(), regrid::Error>(())
//! ```
//!
//! The graph is built eagerly and the work is delayed: when `build` returns, every task is known and none has run.
//!
//! # What the values mean
//! Missing is one notion: NaN in floats, whatever marked it in the file. Targets outside the source are missing unless the
//! request says otherwise; longitudes go round by themselves. 32-bit floats come out as 32-bit floats, each the sum in double
//! precision rounded once. Neither chunks nor threads change a bit of the result. The formulas stand where the weights
//! are made, at [`Method`] and [`RectilinearWeights`].
//!
//! # Methods
//! Between points: [linear](Method::Linear), [nearest](Method::Nearest), [cubic](Method::Cubic) and
//! [inverse distance](Method::InverseDistance). Over cells, keeping the integral: [area-weighted](Method::AreaWeighted) and
//! [second-order conservative](Method::SecondOrderConservative). Statistics of what lies in each cell: mean, sum, count, min,
//! max, median and [mode](Method::Mode). [`Fill`] gives values to targets outside, [`Compat`] the masks and edges of Iris, CDO
//! or xESMF, and a [`Report`] says how well an integral was kept.
//!
//! # Grids
//! As sources and as targets: rectilinear ones of any spacing and direction, regional or global; about a
//! [rotated pole](RotatedPole); on the plane of a [map projection](Projection); [curvilinear](Grid::curvilinear) ones with or
//! without corners; [lists of points](Grid::points). A combination without meaning is refused with what to do instead.
//!
//! # Errors
//! [`Error`] names the file, variable, axis and numbers at fault; [`Error::innermost`] digs one out of the run that met it.

#![deny(unsafe_code)]

mod attempt;
mod attribute;
mod axis;
mod budget;
mod buffers;
mod catalogue;
mod chunk;
mod companions;
mod destination;
mod digest;
mod error;
mod field;
mod grid;
mod io;
mod kernel;
mod output;
mod pieces;
mod pipeline;
mod plan;
mod regridder;
mod report;
mod request;
mod scheme;
mod sphere;
mod spill;
pub mod time;
mod turns;
mod values;
mod weightfile;
mod weights;

pub use attribute::{AttributeValue, Attributes};
pub use axis::{AxisKind, Latitudes, Longitudes, PlaneAxis};
pub use catalogue::{Catalogue, Role, SourceDimension, SourceVariable, Unsupported};
pub use chunk::{Region, cuts};
pub use error::Error;
pub use field::{Field, FieldMeta, Variable, VariableValues};
pub use grid::{Crs, Grid, Projection, RotatedPole};
pub use io::{
    ChunkSource, Dimension, EndlessReads, FileKind, FileMeta, LengthError, SourceFile,
    VariableMeta, being_read, check_complete, expected_length,
};
pub use output::Write;
pub use pipeline::{CompleteOutput, Explanation, LazyField, PlannedWrite, Reads, write};
pub use regridder::{RegridFloat, Regridder};
pub use report::{Extent, Integral, Report};
pub use request::Request;
pub use scheme::{Compat, Edges, Fill, Method, Outside, Pole, RectilinearWeights};
pub use values::{DataType, Element, Values};
pub use weightfile::{Weights, WeightsFormat};
pub use weights::{Entries, Row, SparseWeights};
