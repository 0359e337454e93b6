"""Saving and resuming a model with its Adam state: Ingot, torch::save and Python's torch.save in turn, each in a
fresh process that times itself, beside a ceiling. Standard library only."""

import os
import pathlib

import compare_run

HERE = pathlib.Path(__file__).resolve().parent / "training"
SIZES, QUICK_SIZES = [100, 2048], [12]  # MiB of parameters and moments together


class Contenders(compare_run.Contenders):
    def __init__(self, build, python):
        super().__init__(build, python)
        self.program = str(build / "bin" / "bench_training")

    def available(self):
        return os.access(self.program, os.X_OK)

    def names(self, command):
        python = ["torch-python"] + (["torch-python-mmap"] if command == "resume" else [])
        return ["ingot", "torch-cpp"] + (python if self.python else [])

    def run(self, command, contender, mib, path):
        if contender == "ceiling:direct-write":
            return self.start([self.program, "write-ceiling", str(mib), path])
        if contender == "ceiling:copy":
            return self.start([self.program, "copy-ceiling", str(mib)])
        if contender.startswith("torch-python"):
            command += contender.removeprefix("torch-python")
            return self.start([str(self.python), str(HERE / "torch_training.py"), command, str(mib), path])
        return self.start([self.program, command, contender, str(mib), path])

    def warm(self, path):
        return self.start([self.program, "warm", path]).get("warm", False)


def measure(command, ceiling, mib, contenders, folder, repetitions):
    group, shape = f"training-{command}", f"{mib}MiB"
    all_series = [compare_run.new_series(group, shape, name) for name in contenders.names(command) + [ceiling]]
    for series in compare_run.rounds(repetitions, all_series):
        path = folder / f"{series['contender'].replace(':', '-').removesuffix('-mmap')}-{mib}"
        if command == "save":
            path.unlink(missing_ok=True)
            os.sync()
        elif series["contender"] != ceiling and not contenders.warm(str(path)):
            compare_run.add(series, {"error": "not in the page cache"})
            continue
        answer = contenders.run(command, series["contender"], mib, str(path))
        compare_run.add(series, answer)
    return all_series


def run(arguments, python):
    """(whether Ingot did all, series). Empty where the build has no LibTorch."""
    contenders = Contenders(arguments.build, python)
    if not contenders.available():
        print("== training: left out, this build has no LibTorch", flush=True)
        return True, []
    folder = arguments.cache / "training"
    folder.mkdir(parents=True, exist_ok=True)
    series = []
    for mib in QUICK_SIZES if arguments.quick else SIZES:
        print(f"== training {mib} MiB", flush=True)
        series += measure("save", "ceiling:direct-write", mib, contenders, folder, arguments.repetitions)
        series += measure("resume", "ceiling:copy", mib, contenders, folder, arguments.repetitions)
    for entry in series:
        if entry["errors"]:
            print(f"{entry['group']} {entry['shape']} {entry['contender']}: {entry['errors'][0]}", flush=True)
    return not any(entry["errors"] for entry in series if entry["contender"] == "ingot"), series
