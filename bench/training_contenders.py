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
CEILINGS = {"save": "ceiling:direct-write", "resume": "ceiling:copy"}
# Series of a stall -> what its answer calls them. One process has them all.
STALL = {"ingot": "stall", "ingot-until-durable": "durable", "ceiling:copy": "ceiling"}
# What is measured alone -> its command, which writes a file or needs none.
ALONE = {"part:fresh-memory": "fresh-memory", "ceiling:copy": "copy-ceiling"}
WRITES = {"part:2*xxh3+memcpy+direct-write": "proven-write"}


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
        more = ["part:fresh-memory"] if command == "resume" else list(WRITES)
        more += ["torch-python-mmap"] if command == "resume" and "torch-python" in python else []
        return ["ingot", "torch-cpp", *python, *more, CEILINGS[command]]

    def call(self, command, contender, mib, path):
        """A save or a resume."""
        if contender.removesuffix("-mmap") in PYTHON:
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
