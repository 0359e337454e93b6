"""Ingot and its peers in turn, each call in a fresh process that times itself. Standard library only.

Contenders take turns, each round in another random order. The state of the page cache is made and proven by mincore before
every call; whatever was read must be what is in the file: every load ends with a sum over every tensor, the rest with a
number of their own (FOUND). What a save wrote is loaded once, removed, and the file system synced before the next one.
"""

import dataclasses
import os
import re

import contenders
import inputs
import series
from rounds import Rounds

TINY = "small:8"
OPEN_SHAPES = ["small:1000", "small:100000", "small:1000000:16"]
QUICK_OPEN_SHAPES, QUICK_LOAD_SHAPES = ["small:20000"], ["decoder:32"]
MANY, QUICK_MANY = "small:100000", "small:2000"

CEILINGS = {"peers-load": "ceiling:copy", "peers-load-cold": "ceiling:direct-read", "peers-save": "ceiling:direct-write",
            "peers-verify": "ceiling:hash", "peers-open": "ceiling:open", "peers-describe": "ceiling:open",
            "peers-one": "ceiling:open", "peers-view": "ceiling:open"}
PARTS = {"peers-open": "part:open"}
# path -> what its answer must say, and rightly (inputs.Inputs.answers)
FOUND = {"open": "tensors", "describe": "name_bytes", "one": "sum", "view": "tensors", "load": "proof", "gpu": "proof"}
CHECKED_ROUND = 0  # of saves: what it wrote is loaded, which no clock sees


@dataclasses.dataclass(frozen=True)
class Plan:
    group: str
    path: str  # of contenders.Contender.paths
    shape: str
    cold: bool = False


def load_shapes(mib):
    """300 large tensors at two sizes, 18,867 of a mixture of experts, 100,000 of 1 KiB, one alone, ResNet-50 with Adam."""
    return [f"decoder:{max(mib // 8, 8)}", f"decoder:{mib}", f"moe:{mib}", MANY, f"one:{mib}", "resnet50"]


def plans(quick, mib, gpu, weights=None):
    """`weights`: an Ingot file of real ones, measured as they are."""
    opens = QUICK_OPEN_SHAPES if quick else OPEN_SHAPES
    loads = QUICK_LOAD_SHAPES if quick else load_shapes(mib)
    loads = loads + ([f"weights:{weights}"] if weights else [])
    result = [Plan(f"peers-{path}", path, shape) for shape in opens for path in ("open", "describe", "one", "view")]
    for shape in loads:
        result += [Plan("peers-load", "load", shape), Plan("peers-load-cold", "load", shape, cold=True),
                   Plan("peers-verify", "verify", shape), Plan("peers-save", "save", shape)]
        result += [Plan("peers-gpu", "gpu", shape), Plan("peers-gpu-cold", "gpu", shape, cold=True)] if gpu else []
    # The third size of time against bytes. Its files take 20 GiB: after all others, which are gone by then.
    return result + [Plan("peers-save", "save", QUICK_MANY) if quick else Plan("peers-load", "load", f"decoder:{2 * mib}")]


def admits(pattern, plan, name):
    return re.search(pattern, f"{plan.group}/{inputs.base_name(plan.shape)}/{name}") is not None


def is_beside(name):
    return name.startswith(("ceiling:", "part:"))


def loader_of(contender):
    """Who loads what a contender has saved: itself, or, of torch-no-crc32, the first that reads its format."""
    alike = [other for other in contenders.INGOT + contenders.PEERS if other.suffix == contender.suffix]
    return next(other for other in [contender, *alike] if "load" in other.paths)


def names_of(plan, pattern, python):
    """Those of a plan that a filter admits: contenders, the ceiling and parts beside them."""
    names = [contender.name for contender in contenders.present(python, plan.path)]
    names += [beside[plan.group] for beside in (CEILINGS, PARTS) if plan.group in beside]
    return [name for name in names if admits(pattern, plan, name)]


