//! Scalers: a shift and a factor for each column.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::transformer::check_width;
use crate::Error;

/// `(x - mean_) / scale_`.
pub(super) fn standard(
    at: Attributes<'_, '_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
    let n = columns.width();
    let one_each = |name: &str, wanted: bool| {
        if !wanted || at.some(name).is_none() {
            return Ok(None);
        }
        let values = at.floats(name)?;
        check_width(at, &columns)?;
        match values.len() == n {
            true => Ok(Some(values)),
            false => Err(Error::invalid(format!(
                "{} numbers in `{name}` for {n} columns",
                values.len()
            ))),
        }
    };
    let shift = one_each("mean_", at.flag("with_mean"))?;
    let scale = one_each("scale_", at.flag("with_std"))?;
    if shift.is_none() && scale.is_none() {
        return Ok((Vec::new(), columns));
    }
    let steps = vec![Step::Scale {
        shift: shift.unwrap_or_else(|| vec![0.0; n]),
        scale: scale.unwrap_or_else(|| vec![1.0; n]),
    }];
    Ok((steps, Columns::computed(n)))
}
