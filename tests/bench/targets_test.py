"""Targets: each kind at its limit, what noise leaves undecided, which contender is judged, what a reason says and when it
is given, and that none is missing."""

import re
import unittest

import here  # noqa: F401
import sample
from sample import entry

import judge
import noise
import reasons
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


def rounds(contender, seconds, **counters):
    """One repetition each."""
    return at(contender, 1.0) | {"seconds": seconds, "counters": counters}


class AtTheLimit(unittest.TestCase):
    def both(self, target, just, short, beside):
        """Whether `just` meets the target and `short` does not."""
        self.assertEqual(judged(target, just, *beside).verdict, "met")
        self.assertEqual(judged(target, short, *beside).verdict, "short")
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
        self.assertEqual(judged(target, lookup(300, allocations=1), *beside).verdict, "short")

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


class Noise(unittest.TestCase):
    TWICE = make(judge.AtMostTimes, limit=2.0)

    def outcome(self, ours, ceiling, target=TWICE):
        return judged(target, rounds("ingot", ours), rounds("ceiling:a", ceiling))

    def test_the_interval_is_the_2nd_to_the_6th_of_7_and_of_fewer_all(self):
        self.assertEqual(noise.interval([7, 1, 6, 2, 5, 3, 4]), (2, 6))
        self.assertEqual([noise.left_out(number) for number in (1, 2, 3, 6, 7, 9, 10)], [0, 0, 0, 0, 1, 1, 2])
        self.assertEqual(noise.confidence(7, 1), 0.875)
        self.assertEqual(noise.interval([3, 1, 2]), (1, 3))

    def test_a_limit_within_the_range_is_undecided_whatever_the_medians_say(self):
        for middle in (1.9, 2.1):
            outcome = self.outcome([1.8, 1.8, 1.8, middle, 2.2, 2.2, 2.2], [1.0] * 7)
            self.assertEqual((outcome.verdict, outcome.range), ("undecided", "1.80x – 2.20x"))

    def test_one_outlier_of_seven_decides_nothing_but_two_do(self):
        self.assertEqual(self.outcome([1.9] * 6 + [9.0], [1.0] * 7).verdict, "met")
        self.assertEqual(self.outcome([1.9] * 5 + [9.0] * 2, [1.0] * 7).verdict, "undecided")
        self.assertEqual(self.outcome([2.1] * 6 + [0.1], [1.0] * 7).verdict, "short")
        self.assertEqual(self.outcome([2.1] * 5 + [0.1] * 2, [1.0] * 7).verdict, "undecided")

    def test_rounds_are_compared_with_themselves(self):
        slower = [1.0, 2.0, 4.0, 8.0, 1.0, 2.0, 4.0]  # the machine, for both
        outcome = self.outcome([1.9 * seconds for seconds in slower], slower)
        self.assertEqual((outcome.verdict, outcome.range), ("met", "1.90x – 1.90x"))

    def test_rounds_that_both_have_are_compared(self):
        outcome = self.outcome([1.0, 1.0, 1.0], [1.0, 2.0, 1.0, 0.1, 0.1, 0.1, 2.0])
        self.assertEqual(outcome.range, "0.50x – 1.00x")

    def test_where_rounds_are_not_known_each_is_compared_with_each(self):
        ours, ceiling = rounds("ingot", [1.0, 2.0]) | {"in_rounds": False}, rounds("ceiling:a", [1.0, 2.0])
        self.assertEqual(judged(self.TWICE, ours, ceiling).range, "0.50x – 2.00x")

    def test_bytes_count_by_round_too(self):
        target = make(judge.ShareOfCeiling, percent=90.0)
        ours = rounds("ingot", [1.0] * 3, bytes_per_second=[80.0, 95.0, 99.0])
        self.assertEqual(judged(target, ours, rated("ceiling:a", 100.0)).verdict, "undecided")

    def test_rounds_on_one_side_and_medians_on_the_other_are_undecided(self):
        outcome = self.outcome([5.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0], [2.6, 2.6, 2.6, 0.1, 2.0, 2.0, 2.0])
        self.assertEqual((outcome.ratio, outcome.range, outcome.verdict), ("2.50x", "0.50x – 1.92x", "undecided"))

    def test_look_ups_have_a_range_of_their_own(self):
        target = make(judge.Lookup, limit_ns=300.0)
        ours = rounds("ingot", [1.0] * 3, names=[10] * 3, p50_ns=[280.0, 290.0, 310.0], allocations=[0] * 3)
        outcome = judged(target, ours, at("ceiling:a", 1.0, names=10))
        self.assertEqual((outcome.verdict, outcome.range), ("undecided", "280 ns – 310 ns"))

    def test_a_resident_set_has_none(self):
        ours = rounds("ingot", [1.0] * 3, rss_added=[0, 0, 1 << 40], staging=[0] * 3)
        outcome = judged(make(judge.Resident, slack=1), ours)
        self.assertEqual((outcome.verdict, outcome.range), ("met", ""))


