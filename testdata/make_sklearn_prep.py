"""Writes the golden cases of scikit-learn's numeric preprocessing, of the version it runs under.

    PYTHON make_sklearn_prep.py OUT [CASE...]     makes OUT/sklearn-<version>/<case>/

Each case is a transformer, or a pipeline of them: X64 holds f64 rows, pred64 what transform makes of
them. Rows have values on the learned edges and one ULP beside them. `tolerance` in case.json is how
closely numbers must agree where the library sums through BLAS, or raises to powers, relative to their
size or to `floor`. Cases without it agree to the bit.
"""

import json
import os
import pickle
import sys
import warnings

os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"

import joblib  # noqa: E402
import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import BayesianRidge, Lasso, LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.tree import DecisionTreeRegressor

VERSION = tuple(int(p) for p in sklearn.__version__.split(".")[:2])
try:
    import skops.io
except ImportError:
    skops = None

TRAIN, HELD_OUT = 120, 10
ROUNDED = {"tolerance": 1e-12, "floor": 1e-3}
POWERS = {"tolerance": 1e-13, "floor": 1e-3}


def features(rng, n, missing=0.0, whole=True):
    """Five columns of different scales; the third may be whole, with many equal values."""
    z = rng.randn(n, 4)
    columns = [z[:, 0], 100.0 + 3.0 * z[:, 1] + z[:, 0], np.maximum(np.round(2.0 * z[:, 2]), 0.0)]
    columns += [np.exp(z[:, 1]), 0.001 * (z[:, 3] - z[:, 0])]
    if not whole:
        columns[2] = z[:, 2]
    x = np.column_stack(columns)
    x[rng.rand(n, 5) < missing] = np.nan
    return x


def target(rng, x):
    f = np.nan_to_num(x, nan=0.3)
    return f[:, 0] + (f[:, 2] > 0) + 0.3 * f[:, 3] + 0.5 * rng.randn(len(f))


def beside(x, edges):
    """Rows with the value of one column on an edge, one ULP beside it, and a little more."""
    rows = []
    for column, values in edges:
        for i, edge in enumerate(values):
            for value in (edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf)):
                row = x[i % len(x)].copy()
                row[column] = value
                rows.append(row)
    return np.array(rows).reshape(-1, x.shape[1])


def held_out(rng, missing, whole):
    x = features(rng, HELD_OUT, missing, whole)
    x[0] = np.abs(x[0])
    if missing:
        x[1] = np.nan
        x[2, :3] = np.nan
    return x


