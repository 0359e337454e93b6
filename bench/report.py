#!/usr/bin/env python3
"""Turns a result file into docs/performance.md and its plots: bench/report.py RESULT.json [OUT.md] [--integrity OTHER.json]

Standard library only. Ratios are ratios of medians from one run; "spread" is the smallest and the largest
repetition. The targets are those of docs/design.md.
"""

import argparse
import json
import pathlib
import statistics

import integrity_report
import plot
import processes
import scaling_plot
import series as series_of
from targets import TARGETS

ROOT = pathlib.Path(__file__).resolve().parent.parent

GROUPS = {
    "open": ("Open and validate", "Page cache warm. Ceiling: XXH3-128 and FlatBuffers' Verifier over the same index bytes, "
             "already in private memory. Open also reads the index into private memory, hashes the digest table and checks "
             "every rule of the format; the parts are measured alone."),
    "lookup": ("Look up by name", "All names once, in random order, one thread. Ceiling: hash the name, then two dependent "
               "cache misses in tables as large. `p50` and `p99` come from a pass that times each look-up alone and contain "
               "the cost of reading the clock (`clock`)."),
    "verify-warm": ("Verify, warm", "Every byte hashed and compared, file in the page cache (`mincore`), to which "
                    "read(2) brought it: pages that came there in small pieces take longer to map. Ceiling: the same mapped bytes read and "
                    "summed in 64-bit words by as many threads, pages already mapped. `map-only`: the page tables of a mapping are made, and "
                    "nothing is read; `read-only`: read(2) alone, into 1 MiB a thread; `xxh3-mapped`: XXH3 over pages that are mapped, "
                    "`xxh3-private`: over huge pages of private memory; `metadata`: a file of the same tensors without bytes is verified."),
    "verify-cold": ("Verify, cold", "Nothing of the file in the page cache (`fsync`, `posix_fadvise(DONTNEED)`, then "
                    "`mincore`). Ceiling: the best of six sequential O_DIRECT reads by io_uring. `metadata`: a file of the same "
                    "tensors without bytes is verified; `direct-read+xxh3`: reads of 1 MiB, 32 in flight, each hashed as it arrives, one thread, "
                    "none of Ingot's code."),
    "load-warm": ("Load to host memory, warm", "Every tensor brought to memory that is there and touched, file in the page cache, two "
                  "threads, every byte hashed on the way (`unverified`: none). `in-place`: each tensor to memory of its own; "
                  "`staged`: through a ring of slots, as to an accelerator; others to one slab. Ceiling: memcpy of as many bytes "
                  "(at most 1 GiB at a time) by as many threads. `read-only`: read(2) of the file's bytes to their places by as many "
                  "threads; `read+xxh3`: each block hashed by the thread that read it."),
    "load-cold": ("Load to host memory, cold", "The same, nothing of the file in the page cache. Ceiling: the best of six sequential "
                  "O_DIRECT reads by io_uring, to memory that is used again and again. `direct-read-into-place`: such a read to memory "
                  "as large as the file, each byte to its own place."),
    "save": ("Durable save", "From bytes in memory to a file that survives a power cut: digests, data, fsync of file and "
             "folder. Ceiling: the best of six O_DIRECT writes of the same bytes into a reserved file, with the same fsyncs, "
             "straight out of the caller's memory and without digests. `metadata`: as many tensors of the same names without bytes "
             "are saved; `2*xxh3+memcpy`: every byte is hashed, copied and hashed, nothing written."),
    "peers-open": ("Open, against other libraries", "Each contender in a fresh process that times itself, in turn; page cache "
                   "warm. Ingot's open checks digests and structure, safetensors parses its header, torch unpickles and makes "
                   "every tensor."),
    "peers-describe": ("Open and list every tensor, against other libraries", "As before, and the name, dtype and shape of "
                       "every tensor are looked at. The peers do it in Python, Ingot in C++: that is part of the difference."),
    "peers-one": ("Open and read one tensor, against other libraries", "As before, and the bytes of one tensor, by name, "
                  "are summed."),
    "peers-view": ("Open and view every tensor, against other libraries", "As before, and a tensor or view over the mapped "
                   "bytes is made of each; no data is read. Views are unverified, on all sides."),
    "peers-load": ("Load every byte to host memory, warm, against other libraries", "All bytes resident at the end, proven by a sum over "
                   "every tensor outside of the time. Page cache warm before each call (`mincore`); memory is made inside the time. "
                   "Mapped files are touched page by page, inside the time. `ingot` proves every byte as it reads and `ingot-mapped-verified` "
                   "every byte of the mapped file before it is used; `ingot-unverified` and `ingot-mapped` prove nothing; of the peers only "
                   "`tensorizer-verified` does. `ingot-mapped`, `ingot-mapped-verified`, `safetensors`, `torch`, `ztensor` and `gguf` leave the bytes in the page "
                   "cache, which whoever writes to the file changes too; the others make a copy. Every file was put out of the page cache once and read "
                   "again: how fast pages are mapped depends on how they came there. Ceiling: memcpy between memory "
                   "that is there."),
    "peers-load-cold": ("Load every byte to host memory, cold, against other libraries", "The same, nothing of the file in the page "
                        "cache before each call (`mincore`). Ceiling: a sequential O_DIRECT read of Ingot's file."),
    "peers-verify": ("Verify every byte, against other libraries", "Open and prove the whole file, page cache warm. Others have no such call."),
    "peers-gpu": ("Load to a GPU, warm, against other libraries", "All bytes in device memory, proven by a sum over every tensor "
                  "outside of the time. Ingot by `ingot bench load`, whose destination is made before its clock starts."),
    "peers-gpu-cold": ("Load to a GPU, cold, against other libraries", "The same, nothing of the file in the page cache."),
    "peers-save": ("Durable save, against other libraries", "The same tensors from memory, fsync of what was written and of its folder on all "
                   "sides. Ingot computes digests of 128 bits, zTensor of 64, tensorizer SHA-256 and CRC-32; torch a CRC-32, or none "
                   "where it says so; the others none. Ceiling: the same bytes by O_DIRECT, with fsync."),
    "training-save": ("Durable save of a training run", "A model and its Adam state (a third each: parameters and two moments) "
                      "through LibTorch, each contender in a fresh process, fsync of file and folder on all sides. Ceiling: "
                      "O_DIRECT write of as many bytes, with fsync."),
    "training-stall": ("Async save", "How long `save_async()` holds the training up while it copies what it will write, and how long "
                       "until the file is durable; tensors of 4 MiB in host memory. Ceiling: a copy of the same bytes to memory that is there. "
                       "The snapshot's memory is new at every save. (From a GPU: `scripts/gpu-check`.)"),
    "training-resume": ("Resume of a training run", "Into a model and an optimizer that are there, page cache warm, until all bytes "
                        "are in memory. Ingot proves every byte before anything changes, and again as it reads; the others "
                        "check nothing. `torch-python-mmap` leaves the moments in the mapped file; the first step of the optimizer then "
                        "copies them page by page, after the time that is measured here. `fresh-memory`: memory for the moments is made and "
                        "touched, two thirds of the bytes. Ceiling: copying as many bytes between memory that is there, two threads."),
}


