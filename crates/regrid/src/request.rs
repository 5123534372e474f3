//! What a user asks for: a target grid, parameters, times, a method. `pipeline` makes tasks of it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::budget::Budget;
use crate::catalogue::{Catalogue, SourceVariable};
use crate::companions::{TargetCoordinates, bystanders};
use crate::error::Error;
use crate::grid::Grid;
use crate::kernel::{Keep, Rule};
use crate::pieces::on_threads;
use crate::pipeline::{Explanation, LazyField, Overlap, Plans, check_chunks, regrid_param};
use crate::scheme::{Compat, Edges, Fill, Method, Outside, PlaneWeights, Pole};
use crate::spill::{Room, within};
use crate::time::{ChosenTimes, TimeAxis, TimeMethod, TimeSelection};
use crate::weightfile::Weights;

/// Why a variable of flags is not averaged.
pub(crate) const FLAGS: &str =
    "it holds flags, which have no values in between (the nearest and mode methods keep them)";

/// A regridding to be done.
///
/// ```no_run
/// use regrid::{Catalogue, Grid, Method, Request};
///
/// let files = Catalogue::open(["data/"])?;
/// let target = Grid::regular(30.0..=40.0, 0.01, 30.0..=40.0, 0.01)?;
/// let fields = Request::new(&target)
///     .params(["air_temperature", "air_pressure_at_sea_level"])
///     .times("2017-01-01/2017-01-31/PT6H".parse()?)
///     .method(Method::Linear)
///     .build(&files)?;
/// regrid::write("out.nc", &fields)?;
/// # Ok::<(), regrid::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) target: Arc<Grid>,
    pub(crate) params: Option<Vec<String>>,
    pub(crate) times: TimeSelection,
    pub(crate) time_method: TimeMethod,
    /// The method asked for, if one was.
    method: Option<Method>,
    given: Option<Arc<Weights>>,
    outside: Option<Outside>,
    pole: Option<Pole>,
    compat: Option<Compat>,
    average_flags: bool,
    report: bool,
    pub(crate) fill: Option<Fill>,
    pub(crate) min_valid: Option<f64>,
    pub(crate) chunk: Option<(usize, usize)>,
    memory: Option<u64>,
    scratch: Option<PathBuf>,
    threads: Option<usize>,
}

impl Request {
    /// Everything that is on a grid, at all its times, linear, onto a target.
    pub fn new(target: &Grid) -> Self {
        Self {
            target: Arc::new(target.clone()),
            params: None,
            times: TimeSelection::All,
            time_method: TimeMethod::Exact,
            method: None,
            given: None,
            outside: None,
            pole: None,
            compat: None,
            average_flags: false,
            report: false,
            fill: None,
            min_valid: None,
            chunk: None,
            memory: None,
            scratch: None,
            threads: None,
        }
    }

    /// Only these variables: by name, or by a standard name that only one variable has.
    #[must_use]
    pub fn params<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.params = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Only these times.
    #[must_use]
    pub fn times(mut self, times: TimeSelection) -> Self {
        self.times = times;
        self
    }

    /// How requested times are met: by that very time (the default), the nearest, or linearly between two.
    #[must_use]
    pub fn time_method(mut self, method: TimeMethod) -> Self {
        self.time_method = method;
        self
    }

    /// Weights that are there already, instead of making them; every variable has to lie on the grid that they are from, and
    /// the target has to be the one that they go to.
    ///
    /// They decide upon the method too, and upon edges and poles. A method asked for beside them has to be the one that they
    /// were made by, as far as that is known.
    #[must_use]
    pub fn weights(mut self, weights: &Weights) -> Self {
        self.given = Some(Arc::new(weights.clone()));
        self
    }

    /// How target values are made of source values: linear unless asked for otherwise, or given weights are of another method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// What targets beyond the source's outer centres get.
    #[must_use]
    pub fn outside(mut self, outside: Outside) -> Self {
        self.outside = Some(outside);
        self
    }

    /// Fills the targets that no source cell reaches.
    #[must_use]
    pub fn fill(mut self, fill: Fill) -> Self {
        self.fill = Some(fill);
        self
    }

