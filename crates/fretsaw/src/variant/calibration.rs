//! The rows that set a variant's free numbers: threshold gaps and leaf rounding. Never the rows
//! that verify it.

use fretsaw_model::{Float, Model, Rows, apply_steps};

/// Rows used for leaf rounding, at most: beyond this the means no longer move.
const MAX_ROWS: usize = 16_384;

/// Calibration rows, prepared: steps applied, cast to the precision of the comparisons.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    n_features: usize,
    /// Rows, row-major; evenly drawn where there are more than [`MAX_ROWS`].
    rows: Vec<f64>,
    /// Each feature's distinct values, ascending, of *all* rows; no NaN.
    sorted: Vec<Vec<f64>>,
}

impl Calibration {
    /// Prepares `rows` as `model` sees them.
    pub fn new(model: &Model, rows: &Rows<'_>) -> Self {
        let n_features = model.width();
        let compare = model.ensemble().map_or(Float::F64, |e| e.compare);
        let stride = rows.n_rows().div_ceil(MAX_ROWS).max(1);
        let mut kept = Vec::new();
        let mut sorted = vec![Vec::new(); n_features];
        let mut x = Vec::new();
        for row in 0..rows.n_rows() {
            x.clear();
            x.extend((0..rows.n_features()).map(|feature| rows.get(row, feature)));
            // A row that an encoder refuses says nothing about thresholds.
            if apply_steps(&model.steps, rows.float(), &mut x).is_err() {
                continue;
            }
            for (slot, sorted) in x.iter_mut().zip(&mut sorted) {
                *slot = compare.cast(*slot);
                if !slot.is_nan() {
                    sorted.push(*slot + 0.0); // -0 and 0 are one value
                }
            }
            if row % stride == 0 {
                kept.extend_from_slice(&x);
            }
        }
        for values in &mut sorted {
            values.sort_unstable_by(f64::total_cmp);
            values.dedup();
        }
        Self {
            n_features,
            rows: kept,
            sorted,
        }
    }

    /// The kept rows.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.rows.chunks_exact(self.n_features.max(1))
    }

    /// The largest value below `t` and the smallest value not below it.
    pub(super) fn around(&self, feature: usize, t: f64) -> (f64, f64) {
        let values = self.sorted.get(feature).map_or(&[][..], Vec::as_slice);
        let at = values.partition_point(|&v| v < t);
        let below = if at == 0 {
            f64::NEG_INFINITY
        } else {
            values[at - 1]
        };
        (below, values.get(at).copied().unwrap_or(f64::INFINITY))
    }

    /// The largest value not above `t` and the smallest value above it.
    pub(super) fn around_inclusive(&self, feature: usize, t: f64) -> (f64, f64) {
        let values = self.sorted.get(feature).map_or(&[][..], Vec::as_slice);
        let at = values.partition_point(|&v| v <= t);
        let below = if at == 0 {
            f64::NEG_INFINITY
        } else {
            values[at - 1]
        };
        (below, values.get(at).copied().unwrap_or(f64::INFINITY))
    }
}
