"""Bars with the ceiling as a line and memory beside, as SVG. Standard library only."""

import html
import statistics

WIDTH, LABEL, BAR, GAP = 900, 330, 18, 6
COLOURS = {"ingot": "#2b6cb0", "ceiling:": "#718096", "part:": "#cbd5e0", "peer": "#dd6b20"}
LOGARITHMIC = ("peers-open", "peers-describe", "peers-one", "peers-view", "peers-verify")


def _kind(series):
    return next((k for k in ("ingot", "ceiling:", "part:") if series["contender"].startswith(k)), "peer")


def _value(series):
    """GB/s where bytes were counted (more is better), else milliseconds (less is better)."""
    rate = series["counters"].get("bytes_per_second")
    if rate:
        return statistics.median(rate) / 1e9
    names = series["counters"]["names"] if series["group"] == "lookup" else [1]
    scale = 1e9 if series["group"] == "lookup" else 1e3
    return statistics.median(series["seconds"]) / names[0] * scale


def _memory(series):
    """Peak of the resident set, beside the time."""
    for name in ("peak_rss_bytes", "rss_added"):
        values = series["counters"].get(name)
        if values:
            added = "" if name == "peak_rss_bytes" else "+"
            return f" · {added}{statistics.median(values) / 2**20:.1f} MiB"
    return ""


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _unit(group, series):
    if any("bytes_per_second" in entry["counters"] for entry in series):
        return "GB/s, more is better"
    return ("ns a look-up" if group == "lookup" else "ms") + ", less is better"


def _width(value, largest, smallest, logarithmic):
    if not logarithmic:
        return (WIDTH - LABEL - 150) * value / largest
    import math

    low = math.log10(smallest) - 0.3
    return (WIDTH - LABEL - 150) * (math.log10(value) - low) / (math.log10(largest) - low)


def _bars(result, group, shape, top):
    series = [entry for entry in result.of(group, shape) if entry["seconds"]]
    best = result.ceiling(group, shape)
    series = [entry for entry in series if _kind(entry) != "ceiling:" or entry is best]
    values = [_value(entry) for entry in series]
    widths = [_width(value, max(values), min(values), group in LOGARITHMIC) for value in values]
    lines = [f'<text x="8" y="{top + 14}" font-weight="bold">{html.escape(shape)}</text>']
    y = top + 22
    for entry, value, width in zip(series, values, widths):
        name = html.escape(entry["contender"])
        lines.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{name}</text>')
        lines.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[_kind(entry)]}"/>')
        lines.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 14}">{number(value)}{_memory(entry)}</text>')
        y += BAR + GAP
    if best:
        x = LABEL + widths[series.index(best)]
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 20}" y2="{y - GAP + 2}" stroke="#c53030" '
                     'stroke-dasharray="4 3"/>')
    return lines, y + 12


def write(result, group, path):
    """Writes the group's plot; None when there is nothing to show."""
    shapes = [shape for shape in result.shapes(group) if any(entry["seconds"] for entry in result.of(group, shape))]
    if not shapes:
        return None
    unit = _unit(group, [entry for shape in shapes for entry in result.of(group, shape)])
    scale = ", logarithmic" if group in LOGARITHMIC else ""
    lines, top = [f'<text x="8" y="18">{group}: {unit}{scale}; dashed: the ceiling; MiB: peak of memory</text>'], 30
    for shape in shapes:
        bars, top = _bars(result, group, shape, top)
        lines += bars
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n' + "\n".join(lines) + "\n</svg>\n")
    return path
