"""Contenders of one group and shape in turn, by the journal where it has the answer. Standard library only."""

import series


def told(answer):
    """One line about an answer."""
    if "error" in answer:
        return answer["error"]
    seconds = [part["seconds"] for part in answer.get("runs", {"": answer}).values() if "seconds" in part]
    return f"{min(seconds):.4g} s" if seconds else "failed"


class Rounds:
    def __init__(self, repetitions, journal, progress):
        self.repetitions, self.journal, self.progress = repetitions, journal, progress

    def step(self, key, work, tell=told):
        """The journal's answer or work()'s. `key`: group, shape, the contender where there is one, and the number."""
        measured = not self.journal.knows(key)
        answer = self.journal.once(key, work)
        self.progress.step(" ".join(key[:-1]), tell(answer), measured)
        return answer

    def run(self, group, shape, names, measure):
        """The series; measure(name, number) is one answer."""
        all_series, apart, steps = [series.new(group, shape, name) for name in names], [], 0
        for number, entry in series.rounds(self.repetitions, all_series):
            name = entry["contender"]
            answer = self.step((group, shape, name, number), lambda n=name, r=number: measure(n, r))
            series.record(entry, answer, apart)
            steps += 1
        self.progress.fewer(self.repetitions * len(names) - steps)
        return series.measured(all_series + apart)
