"""Writes the golden cases of XGBoost's scikit-learn wrapper: pickles and joblib dumps.

    PYTHON make_xgboost_sklearn.py OUT     makes OUT/xgboost-<version>/sklearn_<case>/

A pickle runs code when it is loaded as one; a reader that only looks for the Booster inside need not.
The answers are those of the wrapper read back: pred is predict_proba (predict for a regressor), and
raw its margin, both up to the best iteration where there is one. model.json is the same Booster.
"""

import json
import os
import pickle
import sys

import joblib
import numpy as np
import xgboost as xgb
from make_xgboost import HELD_OUT, POOL, TRAIN, VERSION, extreme_rows, features, finish, same, target

SMALL = {"n_estimators": 2, "max_depth": 2, "learning_rate": 0.3, "n_jobs": 1, "random_state": 3}


def stops(model):
    if VERSION < (1, 3):
        return hasattr(model, "best_ntree_limit")
    return getattr(model, "early_stopping_rounds", None) is not None


def dump(model, folder):
    """Writes the model in every way a user might, or the newest where all was seen; the copies read back."""
    back = []
    for protocol in (min(5, pickle.HIGHEST_PROTOCOL),) if stops(model) else (2, 4, 5):
        if protocol > pickle.HIGHEST_PROTOCOL:
            continue
        path = os.path.join(folder, "model.p%d.pkl" % protocol)
        with open(path, "wb") as out:
            pickle.dump(model, out, protocol=protocol)
        with open(path, "rb") as f:
            back.append(pickle.load(f))
    dumps = [("model.joblib", 0), ("model.joblib.z", ("zlib", 3))][stops(model) :]
    if VERSION == (3, 4) and not stops(model):
        dumps += [("model.joblib." + how, (how, 3)) for how in ("gzip", "bz2", "xz", "lzma", "lz4")]
    for name, how in dumps:
        path = os.path.join(folder, name)
        joblib.dump(model, path, compress=how)
        back.append(joblib.load(path))
    model.get_booster().save_model(os.path.join(folder, "model.json" if VERSION >= (1, 0) else "model.bin"))
    return back


def write(folder, model, x, notes):
    if not os.path.isdir(folder):
        os.makedirs(folder)
    classifier = hasattr(model, "predict_proba")

    def answers(m):
        return (m.predict_proba if classifier else m.predict)(x), m.predict(x, output_margin=True)

    back = dump(model, folder)
    pred, raw = answers(back[0])
    for m in back[1:]:
        assert all(same(a, b) for a, b in zip(answers(m), (pred, raw))), folder
    case = {
        "library": "xgboost",
        "version": xgb.__version__,
        "wrapper": type(model).__name__,
        "objective": model.objective,
        "rounds": len(model.get_booster().get_dump()) if VERSION < (1, 4) else model.get_booster().num_boosted_rounds(),
        "best_iteration": model.best_iteration if stops(model) else None,
        "feature_names": model.get_booster().feature_names,
        "sum": "base_first" if VERSION >= (1, 3) else "base_last",
        "notes": notes,
    }
    arrays = {"X": x, "pred": pred, "raw": raw}
    if classifier:
        label = back[0].predict(x)
        case["classes"] = np.asarray(model.classes_).tolist()
        # The class of a row as its place in "classes": the classes themselves may be strings.
        arrays["label"] = np.array([case["classes"].index(v) for v in label.tolist()], np.int64)
    finish(folder, case, arrays)


def main():
    out = os.path.join(sys.argv[1], "xgboost-" + xgb.__version__)
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN), features(rng, POOL)
    rows = np.concatenate([pool[: 2 * HELD_OUT], extreme_rows(pool)])
    y = target("multi", rng, x)
    words = np.array(["down", "flat", "up"])[y.astype(int)]
    if VERSION < (1, 3):
        # A pickled Booster is still in the old format.
        model = xgb.XGBClassifier(**SMALL).fit(x, words)
        write(os.path.join(out, "sklearn_strings"), model, rows, "classes are strings, by the wrapper's label encoder")
        held = [(pool, target("real", rng, pool))]
        model = xgb.XGBRegressor(num_parallel_tree=2, subsample=0.6, **dict(SMALL, n_estimators=30, learning_rate=1.0))
        model.fit(x, target("real", rng, x), eval_set=held, early_stopping_rounds=2, verbose=False)
        notes = "the wrapper answers with iterations 0 to best_iteration, of two trees each"
        write(os.path.join(out, "sklearn_early_stopping"), model, rows, notes)
        return
    if VERSION < (1, 6):
        # The last wrapper that takes strings as classes (1.3 to 1.5); later ones refuse them.
        model = xgb.XGBClassifier(use_label_encoder=True, **SMALL).fit(x, words)
        write(os.path.join(out, "sklearn_strings"), model, rows, "classes are strings, by the wrapper's label encoder")
        return
    model = xgb.XGBClassifier(**SMALL).fit(x, y)
    write(os.path.join(out, "sklearn_wrapper"), model, rows, "three classes: multi:softprob")
    held = [(pool, target("real", rng, pool))]
    model = xgb.XGBRegressor(**dict(SMALL, n_estimators=30, learning_rate=1.0, early_stopping_rounds=2))
    model.fit(x, target("real", rng, x), eval_set=held, verbose=False)
    write(os.path.join(out, "sklearn_early_stopping"), model, rows, "the wrapper answers with iterations 0 to best_iteration")


if __name__ == "__main__":
    main()
