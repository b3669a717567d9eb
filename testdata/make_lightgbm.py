"""Writes the golden LightGBM cases of the version it runs under.

    PYTHON make_lightgbm.py OUT [CASE...]     makes OUT/lightgbm-<version>/<case>/

It runs under LightGBM 2.2 to 4.x. Numbers come from RandomState, whose stream no release of NumPy has
changed. Training is on one thread. The answers are those of a Booster read back from its text; of a
wrapper, its own. README.md says what a case holds; which version gets which case is in CASES, below.
"""

import json
import os
import pickle
import sys

import numpy as np
import lightgbm as lgb

VERSION = tuple(int(p) for p in lgb.__version__.split(".")[:2])
BASE = {"num_leaves": 7, "min_data_in_leaf": 5, "learning_rate": 0.3, "num_threads": 1, "seed": 3, "verbose": -1}
TRAIN, POOL, HELD_OUT, SPLITS, ROUNDS = 240, 160, 6, 7, 4
TINY = float(np.float32(1e-35))
COLORS = ["blue", "green", "red", "violet", "white", "yellow"]


# --- data -------------------------------------------------------------------------------------------


def features(rng, rows, missing=0.06):
    """Five features of very different scales; the third is whole, the last mostly zero or tiny."""
    z = rng.randn(rows, 4)
    last = np.where(rng.rand(rows) < 0.6, 0.0, z[:, 2] * z[:, 3])
    last[rng.rand(rows) < 0.1] = 1e-36
    x = np.column_stack(
        [z[:, 0], 0.7 * z[:, 0] + 0.7 * z[:, 1], np.round(3 * z[:, 2]), 1000.0 * np.exp(z[:, 1]), last]
    )
    x[rng.rand(rows, 5) < missing] = np.nan
    return x


def signal(x):
    f = np.where(np.isnan(x), [0.4, 0.4, 0.4, 400.0, 0.3], x)
    return f[:, 0] + np.where(f[:, 2] > 0, 0.8, -0.4) + 0.5 * np.log1p(f[:, 3]) * (f[:, 1] > 0) + f[:, 4] - 2


def target(kind, rng, x):
    s = signal(x)
    noisy = s + 0.7 * rng.randn(len(s))
    if kind == "binary":
        return (noisy > 0).astype(float)
    if kind == "unit":
        return 1 / (1 + np.exp(-noisy))
    if kind == "count":
        return rng.poisson(np.exp(0.4 * s)).astype(float)
    if kind == "positive":
        return np.exp(0.5 * noisy)
    if kind == "multi":
        return np.digitize(noisy, [-0.8, 0.8]).astype(float)
    if kind == "grade":
        return np.digitize(noisy, [-1, 0, 1]).astype(float)
    return noisy


def codes(rng, rows):
    """A category of 4, one of 40, and two numbers; and the signal behind them."""
    c = np.column_stack([rng.randint(0, 4, rows), rng.randint(0, 40, rows)]).astype(float)
    n = rng.randn(rows, 2)
    s = np.array([0.5, -1.0, 1.5, 0.0])[c[:, 0].astype(int)] + np.sin(2.0 * c[:, 1]) + 0.5 * n[:, 0]
    x = np.column_stack([c, n])
    x[rng.rand(rows, 4) < 0.05] = np.nan
    return x, s


# --- rows that are hard to get right ----------------------------------------------------------------


def splits_reached(node, x, rows, out):
    """Collects (row, feature, threshold) of every numeric split that some row of x reaches."""
    if "left_child" not in node or len(rows) == 0:
        return
    f, t = node["split_feature"], node["threshold"]
    value = x[rows, f]
    if isinstance(t, str):
        left = np.isin(value, [int(c) for c in t.split("||") if c])
    else:
        out.append((rows[0], f, t))
        with np.errstate(invalid="ignore"):
            left = np.where(np.isnan(value), node["default_left"], value <= t)
    splits_reached(node["left_child"], x, rows[left], out)
    splits_reached(node["right_child"], x, rows[~left], out)


def threshold_rows(booster, x, kind):
    """Rows that reach a split with the value on its threshold, one ULP of `kind` below and one above."""
    found = []
    for tree in booster.dump_model()["tree_info"]:
        splits_reached(tree["tree_structure"], x, np.arange(len(x)), found)
    rows = []
    for k in np.unique(np.linspace(0, len(found) - 1, min(SPLITS, len(found))).astype(int)):
        row, f, t = found[k]
        t = kind(t)
        for value in (t, np.nextafter(t, kind(-np.inf)), np.nextafter(t, kind(np.inf))):
            r = x[row].copy()
            r[f] = value
            rows.append(r)
    return np.array(rows).reshape(-1, x.shape[1])


