"""The driver: who is measured in which order, and what is not believed. Contenders are doubles."""

import json
import os
import pathlib
import tempfile
import types
import unittest
from unittest import mock

import here  # noqa: F401

import compare_run
import contenders
import inputs
import processes
import series
from journal import Journal

PLAN = compare_run.Plan("peers-load", "load", "small:2")
LISTING = [["b", "bfloat16", [4], 8, 5], ["a", "bfloat16", [4], 8, 7]]
PROOF = str(1 * 7 + 3 * 5)  # by name


class Runner:
    """Answers as the programs would; remembers what it was asked."""

    def __init__(self, folder):
        self.folder, self.calls, self.ceilings, self.refused, self.python = folder, [], [], None, None
        self.asked = []  # (command, names of files): what is read or put out of the page cache, in order
        self.found = {"proof": PROOF, "tensors": 2, "name_bytes": 2, "sum": "7"}

    def ingot(self, command, *arguments, limit=None):
        if command == "make":
            pathlib.Path(arguments[1]).write_text(json.dumps(LISTING))
            pathlib.Path(arguments[2]).write_bytes(b"x" * 16)
        if command == "ingot":
            path = self.folder / f"{inputs.base_name(arguments[0])}.ingot"
            path.write_bytes(b"x")
            return {"path": str(path)}
        if command in ("warm", "cold"):
            self.asked.append((command, *map(os.path.basename, arguments)))
            return {name: command != self.refused for name in arguments} | {"process_seconds": 1}
        if command.startswith("ceiling"):
            self.ceilings.append((command, arguments))
        if command == "ceiling-write":
            pathlib.Path(arguments[1]).write_bytes(b"x")
        if command in ("ceiling-read", "ceiling-write"):
            return {"runs": {"deep": {"seconds": 1.0}, "flat": {"seconds": 3.0}}}
        return {"seconds": 1.0}

    def call(self, contender, command, *arguments, limit=None):
        self.calls.append((contender.name, command))
        self.asked.append((command, os.path.basename(arguments[2 if command in ("make", "save") else 0])))
        if command in ("make", "save"):
            pathlib.Path(arguments[2]).write_bytes(b"x" * 20)
        return {"seconds": 2.0, "peak_rss_bytes": 3} | self.found

    def measured(self):
        return [name for name, command in self.calls if command != "make"]


