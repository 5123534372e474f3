//! Weights that are kept: made once between two grids, saved in a file that other tools read, loaded from theirs.
//!
//! [`Weights`] are what a [`Request`](crate::Request) uses instead of making its own. Files are SCRIP's, in the dialect of CDO (`scrip`), or
//! ESMF's, which xESMF reads (`esmf`): netCDF either way, one link after another, a link being a target cell, a source
//! cell and a weight. Cells are counted from 1 in the grid's own order, row by row, longitudes fastest: the order in which the
//! fields of the file that the grid is of are stored, be its latitudes rising or falling.
//!
//! # What is kept of the meaning
//! Our rows sum to one, with the part of the target that the source covers beside them; that is what these formats call
//! `fracarea`, with the part in `dst_grid_frac` or `frac_b`. CDO's own files of `fracarea` have a part of one there for any cell
//! that is reached at all: with them `min_valid` cannot tell how much of a target lies outside the source. Files of `destarea`, whose rows sum to the part, and of areas
//! (`none`) are understood. The mean at a pole is written as what it is, a sum over the cells of its row. What the files have no
//! word for goes into attributes of our own: the method's name, and [fingerprints](fingerprint::Fingerprint) of both grids.
//!
//! # What is refused
//! Weights are applied only to the grids they are for. A file with our fingerprints is checked by them, one
//! of another tool by the centres (and corners, for methods that look at cells) that it states; where it states none, as
//! xESMF's, by the number of cells, and a note says so.

mod content;
mod esmf;
mod fingerprint;
mod gradients;
mod links;
mod record;
mod scrip;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use content::{Content, FINGERPRINTS, KINDS, MESH, METHOD, Reader};
use gradients::Plane;
use links::{Links, Normalization};
use record::{GridRecord, Sameness};

use crate::attribute::Attributes;
use crate::destination::Destination;
use crate::error::Error;
use crate::grid::Grid;
use crate::io::Layout;
use crate::io::netcdf::NetcdfWriter;
use crate::output::now;
use crate::scheme::{Edges, Method, PlaneWeights, check_count};
use crate::weights::SparseWeights;

/// The format of a file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum WeightsFormat {
    /// SCRIP's, in CDO's dialect.
    #[default]
    Scrip,
    /// ESMF's and xESMF's.
    Esmf,
}

impl WeightsFormat {
    /// Every choice with its name.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("scrip", Self::Scrip), ("esmf", Self::Esmf)];
}

impl FromStr for WeightsFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known
            .map(|&(_, format)| format)
            .ok_or(Error::UnknownChoice {
                what: "format of weights",
                got: text.to_owned(),
                known: &["scrip", "esmf"],
            })
    }
}

/// Weights between two grids, to be used by requests and to be kept in files.
///
/// ```no_run
/// use regrid::{Catalogue, Edges, Grid, Method, Request, Weights, WeightsFormat};
///
/// let source = Grid::like("tas_2011.nc")?;
/// let target = Grid::global(0.5)?;
/// Weights::between(&source, &target, Method::AreaWeighted, Edges::default())?.save("weights.nc", WeightsFormat::Scrip)?;
///
/// // Another day, another program: `cdo remap,...,weights.nc` would do as well.
/// let weights = Weights::load("weights.nc")?;
/// let files = Catalogue::open(["tas_2012.nc"])?;
/// let fields = Request::new(&weights.target()?).weights(&weights).build(&files)?;
/// regrid::write("out.nc", &fields)?;
/// # Ok::<(), regrid::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Weights {
    plane: Arc<PlaneWeights>,
    source: Arc<GridRecord>,
    target: Arc<GridRecord>,
    /// The target as it was given, where it was.
    target_grid: Option<Arc<Grid>>,
    /// The source's columns that are not the first one again: what the mean at a pole is made of.
    distinct: usize,
    method: Option<Method>,
    stated: Option<String>,
    path: Option<PathBuf>,
}

