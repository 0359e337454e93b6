"""Ingot and other libraries in turn, each in a fresh process that times itself. Standard library only.

Contenders take turns (A B C A B C ...), the order turning with every round. Input files are in the page
cache (mincore says so); what a save wrote is removed and the file system synced before the next one.
"""

import json
import os
import pathlib
import re
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent / "compare"
PEERS = {"safetensors": "safetensors_peer.py", "torch": "torch_peer.py", "torch-no-crc32": "torch_peer.py"}
SUFFIX = {"ingot": "ingot", "safetensors": "safetensors", "torch": "pt"}
TINY = "small:10"
LIMIT_SECONDS = 60
OPEN_SHAPES = ["small:1000", "small:100000", "small:1000000:16"]
SAVE_SHAPES = ["decoder:2048"]
QUICK_OPEN_SHAPES, QUICK_SAVE_SHAPES = ["small:1000"], ["decoder:4"]


class Contenders:
    """Starts a contender's process; remembers what it cannot do."""

    def __init__(self, build, python):
        self.program = str(build / "bin" / "bench_compare")
        self.python = python

    def names(self, save):
        if not self.python:
            return ["ingot"]
        return ["ingot", "safetensors", "torch"] + (["torch-no-crc32"] if save else [])

    def call(self, contender, *arguments):
        """The contender's JSON, or {"error": ...}."""
        if contender == "ingot":
            command = [self.program, *arguments]
        else:
            command = [str(self.python), str(HERE / PEERS[contender]), *arguments]
        return self.start(command, INGOT_BENCH_NO_CRC32="1" if contender == "torch-no-crc32" else "0")

    @staticmethod
    def start(command, **environment):
        """Runs a command and reads the JSON that it prints."""
        environment = dict(os.environ, **environment)
        begin = time.monotonic()
        # A contender that takes longer once would take the run: making input files may.
        limit = None if "make" in command else LIMIT_SECONDS
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=limit)
        except subprocess.TimeoutExpired:
            return {"error": f"stopped after {limit} s"}
        process_seconds = time.monotonic() - begin
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return {"error": lines[-1] if lines else f"exit code {done.returncode}"}
        # The whole process with the start of its interpreter and imports: stated, never compared.
        return json.loads(done.stdout) | {"process_seconds": process_seconds}


class Inputs:
    """The same tensors, listed, as raw bytes, and in each contender's format; made once."""

    def __init__(self, cache, contenders):
        self.folder, self.cache, self.contenders = cache / "compare", cache, contenders
        self.folder.mkdir(parents=True, exist_ok=True)

    def listing_and_raw(self, shape):
        base = shape.replace(":", "-")
        listing, raw = self.folder / f"{base}.json", self.folder / f"{base}.raw"
        if not listing.exists():
            partial = listing.with_suffix(".partial")
            answer = self.contenders.call("ingot", "make", shape, str(partial), str(raw))
            if "error" in answer:
                raise RuntimeError(answer["error"])
            partial.rename(listing)
        return str(listing), str(raw)

    def file(self, contender, shape):
        """Path of the file, or {"error": ...} when the contender cannot make it."""
        if contender == "ingot":
            answer = self.contenders.call("ingot", "ingot", shape, str(self.cache))
            return answer.get("path", answer)
        path = self.folder / f"{shape.replace(':', '-')}.{SUFFIX[contender]}"
        if not path.exists():
            partial = path.with_suffix(".partial")
            answer = self.contenders.call(contender, "make", *self.listing_and_raw(shape), str(partial))
            if "error" in answer:
                return answer
            partial.rename(path)
        return str(path)


def new_series(group, shape, contender):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [], "counters": {}, "errors": []}


def add(series, answer):
    if "error" in answer:
        series["errors"].append(answer["error"])
        return
    series["seconds"].append(answer.pop("seconds"))
    for name, value in answer.items():
        series["counters"].setdefault(name, []).append(value)


def rounds(repetitions, all_series):
    """The series that still work, in an order that turns with each round."""
    for number in range(repetitions):
        turn = number % len(all_series)
        for series in all_series[turn:] + all_series[:turn]:
            if not series["errors"]:
                yield series


def run_open(group, command, shape, inputs, repetitions):
    contenders = inputs.contenders
    listing, _ = inputs.listing_and_raw(shape)
    names = json.loads(pathlib.Path(listing).read_text())
    extra = [names[len(names) // 2][0]] if command == "one" else []
    files, all_series = {}, []
    for contender in contenders.names(save=False):
        series = new_series(group, shape.replace(":", "-"), contender)
        all_series.append(series)
        path = inputs.file(contender, shape)
        files[contender] = (path, inputs.file(contender, TINY))
        if isinstance(path, dict):
            add(series, path)
    paths = [path for path, _ in files.values() if isinstance(path, str)]
    warm = contenders.call("ingot", "warm", *paths)
    for series in rounds(repetitions, all_series):
        contender = series["contender"]
        if not warm.get(files[contender][0]):
            add(series, {"error": f"not in the page cache: {warm.get('error', 'evicted')}"})
            continue
        add(series, contenders.call(contender, command, *files[contender], *extra))
    return all_series


def run_save(group, shape, inputs, repetitions):
    contenders = inputs.contenders
    listing, raw = inputs.listing_and_raw(shape)
    out = inputs.cache / "out" / "compare-save"
    out.parent.mkdir(exist_ok=True)
    all_series = [new_series(group, shape.replace(":", "-"), name) for name in contenders.names(save=True)]
    for series in rounds(repetitions, all_series):
        out.unlink(missing_ok=True)
        os.sync()
        source = shape if series["contender"] == "ingot" else listing
        answer = contenders.call(series["contender"], "save", source, raw, str(out))
        if "error" not in answer:
            answer["file_bytes"] = out.stat().st_size
            answer["bytes_per_second"] = os.path.getsize(raw) / answer["seconds"]
        add(series, answer)
    out.unlink(missing_ok=True)
    return all_series


def run(arguments, python):
    """(whether all contenders that should work did, series)"""
    inputs = Inputs(arguments.cache, Contenders(arguments.build, python))
    plans = []
    for shape in QUICK_OPEN_SHAPES if arguments.quick else OPEN_SHAPES:
        for group, command in (("peers-open", "open"), ("peers-describe", "describe"), ("peers-one", "one")):
            plans.append((group, shape, lambda g, s, c=command: run_open(g, c, s, inputs, arguments.repetitions)))
    for shape in QUICK_SAVE_SHAPES if arguments.quick else SAVE_SHAPES:
        plans.append(("peers-save", shape, lambda g, s: run_save(g, s, inputs, arguments.repetitions)))
    series = []
    for group, shape, work in plans:
        if re.search(arguments.filter, f"{group}/{shape}"):
            print(f"== {group} {shape}", flush=True)
            series += work(group, shape)
    for entry in series:
        if entry["errors"]:
            print(f"{entry['group']} {entry['shape']} {entry['contender']}: {entry['errors'][0]}", flush=True)
    # A peer may be unable to hold a shape; that is a result. Ingot may not.
    return not any(entry["errors"] for entry in series if entry["contender"] == "ingot"), series


def versions(python):
    if not python:
        return {}
    code = "import torch, safetensors; print(torch.__version__, safetensors.__version__)"
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    torch, safetensors = done.stdout.split()
    return {"torch": torch, "safetensors": safetensors}
