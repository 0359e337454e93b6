"""What every Python contender shares: its command line and its line of JSON.

    PEER.py VARIANT make LISTING RAW FILE       write the tensors of bench_compare's listing in the peer's format
    PEER.py VARIANT open|describe|view|verify FILE TINY
    PEER.py VARIANT one FILE TINY NAME TINY_NAME
    PEER.py VARIANT load FILE TINY DEVICE LISTING TINY_LISTING
    PEER.py VARIANT save LISTING RAW FILE TINY_LISTING TINY_RAW
    PEER.py VARIANT flips FILE PLAN             load damaged copies (flips.py)

A peer is a class, made with its variant (bench/contenders.py), that has some of: open(path), count(opened),
describe(opened), one(opened, name), view(path) and load(path, device) -> {name: tensor}, verify(path),
save(tensors, path). `mapped` says that what load() returns is pages of the file that nobody has touched yet; `owned`,
that each of its tensors is then cloned, inside the time. One that loads into tensors of the caller has expect(entries),
called before the clock: a caller knows its model. Who has save() has load(): what was saved is checked by loading it.

Times are taken around the peer's call with the monotonic clock; starting the interpreter, importing the peer and
expect() are not in them, nor is the end of what was opened or loaded. Before, every contender does the same with a tiny
file of its own format.
"""

import gc
import json
import os
import sys
import time
import warnings

import flips
import native
import process
import tensors as data
import torch

warnings.filterwarnings("ignore")  # of peers, about themselves


def timed(call):
    begin = time.perf_counter()
    value = call()
    return time.perf_counter() - begin, value


def load_all(peer, path, device):
    """(seconds, tensors), every byte resident where it was asked for."""
    owned = getattr(peer, "owned", False)

    def load():
        tensors = peer.load(path, device)
        copies = {name: tensor.clone() for name, tensor in tensors.items()} if owned else tensors
        if device != "cpu":
            torch.cuda.synchronize(device)
        return copies, tensors

    seconds, (loaded, _) = timed(load)
    if device == "cpu" and getattr(peer, "mapped", False):
        ranges = native.Ranges(loaded)  # by Python, so not by the clock
        seconds += timed(ranges.touch)[0]
    return seconds, loaded


def expect(peer, listing):
    """Tells a peer that wants to know the model which tensors it has."""
    if hasattr(peer, "expect"):
        peer.expect(data.entries_of(listing))


def run_load(peer, path, tiny, device, listing, tiny_listing):
    expect(peer, tiny_listing)
    load_all(peer, tiny, device)
    expect(peer, listing)
    process.reset_peak_rss()
    before = process.storage_read()
    seconds, loaded = load_all(peer, path, device)
    out = {"seconds": seconds, "storage_read": process.storage_read() - before, "peak_rss_bytes": process.peak_rss()}
    if device != "cpu":
        out["peak_device_bytes"] = torch.cuda.max_memory_allocated(device)
    out["bytes_per_second"] = sum(tensor.numel() * tensor.element_size() for tensor in loaded.values()) / seconds
    out["proof"] = data.proof_of([data.sum_words(tensor) for _, tensor in sorted(loaded.items())])
    return out


def run_save(peer, listing, raw, path, tiny_listing, tiny_raw):
    peer.save(data.from_listing(tiny_listing, tiny_raw), path + ".tiny")
    state = data.from_listing(listing, raw)
    gc.collect()
    os.sync()

    def save():
        peer.save(state, path)
        process.sync(path)

    process.reset_peak_rss()
    return {"seconds": timed(save)[0]}


def described(peer, path):
    opened = peer.open(path)
    return opened, peer.describe(opened)


def one_read(peer, path, name):
    opened = peer.open(path)
    return opened, data.sum_words(peer.one(opened, name))


# command -> (what the clock is around, what of its result is said after the clock has stopped). The result holds whatever
# was opened: to close it is not part of a reading, and to count is not part of an open.
READINGS = {
    "open": (lambda peer, path: peer.open(path), lambda peer, opened: {"tensors": peer.count(opened)}),
    "describe": (described, lambda peer, found: {"name_bytes": found[1][0]}),
    "one": (one_read, lambda peer, found: {"sum": str(found[1])}),
    "view": (lambda peer, path: peer.view(path), lambda peer, views: {"tensors": len(views)}),
    "verify": (lambda peer, path: peer.verify(path), lambda peer, nothing: {}),
}


def run_reading(peer, command, path, tiny, name=(), tiny_name=()):
    read, said = READINGS[command]
    said(peer, read(peer, tiny, *tiny_name))
    process.reset_peak_rss()
    seconds, found = timed(lambda: read(peer, path, *name))
    peak = process.peak_rss()
    return {"seconds": seconds, "peak_rss_bytes": peak, **said(peer, found)}


def checked(peer, path):
    """What an integrity test loads. A peer with its own verification has that before."""
    if hasattr(peer, "verify"):
        peer.verify(path)
    return data.listing_of(peer.load(path, "cpu"))


def run_flips(peer, path, plan):
    with open(plan) as file:
        expect(peer, json.load(file)["listing"])
    return flips.run(lambda damaged: checked(peer, damaged), path, plan)


def answer_of(peer, command, arguments):
    if command == "make":
        peer.save(data.from_listing(*arguments[:2]), arguments[2])
        return {}
    if command == "save":
        return run_save(peer, *arguments)
    if command == "flips":
        return run_flips(peer, *arguments)
    if command == "load":
        return run_load(peer, *arguments)
    path, tiny, *names = arguments
    return run_reading(peer, command, path, tiny, *([name] for name in names))


def run(kind):
    variant, command, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    out = answer_of(kind(variant), command, arguments)
    out.setdefault("peak_rss_bytes", process.peak_rss())
    print(json.dumps(out))
