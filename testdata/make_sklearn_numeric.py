"""Writes the golden cases of scikit-learn's estimators that are computed from coefficients and kernels.

    PYTHON make_sklearn_numeric.py OUT [CASE... | all]     makes OUT/sklearn-<version>/<case>/

Linear models, support vectors, networks, naive Bayes, discriminants, Gaussian processes and dummies,
under scikit-learn 0.24 to 1.9. What goes through BLAS depends on the processor in its last bits, so each
case tells in case.json how closely its numbers must agree: `tolerance`, relative to the number, or to
`floor` where the number is smaller, as it is where large terms cancel. raw is decision_function, of
generalized linear models what the link sees, and of Gaussian processes nothing. Data, files and
the rest are those of make_sklearn.py.
"""

import json
import os
import pickle
import sys
import warnings

import joblib
import numpy as np
import sklearn
from make_sklearn import VERSION
from scipy import sparse
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM

try:
    import skops.io
except ImportError:
    skops = None

TRAIN, HELD_OUT = 50, 8
WORDS = np.array(["down", "flat", "up"])
LOG = "log_loss" if VERSION >= (1, 1) else "log"
BIG = 1e3  # columns of the extreme rows, where 1e30 would leave nothing of any other term


def rows(rng, n):
    z = rng.randn(n, 4)
    return np.column_stack([z[:, 0], 0.6 * z[:, 0] + 0.8 * z[:, 1], 2.0 * z[:, 2] + 1.0, z[:, 3] - 0.3]).astype(np.float32)


def target(kind, rng, x):
    x = x.astype(np.float64)
    s = x[:, 0] - 0.7 * x[:, 1] + 0.4 * x[:, 2] * x[:, 3] + 0.3 * rng.randn(len(x))
    if kind == "binary":
        return np.where(s > 0.1, "yes", "no")
    if kind == "words":
        return WORDS[np.digitize(s, [-0.6, 0.7])]
    if kind == "four":
        return np.digitize(s, [-0.9, 0.0, 0.9]) * 10
    if kind == "labels":
        return np.column_stack([s > 0, s * x[:, 0] > 0.2, x[:, 2] > s]).astype(int)
    if kind == "several":
        return np.column_stack([s, x[:, 0] * s + 1.0])
    if kind == "count":
        return rng.poisson(np.exp(0.3 * s)).astype(float)
    if kind == "positive":
        return np.exp(0.4 * s)
    if kind == "none":
        return None
    return 3.0 * s + 5.0


def votes(pairs):
    """What answers for a class where the decision function is one of each two of three classes."""
    won = pairs > 0
    return np.column_stack([won[:, 0] * 1.0 + won[:, 1], ~won[:, 0] * 1.0 + won[:, 2], ~won[:, 1] * 1.0 + ~won[:, 2]])


def answers(model, x):
    x = x.astype(np.float64)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    proba = hasattr(model, "classes_") and hasattr(model, "predict_proba")
    out = {"pred": model.predict_proba(x) if proba else model.predict(x)}
    if hasattr(model, "decision_function"):
        out["raw"] = model.decision_function(x)
        if not proba:
            out["pred"] = votes(out["raw"]) if getattr(last, "decision_function_shape", "") == "ovo" else out["raw"]
    elif hasattr(last, "_linear_predictor"):
        out["raw"] = last._linear_predictor(x)
    return {k: np.ascontiguousarray(v) for k, v in out.items()}


def dump(model, folder, how):
    path = os.path.join(folder, {"pickle": "model.p4.pkl", "joblib": "model.joblib.z", "skops": "model.skops"}[how])
    if how == "skops":
        skops.io.dump(model, path, compression=8)
        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if how == "joblib":
        joblib.dump(model, path, compress=("zlib", 9))
        return joblib.load(path)
    with open(path, "wb") as out:
        pickle.dump(model, out, protocol=4)
    with open(path, "rb") as f:
        return pickle.load(f)


