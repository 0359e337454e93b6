"""The report says where a peer wins, who was absent, and how each was called."""

import copy
import pathlib
import tempfile
import unittest
from unittest import mock
import xml.etree.ElementTree

import here  # noqa: F401

import report
import scaling_plot
import targets


def entry(contender, seconds, group="peers-load", **counters):
    return {"group": group, "shape": "decoder-32", "contender": contender, "seconds": [seconds] * 3,
            "counters": {name: [value] * 3 for name, value in counters.items()}, "errors": []}


VERSIONS = dict.fromkeys(("compiler", "build_type", "flags", "flatbuffers", "xxhash", "liburing", "libc", "python"), "1")
DATA = {
    "schema": 2, "date": "2026-01-01", "command": "bench/run.py", "quick": False, "repetitions": 3, "load_at_end": [0, 0, 0],
    "machine": {"name": "m", "cpu": "c", "processors": 2, "memory_bytes": 1 << 30, "kernel": "6", "virtual": True,
                "huge_pages": "madvise", "file_system": "ext4", "commit": "abc", "modified": False,
                "load_at_start": [0, 0, 0], "versions": VERSIONS},
    "peers": {"torch": "2.13.0", "ztensor": "2.1.2"},
    "absent": {"instanttensor": "needs a GPU"},
    "settings": {"torch": "torch.load(mmap=True)"},
    "integrity": [{"contender": "torch", "regions": {"header": {"flips": 4, "wrong": 4, "why": {"wrong": {"bytes": 4}}}}}],
    "series": [entry("ingot", 2.0, bytes_per_second=5e8, peak_rss_bytes=1 << 20), entry("torch", 1.0, bytes_per_second=1e9),
               entry("ceiling:copy", 0.5, bytes_per_second=2e9),
               {"group": "peers-load", "shape": "decoder-32", "contender": "gguf", "seconds": [], "counters": {},
                "errors": ["has no bool"]}],
}


class Report(unittest.TestCase):
    def text(self, **changes):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "performance.md")
            report.write(copy.deepcopy(DATA) | changes, path)
            plot = path.parent / "performance" / "peers-load.svg"
            self.plot = plot.read_text() if plot.exists() else ""
            return path.read_text()

    def test_where_a_peer_wins_it_says_so(self):
        self.assertIn("decoder-32: `torch` is 2.00x as fast as `ingot`.", self.text())

    def test_it_says_so_even_where_an_unverified_way_of_ingot_is_faster(self):
        series = [entry("ingot", 2.0), entry("torch", 1.0), entry("ingot-mapped", 0.5)]
        self.assertIn("`torch` is 2.00x as fast as `ingot`; `ingot-mapped` is 2.00x as fast as it.", self.text(series=series))

    def test_the_cost_of_proving_is_judged_against_a_load_without(self):
        series = [entry("ingot", 1.02, "load-warm", bytes_per_second=100.0, rss_added=0, staging=0),
                  entry("ingot-unverified", 1.0, "load-warm", bytes_per_second=102.0)]
        self.assertIn("| cost of proving, warm | decoder-32 | 0.00 GB/s | 0.00 GB/s (ingot-unverified) | +2% | <= 3 % of the time | met |",
                      self.text(series=series))
        series[0]["counters"]["bytes_per_second"] = [95.0] * 3
        self.assertIn("cost of proving, warm, decoder-32: +7%, target <= 3 % of the time.", self.text(series=series))

    def test_a_resident_set_that_grows_with_the_file_is_told(self):
        staged = entry("ingot-staged", 1.0, "load-warm", rss_added=100 << 20, staging=48 << 20)
        self.assertIn("| 100 MiB (ingot-staged) | 48 MiB of staging memory |  | <= staging + 64 MiB | met |", self.text(series=[staged]))
        staged["counters"]["rss_added"] = [2 << 30] * 3
        self.assertIn("loading as to a device, decoder-32: 2048 MiB (ingot-staged), target <= staging + 64 MiB.",
                      self.text(series=[staged]))

    def test_why_a_target_falls_short_is_said_where_it_is_known(self):
        series = [entry("ingot", 1.0, "load-warm", bytes_per_second=1.0), entry("ceiling:memcpy", 1.0, "load-warm", bytes_per_second=4.0)]
        with mock.patch.dict(targets.WHY, {"load to host, warm, verified": {"^decoder": "Moons."}}):
            self.assertIn("decoder-32: 25%, target >= 85 % of the ceiling. Moons.", self.text(series=series))

    def test_without_a_gpu_nothing_is_claimed_of_one(self):
        self.assertIn("This machine has no GPU", self.text())
        self.assertNotIn("This machine has no GPU", self.text(series=[entry("ingot", 1.0, "peers-gpu")]))

    def test_what_was_measured_at_two_sizes_is_a_line(self):
        series = [{**entry(name, factor * size, "peers-open", tensors=size), "shape": f"small-{size}"}
                  for name, factor in (("ingot", 1e-6), ("torch", 1e-3)) for size in (10, 1000)]
        series.append(entry("gguf", 1.0, "peers-open", tensors=5))  # at one size only
        self.assertIn("performance/open-tensors.svg", self.text(series=series))
        self.assertEqual([len(line) for line in scaling_plot.charts(report.Result({"series": series}))[0][3].values()], [2, 2])
        root = xml.etree.ElementTree.fromstring(scaling_plot.svg("t", "tensors", {"a": [(1, 1.0), (100, 10.0)]}))
        line = next(element for element in root.iter() if element.tag.endswith("polyline"))
        (left, low), (right, high) = (map(float, point.split(",")) for point in line.get("points").split())
        self.assertTrue(left < right and low > high)  # the picture's y goes down

    def test_where_none_wins_it_says_nowhere(self):
        series = [entry("ingot", 1.0), entry("torch", 2.0)]
        self.assertIn("Nowhere in this run.", self.text(series=series))

    def test_absence_versions_settings_and_failures_are_told(self):
        text = self.text()
        for part in ("* Not here: instanttensor: needs a GPU.", "ztensor 2.1.2", "| `torch` | torch.load(mmap=True) |",
                     "| gguf | cannot: has no bool |", "**all silent**"):
            self.assertIn(part, text)

    def test_a_result_of_before_is_still_read(self):
        old = {name: value for name, value in DATA.items() if name not in ("absent", "settings", "integrity")}
        with tempfile.TemporaryDirectory() as folder:
            report.write(copy.deepcopy(old), pathlib.Path(folder, "performance.md"))

    def test_the_plot_has_a_bar_each_the_ceiling_as_a_line_and_memory_beside(self):
        self.text()
        root = xml.etree.ElementTree.fromstring(self.plot)
        tags = [element.tag.rpartition("}")[2] for element in root.iter()]
        self.assertEqual((tags.count("rect"), tags.count("line")), (4, 1))  # the ground, and three bars
        self.assertIn("1.0 MiB", self.plot)


if __name__ == "__main__":
    unittest.main()
