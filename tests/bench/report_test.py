"""The report says where a peer wins, who was absent, how each was called, and of which run what is."""

import copy
import json
import pathlib
import tempfile
import unittest
from unittest import mock
import xml.etree.ElementTree

import here  # noqa: F401
import sample
from sample import entry, failed

import report

DATA = sample.data([
    entry("ingot", 2.0, bytes_per_second=5e8, peak_rss_bytes=1 << 20), entry("torch", 1.0, bytes_per_second=1e9),
    entry("ceiling:copy", 0.5, bytes_per_second=2e9), failed("gguf", "has no bool")]) | {
    "peers": {"torch": "2.13.0", "ztensor": "2.1.2"},
    "absent": {"instanttensor": "needs a GPU"},
    "settings": {"torch": "torch.load(mmap=True)"},
    "integrity": [{"contender": "torch", "regions": {"header": {"flips": 4, "wrong": 4, "why": {"wrong": {"bytes": 4}}}}}],
}


class Case(unittest.TestCase):
    def text(self, **changes):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "performance.md")
            report.write(copy.deepcopy(DATA) | changes, path)
            self.plots = {plot.stem: plot.read_text() for plot in (path.parent / "performance").glob("*.svg")}
            return path.read_text()


class Report(Case):
    def test_where_a_peer_wins_it_says_so(self):
        self.assertIn("decoder-32: `torch` is 2.00x as fast as `ingot`.", self.text())

    def test_its_row_says_so_too_in_every_kind_of_table(self):
        for group, peer in (("peers-load", "torch"), ("training-resume", "torch-cpp"), ("save", "write+fsync"),
                            ("lookup", "std::unordered_map")):
            of_all = ("ingot", 2.0), (peer, 1.0), ("slower", 3.0), ("part:a", 0.1), ("ceiling:a", 0.5)
            series = [entry(name, seconds, group, names=10, p50_ns=1.0, allocations=0) for name, seconds in of_all]
            text = self.text(series=series)
            self.assertIn(f"| {peer}; **faster than `ingot`, 2.00x** |", text)
            self.assertEqual(text.count("**faster than"), 1, group)

    def test_a_peer_that_failed_after_some_good_repetitions_shows_its_error(self):
        series = [entry("ingot", 1.0), entry("torch", 2.0) | {"errors": ["no | space"]}]
        self.assertIn("| torch; **failed** after 3: no \\| space | 2 s |", self.text(series=series))

    def test_how_a_verdict_comes_about_is_said_once_above_the_table(self):
        text = self.text()
        self.assertEqual(text.count("**undecided**"), 1)
        self.assertLess(text.index("**undecided**"), text.index("| path | shape | Ingot |"))
        self.assertIn("Of 27 rows: 0 met, 0 short, 0 undecided, 27 unknown.", text)

    def test_what_a_full_run_would_have_measured_is_told_but_not_of_a_quick_one(self):
        self.assertIn("Not measured in this result, though a full run has them: `peers-open`", self.text())
        self.assertNotIn("Not measured in this result", self.text(quick=True))

    def test_it_says_so_even_where_an_unverified_way_of_ingot_is_faster(self):
        series = [entry("ingot", 2.0), entry("torch", 1.0), entry("ingot-mapped", 0.5)]
        self.assertIn("`torch` is 2.00x as fast as `ingot`; `ingot-mapped` is 2.00x as fast as it.", self.text(series=series))

    def test_the_cost_of_proving_is_judged_against_a_load_without(self):
        series = [entry("ingot", 1.02, "load-warm", bytes_per_second=100.0, rss_added=0, staging=0),
                  entry("ingot-unverified", 1.0, "load-warm", bytes_per_second=102.0)]
        self.assertIn("| cost of proving, warm | decoder-32 | 0.00 GB/s (ingot) | 0.00 GB/s (ingot-unverified) | +2 % | "
                      "+2 % – +2 % | <= 3 % of the time (stand-in) | met |", self.text(series=series))
        series[0]["counters"]["bytes_per_second"] = [95.0] * 3
        self.assertIn("cost of proving, warm, decoder-32: +7 %, target <= 3 % of the time (stand-in).", self.text(series=series))

    def test_a_resident_set_that_grows_with_the_file_is_told(self):
        staged = entry("ingot-staged", 1.0, "load-warm", rss_added=100 << 20, staging=48 << 20)
        self.assertIn("| 100 MiB (ingot-staged) | 48 MiB of staging memory |  |  | <= staging + 64 MiB (stand-in) | met |",
                      self.text(series=[staged]))
        staged["counters"]["rss_added"] = [2 << 30] * 3
        self.assertIn("loading as to a device, decoder-32: 2048 MiB (ingot-staged), target <= staging + 64 MiB (stand-in).",
                      self.text(series=[staged]))

    def test_which_call_is_judged_is_told(self):
        text = self.text()
        self.assertIn("| verify, cold | `ingot` | `verify-cold` | verify() by ReadPath::kFastest while a BusGuard lives: "
                      "what `ingot verify` does |", text)
        self.assertIn("| verify, cold, by default | `ingot-read` | `verify-cold` | verify(), its defaults, no BusGuard: "
                      "read(2) |", text)

    def test_without_a_gpu_nothing_is_claimed_of_one(self):
        self.assertIn("This machine has no GPU", self.text())
        self.assertNotIn("This machine has no GPU", self.text(series=[entry("ingot", 1.0, "peers-gpu")]))

    def test_with_a_result_of_a_gpu_its_verdicts_are_there(self):
        text = self.text(gpu=sample.gpu([sample.gpu_load("touched", 9.5)]))
        self.assertIn("| stream to GPU, warm, verified | m (1) | 9.50 GB/s (ingot) | 10.00 GB/s (ceiling:copy from pinned memory) "
                      "| 95 % | 79 % – 106 % |", text)
        self.assertIn("* (1) of an earlier run: Ingot fed, 2026-01-02, on Test GPU", text)
        self.assertIn("## On a GPU", text)
        self.assertNotIn("This machine has no GPU", text)

    def test_what_was_measured_at_two_sizes_is_a_line(self):
        series = [entry(name, factor * size, "peers-open", f"small-{size}")
                  for name, factor in (("ingot", 1e-6), ("torch", 1e-3)) for size in (10, 1000)]
        series.append(entry("gguf", 1.0, "peers-open", "small-5"))  # at one size only
        self.assertIn("performance/open-tensors.svg", self.text(series=series))
        self.assertEqual(self.plots["open-tensors"].count("<polyline"), 2)

    def test_what_is_of_an_earlier_run_says_so_below_its_table_and_its_picture(self):
        series = [entry("ingot", size * 1e-6, "peers-open", f"small-{size}", "old, 2025") for size in (10, 1000)]
        text = self.text(series=[*series, entry("ingot", 1.0)])
        self.assertIn("|\n\nOf an earlier run: Ingot old, 2025.\n", text)
        self.assertIn("Of earlier runs: small-10 (Ingot old, 2025); small-1000 (Ingot old, 2025).", text)
        self.assertIn("performance/open-tensors.svg)\n\nOf an earlier run: Ingot old, 2025.\n", text)
        self.assertEqual(text.count("Of an earlier run"), 4)  # two tables, the slope, its chart; not below this run's own

    def test_where_none_wins_it_says_nowhere(self):
        series = [entry("ingot", 1.0), entry("torch", 2.0)]
        self.assertIn("Nowhere in this run.", self.text(series=series))

    def test_who_was_measured_less_often_is_a_deviation(self):
        slow = entry("torch", 9.0) | {"seconds": [9.0]}
        told = "which deviates from our protocol: 1 in peers-load/decoder-32: `torch`"
        self.assertIn(told, self.text(series=[entry("ingot", 1.0), slow]))
        self.assertNotIn("deviates", self.text(series=[entry("ingot", 1.0)]))
        self.assertIn("3 repetitions, not the 7 of our protocol: ", self.text())
        self.assertIn("7 repetitions: ", self.text(repetitions=7))

    def test_absence_versions_settings_and_failures_are_told(self):
        text = self.text()
        for part in ("* Not here: instanttensor: needs a GPU.", "ztensor 2.1.2", "| `torch` | torch.load(mmap=True) |",
                     "| gguf | cannot: has no bool |", "**all silent**"):
            self.assertIn(part, text)

    def test_all_of_ingots_that_prove_a_file_may_notice_every_flip(self):
        def flips(contender, **outcomes):
            return {"contender": contender, "regions": {"header": {"flips": 4, **outcomes, "why": {"wrong": {"bytes": 4}}}}}
        proven = [flips(name, noticed=4) for name in ("ingot-mapped-verified", "ingot-verified")]
        text = self.text(integrity=[*proven, flips("ingot-mapped", wrong=4)])
        self.assertIn("`ingot-mapped-verified` and `ingot-verified` alone notice every flip", text)
        self.assertIn("`ingot-mapped` is told to prove nothing.", text)
        self.assertNotIn("alone notice", self.text(integrity=[*proven, flips("peer", noticed=4)]))

    def test_of_which_run_the_flips_are_is_told(self):
        self.assertNotIn("Of a run of its own", self.text())
        runs = [{"of": "old, 2025", "groups": ["integrity"]}]
        self.assertIn("Of a run of its own: Ingot old, 2025.", self.text(runs=runs))

    def test_a_column_is_there_where_someone_has_it(self):
        text = self.text()
        self.assertIn("| contender | median | spread | to Ingot | GB/s | peak RSS |", text)
        staged = entry("ingot", 1.0, "load-cold", staging=3 << 20)
        self.assertIn("| ingot | 1 s | 1 s – 1 s |  | 3.0 MiB |", self.text(series=[staged]))

    def test_a_result_of_before_is_still_read(self):
        old = {name: value for name, value in DATA.items() if name not in ("absent", "settings", "integrity")}
        with tempfile.TemporaryDirectory() as folder:
            report.write(copy.deepcopy(old), pathlib.Path(folder, "performance.md"))

    def test_the_command_reads_files(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "r.json").write_text(json.dumps(DATA))
            (folder / "g.json").write_text(json.dumps(sample.gpu([])))
            paths = [str(folder / name) for name in ("r.json", "out.md", "g.json")]
            with mock.patch("sys.argv", ["report.py", *paths[:2], "--gpu", paths[2]]):
                report.main()
            self.assertIn("## On a GPU", (folder / "out.md").read_text())


