"""What the report says of how a result came about."""

import unittest

import here  # noqa: F401
import sample

import conditions


class FewerRepetitions(unittest.TestCase):
    def told(self, *entries):
        return "\n".join(conditions.fewer_repetitions(sample.data(list(entries)) | {"repetitions": 7}))

    def test_slow_calls_are_the_reason_only_where_all_were_slow(self):
        slow, fast = sample.entry("slow", 6.0), sample.entry("fast", 1.0)
        self.assertIn(f"3 in peers-load/decoder-32: `slow` ({conditions.SLOW})", self.told(slow))
        self.assertNotIn(conditions.SLOW, self.told(fast))

    def test_a_failure_is_named_even_of_one_that_was_slow(self):
        for seconds in (1.0, 6.0):
            failed = sample.entry("peer", seconds) | {"errors": ["stopped after 60 s"]}
            self.assertIn("3 in peers-load/decoder-32: `peer` (then: stopped after 60 s)", self.told(failed))
            self.assertNotIn(conditions.SLOW, self.told(failed))

    def test_whoever_was_measured_as_often_as_planned_or_never_is_not_named(self):
        whole = sample.entry("peer", 1.0) | {"seconds": [1.0] * 7}
        self.assertEqual(self.told(whole, sample.failed("other", "cannot")), "")


if __name__ == "__main__":
    unittest.main()
