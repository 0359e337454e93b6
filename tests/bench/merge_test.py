"""What a run takes over from earlier ones, what it says of them, and what it refuses."""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from here import ROOT

import merge
import result as series_of_results


def entry(contender, seconds, group="g", shape="s"):
    return {"group": group, "shape": shape, "contender": contender, "seconds": [seconds], "counters": {}, "errors": []}


def result(commit, series, **more):
    return {"machine": {"name": "m", "commit": commit}, "date": "then", "command": f"run {commit}", "quick": False,
            "repetitions": 7, "peers": {}, "absent": {}, "settings": {}, "integrity": [], "series": series, **more}


def with_id(run, commit, series, started="2026-11-22T17:40:03Z", **more):
    made = result(commit, series, run=run, load_at_end=[2, 0, 0], **more)
    made["machine"] |= {"started": started, "load_at_start": [1, 0, 0]}
    return made


def merged(newest, *earlier):
    newest = copy.deepcopy(newest)
    for one in earlier:
        merge.take_over(newest, copy.deepcopy(one))
    return newest


class TakingOver(unittest.TestCase):
    def test_only_what_was_not_measured_is_taken_over_and_said_to_be(self):
        whole = merged(result("new", [entry("ingot", 1.0)]), result("old", [entry("torch", 5.0), entry("torch", 6.0, "other")]))
        self.assertEqual([(found["group"], found["contender"]) for found in whole["series"]], [("g", "ingot"), ("other", "torch")])
        self.assertEqual(whole["series"][1]["of"], "old, then")
        self.assertIn("Of earlier runs, Ingot old, then: other", whole["notes"][0])

    def test_the_first_that_has_it_counts(self):
        whole = merged(result("new", [entry("ingot", 1.0)]), result("b", [entry("ingot", 2.0, "other")]),
                       result("a", [entry("ingot", 3.0, "other"), entry("ingot", 4.0, "third")]))
        self.assertEqual([found["seconds"] for found in whole["series"]], [[1.0], [2.0], [4.0]])
        self.assertEqual([(run["commit"], run["groups"]) for run in whole["runs"]], [("b", ["other"]), ("a", ["third"])])

    def test_of_what_was_taken_over_the_peers_and_the_command_are_kept(self):
        old = result("old", [entry("torch", 6.0, "peers-open")], peers={"torch": "1"})
        new = result("new", [entry("torch", 1.0, "peers-load")], peers={"torch": "2"})
        whole = merged(new, old)
        self.assertEqual(whole["peers"], {"torch": "2"})
        self.assertEqual(whole["runs"], [{"of": "old, then", "commit": "old", "date": "then", "command": "run old",
                                          "repetitions": 7, "peers": {"torch": "1"}, "groups": ["peers-open"],
                                          "load_at_start": None, "load_at_end": None}])
        self.assertIn("beside torch 1", whole["notes"][0])

    def test_a_run_that_measured_no_peer_has_the_peers_of_what_it_takes_over(self):
        old = result("old", [entry("torch", 6.0, "peers-open")], peers={"torch": "1"}, settings={"torch": "mmap"})
        new = result("new", [entry("ingot", 1.0)], peers={"torch": "2"}, absent={"torch": "not asked for", "gguf": "no"})
        whole = merged(new, old)
        self.assertEqual((whole["peers"], whole["settings"], whole["absent"]), ({"torch": "1"}, {"torch": "mmap"}, {"gguf": "no"}))

    def test_what_an_earlier_run_had_taken_over_stays_that_run_s(self):
        oldest = result("oldest", [entry("ingot", 3.0, "third"), entry("ingot", 3.0)], integrity=[{"contender": "ingot"}])
        older = merged(result("older", [entry("ingot", 2.0, "other")]), oldest)
        whole = merged(result("new", [entry("ingot", 1.0)]), older)
        self.assertEqual([found.get("of") for found in whole["series"]], [None, "older, then", "oldest, then"])
        self.assertEqual([(run["commit"], run["groups"]) for run in whole["runs"]],
                         [("older", ["other"]), ("oldest", ["integrity", "third"])])

    def test_two_runs_of_one_commit_and_day_keep_their_own_groups(self):
        parts = [result("old", [entry("ingot", 1.0, group)], command=group) for group in ("open", "save")]
        whole = merged(result("new", []), merged(result("older", []), *parts))
        self.assertEqual([(run["command"], run["groups"]) for run in whole["runs"]], [("open", ["open"]), ("save", ["save"])])

    def test_of_a_result_from_before_runs_were_listed_the_text_remains(self):
        old = result("old", [{"of": "ancient, once", **entry("ingot", 2.0, "other")}])
        self.assertEqual(merged(result("new", []), old)["runs"], [{"of": "ancient, once", "groups": ["other"]}])

    def test_the_integrity_test_is_taken_over_as_a_whole(self):
        old = result("old", [], integrity=[{"contender": "ingot"}])
        self.assertEqual(merged(result("new", []), old)["integrity"], [{"contender": "ingot"}])
        kept = merged(result("new", [], integrity=[{"contender": "peer"}]), old)
        self.assertEqual((kept["integrity"], kept["runs"]), ([{"contender": "peer"}], []))

    def test_notes_are_kept_and_told_once(self):
        old = result("old", [entry("ingot", 1.0)], notes=["by hand", "Of earlier runs, Ingot x: y"])
        self.assertEqual(merged(result("new", [], notes=["by hand"]), old)["notes"][0], "by hand")
        self.assertEqual(len(merged(result("new", []), old, old)["notes"]), 2)


