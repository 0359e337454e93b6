"""Targets: each kind at its limit, which contender is judged, when a reason is given, and that none is missing."""

import unittest

import here  # noqa: F401
import sample
from sample import entry

import judge
import verdicts
from result import Result
from targets import TARGETS
from units import decided

GIB = 2**30


def judged(target, *series):
    return target.judge(Result(list(series)), "s")


def make(kind, **more):
    return kind(path="p", text="t", group="g", call="c", **more)


def at(contender, seconds, **counters):
    return entry(contender, seconds, "g", "s", **counters)


def rated(contender, rate):
    return at(contender, 1.0, bytes_per_second=rate)


class AtTheLimit(unittest.TestCase):
    def both(self, target, just, short, beside):
        """Whether `just` meets the target and `short` does not."""
        self.assertTrue(judged(target, just, *beside).met)
        self.assertFalse(judged(target, short, *beside).met)
        self.assertIsNone(judged(target, *beside))

    def test_at_most_times_the_ceiling(self):
        self.both(make(judge.AtMostTimes, limit=3.0), at("ingot", 3.0), at("ingot", 3.001), [at("ceiling:a", 1.0)])

    def test_share_of_the_ceiling(self):
        self.both(make(judge.ShareOfCeiling, percent=85.0), rated("ingot", 85.0), rated("ingot", 84.9),
                  [rated("ceiling:a", 100.0)])

    def test_faster_than_the_fastest_of_the_peers(self):
        peers = [at("a", 2.0), at("b", 9.0)]
        self.both(make(judge.FasterThan, peers=["a", "b"], factor=2.0), at("ingot", 1.0), at("ingot", 1.001), peers)

    def test_look_up(self):
        def lookup(p50, allocations=0):
            return at("ingot", 1.0, names=10, p50_ns=p50, allocations=allocations)
        target, beside = make(judge.Lookup, limit_ns=300.0), [at("ceiling:a", 1.0, names=10)]
        self.both(target, lookup(300), lookup(300.1), beside)
        self.assertFalse(judged(target, lookup(300, allocations=1), *beside).met)

    def test_cost_of_proof(self):
        self.both(make(judge.CostOfProof, percent=3.0), at("ingot", 1.0299), at("ingot", 1.0301), [at("ingot-unverified", 1.0)])

    def test_cost_of_proof_of_two_runs_counts_in_their_ceilings(self):
        def load(contender, rate, ceiling):
            return at(contender, 1.0, bytes_per_second=rate, ceiling_bytes_per_second=ceiling)
        # Half as fast, beside a ceiling that was half as fast.
        self.both(make(judge.CostOfProofApart, percent=3.0), load("ingot", 49.0, 50.0), load("ingot", 48.0, 50.0),
                  [load("ingot-unverified", 100.0, 100.0)])

    def test_resident_set(self):
        def load(added):
            return at("ingot", 1.0, rss_added=added, staging=48 << 20)
        self.both(make(judge.Resident, slack=64 << 20), load(112 << 20), load((112 << 20) + 1), [])


class Judged(unittest.TestCase):
    def test_one_named_contender_not_the_best_of_several(self):
        target = make(judge.ShareOfCeiling, percent=90.0, ours="ingot-mapping")
        self.assertFalse(judged(target, rated("ingot-mapping", 50.0), rated("ingot-read", 100.0), rated("ceiling:a", 100.0)).met)
        self.assertIsNone(judged(target, rated("ingot-read", 100.0), rated("ceiling:a", 100.0)))

    def test_the_best_ceiling(self):
        series = [rated("ceiling:a", 100.0), rated("ceiling:b", 200.0), rated("peer", 300.0),
                  sample.failed("ceiling:c", "no", "g", "s")]
        self.assertEqual(Result(series).ceiling("g", "s")["contender"], "ceiling:b")
        self.assertIsNone(Result(series[2:]).ceiling("g", "s"))
        self.assertIsNone(Result(series).ceiling("g", "another"))
        seconds = [at("ceiling:a", 2.0), at("ceiling:b", 1.0)]
        self.assertEqual(Result(seconds).ceiling("g", "s")["contender"], "ceiling:b")

    def test_decimals_show_the_verdict(self):
        target = make(judge.ShareOfCeiling, percent=85.0)
        ratio = lambda rate: judged(target, rated("ingot", rate), rated("ceiling:a", 100.0)).ratio  # noqa: E731
        self.assertEqual([ratio(value) for value in (50.4, 84.66, 84.97, 85.2)], ["50 %", "84.7 %", "84.97 %", "85 %"])
        self.assertEqual(decided(3.0004, lambda value: value <= 3.0, 2), "3.0004")
        self.assertEqual(decided(-6.2, lambda value: value <= 3.0, 0, "+"), "-6")
        self.assertEqual(decided(2.9, lambda value: value <= 3.0, 0, "+"), "+3")


