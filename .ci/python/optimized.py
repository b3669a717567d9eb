"""optimized.py FRETSAW FOLDER MODEL ROWS.csv

Looks at what `fretsaw optimize MODEL --out FOLDER --keep-variants` wrote: every file with standard operators
passes the `onnx` checker and answers in ONNX Runtime within its variant's budget; every compact file is
refused by a plain ONNX Runtime in words that name our operator, and is run by fretsaw itself.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

from golden import largest_difference, run_in_onnxruntime, two_dimensional


def predict(fretsaw, model, rows):
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "answers.npy")
        command = [fretsaw, "predict", str(model), "--input", str(rows), "--output", out]
        subprocess.run(command, check=True, timeout=60)
        return np.load(out).astype(np.float64)


def rows_of(path, n_features):
    """The columns that are features; they come first, and an empty cell is missing."""
    return np.genfromtxt(path, delimiter=",", skip_header=1, dtype=np.float32)[:, :n_features]


def check_portable(path, rows, expected, budget):
    proto = onnx.load(str(path))
    onnx.checker.check_model(proto, full_check=True)
    assert {opset.domain for opset in proto.opset_import} <= {"", "ai.onnx.ml"}, "not standard"
    outputs = run_in_onnxruntime(path, lambda inputs: {inputs[0].name: rows})
    answers = two_dimensional(list(outputs.values())[-1])
    difference = float(np.abs(answers - expected).max())
    assert difference <= budget + 1e-5, f"{path.name}: off by {difference:.3g}, budget {budget:.3g}"
    label = np.asarray(next(iter(outputs.values()))).reshape(-1)
    sure = np.abs(expected[:, 1] - 0.5) > budget + 1e-5
    assert (label[sure] == (expected[sure, 1] > 0.5)).all(), f"{path.name}: another class"
    return difference


def check_compact(fretsaw, path, rows, expected, budget):
    try:
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no common class
        assert "fretsaw" in str(error) and "TreeEnsemble" in str(error), f"{path.name}: {error}"
    else:
        raise AssertionError(f"{path.name}: a plain ONNX Runtime took it")
    difference = largest_difference(predict(fretsaw, path, rows), expected)
    assert difference <= budget, f"{path.name}: off by {difference:.3g}, budget {budget:.3g}"
    return difference


def main():
    fretsaw, folder, model, csv = sys.argv[1:5]
    folder = pathlib.Path(folder)
    report = json.loads((folder / "report.json").read_text())
    assert report["baseline"]["session"]["backend"] == "ort", report["baseline"]["why"]
    assert (folder / report["chosen"]["file"]).exists(), "the chosen file is missing"
    for variant in report["variants"]:
        runtime = variant["onnx_runtime"]
        assert runtime or variant["fell_back_from"], f"{variant['name']} was not run in ONNX Runtime"

    expected = predict(fretsaw, model, csv)
    rows = rows_of(csv, report["model"]["n_features"])
    budget = report["budget"]["max_error"]
    exact = {"exact", "int8-lossless"}
    for facts in report["files"]:
        path = folder / facts["name"]
        assert path.stat().st_size == facts["bytes"], f"{facts['name']}: another size than reported"
        allowed = 0.0 if facts["variant"] in exact else budget
        if facts["name"].endswith(".fretsaw.onnx"):
            difference = check_compact(fretsaw, path, csv, expected, allowed)
        else:
            difference = check_portable(path, rows, expected, allowed)
        print(f"  {facts['name']:<36}{facts['bytes']:>9} bytes, off by {difference:.2g} at most")

    page = (folder / "report.html").read_text()
    for outside in ('src="http', "src='http", '<link rel="stylesheet" href="http', "@import", "url(http"):
        assert outside not in page, f"report.html loads {outside}"
    print(f"chosen: {report['chosen']['variant']}, {report['chosen']['why']}")
    speed = ", ".join(f"{s['times']:.1f}x at batch {s['batch']}" for s in report["chosen"]["speedup"])
    print(f"against {report['baseline']['what']}: {speed}; {report['seconds']:.1f} s in all")


if __name__ == "__main__":
    main()
