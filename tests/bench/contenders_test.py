"""The table of contenders fits the scripts and the pinned packages, and says who is absent and why; what of a peer is in a
time and what is not."""

import ast
import json
import pathlib
import re
import sys
import tempfile
import types
import unittest
from unittest import mock

from here import ROOT

import contenders
import install_peers

# What a script of a peer is run with, the tests are not.
DOUBLES = {"torch": types.ModuleType("torch"), "tensors": types.SimpleNamespace(sum_words=lambda total: total)}
with mock.patch.dict(sys.modules, DOUBLES):
    import contender as of_peers

REQUIREMENTS = (ROOT / "scripts/requirements-peers.txt").read_text()
METHODS = {"open": {"open", "count"}, "describe": {"open", "describe"}, "one": {"open", "one"}, "view": {"view"},
           "load": {"load"}, "verify": {"verify"}, "save": {"save", "load"}, "flips": {"load", "save"},
           "gpu": {"load", "save"}}


def names_in(script):
    """Functions of a script, and what it sets on self."""
    nodes = list(ast.walk(ast.parse((contenders.HERE / script).read_text())))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return functions | {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}


class Table(unittest.TestCase):
    def test_no_name_is_used_twice(self):
        names = [contender.name for contender in contenders.INGOT + contenders.PEERS]
        self.assertEqual(len(names), len(set(names)))

    def test_each_script_has_what_its_paths_need(self):
        for contender in contenders.PEERS:
            have = names_in(contender.script)
            for path in contender.paths:
                self.assertLessEqual(METHODS[path], have, f"{contender.name}: {path}")

    def test_each_package_is_pinned(self):
        pinned = {install_peers.name_of(pin) for pin in install_peers.pins(REQUIREMENTS, gpu=True)}
        for contender in contenders.PEERS:
            for package in contender.packages:
                self.assertIn(package.replace("_", "-"), pinned)

    def test_every_way_of_ingots_to_load_takes_flips_and_its_program_knows_it(self):
        commands = set(re.findall(r'\{"(\S+)", \w+\}', (contenders.HERE / "main.cc").read_text()))
        for contender in contenders.INGOT:
            self.assertIn("flips", contender.paths)
            self.assertIn(f"checked-{contender.variant}".removesuffix("-load"), commands, contender.name)
        self.assertEqual(len({contender.variant for contender in contenders.INGOT}), len(contenders.INGOT))

    def test_every_peer_that_loads_for_itself_takes_flips(self):
        without = {contender.name for contender in contenders.PEERS
                   if "load" in contender.paths and "flips" not in contender.paths}
        self.assertEqual(without, {"safetensors-mmap-owned", "torch-mmap-owned", "ztensor-owned"})  # another's, cloned

    def test_who_is_measured_with_memory_of_its_own_says_so_and_only_loads(self):
        for contender in contenders.PEERS:
            if contender.name.endswith("-owned"):
                self.assertIn("owned", names_in(contender.script))
                self.assertEqual((contender.paths, contender.variant[-5:]), ({"load"}, "owned"))

    def test_who_promises_a_proof_says_so(self):
        self.assertEqual({contender.name: contender.proves for contender in contenders.INGOT + contenders.PEERS
                          if contender.proves},
                         {"ingot": "tensors", "ingot-mapped-verified": "file", "ingot-verified": "file"})

    def test_all_state_their_settings(self):
        for contender in contenders.INGOT + contenders.PEERS:
            self.assertGreater(len(contender.settings), 10, contender.name)


