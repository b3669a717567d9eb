//! The kernels that support vector machines, kernel ridge regression and Nystroem name alike. Gaussian
//! processes have kernels of their own, which are [objects](super::gaussian_process).

use fretsaw_model::{Kernel, KernelFunction, Step};

use super::attributes::Attributes;
use super::matrix::Matrix;
use crate::Error;
use crate::error::shown;

/// The kernel of a row with each of `vectors`. `parameter` gives `gamma`, `coef0` and `degree`, of
/// which only those are asked for that the kernel has.
pub(super) fn step(
    at: Attributes<'_, '_>,
    vectors: Matrix,
    parameter: impl Fn(&str) -> Result<f64, Error>,
) -> Result<Step, Error> {
    let function = match at.text("kernel") {
        Some("linear") => KernelFunction::Linear,
        Some("poly" | "polynomial") => KernelFunction::Polynomial {
            gamma: parameter("gamma")?,
            coef0: parameter("coef0")?,
            degree: parameter("degree")?,
        },
        Some("rbf") => KernelFunction::Rbf {
            gamma: parameter("gamma")?,
        },
        Some("sigmoid") => KernelFunction::Sigmoid {
            gamma: parameter("gamma")?,
            coef0: parameter("coef0")?,
        },
        Some("precomputed") => {
            let advice = "its rows would be kernel values of the training data, not features";
            return Err(at.unsupported("with a precomputed kernel", advice));
        }
        other => {
            let what = format!("with the kernel `{}`", shown(other.unwrap_or("a function")));
            return Err(at.unsupported(&what, "linear, poly, rbf and sigmoid are known"));
        }
    };
    Ok(Step::Kernel(Kernel {
        function,
        n_features: vectors.columns,
        vectors: vectors.values,
    }))
}