class Reasons(unittest.TestCase):
    REASONS = {"^many": "Names (`names`).", "": "It waits for `one` and `two`."}

    def reason(self, shape, *parts):
        target = make(judge.AtMostTimes, limit=1.0, reasons=self.REASONS)
        return target.reason(Result([entry("part:" + name, 1.0, group, at_shape) for group, at_shape, name in parts]), shape)

    def test_it_is_given_when_all_of_its_parts_were_measured_there(self):
        self.assertEqual(self.reason("s", ("g", "s", "one"), ("g", "s", "two")), "It waits for `one` and `two`.")
        self.assertEqual(self.reason("many-1", ("g", "many-1", "names")), "Names (`names`).")

    def test_it_is_not_given_otherwise(self):
        self.assertEqual(self.reason("s", ("g", "s", "one")), "")
        self.assertEqual(self.reason("s", ("g", "s", "one"), ("g", "other", "two")), "")
        self.assertEqual(self.reason("s", ("g", "s", "one"), ("other", "s", "two")), "")

    def test_one_that_names_no_part_is_none(self):
        target = make(judge.AtMostTimes, limit=1.0, reasons={"": "Because."})
        self.assertEqual(target.reason(Result([]), "s"), "")

    def test_every_reason_of_a_target_names_parts(self):
        for target in TARGETS:
            for text in target.reasons.values():
                self.assertIn("`", text, target.path)

    def test_what_falls_short_says_why_or_that_it_is_not_known(self):
        series = [entry("ingot", 10.0, "open", "small-100000"), entry("ceiling:a", 1.0, "open", "small-100000"),
                  entry("ingot", 10.0, "peers-open", "small-100000"), entry("safetensors", 1.0, "peers-open", "small-100000"),
                  *(entry("part:" + name, 4.0, "open", "small-100000") for name in ("read-index", "validate-index"))]
        in_a_loop, beside = verdicts.shortfalls(Result(series), verdicts.Footnotes(Result(series)))
        self.assertIn("(`read-index`)", in_a_loop)
        self.assertIn("`read-index` 4 s (40% of its time)", in_a_loop)
        self.assertIn("0.1x, target >= 20x safetensors. No reason was measured.", beside)


class Rows(unittest.TestCase):
    ASYNC = "async save", "<= 1.2x a copy of the same bytes to host memory (stand-in)"

    def rows(self, *series):
        result = Result(list(series))
        return {(target.path, target.text): verdicts.target_row(result, verdicts.Footnotes(result), target, shape, outcome)
                for target, shape, outcome in verdicts.verdicts(result)}

    def test_every_target_has_one_even_where_nothing_was_measured(self):
        rows = self.rows()
        self.assertEqual(len(rows), len(TARGETS))
        for (path, _), row in rows.items():
            self.assertEqual(row[-1], "**unknown**", path)
            self.assertEqual(row[2], "cannot be tested here: no GPU" if "GPU" in path else "not measured", path)

    def test_with_a_gpu_it_is_not_said_that_there_is_none(self):
        rows = self.rows(entry("ingot", 1.0, "peers-gpu"))
        self.assertEqual(rows["digest kernel on the GPU", ">= 50 % of the memory's bandwidth"][2], "not measured")

    def test_an_async_save_is_judged_by_the_copy(self):
        for seconds, verdict in ((1.2, "met"), (1.21, "**short**")):
            rows = self.rows(entry("ingot", seconds, "training-stall"), entry("ceiling:copy", 1.0, "training-stall"))
            self.assertEqual(rows[self.ASYNC][-1], verdict)

    def test_what_an_earlier_run_measured_is_marked(self):
        series = [entry(name, 1.0, "training-stall", of="old, 2025") for name in ("ingot", "ceiling:copy")]
        self.assertEqual(self.rows(*series)[self.ASYNC][1], "decoder-32 (1)")
        self.assertEqual(verdicts.Footnotes(Result(series)).lines(), ["* (1) of an earlier run: Ingot old, 2025"])


if __name__ == "__main__":
    unittest.main()
