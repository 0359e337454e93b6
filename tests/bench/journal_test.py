"""A run that was stopped goes on; another run's journal is not taken. And how far it is."""

import io
import pathlib
import tempfile
import unittest

import here  # noqa: F401

from journal import Journal
from progress import Progress


class Resuming(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "journal")
        first = Journal(self.path, {"commit": "a"}, resume=False)
        first.once(("group", 0), lambda: {"seconds": 1})
        first.once(("group", 1), lambda: {"seconds": 2})

    def measured_again(self, journal, number):
        calls = []
        answer = journal.once(("group", number), lambda: calls.append(1) or {"seconds": 9})
        return bool(calls), answer["seconds"]

    def test_what_was_measured_is_not_measured_again(self):
        journal = Journal(self.path, {"commit": "a"}, resume=True)
        self.assertEqual(self.measured_again(journal, 1), (False, 2))
        self.assertEqual(self.measured_again(journal, 2), (True, 9))
        self.assertEqual(self.measured_again(journal, 2), (False, 9))

    def test_without_resume_all_is_measured_again(self):
        self.assertEqual(self.measured_again(Journal(self.path, {"commit": "a"}, resume=False), 1), (True, 9))

    def test_another_run_is_not_continued(self):
        self.assertEqual(self.measured_again(Journal(self.path, {"commit": "b"}, resume=True), 1), (True, 9))

    def test_a_line_that_was_cut_off_is_measured_again_and_spoils_no_other(self):
        self.path.write_text(self.path.read_text()[:-5])
        journal = Journal(self.path, {"commit": "a"}, resume=True)
        self.assertEqual(self.measured_again(journal, 1), (True, 9))
        again = Journal(self.path, {"commit": "a"}, resume=True)
        self.assertEqual((self.measured_again(again, 0), self.measured_again(again, 1)), ((False, 1), (False, 9)))


class Telling(unittest.TestCase):
    def test_a_line_says_how_far_and_how_long(self):
        out, times = io.StringIO(), iter([0.0, 100.0, 150.0])
        progress = Progress(2, out, lambda: next(times))
        progress.step("peers-load torch", "0.5 s")
        progress.step("peers-load ingot", "0.1 s")
        self.assertEqual(out.getvalue(), "[1/2] peers-load torch 0.5 s, about 2 min left\n[2/2] peers-load ingot 0.1 s\n")


if __name__ == "__main__":
    unittest.main()
