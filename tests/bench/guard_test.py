"""The guard fails when a bound is broken, and when it compared nothing."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from here import ROOT

import compare_run
import guard
import inputs

BOUND = {"group": "g", "shape": "s", "ours": "ingot", "against": ["peer"], "at_most": 2}


def entry(contender, seconds, **counters):
    return {"group": "g", "shape": "s", "contender": contender, "seconds": seconds, "counters": counters, "errors": []}


class Guard(unittest.TestCase):
    def test_a_ratio_within_its_bound_holds(self):
        verdict = guard.check([entry("ingot", [4.0]), entry("peer", [2.0])], [BOUND])
        self.assertTrue(verdict.good)
        self.assertRegex(verdict.lines[0], "^held .*2.000, at most 2")

    def test_a_ratio_above_its_bound_breaks(self):
        verdict = guard.check([entry("ingot", [4.1]), entry("peer", [2.0])], [BOUND])
        self.assertFalse(verdict.good)
        self.assertRegex(verdict.lines[0], "^BROKEN")

    def test_one_broken_bound_among_others_breaks(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        self.assertFalse(guard.check(series, [BOUND | {"at_most": 1}, BOUND]).good)

    def test_the_fastest_repetition_counts_on_both_sides(self):
        self.assertTrue(guard.check([entry("ingot", [90.0, 4.0]), entry("peer", [50.0, 2.0])], [BOUND]).good)
        self.assertFalse(guard.check([entry("ingot", [90.0, 5.0]), entry("peer", [50.0, 2.0])], [BOUND]).good)

    def test_the_fastest_of_several_others_counts(self):
        series = [entry("ingot", [4.0]), entry("peer", [9.0]), entry("other", [1.0])]
        self.assertFalse(guard.check(series, [BOUND | {"against": ["peer", "other"]}]).good)

    def test_time_a_byte_counts_where_bytes_were_counted(self):
        series = [entry("ingot", [1.0], bytes_per_second=[10.0]), entry("peer", [1.0], bytes_per_second=[30.0])]
        self.assertFalse(guard.check(series, [BOUND]).good)

    def test_a_counter_can_be_what_is_bounded(self):
        series = [entry("ingot", [1.0], file_bytes=[300]), entry("peer", [1.0], file_bytes=[100])]
        self.assertTrue(guard.check(series, [BOUND]).good)
        self.assertFalse(guard.check(series, [BOUND | {"counter": "file_bytes"}]).good)

    def test_ingot_must_have_been_measured(self):
        self.assertFalse(guard.check([entry("peer", [2.0])], [BOUND]).good)
        self.assertFalse(guard.check([entry("ingot", []), entry("peer", [2.0])], [BOUND]).good)
        others = [{**entry(name, [1.0]), "group": "other"} for name in ("ingot", "peer")]
        self.assertFalse(guard.check([*others, entry("peer", [2.0])], [BOUND, BOUND | {"group": "other"}]).good)

    def test_an_absent_peer_is_told_and_passed_over(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        verdict = guard.check(series, [BOUND, BOUND | {"against": ["gguf"]}], {"torch", "safetensors"})
        self.assertTrue(verdict.good)
        self.assertRegex(verdict.lines[1], "^absent")

    def test_an_absent_peer_that_is_installed_is_broken(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        bounds = [BOUND, BOUND | {"against": ["gguf", "torch"]}]
        self.assertFalse(guard.check(series, bounds, {"torch", "safetensors"}).good)
        self.assertTrue(guard.check(series, bounds, frozenset()).good)

    def test_an_absent_ceiling_is_broken(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        self.assertFalse(guard.check(series, [BOUND, BOUND | {"against": ["ceiling:memcpy"]}]).good)

    def test_a_machine_that_lacks_what_a_bound_needs_is_passed_over(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        needy = BOUND | {"group": "cold", "needs": "O_DIRECT"}
        lacking = guard.check(series, [BOUND, needy], has=frozenset())
        self.assertEqual(lacking.lines[1], "absent cold s: ingot to peer: needs O_DIRECT")
        self.assertTrue(lacking.good)
        without_ingot = [*series, entry("peer", [2.0]) | {"group": "cold"}]
        self.assertFalse(guard.check(without_ingot, [BOUND, needy], has=frozenset()).good)

    def test_one_that_has_it_and_measured_nothing_is_not(self):
        series, needy = [entry("ingot", [4.0]), entry("peer", [2.0])], BOUND | {"group": "cold", "needs": "O_DIRECT"}
        having = guard.check(series, [BOUND, needy], has=frozenset(["O_DIRECT"]))
        self.assertFalse(having.good)
        self.assertIn("was not measured, and O_DIRECT, which it needs, is here", having.lines[1])

    def test_what_was_not_checked_is_counted(self):
        series, needy = [entry("ingot", [4.0]), entry("peer", [2.0])], BOUND | {"group": "cold", "needs": "LibTorch"}
        self.assertEqual(guard.check(series, [BOUND, BOUND | {"at_most": 1}, needy], has=frozenset()).lines[-1],
                         "1 held, 1 broken, 1 not checked")

    def test_where_all_must_be_checked_an_absence_breaks_it(self):
        series = [entry("ingot", [4.0]), entry("peer", [2.0])]
        absent = [BOUND, BOUND | {"group": "cold", "needs": "LibTorch"}], [BOUND, BOUND | {"against": ["gguf"]}]
        for value, good in (("1", False), ("0", True)):
            with mock.patch.dict("os.environ", {guard.ALL: value}):
                self.assertEqual([guard.check(series, bounds, has=frozenset()).good for bounds in absent], [good] * 2)
                self.assertTrue(guard.check(series, [BOUND]).good)

    def test_what_a_machine_has_is_found_out(self):
        real, refused = os.open, os.O_DIRECT

        def opened(path, flags, *more, **named):
            if flags & refused:
                raise OSError
            return real(path, flags & ~os.O_DIRECT, *more, **named)

        with tempfile.TemporaryDirectory() as folder, mock.patch.object(guard.os, "open", opened):
            self.assertEqual(guard.machine_has({"torch"}, folder), {"LibTorch"})
            refused = 0
            self.assertEqual(guard.machine_has(frozenset(), folder), {"O_DIRECT"})

    def test_a_counter_alone_can_be_bounded_and_its_largest_counts(self):
        bound = {"group": "g", "shape": "s", "ours": "ingot", "counter": "copies", "at_most": 0}
        self.assertTrue(guard.check([entry("ingot", [1.0], copies=[0, 0])], [bound]).good)
        self.assertFalse(guard.check([entry("ingot", [1.0], copies=[0, 1])], [bound]).good)
        self.assertFalse(guard.check([], [bound]).good)

    def test_a_star_in_a_shape_stands_for_what_depends_on_the_machine(self):
        series = [entry("ingot", [4.0]) | {"shape": "s-2threads"}, entry("peer", [2.0]) | {"shape": "s-2threads"}]
        bound = BOUND | {"shape": "s-*threads"}
        self.assertTrue(guard.check(series, [bound]).good)
        self.assertFalse(guard.check(series, [bound | {"at_most": 1}]).good)
        self.assertFalse(guard.check(series, [BOUND | {"shape": "t-*threads"}]).good)

    def test_a_check_that_compared_nothing_is_broken(self):
        self.assertFalse(guard.check([entry("ingot", [4.0])], [BOUND]).good)

    def test_the_program_exits_with_1_when_a_bound_breaks(self):
        for limit, code in ((2, 0), (1.9, 1)):
            with self.subTest(limit), tempfile.TemporaryDirectory() as folder:
                result, bounds = pathlib.Path(folder, "result.json"), pathlib.Path(folder, "bounds.json")
                result.write_text(json.dumps({"series": [entry("ingot", [4.0]), entry("peer", [2.0])]}))
                bounds.write_text(json.dumps([BOUND | {"at_most": limit}]))
                done = subprocess.run([sys.executable, "-B", ROOT / "bench/guard.py", result, bounds], capture_output=True)
                self.assertEqual(done.returncode, code)


class StoredBounds(unittest.TestCase):
    bounds = json.loads((ROOT / "bench/bounds.json").read_text())

    def test_each_says_what_it_bounds_and_why(self):
        for bound in self.bounds:
            self.assertLessEqual({"group", "shape", "ours", "at_most", "why"}, bound.keys())
            self.assertTrue({"against", "counter"} & bound.keys())
            self.assertTrue(bound["ours"].startswith("ingot"))

    def test_those_beside_peers_are_of_the_quick_run(self):
        quick = {(plan.group, inputs.base_name(plan.shape)) for plan in compare_run.plans(True, 1024, False)}
        for bound in self.bounds:
            if bound["group"].startswith("peers-"):
                self.assertIn((bound["group"], bound["shape"]), quick)

    def test_the_filter_admits_what_they_need_and_little_more(self):
        pattern = guard.pattern(self.bounds)
        for bound in self.bounds:
            for name in [bound["ours"], *bound.get("against", [])]:
                self.assertRegex(f"{bound['group']}/{bound['shape'].replace('*', '16')}/{name}", pattern)
        for other in ("peers-open/small-20000/gguf", "load-warm/decoder-8MiB/ingot-in-place", "integrity/s/torch",
                      "x/open/small-1000/ingot", "save/decoder-8MiB/writeeeefsync", "open/small-1000/ingot-other"):
            self.assertIsNone(re.search(pattern, other), other)

    def test_every_part_of_a_run_is_bounded(self):
        groups = ("open lookup verify-warm verify-cold load-warm load-cold save peers-open peers-one peers-view peers-load "
                  "peers-load-cold peers-verify peers-save training-save training-resume training-stall")
        self.assertLessEqual(set(groups.split()), {bound["group"] for bound in self.bounds})

    def test_what_setup_installs_is_pinned(self):
        self.assertLessEqual({"torch", "safetensors"}, guard.pinned())
        self.assertNotIn("gguf", guard.pinned())


if __name__ == "__main__":
    unittest.main()
