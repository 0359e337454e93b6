#!/usr/bin/env python3
"""Turns a result file into docs/performance.md and its plots:
bench/report.py RESULT.json [OUT.md] [--integrity OTHER.json] [--gpu GPU.json]

Ratios are ratios of medians from one run; "spread" is the smallest and the largest repetition. The targets are those of
bench/targets.py, their verdicts verdicts.py's. --gpu takes what bench/gpu.py has written: its tables, and verdicts on the
targets that need a GPU.
Standard library only.
"""

import argparse
import json
import pathlib

import gpu_report
import integrity_report
import plot
import scaling
import scaling_plot
import verdicts
from conditions import conditions
from groups import GROUPS
from markdown import escape, table
from result import Result, counter, kind, median, ratio_to, runs_of
from units import bytes_text, seconds_text

ROOT = pathlib.Path(__file__).resolve().parent.parent


def gigabytes(value):
    return f"{value / 1e9:.2f}" if value else ""


def nanoseconds(value):
    return f"{value:.0f} ns"


# Counters that are shown, each where a contender has it.
COLUMNS = [
    ("GB/s", "bytes_per_second", gigabytes), ("RSS added", "rss_added", bytes_text), ("peak RSS", "peak_rss_bytes", bytes_text),
    ("staging", "staging", bytes_text), ("pinned", "peak_pinned_bytes", bytes_text),
    ("device memory", "peak_device_bytes", bytes_text),
    ("read", "storage_read", bytes_text), ("written", "storage_written", bytes_text), ("file", "file_bytes", bytes_text),
    ("p50", "p50_ns", nanoseconds), ("p99", "p99_ns", nanoseconds), ("clock", "clock_ns", nanoseconds),
    ("allocations", "allocations", lambda value: f"{value:.0f}"), ("process", "process_seconds", seconds_text),
]


def cell(entry, name, text):
    value = counter(entry, name)
    return "" if value is None else text(value)


def name_cell(entry, ours):
    """The contender; whether it is a peer that is faster than Ingot; what went wrong after some good repetitions."""
    notes = [entry["contender"]]
    times = verdicts.ahead(entry, ours) if kind(entry) == "peer" else None
    notes += [f"**faster than `{ours['contender']}`, {times:.2f}x**"] if times else []
    notes += [f"**failed** after {len(entry['seconds'])}: {escape(entry['errors'][0])}"] if entry["errors"] else []
    return "; ".join(notes)


def row(entry, base, ours, columns):
    """`base`: what "to ..." compares with; `ours`: what a peer is held against."""
    if not entry["seconds"]:
        return [entry["contender"], "cannot: " + escape(entry["errors"][0]), "", ""] + [""] * len(columns)
    calls = counter(entry, "names") if entry["group"] == "lookup" else 1
    low, high = (seconds_text(value / calls) for value in (min(entry["seconds"]), max(entry["seconds"])))
    factor = ratio_to(entry, base)
    return [name_cell(entry, ours), seconds_text(median(entry) / calls), f"{low} – {high}",
            f"{factor:.2f}x" if factor else "", *(cell(entry, name, text) for _, name, text in columns)]


def details(result, group, shape):
    """One table: every contender of a group and shape."""
    series = result.of(group, shape)
    to_ingot = group.startswith("peers")
    ours = verdicts.base(result, group, shape)
    base = result.find(group, shape, "ingot") if to_ingot else result.ceiling(group, shape)
    columns = [column for column in COLUMNS if any(column[1] in entry["counters"] for entry in series)]
    head = ["contender", "median", "spread", "to Ingot" if to_ingot else "to ceiling", *(title for title, _, _ in columns)]
    rows = [row(entry, base, ours, columns) for entry in sorted(series, key=lambda entry: median(entry) or float("inf"))]
    return f"**{shape}**\n\n" + table(head, rows) + "".join(f"\n\nOf an earlier run: Ingot {run}." for run in runs_of(series))


def picture(result, group, path, folder):
    image = plot.write(result, group, folder / f"{group}.svg")
    if not image:
        return ""
    runs = {shape: runs_of(result.of(group, shape)) for shape in result.shapes(group)}
    earlier = [f"{shape} (Ingot {', '.join(of)})" for shape, of in runs.items() if of]
    note = f"\nOf earlier runs: {'; '.join(earlier)}.\n" if earlier else ""
    return f"![{GROUPS[group][0]}]({image.relative_to(path.parent)})\n" + note


