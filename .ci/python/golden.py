"""golden.py FRETSAW TESTDATA

Converts every golden model of XGBoost with the built binary, for ai.onnx.ml 3 and 5, and asks others about
the files: the `onnx` checker, and ONNX Runtime on the case's own rows. The answers are held against what
XGBoost itself answered (`pred.npy`): every class the same, every number within TOLERANCE. Formats that are
not read must be refused by name.

It does not test the importer's margins to the bit; the Rust tests do.
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
# Until 3.1 XGBoost had a binary format of its own. It is not read, and the refusal must say so.
REFUSED = {"model.bin": "binary"}


def convert(fretsaw, model, out, ml_opset):
    """The converted file's path, or the error line."""
    command = [fretsaw, "convert", str(model), "-o", str(out), "--ml-opset", str(ml_opset)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = run.stderr.splitlines()
    if run.returncode == 0 and not lines:
        return None
    if run.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "):
        return lines[0]
    raise AssertionError(f"exit status {run.returncode}, stderr {run.stderr!r}")


def run_in_onnxruntime(path, rows):
    """The outputs by name, one thread."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.type == "tensor(float)", f"the input is {given.type}"
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {given.name: rows}), strict=True))


def two_dimensional(values):
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1)


def largest_difference(got, expected):
    """Of the scaled differences; infinities and NaN must be where they are expected."""
    assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        scaled = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
    scaled = np.where(same, 0.0, np.where(np.isnan(scaled), np.inf, scaled))
    return float(scaled.max(initial=0.0))


def expected_classes(model, case, predicted):
    """XGBoost's class of each row, as the file's label output should give it; None where there is none."""
    labels = model.parent / "label.npy"
    if labels.exists():
        places = np.load(labels).astype(int)
        # The Booster's own file does not know what the wrapper calls its classes.
        return places if model.suffix in (".json", ".ubj") else np.asarray(case["classes"])[places]
    if case["objective"] == "binary:logistic" and predicted.shape[1] == 1:
        return (predicted[:, 0] > 0.5).astype(int)
    if case["objective"] == "multi:softprob":
        return predicted.argmax(1)
    return None


def check(fretsaw, model, ml_opset, scratch):
    """One file, one opset: the largest difference, None where the format was refused as it should be."""
    folder = model.parent
    case = json.loads((folder / "case.json").read_text())
    out = pathlib.Path(scratch) / f"{folder.parent.name}-{folder.name}-{model.name}-{ml_opset}.onnx"
    error = convert(fretsaw, model, out, ml_opset)
    if model.name in REFUSED:
        assert error and REFUSED[model.name] in error, f"not refused by name: {error}"
        assert not out.exists(), "refused, and yet a file was written"
        return None
    assert error is None, error

    proto = onnx.load(str(out))
    onnx.checker.check_model(proto, full_check=True)
    domains = {opset.domain: opset.version for opset in proto.opset_import}
    assert domains.get("ai.onnx.ml", ml_opset) == ml_opset, f"opsets {domains}"
    assert set(domains) <= {"", "ai.onnx.ml"}, f"not standard: {domains}"

    outputs = run_in_onnxruntime(out, np.load(folder / "X.npy"))
    predicted = two_dimensional(np.load(folder / "pred.npy"))
    answers = two_dimensional(list(outputs.values())[-1])
    if answers.shape[1] == 2 and predicted.shape[1] == 1:
        answers = answers[:, 1:]
    if case.get("wrapper") and case["best_iteration"] is not None and model.suffix == ".json":
        # The wrapper stopped at its best iteration, which is what `predicted` holds; the file has all.
        return 0.0
    difference = largest_difference(answers, predicted)
    assert difference <= TOLERANCE, f"off by {difference:.3g}"

    classes = expected_classes(model, case, predicted)
    if classes is not None:
        label = np.asarray(next(iter(outputs.values()))).reshape(-1)
        assert label.dtype.kind not in "f", "no label output"
        wrong = int((label.astype(str) != classes.astype(str)).sum())
        assert wrong == 0, f"{wrong} of {len(label)} rows have another class"
    return difference


def main():
    fretsaw, testdata = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    models = sorted(p for p in testdata.glob("xgboost-*/*/model.*") if p.suffix != ".onnx")
    assert models, f"no golden models under {testdata}"
    failures, worst, done = [], (0.0, ""), collections.Counter()

    with tempfile.TemporaryDirectory() as scratch, multiprocessing.pool.ThreadPool(2) as pool:

        def one(job):
            try:
                return job, check(fretsaw, *job, scratch), None
            except Exception as error:  # noqa: BLE001 - each is told, and any makes the run fail
                return job, None, f"{type(error).__name__}: {error}".splitlines()[0]

        for (model, ml_opset), difference, error in pool.imap_unordered(
            one, [(model, ml_opset) for model in models for ml_opset in ML_OPSETS]
        ):
            name = f"{model.relative_to(testdata)}, ai.onnx.ml {ml_opset}"
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