class Runs(unittest.TestCase):
    """Which carry an id."""

    def test_readers_see_when_it_began_and_comparisons_the_id(self):
        whole = merged(with_id("n", "new", []), with_id("o", "old", [entry("ingot", 1.0)]))
        self.assertEqual((whole["series"][0]["of"], whole["series"][0]["run"]), ("old, 2026-11-22 17:40", "o"))

    def test_two_of_one_commit_and_minute_are_two(self):
        parts = [with_id(run, "old", [entry("ingot", 1.0, group)], command=run)
                 for run, group in (("o1", "open"), ("o2", "save"))]
        whole = merged(with_id("n", "new", []), merged(with_id("older", "older", []), *parts))
        self.assertEqual([(run["run"], run["command"], run["groups"]) for run in whole["runs"]],
                         [("o1", "o1", ["open"]), ("o2", "o2", ["save"])])
        self.assertEqual(len(series_of_results.of_one_run(whole["series"])), 1)

    def test_what_went_on_with_the_same_run_is_not_of_an_earlier_one(self):
        first = with_id("r", "new", [entry("ingot", 1.0, "save", "1")], command="first")
        whole = merged(with_id("r", "new", [entry("ingot", 1.0, "save", "2")], command="second"), first)
        self.assertEqual(len(series_of_results.of_one_run(whole["series"])), 2)
        self.assertEqual(series_of_results.runs_of(whole["series"]), [])
        self.assertIn("Of earlier parts of this run: save (in part or whole). Load average", whole["notes"][0])
        self.assertEqual([run["command"] for run in whole["runs"]], ["first"])
        later = merged(with_id("x", "later", []), whole)
        self.assertEqual([run["command"] for run in later["runs"]], ["second", "first"])
        self.assertEqual({found["run"] for found in later["series"]}, {"r"})

    def test_a_part_that_comes_back_to_its_own_run_is_no_longer_of_an_earlier_one(self):
        first = with_id("r", "new", [entry("ingot", 1.0, "save", "1")])
        other = merged(with_id("x", "other", []), first)
        self.assertEqual(series_of_results.runs_of(merged(with_id("r", "new", []), other)["series"]), [])

    def test_load_and_command_of_each_are_told(self):
        whole = merged(with_id("n", "new", []), with_id("o", "old", [entry("ingot", 1.0)]))
        self.assertEqual((whole["runs"][0]["load_at_start"], whole["runs"][0]["load_at_end"]), ([1, 0, 0], [2, 0, 0]))
        self.assertIn("Load average 1.00 before and 2.00 after. Command: `run old`.", whole["notes"][0])

    def test_results_from_before_ids_go_with_those_that_have_them(self):
        oldest = result("oldest", [entry("ingot", 1.0, "third")])
        whole = merged(with_id("n", "new", []), merged(with_id("o", "old", [entry("ingot", 1.0)]), oldest))
        self.assertEqual([(found["of"], found.get("run")) for found in whole["series"]],
                         [("old, 2026-11-22 17:40", "o"), ("oldest, then", None)])
        self.assertEqual([run["of"] for run in whole["runs"]], ["old, 2026-11-22 17:40", "oldest, then"])


class Refusing(unittest.TestCase):
    def why_not(self, quick=False, **machine):
        return merge.why_not({"name": "m", "kernel": "6", **machine}, quick, result("a", []))

    def test_another_machine_and_a_quick_result_beside_a_full_one_are_refused(self):
        self.assertIn("another machine", self.why_not(name="other"))
        self.assertIn("quick", self.why_not(quick=True))
        self.assertEqual(self.why_not(), "")

    def test_a_machine_in_another_state_is_refused_where_both_state_it(self):
        for fact in merge.STATE:
            earlier = result("a", [])
            earlier["machine"][fact] = "old"
            self.assertIn("another", merge.why_not({"name": "m", fact: "new"}, False, earlier), fact)
            self.assertEqual(merge.why_not({"name": "m", fact: "old"}, False, earlier), "")
            self.assertEqual(merge.why_not({"name": "m"}, False, earlier), "")

    def test_the_program_writes_nothing_then(self):
        for quick, code in ((False, 0), (True, 64)):
            with self.subTest(quick), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                (folder / "new").write_text(json.dumps(result("new", [entry("ingot", 1.0)])))
                (folder / "old").write_text(json.dumps(result("old", [entry("ingot", 1.0, "other")], quick=quick)))
                command = [sys.executable, "-B", ROOT / "bench/merge.py", folder / "new", folder / "old", "--out", folder / "out"]
                self.assertEqual(subprocess.run(command, capture_output=True).returncode, code)
                self.assertEqual((folder / "out").exists(), code == 0)


if __name__ == "__main__":
    unittest.main()
