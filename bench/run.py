#!/usr/bin/env python3
"""Measures a build and writes one JSON file. Exit code 1 when Ingot reported an error (a peer's is a result), when it
let a flipped bit through, or when --guard finds a ratio out of its bound.

First damaged files (integrity_run); then the programs bench_*, each beside its ceiling; then Ingot and its peers in
turn (compare_run), the latter only with --peers; then the saving and resuming of a training run (training_run). The
JSON holds date, command, machine, load, the peers' versions, who was absent and why and, for each series (group, shape,
contender), seconds and counters of every repetition. --report also writes the Markdown of docs/performance.md, from
that JSON. scripts/bench calls this. Standard library only.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import compare_run
import contenders
import guard
import integrity_run
import machine
import processes
import report
import training_run
from journal import Journal
from progress import Progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ["integrity", "programs", "peers", "training"]
PROGRAMS = ["open", "lookup", "verify_warm", "verify_cold", "load", "save"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="build folder")
    parser.add_argument("--cache", type=pathlib.Path, help="folder of the input files (default: in the build folder)")
    parser.add_argument("--out", type=pathlib.Path, help="result file (default: bench/results/<date>-<machine>.json)")
    parser.add_argument("--report", type=pathlib.Path, help="Markdown file to write")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, few repetitions: shows that all works")
    parser.add_argument("--filter", default="", help="regular expression on group/shape/contender")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be given again); default: all")
    parser.add_argument("--repetitions", type=int, default=0, help="default: 7, or 1 with --quick, or 3 with --guard")
    parser.add_argument("--mib", type=int, default=1024, help="size of what is loaded and saved beside the peers (1024)")
    parser.add_argument("--weights", type=pathlib.Path, help="an Ingot file of real weights, measured beside the shapes")
    parser.add_argument("--device", default="cuda:0", help="where loads to a GPU go, on a machine that has one")
    parser.add_argument("--resume", action="store_true", help="go on with a run of the same commit and size that was stopped")
    parser.add_argument("--guard", type=pathlib.Path, help="bounds of ratios (bench/bounds.json); one that breaks fails the run")
    parser.add_argument("--peers", type=pathlib.Path, help="Python interpreter that has the peers")
    parser.add_argument("--over", type=pathlib.Path, help="earlier result, whose other groups are taken over; a note says so")
    parser.add_argument("--no-peers", action="store_true", help="leave out the comparison with other libraries")
    arguments = parser.parse_args()
    if arguments.guard and not arguments.filter:
        arguments.filter = guard.pattern(json.loads(arguments.guard.read_text()))
    default = 3 if arguments.guard else 1 if arguments.quick else 7
    arguments.repetitions = arguments.repetitions or default
    arguments.part = arguments.part or PARTS
    arguments.build = arguments.build.resolve()
    arguments.weights = arguments.weights.resolve() if arguments.weights else None
    arguments.cache = (arguments.cache or arguments.build / "bench-cache").resolve()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    return arguments


def benchmark_command(program, arguments, out):
    # Repetitions of what takes milliseconds cost nothing, and the guard takes the fastest.
    repetitions = 5 * arguments.repetitions if arguments.guard else arguments.repetitions
    command = [
        str(arguments.build / "bin" / f"bench_{program}"),
        f"--ingot_cache={arguments.cache}",
        f"--benchmark_repetitions={repetitions}",
        "--benchmark_enable_random_interleaving=true",
        f"--benchmark_out={out}",
        "--benchmark_out_format=json",
    ]
    if arguments.quick:
        command += ["--ingot_quick", "--benchmark_min_time=0.001"]
    if arguments.filter:
        command.append(f"--benchmark_filter={arguments.filter}")
    return command


SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What Google Benchmark puts behind the names given to it.
SUFFIX = re.compile(r"/(iterations:\d+|repeats:\d+|manual_time|real_time)")
NOT_COUNTERS = {
    "name", "run_name", "run_type", "family_index", "per_family_instance_index", "repetitions", "repetition_index",
    "threads", "iterations", "real_time", "cpu_time", "time_unit", "error_occurred", "error_message", "label",
}


def collect(raw):
    """Series out of Google Benchmark's JSON, one a contender, its repetitions in order."""
    series = {}
    for run in raw["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        group, shape, contender = SUFFIX.sub("", run["run_name"]).split("/", 2)
        entry = series.setdefault(
            (group, shape, contender),
            {"group": group, "shape": shape, "contender": contender, "seconds": [], "counters": {}, "errors": []},
        )
        if run.get("error_occurred"):
            entry["errors"].append(run.get("error_message", ""))
            continue
        entry["seconds"].append(run["real_time"] * SECONDS[run["time_unit"]])
        for name, value in run.items():
            if name not in NOT_COUNTERS:
                entry["counters"].setdefault(name, []).append(value)
    return list(series.values())


def run_benchmarks(program, arguments):
    out = arguments.cache / f"{program}.json"
    out.unlink(missing_ok=True)
    command = benchmark_command(program, arguments, out)
    print(f"== bench_{program}", flush=True)
    code = subprocess.run(command, check=False).returncode
    if not out.exists() or out.stat().st_size == 0:
        return code == 0, []
    return code == 0, collect(json.loads(out.read_text()))


def take_over(result, earlier):
    """What this run has not measured, from an earlier one, by group and shape: no ratio mixes two runs."""
    measured = {(entry["group"], entry["shape"]) for entry in result["series"]}
    for entry in earlier["series"]:
        if (entry["group"], entry["shape"]) not in measured:
            result["series"].append({"of": f"{earlier['machine']['commit']}, {earlier['date']}", **entry})
    result["notes"] = [note for note in earlier.get("notes", []) if not note.startswith("Of earlier runs")]
    for name in ("integrity", "absent", "settings"):
        result[name] = result.get(name) or earlier.get(name) or type(result[name])()
    runs = {}
    for entry in result["series"]:
        if "of" in entry:
            runs.setdefault(entry["of"], set()).add(entry["group"])
    result["notes"] += [f"Of earlier runs, Ingot {run}: {', '.join(sorted(groups))} (in part or whole). No ratio mixes two runs."
                        for run, groups in sorted(runs.items())]


def identity(arguments, facts):
    """What two runs must share for one to go on with the other's measurements."""
    return {"commit": facts["commit"], "machine": facts["name"], "quick": arguments.quick, "mib": arguments.mib,
            "peers": contenders.versions(arguments.peers)}


def programs(arguments, journal):
    """(whether all did, series) of the programs bench_*; one is measured again as a whole."""
    good, series = True, []
    for program in PROGRAMS:
        # JSON makes a list of the pair.
        program_good, program_series = journal.once(
            ("program", program, arguments.filter), lambda p=program: list(run_benchmarks(p, arguments)))
        good &= program_good
        series += program_series
    return good, series


def peers_in_turn(arguments, journal):
    work = compare_run.chosen(arguments, arguments.peers)
    steps = Progress(arguments.repetitions * sum(len(names) for _, names in work))
    return compare_run.run(arguments, processes.Runner(arguments.build, arguments.peers), work, journal, steps)


def measure(arguments, journal):
    """(whether Ingot did all, series, integrity)"""
    good, series, integrity = True, [], []
    if "integrity" in arguments.part:
        good, integrity = integrity_run.run(arguments, arguments.peers, journal, arguments.filter)
    for part, work in (("programs", programs), ("peers", peers_in_turn), ("training", training_run.run)):
        if part in arguments.part:
            part_good, part_series = work(arguments, journal)
            good &= part_good
            series += part_series
    return good, series, integrity


def held(arguments, result):
    """Whether the ratios are within their bounds; says which are not."""
    if not arguments.guard:
        return True
    verdict = guard.check(result["series"], json.loads(arguments.guard.read_text()))
    print("\n".join(verdict.lines))
    return verdict.good


def main():
    arguments = parse_arguments()
    if arguments.no_peers:
        arguments.peers = None
    facts = machine.facts(arguments.build, arguments.cache)
    journal = Journal(arguments.cache / "journal.jsonl", identity(arguments, facts), arguments.resume)
    good, series, integrity = measure(arguments, journal)
    result = {
        "schema": 2,
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["bench/run.py", *machine.anonymous(sys.argv[1:], ROOT)]),
        "quick": arguments.quick,
        "repetitions": arguments.repetitions,
        "machine": facts,
        "load_at_end": os.getloadavg(),
        "peers": contenders.versions(arguments.peers),
        "absent": contenders.absent(arguments.peers),
        "settings": {contender.name: contender.settings for contender in contenders.present(arguments.peers)},
        "integrity": integrity,
        "series": series,
    }
    if arguments.over:
        take_over(result, json.loads(arguments.over.read_text()))
    out = arguments.out or ROOT / "bench/results" / f"{result['date']}-{facts['name']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {out}")
    if arguments.report:
        report.write(result, arguments.report)
        print(f"wrote {arguments.report}")
    if not good:
        print("Ingot reported errors, or let a flipped bit through", file=sys.stderr)
    return 0 if held(arguments, result) and good else 1


if __name__ == "__main__":
    sys.exit(main())
