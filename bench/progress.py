"""Says how far a run is and about how long the rest takes. Standard library only."""

import sys
import time


def duration(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Progress:
    """One line a measurement: over the last on a terminal, else one after another."""

    def __init__(self, total, out=sys.stdout, clock=time.monotonic):
        self.total, self.done, self.out, self.clock, self.begin = total, 0, out, clock, clock()

    def step(self, what, outcome=""):
        self.done += 1
        rest = (self.clock() - self.begin) / self.done * (self.total - self.done)
        line = f"[{self.done}/{self.total}] {what} {outcome}".rstrip()
        line += f", about {duration(rest)} left" if self.done < self.total else ""
        end = "\n" if not self.out.isatty() or self.done == self.total else ""
        print(("\r\x1b[K" if self.out.isatty() else "") + line, end=end, file=self.out, flush=True)