class Plots(Case):
    def elements(self, tag, **changes):
        self.text(**changes)
        root = xml.etree.ElementTree.fromstring(self.plots["peers-load"])
        return [element for element in root.iter() if element.tag.rpartition("}")[2] == tag]

    def test_a_bar_each_the_ceiling_as_a_line_and_memory_beside(self):
        self.assertEqual(len(self.elements("rect")), 4)  # the ground, and three bars
        self.assertEqual(len(self.elements("line")), 1)
        self.assertIn("1.0 MiB", self.plots["peers-load"])

    def test_of_several_ceilings_the_best_is_the_line(self):
        series = [entry("ingot", 1.0, bytes_per_second=1e9), entry("ceiling:a", 1.0, bytes_per_second=2e9),
                  entry("ceiling:b", 1.0, bytes_per_second=4e9)]
        line, = self.elements("line", series=series)
        bars = self.elements("rect", series=series)[1:]
        self.assertEqual(float(line.get("x1")), max(float(bar.get("x")) + float(bar.get("width")) for bar in bars))
        self.assertNotIn("ceiling:a", self.plots["peers-load"])

    def test_what_has_no_rate_is_no_bar_among_rates(self):
        series = [entry("ingot", 1.0, bytes_per_second=1e9), entry("part:metadata", 1.0, bytes_per_second=0)]
        self.assertEqual(len(self.elements("rect", series=series)), 2)

    def test_far_apart_they_are_logarithmic_and_say_so(self):
        self.text(series=[entry("ingot", 1.0), entry("torch", 99.0)])
        self.assertNotIn("logarithmic", self.plots["peers-load"])
        self.text(series=[entry("ingot", 1.0), entry("torch", 101.0)])
        self.assertIn("logarithmic", self.plots["peers-load"])


if __name__ == "__main__":
    unittest.main()
