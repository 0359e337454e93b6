"""A filter is one on group/shape/contender, whatever Google Benchmark puts behind; a shape is measured in rounds, each a
process of its own; and what is made of its JSON."""

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
from journal import Journal
from progress import Progress

NAMES = ["load/decoder-8MiB/ingot/iterations:1/manual_time", "load/decoder-8MiB/ingot-staged/iterations:1/manual_time",
         "load/small-10/ingot/iterations:1/manual_time", "open/small-10/part:2*xxh3+memcpy/manual_time"]
RUN = {"run_type": "iteration", "run_name": NAMES[0], "real_time": 5, "time_unit": "ms"}
LARGE, SMALL, OPEN = NAMES[:2], NAMES[2:3], NAMES[3:]


class Filtering(unittest.TestCase):
    def test_a_pattern_meets_names_without_suffixes(self):
        self.assertEqual(google_benchmark.admitted(NAMES, "/ingot$"), [NAMES[0], NAMES[2]])
        self.assertEqual(google_benchmark.admitted(NAMES, "manual_time"), [])
        self.assertEqual(google_benchmark.admitted(NAMES, "^load/"), NAMES[:3])

    def test_the_filter_given_on_admits_these_alone(self):
        for names in (LARGE, SMALL, OPEN):
            exact = google_benchmark.exactly(names)
            others = [other for name in NAMES for other in (name, f"x{name}", f"{name}x")]
            self.assertEqual([other for other in others if re.search(exact, other)], names)


class Program:
    """A bench_load in place of every process: what it was started with, and how it answers."""

    def __init__(self, folder):
        self.folder, self.filters, self.repetitions = folder, [], []
        self.listing_code, self.code, self.written = 0, 0, self.all_that_is_admitted

    def start(self, command, **_):
        options = dict(word.split("=", 1) for word in command[1:] if "=" in word)
        if "--benchmark_list_tests" in options:
            return subprocess.CompletedProcess(command, self.listing_code, "\n".join(NAMES))
        self.filters.append(options["--benchmark_filter"])
        self.repetitions.append(int(options["--benchmark_repetitions"]))
        written = self.written()
        if written is not None:
            pathlib.Path(options["--benchmark_out"]).write_text(written)
        return subprocess.CompletedProcess(command, self.code, stderr="context\nno space")

    def runs(self):
        """Of one process, in another order than it lists them; each tells and takes, in ms, which process it was."""
        names = [name for name in NAMES if re.search(self.filters[-1], name)] * self.repetitions[-1]
        return [RUN | {"run_name": name, "real_time": len(self.filters), "process": len(self.filters)}
                for name in reversed(names)]

    def all_that_is_admitted(self):
        return json.dumps({"benchmarks": self.runs()})


