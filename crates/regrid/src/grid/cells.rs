//! Any grid as cells on the sphere: centres and corners in latitude and longitude.

use std::borrow::Cow;

use super::{Crs, Grid, Layout, SphereCells};
use crate::axis::{Latitudes, Longitudes, PlaneAxis};
use crate::sphere::{Cells, Rectilinear};

impl Grid {
    /// The cells of the grid on the sphere, row by row, whatever its layout.
    ///
    /// Corners come from bounds, given or midway between centres; curvilinear grids and points without bounds have none.
    /// Those of rotated and projected grids are carried over to the globe, their edges taken for great circles.
    pub(crate) fn sphere_cells(&self) -> Cow<'_, SphereCells> {
        self.on_sphere(SphereCells::rectilinear, |y, x| {
            SphereCells::outer(
                (y.centres(), &y.cell_bounds()),
                (x.centres(), &x.cell_bounds()),
            )
        })
    }

    /// The cells of the grid on the sphere one by one: those of latitudes and longitudes are made as they are asked for.
    pub(crate) fn cells(&self) -> Box<dyn Cells + '_> {
        self.made().unwrap_or_else(|| Box::new(self.sphere_cells()))
    }

    /// Their centres, for methods that look at no more: a grid of other axes has no corners made for it.
    pub(crate) fn centred_cells(&self) -> Box<dyn Cells + '_> {
        self.made().unwrap_or_else(|| {
            Box::new(self.on_sphere(
                |latitudes, longitudes| {
                    SphereCells::outer_centres(latitudes.centres(), longitudes.centres())
                },
                |y, x| SphereCells::outer_centres(y.centres(), x.centres()),
            ))
        })
    }

    /// The cells between latitudes and longitudes of the globe itself.
    fn made(&self) -> Option<Box<dyn Cells + '_>> {
        let (latitudes, longitudes) = self.axes().filter(|_| self.crs == Crs::Geographic)?;
        Some(Box::new(Rectilinear::new(latitudes, longitudes)))
    }

    /// The cells as they are held, or as they are made of axes.
    fn on_sphere(
        &self,
        rectilinear: impl Fn(&Latitudes, &Longitudes) -> SphereCells,
        projected: impl Fn(&PlaneAxis, &PlaneAxis) -> SphereCells,
    ) -> Cow<'_, SphereCells> {
        let cells = match &self.layout {
            Layout::Curvilinear { cells, .. } | Layout::Points { cells, .. } => {
                return Cow::Borrowed(cells);
            }
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => rectilinear(latitudes, longitudes),
            Layout::Projected { y, x } => projected(y, x),
        };
        Cow::Owned(match &self.crs {
            Crs::Geographic => cells,
            crs => carried(cells, crs),
        })
    }
}

/// Cells in a system of their own, on the globe.
fn carried(mut cells: SphereCells, crs: &Crs) -> SphereCells {
    for (y, x) in cells.latitudes.iter_mut().zip(&mut cells.longitudes) {
        (*y, *x) = crs.to_geographic(*y, *x);
    }
    if let Some(corners) = &mut cells.corners {
        corners.map(|y, x| crs.to_geographic(y, x));
        corners.kind.along_parallels = false;
    }
    cells
}
