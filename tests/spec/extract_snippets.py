"""Writes every C++ block of the given documents into one source file, to be compiled.

    extract_snippets.py <output.cc> <document.md>...

A block is the body of a function that returns a Status, or with `<!-- whole -->` above it stands as
it is. What a body takes as given is written above the block, as a parameter list:

    <!-- given: const ingot::Checkpoint& checkpoint -->

and `<!-- not compiled: why -->` leaves a block out. #line makes errors point into the document."""

import re
import sys

from markdown import blocks


def render(block, serial):
    includes = [line for line in block.code if re.match(r"\s*#\s*include", line)]
    body = ["" if line in includes else line for line in block.code]
    out = [f"namespace snippet_{serial} {{"]
    given = re.match(r"given:\s*(.*)", block.note)
    whole = block.note == "whole"
    if not whole:
        out.append(f"ingot::Status body({given[1] if given else ''}) {{")
    out.append(f'#line {block.number} "{block.path}"')
    out.extend(body)
    if not whole:
        out += ["return ingot::ok_status();", "}"]
    out.append(f"}}  // namespace snippet_{serial}")
    return includes, out


def main():
    output, *documents = sys.argv[1:]
    includes, text, count = set(), [], 0
    for document in documents:
        for block in blocks(document):
            if block.language not in ("cpp", "c++") or block.note.startswith("not compiled:"):
                continue
            count += 1
            more, out = render(block, count)
            includes.update(more)
            text += out
    standard = ("array", "cstdio", "iostream", "span", "string", "vector")
    header = ["// Made by tests/spec/extract_snippets.py.",
              *(f"#include <{name}>" for name in standard),
              *sorted({'#include "ingot/exceptions.h"', '#include "ingot/ingot.h"', *includes}), ""]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(header + text) + "\n")
    if count == 0:
        sys.exit("no C++ blocks found")
    print(f"{count} C++ blocks")


main()
