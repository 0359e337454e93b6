"""What a run that was stopped may go on with: whole rounds of the same contenders, and of failures only results."""

import pathlib
import tempfile
import types
import unittest

import here  # noqa: F401

from journal import Journal
from rounds import Rounds


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.measured, self.told, self.prepared, self.fails = [], [], [], {}

    def measure(self, name, number):
        """{(name, number): answer} of what fails; the rest is what came how often until now."""
        self.measured.append((name, number))
        answer = self.fails.get((name, number), {"seconds": float(len(self.measured))})
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def start(self, names="ab", resume=True, repetitions=3):
        """name -> series of a run, which goes on with those before it."""
        self.measured.clear()
        progress = types.SimpleNamespace(step=lambda what, outcome, measured: self.told.append((what, measured)),
                                         fewer=lambda count: None)
        rounds = Rounds(repetitions, Journal(self.folder, {}, resume), progress)
        result = rounds.run("g", "s", list(names), self.measure, self.prepared.append)
        return {entry["contender"]: entry for entry in result}

    def rounds_measured(self):
        return sorted({number for _, number in self.measured})


class GoingOn(Case):
    def test_what_was_measured_is_told_and_not_measured_again(self):
        before = self.start()
        self.told.clear()
        self.assertEqual((self.start(), self.measured), (before, []))
        self.assertEqual(sorted(self.told), [("g s a", False)] * 3 + [("g s b", False)] * 3)

    def test_more_repetitions_go_on_where_fewer_ended(self):
        self.start(repetitions=2)
        self.start(repetitions=3)
        self.assertEqual(self.rounds_measured(), [2])

    def test_a_round_that_was_not_completed_is_measured_again_as_a_whole(self):
        for last in "ab":
            self.fails = {(last, 1): KeyboardInterrupt()}
            with self.assertRaises(KeyboardInterrupt):
                self.start(resume=False)
            self.fails = {}
            self.start()
            self.assertEqual((self.rounds_measured(), len(self.measured)), ([1, 2], 4))

    def test_other_contenders_are_another_round(self):
        alone = self.start("a")["a"]["seconds"]
        self.start("ab")
        self.assertEqual(self.rounds_measured(), [0, 1, 2])
        self.assertEqual(self.start("a")["a"]["seconds"], alone)

    def test_who_remains_alone_is_not_taken_for_who_was_alone(self):
        self.fails = {("b", 0): {"error": "cannot"}}
        self.start("ab")
        self.start("a")
        self.assertEqual(self.rounds_measured(), [0, 1, 2])

    def test_a_round_is_prepared_where_it_is_measured(self):
        self.start(repetitions=1)
        self.start(repetitions=2)
        self.assertEqual([sorted(names) for names in self.prepared], [["a", "b"]] * 2)


class Failures(Case):
    def resumed(self, answer, name="b", number=1):
        """Which rounds a run measures that goes on after one with this failure, and its series."""
        self.fails = {(name, number): answer}
        self.failed = self.start(("a", "b", "ingot", "ceiling:x"), resume=False)
        self.fails = {}
        series = self.start(("a", "b", "ingot", "ceiling:x"))
        return self.rounds_measured(), series

    def test_what_a_peer_cannot_is_a_result_and_leaves_it_out(self):
        measured, series = self.resumed({"error": "has no bool"})
        self.assertEqual((measured, series), ([], self.failed))
        self.assertEqual((len(series["b"]["seconds"]), len(series["a"]["seconds"])), (1, 3))

    def test_a_peer_that_never_did_it_in_time_is_a_result(self):
        self.assertEqual(self.resumed({"error": "stopped", "stopped": True}, number=0)[0], [])

    def test_one_that_was_stopped_though_it_could_before_is_measured_again_and_all_after_it(self):
        measured, series = self.resumed({"error": "stopped", "stopped": True})
        self.assertEqual(measured, [1, 2])
        self.assertEqual([len(entry["seconds"]) for entry in series.values()], [3] * 4)

    def test_want_of_room_is_never_a_result(self):
        self.assertEqual(self.resumed({"error": "full", "transient": True}, number=0)[0], [0, 1, 2])

    def test_a_failure_of_ingot_or_of_what_it_is_held_against_is_never_one(self):
        for name in ("ingot", "ceiling:x"):
            for answer in ({"error": "no"}, {"runs": {"deep": {"seconds": 1.0}, "flat": {"error": "no"}}}):
                self.assertEqual(self.resumed(answer, name)[0], [1, 2], (name, answer))

    def test_a_series_of_variants_is_gone_on_with(self):
        measured, series = self.resumed({"runs": {"deep": {"seconds": 1.0}, "flat": {"seconds": 2.0}}}, "ceiling:x")
        self.assertEqual((measured, series["ceiling:x-flat"]["seconds"]), ([], [2.0]))

    def test_rounds_after_one_that_was_measured_again_are_gone_on_with(self):
        self.resumed({"error": "full", "transient": True})
        self.start(("a", "b", "ingot", "ceiling:x"))
        self.assertEqual(self.measured, [])


if __name__ == "__main__":
    unittest.main()