impl Weights {
    /// The weights of a method between two grids.
    ///
    /// # Errors
    /// [`Error::OutsideSource`] or [`Error::PointOutside`] if a target lies outside and that is to be refused;
    /// [`Error::Combination`] if the method has no meaning between such grids; [`Error::TooManyCells`] beyond 2^26 cells.
    ///
    /// ```
    /// use regrid::{Edges, Grid, Method, Weights};
    ///
    /// let (source, target) = (Grid::global(2.0)?, Grid::global(5.0)?);
    /// let weights = Weights::between(&source, &target, Method::AreaWeighted, Edges::default())?;
    /// assert_eq!(weights.method(), Some(Method::AreaWeighted));
    /// let matrix = weights.matrix(); // 36 x 72 targets, cells of both grids counted row by row
    /// let cell: f64 = matrix.row(36 * 36).iter().map(|(_, weight)| weight).sum();
    /// assert!((cell - 1.0).abs() < 1e-12);
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn between(
        source: &Grid,
        target: &Grid,
        method: Method,
        edges: Edges,
    ) -> Result<Self, Error> {
        // Files name the place of every cell.
        check_count(source, target)?;
        let plane = PlaneWeights::new(source, target, method, edges, None)?;
        let columns = source.shape().1;
        Ok(Self {
            plane: Arc::new(plane),
            source: Arc::new(GridRecord::of(source)),
            target: Arc::new(GridRecord::of(target)),
            target_grid: Some(Arc::new(target.clone())),
            distinct: source.axes().map_or(columns, |(_, x)| x.distinct()),
            method: Some(method),
            stated: Some(method.name().to_owned()),
            path: None,
        })
    }