class Comparing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.runner = Runner(self.folder)
        self.told, self.fewer = [], []
        self.comparison = self.make()

    def make(self, resume=False):
        arguments = types.SimpleNamespace(cache=self.folder, repetitions=3, device="cuda:0")
        progress = types.SimpleNamespace(step=lambda what, outcome, measured: self.told.append((what, measured)),
                                         fewer=lambda count: self.fewer.append(count))
        return compare_run.Comparison(arguments, self.runner, Journal(self.folder / "journal", {}, resume), progress)

    def test_contenders_take_turns(self):
        self.comparison.run(PLAN, ["ingot", "torch", "gguf"])
        measured = self.runner.measured()
        self.assertEqual([sorted(measured[begin:begin + 3]) for begin in (0, 3, 6)], [["gguf", "ingot", "torch"]] * 3)
        self.assertEqual(len(self.told), 9)

    def test_what_was_not_loaded_as_saved_is_an_error_and_not_a_time(self):
        self.runner.found["proof"] = "6"
        result = self.comparison.run(PLAN, ["torch"])
        self.assertEqual((result[0]["seconds"], result[0]["errors"]), ([], ["what was read is not what was saved (proof)"]))
        self.assertEqual((self.runner.measured(), self.fewer), (["torch"], [2]))

    def test_whoever_reads_must_say_what_was_found_and_rightly(self):
        for path, found in compare_run.FOUND.items():
            self.assertEqual(self.comparison.run(compare_run.Plan(f"good-{path}", path, "small:2"), ["torch"])[0]["errors"], [], path)
            right = self.runner.found.pop(found)
            self.assertEqual(len(self.comparison.run(compare_run.Plan(f"bad-{path}", path, "small:2"), ["torch"])[0]["errors"]), 1, path)
            self.runner.found[found] = right

    def test_what_was_loaded_as_saved_is_a_time(self):
        result = self.comparison.run(PLAN, ["torch"])
        self.assertEqual((result[0]["seconds"], result[0]["errors"]), ([2.0] * 3, []))
        self.assertEqual(result[0]["counters"]["peak_rss_bytes"], [3] * 3)

    def test_a_state_of_the_page_cache_that_cannot_be_had_is_an_error(self):
        for wanted, cold, why in (("warm", False, "not in the page cache"), ("cold", True, "not out of the page cache")):
            self.runner.refused = wanted
            result = self.comparison.run(compare_run.Plan(wanted, "load", "small:2", cold), ["torch"])
            self.assertEqual(result[0]["errors"], [why])

    def test_loads_name_the_device_and_who_is_told_the_model_knows_it(self):
        self.comparison.rounds.repetitions = 1
        for path, device in (("load", "cpu"), ("gpu", "cuda:0")):
            for name in ("ingot", "torch"):
                with mock.patch.object(self.runner, "call", wraps=self.runner.call) as call:
                    self.comparison.run(compare_run.Plan(f"g-{path}", path, "small:2"), [name])
                _, command, file, tiny, where, listing, tiny_listing = call.call_args.args
                self.assertEqual((command, where), ("load", device))
                self.assertEqual([pathlib.Path(given).stem for given in (file, tiny, listing, tiny_listing)],
                                 ["small-2", "small-8", "small-2-v2", "small-8-v2"])

    def test_ceilings_of_storage_are_a_series_a_shape_and_each_goes_first_once(self):
        for plan, name in ((compare_run.Plan("g", "load", "small:2", cold=True), "ceiling:direct-read"),
                           (compare_run.Plan("g", "save", "small:2"), "ceiling:direct-write")):
            with mock.patch.object(os, "sync"):
                result = self.comparison.run(plan, ["torch", name])
            self.assertEqual([(entry["contender"], entry["seconds"]) for entry in result],
                             [("torch", [2.0] * 3), (f"{name}-deep", [1.0] * 3), (f"{name}-flat", [3.0] * 3)])
            asked = [arguments[-1] for command, arguments in self.runner.ceilings if command == name.replace(":direct", "")]
            self.assertEqual(asked, ["0", "1", "2"])

    def test_one_file_serves_all_who_read_its_format(self):
        self.comparison.run(PLAN, ["safetensors", "safetensors-pread", "runai"])
        self.assertEqual(len([call for call in self.runner.calls if call[1] == "make"]), 2)  # and the tiny one

    def test_an_input_that_cannot_be_made_is_tried_once(self):
        with mock.patch.object(self.runner, "call", return_value={"error": "too many tensors"}) as call:
            for plan in (PLAN, compare_run.Plan("peers-open", "open", "small:2")):
                self.assertEqual(self.comparison.run(plan, ["gguf"])[0]["errors"], ["too many tensors"])
        self.assertEqual(call.call_count, 1)

    def test_every_warm_round_begins_with_all_files_out_of_the_page_cache_and_read_in_again(self):
        self.comparison.run(PLAN, ["ingot", "torch", "torch-read", "ceiling:copy"])
        asked = [entry for entry in self.runner.asked if entry[0] != "make"]
        anew = [(state, name) for name in ("small-2.pt", "small-2.ingot") for state in ("cold", "warm")]
        self.assertEqual(len(asked), 3 * (4 + 4 + 3))  # a file once a round, however many read it; then the four calls
        for begin in (0, 11, 22):
            self.assertEqual(asked[begin:begin + 4], anew)
            self.assertNotIn("cold", dict(asked[begin + 4:begin + 11]))

    def test_what_a_cold_load_left_is_read_in_anew_before_it_is_measured_warm(self):
        plans = [plan for plan in compare_run.plans(False, 64, False) if plan.shape == "decoder:64"]
        self.assertEqual([plan.group for plan in plans][:3], ["peers-load", "peers-load-cold", "peers-verify"])
        for path in ("load", "verify"):
            self.comparison.run(compare_run.Plan("cold", "load", "small:2", cold=True), ["torch"])
            begin = len(self.runner.asked)
            self.comparison.run(compare_run.Plan(f"warm-{path}", path, "small:2"), ["torch"])
            self.assertEqual([entry[0] for entry in self.runner.asked[begin:begin + 4]], ["cold", "warm", "warm", path])

    def test_neither_cold_calls_nor_saves_are_settled(self):
        self.comparison.run(compare_run.Plan("g", "load", "small:2", cold=True), ["torch"])
        asked = [command for command, _ in self.runner.asked if command in ("cold", "warm", "load")]
        self.assertEqual(asked, ["cold", "load"] * 3)
        self.runner.asked.clear()
        self.saved_by("torch")
        self.assertTrue({"cold", "warm"}.isdisjoint(dict(self.runner.asked)))

    def test_a_file_that_cannot_be_settled_is_not_measured_though_it_is_in_the_page_cache(self):
        self.runner.refused = "cold"
        self.assertEqual(self.comparison.run(PLAN, ["torch"])[0]["errors"], ["not out of the page cache"])
        self.assertEqual(self.runner.measured(), [])

    def test_a_run_that_goes_on_measures_only_the_rest(self):
        self.comparison.run(PLAN, ["torch"])
        before = len(self.runner.calls)
        result = self.make(resume=True).run(PLAN, ["torch"])
        self.assertEqual((len(self.runner.calls), result[0]["seconds"]), (before, [2.0] * 3))
        self.assertEqual([measured for _, measured in self.told], [True] * 3 + [False] * 3)

    def test_a_save_says_what_it_made_and_leaves_nothing(self):
        with mock.patch.object(os, "sync"):
            result = self.comparison.run(compare_run.Plan("peers-save", "save", "small:2"), ["torch"])
        self.assertEqual(result[0]["counters"]["file_bytes"], [20] * 3)
        self.assertEqual(result[0]["counters"]["bytes_per_second"], [16 / 2.0] * 3)
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def saved_by(self, name):
        with mock.patch.object(os, "sync"):
            return self.comparison.run(compare_run.Plan("peers-save", "save", "small:2"), [name])[0]

    def test_what_a_save_wrote_is_loaded_once_by_who_reads_its_format(self):
        for name, loader in (("ingot", "ingot"), ("torch", "torch"), ("torch-no-crc32", "torch")):
            self.runner.calls.clear()
            self.assertEqual((self.saved_by(name)["seconds"]), [2.0] * 3)
            self.assertEqual([call for call in self.runner.calls if call[1] != "make"],
                             [(name, "save"), (loader, "load"), (name, "save"), (name, "save")])

    def test_every_contender_that_saves_has_one_that_loads(self):
        savers = [contender for contender in contenders.INGOT + contenders.PEERS if "save" in contender.paths]
        other = {saver.name: compare_run.loader_of(saver).name for saver in savers if "load" not in saver.paths}
        self.assertEqual(other, {"torch-no-crc32": "torch"})

    def test_a_save_that_did_not_write_what_it_was_given_is_an_error_and_not_a_time(self):
        self.runner.found["proof"] = "6"
        for name in ("ingot", "torch"):
            result = self.saved_by(name)
            self.assertEqual((result["seconds"], result["errors"]), ([], ["what was saved is not what was given (proof)"]))
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    def test_a_save_that_does_not_load_says_why(self):
        call = self.runner.call
        broken = lambda contender, command, *more, **limit: ({"error": "bad zip"} if command == "load"
                                                             else call(contender, command, *more, **limit))
        with mock.patch.object(self.runner, "call", side_effect=broken):
            self.assertEqual(self.saved_by("torch")["errors"], ["what was saved does not load: bad zip"])

    def test_another_version_of_what_writes_a_format_makes_its_file_anew_and_removes_the_old_one(self):
        made = []
        for versions in ({"torch": "1"}, {"torch": "2"}, {"torch": "2"}):
            with mock.patch.object(contenders, "installed", lambda python, v=versions: v):
                for name in ("torch", "torch-read"):
                    path = pathlib.Path(self.comparison.inputs.file(contenders.named(name), "small:2"))
                    made.append(str(path.relative_to(self.folder / "compare")))
                self.comparison.inputs.file(contenders.named("dcp"), "small:2")
                self.comparison.inputs.file(contenders.named("torch"), "small:20")
        self.assertEqual(made, ["torch-1/small-2.pt"] * 2 + ["torch-2/small-2.pt"] * 4)
        self.assertEqual(len([call for call in self.runner.calls if call == ("torch", "make")]), 4)
        left = {"/".join(path.parts[-2:]) for path in (self.folder / "compare").glob("*/*")}
        self.assertEqual(left, {"torch-2/small-2.pt", "torch-2/small-2.dcp", "torch-2/small-20.pt"})

    def test_all_who_read_a_format_read_the_file_of_one_writer(self):
        have = {"safetensors": "8", "torch": "2", "runai-model-streamer": "1", "fastsafetensors": "5"}
        with mock.patch.object(contenders, "installed", lambda python: have):
            readers = [peer for peer in contenders.PEERS if peer.suffix == "safetensors"]
            paths = {self.comparison.inputs.path(peer, "small:2") for peer in readers}
        self.assertEqual(paths, {self.folder / "compare/safetensors-8,torch-2/small-2.safetensors"})

    def test_dropping_a_shape_leaves_the_others(self):
        for versions in ({}, {"torch": "1"}):
            with mock.patch.object(contenders, "installed", lambda python, v=versions: v):
                for shape in ("small:2", "small:20"):
                    self.comparison.inputs.listing_and_raw(shape)
                    self.comparison.inputs.file(contenders.named("torch"), shape)
                self.comparison.inputs.drop("small:2")
        left = sorted(path.name for path in (self.folder / "compare").rglob("*") if path.is_file())
        self.assertEqual(left, ["small-20-v2.json", "small-20.pt", "small-20.raw"])


