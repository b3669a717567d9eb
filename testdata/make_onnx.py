"""Writes the golden ONNX files that other people's converters make of tiny models.

    PYTHON make_onnx.py OUT     makes OUT/onnx-<converter>-<version>/<case>/

A case holds the ONNX file, rows, what the library that trained the model answers (pred, and raw where
it has a margin), and what ONNX Runtime answers for the file (ort_<output>), both as they are: where
the two differ it is the converter's or the runtime's doing, and case.json says by how much.
"""

import json
import os
import sys
import tempfile
from functools import partial

import catboost
import lightgbm
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import skl2onnx
import sklearn
import xgboost as xgb
from make_xgboost import HELD_OUT, POOL, SPLITS, TRAIN, extreme_rows, features, finish, target
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

OPSET = {"": 15, "ai.onnx.ml": 3}
SMALL = {"n_estimators": 5, "max_depth": 3, "random_state": 3}


def run(model, x):
    """ONNX Runtime's answers by output name, one thread; a ZipMap's dictionaries as columns in key order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # the converters' output shapes are often wrong, and ONNX Runtime says so
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    out = {}
    for meta, value in zip(session.get_outputs(), session.run(None, {session.get_inputs()[0].name: x})):
        if isinstance(value, list):
            value = np.array([[row[k] for k in sorted(row)] for row in value], np.float32)
        out[meta.name] = value
    return out


def threshold_rows(proto, x):
    """Rows with a feature on a threshold of the file, one ULP below and one above it."""
    rows = []
    for node in proto.graph.node:
        attributes = {a.name: a for a in node.attribute}
        if "nodes_values" not in attributes:
            continue
        modes = attributes["nodes_modes"].strings
        splits = [i for i, mode in enumerate(modes) if mode != b"LEAF"]
        for i in splits[:: max(1, len(splits) // SPLITS)]:
            t = np.float32(attributes["nodes_values"].floats[i])
            row = x[len(rows) % HELD_OUT].copy()
            for value in (t, np.nextafter(t, np.float32(-np.inf)), np.nextafter(t, np.float32(np.inf))):
                row[attributes["nodes_featureids"].ints[i]] = value
                rows.append(row.copy())
    return np.array(rows, np.float32)


def write(out, converter, name, onx, x, predict, margin=None):
    """Saves one case: the bytes of the ONNX file, and what the model itself answers on the same rows."""
    folder = os.path.join(out, "onnx-" + converter, name)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(onx)
    proto = onnx.load_from_string(onx)
    x = np.concatenate([x, threshold_rows(proto, x)])
    pred = predict(x)
    arrays = {"X": x, "pred": pred}
    if margin is not None:
        arrays["raw"] = margin(x)
    answers = run(onx, x)
    for key, value in answers.items():
        arrays["ort_" + key] = value
    scores = list(answers.values())[-1].astype(np.float64).reshape(pred.shape)
    difference = np.abs(scores - pred) / np.maximum(1, np.abs(pred))
    case = {
        "converter": converter,
        "libraries": {m.__name__: m.__version__ for m in (catboost, lightgbm, onnx, onnxruntime, sklearn, xgb)},
        "opsets": {o.domain or "ai.onnx": o.version for o in proto.opset_import},
        "operators": sorted({n.op_type for n in proto.graph.node}),
        "input": proto.graph.input[0].name,
        "outputs": list(answers),
        "largest_relative_difference": float(difference.max()),
        "rows_that_differ": [int(r) for r in np.unique(np.nonzero(difference > 1e-5)[0])],
    }
    finish(folder, case, arrays)


def onnxmltools_cases(out, x, rows, rng):
    converter = "onnxmltools-" + onnxmltools.__version__
    shape = [("X", FloatTensorType([None, x.shape[1]]))]

    def convert(model, how=convert_xgboost, **more):
        return how(model, name="model", initial_types=shape, target_opset=15, **more).SerializeToString()

    small = dict(SMALL, n_jobs=1, learning_rate=0.3)
    for name, kind, cls in (
        ("xgboost_binary", "binary", xgb.XGBClassifier),
        ("xgboost_multi", "multi", xgb.XGBClassifier),
        ("xgboost_regressor", "real", xgb.XGBRegressor),
    ):
        model = cls(**dict(small, base_score=0.5)).fit(x, target(kind, rng, x))
        predict = model.predict if kind == "real" else model.predict_proba
        write(out, converter, name, convert(model), rows, predict, partial(model.predict, output_margin=True))
    model = lightgbm.LGBMClassifier(**small, num_leaves=6, verbose=-1, deterministic=True).fit(x, target("binary", rng, x))
    for zipmap in (True, False):
        name = "lightgbm_binary" + ("_zipmap" if zipmap else "")
        onx = convert(model, convert_lightgbm, zipmap=zipmap)
        write(out, converter, name, onx, rows, model.predict_proba, partial(model.predict, raw_score=True))


def skl2onnx_cases(out, x, rows, rng):
    """Without missing values: the trees of scikit-learn were grown without any."""
    converter = "skl2onnx-" + skl2onnx.__version__
    forest = RandomForestClassifier(**SMALL).fit(x, target("multi", rng, x))
    for zipmap in (True, False):
        name = "random_forest_classifier" + ("_zipmap" if zipmap else "")
        onx = to_onnx(forest, x[:1], options={"zipmap": zipmap}, target_opset=OPSET).SerializeToString()
        write(out, converter, name, onx, rows, forest.predict_proba)
    boosted = GradientBoostingRegressor(**SMALL).fit(x, target("real", rng, x))
    tree = DecisionTreeRegressor(max_depth=4, random_state=3).fit(x, target("several", rng, x))
    for name, model in (("gradient_boosting_regressor", boosted), ("decision_tree_multi_output", tree)):
        onx = to_onnx(model, x[:1], target_opset=OPSET).SerializeToString()
        write(out, converter, name, onx, rows, model.predict)


def catboost_cases(out, x, rows, rng):
    converter = "catboost-" + catboost.__version__
    small = {"iterations": 5, "depth": 3, "random_seed": 3, "thread_count": 1, "verbose": False, "allow_writing_files": False}
    for name, kind, cls in (("binary", "binary", catboost.CatBoostClassifier), ("regressor", "real", catboost.CatBoostRegressor)):
        y = target(kind, rng, x)
        model = cls(**small).fit(x, y.astype(int) if kind == "binary" else y)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            model.save_model(path, format="onnx")
            with open(path, "rb") as f:
                onx = f.read()
        predict = model.predict if kind == "real" else model.predict_proba
        write(out, converter, name, onx, rows, predict, partial(model.predict, prediction_type="RawFormulaVal"))


def main():
    out = sys.argv[1]
    rng = np.random.RandomState(11)
    x, pool = features(rng, TRAIN), features(rng, POOL)
    rows = np.concatenate([pool[: 2 * HELD_OUT], extreme_rows(pool)])
    onnxmltools_cases(out, x, rows, rng)
    catboost_cases(out, x, rows, rng)
    full, whole = np.nan_to_num(x, nan=0.5), rows[~np.isnan(rows).any(axis=1)]
    skl2onnx_cases(out, full, whole, rng)


if __name__ == "__main__":
    main()
