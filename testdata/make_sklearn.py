"""Writes the golden cases of scikit-learn's tree ensembles of the version it runs under.

    PYTHON make_sklearn.py OUT [CASE...]     makes OUT/sklearn-<version>/<case>/

It runs under scikit-learn 0.24 to 1.9. Data come from RandomState, whose stream no release of NumPy
has changed; training is on one thread. The answers are those of the estimator read back from its file.
X holds f32 rows, which count as f64 here as they would from a list; X64 holds f64 rows one f64 ULP
beside thresholds. raw is decision_function, or of histogram regressors the margin behind the link.
README.md says what else a case holds; which version gets which case is in CASES, below.
"""

import json
import os
import pickle
import sys
import warnings

# NumPy's own log for AVX-512 differs in the last bit from the C library's, and gradient boosting of
# several classes starts from logarithms: without it, cases do not depend on the processor.
os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"

import joblib  # noqa: E402
import numpy as np
import sklearn
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

VERSION = tuple(int(p) for p in sklearn.__version__.split(".")[:2])
if VERSION < (1, 0):
    from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

try:
    import skops.io
except ImportError:
    skops = None

TRAIN, POOL, HELD_OUT, SPLITS = 160, 80, 8, 5
SMALL = {"n_estimators": 4, "max_depth": 3, "random_state": 3}
HIST = {"max_iter": 4, "max_leaf_nodes": 6, "max_bins": 20, "min_samples_leaf": 4, "random_state": 3}
WORDS = np.array(["down", "flat", "up"])
FULL = {"forest_classifier", "hist_categories"}  # in every format; the others in few
SKOPS = FULL | {"hist_categories_text", "search"}
# Versions that differ little from a neighbour get no more than these.
FEW = {"tree_classifier_missing", "forest_classifier", "boosting_binary", "boosting_multi", "hist_binary", "hist_multi"}
FEW |= {"hist_categories", "hist_categories_values", "hist_categories_numbers", "hist_categories_text", "bagging_classifier", "search"}
FEW -= {"search"} if VERSION == (1, 3) else set()
FEW = {"boosting_multi", "hist_categories"} if VERSION == (1, 1) else FEW
WHOLE = {(0, 24), (1, 9)}
LS = "squared_error" if VERSION >= (1, 0) else "ls"


def features(rng, rows, missing):
    """Six correlated features of very different scales; the third is whole."""
    z = rng.randn(rows, 4)
    columns = [z[:, 0], 0.7 * z[:, 0] + 0.7 * z[:, 1], np.round(3 * z[:, 2])]
    columns += [1000.0 * np.exp(z[:, 1]), 0.001 * (z[:, 3] - z[:, 0]), z[:, 2] * z[:, 3]]
    x = np.column_stack(columns).astype(np.float32)
    if missing:
        x[rng.rand(rows, 6) < 0.08] = np.nan
    return x


def target(kind, rng, x):
    f = np.where(np.isnan(x), [0.4, 0.4, 0.4, 400.0, 0.0004, 0.4], x).astype(np.float64)
    s = f[:, 0] + np.where(f[:, 2] > 0, 0.8, -0.4) + 0.5 * np.log1p(f[:, 3]) * (f[:, 1] > 0) + 300 * f[:, 4] - 2
    noisy = s + 0.7 * rng.randn(len(s))
    if kind == "binary":
        return (noisy > 0.5).astype(int)
    if kind == "words":
        return WORDS[np.digitize(noisy, [-0.8, 0.8])]
    if kind == "multi":
        return np.digitize(noisy, [-0.8, 0.8]) * 2 + 3
    if kind == "several":
        return np.column_stack([noisy, s * s])
    if kind == "count":
        return rng.poisson(np.exp(0.4 * s)).astype(float)
    if kind == "positive":
        return np.exp(0.5 * noisy)
    return noisy


def codes(rng, rows, values):
    """Two columns of categories among three, and numbers."""
    a, b = rng.randint(0, 4, rows), rng.randint(0, len(values), rows)
    n = rng.randn(rows, 2).astype(np.float32)
    s = np.array([0.5, -1.0, 1.5, 0.0])[a] + np.sin(2.0 * b) + 0.5 * n[:, 0]
    x = np.column_stack([n[:, 0], np.asarray(values)[b], n[:, 1], a]).astype(np.float32)
    x[rng.rand(rows, 4) < 0.05] = np.nan
    return x, (s > 0).astype(int)


