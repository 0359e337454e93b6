#!/usr/bin/env python3
"""Makes the peers' private environment as scripts/requirements-peers.txt says: bench/install_peers.py FOLDER

What is there as pinned stays. The first lines (torch and what all need) must be installed; any other that cannot be is
recorded with the reason in FOLDER/ingot-peers.json, and the report lists it. No peer may bring another torch: its
version is a constraint of every install, and looked at after it. Standard library only.
"""

import json
import pathlib
import re
import subprocess
import sys

import contenders

ROOT = pathlib.Path(__file__).resolve().parent.parent
NEEDED = 3


def pins(text, gpu):
    """The requirements, those for a GPU only on a machine with one."""
    lines = [line.partition("#") for line in text.splitlines()]
    return [pin.strip() for pin, _, note in lines if pin.strip() and (gpu or note.strip() != "gpu")]


def name_of(pin):
    return re.split(r"[=<>]", pin)[0].lower().replace("_", "-")


def is_there(pin, have):
    """torch 2.13.0+cpu is a torch==2.13.0."""
    return have.get(name_of(pin), "").split("+")[0] == pin.split("==")[1]


def make_environment(folder):
    if (folder / "bin/python").exists():
        return
    for module in ("venv", "virtualenv"):  # some installations have no ensurepip
        if subprocess.run([sys.executable, "-m", module, str(folder)], check=False, capture_output=True).returncode == 0:
            return
    sys.exit("neither 'python3 -m venv' nor 'python3 -m virtualenv' works; install python3-venv")


def versions_in(folder):
    contenders.installed.cache_clear()
    return contenders.installed(str(folder / "bin/python"))


def pip_install(folder, pin, constraints):
    """What went wrong; empty when nothing did."""
    print(f"installing {pin}", flush=True)
    command = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install"]
    done = subprocess.run([*command, "-c", str(constraints), pin], check=False, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (errors or done.stderr.strip().splitlines() or ["pip failed"])[-1]


def install(folder, wanted):
    """package -> why it could not be installed"""
    constraints, failed = folder / "constraints.txt", {}
    constraints.write_text("\n".join(wanted[:NEEDED]) + "\n")
    for number, pin in enumerate(wanted):
        have = versions_in(folder)
        problem = "" if is_there(pin, have) else pip_install(folder, pin, constraints)
        after = versions_in(folder)
        if have.get("torch") and after.get("torch") != have["torch"]:
            sys.exit(f"{pin} has brought another torch: {after.get('torch')} instead of {have['torch']}")
        if problem and number < NEEDED:
            sys.exit(problem)
        if problem:
            failed[name_of(pin)] = f"{pin} could not be installed: {problem}"
    return failed


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    make_environment(folder)
    text = (ROOT / "scripts/requirements-peers.txt").read_text()
    failed = install(folder, pins(text, contenders.has_gpu()))
    (folder / contenders.INSTALLED).write_text(json.dumps({"failed": failed}, indent=1) + "\n")
    for reason in failed.values():
        print(reason)


if __name__ == "__main__":
    main()
