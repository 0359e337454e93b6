"""What two runs must share for one to go on with the other's measurements. Standard library only."""

import hashlib
import os
import pathlib
import re

import contenders

HERE = pathlib.Path(__file__).resolve().parent
# run.py's parts; what judges, shows or puts together is not among what they import.
PARTS = ["run", "google_benchmark", "integrity_run", "compare_run", "training_run"]
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)


def _modules(folder):
    """The parts, with all that they import from their folder; of run.py, which imports everything, itself alone."""
    found, left = {}, list(PARTS)
    while left:
        name = left.pop()
        path = folder / f"{name}.py"
        if name not in found and path.exists():
            found[name] = path
            left += IMPORT.findall(path.read_text()) if name != "run" else []
    return found.values()


def measuring_files(build, scripts=HERE):
    """Name -> path of the programs and scripts whose contents can change a time."""
    programs = [build / "bin/ingot", *(build / "bin").glob("bench_*")]
    found = [path for path in programs if path.is_file()] + list(_modules(scripts))
    found += [path for folder in ("compare", "training") for path in (scripts / folder).glob("*.py")]
    return {f"{path.parent.name}/{path.name}": path for path in found}


def digest(files):
    """Of names and contents: a commit of documents changes nothing, an edit that is not committed does."""
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def of_run(arguments, facts):
    weights = arguments.weights
    return {
        "measured": digest(measuring_files(arguments.build)),
        "machine": {name: facts[name] for name in ("name", "processors", "memory_bytes", "kernel", "huge_pages", "file_system")},
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "quick": arguments.quick,
        "mib": arguments.mib,
        "device": arguments.device,
        "weights": [weights.name, weights.stat().st_size] if weights else [],
        "peers": contenders.versions(arguments.peers),
    }
