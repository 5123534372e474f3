//! The neighbours of source cells in rows and columns, most of which are where one expects them.

/// For each source cell the four between which differences are taken: ahead and back along its row, ahead and back along its
/// column. One that is the cell itself stands for none.
///
/// A byte tells those of most cells; listed, they would take sixteen.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Neighbours {
    /// The steps from a cell to the next ones, the numbers of cells being counted round.
    steps: [u32; 4],
    /// For each cell a bit for each step that leads to its neighbour; where it does not, the cell is its own.
    taken: Vec<u8>,
    /// Those of cells that have others, in the order of the cells: at a seam, a fold, beyond a pole.
    others: Vec<(u32, [u32; 4])>,
}

/// Stands for neighbours that are listed.
const LISTED: u8 = u8::MAX;

impl Neighbours {
    /// The neighbours of cells one after the other, in rows of so many columns.
    pub(super) fn new(columns: u32, of_cells: impl ExactSizeIterator<Item = [u32; 4]>) -> Self {
        let mut neighbours = Self {
            steps: [1, 1_u32.wrapping_neg(), columns, columns.wrapping_neg()],
            taken: Vec::with_capacity(of_cells.len()),
            others: Vec::new(),
        };
        for (cell, own) in (0..).zip(of_cells) {
            let taken = (0..4).filter(|&way| own[way] != cell);
            let taken = taken.fold(0, |taken, way| taken | 1 << way);
            let as_told = neighbours.told(cell, taken) == own;
            neighbours.taken.push(if as_told { taken } else { LISTED });
            if !as_told {
                neighbours.others.push((cell, own));
            }
        }
        neighbours.others.shrink_to_fit();
        neighbours
    }

    /// The neighbours of a cell.
    // Always: it becomes part of loops that are compiled for several processors.
    #[inline(always)]
    pub(super) fn of(&self, cell: u32) -> [u32; 4] {
        match self.taken[cell as usize] {
            LISTED => self.listed(cell),
            taken => self.told(cell, taken),
        }
    }

    #[inline(always)]
    fn told(&self, cell: u32, taken: u8) -> [u32; 4] {
        let mut beside = [cell; 4];
        for (way, (beside, step)) in beside.iter_mut().zip(self.steps).enumerate() {
            if taken >> way & 1 == 1 {
                *beside = cell.wrapping_add(step);
            }
        }
        beside
    }

    #[cold]
    fn listed(&self, cell: u32) -> [u32; 4] {
        let at = self.others.binary_search_by_key(&cell, |other| other.0);
        self.others[at.expect("every cell that is marked is listed")].1
    }

    /// Bytes of memory that they take.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.taken[..]) + size_of_val(&self.others[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_come_back_as_they_were_and_few_are_listed() {
        // Three rows of four that go round: an open end below, cells opposite beyond the last row, one cell without a place.
        let own = |cell: u32| {
            let (row, column) = (cell / 4, cell % 4);
            let [after, before] = [1, 3].map(|on| row * 4 + (column + on) % 4);
            let below = if row == 0 { cell } else { cell - 4 };
            let above = if row == 2 {
                8 + (column + 2) % 4
            } else {
                cell + 4
            };
            match cell {
                5 => [cell; 4],
                _ => [after, before, above, below].map(|n| if n == 5 { cell } else { n }),
            }
        };
        let neighbours = Neighbours::new(4, (0..12).map(own).collect::<Vec<_>>().into_iter());
        for cell in 0..12 {
            assert_eq!(neighbours.of(cell), own(cell), "{cell}");
        }
        let listed: Vec<u32> = neighbours.others.iter().map(|other| other.0).collect();
        assert_eq!(listed, [0, 3, 4, 7, 8, 9, 10, 11]);
        assert_eq!(neighbours.bytes(), 12 + 8 * 20);
    }
}
