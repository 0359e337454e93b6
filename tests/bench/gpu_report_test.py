"""What bench/gpu.py has measured: its verdicts and its tables, from made-up results."""

import unittest

import here  # noqa: F401
import sample

import gpu_report
import verdicts
from result import Result


def outcome(gpu, path):
    """met, or not, or None: of the first shape of a target."""
    found = next(verdict for verdict in verdicts.verdicts(Result(gpu_report.series(gpu))) if verdict[0].path == path)
    return found[2] and found[2].met


def of_loads(*loads):
    return sample.gpu(list(loads))


class Verdicts(unittest.TestCase):
    def test_loads_against_the_ceiling_beside_them(self):
        for state, cold in (("warm", False), ("cold", True)):
            path = f"stream to GPU, {state}, verified"
            self.assertTrue(outcome(of_loads(sample.gpu_load("touched", 9.0, cold=cold)), path))
            self.assertFalse(outcome(of_loads(sample.gpu_load("touched", 8.9, cold=cold)), path))
            self.assertIsNone(outcome(of_loads(sample.gpu_load("touched", 9.0, cold=not cold)), path))

    def test_only_the_defaults_are_judged(self):
        staged = sample.gpu_load("touched", 9.9) | {"asked": "direct"}
        in_place = sample.gpu_load("touched", 9.9) | {"in_place": True}
        on_device = sample.gpu_load("on-device", 9.9)
        self.assertIsNone(outcome(of_loads(staged, in_place, on_device), "stream to GPU, warm, verified"))

    def test_cost_of_verifying(self):
        path = "cost of verifying, GPU, warm"
        self.assertTrue(outcome(of_loads(sample.gpu_load("touched", 9.8), sample.gpu_load("none", 10.0)), path))
        self.assertFalse(outcome(of_loads(sample.gpu_load("touched", 9.6), sample.gpu_load("none", 10.0)), path))
        # The machine was slower meanwhile, as its ceiling shows.
        self.assertTrue(outcome(of_loads(sample.gpu_load("touched", 4.9, 5.0), sample.gpu_load("none", 10.0, 10.0)), path))

    def test_digests_against_the_memory(self):
        self.assertTrue(outcome(sample.gpu([], digest=(50.0, 100.0)), "digest kernel on the GPU"))
        self.assertFalse(outcome(sample.gpu([], digest=(49.9, 100.0)), "digest kernel on the GPU"))

    def test_async_saves_but_for_the_first(self):
        self.assertTrue(outcome(sample.gpu([], stall=(1.2, 1.0)), "async save from a GPU"))
        self.assertFalse(outcome(sample.gpu([], stall=(1.21, 1.0)), "async save from a GPU"))

    def test_resident_set(self):
        path, limit = "resident set, streaming to a GPU", (256 + 64) << 20
        self.assertTrue(outcome(of_loads(sample.gpu_load("touched", 9.0, added=limit)), path))
        self.assertFalse(outcome(of_loads(sample.gpu_load("touched", 9.0, added=limit + 1)), path))

    def test_what_failed_is_not_met(self):
        failed = {"shape": "m", "cold": False, "asked": "auto", "verify": "touched", "in_place": False, "ok": False,
                  "error": {"message": "no | GPU"}}
        gpu = of_loads(failed) | {"digests": {"exit": 1}, "stalls": {"host": {"exit": 1}}}
        for path in ("stream to GPU, warm, verified", "digest kernel on the GPU", "async save from a GPU"):
            self.assertIsNone(outcome(gpu, path))
        self.assertIn("cannot: no \\| GPU", gpu_report.section(gpu))


class Section(unittest.TestCase):
    def test_it_says_of_which_run_and_device(self):
        text = gpu_report.section(of_loads(sample.gpu_load("touched", 9.0)))
        self.assertIn("Of a run of its own: Ingot fed, 2026-01-02, on Test GPU.", text)
        self.assertIn("| m | warm | auto (read) | touched | 9.00 | 100 ms – 133 ms | 10.00 (copy from pinned memory) | 90% "
                      "| 256.0 MiB | 0 B |", text)
        self.assertIn("| gpu-digest | chunks-1MiB | ingot | 1 ms | 60.0 |", text)
        self.assertIn("| 1.0 GiB to the host | ingot | 1.1 s |", text)

    def test_without_a_result_there_is_none(self):
        self.assertEqual((gpu_report.section(None), gpu_report.series(None)), ("", []))


if __name__ == "__main__":
    unittest.main()
