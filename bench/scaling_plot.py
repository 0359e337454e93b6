"""Time against tensors, bytes and threads: lines on logarithmic axes, as SVG. Standard library only."""

import html
import math
import statistics

import plot

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 900, 420, 70, 40, 30, 220
COLOURS = ["#2b6cb0", "#dd6b20", "#2f855a", "#805ad5", "#c53030", "#b7791f", "#319795", "#d53f8c", "#4a5568"]


def _median(series, counter=None):
    values = series["counters"].get(counter) if counter else series["seconds"]
    return statistics.median(values) if values else None


def _bytes(series):
    rate = _median(series, "bytes_per_second")
    return rate * _median(series) if rate else None


def _lines(result, group, of, admits=lambda entry: True):
    """contender -> sorted [(x, seconds)] of those with at least two points."""
    lines = {}
    for entry in result.series:
        if entry["group"] == group and entry["seconds"] and admits(entry) and of(entry):
            lines.setdefault(entry["contender"], []).append((of(entry), _median(entry)))
    return {name: sorted(points) for name, points in lines.items() if len({x for x, _ in points}) > 1}


def charts(result):
    """[(file name, title, unit of x, lines)] of what has been measured at two sizes or more."""
    decoder = lambda entry: entry["shape"].startswith("decoder")  # noqa: E731
    threads = [entry for entry in result.series if entry["group"] == "verify-warm" and entry["seconds"] and decoder(entry)]
    most = max((_median(entry, "workers") or 0 for entry in threads), default=0)
    size = max((_bytes(entry) or 0 for entry in threads), default=0)
    all_charts = [
        ("open-tensors", "Open, against the number of tensors", "tensors",
         _lines(result, "peers-open", lambda entry: _median(entry, "tensors"))),
        ("load-bytes", "Load to host, warm, against bytes", "bytes", _lines(result, "peers-load", _bytes, decoder)),
        ("verify-bytes", "Verify, warm, against bytes", "bytes",
         _lines(result, "verify-warm", _bytes, lambda entry: decoder(entry) and _median(entry, "workers") == most)),
        ("verify-threads", "Verify, warm, against threads", "threads",
         _lines(result, "verify-warm", lambda entry: _median(entry, "workers"),
                lambda entry: decoder(entry) and (_bytes(entry) or 0) > 0.9 * size)),
    ]
    return [chart for chart in all_charts if chart[3]]


class Axes:
    """From values to places, both axes logarithmic."""

    def __init__(self, points):
        self.x, self.y = self.range([x for x, _ in points]), self.range([y for _, y in points])

    @staticmethod
    def range(values):
        low, high = math.log10(min(values)), math.log10(max(values))
        return low, high if high > low else low + 1

    def place(self, x, y):
        across = (math.log10(x) - self.x[0]) / (self.x[1] - self.x[0])
        up = (math.log10(y) - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)


def _label(value, unit):
    if unit != "bytes":
        return plot.number(value)
    return f"{value / 2**30:.3g} GiB" if value >= 2**30 else f"{value / 2**20:.3g} MiB"


def _grid(axes, points, unit):
    lines = []
    for x in sorted({x for x, _ in points}):
        across, _ = axes.place(x, points[0][1])
        lines.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_label(x, unit)}</text>')
    for power in range(math.floor(axes.y[0]), math.ceil(axes.y[1]) + 1):
        if axes.y[0] <= power <= axes.y[1]:
            _, up = axes.place(points[0][0], 10.0**power)
            lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up:.1f}" y2="{up:.1f}" stroke="#cbd5e0"/>')
            lines.append(f'<text x="{LEFT - 6}" y="{up + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    return lines


def svg(title, unit, lines):
    points = [point for line in lines.values() for point in line]
    axes = Axes(points)
    parts = [f'<text x="8" y="18">{html.escape(title)}: seconds against {unit}, both logarithmic</text>', *_grid(axes, points, unit)]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="6 3"' if name.startswith("ceiling:") else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (axes.place(*point) for point in line))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        y = TOP + 16 * number + 12
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{colour}">{html.escape(name)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def write(result, folder):
    """Writes every chart; [(title, path)]."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, title, unit, lines in charts(result):
        path = folder / f"{name}.svg"
        path.write_text(svg(title, unit, lines))
        written.append((title, path))
    return written
