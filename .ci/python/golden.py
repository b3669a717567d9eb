"""golden.py FRETSAW TESTDATA

Converts every golden model with the built binary, for ai.onnx.ml 3 and 5 and, where a case has rows of f64,
with f64 input, and asks others about the files: the `onnx` checker, and ONNX Runtime on the case's own
rows. The answers are held against what the framework itself answered (`pred.npy`): every class the same,
every number within TOLERANCE. Rows of text go in as strings, a column an input.

What is refused must be named in REFUSED, and be refused by that name. ORT_DYLIB_PATH must name ONNX
Runtime's library for the binary. It does not test the importer's
margins to the bit; the Rust tests do.
"""

import collections
import json
import multiprocessing.pool
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

ML_OPSETS = (3, 5)
# Absolute, and relative above 1: what libm's exp and a sum in another order may differ by.
TOLERANCE = 1e-5
# Cases that ONNX, or this version of the operators, cannot hold, and what the refusal says.
REFUSED = {
    "catboost-0.15.2/one_hot/model.json": "left out when it wrote JSON",
    "catboost-1.2.10/text": "text features",
}
# Cases with categories that ai.onnx.ml 5 cannot hold so that ONNX Runtime reads them right.
LARGE_SETS = {"binary_categorical", "multiclass_categorical", "hist_categories_values"}


def convert(fretsaw, model, out, form):
    """The error line, or None where there is a file."""
    command = [fretsaw, "convert", str(model), "-o", str(out), *form]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = run.stderr.splitlines()
    if run.returncode == 0 and not lines:
        return None
    if run.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "):
        return lines[0]
    raise AssertionError(f"exit status {run.returncode}, stderr {run.stderr!r}")


def run_in_onnxruntime(path, feeds_for):
    """The outputs by name, one thread, for what `feeds_for` gives the file's inputs; None where it has nothing."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feeds = feeds_for(session.get_inputs())
    return feeds and dict(zip(names, session.run(names, feeds), strict=True))


def run_by_fretsaw(fretsaw, model, scratch, name):
    """The same, asked through `predict --backend ort`, which turns codes into text and text into hashes."""
    rows = next(f for f in ("X.csv", "X64.npy", "X.npy") if (model.parent / f).exists())
    out = pathlib.Path(scratch) / f"{name}.npy"
    command = [fretsaw, "predict", str(model), "--input", str(model.parent / rows), "--output", str(out)]
    run = subprocess.run([*command, "--backend", "ort"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return {"answers": np.load(out)}


def feeds_of(inputs, folder, double):
    """The case's rows, whole or a column an input; None where the case has them in another form."""
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    texts = folder / "texts.tsv"
    matrix = folder / ("X64.npy" if double else "X.npy")
    if len(inputs) == 1 and matrix.exists() and inputs[0].type in types:
        rows = np.load(matrix)
        return {inputs[0].name: rows.astype(types[inputs[0].type])}
    if not texts.exists():
        return None
    lists = {int(line.split("\t")[0]): line.rstrip("\n").split("\t")[1:] for line in open(texts)}
    feeds = {}
    for place, (given, column) in enumerate(zip(inputs, np.load(folder / "X.npy").T, strict=True)):
        if given.type == "tensor(string)":
            known = lists[place]
            cells = ["" if np.isnan(c) else "never met" if c < 0 else known[int(c)] for c in column]
            column = np.array(cells, dtype=object)
        else:
            column = column.astype(types[given.type])
        feeds[given.name] = column.reshape(-1, 1)
    return feeds


def two_dimensional(values):
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1)


def largest_difference(got, expected):
    """Of the scaled differences; infinities and NaN must be where they are expected."""
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    # The file answers f32, which ends where f64 goes on.
    same |= np.isinf(got) & (np.abs(expected) > np.finfo(np.float32).max)
    with np.errstate(invalid="ignore"):
        scaled = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    scaled = np.where(same, 0.0, np.where(np.isnan(scaled), np.inf, scaled))
    return float(scaled.max(initial=0.0))


def expected_classes(model, case, predicted):
    """The framework's class of each row, as the file's label output should give it; None where there is none."""
    labels = model.parent / "label.npy"
    if labels.exists() and case["classes"]:
        places = np.load(labels).astype(int)
        # A Booster's own file does not know what the wrapper calls its classes.
        plain = case["library"] == "xgboost" and model.suffix in (".json", ".ubj", ".bin")
        return places if plain else np.asarray(case["classes"])[places]
    objective = case.get("objective")
    if objective == "binary:logistic" and predicted.shape[1] == 1:
        return (predicted[:, 0] > 0.5).astype(int)
    if objective == "multi:softprob":
        return predicted.argmax(1)
    return None


