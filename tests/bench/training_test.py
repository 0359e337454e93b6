"""Saving and resuming a training run: who is measured in which order, from which file, and what is not believed. Contenders
are doubles."""

import contextlib
import io
import pathlib
import tempfile
import types
import unittest
from unittest import mock

import here  # noqa: F401

import series
import training_contenders
import training_run
from journal import Journal
from progress import Progress

SAVE, RESUME, STALL = (training_run.Plan(command, 12) for command in ("save", "resume", "stall"))
SHAPES = ["1MiB-depth8", "1MiB-depth32", "4MiB-depth8", "4MiB-depth32", "8MiB-depth8", "8MiB-depth32"]


class Contenders:
    """Answers as the programs would; remembers what it was asked."""

    def __init__(self):
        self.calls, self.firsts, self.cached, self.failing = [], [], True, set()

    def names(self, command):
        return {"save": ["ingot", "ceiling:direct-write"], "resume": ["ingot"], "stall": list(training_contenders.STALL)}[command]

    def call(self, command, contender, mib, path):
        self.calls.append((command, contender, pathlib.Path(path).name))
        if command == "save":
            for name in (path, path + ".total", path + ".tiny"):
                pathlib.Path(name).write_text("x")
        return {"error": f"{command} failed"} if (command, contender) in self.failing else {"seconds": 1.0}

    def alone(self, name, mib, path):
        if name in training_contenders.WRITES:
            pathlib.Path(path).write_text("half of it")
        self.calls.append(("alone", name, ""))
        return {"seconds": 1.0}

    def write_ceilings(self, mib, path, first):
        pathlib.Path(path).write_text("x")
        self.firsts.append(first)
        return {"runs": {shape: {"seconds": 1.0 + number} for number, shape in enumerate(SHAPES)}}

    def stall(self, mib, path):
        pathlib.Path(path).write_text("x")
        self.calls.append(("stall", "", ""))
        if "stall" in self.failing:
            return {"error": "out of memory"}
        return {"runs": [{"stall": 7.0, "durable": 8.0, "ceiling": 9.0, "copy_anew": 6.5},
                         {"stall": 4.0, "durable": 5.0, "ceiling": 6.0}, {"stall": 2.0, "durable": 3.0, "ceiling": 1.0}]}

    def warm(self, paths):
        return {path: self.cached for path in paths}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name, "training")
        self.folder.mkdir()
        self.contenders = Contenders()
        self.training = self.make()

    def make(self, resume=False):
        self.told = io.StringIO()
        journal = Journal(self.folder.parent / "journal", {}, resume)
        return training_run.Training(self.contenders, self.folder, 3, journal, Progress(0, self.told))

    def asked(self, command):
        return [contender for asked, contender, _ in self.contenders.calls if asked == command]

    def left(self):
        return sorted(path.name for path in self.folder.iterdir())


