"""fretsaw's binary: what it answers, and what it measures of itself and of ONNX Runtime, which it calls from C."""

import json
import os
import pathlib
import subprocess
import time

from bench.environment import WORK


def onnxruntime_library():
    """The library that the pinned environment has."""
    import onnxruntime

    (library,) = (pathlib.Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*")
    return library


class Fretsaw:
    """The binary, with a store of its own so that the user's records none of this."""

    def __init__(self, binary):
        self.binary = binary
        self.environment = dict(os.environ, XDG_DATA_HOME=str(WORK / "data"), ORT_DYLIB_PATH=str(onnxruntime_library()))
        for name in ("FRETSAW_STORE", "FRETSAW_ISA", "FRETSAW_ORT", "FRETSAW_EFFORT_MS"):
            self.environment.pop(name, None)

    def run(self, *args, **environment):
        ran = subprocess.run(
            [self.binary, *map(str, args)], capture_output=True, text=True, env=dict(self.environment, **environment)
        )
        if ran.returncode != 0:
            raise SystemExit(f"error: fretsaw {' '.join(map(str, args))}\n{ran.stderr.strip()}")
        return ran.stdout

    def version(self):
        return self.run("--version").strip().replace("\n", ", ")

    def isas(self):
        """Instruction sets of this processor, the best last."""
        return self.version().rsplit("instruction sets: ", 1)[1].split(", ")

    def summary(self, model):
        return json.loads(self.run("inspect", model, "--json"))

    def converted(self, case):
        """The case's ONNX file: exact, and with f32 inputs."""
        out = WORK / "cases" / f"{case.name}.onnx"
        self.run("convert", case.model, "-o", out)
        return out

    def answers(self, case, *options):
        import numpy as np

        out = WORK / "answers.npy"
        self.run("predict", case.model, "--input", case.rows, "--output", out, "--threads", 1, *options)
        return np.load(out)

    def bench(self, models, rows, batches, ms, backends=("native",), threads=(1,), **environment):
        """What `fretsaw bench` measures: an entry a model, backend and number of threads."""
        return json.loads(self.run(
            "bench", *models, "--data", rows, "--batch", ",".join(map(str, batches)), "--backend", ",".join(backends),
            "--threads", ",".join(map(str, threads)), "--json", FRETSAW_EFFORT_MS=str(ms), **environment,
        ))

    def time(self, model, rows, batch, ms, backend="native"):
        """Nanoseconds of a call of one model, batch and backend, on one thread."""
        (entry,) = self.bench([model], rows, [batch], ms, (backend,))
        (latency,) = entry["latency"]
        return {"p50": latency["p50_ns"], "p99": latency["p99_ns"], "calls": latency["calls"]}

    def optimized(self, case):
        """The folder that `fretsaw optimize` makes of the case, every variant in it; made once."""
        folder = WORK / "optimized" / case.name
        folder.parent.mkdir(exist_ok=True)
        if not folder.exists():
            self.run("optimize", case.model, "--data", case.rows, "--out", folder, "--keep-variants",
                     "--batch", "1024", FRETSAW_EFFORT_MS="1")
        return folder

    def predict_seconds(self, model, rows):
        """Wall time of the whole command: process, model, file in, file out."""
        start = time.perf_counter()
        self.run("predict", model, "--input", rows, "--output", WORK / "predicted.npy", "--threads", 1)
        return time.perf_counter() - start
