//! Scalers: a shift and a factor for each column, of which each class has its own order and rounding.

use fretsaw_model::{Function, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::transformer::Transformed;
use crate::Error;

/// `StandardScaler`: `(x - mean_) / scale_`.
pub(super) fn standard(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    shift_and_divide(at, ("mean_", "with_mean"), ("scale_", "with_std"), columns)
}

/// `RobustScaler`: `(x - center_) / scale_`.
pub(super) fn robust(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let shift = ("center_", "with_centering");
    shift_and_divide(at, shift, ("scale_", "with_scaling"), columns)
}

/// Each attribute counts where the flag is set that stands beside it.
fn shift_and_divide(
    at: Attributes<'_, '_>,
    shift: (&str, &str),
    scale: (&str, &str),
    columns: Columns,
) -> Transformed {
    let n = columns.width();
    let wanted = |(name, flag): (&str, &str)| match at.flag(flag) && at.some(name).is_some() {
        true => at.one_each(name, n).map(Some),
        false => Ok(None),
    };
    let (shift, scale) = (wanted(shift)?, wanted(scale)?);
    if shift.is_none() && scale.is_none() {
        return Ok((Vec::new(), columns));
    }
    if let (true, Some(scale)) = (columns.sparse, &scale) {
        return Ok((vec![divide(scale.clone(), true)], Columns::computed(n)));
    }
    let steps = vec![Step::Scale {
        shift: shift.unwrap_or_else(|| vec![0.0; n]),
        scale: scale.unwrap_or_else(|| vec![1.0; n]),
    }];
    Ok((steps, Columns::computed(n)))
}

/// `MinMaxScaler`: `x * scale_ + min_`, held within `feature_range` where `clip` is set.
pub(super) fn min_max(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let mut steps = vec![Step::Affine {
        factor: at.one_each("scale_", n)?,
        offset: at.one_each("min_", n)?,
    }];
    if at.flag("clip") {
        let range = at.floats("feature_range")?;
        let &[low, high] = &range[..] else {
            return Err(Error::invalid("`feature_range` is no pair"));
        };
        steps.push(Step::Map(Function::Clip { low, high }));
    }
    Ok((steps, Columns::computed(n)))
}

/// `MaxAbsScaler`: `x / scale_`, held within -1 and 1 where `clip` is set (since 1.9).
pub(super) fn max_abs(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let mut steps = vec![divide(at.one_each("scale_", n)?, columns.sparse)];
    if at.flag("clip") {
        steps.push(Step::Map(Function::Clip {
            low: -1.0,
            high: 1.0,
        }));
    }
    Ok((steps, Columns::computed(n)))
}

/// A sparse matrix is multiplied by the reciprocals, which rounds otherwise.
fn divide(scale: Vec<f64>, sparse: bool) -> Step {
    let none = vec![0.0; scale.len()];
    match sparse {
        false => Step::Scale { shift: none, scale },
        true => Step::Affine {
            factor: scale.iter().map(|s| 1.0 / s).collect(),
            offset: none,
        },
    }
}
