//! Half-precision thresholds and leaves.
//!
//! A threshold moves only within the gap that the calibration rows leave empty around it, so every
//! calibration row keeps its way; where no f16 lies in the gap the threshold stays as it is. Hence
//! *mixed* precision.

use std::collections::HashMap;

use fretsaw_model::{Ensemble, Node, Test};
use half::f16;

use super::{Calibration, Changes, plain_leaves};
use crate::Result;

pub(super) fn move_thresholds(e: &mut Ensemble, calibration: &Calibration, changes: &mut Changes) {
    // One decision a threshold, so that what the trees share stays shared.
    let mut moved: HashMap<(u32, bool, u64), f64> = HashMap::new();
    for tree in &mut e.trees {
        for node in &mut tree.nodes {
            let Node::Split(split) = node else { continue };
            let feature = split.feature;
            let mut place = |t: f64, inclusive: bool| {
                *moved
                    .entry((feature, inclusive, t.to_bits()))
                    .or_insert_with(|| {
                        changes.thresholds += 1;
                        match nearest_in_gap(calibration, feature as usize, t, inclusive) {
                            Some(to) => {
                                changes.thresholds_moved += usize::from(to != t);
                                to
                            }
                            None => {
                                changes.thresholds_kept += 1;
                                t
                            }
                        }
                    })
            };
            match &mut split.test {
                Test::Less(t) | Test::GreaterEq(t) => *t = place(*t, false),
                Test::LessEq(t) | Test::Greater(t) => *t = place(*t, true),
                // Equality cannot move, and categories have no threshold.
                Test::Equal(_) | Test::NotEqual(_) | Test::In(_) => {}
            }
        }
    }
}

/// The f16 nearest to `t` that parts the calibration values as `t` does.
fn nearest_in_gap(
    calibration: &Calibration,
    feature: usize,
    t: f64,
    inclusive: bool,
) -> Option<f64> {
    // `x < t`: any t' with below < t' <= above. `x <= t`: any t' with below <= t' < above.
    let (below, above) = if inclusive {
        calibration.around_inclusive(feature, t)
    } else {
        calibration.around(feature, t)
    };
    let fits = |c: f64| {
        c.is_finite()
            && if inclusive {
                below <= c && c < above
            } else {
                below < c && c <= above
            }
    };
    let nearest = f16::from_f64(t);
    let step = |by: i32| f64::from(step(nearest, by));
    let mut candidates = [step(0), step(-1), step(1)];
    candidates.sort_by(|a, b| (a - t).abs().total_cmp(&(b - t).abs()));
    candidates.into_iter().find(|&c| fits(c))
}

/// The f16 `by` places above `h`.
fn step(h: f16, by: i32) -> f16 {
    // Bits as a number line: negative values count downwards from -0.
    let line = |bits: u16| {
        if bits & 0x8000 == 0 {
            i32::from(bits)
        } else {
            -i32::from(bits & 0x7fff)
        }
    };
    let at = line(h.to_bits()) + by;
    let magnitude = at.unsigned_abs().min(0x7c00) as u16;
    f16::from_bits(if at < 0 {
        magnitude | 0x8000
    } else {
        magnitude
    })
}

pub(super) fn round_leaves(e: &mut Ensemble, changes: &mut Changes) -> Result<()> {
    plain_leaves(e, "f16 leaves")?;
    for tree in &mut e.trees {
        // A weight would be a second rounding: fold it in first, as the sum would.
        let weight = std::mem::replace(&mut tree.weight, 1.0);
        for leaf in &mut tree.leaves {
            changes.leaves += 1;
            let exact = e
                .sum
                .margin()
                .cast(e.sum.margin().cast(*leaf) * e.sum.margin().cast(weight));
            let rounded = f64::from(f16::from_f64(exact));
            *leaf = if rounded.is_finite() {
                rounded
            } else {
                changes.leaves_kept += 1;
                exact
            };
        }
    }
    Ok(())
}
