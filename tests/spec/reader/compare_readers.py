#!/usr/bin/env python3
"""Two readers, one description: what the library says of a file equals what the second reader says,
for the valid goldens and for random checkpoints.

    compare_readers.py DESCRIBE RANDOM_CHECKPOINTS GOLDENS COUNT SEED"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import ingot_reader as reader


def differences(left, right, at=""):
    if type(left) is not type(right):
        yield f"{at}: {left!r} and {right!r}"
    elif isinstance(left, dict):
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                yield f"{at}.{key}: only one has it"
            else:
                yield from differences(left[key], right[key], f"{at}.{key}")
    elif isinstance(left, list) and len(left) == len(right):
        for i, (a, b) in enumerate(zip(left, right)):
            yield from differences(a, b, f"{at}[{i}]")
    elif left != right:
        yield f"{at}: {left!r} and {right!r}"


def compare(describe, paths):
    done = subprocess.run([describe, *map(str, paths)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"describe failed with {done.returncode}: {done.stderr}")
    wrong = 0
    for path, line in zip(paths, done.stdout.splitlines(), strict=True):
        try:
            second = json.loads(json.dumps(reader.read(path.read_bytes())))
        except reader.Refused as error:
            second = {"refused": str(error)}
        for difference in differences(json.loads(line), second, path.name):
            print(difference)
            wrong += 1
    return wrong


def main():
    describe, random_checkpoints, goldens, count, seed = sys.argv[1:]
    valid = sorted(Path(goldens).glob("valid/*.ingot"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([random_checkpoints, folder, count, seed], check=True)
        random = sorted(Path(folder).glob("*.ingot"))
        wrong = compare(describe, valid) + compare(describe, random)
    print(f"{len(valid)} goldens and {len(random)} random checkpoints compared, {wrong} differences")
    sys.exit(wrong > 0 or not valid or len(random) != int(count))


main()
