"""What a run has measured so far, on disk, so that one that was stopped can go on. Standard library only."""

import json


class Journal:
    """One line of JSON an answer; the first line says of which run. Another run's journal is not continued."""

    def __init__(self, path, identity, resume):
        self.path, self.known = path, {}
        lines = path.read_text().splitlines() if resume and path.exists() else []
        if lines and json.loads(lines[0]) == identity:
            self.known = dict(entry for entry in map(_entry, lines[1:]) if entry)
        # Written again as a whole: a line that was cut off must not be continued.
        path.write_text("".join(json.dumps(line) + "\n" for line in [identity, *self.known.items()]))

    def once(self, key, work):
        """work()'s answer, from the journal where it is there."""
        name = "/".join(map(str, key))
        if name not in self.known:
            self.known[name] = work()
            with self.path.open("a") as file:
                file.write(json.dumps([name, self.known[name]]) + "\n")
        return self.known[name]


def _entry(line):
    """A line that was cut off when the run was stopped is no entry."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