# --- rows that are hard to get right ----------------------------------------------------------------


def trees_of(model):
    """(feature, threshold, left, right, is_leaf) of every tree in it; of bagging, with its own columns."""
    if hasattr(model, "best_estimator_"):
        return trees_of(model.best_estimator_.steps[-1][1])
    if hasattr(model, "_predictors"):
        nodes = [p.nodes for stage in model._predictors for p in stage]
        name = "num_threshold" if "num_threshold" in nodes[0].dtype.names else "threshold"
        return [(t["feature_idx"].astype(int), t[name], t["left"], t["right"], t["is_leaf"] != 0) for t in nodes]
    if hasattr(model, "tree_"):
        members = [(model, None)]
    elif hasattr(model, "estimators_features_"):
        members = list(zip(model.estimators_, model.estimators_features_))
    else:
        members = [(m, None) for m in np.ravel(np.array(model.estimators_, dtype=object))]
    out = []
    for m, columns in members:
        t = m.tree_
        f = t.feature if columns is None else np.asarray(columns)[t.feature]
        out.append((f, t.threshold, t.children_left, t.children_right, t.children_left == -1))
    return out


def threshold_rows(model, x, dtype):
    """Rows that reach a split with the value on its threshold, one ULP below and one above it."""
    found = []
    for f, t, left, right, leaf in trees_of(model):
        stack = [(0, np.arange(len(x)))]
        while stack:
            node, rows = stack.pop()
            if leaf[node] or len(rows) == 0:
                continue
            found.append((rows[0], f[node], t[node]))
            with np.errstate(invalid="ignore"):
                goes = x[rows, f[node]] <= t[node]
            stack += [(left[node], rows[goes]), (right[node], rows[~goes])]
    out = []
    for k in np.unique(np.linspace(0, len(found) - 1, min(SPLITS, len(found))).astype(int)):
        row, f, t = found[k]
        t = dtype(t)
        for value in (t, np.nextafter(t, dtype(-np.inf)), np.nextafter(t, dtype(np.inf))):
            r = x[row].astype(dtype)
            r[f] = value
            out.append(r)
    return np.array(out, dtype).reshape(-1, x.shape[1])


def extreme_rows(x, missing):
    rows = [np.full(x.shape[1], v) for v in (0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40)]
    if missing:
        rows += [np.full(x.shape[1], np.nan), np.where(np.arange(x.shape[1]) % 2 == 0, x[0], np.nan)]
    return np.array(rows, np.float32)


# --- writing a case ---------------------------------------------------------------------------------


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)


def dump(model, folder, full):
    """Writes the model in every way a user might; the copies read back."""
    back = []
    for protocol in (2, 4, 5) if full and VERSION in WHOLE else ():
        path = os.path.join(folder, "model.p%d.pkl" % protocol)
        with open(path, "wb") as out:
            pickle.dump(model, out, protocol=protocol)
        with open(path, "rb") as f:
            back.append(pickle.load(f))
    for name, how in (("model.joblib", 0), ("model.joblib.z", ("zlib", 9))):
        if full or how:
            joblib.dump(model, os.path.join(folder, name), compress=how)
            back.append(joblib.load(os.path.join(folder, name)))
    if skops is not None and os.path.basename(folder) in SKOPS:
        path = os.path.join(folder, "model.skops")
        skops.io.dump(model, path, compression=8)
        trusted = skops.io.get_untrusted_types(file=path)
        try:
            back.append(skops.io.load(path, trusted=trusted))
        except Exception as e:  # skops cannot read every model that it writes
            print("   skops does not read it back: %s" % str(e)[:80])
    return back


def answers(model, x):
    x = x if hasattr(x, "columns") else x.astype(np.float64)
    out = {"pred": (model.predict_proba if hasattr(model, "classes_") else model.predict)(x)}
    if hasattr(model, "decision_function"):
        out["raw"] = model.decision_function(x)
    elif isinstance(model, HistGradientBoostingRegressor):
        out["raw"] = np.asarray(model._raw_predict(np.asarray(x, np.float64))).ravel()
    return {k: np.ascontiguousarray(v) for k, v in out.items()}


