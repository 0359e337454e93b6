"""A result's series, and what is compared of them. Standard library only."""

import statistics

KINDS = ("ingot", "ceiling:", "part:")


def kind(series):
    return next((kind for kind in KINDS if series["contender"].startswith(kind)), "peer")


def median(series):
    return statistics.median(series["seconds"]) if series["seconds"] else None


def counter(series, name):
    values = series["counters"].get(name)
    return statistics.median(values) if values else None


def rate(series):
    """Bytes a second; None where no bytes were counted."""
    return counter(series, "bytes_per_second") or None


def size(series):
    """Bytes; None where none were counted."""
    return rate(series) * median(series) if rate(series) else None


def cost(series):
    """What is compared: seconds a byte where bytes were counted, else seconds."""
    return 1 / rate(series) if rate(series) else median(series)


def ratio_to(series, other):
    """Of the costs where bytes were counted on both sides, else of the times."""
    if not other or not series["seconds"]:
        return None
    if rate(series) and rate(other):
        return cost(series) / cost(other)
    return median(series) / median(other)


def run_of(series):
    """Which earlier run it was taken over from, in words; empty for this one."""
    return series.get("of", "")


def run_id(series):
    """The same, exactly; of a result from before runs had ids, in words."""
    return series.get("run") or run_of(series)


def runs_of(all_series):
    """The earlier runs among them, each once."""
    return sorted({run_of(entry) for entry in all_series} - {""})


def of_one_run(all_series):
    """Those of the run that most of them are of: no line and no ratio mixes two runs. This run's where as many are."""
    runs = [run_id(entry) for entry in all_series]
    chosen = max(sorted(set(runs)), key=runs.count, default="")
    return [entry for entry in all_series if run_id(entry) == chosen]


class Result:
    """The series of a run, by group, shape and contender."""

    def __init__(self, series):
        self.series = [entry for entry in series if entry["seconds"] or entry["errors"]]

    def groups(self):
        return list(dict.fromkeys(entry["group"] for entry in self.series))

    def shapes(self, group):
        return list(dict.fromkeys(entry["shape"] for entry in self.series if entry["group"] == group))

    def of(self, group, shape):
        return [entry for entry in self.series if entry["group"] == group and entry["shape"] == shape]

    def measured(self, group, shape, of_kind):
        return [entry for entry in self.of(group, shape) if entry["seconds"] and kind(entry) == of_kind]

    def find(self, group, shape, contender):
        found = [entry for entry in self.of(group, shape) if entry["contender"] == contender and entry["seconds"]]
        return found[0] if found else None

    def ceiling(self, group, shape):
        """The fastest of the ceilings that were measured for these bytes."""
        return min(self.measured(group, shape, "ceiling:"), key=cost, default=None)

    def has_gpu(self):
        return any("gpu" in entry["group"] for entry in self.series)