    /// What lies between a global source's last row and the pole.
    #[must_use]
    pub fn pole(mut self, pole: Pole) -> Self {
        self.pole = Some(pole);
        self
    }

    /// Gives the result the mask and the edges of another tool.
    ///
    /// It sets what the request does not state otherwise: what targets outside get, the poles, and when a target with
    /// missing neighbours is kept.
    #[must_use]
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = Some(compat);
        self
    }

    /// Averages variables of flags as if their values were numbers.
    ///
    /// By default they are refused where they are named and left out where they are not, unless the method keeps values
    /// or only counts them: between two flags there is nothing.
    #[must_use]
    pub fn average_flags(mut self, average: bool) -> Self {
        self.average_flags = average;
        self
    }

    /// Compares each field with its source: see [`LazyField::report`].
    ///
    /// Where targets overlap more of the source than their method looks at, that is read too.
    #[must_use]
    pub fn report(mut self, report: bool) -> Self {
        self.report = report;
        self
    }

    /// The rules at the edges that hold: those that were stated, else those of the tool to be compatible with.
    pub fn edges(&self) -> Edges {
        let usual = self
            .compat
            .map_or_else(Edges::default, |compat| compat.edges(self.method_used()));
        Edges {
            outside: self.outside.unwrap_or(usual.outside),
            pole: self.pole.unwrap_or(usual.pole),
        }
    }

    /// The share of a target that must come from valid source cells, from 0 to 1.
    ///
    /// A target is kept where at least this share of its weight is of cells that are valid and inside the source, and
    /// any of it is; its value is that of the valid share. Methods between points (linear, nearest, cubic) ask for all of it
    /// by default, the others for any.
    #[must_use]
    pub fn min_valid(mut self, share: f64) -> Self {
        self.min_valid = Some(share);
        self
    }

    /// The size of target chunks, in rows and columns; the default takes whole rows.
    ///
    /// The result does not depend on it, only how the work and the output file are divided.
    #[must_use]
    pub fn chunk(mut self, rows: usize, columns: usize) -> Self {
        self.chunk = Some((rows, columns));
        self
    }

    /// The bytes of memory that the work may take; no limit unless it is stated.
    ///
    /// The plan makes chunks and what is read at once small enough for that, and [writing](crate::PlannedWrite::run) starts no
    /// new work while there is no room. It counts what grows with the work: values, buffers, weights. The program itself and
    /// its libraries come on top. The values of the result do not depend on it; the sizes of an output's chunks may.
    ///
    /// Where it does not hold a whole row of storage chunks together, as the means next to the poles ask for, these wait in a
    /// [file](Self::scratch); the field has a [note](LazyField::notes) then.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The folder for what the [memory](Self::memory) does not hold: weights from cell to cell, and what is stored next to the poles,
    /// in files without names, which are gone when nobody uses them any more, whatever happens to the process. The one for temporary
    /// files unless stated. A folder in which no file can be made is no error: weights stay in memory, and storage chunks next to
    /// the poles are inflated twice, as they are where there is no room for them beside the output.
    #[must_use]
    pub fn scratch(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch = Some(folder.into());
        self
    }

    /// The number of threads to plan for: one for each core unless stated. How many do work is said to the [run](delayed::Run).
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// What the work is planned for.
    pub(crate) fn budget(&self) -> Budget {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Budget {
            memory: self.memory,
            threads: self.threads.unwrap_or_else(cores).max(1),
        }
    }

    /// What it comes to, without doing it: tasks, bytes to read and to write, memory.
    /// ```no_run
    /// # use regrid::{Catalogue, Grid, Request};
    /// let plan = Request::new(&Grid::global(0.5)?).memory(1 << 30).explain(&Catalogue::open(["data/"])?)?;
    /// println!("{plan}");
    /// # Ok::<(), regrid::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn explain(&self, files: &Catalogue) -> Result<Explanation, Error> {
        Ok(Explanation::of(&self.build(files)?))
    }

    /// The files that results are made of: those of a catalogue, and that of weights that were loaded.
    pub(crate) fn inputs(&self, files: &Catalogue) -> Arc<[PathBuf]> {
        match self.given.as_ref().and_then(|weights| weights.path()) {
            None => files.paths(),
            Some(weights) => {
                let all = files.paths();
                let weights = std::iter::once(weights.to_owned());
                all.iter().cloned().chain(weights).collect()
            }
        }
    }

    /// The options in words, for a file's history.
    pub(crate) fn in_words(&self) -> String {
        let edges = self.edges();
        let mut words = match &self.given {
            Some(weights) => format!(
                "method {}, {}",
                self.method_in_words(weights),
                weights.name()
            ),
            None => format!(
                "method {}, outside {}, pole {}",
                self.method_used().name(),
                edges.outside.name(),
                edges.pole.name()
            ),
        };
        if self.times != TimeSelection::All {
            words += &format!(", time method {}", self.time_method.name());
        }
        if let Some(fill) = self.fill {
            words += &format!(", fill {fill}");
        }
        if let Some(share) = self.min_valid {
            words += &format!(", min valid {share}");
        }
        if let Some(compat) = self.compat {
            words += &format!(", compatible with {}", compat.name());
        }
        words
    }

    /// Plans the work and builds its tasks; nothing is read but metadata and small coordinates.
    ///
    /// # Errors
    /// [`Error::UnknownVariable`], [`Error::NotRegriddable`], [`Error::TimeNotFound`], [`Error::OutsideSource`],
    /// [`Error::CompatMethod`], [`Error::CompatWeights`],
    /// [`Error::Nothing`] if the catalogue has no field; [`Error::WeightsGrid`] and [`Error::WeightsMethod`] if given weights
    /// are for something else; errors of reading coordinates.
    pub fn build(&self, files: &Catalogue) -> Result<Vec<LazyField>, Error> {
        let budget = self.budget();
        // What a budget does not hold is written to a file.
        let room = budget.list_bytes().map(|most| Room {
            most,
            folder: self.scratch_folder(),
        });
        on_threads(budget.threads, || within(room, || self.build_fields(files)))
    }

    /// The folder for what the memory does not hold.
    pub(crate) fn scratch_folder(&self) -> PathBuf {
        self.scratch.clone().unwrap_or_else(std::env::temp_dir)
    }

    fn build_fields(&self, files: &Catalogue) -> Result<Vec<LazyField>, Error> {
        if let Some(share) = self.min_valid
            && !(0.0..=1.0).contains(&share)
        {
            return Err(Error::MinValid { share });
        }
        if let Some(compat) = self.compat {
            compat.check(self.method_used())?;
            if let Some(weights) = &self.given {
                return Err(Error::CompatWeights {
                    weights: weights.name().to_string(),
                    compat: compat.name(),
                });
            }
        }
        if let (Some(weights), Some(method)) = (&self.given, self.method) {
            weights.check_method(method)?;
        }
        let (variables, mut notes) = self.choose_variables(files)?;
        let mut prepared: Vec<(Arc<Grid>, Arc<PlaneWeights>)> = Vec::new();
        let mut overlaps: Vec<(Arc<Grid>, Arc<Overlap>)> = Vec::new();
        // Made once, and after weights: those of a target without axes take as much memory as what weights are made with.
        let mut coordinates = None;
        let mut plans = Plans::new(variables.len());
        let mut fields = Vec::new();
        for variable in &variables {
            variable.check_join()?;
            let times = self.choose_times(files, variable)?;
            check_chunks(self, variable, times.as_ref())?;
            let times = times.map(Arc::new);
            let weights = self.plane_weights(files, &mut notes, variable, &mut prepared)?;
            let overlap = self
                .report
                .then(|| self.overlap(variable, &weights, &mut overlaps));
            fields.push(regrid_param(
                self,
                &mut plans,
                (files, variable),
                &weights,
                overlap,
                times.as_ref(),
                coordinates.get_or_insert_with(|| TargetCoordinates::new(&self.target)),
            )?);
        }
        if self.params.is_none() {
            let times = self.choose_times(files, variables[0])?;
            let known: Vec<String> = fields
                .iter()
                .flat_map(|f| f.meta.companions.iter().map(|v| v.name.clone()))
                .collect();
            let (kept, more) = bystanders(files, variables[0], times.as_ref(), &known)?;
            fields[0].meta.companions.extend(kept);
            notes.extend(more);
        }
        fields[0].notes.extend(notes);
        let names: Vec<String> = fields.iter().map(|f| f.meta.name.clone()).collect();
        for field in &mut fields {
            field.keep_references(&names);
        }
        Ok(fields)
    }

    /// The variables asked for, and what is to be said of those left out.
    fn choose_variables<'a>(
        &self,
        files: &'a Catalogue,
    ) -> Result<(Vec<&'a SourceVariable>, Vec<String>), Error> {
        let mut chosen: Vec<&SourceVariable> = Vec::new();
        if let Some(names) = &self.params {
            for name in names {
                let variable = files.variable(name)?;
                if !chosen.iter().any(|v| v.name() == variable.name()) {
                    chosen.push(variable);
                }
            }
            return match chosen.is_empty() {
                true => Err(Error::Nothing {
                    action: "regrid: no variable is named",
                }),
                false => Ok((chosen, Vec::new())),
            };
        }
        let all = files.variables();
        let flags = |v: &SourceVariable| self.refuses_flags() && v.holds_flags();
        let only_flags = all.iter().all(flags);
        let mut notes = Vec::new();
        for variable in all {
            if flags(variable) && !only_flags {
                notes.push(format!("{} is left out: {FLAGS}", variable.name()));
            } else {
                chosen.push(variable);
            }
        }
        let mut unsupported = files.unsupported().iter();
        if let Some(one) = unsupported.find(|u| u.broken || chosen.is_empty()) {
            return Err(Error::NotRegriddable {
                variable: one.name.clone(),
                path: one.path.clone(),
                reason: one.reason.clone(),
                flags: false,
            });
        }
        match (chosen.is_empty(), files.files()) {
            (false, _) => Ok((chosen, notes)),
            (true, [file]) => Err(Error::NoGrid {
                path: file.path().to_owned(),
            }),
            (true, _) => Err(Error::Nothing {
                action: "regrid: no variable lies on a latitude-longitude grid",
            }),
        }
    }

    /// The method asked for, or that of the given weights.
    pub(crate) fn method_used(&self) -> Method {
        let made = || self.given.as_ref().and_then(|weights| weights.method());
        self.method.or_else(made).unwrap_or_default()
    }

    /// The method of given weights, which may be one that nobody stated.
    fn method_in_words<'a>(&self, weights: &'a Weights) -> &'a str {
        match self.method {
            Some(method) => method.name(),
            None => weights.stated().unwrap_or("not stated"),
        }
    }

    /// Whether values are averaged, in space or in time.
    pub(crate) fn blends(&self) -> bool {
        !self.method_used().keeps_values() || self.time_method == TimeMethod::Linear
    }

    /// Whether variables of flags are not regridded.
    pub(crate) fn refuses_flags(&self) -> bool {
        self.blends() && self.method_used() != Method::Count && !self.average_flags
    }

    /// How targets are made of the cells that their weights name.
    pub(crate) fn rule(&self) -> Rule {
        let min_valid = match (self.compat, self.min_valid) {
            (Some(compat), stated) => compat.min_valid(self.method_used(), stated),
            (None, Some(stated)) => stated,
            (None, None) => match &self.given {
                Some(weights) => weights.default_min_valid(),
                None => self.method_used().default_min_valid(),
            },
        };
        match self.method_used().rule(min_valid) {
            // Between two times a value is made up in any case.
            Rule::Pick if self.blends() => Rule::Blend(Keep::of(min_valid)),
            rule => rule,
        }
    }

    /// The weights from a variable's grid: prepared once for all variables on the same grid.
    fn plane_weights(
        &self,
        files: &Catalogue,
        notes: &mut Vec<String>,
        variable: &SourceVariable,
        prepared: &mut Vec<(Arc<Grid>, Arc<PlaneWeights>)>,
    ) -> Result<Arc<PlaneWeights>, Error> {
        if let Some((_, weights)) = prepared
            .iter()
            .find(|(grid, _)| Arc::ptr_eq(grid, &variable.grid))
        {
            return Ok(weights.clone());
        }
        let (source, target, edges) = (&variable.grid, &self.target, self.edges());
        let method = self.method_used();
        let weights = match (&self.given, self.compat) {
            (None, Some(compat)) => Arc::new(compat.weights(
                source,
                target,
                (method, edges, self.fill),
                self.min_valid.is_some(),
            )?),
            (None, None) => Arc::new(PlaneWeights::new(source, target, method, edges, self.fill)?),
            (Some(given), _) => {
                let path = files.files()[variable.parts[0].file].path().display();
                let what = format!("variable {} in {path}", variable.name());
                let (weights, note) = given.onto(source, &what, target)?;
                notes.extend(note.filter(|note| !notes.contains(note)));
                weights
            }
        };
        if weights.is_void() {
            notes.push(format!(
                "no target lies in the source grid ({}): {} has no value",
                variable.grid,
                variable.name()
            ));
        }
        prepared.push((variable.grid.clone(), weights.clone()));
        Ok(weights)
    }

    /// How a variable's cells overlap the target's: prepared once for all variables on the same grid.
    fn overlap(
        &self,
        variable: &SourceVariable,
        weights: &Arc<PlaneWeights>,
        prepared: &mut Vec<(Arc<Grid>, Arc<Overlap>)>,
    ) -> Arc<Overlap> {
        if let Some((_, overlap)) = prepared
            .iter()
            .find(|(grid, _)| Arc::ptr_eq(grid, &variable.grid))
        {
            return overlap.clone();
        }
        let plain = self.given.is_none() && self.compat.is_none() && self.fill.is_none();
        let method = self.method_used();
        let same = plain && matches!(method, Method::AreaWeighted | Method::Mode);
        let overlap = Overlap::new(&variable.grid, &self.target, method, weights, same);
        let overlap = Arc::new(overlap);
        prepared.push((variable.grid.clone(), overlap.clone()));
        overlap
    }

    fn choose_times(
        &self,
        files: &Catalogue,
        variable: &SourceVariable,
    ) -> Result<Option<ChosenTimes>, Error> {
        let path = || files.files()[variable.parts[0].file].path().to_owned();
        if self.times == TimeSelection::All {
            return Ok(match &variable.time {
                Some(axis) => Some(self.times_of(variable, axis)?),
                None => None,
            });
        }
        match (&variable.time, &variable.scalar_time, &variable.time_fault) {
            (Some(axis), ..) => self.times_of(variable, axis).map(Some),
            // The one time there is must be what was asked for; it stays the scalar that it is.
            (None, Some(axis), _) => self.times_of(variable, axis).map(|_| None),
            (None, None, Some(fault)) => Err(Error::NotRegriddable {
                variable: variable.name().to_owned(),
                path: path(),
                reason: format!("times cannot be chosen: {fault}"),
                flags: false,
            }),
            // A field without time among others goes along; one that was asked for by name and time cannot.
            (None, None, None) if self.params.is_none() => Ok(None),
            (None, None, None) => Err(Error::NoTimeAxis {
                variable: variable.name().to_owned(),
                path: path(),
            }),
        }
    }

    /// The chosen times among those of one axis.
    fn times_of(&self, variable: &SourceVariable, axis: &TimeAxis) -> Result<ChosenTimes, Error> {
        let calendar = axis.units.calendar();
        let times = self.times.resolve(calendar)?;
        let show = |instant| calendar.date_time(instant).to_string();
        let (first, last) = axis
            .span()
            .map_or_else(Default::default, |(a, b)| (show(a), show(b)));
        axis.choose(&times, self.time_method)
            .map_err(|missing| Error::TimeNotFound {
                variable: variable.name().to_owned(),
                time: show(missing.wanted),
                first,
                last,
                hint: self.hint(axis, &missing),
            })
    }

    fn hint(&self, axis: &TimeAxis, missing: &crate::time::NotThere) -> String {
        let Some((first, last)) = axis.span() else {
            return String::new();
        };
        let calendar = axis.units.calendar();
        if self.time_method == TimeMethod::Exact && (first..=last).contains(&missing.wanted) {
            let nearest = calendar.date_time(missing.nearest);
            return format!(
                "; the nearest is {nearest} (time method nearest or linear would take it in)"
            );
        }
        String::new()
    }
}
