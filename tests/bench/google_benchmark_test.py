"""A filter is one on group/shape/contender, whatever Google Benchmark puts behind; and what is made of its JSON."""

import contextlib
import io
import json
import pathlib
import re
import subprocess
import tempfile
import types
import unittest
from unittest import mock

import here  # noqa: F401

import google_benchmark

NAMES = ["load/decoder-8MiB/ingot/iterations:1/manual_time", "load/decoder-8MiB/ingot-staged/iterations:1/manual_time",
         "open/small-10/part:2*xxh3+memcpy/manual_time"]
RUN = {"run_type": "iteration", "run_name": NAMES[0], "real_time": 5, "time_unit": "ms"}


class Filtering(unittest.TestCase):
    def test_a_pattern_meets_names_without_suffixes(self):
        self.assertEqual(google_benchmark.admitted(NAMES, "/ingot$"), NAMES[:1])
        self.assertEqual(google_benchmark.admitted(NAMES, "manual_time"), [])
        self.assertEqual(google_benchmark.admitted(NAMES, "^load/"), NAMES[:2])

    def test_the_filter_given_on_admits_these_alone(self):
        for name in NAMES:
            exact = google_benchmark.exactly([name])
            others = [*NAMES, f"x{name}", f"{name}x"]
            self.assertEqual([other for other in others if re.search(exact, other)], [name])


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.commands, self.listing_code, self.code, self.text = [], 0, 0, json.dumps({"benchmarks": [RUN]})

    def start(self, command, **_):
        self.commands.append(command)
        if "--benchmark_list_tests=true" in command:
            return subprocess.CompletedProcess(command, self.listing_code, "\n".join(NAMES))
        if self.text is not None:
            (self.folder / "load.json").write_text(self.text)
        return subprocess.CompletedProcess(command, self.code)

    def measure(self, pattern):
        arguments = types.SimpleNamespace(build=self.folder, cache=self.folder, quick=True, filter=pattern)
        with mock.patch.object(subprocess, "run", self.start), contextlib.redirect_stdout(io.StringIO()):
            return google_benchmark.measure("load", arguments, 7)

    def filters(self):
        return [word for word in self.commands[-1] if word.startswith("--benchmark_filter=")]

    def test_without_a_filter_all_is_run_and_nothing_is_listed(self):
        good, series = self.measure("")
        self.assertEqual((good, len(series), len(self.commands), self.filters()), (True, 1, 1, []))

    def test_with_one_what_it_admits_is_run(self):
        self.measure("/ingot$")
        self.assertEqual(self.filters(), [f"--benchmark_filter={google_benchmark.exactly(NAMES[:1])}"])

    def test_a_program_of_which_nothing_is_admitted_is_not_run(self):
        self.assertEqual(self.measure("^peers-"), (True, []))
        self.assertEqual(len(self.commands), 1)

    def test_one_that_cannot_list_or_ends_before_its_time_has_failed(self):
        for self.listing_code, self.code, self.text in ((1, 0, None), (0, 1, None), (0, -6, '{"benchmarks": [')):
            self.assertEqual(self.measure("^load/"), (False, []))


class Collecting(unittest.TestCase):
    def test_repetitions_become_a_series_in_seconds_with_counters(self):
        raw = {"benchmarks": [
            RUN | {"tensors": 10}, RUN | {"real_time": 7, "tensors": 10}, RUN | {"run_type": "aggregate", "real_time": 6},
            RUN | {"run_name": "open/small-10/other", "error_occurred": True, "error_message": "no"}]}
        first, second = google_benchmark.collect(raw)
        self.assertEqual((first["seconds"], first["counters"]), ([0.005, 0.007], {"tensors": [10, 10]}))
        self.assertEqual((second["seconds"], second["errors"]), ([], ["no"]))


if __name__ == "__main__":
    unittest.main()