class Choosing(unittest.TestCase):
    def test_a_filter_admits_by_path_shape_and_contender(self):
        with mock.patch.object(contenders, "installed", lambda python: {"torch": "1", "safetensors": "1"}):
            names = compare_run.names_of(PLAN, "^peers-load/small-2/(ingot|torch|ceiling:copy)$", "python")
            self.assertEqual(names, ["ingot", "torch", "ceiling:copy"])
            self.assertEqual(compare_run.names_of(PLAN, "peers-open", "python"), [])
            everyone = compare_run.names_of(PLAN, "", "python")
        self.assertIn("safetensors-pread", everyone)
        self.assertNotIn("ztensor", everyone)
        self.assertNotIn("torch-no-crc32", everyone)  # it saves only

    def test_loads_to_a_gpu_are_planned_where_there_is_one(self):
        for gpu in (False, True):
            paths = {plan.path for plan in compare_run.plans(False, 64, gpu)}
            self.assertEqual("gpu" in paths, gpu)
            self.assertLessEqual({"open", "describe", "one", "view", "load", "verify", "save"}, paths)

    def test_time_against_bytes_has_three_sizes_and_no_two_shapes_lie_on_the_disk_together(self):
        plans = compare_run.plans(False, 1024, True)
        loaded = [plan.shape for plan in plans if plan.group == "peers-load" and plan.shape.startswith("decoder")]
        self.assertEqual(loaded, ["decoder:128", "decoder:1024", "decoder:2048"])
        self.assertEqual([plan.group for plan in plans if plan.shape == "decoder:2048"], ["peers-load"])
        shapes = [plan.shape for plan in plans if plan.path in ("load", "gpu", "verify", "save")]
        runs = [shape for at, shape in enumerate(shapes) if at == 0 or shapes[at - 1] != shape]
        self.assertEqual(len(runs), len(set(runs)))
        self.assertEqual(runs[-1], "decoder:2048")
        self.assertNotIn("decoder:2048", {plan.shape for plan in compare_run.plans(True, 1024, True)})

    def test_real_weights_are_measured_under_the_name_of_their_file(self):
        shapes = {plan.shape for plan in compare_run.plans(False, 64, False, pathlib.Path("/a/model-v2.ingot"))}
        self.assertIn("weights:/a/model-v2.ingot", shapes)
        self.assertEqual(inputs.base_name("weights:/a/model-v2.ingot"), "model-v2")
        self.assertNotIn("weights:None", {plan.shape for plan in compare_run.plans(False, 64, False)})