class InTurn(Case):
    def test_contenders_take_turns(self):
        self.training.in_turn(SAVE, ["ingot", "torch-cpp", "dcp"])
        asked = self.asked("save")
        self.assertEqual([sorted(asked[begin:begin + 3]) for begin in (0, 3, 6)], [["dcp", "ingot", "torch-cpp"]] * 3)

    def test_all_read_their_own_file_but_for_those_who_map_anothers(self):
        self.training.in_turn(RESUME, ["ingot", "torch-python", "torch-python-mmap", "torch-python-mmap-owned"])
        self.assertEqual({(contender, path) for command, contender, path in self.contenders.calls if command == "resume"},
                         {("ingot", "ingot-12"), *((name, "torch-python-12") for name in
                                                   ("torch-python", "torch-python-mmap", "torch-python-mmap-owned"))})

    def test_another_way_to_save_leaves_the_file_that_is_resumed_from_alone(self):
        self.training.in_turn(SAVE, ["torch-python", "torch-python-no-crc32"])
        self.assertEqual({(contender, path) for _, contender, path in self.contenders.calls},
                         {("torch-python", "torch-python-12"), ("torch-python-no-crc32", "torch-python-no-crc32-12")})

    def test_a_resume_without_a_save_makes_the_file_once_and_first(self):
        result = self.training.in_turn(RESUME, ["torch-python-mmap"])
        self.assertEqual([call[:2] for call in self.contenders.calls],
                         [("save", "torch-python")] + 3 * [("resume", "torch-python-mmap")])
        self.assertEqual(result[0]["seconds"], [1.0] * 3)

    def test_a_resume_without_a_save_says_why_there_is_none(self):
        self.contenders.failing = {("save", "dcp")}
        result = self.training.in_turn(RESUME, ["dcp"])
        self.assertEqual((result[0]["seconds"], result[0]["errors"]), ([], ["save failed"]))
        self.assertEqual(self.asked("resume"), [])

    def test_a_save_that_failed_leaves_nothing_to_resume_from(self):
        self.contenders.failing = {("save", "dcp")}
        self.assertEqual(self.training.in_turn(SAVE, ["dcp"])[0]["errors"], ["save failed"])
        self.assertEqual(self.left(), [])

    def test_a_save_finds_nothing_of_the_one_before(self):
        found = []
        call = self.contenders.call
        self.contenders.call = lambda *asked: found.append(self.left()) or call(*asked)
        self.training.in_turn(SAVE, ["ingot"])
        self.assertEqual(found, [[], [], []])

    def test_a_file_that_is_not_in_the_page_cache_is_an_error_and_not_a_time(self):
        self.contenders.cached = False
        result = self.training.in_turn(RESUME, ["ingot"])
        self.assertEqual((result[0]["seconds"], result[0]["errors"]), ([], ["not in the page cache"]))
        self.assertEqual(self.asked("resume"), [])

    def test_what_was_resumed_wrongly_is_an_error_and_not_a_time(self):
        self.contenders.failing = {("resume", "dcp")}
        result = self.training.in_turn(RESUME, ["ingot", "dcp"])
        self.assertEqual([(entry["seconds"], entry["errors"]) for entry in result], [([1.0] * 3, []), ([], ["resume failed"])])
        self.assertTrue(series.ingot_is_good(result))

    def test_a_part_and_a_ceiling_need_no_file(self):
        self.training.in_turn(RESUME, ["part:fresh-memory", "ceiling:copy"])
        self.assertEqual({call[0] for call in self.contenders.calls}, {"alone"})
        self.assertEqual(self.left(), [])

    def test_a_part_that_writes_leaves_nothing(self):
        self.training.in_turn(SAVE, list(training_contenders.WRITES))
        self.assertEqual({call[0] for call in self.contenders.calls}, {"alone"})
        self.assertEqual(self.left(), [])

    def test_six_ceilings_become_six_series_and_another_goes_first_each_time(self):
        result = self.training.in_turn(SAVE, ["ceiling:direct-write"])
        self.assertEqual({entry["contender"]: entry["seconds"] for entry in result},
                         {f"ceiling:direct-write-{shape}": [1.0 + number] * 3 for number, shape in enumerate(SHAPES)})
        self.assertEqual(self.contenders.firsts, [0, 1, 2])

    def test_a_run_that_goes_on_measures_only_the_rest(self):
        for plan, names in ((SAVE, ["ingot", "ceiling:direct-write"]), (RESUME, ["ingot"])):
            self.make(resume=True).in_turn(plan, names)
        before = len(self.contenders.calls), len(self.contenders.firsts)
        self.training.clear()
        result = self.make(resume=True).run([(SAVE, ["ingot", "ceiling:direct-write"]), (RESUME, ["ingot"])])
        self.assertEqual((len(self.contenders.calls), len(self.contenders.firsts)), before)
        self.assertEqual({len(entry["seconds"]) for entry in result}, {3})
        self.assertEqual(len(result), 1 + 6 + 1)


class Stalls(Case):
    def test_the_last_save_of_a_process_makes_three_series_and_the_first_one(self):
        result = self.training.held_up(STALL, list(training_contenders.STALL))
        self.assertEqual({entry["contender"]: entry["seconds"] for entry in result},
                         {"ingot": [2.0] * 3, "ingot-first": [7.0] * 3, "ingot-until-durable": [3.0] * 3,
                          "part:copy-anew": [6.5] * 3, "ceiling:copy": [1.0] * 3})
        self.assertEqual(self.left(), [])

    def test_one_that_fails_is_an_error_of_all_and_not_tried_again(self):
        self.contenders.failing = {"stall"}
        result = self.training.held_up(STALL, list(training_contenders.STALL))
        self.assertEqual([(entry["seconds"], entry["errors"]) for entry in result], len(training_contenders.STALL) * [([], ["out of memory"])])
        self.assertEqual(len(self.asked("stall")), 1)
        self.assertFalse(series.ingot_is_good(result))


