"""Damages a file bit by bit and loads it: is the damage noticed, harmless, or handed out as data? Standard library only.

Which bytes are data is found by looking for the tensors' bytes, without knowledge of the format; what is neither data
nor between tensors is header (before the first) or trailer (after the last), and files of a folder that hold no tensor
are metadata. In each region up to `samples` bytes have one bit flipped, one byte at a time, from the first to the
last. Every load runs in a process of its own, so that a crash or a hang is an outcome as well.
"""

import collections
import json
import os
import resource
import signal
import sys

NOTICED, HARMLESS, WRONG, CRASHED, HUNG = "noticed", "harmless", "wrong", "crashed", "hung"
MORE_MEMORY = 4 << 30  # a damaged length must not take the machine's memory


def files_of(path):
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def blobs_of(listing, raw):
    """The bytes of every tensor."""
    with open(raw, "rb") as file:
        return [file.read(entry[3]) for entry in listing]


def extents_of(content, blobs):
    """[(begin, end)] of the tensors' bytes in a file, in its order."""
    found = [(content.find(blob), len(blob)) for blob in blobs]
    return sorted((begin, begin + size) for begin, size in found if begin >= 0)


def regions_of(path, blobs):
    """region -> [(file, begin, end)]"""
    regions, extents = collections.defaultdict(list), []
    for name in files_of(path):
        with open(name, "rb") as file:
            content = file.read()
        inside = extents_of(content, blobs)
        if not inside:
            regions["other files"].append((name, 0, len(content)))
            continue
        extents += [(name, *extent) for extent in inside]
        regions["header"].append((name, 0, inside[0][0]))
        regions["trailer"].append((name, inside[-1][1], len(content)))
        regions["between tensors"] += [(name, before[1], after[0]) for before, after in zip(inside, inside[1:])]
    if len(extents) != len(blobs):
        raise RuntimeError(f"{len(extents)} of {len(blobs)} tensors found in {path}")
    regions["data, begin"] = [extents[0]]
    regions["data, middle"] = [extents[len(extents) // 2]]
    regions["data, end"] = [extents[-1]]
    return {region: kept for region, pieces in regions.items() if (kept := [p for p in pieces if p[2] > p[1]])}


def spread(pieces, samples):
    """(file, offset) of at most `samples` bytes, evenly, the first and the last among them."""
    total = sum(end - begin for _, begin, end in pieces)
    count = min(samples, total)
    wanted = [place * (total - 1) // max(count - 1, 1) for place in range(count)]
    chosen, passed = [], 0
    for name, begin, end in pieces:
        chosen += [(name, begin + at - passed) for at in wanted if passed <= at < passed + end - begin]
        passed += end - begin
    return chosen


def flip(name, offset, bit):
    with open(name, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def virtual_bytes():
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def load_in_child(load, path, pipe, seconds):
    """Never returns. Writes what was loaded, or what was raised."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes() + MORE_MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = {"listing": load(path)}
    except BaseException as error:  # a Rust panic is no Exception
        answer = {"raised": getattr(error, "code_name", None) or type(error).__name__, "message": str(error)[:200]}
    with os.fdopen(pipe, "w") as file:
        json.dump(answer, file)
    os._exit(0)


def attempt(load, path, seconds):
    """{"listing"}, {"raised", "message"} or {"signal"}."""
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        load_in_child(load, path, writing, seconds)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": signal.Signals(os.WTERMSIG(status)).name}
    return json.loads(text)


def difference(listing, expected):
    """What is wrong with what was loaded: empty when nothing is."""
    got = {entry[0]: entry for entry in listing}
    want = {entry[0]: entry for entry in expected}
    if got.keys() != want.keys():
        return "names"
    for place, what in ((1, "dtypes"), (2, "shapes"), (3, "bytes")):
        if any(got[name][place] != want[name][place] for name in want):
            return what
    return ""


def judge(answer, expected):
    """(outcome, why)"""
    if answer.get("signal") == "SIGALRM":
        return HUNG, ""
    if "signal" in answer:
        return CRASHED, answer["signal"]
    if "raised" in answer:
        return NOTICED, answer["raised"]
    what = difference(answer["listing"], expected)
    return (WRONG, what) if what else (HARMLESS, "")


def run_region(load, path, places, expected, seconds):
    outcomes, why = collections.Counter(), collections.defaultdict(collections.Counter)
    for number, (name, offset) in enumerate(places):
        flip(name, offset, number % 8)
        try:
            outcome, reason = judge(attempt(load, path, seconds), expected)
        finally:
            flip(name, offset, number % 8)
        outcomes[outcome] += 1
        if reason:
            why[outcome][reason] += 1
    return {"flips": len(places), **outcomes, "why": {outcome: dict(reasons) for outcome, reasons in why.items()}}


def run(load, path, plan):
    """The regions of a file and what became of their flips. `plan`: a JSON file with listing, raw, samples, seconds."""
    with open(plan) as file:
        settings = json.load(file)
    expected = [[name, dtype, shape, total] for name, dtype, shape, _, total in settings["listing"]]
    intact = attempt(load, path, settings["seconds"])
    if judge(intact, expected)[0] != HARMLESS:
        raise RuntimeError(f"the intact file is not loaded as it was saved: {str(intact)[:200]}")
    regions = regions_of(path, blobs_of(settings["listing"], settings["raw"]))
    return {"regions": {
        region: {"bytes": sum(end - begin for _, begin, end in pieces),
                 **run_region(load, path, spread(pieces, settings["samples"]), expected, settings["seconds"])}
        for region, pieces in regions.items()}}
