"""Writes the golden XGBoost cases of the version it runs under.

    PYTHON make_xgboost.py OUT [CASE...]     makes OUT/xgboost-<version>/<case>/

It runs under XGBoost 0.72 to 3.x, hence the old Python and the old NumPy: numbers come from RandomState,
whose stream no release of NumPy has changed, so that every version sees the same data. Training is
on one thread. The answers are those of a Booster read back from its file, which is what a user of
the file gets. README.md says what a case holds; which version gets which case is in CASES, below.
"""

import json
import os
import sys

import numpy as np
import xgboost as xgb

VERSION = tuple(int(p) for p in xgb.__version__.split(".")[:2])
TREE = {"max_depth": 3, "eta": 0.3, "nthread": 1, "seed": 3}
LINEAR = {"booster": "gblinear", "updater": "coord_descent", "eta": 0.5, "nthread": 1, "seed": 3}
DART = dict(TREE, booster="dart", rate_drop=0.6, skip_drop=0.0)
TRAIN, POOL, HELD_OUT, SPLITS = 240, 160, 8, 9
COLORS = ["blue", "green", "red", "violet", "white", "yellow"]


# --- data -------------------------------------------------------------------------------------------


def features(rng, rows):
    """Six correlated features of very different scales; the third is whole; some values are missing."""
    z = rng.randn(rows, 4)
    x = np.column_stack(
        [
            z[:, 0],
            0.7 * z[:, 0] + 0.7 * z[:, 1],
            np.round(3 * z[:, 2]),
            1000.0 * np.exp(z[:, 1]),
            0.001 * (z[:, 3] - z[:, 0]),
            z[:, 2] * z[:, 3],
        ]
    )
    x[rng.rand(rows, 6) < 0.06] = np.nan
    return x.astype(np.float32)


def signal(x):
    """What the targets depend on; a missing value counts as its own level."""
    f = np.where(np.isnan(x), [0.4, 0.4, 0.4, 400.0, 0.0004, 0.4], x).astype(np.float64)
    return (
        f[:, 0]
        + np.where(f[:, 2] > 0, 0.8, -0.4)
        + 0.5 * np.log1p(np.abs(f[:, 3])) * (f[:, 1] > 0)
        + 300 * f[:, 4]
        - 2
    )


def codes(rng, rows):
    """Two categorical features (4 and 12 categories) and two numeric ones, and the signal behind them."""
    c = np.column_stack([rng.randint(0, 4, rows), rng.randint(0, 12, rows)]).astype(np.float32)
    n = rng.randn(rows, 2).astype(np.float32)
    s = np.array([0.5, -1.0, 1.5, 0.0])[c[:, 0].astype(int)] + np.sin(2.0 * c[:, 1]) + 0.5 * n[:, 0]
    x = np.column_stack([c, n]).astype(np.float32)
    x[rng.rand(rows, 4) < 0.05] = np.nan
    return x, s


# --- rows that are hard to get right ----------------------------------------------------------------


def splits_reached(node, x, rows, index, out):
    """Collects (row, feature, threshold) of every numeric split that some row of x reaches."""
    if "leaf" in node or len(rows) == 0:
        return
    children = {c["nodeid"]: c for c in node["children"]}
    if isinstance(node["split_condition"], list):
        return
    f, t = index[node["split"]], np.float32(node["split_condition"])
    out.append((rows[0], f, t))
    with np.errstate(invalid="ignore"):
        left = np.where(np.isnan(x[rows, f]), node["missing"] == node["yes"], x[rows, f] < t)
    splits_reached(children[node["yes"]], x, rows[left], index, out)
    splits_reached(children[node["no"]], x, rows[~left], index, out)


def nested(tree, n=0):
    """A tree of a saved model in the shape of a dump: no dump tells the splits of trees with vector leaves."""
    left, right = tree["left_children"][n], tree["right_children"][n]
    if left == -1:
        return {"leaf": None, "nodeid": n}
    return {
        "nodeid": n,
        "split": "f%d" % tree["split_indices"][n],
        "split_condition": tree["split_conditions"][n],
        "yes": left,
        "no": right,
        "missing": left if tree["default_left"][n] else right,
        "children": [nested(tree, left), nested(tree, right)],
    }


