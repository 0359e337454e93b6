"""A run's exit code, what it writes and where, and what it refuses."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import here  # noqa: F401

import run

BOUND = {"group": "g", "shape": "s", "ours": "ingot", "against": ["peer"], "at_most": 2, "why": "test"}
FACTS = {"name": "m", "commit": "abc", "modified": False, "started": "2026-01-02T03:04:05Z", "load_at_start": [0, 0, 0]}


def entry(contender, seconds, group="g", shape="s"):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [seconds], "counters": {}, "errors": []}


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "bounds.json").write_text(json.dumps([BOUND]))

    def start(self, measured, *more, **facts):
        command = ["run.py", "--quick", "--no-peers", "--cache", str(self.folder), "--out", str(self.folder / "out.json"),
                   "--report", str(self.folder / "out.md"), *more]
        with mock.patch.object(run, "measure", return_value=measured) as self.measure, \
                mock.patch.object(run.machine, "facts", return_value=FACTS | facts), \
                mock.patch.object(run.identity, "of_run", return_value={}), \
                mock.patch.object(run.report, "write") as self.report, \
                mock.patch("sys.argv", command), contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()) as self.said:
            return run.main()

    def main(self, good, ingot_seconds, *more, **facts):
        series = [entry("ingot", ingot_seconds), entry("peer", 1.0)]
        return self.start((good, series, [{"contender": "ingot"}]), *more, **facts)

    def result(self):
        return json.loads((self.folder / "out.json").read_text())

    def earlier(self, machine="m", quick=True):
        path = self.folder / "earlier.json"
        path.write_text(json.dumps({"machine": {"name": machine, "commit": "old"}, "date": "then", "quick": quick,
                                    "series": [entry("peer", 6.0, "other")]}))
        return "--over", str(path)

    def guard(self):
        return "--guard", str(self.folder / "bounds.json")

    def test_it_ends_with_0_when_all_is_well(self):
        self.assertEqual(self.main(True, 1.0, *self.guard()), 0)
        self.assertEqual(self.main(True, 9.0), 0)  # nobody asked for the bounds

    def test_a_broken_bound_ends_it_with_1(self):
        self.assertEqual(self.main(True, 2.1, *self.guard()), 1)

    def test_an_error_of_ingot_or_a_bit_let_through_ends_it_with_1(self):
        self.assertEqual(self.main(False, 1.0, *self.guard()), 1)

    def test_it_writes_what_was_measured_who_was_absent_and_how_all_were_called(self):
        self.main(True, 1.0)
        result = self.result()
        self.assertEqual([found["contender"] for found in result["series"]], ["ingot", "peer"])
        self.assertEqual(result["integrity"], [{"contender": "ingot"}])
        self.assertIn("torch", result["absent"])
        self.assertIn("ingot", result["settings"])

    def test_the_report_is_written_unless_ingot_failed(self):
        self.main(True, 1.0)
        self.report.assert_called_once()
        self.main(False, 1.0)
        self.report.assert_not_called()
        self.assertIn("is not written", self.said.getvalue())
        self.assertEqual(len(self.result()["series"]), 2)

    def test_a_filter_that_admits_nothing_is_a_failure(self):
        self.assertEqual(self.start((True, [], []), "--filter", "no-such"), run.USAGE)
        self.assertIn("no-such", self.said.getvalue())
        self.assertFalse((self.folder / "out.json").exists())

    def test_a_filter_that_is_no_expression_is_refused(self):
        with self.assertRaises(SystemExit):
            self.main(True, 1.0, "--filter", "(")

    def test_what_was_not_measured_is_taken_over_from_an_earlier_result(self):
        self.main(True, 1.0, *self.earlier())
        self.assertEqual([found.get("of") for found in self.result()["series"]], [None, None, "old, then"])
        self.assertEqual(self.result()["runs"][0]["groups"], ["other"])

    def test_an_earlier_result_that_does_not_fit_is_refused_before_anything_is_measured(self):
        for unfit in ({"machine": "another"}, {"quick": False}):
            self.assertEqual(self.main(True, 1.0, *self.earlier(**unfit)), run.USAGE)
            self.measure.assert_not_called()

    def test_the_commit_is_that_at_which_the_run_began(self):
        self.main(True, 1.0)
        self.assertNotIn("resumed_at", self.result()["machine"])
        self.main(True, 1.0, "--resume", commit="def")
        machine = self.result()["machine"]
        self.assertEqual((machine["commit"], [start["commit"] for start in machine["resumed_at"]]), ("abc", ["def"]))
        self.main(True, 1.0, commit="def")
        self.assertEqual(self.result()["machine"]["commit"], "def")

    def test_all_that_go_on_with_one_another_have_one_id_and_one_start(self):
        found = []
        for resume, hour in (((), 1), (("--resume",), 2), ((), 3)):
            self.main(True, 1.0, *resume, started=f"2026-01-02T0{hour}:00:00Z", load_at_start=[hour, 0, 0])
            result = self.result()
            found.append((result["run"], result["machine"]["started"][11:13], result["machine"]["load_at_start"][0]))
        self.assertEqual(found[0], found[1])
        self.assertEqual([entry[1:] for entry in found], [("01", 1), ("01", 1), ("03", 3)])
        self.assertNotEqual(found[0][0], found[2][0])
        self.assertRegex(found[0][0], "^2026-01-02T01:00:00Z-[0-9a-f]{12}$")

    def test_a_part_alone_leaves_the_others_out(self):
        arguments = mock.Mock(part=["training"])
        with mock.patch.object(run.training_run, "run", return_value=(True, [entry("ingot", 1.0)])), \
                mock.patch.object(run.integrity_run, "run") as integrity, mock.patch.object(run, "programs") as programs:
            self.assertEqual(run.measure(arguments, None), (True, [entry("ingot", 1.0)], []))
        integrity.assert_not_called()
        programs.assert_not_called()


class Outputs(unittest.TestCase):
    def outputs(self, *words):
        with tempfile.TemporaryDirectory() as folder, mock.patch("sys.argv", ["run.py", "--build", folder, *words]):
            arguments = run.parse_arguments()
            names = run.outputs(arguments, {"date": "today", "machine": {"name": "m"}})
            return [str(name).replace(str(arguments.build), "build").replace(str(run.ROOT), "root") for name in names]

    full = ["root/bench/results/today-m.json", "root/docs/performance.md"]
    partial = ["build/bench-partial.json", "build/bench-partial.md"]

    def test_a_full_run_is_recorded(self):
        for more in ([], ["--repetitions", "9"], ["--mib", "1024"], ["--resume"]):
            self.assertEqual(self.outputs("--peers", "python", *more), self.full, more)

    def test_whatever_measures_less_is_not(self):
        for less in (["--quick"], ["--filter", "x"], ["--part", "peers"], ["--no-peers"], ["--mib", "64"], ["--repetitions", "6"],
                     ["--guard", str(run.ROOT / "bench/bounds.json")]):
            self.assertEqual(self.outputs("--peers", "python", *less), self.partial, less)
        self.assertEqual(self.outputs(), self.partial)

    def test_who_names_files_gets_them(self):
        self.assertEqual(self.outputs("--quick", "--out", "a", "--report", "b"), ["a", "b"])


class Programs(unittest.TestCase):
    def test_the_guard_has_twenty_repetitions_for_one_since_it_takes_the_fastest(self):
        for guarded, repetitions, made in ((None, 7, 7), ("bounds", 3, 60)):
            arguments = mock.Mock(guard=guarded, repetitions=repetitions)
            with mock.patch.object(run.google_benchmark, "run", return_value=(True, [])) as measured:
                self.assertEqual(run.programs(arguments, "journal"), (True, []))
            measured.assert_called_once_with(run.PROGRAMS, arguments, made, "journal")


if __name__ == "__main__":
    unittest.main()
