#!/usr/bin/env python3
"""check.py DIR: runs what the example `random_onnx` wrote in ONNX Runtime and compares.

For every file: the full check of the `onnx` package; then ONNX Runtime on one thread against the
reference's answers. Margins of f32 sums must be equal to the last bit, all else within 1e-6 of
1 + |answer|; the class must be the reference's on every row, except where rounding of an f64 sum
can move it (the best two within 1e-6).

Needs: pip install -r requirements.txt (in an environment of its own).
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort

TOLERANCE = 1e-6
# Of what is computed and answered in f64.
WIDE = 1e-11


def run(path, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    got = dict(zip(names, session.run(None, {"input": x})))
    for name, value in got.items():
        if isinstance(value, list):  # of maps, with ZipMap; the order of a map is that of its keys
            keys = np.loadtxt(path.with_suffix(".names.txt"), dtype=str, delimiter="\t", ndmin=1)
            keys = [k if isinstance(next(iter(value[0])), str) else int(k) for k in keys]
            got[name] = np.array([[row[k] for k in keys] for row in value], np.float32)
    return got


def compare(path):
    def load(end):
        p = path.with_suffix("." + end)
        return np.load(p) if p.exists() else None

    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    x, want, classes = load("x.npy"), load("answers.npy"), load("classes.npy")
    got = run(path, x)
    last = list(got.values())[-1]
    numbers, want = last.astype(np.float64), want.astype(last.dtype).astype(np.float64)
    if numbers.shape != want.shape:
        return f"shape {numbers.shape} for {want.shape}"
    with np.errstate(invalid="ignore", over="ignore"):
        same = (numbers == want) | (np.isnan(numbers) & np.isnan(want))
        off = np.where(same, 0.0, np.abs(numbers - want))
    if path.with_suffix(".bits").exists():
        # One row alone goes another way through the runtime; both have the reference's bits.
        alone = list(run(path, x[:1]).values())[-1]
        if off.any() or not np.array_equal(alone, want[:1]):
            return f"margins differ by up to {np.nanmax(off)}"
    tolerance = WIDE if path.with_suffix(".wide").exists() else TOLERANCE
    with np.errstate(invalid="ignore"):
        # A link that overflows in the source need not do so in other code.
        overflow = np.isinf(want) & np.isfinite(numbers) & (tolerance == TOLERANCE)
        off = np.where(overflow, 0, off / (1 + np.abs(np.where(np.isfinite(want), want, 0))))
    if not (off <= tolerance).all():
        row = np.argmax(np.nan_to_num(off, nan=np.inf).max(1))
        return f"row {row}: {numbers[row]} for {want[row]}"
    if classes is not None:
        names = np.array(path.with_suffix(".names.txt").read_text().split("\n"))
        wrong = got["label"].astype(str) != names[classes[:, 0].astype(int)]
        if want.shape[1] > 1:
            best = np.sort(want, axis=1)
            wrong &= best[:, -1] - best[:, -2] > TOLERANCE
        if wrong.any():
            return f"row {np.argmax(wrong)}: label {got['label'][wrong][0]}"
    return None


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    failed = 0
    for path in files:
        try:
            error = compare(path)
        except Exception as e:  # a checker's or the runtime's own message
            error = str(e).splitlines()[0]
        if error:
            failed += 1
            print(f"{path.name}: {error}")
    print(f"{len(files) - failed} of {len(files)} files agree (onnx {onnx.__version__}, onnxruntime {ort.__version__})")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
