//! Transformers by their class: steps, and the columns behind them.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::{
    decompose, distribution, elementwise, expand, impute, input, iterative, pipeline, scale, select,
};
use crate::Error;

/// The classes that are read as transformers.
pub(super) const CLASSES: &[&str] = &[
    "Pipeline",
    "Binarizer",
    "BisectingKMeans",
    "FactorAnalysis",
    "FastICA",
    "FunctionTransformer",
    "GaussianRandomProjection",
    "GenericUnivariateSelect",
    "IncrementalPCA",
    "IterativeImputer",
    "KBinsDiscretizer",
    "KMeans",
    "KNNImputer",
    "LinearDiscriminantAnalysis",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MiniBatchKMeans",
    "MissingIndicator",
    "Normalizer",
    "Nystroem",
    "PCA",
    "PolynomialFeatures",
    "PowerTransformer",
    "QuantileTransformer",
    "RFE",
    "RFECV",
    "RobustScaler",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "SimpleImputer",
    "StandardScaler",
    "TruncatedSVD",
    "VarianceThreshold",
];

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
            "Binarizer" => elementwise::binarizer(at, columns),
            "FunctionTransformer" => elementwise::function(at, columns),
            "Normalizer" => elementwise::normalizer(at, columns),
            "MaxAbsScaler" => scale::max_abs(at, columns),
            "MinMaxScaler" => scale::min_max(at, columns),
            "RobustScaler" => scale::robust(at, columns),
            "StandardScaler" => scale::standard(at, columns),
            "IterativeImputer" => iterative::iterative(at, cx, columns),
            "KNNImputer" => impute::nearest(at, columns),
            "MissingIndicator" => impute::missing(at, columns),
            "SimpleImputer" => impute::simple(at, cx, columns),
            "PolynomialFeatures" => expand::polynomial(at, columns),
            "KBinsDiscretizer" => distribution::bins(at, cx, columns),
            "PowerTransformer" => distribution::power(at, cx, columns),
            "QuantileTransformer" => distribution::quantile(at, columns),
            "FactorAnalysis" => decompose::factors(at, columns),
            "FastICA" => decompose::independent(at, columns),
            "IncrementalPCA" | "PCA" => decompose::principal(at, cx, columns),
            "GaussianRandomProjection" | "TruncatedSVD" => decompose::product(at, columns),
            "LinearDiscriminantAnalysis" => decompose::discriminants(at, columns),
            "BisectingKMeans" | "KMeans" | "MiniBatchKMeans" => decompose::distances(at, columns),
            "Nystroem" => decompose::nystroem(at, columns),
            class if select::CLASSES.contains(&class) => select::read(at, cx, columns),
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
