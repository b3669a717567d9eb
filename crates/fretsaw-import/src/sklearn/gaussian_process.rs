//! Gaussian process regression: the mean, `kernel_(x, X_train_) @ alpha_`, scaled back to the target.
//!
//! A kernel is a tree of the library's kernels. White noise is shared by no two rows, and so adds
//! nothing to a new one. Standard deviations are no part of `predict`'s answer here, and the
//! classifier, whose probabilities are integrals over approximations, is refused.

use std::cell::Cell;

use fretsaw_model::{Kernel, KernelFunction, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::matrix::Matrix;
use super::part::{Part, linear, row};
use crate::Error;

/// Kernels in a sum of products, itself and its parts. A file may name one part any number of times.
const MAX_KERNELS: usize = 64;

/// GaussianProcessRegressor.
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    if at.some("X_train_").is_none() {
        return Err(at.unsupported("that was never fitted", "fit it to data first"));
    }
    let function = function(at.child("kernel_")?, &Cell::new(MAX_KERNELS));
    let function = function.map_err(|e| e.under("kernel_"))?;
    let train = Matrix::of(at, "X_train_")?.of_width("X_train_", columns.width())?;
    let (alpha, n_outputs) = one_a_row(at, "alpha_", train.rows)?;
    let kernel = Kernel {
        function,
        n_features: train.columns,
        vectors: train.values,
    };
    // Before 0.24 there was only the mean.
    let factor = match at.some("_y_train_std") {
        Some(_) => at.one_each_or_all("_y_train_std", n_outputs)?,
        None => vec![1.0; n_outputs],
    };
    let steps = vec![
        Step::Kernel(kernel),
        Step::Linear(linear(alpha, vec![0.0; n_outputs])),
        Step::Affine {
            factor,
            offset: at.one_each_or_all("_y_train_mean", n_outputs)?,
        },
    ];
    Ok(Part::values(at, steps, row(n_outputs)))
}

/// A vector of one number a row, or a matrix with the rows; with the number of outputs.
pub(super) fn one_a_row(
    at: Attributes<'_, '_>,
    name: &str,
    rows: usize,
) -> Result<(Vec<f64>, usize), Error> {
    let matrix = Matrix::of(at, name)?;
    match (matrix.rows, matrix.columns) {
        (n, outputs) if n == rows => Ok((matrix.values, outputs)),
        (1, n) if n == rows => Ok((matrix.values, 1)),
        (n, outputs) => Err(Error::invalid(format!(
            "`{name}` is {n} x {outputs}, for {rows} training rows"
        ))),
    }
}

/// A kernel and its parts, of which so many are `left` to read.
fn function(at: Attributes<'_, '_>, left: &Cell<usize>) -> Result<KernelFunction, Error> {
    let Some(others) = left.get().checked_sub(1) else {
        let advice = format!("sums and products of up to {MAX_KERNELS} kernels are taken");
        return Err(at.unsupported("beside so many others", advice));
    };
    left.set(others);
    let inner = |name: &str| {
        let kernel = function(at.child(name)?, left);
        kernel.map(Box::new).map_err(|e| e.under(name))
    };
    let length = || at.floats("length_scale");
    if !at
        .object
        .callee
        .module
        .starts_with("sklearn.gaussian_process")
    {
        return Err(unknown(at));
    }
    Ok(match at.class() {
        "ConstantKernel" => KernelFunction::Constant(at.number("constant_value")?),
        "WhiteKernel" => KernelFunction::Constant(0.0),
        "RBF" => KernelFunction::Gaussian { length: length()? },
        "Matern" => {
            let nu = at.number("nu")?;
            match [(0.5, 1), (1.5, 3), (2.5, 5)].iter().find(|k| k.0 == nu) {
                Some(&(_, twice_nu)) => KernelFunction::Matern {
                    length: length()?,
                    twice_nu,
                },
                None if nu == f64::INFINITY => KernelFunction::Gaussian { length: length()? },
                None => {
                    let advice =
                        "0.5, 1.5, 2.5 and infinity are known; others need Bessel functions";
                    return Err(at.unsupported(&format!("of nu {nu}"), advice));
                }
            }
        }
        "RationalQuadratic" => KernelFunction::RationalQuadratic {
            length: at.number("length_scale")?,
            alpha: at.number("alpha")?,
        },
        "ExpSineSquared" => KernelFunction::ExpSineSquared {
            length: at.number("length_scale")?,
            periodicity: at.number("periodicity")?,
        },
        "DotProduct" => KernelFunction::DotProduct {
            sigma_0: at.number("sigma_0")?,
        },
        "Sum" => KernelFunction::Sum(inner("k1")?, inner("k2")?),
        "Product" => KernelFunction::Product(inner("k1")?, inner("k2")?),
        "Exponentiation" => KernelFunction::Raised(inner("kernel")?, at.number("exponent")?),
        _ => return Err(unknown(at)),
    })
}

fn unknown(at: Attributes<'_, '_>) -> Error {
    let advice = "constant, white, RBF, Matern, rational quadratic, periodic and dot product \
        kernels are known, with their sums, products and powers";
    at.unsupported("as a kernel", advice)
}