def median(series):
    return statistics.median(series["seconds"]) if series["seconds"] else None


def counter(series, name):
    values = series["counters"].get(name)
    return statistics.median(values) if values else None


def kind(series):
    return next((k for k in ("ingot", "ceiling:", "part:") if series["contender"].startswith(k)), "peer")


def seconds_text(value):
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def bytes_text(value):
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{value / scale:.1f} {unit}"
    return f"{value:.0f} B"


class Result:
    """The series of a run, by group, shape and contender."""

    def __init__(self, data):
        self.data = data
        self.series = [entry for entry in data["series"] if entry["seconds"] or entry["errors"]]

    def groups(self):
        return [group for group in GROUPS if any(entry["group"] == group for entry in self.series)]

    def shapes(self, group):
        return list(dict.fromkeys(entry["shape"] for entry in self.series if entry["group"] == group))

    def of(self, group, shape):
        return [entry for entry in self.series if entry["group"] == group and entry["shape"] == shape]

    def find(self, group, shape, contender):
        found = [entry for entry in self.of(group, shape) if entry["contender"] == contender and entry["seconds"]]
        return found[0] if found else None

    def ceiling(self, group, shape):
        """The fastest of the ceilings that were measured for these bytes."""
        ceilings = [entry for entry in self.of(group, shape) if kind(entry) == "ceiling:" and entry["seconds"]]
        return min(ceilings, key=cost, default=None)


