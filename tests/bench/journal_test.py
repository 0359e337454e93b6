"""A run that was stopped goes on; other runs' journals are left alone. And how far it is."""

import io
import pathlib
import tempfile
import unittest

import here  # noqa: F401

from journal import Journal
from progress import Progress

RUN, OTHER = {"commit": "a"}, {"commit": "b"}


class Resuming(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        first = self.journal(start={"commit": 1})
        first.once(("group", 0), lambda: {"seconds": 1})
        first.once(("group", 1), lambda: {"seconds": 2})
        self.path = first.path

    def journal(self, identity=RUN, resume=False, start=None):
        return Journal(self.folder, identity, resume, start)

    def measured_again(self, journal, number):
        calls = []
        answer = journal.once(("group", number), lambda: calls.append(1) or {"seconds": 9})
        return bool(calls), answer["seconds"]

    def test_what_was_measured_is_not_measured_again(self):
        journal = self.journal(resume=True)
        self.assertEqual(self.measured_again(journal, 1), (False, 2))
        self.assertEqual(self.measured_again(journal, 2), (True, 9))
        self.assertEqual(self.measured_again(journal, 2), (False, 9))

    def test_it_says_beforehand_what_it_knows(self):
        journal = self.journal(resume=True)
        self.assertEqual((journal.knows(("group", 1)), journal.knows(("group", 2))), (True, False))

    def test_without_resume_all_is_measured_again(self):
        self.assertEqual(self.measured_again(self.journal(), 1), (True, 9))

    def test_another_run_is_neither_continued_nor_touched(self):
        for resume in (True, False):
            self.assertEqual(self.measured_again(self.journal(OTHER, resume), 1), (True, 9))
        self.assertEqual(self.measured_again(self.journal(resume=True), 1), (False, 2))

    def test_a_line_that_was_cut_off_is_measured_again_and_spoils_no_other(self):
        self.path.write_text(self.path.read_text()[:-5])
        self.assertEqual(self.measured_again(self.journal(resume=True), 1), (True, 9))
        again = self.journal(resume=True)
        self.assertEqual((self.measured_again(again, 0), self.measured_again(again, 1)), ((False, 1), (False, 9)))

    def test_a_first_line_that_was_cut_off_is_no_run(self):
        self.path.write_text(self.path.read_text()[:5])
        self.assertEqual(self.measured_again(self.journal(resume=True), 0), (True, 9))

    def test_it_remembers_how_each_start_came_about(self):
        self.assertEqual(self.journal(resume=True, start={"commit": 2}).starts, [{"commit": 1}, {"commit": 2}])
        self.assertEqual(self.journal(resume=True, start={"commit": 3}).starts[2], {"commit": 3})
        self.assertEqual(self.journal(start={"commit": 4}).starts, [{"commit": 4}])

    def test_a_failure_is_told_and_not_remembered(self):
        for failure in ({"error": "no room"}, {"runs": {"a": {"seconds": 1}, "b": {"error": "late"}}}, [False, []]):
            journal = self.journal(resume=True)
            self.assertEqual(journal.once(("fails",), lambda f=failure: f), failure)
            self.assertFalse(self.journal(resume=True).knows(("fails",)), failure)

    def test_a_success_of_any_form_is_remembered(self):
        successes = ({"runs": {"a": {"seconds": 1}}}, {"runs": [{"stall": 1}]}, [True, []], {"contender": "x", "regions": {}})
        for number, success in enumerate(successes):
            self.journal(resume=True).once(("works", number), lambda s=success: s)
            self.assertTrue(self.journal(resume=True).knows(("works", number)), success)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Telling(unittest.TestCase):
    def progress(self, total, *times, out=None):
        clock = iter([0.0, *times])
        return Progress(total, out or io.StringIO(), lambda: next(clock))

    def test_a_line_says_how_far_and_how_long(self):
        progress = self.progress(2, 100.0)
        progress.step("peers-load torch", "0.5 s")
        progress.step("peers-load ingot", "0.1 s")
        self.assertEqual(progress.out.getvalue(), "[1/2] peers-load torch 0.5 s, about 2 min left\n[2/2] peers-load ingot 0.1 s\n")

    def test_what_a_journal_answered_says_nothing_about_the_rest(self):
        progress = self.progress(5, 10.0)
        progress.step("a", measured=False)
        progress.step("b", measured=False)
        progress.step("c")
        lines = progress.out.getvalue().splitlines()
        self.assertEqual((lines[0], lines[2]), ("[1/5] a", "[3/5] c, about 20 s left"))

    def test_steps_that_will_not_come_are_not_waited_for(self):
        progress = self.progress(4, 10.0)
        progress.fewer(2)
        progress.step("a")
        progress.step("b")
        self.assertEqual(progress.out.getvalue(), "[1/2] a, about 10 s left\n[2/2] b\n")

    def test_on_a_terminal_the_last_line_ends_however_the_end_comes(self):
        finished = self.progress(1, out=Terminal())
        finished.step("a")
        cut_short = self.progress(3, 10.0, out=Terminal())
        cut_short.step("a")
        self.assertFalse(cut_short.out.getvalue().endswith("\n"))
        cut_short.fewer(2)
        for progress in (finished, cut_short):
            self.assertEqual(progress.out.getvalue().count("\n"), 1)
            self.assertTrue(progress.out.getvalue().endswith("\n"))


if __name__ == "__main__":
    unittest.main()
