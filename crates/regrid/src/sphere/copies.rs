//! Cells that are there more than once: halo columns, and the rows at the fold of an ocean grid.

use super::outlines::{Outline, Outlines};
use super::vector::{SAME, Vector, distance_2, dot, is_finite, mean, point};

/// For each cell the lowest number of a cell with the same outline: its own if it is the first.
pub(super) fn firsts(outlines: &Outlines) -> Vec<usize> {
    let middles: Vec<Option<Vector>> = (0..outlines.len())
        .map(|i| middle(outlines.get(i)?))
        .collect();
    let alike = |a, b| {
        outlines
            .get(a)
            .zip(outlines.get(b))
            .is_some_and(|(a, b)| same(a, b))
    };
    firsts_by(&middles, alike)
}

/// For each point the lowest number of a point at the same position.
pub(super) fn firsts_of_points(points: &[Vector]) -> Vec<usize> {
    let placed: Vec<Option<Vector>> = points.iter().map(|&p| is_finite(p).then_some(p)).collect();
    firsts_by(&placed, |_, _| true)
}

/// For each number the lowest one at the same position that is alike.
fn firsts_by(positions: &[Option<Vector>], alike: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    // Along a direction askew to everything, copies stand next to each other and hardly anything else does.
    let askew = [0.537_717_3, 0.291_446_1, 0.791_144_9];
    let mut order: Vec<(f64, usize, Vector)> = positions
        .iter()
        .enumerate()
        .filter_map(|(i, position)| position.map(|p| (dot(p, askew), i, p)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut firsts: Vec<usize> = (0..positions.len()).collect();
    for (at, &(along, one, here)) in order.iter().enumerate() {
        for &(_, other, there) in order[at + 1..].iter().take_while(|o| o.0 - along <= SAME) {
            if near(here, there) && alike(one, other) {
                let (low, high) = (
                    firsts[one].min(firsts[other]),
                    firsts[one].max(firsts[other]),
                );
                firsts[high] = low;
                firsts[one.max(other)] = low;
            }
        }
    }
    // A chain of copies ends at its lowest number.
    for i in 0..firsts.len() {
        firsts[i] = firsts[firsts[i]];
    }
    firsts
}

fn near(a: Vector, b: Vector) -> bool {
    distance_2(a, b) <= SAME * SAME
}

fn middle(outline: Outline<'_>) -> Option<Vector> {
    match outline {
        Outline::Rectangle(r) => Some(point(0.5 * (r.south + r.north), r.west + 0.5 * r.width)),
        Outline::Polygon(corners) => mean(corners.iter().copied()),
    }
}

/// Whether two outlines with one middle are the same.
fn same(a: Outline<'_>, b: Outline<'_>) -> bool {
    match (a, b) {
        (Outline::Rectangle(a), Outline::Rectangle(b)) => {
            let apart = (a.width - b.width)
                .abs()
                .max((a.north - a.south - (b.north - b.south)).abs());
            apart.to_radians() <= SAME
        }
        (Outline::Polygon(a), Outline::Polygon(b)) => {
            let held = |these: &[Vector], those: &[Vector]| {
                these.iter().all(|&a| those.iter().any(|&b| near(a, b)))
            };
            held(a, b) && held(b, a)
        }
        _ => false,
    }
}

/// How many copies there are of each cell, itself among them.
pub(super) fn counts(firsts: &[usize]) -> Vec<u32> {
    let mut of_first = vec![0; firsts.len()];
    firsts.iter().for_each(|&first| of_first[first] += 1);
    firsts.iter().map(|&first| of_first[first]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{product, tripolar};

    #[test]
    fn halo_columns_and_folded_rows_are_copies() {
        let longitudes: Vec<f64> = (0..38).map(|i| 10.0 * f64::from(i)).collect();
        let outlines = Outlines::new(&product(&[0.0, 10.0, 20.0], &longitudes), "source").unwrap();
        let firsts = firsts(&outlines);
        for (i, &first) in firsts.iter().enumerate() {
            assert_eq!(first, i / 38 * 38 + i % 38 % 36);
        }
        assert_eq!(counts(&firsts)[..3], [2, 2, 1]);
        let outlines = Outlines::new(&tripolar(20, 10, true), "source").unwrap();
        let firsts = super::firsts(&outlines);
        for c in 1..20 {
            assert_eq!(firsts[180 + c], 180 + c.min(20 - c));
        }
        assert!((0..180).all(|i| firsts[i] == i));
    }
}
