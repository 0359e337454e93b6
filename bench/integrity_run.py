"""Flips bits in every region of each contender's file and loads it the documented way. Standard library only.

One entry a contender: regions, each with the number of flips and what became of them (compare/flips.py).
"""

import json
import re

import contenders
import inputs
import processes

# Sizes that are no multiple of 64, so that formats which align have padding to damage.
SHAPE = "small:24:3000"
SAMPLES, QUICK_SAMPLES = 96, 12
SECONDS_A_LOAD = 30


def plan_file(source, samples, cache):
    listing, raw = source.tensors(SHAPE), source.listing_and_raw(SHAPE)[1]
    path = cache / "compare" / "flips-plan.json"
    path.write_text(json.dumps({"listing": listing, "raw": raw, "samples": samples, "seconds": SECONDS_A_LOAD}))
    return str(path)


def of_contender(runner, source, contender, plan):
    path = source.file(contender, SHAPE)
    if isinstance(path, dict):
        return {"contender": contender.name, "error": path["error"]}
    answer = runner.flips(contender, path, plan)
    entry = {"contender": contender.name, "settings": contender.settings}
    return entry | ({"error": answer["error"]} if "error" in answer else {"regions": answer["regions"]})


def count(entry, *outcomes):
    return sum(region.get(outcome, 0) for region in entry.get("regions", {}).values() for outcome in outcomes)


def ingot_holds(entries):
    """Each of Ingot's keeps what it promises. None crashes, hangs, or hands out a wrong name, dtype or shape, or wrong bytes
    where none were flipped; who proves tensors hands out no wrong byte; who proves the file notices every flip."""
    return all(holds(entry, contenders.named(entry["contender"]).proves)
               for entry in entries if entry["contender"].startswith("ingot"))


def holds(entry, proves):
    if "error" in entry or count(entry, "crashed", "hung"):
        return False
    if proves == "file":
        return count(entry, "noticed") == count(entry, "flips")
    return all(proves == "" and place.startswith("data") and set(region["why"]["wrong"]) == {"bytes"}
               for place, region in entry["regions"].items() if region.get("wrong"))


def run(arguments, python, journal, wanted):
    """(whether Ingot noticed all, entries)"""
    runner = processes.Runner(arguments.build, python)
    source = inputs.Inputs(arguments.cache, runner)
    entries = []
    for contender in contenders.present(python, "flips"):
        if not re.search(wanted, f"integrity/{inputs.base_name(SHAPE)}/{contender.name}"):
            continue
        print(f"integrity {contender.name} ...", flush=True)
        plan = plan_file(source, QUICK_SAMPLES if arguments.quick else SAMPLES, arguments.cache)
        entry = journal.once(("integrity", contender.name), lambda c=contender, p=plan: of_contender(runner, source, c, p))
        entries.append(entry)
        print(f"integrity {contender.name}: " + (entry.get("error") or summary(entry)), flush=True)
    return ingot_holds(entries), entries


def summary(entry):
    parts = [f"{count(entry, outcome)} {outcome}" for outcome in ("noticed", "harmless", "wrong", "crashed", "hung")]
    return f"{count(entry, 'flips')} flips: " + ", ".join(parts)
