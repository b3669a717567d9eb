//! Partial least squares: PLSRegression, PLSCanonical and CCA, whose `predict` is linear.
//!
//! Releases keep the coefficients in three ways: for scaled columns and features x targets (before
//! 1.1), transposed (1.1 to 1.4), and for columns that are only centred (1.5 and later).

use fretsaw_model::{Body, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::matrix::Matrix;
use super::part::{Part, linear};
use crate::Error;

/// Reads the regressor.
pub(super) fn regressor(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let n = columns.width();
    let name = match at.some("_coef_") {
        Some(_) => "_coef_",
        None => "coef_",
    };
    let coef = Matrix::of(at, name)?;
    let (weights, n_outputs) = if cx.since(1, 1) {
        let n_outputs = coef.rows;
        let coef = coef.shaped(name, n_outputs, n)?;
        (coef.transposed(), n_outputs)
    } else {
        let n_outputs = coef.columns;
        (coef.shaped(name, n, n_outputs)?.values, n_outputs)
    };
    let one_each = |name: &str, n: usize| {
        let row = Matrix::of(at, name)?.shaped(name, 1, n)?;
        Ok::<_, Error>(row.values)
    };
    // Before 0.24 the attributes were public.
    let moment = |name: &'static str, before: &'static str, n: usize| match at.some(name) {
        Some(_) => one_each(name, n),
        None => one_each(before, n),
    };
    let scale = Step::Scale {
        shift: moment("_x_mean", "x_mean_", n)?,
        scale: match cx.since(1, 5) {
            true => vec![1.0; n],
            false => moment("_x_std", "x_std_", n)?,
        },
    };
    let intercept = match cx.since(1, 1) {
        true => one_each("intercept_", n_outputs)?,
        false => moment("_y_mean", "y_mean_", n_outputs)?,
    };
    let body = Body::Linear(linear(weights, intercept));
    Ok(Part::values(at, vec![scale], body))
}
