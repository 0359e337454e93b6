"""Runs a Python program of this folder with a Python that has the package `xxhash`.

    with_xxhash.py CANDIDATES program.py [arguments...]

CANDIDATES are Pythons, divided by colons; empty ones are passed over, and the one that runs this
is the last. Ends with 77, which CTest calls skipped, and the reason, when none has the package."""

import os
import subprocess
import sys

SKIPPED = 77


def has_xxhash(python):
    try:
        found = subprocess.run([python, "-c", "import xxhash"], capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


def main():
    candidates = [python for python in sys.argv[1].split(":") if python] + [sys.executable]
    for python in candidates:
        if has_xxhash(python):
            os.execv(python, [python, "-B", *sys.argv[2:]])
    print("skipped: the second reader needs a Python with the package xxhash; none of",
          ", ".join(candidates), "has it. scripts/setup makes one;",
          "CMake's INGOT_READER_PYTHON names another")
    sys.exit(SKIPPED)


main()