def dump(booster, params):
    if params.get("multi_strategy") != "multi_output_tree":
        return [json.loads(tree) for tree in booster.get_dump(dump_format="json")]
    model = json.loads(bytes(booster.save_raw("json")).decode())
    return [nested(tree) for tree in model["learner"]["gradient_booster"]["model"]["trees"]]


def threshold_rows(trees, names, x, count):
    """Rows that reach a split with the value on its threshold, one ULP below and one above it."""
    index = {name: i for i, name in enumerate(names or [])}
    index.update({"f%d" % i: i for i in range(x.shape[1])})
    found = []
    for tree in trees:
        splits_reached(tree, x, np.arange(len(x)), index, found)
    rows = []
    for k in np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)):
        row, f, t = found[k]
        for value in (t, np.nextafter(t, np.float32(-np.inf)), np.nextafter(t, np.float32(np.inf))):
            r = x[row].copy()
            r[f] = value
            rows.append(r)
    return np.array(rows, np.float32).reshape(-1, x.shape[1])


def extreme_rows(x):
    """Missing values, zeros of both signs, the very large and the very small."""
    width = x.shape[1]
    rows = [np.full(width, v) for v in (np.nan, 0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40)]
    rows.append(np.where(np.arange(width) % 2 == 0, np.nan, 1e30))
    rows.append(np.where(np.arange(width) % 2 == 0, x[0], np.nan))
    return np.array(rows, np.float32)


def category_rows(x):
    """Codes never seen, fractional, negative, and beyond what f32 counts one by one."""
    rows = []
    for value in (0.0, 2.5, 3.999, 7.0, 12.0, 31.0, 32.0, 1000.0, -0.5, -1.0, 16777215.0, 16777216.0, 1e9):
        for f in (0, 1):
            r = np.where(np.isnan(x[len(rows)]), 0.25, x[len(rows)])
            r[f] = value
            rows.append(r)
    return np.array(rows, np.float32)


# --- writing a case ---------------------------------------------------------------------------------


def predict(booster, x, **how):
    types = getattr(booster, "feature_types", None)
    kinds = {"feature_types": types, "enable_categorical": True} if types and "c" in types else {}
    if VERSION < (1, 0) and b"gblinear" not in booster.save_raw()[:200]:
        how["ntree_limit"] = 1000  # more than there are: without a limit 0.x drops DART's trees at random
    return booster.predict(xgb.DMatrix(x, feature_names=booster.feature_names, **kinds), **how)


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def save_model(booster, folder):
    """Writes the model in every format of this version and returns the Booster read back."""
    booster.set_attr(note="golden case")
    names = []
    if VERSION >= (1, 0):
        names.append("model.json")
    if VERSION in UBJ_TOO and (VERSION >= (2, 0) or os.path.basename(folder) in EVERYWHERE):
        names.append("model.ubj")
    if VERSION < (1, 0) or (VERSION < (3, 1) and os.path.basename(folder) in BINARY_TOO):
        names.append("model.bin")
    for name in names:
        # Since 2.1 the old format is what this ending asks for.
        path = os.path.join(folder, name.replace(".bin", ".deprecated"))
        booster.save_model(path)
        os.rename(path, os.path.join(folder, name))
    if VERSION == (1, 0):
        return [booster]  # 1.0 cannot read its own JSON of a pruned tree
    return [read(os.path.join(folder, name)) for name in names]


def read(path):
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(path)
    return booster


