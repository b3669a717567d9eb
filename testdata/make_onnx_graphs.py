"""Writes the golden ONNX files that are more than one ensemble: pipelines as skl2onnx writes them, and
graphs of single operators of ai.onnx.ml, those of the ONNX package's own backend tests among them.

    PYTHON make_onnx_graphs.py OUT     makes OUT/graphs-<maker>-<version>/<case>/

A case holds the ONNX file, rows, and what ONNX Runtime answers for it (ort_<output>); of text columns the
rows hold the place among the categories that case.json lists, -1 for any other text. A case that must be
refused has the reason in case.json instead.
"""

import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
from make_xgboost import finish
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

OPSET = {"": 17, "ai.onnx.ml": 3}
FOREST = {"n_estimators": 3, "max_depth": 3, "random_state": 3}
WIDTH, TRAIN, HELD_OUT = 4, 120, 40


def answers(model, feeds):
    """ONNX Runtime's answers by output name, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, feeds)))


def write(out, maker, name, proto, x, feeds, exact=False, refused=None, texts=None):
    folder = os.path.join(out, "graphs-" + maker, name)
    os.makedirs(folder, exist_ok=True)
    model = proto.SerializeToString()
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(model)
    case = {
        "converter": maker,
        "libraries": {m.__name__: m.__version__ for m in (onnx, onnxruntime, sklearn)},
        "opsets": {o.domain or "ai.onnx": o.version for o in proto.opset_import},
        "operators": sorted({n.op_type for n in proto.graph.node}),
    }
    if refused:
        finish(folder, dict(case, refused=refused), {})
        return
    if texts:
        case["texts"] = texts
    arrays = {"X": x}
    for key, value in answers(model, feeds).items():
        if value.dtype.kind in "OU":
            case["labels"] = [str(v) for v in value.ravel()]
        else:
            arrays["ort_" + key] = value.astype(np.int64) if value.dtype.kind in "iu" else value
    finish(folder, dict(case, exact=exact), arrays)


def on_thresholds(proto, x):
    """Rows with a value that the tests of the file's trees see, and the next ones below and above it."""
    rows = []
    for node in proto.graph.node:
        for a in node.attribute:
            if a.name == "nodes_values":
                for i, t in enumerate(a.floats):
                    for value in (np.float32(t), np.nextafter(np.float32(t), np.float32(9)), np.nextafter(np.float32(t), np.float32(-9))):
                        row = x[len(rows) % len(x)].copy()
                        row[i % x.shape[1]] = value
                        rows.append(row)
    return np.concatenate([x] + [np.array(rows[:60], np.float32).reshape(-1, x.shape[1])])