def cost(series):
    """What is compared: seconds a byte where bytes were counted, else seconds."""
    rate = counter(series, "bytes_per_second")
    return 1 / rate if rate else median(series)


def ratio_to(series, other):
    if not other or not series["seconds"]:
        return None
    if counter(series, "bytes_per_second") and counter(other, "bytes_per_second"):
        return cost(series) / cost(other)
    return median(series) / median(other)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def details(result, group, shape):
    """One table: every contender of a group and shape."""
    series = result.of(group, shape)
    ingot_based = group.startswith("peers")
    processes = ingot_based or group.startswith("training")
    base = result.find(group, shape, "ingot") if ingot_based else result.ceiling(group, shape)
    lookups = group == "lookup"
    head = ["contender", "median", "spread", "to Ingot" if ingot_based else "to ceiling"]
    extra = ["GB/s", "RSS added", "read", "written"]
    if lookups:
        extra = ["p50", "p99", "clock", "allocations"]
    elif processes:
        extra = ["GB/s", "peak RSS", "read", "process"]
        extra += ["file"] if group == "peers-save" else ["device memory"] if "gpu" in group else []
    rows = []
    for entry in sorted(series, key=lambda entry: median(entry) or float("inf")):
        if not entry["seconds"]:
            rows.append([entry["contender"], "cannot: " + escape(entry["errors"][0])] + [""] * (len(head + extra) - 2))
            continue
        each = [value / (counter(entry, "names") if lookups else 1) for value in entry["seconds"]]
        factor = ratio_to(entry, base)
        row = [entry["contender"], seconds_text(statistics.median(each)),
               f"{seconds_text(min(each))} – {seconds_text(max(each))}", f"{factor:.2f}x" if factor else ""]
        rows.append(row + [cell(entry, name) for name in extra])
    return f"**{shape}**\n\n" + table(head + extra, rows)


def escape(text):
    return text.replace("|", "\\|")[:160]


def cell(entry, name):
    source = {"GB/s": "bytes_per_second", "RSS added": "rss_added", "peak RSS": "peak_rss_bytes", "process": "process_seconds", "file": "file_bytes",
              "device memory": "peak_device_bytes", "read": "storage_read", "written": "storage_written",
              "p50": "p50_ns", "p99": "p99_ns", "clock": "clock_ns", "allocations": "allocations"}[name]
    value = counter(entry, source)
    if value is None:
        return ""
    if name == "GB/s":
        return f"{value / 1e9:.2f}" if value else ""
    if name == "process":
        return seconds_text(value)
    if name == "allocations":
        return f"{value:.0f}"
    return f"{value:.0f} ns" if name in ("p50", "p99", "clock") else bytes_text(value)


def summary(result):
    """(table of targets, lines on what falls short)"""
    rows, short = [], []
    for target in TARGETS:
        for shape in target.shapes(result):
            outcome = target.judge(result, shape)
            if outcome is None:
                rows.append([target.path, shape, "not measured", "", "", target.text, "**unknown**"])
                continue
            rows.append([target.path, shape, outcome.value, outcome.against, outcome.ratio, target.text,
                         "met" if outcome.met else "**short**"])
            if not outcome.met:
                parts = target.parts(result, shape)
                alone = f" Measured alone: {parts}." if parts else ""
                why = target.reason(shape)
                short.append(f"* {target.path}, {shape}: {outcome.ratio or outcome.value}, target {target.text}."
                             + (f" {why}" if why else "") + alone)
    head = ["path", "shape", "Ingot", "measured against", "ratio", "target", ""]
    return table(head, rows), short


