//! Gaussian latitudes: the roots of Legendre polynomials, on which spectral models compute.

use std::f64::consts::PI;

/// The `count` Gaussian latitudes, from north to south, to the last digits of a double.
///
/// - Units: degrees north.
///
/// # Source
/// Newton's method on P_n(cos t) from Tricomi's first guess; P_n by its recurrence, written for the differences of
/// neighbours and 1 - cos t = 2 sin^2(t/2), which loses no digits near the poles.
pub(super) fn latitudes(count: usize) -> Vec<f64> {
    let mut north: Vec<f64> = (0..count / 2)
        .map(|i| 90.0 - root(count, i).to_degrees())
        .collect();
    let south: Vec<f64> = north.iter().rev().map(|x| -x).collect();
    if count % 2 == 1 {
        north.push(0.0);
    }
    north.extend(south);
    north
}

/// The angle from the pole of the root with an index, counted from the north.
fn root(count: usize, index: usize) -> f64 {
    let n = count as f64;
    let guess = PI * (4.0 * index as f64 + 3.0) / (4.0 * n + 2.0);
    let mut angle = guess + (n - 1.0) / (8.0 * n.powi(3)) / guess.tan();
    for _ in 0..10 {
        let (value, slope) = legendre(count, angle);
        let step = value / slope;
        angle -= step;
        if step.abs() <= f64::EPSILON * angle {
            break;
        }
    }
    angle
}

/// P_n(cos t) and its derivative by t.
fn legendre(count: usize, angle: f64) -> (f64, f64) {
    let short = 2.0 * (angle / 2.0).sin().powi(2);
    let (mut value, mut difference) = (1.0, 0.0);
    for k in 0..count {
        let k = k as f64;
        difference = (k * difference - (2.0 * k + 1.0) * short * value) / (k + 1.0);
        value += difference;
    }
    // P' sin^2 = n (P_(n-1) - cos P_n), of which P_(n-1) - P_n is at hand.
    let slope = -(count as f64) * (short * value - difference) / angle.sin();
    (value, slope)
}

/// The cells of Gaussian latitudes: they meet midway between them and reach the poles, as CDO has them for its area-weighted
/// methods (from 88 degrees on).
pub(super) fn bounds(latitudes: &[f64]) -> Vec<[f64; 2]> {
    let mut edges = vec![90.0];
    edges.extend(latitudes.windows(2).map(|w| f64::midpoint(w[0], w[1])));
    edges.push(-90.0);
    edges.windows(2).map(|w| [w[0], w[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From mpmath with 40 digits.
    #[test]
    fn roots_are_right_to_the_last_digits() {
        let cases = [
            (2, 0, 35.264389682754654),
            (8, 0, 73.79921362856322),
            (8, 3, 10.569882312576093),
            (64, 0, 87.86379883923259),
            (160, 0, 89.14151942646126),
            (160, 79, 0.5607449425442227),
            (1280, 0, 89.89239644559171),
            (1280, 1, 89.75300494317463),
            (1280, 500, 19.60952597214945),
            (2560, 0, 89.94618771566277),
            (2560, 2559, -89.94618771566277),
        ];
        for (count, index, expected) in cases {
            let got = latitudes(count)[index];
            assert!(
                (got - expected).abs() <= 3e-14,
                "{count} {index}: {got} is not {expected}"
            );
        }
        assert_eq!(latitudes(3)[1], 0.0);
    }

    #[test]
    fn the_cells_cover_the_globe() {
        let cells = bounds(&latitudes(8));
        assert_eq!((cells[0][0], cells[7][1]), (90.0, -90.0));
        assert!(cells.windows(2).all(|w| w[0][1] == w[1][0]));
    }
}
