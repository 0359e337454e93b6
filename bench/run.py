#!/usr/bin/env python3
"""Measures a build and writes one JSON file. Exit code 1 when Ingot reported an error (a peer's is a result), when it
let a flipped bit through, or when --guard finds a ratio out of its bound.

First damaged files (integrity_run); then the programs bench_*, each beside its ceiling; then Ingot and its peers in
turn (compare_run), the latter only with --peers; then the saving and resuming of a training run (training_run). The
JSON holds date, command, machine, load, the peers' versions, who was absent and why and, for each series (group, shape,
contender), seconds and counters of every repetition; from it comes the Markdown of docs/performance.md, unless Ingot
failed. Only a full run (all parts beside the peers, at least seven repetitions, the usual sizes) writes
bench/results/<date>-<machine>.json and docs/performance.md; any other bench-partial.json and .md in the build folder.
scripts/bench calls this. Standard library only.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import sys

import compare_run
import contenders
import google_benchmark
import guard
import identity
import integrity_run
import machine
import merge
import processes
import report
import training_run
from journal import Journal
from progress import Progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ["integrity", "programs", "peers", "training"]
PROGRAMS = ["open", "lookup", "verify_warm", "verify_cold", "load", "save"]
REPETITIONS, MIB = 7, 1024  # of a full run
USAGE = 64  # exit code: asked for what cannot be


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="build folder")
    parser.add_argument("--cache", type=pathlib.Path, help="folder of the input files (default: in the build folder)")
    parser.add_argument("--out", type=pathlib.Path, help="result file (default: as above)")
    parser.add_argument("--report", type=pathlib.Path, help="Markdown file to write (default: as above)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, few repetitions: shows that all works")
    parser.add_argument("--filter", default="", help="regular expression on group/shape/contender")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be given again); default: all")
    parser.add_argument("--repetitions", type=int, default=0, help="default: 7, or 1 with --quick, or 3 with --guard")
    parser.add_argument("--mib", type=int, default=MIB, help="size of what is loaded and saved beside the peers (1024)")
    parser.add_argument("--weights", type=pathlib.Path, help="an Ingot file of real weights, measured beside the shapes")
    parser.add_argument("--device", default="cuda:0", help="where loads to a GPU go, on a machine that has one")
    parser.add_argument("--resume", action="store_true",
                        help="go on with a run that was stopped: of the same programs, scripts, sizes and peers")
    parser.add_argument("--guard", type=pathlib.Path, help="bounds of ratios (bench/bounds.json); one that breaks fails the run")
    parser.add_argument("--peers", type=pathlib.Path, help="Python interpreter that has the peers")
    parser.add_argument("--over", type=pathlib.Path, action="append", default=[],
                        help="earlier result, whose other groups are taken over (merge.py); given again, the first one counts")
    parser.add_argument("--no-peers", action="store_true", help="leave out the comparison with other libraries")
    arguments = parser.parse_args()
    if arguments.guard and not arguments.filter:
        arguments.filter = guard.pattern(json.loads(arguments.guard.read_text()))
    try:
        re.compile(arguments.filter)
    except re.error as error:
        parser.error(f"--filter: {error}")
    default = 3 if arguments.guard else 1 if arguments.quick else REPETITIONS
    arguments.repetitions = arguments.repetitions or default
    arguments.part = arguments.part or PARTS
    arguments.peers = None if arguments.no_peers else arguments.peers
    arguments.build = arguments.build.resolve()
    arguments.weights = arguments.weights.resolve() if arguments.weights else None
    arguments.cache = (arguments.cache or arguments.build / "bench-cache").resolve()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    return arguments


def programs(arguments, journal):
    """(whether all did, series) of the programs bench_*."""
    # Repetitions of what takes milliseconds cost nothing, and the guard takes the fastest.
    repetitions = 20 * arguments.repetitions if arguments.guard else arguments.repetitions
    return google_benchmark.run(PROGRAMS, arguments, repetitions, journal)


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
    needed = guard.pinned() if arguments.peers else frozenset()
    verdict = guard.check(result["series"], json.loads(arguments.guard.read_text()), needed)
    print("\n".join(verdict.lines))
    return verdict.good


def is_full(arguments):
    """Whether a run measures all that docs/performance.md tells, as often as it says."""
    small = arguments.quick or arguments.filter or not arguments.peers or set(arguments.part) != set(PARTS)
    return not small and arguments.mib == MIB and arguments.repetitions >= REPETITIONS


def outputs(arguments, result):
    """Where the result and the report go."""
    name = f"{result['date']}-{result['machine']['name']}.json"
    full = ROOT / "bench/results" / name, ROOT / "docs/performance.md"
    partial = arguments.build / "bench-partial.json", arguments.build / "bench-partial.md"
    usual = full if is_full(arguments) else partial
    return arguments.out or usual[0], arguments.report or usual[1]


def begin(arguments, facts):
    """The journal; the facts then tell when, at which commit and under which load it began."""
    start = {name: facts[name] for name in ("commit", "modified", "started", "load_at_start")}
    journal = Journal(arguments.cache, identity.of_run(arguments, facts), arguments.resume, start)
    facts.update(journal.starts[0])
    if len(journal.starts) > 1:
        facts["resumed_at"] = journal.starts[1:]  # perhaps other commits, but with the same programs and scripts
    return journal


def described(arguments, facts, run, series, integrity):
    """`run`: its id, the same of all that go on with one another."""
    return {
        "schema": 2,
        "run": run,
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


def earlier_results(arguments, facts):
    """Of --over, before hours are spent on what they cannot complete."""
    results = [json.loads(path.read_text()) for path in arguments.over]
    for path, earlier in zip(arguments.over, results):
        problem = merge.why_not(facts, arguments.quick, earlier)
        if problem:
            raise ValueError(f"--over {path}: {problem}")
    return results


def write(arguments, result, good):
    """The report tells only of runs in which Ingot did all."""
    out, markdown = outputs(arguments, result)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {out}")
    if not good:
        print(f"Ingot reported errors, or let a flipped bit through: {markdown} is not written", file=sys.stderr)
        return
    report.write(result, markdown)
    print(f"wrote {markdown}")


def main():
    arguments = parse_arguments()
    facts = machine.facts(arguments.build, arguments.cache)
    try:
        earlier = earlier_results(arguments, facts)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return USAGE
    journal = begin(arguments, facts)
    good, series, integrity = measure(arguments, journal)
    if not series and not integrity and good:
        print(f"nothing was measured: no group/shape/contender here is admitted by {arguments.filter!r}", file=sys.stderr)
        return USAGE
    result = described(arguments, facts, f"{facts['started']}-{journal.hash}", series, integrity)
    for one in earlier:
        merge.take_over(result, one)
    write(arguments, result, good)
    return 0 if held(arguments, result) and good else 1


if __name__ == "__main__":
    sys.exit(main())
