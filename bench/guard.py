"""Compares a run with stored bounds: bench/guard.py RESULT.json [BOUNDS.json]. Standard library only.

Ratios, never times: both sides come from the same run. The fastest repetition of each side counts, because what
disturbs a machine only adds time. A bound without "against" is one of a counter that is the same on every machine; its
largest repetition counts. A "*" in a shape stands for what depends on the machine (a number of threads).

Broken is a bound that is exceeded, one whose Ingot side is missing, and one whose other side is missing though it is
Ingot's own program or a peer that scripts/setup installs; a check in which nothing could be compared, too. A bound whose
other side cannot be had here (another peer), or of whose group a machine measures nothing because it lacks what the bound
"needs", is told as not checked. What a machine has is found out, not taken from what was measured: O_DIRECT is tried, and
LibTorch is there where scripts/setup has installed torch for the run. With INGOT_GUARD_ALL=1 in the environment nothing may
go unchecked.
"""

import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import sys
import tempfile

import contenders

HERE = pathlib.Path(__file__).resolve().parent


ALL = "INGOT_GUARD_ALL"


@dataclasses.dataclass
class Verdict:
    good: bool
    lines: list


def _side(bound):
    return bound.get("against", [])


def _expression(bound, contender):
    shape = re.escape(bound["shape"]).replace(r"\*", "[^/]*")
    return f"{re.escape(bound['group'])}/{shape}/{re.escape(contender)}"


def pattern(bounds):
    """A filter that admits what the bounds need, and Ingot's part of the integrity test."""
    names = {_expression(bound, name) for bound in bounds for name in [bound["ours"], *_side(bound)]}
    return "^(integrity/.*/ingot|(" + "|".join(sorted(names)) + ")$)"


def pinned(scripts=HERE.parent / "scripts"):
    """Packages that scripts/setup installs."""
    lines = "\n".join((scripts / name).read_text() for name in ("requirements.txt", "requirements-torch.txt"))
    return frozenset(re.findall(r"^([\w-]+)==", lines, re.MULTILINE))


def has_direct_io(folder):
    """Whether files there can be opened past the page cache, as the programs find out."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        try:
            os.close(os.open(file.name, os.O_RDWR | os.O_DIRECT))
        except OSError:
            return False
    return True


def machine_has(needed, folder=HERE.parent):
    """Of what bounds may need. The input files lie in the repository's folder, unless --cache says otherwise."""
    there = {"O_DIRECT": has_direct_io(folder), "LibTorch": "torch" in needed}
    return frozenset(name for name, has in there.items() if has)


def _may_be_absent(name, needed):
    """Peers alone may be: ceilings, parts and the like are in Ingot's own programs."""
    packages = [contender.packages for contender in contenders.PEERS if contender.name == name]
    return bool(packages) and not set(packages[0]) <= needed


def _shapes(series, bound):
    """Those of the run that the bound is for."""
    of_group = {entry["shape"] for entry in series if entry["group"] == bound["group"]}
    return sorted(fnmatch.filter(of_group, bound["shape"]))


def _find(series, bound, contender):
    for entry in series:
        if (entry["group"], entry["shape"], entry["contender"]) == (bound["group"], bound["shape"], contender):
            return entry if entry["seconds"] else None
    return None


def _value(entry, bound):
    """Seconds (per byte where bytes were counted), or the counter that the bound names: always less is better."""
    if "counter" in bound:
        return min(entry["counters"][bound["counter"]])
    rates = entry["counters"].get("bytes_per_second")
    return 1 / max(rates) if rates else min(entry["seconds"])


def _best(series, bound, names):
    found = [_find(series, bound, name) for name in names]
    return min((_value(entry, bound) for entry in found if entry), default=None)


def _compared(series, bound):
    """What the bound limits, or None where a side is missing."""
    ours = _find(series, bound, bound["ours"])
    if not ours or not _side(bound):
        return max(ours["counters"][bound["counter"]]) if ours else None
    other = _best(series, bound, _side(bound))
    return None if other is None else _value(ours, bound) / other


def _what(bound):
    beside = f" to {' or '.join(_side(bound))}" if _side(bound) else ""
    counter = f" ({bound['counter']})" if "counter" in bound else ""
    return f"{bound['group']} {bound['shape']}: {bound['ours']}{beside}{counter}"


def _missing(series, bound, needed, has):
    """(outcome, why) where there is nothing to compare."""
    if not _shapes(series, bound) and "needs" in bound:
        if bound["needs"] in has:
            return "BROKEN", f"was not measured, and {bound['needs']}, which it needs, is here"
        return "absent", f"needs {bound['needs']}"
    if not _find(series, bound, bound["ours"]):
        return "BROKEN", "Ingot was not measured"
    if all(_may_be_absent(name, needed) for name in _side(bound)):
        return "absent", "nobody to compare with"
    return "BROKEN", "what it is compared with was not measured"


def _judge(series, bound, needed, has):
    """(outcome, line)"""
    value, limit = _compared(series, bound), bound["at_most"]
    if value is None:
        outcome, why = _missing(series, bound, needed, has)
    else:
        outcome, why = "held" if value <= limit else "BROKEN", f"{value:.3f}, at most {limit}"
    return outcome, f"{outcome:6} {_what(bound)}: {why}"


def check(series, bounds, needed=frozenset(), has=None):
    """`needed`: packages whose peers must have been measured; `has`: machine_has(needed), unless a test says otherwise."""
    has = machine_has(needed) if has is None else has
    concrete = [bound | {"shape": shape} for bound in bounds for shape in _shapes(series, bound) or [bound["shape"]]]
    judged = [_judge(series, bound, needed, has) for bound in concrete]
    outcomes = [outcome for outcome, _ in judged]
    good = "held" in outcomes and "BROKEN" not in outcomes
    lines = [line for _, line in judged]
    held, broken, absent = (outcomes.count(outcome) for outcome in ("held", "BROKEN", "absent"))
    lines.append(f"{held} held, {broken} broken, {absent} not checked")
    if not set(outcomes) & {"held", "BROKEN"}:
        lines.append("BROKEN nothing could be compared")
    if "absent" in outcomes and os.environ.get(ALL) == "1":
        good = False
        lines.append(f"BROKEN {ALL}=1, and not all was checked")
    return Verdict(good, lines)


def main():
    result = json.loads(pathlib.Path(sys.argv[1]).read_text())
    bounds = json.loads(pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else HERE / "bounds.json").read_text())
    verdict = check(result["series"], bounds, pinned() if result.get("peers") else frozenset())
    print("\n".join(verdict.lines))
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