def pipelines(out, rng):
    maker = "skl2onnx-" + skl2onnx.__version__
    x = rng.randn(TRAIN, WIDTH).astype(np.float32)
    rows = np.concatenate([2 * rng.randn(HELD_OUT, WIDTH).astype(np.float32), x[:10]])
    two, three, real = (x[:, 0] + x[:, 1] > 0).astype(int), np.digitize(x[:, 0], [-0.5, 0.5]), 2 * x[:, 0] + x[:, 1]
    forest, regressor = RandomForestClassifier(**FOREST), RandomForestRegressor(**FOREST)
    tree = DecisionTreeClassifier(max_depth=3, random_state=3)
    mlp = {"hidden_layer_sizes": (3,), "max_iter": 60, "random_state": 3}
    exact = {
        "bagging": (BaggingClassifier(tree, n_estimators=2, random_state=3), three),
        "binarizer_tree": (make_pipeline(Binarizer(threshold=0.25), DecisionTreeRegressor(max_depth=3)), real),
        "bins_tree": (make_pipeline(KBinsDiscretizer(3, encode="ordinal"), DecisionTreeRegressor(max_depth=3)), real),
        "scaled_forest": (make_pipeline(StandardScaler(), forest), two),
        "imputed_scaled_forest": (make_pipeline(SimpleImputer(), MinMaxScaler(), RobustScaler(), regressor), real),
        "union_forest": (make_pipeline(make_union(StandardScaler(), MinMaxScaler()), forest), two),
        "stacked_trees": (StackingRegressor([("a", regressor), ("b", DecisionTreeRegressor(max_depth=2))], regressor, cv=2), real),
        "calibrated_isotonic": (CalibratedClassifierCV(tree, cv=2, method="isotonic"), two),
    }
    near = {
        "scaled_logistic": (make_pipeline(StandardScaler(), LogisticRegression()), two),
        "logistic_text_labels": (LogisticRegression(), np.array(["high", "low", "mid"])[three]),
        "svc": (SVC(), three),
        "svc_binary": (SVC(), two),
        "svc_probability": (SVC(probability=True, random_state=3), three),
        "svc_polynomial": (SVC(kernel="poly", probability=True, random_state=3), two),
        "svr": (SVR(), real),
        "linear_svc": (LinearSVC(random_state=3), three),
        "mlp": (MLPClassifier(**mlp), three),
        "mlp_binary": (MLPClassifier(**mlp, activation="tanh"), two),
        "mlp_regressor": (MLPRegressor(**mlp), real),
        "voting_soft": (VotingClassifier([("a", forest), ("b", LogisticRegression())], voting="soft", flatten_transform=False), three),
        "voting_regressor": (VotingRegressor([("a", regressor), ("b", LinearRegression())]), real),
        "stacked_classifier": (StackingClassifier([("a", forest), ("b", tree)], LogisticRegression(), cv=2), three),
        "one_vs_rest": (OneVsRestClassifier(LogisticRegression()), three),
        "one_vs_rest_trees": (OneVsRestClassifier(tree), three),
        "naive_bayes": (GaussianNB(), three),
        "kmeans": (KMeans(3, random_state=3, n_init=1), three),
        "pca_linear": (make_pipeline(PCA(2), LinearRegression()), real),
        "polynomial_ridge": (make_pipeline(PolynomialFeatures(2), Ridge()), real),
        "discriminant": (LinearDiscriminantAnalysis(), three),
        "calibrated_sigmoid": (CalibratedClassifierCV(tree, cv=2), two),
        "sgd": (SGDClassifier(loss="log_loss", random_state=3), three),
        "poisson": (PoissonRegressor(), np.exp(real / 3)),
        "isolation_forest": (IsolationForest(n_estimators=2, max_samples=8, random_state=3), two),
    }
    refused = {
        "neighbors": (KNeighborsClassifier(3), three, "Scan is not supported"),
        "normalized_forest": (make_pipeline(Normalizer(), regressor), real, "within rounding only"),
        "adaboost": (AdaBoostClassifier(n_estimators=2, random_state=3), three, "within rounding only"),
    }

    def convert(model, y):
        model.fit(x, y)
        options = {"zipmap": False} if hasattr(model, "predict_proba") or isinstance(model, (SVC, SGDClassifier)) else None
        return to_onnx(model, x[:1], options=options, target_opset=OPSET)

    for cases in (exact, near):
        for name, (model, y) in cases.items():
            proto = convert(model, y)
            seen = on_thresholds(proto, rows)
            write(out, maker, name, proto, seen, {"X": seen}, exact=cases is exact)
    for name, (model, y, why) in refused.items():
        write(out, maker, name, convert(model, y), None, None, refused=why)


def text_columns(out, rng):
    """One input a column, text among them, as a frame's columns become."""
    maker = "skl2onnx-" + skl2onnx.__version__
    import pandas

    colours, sizes = ["blue", "green", "red"], ["large", "small"]
    n = TRAIN
    frame = pandas.DataFrame({"colour": rng.choice(colours, n), "age": rng.randn(n), "size": rng.choice(sizes, n), "weight": rng.randn(n)})
    y = (frame["age"] + (frame["colour"] == "red") > 0.3).astype(int)
    numbers, texts = ["age", "weight"], ["colour", "size"]
    kinds = [(c, StringTensorType([None, 1]) if c in texts else FloatTensorType([None, 1])) for c in frame]
    for name, body, exact in (("columns_logistic", LogisticRegression(), False), ("columns_forest", RandomForestClassifier(**FOREST), True)):
        prepared = ColumnTransformer([("n", StandardScaler(), numbers), ("t", OneHotEncoder(handle_unknown="ignore"), texts)])
        model = make_pipeline(prepared, body).fit(frame, y)
        proto = to_onnx(model, initial_types=kinds, options={"zipmap": False}, target_opset=OPSET)
        known = {"colour": colours, "size": sizes}
        codes = {c: rng.randint(-1, len(known[c]), HELD_OUT) for c in texts}
        columns = {c: codes[c] if c in texts else rng.randn(HELD_OUT) for c in frame}
        x = np.stack([np.asarray(columns[c], np.float32) for c in frame], 1)
        feeds = {c: x[:, [i]] for i, c in enumerate(frame)}
        for c in texts:
            feeds[c] = np.array([[(known[c] + ["something else"])[k]] for k in codes[c]], object)
        write(out, maker, name, proto, x, feeds, exact=exact, texts=known)