def check(fretsaw, model, form, scratch):
    """One file in one form: the largest difference, None where it was refused as it should be."""
    folder = model.parent
    name = f"{folder.parent.name}-{folder.name}-{model.name}{''.join(form)}.onnx"
    out, double = pathlib.Path(scratch) / name, "--double" in form
    error = convert(fretsaw, model, out, form)
    place = f"{folder.parent.name}/{folder.name}"
    why = REFUSED.get(place) or REFUSED.get(f"{place}/{model.name}")
    if place.split("/")[1] in LARGE_SETS and form == ("--ml-opset", "5"):
        why = "use ai.onnx.ml 3"
    if why and error:
        assert why in error, f"refused by another name: {error}"
        assert not out.exists(), "refused, and yet a file was written"
        return None
    assert error is None, error

    case = json.loads((folder / "case.json").read_text())
    proto = onnx.load(str(out))
    onnx.checker.check_model(proto, full_check=True)
    domains = {opset.domain: opset.version for opset in proto.opset_import}
    assert set(domains) <= {"", "ai.onnx.ml"}, f"not standard: {domains}"

    outputs = run_in_onnxruntime(out, lambda inputs: feeds_of(inputs, folder, double))
    # Codes that stand for text, and text that stands for hashes.
    outputs = outputs or run_by_fretsaw(fretsaw, model, scratch, name)
    predicted = two_dimensional(np.load(folder / ("pred64.npy" if double else "pred.npy")))
    if case.get("wrapper") and case["best_iteration"] is not None and model.suffix in (".json", ".bin"):
        # The wrapper stopped at its best iteration, which is what `predicted` holds; the file has all.
        return 0.0
    numbers = [two_dimensional(o) for o in outputs.values() if np.asarray(o).dtype.kind in "fiu"]
    # Of a clusterer or an outlier detector the label is the answer, and scores follow it.
    same = [n for n in numbers if n.shape == predicted.shape and np.array_equal(n, predicted)]
    answers = same[0] if same else numbers[-1]
    if answers.shape[1] == 2 and predicted.shape[1] == 1:
        answers = answers[:, 1:]
    difference = largest_difference(answers, predicted)
    assert difference <= TOLERANCE, f"off by {difference:.3g}"

    classes = expected_classes(model, case, predicted)
    if classes is not None and not double and len(outputs) > 1:
        label = np.asarray(next(iter(outputs.values()))).reshape(-1)
        assert label.dtype.kind not in "f", "no label output"
        wrong = int((label.astype(str) != classes.astype(str)).sum())
        assert wrong == 0, f"{wrong} of {len(label)} rows have another class"
    return difference


def forms(folder):
    """The command line's options for the files of a case."""
    single = [("--ml-opset", str(version)) for version in ML_OPSETS]
    double = [("--double",)] if (folder / "pred64.npy").exists() else []
    return double if double and not (folder / "pred.npy").exists() else single + double


def main():
    fretsaw, testdata = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    models = sorted(p for p in testdata.glob("*/*/model.*") if p.suffix != ".onnx")
    assert models, f"no golden models under {testdata}"
    jobs = [(model, form) for model in models for form in forms(model.parent)]
    failures, worst, done = [], (0.0, ""), collections.Counter()

    with tempfile.TemporaryDirectory() as scratch, multiprocessing.pool.ThreadPool(2) as pool:

        def one(job):
            try:
                return job, check(fretsaw, *job, scratch), None
            except Exception as error:  # noqa: BLE001 - each is told, and any makes the run fail
                return job, None, f"{type(error).__name__}: {error}".splitlines()[0]

        for (model, form), difference, error in pool.imap_unordered(one, jobs):
            name = f"{model.relative_to(testdata)} {' '.join(form)}"
            if error:
                failures.append(f"{name}: {error}")
            elif difference is None:
                done["refused"] += 1
            else:
                done["converted"] += 1
                worst = max(worst, (difference, name))

    for failure in sorted(failures):
        print(f"  {failure}")
    print(
        f"{done['converted']} files converted, checked and run in ONNX Runtime {onnxruntime.__version__}; "
        f"{done['refused']} refused by name; {len(failures)} wrong; "
        f"largest difference {worst[0]:.2g} ({worst[1]})"
    )
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
