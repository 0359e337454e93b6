"""Made-up series and results for the tests of the report."""

VERSIONS = dict.fromkeys(("compiler", "build_type", "flags", "flatbuffers", "xxhash", "liburing", "libc", "python"), "1")
MACHINE = {"name": "m", "cpu": "c", "processors": 2, "memory_bytes": 1 << 30, "kernel": "6", "virtual": True,
           "huge_pages": "madvise", "file_system": "ext4", "commit": "abc", "modified": False,
           "load_at_start": [0, 0, 0], "versions": VERSIONS}


def entry(contender, seconds, group="peers-load", shape="decoder-32", of="", **counters):
    """Three repetitions of the same."""
    made = {"group": group, "shape": shape, "contender": contender, "seconds": [seconds] * 3,
            "counters": {name: [value] * 3 for name, value in counters.items()}, "errors": []}
    return made | {"of": of} if of else made


def failed(contender, error, group="peers-load", shape="decoder-32"):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [], "counters": {}, "errors": [error]}


def data(series):
    return {"schema": 2, "date": "2026-01-01", "command": "bench/run.py", "quick": False, "repetitions": 3,
            "load_at_end": [0, 0, 0], "machine": MACHINE, "peers": {}, "series": series}


def gpu_load(verify, gbps, ceiling_gbps=10.0, cold=False, added=0, pinned=256 << 20):
    return {"shape": "m", "cold": cold, "asked": "auto", "verify": verify, "in_place": False, "ok": True, "transport": "read",
            "seconds": 1 / gbps, "fastest_seconds": 0.9 / gbps, "slowest_seconds": 1.2 / gbps, "bytes": 10**9, "gbps": gbps,
            "ceiling_gbps": ceiling_gbps, "ceiling": "copy from pinned memory", "peak_pinned_bytes": pinned,
            "added_rss_bytes": added}


def kernel(contender, gigabytes):
    return {"run_type": "iteration", "run_name": f"gpu-digest/chunks-1MiB/{contender}/manual_time", "real_time": 1.0,
            "time_unit": "ms", "bytes_per_second": gigabytes * 1e9}


def gpu(loads, digest=(60.0, 100.0), stall=(1.1, 1.0)):
    """As bench/gpu.py writes it."""
    run = {"stall": stall[0], "ceiling": stall[1], "durable": 3.0}
    return {"date": "2026-01-02", "device": "Test GPU", "machine": MACHINE | {"commit": "fed"}, "loads": loads,
            "digests": {"benchmarks": [kernel("ingot", digest[0]), kernel("ceiling:device-copy", digest[1])]},
            "stalls": {"host": {"bytes": 1 << 30, "runs": [{"stall": 9.0, "ceiling": 1.0, "durable": 9.0}, run]}}}
