//! The options that name a target grid: one of them, and a grid out of it.

use std::path::{Path, PathBuf};

use clap::Args;
use regrid::Grid;

use crate::Result;
use crate::axis::TypedAxis;
use crate::failure::Failure;

/// Where the target grid comes from.
#[derive(Debug)]
pub(crate) enum Target {
    /// The grid of this file.
    Like(PathBuf),
    /// The points that this file lists.
    Listed(PathBuf),
    /// This one.
    Grid(Box<Grid>),
    /// The grid that the weights go to.
    OfWeights,
}

/// The options that name a target grid.
#[derive(Debug, Args)]
pub(super) struct TypedTarget {
    /// The grid of a netCDF file, or of a text that describes one as `cdo griddes` prints it
    #[arg(long, value_name = "FILE", help_heading = "Target grid, one of")]
    like: Option<PathBuf>,

    /// A global grid: a step in degrees (0.5: cells of half a degree), r<columns>x<rows> (r360x180), n<rows of half a
    /// globe> Gaussian (n80) or global_<step>, as CDO means them; or a file as for --like
    #[arg(
        long,
        value_name = "NAME",
        allow_negative_numbers = true,
        help_heading = "Target grid, one of"
    )]
    grid: Option<String>,

    /// Latitudes: START:STOP:STEP, both ends included, or a list with commas; downwards where STOP is
    /// less than START
    #[arg(
        long,
        value_name = "AXIS",
        allow_hyphen_values = true,
        help_heading = "Target grid, one of"
    )]
    lat: Option<TypedAxis>,

    /// Longitudes, together with --lat; across Greenwich as -10:10:1 or 350:370:1
    #[arg(
        long,
        value_name = "AXIS",
        allow_hyphen_values = true,
        help_heading = "Target grid, one of"
    )]
    lon: Option<TypedAxis>,

    /// A list of points: LAT,LON, repeatable or with slashes between, or a text file with a latitude, a longitude and
    /// perhaps a name on each line
    #[arg(
        long,
        value_name = "FILE|LAT,LON",
        allow_hyphen_values = true,
        help_heading = "Target grid, one of"
    )]
    points: Vec<String>,
}

impl TypedTarget {
    /// The one target that was named, if one was.
    pub(super) fn check(self) -> Result<Option<Target>> {
        target(
            self.like,
            self.grid.as_deref(),
            (self.lat, self.lon),
            &self.points,
        )
    }
}

pub(super) fn no_target() -> Failure {
    Failure::usage(
        "no target grid is named: give --like FILE, --grid NAME, --points FILE, or --lat with --lon",
    )
}

/// The one target that was named.
fn target(
    like: Option<PathBuf>,
    grid: Option<&str>,
    axes: (Option<TypedAxis>, Option<TypedAxis>),
    points: &[String],
) -> Result<Option<Target>> {
    let made = |option: &str, grid: Result<Grid, regrid::Error>| match grid {
        Ok(grid) => Ok(Some(Target::Grid(Box::new(grid)))),
        Err(error) => Err(Failure::option(option, &error)),
    };
    match (like, grid, axes, points) {
        (Some(file), None, (None, None), []) => Ok(Some(Target::Like(file))),
        (None, Some(name), (None, None), []) => match Grid::named(name) {
            // A pipe serves too.
            Err(regrid::Error::GridName { .. })
                if Path::new(name).metadata().is_ok_and(|meta| !meta.is_dir()) =>
            {
                Ok(Some(Target::Like(name.into())))
            }
            grid => made("--grid", grid),
        },
        (None, None, (Some(lat), Some(lon)), []) => {
            let latitudes = lat.latitudes().map_err(|e| Failure::option("--lat", &e))?;
            let longitudes = lon.longitudes().map_err(|e| Failure::option("--lon", &e))?;
            made("--lat and --lon", Grid::from_axes(latitudes, longitudes))
        }
        (None, None, (Some(_), None), []) => Err(Failure::usage("--lat needs --lon beside it")),
        (None, None, (None, Some(_)), []) => Err(Failure::usage("--lon needs --lat beside it")),
        (None, None, (None, None), []) => Ok(None),
        (None, None, (None, None), points) => match (pairs(points), points) {
            (Some((latitudes, longitudes)), _) => {
                made("--points", Grid::points(latitudes, longitudes))
            }
            (None, [file]) => Ok(Some(Target::Listed(file.into()))),
            (None, _) => Err(Failure::usage(
                "--points: expected one file, or a latitude and a longitude as in 51.5,-0.1 each time",
            )),
        },
        _ => Err(Failure::usage(
            "more than one target grid is named: give one of --like, --grid, --points, or --lat with --lon",
        )),
    }
}

/// Latitudes and longitudes, as in `51.5,-0.1` and `51.5,-0.1/48.9,2.4`; nothing if a text is anything else.
fn pairs(texts: &[String]) -> Option<(Vec<f64>, Vec<f64>)> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let pair = |text: &str| {
        let (latitude, longitude) = text.split_once(',')?;
        Some((number(latitude)?, number(longitude)?))
    };
    texts
        .iter()
        .flat_map(|text| text.split('/'))
        .map(pair)
        .collect()
}
