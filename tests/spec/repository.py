"""What the checkers of this folder share: the files of the repository, and how findings end."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ("base", "format", "io", "writer", "loader")
PUBLIC = "include/ingot"


def files(*patterns):
    """Files of the repository (tracked, or new and not ignored) that match a glob each."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True).stdout.decode()
        paths = [ROOT / name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        ignored = re.compile(r"^(build|\.venv|\.git|\.cache)/|__pycache__")
        paths = [path for path in ROOT.rglob("*")
                 if path.is_file() and not ignored.search(str(path.relative_to(ROOT)))]
    relative = sorted(path.relative_to(ROOT) for path in paths if path.is_file())
    return [path for path in relative if not patterns or any(path.match(p) for p in patterns)]


def sources(folder):
    """C++ files of a folder, without those below a generated or test folder."""
    return [path for path in files("*.h", "*.cc", "*.cu") if str(path).startswith(folder + "/")]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def lines(path):
    """(number, line) of a text file; nothing for a binary one."""
    try:
        content = text(path)
    except UnicodeDecodeError:
        return []
    return list(enumerate(content.splitlines(), start=1))


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    """(line number, '<' or '"', what is included) of a C++ file."""
    return [(number, match[1], match[2]) for number, line in lines(path)
            if (match := INCLUDE.match(line))]


class Findings:
    """Collects what is wrong; finish() prints it and ends the program with 1, or with 0."""

    def __init__(self):
        self.found = []

    def add(self, path, number, message):
        self.found.append(f"{path}:{number}: {message}")

    def finish(self, proved):
        for finding in self.found:
            print(finding)
        if self.found:
            print(f"{len(self.found)} finding(s)")
            sys.exit(1)
        print(proved)
        sys.exit(0)
