//! The loops that anyone would write by hand: no graph, no files, no missing values, one thread.

use regrid::{RectilinearWeights, SparseWeights};

/// The two neighbours of every target along one axis, with their weights.
fn pairs(weights: &SparseWeights) -> Vec<[(usize, f64); 2]> {
    let pair = |target| match weights.row(target).to_vec()[..] {
        [one] => [one, (one.0, 0.0)],
        [a, b] => [a, b],
        ref row => panic!("a target inside the source has one or two neighbours, got {row:?}"),
    };
    (0..weights.len()).map(pair).collect()
}

/// Linear or nearest along rows and columns, for targets that lie inside the source.
#[derive(Debug)]
pub struct PlainLoop {
    rows: Vec<[(usize, f64); 2]>,
    columns: Vec<[(usize, f64); 2]>,
    blended: Vec<f64>,
}

impl PlainLoop {
    /// A loop with weights that are prepared already.
    ///
    /// # Panics
    /// If a target lies outside the source or reads a pole.
    pub fn new(weights: &RectilinearWeights) -> Self {
        Self {
            rows: pairs(&weights.latitude),
            columns: pairs(&weights.longitude),
            blended: Vec::new(),
        }
    }

    /// One plane, linear: blends two rows, then pairs of columns of the blend.
    pub fn linear(&mut self, source: &[f32], source_columns: usize, target: &mut [f32]) {
        let row = |at: usize| &source[at * source_columns..(at + 1) * source_columns];
        for (&[(a, v), (b, w)], out) in self
            .rows
            .iter()
            .zip(target.chunks_exact_mut(self.columns.len()))
        {
            self.blended.clear();
            self.blended.extend(
                row(a)
                    .iter()
                    .zip(row(b))
                    .map(|(&x, &y)| v * f64::from(x) + w * f64::from(y)),
            );
            for (&[(c, v), (d, w)], out) in self.columns.iter().zip(out) {
                *out = (v * self.blended[c] + w * self.blended[d]) as f32;
            }
        }
    }

    /// One plane, nearest: copies.
    pub fn nearest(&self, source: &[f32], source_columns: usize, target: &mut [f32]) {
        for (&[(a, _), _], out) in self
            .rows
            .iter()
            .zip(target.chunks_exact_mut(self.columns.len()))
        {
            let row = &source[a * source_columns..(a + 1) * source_columns];
            for (&[(c, _), _], out) in self.columns.iter().zip(out) {
                *out = row[c];
            }
        }
    }
}
