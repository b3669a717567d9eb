"""Writes the golden CatBoost cases of the version it runs under.

    PYTHON make_catboost.py OUT [CASE...]     makes OUT/catboost-<version>/<case>/

It runs under CatBoost 0.15 to 1.2, hence the old Python (README.md says which). Training is on one thread from fixed seeds.
Each model is kept as .cbm and as .json; the answers are those of the .cbm read back. `raw.npy` is the
margin; `pred.npy` what CatBoost's own classes answer: probabilities, `exp` for Poisson and Tweedie,
else the margin. Rows lie on borders and one ULP beside them, are missing, huge, tiny and plain;
`X64.npy` has the same beside borders in f64, which CatBoost casts to f32. With categories the rows
are a table, `X.csv`, in which a category's text is as it was in training.
"""

import json
import os
import pickle
import sys

import catboost as cb
import numpy as np

VERSION = tuple(int(p) for p in cb.__version__.split(".")[:2])
TREE = {
    "iterations": 5,
    "depth": 3,
    "learning_rate": 0.3,
    "random_seed": 3,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
    "border_count": 8,
}
TRAIN, SPLITS = 240, 6
CITIES = ["Rome", "a", "", "Zürich", "Saint-Jean-de-Maurienne", "x" * 40, "long " * 30, "NA", "0", "-17", "東京", "q" * 64]


# --- data -------------------------------------------------------------------------------------------


def numbers(rng, rows, missing=True):
    """Four features of different scales, the second whole."""
    x = np.column_stack(
        [rng.randn(rows), np.round(3 * rng.randn(rows)), 1000 * np.exp(rng.randn(rows)), 0.001 * rng.randn(rows)]
    )
    if missing:
        x[rng.rand(rows, 4) < 0.08] = np.nan
    return x.astype(np.float32)


def signal(x):
    f = np.where(np.isnan(x), [0.5, 1.0, 900.0, 0.0], x).astype(np.float64)
    return f[:, 0] + 0.4 * (f[:, 1] > 0) + 0.3 * np.log(np.abs(f[:, 2]) + 1) + 300 * f[:, 3] - 2


def categories(rng, rows):
    """Three categorical columns, of 3, 12 and 30 values."""
    few = np.array(["red", "green", "blue"])[rng.randint(0, 3, rows)]
    city = np.array(CITIES, dtype=object)[rng.randint(0, 12, rows)]
    many = np.array(["id%d" % i for i in rng.randint(0, 30, rows)])
    return [list(few), list(city), list(many)]


def test_rows(rng, borders, double):
    """Plain rows, then for each of some borders three rows: on it and one ULP to either side."""
    x = numbers(rng, 8).astype(np.float64 if double else np.float32)
    extreme = [np.nan, 0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40, np.inf, -np.inf]
    parts = [x, np.array([[v] * 4 for v in extreme]).astype(x.dtype)]
    spots = [(f, b) for f, bs in enumerate(borders) for b in bs]
    for k in rng.permutation(len(spots))[:SPLITS]:
        f, b = spots[k]
        rows = np.repeat(x[:1], 5 if double else 3, 0)
        b = x.dtype.type(np.float32(b))
        rows[:3, f] = [b, np.nextafter(b, x.dtype.type(np.inf)), np.nextafter(b, x.dtype.type(-np.inf))]
        if double:
            # Half way to the next f32, and just beyond.
            half = (float(b) + float(np.nextafter(np.float32(b), np.float32(np.inf)))) / 2
            rows[3:, f] = [half, np.nextafter(half, np.inf)]
        parts.append(rows)
    return np.concatenate(parts)


# --- cases ------------------------------------------------------------------------------------------


def case(loss, **kw):
    kw["loss_function"] = loss
    return kw


