//! Kernel ridge regression: `kernel(x, X_fit_) @ dual_coef_`.
//!
//! scikit-learn takes squared distances apart, `|x|^2 - 2 x.v + |v|^2`, and loses digits there that
//! the sum of squares keeps; answers of the RBF kernel agree as far as those digits go.

use fretsaw_model::{Body, Kernel, KernelFunction, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::gaussian_process::one_a_row;
use super::matrix::Matrix;
use super::part::{Part, linear};
use crate::Error;

/// KernelRidge.
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let fit = Matrix::of(at, "X_fit_")?;
    let (rows, n) = (fit.rows, columns.width());
    let fit = fit.shaped("X_fit_", rows, n)?;
    let (coef, n_outputs) = one_a_row(at, "dual_coef_", rows)?;
    let gamma = || match at.some("gamma") {
        Some(_) => at.number("gamma"),
        None => Ok(1.0 / n as f64),
    };
    let coef0 = || at.number("coef0");
    let function = match at.text("kernel") {
        Some("linear") => KernelFunction::Linear,
        Some("poly" | "polynomial") => KernelFunction::Polynomial {
            gamma: gamma()?,
            coef0: coef0()?,
            degree: at.number("degree")?,
        },
        Some("rbf") => KernelFunction::Rbf { gamma: gamma()? },
        Some("sigmoid") => KernelFunction::Sigmoid {
            gamma: gamma()?,
            coef0: coef0()?,
        },
        _ => {
            let advice = "linear, poly, rbf and sigmoid are known";
            return Err(at.unsupported("with another kernel", advice));
        }
    };
    let kernel = Step::Kernel(Kernel {
        function,
        n_features: n,
        vectors: fit.values,
    });
    let body = Body::Linear(linear(coef, vec![0.0; n_outputs]));
    Ok(Part::values(at, vec![kernel], body))
}
