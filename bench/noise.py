"""What the repetitions say of a number's noise. Standard library only.

Contenders of a group take turns: repetition i of one was measured beside repetition i of another, so that what slows a
machine down for a while slows both.
"""

import itertools
import math

CONFIDENCE = 0.875  # at least: of 7 repetitions the 2nd to the 6th


def repetition(series, number):
    """One repetition as a series of its own."""
    counters = {name: [values[min(number, len(values) - 1)]] for name, values in series["counters"].items() if values}
    return series | {"seconds": [series["seconds"][number]], "counters": counters}


def repetitions(series):
    return [repetition(series, number) for number in range(len(series["seconds"]))]


def in_rounds(series):
    """Whether repetitions are in the order of rounds; of some runs only fastest, median and slowest are known."""
    return series.get("in_rounds", True)


def confidence(number, least):
    """That the median lies between `number` values without so many of the smallest and of the largest, whatever their
    distribution: on which side of it each lies is a coin's toss."""
    return 1 - 2 * sum(math.comb(number, tails) for tails in range(least + 1)) / 2**number


def left_out(number):
    """How many of the smallest, and of the largest."""
    return max((least for least in range(1, (number + 1) // 2) if confidence(number, least) >= CONFIDENCE), default=0)


def interval(values):
    """(low, high) around their median."""
    ordered, least = sorted(values), left_out(len(values))
    return ordered[least], ordered[-1 - least]


def span(ours, other, value):
    """(low, high) of value(ours, other), by the rounds that both have; where rounds are not known, of each with each."""
    if in_rounds(ours) and in_rounds(other):
        return interval([value(*pair) for pair in zip(repetitions(ours), repetitions(other))])
    values = [value(*pair) for pair in itertools.product(repetitions(ours), repetitions(other))]
    return min(values), max(values)
