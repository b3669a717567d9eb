#!/usr/bin/env python3
"""Times one model in XGBoost, ONNX Runtime and fretsaw, on the same rows, on one thread.

    python3 benches/peers.py                                    a synthetic model, 1000 trees of depth 6
    python3 benches/peers.py --model model.ubj --rows rows.npy  another one

Answers are compared before anything is timed: margins with XGBoost's to the last bit, ONNX Runtime's within
1e-5. Rounds are interleaved, so that a slow moment of the machine falls on all. benches/README.md says what
the figures mean.

The first run makes a Python environment in target/peers; later ones need no network.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = ROOT / "target" / "peers"

TREES, DEPTH, FEATURES, TRAINING_ROWS, ROWS = 1000, 6, 28, 50_000, 10_000
ENGINES = ("xgboost", "onnxruntime", "fretsaw")


def in_environment():
    """Goes on in the pinned environment; makes it where it is missing or was pinned otherwise."""
    venv, requirements = WORK / "venv", HERE / "requirements.txt"
    pinned = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = venv / "pinned"
    if pathlib.Path(sys.prefix) == venv:
        return
    if not stamp.exists() or stamp.read_text() != pinned:
        print(f"making {venv.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", requirements], check=True)
        stamp.write_text(pinned)
    python = venv / "bin" / "python"
    os.execv(python, [python, __file__, *sys.argv[1:]])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, help="an XGBoost model (.ubj or .json) [default: synthetic]")
    parser.add_argument("--rows", type=pathlib.Path, help="its rows (.npy, f32) [default: synthetic]")
    parser.add_argument("--fretsaw", type=pathlib.Path, help="the binary [default: built by cargo]")
    parser.add_argument("--batch", default="1,64,1024,10000", help="rows a call [default: %(default)s]")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds [default: %(default)s]")
    parser.add_argument("--ms", type=int, default=300, help="time a round, engine and batch [default: %(default)s]")
    parser.add_argument("--pin", type=int, metavar="CORE", help="run on this core only")
    parser.add_argument("--also", type=pathlib.Path, action="append", default=[], metavar="MODEL",
                        help="another form of the model to time in fretsaw, such as a variant; may repeat")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there too")
    args = parser.parse_args()
    if (args.model is None) != (args.rows is None):
        parser.error("--model and --rows go together")
    args.batch = [int(b) for b in args.batch.split(",")]
    return args


def synthetic():
    """Model and rows, made once: the same trees from the same seed."""
    import numpy as np
    import xgboost

    key = f"{TREES}x{DEPTH}-{FEATURES}-{TRAINING_ROWS}-{xgboost.__version__}"
    model, rows = WORK / f"model-{key}.ubj", WORK / f"rows-{FEATURES}-{ROWS}.npy"
    if model.exists() and rows.exists():
        return model, rows
    print(f"training {TREES} trees of depth {DEPTH}", file=sys.stderr)
    random = np.random.default_rng(20240601)
    x = random.standard_normal((TRAINING_ROWS + ROWS, FEATURES)).astype(np.float32)
    # Heavy tails, a few levels, and gaps, as tables have them.
    x[:, 7:14] = np.exp(x[:, 7:14])
    x[:, 14:18] = np.round(x[:, 14:18] * 2)
    x[:, 18:21][random.random((len(x), 3)) < 0.05] = np.nan
    signal = (
        np.sin(2 * x[:, 0]) * x[:, 1] + x[:, 2] * x[:, 3] - np.abs(x[:, 4]) + np.log(x[:, 7]) * (x[:, 14] > 0)
        + 0.5 * np.nan_to_num(x[:, 18]) * x[:, 5] + 0.3 * x[:, 21:].sum(1)
    )
    label = (signal + random.standard_normal(len(x)) > np.median(signal)).astype(np.float32)
    training = xgboost.DMatrix(x[:TRAINING_ROWS], label[:TRAINING_ROWS])
    parameters = {
        "objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.05, "subsample": 0.8, "colsample_bytree": 0.8,
        "tree_method": "hist", "seed": 1, "nthread": os.cpu_count(),
    }
    booster = xgboost.train(parameters, training, TREES)
    np.save(rows, x[TRAINING_ROWS:])
    # Last, and renamed into place: a run that is stopped leaves no half of a model.
    partial = WORK / "partial.ubj"
    booster.save_model(partial)
    partial.rename(model)
    return model, rows


class Fretsaw:
    """The binary, one thread, with a store of its own so that the user's records none of this."""

    def __init__(self, binary, n_threads=1):
        self.binary, self.n_threads = binary, n_threads
        self.environment = dict(os.environ, XDG_DATA_HOME=str(WORK / "data"))
        self.version = self.run("--version").strip().replace("\n", ", ")

    def run(self, *args, ms=None):
        environment = dict(self.environment, FRETSAW_EFFORT_MS=str(ms)) if ms else self.environment
        command = [self.binary, *map(str, args)]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    def answers(self, model, rows, out, *options):
        import numpy as np

        self.run("predict", model, "--input", rows, "--output", out, "--threads", self.n_threads, *options)
        return np.load(out)

    def time(self, models, rows, batches, ms):
        """Median nanoseconds a call, models x batches."""
        batch = ",".join(map(str, batches))
        printed = self.run(
            "bench", *models, "--data", rows, "--batch", batch, "--threads", self.n_threads, "--json", ms=ms
        )
        return [[latency["p50_ns"] for latency in measured["latency"]] for measured in json.loads(printed)]


