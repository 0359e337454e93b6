"""What bench/gpu.py measured: as series, for the targets, and as tables. Standard library only."""

from google_benchmark import collect
from markdown import escape, table
from result import median, rate
from series import new
from units import bytes_text, seconds_text

PLAIN = {"asked": "auto", "verify": "touched", "in_place": False}  # stream() with its defaults
ABOUT = """Every way of Ingot's to load a file to a GPU, each a run of `ingot bench load`, in which load and ceiling take turns:
copies from pinned memory for a warm file, O_DIRECT reads for a cold one. Destination memory is there before the clock starts.
Of a run of its own: Ingot {of}.
"""


def series(gpu):
    """Those that targets are judged by; empty without a result."""
    if not gpu:
        return []
    every = loads(gpu["loads"]) + digests(gpu["digests"]) + stalls(gpu["stalls"])
    return [{"of": of(gpu), **entry} for entry in every]


def of(gpu):
    return f"{gpu['machine']['commit']}, {gpu['date']}, on {gpu['device']}"


def loads(entries):
    result = []
    for entry in entries:
        for contender, verify in (("ingot", "touched"), ("ingot-unverified", "none")):
            if PLAIN | {"verify": verify} == {name: entry[name] for name in PLAIN}:
                result += load(entry, contender)
    return result


def load(entry, contender):
    """The load, and beside it the ceiling that it is judged by. Of its runs the fastest, the median and the slowest are
    known, of the ceiling's the median: the range of their ratio is from the worst to the best that this leaves possible."""
    group, shape = "gpu-load-cold" if entry["cold"] else "gpu-load-warm", entry["shape"]
    loaded = new(group, shape, contender)
    if not entry["ok"]:
        return [loaded | {"errors": [entry["error"]["message"]]}]
    loaded["seconds"] = [entry["fastest_seconds"], entry["seconds"], entry["slowest_seconds"]]
    loaded["in_rounds"] = False
    loaded["counters"] = {"bytes_per_second": [entry["bytes"] / seconds for seconds in loaded["seconds"]],
                          "ceiling_bytes_per_second": [entry["ceiling_gbps"] * 1e9],
                          "rss_added": [entry["added_rss_bytes"]], "staging": [entry["peak_pinned_bytes"]]}
    if contender != "ingot":
        return [loaded]
    ceiling = new(group, shape, "ceiling:" + entry["ceiling"])
    ceiling["seconds"] = [entry["bytes"] / entry["ceiling_gbps"] / 1e9]
    ceiling["counters"] = {"bytes_per_second": [entry["ceiling_gbps"] * 1e9]}
    return [loaded, ceiling]


def digests(measured):
    """bench_gpu's; none where it could not run."""
    return collect(measured) if "benchmarks" in measured else []


def stalls(measured):
    """Of a snapshot in host memory, the default, and of one on the device. The first save makes what the others find."""
    result = []
    for snapshot, answer in measured.items():
        runs = answer.get("runs", [])[1:]
        shape = f"{bytes_text(answer['bytes'])} to the {snapshot}" if runs else snapshot
        for contender, part in (("ingot", "stall"), ("ceiling:copy", "ceiling")):
            result.append(new("gpu-stall", shape, contender) | {"seconds": [run[part] for run in runs]})
    return result


def load_row(entry):
    how = entry["asked"] + (", in place" if entry["in_place"] else "")
    start = [entry["shape"], "cold" if entry["cold"] else "warm", how, entry["verify"]]
    if not entry["ok"]:
        return [*start, "cannot: " + escape(entry["error"]["message"]), "", "", "", "", ""]
    start[2] += f" ({entry['transport']})"
    spread = f"{seconds_text(entry['fastest_seconds'])} – {seconds_text(entry['slowest_seconds'])}"
    return [*start, f"{entry['gbps']:.2f}", spread, f"{entry['ceiling_gbps']:.2f} ({entry['ceiling']})",
            f"{entry['gbps'] / entry['ceiling_gbps']:.0%}", bytes_text(entry["peak_pinned_bytes"]),
            bytes_text(entry["added_rss_bytes"])]


def kernel_row(entry):
    return [entry["group"], entry["shape"], entry["contender"], seconds_text(median(entry)), f"{rate(entry) / 1e9:.1f}"]


def stall_row(entry):
    return [entry["shape"], entry["contender"], seconds_text(median(entry))]


def section(gpu):
    """Markdown; empty without a result."""
    if not gpu:
        return ""
    head = ["file", "page cache", "transport", "verified", "GB/s", "spread", "ceiling, GB/s", "share", "pinned", "RSS added"]
    text = ["\n## On a GPU\n", ABOUT.format(of=of(gpu)), table(head, map(load_row, gpu["loads"]), 4)]
    kernels, held = ([entry for entry in found if entry["seconds"]] for found in (digests(gpu["digests"]), stalls(gpu["stalls"])))
    if kernels:
        text += ["\nThe GPU's memory, without storage:\n",
                 table(["what", "of", "contender", "median", "GB/s"], map(kernel_row, kernels), 3)]
    if held:
        text += ["\nAsync save: how long the training is held up, beside a copy of the same bytes:\n",
                 table(["snapshot", "contender", "median"], map(stall_row, held), 2)]
    return "\n".join(text)
