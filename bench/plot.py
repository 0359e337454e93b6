"""Bars with the ceiling as a line and memory beside, as SVG. Standard library only."""

import html
import math

from result import cost, counter, kind, median, rate
from units import number

WIDTH, LABEL, BAR, GAP, BESIDE = 900, 330, 18, 6, 200
COLOURS = {"ingot": "#2b6cb0", "peer": "#dd6b20", "part:": "#cbd5e0", "ceiling:": "#718096"}
INK = "#1a202c"
LOGARITHMIC_FROM = 100  # times the shortest bar
MEMORY = (("peak_rss_bytes", ""), ("rss_added", "+"), ("peak_device_bytes", "GPU "))


def value(series, by_rate):
    """GB/s where bytes were counted (more is better), else milliseconds, or nanoseconds a look-up (less is better)."""
    if by_rate:
        return rate(series) / 1e9
    if series["group"] == "lookup":
        return median(series) / counter(series, "names") * 1e9
    return median(series) * 1e3


def memory(series):
    """Peaks of memory, beside the time."""
    texts = [f"{sign}{counter(series, name) / 2**20:,.1f} MiB" for name, sign in MEMORY if counter(series, name) is not None]
    return "".join(" · " + text for text in texts)


def unit(group, by_rate):
    if by_rate:
        return "GB/s, more is better"
    return ("ns a look-up" if group == "lookup" else "ms") + ", less is better"


def width(one, largest, smallest, logarithmic):
    if not logarithmic:
        return (WIDTH - LABEL - BESIDE) * one / largest
    low = math.log10(smallest) - 0.3
    return (WIDTH - LABEL - BESIDE) * (math.log10(one) - low) / (math.log10(largest) - low)


def shown(result, group, shape, by_rate):
    """All but the ceilings that are not the best, and what has no rate among rates; by kind, the fastest first."""
    best = result.ceiling(group, shape)
    series = [entry for entry in result.of(group, shape)
              if entry["seconds"] and (rate(entry) or not by_rate) and (kind(entry) != "ceiling:" or entry is best)]
    return sorted(series, key=lambda entry: (list(COLOURS).index(kind(entry)), cost(entry)))


def label(entry, text, end, y):
    """The text twice: first white and wide, for what the ceiling's line may cross."""
    at = f'x="{LABEL + end + 6:.1f}" y="{y + 14}"'
    return [f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end" fill="{INK}">{html.escape(entry["contender"])}</text>',
            f'<text {at} stroke="white" stroke-width="3">{text}</text>', f'<text {at} fill="{INK}">{text}</text>']


def spread(result, group, shape, by_rate):
    values = [value(entry, by_rate) for entry in shown(result, group, shape, by_rate)]
    return max(values) / min(values) if values else 1


def bars(result, group, shape, top, by_rate, logarithmic):
    series = shown(result, group, shape, by_rate)
    values = [value(entry, by_rate) for entry in series]
    lines = [f'<text x="8" y="{top + 14}" font-weight="bold" fill="{INK}">{html.escape(shape)}</text>']
    widths = [width(one, max(values), min(values), logarithmic) for one in values]
    tops = [top + 22 + number_of * (BAR + GAP) for number_of in range(len(series))]
    bottom = top + 22 + len(series) * (BAR + GAP)
    for entry, end, y in zip(series, widths, tops):
        lines.append(f'<rect x="{LABEL}" y="{y}" width="{end:.1f}" height="{BAR}" fill="{COLOURS[kind(entry)]}"/>')
    lines += [f'<line x1="{LABEL + end:.1f}" x2="{LABEL + end:.1f}" y1="{top + 20}" y2="{bottom - GAP + 2}" stroke="#c53030" '
              'stroke-dasharray="4 3"/>' for entry, end in zip(series, widths) if kind(entry) == "ceiling:"]
    for entry, one, end, y in zip(series, values, widths, tops):
        lines += label(entry, f"{number(one)}{memory(entry)}", end, y)
    return lines, bottom + 12


def write(result, group, path):
    """Writes the group's plot; None when there is nothing to show."""
    shapes = [shape for shape in result.shapes(group) if any(entry["seconds"] for entry in result.of(group, shape))]
    if not shapes:
        return None
    by_rate = any(rate(entry) for shape in shapes for entry in result.of(group, shape))
    logarithmic = max(spread(result, group, shape, by_rate) for shape in shapes) >= LOGARITHMIC_FROM
    scale = ", logarithmic" if logarithmic else ""
    about = f"{group}: {unit(group, by_rate)}{scale}; dashed: the best ceiling; MiB: peak of memory, with + what was added"
    lines, top = [f'<text x="8" y="18" fill="{INK}">{about}</text>'], 30
    for shape in shapes:
        more, top = bars(result, group, shape, top, by_rate, logarithmic)
        lines += more
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n' + "\n".join(lines) + "\n</svg>\n")
    return path