def losses(result):
    """Every place where a peer was faster than `ingot`, which is what a caller gets who asks for nothing special (where
    there is no contender of that name: than the best of Ingot's)."""
    lines = []
    for group in result.groups():
        for shape in result.shapes(group):
            ours = [entry for entry in result.of(group, shape) if entry["seconds"] and kind(entry) == "ingot"]
            if not ours:
                continue
            best = min(ours, key=cost)
            base = result.find(group, shape, "ingot") or best
            lines += [lost(group, shape, entry, base, best) for entry in result.of(group, shape)
                      if entry["seconds"] and kind(entry) == "peer" and cost(entry) < cost(base)]
    return lines


def lost(group, shape, peer, base, best):
    line = f"* {GROUPS[group][0]}, {shape}: `{peer['contender']}` is {cost(base) / cost(peer):.2f}x as fast as `{base['contender']}`"
    if cost(best) < cost(peer):
        line += f"; `{best['contender']}` is {cost(peer) / cost(best):.2f}x as fast as it"
    return line + "."


def slope(points):
    """Least squares through (x, y)."""
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*points))
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0


def scaling(result):
    lines = []
    points = [(counter(entry, "tensors"), median(entry)) for entry in result.series
              if entry["group"] == "open" and entry["contender"] == "ingot" and entry["seconds"]]
    if len(points) > 1:
        lines.append(f"* Open, {min(points)[0]:.0f} to {max(points)[0]:.0f} tensors: {seconds_text(slope(points))} a tensor; "
                     + ", ".join(f"{seconds_text(seconds)} at {count:,.0f}" for count, seconds in sorted(points)) + ".")
    lines += verify_scaling(result)
    return lines


def verify_scaling(result):
    lines, points, threads = [], [], {}
    for entry in result.series:
        if entry["group"] != "verify-warm" or entry["contender"] != "ingot-mapping" or not entry["seconds"]:
            continue
        if entry["shape"].startswith("decoder"):
            size = counter(entry, "bytes_per_second") * median(entry)
            threads.setdefault(round(size), {})[round(counter(entry, "workers"))] = median(entry)
            points.append((size, median(entry), round(counter(entry, "workers"))))
    most = max((point[2] for point in points), default=0)
    line = [(size, seconds) for size, seconds, count in points if count == most]
    if len(line) > 1:
        lines.append(f"* Verify warm by mapping, {bytes_text(min(line)[0])} to {bytes_text(max(line)[0])}, {most} threads: "
                     f"{seconds_text(slope(line) * 2**30)} a GiB.")
    for size, by_threads in threads.items():
        if len(by_threads) > 1:
            few, many = min(by_threads), max(by_threads)
            lines.append(f"* Verify warm by mapping, {bytes_text(size)}: {many} threads are "
                         f"{by_threads[few] / by_threads[many]:.2f}x as fast as {few}.")
    return lines


