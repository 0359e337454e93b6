"""What bench/gpu.py has measured: its verdicts and its tables, from made-up results."""

import unittest

import here  # noqa: F401
import sample

import gpu_report
import verdicts
from result import Result


def found(gpu, path):
    """Of the first shape of a target."""
    return next(found for found in verdicts.verdicts(Result(gpu_report.series(gpu))) if found[0].path == path)[2]


def verdict(gpu, path):
    return verdicts.verdict_of(found(gpu, path))


def of_loads(*loads):
    """All of their runs take the same time."""
    return sample.gpu([load | dict.fromkeys(("fastest_seconds", "slowest_seconds"), load.get("seconds")) for load in loads])


class Verdicts(unittest.TestCase):
    def test_loads_against_the_ceiling_beside_them(self):
        for state, cold in (("warm", False), ("cold", True)):
            path = f"stream to GPU, {state}, verified"
            self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.0, cold=cold)), path), "met")
            self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 8.9, cold=cold)), path), "short")
            self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.0, cold=not cold)), path), "unknown")

    def test_only_the_defaults_are_judged(self):
        staged = sample.gpu_load("touched", 9.9) | {"asked": "direct"}
        in_place = sample.gpu_load("touched", 9.9) | {"in_place": True}
        on_device = sample.gpu_load("on-device", 9.9)
        self.assertEqual(verdict(of_loads(staged, in_place, on_device), "stream to GPU, warm, verified"), "unknown")

    def test_cost_of_verifying(self):
        path = "cost of verifying, GPU, warm"
        self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.8), sample.gpu_load("none", 10.0)), path), "met")
        self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.6), sample.gpu_load("none", 10.0)), path), "short")
        # The machine was slower meanwhile, as its ceiling shows.
        slower = of_loads(sample.gpu_load("touched", 4.9, 5.0), sample.gpu_load("none", 10.0, 10.0))
        self.assertEqual(verdict(slower, path), "met")

    def test_digests_against_the_memory(self):
        self.assertEqual(verdict(sample.gpu([], digest=(50.0, 100.0)), "digest kernel on the GPU"), "met")
        self.assertEqual(verdict(sample.gpu([], digest=(49.9, 100.0)), "digest kernel on the GPU"), "short")

    def test_a_load_whose_runs_lie_on_both_sides_is_undecided(self):
        path = "stream to GPU, warm, verified"
        outcome = found(sample.gpu([sample.gpu_load("touched", 9.5)]), path)  # from 0.9 to 1.2 times its time
        self.assertEqual((outcome.verdict, outcome.ratio, outcome.range), ("undecided", "95 %", "79 % – 106 %"))

    def test_nor_does_a_cost_follow_from_runs_that_overlap(self):
        loads = [sample.gpu_load(verify, rate) for verify, rate in (("touched", 9.9), ("none", 10.0))]
        self.assertEqual(found(sample.gpu(loads), "cost of verifying, GPU, warm").range, "-24 % – +35 %")

    def test_async_saves_but_for_the_first(self):
        self.assertEqual(verdict(sample.gpu([], stall=(1.2, 1.0)), "async save from a GPU"), "met")
        self.assertEqual(verdict(sample.gpu([], stall=(1.21, 1.0)), "async save from a GPU"), "short")

    def test_resident_set(self):
        path, limit = "resident set, streaming to a GPU", (256 + 64) << 20
        self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.0, added=limit)), path), "met")
        self.assertEqual(verdict(of_loads(sample.gpu_load("touched", 9.0, added=limit + 1)), path), "short")

    def test_what_failed_is_not_met(self):
        failed = {"shape": "m", "cold": False, "asked": "auto", "verify": "touched", "in_place": False, "ok": False,
                  "error": {"message": "no | GPU"}}
        gpu = of_loads(failed) | {"digests": {"exit": 1}, "stalls": {"host": {"exit": 1}}}
        for path in ("stream to GPU, warm, verified", "digest kernel on the GPU", "async save from a GPU"):
            self.assertEqual(verdict(gpu, path), "unknown")
        self.assertIn("cannot: no \\| GPU", gpu_report.section(gpu))


class Section(unittest.TestCase):
    def test_it_says_of_which_run_and_device(self):
        text = gpu_report.section(sample.gpu([sample.gpu_load("touched", 9.0)]))
        self.assertIn("Of a run of its own: Ingot fed, 2026-01-02, on Test GPU.", text)
        self.assertIn("| m | warm | auto (read) | touched | 9.00 | 100 ms – 133 ms | 10.00 (copy from pinned memory) | 90% "
                      "| 256.0 MiB | 0 B |", text)
        self.assertIn("| gpu-digest | chunks-1MiB | ingot | 1 ms | 60.0 |", text)
        self.assertIn("| 1.0 GiB to the host | ingot | 1.1 s |", text)

    def test_without_a_result_there_is_none(self):
        self.assertEqual((gpu_report.section(None), gpu_report.series(None)), ("", []))


if __name__ == "__main__":
    unittest.main()