def write(folder, model, rows, notes):
    """rows: name of the file to the rows in it, or to (what the model is given, the rows as numbers)."""
    name = os.path.basename(folder)
    os.makedirs(folder, exist_ok=True)
    back = dump(model, folder, name in FULL)
    case = {
        "library": "sklearn",
        "version": sklearn.__version__,
        "versions": {"numpy": np.__version__, "joblib": joblib.__version__},
        "estimator": type(model).__name__,
        "params": {k: v for k, v in sorted(model.get_params(deep=False).items()) if isinstance(v, (int, float, str, type(None)))},
        "notes": notes,
    }
    if os.path.exists(os.path.join(folder, "model.skops")):
        import importlib.metadata

        case["versions"]["skops"] = importlib.metadata.version("skops")
    arrays = {}
    for suffix, x in rows.items():
        given, x = x if isinstance(x, tuple) else (x, x)
        first = answers(back[0], given)
        for other in back[1:]:
            assert all(same(first[k], v) for k, v in answers(other, given).items()), folder
        arrays["X" + suffix] = x
        arrays.update({k + suffix: v for k, v in first.items()})
        if suffix == "" and hasattr(model, "classes_"):
            case["classes"] = np.asarray(model.classes_).tolist()
            label = back[0].predict(given if hasattr(given, "columns") else given.astype(np.float64))
            arrays["label"] = np.array([case["classes"].index(v) for v in label.tolist()], np.int64)
    for key, a in arrays.items():
        np.save(os.path.join(folder, key + ".npy"), np.ascontiguousarray(a))
    case["shapes"] = {key: list(a.shape) for key, a in sorted(arrays.items())}
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


# --- cases ------------------------------------------------------------------------------------------


def plain(folder, model, kind, notes="", missing=False):
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN, missing), features(rng, POOL, missing)
    model.fit(x.astype(np.float64), target(kind, rng, x))
    rows = np.concatenate([pool[:HELD_OUT], extreme_rows(pool, missing), threshold_rows(model, pool, np.float32)])
    write(folder, model, {"": rows, "64": threshold_rows(model, pool, np.float64)}, notes)


def categories(folder, values, notes):
    rng = np.random.RandomState(17)
    x, y = codes(rng, TRAIN, values)
    pool, _ = codes(rng, POOL, values)
    model = HistGradientBoostingClassifier(categorical_features=[1, 3], **HIST).fit(x.astype(np.float64), y)
    rows = [pool[:HELD_OUT], extreme_rows(pool, True)[6:]]
    for value in (0.0, 1.5, 2.999, 7.0, 12.0, 31.0, 32.0, 200.0, 255.0, -0.5, -1.0):
        for f in (1, 3):
            r = np.where(np.isnan(pool[f]), 0.25, pool[f])
            r[f] = value
            rows.append(r[None])
    write(folder, model, {"": np.concatenate(rows).astype(np.float32)}, notes)


def words(folder, notes):
    """Text, in a frame: the numbers in X are those of the encoder within."""
    import pandas as pd

    rng = np.random.RandomState(19)
    names = ["blue", "green", "red", "violet", "white", "yellow"]

    def frame(x):
        color = [None if np.isnan(v) else names[int(v)] for v in x[:, 1]]
        return pd.DataFrame(
            {"size": x[:, 0].astype(float), "color": pd.Categorical(color, categories=names[::-1]), "weight": x[:, 2].astype(float)}
        )

    x, y = codes(rng, TRAIN, range(len(names)))
    pool = codes(rng, POOL, range(len(names)))[0][:30, :3]
    model = HistGradientBoostingClassifier(categorical_features=["color"], **HIST).fit(frame(x), y)
    write(folder, model, {"": (frame(pool), pool)}, notes)


def searched(folder, notes):
    import pandas as pd

    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN, True), features(rng, POOL, True)
    names = ["momentum", "carry", "level", "volume", "spread", "product"]
    steps = [("fill", SimpleImputer(strategy="median")), ("none", "passthrough"), ("trees", RandomForestClassifier(**SMALL))]
    model = GridSearchCV(Pipeline(steps), {"trees__max_depth": [2, 3]}, cv=2)
    model.fit(pd.DataFrame(x.astype(float), columns=names), target("words", rng, x))
    rows = np.concatenate([pool[:HELD_OUT], extreme_rows(pool, True)])
    write(folder, model, {"": (pd.DataFrame(rows.astype(float), columns=names), rows)}, notes)


def hist(cls, **more):
    return cls(**dict(HIST, **more))