class Judged(unittest.TestCase):
    def test_one_named_contender_not_the_best_of_several(self):
        target = make(judge.ShareOfCeiling, percent=90.0, ours="ingot-mapping")
        beside = rated("ingot-read", 100.0), rated("ceiling:a", 100.0)
        self.assertEqual(judged(target, rated("ingot-mapping", 50.0), *beside).verdict, "short")
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
    REASONS = {"^many": reasons.SameWork("Names (`names`).", ("names",)),
               "": reasons.OneAfterAnother("It waits for `one` and `two`.", ("one", "two"))}

    def reason(self, shape, *parts):
        target = make(judge.AtMostTimes, limit=1.0, reasons=self.REASONS)
        series = [entry("part:" + name, 1.0, group, at_shape) for group, at_shape, name in parts]
        return target.reason(Result([entry("ingot", 4.0, "g", shape), *series]), shape)

    def test_it_is_given_when_all_of_its_parts_were_measured_there(self):
        self.assertIn("It waits for `one` and `two`.", self.reason("s", ("g", "s", "one"), ("g", "s", "two")))
        self.assertIn("Names (`names`).", self.reason("many-1", ("g", "many-1", "names")))

    def test_it_is_not_given_otherwise(self):
        self.assertEqual(self.reason("s", ("g", "s", "one")), "")
        self.assertEqual(self.reason("s", ("g", "s", "one"), ("g", "other", "two")), "")
        self.assertEqual(self.reason("s", ("g", "s", "one"), ("other", "s", "two")), "")

    def test_every_reason_of_a_target_names_its_parts_and_no_others(self):
        for target in TARGETS:
            for reason in target.reasons.values():
                self.assertTrue(reason.parts, target.path)
                named = re.findall(r"`([^`]+)`", reason.text)
                self.assertEqual(set(named), set(reason.parts), target.path)

    def test_what_falls_short_says_why_or_that_it_is_not_known(self):
        series = [entry("ingot", 10.0, "open", "small-100000"), entry("ceiling:a", 1.0, "open", "small-100000"),
                  entry("ingot", 10.0, "peers-open", "small-100000"), entry("safetensors", 1.0, "peers-open", "small-100000"),
                  *(entry("part:" + name, 4.0, "open", "small-100000") for name in ("read-index", "validate-index"))]
        in_a_loop, beside = verdicts.shortfalls(Result(series), verdicts.Footnotes(Result(series)))
        self.assertIn("(`read-index`)", in_a_loop)
        self.assertIn("`read-index` 4 s (40 % of its time)", in_a_loop)
        self.assertIn("Together 80 % of its time; 20 % is not explained.", in_a_loop)
        self.assertIn("0.1x, target >= 20x safetensors. No reason was measured.", beside)

    def test_what_noise_leaves_undecided_is_no_shortfall(self):
        series = [entry("ingot", 1.0, "open", "small-100000") | {"seconds": [2.0, 3.1, 4.0]},
                  entry("ceiling:a", 1.0, "open", "small-100000")]
        self.assertEqual(verdicts.shortfalls(Result(series), verdicts.Footnotes(Result(series))), [])