def conditions(data):
    machine, versions, peers = data["machine"], data["machine"]["versions"], data["peers"]
    lines = [
        f"* Machine: {machine['cpu']}, {machine['processors']} processors{' (virtual)' if machine['virtual'] else ''}, "
        f"{bytes_text(machine['memory_bytes'])} of memory, Linux {machine['kernel']}, {machine['file_system']}, "
        f"huge pages {machine['huge_pages']}.",
        f"* Ingot {machine['commit']}{' with local changes' if machine['modified'] else ''}, {versions['compiler']}, "
        f"{versions['build_type']} {versions['flags']}; flatc {versions['flatbuffers'].removeprefix('flatc version ')}, "
        f"xxHash {versions['xxhash']}, liburing {versions['liburing']}.",
    ]
    if peers:
        lines.append("* Peers: " + ", ".join(f"{name} {version}" for name, version in peers.items())
                     + f", Python {versions['python']}.")
    if not any("gpu" in entry["group"] for entry in data["series"]):
        lines.append("* This machine has no GPU: nothing is claimed here of loads to one, of its digest kernel or of saves from it. "
                     "`scripts/gpu-check` measures them where there is one.")
    for name, reason in data.get("absent", {}).items():
        lines.append(f"* Not here: {name}: {reason}.")
    lines.append(f"* {data['date']}, {data['repetitions']} repetitions in random order, load average "
                 f"{data['machine']['load_at_start'][0]:.2f} before and {data['load_at_end'][0]:.2f} after.")
    lines.append(f"* A peer's call was stopped after {processes.LIMIT_SECONDS} s. One that took more than {series_of.SLOW_SECONDS} s was "
                 f"measured {series_of.SLOW_REPETITIONS} times.")
    lines += [f"* {note}" for note in data.get("notes", [])]
    lines.append(f"* Command: `scripts/bench` (`{data['command']}`).")
    return "\n".join(lines)


def settings(data):
    """How each contender was called."""
    if not data.get("settings"):
        return ""
    rows = [[f"`{name}`", escape(text)] for name, text in data["settings"].items()]
    return "\n## Settings\n\nHow each contender is called; the best that its documentation has.\n\n" + "\n".join(
        ["| contender | settings |", "|---|---|"] + ["| " + " | ".join(row) + " |" for row in rows])


INTRO = """# Performance

<!-- Written by bench/report.py from a file in bench/results/: change those, not this. -->

Absolute numbers say little on another machine. What counts is each ratio: of medians, from one run in which the
contenders took turns, on the same bytes. Beside every result stands the ceiling, which is what this machine can do at
best, measured in the same run. `part:` rows are pieces of Ingot's own work, measured alone, that explain a result. `GB/s` are 10^9 bytes
a second; `RSS added` is the peak of the resident set over what it was before, mapped pages of the page cache included;
`read` and `written` are bytes from and to storage. `process` is a contender's whole process, with the start of its
interpreter: it is stated and not compared.
"""


def write(data, path):
    result = Result(data)
    text = [INTRO]
    if data["quick"]:
        text.append("**A quick run at tiny sizes: it shows that the benchmarks work. The numbers mean nothing.**\n")
    text.append(conditions(data))
    targets, short = summary(result)
    text.append("\n## Targets\n\n" + targets)
    text.append("\n## Where Ingot falls short or loses\n")
    text.append("\n".join(short + losses(result)) or "Nowhere in this run.")
    text.append(integrity_report.section(data.get("integrity", []), data.get("integrity_of", "")))
    text.append("\n## Scaling\n\n" + "\n".join(scaling(result)))
    for title, image in scaling_plot.write(result, path.parent / path.stem):
        text.append(f"\n![{title}]({image.relative_to(path.parent)})")
    for group in result.groups():
        title, about = GROUPS[group]
        text.append(f"\n## {title}\n\n{about}\n")
        image = plot.write(result, group, path.parent / path.stem / f"{group}.svg")
        if image:
            text.append(f"![{title}]({image.relative_to(path.parent)})\n")
        text.append("\n\n".join(details(result, group, shape) for shape in result.shapes(group)))
    text.append(settings(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(part for part in text if part) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path, nargs="?", default=ROOT / "docs/performance.md")
    parser.add_argument("--integrity", type=pathlib.Path, help="another result, whose test of flipped bits is taken where this has none")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = json.loads(arguments.result.read_text())
    if arguments.integrity and not data.get("integrity"):
        other = json.loads(arguments.integrity.read_text())
        packages = ", ".join(f"{name} {version}" for name, version in other["peers"].items())
        data["integrity"] = other["integrity"]
        data["integrity_of"] = f"Ingot {other['machine']['commit']}, {other['date']}; {packages}"
        data.setdefault("absent", other["absent"])
        data.setdefault("settings", other["settings"])
    write(data, arguments.out)


if __name__ == "__main__":
    main()