class Absence(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.python = str(pathlib.Path(folder.name, "bin", "python"))
        pathlib.Path(folder.name, contenders.INSTALLED).write_text(json.dumps({"failed": {"gguf": "gguf==0 could not be installed"}}))
        have = {"torch": "2.13.0+cpu", "safetensors": "0.8.0"}
        patch = mock.patch.object(contenders, "installed", lambda python: have if python else {})
        patch.start()
        self.addCleanup(patch.stop)

    def why(self, name, gpu=False):
        return contenders.why_absent(contenders.named(name), self.python, gpu)

    def test_who_has_all_packages_takes_part(self):
        self.assertEqual((self.why("torch"), self.why("safetensors"), self.why("ingot")), ("", "", ""))

    def test_who_has_not_is_absent_with_the_reason(self):
        self.assertEqual(self.why("runai"), "runai-model-streamer is not installed")
        self.assertEqual(self.why("gguf"), "gguf==0 could not be installed")
        self.assertIn("GPU", self.why("instanttensor"))
        self.assertEqual(self.why("instanttensor", gpu=True), "instanttensor is not installed")

    def test_without_an_environment_only_ingot_takes_part(self):
        self.assertEqual({contender.name for contender in contenders.present(None)}, {c.name for c in contenders.INGOT})


class Opened:
    def __init__(self, peer):
        self.peer = peer

    def __len__(self):
        return 5

    def __del__(self):
        self.peer.say("closed")


class Tensor:
    def __init__(self, peer):
        self.peer = peer

    def clone(self):
        self.peer.say("clone")
        return "copy"

    def __del__(self):
        self.peer.say("closed")


class Peer:
    """Says what was called."""

    def __init__(self, **facts):
        self.said = []
        self.__dict__ |= facts

    def say(self, what, answer=None):
        self.said.append(what)
        return answer

    def open(self, path):
        return self.say("open", Opened(self))

    def view(self, path):
        return self.say("view", Opened(self))

    def count(self, opened):
        return self.say("count", 5)

    def describe(self, opened):
        return self.say("describe", (9, 1))

    def one(self, opened, name):
        return self.say("one", 7)

    def verify(self, path):
        self.say("verify")

    def load(self, path, device):
        return self.say("load", {"a": Tensor(self)})


class Timed(unittest.TestCase):
    def clocked(self, peer, call):
        """What peer and clock say during a call, and its answer."""
        with mock.patch.object(of_peers.time, "perf_counter", lambda: peer.say("clock", 0)), \
                mock.patch.object(of_peers.process, "reset_peak_rss", peer.said.clear):
            answer = call()
        return peer.said, answer

    def test_of_a_reading_only_its_own_work_is_in_the_time(self):
        for command, within, after, answer in (
                ("open", ["open"], ["count", "closed"], {"tensors": 5}),
                ("describe", ["open", "describe"], ["closed"], {"name_bytes": 9}),
                ("one", ["open", "one"], ["closed"], {"sum": "7"}),
                ("view", ["view"], ["closed"], {"tensors": 5}),
                ("verify", ["verify"], [], {})):
            peer, asked = Peer(), (command, "file", "tiny", *([["a"], ["b"]] if command == "one" else []))
            said, got = self.clocked(peer, lambda p=peer, a=asked: of_peers.run_reading(p, *a))
            self.assertEqual(said, ["clock", *within, "clock", *after], command)
            self.assertLessEqual(answer.items(), got.items())

    def test_who_shall_own_the_bytes_clones_within_the_time_and_lets_the_mapping_go_after_it(self):
        peer = Peer(owned=True)
        said, (_, loaded) = self.clocked(peer, lambda: of_peers.load_all(peer, "file", "cpu"))
        self.assertEqual((said, loaded), (["clock", "load", "clone", "clock", "closed"], {"a": "copy"}))

    def test_who_need_not_does_not_clone(self):
        peer = Peer()
        said, (_, loaded) = self.clocked(peer, lambda: of_peers.load_all(peer, "file", "cpu"))
        self.assertEqual((said, list(loaded)), (["clock", "load", "clock"], ["a"]))

    def test_what_is_mapped_is_touched_within_the_time(self):
        peer = Peer(mapped=True)
        with mock.patch.object(of_peers.native, "Ranges", lambda tensors: mock.Mock(touch=lambda: peer.say("touch"))):
            said, _ = self.clocked(peer, lambda: of_peers.load_all(peer, "file", "cpu"))
        self.assertEqual(said[:6], ["clock", "load", "clock", "clock", "touch", "clock"])


class Installing(unittest.TestCase):
    def test_gpu_packages_are_for_machines_with_one(self):
        self.assertEqual(install_peers.pins("a==1\nb==2  # gpu\n# c==3\n", gpu=False), ["a==1"])
        self.assertEqual(install_peers.pins("a==1\nb==2  # gpu\n", gpu=True), ["a==1", "b==2"])

    def test_a_cpu_build_is_its_version_and_another_version_is_not(self):
        have = {"torch": "2.13.0+cpu", "torch-checkpointing": "0.1.0"}
        self.assertTrue(install_peers.is_there("torch==2.13.0", have))
        self.assertFalse(install_peers.is_there("torch_checkpointing==0.1.1", have))
        self.assertFalse(install_peers.is_there("gguf==0.19.0", have))

    def run_install(self, versions, problems):
        """Installs torch, numpy, safetensors and gguf, with doubles: versions after each look, pip's answers."""
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(install_peers, "versions_in", side_effect=versions), \
                mock.patch.object(install_peers, "pip_install", side_effect=problems):
            return install_peers.install(pathlib.Path(folder), ["torch==2", "numpy==1", "safetensors==1", "gguf==1"])

    def test_a_peer_that_cannot_be_had_is_recorded(self):
        base = {"torch": "2", "numpy": "1", "safetensors": "1"}
        self.assertEqual(self.run_install([base] * 8, ["no wheel"]), {"gguf": "gguf==1 could not be installed: no wheel"})

    def test_what_all_need_must_be_had(self):
        with self.assertRaises(SystemExit):
            self.run_install([{}] * 8, ["no wheel"])

    def test_a_peer_that_brings_another_torch_ends_it(self):
        base = {"torch": "2", "numpy": "1", "safetensors": "1"}
        with self.assertRaises(SystemExit):
            self.run_install([base] * 7 + [base | {"torch": "3"}], [""])


if __name__ == "__main__":
    unittest.main()
