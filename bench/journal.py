"""What a run has measured so far, on disk, so that one that was stopped can go on. Standard library only."""

import hashlib
import json


class Journal:
    """journal-<hash of the identity>.jsonl: runs of different identity never touch each other.

    The first line tells the identity and, never compared, how each start of the run came about; then one line an answer.
    """

    def __init__(self, folder, identity, resume, start=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.hash = _hash(identity)
        self.path = folder / f"journal-{self.hash}.jsonl"
        self.starts, self.known = [start], {}
        lines = self.path.read_text().splitlines() if resume and self.path.exists() else []
        first = _entry(lines[0]) if lines else None
        if first and first["identity"] == identity:
            self.starts = [*first["starts"], start]
            self.known = dict(entry for entry in map(_entry, lines[1:]) if entry)
        self._write_anew({"identity": identity, "starts": self.starts})

    def _write_anew(self, first):
        """As a whole: a line that was cut off must not be continued."""
        partial = self.path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(line) + "\n" for line in [first, *self.known.items()]))
        partial.replace(self.path)

    def knows(self, key):
        """Whether once() will answer without work."""
        return _name(key) in self.known

    def once(self, key, work, keeps=None):
        """work()'s answer, from the journal where it is there. What keeps(answer) denies is not kept; without it, a
        failure: what failed for want of time or of room may be measured next time."""
        name = _name(key)
        if name in self.known:
            return self.known[name]
        answer = work()
        if keeps(answer) if keeps else not _failed(answer):
            self.known[name] = answer
            with self.path.open("a") as file:
                file.write(json.dumps([name, answer]) + "\n")
        return answer


def _hash(identity):
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def _name(key):
    return "/".join(map(str, key))


def _failed(answer):
    """Of {"error": ...}, of {"runs": ...} with one among them, and of [whether all went well, series]."""
    if isinstance(answer, dict):
        runs = answer.get("runs", [])
        return "error" in answer or any(map(_failed, runs.values() if isinstance(runs, dict) else runs))
    return not answer[0]


def _entry(line):
    """A line that was cut off when the run was stopped is no entry."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
