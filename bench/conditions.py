"""Under what conditions a result came about: machine, versions, who was absent, how often. Standard library only."""

import processes
import series as series_of
from units import bytes_text

PROTOCOL = 7  # repetitions, at least
SLOW = f"calls that all take more than {series_of.SLOW_SECONDS} s are measured {series_of.SLOW_REPETITIONS} times"


def why_fewer(entry):
    """Why a series has fewer repetitions, where it says so."""
    if entry["errors"]:
        return f"then: {entry['errors'][0]}"
    return SLOW if series_of.is_enough(entry) else ""


def fewer_repetitions(data):
    """Who was measured less often than the others."""
    fewer = {}
    for entry in data["series"]:
        if 0 < len(entry["seconds"]) < data["repetitions"]:
            place = len(entry["seconds"]), f"{entry['group']}/{entry['shape']}", why_fewer(entry)
            fewer.setdefault(place, []).append(f"`{entry['contender']}`")
    if not fewer:
        return []
    told = "; ".join(f"{number} in {where}: {', '.join(names)}" + (f" ({why})" if why else "")
                     for (number, where, why), names in sorted(fewer.items()))
    return [f"* Fewer repetitions, which deviates from our protocol: {told}."]


def conditions(data, result):
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
    if not result.has_gpu():
        lines.append("* This machine has no GPU: nothing is claimed here of loads to one, of its digest kernel or of saves from "
                     "it. `scripts/gpu-check` measures them where there is one.")
    for name, reason in data.get("absent", {}).items():
        lines.append(f"* Not here: {name}: {reason}.")
    before, after = data["machine"]["load_at_start"][0], data["load_at_end"][0]
    lines.append(f"* {data['date']}, load average {before:.2f} before and {after:.2f} after.")
    few = "" if data["repetitions"] >= PROTOCOL else f", not the {PROTOCOL} of our protocol"
    lines.append(f"* {data['repetitions']} repetitions{few}: in rounds, each in another random order; of the C++ programs a fresh "
                 "process for a round of a shape, of peers and training runs one for each call.")
    lines += fewer_repetitions(data)
    lines.append(f"* A call was stopped after {processes.LIMIT_SECONDS} s.")
    lines += [f"* {note}" for note in data.get("notes", [])]
    lines.append(f"* Command: `scripts/bench` (`{data['command']}`).")
    return "\n".join(lines)
