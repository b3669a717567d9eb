"""Writes the golden cases of scikit-learn's columns and categories, of the version it runs under.

    PYTHON make_sklearn_columns.py OUT [CASE...]     makes OUT/sklearn-<version>/<case>/

ColumnTransformer, FeatureUnion, encoders of categories, targets that are transformed, and several
outputs. Rows hold text, truth values and gaps. In X.npy a text is its place in the list of its
column in texts.tsv, a text that no list has is -1, and a gap is NaN. The answers are those of the
estimator read back from its file: predict_proba, else predict, else transform. Of a classifier with
several outputs, they are the probabilities of each label. Where XGBoost is installed, no case is made
but those of its estimators behind encoders.
"""

import importlib.util
import json
import os
import pickle
import sys
import warnings

os.environ["NPY_DISABLE_CPU_FEATURES"] = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"

import joblib  # noqa: E402
import numpy as np
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

try:
    import pandas as pd
except ImportError:
    pd = None
try:
    import skops.io
except ImportError:
    skops = None

VERSION = tuple(int(p) for p in sklearn.__version__.split(".")[:2])
DENSE = {"sparse_output": False} if VERSION >= (1, 2) else {"sparse": False}
BASE = "estimator" if VERSION >= (1, 7) else "base_estimator"
SMALL = {"n_estimators": 4, "max_depth": 3, "random_state": 3}
COLORS = ["amber", "blue", "coral", "denim", "ecru", "fawn"]
SIZES = ["S", "M", "L", "XL"]
TEXTS = {1: COLORS, 3: SIZES, 6: ["n%d" % i for i in range(400)]}
NAMES = ["weight", "color", "dose", "size", "code", "tested", "note"]
TRAIN, HELD_OUT = 160, 24


def features(rng, rows):
    """Seven columns as numbers: two of numbers, two of text, a code, a truth value, and a text of its own."""
    color = rng.choice(6, rows, p=[0.35, 0.3, 0.2, 0.1, 0.03, 0.02])
    columns = [rng.randn(rows), color, np.exp(rng.randn(rows)), rng.randint(0, 4, rows)]
    columns += [np.array([3.0, 5.0, 8.5, -1.0])[rng.choice(4, rows, p=[0.6, 0.3, 0.06, 0.04])], rng.randint(0, 2, rows)]
    columns += [np.arange(rows)]
    return np.column_stack(columns).astype(np.float64)


def gaps(rng, x, columns):
    x = x.copy()
    for c in columns:
        x[rng.rand(len(x)) < 0.15, c] = np.nan
    return x


def target(rng, x):
    f = np.where(np.isnan(x), 0.5, x)
    return f[:, 0] + np.sin(2.0 * f[:, 1]) + 0.4 * f[:, 3] - 0.1 * f[:, 4] + 0.5 * f[:, 5] + 0.3 * rng.randn(len(x))


def text(column, v):
    return None if np.isnan(v) else TEXTS[column][int(v)] if v >= 0 else "never met"


def table(x, frame):
    """The rows as a user has them: a frame, or an array of objects."""
    columns = []
    for c in range(x.shape[1]):
        if c in TEXTS:
            columns.append(np.array([np.nan if np.isnan(v) else text(c, v) for v in x[:, c]], object))
        elif c == 5 and frame:
            columns.append(x[:, c].astype(bool))
        else:
            columns.append(x[:, c])
    if frame:
        return pd.DataFrame(dict(zip(NAMES, columns)))
    return np.array([[c[i] for c in columns] for i in range(len(x))], object)


# --- writing a case ---------------------------------------------------------------------------------


def dense(a):
    return np.asarray(a.todense() if hasattr(a, "todense") else a)


def answers(model, x):
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(x)
        return np.column_stack([q[:, 1] for q in p]) if isinstance(p, list) else p
    if hasattr(model, "predict"):
        return model.predict(x)
    return dense(model.transform(x)).astype(np.float64)


