//! Kernel ridge regression: `kernel(x, X_fit_) @ dual_coef_`.
//!
//! scikit-learn takes squared distances apart, `|x|^2 - 2 x.v + |v|^2`, and loses digits there that
//! the sum of squares keeps; answers of the RBF kernel agree as far as those digits go.

use fretsaw_model::Body;

use super::attributes::Attributes;
use super::columns::Columns;
use super::gaussian_process::one_a_row;
use super::kernel;
use super::matrix::Matrix;
use super::part::{Part, linear};
use crate::Error;

/// KernelRidge.
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let n = columns.width();
    let fit = Matrix::of(at, "X_fit_")?.of_width("X_fit_", n)?;
    let (coef, n_outputs) = one_a_row(at, "dual_coef_", fit.rows)?;
    let kernel = kernel::step(at, fit, |parameter| match parameter {
        "gamma" if at.some("gamma").is_none() => Ok(1.0 / n as f64),
        other => at.number(other),
    })?;
    let body = Body::Linear(linear(coef, vec![0.0; n_outputs]));
    Ok(Part::values(at, vec![kernel], body))
}
