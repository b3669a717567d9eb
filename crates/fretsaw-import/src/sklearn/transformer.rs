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

/// Steps, and the columns behind them.
pub(super) type Transformed = Result<(Vec<Step>, Columns), Error>;

/// Reads a transformer that sees rows of these columns.
type Reader = fn(Attributes<'_, '_>, &Context<'_>, Columns) -> Transformed;

/// What each class is read by.
const READERS: &[(&[&str], Reader)] = &[
    (&["Pipeline"], pipeline::transform),
    (&["ColumnTransformer"], compose::columns),
    (&["FeatureUnion"], compose::union),
    (&["Binarizer"], |at, _, columns| {
        elementwise::binarizer(at, columns)
    }),
    (&["FunctionTransformer"], |at, _, columns| {
        elementwise::function(at, columns)
    }),
    (&["Normalizer"], |at, _, columns| {
        elementwise::normalizer(at, columns)
    }),
    (&["MaxAbsScaler"], |at, _, columns| {
        scale::max_abs(at, columns)
    }),
    (&["MinMaxScaler"], |at, _, columns| {
        scale::min_max(at, columns)
    }),
    (&["RobustScaler"], |at, _, columns| {
        scale::robust(at, columns)
    }),
    (&["StandardScaler"], |at, _, columns| {
        scale::standard(at, columns)
    }),
    (&["IterativeImputer"], iterative::iterative),
    (&["KNNImputer"], |at, _, columns| {
        impute::nearest(at, columns)
    }),
    (&["MissingIndicator"], |at, _, columns| {
        impute::missing(at, columns)
    }),
    (&["SimpleImputer"], impute::simple),
    (&["PolynomialFeatures"], |at, _, columns| {
        expand::polynomial(at, columns)
    }),
    (&["KBinsDiscretizer"], distribution::bins),
    (&["PowerTransformer"], distribution::power),
    (&["QuantileTransformer"], |at, _, columns| {
        distribution::quantile(at, columns)
    }),
    (&["FactorAnalysis"], |at, _, columns| {
        decompose::factors(at, columns)
    }),
    (&["FastICA"], |at, _, columns| {
        decompose::independent(at, columns)
    }),
    (&["IncrementalPCA", "PCA"], decompose::principal),
    (
        &["GaussianRandomProjection", "TruncatedSVD"],
        |at, _, columns| decompose::product(at, columns),
    ),
    (&["LinearDiscriminantAnalysis"], |at, _, columns| {
        decompose::discriminants(at, columns)
    }),
    (&["KMeans", "MiniBatchKMeans"], |at, _, columns| {
        decompose::distances(at, columns)
    }),
    (&["Nystroem"], |at, _, columns| {
        decompose::nystroem(at, columns)
    }),
    (&["OneHotEncoder"], encode::one_hot),
    (&["OrdinalEncoder"], encode::ordinal),
    (&["TargetEncoder"], encode::target),
    (select::CLASSES, select::read),
];

fn reader(class: &str) -> Option<Reader> {
    let of_class = READERS.iter().find(|(classes, _)| classes.contains(&class));
    of_class.map(|&(_, reader)| reader)
}

/// Whether the class is read as a transformer.
pub(super) fn is_known(class: &str) -> bool {
    reader(class).is_some()
}

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
pub(super) fn read(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    cx.deeper(|| {
        let known = reader(at.class()).filter(|_| at.is_sklearn());
        let reader = known.ok_or_else(|| unsupported(at))?;
        check_width(at, &columns)?;
        let sparse = columns.sparse;
        let (steps, mut columns) = reader(at, cx, columns)?;
        if !KNOW_THEMSELVES.contains(&at.class()) {
            columns.sparse = gives_sparse(at, sparse);
        }
        Ok((steps, columns))
    })
}

/// Transformers made of others, which say by those whether what they give is sparse.
const KNOW_THEMSELVES: &[&str] = &["ColumnTransformer", "FeatureUnion", "Pipeline"];

/// Whether the library holds what the transformer gives as a sparse matrix, given whether it holds
/// so what the transformer sees.
fn gives_sparse(at: Attributes<'_, '_>, sparse: bool) -> bool {
    match at.class() {
        // Called `sparse` before 1.2.
        "OneHotEncoder" => {
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
        "docs/support.md lists the transformers that are read",
    )
}
