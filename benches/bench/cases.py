"""The cases: five models on 28 features, trained the same way every time, or models of one's own.

A case is a model's file in its framework's own format, the rows, and the least factors that fretsaw is to be
faster by. Who runs them is no matter here.
"""

import dataclasses
import os
import pathlib

from bench.environment import WORK, say

FEATURES, TRAINING_ROWS, FOREST_ROWS, ROWS = 28, 50_000, 20_000, 10_000
BATCH, ONE = 10_000, 1


@dataclasses.dataclass
class Case:
    name: str
    framework: str
    title: str
    model: pathlib.Path
    rows: pathlib.Path
    # What fretsaw must reach: how many times faster than whom, by rows a call.
    floors: dict = dataclasses.field(default_factory=dict)


FLOORS = {
    "xgboost-1000x6": {BATCH: {"onnxruntime": 60, "xgboost": 25, "onedal": 13}, ONE: {"onnxruntime": 25}},
    "lightgbm-1000x63": {BATCH: {"onnxruntime": 25, "lightgbm": 60, "lleaves": 8}, ONE: {"onnxruntime": 8, "lleaves": 4}},
    "catboost-1000x6": {BATCH: {"onnxruntime": 65, "catboost": 2}, ONE: {"onnxruntime": 25}},
    "forest-300-leaf20": {BATCH: {"onnxruntime": 8}, ONE: {"onnxruntime": 8}},
    "forest-300-deep": {BATCH: {"scikit-learn": 5}, ONE: {"onnxruntime": 12}},
}
TITLES = {
    "xgboost-1000x6": "XGBoost, 1000 trees of depth 6",
    "lightgbm-1000x63": "LightGBM, 1000 trees of 63 leaves",
    "catboost-1000x6": "CatBoost, 1000 oblivious trees of depth 6",
    "forest-300-leaf20": "random forest, 300 trees, leaves of 20 rows",
    "forest-300-deep": "random forest, 300 trees of unlimited depth",
}
SUFFIX = {"xgboost": ".ubj", "lightgbm": ".txt", "catboost": ".cbm", "forest": ".joblib"}


def table(n_rows):
    """Rows as tables have them: heavy tails, a few levels, gaps; and a label that takes some learning."""
    import numpy as np

    random = np.random.default_rng(20240601)
    x = random.standard_normal((n_rows, FEATURES)).astype(np.float32)
    x[:, 7:14] = np.exp(x[:, 7:14])
    x[:, 14:18] = np.round(x[:, 14:18] * 2)
    x[:, 18:21][random.random((len(x), 3)) < 0.05] = np.nan
    signal = (
        np.sin(2 * x[:, 0]) * x[:, 1] + x[:, 2] * x[:, 3] - np.abs(x[:, 4]) + np.log(x[:, 7]) * (x[:, 14] > 0)
        + 0.5 * np.nan_to_num(x[:, 18]) * x[:, 5] + 0.3 * x[:, 21:].sum(1)
    )
    label = (signal + random.standard_normal(len(x)) > np.median(signal)).astype(np.int32)
    return x, label


def train(name, x, y, path):
    """One model, the same from the same seed, saved as its framework saves it."""
    threads = os.cpu_count()
    if name == "xgboost-1000x6":
        import xgboost

        parameters = {
            "objective": "binary:logistic", "max_depth": 6, "eta": 0.05, "subsample": 0.8, "tree_method": "hist",
            "seed": 1, "nthread": threads,
        }
        xgboost.train(parameters, xgboost.DMatrix(x, y), 1000).save_model(path)
    elif name == "lightgbm-1000x63":
        import lightgbm

        parameters = {
            "objective": "binary", "num_leaves": 63, "learning_rate": 0.05, "seed": 1, "deterministic": True,
            "force_row_wise": True, "num_threads": threads, "verbose": -1,
        }
        lightgbm.train(parameters, lightgbm.Dataset(x, y), 1000).save_model(path)
    elif name == "catboost-1000x6":
        import catboost

        model = catboost.CatBoost({
            "loss_function": "Logloss", "iterations": 1000, "depth": 6, "learning_rate": 0.05, "random_seed": 1,
            "thread_count": threads, "verbose": False, "allow_writing_files": False,
        })
        model.fit(x, y).save_model(str(path))
    else:
        import joblib
        from sklearn.ensemble import RandomForestClassifier

        leaf = 20 if name == "forest-300-leaf20" else 1
        model = RandomForestClassifier(300, min_samples_leaf=leaf, random_state=1, n_jobs=threads)
        joblib.dump(model.fit(x[:FOREST_ROWS], y[:FOREST_ROWS]), path)


def standard(names):
    """The cases of these names, trained where they are not there yet."""
    import numpy as np

    folder = WORK / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    out, made = [], None
    for name in names:
        framework = name.split("-")[0]
        gaps = framework != "forest"
        rows = folder / f"rows-{FEATURES}-{'gaps' if gaps else 'whole'}.npy"
        model = folder / f"{name}{SUFFIX[framework]}"
        if not (rows.exists() and model.exists()):
            made = made or table(TRAINING_ROWS + ROWS)
            x, y = made
            # Forests in other runtimes mostly know no missing value.
            x = x if gaps else np.nan_to_num(x)
            np.save(rows, x[TRAINING_ROWS:])
            say(f"training {TITLES[name]}")
            partial = folder / f"partial{SUFFIX[framework]}"
            train(name, x[:TRAINING_ROWS], y[:TRAINING_ROWS], partial)
            # Renamed into place: a run that is stopped leaves no half of a model.
            partial.rename(model)
        framework = "scikit-learn" if framework == "forest" else framework
        out.append(Case(name, framework, TITLES[name], model, rows, FLOORS[name]))
    return out


def own(model, rows):
    """A case of somebody's own model, its framework known by the file."""
    by_suffix = {".ubj": "xgboost", ".txt": "lightgbm", ".cbm": "catboost", ".joblib": "scikit-learn", ".pkl": "scikit-learn"}
    framework = by_suffix.get(model.suffix)
    if model.suffix == ".json":
        framework = "xgboost" if b'"learner"' in model.read_bytes() else None
    if framework is None:
        raise SystemExit(f"error: {model}: not known by its name; take .ubj, .json (XGBoost), .txt (LightGBM), "
                         ".cbm (CatBoost), .joblib or .pkl (scikit-learn)")
    return Case(model.stem, framework, str(model), model.resolve(), rows.resolve())
