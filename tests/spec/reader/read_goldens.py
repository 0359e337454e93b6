#!/usr/bin/env python3
"""The second reader reads every golden: it accepts the valid ones and refuses each invalid one with
the class of error that the manifest gives."""

import json
import sys
from pathlib import Path

import ingot_reader as reader


def outcome(path):
    try:
        reader.read(path.read_bytes())
        return "ok", None
    except reader.Refused as error:
        return error.kind, error.rule


def main():
    folder = Path(sys.argv[1])
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    wrong = other_rule = 0
    for entry in entries:
        kind, rule = outcome(folder / entry["file"])
        if kind != entry["code"]:
            print(f"{entry['file']}: expected {entry['code']}, found {kind} {rule} ({entry['why']})")
            wrong += 1
        other_rule += rule != entry["rule"]
    print(f"{len(entries)} goldens, {wrong} wrong, {other_rule} refused by another rule of the same class")
    sys.exit(wrong > 0 or not entries)


main()
