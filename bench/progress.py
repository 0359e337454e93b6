"""Says how far a run is and about how long the rest takes. Standard library only."""

import sys
import time


def duration(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Progress:
    """One line a measurement: over the last on a terminal, else one after another."""

    def __init__(self, total, out=sys.stdout, clock=time.monotonic):
        self.total, self.out, self.clock, self.begin = total, out, clock, clock()
        self.done = self.measured = 0

    def step(self, what, outcome="", measured=True):
        """`measured`: not so where a journal had the answer, which says nothing about the time of the rest."""
        self.done += 1
        self.measured += measured
        line = f"[{self.done}/{self.total}] {what} {outcome}".rstrip() + self._rest()
        end = "\n" if not self.out.isatty() or self.done == self.total else ""
        print(("\r\x1b[K" if self.out.isatty() else "") + line, end=end, file=self.out, flush=True)

    def fewer(self, count=1):
        """So many steps will not come: their contender failed, or is slow and was measured often enough."""
        self.total -= count
        if count and self.out.isatty() and self.done == self.total:
            print(file=self.out, flush=True)

    def _rest(self):
        if self.done == self.total or not self.measured:
            return ""
        rest = (self.clock() - self.begin) / self.measured * (self.total - self.done)
        return f", about {duration(rest)} left"
