"""Lines and slopes are of one run; the axes have clean ticks."""

import unittest
import xml.etree.ElementTree

import here  # noqa: F401
from sample import entry

import scaling
import scaling_plot
from result import Result

GIB = 2**30


def opened(tensors, seconds, of=""):
    return entry("ingot", seconds, "peers-open", f"small-{tensors}", of)


def verified(contender, shape, gib, seconds, of=""):
    return entry(contender, seconds, "verify-warm", shape, of, bytes_per_second=gib * GIB / seconds)


def made(series, name):
    return next((chart for chart in scaling.charts(Result(series)) if chart.sweep.name == name), None)


class OneRun(unittest.TestCase):
    def test_a_line_is_of_the_run_with_most_points(self):
        series = [opened(10, 1.0, "old"), opened(100, 2.0, "old"), opened(1000, 3.0, "old"), opened(10000, 9.0),
                  opened(100000, 9.0)]
        chart = made(series, "open-tensors")
        self.assertEqual((chart.lines, chart.run, chart.left_out), ({"ingot": [(10, 1.0), (100, 2.0), (1000, 3.0)]}, "old", 2))
        self.assertEqual(scaling.origin(chart), "Of an earlier run: Ingot old. Left out, being of other runs: 2 series")

    def test_of_two_with_as_many_it_is_this_one(self):
        series = [opened(10, 1.0, "old"), opened(100, 2.0, "old"), opened(1000, 3.0), opened(10000, 9.0)]
        self.assertEqual(made(series, "open-tensors").run, "")

    def test_two_runs_with_a_point_each_make_no_line(self):
        self.assertIsNone(made([opened(10, 1.0, "old"), opened(100, 2.0)], "open-tensors"))

    def test_nor_are_threads_of_two_runs_compared(self):
        one, two = (verified("ingot-mapping", f"decoder-1024MiB-{count}threads", 1, 2.0 / count) for count in (1, 2))
        chart = made([one, two], "verify-threads")
        self.assertIn("2 threads are 2.00x as fast as 1", scaling.described(chart))
        self.assertIsNone(made([one | {"of": "old"}, two], "verify-threads"))