class WhatReasonsLeaveOpen(unittest.TestCase):
    def told(self, reason, *seconds, ours=10.0, number=None):
        return reason.told(at("ingot", ours), [at(f"part:{name}", one) for name, one in zip(reason.parts, seconds)], number)

    def test_parts_that_add_up(self):
        both = reasons.OneAfterAnother("T.", ("a", "b"))
        self.assertEqual(self.told(both, 3.0, 4.0), "T. Together 70 % of its time; 30 % is not explained.")
        self.assertIn("105 % of its time; no time is left unexplained", self.told(both, 3.5, 7.0))
        self.assertIn("115 % of its time; alone this takes longer than within it", self.told(both, 4.5, 7.0))

    def test_the_same_work_by_plain_code(self):
        same = reasons.SameWork("T.", ("a",), one_thread=True)
        self.assertEqual(self.told(same, 12.5), "T. Plain code that does the same takes longer (1.25x). One thread of "
                         "plain code is a comparison, not a limit.")
        self.assertIn("Ingot takes 1.25x as long as plain code that does the same: 20 % of its time is not explained.",
                      self.told(same, 8.0))
        self.assertNotIn("One thread", self.told(reasons.SameWork("T.", ("a",)), 8.0))

    def test_what_a_step_costs_plain_code(self):
        cost = reasons.PlainCost("T.", ("without", "with"))
        self.assertEqual(self.told(cost, 10.0, 11.0, number=14), "T. That is +10 %: the other 4 points are not explained.")
        self.assertEqual(self.told(cost, 10.0, 12.0, number=14), "T. That is +20 %: no less than Ingot's.")
        self.assertIn("That is -10 %: nothing that could be told from noise", self.told(cost, 10.0, 9.0, number=14))

    def test_the_number_of_the_verdict_reaches_it(self):
        target = make(judge.CostOfProof, percent=3.0, reasons={"": reasons.PlainCost("T.", ("without", "with"))})
        result = Result([at("ingot", 1.2), at("ingot-unverified", 1.0), at("part:without", 1.0), at("part:with", 1.1)])
        number = target.judge(result, "s").number
        self.assertEqual(target.reason(result, "s", number), "T. That is +10 %: the other 10 points are not explained.")

    def test_times_are_compared_not_rates_over_other_bytes(self):
        # The part reads a file of 150 bytes in 9 s, Ingot counts the 100 of its tensors in 10.
        ours, part = at("ingot", 10.0, bytes_per_second=10.0), at("part:a", 9.0, bytes_per_second=150 / 9)
        target = make(judge.AtMostTimes, limit=1.0)
        self.assertEqual(target.parts(Result([ours, part]), "s"), "`a` 9 s (90 % of its time)")

    def test_the_time_of_one_that_handled_less_is_scaled(self):
        ours, part = at("ingot", 10.0, bytes_per_second=2 * GIB / 10), at("part:a", 2.0, bytes_per_second=GIB / 2)
        target = make(judge.AtMostTimes, limit=1.0)
        self.assertEqual(target.parts(Result([ours, part]), "s"), "`a` 4 s (40 % of its time, scaled from 1 GiB)")


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

    def test_the_first_async_save_is_judged_apart(self):
        rows = self.rows(entry("ingot", 1.0, "training-stall"), entry("ingot-first", 3.0, "training-stall"),
                         entry("ceiling:copy", 1.0, "training-stall"))
        self.assertEqual([rows[path, self.ASYNC[1]][-1] for path in ("async save", "async save, the first")],
                         ["met", "**short**"])

    def test_both_the_command_and_the_defaults_of_verify_are_judged(self):
        for state in ("warm", "cold"):
            group, text = f"verify-{state}", ">= 90 % of the ceiling"
            rows = self.rows(entry("ingot", 1.0, group), entry("ingot-read", 2.0, group), entry("ceiling:a", 1.0, group))
            self.assertEqual([rows[path, text][-1] for path in (f"verify, {state}", f"verify, {state}, by default")],
                             ["met", "**short**"])

    def test_torch_without_its_crc32_is_among_those_that_a_save_must_beat(self):
        row = self.rows(entry("ingot", 1.0, "training-save"), entry("torch-cpp", 9.0, "training-save"),
                        entry("torch-python-no-crc32", 1.5, "training-save"))
        against = row["durable save of a training run", ">= 2x torch.save + fsync"][3]
        self.assertEqual(against, "1.5 s (torch-python-no-crc32)")

    def test_a_range_is_in_its_row(self):
        noisy = entry("ingot", 1.0, "training-stall") | {"seconds": [1.0, 1.1, 1.5]}
        row = self.rows(noisy, entry("ceiling:copy", 1.0, "training-stall"))[self.ASYNC]
        self.assertEqual(row[4:], ["1.10x", "1.00x – 1.50x", self.ASYNC[1], "**undecided**"])

    def test_rows_are_counted(self):
        result = Result([entry("ingot", 1.0, "training-stall"), entry("ceiling:copy", 1.0, "training-stall")])
        rows = len(TARGETS)
        self.assertEqual(verdicts.count(result), f"Of {rows} rows: 1 met, 0 short, 0 undecided, {rows - 1} unknown.")

    def test_shapes_of_a_full_run_that_were_not_measured_are_listed(self):
        some, = verdicts.not_measured(Result([entry("ingot", 1.0, "training-stall", "100MiB")]))
        self.assertIn("`training-stall`: 2048MiB", some)
        self.assertIn("`peers-load`: decoder-128, decoder-1024", some)
        every = [entry("ingot", 1.0, group, shape) for group, shapes in verdicts.planned().items() for shape in shapes]
        self.assertEqual(verdicts.not_measured(Result(every)), [])

    def test_what_an_earlier_run_measured_is_marked(self):
        series = [entry(name, 1.0, "training-stall", of="old, 2025") for name in ("ingot", "ceiling:copy")]
        self.assertEqual(self.rows(*series)[self.ASYNC][1], "decoder-32 (1)")
        self.assertEqual(verdicts.Footnotes(Result(series)).lines(), ["* (1) of an earlier run: Ingot old, 2025"])


if __name__ == "__main__":
    unittest.main()