def write(folder, booster, params, x, notes, rounds, extra=None):
    """Saves the model, the rows, the answers and case.json; every format must answer the same."""
    names, types = booster.feature_names, getattr(booster, "feature_types", None)
    back = save_model(booster, folder)
    for b in back:
        if b.feature_names is None and names is not None:
            b.feature_names, b.feature_types = names, types  # before 1.4 a file held no names
    pred, raw = predict(back[0], x), predict(back[0], x, output_margin=True)
    for b in back[1:]:
        assert same(pred, predict(b, x)) and same(raw, predict(b, x, output_margin=True)), folder
    case = {
        "library": "xgboost",
        "version": xgb.__version__,
        "objective": params["objective"],
        "booster": params.get("booster", "gbtree"),
        "params": {k: v for k, v in sorted(params.items())},
        "rounds": rounds,
        "best_iteration": None,
        "feature_names": names,
        "feature_types": types,
        "sum": "base_first" if VERSION >= (1, 3) else "base_last",
        "notes": notes,
    }
    arrays = {"X": x, "pred": pred, "raw": raw}
    best = booster.attr("best_iteration")
    if best is not None:
        case["best_iteration"] = int(best)
    if best is not None and int(best) + 1 < rounds:  # 1.5 and 1.7 name the last one where nothing stopped
        if VERSION >= (1, 4):
            cut = {"iteration_range": (0, int(best) + 1)}
        else:
            cut = {"ntree_limit": int(best) + 1}
        arrays["pred_best"] = predict(back[0], x, **cut)
        arrays["raw_best"] = predict(back[0], x, output_margin=True, **cut)
    arrays.update(extra or {})
    finish(folder, case, arrays)


def finish(folder, case, arrays):
    for name, a in arrays.items():
        np.save(os.path.join(folder, name + ".npy"), np.ascontiguousarray(a))
    case["shapes"] = {name: list(a.shape) for name, a in sorted(arrays.items())}
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


# --- cases ------------------------------------------------------------------------------------------


def target(kind, rng, x):
    """The label of a kind, or labels, as keyword arguments of DMatrix or float fields of it."""
    s = signal(x)
    noisy = s + 0.7 * rng.randn(len(s))
    if kind == "binary":
        return (noisy > 0).astype(np.float32)
    if kind == "unit":
        return 1 / (1 + np.exp(-noisy))
    if kind == "count":
        return rng.poisson(np.exp(0.4 * s)).astype(np.float32)
    if kind == "positive":
        return np.exp(0.5 * noisy)
    if kind == "multi":
        return np.digitize(noisy, [-0.8, 0.8]).astype(np.float32)
    if kind == "grade":
        return np.digitize(noisy, [-1, 0, 1]).astype(np.float32)
    if kind == "several":
        return np.column_stack([noisy, s * s, -s + 0.3 * rng.randn(len(s))])
    if kind == "labels":
        return np.column_stack([noisy > 0, noisy > 1, rng.randn(len(s)) > s]).astype(np.float32)
    if kind == "signed":
        return np.where(rng.rand(len(s)) < 0.7, 1, -1) * np.exp(0.5 * noisy)
    return noisy


