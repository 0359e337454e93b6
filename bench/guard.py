"""Compares ratios of a run with stored bounds: bench/guard.py RESULT.json [BOUNDS.json]. Standard library only.

Ratios, never times: both sides come from the same run. The fastest repetition of each side counts, because what
disturbs a machine only adds time. A bound whose other side was not measured here (a peer that is not installed) is
told and passed over; one whose Ingot side is missing is broken, and so is a check in which nothing could be compared.
"""

import dataclasses
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Verdict:
    good: bool
    lines: list


def _quoted(text):
    """For Python's regular expressions and for POSIX ones."""
    return re.sub(r"([.+*?()|\[\]])", r"\\\1", text)


def pattern(bounds):
    """A filter that admits what the bounds need, and Ingot's part of the integrity test."""
    series = {(bound["group"], bound["shape"], name) for bound in bounds for name in [bound["ours"], *bound["against"]]}
    names = sorted(_quoted("/".join(entry)) for entry in series)
    return "^(integrity/.*/ingot|(" + "|".join(names) + ")(/|$))"


def find(series, bound, contender):
    for entry in series:
        if (entry["group"], entry["shape"], entry["contender"]) == (bound["group"], bound["shape"], contender):
            return entry if entry["seconds"] else None
    return None


def value(entry, bound):
    """Seconds (per byte where bytes were counted), or the counter that the bound names: always less is better."""
    if "counter" in bound:
        return min(entry["counters"][bound["counter"]])
    rates = entry["counters"].get("bytes_per_second")
    return 1 / max(rates) if rates else min(entry["seconds"])


def best(series, bound, names):
    found = [find(series, bound, name) for name in names]
    return min((value(entry, bound) for entry in found if entry), default=None)


def check(series, bounds):
    lines, compared, good = [], 0, True
    for bound in bounds:
        what = f"{bound['group']} {bound['shape']}: {bound['ours']} to {' or '.join(bound['against'])}"
        what += f" ({bound['counter']})" if "counter" in bound else ""
        ours, other = best(series, bound, [bound["ours"]]), best(series, bound, bound["against"])
        if ours is None:
            lines.append(f"BROKEN {what}: Ingot was not measured")
            good = False
        elif other is None:
            lines.append(f"absent {what}: nobody to compare with")
        else:
            ratio, limit = ours / other, bound["at_most"]
            compared += 1
            good &= ratio <= limit
            lines.append(f"{'held  ' if ratio <= limit else 'BROKEN'} {what}: {ratio:.3f}, at most {limit}")
    if not compared:
        lines.append("BROKEN nothing could be compared")
    return Verdict(good and compared > 0, lines)


def main():
    result = json.loads(pathlib.Path(sys.argv[1]).read_text())
    bounds = json.loads(pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else HERE / "bounds.json").read_text())
    verdict = check(result["series"], bounds)
    print("\n".join(verdict.lines))
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
