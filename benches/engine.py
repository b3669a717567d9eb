#!/usr/bin/env python3
"""Times fretsaw against itself on the cases of peers.py: batch sizes, threads, instruction sets, integer leaves, loading.

    python3 benches/engine.py
    python3 benches/engine.py --case forest-300-deep --only batches,threads

What is compared is measured in one process and in turn, but for instruction sets, whose processes take turns.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess

from bench import cases, environment, tables
from bench.environment import ROOT, WORK, say
from bench.fretsaw import Fretsaw
from bench.tables import aligned, digits, us

SIZES = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512]
SECTIONS = ("plan", "batches", "threads", "isas", "leaves", "loading")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=list(cases.FLOORS), help="only this case; may repeat")
    parser.add_argument("--only", default=",".join(SECTIONS), help="what to measure [default: %(default)s]")
    parser.add_argument("--fretsaw", type=pathlib.Path, help="the binary [default: built by cargo]")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of what cannot share a process [default: %(default)s]")
    parser.add_argument("--ms", type=int, default=300, help="time a measurement [default: %(default)s]")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there too")
    args = parser.parse_args()
    args.only = args.only.split(",")
    return args


def p50(entry):
    return {str(latency["batch"]): latency["p50_ns"] for latency in entry["latency"]}


def batches(args, case, fretsaw):
    """Nanoseconds a call by rows a call."""
    (entry,) = fretsaw.bench([case.model], case.rows, SIZES, args.ms)
    return p50(entry)


def threads(args, case, fretsaw):
    """The same batch on one thread and on two."""
    if os.cpu_count() < 2:
        return {}
    one, two = fretsaw.bench([case.model], case.rows, [10_000, 100_000], args.ms, threads=(1, 2))
    return {"1": p50(one), "2": p50(two)}


def isas(args, case, fretsaw):
    """One row and a batch on every instruction set that this processor has."""
    out = {}
    for _ in range(args.rounds):
        for isa in fretsaw.isas():
            (entry,) = fretsaw.bench([case.model], case.rows, [1, 10_000], args.ms, FRETSAW_ISA=isa)
            for batch, ns in p50(entry).items():
                out.setdefault(isa, {}).setdefault(batch, []).append(ns)
    return {isa: {batch: statistics.median(ns) for batch, ns in by_batch.items()} for isa, by_batch in out.items()}


def leaves(args, case, fretsaw):
    """The exact model and those variants whose leaves are integers, in turn."""
    if case.framework == "scikit-learn":
        return {}
    folder = fretsaw.optimized(case) / "variants"
    variants = [path for name in ("int8", "fp16+int8") if (path := folder / f"{name}.fretsaw.onnx").exists()]
    entries = fretsaw.bench([case.model, *variants], case.rows, [1, 10_000], args.ms)
    names = ["exact", *(path.name.removesuffix(".fretsaw.onnx") for path in variants)]
    return {n: dict(p50(entry), difference=entry["max_difference"]) for n, entry in zip(names, entries, strict=True)}


def plan(args, case, fretsaw):
    """What the exact model's plan is made of, as its report tells, and what the model is."""
    shape = fretsaw.summary(case.model)
    out = {name: shape[name] for name in ("n_trees", "n_splits", "n_leaves", "max_depth", "summed_in")}
    if case.framework != "scikit-learn":
        report = json.loads((fretsaw.optimized(case) / "report.json").read_text())
        out["text"] = next(v["plan"] for v in report["variants"] if v["name"] == "exact")
        counts = re.search(r"(\d+) predicates, (\d+) circuit operations", out["text"])
        if counts:
            out["predicates"], out["operations"] = map(int, counts.groups())
    return out


def loading(args, case, fretsaw):
    """Time and memory until a session has answered one row: from the framework's file, from ONNX, and ONNX Runtime's."""
    command = ["cargo", "bench", "--quiet", "-p", "fretsaw", "--bench", "load", "--", case.model]
    ran = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=fretsaw.environment)
    found = re.findall(r"^  (\S.*?) +([\d.]+) ms +([\d.]+) MiB", ran.stdout, re.MULTILINE)
    return {way: {"ms": float(ms), "mib": float(mib)} for way, ms, mib in found}


MEASURE = {"plan": plan, "batches": batches, "threads": threads, "isas": isas, "leaves": leaves, "loading": loading}


def told(case):
    """What was measured of one case, as text."""
    out = [case["title"]]
    if case.get("plan", {}).get("text"):
        out.append(case["plan"]["text"])
    if case.get("batches"):
        lines = [["rows a call", *case["batches"]], ["us a call", *(us(ns) for ns in case["batches"].values())],
                 ["ns a row", *(digits(ns / int(b)) for b, ns in case["batches"].items())]]
        out.append(aligned(lines))
    if case.get("threads"):
        one, two = case["threads"]["1"], case["threads"]["2"]
        out.append("two threads against one: " + ", ".join(
            f"{digits(one[b] / two[b])}x at {int(b):,} rows" for b in one))
    if case.get("isas"):
        lines = [["", "one row", "ns a row of 10,000"]]
        lines += [[isa, f"{us(t['1'])} us", digits(t["10000"] / 10_000)] for isa, t in case["isas"].items()]
        out.append(aligned(lines))
    if case.get("leaves"):
        exact = case["leaves"]["exact"]
        lines = [["", "one row", "ns a row of 10,000", "times the exact one", "largest difference"]]
        lines += [[name, f"{us(t['1'])} us", digits(t["10000"] / 10_000), f"{exact['10000'] / t['10000']:.2f}x",
                   f"{t['difference']:.1e}" if t["difference"] is not None else ""] for name, t in case["leaves"].items()]
        out.append(aligned(lines))
    if case.get("loading"):
        lines = [["opening", "processor time", "resident"]]
        lines += [[way, f"{t['ms']:.1f} ms", f"{t['mib']:.1f} MiB"] for way, t in case["loading"].items()]
        out.append(aligned(lines))
    return "\n".join(out) + "\n"


def main():
    args = arguments()
    environment.enter()
    WORK.mkdir(parents=True, exist_ok=True)
    fretsaw = Fretsaw(args.fretsaw.resolve() if args.fretsaw else environment.build())
    quiet = environment.Quiet()
    out = {
        "machine": environment.machine(), "fretsaw": fretsaw.version(), "isa": fretsaw.isas()[-1],
        "rounds": args.rounds, "ms": args.ms, "cases": [],
    }
    print(tables.heading(out), flush=True)
    for case in cases.standard(args.case or list(cases.FLOORS)):
        measured = {"name": case.name, "title": case.title}
        for section in args.only:
            say(f"{case.title}: {section}")
            quiet.ask()
            measured[section] = MEASURE[section](args, case, fretsaw)
        out["cases"].append(measured)
        print(told(measured), flush=True)
        out["interrupted"] = quiet.told()
        if args.json:
            args.json.write_text(json.dumps(out, indent=1) + "\n")
    print(quiet.warning(), end="")


if __name__ == "__main__":
    main()
