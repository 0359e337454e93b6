"""Documents point at what exists and leave out nothing that they promise to list."""

import re

from repository import PUBLIC, Findings, files, lines, sources, text

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# A path in backquotes that begins with a folder of this repository.
PATH = re.compile(r"`((?:base|format|io|writer|loader|cuda|libtorch|tools|tests|bench|docs|examples|scripts|cmake|"
                  r"include)/[\w./-]+[\w/])`")


def check_links(findings):
    known = {str(path) for path in files()}
    folders = {str(parent) for path in files() for parent in path.parents}
    for path in files("*.md"):
        if path.parts[0] == "tests":
            continue
        for number, line in lines(path):
            for match in LINK.finditer(line):
                target = match[1]
                if re.match(r"[a-z]+:", target):
                    continue
                parts = []
                for part in (*path.parent.parts, *target.split("/")):
                    if part == "..":
                        parts.pop() if parts else findings.add(path, number, f"{target} leaves the tree")
                    elif part not in (".", ""):
                        parts.append(part)
                if "/".join(parts) not in known | folders:
                    findings.add(path, number, f"the link to {target} is dead")
            for match in PATH.finditer(line):
                if match[1].rstrip("/") not in known | folders:
                    findings.add(path, number, f"{match[1]} does not exist")


def check_headers_are_listed(findings):
    readme, library = text("README.md"), text("cmake/IngotLibrary.cmake")
    for path in sources(PUBLIC):
        name = str(path).removeprefix("include/")
        if f"`{name}`" not in readme:
            findings.add("README.md", 0, f"the guide to header files leaves out {name}")
        adapter = path.stem if path.name in ("libtorch.h", "cuda.h") else None
        listed = text(f"{adapter}/CMakeLists.txt") if adapter else library
        if f"/{path}\"" not in listed:
            findings.add("cmake/IngotLibrary.cmake", 0, f"{path} is not installed")


def check_quick_start(findings):
    """README's first C++ block is examples/quickstart.cc, word for word, from its first include on."""
    blocks = re.findall(r"```cpp\n(.*?)```", text("README.md"), re.DOTALL)
    program = text("examples/quickstart.cc")
    if not blocks or blocks[0].strip() not in program:
        findings.add("README.md", 0, "the quick start differs from examples/quickstart.cc")
        return
    missing = set(re.findall(r"#include .*", program)) - set(re.findall(r"#include .*", blocks[0]))
    for include in sorted(missing):
        findings.add("README.md", 0, f"the quick start lacks {include}")


def main():
    findings = Findings()
    check_links(findings)
    check_headers_are_listed(findings)
    check_quick_start(findings)
    findings.finish("links, header guide and quick start are as they say")


main()
