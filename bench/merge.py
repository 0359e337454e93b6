#!/usr/bin/env python3
"""Puts parts of a run together: bench/merge.py NEWEST.json EARLIER.json... --out OUT.json

What the first has not measured comes from the next, and so on, by group and shape: no ratio mixes two runs. All must be
of one machine, and all quick or none. `runs` of the outcome tells commit, date, command, repetitions and the peers'
versions of what was taken over, and which groups it is (in part or whole); a series taken over says so in "of".
run.py --over does the same at the end of a measurement. Standard library only.
"""

import argparse
import json
import pathlib
import sys

NOTE = "Of earlier runs"


def name_of(result):
    return f"{result['machine']['commit']}, {result['date']}"


def why_not(machine, quick, earlier):
    """Why an earlier result cannot complete a run of this machine; empty when it can."""
    if earlier["machine"]["name"] != machine:
        return f"it is of another machine ({earlier['machine']['name']}, not {machine})"
    if bool(earlier["quick"]) != quick:
        return "quick results and full ones do not go together"
    return ""


def _described(result, groups):
    """An earlier run, and what was taken over from it."""
    told = {name: result.get(name) for name in ("date", "command", "repetitions", "peers")}
    return {"of": name_of(result), "commit": result["machine"]["commit"], **told, "groups": sorted(groups)}


def _runs_of(earlier, taken):
    """Where the series came from: from this run, or from those that it had taken them over from."""
    groups = {}
    for entry in taken:
        groups.setdefault(entry.get("of"), set()).add(entry["group"])
    runs = [_described(earlier, groups.pop(None))] if None in groups else []
    for run in earlier.get("runs", []):
        left = groups.get(run["of"], set()) & set(run["groups"])
        runs += [run | {"groups": sorted(left)}] if left else []
    known = {run["of"] for run in earlier.get("runs", [])}
    return runs + [{"of": of, "groups": sorted(groups[of])} for of in sorted(groups.keys() - known)]


def _integrity_of(earlier):
    """The integrity test as if it were a series."""
    source = next((run for run in earlier.get("runs", []) if "integrity" in run["groups"]), None)
    return {"group": "integrity"} | ({"of": source["of"]} if source else {})


def _has_peers(result):
    return bool(result["integrity"]) or any(entry["group"].startswith(("peers-", "training-")) for entry in result["series"])


def _present(result):
    """Contenders that were measured."""
    return {entry["contender"] for entry in [*result["series"], *result["integrity"]]}


def _note(run):
    peers = ", ".join(f"{name} {version}" for name, version in (run.get("peers") or {}).items())
    beside = f", beside {peers}" if peers else ""
    return f"{NOTE}, Ingot {run['of']}: {', '.join(run['groups'])} (in part or whole){beside}. No ratio mixes two runs."


def take_over(result, earlier):
    """What this run has not measured, from an earlier one."""
    measured = {(entry["group"], entry["shape"]) for entry in result["series"]}
    taken = [entry for entry in earlier["series"] if (entry["group"], entry["shape"]) not in measured]
    result["peers"] = result["peers"] if _has_peers(result) else earlier.get("peers", {})
    flips = [_integrity_of(earlier)] if earlier.get("integrity") and not result["integrity"] else []
    result["integrity"] = earlier["integrity"] if flips else result["integrity"]
    result["runs"] = result.get("runs", []) + _runs_of(earlier, taken + flips)
    result["series"] += [{"of": name_of(earlier), **entry} for entry in taken]
    result["settings"] = earlier.get("settings", {}) | result["settings"]
    present = _present(result)
    absent = earlier.get("absent", {}) | result["absent"]
    result["absent"] = {name: why for name, why in absent.items() if name not in present}
    notes = result.get("notes", []) + earlier.get("notes", [])
    kept = dict.fromkeys(note for note in notes if not note.startswith(NOTE))
    result["notes"] = [*kept, *map(_note, result["runs"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("newest", type=pathlib.Path)
    parser.add_argument("earlier", type=pathlib.Path, nargs="+")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    result = json.loads(arguments.newest.read_text())
    for path in arguments.earlier:
        earlier = json.loads(path.read_text())
        problem = why_not(result["machine"]["name"], bool(result["quick"]), earlier)
        if problem:
            print(f"{path}: {problem}", file=sys.stderr)
            return 64
        take_over(result, earlier)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
