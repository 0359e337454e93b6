#!/usr/bin/env python3
"""Puts parts of a run together: bench/merge.py NEWEST.json EARLIER.json... --out OUT.json

What the first has not measured comes from the next, and so on, by group and shape: no ratio mixes two runs. All must be
of one machine in one state, and all quick or none. A run is known by its id, which those share that went on with one
another (run.py --resume). `runs` of the outcome tells commit, date, command, repetitions, load averages and the peers'
versions of what was taken over, and which groups it is (in part or whole); a series taken over says in "of" from where,
and in "run" the id. Results from before runs had ids are told apart by commit and date.
run.py --over does the same at the end of a measurement. Standard library only.
"""

import argparse
import json
import pathlib
import sys

from result import run_id

NOTE = "Of earlier"


# What makes one machine another: fact -> in words. Older results do not state them all.
STATE = {"processors": "number of processors", "memory_bytes": "memory", "kernel": "kernel", "huge_pages": "huge page mode",
         "file_system": "file system"}


def name_of(result):
    """For readers."""
    day, _, time = result["machine"].get("started", "").partition("T")
    return f"{result['machine']['commit']}, {day or result['date']}" + (f" {time[:5]}" if time else "")


def origin_of(result):
    """What a series carries that was taken over from it."""
    return {"of": name_of(result)} | ({"run": result["run"]} if "run" in result else {})


def _origin(entry):
    """Of a series or an earlier run; {} for what a result has measured itself."""
    return {name: entry[name] for name in ("of", "run") if name in entry}


def _seen_from(result, entry):
    """A series as this result has it: what went on with the same run is not of an earlier one."""
    own = "run" in result and entry.get("run") == result["run"]
    return {name: value for name, value in entry.items() if not own or name not in ("of", "run")}


def why_not(machine, quick, earlier):
    """Why an earlier result cannot complete a run of this machine (its facts); empty when it can."""
    other = earlier["machine"]
    if other["name"] != machine["name"]:
        return f"it is of another machine ({other['name']}, not {machine['name']})"
    for fact, words in STATE.items():
        if fact in other and fact in machine and other[fact] != machine[fact]:
            return f"it is of another {words} ({other[fact]}, not {machine[fact]})"
    if bool(earlier["quick"]) != quick:
        return "quick results and full ones do not go together"
    return ""


def _described(result, groups):
    """An earlier run, and what was taken over from it."""
    told = {name: result.get(name) for name in ("date", "command", "repetitions", "peers", "load_at_end")}
    load = {"load_at_start": result["machine"].get("load_at_start")}
    return {**origin_of(result), "commit": result["machine"]["commit"], **told, **load, "groups": sorted(groups)}


def _runs_of(earlier, taken):
    """Where the series came from: from this run, or from those that it had taken them over from."""
    own, groups, origins = earlier.get("run", ""), {}, {}
    for entry in taken:
        run = run_id(entry) or own
        origins[run] = _origin(entry)
        groups.setdefault(run, set()).add(entry["group"])
    runs = [_described(earlier, groups[own])] if own in groups else []
    for run in earlier.get("runs", []):
        left = groups.get(run_id(run), set()) & set(run["groups"])
        runs += [run | {"groups": sorted(left)}] if left else []
    known = {own, *map(run_id, earlier.get("runs", []))}
    return runs + [origins[run] | {"groups": sorted(groups[run])} for run in sorted(groups.keys() - known)]


def _integrity_of(earlier):
    """The integrity test as if it were a series."""
    source = next((run for run in earlier.get("runs", []) if "integrity" in run["groups"]), None)
    return {"group": "integrity"} | (_origin(source) if source else {})


def _has_peers(result):
    return bool(result["integrity"]) or any(entry["group"].startswith(("peers-", "training-")) for entry in result["series"])


def _present(result):
    """Contenders that were measured."""
    return {entry["contender"] for entry in [*result["series"], *result["integrity"]]}


def _note(result, run):
    own = "run" in result and run.get("run") == result["run"]
    source = f"{NOTE} parts of this run" if own else f"{NOTE} runs, Ingot {run['of']}"
    peers = ", ".join(f"{name} {version}" for name, version in (run.get("peers") or {}).items())
    beside = f", beside {peers}" if peers else ""
    loads = [run.get(name) for name in ("load_at_start", "load_at_end")]
    load = f" Load average {loads[0][0]:.2f} before and {loads[1][0]:.2f} after." if all(loads) else ""
    command = f" Command: `{run['command']}`." if run.get("command") else ""
    return f"{source}: {', '.join(run['groups'])} (in part or whole){beside}.{load}{command} No ratio mixes two runs."


def take_over(result, earlier):
    """What this run has not measured, from an earlier one."""
    measured = {(entry["group"], entry["shape"]) for entry in result["series"]}
    taken = [entry for entry in earlier["series"] if (entry["group"], entry["shape"]) not in measured]
    result["peers"] = result["peers"] if _has_peers(result) else earlier.get("peers", {})
    flips = [_integrity_of(earlier)] if earlier.get("integrity") and not result["integrity"] else []
    result["integrity"] = earlier["integrity"] if flips else result["integrity"]
    result["runs"] = result.get("runs", []) + _runs_of(earlier, taken + flips)
    # Who has an origin keeps it, as a whole: an old one has no id.
    result["series"] += [_seen_from(result, entry if _origin(entry) else origin_of(earlier) | entry) for entry in taken]
    result["settings"] = earlier.get("settings", {}) | result["settings"]
    present = _present(result)
    absent = earlier.get("absent", {}) | result["absent"]
    result["absent"] = {name: why for name, why in absent.items() if name not in present}
    notes = result.get("notes", []) + earlier.get("notes", [])
    kept = dict.fromkeys(note for note in notes if not note.startswith(NOTE))
    result["notes"] = [*kept, *(_note(result, run) for run in result["runs"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("newest", type=pathlib.Path)
    parser.add_argument("earlier", type=pathlib.Path, nargs="+")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    result = json.loads(arguments.newest.read_text())
    for path in arguments.earlier:
        earlier = json.loads(path.read_text())
        problem = why_not(result["machine"], bool(result["quick"]), earlier)
        if problem:
            print(f"{path}: {problem}", file=sys.stderr)
            return 64
        take_over(result, earlier)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
