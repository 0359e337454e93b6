"""Programs made with Google Benchmark: what they can measure, how they are run, what they print. Standard library only."""

import json
import re
import subprocess

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What Google Benchmark puts behind the names given to it.
SUFFIX = re.compile(r"/(iterations:\d+|repeats:\d+|manual_time|real_time)")
NOT_COUNTERS = {
    "name", "run_name", "run_type", "family_index", "per_family_instance_index", "repetitions", "repetition_index",
    "threads", "iterations", "real_time", "cpu_time", "time_unit", "error_occurred", "error_message", "label",
}


def admitted(listing, pattern):
    """Those of the listed names that a pattern on group/shape/contender admits, as the program has them."""
    return [name for name in listing if re.search(pattern, SUFFIX.sub("", name))]


def exactly(names):
    """A filter that admits these names alone, in POSIX's regular expressions and in ECMAScript's."""
    return "^(" + "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", name) for name in names) + ")$"


def listed(command):
    """Names that a program has, or None when it cannot say."""
    done = subprocess.run([*command, "--benchmark_list_tests=true"], check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout.split() if done.returncode == 0 else None


def collect(raw):
    """Series out of Google Benchmark's JSON, one a contender, its repetitions in order."""
    series = {}
    for run in raw["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        group, shape, contender = SUFFIX.sub("", run["run_name"]).split("/", 2)
        entry = series.setdefault(
            (group, shape, contender),
            {"group": group, "shape": shape, "contender": contender, "seconds": [], "counters": {}, "errors": []},
        )
        if run.get("error_occurred"):
            entry["errors"].append(run.get("error_message", ""))
            continue
        entry["seconds"].append(run["real_time"] * SECONDS[run["time_unit"]])
        for name, value in run.items():
            if name not in NOT_COUNTERS:
                entry["counters"].setdefault(name, []).append(value)
    return list(series.values())


def command(program, arguments):
    quick = ["--ingot_quick", "--benchmark_min_time=0.001"] if arguments.quick else []
    return [str(arguments.build / "bin" / f"bench_{program}"), f"--ingot_cache={arguments.cache}", *quick]


def measure(program, arguments, repetitions):
    """(whether all went well, series). A program of which the filter admits nothing is not run."""
    start = command(program, arguments)
    only = []
    if arguments.filter:
        names = listed(start)
        chosen = admitted(names or [], arguments.filter)
        if not chosen:
            return names is not None, []
        only = [f"--benchmark_filter={exactly(chosen)}"] if len(chosen) < len(names) else []
    print(f"== bench_{program}", flush=True)
    out = arguments.cache / f"{program}.json"
    out.unlink(missing_ok=True)
    code = subprocess.run([*start, f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true",
                           f"--benchmark_out={out}", "--benchmark_out_format=json", *only], check=False).returncode
    return _answer(code, out)


def _answer(code, out):
    try:
        return code == 0, collect(json.loads(out.read_text()))
    except (OSError, json.JSONDecodeError):  # it ended before its time, or had nothing to measure here
        return code == 0, []