class Comparison:
    def __init__(self, arguments, runner, journal, progress):
        self.arguments, self.runner = arguments, runner
        self.rounds = Rounds(arguments.repetitions, journal, progress)
        self.inputs = inputs.Inputs(arguments.cache, runner)
        self.unsettled = {}  # path -> {"error"}, of this round

    def settle(self, plan, names):
        """Before each round of warm calls puts every file out of the page cache and reads it in again: how fast its pages
        are mapped depends on how they came there (a writer leaves others than a reader does, a mapping others than a
        read), and on luck, which is not to be the same in all rounds."""
        self.unsettled = {}
        if plan.cold or plan.path == "save":
            return
        paths = {path for path in (self.path(plan, name) for name in names) if isinstance(path, str)}
        for path in sorted(paths):
            problem = self.cached(path, cold=True) or self.cached(path, cold=False)
            if problem:
                self.unsettled[path] = problem

    def path(self, plan, name):
        """Of what a contender reads, or {"error"}; who is beside them reads Ingot's file."""
        contender = contenders.INGOT[0] if is_beside(name) else contenders.named(name)
        return self.inputs.file(contender, plan.shape)

    def cached(self, path, cold):
        """Brings a file into the page cache, or out of it: {}, or {"error"}."""
        state = self.runner.ingot("cold" if cold else "warm", *inputs.files(path))
        if "error" in state:
            return state | {"transient": True}
        state.pop("process_seconds", None)
        error = "not out of the page cache" if cold else "not in the page cache"
        return {} if all(state.values()) else {"error": error, "transient": True}

    def ready(self, path, cold):
        """Whether the page cache is as it must be: {}, or {"error"}."""
        return self.unsettled.get(path) or self.cached(path, cold)

    def read(self, plan, contender):
        paths = []
        for shape in (plan.shape, TINY):
            made = self.inputs.file(contender, shape)
            if isinstance(made, dict):
                return made
            paths.append(made)
        path, tiny = paths
        problem = self.ready(path, plan.cold)
        if problem:
            return problem
        return self.runner.call(contender, *self.command(plan, path, tiny))

    def command(self, plan, path, tiny):
        if plan.path == "one":
            return "one", path, tiny, self.inputs.a_name(plan.shape), self.inputs.a_name(TINY)
        if plan.path in ("load", "gpu"):
            device = self.arguments.device if plan.path == "gpu" else "cpu"
            return "load", path, tiny, device, *(self.inputs.listing_and_raw(shape)[0] for shape in (plan.shape, TINY))
        return plan.path, path, tiny

    def beside(self, plan, name, number):
        """A ceiling or parts."""
        path, command = self.path(plan, name), name.replace(":", "-").replace("direct-", "")
        if isinstance(path, dict):
            return path
        if plan.path == "save":
            raw = self.inputs.listing_and_raw(plan.shape)[1]
            return self.saved(lambda out: self.runner.ingot(command, raw, out, str(number)))
        more = [str(number)] if plan.cold else []
        if name.endswith(":open"):
            more = [self.inputs.file(contenders.INGOT[0], TINY)]
        return self.ready(path, plan.cold) or self.runner.ingot(command, path, *more)

    def saved(self, save, problem_with=lambda out: {}):
        """save(path)'s answer with the size of what it wrote, which is removed; problem_with(path)'s where it has any."""
        out = self.arguments.cache / "out" / "compare-save"
        out.parent.mkdir(exist_ok=True)
        self.remove_saved(out)
        os.sync()
        answer = save(str(out))
        if "seconds" in answer:
            answer["file_bytes"] = sum(os.path.getsize(name) for name in inputs.files(str(out)))
            answer = problem_with(str(out)) or answer
        self.remove_saved(out)
        return answer

    def save(self, plan, contender, number):
        def source(shape):
            listing, raw = self.inputs.listing_and_raw(shape)
            return (shape if contenders.is_ingot(contender) else listing), raw

        def problem_with(out):
            return self.not_what_was_saved(plan, contender, out) if number == CHECKED_ROUND else {}

        def save(out):
            return self.runner.call(contender, "save", *source(plan.shape), out, *source(TINY))

        return self.saved(save, problem_with)

    def not_what_was_saved(self, plan, contender, out):
        """{}, or {"error"}, by a load in a fresh process. It proves the bytes, not that they are on the disk."""
        loader = loader_of(contender)
        tiny = self.inputs.file(loader, TINY)
        if isinstance(tiny, dict):
            return tiny
        loaded = self.runner.call(loader, *self.command(Plan(plan.group, "load", plan.shape), out, tiny))
        if "error" in loaded:
            return loaded | {"error": f"what was saved does not load: {loaded['error']}"}
        right = loaded.get("proof") == self.inputs.answers(plan.shape)["proof"]
        return {} if right else {"error": "what was saved is not what was given (proof)"}

    @staticmethod
    def remove_saved(out):
        for path in out.parent.glob(out.name + "*"):
            inputs.remove(path)

    def measure(self, plan, name, number):
        if is_beside(name):
            return self.beside(plan, name, number)
        contender = contenders.named(name)
        answer = self.save(plan, contender, number) if plan.path == "save" else self.read(plan, contender)
        return answer if "error" in answer else self.checked(plan, answer)

    def checked(self, plan, answer):
        """The answer, or {"error"} when what was found is not what is there."""
        found = FOUND.get(plan.path)
        if found and answer.get(found) != self.inputs.answers(plan.shape)[found]:
            return {"error": f"what was read is not what was saved ({found})"}
        if plan.path in ("save", "verify"):
            answer["bytes_per_second"] = self.inputs.bytes(plan.shape) / answer["seconds"]
        return answer

    def run(self, plan, names):
        return self.rounds.run(plan.group, inputs.base_name(plan.shape), names,
                               lambda name, number: self.measure(plan, name, number),
                               lambda turns: self.settle(plan, turns))


def chosen(arguments, python):
    """[(plan, names)] of all that a run will do."""
    all_plans = plans(arguments.quick, arguments.mib, contenders.has_gpu(), arguments.weights)
    work = [(plan, names_of(plan, arguments.filter, python)) for plan in all_plans]
    return [(plan, names) for plan, names in work if names]


def run(arguments, runner, work, journal, progress):
    """(whether Ingot did all, series). `work` is chosen()'s."""
    comparison, result = Comparison(arguments, runner, journal, progress), []
    for number, (plan, names) in enumerate(work):
        result += comparison.run(plan, names)
        # All formats of all shapes together would take more than the disk has.
        if plan.shape not in [later.shape for later, _ in work[number + 1:]]:
            comparison.inputs.drop(plan.shape)
    for entry in series.failures(result):
        print(f"{entry['group']} {entry['shape']} {entry['contender']}: {entry['errors'][0]}", flush=True)
    return series.ingot_is_good(result), result
