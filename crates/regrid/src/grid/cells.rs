//! Any grid as cells on the sphere: centres and corners in latitude and longitude.

use super::{Corners, Crs, Grid, Layout, SphereCells};

impl Grid {
    /// The cells of the grid on the sphere, row by row, whatever its layout.
    ///
    /// Corners come from bounds, given or midway between centres; curvilinear grids and points without bounds have none.
    /// Those of rotated and projected grids are carried over to the globe, their edges taken for great circles.
    pub(crate) fn sphere_cells(&self) -> SphereCells {
        match &self.layout {
            Layout::Curvilinear { cells, .. } | Layout::Points { cells, .. } => cells.clone(),
            Layout::Rectilinear {
                latitudes,
                longitudes,
            } => {
                let cells = SphereCells::rectilinear(latitudes, longitudes);
                match &self.crs {
                    Crs::Geographic => cells,
                    crs => carried(cells, crs),
                }
            }
            Layout::Projected { y, x } => {
                let cells = SphereCells::outer(
                    (y.centres(), &y.cell_bounds()),
                    (x.centres(), &x.cell_bounds()),
                );
                carried(cells, &self.crs)
            }
        }
    }
}

/// Cells in a system of their own, on the globe.
fn carried(mut cells: SphereCells, crs: &Crs) -> SphereCells {
    let carry = |ys: &mut [f64], xs: &mut [f64]| {
        for (y, x) in ys.iter_mut().zip(xs) {
            (*y, *x) = crs.to_geographic(*y, *x);
        }
    };
    carry(&mut cells.latitudes, &mut cells.longitudes);
    if let Some(Corners {
        latitudes,
        longitudes,
        along_parallels,
        ..
    }) = &mut cells.corners
    {
        carry(latitudes, longitudes);
        *along_parallels = false;
    }
    cells
}