class Slopes(unittest.TestCase):
    def test_what_a_tensor_and_a_gib_cost(self):
        chart = made([opened(10, 1.01), opened(100, 1.10), opened(1000, 2.0)], "open-tensors")
        self.assertIn("10 to 1,000: `ingot` 1 ms a tensor.", scaling.described(chart))
        series = [verified("ingot-mapping", f"decoder-{1024 * gib}MiB-2threads", gib, 0.5 + 0.25 * gib) for gib in (1, 2, 4)]
        self.assertIn("1 GiB to 4 GiB: `ingot-mapping` 250 ms a GiB.", scaling.described(made(series, "verify-bytes")))

    def test_bytes_are_those_of_all_shapes_that_differ_in_size_alone(self):
        shapes = [("decoder-1024MiB-2threads", 1), ("one-8192MiB-2threads", 8), ("moe-2048MiB-2threads", 2),
                  ("decoder-1024MiB-1threads", 1)]
        series = [verified("ingot-mapping", shape, gib, float(gib)) for shape, gib in shapes]
        self.assertEqual(len(made(series, "verify-bytes").lines["ingot-mapping"]), 2)

    def test_the_ceiling_is_a_line_of_the_best_and_parts_are_none(self):
        series = [verified(name, f"decoder-{gib}MiB-2threads", gib, seconds * gib) for gib in (1, 2)
                  for name, seconds in (("ceiling:a", 3.0), ("ceiling:b", 2.0), ("part:x", 1.0), ("ingot-read", 4.0))]
        lines = made(series, "verify-bytes").lines
        self.assertEqual({name: line[0][1] for name, line in lines.items()}, {"ingot-read": 4.0, "ceiling": 2.0})

    def test_bytes_are_what_names_say_alike_for_all(self):
        series = [entry(name, size * factor, group, f"decoder-{size}") for size in (128, 1024, 2048)
                  for group in ("peers-load", "peers-save") for name, factor in (("ingot", 1 / 1024), ("torch", 2 / 1024))]
        for name in ("load-bytes", "save-bytes"):
            lines = made(series, name).lines
            self.assertEqual([[x for x, _ in line] for line in lines.values()], [[GIB // 8, GIB, 2 * GIB]] * 2)
        self.assertIn("`ingot` 1 s a GiB, `torch` 2 s a GiB", scaling.described(made(series, "load-bytes")))

    def test_saves_by_the_program_are_a_line_too(self):
        series = [entry("ingot", gib, "save", shape) for shape, gib in (("decoder-2048MiB", 2.0), ("one-8192MiB", 8.0))]
        self.assertEqual(made(series, "save-bytes-alone").lines, {"ingot": [(2 * GIB, 2.0), (8 * GIB, 8.0)]})

    def test_a_line_has_one_point_a_size(self):
        shapes = {"decoder-128": 1.0, "decoder-1024": 8.0, "one-1024": 9.0, "one-4096": 30.0}
        series = [entry("ingot", seconds, "peers-load", shape) for shape, seconds in shapes.items()]
        self.assertEqual([y for _, y in made(series, "load-bytes").lines["ingot"]], [1.0, 8.0, 30.0])

    def test_how_far_bytes_go_is_said(self):
        def reach(largest):
            series = [verified("ingot-mapping", f"decoder-{1024 * gib}MiB-2threads", gib, 1.0) for gib in (1, largest)]
            return scaling.reach(scaling.charts(Result(series)))
        self.assertEqual(reach(4), ["* Bytes go up to 4 GiB. The protocol asks for 16 GiB: above 4 GiB nothing was measured "
                                    "here, for want of time and disk."])
        self.assertEqual(reach(16), [])

    def test_how_many_threads_is_said(self):
        series = [verified("ingot-mapping", f"decoder-1024MiB-{count}threads", 1, 2.0 / count) for count in (1, 2)]
        told = "* Threads: of verify alone, 1 and 2; this machine has 2 processors."
        self.assertIn(told, scaling.section(Result(series), 2))
        self.assertNotIn("Threads", "".join(scaling.section(Result(series[:1]), 2)))


class Ticks(unittest.TestCase):
    def test_decades_octaves_and_ones_twos_fives(self):
        self.assertEqual(scaling_plot.ticks_of_x(10, 1_000_000, "tensors"), [10, 100, 1000, 10_000, 100_000, 1_000_000])
        self.assertEqual(scaling_plot.ticks_of_x(0.9 * GIB, 4.1 * GIB, "bytes"), [GIB / 2, GIB, 2 * GIB, 4 * GIB, 8 * GIB])
        self.assertEqual(scaling_plot.ticks_of_x(1, 2, "threads"), [1, 2])
        self.assertEqual([round(tick, 9) for tick in scaling_plot.ticks_of_seconds(0.3, 1.5)], [0.2, 0.5, 1, 2])
        self.assertEqual([round(tick, 9) for tick in scaling_plot.ticks_of_seconds(1.5e-4, 700)],
                         [1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000])

    def test_there_are_never_many_and_all_values_lie_within(self):
        for low, high in ((1, 1), (1, 2**40), (3e-9, 3e5), (0.2, 0.2)):
            for ticks in (scaling_plot.powers(low, high, 2), scaling_plot.ticks_of_seconds(low, high)):
                self.assertTrue(ticks[0] <= low * 1.001 and high <= ticks[-1] * 1.001, (low, high, ticks))
                self.assertTrue(2 <= len(ticks) <= scaling_plot.MOST_TICKS + 2, (low, high, ticks))

    def test_the_picture_has_a_line_with_its_points_and_a_label_a_tick(self):
        root = xml.etree.ElementTree.fromstring(scaling_plot.svg("t", "tensors", {"a": [(1, 1.0), (100, 10.0)]}))
        of = lambda tag: [element for element in root.iter() if element.tag.endswith(tag)]  # noqa: E731
        (left, low), (right, high) = (map(float, point.split(",")) for point in of("polyline")[0].get("points").split())
        self.assertTrue(left < right and low > high)  # the picture's y goes down
        self.assertEqual(len(of("circle")), 2)
        texts = [element.text for element in of("text")]
        for label in ("1", "10", "100", "1 s", "2 s", "5 s", "10 s", "a"):
            self.assertIn(label, texts)


if __name__ == "__main__":
    unittest.main()
