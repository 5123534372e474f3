//! Arrays with their dimensions in another order, row by row again.
//!
//! Along one of the dimensions values lie next to each other before, along another one after. Whichever of the two a loop
//! follows, on the other side it takes one value from each line of the cache; so it goes by tiles, of which the lines of both
//! sides stay in the cache until they are used up.

use ndarray::{ArrayD, IxDyn};

use crate::buffers::{self, Number};

/// Values along each side of a tile: two or four lines of the cache for most types.
const TILE: usize = 32;

/// A dimension of the result: its length, and how far apart neighbours along it are before and after.
#[derive(Debug, Clone, Copy)]
struct Dimension {
    len: usize,
    from: usize,
    to: usize,
}

/// The same values with their dimensions in another order; the buffer they lay in is given up.
pub(super) fn transposed<T: Number>(array: ArrayD<T>, order: &[usize]) -> ArrayD<T> {
    let shape: Vec<usize> = order.iter().map(|&from| array.shape()[from]).collect();
    let Some(values) = array.as_slice() else {
        let turned = array.permuted_axes(IxDyn(order));
        return turned.as_standard_layout().into_owned();
    };
    let mut result = buffers::take::<T>(values.len());
    if !values.is_empty() {
        copy(values, &mut result, &dimensions(array.shape(), order));
    }
    buffers::give(array.into_raw_vec_and_offset().0);
    ArrayD::from_shape_vec(IxDyn(&shape), result).expect("as many values as before")
}

/// The dimensions of the result, from the last to the first; those that stay side by side are one, and there is one at the least.
fn dimensions(shape: &[usize], order: &[usize]) -> Vec<Dimension> {
    let mut before = vec![1; shape.len()];
    for dimension in (1..shape.len()).rev() {
        before[dimension - 1] = before[dimension] * shape[dimension];
    }
    let mut all: Vec<Dimension> = Vec::new();
    let mut to = 1;
    for &dimension in order.iter().rev() {
        let (len, from) = (shape[dimension], before[dimension]);
        match all.last_mut() {
            _ if len == 1 => {}
            Some(inner) if inner.from * inner.len == from => inner.len *= len,
            _ => all.push(Dimension { len, from, to }),
        }
        to *= len;
    }
    if all.is_empty() {
        all.push(Dimension {
            len: 1,
            from: 1,
            to: 1,
        });
    }
    all
}

fn copy<T: Copy>(values: &[T], result: &mut [T], all: &[Dimension]) {
    let (inner, outer) = all.split_first().expect("there is a dimension");
    // Where values lie next to each other before; along `inner` they do so after.
    let along = outer.iter().position(|dimension| dimension.from == 1);
    let others = outer
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != along);
    let others: Vec<Dimension> = others.map(|(_, dimension)| *dimension).collect();
    let mut at = vec![0; others.len()];
    loop {
        let place = |step: fn(&Dimension) -> usize| -> usize {
            let places = at.iter().zip(&others);
            places.map(|(at, dimension)| at * step(dimension)).sum()
        };
        let (from, to) = (&values[place(|d| d.from)..], &mut result[place(|d| d.to)..]);
        match along {
            Some(along) => tiles(from, to, *inner, outer[along]),
            None => to[..inner.len].copy_from_slice(&from[..inner.len]),
        }
        let next = at.iter_mut().zip(&others).find_map(|(at, dimension)| {
            *at += 1;
            match *at < dimension.len {
                true => Some(()),
                false => {
                    *at = 0;
                    None
                }
            }
        });
        if next.is_none() {
            return;
        }
    }
}

/// Copies a plane, along one dimension of which values lie next to each other in the result, and along the other before.
fn tiles<T: Copy>(values: &[T], result: &mut [T], inner: Dimension, along: Dimension) {
    for first in (0..along.len).step_by(TILE) {
        let lines = first..along.len.min(first + TILE);
        for start in (0..inner.len).step_by(TILE) {
            let end = inner.len.min(start + TILE);
            for line in lines.clone() {
                let to = &mut result[line * along.to..][start..end];
                let from = values[line + start * inner.from..]
                    .iter()
                    .step_by(inner.from);
                for (to, &from) in to.iter_mut().zip(from) {
                    *to = from;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of every few dimensions, some of one value or none, some beyond a tile.
    #[test]
    fn every_order_is_that_of_a_plain_permutation() {
        fn orders(of: usize) -> Vec<Vec<usize>> {
            match of {
                0 => vec![vec![]],
                _ => {
                    let shorter = orders(of - 1);
                    let with = |order: &Vec<usize>, at: usize| {
                        let mut order = order.clone();
                        order.insert(at, of - 1);
                        order
                    };
                    let all = shorter
                        .iter()
                        .flat_map(|order| (0..of).map(move |at| with(order, at)));
                    all.collect()
                }
            }
        }
        let shapes: [&[usize]; 12] = [
            &[],
            &[5],
            &[0],
            &[70, 33],
            &[1, 40],
            &[3, 0, 2],
            &[2, 3, 35],
            &[34, 2, 3],
            &[4, 1, 37],
            &[65, 1, 1],
            &[2, 3, 4, 33],
            &[3, 1, 34, 2],
        ];
        for shape in shapes {
            let len = shape.iter().product::<usize>();
            let values: Vec<i32> = (0..len as i32).collect();
            let array = ArrayD::from_shape_vec(IxDyn(shape), values).unwrap();
            for order in orders(shape.len()) {
                let plain = array.clone().permuted_axes(IxDyn(&order));
                let turned = transposed(array.clone(), &order);
                assert!(turned.is_standard_layout());
                assert_eq!(turned, plain, "{shape:?} {order:?}");
                // What does not lie row by row comes out right, too.
                let back: Vec<usize> = (0..order.len()).rev().collect();
                let again = transposed(plain.clone(), &back);
                assert_eq!(
                    again,
                    plain.permuted_axes(IxDyn(&back)),
                    "{shape:?} {order:?}"
                );
            }
        }
    }
}
