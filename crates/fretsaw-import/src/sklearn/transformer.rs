//! Transformers by their class: steps, and the columns behind them.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::{
    compose, decompose, distribution, elementwise, encode, expand, impute, input, iterative,
    pipeline, scale, select,
};
use crate::Error;

/// The classes that are read as transformers.
pub(super) const CLASSES: &[&str] = &[
    "Pipeline",
    "Binarizer",
    "ColumnTransformer",
    "FactorAnalysis",
    "FastICA",
    "FeatureUnion",
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
    "OneHotEncoder",
    "OrdinalEncoder",
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
    "TargetEncoder",
    "TruncatedSVD",
    "VarianceThreshold",
];

/// Those that keep a sparse matrix one.
const KEEP_SPARSE: &[&str] = &[
    "StandardScaler",
    "MaxAbsScaler",
    "RobustScaler",
    "Normalizer",
    "Binarizer",
    "QuantileTransformer",
    "PolynomialFeatures",
    "FunctionTransformer",
    "SimpleImputer",
    "VarianceThreshold",
    "GenericUnivariateSelect",
    "SelectKBest",
    "SelectPercentile",
    "SelectFpr",
    "SelectFdr",
    "SelectFwe",
    "SelectFromModel",
    "SequentialFeatureSelector",
    "RFE",
    "RFECV",
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
        let sparse = columns.sparse;
        let (steps, mut columns) = match at.class() {
            // These know themselves whether what they give is sparse.
            "Pipeline" => return pipeline::transform(at, cx, columns),
            "ColumnTransformer" => return compose::columns(at, cx, columns),
            "FeatureUnion" => return compose::union(at, cx, columns),
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
            "KMeans" | "MiniBatchKMeans" => decompose::distances(at, columns),
            "Nystroem" => decompose::nystroem(at, columns),
            "OneHotEncoder" => encode::one_hot(at, cx, columns),
            "OrdinalEncoder" => encode::ordinal(at, cx, columns),
            "TargetEncoder" => encode::target(at, cx, columns),
            class if select::CLASSES.contains(&class) => select::read(at, cx, columns),
            _ => Err(unsupported(at)),
        }?;
        columns.sparse = gives_sparse(at, sparse);
        Ok((steps, columns))
    })
}

/// Whether the library holds what the transformer gives as a sparse matrix, given whether it holds
/// so what the transformer sees.
fn gives_sparse(at: Attributes<'_, '_>, sparse: bool) -> bool {
    match at.class() {
        // Called `sparse` before 1.2.
        "OneHotEncoder" | "SplineTransformer" => {
            let name = at
                .some("sparse_output")
                .map_or("sparse", |_| "sparse_output");
            at.flag(name)
        }
        "KBinsDiscretizer" => at.text("encode") == Some("onehot"),
        "MissingIndicator" => at.flag("sparse") || sparse,
        class => sparse && KEEP_SPARSE.contains(&class),
    }
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
