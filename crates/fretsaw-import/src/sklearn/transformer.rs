//! Transformers by their class: steps, and the columns behind them.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::{impute, input, pipeline, scale};
use crate::Error;

/// The classes that are read as transformers.
pub(super) const CLASSES: &[&str] = &["Pipeline", "StandardScaler", "SimpleImputer"];

/// Reads a transformer that sees rows of `columns`.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
    cx.deeper(|| {
        if !at.is_sklearn() {
            return Err(unsupported(at));
        }
        if at.class() != "Pipeline" {
            check_width(at, &columns)?;
        }
        match at.class() {
            "Pipeline" => pipeline::transform(at, cx, columns),
            "StandardScaler" => scale::standard(at, columns),
            "SimpleImputer" => impute::simple(at, cx, columns),
            _ => Err(unsupported(at)),
        }
    })
}

/// The estimator must have been fitted on as many columns as it is given here.
pub(super) fn check_width(at: Attributes<'_, '_>, columns: &Columns) -> Result<(), Error> {
    match input::n_features(at)? {
        Some(n) if n != columns.width() => Err(Error::invalid(format!(
            "the `{}` takes {n} columns and is given {}",
            at.class(),
            columns.width()
        ))),
        _ => Ok(()),
    }
}

fn unsupported(at: Attributes<'_, '_>) -> Error {
    at.unsupported(
        "as a transformer",
        format!("of transformers these are read: {}", CLASSES.join(", ")),
    )
}
