//! Things in space parted in the middle, and so on in both halves, until few are left: a tree whose nodes are stretches of
//! one array.

use std::ops::Range;

use super::vector::Vector;

/// Things in a stretch that is not parted further.
const FEW: usize = 16;

/// A part of the array, and its number: the halves of stretch `i` are `2 i + 1` and `2 i + 2`.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) number: usize,
    pub(super) range: Range<usize>,
}

impl Stretch {
    /// All of so many things.
    pub(super) fn all(len: usize) -> Self {
        Self {
            number: 0,
            range: 0..len,
        }
    }

    /// Both halves, unless few things are left.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let Range { start, end } = self.range;
        let middle = start + (end - start) / 2;
        let half = |which: usize, range| Self {
            number: 2 * self.number + which,
            range,
        };
        (end - start > FEW).then(|| [half(1, start..middle), half(2, middle..end)])
    }
}

/// What things are parted by.
pub(super) trait Placed: Sized {
    /// A box round some of them.
    type Bounds: Copy;
    fn at(&self, axis: usize) -> f64;
    fn bounds_of(things: &[Self]) -> Self::Bounds;
    /// How wide a box is.
    fn spans(bounds: Self::Bounds) -> Vector;
}

/// Brings things into the order of their stretches, each parted by the coordinate in which it is widest, and gives the boxes
/// round the stretches by their number.
pub(super) fn part<T: Placed>(things: &mut [T]) -> Vec<T::Bounds> {
    // The second half is never the smaller one.
    let mut last = Stretch::all(things.len());
    while let Some([_, second]) = last.halves() {
        last = second;
    }
    let mut boxes = vec![T::bounds_of(&[]); last.number + 1];
    part_stretch(things, &Stretch::all(things.len()), &mut boxes);
    boxes
}

fn part_stretch<T: Placed>(things: &mut [T], stretch: &Stretch, boxes: &mut [T::Bounds]) {
    let own = &mut things[stretch.range.clone()];
    let bounds = T::bounds_of(own);
    boxes[stretch.number] = bounds;
    let Some(halves) = stretch.halves() else {
        return;
    };
    let spans = T::spans(bounds);
    let wider = |widest, axis| match spans[axis] > spans[widest] {
        true => axis,
        false => widest,
    };
    let axis = (1..3).fold(0, wider);
    own.select_nth_unstable_by(halves[0].range.len(), |a, b| {
        a.at(axis).total_cmp(&b.at(axis))
    });
    for half in &halves {
        part_stretch(things, half, boxes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stretch_has_the_highest_number() {
        for len in 0..300 {
            let mut all = vec![Stretch::all(len)];
            let mut highest = 0;
            while let Some(stretch) = all.pop() {
                highest = highest.max(stretch.number);
                all.extend(stretch.halves().into_iter().flatten());
            }
            let mut last = Stretch::all(len);
            while let Some([_, second]) = last.halves() {
                last = second;
            }
            assert_eq!(last.number, highest, "{len}");
        }
    }
}