def extreme_rows(x, kind):
    """Missing values, zeros of both signs, the very large, the very small, and the edge of what counts as zero."""
    k = kind(TINY)
    edge = [k, -k, np.nextafter(k, kind(1)), -np.nextafter(k, kind(1)), kind(1e-36), kind(-1e-36)]
    width = x.shape[1]
    rows = [np.full(width, v) for v in [np.nan, 0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40] + edge]
    rows.append(np.where(np.arange(width) % 2 == 0, x[0], np.nan))
    return np.array(rows)


def category_rows(x):
    """Codes never seen, fractional, negative, and beyond what an integer holds."""
    rows = []
    for value in (0.0, 2.5, 3.999, 7.0, 31.0, 32.0, 39.0, 64.0, 1000.0, -0.5, -1.0, 2147483647.0, 3e9, 1e30, np.inf, -np.inf):
        for f in (0, 1):
            r = np.where(np.isnan(x[len(rows)]), 0.25, x[len(rows)])
            r[f] = value
            rows.append(r)
    return np.array(rows)


# --- writing a case ---------------------------------------------------------------------------------


def save(folder, booster, dump):
    path = os.path.join(folder, "model.txt")
    booster.save_model(path)
    if dump:
        with open(os.path.join(folder, "model.json"), "w") as out:
            json.dump(booster.dump_model(), out)
    return lgb.Booster(model_file=path)


def finish(folder, arrays, params, notes, more=None):
    for name, a in arrays.items():
        np.save(os.path.join(folder, name + ".npy"), np.ascontiguousarray(a))
    case = {
        "library": "lightgbm",
        "version": lgb.__version__,
        "python": "%d.%d" % sys.version_info[:2],
        "params": dict(sorted(params.items())),
        "notes": notes,
        "shapes": {name: list(a.shape) for name, a in sorted(arrays.items())},
    }
    case.update(more or {})
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


def answers(model, rows, narrow):
    """Rows and answers: in f32, and in f64 with f64's own neighbours of the thresholds."""
    arrays = {}
    for suffix, kind, x in (("", np.float32, narrow), ("64", np.float64, rows)):
        if x is None:
            continue
        x = x.astype(kind)
        arrays["X" + suffix] = x
        arrays["pred" + suffix] = model.predict(x)
        arrays["raw" + suffix] = model.predict(x, raw_score=True)
    return arrays


