#!/usr/bin/env python3
"""Loads files to a device in every way, and writes one JSON file and a table: bench/gpu.py FILE... [--device cuda:0]

Each way is a run of `ingot bench load --json`, which measures the ceiling beside the load, in turn: copies from pinned
memory for a warm file, O_DIRECT reads for a cold one. Standard library only. scripts/gpu-check calls this.
"""

import argparse
import datetime
import itertools
import json
import pathlib
import subprocess
import sys

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRANSPORTS = ["auto", "page-cache", "read", "direct", "registered-mapping", "device-file"]
VERIFY = ["touched", "on-device", "none"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--stall-mib", type=int, default=4096, help="what an async save copies (4096)")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    return parser.parse_args()


def device_name(device):
    """As the driver's own tool calls the GPU; the device's name where there is no such tool."""
    if not device.startswith("cuda"):
        return device
    ordinal = device.partition(":")[2] or "0"
    command = ["nvidia-smi", f"--id={ordinal}", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return device


def ways():
    yield from itertools.product([False, True], TRANSPORTS, VERIFY, [False])
    yield from itertools.product([False, True], ["auto"], ["touched"], [True])


def run_json(command):
    """What a program prints, or why it prints nothing."""
    try:
        run = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError as error:
        return {"exit": 1, "ok": False, "error": {"message": str(error)}}
    try:
        return {"exit": run.returncode, **json.loads(run.stdout)}
    except json.JSONDecodeError:
        return {"exit": run.returncode, "ok": False, "error": {"message": run.stderr.strip()}}


def measure(arguments, path, cold, transport, verify, in_place):
    command = [str(arguments.build / "bin/ingot"), "bench", "load", str(path), "--json", "--device", arguments.device,
               "--transport", transport, "--verify", verify, "--repetitions", str(arguments.repetitions)]
    command += ["--cold"] if cold else []
    command += ["--in-place"] if in_place else []
    way = {"shape": path.stem, "cold": cold, "asked": transport, "verify": verify, "in_place": in_place}
    return {**way, **run_json(command)}


def row(entry):
    state = "cold" if entry["cold"] else "warm"
    how = entry["asked"] + (", in place" if entry["in_place"] else "")
    if not entry["ok"]:
        return f"| {entry['shape']} | {state} | {how} | {entry['verify']} | cannot: {entry['error']['message']} | | |"
    share = entry["gbps"] / entry["ceiling_gbps"]
    return (f"| {entry['shape']} | {state} | {how} ({entry['transport']}) | {entry['verify']} | {entry['gbps']:.2f} GB/s "
            f"| {entry['ceiling_gbps']:.2f} GB/s | {share:.0%} |")


def digests(arguments):
    """bench_gpu: the digest kernel beside the memory's bandwidth, and pinned copies both ways."""
    ordinal = arguments.device.partition(":")[2] or "0"
    return run_json([str(arguments.build / "bin/bench_gpu"), "--benchmark_format=json", f"--ingot_gpu={ordinal}",
                     f"--benchmark_repetitions={arguments.repetitions}", "--benchmark_enable_random_interleaving=true"])


def stalls(arguments):
    """How long save_async() holds the training up, for either place of the snapshot; nothing without LibTorch."""
    program = arguments.build / "bin/bench_training"
    if not program.exists():
        return {}
    target = arguments.files[0].parent / "stall.ingot"
    device = arguments.device.replace("host", "cpu")
    measured = {}
    for snapshot in ("host", "device"):
        measured[snapshot] = run_json([str(program), "stall", device, snapshot, str(arguments.stall_mib), str(target)])
        target.unlink(missing_ok=True)
    return measured


def print_digests(measured):
    print("\n| GPU, no storage | median | GB/s |\n|---|---:|---:|")
    for entry in measured.get("benchmarks", []):
        if entry.get("aggregate_name") == "median":
            print(f"| {entry['run_name']} | {entry['real_time']:.0f} {entry['time_unit']} | {entry['bytes_per_second'] / 1e9:.1f} |")


def print_stalls(measured):
    print("\n| async save, snapshot | stall | copy of the same bytes | ratio |\n|---|---:|---:|---:|")
    for snapshot, result in measured.items():
        for run in result.get("runs", []):
            print(f"| {snapshot} | {run['stall'] * 1e3:.0f} ms | {run['ceiling'] * 1e3:.0f} ms | {run['stall'] / run['ceiling']:.2f} |")


def main():
    arguments = parse_arguments()
    entries = []
    print("| file | page cache | transport | verified | load | ceiling | share |\n|---|---|---|---|---:|---:|---:|")
    for path in arguments.files:
        for way in ways():
            entries.append(measure(arguments, path, *way))
            print(row(entries[-1]), flush=True)
    on_gpu = arguments.device.startswith("cuda")
    kernels = digests(arguments) if on_gpu else {"exit": 0}
    print_digests(kernels)
    held_up = stalls(arguments)
    print_stalls(held_up)
    result = {
        "schema": 1,
        "date": datetime.date.today().isoformat(),
        "command": "bench/gpu.py",
        "device": device_name(arguments.device),
        "machine": machine.facts(arguments.build, arguments.files[0].resolve().parent),
        "repetitions": arguments.repetitions,
        "loads": entries,
        "digests": kernels,
        "stalls": held_up,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {arguments.out}")
    # A way that cannot be had says so (exit code 5); anything else that fails is a failure.
    rest = [kernels, *held_up.values()]
    return 1 if any(entry["exit"] not in (0, 5) for entry in entries) or any(entry["exit"] for entry in rest) else 0


sys.exit(main())