def write(folder, model, given, x, how, notes, tolerance=None):
    os.makedirs(folder, exist_ok=True)
    name = {"pickle": "model.p4.pkl", "joblib": "model.joblib.z", "skops": "model.skops"}[how]
    path = os.path.join(folder, name)
    if how == "skops" and skops is None:
        how, path = "joblib", os.path.join(folder, "model.joblib.z")
    if how == "pickle":
        with open(path, "wb") as out:
            pickle.dump(model, out, protocol=4)
        with open(path, "rb") as f:
            back = pickle.load(f)
    elif how == "joblib":
        joblib.dump(model, path, compress=("zlib", 9))
        back = joblib.load(path)
    else:
        skops.io.dump(model, path, compression=8)
        back = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    pred = answers(back, given)
    assert np.array_equal(pred, answers(model, given), equal_nan=True), folder
    case = {
        "library": "sklearn",
        "version": sklearn.__version__,
        "versions": {"numpy": np.__version__, "joblib": joblib.__version__},
        "estimator": type(model).__name__,
        "notes": notes,
    }
    if tolerance is not None:
        case["tolerance"] = tolerance
    arrays = {"X": x, "pred": pred}
    if hasattr(model, "classes_") and not isinstance(model, (MultiOutputClassifier, ClassifierChain)):
        case["classes"] = np.asarray(model.classes_).tolist()
        arrays["label"] = np.array([case["classes"].index(v) for v in back.predict(given).tolist()], np.int64)
    for key, a in arrays.items():
        np.save(os.path.join(folder, key + ".npy"), np.ascontiguousarray(a))
    with open(os.path.join(folder, "texts.tsv"), "w") as out:
        for c in sorted(TEXTS):
            if c < x.shape[1]:
                out.write("\t".join([str(c)] + TEXTS[c]) + "\n")
    case["shapes"] = {key: list(a.shape) for key, a in sorted(arrays.items())}
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


def rows(kept=range(7), missing=(), unknown=(), frame=False):
    """Rows to train on, and rows held out; among these gaps, and text that was never met."""
    rng = np.random.RandomState(23)
    x, held = gaps(rng, features(rng, TRAIN), missing), gaps(rng, features(rng, HELD_OUT), missing)
    for k, c in enumerate(unknown):
        held[3 * k : 3 * k + 3, c] = -1.0 if c in TEXTS else 99.0
    y = target(rng, x)
    kept = list(kept)
    if frame:
        return table(x, True), y, table(held, True), held
    return table(x, False)[:, kept], y, table(held, False)[:, kept], held[:, kept]


# --- cases ------------------------------------------------------------------------------------------


def columns_text(folder, how):
    """A table with names, as most are: filled numbers and text, and a column that is dropped."""
    x, y, given, held = rows(missing=[0, 1], unknown=[1, 3], frame=True)
    filled = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", **DENSE))
    ct = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["dose", "weight"]),
            ("words", filled, make_column_selector(pattern="color")),
            ("sizes", OrdinalEncoder(categories=[SIZES], handle_unknown="use_encoded_value", unknown_value=-1), ["size"]),
            ("rest", "passthrough", slice("code", "tested")),
        ]
    )
    model = Pipeline([("columns", ct), ("trees", GradientBoostingClassifier(**SMALL))]).fit(x, np.where(y > 0.8, "yes", "no"))
    write(folder, model, given, held, how, "a column of notes is dropped")
    if VERSION == (1, 9):
        given.to_csv(os.path.join(folder, "X.csv"), index=False)


def first(x):
    return [0]


def columns_places(folder, how):
    """Columns by number: negative ones, slices, masks, callables; a remainder that is kept, weights."""
    x, y, given, held = rows([0, 2, 4, 5])
    x, given = x.astype(float), given.astype(float)
    ct = ColumnTransformer(
        [
            ("flag", "passthrough", [-1]),
            ("code", OneHotEncoder(drop="first"), [2]),
            ("slice", MinMaxScaler(), slice(0, 2)),
            ("mask", StandardScaler(), [False, True, False, True]),
            ("none", StandardScaler(), []),
            ("call", RobustScaler(), first),
            ("gone", "drop", [3]),
        ],
        remainder="passthrough",
        transformer_weights={"mask": 0.3, "flag": 2.0},
    )
    write(folder, ct.fit(x), given, held, how, "the answers are the columns")