def binary(given):
    if given:
        return given.resolve()
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "fretsaw-cli"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "fretsaw"


def onnx_session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[-1].name
    return lambda rows: session.run([output], {name: rows})[0]


def assert_answers(booster, onnx, fretsaw, models, rows_path, rows):
    """Nobody wants the speed of something else."""
    import numpy as np
    import xgboost

    expected_margin = booster.predict(xgboost.DMatrix(rows), output_margin=True)
    expected = np.asarray(booster.inplace_predict(rows))
    out = WORK / "answers.npy"
    margin = fretsaw.answers(models[0], rows_path, out, "--raw")
    same = margin.astype(np.float32).reshape(-1).view(np.uint32) == expected_margin.reshape(-1).view(np.uint32)
    assert same.all(), f"fretsaw: {(~same).sum()} of {same.size} margins are not XGBoost's to the bit"

    def compare(what, answers, tolerance):
        answers = np.asarray(answers, dtype=np.float64).reshape(len(rows), -1)
        reference = expected.astype(np.float64).reshape(len(rows), -1)
        if answers.shape[1] == 2 and reference.shape[1] == 1:
            answers = answers[:, 1:]
        difference = float((np.abs(answers - reference) / np.maximum(1.0, np.abs(reference))).max())
        assert difference <= tolerance, f"{what}: answers differ by {difference:.3g}"
        return difference

    differences = {"onnxruntime": compare("onnxruntime", onnx(rows), 1e-5)}
    differences["fretsaw"] = compare("fretsaw", fretsaw.answers(models[0], rows_path, out), 1e-6)
    # A variant is held to its own budget where it was made; here it must be this model and no other.
    for model in models[1:]:
        differences[str(model)] = compare(str(model), fretsaw.answers(model, rows_path, out), 1e-2)
    return differences


def time_calls(call, rows, batch, ms):
    """Median nanoseconds of calls over about `ms` milliseconds, on other rows from call to call."""
    places, at, times = len(rows) - batch + 1, 0, []
    call(rows[:batch])
    end = time.perf_counter_ns() + ms * 1_000_000
    while not times or time.perf_counter_ns() < end:
        given = rows[at:at + batch]
        start = time.perf_counter_ns()
        call(given)
        times.append(time.perf_counter_ns() - start)
        at = (at + batch) % places
    return statistics.median(times)


