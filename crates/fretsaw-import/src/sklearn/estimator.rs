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
    mlp, multiclass, neighbors, pipeline, pls, several, stacking, svm, target, transformer, voting,
};
use crate::Error;

/// The classes that are read as estimators.
pub(super) const CLASSES: &[&str] = &[
    "Pipeline",
    "GridSearchCV",
    "RandomizedSearchCV",
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "BaggingClassifier",
    "BaggingRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "TransformedTargetRegressor",
    "MultiOutputRegressor",
    "MultiOutputClassifier",
    "RegressorChain",
    "ClassifierChain",
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
    "RANSACRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
    "GammaRegressor",
    "PoissonRegressor",
    "TweedieRegressor",
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SGDOneClassSVM",
    "NuSVC",
    "NuSVR",
    "OneClassSVM",
    "SVC",
    "SVR",
    "MLPClassifier",
    "MLPRegressor",
    "BernoulliNB",
    "CategoricalNB",
    "ComplementNB",
    "GaussianNB",
    "MultinomialNB",
    "QuadraticDiscriminantAnalysis",
    "GaussianProcessRegressor",
    "KernelRidge",
    "CCA",
    "PLSCanonical",
    "PLSRegression",
    "DummyClassifier",
    "DummyRegressor",
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "CalibratedClassifierCV",
    "FrozenEstimator",
    "GaussianMixture",
    "IsolationForest",
    "IsotonicRegression",
    "KMeans",
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "MiniBatchKMeans",
    "NearestCentroid",
    "OneVsOneClassifier",
    "OneVsRestClassifier",
    "SelfTrainingClassifier",
    "StackingClassifier",
    "StackingRegressor",
    "VotingClassifier",
    "VotingRegressor",
];

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
        match at.class() {
            "Pipeline" => pipeline::estimate(at, cx, columns),
            "GridSearchCV"
            | "RandomizedSearchCV"
            | "HalvingGridSearchCV"
            | "HalvingRandomSearchCV" => read(at.child("best_estimator_")?, cx, columns),
            "FrozenEstimator" => read(at.child("estimator")?, cx, columns),
            // `base_estimator_` before 1.6.
            "SelfTrainingClassifier" if at.some("estimator_").is_none() => {
                read(at.child("base_estimator_")?, cx, columns)
            }
            "SelfTrainingClassifier" => read(at.child("estimator_")?, cx, columns),
            class => {
                check_width(at, columns)?;
                of_class(class, at, cx, columns)
            }
        }
    })
}

fn of_class(
    class: &str,
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    match class {
        "DecisionTreeClassifier"
        | "ExtraTreeClassifier"
        | "DecisionTreeRegressor"
        | "ExtraTreeRegressor" => forest::tree(at, cx),
        "RandomForestClassifier"
        | "ExtraTreesClassifier"
        | "RandomForestRegressor"
        | "ExtraTreesRegressor" => forest::forest(at, cx),
        "BaggingClassifier" | "BaggingRegressor" => bagging::read(at, cx, columns),
        "AdaBoostClassifier" => adaboost::classifier(at, cx, columns),
        "AdaBoostRegressor" => adaboost::regressor(at, cx, columns),
        "CalibratedClassifierCV" => calibration::read(at, cx, columns),
        "GaussianMixture" => mixture::read(at),
        "IsolationForest" => isolation::read(at, columns),
        "IsotonicRegression" => isotonic::read(at),
        "KMeans" | "MiniBatchKMeans" => clusters::read(at),
        "KNeighborsClassifier" => neighbors::classifier(at),
        "KNeighborsRegressor" => neighbors::regressor(at),
        "NearestCentroid" => neighbors::centroid(at),
        "OneVsOneClassifier" => multiclass::one_vs_one(at, cx, columns),
        "OneVsRestClassifier" => multiclass::one_vs_rest(at, cx, columns),
        "StackingClassifier" | "StackingRegressor" => stacking::read(at, cx, columns),
        "VotingClassifier" => voting::classifier(at, cx, columns),
        "VotingRegressor" => voting::regressor(at, cx, columns),
        "GradientBoostingClassifier" | "GradientBoostingRegressor" => {
            boosting::read(at, cx, columns)
        }
        "HistGradientBoostingClassifier" | "HistGradientBoostingRegressor" => {
            hist::read(at, cx, columns)
        }
        "TransformedTargetRegressor" => target::read(at, cx, columns),
        "MultiOutputRegressor" | "MultiOutputClassifier" => several::side_by_side(at, cx, columns),
        "RegressorChain" | "ClassifierChain" => several::chain(at, cx, columns),
        "PoissonRegressor" | "GammaRegressor" | "TweedieRegressor" => {
            linear::generalized(at, columns)
        }
        "RANSACRegressor" => linear::ransac(at, cx, columns),
        "LogisticRegression" | "LogisticRegressionCV" => {
            linear_classifier::logistic(at, cx, columns)
        }
        "SGDClassifier" => linear_classifier::stochastic(at, cx, columns),
        "RidgeClassifier" | "RidgeClassifierCV" => linear_classifier::ridge(at, columns),
        "LinearSVC" | "PassiveAggressiveClassifier" | "Perceptron" => {
            linear_classifier::margins_only(at, columns)
        }
        "LinearDiscriminantAnalysis" => linear_classifier::discriminant(at, columns),
        "QuadraticDiscriminantAnalysis" => discriminant::quadratic(at, columns),
        "SVC" | "NuSVC" => svm::classifier(at, columns),
        "SVR" | "NuSVR" => svm::regressor(at, columns),
        "OneClassSVM" => svm::one_class(at, columns),
        "SGDOneClassSVM" => linear::one_class(at, columns),
        "MLPClassifier" => mlp::classifier(at, columns),
        "MLPRegressor" => mlp::regressor(at, columns),
        "GaussianNB" => bayes::gaussian(at, columns),
        "MultinomialNB" => bayes::multinomial(at, columns),
        "ComplementNB" => bayes::complement(at, columns),
        "BernoulliNB" => bayes::bernoulli(at, columns),
        "CategoricalNB" => bayes::categorical(at, columns),
        "GaussianProcessRegressor" => gaussian_process::regressor(at, columns),
        "KernelRidge" => kernel_ridge::regressor(at, columns),
        "PLSRegression" | "PLSCanonical" | "CCA" => pls::regressor(at, cx, columns),
        "DummyClassifier" => dummy::classifier(at),
        "DummyRegressor" => dummy::regressor(at),
        class if linear::REGRESSORS.contains(&class) => linear::regressor(at, columns),
        class if transformer::CLASSES.contains(&class) => {
            let (steps, columns) = transformer::read(at, cx, columns.clone())?;
            Ok(Part::values(at, steps, row(columns.width())))
        }
        _ => Err(unsupported(at)),
    }
}

/// Refuses a class that has no rule here, before anything of it is looked at.
pub(super) fn check_known(at: Attributes<'_, '_>) -> Result<(), Error> {
    let class = at.class();
    let known = CLASSES.contains(&class) || transformer::CLASSES.contains(&class);
    match known || !at.is_sklearn() {
        true => Ok(()),
        false => Err(unsupported(at)),
    }
}

fn unsupported(at: Attributes<'_, '_>) -> Error {
    at.unsupported(
        "",
        "the documentation lists scikit-learn's estimators that are read",
    )
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
