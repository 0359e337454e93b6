"""Why a target falls short: pieces of the work, each measured alone, and what they leave unexplained. Standard library
only."""

import dataclasses

from result import median, size
from units import percent

# Pieces that together take longer than the whole, by more than this, show that they are not what it consists of.
MOST = 1.1


def seconds_of(part, ours):
    """A part's time. Of one that handled fewer bytes than Ingot did, the time for as many; never less than it took."""
    covered, whole = size(part), size(ours)
    return median(part) * (whole / covered if covered and whole and covered < whole else 1)


@dataclasses.dataclass(frozen=True)
class Reason:
    text: str  # names the parts, in backticks
    parts: tuple  # without "part:"


class OneAfterAnother(Reason):
    """Parts that add up to what Ingot does."""

    def told(self, ours, parts, number):
        share = sum(seconds_of(part, ours) for part in parts) / median(ours)
        which = "Together" if len(parts) > 1 else "That is"
        return f"{self.text} {which} {percent(share)} of its time; {self.left(share)}."

    @staticmethod
    def left(share):
        if share > MOST:
            return "alone this takes longer than within it, so that what is left unexplained cannot be told"
        return f"{percent(1 - share)} is not explained" if share < 1 else "no time is left unexplained"


@dataclasses.dataclass(frozen=True)
class SameWork(Reason):
    """The same work by plain code, the only part: a comparison, and no limit."""

    one_thread: bool = False

    def told(self, ours, parts, number):
        times = median(ours) / seconds_of(parts[0], ours)
        limit = " One thread of plain code is a comparison, not a limit." if self.one_thread else ""
        return f"{self.text} {self.compared(times)}{limit}"

    @staticmethod
    def compared(times):
        if times < 1:
            return f"Plain code that does the same takes longer ({1 / times:.2f}x)."
        return (f"Ingot takes {times:.2f}x as long as plain code that does the same: {percent(1 - 1 / times)} of its time "
                "is not explained.")


class PlainCost(Reason):
    """What a step costs plain code: the difference of two parts, without it and with it."""

    def told(self, ours, parts, number):
        without, proven = (seconds_of(part, ours) for part in parts)
        cost = 100 * (proven / without - 1)
        return f"{self.text} That is {cost:+.0f} %: {self.left(cost, number)}."

    @staticmethod
    def left(cost, number):
        if cost <= 0:
            return "nothing that could be told from noise, so that Ingot's cost is not explained"
        return "no less than Ingot's" if cost >= number else f"the other {number - cost:.0f} points are not explained"
