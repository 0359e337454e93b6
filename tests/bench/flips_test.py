"""flips.py finds the regions of a file, damages each byte once, and tells what a load made of it."""

import json
import os
import pathlib
import signal
import tempfile
import unittest
import zlib

import here  # noqa: F401

import flips

BLOBS = [bytes(range(1, 41)), bytes(range(60, 100))]
FILE = b"HEAD" + BLOBS[0] + b"\0\0\0" + BLOBS[1] + b"END"
EXPECTED = [["a", "uint8", [40], 7], ["b", "uint8", [40], 8]]


def load_trusting(path):
    """A loader without any check: what it makes of the bytes is what it says."""
    content = pathlib.Path(path).read_bytes()
    parts = content[4:44], content[47:87]
    sums = [good if part == blob else 0 for part, blob, good in zip(parts, BLOBS, (7, 8))]
    return [["a", "uint8", [40], sums[0]], ["b", "uint8", [40], sums[1]]]


def load_checking(path):
    content = pathlib.Path(path).read_bytes()
    if zlib.crc32(content) != zlib.crc32(FILE):
        raise ValueError("damaged")
    return load_trusting(path)


class Flips(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "file")
        pathlib.Path(self.path).write_bytes(FILE)
        raw, plan = os.path.join(self.folder.name, "raw"), os.path.join(self.folder.name, "plan")
        pathlib.Path(raw).write_bytes(b"".join(BLOBS))
        listing = [[name, dtype, shape, 40, total] for name, dtype, shape, total in EXPECTED]
        pathlib.Path(plan).write_text(json.dumps({"listing": listing, "raw": raw, "samples": 5, "seconds": 60}))
        self.plan = plan

    def run_with(self, load):
        return flips.run(load, self.path, self.plan)["regions"]

    def test_regions_are_found_by_the_tensors_bytes(self):
        regions = {name: [(begin, end) for _, begin, end in pieces] for name, pieces in flips.regions_of(self.path, BLOBS).items()}
        self.assertEqual(regions, {"header": [(0, 4)], "between tensors": [(44, 47)], "trailer": [(87, 90)],
                                   "data, begin": [(4, 44)], "data, middle": [(47, 87)], "data, end": [(47, 87)]})

    def test_files_of_a_folder_without_tensors_are_other_files(self):
        pathlib.Path(self.folder.name, "more").mkdir()
        os.rename(self.path, os.path.join(self.folder.name, "more", "data"))
        pathlib.Path(self.folder.name, "more", "meta").write_bytes(b"{}")
        regions = flips.regions_of(os.path.join(self.folder.name, "more"), BLOBS)
        self.assertEqual([(begin, end) for _, begin, end in regions["other files"]], [(0, 2)])

    def test_a_tensor_that_is_not_in_the_file_is_an_error(self):
        with self.assertRaises(RuntimeError):
            flips.regions_of(self.path, [*BLOBS, b"not there"])

    def test_places_are_spread_from_the_first_byte_to_the_last(self):
        places = flips.spread([("x", 10, 14), ("y", 0, 4)], 4)
        self.assertEqual((places[0], places[-1], len(places)), (("x", 10), ("y", 3), 4))
        self.assertEqual(flips.spread([("x", 10, 13)], 99), [("x", 10), ("x", 11), ("x", 12)])

    def test_a_loader_that_checks_notices_every_flip(self):
        for region, outcome in self.run_with(load_checking).items():
            self.assertEqual(outcome["noticed"], outcome["flips"], region)
            self.assertEqual(outcome["why"]["noticed"], {"ValueError": outcome["flips"]})

    def test_a_loader_that_trusts_hands_out_wrong_bytes(self):
        regions = self.run_with(load_trusting)
        self.assertEqual(regions["data, begin"]["wrong"], 5)
        self.assertEqual(regions["data, begin"]["why"], {"wrong": {"bytes": 5}})
        self.assertEqual(regions["header"]["harmless"], 4)

    def test_the_file_is_whole_again_after_it(self):
        self.run_with(load_trusting)
        self.assertEqual(pathlib.Path(self.path).read_bytes(), FILE)

    def test_a_crash_and_a_hang_are_outcomes(self):
        for number, outcome in ((signal.SIGSEGV, "crashed"), (signal.SIGALRM, "hung")):
            def load(path, number=number):
                if pathlib.Path(path).read_bytes() != FILE:
                    os.kill(os.getpid(), number)
                return load_trusting(path)
            regions = self.run_with(load)
            self.assertEqual(regions["trailer"][outcome], regions["trailer"]["flips"])

    def test_an_intact_file_that_loads_wrongly_is_an_error(self):
        with self.assertRaises(RuntimeError):
            self.run_with(lambda path: [])

    def test_what_is_wrong_is_named(self):
        right = [["a", "uint8", [40], 7]]
        for entry, what in ((["x", "uint8", [40], 7], "names"), (["a", "int8", [40], 7], "dtypes"),
                            (["a", "uint8", [4, 10], 7], "shapes"), (["a", "uint8", [40], 8], "bytes"),
                            (["a", "uint8", [40], 7], "")):
            self.assertEqual(flips.difference([entry], right), what)


if __name__ == "__main__":
    unittest.main()
