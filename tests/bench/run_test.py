"""A run's exit code, what it writes, and what it takes over from an earlier one."""

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
FACTS = {"name": "m", "commit": "abc"}


def entry(contender, seconds, group="g", shape="s"):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [seconds], "counters": {}, "errors": []}


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "bounds.json").write_text(json.dumps([BOUND]))

    def main(self, good, ingot_seconds, *more):
        series = [entry("ingot", ingot_seconds), entry("peer", 1.0)]
        command = ["run.py", "--quick", "--no-peers", "--cache", str(self.folder), "--out", str(self.folder / "out.json"), *more]
        with mock.patch.object(run, "measure", return_value=(good, series, [{"contender": "ingot"}])), \
                mock.patch.object(run.machine, "facts", return_value=FACTS), mock.patch("sys.argv", command), \
                contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return run.main()

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
        result = json.loads((self.folder / "out.json").read_text())
        self.assertEqual([found["contender"] for found in result["series"]], ["ingot", "peer"])
        self.assertEqual(result["integrity"], [{"contender": "ingot"}])
        self.assertIn("torch", result["absent"])
        self.assertIn("ingot", result["settings"])

    def test_a_part_alone_leaves_the_others_out(self):
        arguments = mock.Mock(part=["training"])
        with mock.patch.object(run.training_run, "run", return_value=(True, [entry("ingot", 1.0)])), \
                mock.patch.object(run.integrity_run, "run") as integrity, mock.patch.object(run, "programs") as programs:
            self.assertEqual(run.measure(arguments, None), (True, [entry("ingot", 1.0)], []))
        integrity.assert_not_called()
        programs.assert_not_called()


class TakingOver(unittest.TestCase):
    def test_only_what_was_not_measured_is_taken_over_and_said_to_be(self):
        result = {"series": [entry("ingot", 1.0)], "integrity": [], "absent": {}, "settings": {"ingot": "new"}}
        earlier = {"machine": {"commit": "old"}, "date": "then", "integrity": [{"contender": "ingot"}], "settings": {"ingot": "old"},
                   "series": [entry("peer", 5.0), entry("peer", 6.0, "other")]}
        run.take_over(result, earlier)
        self.assertEqual([(found["group"], found["contender"]) for found in result["series"]], [("g", "ingot"), ("other", "peer")])
        self.assertEqual(result["series"][1]["of"], "old, then")
        self.assertEqual((result["integrity"], result["settings"]), ([{"contender": "ingot"}], {"ingot": "new"}))
        self.assertIn("Of earlier runs, Ingot old, then: other", result["notes"][0])


class Collecting(unittest.TestCase):
    def test_repetitions_become_a_series_in_seconds_with_counters(self):
        raw = {"benchmarks": [
            {"run_type": "iteration", "run_name": "open/small-10/ingot/manual_time", "real_time": 5, "time_unit": "ms", "tensors": 10},
            {"run_type": "iteration", "run_name": "open/small-10/ingot/manual_time", "real_time": 7, "time_unit": "ms", "tensors": 10},
            {"run_type": "aggregate", "run_name": "open/small-10/ingot/manual_time", "real_time": 6, "time_unit": "ms"},
            {"run_type": "iteration", "run_name": "open/small-10/other", "real_time": 0, "time_unit": "ns", "error_occurred": True,
             "error_message": "no"}]}
        first, second = run.collect(raw)
        self.assertEqual((first["seconds"], first["counters"]), ([0.005, 0.007], {"tensors": [10, 10]}))
        self.assertEqual((second["seconds"], second["errors"]), ([], ["no"]))


if __name__ == "__main__":
    unittest.main()
