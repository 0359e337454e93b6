"""Targets with their verdicts, what falls short and why, and where a peer is faster. Standard library only."""

from groups import GROUPS
from markdown import table
from result import cost, ratio_to, runs_of
from targets import TARGETS


class Footnotes:
    """A mark behind what an earlier run has measured, and what the marks mean."""

    def __init__(self, result):
        self.result, self.runs = result, runs_of(result.series)

    def mark(self, group, shape):
        return "".join(f" ({self.runs.index(run) + 1})" for run in runs_of(self.result.of(group, shape)))

    def lines(self):
        return [f"* ({number}) of an earlier run: Ingot {run}" for number, run in enumerate(self.runs, 1)]


def why_unknown(target, result):
    if target.group.startswith("gpu") and not result.has_gpu():
        return "cannot be tested here: no GPU"
    return "not measured"


def verdicts(result):
    """[(target, shape, outcome or None)]; every target is there."""
    return [(target, shape, target.judge(result, shape) if shape else None)
            for target in TARGETS for shape in target.shapes(result) or [""]]


def target_row(result, footnotes, target, shape, outcome):
    where = shape + footnotes.mark(target.group, shape)
    if outcome is None:
        return [target.path, where, why_unknown(target, result), "", "", target.text, "**unknown**"]
    return [target.path, where, outcome.value, outcome.against, outcome.ratio, target.text, "met" if outcome.met else "**short**"]


def target_table(result, footnotes):
    rows = [target_row(result, footnotes, *verdict) for verdict in verdicts(result)]
    return table(["path", "shape", "Ingot", "measured against", "ratio", "target", ""], rows, 2)


def calls():
    """Which call each target judges: one, not the best of several."""
    rows = dict.fromkeys((target.path, f"`{target.ours}`", f"`{target.group}`", target.call) for target in TARGETS)
    return table(["path", "judged", "in", "which is"], map(list, rows), 4)


def shortfall(result, footnotes, target, shape, outcome):
    parts = target.parts(result, shape)
    where = f"{target.path}, {shape}{footnotes.mark(target.group, shape)}"
    return (f"* {where}: {outcome.ratio or outcome.value}, target {target.text}. "
            + (target.reason(result, shape) or "No reason was measured.") + (f" Measured alone: {parts}." if parts else ""))


def shortfalls(result, footnotes):
    return [shortfall(result, footnotes, *verdict) for verdict in verdicts(result) if verdict[2] and not verdict[2].met]


def lost(group, shape, peer, base, best):
    line = f"* {GROUPS[group][0]}, {shape}: `{peer['contender']}` is {ratio_to(base, peer):.2f}x as fast as `{base['contender']}`"
    if cost(best) < cost(peer):
        line += f"; `{best['contender']}` is {ratio_to(peer, best):.2f}x as fast as it"
    return line


def losses(result, footnotes):
    """Every place where a peer was faster than `ingot`, which is what a caller gets who asks for nothing special (where
    there is no contender of that name: than the best of Ingot's)."""
    lines = []
    for group in (group for group in GROUPS if group in result.groups()):
        for shape in result.shapes(group):
            ours = result.measured(group, shape, "ingot")
            if not ours:
                continue
            best = min(ours, key=cost)
            base = result.find(group, shape, "ingot") or best
            lines += [lost(group, shape, peer, base, best) + footnotes.mark(group, shape) + "."
                      for peer in result.measured(group, shape, "peer") if ratio_to(base, peer) > 1]
    return lines