def write(folder, how, model, x, tolerance, floor, notes):
    os.makedirs(folder, exist_ok=True)
    if how == "skops" and skops is None:
        how = "joblib"
    model = dump(model, folder, how)
    case = {
        "library": "sklearn",
        "version": sklearn.__version__,
        "versions": {"numpy": np.__version__, "joblib": joblib.__version__},
        "estimator": type(model).__name__,
        "params": {k: v for k, v in sorted(model.get_params(deep=False).items()) if isinstance(v, (float, str))},
        "notes": notes,
    }
    if tolerance:
        case["tolerance"], case["floor"] = tolerance, floor
    if how == "skops":
        import importlib.metadata

        case["versions"]["skops"] = importlib.metadata.version("skops")
    arrays = {"X": x, **answers(model, x)}
    classes = getattr(model, "classes_", [-1, 1] if hasattr(model, "offset_") else None)
    label = model.predict(x.astype(np.float64))
    if classes is not None and label.ndim == 1:
        case["classes"] = np.asarray(classes).tolist()
        arrays["label"] = np.array([case["classes"].index(v) for v in label.tolist()], np.int64)
    for key, a in arrays.items():
        np.save(os.path.join(folder, key + ".npy"), np.ascontiguousarray(a))
    case["shapes"] = {key: list(a.shape) for key, a in sorted(arrays.items())}
    with open(os.path.join(folder, "case.json"), "w") as out:
        json.dump(case, out, indent=1, sort_keys=True)
        out.write("\n")


def real(rng, n):
    return rows(rng, n)


def counts(rng, n):
    return rng.poisson([1.0, 2.0, 0.5, 3.0], (n, 4)).astype(np.float32)


def edges(x, kind):
    if kind is counts:
        return np.array([[0, 0, 0, 0], [1, 0, 0, 0.5], [0.9, 1, 1, 1]], np.float32)
    small = [np.zeros(4), -np.zeros(4), np.full(4, 1e-40), np.array([1e-40, 1, -1e-40, -1])]
    return np.array(small + [np.full(4, BIG), np.full(4, -BIG), np.array([BIG, -BIG, 0, 1])], np.float32)


def few(rng, n):
    """Of a Gaussian process, which keeps a matrix of the training rows."""
    return rows(rng, min(n, 16))


def gp(kernel, **more):
    return GaussianProcessRegressor(kernel, alpha=0.3, optimizer=None, **more)


TIGHT = 1e-12
# Versions between the oldest and the newest get the cases whose rules or layouts changed there.
CHANGED = {
    (1, 0): {"linear", "sgd_one_class", "gaussian_nb", "pls"},
    (1, 1): {"pls_one", "tweedie_log", "sgd_log"},
    (1, 2): {"logistic_newton", "logistic_ovr", "mlp_binary", "pls"},
    (1, 3): {"logistic_multinomial", "svc_proba", "pls_one"},
    (1, 4): {"pls", "gp_lengths"},
    (1, 6): {"logistic_newton", "logistic_liblinear", "logistic_multinomial", "sgd_log", "svc_four", "pls_one"},
}
OLDEST = {"linear_several", "linear_svr", "poisson", "gamma", "tweedie_identity", "logistic", "logistic_words", "logistic_ovr"}
OLDEST |= {"logistic_multinomial", "sgd_log", "sgd_huber", "perceptron", "ridge_classifier", "linear_svc", "svc_rbf", "svc_four"}
OLDEST |= {"svc_proba_four", "svc_sparse", "sgd_sparse", "nu_svr", "one_class", "mlp_words", "mlp_several", "gaussian_nb", "categorical_nb", "lda", "qda_binary"}
OLDEST |= {"gp_several", "kernel_ridge", "pls"}
CHANGED[0, 24] = OLDEST
SPARE = {"lasso", "bayesian_ridge", "logistic_newton", "sgd_huber_binary", "svc_sigmoid", "mlp_tanh", "gaussian_nb_binary"}
SPARE |= {"lda_lsqr", "gp_default", "gp_quadratic", "cca"}  # made only when asked for
# name, first and last version, estimator, target, what draws rows, tolerance, floor, notes
CASES = []


def case(name, model, kind, notes="", since=(0, 24), until=(9, 9), x=real, tolerance=TIGHT, floor=0.0):
    CASES.append((name, since, until, model, kind, x, tolerance, floor, notes))


