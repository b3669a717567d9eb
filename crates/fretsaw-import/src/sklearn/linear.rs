//! Linear regressors and the generalized linear models: `X @ coef_.T + intercept_`, and a link.
//!
//! How the coefficients were found makes no difference here, so one reader serves all of them. BLAS
//! adds the terms in an order of its own, so that the sums agree to some units of the last place of
//! their largest term, not to the bit.

use fretsaw_model::{Body, Function, Linear, Link};

use super::attributes::Attributes;
use super::columns::Columns;
use super::matrix::Matrix;
use super::part::{Part, linear};
use crate::Error;

/// Regressors that hold `coef_` and `intercept_`.
pub(super) const REGRESSORS: &[&str] = &[
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "LinearSVR",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
];

/// One of [`REGRESSORS`].
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let body = Body::Linear(weights(at, columns)?);
    Ok(Part::values(at, Vec::new(), body))
}

/// PoissonRegressor, GammaRegressor and TweedieRegressor.
pub(super) fn generalized(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let link = match (at.class(), at.text("link")) {
        ("TweedieRegressor", Some("identity")) => Link::Identity,
        ("TweedieRegressor", Some("log")) => Link::Exp,
        ("TweedieRegressor", Some("auto")) if at.number("power")? <= 0.0 => Link::Identity,
        ("TweedieRegressor", Some("auto")) => Link::Exp,
        ("TweedieRegressor", _) => {
            let advice = "the links `auto`, `identity` and `log` are known";
            return Err(at.unsupported("with a link of its own", advice));
        }
        _ => Link::Exp,
    };
    Ok(Part {
        link,
        ..regressor(at, columns)?
    })
}

/// SGDOneClassSVM: `decision_function` is `X @ coef_ - offset_`, and 0 is an inlier.
pub(super) fn one_class(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let coef = Matrix::of(at, "coef_")?.shaped("coef_", 1, columns.width())?;
    let offset = at.number("offset_")?;
    let body = Body::Linear(linear(coef.values, vec![-offset]));
    Ok(Part::outliers(at, Vec::new(), body, Function::AtLeast(0.0)))
}

/// `coef_` and `intercept_`, an output a row.
pub(super) fn weights(at: Attributes<'_, '_>, columns: &Columns) -> Result<Linear, Error> {
    let coef = Matrix::of(at, "coef_")?.of_width("coef_", columns.width())?;
    let intercept = at.one_each_or_all("intercept_", coef.rows)?;
    Ok(linear(coef.transposed(), intercept))
}
