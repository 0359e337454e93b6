"""Saving and resuming a model with its Adam state: Ingot, torch::save and what Python has for it in turn, each in a
fresh process that times itself, beside a ceiling. Standard library only."""

import os
import pathlib
import re

import contenders
import inputs
import processes
import series

HERE = pathlib.Path(__file__).resolve().parent / "training"
SIZES, QUICK_SIZES = [100, 2048], [12]  # MiB of parameters and moments together
# What needs nothing but torch, and what needs a package of its own.
PYTHON = {"torch-python": "torch", "dcp": "torch", "torchsnapshot": "torchsnapshot",
          "torch-checkpointing": "torch-checkpointing"}


class Contenders:
    def __init__(self, build, python):
        self.program, self.python = str(build / "bin" / "bench_training"), python

    def available(self):
        return os.access(self.program, os.X_OK)

    def names(self, command):
        have = contenders.installed(self.python)
        python = [name for name, package in PYTHON.items() if {package, "torch"} <= have.keys()]
        more = ["part:fresh-memory"] if command == "resume" else []
        more += ["torch-python-mmap"] if command == "resume" and "torch-python" in python else []
        return ["ingot", "torch-cpp"] + python + more

    def run(self, command, contender, mib, path):
        if command == "stall":
            return processes.start([self.program, "stall", contender, "host", str(mib), path])
        if contender == "ceiling:direct-write":
            return processes.start([self.program, "write-ceiling", str(mib), path])
        if contender == "part:fresh-memory":
            return processes.start([self.program, "fresh-memory", str(mib)])
        if contender == "ceiling:copy":
            return processes.start([self.program, "copy-ceiling", str(mib)])
        if contender.removesuffix("-mmap") in PYTHON:
            return processes.start([str(self.python), "-B", str(HERE / "torch_training.py"), contender, command, str(mib), path])
        return processes.start([self.program, command, contender, str(mib), path])

    def warm(self, path):
        return processes.start([self.program, "warm", path]).get("warm", False)


def once(here, command, contender, ceiling, mib, folder):
    if contender.startswith("part:"):
        return here.run(command, contender, mib, "")
    path = folder / f"{contender.replace(':', '-').removesuffix('-mmap')}-{mib}"
    if command == "save":
        inputs.remove(path)
        os.sync()
    elif contender != ceiling and not path.exists():  # a run that only resumes
        here.run("save", contender.removesuffix("-mmap"), mib, str(path))
    if command == "resume" and contender != ceiling and not all(here.warm(name) for name in inputs.files(str(path))):
        return {"error": "not in the page cache"}
    return here.run(command, contender, mib, str(path))


def measure(command, ceiling, mib, here, folder, arguments, journal):
    group, shape = f"training-{command}", f"{mib}MiB"
    names = [name for name in here.names(command) + [ceiling] if re.search(arguments.filter, f"{group}/{shape}/{name}")]
    all_series = [series.new(group, shape, name) for name in names]
    for number, entry in series.rounds(arguments.repetitions, all_series):
        answer = journal.once((group, shape, entry["contender"], number),
                              lambda e=entry: once(here, command, e["contender"], ceiling, mib, folder))
        series.add(entry, answer)
    return all_series


def held_up(mib, here, folder, arguments, journal):
    """How long save_async() holds the training up, and until its file is durable, beside a copy of the same bytes."""
    group, shape = "training-stall", f"{mib}MiB"
    parts = {"ingot": "stall", "ingot-until-durable": "durable", "ceiling:copy": "ceiling"}
    all_series = {name: series.new(group, shape, name) for name in parts
                  if re.search(arguments.filter, f"{group}/{shape}/{name}")}
    for number in range(arguments.repetitions if all_series else 0):
        path = folder / f"stall-{mib}"
        answer = journal.once((group, shape, number), lambda p=path: here.run("stall", "cpu", mib, str(p)))
        inputs.remove(path)
        for name, entry in all_series.items():
            # The last of a few saves: the first one makes what the others find.
            series.add(entry, {"seconds": answer["runs"][-1][parts[name]]} if "runs" in answer else dict(answer))
    return list(all_series.values())


def run(arguments, journal):
    """(whether Ingot did all, series). Empty where the build has no LibTorch."""
    here = Contenders(arguments.build, arguments.peers)
    if not here.available():
        print("== training: left out, this build has no LibTorch", flush=True)
        return True, []
    folder = arguments.cache / "training"
    folder.mkdir(parents=True, exist_ok=True)
    result = []
    for mib in QUICK_SIZES if arguments.quick else SIZES:
        print(f"== training {mib} MiB", flush=True)
        result += measure("save", "ceiling:direct-write", mib, here, folder, arguments, journal)
        result += measure("resume", "ceiling:copy", mib, here, folder, arguments, journal)
        result += held_up(mib, here, folder, arguments, journal)
        for path in folder.glob(f"*-{mib}*"):
            inputs.remove(path)
    for entry in series.failures(result):
        print(f"{entry['group']} {entry['shape']} {entry['contender']}: {entry['errors'][0]}", flush=True)
    return series.ingot_is_good(result), result
