//! Integer leaves: whole numbers times a scale, summed in 32 bits.
//!
//! Each output has one unit; each tree has a power of two of it as its weight, the smallest that
//! lets its largest leaf fit. Powers of two keep the sum an integer sum, which is what makes it
//! fast and free of order.
//!
//! Rounding looks back: a leaf is rounded towards cancelling the mean error that the trees before
//! it have left in the calibration rows that come to it. The error of hundreds of trees then stays
//! near that of a few, instead of growing with their number's root.

use fretsaw_model::{BaseOrder, Ensemble, Sum, Target, Tree};

use super::{Calibration, Changes, plain_leaves};
use crate::{Error, ErrorKind, Result};

/// Trees of 8-bit leaves may be this much coarser than the finest, as a power of two. 16-bit leaves
/// are fine enough with one scale, and one scale is faster.
const MAX_SHIFT_I8: u32 = 7;

/// A leaf moves by this much of its own step at most to cancel what others left.
const MAX_FEEDBACK: f64 = 0.5;

pub(super) fn quantize(
    e: &mut Ensemble,
    largest: i32,
    calibration: &Calibration,
    changes: &mut Changes,
) -> Result<()> {
    plain_leaves(e, "integer leaves")?;
    let largest = f64::from(largest);
    let n_outputs = e.n_outputs;
    // What a leaf adds to its margin in the end.
    let factors: Vec<f64> = e.multiply.iter().map(|m| m / e.divide).collect();
    let mut unit = vec![0.0_f64; n_outputs];
    for tree in &e.trees {
        for (k, m) in magnitudes(tree, &factors).into_iter().enumerate() {
            unit[k] = unit[k].max(m);
        }
    }
    if let Some(k) = unit.iter().position(|m| !m.is_finite()) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("integer leaves: output {k} has infinite leaves"),
        ));
    }
    // The coarsest tree has the full shift, so that trees with smaller leaves can be finer; as much
    // of it as 32 bits can sum.
    let widest = |max_shift: u32| {
        let unit = unit.iter().map(|&u| {
            if u > 0.0 {
                u / largest / f64::from(1 << max_shift)
            } else {
                1.0
            }
        });
        let unit: Vec<f64> = unit.collect();
        let shifts: Vec<u32> = e
            .trees
            .iter()
            .map(|t| shift_of(t, &factors, &unit, largest, max_shift))
            .collect();
        let total: f64 = shifts.iter().map(|&s| largest * f64::from(1 << s)).sum();
        (total <= f64::from(i32::MAX)).then_some((unit, shifts))
    };
    let max_shift = if largest > 127.0 { 0 } else { MAX_SHIFT_I8 };
    let Some((unit, tree_shifts)) = (0..=max_shift).rev().find_map(widest) else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "integer leaves: the sum of {} trees does not fit 32 bits",
                e.trees.len()
            ),
        ));
    };

    let n_rows = calibration.rows().len();
    let mut residual = vec![0.0_f64; n_rows * n_outputs];
    for (tree, &shift) in e.trees.iter_mut().zip(&tree_shifts) {
        let weight = f64::from(1 << shift);
        let width = if tree.target == Target::All {
            n_outputs
        } else {
            1
        };
        let output = |i: usize| match tree.target {
            Target::All => i % n_outputs,
            Target::Output(k) => k as usize,
        };
        let rows: Vec<usize> = calibration.rows().map(|x| tree.leaf_of(x)).collect();
        // Mean residual of the calibration rows in each leaf.
        let mut mean = vec![0.0_f64; tree.leaves.len()];
        let mut count = vec![0_u32; tree.leaves.len() / width];
        for (row, &leaf) in rows.iter().enumerate() {
            count[leaf] += 1;
            for i in leaf * width..(leaf + 1) * width {
                mean[i] += residual[row * n_outputs + output(i)];
            }
        }
        let mut error = vec![0.0_f64; tree.leaves.len()];
        for (i, leaf) in tree.leaves.iter_mut().enumerate() {
            let k = output(i);
            let step = unit[k] * weight;
            let exact = *leaf * tree.weight * factors[k];
            let n = f64::from(count[i / width].max(1));
            let feedback = (mean[i] / n).clamp(-MAX_FEEDBACK * step, MAX_FEEDBACK * step);
            // Adding 0 makes -0 a plain 0.
            *leaf = ((exact + feedback) / step).round().clamp(-largest, largest) + 0.0;
            error[i] = exact - *leaf * step;
        }
        for (row, &leaf) in rows.iter().enumerate() {
            for i in leaf * width..(leaf + 1) * width {
                residual[row * n_outputs + output(i)] += error[i];
            }
        }
        tree.weight = weight;
        changes.leaves += tree.leaves.len();
    }
    changes.leaf_scales = tree_shifts
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    // The base is outside scale and divisor, wherever it was added.
    if e.base_order == BaseOrder::First {
        for (b, f) in e.base.iter_mut().zip(&factors) {
            *b *= f;
        }
    }
    e.base_order = BaseOrder::Last;
    e.divide = 1.0;
    e.multiply = unit;
    e.sum = Sum::I32;
    Ok(())
}

/// The largest leaf of the tree for each output, as it adds to the margin.
fn magnitudes(tree: &Tree, factors: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0_f64; factors.len()];
    for (i, leaf) in tree.leaves.iter().enumerate() {
        let k = match tree.target {
            Target::All => i % factors.len(),
            Target::Output(k) => k as usize,
        };
        out[k] = out[k].max((leaf * tree.weight * factors[k]).abs());
    }
    out
}

/// The smallest power of two that lets the tree's largest leaf fit.
fn shift_of(tree: &Tree, factors: &[f64], unit: &[f64], largest: f64, max_shift: u32) -> u32 {
    let need = magnitudes(tree, factors)
        .iter()
        .zip(unit)
        .map(|(m, u)| m / (u * largest))
        .fold(0.0, f64::max);
    (0..max_shift)
        .find(|&s| f64::from(1 << s) >= need * (1.0 - 1e-12))
        .unwrap_or(max_shift)
}
