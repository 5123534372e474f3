//! Cells that are there more than once: halo columns, and the rows at the fold of an ocean grid.

use super::outlines::{Outline, Outlines};
use super::vector::{SAME, Vector, distance_2, dot, is_finite, mean, point};

/// For each cell the lowest number of a cell with the same outline: its own if it is the first. Nothing where each is, as is
/// usual.
pub(super) fn firsts(outlines: &Outlines<'_>) -> Vec<u32> {
    let position = |i| middle(outlines.get(i, &mut Vec::new())?);
    let alike = |a, b| {
        let rooms = &mut [Vec::new(), Vec::new()];
        let [first, second] = rooms;
        let both = outlines.get(a, first).zip(outlines.get(b, second));
        both.is_some_and(|(a, b)| same(a, b))
    };
    firsts_by(outlines.len(), position, alike)
}

/// For each point the lowest number of a point at the same position; nothing where each is at one of its own.
pub(super) fn firsts_of_points(points: &[Vector]) -> Vec<u32> {
    let position = |i: usize| Some(points[i]).filter(|&p| is_finite(p));
    firsts_by(points.len(), position, |_, _| true)
}

/// For each number the lowest one at the same position that is alike; nothing where there is none.
fn firsts_by(
    len: usize,
    position: impl Fn(usize) -> Option<Vector>,
    alike: impl Fn(usize, usize) -> bool,
) -> Vec<u32> {
    // Along a direction askew to everything, copies stand next to each other and hardly anything else does.
    let askew = [0.537_717_3, 0.291_446_1, 0.791_144_9];
    let numbers = 0..u32::try_from(len).expect("a grid has fewer than 2^32 cells");
    let mut firsts: Vec<u32> = Vec::new();
    let mut order: Vec<(f64, u32)> = Vec::with_capacity(len);
    order.extend(
        numbers
            .clone()
            .filter_map(|i| position(i as usize).map(|p| (dot(p, askew), i))),
    );
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (at, &(along, one)) in order.iter().enumerate() {
        for &(_, other) in order[at + 1..].iter().take_while(|o| o.0 - along <= SAME) {
            let both = [one, other].map(|i| i as usize);
            let [here, there] = both.map(&position);
            if here.zip(there).is_some_and(|(a, b)| near(a, b)) && alike(both[0], both[1]) {
                if firsts.is_empty() {
                    firsts = numbers.clone().collect();
                }
                let firsts_of = both.map(|i| firsts[i]);
                let low = firsts_of[0].min(firsts_of[1]);
                firsts[firsts_of[0].max(firsts_of[1]) as usize] = low;
                firsts[both[0].max(both[1])] = low;
            }
        }
    }
    // A chain of copies ends at its lowest number.
    for i in 0..firsts.len() {
        firsts[i] = firsts[firsts[i] as usize];
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

/// How many copies there are of each cell, itself among them; nothing where every cell is there once.
pub(super) fn counts(firsts: &[u32]) -> Vec<u32> {
    let mut of_first = vec![0; firsts.len()];
    firsts
        .iter()
        .for_each(|&first| of_first[first as usize] += 1);
    firsts
        .iter()
        .map(|&first| of_first[first as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sphere::tests::{product, tripolar};

    #[test]
    fn halo_columns_and_folded_rows_are_copies() {
        let longitudes: Vec<f64> = (0..38).map(|i| 10.0 * f64::from(i)).collect();
        let outlines = product(&[0.0, 10.0, 20.0], &longitudes);
        let outlines = Outlines::new(&outlines, "source").unwrap();
        let firsts = firsts(&outlines);
        for (i, &first) in firsts.iter().enumerate() {
            assert_eq!(first as usize, i / 38 * 38 + i % 38 % 36);
        }
        assert_eq!(counts(&firsts)[..3], [2, 2, 1]);
        let once = product(&[0.0, 10.0, 20.0], &longitudes[..36]);
        let firsts = super::firsts(&Outlines::new(&once, "source").unwrap());
        assert!(firsts.is_empty() && counts(&firsts).is_empty());
        let outlines = tripolar(20, 10, true);
        let outlines = Outlines::new(&outlines, "source").unwrap();
        let firsts = super::firsts(&outlines);
        for c in 1..20 {
            assert_eq!(firsts[180 + c] as usize, 180 + c.min(20 - c));
        }
        assert!((0..180).all(|i| firsts[i] as usize == i));
    }
}
