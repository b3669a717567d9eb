"""Writes the golden cases of scikit-learn's estimators made of others, and of those of stored rows.

    PYTHON make_sklearn_meta.py OUT [CASE...]     makes OUT/sklearn-<version>/<case>/

It runs under scikit-learn 0.24 to 1.9, on the rows of make_sklearn.py, which says what a case holds. Each
case is one file: joblib's with zlib, which is the smallest, but for a few pickles and skops files. `pred` is predict_proba where there is
one, else decision_function of a classifier, else predict (of a clusterer too); `raw` is decision_function,
or the distances to centres. Cases whose numbers go through BLAS, or through NumPy's own pow, state a
tolerance.
"""

import json
import os
import pickle
import sys
import warnings

from make_sklearn import LS, POOL, VERSION, extreme_rows, features, skops, target

import joblib
import numpy as np
import sklearn
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import RFE
from sklearn.isotonic import IsotonicRegression
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

BASE = "estimator" if VERSION >= (1, 2) else "base_estimator"
BLAS = 1e-12
TRAIN, ROWS = 80, 9
# Which cases are no joblib files.
HOW = {"ada_votes": "pkl", "voting_regressor_plain": "pkl"}
if skops is not None and VERSION >= (1, 9):
    HOW.update({"isolation": "skops", "clusters": "skops", "rest_trees": "skops"})
TREE, TREES = {"max_depth": 2, "random_state": 3}, {"n_estimators": 2, "max_depth": 2, "random_state": 3}


def tree(**more):
    return DecisionTreeClassifier(**dict(TREE, **more))


def regression_tree(**more):
    return DecisionTreeRegressor(**dict(TREE, **more))


def forest(**more):
    return RandomForestClassifier(**dict(TREES, **more))


def boosting(**more):
    return GradientBoostingClassifier(**dict(TREES, **more))


def labels(rng, x):
    """Three labels a row; the second is on every row."""
    s = target("real", rng, x)
    return np.column_stack([s > 0.5, np.ones(len(s), bool), s < 0.0]).astype(int)


def unlabelled(kind, rng, x):
    y = target(kind, rng, x)
    y[rng.rand(len(y)) < 0.3] = -1
    return y


def dump(model, folder, how):
    path = os.path.join(folder, "model." + how)
    if how == "skops":
        skops.io.dump(model, path, compression=8)
        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if how == "joblib.z":
        joblib.dump(model, path, compress=("zlib", 9))
        return joblib.load(path)
    with open(path, "wb") as out:
        pickle.dump(model, out, protocol=4)
    with open(path, "rb") as f:
        return pickle.load(f)


def answers(model, x):
    x = x.astype(np.float64)
    out = {}
    if hasattr(model, "decision_function"):
        out["raw"] = model.decision_function(x)
    elif hasattr(model, "cluster_centers_"):
        out["raw"] = model.transform(x)
    if hasattr(model, "predict_proba"):
        out["pred"] = model.predict_proba(x)
    elif is_classifier(model) and "raw" in out:
        out["pred"] = out["raw"]
    elif is_classifier(model):
        out["pred"] = np.searchsorted(model.classes_, model.predict(x))
    else:
        out["pred"] = model.predict(x)
    wide = {k: v.astype(np.int64) if v.dtype.kind == "i" else v for k, v in out.items()}
    return {k: np.ascontiguousarray(v) for k, v in wide.items()}


