"""Lines on logarithmic axes, as SVG: what scaling.py has found. Standard library only."""

import html
import math

from scaling import x_text
from units import seconds_text

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 900, 460, 70, 40, 30, 220
COLOURS = ["#2b6cb0", "#dd6b20", "#2f855a", "#805ad5", "#c53030", "#b7791f", "#319795", "#d53f8c", "#4a5568"]
STYLES = [(colour, dash) for dash in ("", ' stroke-dasharray="7 3"', ' stroke-dasharray="8 3 2 3"') for colour in COLOURS]
CEILING = ("#718096", ' stroke-dasharray="2 3"')
MOST_TICKS = 9


def powers(low, high, base):
    """Powers of `base` around [low, high]; every second, third ... where there would be too many."""
    first, last = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
    step = math.ceil(max(last - first, 1) / MOST_TICKS)
    return [base**power for power in range(first, max(last, first + 1) + step, step)]


def ones_twos_fives(low, high):
    """1, 2, 5, 10 ... around [low, high]."""
    steps = [factor * 10.0**power for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
             for factor in (1, 2, 5)]
    below = max(step for step in steps if step <= low * (1 + 1e-9))
    above = min(step for step in steps if step >= high * (1 - 1e-9) and step > below)
    return [step for step in steps if below <= step <= above]


def ticks_of_x(low, high, unit):
    return powers(low, high, 10 if unit == "tensors" else 2)


def ticks_of_seconds(low, high):
    fine = ones_twos_fives(low, high)
    return fine if len(fine) <= MOST_TICKS else powers(low, high, 10.0)


class Axis:
    """From values to places, logarithmically; from the first tick to the last."""

    def __init__(self, ticks, begin, end):
        self.ticks, self.begin, self.end = ticks, begin, end

    def place(self, value):
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        return self.begin + (math.log(value) - low) / (high - low) * (self.end - self.begin)


def axes(points, unit):
    xs, ys = zip(*points)
    return (Axis(ticks_of_x(min(xs), max(xs), unit), LEFT, WIDTH - RIGHT),
            Axis(ticks_of_seconds(min(ys), max(ys)), HEIGHT - BOTTOM, TOP))


def grid(across, up, unit):
    lines = []
    for tick in across.ticks:
        x = across.place(tick)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#e2e8f0"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x_text(tick, unit)}</text>')
    for tick in up.ticks:
        y = up.place(tick)
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{seconds_text(tick)}</text>')
    return lines


def line(name, number, points, across, up):
    colour, dash = CEILING if name == "ceiling" else STYLES[number % len(STYLES)]
    places = [(across.place(x), up.place(y)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    legend = TOP + 16 * number + 12
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
            f'<line x1="{WIDTH - RIGHT + 10}" x2="{WIDTH - RIGHT + 34}" y1="{legend - 4}" y2="{legend - 4}" stroke="{colour}" '
            f'stroke-width="2"{dash}/>',
            f'<text x="{WIDTH - RIGHT + 40}" y="{legend}" fill="#1a202c">{html.escape(name)}</text>']


def svg(title, unit, lines):
    across, up = axes([point for points in lines.values() for point in points], unit)
    parts = [f'<text x="8" y="18" fill="#1a202c">{html.escape(title)}; both axes logarithmic</text>', *grid(across, up, unit)]
    for number, (name, points) in enumerate(lines.items()):
        parts += line(name, number, points, across, up)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
            'font-size="12">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def write(charts, folder):
    """Writes every chart; [(chart, path)]."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for made in charts:
        path = folder / f"{made.sweep.name}.svg"
        path.write_text(svg(made.sweep.title, made.sweep.unit, made.lines))
        written.append((made, path))
    return written
