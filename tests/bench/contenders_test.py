"""The table of contenders fits the scripts and the pinned packages, and says who is absent and why."""

import ast
import json
import pathlib
import tempfile
import unittest
from unittest import mock

from here import ROOT

import contenders
import install_peers

REQUIREMENTS = (ROOT / "scripts/requirements-peers.txt").read_text()
METHODS = {"open": {"open", "count"}, "describe": {"open", "describe"}, "one": {"open", "one"}, "view": {"view"},
           "load": {"load"}, "verify": {"verify"}, "save": {"save"}, "flips": {"load", "save"}, "gpu": {"load", "save"}}


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
