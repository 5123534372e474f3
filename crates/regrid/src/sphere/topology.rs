//! How the rows and columns of a mesh join: round the globe, across a northern fold, round a pole.
//!
//! Files do not say it, so it is read off the centres. A mesh goes round when its last columns repeat the first (halo
//! columns), or when its last column is as near to the first as neighbours are. The outer row of a mesh that goes round
//! may lie folded on itself, as in tripolar ocean grids, or run round a small hole, as in grids of latitudes.

use super::Cells;
use super::vector::{SAME, Vector, angle, distance_2, dot, is_finite, mean, minus, point, times};

/// Centres in rows and columns, with what joins their ends.
#[derive(Debug)]
pub(super) struct Mesh {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) points: Vec<Vector>,
    /// The columns before they repeat, if the mesh goes round.
    pub(super) round: Option<usize>,
    /// What lies beyond the first and beyond the last row.
    pub(super) ends: [End; 2],
}

/// What lies beyond an outer row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// Nothing: the domain ends.
    Open,
    /// The same row backwards: beyond column `i` lies column `sum - i`, or, where the fold runs through the row's own
    /// points, that column of the row before.
    Fold { sum: usize, on_points: bool },
    /// A hole no wider than the rows are apart, round its centre: a pole.
    Hole { centre: Vector },
    /// The row itself is a single point.
    Point,
}

/// How much further apart than their neighbours two points may be and still be neighbours.
const NEAR: f64 = 1.5;

impl Mesh {
    /// The mesh of the cells' centres.
    pub(super) fn new(cells: &dyn Cells) -> Self {
        let (rows, columns) = cells.shape();
        let mut mesh = Self {
            rows,
            columns,
            points: points(cells),
            round: None,
            ends: [End::Open; 2],
        };
        if mesh.has_quads() {
            mesh.round = mesh.find_round();
            if let Some(round) = mesh.round {
                let last = mesh.rows - 1;
                mesh.ends = [
                    mesh.find_end(0, 1, round),
                    mesh.find_end(last, last - 1, round),
                ];
            }
        }
        mesh
    }

    /// Whether there is anything between the centres: a list of points is no mesh.
    pub(super) fn has_quads(&self) -> bool {
        self.rows > 1 && self.columns > 1
    }

    pub(super) fn index(&self, row: usize, column: usize) -> usize {
        row * self.columns + column
    }

    fn at(&self, row: usize, column: usize) -> Vector {
        self.points[self.index(row, column)]
    }

    /// The columns that count: without those that repeat.
    pub(super) fn distinct(&self) -> usize {
        self.round.unwrap_or(self.columns)
    }

    /// The column after a distinct one.
    pub(super) fn after(&self, column: usize) -> Option<usize> {
        match self.round {
            Some(round) => Some((column + 1) % round),
            None => (column + 1 < self.columns).then_some(column + 1),
        }
    }

    /// The column before a distinct one.
    pub(super) fn before(&self, column: usize) -> Option<usize> {
        match self.round {
            Some(round) => Some((column + round - 1) % round),
            None => column.checked_sub(1),
        }
    }

    /// The cell one column and one row on at most, across what joins the ends; beyond a pole the one opposite, if there is
    /// one: not with an odd number of columns.
    pub(super) fn neighbour(&self, cell: usize, rows: isize, columns: isize) -> Option<usize> {
        let distinct = self.distinct();
        let (row, column) = (cell / self.columns, cell % self.columns % distinct);
        let column = match columns {
            0 => column,
            1 => self.after(column)?,
            _ => self.before(column)?,
        };
        let Some(next) = row.checked_add_signed(rows).filter(|&r| r < self.rows) else {
            let over = match self.ends[usize::from(rows > 0)] {
                End::Open => return None,
                End::Fold { sum, on_points } => {
                    let inner = if rows > 0 { row - 1 } else { row + 1 };
                    let over = (sum + distinct - column) % distinct;
                    return Some(self.index(if on_points { inner } else { row }, over));
                }
                End::Hole { .. } | End::Point if distinct % 2 == 1 => return None,
                End::Hole { .. } | End::Point => (column + distinct / 2) % distinct,
            };
            return Some(self.index(row, over));
        };
        Some(self.index(next, column))
    }

