"""Targets with their verdicts, what falls short and why, and where a peer is faster. Standard library only."""

import collections

import compare_run
import inputs
import training_run
from groups import GROUPS
from judge import MET, SHORT, UNDECIDED
from markdown import table
from result import cost, ratio_to, runs_of
from targets import TARGETS

UNKNOWN = "unknown"
MIB = 1024  # of what is loaded and saved beside the peers in a full run

# How a verdict comes about; said once, above the table.
RULE = """The ratio is that of the medians. Contenders of a group take turns in rounds, so that repetition i of one belongs
to repetition i of another: *range* is that of the ratios of single rounds without the smallest and the largest (of 7: the
2nd to the 6th, between which the true median lies with 87.5 %, whatever the distribution; of fewer: all of them). **met**
or **short** is what is so of the ratio and of its whole range; where the limit lies within, this run leaves it
**undecided**. Of look-ups the range is that of the medians of single passes; a resident set has none, since it does not
hang on what else a machine does; of loads to a GPU it is from the worst to the best that fastest, median and slowest leave
possible. Where the ceiling is the best of several, it is in every round the one with the best median.
"""


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


def verdict_of(outcome):
    return outcome.verdict if outcome else UNKNOWN


def target_row(result, footnotes, target, shape, outcome):
    where, told = shape + footnotes.mark(target.group, shape), verdict_of(outcome)
    told = told if told == MET else f"**{told}**"
    if outcome is None:
        return [target.path, where, why_unknown(target, result), "", "", "", target.text, told]
    return [target.path, where, outcome.value, outcome.against, outcome.ratio, outcome.range, target.text, told]


def target_table(result, footnotes):
    rows = [target_row(result, footnotes, *verdict) for verdict in verdicts(result)]
    return table(["path", "shape", "Ingot", "measured against", "ratio", "range", "target", ""], rows, 2)


def count(result):
    """How many rows came out how, in one line."""
    found = collections.Counter(verdict_of(outcome) for _, _, outcome in verdicts(result))
    told = ", ".join(f"{found[name]} {name}" for name in (MET, SHORT, UNDECIDED, UNKNOWN))
    return f"Of {sum(found.values())} rows: {told}."


def planned():
    """group -> the shapes that a full run measures in it, where this is known here; the programs know their own."""
    shapes = {}
    for plan in compare_run.plans(False, MIB, False):
        shapes.setdefault(plan.group, []).append(inputs.base_name(plan.shape))
    for command in ("save", "resume", "stall"):
        shapes[f"training-{command}"] = [f"{mib}MiB" for mib in training_run.SIZES]
    return shapes


def not_measured(result):
    """A line, or none."""
    absent = {group: [shape for shape in shapes if shape not in result.shapes(group)]
              for group, shapes in planned().items()}
    told = "; ".join(f"`{group}`: {', '.join(shapes)}" for group, shapes in absent.items() if shapes)
    return [f"Not measured in this result, though a full run has them: {told}."] if told else []


def calls():
    """Which call each target judges: one, not the best of several."""
    rows = dict.fromkeys((target.path, f"`{target.ours}`", f"`{target.group}`", target.call) for target in TARGETS)
    return table(["path", "judged", "in", "which is"], map(list, rows), 4)


def shortfall(result, footnotes, target, shape, outcome):
    parts = target.parts(result, shape)
    where = f"{target.path}, {shape}{footnotes.mark(target.group, shape)}"
    return (f"* {where}: {outcome.ratio or outcome.value}, target {target.text}. "
            + (target.reason(result, shape, outcome.number) or "No reason was measured.")
            + (f" Measured alone: {parts}." if parts else ""))


def shortfalls(result, footnotes):
    return [shortfall(result, footnotes, *verdict) for verdict in verdicts(result) if verdict_of(verdict[2]) == SHORT]


def base(result, group, shape):
    """What peers are held against: `ingot`, which is what a caller gets who asks for nothing special (where there is no
    contender of that name: the best of Ingot's)."""
    ours = result.measured(group, shape, "ingot")
    return result.find(group, shape, "ingot") or min(ours, key=cost, default=None)


def ahead(peer, ours):
    """How many times as fast as `ours`, where it is faster; else None."""
    times = ratio_to(ours, peer) if ours else None
    return times if times and times > 1 else None


def lost(group, shape, peer, ours, best):
    line = (f"* {GROUPS[group][0]}, {shape}: `{peer['contender']}` is {ratio_to(ours, peer):.2f}x as fast as "
            f"`{ours['contender']}`")
    if cost(best) < cost(peer):
        line += f"; `{best['contender']}` is {ratio_to(peer, best):.2f}x as fast as it"
    return line


def losses(result, footnotes):
    """Every place where a peer was faster than base()."""
    lines = []
    for group in (group for group in GROUPS if group in result.groups()):
        for shape in result.shapes(group):
            ours = base(result, group, shape)
            if not ours:
                continue
            best = min(result.measured(group, shape, "ingot"), key=cost)
            lines += [lost(group, shape, peer, ours, best) + footnotes.mark(group, shape) + "."
                      for peer in result.measured(group, shape, "peer") if ahead(peer, ours)]
    return lines
