"""How a target is judged, each kind by a class. Standard library only."""

import dataclasses
import re

import noise
from reasons import seconds_of
from result import counter, median, ratio_to, size
from units import decided, percent, seconds_text, series_text, size_text

MIB = 2**20
MET, SHORT, UNDECIDED = "met", "short", "undecided"


def verdict(holds, *values):
    """`values`: the number that is judged and the ends of its interval."""
    outcomes = {holds(value) for value in values}
    return UNDECIDED if len(outcomes) == 2 else MET if outcomes == {True} else SHORT


@dataclasses.dataclass
class Outcome:
    value: str
    against: str
    ratio: str
    verdict: str
    range: str = ""
    number: float = None  # what `ratio` shows


@dataclasses.dataclass(kw_only=True)
class Target:
    path: str
    text: str
    group: str
    call: str  # what a caller calls to get it
    shape: str = r".*"  # regular expression: the shapes that the target is for
    ours: str = "ingot"  # the contender that is judged: one, not the best of several
    reasons: dict = dataclasses.field(default_factory=dict)  # why it falls short, by regular expression on the shape

    def is_for(self, shape):
        return re.fullmatch(self.shape, shape) is not None

    def shapes(self, result):
        return [shape for shape in result.shapes(self.group) if self.is_for(shape)]

    def find(self, result, shape):
        return result.find(self.group, shape, self.ours)

    def reason(self, result, shape, number=None):
        """What is known of a shortfall, with what it leaves open; empty unless all of its parts were measured beside."""
        reason = next((reason for pattern, reason in self.reasons.items() if re.search(pattern, shape)), None)
        parts = [result.find(self.group, shape, "part:" + name) for name in reason.parts] if reason else []
        return reason.told(self.find(result, shape), parts, number) if parts and all(parts) else ""

    def parts(self, result, shape):
        """How long pieces of the work take alone, and what share of Ingot's time that is."""
        ours = self.find(result, shape)
        return ", ".join(self.part(part, ours) for part in result.measured(self.group, shape, "part:"))

    def part(self, part, ours):
        seconds = seconds_of(part, ours)
        scaled = f", scaled from {size_text(size(part))}" if seconds > 1.05 * median(part) else ""
        return f"`{part['contender'][5:]}` {seconds_text(seconds)} ({percent(seconds / median(ours))} of its time{scaled})"

    def named(self, series):
        return f"{series_text(series)} ({series['contender']})"


class Comparison(Target):
    """Ours beside another series of its shape: one number, that is shown with so many `digits`, a `sign` and a `unit`."""

    digits, sign, unit = 0, "", " %"

    def judge(self, result, shape):
        ours = self.find(result, shape)
        other = ours and self.other(result, shape, ours)
        if not other:
            return None
        number = self.value(ours, other)
        low, high = noise.span(ours, other, self.value)
        return Outcome(self.named(ours), self.named(other), self.shown(number), verdict(self.holds, number, low, high),
                       f"{self.shown(low)} – {self.shown(high)}", number)

    def shown(self, number):
        return decided(number, self.holds, self.digits, self.sign) + self.unit

    def other(self, result, shape, ours):
        return result.ceiling(self.group, shape)


@dataclasses.dataclass(kw_only=True)
class AtMostTimes(Comparison):
    """Time at most `limit` times the ceiling's."""

    limit: float
    digits, unit = 2, "x"

    def value(self, ours, other):
        return ratio_to(ours, other)

    def holds(self, value):
        return value <= self.limit


@dataclasses.dataclass(kw_only=True)
class ShareOfCeiling(Comparison):
    """Rate at least `percent` of the ceiling's."""

    percent: float

    def value(self, ours, other):
        return 100 * ratio_to(other, ours)

    def holds(self, value):
        return value >= self.percent


@dataclasses.dataclass(kw_only=True)
class FasterThan(Comparison):
    """At least `factor` times as fast as the fastest of some peers."""

    peers: list
    factor: float
    digits, unit = 1, "x"

    def other(self, result, shape, ours):
        peers = [peer for peer in (result.find(self.group, shape, name) for name in self.peers) if peer]
        return min(peers, key=lambda peer: ratio_to(peer, ours), default=None)

    def value(self, ours, other):
        return ratio_to(other, ours)

    def holds(self, value):
        return value >= self.factor


@dataclasses.dataclass(kw_only=True)
class Lookup(Target):
    """A median look-up at most `limit_ns`, clock included, and no allocation."""

    limit_ns: float

    def judge(self, result, shape):
        ours, ceiling = self.find(result, shape), result.ceiling(self.group, shape)
        if not ours or not ceiling:
            return None
        mean, floor = (median(entry) / counter(entry, "names") for entry in (ours, ceiling))
        low, high = noise.interval(ours["counters"]["p50_ns"])
        p50, allocations = counter(ours, "p50_ns"), max(ours["counters"]["allocations"])
        value = f"{self.shown(p50)} median alone, {seconds_text(mean)} mean in a row, {allocations:g} allocations"
        return Outcome(f"{value} ({self.ours})", f"{seconds_text(floor)} mean in a row ({ceiling['contender']})",
                       f"{mean / floor:.2f}x", SHORT if allocations else verdict(self.holds, p50, low, high),
                       f"{self.shown(low)} – {self.shown(high)}")

    def shown(self, nanoseconds):
        return decided(nanoseconds, self.holds, 0) + " ns"

    def holds(self, nanoseconds):
        return nanoseconds <= self.limit_ns


@dataclasses.dataclass(kw_only=True)
class CostOfProof(Comparison):
    """At most `percent` more time than without hashing."""

    percent: float
    sign = "+"

    def other(self, result, shape, ours):
        return result.find(self.group, shape, "ingot-unverified")

    def value(self, ours, other):
        return 100 * (ratio_to(ours, other) - 1)

    def holds(self, value):
        return value <= self.percent


class CostOfProofApart(CostOfProof):
    """The same of two loads that did not take turns: each counts in times of the ceiling that was measured beside it."""

    def value(self, ours, other):
        ceilings = [counter(entry, "ceiling_bytes_per_second") for entry in (ours, other)]
        return 100 * (ratio_to(ours, other) * ceilings[0] / ceilings[1] - 1)


@dataclasses.dataclass(kw_only=True)
class Resident(Target):
    """A resident set that grows by no more than the staging memory and `slack` bytes; the destination is there before.
    It has no range: what it counts does not hang on what else a machine does."""

    slack: int

    def judge(self, result, shape):
        ours = self.find(result, shape)
        if not ours or "rss_added" not in ours["counters"]:
            return None
        added, staging = (counter(ours, name) / MIB for name in ("rss_added", "staging"))
        holds = lambda value: value <= staging + self.slack / MIB  # noqa: E731
        return Outcome(f"{decided(added, holds, 0)} MiB ({self.ours})", f"{staging:.0f} MiB of staging memory", "",
                       verdict(holds, added))
