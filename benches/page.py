#!/usr/bin/env python3
"""Writes docs/performance.md, its tables and its plots, from the figures in docs/performance/*.json.

    python3 benches/page.py              from the figures that are there
    python3 benches/page.py --measure    after measuring them all again: half an hour on a machine left alone

The text is that of benches/page.md, where `{{NAME}}` is the place of a table.
"""

import argparse
import json
import re
import subprocess
import sys

from bench import svg, tables
from bench.environment import BENCHES, ROOT, WORK
from bench.tables import digits, label, ns_per_row, us

TEXT, PAGE = BENCHES / "page.md", ROOT / "docs" / "performance.md"
FIGURES, IMAGES = ROOT / "docs" / "performance", ROOT / "docs" / "img"
BATCH, BLOCK = 10_000, 512


def measure():
    """All figures again, each by its own command."""
    FIGURES.mkdir(exist_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    for script in ("peers", "engine"):
        command = [sys.executable, BENCHES / f"{script}.py", "--json", FIGURES / f"{script}.json"]
        subprocess.run(command, check=True)
    bench = ["cargo", "bench", "--quiet", "-p", "fretsaw-engine", "--bench", "latency", "--", "--json"]
    ran = subprocess.run(bench, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    (FIGURES / "latency.json").write_text(ran.stdout)
    program = WORK / "bounds"
    subprocess.run(["cc", "-O2", "-march=native", "-o", program, BENCHES / "bounds.c"], check=True)
    (FIGURES / "bounds.json").write_text(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def markdown(lines):
    """A table: the first column to the left, the others to the right."""
    head, *rest = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, f"| --- |{' ---: |' * (len(lines[0]) - 1)}", *rest])


def about(f):
    m, quiet = f["machine"], f["interrupted"]["median"]
    commit = re.search(r"commit: (\w+)", f["fretsaw"])[1]
    versions = {n: v for case in f["cases"] for n, v in case["versions"].items()}
    return (f"{m['cpu']}, {m['cores']} cores, running `{f['isa']}`; fretsaw at commit {commit}; "
            f"{', '.join(f'{label(n)} {v}' for n, v in versions.items())}. Measured {m['date']}, one thread, "
            f"{f['rounds']} rounds of {f['ms']} ms; others took {100 * quiet:.1f}% of the core meanwhile.")


def others(f):
    """Peers in the order of their first appearance."""
    names = dict.fromkeys(n for case in f["cases"] for n in case["times"] if not n.startswith("fretsaw"))
    return [n for n in names if not n.endswith("(Python)")]


def peers(f, batch, write):
    """One figure a case and runtime."""
    names = ["fretsaw", *others(f)]
    lines = [["", *map(label, names)]]
    for case in f["cases"]:
        cells = []
        for name in names:
            found, mark = ns_per_row(case, name, batch), ""
            if found is None:
                found, mark = ns_per_row(case, f"{name} (Python)", batch), " (Python)"
            p99 = ns_per_row(case, name, batch, "p99") if batch == 1 else None
            cells.append("" if found is None else write(found) + (f" / {write(p99)}" if p99 else mark))
        lines.append([case["title"], *cells])
    return markdown(lines)


def held(f):
    lines = [["", "rows a call", "against", "to reach", "reached"]]
    for case in f["cases"]:
        for h in tables.held(case):
            reached = f"{digits(h['ratio'])}x"
            lines.append([case["title"], f"{h['batch']:,}", label(h["peer"]), f"{h['floor']}x",
                          reached if h["held"] else f"**{reached}**"])
    return markdown(lines) + "\n\nBold: not reached."


def file_rows(f):
    """The whole command on a large file, against the same peers."""
    lines = [["", "ns a row", "against", "to reach", "reached"]]
    for case in f["cases"]:
        for n, figures in case["times"].get("fretsaw predict", {}).items():
            ours = figures["p50"]["ns"] / int(n)
            for peer, floor in case["floors"].get(str(BATCH), {}).items():
                theirs = ns_per_row(case, peer, BATCH)
                reached = f"{digits(theirs / ours)}x"
                lines.append([case["title"], digits(ours), label(peer), f"{floor}x",
                              reached if theirs / ours >= floor else f"**{reached}**"])
    return markdown(lines)


def answers(f):
    lines = [["", "runtime", "rows off by more than 1e-5", "largest difference"]]
    for case in f["cases"]:
        for name, a in case["answers"].items():
            if "bits" in a:
                lines.append([case["title"], "fretsaw", f"none: {a['bits']} equal to the last bit", ""])
            else:
                lines.append(["", label(name), f"{a['wrong']:,} of {a['rows']:,}", f"{a['largest']:.1e}"])
    return markdown(lines)


def latency(f):
    lines = [["", "way", "p50", "p90", "p99", "p99.9", "max"]]
    for shape in f["shapes"]:
        name = f"{shape['features']:,} features, {shape['nodes']:,} nodes, {shape['trees']:,} trees"
        for way, runs in shape["ways"].items():
            run = runs[shape["quietest"]]
            lines.append([name, way, *(us(run[q]) for q in ("p50", "p90", "p99", "p999", "max"))])
            name = ""
    return markdown(lines) + "\n\nMicroseconds a call, in the quietest of five runs by the empty loop."


def idle(f):
    lines = [["", "back to back", *(f"after {i['idle_ms']} ms" for i in f["shapes"][0]["after_idle"]), "plan"]]
    for shape in f["shapes"]:
        p50 = shape["ways"]["engine"][shape["quietest"]]["p50"]
        lines.append([f"{shape['nodes']:,} nodes", us(p50), *(us(i["p50"]) for i in shape["after_idle"]),
                      f"{shape['plan_bytes'] / 1e6:.1f} MB"])
    return markdown(lines) + "\n\nMicroseconds, medians."


def batches(f):
    sizes = list(f["cases"][0]["batches"])
    lines = [["rows a call", *sizes]]
    for case in f["cases"]:
        lines.append([case["title"], *(digits(ns / int(b)) for b, ns in case["batches"].items())])
    return markdown(lines) + "\n\nNanoseconds a row."


def threads(f):
    lines = [["", *(f"{int(b):,} rows" for b in f["cases"][0]["threads"]["1"])]]
    for case in f["cases"]:
        one, two = case["threads"]["1"], case["threads"]["2"]
        lines.append([case["title"], *(f"{one[b] / two[b]:.2f}x" for b in one)])
    return markdown(lines)


def isas(f):
    names = list(f["cases"][0]["isas"])
    lines = [["", *names]]
    for case in f["cases"]:
        lines.append([case["title"], *(f"{digits(case['isas'][i][str(BATCH)] / BATCH)} / {us(case['isas'][i]['1'])}" for i in names)])
    return markdown(lines) + "\n\nNanoseconds a row in batches of 10,000 / microseconds for one row."


def leaves(f):
    lines = [["", "variant", "ns a row", "times the exact one", "largest difference"]]
    for case in f["cases"]:
        for name, t in case["leaves"].items():
            exact = case["leaves"]["exact"][str(BATCH)]
            lines.append([case["title"] if name == "exact" else "", name, digits(t[str(BATCH)] / BATCH),
                          f"{exact / t[str(BATCH)]:.2f}x", f"{t['difference']:.1e}" if t["difference"] else ""])
    return markdown(lines)


def loading(f):
    ways = list(f["cases"][0]["loading"])
    lines = [["", *ways]]
    for case in f["cases"]:
        lines.append([case["title"], *(f"{t['ms']:,.1f} ms, {t['mib']:,.1f} MiB" for t in (case["loading"][w] for w in ways))])
    return markdown(lines)


# Cycles of a pass, as loops.py counts them on Zen 4; docs/performance.md says where each comes from.
CUT, RANK, CODES, LEAVES = 2.0, 8 * 44.0, 16.0, {"f32": 8 * 10.0, "f64": 8 * 28.0}
FEATURES = 28


def stages(plan, bounds):
    """The fewest cycles of each stage for a block of 512 rows."""
    # An oblivious tree, which needs no operation, asks one question a level.
    planes = plan["n_splits"] if plan["operations"] else plan["n_trees"] * plan["max_depth"]
    routes = max(plan["operations"] / 2, planes * 64 / bounds["l2_bytes_per_cycle"])
    return {
        "predicates": plan["predicates"] * CUT + FEATURES * RANK, "routes": routes, "codes": plan["n_trees"] * CODES,
        "leaves": plan["n_trees"] * LEAVES[plan["summed_in"]],
    }


def roofline(f, engine, bounds):
    lines = [["", "predicates", "operations a tree", "bound: predicates", "routes", "codes", "leaves", "all", "measured", "of the bound"]]
    measured = {case["name"]: ns_per_row(case, "fretsaw", BATCH) for case in f["cases"]}
    for case in engine["cases"]:
        plan = case["plan"]
        if "predicates" not in plan or not measured.get(case["name"]):
            continue
        ns = {stage: cycles / BLOCK / bounds["ghz"] for stage, cycles in stages(plan, bounds).items()}
        total, found = sum(ns.values()), measured[case["name"]]
        lines.append([case["title"], f"{plan['predicates']:,}", digits(plan["operations"] / plan["n_trees"]),
                      *(digits(v) for v in ns.values()), digits(total), digits(found), f"{100 * total / found:.0f}%"])
    return markdown(lines) + "\n\nNanoseconds a row."


def core(bounds):
    return (f"{bounds['ghz']:.2f} GHz; a cycle loads {bounds['l1_bytes_per_cycle']:.0f} bytes from the first cache, "
            f"{bounds['l2_bytes_per_cycle']:.0f} from the second, {bounds['l3_bytes_per_cycle']:.0f} from the third.")


def bars(f, batch, title, unit, write):
    groups = []
    for case in f["cases"]:
        group = []
        for name in ["fretsaw", *others(f)]:
            found, mark = ns_per_row(case, name, batch), ""
            if found is None:
                found, mark = ns_per_row(case, f"{name} (Python)", batch), " (Python)"
            if found:
                group.append((label(name) + mark, found, name == "fretsaw"))
        groups.append((case["title"], group))
    return svg.bars(title, unit, groups, write)


def plots(f, engine, latency):
    by_size = [(case["title"].split(",")[0] if "forest" not in case["title"] else case["title"].removeprefix("random "),
                [(int(b), ns / int(b)) for b, ns in case["batches"].items()]) for case in engine["cases"]]
    quantiles = []
    for shape in latency["shapes"]:
        runs = {way: runs[shape["quietest"]] for way, runs in shape["ways"].items() if way != "empty loop"}
        for q, name in (("p50", "p50"), ("p99", "p99")):
            quantiles.append((f"{shape['nodes']:,} nodes, {name}", [(way, r[q], way == "engine") for way, r in runs.items()]))
    return {
        "batch.svg": bars(f, BATCH, "Batches of 10,000 rows", "nanoseconds a row, one thread", lambda v: f"{digits(v)} ns"),
        "one-row.svg": bars(f, 1, "One row a call", "nanoseconds, median", lambda v: f"{us(v)} us"),
        "sizes.svg": svg.lines("From one row to a block", "nanoseconds a row", "rows a call", by_size),
        "latency.svg": svg.bars("One row through large random ensembles", "nanoseconds a call", quantiles, lambda v: f"{us(v)} us"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure everything again first")
    if parser.parse_args().measure:
        measure()
    read = lambda name: json.loads((FIGURES / f"{name}.json").read_text())  # noqa: E731
    f, engine, shapes, bounds = read("peers"), read("engine"), read("latency"), read("bounds")
    parts = {
        "about": about(f), "batch": peers(f, BATCH, digits), "one row": peers(f, 1, us), "held": held(f),
        "file": file_rows(f), "answers": answers(f), "latency": latency(shapes), "idle": idle(shapes),
        "batches": batches(engine), "threads": threads(engine), "isas": isas(engine), "leaves": leaves(engine),
        "loading": loading(engine), "roofline": roofline(f, engine, bounds), "core": core(bounds),
    }
    text = TEXT.read_text()
    places = re.findall(r"\{\{(.*?)\}\}", text)
    if sorted(places) != sorted(parts):
        sys.exit(f"error: {TEXT.name} has places for {', '.join(places)}; there are tables {', '.join(parts)}")
    page = re.sub(r"\{\{(.*?)\}\}", lambda place: parts[place[1]], text)
    PAGE.write_text(f"<!-- Written by benches/page.py; its text is benches/page.md. -->\n\n{page}")
    IMAGES.mkdir(exist_ok=True)
    for name, plot in plots(f, engine, shapes).items():
        (IMAGES / name).write_text(plot)


if __name__ == "__main__":
    main()
