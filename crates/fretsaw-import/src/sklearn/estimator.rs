//! Estimators by their class: what each is read by, and which wrappers are seen through.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::part::{Part, row};
use super::transformer::check_width;
use super::{
    adaboost, bagging, bayes, boosting, calibration, clusters, discriminant, dummy, forest,
    gaussian_process, hist, isolation, isotonic, kernel_ridge, linear, linear_classifier, mixture,
    mlp, multiclass, neighbors, pipeline, pls, select, several, stacking, svm, target, transformer,
    voting,
};
use crate::Error;

/// Reads an estimator that sees rows of these columns.
type Reader = fn(Attributes<'_, '_>, &Context<'_>, &Columns) -> Result<Part, Error>;

/// Estimators that answer as another does, and the attribute that holds that one: the first of these
/// that there is.
const WRAPPERS: &[(&str, &[&str])] = &[
    ("FrozenEstimator", &["estimator"]),
    ("GridSearchCV", &["best_estimator_"]),
    ("HalvingGridSearchCV", &["best_estimator_"]),
    ("HalvingRandomSearchCV", &["best_estimator_"]),
    ("RANSACRegressor", &["estimator_"]),
    ("RandomizedSearchCV", &["best_estimator_"]),
    // The second before 1.6.
    ("SelfTrainingClassifier", &["estimator_", "base_estimator_"]),
];

/// What each class is read by. A transformer's class may stand here too: what counts is `predict`.
const READERS: &[(&[&str], Reader)] = &[
    (&["Pipeline"], pipeline::estimate),
    (forest::TREES, |at, cx, _| forest::tree(at, cx)),
    (forest::FORESTS, |at, cx, _| forest::forest(at, cx)),
    (&["BaggingClassifier", "BaggingRegressor"], bagging::read),
    (
        &["GradientBoostingClassifier", "GradientBoostingRegressor"],
        boosting::read,
    ),
    (
        &[
            "HistGradientBoostingClassifier",
            "HistGradientBoostingRegressor",
        ],
        hist::read,
    ),
    (&["IsolationForest"], |at, _, columns| {
        isolation::read(at, columns)
    }),
    (&["AdaBoostClassifier"], adaboost::classifier),
    (&["AdaBoostRegressor"], adaboost::regressor),
    (&["VotingClassifier"], voting::classifier),
    (&["VotingRegressor"], voting::regressor),
    (&["StackingClassifier", "StackingRegressor"], stacking::read),
    (&["CalibratedClassifierCV"], calibration::read),
    (&["RFE", "RFECV"], select::estimate),
    (&["OneVsOneClassifier"], multiclass::one_vs_one),
    (&["OneVsRestClassifier"], multiclass::one_vs_rest),
    (
        &["MultiOutputClassifier", "MultiOutputRegressor"],
        several::side_by_side,
    ),
    (&["ClassifierChain", "RegressorChain"], several::chain),
    (&["TransformedTargetRegressor"], target::read),
    (linear::REGRESSORS, |at, _, columns| {
        linear::regressor(at, columns)
    }),
    (
        &["GammaRegressor", "PoissonRegressor", "TweedieRegressor"],
        |at, _, columns| linear::generalized(at, columns),
    ),
    (&["SGDOneClassSVM"], |at, _, columns| {
        linear::one_class(at, columns)
    }),
    (
        &["LogisticRegression", "LogisticRegressionCV"],
        linear_classifier::logistic,
    ),
    (&["SGDClassifier"], linear_classifier::stochastic),
    (
        &["RidgeClassifier", "RidgeClassifierCV"],
        |at, _, columns| linear_classifier::ridge(at, columns),
    ),
    (
        &["LinearSVC", "PassiveAggressiveClassifier", "Perceptron"],
        |at, _, columns| linear_classifier::margins_only(at, columns),
    ),
    (&["LinearDiscriminantAnalysis"], |at, _, columns| {
        linear_classifier::discriminant(at, columns)
    }),
    (&["QuadraticDiscriminantAnalysis"], |at, _, columns| {
        discriminant::quadratic(at, columns)
    }),
    (&["CCA", "PLSCanonical", "PLSRegression"], pls::regressor),
    (&["NuSVC", "SVC"], |at, _, columns| {
        svm::classifier(at, columns)
    }),
    (&["NuSVR", "SVR"], |at, _, columns| {
        svm::regressor(at, columns)
    }),
    (&["OneClassSVM"], |at, _, columns| {
        svm::one_class(at, columns)
    }),
    (&["KernelRidge"], |at, _, columns| {
        kernel_ridge::regressor(at, columns)
    }),
    (&["GaussianProcessRegressor"], |at, _, columns| {
        gaussian_process::regressor(at, columns)
    }),
    (&["MLPClassifier"], |at, _, columns| {
        mlp::classifier(at, columns)
    }),
    (&["MLPRegressor"], |at, _, columns| {
        mlp::regressor(at, columns)
    }),
    (&["BernoulliNB"], |at, _, columns| {
        bayes::bernoulli(at, columns)
    }),
    (&["CategoricalNB"], |at, _, columns| {
        bayes::categorical(at, columns)
    }),
    (&["ComplementNB"], |at, _, columns| {
        bayes::complement(at, columns)
    }),
    (&["GaussianNB"], |at, _, columns| {
        bayes::gaussian(at, columns)
    }),
    (&["MultinomialNB"], |at, _, columns| {
        bayes::multinomial(at, columns)
    }),
    (&["KNeighborsClassifier"], |at, _, _| {
        neighbors::classifier(at)
    }),
    (&["KNeighborsRegressor"], |at, _, _| {
        neighbors::regressor(at)
    }),
    (&["NearestCentroid"], |at, _, _| neighbors::centroid(at)),
    (&["KMeans", "MiniBatchKMeans"], |at, _, _| {
        clusters::read(at)
    }),
    (&["GaussianMixture"], |at, _, _| mixture::read(at)),
    (&["IsotonicRegression"], |at, _, _| isotonic::read(at)),
    (&["DummyClassifier"], |at, _, _| dummy::classifier(at)),
    (&["DummyRegressor"], |at, _, _| dummy::regressor(at)),
];

fn reader(class: &str) -> Option<Reader> {
    let of_class = READERS.iter().find(|(classes, _)| classes.contains(&class));
    of_class.map(|&(_, reader)| reader)
}

/// The estimator that one of [`WRAPPERS`] answers as, and the attribute that holds it.
pub(super) fn wrapped<'p, 'a>(
    at: Attributes<'p, 'a>,
) -> Result<Option<(Attributes<'p, 'a>, &'static str)>, Error> {
    let names = WRAPPERS.iter().find(|(class, _)| *class == at.class());
    let Some(&(_, names)) = names.filter(|_| at.is_sklearn()) else {
        return Ok(None);
    };
    let held = names.iter().find(|name| at.some(name).is_some());
    let name = held.unwrap_or(&names[0]);
    Ok(Some((at.child(name)?, name)))
}

/// Reads an estimator that sees rows of `columns`.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    cx.deeper(|| {
        if !at.is_sklearn() {
            return foreign(at, cx, columns);
        }
        check_width(at, columns)?;
        if let Some((inner, name)) = wrapped(at)? {
            return read(inner, cx, columns).map_err(|e| e.under(name));
        }
        if let Some(reader) = reader(at.class()) {
            return reader(at, cx, columns);
        }
        if !transformer::is_known(at.class()) {
            return Err(unsupported(at));
        }
        let (steps, columns) = transformer::read(at, cx, columns.clone())?;
        Ok(Part::values(at, steps, row(columns.width())))
    })
}