class WithProgram(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = Program(self.folder)

    def run_all(self, pattern="", repetitions=3, *, quick=False, guard=None, resume=True):
        arguments = types.SimpleNamespace(build=self.folder, cache=self.folder, quick=quick, guard=guard, filter=pattern)
        journal = Journal(self.folder, "test", resume)
        said = io.StringIO()
        with mock.patch.object(subprocess, "run", self.program.start), contextlib.redirect_stderr(said), \
                mock.patch.object(google_benchmark, "Progress", lambda total: Progress(total, said)):
            good, series = google_benchmark.run(["load"], arguments, repetitions, journal)
        self.said = said.getvalue()
        return good, {(entry["group"], entry["shape"], entry["contender"]): entry for entry in series}

    def exactly(self, *shapes):
        return [google_benchmark.exactly(names) for names in shapes]


class Running(WithProgram):
    def test_each_round_of_a_shape_is_a_process_of_its_own(self):
        self.run_all()
        self.assertEqual(self.program.filters, self.exactly(*[LARGE] * 3, *[SMALL] * 3, *[OPEN] * 3))
        self.assertEqual(self.program.repetitions, [1] * 9)

    def test_each_round_is_a_line_and_the_table_of_the_program_is_none(self):
        self.run_all("decoder")
        self.assertEqual([line.split(",")[0] for line in self.said.splitlines()],
                         [f"[{number}/3] load decoder-8MiB 2 contenders" for number in (1, 2, 3)])

    def test_rounds_become_one_series_in_their_order(self):
        good, series = self.run_all()
        self.assertTrue(good)
        self.assertEqual([google_benchmark.split(name) for name in NAMES], list(series))
        for begin, names in ((1, LARGE), (4, SMALL), (7, OPEN)):
            for name in names:
                entry = series[google_benchmark.split(name)]
                processes = [begin, begin + 1, begin + 2]
                self.assertEqual([round(1000 * seconds) for seconds in entry["seconds"]], processes)
                self.assertEqual(entry["counters"], {"process": processes})

    def test_of_a_shape_what_a_filter_admits_is_measured(self):
        good, series = self.run_all("ingot$", 1)
        self.assertEqual((good, self.program.filters), (True, self.exactly(NAMES[:1], SMALL)))
        self.assertEqual([contender for _, _, contender in series], ["ingot", "ingot"])

    def test_a_program_of_which_nothing_is_admitted_is_not_run(self):
        self.assertEqual(self.run_all("^peers-"), (True, {}))
        self.assertEqual(self.program.filters, [])

    def test_where_no_number_counts_or_the_fastest_of_many_one_process_makes_all_repetitions(self):
        for more in ({"quick": True}, {"guard": "bounds.json"}):
            self.program.filters, self.program.repetitions = [], []
            _, series = self.run_all(repetitions=4, resume=False, **more)
            self.assertEqual((self.program.filters, self.program.repetitions), (self.exactly(LARGE, SMALL, OPEN), [4] * 3))
            self.assertEqual({len(entry["seconds"]) for entry in series.values()}, {4})

    def test_a_run_that_was_stopped_goes_on_with_the_rounds_that_are_missing(self):
        def stopped():
            if len(self.program.filters) == 5:
                raise KeyboardInterrupt
            return self.program.all_that_is_admitted()

        self.program.written = stopped
        with self.assertRaises(KeyboardInterrupt):
            self.run_all()
        self.program.written, self.program.filters[:] = self.program.all_that_is_admitted, ["before"] * 5
        good, series = self.run_all()
        self.assertEqual((good, self.program.filters[5:]), (True, self.exactly(*[SMALL] * 2, *[OPEN] * 3)))
        self.assertEqual(series[google_benchmark.split(SMALL[0])]["counters"], {"process": [4, 6, 7]})

    def test_more_repetitions_are_more_rounds_and_other_contenders_another_measurement(self):
        self.run_all(repetitions=2)
        for pattern, repetitions, more in (("", 3, [LARGE, SMALL, OPEN]), ("decoder.*/ingot$", 2, [NAMES[:1]] * 2),
                                           ("decoder", 3, [])):
            self.program.filters.clear()
            self.run_all(pattern, repetitions)
            self.assertEqual(self.program.filters, self.exactly(*more), pattern)
        self.program.filters.clear()
        self.run_all("decoder", quick=True)  # as many, in one process
        self.assertEqual(self.program.filters, self.exactly(LARGE))


class Failing(WithProgram):
    """Is told, is not kept, and ends the rounds of its shape alone."""

    def fails(self, said, measured=0):
        self.program.filters.clear()
        self.program.repetitions.clear()
        good, series = self.run_all("^load/")
        self.assertEqual((good, self.program.filters), (False, self.exactly(LARGE, SMALL)))
        self.assertEqual(sum(len(entry["seconds"]) for entry in series.values()), measured)
        self.assertIn(f"load decoder-8MiB: {said}\n", self.said)
        self.assertIn("[2/4] load small-10 failed", self.said)  # two rounds less of the other shape
        return series

    def test_one_that_ends_with_another_code_or_before_its_time(self):
        for self.program.code, written in ((1, None), (-6, '{"benchmarks": [')):
            self.program.written = lambda text=written: text
            self.fails(f"bench_load ended with {self.program.code}: no space")

    def test_one_that_says_all_is_well_but_has_not_measured_all(self):
        self.program.written = lambda: None
        self.fails("ingot: was not measured")
        self.program.written = lambda: json.dumps({"benchmarks": self.program.runs()[:1]})
        self.assertFalse(self.run_all("decoder")[0])
        self.assertIn("ingot: was not measured", self.said)

    def test_an_error_of_one_is_kept_with_its_series(self):
        self.program.code = 1
        self.program.written = lambda: json.dumps(
            {"benchmarks": [run | {"error_occurred": True, "error_message": "damaged"} for run in self.program.runs()]})
        series = self.fails("ingot-staged: damaged")
        self.assertEqual(series[google_benchmark.split(NAMES[1])]["errors"], ["damaged"])

    def test_what_failed_is_measured_next_time_and_what_went_well_is_not(self):
        def second_fails():
            return None if len(self.program.filters) == 2 else self.program.all_that_is_admitted()

        self.program.written = second_fails
        good, series = self.run_all("small-10/ingot")
        self.assertEqual((good, series[google_benchmark.split(SMALL[0])]["seconds"]), (False, [0.001]))
        good, series = self.run_all("small-10/ingot")
        self.assertEqual((good, series[google_benchmark.split(SMALL[0])]["seconds"]), (True, [0.001, 0.003, 0.004]))

    def test_a_program_that_cannot_say_what_it_has(self):
        self.program.listing_code = 1
        self.assertEqual(self.run_all(), (False, {}))


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