    /// The centre at a row and column that may lie one beyond the mesh: across what joins its ends, else as far out as in.
    pub(super) fn beyond(&self, row: isize, column: isize) -> Vector {
        let (rows, distinct) = (self.rows as isize, self.distinct() as isize);
        if self.round.is_none() && !(0..distinct).contains(&column) {
            let edge = if column < 0 { 0 } else { distinct - 1 };
            let inner = if column < 0 { 1 } else { distinct - 2 };
            return as_far_out(self.beyond(row, edge), self.beyond(row, inner));
        }
        let column = column.rem_euclid(distinct);
        if (0..rows).contains(&row) {
            return self.at(row as usize, column as usize);
        }
        let [edge, inner] = if row < 0 {
            [0, 1]
        } else {
            [rows - 1, rows - 2]
        };
        let here = self.at(edge as usize, column as usize);
        match self.ends[usize::from(row > 0)] {
            End::Open => as_far_out(here, self.at(inner as usize, column as usize)),
            End::Fold { sum, on_points } => {
                let over = (sum as isize - column).rem_euclid(distinct) as usize;
                self.at(if on_points { inner } else { edge } as usize, over)
            }
            End::Hole { centre } => centre,
            End::Point => here,
        }
    }

    fn find_round(&self) -> Option<usize> {
        let repeats = (1..=4)
            .map(|halo| self.columns.saturating_sub(halo))
            .find(|&round| round >= 3 && self.repeats_after(round));
        repeats.or_else(|| (self.columns >= 3 && self.closes()).then_some(self.columns))
    }

    /// Whether the columns from `round` on repeat the first ones.
    fn repeats_after(&self, round: usize) -> bool {
        let same = |row, a, b| {
            let (a, b) = (self.at(row, a), self.at(row, b));
            !is_finite(a) || !is_finite(b) || distance_2(a, b) <= SAME * SAME
        };
        let alike =
            (0..self.rows).all(|row| (round..self.columns).all(|c| same(row, c, c - round)));
        // A row that is a single point, at a pole, says nothing; nor does one without places.
        alike && (0..self.rows).any(|row| !same(row, 0, 1) && is_finite(self.at(row, round)))
    }

    /// Whether the last column is a neighbour of the first, in nine rows of ten.
    fn closes(&self) -> bool {
        let last = self.columns - 1;
        let rows = (0..self.rows).filter_map(|row| {
            let [first, second, before, end] = [0, 1, last - 1, last].map(|c| self.at(row, c));
            let gap = angle(first, end);
            let step = angle(first, second).max(angle(before, end));
            (gap.is_finite() && step.is_finite()).then_some(gap <= NEAR * step + SAME)
        });
        most(rows)
    }

    fn find_end(&self, row: usize, inner: usize, round: usize) -> End {
        let ring = || {
            (0..round)
                .map(|c| self.at(row, c))
                .filter(|&p| is_finite(p))
        };
        let step = |c| angle(self.at(row, c), self.at(inner, c));
        if let Some(centre) = mean(ring()) {
            // The rule of latitudes: a row reaches the pole when it is within 0.8 of the last step of it. A row at the
            // pole itself needs nothing beyond.
            let centre = if centre[2].abs() > 1.0 - SAME * SAME {
                [0.0, 0.0, centre[2].signum()]
            } else {
                centre
            };
            let near = ring().map(|p| angle(p, centre)).fold(0.0, f64::max);
            let steps = (0..round).map(step).filter(|s| s.is_finite());
            let apart = steps.fold(0.0, f64::max);
            if near <= SAME {
                return End::Point;
            }
            if near <= 0.8 * apart {
                return End::Hole { centre };
            }
        }
        // The column nearest to one gives the sum, unless that one is next to a tip of the fold; then another a quarter
        // round is not.
        let mut sums = [0, round / 4].into_iter().filter_map(|probe| {
            let beside = |c: usize| [0, 1, round - 1].contains(&c.abs_diff(probe));
            let from = |c| distance_2(self.at(row, c), self.at(row, probe));
            let over = (0..round)
                .filter(|&c| !beside(c))
                .min_by(|&a, &b| from(a).total_cmp(&from(b)));
            over.map(|over| (probe + over) % round)
        });
        // How far each column is from the one beyond, and from the row before.
        let gaps = |sum: usize| {
            let both = (0..round).map(move |c| {
                let beyond = self.at(row, (sum + round - c) % round);
                (angle(self.at(row, c), beyond), step(c))
            });
            both.filter(|(gap, step)| gap.is_finite() && step.is_finite())
        };
        let folds = |sum| most(gaps(sum).map(|(gap, step)| gap <= NEAR * step + SAME));
        sums.find(|&sum| folds(sum))
            .map_or(End::Open, |sum| End::Fold {
                sum,
                on_points: most(gaps(sum).map(|(gap, _)| gap <= SAME)),
            })
    }
}

