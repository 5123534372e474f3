//! Components of vectors: what becomes of wind when its grid turns.

use crate::attribute::Attributes;
use crate::grid::{Crs, Grid, Layout};

/// Parts of standard names of components along the axes of a grid.
const ALONG_AXES: [&str; 8] = [
    "x_wind",
    "y_wind",
    "grid_eastward",
    "grid_northward",
    "_x_velocity",
    "_y_velocity",
    "_x_stress",
    "_y_stress",
];

/// A note on a component of a vector that crosses grids of different rotation, if this is one.
///
/// Every field is regridded by itself, as a scalar. A component along the source's axes does not turn into one along the
/// target's by that; one towards east or north stays so, which is not along the axes of a turned target.
pub(super) fn note(
    name: &str,
    attributes: &Attributes,
    source: &Grid,
    target: &Grid,
) -> Option<String> {
    let known = attributes.text("standard_name").unwrap_or(name);
    let turned = |grid: &Grid| {
        grid.crs != Crs::Geographic || matches!(grid.layout, Layout::Curvilinear { .. })
    };
    if source.same_points(target) || !(turned(source) || turned(target)) {
        return None;
    }
    let same_axes = source.crs == target.crs && source.crs != Crs::Geographic;
    if same_axes {
        return None;
    }
    if ALONG_AXES.iter().any(|part| known.contains(part)) {
        return Some(format!(
            "{name} is a component along the axes of the source grid, and stays that: turn vectors towards east and north before they are regridded to a grid of other axes"
        ));
    }
    let geographic = ["eastward", "northward"]
        .iter()
        .any(|part| known.contains(part));
    (geographic && turned(target)).then(|| {
        format!("{name} is a component towards east or north, and stays that: it is not along the axes of the target grid")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::RotatedPole;

    #[test]
    fn components_are_noted_where_axes_differ() {
        let plain = Grid::from_axes([0.0, 1.0], [0.0, 1.0]).unwrap();
        let pole = RotatedPole {
            latitude: 40.0,
            longitude: 10.0,
            north_pole_longitude: 0.0,
        };
        let (latitudes, longitudes) = plain.axes().unwrap();
        let rotated = Grid::rotated(pole, latitudes.clone(), longitudes.clone());
        let note = |standard_name: &str, source, target| {
            let attributes = [("standard_name", standard_name)].into_iter().collect();
            note("u", &attributes, source, target).is_some()
        };
        assert!(note("x_wind", &rotated, &plain) && note("x_wind", &plain, &rotated));
        assert!(note("eastward_wind", &plain, &rotated));
        assert!(!note("eastward_wind", &rotated, &plain));
        assert!(!note("x_wind", &rotated, &rotated) && !note("x_wind", &plain, &plain));
        assert!(!note("air_temperature", &rotated, &plain));
    }
}
