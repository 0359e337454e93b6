"""What every Python contender shares: its command line, its tensors, its line of JSON.

    PEER.py make LISTING RAW FILE     write the tensors of bench_compare's listing in the peer's format
    PEER.py open|describe FILE TINY
    PEER.py one FILE TINY NAME
    PEER.py save LISTING RAW FILE

Times are taken around the peer's call with the monotonic clock; starting the interpreter and importing
the peer are not in them. Every contender opens a tiny file of its own format before.
"""

import gc
import json
import os
import sys
import time

import torch


def tensors(listing, raw):
    """name -> tensor with memory of its own, all bytes resident, those of the raw file."""
    memory = bytearray(os.path.getsize(raw))
    with open(raw, "rb") as file:
        file.readinto(memory)
    result, offset = {}, 0
    for name, dtype, shape, size in json.load(open(listing)):
        part = torch.frombuffer(memory, dtype=torch.uint8, count=size, offset=offset)
        result[name] = part.clone().view(getattr(torch, dtype)).view(shape)
        offset += size
    return result


def sum_words(tensor):
    """Sum of the tensor's 64-bit words: proof that every byte was there."""
    return int(tensor.contiguous().view(torch.uint8).view(-1).view(torch.int64).sum()) % 2**64


def sync(path):
    """fsync of the file and of its folder, as Ingot's commit does."""
    for name in (path, os.path.dirname(path) or "."):
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def peak_rss():
    """Not getrusage's: that one starts with the parent's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def timed(call):
    begin = time.perf_counter()
    value = call()
    return time.perf_counter() - begin, value


def run(peer):
    command, arguments = sys.argv[1], sys.argv[2:]
    out = {}
    if command == "make":
        peer.save(tensors(*arguments[:2]), arguments[2])
    elif command == "save":
        state = tensors(*arguments[:2])
        gc.collect()

        def save():
            peer.save(state, arguments[2])
            sync(arguments[2])

        out["seconds"], _ = timed(save)
    else:
        peer.open(arguments[1])
        path = arguments[0]
        if command == "open":
            out["seconds"], opened = timed(lambda: peer.open(path))
            out["tensors"] = peer.count(opened)
        elif command == "describe":
            out["seconds"], (out["name_bytes"], _) = timed(lambda: peer.describe(peer.open(path)))
        elif command == "one":
            name = arguments[2]
            out["seconds"], out["sum"] = timed(lambda: sum_words(peer.one(peer.open(path), name)))
    out["peak_rss_bytes"] = peak_rss()
    print(json.dumps(out))
