//! What can go wrong, with the file, variable, axis and numbers at fault.

mod words;

use std::path::PathBuf;

use crate::axis::AxisKind;
use words::{are, in_file, quoted};

/// Everything that this crate refuses or fails at.
///
/// The text says what and where; the cause, if there is one, is the error's `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No file was given, or a folder holds none.
    #[error("no netCDF files in {}", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
    },
    /// No file has a name of the pattern.
    #[error("no file matches {pattern}")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is of another kind.
    #[error("{} is not a netCDF file", path.display())]
    NotNetcdf {
        /// The file.
        path: PathBuf,
    },
    /// Another file has taken the place of one whose shapes and times are known already.
    #[error("{} was replaced by another file since it was opened: open it again", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The file ends too early, or its header is damaged.
    #[error(transparent)]
    Length(#[from] crate::io::LengthError),
    /// The file's header or its content is damaged, or of a kind that cannot be read.
    #[error("{} cannot be read: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The netCDF library failed on a variable or on the whole file.
    #[error("cannot {action} {}{}", in_file(variable.as_deref()), path.display())]
    Netcdf {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The variable, if it was about one.
        variable: Option<String>,
        /// What the library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A storage chunk that cannot be read: damaged, or of another size than the file says.
    #[error("cannot read chunk {chunk:?} of variable {variable} in {}", path.display())]
    Chunk {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
        /// The chunk's place among the variable's chunks, along each dimension.
        chunk: Vec<usize>,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A variable compressed in a way that the library cannot undo.
    #[error("variable {variable} in {} is stored with {filter}, which the netCDF library here lacks", path.display())]
    Filter {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
        /// The name and number of what is lacking.
        filter: String,
    },

    /// An axis without values.
    #[error("the {axis} axis is empty")]
    EmptyAxis {
        /// Which axis.
        axis: AxisKind,
    },
    /// An axis holds a value that is no coordinate.
    #[error("{axis} {value} at index {index} is not a valid coordinate")]
    AxisValue {
        /// Which axis.
        axis: AxisKind,
        /// Where on the axis.
        index: usize,
        /// The value.
        value: f64,
    },
    /// An axis turns back or repeats a value.
    #[error(
        "the {axis} axis neither rises nor falls throughout: it turns or repeats at index {index} ({value})"
    )]
    NotMonotonic {
        /// Which axis.
        axis: AxisKind,
        /// The first index that breaks the order.
        index: usize,
        /// The value there.
        value: f64,
    },
    /// Bounds and centres differ in number.
    #[error("{got} pairs of {axis} bounds for {expected} cells")]
    BoundsCount {
        /// Which axis.
        axis: AxisKind,
        /// Pairs of bounds.
        got: usize,
        /// Cells.
        expected: usize,
    },
    /// The bounds that a coordinate names have another shape than its cells.
    #[error(
        "its bounds {bounds} have the shape {got:?}, not {expected}: mend them, or take the attribute \"bounds\" away to have cells midway"
    )]
    BoundsShape {
        /// The bounds' variable.
        bounds: String,
        /// Its shape.
        got: Vec<usize>,
        /// What its shape should be.
        expected: String,
    },
    /// There are not as many of something as there are cells.
    #[error("{got} {what} for {expected}")]
    CellCount {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The coordinates of cells are other ones at another time.
    #[error("the grid moves: the coordinates at step {index} are not those of the step before")]
    MovingGrid {
        /// The first step that differs.
        index: usize,
    },
    /// The units of an axis are not those of such an axis.
    #[error("the {axis} axis has units {units:?}, which are no {}", axis.quantity())]
    AxisUnits {
        /// Which axis.
        axis: AxisKind,
        /// Its units.
        units: String,
    },
    /// A grid mapping that cannot be used.
    #[error("grid mapping {mapping:?} cannot be used: {reason}")]
    GridMapping {
        /// Its CF name.
        mapping: String,
        /// Why not.
        reason: String,
    },
    /// A grid without axes of latitude and longitude, or with other ones, where those were needed.
    #[error("the grid ({grid}) has no axes of latitude and longitude in common with the other one")]
    NotRectilinear {
        /// The grid.
        grid: String,
    },
    /// Longitudes overlap after a whole turn.
    #[error("the longitudes span {span} degrees: more than once round the globe")]
    MoreThanOnceRound {
        /// Degrees from the first to the last centre.
        span: f64,
    },
    /// A step that makes no axis.
    #[error("cannot make a {axis} axis with step {step}: {reason}")]
    Step {
        /// Which axis.
        axis: AxisKind,
        /// The step.
        step: f64,
        /// Why not.
        reason: &'static str,
    },
    /// A target point lies outside the source grid, and that is to be refused.
    #[error(
        "target {index}, latitude {latitude} longitude {longitude}, lies outside the source grid ({grid})"
    )]
    PointOutside {
        /// The target's index, row by row.
        index: usize,
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// The source grid.
        grid: String,
    },
    /// A method that has no meaning between two grids.
    #[error("{method} from {source_grid} onto {target_grid}: {reason}")]
    Combination {
        /// The method's name.
        method: &'static str,
        /// The source grid.
        source_grid: String,
        /// The target grid.
        target_grid: String,
        /// Why not, and what can be done instead.
        reason: String,
    },
    /// A method that the tool to be compatible with does not have.
    #[error("method {method} cannot be compatible with {compat}, which has {known}")]
    CompatMethod {
        /// The tool.
        compat: &'static str,
        /// The method.
        method: &'static str,
        /// The methods that the tool has, by our names.
        known: String,
    },
    /// Weights that are given have their own rules at the edges.
    #[error(
        "{weights} decide the mask and the edges: they cannot be made compatible with {compat}"
    )]
    CompatWeights {
        /// The weights.
        weights: String,
        /// The tool.
        compat: &'static str,
    },
    /// A file of weights that cannot be used.
    #[error("{} cannot be used as weights: {what}", path.display())]
    WeightsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Weights that are for other grids.
    #[error("{weights} are for another {side} grid than that of {of} ({grid}): {differs}")]
    WeightsGrid {
        /// The weights.
        weights: String,
        /// `source` or `target`.
        side: &'static str,
        /// What lies on the grid that they were to be used for.
        of: String,
        /// That grid.
        grid: String,
        /// The first difference.
        differs: String,
    },
    /// Weights that were made by another method.
    #[error("{weights} were made by another method: {made}, not {asked}")]
    WeightsMethod {
        /// The weights.
        weights: String,
        /// The method that they state.
        made: String,
        /// The method asked for.
        asked: &'static str,
    },
    /// Weights of a method that is more than a weighted sum.
    #[error(
        "weights of the method {method} cannot be saved: a file of weights says how to average, and {method} is no average"
    )]
    NotAMean {
        /// The method.
        method: &'static str,
    },
    /// An array that does not lie on the source grid.
    #[error("an array of shape {got:?} does not end with the source's plane, {expected:?}")]
    Shape {
        /// The array's shape.
        got: Vec<usize>,
        /// The shape that it should end with.
        expected: Vec<usize>,
    },
    /// More cells than weights from cell to cell are made for.
    #[error(
        "the {which} grid has {cells} cells, more than the {most} that weights from cell to cell are made for: take a part \
         of it, or larger cells ({grid})"
    )]
    TooManyCells {
        /// The source or the target.
        which: &'static str,
        /// The grid.
        grid: String,
        /// How many cells it has.
        cells: usize,
        /// How many it may have.
        most: usize,
    },
    /// Bounds that make no cells, where a method needs some.
    #[error(
        "the {grid} grid's {axis} bounds {low} to {high} (index {index}) {fault}: correct them, or take the attribute \
         `bounds` away, so that cells reach to the midpoints between centres"
    )]
    Bounds {
        /// The source or the target.
        grid: &'static str,
        /// Which axis.
        axis: AxisKind,
        /// Where on it.
        index: usize,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// What is wrong with them.
        fault: &'static str,
    },
    /// The integral of a field is kept less well than was asked for.
    #[error(
        "the integral of {variable} is not kept: its relative error is {error:e}, more than {most:e}"
    )]
    Conservation {
        /// The variable.
        variable: String,
        /// The relative error.
        error: f64,
        /// The most that it may be.
        most: f64,
    },
    /// Integrals cannot be compared where they were to be judged.
    #[error("the integral of {variable} cannot be judged: {reason}")]
    NoIntegral {
        /// The variable.
        variable: String,
        /// Why not.
        reason: &'static str,
    },
    /// A share of valid cells that is none.
    #[error("a share of valid cells of {share} makes no sense: it lies between 0 and 1")]
    MinValid {
        /// The share.
        share: f64,
    },
    /// A grid name that is not known.
    #[error(
        "no grid is called {}: known are rNXxNY (r360x180), nN (n80), global_STEP and a step in degrees that divides 180 (0.5)",
        quoted(name)
    )]
    GridName {
        /// The name.
        name: String,
    },
    /// A grid description that cannot be understood.
    #[error("grid description: {reason}")]
    Description {
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a list of points that is none.
    #[error("line {line}: {reason}")]
    PointsLine {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A text file that describes no grid.
    #[error("{} describes no grid", path.display())]
    GridFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<Error>,
    },
    /// A choice that is not among the known ones.
    #[error("no {what} is called {}: known are {}", quoted(got), known.join(", "))]
    UnknownChoice {
        /// What was to be chosen.
        what: &'static str,
        /// The text.
        got: String,
        /// The names that exist.
        known: &'static [&'static str],
    },
    /// A target lies outside the source and that is to be refused.
    #[error("target {axis} {value} (index {index}) lies outside the source grid ({grid})")]
    OutsideSource {
        /// Which axis.
        axis: AxisKind,
        /// Where on the target's axis.
        index: usize,
        /// The target's coordinate.
        value: f64,
        /// The source's grid.
        grid: String,
    },

    /// A file without any grid.
    #[error("nothing in {} lies on a grid", path.display())]
    NoGrid {
        /// The file.
        path: PathBuf,
    },
    /// A file with more than one grid, where one was to be taken.
    #[error("{} holds several grids ({first}; {second}): give a file with one", path.display())]
    SeveralGrids {
        /// The file.
        path: PathBuf,
        /// One of them.
        first: String,
        /// Another one.
        second: String,
    },
    /// A variable that is not there.
    #[error("no variable {name:?} in the input; on a grid {}", are(known))]
    UnknownVariable {
        /// The name asked for.
        name: String,
        /// The variables that can be regridded.
        known: Vec<String>,
    },
    /// A variable that cannot be regridded.
    #[error("variable {variable} in {} cannot be regridded: {reason}", path.display())]
    NotRegriddable {
        /// The variable.
        variable: String,
        /// Its file.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// Whether that is because it holds flags, which are not averaged unless that is asked for.
        flags: bool,
    },
    /// The parts of one variable do not fit together.
    #[error("variable {variable}: {} and {} do not join along time: {reason}", first.display(), second.display())]
    Join {
        /// The variable.
        variable: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What differs.
        reason: String,
    },
    /// A coordinate variable that makes no axis.
    #[error("coordinate {variable} in {} is unusable", path.display())]
    Coordinate {
        /// The coordinate variable.
        variable: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<Error>,
    },
    /// A time, calendar or time unit that cannot be understood.
    #[error(transparent)]
    Time(#[from] crate::time::TimeError),
    /// The time axis of a variable cannot be understood.
    #[error("time axis {variable} in {} is unusable", path.display())]
    TimeAxis {
        /// The time coordinate.
        variable: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: crate::time::TimeError,
    },
    /// A requested time that the input does not have.
    #[error(
        "variable {variable}: time {time} is not in the input, which runs from {first} to {last}{hint}"
    )]
    TimeNotFound {
        /// The variable.
        variable: String,
        /// The time asked for.
        time: String,
        /// The first time there is.
        first: String,
        /// The last time there is.
        last: String,
        /// What would help.
        hint: String,
    },
    /// Times were asked of a variable that has none.
    #[error("variable {variable} in {} has no time axis to choose times from", path.display())]
    NoTimeAxis {
        /// The variable.
        variable: String,
        /// Its file.
        path: PathBuf,
    },
    /// More chunks than a graph should have.
    #[error(
        "variable {variable} would be cut into {chunks} chunks, more than {most}: ask for larger chunks, or for less"
    )]
    TooManyChunks {
        /// The variable.
        variable: String,
        /// How many chunks it would have.
        chunks: u64,
        /// How many it may have.
        most: u64,
    },
    /// There is nothing to regrid or to write.
    #[error("there is nothing to {action}")]
    Nothing {
        /// What was to be done.
        action: &'static str,
    },

    /// The output is there already.
    #[error("{} exists already", path.display())]
    OutputExists {
        /// The output.
        path: PathBuf,
    },
    /// The output that was to be resumed is complete: the run before it was stopped when only tidying up was left to do.
    #[error("{} is complete already", path.display())]
    AlreadyComplete {
        /// The output.
        path: PathBuf,
    },
    /// Somebody else is writing the output.
    #[error("{} is being written by another process", path.display())]
    OutputBusy {
        /// The output.
        path: PathBuf,
    },
    /// What an interrupted run left is of another request.
    #[error("{} holds what a run left that did something else{difference}", journal.display())]
    OtherLeftovers {
        /// The output.
        path: PathBuf,
        /// The journal of that run.
        journal: PathBuf,
        /// The first thing that differs, in words.
        difference: String,
    },
    /// The output is one of the inputs.
    #[error("the output {} is one of the inputs", path.display())]
    OutputIsInput {
        /// The output.
        path: PathBuf,
    },
    /// The run of the tasks failed; the cause names the task.
    #[error("the computation failed")]
    Run(#[from] delayed::Error),
}

impl Error {
    /// The error's text and those of its causes, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        text
    }

    /// The error under any wrapping by the task that met it, the first one's if several failed: what a reader wants to see
    /// first.
    pub fn innermost(&self) -> &(dyn std::error::Error + 'static) {
        let mut error: &(dyn std::error::Error + 'static) = self;
        loop {
            if let Some(own) = error.downcast_ref::<Self>()
                && !matches!(own, Self::Run(_))
            {
                return error;
            }
            if let Some(delayed::Error::Several { errors }) = error.downcast_ref()
                && let Some(first) = errors.first()
            {
                error = first;
                continue;
            }
            match error.source() {
                Some(cause) => error = cause,
                None => return error,
            }
        }
    }
}
