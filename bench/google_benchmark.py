"""Programs made with Google Benchmark: what they can measure, how they are run, what they print. Standard library only.

A shape is measured in rounds, each a fresh process of all its contenders in a random order: where a file's pages lie in
memory is settled once a process, and moves the times of all of a round; and nothing is left of the shape before.
"""

import dataclasses
import json
import re
import subprocess
import sys

import series
from progress import Progress
from rounds import Rounds, together

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What Google Benchmark puts behind the names given to it.
SUFFIX = re.compile(r"/(iterations:\d+|repeats:\d+|manual_time|real_time)")
NOT_COUNTERS = {
    "name", "run_name", "run_type", "family_index", "per_family_instance_index", "repetitions", "repetition_index",
    "threads", "iterations", "real_time", "cpu_time", "time_unit", "error_occurred", "error_message", "label",
}


def split(name):
    """(group, shape, contender) of a name as the program has it."""
    return tuple(SUFFIX.sub("", name).split("/", 2))


@dataclasses.dataclass(frozen=True)
class Work:
    """A shape of a program, with the names that are measured of it, as the program has them."""
    program: str
    names: tuple

    @property
    def group(self):
        return split(self.names[0])[0]

    @property
    def shape(self):
        return split(self.names[0])[1]

    @property
    def contenders(self):
        return [split(name)[2] for name in self.names]


def admitted(listing, pattern):
    """Those of the listed names that a pattern on group/shape/contender admits, as the program has them."""
    return [name for name in listing if re.search(pattern, SUFFIX.sub("", name))]


def exactly(names):
    """A filter that admits these names alone, in POSIX's regular expressions and in ECMAScript's."""
    return "^(" + "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", name) for name in names) + ")$"


def by_shape(program, names):
    """[Work], in the program's order."""
    found = {}
    for name in names:
        found.setdefault(split(name)[:2], []).append(name)
    return [Work(program, tuple(of_a_shape)) for of_a_shape in found.values()]


def command(program, arguments):
    quick = ["--ingot_quick", "--benchmark_min_time=0.001"] if arguments.quick else []
    return [str(arguments.build / "bin" / f"bench_{program}"), f"--ingot_cache={arguments.cache}", *quick]


def listed(program, arguments):
    """Names that a program has, or None when it cannot say."""
    done = subprocess.run([*command(program, arguments), "--benchmark_list_tests=true"], check=False,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout.split() if done.returncode == 0 else None


def chosen(programs, arguments):
    """(whether all programs said what they have, [Work] of all that a run will do)."""
    listings = {program: listed(program, arguments) for program in programs}
    work = []
    for program, names in listings.items():
        work += by_shape(program, admitted(names or [], arguments.filter))
    return None not in listings.values(), work


def collect(raw):
    """Series out of Google Benchmark's JSON, one a contender, its repetitions in order."""
    found = {}
    for one in raw["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        of = split(one["run_name"])
        entry = found.setdefault(of, series.new(*of))
        if one.get("error_occurred"):
            entry["errors"].append(one.get("error_message", ""))
            continue
        entry["seconds"].append(one["real_time"] * SECONDS[one["time_unit"]])
        for name, value in one.items():
            if name not in NOT_COUNTERS:
                entry["counters"].setdefault(name, []).append(value)
    return list(found.values())


def measure(work, arguments, repetitions):
    """What one process measured, {"series"}, with "error" when not all of it went well."""
    out = arguments.cache / f"{work.program}.json"
    out.unlink(missing_ok=True)
    done = subprocess.run([*command(work.program, arguments), f"--benchmark_filter={exactly(work.names)}",
                           f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true",
                           f"--benchmark_out={out}", "--benchmark_out_format=json"],
                          check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    found = _written(out)
    problem = _problem(work, done, found, repetitions)
    return {"series": found} | ({"error": problem} if problem else {})


def _written(out):
    try:
        return collect(json.loads(out.read_text()))
    except (OSError, json.JSONDecodeError):  # it ended before its time
        return []


def _problem(work, done, found, repetitions):
    """Why a process did not do what it was asked for, or None."""
    for entry in series.failures(found):
        return f"{entry['contender']}: {entry['errors'][0]}"
    if done.returncode != 0:
        return f"bench_{work.program} ended with {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}"
    for contender in work.contenders:
        if [len(entry["seconds"]) for entry in found if entry["contender"] == contender] != [repetitions]:
            return f"{contender}: was not measured"
    return None


def processes(arguments, repetitions):
    """Repetitions of each process of a shape: one does where no number is to be believed, or the fastest of many counts."""
    return [repetitions] if arguments.quick or arguments.guard else [1] * repetitions


def join(all_series, found):
    """Puts what a round found behind what the rounds before did."""
    for entry in found:
        whole = next(one for one in all_series if one["contender"] == entry["contender"])
        whole["seconds"] += entry["seconds"]
        whole["errors"] += entry["errors"]
        for name, values in entry["counters"].items():
            whole["counters"].setdefault(name, []).extend(values)


def in_rounds(work, arguments, repetitions, rounds):
    """(whether all went well, series) of a shape; after a round that did not, there are no more."""
    all_series = [series.new(work.group, work.shape, contender) for contender in work.contenders]
    each, good = processes(arguments, repetitions), True
    for number, times in enumerate(each):
        # Beside other contenders, or as often in one process, it would be another measurement.
        key = (work.group, work.shape, f"{number}x{times} {together(work.contenders)}")
        answer = rounds.step(key, lambda n=times: measure(work, arguments, n), _told)
        join(all_series, answer["series"])
        if "error" in answer:
            print(f"{work.group} {work.shape}: {answer['error']}", file=sys.stderr, flush=True)
            rounds.progress.fewer(len(each) - number - 1)
            good = False
            break
    return good, series.measured(all_series)


def _told(answer):
    return "failed" if "error" in answer else f"{len(answer['series'])} contenders"


def run(programs, arguments, repetitions, journal):
    """(whether all went well, series) of all that the filter admits."""
    good, work = chosen(programs, arguments)
    steps = len(work) * len(processes(arguments, repetitions))
    rounds, result = Rounds(repetitions, journal, Progress(steps)), []
    for one in work:
        shape_good, of_a_shape = in_rounds(one, arguments, repetitions, rounds)
        good &= shape_good
        result += of_a_shape
    return good, result