# name, first version that has it, how to make it
CASES = [
    ("tree_classifier", (0, 24), plain, (DecisionTreeClassifier(max_depth=4, random_state=3), "words", "classes are text")),
    ("tree_classifier_missing", (1, 3), plain, (DecisionTreeClassifier(max_depth=4, random_state=3), "binary", "trained on missing values", True)),
    ("tree_regressor_multi", (0, 24), plain, (DecisionTreeRegressor(max_depth=3, random_state=3), "several", "two outputs")),
    ("extra_tree_classifier", (0, 24), plain, (ExtraTreeClassifier(max_depth=4, random_state=3), "multi", "classes 3, 5, 7")),
    ("forest_classifier", (0, 24), plain, (RandomForestClassifier(class_weight="balanced", **SMALL), "multi", "weighted classes")),
    ("forest_classifier_missing", (1, 4), plain, (RandomForestClassifier(**SMALL), "binary", "trained on missing values", True)),
    ("forest_regressor_multi", (0, 24), plain, (RandomForestRegressor(**SMALL), "several", "two outputs")),
    ("extra_trees_classifier", (0, 24), plain, (ExtraTreesClassifier(**SMALL), "binary", "")),
    ("extra_trees_regressor", (0, 24), plain, (ExtraTreesRegressor(**dict(SMALL, n_estimators=3)), "real", "the mean of three")),
    ("boosting_binary", (0, 24), plain, (GradientBoostingClassifier(**SMALL), "binary", "starts from the classes' shares")),
    ("boosting_exponential", (0, 24), plain, (GradientBoostingClassifier(loss="exponential", **SMALL), "binary", "")),
    ("boosting_multi", (0, 24), plain, (GradientBoostingClassifier(**dict(SMALL, n_estimators=2)), "words", "")),
    ("boosting_zero", (0, 24), plain, (GradientBoostingClassifier(init="zero", **dict(SMALL, n_estimators=2)), "multi", "starts from 0")),
    ("boosting_regressor", (0, 24), plain, (GradientBoostingRegressor(loss=LS, learning_rate=0.3, **SMALL), "real", "")),
    ("boosting_huber", (0, 24), plain, (GradientBoostingRegressor(loss="huber", **SMALL), "real", "starts from the median")),
    ("boosting_quantile", (0, 24), plain, (GradientBoostingRegressor(loss="quantile", alpha=0.8, **SMALL), "real", "")),
    ("hist_binary", (0, 24), plain, (hist(HistGradientBoostingClassifier), "binary", "missing values", True)),
    ("hist_multi", (0, 24), plain, (hist(HistGradientBoostingClassifier, max_iter=2), "words", "", True)),
    ("hist_regressor", (0, 24), plain, (hist(HistGradientBoostingRegressor), "real", "", True)),
    ("hist_poisson", (0, 24), plain, (hist(HistGradientBoostingRegressor, loss="poisson"), "count", "", True)),
    ("hist_gamma", (1, 3), plain, (hist(HistGradientBoostingRegressor, loss="gamma"), "positive", "", True)),
    ("hist_categories", (0, 24), categories, (range(12), "codes from 0; X holds codes never seen, broken and negative ones")),
    ("hist_categories_values", (1, 4), categories, ([1, 2, 5, 7, 12, 31, 32, 200, 1000], "values that are not their codes")),
    ("hist_categories_numbers", (1, 4), categories, ([-7.5, -2, 0.25, 1, 3, 12, 40, 200, 1000], "values of any sign")),
    ("hist_categories_text", (1, 4), words, ("text in a frame; X holds the encoder's numbers",)),
    ("bagging_classifier", (0, 24), plain, (BaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=4, max_features=0.6, max_samples=0.4, random_state=3), "words", "each tree sees some columns")),
    ("bagging_regressor", (0, 24), plain, (BaggingRegressor(DecisionTreeRegressor(max_depth=3), n_estimators=3, max_features=0.5, bootstrap_features=True, random_state=3), "real", "a column may stand twice")),
    ("search", (1, 0), searched, ("a search over a pipeline of an imputer, nothing, and a forest; columns have names",)),
]  # fmt: skip


def main():
    out = os.path.join(sys.argv[1], "sklearn-" + sklearn.__version__)
    wanted = sys.argv[2:]
    for name, since, make, arguments in CASES:
        mine = name in wanted if wanted else VERSION in WHOLE or name in FEW
        if VERSION >= since and mine:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                make(os.path.join(out, name), *arguments)


if __name__ == "__main__":
    main()
