"""The same run with Python's torch.save and torch.load.

    torch_training.py save|resume|resume-mmap MIB FILE

With resume-mmap the moments stay mapped pages of the file: the time contains touching them, so that every contender
ends with all bytes in memory.
"""

import json
import os
import sys
import time

import torch


def make(mib):
    layers = [torch.nn.Linear(1024, 1024, bias=False) for _ in range(max(mib // 12, 1))]
    model = torch.nn.Sequential(*layers)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def make_moments(model, adam):
    for parameter in model.parameters():
        adam.state[parameter] = {
            "step": torch.tensor(10.0),
            "exp_avg": torch.rand_like(parameter),
            "exp_avg_sq": torch.rand_like(parameter),
        }


def peak_rss():
    """Not getrusage's: that one starts with the parent's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def sync(path):
    """fsync of the file and of its folder, as Ingot's commit does."""
    for name in (path, os.path.dirname(path) or "."):
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def save(model, adam, path):
    torch.save({"model": model.state_dict(), "adam": adam.state_dict()}, path)
    sync(path)


def resume(model, adam, path, mmap):
    state = torch.load(path, mmap=mmap, weights_only=True)
    model.load_state_dict(state["model"])
    adam.load_state_dict(state["adam"])
    if mmap:
        for entry in adam.state.values():
            for tensor in entry.values():
                tensor.view(-1)[:: 4096 // 4].sum()


def main():
    command, mib, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with torch.no_grad():
        model, adam = make(mib)
        if command == "save":
            make_moments(model, adam)
        begin = time.perf_counter()
        if command == "save":
            save(model, adam, path)
        else:
            resume(model, adam, path, mmap=command == "resume-mmap")
        seconds = time.perf_counter() - begin
    out = {
        "seconds": seconds,
        "bytes_per_second": max(mib // 12, 1) * 12 * 2**20 / seconds,
        "peak_rss_bytes": peak_rss(),
    }
    print(json.dumps(out))


main()
