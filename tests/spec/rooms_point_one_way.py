"""Rooms include only what lies below them: base <- {format, io}; {format, io} <- {writer, loader};
loader <- cuda; format and io never meet, nor do writer and loader (docs/design.md, "Rooms")."""

import re

from repository import PUBLIC, Findings, includes, sources

MAY_INCLUDE = {
    PUBLIC: {"ingot"},
    "base": {"ingot", "base"},
    "format": {"ingot", "base", "format"},
    "io": {"ingot", "base", "io"},
    "writer": {"ingot", "base", "format", "io", "writer"},
    "loader": {"ingot", "base", "format", "io", "loader"},
    "cuda": {"ingot", "base", "io", "loader", "cuda"},
    "libtorch": {"ingot", "base", "writer", "loader", "libtorch"},
    "tools": {"ingot", "base", "format", "io", "writer", "loader", "tools", "barkeep"},
    "examples": {"ingot"},
}


def main():
    findings = Findings()
    for room, allowed in MAY_INCLUDE.items():
        if not sources(room):
            findings.add(room, 0, "the room is empty")
        for path in sources(room):
            for number, mark, name in includes(path):
                first = name.split("/")[0]
                if mark == '"' and "/" in name and first not in allowed:
                    findings.add(path, number, f"{room} may not include {name}")
                # A header without a folder would be found beside the file, and nowhere else.
                if mark == '"' and "/" not in name:
                    findings.add(path, number, f'"{name}" must be spelled from the root')
                if mark == "<" and re.match(r"(ingot|base|format|io|writer|loader|cuda|libtorch|tools)/", name):
                    findings.add(path, number, f"<{name}> is a header of this repository")
    findings.finish("every room includes only what lies below it")


main()
