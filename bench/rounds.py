"""Contenders of one group and shape in turn, by the journal where it has the round. Standard library only.

What is gone on with is a whole round: an answer beside which no other contender of today was measured stands in no ratio.
A round is known by all names that take part, and kept where every failure in it is a result: a peer's, which then takes
part no more. Not so where a peer was stopped that had been measured before, where the machine had no room, or where
Ingot, a ceiling or a part failed: that round and all after it are measured again, because in them somebody was missing
who would not have been. So the journal holds a run's first rounds, of the same contenders as in one that never stopped.
"""

import hashlib

import series


def told(answer):
    """One line about an answer."""
    if "error" in answer:
        return answer["error"]
    seconds = [part["seconds"] for part in answer.get("runs", {"": answer}).values() if "seconds" in part]
    return f"{min(seconds):.4g} s" if seconds else "failed"


def together(names):
    """Part of a round's key: the contenders in it."""
    return "beside-" + hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]


def is_result(entry, answer):
    """Whether an answer would come again: a time, or what a peer cannot. `entry`: its series before it. Of the marks of an
    answer (processes.py), "transient" is what only this moment did; "stopped" says nothing of a peer that could before."""
    failures = [part for part in answer.get("runs", {"": answer}).values() if "error" in part]
    if failures and not series.is_peer(entry):
        return False
    return not any(part.get("transient") or (part.get("stopped") and entry["seconds"]) for part in failures)


class Rounds:
    def __init__(self, repetitions, journal, progress):
        self.repetitions, self.journal, self.progress = repetitions, journal, progress

    def step(self, key, work, tell=told):
        """The journal's answer or work()'s. `key`: group, shape, the contender where there is one, and the number."""
        measured = not self.journal.knows(key)
        answer = self.journal.once(key, work)
        self.progress.step(" ".join(key[:-1]), tell(answer), measured)
        return answer

    def run(self, group, shape, names, measure, prepare=None):
        """The series; measure(name, number) is one answer. prepare(names) comes before a round of them is measured."""
        all_series, apart, steps, kept = [series.new(group, shape, name) for name in names], [], 0, True
        for number in range(self.repetitions):
            turns = series.turns(number, all_series)
            if not turns:
                break
            answers = self._round((group, shape, together(names), number), turns, measure, prepare, kept)
            kept = kept and _are_results(turns, answers)
            for entry in turns:
                series.record(entry, answers[entry["contender"]], apart)
            steps += len(turns)
        self.progress.fewer(self.repetitions * len(names) - steps)
        return series.measured(all_series + apart)

    def _round(self, key, turns, measure, prepare, kept):
        """Name -> answer. `kept`: whether all rounds before it are."""
        group, shape, _, number = key
        names = [entry["contender"] for entry in turns]

        def tell(name, answer, measured):
            self.progress.step(f"{group} {shape} {name}", told(answer), measured)
            return answer

        def work():
            if prepare:
                prepare(names)
            return {name: tell(name, measure(name, number), True) for name in names}

        known = self.journal.knows(key)
        answers = self.journal.once(key, work, lambda answers: kept and _are_results(turns, answers))
        if known:
            for name in names:
                tell(name, answers[name], False)
        return answers


def _are_results(turns, answers):
    return all(is_result(entry, answers[entry["contender"]]) for entry in turns)