def measure(args, calls, fretsaw, models, rows_path, rows):
    """Nanoseconds by engine and batch, a figure a round."""
    names = [*ENGINES[:2], *(engine_name(i, m) for i, m in enumerate(models))]
    out = {name: {batch: [] for batch in args.batch} for name in names}
    for round_ in range(args.rounds):
        print(f"round {round_ + 1} of {args.rounds}", file=sys.stderr)
        for batch in args.batch:
            for name in ENGINES[:2]:
                out[name][batch].append(time_calls(calls[name], rows, batch, args.ms))
            timed = fretsaw.time(models, rows_path, [batch], args.ms)
            for name, (ns,) in zip(names[2:], timed, strict=True):
                out[name][batch].append(ns)
    return out


def engine_name(i, model):
    return "fretsaw" if i == 0 else f"fretsaw: {model.name}"


def cpu():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def busy_warning():
    """A call longer than a slice of time pays for the others on a busy machine, a short one does not: ratios lie."""
    others = os.getloadavg()[0] - 1
    if others < 0.5:
        return ""
    return f"NOT TO BE TRUSTED: some {others:.1f} other tasks ran on {os.cpu_count()} cores when this began\n"


def commit():
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "--", "crates"], capture_output=True, text=True).stdout
    return (head or "unknown") + (" and changes" if changed else "")


def readable(ns):
    for unit, size in (("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)):
        if ns < 1000 * size or unit == "s":
            return f"{ns / size:.3g} {unit}"


def table(times, batches):
    median = {name: {b: statistics.median(rounds[b]) for b in batches} for name, rounds in times.items()}
    spread = {name: {b: (max(r[b]) - min(r[b])) / statistics.median(r[b]) for b in batches} for name, r in times.items()}
    header = ["", *(f"batch {b}" for b in batches)]
    lines = [[name, *(f"{readable(median[name][b])} +-{50 * spread[name][b]:.0f}%" for b in batches)] for name in times]
    for name in list(times)[2:]:
        for base in ENGINES[:2]:
            ratios = [f"{median[base][b] / median[name][b]:.1f}x" for b in batches]
            lines.append([f"{name} / {base}", *ratios])
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    for line in [header, *lines]:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip())
    return median


def main():
    in_environment()
    args = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    tool = Fretsaw(binary(args.fretsaw))
    # Before any library starts its threads.
    os.environ["OMP_NUM_THREADS"] = "1"
    model, rows_path = (args.model, args.rows) if args.model else synthetic()
    if args.pin is not None:
        os.sched_setaffinity(0, {args.pin})

    import numpy as np
    import onnxruntime
    import xgboost

    rows = np.ascontiguousarray(np.load(rows_path), dtype=np.float32)
    too_large = [b for b in args.batch if b > len(rows)]
    if too_large:
        sys.exit(f"error: {rows_path} has {len(rows)} rows, fewer than a batch of {too_large[0]}")
    booster = xgboost.Booster({"nthread": 1}, model_file=str(model))
    booster.set_param({"nthread": 1})
    converted = WORK / "model.onnx"
    tool.run("convert", model, "-o", converted)
    models = [model, *args.also]
    calls = {"xgboost": booster.inplace_predict, "onnxruntime": onnx_session(converted)}
    differences = assert_answers(booster, calls["onnxruntime"], tool, models, rows_path, rows)

    busy = busy_warning()
    times = measure(args, calls, tool, models, rows_path, rows)
    pinned = "" if args.pin is None else f", pinned to core {args.pin}"
    print(f"{cpu()}, one thread{pinned}, {args.rounds} rounds of {args.ms} ms, interleaved; {platform.platform()}")
    print(f"xgboost {xgboost.__version__}, onnxruntime {onnxruntime.__version__}, {tool.version}; tree at {commit()}")
    trees = booster.num_boosted_rounds()
    print(f"{model.name if args.model else 'synthetic model'}: {trees} rounds, {rows.shape[1]} features, {len(rows)} rows")
    print(f"answers: margins equal XGBoost's to the bit; onnxruntime within {differences['onnxruntime']:.1g}")
    print(busy)
    median = table(times, args.batch)
    if args.json:
        facts = {
            "cpu": cpu(), "commit": commit(), "fretsaw": tool.version, "xgboost": xgboost.__version__,
            "onnxruntime": onnxruntime.__version__, "median_ns": median, "differences": differences,
        }
        args.json.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
