#!/usr/bin/env python3
"""Times fretsaw against ONNX Runtime, the frameworks themselves, oneDAL and lleaves, on one thread.

    python3 benches/peers.py                                     five cases, trained the first time
    python3 benches/peers.py --case xgboost-1000x6               one of them
    python3 benches/peers.py --model model.ubj --rows rows.npy   a model of one's own; both may repeat

Answers are compared before anything is timed, and rounds are interleaved, so that a slow moment of the machine
falls on all. benches/README.md says what is called and how to read the figures.

The first run makes a Python environment and trains the models, all under target/benches; later ones need no network.
"""

import argparse
import json
import os
import pathlib
import statistics

from bench import answers, cases, environment, libraries, tables
from bench.environment import WORK, say
from bench.fretsaw import Fretsaw
from bench.one_row import OneRow

# Rows of the file that `fretsaw predict` is timed on.
FILE_ROWS = 400_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=list(cases.FLOORS), help="only this case; may repeat")
    parser.add_argument("--model", type=pathlib.Path, action="append", default=[], help="a model of XGBoost, LightGBM, "
                        "CatBoost or scikit-learn")
    parser.add_argument("--rows", type=pathlib.Path, action="append", default=[], help="its rows (.npy, f32)")
    parser.add_argument("--like", action="append", default=[], choices=list(cases.FLOORS),
                        help="the case whose floors --model is held to")
    parser.add_argument("--fretsaw", type=pathlib.Path, help="the binary [default: built by cargo]")
    parser.add_argument("--batch", default="1,64,1024,10000", help="rows a call [default: %(default)s]")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds [default: %(default)s]")
    parser.add_argument("--ms", type=int, default=300, help="time a round, runtime and batch [default: %(default)s]")
    parser.add_argument("--no-file", action="store_true", help="leave out `fretsaw predict` on a large file")
    parser.add_argument("--pin", type=int, metavar="CORE", help="run on this core only")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there too")
    args = parser.parse_args()
    if len(args.model) != len(args.rows) or len(args.like) not in (0, len(args.model)):
        parser.error("--model and --rows, and --like where it is given, go together")
    args.batch = [int(b) for b in args.batch.split(",")]
    return args


def chosen(args):
    if args.model:
        out = [cases.own(model, rows) for model, rows in zip(args.model, args.rows)]
        for case, like in zip(out, args.like):
            case.title, case.floors = f"{cases.TITLES[like]} ({case.title})", cases.FLOORS[like]
        return out
    return cases.standard(args.case or list(cases.FLOORS))


class Times:
    """Figures by runtime and batch: a list of rounds of each quantile."""

    def __init__(self):
        self.of = {}

    def add(self, name, batch, figures):
        kept = self.of.setdefault(name, {}).setdefault(batch, {})
        for quantile in ("p50", "p99"):
            if quantile in figures:
                kept.setdefault(quantile, []).append(figures[quantile])

    def medians(self):
        def told(rounds):
            median = statistics.median(rounds)
            return {"ns": median, "spread": (max(rounds) - min(rounds)) / median, "rounds": rounds}

        return {
            name: {str(batch): {q: told(rounds) for q, rounds in kept.items()} for batch, kept in by_batch.items()}
            for name, by_batch in self.of.items()
        }


def measure(args, case, fretsaw, one_row, quiet):
    """One case: answers, then rounds."""
    import numpy as np

    rows = np.ascontiguousarray(np.load(case.rows), dtype=np.float32)
    batches = [b for b in args.batch if b <= len(rows)]
    onnx, others = libraries.load(case, fretsaw, WORK / "cases")
    say(f"{case.title}: comparing answers")
    judged, expected = answers.check(case, others, fretsaw, rows)
    callers = one_row.callers(case, rows) if 1 in batches else {}
    prepared = {library.name: library.prepare(rows) for library in others}
    large = None if args.no_file else file_of(rows, FILE_ROWS)
    single = file_of(rows, 1)

    times = Times()
    for round_ in range(args.rounds):
        say(f"{case.title}: round {round_ + 1} of {args.rounds}")
        quiet.ask()
        for batch in batches:
            times.add("fretsaw", batch, fretsaw.time(case.model, case.rows, batch, args.ms))
            if batch == 1:
                # By ONNX Runtime's C interface, which fretsaw calls.
                times.add("onnxruntime", 1, fretsaw.time(onnx, case.rows, 1, args.ms, "ort"))
            for library in others:
                # One row a call from Python is not what the C interfaces below take.
                name = library.name if batch > 1 else f"{library.name} (Python)"
                times.add(name, batch, libraries.time_calls(library, prepared[library.name], batch, args.ms))
        for name, call in callers.items():
            figures, given = call(args.ms)
            if round_ == 0:
                judged[f"{name}, one row"] = answers.judged(given, expected)
            times.add(name, 1, figures)
        if large:
            took = fretsaw.predict_seconds(case.model, large) - fretsaw.predict_seconds(case.model, single)
            times.add("fretsaw predict", FILE_ROWS, {"p50": took * 1e9})
    return {
        "name": case.name, "title": case.title, "framework": case.framework, "batches": batches,
        "floors": {str(b): floors for b, floors in case.floors.items()},
        "versions": {library.name: library.version for library in others},
        "answers": judged, "times": times.medians(),
    }


def file_of(rows, n):
    """The rows over and over until there are `n`, in a file."""
    import numpy as np

    path = WORK / f"rows-{n}.npy"
    np.save(path, np.resize(rows, (n, rows.shape[1])))
    return path


def main():
    args = arguments()
    environment.enter()
    WORK.mkdir(parents=True, exist_ok=True)
    fretsaw = Fretsaw(args.fretsaw.resolve() if args.fretsaw else environment.build())
    selected = chosen(args)
    if args.pin is not None:
        os.sched_setaffinity(0, {args.pin})
    one_row, quiet = OneRow(), environment.Quiet()
    out = {
        "machine": environment.machine(), "fretsaw": fretsaw.version(),
        "isa": fretsaw.isas()[-1], "rounds": args.rounds, "ms": args.ms, "cases": [],
    }
    print(tables.heading(out), flush=True)
    for case in selected:
        out["cases"].append(measure(args, case, fretsaw, one_row, quiet))
        print(tables.peers(out["cases"][-1]), flush=True)
        out["interrupted"] = quiet.told()
        if args.json:
            args.json.write_text(json.dumps(out, indent=1) + "\n")
    print(tables.floors(out["cases"]))
    print(quiet.warning(), end="")


if __name__ == "__main__":
    main()