/// Where the cells' centres are on the sphere; a coordinate that is no number gives no place.
pub(super) fn points(cells: &dyn Cells) -> Vec<Vector> {
    (0..cells.len()).map(|cell| place(cells, cell)).collect()
}

/// The place of one centre: targets are looked at one by one, and need no list of them.
pub(super) fn place(cells: &dyn Cells, cell: usize) -> Vector {
    let (latitude, longitude) = cells.centre(cell);
    point(latitude, longitude)
}

/// The point as far beyond `edge` as `inner` is before it.
fn as_far_out(edge: Vector, inner: Vector) -> Vector {
    minus(times(edge, 2.0 * dot(edge, inner)), inner)
}

/// Whether nine in ten are true, and any.
fn most(facts: impl Iterator<Item = bool>) -> bool {
    let (mut yes, mut all) = (0, 0);
    for fact in facts {
        all += 1;
        yes += usize::from(fact);
    }
    all > 0 && 10 * yes >= 9 * all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{tripolar, turned};

    fn mesh(latitudes: &[f64], longitudes: &[f64]) -> Mesh {
        Mesh::new(&crate::sphere::tests::product(latitudes, longitudes))
    }

    fn steps(first: f64, step: f64, n: usize) -> Vec<f64> {
        (0..n).map(|i| first + step * i as f64).collect()
    }

    #[test]
    fn going_round_is_seen_with_and_without_repeated_columns() {
        let latitudes = steps(-40.0, 10.0, 9);
        for (n, round) in [
            (36, Some(36)),
            (37, Some(36)),
            (38, Some(36)),
            (35, None),
            (20, None),
            (3, None),
        ] {
            assert_eq!(mesh(&latitudes, &steps(20.0, 10.0, n)).round, round, "{n}");
        }
        assert_eq!(mesh(&latitudes, &steps(0.0, 90.0, 4)).round, Some(4));
        assert_eq!(mesh(&latitudes, &steps(0.0, 1.0, 2)).round, None);
    }

    #[test]
    fn ends_are_holes_only_where_the_pole_is_near() {
        let longitudes = steps(0.0, 10.0, 36);
        let hole = |latitudes: &[f64]| {
            mesh(latitudes, &longitudes)
                .ends
                .map(|e| matches!(e, End::Hole { .. }))
        };
        assert_eq!(hole(&steps(-85.0, 10.0, 18)), [true, true]);
        assert_eq!(hole(&steps(-90.0, 10.0, 19)), [false, false]);
        assert_eq!(hole(&steps(-60.0, 10.0, 13)), [false, false]);
        assert_eq!(
            mesh(&steps(-60.0, 10.0, 13), &longitudes).ends,
            [End::Open; 2]
        );
        let cells = turned(
            &crate::sphere::tests::product(&steps(-85.0, 10.0, 18), &longitudes),
            40.0,
            70.0,
        );
        assert!(matches!(
            Mesh::new(&cells).ends,
            [End::Hole { .. }, End::Hole { .. }]
        ));
    }

    #[test]
    fn folds_are_seen_whichever_pivot_they_have() {
        for on_points in [true, false] {
            let mesh = Mesh::new(&tripolar(40, 30, on_points));
            assert_eq!(mesh.round, Some(40));
            assert_eq!(mesh.ends[0], End::Open);
            let sum = if on_points { 0 } else { 39 };
            assert_eq!(mesh.ends[1], End::Fold { sum, on_points });
        }
    }
}
