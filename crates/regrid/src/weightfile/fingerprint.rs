//! What tells a grid from every other: numbers that are the same wherever its coordinates are stored, in floats of 32 or 64 bits.

use std::fmt;
use std::str::FromStr;

use crate::sphere::SphereCells;

/// Two numbers made of a grid's cells: one of its shape and centres, one of its corners.
///
/// Coordinates are rounded to 32-bit floats first, longitudes brought into one turn, so that the same grid read from
/// another file has the same numbers. Where a coordinate was computed otherwise, or turned, and lies next to the limit of
/// a rounding the numbers differ although the grids do not: then it is for the coordinates themselves to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) centres: u64,
    pub(crate) corners: u64,
}

impl Fingerprint {
    pub(crate) fn of(cells: &SphereCells) -> Self {
        let mut centres = Hash::default();
        centres.add(&(cells.rows as u64).to_le_bytes());
        centres.add(&(cells.columns as u64).to_le_bytes());
        let places = cells.latitudes.iter().zip(&cells.longitudes);
        centres.points(places.map(|(&latitude, &longitude)| (latitude, longitude)));
        let mut corners = Hash::default();
        if let Some(own) = &cells.corners {
            corners.points(own.latitudes().zip(own.longitudes()));
        }
        Self {
            centres: centres.0,
            corners: corners.0,
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}", self.centres, self.corners)
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (centres, corners) = text.split_once('-').ok_or(())?;
        let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| ());
        Ok(Self {
            centres: number(centres)?,
            corners: number(corners)?,
        })
    }
}

/// The 64-bit hash of Fowler, Noll and Vo, variant 1a: it stays the same from version to version, since files hold it.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds bytes to what it is of.
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn points(&mut self, places: impl Iterator<Item = (f64, f64)>) {
        for (latitude, longitude) in places {
            let turned = f64::from(longitude as f32).rem_euclid(360.0);
            // Less than nothing by a rounding is a whole turn by now.
            let turned = if turned as f32 == 360.0 { 0.0 } else { turned };
            for x in [latitude, turned] {
                // Neither the sign of zero nor the kind of NaN tells grids apart.
                let x = if x.is_nan() { f32::NAN } else { x as f32 + 0.0 };
                self.add(&x.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;

    fn of(latitudes: Vec<f64>, longitudes: Vec<f64>) -> Fingerprint {
        Fingerprint::of(
            &Grid::from_axes(latitudes, longitudes)
                .unwrap()
                .sphere_cells(),
        )
    }

    #[test]
    fn a_grid_stored_in_32_bits_or_another_turn_is_the_same() {
        let stored = |x: f64| f64::from(x as f32);
        let latitudes: Vec<f64> = (0..70).map(|i| f64::from(i) * 0.1 - 3.3).collect();
        let longitudes: Vec<f64> = (0..90).map(|i| f64::from(i) * 0.7 - 31.1).collect();
        let own = of(latitudes.clone(), longitudes.clone());
        let short = of(
            latitudes.iter().copied().map(stored).collect(),
            longitudes.iter().copied().map(stored).collect(),
        );
        assert_eq!(own.centres, short.centres);
        let moved = of(latitudes, longitudes.iter().map(|x| x + 0.001).collect());
        assert_ne!(own.centres, moved.centres);
        let half = |turn: f64| (0..9).map(|i| f64::from(i) * 0.5 - 2.0 + turn).collect();
        let turned = [0.0, 360.0].map(|turn| of(vec![1.0, 2.0], half(turn)));
        assert_eq!(turned[0], turned[1]);
    }

    #[test]
    fn bounds_tell_grids_of_the_same_centres_apart() {
        let grid = |edge: f64| {
            use crate::axis::{Latitudes, Longitudes};
            let bounds = vec![[0.0, edge], [edge, 4.0]];
            let latitudes = Latitudes::new(vec![1.0, 3.0], Some(bounds)).unwrap();
            let longitudes = Longitudes::new(vec![0.0, 1.0], None).unwrap();
            Fingerprint::of(&Grid::new(latitudes, longitudes).sphere_cells())
        };
        assert_eq!(grid(2.0).centres, grid(2.1).centres);
        assert_ne!(grid(2.0).corners, grid(2.1).corners);
    }

    #[test]
    fn it_is_what_files_of_older_versions_hold() {
        let own = of(vec![10.0, 20.0], vec![0.0, 5.0, 10.0]);
        assert_eq!(own.to_string(), "96e2abd6295ea2e4-a694f13465f073a9");
    }

    #[test]
    fn it_survives_being_written() {
        let own = of(vec![1.0, 2.0], vec![0.0, -1e-20]);
        assert_eq!(own.to_string().parse(), Ok(own));
        assert_eq!("not one".parse::<Fingerprint>(), Err(()));
    }
}
