"""Saving and resuming a model with its Adam state, contenders in turn, beside a ceiling. Standard library only.

Every resume begins with zeros and must end with what its contender's own save has stored; its file is in the page cache,
proven by mincore, and came there by reading, whoever wrote it.
"""

import dataclasses
import itertools
import re

import inputs
import series
from progress import Progress
from rounds import Rounds, told
from training_contenders import STALL, Contenders, saver

SIZES, QUICK_SIZES = [100, 2048], [12]  # MiB of parameters and moments together


@dataclasses.dataclass(frozen=True)
class Plan:
    command: str  # save resume stall
    mib: int

    @property
    def group(self):
        return f"training-{self.command}"

    @property
    def shape(self):
        return f"{self.mib}MiB"


class Training:
    def __init__(self, here, folder, repetitions, journal, progress):
        self.here, self.folder, self.rounds = here, folder, Rounds(repetitions, journal, progress)

    def path(self, contender, mib):
        """One file serves all ways to resume from it."""
        return self.folder / f"{saver(contender)}-{mib}"

    def remove(self, path):
        """With what lies beside it, its total among others."""
        for found in [path, *self.folder.glob(path.name + ".*")]:
            inputs.remove(found)

    def clear(self):
        for path in self.folder.iterdir():
            inputs.remove(path)

    def save(self, contender, mib):
        path = self.path(contender, mib)
        self.remove(path)
        answer = self.here.call("save", contender, mib, str(path))
        if "error" in answer:  # nobody shall resume from a half
            self.remove(path)
        return answer

    def resume(self, contender, mib):
        path = self.path(contender, mib)
        if not path.exists():  # a run that only resumes
            saved = self.save(saver(contender), mib)
            if "error" in saved:
                return saved
        states = self.here.warm(inputs.files(str(path)))
        if "error" in states:
            return states
        if not all(states.values()):
            return {"error": "not in the page cache", "transient": True}
        return self.here.call("resume", contender, mib, str(path))

    def write_ceilings(self, mib, number):
        path = self.path("ceiling", mib)
        self.remove(path)
        return self.here.write_ceilings(mib, str(path), number)

    def alone(self, name, mib):
        path = self.path("alone", mib)
        answer = self.here.alone(name, mib, str(path))
        self.remove(path)  # what one that was stopped has left
        return answer

    def stall(self, mib):
        path = self.path("stall", mib)
        answer = self.here.stall(mib, str(path))
        self.remove(path)
        return answer

    def measure(self, plan, name, number):
        if name == "ceiling:direct-write":
            return self.write_ceilings(plan.mib, number)
        if name.startswith(("part:", "ceiling:")):
            return self.alone(name, plan.mib)
        return self.save(name, plan.mib) if plan.command == "save" else self.resume(name, plan.mib)

    def in_turn(self, plan, names):
        return self.rounds.run(plan.group, plan.shape, names, lambda name, number: self.measure(plan, name, number))

    def held_up(self, plan, names):
        """How long save_async() holds the training up, and until its file is durable, beside a copy of the same bytes."""
        all_series = {name: series.new(plan.group, plan.shape, name) for name in names}
        for number in range(self.rounds.repetitions):
            answer = self.rounds.step((plan.group, plan.shape, number), lambda: self.stall(plan.mib),
                                      lambda answer: told(save_of(answer, "ingot")))
            for name, entry in all_series.items():
                series.add(entry, save_of(answer, name))
            if "error" in answer:
                self.rounds.progress.fewer(self.rounds.repetitions - number - 1)
                break
        return list(all_series.values())

    def run(self, work):
        result = []
        for _, of_a_size in itertools.groupby(work, lambda entry: entry[0].mib):
            try:
                for plan, names in of_a_size:
                    result += self.held_up(plan, names) if plan.command == "stall" else self.in_turn(plan, names)
            finally:
                self.clear()
        return result


def save_of(answer, name):
    """A series' one of the few saves of a stall."""
    if "error" in answer:
        return answer
    number, what = STALL[name]
    return {"seconds": answer["runs"][number][what]}


def chosen(arguments, here):
    """[(plan, names)] of all that a run will do."""
    sizes = QUICK_SIZES if arguments.quick else SIZES
    plans = [Plan(command, mib) for mib in sizes for command in ("save", "resume", "stall")]
    work = [(plan, [name for name in here.names(plan.command)
                    if re.search(arguments.filter, f"{plan.group}/{plan.shape}/{name}")]) for plan in plans]
    return [(plan, names) for plan, names in work if names]


def steps_of(work, repetitions):
    return repetitions * sum(1 if plan.command == "stall" else len(names) for plan, names in work)


def run(arguments, journal):
    """(whether Ingot did all, series). Empty where the build has no LibTorch."""
    here = Contenders(arguments.build, arguments.peers)
    if not here.available():
        print("== training: left out, this build has no LibTorch", flush=True)
        return True, []
    work, folder = chosen(arguments, here), arguments.cache / "training"
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(here, folder, arguments.repetitions, journal, Progress(steps_of(work, arguments.repetitions)))
    training.clear()  # what a run that was stopped has left
    result = training.run(work)
    for entry in series.failures(result):
        print(f"{entry['group']} {entry['shape']} {entry['contender']}: {entry['errors'][0]}", flush=True)
    return series.ingot_is_good(result), result
