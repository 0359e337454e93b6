"""Which LibTorch a configuration takes (cmake/IngotTorch.cmake), of several that are there.

  finding_torch.py <repository> <cmake>

Each case configures a project of a few lines, without a compiler, beside LibTorch packages that are made up: all that
one of them does is to say where it lies. The Pythons are this one, each with a `torch` of its own.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

REPOSITORY, CMAKE = sys.argv[1:3]

PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(finding LANGUAGES NONE)
include("{REPOSITORY}/cmake/IngotTorch.cmake")
message(STATUS "enabled: ${{INGOT_TORCH_ENABLED}}")
message(STATUS "taken: ${{stub_package}}")
"""
CONFIG = """
set(stub_package "${CMAKE_CURRENT_LIST_DIR}")
"""
VERSION = """
set(PACKAGE_VERSION "{version}")
set(PACKAGE_VERSION_COMPATIBLE TRUE)
"""


class Place:
    """A folder with the project, and whatever a case puts beside it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.write("source/CMakeLists.txt", PROJECT)
        (self.folder / "empty").mkdir()
        self.environment = {"PATH": str(self.folder / "empty")}
        self.arguments = []

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def package(self, prefix, version="2.7.0", config=CONFIG):
        """A LibTorch under this prefix; where its CMake package lies."""
        self.write(f"{prefix}/share/cmake/Torch/TorchConfigVersion.cmake", VERSION.format(version=version))
        return self.write(f"{prefix}/share/cmake/Torch/TorchConfig.cmake", config).parent

    def python(self, environment, version="2.7.0", name="python", config=CONFIG):
        """A Python environment; with a torch unless `version` is None."""
        site = self.folder / environment / "site"
        if version is not None:
            self.package(f"{environment}/site/torch", version, config)
            self.write(f"{environment}/site/torch/__init__.py", "raise SystemExit('nobody needs to import it')\n")
            self.write(f"{environment}/site/torch-{version}.dist-info/METADATA",
                       f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
        else:
            self.write(f"{environment}/site/torch.py", "")  # hides the real one: it is of no distribution
        script = self.write(f"{environment}/bin/{name}",
                            f'#!/bin/sh\nPYTHONPATH="{site}" exec "{sys.executable}" "$@"\n')
        script.chmod(0o755)

    # The ways to have a LibTorch, from the one that counts most to the one that counts least.

    def torch_dir(self, **how):
        self.arguments.append(f"-DTorch_DIR={self.package('torch_dir', **how)}")

    def prefix_path(self, **how):
        self.package("prefix_path", **how)
        self.arguments.append(f"-DCMAKE_PREFIX_PATH={self.folder / 'prefix_path'}")

    def prefix_path_of_environment(self, **how):
        self.package("prefix_path_of_environment", **how)
        self.environment["CMAKE_PREFIX_PATH"] = str(self.folder / "prefix_path_of_environment")

    def torch_dir_of_environment(self, **how):
        self.environment["Torch_DIR"] = str(self.package("torch_dir_of_environment", **how))

    def virtual_env(self, **how):
        self.python("virtual_env", **how)
        self.environment["VIRTUAL_ENV"] = str(self.folder / "virtual_env")

    def conda(self, **how):
        self.python("conda", **how)
        self.environment["CONDA_PREFIX"] = str(self.folder / "conda")

    def python_in_path(self, **how):
        self.python("python_in_path", name="python3", **how)
        self.environment["PATH"] = str(self.folder / "python_in_path/bin")

    def private(self, **how):
        self.python("source/.venv", **how)

    def configure(self, *arguments):
        """What CMake said, and its exit status."""
        done = subprocess.run(
            [CMAKE, "-S", self.folder / "source", "-B", self.folder / "build", "-G", "Unix Makefiles",
             f"-DCMAKE_MAKE_PROGRAM={CMAKE}",  # asked for, and never run: nothing is built
             "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",  # a LibTorch of this machine is none of the test's
             *self.arguments, *arguments],
            env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.stdout, done.returncode

    def taken(self, output):
        """Which package was taken, by the first word of its way; None when none was."""
        folder, = [line.removeprefix("-- taken: ") for line in output.splitlines() if line.startswith("-- taken:")]
        if "-- enabled: ON" not in output:
            return None
        way = pathlib.Path(folder).relative_to(self.folder).parts
        return "private" if way[:2] == ("source", ".venv") else way[0]


WAYS = ["torch_dir", "prefix_path", "prefix_path_of_environment", "torch_dir_of_environment",
        "virtual_env", "conda", "python_in_path", "private"]


class FindingTorch(unittest.TestCase):
    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self._scratch.cleanup)
        self.place = Place(self._scratch.name)

    def expect(self, taken, *arguments):
        output, status = self.place.configure(*arguments)
        self.assertEqual(status, 0, output)
        self.assertEqual(self.place.taken(output), taken, output)
        return output

    def test_each_alone(self):
        for way in WAYS:
            with self.subTest(way), tempfile.TemporaryDirectory() as scratch:
                self.place = Place(scratch)
                getattr(self.place, way)()
                self.expect(way)

    def test_the_first_of_two_that_are_neighbours(self):
        for first, second in zip(WAYS, WAYS[1:]):
            with self.subTest(first), tempfile.TemporaryDirectory() as scratch:
                self.place = Place(scratch)
                getattr(self.place, second)()
                getattr(self.place, first)()
                self.expect(first)

    def test_the_first_of_all(self):
        for way in reversed(WAYS):
            getattr(self.place, way)()
        self.expect("torch_dir")

    def test_pythons_without_it_or_with_an_old_one_are_passed_over(self):
        self.place.virtual_env(version=None)
        self.place.conda(version="2.5.1")
        self.place.python_in_path(version="1.13.1+cpu")
        self.place.private(version="2.10.0+cpu")  # newer than 2.6, though its text sorts before it
        self.expect("private")

    def test_none(self):
        output = self.expect(None)
        self.assertIn("without ingot::libtorch, no LibTorch 2.6 or newer: nothing of that kind was found", output)

    def test_an_old_one_that_is_named_is_told_and_not_replaced(self):
        self.place.torch_dir(version="2.5.1")
        self.place.private()
        self.assertIn("is of version 2.5.1", self.expect(None))

    def test_pythons_whose_torch_has_the_old_abi_are_passed_over(self):
        old = CONFIG + 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")\n'
        self.place.python_in_path(config=old)
        self.place.private()
        self.assertIn("it has the old C++ ABI", self.expect("private"))
        (self.place.folder / "build/CMakeCache.txt").unlink()
        self.expect("python_in_path", "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_USE_CXX11_ABI=0")

    def test_the_old_abi_is_told(self):
        self.place.torch_dir(config=CONFIG + 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")\n')
        self.assertIn("has the old C++ ABI", self.expect(None))
        self.expect("torch_dir", "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_USE_CXX11_ABI=0")

    def test_off_looks_for_nothing(self):
        self.place.torch_dir()
        self.expect(None, "-DINGOT_TORCH=OFF")

    def test_on_is_an_error_without_it(self):
        output, status = self.place.configure("-DINGOT_TORCH=ON")
        self.assertNotEqual(status, 0)
        self.assertIn("INGOT_TORCH is ON", output)
        self.place.virtual_env()
        self.expect("virtual_env", "-DINGOT_TORCH=ON")

    def test_a_build_folder_keeps_what_it_found(self):
        self.place.private()
        self.expect("private")
        self.place.virtual_env()
        self.expect("private")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
