"""The run fails when Ingot lets a flipped bit through, and the table says what became of each."""

import contextlib
import io
import pathlib
import types
import unittest
from unittest import mock

import here  # noqa: F401

import integrity_report
import integrity_run


def entry(contender, place="header", wrong_in="bytes", **outcomes):
    why = {"wrong": {wrong_in: outcomes["wrong"]}} if "wrong" in outcomes else {}
    return {"contender": contender, "regions": {place: {"flips": sum(outcomes.values()), **outcomes, "why": why}}}


GOOD = [entry("ingot", noticed=3, harmless=1), entry("ingot-verified", noticed=4), entry("peer", wrong=4)]


class IngotHolds(unittest.TestCase):
    def test_it_holds_whatever_peers_do(self):
        self.assertTrue(integrity_run.ingot_holds(GOOD))

    def test_wrong_data_a_crash_a_hang_or_an_error_of_ingot_breaks_it(self):
        for outcome in ("wrong", "crashed", "hung"):
            self.assertFalse(integrity_run.ingot_holds([entry("ingot", noticed=3, **{outcome: 1})]), outcome)
        self.assertFalse(integrity_run.ingot_holds([{"contender": "ingot", "error": "no"}]))

    def test_a_flip_that_the_verification_does_not_notice_breaks_it(self):
        for contender in ("ingot-verified", "ingot-mapped-verified"):
            self.assertTrue(integrity_run.ingot_holds([entry(contender, noticed=4)]), contender)
            self.assertFalse(integrity_run.ingot_holds([entry(contender, noticed=3, harmless=1)]), contender)

    def test_who_proves_nothing_hands_out_damaged_data_and_nothing_else_that_is_wrong(self):
        for contender in ("ingot-unverified", "ingot-mapped"):
            self.assertTrue(integrity_run.ingot_holds([entry(contender, "data, end", wrong=4)]), contender)
            self.assertFalse(integrity_run.ingot_holds([entry(contender, "header", wrong=4)]), contender)
            self.assertFalse(integrity_run.ingot_holds([entry(contender, "data, end", "names", wrong=4)]), contender)
            self.assertFalse(integrity_run.ingot_holds([entry(contender, "data, end", crashed=1)]), contender)
        self.assertFalse(integrity_run.ingot_holds([entry("ingot", "data, end", wrong=4)]))


class Running(unittest.TestCase):
    def run_it(self, wanted="", of=GOOD[0]):
        said, journal = io.StringIO(), mock.Mock(once=lambda key, work: work())
        contender = types.SimpleNamespace(name="ingot", settings="")
        with mock.patch.object(integrity_run.contenders, "present", return_value=[contender]), \
                mock.patch.object(integrity_run.inputs, "Inputs"), mock.patch.object(integrity_run, "plan_file"), \
                mock.patch.object(integrity_run, "of_contender", side_effect=lambda *_: said.write("flips\n") and of), \
                contextlib.redirect_stdout(said):
            good, entries = integrity_run.run(mock.Mock(build=pathlib.Path(), quick=True), None, journal, wanted)
        return good, entries, said.getvalue().splitlines()

    def test_it_says_whose_turn_it_is_before_minutes_of_loads_and_then_what_came_out(self):
        good, entries, lines = self.run_it()
        self.assertTrue(good and entries == [GOOD[0]])
        self.assertEqual([line.split(":")[0] for line in lines], ["integrity ingot ...", "flips", "integrity ingot"])

    def test_who_is_filtered_out_is_not_named(self):
        self.assertEqual(self.run_it("/peer$"), (True, [], []))


class Table(unittest.TestCase):
    def test_cells_say_the_worst_first(self):
        region = {"flips": 9, "noticed": 2, "harmless": 1, "wrong": 5, "crashed": 1, "why": {"wrong": {"names": 2, "bytes": 3}}}
        self.assertEqual(integrity_report.cell(region), "3 **silent**, 1 **crashed**, 2 renamed, 2 noticed, 1 harmless")
        self.assertEqual(integrity_report.cell({"flips": 4, "noticed": 4}), "all noticed")
        self.assertEqual(integrity_report.cell({"flips": 4, "wrong": 4}), "**all silent**")

    def test_a_contender_that_could_not_take_part_is_in_it_with_its_reason(self):
        text = integrity_report.section([*GOOD, {"contender": "other", "error": "has no bf16"}])
        self.assertIn("| other | cannot: has no bf16 |", text)

    def test_it_claims_to_be_alone_only_where_it_is(self):
        self.assertIn("alone notices every flip", integrity_report.section(GOOD))
        self.assertNotIn("alone notices every flip", integrity_report.section([*GOOD, entry("peer", noticed=4)]))
        self.assertNotIn("alone notices every flip", integrity_report.section([entry("ingot-verified", noticed=3, harmless=1)]))

    def test_without_entries_there_is_no_section(self):
        self.assertEqual(integrity_report.section([]), "")


if __name__ == "__main__":
    unittest.main()