def graph(nodes, inputs, outputs, ml, constants=()):
    made = helper.make_graph(nodes, "graph", inputs, outputs, list(constants))
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", ml)])
    proto.ir_version = 10
    return proto


def ml(name, inputs, outputs, **attributes):
    return helper.make_node(name, inputs, outputs, domain="ai.onnx.ml", **attributes)


def operators(out, rng):
    """The ai.onnx.ml cases of the ONNX package's backend tests, made anew, and what is beside them."""
    maker = "onnx-" + onnx.__version__
    F, D, I, S = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING
    value = helper.make_tensor_value_info
    tensor = helper.make_tensor

    def case(name, nodes, inputs, outputs, x=None, version=3, feeds=None, constants=(), **more):
        proto = graph(nodes, inputs, outputs, version, constants)
        write(out, maker, name, proto, x, feeds or {inputs[0].name: x}, **more)

    x = np.round(2 * rng.randn(12, 3), 1).astype(np.float32)
    x[0] = 0.25
    three = [value("X", F, ["N", 3])]
    case("binarizer", [ml("Binarizer", ["X"], ["Y"], threshold=0.25)], three, [value("Y", F, ["N", 3])], x, exact=True)
    case("binarizer_of_three_axes", [ml("Binarizer", ["X"], ["Y"], threshold=1.0)], [value("X", F, [3, 4, 5])], [value("Y", F, [3, 4, 5])], refused="an input of 3 axes")
    case("array_feature_extractor", [ml("ArrayFeatureExtractor", ["X", "which"], ["Y"])], three, [value("Y", F, ["N", 2])], x, exact=True, constants=[tensor("which", I, [2], [2, 0])])
    case(
        "array_feature_extractor_input",
        [ml("ArrayFeatureExtractor", ["X", "which"], ["Y"])],
        three + [value("which", I, [2])],
        [value("Y", F, ["N", 2])],
        refused="a choice that is not of fixed columns",
    )
    text, codes = np.array(["a", "b", "d", "c", "g"], object), np.array([[0], [1], [-1], [2], [-1]], np.float32)
    known = {"X": ["a", "b", "c"]}
    words = {"keys_strings": ["a", "b", "c"]}
    short = {"keys_tensor": tensor("k", S, [3], [b"a", b"b", b"c"])}
    halves = {"values_tensor": tensor("v", TensorProto.INT16, [3], [0, 1, 2]), "default_tensor": tensor("d", TensorProto.INT16, [1], [42])}
    for name, attributes, kind in (
        ("string_int", {**words, "values_int64s": [0, 1, 2], "default_int64": 42}, I),
        ("string_int_no_default", {**words, "values_int64s": [0, 1, 2]}, I),
        ("tensor_mapping", {**short, **halves}, TensorProto.INT16),
        ("tensor_value_only_mapping", {**words, **halves}, TensorProto.INT16),
        ("string_float", {**words, "values_floats": [0.5, -1.5, 3.0]}, F),
    ):
        case("label_encoder_" + name, [ml("LabelEncoder", ["X"], ["Y"], **attributes)], [value("X", S, ["N"])], [value("Y", kind, ["N"])], codes, 4, {"X": text}, exact=True, texts=known)

    def trees(name, kind, x, width, n_targets, **attributes):
        node = ml("TreeEnsemble", ["X"], ["Y"], n_targets=n_targets, post_transform=0, tree_roots=[0], **attributes)
        case(name, [node], [value("X", kind, ["N", width])], [value("Y", kind, ["N", n_targets])], x, 5, exact=True)

    modes = lambda m: tensor("modes", TensorProto.UINT8, [len(m)], m)
    trees(
        "tree_ensemble_set_membership",
        F,
        np.array([[1.2], [3.4], [-0.12], [np.nan], [12], [7], [3.7], [8]], np.float32),
        1,
        4,
        aggregate_function=1,
        nodes_modes=modes([0, 6, 6]),
        nodes_featureids=[0, 0, 0],
        nodes_splits=tensor("s", F, [3], [11, 232344.0, np.nan]),
        membership_values=tensor("m", F, [8], [1.2, 3.7, 8, 9, np.nan, 12, 7, np.nan]),
        nodes_trueleafs=[0, 1, 1],
        nodes_truenodeids=[1, 0, 1],
        nodes_falseleafs=[1, 0, 1],
        nodes_falsenodeids=[2, 2, 3],
        leaf_targetids=[0, 1, 2, 3],
        leaf_weights=tensor("w", F, [4], [1, 10, 1000, 100]),
    )
    trees(
        "tree_ensemble_single_tree",
        D,
        np.array([[1.2, 3.4], [-0.12, 1.66], [4.14, 1.77], [3.14, 0], [np.nextafter(3.14, 4), 0]]),
        2,
        2,
        aggregate_function=1,
        nodes_modes=modes([0, 0, 0]),
        nodes_featureids=[0, 0, 0],
        nodes_splits=tensor("s", D, [3], [3.14, 1.2, 4.2]),
        nodes_trueleafs=[0, 1, 1],
        nodes_truenodeids=[1, 0, 1],
        nodes_falseleafs=[0, 1, 1],
        nodes_falsenodeids=[2, 2, 3],
        leaf_targetids=[0, 1, 0, 1],
        leaf_weights=tensor("w", D, [4], [5.23, 12.12, -12.23, 7.21]),
    )
    for aggregate in ("MIN", "MAX", "AVERAGE"):
        n = 3
        node = ml(
            "TreeEnsembleRegressor",
            ["X"],
            ["Y"],
            n_targets=1,
            aggregate_function=aggregate,
            base_values=[0.5],
            nodes_treeids=[t for t in range(n) for _ in range(3)],
            nodes_nodeids=[0, 1, 2] * n,
            nodes_featureids=[f for t in range(n) for f in (t, 0, 0)],
            nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * n,
            nodes_values=[v for t in range(n) for v in (0.25 * t, 0.0, 0.0)],
            nodes_truenodeids=[1, 0, 0] * n,
            nodes_falsenodeids=[2, 0, 0] * n,
            nodes_missing_value_tracks_true=[0] * (3 * n),
            target_treeids=[t for t in range(n) for _ in range(2)],
            target_nodeids=[1, 2] * n,
            target_ids=[0] * (2 * n),
            target_weights=[0.1, -0.7, 1.3, 0.2, -2.5, 0.4],
        )
        case("trees_" + aggregate.lower(), [node], three, [value("Y", F, ["N", 1])], x, exact=True)
    for post in ("NONE", "LOGISTIC", "SOFTMAX"):
        node = ml("LinearClassifier", ["X"], ["label", "scores"], coefficients=[0.5, -1.25, 0.1], intercepts=[0.2], classlabels_ints=[3, 4], post_transform=post)
        case("one_score_" + post.lower(), [node], three, [value("label", I, ["N"]), value("scores", F, ["N", 2])], x)
    ordinal = ml("LabelEncoder", ["X"], ["Y"], keys_floats=[0.0, 0.25, float("nan")], values_floats=[7.0, 8.0, 9.0], default_float=-2.0)
    missing = x.copy()
    missing[::3, 1] = np.nan
    missing[1] = -0.0
    case("label_encoder_float_missing", [ordinal], three, [value("Y", F, ["N", 3])], missing, 4, exact=True)
    cut = np.array([[1.7, -0.5], [2.0, np.nan], [0, 3]], np.float32)
    case("one_hot_of_fractions", [ml("OneHotEncoder", ["X"], ["three"], cats_int64s=[0, 1, 2]), helper.make_node("Flatten", ["three"], ["Y"])], [value("X", F, ["N", 2])], [value("Y", F, ["N", 6])], cut, exact=True)
    filled = ml("Imputer", ["X"], ["Y"], imputed_value_floats=[5.0], replaced_value_float=0.25)
    case("imputer_of_a_marker", [filled], three, [value("Y", F, ["N", 3])], missing, exact=True)
    holed = x.copy()
    holed[::3, 1] = np.nan
    prepared = [
        ml("Imputer", ["X"], ["filled"], imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan")),
        ml("Scaler", ["filled"], ["scaled"], offset=[0.1, 0.2, 0.3], scale=[1.1, 2.2, 3.3]),
        helper.make_node("Mul", ["scaled", "weights"], ["weighted"]),
        helper.make_node("IsNaN", ["X"], ["gone"]),
        helper.make_node("Where", ["gone", "filled", "weighted"], ["chosen"]),
        ml("FeatureVectorizer", ["chosen", "filled"], ["Y"], inputdimensions=[3, 3]),
    ]
    case("prepared", prepared, three, [value("Y", F, ["N", 6])], holed, exact=True, constants=[tensor("weights", F, [3], [0.3, 0.7, 1.9])])


def main():
    warnings.filterwarnings("ignore")
    out, rng = sys.argv[1], np.random.RandomState(17)
    pipelines(out, rng)
    text_columns(out, rng)
    operators(out, rng)


if __name__ == "__main__":
    main()
