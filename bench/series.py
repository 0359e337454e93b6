"""What is recorded: seconds and counters of every repetition of a contender. Standard library only."""

import random


def new(group, shape, contender):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [], "counters": {}, "errors": []}


def add(series, answer):
    if "error" in answer:
        series["errors"].append(answer["error"])
        return
    for name, value in answer.items():
        if name == "seconds":
            series["seconds"].append(value)
        elif not isinstance(value, str):
            series["counters"].setdefault(name, []).append(value)


def record(series, answer, apart):
    """add(); of an answer with {"runs": {variant: answer}} each variant goes to a series of its own in the list `apart`,
    named <contender>-<variant>."""
    for variant, part in answer.get("runs", {}).items():
        name = f"{series['contender']}-{variant}"
        found = next((entry for entry in apart if entry["contender"] == name), None)
        if found is None:
            found = new(series["group"], series["shape"], name)
            apart.append(found)
        add(found, part)
    if "runs" not in answer:
        add(series, answer)


def is_peer(series):
    return not series["contender"].startswith(("ingot", "ceiling:", "part:"))


def measured(all_series):
    """Without those that have neither a time nor an error: their variants have them."""
    return [entry for entry in all_series if entry["seconds"] or entry["errors"]]


# Whose call takes longer is measured so many times and no more: hours that would say nothing else.
SLOW_SECONDS, SLOW_REPETITIONS = 5, 3


def is_enough(series):
    return len(series["seconds"]) >= SLOW_REPETITIONS and min(series["seconds"]) > SLOW_SECONDS


def turns(number, all_series):
    """Those of a round, in a random order, the same in every run; one that failed is left out. Whoever always came after
    the same one would always find the memory and the disk as that one leaves them."""
    order = random.Random(number).sample(all_series, len(all_series))
    return [series for series in order if not series["errors"] and not is_enough(series)]


def failures(all_series):
    return [entry for entry in all_series if entry["errors"]]


def ingot_is_good(all_series):
    """A peer's error is a result; Ingot's is a failure of the run."""
    return not any(entry["contender"].startswith("ingot") for entry in failures(all_series))