def columns_remainder(folder, how):
    """A scaler for what remains, behind it a second ColumnTransformer."""
    x, y, given, held = rows(missing=[0], frame=True)
    first = ColumnTransformer([("words", OrdinalEncoder(), ["size", "color"]), ("out", "drop", ["note"])], remainder=StandardScaler())
    second = ColumnTransformer([("codes", OneHotEncoder(**DENSE), [0, 1])], remainder="passthrough")
    model = Pipeline([("first", first), ("second", second), ("fill", SimpleImputer(strategy="median"))])
    write(folder, model.fit(x), given, held, how, "the answers are the columns")


def one_hot(folder, how):
    """Every option of the one-hot encoder that the version has."""
    x, y, given, held = rows([0, 1, 2, 3, 4], missing=[1] if VERSION >= (0, 24) else [], unknown=[1])
    kinds = [("ignore", OneHotEncoder(handle_unknown="ignore"), [1, 4])]
    kinds += [("first", OneHotEncoder(drop="first"), [3, 4]), ("binary", OneHotEncoder(drop="if_binary"), [3])]
    kinds += [("array", OneHotEncoder(drop=["L", 5.0]), [3, 4])]
    kinds += [("listed", OneHotEncoder(categories=[SIZES[::-1] + ["XXL"]], handle_unknown="ignore"), [3])]
    if VERSION >= (1, 0):
        kinds += [("both", OneHotEncoder(drop="first", handle_unknown="ignore"), [1])]
    if VERSION >= (1, 1):
        rare = {"handle_unknown": "infrequent_if_exist"}
        kinds += [("rare", OneHotEncoder(min_frequency=0.12, **rare), [1, 3])]
        kinds += [("most", OneHotEncoder(max_categories=3, **rare), [1, 4])]
        kinds += [("rare_first", OneHotEncoder(max_categories=3, drop="first", **rare), [1])]
        kinds += [("rare_binary", OneHotEncoder(max_categories=2, drop="if_binary", **rare), [1, 4])]
        kinds += [("rare_array", OneHotEncoder(min_frequency=20, drop=["blue"], **rare), [1])]
        kinds += [("rare_ignore", OneHotEncoder(min_frequency=20, handle_unknown="ignore"), [1])]
    if VERSION >= (1, 6):
        kinds += [("warn", OneHotEncoder(min_frequency=20, handle_unknown="warn"), [1])]
    write(folder, ColumnTransformer(kinds).fit(x), given, held, how, "the answers are the columns")


def ordinal(folder, how):
    x, y, given, held = rows([0, 1, 2, 3, 4], missing=[1, 4] if VERSION >= (1, 0) else [], unknown=[1, 4])
    with_value = {"handle_unknown": "use_encoded_value"}
    kinds = [("nan", OrdinalEncoder(unknown_value=np.nan, **with_value), [1, 4])]
    kinds += [("below", OrdinalEncoder(unknown_value=-1, dtype=np.float32, **with_value), [1])]
    if VERSION >= (1, 1):
        kinds += [("gap", OrdinalEncoder(unknown_value=-1, encoded_missing_value=-2, **with_value), [1, 4])]
        kinds += [("gap_too", OrdinalEncoder(unknown_value=-1, encoded_missing_value=-1, **with_value), [4])]
    if VERSION >= (1, 3):
        kinds += [("rare", OrdinalEncoder(min_frequency=20, unknown_value=77, encoded_missing_value=-2, **with_value), [1, 4])]
        kinds += [("most", OrdinalEncoder(max_categories=2, unknown_value=np.nan, **with_value), [1, 3])]
    write(folder, ColumnTransformer(kinds).fit(x), given, held, how, "the answers are the columns")