def transformed(model, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = model.transform(x.copy())
    return np.ascontiguousarray(out.toarray() if hasattr(out, "toarray") else out, np.float64)


def write(folder, model, x, notes, closeness, how):
    os.makedirs(folder, exist_ok=True)
    if how == "skops" and skops is not None:
        skops.io.dump(model, os.path.join(folder, "model.skops"), compression=8)
    elif how == "pickle":
        with open(os.path.join(folder, "model.p4.pkl"), "wb") as out:
            pickle.dump(model, out, protocol=4)
    else:
        joblib.dump(model, os.path.join(folder, "model.joblib.z"), compress=("zlib", 9))
    np.save(os.path.join(folder, "X64.npy"), np.ascontiguousarray(x, np.float64))
    np.save(os.path.join(folder, "pred64.npy"), transformed(model, x))
    case = {
        "library": "sklearn",
        "version": sklearn.__version__,
        "versions": {"numpy": np.__version__, "joblib": joblib.__version__},
        "estimator": type(model).__name__,
        "notes": notes,
    }
    case.update(closeness)
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


def edges_of(model):
    """Where the model's answer jumps, a few for each column."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if hasattr(last, "bin_edges_"):
        edges = [(c, e[1:-1][:2]) for c, e in enumerate(last.bin_edges_) if c < 3]
        if VERSION < (1, 1):  # compared with x + 1e-8 + 1e-5 |x|
            edges += [(c, (e - 1e-8) / (1 + np.where(e < 0, -1e-5, 1e-5))) for c, e in edges]
        return edges
    if hasattr(last, "quantiles_"):
        q = last.quantiles_
        near = [-1e-7, 0.0, 1e-7]
        return [(0, [q[0, 0] + d for d in near] + [q[-1, 0] + d for d in near]), (2, [q[0, 2], 1.0]), (3, q[3:4, 3])]
    if isinstance(last, Binarizer):
        return [(0, [last.threshold])]
    return []


def make(folder, how, model, notes="", closeness={}, missing=0.0, empty=(), marker=None, positive=False, whole=True):
    rng = np.random.RandomState(23)
    x, rows = features(rng, TRAIN, missing, whole), held_out(rng, missing, whole)
    for a in (x, rows):
        if positive:
            np.abs(a, out=a)
            a += 1e-3
    x[:, list(empty)] = np.nan
    if marker is not None:
        for a in (x, rows):
            a[np.isnan(a)] = marker
    y = target(rng, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(x, y)
        except ValueError:
            model.fit(x, y > np.median(y))
    edge = beside(np.nan_to_num(rows, nan=0.5), edges_of(model))
    write(folder, model, np.concatenate([rows, edge]), notes, closeness, how)


def chain(*steps):
    return Pipeline([("s%d" % i, s) for i, s in enumerate(steps)])




BINS = {"quantile_method": "averaged_inverted_cdf"} if VERSION >= (1, 7) else {}
ALL = "all"  # versions

# name, versions, format, transformer, notes, how closely, what the rows are
CASES = [
    ("min_max", ALL, "pickle", MinMaxScaler(feature_range=(-1, 2), clip=True), "held within its range", {}, {"missing": 0.1}),
    ("max_abs", ALL, "joblib", MaxAbsScaler(), "", {}, {}),
    ("max_abs_clip", (1, 9), "joblib", lambda: MaxAbsScaler(clip=True), "held within 1", {}, {}),
    ("robust", ALL, "skops", RobustScaler(quantile_range=(10, 80), unit_variance=True), "", {}, {"missing": 0.1}),
    ("robust_unscaled", (1, 9), "joblib", RobustScaler(with_scaling=False), "", {}, {}),
    ("normalizer", ALL, "joblib", Normalizer("l2"), "", {"tolerance": 1e-15}, {}),
    ("normalizer_l1", (1, 9), "pickle", Normalizer("l1"), "", {"tolerance": 1e-15}, {}),
    ("normalizer_max", (1, 9), "joblib", Normalizer("max"), "", {}, {}),
    ("binarizer", (1, 9), "skops", Binarizer(threshold=0.25), "", {}, {}),
    ("function", ALL, "pickle", chain(FunctionTransformer(np.abs), FunctionTransformer(np.log1p), FunctionTransformer(None), StandardScaler()), "", {"tolerance": 1e-15}, {}),
    ("function_skops", (1, 9), "skops", chain(FunctionTransformer(np.tanh), FunctionTransformer(np.expm1)), "", {"tolerance": 1e-15}, {}),
    ("impute_mean", ALL, "joblib", SimpleImputer(strategy="mean", add_indicator=True), "with a column without values, which is dropped", {}, {"missing": 0.2, "empty": [1]}),
    ("impute_median", (1, 9), "skops", SimpleImputer(strategy="median", missing_values=-1.0), "missing is -1", {}, {"missing": 0.2, "marker": -1.0}),
    ("impute_frequent", (1, 9), "joblib", lambda: SimpleImputer(strategy="most_frequent", keep_empty_features=True), "keeps a column without values", {}, {"missing": 0.2, "empty": [1]}),
    ("impute_constant", ALL, "pickle", SimpleImputer(strategy="constant", fill_value=7), "a column without values is kept up to 1.7", {}, {"missing": 0.2, "empty": [1]}),
    ("indicator", (1, 9), "joblib", MissingIndicator(), "", {}, {"missing": 0.2}),
    ("indicator_all", (1, 9), "joblib", MissingIndicator(features="all", missing_values=-1, sparse=True), "", {}, {"missing": 0.2, "marker": -1.0}),
    ("knn", ALL, "joblib", KNNImputer(n_neighbors=3, add_indicator=True), "with a column without values", ROUNDED, {"missing": 0.2, "empty": [1], "whole": False}),
    ("knn_distance", (1, 9), "pickle", lambda: KNNImputer(n_neighbors=4, weights="distance", keep_empty_features=True), "keeps a column without values; what is near weighs much, and how near is lost in rounding", {"tolerance": 1e-6, "floor": 1e-3}, {"missing": 0.2, "empty": [4], "whole": False}),
    ("iterative", ALL, "joblib", IterativeImputer(max_iter=3, add_indicator=True, min_value=[-1, 95, 0, 0, -1], max_value=[2, 103, 4, 5, 1]), "with limits", ROUNDED, {"missing": 0.2}),
    ("iterative_tree", (1, 9), "joblib", lambda: IterativeImputer(DecisionTreeRegressor(max_depth=2), max_iter=2, n_nearest_features=2, random_state=1, keep_empty_features=True), "keeps a column without values", {}, {"missing": 0.2, "empty": [1]}),
    ("polynomial", ALL, "joblib", PolynomialFeatures(3), "", {}, {}),
    ("polynomial_range", (1, 9), "skops", lambda: PolynomialFeatures((2, 3), interaction_only=True, include_bias=False), "", {}, {}),
    ("power_yeo", ALL, "joblib", PowerTransformer(), "written as powers up to 1.8", POWERS, {"missing": 0.1}),
    ("power_box_cox", (1, 9), "skops", PowerTransformer("box-cox", standardize=False), "", POWERS, {"positive": True}),
    ("quantile_uniform", ALL, "joblib", QuantileTransformer(n_quantiles=20), "values at the outer quantiles", {}, {"missing": 0.1}),
    ("quantile_normal", ALL, "pickle", QuantileTransformer(n_quantiles=20, output_distribution="normal"), "values around the outer quantiles", POWERS, {"missing": 0.1}),
    ("bins_ordinal", ALL, "joblib", KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), "values are moved a little up to 1.0", {}, {}),
    ("bins_onehot", ALL, "pickle", KBinsDiscretizer([3, 4, 3, 2, 5], encode="onehot", strategy="quantile", **BINS), "", {}, {}),
    ("bins_dense", (1, 9), "skops", lambda: KBinsDiscretizer(3, encode="onehot-dense", strategy="kmeans", dtype=np.float32), "in f32", {}, {}),
    ("select_best", ALL, "joblib", SelectKBest(f_regression, k=2), "", {}, {}),
    ("select_percentile", (1, 9), "pickle", SelectPercentile(f_regression, percentile=50), "", {}, {}),
    ("select_p_values", ALL, "joblib", chain(SelectFpr(f_regression, alpha=0.5), SelectFdr(f_regression, alpha=0.4), SelectFwe(f_regression, alpha=0.3)), "", {}, {}),
    ("select_generic", (1, 9), "skops", GenericUnivariateSelect(f_regression, mode="k_best", param=3), "", {}, {}),
    ("select_variance", ALL, "joblib", VarianceThreshold(0.5), "", {}, {}),
    ("select_rfe", ALL, "joblib", chain(RFE(LinearRegression(), n_features_to_select=2), MaxAbsScaler()), "", {}, {}),
    ("select_rfecv", (1, 9), "pickle", chain(RFECV(LinearRegression(), min_features_to_select=2, cv=3), MaxAbsScaler()), "", {}, {}),
    ("select_sequential", (1, 9), "joblib", lambda: SequentialFeatureSelector(LinearRegression(), n_features_to_select=3, cv=2), "", {}, {}),
    ("select_lasso", ALL, "joblib", SelectFromModel(Lasso(alpha=0.1)), "its threshold is near 0", {}, {}),
    ("select_logistic", (1, 9), "skops", SelectFromModel(LogisticRegression(), threshold="0.5*median", norm_order=2), "", {}, {}),
    ("select_forest", ALL, "joblib", SelectFromModel(RandomForestClassifier(n_estimators=3, max_depth=2, random_state=3), max_features=2), "", {}, {}),
    ("select_boosting", (1, 9), "joblib", SelectFromModel(GradientBoostingRegressor(n_estimators=3, max_depth=2, random_state=3), threshold="median"), "", {}, {}),
    ("pca", ALL, "joblib", PCA(3), "the mean is subtracted first up to 1.4", ROUNDED, {}),
    ("pca_whiten", ALL, "pickle", chain(StandardScaler(), PCA(5, whiten=True)), "", ROUNDED, {}),
    ("incremental_pca", (1, 9), "joblib", IncrementalPCA(2), "", ROUNDED, {}),
    ("svd", ALL, "skops", TruncatedSVD(2, random_state=3), "", ROUNDED, {}),
    ("ica", ALL, "joblib", FastICA(3, random_state=3), "", ROUNDED, {}),
    ("factors", (1, 9), "joblib", chain(StandardScaler(), FactorAnalysis(2, random_state=3)), "", ROUNDED, {}),
    ("projection", (1, 9), "joblib", GaussianRandomProjection(3, random_state=3), "", ROUNDED, {}),
    ("discriminants", ALL, "joblib", chain(LinearDiscriminantAnalysis(), StandardScaler()), "as a transformer", ROUNDED, {}),
    ("distances", ALL, "pickle", chain(StandardScaler(), KMeans(3, n_init=1, random_state=3), StandardScaler()), "as a transformer", ROUNDED, {}),
    ("nystroem", (1, 9), "joblib", chain(StandardScaler(), Nystroem(n_components=4, random_state=3)), "", ROUNDED, {}),
    ("nystroem_poly", (1, 9), "joblib", chain(StandardScaler(), Nystroem(kernel="poly", degree=2, n_components=4, random_state=3)), "", ROUNDED, {}),
]  # fmt: skip

WHOLE = {(1, 9)}
# What the other versions are here for.
FEW = {
    (0, 24): {"function", "impute_mean", "knn", "iterative", "power_yeo", "quantile_normal", "bins_ordinal", "pca_whiten"}
    | {"select_p_values", "select_rfe", "select_lasso", "select_forest", "ica", "discriminants", "distances", "min_max"},
    (1, 0): {"bins_ordinal", "robust"},
    (1, 2): {"impute_constant", "bins_onehot"},
    (1, 4): {"pca"},
    (1, 6): {"impute_constant", "iterative", "power_yeo", "pca"},
}


def main():
    out = os.path.join(sys.argv[1], "sklearn-" + sklearn.__version__)
    wanted = sys.argv[2:]
    for name, versions, how, model, notes, closeness, rows in CASES:
        if VERSION in WHOLE:
            mine = True
        else:
            mine = versions == ALL and name in FEW.get(VERSION, ())
        if mine and (not wanted or name in wanted):
            model = model() if callable(model) else model
            make(os.path.join(out, "prep_" + name), how, model, notes, closeness, **rows)


if __name__ == "__main__":
    main()
