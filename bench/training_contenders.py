"""Who saves and resumes a training run, and how each is started: a fresh process a call, which times itself. Standard
library only."""

import os
import pathlib

import contenders
import processes

SCRIPT = pathlib.Path(__file__).resolve().parent / "training/torch_training.py"
# Of random numbers, a warm-up and a proof, too: at the larger size they take longer than what is measured.
LIMIT_SECONDS = 180
# What needs nothing but torch, and what needs a package of its own.
PYTHON = {"torch-python": "torch", "dcp": "torch", "torchsnapshot": "torchsnapshot",
          "torch-checkpointing": "torch-checkpointing"}
# Other ways of one of them, to save with or to resume by, from a file that it saved itself.
WAYS = {"save": {"torch-python-no-crc32": "torch-python"},
        "resume": {"torch-python-mmap": "torch-python", "torch-python-mmap-owned": "torch-python"}}
CEILINGS = {"save": "ceiling:direct-write", "resume": "ceiling:copy"}
# Series of a stall -> which of its saves, and what its answer calls it. One process has them all: the memory of its first
# snapshot is new, later ones find what the allocator kept.
FIRST, LAST = 0, -1
STALL = {"ingot": (LAST, "stall"), "ingot-first": (FIRST, "stall"), "ingot-until-durable": (LAST, "durable"),
         "part:copy-anew": (FIRST, "copy_anew"), "ceiling:copy": (LAST, "ceiling")}
# What is measured alone -> its command, which writes a file or needs none.
ALONE = {"part:fresh-memory": "fresh-memory", "ceiling:copy": "copy-ceiling"}
WRITES = {"part:2*xxh3+memcpy+direct-write": "proven-write"}


def saver(contender):
    """Whose file a contender resumes from."""
    return WAYS["resume"].get(contender, contender)


class Contenders:
    def __init__(self, build, python):
        self.program, self.python = str(build / "bin" / "bench_training"), python

    def available(self):
        return os.access(self.program, os.X_OK)

    def names(self, command):
        if command == "stall":
            return list(STALL)
        have = contenders.installed(self.python)
        python = [name for name, package in PYTHON.items() if {package, "torch"} <= have.keys()]
        python += [way for way, of in WAYS[command].items() if of in python]
        parts = ["part:fresh-memory"] if command == "resume" else list(WRITES)
        return ["ingot", "torch-cpp", *python, *parts, CEILINGS[command]]

    def call(self, command, contender, mib, path):
        """A save or a resume."""
        if contender in PYTHON or contender in WAYS[command]:
            return _start(str(self.python), "-B", str(SCRIPT), contender, command, str(mib), path)
        return _start(self.program, command, contender, str(mib), path)

    def alone(self, name, mib, path):
        if name in WRITES:
            return _start(self.program, WRITES[name], str(mib), path)
        return _start(self.program, ALONE[name], str(mib))

    def write_ceilings(self, mib, path, first):
        return _start(self.program, "write-ceiling", str(mib), path, str(first))

    def stall(self, mib, path):
        return _start(self.program, "stall", "cpu", "host", str(mib), path)

    def warm(self, paths):
        """{path: whether all of it is in the page cache}, or {"error": ...}"""
        answer = _start(self.program, "warm", *paths)
        return {name: state for name, state in answer.items() if name != "process_seconds"}


def _start(*command):
    return processes.start(command, LIMIT_SECONDS)
