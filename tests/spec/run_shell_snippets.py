"""Runs the shell blocks of documents, in an empty folder each, with the built command on the PATH
and a small model.safetensors to work on.

    run_shell_snippets.py <folder of the programs> <document.md>...

A block is run unless `<!-- not run: why -->` stands above it; then the scripts it names must exist.
One that begins with `git clone` is checked likewise. Any command that fails, fails the test, unless
its line ends with a comment `# exit status N`."""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile

from markdown import blocks
from repository import ROOT, Findings

EXIT = re.compile(r"^(.*?)\s+# exit status (\d+)\b")


def small_model():
    """A safetensors file of two tensors, by hand: nothing but the standard library is needed."""
    tensors = {"embed.weight": ("F32", [8, 4]), "norm.weight": ("F32", [4])}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape) in tensors.items():
        count = 1
        for extent in shape:
            count *= extent
        values = struct.pack(f"<{count}f", *[0.5 * i for i in range(count)])
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def script_of(block):
    out = ["set -euo pipefail"]
    for line in block.code:
        if match := EXIT.match(line):
            # `if` keeps -e from ending the script.
            out.append(f"status=0; {match[1]} || status=$?")
            out.append(f'[ $status = {match[2]} ] || {{ echo "exit status $status"; exit 1; }}')
        else:
            out.append(line)
    return "\n".join(out)


def check_scripts_exist(findings, block):
    for name in re.findall(r"(?<![\w/.])(scripts/[\w./-]+)", "\n".join(block.code)):
        if not os.access(ROOT / name, os.X_OK):
            findings.add(block.path, block.number, f"{name} is not there, or no program")


def main():
    programs, *documents = sys.argv[1:]
    findings, count = Findings(), 0
    for document in documents:
        for block in blocks(document):
            if block.language not in ("sh", "bash", "console"):
                continue
            if block.note.startswith("not run:") or block.code[0].startswith("git clone"):
                check_scripts_exist(findings, block)
                continue
            count += 1
            with tempfile.TemporaryDirectory(prefix="ingot-docs-") as folder:
                with open(os.path.join(folder, "model.safetensors"), "wb") as file:
                    file.write(small_model())
                with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
                    file.write('{"model_type": "tiny"}\n')
                run = subprocess.run(
                    ["bash", "-c", script_of(block)], cwd=folder, capture_output=True, text=True,
                    env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}, timeout=300)
                if run.returncode != 0:
                    findings.add(block.path, block.number,
                                 f"exit status {run.returncode}\n{run.stdout}{run.stderr}")
    if count == 0:
        findings.add(documents[0], 0, "no shell block is run")
    findings.finish(f"{count} shell blocks ran")


main()
