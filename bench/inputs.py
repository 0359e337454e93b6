"""The same tensors, listed, as raw bytes, and in each contender's format. Standard library only."""

import json
import os
import pathlib
import shutil

import contenders


MAKE_SECONDS = 180  # for one input; who takes longer is not measured with it


def base_name(shape):
    if shape.startswith("weights:"):
        return pathlib.Path(shape).stem
    return shape.replace(":", "-")


class Inputs:
    """Makes what is asked for, once; one file serves all contenders of its format."""

    def __init__(self, cache, runner):
        self.folder, self.cache, self.runner = cache / "compare", cache, runner
        self.folder.mkdir(parents=True, exist_ok=True)
        self.failed = {}  # path -> why: not tried again for every measurement
        self.ingot = {}  # shape -> path: to ask for it is to write a little, and shall not be done for every measurement
        self.facts = {}  # shape -> (answers, a name, bytes): listings are large

    def listing_and_raw(self, shape):
        base = self.folder / base_name(shape)
        listing, raw = base.with_name(base.name + "-v2.json"), base.with_name(base.name + ".raw")
        if not listing.exists() or not raw.exists():
            partial = listing.with_suffix(".partial")
            answer = self.runner.ingot("make", shape, str(partial), str(raw), limit=None)
            if "error" in answer:
                raise RuntimeError(answer["error"])
            partial.rename(listing)
        return str(listing), str(raw)

    def tensors(self, shape):
        """[name, dtype, shape, bytes, sum] of every tensor"""
        return json.loads(pathlib.Path(self.listing_and_raw(shape)[0]).read_text())

    def _facts(self, shape):
        if shape not in self.facts:
            tensors = self.tensors(shape)
            sums = [entry[4] for entry in sorted(tensors)]
            proof = sum((2 * place + 1) * value for place, value in enumerate(sums)) % 2**64
            name, *_, total = tensors[len(tensors) // 2]
            answers = {"proof": str(proof), "tensors": len(tensors), "sum": str(total),
                       "name_bytes": sum(len(entry[0].encode()) for entry in tensors)}
            self.facts[shape] = answers, name, sum(entry[3] for entry in tensors)
        return self.facts[shape]

    def answers(self, shape):
        """What contenders must find: proof of all bytes (compare/tensors.py, compare/loads.cc), tensors, bytes of names,
        and the sum of a_name()'s bytes."""
        return self._facts(shape)[0]

    def a_name(self, shape):
        return self._facts(shape)[1]

    def bytes(self, shape):
        return self._facts(shape)[2]

    def file(self, contender, shape):
        """Path of the file or folder, or {"error": ...} when the contender cannot make it."""
        if contenders.is_ingot(contender):
            return self.ingot_file(shape)
        path = self.path(contender, shape)
        if path in self.failed:
            return self.failed[path]
        if not path.exists():
            self.remove_of_other_versions(path)
            partial = path.with_name(path.name + ".partial")
            remove(partial)
            answer = self.runner.call(contender, "make", *self.listing_and_raw(shape), str(partial), limit=MAKE_SECONDS)
            if "error" in answer:
                remove(partial)
                self.failed[path] = answer
                return answer
            for side in path.parent.glob(partial.name + ".*"):
                side.rename(side.with_name(side.name.replace(".partial", "")))
            partial.rename(path)
        return str(path)

    def ingot_file(self, shape):
        """Its name tells the writer by itself (support/files.h)."""
        if shape not in self.ingot:
            answer = self.runner.ingot("ingot", shape, str(self.cache), limit=None)
            if "error" in answer:
                return answer
            self.ingot[shape] = answer["path"]
        return self.ingot[shape]

    def path(self, contender, shape):
        """In a folder of the versions that write its format, so that another version's file is not measured as this one's.
        Its own name is short: torch.save puts it before every record."""
        folder = self.folder / ",".join(self.writer(contender))
        folder.mkdir(exist_ok=True)
        return folder / f"{base_name(shape)}.{contender.suffix}"

    def writer(self, contender):
        """Packages and versions of the first contender that saves the format of this one."""
        first = next(peer for peer in contenders.PEERS if peer.suffix == contender.suffix and "save" in peer.paths)
        have = contenders.installed(self.runner.python)
        needed = [package.lower().replace("_", "-") for package in first.packages]
        return [f"{package}-{have[package]}" for package in needed if package in have]

    def remove_of_other_versions(self, path):
        """With what lies beside them."""
        for other in self.everywhere(path.name + "*"):
            if other.parent != path.parent:
                remove(other)

    def everywhere(self, pattern):
        return [*self.folder.glob(pattern), *self.folder.glob("*/" + pattern)]

    def drop(self, shape):
        """Removes a shape's files: all formats of all shapes together would not fit on a disk."""
        for path in self.everywhere(base_name(shape) + "[.-]*"):
            remove(path)


def files(path):
    """The files of a file or folder."""
    if not os.path.isdir(path):
        return [path]
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def remove(path):
    path = pathlib.Path(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
