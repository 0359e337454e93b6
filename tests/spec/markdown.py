"""Code blocks of Markdown files, with the note (an HTML comment) in the line above each."""

import dataclasses
import re

from repository import lines

NOTE = re.compile(r"<!--\s*(.*?)\s*-->\s*$")


@dataclasses.dataclass
class Block:
    path: str
    number: int  # of its first line of code
    language: str
    note: str
    code: list


def blocks(path):
    found, note, block = [], "", None
    for number, line in lines(path):
        if block is not None:
            if line.strip() == "```":
                found.append(block)
                block = None
            else:
                block.code.append(line)
            continue
        if line.startswith("```"):
            block = Block(str(path), number + 1, line[3:].strip(), note, [])
            note = ""
        elif match := NOTE.fullmatch(line.strip()):
            note = match[1]
        elif line.strip():
            note = ""
    return found