class Series(unittest.TestCase):
    def test_one_that_failed_is_not_measured_again(self):
        first, second = series.new("g", "s", "a"), series.new("g", "s", "b")
        turns = [entry["contender"] for entry in series.turns(0, [first, second])]
        series.add(first, {"error": "no"})
        series.add(second, {"seconds": 1.0})
        self.assertEqual((sorted(turns), series.turns(1, [first, second])), (["a", "b"], [second]))

    def test_nobody_always_comes_after_the_same_one_and_every_run_has_the_same_order(self):
        all_series = [series.new("g", "s", name) for name in "abcd"]
        def run():
            return [[entry["contender"] for entry in series.turns(number, all_series)] for number in range(7)]

        rounds = run()
        self.assertEqual(rounds, run())
        for name in "abcd":
            before = {order[order.index(name) - 1] for order in rounds if order.index(name)}
            self.assertGreater(len(before), 1, name)

    def test_an_error_of_ingot_fails_the_run_and_one_of_a_peer_does_not(self):
        entry = series.new("g", "s", "torch")
        series.add(entry, {"error": "no"})
        self.assertTrue(series.ingot_is_good([entry]))
        self.assertFalse(series.ingot_is_good([entry | {"contender": "ingot-mapped"}]))


class Processes(unittest.TestCase):
    def test_the_last_line_is_the_answer(self):
        answer = processes.start(["sh", "-c", "echo chatter; echo '{\"seconds\": 1}'"])
        self.assertEqual(answer["seconds"], 1)
        self.assertGreater(answer["process_seconds"], 0)

    def test_a_failure_is_an_error_with_its_last_line(self):
        self.assertEqual(processes.start(["sh", "-c", "echo first >&2; echo why >&2; exit 3"]), {"error": "why"})
        self.assertEqual(processes.start(["sh", "-c", "exit 3"]), {"error": "exit code 3"})

    def test_what_was_stopped_or_had_no_room_is_marked(self):
        self.assertEqual(processes.start(["sleep", "9"], limit=0.05), {"error": "stopped after 0.05 s", "stopped": True})
        self.assertEqual(processes.start(["sh", "-c", "kill -9 $$"]), {"error": "exit code -9", "stopped": True})
        full = processes.start(["sh", "-c", "echo 'OSError: [Errno 28] No space left on device' >&2; exit 1"])
        self.assertTrue(full["transient"])

    def test_output_that_is_no_answer_is_an_error(self):
        self.assertIn("error", processes.start(["sh", "-c", "echo chatter"]))
        self.assertIn("error", processes.start(["true"]))


if __name__ == "__main__":
    unittest.main()
