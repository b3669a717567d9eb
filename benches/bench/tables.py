"""The figures as tables of plain text, and which floors they hold."""

LABELS = {
    "fretsaw": "fretsaw", "onnxruntime": "ONNX Runtime", "xgboost": "XGBoost", "lightgbm": "LightGBM",
    "catboost": "CatBoost", "scikit-learn": "scikit-learn", "onedal": "oneDAL", "lleaves": "lleaves",
    "fretsaw predict": "fretsaw predict",
}


def label(name):
    """What a runtime is called; `(Python)` and the like stay behind it."""
    bare, paren, rest = name.partition(" (")
    return LABELS.get(bare, bare) + paren + rest


def digits(x, n=3):
    """Three digits, without an exponent."""
    if x == 0:
        return "0"
    if x >= 10 ** (n - 1):
        return f"{x:,.0f}"
    return f"{x:.{n}g}" if x >= 1 else f"{x:.{n - 1}g}"


def us(ns):
    return digits(ns / 1e3)


def ns_per_row(case, name, batch, quantile="p50"):
    """Nanoseconds a row, or None where that was not measured."""
    figures = case["times"].get(name, {}).get(str(batch), {}).get(quantile)
    return figures and figures["ns"] / batch


def ratio(case, batch, peer):
    """How many times faster fretsaw is; of one row, the peer from C where that was measured."""
    ours, theirs = ns_per_row(case, "fretsaw", batch), ns_per_row(case, peer, batch)
    return theirs / ours if ours and theirs else None


def held(case):
    """Each floor of the case with what was measured."""
    out = []
    for batch, peers in case["floors"].items():
        for peer, floor in peers.items():
            found = ratio(case, int(batch), peer)
            if found is not None:
                out.append({"batch": int(batch), "peer": peer, "floor": floor, "ratio": found, "held": found >= floor})
    return out


def aligned(lines):
    """Columns: the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    pad = lambda cell, width, i: cell.ljust(width) if i == 0 else cell.rjust(width)  # noqa: E731
    return "\n".join("  ".join(pad(c, w, i) for i, (c, w) in enumerate(zip(line, widths))).rstrip() for line in lines)


def heading(out):
    m = out["machine"]
    return "\n".join([
        f"fretsaw   {out['fretsaw']}, running {out['isa']}",
        f"source    {m['commit']}",
        f"machine   {m['cpu']}, {m['cores']} cores, {m['system']}",
        f"measured  {m['date']}, one thread; the median over {out['rounds']} rounds of {out['ms']} ms each",
        "",
    ])


def batch_rows(case):
    """Names in the order of the table, and a line of figures each."""
    python = [n for n in case["times"] if n.endswith("(Python)")]
    names = [n for n in case["times"] if n not in python and n != "fretsaw predict"]
    batches = [b for b in case["batches"] if b > 1]
    lines = [["", "one row p50", "p99", *(f"batch {b:,}" for b in batches)]]
    for name in [*names, *python]:
        one = [ns_per_row(case, name, 1, q) for q in ("p50", "p99")]
        many = [ns_per_row(case, name, b) for b in batches]
        lines.append([label(name), *(f"{us(x)} us" if x else "" for x in one), *(f"{digits(x)} ns" if x else "" for x in many)])
    return lines


def ratio_rows(case):
    """How many times faster fretsaw is than each."""
    lines = []
    for name in case["times"]:
        if name.startswith("fretsaw"):
            continue
        one = ratio(case, 1, name)
        many = [ratio(case, b, name) for b in case["batches"] if b > 1]
        lines.append([f"fretsaw / {label(name)}", *(f"{digits(x)}x" if x else "" for x in [one, None, *many])])
    return lines


def judged(name, a):
    if "bits" in a:
        return f"{label(name)}: {a['bits']} equal to the last bit on {a['rows']:,} rows"
    wrong = f"{a['wrong']:,} of {a['rows']:,} rows WRONG" if a["wrong"] else f"all {a['rows']:,} rows right"
    return f"{label(name)}: {wrong} (at most {a['largest']:.1e} off)"


def peers(case):
    lines = [case["title"], ", ".join(f"{label(n)} {v}" for n, v in case["versions"].items())]
    lines.append(aligned([*batch_rows(case), *ratio_rows(case)]))
    for name, of_batch in case["times"].get("fretsaw predict", {}).items():
        lines.append(f"fretsaw predict of a file of {int(name):,} rows, less its time for one: "
                     f"{digits(of_batch['p50']['ns'] / int(name))} ns a row")
    spread = max(q["spread"] for by_batch in case["times"].values() for of in by_batch.values() for q in [of["p50"]])
    lines.append(f"rounds differ by at most {100 * spread:.0f}% of their median")
    lines += [judged(name, a) for name, a in case["answers"].items()]
    return "\n".join(lines) + "\n"


def floors(cases):
    """What fretsaw is to be faster by, and is."""
    lines = [["to hold", "rows a call", "against", "at least", "measured", ""]]
    for case in cases:
        for f in held(case):
            lines.append([case["name"], f"{f['batch']:,}", label(f["peer"]), f"{f['floor']}x", f"{digits(f['ratio'])}x",
                          "" if f["held"] else "BELOW"])
        for n, of_batch in case["times"].get("fretsaw predict", {}).items():
            ours = of_batch["p50"]["ns"] / int(n)
            for peer, floor in case["floors"].get("10000", {}).items():
                theirs = ns_per_row(case, peer, 10_000)
                if theirs:
                    lines.append([f"{case['name']}, predict", f"{int(n):,}", label(peer), f"{floor}x",
                                  f"{digits(theirs / ours)}x", "" if theirs / ours >= floor else "BELOW"])
    return aligned(lines) + "\n" if len(lines) > 1 else ""