/// Refuses a class that has no rule here, before anything of it is looked at.
pub(super) fn check_known(at: Attributes<'_, '_>) -> Result<(), Error> {
    let class = at.class();
    let known = !at.is_sklearn()
        || WRAPPERS.iter().any(|w| w.0 == class)
        || reader(class).is_some()
        || transformer::is_known(class);
    match known {
        true => Ok(()),
        false => Err(unsupported(at)),
    }
}

fn unsupported(at: Attributes<'_, '_>) -> Error {
    at.unsupported("", "docs/support.md lists the classes that are read")
}

/// Another library's estimator.
fn foreign(at: Attributes<'_, '_>, cx: &Context<'_>, columns: &Columns) -> Result<Part, Error> {
    let mut part = Part::foreign(crate::estimator(at.pickle, at.id, cx.format)?);
    let n = part.features.as_ref().map_or(0, Vec::len);
    if n != columns.width() {
        return Err(Error::invalid(format!(
            "the `{}` takes {n} columns and is given {}",
            at.class(),
            columns.width()
        )));
    }
    if columns.sparse && at.pickle.package(at.id) == Some("xgboost") {
        part = part.behind(vec![Step::MarkMissing { value: 0.0 }]);
    }
    if !columns.are_input() {
        let categorical =
            |f: &fretsaw_model::Feature| f.kind != fretsaw_model::FeatureKind::Numeric;
        if part
            .features
            .take()
            .is_some_and(|f| f.iter().any(categorical))
        {
            return Err(at.unsupported(
                "with categorical columns behind transformers",
                "its categories would have to be found in computed columns",
            ));
        }
    }
    Ok(part)
}