def section(result, group, path, folder):
    title, about = GROUPS[group]
    tables = "\n\n".join(details(result, group, shape) for shape in result.shapes(group))
    return f"\n## {title}\n\n{about}\n\n{picture(result, group, path, folder)}\n{tables}"


def scaling_section(result, processors, path, folder):
    text = ["\n## Scaling\n", "Slopes are by least squares; no slope and no line mixes two runs.\n",
            *scaling.section(result, processors)]
    for made, image in scaling_plot.write(scaling.charts(result), folder):
        note = scaling.origin(made)
        text.append(f"\n![{made.sweep.title}]({image.relative_to(path.parent)})" + (f"\n\n{note}." if note else ""))
    return "\n".join(text)


def settings(data):
    """How each contender was called."""
    if not data.get("settings"):
        return ""
    rows = [[f"`{name}`", escape(text)] for name, text in data["settings"].items()]
    about = "\n## Settings\n\nHow each contender is called; the best that its documentation has.\n\n"
    return about + table(["contender", "settings"], rows, 2)


def integrity_source(data):
    """Of which run the test of flipped bits is; empty for this one."""
    taken = [f"Ingot {run['of']}" for run in data.get("runs", []) if "integrity" in run["groups"]]
    return data.get("integrity_of") or "; ".join(taken)


def targets_section(result, footnotes, quick):
    return "\n".join([
        "\n## Targets\n",
        "They are set in `bench/targets.py`. A *stand-in* is a target of our own, judged on host memory: it stands in for "
        "one that needs a GPU.\n",
        verdicts.RULE, verdicts.count(result), "", verdicts.target_table(result, footnotes), "", *footnotes.lines(),
        *([] if quick else ["", *verdicts.not_measured(result)]),
        "\nWhat is judged is one call, what a caller gets or is told to use, not the best of several:\n", verdicts.calls()])


INTRO = """# Performance

<!-- Written by bench/report.py from a file in bench/results/: change those, not this. -->

Absolute numbers say little on another machine. What counts is each ratio: of medians, from one run in which the
contenders took turns, on the same bytes. Beside every result stands the ceiling, which is what this machine can do at
best, measured in the same run. Every call beside other libraries is a fresh process, and so is every round of a shape of
Ingot's own programs; the state of the page cache is made before, and proven. All files lie on the file system that is
named below; tmpfs is not measured. `part:` rows are pieces of Ingot's own work, measured alone, to explain a result. `GB/s`
are 10^9 bytes a second; `RSS added` is the peak of the resident set over what it was before, mapped pages of the page cache
included; `staging` is the memory through which bytes go to their destination; `read` and `written` are bytes from and to
storage. `process` is a contender's whole process, with the start of its interpreter: it is stated and not compared. Where a
peer is faster than Ingot, its row says so.
"""


QUICK = "**A quick run at tiny sizes: it shows that the benchmarks work. The numbers mean nothing.**\n"


def write(data, path):
    result, folder = Result(data["series"] + gpu_report.series(data.get("gpu"))), path.parent / path.stem
    footnotes = verdicts.Footnotes(result)
    quick = QUICK if data["quick"] else ""
    behind = verdicts.shortfalls(result, footnotes) + verdicts.losses(result, footnotes)
    text = [
        INTRO, quick, conditions(data, result), targets_section(result, footnotes, data["quick"]),
        "\n## Where Ingot falls short or loses\n", "\n".join(behind) or "Nowhere in this run.",
        integrity_report.section(data.get("integrity", []), integrity_source(data)),
        scaling_section(result, data["machine"]["processors"], path, folder), gpu_report.section(data.get("gpu")),
        *(section(result, group, path, folder) for group in GROUPS if group in result.groups()), settings(data)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(part for part in text if part) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=ROOT / "docs/performance.md")
    parser.add_argument("--integrity", type=pathlib.Path, help="another result, whose flipped bits are taken where this has none")
    parser.add_argument("--gpu", type=pathlib.Path, help="what bench/gpu.py has written")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = json.loads(arguments.result.read_text())
    if arguments.integrity and not data.get("integrity"):
        other = json.loads(arguments.integrity.read_text())
        packages = ", ".join(f"{name} {version}" for name, version in other["peers"].items())
        data["integrity"] = other["integrity"]
        data["integrity_of"] = f"Ingot {other['machine']['commit']}, {other['date']}; {packages}"
        data.setdefault("absent", other["absent"])
        data.setdefault("settings", other["settings"])
    if arguments.gpu:
        data["gpu"] = json.loads(arguments.gpu.read_text())
    write(data, arguments.out)


if __name__ == "__main__":
    main()
