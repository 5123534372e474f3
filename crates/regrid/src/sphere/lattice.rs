//! Cells in rows and columns whose corners meet: the corners stand in rows and columns of their own, one more of each, and
//! which of them a cell has need not be listed.

/// Which crossings of rows and columns of corners are a cell's four corners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lattice {
    rows: usize,
    /// Cells in a row, and those of them that do not repeat the first ones.
    columns: usize,
    distinct: usize,
    /// For each corner the steps along a column and along a row from the first crossing of its cell.
    steps: [[usize; 2]; 4],
}

/// The steps of corners that run round a cell in one direction.
const ROUND: [[usize; 2]; 4] = [[0, 0], [0, 1], [1, 1], [1, 0]];

impl Lattice {
    /// That of so many cells, corners counted from the first crossing along the row.
    ///
    /// Columns beyond the `distinct` ones are the first ones again.
    pub(super) fn new(rows: usize, columns: usize, distinct: usize) -> Self {
        Self {
            rows,
            columns,
            distinct,
            steps: ROUND,
        }
    }

    /// The lattice in which cells with such corners meet, wherever their first corner is and whichever way they run round;
    /// none if some do not meet.
    pub(super) fn of<T: Copy>(
        (rows, columns): (usize, usize),
        corner: impl Fn(usize, usize) -> T,
        same: impl Fn(T, T) -> bool,
    ) -> Option<Self> {
        let turned = |by: usize, back: bool| {
            [0, 1, 2, 3].map(|k| ROUND[(by + if back { 4 - k } else { k }) % 4])
        };
        let ways = (0..4).flat_map(|by| [false, true].map(|back| turned(by, back)));
        let mut lattices = ways.map(|steps| Self {
            steps,
            ..Self::new(rows, columns, columns)
        });
        lattices.find(|lattice| {
            let alike = |row, column| {
                let own = row * columns + column;
                (0..4).all(|k| {
                    let [down, along] = lattice.steps[k];
                    let (cell, its) = lattice.cell_at(row + down, column + along);
                    same(corner(own, k), corner(cell, its))
                })
            };
            (0..rows).all(|row| (0..columns).all(|column| alike(row, column)))
        })
    }

    /// The places of a cell's corners among the crossings, row by row.
    #[inline]
    pub(super) fn places(&self, cell: usize) -> [usize; 4] {
        let (row, column) = (cell / self.columns, cell % self.columns);
        let column = if column < self.distinct {
            column
        } else {
            column % self.distinct
        };
        let width = self.distinct + 1;
        let first = row * width + column;
        self.steps.map(|[down, along]| first + down * width + along)
    }

    /// For each crossing, row by row, a cell that has it, and as which of its corners.
    pub(super) fn crossings(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + use<> {
        let (own, width) = (*self, self.distinct + 1);
        (0..(self.rows + 1) * width).map(move |at| own.cell_at(at / width, at % width))
    }

    /// The last cell that has a crossing, and as which of its corners.
    fn cell_at(&self, row: usize, column: usize) -> (usize, usize) {
        let (r, c) = (row.min(self.rows - 1), column.min(self.distinct - 1));
        let steps = [row - r, column - c];
        let corner = self.steps.iter().position(|&s| s == steps);
        (
            r * self.columns + c,
            corner.expect("a cell has a corner at either end of its row and column"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The crossing that is each corner of cells in three rows of four.
    fn crossing(steps: [[usize; 2]; 4]) -> impl Fn(usize, usize) -> usize {
        move |cell, corner| {
            let [down, along] = steps[corner];
            (cell / 4 + down) * 5 + cell % 4 + along
        }
    }

    #[test]
    fn cells_that_meet_are_seen_wherever_their_corners_begin() {
        for by in 0..4 {
            for back in [false, true] {
                let mut steps = ROUND;
                if back {
                    steps.reverse();
                }
                steps.rotate_left(by);
                let corner = crossing(steps);
                let lattice = Lattice::of((3, 4), &corner, |a, b| a == b).unwrap();
                for cell in 0..12 {
                    assert_eq!(lattice.places(cell), [0, 1, 2, 3].map(|k| corner(cell, k)));
                }
                let held: Vec<usize> = lattice.crossings().map(|(c, k)| corner(c, k)).collect();
                assert_eq!(held, (0..20).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_corner_apart_is_no_lattice() {
        let corner = crossing(ROUND);
        for (apart, which) in [(0, 2), (5, 0), (11, 1)] {
            let moved = |cell, k| match (cell, k) == (apart, which) {
                true => 99,
                false => corner(cell, k),
            };
            assert_eq!(Lattice::of((3, 4), moved, |a, b| a == b), None);
        }
        // An outer corner is one cell's alone.
        let outer = |cell, k| match (cell, k) {
            (11, 2) => 99,
            _ => corner(cell, k),
        };
        assert!(Lattice::of((3, 4), outer, |a, b| a == b).is_some());
    }

    #[test]
    fn columns_that_repeat_have_the_corners_of_the_first() {
        let lattice = Lattice::new(2, 5, 4);
        assert_eq!(lattice.places(4), lattice.places(0));
        assert_eq!(lattice.places(9), lattice.places(5));
        assert_eq!(lattice.places(6), [6, 7, 12, 11]);
        assert_eq!(lattice.crossings().len(), 15);
    }
}