def target_means(folder, how):
    from sklearn.preprocessing import TargetEncoder

    x, y, given, held = rows([0, 1, 2, 3, 4], missing=[1], unknown=[1, 4])
    seed = {"random_state": 3, "cv": 2}
    y3 = np.array(["low", "mid", "top"])[np.digitize(y, [0.2, 1.2])]
    for name, y2, columns, options in (
        ("classes", y3, [1, 3, 4], {}),
        ("mean", y, [1, 4], {"smooth": 3.0}),
        ("binary", y3 == "top", [3, 1], {}),
    ):
        model = ColumnTransformer([("means", TargetEncoder(**seed, **options), columns)]).fit(x, y2)
        write(folder + "_" + name, model, given, held, how, "the answers are the columns")


def union(folder, how):
    x, y, given, held = rows([0, 2, 4, 5])
    x, given = x.astype(float), given.astype(float)
    members = [("scaled", StandardScaler()), ("none", "drop"), ("codes", OneHotEncoder(handle_unknown="ignore", **DENSE))]
    members += [("kept", "passthrough")] if VERSION >= (1, 1) else []
    model = make_pipeline(ColumnTransformer([("c", "passthrough", [2, 0])]), FeatureUnion(members, transformer_weights={"scaled": -0.7}))
    write(folder, model.fit(x), given, held, how, "the answers are the columns")


def rounds(folder, how):
    """A transformed target: scores of every transformer that has a way back."""
    x, y, given, held = rows([0, 2, 4, 5])
    x, given = x.astype(float), given.astype(float)
    kinds = [
        ("log", {"func": np.log1p, "inverse_func": np.expm1}),
        ("square", {"func": np.sqrt, "inverse_func": np.square}),
        ("standard", {"transformer": StandardScaler()}),
        ("least", {"transformer": MinMaxScaler((-1, 3))}),
        ("most", {"transformer": MaxAbsScaler()}),
        ("robust", {"transformer": make_pipeline(RobustScaler(), StandardScaler(with_mean=False))}),
        ("power", {"transformer": PowerTransformer()}),
        ("box", {"transformer": PowerTransformer("box-cox", standardize=False)}),
        ("quantile", {"transformer": QuantileTransformer(n_quantiles=20)}),
    ]
    for name, options in kinds:
        y2 = np.exp(0.6 * y) if name in ("log", "square", "box") else y
        if name == "power":
            y2 = np.column_stack([y, np.exp(y), -np.exp(0.3 * y)])
        trees = DecisionTreeRegressor(max_depth=3, random_state=3)
        model = TransformedTargetRegressor(regressor=trees, check_inverse=False, **options).fit(x, y2)
        write(folder + "_" + name, model, given, held, how, "", 1e-13 if name in ("power", "box") else None)


def several(folder, how):
    """Several outputs: side by side, and in chains."""
    x, y, given, held = rows([0, 2, 4, 5])
    x, given = x.astype(float), given.astype(float)
    values = np.column_stack([y, y * y, np.sin(y)])
    labels = (values > [0.8, 1.0, 0.3]).astype(int)
    boosted, tree = GradientBoostingClassifier(**SMALL), DecisionTreeClassifier(max_depth=2, random_state=3)
    kinds = [
        ("values", MultiOutputRegressor(GradientBoostingRegressor(**SMALL)), values),
        ("scaled", MultiOutputRegressor(TransformedTargetRegressor(DecisionTreeRegressor(max_depth=3, random_state=3), transformer=StandardScaler())), values),
        ("labels", MultiOutputClassifier(boosted), labels),
        ("shares", MultiOutputClassifier(RandomForestClassifier(**SMALL)), labels),
        ("chain_values", RegressorChain(DecisionTreeRegressor(max_depth=3, random_state=3), order=[2, 0, 1]), values),
        ("chain_labels", ClassifierChain(boosted, order=[1, 2, 0]), labels),
        ("chain_shares", ClassifierChain(tree, order=[1, 2, 0]), labels),
    ]
    if VERSION >= (1, 5):
        kinds += [("chain_probabilities", ClassifierChain(tree, order=[1, 2, 0], chain_method="predict_proba"), labels)]
        kinds += [("chain_margins", ClassifierChain(boosted, order=[1, 2, 0], chain_method="decision_function"), labels)]
    for name, model, y2 in kinds:
        sigmoid_within = isinstance(model, ClassifierChain) and model.get_params()[BASE] is boosted
        write(folder + "_" + name, model.fit(x, y2), given, held, how, "", 1e-14 if sigmoid_within else None)


