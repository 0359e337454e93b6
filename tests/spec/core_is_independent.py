"""The core (base, format, io, writer, loader and include/ingot) knows neither CUDA nor LibTorch, is
compiled without RTTI, needs no exceptions, and its public headers pull in the standard library alone.

    core_is_independent.py <compile_commands.json> <libingot>
"""

import json
import re
import subprocess
import sys

from repository import CORE, PUBLIC, ROOT, Findings, includes, sources

FOREIGN = re.compile(r"^(torch|c10|ATen|cuda|cufile|cudnn|nccl|driver_types|libtorch)\b|^cuda_|^ingot/(cuda|libtorch)\.h$|\.cuh$")
FOREIGN_SYMBOL = re.compile(r"\b(cuda[A-Z]\w*|cu[A-Z][a-z]\w*|cuFile\w*|_ZN?K?2at\w*|_ZN?K?3c10\w*|_ZN?K?5torch\w*)")
# The header that may name what it adapts; ingot/cuda.h names no header of CUDA's.
ADAPTERS = {"libtorch.h"}
# The core may write to files it is given, but not to the terminal, and may not end the process.
TERMINAL = re.compile(r"(v?f?printf|__v?f?printf_chk|puts|putchar|perror|_ZSt4cout|_ZSt4cerr|_ZSt4clog|exit|_exit|abort)$")


def check_includes(findings):
    for folder in CORE + (PUBLIC,):
        for path in sources(folder):
            if path.name in ADAPTERS and folder == PUBLIC:
                continue
            for number, _, name in includes(path):
                if FOREIGN.search(name):
                    findings.add(path, number, f"the core includes {name}")


def check_public_headers(findings):
    count = 0
    for path in sources(PUBLIC):
        count += 1
        for number, mark, name in includes(path):
            own = mark == '"' and name.startswith("ingot/")
            standard = mark == "<" and re.fullmatch(r"[a-z_0-9]+", name)
            if not own and not standard and path.name not in ADAPTERS:
                findings.add(path, number, f"a public header includes {name}")
    if count == 0:
        findings.add(PUBLIC, 0, "no public headers found")


def check_flags(findings, database):
    seen = dict.fromkeys(CORE, 0)
    for entry in json.loads(open(database, encoding="utf-8").read()):
        path = entry["file"]
        for room in CORE:
            if not path.startswith(f"{ROOT}/{room}/"):
                continue
            if f"ingot_{room}.dir" not in entry["command"]:
                continue  # test doubles live beside the room, but not in the library
            seen[room] += 1
            if "-fno-rtti" not in entry["command"].split():
                findings.add(path, 0, "compiled without -fno-rtti")
    for room, count in seen.items():
        if count == 0:
            findings.add(database, 0, f"no source of {room}/ is compiled")


def has_library_assertions(database):
    return any("-D_GLIBCXX_ASSERTIONS" in entry["command"] for entry in json.loads(open(database, encoding="utf-8").read()))


def check_symbols(findings, database, library):
    # With them, clang puts the standard library's own abort into the objects.
    allowed = {"abort"} if has_library_assertions(database) else set()
    dynamic = ["-D"] if ".so" in library else []
    out = subprocess.run(["nm", "-u", *dynamic, library], capture_output=True, check=True, text=True)
    undefined = [line.split()[-1].split("@")[0] for line in out.stdout.splitlines()
                 if len(line.split()) > 1]
    if len(undefined) < 10:
        findings.add(library, 0, "nm found almost no symbols: is this the library?")
    for symbol in sorted(set(undefined)):
        if FOREIGN_SYMBOL.match(symbol):
            findings.add(library, 0, f"needs the foreign symbol {symbol}")
        if TERMINAL.match(symbol) and symbol not in allowed:
            findings.add(library, 0, f"prints or ends the process: {symbol}")


def main():
    database, library = sys.argv[1:]
    findings = Findings()
    check_includes(findings)
    check_public_headers(findings)
    check_flags(findings, database)
    check_symbols(findings, database, library)
    findings.finish("the core stands alone")


main()
