"""Two kinds of plot as SVG: bars on a logarithmic scale, and lines on two of them. Plain text out, no library."""

import html
import math

INK, FAINT, GRID, ACCENT, OTHER = "#1f2328", "#6e7781", "#e4e7eb", "#0f766e", "#b8c0c8"
LINES = ["#0f766e", "#b45309", "#6d28d9", "#be123c", "#1d4ed8"]
FONT = "ui-sans-serif, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"


def text(x, y, what, size=12, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{html.escape(what)}</text>')


def line(x1, y1, x2, y2, colour=GRID, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def page(width, height, title, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" '
            f'height="{height:.0f}" font-family="{FONT}" role="img">')
    paper = f'<rect width="{width}" height="{height:.0f}" rx="6" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{html.escape(title)}</title>", paper, *parts, "</svg>"]) + "\n"


def ticks(low, high):
    """Powers of ten from below `low` to above `high`."""
    return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def short(x):
    """A tick's number: 1, 10, 1k, 10k."""
    return f"{x / 1e6:g}M" if x >= 1e6 else f"{x / 1e3:g}k" if x >= 1e3 else f"{x:g}"


def bars(title, unit, groups, value):
    """Groups of (name, [(label, value, ours)]), on one logarithmic scale; `value` writes a figure."""
    width, left, right, row = 820, 150, 90, 18
    shown = [v for _, group in groups for _, v, _ in group]
    scale = ticks(min(shown), max(shown))
    low, high = math.log10(scale[0]), math.log10(scale[-1])
    x = lambda v: left + (math.log10(v) - low) / (high - low) * (width - left - right)  # noqa: E731
    parts, y = [text(20, 28, title, 15, weight="600"), text(20, 46, unit, 12, FAINT)], 66
    top = y
    for name, group in groups:
        y += 18
        parts.append(text(20, y, name, 12, weight="600"))
        y += 8
        for label, v, ours in group:
            parts.append(f'<rect x="{left}" y="{y + 2:.1f}" width="{max(x(v) - left, 1):.1f}" height="{row - 5}" rx="2" '
                         f'fill="{ACCENT if ours else OTHER}"/>')
            parts.append(text(left - 8, y + 13, label, 12, INK if ours else FAINT, "end", "600" if ours else "normal"))
            parts.append(text(x(v) + 6, y + 13, value(v), 11, INK if ours else FAINT))
            y += row
        y += 6
    grid = [line(x(t), top, x(t), y, GRID) for t in scale]
    labels = [text(x(t), y + 16, short(t), 11, FAINT, "middle") for t in scale]
    return page(width, y + 30, title, [*parts[:2], *grid, *parts[2:], *labels])


def lines(title, unit, across, series):
    """Series of (name, [(x, y)]) on logarithmic scales; names stand at the right ends."""
    width, height, left, right, top, bottom = 820, 420, 60, 200, 66, 46
    xs = [x for _, points in series for x, _ in points]
    ys = [y for _, points in series for _, y in points]
    scale = ticks(min(ys), max(ys))
    low, high = math.log10(scale[0]), math.log10(scale[-1])
    first, last = math.log2(min(xs)), math.log2(max(xs))
    px = lambda v: left + (math.log2(v) - first) / (last - first) * (width - left - right)  # noqa: E731
    py = lambda v: height - bottom - (math.log10(v) - low) / (high - low) * (height - top - bottom)  # noqa: E731
    parts = [text(20, 28, title, 15, weight="600"), text(20, 46, unit, 12, FAINT)]
    for t in scale:
        parts += [line(left, py(t), width - right, py(t)), text(left - 8, py(t) + 4, short(t), 11, FAINT, "end")]
    for v in sorted(set(xs)):
        if math.log2(v).is_integer():
            parts.append(text(px(v), height - bottom + 18, short(v), 11, FAINT, "middle"))
    parts.append(text((left + width - right) / 2, height - 8, across, 11, FAINT, "middle"))
    # Names that would cover each other move apart.
    ends = sorted(((py(points[-1][1]), i) for i, (_, points) in enumerate(series)))
    at, before = {}, -math.inf
    for y, i in ends:
        before = at[i] = max(y, before + 15)
    for i, (name, points) in enumerate(series):
        colour = LINES[i % len(LINES)]
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>')
        parts += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
        parts.append(text(width - right + 10, at[i] + 4, name, 12, colour))
    return page(width, height, title, parts)