def trained(folder, params, kind, rounds, notes="", names=None, early=0, obj=None):
    """A case on the six synthetic features."""
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN), features(rng, POOL)
    data = xgb.DMatrix(x, feature_names=names)
    if kind == "aft":
        y = np.exp(0.5 * target("real", rng, x))
        data.set_float_info("label_lower_bound", y)
        data.set_float_info("label_upper_bound", np.where(rng.rand(len(y)) < 0.3, np.inf, y))
    else:
        data.set_label(target(kind, rng, x))
    if params["objective"].startswith("rank:"):
        data.set_group([12] * (TRAIN // 12))
    how = {}
    if early:
        held = xgb.DMatrix(pool, label=target(kind, rng, pool), feature_names=names)
        how = {"evals": [(held, "held")], "early_stopping_rounds": early, "verbose_eval": False}
    booster = xgb.train(params, data, rounds, **(dict(how, obj=obj) if obj else how))
    rows = [pool[:HELD_OUT], extreme_rows(pool)]
    if params.get("booster") == "gblinear":
        rows.append(pool[HELD_OUT : HELD_OUT + 24])
    else:
        rows.append(threshold_rows(dump(booster, params), names, pool, SPLITS))
    write(folder, booster, params, np.concatenate(rows), notes, rounds)


def categorical(folder, params, notes):
    """A case on two categorical features given as codes, and two numeric ones."""
    rng = np.random.RandomState(17)
    x, s = codes(rng, TRAIN)
    pool, _ = codes(rng, POOL)
    types = ["c", "c", "float", "float"]
    y = s if params["objective"].startswith("reg:") else (s > 0).astype(np.float32)
    data = xgb.DMatrix(x, label=y, feature_types=types, enable_categorical=True)
    booster = xgb.train(params, data, 5)
    rows = np.concatenate([pool[:HELD_OUT], category_rows(pool), extreme_rows(pool)[:3]])
    write(folder, booster, params, rows, notes, 5)


def category_strings(folder, params, notes):
    """A case whose file keeps the categories as strings: rows in another order of codes are recoded."""
    import pandas as pd

    rng = np.random.RandomState(19)
    x, s = codes(rng, TRAIN)
    x[:, 1] = np.where(np.isnan(x[:, 1]), np.nan, x[:, 1] % len(COLORS))

    def frame(x, order):
        out = pd.DataFrame({"size": x[:, 2]})
        for name, f, words in (("shape", 0, ["round", "square", "oval", "flat"]), ("color", 1, COLORS)):
            value = [None if np.isnan(v) else words[int(v)] for v in x[:, f]]
            out[name] = pd.Categorical(value, categories=order(words))
        out["weight"] = x[:, 3]
        return out

    train = frame(x, order=list)
    booster = xgb.train(params, xgb.DMatrix(train, label=s, enable_categorical=True), 5)
    pool, _ = codes(rng, POOL)
    pool[:, 1] = np.where(np.isnan(pool[:, 1]), np.nan, pool[:, 1] % len(COLORS))
    pool = pool[:40]
    rows = frame(pool, order=list)
    moved = frame(pool, order=lambda words: sorted(words, reverse=True))
    back = save_model(booster, folder)

    def answers(b, rows):
        data = xgb.DMatrix(rows, enable_categorical=True)
        return b.predict(data), b.predict(data, output_margin=True)

    pred, raw = answers(back[0], rows)
    for b in back:
        for other in (rows, moved):
            assert all(same(p, q) for p, q in zip(answers(b, other), (pred, raw))), folder
    plain = rows.astype({"shape": object, "color": object})
    plain.to_csv(os.path.join(folder, "X.csv"), index=False, float_format="%.9g", lineterminator="\n")
    plain.to_parquet(os.path.join(folder, "X.parquet"), index=False)
    # The codes of the training order, the model's feature order: for readers that take numbers only.
    coded = np.column_stack(
        [c.cat.codes.replace(-1, np.nan) if hasattr(c, "cat") else c for _, c in rows.items()]
    ).astype(np.float32)
    case = {
        "library": "xgboost",
        "version": xgb.__version__,
        "objective": params["objective"],
        "booster": "gbtree",
        "params": params,
        "rounds": 5,
        "best_iteration": None,
        "feature_names": booster.feature_names,
        "feature_types": booster.feature_types,
        "sum": "base_first",
        "notes": notes,
    }
    finish(folder, case, {"X": coded, "pred": pred, "raw": raw})


def logistic_by_hand(margin, data):
    p = 1 / (1 + np.exp(-margin))
    return p - data.get_label(), p * (1 - p)


def tree(objective, **more):
    return dict(TREE, objective=objective, **more)


def hist(objective, **more):
    return tree(objective, tree_method="hist", **more)


def multi(base, **more):
    return dict(base, objective="multi:softprob", num_class=3, **more)


NAMES = ["momentum", "carry", "level", "volume", "spread", "product"]

# name, first version that has it, in which it is written (see below), how to make it
CASES = [
    ("binary", (0, 72), "all", trained, (tree("binary:logistic", base_score=0.5), "binary", 5), {"names": NAMES, "notes": "with feature names (in the file since 1.4)"}),
    ("binary_base_score", (0, 72), "all", trained, (tree("binary:logistic", base_score=0.02), "binary", 3), {"notes": "base score far from 0.5"}),
    ("binary_logitraw", (1, 0), "wide", trained, (tree("binary:logitraw", base_score=0.3), "binary", 3), {"notes": "predict gives the margin; base score is one already"}),
    ("binary_hinge", (1, 0), "wide", trained, (tree("binary:hinge"), "binary", 3), {}),
    ("reg_squarederror", (1, 0), "all", trained, (tree("reg:squarederror"), "real", 4), {"notes": "base score by default: 0.5, since 2.0 fitted"}),
    ("reg_logistic", (1, 0), "wide", trained, (tree("reg:logistic", base_score=0.7), "unit", 3), {}),
    ("reg_gamma", (1, 0), "wide", trained, (tree("reg:gamma"), "positive", 3), {}),
    ("reg_tweedie", (1, 0), "wide", trained, (tree("reg:tweedie", tweedie_variance_power=1.4, base_score=2.5), "count", 3), {}),
    ("count_poisson", (0, 72), "all", trained, (tree("count:poisson", base_score=1.7), "count", 3), {}),
    ("reg_squaredlogerror", (1, 0), "newest", trained, (tree("reg:squaredlogerror"), "positive", 3), {}),
    ("reg_pseudohubererror", (1, 3), "newest", trained, (tree("reg:pseudohubererror"), "real", 3), {}),
    ("reg_absoluteerror", (1, 7), "wide", trained, (hist("reg:absoluteerror"), "real", 3), {"notes": "adaptive leaves"}),
    ("reg_quantileerror", (2, 0), "all", trained, (hist("reg:quantileerror", eta=0.8, quantile_alpha=[0.3, 0.5, 0.7]), "real", 3), {"notes": "three alphas, three outputs; on some rows the margins cross"}),
    ("reg_expectileerror", (3, 3), "wide", trained, (hist("reg:expectileerror", expectile_alpha=[0.1, 0.5, 0.9]), "real", 3), {"notes": "three alphas, three outputs"}),
    ("rank_pairwise", (1, 0), "all", trained, (tree("rank:pairwise"), "grade", 3), {}),
    ("rank_ndcg", (1, 0), "newest", trained, (tree("rank:ndcg"), "grade", 3), {}),
    ("rank_map", (1, 0), "newest", trained, (tree("rank:map"), "binary", 3), {}),
    ("survival_aft", (1, 2), "wide", trained, (hist("survival:aft", base_score=1.8), "aft", 3), {}),
    ("survival_cox", (1, 0), "wide", trained, (tree("survival:cox", base_score=0.8), "signed", 3), {}),
    ("multi_softprob", (0, 72), "all", trained, (multi(TREE), "multi", 2), {}),
    ("multi_softmax", (1, 0), "newest", trained, (dict(multi(TREE), objective="multi:softmax"), "multi", 2), {"notes": "predict gives the class; raw is rows x classes"}),
    ("multi_parallel", (1, 0), "all", trained, (multi(TREE, num_parallel_tree=3, subsample=0.6, max_depth=1), "multi", 2), {"notes": "an iteration is class-major: 3 trees of class 0, 3 of class 1, 3 of class 2"}),
    ("dart_binary", (0, 72), "all", trained, (dict(DART, objective="binary:logistic", normalize_type="tree"), "binary", 6), {}),
    ("dart_multi", (1, 0), "wide", trained, (multi(DART, normalize_type="forest", max_depth=2), "multi", 3), {"notes": "normalize_type forest"}),
    ("gblinear_binary", (0, 72), "all", trained, (dict(LINEAR, objective="binary:logistic", base_score=0.3), "binary", 5), {"notes": "a missing value adds nothing"}),
    ("gblinear_multi", (1, 0), "wide", trained, (multi(LINEAR), "multi", 5), {"notes": "weights are feature-major, the bias last; 3.4 adds the first base score to every class"}),
    ("gblinear_reg", (1, 0), "newest", trained, (dict(LINEAR, objective="reg:squarederror"), "real", 5), {}),
    ("early_stopping", (1, 0), "all", trained, (tree("binary:logistic", eta=1.0, eval_metric="logloss"), "binary", 30), {"early": 2, "notes": "pred and raw: all trees, as a bare Booster; pred_best and raw_best: iterations 0 to best_iteration, as the scikit-learn wrapper"}),
    ("pruned", (1, 0), "all", trained, (tree("reg:squarederror", tree_method="exact", gamma=20.0), "real", 3), {"notes": "the arrays of a tree still hold the nodes that pruning cut off"}),
    ("stumps", (1, 0), "newest", trained, (tree("binary:logistic", max_depth=1), "binary", 6), {}),
    ("single_leaf", (1, 0), "all", trained, (tree("reg:squarederror", gamma=1e9, base_score=0.0), "real", 3), {"notes": "every tree is one leaf"}),
    ("custom_objective", (1, 0), "newest", trained, (tree("reg:squarederror", base_score=0.0), "binary", 3), {"obj": logistic_by_hand, "notes": "trained with a gradient of its own: the file names the default objective, predict gives the margin"}),
    ("categorical_onehot", (1, 6), "all", categorical, (hist("binary:logistic", max_cat_to_onehot=100), "one category against the rest; X holds codes, also invalid ones"), {}),
    ("categorical_partition", (1, 6), "all", categorical, (hist("reg:squarederror", max_cat_to_onehot=1), "sets of categories; X holds codes, also invalid ones"), {}),
    ("categorical_strings", (3, 1), "all", category_strings, (hist("reg:squarederror", max_cat_to_onehot=1), "the file keeps the categories; X.csv and X.parquet hold strings, X.npy the codes of the model's own order"), {}),
    ("multilabel", (1, 6), "wide", trained, (hist("binary:logistic", multi_strategy="one_output_per_tree") if VERSION >= (2, 0) else hist("binary:logistic"), "labels", 3), {"notes": "three labels, a tree each"}),
    ("multi_target", (1, 6), "wide", trained, (hist("reg:squarederror"), "several", 3), {"notes": "three targets, a tree each; since 3.1 the base score is a vector"}),
    ("vector_leaf_reg", (2, 0), "all", trained, (hist("reg:squarederror", multi_strategy="multi_output_tree"), "several", 3), {"notes": "leaves of three values"}),
    ("vector_leaf_multi", (2, 0), "wide", trained, (multi(TREE, tree_method="hist", multi_strategy="multi_output_tree"), "multi", 3), {"notes": "leaves of three values"}),
]  # fmt: skip

EVERYWHERE = {name for name, _, where, _, _, _ in CASES if where == "all"}
WIDE = {(1, 7), (3, 4)}  # the last of the 1.x layouts, and the newest
NEWEST = {(3, 4)}
FEW = {  # and no more than these from the versions that differ little from a neighbour
    (0, 72): {"binary", "multi_softprob", "dart_binary", "gblinear_binary", "count_poisson"},
    (2, 0): {"binary", "multi_softprob", "dart_binary", "gblinear_binary", "early_stopping", "reg_quantileerror", "categorical_onehot", "categorical_partition", "vector_leaf_reg"},
    (3, 0): {"binary", "multi_softprob", "dart_binary", "reg_quantileerror", "categorical_partition", "vector_leaf_reg"},
    (3, 3): {"binary", "dart_binary", "reg_quantileerror", "reg_expectileerror", "vector_leaf_reg"},
}
UBJ_TOO = {(1, 7), (2, 1), (3, 1), (3, 4)}  # the same document again: not from every version that can
BINARY_TOO = {  # until 3.0 in the old format as well
    "binary",
    "multi_softprob",
    "dart_binary",
    "gblinear_binary",
    "count_poisson",
    "multilabel",
    "reg_quantileerror",
}


def main():
    out, chosen = sys.argv[1], set(sys.argv[2:])
    for name, since, where, make, args, how in CASES:
        written = {"all": {VERSION}, "wide": WIDE, "newest": NEWEST}[where]
        wanted = name in FEW[VERSION] if VERSION in FEW else VERSION in written
        if VERSION < since or not wanted or (chosen and name not in chosen):
            continue
        folder = os.path.join(out, "xgboost-" + xgb.__version__, name)
        if not os.path.isdir(folder):
            os.makedirs(folder)
        make(folder, *args, **how)


if __name__ == "__main__":
    main()
