"""Time against tensors, bytes and threads: points, lines and slopes of one run each. Standard library only."""

import dataclasses
import re
import statistics

from result import cost, kind, median, of_one_run, run_of, size
from units import number, seconds_text, size_text

MIB, GIB = 2**20, 2**30
PLANNED_BYTES = 16 * GIB  # how far time against bytes is to be measured


def tensors(entry):
    found = re.match(r"small-(\d+)", entry["shape"])
    return int(found[1]) if found else None


def threads(entry):
    found = re.search(r"-(\d+)threads$", entry["shape"])
    return int(found[1]) if found else None


def model_bytes(entry):
    """Of shapes that differ in their size alone, 300 large tensors or a single one: what their names say, so that all
    contenders have it alike."""
    found = re.match(r"(?:decoder|one)-(\d+)", entry["shape"])
    return int(found[1]) * MIB if found else None


@dataclasses.dataclass(frozen=True)
class Sweep:
    name: str  # of the picture's file
    title: str
    unit: str  # of x
    group: str
    x: callable  # None: the series is no point of it


SWEEPS = [
    Sweep("open-tensors-loop", "Open, in a loop, against the number of tensors", "tensors", "open", tensors),
    Sweep("open-tensors", "Open, in a fresh process, against the number of tensors", "tensors", "peers-open", tensors),
    Sweep("load-bytes", "Load to host, warm, against bytes", "bytes", "peers-load", model_bytes),
    Sweep("load-cold-bytes", "Load to host, cold, against bytes", "bytes", "peers-load-cold", model_bytes),
    Sweep("save-bytes-alone", "Durable save against bytes", "bytes", "save", model_bytes),
    Sweep("save-bytes", "Durable save, beside other libraries, against bytes", "bytes", "peers-save", model_bytes),
    Sweep("verify-bytes", "Verify, warm, by all threads, against bytes", "bytes", "verify-warm", model_bytes),
    Sweep("verify-cold-bytes", "Verify, cold, against bytes", "bytes", "verify-cold", model_bytes),
    Sweep("verify-threads", "Verify, warm, against threads", "threads", "verify-warm", threads),
]


@dataclasses.dataclass
class Chart:
    sweep: Sweep
    lines: dict  # contender -> sorted [(x, seconds)]
    run: str  # the earlier run that all points are of; empty for this one
    left_out: int  # points of other runs

    def range(self):
        xs = [x for line in self.lines.values() for x, _ in line]
        return min(xs), max(xs)


def without_slower_ceilings(all_series):
    """Of a shape's ceilings the best, under one name for all shapes."""
    best = {}
    for entry in all_series:
        if kind(entry) == "ceiling:":
            best[entry["shape"]] = min(best.get(entry["shape"], entry), entry, key=cost)
    return ([entry for entry in all_series if kind(entry) in ("ingot", "peer")]
            + [{**entry, "contender": "ceiling"} for entry in best.values()])


def candidates(result, sweep):
    """Series of a sweep, those alike in all but x."""
    found = [entry for entry in result.series if entry["group"] == sweep.group and entry["seconds"] and sweep.x(entry)]
    if sweep.unit == "threads":
        return largest_with_several(found)
    if sweep.unit == "bytes":
        found = without_twins(found, sweep.x)
    if sweep.group == "verify-warm":
        most = max((threads(entry) or 0 for entry in found), default=0)
        return [entry for entry in found if (threads(entry) or 0) == most]
    return found


def without_twins(all_series, x):
    """Without a single tensor of a size that 300 were measured at: a line has one point a size."""
    many = {x(entry) for entry in all_series if not entry["shape"].startswith("one")}
    return [entry for entry in all_series if not entry["shape"].startswith("one") or x(entry) not in many]


def largest_with_several(all_series):
    """Those of the largest shape that was measured with several numbers of threads."""
    shapes = {}
    for entry in all_series:
        shapes.setdefault(entry["shape"].rpartition("-")[0], []).append(entry)
    several = [same for same in shapes.values() if len({threads(entry) for entry in same}) > 1]
    return max(several, key=lambda same: max(size(entry) or 0 for entry in same), default=[])


def lines_of(all_series, x):
    """Those with at least two points."""
    lines = {}
    for entry in without_slower_ceilings(all_series):
        lines.setdefault(entry["contender"], []).append((x(entry), median(entry)))
    return {name: sorted(points) for name, points in lines.items() if len({x for x, _ in points}) > 1}


def chart(result, sweep):
    found = candidates(result, sweep)
    kept = of_one_run(found)
    return Chart(sweep, lines_of(kept, sweep.x), run_of(kept[0]) if kept else "", len(found) - len(kept))


def charts(result):
    """Of what was measured at two places or more."""
    return [made for made in (chart(result, sweep) for sweep in SWEEPS) if made.lines]


def x_text(value, unit):
    return size_text(value) if unit == "bytes" else number(value)


def slope(points):
    """Least squares through (x, y)."""
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*points))
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below


def growth(points, unit):
    """What a line says, as text."""
    if unit == "threads":
        (few, slow), (many, fast) = points[0], points[-1]
        return f"{many} threads are {slow / fast:.2f}x as fast as {few}"
    each, scale = ("a tensor", 1) if unit == "tensors" else ("a GiB", GIB)
    return f"{seconds_text(slope(points) * scale)} {each}"


def origin(made):
    """Of which run a chart is, where it is not this one, and what is left out for that; one line, or empty."""
    notes = [f"Of an earlier run: Ingot {made.run}"] if made.run else []
    notes += [f"Left out, being of other runs: {made.left_out} series"] if made.left_out else []
    return ". ".join(notes)


def described(made):
    unit = made.sweep.unit
    low, high = (x_text(x, unit) for x in made.range())
    what = ", ".join(f"`{name}` {growth(points, unit)}" for name, points in made.lines.items())
    note = f" {origin(made)}." if origin(made) else ""
    return f"* {made.sweep.title}, {low} to {high}: {what}.{note}"


def reach(all_charts):
    """How far time against bytes goes."""
    largest = max((made.range()[1] for made in all_charts if made.sweep.unit == "bytes"), default=PLANNED_BYTES)
    if largest >= 0.9 * PLANNED_BYTES:
        return []
    return [f"* Bytes go up to {size_text(largest)}. The protocol asks for {size_text(PLANNED_BYTES)}: above "
            f"{size_text(largest)} nothing was measured here, for want of time and disk."]


def threads_told(all_charts, processors):
    """Where threads were varied, and how far."""
    made = next((made for made in all_charts if made.sweep.unit == "threads"), None)
    if not made:
        return []
    counts = sorted({x for line in made.lines.values() for x, _ in line})
    return [f"* Threads: of verify alone, {' and '.join(map(number, counts))}; this machine has {processors} processors."]


def section(result, processors):
    """Lines: slopes by least squares, each of one run."""
    made = charts(result)
    return [described(one) for one in made] + threads_told(made, processors) + reach(made)
