//! Imputers: what stands for missing values.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::fill_text;
use crate::Error;

/// A value for each column.
pub(super) fn simple(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
    if let Some(of_text) = fill_text::simple(at, cx, &columns)? {
        return Ok(of_text);
    }
    if at.flag("add_indicator") {
        return Err(at.unsupported("with add_indicator", "it is not read so far"));
    }
    let values = at.floats("statistics_")?;
    if values.len() != columns.width() {
        return Err(Error::invalid(format!(
            "{} numbers in `statistics_` for {} columns",
            values.len(),
            columns.width()
        )));
    }
    if values.iter().any(|v| v.is_nan()) {
        return Err(at.unsupported(
            "that drops a column without values",
            "it is not read so far",
        ));
    }
    let mut steps = Vec::new();
    if at.some("missing_values").is_some() {
        let value = at.number("missing_values")?;
        if !value.is_nan() {
            steps.push(Step::MarkMissing { value });
        }
    }
    steps.push(Step::Impute { values });
    Ok((steps, columns))
}
