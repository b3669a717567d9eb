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
import statistics
import subprocess
import sys
import time

from bench import cases, environment, tables
from bench.environment import WORK, say
from bench.fretsaw import Fretsaw
from bench.tables import aligned, digits, us

SIZES = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512]
SECTIONS = ("batches", "threads", "isas", "leaves", "loading")


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
    variants = {n: p for n, p in fretsaw.variants(case).items() if "int8" in n and n != "int8-lossless"}
    if not variants:
        return {}
    entries = fretsaw.bench([case.model, *variants.values()], case.rows, [1, 10_000], args.ms)
    return {
        name: dict(p50(entry), difference=entry["max_difference"])
        for name, entry in zip(["exact", *variants], entries, strict=True)
    }


ORT_LOAD = """
import resource, sys, time, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
pages = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before, start = pages(), time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
print(time.perf_counter() - start, pages() - before)
"""


def loading(args, case, fretsaw):
    """Opening the same ONNX file: ONNX Runtime's session, and all of a fretsaw process that answers one row."""
    import numpy as np

    onnx, one = fretsaw.converted(case), WORK / "one-row.npy"
    np.save(one, np.load(case.rows)[:1])
    theirs, memory, ours, peaks = [], [], [], []
    for _ in range(args.rounds):
        ran = subprocess.run([sys.executable, "-c", ORT_LOAD, onnx], check=True, capture_output=True, text=True)
        seconds, size = ran.stdout.split()
        theirs.append(float(seconds))
        memory.append(int(size))
        start = time.perf_counter()
        process = subprocess.Popen(
            [fretsaw.binary, "predict", onnx, "--input", one, "--output", WORK / "one-answer.npy", "--threads", "1"],
            env=fretsaw.environment, stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        ours.append(time.perf_counter() - start)
        peaks.append(usage.ru_maxrss * 1024)
        assert status == 0, "fretsaw predict"
    (entry,) = fretsaw.bench([onnx], case.rows, [1], 1)
    return {
        "onnxruntime_seconds": statistics.median(theirs), "onnxruntime_bytes": statistics.median(memory),
        "process_seconds": statistics.median(ours), "process_peak_bytes": statistics.median(peaks),
        "plan_bytes": entry["memory_bytes"],
    }


MEASURE = {"batches": batches, "threads": threads, "isas": isas, "leaves": leaves, "loading": loading}


def told(case):
    """What was measured of one case, as text."""
    out = [case["title"]]
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
        t = case["loading"]
        mb = lambda n: f"{n / 1e6:,.1f} MB"  # noqa: E731
        out.append(f"opening the ONNX file: ONNX Runtime {1e3 * t['onnxruntime_seconds']:.0f} ms and "
                   f"{mb(t['onnxruntime_bytes'])}; a whole fretsaw process, one row answered, "
                   f"{1e3 * t['process_seconds']:.0f} ms and {mb(t['process_peak_bytes'])} at its peak, "
                   f"of which the plan is {mb(t['plan_bytes'])}")
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
    print(quiet.warning(), end="")
    if args.json:
        args.json.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