def slim(value, seen):
    """Takes random states out of fitted boosting: they are of no use later, and 2.5 kB each."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, (list, tuple)) or getattr(value, "dtype", None) == object:
        items = np.ravel(value) if hasattr(value, "dtype") else value
    else:
        items = getattr(value, "__dict__", {}).values()
        getattr(value, "__dict__", {}).pop("_rng", None)
    for item in list(items):
        slim(item, seen)


def write(folder, how, model, y, rows, notes, tolerance):
    os.makedirs(folder, exist_ok=True)
    slim(model, set())
    model = dump(model, folder, how)
    case = {
        "library": "sklearn",
        "version": sklearn.__version__,
        "versions": {"numpy": np.__version__, "joblib": joblib.__version__},
        "estimator": type(model).__name__,
        "notes": notes,
    }
    if tolerance:
        case["tolerance"] = tolerance
    arrays = dict(answers(model, rows), X=rows)
    if is_classifier(model) and y.ndim == 1:
        case["classes"] = np.asarray(model.classes_).tolist()
        arrays["label"] = np.searchsorted(model.classes_, model.predict(rows.astype(np.float64))).astype(np.int64)
    for key, a in arrays.items():
        np.save(os.path.join(folder, key + ".npy"), a)
    case["shapes"] = {key: list(a.shape) for key, a in sorted(arrays.items())}
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


def plain(folder, how, model, kind, notes, tolerance=0.0):
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN, False), features(rng, POOL, False)
    y = {"labels": labels, "unlabelled": lambda *a: unlabelled("binary", *a)}.get(kind, lambda *a: target(kind, *a))(rng, x)
    model.fit(x.astype(np.float64), y)
    # Linear members and distances would turn the largest values into noise.
    extremes = extreme_rows(pool, False)[[0, 1, 4, 5] if tolerance else slice(None)]
    extremes = extremes[:0] if "left out" in notes else extremes
    rows = np.concatenate([pool[:ROWS], extremes])
    write(folder, how, model, y, rows, notes, tolerance)


def one_column(folder, how, model, kind, notes, tolerance=0.0):
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN, False)[:, :1], features(rng, POOL, False)[:24, :1]
    y = x[:, 0] + 0.5 * rng.randn(TRAIN)
    model.fit(x.astype(np.float64).ravel(), y)
    write(folder, how, model, y, np.concatenate([pool, np.array([[-99.0], [99.0]], np.float32)]), notes, tolerance)


def ada(**more):
    if VERSION < (1, 6):
        return AdaBoostClassifier(**dict({"n_estimators": 4, "random_state": 3}, **more))
    more.pop("algorithm", None)
    return AdaBoostClassifier(**dict({"n_estimators": 4, "random_state": 3}, **more))


def linear():
    from sklearn.linear_model import LogisticRegression

    return make_pipeline(StandardScaler(), LogisticRegression())


def linear_decision():
    from sklearn.svm import LinearSVC

    return make_pipeline(StandardScaler(), LinearSVC(random_state=3, dual=False))


def calibrated(base, **more):
    return CalibratedClassifierCV(base, cv=2, **more)


# name, versions, how to make it
CASES = [
    ("isolation", "0.24 1.3 1.9", plain, lambda: (IsolationForest(n_estimators=4, max_samples=24, random_state=3), "real", "", 1e-15)),
    ("isolation_columns", "1.9", plain, lambda: (IsolationForest(n_estimators=3, max_samples=20, max_features=3, contamination=0.2, random_state=3), "real", "each tree sees three columns", 1e-15)),
    ("ada_binary", "0.24 1.4 1.9", plain, lambda: (ada(), "binary", "SAMME.R up to 1.5")),
    ("ada_votes", "0.24 1.2 1.3 1.9", plain, lambda: (ada(algorithm="SAMME"), "words", "a vote against the others since 1.3.1")),
    ("ada_votes_binary", "1.9", plain, lambda: (ada(algorithm="SAMME", **{BASE: tree()}), "binary", "")),
    ("ada_real_multi", "0.24", plain, lambda: (ada(**{BASE: tree()}), "multi", "")),
    ("ada_forests", "1.9", plain, lambda: (ada(algorithm="SAMME", n_estimators=2, **{BASE: forest()}), "multi", "members that are no single trees")),
    ("ada_real_forests", "0.24", plain, lambda: (ada(n_estimators=2, **{BASE: forest()}), "multi", "members that are no single trees", BLAS)),
    ("ada_regressor", "1.9", plain, lambda: (AdaBoostRegressor(n_estimators=5, random_state=3, **{BASE: regression_tree()}), "real", "")),
    ("ada_regressor_boosting", "1.9", plain, lambda: (AdaBoostRegressor(GradientBoostingRegressor(**TREES), n_estimators=3, random_state=3), "real", "members that are no single trees")),
    ("bagging_boosting", "1.9", plain, lambda: (BaggingClassifier(boosting(), n_estimators=2, max_features=0.5, random_state=3), "words", "decisions and probabilities of members")),
    ("bagging_few_rows", "1.9", plain, lambda: (BaggingClassifier(tree(), n_estimators=5, max_samples=4, random_state=3), "multi", "trees that have not seen all classes")),
    ("bagging_forests_few_rows", "1.9", plain, lambda: (BaggingClassifier(forest(), n_estimators=4, max_samples=4, random_state=3), "multi", "members that have not seen all classes")),
    ("bagging_votes", "1.9", plain, lambda: (BaggingClassifier(linear_decision(), n_estimators=3, random_state=3), "binary", "members without probabilities vote", BLAS)),
    ("bagging_regressor_forests", "1.9", plain, lambda: (BaggingRegressor(RandomForestRegressor(**TREES), n_estimators=3, max_features=0.7, bootstrap_features=True, random_state=3), "real", "")),
    ("voting_soft", "0.24 1.9", plain, lambda: (VotingClassifier([("a", tree()), ("b", "drop"), ("c", forest()), ("d", boosting())], voting="soft", weights=[2, 9, 1, 0.5]), "words", "one was dropped", 1e-15)),
    ("voting_hard", "0.24 1.9", plain, lambda: (VotingClassifier([("a", tree(max_depth=1)), ("b", forest()), ("c", boosting())], voting="hard"), "multi", "")),
    ("voting_hard_weights", "1.9", plain, lambda: (VotingClassifier([("a", tree()), ("b", ExtraTreeClassifier(**TREE)), ("c", boosting())], weights=[0.5, 0.4, 0.1]), "multi", "")),
    ("voting_linear", "1.9", plain, lambda: (VotingClassifier([("a", linear()), ("b", forest())], voting="soft"), "binary", "", BLAS)),
    ("voting_regressor", "1.9", plain, lambda: (VotingRegressor([("a", regression_tree()), ("b", RandomForestRegressor(**TREES)), ("c", ExtraTreeRegressor(**TREE))], weights=[0.2, 0.3, 0.7]), "real", "")),
    ("voting_regressor_plain", "1.9", plain, lambda: (VotingRegressor([("a", regression_tree()), ("b", RandomForestRegressor(**TREES))]), "real", "")),
    ("stacking_binary", "1.9", plain, lambda: (StackingClassifier([("a", forest()), ("b", tree())], tree(), cv=2), "binary", "the first probability is left out")),
    ("stacking_passthrough", "0.24 1.9", plain, lambda: (StackingClassifier([("a", forest()), ("b", boosting())], boosting(), cv=2, passthrough=True), "words", "")),
    ("stacking_decisions", "1.9", plain, lambda: (StackingClassifier([("a", boosting()), ("b", forest())], forest(), cv=2, stack_method="predict"), "multi", "numbers of classes are stacked")),
    ("stacking_linear", "1.9", plain, lambda: (StackingClassifier([("a", linear_decision()), ("b", forest())], linear(), cv=2), "words", "", BLAS)),
    ("stacking_regressor", "1.9", plain, lambda: (StackingRegressor([("a", regression_tree()), ("b", RandomForestRegressor(**TREES))], GradientBoostingRegressor(loss=LS, **TREES), cv=2, passthrough=True), "real", "")),
    ("calibrated_sigmoid", "0.24 1.9", plain, lambda: (calibrated(boosting()), "binary", "of decisions", 1e-15)),
    ("calibrated_sigmoid_multi", "1.9", plain, lambda: (calibrated(forest()), "words", "of probabilities", 1e-15)),
    ("calibrated_isotonic", "1.9", plain, lambda: (calibrated(forest(), method="isotonic"), "binary", "", 1e-15)),
    ("calibrated_isotonic_multi", "0.24 1.1 1.9", plain, lambda: (calibrated(boosting(), method="isotonic"), "multi", "", 1e-15)),
    ("calibrated_once", "1.9", plain, lambda: (calibrated(tree(), method="isotonic", ensemble=False), "multi", "rows where every class has 0", 1e-15)),
    ("calibrated_temperature", "1.9", plain, lambda: (calibrated(forest(), method="temperature"), "binary", "of probabilities", 1e-14)),
    ("calibrated_temperature_decisions", "1.9", plain, lambda: (calibrated(boosting(), method="temperature"), "words", "of decisions", 1e-14)),
    ("rest_boosting", "1.9", plain, lambda: (OneVsRestClassifier(boosting()), "words", "")),
    ("rest_trees", "0.24 1.6 1.9", plain, lambda: (OneVsRestClassifier(ExtraTreeClassifier(max_depth=9, random_state=4)), "words", "equal scores: the last is named up to 1.8; a row of zeros was NaN before 1.7", 1e-15)),
    ("rest_binary", "1.9", plain, lambda: (OneVsRestClassifier(boosting()), "binary", "")),
    ("rest_labels", "0.24 1.9", plain, lambda: (OneVsRestClassifier(forest()), "labels", "several labels a row, one of them on every row")),
    ("rest_decisions", "1.9", plain, lambda: (OneVsRestClassifier(linear_decision()), "multi", "no probabilities", BLAS)),
    ("rest_calibrated", "1.9", plain, lambda: (OneVsRestClassifier(BaggingClassifier(boosting(), n_estimators=2, random_state=3)), "multi", "probabilities that are no function of decisions", 1e-15)),
    ("pairs_trees", "1.9", plain, lambda: (OneVsOneClassifier(tree()), "words", "of probabilities", 1e-15)),
    ("pairs_boosting", "0.24 1.9", plain, lambda: (OneVsOneClassifier(boosting()), "multi", "of decisions", 1e-15)),
    ("pairs_binary", "1.9", plain, lambda: (OneVsOneClassifier(boosting()), "binary", "one pair", 1e-15)),
    ("self_training", "0.24 1.9", plain, lambda: (SelfTrainingClassifier(forest()), "unlabelled", "")),
    ("neighbors", "0.24 1.0 1.9", plain, lambda: (make_pipeline(StandardScaler(), KNeighborsClassifier(5)), "words", "", BLAS)),
    ("neighbors_distance", "1.9", plain, lambda: (make_pipeline(StandardScaler(), KNeighborsClassifier(4, weights="distance", algorithm="ball_tree", p=3)), "multi", "", BLAS)),
    ("neighbors_brute", "1.9", plain, lambda: (KNeighborsClassifier(3, algorithm="brute", metric="cosine"), "binary", "every stored row is as far from a row of zeros: left out", BLAS)),
    ("neighbors_regressor", "0.24 1.9", plain, lambda: (make_pipeline(StandardScaler(), KNeighborsRegressor(4, weights="distance", metric="manhattan")), "real", "", BLAS)),
    ("neighbors_regressor_multi", "1.9", plain, lambda: (make_pipeline(StandardScaler(), KNeighborsRegressor(9, algorithm="kd_tree", p=1.5)), "several", "two outputs", BLAS)),
    ("selected", "0.24 1.9", plain, lambda: (RFE(forest(), n_features_to_select=3), "words", "answers as the forest does that sees what is kept")),
    ("centroid", "0.24", plain, lambda: (make_pipeline(StandardScaler(), NearestCentroid()), "words", "")),
    ("centroid_manhattan", "1.9", plain, lambda: (make_pipeline(StandardScaler(), NearestCentroid(metric="manhattan")), "words", "")),
    ("clusters", "0.24 1.9", plain, lambda: (make_pipeline(StandardScaler(), KMeans(4, n_init=2, random_state=3)), "real", "", BLAS)),
    ("clusters_batches", "1.9", plain, lambda: (MiniBatchKMeans(3, n_init=2, batch_size=40, random_state=3), "real", "", BLAS)),
    ("start_regressor", "1.9", plain, lambda: (GradientBoostingRegressor(init=RandomForestRegressor(**TREES), **TREES), "real", "starts from a forest")),
    ("start_binary", "0.24 1.9", plain, lambda: (boosting(init=forest(min_samples_leaf=9)), "binary", "starts from a forest", 1e-14)),
    ("start_exponential", "1.9", plain, lambda: (boosting(init=boosting(), loss="exponential"), "binary", "starts from boosting", 1e-14)),
    ("start_multi", "0.24 1.9", plain, lambda: (boosting(init=tree()), "words", "starts from a tree", 1e-14)),
    ("mixture", "0.24 1.9", plain, lambda: (make_pipeline(StandardScaler(), GaussianMixture(3, random_state=3)), "real", "probabilities of components", BLAS)),
    ("mixture_tied", "1.9", plain, lambda: (make_pipeline(StandardScaler(), GaussianMixture(2, covariance_type="tied", random_state=3)), "real", "probabilities of components", BLAS)),
    ("isotonic", "0.24 1.9", one_column, lambda: (IsotonicRegression(out_of_bounds="clip"), "real", "", 1e-15)),
    ("frozen", "1.9", plain, lambda: (frozen(), "binary", "calibrates what was trained before", 1e-15)),
]  # fmt: skip


def frozen():
    from sklearn.frozen import FrozenEstimator

    rng = np.random.RandomState(5)
    x = features(rng, TRAIN, False)
    return CalibratedClassifierCV(FrozenEstimator(boosting().fit(x.astype(np.float64), target("binary", rng, x))))


def main():
    out = os.path.join(sys.argv[1], "sklearn-" + sklearn.__version__)
    wanted = sys.argv[2:]
    for name, versions, make, arguments in CASES:
        mine = "%d.%d" % VERSION in versions.split()
        if name in wanted if wanted else mine:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                make(os.path.join(out, name), HOW.get(name, "joblib.z"), *arguments())


if __name__ == "__main__":
    main()
