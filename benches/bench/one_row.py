"""Single rows by the libraries' C interfaces: builds one_row.c, and runs it."""

import importlib.util
import json
import pathlib
import subprocess

from bench.environment import BENCHES, WORK


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).origin).parent


class OneRow:
    def __init__(self):
        self.program = WORK / "one_row"
        source = BENCHES / "one_row.c"
        if not self.program.exists() or self.program.stat().st_mtime < source.stat().st_mtime:
            warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
            subprocess.run(["cc", "-O2", *warnings, "-o", self.program, source, "-ldl"], check=True)

    def callers(self, case, rows):
        """What can be called for this case: name -> milliseconds -> its figures and its answers."""
        if rows.shape[1] > 512:
            return {}
        raw = WORK / f"{case.name}.f32"
        rows.tofile(raw)
        libraries = {
            "xgboost": [("xgboost", package("xgboost") / "lib" / "libxgboost.so", [case.model])],
            "lightgbm": [
                ("lightgbm", package("lightgbm") / "lib" / "lib_lightgbm.so", [case.model]),
                ("lleaves", WORK / "cases" / f"{case.name}.lleaves.so", []),
            ],
        }.get(case.framework, [])
        return {name: self.caller(name, library, raw, rows.shape, model) for name, library, model in libraries}

    def caller(self, name, library, raw, shape, model):
        import numpy as np

        out = WORK / "one_row.f64"

        def call(ms):
            if name == "lleaves" and not library.exists():
                subprocess.run(["cc", "-shared", "-o", library, library.with_suffix(".o"), "-lm"], check=True)
            command = [self.program, name, library, raw, *shape, ms, out, *model]
            ran = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            if ran.returncode != 0:
                raise SystemExit(f"error: {ran.stderr.strip()}")
            return json.loads(ran.stdout), np.fromfile(out)

        return call