CTR = {"cats": True, "one_hot_max_size": 1}
CASES = {
    "binary": case("Logloss"),
    "nan_max": case("Logloss", nan_mode="Max"),
    "nan_unseen": case("RMSE", missing=False),
    "double": case("RMSE", double=True),
    "multiclass": case("MultiClass", names=["low", "mid", "top"]),
    "one_vs_all": case("MultiClassOneVsAll", names=[3, 5, 8]),
    "poisson": case("Poisson"),
    "one_hot": case("Logloss", cats=True, one_hot_max_size=40, names=["no", "yes"]),
    "ctr": case("Logloss", max_ctr_complexity=3, iterations=8, **CTR),
    "scaled": case("RMSE", scale=[0.37, 5.25]),
    "quantile": case("Quantile:alpha=0.8"),
    "tweedie": case("Tweedie:variance_power=1.4"),
    "lossguide": case("Logloss", grow_policy="Lossguide", max_leaves=7, depth=6),
    "depthwise": case("RMSE", grow_policy="Depthwise", depth=3),
    "multiclass_lossguide": case("MultiClass", grow_policy="Lossguide", max_leaves=5, names=[0, 1, 2]),
    "multi_regression": case("MultiRMSE"),
    "uncertainty": case("RMSEWithUncertainty"),
    "multi_quantile": case("MultiQuantile:alpha=0.1,0.5,0.9"),
    "multi_label": case("MultiLogloss"),
    "cross_entropy": case("CrossEntropy"),
    "rank": case("YetiRank", groups=True),
    "constant": case("RMSE", constant=True),
    "ctr_multiclass": case("MultiClass", max_ctr_complexity=2, names=["low", "mid", "top"], **CTR),
    "ctr_buckets": case("MultiClass", simple_ctr=["Buckets:Prior=0.5"], names=[0, 1, 2], max_ctr_complexity=1, **CTR),
    "ctr_mean": case("RMSE", simple_ctr=["BinarizedTargetMeanValue:Prior=0.3:TargetBorderCount=5"], max_ctr_complexity=1, **CTR),
    "ctr_counter": case("RMSE", simple_ctr=["Counter:Prior=0.5"], max_ctr_complexity=1, **CTR),
    "ctr_depthwise": case("Logloss", grow_policy="Depthwise", max_ctr_complexity=2, **CTR),
    "text": case("Logloss", text=True),
}
# The others, which are as these in their layout, are kept as .cbm only.
JSON = ["binary", "multiclass", "one_hot", "ctr", "scaled", "lossguide", "multiclass_lossguide", "constant"]
JSON += ["ctr_multiclass", "ctr_counter", "uncertainty"]
OLD = ["binary", "nan_max", "multiclass", "poisson", "one_hot", "ctr", "quantile"]
SETS = {
    (0, 15): OLD,
    (0, 26): ["binary", "multiclass", "depthwise", "one_hot", "ctr"],
    (1, 0): ["nan_max", "lossguide", "ctr_multiclass", "multi_regression"],
    (1, 2): list(CASES),
}


