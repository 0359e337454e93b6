"""Every source of the core compiles with -fno-exceptions.

    core_without_exceptions.py <compile_commands.json>
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from repository import CORE, ROOT, Findings


def core_sources(database):
    """{path: command} of the rooms' objects."""
    found = {}
    for entry in json.loads(open(database, encoding="utf-8").read()):
        room = os.path.relpath(entry["file"], ROOT).split(os.sep)[0]
        if room in CORE and f"ingot_{room}.dir" in entry["command"]:
            found[entry["file"]] = entry
    return found


def compile_without(entry, folder):
    """What the compiler says; empty when it has nothing to say. A compiler cache makes the next time short."""
    cache = shutil.which("ccache")
    command = ([cache] if cache else []) + shlex.split(entry["command"])
    out = os.path.join(folder, os.path.relpath(entry["file"], ROOT).replace(os.sep, "-") + ".o")
    command[command.index("-o") + 1] = out
    command += ["-fno-exceptions", "-O0", "-g0"]
    run = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stderr or "the compiler failed"


def main():
    sources = core_sources(sys.argv[1])
    findings = Findings()
    folder = os.path.abspath(os.path.join(os.path.dirname(sys.argv[1]), "without-exceptions"))
    os.makedirs(folder, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for path, complaint in zip(sources, workers.map(lambda entry: compile_without(entry, folder), sources.values())):
            if complaint:
                findings.add(path, 0, complaint.splitlines()[0])
    if len(sources) < 50:
        findings.add(sys.argv[1], 0, f"only {len(sources)} sources of the core were found")
    findings.finish(f"{len(sources)} sources need no exceptions")


main()