    /// Reads a file of SCRIP's, CDO's, ESMF's or xESMF's, or one that [was saved](Self::save) here.
    ///
    /// # Errors
    /// [`Error::WeightsFile`] with what is wrong: no such format, addresses of cells that do not exist, weights that are no
    /// numbers or make no mean; what the file system and the netCDF library say.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let reader = Reader::open(path)?;
        let content = if reader.has(&scrip::MARKS) {
            scrip::read(&reader)?
        } else if reader.has(&esmf::MARKS) {
            esmf::read(&reader)?
        } else {
            return Err(reader.unusable(
                "it holds neither remap_matrix, src_address and dst_address (SCRIP, CDO) nor S, row and col (ESMF, xESMF)",
            ));
        };
        let matrix = rows(&content).map_err(|what| reader.unusable(what))?;
        let Content {
            source,
            target,
            method,
            stated,
            ..
        } = content;
        Ok(Self {
            distinct: 0,
            plane: Arc::new(PlaneWeights::of_cells(matrix)),
            source: Arc::new(source),
            target: Arc::new(target),
            target_grid: None,
            method,
            stated,
            path: Some(path.to_owned()),
        })
    }

    /// Saves them in a new file.
    ///
    /// # Errors
    /// [`Error::OutputExists`]; [`Error::NotAMean`] for a method that is more than a weighted sum; [`Error::Nothing`] without
    /// any weight, or with more cells than the formats count; what the file system and the netCDF library say.
    pub fn save(&self, path: impl AsRef<Path>, format: WeightsFormat) -> Result<(), Error> {
        self.write(path, format, false, None)
    }

    /// Saves them in a file, in place of one that is there if that is wished, with what goes into its history: the command that
    /// made it, say.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn write(
        &self,
        path: impl AsRef<Path>,
        format: WeightsFormat,
        overwrite: bool,
        made_by: Option<&str>,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        let method = self.method.unwrap_or_default();
        if !matches!(
            method.rule(0.0),
            crate::kernel::Rule::Blend(_) | crate::kernel::Rule::Pick
        ) {
            return Err(Error::NotAMean {
                method: method.name(),
            });
        }
        let destination = Destination::new(path, overwrite)?;
        let layout = self.layout(method, format, made_by)?;
        NetcdfWriter::create(destination.temporary_path(), path, &layout, 0)?.finish()?;
        destination.appear()
    }

    fn layout(
        &self,
        method: Method,
        format: WeightsFormat,
        made_by: Option<&str>,
    ) -> Result<Layout, Error> {
        let matrix = self.matrix();
        let links = Links::of(&matrix);
        if links.weights.is_empty() {
            return Err(Error::Nothing {
                action: "save: no target cell has a weight",
            });
        }
        let (mut source, mut target) = (
            GridRecord::clone(&self.source),
            GridRecord::clone(&self.target),
        );
        // A file that tells less than this is one that was loaded; its links tell the rest.
        let columns = links.sources.iter().fold(0.0, |most, &x| f64::max(most, x)) as usize;
        source.size.get_or_insert(columns);
        target.size.get_or_insert(matrix.len());
        for grid in [&mut source, &mut target] {
            if grid.dims.is_empty() {
                grid.dims = grid.size.into_iter().collect();
            }
        }
        let (sources, targets) = (source.size.unwrap_or(0), target.size.unwrap_or(0));
        let reached = |target: usize| !matrix.row(target).is_empty();
        let part = |t: usize| {
            if t < matrix.len() && reached(t) {
                matrix.covered(t)
            } else {
                0.0
            }
        };
        let covered: Vec<f64> = (0..targets).map(part).collect();
        if method.needs_cells()
            && let (Some(own), Some(areas)) = (&source.areas, &target.areas)
        {
            let mut taken = vec![0.0; sources];
            for t in 0..matrix.len() {
                for (s, weight) in matrix.row(t) {
                    taken[s] += weight * covered[t] * areas[t];
                }
            }
            let part = |(&taken, &area): (&f64, &f64)| if area > 0.0 { taken / area } else { 0.0 };
            source.fractions = Some(taken.iter().zip(own).map(part).collect());
        }
        source.fractions.get_or_insert_with(|| vec![1.0; sources]);
        target.fractions = Some(covered);
        let content = Content {
            source,
            target,
            links,
            normalization: Normalization::CoveredArea,
            method: Some(method),
            stated: None,
        };
        let mut layout = match format {
            WeightsFormat::Scrip => scrip::layout(&content, method)?,
            WeightsFormat::Esmf => esmf::layout(&content, method)?,
        };
        self.add_attributes(&mut layout.attributes, &content, made_by);
        Ok(layout)
    }

    /// What both formats tell besides.
    fn add_attributes(
        &self,
        attributes: &mut Attributes,
        content: &Content,
        made_by: Option<&str>,
    ) {
        if self.method.is_some() {
            let method = self.method.map_or("", Method::name);
            attributes.set(METHOD, method);
        }
        for (name, grid) in KINDS.iter().zip([&content.source, &content.target]) {
            let kind = match grid.dims.len() {
                1 => "unstructured",
                _ if grid.grid().is_ok_and(|grid| grid.axes().is_some()) => "lonlat",
                _ => MESH,
            };
            attributes.set(name, kind);
        }
        for (name, grid) in FINGERPRINTS.iter().zip([&content.source, &content.target]) {
            if let Some(fingerprint) = grid.fingerprint {
                attributes.set(name, fingerprint.to_string());
            }
        }
        let version = env!("CARGO_PKG_VERSION");
        let made_by = made_by.unwrap_or("regrid::Weights::save");
        attributes.set("history", format!("{} regrid {version}: {made_by}", now()));
    }

    /// The method that they were made by, if that is known.
    pub fn method(&self) -> Option<Method> {
        self.method
    }

    /// The method in the words of the file that they are from, if it states one.
    pub fn stated(&self) -> Option<&str> {
        self.stated.as_deref()
    }

    /// The target's grid.
    ///
    /// That of a file has rows and columns where its cells lie in such, with their bounds if it states corners.
    ///
    /// # Errors
    /// [`Error::Nothing`] for a file that does not state where the target's cells lie; [`Error::WeightsFile`] if they make no grid.
    pub fn target(&self) -> Result<Grid, Error> {
        match &self.target_grid {
            Some(grid) => Ok(Grid::clone(grid)),
            None => self
                .target
                .grid()
                .map_err(|error| match (&self.path, error) {
                    (_, nothing @ Error::Nothing { .. }) | (None, nothing) => nothing,
                    (Some(path), error) => Error::WeightsFile {
                        path: path.clone(),
                        what: format!("its target cells make no grid: {error}"),
                    },
                }),
        }
    }

    /// The weights from source cell to target cell, both counted row by row from 0.
    ///
    /// The mean at a pole is a sum over the cells of its row.
    pub fn matrix(&self) -> Cow<'_, SparseWeights> {
        let (rows, columns) = match *self.source.dims.as_slice() {
            [columns, rows] => (rows, columns),
            _ => (1, self.source.dims.iter().product()),
        };
        self.plane.cells_of(rows, columns, self.distinct)
    }

    /// The file that they were loaded from, if they were.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What they are called in messages.
    pub(crate) fn name(&self) -> String {
        match &self.path {
            Some(path) => format!("the weights in {}", path.display()),
            None => "the weights".into(),
        }
    }

    /// The share of valid cells that is asked for by default.
    pub(crate) fn default_min_valid(&self) -> f64 {
        match (self.method, self.plane.as_ref()) {
            (Some(method), _) => method.default_min_valid(),
            // Parts of cells are areas, else these are points.
            (None, PlaneWeights::Sparse(matrix, _)) => {
                let whole = (0..matrix.len()).all(|t| matrix.covered(t) == 1.0);
                f64::from(u8::from(whole))
            }
            (None, PlaneWeights::Separable(_)) => 1.0,
        }
    }

    /// Refuses a method that they were not made by.
    ///
    /// # Errors
    /// [`Error::WeightsMethod`] if they state another one.
    pub(crate) fn check_method(&self, asked: Method) -> Result<(), Error> {
        let made = match (self.method, &self.stated) {
            (Some(method), _) if method == asked => return Ok(()),
            (_, None) => return Ok(()),
            (_, Some(stated)) => stated.clone(),
        };
        Err(Error::WeightsMethod {
            weights: self.name(),
            made,
            asked: asked.name(),
        })
    }

    /// The weights for a source, which `what` names, and a target, with what is to be said about it.
    ///
    /// # Errors
    /// [`Error::WeightsGrid`] if they are for other grids.
    pub(crate) fn onto(
        &self,
        source: &Grid,
        what: &str,
        target: &Grid,
    ) -> Result<(Arc<PlaneWeights>, Option<String>), Error> {
        let by_cells = self.method.is_none_or(Method::needs_cells);
        let differs = |side, of: &str, grid: &Grid, differs| Error::WeightsGrid {
            weights: self.name(),
            side,
            of: of.to_owned(),
            grid: grid.to_string(),
            differs,
        };
        let from = self.source.compare(source, by_cells);
        let from = from.map_err(|d| differs("source", what, source, d))?;
        let to = self.target.compare(target, by_cells);
        let to = to.map_err(|d| differs("target", "the target asked for", target, d))?;
        let note = (from == Sameness::Size || to == Sameness::Size).then(|| {
            format!(
                "{} do not say where their cells are: only the numbers of cells were compared",
                self.name()
            )
        });
        let PlaneWeights::Sparse(matrix, _) = self.plane.as_ref() else {
            return Ok((self.plane.clone(), note));
        };
        let cells = |grid: &Grid| grid.shape().0 * grid.shape().1;
        // A file that does not tell its sizes may name cells that the grids do not have, or not name their last ones.
        if self.source.size.is_none() {
            let last = matrix.sources(0..matrix.len()).last().copied();
            if let Some(last) = last.filter(|&last| last >= cells(source)) {
                let text = format!("they name cell {}", last + 1);
                return Err(differs("source", what, source, text));
            }
        }
        if matrix.len() > cells(target) {
            let text = format!("they name cell {}", matrix.len());
            return Err(differs("target", "the target asked for", target, text));
        }
        if matrix.len() == cells(target) {
            return Ok((self.plane.clone(), note));
        }
        let mut padded = SparseWeights::clone(matrix);
        (matrix.len()..cells(target)).for_each(|_| padded.push_row([]));
        Ok((Arc::new(PlaneWeights::of_cells(padded)), note))
    }
}

/// The rows of a file's links; `Err` says what is wrong with them.
fn rows(content: &Content) -> Result<SparseWeights, String> {
    let Content {
        source,
        target,
        links,
        normalization,
        method,
        ..
    } = content;
    let plane = match (links.per_link, source.dims.as_slice(), &source.mask) {
        (4, _, Some(mask)) if mask.contains(&false) => {
            return Err("its bicubic weights leave cells out that are missing; make them from a field without missing values".into());
        }
        (4, &[columns, rows], _) => Some(Plane { rows, columns }),
        (4, _, _) => return Err("its bicubic weights need a source of rows and columns".into()),
        _ => None,
    };
    let rows = links.rows(
        [source.size, target.size],
        plane,
        *normalization,
        target.areas.as_deref(),
        target.fractions.as_deref(),
    )?;
    if *method == Some(Method::Nearest) {
        let several = (0..rows.len()).find(|&t| rows.row(t).len() > 1);
        if let Some(target) = several {
            let cells = rows.row(target).len();
            return Err(format!(
                "its target cell {} has {cells} nearest cells",
                target + 1
            ));
        }
    }
    Ok(rows)
}