class Running(Case):
    def run_all(self, **changes):
        arguments = types.SimpleNamespace(**{"build": pathlib.Path("build"), "peers": None, "cache": self.folder.parent,
                                             "quick": True, "filter": "", "repetitions": 2} | changes)
        self.contenders.available = lambda: True
        out = io.StringIO()
        with mock.patch.object(training_run, "Contenders", lambda build, python: self.contenders), \
                mock.patch.object(training_run, "Progress", lambda total: self.progress(total, out)), \
                contextlib.redirect_stdout(out):
            result = training_run.run(arguments, Journal(self.folder.parent / "journal", {}, False))
        self.told = out.getvalue()
        return result

    def progress(self, total, out):
        self.steps = Progress(total, out)
        return self.steps

    def test_a_run_tells_every_measurement_and_leaves_no_file(self):
        good, result = self.run_all()
        self.assertTrue(good)
        self.assertEqual([entry["group"] for entry in result],
                         7 * ["training-save"] + ["training-resume"] + len(training_contenders.STALL) * ["training-stall"])
        self.assertRegex(self.told, r"\[[12]/8\] training-save 12MiB ingot 1 s")
        self.assertIn("[8/8] training-stall 12MiB 2 s", self.told)
        self.assertEqual(self.left(), [])

    def test_what_a_run_that_was_stopped_has_left_is_not_resumed_from(self):
        (self.folder / "ingot-12").write_text("another version's")
        self.run_all(filter="training-resume/")
        self.assertEqual(self.asked("save"), ["ingot"])

    def test_an_interrupted_run_leaves_no_file(self):
        self.contenders.warm = mock.Mock(side_effect=KeyboardInterrupt)
        with self.assertRaises(KeyboardInterrupt):
            self.run_all()
        self.assertEqual(self.left(), [])

    def test_those_who_drop_out_are_not_waited_for(self):
        self.contenders.failing = {("resume", "ingot"), "stall"}
        good, _ = self.run_all()
        self.assertFalse(good)
        self.assertEqual((self.steps.done, self.steps.total), (6, 6))
        self.assertIn("training-stall 12MiB ceiling:copy: out of memory", self.told)

    def test_a_filter_admits_by_group_shape_and_contender(self):
        self.run_all(filter="^training-resume/12MiB/ingot$")
        self.assertEqual([call[:2] for call in self.contenders.calls], [("save", "ingot")] + 2 * [("resume", "ingot")])
        _, result = self.run_all(filter="until-durable")
        self.assertEqual([entry["contender"] for entry in result], ["ingot-until-durable"])


class Starting(unittest.TestCase):
    def setUp(self):
        self.contenders = training_contenders.Contenders(pathlib.Path("/build"), "python")

    def started(self, call):
        with mock.patch.object(training_contenders.processes, "start", return_value={"process_seconds": 1}) as start:
            answer = call()
        return start.call_args.args[0], answer

    def names(self, command, *packages):
        with mock.patch.object(training_contenders.contenders, "installed", lambda python: dict.fromkeys(packages, "1")):
            return self.contenders.names(command)

    def test_who_is_not_installed_does_not_take_part(self):
        self.assertEqual(self.names("save"), ["ingot", "torch-cpp", *training_contenders.WRITES, "ceiling:direct-write"])
        self.assertEqual(self.names("resume", "torch"), ["ingot", "torch-cpp", "torch-python", "dcp", "torch-python-mmap",
                                                         "torch-python-mmap-owned", "part:fresh-memory", "ceiling:copy"])
        self.assertIn("torchsnapshot", self.names("save", "torch", "torchsnapshot"))
        self.assertNotIn("torch-python-mmap", self.names("save", "torch"))
        self.assertIn("torch-python-no-crc32", self.names("save", "torch"))
        self.assertNotIn("torch-python-no-crc32", self.names("resume", "torch"))

    def test_a_part_is_told_its_file_if_it_writes_one(self):
        for name, command in (*training_contenders.ALONE.items(), *training_contenders.WRITES.items()):
            file = ("/file",) if name in training_contenders.WRITES else ()
            self.assertEqual(self.started(lambda: self.contenders.alone(name, 12, "/file"))[0],
                             ("/build/bin/bench_training", command, "12", *file))

    def test_ingot_is_a_program_and_a_peer_of_python_a_script(self):
        command, _ = self.started(lambda: self.contenders.call("resume", "ingot", 12, "/file"))
        self.assertEqual(command, ("/build/bin/bench_training", "resume", "ingot", "12", "/file"))
        for asked, name in (("save", "dcp"), ("save", "torch-python-no-crc32"), ("resume", "torch-python-mmap"),
                            ("resume", "torch-python-mmap-owned")):
            command, _ = self.started(lambda a=asked, n=name: self.contenders.call(a, n, 12, "/file"))
            self.assertEqual(command[0:1] + command[3:], ("python", name, asked, "12", "/file"))

    def test_the_time_of_a_process_is_not_a_file_that_is_warm(self):
        self.assertEqual(self.started(lambda: self.contenders.warm(["/a"]))[1], {})


if __name__ == "__main__":
    unittest.main()