def make(root, name):
    kw = dict(CASES[name])
    rng = np.random.RandomState(11)
    with_cats, double, text = kw.pop("cats", False), kw.pop("double", False), kw.pop("text", False)
    groups, constant, scale = kw.pop("groups", False), kw.pop("constant", False), kw.pop("scale", None)
    names = kw.pop("names", None)
    x = numbers(rng, TRAIN, kw.pop("missing", True))
    cats = categories(rng, TRAIN)
    s = signal(x) + 0.5 * rng.randn(TRAIN)
    if with_cats:
        s = s + 1.5 * np.array([c == "red" for c in cats[0]]) + np.array([len(c) % 3 for c in cats[1]])
        s += np.array([int(c[2:]) % 4 for c in cats[2]])
    loss = kw["loss_function"].split(":")[0]
    y = s
    if loss in ("Logloss", "CrossEntropy"):
        y = (s > np.median(s)).astype(int) if loss == "Logloss" else 1 / (1 + np.exp(-s))
    elif loss.startswith("MultiClass"):
        y = np.digitize(s, np.quantile(s, [0.35, 0.7]))
    elif loss in ("Poisson", "Tweedie"):
        y = np.maximum(0, np.round(s + 1))
    elif loss == "MultiRMSE":
        y = np.column_stack([s, x[:, 0] * 2 + 100])
        y[np.isnan(y)] = 0
    elif loss == "MultiLogloss":
        y = np.column_stack([s > np.median(s), np.nan_to_num(x[:, 1]) > 0, np.nan_to_num(x[:, 0]) < 0]).astype(int)
    if names and (VERSION >= (0, 20) or loss != "Logloss"):
        y = np.array(names, dtype=object)[y]
    if constant:
        y = np.full(TRAIN, 2.5)
        kw.update(allow_const_label=True, bootstrap_type="No")
    columns = ["size", "count", "weight", "drift"]

    def pool(x, cats, y=None, group=None):
        if text:
            rows = [list(map(float, r)) + [" ".join([c, m])] for r, c, m in zip(x, cats[0], cats[2])]
            return cb.Pool(rows, y, text_features=[4], feature_names=columns + ["words"])
        if not with_cats:
            return cb.Pool(x, y, feature_names=columns, group_id=group)
        rows = [[c[1]] + list(map(float, r[:2])) + [c[0], c[2]] + list(map(float, r[2:])) for r, c in zip(x, zip(*cats))]
        layout = ["city"] + columns[:2] + ["color", "id"] + columns[2:]
        return cb.Pool(rows, y, cat_features=[0, 3, 4], feature_names=layout)

    params = dict(TREE, **kw)
    model = cb.CatBoost(params)
    model.fit(pool(x, cats, y, np.arange(TRAIN) // 12 if groups else None))
    if scale:
        model.set_scale_and_bias(*scale)
    folder = os.path.join(root, "catboost-" + cb.__version__, name)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    path = lambda file: os.path.join(folder, file)
    model.save_model(path("model.cbm"))
    if text:
        return
    if name == "binary" and VERSION >= (1, 2):
        with open(path("model.p4.pkl"), "wb") as out:
            pickle.dump(model, out, 4)
    model.save_model(path("model.json"), format="json")
    model = cb.CatBoost()
    model.load_model(path("model.cbm"))

    features = json.load(open(path("model.json")))["features_info"].get("float_features", [])
    if name not in JSON:
        os.remove(path("model.json"))
    test = test_rows(rng, [f.get("borders") or [] for f in features], double)
    test_cats = categories(rng, len(test))
    for column in test_cats:
        column[-2:] = ["never seen", "nor this"]
    rows = pool(test, test_cats)
    raw = np.asarray(model.predict(rows, prediction_type="RawFormulaVal"), dtype=np.float64)
    kind = "RawFormulaVal"
    if loss in ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll", "MultiLogloss"):
        kind = "Probability"
    elif loss in ("Poisson", "Tweedie"):
        kind = "Exponent"
    np.save(path("raw.npy"), raw)
    if loss in ("Poisson", "Tweedie") and VERSION < (0, 20):
        pred = np.exp(raw)  # it has no such prediction type
    else:
        pred = np.asarray(model.predict(rows, prediction_type=kind), dtype=np.float64)
    np.save(path("pred.npy"), pred)
    if with_cats:
        layout = ["city"] + columns[:2] + ["color", "id"] + columns[2:]
        number = lambda v: "" if np.isnan(v) else repr(float(v))
        with open(path("X.csv"), "wb") as out:
            lines = [",".join(layout)]
            for r, few, city, many in zip(test, *test_cats):
                lines.append(",".join([city] + [number(v) for v in r[:2]] + [few, many] + [number(v) for v in r[2:]]))
            out.write(("\n".join(lines) + "\n").encode("utf-8"))
    else:
        np.save(path("X64.npy" if double else "X.npy"), test)
    about = {"library": "catboost", "version": cb.__version__, "params": params, "classes": names, "prediction_type": kind}
    with open(path("case.json"), "w") as out:
        json.dump(about, out, indent=1, sort_keys=True)
        out.write("\n")


if __name__ == "__main__":
    wanted = sys.argv[2:] or SETS[VERSION]
    for one in wanted:
        print(one)
        make(sys.argv[1], one)