def cases():
    from sklearn import linear_model as lm

    case("linear", lm.LinearRegression(), "real", floor=1.0)
    case("linear_several", lm.Ridge(0.5), "several", "two outputs", floor=1.0)
    case("lasso", lm.Lasso(0.05), "real", floor=1.0)
    case("bayesian_ridge", lm.BayesianRidge(), "real", floor=1.0)
    case("linear_svr", LinearSVR(random_state=0), "real", floor=1.0)
    case("ransac", lm.RANSACRegressor(random_state=0), "real", floor=1.0)
    case("poisson", lm.PoissonRegressor(), "count")
    case("gamma", lm.GammaRegressor(), "positive")
    case("tweedie_identity", lm.TweedieRegressor(power=0), "positive", "its link is the identity", floor=1.0)
    case("tweedie_log", lm.TweedieRegressor(power=1.5), "positive", "its link is the logarithm")
    case("logistic", lm.LogisticRegression(), "binary")
    case("logistic_words", lm.LogisticRegression(), "words", "classes are text")
    case("logistic_liblinear", lm.LogisticRegression(solver="liblinear"), "words", "one against the rest", until=(1, 7))
    case("logistic_newton", lm.LogisticRegression(solver="newton-cholesky"), "words", "one against the rest to 1.5, then softmax", since=(1, 2))
    if VERSION < (1, 8):
        case("logistic_ovr", lm.LogisticRegression(multi_class="ovr"), "words", "one against the rest, asked for")
        case("logistic_multinomial", lm.LogisticRegression(multi_class="multinomial"), "binary", "softmax of two classes from one score")
    case("logistic_cv", lm.LogisticRegressionCV(Cs=3, cv=2, **({"use_legacy_attributes": False} if VERSION >= (1, 8) else {})), "words", "")
    case("sgd_log", lm.SGDClassifier(loss=LOG, random_state=0), "words", "one against the rest; no class may be likely at all")
    case("sgd_huber", lm.SGDClassifier(loss="modified_huber", random_state=0), "words", "shares of nothing are equal")
    case("sgd_huber_binary", lm.SGDClassifier(loss="modified_huber", random_state=0), "binary")
    case("sgd_hinge", lm.SGDClassifier(random_state=0), "words", "no probabilities")
    case("perceptron", lm.Perceptron(random_state=0), "binary", "no probabilities")
    case("ridge_classifier", lm.RidgeClassifier(), "words", "its encoder holds the classes")
    case("ridge_classifier_binary", lm.RidgeClassifierCV(), "binary")
    case("linear_svc", LinearSVC(random_state=0), "four", "")
    case("linear_svc_singer", LinearSVC(multi_class="crammer_singer", random_state=0), "binary")
    if VERSION >= (1, 0):
        case("sgd_one_class", lm.SGDOneClassSVM(random_state=0), "none", "an outlier is -1", floor=1.0)
    case("svc_rbf", SVC(), "binary", floor=1.0)
    case("svc_four", SVC(gamma="auto"), "four", "a score for each class, of votes", floor=1.0)
    case("svc_ties", SVC(break_ties=True), "four", "named by the scores", floor=1.0)
    case("svc_ovo", SVC(decision_function_shape="ovo"), "words", "a decision for each two classes", floor=1.0)
    case("svc_proba", SVC(probability=True, random_state=0), "binary", "libsvm iterates for two classes too", floor=1e-2)
    case("svc_proba_four", SVC(kernel="poly", degree=2, coef0=0.5, probability=True, random_state=0), "four", "", floor=1e-2)
    case("svc_linear", SVC(kernel="linear"), "words", floor=1.0)
    case("svc_sigmoid", SVC(kernel="sigmoid", gamma=0.1, coef0=0.2), "binary", floor=1.0)
    case("nu_svc", NuSVC(nu=0.3, kernel="poly", degree=3, coef0=1.0), "binary", floor=1.0)
    case("svr", SVR(C=4.0), "real", floor=1.0)
    case("nu_svr", NuSVR(kernel="poly", degree=2, gamma=0.4, coef0=0.3), "real", floor=1.0)
    case("one_class", OneClassSVM(nu=0.3), "none", "an outlier is -1", floor=1.0)
    mlp = {"hidden_layer_sizes": (6, 4), "solver": "lbfgs", "max_iter": 8, "random_state": 0}
    case("mlp_binary", MLPClassifier(**mlp), "binary", "relu")
    case("mlp_words", MLPClassifier(activation="logistic", **mlp), "words", "")
    case("mlp_labels", MLPClassifier(activation="tanh", **mlp), "labels", "three labels a row")
    case("mlp_several", MLPRegressor(activation="identity", **mlp), "several", "two outputs", floor=1.0)
    case("mlp_tanh", MLPRegressor(activation="tanh", **mlp), "real", floor=1.0)
    if VERSION >= (1, 7):
        case("mlp_poisson", MLPRegressor(loss="poisson", **mlp), "count", "the exponential behind the last layer")
    case("gaussian_nb", GaussianNB(), "words")
    case("gaussian_nb_binary", GaussianNB(), "binary")
    case("multinomial_nb", MultinomialNB(), "words", x=counts)
    case("complement_nb", ComplementNB(norm=True), "words", x=counts)
    case("bernoulli_nb", BernoulliNB(binarize=1.0), "words", x=counts)
    case("categorical_nb", CategoricalNB(), "words", "fractions are cut", x=counts)
    case("lda", LinearDiscriminantAnalysis(), "words")
    case("lda_binary", LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.2), "binary")
    case("lda_lsqr", LinearDiscriminantAnalysis(solver="lsqr"), "four")
    case("qda", QuadraticDiscriminantAnalysis(reg_param=0.1), "words")
    case("qda_binary", QuadraticDiscriminantAnalysis(), "binary", "the margin is a difference of two likelihoods", floor=1.0)
    case("gp_default", gp(None), "real", x=few, floor=1.0)
    case("gp_lengths", gp(2.0 * RBF([1.0, 2.0, 3.0, 0.5]) + WhiteKernel(0.1), normalize_y=True), "real", "a length scale a column", x=few, floor=1.0)
    case("gp_several", gp(Matern(1.5, nu=2.5) * ConstantKernel(0.5), normalize_y=True), "several", "two outputs", x=few, floor=1.0)
    case("gp_matern", gp(Matern(2.0, nu=0.5) + Matern(1.0, nu=1.5)), "real", x=few, floor=1.0)
    case("gp_quadratic", gp(RationalQuadratic(1.5, 0.7) ** 2), "real", x=few, floor=1.0)
    case("gp_periodic", gp(ExpSineSquared(1.2, 4.0) * RBF(2.0) + DotProduct(0.5)), "real", x=few, floor=10.0)
    case("kernel_ridge", KernelRidge(kernel="poly", degree=2), "real", floor=10.0)
    case("kernel_ridge_rbf", KernelRidge(kernel="rbf", gamma=0.2), "several", "distances are taken apart", tolerance=1e-10, floor=1.0)
    case("pls", PLSRegression(2), "several", floor=1.0)
    case("pls_one", PLSRegression(2), "real", floor=1.0)
    case("pls_canonical", PLSCanonical(2), "several", floor=1.0)
    case("cca", CCA(2), "several", floor=1.0)
    case("dummy", DummyClassifier(strategy="prior"), "words", since=(1, 6), tolerance=0)
    case("dummy_constant", DummyClassifier(strategy="constant", constant="flat"), "words", since=(1, 6), tolerance=0)
    case("dummy_median", DummyRegressor(strategy="median"), "several", since=(1, 6), tolerance=0)
    case("svc_sparse", SVC(), "four", "trained on a sparse matrix, which its support vectors are", floor=1.0)
    case("sgd_sparse", lm.SGDClassifier(penalty="l1", alpha=0.03, random_state=0), "words", "its coefficients are a sparse matrix")


def main():
    out = os.path.join(sys.argv[1], "sklearn-" + sklearn.__version__)
    wanted = sys.argv[2:]
    cases()
    for i, (name, since, until, model, kind, x_of, tolerance, floor, notes) in enumerate(CASES):
        mine = name in wanted or "all" in wanted if wanted else name in CHANGED.get(VERSION, {name} - SPARE)
        if not (since <= VERSION <= until and mine):
            continue
        rng = np.random.RandomState(23)
        x = x_of(rng, TRAIN)
        held = np.concatenate([x_of(rng, HELD_OUT), edges(x, x_of)])
        if x_of is counts:
            held = np.minimum(held, x.max(axis=0))
        y = target(kind, rng, x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wide = x.astype(np.float64)
            model.fit(sparse.csr_matrix(wide) if name == "svc_sparse" else wide, y)
            if name == "sgd_sparse":
                model.sparsify()
            how = "joblib" if name.endswith("_sparse") else ["joblib", "skops", "joblib", "pickle"][i % 4]
            write(os.path.join(out, name), how, model, held, tolerance, floor, notes)


if __name__ == "__main__":
    main()
