"""A run goes on only with the programs and scripts that began it."""

import pathlib
import tempfile
import types
import unittest

import here  # noqa: F401

import identity

FACTS = {"name": "m", "processors": 2, "memory_bytes": 1, "kernel": "6", "huge_pages": "never", "file_system": "ext4"}


class WhatIsMeasured(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("bin", "compare", "training"):
            (self.folder / name).mkdir()
        for name in ("bin/ingot", "bin/bench_load", "bin/other", "compare/torch_peer.py", "report.py", "series.py"):
            (self.folder / name).write_text("1")
        (self.folder / "run.py").write_text("import report\nimport compare_run\n")
        (self.folder / "compare_run.py").write_text("import os\nfrom series import add\n")

    def digest(self):
        return identity.digest(identity.measuring_files(self.folder, self.folder))

    def test_programs_peers_and_all_that_a_part_imports_count(self):
        before = self.digest()
        for name in ("bin/ingot", "bin/bench_load", "compare/torch_peer.py", "run.py", "compare_run.py", "series.py"):
            text = (self.folder / name).read_text()
            (self.folder / name).write_text(text + "#")
            self.assertNotEqual(self.digest(), before, name)
            (self.folder / name).write_text(text)
        self.assertEqual(self.digest(), before)

    def test_what_shows_results_and_other_programs_do_not(self):
        before = self.digest()
        for name in ("report.py", "bin/other"):
            (self.folder / name).write_text("2")
        self.assertEqual(self.digest(), before)

    def test_the_parts_that_run_starts_are_there(self):
        for name in identity.PARTS:
            self.assertTrue((identity.HERE / f"{name}.py").exists(), name)
        files = identity.measuring_files(self.folder)
        self.assertLessEqual({"bench/series.py", "bench/inputs.py", "training/torch_training.py"}, files.keys())
        self.assertTrue({"bench/report.py", "bench/guard.py"}.isdisjoint(files))


class Run(unittest.TestCase):
    def of(self, **changed):
        arguments = {"build": pathlib.Path("none"), "quick": False, "mib": 1024, "device": "cuda:0",
                     "weights": pathlib.Path(__file__), "peers": None}
        return identity.of_run(types.SimpleNamespace(**arguments | changed), FACTS)

    def test_whatever_changes_a_measurement_makes_another_run(self):
        for changed in ({"quick": True}, {"mib": 1}, {"device": "cuda:1"}, {"weights": None}):
            self.assertNotEqual(self.of(), self.of(**changed), changed)
        self.assertEqual(self.of(), self.of())


if __name__ == "__main__":
    unittest.main()
