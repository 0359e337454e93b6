"""What every Python contender shares: its command line and its line of JSON.

    PEER.py VARIANT make LISTING RAW FILE       write the tensors of bench_compare's listing in the peer's format
    PEER.py VARIANT open|describe|view|load|verify FILE TINY [DEVICE]
    PEER.py VARIANT one FILE TINY NAME
    PEER.py VARIANT save LISTING RAW FILE
    PEER.py VARIANT flips FILE PLAN             load damaged copies (flips.py)

A peer is a class, made with its variant (bench/contenders.py), that has some of: open(path), count(opened),
describe(opened), one(opened, name), view(path) and load(path, device) -> {name: tensor}, verify(path),
save(tensors, path); `mapped` says that what load() returns is pages of the file that nobody has touched yet.

Times are taken around the peer's call with the monotonic clock; starting the interpreter and importing the peer are
not in them. Every contender opens a tiny file of its own format before.
"""

import gc
import json
import os
import sys
import time
import warnings

import flips
import tensors as data
import torch

warnings.filterwarnings("ignore")  # of peers, about themselves


def sync(path):
    """fsync of what was written and of its folder, as Ingot's commit does."""
    paths = [path, os.path.dirname(path) or "."]
    for folder, _, files in os.walk(path):
        paths += [folder, *(os.path.join(folder, name) for name in files)]
    for name in paths:
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def peak_rss():
    """Not getrusage's: that one starts with the parent's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def storage_read():
    """Bytes that this process has had read from storage."""
    with open("/proc/self/io") as counters:
        return next(int(line.split()[1]) for line in counters if line.startswith("read_bytes"))


def timed(call):
    begin = time.perf_counter()
    value = call()
    return time.perf_counter() - begin, value


def load_all(peer, path, device):
    """Every byte resident where it was asked for."""
    loaded = peer.load(path, device)
    if device != "cpu":
        torch.cuda.synchronize(device)
    elif getattr(peer, "mapped", False):
        data.touch(loaded)
    return loaded


def checked(peer, path):
    """What an integrity test loads. A peer with its own verification has that before."""
    if hasattr(peer, "verify"):
        peer.verify(path)
    return data.listing_of(peer.load(path, "cpu"))


def run_load(peer, path, device="cpu"):
    before = storage_read()
    seconds, loaded = timed(lambda: load_all(peer, path, device))
    out = {"seconds": seconds, "storage_read": storage_read() - before, "peak_rss_bytes": peak_rss()}
    if device != "cpu":
        out["peak_device_bytes"] = torch.cuda.max_memory_allocated(device)
    size = sum(tensor.numel() * tensor.element_size() for tensor in loaded.values())
    out["bytes_per_second"] = size / seconds
    out["proof"] = data.proof_of([data.sum_words(tensor) for _, tensor in sorted(loaded.items())])
    return out


def run_save(peer, listing, raw, path):
    state = data.from_listing(listing, raw)
    gc.collect()

    def save():
        peer.save(state, path)
        sync(path)

    return {"seconds": timed(save)[0]}


def run_reading(peer, command, path, *arguments):
    if command == "load":
        return run_load(peer, path, *arguments)
    if command == "open":
        seconds, opened = timed(lambda: peer.open(path))
        return {"seconds": seconds, "tensors": peer.count(opened)}
    if command == "describe":
        seconds, (names, _) = timed(lambda: peer.describe(peer.open(path)))
        return {"seconds": seconds, "name_bytes": names}
    if command == "one":
        seconds, total = timed(lambda: data.sum_words(peer.one(peer.open(path), arguments[0])))
        return {"seconds": seconds, "sum": str(total)}
    if command == "view":
        seconds, viewed = timed(lambda: peer.view(path))
        return {"seconds": seconds, "tensors": len(viewed)}
    if command == "verify":
        return {"seconds": timed(lambda: peer.verify(path))[0]}
    raise ValueError(f"no such command: {command}")


def warm_up(peer, command, tiny, device="cpu"):
    """The first call into a library pays for page faults in its code, and a GPU's for its context."""
    if command == "load":
        peer.load(tiny, device)
    elif command in ("view", "verify"):
        getattr(peer, command)(tiny)
    else:
        peer.open(tiny)


def run(kind):
    variant, command, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    peer, out = kind(variant), {}
    if command == "make":
        peer.save(data.from_listing(*arguments[:2]), arguments[2])
    elif command == "save":
        out = run_save(peer, *arguments)
    elif command == "flips":
        out = flips.run(lambda path: checked(peer, path), *arguments)
    else:
        path, tiny, *more = arguments
        warm_up(peer, command, tiny, *(more if command == "load" else []))
        out = run_reading(peer, command, path, *more)
    out.setdefault("peak_rss_bytes", peak_rss())
    print(json.dumps(out))