def trained(folder, dump, kind, params, notes="", rounds=ROUNDS, missing=0.06, early=False, custom=False):
    """A case on the five synthetic features."""
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN, missing), features(rng, POOL, missing)
    params = dict(BASE, **params)
    data = lgb.Dataset(x, target(kind, rng, x), params=params, free_raw_data=False)
    if params.get("objective") in ("lambdarank", "rank_xendcg"):
        data.set_group([12] * (TRAIN // 12))
    how = {}
    if early:
        held = lgb.Dataset(pool, target(kind, rng, pool), reference=data)
        how = {"valid_sets": [held]}
        if VERSION >= (3, 3):
            how["callbacks"] = [lgb.early_stopping(2, verbose=False)]
        else:
            how.update(early_stopping_rounds=2, verbose_eval=False)
    if custom:
        def gradient(pred, data):
            return pred - data.get_label(), np.ones_like(pred)

        if VERSION >= (4, 0):
            params["objective"] = gradient
        else:
            how["fobj"] = gradient
    booster = lgb.train(params, data, rounds, **how)
    if custom:
        params["objective"] = "none"
    back = save(folder, booster, dump)
    rows = [
        np.concatenate([pool[:HELD_OUT], extreme_rows(pool, kind), threshold_rows(back, pool, kind)])
        for kind in (np.float64, np.float32)
    ]
    finish(folder, answers(back, *rows), params, notes)


def categorical(folder, dump, kind, params, notes=""):
    """A case on two categories given as codes, and two numbers."""
    rng = np.random.RandomState(17)
    x, s = codes(rng, TRAIN)
    pool, _ = codes(rng, POOL)
    params = dict(BASE, min_data_per_group=5, cat_smooth=1, **params)
    y = np.digitize(s, [-0.5, 0.8]) if kind == "multi" else (s > 0)
    data = lgb.Dataset(x, y.astype(float), params=params, categorical_feature=[0, 1])
    back = save(folder, lgb.train(params, data, ROUNDS), dump)
    rows = np.concatenate([pool[:HELD_OUT], category_rows(pool), extreme_rows(pool, np.float32)])
    finish(folder, answers(back, np.concatenate([rows, threshold_rows(back, pool, np.float64)]), rows), params, notes)


def strings(folder, dump, kind, params, notes=""):
    """A case trained on a data frame; X holds the codes in the order of the file, X.csv the text."""
    import pandas as pd

    rng = np.random.RandomState(19)
    x, s = codes(rng, TRAIN)
    x[:, 1] %= len(COLORS)
    words = [("shape", 0, ["round", "square", "oval", "flat"]), ("color", 1, COLORS)]

    def frame(x):
        out = pd.DataFrame({"size": x[:, 2]})
        for name, f, names in words:
            out[name] = pd.Categorical([None if np.isnan(v) else names[int(v)] for v in x[:, f]], categories=names)
        out["weight"] = x[:, 3]
        return out

    params = dict(BASE, min_data_per_group=5, cat_smooth=1, **params)
    booster = lgb.train(params, lgb.Dataset(frame(x), (s > 0).astype(float), params=params), ROUNDS)
    back = save(folder, booster, dump)
    pool, _ = codes(rng, 30)
    pool[:, 1] %= len(COLORS)
    pool[:, 2:] = pool[:, 2:].astype(np.float32)
    rows = frame(pool)
    rows.to_csv(os.path.join(folder, "X.csv"), index=False)
    arrays = {"X": pool[:, [2, 0, 1, 3]].astype(np.float32), "pred": back.predict(rows), "raw": back.predict(rows, raw_score=True)}
    finish(folder, arrays, params, notes)


def wrapper(folder, dump, kind, params, notes=""):
    """A case of the scikit-learn wrapper, pickled; it has class names, and stopped early if `early`."""
    params = dict(params)
    early = params.pop("early", False)
    rng = np.random.RandomState(23)
    x, pool = features(rng, TRAIN), features(rng, POOL)
    y, held = target(kind, rng, x), target(kind, rng, pool)
    base = {"num_leaves": 7, "min_child_samples": 5, "n_jobs": 1, "n_estimators": 12 if early else ROUNDS, "random_state": 3}
    if kind == "real":
        model = lgb.LGBMRegressor(**dict(base, **params))
    else:
        names = np.array(["down", "flat", "up"] if kind == "multi" else ["no", "yes"])
        y, held = names[y.astype(int)], names[held.astype(int)]
        model = lgb.LGBMClassifier(**dict(base, **params))
    how = {}
    if early:
        how = {"eval_set": [(pool, held)]}
        if VERSION >= (3, 3):
            how["callbacks"] = [lgb.early_stopping(2, verbose=False)]
        else:
            how.update(early_stopping_rounds=2, verbose=False)
    model.fit(x, y, **how)
    protocol = 2 if VERSION < (4, 0) else 4
    with open(os.path.join(folder, "model.p%d.pkl" % protocol), "wb") as out:
        pickle.dump(model, out, protocol=protocol)
    rows = np.concatenate([pool[:HELD_OUT], extreme_rows(pool, np.float32)]).astype(np.float32)
    ask = model.predict if kind == "real" else model.predict_proba
    arrays = {"X": rows, "pred": ask(rows), "raw": model.predict(rows, raw_score=True) if kind == "real" else model.booster_.predict(rows, raw_score=True)}
    more = {"best_iteration": int(model.best_iteration_ or 0), "trees": model.booster_.num_trees()}
    if kind != "real":
        more["classes"] = [str(c) for c in model.classes_]
        arrays["label"] = np.searchsorted(model.classes_, model.predict(rows)).astype(np.int64)
    finish(folder, arrays, dict(base, **params), notes, more)


def kept(folder, dump, kind, params, notes=""):
    """A pickled Booster that stopped early and kept the trees behind its best iteration."""
    rng = np.random.RandomState(29)
    x, pool = features(rng, TRAIN), features(rng, POOL)
    params = dict(BASE, **params)
    data = lgb.Dataset(x, target(kind, rng, x), params=params)
    held = lgb.Dataset(pool, target(kind, rng, pool), reference=data)
    how = {"callbacks": [lgb.early_stopping(2, verbose=False)]}
    booster = lgb.train(params, data, 40, valid_sets=[held], keep_training_booster=True, **how)
    with open(os.path.join(folder, "model.p4.pkl"), "wb") as out:
        pickle.dump(booster, out, protocol=4)
    rows = np.concatenate([pool[:HELD_OUT], extreme_rows(pool, np.float32)])
    more = {"best_iteration": booster.best_iteration, "trees": booster.num_trees()}
    finish(folder, answers(booster, None, rows), params, notes, more)


OLD, MIDDLE, NEW = (2, 2), (3, 3), (4, 6)
RF = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7, "feature_fraction": 0.8}

# name: maker, kind of target, parameters, first version, further arguments
CASES = {
    "binary": (trained, "binary", {"objective": "binary"}, OLD, {}),
    "binary_sigmoid": (trained, "binary", {"objective": "binary", "sigmoid": 2.5, "is_unbalance": True}, NEW, {}),
    "binary_no_missing": (trained, "binary", {"objective": "binary"}, OLD, {"missing": 0.0}),
    "binary_use_missing_false": (trained, "binary", {"objective": "binary", "use_missing": False}, NEW, {}),
    "binary_zero_missing": (trained, "binary", {"objective": "binary", "zero_as_missing": True}, OLD, {}),
    "binary_early": (trained, "binary", {"objective": "binary"}, NEW, {"early": True, "rounds": 40}),
    "binary_stump": (trained, "binary", {"objective": "binary", "min_data_in_leaf": 200}, MIDDLE, {}),
    "binary_categorical": (categorical, "binary", {"objective": "binary"}, OLD, {}),
    "binary_onehot": (categorical, "binary", {"objective": "binary", "max_cat_to_onehot": 64}, NEW, {}),
    "binary_goss": (trained, "binary", {"objective": "binary", "boosting": "goss"}, NEW, {}),
    "binary_rf": (trained, "binary", dict(RF, objective="binary"), OLD, {}),
    "binary_linear": (trained, "binary", {"objective": "binary", "linear_tree": True}, MIDDLE, {}),
    "categorical_strings": (strings, "binary", {"objective": "binary"}, MIDDLE, {}),
    "cross_entropy": (trained, "unit", {"objective": "cross_entropy"}, NEW, {}),
    "cross_entropy_lambda": (trained, "unit", {"objective": "cross_entropy_lambda"}, OLD, {}),
    "multiclass": (trained, "multi", {"objective": "multiclass", "num_class": 3}, OLD, {}),
    "multiclass_categorical": (categorical, "multi", {"objective": "multiclass", "num_class": 3}, NEW, {}),
    "multiclassova": (trained, "multi", {"objective": "multiclassova", "num_class": 3, "sigmoid": 1.5}, MIDDLE, {}),
    "multiclass_rf": (trained, "multi", dict(RF, objective="multiclass", num_class=3), NEW, {}),
    "custom": (trained, "real", {}, NEW, {"custom": True}),
    "lambdarank": (trained, "grade", {"objective": "lambdarank"}, NEW, {}),
    "regression": (trained, "real", {"objective": "regression"}, OLD, {}),
    "regression_sqrt": (trained, "real", {"objective": "regression", "reg_sqrt": True}, OLD, {}),
    "regression_dart": (trained, "real", {"objective": "regression", "boosting": "dart", "drop_rate": 0.6}, OLD, {}),
    "regression_linear": (trained, "real", {"objective": "regression", "linear_tree": True}, MIDDLE, {}),
    "regression_rf": (trained, "real", dict(RF, objective="regression"), NEW, {}),
    "huber": (trained, "real", {"objective": "huber", "reg_sqrt": True}, NEW, {}),
    "mape_sqrt": (trained, "positive", {"objective": "mape", "reg_sqrt": True}, NEW, {}),
    "poisson": (trained, "count", {"objective": "poisson"}, OLD, {}),
    "booster_early": (kept, "binary", {"objective": "binary"}, NEW, {}),
    "sklearn_strings": (wrapper, "multi", {}, OLD, {}),
    "sklearn_early": (wrapper, "binary", {"early": True}, NEW, {}),
    "sklearn_regressor": (wrapper, "real", {}, NEW, {}),
}
DUMPS = {  # which cases are dumped as JSON too; elsewhere one
    MIDDLE: {"binary_categorical", "binary_zero_missing", "regression_linear"},
    NEW: {"binary", "binary_zero_missing", "binary_categorical", "multiclass", "regression_linear", "binary_stump",
          "regression_sqrt", "binary_rf", "categorical_strings"},
}
FEW = {"binary", "binary_categorical", "multiclass", "regression_linear", "sklearn_strings"}  # of 4.0


def main():
    out, wanted = sys.argv[1], sys.argv[2:]
    for name, (maker, kind, params, first, more) in CASES.items():
        if VERSION < first or (VERSION == (4, 0) and name not in FEW) or (wanted and name not in wanted):
            continue
        folder = os.path.join(out, "lightgbm-" + lgb.__version__, name)
        os.makedirs(folder, exist_ok=True)
        maker(folder, name in DUMPS.get(VERSION, {"binary"}), kind, params, **more)


main()
