//! Bicubic weights as SCRIP and CDO store them: four a link, for the value of the source cell, its slopes along its row and its column,
//! and the twist of both.
//!
//! Slopes are differences between neighbours on the source's rows and columns, in steps of the index: centred where there
//! are two neighbours, one-sided in the first and last row; columns go round. So each link is a sum over cells like any other.
//!
//! Source: Jones (1998), A User's Guide for SCRIP, section 2.3; CDO 2.1.1 as it applies such weights.

/// The shape of a source grid whose cells are counted row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Plane {
    /// The cells, with their weights, that stand for one link of four weights.
    pub(super) fn expand(
        self,
        cell: usize,
        [value, along, across, twist]: [f64; 4],
    ) -> Vec<(usize, f64)> {
        let (row, column) = (cell / self.columns, cell % self.columns);
        let at = |row: usize, column: usize| row * self.columns + column;
        let east = (column + 1) % self.columns;
        let west = (column + self.columns - 1) % self.columns;
        let (north, south) = ((row + 1).min(self.rows - 1), row.saturating_sub(1));
        let (step, rise) = (0.5, if north - south == 2 { 0.5 } else { 1.0 });
        vec![
            (cell, value),
            (at(row, east), step * along),
            (at(row, west), -step * along),
            (at(north, column), rise * across),
            (at(south, column), -rise * across),
            (at(north, east), step * rise * twist),
            (at(north, west), -step * rise * twist),
            (at(south, east), -step * rise * twist),
            (at(south, west), step * rise * twist),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_a_plane_are_its_own() {
        let plane = Plane {
            rows: 3,
            columns: 6,
        };
        let field = |cell: usize| 2.0 + 3.0 * (cell % 6) as f64 + 10.0 * (cell / 6) as f64;
        let sum = |cell, weights| -> f64 {
            let cells = plane.expand(cell, weights);
            cells.iter().map(|&(at, w)| w * field(at)).sum()
        };
        for cell in [1, 8, 16] {
            assert_eq!(sum(cell, [1.0, 0.0, 0.0, 0.0]), field(cell));
            assert_eq!(sum(cell, [0.0, 1.0, 0.0, 0.0]), 3.0);
            assert_eq!(sum(cell, [0.0, 0.0, 1.0, 0.0]), 10.0);
            assert_eq!(sum(cell, [0.0, 0.0, 0.0, 1.0]), 0.0);
        }
    }
}