def hist_text(folder, how):
    """Histogram boosting of text behind a ColumnTransformer that puts the columns in another order."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, given, held = rows(missing=[0, 1], unknown=[1], frame=True)
    for frame in (x, given):
        frame["color"] = pd.Categorical(frame["color"], categories=COLORS)
        frame["size"] = pd.Categorical(frame["size"], categories=SIZES[::-1])
    ct = ColumnTransformer([("scaled", StandardScaler(), ["dose"]), ("kept", "passthrough", ["size", "code", "color"])])
    trees = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=6, min_samples_leaf=4, categorical_features=[1, 3], random_state=3)
    model = make_pipeline(ct.set_output(transform="pandas"), trees)
    write(folder, model.fit(x, (y > 0.8).astype(int)), given, held, how, "text that was never met counts as missing")


def sparse_xgboost(folder, how):
    """XGBoost takes what a sparse matrix does not store for missing: every zero, of numbers too."""
    from xgboost import XGBClassifier

    x, y, given, held = rows([0, 2, 4, 5])
    x, given = x.astype(float), given.astype(float)
    for table in (x, given):
        table[::3, 0] = 0.0
        table[1::4, 1] = -0.0
    held[::3, 0], held[1::4, 1] = 0.0, -0.0
    codes = ("codes", OneHotEncoder(handle_unknown="ignore"), [2, 3])
    for name, threshold in (("sparse", 1.0), ("dense", 0.0)):
        ct = ColumnTransformer([codes, ("scaled", MaxAbsScaler(), [0]), ("kept", "passthrough", [1])], sparse_threshold=threshold)
        trees = XGBClassifier(n_estimators=4, max_depth=3, learning_rate=0.4, n_jobs=1, random_state=3)
        model = make_pipeline(ct, MaxAbsScaler(), trees).fit(x, (y > 0.8).astype(int))
        write(folder + "_" + name, model, given, held, how, "answers are f32")


# name, first version that has it, how to make it, the file's format
CASES = [
    ("columns_text", (0, 24), columns_text, "joblib"),
    ("columns_places", (0, 24), columns_places, "pickle"),
    ("columns_remainder", (1, 0), columns_remainder, "skops"),
    ("one_hot", (0, 24), one_hot, "joblib"),
    ("ordinal", (0, 24), ordinal, "skops"),
    ("target_means", (1, 4), target_means, "joblib"),
    ("union", (0, 24), union, "pickle"),
    ("target", (0, 24), rounds, "joblib"),
    ("several", (0, 24), several, "joblib"),
    ("hist_text", (1, 4), hist_text, "joblib"),
    ("xgboost", (1, 6), sparse_xgboost, "joblib"),
]
# Versions that differ little from a neighbour get no more than these.
FEW = {
    (0, 24): {"columns_text", "columns_places", "one_hot", "ordinal", "union"},
    (1, 0): {"columns_text", "one_hot"},
    (1, 1): {"one_hot"},
    (1, 2): {"one_hot", "columns_remainder"},
    (1, 3): {"ordinal"},
    (1, 4): {"columns_text", "target_means", "hist_text"},
    (1, 6): {"one_hot", "columns_text"},
}


def main():
    out = os.path.join(sys.argv[1], "sklearn-" + sklearn.__version__)
    beside = {"xgboost"} if importlib.util.find_spec("xgboost") else None
    wanted = sys.argv[2:] or beside or FEW.get(VERSION, {name for name, *_ in CASES} - {"xgboost"})
    for name, since, make, how in CASES:
        if VERSION >= since and name in wanted:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                make(os.path.join(out, name), how)


if __name__ == "__main__":
    main()
